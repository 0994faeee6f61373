//! Days of flow logs at their real size, made by the corpus' `tools/make_vpc_lab.py`, whose `truth.json` says what an analyst
//! must find. Each number comes out of a plain command.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flow_tests::harness::{TempDir, Tool, corpus, files_in, numbers_before, peer, tool_available};
use flow_tests::vantage::{Options, Vantages};
use serde_json::Value;

use crate::completeness::same_with_all_files;
use crate::{bytes, time};

/// A laboratory in a folder: its logs and its truth.
pub(crate) struct Lab {
    _folder: TempDir,
    pub(crate) logs: PathBuf,
    pub(crate) truth: Value,
}

impl Lab {
    /// Made with these options, if the corpus and Python are there; the logs are in the folder of this name.
    pub(crate) fn make(logs: &str, options: &[&str]) -> Option<Self> {
        let script = corpus()?.join("tools/make_vpc_lab.py");
        if !tool_available("python3") {
            return None;
        }
        let folder = TempDir::new();
        let out = [script.as_os_str(), "--out".as_ref(), folder.path().as_os_str()];
        peer("python3", out.into_iter().chain(options.iter().map(AsRef::as_ref)));
        let truth = std::fs::read_to_string(folder.join("truth.json")).unwrap();
        let truth = serde_json::from_str(&truth).unwrap();
        Some(Self { logs: folder.join(logs), truth, _folder: folder })
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.truth[name].as_u64().unwrap_or_else(|| panic!("truth.json has no number {name}"))
    }

    /// The logs of the victim's interface, and the capture made on it, whose clock is 37 s ahead; each lacks a few
    /// connections of the other.
    pub(crate) fn vantages(&self, gateway: Option<&str>) -> Vantages {
        let mut text = String::new();
        for (_, file) in files_in(&self.logs) {
            MultiGzDecoder::new(File::open(file).unwrap()).read_to_string(&mut text).unwrap();
        }
        let host = self.truth["victim"].as_str().unwrap().parse().unwrap();
        let options = Options { ahead: 37, gateway: gateway.map(|addr| addr.parse().unwrap()) };
        Vantages::of(text.lines(), host, options)
    }

    fn records(&self, words: &[&str]) -> Vec<Value> {
        Tool::flowdump().arg(&self.logs).args(["-o", "ndjson", "-q"]).args(words).run().success().ndjson()
    }

    /// What the summary of a command says.
    fn summary(&self, words: &[&str]) -> String {
        Tool::flowdump().arg(&self.logs).args(["-o", "null"]).args(words).run().success().stderr
    }

    #[track_caller]
    fn assert_says(&self, words: &[&str], number: &str, word: &str) {
        let (text, expected) = (self.summary(words), self.number(number));
        let numbers = numbers_before(&text, word);
        assert!(numbers.contains(&expected), "{numbers:?} before {word}, not {expected}:\n{text}");
    }

    #[track_caller]
    fn assert_bytes(&self, filter: &str, number: &str) {
        assert_eq!(bytes(&self.records(&["-A", "proto", filter])), self.number(number), "{filter}");
    }
}

