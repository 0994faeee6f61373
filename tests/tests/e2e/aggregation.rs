//! `flowdump -a`, `-A`, `-b`, `-B`, `-P`, `-s record`: groups are records, listed and written as any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use flow_tests::harness::{TempDir, Tool, corpus, testdata, tool_available};
use serde_json::Value;

use super::{bytes, packets, sum};

fn capture(arguments: &[&str]) -> Tool {
    Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap")).args(arguments)
}

fn records(arguments: &[&str]) -> Vec<Value> {
    capture(arguments).args(["-o", "json", "-q"]).run().success().json()
}

/// The lab's capture as records of one direction each.
fn one_way(folder: &TempDir) -> std::path::PathBuf {
    let file = folder.join("one-way.flow");
    let capture = testdata("lab/attack.pcap");
    Tool::pcap2flow().arg(capture).args(["--uniflow=true", "-q", "-w"]).arg(&file).run().success();
    file
}

fn of_file(file: &Path, arguments: &[&str]) -> Vec<Value> {
    Tool::flowdump().arg("-r").arg(file).args(arguments).args(["-o", "json", "-q"]).run().success().json()
}

#[test]
fn groups_of_any_key_add_up_to_the_records() {
    let all = records(&[]);
    let flows = |records: &[Value]| {
        records.iter().map(|record| record["aggr_flows"].as_u64().unwrap_or(1)).sum::<u64>()
    };
    let lists = ["srcip", "srcip4/24,dstip4/8", "proto,dstport", "srcip6/64", "insrcmac", "flags", "minttl"];
    let keys = lists.iter().map(|list| vec!["-A", list]).chain([vec!["-a"], vec!["-b"], vec!["-B"]]);
    for key in keys {
        let groups = records(&key);
        let is_joined = key[0] == "-A";
        assert!(groups.len() < all.len() || !is_joined && groups.len() == all.len(), "{key:?}");
        let totals = |records: &[Value]| (packets(records), bytes(records), flows(records));
        assert_eq!(totals(&groups), totals(&all), "{key:?}");
    }
}

#[test]
fn both_directions_of_one_way_records_are_the_flows_of_the_capture() {
    let folder = TempDir::new();
    let file = one_way(&folder);
    let two_way = records(&["-b"]);
    let merged = of_file(&file, &["-b"]);
    assert!(of_file(&file, &["-a"]).len() > merged.len());
    let flow = |record: &Value| {
        let side = |addr: &str, port: &str| format!("{} {}", record[addr], record[port]);
        let mut sides = [side("src4_addr", "src_port"), side("dst4_addr", "dst_port")];
        sides.sort();
        let counters = ["in_packets", "out_packets", "in_bytes", "out_bytes"].map(|key| record[key].as_u64());
        let counters: u64 = counters.into_iter().flatten().sum();
        (sides.join(" "), record["proto"].to_string(), counters, record["tcp_flags"].to_string())
    };
    let of_ports = |records: &[Value]| {
        let has_ports = |record: &&Value| record["src_port"].is_u64();
        records.iter().filter(has_ports).map(flow).collect::<BTreeSet<_>>()
    };
    assert_eq!(of_ports(&merged), of_ports(&two_way));
    assert!(of_ports(&merged).len() > 100);
    assert_eq!((packets(&merged), bytes(&merged)), (packets(&two_way), bytes(&two_way)));
    assert!(sum(&merged, "out_bytes") > 0);
}

#[test]
fn the_lower_port_becomes_the_destination() {
    let folder = TempDir::new();
    let file = one_way(&folder);
    for record in of_file(&file, &["-B"]) {
        let ports = (record["src_port"].as_u64(), record["dst_port"].as_u64());
        assert!(!matches!(ports, (Some(0..1024), Some(1024..))), "{record}");
    }
}

