//! Command lines of nfdump's manual page and README run unchanged: on files converted from the laboratory's capture, with
//! the file names, addresses and interfaces of the manual replaced by those that there are.

use std::path::Path;
use std::process::{Command, Output};

use flow_tests::harness::{TempDir, Tool, testdata, tool_available};

/// A command line and what the output has in it.
struct Typed {
    line: &'static str,
    /// Texts that stand on stdout, blanks squeezed.
    shows: &'static [&'static str],
    /// Lines on stdout, heading and all.
    lines: usize,
    /// Whether it is a list that nfdump makes of the same records.
    listed: bool,
}

const fn list(line: &'static str, lines: usize, shows: &'static [&'static str]) -> Typed {
    Typed { line, shows, lines, listed: true }
}

const fn other(line: &'static str, lines: usize, shows: &'static [&'static str]) -> Typed {
    Typed { line, shows, lines, listed: false }
}

/// Those that print, in the order of where they are from; three more write, below.
const LINES: &[Typed] = &[
    // nfdump(1) of 1.7, EXAMPLES and OPTIONS.
    other(
        "nfdump -r flowfile -s ip/flows/bytes -n 20",
        46,
        &[
            "Top 20 IP Addr ordered by flows:",
            "Top 20 IP Addr ordered by bytes:",
            " any 10.77.4.20 222(96.1) ",
            " any 203.0.113.66 80(34.6) ",
        ],
    ),
    other(
        "nfdump -r flowfile -s srcip/bytes -s dstip/bytes -n 20 'port 443'",
        0,
        &["Top 20 Src IP Addr ordered by bytes:", "Top 20 Dst IP Addr ordered by bytes:"],
    ),
    other(
        "nfdump -r flowfile -s record/bytes -A srcip,dstip",
        0,
        &["Src IP Addr Dst IP Addr", "10.77.4.20 203.0.113.66 465 4.3 M 15768 9344 8"],
    ),
    other("nfdump -r flowfile -o raw \"payload regex 'GET|POST'\"", 0, &["Flow Record:"]),
    other(
        "nfdump -r flowfile -s srcip -s ip/flows/bytes -s record/bytes",
        0,
        &["Top 10 Src IP Addr ordered by flows:", "Top 10 IP Addr ordered by bytes:", "ordered by bytes:"],
    ),
    list(
        "nfdump -r flowfile -o \"fmt:%ts %td %pr %sap -> %dap %pkt %byt %fl\"",
        232,
        &["Date first seen", "203.0.113.99:51425 -> 10.77.4.20:443"],
    ),
    list(
        "nfdump -r flowfile -o \"fmt:%long %ra\"",
        232,
        &["Router IP", "203.0.113.99:51425 -> 10.77.4.20:443"],
    ),
    // README.md of 1.7.
    list("nfdump -r flow_base_dir/router1/nfcapd.202403121400", 30, &["10.77.4.20:33216 -> 10.77.5.31:3306"]),
    other(
        "nfdump -r flowfile 'src ip 203.0.113.66 and dst port 80' -A srcip,dstip",
        2,
        &["Src IP Addr Dst IP Addr", "203.0.113.66 10.77.4.20"],
    ),
    list("nfdump -r flowfile 'src ip 203.0.113.66 and dst port 80'", 0, &["203.0.113.66"]),
    // nfdump(1) of 1.6, EXAMPLES.
    list(
        "nfdump -r flowfile -c 100 'proto tcp and ( src ip 10.77.4.20 or dst ip 203.0.113.66 )'",
        0,
        &["10.77.4.20:33216 -> 10.77.5.31:3306"],
    ),
    other("nfdump -r flowfile -B", 232, &["203.0.113.99:51425 <-> 10.77.4.20:443"]),
    list(
        "nfdump -R flow_base_dir/router1/nfcapd.202403121430:nfcapd.202403121530 'host 203.0.113.66'",
        0,
        &["203.0.113.66"],
    ),
    other(
        "nfdump -M flow_base_dir/router1:router2 -R nfcapd.202403121430:nfcapd.202403121530 -s record -n 20",
        22,
        &["Top 20 flows ordered by flows:"],
    ),
    other("nfdump -r flowfile -s record -n 20 -o extended", 22, &["Top 20 flows ordered by flows:", "bps"]),
    other(
        "nfdump -r flowfile -s record -n 20 'in if 5 and bps > 10k'",
        3,
        &["Top 20 flows ordered by flows:"],
    ),
    list("nfdump -r flowfile 'inet6 and proto tcp and ( src port > 1024 and dst port 443 )'", 0, &["443"]),
    // nfdump(1) of 1.7, the time window and the order.
    list("nfdump -r flowfile -t 2024/03/12.15:00:00-2024/03/12.15:30:00 -O tstart 'not proto icmp'", 0, &[]),
];

#[test]
fn lines_that_print() {
    let folder = converted();
    for typed in LINES {
        let text = output(&folder, typed.line, &flowdump());
        let squeezed: Vec<String> = text.lines().map(squeeze).collect();
        let whole = squeezed.join("\n");
        for shown in typed.shows {
            assert!(whole.contains(shown), "{}: no {shown} in\n{text}", typed.line);
        }
        let lines = squeezed.len();
        assert!(typed.lines == 0 || lines == typed.lines, "{}: {lines} lines\n{text}", typed.line);
    }
}

#[test]
fn lists_hold_the_records_that_nfdump_lists() {
    if !tool_available("nfdump") {
        return;
    }
    let folder = converted();
    for typed in LINES.iter().filter(|typed| typed.listed) {
        let ends = " -q -N -6 -o 'fmt:%ts %te %pr %sap %dap %ibyt %ipkt'";
        let line = format!("{}{ends}", without_format(typed.line));
        let records = |program: &str| {
            let text = output(&folder, &line, program);
            let mut lines: Vec<String> = text.lines().map(squeeze).filter(|line| !line.is_empty()).collect();
            lines.sort();
            lines
        };
        let (ours, theirs) = (records(&flowdump()), records("nfdump"));
        assert!(!theirs.is_empty() && ours == theirs, "{line}: {} and {} records", ours.len(), theirs.len());
    }
}

#[test]
fn lines_that_write() {
    let folder = converted();
    for (line, old, new) in [
        ("nfdump -r oldfile -w newfile", "oldfile", "newfile"),
        ("nfdump -r old-flowfile -y -w new-flowfile", "old-flowfile", "new-flowfile"),
        ("nfdump -r flowfile -a -Otstart -w sorted", "flowfile", "sorted"),
    ] {
        assert_eq!(output(&folder, line, &flowdump()), "", "{line}");
        let records = |name: &str| {
            let run = Tool::flowdump().arg("-r").arg(folder.join(name)).args(["-q", "-O", "tstart"]);
            run.args(["-o", "fmt:%ts %te %pr %sap %dap %pkt %byt"]).run().success().stdout
        };
        assert_eq!(records(old).lines().count(), 231, "{line}");
        assert_eq!(records(new), records(old), "{line}");
    }
}

/// Fingerprints are filtered and listed, and not counted.
#[test]
fn a_line_that_is_refused() {
    let run = Tool::flowdump().args(["-r", "flowfile", "-s", "ja3", "-n", "0", "payload ja3 defined"]).run();
    assert!(run.exit_code(2).one_line_error("flowdump").contains("-s ja3: "));
}

/// The capture as nfdump files under the names that the command lines have: one file with everything, and a file for each
/// half hour below two routers.
fn converted() -> TempDir {
    let folder = TempDir::new();
    let convert = |to: &Path| {
        let run = Tool::pcap2flow().arg("-r").arg(testdata("lab/attack.pcap")).arg("-w").arg(to);
        run.args(["--format", "nfdump", "-o", "fat,payload"])
    };
    for name in ["flowfile", "oldfile", "old-flowfile"] {
        convert(&folder.join(name)).run().success();
    }
    for router in ["router1", "router2"] {
        let router = folder.join(&format!("flow_base_dir/{router}/"));
        convert(&router).args(["-t", "1800"]).run().success();
    }
    folder
}

fn flowdump() -> String {
    // The program is built by the first run of the harness.
    Tool::flowdump().arg("--version").run().success();
    Tool::flowdump().program().display().to_string()
}

/// Standard output of a command line in a folder, with this program for nfdump.
fn output(folder: &TempDir, line: &str, program: &str) -> String {
    let script = format!("nfdump() {{ command \"$PROGRAM\" \"$@\"; }}\n{line}");
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PROGRAM", program)
        .env("TZ", "UTC")
        .output();
    let Output { status, stdout, stderr } = run.unwrap();
    assert!(status.success(), "{line}: {status}\n{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The line without its own format, which is a list's.
fn without_format(line: &str) -> String {
    match line.split_once(" -o \"") {
        Some((before, rest)) => {
            format!("{before}{}", rest.split_once('"').map_or("", |(_, after)| after))
        }
        None => line.to_owned(),
    }
}

fn squeeze(line: &str) -> String {
    format!(" {} ", line.split_whitespace().collect::<Vec<_>>().join(" "))
}
