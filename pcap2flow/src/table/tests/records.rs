//! What records say beside counters: tunnels, labels, payload; and records of one direction.

use super::*;

fn text(flow: &Flow, field: Field) -> Option<String> {
    flow.get(field).text().map(str::to_owned)
}

fn addr(flow: &Flow, field: Field) -> String {
    flow.get(field).addr().to_string()
}

#[test]
fn the_tunnel_of_the_first_packet_is_kept_in_the_direction_of_the_flow() {
    let call = || tunnelled("192.0.2.1", "192.0.2.2", Some(77), udp((CLIENT, 1), (SERVER, 2)));
    let flows = meter_default([(0.0, call()), (0.1, udp((CLIENT, 1), (SERVER, 2)))]);
    assert_eq!(
        (addr(&flows[0], Field::TunSrcAddr), addr(&flows[0], Field::TunDstAddr)),
        ("192.0.2.1".into(), "192.0.2.2".into())
    );
    assert_eq!((number(&flows[0], Field::TunProto), number(&flows[0], Field::TunId)), (Some(4), Some(77)));
    assert_eq!(text(&flows[0], Field::TunType), Some(TunnelKind::IpInIp.to_string()));
    let answer = tunnelled("192.0.2.2", "192.0.2.1", None, tcp(false, "SA", 1, 1));
    let flows = meter_default([(0.0, answer)]);
    assert_eq!(
        (addr(&flows[0], Field::TunSrcAddr), flows[0].key.src.to_string()),
        ("192.0.2.1".into(), CLIENT.into())
    );
    assert_eq!(number(&flows[0], Field::TunId), None);
}

#[test]
fn a_flow_turned_round_turns_its_tunnel() {
    let answer = tunnelled("192.0.2.2", "192.0.2.1", None, tcp(false, "A", 1, 1));
    let flows = meter_default([(1.0, answer), (0.9, tcp(true, "S", 0, 0))]);
    assert_eq!((counts(&flows), addr(&flows[0], Field::TunSrcAddr)), (vec![(1, 1)], "192.0.2.1".into()));
}

#[test]
fn labels_and_security_parameters_are_kept() {
    let outer = Outer { mpls: vec![0x190, 0x1a1], ..Outer::default() };
    let esp = Packet {
        spi: Some(0xdead_beef),
        outer: Some(Box::new(outer)),
        ..packet(CLIENT, SERVER, Protocol::ESP)
    };
    let flows = meter_default([(0.0, esp), (0.1, packet(SERVER, CLIENT, Protocol::ESP))]);
    let found = [Field::Mpls1, Field::Mpls2, Field::Mpls3, Field::Spi].map(|field| number(&flows[0], field));
    assert_eq!(found, [Some(0x190), Some(0x1a1), None, Some(0xdead_beef)]);
    let plain = meter_default([(0.0, packet(CLIENT, SERVER, Protocol::ESP))]);
    assert_eq!((number(&plain[0], Field::Spi), number(&plain[0], Field::TunProto)), (None, None));
}

fn uniflow() -> MeterOptions {
    MeterOptions { uniflow: true, ..MeterOptions::default() }
}

#[test]
fn each_direction_is_a_record_of_its_own() {
    let with =
        |ttl, tos, macs, packet| Packet { ttl, tos, macs: Some(macs), ip_bytes: u32::from(ttl), ..packet };
    let (there, back) = (([1; 6], [2; 6]), ([2; 6], [1; 6]));
    let flows = meter(
        &uniflow(),
        [
            (1.0, with(50, 1, there, tcp(true, "S", 100, 0))),
            (2.0, with(60, 2, back, tcp(false, "SA", 500, 101))),
            (3.0, with(51, 3, there, tcp(true, "A", 101, 501))),
            (4.0, with(61, 4, back, tcp(false, "RA", 501, 101))),
        ],
    );
    assert_eq!(flows.len(), 2);
    let ends: Vec<_> =
        flows.iter().map(|flow| (flow.key.src.to_string(), flow.key.src_port, flow.key.dst_port)).collect();
    assert_eq!(ends, [(CLIENT.into(), Some(40_000), Some(80)), (SERVER.into(), Some(80), Some(40_000))]);
    assert_eq!(flows.iter().map(span_secs).collect::<Vec<_>>(), [(1, 3), (2, 4)]);
    let own: Vec<_> =
        flows.iter().map(|flow| (flow.forward.packets, flow.forward.bytes, flow.forward.tos)).collect();
    assert_eq!(own, [(Some(2), Some(101), Some(1)), (Some(2), Some(121), Some(2))]);
    assert_eq!(flows[0].forward.flags.unwrap().to_string(), "...A..S.");
    assert_eq!(flows[1].forward.flags.unwrap().to_string(), "...A.RS.");
    assert!(
        flows.iter().all(|flow| flow.reverse == flowcore::Direction::default()),
        "nothing about the other way"
    );
    let rest =
        |flow| [Field::MinTtl, Field::MaxTtl, Field::SrcMac, Field::DstMac].map(|field| number(flow, field));
    assert_eq!(rest(&flows[0]), [Some(50), Some(51), Some(0x0101_0101_0101), Some(0x0202_0202_0202)]);
    assert_eq!(rest(&flows[1]), [Some(60), Some(61), Some(0x0202_0202_0202), Some(0x0101_0101_0101)]);
    assert!(flows.iter().all(|flow| flow.end_reason == Some(EndReason::EndOfFlow)));
}

