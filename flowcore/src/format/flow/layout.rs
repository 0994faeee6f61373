//! The parts of a file that have a fixed size: file start, section prefix, trailer. And the limits.
//!
//! Each part carries a checksum of itself, so that a length is known to be good before it is used; everything
//! that is longer is behind one of these lengths. All integers are little-endian.

use std::ops::Range;

use crate::error::{Error, Result};

/// First bytes of every `.flow` file. The first byte is no ASCII, and the line ends show a text-mode copy.
pub const MAGIC: &[u8] = b"\x89FLOW\r\n\x1a";

/// The version written, and the latest one read.
pub(super) const VERSION: u16 = 1;

/// Most rows of a block.
pub(super) const MAX_ROWS: usize = 65_536;
/// Most columns of a block.
pub(super) const MAX_COLUMNS: usize = 4096;
/// Longest header, in bytes.
pub(super) const MAX_HEADER: usize = 64 * 1024;
/// Longest metadata of a block, in bytes.
pub(super) const MAX_METADATA: usize = 4 * 1024 * 1024;
/// Longest column chunk before compression, in bytes.
pub(super) const MAX_CHUNK: usize = 64 * 1024 * 1024;
/// Longest data of a block before compression, in bytes.
pub(super) const MAX_BLOCK: usize = 256 * 1024 * 1024;
/// Texts of a block that is written, in bytes: a block ends before the row that would pass them.
pub(super) const BLOCK_TEXT_BYTES: usize = 16 * 1024 * 1024;
/// Longest index, in bytes.
pub(super) const MAX_INDEX: usize = 256 * 1024 * 1024;

const BLOCK_MAGIC: [u8; 4] = *b"FBLK";
const INDEX_MAGIC: [u8; 4] = *b"FIDX";
const TRAILER_MAGIC: [u8; 8] = *b"FLOWEND\n";

/// The first bytes of a file, which say what follows in every version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) version: u16,
    pub(super) header_len: u32,
    pub(super) header_crc: u32,
}

impl Start {
    pub(super) const SIZE: usize = 24;

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.header_len.to_le_bytes());
        out.extend_from_slice(&self.header_crc.to_le_bytes());
        seal(out, from);
    }

    /// Reads a start whose magic has been checked.
    ///
    /// # Errors
    /// `Damaged` when the checksum differs, `Unsupported` for another version.
    pub(super) fn parse(bytes: &[u8; Self::SIZE]) -> Result<Self> {
        check_seal(bytes, "the start of the file is damaged")?;
        let version = u16::from_le_bytes(part(bytes, 8..10));
        if version != VERSION {
            return Err(Error::unsupported(format!(
                "flow file of version {version}; this release reads version {VERSION}, a later one reads this file"
            )));
        }
        let header_len = u32::from_le_bytes(part(bytes, 12..16));
        if header_len as usize > MAX_HEADER {
            return Err(Error::damaged(format!("header of {header_len} bytes, {MAX_HEADER} at most")));
        }
        Ok(Self { version, header_len, header_crc: u32::from_le_bytes(part(bytes, 16..20)) })
    }
}

/// What stands behind a section prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Metadata and column chunks of a block.
    Block,
    /// The index.
    Index,
}

/// The fixed part in front of each block and of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) section: Section,
    /// Number of the block, from 1; of the index, one more than the last block's.
    pub(super) number: u32,
    /// Rows of the block; 0 for the index.
    pub(super) rows: u32,
    /// Bytes of the metadata, or of the index.
    pub(super) metadata_len: u32,
    pub(super) metadata_crc: u32,
    /// Bytes of the column chunks; 0 for the index.
    pub(super) data_len: u32,
}

impl Prefix {
    pub(super) const SIZE: usize = 28;

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(match self.section {
            Section::Block => &BLOCK_MAGIC,
            Section::Index => &INDEX_MAGIC,
        });
        for word in [self.number, self.rows, self.metadata_len, self.metadata_crc, self.data_len] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        seal(out, from);
    }

    /// # Errors
    /// When the bytes are no prefix, are damaged, or state a length beyond the limits.
    pub(super) fn parse(bytes: &[u8; Self::SIZE]) -> Result<Self> {
        let section = match part(bytes, 0..4) {
            BLOCK_MAGIC => Section::Block,
            INDEX_MAGIC => Section::Index,
            _ => return Err(Error::damaged("no block starts here")),
        };
        check_seal(bytes, "the start of a block is damaged")?;
        let word = |at: usize| u32::from_le_bytes(part(bytes, at..at + 4));
        let prefix = Self {
            section,
            number: word(4),
            rows: word(8),
            metadata_len: word(12),
            metadata_crc: word(16),
            data_len: word(20),
        };
        if prefix.is_within_limits() { Ok(prefix) } else { Err(Error::damaged("block beyond the limits")) }
    }

    /// Bytes from the start of this prefix to the start of the next section.
    pub(super) fn section_len(&self) -> u64 {
        Self::SIZE as u64 + u64::from(self.metadata_len) + u64::from(self.data_len)
    }

    fn is_within_limits(&self) -> bool {
        match self.section {
            Section::Block => {
                (1..=MAX_ROWS).contains(&(self.rows as usize))
                    && self.metadata_len as usize <= MAX_METADATA
                    && self.data_len as usize <= MAX_BLOCK
            }
            Section::Index => self.rows == 0 && self.data_len == 0 && self.metadata_len as usize <= MAX_INDEX,
        }
    }
}

