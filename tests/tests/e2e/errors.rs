//! What goes wrong is said in one clear line, or in a caret block for a filter; the exit code is 2, and nothing is
//! left under the name of an output.

use flow_tests::harness::{TempDir, Tool, testdata};

const JUNK: &[u8] =
    b"\x00\x01 neither a capture nor a log \xff\xfe\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00";

#[test]
fn a_missing_file() {
    for (tool, name) in [(Tool::flowdump(), "flowdump"), (Tool::pcap2flow().args(["-w", "-"]), "pcap2flow")] {
        let run = tool.args(["-r", "no/such/file.pcap"]).run().exit_code(2);
        let said = run.one_line_error(name);
        assert!(said.contains("no/such/file.pcap") && said.to_lowercase().contains("no such file"), "{said}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_folder_without_flows() {
    let folder = TempDir::new();
    let run = Tool::flowdump().arg(folder.path()).run().exit_code(2);
    let said = run.one_line_error("flowdump");
    assert!(said.contains(&*folder.path().to_string_lossy()), "{said}");
}

#[test]
fn a_file_of_unknown_format() {
    let folder = TempDir::new();
    let junk = folder.file("junk.bin", JUNK);
    let run = Tool::flowdump().arg("-r").arg(&junk).run().exit_code(2);
    let said = run.one_line_error("flowdump");
    assert!(said.contains("junk.bin"), "{said}");
    assert_eq!(run.stdout, "");
}

#[test]
fn a_converter_without_a_capture_leaves_nothing_behind() {
    let folder = TempDir::new();
    let junk = folder.file("junk.bin", JUNK);
    let run =
        Tool::pcap2flow().arg("-r").arg(&junk).arg("-w").arg(folder.join("out.flow")).run().exit_code(2);
    assert!(run.one_line_error("pcap2flow").contains("junk.bin"));
    assert_eq!(folder.names(), ["junk.bin"]);
}

#[test]
fn a_wrong_filter_is_shown_with_a_caret_below_the_error() {
    let run = Tool::flowdump().arg(testdata("lab/attack.pcap")).arg("dst prot 22").run().exit_code(2);
    let lines: Vec<&str> = run.stderr.lines().collect();
    let shown = lines.iter().position(|line| line.trim() == "dst prot 22");
    let shown = shown.unwrap_or_else(|| panic!("the filter is not shown:\n{}", run.stderr));
    let caret = lines.get(shown + 1).and_then(|line| line.find('^'));
    assert_eq!(caret, lines[shown].find("prot"), "{}", run.stderr);
    assert!(run.stderr.starts_with("flowdump: ") && run.stderr.contains("\"port\""), "{}", run.stderr);
    assert_eq!(run.stdout, "");
}

#[test]
fn an_output_that_cannot_be_written() {
    let folder = TempDir::new();
    let below_a_file = folder.file("file", "").join("out.flow");
    let capture = testdata("lab/attack.pcap");
    for (tool, name) in [(Tool::flowdump(), "flowdump"), (Tool::pcap2flow(), "pcap2flow")] {
        let run = tool.arg("-r").arg(&capture).arg("-w").arg(&below_a_file).run().exit_code(2);
        let said = run.one_line_error(name);
        assert!(
            said.contains("out.flow") || said.contains(&*folder.join("file").to_string_lossy()),
            "{said}"
        );
        assert_eq!(folder.names(), ["file"]);
    }
}

#[test]
fn an_output_that_exists_is_kept_unless_forced() {
    let folder = TempDir::new();
    let out = folder.file("out.flow", "mine");
    let capture = testdata("lab/attack.pcap");
    for (tool, name) in [(Tool::flowdump(), "flowdump"), (Tool::pcap2flow(), "pcap2flow")] {
        let run = tool.arg("-r").arg(&capture).arg("-w").arg(&out).run().exit_code(2);
        let said = run.one_line_error(name);
        assert!(said.contains("out.flow") && said.contains("--force"), "{said}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine");
        assert_eq!(folder.names(), ["out.flow"]);
    }
    let forced = Tool::pcap2flow().arg("--force").arg("-r").arg(&capture).arg("-w").arg(&out);
    forced.run().success();
    assert_ne!(std::fs::read(&out).unwrap(), b"mine");
}

#[test]
fn a_damaged_file_among_good_ones_is_reported_and_the_rest_read() {
    let folder = TempDir::new();
    let good = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    folder.file("a.pcap", &good);
    folder.file("b.pcap", &good[..good.len() - 40]);
    let run = Tool::flowdump().arg(folder.path()).args(["-q", "-o", "json"]).run().exit_code(2);
    assert!(run.stderr.contains("b.pcap"), "{}", run.stderr);
    let from = |name: &str| {
        let records = run.json();
        records.iter().filter(|record| record["source"].as_str().is_some_and(|s| s.contains(name))).count()
    };
    assert!(from("a.pcap") > 0);
    assert!(from("a.pcap") - from("b.pcap") <= 1, "{} and {} records", from("a.pcap"), from("b.pcap"));
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let run = Tool::flowdump().arg(testdata("lab/logs")).args(["-q", "-o", "ndjson"]).run_with_closed_pipe();
    let run = run.success();
    assert_eq!(run.stderr, "");
}

#[test]
fn an_input_is_never_replaced() {
    let folder = TempDir::new();
    let capture = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    let evidence = folder.file("evidence", &capture);
    let replace = |tool: Tool, input: &std::path::Path| {
        tool.arg("-r").arg(input).arg("-w").arg(&evidence).arg("--force").run().exit_code(2)
    };
    let runs = [
        (replace(Tool::pcap2flow(), &evidence), "pcap2flow"),
        (replace(Tool::flowdump(), &evidence), "flowdump"),
        (replace(Tool::flowdump(), folder.path()), "flowdump"),
    ];
    for (run, name) in &runs {
        let said = run.one_line_error(name);
        assert!(said.ends_with("evidence: is an input; write to another name"), "{said}");
    }
    assert!(std::fs::read(&evidence).unwrap() == capture);
    assert_eq!(folder.names(), ["evidence"]);
}

#[test]
fn nothing_is_written_for_an_input_that_cannot_be_read() {
    let folder = TempDir::new();
    let junk = folder.file("junk.bin", JUNK);
    for output in ["-", "/dev/stdout"] {
        let run = Tool::flowdump().arg("-r").arg(&junk).args(["-w", output]).run().exit_code(2);
        assert!(run.one_line_error("flowdump").contains("junk.bin"));
        assert_eq!(run.stdout, "");
    }
    Tool::flowdump().arg("-r").arg(&junk).arg("-w").arg(folder.join("out.flow")).run().exit_code(2);
    assert_eq!(folder.names(), ["junk.bin"]);
}

#[test]
fn a_name_with_a_line_end_adds_no_line() {
    let folder = TempDir::new();
    let hostile = folder.file("a\nflowdump: all is well\u{1b}[2J", JUNK);
    for (tool, name) in [(Tool::flowdump(), "flowdump"), (Tool::pcap2flow().args(["-w", "-"]), "pcap2flow")] {
        let run = tool.arg("-r").arg(&hostile).run().exit_code(2);
        let said = run.one_line_error(name);
        assert!(said.contains("a\\u{a}flowdump: all is well\\u{1b}[2J"), "{said}");
    }
}

#[test]
fn a_suffix_of_another_format_is_refused() {
    let folder = TempDir::new();
    let capture = testdata("lab/attack.pcap");
    for name in ["out.parquet", "out.txt", "out.flow.gz"] {
        let run = Tool::flowdump().arg(&capture).arg("-w").arg(folder.join(name)).run().exit_code(2);
        let said = run.one_line_error("flowdump");
        assert!(said.contains(name) && said.contains(".flow, .nf, .csv, .json"), "{said}");
    }
    assert!(folder.names().is_empty());
    Tool::flowdump().arg(&capture).args(["-o", "long", "-w"]).arg(folder.join("out.txt")).run().success();
    assert!(std::fs::read_to_string(folder.join("out.txt")).unwrap().contains("203.0.113.66"));
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_named() {
    for (tool, name) in [(Tool::flowdump(), "flowdump"), (Tool::pcap2flow(), "pcap2flow")] {
        let run =
            tool.arg("-r").arg(testdata("lab/attack.pcap")).args(["-w", "/dev/full"]).run().exit_code(2);
        let said = run.one_line_error(name);
        assert!(said.contains("/dev/full: no space left"), "{said}");
    }
}
