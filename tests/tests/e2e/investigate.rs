//! `flowdump investigate`: the report as a person reads it, and its numbers against the truth of the laboratories.

use flow_tests::harness::{TempDir, Tool, assert_golden, files_in, testdata};

use crate::vpc_lab::Lab;

/// What the report says, input by input.
fn report(words: &[&str]) -> String {
    Tool::flowdump().arg("investigate").args(words).run().success().stdout
}

/// The words of the first line of the report that begins with these.
#[track_caller]
fn row<'a>(text: &'a str, beginning: &[&str]) -> Vec<&'a str> {
    let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let found = lines.find(|words| words.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no line begins with {beginning:?}:\n{text}"))
}

/// The lines below the one that begins so, up to an empty one.
fn section<'a>(text: &'a str, beginning: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| !line.starts_with(beginning)).skip(1);
    lines.take_while(|line| !line.is_empty()).collect()
}

/// The golden file is the page of the report for the committed laboratory: capture and logs agree, as its story says.
#[test]
fn the_laboratory_is_told_as_its_story_goes() {
    let words = ["investigate", "203.0.113.66", "lab/logs", "lab/attack.pcap"];
    let text = Tool::flowdump().in_folder(&testdata("")).args(words).run().success().stdout;
    assert_golden("investigate/lab.txt", &text);
    let [logs, capture] = ["== lab/logs ==", "== lab/attack.pcap =="].map(|name| {
        let (_, text) = text.split_once(name).unwrap();
        ["tcp/8889", "tcp/80", "tcp/22"].map(|service| row(text, &[service])[4..9].join(" "))
    });
    assert_eq!(logs, capture, "connections, outcome, bytes each way");
}

#[test]
fn a_day_of_logs_is_told_right() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    let attacker = lab.truth["attacker"].as_str().unwrap();
    let text = report(&[attacker, lab.logs.to_str().unwrap()]);
    let time = |name: &str| lab.truth[name]["utc"].as_str().unwrap();
    let window = row(&text, &["Window"]);
    assert_eq!(
        window[1..4].join(" "),
        format!("{} to {},", time("attacker_first_start"), time("attacker_last_start"))
    );
    assert_eq!(row(&text, &["Counts"])[1], lab.number("attacker_records").to_string());
    let services = section(&text, "Services: ");
    assert_eq!(services.len(), 7, "a heading, three services, three sentences:\n{text}");
    let (uploaded, downloaded) = (lab.number("bytes_to_8889"), lab.number("bytes_from_80"));
    let drain = row(&text, &["tcp/8889", "unregistered", "responder"]);
    assert_eq!(drain[7], uploaded.to_string());
    let web = row(&text, &["tcp/80", "http", "initiator"]);
    assert!(web.contains(&downloaded.to_string().as_str()), "{web:?}");
    row(&text, &["tcp/22", "ssh", "initiator"]);
    let victim = drain[3];
    assert!(text.contains(&format!(": an upload from {victim} to {attacker}")), "{text}");
    assert!(text.contains(&format!("tcp/8889 (unregistered): {victim} began")), "{text}");
    assert_eq!(section(&text, "Second hops"), ["  none"]);
}

/// The services of a part of a report: protocol and port, sorted.
fn services(text: &str) -> Vec<&str> {
    let rows = section(text, "Services: ").into_iter().skip(1).filter(|line| !line.starts_with("  - "));
    let mut names: Vec<&str> = rows.filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    names
}

/// Logs of a day and a capture of the victim whose clock is off: each is told of by itself, then they are matched.
#[test]
fn the_capture_of_the_victim_confirms_the_logs() {
    let Some(lab) = Lab::make("20230928", &[]) else { return };
    let folder = TempDir::new();
    let capture = folder.file("victim.pcap", &lab.vantages(None).capture);
    let attacker = lab.truth["attacker"].as_str().unwrap();
    let text = report(&[attacker, lab.logs.to_str().unwrap(), capture.to_str().unwrap()]);
    let (logs, rest) = text.split_once("victim.pcap ==").unwrap();
    let (capture, together) = rest.split_once("\n== ").unwrap();
    assert_eq!(row(logs, &["Counts"])[1], lab.number("attacker_records").to_string());
    for part in [logs, capture] {
        assert_eq!(services(part), ["tcp/22", "tcp/80", "tcp/8889"]);
        let drain = row(part, &["tcp/8889", "unregistered", "responder"]);
        assert_eq!(drain[3], lab.truth["victim"].as_str().unwrap());
    }
    // The capture lacks one connection in fifty.
    let drained: u64 = row(capture, &["tcp/8889", "unregistered", "responder"])[7].parse().unwrap();
    let whole = lab.number("bytes_to_8889");
    assert!(drained <= whole && drained > whole / 10 * 8, "{drained} of {whole}");
    assert!(
        together.contains("is 37.0 s ahead of that of") || together.contains("is 37.0 s behind that of"),
        "{together}"
    );
}

