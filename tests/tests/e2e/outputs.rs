//! Every format of `-o` with every report, on inputs whose texts are hostile: JSON stays one document, NDJSON one object
//! a line, CSV a table of one width, and nothing that a terminal could take for a command comes out as it is.
//!
//! Other people's parsers judge: `jq`, and Python's `csv` in strict mode. A new report is a row of [`REPORTS`].

use std::path::{Path, PathBuf};

use flow_tests::harness::{Run, TempDir, Tool, peer, tool_available};
use flowcore::format::flow::WriterOptions;
use flowcore::format::nfdump::NfdumpOptions;
use flowcore::{Field, FileOptions, Flow, FlowBatch, FlowWriter, Overwrite, Text, Value};
use flowdump::args::OutputFormat;

/// Options that ask for a report, and what it is made of.
const REPORTS: &[(&[&str], Rows)] = &[
    (&[], Rows::Records),
    (&["-O", "bytes"], Rows::Records),
    (&["-O", "tstart:d", "-n", "2"], Rows::Records),
    (&["-c", "1"], Rows::Records),
    (&["-a"], Rows::Records),
    (&["-b", "-O", "bytes", "-n", "3"], Rows::Records),
    (&["-B", "-P", "bytes > 0"], Rows::Records),
    (&["-A", "srcip6/64,dstport,action,username,pfinterface"], Rows::Records),
    (&["-A", "interface", "-O", "packets:a"], Rows::Records),
    (&["-s", "record/bytes/flows"], Rows::Records),
    (&["--every", "1s"], Rows::Table),
    (&["--every", "5m"], Rows::Table),
    (&["-s", "srcip"], Rows::Table),
    (&["-s", "dstport:p/bytes/ipps/opkg:a", "-n", "0"], Rows::Table),
    (&["-s", "action:p/flows", "-s", "username/bytes", "-s", "interface/ibyte", "-s", "ident"], Rows::Table),
    (&["-s", "srcip", "-s", "record/bytes/packets:a", "-s", "action:p"], Rows::Mixed),
    (&["-A", "dstport,action", "-s", "record", "-s", "username"], Rows::Mixed),
    (&["-s", "record/bytes", "-s", "record/packets"], Rows::Records),
    (&["-s", "pfinterface", "-s", "label/tstart", "-s", "inpayload", "-s", "nattext"], Rows::Table),
];

/// What a report is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// Records, which any format can print.
    Records,
    /// Rows of a table, which have columns of their own.
    Table,
    /// Both, which no single table of CSV holds.
    Mixed,
}

/// A filter that everything passes, and one that nothing does.
const FILTERS: [(&str, bool); 2] = [("any", true), ("port 1 and port 2 and port 3", false)];

/// Columns of all kinds of texts.
const FMT: &str = "fmt:%ts %sap -> %dap %idt %uname %lbl %nats %pfifn %ipl %opl %sni %tls %ja3 %ja4 %iacl %{action} %{interface} %tun %n%sn %eng";
const CSV: &str = "csv:%ts,%te,%tsr,%sa,%dp,%idt,%uname,%lbl,%nats,%pfifn,%ipl,%opl,%sni,%tls,%ja3,%ja4,%{action},%{interface},%sn,%eng,%msec";

/// Quotes, separators, line ends, escape sequences, marks that turn the direction of text, and what looks like an escape
/// of ours.
const HOSTILE: &str = "a\"b',;=1+1\r\n\t\0\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\\u{1b}\u{202e}\u{2066}\u{200f}\u{61c}ü\u{2028}😀%s{}<b>";

/// How a format's output is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    Text,
    Csv,
    Json,
    Ndjson,
    /// Lines of a flow log.
    Log,
    Nothing,
}

fn judge(format: &str) -> Judge {
    match format {
        "json" => Judge::Json,
        "ndjson" => Judge::Ndjson,
        "null" => Judge::Nothing,
        "vpc" => Judge::Log,
        _ if format.starts_with("csv") => Judge::Csv,
        _ => Judge::Text,
    }
}

/// Every name of `-o`, with templates where it takes them.
fn formats() -> Vec<&'static str> {
    let name = |name| match name {
        "fmt:TAGS" => FMT,
        "csv:TAGS" => CSV,
        name => name,
    };
    OutputFormat::names().map(|(known, _)| name(known)).chain(["line6", "nsel6"]).collect()
}

/// Texts for programs, kept in files until all are there: other people's parsers take long to start.
struct Kept {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Kept {
    fn new() -> Self {
        Self { folder: TempDir::new(), files: Vec::new() }
    }

