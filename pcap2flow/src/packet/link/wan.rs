//! Serial lines and ATM: Cisco HDLC, frame relay, multilink frame relay, and ATM as RFC 2684 fills it.

use super::{Layer, Step, ether, skip, split};
use crate::packet::Skip;

/// Address, control, EtherType (<https://www.tcpdump.org/linktypes.html>, "LINKTYPE_C_HDLC").
pub(super) fn cisco_hdlc(data: &[u8]) -> Step<'_> {
    /// Keepalives and address requests (SLARP), under the number of RARP.
    const SLARP: u16 = 0x8035;
    match ether::inner_type::<4>(data)? {
        (Layer::EtherType(SLARP), _) => Err(Skip::EtherType(SLARP)),
        other => Ok(other),
    }
}

/// An address of two to four bytes (Q.922), whose last one is odd; then a control byte, padding and a network layer
/// protocol identifier (RFC 2427), or Cisco's way, an EtherType.
pub(super) fn frame_relay(data: &[u8]) -> Step<'_> {
    const UNNUMBERED_INFORMATION: u8 = 0x03;
    let behind_address = match data.iter().take(4).position(|byte| byte & 1 == 1) {
        Some(last @ 1..) => skip(data, last + 1)?,
        None if data.len() < 4 => return Err(Skip::ShortFrame),
        Some(_) | None => return Err(Skip::BadLinkHeader),
    };
    match behind_address {
        [UNNUMBERED_INFORMATION, 0, identified @ ..] | [UNNUMBERED_INFORMATION, identified @ ..] => {
            Ok((Layer::Nlpid, identified))
        }
        _ => ether::inner_type::<2>(behind_address),
    }
}

/// First and last fragment, control frame, sequence number (FRF.16.1); then a frame.
pub(super) fn multilink_frame_relay(data: &[u8]) -> Step<'_> {
    const FIRST: u8 = 0x80;
    const CONTROL: u8 = 0x20;
    match split::<2>(data)? {
        (&[flags, _], _) if flags & CONTROL != 0 => Err(Skip::LinkControl),
        (&[flags, _], _) if flags & FIRST == 0 => Err(Skip::LinkFragment),
        (_, frame) => frame_relay(frame),
    }
}

/// A network layer protocol identifier (RFC 2427, 3).
pub(super) fn nlpid(data: &[u8]) -> Step<'_> {
    match split::<1>(data)? {
        ([0xcc | 0x8e], payload) => Ok((Layer::Ip, payload)),
        ([0xcf], payload) => Ok((Layer::Ppp, payload)),
        ([0x80], payload) => ether::snap(payload, 0),
        (&[other], _) => Err(Skip::Nlpid(other)),
    }
}

/// Classical IP over ATM as Linux captures it: some drivers leave the LLC header on.
pub(super) fn classical_ip(data: &[u8]) -> Step<'_> {
    let layer = if data.starts_with(&[0xaa, 0xaa, 0x03]) { Layer::Llc } else { Layer::Ip };
    Ok((layer, data))
}

