//! pcapng: sections of blocks, each section with its own byte order and interfaces
//! (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>).
//!
//! Frames come from Enhanced Packet Blocks, Simple Packet Blocks and the obsolete Packet Block. Blocks about other
//! things (names, statistics, secrets, ...) are passed over by their length, well-formed or not.

use std::io::Read;
use std::ops::ControlFlow;

use flowcore::{Error, Position, Result, Timestamp};
use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
use pcap_parser::{
    Block, InterfaceDescriptionBlock, OptionCode, PcapBlockOwned, PcapError, PcapNGReader, SimplePacketBlock,
    UnknownBlock,
};

use super::blocks::{BUFFER_BYTES, Blocks, Input, MAX_FRAME_BYTES};
use super::clock::Clock;
use super::{Frame, LinkType};

/// Reads the frames of a pcapng file.
pub(super) struct PcapNgReader {
    blocks: Blocks<PcapNGReader<Input>>,
    section: Section,
}

/// What the blocks need to know of the section they are in.
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Time of the last frame that had one, of any section.
    last_time: Timestamp,
}

struct Interface {
    link: LinkType,
    /// Most bytes captured of a frame; 0 for no limit.
    snaplen: u32,
    clock: Clock,
}

/// What a block means to the reader of frames.
enum Content<'a> {
    Frame(Frame<'a>),
    Nothing,
}

/// Length of the section header block that a file starts with; `head` holds its first twelve bytes or more.
pub(super) fn section_header_length(head: &[u8]) -> Result<usize> {
    match Framing::of(head, false) {
        Some(framing) if framing.is_sound() => Ok(framing.length as usize),
        Some(framing) => {
            let what = format!("impossible length {} of the section header", framing.length);
            Err(Error::damaged(what).at(Position::Byte(0)))
        }
        None => Err(super::cut_header(head.len())),
    }
}

impl PcapNgReader {
    /// The input's first read has to give the whole section header, which has `header_length` bytes.
    pub(super) fn open(header_length: usize, input: Box<dyn Read + Send>) -> Result<Self> {
        let capacity = BUFFER_BYTES.max(header_length.saturating_mul(2));
        let blocks = Blocks::new(capacity, input, PcapNGReader::new)?;
        let section =
            Section { big_endian: false, interfaces: Vec::new(), last_time: Timestamp::from_nanos(0) };
        Ok(Self { blocks, section })
    }

    pub(super) fn frames(&self) -> u64 {
        self.blocks.frames
    }

    /// See [`CaptureReader::read_frames_until`](super::CaptureReader::read_frames_until).
    pub(super) fn read_frames(
        &mut self,
        each: &mut impl FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        let before = self.blocks.frames;
        loop {
            let stop = match self.blocks.parser.next() {
                Ok((size, PcapBlockOwned::NG(block))) => match self.section.read(&block) {
                    Ok(content) => {
                        let mut go_on = ControlFlow::Continue(());
                        if let Content::Frame(frame) = content {
                            go_on = each(frame);
                            self.blocks.frames += 1;
                        }
                        self.blocks.parser.consume_noshift(size);
                        if go_on.is_break() {
                            return Ok(true);
                        }
                        continue;
                    }
                    Err(what) => Stop::Damaged(what),
                },
                Err(PcapError::Eof) => Stop::End,
                _ => Stop::AtBlock,
            };
            if self.blocks.frames > before {
                return Ok(true);
            }
            match stop {
                Stop::End => return Ok(false),
                Stop::AtBlock => self.more()?,
                Stop::Damaged(what) => return Err(self.damaged(what)),
            }
        }
    }

    /// Reads on at a block that is not whole; passes over a whole one that the parser refused and nobody needs.
    fn more(&mut self) -> Result<()> {
        let data = self.blocks.parser.data();
        let there = data.len() as u64;
        let Some(framing) = Framing::of(data, self.section.big_endian) else {
            return self.fill(None);
        };
        if !framing.is_sound() {
            return Err(self.damaged(&format!("impossible block length {}", framing.length)));
        }
        if there < u64::from(framing.length) {
            return self.fill(Some(framing.length.into()));
        }
        if framing.matters() {
            return Err(self.damaged("the lengths in this block contradict each other"));
        }
        self.blocks.parser.consume_noshift(framing.length as usize);
        Ok(())
    }

    fn fill(&mut self, needed: Option<u64>) -> Result<()> {
        if self.blocks.exhausted() {
            return Err(self.blocks.cut(needed));
        }
        self.blocks.fill()
    }

