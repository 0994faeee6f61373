//! Every capture of the corpus in one file and in two: the same flows.
//!
//! Frames are written anew as pcap, with their link type, times and lengths; those of captures with several link types
//! are left out but for the first one's.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use flowcore::format::{Compression, decompress};
use flowcore::{Field, Flow, FlowBatch, FlowSource, Value};
use pcap2flow::capture::{CaptureReader, LinkType};
use pcap2flow::{Converter, MeterOptions};

/// A frame as a record of a little-endian pcap in nanoseconds.
type Record = Vec<u8>;

#[test]
fn a_capture_in_two_files_gives_the_same_flows() {
    let Some(captures) = std::env::var_os("FLOW_CORPUS").map(|corpus| Path::new(&corpus).join("captures"))
    else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
        {
            eprintln!("skipped: FLOW_CORPUS does not name the folder of sample captures");
        }
        return;
    };
    let folder = std::env::temp_dir().join(format!("pcap2flow-split-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let mut compared = 0;
    for entry in fs::read_dir(captures).unwrap() {
        let path = entry.unwrap().path();
        let Some((link, records)) = records(&path) else { continue };
        let whole = flows(&[write(&folder, "whole", link, &records)]);
        for at in [1, records.len() / 2, records.len() - 1] {
            let (head, tail) = records.split_at(at);
            let halves = [write(&folder, "head", link, head), write(&folder, "tail", link, tail)];
            assert_eq!(flows(&halves), whole, "{} split at frame {at}", path.display());
        }
        compared += 1;
    }
    fs::remove_dir_all(folder).unwrap();
    assert!(compared >= 150, "{compared} captures");
}

/// The link type of a capture's first frame and all of that type; `None` for fewer than two.
fn records(path: &Path) -> Option<(LinkType, Vec<Record>)> {
    let head = fs::read(path).ok()?;
    let input = decompress(Box::new(File::open(path).unwrap()), Compression::detect(&head)).ok()?;
    let mut capture = CaptureReader::open(input).ok()?;
    let (mut first, mut records) = (None, Vec::new());
    // A damaged capture gives what is before the damage.
    while let Ok(true) = capture.read_frames(|frame| {
        let Some(link) = frame.link.filter(|&link| *first.get_or_insert(link) == link) else { return };
        let nanos = frame.time.as_nanos();
        let (Ok(secs), part) =
            (u32::try_from(nanos.div_euclid(1_000_000_000)), nanos.rem_euclid(1_000_000_000))
        else {
            return;
        };
        first = Some(link);
        let words = [secs, part as u32, frame.data.len() as u32, frame.wire_len];
        records.push([&words.map(u32::to_le_bytes).concat(), frame.data].concat());
    }) {}
    (records.len() > 1).then_some((first?, records))
}

fn write(folder: &Path, name: &str, link: LinkType, records: &[Record]) -> PathBuf {
    let words = [0xa1b2_3c4d_u32, 4 << 16 | 2, 0, 0, 262_144, link.0];
    let path = folder.join(name);
    fs::write(&path, [words.map(u32::to_le_bytes).concat(), records.concat()].concat()).unwrap();
    path
}

/// The flows without the name of their input.
fn flows(paths: &[PathBuf]) -> Vec<Flow> {
    let mut converter = Converter::open_all(paths, &MeterOptions::default()).unwrap();
    let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
    while converter.read_batch(&mut batch).unwrap() {
        flows.extend((0..batch.len()).map(|row| {
            let mut flow = batch.flow(row);
            flow.set(Field::Source, Value::Absent);
            flow
        }));
    }
    flows
}
