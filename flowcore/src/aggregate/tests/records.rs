//! Groups as records, against records that are joined one by one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Sums, batch, flow};
use crate::aggregate::{Aggregation, Counters, Directions, Element, Group, Order, Selection};
use crate::batch::{FlowBatch, Mask};
use crate::filter::Filter;
use crate::record::{Addr, Field, FieldSet, Flow, Protocol, Value};

const LISTS: [&str; 12] = [
    "srcip",
    "srcip,dstip",
    "srcip4/30",
    "srcip6/127",
    "srcip4/31,srcip6/126,dstport",
    "srcip4/24,dstip6/64,proto",
    "srcnet,dstnet",
    "flags",
    "flags,inflags,srcport",
    "action,interface",
    "proto,vlan",
    "srcip,dstip,srcport,dstport,proto,vlan,action",
];

const ALL: Selection<'static> = Selection { order: Order::FIRST, limit: usize::MAX, filter: None };

/// Fields of which a group has those of its first record.
fn kept() -> FieldSet {
    FieldSet::from([Field::Vlan, Field::Interface, Field::LogStatus])
}

fn rows<'a>(batches: impl Iterator<Item = FlowBatch> + 'a) -> Vec<Flow> {
    batches.flat_map(|batch| (0..batch.len()).map(|row| batch.flow(row)).collect::<Vec<_>>()).collect()
}

fn counted(mut groups: Aggregation, flows: &[Flow]) -> Aggregation {
    for part in flows.chunks(7) {
        groups.add(&batch(part), &Mask::all(part.len())).unwrap();
    }
    groups
}

fn by(list: &str) -> Aggregation {
    Aggregation::by(Element::parse_list(list).unwrap())
}

fn total(flows: &[Flow]) -> Sums {
    let mut counters = Counters::NONE;
    counters.add_rows(&batch(flows), &Mask::all(flows.len()));
    Sums::of(&Group { values: vec![], counters })
}

/// The flow seen from its other side.
fn turned(flow: &Flow) -> Flow {
    let mut turned = flow.clone();
    turned.key.src = flow.key.dst;
    turned.key.dst = flow.key.src;
    turned.key.src_port = flow.key.dst_port;
    turned.key.dst_port = flow.key.src_port;
    turned.forward = flow.reverse;
    turned.reverse = flow.forward;
    turned
}

/// Ends, protocol, ICMP type and code, action.
fn key(flow: &Flow) -> Vec<Value> {
    let fields = [
        Field::SrcAddr,
        Field::DstAddr,
        Field::SrcPort,
        Field::DstPort,
        Field::Protocol,
        Field::IcmpType,
        Field::IcmpCode,
        Field::Action,
    ];
    fields.map(|field| flow.get(field)).to_vec()
}

/// Joins both ways of flows with ports, one record after the other, by the canonical one of their keys.
fn naive_merged(flows: &[Flow]) -> BTreeMap<Vec<Value>, Vec<Flow>> {
    let mut groups: BTreeMap<Vec<Value>, Vec<Flow>> = BTreeMap::new();
    flows.iter().for_each(|flow| groups.entry(key(&canonical(flow))).or_default().push(flow.clone()));
    groups
}

/// Whether a record is of a cloud log, of which the order of rows tells nothing.
fn is_of_cloud(flow: &Flow) -> bool {
    !flow.get(Field::Action).is_absent()
}

fn has_ports(flow: &Flow) -> bool {
    let may_have = flow.key.protocol.is_none_or(Protocol::has_ports);
    may_have && flow.key.src_port.is_some() && flow.key.dst_port.is_some()
}

/// One way of each flow, whatever it is shown as.
fn canonical(flow: &Flow) -> Flow {
    let back = turned(flow);
    if has_ports(flow) && key(&back) < key(flow) { back } else { flow.clone() }
}

fn sums(flow: &Flow) -> Sums {
    let mut sums = Sums::default();
    sums.add(flow);
    sums
}

