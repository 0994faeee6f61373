//! A packet on its way into a flow: what the table has to know of it, flat and small.
//!
//! [`Packet`] says everything about a packet, which few packets need. What all have is taken out once, where packets are
//! decoded, and is what goes from thread to thread, decides about flows, and is kept of a flow's only packet.

use flowcore::TcpFlags;

use super::key::{Key, Side, is_query_reply};
use crate::packet::{Packet, Tcp, Tunnel};

/// What every packet has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Nanoseconds since 1970 UTC.
    pub(super) time: i64,
    pub(super) key: Key,
    /// The end of the key that sent it.
    pub(super) side: Side,
    pub(super) tos: u8,
    pub(super) ttl: u8,
    /// Type and code of an ICMP message.
    pub(super) icmp: Option<(u8, u8)>,
    pub(super) ip_bytes: u32,
    pub(super) tcp: Option<Tcp>,
    pub(super) vlan: Option<u16>,
    /// Source and destination.
    pub(super) macs: Option<([u8; 6], [u8; 6])>,
}

/// What only some packets have.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rare<'a> {
    /// The packet, if something was around it or it hides what it carries.
    pub(super) wrapped: Option<&'a Packet>,
    /// What is to be kept of its payload, if it is the first.
    pub(super) payload: &'a [u8],
}

impl Seen {
    /// What the table has to know of a packet of this time (nanoseconds since 1970 UTC).
    #[inline(always)]
    pub(crate) fn of(time: i64, packet: &Packet) -> Self {
        let (key, side) = Key::of(packet);
        Self {
            time,
            key,
            side,
            tos: packet.tos,
            ttl: packet.ttl,
            icmp: packet.icmp.map(|icmp| (icmp.kind, icmp.code)),
            ip_bytes: packet.ip_bytes,
            tcp: packet.tcp,
            vlan: packet.vlan,
            macs: packet.macs,
        }
    }

    /// Whether this is all that the table has to know of `packet`.
    #[inline]
    pub(crate) fn is_all_of(packet: &Packet) -> bool {
        packet.outer.is_none() && packet.spi.is_none() && packet.fragment.is_none()
    }

    /// Whether a flow's first packet shows that its receiver opened the conversation.
    pub(super) fn comes_from_responder(&self) -> bool {
        let syn_ack = self.tcp.is_some_and(|tcp| tcp.flags.contains(TcpFlags::SYN | TcpFlags::ACK));
        syn_ack || self.icmp.is_some_and(|(kind, _)| is_query_reply(self.key.protocol(), kind))
    }
}

impl<'a> Rare<'a> {
    /// What a packet has beside what all have.
    pub(super) fn of(packet: &'a Packet, payload: &'a [u8]) -> Self {
        Self { wrapped: (packet.outer.is_some() || packet.spi.is_some()).then_some(packet), payload }
    }

    /// Whether there is nothing.
    pub(super) fn is_none(&self) -> bool {
        self.wrapped.is_none() && self.payload.is_empty()
    }

    /// The outermost tunnel around the packet.
    pub(super) fn tunnel(&self) -> Option<&'a Tunnel> {
        self.wrapped?.outer.as_ref()?.tunnel.as_ref()
    }
}
