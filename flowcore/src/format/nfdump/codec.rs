//! Compression of whole blocks, by the number that the file's header has for it.
//!
//! A block's length before compression is written nowhere. The buffer it is decompressed into is kept from block to
//! block, and grows up to the length that a block can have: an archive has thousands of files with small blocks, and
//! clearing room for the largest takes longer than decompressing them.

use std::fmt::{self, Display};
use std::io;

use bzip2::{Action, Compress, Compression, Decompress, Status};
use zstd::bulk;

use super::lzo;
use super::options::BlockCompression;
use crate::error::{Error, Result};

/// Most bytes of a block before compression, and after: nfdump's own limit of 5 MiB with the block's header.
pub(super) const MAX_BLOCK: usize = 5 * 1024 * 1024 - 12;

/// Room that the first block gets at least.
const FIRST_ROOM: usize = 64 * 1024;

/// How many times longer blocks are than their compressed data, mostly not more.
const USUAL_RATIO: usize = 4;

/// The name of a method, as its number in a file says; `None` if the number is unknown.
pub(super) const fn name(method: u8) -> Option<&'static str> {
    Some(match method {
        NONE => "none",
        LZO => "lzo",
        BZIP2 => "bzip2",
        LZ4 => "lz4",
        ZSTD => "zstd",
        _ => return None,
    })
}

/// Decompresses block after block, with memory kept between them.
#[derive(Default)]
pub(super) struct Decompressor {
    block: Vec<u8>,
    zstd: Option<bulk::Decompressor<'static>>,
}

impl Decompressor {
    /// Takes the compression off a block.
    ///
    /// # Errors
    /// When there is no data, the method is unknown, the data is damaged, cut or goes on behind its end, or the block
    /// would be longer than [`MAX_BLOCK`].
    pub(super) fn decompress<'a>(&'a mut self, method: u8, data: &'a [u8]) -> Result<&'a [u8]> {
        if data.is_empty() {
            return Err(Error::damaged("a block without bytes"));
        }
        if method == NONE {
            return if data.len() <= MAX_BLOCK { Ok(data) } else { Err(too_long(NONE)) };
        }
        if name(method).is_none() {
            return Err(Error::unsupported(format!("compression {method} is unknown")));
        }
        let mut room = data.len().saturating_mul(USUAL_RATIO).max(FIRST_ROOM).max(self.block.len());
        let len = loop {
            self.block.resize(room.min(MAX_BLOCK), 0);
            match self.fill(method, data) {
                Ok(len) => break len,
                // Not every method says that it was the room; damage is found again with more of it.
                Err(_) if room < MAX_BLOCK => room *= USUAL_RATIO,
                Err(error) => return Err(error),
            }
        };
        Ok(self.block.get(..len).unwrap_or_default())
    }

    /// Decompresses into the room there is; the length.
    fn fill(&mut self, method: u8, data: &[u8]) -> Result<usize> {
        let block = self.block.as_mut_slice();
        match method {
            LZO => lzo::decompress(data, block).map_err(|error| Error::damaged(error.to_string())),
            BZIP2 => bunzip2(data, block),
            LZ4 => lz4_flex::block::decompress_into(data, block).map_err(|error| damaged(LZ4, &error)),
            _ => {
                let zstd = match &mut self.zstd {
                    Some(zstd) => zstd,
                    slot => slot.insert(bulk::Decompressor::new()?),
                };
                // All at once, so the frame's window is this buffer and not allocated.
                zstd.decompress_to_buffer(data, block).map_err(|error| damaged(ZSTD, &error))
            }
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").finish_non_exhaustive()
    }
}

/// One bzip2 stream and nothing else.
fn bunzip2(data: &[u8], block: &mut [u8]) -> Result<usize> {
    let mut stream = Decompress::new(false);
    match stream.decompress(data, block).map_err(|error| damaged(BZIP2, &error))? {
        Status::StreamEnd if stream.total_in() == data.len() as u64 => {}
        Status::StreamEnd => return Err(damaged(BZIP2, &"goes on behind its end")),
        _ if stream.total_out() == block.len() as u64 => return Err(too_long(BZIP2)),
        _ => return Err(damaged(BZIP2, &"cut")),
    }
    usize::try_from(stream.total_out()).map_err(|_| too_long(BZIP2))
}

/// Compresses block after block.
pub(super) enum Compressor {
    None,
    Lzo,
    Bzip2,
    Lz4,
    Zstd(bulk::Compressor<'static>),
}

impl Compressor {
    /// # Errors
    /// When zstd's level is not 1 to 19, or there is no memory for it.
    pub(super) fn new(compression: BlockCompression) -> Result<Self> {
        Ok(match compression {
            BlockCompression::None => Self::None,
            BlockCompression::Lzo => Self::Lzo,
            BlockCompression::Bzip2 => Self::Bzip2,
            BlockCompression::Lz4 => Self::Lz4,
            BlockCompression::Zstd(level @ 1..=19) => Self::Zstd(bulk::Compressor::new(level)?),
            BlockCompression::Zstd(level) => {
                return Err(Error::argument(format!("zstd level {level}: use 1 to 19")));
            }
        })
    }

