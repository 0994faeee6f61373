//! No column of a cloud log is lost: CSV and JSON have them all, and an AWS flow log that was turned into a flow file is
//! written again byte for byte.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flowcore::{Field, FieldKind, Timestamp};
use serde_json::Value;

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flowdump-cloud-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_flowdump"))
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
        output
    }

    fn printed(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.run(arguments).stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Every field that AWS has a column for.
fn aws_fields() -> Vec<Field> {
    Field::all().filter(|field| !field.info().aws.is_empty()).collect()
}

/// A value that no other column has, where the kind allows it, as a log spells it.
fn value(at: usize, field: Field) -> String {
    match field.kind() {
        FieldKind::Time => (1_700_000_000 + at).to_string(),
        FieldKind::Addr => format!("10.0.0.{at}"),
        FieldKind::Flags => "19".into(),
        FieldKind::Text if field == Field::LogStatus => "OK".into(),
        FieldKind::Text => format!("\"t,\\{at}"),
        _ => at.to_string(),
    }
}

/// A log of all columns with one record.
fn log() -> String {
    let fields = aws_fields();
    let names: Vec<&str> = fields.iter().map(|field| field.info().aws).collect();
    let values: Vec<String> = fields.iter().enumerate().map(|(at, field)| value(at, *field)).collect();
    format!("{} brand-new other_new\n{} {{\"x\\n,1}} 2%20b\n", names.join(" "), values.join(" "))
}

/// What the log's record has in the two columns without a field.
fn others() -> Value {
    serde_json::json!({"brand-new": "{\"x\\n,1}", "other_new": "2%20b"})
}

/// A line of CSV, its values without quotes.
fn csv_values(line: &str) -> Vec<String> {
    let (mut values, mut quoted) = (vec![String::new()], false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let last = values.last_mut().unwrap();
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => last.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(String::new()),
            c => last.push(c),
        }
    }
    values
}

/// A value of the log as CSV and JSON show it.
fn shown(field: Field, value: &str) -> String {
    match field.kind() {
        FieldKind::Time => Timestamp::from_secs(value.parse().unwrap()).to_string(),
        FieldKind::Flags => "...A..SF".into(),
        FieldKind::Latency => panic!("{field} is no column of AWS"),
        _ => value.to_owned(),
    }
}

#[test]
fn csv_has_every_column() {
    let folder = Folder::new("csv");
    folder.file("a.log", &log());
    let text = folder.printed(&["-q", "a.log", "-o", "csv:%{count}"]);
    assert_eq!(text.trim_end(), "1");
    let text = folder.printed(&["a.log", "-o", "csv"]);
    let lines: Vec<Vec<String>> = text.split_terminator("\r\n").map(csv_values).collect();
    assert_eq!((lines.len(), lines[0].len()), (2, lines[1].len()));
    let record: HashMap<&str, &str> =
        lines[0].iter().map(String::as_str).zip(lines[1].iter().map(String::as_str)).collect();
    for (at, field) in aws_fields().into_iter().enumerate() {
        let expected = shown(field, &value(at, field)).replace('\\', "\\\\");
        assert_eq!(record.get(field.info().key), Some(&&*expected), "{field}");
    }
    assert_eq!(lines[0].last().map(String::as_str), Some("other_columns"));
    let object: Value = serde_json::from_str(record["other_columns"]).unwrap();
    assert_eq!(object, others());
}

#[test]
fn json_has_every_column() {
    let folder = Folder::new("json");
    folder.file("a.log", &log());
    let one: Value = serde_json::from_str(&folder.printed(&["a.log", "-o", "ndjson"])).unwrap();
    let all: Value = serde_json::from_str(&folder.printed(&["a.log", "-o", "json"])).unwrap();
    assert_eq!(all, serde_json::json!([one]));
    for (at, field) in aws_fields().into_iter().enumerate() {
        let key = match field {
            Field::SrcAddr => "src4_addr",
            Field::DstAddr => "dst4_addr",
            Field::PktSrcAddr => "src4_xlt_ip",
            Field::PktDstAddr => "dst4_xlt_ip",
            field => field.info().key,
        };
        let found = match &one[key] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(found, shown(field, &value(at, field)), "{field}");
    }
    for (name, value) in others().as_object().unwrap() {
        assert_eq!(&one[name], value, "{name}");
    }
}

