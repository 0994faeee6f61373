//! Bytes of a capture in, frames out: pcap, modified pcap, pcapng and snoop, as a stream.
//!
//! [`CaptureReader`] takes any reader of decompressed bytes, tells the format by its first bytes, and lends out one
//! [`Frame`] after the other from a buffer of fixed size. What is inside a frame is the business of
//! [`packet`](crate::packet). pcap and pcapng blocks are parsed by `pcap-parser`; its gaps (the cause of a read error,
//! limits, positions, time resolutions) are filled here. `records` reads the formats that it does not know.

mod blocks;
mod clock;
mod link_type;
mod modified;
mod pcap;
mod pcapng;
mod records;
mod snoop;

use std::fmt;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use flowcore::format::{describe, sniff};
use flowcore::{Error, ErrorKind, Format, Position, Result, Timestamp};

pub use link_type::LinkType;

use pcap::PcapReader;
use pcapng::PcapNgReader;
use records::Records;

/// One captured frame, lent out of the reader's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was captured.
    ///
    /// pcapng's Simple Packet Blocks carry no time: they get the time of the frame before, or 1970 if there is none.
    pub time: Timestamp,
    /// What the bytes start with; `None` if the frame is of an interface that the file does not describe.
    pub link: Option<LinkType>,
    /// Length on the wire in bytes; larger than `data` if the capture cut the frame.
    pub wire_len: u32,
    /// The captured bytes.
    pub data: &'a [u8],
}

/// Reads the frames of a pcap, pcapng or snoop capture one after the other.
///
/// Memory does not depend on the size of the input: the buffer grows only for a frame that is larger than it, only
/// as far as its bytes really arrive, and never beyond the size that the format's own tools accept.
///
/// ```
/// # fn main() -> flowcore::Result<()> {
/// use pcap2flow::capture::CaptureReader;
///
/// let mut file = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0].to_vec(); // little-endian pcap, microseconds
/// file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]); // Ethernet
/// file.extend([5, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 60, 0, 0, 0, 0xaa, 0xbb]); // one frame, cut to two bytes
///
/// let mut capture = CaptureReader::open(Box::new(std::io::Cursor::new(file)))?;
/// while capture.read_frames(|frame| {
///     assert_eq!(frame.time.as_nanos(), 5_000_007_000);
///     assert_eq!((frame.wire_len, frame.data), (60, &[0xaa, 0xbb][..]));
/// })? {}
/// assert_eq!(capture.frames(), 1);
/// # Ok(())
/// # }
/// ```
pub struct CaptureReader {
    inner: Inner,
    ended: bool,
}

enum Inner {
    Pcap(PcapReader),
    PcapNg(PcapNgReader),
    /// Modified pcap and snoop.
    Records(Records),
}

impl CaptureReader {
    /// Reads the file header; the format is told by its first bytes.
    ///
    /// # Errors
    /// When the input is no pcap, pcapng or snoop capture, ends inside its header, or cannot be read.
    pub fn open(mut input: Box<dyn Read + Send>) -> Result<Self> {
        let mut head = read_head(&mut input, 0, FILE_HEADER_BYTES)?;
        let inner = match sniff(&head) {
            Some(Format::Pcap) => {
                let header = head.first_chunk().ok_or_else(|| cut_header(head.len()))?;
                if modified::is_modified(header) {
                    Inner::Records(modified::open(header, input))
                } else {
                    Inner::Pcap(PcapReader::open(Box::new(Cursor::new(head).chain(input)))?)
                }
            }
            Some(Format::PcapNg) => {
                let length = pcapng::section_header_length(&head)?;
                let rest = read_head(&mut input, head.len(), length.saturating_sub(head.len()))?;
                head.extend(rest);
                if head.len() < length {
                    return Err(cut_header(head.len()));
                }
                Inner::PcapNg(PcapNgReader::open(length, Box::new(Cursor::new(head).chain(input)))?)
            }
            Some(Format::Snoop) => Inner::Records(snoop::open(&head, input)?),
            _ => return Err(Error::new(ErrorKind::UnknownFormat(describe(&head).into()))),
        };
        Ok(Self { inner, ended: false })
    }

