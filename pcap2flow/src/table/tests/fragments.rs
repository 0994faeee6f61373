//! Fragments belong to the flow of the first one of their datagram.

use proptest::prelude::*;

use super::*;
use crate::capture::LinkType;
use crate::options::TunnelMode;
use crate::packet::decode;
use crate::table::fragment::MAX_WAITING;

#[test]
fn fragments_belong_to_the_flow_of_their_first_in_any_order() {
    let in_order = [fragment(0, true, 5), fragment(80, true, 5), fragment(160, false, 5)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let packets = order
            .iter()
            .enumerate()
            .map(|(at, &n)| (f64::from(u32::try_from(at).unwrap()), in_order[n].clone()));
        let flows = meter_default(packets);
        assert_eq!(flows.len(), 1, "{order:?}");
        assert_eq!((packets_each_way(&flows[0]), flows[0].key.src_port), ((3, 0), Some(1000)), "{order:?}");
        assert_eq!(span_secs(&flows[0]), (0, 2));
    }
}

#[test]
fn fragments_without_their_first_are_a_flow_without_ports() {
    let flows = meter_default([
        (0.0, fragment(80, true, 5)),
        (0.1, fragment(160, false, 5)),
        (40.0, fragment(0, true, 6)),
    ]);
    let found: Vec<_> = flows.iter().map(|flow| (flow.key.src_port, packets_each_way(flow))).collect();
    assert_eq!(found, [(None, (2, 0)), (Some(1000), (1, 0))]);
}

#[test]
fn fragments_released_late_stay_together_under_a_short_idle_timeout() {
    let options = MeterOptions::default().timeouts("300,10").unwrap();
    let mut packets: Vec<_> = (0..3).map(|n| (f64::from(n), fragment(80 + 80 * n, true, 5))).collect();
    assert_eq!(meter(&options, packets.clone()).iter().map(packets_each_way).collect::<Vec<_>>(), [(3, 0)]);
    packets.push((5.0, fragment(80, true, 6)));
    packets.extend((0..200).map(|n| (6.0 + f64::from(n), udp((CLIENT, 1), (SERVER, 2)))));
    let flows = meter(&options, packets);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(4, 0), (200, 0)]);
    assert_eq!(flows[0].end_reason, Some(EndReason::IdleTimeout));
}

#[test]
fn fragments_that_wait_at_the_end_of_input_do_not_end_other_flows() {
    let flows = meter_default([
        (0.0, udp((CLIENT, 1), (SERVER, 2))),
        (59.0, fragment(80, true, 5)),
        (59.5, fragment(160, true, 5)),
    ]);
    assert!(flows.iter().all(|flow| flow.end_reason == Some(EndReason::ForcedEnd)));
}

/// A fragment of an outer UDP datagram that carries a packet from `CLIENT` to `SERVER`; the first one shows it.
fn carrier(offset: u32, len: u32, more: bool, id: u32) -> Packet {
    let (outer_src, outer_dst) = ("192.0.2.1", "192.0.2.2");
    let fragment = Fragment { id, protocol: Protocol::UDP, offset, len, more };
    if offset > 0 {
        return Packet {
            fragment: Some(fragment),
            ip_bytes: len + 20,
            ttl: 9,
            ..packet(outer_src, outer_dst, Protocol::UDP)
        };
    }
    let first = tunnelled(outer_src, outer_dst, Some(7), tcp(true, "A", 1, 1));
    Packet { ip_bytes: len - 16, ..carried(fragment, first) }
}

/// What the `fragment` of the outer packet of its tunnel shows of a packet.
fn carried(fragment: Fragment, mut packet: Packet) -> Packet {
    let outer = packet.outer.get_or_insert_default();
    let Tunnel { src, dst, .. } = outer.tunnel.unwrap();
    outer.carriers.push(Carrier { src, dst, fragment, tunnel: None });
    packet
}