fn network(addr: Addr, v4: Option<u32>, v6: Option<u32>) -> Addr {
    match (addr, v4, v6) {
        (Addr::V4(addr), Some(bits), _) => Addr::V4((u32::from(addr) >> (32 - bits) << (32 - bits)).into()),
        (Addr::V6(addr), _, Some(bits)) => {
            Addr::V6((u128::from(addr) >> (128 - bits) << (128 - bits)).into())
        }
        _ => Addr::Unknown,
    }
}

proptest! {
    #[test]
    fn groups_add_up_and_joining_them_again_changes_nothing(
        flows in prop::collection::vec(flow(), 0..60),
        list in prop::sample::select(&LISTS[..]),
    ) {
        let groups = counted(by(list), &flows);
        let records = rows(groups.records(ALL));
        prop_assert_eq!(records.len(), groups.len());
        prop_assert_eq!(total(&records), total(&flows));
        let again = rows(counted(by(list), &records).records(ALL));
        prop_assert_eq!(&again, &records);
        let mut reversed = flows.clone();
        reversed.reverse();
        prop_assert_eq!(&rows(counted(by(list), &reversed).records(ALL)), &records, "any order of the input");
    }

    #[test]
    fn networks_are_the_groups_of_masked_addresses(
        flows in prop::collection::vec(flow(), 0..60),
        v4 in prop::option::of(1_u32..=32),
        v6 in prop::option::of(1_u32..=128),
    ) {
        let words = [v4.map(|bits| format!("srcip4/{bits}")), v6.map(|bits| format!("srcip6/{bits}"))];
        let list: Vec<String> = words.into_iter().flatten().collect();
        prop_assume!(!list.is_empty());
        let masked: Vec<Flow> = flows.iter().map(|flow| {
            let mut flow = flow.clone();
            flow.key.src = network(flow.key.src, v4, v6);
            flow
        }).collect();
        let expected = rows(counted(by("srcip"), &masked).records(ALL));
        prop_assert_eq!(rows(counted(by(&list.join(",")), &flows).records(ALL)), expected);
    }

    #[test]
    fn merged_directions_are_those_of_records_joined_one_by_one(
        flows in prop::collection::vec(flow(), 0..60),
        cut in 0_usize..60,
    ) {
        let merged = || Aggregation::flows(Directions::Merged).keep_first(kept());
        let groups = counted(merged(), &flows);
        let records = rows(groups.records(ALL));
        let expected = naive_merged(&flows);
        prop_assert_eq!(records.len(), expected.len());
        for record in &records {
            let joined = &expected[&key(&canonical(record))];
            let mut sum = Sums::default();
            joined.iter().for_each(|flow| sum.add(&canonical(flow)));
            prop_assert_eq!(sums(&canonical(record)), sum);
            prop_assert!(is_of_cloud(record) || key(record) == key(&joined[0]), "the way of the first record");
            for field in kept().iter() {
                prop_assert_eq!(record.get(field), joined[0].get(field), "of the first record: {}", field);
            }
        }
        // Two halves merge to the whole, kept fields and directions included.
        let (one, two) = flows.split_at(cut.min(flows.len()));
        let mut halves = counted(merged(), one);
        halves.merge(&counted(merged(), two)).unwrap();
        prop_assert_eq!(&rows(halves.records(ALL)), &records);
        let parts = merged().split(3).into_iter().map(|part| counted(part, &flows));
        prop_assert_eq!(&rows(parts.reduce(Aggregation::join).unwrap().records(ALL)), &records);
        // Another order of the input can turn a group and give it another first record, no more.
        let plain = |flows: &[Flow]| {
            let records = rows(counted(Aggregation::flows(Directions::Merged), flows).records(ALL));
            records.iter().map(canonical).collect::<Vec<_>>()
        };
        let mut reversed = flows.clone();
        reversed.reverse();
        prop_assert_eq!(plain(&reversed), plain(&flows));
        let of_cloud = |flows: &[Flow]| {
            let mut records = rows(counted(Aggregation::flows(Directions::Merged), flows).records(ALL));
            records.retain(is_of_cloud);
            records
        };
        prop_assert_eq!(of_cloud(&reversed), of_cloud(&flows), "rows of cloud logs come in any order");
    }

    #[test]
    fn a_guess_only_turns_groups(flows in prop::collection::vec(flow(), 0..60)) {
        let records = |directions| {
            let records = rows(counted(Aggregation::flows(directions), &flows).records(ALL));
            records.iter().map(canonical).collect::<Vec<_>>()
        };
        prop_assert_eq!(records(Directions::Guessed), records(Directions::Merged));
        for record in rows(counted(Aggregation::flows(Directions::Guessed), &flows).records(ALL)) {
            let ports = record.key.src_port.zip(record.key.dst_port);
            let is_backwards = ports.is_some_and(|(src, dst)| src < 1024 && dst >= 1024);
            prop_assert!(!is_backwards || is_of_cloud(&record) || !has_ports(&record));
        }
    }

    #[test]
    fn a_selection_is_what_filtering_and_cutting_all_records_gives(
        flows in prop::collection::vec(flow(), 0..60),
        limit in 0_usize..5,
    ) {
        let groups = counted(Aggregation::flows(Directions::Merged), &flows);
        let filter = Filter::parse("flows > 1 or out bytes > 1").unwrap();
        for order in [Order::FIRST, Order::BYTES, Order::PACKETS.of(crate::aggregate::Way::In).ascending()] {
            let all = rows(groups.records(Selection { order, ..ALL }));
            let matching = |flow: &&Flow| filter.select(&batch(&[(*flow).clone()])).count() == 1;
            let expected: Vec<Flow> = all.iter().filter(matching).take(limit).cloned().collect();
            let chosen = groups.records(Selection { order, limit, filter: Some(&filter) });
            prop_assert_eq!(rows(chosen), expected);
            let ranks = order.ranks(&batch(&all));
            prop_assert!(ranks.iter().map(|rank| (rank.is_none(), *rank)).is_sorted());
        }
    }
}

