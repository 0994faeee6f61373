//! Blocks of a stream in the order of the file, without the index: standard input, compressed files, and files
//! that were cut, are still being written, or are damaged.
//!
//! Prefixes state lengths under a checksum of their own, so that a damaged block is stepped over; behind a
//! damaged prefix the next one is searched for.

use std::io::{self, BufReader, Read};

use super::blocks::{Blocks, Next, read_some};
use super::layout::{MAX_METADATA, Prefix, Section, Trailer};
use super::metadata::BlockMetadata;
use crate::codec;
use crate::error::{Error, Position, Result};
use crate::format::read::read_full;

/// Bytes read at a time.
const BUFFER: usize = 256 * 1024;

/// The blocks of a stream.
pub(super) struct Walk<R> {
    input: BufReader<R>,
    /// Bytes consumed.
    offset: u64,
    /// Number of the last block or index met.
    number: u32,
    /// Blocks that were there to their end.
    whole: u64,
    /// A prefix that has been read but not used.
    ahead: Option<Prefix>,
    /// Start of the current section, start and end of its data.
    section: u64,
    data: u64,
    end: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There may be another section.
    Open,
    /// The input ended without an index, and so many bytes of a partial block.
    Cut { partial: u64 },
    /// Everything has been told.
    Done,
}

impl<R: Read + Send> Walk<R> {
    /// Blocks of an input of which `offset` bytes, all in front of the first block, have been read.
    pub(super) fn new(input: R, offset: u64) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            offset,
            number: 0,
            whole: 0,
            ahead: None,
            section: offset,
            data: offset,
            end: offset,
            state: State::Open,
        }
    }

    fn step(&mut self) -> Result<Next> {
        let prefix = match self.ahead.take() {
            Some(prefix) => prefix,
            None => match self.read_prefix()? {
                Ok(prefix) => prefix,
                Err(next) => return Ok(next),
            },
        };
        if prefix.number != self.number.saturating_add(1) {
            return Ok(self.out_of_order(prefix));
        }
        self.number = prefix.number;
        match prefix.section {
            Section::Block => self.open_block(prefix),
            Section::Index => self.finish(prefix),
        }
    }

    /// The next prefix, or what there is in its place.
    fn read_prefix(&mut self) -> Result<Result<Prefix, Next>> {
        let mut bytes = [0; Prefix::SIZE];
        self.section = self.offset;
        let len = read_full(&mut self.input, &mut bytes)?;
        self.offset += len as u64;
        if len < Prefix::SIZE {
            self.state = State::Cut { partial: len as u64 };
            return Ok(Err(self.next()?));
        }
        match Prefix::parse(&bytes) {
            Ok(prefix) => Ok(Ok(prefix)),
            Err(error) => Ok(Err(self.search(bytes, &error)?)),
        }
    }

    /// Looks for the next prefix behind bytes that are none.
    fn search(&mut self, mut window: [u8; Prefix::SIZE], error: &Error) -> Result<Next> {
        let start = self.section;
        let mut byte = [0];
        while self.ahead.is_none() && read_full(&mut self.input, &mut byte)? == 1 {
            self.offset += 1;
            window.rotate_left(1);
            window[Prefix::SIZE - 1] = byte[0];
            self.ahead = Prefix::parse(&window).ok();
        }
        self.section = match self.ahead {
            Some(_) => self.offset - Prefix::SIZE as u64,
            None => self.offset,
        };
        let error = Error::damaged(format!("{error}; {} bytes left out", self.section - start));
        Ok(Next::Problem { error: error.at(Position::Byte(start)), rows: 0 })
    }

    fn out_of_order(&mut self, prefix: Prefix) -> Next {
        let (expected, found) = (self.number.saturating_add(1), prefix.number);
        self.number = found.saturating_sub(1);
        self.ahead = Some(prefix);
        if found == 0 {
            // Cannot be continued from: it would be out of order again.
            self.ahead = Some(Prefix { number: 1, ..prefix });
        }
        let text = match found.checked_sub(expected) {
            Some(1) => format!("block {expected} is missing"),
            Some(_) => format!("blocks {expected} to {} are missing", found - 1),
            None => format!("block {found} stands where block {expected} should be"),
        };
        Next::Problem { error: Error::damaged(text).at(Position::Byte(self.section)), rows: 0 }
    }

    fn open_block(&mut self, prefix: Prefix) -> Result<Next> {
        let mut bytes = Vec::new();
        let whole = read_some(&mut self.input, prefix.metadata_len as usize, &mut bytes)?;
        self.offset += bytes.len() as u64;
        self.data = self.offset;
        self.end = self.section + prefix.section_len();
        if !whole {
            return self.cut();
        }
        match parse_metadata(&prefix, &bytes) {
            Ok(block) => Ok(Next::Block { number: prefix.number, block }),
            Err(_) if !self.skip_to(self.end)? => self.cut(),
            Err(error) => {
                let error = Error::damaged(format!("{error}; {} rows left out", prefix.rows));
                let error = error.at(Position::Block(prefix.number.into()));
                Ok(Next::Problem { error, rows: prefix.rows.into() })
            }
        }
    }

    /// Index and trailer: read to their end, so that a file that is cut there is known to be.
    fn finish(&mut self, prefix: Prefix) -> Result<Next> {
        let (len, crc) = self.checksum(prefix.metadata_len.into())?;
        self.offset += len;
        let mut trailer = [0; Trailer::SIZE];
        let trailer_len = read_full(&mut self.input, &mut trailer)?;
        self.offset += trailer_len as u64;
        if len < prefix.metadata_len.into() || trailer_len < Trailer::SIZE {
            return self.cut();
        }
        self.state = State::Done;
        let expected = Trailer {
            index_offset: self.section,
            index_len: prefix.metadata_len,
            index_crc: prefix.metadata_crc,
        };
        let sound =
            crc == prefix.metadata_crc && Trailer::parse(&trailer).is_ok_and(|trailer| trailer == expected);
        if !sound {
            return Ok(self.problem("the index is damaged; it was not needed".into()));
        }
        match io::copy(&mut self.input, &mut io::sink())? {
            0 => Ok(Next::End),
            more => Ok(self.problem(format!("{more} bytes behind the end of the file left out"))),
        }
    }

    fn checksum(&mut self, len: u64) -> io::Result<(u64, u32)> {
        let mut sum = Checksum(crc32fast::Hasher::new());
        let len = io::copy(&mut self.input.by_ref().take(len), &mut sum)?;
        Ok((len, sum.0.finalize()))
    }

    /// The input ended inside the current section.
    fn cut(&mut self) -> Result<Next> {
        self.state = State::Cut { partial: self.offset - self.section };
        self.next()
    }

    fn problem(&self, text: String) -> Next {
        Next::Problem { error: Error::damaged(text).at(Position::Byte(self.section)), rows: 0 }
    }

    /// Goes to this offset; `false` if the input ends before it.
    fn skip_to(&mut self, offset: u64) -> Result<bool> {
        let gap = offset.saturating_sub(self.offset);
        let skipped = io::copy(&mut self.input.by_ref().take(gap), &mut io::sink())?;
        self.offset += skipped;
        Ok(skipped == gap)
    }

    /// Notes where the input ended, for the next call of [`next`](Blocks::next).
    fn note_cut(&mut self, whole: bool) -> bool {
        if !whole {
            self.state = State::Cut { partial: self.offset - self.section };
        }
        whole
    }
}

