//! The bodies of the fuzz targets, each with something that has to hold for any input whatever.
//!
//! `fuzz/` feeds them random bytes; `tests/tests/fuzz_replay.rs` feeds them the seeds and everything that was ever
//! found, in ordinary test runs.

mod cloud;
mod expression;
mod nfdump;
mod parquet;
mod payload;
mod records;
mod template;
mod vpc_json;

use std::io::{self, Cursor, Read};

use flowcore::format::flow::{FlowFileReader, FlowFileWriter, WriterOptions};
use flowcore::format::nfdump::lzo;
use flowcore::format::vpc::{VpcOptions, VpcReader};
use flowcore::{Detection, EndReason, Flow, FlowBatch, FlowSource, Input, ReadRequest, Result, SourceStats};
use pcap2flow::capture::{CaptureReader, LinkType};
use pcap2flow::packet::{Packet, Skip, decode, decode_full};
use pcap2flow::{Converter, KeyParts, MeterOptions, TunnelMode};

pub use cloud::{azure, gcp};
pub use expression::filter;
pub use nfdump::{nfdump_file, nfdump_round_trip};
pub use parquet::parquet;
pub use payload::payload;
pub use template::template;
pub use vpc_json::vpc_json;

/// A pcap capture: see [`capture`].
pub fn pcap(data: &[u8]) {
    const MAGIC: [[u8; 4]; 4] = [
        [0xd4, 0xc3, 0xb2, 0xa1],
        [0xa1, 0xb2, 0xc3, 0xd4],
        [0x4d, 0x3c, 0xb2, 0xa1],
        [0xa1, 0xb2, 0x3c, 0x4d],
    ];
    let Some((&first, rest)) = data.split_first() else { return };
    capture(&[&MAGIC[usize::from(first) % 4], rest].concat());
}

/// A pcapng capture: see [`capture`].
pub fn pcapng(data: &[u8]) {
    capture(&[&[0x0a, 0x0d, 0x0d, 0x0a], data].concat());
}

/// Frames do not depend on how the bytes arrive, hold no byte that is not in the file, and each is used or skipped;
/// packets and bytes of the flows are those of the frames used.
pub fn capture(data: &[u8]) {
    let (whole, ended_well) = frames(Box::new(Cursor::new(data.to_vec())));
    let (pieces, pieces_ended_well) = frames(Box::new(Pieces { data: data.to_vec(), at: 0, size: 7 }));
    assert_eq!((&whole, ended_well), (&pieces, pieces_ended_well), "frames depend on how the bytes arrive");
    assert!(whole.iter().map(|frame| frame.3.len()).sum::<usize>() <= data.len());

    for options in [MeterOptions::default(), any_options(data)] {
        let open = |data: Vec<u8>| Input::from_reader("fuzz", Box::new(Cursor::new(data)), Detection::Bytes);
        let Ok(input) = open(data.to_vec()) else { return };
        let Ok(mut converter) = Converter::from_input(input, &options) else { return };
        let (flows, stats) = read_all(&mut converter).expect("a converter notes problems and goes on");
        assert_eq!(stats.problems.is_empty(), ended_well);
        metered(&whole, &options, &flows, &stats);
    }
}

/// Each frame was used or skipped, and packets and bytes of the flows are those of the frames used.
fn metered(frames: &[OwnedFrame], options: &MeterOptions, flows: &[Flow], stats: &SourceStats) {
    let decoded =
        frames.iter().filter_map(|(_, link, len, data)| decode(options.tunnels, *link, *len, data).ok());
    assert_eq!(stats.frames, frames.len() as u64);
    assert_eq!(stats.frames, stats.frames_used + stats.skipped());
    assert_eq!(stats.frames_used, decoded.clone().count() as u64);
    assert_eq!(flows.iter().map(Flow::packets).sum::<u64>(), stats.frames_used);
    let evicted = flows.iter().filter(|flow| flow.end_reason == Some(EndReason::LackOfResources)).count();
    assert!(evicted as u64 >= stats.flows_evicted);
    if options.tunnels == TunnelMode::Outer {
        // In a tunnel, a later fragment counts what it carries.
        let bytes: u64 = decoded.map(|packet| u64::from(packet.ip_bytes)).sum();
        assert_eq!(flows.iter().map(Flow::bytes).sum::<u64>(), bytes);
    }
}