    /// The method's number in the header of the file.
    pub(super) const fn method(&self) -> u8 {
        match self {
            Self::None => NONE,
            Self::Lzo => LZO,
            Self::Bzip2 => BZIP2,
            Self::Lz4 => LZ4,
            Self::Zstd(_) => ZSTD,
        }
    }

    /// Adds the compressed block to `out`, at least a byte. On an error `out` is as before.
    ///
    /// # Errors
    /// When the block is empty or longer than [`MAX_BLOCK`], before compression or after: no reader takes it.
    pub(super) fn compress(&mut self, block: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if block.is_empty() || block.len() > MAX_BLOCK {
            return Err(Error::argument(format!("a block of {} bytes: 1 to {MAX_BLOCK}", block.len())));
        }
        let start = out.len();
        let added = self.append(block, out).map_err(Error::from);
        let len = out.len() - start;
        match added {
            Ok(()) if len <= MAX_BLOCK => Ok(()),
            failed => {
                out.truncate(start);
                failed.and_then(|()| Err(too_long(self.method())))
            }
        }
    }

    fn append(&mut self, block: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::None => out.extend_from_slice(block),
            Self::Lzo => lzo::compress(block, out),
            Self::Bzip2 => {
                let mut stream = Compress::new(Compression::best(), 0);
                // bzip2's own bound for blocks that do not get smaller.
                out.reserve(block.len() + block.len() / 100 + 600);
                if stream.compress_vec(block, out, Action::Finish).map_err(io::Error::other)?
                    != Status::StreamEnd
                {
                    return Err(io::Error::other("bzip2 did not finish"));
                }
            }
            Self::Lz4 => {
                let most = lz4_flex::block::get_maximum_output_size(block.len());
                append(out, most, |room| {
                    lz4_flex::block::compress_into(block, room).map_err(io::Error::other)
                })?;
            }
            Self::Zstd(zstd) => {
                let most = zstd::zstd_safe::compress_bound(block.len());
                append(out, most, |room| zstd.compress_to_buffer(block, room))?;
            }
        }
        Ok(())
    }
}

/// Adds what `fill` writes into room for `most` bytes.
fn append(
    out: &mut Vec<u8>,
    most: usize,
    fill: impl FnOnce(&mut [u8]) -> io::Result<usize>,
) -> io::Result<()> {
    let start = out.len();
    out.resize(start + most, 0);
    let len = fill(out.get_mut(start..).unwrap_or_default())?;
    out.truncate(start + len);
    Ok(())
}

fn damaged(method: u8, what: &dyn Display) -> Error {
    Error::damaged(format!("{} data is damaged: {what}", name(method).unwrap_or_default()))
}

fn too_long(method: u8) -> Error {
    let name = name(method).unwrap_or_default();
    Error::damaged(format!("{name} data is longer than a block can be ({MAX_BLOCK} bytes)"))
}

// The methods' numbers in a file.
const NONE: u8 = 0;
const LZO: u8 = 1;
const BZIP2: u8 = 2;
const LZ4: u8 = 3;
const ZSTD: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lzo::tests::noise;
    use super::*;

    const ALL: [BlockCompression; 5] = [
        BlockCompression::None,
        BlockCompression::Lzo,
        BlockCompression::Bzip2,
        BlockCompression::Lz4,
        BlockCompression::Zstd(3),
    ];