#[test]
fn groups_are_written_and_read_back_in_every_format() {
    let folder = TempDir::new();
    let shown = records(&["-A", "srcip4/16,dstport", "-O", "bytes"]);
    assert!(shown.len() > 5);
    for name in ["groups.flow", "groups.nf"] {
        let file = folder.join(name);
        capture(&["-A", "srcip4/16,dstport", "-O", "bytes", "-q", "-w"]).arg(&file).run().success();
        let read = of_file(&file, &[]);
        assert_eq!(read.len(), shown.len(), "{name}");
        for (read, shown) in read.iter().zip(&shown) {
            for key in ["src4_addr", "in_bytes", "out_bytes", "in_packets"] {
                assert_eq!(read[key], shown[key], "{name} {key}: {read}");
            }
            // nfdump files say how many flows a record is if there are several.
            let flows = |record: &Value| record["aggr_flows"].as_u64().unwrap_or(1);
            assert_eq!(flows(read), flows(shown), "{name}: {read}");
        }
        // Grouping the groups again changes nothing.
        let again = of_file(&file, &["-A", "srcip4/16,dstport", "-O", "bytes"]);
        assert_eq!(bytes(&again), bytes(&shown), "{name}");
        assert_eq!(again.len(), shown.len(), "{name}");
    }
    for (name, start) in [
        ("groups.csv", "firstSeen,duration,srcAddr,dstPort,packets,bytes,bps,bpp,flows\r\n"),
        ("groups.json", "[\n{"),
        ("groups.ndjson", "{\"first\":"),
    ] {
        let file = folder.join(name);
        capture(&["-A", "srcip,dstport", "-w"]).arg(&file).run().success();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(start), "{name}: {}", text.lines().next().unwrap_or_default());
    }
}

#[test]
fn a_group_shows_what_its_records_share_and_nothing_else() {
    let groups = records(&["-A", "proto,dstport"]);
    let allowed = [
        "first",
        "last",
        "proto",
        "dst_port",
        "in_packets",
        "in_bytes",
        "out_packets",
        "out_bytes",
        "in_tcp_flags",
        "out_tcp_flags",
        "aggr_flows",
        "tcp_flags",
    ];
    for group in &groups {
        for key in group.as_object().unwrap().keys() {
            assert!(allowed.contains(&key.as_str()), "{key} in {group}");
        }
    }
    let flows = records(&["-a"]);
    assert!(
        flows.iter().all(|flow| flow["in_src_mac"].is_string()),
        "a flow has the MAC of its first record"
    );
}

#[test]
fn lists_are_those_of_nfdump() {
    let text = |arguments: &[&str]| capture(arguments).run().success().stdout;
    let heading = |arguments: &[&str]| {
        let text = text(arguments);
        text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        heading(&["-A", "srcip4/24,dstport,minttl", "-n", "1"]),
        "Date first seen (UTC) Duration Src IP Addr Dst Pt MinTTL Packets Bytes bps Bpp Flows"
    );
    assert!(heading(&["-b"]).ends_with("Out Pkt In Pkt Out Byte In Byte Flows"));
    assert!(heading(&["-a"]).ends_with("Dst IP Addr:Port Packets Bytes Flows"));
    assert!(heading(&["-A", "srcip", "-o", "long"]).contains("Flags Tos"));
    let tops = text(&["-s", "record/bytes/packets:a", "-n", "2"]);
    assert!(tops.starts_with("Top 2 flows ordered by bytes:\nDate first seen"), "{tops}");
    assert!(tops.contains("\n\nTop 2 flows ordered by packets:a:\nDate first seen"), "{tops}");
    assert_eq!(tops.lines().count(), 9, "{tops}");
    let mixed = text(&["-s", "record/bytes", "-s", "srcip", "-A", "srcip", "-n", "2"]);
    assert!(mixed.contains("\nTop 2 Src IP Addr ordered by flows:"), "{mixed}");
    assert_eq!(text(&["-s", "record", "-q"]).lines().count(), 10);
    assert_eq!(text(&["-a", "-q", "port 1 and port 2"]), "");
}

