//! `pcap2flow --format nfdump`: a drop-in for `nfpcapd -r X -w DIR`.

use std::path::Path;

use flow_tests::harness::{Run, TempDir, Tool, files_in, peer, testdata, tool_available};

fn lab() -> Tool {
    Tool::pcap2flow().arg("-r").arg(testdata("lab/attack.pcap"))
}

fn into_folder(folder: &Path, options: &[&str]) -> Run {
    lab()
        .args(["--format", "nfdump", "-w"])
        .arg(format!("{}/", folder.display()))
        .args(options)
        .run()
        .success()
}

fn names(folder: &Path) -> Vec<String> {
    files_in(folder).into_iter().map(|(name, _)| name).collect()
}

/// The number of a compression in a file's header.
fn method(file: &Path) -> u8 {
    std::fs::read(file).unwrap()[16]
}

fn flows(input: &Path) -> Vec<serde_json::Value> {
    // -R with a file would read the later ones of its folder too.
    let option = if input.is_dir() { "-R" } else { "-r" };
    Tool::flowdump().arg(option).arg(input).args(["-q", "-o", "ndjson"]).run().success().ndjson()
}

#[test]
fn a_folder_is_what_nfdump_reads_and_what_flowdump_reads() {
    let folder = TempDir::new();
    let netflow = folder.join("new/exported-netflow");
    into_folder(&netflow, &["-t", "1800", "-I", "web-1"]);
    assert_eq!(names(&netflow)[0], "nfcapd.202403121400");
    assert_eq!(names(&netflow).len(), 5);
    let ours = flows(&netflow);
    assert_eq!(ours.len(), 231);
    assert!(ours.iter().all(|flow| flow["ident"] == "web-1"));
    if tool_available("nfdump") {
        let text = peer("nfdump", ["-R".as_ref(), netflow.as_os_str(), "-o".as_ref(), "fmt:%ibyt".as_ref()]);
        assert!(text.contains("total flows: 231,"), "{text}");
        let attack = ["-R".as_ref(), netflow.as_os_str(), "-N".as_ref(), "dst port 8889".as_ref()];
        let packets = |text: &str| {
            let after = text.split("total packets: ").nth(1).and_then(|rest| rest.split(',').next());
            after.and_then(|number| number.parse::<u64>().ok())
        };
        let same = Tool::flowdump().arg("-R").arg(&netflow).args(["-N", "dst port 8889"]).run().success();
        assert!(packets(&same.stderr).is_some_and(|count| count > 0), "{}", same.stderr);
        assert_eq!(packets(&peer("nfdump", attack)), packets(&same.stderr));
    }
}

#[test]
fn a_record_is_about_both_directions_or_one() {
    let folder = TempDir::new();
    let (two, one) = (folder.join("two.nf"), folder.join("one.nf"));
    lab().arg("-w").arg(&two).run().success();
    lab().arg("-w").arg(&one).arg("--uniflow").run().success();
    let (two, one) = (flows(&two), flows(&one));
    assert!(two.iter().any(|flow| flow["out_packets"].as_u64() > Some(0)));
    assert!(one.iter().all(|flow| flow.get("out_packets").is_none()));
    assert_eq!(super::packets(&one), super::packets(&two));
    assert_eq!(super::bytes(&one), super::bytes(&two));
    assert!(one.len() > two.len());
}

#[test]
fn names_and_compression_are_chosen_as_with_nfpcapd() {
    let folder = TempDir::new();
    into_folder(&folder.join("days"), &["-t", "1h", "-S", "1"]);
    assert!(folder.join("days/2024/03/12/nfcapd.202403121500").is_file());
    into_folder(&folder.join("local"), &["-t", "1h", "--tz", "local"]);
    assert_eq!(names(&folder.join("local"))[0], "nfcapd.202403121930");
    for (options, number) in [
        (&["-z=none"][..], 0),
        (&["-z=lzo"], 1),
        (&["-z=bz2"], 2),
        (&["-j"], 2),
        (&[], 3),
        (&["-z"], 3),
        (&["-y"], 3),
        (&["-z=lz4:9"], 3),
        (&["-z=zstd:7"], 4),
    ] {
        let file = folder.join("nfcapd.x");
        lab().arg("-w").arg(&file).args(options).arg("--force").run().success();
        assert_eq!(method(&file), number, "{options:?}");
        assert_eq!(flows(&file).len(), 231, "{options:?}");
    }
}

#[test]
fn a_second_run_adds_files() {
    let folder = TempDir::new();
    let netflow = folder.join("netflow");
    into_folder(&netflow, &["-t", "1d"]);
    let second = into_folder(&netflow, &["-t", "1d"]);
    assert_eq!(names(&netflow), ["nfcapd.202403120000", "nfcapd.202403120000.2"]);
    assert!(second.stderr.contains("nfcapd.202403120000 exists; wrote "), "{}", second.stderr);
    assert_eq!(flows(&netflow).len(), 2 * 231);
}

#[test]
fn what_has_no_place_is_said_once() {
    let folder = TempDir::new();
    let run = into_folder(&folder.join("a"), &["-t", "1800"]);
    let lines: Vec<&str> = run.stderr.lines().filter(|line| line.contains("no place")).collect();
    assert_eq!(
        lines,
        ["pcap2flow: nfdump files have no place for icmpid, minttl, maxttl; .flow files keep them"]
    );
    assert_eq!(into_folder(&folder.join("b"), &["-q"]).stderr, "");
    let zstd = into_folder(&folder.join("c"), &["-z=zstd"]);
    assert!(!zstd.stderr.contains("minttl"), "{}", zstd.stderr);
}

#[test]
fn a_pipe_is_refused() {
    let run = lab().args(["--format", "nfdump", "-w", "-"]).run().exit_code(2);
    let error = "pcap2flow: an nfdump file cannot be written to a pipe, as its beginning is written last; name a file or a \
                 folder with -w";
    assert_eq!(run.one_line_error("pcap2flow"), error);
}

#[test]
fn a_folder_without_flows_is_told() {
    let folder = TempDir::new();
    let run = into_folder(&folder.join("netflow"), &["-F", "ip 9.9.9.9"]);
    assert!(run.stderr.contains("pcap2flow: no flows, so no file is in "), "{}", run.stderr);
    assert!(names(&folder.join("netflow")).is_empty());
    assert_eq!(into_folder(&folder.join("netflow"), &["-F", "ip 9.9.9.9", "-q"]).stderr, "");
}

#[test]
fn methods_of_the_other_format_are_refused() {
    let folder = TempDir::new();
    for (file, method) in [("a.flow", "lzo"), ("a.nf", "zstd:20"), ("a.nf", "gzip")] {
        let run = lab().arg("-w").arg(folder.join(file)).arg(format!("-z={method}")).run().exit_code(2);
        assert!(run.stderr.contains(&format!("-z {method}: ")), "{}", run.stderr);
    }
    assert!(folder.names().is_empty());
}
