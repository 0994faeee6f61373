//! `flowdump correlate`: two vantage points of the same traffic, whose true pairs are known.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use flow_tests::harness::{TempDir, Tool, assert_golden, files_in, testdata};
use flow_tests::vantage::Talk;
use serde_json::Value;

use crate::vpc_lab::Lab;

fn correlate(words: &[&str]) -> String {
    Tool::flowdump().arg("correlate").args(words).run().success().stdout
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&correlate(&[words, &["-o", "json"]].concat())).unwrap()
}

/// The committed laboratory: capture and logs.
fn laboratory() -> [String; 2] {
    ["lab/attack.pcap", "lab/logs"].map(|name| testdata(name).to_str().unwrap().to_owned())
}

/// The conversation that a side names, a gateway's address replaced by that in the packets.
fn talk(one: &Value, side: &str, gateway: Option<&str>, other: &str) -> Talk {
    let addr = |name: &str| -> Ipv4Addr {
        let own = one[side][name].as_str().unwrap();
        let own = if Some(own) == gateway { one[other][name].as_str().unwrap() } else { own };
        own.parse().unwrap()
    };
    let port = |name: &str| one[name].as_u64().unwrap_or(0) as u16;
    let (src, dst) = ((addr("src"), port("src_port")), (addr("dst"), port("dst_port")));
    let protocol = match one["protocol"].as_str().unwrap() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        other => panic!("{other}"),
    };
    (src.min(dst), src.max(dst), protocol)
}

/// A day of logs against a capture of the attacked host whose clock is 37 s ahead: all true pairs, no other one.
#[track_caller]
fn assert_pairs(lab: &Lab, gateway: Option<&str>) {
    let made = lab.vantages(gateway);
    let folder = TempDir::new();
    let [capture, log] = [folder.file("host.pcap", &made.capture), folder.file("host.log", &made.log)];
    let [capture, log] = [&capture, &log].map(|path| path.to_str().unwrap());
    let found = json(&[capture, log]);
    let offset = found["summary"]["offset_seconds"].as_f64().unwrap();
    assert!((offset + 37.0).abs() <= 1.0, "{offset}");

    let of = |status: &'static str| {
        let all = found["conversations"].as_array().unwrap().iter();
        all.filter(move |one| one["status"] == status)
    };
    let mut pairs = BTreeSet::new();
    for one in of("matched") {
        assert_eq!(talk(one, "left", None, ""), talk(one, "right", gateway, "left"), "{one}");
        for way in ["forward", "reverse"] {
            for count in ["packets", "bytes"] {
                assert_eq!(one["left"][way][count], one["right"][way][count], "{one}");
            }
        }
        pairs.insert(talk(one, "left", None, ""));
    }
    assert!(made.both.len() > 1000 && made.capture_only.len() > 20 && made.log_only.len() > 20);
    let wrong: Vec<&Talk> = pairs.difference(&made.both).collect();
    assert_eq!(wrong, Vec::<&Talk>::new(), "pairs that are none");
    let share = pairs.len() as f64 / made.both.len() as f64;
    assert!(share >= 0.99, "{} of {} pairs", pairs.len(), made.both.len());
    let alone: BTreeSet<Talk> =
        of("only-left").chain(of("only-left-outside")).map(|one| talk(one, "left", None, "")).collect();
    assert!(alone.is_superset(&made.capture_only), "what the log lacks is told");
    let refused = of("matched")
        .filter(|one| one["left"]["state"] == "unanswered" && one["right"]["state"] == "refused");
    assert!(refused.count() > 10, "rejected rows are the SYNs without an answer");
}

#[test]
fn a_capture_and_the_logs_of_a_day_are_matched() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    assert_pairs(&lab, None);
}

#[test]
fn a_gateway_that_translates_addresses_is_looked_through() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    assert_pairs(&lab, Some("100.64.9.9"));
}

/// The golden file is the summary for the committed laboratory.
#[test]
fn the_laboratory_is_summed_up() {
    let words = ["correlate", "lab/attack.pcap", "lab/logs", "ip", "203.0.113.66"];
    let run = Tool::flowdump().in_folder(&testdata("")).args(words).run().success();
    assert_golden("investigate/correlation.txt", &run.stdout);
}

/// Packets and bytes of a side over all conversations.
fn sums(conversations: &[Value], side: &str) -> [u64; 2] {
    ["packets", "bytes"].map(|count| {
        let of = |one: &Value| ["forward", "reverse"].map(|way| one[side][way][count].as_u64().unwrap_or(0));
        conversations.iter().flat_map(of).sum()
    })
}

