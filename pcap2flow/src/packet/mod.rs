//! One captured frame in, the IP packet in it out, or the reason why there is none.
//!
//! Pure functions over bytes. [`decode`] walks the link layer (`link.rs`), reads the common kinds of packets in place
//! (`fast.rs`), and leaves everything else (options, extension headers, fragments, cut headers) to the full decoder
//! on `etherparse` (`ip.rs`). Both give the same answer; the tests hold them to it.
//!
//! Which packet is metered where one carries another, the outermost or the innermost, is the caller's choice
//! ([`TunnelMode`]); `tunnel/` finds the way in.

#[cfg(test)]
mod differential;
mod fast;
mod flat;
mod ip;
mod link;
mod note;
mod skip;
mod transport;
mod tunnel;

use std::net::IpAddr;

use flowcore::{Protocol, TcpFlags};

use crate::capture::LinkType;
use crate::options::TunnelMode;
pub(crate) use flat::{Flat, decode_flat};
use ip::Decoded;
use link::Network;
pub use note::{Note, Notes};
pub use skip::Skip;
pub use tunnel::{Tunnel, TunnelKind};

/// What a flow has to know of one IP packet.
///
/// Nothing is lost to a cut: a packet counts once its fixed IP header (20 or 40 bytes) is there, with the length it
/// says it has; what lies beyond the cut is `None`. Checksums are not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// What the packet carries, behind IPv6's hop-by-hop, destination, routing and fragment headers.
    ///
    /// A later fragment has what its fragment header says, which is another header where the first fragment has
    /// extension headers behind that one.
    pub protocol: Protocol,
    /// Source and destination port of TCP, UDP, SCTP, DCCP and UDP-Lite; not in later fragments.
    pub ports: Option<(u16, u16)>,
    /// The ICMP or ICMPv6 message; not in later fragments.
    pub icmp: Option<Icmp>,
    /// Length of the IP packet in bytes, headers included, as its header says.
    ///
    /// A length of 0, which segmentation offload leaves, is replaced by the length on the wire. A jumbogram has the
    /// length of its hop-by-hop option.
    pub ip_bytes: u32,
    /// Type of service or traffic class.
    pub tos: u8,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// The TCP segment; not in later fragments.
    pub tcp: Option<Tcp>,
    /// Where the packet belongs in a larger one. `None` for whole packets, also for IPv6 packets with the fragment
    /// header of a whole one ("atomic fragments", RFC 6946).
    pub fragment: Option<Fragment>,
    /// Security parameters index of an ESP packet (RFC 4303).
    pub spi: Option<u32>,
    /// Identifier of the innermost VLAN tag of the frame that has one.
    pub vlan: Option<u16>,
    /// Source and destination MAC address of the frame.
    pub macs: Option<([u8; 6], [u8; 6])>,
    /// What was around the packet; for most there is nothing.
    pub outer: Option<Box<Outer>>,
    /// What is odd about the frame.
    pub notes: Notes,
    /// Where the IP header begins in the frame.
    pub ip_at: u32,
    /// Where the payload of TCP, UDP, UDP-Lite, ICMP or ICMPv6 begins in the frame; 0 if there is none to be seen.
    pub payload_at: u32,
}

/// What a packet was wrapped in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outer {
    /// The outermost tunnel; only where the innermost packet is metered.
    pub tunnel: Option<Tunnel>,
    /// MPLS labels of the frame, outermost first, as in the field `mpls1`: label * 16 + traffic class * 2 + bottom of
    /// stack. No more than ten are kept.
    pub mpls: Vec<u32>,
    /// The packets around this one that are in pieces, outermost first. This one begins in the first piece of each;
    /// the later ones show no more than that they belong there.
    pub carriers: Vec<Carrier>,
}

/// The first fragment of a packet that carries another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carrier {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// What its later fragments have in common with it.
    pub fragment: Fragment,
    /// The outermost tunnel around it, which its later fragments come in too.
    pub tunnel: Option<Tunnel>,
}

/// An Ethernet address as flows hold it: a number of 48 bits.
pub(crate) fn mac_number(mac: [u8; 6]) -> u64 {
    mac.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Packet {
    /// A packet of which no more is known; for callers that bring their own.
    pub fn new(src: IpAddr, dst: IpAddr, protocol: Protocol, ip_bytes: u32) -> Self {
        Self {
            src,
            dst,
            protocol,
            ports: None,
            icmp: None,
            ip_bytes,
            tos: 0,
            ttl: 0,
            tcp: None,
            fragment: None,
            spi: None,
            vlan: None,
            macs: None,
            outer: None,
            notes: Notes::NONE,
            ip_at: 0,
            payload_at: 0,
        }
    }

    /// Whether it is a fragment, or comes in one: more of it is elsewhere.
    #[inline]
    pub fn is_in_pieces(&self) -> bool {
        self.fragment.is_some() || self.outer.as_ref().is_some_and(|outer| !outer.carriers.is_empty())
    }

    /// The captured bytes of the metered IP packet, header included, padding and trailers not.
    pub fn ip_packet<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = self.ip_at as usize;
        let end = start.saturating_add(self.ip_bytes as usize).min(frame.len());
        frame.get(start..end).unwrap_or_default()
    }

    /// The captured bytes behind the transport header; empty in later fragments.
    pub fn payload<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        match self.payload_at.checked_sub(self.ip_at) {
            Some(before) if self.payload_at > 0 => {
                self.ip_packet(frame).get(before as usize..).unwrap_or_default()
            }
            _ => &[],
        }
    }
}

