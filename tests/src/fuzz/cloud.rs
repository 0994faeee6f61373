//! Cloud logs in JSON of any bytes.

use std::io::{Cursor, Read};

use flowcore::format::azure::AzureReader;
use flowcore::format::gcp::GcpReader;
use flowcore::{Field, Flow, FlowSource, ReadRequest, SourceStats, Value};
use serde_json::Deserializer;

use super::{Pieces, read_all, through_flow_file};

/// GCP flow logs: arrival in pieces changes nothing, the flows survive a flow file, each is one-way, and every value
/// of a well-formed log is in exactly one count.
pub fn gcp(data: &[u8]) {
    let (flows, stats) = read(data, |input| GcpReader::open(input, "fuzz", &ReadRequest::default()));
    assert!(flows.iter().all(|flow| flow.reverse.packets.is_none() && flow.reverse.bytes.is_none()));
    if let Some(values) = values(data) {
        let others: u64 = stats.unknown_parts.values().sum();
        assert_eq!(stats.records + stats.bad_records + others, values);
    }
}

/// Azure flow logs: arrival in pieces changes nothing, the flows survive a flow file, none ends before it begins, and
/// those that begin have counted nothing yet.
pub fn azure(data: &[u8]) {
    let (flows, stats) = read(data, |input| AzureReader::open(input, "fuzz", &ReadRequest::default()));
    for flow in &flows {
        assert!(flow.first <= flow.last);
        let begins = flow.get(Field::FlowState).text() == Some("begin");
        assert!(!begins || flow.get(Field::Packets) != Value::Number(0));
        assert!(matches!(flow.get(Field::Action).text(), Some("ACCEPT" | "REJECT")));
    }
    if let Some(values) = values(data) {
        let others: u64 = stats.unknown_parts.values().sum();
        assert!(stats.records + stats.bad_records + others >= values);
    }
}

/// Flows and account of a log, after it has been read in two ways.
fn read<S: FlowSource>(data: &[u8], open: impl Fn(Box<dyn Read + Send>) -> S) -> (Vec<Flow>, SourceStats) {
    let read = |input| read_all(&mut open(input)).expect("memory is readable");
    let (flows, stats) = read(Box::new(Cursor::new(data.to_vec())));
    let (pieces, stats_of_pieces) = read(Box::new(Pieces { data: data.to_vec(), at: 0, size: 11 }));
    assert_eq!(flows, pieces);
    assert_eq!(format!("{stats:?}"), format!("{stats_of_pieces:?}"));
    assert_eq!(stats.flows, flows.len() as u64);
    assert_eq!(stats.records, stats.flows + stats.nodata);
    assert_eq!(stats.problems.is_empty(), stats.problems.total() == 0);
    assert!(stats.problems.total() >= stats.bad_records);
    assert_eq!(through_flow_file(&flows), flows);
    (flows, stats)
}

/// Objects that stand by themselves, as another reader counts them; `None` if it finds anything else.
fn values(data: &[u8]) -> Option<u64> {
    let mut count = 0;
    for value in Deserializer::from_slice(data).into_iter::<serde_json::Value>() {
        let value = value.ok()?;
        let names = ["events", "results", "logEvents", "records"];
        count += u64::from(value.is_object());
        if !value.is_object() || names.iter().any(|name| value.get(name).is_some()) {
            return None;
        }
    }
    Some(count)
}