    /// Hands the frames that are in the buffer to `each`, reading on first if there is none. `false` at the end of
    /// the input, when no frame was handed out.
    ///
    /// # Errors
    /// When the input cannot be read on: the operating system or the decompressor failed, a length contradicts the
    /// format, or the file ends inside a frame. All whole frames before have been handed out by then; after an
    /// error there are no more.
    pub fn read_frames(&mut self, mut each: impl FnMut(Frame<'_>)) -> Result<bool> {
        self.read_frames_until(|frame| {
            each(frame);
            ControlFlow::Continue(())
        })
    }

    /// [`read_frames`](Self::read_frames) that stops early where `each` breaks; the next call goes on behind the frame
    /// that `each` broke at.
    ///
    /// # Errors
    /// As [`read_frames`](Self::read_frames).
    pub fn read_frames_until(&mut self, mut each: impl FnMut(Frame<'_>) -> ControlFlow<()>) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let result = match &mut self.inner {
            Inner::Pcap(reader) => reader.read_frames(&mut each),
            Inner::PcapNg(reader) => reader.read_frames(&mut each),
            Inner::Records(reader) => reader.read_frames(&mut each),
        };
        self.ended = !matches!(result, Ok(true));
        result
    }

    /// Frames handed out so far.
    pub fn frames(&self) -> u64 {
        match &self.inner {
            Inner::Pcap(reader) => reader.frames(),
            Inner::PcapNg(reader) => reader.frames(),
            Inner::Records(reader) => reader.frames(),
        }
    }
}

impl fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match &self.inner {
            Inner::Pcap(_) => Format::Pcap,
            Inner::PcapNg(_) => Format::PcapNg,
            Inner::Records(reader) => reader.format(),
        };
        f.debug_struct("CaptureReader")
            .field("format", &format)
            .field("frames", &self.frames())
            .field("ended", &self.ended)
            .finish()
    }
}

/// A pcap file header; a pcapng section header has its length within as many bytes, and snoop's is shorter.
const FILE_HEADER_BYTES: usize = 24;

/// Up to `length` bytes; fewer only at the end of the input. `position` is for the error.
fn read_head(input: &mut Box<dyn Read + Send>, position: usize, length: usize) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    input
        .take(length as u64)
        .read_to_end(&mut head)
        .map_err(|error| Error::from(error).at(Position::Byte(position as u64)))?;
    Ok(head)
}

fn cut_header(length: usize) -> Error {
    Error::damaged(format!("the capture ends inside its file header, after {length} bytes"))
        .at(Position::Byte(0))
}

/// Bytes of captures for the tests of this folder.
#[cfg(test)]
mod testing {
    use super::*;

    /// A reader that returns `step` bytes at a time, then an error if there is one.
    pub(super) struct Trickle {
        pub(super) data: Cursor<Vec<u8>>,
        pub(super) step: usize,
        pub(super) failure: Option<std::io::ErrorKind>,
    }

