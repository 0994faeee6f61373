//! Whole files: blocks, records beside flows, names, filters, threads.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::builder::{FileBuilder, element, flow, flows, generic, record, tcp};
use super::*;
use crate::batch::{BATCH_ROWS, BATCH_TEXT_BYTES};
use crate::filter::Filter;
use crate::format::nfdump::{read_info, verify};
use crate::record::{Field, FieldSet, Protocol, Value};

#[test]
fn rows_come_in_the_order_of_the_file_however_many_threads_there_are() {
    let file = flows(60, 50).build();
    for mode in MODES {
        let (found, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
        let bytes: Vec<_> = found.iter().map(|flow| flow.forward.bytes.unwrap()).collect();
        assert_eq!(bytes, (0..3000).map(|n| n * 10).collect::<Vec<_>>());
        assert_eq!((stats.blocks, stats.flows, stats.records), (60, 3000, 3000));
        assert!(stats.problems.is_empty() && stats.unknown_parts.is_empty());
    }
}

#[test]
fn a_reader_may_be_dropped_at_any_time() {
    let file = flows(60, 50).build();
    for batches in 0..5 {
        let mut reader = open(&file, Mode::File, &ReadRequest::default()).unwrap();
        let mut batch = FlowBatch::new();
        for _ in 0..batches {
            assert!(reader.read_batch(&mut batch).unwrap());
        }
    }
}

#[test]
fn after_the_end_there_is_nothing() {
    let mut reader = open(&flows(1, 1).build(), Mode::File, &ReadRequest::default()).unwrap();
    let mut batch = FlowBatch::new();
    assert!(reader.read_batch(&mut batch).unwrap());
    for _ in 0..3 {
        assert!(!reader.read_batch(&mut batch).unwrap());
        assert!(batch.is_empty() && reader.stats().problems.is_empty());
    }
}

#[test]
fn the_name_of_a_file_is_the_ident_of_its_rows() {
    let ident = |builder: &FileBuilder, mode| {
        let (found, _) = read(&builder.build(), mode, &ReadRequest::default()).unwrap();
        found[0].get(Field::Ident)
    };
    assert_eq!(ident(&flows(1, 1), Mode::File), Value::from("lab"));
    assert_eq!(ident(&flows(1, 1), Mode::Stream), Value::Absent, "it comes too late");
    assert_eq!(ident(&FileBuilder { ident: "none", ..flows(1, 1) }, Mode::File), Value::Absent);
    assert_eq!(ident(&FileBuilder { ident: "", ..flows(1, 1) }, Mode::File), Value::Absent);
}

#[test]
fn what_is_no_flow_is_passed_over_or_counted() {
    let records =
        [record(7, &[0; 28]), record(8, &[0; 20]), tcp(1), record(256, &[0; 8]), record(16, &[0; 60])];
    let file = FileBuilder::new()
        .block(&records)
        .raw_block(3, 4, vec![1; 50])
        .block(&[record(10, &[0; 20]), flow(&[generic(6, [1, 2], 3), element(60, b"abcd")]), tcp(2)])
        .build();
    let (found, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.flows, stats.bad_records), (3, 3, 0));
    let unknown: Vec<_> = stats.unknown_parts.iter().map(|(what, n)| (what.as_str(), *n)).collect();
    assert_eq!(unknown, [("element 60", 1), ("record type 10", 1), ("record type 16", 1)]);
    assert!(stats.problems.is_empty());
}

#[test]
fn a_block_of_another_kind_is_told() {
    let file = FileBuilder::new().raw_block(5, 2, vec![1; 50]).block(&[tcp(1)]).build();
    let (found, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.bad_records, stats.problems.total()), (1, 5, 1));
}

#[test]
fn a_filter_leaves_out_only_what_does_not_match() {
    let file = flows(20, 50).build();
    for expression in [
        "src port 77",
        "src port > 900",
        "not src port 77",
        "src port 5000",
        "any",
        "ident lab",
        "not ident lab",
        "source a.nf",
        "bytes > 500 and dst port 443",
        "src port in [1 2 900] or ident other",
        "column extra = x",
        "inif 0",
    ] {
        let Ok(filter) = Filter::parse(expression) else { continue };
        let filter = Arc::new(filter);
        let (all, _) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
        let request = ReadRequest { filter: Some(Arc::clone(&filter)), ..ReadRequest::default() };
        let (found, stats) = read(&file, Mode::File, &request).unwrap();
        let matching =
            |flows: Vec<Flow>| flows.into_iter().filter(|flow| filter.matches(flow)).collect::<Vec<_>>();
        let wanted = matching(all);
        assert!(expression != "src port 77" || found.len() == 1, "rows are chosen");
        assert_eq!(matching(found), wanted, "{expression}");
        assert_eq!((stats.flows, stats.blocks), (1000, 20), "{expression}");
    }
}

