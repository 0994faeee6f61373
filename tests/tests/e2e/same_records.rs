//! A capture read at once and a capture stored as a flow file first give the same records in the same order.

use std::path::Path;

use flow_tests::harness::{Run, TempDir, Tool, assert_same_text, corpus, files_in, testdata};
use serde_json::Value;

#[test]
fn the_laboratory_stored_and_read_at_once() {
    let folder = TempDir::new();
    let (direct, stored) = both_ways(&testdata("lab/attack.pcap"), &folder);
    assert!(!direct.is_empty());
    assert_same_text("the stored laboratory", &direct, &stored);
}

#[test]
fn every_capture_of_the_corpus_stored_and_read_at_once() {
    let Some(corpus) = corpus() else { return };
    let captures = files_in(&corpus.join("captures"));
    let captures: Vec<_> = captures.iter().filter(|(name, _)| is_capture(name)).collect();
    let mut with_flows = 0;
    for (name, capture) in &captures {
        let folder = TempDir::new();
        let (direct, stored) = both_ways(capture, &folder);
        assert_same_text(name, &direct, &stored);
        with_flows += usize::from(!direct.is_empty());
    }
    assert!(with_flows > captures.len() / 2, "{with_flows} of {} captures have flows", captures.len());
}

/// Records read at once, and records of the flow file. Both readings end in the same way: a damaged capture is
/// reported by both, with what could be read. flowdump meters with latency, which pcap2flow has as an option.
fn both_ways(capture: &Path, folder: &TempDir) -> (String, String) {
    let stored = folder.join("stored.flow");
    let direct = Tool::flowdump().arg("-r").arg(capture).args(["-q", "-o", "ndjson"]).run();
    let convert = Tool::pcap2flow().args(["-q", "-o", "fat", "-r"]).arg(capture).arg("-w").arg(&stored).run();
    let name = capture.display();
    assert!(matches!(direct.code, Some(0 | 2)), "{name}: exit code {:?}: {}", direct.code, direct.stderr);
    assert_eq!(direct.code, convert.code, "{name}: exit codes of flowdump and pcap2flow: {}", convert.stderr);
    let direct = comparable(&direct);
    if direct.is_empty() && !stored.exists() {
        return (direct, String::new());
    }
    let read = Tool::flowdump().arg("-r").arg(&stored).args(["-q", "-o", "ndjson"]).run().success();
    (direct, comparable(&read))
}

/// The records without what rightly differs: where they were read.
fn comparable(run: &Run) -> String {
    let mut records = run.ndjson();
    for record in &mut records {
        if let Value::Object(record) = record {
            record.remove("source");
            record.remove("format");
        }
    }
    records.iter().map(|record| format!("{record}\n")).collect()
}

fn is_capture(name: &str) -> bool {
    [".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz"].iter().any(|end| name.ends_with(end))
}
