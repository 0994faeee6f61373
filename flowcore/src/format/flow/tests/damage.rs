//! Files that were cut or changed: whole blocks are read, everything else is told, wrong rows never come out.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

/// Number of rows of the blocks that end at or before this offset of the file.
fn rows_before(file: &[u8], cut: usize, flows: usize, block_rows: usize) -> usize {
    let starts = file.windows(4).enumerate().filter(|(_, bytes)| matches!(*bytes, b"FBLK" | b"FIDX"));
    let whole = starts.map(|(at, _)| at).skip(1).filter(|&end| end <= cut).count();
    (whole * block_rows).min(flows)
}

#[test]
fn a_file_cut_at_any_byte_gives_its_whole_blocks_and_says_so() {
    let flows = sample(25);
    let file = write(&flows, 25, &small_blocks(10));
    for cut in 0..file.len() {
        let expected = rows_before(&file, cut, flows.len(), 10);
        for mode in MODES {
            let Ok((back, stats)) = read(&file[..cut], mode, &ReadRequest::default()) else {
                assert!(cut < 8, "cut at {cut}, {mode:?}");
                continue;
            };
            assert_eq!(back, flows[..expected], "cut at {cut}, {mode:?}");
            assert_eq!(stats.problems.total(), 1, "cut at {cut}, {mode:?}");
            let text = stats.problems.kept()[0].to_string();
            let blocks = format!("{} whole blocks read", expected.div_ceil(10));
            assert!(text.contains("file has no index") && text.contains(&blocks), "cut at {cut}: {text}");
        }
    }
}

/// Reads a changed file. What comes out must be rows of the original in their order; if it is less than all of
/// them, or if reading fails, that must be told.
fn assert_honest(file: &[u8], flows: &[Flow], what: &str) {
    for mode in MODES {
        let Ok((back, stats)) = read(file, mode, &ReadRequest::default()) else { continue };
        let mut rest = flows.iter();
        for flow in &back {
            assert!(rest.any(|original| original == flow), "{what}, {mode:?}: a row that was never written");
        }
        assert!(
            back.len() == flows.len() || !stats.problems.is_empty(),
            "{what}, {mode:?}: rows lost silently"
        );
        assert_eq!(stats.flows, back.len() as u64, "{what}");
    }
}

#[test]
fn a_changed_byte_never_gives_wrong_rows() {
    let flows = sample(25);
    let file = write(&flows, 25, &small_blocks(10));
    for at in 0..file.len() {
        for mask in [0x01, 0x80] {
            let mut changed = file.clone();
            changed[at] ^= mask;
            assert_honest(&changed, &flows, &format!("byte {at} ^ {mask}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_stretch_never_gives_wrong_rows(
        start in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 1..400),
        removed in 0_usize..400,
    ) {
        let flows = sample(40);
        let mut file = write(&flows, 40, &small_blocks(10));
        let start = start.index(file.len());
        let end = file.len().min(start + removed);
        file.splice(start..end, noise);
        assert_honest(&file, &flows, "stretch");
    }

    #[test]
    fn noise_behind_the_magic_is_harmless(noise in prop::collection::vec(any::<u8>(), 0..300)) {
        let file = [super::super::MAGIC, &noise].concat();
        for mode in MODES {
            if let Ok((flows, stats)) = read(&file, mode, &ReadRequest::default()) {
                prop_assert!(flows.is_empty() && !stats.problems.is_empty());
            }
        }
    }
}

/// Offsets of the blocks' prefixes, and of the index's.
fn sections(file: &[u8]) -> Vec<usize> {
    let found = file.windows(4).enumerate().filter(|(_, bytes)| matches!(*bytes, b"FBLK" | b"FIDX"));
    found.map(|(at, _)| at).collect()
}

#[test]
fn blocks_behind_a_damaged_one_are_read() {
    let flows = sample(40);
    let file = write(&flows, 40, &small_blocks(10));
    let second = sections(&file)[1];
    let third = sections(&file)[2];
    let without_second: Vec<_> = flows[..10].iter().chain(&flows[20..]).cloned().collect();
    // Inside prefix, metadata and data.
    for (at, lost_as_stream, lost_by_index) in
        [(second + 5, None, None), (second + 40, Some(10), None), (third - 1, Some(10), Some(10))]
    {
        let mut changed = file.clone();
        changed[at] ^= 1;
        for (mode, lost) in [(Mode::Stream, lost_as_stream), (Mode::Seek, lost_by_index)] {
            let (back, stats) = read(&changed, mode, &ReadRequest::default()).unwrap();
            if mode == Mode::Seek && lost.is_none() {
                assert_eq!(back, flows, "the index has all that is needed");
                continue;
            }
            assert_eq!(back, without_second, "{at} {mode:?}");
            assert_eq!(stats.bad_records, lost.unwrap_or(0), "{at} {mode:?}");
            let first = stats.problems.kept()[0].to_string();
            let place = if lost.is_some() { "block 2: " } else { "byte " };
            assert!(first.starts_with(&format!("test.flow: {place}")), "{first}");
        }
    }
}

#[test]
fn a_column_that_is_not_needed_may_be_damaged() {
    let flows = sample(10);
    let mut file = write(&flows, 10, &small_blocks(10));
    let index = sections(&file)[1];
    file[index - 1] ^= 1;
    let request =
        ReadRequest { fields: [Field::InBytes].into(), unknown_columns: false, ..ReadRequest::default() };
    for mode in MODES {
        let (back, stats) = read(&file, mode, &request).unwrap();
        assert_eq!(back.len(), 10);
        assert!(stats.problems.is_empty());
        let (back, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
        assert!(back.is_empty() && stats.problems.total() == 1 && stats.bad_records == 10);
    }
}

#[test]
fn bytes_behind_the_end_are_told() {
    let flows = sample(5);
    let mut file = write(&flows, 5, &small_blocks(10));
    file.extend_from_slice(b"and more");
    for mode in MODES {
        let (back, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
        assert_eq!(back, flows);
        let text = stats.problems.kept()[0].to_string();
        assert!(text.contains("8 bytes behind the end"), "{text}");
    }
}

#[test]
fn a_missing_block_is_told() {
    let flows = sample(40);
    let mut file = write(&flows, 40, &small_blocks(10));
    let sections = sections(&file);
    file.drain(sections[1]..sections[2]);
    let (back, stats) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
    assert_eq!(back.len(), 30);
    let text = stats.problems.kept()[0].to_string();
    assert!(text.contains("block 2 is missing"), "{text}");
}

#[test]
fn other_files_are_refused() {
    for file in [&b""[..], b"\x89FLO", b"version account-id", &[0; 100]] {
        for mode in MODES {
            let error = read(file, mode, &ReadRequest::default()).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::UnknownFormat(_)), "{error}");
        }
    }
}
