//! Local networks other than plain Ethernet and 802.11, and Ethernet with something in front of it or between.
//!
//! Addresses are kept where they are in the order of bits that Ethernet has: not those of FDDI and Token Ring.

use super::{Layer, Mac, Network, Step, ether, skip, split};
use crate::packet::Skip;

/// Frame control, destination, source, IEEE 802.2.
pub(super) fn fddi(data: &[u8]) -> Step<'_> {
    const KIND: u8 = 0x70;
    const LLC_LONG_ADDRESSES: u8 = 0x50;
    match split::<13>(data)? {
        ([control, ..], payload) if control & KIND == LLC_LONG_ADDRESSES => Ok((Layer::Llc, payload)),
        _ => Err(Skip::LinkControl),
    }
}

/// Access control, frame control, destination, source, a route if the source says so, IEEE 802.2.
pub(super) fn token_ring(data: &[u8]) -> Step<'_> {
    const KIND: u8 = 0xc0;
    const LLC: u8 = 0x40;
    const ROUTED: u8 = 0x80;
    const ROUTE_BYTES: u8 = 0x1f;
    let (&[_, control, _, _, _, _, _, _, source, ..], payload) = split::<14>(data)?;
    if control & KIND != LLC {
        return Err(Skip::LinkControl);
    }
    if source & ROUTED == 0 {
        return Ok((Layer::Llc, payload));
    }
    let (&[route], _) = split::<1>(payload)?;
    match route & ROUTE_BYTES {
        0 | 1 => Err(Skip::BadLinkHeader),
        bytes => Ok((Layer::Llc, skip(payload, bytes.into())?)),
    }
}

/// ARCNET as BSD captures it: source, destination, system code, then RFC 1201's split flag and sequence number; a flag
/// of 255 means that four bytes are there to make the frame longer, then all of it again.
pub(super) fn arcnet_bsd(data: &[u8]) -> Step<'_> {
    const EXCEPTION: u8 = 0xff;
    let (&[_, _, code], rest) = split::<3>(data)?;
    match rest {
        [EXCEPTION, ..] if !matches!(code, 240 | 241) => arcnet(code, skip(rest, 4)?),
        _ => arcnet(code, rest),
    }
}

/// ARCNET as Linux captures it: source, destination, offset, system code; exceptions are taken out.
pub(super) fn arcnet_linux(data: &[u8]) -> Step<'_> {
    let (&[_, _, _, _, code], rest) = split::<5>(data)?;
    arcnet(code, rest)
}

/// What is behind a system code: RFC 1051 has no further header, RFC 1201 one with the place in a split packet.
fn arcnet(code: u8, data: &[u8]) -> Step<'_> {
    match code {
        240 => Ok((Layer::Ip, data)),
        212 | 196 => {
            let (&[split_flag, ..], payload) = split::<3>(data)?;
            // Odd in the first fragment, even and not 0 in the others.
            if split_flag != 0 && split_flag & 1 == 0 {
                return Err(Skip::LinkFragment);
            }
            Ok((Layer::Ip, payload))
        }
        213 | 214 | 241 => Err(Skip::Arp),
        other => Err(Skip::Family(other.into())),
    }
}

/// A routing header of 40 bytes, EtherType, two bytes that are 0 (RFC 4391, 6).
pub(super) fn ip_over_infiniband(data: &[u8]) -> Step<'_> {
    let (_, rest) = split::<40>(data)?;
    let (&[t0, t1, _, _], payload) = split::<4>(rest)?;
    Ok((Layer::EtherType(u16::from_be_bytes([t0, t1])), payload))
}

/// Destination and source of eight bytes each, IEEE 802.2 (RFC 2625).
pub(super) fn ip_over_fibre_channel(data: &[u8]) -> Step<'_> {
    Ok((Layer::Llc, split::<16>(data)?.1))
}

/// Destination and source of eight bytes each, EtherType.
pub(super) fn ip_over_firewire(data: &[u8]) -> Step<'_> {
    ether::inner_type::<18>(data)
}

/// Frame control, parameter, length, extended header if there is one, check sequence; then an Ethernet frame
/// (CM-SP-MULPIv3.1, 6.2).
pub(super) fn docsis(data: &[u8]) -> Step<'_> {
    const EXTENDED: u8 = 0x01;
    let (&[control, extended_bytes, ..], rest) = split::<4>(data)?;
    // Data, data that older modems are to ignore.
    if !matches!(control >> 6, 0 | 2) {
        return Err(Skip::LinkControl);
    }
    let extended = if control & EXTENDED != 0 { skip(rest, extended_bytes.into())? } else { rest };
    Ok((Layer::Ethernet, split::<2>(extended)?.1))
}