/// A record of one way, with a ToS and a VLAN to be told by.
fn one_way(src: (&str, u16), dst: (&str, u16), bytes: u64, mark: u64) -> Flow {
    let mut flow = Flow::default();
    (flow.key.src, flow.key.src_port) = (src.0.parse().unwrap(), Some(src.1));
    (flow.key.dst, flow.key.dst_port) = (dst.0.parse().unwrap(), Some(dst.1));
    flow.set(Field::Protocol, Value::Number(6));
    flow.forward.bytes = Some(bytes);
    flow.set(Field::InFlags, Value::Number(mark));
    flow.set(Field::SrcTos, Value::Number(mark));
    flow.set(Field::SrcMac, Value::Number(mark));
    flow.set(Field::Vlan, Value::Number(mark));
    flow
}

#[test]
fn the_first_record_gives_the_direction_and_the_ports_turn_it() {
    let (web, client) = (("192.0.2.1", 443), ("10.0.0.1", 50_000));
    let flows = [one_way(web, client, 900, 2), one_way(client, web, 70, 16), one_way(web, client, 100, 1)];
    let of = |directions| {
        let groups = counted(Aggregation::flows(directions).keep_first(FieldSet::all()), &flows);
        let records = rows(groups.records(ALL));
        assert_eq!(records.len(), 1);
        records[0].clone()
    };
    let merged = of(Directions::Merged);
    assert_eq!(
        (merged.key.src_port, merged.forward.bytes, merged.reverse.bytes),
        (Some(443), Some(1000), Some(70))
    );
    assert_eq!(
        (merged.get(Field::InFlags), merged.get(Field::OutFlags)),
        (Value::Number(3), Value::Number(16))
    );
    assert_eq!(merged.get(Field::Flows), Value::Number(3));
    let marks = |flow: &Flow| {
        [Field::SrcTos, Field::DstTos, Field::SrcMac, Field::DstMac, Field::Vlan]
            .map(|field| flow.get(field).number())
    };
    assert_eq!(marks(&merged), [Some(2), None, Some(2), None, Some(2)]);
    let guessed = of(Directions::Guessed);
    assert_eq!(guessed.key.dst, merged.key.src);
    assert_eq!((guessed.forward.bytes, guessed.reverse.bytes), (Some(70), Some(1000)));
    assert_eq!(guessed.get(Field::OutFlags), Value::Number(3));
    assert_eq!(marks(&guessed), [None, Some(2), None, Some(2), Some(2)]);
}