/// Direction and kind of traffic, path, channel (<https://www.tcpdump.org/linktypes.html>, "LINKTYPE_SUNATM").
pub(super) fn sun_atm(data: &[u8]) -> Step<'_> {
    const LAN_EMULATION: u8 = 1;
    const LLC: u8 = 2;
    let (&[kind, ..], payload) = split::<4>(data)?;
    match kind & 0x0f {
        // The number of an emulation client is in front of the frame.
        LAN_EMULATION => Ok((Layer::Ethernet, split::<2>(payload)?.1)),
        LLC => Ok((Layer::Llc, payload)),
        _ => Err(Skip::LinkControl),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::capture::LinkType;

    #[test]
    fn cisco_hdlc_by_its_ethertype() {
        assert_eq!(found(LinkType::C_HDLC, &[&[0x0f, 0, 8, 0]]), NOTHING);
        assert_eq!(found(LinkType::C_HDLC, &[&[0x8f, 0, 0x88, 0x47, 0, 1, 1, 64]]).labels, [0x101]);
        assert_eq!(found(LinkType::C_HDLC_WITH_DIR, &[&[1, 0x0f, 0, 0x86, 0xdd]]), NOTHING);
        assert_eq!(skipped(LinkType::C_HDLC, &[&[0x8f, 0, 0x80, 0x35, 0, 0]]), Skip::EtherType(0x8035));
        assert_eq!(skipped(LinkType::C_HDLC, &[&[0x0f, 0, 0xfe, 0xfe, 3, 0x83]]), Skip::EtherType(0xfefe));
    }

    #[test]
    fn frame_relay_with_every_address_and_header() {
        for address in [&[0x18, 0x41][..], &[0x18, 0x40, 1], &[0x18, 0x40, 0, 1]] {
            for header in
                [&[3, 0xcc][..], &[3, 0, 0xcc], &[3, 0x8e], &[3, 0xcf, 0, 0x21], &[8, 0], &[0x86, 0xdd]]
            {
                assert_eq!(found_whole(LinkType::FRELAY, &[address, header], &IP), NOTHING);
            }
            let routed = [3, 0, 0x80, 0, 0, 0, 8, 0];
            assert_eq!(found(LinkType::FRELAY, &[address, &routed]), NOTHING);
            assert_eq!(found(LinkType::FRELAY_WITH_DIR, &[&[0], address, &routed]), NOTHING);
            for kind in [1, 7] {
                let bridged = [&[3, 0, 0x80, 0, 0x80, 0xc2, 0, kind], &ADDRESSES[..], &[8, 0]].concat();
                let expected = Found { macs: MACS, ..NOTHING };
                assert_eq!(found(LinkType::FRELAY, &[address, &bridged]), expected);
            }
            assert_eq!(skipped(LinkType::FRELAY, &[address, &[3, 8, 0, 0x75]]), Skip::Nlpid(8));
            assert_eq!(skipped(LinkType::FRELAY, &[address, &[3, 0x80, 0, 0x80, 0xc2, 0, 0x0e]]), Skip::Llc);
        }
        for address in [[0x19, 0x40, 0, 0], [0x18, 0x40, 0, 0]] {
            assert_eq!(skipped(LinkType::FRELAY, &[&address, &IP]), Skip::BadLinkHeader);
        }
    }

    #[test]
    fn multilink_frame_relay_up_to_its_first_fragments() {
        for flags in [0xc1, 0x81] {
            assert_eq!(found(LinkType::MFR, &[&[flags, 7, 0x18, 0x41, 3, 0xcc]]), NOTHING);
        }
        for flags in [0x41, 0x01] {
            assert_eq!(skipped(LinkType::MFR, &[&[flags, 7], &IP]), Skip::LinkFragment);
        }
        assert_eq!(skipped(LinkType::MFR, &[&[0xe1, 0, 1]]), Skip::LinkControl);
    }

    #[test]
    fn atm_behind_llc() {
        for link in [11, 100].map(LinkType) {
            assert_eq!(found(link, &[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]]), NOTHING);
            let bridged = [&[0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0], &ADDRESSES[..], &[8, 0]].concat();
            assert_eq!(found(link, &[&bridged]), Found { macs: MACS, ..NOTHING });
            for identified in [&[0xcc][..], &[0xcf, 0x21]] {
                assert_eq!(found_whole(link, &[&[0xfe, 0xfe, 3], identified], &IP), NOTHING);
            }
            assert_eq!(skipped(link, &[&[0xfe, 0xfe, 3, 0x81]]), Skip::Llc);
        }
    }

    #[test]
    fn classical_ip_with_and_without_llc() {
        for link in [19, 106].map(LinkType) {
            assert_eq!(found(link, &[]), NOTHING);
            assert_eq!(found_whole(link, &[], &IP6), NOTHING);
            let frame = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &IP[..]].concat();
            assert_eq!(super::super::network(link, &frame).unwrap().ip, IP);
        }
    }

    #[test]
    fn sun_atm_of_every_kind() {
        for direction in [0, 0x80] {
            let header = |kind: u8| [direction | kind, 0, 0, 100];
            assert_eq!(found(LinkType::SUNATM, &[&header(2), &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]]), NOTHING);
            let emulated = found(LinkType::SUNATM, &[&header(1), &[0, 9], &ADDRESSES, &[8, 0]]);
            assert_eq!(emulated, Found { macs: MACS, ..NOTHING });
            assert_eq!(skipped(LinkType::SUNATM, &[&header(6), &IP]), Skip::LinkControl);
        }
    }
}
