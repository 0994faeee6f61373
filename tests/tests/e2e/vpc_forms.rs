//! The forms in which text logs come: compressed in one piece or several, joined by hand, edited elsewhere. All of them
//! are the same records.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use flow_tests::harness::{TempDir, Tool, files_in, testdata};
use flow_tests::vpclog::gzip;
use serde_json::Value;

/// The texts of two logs.
fn logs() -> [String; 2] {
    let files = files_in(&testdata("lab/logs"));
    [5, 6].map(|at| {
        let mut text = String::new();
        MultiGzDecoder::new(std::fs::File::open(&files[at].1).unwrap()).read_to_string(&mut text).unwrap();
        text
    })
}

/// The records of a file with these bytes, and its account.
fn read(bytes: &[u8]) -> (Vec<Value>, Value) {
    let folder = TempDir::new();
    let file = folder.file("log", bytes);
    let run = Tool::flowdump().arg(&file).args(["-o", "ndjson", "--stats=json"]).run().success();
    let mut records = run.ndjson();
    records.iter_mut().for_each(|record| drop(record.as_object_mut().unwrap().remove("source")));
    (records, serde_json::from_str(&run.stderr).unwrap())
}

#[test]
fn all_forms_are_the_same_records() {
    let [one, two] = logs();
    let (first, second) = (read(one.as_bytes()).0, read(two.as_bytes()).0);
    assert!(first.len() > 50 && second.len() > 50);
    let both: Vec<Value> = first.iter().chain(&second).cloned().collect();
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    let other_order = two.lines().map(|line| {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.reverse();
        words.join(" ") + "\n"
    });
    let other_order: String = other_order.collect();
    for (name, bytes, expected, headers) in [
        ("CRLF", one.replace('\n', "\r\n").into_bytes(), &first, 1),
        ("byte order mark", format!("\u{feff}{one}").into_bytes(), &first, 1),
        (
            "both, spaces and no last newline",
            {
                let text = one.trim_end().replace(' ', "  ").replace('\n', "\r\n");
                format!("\u{feff}\r\n{text}").into_bytes()
            },
            &first,
            1,
        ),
        ("gzip", gzip(&one, 1), &first, 1),
        ("gzip of nine members", gzip(&one, 9), &first, 1),
        ("zstd", zstd(&one), &first, 1),
        ("zstd of two frames", [zstd(&one), zstd(&two)].concat(), &both, 2),
        ("joined gzip files", [gzip(&one, 2), gzip(&two, 1)].concat(), &both, 2),
        ("joined texts", format!("{one}\n{two}").into_bytes(), &both, 2),
        ("joined texts with byte order marks", format!("\u{feff}{one}\u{feff}{two}").into_bytes(), &both, 2),
        ("another layout behind", gzip(&format!("{one}{other_order}"), 4), &both, 2),
    ] {
        let (records, account) = read(&bytes);
        assert_eq!(records.len(), expected.len(), "{name}");
        assert!(records == *expected, "{name}");
        assert_eq!(account["header_lines"], headers, "{name}");
        assert_eq!(
            (&account["bad_lines"]["total"], &account["problem_count"]),
            (&0.into(), &0.into()),
            "{name}"
        );
    }
}

#[test]
fn a_cut_member_loses_only_what_is_behind() {
    let [one, two] = logs();
    let whole = [gzip(&one, 1), gzip(&two, 1)].concat();
    let folder = TempDir::new();
    let file = folder.file("log.gz", &whole[..whole.len() - 20]);
    let run = Tool::flowdump().arg(&file).args(["-o", "ndjson", "-q"]).run().exit_code(2);
    assert!(run.ndjson().len() >= read(one.as_bytes()).0.len());
    assert!(run.stderr.contains("log.gz: line "), "{}", run.stderr);
}