    fn add(&mut self, text: &str) {
        let name = format!("{:05}", self.files.len());
        self.files.push(self.folder.file(&name, text));
    }
}

/// A run and what is expected of it.
struct Case {
    run: Run,
    judge: Judge,
    rows: Rows,
    /// Records match.
    matches: bool,
    /// No `-q`.
    heading: bool,
}

#[test]
fn every_format_with_every_report_is_what_it_says() {
    let folder = TempDir::new();
    let (mut json, mut csv) = (Kept::new(), Kept::new());
    for input in inputs(&folder) {
        for format in formats() {
            REPORTS.iter().for_each(|report| check_report(&input, format, *report, &mut json, &mut csv));
        }
    }
    assert!(json.files.len() > 100 && csv.files.len() > 100, "{} and {}", json.files.len(), csv.files.len());
    judge_json(&json);
    judge_csv(&csv);
}

/// One report in one format, with and without matching records, with other options of printing.
fn check_report(
    input: &Path,
    format: &str,
    (options, rows): (&[&str], Rows),
    json: &mut Kept,
    csv: &mut Kept,
) {
    for (filter, matches) in FILTERS {
        for more in [&[][..], &["-q"], &["-N", "-6"]] {
            let tool = Tool::flowdump().arg("-r").arg(input).args(["-o", format]).args(options).args(more);
            let run = tool.arg(filter).run();
            if rows != Rows::Records && (format.contains('%') || judge(format) == Judge::Log) {
                assert!(run.exit_code(2).one_line_error("flowdump").contains("csv, json"));
                continue;
            }
            if rows == Rows::Mixed && judge(format) == Judge::Csv {
                assert!(run.exit_code(2).one_line_error("flowdump").contains("-o json or ndjson"));
                continue;
            }
            let case =
                Case { run: complete(run), judge: judge(format), rows, matches, heading: more != ["-q"] };
            case.check(json, csv);
        }
    }
}

/// What is said of the one text of the log that is no UTF-8, wherever it is read.
const REPLACED: &str = "bytes that are not UTF-8 are replaced";

/// A run that did all there was to do.
fn complete(run: Run) -> Run {
    let code = if run.stderr.contains(REPLACED) { 2 } else { 0 };
    run.exit_code(code)
}

impl Case {
    /// What can be said without another program; texts for programs are kept for those.
    fn check(&self, json: &mut Kept, csv: &mut Kept) {
        let text = self.run.stdout.as_str();
        self.check_streams(text);
        match self.judge {
            Judge::Text => {}
            Judge::Log => assert!(self.matches || text.lines().count() <= 1, "{text}"),
            Judge::Nothing => assert_eq!(text, ""),
            Judge::Json => {
                assert!(self.matches || self.run.json().is_empty(), "{text}");
                json.add(text);
            }
            Judge::Ndjson => {
                assert!(self.run.ndjson().iter().all(serde_json::Value::is_object), "{text}");
                assert!(self.matches || text.is_empty(), "{text}");
                json.add(text);
            }
            Judge::Csv => {
                let lines = text.matches("\r\n").count();
                assert_eq!(
                    (text.matches('\n').count(), text.matches('\r').count()),
                    (lines, lines),
                    "{text}"
                );
                assert!(self.matches || lines == if self.heading { headings(text) } else { 0 }, "{text}");
                csv.add(text);
            }
        }
    }

    /// No command for a terminal, nothing on standard error where it is to be quiet, and a word to people only where
    /// nothing matches.
    fn check_streams(&self, text: &str) {
        let is_text = |c: char| c == '\n' || c == '\r' && self.judge == Judge::Csv || !is_command(c);
        assert!(text.chars().all(is_text), "{text:?}");
        let said = self.run.stderr.lines().filter(|line| !line.ends_with(REPLACED)).count();
        assert!(self.heading || said == 0, "-q says: {}", self.run.stderr);
        let is_list = self.judge == Judge::Text && self.rows == Rows::Records;
        let note = is_list && self.heading && !self.matches;
        assert_eq!(text.contains("No matching flows\n"), note, "{text}");
        let rows = text.lines().count().saturating_sub(usize::from(self.heading));
        assert!(!is_list || !self.matches || rows > 0, "{text}");
    }
}

/// Tables whose columns change repeat their heading.
fn headings(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("ts,te,")).count().max(1)
}

/// Control characters, and those that turn the direction of the text around them.
fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `jq` reads every document; with `-e` it fails where a value is null or false.
fn judge_json(kept: &Kept) {
    if tool_available("jq") {
        let arguments = ["-e".into(), "type".into()].into_iter().chain(kept.files.iter().cloned());
        peer("jq", arguments);
    }
}

const READ_CSV: &str = "\
import csv, sys
rows = 0
for name in open(sys.argv[1], encoding='utf-8').read().split('\\n'):
    with open(name, newline='', encoding='utf-8') as file:
        widths = {len(row) for row in csv.reader(file, strict=True)}
        rows += 1
    assert len(widths) <= 1, (name, widths, open(name).read())
