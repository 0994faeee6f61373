//! The link layer: from the first byte of a frame to the first byte of its IP packet.
//!
//! The way through Ethernet is inlined for the same reason as the fast path (`fast.rs`).

use super::Skip;
use crate::capture::LinkType;

/// Where the IP packet of a frame starts, and what the layers before it say.
#[derive(Debug)]
pub(super) struct Network<'a> {
    /// From the IP header to the end of the frame, padding included; may be empty.
    pub(super) ip: &'a [u8],
    pub(super) vlan: Option<u16>,
    /// The frame's Ethernet header. Kept as a reference: addresses are copied once, into the packet.
    ethernet: Option<&'a [u8; ETHERNET_HEADER_BYTES]>,
}

/// Finds the IP packet of a frame that starts with this link type's header.
#[inline(always)]
pub(super) fn network(link: LinkType, data: &[u8]) -> Result<Network<'_>, Skip> {
    match link {
        LinkType::ETHERNET => ethernet(data),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Ok(Network::plain(data))
        }
        LinkType::LINUX_SLL => linux_sll(data),
        LinkType::LINUX_SLL2 => linux_sll2(data),
        LinkType::NULL | LinkType::LOOP => loopback(data),
        other => Err(Skip::LinkType(other)),
    }
}

impl<'a> Network<'a> {
    fn plain(ip: &'a [u8]) -> Self {
        Self { ip, vlan: None, ethernet: None }
    }

    /// Source and destination of an Ethernet frame.
    #[inline]
    pub(super) fn macs(&self) -> Option<([u8; 6], [u8; 6])> {
        let &[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, _, _] = self.ethernet?;
        Some(([s0, s1, s2, s3, s4, s5], [d0, d1, d2, d3, d4, d5]))
    }
}

/// Six bytes destination, six bytes source, EtherType.
#[inline(always)]
fn ethernet(data: &[u8]) -> Result<Network<'_>, Skip> {
    let (header, payload) = split::<ETHERNET_HEADER_BYTES>(data)?;
    let &[.., t0, t1] = header;
    let network = ether_type(u16::from_be_bytes([t0, t1]), payload)?;
    Ok(Network { ethernet: Some(header), ..network })
}

/// Packet type, ARPHRD type, address length, address, protocol
/// (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>).
fn linux_sll(data: &[u8]) -> Result<Network<'_>, Skip> {
    let (header, payload) = split::<16>(data)?;
    let [_, _, h0, h1, .., p0, p1] = *header;
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), payload)
}

/// Protocol, two bytes that are 0, interface, ARPHRD type, packet type, address length, address
/// (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>).
fn linux_sll2(data: &[u8]) -> Result<Network<'_>, Skip> {
    let (header, payload) = split::<20>(data)?;
    let [p0, p1, _, _, _, _, _, _, h0, h1, ..] = *header;
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), payload)
}

/// What follows a Linux cooked header; its protocol is an EtherType except on netlink.
fn cooked(hardware: u16, protocol: u16, payload: &[u8]) -> Result<Network<'_>, Skip> {
    const ARPHRD_NETLINK: u16 = 824;
    const PROTOCOL_LLC: u16 = 4;
    match (hardware, protocol) {
        (ARPHRD_NETLINK, family) => Err(Skip::Family(family)),
        (_, PROTOCOL_LLC | MIN_ETHER_TYPE..) => ether_type(protocol, payload),
        _ => Err(Skip::EtherType(protocol)),
    }
}

/// A protocol family in some byte order, then the packet.
fn loopback(data: &[u8]) -> Result<Network<'_>, Skip> {
    const AF_INET: u16 = 2;
    // Linux; Windows; NetBSD and OpenBSD; FreeBSD; macOS.
    const AF_INET6: [u16; 5] = [10, 23, 24, 28, 30];
    let (&family, payload) = split::<4>(data)?;
    let family = u32::from_be_bytes(family).min(u32::from_le_bytes(family));
    match u16::try_from(family) {
        Ok(family) if family == AF_INET || AF_INET6.contains(&family) => Ok(Network::plain(payload)),
        Ok(family) => Err(Skip::Family(family)),
        Err(_) => Err(Skip::BadLinkHeader),
    }
}

/// Follows EtherTypes through any stack of tags; every turn takes bytes off the frame.
#[inline(always)]
fn ether_type(mut kind: u16, mut data: &[u8]) -> Result<Network<'_>, Skip> {
    let mut vlan = None;
    loop {
        let ip = match kind {
            0x0800 | 0x86dd => data,
            VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN => {
                let (&[i0, i1, t0, t1], payload) = split::<4>(data)?;
                let id = u16::from_be_bytes([i0, i1]) & 0x0fff;
                // Identifier 0 means that the tag is there for its priority only.
                vlan = if id == 0 { vlan } else { Some(id) };
                (kind, data) = (u16::from_be_bytes([t0, t1]), payload);
                continue;
            }
            VN_TAG => {
                let (&[.., t0, t1], payload) = split::<6>(data)?;
                (kind, data) = (u16::from_be_bytes([t0, t1]), payload);
                continue;
            }
            MPLS | MPLS_MULTICAST => mpls(data)?,
            PPPOE_SESSION => pppoe(data)?,
            0..=MAX_802_3_LENGTH => {
                (kind, data) = llc(data)?;
                continue;
            }
            0x0806 | 0x8035 => return Err(Skip::Arp),
            other => return Err(Skip::EtherType(other)),
        };
        return Ok(Network { ip, vlan, ethernet: None });
    }
}

