//! Tunnels in tunnels, in pieces, cut, and spoilt.

use flowcore::Protocol;
use proptest::prelude::*;

use super::super::{Fragment, Notes, Skip, decode, decode_full};
use super::build::INNER_BYTES;
use super::*;
use crate::TunnelMode;
use crate::capture::LinkType;

/// One packet for each kind of tunnel and way to carry it.
fn every_tunnel() -> Vec<Vec<u8>> {
    let (v4, v6) = (build::inner_v4(), build::inner_v6());
    let frame = build::ethernet(0x0800, &v4);
    let over_ip = |protocol, header: &[u8], inner: &[u8]| build::v4(protocol, &[header, inner].concat());
    let over_udp = |port, header: &[u8], inner: &[u8]| build::v4_udp(40_000, port, &[header, inner].concat());
    vec![
        over_ip(4, &[], &v4),
        over_ip(41, &[], &v6),
        build::v6(4, &v4),
        over_ip(47, &[0xb0, 0, 0x65, 0x58, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2], &frame),
        over_ip(47, &[0x30, 0x81, 0x88, 0x0b, 0, 37, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0xff, 3, 0, 0x21], &v4),
        over_ip(97, &[0x30, 0], &frame),
        over_ip(115, &[0, 0, 0, 5, 1, 2, 3, 4], &frame),
        over_ip(137, &[0, 1, 1, 64], &v4),
        over_udp(1701, &[2, 2, 0, 7, 0, 9, 0, 3, 9, 9, 9, 0xff, 3, 0, 0x21], &v4),
        over_udp(1701, &[0, 3, 0, 0, 0, 0, 0, 5, 1, 2, 3, 4], &frame),
        over_udp(2152, &[0x34, 255, 0, 45, 1, 2, 3, 4, 0, 0, 0, 0x85, 1, 0x10, 9, 0], &v4),
        over_udp(3386, &[0x1e, 255, 0, 33, 0, 1, 0, 2, 255, 255, 255, 255, 0, 1, 2, 3, 4, 5, 6, 7], &v4),
        over_udp(3544, &[0, 1, 0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 1, 2, 3, 4, 5, 6], &v6),
        over_udp(4341, &[8, 0, 0, 0, 0, 0, 7, 1], &v4),
        over_udp(4754, &[0x20, 0, 8, 0, 0, 0, 0, 5], &v4),
        over_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &frame),
        over_udp(4790, &[0x0c, 0, 0, 2, 0, 0, 1, 0], &v6),
        over_udp(5247, &[0, 0x10, 0, 0, 0, 0, 0, 0], &frame),
        over_udp(6080, &[1, 4, 0, 0, 1, 2, 3, 4], &v4),
        over_udp(6081, &[1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 0], &frame),
        over_udp(6635, &[0, 1, 1, 64], &v4),
        over_udp(8472, &[8, 0, 0, 0, 0, 0, 1, 0], &build::ethernet(0x86dd, &v6)),
        over_udp(37008, &[1, 0, 0, 1, 10, 1, 7, 1], &frame),
    ]
}

fn tunnel_of(packet: &Packet) -> Tunnel {
    packet.outer.as_ref().unwrap().tunnel.unwrap()
}

fn carriers_of(packet: &Packet) -> &[Carrier] {
    &packet.outer.as_ref().unwrap().carriers
}

/// A first fragment of the packets of `build.rs`.
fn first_of(protocol: Protocol, len: usize) -> Fragment {
    Fragment { id: 0xabcd, protocol, offset: 0, len: len as u32, more: true }
}

fn carrier(protocol: Protocol, len: usize, tunnel: Option<Tunnel>) -> Carrier {
    let (src, dst) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    Carrier { src, dst, fragment: first_of(protocol, len), tunnel }
}

fn raw(mode: TunnelMode, wire_len: usize, data: &[u8]) -> Result<Packet, Skip> {
    decode(mode, Some(LinkType::RAW), wire_len as u32, data)
}

