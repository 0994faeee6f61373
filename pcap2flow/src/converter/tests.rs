//! One thread or several, one file or several: the same flows and the same account.

use std::io::Cursor;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowcore::{BATCH_ROWS, Detection, Filter, Flow, FlowBatch, FlowSource, Input, Result, SourceStats};

use super::{Converter, Stopper};
use crate::{DuplicateWindow, MeterOptions};

/// A pcap of UDP packets between two addresses: seconds, source port, bytes of payload.
fn capture(packets: impl IntoIterator<Item = (u32, u16, u8)>) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for (seconds, port, payload) in packets {
        let udp = 8 + u16::from(payload);
        let mut packet = vec![0x45, 0, 0, 20 + udp as u8, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([port, 53, udp, 0].map(u16::to_be_bytes).concat());
        packet.extend(vec![b'x'; payload.into()]);
        let length = packet.len() as u32;
        file.extend([seconds, 0, length, length].map(u32::to_le_bytes).concat());
        file.extend(packet);
    }
    file
}

fn open(capture: Vec<u8>, options: &MeterOptions) -> Converter {
    let input = Input::from_reader("test.pcap", Box::new(Cursor::new(capture)), Detection::Bytes).unwrap();
    Converter::from_input(input, options).unwrap()
}

fn read(source: &mut dyn FlowSource) -> Result<(Vec<Flow>, SourceStats)> {
    let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
    while source.read_batch(&mut batch)? {
        assert!(batch.len() < BATCH_ROWS + 100, "{} rows", batch.len());
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    assert!(!source.read_batch(&mut batch)? && batch.is_empty());
    Ok((flows, source.stats()))
}

#[test]
fn threads_change_nothing() {
    // More flows than a batch has, more packets than a chunk, and an end inside a frame.
    let ports = (0..60_000_u32).map(|at| (at / 50, (at * 7 % 40_000) as u16, (at % 90) as u8));
    let mut bytes = capture(ports);
    bytes.truncate(bytes.len() - 5);
    let plain = MeterOptions::default();
    let busy = MeterOptions {
        ident: Some("lab".into()),
        payload_bytes: 9,
        duplicates: Some(DuplicateWindow { packets: 3, time: Duration::from_secs(1) }),
        packet_filter: Some(Arc::new(Filter::parse("bytes > 40").unwrap())),
        ..MeterOptions::default()
    };
    for options in [plain, busy] {
        let (flows, stats) = read(&mut open(bytes.clone(), &options)).unwrap();
        assert!(flows.len() > 2 * BATCH_ROWS, "{}", flows.len());
        assert_eq!((stats.frames, stats.frames_used + stats.skipped()), (59_999, 59_999));
        assert!(stats.problems.kept()[0].to_string().contains("cut inside frame 60000"));
        for threads in 1..6 {
            let (others, account) = read(&mut *open(bytes.clone(), &options).on_threads(threads)).unwrap();
            assert!(others == flows, "{threads} threads");
            assert_eq!(format!("{account:?}"), format!("{stats:?}"), "{threads} threads");
        }
    }
}

#[test]
fn a_source_that_is_given_up_ends_its_threads() {
    let bytes = capture((0..50_000).map(|at| (at, at as u16, 1)));
    for threads in 1..=4 {
        let mut source = open(bytes.clone(), &MeterOptions::default()).on_threads(threads);
        assert!(source.read_batch(&mut FlowBatch::new()).unwrap());
    }
}

#[test]
fn no_batch_is_much_larger_than_a_batch() {
    let (flows, _) =
        read(&mut open(capture((0..40_000).map(|port| (1, port, 1))), &MeterOptions::default())).unwrap();
    assert_eq!(flows.len(), 40_000);
}

#[test]
fn batches_have_as_many_rows_as_is_asked_for() {
    let bytes = capture((0..20_000).map(|port| (port / 50, port as u16, 1)));
    for uniflow in [false, true] {
        let options = MeterOptions { uniflow, ..MeterOptions::default() };
        let (flows, _) = read(&mut open(bytes.clone(), &options)).unwrap();
        for (rows, threads) in [(0, 1), (1, 1), (7_000, 1), (7_000, 3), (7_000, 4), (65_536, 4)] {
            let mut source = open(bytes.clone(), &options).in_batches_of(rows).on_threads(threads);
            let (mut batch, mut found, mut sizes) = (FlowBatch::new(), Vec::new(), Vec::new());
            while source.read_batch(&mut batch).unwrap() {
                sizes.push(batch.len());
                found.extend((0..batch.len()).map(|row| batch.flow(row)));
            }
            assert!(found == flows, "{rows} rows, {threads} threads");
            let whole = sizes.split_last().map_or(&[][..], |(_, whole)| whole);
            assert!(whole.iter().all(|&size| size == rows.max(1)), "{rows} rows: {whole:?}");
        }
    }
}

#[test]
fn every_input_is_reported_when_it_is_read() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let mut converter = open(
        capture([(1, 1, 1), (2, 1, 60), (3, 1, 60)]),
        &MeterOptions {
            packet_filter: Some(Arc::new(Filter::parse("bytes < 80").unwrap())),
            ..MeterOptions::default()
        },
    );
    converter.watch_inputs(move |input| told.lock().unwrap().push(input.clone()));
    let (flows, stats) = read(&mut *converter.on_threads(3)).unwrap();
    assert_eq!((flows.len(), stats.frames_used), (1, 1));
    let seen = seen.lock().unwrap();
    let [input] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((&*input.name, input.stats.frames, input.stats.frames_used), ("test.pcap", 3, 1));
    assert_eq!(input.stats.frames_skipped["not in the packet filter"], 2);
}