#[test]
fn two_way_records_swap_before_they_are_added() {
    let (a, b) = (("192.0.2.1", 7), ("192.0.2.2", 7));
    let mut there = one_way(a, b, 10, 1);
    there.reverse.bytes = Some(1);
    let mut back = one_way(b, a, 200, 1);
    back.reverse.bytes = Some(20);
    let records = rows(counted(Aggregation::flows(Directions::Merged), &[there, back]).records(ALL));
    assert_eq!((records[0].forward.bytes, records[0].reverse.bytes), (Some(30), Some(201)));
    // A flow from an end to itself has one way.
    let itself = [one_way(a, a, 1, 1), one_way(a, a, 2, 1)];
    let records = rows(counted(Aggregation::flows(Directions::Merged), &itself).records(ALL));
    assert_eq!((records[0].forward.bytes, records[0].reverse.bytes), (Some(3), None));
}

#[test]
fn rows_of_cloud_logs_tell_the_initiator_whatever_their_order() {
    let (low, high) = (("10.0.0.1", 1000), ("192.0.2.1", 2000));
    let of_log = |mut flow: Flow, flags: u64, start: i64| {
        flow.set(Field::Action, "ACCEPT".into());
        flow.set(Field::InFlags, Value::Number(flags));
        flow.first = Some(crate::record::Timestamp::from_secs(start));
        flow
    };
    let source = |directions, there: (u64, i64), back: (u64, i64)| {
        let there = of_log(one_way(low, high, 10, 0), there.0, there.1);
        let back = of_log(one_way(high, low, 20, 0), back.0, back.1);
        let sources = [[there.clone(), back.clone()], [back, there]].map(|flows| {
            let records = rows(counted(Aggregation::flows(directions), &flows).records(ALL));
            assert_eq!(records.len(), 1);
            records[0].key.src_port
        });
        assert_eq!(sources[0], sources[1], "the order of rows");
        sources[0]
    };
    use Directions::{Guessed, Merged};
    assert_eq!(source(Merged, (2, 50), (18, 40)), Some(1000), "who sent the SYN");
    assert_eq!(source(Merged, (18, 40), (0, 50)), Some(2000), "who did not answer it");
    assert_eq!(source(Merged, (0, 40), (0, 50)), Some(1000), "who began");
    assert_eq!(source(Merged, (0, 40), (0, 40)), Some(2000), "who has the higher port");
    assert_eq!(source(Guessed, (0, 40), (0, 50)), Some(2000), "a limit lies between the ports");
    assert_eq!(source(Guessed, (2, 40), (18, 40)), Some(1000), "flags outweigh ports");
}

#[test]
fn what_an_end_sends_to_itself_has_one_way_in_cloud_logs_too() {
    let end = ("10.0.0.1", 7);
    let mut flow = one_way(end, end, 10, 0x12);
    flow.set(Field::Action, "ACCEPT".into());
    let records = rows(counted(Aggregation::flows(Directions::Merged), &[flow]).records(ALL));
    assert_eq!((records[0].forward.bytes, records[0].reverse.bytes), (Some(10), None));
}