    fn packed(compression: BlockCompression, block: &[u8]) -> (u8, Vec<u8>) {
        let mut compressor = Compressor::new(compression).unwrap();
        let mut out = b"before".to_vec();
        compressor.compress(block, &mut out).unwrap();
        assert!(out.starts_with(b"before") && out.len() > 6);
        (compressor.method(), out.split_off(6))
    }

    fn round_trip(block: &[u8]) {
        for compression in ALL {
            let (method, data) = packed(compression, block);
            let mut decompressor = Decompressor::default();
            // Twice, so that what the first left behind is seen not to matter.
            for _ in 0..2 {
                let back = decompressor.decompress(method, &data).unwrap();
                assert!(back == block, "{compression:?}: {} bytes of {}", back.len(), block.len());
            }
        }
    }

    #[test]
    fn blocks_come_back() {
        for block in [vec![0], vec![1; 5], noise(1000), noise(1 << 20), vec![7; MAX_BLOCK]] {
            round_trip(&block);
        }
    }

    #[test]
    fn the_limits_hold() {
        for compression in ALL {
            let mut compressor = Compressor::new(compression).unwrap();
            let mut out = b"before".to_vec();
            assert!(compressor.compress(&[], &mut out).is_err());
            assert!(compressor.compress(&vec![0; MAX_BLOCK + 1], &mut out).is_err());
            // What does not get smaller gets longer than a reader takes.
            let stored = compressor.compress(&noise(MAX_BLOCK), &mut out);
            assert_eq!(stored.is_ok(), compression == BlockCompression::None, "{compression:?}");
            out.truncate(6);
            assert_eq!(out, b"before");
        }
        for level in [i32::MIN, 0, 20] {
            assert!(Compressor::new(BlockCompression::Zstd(level)).is_err());
        }
    }

    /// Streams that are right but for their length: one byte more than a block has, and a thousand times as much.
    #[test]
    fn nothing_is_longer_than_a_block() {
        for len in [MAX_BLOCK + 1, 100 * MAX_BLOCK] {
            let bomb = vec![0; len];
            for (method, data) in [
                (LZO, {
                    let mut out = Vec::new();
                    lzo::compress(&bomb, &mut out);
                    out
                }),
                (LZ4, lz4_flex::block::compress(&bomb)),
                (ZSTD, bulk::compress(&bomb, 1).unwrap()),
                (BZIP2, {
                    let mut out = Vec::with_capacity(len);
                    Compress::new(Compression::best(), 0)
                        .compress_vec(&bomb, &mut out, Action::Finish)
                        .unwrap();
                    out
                }),
            ] {
                let error = Decompressor::default().decompress(method, &data).unwrap_err().to_string();
                assert!(error.starts_with(name(method).unwrap()), "{error}");
            }
        }
        assert!(Decompressor::default().decompress(NONE, &vec![0; MAX_BLOCK + 1]).is_err());
    }

    #[test]
    fn damage_is_named() {
        let block = [noise(500), vec![3; 500]].concat();
        for compression in &ALL[1..] {
            let (method, data) = packed(*compression, &block);
            let mut decompressor = Decompressor::default();
            for damaged in [&data[..1], &data[..data.len() - 1], &[data.as_slice(), &[0xff]].concat()] {
                let error = decompressor.decompress(method, damaged).unwrap_err().to_string();
                assert!(error.starts_with(name(method).unwrap()), "{error}");
            }
            assert_eq!(decompressor.decompress(method, &data).unwrap(), block);
        }
        assert!((0..6).all(|method| Decompressor::default().decompress(method, &[]).is_err()));
        let error = Decompressor::default().decompress(5, &[1]).unwrap_err();
        assert_eq!(error.to_string(), "compression 5 is unknown");
    }

    proptest! {
        #[test]
        fn any_block_comes_back(pieces in prop::collection::vec((any::<Vec<u8>>(), 1..40_usize), 1..10)) {
            let block: Vec<u8> = pieces.iter().flat_map(|(piece, times)| piece.repeat(*times)).collect();
            prop_assume!(!block.is_empty());
            round_trip(&block);
        }

        #[test]
        fn any_data_is_taken_or_refused(method in 0..6_u8, data: Vec<u8>) {
            if let Ok(block) = Decompressor::default().decompress(method, &data) {
                prop_assert!(block.len() <= MAX_BLOCK);
            }
        }
    }
}