#[test]
fn batches_keep_to_their_bounds() {
    let file = FileBuilder { compression: 0, ..FileBuilder::new() }.block(&vec![flow(&[]); 20_000]).build();
    let payload: Vec<_> = (0..60_u8)
        .map(|n| flow(&[element(29, &vec![n | 0x80; 60_000]), element(27, &vec![n; 5_000])]))
        .collect();
    let texts = FileBuilder::new().block(&payload).build();
    for (file, rows) in [(file, 20_000), (texts, 60)] {
        let mut reader = open(&file, Mode::File, &ReadRequest::default()).unwrap();
        let (mut batch, mut found, mut batches) = (FlowBatch::new(), 0, 0);
        while reader.read_batch(&mut batch).unwrap() {
            assert!(batch.len() <= BATCH_ROWS && batch.text_bytes() <= BATCH_TEXT_BYTES);
            found += batch.len();
            batches += 1;
        }
        assert_eq!(found, rows);
        assert!(batches > 2);
    }
}

#[test]
fn a_summary_reads_the_statistics_only() {
    let builder = flows(3, 4);
    let mut file = builder.build();
    // The blocks are of no use: who needs them would notice.
    file[52..builder.starts()[3]].fill(0xff);
    let info = read_info(Cursor::new(file), "a.nf").unwrap();
    assert_eq!(
        (info.creator, info.creator_version.as_str(), info.ident.as_str()),
        ("nfdump", "1.7.1-1", "lab")
    );
    assert_eq!((info.version, info.compression, info.blocks), (2, "lz4", 3));
    assert!(info.has_statistics && info.problems.is_empty());
    let sums: Vec<_> = info.totals.protocols().map(|p| (p.protocol, p.flows, p.in_bytes)).collect();
    assert_eq!(sums, [(Some(Protocol::TCP), 12, 660)]);
    assert_eq!(info.totals.first().unwrap().to_string(), "2023-11-14T22:13:20.123Z");
}

#[test]
fn without_sound_statistics_the_flows_are_summed_up() {
    let mut wrong = flows(3, 4);
    wrong.statistics.as_mut().unwrap()[0] = 131;
    let none = FileBuilder { statistics: Some([0; 18]), ..flows(3, 4) };
    let open = FileBuilder { statistics: None, closed: false, ..flows(3, 4) };
    for (builder, problems) in [(wrong, 0), (none, 0), (open, 1)] {
        let info = read_info(Cursor::new(builder.build()), "a.nf").unwrap();
        assert_eq!((info.totals.rows(), info.has_statistics, info.blocks), (12, false, 3));
        assert_eq!(info.problems.total(), problems);
    }
}

#[test]
fn statistics_of_more_flows_than_blocks_can_hold_are_not_believed() {
    for (flows_stated, believed) in [(5_242_868 / 12, true), (5_242_868 / 12 + 1, false), (u64::MAX, false)] {
        let mut builder = flows(1, 4);
        let numbers = builder.statistics.as_mut().unwrap();
        [numbers[0], numbers[3]] = [flows_stated; 2];
        let info = read_info(Cursor::new(builder.build()), "a.nf").unwrap();
        assert_eq!((info.has_statistics, info.totals.rows() == 4), (believed, !believed), "{flows_stated}");
    }
}

#[test]
fn a_header_that_knows_of_no_blocks_is_believed_if_there_is_room_for_none() {
    let info = read_info(Cursor::new(FileBuilder::new().build()), "a.nf").unwrap();
    assert!(info.has_statistics && info.problems.is_empty() && info.totals.rows() == 0);
    let mut file = FileBuilder { statistics: Some([0; 18]), ..flows(3, 4) }.build();
    file[36..40].fill(0);
    let info = read_info(Cursor::new(file), "a.nf").unwrap();
    assert_eq!((info.has_statistics, info.totals.rows(), info.problems.total()), (false, 12, 1));
}

/// Hands out one block after the other, and notes how many have been asked for.
struct Slow {
    file: Cursor<Vec<u8>>,
    asked: Arc<AtomicU64>,
}

impl Read for Slow {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.file.read(buffer)?;
        self.asked.store(self.file.position(), Ordering::SeqCst);
        Ok(len)
    }
}

