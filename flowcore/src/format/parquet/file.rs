//! The bytes of a file: read from any place, and an account of what pages take in memory.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::{MAGIC, MAX_FOOTER, MAX_HELD, cut};
use crate::error::{Error, Result};

/// Something that can be read from any place.
trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// A Parquet file.
pub(in crate::format) struct ParquetFile {
    input: Box<dyn ReadSeek>,
    len: u64,
    /// Bytes that pages take at the moment.
    held: usize,
}

/// Longest stream that is read into memory, because what stands where is only said at its end.
const MAX_STREAM: u64 = 256 << 20;
/// Magic at the start; length of the footer and magic at the end.
const HEAD: u64 = 4;
const TAIL: u64 = 8;

impl ParquetFile {
    /// A file that can be read from any place.
    ///
    /// # Errors
    /// When its length cannot be found out.
    pub(in crate::format) fn new(mut input: impl Read + Seek + Send + 'static) -> Result<Self> {
        let len = input.seek(SeekFrom::End(0))?;
        Ok(Self { input: Box::new(input), len, held: 0 })
    }

    /// A stream, which is read into memory.
    ///
    /// # Errors
    /// When it cannot be read, or is too long for that.
    pub(in crate::format) fn from_stream(input: Box<dyn Read + Send>) -> Result<Self> {
        Self::from_stream_of(input, MAX_STREAM)
    }

    fn from_stream_of(input: Box<dyn Read + Send>, most: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        input.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            let mib = most >> 20;
            let what =
                format!("a Parquet file of more than {mib} MiB, compressed as a whole or from a stream");
            return Err(Error::unsupported(format!("{what}; unpack it into a file and name that")));
        }
        Self::new(Cursor::new(bytes))
    }

    /// Length of the file, in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Where the footer begins, and with it the end of all pages.
    pub(super) fn footer(&mut self) -> Result<(u64, Vec<u8>)> {
        let no_footer =
            || Error::damaged("no Parquet footer at the end; the file is cut, or still being written");
        let tail_at = self.len.checked_sub(TAIL).filter(|&at| at >= HEAD).ok_or_else(no_footer)?;
        let tail = self.read(tail_at, TAIL as usize)?;
        let (size, magic) = tail.split_first_chunk().ok_or_else(no_footer)?;
        match magic {
            magic if magic == MAGIC => {}
            b"PARE" => return Err(Error::unsupported("an encrypted Parquet file")),
            _ => return Err(no_footer()),
        }
        let size = u32::from_le_bytes(*size) as usize;
        if size > MAX_FOOTER {
            return Err(Error::unsupported(format!(
                "a footer of {size} bytes; at most {MAX_FOOTER} can be read"
            )));
        }
        let at =
            tail_at.checked_sub(size as u64).filter(|&at| at >= HEAD).ok_or_else(|| cut("the footer"))?;
        Ok((at, self.read(at, size)?))
    }

    /// Bytes from a place, which have been checked to lie in the file.
    pub(super) fn read(&mut self, at: u64, len: usize) -> Result<Vec<u8>> {
        if at.checked_add(len as u64).is_none_or(|end| end > self.len) {
            return Err(cut("the file"));
        }
        let mut bytes = vec![0; len];
        self.input.seek(SeekFrom::Start(at))?;
        self.input.read_exact(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => cut("the file"),
            _ => error.into(),
        })?;
        Ok(bytes)
    }

    /// Notes that a column takes so many bytes instead of as many as before.
    pub(super) fn hold(&mut self, before: usize, now: usize) -> Result<()> {
        let held = self.held.saturating_sub(before).saturating_add(now);
        if held > MAX_HELD {
            let what = format!("pages of {held} bytes at a time; at most {MAX_HELD} can be read");
            return Err(Error::unsupported(what));
        }
        self.held = held;
        Ok(())
    }

    /// Notes that no column takes anything any more.
    pub(in crate::format) fn release(&mut self) {
        self.held = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_read_up_to_a_limit() {
        let mut file = ParquetFile::from_stream_of(Box::new(&b"PAR1abcd"[..]), 8).unwrap();
        assert_eq!((file.len(), file.read(4, 4).unwrap()), (8, b"abcd".to_vec()));
        let error = ParquetFile::from_stream_of(Box::new(io::repeat(b'P')), 3 << 20).err().unwrap();
        assert!(error.to_string().contains("more than 3 MiB"), "{error}");
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut file = ParquetFile::new(Cursor::new(b"PAR1abcd")).unwrap();
        for (at, len) in [(5, 4), (u64::MAX, 1), (9, 0), (0, usize::MAX)] {
            assert!(file.read(at, len).is_err(), "{at} {len}");
        }
        assert!(file.read(8, 0).unwrap().is_empty());
    }

    #[test]
    fn pages_take_so_much_at_a_time_and_no_more() {
        let mut file = ParquetFile::new(Cursor::new(b"")).unwrap();
        file.hold(0, MAX_HELD).unwrap();
        assert!(file.hold(0, 1).is_err() && file.hold(MAX_HELD, usize::MAX).is_err());
        file.hold(10, 10).unwrap();
        file.release();
        file.hold(0, MAX_HELD).unwrap();
    }
}