/// Preamble and frame delimiter, which says what follows (IEEE 802.3br, 99.3).
pub(super) fn mpacket(data: &[u8]) -> Step<'_> {
    match split::<8>(data)? {
        // Later fragments have the delimiter one byte earlier, and their number behind it.
        ([.., 0x61 | 0x52 | 0x9e | 0x2a, _], _) => Err(Skip::LinkFragment),
        // Express frames; first fragments, numbered from 0 to 3.
        ([.., 0xd5 | 0xe6 | 0x4c | 0x7f | 0xb3], frame) => Ok((Layer::Ethernet, frame)),
        // Verify, respond.
        ([.., 0x07 | 0x19], _) => Err(Skip::LinkControl),
        _ => Err(Skip::BadLinkHeader),
    }
}

/// A switch's tag of `N` bytes between the addresses and the EtherType; `vlan` finds a VLAN's number in it
/// (<https://www.tcpdump.org/linktypes.html>, "LINKTYPE_DSA_TAG_...").
pub(super) fn switch_tagged<'a, const N: usize>(
    data: &'a [u8],
    vlan: impl FnOnce(&[u8; N]) -> Option<u16>,
    network: &mut Network<'a>,
) -> Step<'a> {
    let (destination, rest): (&Mac, _) = split(data)?;
    let (source, rest): (&Mac, _) = split(rest)?;
    let (tag, rest) = split(rest)?;
    network.macs = network.macs.or(Some((source, destination)));
    network.vlan = vlan(tag).filter(|&id| id != 0).or(network.vlan);
    ether::inner_type::<2>(rest)
}

