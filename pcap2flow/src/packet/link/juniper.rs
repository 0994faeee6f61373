//! Frames of Juniper routers: "MGC", flags, extensions if a flag says so, the cookie of the card, then the frame.
//!
//! There is no specification; tcpdump's `print-juniper.c` says what is known. Cards whose frames need more than a cookie
//! taken off (MLFR, MFR, ES) are not read.

use super::{Layer, Step, ppp, skip, split, starts_as_ip, wan};
use crate::capture::LinkType;
use crate::packet::Skip;

/// Finds the frame, and reads it as the link type says.
pub(super) fn juniper(link: LinkType, data: &[u8]) -> Step<'_> {
    const NO_LINK_LAYER: u8 = 0x02;
    const EXTENDED: u8 = 0x80;
    let (&[b'M', b'G', b'C', flags], rest) = split::<4>(data)? else { return Err(Skip::BadLinkHeader) };
    let rest = if flags & EXTENDED != 0 {
        let (&extension, rest) = split::<2>(rest)?;
        skip(rest, u16::from_be_bytes(extension).into())?
    } else {
        rest
    };
    if flags & NO_LINK_LAYER != 0 {
        return ip(skip(rest, 4)?);
    }
    match link {
        LinkType::JUNIPER_ETHER | LinkType::JUNIPER_PPPOE => Ok((Layer::Ethernet, rest)),
        LinkType::JUNIPER_PPPOE_ATM => {
            let (&kind, payload) = split(rest)?;
            Ok((Layer::EtherType(u16::from_be_bytes(kind)), payload))
        }
        LinkType::JUNIPER_PPP => Ok((Layer::Ppp, rest)),
        LinkType::JUNIPER_FRELAY => wan::frame_relay(rest),
        LinkType::JUNIPER_CHDLC => wan::cisco_hdlc(rest),
        LinkType::JUNIPER_ATM1 => atm1(rest),
        LinkType::JUNIPER_ATM2 => atm2(flags, rest),
        LinkType::JUNIPER_MLPPP => multilink_ppp(rest),
        LinkType::JUNIPER_GGSN | LinkType::JUNIPER_MONITOR | LinkType::JUNIPER_SERVICES => ip(skip(rest, 8)?),
        other => Err(Skip::LinkType(other)),
    }
}

/// Kind of cell, circuit.
fn atm1(data: &[u8]) -> Step<'_> {
    const MAINTENANCE: u8 = 0x80;
    match split::<4>(data)? {
        ([MAINTENANCE, ..], _) => Err(Skip::LinkControl),
        (_, frame) => atm(frame),
    }
}

/// Channel, kind of cell; a count of gaps in what is sent marks bridged Ethernet.
fn atm2(flags: u8, data: &[u8]) -> Step<'_> {
    const RECEIVED: u8 = 0x01;
    const MAINTENANCE: u8 = 0x70;
    const GAPS: u8 = 0x3f;
    let (&[_, _, _, gaps, _, _, _, kind], frame) = split::<8>(data)?;
    if kind & MAINTENANCE != 0 {
        return Err(Skip::LinkControl);
    }
    if flags & RECEIVED == 0 && gaps & GAPS != 0 && !is_llc(frame) {
        return Ok((Layer::Ethernet, frame));
    }
    atm(frame)
}

/// What a virtual circuit carries: IEEE 802.2, Cisco's protocol identifiers, IP, or PPP.
fn atm(data: &[u8]) -> Step<'_> {
    match data {
        _ if is_llc(data) => Ok((Layer::Llc, data)),
        [0x03, identified @ ..] => Ok((Layer::Nlpid, identified)),
        _ if starts_as_ip(data) => Ok((Layer::Ip, data)),
        _ => ppp::ppp(data),
    }
}

/// A cookie of two kinds or none, then IP or PPP.
fn multilink_ppp(data: &[u8]) -> Step<'_> {
    const LINK_SERVICES: u8 = 0x54;
    const ADAPTIVE_SERVICES: u8 = 0x47;
    let frame = match split::<1>(data)?.0 {
        [LINK_SERVICES] => skip(data, 2)?,
        [ADAPTIVE_SERVICES] => skip(data, 8)?,
        _ => data,
    };
    if starts_as_ip(frame) { Ok((Layer::Ip, frame)) } else { ppp::ppp(frame) }
}

