//! How an nfdump file is written.

use std::str::FromStr;

use crate::error::{Error, Result};

/// Options of [`NfdumpWriter`](super::NfdumpWriter).
#[derive(Debug, Clone, Default)]
pub struct NfdumpOptions {
    /// Compression of the blocks.
    pub compression: BlockCompression,
    /// Name given to the recording, at most 121 bytes without zero; empty for the one that all flows have.
    /// (nfdump 1.7 refuses a longer one.)
    pub ident: String,
    /// Program that the file says it is from.
    pub creator: Creator,
}

/// How the blocks of an nfdump file are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockCompression {
    /// Not at all.
    None,
    /// LZO1X-1: what `nfpcapd -z` of older versions writes.
    Lzo,
    /// LZ4: fast in both directions, and read by every nfdump 1.7.
    #[default]
    Lz4,
    /// bzip2: small, slow, and read by every nfdump 1.7.
    Bzip2,
    /// Zstandard at this level (1 to 19): small. nfdump 1.7.1 (Debian 12) does not read it.
    Zstd(i32),
}

/// The program that a file says it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u32)]
pub enum Creator {
    /// A collector that meters packets.
    Nfpcapd = 2,
    /// A program that reads flows and writes some of them.
    #[default]
    Nfdump = 4,
}

impl FromStr for BlockCompression {
    type Err = Error;

    /// Reads `none`, `lzo`, `lz4`, `bz2` or `bzip2`, `zstd` or `zstd:LEVEL`, as `-z` takes them.
    fn from_str(text: &str) -> Result<Self> {
        let (method, level) =
            text.split_once(':').map_or((text, None), |(method, level)| (method, Some(level)));
        let level_in = |range: std::ops::RangeInclusive<i32>| {
            level.and_then(|level| level.parse().ok()).filter(|level| range.contains(level))
        };
        let known = match (method, level) {
            ("none", None) => Some(Self::None),
            ("lzo", None) => Some(Self::Lzo),
            ("lz4", None) => Some(Self::Lz4),
            // nfdump's levels 3 to 9 search longer; the bytes mean the same.
            ("lz4", Some(_)) => level_in(1..=10).map(|_| Self::Lz4),
            ("bz2" | "bzip2", None) => Some(Self::Bzip2),
            ("zstd", None) => Some(Self::Zstd(DEFAULT_ZSTD_LEVEL)),
            ("zstd", Some(_)) => level_in(1..=19).map(Self::Zstd),
            _ => None,
        };
        known.ok_or_else(|| {
            Error::argument(format!(
                "-z {text}: nfdump files take none, lzo, lz4, bz2, zstd or zstd:LEVEL (1 to 19)"
            ))
        })
    }
}

/// Level of `zstd` without a number: zstd's own default.
const DEFAULT_ZSTD_LEVEL: i32 = 3;
