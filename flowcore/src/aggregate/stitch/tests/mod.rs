//! Connections against a naive model, and one by one.

mod flows;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::record::{Flow, Timestamp, Value};

const ALL: Selection<'static> = Selection { order: Order::FIRST, limit: usize::MAX, filter: None };

/// A row of a log, as short as it goes: source, destination, flags, first and last second, bytes.
fn row(src: (&str, u16), dst: (&str, u16), flags: u64, times: (i64, i64), bytes: u64) -> Flow {
    let mut flow = Flow::default();
    (flow.key.src, flow.key.src_port) = (src.0.parse().unwrap(), Some(src.1));
    (flow.key.dst, flow.key.dst_port) = (dst.0.parse().unwrap(), Some(dst.1));
    flow.key.protocol = Some(Protocol::TCP);
    flow.first = Some(Timestamp::from_secs(times.0));
    flow.last = Some(Timestamp::from_secs(times.1));
    flow.forward.bytes = Some(bytes);
    flow.set(Field::InFlags, Value::Number(flags));
    flow.set(Field::Action, "ACCEPT".into());
    flow.set(Field::Interface, "eni-a".into());
    flow
}

fn with(mut flow: Flow, field: Field, value: impl Into<Value>) -> Flow {
    flow.set(field, value.into());
    flow
}

fn stitched(connections: Connections, flows: &[Flow]) -> Vec<Flow> {
    let mut connections = connections.keep_first(FieldSet::from([
        Field::Interface,
        Field::Vlan,
        Field::SrcTos,
        Field::EndReason,
    ]));
    for part in flows.chunks(5) {
        let mut batch = FlowBatch::new();
        part.iter().for_each(|flow| batch.push(flow));
        connections.add(&batch, &Mask::all(batch.len())).unwrap();
    }
    let batches: Vec<FlowBatch> = connections.records(ALL).collect();
    batches.iter().flat_map(|batch| (0..batch.len()).map(|row| batch.flow(row)).collect::<Vec<_>>()).collect()
}

fn state(flow: &Flow) -> String {
    flow.get(Field::ConnState).text().unwrap_or_default().to_owned()
}

/// Ports, bytes there and back, rows.
type Numbers = (Option<u16>, Option<u16>, Option<u64>, Option<u64>, Option<u64>);

fn numbers(flow: &Flow) -> Numbers {
    let flows = flow.get(Field::Flows).number();
    (flow.key.src_port, flow.key.dst_port, flow.forward.bytes, flow.reverse.bytes, flows)
}

const CLIENT: (&str, u16) = ("192.0.2.9", 50_000);
const SERVER: (&str, u16) = ("10.0.0.1", 443);

#[test]
fn directions_and_windows_are_one_connection() {
    let flows = [
        row(SERVER, CLIENT, 0, (160, 218), 500),
        row(SERVER, CLIENT, 18, (100, 158), 900),
        row(CLIENT, SERVER, 2, (100, 158), 70),
        row(CLIENT, SERVER, 1, (160, 190), 40),
    ];
    let joined = stitched(Connections::new(), &flows);
    assert_eq!(joined.len(), 1);
    assert_eq!(numbers(&joined[0]), (Some(50_000), Some(443), Some(110), Some(1400), Some(4)));
    assert_eq!((joined[0].first, joined[0].last), (flows[1].first, flows[0].last));
    assert_eq!(
        (joined[0].get(Field::InFlags), joined[0].get(Field::OutFlags)),
        (Some(3).into(), Some(18).into())
    );
    assert_eq!((state(&joined[0]).as_str(), joined[0].get(Field::Action)), ("accepted", "ACCEPT".into()));
    // A flow log of a transit gateway has no action, and rows that say the one and the other are not one connection.
    let rejected = with(row(CLIENT, SERVER, 2, (100, 158), 1), Field::Action, "REJECT");
    let with_rejected = [&flows[..], &[rejected]].concat();
    let mut states: Vec<String> = stitched(Connections::new(), &with_rejected).iter().map(state).collect();
    states.sort();
    assert_eq!(states, ["accepted", "refused"]);
}

