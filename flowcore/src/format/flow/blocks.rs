//! Where a reader gets its blocks from: [`walk`](super::walk) goes through any stream, [`seek`](super::seek)
//! uses the index of a file. And the start of a file, which both read first.

use std::io::{self, Read};

use super::layout::{MAGIC, MAX_HEADER, Start};
use super::metadata::{BlockMetadata, FileHeader};
use crate::codec;
use crate::error::{Error, ErrorKind, Position, Result};
use crate::format::read::read_full;

/// The next thing in a file.
pub(super) enum Next {
    /// A block whose metadata is sound; its data has not been looked at.
    Block { number: u32, block: BlockMetadata },
    /// Something that cannot be used, and the rows that are lost with it, where they are known.
    Problem { error: Error, rows: u64 },
    /// Nothing.
    End,
}

/// Blocks one after the other.
pub(super) trait Blocks: Send {
    /// Goes to the next block. The last one must have been left.
    fn next(&mut self) -> Result<Next>;

    /// Replaces `into` by `len` bytes of the current block's data from `at` on; places must not go back within a
    /// block. `false` if the file ends before them, which [`next`](Self::next) then tells.
    fn read(&mut self, at: u64, len: usize, into: &mut Vec<u8>) -> Result<bool>;

    /// Leaves the current block; `false` if the file ends before the block does.
    fn leave(&mut self) -> Result<bool>;
}

/// What stands before the first block.
pub(super) struct Opening {
    pub(super) header: FileHeader,
    /// Bytes read.
    pub(super) len: u64,
    pub(super) problem: Option<Error>,
}

impl Opening {
    /// Reads the start of a file. A damaged header is a problem, not an error: the blocks can still be read.
    ///
    /// # Errors
    /// When the input is no `.flow` file, is one of a later version, or cannot be read.
    pub(super) fn read(input: &mut impl Read) -> Result<Self> {
        let mut bytes = [0; Start::SIZE];
        let len = read_full(input, &mut bytes)?;
        if !bytes.starts_with(MAGIC) {
            return Err(Error::new(ErrorKind::UnknownFormat("no flow file".into())));
        }
        let mut opening = Self { header: FileHeader::default(), len: len as u64, problem: None };
        if len < Start::SIZE {
            return Ok(opening);
        }
        match Start::parse(&bytes) {
            Ok(start) => opening.read_header(input, start)?,
            Err(error) if matches!(error.kind(), ErrorKind::Damaged(_)) => {
                opening.problem = Some(error.at(Position::Byte(0)));
            }
            Err(error) => return Err(error),
        }
        Ok(opening)
    }

    fn read_header(&mut self, input: &mut impl Read, start: Start) -> Result<()> {
        let mut body = Vec::new();
        let whole = read_some(input, start.header_len as usize, &mut body)?;
        self.len += body.len() as u64;
        if !whole {
            return Ok(());
        }
        let damaged = || Error::damaged("the header is damaged").at(Position::Byte(Start::SIZE as u64));
        match codec::decode::<{ 2 * MAX_HEADER }, _>(&body) {
            Ok(header) if crc32fast::hash(&body) == start.header_crc => self.header = header,
            _ => self.problem = Some(damaged()),
        }
        Ok(())
    }
}

/// Replaces `into` by `len` bytes of the input; `false` if there are fewer. Memory grows with what is there, not
/// with what is asked for.
pub(super) fn read_some(input: &mut impl Read, len: usize, into: &mut Vec<u8>) -> io::Result<bool> {
    into.clear();
    input.take(len as u64).read_to_end(into)?;
    Ok(into.len() == len)
}
