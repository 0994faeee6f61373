//! Generic Routing Encapsulation: version 0 with all of its fields, ERSPAN and WCCP in it, and version 1 (PPTP).

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind, ether_type, ppp};

/// What a GRE packet carries.
pub(super) fn open(packet: Segment<'_>) -> Option<Inside<'_>> {
    let (&[f0, f1, p0, p1], rest) = packet.split::<4>()?;
    let flags = u16::from_be_bytes([f0, f1]);
    let protocol = u16::from_be_bytes([p0, p1]);
    match flags & VERSION {
        0 => version_0(flags, protocol, rest),
        1 if protocol == PPP => pptp(flags, rest),
        _ => None,
    }
}

/// Checksum, key and sequence number (RFC 2784, RFC 2890), and the source routes of RFC 1701.
fn version_0(flags: u16, protocol: u16, mut data: Segment<'_>) -> Option<Inside<'_>> {
    let has = |bits| flags & bits != 0;
    if has(CHECKSUM | ROUTING) {
        data = data.skip(4)?;
    }
    let mut id = None;
    if has(KEY) {
        let (key, rest) = data.split::<4>()?;
        (id, data) = (Some(u32::from_be_bytes(*key)), rest);
    }
    if has(SEQUENCE) {
        data = data.skip(4)?;
    }
    if has(ROUTING) {
        data = behind_routes(data)?;
    }
    match protocol {
        // Type I has neither sequence number nor header.
        ERSPAN | ERSPAN_3 => {
            let id = if has(SEQUENCE) { erspan_session(data) } else { None };
            Some(Inside { kind: TunnelKind::Erspan, id, layer: Layer::EtherType(protocol), data })
        }
        PPP => {
            let (layer, data) = ppp::open(data)?;
            Some(Inside { kind: TunnelKind::Gre, id, layer, data })
        }
        WCCP => Some(Inside { kind: TunnelKind::Gre, id, layer: Layer::Ip, data: behind_redirect(data)? }),
        _ => Some(Inside { kind: TunnelKind::Gre, id, layer: ether_type(protocol)?, data }),
    }
}

/// Source route entries: address family, offset, length, routing information; the last one is all zero (RFC 1701).
fn behind_routes(mut data: Segment<'_>) -> Option<Segment<'_>> {
    loop {
        let (&[a0, a1, _, length], rest) = data.split::<4>()?;
        if [a0, a1, length] == [0; 3] {
            return Some(rest);
        }
        data = rest.skip(length.into())?;
    }
}

/// The session of ERSPAN types II and III: the lower ten bits of the fourth byte and the one before it.
fn erspan_session(data: Segment<'_>) -> Option<u32> {
    let (&[_, _, s0, s1], _) = data.split::<4>()?;
    Some(u32::from(u16::from_be_bytes([s0, s1]) & 0x03ff))
}

/// Version 2 of WCCP has a redirect header of four bytes between GRE and IPv4, version 1 does not
/// (draft-wilson-wrec-wccp-v2); nothing but the IPv4 header tells them apart.
fn behind_redirect(data: Segment<'_>) -> Option<Segment<'_>> {
    if data.bytes.first()? >> 4 == 4 { Some(data) } else { data.skip(4) }
}

/// Version 1: payload length and call in place of the key; sequence and acknowledgement numbers (RFC 2637).
fn pptp(flags: u16, data: Segment<'_>) -> Option<Inside<'_>> {
    let (&[l0, l1, c0, c1], mut data) = data.split::<4>()?;
    for number in [SEQUENCE, ACKNOWLEDGEMENT] {
        if flags & number != 0 {
            data = data.skip(4)?;
        }
    }
    let (layer, data) = ppp::open(data.up_to(u16::from_be_bytes([l0, l1]).into()))?;
    let id = Some(u16::from_be_bytes([c0, c1]).into());
    Some(Inside { kind: TunnelKind::Pptp, id, layer, data })
}

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;
const PPP: u16 = 0x880b;
const WCCP: u16 = 0x883e;
const ERSPAN: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    fn gre(header: &[u8], payload: &[u8]) -> Vec<u8> {
        build::v4(47, &[header, payload].concat())
    }

    #[test]
    fn every_combination_of_fields() {
        const ROUTES: [u8; 12] = [8, 0, 0, 4, 10, 9, 9, 9, 0, 0, 0, 0];
        for bits in 0..16_u8 {
            let flags = bits << 4;
            let mut header = vec![flags, 0, 8, 0];
            if flags & 0xc0 != 0 {
                header.extend([0xab, 0xcd, 0, 0]);
            }
            if flags & 0x20 != 0 {
                header.extend([0, 1, 2, 3]);
            }
            if flags & 0x10 != 0 {
                header.extend([0, 0, 0, 9]);
            }
            if flags & 0x40 != 0 {
                header.extend(ROUTES);
            }
            let id = (flags & 0x20 != 0).then_some(0x0001_0203);
            build::found(&gre(&header, &build::inner_v4()), TunnelKind::Gre, id);
        }
        build::left_alone(&gre(&[0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 200], &build::inner_v4()));
    }

    #[test]
    fn what_gre_carries() {
        let (v4, v6) = (build::inner_v4(), build::inner_v6());
        build::found(&gre(&[0, 0, 0x86, 0xdd], &v6), TunnelKind::Gre, None);
        build::found(&gre(&[0, 0, 0x65, 0x58], &build::ethernet(0x0800, &v4)), TunnelKind::Gre, None);
        build::found(&gre(&[0, 0, 0x88, 0x47, 0, 1, 1, 64], &v4), TunnelKind::Gre, None);
        let nsh = [0, 0, 0x89, 0x4f, 0x0f, 0xc2, 2, 1, 0, 0, 1, 255];
        build::found(&gre(&nsh, &v4), TunnelKind::Gre, None);
        build::found(&gre(&[0, 0, 0x88, 0x0b, 0xff, 3, 0, 0x21], &v4), TunnelKind::Gre, None);
        for redirect in [&[][..], &[0, 1, 2, 3]] {
            build::found(&gre(&[0, 0, 0x88, 0x3e], &[redirect, &v4].concat()), TunnelKind::Gre, None);
        }
        // NHRP, keepalive, unknown version, ARP.
        for header in [[0, 0, 0x20, 0x01], [0, 0, 0, 0], [0, 2, 8, 0], [0, 0, 8, 6]] {
            build::left_alone(&gre(&header, &v4));
        }
    }

    #[test]
    fn pptp_with_and_without_what_ppp_may_leave_out() {
        for ppp in [&[0xff, 3, 0, 0x21][..], &[0xff, 3, 0x21], &[0, 0x21], &[0x21]] {
            for (flags, numbers) in [([0x20, 1], 0), ([0x30, 1], 4), ([0x20, 0x81], 4), ([0x30, 0x81], 8)] {
                let payload = [ppp, &build::inner_v4()].concat();
                let length = (payload.len() as u16).to_be_bytes();
                let header = [&flags[..], &[0x88, 0x0b], &length, &[0x12, 0x34], &[7; 8][..numbers]].concat();
                build::found(&gre(&header, &payload), TunnelKind::Pptp, Some(0x1234));
            }
        }
        // An acknowledgement, LCP, compressed (MPPE).
        build::left_alone(&gre(&[0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 9], &[]));
        build::left_alone(&gre(&[0x20, 1, 0x88, 0x0b, 0, 8, 0, 1], &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4]));
        build::left_alone(&gre(&[0x20, 1, 0x88, 0x0b, 0, 8, 0, 1], &[0, 0xfd, 1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn erspan_of_every_type() {
        let frame = build::ethernet(0x0800, &build::inner_v4());
        build::found(&gre(&[0, 0, 0x88, 0xbe], &frame), TunnelKind::Erspan, None);
        let type_2 = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 0x23, 0, 0, 0, 7];
        build::found(&gre(&type_2, &frame), TunnelKind::Erspan, Some(0x23));
        let type_3 = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 0x24, 0, 0, 0, 7, 0, 0, 0, 0];
        build::found(&gre(&type_3, &frame), TunnelKind::Erspan, Some(0x24));
    }

    #[test]
    fn erspan_sessions() {
        let session =
            |header: &[u8]| open(Segment { bytes: header, len: 100 }).map(|inside| (inside.kind, inside.id));
        let type_1 = [&[0, 0, 0x88, 0xbe], &build::ethernet(0x0800, &[])[..]].concat();
        assert_eq!(session(&type_1), Some((TunnelKind::Erspan, None)));
        let type_2 = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0xfd, 0x23, 0, 0, 0, 7];
        assert_eq!(session(&type_2), Some((TunnelKind::Erspan, Some(0x123))));
        let type_3 = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0x04, 0x01, 0, 0, 0, 7, 0, 0, 0, 0];
        assert_eq!(session(&type_3), Some((TunnelKind::Erspan, Some(1))));
    }
}