/// IEEE 802.2: the EtherType behind a SNAP header, or IP's own service access point.
fn llc(data: &[u8]) -> Result<(u16, &[u8]), Skip> {
    match data {
        [0xaa, 0xaa, 0x03, 0, 0, 0 | 0xf8, t0, t1, payload @ ..] => {
            Ok((u16::from_be_bytes([*t0, *t1]), payload))
        }
        [0x06, 0x06, 0x03, payload @ ..] => Ok((0x0800, payload)),
        _ => Err(Skip::Llc),
    }
}

/// Labels up to the one with the bottom bit, then what looks like an IP header: nothing says what it is (RFC 3032).
fn mpls(mut data: &[u8]) -> Result<&[u8], Skip> {
    loop {
        let (label, payload) = split::<4>(data)?;
        data = payload;
        if label[2] & 1 == 1 {
            break;
        }
    }
    match data.first() {
        Some(0x45..=0x4f | 0x60..=0x6f) => Ok(data),
        Some(_) => Err(Skip::Mpls),
        None => Err(Skip::ShortFrame),
    }
}

/// PPPoE session stage: version, code, session, length, then PPP (RFC 2516).
fn pppoe(data: &[u8]) -> Result<&[u8], Skip> {
    let (&[.., p0, p1], payload) = split::<8>(data)?;
    match u16::from_be_bytes([p0, p1]) {
        0x0021 | 0x0057 => Ok(payload),
        other => Err(Skip::Ppp(other)),
    }
}

/// The next header, which has `N` bytes, and what follows it.
fn split<const N: usize>(data: &[u8]) -> Result<(&[u8; N], &[u8]), Skip> {
    data.split_first_chunk().ok_or(Skip::ShortFrame)
}

const ETHERNET_HEADER_BYTES: usize = 14;
const VLAN: u16 = 0x8100;
const PROVIDER_VLAN: u16 = 0x88a8;
const OLD_PROVIDER_VLAN: u16 = 0x9100;
const VN_TAG: u16 = 0x8926;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
/// Smaller numbers in the place of an EtherType are the length of an IEEE 802.3 frame.
const MAX_802_3_LENGTH: u16 = 1500;
const MIN_ETHER_TYPE: u16 = 0x0600;

#[cfg(test)]
mod tests {
    use super::*;

    const MACS: ([u8; 6], [u8; 6]) = ([7, 8, 9, 10, 11, 12], [1, 2, 3, 4, 5, 6]);

    fn frame(link: LinkType, parts: &[&[u8]]) -> Result<(Vec<u8>, Option<u16>), Skip> {
        let data = parts.concat();
        network(link, &data).map(|network| (network.ip.to_vec(), network.vlan))
    }

