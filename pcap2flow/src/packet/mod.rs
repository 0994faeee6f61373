//! One captured frame in, the IP packet in it out, or the reason why there is none.
//!
//! Pure functions over bytes. [`decode`] walks the link layer (`link.rs`), reads the common kinds of packets in place
//! (`fast.rs`), and leaves everything else (options, extension headers, fragments, cut headers) to the full decoder
//! on `etherparse` (`ip.rs`). Both give the same answer; the tests hold them to it.
//!
//! The packet is the outermost one: what it carries in a tunnel is not looked at.

#[cfg(test)]
mod differential;
mod fast;
mod ip;
mod link;
mod skip;
mod transport;

use std::net::IpAddr;

use flowcore::{Protocol, TcpFlags};

use crate::capture::LinkType;
use link::Network;
pub use skip::Skip;

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
    /// The Authentication Header is a protocol of its own (51), in IPv4 as in IPv6, and so is the Mobility Header.
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
    /// Identifier of the innermost VLAN tag that has one.
    pub vlan: Option<u16>,
    /// Source and destination MAC address of an Ethernet frame.
    pub macs: Option<([u8; 6], [u8; 6])>,
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
    /// Bytes of the packet's payload before this fragment.
    pub offset: u32,
    /// Whether fragments follow.
    pub more: bool,
}

/// The outermost IP packet in a frame.
///
/// `link` is what the frame starts with, `None` if nobody knows; `wire_len` its length in bytes before it was cut
/// to `data`.
///
/// ```
/// use pcap2flow::capture::LinkType;
/// use pcap2flow::packet::{Skip, decode};
///
/// let packet = [
///     0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     0x14, 0xe9, 0, 53, 0, 8, 0, 0, // UDP
/// ];
/// let decoded = decode(Some(LinkType::RAW), 28, &packet).unwrap();
/// assert_eq!(decoded.dst, std::net::Ipv4Addr::new(10, 0, 0, 2));
/// assert_eq!((decoded.ports, decoded.ip_bytes), (Some((5353, 53)), 28));
/// assert_eq!(decode(Some(LinkType(105)), 28, &packet), Err(Skip::LinkType(LinkType(105))));
/// ```
///
/// # Errors
/// When the frame is in no flow; the reason is one of few, to be counted.
pub fn decode(link: Option<LinkType>, wire_len: u32, data: &[u8]) -> Result<Packet, Skip> {
    decode_with(fast::decode, link, wire_len, data)
}

/// [`decode`] without its fast path: slower, and to the same answer. For tests.
///
/// # Errors
/// As [`decode`].
pub fn decode_full(link: Option<LinkType>, wire_len: u32, data: &[u8]) -> Result<Packet, Skip> {
    decode_with(|_| None, link, wire_len, data)
}

#[inline(always)]
fn decode_with(
    fast: impl FnOnce(&Network<'_>) -> Option<Packet>,
    link: Option<LinkType>,
    wire_len: u32,
    data: &[u8],
) -> Result<Packet, Skip> {
    let network = link::network(link.ok_or(Skip::UnknownInterface)?, data)?;
    if let Some(packet) = fast(&network) {
        return Ok(packet);
    }
    let link_bytes = data.len().saturating_sub(network.ip.len());
    let wire_len = (wire_len as usize).max(data.len()).saturating_sub(link_bytes);
    let packet = ip::decode(network.ip, wire_len)?;
    Ok(Packet { vlan: network.vlan, macs: network.macs(), ..packet })
}
