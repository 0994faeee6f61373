//! The rules of metering, each with packets that show it.

use flowcore::{EndReason, Field, Flow, FlowBatch, NANOS_PER_SEC, Protocol, TcpFlags};
use proptest::prelude::*;

use super::FlowTable;
use super::fragment::{Fragments, Placed};
use crate::options::MeterOptions;
use crate::packet::{Fragment, Icmp, Packet, Tcp};

const CLIENT: &str = "10.0.0.9";
const SERVER: &str = "10.0.0.1";

fn packet(src: &str, dst: &str, protocol: Protocol) -> Packet {
    Packet {
        src: src.parse().unwrap(),
        dst: dst.parse().unwrap(),
        protocol,
        ports: None,
        icmp: None,
        ip_bytes: 100,
        tos: 0,
        ttl: 64,
        tcp: None,
        fragment: None,
        vlan: None,
        macs: None,
    }
}

fn udp(src: (&str, u16), dst: (&str, u16)) -> Packet {
    Packet { ports: Some((src.1, dst.1)), ..packet(src.0, dst.0, Protocol::UDP) }
}

fn tcp(from_client: bool, letters: &str, seq: u32, ack: u32) -> Packet {
    let (client, server) = ((CLIENT, 40_000), (SERVER, 80));
    let (src, dst) = if from_client { (client, server) } else { (server, client) };
    let flags = TcpFlags::from_letters(letters).unwrap();
    let tcp = Some(Tcp { flags, seq, ack, payload_len: 0 });
    Packet { ports: Some((src.1, dst.1)), tcp, ..packet(src.0, dst.0, Protocol::TCP) }
}

fn icmp(src: &str, dst: &str, kind: u8, code: u8, id: Option<u16>) -> Packet {
    Packet { icmp: Some(Icmp { kind, code, id }), ..packet(src, dst, Protocol::ICMP) }
}

fn secs(secs: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small test times")]
    let nanos = (secs * NANOS_PER_SEC as f64) as i64;
    nanos
}

/// Meters packets given with their times in seconds; the flows in the order in which they come out.
fn meter(options: &MeterOptions, packets: impl IntoIterator<Item = (f64, Packet)>) -> Vec<Flow> {
    let mut table = FlowTable::new(options);
    let mut ended = FlowBatch::new();
    for (time, packet) in packets {
        table.observe(secs(time), &packet, &mut ended);
    }
    while table.drain(&mut ended) {}
    (0..ended.len()).map(|row| ended.flow(row)).collect()
}

fn meter_default(packets: impl IntoIterator<Item = (f64, Packet)>) -> Vec<Flow> {
    meter(&MeterOptions::default(), packets)
}

fn packets_each_way(flow: &Flow) -> (u64, u64) {
    (flow.forward.packets.unwrap(), flow.reverse.packets.unwrap())
}

fn span_secs(flow: &Flow) -> (i64, i64) {
    (flow.first.unwrap().as_secs(), flow.last.unwrap().as_secs())
}

#[test]
fn an_orderly_connection_is_one_flow_with_its_last_ack() {
    let flows = meter_default([
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "SA", 500, 101)),
        (0.2, tcp(true, "A", 101, 501)),
        (0.3, tcp(true, "AF", 101, 501)),
        (0.4, tcp(false, "AF", 501, 102)),
        (0.5, tcp(true, "A", 102, 502)),
    ]);
    assert_eq!(flows.len(), 1);
    let flow = &flows[0];
    assert_eq!((flow.key.src.to_string(), flow.key.dst_port), (CLIENT.into(), Some(80)));
    assert_eq!(packets_each_way(flow), (4, 2));
    assert_eq!(flow.end_reason, Some(EndReason::EndOfFlow));
    assert_eq!(flow.forward.flags.unwrap().to_string(), "...A..SF");
    assert_eq!(flow.reverse.flags.unwrap().to_string(), "...A..SF");
}

