//! Files of values: `ip in @bad.txt`.
//!
//! Values are separated by white space, newlines and commas; `#` begins a comment, and quotes hold values with blanks.
//! Bytes in, values out; an error shows the line of the file. Lists of addresses can have millions of lines, so those
//! are read without a text of their own for each value.

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use super::FilterError;
use super::addrs::{AddrSet, v4_key};
use super::plain::{plain_v4, plain_v6};
use super::value::{self, Problem, Read};

/// A file of values in memory.
#[derive(Debug)]
pub(super) struct List {
    file: String,
    bytes: Vec<u8>,
}

/// A value and its place in the file; quotes are no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: usize,
    end: usize,
    /// Where the next entry can begin.
    after: usize,
}

impl List {
    /// Reads a whole file.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len().min(MAX_BYTES);
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 1);
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("the file is larger than {} GiB", MAX_BYTES >> 30);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        Ok(Self::new(path.display().to_string(), bytes))
    }

    fn new(file: String, bytes: Vec<u8>) -> Self {
        Self { file, bytes }
    }

    /// Calls `take` with every value; `expected` is what a value looks like.
    pub(super) fn each(
        &self,
        expected: &str,
        mut take: impl FnMut(&str) -> Read<()>,
    ) -> Result<(), FilterError> {
        let mut at = self.start();
        while let Some(entry) = self.next(at)? {
            let text = String::from_utf8_lossy(self.bytes.get(entry.start..entry.end).unwrap_or_default());
            take(&text).map_err(|problem| self.wrong(entry, problem).expected(expected))?;
            at = entry.after;
        }
        Ok(())
    }

    /// Adds every value, an address or prefix, to a set. The parts of a large file are read at the same time.
    pub(super) fn addresses(&self, expected: &str, set: &mut AddrSet) -> Result<(), FilterError> {
        let read = |part: Range<usize>| self.addresses_in(part, expected);
        let parts = thread::scope(|scope| {
            let parts: Vec<_> =
                self.parts().into_iter().map(|part| scope.spawn(move || read(part))).collect();
            parts
                .into_iter()
                .map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect::<Vec<_>>()
        });
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for part in parts {
            let part = part?;
            v4.extend(part.0);
            v6.extend(part.1);
        }
        set.add(v4, v6);
        Ok(())
    }

    /// The ranges of the addresses in some lines, sorted.
    fn addresses_in(&self, part: Range<usize>, expected: &str) -> Result<AddrRanges, FilterError> {
        let (mut v4, mut v6) = (Vec::with_capacity(part.len() / 16), Vec::new());
        let mut at = part.start;
        loop {
            at = self.after_separators(at);
            if at >= part.end {
                break;
            }
            let rest = self.bytes.get(at..).unwrap_or_default();
            if let Some((range, len)) = plain_v4(rest) {
                v4.push(range);
                at += len;
                continue;
            }
            if let Some((range, len)) = plain_v6(rest) {
                v6.push(range);
                at += len;
                continue;
            }
            let Some(entry) = self.next(at)? else { break };
            let text = String::from_utf8_lossy(self.bytes.get(entry.start..entry.end).unwrap_or_default());
            let prefix =
                value::prefix(&text).map_err(|problem| self.wrong(entry, problem).expected(expected))?;
            prefix.range().either(|range| v4.push(range), |range| v6.push(range));
            at = entry.after;
        }
        v4.sort_unstable_by_key(v4_key);
        v6.sort_unstable();
        Ok((v4, v6))
    }

    /// The file in parts of whole lines, as many as there are processors for.
    fn parts(&self) -> Vec<Range<usize>> {
        let (start, end) = (self.start(), self.bytes.len());
        let most = thread::available_parallelism().map_or(1, usize::from).min(8);
        let size = (end - start).div_ceil(most).max(PART_BYTES);
        let mut parts = Vec::new();
        let mut from = start;
        while from < end {
            let rest = self.bytes.get(from.saturating_add(size)..).unwrap_or_default();
            let to = end - rest.len() + rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            parts.push(from..to);
            from = to;
        }
        parts
    }

    /// Where the values begin: behind the mark of UTF-8, if there is one.
    fn start(&self) -> usize {
        if self.bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 }
    }

    /// The first value at this place or behind it.
    fn next(&self, at: usize) -> Result<Option<Entry>, FilterError> {
        let start = self.after_separators(at);
        let Some(&first) = self.bytes.get(start) else { return Ok(None) };
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        if !matches!(first, b'"' | b'\'') {
            let len = rest.iter().take_while(|&&byte| !ends_value(byte)).count();
            let end = start + 1 + len;
            return Ok(Some(Entry { start, end, after: end }));
        }
        match rest.iter().position(|&byte| byte == first || byte == b'\n') {
            Some(len) if rest.get(len) == Some(&first) => {
                let end = start + 1 + len;
                Ok(Some(Entry { start: start + 1, end, after: end + 1 }))
            }
            _ => {
                let entry = Entry { start, end: start + 1, after: start + 1 };
                let message = "the quote is never closed in its line".to_owned();
                Err(self.wrong(entry, Problem { message, suggestion: None }))
            }
        }
    }

    fn after_separators(&self, mut at: usize) -> usize {
        while let Some(&byte) = self.bytes.get(at) {
            if byte == b'#' {
                let rest = self.bytes.get(at..).unwrap_or_default();
                at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
            } else if is_separator(byte) {
                at += 1;
            } else {
                break;
            }
        }
        at
    }

    /// What is wrong with a value, with the line that it stands in.
    fn wrong(&self, entry: Entry, problem: Problem) -> FilterError {
        let before = self.bytes.get(..entry.start).unwrap_or_default();
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let number = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let rest = self.bytes.get(line_start..).unwrap_or_default();
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        // Bytes that are no UTF-8 become longer where they are shown.
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let start = shown(line.get(..entry.start - line_start).unwrap_or(line)).len();
        let end = shown(line.get(..entry.end - line_start).unwrap_or(line)).len();
        FilterError::new(shown(line).trim_end(), start..end, problem.message)
            .suggest(problem.suggestion)
            .in_file(&*self.file, number)
    }
}

