//! The full decoder: any IPv4 or IPv6 packet, with options, extension headers, fragments and cuts, on the header
//! slices of `etherparse`.

use std::net::IpAddr;

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice,
    Ipv6RawExtHeaderSlice, ip_number,
};
use flowcore::Protocol;

use super::transport::{self, Segment};
use super::{Fragment, Note, Notes, Packet, Skip};

/// A packet with the parts of the frame that it was read from.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    pub(super) packet: Packet,
    /// From the IP header to the end of what was captured, padding included.
    pub(super) ip: &'a [u8],
    /// What the IP packet carries, from the header of `packet.protocol` on; empty in later fragments, where that
    /// header is not.
    pub(super) upper: Segment<'a>,
    /// What its transport header carries; empty where we read none.
    pub(super) payload: &'a [u8],
}

/// Decodes the packet that `ip` starts with; it had `wire_len` bytes, padding included, before it was cut.
pub(super) fn decode(ip: &[u8], wire_len: usize) -> Result<Decoded<'_>, Skip> {
    let wire_len = u32::try_from(wire_len).unwrap_or(u32::MAX);
    match ip.first().map(|byte| byte >> 4) {
        Some(4) => ipv4(ip, wire_len),
        Some(6) => ipv6(ip, wire_len),
        Some(_) => Err(Skip::BadIpHeader),
        None => Err(Skip::ShortIpHeader),
    }
}

fn ipv4(ip: &[u8], wire_len: u32) -> Result<Decoded<'_>, Skip> {
    let mut fixed = *ip.first_chunk::<20>().ok_or(Skip::ShortIpHeader)?;
    let header_len = u32::from(fixed[0] & 0x0f) * 4;
    // Options may be cut off and are not looked at, so the fixed part is read as a header without them.
    fixed[0] = 0x45;
    let header = Ipv4HeaderSlice::from_slice(&fixed).map_err(|_| Skip::BadIpHeader)?;
    if header_len < 20 {
        return Err(Skip::BadIpHeader);
    }
    let ip_bytes = match header.total_len() {
        0 => wire_len,
        total => total.into(),
    };
    let fragment = Fragment {
        id: header.identification().into(),
        protocol: Protocol(header.protocol().0),
        offset: header.fragments_offset().byte_offset().into(),
        len: ip_bytes.saturating_sub(header_len),
        more: header.more_fragments(),
    };
    let no_length = header.total_len() == 0;
    let is_short = ip_bytes < header_len && !no_length;
    let bytes = between(ip, header_len, ip_bytes);
    let upper =
        Upper { protocol: header.protocol(), bytes, fragment: fragment.of_several(), notes: Notes::NONE };
    let upper = walk_authentication(upper, ip_bytes.saturating_sub(header_len));
    let packet = Packet {
        tos: fixed[1],
        ttl: header.ttl(),
        notes: frame_notes(ip.len(), wire_len, ip_bytes)
            .with(Note::NoLength, no_length)
            .with(Note::ShorterThanHeader, is_short),
        ..bare(header.source_addr(), header.destination_addr(), ip_bytes)
    };
    Ok(upper.finish(packet, ip, header_len, bytes))
}

fn ipv6(ip: &[u8], wire_len: u32) -> Result<Decoded<'_>, Skip> {
    let header = Ipv6HeaderSlice::from_slice(ip).map_err(|_| Skip::ShortIpHeader)?;
    let ip_bytes = match header.payload_length() {
        0 => jumbo_length(header.next_header(), ip)
            .unwrap_or(if header.next_header() == ip_number::IPV6_NO_NEXT_HEADER { 40 } else { wire_len }),
        length => IPV6_HEADER_BYTES + u32::from(length),
    };
    let bytes = between(ip, IPV6_HEADER_BYTES, ip_bytes);
    let upper = walk_extensions(header.next_header(), bytes, ip_bytes.saturating_sub(IPV6_HEADER_BYTES));
    let no_length = header.payload_length() == 0 && ip_bytes > IPV6_HEADER_BYTES;
    let is_jumbo = no_length && ip_bytes > LONGEST_IPV6;
    let packet = Packet {
        tos: header.traffic_class(),
        ttl: header.hop_limit(),
        notes: frame_notes(ip.len(), wire_len, ip_bytes)
            .with(Note::Jumbogram, is_jumbo)
            .with(Note::NoLength, no_length && !is_jumbo),
        ..bare(header.source_addr(), header.destination_addr(), ip_bytes)
    };
    Ok(upper.finish(packet, ip, IPV6_HEADER_BYTES, bytes))
}

