//! What makes packets belong together: the 5-tuple without direction.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flowcore::{Addr, Protocol};

use crate::packet::Packet;

/// Both ends in a fixed order, so that the two directions of a flow have the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    low_addr: Bits,
    high_addr: Bits,
    low_port: u16,
    high_port: u16,
    protocol: Protocol,
    /// 4 or 6: an IPv4 address and the IPv6 address that maps it are different.
    version: u8,
    pairing: Pairing,
}

/// The key of IPv4 packets, which most are, in two words, so that it is hashed and compared in no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key4 {
    /// The lower end's address, then the higher end's.
    addrs: u64,
    /// The lower end's port, the higher end's, and in the lower half the protocol and the pairing's two bytes.
    rest: u64,
}

/// An address as two halves, the higher one first, which needs no alignment to 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bits(u64, u64);

/// How the two 16-bit numbers of the ends are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pairing {
    /// Ports.
    Ports,
    /// No ports: a protocol without, a later fragment, or a packet cut before them.
    NoPorts,
    /// The identifier of an ICMP query; the number is the type of the request.
    IcmpQuery(u8),
    /// Type and code of any other ICMP message.
    IcmpMessage,
}

/// Which end of the key a packet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The end with the lower address and port.
    Low,
    /// The other one.
    High,
}

/// What part a side plays in a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It began the conversation: the record's source.
    Initiator,
    /// The other one.
    Responder,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

impl Role {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

impl Key {
    /// The key of a packet, and the side that sent it.
    #[inline(always)]
    pub(super) fn of(packet: &Packet) -> (Self, Side) {
        let (pairing, src_port, dst_port) = numbers(packet);
        let src = (Bits::of(packet.src), src_port);
        let dst = (Bits::of(packet.dst), dst_port);
        let (low, high, side) = if src <= dst { (src, dst, Side::Low) } else { (dst, src, Side::High) };
        let key = Self {
            low_addr: low.0,
            high_addr: high.0,
            low_port: low.1,
            high_port: high.1,
            protocol: packet.protocol,
            version: if packet.src.is_ipv4() { 4 } else { 6 },
            pairing,
        };
        (key, side)
    }

    /// The key in fewer bytes, if it is one of IPv4 packets.
    #[inline]
    pub(super) fn short(&self) -> Option<Key4> {
        let &Self { low_addr, high_addr, low_port, high_port, protocol, version, pairing } = self;
        let end = |addr: Bits, port| addr.1 << 16 | u64::from(port);
        let (low, high) = (end(low_addr, low_port), end(high_addr, high_port));
        (version == 4).then(|| Key4::new(low, high, protocol, pairing))
    }

    /// The protocol of the packets.
    pub(super) const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The address of a side.
    pub(super) fn addr(&self, side: Side) -> Addr {
        let Bits(high, low) = if side == Side::Low { self.low_addr } else { self.high_addr };
        match self.version {
            #[expect(clippy::cast_possible_truncation, reason = "an IPv4 address was put there")]
            4 => Addr::V4(Ipv4Addr::from(low as u32)),
            _ => Addr::V6(Ipv6Addr::from(u128::from(high) << 64 | u128::from(low))),
        }
    }

    /// The port of a side; `None` for packets without ports.
    pub(super) fn port(&self, side: Side) -> Option<u16> {
        (self.pairing == Pairing::Ports).then_some(if side == Side::Low {
            self.low_port
        } else {
            self.high_port
        })
    }

    /// Whether fragments whose first one never came have this key.
    pub(super) fn takes_orphans(&self) -> bool {
        self.pairing == Pairing::NoPorts
    }

    /// The identifier of an ICMP query.
    pub(super) fn icmp_id(&self) -> Option<u16> {
        matches!(self.pairing, Pairing::IcmpQuery(_)).then_some(self.low_port)
    }
}

impl Key4 {
    /// The key of an IPv4 packet, and the side that sent it, as [`Key::of`] has them.
    #[inline(always)]
    pub(super) fn of(packet: &Packet) -> Option<(Self, Side)> {
        let (IpAddr::V4(src), IpAddr::V4(dst)) = (packet.src, packet.dst) else { return None };
        let (pairing, src_port, dst_port) = numbers(packet);
        let end = |addr, port| u64::from(u32::from(addr)) << 16 | u64::from(port);
        Some(Self::between([end(src, src_port), end(dst, dst_port)], packet.protocol, pairing))
    }

    /// The key of a packet with ports between two ends, each an address and a port in 48 bits; and the side that sent it.
    #[inline(always)]
    pub(super) fn with_ports(ends: [u64; 2], protocol: Protocol) -> (Self, Side) {
        Self::between(ends, protocol, Pairing::Ports)
    }

    #[inline(always)]
    fn between([src, dst]: [u64; 2], protocol: Protocol, pairing: Pairing) -> (Self, Side) {
        // Without a jump, which would be foreseen wrongly half the time.
        let side = if src <= dst { Side::Low } else { Side::High };
        (Self::new(src.min(dst), src.max(dst), protocol, pairing), side)
    }