#[test]
fn a_direction_without_packets_has_no_record() {
    assert_eq!(meter(&uniflow(), [(0.0, udp((CLIENT, 1), (SERVER, 2)))]).len(), 1);
    let reply = meter(&uniflow(), [(0.0, icmp(SERVER, CLIENT, 0, 0, Some(7)))]);
    assert_eq!((reply.len(), reply[0].key.src.to_string()), (1, SERVER.into()));
    assert_eq!(number(&reply[0], Field::IcmpType), Some(0));
}

#[test]
fn each_direction_has_its_own_icmp_message_and_tunnel_ends() {
    let call = tunnelled("192.0.2.1", "192.0.2.2", Some(77), icmp(CLIENT, SERVER, 8, 0, Some(7)));
    let call = Packet { spi: Some(5), ..call };
    let flows = meter(&uniflow(), [(0.0, call), (0.1, icmp(SERVER, CLIENT, 0, 0, Some(7)))]);
    assert_eq!(
        flows.iter().map(|flow| number(flow, Field::IcmpType)).collect::<Vec<_>>(),
        [Some(8), Some(0)]
    );
    assert_eq!(addr(&flows[1], Field::TunSrcAddr), "192.0.2.2");
    let ids: Vec<_> =
        flows.iter().map(|flow| (number(flow, Field::TunId), number(flow, Field::Spi))).collect();
    assert_eq!(
        ids,
        [(Some(77), Some(5)), (Some(77), None)],
        "the other direction has other security parameters"
    );
}

/// Meters packets with payloads.
fn meter_payloads(options: &MeterOptions, packets: &[(Packet, &[u8])]) -> Vec<Flow> {
    let mut table = FlowTable::new(options);
    let mut ended = FlowBatch::new();
    for (packet, payload) in packets {
        table.observe(0, packet, payload, &mut ended);
    }
    while table.drain(&mut ended) {}
    (0..ended.len()).map(|row| ended.flow(row)).collect()
}

#[test]
fn the_first_payload_of_each_direction_is_kept_up_to_a_length() {
    let options = MeterOptions { payload_bytes: 4, ..MeterOptions::default() };
    let call = || udp((CLIENT, 1), (SERVER, 2));
    let answer = || udp((SERVER, 2), (CLIENT, 1));
    let packets: [(Packet, &[u8]); 4] =
        [(call(), b""), (call(), b"GET /"), (call(), b"other"), (answer(), b"\x00\xff")];
    let flows = meter_payloads(&options, &packets);
    assert_eq!(text(&flows[0], Field::InPayload).as_deref(), Some("GET "));
    assert_eq!(text(&flows[0], Field::OutPayload).as_deref(), Some("\u{0}\u{ff}"));
    let both = meter_payloads(&MeterOptions { uniflow: true, ..options }, &packets);
    let payloads: Vec<_> =
        both.iter().map(|flow| (text(flow, Field::InPayload), text(flow, Field::OutPayload))).collect();
    assert_eq!(payloads, [(Some("GET ".into()), None), (Some("\u{0}\u{ff}".into()), None)]);
    let none = meter_payloads(&MeterOptions::default(), &packets);
    assert_eq!((text(&none[0], Field::InPayload), text(&none[0], Field::OutPayload)), (None, None));
}

#[test]
fn payload_follows_a_flow_that_is_turned_round_and_a_first_fragment_that_comes_late() {
    let options = MeterOptions { payload_bytes: 100, ..MeterOptions::default() };
    let turned: [(Packet, &[u8]); 2] = [(tcp(false, "A", 1, 1), b"banner"), (tcp(true, "S", 0, 0), b"")];
    assert_eq!(text(&meter_payloads(&options, &turned)[0], Field::OutPayload).as_deref(), Some("banner"));
    let fragments: [(Packet, &[u8]); 2] = [(fragment(80, false, 5), b""), (fragment(0, true, 5), b"query")];
    assert_eq!(text(&meter_payloads(&options, &fragments)[0], Field::InPayload).as_deref(), Some("query"));
}
