//! Builds frames from the inside out: TCP, UDP, ICMP or anything else, in IPv4 or IPv6, in Ethernet with any number
//! of VLAN tags. Lengths and checksums are right; tests that need wrong ones change the bytes afterwards.
//!
//! ```
//! use flow_tests::packet::{Link, Packet, Tcp, flags};
//! let syn = Packet::tcp("10.0.0.1:40000", "10.0.0.2:80", Tcp { flags: flags::SYN, ..Tcp::default() });
//! assert_eq!(syn.ip_bytes(), 40);
//! assert_eq!(syn.frame(&Link::default().vlan(7)).len(), 14 + 4 + 40);
//! ```

use std::net::{IpAddr, SocketAddr};

/// TCP control bits.
pub mod flags {
    /// The sender has no more data.
    pub const FIN: u8 = 1;
    /// Opens a connection.
    pub const SYN: u8 = 2;
    /// Ends a connection at once.
    pub const RST: u8 = 4;
    /// Data to hand on without delay.
    pub const PSH: u8 = 8;
    /// The acknowledgement number counts.
    pub const ACK: u8 = 16;
}

/// An IP packet and what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Sender.
    pub src: IpAddr,
    /// Receiver, of the same family as the sender.
    pub dst: IpAddr,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Type of service or traffic class.
    pub tos: u8,
    /// IPv4 identification; not sent in IPv6.
    pub ident: u16,
    /// What is inside.
    pub content: Content,
}

/// What an IP packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A TCP segment.
    Tcp(Tcp),
    /// A UDP datagram.
    Udp {
        /// Port of the sender.
        src_port: u16,
        /// Port of the receiver.
        dst_port: u16,
        /// Bytes after the UDP header.
        payload: Vec<u8>,
    },
    /// An ICMP or, between IPv6 addresses, ICMPv6 message.
    Icmp {
        /// Message type.
        kind: u8,
        /// Message code.
        code: u8,
        /// The four bytes after the checksum: identifier and sequence number of an echo.
        rest: [u8; 4],
        /// Bytes after the ICMP header.
        payload: Vec<u8>,
    },
    /// Any other protocol, without ports.
    Other {
        /// IP protocol number.
        protocol: u8,
        /// Bytes after the IP header.
        payload: Vec<u8>,
    },
}

/// A TCP segment; the default is empty, without flags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tcp {
    /// Port of the sender.
    pub src_port: u16,
    /// Port of the receiver.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgement number.
    pub ack: u32,
    /// Control bits.
    pub flags: u8,
    /// Options, filled up to a multiple of four bytes when written.
    pub options: Vec<u8>,
    /// Data.
    pub payload: Vec<u8>,
}

/// The Ethernet header of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Sender.
    pub src: [u8; 6],
    /// Receiver.
    pub dst: [u8; 6],
    /// VLAN ids, outermost first.
    pub vlans: Vec<u16>,
}

impl Packet {
    /// A packet with ordinary header fields.
    pub fn new(src: IpAddr, dst: IpAddr, content: Content) -> Self {
        assert_eq!(src.is_ipv4(), dst.is_ipv4(), "{src} and {dst} are of different families");
        Self { src, dst, ttl: 64, tos: 0, ident: 1, content }
    }

    /// A TCP packet between two sockets, whose ports replace those of `tcp`.
    pub fn tcp(src: impl IntoSocket, dst: impl IntoSocket, tcp: Tcp) -> Self {
        let (src, dst) = (src.socket(), dst.socket());
        let tcp = Tcp { src_port: src.port(), dst_port: dst.port(), ..tcp };
        Self::new(src.ip(), dst.ip(), Content::Tcp(tcp))
    }

    /// A UDP packet between two sockets.
    pub fn udp(src: impl IntoSocket, dst: impl IntoSocket, payload: Vec<u8>) -> Self {
        let (src, dst) = (src.socket(), dst.socket());
        let content = Content::Udp { src_port: src.port(), dst_port: dst.port(), payload };
        Self::new(src.ip(), dst.ip(), content)
    }

    /// IP protocol number.
    pub fn protocol(&self) -> u8 {
        match (&self.content, self.src) {
            (Content::Tcp(_), _) => 6,
            (Content::Udp { .. }, _) => 17,
            (Content::Icmp { .. }, IpAddr::V4(_)) => 1,
            (Content::Icmp { .. }, IpAddr::V6(_)) => 58,
            (Content::Other { protocol, .. }, _) => *protocol,
        }
    }