#[test]
fn a_snap_length_changes_no_counter() {
    let bytes = capture((0..100).map(|at| (at, 7, 80)));
    let options = MeterOptions { snap_length: Some(54), ..MeterOptions::default() };
    let (flows, _) = read(&mut open(bytes.clone(), &options)).unwrap();
    let (expected, _) = read(&mut open(bytes, &MeterOptions::default())).unwrap();
    assert_eq!(flows, expected);
}

#[test]
fn reasons_that_a_capture_makes_up_are_bounded() {
    // Ethernet frames of as many EtherTypes as there are.
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
    for kind in 0x9200..0xffff_u16 {
        file.extend([1, 0, 14, 14].map(u32::to_le_bytes).concat());
        file.extend([&[2; 12][..], &kind.to_be_bytes()].concat());
    }
    let (_, stats) = read(&mut open(file, &MeterOptions::default())).unwrap();
    assert_eq!((stats.frames, stats.skipped()), (0x6dff, 0x6dff));
    assert_eq!(stats.frames_skipped.len(), 257);
    assert_eq!(stats.frames_skipped["other reasons"], stats.frames - 256);
}

#[test]
fn a_stopped_conversion_ends_with_what_was_read() {
    let bytes = capture((0..200_000_u32).map(|at| (at / 1000, at as u16, 1)));
    for threads in 1..=4 {
        let mut converter = open(bytes.clone(), &MeterOptions::default());
        let stopper = Stopper::default();
        converter.stop_on(stopper.clone());
        assert!(stopper.stop("by a test") && !stopper.stop("again"));
        let (flows, stats) = read(&mut *converter.on_threads(threads)).unwrap();
        assert!((1..200_000).contains(&stats.frames), "{}", stats.frames);
        assert_eq!(flows.iter().filter_map(|flow| flow.forward.packets).sum::<u64>(), stats.frames_used);
        let problems: Vec<String> = stats.problems.kept().iter().map(ToString::to_string).collect();
        let said = format!("stopped by a test after {} frames; what was read is written", stats.frames);
        assert_eq!(problems, [format!("test.pcap: {said}")]);
    }
}

#[test]
fn a_filter_about_what_no_packet_has_is_refused_at_opening() {
    let filter = Some(Arc::new(Filter::parse("end reason idle").unwrap()));
    let input =
        Input::from_reader("test.pcap", Box::new(Cursor::new(capture([]))), Detection::Bytes).unwrap();
    let options = MeterOptions { packet_filter: filter, ..MeterOptions::default() };
    let error = Converter::from_input(input, &options).unwrap_err();
    assert!(error.to_string().contains("a packet has no endreason"), "{error}");
}