    fn damaged(&self, what: &str) -> Error {
        let frame = self.blocks.frames + 1;
        self.blocks
            .damaged(format!("{what}, before or in frame {frame}; the capture is damaged from here on"))
    }
}

enum Stop {
    End,
    AtBlock,
    Damaged(&'static str),
}

impl Section {
    /// Notes what the block says about the section, or gives the frame in it.
    fn read<'a>(&mut self, block: &'a Block<'_>) -> Result<Content<'a>, &'static str> {
        let frame = match block {
            Block::SectionHeader(header) => {
                self.big_endian = header.big_endian();
                self.interfaces.clear();
                return Ok(Content::Nothing);
            }
            Block::InterfaceDescription(interface) => {
                if self.interfaces.len() >= MAX_INTERFACES {
                    return Err("more interfaces than any capture has");
                }
                self.interfaces.push(Interface::new(interface, self.big_endian));
                return Ok(Content::Nothing);
            }
            Block::EnhancedPacket(packet) => {
                let ticks = ticks(packet.ts_high, packet.ts_low);
                self.frame(packet.if_id, ticks, packet.origlen, packet.packet_data())
            }
            Block::SimplePacket(packet) => self.simple(packet)?,
            Block::Unknown(unknown) if self.is_obsolete_packet(unknown) => self.obsolete(unknown)?,
            _ => return Ok(Content::Nothing),
        };
        self.last_time = frame.time;
        Ok(Content::Frame(frame))
    }

    fn frame<'a>(&self, interface: u32, ticks: u64, wire_len: u32, data: &'a [u8]) -> Frame<'a> {
        let interface = usize::try_from(interface).ok().and_then(|index| self.interfaces.get(index));
        let clock = interface.map_or(Clock::MICROS, |interface| interface.clock);
        Frame { time: clock.time(ticks), link: interface.map(|interface| interface.link), wire_len, data }
    }

    /// A Simple Packet Block: always of the first interface, without time, the captured length left to be computed.
    fn simple<'a>(&self, packet: &'a SimplePacketBlock<'_>) -> Result<Frame<'a>, &'static str> {
        if packet.block_len1 != packet.block_len2 {
            return Err(LENGTHS_DIFFER);
        }
        let interface = self.interfaces.first();
        let snaplen = interface.map_or(0, |interface| interface.snaplen);
        let limit = if snaplen == 0 { usize::MAX } else { snaplen as usize };
        let data = packet.packet_data();
        Ok(Frame {
            time: self.last_time,
            link: interface.map(|interface| interface.link),
            wire_len: packet.origlen,
            data: data.get(..limit).unwrap_or(data),
        })
    }

    fn is_obsolete_packet(&self, block: &UnknownBlock<'_>) -> bool {
        // The parser reads the type of unknown blocks as little-endian.
        let kind = if self.big_endian { block.block_type.swap_bytes() } else { block.block_type };
        kind == OBSOLETE_PACKET
    }

    /// The Packet Block that the Enhanced Packet Block replaced; `pcap-parser` does not know it.
    fn obsolete<'a>(&self, block: &UnknownBlock<'a>) -> Result<Frame<'a>, &'static str> {
        if block.block_len1 != block.block_len2 {
            return Err(LENGTHS_DIFFER);
        }
        let Some((header, data)) = block.data.split_first_chunk::<20>() else {
            return Err("a packet block is shorter than its header");
        };
        let [i0, i1, _, _, high @ .., c0, c1, c2, c3, w0, w1, w2, w3] = *header;
        let [h0, h1, h2, h3, l0, l1, l2, l3] = high;
        let order = |bytes: [u8; 4]| match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        };
        let interface = if self.big_endian { [0, 0, i0, i1] } else { [i0, i1, 0, 0] };
        let Some(data) = data.get(..order([c0, c1, c2, c3]) as usize) else {
            return Err("a packet block claims more bytes than it has");
        };
        let ticks = ticks(order([h0, h1, h2, h3]), order([l0, l1, l2, l3]));
        Ok(self.frame(order(interface), ticks, order([w0, w1, w2, w3]), data))
    }
}

