//! Rows in memory: filters by how many rows they choose, groups by how many there are.
#![allow(missing_docs, reason = "nobody depends on a bench")]

mod common;

use common::{ROWS, batches};
use divan::{Bencher, counter::ItemsCount};
use flowcore::Filter;
use flowcore::aggregate::{Aggregation, Order};
use flowcore::{Field, Mask};

const ALL: usize = 16 * ROWS;

fn main() {
    divan::main();
}

/// Ports are spread evenly below 1,000.
#[divan::bench(args = ["dst port 443", "dst port < 10", "dst port < 500", "dst port < 999", "src ip 10.0.1.2 and dst port 443"])]
fn filter(bencher: Bencher<'_, '_>, expression: &str) {
    let (batches, filter) = (batches(ALL, 50_000), Filter::parse(expression).expect("a filter"));
    bencher
        .counter(ItemsCount::new(ALL))
        .bench(|| batches.iter().map(|batch| filter.select(batch).rows().count()).sum::<usize>());
}

#[divan::bench(args = [10, 1_000, 100_000, 10_000_000])]
fn group_by(bencher: Bencher<'_, '_>, sources: u64) {
    let batches = batches(ALL, sources);
    bencher.counter(ItemsCount::new(ALL)).bench(|| {
        let mut groups = Aggregation::by([Field::SrcAddr]);
        for batch in &batches {
            groups.add(batch, &Mask::all(batch.len())).expect("room for the groups");
        }
        groups.top(10, Order::BYTES).len()
    });
}
