//! A day of flow logs at its real size, made by the corpus' `tools/make_vpc_lab.py`, whose numbers are known.

use std::path::PathBuf;

use flow_tests::harness::{TempDir, Tool, corpus, numbers_before, peer, tool_available};

use crate::{bytes, time};

/// The folder of 579 files, if the corpus and Python are there.
fn made_in(folder: &TempDir) -> Option<PathBuf> {
    let script = corpus()?.join("tools/make_vpc_lab.py");
    if !tool_available("python3") {
        return None;
    }
    peer("python3", [script.as_os_str(), "--out".as_ref(), folder.path().as_os_str()]);
    Some(folder.join("20230928"))
}

#[test]
fn a_day_of_logs_gives_its_known_numbers() {
    let folder = TempDir::new();
    let Some(logs) = made_in(&folder) else { return };
    let run = Tool::flowdump().arg(&logs).args(["-o", "null"]).run().success();
    for (number, word) in [(172_619, "records"), (579, "header"), (237, "NODATA"), (3, "SKIPDATA")] {
        let numbers = numbers_before(&run.stderr, word);
        assert!(numbers.contains(&number), "{numbers:?} before {word}, not {number}:\n{}", run.stderr);
    }

    let records =
        |filter: &str| Tool::flowdump().arg(&logs).args(["-o", "ndjson", filter]).run().success().ndjson();
    let attack = records("ip 20.106.124.93");
    assert_eq!(attack.len(), 33_232);
    let starts = || attack.iter().map(|record| time(record, "first"));
    assert_eq!(starts().min().as_deref(), Some("2023-09-28T17:22:35Z"));
    assert_eq!(starts().max().as_deref(), Some("2023-09-28T23:59:05Z"));
    assert_eq!(bytes(&records("dst ip 20.106.124.93 and dst port 8889")), 265_183_813);
    assert_eq!(bytes(&records("dst ip 20.106.124.93 and src port 80")), 190_703_527);
}
