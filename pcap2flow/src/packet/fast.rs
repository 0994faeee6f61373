//! The fast path: whole, plain packets read in place, one bounds check for each header.
//!
//! Answers for IPv4 without options and IPv6 without extension headers that are no fragments, carry no tunnel that is to
//! be looked into, and whose TCP (options apart), UDP, ICMP or SCTP header was captured whole. Everything else is `None`
//! and goes to the full decoder, which would give the same answer to these.
//!
//! All of it is inlined into the one caller by order: a packet that is handed from function to function is copied
//! each time, out of bytes that were written one by one just before, and waits for them. Measured in memory, on a
//! busy machine: 30 ns a packet instead of 85.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flowcore::{Protocol, TcpFlags};

use super::ip::frame_notes;
use super::link::Network;
use super::transport::{is_icmp_query, is_icmpv6_query};
use super::{Icmp, Packet, Tcp, tunnel};
use crate::options::TunnelMode;

/// The frame's IP packet, if it is one of the common kind; it had `wire_len` bytes, padding included.
#[inline(always)]
pub(super) fn decode(mode: TunnelMode, network: &Network<'_>, wire_len: usize) -> Option<Packet> {
    if !network.mpls.is_empty() {
        return None;
    }
    let wire_len = u32::try_from(wire_len).ok()?;
    let packet = match network.ip.first()? {
        0x45 => ipv4(network, wire_len),
        0x60..=0x6f => ipv6(network, wire_len),
        _ => None,
    }?;
    let is_tunnel = mode == TunnelMode::Inner
        && packet.protocol == Protocol::UDP
        && packet.ports.is_some_and(|(src, dst)| tunnel::is_udp_tunnel(src, dst));
    (!is_tunnel).then_some(packet)
}

#[inline(always)]
fn ipv4(network: &Network<'_>, wire_len: u32) -> Option<Packet> {
    let (header, captured) = network.ip.split_first_chunk::<20>()?;
    let &[_, tos, l0, l1, _, _, f0, f1, ttl, protocol, _, _, s0, s1, s2, s3, d0, d1, d2, d3] = header;
    let total = u16::from_be_bytes([l0, l1]);
    let sent = total.checked_sub(20)?;
    if u16::from_be_bytes([f0, f1]) & FRAGMENT_BITS != 0 {
        return None;
    }
    let upper = Upper::read(Protocol(protocol), Protocol::ICMP, captured, sent)?;
    let (src, dst) = (Ipv4Addr::new(s0, s1, s2, s3), Ipv4Addr::new(d0, d1, d2, d3));
    let fixed = Fixed { src: src.into(), dst: dst.into(), ip_bytes: total.into(), tos, ttl };
    Some(upper.packet(network, wire_len, fixed))
}

#[inline(always)]
fn ipv6(network: &Network<'_>, wire_len: u32) -> Option<Packet> {
    let (header, captured) = network.ip.split_first_chunk::<40>()?;
    let (&[b0, b1, _, _, l0, l1, next, ttl], addresses) = header.split_first_chunk::<8>()?;
    let (src, dst) = addresses.split_first_chunk::<16>()?;
    let sent = u16::from_be_bytes([l0, l1]);
    let upper = Upper::read(Protocol(next), Protocol::ICMPV6, captured, sent)?;
    let (src, dst) = (Ipv6Addr::from(*src), Ipv6Addr::from(*dst.first_chunk()?));
    let tos = b0 << 4 | b1 >> 4;
    let fixed = Fixed { src: src.into(), dst: dst.into(), ip_bytes: u32::from(sent) + 40, tos, ttl };
    Some(upper.packet(network, wire_len, fixed))
}

/// What the fixed IP header says.
struct Fixed {
    src: IpAddr,
    dst: IpAddr,
    ip_bytes: u32,
    tos: u8,
    ttl: u8,
}

/// What a transport header says.
struct Upper {
    protocol: Protocol,
    /// Where the payload begins behind the IP header, and how much of it was captured.
    payload: (u32, u32),
    ports: Option<(u16, u16)>,
    icmp: Option<Icmp>,
    tcp: Option<Tcp>,
}

impl Upper {
    /// `icmp` is the version's own ICMP; of `sent` bytes, these were `captured`, or fewer if padding follows.
    #[inline(always)]
    fn read(protocol: Protocol, icmp: Protocol, captured: &[u8], sent: u16) -> Option<Self> {
        let bytes = captured.get(..captured.len().min(sent.into()))?;
        let none = Self { protocol, payload: (0, 0), ports: None, icmp: None, tcp: None };
        let payload =
            |header_len: u16| (header_len.into(), (bytes.len() as u32).saturating_sub(header_len.into()));
        match protocol {
            Protocol::TCP => {
                let &[s0, s1, d0, d1, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags, ..] =
                    bytes.first_chunk::<20>()?;
                let header_len = u16::from(offset >> 4) * 4;
                if header_len < 20 {
                    return None;
                }
                let tcp = Tcp {
                    flags: TcpFlags(flags),
                    seq: u32::from_be_bytes([n0, n1, n2, n3]),
                    ack: u32::from_be_bytes([a0, a1, a2, a3]),
                    payload_len: sent.checked_sub(header_len)?.into(),
                };
                Some(Self {
                    payload: payload(header_len),
                    ports: ports(s0, s1, d0, d1),
                    tcp: Some(tcp),
                    ..none
                })
            }
            Protocol::UDP => {
                let &[s0, s1, d0, d1, l0, l1, ..] = bytes.first_chunk::<8>()?;
                if !(8..=sent).contains(&u16::from_be_bytes([l0, l1])) {
                    return None;
                }
                Some(Self { payload: payload(8), ports: ports(s0, s1, d0, d1), ..none })
            }
            Protocol::SCTP => {
                let &[s0, s1, d0, d1, ..] = bytes.first_chunk::<12>()?;
                Some(Self { ports: ports(s0, s1, d0, d1), ..none })
            }
            _ if protocol == icmp => {
                let &[kind, code, _, _, i0, i1, _, _] = bytes.first_chunk::<8>()?;
                let query = if icmp == Protocol::ICMP { is_icmp_query(kind) } else { is_icmpv6_query(kind) };
                let id = query.then_some(u16::from_be_bytes([i0, i1]));
                Some(Self { payload: payload(8), icmp: Some(Icmp { kind, code, id }), ..none })
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn packet(self, network: &Network<'_>, wire_len: u32, fixed: Fixed) -> Packet {
        let Fixed { src, dst, ip_bytes, tos, ttl } = fixed;
        let Self { protocol, payload: (payload_at, payload_len), ports, icmp, tcp } = self;
        let header_len = if src.is_ipv4() { 20 } else { 40 };
        Packet {
            src,
            dst,
            protocol,
            ports,
            icmp,
            ip_bytes,
            tos,
            ttl,
            tcp,
            fragment: None,
            spi: None,
            vlan: network.vlan,
            macs: network.macs(),
            outer: None,
            notes: frame_notes(network.ip.len(), wire_len, ip_bytes).union(network.notes),
            ip_at: 0,
            payload_at: if payload_len > 0 { header_len + payload_at } else { 0 },
        }
    }
}

#[inline(always)]
fn ports(s0: u8, s1: u8, d0: u8, d1: u8) -> Option<(u16, u16)> {
    Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])))
}

/// More fragments, and the offset.
pub(super) const FRAGMENT_BITS: u16 = 0x3fff;
