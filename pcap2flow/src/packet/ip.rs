//! The full decoder: any IPv4 or IPv6 packet, with options, extension headers, fragments and cuts, on the header
//! slices of `etherparse`.

use std::net::IpAddr;

use etherparse::{
    IpNumber, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice, ip_number,
};
use flowcore::Protocol;

use super::transport::{self, Segment};
use super::{Fragment, Packet, Skip};

/// Decodes the packet that `ip` starts with; it had `wire_len` bytes, padding included, before it was cut.
#[inline(never)] // Keeps the rare packets' code out of the fast path's.
pub(super) fn decode(ip: &[u8], wire_len: usize) -> Result<Packet, Skip> {
    let wire_len = u32::try_from(wire_len).unwrap_or(u32::MAX);
    match ip.first().map(|byte| byte >> 4) {
        Some(4) => ipv4(ip, wire_len),
        Some(6) => ipv6(ip, wire_len),
        Some(_) => Err(Skip::BadIpHeader),
        None => Err(Skip::ShortIpHeader),
    }
}

fn ipv4(ip: &[u8], wire_len: u32) -> Result<Packet, Skip> {
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
        offset: header.fragments_offset().byte_offset().into(),
        more: header.more_fragments(),
    };
    let packet = Packet {
        tos: fixed[1],
        ttl: header.ttl(),
        fragment: fragment.of_several(),
        ..bare(header.source_addr().into(), header.destination_addr().into(), header.protocol(), ip_bytes)
    };
    let segment =
        Segment { bytes: between(ip, header_len, ip_bytes), len: ip_bytes.saturating_sub(header_len) };
    Ok(with_transport(packet, segment))
}

fn ipv6(ip: &[u8], wire_len: u32) -> Result<Packet, Skip> {
    let header = Ipv6HeaderSlice::from_slice(ip).map_err(|_| Skip::ShortIpHeader)?;
    let ip_bytes = match header.payload_length() {
        0 => jumbo_length(header.next_header(), ip)
            .unwrap_or(if header.next_header() == ip_number::IPV6_NO_NEXT_HEADER { 40 } else { wire_len }),
        length => IPV6_HEADER_BYTES + u32::from(length),
    };
    let payload = between(ip, IPV6_HEADER_BYTES, ip_bytes);
    let upper = walk_extensions(header.next_header(), payload);
    let packet = Packet {
        tos: header.traffic_class(),
        ttl: header.hop_limit(),
        fragment: upper.fragment.and_then(Fragment::of_several),
        ..bare(header.source_addr().into(), header.destination_addr().into(), upper.protocol, ip_bytes)
    };
    // Extension headers are within the captured bytes, so their length fits.
    let before = IPV6_HEADER_BYTES + (payload.len() - upper.bytes.len()) as u32;
    Ok(with_transport(packet, Segment { bytes: upper.bytes, len: ip_bytes.saturating_sub(before) }))
}

/// What an IPv6 packet carries behind its extension headers.
struct Upper<'a> {
    protocol: IpNumber,
    bytes: &'a [u8],
    fragment: Option<Fragment>,
}

/// Stops at the first header that is no extension header, is cut, or lies in another fragment.
fn walk_extensions(first: IpNumber, payload: &[u8]) -> Upper<'_> {
    let mut upper = Upper { protocol: first, bytes: payload, fragment: None };
    for _ in 0..MAX_EXTENSION_HEADERS {
        let (next, length) = match upper.protocol {
            ip_number::IPV6_HOP_BY_HOP | ip_number::IPV6_ROUTE | ip_number::IPV6_DEST_OPTIONS => {
                match Ipv6RawExtHeaderSlice::from_slice(upper.bytes) {
                    Ok(header) => (header.next_header(), header.slice().len()),
                    Err(_) => break,
                }
            }
            ip_number::IPV6_FRAG => match Ipv6FragmentHeaderSlice::from_slice(upper.bytes) {
                Ok(header) => {
                    upper.fragment = Some(Fragment {
                        id: header.identification(),
                        offset: header.fragment_offset().byte_offset().into(),
                        more: header.more_fragments(),
                    });
                    (header.next_header(), header.slice().len())
                }
                Err(_) => break,
            },
            _ => break,
        };
        upper.protocol = next;
        upper.bytes = upper.bytes.get(length..).unwrap_or_default();
        if upper.fragment.is_some_and(|fragment| fragment.offset > 0) {
            break;
        }
    }
    upper
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

/// A packet of which only addresses, protocol and length are known.
fn bare(src: IpAddr, dst: IpAddr, protocol: IpNumber, ip_bytes: u32) -> Packet {
    Packet {
        src,
        dst,
        protocol: Protocol(protocol.0),
        ports: None,
        icmp: None,
        ip_bytes,
        tos: 0,
        ttl: 0,
        tcp: None,
        fragment: None,
        vlan: None,
        macs: None,
    }
}

/// Reads the transport header, unless it is in another fragment.
fn with_transport(mut packet: Packet, segment: Segment<'_>) -> Packet {
    if packet.fragment.is_none_or(|fragment| fragment.offset == 0) {
        transport::read(&mut packet, segment);
    }
    packet
}

