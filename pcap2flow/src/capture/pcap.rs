//! pcap: one file header, then records of a 16-byte header and the captured bytes
//! (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html>).

use std::io::Read;
use std::ops::ControlFlow;

use flowcore::{NANOS_PER_SEC, Result, Timestamp};
use pcap_parser::traits::PcapReaderIterator;
use pcap_parser::{LegacyPcapReader, PcapBlockOwned, PcapError, PcapHeader};

use super::blocks::{
    ANOTHER_CAPTURE, BUFFER_BYTES, Blocks, Input, MAX_FRAME_BYTES, is_file_header, oversized_frame,
};
use super::{Frame, LinkType};

/// Reads the frames of a pcap file.
pub(super) struct PcapReader {
    blocks: Blocks<LegacyPcapReader<Input>>,
    header: FileHeader,
}

/// What the records need to know of the file header.
#[derive(Clone, Copy)]
struct FileHeader {
    link: LinkType,
    big_endian: bool,
    /// Nanoseconds of a unit of the records' fraction of a second.
    fraction_nanos: i64,
    /// Most captured bytes that a record may claim.
    max_captured: u32,
}

impl PcapReader {
    /// The input's first read has to give the whole file header.
    pub(super) fn open(input: Box<dyn Read + Send>) -> Result<Self> {
        let mut blocks = Blocks::new(BUFFER_BYTES, input, LegacyPcapReader::new)?;
        let (size, header) = match blocks.parser.next() {
            Ok((size, PcapBlockOwned::LegacyHeader(header))) => (size, FileHeader::from(&header)),
            _ => return Err(blocks.damaged("the capture has no file header")),
        };
        blocks.parser.consume_noshift(size);
        Ok(Self { blocks, header })
    }

    pub(super) fn frames(&self) -> u64 {
        self.blocks.frames
    }

    /// See [`CaptureReader::read_frames_until`](super::CaptureReader::read_frames_until).
    pub(super) fn read_frames(
        &mut self,
        each: &mut impl FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        loop {
            let (mut rest, mut frames) = (self.blocks.parser.data(), 0);
            let there = rest.len();
            while let Some((frame, behind)) = self.header.record(rest) {
                (rest, frames) = (behind, frames + 1);
                if each(frame).is_break() {
                    break;
                }
            }
            let read = there - rest.len();
            self.blocks.parser.consume_noshift(read);
            self.blocks.frames += frames;
            if frames > 0 {
                return Ok(true);
            }
            match self.blocks.parser.next() {
                Err(PcapError::Eof) => return Ok(false),
                _ => self.more()?,
            }
        }
    }

    /// Reads on at a record that is not whole, unless it is no record.
    fn more(&mut self) -> Result<()> {
        let words = self.header.words(self.blocks.parser.data());
        if words.is_some_and(is_file_header) {
            return Err(self.blocks.damaged(ANOTHER_CAPTURE));
        }
        let captured = words.map(|[.., captured]| captured);
        let FileHeader { max_captured, .. } = self.header;
        if let Some(captured) = captured.filter(|&captured| captured > max_captured) {
            return Err(self.blocks.damaged(oversized_frame(self.blocks.frames + 1, captured, max_captured)));
        }
        if self.blocks.exhausted() {
            let needed = captured.map(|captured| u64::from(captured) + RECORD_HEADER_BYTES as u64);
            return Err(self.blocks.cut(needed));
        }
        self.blocks.fill()
    }
}

impl FileHeader {
    /// The frame of the record that these bytes begin with, if it is whole and can be one, and what follows it.
    ///
    /// Records are taken apart here and not by `pcap-parser`, whose way of one record at a time takes as long as decoding
    /// the packet.
    #[inline]
    fn record<'a>(&self, bytes: &'a [u8]) -> Option<(Frame<'a>, &'a [u8])> {
        let (header, behind) = bytes.split_first_chunk::<RECORD_HEADER_BYTES>()?;
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let &[s0, s1, s2, s3, f0, f1, f2, f3, c0, c1, c2, c3, w0, w1, w2, w3] = header;
        let (seconds, fraction) = (read([s0, s1, s2, s3]), read([f0, f1, f2, f3]));
        let captured = read([c0, c1, c2, c3]);
        if captured > self.max_captured || is_file_header([seconds, fraction, captured]) {
            return None;
        }
        let (data, behind) = behind.split_at_checked(captured as usize)?;
        // 2^32 seconds and 2^32 units are within the range of i64: this cannot overflow.
        let nanos = i64::from(seconds) * NANOS_PER_SEC + i64::from(fraction) * self.fraction_nanos;
        let time = Timestamp::from_nanos(nanos);
        Some((Frame { time, link: Some(self.link), wire_len: read([w0, w1, w2, w3]), data }, behind))
    }

    /// Seconds, fraction and captured length in a record's header, if that much of it is there.
    fn words(&self, record: &[u8]) -> Option<[u32; 3]> {
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let (words, _) = record.first_chunk::<12>()?.as_chunks();
        Some(std::array::from_fn(|at| words.get(at).map_or(0, |&word| read(word))))
    }
}

impl From<&PcapHeader> for FileHeader {
    fn from(header: &PcapHeader) -> Self {
        Self {
            link: link_type(header.network.0 as u32),
            big_endian: header.is_bigendian(),
            fraction_nanos: if header.is_nanosecond_precision() { 1 } else { 1000 },
            max_captured: header.snaplen.clamp(USUAL_MAX_CAPTURED, MAX_FRAME_BYTES),
        }
    }
}

/// The link type in a file header's last word, whose upper bits hold the length of the frame check sequence.
pub(super) fn link_type(network: u32) -> LinkType {
    LinkType(network & 0xffff)
}

