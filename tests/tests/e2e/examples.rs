//! The examples of the libraries, run as their documentation says.

use std::process::Command;

use flow_tests::harness::{TempDir, testdata};

fn example(package: &str, name: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", package, "--example", name, "--"])
        .args(arguments)
        .current_dir(testdata(".."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn matching_flows_lists_what_left_for_port_8889() {
    let text = example(
        "flowcore",
        "matching_flows",
        &["testdata/lab/logs", "dst ip 203.0.113.66 and dst port 8889"],
    );
    assert_eq!(text.lines().count(), 24, "{text}");
    assert!(text.lines().all(|line| line.starts_with("10.77.4.20 -> 203.0.113.66 ")), "{text}");
}

#[test]
fn top_senders_names_the_drained_server_first() {
    let text = example("flowcore", "top_senders", &["testdata/lab/logs", "dst ip 203.0.113.66"]);
    assert!(text.trim_start().starts_with("10.77.4.20 "), "{text}");
    assert!(text.ends_with("2557 records read, 0 problems\n"), "{text}");
}

#[test]
fn convert_accounts_for_every_frame() {
    let folder = TempDir::new();
    let output = folder.join("attack.flow");
    let text = example("pcap2flow", "convert", &["testdata/lab/attack.pcap", output.to_str().unwrap()]);
    assert_eq!(text, "2816 frames = 2786 used + 30 skipped\n  30 arp\n231 flows\n");
    assert_eq!(folder.names(), ["attack.flow"]);
}
