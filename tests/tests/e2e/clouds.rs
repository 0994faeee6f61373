//! Logs of GCP and Azure, by themselves and in one folder with everything else.

use std::collections::BTreeMap;

use flow_tests::harness::{TempDir, Tool, files_in, numbers_before, testdata};
use serde_json::Value;

/// Records of a file of `testdata/cloud` that pass a filter.
fn records(file: &str, filter: &str) -> Vec<Value> {
    let tool = Tool::flowdump().arg(testdata("cloud").join(file)).args(["-o", "json"]);
    let tool = if filter.is_empty() { tool } else { tool.arg(filter) };
    tool.run().success().json()
}

/// The same folder as a cloud team leaves it: logs of three clouds, plain and compressed, and a capture.
fn mixed() -> TempDir {
    let folder = TempDir::new();
    for (name, path) in files_in(&testdata("cloud")) {
        folder.file(&name, std::fs::read(path).unwrap());
    }
    let (name, path) = files_in(&testdata("lab/logs")).remove(0);
    folder.file(&name, std::fs::read(path).unwrap());
    folder.file("host.pcap", std::fs::read(testdata("lab/attack.pcap")).unwrap());
    folder
}

#[test]
fn a_mixed_folder_is_one_input() {
    let folder = mixed();
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "json", "ip 203.0.113.66"]).run().success();
    let mut formats = BTreeMap::new();
    for record in run.json() {
        *formats.entry(record["format"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    let clouds: Vec<_> = ["azure", "gcp"].map(|name| formats.get(name).copied()).into();
    assert_eq!(clouds, [Some(8), Some(2)], "{formats:?}");
    assert!(formats.contains_key("pcap"), "{formats:?}");
    assert!(
        run.stderr.contains("Not understood and left out: 1 entries of the log compute"),
        "{}",
        run.stderr
    );
    let run =
        Tool::flowdump().arg(folder.path()).args(["-o", "null", "field format in [gcp azure vpc]"]).run();
    assert!(numbers_before(&run.success().stderr, "NODATA")[0] >= 1);
}

#[test]
fn columns_without_a_field_are_searched_by_name_and_kept() {
    for (filter, count) in [
        ("field src_location.country = pol", 1),
        ("field dest_location.country = pol", 1),
        ("field src_gke_details.service.0.service_name = shop", 1),
        ("field src_location.country = deu", 0),
        ("field reporter = SRC", 2),
        ("instance = web-1", 3),
        ("field dest_instance.vm_name = db-1", 1),
        ("direction ingress", 2),
        ("account shop-1 and vpc prod", 2),
        ("rtt > 30ms", 2),
        ("dst as 64496", 1),
    ] {
        assert_eq!(records("gcp.jsonl", filter).len(), count, "{filter}");
    }
    let record = records("gcp.jsonl", "field dest_location.country = pol").remove(0);
    assert_eq!((&record["dest_location.country"], &record["insertId"]), (&"pol".into(), &"a1".into()));

    let folder = TempDir::new();
    let written = folder.join("a.flow");
    Tool::flowdump().arg(testdata("cloud/gcp.jsonl")).arg("-w").arg(&written).run().success();
    let read =
        Tool::flowdump().arg(&written).args(["-o", "json", "field insertId = a2"]).run().success().json();
    assert_eq!((read.len(), &read[0]["src_location.continent"]), (1, &"Europe".into()));
}

#[test]
fn tuples_of_azure_are_connections_with_a_verdict() {
    let sums = |filter: &str| {
        let records = records("azure-nsg.json", filter);
        (records.len(), crate::packets(&records), crate::bytes(&records))
    };
    assert_eq!(sums("port 22"), (3, 9125, 5_256_000));
    assert_eq!(sums("action reject"), (2, 0, 0));
    assert_eq!(sums("rule UserRule_ssh and flowstate end"), (1, 99, 57_024));
    assert_eq!(sums("field interface = 000D3AF87856").0, 6);
    assert_eq!(records("azure-vnet.json", "action reject and field rejectreason = NX_NOT_ACCEPTED").len(), 1);
    assert_eq!(records("azure-vnet.json", "vpc prod and subnet web and proto icmp").len(), 1);
    assert_eq!(records("azure-flat.jsonl", "encryption 1 and rule out").len(), 2);
    let record = records("azure-nsg.json", "flowstate continue").remove(0);
    let times = ["first", "last"].map(|key| crate::time(&record, key));
    assert_eq!(times, ["2024-03-12T15:15:00Z", "2024-03-12T15:20:00Z"]);
}

/// Two machines, both of which report both directions of a connection, and one that the first has with the internet.
fn reported_twice() -> String {
    let (one, other, outside) = (("10.0.0.9", 40_000), ("10.0.0.10", 443), ("203.0.113.5", 443));
    let flows = [
        ("SRC", one, other, 1000),
        ("DEST", one, other, 1000),
        ("SRC", other, one, 5000),
        ("DEST", other, one, 5000),
        ("SRC", one, outside, 70),
        ("DEST", outside, one, 900),
    ];
    let entry = |(reporter, src, dst, bytes): (&str, (&str, u16), (&str, u16), u64)| {
        format!(
            r#"{{"jsonPayload":{{"connection":{{"src_ip":"{}","src_port":{},"dest_ip":"{}","dest_port":{},"protocol":6}},"reporter":"{reporter}","bytes_sent":"{bytes}","packets_sent":"9","start_time":"2024-01-01T00:00:01.1Z","end_time":"2024-01-01T00:00:05.2Z"}},"logName":"projects/p/logs/compute.googleapis.com%2Fvpc_flows"}}"#,
            src.0, src.1, dst.0, dst.1
        ) + "\n"
    };
    flows.map(entry).concat()
}

#[test]
fn what_two_machines_report_counts_once() {
    let folder = TempDir::new();
    let log = folder.file("gcp.jsonl", reported_twice());
    let flow = folder.join("gcp.flow");
    Tool::flowdump().arg(&log).arg("-w").arg(&flow).run().success();
    for input in [&log, &flow] {
        let run = |words: &[&str]| Tool::flowdump().arg(input).args(words).run().success();
        let likely = run(&["-o", "null"]).stderr;
        assert!(likely.contains("\n2 records may be copies"), "{likely}");
        let folded = run(&["-o", "null", "--dedup"]).stderr;
        assert!(folded.contains("Folded 2 copies, 6000 bytes"), "{folded}");
        let joined = run(&["-o", "ndjson", "--stitch", "--dedup", "-O", "bytes"]).ndjson();
        let sums: Vec<_> =
            joined.iter().map(|flow| (flow["in_bytes"].as_u64(), flow["out_bytes"].as_u64())).collect();
        assert_eq!(sums, [(Some(1000), Some(5000)), (Some(70), Some(900))]);
        // Without it each machine has its connection, both directions of it.
        let joined = run(&["-o", "ndjson", "--stitch", "-O", "bytes"]).ndjson();
        assert_eq!(
            (joined.len(), &joined[0]["out_bytes"], &joined[1]["out_bytes"]),
            (3, &5000.into(), &5000.into())
        );
    }
}

/// What a log says of copies, the `.flow` file made from it says too, whatever the columns that are listed.
#[test]
fn a_flow_file_of_a_log_has_the_log_s_copies() {
    let folder = TempDir::new();
    let row = |interface: &str| {
        format!("{interface} 10.0.0.1 10.0.0.2 1 2 6 5 500 1700000000 1700000030 ACCEPT OK\n")
    };
    let header =
        "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
    let log = folder.file("a.log", header.to_owned() + &row("eni-1") + &row("eni-2"));
    let flow = folder.join("a.flow");
    Tool::flowdump().arg(&log).arg("-w").arg(&flow).run().success();
    for input in [&log, &flow] {
        for words in [&["-o", "null"][..], &["-o", "fmt:%pr"], &["-s", "proto/bytes"]] {
            let said = Tool::flowdump().arg(input).args(words).run().success().stderr;
            assert!(
                said.contains("\n1 records may be copies") && said.contains("(500 bytes)"),
                "{words:?}: {said}"
            );
        }
    }
}

#[test]
fn a_format_can_be_given() {
    let folder = TempDir::new();
    let other = "{\"jsonPayload\":{\"message\":\"x\"}}\n".repeat(4000);
    let log = folder.file("a.json", other + &std::fs::read_to_string(testdata("cloud/gcp.jsonl")).unwrap());
    let run = Tool::flowdump().arg(&log).args(["-o", "json"]).run().exit_code(2);
    assert!(run.stderr.contains("JSON"), "{}", run.stderr);
    let run = Tool::flowdump().arg(&log).args(["-o", "json", "--format", "gcp"]).run().success();
    assert_eq!(run.json().len(), 4);
}

#[test]
fn hostile_json_is_named_and_the_rest_read() {
    let folder = TempDir::new();
    let deep = format!("{{\"jsonPayload\":{{\"connection\":{}", "[".repeat(1 << 20));
    let long = format!("{{\"jsonPayload\":{{\"connection\":{{\"src_ip\":\"{}\"}}}}}}", "1".repeat(100 << 20));
    folder.file("deep.json", format!("{deep}{}}}}}", "]".repeat(1 << 20)));
    folder.file("long.json", long);
    folder.file("gcp.json", std::fs::read(testdata("cloud/gcp.jsonl")).unwrap());
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "json"]).run().exit_code(2);
    assert_eq!(run.json().len(), 4);
    for message in [
        "deep.json: line 1: no valid JSON: recursion limit exceeded",
        "long.json: line 1: the value is longer",
    ] {
        assert!(run.stderr.contains(message), "{}", run.stderr);
    }
}
