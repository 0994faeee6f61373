//! Files of later releases: what this one does not know is kept where it can be, and told where it cannot.

use super::super::chunk;
use super::super::layout::{MAX_METADATA, Prefix, Section, Start};
use super::super::metadata::BlockMetadata;
use super::*;
use crate::codec;

/// The only block of a file with other metadata, and no index.
fn with_metadata(file: &[u8], change: impl FnOnce(&mut BlockMetadata)) -> Vec<u8> {
    let at = file.windows(4).position(|bytes| bytes == b"FBLK").unwrap();
    let prefix = Prefix::parse(file[at..][..Prefix::SIZE].try_into().unwrap()).unwrap();
    assert_eq!(prefix.section, Section::Block);
    let (head, rest) = file[at + Prefix::SIZE..].split_at(prefix.metadata_len as usize);
    let mut block = codec::decode::<{ 2 * MAX_METADATA }, _>(head).unwrap();
    change(&mut block);
    let metadata = codec::encode(&block).unwrap();
    let mut out = file[..at].to_vec();
    Prefix {
        metadata_len: u32::try_from(metadata.len()).unwrap(),
        metadata_crc: crc32fast::hash(&metadata),
        ..prefix
    }
    .write(&mut out);
    out.extend_from_slice(&metadata);
    out.extend_from_slice(&rest[..prefix.data_len as usize]);
    out
}

fn rename(
    block: &mut BlockMetadata,
    field: Field,
    change: impl Fn(&mut super::super::metadata::ColumnMetadata),
) {
    block.columns.iter_mut().filter(|column| column.name == field.name()).for_each(change);
}

#[test]
fn a_text_field_of_a_later_release_is_a_column_without_field() {
    let file = write(&sample(4), 4, &small_blocks(10));
    let later =
        with_metadata(&file, |block| rename(block, Field::Action, |column| column.name = "verdict".into()));
    let (back, stats) = read(&later, Mode::Stream, &ReadRequest::default()).unwrap();
    let verdicts: Vec<_> = back
        .iter()
        .map(|flow| flow.unknown.iter().find(|(name, _)| &**name == "verdict").unwrap().1.to_string())
        .collect();
    assert_eq!(verdicts, ["ACCEPT", "REJECT", "ACCEPT", "REJECT"]);
    assert_eq!(stats.problems.total(), 1, "only that there is no index");
}

#[test]
fn what_cannot_be_kept_is_told_once() {
    let file = write(&sample(4), 4, &small_blocks(10));
    type Change = fn(&mut super::super::metadata::ColumnMetadata);
    let changes: [(Change, &str); 4] = [
        (|column| column.name = "colour".into(), "\"colour\" is a field"),
        (|column| column.storage = 9, "\"inbytes\" has a type"),
        (|column| column.encoding = 9, "\"inbytes\" has an encoding"),
        (|column| column.compression = 9, "\"inbytes\" has a compression"),
    ];
    for (change, expected) in changes {
        let later = with_metadata(&file, |block| rename(block, Field::InBytes, change));
        let (back, stats) = read(&later, Mode::Stream, &ReadRequest::default()).unwrap();
        assert_eq!(back.len(), 4);
        assert!(back.iter().all(|flow| flow.forward.bytes.is_none() && flow.forward.packets.is_some()));
        let text = stats.problems.kept()[0].to_string();
        assert!(text.contains(expected) && stats.problems.total() == 2, "{text}");
        // Nobody asked for it: nothing to tell.
        let request = ReadRequest {
            fields: [Field::InPackets].into(),
            unknown_columns: false,
            ..ReadRequest::default()
        };
        assert_eq!(read(&later, Mode::Stream, &request).unwrap().1.problems.total(), 1);
    }
    assert_eq!(chunk::name(9), "unknown");
}

#[test]
fn metadata_that_contradicts_itself_is_damage() {
    let file = write(&sample(4), 4, &small_blocks(10));
    let changes: [fn(&mut BlockMetadata); 4] = [
        |block| block.rows = 5,
        |block| block.columns[0].stored_len -= 1,
        |block| block.columns[0].raw_len = u32::MAX,
        |block| block.columns[1].name = block.columns[0].name.clone(),
    ];
    for change in changes {
        let (back, stats) =
            read(&with_metadata(&file, change), Mode::Stream, &ReadRequest::default()).unwrap();
        assert!(back.is_empty() && stats.bad_records == 4, "{:?}", stats.problems);
    }
    // Right by all checksums, and still not a column of numbers.
    let lie =
        with_metadata(&file, |block| rename(block, Field::InBytes, |column| column.name = "srcport".into()));
    let (back, _) = read(&lie, Mode::Stream, &ReadRequest::default()).unwrap();
    assert!(back.is_empty() || back.len() == 4);
}

#[test]
fn a_later_version_of_the_format_is_named() {
    let mut file = Vec::new();
    Start { version: 2, header_len: 0, header_crc: 0 }.write(&mut file);
    for mode in MODES {
        let text = read(&file, mode, &ReadRequest::default()).unwrap_err().to_string();
        assert!(text.starts_with("test.flow: flow file of version 2;"), "{text}");
    }
}
