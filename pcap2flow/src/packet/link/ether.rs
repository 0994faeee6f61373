//! Ethernet and what has an EtherType: tags, other headers in front of another EtherType, IEEE 802.2.
//!
//! The way through Ethernet and VLAN tags is inlined for the same reason as the fast path (`fast.rs`).

use super::{Layer, Mac, Network, Step, skip, split, walk_on};
use crate::packet::Skip;

/// A frame that starts with an Ethernet header, which is the usual one.
#[inline(always)]
pub(super) fn ethernet(data: &[u8]) -> Result<Network<'_>, Skip> {
    let (header, payload) = split::<HEADER_BYTES>(data)?;
    let network = Network { macs: macs(header), ..Network::plain(payload) };
    match header {
        [.., 0x08, 0x00] | [.., 0x86, 0xdd] => Ok(network),
        &[.., t0, t1] => tagged(u16::from_be_bytes([t0, t1]), network),
    }
}

/// What is behind an Ethernet header that has not IP's EtherType.
#[inline]
fn tagged(kind: u16, mut network: Network<'_>) -> Result<Network<'_>, Skip> {
    let (kind, payload) = tags(kind, network.ip, &mut network.vlan)?;
    match kind {
        IPV4 | IPV6 => Ok(Network { ip: payload, ..network }),
        _ => walk_on(network, Layer::EtherType(kind), payload),
    }
}

/// Takes VLAN tags off (IEEE 802.1Q, 802.1ad and the numbers that came before it): identifier, EtherType.
#[inline]
fn tags<'a>(mut kind: u16, mut data: &'a [u8], vlan: &mut Option<u16>) -> Result<(u16, &'a [u8]), Skip> {
    while let VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN | OLDER_PROVIDER_VLAN = kind {
        let (&[i0, i1, t0, t1], payload) = split::<4>(data)?;
        // Identifier 0 means that the tag is there for its priority only.
        match u16::from_be_bytes([i0, i1]) & 0x0fff {
            0 => {}
            id => *vlan = Some(id),
        }
        (kind, data) = (u16::from_be_bytes([t0, t1]), payload);
    }
    Ok((kind, data))
}

/// Six bytes destination, six bytes source, EtherType. The outermost addresses are kept.
pub(super) fn header<'a>(data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    let (header, payload) = split::<HEADER_BYTES>(data)?;
    network.macs = network.macs.or(macs(header));
    let &[.., t0, t1] = header;
    Ok((Layer::EtherType(u16::from_be_bytes([t0, t1])), payload))
}

/// What follows an EtherType.
pub(super) fn ether_type<'a>(kind: u16, data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    match kind {
        IPV4 | IPV6 => Ok((Layer::Ip, data)),
        VLAN | PROVIDER_VLAN | OLD_PROVIDER_VLAN | OLDER_PROVIDER_VLAN => {
            tags(kind, data, &mut network.vlan).map(|(kind, payload)| (Layer::EtherType(kind), payload))
        }
        VN_TAG | HSR => inner_type::<6>(data),
        // Priority, flags, service identifier; then the customer's frame (IEEE 802.1ah).
        I_TAG => Ok((Layer::Ethernet, split::<4>(data)?.1)),
        MPLS | MPLS_MULTICAST => Ok((Layer::Mpls, data)),
        // Version, code, session, length (RFC 2516).
        PPPOE_SESSION => Ok((Layer::Ppp, split::<6>(data)?.1)),
        PPP => Ok((Layer::Ppp, data)),
        TRANSPARENT_ETHERNET => Ok((Layer::Ethernet, data)),
        NSH => Ok((Layer::Nsh, data)),
        ERSPAN_2_OR_1 => Ok((Layer::Erspan2Or1, data)),
        ERSPAN_3 => Ok((Layer::Erspan3, data)),
        MACSEC => macsec(data),
        0..=MAX_802_3_LENGTH | JUMBO_LLC => Ok((Layer::Llc, data)),
        ARP | RARP => Err(Skip::Arp),
        other => Err(Skip::EtherType(other)),
    }
}

