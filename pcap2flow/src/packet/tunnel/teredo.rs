//! Teredo: IPv6 in UDP, behind an authentication and an origin indication that may be there (RFC 4380 §5.1.1).

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind};

/// The IPv6 packet behind the indications.
pub(super) fn open(data: Segment<'_>) -> Option<Inside<'_>> {
    let data = behind_origin(behind_authentication(data)?)?;
    let is_v6 = data.bytes.first()? >> 4 == 6;
    is_v6.then_some(Inside { kind: TunnelKind::Teredo, id: None, layer: Layer::Ip, data })
}

/// Lengths of client identifier and authentication value, both, a nonce of eight bytes, a confirmation byte.
fn behind_authentication(data: Segment<'_>) -> Option<Segment<'_>> {
    match data.bytes {
        &[0, 1, client, value, ..] => data.skip(4 + usize::from(client) + usize::from(value) + 9),
        _ => Some(data),
    }
}

/// Port and address, both inverted.
fn behind_origin(data: Segment<'_>) -> Option<Segment<'_>> {
    match data.bytes {
        [0, 0, ..] => data.skip(8),
        _ => Some(data),
    }
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    #[test]
    fn every_combination_of_indications() {
        let authentication = [&[0, 1, 2, 3][..], &[0xaa; 5], &[7; 8], &[0]].concat();
        let origin = [0, 0, 0x12, 0x34, 1, 2, 3, 4];
        for before in
            [vec![], authentication.clone(), origin.to_vec(), [&authentication[..], &origin].concat()]
        {
            let data = [&before[..], &build::inner_v6()].concat();
            build::found(&build::v4_udp(40_000, 3544, &data), TunnelKind::Teredo, None);
            build::found(&build::v4_udp(3544, 40_000, &data), TunnelKind::Teredo, None);
        }
        build::left_alone(&build::v4_udp(40_000, 3544, &build::inner_v4()));
        build::left_alone(&build::v4_udp(
            40_000,
            3544,
            &[&[0, 1, 255, 255], &build::inner_v6()[..]].concat(),
        ));
    }

    #[test]
    fn a_bubble_is_a_packet_without_payload() {
        let bubble =
            [&[0x60, 0, 0, 0, 0, 0, 59, 64][..], &[0x20, 1], &[0; 14], &[0x20, 1], &[0; 14]].concat();
        let packet = build::inner_of(&build::v4_udp(3544, 3544, &bubble));
        assert_eq!((packet.ip_bytes, packet.protocol.0), (40, 59));
    }
}
