//! Headers that the capturing system makes up: loopback, "cooked" captures, packet filter logs, taps.
//!
//! Formats as on the pages of <https://www.tcpdump.org/linktypes.html>.

use super::{Layer, Step, skip, split};
use crate::capture::LinkType;
use crate::packet::Skip;

/// A protocol family in some byte order, then the packet.
pub(super) fn loopback(data: &[u8]) -> Step<'_> {
    let (&number, payload) = split::<4>(data)?;
    family(any_order(number), payload)
}

/// A direction, and 15 bytes of what compression made of the headers.
pub(super) fn slip(data: &[u8]) -> Step<'_> {
    match split::<16>(data)? {
        ([0 | 1, ..], packet) => Ok((Layer::Ip, packet)),
        _ => Err(Skip::BadLinkHeader),
    }
}

/// Packet type, ARPHRD type, address length, address, protocol.
pub(super) fn linux_sll(data: &[u8]) -> Step<'_> {
    let (header, payload) = split::<16>(data)?;
    let [_, _, h0, h1, .., p0, p1] = *header;
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), payload)
}

/// Protocol, two bytes that are 0, interface, ARPHRD type, packet type, address length, address.
pub(super) fn linux_sll2(data: &[u8]) -> Step<'_> {
    let (header, payload) = split::<20>(data)?;
    let [p0, p1, _, _, _, _, _, _, h0, h1, ..] = *header;
    cooked(u16::from_be_bytes([h0, h1]), u16::from_be_bytes([p0, p1]), payload)
}

/// What follows a Linux cooked header; its protocol is an EtherType except on netlink.
fn cooked(hardware: u16, protocol: u16, payload: &[u8]) -> Step<'_> {
    const ARPHRD_NETLINK: u16 = 824;
    const PROTOCOL_LLC: u16 = 4;
    const MIN_ETHER_TYPE: u16 = 0x0600;
    match (hardware, protocol) {
        (ARPHRD_NETLINK, family) => Err(Skip::Family(family)),
        (_, PROTOCOL_LLC) => Ok((Layer::Llc, payload)),
        (_, MIN_ETHER_TYPE..) => Ok((Layer::EtherType(protocol), payload)),
        _ => Err(Skip::EtherType(protocol)),
    }
}

/// Linux netfilter log: family, version, group, then attributes of which one is the packet.
///
/// The attributes are in the byte order of the writer: the first one is short in the right order only.
pub(super) fn nflog(data: &[u8]) -> Step<'_> {
    let (&[number, ..], attributes) = split::<4>(data)?;
    let (&[l0, l1, ..], _) = split::<4>(attributes)?;
    let little_endian = u16::from_le_bytes([l0, l1]) <= u16::from_be_bytes([l0, l1]);
    let packet =
        nflog_packet(attributes, if little_endian { u16::from_le_bytes } else { u16::from_be_bytes })?;
    family(number.into(), packet)
}

/// Each attribute is its length, header included, its kind, its value, and padding to four bytes.
fn nflog_packet(mut attributes: &[u8], number: fn([u8; 2]) -> u16) -> Result<&[u8], Skip> {
    const PACKET: u16 = 9;
    const KIND: u16 = 0x7fff;
    loop {
        let (&[l0, l1, k0, k1], value) = split::<4>(attributes)?;
        let length = usize::from(number([l0, l1]));
        let Some(value_bytes) = length.checked_sub(4) else { return Err(Skip::BadLinkHeader) };
        if number([k0, k1]) & KIND == PACKET {
            return Ok(value.get(..value_bytes).unwrap_or(value));
        }
        attributes = skip(attributes, length.next_multiple_of(4))?;
    }
}

/// OpenBSD's packet filter log: length without padding to four bytes, family, what the filter did.
pub(super) fn pflog(data: &[u8]) -> Step<'_> {
    /// Up to the rule's number; no system has had less.
    const MIN_BYTES: u8 = 45;
    let (&[bytes, number], _) = split::<2>(data)?;
    if bytes < MIN_BYTES {
        return Err(Skip::BadLinkHeader);
    }
    family(number.into(), skip(data, usize::from(bytes).next_multiple_of(4))?)
}

