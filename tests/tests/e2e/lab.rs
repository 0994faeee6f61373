//! The laboratory of `testdata/lab`: every number that an analyst must find, found with `flowdump`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flow_tests::harness::{Tool, assert_golden, assert_same_text, files_in, numbers_before, testdata};
use flow_tests::lab::{ATTACKER, LOOKALIKE, Lab};
use serde_json::Value;

use crate::{bytes, packets, sum, time, without_zeros};

/// `lab.expected.tsv`: names and values.
struct Expected(BTreeMap<String, String>);

impl Expected {
    fn read() -> Self {
        let text = std::fs::read_to_string(testdata("lab.expected.tsv")).unwrap();
        let pairs = text.lines().map(|line| line.split_once('\t').unwrap());
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("lab.expected.tsv does not have {name}"))
    }

    fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or_else(|_| panic!("{name} is no number"))
    }

    #[track_caller]
    fn assert(&self, name: &str, found: impl TryInto<u64>) {
        assert_eq!(found.try_into().ok(), Some(self.number(name)), "{name}");
    }
}

/// Records of one input that pass a filter.
fn records(input: &str, filter: &str) -> Vec<Value> {
    let tool = Tool::flowdump().arg(testdata(input)).args(["-o", "json"]);
    let tool = if filter.is_empty() { tool } else { tool.arg(filter) };
    tool.run().success().json()
}

#[test]
fn the_committed_laboratory_is_the_one_that_its_generator_makes() {
    let lab = Lab::make();
    assert_golden("lab.expected.tsv", &lab.expected);
    assert!(lab.capture() == std::fs::read(testdata("lab/attack.pcap")).unwrap(), "attack.pcap differs");
    let committed = files_in(&testdata("lab/logs"));
    assert_eq!(
        committed.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        lab.logs.iter().map(|log| &log.name).collect::<Vec<_>>()
    );
    for (log, (name, path)) in lab.logs.iter().zip(&committed) {
        // The compressed bytes depend on the compressor's version.
        assert_same_text(name, &unpacked(path), &log.text);
    }
}