#[test]
fn ports_that_are_used_again_are_another_connection() {
    let first = [row(CLIENT, SERVER, 3, (100, 158), 70), row(SERVER, CLIENT, 19, (99, 158), 900)];
    let again = [row(CLIENT, SERVER, 2, (161, 200), 7), row(SERVER, CLIENT, 18, (160, 200), 9)];
    let bytes = |flows: &[Flow], connections: Connections| -> Vec<_> {
        stitched(connections, flows).iter().map(|flow| (flow.forward.bytes, flow.reverse.bytes)).collect()
    };
    let both = [&first[..], &again[..]].concat();
    assert_eq!(bytes(&both, Connections::new()), [(Some(70), Some(900)), (Some(7), Some(9))]);
    // Without FIN it goes on: a SYN can be sent twice.
    let open = [row(CLIENT, SERVER, 2, (100, 158), 70), again[0].clone(), again[1].clone()];
    assert_eq!(bytes(&open, Connections::new()), [(Some(77), Some(9))]);
    // A pause.
    let later = |seconds: i64| [open[0].clone(), row(CLIENT, SERVER, 0, (158 + seconds, 158 + seconds), 1)];
    assert_eq!(bytes(&later(660), Connections::new()), [(Some(71), None)]);
    assert_eq!(bytes(&later(661), Connections::new()), [(Some(70), None), (Some(1), None)]);
    assert_eq!(bytes(&later(661), Connections::new().max_gap(700)), [(Some(71), None)]);
    assert_eq!(bytes(&later(1), Connections::new().max_gap(0)), [(Some(70), None), (Some(1), None)]);
}

#[test]
fn a_syn_comes_before_the_fin_of_its_second() {
    let rows = [(CLIENT, SERVER, 2), (CLIENT, SERVER, 1), (SERVER, CLIENT, 19)]
        .map(|(src, dst, flags)| row(src, dst, flags, (100, 100), 10));
    let joined = stitched(Connections::new(), &rows);
    assert_eq!(joined.len(), 1);
    assert_eq!(numbers(&joined[0]), (Some(50_000), Some(443), Some(20), Some(10), Some(3)));
    // Without times there is no order, and no connection ends.
    let untimed = rows.map(|flow| with(with(flow, Field::First, Value::Absent), Field::Last, Value::Absent));
    assert_eq!(stitched(Connections::new(), &untimed).len(), 1);
}

#[test]
fn the_initiator_is_told_by_the_log_then_flags_then_ports_then_times() {
    let source = |flows: &[Flow]| {
        let joined = stitched(Connections::new(), flows);
        assert_eq!(joined.len(), 1);
        joined[0].key.src_port
    };
    let (one, other) = (("192.0.2.9", 9000), ("10.0.0.1", 8000));
    let tcp = |src, dst, flags, start| row(src, dst, flags, (start, 200), 1);
    assert_eq!(source(&[tcp(other, one, 2, 100), tcp(one, other, 18, 50)]), Some(8000), "the SYN's sender");
    assert_eq!(source(&[tcp(one, other, 19, 50)]), Some(8000), "the answer alone");
    assert_eq!(source(&[tcp(SERVER, CLIENT, 0, 50), tcp(CLIENT, SERVER, 0, 100)]), Some(50_000), "the port");
    assert_eq!(source(&[tcp(other, one, 0, 50), tcp(one, other, 0, 60)]), Some(8000), "the time");
    assert_eq!(
        source(&[tcp(other, one, 0, 50), tcp(one, other, 0, 50)]),
        Some(9000),
        "the lower port serves"
    );
    assert_eq!(source(&[tcp(SERVER, CLIENT, 0, 50)]), Some(443), "the sender, if nobody else sent");
    let refused = |flow| with(flow, Field::Action, "REJECT");
    assert_eq!(source(&[refused(tcp(SERVER, CLIENT, 18, 50))]), Some(50_000), "a refused answer");
    let stated = |flow| with(flow, Field::FlowState, "begin");
    assert_eq!(source(&[stated(tcp(SERVER, CLIENT, 0, 50)), tcp(CLIENT, SERVER, 0, 50)]), Some(443));
    let two_way = with(tcp(SERVER, CLIENT, 0, 50), Field::OutBytes, Value::Number(7));
    assert_eq!(source(&[tcp(CLIENT, SERVER, 0, 50), two_way]), Some(443), "a row of both ways has a source");
    // Where ACK is recorded, a client's flags are SYN and ACK as well.
    let full = |flow| with(flow, Field::Action, Value::Absent);
    assert_eq!(source(&[full(tcp(CLIENT, SERVER, 0x1b, 50))]), Some(50_000));
    assert_eq!(
        source(&[full(tcp(SERVER, CLIENT, 0x12, 50)), full(tcp(CLIENT, SERVER, 2, 60))]),
        Some(50_000)
    );
}