/// All numbers of `truth.json`.
fn assert_truth(lab: &Lab) {
    for (number, word) in [
        ("files", "files"),
        ("records", "records"),
        ("header_lines", "header"),
        ("nodata", "NODATA"),
        ("skipdata", "SKIPDATA"),
    ] {
        lab.assert_says(&[], number, word);
    }
    lab.assert_says(&["--dedup"], "internal_copies", "copies");
    let attacker = lab.truth["attacker"].as_str().unwrap();
    let of_attacker = format!("ip {attacker}");
    let attack = lab.records(&[&of_attacker]);
    assert_eq!(attack.len() as u64, lab.number("attacker_records"));
    let starts = || attack.iter().map(|record| time(record, "first"));
    assert_eq!(starts().min().as_deref(), lab.truth["attacker_first_start"]["utc"].as_str());
    assert_eq!(starts().max().as_deref(), lab.truth["attacker_last_start"]["utc"].as_str());
    for (port, count) in lab.truth["attacker_records_by_service_port"].as_object().unwrap() {
        let filter = format!("{of_attacker} and port {port}");
        assert_eq!(Some(lab.records(&[&filter]).len() as u64), count.as_u64(), "{filter}");
    }
    lab.assert_bytes(&format!("dst ip {attacker} and dst port 8889"), "bytes_to_8889");
    lab.assert_bytes(&format!("dst ip {attacker} and src port 80"), "bytes_from_80");
    lab.assert_bytes("any", "bytes");
    let actions = lab.records(&["-A", "action"]);
    for (action, number) in [("ACCEPT", "accept"), ("REJECT", "reject")] {
        let row = actions.iter().find(|row| row["action"] == action).unwrap();
        assert_eq!(row["aggr_flows"].as_u64(), Some(lab.number(number)), "{action}");
    }
    assert_eq!(crate::sum(&actions, "in_packets"), lab.number("packets"));
    let copies = lab.number("bytes") - bytes(&lab.records(&["--dedup", "-A", "proto"]));
    assert_eq!(copies, lab.number("internal_copy_bytes"));
}

#[test]
fn a_day_of_logs_gives_its_known_numbers() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    assert_eq!((lab.number("internal_copies"), lab.number("internal_copy_bytes")), (31_199, 452_758_478));
    assert_truth(&lab);
    let (likely, folded) = (lab.summary(&[]), lab.summary(&["--dedup"]));
    assert!(
        likely.contains("\n31199 records may be copies") && likely.contains("--dedup counts them once"),
        "{likely}"
    );
    assert!(
        folded.contains("Folded 31199 copies, 452758478 bytes") && !folded.contains("may be"),
        "{folded}"
    );
    // What the summary says of a filter is about what matches: an interface has no copies of its own rows.
    let victim = lab.truth["victim"].as_str().unwrap();
    let own = lab.records(&["-A", "interface", &format!("src ip {victim} and direction egress")]);
    let interface = format!("interface {}", own[0]["interface_id"].as_str().unwrap());
    assert_eq!(lab.records(&[&interface]).len(), lab.records(&[&interface, "--dedup"]).len());
}

#[test]
fn other_days_and_other_packings_give_their_known_numbers() {
    for options in [&["--seed", "1"][..], &["--seed", "2"], &["--multi-member"]] {
        let Some(lab) = Lab::make("20230928", options) else { return };
        assert_truth(&lab);
    }
}

#[test]
fn three_times_the_volume_gives_three_times_the_numbers() {
    let Some(lab) = Lab::make("20230928", &["--scale", "3"]) else { return };
    assert_truth(&lab);
}

#[test]
fn connections_of_the_attack_have_their_initiator() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    let (attacker, victim) = (lab.truth["attacker"].as_str().unwrap(), lab.truth["victim"].as_str().unwrap());
    let shell = lab.records(&["--stitch", &format!("ip {attacker} and port 22 and port 38504")]);
    assert_eq!(shell.len(), 1);
    assert_eq!(
        (shell[0]["src4_addr"].as_str(), shell[0]["aggr_flows"].as_u64()),
        (Some(attacker), Some(380))
    );
    let drain = lab.records(&["--stitch", &format!("ip {attacker} and port 8889")]);
    assert!(drain.iter().all(|record| record["src4_addr"] == victim && record["dst_port"] == 8889));
    assert!(drain.iter().all(|record| record["conn_state"] == "accepted"));
    assert_eq!(crate::sum(&drain, "in_bytes"), lab.number("bytes_to_8889"));
    let refused = lab.records(&["--stitch", "-P", "connstate refused and action REJECT"]);
    assert_eq!(crate::sum(&refused, "aggr_flows"), lab.number("reject"));
}