impl Interface {
    /// The parser's own `if_tsresol` and `if_tsoffset` leave out base 2 and the section's byte order.
    fn new(block: &InterfaceDescriptionBlock<'_>, big_endian: bool) -> Self {
        let option = |code| {
            let mut options = block.options.iter().take_while(|option| option.code != OptionCode::EndOfOpt);
            options.find(|option| option.code == code).and_then(|option| option.as_bytes().ok())
        };
        let resolution = match option(OptionCode::IfTsresol) {
            Some([resolution, ..]) => *resolution,
            _ => MICROSECONDS,
        };
        let offset = match option(OptionCode::IfTsoffset).map(<[u8; 8]>::try_from) {
            Some(Ok(bytes)) if big_endian => i64::from_be_bytes(bytes),
            Some(Ok(bytes)) => i64::from_le_bytes(bytes),
            _ => 0,
        };
        Self {
            // The block has 16 bits for it.
            link: LinkType((block.linktype.0 & 0xffff) as u32),
            snaplen: block.snaplen,
            clock: Clock::new(resolution, offset),
        }
    }
}

/// Type and length that every block starts with.
struct Framing {
    kind: u32,
    length: u32,
}

impl Framing {
    /// `None` if the start of the block is not there yet.
    fn of(block: &[u8], big_endian: bool) -> Option<Self> {
        let [kind, length, order] = [0, 4, 8].map(|at| block.get(at..at + 4)?.try_into().ok());
        let (kind, length): ([u8; 4], [u8; 4]) = (kind?, length?);
        let big_endian = match (u32::from_le_bytes(kind), order) {
            // A section header brings its own byte order.
            (SECTION_HEADER, None) => return None,
            (SECTION_HEADER, Some(order)) => u32::from_be_bytes(order) == BYTE_ORDER_MAGIC,
            _ => big_endian,
        };
        Some(match big_endian {
            true => Self { kind: u32::from_be_bytes(kind), length: u32::from_be_bytes(length) },
            false => Self { kind: u32::from_le_bytes(kind), length: u32::from_le_bytes(length) },
        })
    }

    fn is_sound(&self) -> bool {
        (MIN_BLOCK_BYTES..=MAX_BLOCK_BYTES).contains(&self.length)
    }

    /// Whether frames or their meaning would be lost with the block.
    fn matters(&self) -> bool {
        matches!(
            self.kind,
            SECTION_HEADER | INTERFACE_DESCRIPTION | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET
        )
    }
}

