//! IEEE 802.11, and the headers that capture programs put in front of it.

use super::{Layer, Network, Step, skip, split};
use crate::capture::LinkType;
use crate::packet::{Note, Skip};

/// Version, length, a bitmap of what follows, the fields themselves (<https://www.radiotap.org>).
///
/// All that matters here is the flags: some cards pad the 802.11 header.
pub(super) fn radiotap<'a>(data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    const DATA_PADDING: u8 = 0x20;
    let (&[_, _, l0, l1], _) = split::<4>(data)?;
    let bytes = usize::from(u16::from_le_bytes([l0, l1]));
    let frame = skip(data, bytes)?;
    let header = data.get(..bytes).unwrap_or_default();
    let padded = radiotap_flags(header).is_some_and(|flags| flags & DATA_PADDING != 0);
    wlan(data_frame(frame, if padded { 4 } else { 1 })?, network)
}

/// The first flags field: only the time of arrival can be in front of it, which is aligned to its eight bytes.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    const ARRIVAL: u32 = 1 << 0;
    const FLAGS: u32 = 1 << 1;
    const MORE_BITMAPS: u32 = 1 << 31;
    let (bitmaps, _) = header.get(4..)?.as_chunks();
    let mut bitmaps = bitmaps.iter().map(|&bitmap| u32::from_le_bytes(bitmap));
    let first = bitmaps.next()?;
    let further = match first & MORE_BITMAPS {
        0 => 0,
        _ => 1 + bitmaps.take_while(|bitmap| bitmap & MORE_BITMAPS != 0).count(),
    };
    let fields = 8 + 4 * further;
    let flags = if first & ARRIVAL != 0 { fields.next_multiple_of(8) + 8 } else { fields };
    if first & FLAGS != 0 { header.get(flags).copied() } else { None }
}

/// Version, flags, length, link type, fields (<https://www.tcpdump.org/linktypes.html>, "LINKTYPE_PPI").
pub(super) fn ppi(data: &[u8]) -> Step<'_> {
    let (&[_, _, l0, l1, t0, t1, t2, t3], _) = split::<8>(data)?;
    let link = LinkType(u32::from_le_bytes([t0, t1, t2, t3]));
    match u16::from_le_bytes([l0, l1]) {
        0..8 => Err(Skip::BadLinkHeader),
        bytes => Ok((Layer::Link(link), skip(data, bytes.into())?)),
    }
}

/// A message code and the header's length in the byte order of the writer. Some drivers write an AVS header instead.
pub(super) fn prism(data: &[u8]) -> Step<'_> {
    let (&[.., l0, l1, l2, l3], _) = split::<8>(data)?;
    let length = [l0, l1, l2, l3];
    behind_header(data, u32::from_be_bytes(length).min(u32::from_le_bytes(length)))
}

/// Version and the header's length.
pub(super) fn avs(data: &[u8]) -> Step<'_> {
    let (&[.., l0, l1, l2, l3], _) = split::<8>(data)?;
    behind_header(data, u32::from_be_bytes([l0, l1, l2, l3]))
}

fn behind_header(data: &[u8], bytes: u32) -> Step<'_> {
    match usize::try_from(bytes) {
        Ok(bytes @ 8..) => Ok((Layer::Link(LinkType::IEEE802_11), skip(data, bytes)?)),
        _ => Err(Skip::BadLinkHeader),
    }
}

/// An 802.11 frame without anything in front.
pub(super) fn plain<'a>(data: &'a [u8], network: &mut Network<'a>) -> Step<'a> {
    wlan(data_frame(data, 1)?, network)
}

/// The parts of a data frame that matter.
struct DataFrame<'a> {
    /// Up to the sequence number: frame control, duration, three addresses.
    header: &'a [u8; 24],
    /// Of the kind of frame that is relayed from access point to access point.
    fourth_address: Option<&'a [u8; 6]>,
    /// Whether the body is several frames, each with a header of its own.
    is_aggregate: bool,
    body: &'a [u8],
}

