//! Captures of real attacks: the report says what happened. Each is a golden file, read by eye.

use flow_tests::harness::{Tool, assert_golden, corpus, skipped};

/// Capture, what the report is about, and what its first section has to say.
const ATTACKS: [(&str, &str, &str); 7] = [
    (
        "joy-kali-password-attack_hydra",
        "192.168.1.2",
        "brute-force: 192.168.1.2 made 7 short connections to ssh (port 22) of 192.168.1.3 ",
    ),
    (
        "zeek-bruteforce",
        "192.168.56.1",
        "brute-force: 192.168.56.1 made 30 short connections to ftp (port 21) of 192.168.56.101 ",
    ),
    ("nfstream-synscan", "172.16.0.8", "port-scan: 172.16.0.8 tried 1000 ports of 64.13.134.52 over TCP "),
    ("malcolm-scan_with_zero_windows", "10.0.0.1", "host-scan: 10.0.0.1 tried tcp/23 (telnet) of 10 hosts "),
    ("zeek-nmap-vsn", "192.168.1.71", "host-scan: 192.168.1.71 tried tcp/80 (http) of 7 hosts "),
    ("nfstream-dns_exfiltration", "192.168.220.56", "dns-tunnel: 192.168.220.56 asked udp/53 (domain) "),
    ("zeek-dhcp_flood", "128.2.0.0/16", "flood: 250 sources asked 250 hosts for a lease over udp/67 "),
];

#[test]
fn attacks_are_called_by_their_names() {
    let Some(corpus) = corpus() else { return skipped("captures of attacks: no FLOW_CORPUS") };
    for (name, subject, what) in ATTACKS {
        let words = ["investigate", subject, &format!("{name}.pcap")].map(str::to_owned);
        let run = Tool::flowdump().in_folder(&corpus.join("captures")).args(words).run().success();
        let short = run.stdout.split("\n== ").nth(1).unwrap();
        assert!(short.contains(what), "{name}: {short}");
        assert_golden(&format!("investigate/{name}.txt"), &run.stdout);
    }
}