    impl Read for Trickle {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let size = self.step.min(buffer.len());
            match self.data.read(&mut buffer[..size])? {
                0 => self.failure.map_or(Ok(0), |kind| Err(kind.into())),
                read => Ok(read),
            }
        }
    }

    /// Time in nanoseconds, link, wire length, bytes.
    pub(super) type Seen = (i64, Option<u32>, u32, Vec<u8>);

    /// The frames of a capture and how it ended.
    pub(super) fn read_all(data: &[u8]) -> (Vec<Seen>, Result<()>) {
        read_from(Box::new(Cursor::new(data.to_vec())))
    }

    pub(super) fn read_from(input: Box<dyn Read + Send>) -> (Vec<Seen>, Result<()>) {
        let mut frames = Vec::new();
        let mut capture = match CaptureReader::open(input) {
            Ok(capture) => capture,
            Err(error) => return (frames, Err(error)),
        };
        let end = loop {
            let more = capture.read_frames(|frame| {
                let link = frame.link.map(|link| link.0);
                frames.push((frame.time.as_nanos(), link, frame.wire_len, frame.data.to_vec()));
            });
            match more {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(capture.frames(), frames.len() as u64);
        assert!(!capture.read_frames(|_| panic!("a frame after the end")).unwrap());
        (frames, end)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::Index;

    #[test]
    fn what_is_no_capture_is_named() {
        for (data, text) in [
            (&b""[..], "the file is empty"),
            (b"snoop\0\0\x01", "neither a capture"),
            (&[0x34, 0xcd, 0xb2, 0xa2, 2, 0, 4, 0], "neither a capture"),
            (&[0; 100], "neither a capture"),
        ] {
            let error = read_all(data).1.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::UnknownFormat(_)));
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn a_cut_file_header_is_damage() {
        let pcap = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
        let pcapng = [0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
        let modified = [0x34, 0xcd, 0xb2, 0xa1, 2, 0, 4, 0];
        for data in [&pcap[..], &pcapng[..], &pcapng[..5], &modified[..], b"snoop\0\0\0"] {
            let error = read_all(data).1.unwrap_err();
            assert!(
                error.to_string().starts_with("byte 0: the capture ends inside its file header"),
                "{error}"
            );
        }
    }

    /// A capture with two frames in every format.
    fn good_captures() -> [Vec<u8>; 4] {
        let mut snoop = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
        let mut pcap =
            vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
        let mut pcapng = vec![0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0];
        pcapng.extend([255, 255, 255, 255, 255, 255, 255, 255, 28, 0, 0, 0]);
        pcapng.extend([1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0]);
        let mut modified =
            vec![0x34, 0xcd, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0];
        for kind in [6, 2] {
            pcap.extend([0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 60, 1, 2, 3]);
            modified
                .extend([9, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 8, 0, 4, 0, 1, 2, 3]);
            snoop.extend([0, 0, 0, 60, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 7]);
            snoop.extend([0, 0, 0, 9, 0, 0, 0, 8, 1, 2, 3, 0xff]);
            pcapng.extend([kind, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
            pcapng.extend([3, 0, 0, 0, 60, 0, 0, 0, 1, 2, 3, 0, 36, 0, 0, 0]);
        }
        [pcap, pcapng, modified, snoop]
    }

    #[test]
    fn a_section_header_that_lies_is_damage() {
        let [_, good, ..] = good_captures();
        for (at, value) in [(4, 8), (7, 0x7f), (8, 0), (11, 0xff)] {
            let mut capture = good.clone();
            capture[at] = value;
            let error = read_all(&capture).1.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Damaged(_)), "{error}");
            assert_eq!(error.position(), Some(Position::Byte(0)));
        }
    }

    #[test]
    fn a_reader_can_move_to_another_thread() {
        fn assert_send<T: Send>() {}
        assert_send::<CaptureReader>();
    }

    #[test]
    fn every_format_gives_its_frames() {
        let times = [9_000_008_000, (1 << 32 | 2) * 1000, 9_000_008_000, 9_000_008_000];
        for (capture, nanos) in good_captures().into_iter().zip(times) {
            let (frames, end) = read_all(&capture);
            end.unwrap();
            assert_eq!(frames, vec![(nanos, Some(1), 60, vec![1, 2, 3]); 2]);
        }
    }

    #[test]
    fn captures_behind_one_another_are_told_apart() {
        let [pcap, pcapng, modified, snoop] = good_captures();
        let mut little =
            vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0];
        little.extend([9, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 60, 0, 0, 0, 1, 2, 3]);
        let nanos = [&[0xa1, 0xb2, 0x3c, 0x4d], &pcap[4..]].concat();
        for first in [&pcap, &little, &modified, &snoop] {
            let frames = read_all(first).0.len();
            for second in [&pcap, &little, &nanos, &pcapng, &modified, &snoop] {
                let (seen, end) = read_all(&[&first[..], &second[..]].concat());
                assert_eq!(seen.len(), frames);
                let error = end.unwrap_err();
                assert_eq!(error.position(), Some(Position::Byte(first.len() as u64)));
                assert!(error.to_string().contains("another capture begins here; convert"), "{error}");
            }
        }
        // A time with the number of the magic is a time.
        let record = [0xa1, 0xb2, 0xc3, 0xd4, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 60, 1];
        assert_eq!(read_all(&[&pcap[..], &record].concat()).0.len(), 3);
    }

    #[test]
    fn a_reader_that_stops_early_goes_on_with_the_next_frame() {
        for capture in good_captures() {
            let (expected, _) = read_all(&capture);
            let mut reader = CaptureReader::open(Box::new(Cursor::new(capture))).unwrap();
            let mut frames = Vec::new();
            for number in 1..=2 {
                let more = reader.read_frames_until(|frame| {
                    frames.push(frame.data.to_vec());
                    ControlFlow::Break(())
                });
                assert!(more.unwrap());
                assert_eq!((frames.len(), reader.frames()), (number, number as u64));
            }
            assert!(!reader.read_frames(|_| panic!("a frame after the last one")).unwrap());
            assert_eq!(frames, expected.into_iter().map(|frame| frame.3).collect::<Vec<_>>());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// Whatever is changed: no panic, an end, and the same frames and error however the bytes arrive.
        #[test]
        fn spoilt_captures_end_the_same_way_however_they_are_read(
            format in 0..4_usize,
            edits in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..5),
            length in any::<Index>(),
            step in 1..50_usize,
        ) {
            let mut capture = good_captures()[format].clone();
            for (at, value) in edits {
                let at = at.index(capture.len());
                capture[at] = value;
            }
            capture.truncate(length.index(2 * capture.len()));
            let trickle = Trickle { data: Cursor::new(capture.clone()), step, failure: None };
            let (expected, end) = read_all(&capture);
            let (frames, trickled_end) = read_from(Box::new(trickle));
            prop_assert_eq!(frames, expected);
            prop_assert_eq!(format!("{end:?}"), format!("{trickled_end:?}"));
        }
    }
}