/// Options that depend on the input, so that all combinations are tried in time.
fn any_options(data: &[u8]) -> MeterOptions {
    let seed = data.iter().fold(5381_u32, |seed, &byte| seed.wrapping_mul(33) ^ u32::from(byte));
    let bit = |at: u32| seed >> at & 1 == 1;
    MeterOptions {
        tunnels: if bit(0) { TunnelMode::Outer } else { TunnelMode::Inner },
        key: KeyParts { vlan: bit(1), mac: bit(2), tunnel: bit(3) },
        uniflow: bit(4),
        tcp_quality: bit(5),
        payload_bytes: if bit(6) { 100 } else { 0 },
        max_flows: if bit(7) { 2 } else { 1000 },
        ..MeterOptions::default()
    }
}

/// One frame of any link type, whole and cut: fast and full decoder agree, looking into tunnels never loses a packet,
/// and a cut frame never shows another conversation than the whole one.
pub fn packet(data: &[u8]) {
    let &[link_high, link_low, len_high, len_low, ref frame @ ..] = data else { return };
    let link = Some(LinkType(u32::from(u16::from_be_bytes([link_high, link_low]))));
    // No more can be captured than was on the wire.
    let wire_len = u32::from(u16::from_be_bytes([len_high, len_low]))
        .max(u32::try_from(frame.len()).unwrap_or(u32::MAX));
    let whole = both_decoders(link, wire_len, frame);
    for cut in 0..frame.len().min(128) {
        let Ok(packet) = both_decoders(link, wire_len, &frame[..cut]) else { continue };
        // What is under MPLS labels is guessed from all there is of it.
        if packet.outer.is_some() {
            continue;
        }
        let whole = whole.as_ref().expect("what a cut frame shows, the whole one shows too");
        assert_eq!((packet.src, packet.dst), (whole.src, whole.dst));
        // A jumbogram's length is in an option, which the cut may have taken away (RFC 2675).
        assert!(packet.ip_bytes == whole.ip_bytes || whole.ip_bytes > JUMBOGRAM);
        assert!(packet.ports.is_none() || packet.ports == whole.ports);
    }
}

/// What both decoders say of the outermost packet, after they have agreed on the innermost one too.
fn both_decoders(link: Option<LinkType>, wire_len: u32, frame: &[u8]) -> std::result::Result<Packet, Skip> {
    let [inner, outer] = [TunnelMode::Inner, TunnelMode::Outer].map(|mode| {
        let packet = decode(mode, link, wire_len, frame);
        assert_eq!(packet, decode_full(mode, link, wire_len, frame));
        if let Ok(packet) = &packet {
            assert!(packet.ip_packet(frame).ends_with(packet.payload(frame)));
        }
        packet
    });
    assert_eq!(inner.is_ok(), outer.is_ok(), "looking into a tunnel lost a packet");
    outer
}

/// IPv6 packets that are longer are jumbograms: the fixed header, and the largest payload length it can state.
const JUMBOGRAM: u32 = 40 + 0xffff;

/// A flow file: what can be read of it can be written and reads back equal, and stream and file agree.
pub fn flow_file(data: &[u8]) {
    let request = ReadRequest::default();
    let Ok(mut reader) = FlowFileReader::open(Box::new(Cursor::new(data.to_vec())), "fuzz", &request) else {
        return;
    };
    let Ok((flows, _)) = read_all(&mut reader) else { return };
    assert_eq!(through_flow_file(&flows), flows);
}

