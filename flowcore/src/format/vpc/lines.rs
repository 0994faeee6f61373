//! Cuts a stream into lines, reading large pieces into one buffer that is reused.
//!
//! Memory is bounded: of a line longer than [`MAX_LINE`] only the fact that it was there is kept.

use std::cell::Cell;
use std::io::{self, Read};

/// Longest line that is read, in bytes, its line end not counted. A record of all 54 columns has less than 2 KiB.
pub const MAX_LINE: usize = 64 * 1024;

/// Bytes asked for at first: most logs are small, and room has to be filled with zeros.
const SMALL_BUFFER: usize = 32 * 1024;
/// Bytes asked for at a time in the end. More than `MAX_LINE`, so that a cut line always leaves room for its rest, and many
/// times as many as a decompressor looks back: it copies these at each end of a read, and is slower behind it.
const BUFFER: usize = 512 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line without its line end and byte order mark.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    TooLong,
}

impl Line<'_> {
    /// Bytes that are held.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::TooLong => 0,
        }
    }
}

thread_local! {
    /// The buffer of the last stream that this thread read, for the next one: a folder has many, and room for large reads
    /// would be made, filled with zeros and given back for each.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A thread that ends needs none.
        let _ = SPARE.try_with(|spare| spare.set(std::mem::take(&mut self.buffer)));
    }
}

/// The lines of a stream.
pub(super) struct Lines {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// What has been read and not been handed out: `buffer[start..end]`.
    start: usize,
    end: usize,
    ended: bool,
}

impl Lines {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        let mut buffer = SPARE.take();
        buffer.resize(buffer.len().max(SMALL_BUFFER), 0);
        Self { input, buffer, start: 0, end: 0, ended: false }
    }

    /// The next line; `None` at the end. The last line needs no line end.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let mut dropped = false;
        let length = loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', &unread[searched..]) {
                break searched + at;
            }
            searched = unread.len();
            if searched > MAX_LINE + 1 {
                (self.start, searched, dropped) = (self.end, 0, true);
            }
            if !self.fill()? {
                if searched == 0 && !dropped {
                    return Ok(None);
                }
                break searched;
            }
        };
        let line = strip_end(&self.buffer[self.start..self.start + length]);
        self.start = (self.start + length + 1).min(self.end);
        Ok(Some(if dropped || line.len() > MAX_LINE { Line::TooLong } else { Line::Text(strip_mark(line)) }))
    }

    /// What has been read, and how many bytes of it are whole lines; reads on if there is no line end yet. `None` where
    /// [`next`](Self::next) has to find out what the next line is.
    pub(super) fn whole(&mut self) -> io::Result<Option<(&[u8], usize)>> {
        let mut len = self.whole_len();
        // There is room for more where a line is not too long.
        if len.is_none() && self.end - self.start <= MAX_LINE && self.fill()? {
            len = self.whole_len();
        }
        Ok(len.map(|len| (&self.buffer[self.start..], len)))
    }

    /// Takes so many of the bytes that [`whole`](Self::whole) gave: lines.
    pub(super) fn take(&mut self, bytes: usize) {
        self.start = (self.start + bytes).min(self.end);
    }

    fn whole_len(&self) -> Option<usize> {
        memchr::memrchr(b'\n', &self.buffer[self.start..self.end]).map(|at| at + 1)
    }

    /// Reads more behind what is unread; `false` at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        let was_full = self.end == self.buffer.len();
        (self.start, self.end) = (0, self.end - self.start);
        if was_full && self.buffer.len() < BUFFER {
            self.buffer.resize(BUFFER, 0);
        }
        while !self.ended {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

/// A line without the rest of a CRLF line end and without a byte order mark, which stands at the start of every
/// file and so in the middle of concatenated ones.
pub(super) fn strip(line: &[u8]) -> &[u8] {
    strip_mark(strip_end(line))
}

/// Whether there is nothing but spaces.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&byte| byte == b' ')
}

pub(super) fn strip_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn strip_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Hands out its bytes in pieces of the given lengths, over and over, with interruptions between.
    pub(in super::super) struct Pieces {
        pub(in super::super) data: Vec<u8>,
        pub(in super::super) lengths: Vec<usize>,
        pub(in super::super) at: usize,
        pub(in super::super) calls: usize,
    }

    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let wanted = self.lengths[self.calls % self.lengths.len()].max(1);
            let count = wanted.min(buffer.len()).min(self.data.len() - self.at);
            buffer[..count].copy_from_slice(&self.data[self.at..self.at + count]);
            self.at += count;
            Ok(count)
        }
    }

    fn read(data: &[u8], lengths: Vec<usize>) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::new(Box::new(Pieces { data: data.to_vec(), lengths, at: 0, calls: 0 }));
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(match line {
                Line::Text(text) => Some(text.to_vec()),
                Line::TooLong => None,
            });
        }
        all
    }

    #[test]
    fn every_line_end_is_understood() {
        for length in [1, 2, 5, 100] {
            let lines = read(b"\xef\xbb\xbfone\r\n\ntwo \n\xef\xbb\xbfthree", vec![length]);
            let text: Vec<_> = lines.iter().map(|line| line.as_deref().unwrap()).collect();
            assert_eq!(text, [&b"one"[..], b"", b"two ", b"three"]);
        }
        assert!(read(b"", vec![1]).is_empty());
        assert_eq!(read(b"\n", vec![1]), [Some(vec![])]);
    }

    #[test]
    fn lines_are_cut_off_at_the_limit_and_nowhere_else() {
        let mut data = Vec::new();
        let lengths = [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, MAX_LINE + 2, 5, 3 * BUFFER, 7, 10 * BUFFER];
        for (at, &length) in lengths.iter().enumerate() {
            data.resize(data.len() + length, b'x');
            data.extend_from_slice(if at % 2 == 0 { b"\n" } else { b"\r\n" });
        }
        data.resize(data.len() + BUFFER, b'y');
        let expected: Vec<_> = lengths.iter().map(|&length| (length <= MAX_LINE).then_some(length)).collect();
        for pieces in [vec![BUFFER], vec![4096], vec![MAX_LINE, 1, 77], vec![BUFFER - 1, 3]] {
            let lines = read(&data, pieces);
            let found: Vec<_> = lines.iter().map(|line| line.as_ref().map(Vec::len)).collect();
            assert_eq!(found[..lengths.len()], expected[..]);
            assert_eq!(found[lengths.len()..], [None]);
        }
    }

    #[test]
    fn an_error_of_the_stream_is_passed_on() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        assert!(Lines::new(Box::new((&b"a\nb"[..]).chain(Fails))).next().is_ok());
        assert!(Lines::new(Box::new(Fails)).next().is_err());
    }
}
