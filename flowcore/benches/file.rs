//! `.flow` files in memory: encoding rows, and decoding one column, those of a sum, and all of them.
#![allow(missing_docs, reason = "nobody depends on a bench")]

mod common;

use std::io::Cursor;

use common::{ROWS, batches};
use divan::{Bencher, counter::ItemsCount};
use flowcore::format::flow::{BlockCompression, FlowFileReader, FlowFileWriter, WriterOptions};
use flowcore::{Field, FieldSet, FlowBatch, FlowSource, ReadRequest};

const ALL: usize = 8 * ROWS;

fn main() {
    divan::main();
}

fn encoded(batches: &[FlowBatch], compression: BlockCompression) -> Vec<u8> {
    let options = WriterOptions { compression, ..WriterOptions::default() };
    let mut writer = FlowFileWriter::new(Vec::new(), &options).expect("memory can be written to");
    batches.iter().for_each(|batch| writer.write_batch(batch).expect("memory can be written to"));
    writer.finish().expect("memory can be written to")
}

#[divan::bench(args = [BlockCompression::None, BlockCompression::Lz4, BlockCompression::Zstd(3)])]
fn encode(bencher: Bencher<'_, '_>, compression: &BlockCompression) {
    let batches = batches(ALL, 50_000);
    bencher.counter(ItemsCount::new(ALL)).bench(|| encoded(&batches, *compression));
}

#[divan::bench(args = ["one column", "a sum", "all columns"])]
fn decode(bencher: Bencher<'_, '_>, columns: &str) {
    let file = encoded(&batches(ALL, 50_000), BlockCompression::Lz4);
    let fields = match columns {
        "one column" => FieldSet::from([Field::DstPort]),
        "a sum" => FieldSet::from([Field::SrcAddr, Field::InBytes, Field::InPackets]),
        _ => FieldSet::all(),
    };
    let request = ReadRequest { fields, ..ReadRequest::default() };
    bencher.counter(ItemsCount::new(ALL)).bench(|| {
        let mut reader =
            FlowFileReader::open(Box::new(Cursor::new(file.clone())), "bench", &request).expect("a file");
        let (mut batch, mut rows) = (FlowBatch::new(), 0);
        while reader.read_batch(&mut batch).expect("a good file") {
            rows += batch.len();
        }
        assert_eq!(rows, ALL);
    });
}
