//! Ports, TCP segments and ICMP messages: the transport part of the full decoder, made for cut headers.

use etherparse::TcpHeaderSlice;
use flowcore::{Protocol, TcpFlags};

use super::{Icmp, Packet, Tcp};

/// What an IP packet carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// What was captured of it.
    pub(super) bytes: &'a [u8],
    /// Its length as sent.
    pub(super) len: u32,
}

/// Fills in what the header of the packet's protocol says, as far as it was captured.
pub(super) fn read(packet: &mut Packet, segment: Segment<'_>) {
    match packet.protocol {
        Protocol::TCP => {
            packet.ports = ports(segment.bytes);
            packet.tcp = tcp(segment);
        }
        Protocol::UDP | Protocol::SCTP | DCCP | UDP_LITE => packet.ports = ports(segment.bytes),
        Protocol::ICMP if packet.src.is_ipv4() => packet.icmp = icmp(segment.bytes, is_icmp_query),
        Protocol::ICMPV6 if packet.src.is_ipv6() => packet.icmp = icmp(segment.bytes, is_icmpv6_query),
        _ => {}
    }
}

/// Whether messages of this ICMP type have an identifier: echo, timestamp, information, address mask (RFC 792,
/// RFC 950) and extended echo (RFC 8335), requests and replies.
pub(super) fn is_icmp_query(kind: u8) -> bool {
    matches!(kind, 0 | 8 | 13..=18 | 42 | 43)
}

/// Whether messages of this ICMPv6 type have an identifier: echo (RFC 4443) and extended echo (RFC 8335), requests
/// and replies.
pub(super) fn is_icmpv6_query(kind: u8) -> bool {
    matches!(kind, 128 | 129 | 160 | 161)
}

/// All protocols with ports have them in the first four bytes.
fn ports(bytes: &[u8]) -> Option<(u16, u16)> {
    let &[s0, s1, d0, d1] = bytes.first_chunk()?;
    Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
}

fn tcp(segment: Segment<'_>) -> Option<Tcp> {
    let Ok(header) = TcpHeaderSlice::from_slice(segment.bytes) else {
        return cut_tcp(segment);
    };
    Some(Tcp {
        flags: TcpFlags(header.slice().get(13).copied()?),
        seq: header.sequence_number(),
        ack: header.acknowledgment_number(),
        payload_len: payload_len(segment, header.data_offset()),
    })
}

/// A header whose end was not captured, or which says that it is shorter than it can be.
fn cut_tcp(segment: Segment<'_>) -> Option<Tcp> {
    let &[_, _, _, _, s0, s1, s2, s3, a0, a1, a2, a3, offset, flags] = segment.bytes.first_chunk::<14>()?;
    Some(Tcp {
        flags: TcpFlags(flags),
        seq: u32::from_be_bytes([s0, s1, s2, s3]),
        ack: u32::from_be_bytes([a0, a1, a2, a3]),
        payload_len: payload_len(segment, offset >> 4),
    })
}

/// `data_offset` is in units of four bytes.
fn payload_len(segment: Segment<'_>, data_offset: u8) -> u32 {
    segment.len.saturating_sub(u32::from(data_offset.max(5)) * 4)
}

fn icmp(bytes: &[u8], has_id: fn(u8) -> bool) -> Option<Icmp> {
    let &[kind, code] = bytes.first_chunk()?;
    let id = bytes.get(4..6).and_then(|id| id.try_into().ok()).map(u16::from_be_bytes);
    Some(Icmp { kind, code, id: id.filter(|_| has_id(kind)) })
}

const DCCP: Protocol = Protocol(33);
const UDP_LITE: Protocol = Protocol(136);
