//! What `pcap2flow` takes in and leaves out: snap length, duplicates, packet filter, compressed captures.

use std::io::Write;
use std::path::Path;

use flow_tests::capture::{Frame, Layout};
use flow_tests::harness::{TempDir, Tool, testdata};
use flow_tests::lab::ATTACKER;
use flow_tests::packet::{Content, Link, Packet};
use pcap2flow::capture::CaptureReader;
use serde_json::Value;

use crate::sum;

/// The account of a conversion, and the records.
fn convert(capture: &Path, options: &[&str]) -> (Value, Vec<Value>) {
    let folder = TempDir::new();
    let file = folder.join("out.flow");
    let run =
        Tool::pcap2flow().arg(capture).arg("-w").arg(&file).args(options).arg("--stats=json").run().success();
    let mut records = Tool::flowdump().arg(&file).args(["-q", "-o", "ndjson"]).run().success().ndjson();
    for record in &mut records {
        record.as_object_mut().unwrap().remove("source");
    }
    (serde_json::from_str(&run.stdout).unwrap(), records)
}

fn lab_frames() -> Vec<Frame> {
    let file = std::fs::File::open(testdata("lab/attack.pcap")).unwrap();
    let mut reader = CaptureReader::open(Box::new(file)).unwrap();
    let mut frames = Vec::new();
    let mut each = |frame: pcap2flow::capture::Frame<'_>| {
        frames.push(Frame { time: frame.time.as_nanos().cast_unsigned(), bytes: frame.data.to_vec() });
    };
    while reader.read_frames(&mut each).unwrap() {}
    frames
}

#[test]
fn a_capture_split_in_two_gives_the_same_flows() {
    let folder = TempDir::new();
    let frames = lab_frames();
    let (account, whole) = convert(&testdata("lab/attack.pcap"), &[]);
    for at in [1, 2, 500, 1408, 2000, frames.len() - 1] {
        let (first, second) = frames.split_at(at);
        let first = folder.file("1.pcap", Layout::default().pcap(first));
        let second = folder.file("2.pcap", Layout::default().pcap(second));
        let (parts, flows) = convert(&first, &["-r", second.to_str().unwrap()]);
        // -r stands before the captures behind it, so that the order is the other one.
        assert_eq!(parts["inputs"][0]["name"], second.to_str().unwrap());
        assert_eq!(parts["used"], account["used"]);
        assert_eq!(sum(&flows, "in_bytes") + sum(&flows, "out_bytes"), account["bytes"].as_u64().unwrap());
        let (parts, flows) = convert(&first, &[second.to_str().unwrap()]);
        assert_eq!((&parts["frames"], &parts["skipped"]), (&account["frames"], &account["skipped"]));
        assert!(flows == whole, "split at frame {at}");
    }
}

#[test]
fn copies_of_a_mirror_port_are_left_out() {
    let folder = TempDir::new();
    let mut frames = Vec::new();
    for frame in lab_frames() {
        let mut copy = frame.clone();
        copy.time += 20_000;
        match frame.bytes[12..14] {
            [8, 0] => copy.bytes[22] -= 1,       // time to live
            [0x86, 0xdd] => copy.bytes[21] -= 1, // hop limit
            _ => {}
        }
        frames.extend([frame, copy]);
    }
    let capture = folder.file("mirror.pcap", Layout::default().pcap(&frames));
    let (plain, _) = convert(&testdata("lab/attack.pcap"), &["-d"]);
    assert_eq!(plain["used"], 2786, "the laboratory has no duplicates: {plain}");
    for options in [&["-d"][..], &["-d8"], &["-d=1,1"], &["--dedup=4,100"]] {
        let (account, flows) = convert(&capture, options);
        assert_eq!((&account["used"], &account["bytes"]), (&2786.into(), &plain["bytes"]), "{options:?}");
        assert_eq!(account["skipped"]["reasons"], serde_json::json!({"arp": 60, "duplicate": 2786}));
        assert_eq!(flows.len(), 231);
    }
    assert_eq!(convert(&capture, &[]).0["used"], 2 * 2786);
}

#[test]
fn a_retransmission_a_second_later_is_no_duplicate() {
    let folder = TempDir::new();
    let bytes = Packet::udp("10.0.0.1:4000", "10.0.0.2:53", b"query".to_vec()).frame(&Link::default());
    let frames = [0, 1, 1_001_000_000].map(|time| Frame { time, bytes: bytes.clone() });
    let capture = folder.file(
        "a.pcap",
        Layout { precision: flow_tests::capture::Precision::Nanos, ..Layout::default() }.pcap(&frames),
    );
    assert_eq!(convert(&capture, &["-d"]).0["used"], 2);
    assert_eq!(convert(&capture, &["-d=8,2000"]).0["used"], 1);
}