/// IEEE 802.2: SNAP, IP's own service access point, or a network layer protocol identifier (RFC 2684).
pub(super) fn llc(data: &[u8]) -> Step<'_> {
    /// Bridged frames are padded to four bytes on ATM, the only place where they occur.
    const BRIDGED_PADDING: usize = 2;
    let (header, payload) = split::<3>(data)?;
    match (header, payload) {
        ([0xaa, 0xaa, 0x03], _) => snap(payload, BRIDGED_PADDING),
        ([0x06, 0x06, 0x03], _) => Ok((Layer::Ip, payload)),
        ([0xfe, 0xfe, 0x03], [0xcc | 0x8e | 0xcf, ..]) => Ok((Layer::Nlpid, payload)),
        _ => Err(Skip::Llc),
    }
}

/// An organisation and its protocol number: EtherTypes, or bridged Ethernet with and without its check sequence.
pub(super) fn snap(data: &[u8], bridged_padding: usize) -> Step<'_> {
    match split::<5>(data)? {
        (&[0, 0, 0 | 0xf8, t0, t1], payload) => Ok((Layer::EtherType(u16::from_be_bytes([t0, t1])), payload)),
        ([0, 0x80, 0xc2, 0, 1 | 7], payload) => Ok((Layer::Ethernet, skip(payload, bridged_padding)?)),
        _ => Err(Skip::Llc),
    }
}

/// A header of `N` bytes that ends in the EtherType of what follows.
pub(super) fn inner_type<const N: usize>(data: &[u8]) -> Step<'_> {
    let (header, payload) = split::<N>(data)?;
    let &kind = header.last_chunk().ok_or(Skip::ShortFrame)?;
    Ok((Layer::EtherType(u16::from_be_bytes(kind)), payload))
}

/// Whether this is an Ethernet frame that goes on as its EtherType says; for where nothing says that it is one.
pub(super) fn is_ethernet_frame(data: &[u8]) -> bool {
    let Ok((&[_, _, _, _, _, _, s0, .., t0, t1], payload)) = split::<HEADER_BYTES>(data) else {
        return false;
    };
    let Ok((kind, payload)) = tags(u16::from_be_bytes([t0, t1]), payload, &mut None) else { return false };
    let follows = match kind {
        IPV4 => matches!(payload.first(), Some(0x45..=0x4f)),
        IPV6 => matches!(payload.first(), Some(0x60..=0x6f)),
        ARP => payload.starts_with(&[0, 1, 8, 0]),
        MPLS | MPLS_MULTICAST | I_TAG => payload.len() >= 4,
        PPPOE_DISCOVERY | PPPOE_SESSION => payload.first() == Some(&0x11),
        0..=MAX_802_3_LENGTH => {
            matches!(payload, [0xaa, 0xaa, 3, ..] | [0x42, 0x42, 3, ..] | [0xfe, 0xfe, 3, ..])
        }
        _ => false,
    };
    // No frame comes from a group address.
    follows && s0 & 1 == 0
}

/// What is behind a SecTAG (IEEE 802.1AE-2018, 9.3), if it is integrity that is protected only.
fn macsec(data: &[u8]) -> Step<'_> {
    const SCI_PRESENT: u8 = 0x20;
    const ENCRYPTED_OR_CHANGED: u8 = 0x0c;
    match split::<6>(data)? {
        ([control, ..], _) if control & ENCRYPTED_OR_CHANGED != 0 => Err(Skip::EtherType(MACSEC)),
        ([control, ..], _) if control & SCI_PRESENT != 0 => inner_type::<16>(data),
        _ => inner_type::<8>(data),
    }
}

/// Source and destination.
#[inline(always)]
fn macs(header: &[u8; HEADER_BYTES]) -> Option<(&Mac, &Mac)> {
    let (destination, rest) = header.split_first_chunk()?;
    Some((rest.first_chunk()?, destination))
}

const HEADER_BYTES: usize = 14;

