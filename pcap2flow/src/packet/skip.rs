//! Why a frame is in no flow.

use std::fmt;

use crate::capture::LinkType;

/// Why a frame holds no packet to be metered. Its text form is stable and meant as a key of statistics.
///
/// ```
/// use pcap2flow::packet::Skip;
/// assert_eq!(Skip::EtherType(0x88cc).to_string(), "ethertype 0x88cc");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Skip {
    /// The frame is of an interface that the capture does not describe.
    UnknownInterface,
    /// The link type is not read.
    LinkType(LinkType),
    /// The frame ends before an IP header can start.
    ShortFrame,
    /// ARP or RARP.
    Arp,
    /// An Ethernet type that carries no IP that we read.
    EtherType(u16),
    /// An IEEE 802.3 frame (spanning tree, IS-IS, ...) that carries no IP.
    Llc,
    /// A loopback frame of another protocol family.
    Family(u16),
    /// A loopback frame that starts with no protocol family.
    BadLinkHeader,
    /// MPLS labels that carry no IP.
    Mpls,
    /// A PPP protocol other than IP.
    Ppp(u16),
    /// The frame ends inside the fixed part of the IP header.
    ShortIpHeader,
    /// The IP header is neither version 4 nor 6, or shorter than it can be.
    BadIpHeader,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownInterface => f.write_str("unknown interface"),
            Self::LinkType(link) => write!(f, "link type {link} not read"),
            Self::ShortFrame => f.write_str("frame ends before the IP header"),
            Self::Arp => f.write_str("arp"),
            Self::EtherType(number) => write!(f, "ethertype {number:#06x}"),
            Self::Llc => f.write_str("802.3 without IP"),
            Self::Family(number) => write!(f, "protocol family {number}"),
            Self::BadLinkHeader => f.write_str("bad loopback header"),
            Self::Mpls => f.write_str("mpls without IP"),
            Self::Ppp(number) => write!(f, "ppp protocol {number:#06x}"),
            Self::ShortIpHeader => f.write_str("frame ends inside the IP header"),
            Self::BadIpHeader => f.write_str("bad IP header"),
        }
    }
}