/// What an IP packet carries behind its extension headers.
struct Upper<'a> {
    protocol: IpNumber,
    bytes: &'a [u8],
    fragment: Option<Fragment>,
    notes: Notes,
}

impl<'a> Upper<'a> {
    /// The packet with all that its payload says; `bytes` is what follows its fixed header of `header_len`.
    fn finish(self, mut packet: Packet, ip: &'a [u8], header_len: u32, bytes: &'a [u8]) -> Decoded<'a> {
        packet.protocol = Protocol(self.protocol.0);
        packet.fragment = self.fragment;
        packet.notes = packet.notes.union(self.notes).with(Note::Fragment, self.fragment.is_some());
        // Extension headers are within the captured bytes, so their length fits.
        let before = header_len + (bytes.len() - self.bytes.len()) as u32;
        let upper = Segment { bytes: self.bytes, len: packet.ip_bytes.saturating_sub(before) };
        // The transport header is in the first fragment only.
        let is_later = packet.fragment.is_some_and(|fragment| fragment.offset > 0);
        if is_later {
            return Decoded { packet, ip, upper: Segment::EMPTY, payload: &[] };
        }
        let payload = transport::read(&mut packet, upper);
        Decoded { packet, ip, upper, payload }
    }
}

/// Stops at the first header that is no extension header, is cut, or lies in another fragment. `sent` is the length of
/// the payload before it was cut.
fn walk_extensions(first: IpNumber, payload: &[u8], sent: u32) -> Upper<'_> {
    let mut upper = Upper { protocol: first, bytes: payload, fragment: None, notes: Notes::NONE };
    for _ in 0..MAX_EXTENSION_HEADERS {
        let before = (payload.len() - upper.bytes.len()) as u32;
        let (next, len, fragment) = match extension(upper.protocol, upper.bytes) {
            Ok(Some(Extension { next, len, fragment })) => (next, len, fragment),
            Ok(None) => return upper,
            Err(RunsOut) => {
                upper.notes = upper.notes.with(Note::BadExtension, is_whole(payload, sent));
                return upper;
            }
        };
        upper.protocol = next;
        upper.bytes = upper.bytes.get(len..).unwrap_or_default();
        if let Some(header) = fragment {
            let len = sent.saturating_sub(before).saturating_sub(len as u32);
            upper.fragment = Fragment { len, ..header }.of_several();
        }
        if upper.fragment.is_some_and(|fragment| fragment.offset > 0) {
            return upper;
        }
    }
    upper.notes.insert(Note::TooManyExtensions);
    upper
}

/// One extension header.
struct Extension {
    next: IpNumber,
    len: usize,
    /// What a fragment header says; the length is not in it.
    fragment: Option<Fragment>,
}

/// An extension header that is not there to its end.
struct RunsOut;

