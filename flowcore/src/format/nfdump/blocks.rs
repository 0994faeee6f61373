//! Blocks as they are stored, one after the other to the end of the file, and what is wrong between them.
//!
//! The appendix is a block like the others; the records in it tell. A block's own header leads to the next one, so a
//! block whose content is damaged is stepped over; behind a header that makes no sense nothing can be found.

use std::io::Read;

use super::bytes::{u16_at, u32_at};
use super::codec::MAX_BLOCK;
use super::header::FileHeader;
use crate::error::{Error, Position, Result};
use crate::format::read::read_full;

/// A block, still compressed.
#[derive(Debug, Default)]
pub(super) struct StoredBlock {
    /// Number in the file, from 1.
    pub(super) number: u64,
    /// Where its header starts in the file.
    pub(super) offset: u64,
    /// Records that its header declares.
    pub(super) records: u32,
    /// What is in it.
    pub(super) kind: u16,
    /// Whether the header of the file says that the appendix is here.
    pub(super) is_appendix: bool,
    /// Its content.
    pub(super) data: Vec<u8>,
}

impl StoredBlock {
    /// Records of its own kind.
    pub(super) const RECORDS: u16 = 3;
    /// A table for look-ups by address, no flows.
    pub(super) const ARRAY: u16 = 4;
    /// Bytes of its header in the file.
    pub(super) const HEADER: usize = 12;

    /// The error with the block's place.
    pub(super) fn error(&self, what: &str) -> Error {
        Error::damaged(format!("at byte {}: {what}", self.offset)).at(Position::Block(self.number))
    }

    /// What is told of this block where the file breaks off in it; an appendix has no flows to lose.
    fn cut(&self, lost: u64, what: &str) -> Next {
        if self.is_appendix {
            let what = "the name and statistics at the end of the file are cut; all flows are used";
            return Next::Broken { error: self.error(what), lost: 0 };
        }
        Next::Broken { error: self.error(&format!("{what}; all before it is used")), lost }
    }

    /// Records that its header declares, as far as a block can hold them.
    pub(super) fn declared(&self) -> u64 {
        u64::from(self.records).min(MAX_RECORDS)
    }
}

/// More records than any block can hold, each with type and length.
const MAX_RECORDS: u64 = (MAX_BLOCK / 4) as u64;

/// The next thing in a file.
pub(super) enum Next {
    /// A whole block.
    Block(StoredBlock),
    /// The file cannot be read on from here; records that are known to be lost with it.
    Broken { error: Error, lost: u64 },
    /// The file ends behind a block.
    End,
}

/// The blocks of an input whose header has been read.
#[derive(Debug)]
pub(super) struct Blocks<R> {
    input: R,
    header: FileHeader,
    offset: u64,
    number: u64,
    over: bool,
}

impl<R: Read> Blocks<R> {
    /// From the first block on, at which the input is.
    pub(super) fn new(input: R, header: &FileHeader) -> Self {
        Self { input, header: *header, offset: FileHeader::LEN as u64, number: 0, over: false }
    }

    /// From the appendix on, at which the input is.
    pub(super) fn of_appendix(input: R, header: &FileHeader) -> Self {
        let (offset, number) = (header.appendix_offset, u64::from(header.blocks));
        Self { input, header: *header, offset, number, over: false }
    }

    /// Goes to the next block, whose content goes to `buffer`.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(super) fn next(&mut self, buffer: Vec<u8>) -> Result<Next> {
        if self.over {
            return Ok(Next::End);
        }
        let next = self.read(buffer);
        self.over = !matches!(next, Ok(Next::Block(_)));
        next
    }

    fn read(&mut self, buffer: Vec<u8>) -> Result<Next> {
        let mut header = [0; StoredBlock::HEADER];
        let len = read_full(&mut self.input, &mut header)?;
        if len == 0 {
            return Ok(Next::End);
        }
        self.number += 1;
        let mut block = StoredBlock {
            number: self.number,
            offset: self.offset,
            records: u32_at(&header, 0).unwrap_or(0),
            kind: u16_at(&header, 8).unwrap_or(0),
            is_appendix: self.is_appendix(),
            data: buffer,
        };
        if len < header.len() {
            return Ok(block.cut(0, "the file ends inside the header of this block"));
        }
        let size = u32_at(&header, 4).and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        if size == 0 || size > MAX_BLOCK || block.records == 0 {
            let what = format!(
                "no block begins here ({} records in {size} bytes); the rest of the file is not read",
                block.records
            );
            return Ok(Next::Broken { error: block.error(&what), lost: 0 });
        }
        block.data.resize(size, 0);
        let there = read_full(&mut self.input, &mut block.data)?;
        self.offset += (StoredBlock::HEADER + there) as u64;
        if there < size {
            let what = format!("the file ends in this block, {there} of {size} bytes");
            return Ok(block.cut(block.declared(), &what));
        }
        Ok(Next::Block(block))
    }

    /// Whether the header of the file says that the appendix is here.
    fn is_appendix(&self) -> bool {
        self.header.appendix_offset == self.offset && self.number > u64::from(self.header.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(records: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = records.to_le_bytes().to_vec();
        bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend([3, 0, 0, 0]);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn blocks_come_with_number_and_place_until_the_file_breaks() {
        let file = [block(2, b"abc"), block(1, b"d"), block(9, b"efgh")].concat();
        for cut in 0..=file.len() {
            let mut blocks = Blocks::new(&file[..cut], &FileHeader::default());
            let mut whole = Vec::new();
            let lost = loop {
                match blocks.next(Vec::new()).unwrap() {
                    Next::Block(block) => whole.push((block.number, block.offset, block.records, block.data)),
                    Next::Broken { error, lost } => {
                        assert!(error.to_string().starts_with(&format!("block {}: ", whole.len() + 1)));
                        break Some(lost);
                    }
                    Next::End => break None,
                }
            };
            assert!(matches!(blocks.next(Vec::new()), Ok(Next::End)));
            let expected =
                [(1, 40, 2, b"abc".to_vec()), (2, 55, 1, b"d".to_vec()), (3, 68, 9, b"efgh".to_vec())];
            let ends = [15, 28, 44];
            let count = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(whole, expected[..count]);
            assert_eq!(lost.is_none(), cut == 0 || ends.contains(&cut), "{cut}");
        }
    }

    #[test]
    fn a_header_without_sense_ends_the_walk() {
        let absurd = |records: u32, size: u32| {
            let bytes = [records.to_le_bytes(), size.to_le_bytes(), [3, 0, 0, 0]].concat();
            matches!(
                Blocks::new(&bytes[..], &FileHeader::default()).next(Vec::new()),
                Ok(Next::Broken { lost: 0, .. })
            )
        };
        assert!(absurd(0, 10) && absurd(1, 0) && absurd(1, 5_242_869) && absurd(1, u32::MAX));
    }
}
