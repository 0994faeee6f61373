//! A filter selects the same records of a capture and of the flow file made of it, for all that a capture says.

use std::path::Path;

use flow_tests::capture::{Frame, Layout};
use flow_tests::harness::{Run, TempDir, Tool, assert_same_text};
use flow_tests::packet::{Content, Link, Packet, Tcp};
use serde_json::Value;

/// Terms on the groups of a capture, each true of a record and not of all.
const FILTERS: &[&str] = &[
    "payload content 'GET /'",
    "in payload content \"\\xff\\x00\"",
    "out payload content '200 OK'",
    "not (payload content 'GET /')",
    "inpayload 'get /*'",
    "outpayload 'http/1.1 *'",
    "payload content ''",
    "tcp and dst port 80 or in payload content 'inner'",
    "vlan 7",
    "src mac 02:00:00:00:00:09",
    "dst mac 02:00:00:00:00:08",
    "max ttl 33",
    "ttl < 40",
    "mpls label0 100",
    "mpls any 200",
    "mpls exp0 5",
    "mpls eos 200",
    "spi 0xc0ffee01",
    "tun type vxlan",
    "tun id 4096",
    "src tun ip 192.0.2.1",
    "tun proto udp",
    "client latency 2ms",
    "server latency 1ms",
    "app latency > 4ms",
    "in retransmits 1",
    "retransmits > 0",
    "out outoforder 1",
    "outoforder > 0",
    "end reason end",
    "icmptype 8",
    "icmpid 513",
    "tos 184",
];

#[test]
fn filters_mean_the_same_on_a_capture_and_on_its_flow_file() {
    let folder = TempDir::new();
    let (capture, stored) = (folder.join("a.pcap"), folder.join("a.flow"));
    std::fs::write(&capture, Layout::default().pcap(&frames())).unwrap();
    Tool::pcap2flow()
        .args(["-q", "-o", "fat,payload", "-r"])
        .arg(&capture)
        .arg("-w")
        .arg(&stored)
        .run()
        .success();
    let all = list(&capture, "any", JSON).lines().count();
    assert_eq!(all, 6);
    for filter in FILTERS {
        let direct = list(&capture, filter, JSON);
        assert_same_text(filter, &list(&stored, filter, JSON), &direct);
        assert!((1..all).contains(&direct.lines().count()), "{filter} selects all or none:\n{direct}");
        let columns = ["-o", "fmt:%sap %dap|%ipl|%opl|%{tunid}"];
        assert_same_text(filter, &list(&stored, filter, columns), &list(&capture, filter, columns));
    }
}

const JSON: [&str; 2] = ["-o", "ndjson"];

/// The records that match; JSON without where they were read, and without payload, which a capture that nobody asked
/// for it does not have.
fn list(input: &Path, filter: &str, format: [&str; 2]) -> String {
    let run = Tool::flowdump().arg("-r").arg(input).arg("-q").args(format).arg(filter).run().success();
    if format == JSON { comparable(&run) } else { run.stdout }
}

fn comparable(run: &Run) -> String {
    let mut records = run.ndjson();
    for record in records.iter_mut().filter_map(Value::as_object_mut) {
        for key in ["source", "format", "in_payload", "out_payload"] {
            record.remove(key);
        }
    }
    records.iter().map(|record| format!("{record}\n")).collect()
}

/// A web request with trouble, a name in a VXLAN tunnel behind a VLAN tag, MPLS, ESP, an echo, and noise.
fn frames() -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut add = |millis: u64, bytes: Vec<u8>| {
        frames.push(Frame { time: (1_700_000_000_000 + millis) * 1_000_000, bytes })
    };
    let link = Link::default();
    for (millis, packet) in web() {
        add(millis, packet.frame(&link));
    }
    let inner = Packet::udp("10.9.0.1:5000", "10.9.0.2:53", b"inner name".to_vec()).frame(&link);
    let vxlan = [&[8, 0, 0, 0, 0, 0x10, 0, 0], &inner[..]].concat();
    add(20, Packet::udp("192.0.2.1:40000", "192.0.2.2:4789", vxlan).frame(&link.clone().vlan(7)));
    let labels = [100_u32 << 12 | 5 << 9 | 64, 200 << 12 | 1 << 8 | 64].map(u32::to_be_bytes).concat();
    let labelled = Packet::udp("10.3.0.1:1111", "10.3.0.2:2222", vec![1]).bytes();
    add(21, link.frame(0x8847, &[labels, labelled].concat()));
    let esp =
        Content::Other { protocol: 50, payload: [&[0xc0, 0xff, 0xee, 1, 0, 0, 0, 1][..], &[7; 24]].concat() };
    add(22, Packet { ttl: 33, ..other("10.4.0.1", esp) }.frame(&link));
    let echo = Content::Icmp { kind: 8, code: 0, rest: [2, 1, 0, 1], payload: vec![0; 8] };
    add(23, Packet { tos: 184, ..other("10.5.0.1", echo) }.frame(&link));
    let noise = Packet::udp("10.6.0.1:6000", "10.6.0.2:6001", vec![1, 0xff, 0, 2]);
    add(24, noise.frame(&Link { src: [2, 0, 0, 0, 0, 9], dst: [2, 0, 0, 0, 0, 8], ..Link::default() }));
    frames
}

fn other(src: &str, content: Content) -> Packet {
    Packet::new(src.parse().unwrap(), "10.255.0.1".parse().unwrap(), content)
}

/// Handshake with 1 ms to the server and 2 ms to the client, a request sent twice, and an answer whose middle comes
/// last.
fn web() -> Vec<(u64, Packet)> {
    let (client, server) = ("10.0.0.1:50000", "10.0.0.2:80");
    let to = |seq, ack, flags, payload: &[u8]| {
        Packet::tcp(client, server, Tcp { seq, ack, flags, payload: payload.to_vec(), ..Tcp::default() })
    };
    let from = |seq, ack, flags, payload: &[u8]| {
        Packet::tcp(server, client, Tcp { seq, ack, flags, payload: payload.to_vec(), ..Tcp::default() })
    };
    let request = b"GET / HTTP/1.1\r\n\r\n";
    let end = 101 + request.len() as u32;
    vec![
        (0, to(100, 0, 0x02, b"")),
        (1, from(500, 101, 0x12, b"")),
        (3, to(101, 501, 0x10, b"")),
        (4, to(101, 501, 0x18, request)),
        (5, to(101, 501, 0x18, request)),
        (10, from(501, end, 0x18, b"HTTP/1.1 200 OK\r\n\r\n")),
        (11, from(540, end, 0x18, &[b'c'; 20])),
        (12, from(520, end, 0x18, &[b'b'; 20])),
        (13, to(end, 560, 0x11, b"")),
        (14, from(560, end + 1, 0x11, b"")),
        (15, to(end + 1, 561, 0x10, b"")),
    ]
}