/// VPC log text: every line is in exactly one count, arrival in pieces changes nothing, and the flows survive a flow
/// file. JSON and CSV are for [`vpc_json`].
pub fn vpc_text(data: &[u8]) {
    if data.iter().any(|byte| b",{[".contains(byte)) || data.starts_with(b"H4sI") {
        return;
    }
    let open = |input: Box<dyn Read + Send>| {
        VpcReader::open(input, "fuzz", &ReadRequest::default(), &VpcOptions::default())
    };
    let read = |input| read_all(&mut open(input).ok()?).ok();
    let whole = read(Box::new(Cursor::new(data.to_vec())));
    let pieces = read(Box::new(Pieces { data: data.to_vec(), at: 0, size: 11 }));
    assert_eq!(whole.as_ref().map(|(flows, _)| flows), pieces.as_ref().map(|(flows, _)| flows));
    let Some((flows, stats)) = whole else { return };
    let counts = |stats: &SourceStats| [stats.records, stats.header_lines, stats.bad_records];
    assert_eq!(Some(counts(&stats)), pieces.map(|(_, stats)| counts(&stats)));
    assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
    assert_eq!(stats.flows, flows.len() as u64);
    let is_blank = |line: &[u8]| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).iter().all(|&byte| byte == b' ')
    };
    let lines = data.split(|&byte| byte == b'\n').filter(|line| !is_blank(line)).count() as u64;
    assert_eq!(counts(&stats).iter().sum::<u64>(), lines, "a line is in no count, or in two");
    assert_eq!(through_flow_file(&flows), flows);
}

/// LZO data fills no more than the room there is, and the same whatever was in it; a block comes back from its
/// compression, in just the room it takes.
pub fn lzo(data: &[u8]) {
    let (mut zeros, mut ones) = (vec![0; 1 << 16], vec![0xff; 1 << 16]);
    let len = lzo::decompress(data, &mut zeros);
    assert_eq!(len, lzo::decompress(data, &mut ones));
    if let Ok(len) = len {
        assert_eq!(zeros[..len], ones[..len]);
    }
    let mut stream = Vec::new();
    lzo::compress(data, &mut stream);
    let mut block = vec![0; data.len()];
    assert_eq!(lzo::decompress(&stream, &mut block), Ok(data.len()));
    assert_eq!(block, data);
    if block.pop().is_some() {
        assert_eq!(lzo::decompress(&stream, &mut block), Err(lzo::LzoError::TooLong));
    }
}

type OwnedFrame = (i64, Option<LinkType>, u32, Vec<u8>);

/// The frames of a capture, and whether it ended without an error.
fn frames(input: Box<dyn Read + Send>) -> (Vec<OwnedFrame>, bool) {
    let mut frames = Vec::new();
    let Ok(mut reader) = CaptureReader::open(input) else { return (frames, false) };
    loop {
        let each = |frame: pcap2flow::capture::Frame<'_>| {
            frames.push((frame.time.as_nanos(), frame.link, frame.wire_len, frame.data.to_vec()));
        };
        match reader.read_frames(each) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return (frames, false),
        }
    }
    assert_eq!(reader.frames(), frames.len() as u64);
    (frames, true)
}

fn read_all(source: &mut dyn FlowSource) -> Result<(Vec<Flow>, SourceStats)> {
    let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
    while source.read_batch(&mut batch)? {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    Ok((flows, source.stats()))
}

/// Writes flows to a flow file in memory and reads them back.
fn through_flow_file(flows: &[Flow]) -> Vec<Flow> {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let mut writer = FlowFileWriter::new(Vec::new(), &WriterOptions::default()).expect("memory is writable");
    writer.write_batch(&batch).expect("memory is writable");
    let file = writer.finish().expect("memory is writable");
    let mut reader = FlowFileReader::open(Box::new(Cursor::new(file)), "memory", &ReadRequest::default())
        .expect("what was written can be opened");
    let (read, stats) = read_all(&mut reader).expect("what was written can be read");
    assert!(stats.problems.is_empty());
    read
}

/// Bytes that arrive a few at a time.
struct Pieces {
    data: Vec<u8>,
    at: usize,
    size: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.data.get(self.at..).unwrap_or_default();
        let size = rest.len().min(self.size).min(buffer.len());
        buffer[..size].copy_from_slice(&rest[..size]);
        self.at += size;
        Ok(size)
    }
}