#[test]
fn icmp_is_one_conversation_between_two_addresses() {
    let icmp = |src: &str, dst: &str, start, kind: Option<u64>| {
        let flow = row((src, 0), (dst, 0), 0, (start, start + 5), 84);
        let flow = with(with(flow, Field::Protocol, Some(1)), Field::InFlags, Value::Absent);
        with(flow, Field::IcmpType, kind)
    };
    let ping = |types: [Option<u64>; 2]| {
        let flows =
            [icmp("192.0.2.9", "10.0.0.1", 10, types[0]), icmp("10.0.0.1", "192.0.2.9", 11, types[1])];
        let joined = stitched(Connections::new(), &flows);
        assert_eq!(joined.len(), 1);
        (joined[0].key.src.to_string(), state(&joined[0]))
    };
    assert_eq!(ping([None, None]), ("192.0.2.9".into(), "accepted".into()), "who began earlier");
    assert_eq!(ping([Some(0), Some(8)]), ("10.0.0.1".into(), "accepted".into()), "who sent the request");
}

#[test]
fn each_interface_has_its_connections_unless_they_are_joined() {
    let at = |interface: &str| with(row(CLIENT, SERVER, 3, (100, 110), 70), Field::Interface, interface);
    let back = with(row(SERVER, CLIENT, 19, (100, 110), 7), Field::Interface, "eni-b");
    let flows = [at("eni-a"), at("eni-b"), back];
    let joined = stitched(Connections::new(), &flows);
    assert_eq!(joined.len(), 2);
    assert_eq!(joined.iter().map(state).collect::<Vec<_>>(), ["unknown", "accepted"]);
    let joined = stitched(Connections::new().across_interfaces(), &flows[1..]);
    assert_eq!(numbers(&joined[0]), (Some(50_000), Some(443), Some(70), Some(7), Some(2)));
    // Addresses in the packets tell conversations through one interface apart.
    let pods = ["10.9.0.1", "10.9.0.2"].map(|pod| {
        let mut flow = at("eni-a");
        flow.set(Field::PktSrcAddr, Value::Addr(pod.parse().unwrap()));
        flow
    });
    assert_eq!(stitched(Connections::new(), &pods).len(), 2);
}

#[test]
fn two_way_records_of_captures_get_their_state_and_nothing_else() {
    let mut flow = with(row(SERVER, CLIENT, 0x12, (100, 110), 70), Field::Action, Value::Absent);
    flow.reverse.bytes = Some(0);
    flow.set(Field::SrcTos, Value::Number(8));
    let joined = stitched(Connections::new(), &[flow.clone(), flow.clone()]);
    let expected = with(with(flow, Field::ConnState, "unknown"), Field::Flows, Some(1));
    assert_eq!(joined, [expected.clone(), with(expected, Field::ConnState, "unknown")]);
    // So is what has no address, such as a row about the log itself.
    let mut nowhere = Flow::default();
    nowhere.set(Field::Interface, "eni-a".into());
    assert_eq!(stitched(Connections::new(), &[nowhere.clone(), nowhere]).len(), 2);
}

