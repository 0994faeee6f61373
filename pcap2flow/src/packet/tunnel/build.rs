//! Packets for the tests of tunnels, and what is to be found in them.

use std::net::IpAddr;

use flowcore::Protocol;

use super::super::{Note, Packet, decode, decode_full};
use super::{Tunnel, TunnelKind};
use crate::TunnelMode;
use crate::capture::LinkType;

/// Length of the packet that [`inner_v4`] builds.
pub(super) const INNER_BYTES: u32 = 33;

const PORTS: [u8; 4] = [0x30, 0x39, 0, 53];

/// UDP from 192.0.2.1 port 12345 to 192.0.2.2 port 53.
pub(super) fn inner_v4() -> Vec<u8> {
    let header = [0x45, 3, 0, INNER_BYTES as u8, 0, 1, 0, 0, 7, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    [&header[..], &PORTS, &[0, 13, 0, 0], b"query"].concat()
}

/// The same from 2001:db8::1 to 2001:db8::2.
pub(super) fn inner_v6() -> Vec<u8> {
    let [src, dst] = [1, 2].map(|last| [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    [&[0x60, 0x30, 0, 0, 0, 13, 17, 7], &src[..], &dst, &PORTS, &[0, 13, 0, 0], b"query"].concat()
}

/// A packet from 10.0.0.1 to 10.0.0.2.
pub(super) fn v4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    v4_fragment(protocol, 0, payload)
}

/// `field` is that of fragment flags and offset.
pub(super) fn v4_fragment(protocol: u8, field: u16, payload: &[u8]) -> Vec<u8> {
    let [l0, l1] = (20 + payload.len() as u16).to_be_bytes();
    let [f0, f1] = field.to_be_bytes();
    let header = [0x45, 0, l0, l1, 0xab, 0xcd, f0, f1, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    [&header, payload].concat()
}

/// A packet from fd00::1 to fd00::2.
pub(super) fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [l0, l1] = (payload.len() as u16).to_be_bytes();
    let [src, dst] = [1, 2].map(|last| [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    [&[0x60, 0, 0, 0, l0, l1, next, 64], &src[..], &dst, payload].concat()
}

pub(super) fn udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    let length = 8 + payload.len() as u16;
    let words = [src, dst, length, 0].map(u16::to_be_bytes);
    [words.as_flattened(), payload].concat()
}

pub(super) fn v4_udp(src: u16, dst: u16, payload: &[u8]) -> Vec<u8> {
    v4(17, &udp(src, dst, payload))
}

pub(super) fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&[0xd2, 1, 1, 1, 1, 1, 0x52, 2, 2, 2, 2, 2][..], &ether_type.to_be_bytes(), payload].concat()
}

/// What is metered of an IP packet, by default, on both ways.
pub(super) fn inner_of(ip: &[u8]) -> Packet {
    let length = ip.len() as u32;
    let packet = decode(TunnelMode::Inner, Some(LinkType::RAW), length, ip);
    assert_eq!(packet, decode_full(TunnelMode::Inner, Some(LinkType::RAW), length, ip));
    packet.unwrap()
}

pub(super) fn outer_of(ip: &[u8]) -> Packet {
    decode(TunnelMode::Outer, Some(LinkType::RAW), ip.len() as u32, ip).unwrap()
}

/// Expects one of the inner packets of this file, whole, in a tunnel of this kind.
pub(super) fn found(ip: &[u8], kind: TunnelKind, id: Option<u32>) -> Packet {
    let (outer, packet) = (outer_of(ip), inner_of(ip));
    let Packet { src, dst, protocol, .. } = outer;
    let expected = Tunnel { src, dst, protocol, kind, id };
    assert_eq!(packet.outer.as_ref().and_then(|around| around.tunnel), Some(expected), "{ip:02x?}");
    let ends: [IpAddr; 2] = match packet.src {
        IpAddr::V4(_) => [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()],
        IpAddr::V6(_) => ["2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()],
    };
    assert_eq!([packet.src, packet.dst], ends);
    assert_eq!((packet.protocol, packet.ports), (Protocol::UDP, Some((12345, 53))));
    assert_eq!((packet.tos, packet.ttl, packet.payload(ip)), (3, 7, &b"query"[..]));
    assert!(packet.notes.contains(Note::Tunnelled));
    packet
}

/// Expects the outer packet, as it is metered without a look inside.
pub(super) fn left_alone(ip: &[u8]) {
    assert_eq!(inner_of(ip), outer_of(ip), "{ip:02x?}");
}