/// The last bytes of a complete file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trailer {
    /// Offset of the index's prefix from the start of the file.
    pub(super) index_offset: u64,
    pub(super) index_len: u32,
    pub(super) index_crc: u32,
}

impl Trailer {
    pub(super) const SIZE: usize = 28;

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(&self.index_offset.to_le_bytes());
        out.extend_from_slice(&self.index_len.to_le_bytes());
        out.extend_from_slice(&self.index_crc.to_le_bytes());
        seal(out, from);
        out.extend_from_slice(&TRAILER_MAGIC);
    }

    /// # Errors
    /// When the bytes are no trailer or are damaged.
    pub(super) fn parse(bytes: &[u8; Self::SIZE]) -> Result<Self> {
        if part(bytes, 20..28) != TRAILER_MAGIC {
            return Err(Error::damaged("the file does not end with a trailer"));
        }
        let sealed: [u8; 20] = part(bytes, 0..20);
        check_seal(&sealed, "the trailer is damaged")?;
        Ok(Self {
            index_offset: u64::from_le_bytes(part(bytes, 0..8)),
            index_len: u32::from_le_bytes(part(bytes, 8..12)),
            index_crc: u32::from_le_bytes(part(bytes, 12..16)),
        })
    }
}

/// Adds the checksum of everything from `from` on.
fn seal(out: &mut Vec<u8>, from: usize) {
    let crc = crc32fast::hash(out.get(from..).unwrap_or_default());
    out.extend_from_slice(&crc.to_le_bytes());
}

/// Compares the last four bytes with the checksum of those before.
fn check_seal(bytes: &[u8], message: &str) -> Result<()> {
    match bytes.split_last_chunk::<4>() {
        Some((body, crc)) if crc32fast::hash(body) == u32::from_le_bytes(*crc) => Ok(()),
        _ => Err(Error::damaged(message)),
    }
}

/// A part of a structure of known size; zeros for a range outside of it, which the callers' constants exclude.
fn part<const N: usize>(bytes: &[u8], range: Range<usize>) -> [u8; N] {
    bytes.get(range).and_then(|part| part.try_into().ok()).unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written<const N: usize>(write: impl FnOnce(&mut Vec<u8>)) -> [u8; N] {
        let mut out = Vec::new();
        write(&mut out);
        out.try_into().unwrap()
    }

    #[test]
    fn parts_read_back_and_every_changed_byte_shows() {
        let start = Start { version: VERSION, header_len: 77, header_crc: 0xdead_beef };
        let prefix = Prefix {
            section: Section::Block,
            number: 3,
            rows: 65_536,
            metadata_len: 900,
            metadata_crc: 1,
            data_len: 1 << 20,
        };
        let trailer = Trailer { index_offset: 1 << 40, index_len: 5, index_crc: 6 };
        let starts = written(|out| start.write(out));
        let prefixes = written(|out| prefix.write(out));
        let trailers = written(|out| trailer.write(out));
        assert_eq!(Start::parse(&starts).unwrap(), start);
        assert_eq!(Prefix::parse(&prefixes).unwrap(), prefix);
        assert_eq!(Trailer::parse(&trailers).unwrap(), trailer);
        for at in 0..28 {
            let flip = |bytes: &mut [u8]| bytes[at] ^= 0x40;
            if at < Start::SIZE {
                let mut bytes = starts;
                flip(&mut bytes);
                assert!(Start::parse(&bytes).is_err(), "start byte {at}");
            }
            let (mut a, mut b) = (prefixes, trailers);
            flip(&mut a);
            flip(&mut b);
            assert!(Prefix::parse(&a).is_err() && Trailer::parse(&b).is_err(), "byte {at}");
        }
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused() {
        let good = Prefix {
            section: Section::Block,
            number: 1,
            rows: 1,
            metadata_len: 0,
            metadata_crc: 0,
            data_len: 0,
        };
        let refused = [
            Prefix { rows: 0, ..good },
            Prefix { rows: 65_537, ..good },
            Prefix { metadata_len: u32::MAX, ..good },
            Prefix { data_len: u32::MAX, ..good },
            Prefix { section: Section::Index, ..good },
        ];
        for prefix in refused {
            assert!(Prefix::parse(&written(|out| prefix.write(out))).is_err(), "{prefix:?}");
        }
        let later = Start { version: 2, header_len: 0, header_crc: 0 };
        let error = Start::parse(&written(|out| later.write(out))).unwrap_err();
        assert!(error.to_string().contains("version 2"), "{error}");
    }
}
