//! Aggregations against a naive count by rows.

mod coarse;
mod records;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Aggregation, Counters, Group, Order, Way};
use crate::batch::{FlowBatch, Mask};
use crate::record::{Addr, Field, Flow, Timestamp, Value};

/// Lists of fields of every storage and width, alone and together.
const KEYS: &[&[&[Field]]] = &[
    &[&[]],
    &[&[Field::SrcAddr]],
    &[&[Field::SrcAddr], &[Field::DstAddr]],
    &[&[Field::SrcAddr, Field::Protocol], &[Field::DstAddr, Field::Protocol]],
    &[&[Field::SrcPort], &[Field::DstPort]],
    &[&[Field::InBytes]],
    &[&[Field::Bytes]],
    &[&[Field::TcpFlags]],
    &[&[Field::Action]],
    &[&[Field::Action], &[Field::Interface]],
    &[&[Field::First]],
    &[&[Field::First, Field::Last]],
    &[&[Field::SrcAddr, Field::DstAddr]],
    &[&[Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort, Field::Protocol]],
    &[&[Field::SrcAddr, Field::Action, Field::InBytes, Field::First]],
    &[&[Field::Duration, Field::Vlan]],
];

const ORDERS: [Order; 9] = [
    Order::FLOWS,
    Order::PACKETS.of(Way::In),
    Order::BYTES,
    Order::BYTES.of(Way::Out).ascending(),
    Order::PPS,
    Order::BPS.ascending(),
    Order::BPP,
    Order::FIRST,
    Order::DURATION,
];

fn addr() -> impl Strategy<Value = Addr> {
    prop_oneof![
        Just(Addr::Unknown),
        (0_u32..4).prop_map(|n| Addr::V4((0x0a00_0000 + n).into())),
        (0_u128..3).prop_map(|n| Addr::V6(n.into())),
    ]
}

fn number(field: Field) -> impl Strategy<Value = (Field, Value)> {
    let few = prop::option::of(prop_oneof![0_u64..4, Just(field.kind().max_number())]);
    few.prop_map(move |number| (field, number.into()))
}

fn time(field: Field) -> impl Strategy<Value = (Field, Value)> {
    let times = prop_oneof![-3_i64..3, Just(i64::MIN), Just(i64::MAX), Just(5_000_000_000)];
    prop::option::of(times).prop_map(move |nanos| (field, nanos.map(Timestamp::from_nanos).into()))
}

fn text(field: Field) -> impl Strategy<Value = (Field, Value)> {
    let texts = prop::option::of(prop::sample::select(&["ACCEPT", "REJECT", "", "b", "a"][..]));
    texts.prop_map(move |text| (field, text.map_or(Value::Absent, Value::from)))
}

fn flow() -> impl Strategy<Value = Flow> {
    let numbers = [
        Field::Protocol,
        Field::SrcPort,
        Field::DstPort,
        Field::Vlan,
        Field::Flows,
        Field::InPackets,
        Field::InBytes,
        Field::OutPackets,
        Field::OutBytes,
        Field::InFlags,
        Field::OutFlags,
    ];
    let numbers: Vec<_> = numbers.into_iter().map(number).collect();
    let times = (time(Field::First), time(Field::Last));
    let texts = (text(Field::Action), text(Field::Interface));
    (addr(), addr(), numbers, times, texts).prop_map(|(src, dst, numbers, times, texts)| {
        let mut flow = Flow::default();
        flow.set(Field::SrcAddr, src.into());
        flow.set(Field::DstAddr, dst.into());
        let others = [times.0, times.1, texts.0, texts.1];
        numbers.into_iter().chain(others).for_each(|(field, value)| flow.set(field, value));
        flow
    })
}

