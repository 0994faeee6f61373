//! `flowdump -s`: the tables of the laboratory, and row by row what Debian's nfdump says about the same files.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flow_tests::harness::{TempDir, Tool, corpus, peer, testdata, tool_available};

/// What is compared, with a filter that leaves out what the two programs mean differently.
const STATISTICS: &[(&str, &str)] = &[
    ("srcip", "any"),
    ("dstip", "any"),
    ("ip", "any"),
    ("srcip:p", "any"),
    ("proto", "any"),
    ("srcport", "proto tcp or proto udp"),
    ("dstport", "proto tcp or proto udp"),
    ("dstport:p", "proto tcp or proto udp"),
    ("port", "proto tcp or proto udp"),
    ("srctos", "any"),
    ("srcvlan", "any"),
    ("insrcmac", "any"),
    ("outdstmac", "any"),
    ("mpls1", "any"),
    ("inif", "any"),
    ("outif", "any"),
    ("srcas", "any"),
    ("dstas", "any"),
    ("srcmask", "any"),
    ("dstmask", "any"),
    ("router", "any"),
    ("nhip", "any"),
    ("nhbip", "any"),
    ("xsrcip", "any"),
    ("srcip", "proto tcp and dst port 80"),
];

/// What nfdump 1.7.1 shows differently, and why ours stays.
///
/// - A record without the field is a row of value 0, `0.0.0.0` or `00:00:00:00:00:00`: here it is in none, so the row of
///   nfdump has to be ours for a true 0 and the records without the field together (checked for fields of one side).
/// - Ordered by flows, packets and bytes are those towards the destination only: those columns are not compared there.
/// - ICMP type and code are a port: here they are not, and ports are compared for TCP and UDP.
/// - A record without a time begins in 1970: here it has no time, and such times are not compared.
/// - Records that end before they begin have a duration of 584 million years: here it is 0.
/// - `flags`, `mac` and `natport` are no statistics yet.
/// - A protocol without a name, and protocol 0, is a number in nfdump's column of names: not compared.
/// - `ext.nf` has VLANs in an element (38) that nfdump 1.7.1 does not know: left out.
const ZEROS: [&str; 5] = ["0", "0.0.0.0", "::", "00:00:00:00:00:00", "0-0-0"];

const ORDERS: [&str; 3] = ["bytes", "packets", "flows"];

/// One row of CSV: nfdump's columns by their names of in+out orders.
type Row = BTreeMap<&'static str, String>;

const COLUMNS: [&str; 14] =
    ["ts", "te", "td", "pr", "val", "fl", "flP", "pkt", "pktP", "byt", "bytP", "pps", "bps", "bpp"];

fn rows(csv: &str) -> Vec<Row> {
    let lines = csv.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit() || c == ','));
    lines
        .map(|line| COLUMNS.into_iter().zip(line.split(',').map(|value| value.trim().to_owned())).collect())
        .collect()
}

fn number(row: &Row, column: &str) -> u64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?} is no number"))
}

/// The columns that have to be the same.
fn compared(row: &Row, order: &str) -> Vec<String> {
    let named = !row["pr"].starts_with(|c: char| c.is_ascii_digit()) && row["pr"] != "HOPOPT";
    let timed = !row["ts"].is_empty() && !row["ts"].starts_with("1970");
    let mut columns = vec!["val", "fl", "flP"];
    columns.extend(named.then_some("pr"));
    columns.extend(timed.then_some(["ts", "te"]).into_iter().flatten());
    columns.extend((timed && row["ts"] <= row["te"]).then_some("td"));
    columns.extend((order != "flows").then_some(["pkt", "pktP", "byt", "bytP", "bpp"]).into_iter().flatten());
    columns.into_iter().map(|column| format!("{column}={}", row[column])).collect()
}

fn nfdump(input: &[&str], spec: &str, filter: &str) -> Vec<Row> {
    // nfdump writes about unknown elements to standard output too; only lines of CSV are looked at.
    let output = Command::new("nfdump")
        .args(input)
        .args(["-s", spec, "-n", "0", "-o", "csv", "-q", filter])
        .env("TZ", "UTC")
        .stderr(Stdio::null())
        .output()
        .unwrap();
    rows(&String::from_utf8_lossy(&output.stdout))
}

