//! Which packets belong together, and what `--key` adds.

use super::*;

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

#[test]
fn icmpv6_echo_pairs_by_identifier_too() {
    let (client, server) = ("2001:db8::9", "2001:db8::1");
    let echo = |kind: u8, src: &str, dst: &str, id: u16| Packet {
        icmp: Some(Icmp { kind, code: 0, id: Some(id) }),
        ..packet(src, dst, Protocol::ICMPV6)
    };
    let flows = meter_default([
        (0.0, echo(129, server, client, 7)),
        (0.1, echo(128, client, server, 7)),
        (0.2, echo(128, client, server, 8)),
    ]);
    assert_eq!(counts(&flows), [(1, 1), (1, 0)]);
    assert_eq!(number(&flows[0], Field::IcmpType), Some(128));
    assert_eq!(number(&flows[0], Field::IcmpId), Some(7));
}

/// Flows of packets of one 5-tuple under `--key`, by packets.
fn split(key: &str, packets: impl IntoIterator<Item = Packet>) -> Vec<(u64, u64)> {
    let options = MeterOptions { key: key.parse().unwrap(), ..MeterOptions::default() };
    counts(&meter(&options, packets.into_iter().map(|packet| (0.0, packet))))
}

#[test]
fn the_vlan_tells_flows_apart_only_when_asked() {
    let on = |vlan| Packet { vlan, ..udp((CLIENT, 1), (SERVER, 2)) };
    let packets = || [on(Some(1)), on(Some(2)), on(None), on(Some(1))];
    assert_eq!(split("", packets()), [(4, 0)]);
    assert_eq!(split("mac,tunnel", packets()), [(4, 0)]);
    assert_eq!(split("vlan", packets()), [(2, 0), (1, 0), (1, 0)]);
}

#[test]
fn mac_addresses_tell_flows_apart_without_direction() {
    let call = |mac| Packet { macs: Some(([mac; 6], [9; 6])), ..udp((CLIENT, 1), (SERVER, 2)) };
    let answer = |mac| Packet { macs: Some(([9; 6], [mac; 6])), ..udp((SERVER, 2), (CLIENT, 1)) };
    let packets = || [call(1), answer(1), call(2), answer(1), answer(2)];
    assert_eq!(split("", packets()), [(2, 3)]);
    assert_eq!(split("mac", packets()), [(1, 2), (1, 1)]);
}

#[test]
fn the_tunnel_tells_flows_apart_without_direction() {
    let call = |end: &str, id| tunnelled(end, "192.0.2.9", id, udp((CLIENT, 1), (SERVER, 2)));
    let answer = |end: &str, id| tunnelled("192.0.2.9", end, id, udp((SERVER, 2), (CLIENT, 1)));
    let (one, two) = ("192.0.2.1", "192.0.2.2");
    let packets = || [call(one, None), call(two, None), answer(one, None), udp((CLIENT, 1), (SERVER, 2))];
    assert_eq!(split("", packets()), [(3, 1)]);
    assert_eq!(split("tunnel", packets()), [(1, 1), (1, 0), (1, 0)]);
    let ids = [call(one, Some(1)), call(one, Some(2)), answer(one, Some(2))];
    assert_eq!(split("tunnel", ids), [(1, 0), (1, 1)], "both directions have the same identifier");
}

#[test]
fn a_flow_that_goes_on_keeps_what_tells_it_apart() {
    let options = MeterOptions { key: "vlan".parse().unwrap(), ..MeterOptions::default() };
    let on = |vlan| Packet { vlan: Some(vlan), ..udp((CLIENT, 1), (SERVER, 2)) };
    let times = (0..400_u16).map(f64::from);
    let flows = meter(&options, times.flat_map(|time| [(time, on(1)), (time, on(2))]));
    let found: Vec<_> = flows.iter().map(|flow| (number(flow, Field::Vlan), flow.packets())).collect();
    assert_eq!(found, [(Some(1), 300), (Some(2), 300), (Some(1), 100), (Some(2), 100)]);
}
