//! Compression around a whole input, found from its first bytes and taken off while reading.

use std::io::{self, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;

use super::buffered::Buffered;

/// How a whole input is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one or several members (RFC 1952).
    Gzip,
    /// Zstandard, one or several frames (RFC 8878).
    Zstd,
    /// bzip2, one or several streams.
    Bzip2,
}

impl Compression {
    /// What the first bytes of an input say.
    pub fn detect(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', block @ ..] if is_bzip2_block(block) => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// The usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        }
    }
}

/// Whether bytes start like a block of bzip2 or the end of a stream without blocks, as far as they go: the letters
/// before them could be a text's.
fn is_bzip2_block(start: &[u8]) -> bool {
    const BLOCK: [u8; 6] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59];
    const END: [u8; 6] = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90];
    let magic = start.get(..BLOCK.len()).unwrap_or(start);
    BLOCK.starts_with(magic) || END.starts_with(magic)
}

/// Largest zstd window that is accepted, as a power of two: 128 MiB, the format's recommended limit.
const MAX_ZSTD_WINDOW_LOG: u32 = 27;

/// Takes a compression off a stream. Memory does not depend on what the stream expands to.
///
/// # Errors
/// When a decompressor cannot be set up. Damaged data gives an error while reading.
pub fn decompress(input: Box<dyn Read + Send>, compression: Compression) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::None => input,
        Compression::Gzip => {
            let decoder = MultiGzDecoder::new(Buffered::new(input));
            Box::new(Named { name: "gzip", inner: decoder })
        }
        Compression::Zstd => {
            let buffered = Buffered::new(input);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(MAX_ZSTD_WINDOW_LOG)?;
            Box::new(Named { name: "zstd", inner: decoder })
        }
        Compression::Bzip2 => {
            let decoder = MultiBzDecoder::new(Buffered::new(input));
            Box::new(Named { name: "bzip2", inner: decoder })
        }
    })
}

/// Says in errors which decompressor failed.
struct Named<R> {
    name: &'static str,
    inner: R,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(error.kind(), format!("{} data ends early; the file is cut", self.name))
            }
            kind => io::Error::new(kind, format!("{} data is damaged: {error}", self.name)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn read_all(data: Vec<u8>) -> io::Result<Vec<u8>> {
        let compression = Compression::detect(&data);
        let mut out = Vec::new();
        decompress(Box::new(io::Cursor::new(data)), compression)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn every_member_is_read() {
        let two = [gzip(b"first "), gzip(b"second")].concat();
        assert_eq!(read_all(two).unwrap(), b"first second");
        let zstd =
            [zstd::encode_all(&b"a"[..], 1).unwrap(), zstd::encode_all(&b"b"[..], 1).unwrap()].concat();
        assert_eq!(read_all(zstd).unwrap(), b"ab");
        let bzip2 = [bzip2(b"first "), bzip2(b""), bzip2(b"second")].concat();
        assert_eq!(read_all(bzip2).unwrap(), b"first second");
        assert_eq!(read_all(b"plain".to_vec()).unwrap(), b"plain");
    }

    #[test]
    fn a_cut_member_is_an_error_that_says_so() {
        for (mut data, name) in [(gzip(&[7; 5000]), "gzip"), (bzip2(&noise()), "bzip2")] {
            data.truncate(data.len() - 9);
            let error = read_all(data).unwrap_err();
            assert_eq!(error.to_string(), format!("{name} data ends early; the file is cut"));
        }
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        let good = bzip2(&noise());
        for at in (10..good.len()).step_by(97) {
            let mut data = good.clone();
            data[at] ^= 0x55;
            let error = read_all(data).unwrap_err().to_string();
            assert!(error.starts_with("bzip2 data "), "{at}: {error}");
        }
    }

    #[test]
    fn a_text_that_begins_like_bzip2_is_a_text() {
        assert_eq!(Compression::detect(b"BZh91AY&SY"), Compression::Bzip2);
        assert_eq!(Compression::detect(b"BZh5 dstaddr bytes"), Compression::None);
        assert_eq!(Compression::detect(b"BZh0"), Compression::None);
    }

    fn bzip2(data: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    /// Bytes that do not compress.
    fn noise() -> Vec<u8> {
        (0..3000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
    }
}
