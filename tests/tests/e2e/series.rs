//! `--every`: counters by time add up to the list, and empty intervals are there.

use flow_tests::harness::{TempDir, Tool, testdata};
use serde_json::Value;

use super::{bytes, packets, sum};

fn lab(arguments: &[&str]) -> Tool {
    Tool::flowdump().arg(testdata("lab")).args(arguments)
}

#[test]
fn intervals_add_up_to_the_list_whatever_their_length_and_the_filter() {
    for filter in ["any", "dst port 8889", "action reject", "ip 203.0.113.66 and bytes > 1k"] {
        let list = lab(&["-o", "json", filter]).run().success().json();
        for interval in ["7s", "5m", "1h", "1d"] {
            let rows = lab(&["--every", interval, "-o", "json", filter]).run().success().json();
            let flows: u64 = list.iter().map(|record| record["aggr_flows"].as_u64().unwrap_or(1)).sum();
            assert_eq!(sum(&rows, "flows"), flows, "{interval} {filter}");
            assert_eq!(sum(&rows, "packets"), packets(&list), "{interval} {filter}");
            assert_eq!(sum(&rows, "bytes"), bytes(&list), "{interval} {filter}");
        }
    }
}

#[test]
fn a_row_holds_what_starts_in_it() {
    let rows = lab(&["--every", "5m", "-o", "ndjson", "dst port 8889"]).run().success().ndjson();
    let list = lab(&["-o", "json", "dst port 8889"]).run().success().json();
    let starts: Vec<String> = list.iter().map(|record| super::time(record, "first")).collect();
    let mut before = None;
    for row in &rows {
        let start = super::time(row, "start");
        assert!(start.ends_with("0:00Z") || start.ends_with("5:00Z"), "{start}");
        let minute = |text: &str| text[14..16].parse::<u32>().unwrap() / 5;
        let inside = starts.iter().filter(|time| time[..14] == start[..14] && minute(time) == minute(&start));
        assert_eq!(row["flows"].as_u64().unwrap(), inside.count() as u64, "{row}");
        assert!(before.replace(start.clone()) < Some(start), "{row}");
    }
    assert!(rows[0]["flows"] != 0 && rows[rows.len() - 1]["flows"] != 0);
}

#[test]
fn intervals_without_a_record_are_zeros() {
    let folder = TempDir::new();
    let log =
        "srcaddr bytes packets start end\n10.0.0.1 600 6 60 61\n10.0.0.1 40 1 250 260\n10.0.0.2 9 1 - -\n";
    let log = folder.file("a.log", log);
    let run = Tool::flowdump().arg(&log).args(["--every", "1m", "-o", "csv"]).run().success();
    assert_eq!(
        run.stdout,
        "start,flows,packets,bytes,pps,bps\r\n\
         1970-01-01T00:01:00.000Z,1,6,600,0,80\r\n\
         1970-01-01T00:02:00.000Z,0,0,0,0,0\r\n\
         1970-01-01T00:03:00.000Z,0,0,0,0,0\r\n\
         1970-01-01T00:04:00.000Z,1,1,40,0,5\r\n"
    );
    let uncounted = "Not counted by --every: 1 of 3 matching records, which have no start";
    assert!(run.stderr.lines().any(|line| line == uncounted), "{}", run.stderr);
    let day = Tool::flowdump().arg(&log).args(["--every", "1d", "-q"]).run().success();
    assert!(day.stdout.starts_with("1970-01-01 00:00:00 "), "{}", day.stdout);
    assert_eq!((day.stdout.lines().count(), day.stderr.as_str()), (1, ""));
}

#[test]
fn every_format_has_it_and_a_pipe_gets_no_bars() {
    let rows = |arguments: &[&str]| lab(&[&["--every", "30m"], arguments].concat()).run().success().stdout;
    let text = rows(&[]);
    assert!(text.starts_with("Start (UTC)") && text.is_ascii() && !text.contains('#'), "{text}");
    assert_eq!(text.lines().count(), 6);
    assert_eq!(rows(&["-q"]).lines().count(), 5);
    assert!(rows(&["-N"]).contains(" 7326"), "{}", rows(&["-N"]));
    assert_eq!(rows(&["-o", "csv", "-q"]).lines().count(), 5);
    assert_eq!(rows(&["-o", "null"]), "");
    let json: Vec<Value> = serde_json::from_str(&rows(&["-o", "json"])).unwrap();
    assert_eq!((json.len(), rows(&["-o", "ndjson"]).lines().count()), (5, 5));

    let nothing = ["ip 1.2.3.4 and ip 5.6.7.8"];
    assert_eq!(rows(&[&["-o", "json"], &nothing[..]].concat()), "[]\n");
    assert_eq!(rows(&[&["-o", "ndjson"], &nothing[..]].concat()), "");
    assert_eq!(rows(&[&["-o", "csv"], &nothing[..]].concat()), "start,flows,packets,bytes,pps,bps\r\n");
    assert_eq!(rows(&[&nothing[..]].concat()).lines().count(), 1);

    let folder = TempDir::new();
    let file = folder.join("a.csv");
    assert_eq!(rows(&["-w", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), rows(&["-o", "csv"]));
}

#[test]
fn what_it_cannot_do_is_said() {
    let folder = TempDir::new();
    let flow = folder.join("a.flow");
    for (arguments, said) in [
        (&["--every", "5x"][..], "such as 30s, 5m, 1h, 1d"),
        (&["--every", "5m", "-s", "srcip"], "--every and -s are two reports"),
        (&["--every", "5m", "-A", "srcip"], "--every and -a, -A or -b are two reports"),
        (&["--every", "5m", "-n", "3"], "choose a window with -t"),
        (&["--every", "5m", "-O", "duration"], "flows, packets, bytes, pps, bps"),
        (&["--every", "5m", "-w", flow.to_str().unwrap()], "csv, json or ndjson"),
        (&["--every", "1ms"], "take 1s or more"),
    ] {
        let run = lab(arguments).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    assert!(folder.names().is_empty());
}
