//! Tests of whole files: what is written is read back, whatever was asked for, and whatever happened to the file.

mod damage;
mod golden;
mod independent;
mod later;
mod round_trip;

use std::io::Cursor;

use super::{FlowFileReader, FlowFileWriter, WriterOptions};
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::record::{EndReason, Field, Flow, Storage, Timestamp, Value};
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// The two ways to read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Stream,
    Seek,
}

const MODES: [Mode; 2] = [Mode::Stream, Mode::Seek];

fn open(file: &[u8], mode: Mode, request: &ReadRequest) -> Result<FlowFileReader> {
    let input = Cursor::new(file.to_vec());
    match mode {
        Mode::Stream => FlowFileReader::open(Box::new(input), "test.flow", request),
        Mode::Seek => FlowFileReader::open_file(input, "test.flow", request),
    }
}

/// All rows of a file, and the account of it.
fn read(file: &[u8], mode: Mode, request: &ReadRequest) -> Result<(Vec<Flow>, SourceStats)> {
    let mut reader = open(file, mode, request)?;
    let (mut flows, mut batch) = (Vec::new(), FlowBatch::new());
    while reader.read_batch(&mut batch)? {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    assert!(!reader.read_batch(&mut batch)?, "the end stays the end");
    Ok((flows, reader.stats()))
}

/// The file of these flows, handed over in batches of so many rows.
fn write(flows: &[Flow], batch_rows: usize, options: &WriterOptions) -> Vec<u8> {
    let mut writer = FlowFileWriter::new(Vec::new(), options).unwrap();
    for rows in flows.chunks(batch_rows) {
        let mut batch = FlowBatch::new();
        rows.iter().for_each(|flow| batch.push(flow));
        writer.write_batch(&batch).unwrap();
    }
    writer.finish().unwrap()
}

/// The same file, its batches given away.
fn write_taken(flows: &[Flow], batch_rows: usize, options: &WriterOptions) -> Vec<u8> {
    let mut writer = FlowFileWriter::new(Vec::new(), options).unwrap();
    let mut batch = FlowBatch::new();
    for rows in flows.chunks(batch_rows) {
        rows.iter().for_each(|flow| batch.push(flow));
        writer.take_batch(&mut batch).unwrap();
        assert!(batch.is_empty());
    }
    writer.finish().unwrap()
}

fn small_blocks(block_rows: usize) -> WriterOptions {
    WriterOptions { block_rows, creator: "test".into(), ..WriterOptions::default() }
}

/// Flows that differ from each other in every kind of field, without chance.
fn sample(count: u64) -> Vec<Flow> {
    (0..count).map(sample_flow).collect()
}

fn sample_flow(n: u64) -> Flow {
    let mut flow = Flow::default();
    let seconds = 1_695_921_755 + i64::try_from(n).unwrap();
    flow.first = Some(Timestamp::from_secs(seconds));
    flow.last = (n % 4 != 1).then(|| Timestamp::from_nanos(seconds * 1_000_000_000 + 1_500_000));
    flow.set(Field::Protocol, Value::Number([6, 17, 1][usize::try_from(n % 3).unwrap()]));
    let (src, dst) = if n % 5 == 4 { ("2001:db8::1", "2001:db8::2") } else { ("10.0.0.1", "192.0.2.200") };
    flow.key.src = src.parse().unwrap();
    flow.key.dst = dst.parse().unwrap();
    flow.key.src_port = (n % 3 != 2).then(|| 40_000 + u16::try_from(n).unwrap());
    flow.key.dst_port = (n % 3 != 2).then_some(443);
    flow.forward.packets = Some(n + 1);
    flow.forward.bytes = Some(n * 1_000);
    flow.end_reason = Some(EndReason::EndOfFlow);
    flow.set(Field::Action, ["ACCEPT", "REJECT"][usize::from(n % 2 == 1)].into());
    if n % 7 == 3 {
        flow.unknown.push(("new-column".into(), format!("text {n}").as_str().into()));
    }
    flow
}

/// A value of this field's type from any number.
fn value_of(field: Field, n: u64) -> Value {
    match field.kind().storage() {
        Storage::Number => Value::Number(n % field.kind().max_number().saturating_add(1).max(1)),
        Storage::Time => Value::Time(Timestamp::from_nanos(n.cast_signed())),
        Storage::Addr if n.is_multiple_of(3) => {
            Value::Addr(std::net::Ipv6Addr::from(u128::from(n) << 60).into())
        }
        Storage::Addr => Value::Addr(std::net::Ipv4Addr::from(n.to_le_bytes().map(u32::from)[0] << 9).into()),
        Storage::Text => format!("text-{}", n % 50).as_str().into(),
    }
}
