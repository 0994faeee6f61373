//! Flows end by time: exactly, and whatever the clock does.

use super::*;

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
fn the_active_timeout_is_exact_for_any_rate() {
    for step in [0.25, 1.5, 7.0, 59.0] {
        let times = (0..).map(|n| f64::from(n) * step).take_while(|&time| time < 1000.0);
        let flows = meter_default(times.map(|time| (time, udp((CLIENT, 1), (SERVER, 2)))));
        assert!(flows.len() >= 3);
        assert!(flows.iter().all(|flow| flow.duration().unwrap() < 300_000_000_000), "{step}");
        for pair in flows.windows(2) {
            let [before, after] = [&pair[0], &pair[1]].map(|flow| flow.first.unwrap().as_nanos());
            assert!(after - before >= secs(300.0), "{step}");
        }
    }
}

#[test]
fn a_few_frames_from_the_future_end_no_flow() {
    let flow = |time: u32| (f64::from(time), udp((CLIENT, 1), (SERVER, 2)));
    let stray = |time: u32| (f64::from(time), udp((CLIENT, 7), (SERVER, 8)));
    let strays = (10_000..10_050).map(stray);
    let flows = meter_default((0..50).map(flow).chain(strays).chain((50..100).map(flow)));
    assert_eq!(
        flows.iter().filter(|flow| flow.key.src_port == Some(1)).map(Flow::packets).collect::<Vec<_>>(),
        [100]
    );
}
