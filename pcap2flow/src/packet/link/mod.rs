//! The link layer: from the first byte of a frame to the first byte of its IP packet.
//!
//! [`network`] starts with a link type, [`walk`] with any layer, for what is inside of tunnels. Both go from layer to
//! layer in one loop, so that no stack of headers, however high, needs memory.

mod ether;
mod host;
mod juniper;
mod lan;
mod mpls;
mod overlay;
mod ppp;
#[cfg(test)]
mod testing;
mod wan;
mod wlan;

use super::{Notes, Skip};
use crate::capture::LinkType;

/// Where the IP packet of a frame starts, and what the layers before it say.
#[derive(Debug)]
pub(super) struct Network<'a> {
    /// From the IP header to the end of the frame, padding included; may be empty.
    pub(super) ip: &'a [u8],
    pub(super) vlan: Option<u16>,
    /// The outermost MPLS label stack, four bytes a label; empty if there is none.
    pub(super) mpls: &'a [u8],
    /// Source and destination of the outermost Ethernet or 802.11 header. Kept as references: addresses are copied
    /// once, into the packet.
    macs: Option<(&'a Mac, &'a Mac)>,
    /// What is odd about the layers before the packet.
    pub(super) notes: Notes,
}

/// What the next bytes of a frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    /// What this link type starts with.
    Link(LinkType),
    /// An Ethernet header.
    Ethernet,
    /// What follows this EtherType.
    EtherType(u16),
    /// IEEE 802.2.
    Llc,
    /// PPP, from its address or its protocol number on.
    Ppp,
    /// A network layer protocol identifier.
    Nlpid,
    /// MPLS labels.
    Mpls,
    /// A network service header.
    Nsh,
    /// ERSPAN of type I or II.
    Erspan2Or1,
    /// ERSPAN of type III.
    Erspan3,
    /// An IP header.
    Ip,
}

/// Finds the IP packet of a frame that starts with this link type's header.
#[inline(always)]
pub(super) fn network(link: LinkType, data: &[u8]) -> Result<Network<'_>, Skip> {
    match link {
        LinkType::ETHERNET => ether::ethernet(data),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => Ok(Network::plain(data)),
        _ => walk(Layer::Link(link), data),
    }
}

/// Finds the IP packet of a frame from any layer on.
pub(super) fn walk(layer: Layer, data: &[u8]) -> Result<Network<'_>, Skip> {
    walk_on(Network::plain(data), layer, data)
}

/// [`walk`], with what is known from the layers before.
///
/// Every step but the last one takes bytes off the frame or goes to a layer that does.
fn walk_on<'a>(mut network: Network<'a>, mut layer: Layer, mut data: &'a [u8]) -> Result<Network<'a>, Skip> {
    loop {
        (layer, data) = match layer {
            Layer::Ip => return Ok(Network { ip: data, ..network }),
            Layer::Link(link) => link_layer(link, data, &mut network)?,
            Layer::Ethernet => ether::header(data, &mut network)?,
            Layer::EtherType(kind) => ether::ether_type(kind, data, &mut network)?,
            Layer::Llc => ether::llc(data)?,
            Layer::Ppp => ppp::ppp(data)?,
            Layer::Nlpid => wan::nlpid(data)?,
            Layer::Mpls => mpls::mpls(data, &mut network)?,
            Layer::Nsh => overlay::nsh(data)?,
            Layer::Erspan2Or1 => overlay::erspan_2_or_1(data)?,
            Layer::Erspan3 => overlay::erspan_3(data)?,
        };
    }
}

