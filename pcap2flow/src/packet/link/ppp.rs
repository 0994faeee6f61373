//! PPP in all its framings.

use super::{Layer, Step, split, wan};
use crate::packet::Skip;

/// PPP on a serial line. Some writers use the same link types for Cisco HDLC, whose addresses no PPP frame has.
pub(super) fn serial(data: &[u8]) -> Step<'_> {
    match data {
        [0x0f | 0x8f, ..] => wan::cisco_hdlc(data),
        _ => ppp(data),
    }
}

/// Address and control if they are there, then a protocol number of one or two bytes (RFC 1661, RFC 1662): the last
/// one is odd.
pub(super) fn ppp(data: &[u8]) -> Step<'_> {
    let numbered = match data {
        [0xff] => return Err(Skip::ShortFrame),
        [0xff, 0x03, rest @ ..] => rest,
        _ => data,
    };
    let (protocol, payload) = match numbered {
        [last, payload @ ..] if last & 1 == 1 => (u16::from(*last), payload),
        [first, last, payload @ ..] => (u16::from_be_bytes([*first, *last]), payload),
        _ => return Err(Skip::ShortFrame),
    };
    match protocol {
        IPV4 | IPV6 => Ok((Layer::Ip, payload)),
        MPLS | MPLS_MULTICAST => Ok((Layer::Mpls, payload)),
        BRIDGED => bridged(payload),
        MULTILINK => multilink(payload),
        other => Err(Skip::Ppp(other)),
    }
}

/// Flags, kind of addresses, and a LAN's number if a flag says so (RFC 3518, 4.2).
fn bridged(data: &[u8]) -> Step<'_> {
    const LAN_PRESENT: u8 = 0x40;
    const ETHERNET: u8 = 1;
    match split::<2>(data)? {
        ([flags, ETHERNET], frame) if flags & LAN_PRESENT != 0 => Ok((Layer::Ethernet, split::<4>(frame)?.1)),
        ([_, ETHERNET], frame) => Ok((Layer::Ethernet, frame)),
        _ => Err(Skip::Ppp(BRIDGED)),
    }
}

/// First and last fragment, then a sequence number (RFC 1990): of 24 bits behind six bits that are 0, or of 12.
fn multilink(data: &[u8]) -> Step<'_> {
    const FIRST: u8 = 0x80;
    let (&[flags, _], after_short) = split::<2>(data)?;
    if flags & FIRST == 0 {
        return Err(Skip::LinkFragment);
    }
    let after_long = split::<2>(after_short)?.1;
    let is_short = flags & 0x3f != 0 || (!starts_as_network(after_long) && starts_as_network(after_short));
    Ok((Layer::Ppp, if is_short { after_short } else { after_long }))
}

/// Whether this is PPP with the number of IP or MPLS.
fn starts_as_network(data: &[u8]) -> bool {
    matches!(data, [0x21 | 0x57, ..] | [0, 0x21 | 0x57, ..] | [2, 0x81 | 0x83, ..])
}

const IPV4: u16 = 0x0021;
const BRIDGED: u16 = 0x0031;
const MULTILINK: u16 = 0x003d;
const IPV6: u16 = 0x0057;
const MPLS: u16 = 0x0281;
const MPLS_MULTICAST: u16 = 0x0283;

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::capture::LinkType;

    #[test]
    fn protocol_numbers_of_one_and_two_bytes() {
        for link in [LinkType::PPP, LinkType::PPP_HDLC] {
            for protocol in [&[0, 0x21][..], &[0x21], &[0, 0x57], &[0x57]] {
                assert_eq!(found(link, &[protocol]), NOTHING);
                assert_eq!(found(link, &[&[0xff, 3], protocol]), NOTHING);
            }
            assert_eq!(found(link, &[&[0xff, 3, 2, 0x81, 0, 1, 1, 64]]).labels, [0x101]);
            assert_eq!(skipped(link, &[&[0xff, 3, 0xc0, 0x21, 1]]), Skip::Ppp(0xc021));
            assert_eq!(skipped(link, &[&[0xfd, 1, 2, 3]]), Skip::Ppp(0xfd));
        }
    }

    #[test]
    fn cisco_hdlc_under_the_numbers_of_ppp() {
        for link in [LinkType::PPP, LinkType::PPP_HDLC] {
            assert_eq!(found(link, &[&[0x0f, 0, 8, 0]]), NOTHING);
            assert_eq!(found(link, &[&[0x8f, 0, 0x86, 0xdd]]), NOTHING);
        }
    }

    #[test]
    fn a_direction_in_front() {
        for link in [LinkType::PPP_PPPD, LinkType::PPP_WITH_DIR] {
            for direction in [0, 1] {
                assert_eq!(found(link, &[&[direction], &[0xff, 3, 0, 0x21]]), NOTHING);
            }
        }
    }

    #[test]
    fn sessions_without_their_ethernet_header() {
        assert_eq!(found(LinkType::PPP_ETHER, &[&[0x11, 0, 0, 1, 0, 22, 0, 0x21]]), NOTHING);
    }

    #[test]
    fn bridged_frames() {
        for header in [&[0, 1][..], &[0x40, 1, 0, 0, 0, 9]] {
            let found = found(LinkType::PPP, &[&[0xff, 3, 0, 0x31], header, &ADDRESSES, &[8, 0]]);
            assert_eq!(found, Found { macs: MACS, ..NOTHING });
        }
        assert_eq!(skipped(LinkType::PPP, &[&[0, 0x31, 0, 3], &[0; 20]]), Skip::Ppp(0x31));
    }

    #[test]
    fn multilink_with_sequence_numbers_of_both_lengths() {
        for sequence in [&[0xc0, 0, 0, 7][..], &[0x80, 0xff, 0xee, 7], &[0xc0, 7], &[0xcf, 0xff]] {
            for protocol in [&[0, 0x21][..], &[0x57]] {
                let found = found_whole(LinkType::PPP, &[&[0xff, 3, 0, 0x3d], sequence, protocol], &IP);
                assert_eq!(found, NOTHING);
            }
        }
        assert_eq!(skipped(LinkType::PPP, &[&[0x3d, 0x40, 0, 0, 8], &IP]), Skip::LinkFragment);
        assert_eq!(skipped(LinkType::PPP, &[&[0x3d, 0, 0, 0, 8], &IP]), Skip::LinkFragment);
        // Multilink in multilink in ...
        let nested = [&[0x3d, 0x80, 0, 0, 0][..]; 10_000].concat();
        assert_eq!(skipped(LinkType::PPP, &[&nested]), Skip::ShortFrame);
    }
}
