//! Options of both programs, each seen to do what its help says.

use flow_tests::harness::{TempDir, Tool, testdata};

use super::{bytes, time};

fn lab() -> Tool {
    Tool::flowdump().arg(testdata("lab"))
}

#[test]
fn order_and_top_list_the_largest_first() {
    let all = lab().args(["-o", "ndjson", "-q"]).run().success().ndjson();
    let mut sizes: Vec<u64> = all.iter().map(|record| bytes(std::slice::from_ref(record))).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let top = lab().args(["-O", "bytes", "-n", "7", "-o", "json"]).run().success().json();
    assert_eq!(top.iter().map(|record| bytes(std::slice::from_ref(record))).collect::<Vec<_>>(), sizes[..7]);

    let starts = |order: &str| -> Vec<String> {
        let records = lab().args(["-O", order, "-o", "json"]).run().success().json();
        let text =
            |record: &serde_json::Value| record["first"].as_str().unwrap().trim_end_matches('Z').to_owned();
        records.iter().map(text).collect()
    };
    let ascending = starts("tstart");
    assert!(ascending.is_sorted() && ascending.len() == all.len());
    let descending = starts("tstart:d");
    assert!(descending.is_sorted_by(|a, b| a >= b));
}

#[test]
fn limit_stops_after_so_many_matches() {
    let records = lab().args(["-c", "3", "-o", "json", "port 8889"]).run().success().json();
    let first: Vec<_> =
        lab().args(["-o", "json", "port 8889"]).run().success().json().into_iter().take(3).collect();
    assert_eq!(records, first);
}

#[test]
fn the_filter_may_be_words_an_option_or_a_file() {
    let folder = TempDir::new();
    let file = folder.file("filter.txt", "# what left\ndst ip 203.0.113.66\nand dst port 8889\n");
    let words = ["dst", "ip", "203.0.113.66", "and", "dst", "port", "8889"];
    let as_words =
        Tool::flowdump().arg("-r").arg(testdata("lab/attack.pcap")).args(words).args(["-o", "json"]);
    let expected = as_words.run().success().json();
    assert_eq!(expected.len(), 8);
    let capture = || Tool::flowdump().arg(testdata("lab/attack.pcap")).args(["-o", "json"]);
    assert_eq!(capture().arg("--filter").arg(words.join(" ")).run().success().json(), expected);
    assert_eq!(capture().arg("-f").arg(&file).run().success().json(), expected);
    assert_eq!(capture().arg(words.join(" ")).run().success().json(), expected);
    capture().arg("-f").arg(&file).arg("port 80").run().exit_code(2);
}

#[test]
fn a_flow_file_keeps_what_both_sources_say() {
    let folder = TempDir::new();
    let file = folder.join("all.flow");
    lab().arg("-w").arg(&file).arg("ip 203.0.113.66").run().success();
    let kept = Tool::flowdump().arg(&file).args(["-o", "json"]).run().success().json();
    assert_eq!(kept, lab().args(["-o", "json", "ip 203.0.113.66"]).run().success().json());
}

#[test]
fn logs_without_header_are_read_by_the_names_given() {
    let folder = TempDir::new();
    let log = folder.file("plain.log", "10.0.0.1 10.0.0.2 1500 custom\n10.0.0.3 - 40 other\n");
    let run = Tool::flowdump()
        .arg(&log)
        .args(["--vpc-fields", "srcaddr dstaddr bytes my-column", "-o", "json"])
        .run();
    let records = run.success().json();
    assert_eq!(records.len(), 2);
    assert_eq!((&records[0]["src4_addr"], &records[0]["my-column"]), (&"10.0.0.1".into(), &"custom".into()));
    assert!(records[1].get("dst4_addr").is_none());
    let said = Tool::flowdump().arg(&log).run().exit_code(2);
    assert!(said.one_line_error("flowdump").contains("--vpc-fields"));
}

#[test]
fn info_is_the_same_from_the_capture_and_from_the_index() {
    let folder = TempDir::new();
    let file = folder.join("lab.flow");
    Tool::pcap2flow().arg(testdata("lab/attack.pcap")).arg("-w").arg(&file).run().success();
    let capture = Tool::flowdump().arg("-I").arg(testdata("lab/attack.pcap")).run().success().stdout;
    let index = Tool::flowdump().arg("-I").arg(&file).run().success().stdout;
    assert_eq!(capture, index);
    assert!(index.contains("Packets: 2786\n") && index.contains("Bytes: 4889399\n"), "{index}");
}

