//! A second reader, written from `docs/flow-file.md` alone: it shares no code with the first one, so that the
//! document cannot drift from the files. It knows numbers, times and what is needed to get there.

use std::collections::BTreeMap;

use super::super::chunk::BlockCompression;
use super::*;

/// Reads fixed-size integers and bincode's variable ones.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn fixed(&mut self, len: usize) -> u64 {
        self.take(len).iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn varint(&mut self) -> u128 {
        match self.fixed(1) {
            251 => self.fixed(2).into(),
            252 => self.fixed(4).into(),
            253 => self.fixed(8).into(),
            254 => {
                let low = u128::from(self.fixed(8));
                u128::from(self.fixed(8)) << 64 | low
            }
            small => small.into(),
        }
    }

    /// Passes over integers.
    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.varint();
        }
    }

    fn number(&mut self) -> usize {
        usize::try_from(self.varint()).unwrap()
    }

    fn string(&mut self) -> String {
        let len = self.number();
        String::from_utf8(self.take(len).to_vec()).unwrap()
    }

    fn option(&mut self) -> bool {
        self.fixed(1) == 1
    }
}

/// The checksum bit by bit: reflected polynomial 0xEDB88320, all ones before and after.
fn crc32(bytes: &[u8]) -> u64 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    u64::from(!crc)
}

struct Column {
    name: String,
    storage: u64,
    encoding: u64,
    base: usize,
    stored: usize,
    checksum: usize,
}

struct Block {
    rows: usize,
    columns: Vec<Column>,
}

fn metadata(bytes: &mut Bytes) -> Block {
    let rows = bytes.number();
    bytes.skip(4);
    let columns = (0..bytes.number()).map(|_| column(bytes)).collect();
    Block { rows, columns }
}

fn column(bytes: &mut Bytes) -> Column {
    let name = bytes.string();
    let _is_field = bytes.option();
    let (storage, encoding, base) = (bytes.fixed(1), bytes.fixed(1), bytes.number());
    assert_eq!(bytes.fixed(1), 0, "not compressed");
    let (stored, raw) = (bytes.number(), bytes.number());
    assert_eq!(stored, raw);
    let checksum = bytes.number();
    skip_zone(bytes);
    Column { name, storage, encoding, base, stored, checksum }
}

fn skip_zone(bytes: &mut Bytes) {
    let kind = bytes.varint();
    if kind != 0 {
        bytes.varint();
    }
    match kind {
        1 | 2 => bytes.skip(2),
        3 => (0..2).for_each(|_| {
            if bytes.option() {
                bytes.varint();
                bytes.varint();
            }
        }),
        4 => (0..bytes.number()).for_each(|_| drop(bytes.string())),
        _ => assert_eq!(kind, 0),
    }
}

/// The values of a chunk of numbers or times, as the bits of 64-bit integers.
fn values(chunk: &[u8], rows: usize) -> Vec<Option<u64>> {
    let mut bytes = Bytes(chunk);
    let present: Vec<bool> = match bytes.fixed(1) {
        0 => vec![true; rows],
        1 => {
            let bitmap = bytes.take(rows.div_ceil(8));
            (0..rows).map(|row| bitmap[row / 8] >> (row % 8) & 1 == 1).collect()
        }
        other => panic!("presence {other}"),
    };
    let values = packed(&mut bytes, rows);
    assert!(bytes.0.is_empty());
    values.into_iter().zip(present).map(|(value, present)| present.then_some(value)).collect()
}

/// Packed integers, as the bits of 64-bit ones.
fn packed(bytes: &mut Bytes, rows: usize) -> Vec<u64> {
    let (layout, exponent, min) = (bytes.fixed(1), bytes.fixed(1), bytes.fixed(8));
    let unit = 10_u64.pow(u32::try_from(exponent).unwrap());
    let mut distances = vec![0; rows];
    let mut stored: Vec<usize> = (0..rows).collect();
    if layout & 16 != 0 {
        distances.fill(bytes.fixed(8));
        let bitmap = bytes.take(rows.div_ceil(8));
        stored.retain(|row| bitmap[row / 8] >> (row % 8) & 1 == 1);
        stored.iter().for_each(|&row| distances[row] = 0);
    }
    let width = usize::try_from(layout & 15).unwrap();
    if layout & 64 != 0 {
        stored.iter().for_each(|&row| distances[row] = bytes.fixed(width));
    } else {
        for plane in 0..width {
            stored.iter().for_each(|&row| distances[row] |= bytes.fixed(1) << (8 * plane));
        }
    }
    if layout & 32 != 0 {
        let mut sum = 0_u64;
        for step in &mut distances {
            let back = *step % 2 == 1;
            sum = if back { sum.wrapping_sub(*step / 2 + 1) } else { sum.wrapping_add(*step / 2) };
            *step = sum;
        }
    }
    distances.into_iter().map(|distance| min.wrapping_add(distance.wrapping_mul(unit))).collect()
}

