//! Reports of `flowdump investigate` as programs and browsers get them: valid, the same in every form, each number out of the
//! command that stands behind it, and checked again later.

use std::collections::HashSet;
use std::fs;

use flow_tests::harness::{TempDir, Tool, testdata};
use serde_json::Value;

use crate::vpc_lab::Lab;

fn report(words: &[&str], form: &str) -> String {
    Tool::flowdump().arg("investigate").args(words).args(["-o", form]).run().success().stdout
}

fn json(words: &[&str]) -> Value {
    serde_json::from_str(&report(words, "json")).unwrap()
}

/// The committed laboratory: logs and capture.
fn laboratory() -> [String; 3] {
    let path = |name: &str| testdata(name).to_str().unwrap().to_owned();
    ["203.0.113.66".to_owned(), path("lab/logs"), path("lab/attack.pcap")]
}

/// What becomes of the rows of a command for a number of the report.
fn taken(rows: &[Value], number: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_meant = |row: &&Value| match number.get("only") {
        Some(only) => row.pointer(&text(&only["member"])) == Some(&only["is"]),
        None => true,
    };
    let rows: Vec<&Value> = rows.iter().filter(is_meant).collect();
    let values = || rows.iter().filter_map(|row| row.pointer(&text(&number["of"])));
    match number["take"].as_str().unwrap() {
        "count" => rows.len().into(),
        "sum" if values().any(Value::is_f64) => values().filter_map(Value::as_f64).sum::<f64>().into(),
        "sum" => values().map(|value| value.as_u64().unwrap()).sum::<u64>().into(),
        "min" => values().map(text).min().into(),
        "max" => values().map(text).max().into(),
        take => panic!("no such thing to take: {take}"),
    }
}

/// The commands of a report with their numbers.
fn reproductions(report: &Value) -> impl Iterator<Item = &Value> {
    let parts = report["sources"].as_array().unwrap().iter().chain([&report["together"]]);
    parts.flat_map(|part| part["reproduce"].as_array().unwrap())
}

/// Runs the commands of a report; how many numbers came out.
#[track_caller]
fn assert_reproduced(report: &Value) -> usize {
    let mut count = 0;
    for one in reproductions(report) {
        let words: Vec<&str> =
            one["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(words[0], "flowdump");
        let printed = Tool::flowdump().args(&words[1..]).run().success().stdout;
        let rows: Vec<Value> =
            serde_json::Deserializer::from_str(&printed).into_iter().map(|row| row.unwrap()).collect();
        for number in one["numbers"].as_array().unwrap() {
            let told = report.pointer(number["report"].as_str().unwrap());
            assert_eq!(Some(&taken(&rows, number)), told, "{number}: {words:?}");
            count += 1;
        }
    }
    count
}

/// The numbers of a report that no command gives; ports and steps are none that would need one.
fn unproven(report: &Value) -> Vec<String> {
    let proven: HashSet<&str> = reproductions(report)
        .flat_map(|one| one["numbers"].as_array().unwrap())
        .map(|number| number["report"].as_str().unwrap())
        .collect();
    let mut all = Vec::new();
    for (n, source) in report["sources"].as_array().unwrap().iter().enumerate() {
        for part in ["window", "counts", "periods", "activity", "services", "findings", "reached", "hops"] {
            numbers(&source[part], &format!("/sources/{n}/{part}"), &mut all);
        }
    }
    numbers(&report["together"]["comparisons"], "/together/comparisons", &mut all);
    // What detectors measured, and connections that show it, are behind the filter of the finding.
    all.retain(|at| !at.contains("/measures/") && !at.contains("/evidence/"));
    let by_itself = ["port", "src_port", "dst_port", "interval_seconds", "step", "rows"];
    all.retain(|at| {
        !by_itself.iter().any(|name| at.ends_with(&format!("/{name}"))) && !proven.contains(at.as_str())
    });
    all
}

/// Pointers to all numbers in a value.
fn numbers(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Number(_) => all.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| numbers(item, &format!("{at}/{n}"), all))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| numbers(member, &format!("{at}/{name}"), all));
        }
        _ => (),
    }
}

#[test]
fn every_number_comes_out_of_the_command_behind_it() {
    let [subject, logs, capture] = laboratory();
    let whole = json(&[&subject, &logs, &capture]);
    assert!(assert_reproduced(&whole) > 300);
    assert_eq!(unproven(&whole), Vec::<String>::new());
    let part = json(&[
        "10.77.0.0/16",
        "198.51.100.0/24",
        &logs,
        "--since",
        "2024-03-12T15:00",
        "--until",
        "2024-03-12T15:30",
    ]);
    assert!(assert_reproduced(&part) > 50);
    assert_eq!(unproven(&part), Vec::<String>::new());
    let short = json(&[&subject, &capture, "-e", "20,5"]);
    assert!(assert_reproduced(&short) > 100);
}

#[test]
fn hops_come_out_of_their_commands() {
    let Some(lab) = Lab::make("logs", &["--scenario", "lateral"]) else { return };
    let found = json(&[lab.truth["initial_access"]["src"].as_str().unwrap(), lab.logs.to_str().unwrap()]);
    assert_eq!(found["sources"][0]["hops"].as_array().unwrap().len(), 3);
    assert!(assert_reproduced(&found) > 100);
    assert_eq!(unproven(&found), Vec::<String>::new());
}

