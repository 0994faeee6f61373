//! Packets in packets: the way from the outermost IP packet of a frame to the innermost one.
//!
//! Parsers of tunnel headers (`gre.rs`, `l2tp.rs`, `overlay.rs`, ...) say what a packet carries: a layer and its bytes
//! ([`Inside`]). [`innermost`] reads the IP packet in it, and goes on from there. An inner packet is metered in place of
//! the one that carries it only if it can be read; where nothing but a port number speaks for a tunnel, its length has to
//! fit too. A wrong guess so leaves the outer packet as it was, and no packet is lost to one.
//!
//! No tunnel for this purpose: the packet quoted in an ICMP error, what ESP and IPComp hide, Minimal Encapsulation
//! (RFC 2004), which leaves no IP header to point at, and RFC 1241 (protocol 98), which left no traces.

#[cfg(test)]
mod build;
mod gre;
mod gtp;
mod ip;
mod l2tp;
mod mirror;
mod overlay;
mod ppp;
mod teredo;
#[cfg(test)]
mod tests;
mod udp;

use std::fmt;
use std::net::IpAddr;

use flowcore::Protocol;

use super::ip::{self as ip_packet, Decoded};
use super::link::{self, Layer};
use super::transport::Segment;
use super::{Carrier, Note, Packet, offset_in};
#[cfg(test)]
pub(super) use udp::PORTS;
pub(super) use udp::is_udp_tunnel;

/// The outermost tunnel of a metered packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// Source address of the outer packet.
    pub src: IpAddr,
    /// Destination address of the outer packet.
    pub dst: IpAddr,
    /// IP protocol of the outer packet.
    pub protocol: Protocol,
    /// How the inner packet is carried.
    pub kind: TunnelKind,
    /// Network identifier, key, session or tunnel endpoint identifier, where the tunnel has one; see [`TunnelKind`].
    pub id: Option<u32>,
}

/// How a tunnel carries packets. Its text form is stable and meant for records.
///
/// ```
/// use pcap2flow::packet::TunnelKind;
/// assert_eq!(TunnelKind::VxlanGpe.to_string(), "vxlan-gpe");
/// assert!(TunnelKind::Vxlan.id_is_shared());
/// assert!(!TunnelKind::GtpU.id_is_shared());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TunnelKind {
    /// IPv4 or IPv6 in IPv4 or IPv6 (RFC 2003, RFC 2473, RFC 4213). No identifier.
    IpInIp,
    /// Generic Routing Encapsulation (RFC 2784, RFC 2890), also in UDP (RFC 8086). Identifier: the key.
    Gre,
    /// Mirrored Ethernet frames in GRE (draft-foschiano-erspan). Identifier: the session, not in type I.
    Erspan,
    /// Point-to-Point Tunneling Protocol, GRE version 1 (RFC 2637). Identifier: the receiver's call.
    Pptp,
    /// Layer Two Tunneling Protocol version 2 (RFC 2661). Identifier: the receiver's tunnel * 65536 + session.
    L2tp,
    /// Layer Two Tunneling Protocol version 3, over IP or UDP (RFC 3931). Identifier: the receiver's session.
    L2tpV3,
    /// Ethernet in IP by EtherIP (RFC 3378). No identifier.
    EtherIp,
    /// Ethernet in IP as such, as segment routing has it (RFC 8986, protocol 143). No identifier.
    Ethernet,
    /// MPLS in IP (RFC 4023) or UDP (RFC 7510). No identifier; labels are of one direction.
    Mpls,
    /// IPv6 in UDP through address translators (RFC 4380). No identifier.
    Teredo,
    /// Virtual eXtensible Local Area Network (RFC 7348). Identifier: the VXLAN network identifier.
    Vxlan,
    /// VXLAN's Generic Protocol Extension (draft-ietf-nvo3-vxlan-gpe). Identifier: the VXLAN network identifier.
    VxlanGpe,
    /// Generic Network Virtualization Encapsulation (RFC 8926). Identifier: the virtual network identifier.
    Geneve,
    /// User packets of mobile networks (3GPP TS 29.281; version 0: 3GPP TS 09.60). Identifier: the receiver's tunnel
    /// endpoint; the flow label in version 0.
    GtpU,
    /// Generic UDP Encapsulation (draft-ietf-intarea-gue). No identifier.
    Gue,
    /// Locator/ID Separation Protocol (RFC 9300, RFC 9305). Identifier: the instance, if the header names one.
    Lisp,
    /// Frames between access points and their controller (RFC 5415). No identifier.
    Capwap,
    /// Mirrored frames in the TaZmen Sniffer Protocol. No identifier.
    Tzsp,
}

impl TunnelKind {
    /// Whether both directions of a tunnel carry the same identifier, so that it can tell flows apart. In the other
    /// kinds each end chooses the one that it receives.
    pub fn id_is_shared(self) -> bool {
        !matches!(self, Self::Pptp | Self::L2tp | Self::L2tpV3 | Self::GtpU)
    }
}

impl fmt::Display for TunnelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::IpInIp => "ipip",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::Pptp => "pptp",
            Self::L2tp => "l2tp",
            Self::L2tpV3 => "l2tpv3",
            Self::EtherIp => "ether-ip",
            Self::Ethernet => "ethernet",
            Self::Mpls => "mpls",
            Self::Teredo => "teredo",
            Self::Vxlan => "vxlan",
            Self::VxlanGpe => "vxlan-gpe",
            Self::Geneve => "geneve",
            Self::GtpU => "gtp-u",
            Self::Gue => "gue",
            Self::Lisp => "lisp",
            Self::Capwap => "capwap",
            Self::Tzsp => "tzsp",
        })
    }
}