/// Reads the header of a data frame (IEEE 802.11-2020, 9.3.2.1), whose length is a multiple of `alignment`.
fn data_frame(data: &[u8], alignment: usize) -> Result<DataFrame<'_>, Skip> {
    const KIND: u8 = 0x0c;
    const DATA: u8 = 0x08;
    const NULL: u8 = 0x40;
    const QOS: u8 = 0x80;
    const RELAYED: u8 = 0x03;
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    const AGGREGATE: u8 = 0x80;

    let (&[kind, flags], _) = split::<2>(data)?;
    if kind & KIND != DATA || kind & NULL != 0 {
        return Err(Skip::Wlan);
    }
    if flags & PROTECTED != 0 {
        return Err(Skip::WlanEncrypted);
    }
    let (header, mut rest) = split::<24>(data)?;
    let mut fourth_address = None;
    if flags & RELAYED == RELAYED {
        let (address, after) = split::<6>(rest)?;
        (fourth_address, rest) = (Some(address), after);
    }
    let mut is_aggregate = false;
    if kind & QOS != 0 {
        let (&[control, _], after) = split::<2>(rest)?;
        (is_aggregate, rest) = (control & AGGREGATE != 0, after);
        if flags & ORDER != 0 {
            (_, rest) = split::<4>(rest)?; // HT control
        }
    }
    let header_bytes = data.len() - rest.len();
    let body = skip(rest, header_bytes.next_multiple_of(alignment) - header_bytes)?;
    Ok(DataFrame { header, fourth_address, is_aggregate, body })
}

/// What is in a data frame; of several frames in one, the first.
fn wlan<'a>(frame: DataFrame<'a>, network: &mut Network<'a>) -> Step<'a> {
    const TO_ACCESS_POINT: u8 = 0x01;
    const FROM_ACCESS_POINT: u8 = 0x02;
    const FRAGMENT: u8 = 0x0f;

    let (&[_, flags, _, _], addresses) = split::<4>(frame.header)?;
    let (first, addresses) = split::<6>(addresses)?;
    let (second, addresses) = split::<6>(addresses)?;
    let (third, sequence) = split::<6>(addresses)?;
    if sequence.first().is_some_and(|number| number & FRAGMENT != 0) {
        return Err(Skip::LinkFragment);
    }
    let destination = if flags & TO_ACCESS_POINT != 0 { third } else { first };
    let source = match frame.fourth_address {
        Some(fourth) => fourth,
        None if flags & FROM_ACCESS_POINT != 0 => third,
        None => second,
    };
    if !frame.is_aggregate {
        network.macs = network.macs.or(Some((source, destination)));
        return Ok((Layer::Llc, frame.body));
    }
    let (destination, rest) = split::<6>(frame.body)?;
    let (source, rest) = split::<6>(rest)?;
    network.macs = network.macs.or(Some((source, destination)));
    let (&length, rest) = split::<2>(rest)?;
    if !is_single(frame.body.len(), u16::from_be_bytes(length)) {
        network.notes.insert(Note::Aggregate);
    }
    Ok((Layer::Llc, rest))
}