    /// Ports of sender and receiver; 0 for protocols without ports.
    pub fn ports(&self) -> (u16, u16) {
        match &self.content {
            Content::Tcp(tcp) => (tcp.src_port, tcp.dst_port),
            Content::Udp { src_port, dst_port, .. } => (*src_port, *dst_port),
            Content::Icmp { .. } | Content::Other { .. } => (0, 0),
        }
    }

    /// TCP control bits; 0 for other protocols.
    pub fn flags(&self) -> u8 {
        match &self.content {
            Content::Tcp(tcp) => tcp.flags,
            _ => 0,
        }
    }

    /// Bytes from the IP header on: what flow records count.
    pub fn ip_bytes(&self) -> u64 {
        let content = match &self.content {
            Content::Tcp(tcp) => 20 + tcp.options.len().next_multiple_of(4) + tcp.payload.len(),
            Content::Udp { payload, .. } | Content::Icmp { payload, .. } => 8 + payload.len(),
            Content::Other { payload, .. } => payload.len(),
        };
        let header = if self.src.is_ipv4() { 20 } else { 40 };
        (header + content) as u64
    }

    /// The packet as bytes, from the IP header on.
    pub fn bytes(&self) -> Vec<u8> {
        let mut content = self.content_bytes();
        if let Some(at) = self.checksum_place() {
            let sum = checksum(&[&self.pseudo_header(content.len()), &content]);
            let sum = if sum == 0 && self.protocol() == 17 { 0xffff } else { sum };
            content[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        let mut bytes = self.ip_header(content.len());
        bytes.append(&mut content);
        bytes
    }

    /// The packet in an Ethernet frame.
    pub fn frame(&self, link: &Link) -> Vec<u8> {
        let ethertype = if self.src.is_ipv4() { 0x0800 } else { 0x86dd };
        link.frame(ethertype, &self.bytes())
    }

    /// Header and payload of the content, with a checksum of 0.
    fn content_bytes(&self) -> Vec<u8> {
        match &self.content {
            Content::Tcp(tcp) => tcp.bytes(),
            Content::Udp { src_port, dst_port, payload } => {
                let fields = [*src_port, *dst_port, length(8 + payload.len()), 0];
                fields.iter().flat_map(|field| field.to_be_bytes()).chain(payload.iter().copied()).collect()
            }
            Content::Icmp { kind, code, rest, payload } => {
                [&[*kind, *code, 0, 0][..], rest, payload].concat()
            }
            Content::Other { payload, .. } => payload.clone(),
        }
    }

    /// Offset of the checksum in the content.
    fn checksum_place(&self) -> Option<usize> {
        match &self.content {
            Content::Tcp(_) => Some(16),
            Content::Udp { .. } => Some(6),
            Content::Icmp { .. } => Some(2),
            Content::Other { .. } => None,
        }
    }

    /// What the content's checksum covers beside the content; nothing for ICMP in IPv4.
    fn pseudo_header(&self, content: usize) -> Vec<u8> {
        let protocol = self.protocol();
        match (self.src, self.dst) {
            (IpAddr::V4(_), IpAddr::V4(_)) if protocol == 1 => Vec::new(),
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                [&src.octets()[..], &dst.octets(), &[0, protocol], &length(content).to_be_bytes()].concat()
            }
            (src, dst) => {
                let content = u32::from(length(content)).to_be_bytes();
                [&octets(src)[..], &octets(dst), &content, &[0, 0, 0, protocol]].concat()
            }
        }
    }

    fn ip_header(&self, content: usize) -> Vec<u8> {
        let (src, dst) = (octets(self.src), octets(self.dst));
        if !self.src.is_ipv4() {
            let first = (6 << 28 | u32::from(self.tos) << 20).to_be_bytes();
            let next = [self.protocol(), self.ttl];
            return [&first[..], &length(content).to_be_bytes(), &next, &src, &dst].concat();
        }
        let mut header = vec![0x45, self.tos];
        for field in [length(20 + content), self.ident, DONT_FRAGMENT] {
            header.extend(field.to_be_bytes());
        }
        header.extend([self.ttl, self.protocol(), 0, 0]);
        header.extend([src, dst].concat());
        let sum = checksum(&[&header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        header
    }
}

impl Tcp {
    fn bytes(&self) -> Vec<u8> {
        let options = self.options.len().next_multiple_of(4);
        let words = u8::try_from((20 + options) / 4).ok().filter(|&words| words < 16);
        let words = words.unwrap_or_else(|| panic!("{options} bytes of options do not fit a TCP header"));
        let mut bytes = [self.src_port.to_be_bytes(), self.dst_port.to_be_bytes()].concat();
        bytes.extend([self.seq.to_be_bytes(), self.ack.to_be_bytes()].concat());
        bytes.extend([words << 4, self.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
        bytes.extend(&self.options);
        bytes.resize(20 + options, 0);
        bytes.extend(&self.payload);
        bytes
    }
}

impl Default for Link {
    /// Two locally administered addresses, no VLAN.
    fn default() -> Self {
        Self { src: [2, 0, 0, 0, 0, 1], dst: [2, 0, 0, 0, 0, 2], vlans: Vec::new() }
    }
}

impl Link {
    /// The same header with one more VLAN tag inside those it has.
    #[must_use]
    pub fn vlan(mut self, id: u16) -> Self {
        self.vlans.push(id);
        self
    }

    /// A frame of this ethertype around a payload.
    pub fn frame(&self, ethertype: u16, payload: &[u8]) -> Vec<u8> {
        let mut frame = [self.dst, self.src].concat();
        for id in &self.vlans {
            frame.extend([0x81, 0]);
            frame.extend(id.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame.extend(payload);
        frame
    }
}

/// An address and port, or the text of one.
pub trait IntoSocket {
    /// The address and port.
    fn socket(self) -> SocketAddr;
}

impl IntoSocket for SocketAddr {
    fn socket(self) -> SocketAddr {
        self
    }
}

impl IntoSocket for &str {
    fn socket(self) -> SocketAddr {
        self.parse().unwrap_or_else(|_| panic!("{self} is not an address with a port"))
    }
}

/// The Internet checksum (RFC 1071) of parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 = words.map(|pair| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| low.into())).sum();
    let mut sum = sum;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or_else(|_| panic!("{bytes} bytes do not fit an IP packet"))
}

const DONT_FRAGMENT: u16 = 0x4000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content() -> impl Strategy<Value = Content> {
        let payload = || prop::collection::vec(any::<u8>(), 0..64);
        prop_oneof![
            (any::<u32>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..9), payload()).prop_map(
                |(seq, flags, options, payload)| {
                    Content::Tcp(Tcp { src_port: 9, dst_port: 80, seq, ack: !seq, flags, options, payload })
                }
            ),
            (any::<u16>(), payload()).prop_map(|(src_port, payload)| Content::Udp {
                src_port,
                dst_port: 53,
                payload
            }),
            (any::<u8>(), any::<[u8; 4]>(), payload()).prop_map(|(kind, rest, payload)| Content::Icmp {
                kind,
                code: 0,
                rest,
                payload
            }),
            payload().prop_map(|payload| Content::Other { protocol: 47, payload }),
        ]
    }

    proptest! {
        /// A receiver sums what it got, checksum included, and accepts if that gives 0 after the complement.
        #[test]
        fn receivers_accept_the_checksums(content in content(), six in any::<bool>()) {
            let (src, dst) = if six { ("2001:db8::1", "2001:db8::2") } else { ("10.0.0.1", "10.0.0.2") };
            let packet = Packet::new(src.parse().unwrap(), dst.parse().unwrap(), content);
            let bytes = packet.bytes();
            prop_assert_eq!(bytes.len() as u64, packet.ip_bytes());
            let (header, content) = bytes.split_at(if six { 40 } else { 20 });
            if !six {
                prop_assert_eq!(checksum(&[header]), 0);
            }
            if packet.checksum_place().is_some() {
                prop_assert_eq!(checksum(&[&packet.pseudo_header(content.len()), content]), 0);
            }
        }
    }

    #[test]
    fn a_known_header_has_its_known_checksum() {
        // RFC 1071 example as in every textbook: 4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7.
        let mut packet = Packet::udp("192.168.0.1:1", "192.168.0.199:2", vec![0; 0x73 - 28]);
        packet.ident = 0;
        assert_eq!(packet.bytes()[..12], [0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61]);
    }

    #[test]
    fn vlan_tags_stand_between_addresses_and_ethertype() {
        let frame = Link::default().vlan(100).vlan(7).frame(0x0806, &[0xaa]);
        assert_eq!(frame[12..], [0x81, 0, 0, 100, 0x81, 0, 0, 7, 8, 6, 0xaa]);
    }
}