/// What can only be told by its first byte.
fn ip(data: &[u8]) -> Step<'_> {
    match data.first() {
        Some(_) if starts_as_ip(data) => Ok((Layer::Ip, data)),
        Some(_) => Err(Skip::BadLinkHeader),
        None => Err(Skip::ShortFrame),
    }
}

fn is_llc(data: &[u8]) -> bool {
    data.starts_with(&[0xaa, 0xaa, 0x03]) || data.starts_with(&[0xfe, 0xfe, 0x03])
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    const RECEIVED: [u8; 4] = [b'M', b'G', b'C', 1];
    const SENT: [u8; 4] = [b'M', b'G', b'C', 0];
    const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];

    #[test]
    fn frames_of_all_cards() {
        for head in [&RECEIVED[..], &SENT, &[b'M', b'G', b'C', 0x80, 0, 6, 1, 4, 0, 0, 0, 9]] {
            let of = |link, rest: &[u8]| found(link, &[head, rest]);
            let ethernet = [&ADDRESSES[..], &[8, 0]].concat();
            for link in [LinkType::JUNIPER_ETHER, LinkType::JUNIPER_PPPOE] {
                assert_eq!(of(link, &ethernet).macs, MACS);
            }
            let session = [0x88, 0x64, 0x11, 0, 0, 1, 0, 22, 0, 0x21];
            assert_eq!(of(LinkType::JUNIPER_PPPOE_ATM, &session), NOTHING);
            assert_eq!(of(LinkType::JUNIPER_PPP, &[0xff, 3, 0, 0x21]), NOTHING);
            assert_eq!(of(LinkType::JUNIPER_FRELAY, &[0x18, 0x41, 3, 0xcc]), NOTHING);
            assert_eq!(of(LinkType::JUNIPER_CHDLC, &[0x0f, 0, 8, 0]), NOTHING);
            for link in [LinkType::JUNIPER_GGSN, LinkType::JUNIPER_MONITOR, LinkType::JUNIPER_SERVICES] {
                assert_eq!(of(link, &[9; 8]), NOTHING);
            }
            for header in [&[0x54, 1][..], &[0x47, 0, 0, 0, 0, 0, 0, 0], &[], &[0xff, 3, 0, 0x21]] {
                assert_eq!(found_whole(LinkType::JUNIPER_MLPPP, &[head, header], &IP), NOTHING);
            }
        }
    }

    #[test]
    fn circuits() {
        for header in [&SNAP[..], &[0xfe, 0xfe, 3, 0xcc], &[3, 0xcc], &[], &[0, 0x21]] {
            assert_eq!(found_whole(LinkType::JUNIPER_ATM1, &[&SENT, &[0, 0, 0, 1], header], &IP), NOTHING);
            assert_eq!(found_whole(LinkType::JUNIPER_ATM2, &[&SENT, &[0; 8], header], &IP), NOTHING);
        }
        let gaps = [0, 0, 0, 1, 0, 0, 0, 0];
        let bridged = found_whole(LinkType::JUNIPER_ATM2, &[&SENT, &gaps, &ADDRESSES, &[8, 0]], &IP);
        assert_eq!(bridged.macs, MACS);
        assert_eq!(found_whole(LinkType::JUNIPER_ATM2, &[&RECEIVED, &gaps, &SNAP], &IP), NOTHING);
        assert_eq!(skipped(LinkType::JUNIPER_ATM1, &[&SENT, &[0x80, 0, 0, 1], &IP]), Skip::LinkControl);
        assert_eq!(skipped(LinkType::JUNIPER_ATM2, &[&SENT, &[0; 7], &[0x10], &IP]), Skip::LinkControl);
    }

    #[test]
    fn packets_without_a_link_layer() {
        let head = [b'M', b'G', b'C', 2];
        assert_eq!(found(LinkType::JUNIPER_ETHER, &[&head, &[0, 0, 8, 0]]), NOTHING);
        assert_eq!(skipped(LinkType::JUNIPER_ETHER, &[&head, &[0, 0, 8, 0], &[0x30]]), Skip::BadLinkHeader);
        assert_eq!(skipped(LinkType::JUNIPER_ETHER, &[b"MGD\0", &ADDRESSES]), Skip::BadLinkHeader);
    }
}