/// Whether an aggregate of which `captured` bytes are there is known to end with its first frame, of `length` behind
/// its header: it was captured to its end, and no more than padding and a check sequence follow. Frames begin at
/// multiples of four bytes.
fn is_single(captured: usize, length: u16) -> bool {
    const HEADER: usize = 14;
    let end = HEADER + usize::from(length);
    (end..end.next_multiple_of(4) + HEADER).contains(&captured)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::TunnelMode;
    use crate::packet::decode;

    const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    const TO: [u8; 6] = [2, 3, 4, 5, 6, 7];
    const FROM: [u8; 6] = [8, 9, 10, 11, 12, 13];
    const OTHER: [u8; 6] = [3; 6];

    /// Frame control, duration, three addresses, sequence number.
    fn header(control: [u8; 2], addresses: [[u8; 6]; 3]) -> Vec<u8> {
        [&control, &[0, 0][..], &addresses.concat(), &[0x10, 0]].concat()
    }

    fn with_macs() -> Found {
        Found { macs: MACS, ..NOTHING }
    }

    #[test]
    fn addresses_by_the_way_of_the_frame() {
        for (flags, addresses) in [
            (0, [TO, FROM, OTHER]),
            (1, [OTHER, FROM, TO]),
            (2, [TO, OTHER, FROM]),
            (0x1a, [TO, OTHER, FROM]),
        ] {
            assert_eq!(found(LinkType::IEEE802_11, &[&header([8, flags], addresses), &SNAP]), with_macs());
        }
        let relayed = header([8, 3], [OTHER, OTHER, TO]);
        assert_eq!(found(LinkType::IEEE802_11, &[&relayed, &FROM, &SNAP]), with_macs());
    }

    #[test]
    fn quality_of_service_and_what_it_adds() {
        let quality = |flags| header([0x88, flags], [OTHER, FROM, TO]);
        assert_eq!(found(LinkType::IEEE802_11, &[&quality(1), &[0, 0], &SNAP]), with_macs());
        assert_eq!(found(LinkType::IEEE802_11, &[&quality(0x81), &[0, 0], &[0; 4], &SNAP]), with_macs());
        assert_eq!(found(LinkType::IEEE802_11, &[&quality(3), &FROM, &[0, 0], &SNAP]), with_macs());
        // Several frames in one; the addresses are the first one's.
        let subframe = [&OTHER[..], &FROM, &[0, 28]].concat();
        let aggregate = found(LinkType::IEEE802_11, &[&quality(1), &[0x80, 0], &subframe, &SNAP]);
        assert_eq!(aggregate.macs, Some((FROM, OTHER)));
        // Without quality of service, the bit for order adds nothing.
        let ordered = header([8, 0x81], [OTHER, FROM, TO]);
        assert_eq!(found(LinkType::IEEE802_11, &[&ordered, &SNAP]), with_macs());
    }

    #[test]
    fn frames_behind_the_first_one_of_an_aggregate_are_noted() {
        let frame = |length: u16, after: usize| {
            let subframe = [&OTHER[..], &FROM, &length.to_be_bytes(), &SNAP, &IP].concat();
            let header = [&header([0x88, 1], [OTHER, FROM, TO])[..], &[0x80, 0]].concat();
            [header, subframe, vec![0; after]].concat()
        };
        let is_noted = |frame: &[u8]| {
            let wire_len = frame.len() as u32;
            let packet = decode(TunnelMode::Inner, Some(LinkType::IEEE802_11), wire_len, frame).unwrap();
            assert_eq!(packet.dst, std::net::Ipv4Addr::new(10, 0, 0, 2), "the first one is metered");
            packet.notes.contains(Note::Aggregate)
        };
        // Alone, with padding, with a check sequence; with another one.
        assert_eq!([0, 2, 4, 6].map(|after| is_noted(&frame(28, after))), [false; 4]);
        assert_eq!([2 + 14, 2 + 14 + 28].map(|after| is_noted(&frame(28, after))), [true; 2]);
        // Nobody knows what follows a cut.
        assert!(is_noted(&frame(1400, 0)));
        let alone = [&header([0x88, 1], [OTHER, FROM, TO])[..], &[0, 0], &SNAP, &IP].concat();
        assert!(!is_noted(&[&alone[..], &[0; 100]].concat()));
    }

    #[test]
    fn frames_without_data_that_can_be_read() {
        let skip =
            |control| skipped(LinkType::IEEE802_11, &[&header(control, [TO, FROM, OTHER]), &SNAP, &IP]);
        for control in [[0x80, 0], [0x40, 0], [0xd4, 0], [0x48, 1], [0xc8, 1], [0x88 | 0x40, 0x41]] {
            assert_eq!(skip(control), Skip::Wlan);
        }
        assert_eq!(skip([8, 0x41]), Skip::WlanEncrypted);
        assert_eq!(skip([0x88, 0x42]), Skip::WlanEncrypted);
        let mut later = header([8, 1], [OTHER, FROM, TO]);
        later[22] |= 1;
        assert_eq!(skipped(LinkType::IEEE802_11, &[&later, &IP]), Skip::LinkFragment);
    }

    #[test]
    fn radiotap_of_every_length() {
        let frame = [&header([8, 1], [OTHER, FROM, TO])[..], &SNAP].concat();
        let quality = [&header([0x88, 1], [OTHER, FROM, TO])[..], &[0, 0]].concat();
        let radiotap = |parts: &[&[u8]]| {
            let fields = parts.concat();
            [&[0, 0, fields.len() as u8 + 4, 0], &fields[..]].concat()
        };
        let link = LinkType::IEEE802_11_RADIOTAP;
        assert_eq!(found(link, &[&radiotap(&[&[0; 4]]), &frame]), with_macs());
        // Flags at once; behind the time of arrival; behind two more bitmaps and the alignment of the time.
        let plain = radiotap(&[&[2, 0, 0, 0], &[0x20]]);
        let late = radiotap(&[&[3, 0, 0, 0], &[0xff; 8], &[0x20]]);
        let extended = radiotap(&[
            &[3, 0, 0, 0xa0],
            &[0xff, 0xff, 0xff, 0xff],
            &[0xff; 3],
            &[0x7f],
            &[0xff; 8],
            &[0x20],
        ]);
        for tap in [plain, late, extended] {
            assert_eq!(found(link, &[&tap, &quality, &[0, 0], &SNAP]), with_macs(), "{tap:?}");
        }
        // The same bytes where the bitmap names no flags, and flags without the one for padding.
        for tap in [radiotap(&[&[4, 0, 0, 0], &[0x20]]), radiotap(&[&[2, 0, 0, 0], &[0x10]])] {
            assert_eq!(found(link, &[&tap, &quality, &SNAP]), with_macs(), "{tap:?}");
        }
        // A header that ends before its flags.
        assert_eq!(found(link, &[&radiotap(&[&[3, 0, 0, 0]]), &quality, &SNAP]), with_macs());
        assert_eq!(found_whole(link, &[&[0, 0, 4, 0], &frame], &IP), with_macs());
    }

    #[test]
    fn headers_that_name_their_length() {
        let frame = [&header([8, 1], [OTHER, FROM, TO])[..], &SNAP].concat();
        let ppi = |bytes: u8, link: u8| [0, 0, bytes, 0, link, 0, 0, 0];
        assert_eq!(found(LinkType::PPI, &[&ppi(8, 105), &frame]), with_macs());
        assert_eq!(found(LinkType::PPI, &[&ppi(32, 105), &[2; 24], &frame]), with_macs());
        assert_eq!(found(LinkType::PPI, &[&ppi(8, 101)]), NOTHING);
        assert_eq!(skipped(LinkType::PPI, &[&ppi(7, 105), &frame]), Skip::BadLinkHeader);
        let nested = ppi(8, 192).repeat(10_000);
        assert_eq!(skipped(LinkType::PPI, &[&nested]), Skip::ShortFrame);

        for length in [144_u32.to_le_bytes(), 144_u32.to_be_bytes()] {
            let prism = [&[0x44, 0, 0, 0], &length[..], &[0; 136]].concat();
            assert_eq!(found(LinkType::IEEE802_11_PRISM, &[&prism, &frame]), with_macs());
        }
        let avs = [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56][..]].concat();
        assert_eq!(found(LinkType::IEEE802_11_PRISM, &[&avs, &frame]), with_macs());
        assert_eq!(found(LinkType::IEEE802_11_AVS, &[&avs, &frame]), with_macs());
        assert_eq!(skipped(LinkType::IEEE802_11_AVS, &[&[0; 8], &frame]), Skip::BadLinkHeader);
    }
}