#[test]
fn fragments_of_a_tunnel_continue_the_packet_inside() {
    // 3000 bytes behind a header of 16: the packet inside has 2984.
    let parts = [carrier(0, 1400, true, 5), carrier(1400, 1400, true, 5), carrier(2800, 200, false, 5)];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
        let flows = meter_default((0..3_u8).map(|n| (f64::from(n), parts[order[usize::from(n)]].clone())));
        assert_eq!((flows.len(), packets_each_way(&flows[0])), (1, (3, 0)), "{order:?}");
        assert_eq!((flows[0].bytes(), flows[0].key.dst_port), (2984, Some(80)));
        assert_eq!(flows[0].get(Field::TunSrcAddr).addr().to_string(), "192.0.2.1");
        assert_eq!(number(&flows[0], Field::MinTtl), Some(64), "the outer packet's is another");
    }
    let orphans = meter_default([(0.0, parts[1].clone()), (0.1, parts[2].clone())]);
    assert_eq!((counts(&orphans), orphans[0].bytes()), (vec![(2, 0)], 1640), "they count as what they are");
    assert_eq!(orphans[0].key.src.to_string(), "192.0.2.1");
}

#[test]
fn fragments_of_a_tunnel_without_ports_wait_where_the_inside_is_metered() {
    let mut first = carrier(0, 1400, true, 5);
    first.outer.as_mut().unwrap().carriers[0].fragment.protocol = Protocol::GRE;
    let mut later = Packet { protocol: Protocol::GRE, ..carrier(1400, 600, false, 5) };
    later.fragment.as_mut().unwrap().protocol = Protocol::GRE;
    let flows = meter_default([(0.0, later.clone()), (0.1, first)]);
    assert_eq!((counts(&flows), flows[0].key.dst_port), (vec![(2, 0)], Some(80)));
    let options = MeterOptions { tunnels: TunnelMode::Outer, ..MeterOptions::default() };
    let mut whole = later.clone();
    whole.fragment = whole.fragment.map(|fragment| Fragment { offset: 0, more: true, ..fragment });
    let mut table = FlowTable::new(&options);
    table.observe(0, &later, &[], &mut FlowBatch::new());
    assert_eq!(table.len(), 1, "nothing to wait for");
    assert_eq!(counts(&meter(&options, [(0.0, later), (0.1, whole)])), [(2, 0)]);
}

#[test]
fn repeated_and_overlapping_fragments_each_count() {
    let whole = [fragment(0, true, 5), fragment(0, true, 5), fragment(80, true, 5), fragment(80, true, 5)];
    let overlapping = [fragment(40, true, 5), fragment(120, false, 5)];
    let flows = meter_default(whole.into_iter().chain(overlapping).map(|packet| (0.0, packet)));
    assert_eq!((counts(&flows), flows[0].bytes()), (vec![(6, 0)], 600));
    let twice = [carrier(0, 1400, true, 5), carrier(1400, 600, false, 5), carrier(1400, 600, false, 5)];
    let flows = meter_default(twice.map(|packet| (0.0, packet)));
    assert_eq!((counts(&flows), flows[0].bytes()), (vec![(3, 0)], 1384 + 1200));
}

#[test]
fn an_ipv6_datagram_is_told_by_addresses_and_identification() {
    let part = |offset: u32, protocol: Protocol, id: u32| Packet {
        fragment: Some(Fragment { id, protocol, offset, len: 80, more: true }),
        ports: (offset == 0).then_some((1000, 53)),
        ..packet("2001:db8::9", "2001:db8::1", protocol)
    };
    // Later fragments name the header behind the fragment header: here destination options.
    let (first, later) = (part(0, Protocol::UDP, 5), part(80, Protocol(60), 5));
    for packets in [[first.clone(), later.clone()], [later, first.clone()]] {
        let flows = meter_default(packets.map(|packet| (0.0, packet)));
        assert_eq!((counts(&flows), flows[0].key.protocol), (vec![(2, 0)], Some(Protocol::UDP)));
    }
    let flows = meter_default([(0.0, first), (0.1, part(80, Protocol(60), 6))]);
    assert_eq!(flows.len(), 2, "another identification, another datagram");
}