fn flowdump(input: &[&str], spec: &str, filter: &str) -> Vec<Row> {
    let run = Tool::flowdump().args(input).args(["-s", spec, "-n", "0", "-o", "csv", "-q", filter]).run();
    rows(&run.stdout)
}

/// What differs between the two programs, in words, and how many rows were compared.
fn differences(input: &[&str], name: &str, order: &str, filter: &str) -> (Vec<String>, usize) {
    let spec = format!("{name}/{order}");
    let (theirs, ours) = (nfdump(input, &spec, filter), flowdump(input, &spec, filter));
    let what = format!("{} -s {spec} '{filter}'", input[1]);
    let mut found = Vec::new();
    let known = |rows: &[Row]| rows.iter().filter(|row| !is_zero(row)).cloned().collect::<Vec<Row>>();
    let sets = [&theirs, &ours]
        .map(|rows| known(rows).iter().map(|row| compared(row, order)).collect::<BTreeSet<_>>());
    found.extend(sets[0].difference(&sets[1]).map(|row| format!("{what}: nfdump only: {}", row.join(" "))));
    found.extend(sets[1].difference(&sets[0]).map(|row| format!("{what}: here only: {}", row.join(" "))));
    let column = match order {
        "bytes" => "byt",
        "packets" => "pkt",
        _ => "fl",
    };
    let numbers = |rows: &[Row]| known(rows).iter().map(|row| number(row, column)).collect::<Vec<_>>();
    if numbers(&ours) != numbers(&theirs) || !ours.iter().map(|row| Reverse(number(row, column))).is_sorted()
    {
        found.push(format!("{what}: another order"));
    }
    let flows = |rows: &[Row]| rows.iter().map(|row| number(row, "fl")).sum::<u64>();
    let zeros =
        |rows: &[Row]| rows.iter().filter(|row| is_zero(row)).map(|row| number(row, "fl")).sum::<u64>();
    let is_one_sided = !["ip", "port"].contains(&name);
    if is_one_sided && zeros(&theirs) != zeros(&ours) + flows(&theirs) - flows(&ours) {
        found.push(format!("{what}: records without the field are not nfdump's row of 0"));
    }
    (found, sets[0].len())
}

fn is_unknown_to_nfdump(input: &Path, name: &str) -> bool {
    name == "srcvlan" && input.ends_with("ext.nf")
}

fn is_zero(row: &Row) -> bool {
    ZEROS.contains(&row["val"].as_str())
}

/// The flow files of the corpus, and some of its captures as nfpcapd turns them into flow files.
fn inputs(corpus: &Path, folder: &TempDir) -> Vec<PathBuf> {
    let mut inputs = vec![corpus.join("flows/l2tun.nf"), corpus.join("flows/ext.nf")];
    for capture in CAPTURES {
        let flows = folder.join(capture);
        std::fs::create_dir(&flows).unwrap();
        let capture = corpus.join("captures").join(capture);
        peer("nfpcapd", ["-r".as_ref(), capture.as_os_str(), "-w".as_ref(), flows.as_os_str()]);
        inputs.push(flows);
    }
    inputs
}

const CAPTURES: [&str; 4] =
    ["zeek-ssh-ssh.pcap", "nfstream-synscan.pcap", "ndpi-gnutella.pcap", "nfstream-mdns.pcap"];

