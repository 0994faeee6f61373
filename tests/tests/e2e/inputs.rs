//! Folders and several inputs: everything is read once, and what cannot be read is named.

use flow_tests::harness::{Run, TempDir, Tool, numbers_before, testdata};

/// A log with this many good lines and bad ones.
fn log(good: usize, bad: usize) -> String {
    let good = "10.0.0.1 10.0.0.2 40 1695921755 1695921756\n".repeat(good);
    format!("srcaddr dstaddr bytes start end\n{good}{}", "10.0.0.1\n".repeat(bad))
}

fn summary(run: &Run, word: &str) -> Vec<u64> {
    numbers_before(&run.stderr, word)
}

#[cfg(unix)]
#[test]
fn links_back_and_pipes_do_not_hold_up_a_folder() {
    let folder = TempDir::new();
    folder.file("a.log", log(96, 0));
    for name in ["up", "up2"] {
        std::os::unix::fs::symlink(folder.path(), folder.join(name)).unwrap();
    }
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status();
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "null"]).run().exit_code(2);
    assert_eq!(summary(&run, "records"), [96], "{}", run.stderr);
    assert_eq!(run.stderr.matches("a link back to a folder").count(), 2, "{}", run.stderr);
    if made.is_ok_and(|status| status.success()) {
        assert!(run.stderr.contains("pipe: neither a file nor a folder"), "{}", run.stderr);
    }
}

#[test]
fn a_file_full_of_bad_lines_hides_no_other_problem() {
    let folder = TempDir::new();
    folder.file("a.log", log(1, 30));
    folder.file("b.gz", &std::fs::read(first_log()).unwrap()[..300]);
    folder.file("c.bin", b"\x00\x01\x02");
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "null"]).run().exit_code(2);
    assert_eq!(run.stderr.matches("a.log: line ").count(), 10, "{}", run.stderr);
    assert!(run.stderr.contains("b.gz: ") && run.stderr.contains("c.bin: unknown format"), "{}", run.stderr);
    assert!(run.stderr.contains("20 more problems, of 32 in all"), "{}", run.stderr);
    assert_eq!(summary(&run, "bad"), [30], "{}", run.stderr);
}

fn first_log() -> std::path::PathBuf {
    flow_tests::harness::files_in(&testdata("lab/logs")).remove(0).1
}

#[test]
fn names_decide_nothing_about_data() {
    let folder = TempDir::new();
    let capture = std::fs::read(testdata("lab/attack.pcap")).unwrap();
    folder.file("readme-host.pcap", &capture);
    folder.file("notes.md", &capture);
    folder.file("README", "about these captures");
    folder.file("aws-logs-write-test", "Permission Check Successful");
    folder.file(".hidden", "unfinished");
    let run = Tool::flowdump().arg(folder.path()).args(["-o", "null"]).run().success();
    assert!(
        run.stderr.contains("Inputs: 2 files") && run.stderr.contains(", 3 passed over"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("Frames: 5632 = "), "{}", run.stderr);
}

#[test]
fn a_bad_capture_stops_the_others_in_no_place() {
    let folder = TempDir::new();
    let bad = folder.file("bad.pcap", "no capture");
    let good = testdata("lab/attack.pcap");
    for (at, order) in [[&bad, &good], [&good, &bad]].into_iter().enumerate() {
        let output = folder.join(&format!("{at}.flow"));
        let run = Tool::pcap2flow().args(order).arg("-w").arg(&output).run().exit_code(2);
        assert!(
            run.stderr.contains("231 flows") && run.stderr.contains("bad.pcap: unknown format"),
            "{}",
            run.stderr
        );
        assert!(output.exists());
    }
    let none = folder.join("none.flow");
    Tool::pcap2flow().args([&bad, &bad]).arg("-w").arg(&none).run().exit_code(2);
    assert!(!none.exists());
}

#[test]
fn status_rows_stay_apart_in_flow_files() {
    let folder = TempDir::new();
    let file = folder.join("all.flow");
    let filter = "status in [ok nodata skipdata]";
    Tool::flowdump().arg(testdata("lab/logs")).arg("-w").arg(&file).arg(filter).run().success();
    let run = Tool::flowdump().arg(&file).args(["-o", "null"]).run().success();
    assert_eq!(
        (summary(&run, "records")[0], summary(&run, "NODATA"), summary(&run, "SKIPDATA")),
        (2557, vec![27], vec![1])
    );
    assert!(run.stderr.contains("total flows: 2529,"), "{}", run.stderr);
    let asked_for = Tool::flowdump().arg(&file).args(["-o", "json", "status skipdata"]).run().success();
    assert_eq!(asked_for.json().len(), 1);
    assert!(asked_for.stderr.contains("total flows: 0,"), "{}", asked_for.stderr);
}

#[test]
fn totals_are_of_whole_inputs_and_say_so() {
    Tool::flowdump().arg("-I").arg(testdata("lab")).arg("port 22").run().exit_code(2);
    let run = Tool::flowdump().arg("-I").arg(testdata("lab")).run().success();
    assert!(run.stdout.contains("Records: 2760\n"), "{}", run.stdout);
    assert!(
        run.stderr.contains("SKIPDATA (evidence missing)") && run.stderr.contains("Frames: 2816"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_summary_of_one_flow_is_its_row() {
    let folder = TempDir::new();
    let log = folder.file("one.log", "bytes packets start end\n2000 2 1695921755000 1695921755500\n");
    for input in [log, testdata("lab/attack.pcap")] {
        let run = Tool::flowdump().arg(&input).args(["-o", "extended", "-N", "-c", "1"]).run().success();
        let row: Vec<&str> = run.stdout.lines().nth(1).unwrap().split_whitespace().rev().take(4).collect();
        let expected = format!("avg bps: {}, avg pps: {}, avg bpp: {}", row[2], row[3], row[1]);
        assert!(run.stderr.contains(&expected), "{expected}\n{}", run.stderr);
    }
}

#[test]
fn bytes_read_are_those_of_the_file() {
    let folder = TempDir::new();
    let file = folder.join("lab.flow");
    Tool::pcap2flow().arg(testdata("lab/attack.pcap")).arg("-w").arg(&file).run().success();
    let run = Tool::flowdump().arg(&file).args(["-o", "json"]).run().success();
    let size = std::fs::metadata(&file).unwrap().len();
    let read: u64 = run.stderr.split("Bytes read: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    // What the index says of a block is not read again in front of it; in a small file that is a good part.
    assert!(read > size * 3 / 4 && read <= size * 2, "{read} of {size}");
}

#[test]
fn words_behind_two_dashes_are_the_filter() {
    let folder = TempDir::new();
    folder.file("tcp", "not a capture");
    let capture = testdata("lab/attack.pcap");
    let run = Tool::flowdump().arg(&capture).args(["-o", "ndjson", "--", "proto", "tcp"]).run().success();
    assert_eq!(run.ndjson().len(), 187);
    let run = Tool::flowdump().arg("-r").arg(&capture).arg(&capture).run().exit_code(2);
    assert!(run.one_line_error("flowdump").contains("give it -r too"), "{}", run.stderr);
}