const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const TRANSPARENT_ETHERNET: u16 = 0x6558;
const RARP: u16 = 0x8035;
const VLAN: u16 = 0x8100;
const IPV6: u16 = 0x86dd;
const PPP: u16 = 0x880b;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_DISCOVERY: u16 = 0x8863;
pub(super) const PPPOE_SESSION: u16 = 0x8864;
const JUMBO_LLC: u16 = 0x8870;
const PROVIDER_VLAN: u16 = 0x88a8;
pub(super) const ERSPAN_2_OR_1: u16 = 0x88be;
const MACSEC: u16 = 0x88e5;
const I_TAG: u16 = 0x88e7;
const VN_TAG: u16 = 0x8926;
const HSR: u16 = 0x892f;
pub(super) const NSH: u16 = 0x894f;
const OLD_PROVIDER_VLAN: u16 = 0x9100;
const OLDER_PROVIDER_VLAN: u16 = 0x9200;
pub(super) const ERSPAN_3: u16 = 0x22eb;
/// Smaller numbers in the place of an EtherType are the length of an IEEE 802.3 frame.
const MAX_802_3_LENGTH: u16 = 1500;

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{network, walk};
    use super::*;
    use crate::capture::LinkType;

    /// What is found behind an Ethernet frame's addresses and these parts.
    #[track_caller]
    fn found_behind(parts: &[&[u8]]) -> Found {
        found(LinkType::ETHERNET, &[&ADDRESSES, &parts.concat()])
    }

    #[track_caller]
    fn skipped_behind(parts: &[&[u8]]) -> Skip {
        skipped(LinkType::ETHERNET, &[&ADDRESSES, &parts.concat()])
    }

    fn vlan(vlan: Option<u16>) -> Found {
        Found { vlan, macs: MACS, ..NOTHING }
    }

    #[test]
    fn any_stack_of_tags() {
        assert_eq!(found_behind(&[&[8, 0]]), vlan(None));
        assert_eq!(found_behind(&[&[0x86, 0xdd]]), vlan(None));
        for outer in [[0x81, 0], [0x88, 0xa8], [0x91, 0], [0x92, 0]] {
            assert_eq!(found_behind(&[&outer, &[0xe0, 5, 0x86, 0xdd]]), vlan(Some(5)));
            assert_eq!(found_behind(&[&outer, &[0x0f, 0xff, 0x81, 0, 0, 6, 8, 0]]), vlan(Some(6)));
            assert_eq!(found_behind(&[&outer, &[0, 5, 0x91, 0, 0xe0, 0, 8, 0]]), vlan(Some(5)));
        }
        assert_eq!(found_behind(&[&[0x81, 0, 0xe0, 0, 8, 0]]), vlan(None));
        assert_eq!(found_behind(&[&[0x81, 0], &[0, 1, 0x88, 0xa8].repeat(20), &[0, 2, 8, 0]]), vlan(Some(2)));
        assert_eq!(found_behind(&[&[0x89, 0x26, 0, 0, 0, 1, 0x81, 0, 0, 9, 8, 0]]), vlan(Some(9)));
        assert_eq!(skipped_behind(&[&[0x81, 0, 0, 1, 8, 6]]), Skip::Arp);
        assert_eq!(skipped_behind(&[&[0x81, 0, 0, 1, 0x88, 0xcc]]), Skip::EtherType(0x88cc));
    }

    #[test]
    fn the_way_of_the_walk_is_the_way_of_frames() {
        for tags in [&[8, 0][..], &[0x81, 0, 0, 7, 0x86, 0xdd], &[0x88, 0xa8, 0, 8, 0x81, 0, 0, 9, 8, 0]] {
            let frame = [&ADDRESSES, tags, &IP].concat();
            let (one, other) = (ethernet(&frame).unwrap(), walk(Layer::Ethernet, &frame).unwrap());
            assert_eq!((one.ip, one.vlan, one.macs()), (other.ip, other.vlan, other.macs()));
        }
    }

    #[test]
    fn frames_in_frames_keep_the_outermost_addresses() {
        let inner = [20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31];
        let backbone = [&[0x88, 0xa8, 0, 3, 0x88, 0xe7, 0, 0, 1, 1][..], &inner].concat();
        assert_eq!(found_behind(&[&backbone, &[0x81, 0, 0, 4, 8, 0]]), vlan(Some(4)));
        assert_eq!(found_behind(&[&backbone, &[8, 0]]), vlan(Some(3)));
        assert_eq!(found_behind(&[&[0x65, 0x58], &inner, &[8, 0]]), vlan(None));
    }

    #[test]
    fn other_headers_in_front_of_an_ethertype() {
        assert_eq!(found_behind(&[&[0x89, 0x2f, 0x10, 60, 0, 1, 8, 0]]), vlan(None));
        assert_eq!(found_behind(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21]]), vlan(None));
        assert_eq!(found_behind(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 21, 0x57]]), vlan(None));
        assert_eq!(skipped_behind(&[&[0x88, 0x64, 0x11, 0, 0, 1, 0, 9, 0xc0, 0x21]]), Skip::Ppp(0xc021));
        assert_eq!(found_behind(&[&[0x88, 0x0b, 0xff, 3, 0, 0x21]]), vlan(None));
        assert_eq!(skipped_behind(&[&[0x88, 0x63, 0x11, 9, 0, 0, 0, 0]]), Skip::EtherType(0x8863));
    }

    #[test]
    fn macsec_is_read_where_it_is_not_encrypted() {
        assert_eq!(found_behind(&[&[0x88, 0xe5, 0x02, 0, 0, 0, 0, 1, 8, 0]]), vlan(None));
        let with_identifier = [&[0x88, 0xe5, 0x22, 0, 0, 0, 0, 1][..], &[1; 8], &[0x86, 0xdd]].concat();
        assert_eq!(found_behind(&[&with_identifier]), vlan(None));
        for control in [0x0c, 0x08, 0x04, 0x2c] {
            assert_eq!(
                skipped_behind(&[&[0x88, 0xe5, control, 0, 0, 0, 0, 1], &IP]),
                Skip::EtherType(0x88e5)
            );
        }
    }

    #[test]
    fn ieee_802_3_carries_ip_behind_snap() {
        for organisation in [[0, 0, 0], [0, 0, 0xf8]] {
            assert_eq!(found_behind(&[&[0, 60, 0xaa, 0xaa, 3], &organisation, &[8, 0]]), vlan(None));
        }
        assert_eq!(found_behind(&[&[0x88, 0x70, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]]), vlan(None));
        assert_eq!(found_behind(&[&[0, 60, 6, 6, 3]]), vlan(None));
        assert_eq!(skipped_behind(&[&[0, 60, 0x42, 0x42, 3, 0, 0]]), Skip::Llc);
        assert_eq!(skipped_behind(&[&[0, 60, 0xfe, 0xfe, 3, 0x83, 0]]), Skip::Llc);
        assert_eq!(skipped_behind(&[&[0, 60, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0]]), Skip::Llc);
        assert_eq!(skipped_behind(&[&[0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 6]]), Skip::Arp);
        assert_eq!(skipped_behind(&[&[0x05, 0xdd]]), Skip::EtherType(0x05dd));
    }

    #[test]
    fn high_stacks_of_headers_end() {
        for header in [
            &[0x81, 0, 0, 1][..],
            &[0x89, 0x26, 0, 0, 0, 1],
            &[0x88, 0x70, 0xaa, 0xaa, 3, 0, 0, 0],
            &[&[0x65, 0x58][..], &ADDRESSES].concat(),
            &[&[0x88, 0xe7, 0, 0, 0, 1][..], &ADDRESSES].concat(),
        ] {
            let frame = [&ADDRESSES, header.repeat(20_000).as_slice(), &[8, 0], &IP].concat();
            assert_eq!(network(LinkType::ETHERNET, &frame).unwrap().ip, IP);
        }
    }

    #[test]
    fn what_makes_sense_as_a_frame() {
        let is_frame = |parts: &[&[u8]]| is_ethernet_frame(&[&ADDRESSES, parts.concat().as_slice()].concat());
        assert!(is_frame(&[&[8, 0], &IP]));
        assert!(is_frame(&[&[0x81, 0, 0, 1, 0x86, 0xdd], &IP6]));
        assert!(is_frame(&[&[8, 6, 0, 1, 8, 0, 6, 4]]));
        assert!(is_frame(&[&[0, 38, 0x42, 0x42, 3, 0, 0]]));
        assert!(!is_frame(&[&[8, 0], &IP6]));
        assert!(!is_frame(&[&[8, 0]]));
        assert!(!is_frame(&[&[0x12, 0x34], &IP]));
        assert!(!is_ethernet_frame(&[&ADDRESSES[..6], &[1, 0, 0, 0, 0, 0, 8, 0], &IP].concat()));
    }
}