/// What a group adds up to, from whole flows.
#[derive(Debug, Default, Clone, PartialEq)]
struct Sums {
    flows: u64,
    /// Packets in and out, bytes in and out, flags in and out.
    numbers: [Option<u64>; 6],
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Sums {
    fn add(&mut self, flow: &Flow) {
        let number = |field| flow.get(field).number();
        self.flows = self.flows.saturating_add(number(Field::Flows).unwrap_or(1));
        let counters = [Field::InPackets, Field::OutPackets, Field::InBytes, Field::OutBytes];
        for (sum, field) in self.numbers.iter_mut().zip(counters) {
            *sum = match (*sum, number(field)) {
                (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
                (sum, more) => sum.or(more),
            };
        }
        for (flags, field) in self.numbers.iter_mut().skip(4).zip([Field::InFlags, Field::OutFlags]) {
            *flags = number(field).map_or(*flags, |more| Some(flags.unwrap_or(0) | more));
        }
        self.first = self.first.into_iter().chain(flow.get(Field::First).time()).min();
        self.last = self.last.max(flow.get(Field::Last).time());
    }

    fn of(group: &Group) -> Self {
        let counters = &group.counters;
        let flags = |way| counters.tcp_flags(way).map(|flags| u64::from(flags.0));
        Self {
            flows: counters.flows(),
            numbers: [
                counters.packets(Way::In),
                counters.packets(Way::Out),
                counters.bytes(Way::In),
                counters.bytes(Way::Out),
                flags(Way::In),
                flags(Way::Out),
            ],
            first: counters.first(),
            last: counters.last(),
        }
    }
}

fn naive(sides: &[&[Field]], required: usize, flows: &[&Flow]) -> BTreeMap<Vec<Value>, Sums> {
    let mut groups: BTreeMap<Vec<Value>, Sums> = BTreeMap::new();
    for flow in flows {
        for side in sides {
            let values: Vec<Value> = side.iter().map(|&field| flow.get(field)).collect();
            if !values.iter().take(required).any(Value::is_absent) {
                groups.entry(values).or_default().add(flow);
            }
        }
    }
    groups
}

fn aggregation(sides: &[&[Field]], required: usize) -> Aggregation {
    Aggregation::by_each(sides.iter().map(|side| side.to_vec()).collect()).unwrap().skip_absent(required)
}

fn batch(flows: &[Flow]) -> FlowBatch {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    batch
}

fn all(aggregation: &Aggregation) -> BTreeMap<Vec<Value>, Sums> {
    aggregation.top(usize::MAX, Order::FLOWS).map(|group| (group.values.clone(), Sums::of(&group))).collect()
}

proptest! {
    #[test]
    fn every_key_counts_as_a_naive_count(
        flows in prop::collection::vec(flow(), 0..120),
        chosen in prop::collection::vec(any::<bool>(), 120),
        cuts in prop::collection::vec(0_usize..120, 0..4),
        sides in prop::sample::select(KEYS),
        required in 0_usize..2,
        parts in 1_usize..5,
    ) {
        let kept: Vec<&Flow> = flows.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(flow, _)| flow).collect();
        let expected = naive(sides, required, &kept);

        let mut whole = aggregation(sides, required);
        let mask = Mask::from_fn(flows.len(), |row| chosen[row]);
        whole.add(&batch(&flows), &mask).unwrap();
        prop_assert_eq!(&all(&whole), &expected);
        prop_assert_eq!(whole.len(), expected.len());
        let mut total = Sums::default();
        kept.iter().for_each(|flow| total.add(flow));
        let mut counters = Counters::NONE;
        counters.add_rows(&batch(&flows), &mask);
        prop_assert_eq!(Sums::of(&Group { values: vec![], counters }), total);
        let unkeyed = kept.iter().filter(|flow| naive(sides, required, &[**flow]).is_empty()).count();
        prop_assert_eq!(whole.without_key(), unkeyed as u64);

        // Any split, in reverse, is the same as the whole, row by row.
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(flows.len())).chain([0, flows.len()]).collect();
        cuts.sort_unstable();
        let mut merged = aggregation(sides, required);
        for part in cuts.windows(2).rev() {
            let mut partial = aggregation(sides, required);
            let mask = Mask::from_fn(part[1] - part[0], |row| chosen[part[0] + row]);
            partial.add(&batch(&flows[part[0]..part[1]]), &mask).unwrap();
            merged.merge(&partial).unwrap();
        }
        let mut shares = aggregation(sides, required).split(parts);
        for part in &mut shares {
            for range in cuts.windows(2) {
                let mask = Mask::from_fn(range[1] - range[0], |row| chosen[range[0] + row]);
                part.add(&batch(&flows[range[0]..range[1]]), &mask).unwrap();
            }
        }
        let joined = shares.into_iter().reduce(Aggregation::join).unwrap();
        let mut twice = aggregation(sides, required).split(2).into_iter().reduce(Aggregation::join).unwrap();
        twice.merge(&joined).unwrap();
        prop_assert_eq!(merged.without_key(), whole.without_key());
        prop_assert_eq!((joined.without_key(), joined.len()), (whole.without_key(), whole.len()));
        for order in ORDERS {
            for limit in [1, 3, usize::MAX] {
                let rows: Vec<Group> = whole.top(limit, order).collect();
                for other in [&merged, &joined, &twice] {
                    prop_assert_eq!(&other.top(limit, order).collect::<Vec<_>>(), &rows, "{}", order);
                }
                prop_assert_eq!(rows.len(), limit.min(expected.len()));
                let ranks: Vec<_> = rows.iter().map(|group| {
                    let rank = order.rank(&group.counters);
                    (rank.is_none(), rank, group.values.clone())
                }).collect();
                prop_assert!(ranks.is_sorted(), "{order}: {ranks:?}");
            }
            let best = whole.top(3, order).collect::<Vec<_>>();
            prop_assert_eq!(best, whole.top(usize::MAX, order).take(3).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_limit_of_groups_is_kept_in_either_kind_of_key() {
    let mut flows = vec![Flow::default(); 3];
    flows[0].set(Field::SrcPort, Value::Number(1));
    flows[1].set(Field::SrcPort, Value::Number(2));
    let add = |limit| {
        let mut ports = Aggregation::by([Field::SrcPort]).max_groups(limit);
        let added = ports.add(&batch(&flows), &Mask::all(3));
        (added.map_err(|error| error.to_string()), ports.len())
    };
    assert_eq!(add(3), (Ok(()), 3));
    for limit in [1, 2] {
        let (added, groups) = add(limit);
        assert_eq!(groups, limit);
        let error = added.unwrap_err();
        assert!(error.contains(&format!("more than {limit} groups")), "{error}");
    }
}

#[test]
fn what_cannot_be_merged_is_refused() {
    let mut ports = Aggregation::by([Field::SrcPort]);
    assert!(ports.merge(&Aggregation::by([Field::DstPort])).is_err());
    assert!(ports.merge(&Aggregation::by([Field::SrcPort]).skip_absent(1)).is_err());
    assert!(Aggregation::by_each(vec![vec![Field::SrcPort], vec![Field::SrcAddr]]).is_err());
    assert!(Aggregation::by_each(vec![]).is_err());
}

#[test]
fn status_rows_of_logs_are_no_flows() {
    let mut flows = vec![Flow::default(); 2];
    flows[0].set(Field::LogStatus, "NODATA".into());
    flows[1].set(Field::LogStatus, "OK".into());
    let mut status = Aggregation::by([Field::LogStatus]);
    status.add(&batch(&flows), &Mask::all(2)).unwrap();
    let flows: Vec<u64> = status.top(9, Order::FLOWS).map(|group| group.counters.flows()).collect();
    assert_eq!(flows, [1, 0]);
}

#[test]
fn memory_counts_texts_and_keys_as_long_as_they_are() {
    let mut batch = FlowBatch::new();
    for n in 0..1_000 {
        batch.set_text(Field::Instance, &format!("{n:03000}"));
        batch.set_addr(Field::SrcAddr, Addr::V6(u128::MAX.into()));
        batch.end_row();
    }
    let all = Mask::all(batch.len());
    let mut instances = Aggregation::by([Field::Instance]);
    instances.add(&batch, &all).unwrap();
    assert!(instances.memory() > 3_000_000 && instances.memory() < 4_000_000, "{}", instances.memory());
    let mut bounded = Aggregation::by([Field::Instance]).max_memory(2_000_000);
    let error = bounded.add(&batch, &all).unwrap_err();
    assert!(error.to_string().contains("1000 groups take more than"), "{error}");
    let mut merged = Aggregation::by([Field::Instance]).max_memory(2_000_000);
    assert!(merged.merge(&instances).is_err(), "texts of another aggregation count as well");

    let of_keys = |fields: &[Field]| {
        let mut groups = Aggregation::by(fields.iter().copied().chain([Field::Instance]));
        groups.add(&batch, &all).unwrap();
        groups.memory()
    };
    // Each IPv6 address is 17 bytes more of each key.
    let more = of_keys(&[Field::SrcAddr; 9]) - of_keys(&[Field::SrcAddr; 5]);
    assert_eq!(more, 4 * 17 * 1_000);
}