#[test]
fn what_has_come_of_a_stream_is_handed_on_at_once() {
    let builder = FileBuilder { compression: 0, ..flows(20, 5) };
    let asked = Arc::new(AtomicU64::new(0));
    let input = Slow { file: Cursor::new(builder.build()), asked: Arc::clone(&asked) };
    let mut reader = NfdumpReader::open(Box::new(input), "a.nf", &ReadRequest::default()).unwrap();
    let mut batch = FlowBatch::new();
    for ahead in [1, 3] {
        assert!(reader.read_batch(&mut batch).unwrap());
        assert_eq!(asked.load(Ordering::SeqCst), builder.starts()[ahead] as u64);
    }
}

#[test]
fn a_reader_of_large_blocks_may_be_dropped_at_any_time() {
    let builder = FileBuilder { compression: 0, ..FileBuilder::new() };
    let file = (0..6).fold(builder, |file, _| file.block(&vec![flow(&[]); 60_000])).build();
    for batches in 0..10 {
        let mut reader = open(&file, Mode::File, &ReadRequest::default()).unwrap();
        let mut batch = FlowBatch::new();
        for _ in 0..batches {
            assert!(reader.read_batch(&mut batch).unwrap());
        }
    }
}

#[test]
fn verifying_compares_statistics_with_flows() {
    let good = verify(Cursor::new(flows(3, 4).build()), "a.nf").unwrap();
    assert!(good.is_sound(), "{:?}", good.stats.problems);
    assert_eq!((good.stats.flows, good.info.totals.rows()), (12, 12));
    for at in [0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 15, 16] {
        let mut wrong = flows(3, 4);
        wrong.statistics.as_mut().unwrap()[at] += 1;
        let found = verify(Cursor::new(wrong.build()), "a.nf").unwrap();
        assert_eq!(found.stats.problems.total(), 1, "{at}: {:?}", found.stats.problems);
    }
}

#[test]
fn flows_may_be_counted_by_record_and_without_protocol_be_no_others() {
    // 0 packets and 40 bytes back, 5 flows.
    let counters: Vec<u8> = [5_u64, 0, 40].into_iter().flat_map(u64::to_le_bytes).collect();
    let records =
        [flow(&[generic(6, [1, 2], 10), element(5, &counters)]), tcp(1), flow(&[element(28, b"x\0\0\0")])];
    let verified = |all: u64, tcp: u64, other: u64| {
        let mut numbers = [0; 18];
        [numbers[0], numbers[3], numbers[6]] = [all, tcp, other];
        [numbers[1], numbers[7], numbers[2], numbers[11]] = [60, 60, 6, 6];
        [numbers[15], numbers[16], numbers[17]] = [1_700_000_000_123, 1_700_000_001_456, 4];
        let file = FileBuilder { statistics: Some(numbers), ..FileBuilder::new() }.block(&records).build();
        let found = verify(Cursor::new(file), "a.nf").unwrap();
        assert_eq!(found.info.sequence_failures, 4);
        found.is_sound()
    };
    assert!(verified(7, 6, 1) && verified(3, 2, 1) && verified(7, 2, 0) && verified(7, 6, 0));
    assert!(!verified(7, 3, 1) && !verified(7, 6, 2) && !verified(5, 6, 1));
}

#[test]
fn icmpv6_may_be_counted_either_way() {
    let records = [flow(&[generic(58, [0, 128], 10)]), flow(&[generic(1, [0, 8], 10)])];
    let verified = |icmp: u64| {
        let mut numbers = [0; 18];
        for (all, part, each) in [(0, 5, 1), (1, 9, 10), (2, 13, 3)] {
            numbers[all] = 2 * each;
            numbers[part] = icmp * each;
            numbers[part + 1] = (2 - icmp) * each;
        }
        [numbers[15], numbers[16]] = [1_700_000_000_123, 1_700_000_001_456];
        let file = FileBuilder { statistics: Some(numbers), ..FileBuilder::new() }.block(&records).build();
        verify(Cursor::new(file), "a.nf").unwrap().is_sound()
    };
    assert!(verified(1) && verified(2) && !verified(0));
}

#[test]
fn an_empty_file_is_sound() {
    for mode in MODES {
        let (found, stats) = read(&FileBuilder::new().build(), mode, &ReadRequest::default()).unwrap();
        assert!(found.is_empty() && stats.problems.is_empty() && stats.blocks == 0);
    }
    let request = ReadRequest { fields: FieldSet::EMPTY, ..ReadRequest::default() };
    let (found, _) = read(&flows(1, 5).build(), Mode::File, &request).unwrap();
    assert_eq!(found, vec![Flow::default(); 5]);
}