#[test]
fn nothing_is_lost_and_sides_can_be_swapped() {
    let [capture, logs] = laboratory();
    let there = json(&[&capture, &logs]);
    let conversations = there["conversations"].as_array().unwrap();
    for (side, input, dedup) in [("left", &capture, false), ("right", &logs, true)] {
        let words = ["-A", "proto", "-o", "ndjson", "-q"];
        let dedup = if dedup { &["--dedup"][..] } else { &[] };
        let all = Tool::flowdump().arg(input).args(words).args(dedup).run().success().ndjson();
        assert_eq!(sums(conversations, side), [crate::packets(&all), crate::bytes(&all)], "{side}");
    }
    let back = json(&[&logs, &capture]);
    let count = |found: &Value, name: &str| found["summary"][name].as_u64().unwrap();
    assert_eq!(count(&there, "matched"), count(&back, "matched"));
    assert_eq!(count(&there, "only_left"), count(&back, "only_right"));
    assert_eq!(count(&there, "only_right"), count(&back, "only_left"));
    let offset = |found: &Value| found["summary"]["offset_seconds"].as_f64().unwrap();
    assert!((offset(&there) + offset(&back)).abs() < 0.1);
}

#[test]
fn a_capture_is_its_own_file_of_flows() {
    let [capture, _] = laboratory();
    let folder = TempDir::new();
    let flows = folder.join("attack.flow");
    Tool::pcap2flow().arg("-r").arg(&capture).arg("-w").arg(&flows).run().success();
    let found = json(&[&capture, flows.to_str().unwrap()]);
    assert_eq!(found["summary"]["only_left"], 0);
    assert_eq!(found["summary"]["only_right"], 0);
    assert_eq!(found["summary"]["offset_seconds"], 0.0);
    assert!(found["conversations"].as_array().unwrap().iter().all(|one| one["bytes_ratio"] == 1.0));
}

#[test]
fn rows_for_programs_agree() {
    let [capture, logs] = laboratory();
    let words = [&*capture, &*logs, "ip", "203.0.113.66"];
    let whole = json(&words);
    let lines = correlate(&[&words[..], &["-o", "ndjson"]].concat());
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(whole["conversations"].as_array().unwrap(), &lines);
    let csv = correlate(&[&words[..], &["-o", "csv"]].concat());
    let rows: Vec<Vec<&str>> = csv.split_terminator("\r\n").map(|line| line.split(',').collect()).collect();
    assert_eq!((rows.len(), rows.iter().all(|row| row.len() == 24)), (lines.len() + 1, true));
    let bytes = rows[0].iter().position(|name| *name == "left_forward_bytes").unwrap();
    let of_csv: u64 = rows[1..].iter().filter_map(|row| row[bytes].parse::<u64>().ok()).sum();
    assert_eq!(of_csv, lines.iter().filter_map(|one| one["left"]["forward"]["bytes"].as_u64()).sum::<u64>());
}

/// The log beside the capture, whole or as its files one by one.
#[test]
fn files_of_the_right_side_are_one_side() {
    let [capture, logs] = laboratory();
    let files = files_in(Path::new(&logs));
    let files: Vec<&str> = files.iter().map(|(_, file)| file.to_str().unwrap()).collect();
    let whole = json(&[&capture, &logs, "ip", "203.0.113.66"]);
    let parts = json(&[&[&*capture], &files[..], &["ip", "203.0.113.66"]].concat());
    assert_eq!(whole["summary"], parts["summary"]);
    assert_eq!(whole["conversations"], parts["conversations"]);
    let some = json(&[&*capture, files[0], files[1], "--filter", "ip 203.0.113.66"]);
    assert!(some["summary"]["matched"].as_u64() < whole["summary"]["matched"].as_u64());
    assert_eq!(some["right"], format!("{} + 1", files[0]));
}

#[test]
fn a_given_offset_and_mistakes() {
    let [capture, logs] = laboratory();
    let far = json(&[&capture, &logs, "--offset", "9000", "ip", "203.0.113.66"]);
    assert_eq!((&far["summary"]["matched"], &far["summary"]["offset_seconds"]), (&0.into(), &9000.0.into()));
    for (words, why) in [
        (&[&*capture][..], "RIGHT"),
        (&[&capture, "no-such-log"], "no-such-log"),
        (&[&capture, &logs, "--memory", "10K"], "--since"),
        (
            &[&capture, &logs, "--tolerence", "3"],
            "did you mean --tolerance? flowdump correlate --help lists all",
        ),
    ] {
        let run = Tool::flowdump().arg("correlate").args(words).run().exit_code(2);
        let error = run.one_line_error("flowdump").to_owned();
        assert!(error.contains(why), "{words:?}: {error}");
    }
    let run = Tool::flowdump().args(["correlate", &capture, &logs, "porrt 22"]).run().exit_code(2);
    assert!(run.stderr.contains("did you mean \"port\"?"), "{}", run.stderr);
}
