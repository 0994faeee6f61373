//! Memory is bounded, and what does not fit is not lost.

use super::super::fragment::Fragments;
use super::*;

#[test]
fn the_memory_for_fragments_is_bounded() {
    let mut fragments = Fragments::default();
    let mut released = 0;
    // First fragments of one datagram, again and again, behind one from the far future.
    for n in 0..100_000_i64 {
        let time = if n == 0 { i64::MAX } else { n };
        assert_eq!(fragments.place(time, &fragment(0, true, 5), |_| 0).len(), 1);
        while fragments.due(n).is_some() {}
    }
    assert!(fragments.len() <= 65_536);
    while fragments.due(secs(1000.0)).is_some() {}
    assert_eq!(fragments.len(), 0, "the one from the future does not hold up the others");
    for n in 0..200_000_u32 {
        assert!(fragments.place(0, &fragment(80, true, n / 50), |_| 0).is_empty());
        while let Some(packets) = fragments.due(0) {
            released += packets.len();
        }
    }
    assert!((200_000 - 65_536..200_000 - 65_536 + 50).contains(&released), "{released}");
}

#[test]
fn memory_follows_the_live_flows_also_in_a_capture_that_goes_back() {
    let mut table = FlowTable::new(&MeterOptions::default());
    let mut ended = FlowBatch::new();
    for start in [1_000_000.0, 0.0] {
        for n in 0..5_000_u16 {
            table.observe(secs(start + f64::from(n)), &udp((CLIENT, n), (SERVER, 2)), &[], &mut ended);
            assert!(table.len() < 200, "{} flows", table.len());
        }
    }
}

/// A table under `options`, and what has come out of it by counters alone.
struct Run {
    table: FlowTable,
    ended: FlowBatch,
    packets: u64,
    records: u64,
    /// Most records that one packet put out.
    most: usize,
}

impl Run {
    fn new(options: &MeterOptions) -> Self {
        Self { table: FlowTable::new(options), ended: FlowBatch::new(), packets: 0, records: 0, most: 0 }
    }

    fn observe(&mut self, time: f64, packet: &Packet) {
        self.table.observe(secs(time), packet, &[], &mut self.ended);
        self.most = self.most.max(self.ended.len());
        self.collect();
    }

    fn drain(&mut self) {
        while self.table.drain(&mut self.ended) {
            self.collect();
        }
    }

    fn collect(&mut self) {
        for row in 0..self.ended.len() {
            let count = |field| self.ended.number(field, row).unwrap_or(0);
            self.packets += count(Field::InPackets) + count(Field::OutPackets);
            self.records += 1;
        }
        self.ended.clear();
    }
}

/// A SYN of another connection for each number.
fn syn(n: u32) -> Packet {
    let src = IpAddr::from(std::net::Ipv4Addr::from(0x0a00_0000 | (n >> 4)));
    let ports = u16::try_from(n & 0xf).unwrap();
    Packet { src, ports: Some((ports, 80)), ..tcp(true, "S", n, 0) }
}

#[test]
fn a_syn_flood_ends_the_flows_that_were_idle_longest() {
    let mut run = Run::new(&MeterOptions { max_flows: 10_000, ..MeterOptions::default() });
    let lasting = || udp((CLIENT, 1), (SERVER, 2));
    for n in 0..1_000_000_u32 {
        // Sixteen seconds of 62,500 SYNs, and one flow that has a packet in each.
        let time = f64::from(n) / 62_500.0;
        run.observe(time, &syn(n));
        if n % 5_000 == 0 {
            run.observe(time, &lasting());
        }
        assert!(run.table.len() <= 10_000);
    }
    assert_eq!(run.table.flows.places().0, 10_000);
    assert_eq!((run.table.evicted(), run.most), (990_001, 1));
    run.drain();
    assert_eq!((run.packets, run.records), (1_000_200, 1_000_001), "the lasting flow is one record");
}