fn unpacked(path: &Path) -> String {
    let mut text = String::new();
    let packed = std::fs::read(path).unwrap();
    MultiGzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_summary_accounts_for_every_line_of_the_logs() {
    let expected = Expected::read();
    let run = Tool::flowdump().arg(testdata("lab/logs")).args(["-o", "null"]).run().success();
    for (name, word) in [
        ("logs.records", "records"),
        ("logs.header_lines", "header"),
        ("logs.nodata", "NODATA"),
        ("logs.skipdata", "SKIPDATA"),
    ] {
        let numbers = numbers_before(&run.stderr, word);
        assert!(
            numbers.contains(&expected.number(name)),
            "{name}: {numbers:?} before {word}:\n{}",
            run.stderr
        );
    }
}

#[test]
fn filters_find_every_number_of_the_logs() {
    let expected = Expected::read();
    let refused_inward = "action reject and direction ingress";
    for (name, filter) in [
        ("logs.accept", "action accept".to_owned()),
        ("logs.reject", "action reject".to_owned()),
        ("logs.refused_inward", refused_inward.to_owned()),
        ("logs.written_by_both_ends", "src ip 10.77.0.0/16 and dst ip 10.77.0.0/16".to_owned()),
        ("logs.victim_interface", "interface eni-0a4be1f6c2d39788e".to_owned()),
        ("logs.lookalike", format!("ip {LOOKALIKE}")),
        ("logs.attacker", format!("ip {ATTACKER}")),
        ("logs.attacker.refused", format!("ip {ATTACKER} and action reject")),
        ("logs.attacker.port_80.to_victim", format!("src ip {ATTACKER} and dst port 80")),
        ("logs.attacker.port_80.from_victim", format!("dst ip {ATTACKER} and src port 80")),
        ("logs.attacker.port_22.to_victim", format!("src ip {ATTACKER} and dst port 22")),
        ("logs.attacker.port_22.from_victim", format!("dst ip {ATTACKER} and src port 22")),
        ("logs.attacker.port_8889.to_victim", format!("src ip {ATTACKER} and src port 8889")),
        ("logs.attacker.port_8889.from_victim", format!("dst ip {ATTACKER} and dst port 8889")),
    ] {
        let records = records("lab/logs", &filter);
        expected.assert(&format!("{name}.records"), records.len());
        expected.assert(&format!("{name}.packets"), packets(&records));
        expected.assert(&format!("{name}.bytes"), bytes(&records));
    }
    let mut sources: Vec<String> =
        records("lab/logs", refused_inward).iter().map(|record| record["src4_addr"].to_string()).collect();
    sources.sort();
    sources.dedup();
    expected.assert("logs.refused_inward.sources", sources.len());
}

#[test]
fn all_flows_of_the_logs_and_the_time_of_the_attack() {
    let expected = Expected::read();
    let all = records("lab/logs", "");
    expected.assert("logs.flows", all.len());
    assert_eq!(bytes(&all), expected.number("logs.accept.bytes") + expected.number("logs.reject.bytes"));
    let attack = records("lab/logs", &format!("ip {ATTACKER}"));
    let mut starts: Vec<String> = attack.iter().map(|record| time(record, "first")).collect();
    starts.sort();
    assert_eq!(starts.first().unwrap(), expected.text("logs.attacker.first_start"));
    assert_eq!(starts.last().unwrap(), expected.text("logs.attacker.last_start"));
}

#[test]
fn flows_of_the_capture_hold_every_packet_of_it() {
    let expected = Expected::read();
    let all = records("lab/attack.pcap", "");
    expected.assert("capture.flows", all.len());
    expected.assert("capture.ip_packets", packets(&all));
    expected.assert("capture.ip_bytes", bytes(&all));
    let first = all.iter().map(|record| time(record, "first")).min().unwrap();
    let last = all.iter().map(|record| time(record, "last")).max().unwrap();
    assert_eq!(first, without_zeros(expected.text("capture.first_packet")));
    assert_eq!(last, without_zeros(expected.text("capture.last_packet")));
    for (protocol, number) in [("tcp", 6), ("udp", 17), ("icmp", 1)] {
        let name = format!("capture.{protocol}_flows");
        expected.assert(&name, records("lab/attack.pcap", &format!("proto {protocol}")).len());
        expected.assert(&name, all.iter().filter(|record| record["proto"] == number).count());
    }
    let refused = all
        .iter()
        .filter(|record| record["proto"] == 6 && record["in_packets"] == 1 && record["out_packets"] == 1);
    expected.assert("capture.refused_connections", refused.count());
    let ipv6: Vec<Value> = all.iter().filter(|record| record["src6_addr"].is_string()).cloned().collect();
    expected.assert("capture.ipv6_packets", packets(&ipv6));
}

#[test]
fn flows_of_the_capture_show_the_attack() {
    let expected = Expected::read();
    let attack = records("lab/attack.pcap", &format!("ip {ATTACKER}"));
    expected.assert("capture.attacker.connections", attack.len());
    expected.assert("capture.attacker.packets", packets(&attack));
    expected.assert("capture.attacker.bytes", bytes(&attack));
    for port in [80, 22, 8889] {
        let name = format!("capture.attacker.port_{port}");
        // The initiator is the source, so the service is always at the destination port.
        let found = records("lab/attack.pcap", &format!("ip {ATTACKER} and dst port {port}"));
        let (by_attacker, by_victim): (Vec<Value>, Vec<Value>) =
            found.iter().cloned().partition(|record| record["src4_addr"] == ATTACKER.to_string());
        let (to, from) = (("in_bytes", "out_bytes"), ("out_bytes", "in_bytes"));
        expected.assert(&format!("{name}.connections"), found.len());
        expected.assert(&format!("{name}.packets"), packets(&found));
        expected.assert(&format!("{name}.bytes_to_victim"), sum(&by_attacker, to.0) + sum(&by_victim, to.1));
        expected.assert(
            &format!("{name}.bytes_from_victim"),
            sum(&by_attacker, from.0) + sum(&by_victim, from.1),
        );
        assert!(
            if port == 8889 { by_attacker.is_empty() } else { by_victim.is_empty() },
            "initiators on {port}"
        );
    }
}

#[test]
fn capture_and_logs_side_by_side_agree_on_the_bytes_that_left() {
    let filter = format!("dst ip {ATTACKER} and dst port 8889");
    let run = Tool::flowdump()
        .args([testdata("lab/logs"), testdata("lab/attack.pcap")])
        .args(["-o", "json", &filter])
        .run()
        .success();
    let (from_capture, from_logs): (Vec<Value>, Vec<Value>) = run
        .json()
        .into_iter()
        .partition(|record| record["source"].as_str().is_some_and(|source| source.contains("attack.pcap")));
    assert!(!from_capture.is_empty());
    assert_eq!(sum(&from_capture, "in_bytes"), sum(&from_logs, "in_bytes"));
}

#[test]
fn the_report_of_the_converter_counts_every_frame() {
    let expected = Expected::read();
    let folder = flow_tests::harness::TempDir::new();
    let run = Tool::pcap2flow()
        .arg("-r")
        .arg(testdata("lab/attack.pcap"))
        .arg("-w")
        .arg(folder.join("attack.flow"))
        .arg("--stats")
        .run()
        .success();
    let said = run.stdout + &run.stderr;
    assert!(numbers_before(&said, "frames").contains(&expected.number("capture.frames")), "{said}");
    assert_eq!(folder.names(), ["attack.flow"]);
}
