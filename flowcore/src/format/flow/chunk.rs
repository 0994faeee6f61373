//! Compression of single column chunks.

use std::io;

use super::layout::MAX_CHUNK;
use crate::error::{Error, Result};

/// How the columns of a `.flow` file are compressed. A column that does not get a tenth shorter is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockCompression {
    /// Not at all.
    None,
    /// LZ4: fast in both directions.
    #[default]
    Lz4,
    /// Zstandard at this level (1 to 22): denser and slower.
    Zstd(i32),
}

/// Stored as it is.
pub(super) const NONE: u8 = 0;
/// An LZ4 block without length in front.
pub(super) const LZ4: u8 = 1;
/// A Zstandard frame (RFC 8878).
pub(super) const ZSTD: u8 = 2;

/// The name of a compression, as its number in a file says.
pub(super) const fn name(compression: u8) -> &'static str {
    match compression {
        NONE => "none",
        LZ4 => "lz4",
        ZSTD => "zstd",
        _ => "unknown",
    }
}

/// Shorter chunks gain nothing worth the call.
const MIN_COMPRESSED: usize = 64;

/// Compresses chunk after chunk.
pub(super) enum Compressor {
    None,
    Lz4,
    Zstd(zstd::bulk::Compressor<'static>),
}

impl std::str::FromStr for BlockCompression {
    type Err = Error;

