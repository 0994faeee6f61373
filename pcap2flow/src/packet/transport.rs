//! Ports, TCP segments and ICMP messages: the transport part of the full decoder, made for cut headers.

use etherparse::TcpHeaderSlice;
use flowcore::{Protocol, TcpFlags};

use super::{Icmp, Note, Packet, Tcp};

/// What an IP packet carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// What was captured of it.
    pub(super) bytes: &'a [u8],
    /// Its length as sent.
    pub(super) len: u32,
}

impl<'a> Segment<'a> {
    /// Nothing.
    pub(super) const EMPTY: Self = Self { bytes: &[], len: 0 };

    /// The next `N` bytes and what follows them; `None` if they were not captured whole.
    pub(super) fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (head, _) = self.bytes.split_first_chunk()?;
        Some((head, self.skip(N)?))
    }

    /// What follows the next `count` bytes; `None` if those were not captured whole.
    pub(super) fn skip(self, count: usize) -> Option<Self> {
        let bytes = self.bytes.get(count..)?;
        Some(Self { bytes, len: self.len.saturating_sub(u32::try_from(count).ok()?) })
    }

    /// The first `len` bytes, or all if there are no more than that.
    pub(super) fn up_to(self, len: u32) -> Self {
        let end = self.bytes.len().min(len as usize);
        Self { bytes: self.bytes.get(..end).unwrap_or_default(), len: self.len.min(len) }
    }
}

/// Fills in what the header of the packet's protocol says, as far as it was captured. Returns what it carries, empty
/// for protocols whose headers are not read.
pub(super) fn read<'a>(packet: &mut Packet, segment: Segment<'a>) -> &'a [u8] {
    let header_len = match packet.protocol {
        Protocol::TCP => {
            packet.ports = ports(segment.bytes);
            packet.tcp = tcp(segment);
            let header_len = segment.bytes.get(12).map_or(20, |offset| usize::from(offset >> 4) * 4);
            let is_bad = header_len < 20 || (header_len > segment.len as usize && packet.fragment.is_none());
            packet.notes = packet.notes.with(Note::BadTransportLength, is_bad);
            header_len.max(20)
        }
        Protocol::UDP => {
            packet.ports = ports(segment.bytes);
            packet.notes = packet.notes.with(Note::BadTransportLength, has_bad_udp_length(packet, segment));
            8
        }
        UDP_LITE => {
            packet.ports = ports(segment.bytes);
            8
        }
        Protocol::SCTP | DCCP => {
            packet.ports = ports(segment.bytes);
            return &[];
        }
        Protocol::ESP => {
            packet.spi = segment.bytes.first_chunk().copied().map(u32::from_be_bytes);
            return &[];
        }
        Protocol::ICMP if packet.src.is_ipv4() => {
            packet.icmp = icmp(segment.bytes, is_icmp_query);
            8
        }
        Protocol::ICMPV6 if packet.src.is_ipv6() => {
            packet.icmp = icmp(segment.bytes, is_icmpv6_query);
            8
        }
        _ => return &[],
    };
    segment.bytes.get(header_len..).unwrap_or_default()
}

/// A UDP length of 0 is that of a jumbogram (RFC 2675); one beyond a first fragment is that of the whole datagram.
fn has_bad_udp_length(packet: &Packet, segment: Segment<'_>) -> bool {
    let Some(&[.., l0, l1]) = segment.bytes.first_chunk::<6>() else { return false };
    let length = u32::from(u16::from_be_bytes([l0, l1]));
    let is_jumbo = length == 0 && segment.len > 0xffff;
    (length < 8 && !is_jumbo) || (length > segment.len && packet.fragment.is_none())
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
