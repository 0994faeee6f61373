//! Overlay networks over UDP with a header of eight bytes: VXLAN, VXLAN-GPE, GENEVE and LISP.

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind, ether_type};

/// Flags, reserved bytes, network identifier (RFC 7348). Flags other than that of the identifier are ignored, as the
/// RFC has it; group policies use some.
pub(super) fn vxlan(data: Segment<'_>) -> Option<Inside<'_>> {
    let (&[flags, _, _, _, n0, n1, n2, _], data) = data.split::<8>()?;
    let id = identifier(flags, n0, n1, n2)?;
    Some(Inside { kind: TunnelKind::Vxlan, id: Some(id), layer: Layer::Ethernet, data })
}

/// VXLAN with a version, and with a field that says what follows (draft-ietf-nvo3-vxlan-gpe-13 §3). It has a flag too,
/// but some senders forget that, and without the field its place is 0.
pub(super) fn vxlan_gpe(data: Segment<'_>) -> Option<Inside<'_>> {
    const VERSION: u8 = 0x30;
    const MAINTENANCE: u8 = 0x01;
    let (&[flags, _, _, next, n0, n1, n2, _], data) = data.split::<8>()?;
    if flags & (VERSION | MAINTENANCE) != 0 {
        return None;
    }
    let is_given = flags & NEXT_PROTOCOL != 0 || next != 0;
    let layer = if is_given { next_protocol(next)? } else { Layer::Ethernet };
    Some(Inside { kind: TunnelKind::VxlanGpe, id: identifier(flags, n0, n1, n2), layer, data })
}

/// Version and length of options, flags, EtherType, network identifier, options (RFC 8926 §3.4).
pub(super) fn geneve(data: Segment<'_>) -> Option<Inside<'_>> {
    let (&[first, _, t0, t1, n0, n1, n2, _], rest) = data.split::<8>()?;
    if first >> 6 != 0 {
        return None;
    }
    let data = rest.skip(usize::from(first & 0x3f) * 4)?;
    let layer = ether_type(u16::from_be_bytes([t0, t1]))?;
    let id = Some(u32::from_be_bytes([0, n0, n1, n2]));
    Some(Inside { kind: TunnelKind::Geneve, id, layer, data })
}

/// Flags, nonce or map version, instance and locator status bits (RFC 9300 §5.3); with the flag of RFC 9305 a field
/// that says what follows, otherwise IP.
pub(super) fn lisp(data: Segment<'_>) -> Option<Inside<'_>> {
    let (&[flags, _, _, next, n0, n1, n2, _], data) = data.split::<8>()?;
    let layer = if flags & NEXT_PROTOCOL != 0 { next_protocol(next)? } else { Layer::Ip };
    Some(Inside { kind: TunnelKind::Lisp, id: identifier(flags, n0, n1, n2), layer, data })
}

/// The 24 bits of an identifier, if the flag for it is set.
fn identifier(flags: u8, n0: u8, n1: u8, n2: u8) -> Option<u32> {
    const IS_THERE: u8 = 0x08;
    (flags & IS_THERE != 0).then(|| u32::from_be_bytes([0, n0, n1, n2]))
}

/// What follows a header of VXLAN-GPE or LISP-GPE.
fn next_protocol(number: u8) -> Option<Layer> {
    match number {
        1 | 2 => Some(Layer::Ip),
        3 => Some(Layer::Ethernet),
        4 => Some(Layer::EtherType(0x894f)),
        5 => Some(Layer::EtherType(0x8847)),
        _ => None,
    }
}

const NEXT_PROTOCOL: u8 = 0x04;

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    fn udp(port: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
        build::v4_udp(40_000, port, &[header, payload].concat())
    }

    #[test]
    fn vxlan_and_what_is_none() {
        let frame = build::ethernet(0x0800, &build::inner_v4());
        let header = |flags| [flags, 0, 0, 0, 0x12, 0x34, 0x56, 0];
        for port in [4789, 8472] {
            build::found(&udp(port, &header(0x08), &frame), TunnelKind::Vxlan, Some(0x0012_3456));
            build::found(&udp(port, &header(0x88), &frame), TunnelKind::Vxlan, Some(0x0012_3456));
            build::left_alone(&udp(port, &header(0), &frame));
        }
        let tagged = build::ethernet(0x8100, &[&[0, 7, 0x86, 0xdd], &build::inner_v6()[..]].concat());
        let packet = build::found(&udp(4789, &header(8), &tagged), TunnelKind::Vxlan, Some(0x0012_3456));
        // Tags and addresses are those of the frame, not of the one inside.
        assert_eq!((packet.vlan, packet.macs), (None, None));
        build::left_alone(&udp(4789, &header(8), &build::ethernet(0x0806, &[0; 28])));
    }

    #[test]
    fn vxlan_gpe_by_its_next_protocol() {
        let (v4, v6) = (build::inner_v4(), build::inner_v6());
        let frame = build::ethernet(0x0800, &v4);
        let labelled = [&[0, 1, 1, 64], &v4[..]].concat();
        let chained = [&[0x0f, 0xc2, 2, 3, 0, 0, 1, 255], &frame[..]].concat();
        for (next, payload) in [(1, &v4), (2, &v6), (3, &frame), (4, &chained), (5, &labelled)] {
            let packet = udp(4790, &[0x0c, 0, 0, next, 0, 0, 9, 0], payload);
            build::found(&packet, TunnelKind::VxlanGpe, Some(9));
        }
        build::found(&udp(4790, &[0x08, 0, 0, 0, 0, 0, 9, 0], &frame), TunnelKind::VxlanGpe, Some(9));
        build::found(&udp(4790, &[0x04, 0, 0, 1, 0, 0, 9, 0], &v4), TunnelKind::VxlanGpe, None);
        build::found(&udp(4790, &[0x08, 0, 0, 1, 0, 0, 9, 0], &v4), TunnelKind::VxlanGpe, Some(9));
        for (flags, next) in [(0x1c, 1), (0x0d, 1), (0x0c, 9)] {
            build::left_alone(&udp(4790, &[flags, 0, 0, next, 0, 0, 9, 0], &v4));
        }
    }

    #[test]
    fn geneve_with_options() {
        let v4 = build::inner_v4();
        let frame = build::ethernet(0x0800, &v4);
        let plain = udp(6081, &[0, 0, 0x65, 0x58, 0, 1, 0, 0], &frame);
        build::found(&plain, TunnelKind::Geneve, Some(256));
        let options = udp(6081, &[2, 0x40, 8, 0, 0, 1, 0, 0, 1, 2, 3, 1, 5, 6, 7, 8], &v4);
        build::found(&options, TunnelKind::Geneve, Some(256));
        build::left_alone(&udp(6081, &[0x40, 0, 8, 0, 0, 1, 0, 0], &v4));
        build::left_alone(&udp(6081, &[0x3f, 0, 8, 0, 0, 1, 0, 0], &v4));
        build::left_alone(&udp(6081, &[0, 0, 0, 60, 0, 1, 0, 0], &v4));
    }

    #[test]
    fn lisp_with_and_without_an_instance() {
        let v6 = build::inner_v6();
        build::found(&udp(4341, &[0xc0, 1, 2, 3, 0, 0, 0, 1], &v6), TunnelKind::Lisp, None);
        build::found(&udp(4341, &[0x08, 0, 0, 0, 0, 0, 7, 1], &v6), TunnelKind::Lisp, Some(7));
        let frame = build::ethernet(0x0800, &build::inner_v4());
        build::found(&udp(4341, &[0x04, 0, 0, 3, 0, 0, 0, 1], &frame), TunnelKind::Lisp, None);
    }
}
