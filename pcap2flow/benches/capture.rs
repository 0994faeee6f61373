//! The stages of a conversion: walking through a capture, decoding its frames, counting packets in the table.
#![allow(missing_docs, reason = "nobody depends on a bench")]

use std::io::Cursor;
use std::net::{IpAddr, Ipv4Addr};

use divan::{Bencher, counter::BytesCount, counter::ItemsCount};
use flowcore::{FlowBatch, Protocol};
use pcap2flow::capture::{CaptureReader, LinkType};
use pcap2flow::packet::{Packet, decode, decode_full};
use pcap2flow::table::FlowTable;
use pcap2flow::{MeterOptions, TunnelMode};

const PACKETS: usize = 50_000;

fn main() {
    divan::main();
}

/// An Ethernet frame of this length: a TCP segment between two addresses.
fn frame(length: usize, client: u16) -> Vec<u8> {
    let mut frame = vec![0; length];
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14..24].copy_from_slice(&[0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6]);
    frame[16..18].copy_from_slice(&(length as u16 - 14).to_be_bytes());
    frame[26..34].copy_from_slice(&[10, 0, 0, 1, 192, 0, 2, 1]);
    frame[34..36].copy_from_slice(&client.to_be_bytes());
    frame[36..38].copy_from_slice(&[1, 187]);
    frame[46..48].copy_from_slice(&[0x50, 0x10]);
    frame
}

/// A pcap file of such frames, a microsecond apart.
fn capture(length: usize) -> Vec<u8> {
    let mut file = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 65_535, 1].map(u32::to_le_bytes).concat();
    for number in 0..PACKETS {
        file.extend(
            [1_700_000_100, number as u32, length as u32, length as u32].map(u32::to_le_bytes).concat(),
        );
        file.extend(frame(length, number as u16));
    }
    file
}

#[divan::bench(args = [64, 570, 1_500])]
fn walk(bencher: Bencher<'_, '_>, length: usize) {
    let file = capture(length);
    let counted = bencher.counter(ItemsCount::new(PACKETS)).counter(BytesCount::of_slice(&file));
    counted.with_inputs(|| Cursor::new(file.clone())).bench_values(|file| {
        let mut reader = CaptureReader::open(Box::new(file)).expect("a capture");
        let mut bytes = 0;
        while reader.read_frames(|frame| bytes += frame.data.len()).expect("a good capture") {}
        bytes
    });
}

/// The fast path, and the full decoder behind it.
#[divan::bench(args = ["fast", "full"])]
fn decode_frames(bencher: Bencher<'_, '_>, path: &str) {
    let frames: Vec<_> = (0..1_000).map(|client| frame(64, client)).collect();
    let decode = if path == "fast" { decode } else { decode_full };
    bencher.counter(ItemsCount::new(frames.len())).bench(|| {
        let decoded =
            |frame: &Vec<u8>| decode(TunnelMode::Inner, Some(LinkType::ETHERNET), 64, frame).is_ok();
        frames.iter().filter(|frame| decoded(frame)).count()
    });
}

/// Packets of a hundred thousand flows at most: each as often as any other, or a few with most of them (Zipf).
#[divan::bench(args = ["uniform", "zipf"])]
fn table(bencher: Bencher<'_, '_>, popularity: &str) {
    let packets: Vec<Packet> = flows(popularity == "zipf").map(packet).collect();
    bencher.counter(ItemsCount::new(PACKETS)).bench(|| {
        let mut table = FlowTable::new(&MeterOptions::default());
        let mut ended = FlowBatch::new();
        for (number, packet) in packets.iter().enumerate() {
            table.observe(number as i64 * 1_000, packet, &[], &mut ended);
        }
        table.len()
    });
}

/// Numbers of flows; every power of two of them has the same share if few have most packets.
fn flows(zipf: bool) -> impl Iterator<Item = u32> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..PACKETS).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let below = if zipf { 1 << ((state >> 32) % 17) } else { 100_000 };
        (state as u32) % below
    })
}

fn packet(flow: u32) -> Packet {
    let (client, server) = (Ipv4Addr::from(0x0a00_0000 | flow), Ipv4Addr::new(192, 0, 2, 1));
    let mut packet = Packet::new(IpAddr::from(client), IpAddr::from(server), Protocol::UDP, 80);
    packet.ports = Some((40_000, 53));
    packet
}
