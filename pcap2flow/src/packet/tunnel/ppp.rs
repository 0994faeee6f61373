//! PPP frames in tunnels: with or without address and control field, protocol numbers of one or two bytes (RFC 1661,
//! RFC 1662).

use super::super::link::Layer;
use super::super::transport::Segment;

/// The layer that a PPP frame is, and its bytes.
pub(super) fn open(frame: Segment<'_>) -> Option<(Layer, Segment<'_>)> {
    let frame = match frame.bytes {
        [0xff, 0x03, ..] => frame.skip(2)?,
        _ => frame,
    };
    match frame.bytes.first()? {
        // Only the last byte of a protocol number is odd: this one has been compressed.
        0x21 | 0x57 => Some((Layer::Ip, frame.skip(1)?)),
        _ => Some((Layer::Ppp, frame)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_begin_a_frame() {
        let opened = |bytes: &[u8]| {
            let (layer, data) = open(Segment { bytes, len: 100 })?;
            Some((layer, data.bytes.to_vec(), data.len))
        };
        let plain = Some((Layer::Ppp, vec![0, 0x21, 0x45], 100));
        assert_eq!(opened(&[0, 0x21, 0x45]), plain);
        assert_eq!(opened(&[0xff, 3, 0, 0x21, 0x45]), plain.map(|(layer, bytes, _)| (layer, bytes, 98)));
        assert_eq!(opened(&[0x21, 0x45]), Some((Layer::Ip, vec![0x45], 99)));
        assert_eq!(opened(&[0xff, 3, 0x57, 0x60]), Some((Layer::Ip, vec![0x60], 97)));
        assert_eq!(opened(&[]), None);
        assert_eq!(opened(&[0xff, 3]), None);
    }
}
