//! The fast way: batches of columns, of which the reader decodes only those that are asked for.
//!
//! `cargo run --example top_senders -- testdata/lab/logs 'action accept'`

use std::io::Write;
use std::sync::Arc;

use flowcore::aggregate::{Aggregation, Order, Way};
use flowcore::{Field, Filter, FlowBatch, FlowSource, OpenOptions, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().unwrap_or_else(|| "testdata/lab/logs".into());
    let filter = Arc::new(Filter::parse(&args.next().unwrap_or_default())?);

    let mut senders = Aggregation::by([Field::SrcAddr]).skip_absent(1);
    let fields = senders.fields().union(filter.fields());
    let mut input = OpenOptions::new().fields(fields).filter(Arc::clone(&filter)).open(&input)?;
    let mut batch = FlowBatch::new();
    while input.read_batch(&mut batch)? {
        senders.add(&batch, &filter.select(&batch))?;
    }
    let mut out = std::io::stdout().lock();
    for sender in senders.top(10, Order::BYTES) {
        let bytes = sender.counters.bytes(Way::Both).unwrap_or(0);
        writeln!(out, "{:>16} {bytes:>12}", sender.values[0])?;
    }
    writeln!(out, "{} records read, {} problems", input.stats().records, input.stats().problems.total())?;
    Ok(())
}
