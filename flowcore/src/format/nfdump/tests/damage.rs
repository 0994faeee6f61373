//! Files that were cut or changed: what is whole is read, everything else is told, nothing panics.

use proptest::prelude::*;

use super::builder::{FileBuilder, flow, flows, generic, record, tcp, v4};
use super::*;
use crate::format::nfdump::{read_info, verify};
use crate::record::Field;

fn told(stats: &SourceStats) -> String {
    stats.problems.kept().iter().map(|error| error.to_string()).collect::<Vec<_>>().join("\n")
}

fn whole(builder: &FileBuilder) -> Vec<Flow> {
    let (flows, stats) = read(&builder.build(), Mode::Stream, &ReadRequest::default()).unwrap();
    assert!(stats.problems.is_empty(), "{}", told(&stats));
    flows
}

#[test]
fn a_file_cut_at_any_byte_gives_its_whole_blocks_and_says_so() {
    for compression in [0, 3] {
        let builder = FileBuilder { compression, ident: "", ..flows(3, 4) };
        let (file, starts, expected) = (builder.build(), builder.starts(), whole(&builder));
        for cut in 40..file.len() {
            let blocks = starts.iter().skip(1).filter(|end| **end <= cut).count();
            for mode in MODES {
                let (found, stats) = read(&file[..cut], mode, &ReadRequest::default()).unwrap();
                assert_eq!(found, expected[..blocks * 4], "cut at {cut}, {mode:?}");
                assert_eq!(stats.problems.total(), 1, "cut at {cut}, {mode:?}: {}", told(&stats));
                let in_block = starts.iter().rfind(|start| **start <= cut).unwrap();
                if cut > *in_block {
                    let place = format!("a.nf: block {}: at byte {in_block}", blocks + 1);
                    assert!(told(&stats).starts_with(&place), "{}", told(&stats));
                }
            }
        }
    }
}

#[test]
fn a_file_cut_in_its_appendix_has_lost_no_flows() {
    let builder = flows(3, 4);
    let (file, starts) = (builder.build(), builder.starts());
    for cut in [starts[3] + 5, starts[3] + 12, file.len() - 1] {
        for mode in MODES {
            let (found, stats) = read(&file[..cut], mode, &ReadRequest::default()).unwrap();
            assert_eq!((found.len(), stats.bad_records, stats.blocks), (12, 0, 3), "cut at {cut}, {mode:?}");
            let end = "the name and statistics at the end of the file are cut; all flows are used";
            assert!(told(&stats).ends_with(end), "{}", told(&stats));
        }
    }
}

#[test]
fn an_appendix_behind_the_end_of_the_file_is_said_as_such() {
    let mut file = flows(1, 4).build();
    let len = file.len();
    file[24..32].copy_from_slice(&99_999_u64.to_le_bytes());
    let (found, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.problems.total()), (4, 1), "{}", told(&stats));
    let end = format!("stated at byte 99999, the file has {len} bytes");
    assert!(told(&stats).ends_with(&end), "{}", told(&stats));
}

#[test]
fn of_an_appendix_that_lacks_a_block_the_others_are_used() {
    let mut file = flows(2, 4).build();
    file[18] = 2;
    let (found, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!(found[0].get(Field::Ident), crate::record::Value::from("lab"));
    assert_eq!((found.len(), stats.problems.total()), (8, 1), "{}", told(&stats));
    let what = "of 2 blocks with name and statistics at the end of the file 1 can be used";
    assert!(told(&stats).contains(what), "{}", told(&stats));
    let info = read_info(Cursor::new(file), "a.nf").unwrap();
    assert_eq!((info.ident.as_str(), info.has_statistics, info.problems.total()), ("lab", true, 1));
}

#[test]
fn flows_behind_many_bad_records_are_found() {
    let mut bad = record(11, &vec![0xee; 60_000]);
    bad[4..6].copy_from_slice(&[1, 0]);
    let mut records = vec![tcp(1)];
    records.extend(vec![bad; 40]);
    records.push(tcp(2));
    let file = FileBuilder::new().block(&records).build();
    let (found, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.flows, stats.bad_records), (2, 2, 40), "{}", told(&stats));
}

