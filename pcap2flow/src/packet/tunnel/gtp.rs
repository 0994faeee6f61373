//! GTP-U, the tunnels of mobile networks: version 1 (3GPP TS 29.281) and version 0 (3GPP TS 09.60).

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind};

/// Flags, type, length of what follows the first eight bytes, tunnel endpoint; sequence number, N-PDU number and
/// extension headers where flags say so (TS 29.281 §5.1). Of the messages only G-PDU carries a packet.
pub(super) fn version_1(message: Segment<'_>) -> Option<Inside<'_>> {
    const VERSION_AND_TYPE: u8 = 0xf0;
    const EXTENSION: u8 = 0x04;
    /// Any of these brings all of the optional fields.
    const OPTIONAL: u8 = 0x07;
    let (&[flags, kind, l0, l1, t0, t1, t2, t3], rest) = message.split::<8>()?;
    if flags & VERSION_AND_TYPE != 0x30 || kind != G_PDU {
        return None;
    }
    let mut data = rest.up_to(u16::from_be_bytes([l0, l1]).into());
    if flags & OPTIONAL != 0 {
        let (&[_, _, _, next], rest) = data.split::<4>()?;
        data = if flags & EXTENSION != 0 { behind_extensions(next, rest)? } else { rest };
    }
    let id = Some(u32::from_be_bytes([t0, t1, t2, t3]));
    Some(Inside { kind: TunnelKind::GtpU, id, layer: Layer::Ip, data })
}

/// Extension headers: length in words, content, type of the next one (TS 29.281 §5.2.1).
fn behind_extensions(mut next: u8, mut data: Segment<'_>) -> Option<Segment<'_>> {
    while next != 0 {
        let length = usize::from(*data.bytes.first()?) * 4;
        next = *data.bytes.get(length.checked_sub(1)?)?;
        data = data.skip(length)?;
    }
    Some(data)
}

/// Flags, type, length of what follows the header, sequence number, flow label, N-PDU number, three bytes that are
/// 255, tunnel (TS 09.60 §6). The flow label stands for the tunnel, whose identifier is too long.
pub(super) fn version_0(message: Segment<'_>) -> Option<Inside<'_>> {
    const VERSION_AND_TYPE: u8 = 0xf0;
    let (&[flags, kind, l0, l1, _, _, f0, f1, ..], rest) = message.split::<20>()?;
    if flags & VERSION_AND_TYPE != 0x10 || kind != G_PDU {
        return None;
    }
    let data = rest.up_to(u16::from_be_bytes([l0, l1]).into());
    let id = Some(u16::from_be_bytes([f0, f1]).into());
    Some(Inside { kind: TunnelKind::GtpU, id, layer: Layer::Ip, data })
}

const G_PDU: u8 = 255;

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    fn gtp(header: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut message = [header, payload].concat();
        let length = (message.len() as u16 - 8).to_be_bytes();
        message[2..4].copy_from_slice(&length);
        build::v4_udp(2152, 2152, &message)
    }

    #[test]
    fn version_1_with_every_optional_field() {
        let v4 = build::inner_v4();
        let id = Some(0x0102_0304);
        for flags in 0x30..0x34 {
            let header =
                [&[flags, 255, 0, 0, 1, 2, 3, 4][..], &[0, 9, 0, 0][..if flags > 0x30 { 4 } else { 0 }]];
            build::found(&gtp(&header.concat(), &v4), TunnelKind::GtpU, id);
        }
        // A PDU session container and a PDCP number.
        let extensions = [0x34, 255, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0x85, 1, 0x10, 9, 0xc0, 1, 0, 7, 0];
        build::found(&gtp(&extensions, &build::inner_v6()), TunnelKind::GtpU, id);
        // Without the flag the type of the next header means nothing.
        build::found(&gtp(&[0x32, 255, 0, 0, 1, 2, 3, 4, 0, 9, 0, 0x85], &v4), TunnelKind::GtpU, id);
    }

    #[test]
    fn what_carries_no_packet() {
        let v4 = build::inner_v4();
        // Echo request, end marker, GTP', version 2.
        for (flags, kind) in [(0x30, 1), (0x30, 254), (0x20, 255), (0x50, 255)] {
            build::left_alone(&gtp(&[flags, kind, 0, 0, 1, 2, 3, 4], &v4));
        }
        // An extension header without length, and one beyond the end.
        for length in [0, 255] {
            build::left_alone(&gtp(&[0x34, 255, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0x85, length, 0, 0, 0], &v4));
        }
    }

    #[test]
    fn version_0() {
        let length = build::inner_v4().len() as u8;
        let header = [0x1e, 255, 0, length, 0, 1, 0x0a, 0x0b, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7];
        let packet = |header: &[u8]| build::v4_udp(3386, 3386, &[header, &build::inner_v4()].concat());
        build::found(&packet(&header), TunnelKind::GtpU, Some(0x0a0b));
        build::left_alone(&packet(&[&[0x0e], &header[1..]].concat()));
    }
}
