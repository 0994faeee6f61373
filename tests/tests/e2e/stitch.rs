//! `--stitch` beside `-A`, `-s` and `--every`: what is counted are the connections that `--stitch` alone lists.

use std::collections::BTreeMap;

use flow_tests::harness::{Tool, testdata};
use serde_json::Value;

fn rows(words: &[&str]) -> Vec<Value> {
    let words = [&["--stitch", "--dedup", "-q", "-o", "ndjson"], words].concat();
    Tool::flowdump().arg(testdata("lab/logs")).args(words).run().success().ndjson()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or(0)
}

/// Packets and bytes both ways.
fn traffic(row: &Value) -> [u64; 2] {
    [["in_packets", "out_packets"], ["in_bytes", "out_bytes"]]
        .map(|ways| ways.map(|way| number(row, way)).iter().sum())
}

/// How many connections there are of each kind, with their packets and bytes.
fn sums(rows: &[Value], kind: impl Fn(&Value) -> String) -> BTreeMap<String, [u64; 3]> {
    let mut sums: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    for row in rows {
        let [packets, bytes] = traffic(row);
        let sum = sums.entry(kind(row)).or_default();
        *sum = [sum[0] + 1, sum[1] + packets, sum[2] + bytes];
    }
    sums
}

#[test]
fn groups_count_connections() {
    let service = |row: &Value| format!("{}/{}", row["proto"], row["dst_port"]);
    let right = sums(&rows(&[]), service);
    let groups = rows(&["-A", "proto,dstport"]);
    let told: BTreeMap<String, [u64; 3]> = groups
        .iter()
        .map(|row| {
            let [packets, bytes] = traffic(row);
            (service(row), [number(row, "aggr_flows"), packets, bytes])
        })
        .collect();
    assert_eq!((told.len(), &told), (groups.len(), &right));
    assert!(right.values().any(|sum| sum[0] > 50), "{right:?}");
}

#[test]
fn statistics_count_connections() {
    let source = |row: &Value| row["src4_addr"].as_str().or(row["src6_addr"].as_str()).unwrap().to_owned();
    let right = sums(&rows(&[]), source);
    let of = |row: &Value| [number(row, "flows"), number(row, "packets"), number(row, "bytes")];
    let told = rows(&["-s", "srcip/flows", "-n", "0"]);
    let told: BTreeMap<String, [u64; 3]> =
        told.iter().map(|row| (row["srcip"].as_str().unwrap().to_owned(), of(row))).collect();
    assert_eq!(told, right);
}

#[test]
fn series_count_connections_when_they_begin() {
    let connections = rows(&["ip 203.0.113.66"]);
    let right = sums(&connections, |row| row["first"].as_str().unwrap()[..16].to_owned());
    let told = rows(&["--every", "1m", "ip 203.0.113.66"]);
    let told: BTreeMap<String, [u64; 3]> = told
        .iter()
        .filter(|row| number(row, "flows") > 0)
        .map(|row| {
            let counts = ["flows", "packets", "bytes"].map(|name| number(row, name));
            (row["start"].as_str().unwrap()[..16].to_owned(), counts)
        })
        .collect();
    assert_eq!(told, right);
}

/// `-P` selects among the connections, not among the rows that they are made of.
#[test]
fn connections_are_selected_before_they_are_counted() {
    for which in ["connstate refused", "connstate accepted and bytes > 10k", "dst port 22"] {
        let listed = rows(&["-P", which]);
        let right = sums(&listed, |_| String::new())[""];
        let all = rows(&["-P", which, "-A", "proto"]);
        let flows: u64 = all.iter().map(|row| number(row, "aggr_flows")).sum();
        let both = all.iter().map(traffic).fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
        assert_eq!([flows, both[0], both[1]], right, "{which}");
    }
}

/// Timeouts cut the flows of a capture to parts; its connections stay what they are.
#[test]
fn connections_of_a_capture_do_not_depend_on_timeouts() {
    let connections = |timeouts: &str| {
        let words = ["-e", timeouts, "--stitch", "-q", "-o", "ndjson", "-O", "tstart", "proto tcp"];
        let rows = Tool::flowdump().arg(testdata("lab/attack.pcap")).args(words).run().success().ndjson();
        let parts: u64 = rows.iter().map(|row| number(row, "aggr_flows")).sum();
        let names =
            ["first", "last", "src4_addr", "src_port", "dst4_addr", "dst_port", "tcp_flags", "conn_state"];
        let of = |row: &Value| (names.map(|name| row[name].to_string()), traffic(row));
        (parts, rows.iter().map(of).collect::<Vec<_>>())
    };
    let (flows, whole) = connections("300,60");
    let (parts, joined) = connections("30,10");
    assert!(parts > flows + 10, "{parts} parts of {flows} flows");
    assert_eq!(joined, whole);
}