/// The columns of numbers and times of a block, by name.
fn read_block(block: &Block, data: &mut Bytes) -> BTreeMap<String, Vec<Option<u64>>> {
    let mut decoded: Vec<Vec<Option<u64>>> = Vec::new();
    for column in &block.columns {
        let chunk = data.take(column.stored);
        assert_eq!(crc32(chunk), column.checksum as u64);
        let mut own = if column.storage < 2 { values(chunk, block.rows) } else { Vec::new() };
        if column.encoding == 1 {
            for (value, base) in own.iter_mut().zip(&decoded[column.base]) {
                *value = value.map(|value| value.wrapping_add(base.unwrap_or(0)));
            }
        }
        decoded.push(own);
    }
    block.columns.iter().map(|column| column.name.clone()).zip(decoded).collect()
}

fn section<'a>(bytes: &mut Bytes<'a>, number: u64) -> (&'a [u8], usize, &'a [u8]) {
    let prefix = bytes.0;
    let magic = bytes.take(4);
    assert_eq!(bytes.fixed(4), number);
    let rows = bytes.fixed(4);
    let (len, crc, data_len) = (bytes.fixed(4), bytes.fixed(4), bytes.fixed(4));
    assert_eq!(bytes.fixed(4), crc32(&prefix[..24]));
    let metadata = bytes.take(usize::try_from(len).unwrap());
    assert_eq!(crc, crc32(metadata));
    assert_eq!(rows == 0, magic == b"FIDX");
    (metadata, usize::try_from(data_len).unwrap(), magic)
}

fn check_against_flows(file: &[u8], flows: &[Flow]) {
    let mut bytes = Bytes(file);
    assert_eq!(bytes.take(8), b"\x89FLOW\r\n\x1a");
    assert_eq!((bytes.fixed(2), bytes.fixed(2)), (1, 0));
    let (header_len, header_crc) = (bytes.fixed(4), bytes.fixed(4));
    assert_eq!(bytes.fixed(4), crc32(&file[..20]));
    assert_eq!(crc32(bytes.take(usize::try_from(header_len).unwrap())), header_crc);

    let (mut row, mut number, mut offsets) = (0, 1, Vec::new());
    let index = loop {
        let offset = file.len() - bytes.0.len();
        let (head, data_len, magic) = section(&mut bytes, number);
        if magic == b"FIDX" {
            break (offset, head);
        }
        let block = metadata(&mut Bytes(head));
        let columns = read_block(&block, &mut Bytes(bytes.take(data_len)));
        for at in 0..block.rows {
            check_row(&columns, at, &flows[row + at]);
        }
        row += block.rows;
        number += 1;
        offsets.push(offset as u128);
    };
    assert_eq!(row, flows.len());
    check_end(&mut bytes, index, flows.len(), &offsets);
}

fn check_row(columns: &BTreeMap<String, Vec<Option<u64>>>, row: usize, flow: &Flow) {
    for field in Field::all().filter(|field| !field.is_derived()) {
        let found = columns.get(field.name()).and_then(|column| column.get(row)).copied().flatten();
        match field.kind().storage() {
            Storage::Number => assert_eq!(found, flow.get(field).number(), "{field}"),
            Storage::Time => {
                assert_eq!(
                    found.map(u64::cast_signed),
                    flow.get(field).time().map(Timestamp::as_nanos),
                    "{field}"
                );
            }
            _ => {}
        }
    }
}

fn check_end(bytes: &mut Bytes, (offset, index): (usize, &[u8]), rows: usize, offsets: &[u128]) {
    let trailer = bytes.0;
    assert_eq!((bytes.fixed(8), bytes.fixed(4)), (offset as u64, index.len() as u64));
    assert_eq!(bytes.fixed(4), crc32(index));
    assert_eq!(bytes.fixed(4), crc32(&trailer[..16]));
    assert_eq!(bytes.0, b"FLOWEND\n");

    let mut index = Bytes(index);
    assert_eq!(index.number(), rows);
    (0..2).for_each(|_| {
        if index.option() {
            index.varint();
        }
    });
    for _ in 0..index.number() {
        if index.option() {
            index.fixed(1);
        }
        index.skip(5);
    }
    let blocks: Vec<u128> = (0..index.number())
        .map(|_| {
            let offset = index.varint();
            index.varint();
            metadata(&mut index);
            offset
        })
        .collect();
    assert_eq!(blocks, offsets);
    assert!(index.0.is_empty());
}

#[test]
fn the_document_describes_what_is_written() {
    for block_rows in [1, 9, 64, 1_000] {
        let options = WriterOptions { compression: BlockCompression::None, ..small_blocks(block_rows) };
        let flows = sample(200);
        check_against_flows(&write(&flows, 1_000, &options), &flows);
    }
}

#[test]
fn the_example_is_read_by_the_document_alone() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/flow-file/v1-example.flow");
    let file = std::fs::read(path).unwrap();
    let (flows, _) = read(&file, Mode::Seek, &ReadRequest::default()).unwrap();
    assert_eq!(flows.len(), 2);
    check_against_flows(&file, &flows);
}
