//! Every capture of the corpus against what capinfos and tshark count in it: frames, IP packets and their bytes.
//!
//! `FLOW_CORPUS` names the corpus. What differs is listed here with its cause, so that a new difference fails and
//! one that is gone has to leave the list.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flowcore::format::{Compression, decompress};
use pcap2flow::capture::CaptureReader;
use pcap2flow::packet::{decode, decode_full};

/// Files that end in an error after their last whole frame, and what it says.
const DAMAGED: &[(&str, &str)] = &[
    ("brimcap-extra.pcapng", "byte 12400: the capture is cut inside frame 28 (bytes there: 1)"),
    (
        "jnetpcap-tc_TC_IDPRE_EXT0140.pcap",
        "byte 98218: the capture is cut inside frame 588 (bytes there: 86 of 146)",
    ),
    (
        "scapy-bad_rsn_parsing_overrides_ssid.pcap",
        "byte 359: the capture is cut inside frame 2 (bytes there: 1)",
    ),
    ("suricata-tls_DER-incomplete-content.pcap", "byte 5035: frame 7 claims 4325376 captured bytes"),
];

/// Our frames where capinfos counts none: it refuses the link type (MFR, 182).
const UNCOUNTED_FRAMES: &[(&str, u64)] = &[("tcpdump-vtp_asan.pcap", 5)];

/// IP packets behind link types that are not read yet.
const LINK_TYPES_TO_COME: &[(&str, u64)] = &[
    ("nfstream-BGP_Cisco_hdlc_slarp.pcap", 14),
    ("pcapplusplus-CiscoHDLC.pcap", 2),
    ("pcapsql-nflog.pcap", 39),
    ("suricata-frag-ppp-ip-tcp-syn.pcap", 3),
    ("suricata-frag-ppp-ipv6-tcp.pcap", 3),
    ("tcpdump-arcnet-rfc1201-arp-icmp-http.pcap", 22),
    ("tcpdump-icmp-icmp_print-oobr-2.pcap", 3),
    ("tcpdump-old-e1000g.pcap", 20),
    ("tcpdump-old-heap-overflow-2.pcap", 1),
    ("tcpdump-old-ipoib.pcap", 26),
    ("tcpdump-vrrp-vrrp_print-oobr.pcap", 3),
    ("zeek-Traces-llc.pcap", 1333),
    ("zeek-handshake.pcap", 13),
    ("zeek-nflog-http.pcap", 13),
];

struct Difference {
    file: &'static str,
    /// Ours, tshark's.
    packets: (u64, u64),
    bytes: (u64, u64),
    cause: &'static str,
}

const NO_IP_HEADER: &str = "tshark counts frames of EtherType 0x0800 without an IP header (version nibble not 4 or 6, \
                            header length below 20), with no bytes";
const VERSION_6_AS_IPV4: &str = "as NO_IP_HEADER; and an IPv6 header under EtherType 0x0800 counts with its length \
                                 here, with none in the reference";
const IPV6_HEADER_CUT: &str = "the frame ends inside the fixed IPv6 header: no destination address, no flow";

const DIFFERENCES: &[Difference] = &[
    Difference {
        file: "arkime-arkime_synthetic.pcap",
        packets: (911, 913),
        bytes: (74_564, 74_631),
        cause: "IP under EtherTypes 0x894f (NSH) and 0x88be (ERSPAN): encapsulations to come",
    },
    Difference {
        file: "flowlab-mpls_pw-19_mpls_pw_ambiguous_no_cw_mac_starts_with_4.pcap",
        packets: (0, 1),
        bytes: (0, 0),
        cause: "an Ethernet address that starts with a 4, under MPLS; tshark takes it for an IPv4 header",
    },
    Difference {
        file: "flowlab-vxlan-25_vxlan_outer_ipv6_fragmentation.pcap",
        packets: (3, 4),
        bytes: (192, 244),
        cause: IPV6_HEADER_CUT,
    },
    Difference {
        file: "ndpi-fuzz-2006-06-26-2594.pcap",
        packets: (607, 613),
        bytes: (577_926, 550_148),
        cause: VERSION_6_AS_IPV4,
    },
    Difference {
        file: "ndpi-fuzz-2006-09-29-28586.pcap",
        packets: (123, 125),
        bytes: (38_758, 38_758),
        cause: NO_IP_HEADER,
    },
    Difference {
        file: "ndpi-fuzz-2020-02-16-11740.pcap",
        packets: (329, 339),
        bytes: (346_363, 344_721),
        cause: VERSION_6_AS_IPV4,
    },
    Difference {
        file: "pcapplusplus-ipv4-malformed.pcap",
        packets: (1, 2),
        bytes: (11, 11),
        cause: NO_IP_HEADER,
    },
    Difference {
        file: "tcpdump-bigtcp-ipv6-geneve-ipv6.pcap",
        packets: (1, 1),
        bytes: (80_142, 40),
        cause: "payload length 0 from segmentation offload: the length on the wire counts, as for IPv4",
    },
    Difference {
        file: "tcpdump-ipv6_invalid_length.pcap",
        packets: (0, 1),
        bytes: (0, 104),
        cause: IPV6_HEADER_CUT,
    },
    Difference {
        file: "tcpreplay-test.pcap",
        packets: (166, 176),
        bytes: (63_677, 64_677),
        cause: "IP in Ethernet under MPLS (pseudowires): encapsulation to come",
    },
    Difference {
        file: "zeek-mpls-6in6-broken.pcap.gz",
        packets: (1789, 1810),
        bytes: (149_373, 149_346),
        cause: "22 frames as NO_IP_HEADER; frame 1088 holds something like an IPv4 header under the MPLS label for \
                OAM, which is not told apart",
    },
];