#[test]
fn a_damaged_block_is_left_out_and_the_next_ones_are_read() {
    let builder = flows(3, 4);
    let (mut file, starts, expected) = (builder.build(), builder.starts(), whole(&builder));
    file[starts[1] + 12..starts[1] + 40].fill(0xff);
    for mode in MODES {
        let (mut found, stats) = read(&file, mode, &ReadRequest::default()).unwrap();
        found.iter_mut().for_each(|flow| flow.set(Field::Ident, crate::record::Value::Absent));
        let rest = [&expected[..4], &expected[8..]].concat();
        assert_eq!(found, rest);
        assert_eq!((stats.bad_records, stats.flows, stats.blocks), (4, 8, 3));
        assert!(told(&stats).contains(&format!("block 2: at byte {}: lz4 data is damaged", starts[1])));
        assert_eq!(stats.problems.total(), 1);
    }
}

#[test]
fn a_file_that_was_not_closed_is_read_to_its_end() {
    let builder = FileBuilder { closed: false, statistics: None, ..flows(2, 3) };
    for mode in MODES {
        let (found, stats) = read(&builder.build(), mode, &ReadRequest::default()).unwrap();
        assert_eq!((found.len(), stats.problems.total()), (6, 1));
        assert!(told(&stats).contains("not closed"), "{}", told(&stats));
    }
}

#[test]
fn bad_records_are_counted_and_the_others_stay() {
    let mut bad = tcp(7);
    bad[4] = 3;
    let file = FileBuilder::new().block(&[tcp(1), bad, tcp(2)]).build();
    let (found, stats) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.flows, stats.bad_records, stats.problems.total()), (2, 2, 1, 1));
    assert!(told(&stats).contains("block 1: record 2: the lengths"), "{}", told(&stats));

    let file = FileBuilder::new().block(&[tcp(1), record(11, &[])[..3].to_vec(), tcp(2), tcp(3)]).build();
    let (found, stats) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.bad_records, stats.problems.total()), (1, 3, 1), "{}", told(&stats));

    let file = FileBuilder::new().raw_block(9, 3, tcp(1)).build();
    let (found, stats) = read(&file, Mode::Stream, &ReadRequest::default()).unwrap();
    assert_eq!((found.len(), stats.bad_records, stats.problems.total()), (1, 0, 1));
    assert!(told(&stats).contains("1 records are in it, 9 were stated"), "{}", told(&stats));
}

#[test]
fn many_bad_records_are_counted_but_not_all_kept() {
    let mut bad = tcp(7);
    bad[4] = 3;
    let file = FileBuilder::new().block(&vec![bad; 500]).build();
    let (_, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!((stats.bad_records, stats.problems.total()), (500, 500));
    assert!(stats.problems.kept().len() <= 12);
}

/// What comes out of a changed file must be of the kind that was in it; whatever is wrong must not panic.
fn read_anyway(file: &[u8]) {
    for mode in MODES {
        if let Ok((flows, stats)) = read(file, mode, &ReadRequest::default()) {
            assert_eq!(stats.flows, flows.len() as u64);
        }
    }
    drop(read_info(Cursor::new(file.to_vec()), "a.nf"));
    drop(verify(Cursor::new(file.to_vec()), "a.nf"));
}

#[test]
fn any_byte_may_be_wrong() {
    let long = fields::every_element();
    for compression in [0, 3] {
        let file =
            FileBuilder { compression, ..FileBuilder::new() }.block(&[tcp(1), long.clone(), tcp(2)]).build();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= [0x01, 0x80, 0xff][at % 3];
            read_anyway(&changed);
        }
    }
}

proptest! {
    #[test]
    fn any_content_may_be_in_a_block(content in prop::collection::vec(any::<u8>(), 1..300), count in 1..9_u32) {
        read_anyway(&FileBuilder::new().raw_block(count, 3, content).build());
    }

    #[test]
    fn any_element_may_be_in_a_record(
        elements in prop::collection::vec((0..64_u16, prop::collection::vec(any::<u8>(), 0..80)), 0..6),
        protocol in any::<u8>(),
        header in any::<[u8; 6]>(),
    ) {
        let mut all: Vec<_> = elements.iter().map(|(id, data)| record(*id, data)).collect();
        all.push(generic(protocol, [1, 2], 3));
        all.push(v4([1, 2, 3, 4], [0; 4]));
        let odd = builder::flow_from(header, &all);
        let file = FileBuilder::new().block(&[odd, flow(&[])]).build();
        let (flows, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
        prop_assert_eq!((flows.len(), stats.bad_records), (2, 0));
    }
}
