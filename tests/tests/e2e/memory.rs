//! Memory is bounded by the flows that are open, and their number by `--cache`: captures that mean harm stay within it.
//! That of a reader of nfdump files does not grow with what is in them.
//!
//! The captures are made while they are read, so that nothing but the program under test holds them.

use std::fs::File;
use std::io::Write;

use flow_tests::flood::{Flood, Kind};
use flow_tests::harness::{TempDir, Tool, skipped};

/// Packets of a flood here; what is true of these is true of more, since memory does not grow with their number.
const PACKETS: u64 = 1_000_000;

/// Meters a flood with these options; every packet is in a flow, and memory stays below the limit. Flows ended for
/// lack of resources.
#[track_caller]
fn meter(flood: Flood, options: &str, limit_mib: u64) -> u64 {
    let folder = TempDir::new();
    let file = folder.join("flood.flow");
    let tool = Tool::pcap2flow().arg("-").args(options.split(' '));
    let tool = tool.args(["-W", "1", "--stats=json", "-w"]).arg(&file);
    let (run, peak) = tool.run_fed(|out| flood.write(out));
    let stats: serde_json::Value = serde_json::from_str(&run.success().stdout).unwrap();
    assert_eq!((&stats["used"], &stats["frames"]), (&flood.packets.into(), &flood.packets.into()), "{flood}");
    let listed = Tool::flowdump().arg(&file).args(["-N", "-o", "null"]).run().success();
    let text = listed.stdout + &listed.stderr;
    assert!(text.contains(&format!("total packets: {}", flood.packets)), "{text}");
    match peak {
        Some(kib) => assert!(kib < limit_mib * 1024, "{flood}: {kib} KiB"),
        None => skipped("the system does not tell how much memory a process has"),
    }
    stats["evicted"].as_u64().unwrap()
}

#[test]
fn a_hundred_thousand_live_flows_take_less_than_200_mib() {
    // One packet of each flow every ten seconds.
    let flood = Flood { kind: Kind::Steady, packets: PACKETS, step: 100_000, flows: 100_000 };
    assert_eq!(meter(flood, "--cache 2000000", 200), 0);
}

#[test]
fn a_flood_of_connections_is_bounded_by_the_cache() {
    let flood = Flood { kind: Kind::Syn, packets: PACKETS, step: 1_000, flows: 1 };
    assert_eq!(meter(flood, "--cache 20000", 64), PACKETS - 20_000);
}

#[test]
fn one_pair_of_ports_used_again_and_again_takes_no_memory() {
    for step in [0, 1_000] {
        let flood = Flood { kind: Kind::Reuse, packets: PACKETS, step, flows: 1 };
        assert_eq!(meter(flood, "--cache 20000", 64), 0);
    }
}

#[test]
fn a_flood_of_fragments_is_bounded() {
    for kind in [Kind::FirstFragments, Kind::LaterFragments] {
        let flood = Flood { kind, packets: PACKETS, step: 1_000, flows: 1 };
        meter(flood, "--cache 20000", 96);
    }
}

#[test]
fn payload_takes_no_memory_once_its_flow_is_over() {
    let packets = 50_000;
    let flood = Flood { kind: Kind::Payload, packets, step: 1_000, flows: 1 };
    assert_eq!(meter(flood, "--cache 1000 -o payload", 128), packets - 1_000);
}

/// Flows of the hostile file, by block: more than any real block has.
const TINY: u32 = 400_000;
const BLOCKS: u32 = 6;

/// An nfdump file of records without any element, and now and then one with all of them, which makes a batch wide.
fn wide_and_tiny(out: &mut impl Write) -> std::io::Result<()> {
    let head = |elements: u16, len: u16| {
        let [kind, len, elements] = [11, len, elements].map(u16::to_le_bytes);
        [kind, len, elements, [1, 1], [0, 0], [0, 0]].concat()
    };
    let element = |id: u16| [&id.to_le_bytes()[..], &68_u16.to_le_bytes(), &[1; 64]].concat();
    let wide = [head(43, 12 + 43 * 68), (1..=43).flat_map(element).collect()].concat();
    let run = [wide, head(0, 12).repeat(7_999)].concat();
    let block = run.repeat(TINY as usize / 8_000);
    let mut header = vec![0x0c, 0xa5, 2, 0, 1, 1, 7, 1];
    header.resize(36, 0);
    out.write_all(&[header, BLOCKS.to_le_bytes().to_vec()].concat())?;
    for _ in 0..BLOCKS {
        let size = u32::try_from(block.len()).unwrap_or(u32::MAX);
        out.write_all(&[TINY, size, 3].map(u32::to_le_bytes).concat())?;
        out.write_all(&block)?;
    }
    Ok(())
}

#[test]
fn an_nfdump_file_of_wide_and_tiny_records_takes_less_than_200_mib() {
    let folder = TempDir::new();
    let path = folder.join("hostile.nf");
    wide_and_tiny(&mut File::create(&path).unwrap()).unwrap();
    // The second one reads every field.
    for (options, account) in [("-N -o null -r", "Total records processed: "), ("-v", "Records: ")] {
        let (run, peak) = Tool::flowdump().args(options.split(' ')).arg(&path).run_fed(|_| Ok(()));
        let (text, account) = (run.stdout + &run.stderr, format!("{account}{}", TINY * BLOCKS));
        assert!(text.contains(&account), "{text}");
        match peak {
            Some(kib) => assert!(kib < 200 * 1024, "{options}: {kib} KiB"),
            None => skipped("the system does not tell how much memory a process has"),
        }
    }
}

#[test]
fn more_files_of_logs_take_no_more_memory_than_their_names() {
    let folder = TempDir::new();
    let peak = |files: u32| {
        for n in 0..files {
            let (row, slot) = (1_695_859_200 + u64::from(n) * 300, n / 288 + 1);
            let (day, hour, minute) = (slot, n % 288 / 12, n % 12 * 5);
            let name = format!("202309{day:02}T{hour:02}{minute:02}Z_{n:08x}.log");
            let log = format!(
                "interface-id srcaddr dstaddr bytes start end log-status\n\
                 eni-{n:08x} 10.0.0.1 10.0.0.2 40 {row} {row} OK\neni-{n:08x} - - - {row} {row} SKIPDATA\n"
            );
            folder.file(&format!("123456789012_vpcflowlogs_us-east-1_fl-{:x}_{name}", n % 1000), log);
        }
        let (run, peak) = Tool::flowdump().arg(folder.path()).args(["-o", "null"]).run_fed(|_| Ok(()));
        let shown = run.success().stderr;
        let account = format!("{} records = {files} flows + 0 NODATA + {files} SKIPDATA", files * 2);
        assert!(shown.contains(&account), "{shown}");
        peak
    };
    match (peak(800), peak(8_000)) {
        (Some(few), Some(many)) => assert!(many < few + 6 * 1024, "{few} and {many} KiB"),
        _ => skipped("the system does not tell how much memory a process has"),
    }
}