#[test]
fn the_answer_to_a_syn_seen_first_turns_the_flow_round() {
    let flows = meter_default([
        (0.0, tcp(false, "SA", 500, 101)),
        (0.1, tcp(true, "S", 100, 0)),
        (0.2, tcp(true, "A", 101, 501)),
    ]);
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].key.src.to_string(), CLIENT);
    assert_eq!(packets_each_way(&flows[0]), (2, 1));
}

#[test]
fn a_connection_seen_from_its_middle_starts_with_its_first_packet() {
    let flows = meter_default([(0.0, tcp(false, "AP", 500, 101)), (0.1, tcp(true, "A", 101, 600))]);
    assert_eq!(flows[0].key.src.to_string(), SERVER);
    assert_eq!(flows[0].end_reason, Some(EndReason::ForcedEnd));
}

#[test]
fn a_new_syn_starts_a_new_flow_a_repeated_one_does_not() {
    let repeated =
        [(0.0, tcp(true, "S", 100, 0)), (1.0, tcp(true, "S", 100, 0)), (3.0, tcp(true, "S", 100, 0))];
    assert_eq!(meter_default(repeated).len(), 1);
    let renewed = [
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "RA", 0, 101)),
        (0.2, tcp(true, "S", 900, 0)),
        (0.3, tcp(false, "RA", 0, 901)),
    ];
    let flows = meter_default(renewed);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(1, 1), (1, 1)]);
    assert!(flows.iter().all(|flow| flow.end_reason == Some(EndReason::EndOfFlow)));
}

#[test]
fn a_simultaneous_open_is_one_flow() {
    let flows = meter_default([
        (0.0, tcp(true, "S", 100, 0)),
        (0.1, tcp(false, "S", 500, 0)),
        (0.2, tcp(true, "SA", 100, 501)),
        (0.3, tcp(false, "SA", 500, 101)),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 2)]);
}

#[test]
fn packets_after_the_linger_are_another_flow() {
    let flows = meter_default([
        (0.0, tcp(true, "A", 100, 1)),
        (0.1, tcp(false, "R", 1, 0)),
        (5.0, tcp(true, "A", 100, 1)),
        (5.2, tcp(true, "A", 100, 1)),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 1), (1, 0)]);
}

#[test]
fn continuous_packets_end_exactly_at_the_active_timeout() {
    let flows = meter_default((0..900).map(|n| (f64::from(n), udp((CLIENT, 1), (SERVER, 2)))));
    assert_eq!(flows.iter().map(span_secs).collect::<Vec<_>>(), [(0, 299), (300, 599), (600, 899)]);
    assert_eq!(flows[0].end_reason, Some(EndReason::ActiveTimeout));
    assert_eq!(flows[2].end_reason, Some(EndReason::ForcedEnd));
}

#[test]
fn a_record_that_goes_on_keeps_its_initiator() {
    let call = || udp((CLIENT, 40_000), (SERVER, 53));
    let answer = || udp((SERVER, 53), (CLIENT, 40_000));
    let packets = std::iter::once((0.0, call())).chain((1..400).map(|n| (f64::from(n), answer())));
    let flows = meter_default(packets);
    assert_eq!(flows.len(), 2);
    assert!(flows.iter().all(|flow| flow.key.src.to_string() == CLIENT));
    assert_eq!(packets_each_way(&flows[1]), (0, 100));
}

#[test]
fn sparse_packets_are_a_flow_each_under_a_short_idle_timeout() {
    let options = MeterOptions::default().timeouts("300,10").unwrap();
    let sparse = (0..20).map(|n| (f64::from(n) * 30.0, udp((CLIENT, 1), (SERVER, 2))));
    assert_eq!(meter(&options, sparse.clone()).len(), 20);
    let other_traffic = (0..6000).map(|n| (f64::from(n) * 0.1, udp((CLIENT, 7), (SERVER, 8))));
    let mut both: Vec<_> = sparse.chain(other_traffic).collect();
    both.sort_by(|a, b| a.0.total_cmp(&b.0));
    let flows = meter(&options, both);
    let sparse_flows = flows.iter().filter(|flow| flow.key.src_port == Some(1));
    assert_eq!(sparse_flows.map(packets_each_way).collect::<Vec<_>>(), vec![(1, 0); 20]);
}

