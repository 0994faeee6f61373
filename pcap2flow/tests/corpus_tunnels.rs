//! The innermost packets of captures with tunnels, against the innermost IP headers that tshark finds in them.
//!
//! `FLOW_CORPUS` names the corpus; the captures are those whose manifest row names a tunnel. What differs is listed
//! here with its cause, so that a new difference fails and one that is gone has to leave the list.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowcore::format::{Compression, decompress};
use pcap2flow::TunnelMode;
use pcap2flow::capture::CaptureReader;
use pcap2flow::packet::{Note, Packet, decode, decode_full};

/// What the manifest says of a capture with tunnels.
const TUNNELS: &[&str] = &[
    "inner IP",
    "GRE",
    "ERSPAN",
    "VXLAN",
    "GENEVE",
    "GTP",
    "IP-in-IP",
    "6in",
    "4in",
    "proto 41",
    "Teredo",
    "L2TP",
    "PPTP",
    "LISP",
    "MPLS over UDP",
    "NSH",
    "AH",
];

/// Packets that we meter and tshark does not show, and the other way round; why.
const DIFFERENCES: &[(&str, usize, usize, &str)] = &[
    (
        "arkime-arkime_synthetic.pcap",
        1,
        1,
        "tshark reads ERSPAN in GRE only (frame 304); 0x8909 is not read here (frame 315)",
    ),
    ("libpcap-AH-IPcomp-IPv4.pcap", 4, 4, COMPRESSED),
    ("libpcap-AH-IPcomp-IPv6.pcap", 7, 7, COMPRESSED),
    ("tcpdump-bigtcp-ipv4-geneve-ipv6.pcap", 1, 1, OFFLOADED),
    ("tcpdump-bigtcp-ipv6-geneve-ipv6.pcap", 1, 1, OFFLOADED),
    (
        "zeek-mpls-6in6-broken.pcap.gz",
        5,
        0,
        "total lengths below the header's: tshark stops before the addresses",
    ),
];
const COMPRESSED: &str = "tshark inflates what IPComp carries; here the packet that carries it counts";
const OFFLOADED: &str =
    "IP lengths of 0 and a UDP length of 0 from segmentation offload; tshark stops at UDP";

/// Source, destination and, in IPv4, protocol; how often.
type Census = BTreeMap<String, i64>;

#[test]
fn innermost_packets_are_those_of_tshark() {
    let Some(folder) = captures() else { return };
    if Command::new("tshark").arg("-v").output().is_err() {
        return skip("tshark is not installed");
    }
    let mut problems = Vec::new();
    let mut tunnelled = 0;
    for file in with_tunnels(&folder) {
        let path = folder.join(&file);
        let (ours, found) = census(&path);
        tunnelled += found;
        let mut left = ours;
        for entry in tsharks(&path) {
            *left.entry(entry).or_default() -= 1;
        }
        left.retain(|_, count| *count != 0);
        let sum = |sign: i64| left.values().map(|count| (count * sign).max(0)).sum::<i64>() as usize;
        let known =
            DIFFERENCES.iter().find(|known| known.0 == file).map_or((0, 0), |known| (known.1, known.2));
        if (sum(1), sum(-1)) != known {
            problems.push(format!("{file}: {} of ours, {} of tshark's: {left:#?}", sum(1), sum(-1)));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(tunnelled > 400, "only {tunnelled} packets were found in tunnels");
}

/// The packets we meter, and how many of them came in a tunnel.
fn census(path: &Path) -> (Census, usize) {
    let mut census = Census::new();
    let mut tunnelled = 0;
    let mut head = [0; 4];
    File::open(path).unwrap().read_exact(&mut head).unwrap();
    let input = decompress(Box::new(File::open(path).unwrap()), Compression::detect(&head)).unwrap();
    let Ok(mut capture) = CaptureReader::open(input) else { return (census, 0) };
    let mut more = true;
    while more {
        let read = capture.read_frames(|frame| {
            let inner = decode(TunnelMode::Inner, frame.link, frame.wire_len, frame.data);
            let outer = decode(TunnelMode::Outer, frame.link, frame.wire_len, frame.data);
            assert_eq!(inner, decode_full(TunnelMode::Inner, frame.link, frame.wire_len, frame.data));
            assert_eq!(inner.is_ok(), outer.is_ok(), "{}", path.display());
            if let Ok(packet) = inner {
                tunnelled += usize::from(packet.notes.contains(Note::Tunnelled));
                *census.entry(describe(&packet)).or_default() += 1;
            }
        });
        more = read.unwrap_or(false);
    }
    (census, tunnelled)
}

fn describe(packet: &Packet) -> String {
    match packet.src {
        // The protocol behind an Authentication Header is no field of the IPv4 header.
        IpAddr::V4(_) => format!("{} {} {}", packet.src, packet.dst, packet.protocol.0),
        IpAddr::V6(_) => format!("{} {}", packet.src, packet.dst),
    }
}

/// The innermost IP header of every frame that has one, as tshark sees it.
fn tsharks(path: &Path) -> Vec<String> {
    let fields =
        ["frame.protocols", "ip.src", "ip.dst", "ip.proto", "ipv6.src", "ipv6.dst", "ah.next_header"];
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-T", "fields", "-E", "occurrence=a", "-E", "separator=;"]);
    command.args(["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]);
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().filter_map(innermost).collect()
}

/// The last IP header that is there to its end; one behind ICMP is a quotation.
fn innermost(line: &str) -> Option<String> {
    let columns: Vec<&str> = line.split(';').collect();
    let value =
        |column: usize, at: usize| columns.get(column)?.split(',').nth(at).filter(|text| !text.is_empty());
    let mut headers = Vec::new();
    for layer in columns[0].split(':').take_while(|layer| !["icmp", "icmpv6"].contains(layer)) {
        let before = headers.iter().filter(|&&(other, _)| other == layer).count();
        if layer == "ip" || layer == "ipv6" {
            headers.push((layer, before));
        }
    }
    headers.into_iter().rev().find_map(|(layer, at)| {
        if layer == "ipv6" {
            return Some(format!("{} {}", value(4, at)?, value(5, at)?));
        }
        let protocol = match value(3, at)? {
            "51" => value(6, 0).unwrap_or("51"),
            other => other,
        };
        Some(format!("{} {} {protocol}", value(1, at)?, value(2, at)?))
    })
}

fn with_tunnels(folder: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let has_tunnel =
        |line: &&str| TUNNELS.iter().any(|tunnel| line.rsplit('\t').next().unwrap().contains(tunnel));
    let name = |line: &str| line.split('\t').next().unwrap().to_owned();
    manifest.lines().skip(1).filter(has_tunnel).map(name).collect()
}

fn captures() -> Option<PathBuf> {
    let folder = std::env::var_os("FLOW_CORPUS").map(|corpus| Path::new(&corpus).join("captures"));
    if folder.is_none() {
        skip("FLOW_CORPUS does not name the folder of sample captures");
    }
    folder
}

#[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}