#[test]
fn what_was_refused_is_a_flow_of_its_own() {
    let mut flows = vec![one_way(("192.0.2.1", 7), ("192.0.2.2", 80), 10, 2); 3];
    flows[1].set(Field::Action, "REJECT".into());
    flows[2].set(Field::Action, "ACCEPT".into());
    for directions in [Directions::Apart, Directions::Merged] {
        let records = rows(counted(Aggregation::flows(directions), &flows).records(ALL));
        let actions: Vec<Value> = records.iter().map(|flow| flow.get(Field::Action)).collect();
        assert_eq!(actions, [Value::Absent, "ACCEPT".into(), "REJECT".into()]);
    }
}

#[test]
fn protocols_without_ports_have_one_way_even_where_logs_give_them_ports() {
    let ways = |protocol: Protocol| {
        let mut ways = [
            one_way(("192.0.2.2", 0), ("192.0.2.1", 0), 1, 0),
            one_way(("192.0.2.1", 0), ("192.0.2.2", 0), 2, 0),
        ];
        ways.iter_mut().for_each(|flow| flow.key.protocol = Some(protocol));
        rows(counted(Aggregation::flows(Directions::Merged), &ways).records(ALL)).len()
    };
    assert_eq!([1, 47, 50].map(|number| ways(Protocol(number))), [2, 2, 2]);
    // Nor do their ports, if they have any, tell a direction.
    let mut odd = one_way(("192.0.2.2", 0), ("192.0.2.1", 65_535), 1, 0);
    odd.key.protocol = Some(Protocol(47));
    let records = rows(counted(Aggregation::flows(Directions::Guessed), &[odd]).records(ALL));
    assert_eq!(records[0].key.src_port, Some(0));
    assert_eq!([6, 17, 132].map(|number| ways(Protocol(number))), [1, 1, 1]);
}

#[test]
fn only_what_the_records_share_is_shown() {
    let flows = [
        one_way(("192.0.2.1", 7), ("192.0.2.2", 80), 10, 1),
        one_way(("192.0.2.9", 8), ("192.0.2.2", 80), 5, 2),
    ];
    let records = rows(counted(by("srcip4/24,dstport"), &flows).records(ALL));
    let mut expected = Flow::default();
    expected.key.src = "192.0.2.0".parse().unwrap();
    expected.key.dst_port = Some(80);
    expected.forward.bytes = Some(15);
    expected.set(Field::InFlags, Value::Number(3));
    expected.set(Field::Flows, Value::Number(2));
    assert_eq!(records, [expected]);
}

#[test]
fn columns_without_a_field_are_those_of_the_first_record() {
    let mut flows = vec![Flow::default(); 2];
    flows[0].unknown.push(("extra".into(), "one".into()));
    flows[1].unknown.push(("extra".into(), "two".into()));
    let keep = FieldSet::from([Field::Vlan]);
    let records = rows(counted(Aggregation::flows(Directions::Apart).keep_first(keep), &flows).records(ALL));
    assert_eq!(records[0].unknown, [("extra".into(), "one".into())]);
}

#[test]
fn memory_has_a_limit_that_is_named() {
    let flows: Vec<Flow> = (0..5000).map(|n| one_way(("10.0.0.1", n), ("10.0.0.2", 80), 1, 1)).collect();
    let mut groups = Aggregation::flows(Directions::Apart).max_memory(300_000);
    let error = groups.add(&batch(&flows), &Mask::all(flows.len())).unwrap_err().to_string();
    assert!(error.contains("5000 groups take more than 300.0 kB of memory"), "{error}");
    let mut groups = Aggregation::flows(Directions::Apart).max_memory(3_000_000);
    groups.add(&batch(&flows), &Mask::all(flows.len())).unwrap();
    assert!((400_000..1_000_000).contains(&groups.memory()), "{}", groups.memory());
}
