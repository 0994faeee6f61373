//! Every capture of the corpus against what capinfos and tshark count in it: frames, IP packets and their bytes.
//!
//! `FLOW_CORPUS` names the corpus. What differs is listed in `tests/exceptions.tsv` with its cause, so that a new
//! difference fails and one that is gone has to leave the list. Fast and full decoder agree on every frame, whichever
//! packet is metered.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use flowcore::format::{Compression, decompress};
use pcap2flow::TunnelMode;
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

/// Where packets or bytes differ from the reference and why, one table for all tests.
const EXCEPTIONS: &str = include_str!("../../tests/exceptions.tsv");

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
    assert!(equal >= 176, "packets and bytes of {equal} files equal the reference");
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
    let (packets, bytes) = match exception(file) {
        Some([_, _, packets, bytes]) if (packets, bytes) != (expected.packets, expected.bytes) => {
            return Err("listed with other reference numbers".into());
        }
        Some([packets, bytes, ..]) => (packets, bytes),
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
            let decoded = decode(TunnelMode::Outer, frame.link, frame.wire_len, frame.data);
            assert_eq!(
                decoded,
                decode_full(TunnelMode::Outer, frame.link, frame.wire_len, frame.data),
                "{}",
                path.display()
            );
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

/// Our packets and bytes, and those of the reference, where they differ.
fn exception(file: &str) -> Option<[u64; 4]> {
    let row = EXCEPTIONS.lines().find(|line| line.split('\t').next() == Some(file))?;
    let mut numbers = row.split('\t').skip(1).map(|number| number.parse().unwrap());
    Some(std::array::from_fn(|_| numbers.next().unwrap()))
}