/// OpenBSD's IPsec interface: family in the byte order of the writer, security parameters index, flags.
pub(super) fn enc(data: &[u8]) -> Step<'_> {
    let (&[f0, f1, f2, f3, ..], payload) = split::<12>(data)?;
    family(any_order([f0, f1, f2, f3]), payload)
}

/// Solaris' IP observability: version, family, hook, length, interfaces, zones. Solaris has its own number for IPv6.
pub(super) fn ipnet(data: &[u8]) -> Step<'_> {
    const SOLARIS_AF_INET6: u8 = 26;
    match split::<24>(data)? {
        ([_, SOLARIS_AF_INET6, ..], payload) => Ok((Layer::Ip, payload)),
        (&[_, number, ..], payload) => family(number.into(), payload),
    }
}

/// Apple's packet tap: length, kind of what follows, its link type.
pub(super) fn pktap(data: &[u8]) -> Step<'_> {
    const MIN_BYTES: usize = 12;
    let (&[l0, l1, l2, l3, _, _, _, _, t0, t1, t2, t3], _) = split::<MIN_BYTES>(data)?;
    let link = LinkType(u32::from_le_bytes([t0, t1, t2, t3]));
    match usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])) {
        Ok(bytes @ MIN_BYTES..) => Ok((Layer::Link(link), skip(data, bytes)?)),
        _ => Err(Skip::BadLinkHeader),
    }
}

/// What follows a protocol family.
fn family(number: u32, payload: &[u8]) -> Step<'_> {
    const AF_INET: u16 = 2;
    // Linux; Windows; NetBSD and OpenBSD; FreeBSD; macOS.
    const AF_INET6: [u16; 5] = [10, 23, 24, 28, 30];
    match u16::try_from(number) {
        Ok(number) if number == AF_INET || AF_INET6.contains(&number) => Ok((Layer::Ip, payload)),
        Ok(number) => Err(Skip::Family(number)),
        Err(_) => Err(Skip::BadLinkHeader),
    }
}

