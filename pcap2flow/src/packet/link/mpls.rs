//! MPLS: the label stack, and what may be under it, which nothing says.

use super::ether::is_ethernet_frame;
use super::{Layer, Network, Step, split, starts_as_ip};
use crate::packet::Skip;
use crate::packet::ip::proves_itself;

/// Takes labels off up to the one with the bottom bit (RFC 3032).
pub(super) fn mpls<'a>(data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    let mut rest = data;
    let mut is_maintenance = false;
    let bottom = loop {
        let (&[l0, l1, l2, _], payload) = split::<4>(rest)?;
        let label = u32::from_be_bytes([0, l0, l1, l2]) >> 4;
        is_maintenance |= matches!(label, ASSOCIATED_CHANNEL | OAM_ALERT);
        rest = payload;
        if l2 & 1 == 1 {
            break label;
        }
    };
    if network.mpls.is_empty() {
        network.mpls = data.get(..data.len() - rest.len()).unwrap_or_default();
    }
    if is_maintenance { Err(Skip::Mpls) } else { payload(bottom, rest) }
}

/// What is under the labels: IP, or an Ethernet pseudowire with or without its control word (RFC 4448).
///
/// The first four bits are a version, those of a control word, 0, or the start of an address of any kind. So IP whose
/// header proves itself comes first, then a frame that makes sense, and last what only starts as IP does.
fn payload(bottom: u32, data: &[u8]) -> Step<'_> {
    let behind_control_word = match data {
        [] => return Err(Skip::ShortFrame),
        [0x00..=0x0f, _, _, _, frame @ ..] => frame,
        _ => &[],
    };
    if is_certain_ip(bottom, data) {
        Ok((Layer::Ip, data))
    } else if is_ethernet_frame(behind_control_word) {
        Ok((Layer::Ethernet, behind_control_word))
    } else if is_ethernet_frame(data) {
        Ok((Layer::Ethernet, data))
    } else if starts_as_ip(data) {
        Ok((Layer::Ip, data))
    } else {
        Err(Skip::Mpls)
    }
}

/// Whether a label, a checksum or a length says that this is IP.
fn is_certain_ip(bottom: u32, data: &[u8]) -> bool {
    match (bottom, data) {
        (IPV4_EXPLICIT_NULL, [0x45..=0x4f, ..]) | (IPV6_EXPLICIT_NULL, [0x60..=0x6f, ..]) => true,
        _ => proves_itself(data, data.len()),
    }
}

