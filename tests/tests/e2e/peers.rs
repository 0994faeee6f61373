//! Other people's tools on the same packets: tshark judges the laboratory's capture, nfpcapd and nfdump count it.

use flow_tests::capture::Layout;
use flow_tests::harness::{TempDir, Tool, peer, testdata, tool_available};
use flow_tests::lab::{ATTACKER, Lab};

use crate::{bytes, packets};

#[test]
fn tshark_finds_the_same_packets_and_nothing_wrong_with_them() {
    if !tool_available("tshark") {
        return;
    }
    let capture = testdata("lab/attack.pcap");
    let tshark = |filter: &str, fields: &[&str]| {
        let fields = fields.iter().flat_map(|field| ["-e", *field]);
        let checks = ["tcp.check_checksum", "udp.check_checksum", "ip.check_checksum"];
        let checks = checks.iter().flat_map(|check| ["-o".to_owned(), format!("{check}:TRUE")]);
        let arguments = ["-n", "-Y", filter, "-T", "fields"].into_iter().chain(fields).map(str::to_owned);
        let input = ["-r".to_owned(), capture.display().to_string()];
        peer("tshark", input.into_iter().chain(checks).chain(arguments))
    };
    let bad = "_ws.malformed or tcp.checksum.status == 0 or udp.checksum.status == 0 or \
               ip.checksum.status == 0 or icmp.checksum.status == 0";
    assert_eq!(tshark(bad, &["frame.number"]), "");

    let lengths = tshark("ip or ipv6", &["ip.len", "ipv6.plen"]);
    let ip_bytes = lengths.lines().map(|line| match line.split_once('\t') {
        Some(("", after_header)) => 40 + after_header.parse::<u64>().unwrap(),
        Some((total, _)) => total.parse().unwrap(),
        None => panic!("two columns were expected: {line}"),
    });
    let ours = Tool::flowdump().arg(&capture).args(["-o", "json"]).run().success().json();
    assert_eq!(packets(&ours), lengths.lines().count() as u64);
    assert_eq!(bytes(&ours), ip_bytes.sum::<u64>());
}

/// Newer versions of nfpcapd leave out packets that a snap length has cut, so it reads whole ones.
#[test]
fn nfpcapd_counts_the_same_packets_and_bytes() {
    if !tool_available("nfpcapd") || !tool_available("nfdump") {
        return;
    }
    let folder = TempDir::new();
    let capture = folder.file("whole.pcap", Layout::default().pcap(&Lab::make().frames));
    let flows = folder.join("flows");
    std::fs::create_dir(&flows).unwrap();
    peer("nfpcapd", ["-r".as_ref(), capture.as_os_str(), "-w".as_ref(), flows.as_os_str()]);
    for filter in ["any".to_owned(), "proto tcp".to_owned(), format!("ip {ATTACKER}"), "port 8889".to_owned()]
    {
        let said = peer(
            "nfdump",
            [
                "-R".as_ref(),
                flows.as_os_str(),
                "-N".as_ref(),
                "-o".as_ref(),
                "fmt:%pkt".as_ref(),
                filter.as_ref(),
            ],
        );
        let ours = Tool::flowdump().arg(&capture).args(["-o", "json", &filter]).run().success().json();
        assert_eq!(
            (packets(&ours), bytes(&ours)),
            (after(&said, "total packets: "), after(&said, "total bytes: ")),
            "{filter}"
        );
    }
}

/// The number after a label of nfdump's summary.
fn after(summary: &str, label: &str) -> u64 {
    let digits =
        summary.split(label).nth(1).and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or_else(|| panic!("no {label:?} in\n{summary}"))
}