const RECORD_HEADER_BYTES: usize = 16;
/// libpcap's limit; files whose snap length is lower than their frames are common, so that it is the least allowed.
pub(super) const USUAL_MAX_CAPTURED: u32 = 262_144;

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use flowcore::Position;
    use std::io::{Cursor, ErrorKind};

    struct File {
        big_endian: bool,
        bytes: Vec<u8>,
    }

    impl File {
        fn new(magic: u32, big_endian: bool, snaplen: u32, network: u32) -> Self {
            let mut file = Self { big_endian, bytes: Vec::new() };
            file.word(magic);
            file.bytes.extend(if big_endian { [0, 2, 0, 4] } else { [2, 0, 4, 0] });
            for word in [0, 0, snaplen, network] {
                file.word(word);
            }
            file
        }

        fn word(&mut self, word: u32) {
            let bytes = if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            self.bytes.extend(bytes);
        }

        fn record(mut self, seconds: u32, fraction: u32, wire: u32, data: &[u8]) -> Self {
            for word in [seconds, fraction, data.len() as u32, wire] {
                self.word(word);
            }
            self.bytes.extend(data);
            self
        }
    }

    const MICROS: u32 = 0xa1b2_c3d4;
    const NANOS: u32 = 0xa1b2_3c4d;

    #[test]
    fn both_byte_orders_and_both_resolutions() {
        for big_endian in [false, true] {
            for (magic, fraction) in [(MICROS, 1000), (NANOS, 1)] {
                let file =
                    File::new(magic, big_endian, 65535, 101).record(3, 7, 60, b"abc").record(4, 0, 0, b"");
                let (frames, end) = read_all(&file.bytes);
                end.unwrap();
                let expected = [
                    (3_000_000_000 + 7 * fraction, Some(101), 60, b"abc".to_vec()),
                    (4_000_000_000, Some(101), 0, vec![]),
                ];
                assert_eq!(frames, expected);
            }
        }
    }

    #[test]
    fn odd_fractions_of_a_second_are_added_up() {
        let file =
            File::new(MICROS, false, 0, 1).record(1, 1_000_000, 1, b"a").record(u32::MAX, u32::MAX, 1, b"b");
        let (frames, end) = read_all(&file.bytes);
        end.unwrap();
        assert_eq!(frames[0].0, 2_000_000_000);
        assert_eq!(frames[1].0, 4_294_967_295_000_000_000 + 4_294_967_295_000);
    }

    #[test]
    fn the_upper_half_of_the_link_word_is_not_the_link_type() {
        let file = File::new(MICROS, true, 65535, 0x3000_0001).record(0, 0, 1, b"a");
        assert_eq!(read_all(&file.bytes).0[0].1, Some(1));
    }

    #[test]
    fn a_cut_file_gives_its_whole_frames_and_says_where_it_is_cut() {
        let whole = File::new(MICROS, false, 65535, 1).record(1, 0, 3, b"abc").record(2, 0, 3, b"def").bytes;
        for length in 43..whole.len() {
            let (frames, end) = read_all(&whole[..length]);
            assert_eq!(frames.len(), 1);
            if length == 43 {
                end.unwrap();
                continue;
            }
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(43)));
            assert!(error.to_string().contains("cut inside frame 2"), "{error}");
        }
        let error = read_all(&whole[..60]).1.unwrap_err();
        assert!(error.to_string().contains("bytes there: 17 of 19"), "{error}");
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_is_allocated() {
        for captured in [262_145, 0x1000_0000, u32::MAX] {
            let mut file = File::new(MICROS, false, 96, 1).record(1, 0, 3, b"abc");
            for word in [2, 0, captured, 60] {
                file.word(word);
            }
            file.bytes.extend([0; 400_000]);
            let (frames, end) = read_all(&file.bytes);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(43)));
            assert!(error.to_string().contains(&format!("frame 2 claims {captured}")), "{error}");
        }
    }

    #[test]
    fn a_frame_larger_than_the_buffer_is_read_if_the_snap_length_allows_it() {
        let large = vec![7; 3 * BUFFER_BYTES + 5];
        let file = File::new(MICROS, false, u32::MAX, 1)
            .record(1, 0, 3, b"abc")
            .record(2, 0, 9, &large)
            .record(3, 0, 3, b"def");
        let (frames, end) = read_all(&file.bytes);
        end.unwrap();
        assert_eq!(frames.iter().map(|frame| frame.3.len()).collect::<Vec<_>>(), [3, large.len(), 3]);
    }

    #[test]
    fn small_reads_and_many_buffers_give_the_same_frames() {
        let mut file = File::new(NANOS, true, 65535, 1);
        for number in 0..3000 {
            file = file.record(number, number, 1500, &vec![number as u8; number as usize % 700]);
        }
        let (expected, end) = read_all(&file.bytes);
        end.unwrap();
        assert_eq!(expected.len(), 3000);
        for step in [1, 7, 4096] {
            let trickle = Trickle { data: Cursor::new(file.bytes.clone()), step, failure: None };
            let (frames, end) = read_from(Box::new(trickle));
            end.unwrap();
            assert!(frames == expected, "{step}");
        }
    }

    #[test]
    fn the_cause_of_a_read_error_is_kept() {
        let file = File::new(MICROS, false, 65535, 1).record(1, 0, 3, b"abc");
        let data = Cursor::new(file.bytes);
        let trickle = Trickle { data, step: 10, failure: Some(ErrorKind::PermissionDenied) };
        let (frames, end) = read_from(Box::new(trickle));
        assert_eq!(frames.len(), 1);
        assert_eq!(end.unwrap_err().to_string(), "byte 43: permission denied");
    }
}