#[test]
fn a_silent_gap_ends_a_flow() {
    let flows =
        meter_default([(0.0, udp((CLIENT, 1), (SERVER, 2))), (1000.0, udp((SERVER, 2), (CLIENT, 1)))]);
    assert_eq!(flows.iter().map(span_secs).collect::<Vec<_>>(), [(0, 0), (1000, 1000)]);
    assert_eq!(flows[1].key.src.to_string(), SERVER);
    assert_eq!(flows[0].end_reason, Some(EndReason::IdleTimeout));
}

#[test]
fn time_that_goes_back_breaks_neither_order_nor_counters() {
    let flow = || udp((CLIENT, 1), (SERVER, 2));
    let flows =
        meter_default([(100.0, flow()), (99.5, flow()), (100.2, flow()), (10.0, flow()), (11.0, flow())]);
    assert_eq!(flows.iter().map(span_secs).collect::<Vec<_>>(), [(99, 100), (10, 11)]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(3, 0), (2, 0)]);
}

#[test]
fn echo_requests_and_replies_pair_by_identifier() {
    let flows = meter_default([
        (0.0, icmp(CLIENT, SERVER, 8, 0, Some(7))),
        (0.1, icmp(SERVER, CLIENT, 0, 0, Some(7))),
        (0.2, icmp(CLIENT, SERVER, 8, 0, Some(8))),
        (0.3, icmp(CLIENT, SERVER, 8, 0, Some(7))),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(1, 0), (2, 1)]);
    assert_eq!(flows[1].get(Field::IcmpType).number(), Some(8));
    assert_eq!(flows[1].key.dst_port, None);
    let reply_only = meter_default([(0.0, icmp(SERVER, CLIENT, 0, 0, Some(7)))]);
    assert_eq!(
        (reply_only[0].key.src.to_string(), packets_each_way(&reply_only[0])),
        (CLIENT.into(), (0, 1))
    );
}

#[test]
fn icmp_errors_are_flows_by_type_and_code() {
    let flows = meter_default([
        (0.0, icmp(SERVER, CLIENT, 3, 3, None)),
        (0.1, icmp(SERVER, CLIENT, 3, 3, None)),
        (0.2, icmp(SERVER, CLIENT, 3, 13, None)),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 0), (1, 0)]);
}

fn fragment(offset: u32, more: bool, id: u32) -> Packet {
    let ports = (offset == 0).then_some((1000, 53));
    Packet { ports, fragment: Some(Fragment { id, offset, more }), ..packet(CLIENT, SERVER, Protocol::UDP) }
}

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

#[test]
fn the_memory_for_fragments_is_bounded() {
    let mut fragments = Fragments::default();
    let mut released = 0;
    // First fragments of one datagram, again and again, behind one from the far future.
    for n in 0..100_000_i64 {
        let time = if n == 0 { i64::MAX } else { n };
        assert!(matches!(fragments.place(time, &fragment(0, true, 5)), Placed::Now(_)));
        while fragments.due(n).is_some() {}
    }
    assert!(fragments.len() <= 65_536);
    while fragments.due(secs(1000.0)).is_some() {}
    assert_eq!(fragments.len(), 0, "the one from the future does not hold up the others");
    for n in 0..200_000_u32 {
        assert!(matches!(fragments.place(0, &fragment(80, true, n / 50)), Placed::Waiting));
        while let Some(packets) = fragments.due(0) {
            released += packets.len();
        }
    }
    assert!((200_000 - 65_536..200_000 - 65_536 + 50).contains(&released), "{released}");
}

#[test]
fn a_late_packet_belongs_whatever_the_rest_of_the_traffic_does() {
    let flow = || udp((CLIENT, 1), (SERVER, 2));
    let other = || udp((CLIENT, 7), (SERVER, 8));
    let flows = meter_default([
        (100.0, flow()),
        (165.0, other()),
        (165.1, other()),
        (155.0, flow()),
        (166.0, other()),
    ]);
    assert_eq!(flows.iter().map(packets_each_way).collect::<Vec<_>>(), [(2, 0), (3, 0)]);
}