/// What a frame of this link type starts with.
fn link_layer<'a>(link: LinkType, data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    match link {
        LinkType::ETHERNET => Ok((Layer::Ethernet, data)),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok((Layer::Ip, data))
        }

        LinkType::SLIP => host::slip(data),
        LinkType::NULL | LinkType::LOOP => host::loopback(data),
        LinkType::LINUX_SLL => host::linux_sll(data),
        LinkType::LINUX_SLL2 => host::linux_sll2(data),
        LinkType::NFLOG => host::nflog(data),
        LinkType::PFLOG => host::pflog(data),
        LinkType::ENC => host::enc(data),
        LinkType::IPNET => host::ipnet(data),
        LinkType::PKTAP => host::pktap(data),

        LinkType::IEEE802_11 => wlan::plain(data, network),
        LinkType::IEEE802_11_RADIOTAP => wlan::radiotap(data, network),
        LinkType::IEEE802_11_PRISM => wlan::prism(data),
        LinkType::IEEE802_11_AVS => wlan::avs(data),
        LinkType::PPI => wlan::ppi(data),

        LinkType::PPP | LinkType::PPP_HDLC => ppp::serial(data),
        LinkType::PPP_PPPD | LinkType::PPP_WITH_DIR => ppp::serial(split::<1>(data)?.1),
        LinkType::PPP_ETHER => Ok((Layer::EtherType(ether::PPPOE_SESSION), data)),
        LinkType::C_HDLC => wan::cisco_hdlc(data),
        LinkType::C_HDLC_WITH_DIR => wan::cisco_hdlc(split::<1>(data)?.1),
        LinkType::FRELAY => wan::frame_relay(data),
        LinkType::FRELAY_WITH_DIR => wan::frame_relay(split::<1>(data)?.1),
        LinkType::MFR => wan::multilink_frame_relay(data),
        LinkType::ATM_RFC1483 | LinkType::ATM_RFC1483_BSD => Ok((Layer::Llc, data)),
        LinkType::ATM_CLIP | LinkType::ATM_CLIP_BSD => wan::classical_ip(data),
        LinkType::SUNATM => wan::sun_atm(data),

        LinkType::FDDI => lan::fddi(data),
        LinkType::IEEE802_5 => lan::token_ring(data),
        LinkType::ARCNET_BSD => lan::arcnet_bsd(data),
        LinkType::ARCNET_LINUX => lan::arcnet_linux(data),
        LinkType::IPOIB => lan::ip_over_infiniband(data),
        LinkType::IP_OVER_FC => lan::ip_over_fibre_channel(data),
        LinkType::APPLE_IP_OVER_IEEE1394 => lan::ip_over_firewire(data),
        LinkType::DOCSIS => lan::docsis(data),
        LinkType::NETANALYZER | LinkType::DSA_TAG_BRCM_PREPEND => Ok((Layer::Ethernet, split::<4>(data)?.1)),
        // A preamble, behind the analyzer's own header in the first.
        LinkType::NETANALYZER_TRANSPARENT => Ok((Layer::Ethernet, split::<12>(data)?.1)),
        LinkType::EPON => Ok((Layer::Ethernet, split::<8>(data)?.1)),
        LinkType::ETHERNET_MPACKET => lan::mpacket(data),
        LinkType::DSA_TAG_BRCM => lan::switch_tagged::<4>(data, |_| None, network),
        LinkType::DSA_TAG_DSA => lan::switch_tagged(data, lan::marvell_vlan, network),
        LinkType::DSA_TAG_EDSA => {
            lan::switch_tagged(data, |&[_, _, _, _, tag @ ..]: &[u8; 8]| lan::marvell_vlan(&tag), network)
        }

        LinkType::JUNIPER_ETHER
        | LinkType::JUNIPER_PPPOE
        | LinkType::JUNIPER_PPPOE_ATM
        | LinkType::JUNIPER_PPP
        | LinkType::JUNIPER_MLPPP
        | LinkType::JUNIPER_FRELAY
        | LinkType::JUNIPER_CHDLC
        | LinkType::JUNIPER_ATM1
        | LinkType::JUNIPER_ATM2
        | LinkType::JUNIPER_GGSN
        | LinkType::JUNIPER_MONITOR
        | LinkType::JUNIPER_SERVICES => juniper::juniper(link, data),
        other => Err(Skip::LinkType(other)),
    }
}

impl<'a> Network<'a> {
    fn plain(ip: &'a [u8]) -> Self {
        Self { ip, vlan: None, mpls: &[], macs: None, notes: Notes::NONE }
    }

    /// Source and destination address of the frame.
    #[inline]
    pub(super) fn macs(&self) -> Option<([u8; 6], [u8; 6])> {
        self.macs.map(|(&source, &destination)| (source, destination))
    }

    /// The MPLS labels, no more than ten, each without its TTL.
    pub(super) fn labels(&self) -> Vec<u32> {
        let (labels, _) = self.mpls.as_chunks();
        labels.iter().take(10).map(|&label| u32::from_be_bytes(label) >> 8).collect()
    }
}

/// What follows a header, or why nothing does that can be read.
type Step<'a> = Result<(Layer, &'a [u8]), Skip>;

type Mac = [u8; 6];

/// The next header, which has `N` bytes, and what follows it.
#[inline(always)]
fn split<const N: usize>(data: &[u8]) -> Result<(&[u8; N], &[u8]), Skip> {
    data.split_first_chunk().ok_or(Skip::ShortFrame)
}

/// What follows the next header, which has this many bytes.
fn skip(data: &[u8], bytes: usize) -> Result<&[u8], Skip> {
    data.get(bytes..).ok_or(Skip::ShortFrame)
}

/// Whether the first byte is one of an IPv4 or IPv6 header.
fn starts_as_ip(data: &[u8]) -> bool {
    matches!(data.first(), Some(0x45..=0x4f | 0x60..=0x6f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_named() {
        for (number, text) in [
            (227, "link type 227 (CAN_SOCKETCAN) not read"),
            (253, "link type 253 (NETLINK) not read"),
            (149, "link type 149 (USER2) not read"),
            (131, "link type 131 (JUNIPER_MLFR) not read"),
            (65_000, "link type 65000 not read"),
        ] {
            let skip = network(LinkType(number), &testing::IP).unwrap_err();
            assert_eq!(skip.to_string(), text);
        }
    }

    #[test]
    fn every_link_type_withstands_anything() {
        let mut state = 1_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Small numbers and the ones with a meaning are as likely as all others together.
            match state >> 30 {
                0 => 0,
                1 => [1, 3, 8, 0x45, 0x60, 0x81, 0x88, 0xaa, 0xff][(state >> 8) as usize % 9],
                _ => (state >> 16) as u8,
            }
        };
        let mut read = 0;
        for _ in 0..200 {
            let data: Vec<u8> = (0..96).map(|_| byte()).collect();
            for link in 0..300 {
                for cut in [96, 60, 31, 17, 9, 5, 2, 0] {
                    let Ok(network) = network(LinkType(link), &data[..cut]) else { continue };
                    assert!(network.ip.len() <= cut && network.labels().len() <= 10);
                    read += 1;
                }
            }
        }
        assert!(read > 10_000, "{read} frames were read");
    }
}
