//! What holds for any sequence of packets.

use proptest::prelude::*;

use super::super::flow::Flow as Live;
use super::super::identity::Directions;
use super::super::key::Role;
use super::*;
use crate::options::KeyParts;

/// A packet of a small world, so that flows meet often.
fn any_packet() -> impl Strategy<Value = Packet> {
    let end = (0..3_u8, 0..3_u16);
    let letters = prop::sample::select(vec!["S", "SA", "A", "AF", "R", "AP", ""]);
    let fragment = prop::option::weighted(0.2, (0..4_u32, 0..3_u32, any::<bool>()));
    (end.clone(), end, 0..5_u8, letters, 0..3_u32, fragment, 20..2000_u32).prop_map(
        |(src, dst, kind, letters, seq, fragment, ip_bytes)| {
            let addr = |n: u8| format!("10.0.0.{n}");
            let whole = fragment.is_none_or(|(_, offset, _)| offset == 0);
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
            let protocol = packet.protocol;
            let fragment = fragment.map(|(id, offset, more)| Fragment {
                id,
                protocol,
                offset: offset * 80,
                len: 80,
                more,
            });
            Packet { fragment, ip_bytes, ports: packet.ports.filter(|_| whole), ..packet }
        },
    )
}

/// The same packet, on some VLAN, from some interface, in some tunnel; fragments of the outer datagram too, which may
/// carry fragments.
fn any_wrapping(packet: impl Strategy<Value = Packet>) -> impl Strategy<Value = Packet> {
    let outer = prop::option::weighted(0.3, (0..3_u8, any::<bool>(), any::<bool>()));
    (packet, prop::option::of(0..3_u16), 0..3_u8, outer).prop_map(|(packet, vlan, mac, outer)| {
        let packet = Packet { vlan, macs: Some(([mac; 6], [9; 6])), ..packet };
        let Some((end, is_carried, is_in_pieces)) = outer else { return packet };
        let (src, dst) = (format!("192.0.2.{end}"), "192.0.2.9");
        let is_later = packet.fragment.is_some_and(|fragment| fragment.offset > 0);
        let around = packet.fragment.filter(|_| is_carried);
        let around = around.map(|fragment| Fragment { protocol: Protocol::UDP, ..fragment });
        if around.is_some() && is_later && !is_in_pieces {
            let (src, dst) = (ip(&src), ip(dst));
            return Packet { src, dst, protocol: Protocol::UDP, fragment: around, ..packet };
        }
        let mut packet = tunnelled(&src, dst, Some(u32::from(end)), packet);
        if let Some((outer, fragment)) = packet.outer.as_mut().zip(around) {
            let fragment = Fragment { offset: 0, more: true, ..fragment };
            outer.carriers.push(Carrier { src: ip(&src), dst: ip(dst), fragment, tunnel: None });
            packet.fragment = packet.fragment.filter(|_| is_in_pieces);
        }
        packet
    })
}

fn any_options() -> impl Strategy<Value = MeterOptions> {
    let flags = prop::array::uniform6(any::<bool>());
    let times = (1..400_u64, 1..100_u64).prop_map(|(active, idle)| format!("{active},{idle}"));
    (times, flags, prop::option::of(1..6_usize)).prop_map(|(times, flags, max_flows)| {
        let [vlan, mac, tunnel, uniflow, tcp_quality, payload] = flags;
        let options = MeterOptions::default().timeouts(&times).unwrap();
        MeterOptions {
            key: KeyParts { vlan, mac, tunnel },
            uniflow,
            tcp_quality,
            payload_bytes: if payload { 7 } else { 0 },
            max_flows: max_flows.unwrap_or(options.max_flows),
            ..options
        }
    })
}

/// Packets with their times.
fn any_traffic(packet: impl Strategy<Value = Packet>) -> impl Strategy<Value = Vec<(f64, Packet)>> {
    let steps = prop::collection::vec((packet, -5.0..20.0_f64, 1..3_usize), 1..200);
    steps.prop_map(|steps| {
        let mut time = 1000.0;
        let timed = steps.into_iter().flat_map(|(packet, step, copies)| {
            time += step;
            std::iter::repeat_n((time, packet), copies)
        });
        timed.collect()
    })
}

