//! Layer Two Tunneling Protocol: data messages of version 2 (RFC 2661) and of version 3 over UDP and IP (RFC 3931).

use super::super::Note;
use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind, fits, ppp};

/// What a message over UDP carries, if it is a data message.
pub(super) fn over_udp(message: Segment<'_>) -> Option<Inside<'_>> {
    let (&[f0, f1], rest) = message.split::<2>()?;
    let flags = u16::from_be_bytes([f0, f1]);
    match flags & (CONTROL | VERSION) {
        2 => version_2(flags, message, rest),
        // Two reserved bytes.
        3 => version_3(rest.skip(2)?),
        _ => None,
    }
}

/// What a message of version 3 over IP carries, if it is a data message.
pub(super) fn over_ip(message: Segment<'_>) -> Option<Inside<'_>> {
    version_3(message)
}

/// Length, tunnel, session, sequence numbers, padding, PPP; `rest` is what follows the flags.
fn version_2<'a>(flags: u16, message: Segment<'a>, mut rest: Segment<'a>) -> Option<Inside<'a>> {
    if flags & LENGTH != 0 {
        let (&length, _) = rest.split::<2>()?;
        let end = u32::from(u16::from_be_bytes(length));
        rest = message.up_to(end).skip(4)?;
    }
    let (&ids, mut rest) = rest.split::<4>()?;
    if flags & SEQUENCE != 0 {
        rest = rest.skip(4)?;
    }
    if flags & OFFSET != 0 {
        let (&padding, behind) = rest.split::<2>()?;
        rest = behind.skip(u16::from_be_bytes(padding).into())?;
    }
    let (layer, data) = ppp::open(rest)?;
    Some(Inside { kind: TunnelKind::L2tp, id: Some(u32::from_be_bytes(ids)), layer, data })
}

/// A session, a cookie of 0, 4 or 8 bytes, a sublayer of 0 or 4 bytes, and what the session is about. Only the ends of
/// the tunnel know the sizes and the kind, so all are tried; Ethernet, which is likeliest and easiest to tell, first.
/// First fragments are left alone: no length speaks for a guess there.
fn version_3(message: Segment<'_>) -> Option<Inside<'_>> {
    let (&session, rest) = message.split::<4>()?;
    let session = u32::from_be_bytes(session);
    // Session 0 is for control messages.
    let id = (session != 0).then_some(session)?;
    let starts = [0, 4, 8, 12];
    let layers = [Layer::Ethernet, Layer::Ppp, Layer::Ip];
    let guesses = layers.into_iter().flat_map(|layer| starts.map(|start| (layer, start)));
    guesses
        .filter_map(|(layer, start)| {
            let data = rest.skip(start)?;
            let (layer, data) = if layer == Layer::Ppp { ppp::open(data)? } else { (layer, data) };
            Some(Inside { kind: TunnelKind::L2tpV3, id: Some(id), layer, data })
        })
        .find(makes_sense)
}

/// Whether a guess holds: the packet has to fit, and without a frame around it to fill what is there.
fn makes_sense(guess: &Inside<'_>) -> bool {
    let Some((inner, here)) = guess.read(false) else { return false };
    let fills = inner.packet.ip_bytes == guess.data.len && !inner.packet.notes.contains(Note::NoLength);
    fits(&inner, here, false) && (fills || guess.layer != Layer::Ip)
}

const CONTROL: u16 = 0x8000;
const LENGTH: u16 = 0x4000;
const SEQUENCE: u16 = 0x0800;
const OFFSET: u16 = 0x0200;
const VERSION: u16 = 0x000f;

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    fn message(parts: &[&[u8]]) -> Vec<u8> {
        build::v4_udp(1701, 40_000, &parts.concat())
    }

    #[test]
    fn version_2_with_every_combination_of_fields() {
        let ppp = [&[0xff, 3, 0, 0x21][..], &build::inner_v4()].concat();
        for bits in 0..16_u8 {
            let has = |bit: u8| bits & bit != 0;
            let flags =
                u8::from(has(1)) << 6 | u8::from(has(2)) << 3 | u8::from(has(4)) << 1 | u8::from(has(8));
            let mut rest = vec![0, 7, 0, 9];
            rest.extend(if has(2) { &[0, 1, 0, 2][..] } else { &[] });
            rest.extend(if has(4) { &[0, 3, 9, 9, 9][..] } else { &[] });
            rest.extend(&ppp);
            let length = (rest.len() as u16 + 4).to_be_bytes();
            let length = if has(1) { &length[..] } else { &[] };
            let packet = message(&[&[flags, 2], length, &rest]);
            build::found(&packet, TunnelKind::L2tp, Some(7 << 16 | 9));
        }
        // Control, LCP, another version, padding beyond the end.
        build::left_alone(&message(&[&[0xc8, 2, 0, 12, 0, 7, 0, 0, 0, 0, 0, 0]]));
        build::left_alone(&message(&[&[0, 2, 0, 7, 0, 9, 0xff, 3, 0xc0, 0x21, 1, 1, 0, 4]]));
        build::left_alone(&message(&[&[0, 1, 0, 7, 0, 9], &ppp]));
        build::left_alone(&message(&[&[2, 2, 0, 7, 0, 9, 0xff, 0xff], &ppp]));
    }

    #[test]
    fn version_3_with_every_cookie_and_sublayer() {
        let v4 = build::inner_v4();
        let frame = build::ethernet(0x0800, &v4);
        let ppp = [&[0xff, 3, 0, 0x21], &v4[..]].concat();
        for payload in [&frame, &ppp, &v4] {
            for before in [0, 4, 8, 12] {
                let data = [&[0, 0, 0x30, 0x39], &[0xc5; 12][..before], payload].concat();
                build::found(&build::v4(115, &data), TunnelKind::L2tpV3, Some(12345));
                build::found(&message(&[&[0, 3, 0, 0], &data]), TunnelKind::L2tpV3, Some(12345));
            }
        }
        // Control; an IP header that does not fill the message; no length to go by.
        build::left_alone(&build::v4(115, &[&[0, 0, 0, 0], &frame[..]].concat()));
        build::left_alone(&build::v4(115, &[&[0, 0, 0, 1], &v4[..], &[0]].concat()));
        let mut no_length = v4.clone();
        no_length[2..4].fill(0);
        build::left_alone(&build::v4(115, &[&[0, 0, 0, 1], &no_length[..]].concat()));
    }
}
