//! One record line: its values, what kind of row it is, and the way into a batch.

use std::borrow::Cow;
use std::fmt;

use super::columns::{Layout, TextColumn, TextTarget, ValueColumn, ValueKind};
use super::value::{self, ValueError};
use crate::batch::FlowBatch;
use crate::record::{Addr, Timestamp};

/// The text that stands for "absent".
pub(super) const ABSENT: &[u8] = b"-";

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flow,
    NoData,
    SkipData,
}

/// Whether a value can be a `log-status`.
pub(super) fn is_status(value: &str) -> bool {
    matches!(value, "OK" | "NODATA" | "SKIPDATA")
}

/// First byte of a value, and the one after its last. Lines are much shorter than 4 GiB.
pub(super) type Span = (u32, u32);

/// The values of a line.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    line: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Record<'a> {
    /// Finds the values of a line, as many as fit `spans`.
    pub(super) fn split(line: &'a [u8], spans: &'a mut [Span]) -> Self {
        let (words, rest) = line.as_chunks::<8>();
        let mut splitter = Splitter { spans, count: 0, start: 0, base: 0 };
        for word in words {
            splitter.take(*word);
        }
        // The first space behind the rest ends the last value.
        let mut last = [b' '; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        splitter.take(last);
        let Splitter { spans, count, .. } = splitter;
        Self { line, spans: spans.get(..count).unwrap_or_default() }
    }

    /// A record whose values are known to stand here.
    pub(super) fn of(line: &'a [u8], spans: &'a [Span]) -> Self {
        Self { line, spans }
    }

    /// Values found.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// The value in this place; `None` where it is absent.
    pub(super) fn value(&self, at: usize) -> Option<&'a [u8]> {
        let &(start, end) = self.spans.get(at)?;
        self.line.get(start as usize..end as usize).filter(|&value| value != ABSENT)
    }

    /// What kind of row this is; the module's documentation gives the rules.
    pub(super) fn kind(&self, layout: &Layout) -> Kind {
        let labelled = match layout.status.and_then(|at| self.value(at)) {
            Some(b"NODATA") => Kind::NoData,
            Some(b"SKIPDATA") => Kind::SkipData,
            Some(_) => return Kind::Flow,
            None if self.lacks_traffic(layout) => return Kind::NoData,
            None => return Kind::Flow,
        };
        let has_ends = layout.ends.is_some_and(|ends| ends.iter().all(|&at| self.value(at).is_some()));
        if has_ends { Kind::Flow } else { labelled }
    }

    fn lacks_traffic(&self, layout: &Layout) -> bool {
        !layout.traffic.is_empty() && layout.traffic.iter().all(|&at| self.value(at).is_none())
    }
}

/// Finds values eight bytes at a time, which is faster than a search for each space, because values are short.
struct Splitter<'a> {
    spans: &'a mut [Span],
    count: usize,
    /// Where the value that is being read begins.
    start: u32,
    /// Where the next eight bytes begin.
    base: u32,
}

impl Splitter<'_> {
    #[inline]
    fn take(&mut self, word: [u8; 8]) {
        let mut hits = spaces(word);
        while hits != 0 {
            let end = self.base + hits.trailing_zeros() / 8;
            if end > self.start
                && let Some(span) = self.spans.get_mut(self.count)
            {
                *span = (self.start, end);
                self.count += 1;
            }
            self.start = end + 1;
            hits &= hits - 1;
        }
        self.base += 8;
    }
}

/// The top bit of each byte that is a space, the first byte being lowest.
#[inline]
fn spaces(word: [u8; 8]) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let others = u64::from_le_bytes(word) ^ u64::from_ne_bytes([b' '; 8]);
    // Adding carries into the top bit of a byte unless its low bits are zero, and never beyond it.
    !(((others & LOW) + LOW) | others | LOW)
}

/// A value that can be bad, looked at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parsed {
    Absent,
    Number(u64),
    Time(Timestamp),
    Addr(Addr),
}

/// A value that does not fit its column.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadValue<'a> {
    pub(super) column: &'static str,
    pub(super) value: &'a [u8],
    pub(super) error: ValueError,
}

impl fmt::Display for BadValue<'_> {
    /// The value in quotes, without control characters, and cut if it is long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 40;
        let value = String::from_utf8_lossy(self.value);
        match value.char_indices().nth(SHOWN) {
            Some((end, _)) => write!(f, "{}: {:?}... {}", self.column, &value[..end], self.error),
            None => write!(f, "{}: {value:?} {}", self.column, self.error),
        }
    }
}

impl Layout {
    /// Adds a record to a batch: whole or, if a value is bad, not at all. `parsed` is memory to work in.
    ///
    /// Gives whether all text was UTF-8; what is not has been replaced.
    pub(super) fn read<'a>(
        &self,
        record: Record<'a>,
        parsed: &mut Vec<Parsed>,
        batch: &mut FlowBatch,
    ) -> Result<bool, BadValue<'a>> {
        parsed.clear();
        for column in &self.values {
            let Some(value) = record.value(column.at) else {
                parsed.push(Parsed::Absent);
                continue;
            };
            match column.parse(value) {
                Ok(value) => parsed.push(value),
                Err(error) => return Err(BadValue { column: column.field.info().aws, value, error }),
            }
        }
        for (column, parsed) in self.values.iter().zip(&*parsed) {
            match *parsed {
                Parsed::Absent => {}
                Parsed::Number(number) => batch.set_number(column.field, number),
                Parsed::Time(time) => batch.set_time(column.field, time),
                Parsed::Addr(addr) => batch.set_addr(column.field, addr),
            }
        }
        let mut is_utf8 = true;
        for column in &self.texts {
            if let Some(text) = record.value(column.at) {
                is_utf8 &= column.store(text, batch);
            }
        }
        self.constants.iter().for_each(|(field, text)| batch.set_text(*field, text));
        batch.end_row();
        Ok(is_utf8)
    }
}