/// Start of an ICMP or ICMPv6 message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// What requests and replies have in common: the identifier of echo, extended echo, timestamp, information and
    /// address mask messages.
    pub id: Option<u16>,
}

/// Start of a TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tcp {
    /// Control bits.
    pub flags: TcpFlags,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number, which means something only with the ACK bit.
    pub ack: u32,
    /// Bytes behind the TCP header, as sent.
    pub payload_len: u32,
}

/// Place of a fragment in its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// What the fragments of a packet have in common, besides addresses and (IPv4) protocol.
    pub id: u32,
    /// What the fragment's own header names: the IPv4 header's protocol, which is that of all fragments, or the next
    /// header behind IPv6's fragment header, which need not be.
    pub protocol: Protocol,
    /// Bytes of the packet's payload before this fragment.
    pub offset: u32,
    /// Bytes of the packet's payload in this fragment; without those that are in other pieces of a packet around it.
    pub len: u32,
    /// Whether fragments follow.
    pub more: bool,
}

/// The IP packet of a frame that is to be metered.
///
/// `link` is what the frame starts with, `None` if nobody knows; `wire_len` its length in bytes before it was cut
/// to `data`.
///
/// ```
/// use pcap2flow::TunnelMode;
/// use pcap2flow::capture::LinkType;
/// use pcap2flow::packet::{Skip, decode};
///
/// let packet = [
///     0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     0x14, 0xe9, 0, 53, 0, 8, 0, 0, // UDP
/// ];
/// let decoded = decode(TunnelMode::Inner, Some(LinkType::RAW), 28, &packet).unwrap();
/// assert_eq!(decoded.dst, std::net::Ipv4Addr::new(10, 0, 0, 2));
/// assert_eq!((decoded.ports, decoded.ip_bytes), (Some((5353, 53)), 28));
/// let unread = LinkType(3);
/// assert_eq!(decode(TunnelMode::Inner, Some(unread), 28, &packet), Err(Skip::LinkType(unread)));
/// ```
///
/// # Errors
/// When the frame is in no flow; the reason is one of few, to be counted.
pub fn decode(mode: TunnelMode, link: Option<LinkType>, wire_len: u32, data: &[u8]) -> Result<Packet, Skip> {
    decode_with(fast::decode, mode, link, wire_len, data)
}

/// [`decode`] of a packet of the common kind, for a caller that takes out of it what it needs with `take`; `None` for any
/// other frame. All of it is inlined there, so that the packet never is in memory as a whole.
#[inline(always)]
pub(crate) fn decode_plain<T>(
    mode: TunnelMode,
    link: Option<LinkType>,
    wire_len: u32,
    data: &[u8],
    take: impl FnOnce(&Packet) -> T,
) -> Option<T> {
    let network = link::network(link?, data).ok()?;
    let ip_at = offset_in(data, network.ip);
    let wire_len = (wire_len as usize).max(data.len()).saturating_sub(ip_at);
    fast::decode(mode, &network, wire_len).map(|packet| take(&packet))
}

/// [`decode`] without its fast path: slower, and to the same answer. For tests.
///
/// # Errors
/// As [`decode`].
pub fn decode_full(
    mode: TunnelMode,
    link: Option<LinkType>,
    wire_len: u32,
    data: &[u8],
) -> Result<Packet, Skip> {
    decode_with(|_, _, _| None, mode, link, wire_len, data)
}

/// `fast` gets the way of metering, the network layer, and how many bytes there were on the wire from the IP header on.
#[inline(always)]
fn decode_with(
    fast: impl FnOnce(TunnelMode, &Network<'_>, usize) -> Option<Packet>,
    mode: TunnelMode,
    link: Option<LinkType>,
    wire_len: u32,
    data: &[u8],
) -> Result<Packet, Skip> {
    let network = link::network(link.ok_or(Skip::UnknownInterface)?, data)?;
    let ip_at = offset_in(data, network.ip);
    let wire_len = (wire_len as usize).max(data.len()).saturating_sub(ip_at);
    match fast(mode, &network, wire_len) {
        Some(mut packet) => {
            packet.ip_at = ip_at as u32;
            packet.payload_at += if packet.payload_at > 0 { ip_at as u32 } else { 0 };
            Ok(packet)
        }
        None => full(mode, &network, wire_len, data),
    }
}

/// The way of all packets that the fast path leaves.
#[inline(never)] // Keeps the rare packets' code out of the fast path's.
fn full(mode: TunnelMode, network: &Network<'_>, wire_len: usize, data: &[u8]) -> Result<Packet, Skip> {
    let decoded = ip::decode(network.ip, wire_len)?;
    let decoded = match mode {
        TunnelMode::Outer => decoded,
        TunnelMode::Inner => tunnel::innermost(decoded),
    };
    let Decoded { mut packet, ip, upper: _, payload } = decoded;
    packet.notes = packet.notes.union(network.notes);
    packet.vlan = network.vlan;
    packet.macs = network.macs();
    if !network.mpls.is_empty() {
        packet.outer.get_or_insert_default().mpls = network.labels();
    }
    packet.ip_at = offset_in(data, ip) as u32;
    packet.payload_at = if payload.is_empty() { 0 } else { offset_in(data, payload) as u32 };
    Ok(packet)
}

/// Where a part of `data` begins in it.
#[inline(always)]
fn offset_in(data: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(data.as_ptr() as usize).min(data.len())
}