/// The extension header that `bytes` start with, if headers of this protocol are any.
fn extension(protocol: IpNumber, bytes: &[u8]) -> Result<Option<Extension>, RunsOut> {
    const NOTHING: u8 = ip_number::IPV6_NO_NEXT_HEADER.0;
    match protocol {
        // Control messages of HIP (RFC 7401) and Shim6 (RFC 5533) carry nothing and stay what they are.
        ip_number::HIP | ip_number::SHIM6 if bytes.first() == Some(&NOTHING) => Ok(None),
        ip_number::IPV6_HOP_BY_HOP
        | ip_number::IPV6_ROUTE
        | ip_number::IPV6_DEST_OPTIONS
        | ip_number::HIP
        | ip_number::SHIM6 => {
            let header = Ipv6RawExtHeaderSlice::from_slice(bytes).map_err(|_| RunsOut)?;
            Ok(Some(Extension { next: header.next_header(), len: header.slice().len(), fragment: None }))
        }
        ip_number::AUTH => {
            let header = IpAuthHeaderSlice::from_slice(bytes).map_err(|_| RunsOut)?;
            Ok(Some(Extension { next: header.next_header(), len: header.slice().len(), fragment: None }))
        }
        ip_number::IPV6_FRAG => {
            let header = Ipv6FragmentHeaderSlice::from_slice(bytes).map_err(|_| RunsOut)?;
            let fragment = Fragment {
                id: header.identification(),
                protocol: Protocol(header.next_header().0),
                offset: header.fragment_offset().byte_offset().into(),
                len: 0,
                more: header.more_fragments(),
            };
            let len = header.slice().len();
            Ok(Some(Extension { next: header.next_header(), len, fragment: Some(fragment) }))
        }
        _ => Ok(None),
    }
}

/// IPv4 has one extension header, the Authentication Header (RFC 4302), unless the packet is a later fragment. `sent`
/// is the length of the payload before it was cut.
fn walk_authentication(upper: Upper<'_>, sent: u32) -> Upper<'_> {
    if upper.protocol != ip_number::AUTH || upper.fragment.is_some_and(|fragment| fragment.offset > 0) {
        return upper;
    }
    match IpAuthHeaderSlice::from_slice(upper.bytes) {
        Ok(header) => Upper {
            protocol: header.next_header(),
            bytes: upper.bytes.get(header.slice().len()..).unwrap_or_default(),
            ..upper
        },
        Err(_) => {
            let notes = upper.notes.with(Note::BadExtension, is_whole(upper.bytes, sent));
            Upper { notes, ..upper }
        }
    }
}

/// Whether what was captured is all that was sent, so that a header beyond its end is not there for another reason
/// than a cut.
fn is_whole(captured: &[u8], sent: u32) -> bool {
    captured.len() as u64 >= u64::from(sent)
}

/// Length of a jumbogram (RFC 2675), which says it in an option of the hop-by-hop header behind the IPv6 header. A
/// length that the fixed header could have said is an error there, and is not believed.
fn jumbo_length(next: IpNumber, ip: &[u8]) -> Option<u32> {
    if next != ip_number::IPV6_HOP_BY_HOP {
        return None;
    }
    let header = Ipv6RawExtHeaderSlice::from_slice(ip.get(IPV6_HEADER_BYTES as usize..)?).ok()?;
    let mut options = header.payload();
    loop {
        match options {
            [PAD_1, rest @ ..] => options = rest,
            [JUMBO_PAYLOAD, 4, l0, l1, l2, l3, ..] => {
                let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]);
                return (length > 0xffff).then(|| length.saturating_add(IPV6_HEADER_BYTES));
            }
            [_, length, rest @ ..] => options = rest.get(usize::from(*length)..)?,
            _ => return None,
        }
    }
}

impl Fragment {
    /// `None` if the packet is in one piece.
    fn of_several(self) -> Option<Self> {
        (self.offset > 0 || self.more).then_some(self)
    }
}

/// How a packet's length fits what was captured of it and what was on the wire.
#[inline(always)]
pub(super) fn frame_notes(captured: usize, wire_len: u32, ip_bytes: u32) -> Notes {
    Notes::NONE
        .with(Note::Cut, captured < ip_bytes.min(wire_len) as usize)
        .with(Note::LongerThanFrame, wire_len < ip_bytes)
        .with(Note::Trailer, wire_len > ip_bytes)
}