#[test]
fn an_empty_column_is_empty_in_rows_of_any_batch() {
    let folder = Folder::new("rows");
    folder.file("a.log", "bytes new\n1 x\n2 -\n\nregion bytes\neu 3\n");
    let text = folder.printed(&["a.log", "-o", "csv", "-O", "bytes"]);
    let lines: Vec<Vec<String>> = text.split_terminator("\r\n").map(csv_values).collect();
    let at = |name: &str| lines[0].iter().position(|known| known == name).unwrap();
    let columns = ["in_bytes", "region", "other_columns"].map(at);
    let found: Vec<_> = lines[1..].iter().map(|line| columns.map(|at| line[at].as_str())).collect();
    assert_eq!(found, [["3", "eu", ""], ["2", "", ""], ["1", "", "{\"new\":\"x\"}"]]);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()));
}

const STATUS: &str = "2 123456789010 eni-1 - - - - - - - 1431280876 1431280934 - ";
const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
const FLOW: &str =
    "2 012345678901 eni-1 10.0.0.1 2001:db8::2 41000 443 6 20 4249 1418530010 1418530070 ACCEPT OK";

#[test]
fn a_log_is_written_again_line_by_line() {
    let folder = Folder::new("again");
    let all = format!("{HEADER}\n{FLOW}\n{STATUS}NODATA\n{STATUS}SKIPDATA\n");
    folder.file("a.log", &all);
    folder.run(&["a.log", "-w", "b.log"]);
    assert_eq!(folder.text("b.log"), all);
    folder.run(&["a.log", "-w", "c.flow"]);
    folder.run(&["c.flow", "-w", "d.log"]);
    assert_eq!(folder.text("d.log"), all);
    assert_eq!(folder.printed(&["c.flow", "-o", "vpc"]), all);
    assert_eq!(folder.printed(&["a.log", "-o", "vpc", "tcp"]), format!("{HEADER}\n{FLOW}\n"));
    assert_eq!(
        folder.printed(&["a.log", "-o", "vpc", "status skipdata"]),
        format!("{HEADER}\n{STATUS}SKIPDATA\n")
    );
    folder.run(&["a.log", "-w", "e.log.gz"]);
    let packed = std::fs::File::open(folder.0.join("e.log.gz")).unwrap();
    let mut text = String::new();
    flowcore::Input::from_reader("e", Box::new(packed), flowcore::Detection::Bytes)
        .unwrap()
        .into_reader()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, all);
    let summary = String::from_utf8(folder.run(&["c.flow", "-w", "f.log"]).stderr).unwrap();
    let told = String::from_utf8(folder.run(&["c.flow", "-o", "null"]).stderr).unwrap();
    for summary in [&summary, &told] {
        assert!(summary.contains("SKIPDATA: eni-1 2015-05-10 18:01:16 to 18:02:14"), "{summary}");
    }
    assert!(summary.contains("3 records = 1 flows + 1 NODATA + 1 SKIPDATA (evidence missing)"), "{summary}");
}

#[test]
fn columns_are_those_that_are_asked_for() {
    let folder = Folder::new("columns");
    folder.file("a.log", &log());
    let header = log().lines().next().unwrap().to_owned();
    folder.run(&["a.log", "-w", "b.flow"]);
    folder.run(&["b.flow", "-w", "c.log", "--columns", &header]);
    assert_eq!(folder.text("c.log"), log());
    let text = folder.printed(&["b.flow", "-o", "vpc", "--columns", "${brand-new} ${bytes} ${log-status}"]);
    assert!(text.starts_with("brand-new bytes log-status\n{\"x\\n,1} ") && text.ends_with(" OK\n"), "{text}");
    let run = folder.run(&["b.flow", "-o", "vpc", "--columns", "bytes,srcadr"]);
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("flowdump: no record has a column srcadr"), "{said}");
}

#[test]
fn two_way_records_are_two_lines() {
    let folder = Folder::new("two-way");
    let back =
        "2 012345678901 eni-1 2001:db8::2 10.0.0.1 443 41000 6 18 9000 1418530011 1418530069 ACCEPT OK";
    folder.file("a.log", &format!("{HEADER}\n{FLOW}\n{back}\n"));
    let run = folder.run(&["a.log", "-b", "-w", "b.log"]);
    let lines: Vec<String> = folder.text("b.log").lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], FLOW);
    assert_eq!(lines[1], back.replace("1418530011 1418530069", "1418530010 1418530070"));
    let said = String::from_utf8(run.stderr).unwrap();
    assert!(said.contains("1 two-way records have two lines each"), "{said}");
}

#[test]
fn an_input_is_never_written_over() {
    let folder = Folder::new("input");
    folder.file("a.log", &log());
    let program = Path::new(env!("CARGO_BIN_EXE_flowdump"));
    let run = Command::new(program).args(["a.log", "--force", "-w", "a.log"]).current_dir(&folder.0).output();
    assert_eq!(run.unwrap().status.code(), Some(2));
    assert_eq!(folder.text("a.log"), log());
}