#[test]
fn rotation_puts_every_flow_into_the_file_of_its_end() {
    let folder = TempDir::new();
    let output = format!("{}/", folder.join("flows").display());
    Tool::pcap2flow()
        .arg(testdata("lab/attack.pcap"))
        .args(["-w", &output, "-t", "1800", "-I", "web-1"])
        .run()
        .success();
    let names: Vec<_> = std::fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let all =
        Tool::flowdump().arg("-R").arg(&output).args(["-o", "json", "ident web-1"]).run().success().json();
    assert_eq!(all.len(), 231);
    let slot =
        Tool::flowdump().arg(format!("{output}flows.202403121530.flow")).args(["-o", "json"]).run().success();
    for record in slot.json() {
        let last = time(&record, "last");
        assert!(("2024-03-12T15:30".."2024-03-12T16:00").contains(&last.as_str()), "{last}");
    }
}

#[test]
fn timeouts_of_captures_are_options_of_both_programs() {
    let flows = |tool: Tool| tool.run().success().stdout.lines().count();
    let short = flows(Tool::flowdump().arg(testdata("lab/attack.pcap")).args(["-e", "20,5", "-o", "ndjson"]));
    assert!(short > 231, "{short}");
    let folder = TempDir::new();
    let file = folder.join("short.flow");
    Tool::pcap2flow()
        .arg(testdata("lab/attack.pcap"))
        .arg("-w")
        .arg(&file)
        .args(["-e", "20,5"])
        .run()
        .success();
    assert_eq!(flows(Tool::flowdump().arg(&file).args(["-o", "ndjson"])), short);
}

#[test]
fn columns_of_a_log_never_double_our_keys() {
    let folder = TempDir::new();
    let log =
        folder.file("a.log", "srcaddr dstaddr bytes first format mine\n10.0.0.1 10.0.0.2 40 one two three\n");
    let run = Tool::flowdump().arg(&log).args(["-q", "-o", "ndjson"]).run().success();
    assert_eq!(run.stdout.matches("\"format\":").count(), 1, "{}", run.stdout);
    let record = &run.ndjson()[0];
    for (key, text) in [("column:first", "one"), ("column:format", "two"), ("mine", "three")] {
        assert_eq!(record[key], text, "{record}");
    }
    assert!(record["format"] != "two" && record.get("first").is_none(), "{record}");
}

#[test]
fn control_characters_of_a_log_reach_no_terminal() {
    let folder = TempDir::new();
    let log =
        folder.file("a.log", "srcaddr bytes interface-id\n10.0.0.1 40 eni\u{1b}]0;x\u{7}\u{9b}\u{202e}\n");
    for format in ["line", "csv", "json", "ndjson"] {
        let shown = Tool::flowdump().arg(&log).args(["-o", format]).run().success().stdout;
        let hostile = |c: char| c.is_control() && !matches!(c, '\n' | '\r') || c == '\u{202e}';
        assert!(!shown.contains(hostile), "{shown:?}");
    }
    let record = &Tool::flowdump().arg(&log).args(["-o", "json"]).run().success().json()[0];
    assert_eq!(record["interface_id"], "eni\u{1b}]0;x\u{7}\u{9b}\u{202e}");
}

#[cfg(unix)]
#[test]
fn devices_and_links_are_outputs() {
    let folder = TempDir::new();
    let capture = || Tool::flowdump().arg(testdata("lab/attack.pcap")).args(["-q", "-o", "csv"]);
    let csv = capture().run().success().stdout;
    capture().args(["-w", "/dev/null"]).run().success();
    assert_eq!(capture().args(["-w", "/dev/stdout"]).run().success().stdout, csv);

    let (file, link) = (folder.file("out.csv", "old"), folder.join("link.csv"));
    std::os::unix::fs::symlink("out.csv", &link).unwrap();
    capture().arg("-w").arg(&link).arg("--force").run().success();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), csv);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(folder.names(), ["link.csv", "out.csv"]);
}