/// Whether bytes of which nobody says that they are IP are IP all the same: the header's checksum is right, or the
/// packet is exactly as long as what was there, `wire_len`.
pub(super) fn proves_itself(ip: &[u8], wire_len: usize) -> bool {
    match *ip {
        [first @ 0x45..=0x4f, _, l0, l1, ..] => {
            let header = ip.get(..usize::from(first & 0x0f) * 4);
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            header.is_some_and(|header| wire_len == length || ones_complement_sum(header) == 0xffff)
        }
        [0x60..=0x6f, _, _, _, l0, l1, next, _, ..] => {
            let length = usize::from(u16::from_be_bytes([l0, l1])) + IPV6_HEADER_BYTES as usize;
            wire_len == length && Protocol(next).name().is_some()
        }
        _ => false,
    }
}

/// What has to be all ones over an IPv4 header with its checksum (RFC 1071).
fn ones_complement_sum(header: &[u8]) -> u32 {
    let (words, _) = header.as_chunks();
    let sum = words.iter().fold(0, |sum, &word| sum + u32::from(u16::from_be_bytes(word)));
    // Twice: the first carry may carry again.
    let sum = (sum & 0xffff) + (sum >> 16);
    (sum & 0xffff) + (sum >> 16)
}

/// A packet whose protocol has yet to be found.
fn bare(src: impl Into<IpAddr>, dst: impl Into<IpAddr>, ip_bytes: u32) -> Packet {
    Packet::new(src.into(), dst.into(), Protocol(0), ip_bytes)
}

/// The captured bytes from `start` up to `end`, both counted from the IP header.
fn between(ip: &[u8], start: u32, end: u32) -> &[u8] {
    let end = ip.len().min(end as usize);
    ip.get(start as usize..end).unwrap_or_default()
}

const IPV6_HEADER_BYTES: u32 = 40;
/// The longest packet that is no jumbogram.
const LONGEST_IPV6: u32 = IPV6_HEADER_BYTES + 0xffff;
/// More than any sane packet has; the rest of a longer chain is not followed.
const MAX_EXTENSION_HEADERS: usize = 16;
const PAD_1: u8 = 0;
const JUMBO_PAYLOAD: u8 = 0xc2;

#[cfg(test)]
mod tests {
    use super::super::{Icmp, Tcp};
    use super::*;
    use flowcore::TcpFlags;

    fn decode(ip: &[u8], wire_len: usize) -> Result<Packet, Skip> {
        super::decode(ip, wire_len).map(|decoded| decoded.packet)
    }

    /// An IPv4 packet with its true length; `options` in whole words.
    fn v4(protocol: u8, fragment: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
        let header_len = 20 + options.len();
        let total = (header_len + payload.len()) as u16;
        let mut packet = vec![0x40 | (header_len / 4) as u8, 0xb8];
        packet.extend(total.to_be_bytes());
        packet.extend([0x12, 0x34]);
        packet.extend(fragment.to_be_bytes());
        packet.extend([63, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        [&packet, options, payload].concat()
    }

    /// An IPv6 packet with its true length.
    fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x6a, 0xb0, 0, 0];
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend([next, 62]);
        packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        packet.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        [&packet, payload].concat()
    }

    /// An extension header of eight bytes.
    fn extension(next: u8) -> [u8; 8] {
        [next, 0, 1, 4, 0, 0, 0, 0]
    }

    fn fragment_header(next: u8, offset_and_more: u16) -> [u8; 8] {
        let [o0, o1] = offset_and_more.to_be_bytes();
        [next, 0, o0, o1, 0xde, 0xad, 0xbe, 0xef]
    }

    /// Ports 1000 and 80, SYN, a header of 24 bytes.
    const TCP: [u8; 24] =
        [3, 0xe8, 0, 80, 0, 0, 1, 2, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 5, 0xb4];
    const UDP: [u8; 8] = [3, 0xe8, 0, 53, 0, 8, 0, 0];