/// What a tunnel header says about what follows it.
#[derive(Debug, Clone, Copy)]
struct Inside<'a> {
    kind: TunnelKind,
    id: Option<u32>,
    layer: Layer,
    data: Segment<'a>,
}

/// Looks into the tunnels that a packet is, down to the innermost packet that can be read.
pub(super) fn innermost(outermost: Decoded<'_>) -> Decoded<'_> {
    let mut carrier = outermost;
    for _ in 0..MAX_TUNNELS {
        match next(&carrier) {
            Some((tunnel, inner)) => carrier = enter(carrier.packet, tunnel, inner),
            None => return carrier,
        }
    }
    if next(&carrier).is_some() {
        carrier.packet.notes.insert(Note::TunnelTooDeep);
    }
    carrier
}

/// The tunnel that a packet is, and the packet in it.
fn next<'a>(carrier: &Decoded<'a>) -> Option<(Tunnel, Decoded<'a>)> {
    let Packet { src, dst, protocol, ports, .. } = carrier.packet;
    let is_in_pieces = carrier.packet.is_in_pieces();
    let (inside, inner) = match (protocol, ports) {
        (Protocol::UDP, Some((src, dst))) => udp::open(src, dst, datagram(carrier)?).find_map(|inside| {
            let (inner, here) = inside.read(is_in_pieces)?;
            fits(&inner, here, is_in_pieces).then_some((inside, inner))
        })?,
        _ => {
            let inside = ip::open(protocol, carrier.upper)?;
            (inside, inside.read(is_in_pieces)?.0)
        }
    };
    Some((Tunnel { src, dst, protocol, kind: inside.kind, id: inside.id }, inner))
}

/// What a UDP packet carries. Its own length is left aside where offload has left none in the IP header, or where it
/// cannot be.
fn datagram<'a>(carrier: &Decoded<'a>) -> Option<Segment<'a>> {
    let (&[.., l0, l1, _, _], data) = carrier.upper.split::<8>()?;
    let length = u32::from(u16::from_be_bytes([l0, l1]));
    let has_no_length = carrier.packet.notes.contains(Note::NoLength);
    Some(if has_no_length || length < 8 { data } else { data.up_to(length - 8) })
}

/// Whether an inner packet, for which there were `here` bytes, makes sense where only a port number announces one.
/// Version and header length have been checked by then; of random bytes, one in tens of thousands gets through.
fn fits(inner: &Decoded<'_>, here: u32, is_in_pieces: bool) -> bool {
    let Decoded { packet, ip, .. } = inner;
    if packet.notes.contains(Note::LongerThanFrame) || packet.notes.contains(Note::ShorterThanHeader) {
        return false;
    }
    if packet.src.is_ipv4() {
        // A checksum of 0 and a length of 0 are left to the network card.
        let is_left_to_offload = ip.get(10..12) == Some(&[0, 0]);
        return packet.notes.contains(Note::NoLength)
            || is_left_to_offload
            || ip_packet::proves_itself(ip, here as usize);
    }
    let fills_it = here.saturating_sub(packet.ip_bytes) <= ETHERNET_PADDING || is_in_pieces;
    fills_it && ip.get(6).is_some_and(|&next| Protocol(next).name().is_some())
}

impl<'a> Inside<'a> {
    /// Reads the IP packet inside. Where a packet around it `is_in_pieces`, this one is the first: the later ones
    /// bring the rest of the inner packet, and are counted for themselves. With the packet comes how many bytes there
    /// were for it.
    fn read(&self, is_in_pieces: bool) -> Option<(Decoded<'a>, u32)> {
        let network = link::walk(self.layer, self.data.bytes).ok()?;
        let here = self.data.skip(offset_in(self.data.bytes, network.ip))?.len;
        let mut inner = ip_packet::decode(network.ip, here as usize).ok()?;
        inner.packet.notes = inner.packet.notes.union(network.notes);
        if is_in_pieces {
            let elsewhere = inner.packet.ip_bytes.saturating_sub(here);
            inner.packet.ip_bytes -= elsewhere;
            if let Some(fragment) = &mut inner.packet.fragment {
                fragment.len = fragment.len.saturating_sub(elsewhere);
            }
            inner.upper.len = inner.upper.len.saturating_sub(elsewhere);
            inner.packet.notes = inner.packet.notes.without(Note::LongerThanFrame);
        }
        Some((inner, here))
    }
}

/// Puts the inner packet in the place of `carrier`, which came in `tunnel`'s outer packet.
fn enter<'a>(carrier: Packet, tunnel: Tunnel, mut inner: Decoded<'a>) -> Decoded<'a> {
    let mut around = carrier.outer.unwrap_or_default();
    if let Some(fragment) = carrier.fragment {
        let Packet { src, dst, .. } = carrier;
        around.carriers.push(Carrier { src, dst, fragment, tunnel: around.tunnel });
    }
    around.tunnel.get_or_insert(tunnel);
    inner.packet.outer = Some(around);
    inner.packet.notes = carrier.notes.union(inner.packet.notes).with(Note::Tunnelled, true);
    inner
}

/// The layer behind an EtherType field of a tunnel. Lengths of IEEE 802.3 frames have no place in it.
fn ether_type(number: u16) -> Option<Layer> {
    const MIN: u16 = 0x0600;
    /// Transparent Ethernet bridging.
    const ETHERNET: u16 = 0x6558;
    match number {
        ETHERNET => Some(Layer::Ethernet),
        MIN.. => Some(Layer::EtherType(number)),
        _ => None,
    }
}

/// What may follow an IP packet in an Ethernet frame of the least length.
const ETHERNET_PADDING: u32 = 46;
/// Tunnels in tunnels that are looked into.
const MAX_TUNNELS: usize = 8;