/// The captured bytes from `start` up to `end`, both counted from the IP header.
fn between(ip: &[u8], start: u32, end: u32) -> &[u8] {
    let end = ip.len().min(end as usize);
    ip.get(start as usize..end).unwrap_or_default()
}

const IPV6_HEADER_BYTES: u32 = 40;
/// More than any sane packet has; the rest of a longer chain is not followed.
const MAX_EXTENSION_HEADERS: usize = 16;
const PAD_1: u8 = 0;
const JUMBO_PAYLOAD: u8 = 0xc2;

#[cfg(test)]
mod tests {
    use super::super::{Icmp, Tcp};
    use super::*;
    use flowcore::TcpFlags;

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

    #[test]
    fn everything_in_a_whole_packet() {
        let packet = uncut(&v4(6, 0x4000, &[1, 1, 1, 0], &[&TCP[..], b"data"].concat()));
        let expected = Packet {
            src: [10, 0, 0, 1].into(),
            dst: [10, 0, 0, 2].into(),
            protocol: Protocol::TCP,
            ports: Some((1000, 80)),
            icmp: None,
            ip_bytes: 52,
            tos: 0xb8,
            ttl: 63,
            tcp: Some(Tcp { flags: TcpFlags::SYN, seq: 0x102, ack: 0, payload_len: 4 }),
            fragment: None,
            vlan: None,
            macs: None,
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
                assert_eq!(packet, Packet { ports, tcp, ..whole.clone() }, "{length}");
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
        // Shorter than the header: nothing behind it belongs to the packet.
        ip[2..4].copy_from_slice(&11_u16.to_be_bytes());
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).ports), (11, None));
        // Padding is not read.
        ip[2..4].copy_from_slice(&22_u16.to_be_bytes());
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).ports), (22, None));
        // Segmentation offload: what is on the wire counts, not what was captured.
        ip[2..4].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 40_000).unwrap().ip_bytes, 40_000);
        assert_eq!(decode(&ip, 40_000).unwrap().ports, Some((1000, 53)));
        let mut ip = v6(6, &TCP);
        ip[4..6].copy_from_slice(&[0, 0]);
        let packet = decode(&ip, 40_000).unwrap();
        assert_eq!((packet.ip_bytes, packet.tcp.unwrap().payload_len), (40_000, 40_000 - 64));
    }

    #[test]
    fn no_next_header_is_the_one_empty_ipv6_packet() {
        let ip = [v6(59, &[]), vec![0; 6]].concat();
        assert_eq!((uncut(&ip).ip_bytes, uncut(&ip).protocol), (40, Protocol(59)));
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
        }
        // A length that needs no jumbogram.
        let mut ip = v6(0, &[&[6, 0, 0xc2, 4, 0, 0, 0xff, 0xff][..], &TCP].concat());
        ip[4..6].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 90).unwrap().ip_bytes, 90);
        // An option that runs out of its header.
        let mut ip = v6(0, &[&[6, 0, 1, 200, 0xc2, 4, 0, 1][..], &TCP].concat());
        ip[4..6].copy_from_slice(&[0, 0]);
        assert_eq!(decode(&ip, 90).unwrap().ip_bytes, 90);
    }

    #[test]
    fn fragments_of_ipv4() {
        let first = uncut(&v4(17, 0x2000, &[], &UDP));
        assert_eq!(first.fragment, Some(Fragment { id: 0x1234, offset: 0, more: true }));
        assert_eq!(first.ports, Some((1000, 53)));
        for (field, offset, more) in [(0x2001, 8, true), (0x1fff, 65528, false)] {
            let later = uncut(&v4(17, field, &[], &UDP));
            assert_eq!(later.fragment, Some(Fragment { id: 0x1234, offset, more }));
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
        assert_eq!(first.fragment, Some(Fragment { id: 0xdead_beef, offset: 0, more: true }));
        assert_eq!(first.ports, Some((1000, 53)));
        // What follows is not an extension header, even if it is in the first fragment.
        let later = uncut(&v6(44, &[&fragment_header(60, 8)[..], &extension(17), &UDP].concat()));
        assert_eq!(later.fragment, Some(Fragment { id: 0xdead_beef, offset: 8, more: false }));
        assert_eq!((later.protocol, later.ports), (Protocol(60), None));
    }

    #[test]
    fn a_chain_without_end_is_given_up() {
        let long = [extension(60); 40].concat();
        assert_eq!(uncut(&v6(60, &long)).protocol, Protocol(60));
        let longest = [[extension(60); MAX_EXTENSION_HEADERS - 1].concat(), extension(17).to_vec()].concat();
        assert_eq!(uncut(&v6(60, &[&longest[..], &UDP].concat())).ports, Some((1000, 53)));
    }

    #[test]
    fn authentication_and_mobility_are_protocols() {
        for protocol in [50, 51, 135] {
            for packet in [uncut(&v4(protocol, 0, &[], &[6; 24])), uncut(&v6(protocol, &[6; 24]))] {
                assert_eq!((packet.protocol, packet.ports), (Protocol(protocol), None));
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