#[test]
fn what_belongs_to_an_end_is_of_the_initiator() {
    let answer = with(row(SERVER, CLIENT, 18, (100, 110), 7), Field::SrcTos, Some(8));
    let joined = stitched(Connections::new(), std::slice::from_ref(&answer));
    assert_eq!(joined[0].get(Field::DstTos), Value::Number(8), "of the only row, which is the answer");
    let asked = with(row(CLIENT, SERVER, 2, (105, 110), 7), Field::SrcTos, Some(4));
    let joined = stitched(Connections::new(), &[answer, asked]);
    assert_eq!((joined[0].get(Field::SrcTos), joined[0].get(Field::DstTos)), (Some(4).into(), Value::Absent));
}

#[test]
fn a_selection_orders_filters_and_cuts() {
    let flows: Vec<Flow> =
        (0..20).map(|n| row((CLIENT.0, 40_000 + n), SERVER, 2, (100, 100), u64::from(n % 7))).collect();
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let mut connections = Connections::new();
    connections.add(&batch, &Mask::all(20)).unwrap();
    assert_eq!((connections.len(), connections.is_empty()), (20, false));
    let filter = crate::Filter::parse("bytes < 6 and connstate unanswered").unwrap();
    let chosen = connections.records(Selection { order: Order::BYTES, limit: 3, filter: Some(&filter) });
    let ports: Vec<_> =
        chosen.flat_map(|batch| batch.numbers(Field::SrcPort).unwrap().values().to_vec()).collect();
    assert_eq!(ports, [40_005, 40_012, 40_019]);
}

#[test]
fn memory_has_a_limit_that_is_named() {
    let mut batch = FlowBatch::new();
    (0..2000).for_each(|n| batch.push(&row((CLIENT.0, n), SERVER, 2, (1, 2), 3)));
    let error = Connections::new().max_memory(100_000).add(&batch, &Mask::all(2000)).unwrap_err().to_string();
    assert!(error.contains("2000 rows") && error.contains("100.0 kB"), "{error}");
    Connections::new().max_memory(1_000_000).add(&batch, &Mask::all(2000)).unwrap();
}

/// What a connection is told by, and what it adds up to.
type Summed = ((String, String, Option<u8>, Value, Value), (i64, i64), (u64, u64), u64);

/// An end as text, and whether the row goes from the larger to the smaller.
fn ends(flow: &Flow) -> (String, String, bool) {
    let (src, dst) = ((flow.key.src, flow.key.src_port), (flow.key.dst, flow.key.dst_port));
    let text = |end: (Addr, Option<u16>)| format!("{end:?}");
    if src > dst { (text(dst), text(src), true) } else { (text(src), text(dst), false) }
}

fn seconds(time: Option<Timestamp>) -> i64 {
    time.map_or(0, |time| time.as_nanos() / NANOS_PER_SEC)
}