/// What a flow counted, without what only some options give.
fn counters(flow: &Flow) -> (flowcore::FlowKey, [Option<flowcore::Timestamp>; 2], [flowcore::Direction; 2]) {
    (flow.key, [flow.first, flow.last], [flow.forward, flow.reverse])
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
            // What follows the end of a connection stays with it.
            let linger = if flow.end_reason == Some(EndReason::EndOfFlow) { 5 } else { 0 };
            prop_assert!(flow.duration().unwrap() < (active + linger) * 1_000_000_000);
        }
        prop_assert_eq!(meter(&options, timed), flows, "the same input gives the same output");
    }

    #[test]
    fn flows_say_the_same_in_their_short_forms_and_in_full(
        packets in any_traffic(any_packet()),
        times in (1..400_u64, 1..100_u64),
        max_flows in prop::option::of(1..6_usize),
    ) {
        let options = MeterOptions::default().timeouts(&format!("{},{}", times.0, times.1)).unwrap();
        let max_flows = max_flows.unwrap_or(options.max_flows);
        let options = MeterOptions { max_flows, ..options };
        let mut full = FlowTable::new(&options);
        full.rules.is_plain = false;
        prop_assert_eq!(meter(&options, packets.clone()), meter_in(full, packets));
    }

    #[test]
    fn records_are_those_of_the_entries_that_short_forms_become(
        packets in any_traffic(any_wrapping(any_packet())),
    ) {
        let mut table = FlowTable::new(&MeterOptions::default());
        let mut ended = FlowBatch::new();
        packets.iter().for_each(|(time, packet)| table.observe(secs(*time), packet, &[], &mut ended));
        let places: Vec<_> = table.flows.iter().map(|(at, _)| at).collect();
        for at in places {
            let (short, full) = match table.flows.take(at) {
                Some((Live::Single(single), None)) => {
                    let entry = single.grown();
                    let sender = [Role::Initiator, Role::Responder].into_iter().find(|role| entry.halves(*role).0.packets > 0);
                    let one = (single.sketch(Directions::One), entry.sketch(sender.unwrap(), Directions::One));
                    prop_assert_eq!(format!("{:?}", one.0), format!("{:?}", one.1));
                    (single.sketch(Directions::Both), entry.sketch(Role::Initiator, Directions::Both))
                }
                Some((Live::Pair(head), Some(more))) => {
                    (head.sketch(&more), head.entry(&more).sketch(Role::Initiator, Directions::Both))
                }
                _ => continue,
            };
            prop_assert_eq!(format!("{:?}", short), format!("{:?}", full));
        }
    }

    #[test]
    fn nothing_is_lost_under_any_options(
        packets in any_traffic(any_wrapping(any_packet())),
        options in any_options(),
    ) {
        let flows = meter(&options, packets.clone());
        prop_assert_eq!(flows.iter().map(Flow::packets).sum::<u64>(), packets.len() as u64);
        // A fragment of a tunnel counts with all of itself or with what it carries.
        let (mut least, mut most) = (0, 0);
        for (_, packet) in &packets {
            let (whole, part) = (u64::from(packet.ip_bytes), packet.fragment.map(|fragment| u64::from(fragment.len)));
            let part = part.filter(|_| packet.fragment.is_some_and(|fragment| fragment.offset > 0)).unwrap_or(whole);
            least += whole.min(part);
            most += whole.max(part);
        }
        let bytes = flows.iter().map(Flow::bytes).sum::<u64>();
        prop_assert!((least..=most).contains(&bytes), "{} in {}..={}", bytes, least, most);
        prop_assert_eq!(meter(&options, packets), flows, "the same input gives the same output");
    }

    #[test]
    fn measuring_more_changes_no_counter(packets in any_traffic(any_wrapping(any_packet()))) {
        let plain = MeterOptions::default();
        let all = MeterOptions { tcp_quality: true, payload_bytes: 100, ..plain.clone() };
        let of = |options| meter(options, packets.clone()).iter().map(counters).collect::<Vec<_>>();
        prop_assert_eq!(of(&plain), of(&all));
    }

    #[test]
    fn both_directions_together_are_the_flow(packets in any_traffic(any_wrapping(any_packet()))) {
        let both = meter_default(packets.clone());
        let each = meter(&MeterOptions { uniflow: true, ..MeterOptions::default() }, packets);
        let mut each = each.iter();
        for flow in &both {
            for way in [flow.forward, flow.reverse].into_iter().filter(|way| way.packets > Some(0)) {
                let record = each.next().unwrap();
                prop_assert_eq!(record.forward, way);
                prop_assert!(record.first >= flow.first && record.last <= flow.last);
                prop_assert_eq!(record.end_reason, flow.end_reason);
            }
        }
        prop_assert!(each.next().is_none());
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