#[test]
fn a_frame_with_a_wrong_time_ends_no_flow() {
    let flow = |n: u16| udp((CLIENT, n), (SERVER, 2));
    for wrong in [1e9, -1e9] {
        let flows = meter_default([
            (0.0, flow(1)),
            (0.1, flow(2)),
            (wrong, flow(3)),
            (1.0, flow(1)),
            (1.1, flow(2)),
            (1.2, flow(1)),
            (wrong + 1.0, flow(4)),
            (1.3, flow(2)),
        ]);
        let mut counts: Vec<_> = flows.iter().map(|flow| flow.forward.packets.unwrap()).collect();
        counts.sort_unstable();
        assert_eq!(counts, [1, 1, 3, 3], "{wrong}");
        assert!(flows.iter().all(|flow| flow.end_reason == Some(EndReason::ForcedEnd) || wrong < 0.0));
    }
}

#[test]
fn memory_follows_the_live_flows_also_in_a_capture_that_goes_back() {
    let mut table = FlowTable::new(&MeterOptions::default());
    let mut ended = FlowBatch::new();
    for start in [1_000_000.0, 0.0] {
        for n in 0..5_000_u16 {
            table.observe(secs(start + f64::from(n)), &udp((CLIENT, n), (SERVER, 2)), &mut ended);
            assert!(table.len() < 200, "{} flows", table.len());
        }
    }
}

#[test]
fn a_syn_that_comes_late_turns_the_flow_round() {
    let macs = |from_client: bool| Some(if from_client { ([1; 6], [2; 6]) } else { ([2; 6], [1; 6]) });
    let with_macs = |from_client, packet| Packet { macs: macs(from_client), ..packet };
    for first in ["A", "AP"] {
        for syn_time in [0.9, 1.0] {
            let flows = meter_default([
                (1.0, with_macs(false, tcp(false, first, 501, 101))),
                (syn_time, with_macs(true, tcp(true, "S", 100, 0))),
                (1.1, with_macs(false, tcp(false, "SA", 500, 101))),
            ]);
            assert_eq!(flows.len(), 1);
            assert_eq!((flows[0].key.src.to_string(), flows[0].key.dst_port), (CLIENT.into(), Some(80)));
            assert_eq!(packets_each_way(&flows[0]), (1, 2));
            assert_eq!(flows[0].get(Field::SrcMac).number(), Some(0x0101_0101_0101));
            assert_eq!(flows[0].forward.flags.unwrap().to_string(), "......S.");
        }
    }
}

#[test]
fn an_echo_request_after_its_reply_names_the_flow() {
    let reply = || icmp(SERVER, CLIENT, 0, 0, Some(7));
    let flows = meter_default([(0.0, reply()), (0.1, icmp(CLIENT, SERVER, 8, 0, Some(7)))]);
    assert_eq!((flows.len(), packets_each_way(&flows[0])), (1, (1, 1)));
    assert_eq!(flows[0].get(Field::IcmpType).number(), Some(8));
    let reply_only = meter_default([(0.0, reply())]);
    assert_eq!(reply_only[0].get(Field::IcmpType).number(), Some(0));
}

#[test]
fn an_ipv4_address_and_its_ipv6_image_are_different() {
    let flows = meter_default([
        (0.0, udp(("10.0.0.9", 1), ("10.0.0.1", 2))),
        (0.1, udp(("::10.0.0.9", 1), ("::10.0.0.1", 2))),
    ]);
    assert_eq!(flows.len(), 2);
}

