//! The number of threads changes nothing: same bytes, same account, same messages.

use std::path::Path;

use flow_tests::harness::{Run, TempDir, Tool, corpus, files_in, testdata};
use serde_json::Value;

/// What a conversion says, and the bytes that it writes.
fn convert(captures: &[&Path], options: &[&str], threads: &str) -> (Run, Vec<u8>) {
    let folder = TempDir::new();
    let file = folder.join("out.flow");
    let run = Tool::pcap2flow().args(captures).arg("-w").arg(&file).args(options).args([
        "--stats=json",
        "-W",
        threads,
    ]);
    (run.run(), std::fs::read(&file).unwrap_or_default())
}

fn assert_same(captures: &[&Path], options: &[&str]) -> Run {
    let (expected, bytes) = convert(captures, options, "1");
    for threads in ["2", "3", "4"] {
        let (run, others) = convert(captures, options, threads);
        let name = format!("{captures:?} {options:?} -W {threads}");
        assert_eq!(
            (run.code, &run.stdout, &run.stderr),
            (expected.code, &expected.stdout, &expected.stderr),
            "{name}"
        );
        assert!(bytes == others, "{name}: other bytes");
    }
    expected
}

#[test]
fn the_laboratory_with_any_number_of_threads() {
    let lab = testdata("lab/attack.pcap");
    let busy = ["-d", "-F", "not port 22", "-o", "fat,payload=100", "-s", "200", "-I", "lab", "-e", "30,5"];
    assert_same(&[&lab], &[]).success();
    assert_same(&[&lab], &busy).success();
    assert_same(&[&lab, Path::new("missing.pcap"), &lab], &busy).exit_code(2);
}

#[test]
fn a_folder_of_files_with_any_number_of_threads() {
    let content = |threads: &str| {
        let folder = TempDir::new();
        let output = format!("{}/", folder.join("flows").display());
        let run = Tool::pcap2flow()
            .arg(testdata("lab/attack.pcap"))
            .args(["-w", &output, "-t", "5m", "-W", threads]);
        run.run().success();
        let files = files_in(Path::new(&output)).into_iter();
        files.map(|(name, path)| (name, std::fs::read(path).unwrap())).collect::<Vec<_>>()
    };
    let one = content("1");
    assert!(one.len() > 10);
    assert!(content("2") == one && content("4") == one);
}

#[test]
fn every_capture_of_the_corpus_with_any_number_of_threads() {
    let Some(corpus) = corpus() else { return };
    let mut read = 0;
    for (name, capture) in files_in(&corpus.join("captures")) {
        if name.ends_with(".tsv") || name.ends_with(".md") {
            continue;
        }
        let run = assert_same(&[&capture], &["-o", "fat,payload"]);
        let Ok(account) = serde_json::from_str::<Value>(&run.stdout) else { continue };
        let number = |value: &Value| value.as_u64().unwrap();
        assert_eq!(
            number(&account["frames"]),
            number(&account["used"]) + number(&account["skipped"]["total"]),
            "{name}"
        );
        assert_eq!(account["packets"], account["used"], "{name}");
        read += 1;
    }
    assert!(read >= 186, "only {read} captures in the corpus could be read");
}