    /// An Ethernet frame, from its EtherType on.
    fn ethernet_frame(parts: &[&[u8]]) -> Result<(Vec<u8>, Option<u16>), Skip> {
        frame(LinkType::ETHERNET, &[&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], parts.concat().as_slice()])
    }

    #[test]
    fn ethernet_with_any_stack_of_tags() {
        let data = [&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0][..], b"ip"].concat();
        let found = network(LinkType::ETHERNET, &data).unwrap();
        assert_eq!((found.ip, found.vlan, found.macs()), (&b"ip"[..], None, Some(MACS)));

        let ip = |vlan| Ok((b"ip".to_vec(), vlan));
        for outer in [[0x81, 0], [0x88, 0xa8], [0x91, 0]] {
            assert_eq!(ethernet_frame(&[&outer, &[0xe0, 5, 0x86, 0xdd], b"ip"]), ip(Some(5)));
            assert_eq!(ethernet_frame(&[&outer, &[0x0f, 0xff, 0x81, 0, 0, 6, 8, 0], b"ip"]), ip(Some(6)));
            assert_eq!(ethernet_frame(&[&outer, &[0, 5, 0x91, 0, 0xe0, 0, 8, 0], b"ip"]), ip(Some(5)));
        }
        assert_eq!(ethernet_frame(&[&[0x81, 0, 0xe0, 0, 8, 0], b"ip"]), ip(None));
        assert_eq!(
            ethernet_frame(&[&[0x81, 0], &[0, 1, 0x88, 0xa8].repeat(20), &[0, 2, 8, 0], b"ip"]),
            ip(Some(2))
        );
        assert_eq!(ethernet_frame(&[&[0x89, 0x26, 0, 0, 0, 1, 0x81, 0, 0, 9, 8, 0], b"ip"]), ip(Some(9)));
    }

    #[test]
    fn what_is_under_labels_and_sessions() {
        let four = || Ok((vec![0x45], None));
        assert_eq!(ethernet_frame(&[&[0x88, 0x47, 0, 1, 0, 64, 0, 1, 1, 64], &[0x45]]), four());
        assert_eq!(ethernet_frame(&[&[0x88, 0x48, 0, 1, 1, 64], &[0x45]]), four());
        // A control word, and a MAC address that starts with a 4: Ethernet under labels.
        assert_eq!(ethernet_frame(&[&[0x88, 0x47, 0, 1, 1, 64], &[0, 0, 0, 0]]), Err(Skip::Mpls));
        assert_eq!(ethernet_frame(&[&[0x88, 0x47, 0, 1, 1, 64], &[0x40, 0, 0, 0]]), Err(Skip::Mpls));
        assert_eq!(ethernet_frame(&[&[0x88, 0x47, 0, 1, 0, 64]]), Err(Skip::ShortFrame));
        assert_eq!(ethernet_frame(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0, 0x21], &[0x45]]), four());
        assert_eq!(ethernet_frame(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0xc0, 0x21]]), Err(Skip::Ppp(0xc021)));
    }

    #[test]
    fn ieee_802_3_carries_ip_behind_snap() {
        assert_eq!(
            ethernet_frame(&[&[0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], b"ip"]),
            Ok((b"ip".to_vec(), None))
        );
        assert_eq!(ethernet_frame(&[&[0, 60, 6, 6, 3], b"ip"]), Ok((b"ip".to_vec(), None)));
        assert_eq!(ethernet_frame(&[&[0, 60, 0x42, 0x42, 3, 0, 0]]), Err(Skip::Llc));
        assert_eq!(ethernet_frame(&[&[0, 60, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0]]), Err(Skip::Llc));
        assert_eq!(ethernet_frame(&[&[0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 6]]), Err(Skip::Arp));
        assert_eq!(ethernet_frame(&[&[0x05, 0xdd]]), Err(Skip::EtherType(0x05dd)));
    }

    #[test]
    fn linux_cooked() {
        let sll = |hardware: u8, protocol: [u8; 2]| {
            let header = [&[0, 0, 3, hardware, 0, 6], &[7, 8, 9, 10, 11, 12, 0, 0][..], &protocol].concat();
            frame(LinkType::LINUX_SLL, &[&header, &[0, 5, 8, 0], b"ip"])
        };
        assert_eq!(sll(1, [8, 0]), Ok((b"\0\x05\x08\0ip".to_vec(), None)));
        assert_eq!(sll(1, [0x81, 0]), Ok((b"ip".to_vec(), Some(5))));
        assert_eq!(sll(1, [0, 4]), Err(Skip::Llc));
        assert_eq!(sll(1, [0, 0x0c]), Err(Skip::EtherType(0x0c)));
        assert_eq!(sll(0x38, [8, 0]), Err(Skip::Family(0x0800)));

        let sll2 = |protocol: [u8; 2]| {
            let header = [&protocol[..], &[0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 7, 8, 9, 10, 11, 12, 0, 0]].concat();
            frame(LinkType::LINUX_SLL2, &[&header, b"ip"])
        };
        assert_eq!(sll2([0x86, 0xdd]), Ok((b"ip".to_vec(), None)));
        assert_eq!(sll2([8, 6]), Err(Skip::Arp));
    }

    #[test]
    fn loopback_families_of_every_system_and_byte_order() {
        for link in [LinkType::NULL, LinkType::LOOP] {
            for family in [2_u32, 10, 23, 24, 28, 30] {
                for bytes in [family.to_be_bytes(), family.to_le_bytes()] {
                    assert_eq!(frame(link, &[&bytes, b"ip"]), Ok((b"ip".to_vec(), None)));
                }
            }
            assert_eq!(frame(link, &[&[7, 0, 0, 0]]), Err(Skip::Family(7)));
            assert_eq!(frame(link, &[&[1, 2, 3, 4]]), Err(Skip::BadLinkHeader));
        }
    }

    #[test]
    fn raw_ip_and_what_is_not_read() {
        for number in [12, 14, 101, 228, 229] {
            assert_eq!(frame(LinkType(number), &[b"ip"]), Ok((b"ip".to_vec(), None)));
        }
        assert_eq!(frame(LinkType(105), &[b"ip"]), Err(Skip::LinkType(LinkType(105))));
    }

    #[test]
    fn every_cut_before_the_ip_header_is_short() {
        let tagged = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0, 0, 1, 0x89, 0x26, 0, 0, 0, 1, 8, 0];
        for length in 0..tagged.len() {
            assert_eq!(network(LinkType::ETHERNET, &tagged[..length]).unwrap_err(), Skip::ShortFrame);
        }
        for (link, header) in
            [(LinkType::LINUX_SLL, 16), (LinkType::LINUX_SLL2, 20), (LinkType::NULL, 4), (LinkType::LOOP, 4)]
        {
            for length in 0..header {
                assert_eq!(network(link, &vec![0; length]).unwrap_err(), Skip::ShortFrame);
            }
        }
    }
}