#[test]
fn the_list_of_tunnels_is_one_of_tunnels() {
    for ip in every_tunnel() {
        let kind = tunnel_of(&build::inner_of(&ip)).kind;
        let packet = build::found(&ip, kind, tunnel_of(&build::inner_of(&ip)).id);
        assert_eq!(packet.notes, Notes::NONE.with(Note::Tunnelled, true), "{kind}");
    }
}

#[test]
fn the_outermost_tunnel_is_kept() {
    let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0], &build::ethernet(0x0800, &build::inner_v4())[..]].concat();
    let gtp = [&[0x30, 255, 0, 0, 0, 0, 0, 9], &build::v4_udp(9, 4789, &vxlan)[..]].concat();
    let mut gtp = gtp;
    let length = (gtp.len() as u16 - 8).to_be_bytes();
    gtp[2..4].copy_from_slice(&length);
    build::found(&build::v6(17, &build::udp(2152, 2152, &gtp)), TunnelKind::GtpU, Some(9));
}

#[test]
fn deeper_than_is_looked_into() {
    let nested = |times| (0..times).fold(build::inner_v4(), |inner, _| build::v4(4, &inner));
    let packet = build::found(&nested(MAX_TUNNELS), TunnelKind::IpInIp, None);
    assert!(!packet.notes.contains(Note::TunnelTooDeep));
    let packet = build::inner_of(&nested(MAX_TUNNELS + 2));
    assert_eq!((packet.protocol, packet.ip_bytes), (Protocol(4), INNER_BYTES + 40));
    assert!(packet.notes.contains(Note::TunnelTooDeep) && packet.notes.contains(Note::Tunnelled));
}

