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
    /// A frame of a protocol family (loopback, packet filter logs) or system code (ARCNET) other than IP's.
    Family(u16),
    /// A link-layer header that no system writes.
    BadLinkHeader,
    /// A frame that a link-layer protocol (ATM signalling, cable management, ...) sends for itself.
    LinkControl,
    /// A fragment of a link-layer frame, other than the first one.
    LinkFragment,
    /// An IEEE 802.11 frame that carries no data: management, control, null function.
    Wlan,
    /// An encrypted IEEE 802.11 frame.
    WlanEncrypted,
    /// A network layer protocol identifier (ISO/IEC TR 9577; frame relay and ATM) other than IP's.
    Nlpid(u8),
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
            Self::BadLinkHeader => f.write_str("bad link-layer header"),
            Self::LinkControl => f.write_str("link-layer control frame"),
            Self::LinkFragment => f.write_str("later fragment of a link-layer frame"),
            Self::Wlan => f.write_str("802.11 without data"),
            Self::WlanEncrypted => f.write_str("802.11 encrypted"),
            Self::Nlpid(number) => write!(f, "nlpid {number:#04x}"),
            Self::Mpls => f.write_str("mpls without IP"),
            Self::Ppp(number) => write!(f, "ppp protocol {number:#06x}"),
            Self::ShortIpHeader => f.write_str("frame ends inside the IP header"),
            Self::BadIpHeader => f.write_str("bad IP header"),
        }
    }
}
