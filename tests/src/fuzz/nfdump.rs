//! nfdump files: reading what anybody may have written, and writing and reading any flows.

use std::io::Cursor;
use std::sync::Arc;

use flowcore::format::nfdump::{BlockCompression, NfdumpOptions, NfdumpReader, NfdumpWriter};
use flowcore::{Addr, Field, FieldSet, Filter, Flow, FlowBatch, ReadRequest, Storage, Timestamp, Value};

use super::{Pieces, read_all};

/// An nfdump file, or the records of one: it can be read from a stream, in pieces and from a file, with the same
/// outcome; a query sees what a reader of everything sees; and what was read is written without a change.
pub fn nfdump_file(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let file = match kind % 4 {
        0 => rest.to_vec(),
        1 => [&header(rest.first().map_or(0, |method| method % 5), 1), rest.get(1..).unwrap_or_default()]
            .concat(),
        _ => [&header(0, 1)[..], &block(rest)].concat(),
    };
    let all = ReadRequest::default();
    let Some(flows) = read(&file, &all) else { return };
    for filter in
        ["proto 6 or src port > 1000 and not out bytes 0", "src ip 10.0.0.0/8", "any", "router ip 0.0.0.0"]
    {
        if let Ok(filter) = Filter::parse(filter) {
            query(&file, &flows, filter);
        }
    }
    let written = write(&flows, BlockCompression::None);
    let again = read(&written, &all).expect("what was written can be read");
    assert_eq!(again.len(), flows.len());
    assert!(write(&again, BlockCompression::None) == written, "what was written is read as something else");
}

/// Flows made of the bytes of any kind: as many come back from a file as went in, with all packets and bytes, and a
/// second time through a file changes nothing.
pub fn nfdump_round_trip(data: &[u8]) {
    let flows = any_flows(data);
    let methods = [
        BlockCompression::None,
        BlockCompression::Lzo,
        BlockCompression::Lz4,
        BlockCompression::Bzip2,
        BlockCompression::Zstd(1),
    ];
    let method = methods[data.len() % methods.len()];
    let written = write(&flows, method);
    let once = read(&written, &ReadRequest::default()).expect("what was written can be read");
    assert_eq!(once.len(), flows.len());
    let sum = |flows: &[Flow], count: fn(&Flow) -> u64| {
        flows.iter().map(|flow| u128::from(count(flow))).sum::<u128>()
    };
    assert_eq!(sum(&once, Flow::packets), sum(&flows, Flow::packets));
    assert_eq!(sum(&once, Flow::bytes), sum(&flows, Flow::bytes));
    let twice = read(&write(&once, method), &ReadRequest::default()).expect("what was written can be read");
    assert!(once == twice, "a second time through a file changes something");
}

/// The flows of a file, however it is read; `None` if it is not one.
fn read(file: &[u8], request: &ReadRequest) -> Option<Vec<Flow>> {
    let stream = NfdumpReader::open(Box::new(Cursor::new(file.to_vec())), "fuzz", request);
    let pieces = Pieces { data: file.to_vec(), at: 0, size: 13 };
    let pieces = NfdumpReader::open(Box::new(pieces), "fuzz", request);
    let seek = NfdumpReader::open_file(Cursor::new(file.to_vec()), "fuzz", request);
    assert_eq!(stream.is_ok(), pieces.is_ok());
    assert_eq!(stream.is_ok(), seek.is_ok());
    let (flows, stats) = read_all(&mut stream.ok()?).expect("damage is noted");
    assert_eq!(stats.flows, stats.records);
    assert!(stats.flows == flows.len() as u64, "a flow is counted and not there");
    let (in_pieces, _) = read_all(&mut pieces.ok()?).expect("damage is noted");
    assert!(flows == in_pieces, "flows depend on how the bytes arrive");
    let (mut from_file, _) = read_all(&mut seek.ok()?).expect("damage is noted");
    // The name of the recording stands at the end of the file, where a stream has it too late.
    from_file.iter_mut().for_each(|flow| flow.set(Field::Ident, Value::Absent));
    assert!(flows == from_file, "flows depend on whether the file can be sought in");
    Some(flows)
}

