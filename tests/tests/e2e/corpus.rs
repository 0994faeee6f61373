//! Every capture of the corpus: each frame is used or skipped for a reason, and what is used is in the flows.

use flow_tests::harness::{corpus, files_in};
use flowcore::{Detection, FlowBatch, FlowSource, Input};
use pcap2flow::{Converter, MeterOptions};
use std::collections::HashMap;
use std::path::Path;

/// Captures whose number of frames the reference does not know: name, frames, why.
const FRAMES: [(&str, u64, &str); 1] =
    [("tcpdump-vtp_asan.pcap", 5, "capinfos refuses the file for its link type (MFR, 182)")];

#[test]
fn every_frame_is_accounted_for_and_every_packet_is_in_a_flow() {
    let Some(corpus) = corpus() else { return };
    let reference = column(&corpus.join("captures/reference.tsv"), "frames");
    let mut wrong = Vec::new();
    let mut read = 0;
    for (name, path) in files_in(&corpus.join("captures")) {
        let Some(frames) = reference.get(&name) else { continue };
        read += 1;
        let known = FRAMES.iter().find(|(other, ..)| *other == name).map(|(_, frames, _)| *frames);
        let frames = known.unwrap_or_else(|| frames.parse().unwrap());
        if let Err(difference) = check(&path, frames) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(read >= 186, "only {read} captures in the corpus");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(path: &Path, frames: u64) -> Result<(), String> {
    let input = Input::open(path, Detection::Bytes).map_err(|error| error.to_string())?;
    let mut converter =
        Converter::from_input(input, &MeterOptions::default()).map_err(|error| error.to_string())?;
    let (mut batch, mut packets, mut flows) = (FlowBatch::new(), 0, 0);
    while converter.read_batch(&mut batch).map_err(|error| error.to_string())? {
        flows += batch.len() as u64;
        packets += (0..batch.len()).map(|row| batch.flow(row).packets()).sum::<u64>();
    }
    let stats = converter.stats();
    let found = (stats.frames, stats.frames_used + stats.skipped(), packets, stats.flows);
    let expected = (frames, frames, stats.frames_used, flows);
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}")) }
}

/// A column of a tab-separated file by the first one.
fn column(path: &Path, name: &str) -> HashMap<String, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let at = head.iter().position(|heading| *heading == name).unwrap();
    lines.map(|line| (line[0].to_owned(), line[at].to_owned())).collect()
}
