//! Folders of cloud logs: what their paths say, files that need not be opened, and an account of what is missing.

use std::path::{Path, PathBuf};

use flow_tests::harness::{Run, TempDir, Tool, files_in, testdata};
use serde_json::Value;

const HEADER: &str = "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

fn row(start: u64) -> String {
    format!("10.0.0.1 10.0.0.2 40000 443 6 1 40 {start} {} ACCEPT OK\n", start + 10)
}

/// A folder below this one, and a file in it.
fn put(folder: &TempDir, path: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn account(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", run.stdout))
}

fn files() -> Vec<PathBuf> {
    files_in(&testdata("lab/logs")).into_iter().map(|(_, path)| path).collect()
}

/// What `-t` gives of a folder, whose other files need not be opened, is what it gives of the files by name.
#[track_caller]
pub(super) fn same_with_all_files(logs: &Path, window: &str) -> u64 {
    let run = |paths: &[PathBuf]| {
        Tool::flowdump().args(paths).args(["-t", window, "-o", "ndjson", "--stats=json"]).run().success()
    };
    let some = run(&[logs.to_owned()]);
    let all = run(&files_in(logs).into_iter().map(|(_, path)| path).collect::<Vec<_>>());
    assert_eq!(some.stdout, all.stdout, "{window}");
    let [some, all] = [some, all].map(|run| serde_json::from_str::<Value>(&run.stderr).unwrap());
    let number = |stats: &Value, key: &str| stats[key].as_u64().unwrap();
    let outside = number(&some, "files_outside_window");
    assert_eq!(number(&some, "files") + outside, number(&all, "files"), "{window}");
    assert_eq!(number(&all, "files_outside_window"), 0);
    outside
}

#[test]
fn files_outside_the_window_are_not_opened() {
    let logs = testdata("lab/logs");
    for (window, fewest) in [
        ("2024-03-12T14:00/14:10", 20),
        ("2024-03-12T15:10:30/15:10:31", 20),
        ("2024-03-12T16:00", 15),
        ("/2024-03-12T14:30", 15),
        ("2024-03-13T00:00", 31),
        ("2024-03-12T14:00/17:00", 0),
    ] {
        let outside = same_with_all_files(&logs, window);
        assert!(outside >= fewest, "{window}: {outside}");
    }
    let run = |words: &[&str]| Tool::flowdump().arg(&logs).args(words).run().success();
    let shown = run(&["-t", "2024-03-12T14:00/14:10", "-o", "null"]).stderr;
    assert!(
        shown.contains("Inputs: 7 files, ") && shown.contains(", 24 outside the window not opened"),
        "{shown}"
    );
    let explained = run(&["-t", "2024-03-12T14:00/14:10", "--explain"]).stdout;
    assert!(explained.contains("Inputs: 7, 24 outside the window not opened\n"), "{explained}");
    // Where records are numbered, all of them are.
    let numbered = run(&["-t", "2024-03-12T16:00", "-o", "fmt:%cnt", "-c", "1", "-q"]).stdout;
    assert!(numbered.trim().parse::<u64>().unwrap() > 1000, "{numbered}");
    // A window of which the ends are found in the flows.
    assert!(run(&["-t", "+10m", "-o", "null"]).stderr.contains(" outside the window not opened"));
}

#[test]
fn paths_say_account_region_and_flow_log() {
    let folder = TempDir::new();
    let log = format!("{HEADER}\n{}", row(1_695_921_755));
    let name = |account: &str, region: &str, id: &str| {
        format!("{account}_vpcflowlogs_{region}_{id}_20230928T1720Z_1e4feae1.log")
    };
    let [one, two] = ["111111111111", "022222222222"];
    let hive = "aws-service=vpcflowlogs/aws-region=us-east-2/year=2023/month=09/day=28/hour=17";
    put(
        &folder,
        &format!("AWSLogs/{one}/vpcflowlogs/eu-west-3/2023/09/28/{}", name(one, "eu-west-3", "fl-a1")),
        &log,
    );
    put(&folder, &format!("AWSLogs/{one}/vpcflowlogs/us-east-2/2023/09/28/renamed.log"), &log);
    put(
        &folder,
        &format!("AWSLogs/o-abc/{two}/vpcflowlogs/eu-west-3/2023/09/28/{}", name(two, "eu-west-3", "fl-b2")),
        &log,
    );
    put(&folder, &format!("AWSLogs/aws-account-id={two}/{hive}/{}", name(two, "us-east-2", "fl-c3")), &log);
    put(&folder, "AWSLogs/unknown.log", &log);
    let stated = format!("account-id region {HEADER}\n333333333333 - {}", row(1_695_921_755));
    put(&folder, &format!("AWSLogs/{one}/vpcflowlogs/eu-west-3/2023/09/28/stated.log"), stated);

    let listed = |filter: &str| {
        let format = "csv:%{account},%{region},%{flowlog},%byt";
        let tool = Tool::flowdump().arg("-R").arg(folder.join("AWSLogs")).args(["-q", "-o", format, filter]);
        let mut lines: Vec<String> = tool.run().success().stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let all = [
        ",,,40",
        "022222222222,eu-west-3,fl-b2,40",
        "022222222222,us-east-2,fl-c3,40",
        "111111111111,eu-west-3,fl-a1,40",
        "111111111111,us-east-2,,40",
        "333333333333,,,40",
    ];
    assert_eq!(listed("any"), all);
    assert_eq!(listed("account 022222222222"), all[1..3]);
    assert_eq!(listed("region eu-west-3 and not account 022222222222"), all[3..4]);
    assert_eq!(listed("flowlog fl-c3"), all[2..3]);
}

#[test]
fn what_two_flow_logs_wrote_of_one_interface_is_folded_out_of_a_flow_file_too() {
    let folder = TempDir::new();
    for id in ["fl-a1", "fl-b2"] {
        let name = format!("logs/111111111111_vpcflowlogs_eu-west-3_{id}_20230928T1720Z_1e4feae1.log");
        put(&folder, &name, format!("interface-id {HEADER}\neni-1 {}", row(1_695_921_755)));
    }
    let [logs, flows] = ["logs", "logs.flow"].map(|name| folder.join(name));
    Tool::flowdump().arg("-R").arg(&logs).arg("-w").arg(&flows).run().success();
    let folded =
        |input: &Path| Tool::flowdump().arg(input).args(["--dedup", "-o", "null"]).run().success().stderr;
    for input in [&logs, &flows] {
        let said = folded(input);
        assert!(said.contains("Folded 1 copies, 40 bytes"), "{said}");
    }
}

/// A log of two hours with three gaps, lost records and bad lines, and one without fault.
fn incomplete() -> TempDir {
    let folder = TempDir::new();
    for slot in (0..24).filter(|slot| !matches!(slot, 3 | 7 | 8 | 20)) {
        let (hour, minute, start) = (slot / 12, slot % 12 * 5, 1_695_859_200 + slot * 300);
        let lost = format!("- - - - - - - {start} {} - SKIPDATA\n", start + 60);
        let (lost, bad) = (if slot == 5 { &*lost } else { "" }, if slot == 6 { "10.0.0.1 x\n" } else { "" });
        let log = format!("{HEADER}\n{}{lost}{bad}", row(start));
        for id in ["fl-a1", "fl-b2"] {
            let name = format!(
                "123456789012_vpcflowlogs_eu-west-3_{id}_20230928T{hour:02}{minute:02}Z_0badcafe.log"
            );
            put(&folder, &format!("{id}/{name}"), &log);
        }
    }
    for (hour, minute) in [(0, 15), (0, 35), (0, 40), (1, 40)] {
        let name =
            format!("123456789012_vpcflowlogs_eu-west-3_fl-b2_20230928T{hour:02}{minute:02}Z_0badcafe.log");
        put(&folder, &format!("fl-b2/{name}"), format!("{HEADER}\n"));
    }
    folder
}

#[test]
fn what_is_missing_is_said() {
    let folder = incomplete();
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "null"]).run().exit_code(2);
    for line in [
        "42 records = 40 flows + 0 NODATA + 2 SKIPDATA (evidence missing); 44 header lines, 2 bad lines\n",
        "SKIPDATA: - 2023-09-28 00:25:00 to 00:26:00 (evidence missing)\n",
        "Missing slots: fl-a1: 4 of 24: 2023-09-28 00:15, 2023-09-28 00:35 to 00:40, 2023-09-28 01:40\n",
    ] {
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
    assert!(!run.stderr.contains("fl-b2: "), "{}", run.stderr);

    let run = Tool::flowdump().arg(folder.path()).arg("--stats=json").run().exit_code(2);
    let stats = account(&run);
    assert_eq!(stats["missing_slots"]["total"], 4);
    let gap = &stats["missing_slots"]["gaps"][1];
    assert_eq!((&gap["flow_log"], &gap["slots"]), (&"fl-a1".into(), &2.into()));
    assert_eq!(gap["first"], "2023-09-28T00:35:00.000Z");
    assert_eq!(gap["last"], "2023-09-28T00:40:00.000Z");
    assert_eq!(
        (&stats["skipdata"]["total"], &stats["skipdata"]["rows"][0]["interface"]),
        (&2.into(), &Value::Null)
    );
    assert_eq!(stats["bad_lines"]["total"], 2);
    assert_eq!(stats["bad_lines"]["lines"][0]["line"], 3);
    assert_eq!(stats["bad_lines"]["lines"][0]["why"], "2 columns, header names 11");
    let origin = &stats["origins"][1];
    assert_eq!((&origin["flow_log"], &origin["files"]), (&"fl-b2".into(), &24.into()));
    assert_eq!((&origin["slots"]["expected"], &origin["slots"]["missing"]), (&24.into(), &0.into()));
    assert_eq!(origin["first"], "2023-09-28T00:00:00.000Z");
    assert_eq!(origin["last"], "2023-09-28T01:55:10.000Z");
    // Only slots that the window would read are missed, and none between files that were named.
    let within = ["-t", "2023-09-28T01:10/01:15", "--stats=json"];
    let stats = account(&Tool::flowdump().arg(folder.path()).args(within).run().success());
    assert_eq!((&stats["missing_slots"]["total"], &stats["files"]), (&0.into(), &20.into()));
    let named = files_in(&folder.join("fl-a1")).into_iter().map(|(_, path)| path);
    let stats = account(&Tool::flowdump().args(named).arg("--stats=json").run().exit_code(2));
    assert_eq!(stats["missing_slots"]["total"], 0);
}

#[test]
fn strict_makes_missing_evidence_an_error() {
    let folder = TempDir::new();
    let copy = |from: &Path| {
        let name = from.file_name().unwrap().to_str().unwrap();
        folder.file(name, std::fs::read(from).unwrap())
    };
    let logs = files();
    let whole = copy(&logs[0]);
    let run = |words: &[&str]| Tool::flowdump().arg(folder.path()).args(words).run();
    let quiet = run(&["-q", "-o", "null", "--strict"]).success();
    assert_eq!(quiet.stderr, "");
    copy(&logs[4]);
    for words in [&["-q", "-o", "null"][..], &["-I", "-q"], &["-g"]] {
        run(words).success();
        let strict = run(&[words, &["--strict"]].concat()).exit_code(2);
        assert_eq!(strict.stderr, "flowdump: --strict: evidence is missing: slots without a file: 3\n");
    }
    let outside = run(&["-q", "-o", "null", "--strict", "-t", "2001-01-01/2001-01-02"]).exit_code(2);
    assert!(outside.stderr.contains("no file is of the window"), "{}", outside.stderr);
    let lost = format!("{HEADER}\n- - - - - - - 1695921755 1695921815 - SKIPDATA\n");
    std::fs::write(&whole, lost).unwrap();
    let strict = run(&["-q", "-o", "null", "--strict"]).exit_code(2);
    assert!(strict.stderr.contains("SKIPDATA: 1, slots without a file: 3"), "{}", strict.stderr);
}

#[test]
fn the_account_goes_where_the_records_do_not() {
    let folder = TempDir::new();
    let run = |words: &[&str]| Tool::flowdump().arg(testdata("lab/logs")).args(words).run();
    let table = run(&["--stats"]).success();
    assert!(table.stdout.contains("          27  NODATA\n") && table.stderr.is_empty(), "{}", table.stdout);
    assert!(table.stdout.contains("fl-0c5d1e9ab37f4420d: 31 files, "), "{}", table.stdout);
    let beside = run(&["--stats", "-o", "csv", "-c", "1"]).success();
    assert!(beside.stdout.starts_with("first,") && beside.stderr.contains("  files\n"), "{}", beside.stderr);
    let ranked = run(&["--stats=json", "-s", "dstport"]).success();
    assert!(ranked.stdout.contains("Top 10") && ranked.stderr.starts_with('{'), "{}", ranked.stderr);
    let file = folder.join("a.flow");
    let written = run(&["--stats=json", "-w", file.to_str().unwrap(), "action reject"]).success();
    let stats = account(&written);
    assert_eq!((&stats["records"], &stats["matched"]["records"]), (&2557.into(), &1173.into()));
    assert_eq!(stats["nodata"], 27);
    for (words, advice) in
        [(["--stats=xml", "-q"], "expected table or json"), (["--stats", "-I"], "another report")]
    {
        let said = run(&words).exit_code(2).stderr;
        assert!(said.contains(advice), "{said}");
    }
}
