//! Published flow logs of GCP and Azure, each row as it is read against a listing in `tests/cloud/` that was compared
//! with the file by eye. `UPDATE_GOLDEN=1` writes the listings anew.
//!
//! The samples are not part of this repository; the environment variable `FLOW_CORPUS` names the folder that holds
//! them (`samples/vpc/`). Without it the tests say that they are skipped.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use flowcore::{Field, Flow, OpenOptions, SourceStats, Value};

/// A sample and what a few lines of another language count in it.
struct Sample {
    file: &'static str,
    format: &'static str,
    /// Records; packets and bytes of both directions.
    counts: [u64; 3],
}

/// Counted independently by Python. GCP, where `text` is a stream of objects:
///
/// ```text
/// decoder, at, counts = json.JSONDecoder(), 0, [0, 0, 0]
/// while text[at:].strip():
///     entry, at = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip()))
///     payload = entry['jsonPayload']
///     counts = [a + b for a, b in zip(counts, [1, int(payload['packets_sent']), int(payload['bytes_sent'])])]
/// ```
///
/// Azure:
///
/// ```text
/// tuples = [t.split(',') for t in re.findall(r'"(\d{10}(?:\d{3})?,[^"]*)"', text)]
/// count = lambda *at: sum(int(t[i]) for t in tuples for i in at if len(t) > i and t[i])
/// counts = [len(tuples), count(9, 11), count(10, 12)]
/// ```
const SAMPLES: [Sample; 6] = [
    Sample { file: "elastic-beats-gcp-vpc-flows.jsonl", format: "gcp", counts: [4, 22, 5024] },
    Sample { file: "gcp-vpc-flows-gke.json", format: "gcp", counts: [1, 16, 1872] },
    Sample { file: "azure-nsg-v1-PT1H-bom.json", format: "azure", counts: [1758, 0, 0] },
    Sample { file: "elastic-azure-nsg-v2-PT1H.json", format: "azure", counts: [11, 83, 46661] },
    Sample { file: "elastic-azure-vnet-v4-PT1H.json", format: "azure", counts: [19, 77, 47820] },
    Sample { file: "sekoia-azure-vnet-flattened-v4.jsonl", format: "azure", counts: [6, 5, 2347] },
];

fn sample(file: &str) -> Option<PathBuf> {
    let Some(corpus) = std::env::var_os("FLOW_CORPUS") else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
        {
            eprintln!("skipped: set FLOW_CORPUS to the folder of the samples");
        }
        return None;
    };
    Some(Path::new(&corpus).join("samples/vpc").join(file))
}

fn read(path: &Path) -> (Vec<Flow>, SourceStats) {
    let mut flows = OpenOptions::new().open(path).map(flowcore::Flows::new).unwrap();
    let read: Vec<Flow> = flows.by_ref().map(Result::unwrap).collect();
    (read, flows.stats())
}

/// A row in a line: names and values, source and its folder left out.
fn line(flow: &Flow) -> String {
    let mut line = String::new();
    let values = Field::all().filter(|field| !field.is_derived() && *field != Field::Source);
    for (field, value) in values.map(|field| (field, flow.get(field))) {
        match value {
            Value::Absent => continue,
            Value::Time(time) => write!(line, "{field}={} ", time.rfc3339()).unwrap(),
            value => write!(line, "{field}={value} ").unwrap(),
        }
    }
    line += "|";
    flow.unknown.iter().for_each(|(name, text)| write!(line, " {name}={text}").unwrap());
    line
}

/// The listing, equal rows that follow each other as one with their number.
fn listing(flows: &[Flow]) -> String {
    let lines: Vec<String> = flows.iter().map(line).collect();
    lines.chunk_by(|one, other| one == other).fold(String::new(), |mut text, equal| {
        writeln!(text, "{} x {}", equal.len(), equal[0]).unwrap();
        text
    })
}

#[test]
fn each_sample_is_read_as_it_shows() {
    for Sample { file, format, counts } in SAMPLES {
        let Some(path) = sample(file) else { return };
        let (flows, stats) = read(&path);
        let sums = flows
            .iter()
            .fold([0; 2], |[packets, bytes], flow| [packets + flow.packets(), bytes + flow.bytes()]);
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloud").join(format!("{file}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, listing(&flows)).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(listing(&flows) == expected, "{file}: UPDATE_GOLDEN=1 shows the difference");
        assert_eq!([stats.flows, sums[0], sums[1]], counts, "{file}");
        assert_eq!((stats.records, stats.bad_records), (stats.flows, 0), "{file}");
        assert!(stats.problems.is_empty() && stats.unknown_parts.is_empty(), "{file}: {:?}", stats.problems);
        assert!(flows.iter().all(|flow| flow.get(Field::Format).text() == Some(format)), "{file}");
    }
}
