//! What is written is read back.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::chunk::BlockCompression;
use super::super::info::read_info;
use super::*;
use crate::batch::BATCH_ROWS;
use crate::filter::Filter;
use crate::record::{FieldSet, Protocol};
use crate::totals::{ProtocolTotals, Totals};

/// Flows with any stored fields, of few or of many different values.
fn flows() -> impl Strategy<Value = Vec<Flow>> {
    let stored: Vec<Field> = FieldSet::all().iter().collect();
    let number = prop_oneof![0..4_u64, 0..1_000_u64, any::<u64>()];
    let value = (prop::sample::select(stored), number);
    let unknown = (prop::sample::select(vec!["a", "srcip", "ü"]), "[a-z]{0,3}");
    let flow = (prop::collection::vec(value, 0..25), prop::collection::vec(unknown, 0..3));
    let flow = flow.prop_map(|(values, unknown)| {
        let mut flow = Flow::default();
        values.into_iter().for_each(|(field, n)| flow.set(field, value_of(field, n)));
        for (name, text) in unknown {
            if flow.unknown.iter().all(|(known, _)| **known != *name) {
                flow.unknown.push((name.into(), text.as_str().into()));
            }
        }
        flow
    });
    prop::collection::vec(flow, 0..150)
}

/// Unknown columns come back in the order of the block's columns.
fn sorted(mut flows: Vec<Flow>) -> Vec<Flow> {
    flows.iter_mut().for_each(|flow| flow.unknown.sort());
    flows
}

