//! Pages: their headers, and their bytes without compression.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::thrift::{Kind, Thrift};
use super::{MAX_PAGE, cut};
use crate::error::{Error, Result};

/// What the header of a page says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct PageHeader {
    /// Bytes of the header itself.
    pub(super) len: usize,
    /// Bytes that follow, and how many they are without compression.
    pub(super) compressed: usize,
    uncompressed: usize,
    crc: Option<u32>,
    pub(super) kind: PageKind,
    /// Values, absent ones included.
    pub(super) values: u64,
    pub(super) encoding: i64,
    /// Encoding of the definition levels, of the first kind of pages.
    pub(super) level_encoding: i64,
    /// Bytes of levels, which the second kind of pages has uncompressed before its values: repetition, definition.
    pub(super) levels: [usize; 2],
    is_compressed: bool,
}

/// What a page is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    DataV2,
    Dictionary,
    /// An index, or something unknown.
    #[default]
    Other,
}

/// How pages are compressed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    #[default]
    None,
    Snappy,
    Gzip,
    Zstd,
    Lz4,
    /// One that is not read, by its number.
    Other(i64),
}

impl PageHeader {
    /// Reads the header at the start of these bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        let mut header = Self { is_compressed: true, ..Self::default() };
        let (mut kind, mut sizes) = (-1, [0; 2]);
        let mut thrift = Thrift::new(bytes);
        thrift.fields(|thrift, number, field| {
            match (number, field) {
                (1, Kind::Int) => kind = thrift.int()?,
                (2, Kind::Int) => sizes[0] = thrift.int()?,
                (3, Kind::Int) => sizes[1] = thrift.int()?,
                (4, Kind::Int) => header.crc = Some(thrift.int()? as u32),
                (5 | 7, Kind::Struct) => header.read_data(thrift)?,
                (8, Kind::Struct) => header.read_data_v2(thrift)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        header.len = bytes.len() - thrift.left();
        header.kind = match kind {
            0 => PageKind::Data,
            2 => PageKind::Dictionary,
            3 => PageKind::DataV2,
            _ => PageKind::Other,
        };
        [header.uncompressed, header.compressed] = [page_size(sizes[0])?, page_size(sizes[1])?];
        if header.level_bytes() > header.compressed.min(header.uncompressed) {
            return Err(cut("a page"));
        }
        Ok(header)
    }

    fn read_data(&mut self, thrift: &mut Thrift<'_>) -> Result<()> {
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::Int) => self.values = count(thrift.int()?)?,
                (2, Kind::Int) => self.encoding = thrift.int()?,
                (3, Kind::Int) => self.level_encoding = thrift.int()?,
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    fn read_data_v2(&mut self, thrift: &mut Thrift<'_>) -> Result<()> {
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::Int) => self.values = count(thrift.int()?)?,
                (4, Kind::Int) => self.encoding = thrift.int()?,
                (5, Kind::Int) => self.levels[1] = page_size(thrift.int()?)?,
                (6, Kind::Int) => self.levels[0] = page_size(thrift.int()?)?,
                (7, Kind::False) => self.is_compressed = false,
                (7, Kind::True) => {}
                _ => return Ok(false),
            }
            Ok(true)
        })
    }

    /// Bytes that the page takes in memory.
    pub(super) fn size(&self) -> usize {
        self.compressed.saturating_add(self.uncompressed)
    }

    fn level_bytes(&self) -> usize {
        self.levels[0].saturating_add(self.levels[1])
    }

    /// The bytes of a page without compression.
    pub(super) fn unpack(&self, body: &[u8], codec: Codec) -> Result<Vec<u8>> {
        if self.crc.is_some_and(|crc| crc32fast::hash(body) != crc) {
            return Err(Error::damaged("page checksum differs"));
        }
        let (levels, values) = body.split_at_checked(self.level_bytes()).ok_or_else(|| cut("a page"))?;
        let codec = if self.is_compressed { codec } else { Codec::None };
        let mut page = vec![0; self.uncompressed];
        let (levels_to, values_to) = page.split_at_mut_checked(levels.len()).ok_or_else(|| cut("a page"))?;
        levels_to.copy_from_slice(levels);
        match codec.unpack(values, values_to)? {
            true => Ok(page),
            false => Err(Error::damaged("a page is not as long as it says")),
        }
    }
}