/// A packet of a small world, so that flows meet often.
fn any_packet() -> impl Strategy<Value = Packet> {
    let end = (0..3_u8, 0..3_u16);
    let letters = prop::sample::select(vec!["S", "SA", "A", "AF", "R", "AP", ""]);
    let fragment = prop::option::weighted(0.2, (0..4_u32, 0..3_u32, any::<bool>()));
    (end.clone(), end, 0..5_u8, letters, 0..3_u32, fragment, 20..2000_u32).prop_map(
        |(src, dst, kind, letters, seq, fragment, ip_bytes)| {
            let addr = |n: u8| format!("10.0.0.{n}");
            let fragment = fragment.map(|(id, offset, more)| Fragment { id, offset: offset * 80, more });
            let whole = fragment.as_ref().is_none_or(|fragment| fragment.offset == 0);
            let ports = Some((src.1, dst.1));
            let base = packet(&addr(src.0), &addr(dst.0), Protocol::UDP);
            let packet = match kind {
                0 | 1 => {
                    let flags = TcpFlags::from_letters(letters).unwrap();
                    let tcp = Some(Tcp { flags, seq, ack: seq + 1, payload_len: 0 }).filter(|_| whole);
                    Packet { protocol: Protocol::TCP, ports, tcp, ..base }
                }
                2 => Packet { ports, ..base },
                3 => {
                    let icmp = Some(Icmp { kind: if seq == 0 { 8 } else { 0 }, code: 0, id: Some(src.1) });
                    Packet { protocol: Protocol::ICMP, icmp: icmp.filter(|_| whole), ..base }
                }
                _ => Packet { protocol: Protocol(89), ..base },
            };
            Packet { fragment, ip_bytes, ports: packet.ports.filter(|_| whole), ..packet }
        },
    )
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_made_up(
        packets in prop::collection::vec((any_packet(), -50.0..200.0_f64), 1..200),
        active in 1..400_u64,
        idle in 1..100_u64,
    ) {
        let options = MeterOptions::default().timeouts(&format!("{active},{idle}")).unwrap();
        let mut time = 1000.0;
        let timed: Vec<_> = packets.into_iter().map(|(packet, step)| { time += step / 10.0; (time, packet) }).collect();
        let flows = meter(&options, timed.clone());
        prop_assert_eq!(flows.iter().map(Flow::packets).sum::<u64>(), timed.len() as u64);
        prop_assert_eq!(flows.iter().map(Flow::bytes).sum::<u64>(), timed.iter().map(|(_, p)| u64::from(p.ip_bytes)).sum::<u64>());
        for flow in &flows {
            prop_assert!(flow.first <= flow.last);
            prop_assert!(flow.duration().unwrap() < active * 1_000_000_000);
        }
        prop_assert_eq!(meter(&options, timed), flows, "the same input gives the same output");
    }

    #[test]
    fn unrelated_traffic_does_not_change_a_flow(
        packets in prop::collection::vec((any_packet(), 0.0..30.0_f64, 0.0..9.9_f64), 1..60),
        others in prop::collection::vec((0.0..900.0_f64, 0.0..9.9_f64), 0..100),
    ) {
        // Each packet is captured at one moment and says that it was up to the tolerance earlier.
        let mut moment = 0.0;
        let own: Vec<_> = packets
            .into_iter()
            .map(|(packet, step, late)| { moment += step; (moment, late, packet) })
            .collect();
        let other = || udp(("172.16.0.1", 9), ("172.16.0.2", 9));
        let mut mixed = own.clone();
        mixed.extend(others.into_iter().map(|(moment, late)| (moment, late, other())));
        mixed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let timed = |(moment, late, packet)| (moment - late, packet);
        let own: Vec<_> = own.into_iter().map(timed).collect();
        let mixed: Vec<_> = mixed.into_iter().map(timed).collect();
        let keep = |flow: &Flow| flow.key.src.to_string().starts_with("10.");
        let mut alone = meter_default(own);
        let mut among: Vec<_> = meter_default(mixed).into_iter().filter(keep).collect();
        let key = |flow: &Flow| format!("{flow:?}");
        alone.sort_by_key(key);
        among.sort_by_key(key);
        for flow in alone.iter_mut().chain(&mut among) {
            // Whether a flow is still open at the end depends on how long the capture goes on.
            flow.end_reason = flow.end_reason.filter(|&reason| reason == EndReason::ActiveTimeout);
        }
        prop_assert_eq!(alone, among);
    }
}