/// A reader that is told what the query is yields the rows that match, with the fields asked for.
fn query(file: &[u8], flows: &[Flow], filter: Filter) {
    let fields = filter.fields().union(FieldSet::from([Field::InBytes, Field::DstAddr]));
    let expected: Vec<[Value; 2]> = flows.iter().filter(|flow| filter.matches(flow)).map(answer).collect();
    let filter = Arc::new(filter);
    let request = ReadRequest {
        fields,
        unknown_columns: false,
        filter: Some(Arc::clone(&filter)),
        ..ReadRequest::default()
    };
    let mut reader =
        NfdumpReader::open_file(Cursor::new(file.to_vec()), "fuzz", &request).expect("it was read before");
    let (read, _) = read_all(&mut reader).expect("damage is noted");
    let found: Vec<[Value; 2]> = read.iter().filter(|flow| filter.matches(flow)).map(answer).collect();
    assert!(found == expected, "{filter}");
}

fn answer(flow: &Flow) -> [Value; 2] {
    [flow.get(Field::InBytes), flow.get(Field::DstAddr)]
}

fn write(flows: &[Flow], compression: BlockCompression) -> Vec<u8> {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let options = NfdumpOptions { compression, ..NfdumpOptions::default() };
    let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &options).expect("memory is writable");
    writer.write_batch(&batch).expect("memory is writable");
    let mut file = writer.finish().expect("memory is writable").into_inner();
    // The time of writing is in the header.
    file[8..16].fill(0);
    file
}

/// The header of a file of so many blocks.
fn header(method: u8, blocks: u32) -> [u8; 40] {
    let mut header = [0; 40];
    header[..8].copy_from_slice(&[0x0c, 0xa5, 2, 0, 0, 1, 7, 1]);
    header[16] = method;
    header[36..].copy_from_slice(&blocks.to_le_bytes());
    header
}

/// A block whose header is right about its size; the records may be anything.
fn block(records: &[u8]) -> Vec<u8> {
    let size = u32::try_from(records.len()).unwrap_or(u32::MAX);
    [&1_u32.to_le_bytes()[..], &size.to_le_bytes(), &[3, 0, 0, 0], records].concat()
}

/// A flow for every zero among the bytes; before it, fields by number with a value behind each.
fn any_flows(data: &[u8]) -> Vec<Flow> {
    let (mut flows, mut flow) = (Vec::new(), Flow::default());
    let mut bytes = data.iter().copied();
    while let Some(byte) = bytes.next() {
        let field = Field::all().nth(usize::from(byte).wrapping_sub(1));
        match field.filter(|field| !field.is_derived()) {
            None => flows.push(std::mem::take(&mut flow)),
            Some(field) => flow.set(field, any_value(field, &mut bytes)),
        }
    }
    flows.push(flow);
    flows
}

fn any_value(field: Field, bytes: &mut impl Iterator<Item = u8>) -> Value {
    let len = bytes.next().unwrap_or(0);
    let mut number =
        bytes.by_ref().take(usize::from(len % 9)).fold(0_u64, |number, byte| number << 8 | u64::from(byte));
    match field.kind().storage() {
        Storage::Number => {
            number &= field.kind().max_number();
            // Sums of packets and bytes have to fit.
            Value::Number(number >> 16)
        }
        Storage::Time => Value::from(Some(Timestamp::from_nanos(number.cast_signed()))),
        Storage::Addr if len & 0x80 == 0 => {
            Value::Addr(Addr::V4(u32::try_from(number & 0xffff_ffff).unwrap_or(0).into()))
        }
        Storage::Addr => Value::Addr(Addr::V6((u128::from(number) << 64 | u128::from(len)).into())),
        Storage::Text => {
            let text: String = bytes.by_ref().take(usize::from(len)).map(char::from).collect();
            text.as_str().into()
        }
    }
}