#[test]
fn authentication_in_tunnel_mode() {
    let header = |next| [next, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
    let v4 = build::v4(51, &[&header(4)[..], &build::inner_v4()].concat());
    assert_eq!(build::found(&v4, TunnelKind::IpInIp, None).ip_bytes, INNER_BYTES);
    build::found(&build::v6(51, &[&header(41)[..], &build::inner_v6()].concat()), TunnelKind::IpInIp, None);
}

#[test]
fn a_cut_leaves_what_can_be_read() {
    for ip in every_tunnel() {
        let whole = build::inner_of(&ip);
        let inner_header = if whole.src.is_ipv4() { 20 } else { 40 };
        for length in 0..ip.len() {
            let (inner, outer) = (
                raw(TunnelMode::Inner, ip.len(), &ip[..length]),
                raw(TunnelMode::Outer, ip.len(), &ip[..length]),
            );
            let Ok(inner) = inner else {
                assert_eq!(inner, outer);
                continue;
            };
            assert!(inner.notes.contains(Note::Cut));
            if length < whole.ip_at as usize + inner_header {
                assert_eq!(Ok(inner), outer);
            } else {
                assert_eq!((inner.src, inner.dst, inner.ip_bytes), (whole.src, whole.dst, whole.ip_bytes));
                assert_eq!(inner.outer, whole.outer);
            }
        }
    }
}

/// Packets and bytes of all pieces are those of one inner packet, whatever the cut.
#[test]
fn the_pieces_of_an_outer_packet_add_up_to_the_inner_one() {
    let frame = build::ethernet(0x0800, &build::v4(17, &build::udp(12345, 53, &[7; 100])));
    let vxlan = build::udp(40_000, 4789, &[&[8, 0, 0, 0, 0, 0, 1, 0], &frame[..]].concat());
    for cut in (56..vxlan.len()).step_by(8) {
        let first = build::inner_of(&build::v4_fragment(17, 0x2000, &vxlan[..cut]));
        assert_eq!((first.src, first.ports), ([10, 0, 0, 1].into(), Some((12345, 53))), "{cut}");
        assert_eq!(tunnel_of(&first).kind, TunnelKind::Vxlan);
        assert_eq!((first.fragment, first.is_in_pieces()), (None, true));
        assert_eq!(carriers_of(&first), [carrier(Protocol::UDP, cut, None)]);
        assert_eq!(first.notes.iter().collect::<Vec<_>>(), [Note::Fragment, Note::Tunnelled]);
        let later = build::v4_fragment(17, (cut / 8) as u16, &vxlan[cut..]);
        build::left_alone(&later);
        assert_eq!(first.ip_bytes + build::inner_of(&later).fragment.unwrap().len, 128);
    }
    // Before the inner header is complete there is nothing to be read.
    let first = build::v4_fragment(17, 0x2000, &vxlan[..48]);
    build::left_alone(&first);
}

#[test]
fn whose_fragment_it_is() {
    let inner = build::v4_fragment(17, 0x2000, &build::udp(12345, 53, &[7; 24]));
    let packet = build::inner_of(&build::v4(4, &inner));
    assert_eq!(packet.fragment, Some(first_of(Protocol::UDP, 32)));
    assert_eq!((packet.ports, carriers_of(&packet)), (Some((12345, 53)), &[][..]));

    // A later fragment is not looked into, and is what is metered.
    let later = build::v4_fragment(4, 3, &build::inner_v4());
    let packet = build::inner_of(&build::v6(4, &later));
    assert_eq!((packet.protocol, packet.fragment.unwrap().offset), (Protocol(4), 24));

    // Both in pieces: the inner one's, as far as it is here, and the outer one's around it.
    let header = [4, 0, 0, 1, 0, 0, 0, 5];
    let packet = build::inner_of(&build::v6(44, &[&header, &inner[..48]].concat()));
    assert_eq!(packet.fragment, Some(first_of(Protocol::UDP, 28)));
    assert_eq!((packet.ports, packet.ip_bytes), (Some((12345, 53)), 48));
    let around = carriers_of(&packet)[0];
    assert_eq!(around.fragment, Fragment { id: 5, ..first_of(Protocol(4), 48) });
    assert_eq!((around.src, around.tunnel), ("fd00::1".parse().unwrap(), None));

    // Bytes of a packet in a packet in a piece.
    let two = build::v4(4, &build::v4(17, &build::udp(12345, 53, &[7; 100])));
    let packet = build::inner_of(&build::v4_fragment(4, 0x2000, &two[..80]));
    assert_eq!((packet.ip_bytes, packet.ports), (60, Some((12345, 53))));
}

#[test]
fn a_carrier_in_the_middle_knows_the_tunnel_around_it() {
    let inner = build::v4(17, &build::udp(12345, 53, &[7; 100]));
    let middle = build::v4_fragment(4, 0x2000, &inner[..80]);
    let packet = build::inner_of(&build::v6(4, &middle));
    assert_eq!((packet.ip_bytes, packet.ports), (80, Some((12345, 53))));
    let later = build::inner_of(&build::v6(4, &build::v4_fragment(4, 10, &inner[80..])));
    assert_eq!(carriers_of(&packet), [carrier(Protocol(4), 80, Some(tunnel_of(&later)))]);
    // Both in pieces: the bytes are those of the outermost.
    let packet = build::inner_of(&build::v6(44, &[&[4, 0, 0, 1, 0, 0, 0, 5], &middle[..72]].concat()));
    assert_eq!((packet.ip_bytes, packet.fragment), (52, None));
    assert_eq!(carriers_of(&packet).iter().map(|around| around.fragment.len).collect::<Vec<_>>(), [72, 52]);
}

#[test]
fn a_frame_keeps_its_own_tags_and_labels() {
    let labels = [&[0, 1, 1, 64][..], &build::v4(4, &build::inner_v4())].concat();
    let frame = build::ethernet(0x8100, &[&[0, 5, 0x88, 0x47], &labels[..]].concat());
    let packet = decode(TunnelMode::Inner, Some(LinkType::ETHERNET), frame.len() as u32, &frame).unwrap();
    assert_eq!((packet.vlan, packet.macs.is_some()), (Some(5), true));
    assert_eq!(packet.outer.as_ref().unwrap().mpls, [16 << 4 | 1]);
    assert_eq!((tunnel_of(&packet).kind, packet.payload(&frame)), (TunnelKind::IpInIp, &b"query"[..]));
}

#[test]
fn names_are_written_once() {
    use TunnelKind::*;
    let kinds = [
        IpInIp, Gre, Erspan, Pptp, L2tp, L2tpV3, EtherIp, Ethernet, Mpls, Teredo, Vxlan, VxlanGpe, Geneve,
        GtpU, Gue, Lisp, Capwap, Tzsp,
    ];
    let names: std::collections::BTreeSet<_> = kinds.iter().map(ToString::to_string).collect();
    assert_eq!(names.len(), kinds.len());
}

/// Either nothing is seen inside, or a packet in a tunnel; on both ways the same.
fn check(data: &[u8], wire_len: usize) -> Result<(), TestCaseError> {
    let outer = raw(TunnelMode::Outer, wire_len, data);
    let inner = raw(TunnelMode::Inner, wire_len, data);
    prop_assert_eq!(outer.is_ok(), inner.is_ok());
    prop_assert_eq!(&inner, &decode_full(TunnelMode::Inner, Some(LinkType::RAW), wire_len as u32, data));
    if let (Ok(inner), Ok(outer)) = (inner, outer) {
        match inner.outer.as_ref().and_then(|around| around.tunnel) {
            Some(tunnel) => {
                prop_assert!(inner.notes.contains(Note::Tunnelled) && inner.ip_at > outer.ip_at);
                prop_assert_eq!((tunnel.src, tunnel.dst), (outer.src, outer.dst));
                let is_lie = inner.notes.contains(Note::LongerThanFrame);
                prop_assert!(is_lie || inner.ip_bytes < outer.ip_bytes);
            }
            None => prop_assert!(!inner.notes.contains(Note::Tunnelled)),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn no_packet_is_lost_to_a_guess(
        ip in proptest::sample::select(every_tunnel()),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        length in 0..160_usize,
        more in 0..1000_usize,
    ) {
        let mut ip = ip;
        for (at, value) in edits {
            let at = at.index(ip.len());
            ip[at] = value;
        }
        ip.resize(length.max(1), 0);
        check(&ip, ip.len() + more)?;
    }

    #[test]
    fn garbage_between_tunnel_ports(
        port in proptest::sample::select(&PORTS[..]),
        payload in proptest::collection::vec(prop_oneof![Just(0), Just(8), any::<u8>()], 0..100),
        nested in 0..12_usize,
    ) {
        let ip = (0..nested).fold(build::v4_udp(40_000, port, &payload), |inner, _| build::v4(4, &inner));
        check(&ip, ip.len())?;
    }

    #[test]
    fn garbage_behind_tunnel_protocols(
        protocol in proptest::sample::select(vec![4_u8, 41, 47, 94, 97, 115, 137, 143]),
        payload in proptest::collection::vec(prop_oneof![Just(0), Just(8), Just(0x45), any::<u8>()], 0..100),
    ) {
        check(&build::v4(protocol, &payload), payload.len() + 20)?;
        check(&build::v6(protocol, &payload), payload.len() + 40)?;
    }
}

/// Random bytes on the ports of tunnels are next to never taken for one: header fields that anybody could fill are not
/// believed.
#[test]
fn random_bytes_are_no_tunnel() {
    let mut state = 1_u64;
    let mut random = move || {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut found = 0;
    for port in PORTS {
        for _ in 0..20_000 {
            let length = 8 + (random() % 200) as usize * 8;
            let payload: Vec<u8> = (0..length / 8).flat_map(|_| random().to_le_bytes()).collect();
            let frame = build::v4_udp(40_000, port, &payload);
            let packet = decode(TunnelMode::Inner, Some(LinkType::RAW), frame.len() as u32, &frame).unwrap();
            found += u32::from(packet.outer.is_some());
        }
    }
    assert!(found < 20, "{found} of 280000");
}