#[test]
fn a_fragment_stays_with_its_first_under_any_key() {
    let options = MeterOptions { key: "vlan,mac,tunnel".parse().unwrap(), ..MeterOptions::default() };
    let first = |mac| Packet { macs: Some(([mac; 6], [9; 6])), ..carrier(0, 1400, true, 5) };
    let later = |mac| Packet { macs: Some(([mac; 6], [9; 6])), ..carrier(1400, 600, false, 5) };
    for packets in [[first(1), later(2)], [later(2), first(1)]] {
        let flows = meter(&options, packets.map(|packet| (0.0, packet)));
        assert_eq!((counts(&flows), flows[0].bytes()), (vec![(2, 0)], 1984));
    }
    // Two customers use the same addresses and identification at the same time.
    let tagged = |vlan, offset| Packet { vlan: Some(vlan), ..fragment(offset, true, 5) };
    let packets = [tagged(1, 0), tagged(2, 80), tagged(2, 0), tagged(1, 80)];
    let flows = meter(&options, packets.map(|packet| (0.0, packet)));
    let found: Vec<_> =
        flows.iter().map(|flow| (number(flow, Field::Vlan), packets_each_way(flow))).collect();
    assert_eq!(found, [(Some(1), (2, 0)), (Some(2), (2, 0))]);
}

/// A datagram of two fragments from this port, whose identification is always the same.
fn datagram(port: u16) -> [Packet; 2] {
    [Packet { ports: Some((port, 53)), ..fragment(0, true, 5) }, fragment(80, false, 5)]
}

#[test]
fn an_identification_that_is_used_again_is_another_datagram_once_the_first_is_complete() {
    let ([a0, a1], [b0, b1]) = (datagram(1), datagram(2));
    let found = |packets: &[(f64, &Packet)]| {
        let flows = meter_default(packets.iter().map(|&(time, packet)| (time, packet.clone())));
        flows.iter().map(|flow| (flow.key.src_port, flow.packets())).collect::<Vec<_>>()
    };
    let two = [(Some(1), 2), (Some(2), 2)];
    assert_eq!(found(&[(0.0, &a0), (0.0, &a1), (5.0, &b1), (5.0, &b0)]), two);
    assert_eq!(found(&[(0.0, &a1), (0.0, &a0), (5.0, &b1), (5.0, &b0)]), two, "also out of order");
    assert_eq!(found(&[(0.0, &a0), (0.0, &a1), (0.0, &b0), (0.0, &b1)]), two, "a first begins one at once");
    // Copies of frames come soon, and do not begin another one.
    assert_eq!(found(&[(0.0, &a0), (0.0, &a0), (0.0, &a1), (0.5, &a1)]), [(Some(1), 4)]);
    assert_eq!(found(&[(0.0, &a0), (0.0, &a1), (0.5, &a0), (0.5, &a1)]), [(Some(1), 4)]);
    // As long as something is missing, what comes again belongs.
    let middle = fragment(80, true, 5);
    assert_eq!(found(&[(0.0, &a0), (0.0, &middle), (5.0, &middle), (9.0, &middle)]), [(Some(1), 4)]);
    // One that was captured late has its own time.
    let last = fragment(160, false, 5);
    assert_eq!(found(&[(0.0, &a0), (0.0, &middle), (5.0, &last), (1.0, &middle)]), [(Some(1), 4)]);
    // Nothing is known of one whose first never came.
    assert_eq!(found(&[(0.0, &a0), (0.0, &a1), (5.0, &b1)]), [(Some(1), 2), (None, 1)]);
}

