//! The index at the end of a complete file: where each block is and what it holds, and the totals of the file.

use std::io::{Read, Seek, SeekFrom};

use super::layout::{MAX_INDEX, Prefix, Section, Start, Trailer};
use super::metadata::BlockMetadata;
use super::totals::StoredTotals;
use crate::codec::{self, Decode, Encode};
use crate::error::{Error, Result};

/// The index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Index {
    pub(super) totals: StoredTotals,
    pub(super) blocks: Vec<IndexEntry>,
}

/// A block, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct IndexEntry {
    /// Offset of the block's prefix from the start of the file.
    pub(super) offset: u64,
    /// Bytes of the metadata between prefix and data.
    pub(super) metadata_len: u32,
    pub(super) block: BlockMetadata,
}

impl IndexEntry {
    /// Offset of the block's data from the start of the file.
    pub(super) fn data_offset(&self) -> u64 {
        self.offset.saturating_add(Prefix::SIZE as u64 + u64::from(self.metadata_len))
    }

    fn end(&self) -> u64 {
        self.data_offset().saturating_add(self.block.data_len())
    }
}

impl Index {
    /// The end of a file: index and trailer, for an index that starts at this offset.
    ///
    /// # Errors
    /// When the index is too long for the format.
    pub(super) fn write(&self, offset: u64) -> Result<Vec<u8>> {
        let body = codec::encode(self)?;
        let index_len = u32::try_from(body.len()).ok().filter(|&len| len as usize <= MAX_INDEX);
        let index_len =
            index_len.ok_or_else(|| Error::unsupported("more blocks than the index of a flow file holds"))?;
        let index_crc = crc32fast::hash(&body);
        let number = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX).saturating_add(1);
        let prefix = Prefix {
            section: Section::Index,
            number,
            rows: 0,
            metadata_len: index_len,
            metadata_crc: index_crc,
            data_len: 0,
        };
        let mut out = Vec::with_capacity(Prefix::SIZE + body.len() + Trailer::SIZE);
        prefix.write(&mut out);
        out.extend_from_slice(&body);
        Trailer { index_offset: offset, index_len, index_crc }.write(&mut out);
        Ok(out)
    }

    /// Reads the index of a file that has one.
    ///
    /// # Errors
    /// `Damaged` when there is none or it is not sound, `Io` when the file cannot be read.
    pub(super) fn read(file: &mut (impl Read + Seek)) -> Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        let trailer_at = len.checked_sub(Trailer::SIZE as u64).ok_or_else(no_index)?;
        let trailer = Trailer::parse(&read_at(file, trailer_at)?)?;
        let body_at = trailer.index_offset.checked_add(Prefix::SIZE as u64).ok_or_else(no_index)?;
        let body_len = trailer.index_len as usize;
        if body_at.checked_add(body_len as u64) != Some(trailer_at) || body_len > MAX_INDEX {
            return Err(no_index());
        }
        let prefix = Prefix::parse(&read_at(file, trailer.index_offset)?)?;
        let mut body = vec![0; body_len];
        file.read_exact(&mut body)?;
        let crc = crc32fast::hash(&body);
        if prefix.section != Section::Index || crc != trailer.index_crc || crc != prefix.metadata_crc {
            return Err(Error::damaged("the index is damaged"));
        }
        let index: Self = codec::decode::<{ 4 * MAX_INDEX }, _>(&body)?;
        index.check(trailer.index_offset)?;
        Ok(index)
    }

    /// Whether the blocks fill the file from its header to the index without a gap.
    fn check(&self, index_offset: u64) -> Result<()> {
        let mut next = None;
        for entry in &self.blocks {
            entry.block.check()?;
            if entry.offset < Start::SIZE as u64 || next.is_some_and(|next| next != entry.offset) {
                return Err(no_index());
            }
            next = Some(entry.end());
        }
        let rows = self.blocks.iter().map(|entry| u64::from(entry.block.rows)).sum::<u64>();
        match next.is_none_or(|end| end == index_offset) && rows == self.totals.rows {
            true => Ok(()),
            false => Err(no_index()),
        }
    }
}

fn no_index() -> Error {
    Error::damaged("the index does not fit the file")
}

fn read_at<const N: usize>(file: &mut (impl Read + Seek), offset: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