fn ticks(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// `if_tsresol` where the option is not there.
const MICROSECONDS: u8 = 6;
/// Type, length, length again.
const MIN_BLOCK_BYTES: u32 = 12;
/// A block of the largest frame with options.
const MAX_BLOCK_BYTES: u32 = MAX_FRAME_BYTES + 128 * 1024;
/// Bounds the memory that interface descriptions can take.
const MAX_INTERFACES: usize = 65_536;

const LENGTHS_DIFFER: &str = "the length at the end of a packet block differs from the one at its start";

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use std::io::Cursor;

    /// Writes blocks in one byte order.
    #[derive(Clone)]
    struct Section {
        big_endian: bool,
        bytes: Vec<u8>,
    }

    impl Section {
        fn new(big_endian: bool) -> Self {
            let section = Self { big_endian, bytes: Vec::new() };
            let order = section.words(&[BYTE_ORDER_MAGIC]);
            let version = if big_endian { [0, 1, 0, 0] } else { [1, 0, 0, 0] };
            section.block(SECTION_HEADER, &[&order[..], &version, &[0xff; 8]].concat())
        }

        fn words(&self, words: &[u32]) -> Vec<u8> {
            let order = |word: &u32| if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
            words.iter().flat_map(order).collect()
        }

        fn halves(&self, halves: [u16; 2]) -> Vec<u8> {
            let order = |half: u16| if self.big_endian { half.to_be_bytes() } else { half.to_le_bytes() };
            halves.into_iter().flat_map(order).collect()
        }

        fn block(mut self, kind: u32, content: &[u8]) -> Self {
            let mut content = content.to_vec();
            content.resize(content.len().next_multiple_of(4), 0);
            let length = content.len() as u32 + 12;
            self.bytes.extend(self.words(&[kind, length]));
            self.bytes.extend(content);
            self.bytes.extend(self.words(&[length]));
            self
        }

        fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Self {
            let mut content = self.halves([link, 0]);
            content.extend(self.words(&[snaplen]));
            for (code, value) in options {
                content.extend(self.halves([*code, value.len() as u16]));
                content.extend(*value);
                content.resize(content.len().next_multiple_of(4), 0);
            }
            self.block(INTERFACE_DESCRIPTION, &content)
        }

        fn enhanced(self, interface: u32, ticks: u64, captured: u32, wire: u32, data: &[u8]) -> Self {
            let header = self.words(&[interface, (ticks >> 32) as u32, ticks as u32, captured, wire]);
            self.block(ENHANCED_PACKET, &[&header, data].concat())
        }

        fn simple(self, wire: u32, data: &[u8]) -> Self {
            let header = self.words(&[wire]);
            self.block(SIMPLE_PACKET, &[&header, data].concat())
        }

        fn obsolete(self, interface: u16, ticks: u64, captured: u32, wire: u32, data: &[u8]) -> Self {
            let mut content = self.halves([interface, 9]);
            content.extend(self.words(&[(ticks >> 32) as u32, ticks as u32, captured, wire]));
            content.extend(data);
            self.block(OBSOLETE_PACKET, &content)
        }
    }

    const TSRESOL: u16 = 9;
    const TSOFFSET: u16 = 14;

    #[test]
    fn sections_of_both_byte_orders_with_their_own_interfaces() {
        let mut file = Vec::new();
        for big_endian in [false, true, false] {
            let offset = if big_endian { (-3_i64).to_be_bytes() } else { (-3_i64).to_le_bytes() };
            let section = Section::new(big_endian)
                .interface(1, 0, &[])
                .interface(276, 0, &[(TSRESOL, &[9])])
                .interface(101, 0, &[(TSRESOL, &[0x80 | 20]), (TSOFFSET, &offset)])
                .enhanced(0, 5_000_001, 3, 60, b"abc")
                .enhanced(1, 5_000_000_001, 5, 5, b"defgh")
                .enhanced(2, 5 << 20, 0, 9, b"");
            file.extend(section.bytes);
        }
        let expected = [
            (5_000_001_000, Some(1), 60, b"abc".to_vec()),
            (5_000_000_001, Some(276), 5, b"defgh".to_vec()),
            (2_000_000_000, Some(101), 9, vec![]),
        ];
        for step in [1, 13, 1 << 20] {
            let trickle = Trickle { data: Cursor::new(file.clone()), step, failure: None };
            let (frames, end) = read_from(Box::new(trickle));
            end.unwrap();
            assert_eq!(frames.len(), 9);
            assert!(frames.chunks(3).all(|section| section == expected), "{frames:?}");
        }
    }

    #[test]
    fn options_behind_the_end_of_options_do_not_count() {
        let section =
            Section::new(false).interface(1, 0, &[(0, &[]), (TSRESOL, &[9])]).enhanced(0, 7, 0, 0, b"");
        assert_eq!(read_all(&section.bytes).0[0].0, 7000);
    }

    #[test]
    fn simple_packets_take_time_and_length_from_elsewhere() {
        for big_endian in [false, true] {
            let section = Section::new(big_endian)
                .interface(1, 4, &[])
                .simple(3, b"abc\0")
                .enhanced(0, 7, 1, 1, b"x")
                .simple(9, b"abcdefgh");
            let (frames, end) = read_all(&section.bytes);
            end.unwrap();
            assert_eq!(frames[0], (0, Some(1), 3, b"abc".to_vec()));
            assert_eq!(frames[2], (7000, Some(1), 9, b"abcd".to_vec()));
        }
        let unlimited = Section::new(false).interface(1, 0, &[]).simple(3, b"abc");
        assert_eq!(read_all(&unlimited.bytes).0, [(0, Some(1), 3, b"abc".to_vec())]);
    }

    #[test]
    fn obsolete_packet_blocks_of_both_byte_orders() {
        for big_endian in [false, true] {
            let section = Section::new(big_endian)
                .interface(1, 0, &[])
                .interface(101, 0, &[(TSRESOL, &[9])])
                .obsolete(1, 0x1_0000_0002, 3, 60, b"abc");
            let (frames, end) = read_all(&section.bytes);
            end.unwrap();
            assert_eq!(frames, [(0x1_0000_0002, Some(101), 60, b"abc".to_vec())]);
        }
    }

    #[test]
    fn frames_of_unknown_interfaces_are_frames() {
        let section = Section::new(false)
            .simple(1, b"a")
            .enhanced(0, 1, 1, 1, b"a")
            .interface(1, 0, &[])
            .enhanced(1, 1, 1, 1, b"a")
            .enhanced(u32::MAX, 1, 1, 1, b"a")
            .obsolete(7, 1, 1, 1, b"a");
        let (frames, end) = read_all(&section.bytes);
        end.unwrap();
        assert_eq!(frames.len(), 5);
        assert!(frames.iter().all(|frame| frame.1.is_none()));
    }

    #[test]
    fn blocks_about_other_things_are_passed_over_even_if_malformed() {
        let section = Section::new(true)
            .interface(1, 0, &[])
            .block(4, &[0, 1, 0xff, 0xff]) // name resolution without end
            .block(5, &[]) // statistics without interface
            .block(10, &[1, 2, 3, 4, 0xff, 0xff, 0xff, 0xf0]) // secrets longer than their block
            .block(0x8000_0001, &[])
            .block(0xbad, &[1; 40])
            .enhanced(0, 1, 1, 1, b"a")
            .block(4, &[]);
        let (frames, end) = read_all(&section.bytes);
        end.unwrap();
        assert_eq!(frames.len(), 1);
    }

    #[test]
    fn lengths_that_lie_are_errors_with_a_place() {
        let good = || Section::new(false).interface(1, 0, &[]).enhanced(0, 1, 1, 1, b"a");
        let at = good().bytes.len() as u64;
        let mut trailing = good().simple(1, b"a").bytes;
        *trailing.last_mut().unwrap() = 1;
        let mut enhanced_trailing = good().enhanced(0, 1, 1, 1, b"a").bytes;
        *enhanced_trailing.last_mut().unwrap() = 1;
        let lies = [
            good().enhanced(0, 1, 5, 5, b"a").bytes,
            good().enhanced(0, 1, u32::MAX, 5, b"a").bytes,
            good().enhanced(0, 1, u32::MAX - 8, 5, b"a").bytes,
            good().obsolete(0, 1, 5, 5, b"a").bytes,
            good().obsolete(0, 1, u32::MAX, 5, b"a").bytes,
            good().block(OBSOLETE_PACKET, &[0; 16]).bytes,
            good().block(ENHANCED_PACKET, &[0; 16]).bytes,
            good().block(INTERFACE_DESCRIPTION, &[0; 4]).bytes,
            good().block(SECTION_HEADER, &[0; 16]).bytes,
            [good().bytes, vec![0; 64]].concat(),
            [good().bytes, good().words(&[ENHANCED_PACKET, 0xffff_fff0, 0, 0])].concat(),
            [good().bytes, good().words(&[0xbad, 0x1000_0000, 0, 0])].concat(),
            trailing,
            enhanced_trailing,
        ];
        for (number, lie) in lies.into_iter().enumerate() {
            // What follows must not be taken for the missing part.
            for lie in [lie.clone(), [lie, good().bytes].concat()] {
                let (frames, end) = read_all(&lie);
                assert_eq!(frames.len(), 1, "{number}");
                let error = end.unwrap_err();
                assert_eq!(error.position(), Some(Position::Byte(at)), "{number}: {error}");
                assert!(error.to_string().contains("damaged from here on"), "{number}: {error}");
            }
        }
    }

    #[test]
    fn a_cut_file_gives_its_whole_frames_and_says_where_it_is_cut() {
        let good = Section::new(true).interface(1, 0, &[]).enhanced(0, 1, 1, 1, b"a");
        let start = good.bytes.len();
        let whole = good.enhanced(0, 1, 1, 1, b"b").bytes;
        for length in start + 1..whole.len() {
            let (frames, end) = read_all(&whole[..length]);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(start as u64)));
            assert!(error.to_string().contains("cut inside frame 2"), "{error}");
        }
    }

    #[test]
    fn blocks_larger_than_the_buffer() {
        let comment = vec![b'c'; 3 * BUFFER_BYTES];
        let order = Section::new(false).words(&[BYTE_ORDER_MAGIC]);
        let start = Section { big_endian: false, bytes: Vec::new() }
            .block(SECTION_HEADER, &[&order[..], &[1, 0, 0, 0], &[0xff; 8], &comment].concat());
        let large = vec![7; 5 * BUFFER_BYTES];
        let section = start
            .interface(1, 0, &[])
            .enhanced(0, 1, large.len() as u32, 1, &large)
            .enhanced(0, 1, 1, 1, b"a");
        let (frames, end) = read_all(&section.bytes);
        end.unwrap();
        assert_eq!(frames.iter().map(|frame| frame.3.len()).collect::<Vec<_>>(), [large.len(), 1]);
    }
}