/// What a capture gave.
#[derive(Default)]
struct Outcome {
    frames: u64,
    packets: u64,
    bytes: u64,
    skipped: BTreeMap<String, u64>,
    /// The error that it ended in.
    error: String,
}

/// A row of the reference.
struct Expected {
    file: String,
    frames: u64,
    packets: u64,
    bytes: u64,
}

#[test]
fn frames_packets_and_bytes_are_those_of_the_reference() {
    let Some(folder) = captures() else { return };
    let mut problems = Vec::new();
    let mut equal = 0;
    for expected in reference(&folder) {
        let outcome = read(&folder.join(&expected.file));
        equal += u32::from((outcome.packets, outcome.bytes) == (expected.packets, expected.bytes));
        if let Err(problem) = compare(&expected, &outcome) {
            problems.push(format!("{}: {problem}; skipped: {:?}", expected.file, outcome.skipped));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(equal >= 161, "packets and bytes of {equal} files equal the reference");
}

fn compare(expected: &Expected, outcome: &Outcome) -> Result<(), String> {
    let file = expected.file.as_str();
    if let Some(error) = find(DAMAGED, file) {
        if !outcome.error.contains(error) {
            return Err(format!("the error should say \"{error}\", not \"{}\"", outcome.error));
        }
    } else if !outcome.error.is_empty() {
        return Err(format!("unexpected error {}", outcome.error));
    }
    let frames = find(UNCOUNTED_FRAMES, file).unwrap_or(expected.frames);
    if outcome.frames != frames {
        return Err(format!("{} frames, expected {frames}", outcome.frames));
    }
    let (packets, bytes) = match DIFFERENCES.iter().find(|difference| difference.file == file) {
        Some(known) if (known.packets.1, known.bytes.1) != (expected.packets, expected.bytes) => {
            return Err(format!("listed with other reference numbers ({})", known.cause));
        }
        Some(known) => (known.packets.0, known.bytes.0),
        None if find(LINK_TYPES_TO_COME, file) == Some(expected.packets) => (0, 0),
        None => (expected.packets, expected.bytes),
    };
    if (outcome.packets, outcome.bytes) != (packets, bytes) {
        let Outcome { packets: ours, bytes: our_bytes, .. } = outcome;
        return Err(format!("{ours} packets with {our_bytes} bytes, expected {packets} with {bytes}"));
    }
    let skipped: u64 = outcome.skipped.values().sum();
    if outcome.packets + skipped != outcome.frames {
        return Err(format!("{skipped} frames skipped do not account for the rest"));
    }
    Ok(())
}

/// Reads a capture to its end; every frame also goes through the full decoder, which has to agree.
fn read(path: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    let mut capture = match CaptureReader::open(open(path)) {
        Ok(capture) => capture,
        Err(error) => return Outcome { error: error.to_string(), ..outcome },
    };
    loop {
        let more = capture.read_frames(|frame| {
            let decoded = decode(frame.link, frame.wire_len, frame.data);
            assert_eq!(decoded, decode_full(frame.link, frame.wire_len, frame.data), "{}", path.display());
            match decoded {
                Ok(packet) => {
                    outcome.packets += 1;
                    outcome.bytes += u64::from(packet.ip_bytes);
                }
                Err(skip) => *outcome.skipped.entry(skip.to_string()).or_default() += 1,
            }
        });
        outcome.frames = capture.frames();
        match more {
            Ok(true) => {}
            Ok(false) => return outcome,
            Err(error) => return Outcome { error: error.to_string(), ..outcome },
        }
    }
}

fn open(path: &Path) -> Box<dyn Read + Send> {
    let mut head = [0; 4];
    File::open(path).unwrap().read_exact(&mut head).unwrap();
    decompress(Box::new(File::open(path).unwrap()), Compression::detect(&head)).unwrap()
}

fn reference(folder: &Path) -> Vec<Expected> {
    let table = fs::read_to_string(folder.join("reference.tsv")).unwrap();
    let row = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let number = |at: usize| columns[at].parse().unwrap();
        Expected { file: columns[0].to_owned(), frames: number(1), packets: number(2), bytes: number(3) }
    };
    table.lines().skip(1).map(row).collect()
}

fn captures() -> Option<PathBuf> {
    let folder = std::env::var_os("FLOW_CORPUS").map(|corpus| Path::new(&corpus).join("captures"));
    if folder.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
        {
            eprintln!("skipped: FLOW_CORPUS does not name the folder of sample captures");
        }
    }
    folder
}

fn find<T: Copy>(table: &[(&str, T)], file: &str) -> Option<T> {
    table.iter().find(|entry| entry.0 == file).map(|entry| entry.1)
}