print(rows)
";

/// Python reads every table, and its rows are as wide as its heading.
fn judge_csv(kept: &Kept) {
    if !tool_available("python3") {
        return;
    }
    let names: Vec<&str> = kept.files.iter().filter_map(|file| file.to_str()).collect();
    let list = kept.folder.file("list", names.join("\n"));
    let read = peer("python3", ["-c".into(), READ_CSV.into(), list]);
    assert_eq!(read.trim(), kept.files.len().to_string());
}

/// The same texts in a log, a flow file and an nfdump file.
fn inputs(folder: &TempDir) -> [PathBuf; 3] {
    let flow = folder.join("hostile.flow");
    write(&flow, &WriterOptions::default().into());
    let nfdump = folder.join("hostile.nf");
    write(&nfdump, &NfdumpOptions::default().into());
    [flow, nfdump, log(folder)]
}

fn write(path: &Path, options: &FileOptions) {
    let mut batch = FlowBatch::new();
    [flow(), Flow::default(), flow()].iter().for_each(|flow| batch.push(flow));
    let mut writer = FlowWriter::create(path, options, Overwrite::No).unwrap();
    writer.write_batch(&batch).unwrap();
    writer.finish().unwrap();
}

/// A flow with every text there is, all hostile, and with columns whose names are.
fn flow() -> Flow {
    let mut flow = Flow::default();
    let texts = Field::all().filter(|field| field.kind().storage() == flowcore::Storage::Text);
    texts.for_each(|field| flow.set(field, HOSTILE.into()));
    flow.set(Field::InPayload, "GET / \"\r\n\0\u{ff},'\u{1b}[2J".into());
    for (field, number) in [
        (Field::Protocol, 6),
        (Field::SrcPort, 4242),
        (Field::DstPort, 443),
        (Field::InPackets, 3),
        (Field::InBytes, 4_000_000),
        (Field::OutBytes, 1),
        (Field::SrcMask, 200),
        (Field::EngineType, 3),
        (Field::EndReason, 3),
    ] {
        flow.set(field, Value::Number(number));
    }
    flow.set(Field::SrcAddr, Value::Addr("2001:db8::ffff:1".parse().unwrap()));
    flow.set(Field::DstAddr, Value::Addr("2001:db8::2".parse().unwrap()));
    flow.first = Some("2023-09-28T17:22:35.000123456Z".parse().unwrap());
    flow.last = Some("2023-09-28T17:22:37.5Z".parse().unwrap());
    flow.unknown = vec![
        (Text::from("\u{1b}[2J\"name,\n\u{202e}"), Text::from(HOSTILE)),
        (Text::from("src_port"), Text::from("mine")),
    ];
    flow
}

/// A log whose texts are hostile as far as its values can be, which end at a blank; one is no UTF-8.
fn log(folder: &TempDir) -> PathBuf {
    let value: String = HOSTILE.chars().filter(|c| !c.is_whitespace()).collect();
    let mut text = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status mine\n".to_vec();
    for action in [value.as_bytes(), b"\xff\xfe\xc3(", b"ACCEPT"] {
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b" 10.0.0.1 10.0.0.2 4242 443 6 3 300 1695921755 1695921757 ");
        text.extend_from_slice(action);
        text.extend_from_slice(b" OK ");
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    folder.file("hostile.log", text)
}

#[test]
fn hostile_text_can_be_had_back() {
    let folder = TempDir::new();
    let [flow, nfdump, log] = inputs(&folder);
    // A label ends at the first zero byte in nfdump files.
    let label = HOSTILE.split('\0').next().unwrap_or_default();
    for (input, key, text) in [
        (&flow, "action", HOSTILE),
        (&flow, "user_name", HOSTILE),
        (&flow, "column:src_port", "mine"),
        (&nfdump, "label", label),
    ] {
        let records =
            Tool::flowdump().arg("-r").arg(input).args(["-o", "json", "port 443"]).run().success().json();
        assert_eq!(records[0][key], text, "{key} of {}", input.display());
    }
    let records = Tool::flowdump().arg("-r").arg(log).args(["-o", "ndjson"]).run().exit_code(2).ndjson();
    let shown: String = HOSTILE.chars().filter(|c| !c.is_whitespace()).collect();
    assert_eq!(records[0]["mine"].as_str(), Some(shown.as_str()));
}

#[test]
fn a_table_of_ones_own_columns_is_refused_with_the_way_out() {
    for format in ["fmt:%ts", "csv:%ts", "csv:%ts,%sap", "gline", "jso"] {
        let run = Tool::flowdump().args(["-r", "-", "-s", "srcip", "-o", format]).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(
            ["csv, json", "take %sa,%sp", "geo", "json"].iter().any(|word| error.contains(word)),
            "{error}"
        );
        assert_eq!(run.stdout, "");
    }
}