/// Rows one after the other, each to the connection before it or to a new one.
fn naive(flows: &[Flow], max_gap: i64) -> Vec<Summed> {
    let mut conversations: BTreeMap<_, Vec<&Flow>> = BTreeMap::new();
    for flow in flows {
        let (smaller, larger, _) = ends(flow);
        let protocol = flow.key.protocol.map(|protocol| protocol.0);
        let key = (smaller, larger, protocol, flow.get(Field::Action), flow.get(Field::Interface));
        conversations.entry(key).or_default().push(flow);
    }
    let mut all = Vec::new();
    for (key, mut rows) in conversations {
        rows.sort_by_key(|flow| {
            let opens = flow.forward.flags.is_some_and(|flags| flags.0 & 2 != 0);
            (flow.first, flow.last, !opens, ends(flow).2, flow.forward.flags, flow.forward.bytes)
        });
        let mut connections: Vec<Vec<&Flow>> = Vec::new();
        for flow in rows {
            let flags = flow.forward.flags.unwrap().0;
            let goes_on = connections.last().is_some_and(|rows| {
                let end = rows.iter().map(|row| seconds(row.last)).max().unwrap();
                let closed = rows.iter().any(|row| row.forward.flags.unwrap().0 & 5 != 0);
                let has_sent = rows.iter().any(|row| ends(row).2 == ends(flow).2);
                seconds(flow.first) <= end + max_gap && !(flags & 2 != 0 && closed && has_sent)
            });
            if !goes_on {
                connections.push(Vec::new());
            }
            connections.last_mut().unwrap().push(flow);
        }
        for rows in connections {
            let bytes = |turned: bool| {
                rows.iter().filter(|row| ends(row).2 == turned).map(|row| row.forward.bytes.unwrap()).sum()
            };
            let first = rows.iter().map(|row| seconds(row.first)).min().unwrap();
            let last = rows.iter().map(|row| seconds(row.last)).max().unwrap();
            all.push((key.clone(), (first, last), (bytes(false), bytes(true)), rows.len() as u64));
        }
    }
    all.sort();
    all
}

fn summed(flow: &Flow) -> Summed {
    let (smaller, larger, is_turned) = ends(flow);
    let protocol = flow.key.protocol.map(|protocol| protocol.0);
    let (to, back) = (flow.forward.bytes.unwrap_or(0), flow.reverse.bytes.unwrap_or(0));
    let bytes = if is_turned { (back, to) } else { (to, back) };
    let key = (smaller, larger, protocol, flow.get(Field::Action), flow.get(Field::Interface));
    let flows = flow.get(Field::Flows).number().unwrap();
    (key, (seconds(flow.first), seconds(flow.last)), bytes, flows)
}

fn any_row() -> impl Strategy<Value = Flow> {
    let ends = prop::sample::select(vec![
        (CLIENT, SERVER),
        (SERVER, CLIENT),
        (("192.0.2.9", 443), ("10.0.0.1", 50_000)),
        (("192.0.2.9", 0), ("2001:db8::1", 0)),
        (("2001:db8::1", 0), ("192.0.2.9", 0)),
    ]);
    let flags = prop::sample::select(vec![0_u64, 1, 2, 3, 4, 18, 19]);
    let texts = (
        prop::sample::select(vec!["ACCEPT", "REJECT"]),
        prop::sample::select(vec!["eni-a", "eni-b"]),
        prop::sample::select(vec![6_u64, 6, 17, 1]),
    );
    (ends, flags, (0_i64..60, 0_i64..4), 0_u64..4, texts, 0_u64..3).prop_map(
        |((src, dst), flags, (first, long), bytes, (action, interface, protocol), vlan)| {
            let flow = row(src, dst, flags, (first, first + long), bytes);
            let flow = with(with(flow, Field::Action, action), Field::Interface, interface);
            with(with(flow, Field::Protocol, Some(protocol)), Field::Vlan, Some(vlan))
        },
    )
}

proptest! {
    #[test]
    fn connections_are_those_of_rows_joined_one_by_one(
        flows in prop::collection::vec(any_row(), 0..60),
        max_gap in 0_u32..12,
    ) {
        // Connections that differ in a VLAN alone come in any order.
        let in_order = |flows: &[Flow]| {
            let mut joined = stitched(Connections::new().max_gap(max_gap), flows);
            joined.sort_by_cached_key(|flow| (flow.first, format!("{flow:?}")));
            joined
        };
        let joined = in_order(&flows);
        let mut sums: Vec<Summed> = joined.iter().map(summed).collect();
        sums.sort();
        prop_assert_eq!(sums, naive(&flows, max_gap.into()));
        let mut reversed = flows.clone();
        reversed.reverse();
        prop_assert_eq!(in_order(&reversed), joined.clone());
        let mut by_bytes = flows;
        by_bytes.sort_by_key(|flow| (flow.forward.bytes, flow.first));
        prop_assert_eq!(in_order(&by_bytes), joined);
    }
}