#[test]
fn json_is_as_its_schema_says() {
    let schema = testdata("../docs/investigation.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let [subject, logs, capture] = laboratory();
    for words in [&[&*subject, &*logs, &*capture][..], &["10.77.0.0/16", &logs], &["192.0.2.254", &capture]] {
        let found = json(words);
        let problems: Vec<String> =
            schema.iter_errors(&found).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(problems, Vec::<String>::new(), "{words:?}");
    }
    let mut wrong = json(&[&subject, &logs]);
    wrong["sources"][0]["counts"]["records"] = "many".into();
    assert!(!schema.is_valid(&wrong), "a schema that takes everything is none");
}

/// The cells of the tables of a report in text, Markdown or HTML, a row a line.
fn rows(form: &str, text: &str) -> Vec<String> {
    let plain = |line: &str| match form {
        "markdown" => line.replace(" | ", " ").replace("| ", "").replace(" |", "").replace('\\', ""),
        "html" => {
            let cells = line.replace("</td>", " ");
            let mut inside = false;
            let visible = |c: &char| {
                inside = (inside || *c == '<') && *c != '>';
                !inside && *c != '>'
            };
            cells.chars().filter(visible).collect()
        }
        _ => line.to_owned(),
    };
    text.lines().map(|line| plain(line).split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A row of each table, put together from the JSON as the tables have it.
fn expected(report: &Value) -> Vec<String> {
    let time = |value: &Value| value.as_str().unwrap().replace(".000Z", "Z");
    let name = |one: &Value| match one["port"].as_u64() {
        Some(port) => format!("{}/{port}", one["protocol"].as_str().unwrap()),
        None => one["protocol"].as_str().unwrap().to_owned(),
    };
    let mut lines = Vec::new();
    for source in report["sources"].as_array().unwrap() {
        lines.extend(
            source["periods"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| format!("{} {} {}", time(&one["first"]), time(&one["last"]), one["connections"])),
        );
        lines.extend(source["services"].as_array().unwrap().iter().map(|one| {
            let bytes = format!("{} {}", one["forward"]["bytes"], one["reverse"]["bytes"]);
            format!("{bytes} {} {}", time(&one["first"]), time(&one["last"]))
        }));
        lines.extend(source["reached"].as_array().unwrap().iter().map(|one| {
            let largest = &one["largest"];
            format!(
                "{} {} {} {} {} {} {} {}",
                one["to"].as_str().unwrap(),
                name(one),
                one["connections"],
                time(&one["first"]),
                time(&largest["first"]),
                time(&largest["last"]),
                largest["forward"]["bytes"],
                largest["reverse"]["bytes"]
            )
        }));
        lines.extend(source["findings"].as_array().unwrap().iter().flat_map(|one| {
            let bytes = format!("{} {}", one["forward"]["bytes"], one["reverse"]["bytes"]);
            let (name, words) = (one["detector"].as_str().unwrap(), one["in_words"].as_str().unwrap());
            let times = format!("{} {}", time(&one["first"]), time(&one["last"]));
            [format!("{} {bytes} {times}", one["connections"]), format!("{name}: {words}")]
        }));
        let counts = &source["counts"];
        lines.push(format!("{} records, {} connections", counts["records"], counts["connections"]));
        lines.push(format!("{} packets, {} bytes, both ways", counts["packets"], counts["bytes"]));
    }
    for one in report["together"]["comparisons"].as_array().unwrap() {
        lines.push(format!("{} conversations: ", one["matched"]));
        lines.push(format!("by the median of {} conversations", one["told_by"]));
    }
    lines
}

#[test]
fn all_forms_say_the_same() {
    let [subject, logs, capture] = laboratory();
    let words = [&*subject, &*logs, &*capture];
    let expected = expected(&json(&words));
    assert!(expected.len() > 30, "{}", expected.len());
    for form in ["text", "markdown", "html"] {
        let told = rows(form, &report(&words, form));
        for line in &expected {
            assert!(told.iter().any(|row| row.contains(line)), "{form} does not say: {line}");
        }
    }
}

#[test]
fn a_report_is_verified_and_changes_are_told() {
    let folder = TempDir::new();
    let capture = folder.join("attack.pcap");
    fs::copy(testdata("lab/attack.pcap"), &capture).unwrap();
    let words = ["203.0.113.66", capture.to_str().unwrap()];
    let file = folder.file("report.json", report(&words, "json"));
    let verify = || Tool::flowdump().args(["investigate", "--verify"]).arg(&file).run();
    let same = verify().success().stdout;
    assert!(same.starts_with("The same: 1 file by"), "{same}");

    // Two packets less: another hash, and other numbers.
    let content = fs::read(&capture).unwrap();
    fs::write(&capture, &content[..content.len() - 200]).unwrap();
    let other = verify().exit_code(2).stdout;
    assert!(
        other.contains("SHA-256 was") && other.contains("/sources/0/account/frames: was 2816, is 2814"),
        "{other}"
    );

    let not_json = folder.file("other.json", "flows");
    let run = Tool::flowdump().args(["investigate", "--verify"]).arg(&not_json).run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("other.json: no JSON"));
    fs::remove_file(&capture).unwrap();
    verify().exit_code(2);
}