const IPV4_EXPLICIT_NULL: u32 = 0;
const IPV6_EXPLICIT_NULL: u32 = 2;
/// Generic associated channel (RFC 5586).
const ASSOCIATED_CHANNEL: u32 = 13;
/// ITU-T Y.1711 (RFC 3429).
const OAM_ALERT: u32 = 14;

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::walk;
    use super::*;
    use crate::capture::LinkType;

    /// The way to these bytes under a label.
    fn under_label<'a>(label: [u8; 4], data: &'a [u8], frame: &'a mut Vec<u8>) -> Result<&'a [u8], Skip> {
        frame.clear();
        frame.extend([&label, data].concat());
        walk(Layer::Mpls, frame).map(|network| network.ip)
    }

    const LABEL: [u8; 4] = [0, 1, 0x01, 64];

    #[test]
    fn ip_under_any_stack_of_labels() {
        for kind in [[0x88, 0x47], [0x88, 0x48]] {
            let behind = |labels: &[u8]| found(LinkType::ETHERNET, &[&ADDRESSES, &kind, labels]);
            assert_eq!(behind(&LABEL), Found { labels: vec![0x101], macs: MACS, ..NOTHING });
            assert_eq!(behind(&[0, 1, 0, 64, 0, 2, 1, 64]).labels, [0x100, 0x201]);
            assert_eq!(behind(&[[0, 1, 0, 64], [0, 0, 1, 64]].concat()).labels, [0x100, 1]);
            assert_eq!(behind(&[&[0, 1, 0, 64].repeat(20)[..], &LABEL].concat()).labels.len(), 10);
        }
    }

    #[test]
    fn ethernet_with_and_without_a_control_word() {
        let frame = &mut Vec::new();
        for first in [0x00, 0x02, 0x10, 0x40, 0x44, 0x46, 0x4a, 0x60, 0x66, 0xfe] {
            for packet in
                [&[&[8, 0][..], &IP].concat()[..], &[&[0x81, 0, 0, 5, 0x86, 0xdd][..], &IP6].concat()]
            {
                let inner = [&[first, 0, 0, 0, 0x51, 2, 2, 0, 0, 0, 0x51, 1], packet].concat();
                let expected = if packet[0] == 8 { &IP[..] } else { &IP6[..] };
                assert_eq!(under_label(LABEL, &inner, frame), Ok(expected), "{first:#x}");
                let controlled = [&[0, 0, 0, 9], &inner[..]].concat();
                assert_eq!(under_label(LABEL, &controlled, frame), Ok(expected), "{first:#x}");
            }
        }
    }

    #[test]
    fn ip_whose_bytes_look_like_a_frame_is_ip() {
        let frame = &mut Vec::new();
        // The source address starts with the EtherType of IPv4; the version follows.
        let mut packet = IP;
        packet[10..16].copy_from_slice(&[0x22, 0xeb, 8, 0, 0x45, 0]);
        assert!(is_ethernet_frame(&packet));
        assert_eq!(under_label(LABEL, &packet, frame), Ok(&packet[..]));
        // The checksum or the length is enough; without both, only explicit null can tell.
        let padded = [&packet[..], &[0; 6]].concat();
        assert_eq!(under_label(LABEL, &padded, frame), Ok(&padded[..]));
        packet[10] = 0;
        assert_eq!(under_label(LABEL, &packet, frame), Ok(&packet[..]));
        packet[3] = 40;
        assert_ne!(under_label(LABEL, &packet, frame), Ok(&packet[..]));
        assert_eq!(under_label([0, 0, 0x01, 64], &packet, frame), Ok(&packet[..]));

        let mut packet = IP6;
        packet[6] = 58;
        packet[12..15].copy_from_slice(&[8, 0, 0x45]);
        assert!(is_ethernet_frame(&packet));
        assert_eq!(under_label(LABEL, &packet, frame), Ok(&packet[..]));
        packet[5] = 1;
        assert_ne!(under_label(LABEL, &packet, frame), Ok(&packet[..]));
        assert_eq!(under_label([0, 0, 0x21, 64], &packet, frame), Ok(&packet[..]));
    }

    #[test]
    fn what_only_starts_as_ip_is_taken_for_it_last() {
        let frame = &mut Vec::new();
        for packet in [&[0x45][..], &[0x60], &[0x4f, 0, 0, 60], &[0x45; 30]] {
            assert_eq!(under_label(LABEL, packet, frame), Ok(packet));
        }
        for other in [&[0x40, 0, 0, 0][..], &[0x10, 0, 0, 0x21], &[0, 0, 0, 0], &[0, 0, 0, 0, 0x45], &[0x90]]
        {
            assert_eq!(under_label(LABEL, other, frame), Err(Skip::Mpls));
        }
        assert_eq!(under_label(LABEL, &[], frame), Err(Skip::ShortFrame));
        assert_eq!(under_label([0, 1, 0, 64], &[], frame), Err(Skip::ShortFrame));
    }

    #[test]
    fn maintenance_is_no_ip() {
        let frame = &mut Vec::new();
        for label in [[0, 0, 0xd1, 1], [0, 0, 0xe1, 1]] {
            assert_eq!(under_label(label, &IP, frame), Err(Skip::Mpls));
            assert_eq!(under_label([0, 1, 0, 64], &[&label[..], &IP].concat(), frame), Err(Skip::Mpls));
        }
    }
}