#[test]
fn records_beside_other_statistics_are_objects_that_say_so() {
    let top = |order: &str| records(&["-s", &format!("record/{order}"), "-n", "3"]);
    let mixed = records(&["-s", "srcip/bytes", "-s", "record/bytes/packets:a", "-n", "3"]);
    assert!(mixed[..3].iter().all(|row| row["statistic"] == "srcip" && row["order"] == "bytes"));
    for (rows, order) in [(&mixed[3..6], "bytes"), (&mixed[6..], "packets:a")] {
        let without_table = rows.iter().map(|row| {
            assert_eq!((&row["statistic"], &row["order"]), (&"record".into(), &order.into()));
            let mut row = row.clone();
            row.as_object_mut().unwrap().retain(|key, _| key != "statistic" && key != "order");
            row
        });
        assert_eq!(without_table.collect::<Vec<_>>(), top(order));
    }
    let apart = records(&["-s", "record/bytes", "-s", "record/packets:a", "-n", "3"]);
    assert_eq!(apart, [top("bytes"), top("packets:a")].concat());
}

#[test]
fn orders_limits_and_post_filters_work_on_groups() {
    let all = records(&["-A", "srcip"]);
    let size = |record: &Value| bytes(std::slice::from_ref(record));
    let mut sizes: Vec<u64> = all.iter().map(size).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let top = records(&["-A", "srcip", "-O", "bytes", "-n", "3"]);
    assert_eq!(top.iter().map(size).collect::<Vec<_>>(), sizes[..3]);
    assert_eq!(records(&["-A", "srcip", "-s", "record/bytes", "-n", "3"]), top);
    let starts: Vec<&str> = all.iter().filter_map(|record| record["first"].as_str()).collect();
    assert!(starts.is_sorted(), "without -O groups come as they began");
    let many = records(&["-A", "srcip", "-P", "flows > 1"]);
    assert!(many.len() < all.len() && !many.is_empty());
    assert!(many.iter().all(|record| record["aggr_flows"].as_u64() > Some(1)));
    let limited = records(&["-A", "proto", "-c", "5"]);
    assert_eq!(limited.iter().filter_map(|record| record["aggr_flows"].as_u64()).sum::<u64>(), 5);
    for order in ["flows", "ipackets", "obytes:a", "pps", "bps", "bpp", "ibpp", "tend:d", "duration", "opkg"]
    {
        assert_eq!(records(&["-A", "srcip", "-O", order]).len(), all.len(), "{order}");
        assert_eq!(records(&["-O", order, "-n", "4"]).len(), 4, "{order}");
    }
}

#[test]
fn mistakes_say_the_way_out() {
    for (arguments, advice) in [
        (&["-A", "scrip"][..], "-A scrip: no element \"scrip\"; did you mean \"srcip\"?"),
        (&["-A", "srcip4/33"], "-A srcip4/33: \"srcip4/33\": an IPv4 prefix has 1 to 32 bits"),
        (&["-A", "srcip", "-b"], "leave one of them out"),
        (&["-A", "srcip", "-B"], "leave one of them out"),
        (&["-A", "srcip", "-s", "dstip"], "add -s record"),
        (&["-P", "bytes > 1"], "-P filters groups: add -a"),
        (&["-s", "srcip", "-P", "bytes > 1"], "-P filters groups: add -a"),
        (&["-a", "-O", "byts"], "-O byts: no order \"byts\"; did you mean \"bytes\"?"),
        (&["-s", "record/bytes", "-O", "packets"], "-s record/packets"),
        (&["-s", "record:p"], "whole flows have their protocol"),
        (&["-s", "recrd"], "did you mean \"record\"?"),
        (&["-s", "record", "-s", "srcip", "-o", "csv"], "-o json or ndjson"),
        (&["-a", "-I"], "two reports"),
        (&["-a", "--memory", "much"], "--memory much: no size"),
        (&["-a", "--memory", "4K"], "of memory; count by fewer fields"),
    ] {
        let run = capture(arguments).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(advice), "{arguments:?}: {error}");
    }
    let run = capture(&["-a", "-P", "byts > 1"]).run().exit_code(2);
    assert!(run.stderr.contains("-P") && run.stderr.contains("^^^^"), "{}", run.stderr);
}