    #[inline(always)]
    fn new(low: u64, high: u64, protocol: Protocol, pairing: Pairing) -> Self {
        let ports = (low & 0xffff) << 16 | high & 0xffff;
        let rest = ports << 32 | u64::from(protocol.0) << 16 | u64::from(pairing.bytes());
        Self { addrs: low >> 16 << 32 | high >> 16, rest }
    }

    /// The key of IPv4 packets as one of any.
    pub(super) fn whole(self) -> Key {
        let Self { addrs, rest } = self;
        let [p0, p1, p2, p3, _, protocol, pairing @ ..] = rest.to_be_bytes();
        Key {
            low_addr: Bits(0, addrs >> 32),
            high_addr: Bits(0, addrs & u64::from(u32::MAX)),
            low_port: u16::from_be_bytes([p0, p1]),
            high_port: u16::from_be_bytes([p2, p3]),
            protocol: Protocol(protocol),
            version: 4,
            pairing: Pairing::from_bytes(pairing),
        }
    }

    /// The protocol of the packets.
    #[inline]
    pub(super) fn protocol(self) -> Protocol {
        let [_, _, _, _, _, protocol, ..] = self.rest.to_be_bytes();
        Protocol(protocol)
    }

    /// Whether it is that of ICMP messages.
    pub(super) fn is_icmp(self) -> bool {
        let [.., pairing, _] = self.rest.to_be_bytes();
        matches!(pairing, Pairing::ICMP_QUERY | Pairing::ICMP_MESSAGE)
    }

    /// Whether fragments whose first one never came have this key.
    #[inline]
    pub(super) fn takes_orphans(self) -> bool {
        let [.., pairing, _] = self.rest.to_be_bytes();
        pairing == Pairing::NO_PORTS
    }
}

impl Pairing {
    const PORTS: u8 = 0;
    const NO_PORTS: u8 = 1;
    const ICMP_QUERY: u8 = 2;
    const ICMP_MESSAGE: u8 = 3;

    /// What it is, and the type of the request.
    #[inline(always)]
    fn bytes(self) -> u16 {
        u16::from_be_bytes(match self {
            Self::Ports => [Self::PORTS, 0],
            Self::NoPorts => [Self::NO_PORTS, 0],
            Self::IcmpQuery(request) => [Self::ICMP_QUERY, request],
            Self::IcmpMessage => [Self::ICMP_MESSAGE, 0],
        })
    }

    fn from_bytes([kind, request]: [u8; 2]) -> Self {
        match kind {
            Self::PORTS => Self::Ports,
            Self::NO_PORTS => Self::NoPorts,
            Self::ICMP_QUERY => Self::IcmpQuery(request),
            _ => Self::IcmpMessage,
        }
    }
}

impl Bits {
    #[inline(always)]
    fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self(0, u64::from(u32::from(addr))),
            IpAddr::V6(addr) => {
                let &[a, b, c, d, e, f, g, h, ref low @ ..] = &addr.octets();
                Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]), u64::from_be_bytes(*low))
            }
        }
    }
}

impl Hash for Key4 {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.addrs);
        state.write_u64(self.rest);
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for Bits(high, low) in [self.low_addr, self.high_addr] {
            state.write_u64(high);
            state.write_u64(low);
        }
        let ports = u64::from(self.low_port) << 16 | u64::from(self.high_port);
        state.write_u64(ports << 16 | u64::from(self.protocol.0) << 8 | u64::from(self.version));
    }
}

#[inline(always)]
fn numbers(packet: &Packet) -> (Pairing, u16, u16) {
    if let Some(icmp) = packet.icmp {
        return match (query_request(packet.protocol, icmp.kind), icmp.id) {
            (Some(request), Some(id)) => (Pairing::IcmpQuery(request), id, id),
            _ => {
                let message = u16::from_be_bytes([icmp.kind, icmp.code]);
                (Pairing::IcmpMessage, message, message)
            }
        };
    }
    match packet.ports {
        Some((src, dst)) => (Pairing::Ports, src, dst),
        None => (Pairing::NoPorts, 0, 0),
    }
}

/// The request type of a query that is answered with the same identifier (RFC 792, RFC 950, RFC 4443, RFC 8335).
fn query_request(protocol: Protocol, kind: u8) -> Option<u8> {
    match (protocol, kind) {
        (Protocol::ICMP, 0 | 8) => Some(8),
        (Protocol::ICMP, 13 | 14) => Some(13),
        (Protocol::ICMP, 15 | 16) => Some(15),
        (Protocol::ICMP, 17 | 18) => Some(17),
        (Protocol::ICMP, 42 | 43) => Some(42),
        (Protocol::ICMPV6, 128 | 129) => Some(128),
        (Protocol::ICMPV6, 160 | 161) => Some(160),
        _ => None,
    }
}

/// Whether an ICMP message of this type is the answer to a query, so that the flow's initiator is the receiver.
pub(super) fn is_query_reply(protocol: Protocol, kind: u8) -> bool {
    query_request(protocol, kind).is_some_and(|request| request != kind)
}
