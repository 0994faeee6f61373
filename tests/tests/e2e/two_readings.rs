//! The largest of many groups, found in two readings of flow files: the same rows as of all groups in one reading, and
//! in less memory.

use std::path::{Path, PathBuf};

use flow_tests::harness::{TempDir, Tool, skipped};
use flow_tests::rng::Rng;
use flowcore::format::flow::WriterOptions;
use flowcore::{Addr, Field, FileOptions, FlowBatch, FlowWriter, Overwrite, Timestamp};

/// Rows of a file that is read twice: shorter ones than of four MiB are not.
const ROWS: u64 = 320_000;

/// Statistics whose groups are many, and what they are ordered by.
const ORDERED: [&[&str]; 6] = [
    &["-s", "srcip/bytes"],
    &["-s", "srcip/bytes/packets/flows", "-s", "dstip/flows"],
    &["-s", "ip/flows"],
    &["-s", "record/bytes"],
    &["-A", "srcip,dstip", "-O", "bytes"],
    &["-A", "srcip,dstport", "-O", "packets", "proto tcp"],
];

/// Flows of many sources; `skew` sources have most of the bytes, and without any all have as many.
fn write(path: PathBuf, rows: u64, skew: u64) -> PathBuf {
    let (mut rng, mut batch) = (Rng::new(rows + skew), FlowBatch::new());
    let options = FileOptions::Flow(WriterOptions::default());
    let mut writer = FlowWriter::create(&path, &options, Overwrite::No).unwrap();
    for row in 0..rows {
        let is_large = skew > 0 && rng.chance(10);
        let src =
            if is_large { 0x0a00_0000 + rng.range(1, skew) } else { 0x4000_0000 + rng.bits() % (1 << 29) };
        let bytes = if is_large { rng.range(1_000_000, 9_000_000) } else { 40 };
        batch.set_addr(Field::SrcAddr, Addr::V4(u32::try_from(src).unwrap().into()));
        batch.set_addr(Field::DstAddr, Addr::V4((0xc000_0200 + u32::from(row % 16 > 0)).into()));
        batch.set_number(Field::DstPort, *rng.pick(&[53, 80, 443]));
        batch.set_number(Field::SrcPort, rng.range(1024, 65_535));
        batch.set_number(Field::Protocol, if row % 4 == 0 { 17 } else { 6 });
        batch.set_number(Field::InPackets, 1 + bytes / 1000);
        batch.set_number(Field::InBytes, bytes);
        batch
            .set_time(Field::First, Timestamp::from_secs(1_700_000_000 + i64::try_from(row / 1000).unwrap()));
        batch.set_time(Field::Last, Timestamp::from_secs(1_700_000_001 + i64::try_from(row / 1000).unwrap()));
        batch.end_row();
        if batch.len() == flowcore::BATCH_ROWS {
            writer.write_batch(&batch).unwrap();
            batch.clear();
        }
    }
    writer.write_batch(&batch).unwrap();
    writer.finish().unwrap();
    path
}

/// What to run about these files.
fn tool(files: &[&Path], arguments: &[&str], top: &str) -> Tool {
    let tool = files.iter().fold(Tool::flowdump(), |tool, file| tool.arg("-r").arg(file));
    tool.args(["-q", "-N", "-o", "csv", "-n", top]).args(arguments)
}

fn printed(files: &[&Path], arguments: &[&str], top: &str) -> String {
    tool(files, arguments, top).run().success().stdout
}

/// Of each list in a text, its first ten rows.
fn heads(text: &str) -> Vec<Vec<&str>> {
    text.split("\n\n").map(|list| list.lines().take(10).collect()).collect()
}

#[test]
fn the_largest_groups_are_those_of_all_groups() {
    let folder = TempDir::new();
    let skewed = write(folder.join("skewed.flow"), ROWS, 50);
    let equal = write(folder.join("equal.flow"), ROWS, 0);
    let of_one = ORDERED.map(|arguments| (vec![&*skewed], arguments));
    let of_equal = [(vec![&*equal], ORDERED[0]), (vec![&*equal, &*skewed], ORDERED[3])];
    for (files, arguments) in of_one.into_iter().chain(of_equal) {
        let (all, ten) = (printed(&files, arguments, "0"), printed(&files, arguments, "10"));
        assert!(all.lines().count() > 10_000, "{arguments:?}");
        assert_eq!(heads(&ten), heads(&all), "{arguments:?} of {files:?}");
    }
}

#[test]
fn two_readings_take_less_memory_and_a_pipe_is_read_once() {
    let folder = TempDir::new();
    let file = write(folder.join("skewed.flow"), 4 * ROWS, 50);
    let (read_twice, peak) = tool(&[&file], ORDERED[0], "10").run_fed(|_| Ok(()));
    let pipe = tool(&[Path::new("-")], ORDERED[0], "10");
    let (read_once, peak_of_all) = pipe.run_fed(|out| out.write_all(&std::fs::read(&file).unwrap()));
    assert_eq!(read_once.success().stdout, read_twice.success().stdout);
    match (peak, peak_of_all) {
        (Some(peak), Some(all)) => assert!(3 * peak < 2 * all, "{peak} KiB beside {all}"),
        _ => skipped("the system does not tell how much memory a process has"),
    }
}
