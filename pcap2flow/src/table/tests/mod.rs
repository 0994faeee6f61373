//! The rules of metering, each with packets that show it.

mod bounds;
mod fragments;
mod keys;
mod properties;
mod quality;
mod records;
mod tcp_life;
mod timeouts;

use std::net::IpAddr;

use flowcore::{EndReason, Field, Flow, FlowBatch, NANOS_PER_SEC, Protocol, TcpFlags};

use super::FlowTable;
use crate::options::MeterOptions;
use crate::packet::{Carrier, Fragment, Icmp, Outer, Packet, Tcp, Tunnel, TunnelKind};

const CLIENT: &str = "10.0.0.9";
const SERVER: &str = "10.0.0.1";

fn packet(src: &str, dst: &str, protocol: Protocol) -> Packet {
    Packet { ttl: 64, ..Packet::new(src.parse().unwrap(), dst.parse().unwrap(), protocol, 100) }
}

fn udp(src: (&str, u16), dst: (&str, u16)) -> Packet {
    Packet { ports: Some((src.1, dst.1)), ..packet(src.0, dst.0, Protocol::UDP) }
}

fn tcp(from_client: bool, letters: &str, seq: u32, ack: u32) -> Packet {
    let (client, server) = ((CLIENT, 40_000), (SERVER, 80));
    let (src, dst) = if from_client { (client, server) } else { (server, client) };
    let flags = TcpFlags::from_letters(letters).unwrap();
    let tcp = Some(Tcp { flags, seq, ack, payload_len: 0 });
    Packet { ports: Some((src.1, dst.1)), tcp, ..packet(src.0, dst.0, Protocol::TCP) }
}

fn icmp(src: &str, dst: &str, kind: u8, code: u8, id: Option<u16>) -> Packet {
    Packet { icmp: Some(Icmp { kind, code, id }), ..packet(src, dst, Protocol::ICMP) }
}

fn secs(secs: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small test times")]
    let nanos = (secs * NANOS_PER_SEC as f64) as i64;
    nanos
}

/// Meters packets given with their times in seconds; the flows in the order in which they come out.
fn meter(options: &MeterOptions, packets: impl IntoIterator<Item = (f64, Packet)>) -> Vec<Flow> {
    meter_in(FlowTable::new(options), packets)
}

fn meter_in(mut table: FlowTable, packets: impl IntoIterator<Item = (f64, Packet)>) -> Vec<Flow> {
    let mut ended = FlowBatch::new();
    for (time, packet) in packets {
        table.observe(secs(time), &packet, &[], &mut ended);
    }
    while table.drain(&mut ended) {}
    (0..ended.len()).map(|row| ended.flow(row)).collect()
}

fn meter_default(packets: impl IntoIterator<Item = (f64, Packet)>) -> Vec<Flow> {
    meter(&MeterOptions::default(), packets)
}

fn packets_each_way(flow: &Flow) -> (u64, u64) {
    (flow.forward.packets.unwrap(), flow.reverse.packets.unwrap())
}

fn span_secs(flow: &Flow) -> (i64, i64) {
    (flow.first.unwrap().as_secs(), flow.last.unwrap().as_secs())
}

fn fragment(offset: u32, more: bool, id: u32) -> Packet {
    let ports = (offset == 0).then_some((1000, 53));
    Packet {
        ports,
        fragment: Some(Fragment { id, protocol: Protocol::UDP, offset, len: 80, more }),
        ..packet(CLIENT, SERVER, Protocol::UDP)
    }
}

/// A packet in a tunnel between two hosts.
fn tunnelled(src: &str, dst: &str, id: Option<u32>, packet: Packet) -> Packet {
    let tunnel = Tunnel { src: ip(src), dst: ip(dst), protocol: Protocol(4), kind: TunnelKind::IpInIp, id };
    Packet { outer: Some(Box::new(Outer { tunnel: Some(tunnel), ..Outer::default() })), ..packet }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn number(flow: &Flow, field: Field) -> Option<u64> {
    flow.get(field).number()
}

/// Packets each way, of each flow.
fn counts(flows: &[Flow]) -> Vec<(u64, u64)> {
    flows.iter().map(packets_each_way).collect()
}