/// Batches of a reader put together are what a filter over a file writes: addresses of both versions, in a block that is
/// handed out in several batches, are counted once.
#[test]
fn a_file_made_of_the_batches_of_another_one_is_the_same() {
    let flows: Vec<Flow> = (0..2 * BATCH_ROWS as u64 + 77).map(|n| sample_flow(n % 20_000)).collect();
    let options = WriterOptions { creator: "test".into(), ..WriterOptions::default() };
    let file = write(&flows, 1_000, &options);
    for mode in MODES {
        let (mut reader, mut batch) = (open(&file, mode, &ReadRequest::default()).unwrap(), FlowBatch::new());
        let mut copy = FlowFileWriter::new(Vec::new(), &options).unwrap();
        // Batches of a block share its texts.
        let blocks = small_blocks(BATCH_ROWS);
        let mut small = FlowFileWriter::new(Vec::new(), &blocks).unwrap();
        while reader.read_batch(&mut batch).unwrap() {
            copy.write_batch(&batch).unwrap();
            small.take_batch(&mut batch).unwrap();
        }
        assert!(copy.finish().unwrap() == file, "{mode:?}");
        assert!(small.finish().unwrap() == write(&flows, 1_000, &blocks), "{mode:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_flows_come_back(
        flows in flows(),
        block_rows in 1_usize..100,
        batch_rows in 1_usize..70,
        compression in prop::sample::select(vec![BlockCompression::None, BlockCompression::Lz4, BlockCompression::Zstd(3)]),
    ) {
        let options = WriterOptions { compression, ..small_blocks(block_rows) };
        let file = write(&flows, batch_rows, &options);
        prop_assert_eq!(&file, &write(&flows, 1_000, &options), "bytes do not depend on batches");
        for rows in [block_rows, batch_rows] {
            prop_assert_eq!(&file, &write_taken(&flows, rows, &options), "nor on whose they are");
        }
        let flows = sorted(flows);
        for mode in MODES {
            let (back, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
            prop_assert_eq!(&sorted(back), &flows);
            prop_assert!(stats.problems.is_empty(), "{:?}", stats.problems);
            let counts = (stats.records, stats.flows, stats.blocks);
            prop_assert_eq!(counts, (flows.len() as u64, flows.len() as u64, flows.len().div_ceil(block_rows) as u64));
        }
    }

    #[test]
    fn a_projection_has_the_same_values(flows in flows(), wanted in prop::collection::vec(0..FieldSet::all().iter().count(), 0..6)) {
        let stored: Vec<Field> = FieldSet::all().iter().collect();
        let fields: FieldSet = wanted.iter().map(|&at| stored[at]).collect();
        let request = ReadRequest { fields, unknown_columns: false, ..ReadRequest::default() };
        let file = write(&flows, 1_000, &small_blocks(40));
        for mode in MODES {
            let (back, _) = read(&file, mode, &request).unwrap();
            prop_assert_eq!(back.len(), flows.len());
            for (back, flow) in back.iter().zip(&flows) {
                prop_assert!(back.unknown.is_empty());
                for &field in &stored {
                    let expected = if fields.contains(field) { flow.get(field) } else { Value::Absent };
                    prop_assert_eq!(back.get(field), expected, "{}", field);
                }
            }
        }
    }
}

#[test]
fn skipping_blocks_loses_no_match() {
    let flows = sample(100);
    let file = write(&flows, 100, &small_blocks(7));
    for expression in [
        "proto tcp",
        "not proto tcp",
        "src port 40050",
        "dst ip 2001:db8::2",
        "bytes > 95000",
        "src port > 40090 or icmp",
    ] {
        let filter = Filter::parse(expression).unwrap();
        let expected: Vec<_> = flows.iter().filter(|flow| filter.matches(flow)).cloned().collect();
        let request = ReadRequest { filter: Some(Arc::new(filter.clone())), ..ReadRequest::default() };
        for mode in MODES {
            let (back, stats) = read(&file, mode, &request).unwrap();
            let matching: Vec<_> = back.into_iter().filter(|flow| filter.matches(flow)).collect();
            assert_eq!(matching, expected, "{expression}");
            assert_eq!((stats.flows, stats.blocks + stats.blocks_skipped), (100, 15), "{expression}");
        }
    }
}

#[test]
fn the_order_of_columns_without_field_does_not_depend_on_batches() {
    let with = |names: &[&str]| {
        let mut flow = Flow::default();
        flow.unknown.extend(names.iter().map(|&name| (name.into(), "x".into())));
        flow
    };
    let flows = [with(&["b"]), with(&["c"]), with(&["a", "b"])];
    let options = small_blocks(2);
    assert_eq!(write(&flows, 1, &options), write(&flows, 3, &options));
}

#[test]
fn as_many_columns_as_the_format_holds() {
    let flow = |columns: usize| {
        let mut flow = Flow::default();
        flow.unknown.extend((0..columns).map(|n| (format!("column-{n:04}").as_str().into(), "x".into())));
        flow
    };
    let flows = [flow(4096)];
    for mode in MODES {
        let (back, stats) =
            read(&write(&flows, 1, &WriterOptions::default()), mode, &ReadRequest::default()).unwrap();
        assert!(back == flows && stats.problems.is_empty(), "{:?}", stats.problems);
    }
    let mut batch = FlowBatch::new();
    batch.push(&flow(4097));
    let mut writer = FlowFileWriter::new(Vec::new(), &WriterOptions::default()).unwrap();
    writer.write_batch(&batch).unwrap();
    assert!(writer.finish().unwrap_err().to_string().starts_with("4097 columns"));
}

#[test]
fn batches_have_the_usual_size_and_blocks_are_full() {
    let flows = sample(20_000);
    let file = write(&flows, 777, &WriterOptions::default());
    for mode in MODES {
        let mut reader = open(&file, mode, &ReadRequest::default()).unwrap();
        let (mut sizes, mut batch) = (Vec::new(), FlowBatch::new());
        while reader.read_batch(&mut batch).unwrap() {
            let start = sizes.iter().sum::<usize>();
            assert_eq!(batch.flow(batch.len() - 1), flows[start + batch.len() - 1]);
            sizes.push(batch.len());
        }
        assert_eq!(sizes, [BATCH_ROWS, BATCH_ROWS, 20_000 - 2 * BATCH_ROWS]);
        assert_eq!(reader.stats().blocks, 1);
    }
}

#[test]
fn computed_fields_bring_their_inputs() {
    let request =
        ReadRequest { fields: FieldSet::from([Field::Bytes, Field::Duration]), ..ReadRequest::default() };
    let flows = sample(10);
    let file = write(&flows, 10, &WriterOptions::default());
    let (back, _) = read(&file, Mode::Seek, &request).unwrap();
    for (back, flow) in back.iter().zip(&flows) {
        assert_eq!(back.get(Field::Bytes), flow.get(Field::Bytes));
        assert_eq!(back.get(Field::Duration), flow.get(Field::Duration));
    }
}

#[test]
fn the_ident_of_the_file_is_that_of_rows_without_one() {
    let mut flows = sample(3);
    flows[1].set(Field::Ident, "own".into());
    let file = write(&flows, 3, &WriterOptions { ident: "lab".into(), ..WriterOptions::default() });
    let (back, _) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
    let idents: Vec<_> = back.iter().map(|flow| flow.get(Field::Ident)).collect();
    assert_eq!(idents, ["lab", "own", "lab"].map(Value::from));
    assert_eq!(open(&file, Mode::Seek, &ReadRequest::default()).unwrap().ident(), "lab");
}

#[test]
fn an_empty_file_is_a_file() {
    let file = write(&[], 1, &WriterOptions::default());
    for mode in MODES {
        let (flows, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
        assert!(flows.is_empty() && stats.problems.is_empty(), "{:?}", stats.problems);
    }
}

#[test]
fn a_block_ends_before_its_texts_pass_the_limit() {
    // In MiB: 16 fit, what is longer stands alone, and a text that the block has already takes no room.
    for (lengths, blocks) in [
        (&[6, 6, 6, 6, 6][..], vec![2, 2, 1]),
        (&[8, 8, 0, 9, 7, 8, 8], vec![3, 2, 2]),
        (&[30, 17, 1], vec![1, 1, 1]),
    ] {
        let texts = (b'a'..).map(char::from).zip(lengths).map(|(c, &mib)| c.to_string().repeat(mib << 20));
        check_blocks(&texts.collect::<Vec<_>>(), &blocks);
    }
    let text = "a".repeat(15 << 20);
    check_blocks(&[text.clone(), text.clone(), "b".repeat(2 << 20), text], &[2, 1, 1]);
}

/// The rows of each block, however the rows come in batches; and the texts come back.
#[track_caller]
fn check_blocks(texts: &[String], blocks: &[usize]) {
    let flow = |text: &String| {
        let mut flow = Flow::default();
        flow.set(Field::InPayload, text.as_str().into());
        flow
    };
    let flows: Vec<Flow> = texts.iter().map(flow).collect();
    let options = WriterOptions { compression: BlockCompression::None, ..WriterOptions::default() };
    let file = write(&flows, 1, &options);
    assert!(file == write(&flows, 100, &options), "bytes do not depend on batches");
    let whole = WriterOptions { block_rows: flows.len(), ..options };
    assert!(write(&flows, 1, &whole) == write_taken(&flows, flows.len(), &whole), "nor on whose they are");
    let mut reader = open(&file, Mode::Seek, &ReadRequest::default()).unwrap();
    let (mut sizes, mut back, mut batch) = (Vec::new(), Vec::new(), FlowBatch::new());
    while reader.read_batch(&mut batch).unwrap() {
        sizes.push(batch.len());
        back.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    assert_eq!(sizes, blocks);
    assert!(back == flows && reader.stats().problems.is_empty());
}

#[test]
fn a_summary_reads_no_block() {
    let flows = sample(100);
    let options = WriterOptions { ident: "lab".into(), ..small_blocks(30) };
    let mut file = write(&flows, 100, &options);
    let cut = file[..file.len() - 1].to_vec();
    let whole = read_info(Cursor::new(cut), "cut.flow").unwrap();
    // Without its data the file has the same summary: only the index is read.
    let first_block = file.windows(4).position(|bytes| bytes == b"FBLK").unwrap();
    let index = file.windows(4).rposition(|bytes| bytes == b"FIDX").unwrap();
    file[first_block..index].fill(0);
    let found = read_info(Cursor::new(file), "test.flow").unwrap();

    let udp = flows.iter().filter(|flow| flow.key.protocol == Some(Protocol::UDP));
    let expected = ProtocolTotals {
        protocol: Some(Protocol::UDP),
        flows: udp.clone().count() as u64,
        in_packets: udp.clone().map(Flow::packets).sum(),
        in_bytes: udp.map(Flow::bytes).sum(),
        ..ProtocolTotals::default()
    };
    assert!(found.totals.protocols().any(|sums| *sums == expected), "{:?}", found.totals);
    assert_eq!((found.totals.rows(), found.blocks, found.complete), (100, 4, true));
    let span = |totals: &Totals| (totals.first(), totals.last());
    assert_eq!(span(&found.totals), (flows[0].first, flows[99].last.max(flows[98].last)));
    assert_eq!((found.ident.as_str(), found.creator.as_str()), ("lab", "test"));
    assert!(found.problems.is_empty() && found.stored_bytes <= found.raw_bytes && found.stored_bytes > 0);

    assert_eq!(whole.totals, found.totals);
    assert!(!whole.complete && whole.problems.total() == 1);
}

#[test]
fn options_out_of_range_are_refused() {
    for options in [
        small_blocks(0),
        small_blocks(65_537),
        WriterOptions { compression: BlockCompression::Zstd(100), ..WriterOptions::default() },
        WriterOptions { ident: "x".repeat(70_000), ..WriterOptions::default() },
    ] {
        assert!(FlowFileWriter::new(Vec::new(), &options).is_err());
    }
}
