//! VPC flow logs as text in memory: parsing the columns of a filter and sum, and all columns.
#![allow(missing_docs, reason = "nobody depends on a bench")]

use std::fmt::Write;
use std::io::{BufReader, Cursor};

use divan::{Bencher, counter::ItemsCount};
use flowcore::format::vpc::{VpcOptions, VpcReader};
use flowcore::{Field, FieldSet, FlowBatch, FlowSource, ReadRequest};

const LINES: usize = 20_000;

fn main() {
    divan::main();
}

fn text() -> String {
    let mut text =
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
                    action log-status\n"
            .to_owned();
    for line in 0..LINES {
        let (low, start) = (line % 250, 1_700_000_100 + line / 400);
        writeln!(
            text,
            "2 123456789012 eni-0b7c2f4e61d93a850 10.0.{low}.7 198.51.100.{low} {} 443 6 {low} {} {start} {} ACCEPT OK",
            1_024 + line % 60_000,
            40 * low,
            start + 59,
        )
        .expect("memory can be written to");
    }
    text
}

#[divan::bench(args = ["filter and sum", "all columns"])]
fn parse(bencher: Bencher<'_, '_>, columns: &str) {
    let text = text();
    let fields = match columns {
        "all columns" => FieldSet::all(),
        _ => FieldSet::from([Field::DstPort, Field::Action, Field::InBytes]),
    };
    let request = ReadRequest { fields, unknown_columns: false, ..ReadRequest::default() };
    bencher.counter(ItemsCount::new(LINES)).bench(|| {
        let input = BufReader::new(Cursor::new(text.clone()));
        let mut reader =
            VpcReader::open(Box::new(input), "bench", &request, &VpcOptions::default()).expect("a log");
        let (mut batch, mut rows) = (FlowBatch::new(), 0);
        while reader.read_batch(&mut batch).expect("a good log") {
            rows += batch.len();
        }
        assert_eq!(rows, LINES);
    });
}