#[test]
fn joined_or_not_a_statistic_is_the_same() {
    let table = |more: &[&str]| {
        capture(&[&["-s", "dstip/bytes", "-o", "csv", "-q"], more].concat()).run().success().stdout
    };
    assert_eq!(table(&["-a"]), table(&[]));
}

/// Key lists and nfdump's tags for them.
const LISTS: &[(&str, &str)] = &[
    ("srcip", "%sa"),
    ("dstip", "%da"),
    ("srcip,dstip", "%sa %da"),
    ("srcip,dstport", "%sa %dp"),
    ("srcport,proto", "%sp %pr"),
    ("proto", "%pr"),
    ("srcip4/24", "%sa"),
    ("dstip4/16,proto", "%da %pr"),
    ("srcip4/8,dstip4/9", "%sa %da"),
    ("srcas,dstas", "%sas %das"),
    ("inif,outif", "%in %out"),
    ("srcvlan", "%svln"),
    ("insrcmac,outdstmac", "%ismc %odmc"),
    ("srctos", "%tos"),
    ("srcmask,dstmask", "%smk %dmk"),
];

/// Rows as a set of words; a value that a record does not have is 0 in nfdump.
fn rows(text: &str) -> BTreeMap<String, usize> {
    let zero = |word: &str| {
        if ["-", "0.0.0.0", "00:00:00:00:00:00"].contains(&word) { "0".into() } else { word.to_owned() }
    };
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        let row: Vec<String> = line.split_whitespace().map(zero).collect();
        *rows.entry(row.join(" ")).or_default() += 1;
    }
    rows
}

#[test]
fn groups_are_those_of_nfdump() {
    let Some(corpus) = corpus().filter(|_| tool_available("nfdump")) else { return };
    let folder = TempDir::new();
    let flow = "%pr %sa %sp %da %dp";
    let keys: Vec<(Vec<&str>, &str)> = LISTS
        .iter()
        .map(|(list, tags)| (vec!["-A", list], *tags))
        .chain([(vec!["-a"], flow), (vec!["-b"], flow), (vec!["-B"], flow)])
        .collect();
    let mut compared = 0;
    for name in ["mix", "l2tun", "ext"] {
        // Debian's nfdump reads no zstd.
        let file = folder.join(&format!("{name}.nf"));
        Tool::flowdump()
            .arg("-r")
            .arg(corpus.join(format!("flows/{name}.nf")))
            .arg("-w")
            .arg(&file)
            .run()
            .success();
        for (key, tags) in &keys {
            let format = format!("fmt:%ts %te {tags} %ipkt %ibyt %opkt %obyt %fl");
            let mut arguments = key.clone();
            // A record without addresses is IPv4 for nfdump, and a tunnel has a second line there.
            let filter = "ipv4 and (proto tcp or proto udp) and not packets = 1";
            arguments.extend(["-q", "-N", "-o", &format, filter]);
            let theirs = Command::new("nfdump")
                .arg("-r")
                .arg(&file)
                .arg("-6")
                .args(&arguments)
                .env("TZ", "UTC")
                .stderr(Stdio::null())
                .output()
                .unwrap();
            let mut theirs = rows(&String::from_utf8_lossy(&theirs.stdout));
            theirs.retain(|row, _| !row.ends_with(" 0 0 0 0 0"));
            let ours = Tool::flowdump().arg("-r").arg(&file).args(&arguments).run().success();
            assert_eq!(rows(&ours.stdout), theirs, "{name} {key:?}");
            compared += theirs.len();
        }
    }
    assert!(compared > 1000, "{compared}");
}
