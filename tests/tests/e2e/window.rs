//! `-t`: the records inside a window of time, in every spelling, and nfdump's choice for nfdump's spelling.

use flow_tests::harness::{TempDir, Tool, peer, testdata, tool_available};
use serde_json::Value;

use super::time;

fn lab(arguments: &[&str]) -> Vec<Value> {
    Tool::flowdump().arg(testdata("lab")).args(arguments).args(["-o", "json"]).run().success().json()
}

/// What a window has to choose, told by the times of all records.
fn inside<'a>(all: &'a [Value], from: &str, to: &str) -> Vec<&'a Value> {
    let has = |record: &&Value| {
        !record["first"].is_null()
            && !record["last"].is_null()
            && time(record, "first").as_str() >= from
            && (to.is_empty() || time(record, "last").as_str() <= to)
    };
    all.iter().filter(has).collect()
}

#[test]
fn every_spelling_chooses_the_same_records() {
    let all = lab(&[]);
    // Whole seconds: texts of times with and without fraction do not compare as times at the very end.
    let expected = inside(&all, "2024-03-12T15:00:00", "2024-03-12T15:29:59.999999999Z");
    assert!(expected.len() > 100 && expected.len() < all.len() / 2, "{}", expected.len());
    for window in [
        "2024/03/12.15:00:00-2024/03/12.15:30:00",
        "2024/03/12.15-2024/03/12.15:30",
        "2024-03-12T15:00Z/2024-03-12T15:30:00Z",
        "2024-03-12 15:00 - 15:30",
        "2024-03-12T15:00/+30m",
        "2024-03-12T20:30+05:30/2024-03-12T15:30:00Z",
        "1710255600-1710257400",
    ] {
        let chosen = lab(&["-t", window]);
        let at_the_end =
            chosen.iter().filter(|record| time(record, "last") == "2024-03-12T15:30:00Z").count();
        assert_eq!(chosen.len() - at_the_end, expected.len(), "{window}");
    }
    let open = lab(&["-t", "2024/03/12.16"]);
    assert_eq!(open.len(), inside(&all, "2024-03-12T16:00:00", "").len());
    assert!(lab(&["-t", "2024-03-13"]).is_empty());
    let both = lab(&["-t", "2024/03/12.16", "dst port 8889 or action reject"]);
    assert!(!both.is_empty() && both.len() < open.len());
}

#[test]
fn both_ends_are_inside() {
    let folder = TempDir::new();
    let log = folder
        .file("a.log", "srcaddr start end\n10.0.0.1 1000 2000\n10.0.0.2 999 2000\n10.0.0.3 1000 2001\n");
    let run = Tool::flowdump()
        .arg(&log)
        .args(["-t", "1970-01-01T00:16:40/1970-01-01T00:33:20", "-o", "json"])
        .run();
    let records = run.success().json();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["src4_addr"], "10.0.0.1");
}

#[test]
fn the_first_and_the_last_of_all_flows() {
    let all = lab(&[]);
    let times = |key: &str| -> Vec<String> {
        all.iter().filter(|record| !record[key].is_null()).map(|record| time(record, key)).collect()
    };
    let (first, last) = (times("first").into_iter().min().unwrap(), times("last").into_iter().max().unwrap());
    for (window, edge, key) in [("+10m", &first, "first"), ("-10m", &last, "last"), ("-600", &last, "last")] {
        let chosen = lab(&["-t", window]);
        assert!(chosen.iter().any(|record| time(record, key) == *edge), "{window}");
        assert!(chosen.len() > 10 && chosen.len() < all.len() / 2, "{window}: {}", chosen.len());
    }
    let run = Tool::flowdump().args(["-r", "-", "-t", "+10"]).run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("stdin cannot be"), "{}", run.stderr);
}

#[test]
fn a_window_skips_blocks() {
    let folder = TempDir::new();
    let lines: String = (0..200_000).map(|n| format!("10.0.0.1 {n} {n}\n")).collect();
    let log = folder.file("a.log", format!("srcaddr start end\n{lines}"));
    let file = folder.join("a.flow");
    Tool::flowdump().arg(&log).arg("-w").arg(&file).run().success();
    let run =
        Tool::flowdump().arg(&file).args(["-t", "1970-01-02T00:00/+100", "-o", "ndjson"]).run().success();
    assert_eq!(run.stdout.lines().count(), 101);
    assert!(!run.stderr.contains("Blocks skipped: 0"), "{}", run.stderr);
}

#[test]
fn nfdump_chooses_the_same_where_no_record_touches_the_ends() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let file = folder.join("a.nf");
    Tool::pcap2flow().arg(testdata("lab/attack.pcap")).arg("-w").arg(&file).run().success();
    for window in
        ["2024/03/12.15:00:00-2024/03/12.15:30:00", "2024/03/12.15:30", "2024/03/12-2024/03/12.14:45:01"]
    {
        let file = file.to_str().unwrap();
        let words = ["-r", file, "-t", window, "-q", "-N", "-6", "-o", "fmt:%ts %te %sap %dap"];
        let sorted = |text: String| {
            let mut lines: Vec<String> =
                text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            lines.sort();
            lines
        };
        let theirs = sorted(peer("nfdump", words));
        let ours = sorted(Tool::flowdump().args(words).run().success().stdout);
        assert!(theirs.len() > 20 && ours == theirs, "{window}: {} and {}", ours.len(), theirs.len());
    }
}

#[test]
fn what_is_no_window_is_refused() {
    for (window, said) in [
        ("yesterday", "is not a time"),
        ("2024-03-13/2024-03-12", "nothing is inside"),
        ("2024-03-12/2024-03-12", "parts of a time that are left off are the lowest"),
    ] {
        let run = Tool::flowdump().arg(testdata("lab")).args(["-t", window]).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(said) && error.contains(window), "{error}");
    }
    let run = Tool::flowdump().arg(testdata("lab")).args(["-I", "-t", "2024-03-12"]).run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("whole inputs"));
}