    fn uncut(ip: &[u8]) -> Packet {
        decode(ip, ip.len()).unwrap()
    }

    fn notes(notes: &[Note]) -> Notes {
        notes.iter().fold(Notes::NONE, |all, &note| all.with(note, true))
    }

    #[test]
    fn everything_in_a_whole_packet() {
        let packet = uncut(&v4(6, 0x4000, &[1, 1, 1, 0], &[&TCP[..], b"data"].concat()));
        let expected = Packet {
            ports: Some((1000, 80)),
            tos: 0xb8,
            ttl: 63,
            tcp: Some(Tcp { flags: TcpFlags::SYN, seq: 0x102, ack: 0, payload_len: 4 }),
            ..Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol::TCP, 52)
        };
        assert_eq!(packet, expected);

        let packet = uncut(&v6(6, &[&TCP[..], b"data"].concat()));
        let (src, dst) = ("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap());
        assert_eq!(packet, Packet { src, dst, ip_bytes: 68, tos: 0xab, ttl: 62, ..expected });
    }

    #[test]
    fn a_cut_header_gives_what_is_left_of_it() {
        for (ip, header) in [(v4(6, 0, &[1, 1, 1, 1], &TCP), 24), (v6(6, &TCP), 40)] {
            let whole = uncut(&ip);
            for length in 0..ip.len() {
                let packet = match decode(&ip[..length], ip.len()) {
                    Ok(packet) => packet,
                    Err(skip) => {
                        assert_eq!(skip, Skip::ShortIpHeader);
                        assert!(length < if ip[0] >> 4 == 4 { 20 } else { 40 });
                        continue;
                    }
                };
                let ports = whole.ports.filter(|_| length >= header + 4);
                let tcp = whole.tcp.filter(|_| length >= header + 14);
                let notes = Notes::NONE.with(Note::Cut, true);
                assert_eq!(packet, Packet { ports, tcp, notes, ..whole.clone() }, "{length}");
            }
        }
    }