/// A small number in the one or the other byte order.
fn any_order(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes).min(u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn loopback_families_of_every_system_and_byte_order() {
        for link in [LinkType::NULL, LinkType::LOOP] {
            for family in [2_u32, 10, 23, 24, 28, 30] {
                for bytes in [family.to_be_bytes(), family.to_le_bytes()] {
                    assert_eq!(found(link, &[&bytes]), NOTHING);
                }
            }
            assert_eq!(skipped(link, &[&[7, 0, 0, 0]]), Skip::Family(7));
            assert_eq!(skipped(link, &[&[1, 2, 3, 4]]), Skip::BadLinkHeader);
        }
    }

    #[test]
    fn raw_ip_under_every_number() {
        for number in [12, 14, 101, 228, 229] {
            assert_eq!(found(LinkType(number), &[]), NOTHING);
        }
    }

    #[test]
    fn slip_directions() {
        for direction in [0, 1] {
            assert_eq!(found(LinkType::SLIP, &[&[direction], &[0; 15]]), NOTHING);
        }
        assert_eq!(skipped(LinkType::SLIP, &[&[0x30; 16], &IP]), Skip::BadLinkHeader);
    }

    #[test]
    fn linux_cooked() {
        let header = |hardware: u8, protocol: [u8; 2]| {
            [&[0, 0, 3, hardware, 0, 6], &[7, 8, 9, 10, 11, 12, 0, 0][..], &protocol].concat()
        };
        let sll = LinkType::LINUX_SLL;
        assert_eq!(found(sll, &[&header(1, [8, 0])]), NOTHING);
        assert_eq!(found(sll, &[&header(1, [0x81, 0]), &[0, 5, 8, 0]]).vlan, Some(5));
        assert_eq!(found(sll, &[&header(1, [0, 4]), &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]]), NOTHING);
        assert_eq!(skipped(sll, &[&header(1, [0, 4]), &[0, 5, 8, 0]]), Skip::Llc);
        assert_eq!(skipped(sll, &[&header(1, [0, 0x0c])]), Skip::EtherType(0x0c));
        assert_eq!(skipped(sll, &[&header(0x38, [8, 0]), &IP]), Skip::Family(0x0800));

        let header = |protocol: [u8; 2]| {
            [&protocol[..], &[0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 7, 8, 9, 10, 11, 12, 0, 0]].concat()
        };
        assert_eq!(found(LinkType::LINUX_SLL2, &[&header([0x86, 0xdd])]), NOTHING);
        assert_eq!(skipped(LinkType::LINUX_SLL2, &[&header([8, 6])]), Skip::Arp);
    }

    #[test]
    fn netfilter_logs_of_both_byte_orders() {
        // A prefix of five bytes, then the packet.
        let little = [[9, 0, 10, 0], [b'd', b'r', b'o', b'p'], [0, 0, 0, 0], [24, 0, 9, 0]].concat();
        let big = [[0, 9, 0, 10], [b'd', b'r', b'o', b'p'], [0, 0, 0, 0], [0, 24, 0, 9]].concat();
        for attributes in [little, big] {
            for family in [2, 10] {
                assert_eq!(found(LinkType::NFLOG, &[&[family, 0, 0, 1], &attributes]), NOTHING);
            }
            assert_eq!(skipped(LinkType::NFLOG, &[&[7, 0, 0, 1], &attributes, &IP]), Skip::Family(7));
        }
        // What follows the packet is not its padding; an attribute without a header ends nowhere.
        let frame = [&[2, 0, 0, 1, 24, 0, 9, 0], &IP[..], &[8, 0, 15, 0, 0, 0, 0, 0]].concat();
        let (_, packet) = nflog(&frame).unwrap();
        assert_eq!(packet, IP);
        for length in 0..4 {
            assert_eq!(skipped(LinkType::NFLOG, &[&[2, 0, 0, 1, length, 0, 1, 0], &IP]), Skip::BadLinkHeader);
        }
    }

    #[test]
    fn packet_filter_logs_of_every_length() {
        for (bytes, padded) in [(45, 48), (61, 64), (64, 64), (100, 100), (253, 256)] {
            let header = [&[bytes, 2], &vec![0; padded - 2][..]].concat();
            assert_eq!(found(LinkType::PFLOG, &[&header]), NOTHING);
        }
        assert_eq!(skipped(LinkType::PFLOG, &[&[61, 18], &[0; 62]]), Skip::Family(18));
        assert_eq!(skipped(LinkType::PFLOG, &[&[44, 2], &[0; 62]]), Skip::BadLinkHeader);
    }

    #[test]
    fn ipsec_interface_and_ip_observability() {
        for family in [[2, 0, 0, 0], [0, 0, 0, 24]] {
            assert_eq!(found(LinkType::ENC, &[&family, &[0, 0, 1, 1, 0, 0, 0, 6]]), NOTHING);
        }
        let ipnet = |family| [&[1, family, 0, 0, 0, 0, 0, 20], &[0; 16][..]].concat();
        assert_eq!(found(LinkType::IPNET, &[&ipnet(2)]), NOTHING);
        assert_eq!(found(LinkType::IPNET, &[&ipnet(26)]), NOTHING);
        assert_eq!(skipped(LinkType::IPNET, &[&ipnet(1), &IP]), Skip::Family(1));
    }

    #[test]
    fn apples_tap_names_the_link_type() {
        let header = |link: u8, bytes: u8| {
            [&[bytes, 0, 0, 0, 1, 0, 0, 0, link, 0, 0, 0], &vec![0; usize::from(bytes.max(12)) - 12][..]]
                .concat()
        };
        assert_eq!(found(LinkType::PKTAP, &[&header(12, 108)]), NOTHING);
        assert_eq!(found(LinkType::PKTAP, &[&header(1, 108), &ADDRESSES, &[8, 0]]).macs, MACS);
        assert_eq!(skipped(LinkType::PKTAP, &[&header(1, 11), &ADDRESSES]), Skip::BadLinkHeader);
        assert_eq!(skipped(LinkType::PKTAP, &[&header(227, 108)]), Skip::LinkType(LinkType::CAN_SOCKETCAN));
        // A tap of a tap of a tap ...
        let nested = [&[12, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0][..]; 10_000].concat();
        assert_eq!(skipped(LinkType::PKTAP, &[&nested]), Skip::ShortFrame);
    }
}