/// The VLAN of a tag of Marvell's switches: if its bit 29 is set, it stands for the frame's own tag.
pub(super) fn marvell_vlan(&[first, _, i0, i1]: &[u8; 4]) -> Option<u16> {
    (first & 0x20 != 0).then_some(u16::from_be_bytes([i0, i1]) & 0x0fff)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::capture::LinkType;

    const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    const ETHERNET: Found = Found { vlan: None, macs: MACS, labels: Vec::new() };

    #[test]
    fn rings() {
        assert_eq!(found(LinkType::FDDI, &[&[0x50], &ADDRESSES, &SNAP]), NOTHING);
        assert_eq!(found(LinkType::FDDI, &[&[0xd4], &ADDRESSES, &SNAP]), NOTHING);
        assert_eq!(skipped(LinkType::FDDI, &[&[0x41], &ADDRESSES, &SNAP]), Skip::LinkControl);

        let ring = LinkType::IEEE802_5;
        assert_eq!(found(ring, &[&[0x10, 0x40], &ADDRESSES, &SNAP]), NOTHING);
        let routed = [&[0x10, 0x40], &ADDRESSES[..6], &[0x88, 9, 10, 11, 12, 13]].concat();
        assert_eq!(found(ring, &[&routed, &[0x06, 0x10, 0, 0x11, 0, 0x20], &SNAP]), NOTHING);
        assert_eq!(found(ring, &[&routed, &[0xc2, 0x10], &SNAP]), NOTHING);
        assert_eq!(skipped(ring, &[&routed, &[0xe0, 0x10], &SNAP]), Skip::BadLinkHeader);
        assert_eq!(skipped(ring, &[&[0x10, 0], &ADDRESSES, &SNAP]), Skip::LinkControl);
    }

    #[test]
    fn arcnet_of_both_kinds() {
        let bsd = LinkType::ARCNET_BSD;
        assert_eq!(found(bsd, &[&[1, 2, 212, 0, 0, 7]]), NOTHING);
        assert_eq!(found(bsd, &[&[1, 2, 196, 3, 0, 7]]), NOTHING);
        assert_eq!(found(bsd, &[&[1, 2, 240]]), NOTHING);
        assert_eq!(found(bsd, &[&[1, 2, 212, 0xff, 0xff, 0xff, 212, 0, 0, 7]]), NOTHING);
        assert_eq!(skipped(bsd, &[&[1, 2, 212, 2, 0, 7], &IP]), Skip::LinkFragment);
        assert_eq!(skipped(bsd, &[&[1, 2, 213, 0, 0, 7]]), Skip::Arp);
        assert_eq!(skipped(bsd, &[&[1, 2, 221, 0, 0, 7]]), Skip::Family(221));

        let linux = LinkType::ARCNET_LINUX;
        assert_eq!(found(linux, &[&[1, 2, 0xea, 8, 212, 0, 0, 7]]), NOTHING);
        assert_eq!(found(linux, &[&[1, 2, 0xea, 8, 240]]), NOTHING);
        assert_eq!(skipped(linux, &[&[1, 2, 0xea, 8, 212, 4, 0, 7], &IP]), Skip::LinkFragment);
        assert_eq!(skipped(linux, &[&[1, 2, 0xea, 8, 241]]), Skip::Arp);
    }

    #[test]
    fn ip_over_other_networks() {
        assert_eq!(found(LinkType::IPOIB, &[&[9; 40], &[8, 0, 0, 0]]), NOTHING);
        assert_eq!(skipped(LinkType::IPOIB, &[&[9; 40], &[8, 6, 0, 0]]), Skip::Arp);
        assert_eq!(found(LinkType::IP_OVER_FC, &[&[9; 16], &SNAP]), NOTHING);
        assert_eq!(found(LinkType::APPLE_IP_OVER_IEEE1394, &[&[9; 16], &[0x86, 0xdd]]), NOTHING);
    }

    #[test]
    fn cable_modems() {
        for control in [0x00, 0x80] {
            let header = [control, 0, 0, 60, 0xab, 0xcd];
            assert_eq!(found(LinkType::DOCSIS, &[&header, &ADDRESSES, &[8, 0]]), ETHERNET);
            let header = [control | 1, 5, 0, 60, 0x34, 1, 0, 1, 0, 0xab, 0xcd];
            assert_eq!(found(LinkType::DOCSIS, &[&header, &ADDRESSES, &[8, 0]]), ETHERNET);
        }
        for control in [0xc2, 0x40] {
            assert_eq!(skipped(LinkType::DOCSIS, &[&[control, 0, 0, 60], &IP]), Skip::LinkControl);
        }
    }

    #[test]
    fn ethernet_behind_something() {
        let frame = [&ADDRESSES[..], &[8, 0]].concat();
        for (link, bytes) in [
            (LinkType::NETANALYZER, 4),
            (LinkType::NETANALYZER_TRANSPARENT, 12),
            (LinkType::EPON, 8),
            (LinkType::DSA_TAG_BRCM_PREPEND, 4),
        ] {
            assert_eq!(found(link, &[&vec![0x55; bytes], &frame]), ETHERNET);
        }
        for delimiter in [0xd5, 0xe6, 0x4c, 0x7f, 0xb3] {
            assert_eq!(found(LinkType::ETHERNET_MPACKET, &[&[0x55; 7], &[delimiter], &frame]), ETHERNET);
        }
        assert_eq!(skipped(LinkType::ETHERNET_MPACKET, &[&[0x55; 7], &[0x07], &frame]), Skip::LinkControl);
        let later = [&[0x55; 6], &[0x61, 0xe6][..], &frame].concat();
        assert_eq!(skipped(LinkType::ETHERNET_MPACKET, &[&later]), Skip::LinkFragment);
        assert_eq!(skipped(LinkType::ETHERNET_MPACKET, &[&frame]), Skip::BadLinkHeader);
    }

    #[test]
    fn tags_of_switches() {
        let tagged = |link, tag: &[u8]| found(link, &[&ADDRESSES, tag, &[8, 0]]);
        assert_eq!(tagged(LinkType::DSA_TAG_BRCM, &[0x20, 0, 0, 8]), ETHERNET);
        assert_eq!(tagged(LinkType::DSA_TAG_DSA, &[0xc0, 0x08, 0, 5]), ETHERNET);
        assert_eq!(tagged(LinkType::DSA_TAG_DSA, &[0xe0, 0x08, 0xe0, 5]).vlan, Some(5));
        assert_eq!(tagged(LinkType::DSA_TAG_DSA, &[0xe0, 0x08, 0xe0, 0]).vlan, None);
        assert_eq!(tagged(LinkType::DSA_TAG_EDSA, &[0xda, 0xda, 0, 0, 0xe0, 8, 0x10, 1]).vlan, Some(1));
    }
}