#[test]
fn lateral_movement_is_a_chain_without_a_false_hop() {
    let Some(lab) = Lab::make("logs", &["--scenario", "lateral"]) else { return };
    let initial = &lab.truth["initial_access"];
    let text = report(&[initial["src"].as_str().unwrap(), lab.logs.to_str().unwrap()]);

    let pivot = lab.truth["pivot"].as_str().unwrap();
    let entry = row(section(&text, "Reached").join("\n").as_str(), &[pivot, "tcp/3389"]).join(" ");
    let session = &initial["session"];
    let number = |value: &serde_json::Value| value.as_u64().unwrap().to_string();
    let told = [
        number(&initial["connections"]),
        session["start"].as_str().unwrap().to_owned(),
        number(&session["bytes_to_server"]),
        number(&session["bytes_to_client"]),
    ];
    assert!(told.iter().all(|word| entry.split(' ').any(|other| other == word)), "{told:?}: {entry}");

    let hops: Vec<String> = section(&text, "Second hops")[1..]
        .iter()
        .map(|line| line.split_whitespace().take(9).collect::<Vec<_>>().join(" "))
        .collect();
    let movements = lab.truth["lateral_movement"].as_array().unwrap().iter();
    let right: Vec<String> = movements
        .map(|truth| {
            let text = |name: &str| truth[name].as_str().unwrap();
            format!(
                "1 {} {} {} {} tcp/{} {} {} {}",
                text("first_start"),
                text("last_end"),
                text("src"),
                text("dst"),
                truth["dstport"],
                truth["connections"],
                truth["bytes_to_dst"],
                truth["bytes_to_src"]
            )
        })
        .collect();
    assert_eq!(hops, right);
}

/// The sums of the services are those of the subject's records without copies: no connection is left out.
#[test]
fn services_add_up_to_everything() {
    let logs = testdata("lab/logs");
    let logs = logs.to_str().unwrap();
    for host in ["10.77.4.20", "10.77.0.0/16", "203.0.113.66", "0.0.0.0/0"] {
        let text = report(&[host, logs]);
        let filter = format!("ip {host}");
        let rows = ["-A", "proto", "-o", "ndjson", "-q", "--dedup", &filter];
        let all = Tool::flowdump().arg(logs).args(rows).run().success().ndjson();
        let counts = row(&text, &["Counts"]).join(" ");
        let told = format!("{} packets, {} bytes,", crate::packets(&all), crate::bytes(&all));
        assert!(counts.contains(&told), "{host}: {counts}, not {told}");
    }
}

/// A victim is of one's own network wherever it is, and looked at as a host is; its attacker is what it does not reach.
#[test]
fn a_victim_is_looked_at_from_inside() {
    let logs = testdata("lab/logs");
    let logs = logs.to_str().unwrap();
    let (host, victim) = (report(&["203.0.113.66", logs]), report(&["--victim", "203.0.113.66", logs]));
    let upload = "exfiltration: 10.77.4.20 began 8 connections to tcp/8889";
    assert!(
        host.contains(upload) && !victim.contains(upload),
        "what goes to a host of one's own has not left"
    );
    assert_eq!(row(&host, &["Counts"]), row(&victim, &["Counts"]));
    assert_eq!(services(&host), services(&victim));
    let told = report(&["--victim", "10.77.4.20", logs]);
    assert!(told.contains(upload), "{told}");
    assert!(told.contains("brute-force: 203.0.113.66 made 10 short connections to ssh"), "{told}");
    assert!(!told.contains("brute-force: 10.77.4.20"), "an application asks its database: {told}");
}

#[test]
fn what_is_allowed_is_no_finding() {
    let logs = testdata("lab/logs");
    let words = ["203.0.113.66", logs.to_str().unwrap()];
    let found = |words: &[&str]| {
        let text = report(words);
        let lines: Vec<String> = section(&text, "Findings").into_iter().map(str::to_owned).collect();
        (row(&text, &["Counts"]).join(" "), lines)
    };
    let (counts, findings) = found(&words);
    let allowed = found(&[&words[..], &["--allow", "203.0.113.0/24"]].concat());
    assert!(findings.len() > 5, "{findings:?}");
    assert_eq!(allowed, (counts, vec!["  none".to_owned()]), "findings go, counts stay");
}

/// A shell writes out the files of a log: they are told of as one input, as their folder is.
#[test]
fn files_of_a_log_are_told_of_as_their_folder() {
    let logs = testdata("lab/logs");
    let files: Vec<String> =
        files_in(&logs).into_iter().map(|(_, file)| file.to_str().unwrap().to_owned()).collect();
    let of = |words: &[&str]| {
        let text = report(&[&["203.0.113.66"], words].concat());
        let (report, _evidence) = text.split_once("\n== Evidence").unwrap();
        report.to_owned()
    };
    let all: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(of(&all), of(&[logs.to_str().unwrap()]));
    let few = of(&all[..12]);
    assert!(few.contains(&format!("\n== {} + 11 ==\n", all[0])), "{few}");
}

#[test]
fn a_window_and_mistakes() {
    let logs = testdata("lab/logs");
    let logs = logs.to_str().unwrap();
    let text = report(&["203.0.113.66", logs, "--since", "2024-03-12T15:19", "--until", "2024-03-12T15:57"]);
    assert!(text.contains("tcp/8889") && !text.contains("tcp/80 "), "{text}");
    let nobody = report(&["198.18.77.7", logs]);
    assert!(nobody.contains("no record of it") && !nobody.contains("Services"), "{nobody}");
    for (words, why) in [
        (&["203.0.113.66"][..], "no input"),
        (&[logs], "no host"),
        (&["203.0.113.66", "no-such-folder"], "no-such-folder"),
        (&["203.0.113.66", logs, "--memory", "10K"], "--since"),
        (&["203.0.113.66", logs, "-E"], "-E: no such option; flowdump investigate --help lists all"),
    ] {
        let run = Tool::flowdump().arg("investigate").args(words).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(why), "{words:?}: {error}");
    }
}
