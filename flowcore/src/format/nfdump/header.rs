//! The first 40 bytes of a file: which layout, which compression, how many blocks, where the appendix is.

use std::io::Read;

use super::bytes::{u8_at, u16_at, u32_at, u64_at};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::format::read::read_full;

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct FileHeader {
    /// Version of the program that wrote the file, a byte for each part.
    pub(super) writer: u32,
    /// Seconds since 1970 UTC.
    pub(super) created: i64,
    /// Method of all blocks: [`compression_name`](Self::compression_name).
    pub(super) compression: u8,
    /// Kind of the program that wrote the file.
    pub(super) creator: u32,
    /// Blocks of the appendix; 0 if the file was not closed.
    pub(super) appendix_blocks: u16,
    /// Where the appendix starts in the file; 0 if the file was not closed.
    pub(super) appendix_offset: u64,
    /// Blocks in front of the appendix; 0 if the file was not closed.
    pub(super) blocks: u32,
}

impl FileHeader {
    /// Bytes in the file.
    pub(super) const LEN: usize = 40;
    /// The layout version that is read.
    pub(super) const LAYOUT: u16 = 2;

    /// Reads the header from the start of a file.
    ///
    /// # Errors
    /// When it is no nfdump file, is one that is not read, or cannot be read.
    pub(super) fn read(input: &mut impl Read) -> Result<Self> {
        let mut bytes = [0; Self::LEN];
        let len = read_full(input, &mut bytes)?;
        Self::parse(bytes.get(..len).unwrap_or_default()).map_err(|error| error.at(Position::Byte(0)))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        check_layout(bytes)?;
        let cut =
            || Error::damaged(format!("the file ends in its header, after {} of 40 bytes", bytes.len()));
        let header = Self {
            writer: u32_at(bytes, 4).ok_or_else(cut)?,
            created: u64_at(bytes, 8).ok_or_else(cut)?.cast_signed(),
            compression: u8_at(bytes, 16).ok_or_else(cut)?,
            appendix_blocks: u16_at(bytes, 18).ok_or_else(cut)?,
            creator: u32_at(bytes, 20).ok_or_else(cut)?,
            appendix_offset: u64_at(bytes, 24).ok_or_else(cut)?,
            blocks: u32_at(bytes, 36).ok_or_else(cut)?,
        };
        match (bytes.get(17), header.compression_name()) {
            (Some(0), Some(_)) => Ok(header),
            (Some(0), None) => Err(Error::unsupported(format!(
                "compression {} is not known; rewrite the file with nfdump -r old -w new -z=lz4",
                header.compression
            ))),
            _ => Err(Error::unsupported("an encrypted nfdump file is not read; write it without encryption")),
        }
    }

    /// Whether the writer got to complete the file.
    pub(super) fn is_closed(&self) -> bool {
        self.blocks != 0 || self.appendix_blocks != 0
    }

    /// Name of the compression.
    pub(super) fn compression_name(&self) -> Option<&'static str> {
        ["none", "lzo", "bzip2", "lz4", "zstd"].get(usize::from(self.compression)).copied()
    }

    /// Name of the program that wrote the file.
    pub(super) fn creator_name(&self) -> &'static str {
        usize::try_from(self.creator)
            .ok()
            .and_then(|number| CREATORS.get(number))
            .copied()
            .unwrap_or("unknown")
    }

    /// Version of that program as text; a build from a repository has no release number.
    pub(super) fn writer_version(&self) -> String {
        let [release, minor, middle, major] = self.writer.to_le_bytes();
        match (self.writer >> 28, release) {
            (0xf, _) => format!("{}.{middle}.{minor}-git", major & 0x0f),
            (_, 0) => format!("{major}.{middle}.{minor}"),
            _ => format!("{major}.{middle}.{minor}-{release}"),
        }
    }
}

const CREATORS: [&str; 10] = [
    "unknown",
    "nfcapd",
    "nfpcapd",
    "sfcapd",
    "nfdump",
    "nfanon",
    "nfprofile",
    "geolookup",
    "ft2nfdump",
    "torlookup",
];

/// Says of a file that is not read what to do about it.
fn check_layout(bytes: &[u8]) -> Result<()> {
    let advice = match (bytes.first_chunk(), u16_at(bytes, 2)) {
        (Some([0x0c, 0xa5]), Some(FileHeader::LAYOUT)) => return Ok(()),
        (Some([0x0c, 0xa5]), Some(1)) => {
            "a file of nfdump 1.6; nfdump -r old -w new of version 1.7 converts it".to_owned()
        }
        (Some([0x0c, 0xa5]), Some(3)) => {
            "a file of nfdump 1.8, layout 3, is not read; write it with nfdump 1.7, or export it as CSV or JSON".to_owned()
        }
        (Some([0x0c, 0xa5]), Some(version)) => format!("nfdump's layout {version} is not read, only layout 2"),
        (Some([0xa5, 0x0c]), _) => {
            "an nfdump file of a big-endian machine is not read; run nfdump there and export it as CSV or JSON".to_owned()
        }
        _ => return Err(Error::new(ErrorKind::UnknownFormat("no nfdump file".into()))),
    };
    Err(Error::unsupported(advice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(version: u16) -> Vec<u8> {
        let mut bytes = vec![0x0c, 0xa5];
        bytes.extend(version.to_le_bytes());
        bytes.extend(0x0107_0101_u32.to_le_bytes());
        bytes.extend(1_700_000_000_i64.to_le_bytes());
        bytes.extend([3, 0, 1, 0]);
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(4242_u64.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(7_u32.to_le_bytes());
        bytes
    }

    #[test]
    fn a_header_says_where_things_are() {
        let header = FileHeader::read(&mut &bytes(2)[..]).unwrap();
        assert_eq!((header.blocks, header.appendix_blocks, header.appendix_offset), (7, 1, 4242));
        assert_eq!((header.creator_name(), header.writer_version().as_str()), ("nfpcapd", "1.7.1-1"));
        assert_eq!((header.compression_name(), header.created), (Some("lz4"), 1_700_000_000));
        let git = FileHeader { writer: 0xf107_0800, ..header };
        assert_eq!(git.writer_version(), "1.7.8-git");
        assert_eq!(FileHeader { writer: 0x0107_0100, creator: 99, ..header }.writer_version(), "1.7.1");
    }

    #[test]
    fn a_file_that_is_not_read_says_what_to_do() {
        let told = |bytes: &[u8]| FileHeader::read(&mut &*bytes).unwrap_err().to_string();
        assert!(told(&bytes(1)).contains("nfdump -r old -w new"));
        assert!(told(&bytes(3)).contains("1.8"));
        assert!(told(&bytes(9)).contains("layout 9"));
        assert!(told(&[0xa5, 0x0c, 0, 2]).contains("big-endian"));
        assert!(told(b"junk").contains("unknown format"));
        assert!(told(b"").contains("unknown format"));
        let with = |at: usize, value: u8| {
            let mut bytes = bytes(2);
            bytes[at] = value;
            told(&bytes)
        };
        assert!(with(16, 5).contains("compression 5"));
        assert!(with(17, 1).contains("encrypted"));
    }

    #[test]
    fn a_cut_header_is_damage() {
        for len in 4..40 {
            let error = FileHeader::read(&mut &bytes(2)[..len]).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Damaged(_)), "{len}: {error}");
        }
    }
}