    #[test]
    fn lengths_that_contradict_the_bytes() {
        // Longer than what is there: cut by the snap length, or a lie; the length counts all the same.
        let mut ip = v4(17, 0, &[], &UDP);
        ip[2..4].copy_from_slice(&1500_u16.to_be_bytes());
        assert_eq!(uncut(&ip).ip_bytes, 1500);
        assert_eq!(uncut(&ip).ports, Some((1000, 53)));
        assert_eq!(uncut(&ip).notes, notes(&[Note::LongerThanFrame]));
        assert_eq!(decode(&ip, 1500).unwrap().notes, notes(&[Note::Cut]));
        // Shorter than the header: nothing behind it belongs to the packet.
        ip[2..4].copy_from_slice(&11_u16.to_be_bytes());
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).ports), (11, None));
        assert_eq!(uncut(&ip).notes, notes(&[Note::ShorterThanHeader, Note::Trailer]));
        // Padding is not read.
        ip[2..4].copy_from_slice(&22_u16.to_be_bytes());
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).ports), (22, None));
        // Segmentation offload: what is on the wire counts, not what was captured.
        ip[2..4].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 40_000).unwrap().ip_bytes, 40_000);
        assert_eq!(decode(&ip, 40_000).unwrap().ports, Some((1000, 53)));
        assert_eq!(decode(&ip, 40_000).unwrap().notes, notes(&[Note::Cut, Note::NoLength]));
        let mut ip = v6(6, &TCP);
        ip[4..6].copy_from_slice(&[0, 0]);
        let packet = decode(&ip, 40_000).unwrap();
        assert_eq!((packet.ip_bytes, packet.tcp.unwrap().payload_len), (40_000, 40_000 - 64));
        assert_eq!(packet.notes, notes(&[Note::Cut, Note::NoLength]));
        // UDP that says it is longer than the packet.
        let mut ip = v6(17, &UDP);
        ip[45] = 9;
        assert_eq!(uncut(&ip).notes, notes(&[Note::BadTransportLength]));
    }

    #[test]
    fn padding_and_trailers_do_not_count() {
        for (ip, length) in [(v4(17, 0, &[], &UDP), 28), (v6(17, &UDP), 48)] {
            let packet = uncut(&[&ip[..], &[0; 18]].concat());
            assert_eq!((packet.ip_bytes, packet.notes), (length, notes(&[Note::Trailer])));
        }
    }

    #[test]
    fn no_next_header_is_the_one_empty_ipv6_packet() {
        let ip = [v6(59, &[]), vec![0; 6]].concat();
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).protocol), (40, Protocol(59)));
        assert_eq!(uncut(&ip).notes, notes(&[Note::Trailer]));
    }

    #[test]
    fn jumbograms() {
        for options in
            [&[0xc2, 4, 0, 1, 0x86, 0xa0][..], &[0, 0, 1, 2, 0, 0, 0xc2, 4, 0, 1, 0x86, 0xa0, 0, 0]]
        {
            let header = [&[6, (options.len() / 8) as u8], options].concat();
            let mut ip = v6(0, &[&header[..], &TCP].concat());
            ip[4..6].copy_from_slice(&[0, 0]);
            let packet = decode(&ip, 100_054).unwrap();
            assert_eq!((packet.ip_bytes, packet.ports), (100_040, Some((1000, 80))));
            assert_eq!(packet.tcp.unwrap().payload_len as usize, 100_000 - header.len() - 24);
            assert!(packet.notes.contains(Note::Jumbogram) && !packet.notes.contains(Note::NoLength));
        }
        // A length that needs no jumbogram.
        let mut ip = v6(0, &[&[6, 0, 0xc2, 4, 0, 0, 0xff, 0xff][..], &TCP].concat());
        ip[4..6].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 90).unwrap().ip_bytes, 90);
        // An option that runs out of its header.
        let mut ip = v6(0, &[&[6, 0, 1, 200, 0xc2, 4, 0, 1][..], &TCP].concat());
        ip[4..6].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 90).unwrap().ip_bytes, 90);
        assert!(decode(&ip, 90).unwrap().notes.contains(Note::NoLength));
    }

    #[test]
    fn fragments_of_ipv4() {
        let first = uncut(&v4(17, 0x2000, &[], &UDP));
        assert_eq!(
            first.fragment,
            Some(Fragment { id: 0x1234, protocol: Protocol::UDP, offset: 0, len: 8, more: true })
        );
        assert_eq!(first.ports, Some((1000, 53)));
        for (field, offset, more) in [(0x2001, 8, true), (0x1fff, 65528, false)] {
            let later = uncut(&v4(17, field, &[], &UDP));
            assert_eq!(
                later.fragment,
                Some(Fragment { id: 0x1234, protocol: Protocol::UDP, offset, len: 8, more })
            );
            assert_eq!((later.ports, later.protocol), (None, Protocol::UDP));
        }
        assert_eq!(uncut(&v4(6, 0x2001, &[], &TCP)).tcp, None);
        assert_eq!(uncut(&v4(1, 0x2001, &[], &[8, 0, 0, 0, 0, 1, 0, 1])).icmp, None);
    }

    #[test]
    fn extension_headers_of_ipv6() {
        let chain =
            [extension(43), extension(60), extension(44), fragment_header(60, 0), extension(17)].concat();
        let ip = v6(0, &[&chain[..], &UDP].concat());
        let packet = uncut(&ip);
        assert_eq!((packet.protocol, packet.ports, packet.fragment), (Protocol::UDP, Some((1000, 53)), None));
        assert_eq!(packet.ip_bytes as usize, 40 + chain.len() + 8);

        // Cut inside the chain: the header that is cut is what is known.
        let packet = decode(&ip[..60], ip.len()).unwrap();
        assert_eq!((packet.protocol, packet.ports), (Protocol(60), None));
        assert_eq!(packet.ip_bytes as usize, ip.len());

        let mut tcp = v6(60, &[&extension(6)[..], &TCP, b"data"].concat());
        assert_eq!(uncut(&tcp).tcp.unwrap().payload_len, 4);
        tcp.extend([0; 10]);
        assert_eq!(uncut(&tcp).tcp.unwrap().payload_len, 4);
    }

    #[test]
    fn fragments_of_ipv6() {
        let first = uncut(&v6(44, &[&fragment_header(17, 1)[..], &UDP].concat()));
        assert_eq!(
            first.fragment,
            Some(Fragment { id: 0xdead_beef, protocol: Protocol::UDP, offset: 0, len: 8, more: true })
        );
        assert_eq!(first.ports, Some((1000, 53)));
        // What follows is not an extension header, even if it is in the first fragment.
        let later = uncut(&v6(44, &[&fragment_header(60, 8)[..], &extension(17), &UDP].concat()));
        assert_eq!(
            later.fragment,
            Some(Fragment { id: 0xdead_beef, protocol: Protocol(60), offset: 8, len: 16, more: false })
        );
        assert_eq!((later.protocol, later.ports), (Protocol(60), None));
    }

    #[test]
    fn a_chain_without_end_is_given_up() {
        let long = [extension(60); 40].concat();
        assert_eq!(uncut(&v6(60, &long)).protocol, Protocol(60));
        assert_eq!(uncut(&v6(60, &long)).notes, notes(&[Note::TooManyExtensions]));
        let longest = [[extension(60); MAX_EXTENSION_HEADERS - 1].concat(), extension(17).to_vec()].concat();
        assert_eq!(uncut(&v6(60, &[&longest[..], &UDP].concat())).ports, Some((1000, 53)));
    }

    #[test]
    fn authentication_headers_are_counted_in_words_of_four_bytes() {
        for words in [3, 6, 255] {
            let header = [&[17, words - 2], &[7; 1018][..usize::from(words) * 4 - 2]].concat();
            let payload = [&header[..], &UDP].concat();
            for packet in [uncut(&v4(51, 0, &[], &payload)), uncut(&v6(51, &payload))] {
                assert_eq!((packet.protocol, packet.ports), (Protocol::UDP, Some((1000, 53))));
                assert_eq!(packet.notes, Notes::NONE);
            }
        }
        // Between other extension headers, and in a first fragment but not in a later one.
        let authentication = [&[60, 1], &[7; 10][..], &extension(17), &UDP].concat();
        assert_eq!(uncut(&v6(60, &[&extension(51)[..], &authentication].concat())).ports, Some((1000, 53)));
        let authentication = [&[17, 1], &[7; 10][..], &UDP].concat();
        let (first, later) =
            (uncut(&v4(51, 0x2000, &[], &authentication)), uncut(&v4(51, 0x2001, &[], &authentication)));
        assert_eq!((first.protocol, first.ports), (Protocol::UDP, Some((1000, 53))));
        assert_eq!(later.protocol, Protocol::AH);
        // What both have in common is what their own headers name.
        assert_eq!([first, later].map(|packet| packet.fragment.unwrap().protocol), [Protocol::AH; 2]);
    }

    #[test]
    fn hip_and_shim6_are_walked_where_they_carry_something() {
        for next in [139, 140] {
            let packet = uncut(&v6(next, &[&extension(17)[..], &UDP].concat()));
            assert_eq!((packet.protocol, packet.ports), (Protocol::UDP, Some((1000, 53))));
            assert_eq!(uncut(&v6(next, &extension(59))).protocol, Protocol(next));
            assert_eq!(uncut(&v4(next, 0, &[], &extension(17))).protocol, Protocol(next));
        }
    }

    #[test]
    fn extension_headers_that_run_out_of_the_packet() {
        let is_bad = |packet: Packet| packet.notes.contains(Note::BadExtension);
        let long = [17, 9, 0, 0, 0, 0, 0, 0, 3, 0xe8, 0, 53, 0, 8, 0, 0];
        for next in [0, 43, 51, 60, 139] {
            let packet = uncut(&v6(next, &long));
            assert_eq!((packet.protocol, packet.ports), (Protocol(next), None));
            assert!(is_bad(packet), "{next}");
        }
        assert!(is_bad(uncut(&v6(44, &[17, 0, 0]))));
        assert!(is_bad(uncut(&v4(51, 0, &[], &long))));
        // A header that is cut is no bad one.
        let ip = v6(60, &[&long[..], &[0; 80]].concat());
        assert!(!is_bad(decode(&ip[..56], ip.len()).unwrap()));
        let ip = v4(51, 0, &[], &[&long[..], &[0; 80]].concat());
        assert!(!is_bad(decode(&ip[..36], ip.len()).unwrap()));
    }

    #[test]
    fn mobility_and_esp_are_protocols() {
        for protocol in [50, 135] {
            for packet in [uncut(&v4(protocol, 0, &[], &[6; 24])), uncut(&v6(protocol, &[6; 24]))] {
                assert_eq!((packet.protocol, packet.ports), (Protocol(protocol), None));
                assert_eq!(packet.spi, (protocol == 50).then_some(0x0606_0606));
            }
        }
    }

    #[test]
    fn ports_of_every_protocol_that_has_them() {
        for protocol in [17, 33, 132, 136] {
            assert_eq!(uncut(&v4(protocol, 0, &[], &UDP)).ports, Some((1000, 53)));
            assert_eq!(uncut(&v6(protocol, &UDP[..4])).ports, Some((1000, 53)));
            assert_eq!(uncut(&v6(protocol, &UDP[..3])).ports, None);
        }
        assert_eq!(uncut(&v4(47, 0, &[], &UDP)).ports, None);
    }

    #[test]
    fn icmp_messages_and_their_identifiers() {
        let message = |kind| [kind, 3, 0, 0, 0x11, 0x22, 0, 1];
        for (kind, id) in [(8, Some(0x1122)), (0, Some(0x1122)), (13, Some(0x1122)), (3, None), (11, None)] {
            assert_eq!(uncut(&v4(1, 0, &[], &message(kind))).icmp, Some(Icmp { kind, code: 3, id }));
        }
        for (kind, id) in [(128, Some(0x1122)), (129, Some(0x1122)), (1, None), (135, None)] {
            assert_eq!(uncut(&v6(58, &message(kind))).icmp, Some(Icmp { kind, code: 3, id }));
        }
        assert_eq!(uncut(&v4(1, 0, &[], &message(8)[..5])).icmp, Some(Icmp { kind: 8, code: 3, id: None }));
        assert_eq!(uncut(&v4(1, 0, &[], &message(8)[..1])).icmp, None);
        assert_eq!(uncut(&v4(58, 0, &[], &message(128))).icmp, None);
    }

    #[test]
    fn tcp_headers_that_say_they_are_too_short_or_too_long() {
        for (offset, payload_len) in [(0x00, 10), (0x40, 10), (0x50, 10), (0x70, 2), (0xf0, 0)] {
            let mut tcp = TCP.to_vec();
            tcp[12] = offset;
            tcp.extend([0; 6]);
            assert_eq!(uncut(&v4(6, 0, &[], &tcp)).tcp.unwrap().payload_len, payload_len);
        }
    }

    #[test]
    fn what_is_no_ip_header() {
        assert_eq!(decode(&[], 0), Err(Skip::ShortIpHeader));
        for first in [0x00, 0x44, 0x40, 0x50, 0xf5] {
            let mut ip = v4(6, 0, &[], &TCP);
            ip[0] = first;
            assert_eq!(decode(&ip, ip.len()), Err(Skip::BadIpHeader), "{first:#x}");
        }
    }
}
