//! A plain IPv4 packet on its way into a flow, in less than a cache line.
//!
//! Nearly all packets are such, and where packets are read and metered by different threads each goes from core to
//! core. All that is worked out for a packet alone, its key and its tag too, is worked out before.

use flowcore::{Protocol, TcpFlags};

use super::identity::{Scope, Tagger};
use super::key::{Key4, Side, is_query_reply};
use super::seen::Seen;
use crate::packet::{Flat, Packet, Tcp};

/// What the table has to know of a plain IPv4 packet. Packed, so that a mark beside it takes no more room.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(2))]
pub(crate) struct Brief {
    /// Nanoseconds since 1970 UTC.
    pub(super) time: i64,
    pub(super) key: Key4,
    /// By which its flow is looked for.
    pub(super) tag: u32,
    pub(super) ip_bytes: u32,
    /// A TCP segment's sequence number, or an ICMP message's type and code.
    pub(super) detail: u32,
    /// A TCP segment's acknowledgement, and the bytes behind its header.
    pub(super) ack: u32,
    pub(super) payload_len: u32,
    pub(super) macs: [[u8; 6]; 2],
    pub(super) vlan: u16,
    pub(super) flags: TcpFlags,
    pub(super) tos: u8,
    pub(super) ttl: u8,
    pub(super) marks: u8,
}

/// The packet comes from the higher end.
pub(super) const HIGH: u8 = Side::High as u8;
/// There is a TCP segment.
pub(super) const TCP: u8 = 1 << 1;
/// There is an ICMP message.
pub(super) const ICMP: u8 = 1 << 2;
/// The MAC addresses are known.
pub(super) const MACS: u8 = 1 << 3;
/// No VLAN has this identifier (IEEE 802.1Q, table 9-2).
pub(super) const NO_VLAN: u16 = 0xffff;

impl Brief {
    /// What the table has to know of a packet, if it is one of IPv4; there must be [no more](Seen::is_all_of) to it.
    #[inline(always)]
    pub(crate) fn of(time: i64, packet: &Packet, tagger: &Tagger) -> Option<Self> {
        let (key, side) = Key4::of(packet)?;
        let (mut marks, detail) = match (packet.tcp, packet.icmp) {
            (Some(tcp), None) => (TCP, tcp.seq),
            (None, Some(icmp)) => (ICMP, u32::from(icmp.kind) << 8 | u32::from(icmp.code)),
            (None, None) => (0, 0),
            (Some(_), Some(_)) => return None,
        };
        if packet.vlan == Some(NO_VLAN) {
            return None;
        }
        marks |= if side == Side::High { HIGH } else { 0 };
        marks |= if packet.macs.is_some() { MACS } else { 0 };
        let (src_mac, dst_mac) = packet.macs.unwrap_or_default();
        let (ack, payload_len) = packet.tcp.map_or((0, 0), |tcp| (tcp.ack, tcp.payload_len));
        Some(Self {
            time,
            key,
            tag: tagger.tag_short(key, || Scope::new(tagger.parts(), packet.vlan, packet.macs, None)),
            ip_bytes: packet.ip_bytes,
            detail,
            ack,
            payload_len,
            macs: [src_mac, dst_mac],
            vlan: packet.vlan.unwrap_or(NO_VLAN),
            flags: packet.tcp.map_or(TcpFlags(0), |tcp| tcp.flags),
            tos: packet.tos,
            ttl: packet.ttl,
            marks,
        })
    }

    /// What the table has to know of a packet in numbers.
    #[inline(always)]
    pub(crate) fn of_flat(time: i64, flat: &Flat, tagger: &Tagger) -> Self {
        let (key, side) = Key4::with_ports(flat.ends, flat.protocol);
        let tcp = if flat.protocol == Protocol::TCP { TCP } else { 0 };
        let [src_mac, dst_mac] = flat.macs;
        Self {
            time,
            key,
            tag: tagger.tag_short(key, || Scope::new(tagger.parts(), None, Some((src_mac, dst_mac)), None)),
            ip_bytes: flat.ip_bytes.into(),
            detail: flat.seq,
            ack: flat.ack,
            payload_len: flat.payload_len.into(),
            macs: flat.macs,
            vlan: NO_VLAN,
            flags: TcpFlags(flat.flags),
            tos: flat.tos,
            ttl: flat.ttl,
            marks: side as u8 | tcp | MACS,
        }
    }

    /// The tag by which its flow is looked for.
    #[inline]
    pub(crate) fn tag(&self) -> u32 {
        self.tag
    }

    /// The same at length.
    pub(super) fn seen(&self) -> Seen {
        let tcp = Tcp { flags: self.flags, seq: self.detail, ack: self.ack, payload_len: self.payload_len };
        let [.., kind, code] = self.detail.to_be_bytes();
        let [src_mac, dst_mac] = self.macs;
        Seen {
            time: self.time,
            key: self.key.whole(),
            side: self.side(),
            tos: self.tos,
            ttl: self.ttl,
            icmp: self.has(ICMP).then_some((kind, code)),
            ip_bytes: self.ip_bytes,
            tcp: self.has(TCP).then_some(tcp),
            vlan: Some(self.vlan).filter(|&vlan| vlan != NO_VLAN),
            macs: self.has(MACS).then_some((src_mac, dst_mac)),
        }
    }

    /// The end of the key that sent it.
    #[inline]
    pub(super) fn side(&self) -> Side {
        if self.has(HIGH) { Side::High } else { Side::Low }
    }

    /// Whether it is a TCP segment with all of these flags.
    #[inline]
    pub(super) fn has_flags(&self, flags: TcpFlags) -> bool {
        self.has(TCP) && self.flags.contains(flags)
    }

    /// As [`Seen::comes_from_responder`].
    #[inline]
    pub(super) fn comes_from_responder(&self) -> bool {
        let [.., kind, _] = self.detail.to_be_bytes();
        self.has_flags(TcpFlags::SYN | TcpFlags::ACK)
            || self.has(ICMP) && is_query_reply(self.key.protocol(), kind)
    }

    #[inline]
    pub(super) fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }
}
