//! Two readings give the first groups that one reading gives.

use proptest::prelude::*;

use super::super::{Aggregation, CoarseCount, Directions, Group, Order, Proof, Way};
use super::{KEYS, aggregation, batch, flow};
use crate::batch::{FlowBatch, Mask};
use crate::record::{Addr, Field, Flow};

const SUMS: &[Order] = &[Order::FLOWS, Order::BYTES, Order::PACKETS.of(Way::In), Order::BYTES.of(Way::Out)];

/// The first groups by as many readings as it takes, and how many took part in a table in each; nothing of the kind of
/// groups that cannot be counted coarsely.
fn first(
    make: &dyn Fn() -> Aggregation,
    batches: &[FlowBatch],
    limit: usize,
    order: Order,
) -> Option<(Vec<Group>, Vec<usize>)> {
    let all = |batch: &FlowBatch| Mask::all(batch.len());
    let coarse = CoarseCount::of(&make(), limit, &[order])?;
    // As threads do: each has some of the batches.
    let mut twins = [coarse.twin(), coarse];
    for (at, batch) in batches.iter().enumerate() {
        twins[at % 2].add(batch, &all(batch)).unwrap();
    }
    let [twin, mut coarse] = twins;
    coarse.merge(&twin);
    assert_eq!(coarse.rows(), batches.iter().map(|batch| batch.len() as u64).sum::<u64>());
    let (mut candidates, mut tables) = (coarse.candidates(), Vec::new());
    loop {
        let mut groups = candidates.as_ref().map_or_else(make, |candidates| make().only(candidates));
        batches.iter().for_each(|batch| groups.add(batch, &all(batch)).unwrap());
        tables.push(groups.len());
        let proof = candidates.as_ref().map_or(Proof::Complete, |candidates| groups.proof(candidates));
        candidates = match proof {
            Proof::Complete => return Some((groups.top(limit, order).collect(), tables)),
            Proof::Wider(wider) => Some(wider),
            Proof::Open => None,
        };
    }
}

/// Batches of 400,000 records of nearly as many groups, one in ten of IPv6; `bytes` of a record by a random number.
fn many(bytes: impl Fn(u64) -> u64) -> Vec<FlowBatch> {
    let mut random = 1_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let batches = (0..50).map(|_| {
        let mut batch = FlowBatch::new();
        for _ in 0..8_000 {
            let (addr, number) = (next(), next());
            let bytes = bytes(number);
            // What is large is of few groups.
            let addr = if bytes > 60 { addr % 50 } else { addr };
            let low = addr as u32;
            let v6 = Addr::V6(u128::from(low).into());
            batch.set_addr(Field::SrcAddr, if addr % 10 == 0 { v6 } else { Addr::V4(low.into()) });
            batch.set_number(Field::InBytes, bytes);
            batch.end_row();
        }
        batch
    });
    batches.collect()
}

fn sources() -> Aggregation {
    Aggregation::by([Field::SrcAddr]).skip_absent(1)
}

fn one_reading(
    make: &dyn Fn() -> Aggregation,
    batches: &[FlowBatch],
    limit: usize,
    order: Order,
) -> Vec<Group> {
    let mut groups = make();
    batches.iter().for_each(|batch| groups.add(batch, &Mask::all(batch.len())).unwrap());
    groups.top(limit, order).collect()
}

#[test]
fn few_large_groups_are_found_in_a_small_table() {
    let batches = many(|number| if number % 7 == 0 { 1500 } else { 60 });
    for limit in [1, 10, 50] {
        let (found, tables) = first(&sources, &batches, limit, Order::BYTES).unwrap();
        assert_eq!(found, one_reading(&sources, &batches, limit, Order::BYTES));
        assert!(tables.len() == 1 && tables[0] < 10_000, "{limit}: {tables:?}");
    }
}

#[test]
fn where_all_groups_are_alike_all_are_counted() {
    let batches = many(|_| 60);
    for (limit, order) in [(1, Order::BYTES), (10, Order::FLOWS), (1000, Order::BYTES)] {
        let (found, tables) = first(&sources, &batches, limit, order).unwrap();
        assert_eq!(found, one_reading(&sources, &batches, limit, order), "{limit}");
        assert!(tables.iter().any(|groups| *groups > 300_000), "{limit}: {tables:?}");
    }
}

#[test]
fn a_bucket_that_was_left_out_is_counted_by_a_third_reading() {
    // The last of those wanted is no larger than what small groups add up to in many buckets.
    let batches = many(|number| if number % 40_000 == 0 { 3_000 } else { number % 60 });
    let limits = [2, 40, 45, 50, 55, 100, 200];
    let mut readings = Vec::new();
    for limit in limits {
        let (found, tables) = first(&sources, &batches, limit, Order::BYTES).unwrap();
        assert_eq!(found, one_reading(&sources, &batches, limit, Order::BYTES), "{limit}");
        readings.push(tables.len());
    }
    assert!(readings.contains(&1) && readings.contains(&2), "{readings:?}");
}

#[test]
fn what_sums_do_not_tell_is_not_counted_coarsely() {
    let is_fit = |groups: &Aggregation, order| CoarseCount::of(groups, 10, &[order]).is_some();
    assert!(is_fit(&sources(), Order::BYTES.of(Way::Out)));
    for order in [Order::BPS, Order::FIRST, Order::DURATION, Order::BYTES.ascending()] {
        assert!(!is_fit(&sources(), order), "{order}");
    }
    assert!(!is_fit(&sources().max_groups(5), Order::BYTES));
    let merged = Aggregation::flows(Directions::Merged);
    assert!(is_fit(&merged, Order::BYTES) && !is_fit(&merged, Order::BYTES.of(Way::In)));
    assert!(CoarseCount::of(&sources(), 0, &[Order::BYTES]).is_none());
    assert!(CoarseCount::of(&sources(), 1_000_000, &[Order::BYTES]).is_none());
}

#[test]
fn records_that_have_changed_since_prove_nothing() {
    let batches = many(|number| if number % 7 == 0 { 1500 } else { 60 });
    let mut coarse = CoarseCount::of(&sources(), 10, &[Order::BYTES]).unwrap();
    batches.iter().for_each(|batch| coarse.add(batch, &Mask::all(batch.len())).unwrap());
    let candidates = coarse.candidates().unwrap();
    let mut fewer = sources().only(&candidates);
    batches.iter().skip(1).for_each(|batch| fewer.add(batch, &Mask::all(batch.len())).unwrap());
    assert!(matches!(fewer.proof(&candidates), Proof::Open));
}

#[test]
fn groups_that_keep_something_of_their_first_record_have_no_twin() {
    assert!(sources().twin().is_some_and(|twin| twin.is_empty()));
    assert!(Aggregation::flows(Directions::Merged).twin().is_none());
    assert!(sources().keep_first([Field::Vlan].into()).twin().is_none());
}

proptest! {
    #[test]
    fn two_readings_are_one(
        flows in prop::collection::vec(flow(), 0..120),
        cut in 0_usize..120,
        sides in prop::sample::select(KEYS),
        required in 0_usize..2,
        limit in 1_usize..6,
        order in prop::sample::select(SUMS),
    ) {
        let make = || aggregation(sides, required);
        let (one, other): (&[Flow], &[Flow]) = flows.split_at(cut.min(flows.len()));
        let batches = [batch(one), batch(other)];
        let (found, _) = first(&make, &batches, limit, order).unwrap();
        prop_assert_eq!(found, one_reading(&make, &batches, limit, order));
    }
}
