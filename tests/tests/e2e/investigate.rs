//! `flowdump investigate`: the report as a person reads it, and its numbers against the truth of the laboratories.

use flow_tests::harness::{Tool, assert_golden, testdata};

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
    ] {
        let run = Tool::flowdump().arg("investigate").args(words).run().exit_code(2);
        let error = run.one_line_error("flowdump");
        assert!(error.contains(why), "{words:?}: {error}");
    }
}
