//! Ethernet and IEEE 802.11 frames that access points and probes send on: CAPWAP and TZSP.

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind};
use crate::capture::LinkType;

/// A data message of an access point (RFC 5415 §4.3): version and type, header length in words, identifiers, flags.
/// Pieces of frames, keepalives and what DTLS hides are left alone.
pub(super) fn capwap(message: Segment<'_>) -> Option<Inside<'_>> {
    const FRAGMENT_OR_KEEPALIVE: u8 = 0x88;
    let (&[preamble, length, binding, flags], _) = message.split::<4>()?;
    if preamble != 0 || flags & FRAGMENT_OR_KEEPALIVE != 0 {
        return None;
    }
    // The wireless binding, and whether the frame is one of its own.
    let layer = match (binding >> 1 & 0x1f, binding & 1) {
        (_, 0) => Layer::Ethernet,
        (1, _) => Layer::Link(LinkType::IEEE802_11),
        _ => return None,
    };
    let data = message.skip(usize::from(length >> 3) * 4)?;
    Some(Inside { kind: TunnelKind::Capwap, id: None, layer, data })
}

/// Version, type (received or to be sent), what was captured, tagged fields
/// (<https://web.archive.org/web/20050404125022/http://www.networkchemistry.com/support/appnotes/an001_tzsp.html>).
/// Frames other than Ethernet and IEEE 802.11 are left alone.
pub(super) fn tzsp(message: Segment<'_>) -> Option<Inside<'_>> {
    let (header, fields) = message.split::<4>()?;
    let layer = match header {
        [1, 0 | 1, 0, 1] => Layer::Ethernet,
        [1, 0 | 1, 0, 18] => Layer::Link(LinkType::IEEE802_11),
        _ => return None,
    };
    let data = behind_fields(fields)?;
    Some(Inside { kind: TunnelKind::Tzsp, id: None, layer, data })
}

/// Padding is a field of one byte, as is the end; the others have a length.
fn behind_fields(mut data: Segment<'_>) -> Option<Segment<'_>> {
    loop {
        data = match data.bytes {
            [0, ..] => data.skip(1)?,
            [1, ..] => return data.skip(1),
            &[_, length, ..] => data.skip(2 + usize::from(length))?,
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    /// From an access point, without addresses worth the name.
    fn wlan() -> Vec<u8> {
        [&[8, 2][..], &[0; 22], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &build::inner_v4()].concat()
    }

    #[test]
    fn frames_of_ieee_802_11() {
        let tzsp = [&[1, 0, 0, 18, 1][..], &wlan()].concat();
        build::found(&build::v4_udp(40_000, 37008, &tzsp), TunnelKind::Tzsp, None);
        let capwap = |binding: u8| [&[0, 0x10, binding << 1 | 1, 0, 0, 0, 0, 0][..], &wlan()].concat();
        build::found(&build::v4_udp(40_000, 5247, &capwap(1)), TunnelKind::Capwap, None);
        build::left_alone(&build::v4_udp(40_000, 5247, &capwap(3)));
    }

    #[test]
    fn capwap_carries_ethernet() {
        let frame = build::ethernet(0x0800, &build::inner_v4());
        let capwap = |header: &[u8]| build::v4_udp(40_000, 5247, &[header, &frame].concat());
        build::found(&capwap(&[0, 0x10, 0, 0, 0, 0, 0, 0]), TunnelKind::Capwap, None);
        build::found(
            &capwap(&[0, 0x20, 2, 0x10, 0, 0, 0, 0, 6, 1, 2, 3, 4, 5, 6, 0]),
            TunnelKind::Capwap,
            None,
        );
        for header in [
            [1, 0x10, 0, 0, 0, 0, 0, 0],
            [0, 0x10, 1, 0, 0, 0, 0, 0],
            [0, 0x10, 0, 0x80, 0, 0, 0, 0],
            [0, 0x10, 0, 0x08, 0, 0, 0, 0],
            [0, 0xf8, 0, 0, 0, 0, 0, 0],
        ] {
            build::left_alone(&capwap(&header));
        }
    }

    #[test]
    fn tzsp_behind_its_fields() {
        let frame = build::ethernet(0x0800, &build::inner_v4());
        let tzsp = |header: &[u8]| build::v4_udp(40_000, 37008, &[header, &frame].concat());
        build::found(&tzsp(&[1, 0, 0, 1, 1]), TunnelKind::Tzsp, None);
        build::found(&tzsp(&[1, 1, 0, 1, 10, 2, 7, 7, 0, 0, 20, 0, 1]), TunnelKind::Tzsp, None);
        for header in [&[2, 0, 0, 1, 1][..], &[1, 4, 0, 1, 1], &[1, 0, 0, 2, 1], &[1, 0, 0, 1, 10, 255]] {
            build::left_alone(&tzsp(header));
        }
    }
}