impl<R: Read + Send> Blocks for Walk<R> {
    fn next(&mut self) -> Result<Next> {
        match self.state {
            State::Open => self.step(),
            State::Done => Ok(Next::End),
            State::Cut { partial } => {
                self.state = State::Done;
                let text = format!(
                    "file has no index (not finished or cut); {} whole blocks read, {partial} bytes of a partial block left out",
                    self.whole
                );
                Ok(self.problem(text))
            }
        }
    }

    fn read(&mut self, at: u64, len: usize, into: &mut Vec<u8>) -> Result<bool> {
        let whole = self.skip_to(self.data.saturating_add(at))? && {
            let whole = read_some(&mut self.input, len, into)?;
            self.offset += into.len() as u64;
            whole
        };
        Ok(self.note_cut(whole))
    }

    fn leave(&mut self) -> Result<bool> {
        let whole = self.skip_to(self.end)?;
        self.whole += u64::from(whole);
        Ok(self.note_cut(whole))
    }
}

/// Takes bytes for their checksum.
struct Checksum(crc32fast::Hasher);

impl io::Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn parse_metadata(prefix: &Prefix, bytes: &[u8]) -> Result<BlockMetadata> {
    if crc32fast::hash(bytes) != prefix.metadata_crc {
        return Err(Error::damaged("checksum of the metadata differs"));
    }
    let block: BlockMetadata = codec::decode::<{ 2 * MAX_METADATA }, _>(bytes)?;
    block.check()?;
    match block.rows == prefix.rows && block.data_len() == u64::from(prefix.data_len) {
        true => Ok(block),
        false => Err(Error::damaged("the metadata does not fit the block")),
    }
}