#[test]
fn flows_make_room_in_order_and_say_why_they_ended() {
    let options = MeterOptions { max_flows: 2, ..MeterOptions::default() };
    let flow = |n: u16| udp((CLIENT, n), (SERVER, 2));
    let flows =
        meter(&options, [(0.0, flow(1)), (1.0, flow(2)), (2.0, flow(1)), (3.0, flow(3)), (4.0, flow(4))]);
    let found: Vec<_> =
        flows.iter().map(|flow| (flow.key.src_port.unwrap(), flow.end_reason.unwrap())).collect();
    let (full, open) = (EndReason::LackOfResources, EndReason::ForcedEnd);
    assert_eq!(found, [(2, full), (1, full), (3, open), (4, open)]);
    // What is over is put out first, and for its own reason.
    let closing = [(0.0, flow(1)), (0.1, tcp(true, "A", 1, 1)), (0.2, tcp(true, "R", 1, 1)), (3.0, flow(3))];
    let flows = meter(&options, closing);
    assert_eq!((flows[0].key.dst_port, flows[0].end_reason), (Some(80), Some(EndReason::EndOfFlow)));
    let mut table = FlowTable::new(&MeterOptions { max_flows: 0, ..options });
    let mut ended = FlowBatch::new();
    (0..5).for_each(|n| table.observe(0, &flow(n), &[], &mut ended));
    assert_eq!((table.len(), table.evicted(), ended.len()), (1, 4, 4), "there is room for one at least");
}

#[test]
fn syn_after_syn_while_the_clock_stands_still_needs_no_memory() {
    let mut run = Run::new(&MeterOptions::default());
    for n in 0..300_000 {
        run.observe(1.0, &tcp(true, "S", n, 0));
    }
    assert_eq!(run.table.flows.places(), (1, 0));
    assert_eq!(run.table.flows.waiting(), 1);
    run.drain();
    assert_eq!((run.packets, run.records), (300_000, 300_000));
}

#[test]
fn a_packet_after_a_silent_gap_puts_out_a_few_flows_only() {
    let mut run = Run::new(&MeterOptions::default());
    (0..50_000).for_each(|n| run.observe(f64::from(n) / 10_000.0, &syn(n)));
    assert_eq!((run.table.len(), run.records), (50_000, 0));
    let other = udp((CLIENT, 1), (SERVER, 2));
    (0..2_000).for_each(|n| run.observe(1000.0 + f64::from(n) / 1000.0, &other));
    assert_eq!((run.table.len(), run.records, run.most), (1, 50_000, 32));
    // A packet for a flow that is over but still in the table begins another one.
    (0..50_000).for_each(|n| run.observe(2000.0 + f64::from(n) / 10_000.0, &syn(n)));
    run.observe(3000.0, &other);
    run.observe(3000.0, &other);
    run.observe(3000.0, &syn(49_999));
    let before = run.table.len();
    assert!(before > 40_000);
    run.drain();
    assert_eq!((run.packets, run.records), (102_003, 100_000 + 3));
}

#[test]
fn a_fragment_flood_is_bounded_and_every_fragment_counts() {
    for step in [0.0, 0.001] {
        let mut run = Run::new(&MeterOptions { max_flows: 1000, ..MeterOptions::default() });
        for n in 0..200_000_u32 {
            let dst = IpAddr::from(std::net::Ipv4Addr::from(0x0b00_0000 | (n % 5_000)));
            run.observe(f64::from(n) * step, &Packet { dst, ..fragment(80, true, n / 3) });
            assert!(run.table.len() <= 1000);
        }
        assert!(run.table.fragments.len() <= 65_536 + 1);
        assert!(run.most <= 300, "{}", run.most);
        run.drain();
        assert_eq!(run.packets, 200_000);
    }
}

#[test]
fn payload_that_is_kept_is_bounded() {
    let options = MeterOptions { payload_bytes: 65_535, ..MeterOptions::default() };
    let (mut table, mut ended) = (FlowTable::new(&options), FlowBatch::new());
    table.rules.max_payload = 1 << 20;
    let payload = vec![b'x'; 1_000];
    let mut put_out = 0;
    for n in 0..20_000_u16 {
        table.observe(secs(1.0), &udp((CLIENT, n), (SERVER, 2)), &payload, &mut ended);
        assert!(table.payload_held <= (1 << 20) + payload.len());
        put_out += ended.len();
        ended.clear();
    }
    assert_eq!((put_out + table.len(), table.evicted()), (20_000, put_out as u64));
    assert!(put_out > 10_000, "{put_out}");
    while table.drain(&mut ended) {}
    assert_eq!(table.payload_held, 0);
}

#[test]
fn a_flow_is_small() {
    // `docs/metering.md` says how large.
    assert!(size_of::<super::super::Entry>() <= 248);
    assert!(size_of::<super::super::Seen>() <= 96);
    assert!(size_of::<super::super::quality::Quality>() <= 280);
}