#[test]
fn a_header_behind_which_the_protocol_hides_does_not_part_a_datagram() {
    let protocol = Protocol::AH;
    let of_header = |packet: Packet| {
        let fragment = packet.fragment.map(|fragment| Fragment { protocol, ..fragment });
        Packet { fragment, ..packet }
    };
    let first = of_header(fragment(0, true, 5));
    let later = Packet { protocol, ..of_header(fragment(80, false, 5)) };
    for packets in [[&first, &later], [&later, &first]] {
        let flows = meter_default(packets.map(|packet| (0.0, packet.clone())));
        assert_eq!((counts(&flows), flows[0].key.src_port), (vec![(2, 0)], Some(1000)));
        assert_eq!(flows[0].key.protocol, Some(Protocol::UDP));
    }
    let orphan = meter_default([(0.0, later)]);
    assert_eq!((counts(&orphan), orphan[0].key.protocol), (vec![(1, 0)], Some(protocol)));
}

/// A datagram in two fragments of 1480 and 160 bytes, each in a tunnel whose packets are in pieces of 1400 bytes at
/// most: what is metered of the pieces, in order.
fn twice_in_pieces() -> [Packet; 3] {
    let inner = |offset, len, more| Packet {
        fragment: Some(Fragment { len, ..fragment(offset, more, 5).fragment.unwrap() }),
        ip_bytes: len + 20,
        ..fragment(offset, more, 5)
    };
    let in_tunnel = |packet| tunnelled("192.0.2.1", "192.0.2.2", None, packet);
    let piece = |offset, len, more| Fragment { id: 9, protocol: Protocol(4), offset, len, more };
    let first = carried(piece(0, 1400, true), in_tunnel(inner(0, 1380, true)));
    let rest = Packet {
        fragment: Some(piece(1400, 100, false)),
        ip_bytes: 120,
        ..packet("192.0.2.1", "192.0.2.2", Protocol(4))
    };
    [first, rest, in_tunnel(inner(1480, 160, false))]
}

#[test]
fn fragments_in_fragments_find_their_flow_in_any_order() {
    let parts = twice_in_pieces();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        for key in ["", "vlan,mac,tunnel"] {
            let options = MeterOptions { key: key.parse().unwrap(), ..MeterOptions::default() };
            let flows = meter(&options, order.map(|n| (0.0, parts[n].clone())));
            assert_eq!((counts(&flows), flows[0].key.src_port), (vec![(3, 0)], Some(1000)), "{order:?}");
            assert_eq!(flows[0].bytes(), 1400 + 100 + 180, "those of the two inner packets");
        }
    }
    // The first inner fragment is missing: the others belong together all the same.
    let [_, _, later] = twice_in_pieces();
    let later_pieces = {
        let fragment = Fragment { id: 9, protocol: Protocol(4), offset: 0, len: 100, more: true };
        let first = Packet { ip_bytes: 100, ..carried(fragment, later) };
        let rest = Fragment { offset: 100, len: 80, more: false, ..fragment };
        let outer = packet("192.0.2.1", "192.0.2.2", Protocol(4));
        [first, Packet { fragment: Some(rest), ..outer }]
    };
    for order in [[0, 1], [1, 0]] {
        let flows = meter_default(order.map(|n| (0.0, later_pieces[n].clone())));
        assert_eq!((counts(&flows), flows[0].bytes()), (vec![(2, 0)], 180));
        assert_eq!((flows[0].key.src.to_string(), flows[0].key.src_port), (CLIENT.into(), None));
    }
}

#[test]
fn the_inner_datagram_is_complete_with_the_last_piece_around_it() {
    let again = |packet: &Packet| {
        let ports = packet.ports.map(|_| (2000, 53));
        Packet { ports, ..packet.clone() }
    };
    let [first, rest, last] = twice_in_pieces();
    let (first_again, last_again) = (again(&first), again(&last));
    let one = [(0.0, first), (0.0, rest.clone()), (0.0, last)];
    let other = [(5.0, last_again), (5.0, first_again), (5.0, rest)];
    let flows = meter_default(one.into_iter().chain(other));
    let found: Vec<_> = flows.iter().map(|flow| (flow.key.src_port, flow.packets(), flow.bytes())).collect();
    assert_eq!(found, [(Some(1000), 3, 1680), (Some(2000), 3, 1680)]);
}

