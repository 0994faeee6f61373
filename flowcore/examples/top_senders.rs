//! The fast way: batches of columns, of which the reader decodes only those that are asked for.
//!
//! `cargo run --example top_senders -- testdata/lab/logs 'action accept'`

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use flowcore::{Field, FieldSet, Filter, FlowBatch, FlowSource, OpenOptions, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().unwrap_or_else(|| "testdata/lab/logs".into());
    let filter = Arc::new(Filter::parse(&args.next().unwrap_or_default())?);

    let fields = FieldSet::from([Field::SrcAddr, Field::Bytes]).union(filter.fields());
    let mut input = OpenOptions::new().fields(fields).filter(Arc::clone(&filter)).open(&input)?;
    let mut batch = FlowBatch::new();
    let mut bytes_by_sender = BTreeMap::new();
    while input.read_batch(&mut batch)? {
        for row in filter.select(&batch).rows() {
            let sender = batch.addr(Field::SrcAddr, row);
            *bytes_by_sender.entry(sender).or_insert(0) += batch.number(Field::Bytes, row).unwrap_or(0);
        }
    }
    let mut top: Vec<_> = bytes_by_sender.into_iter().collect();
    top.sort_by_key(|&(sender, bytes)| (std::cmp::Reverse(bytes), sender));
    let mut out = std::io::stdout().lock();
    for (sender, bytes) in top.iter().take(10) {
        writeln!(out, "{sender:>16} {bytes:>12}")?;
    }
    writeln!(out, "{} records read, {} problems", input.stats().records, input.stats().problems.total())?;
    Ok(())
}