#[test]
fn a_snap_length_changes_no_counter_of_plain_packets() {
    let (_, expected) = convert(&testdata("lab/attack.pcap"), &[]);
    for length in ["96", "128"] {
        let (account, flows) = convert(&testdata("lab/attack.pcap"), &["-s", length]);
        assert!(flows == expected, "-s {length}");
        assert_eq!(account["used"], 2786);
    }
    // So short that a TCP header behind IPv6 is not there; the counters are.
    let (account, flows) = convert(&testdata("lab/attack.pcap"), &["-s", "54"]);
    assert_eq!((&account["used"], &account["bytes"]), (&2786.into(), &4_889_399.into()));
    assert!(flows.len() <= expected.len());
}

#[test]
fn a_short_snap_length_costs_tagged_ipv6_and_tunnels() {
    let folder = TempDir::new();
    let v6 = Packet::udp("[2001:db8::1]:4000", "[2001:db8::2]:53", vec![0; 100]);
    let inner = Packet::udp("10.0.0.1:4000", "10.0.0.2:53", vec![0; 100]);
    // GRE of version 0 with IPv4 inside.
    let payload = [&[0, 0, 8, 0][..], &inner.bytes()].concat();
    let tunnel = Content::Other { protocol: 47, payload };
    let outer = Packet::new("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap(), tunnel);
    let frames = [v6.frame(&Link::default().vlan(7)), outer.frame(&Link::default())];
    let frames = frames.map(|bytes| Frame { time: 1_000_000_000, bytes });
    let capture = folder.file("a.pcap", Layout::default().pcap(&frames));

    let (account, _) = convert(&capture, &["-s", "100"]);
    assert_eq!((&account["used"], &account["bytes"]), (&2.into(), &(148 + 128).into()));
    // The IPv6 header ends at byte 58; the tunnel is metered itself, as its inner header ends there too.
    let (account, flows) = convert(&capture, &["-s", "54"]);
    assert_eq!((&account["used"], &account["bytes"]), (&1.into(), &(128 + 24).into()));
    assert_eq!(account["skipped"]["reasons"], serde_json::json!({"frame ends inside the IP header": 1}));
    assert_eq!(flows[0]["src4_addr"], "192.0.2.1");
    // From 58 bytes on every packet is counted, though without ports.
    let (account, _) = convert(&capture, &["-s", "58"]);
    assert_eq!((&account["used"], &account["bytes"]), (&2.into(), &(148 + 128).into()));
}

#[test]
fn a_filter_of_nfpcapd_is_no_capture() {
    let folder = TempDir::new();
    let out = folder.join("o.flow");
    let lab = testdata("lab/attack.pcap");
    for words in [&["host 10.9.9.9"][..], &["icmp"], &["-F", "any", "port 53"]] {
        let run = Tool::pcap2flow().arg("-r").arg(&lab).arg("-w").arg(&out).args(words).run().exit_code(2);
        let word = words.last().unwrap();
        assert_eq!(
            run.one_line_error("pcap2flow"),
            format!("pcap2flow: {word}: no such file; a packet filter goes behind -F")
        );
        assert!(!out.exists());
    }
    let run = Tool::pcap2flow().arg(&lab).arg("tcp port 80").arg("-w").arg(&out).run().exit_code(2);
    assert!(run.one_line_error("pcap2flow").contains("tcp port 80: no such file; a packet filter"));
    assert!(!out.exists());
    // A capture may have blanks in its name.
    let blanks = folder.file("a b.pcap", std::fs::read(&lab).unwrap());
    Tool::pcap2flow().arg("-r").arg(&lab).arg(blanks).arg("-w").arg(&out).run().success();
}

#[test]
fn a_folder_is_no_capture() {
    let folder = TempDir::new();
    let target = folder.file("x.flow", "");
    let run = Tool::pcap2flow().arg(folder.path()).arg("-w").arg(&target).run().exit_code(2);
    let said = format!("pcap2flow: {} is a folder; name captures", folder.path().display());
    assert_eq!(run.one_line_error("pcap2flow"), said);
}

#[test]
fn a_capture_behind_another_one_ends_reading() {
    let folder = TempDir::new();
    let lab = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    let both = folder.file("both.pcap", [&lab[..], &lab[..]].concat());
    let run = Tool::pcap2flow().arg(both).args(["-w", "/dev/null", "--stats=json"]).run().exit_code(2);
    let said = run.stderr.lines().next().unwrap();
    assert!(said.contains(&format!("both.pcap: byte {}: another capture begins here", lab.len())), "{said}");
    let account: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(account["frames"], 2816);
}

#[test]
fn a_packet_filter_is_about_packets() {
    let lab = testdata("lab/attack.pcap");
    let (_, all) = convert(&lab, &[]);
    let attacker = ATTACKER.to_string();
    let (account, flows) = convert(&lab, &["-F", &format!("src ip {attacker}")]);
    // Packets that the attacker sent, in whichever direction of their flow.
    let sent = |key: &str, end: &str| {
        let records: Vec<Value> = all.iter().filter(|record| record[end] == *attacker).cloned().collect();
        sum(&records, key)
    };
    let packets = sent("in_packets", "src4_addr") + sent("out_packets", "dst4_addr");
    assert_eq!(account["used"], packets);
    assert_eq!(account["skipped"]["reasons"]["not in the packet filter"], 2786 - packets);
    assert_eq!(account["bytes"], sent("in_bytes", "src4_addr") + sent("out_bytes", "dst4_addr"));
    assert!(flows.iter().all(|flow| flow["src4_addr"] == *attacker || flow["dst4_addr"] == *attacker));

    let (account, flows) = convert(&lab, &["--packet-filter", "proto tcp and flags S and not flags A"]);
    assert_eq!(account["used"].as_u64().unwrap(), sum(&flows, "in_packets"));
    assert!(flows.iter().all(|flow| flow["in_tcp_flags"] == "......S." && flow["out_packets"] == 0));
    let (account, flows) = convert(&lab, &["-F", "payload content 'HTTP/1.1'"]);
    assert!((1..2786).contains(&account["used"].as_u64().unwrap()), "{account}");
    assert!(flows.iter().all(|flow| flow["proto"] == 6));
    assert_eq!(convert(&lab, &["-F", "packets > 1 or duration > 0"]).0["used"], 0);
}

#[test]
fn bzip2_captures_and_logs_are_read() {
    let folder = TempDir::new();
    let compress = |data: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    };
    let frames = lab_frames();
    let pcap = Layout::default().pcap(&frames);
    let (head, tail) = pcap.split_at(pcap.len() / 2);
    // Two streams one behind the other, as pbzip2 writes them.
    let files = [
        ("a.pcap.bz2", [compress(head), compress(tail)].concat()),
        ("a.pcapng.bz2", compress(&Layout::default().pcapng(&frames))),
    ];
    for (name, data) in files {
        let capture = folder.file(name, data);
        assert_eq!(convert(&capture, &[]).0["used"], 2786, "{name}");
    }
    let log = "srcaddr dstaddr bytes\n10.0.0.1 10.0.0.2 40\n";
    let log = folder.file("a.log.bz2", compress(log.as_bytes()));
    assert_eq!(Tool::flowdump().arg(&log).args(["-o", "json"]).run().success().json()[0]["in_bytes"], 40);

    let cut = compress(&pcap);
    let cut = folder.file("cut.pcap.bz2", &cut[..cut.len() / 2]);
    let run = Tool::pcap2flow().arg(&cut).args(["-w", "/dev/null", "-q"]).run().exit_code(2);
    assert!(
        run.one_line_error("pcap2flow").contains("bzip2 data ends early; the file is cut"),
        "{}",
        run.stderr
    );
}

#[test]
fn options_of_records_lose_no_packet() {
    let lab = testdata("lab/attack.pcap");
    for options in [
        &["--uniflow"][..],
        &["--tunnel", "outer"],
        &["--tunnel", "inner", "--key", "vlan,mac,tunnel"],
        &["-o", "fat"],
        &["-o", "fat,payload"],
        &["-o", "payload=16", "-o", "fat"],
        &["-B", "100"],
        &["-B", "1k", "-e", "10,5"],
    ] {
        let (account, flows) = convert(&lab, options);
        assert_eq!(
            (&account["packets"], &account["bytes"]),
            (&2786.into(), &4_889_399.into()),
            "{options:?}"
        );
        assert_eq!(account["flows"].as_u64().unwrap(), flows.len() as u64, "{options:?}");
    }
}