impl Codec {
    pub(super) fn of(number: i64) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Snappy,
            2 => Self::Gzip,
            6 => Self::Zstd,
            7 => Self::Lz4,
            other => Self::Other(other),
        }
    }

    /// Fills the room; whether the bytes did so exactly.
    fn unpack(self, bytes: &[u8], room: &mut [u8]) -> Result<bool> {
        // A page without values may have no compressed bytes at all.
        if room.is_empty() && bytes.is_empty() {
            return Ok(true);
        }
        let bad = |name: &str| Error::damaged(format!("{name} data of a page cannot be unpacked"));
        match self {
            Self::None if bytes.len() == room.len() => {
                room.copy_from_slice(bytes);
                Ok(true)
            }
            Self::None => Ok(false),
            Self::Snappy => {
                if snap::raw::decompress_len(bytes).map_err(|_| bad("Snappy"))? != room.len() {
                    return Ok(false);
                }
                let len = snap::raw::Decoder::new().decompress(bytes, room).map_err(|_| bad("Snappy"))?;
                Ok(len == room.len())
            }
            Self::Gzip => {
                let mut decoder = MultiGzDecoder::new(bytes);
                decoder.read_exact(room).map_err(|_| bad("gzip"))?;
                Ok(decoder.read(&mut [0]).map_err(|_| bad("gzip"))? == 0)
            }
            Self::Zstd => {
                let len = zstd::bulk::decompress_to_buffer(bytes, room).map_err(|_| bad("zstd"))?;
                Ok(len == room.len())
            }
            Self::Lz4 => {
                let len = lz4_flex::block::decompress_into(bytes, room).map_err(|_| bad("LZ4"))?;
                Ok(len == room.len())
            }
            Self::Other(number) => Err(Error::unsupported(other_codec(number))),
        }
    }
}

fn other_codec(number: i64) -> String {
    let name = match number {
        3 => "LZO",
        4 => "Brotli",
        5 => "Hadoop's LZ4",
        _ => "an unknown method",
    };
    format!("pages are compressed with {name}; write the table again with Snappy, gzip, zstd or LZ4_RAW")
}

fn page_size(size: i64) -> Result<usize> {
    match usize::try_from(size) {
        Ok(size) if size <= MAX_PAGE => Ok(size),
        Ok(size) => {
            Err(Error::unsupported(format!("a page of {size} bytes; at most {MAX_PAGE} can be read")))
        }
        Err(_) => Err(Error::damaged(format!("a page of {size} bytes"))),
    }
}

fn count(count: i64) -> Result<u64> {
    u64::try_from(count).map_err(|_| Error::damaged(format!("a page of {count} values")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn header(uncompressed: usize) -> PageHeader {
        PageHeader { uncompressed, is_compressed: true, ..PageHeader::default() }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_method_is_unpacked_to_the_length_that_is_stated_and_no_further() {
        let page = b"10.0.0.1 10.0.0.2 ".repeat(50);
        let packed = [
            (Codec::None, page.clone()),
            (Codec::Snappy, snap::raw::Encoder::new().compress_vec(&page).unwrap()),
            (Codec::Gzip, gzip(&page)),
            (Codec::Gzip, [gzip(&page[..100]), gzip(&page[100..])].concat()),
            (Codec::Zstd, zstd::bulk::compress(&page, 3).unwrap()),
            (Codec::Lz4, lz4_flex::block::compress(&page)),
        ];
        for (codec, packed) in packed {
            assert_eq!(header(page.len()).unpack(&packed, codec).unwrap(), page, "{codec:?}");
            for len in [0, 1, page.len() - 1, page.len() + 1, 1 << 20] {
                assert!(header(len).unpack(&packed, codec).is_err(), "{codec:?} {len}");
            }
            assert!(header(page.len()).unpack(&packed[..packed.len() / 2], codec).is_err(), "{codec:?}");
            assert!(header(0).unpack(&[], codec).unwrap().is_empty(), "{codec:?}");
        }
        let error = header(1).unpack(b"x", Codec::of(4)).unwrap_err();
        assert!(error.to_string().contains("Brotli"), "{error}");
    }

    #[test]
    fn levels_before_compressed_values_are_not_compressed() {
        let mut header = header(2 + 100);
        header.levels = [0, 2];
        let body = [&[7, 8][..], &gzip(&[9; 100])].concat();
        assert_eq!(header.unpack(&body, Codec::Gzip).unwrap(), [&[7, 8][..], &[9; 100]].concat());
        header.is_compressed = false;
        assert!(header.unpack(&body, Codec::Gzip).is_err());
    }

    #[test]
    fn a_checksum_is_held_against_the_bytes() {
        let mut header = header(1);
        header.crc = Some(crc32fast::hash(b"x"));
        assert!(header.unpack(b"x", Codec::None).is_ok());
        assert!(header.unpack(b"y", Codec::None).unwrap_err().to_string().contains("checksum"));
    }
}