#[test]
fn a_tunnel_around_a_carrier_does_not_part_it_under_any_key() {
    let options = MeterOptions { key: "tunnel".parse().unwrap(), ..MeterOptions::default() };
    let around = |packet| tunnelled("198.51.100.1", "198.51.100.2", None, packet);
    let (mut first, later) = (around(carrier(0, 1400, true, 5)), around(carrier(1400, 600, false, 5)));
    let outer = first.outer.as_mut().unwrap();
    let (src, dst, tunnel) = (ip("192.0.2.1"), ip("192.0.2.2"), outer.tunnel);
    let fragment = Fragment { id: 5, protocol: Protocol::UDP, offset: 0, len: 1400, more: true };
    outer.carriers.push(Carrier { src, dst, fragment, tunnel });
    for packets in [[&first, &later], [&later, &first]] {
        let flows = meter(&options, packets.map(|packet| (0.0, packet.clone())));
        assert_eq!((counts(&flows), flows[0].bytes()), (vec![(2, 0)], 1984));
    }
}

/// IPv4 packets of one datagram, with no more than `most` bytes of it each.
fn in_pieces(net: u8, protocol: u8, id: u16, payload: &[u8], most: usize) -> Vec<Vec<u8>> {
    let count = payload.len().div_ceil(most);
    let piece = |(n, part): (usize, &[u8])| {
        let [l0, l1] = u16::try_from(20 + part.len()).unwrap().to_be_bytes();
        let more = if n + 1 < count { 0x2000 } else { 0 };
        let [f0, f1] = u16::try_from((n * most / 8) | more).unwrap().to_be_bytes();
        let [i0, i1] = id.to_be_bytes();
        let header = [0x45, 0, l0, l1, i0, i1, f0, f1, 64, protocol, 0, 0, 10, net, 0, 1, 10, net, 0, 2];
        [&header, part].concat()
    };
    payload.chunks(most).enumerate().map(piece).collect()
}

proptest! {
    #[test]
    fn packets_in_pieces_in_packets_in_pieces_are_one_flow(
        bytes in 8..600_u16,
        sizes in (1..30_usize, 6..30_usize, 6..30_usize),
        seed in any::<prop::sample::Index>(),
        by_tunnel in any::<bool>(),
    ) {
        let datagram = [&[3, 0xe8, 0, 53][..], &bytes.to_be_bytes(), &vec![0; usize::from(bytes) - 6]].concat();
        let inner = in_pieces(1, 17, 1, &datagram, sizes.0 * 8);
        let total: usize = inner.iter().map(Vec::len).sum();
        let wrap = |net, packets: Vec<Vec<u8>>, most| -> Vec<Vec<u8>> {
            (0..).zip(packets).flat_map(|(id, packet)| in_pieces(net, 4, id, &packet, most)).collect()
        };
        let frames = wrap(3, wrap(2, inner, sizes.1 * 8), sizes.2 * 8);
        // Some order of them.
        let mut order: Vec<usize> = (0..frames.len()).collect();
        order.sort_by_key(|&n| (n + 1).wrapping_mul(seed.index(usize::MAX) | 1));
        let options = MeterOptions {
            key: if by_tunnel { "tunnel" } else { "" }.parse().unwrap(),
            ..MeterOptions::default()
        };
        let flows = meter(&options, order.iter().map(|&n| {
            let frame = &frames[n];
            let length = u32::try_from(frame.len()).unwrap();
            (0.0, decode(TunnelMode::Inner, Some(LinkType::RAW), length, frame).unwrap())
        }));
        let found: Vec<_> = flows.iter().map(|flow| (flow.key.src_port, flow.packets(), flow.bytes())).collect();
        let all = found.iter().fold((0, 0), |sum, flow| (sum.0 + flow.1, sum.1 + flow.2));
        prop_assert_eq!(all, (frames.len() as u64, total as u64));
        // Of more pieces some may be let go before the first one comes, to a flow without ports.
        if frames.len() <= MAX_WAITING {
            prop_assert_eq!(found, [(Some(1000), frames.len() as u64, total as u64)]);
        }
    }
}