#[test]
fn nfdump_counts_the_same() {
    let Some(corpus) = corpus() else { return };
    if !tool_available("nfdump") || !tool_available("nfpcapd") {
        return;
    }
    let folder = TempDir::new();
    let (mut found, mut compared) = (Vec::new(), BTreeMap::<&str, usize>::new());
    for input in inputs(&corpus, &folder) {
        let option = if input.is_dir() { "-R" } else { "-r" };
        for (name, filter) in STATISTICS.iter().filter(|(name, _)| !is_unknown_to_nfdump(&input, name)) {
            for order in ORDERS {
                let (more, rows) = differences(&[option, input.to_str().unwrap()], name, order, filter);
                found.extend(more);
                *compared.entry(name).or_default() += rows;
            }
        }
    }
    assert!(compared.values().all(|&rows| rows > 0), "a statistic without a row: {compared:?}");
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

fn lab(arguments: &[&str]) -> String {
    Tool::flowdump().arg(testdata("lab/logs")).args(arguments).run().success().stdout
}

#[test]
fn a_table_has_ten_rows_unless_told_otherwise() {
    let rows = |arguments: &[&str]| {
        lab(&[&["-s", "srcip/bytes", "-o", "ndjson"], arguments].concat()).lines().count()
    };
    let all = rows(&["-n", "0"]);
    assert_eq!((rows(&[]), rows(&["-n", "3"])), (10, 3));
    assert!(all > 10, "{all}");
}

#[test]
fn a_statistic_adds_up_to_the_list() {
    for filter in ["any", "dst port 8889", "action reject"] {
        let list =
            Tool::flowdump().arg(testdata("lab/logs")).args(["-o", "json", filter]).run().success().json();
        let bytes: u64 = list.iter().filter_map(|record| record["in_bytes"].as_u64()).sum();
        for spec in ["srcip/bytes", "proto", "action:p/packets", "interface"] {
            let run = Tool::flowdump()
                .arg(testdata("lab/logs"))
                .args(["-s", spec, "-n", "0", "-o", "json", filter]);
            let groups = run.run().success().json();
            assert_eq!(
                groups.iter().filter_map(|group| group["bytes"].as_u64()).sum::<u64>(),
                bytes,
                "{spec} {filter}"
            );
            let flows: u64 = groups.iter().filter_map(|group| group["flows"].as_u64()).sum();
            assert_eq!(flows, list.len() as u64, "{spec} {filter}");
        }
    }
}

#[test]
fn several_statistics_are_one_document_each_way() {
    let run =
        |format: &[&str]| lab(&[&["-s", "srcip/bytes/flows", "-s", "dstport:p", "-n", "2"], format].concat());
    let json: Vec<serde_json::Value> = serde_json::from_str(&run(&["-o", "json"])).unwrap();
    let tables: Vec<String> =
        json.iter().map(|row| format!("{} {}", row["statistic"], row["order"])).collect();
    assert_eq!(
        tables,
        [
            "\"srcip\" \"bytes\"",
            "\"srcip\" \"bytes\"",
            "\"srcip\" \"flows\"",
            "\"srcip\" \"flows\"",
            "\"dstport\" \"flows\"",
            "\"dstport\" \"flows\""
        ]
    );
    let csv = run(&["-o", "csv"]);
    assert!(csv.starts_with("ts,te,td,pr,val,fl,flP,pkt,") && csv.lines().count() == 7, "{csv}");
    assert_eq!(run(&["-o", "csv", "-q"]).lines().count(), 6);
    let text = run(&[]);
    assert_eq!(text.matches("\nDate first seen").count(), 3, "{text}");
    assert_eq!(lab(&["-s", "srcip", "-o", "json", "port 1 and port 2"]), "[]\n");
}

#[test]
fn a_table_is_written_to_a_file_by_its_suffix() {
    let folder = TempDir::new();
    for (name, start) in [("a.csv", "ts,te,td,"), ("a.json", "[\n{"), ("a.ndjson", "{\"statistic\":")] {
        let file = folder.join(name);
        assert_eq!(lab(&["-s", "srcip/bytes", "-w", file.to_str().unwrap()]), "");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(start), "{text}");
    }
    let file = folder.join("a.flow");
    let run =
        Tool::flowdump().arg(testdata("lab/logs")).args(["-s", "srcip", "-w", file.to_str().unwrap()]).run();
    assert!(run.exit_code(2).one_line_error("flowdump").contains("csv"));
    assert!(!file.exists());
}

#[test]
fn what_is_not_counted_is_said() {
    let run = Tool::flowdump().arg(testdata("lab/logs")).args(["-s", "srcvlan"]).run().success();
    let line = run.stderr.lines().find(|line| line.starts_with("Not counted by srcvlan: "));
    assert!(line.is_some_and(|line| line.ends_with("matching records, which have none")), "{}", run.stderr);
}

#[test]
fn mistakes_get_the_nearest_name() {
    for (spec, advice) in [("srcpi/bytes", "\"srcip\""), ("srcip/pakets", "\"packets\""), ("srcip:x", "':p'")]
    {
        let run = Tool::flowdump().arg(testdata("lab/logs")).args(["-s", spec]).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(advice) && error.contains(spec), "{error}");
    }
}