impl Parsed {
    pub(super) fn number(self) -> Option<u64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    pub(super) fn time(self) -> Option<Timestamp> {
        if let Self::Time(time) = self { Some(time) } else { None }
    }

    pub(super) fn addr(self) -> Addr {
        if let Self::Addr(addr) = self { addr } else { Addr::Unknown }
    }
}

impl ValueColumn {
    pub(super) fn parse(&self, value: &[u8]) -> Result<Parsed, ValueError> {
        match self.kind {
            ValueKind::Number(max) => value::number(value, max).map(Parsed::Number),
            ValueKind::Time => value::time(value).map(Parsed::Time),
            ValueKind::Addr => value::addr(value).map(Parsed::Addr),
        }
    }
}

impl TextColumn {
    fn store(&self, text: &[u8], batch: &mut FlowBatch) -> bool {
        match &self.target {
            TextTarget::Field(field) => batch.set_text_bytes(*field, text),
            TextTarget::Unknown(name) => {
                let text = String::from_utf8_lossy(text);
                batch.set_unknown(name, &text);
                matches!(text, Cow::Borrowed(_))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::vpc::columns::Wanted;
    use crate::record::{Field, FieldSet};
    use proptest::prelude::*;

    fn layout(names: &[&str]) -> Layout {
        Layout::new(names, 0, "header names", Wanted { fields: FieldSet::all(), unknown: true }).0
    }

    fn kind(names: &str, line: &str) -> Kind {
        let names: Vec<&str> = names.split(' ').collect();
        Record::split(line.as_bytes(), &mut [(0, 0); 9]).kind(&layout(&names))
    }

    #[test]
    fn values_stand_between_runs_of_spaces() {
        let mut spans = [(0, 0); 10];
        let record = Record::split(b"  one two   -  three ", &mut spans);
        assert_eq!(record.len(), 4);
        let values: Vec<_> = (0..5).map(|at| record.value(at)).collect();
        assert_eq!(values, [Some(&b"one"[..]), Some(b"two"), None, Some(b"three"), None]);
        assert_eq!(Record::split(&b"a b ".repeat(100), &mut spans).len(), 10);
        assert_eq!(Record::split(b"   ", &mut spans).len(), 0);
    }

    #[test]
    fn the_label_decides_unless_there_are_both_ends() {
        let names = "srcaddr dstaddr packets log-status";
        for (line, expected) in [
            ("10.0.0.1 10.0.0.2 7 OK", Kind::Flow),
            ("- - - OK", Kind::Flow),
            ("- - - NODATA", Kind::NoData),
            ("- - - SKIPDATA", Kind::SkipData),
            ("10.0.0.1 - 7 SKIPDATA", Kind::SkipData),
            ("10.0.0.1 10.0.0.2 7 NODATA", Kind::Flow),
            ("- - - -", Kind::NoData),
            ("10.0.0.1 10.0.0.2 - -", Kind::Flow),
        ] {
            assert_eq!(kind(names, line), expected, "{line}");
        }
        assert_eq!(kind("bytes log-status", "7 NODATA"), Kind::NoData);
    }

    #[test]
    fn without_a_label_a_row_without_traffic_is_none() {
        for (names, line, expected) in [
            ("interface-id srcaddr dstaddr packets", "eni-1 - - -", Kind::NoData),
            ("interface-id srcaddr dstaddr packets", "eni-1 - - 7", Kind::Flow),
            ("interface-id srcaddr dstaddr packets", "eni-1 - 10.0.0.1 -", Kind::Flow),
            ("interface-id pkt-srcaddr", "eni-1 -", Kind::NoData),
            ("interface-id bytes", "eni-1 -", Kind::Flow),
            ("interface-id region", "eni-1 -", Kind::Flow),
        ] {
            assert_eq!(kind(names, line), expected, "{names}: {line}");
        }
    }

    #[test]
    fn a_bad_value_leaves_no_trace() {
        let layout = layout(&["account-id", "srcport", "dstport"]);
        let (mut spans, mut parsed, mut batch) = ([(0, 0); 4], Vec::new(), FlowBatch::new());
        let mut read = |line: &str| {
            let read = layout.read(Record::split(line.as_bytes(), &mut spans), &mut parsed, &mut batch);
            read.map_err(|bad| (bad.column, String::from_utf8(bad.value.to_vec()).unwrap(), bad.error))
        };
        assert_eq!(read("007 1 65536"), Err(("dstport", "65536".into(), ValueError::TooLarge(65_535))));
        assert_eq!(read("008 x 2"), Err(("srcport", "x".into(), ValueError::NotANumber)));
        assert_eq!(read("009 - 2"), Ok(true));
        assert_eq!(batch.len(), 1);
        assert_eq!(batch.text(Field::Account, 0), Some("009"));
        assert_eq!((batch.number(Field::SrcPort, 0), batch.number(Field::DstPort, 0)), (None, Some(2)));
    }

    proptest! {
        #[test]
        fn splitting_agrees_with_the_standard_library(line in "[ a-c\u{7f}\u{a0}\u{2020}!]{0,60}") {
            let mut spans = [(0, 0); 60];
            let record = Record::split(line.as_bytes(), &mut spans);
            let found: Vec<_> = (0..record.len()).map(|at| record.value(at).unwrap()).collect();
            let expected: Vec<_> = line.split(' ').filter(|value| !value.is_empty()).map(str::as_bytes).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
