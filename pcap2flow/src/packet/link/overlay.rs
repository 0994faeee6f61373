//! Headers of overlay networks that occur both under an EtherType and inside of tunnels: NSH and ERSPAN.

use super::ether::{ERSPAN_2_OR_1, ERSPAN_3, NSH, is_ethernet_frame};
use super::{Layer, Step, skip, split};
use crate::packet::Skip;

/// Network service header (RFC 8300, 2.2): flags and length in words of four bytes, metadata type, next protocol,
/// path, metadata.
pub(super) fn nsh(data: &[u8]) -> Step<'_> {
    const MIN_BYTES: usize = 8;
    let (&[_, length, _, next, ..], _) = split::<MIN_BYTES>(data)?;
    let layer = match next {
        1 | 2 => Layer::Ip,
        3 => Layer::Ethernet,
        4 => Layer::Nsh,
        5 => Layer::Mpls,
        _ => return Err(Skip::EtherType(NSH)),
    };
    let bytes = usize::from(length & 0x3f) * 4;
    if bytes < MIN_BYTES {
        return Err(Skip::BadLinkHeader);
    }
    Ok((layer, skip(data, bytes)?))
}

/// The Ethernet frame that ERSPAN mirrors (draft-foschiano-erspan, 4): behind a header of eight bytes in type II; in
/// type I, which has the same number, at once.
///
/// Only GRE's sequence number tells them apart, so it is the frame itself that has to make sense.
pub(super) fn erspan_2_or_1(data: &[u8]) -> Step<'_> {
    const HEADER_BYTES: usize = 8;
    let (&[version, ..], frame) = split::<HEADER_BYTES>(data)?;
    let is_2 = version >> 4 == 1;
    match (is_2, is_2 && is_ethernet_frame(frame), is_ethernet_frame(data)) {
        (true, true, _) | (true, false, false) => Ok((Layer::Ethernet, frame)),
        (_, _, true) => Ok((Layer::Ethernet, data)),
        (false, _, false) => Err(Skip::EtherType(ERSPAN_2_OR_1)),
    }
}

/// The frame that ERSPAN of type III mirrors: behind a header of twelve bytes and, if its last bit is set, eight more
/// for the platform.
pub(super) fn erspan_3(data: &[u8]) -> Step<'_> {
    const ETHERNET: u8 = 0;
    const IP: u8 = 2;
    let (&[version, _, _, _, _, _, _, _, _, _, kind, flags], payload) = split::<12>(data)?;
    if version >> 4 != 2 {
        return Err(Skip::EtherType(ERSPAN_3));
    }
    let layer = match kind >> 2 & 0x1f {
        ETHERNET => Layer::Ethernet,
        IP => Layer::Ip,
        _ => return Err(Skip::EtherType(ERSPAN_3)),
    };
    Ok((layer, skip(payload, if flags & 1 == 1 { 8 } else { 0 })?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{network, walk};
    use super::*;
    use crate::capture::LinkType;

    #[track_caller]
    fn found_behind(parts: &[&[u8]]) -> Found {
        found(LinkType::ETHERNET, &[&ADDRESSES, &parts.concat()])
    }

    const PLAIN: Found = Found { vlan: None, macs: MACS, labels: Vec::new() };

    #[test]
    fn service_headers_of_every_length_and_protocol() {
        assert_eq!(found_behind(&[&[0x89, 0x4f, 0x0f, 0xc6, 1, 1, 0, 0, 1, 255], &[0; 16]]), PLAIN);
        assert_eq!(found_behind(&[&[0x89, 0x4f, 0x0f, 0xc2, 2, 2, 0, 0, 1, 255]]), PLAIN);
        assert_eq!(found_behind(&[&[0x89, 0x4f, 0x0f, 0xc2, 2, 3, 0, 0, 1, 255], &[0; 12], &[8, 0]]), PLAIN);
        assert_eq!(
            found_behind(&[&[0x89, 0x4f, 0x0f, 0xc2, 2, 4, 0, 0, 1, 255], &[0x0f, 0xc2, 2, 1, 0, 0, 1, 254]]),
            PLAIN
        );
        let labelled = found_behind(&[&[0x89, 0x4f, 0x0f, 0xc2, 2, 5, 0, 0, 1, 255], &[0, 1, 0x01, 64]]);
        assert_eq!(labelled.labels, [0x101]);
        let header = |length, next| [0x0f, length, 2, next, 0, 0, 1, 255];
        assert_eq!(walk(Layer::Nsh, &header(0xc2, 6)).unwrap_err(), Skip::EtherType(0x894f));
        assert_eq!(walk(Layer::Nsh, &header(0xc1, 1)).unwrap_err(), Skip::BadLinkHeader);
        assert_eq!(walk(Layer::Nsh, &header(0xff, 1)).unwrap_err(), Skip::ShortFrame);
    }

    #[test]
    fn mirrored_frames_of_all_types() {
        let inner = [0x12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 0];
        let second = [0x10, 7, 0, 1, 0, 0, 0, 0];
        let outer = |kind: [u8; 2]| [&ADDRESSES[..], &kind].concat();
        assert_eq!(found_whole(LinkType::ETHERNET, &[&outer([0x88, 0xbe]), &second, &inner], &IP), PLAIN);
        // Type I, also where the address starts as type II does.
        assert_eq!(found_whole(LinkType::ETHERNET, &[&outer([0x88, 0xbe]), &inner], &IP), PLAIN);
        let third = [0x20, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(found_behind(&[&[0x22, 0xeb], &third, &inner]), PLAIN);
        let third = [&[0x20, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1][..], &[9; 8]].concat();
        assert_eq!(found_behind(&[&[0x22, 0xeb], &third, &inner]), PLAIN);
        let third = [0x20, 7, 0, 1, 0, 0, 0, 0, 0, 0, 0x08, 0];
        assert_eq!(found_behind(&[&[0x22, 0xeb], &third]), PLAIN);
    }

    #[test]
    fn what_is_not_erspan() {
        let garbage = [&ADDRESSES[..], &[0x88, 0xbe], &[0x33; 40]].concat();
        assert_eq!(network(LinkType::ETHERNET, &garbage).unwrap_err(), Skip::EtherType(0x88be));
        assert_eq!(walk(Layer::Erspan3, &[0x10; 40]).unwrap_err(), Skip::EtherType(0x22eb));
        assert_eq!(walk(Layer::Erspan3, &[0x20; 40]).unwrap_err(), Skip::EtherType(0x22eb));
    }
}