/// Ranges of IPv4 and of IPv6 addresses.
type AddrRanges = (Vec<(u32, u32)>, Vec<(u128, u128)>);

/// Whether a value without quotes ends before this byte.
pub(super) fn ends_value(byte: u8) -> bool {
    is_separator(byte) || byte == b'#'
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c' | b',')
}

/// Smaller parts are not worth a thread.
const PART_BYTES: usize = 1 << 20;

/// A list that is larger is no list: `/dev/zero`.
const MAX_BYTES: u64 = 2 << 30;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(text: &str) -> List {
        List::new("list.txt".into(), text.into())
    }

    fn values(text: &str) -> Result<Vec<String>, FilterError> {
        let mut values = Vec::new();
        list(text).each("a word", |value| {
            values.push(value.to_owned());
            Ok(())
        })?;
        Ok(values)
    }

    #[test]
    fn values_stand_between_separators() {
        let text = "\u{feff}a, b\tc\r\n# none\n'd e' \"f,#\"#g\n\n,h#i j\n";
        assert_eq!(values(text).unwrap(), ["a", "b", "c", "d e", "f,#", "h"]);
        assert_eq!(values("").unwrap(), [""; 0]);
        assert_eq!(values("# only a comment").unwrap(), [""; 0]);
        let error = values("a\n  'b\nc'").unwrap_err();
        assert_eq!((error.line_number(), error.span()), (Some(2), 2..3));
    }

    #[test]
    fn a_large_list_is_read_in_parts() {
        let lines = (0..300_000_u32).rev().map(|n| format!("10.{}.{}.{}\n", n >> 16, n >> 8 & 255, n & 255));
        let text = lines.collect::<String>();
        let parts = list(&text).parts();
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((parts[0].start, parts.last().unwrap().end), (0, text.len()));
        let mut set = AddrSet::default();
        list(&text).addresses("", &mut set).unwrap();
        assert_eq!(set.v4.as_slice().len(), 300_000);
        assert_eq!(set.v4.as_slice().last(), Some(&(0x0a00_0000 + 299_999, 0x0a00_0000 + 299_999)));
        let wrong = list(&format!("{text}10.0.0.x\n{text}")).addresses("", &mut set).unwrap_err();
        assert_eq!(wrong.line_number(), Some(300_001));
    }

    #[test]
    fn a_wrong_address_is_shown_in_its_line() {
        let wrong = |text: &[u8]| {
            let list = List::new("bad.txt".into(), text.into());
            list.addresses("an address", &mut AddrSet::default()).unwrap_err().to_string()
        };
        assert_eq!(
            wrong(b"10.0.0.1\n 10.0.0.300, ::1 # x\r\n"),
            "filter: bad.txt: line 2: 10.0.0.300 is not an IP address: 300 is larger than 255\n     \
             10.0.0.300, ::1 # x\n     ^^^^^^^^^^ expected an address"
        );
        assert!(wrong(b"\xff\xfe1\n").contains("line 1: \"\u{fffd}\u{fffd}1\" is not an IP address"));
        assert!(wrong(b"10.0.0.1/33").contains("longer than the 32 bits"));
    }

    proptest! {
        #[test]
        fn lists_are_read_as_their_values_one_by_one(
            given in prop::collection::vec((any::<u32>(), 0_u8..=32, 0..3), 0..40), probe in any::<u32>(),
        ) {
            let texts = given.iter().map(|&(addr, len, form)| match form {
                0 => std::net::Ipv4Addr::from(addr).to_string(),
                1 => format!("{}/{len}", std::net::Ipv4Addr::from(addr)),
                _ => format!("{}/{}", std::net::Ipv6Addr::from(u128::from(addr) << 90 | 1), len * 4),
            });
            let text = texts.collect::<Vec<_>>().join("\n");
            let mut set = AddrSet::default();
            list(&text).addresses("", &mut set).unwrap();
            let naive = text.lines().map(|line| value::prefix(line).unwrap()).collect::<Vec<_>>();
            let naive = AddrSet::new(&naive);
            let probe = crate::record::Addr::from(std::net::IpAddr::from(probe.to_be_bytes()));
            prop_assert_eq!(set.contains(probe), naive.contains(probe));
            prop_assert_eq!(set, naive);
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let list = List::new("x".into(), bytes);
            for error in [
                list.each("", |text| value::prefix(text).map(|_| ())).err(),
                list.addresses("", &mut AddrSet::default()).err(),
            ].into_iter().flatten() {
                prop_assert!(error.expression().get(error.span()).is_some());
                prop_assert!(error.to_string().contains('^'));
            }
        }
    }
}