    /// Reads `none`, `lz4`, `zstd` or `zstd:LEVEL`, as `-z` takes them.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::argument(format!("-z {text}: choose none, lz4, zstd or zstd:LEVEL (1 to 19)"));
        match text.split_once(':').map_or((text, None), |(name, level)| (name, Some(level))) {
            ("none", None) => Ok(Self::None),
            ("lz4", None) => Ok(Self::Lz4),
            ("zstd", None) => Ok(Self::Zstd(DEFAULT_ZSTD_LEVEL)),
            ("zstd", Some(level)) => {
                level.parse().ok().filter(|level| (1..=19).contains(level)).map(Self::Zstd).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

/// Level of `zstd` without a number: zstd's own default.
const DEFAULT_ZSTD_LEVEL: i32 = 3;

impl Compressor {
    /// # Errors
    /// When the level is unknown to zstd or there is no memory for it.
    pub(super) fn new(compression: BlockCompression) -> Result<Self> {
        Ok(match compression {
            BlockCompression::None => Self::None,
            BlockCompression::Lz4 => Self::Lz4,
            BlockCompression::Zstd(level) if zstd::compression_level_range().contains(&level) => {
                Self::Zstd(zstd::bulk::Compressor::new(level)?)
            }
            BlockCompression::Zstd(level) => {
                return Err(Error::argument(format!("zstd has no level {level}; use 1 to 22")));
            }
        })
    }

    /// Adds the bytes to store to `out`; how they are compressed.
    ///
    /// # Errors
    /// Practically never: when the compressor fails on memory.
    pub(super) fn compress(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<u8> {
        let start = out.len();
        if raw.len() >= MIN_COMPRESSED {
            let (tag, len) = self.compress_in_place(raw, out)?;
            out.truncate(start + len);
            if tag != NONE && len <= raw.len() - raw.len() / 10 {
                return Ok(tag);
            }
        }
        out.truncate(start);
        out.extend_from_slice(raw);
        Ok(NONE)
    }

    /// Compresses into room made behind `out`; how, and to what length.
    fn compress_in_place(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<(u8, usize)> {
        Ok(match self {
            Self::None => (NONE, 0),
            Self::Lz4 => {
                let room = room_behind(out, lz4_flex::block::get_maximum_output_size(raw.len()));
                (LZ4, lz4_flex::block::compress_into(raw, room).map_err(io::Error::other)?)
            }
            Self::Zstd(zstd) => {
                let room = room_behind(out, zstd::zstd_safe::compress_bound(raw.len()));
                (ZSTD, zstd.compress_to_buffer(raw, room)?)
            }
        })
    }
}

/// Makes `out` longer by so many bytes; those.
fn room_behind(out: &mut Vec<u8>, len: usize) -> &mut [u8] {
    let start = out.len();
    out.resize(start + len, 0);
    out.get_mut(start..).unwrap_or_default()
}

/// Decompresses chunk after chunk with memory kept between them.
#[derive(Default)]
pub(super) struct Decompressor {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Decompressor {
    /// Replaces `raw` by the `raw_len` bytes that `stored` holds compressed; `stored` is no more of use then.
    ///
    /// # Errors
    /// When it does not hold exactly so many, or is compressed in an unknown way.
    pub(super) fn decompress(
        &mut self,
        compression: u8,
        stored: &mut Vec<u8>,
        raw_len: usize,
        raw: &mut Vec<u8>,
    ) -> Result<()> {
        let damaged = || Error::damaged(format!("{} data is damaged", name(compression)));
        if raw_len > MAX_CHUNK {
            return Err(damaged());
        }
        let len = match compression {
            NONE => {
                std::mem::swap(stored, raw);
                raw.len()
            }
            LZ4 => {
                // What the buffer held is overwritten: clearing it first takes a tenth of the time.
                raw.resize(raw_len, 0);
                lz4_flex::block::decompress_into(stored, raw).map_err(|_| damaged())?
            }
            ZSTD => {
                raw.resize(raw_len, 0);
                self.zstd()?.decompress_to_buffer(stored, raw.as_mut_slice()).map_err(|_| damaged())?
            }
            _ => return Err(Error::damaged(format!("unknown compression {compression}"))),
        };
        if len == raw_len { Ok(()) } else { Err(damaged()) }
    }

    fn zstd(&mut self) -> io::Result<&mut zstd::bulk::Decompressor<'static>> {
        match &mut self.zstd {
            Some(zstd) => Ok(zstd),
            slot => Ok(slot.insert(zstd::bulk::Decompressor::new()?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(compression: BlockCompression, raw: &[u8]) -> u8 {
        let mut compressor = Compressor::new(compression).unwrap();
        let mut stored = b"before".to_vec();
        let tag = compressor.compress(raw, &mut stored).unwrap();
        assert!(stored.starts_with(b"before"));
        let mut back = vec![1, 2, 3];
        Decompressor::default().decompress(tag, &mut stored.split_off(6), raw.len(), &mut back).unwrap();
        assert_eq!(back, raw);
        tag
    }

    #[test]
    fn what_does_not_shrink_is_stored() {
        let dense: Vec<u8> =
            (0..1000_u32).flat_map(|n| crc32fast::hash(&n.to_le_bytes()).to_le_bytes()).collect();
        let even = vec![7; 5000];
        for (compression, expected) in
            [(BlockCompression::None, NONE), (BlockCompression::Lz4, LZ4), (BlockCompression::Zstd(3), ZSTD)]
        {
            assert_eq!(round_trip(compression, &even), expected);
            assert_eq!(round_trip(compression, &dense), NONE);
            assert_eq!(round_trip(compression, &[]), NONE);
        }
    }

    #[test]
    fn a_wrong_length_or_damage_is_an_error() {
        for compression in [BlockCompression::Lz4, BlockCompression::Zstd(1)] {
            let mut compressor = Compressor::new(compression).unwrap();
            let mut stored = Vec::new();
            let tag = compressor.compress(&[7; 5000], &mut stored).unwrap();
            let mut decompressor = Decompressor::default();
            for (stored, raw_len) in [
                (stored.to_vec(), 4999),
                (stored.to_vec(), 5001),
                (stored.to_vec(), usize::MAX),
                (stored[..stored.len() - 1].to_vec(), 5000),
                (Vec::new(), 5000),
            ] {
                let mut stored = stored;
                assert!(decompressor.decompress(tag, &mut stored, raw_len, &mut Vec::new()).is_err());
            }
        }
        assert!(Decompressor::default().decompress(9, &mut vec![1], 1, &mut Vec::new()).is_err());
        assert!(Compressor::new(BlockCompression::Zstd(99)).is_err());
    }
}
