//! A `pcap-parser` reader with what both formats need around it: the operating system's own error, a buffer that
//! grows within a limit, and errors that say byte and frame.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use flowcore::{Error, Position, Result};
use pcap_parser::traits::PcapReaderIterator;

/// Bytes asked for at a time: large reads that stay in a core's cache.
pub(super) const BUFFER_BYTES: usize = 256 * 1024;
/// Most captured bytes of a frame: the largest limit that Wireshark has for any link type.
pub(super) const MAX_FRAME_BYTES: u32 = 128 * 1024 * 1024;
/// Buffer for the largest frame, its headers and its options.
pub(super) const MAX_BUFFER_BYTES: usize = MAX_FRAME_BYTES as usize + 1024 * 1024;

/// A parser of blocks, its place in the input and the frames that came out of it.
pub(super) struct Blocks<R> {
    /// The parser; whoever takes a block from it consumes the block's bytes with `consume_noshift`.
    pub(super) parser: R,
    /// Frames handed out.
    pub(super) frames: u64,
    capacity: usize,
    failure: Failure,
}

impl<R: PcapReaderIterator> Blocks<R> {
    /// Around the parser that `create` makes from a capacity and an input.
    pub(super) fn new<E>(
        capacity: usize,
        input: Box<dyn Read + Send>,
        create: impl FnOnce(usize, Input) -> Result<R, E>,
    ) -> Result<Self> {
        let failure = Failure::default();
        let input = Input { inner: input, failure: Arc::clone(&failure) };
        match create(capacity, input) {
            Ok(parser) => Ok(Self { parser, frames: 0, capacity, failure }),
            Err(_) => Err(take(&failure).map_or_else(bad_file_header, Error::from).at(Position::Byte(0))),
        }
    }

    /// Byte position of the next block.
    pub(super) fn position(&self) -> u64 {
        self.parser.consumed() as u64
    }

    /// Whether no more bytes than those in the buffer will come.
    pub(super) fn exhausted(&self) -> bool {
        self.parser.reader_exhausted()
    }

    /// Reads more bytes behind those in the buffer, enlarging it if it is full.
    pub(super) fn fill(&mut self) -> Result<()> {
        if self.parser.data().len() >= self.capacity {
            if self.capacity >= MAX_BUFFER_BYTES {
                return Err(self.damaged(format!("frame {} is larger than any capture has", self.frames + 1)));
            }
            self.capacity = self.capacity.saturating_mul(2).min(MAX_BUFFER_BYTES);
            self.parser.grow(self.capacity);
        }
        match self.parser.refill() {
            Ok(()) => Ok(()),
            Err(_) => Err(self.read_error()),
        }
    }

    /// An error about the next block.
    pub(super) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::damaged(what).at(Position::Byte(self.position()))
    }

    /// The error for an input that ends inside the next block, which would have `needed` bytes.
    pub(super) fn cut(&self, needed: Option<u64>) -> Error {
        self.damaged(cut_frame(self.frames + 1, self.parser.data().len(), needed))
    }

    fn read_error(&self) -> Error {
        let position = self.position().saturating_add(self.parser.data().len() as u64);
        let error = take(&self.failure).unwrap_or_else(|| io::Error::other("reading failed"));
        Error::from(error).at(Position::Byte(position))
    }
}

/// The input of a parser. `pcap-parser` forgets why a read failed, so the reason is put aside here.
pub(super) struct Input {
    inner: Box<dyn Read + Send>,
    failure: Failure,
}

type Failure = Arc<Mutex<Option<io::Error>>>;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let kind = error.kind();
                    *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    return Err(kind.into());
                }
                read => return read,
            }
        }
    }
}

fn take(failure: &Failure) -> Option<io::Error> {
    failure.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Whether what stands where a frame should begin is the header of another capture: a magic of pcap with version 2.4, a
/// section of pcapng, or `snoop`. The words are the first three there, in the byte order of the capture that is read.
///
/// A time that equals a magic is possible, one whose fraction of a second is the version as well is not.
#[inline]
pub(super) fn is_file_header([magic, version, third]: [u32; 3]) -> bool {
    match magic {
        0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34 => matches!(version, 0x0002_0004 | 0x0004_0002),
        0xd4c3_b2a1 | 0x4d3c_b2a1 | 0x34cd_b2a1 => matches!(version, 0x0200_0400 | 0x0400_0200),
        0x0a0d_0d0a => matches!(third, 0x1a2b_3c4d | 0x4d3c_2b1a),
        0x736e_6f6f => version == 0x7000_0000,
        0x6f6f_6e73 => version == 0x0000_0070,
        _ => false,
    }
}

/// What to say of the header of another capture where a frame should begin.
pub(super) const ANOTHER_CAPTURE: &str = "another capture begins here; convert the files one by one";

/// What to say of an input that ends after `there` bytes of a frame that would have `needed`.
pub(super) fn cut_frame(frame: u64, there: usize, needed: Option<u64>) -> String {
    let needed = needed.map(|bytes| format!(" of {bytes}")).unwrap_or_default();
    format!(
        "the capture is cut inside frame {frame} (bytes there: {there}{needed}); the frames before it are read"
    )
}

/// What to say of a frame with more captured bytes than are believed.
pub(super) fn oversized_frame(frame: u64, captured: u32, most: u32) -> String {
    format!(
        "frame {frame} claims {captured} captured bytes where {most} are the most; the capture is damaged from here on"
    )
}

fn bad_file_header() -> Error {
    Error::damaged("the capture's file header contradicts itself")
}