/// What a connection of `truth.json` is: initiator, responder, port, and bytes to and from the responder.
fn movement(truth: &Value) -> (String, String, u64, u64, u64, u64) {
    let text = |name: &str| truth[name].as_str().unwrap().to_owned();
    let number = |name: &str| truth[name].as_u64().unwrap();
    let bytes = (number("bytes_to_dst"), number("bytes_to_src"));
    (text("src"), text("dst"), number("dstport"), number("connections"), bytes.0, bytes.1)
}

#[test]
fn lateral_movement_comes_out_of_two_commands() {
    let Some(lab) = Lab::make("logs", &["--scenario", "lateral"]) else { return };
    let pivot = lab.truth["pivot"].as_str().unwrap();

    // Who came in by RDP, and stayed?
    let initial = &lab.truth["initial_access"];
    let filter = format!("ip {pivot} and port 3389");
    let entry =
        lab.records(&["--stitch", "--dedup", "-P", &format!("dst ip {pivot} and bytes > 1M"), &filter]);
    assert_eq!(entry.len(), 1, "{entry:?}");
    let session = &initial["session"];
    assert_eq!((&entry[0]["src4_addr"], &entry[0]["src_port"]), (&initial["src"], &session["source_port"]));
    assert_eq!(
        (&entry[0]["in_bytes"], &entry[0]["out_bytes"]),
        (&session["bytes_to_server"], &session["bytes_to_client"])
    );
    assert_eq!(Some(time(&entry[0], "first").as_str()), session["start"].as_str());

    // Where did it go from there?
    let ports = format!("ip {pivot} and port in [445 3389 5985]");
    let onward =
        lab.records(&["--stitch", "--dedup", "-O", "tstart", "-P", &format!("src ip {pivot}"), &ports]);
    for truth in lab.truth["lateral_movement"].as_array().unwrap() {
        let (src, dst, port, connections, to, back) = movement(truth);
        let is_it = |record: &&Value| record["dst4_addr"] == dst.as_str() && record["dst_port"] == port;
        let found: Vec<Value> = onward.iter().filter(is_it).cloned().collect();
        assert_eq!(found.len() as u64, connections, "{src} {dst} {port}");
        assert!(
            found
                .iter()
                .all(|record| record["src4_addr"] == src.as_str() && record["conn_state"] == "accepted")
        );
        assert_eq!((crate::sum(&found, "in_bytes"), crate::sum(&found, "out_bytes")), (to, back));
        assert_eq!(
            found.iter().map(|record| time(record, "first")).min().as_deref(),
            truth["first_start"].as_str()
        );
        assert_eq!(
            found.iter().map(|record| time(record, "last")).max().as_deref(),
            truth["last_end"].as_str()
        );
    }
    for refused in lab.truth["sweep"]["refused"].as_array().unwrap() {
        let is_refused = |record: &Value| {
            record["dst4_addr"] == *refused && record["conn_state"] == "refused" && record["dst_port"] == 445
        };
        assert!(onward.iter().any(is_refused), "{refused}");
    }
}

/// Copies are folded within memory, and a bound that is too small is named.
#[test]
fn memory_has_a_limit_for_copies_and_connections() {
    let Some(lab) = Lab::make("logs", &["--scenario", "lateral"]) else { return };
    let logs: &Path = &lab.logs;
    for (option, what) in
        [("--dedup", "among which copies are looked for"), ("--stitch", "to be joined to connections")]
    {
        let run = Tool::flowdump().arg(logs).args([option, "--memory", "100K", "-q"]).run().exit_code(2);
        let error = run.one_line_error("flowdump").to_owned();
        assert!(error.contains(what) && error.contains("102.4 kB"), "{error}");
    }
}

#[test]
fn a_window_of_a_day_opens_few_files_and_misses_no_record() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    for (window, fewest) in [
        ("2023-09-28T17:20/18:00", 500),
        ("2023-09-28T00:00/00:01", 500),
        ("2023-09-28T23:50", 500),
        ("/2023-09-28T03:00", 400),
    ] {
        let outside = same_with_all_files(&lab.logs, window);
        assert!(outside >= fewest, "{window}: {outside}");
    }
}
