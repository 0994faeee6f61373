//! VPC flow logs in JSON and CSV.

use std::io::{Cursor, Read};

use flowcore::format::vpc::{VpcOptions, VpcReader, looks_like_log};
use flowcore::{Flow, ReadRequest, SourceStats};

use super::{Pieces, read_all, through_flow_file};

/// VPC flow logs in JSON and CSV: arrival in pieces changes nothing, every record is in one count, values hold no more than
/// the input, and the flows survive a flow file.
pub fn vpc_json(data: &[u8]) {
    let _ = looks_like_log(data);
    for columns in [None, Some(vec!["srcaddr".to_owned(), "bytes".to_owned()])] {
        let options = VpcOptions { columns };
        for status_rows in [false, true] {
            let request = ReadRequest { status_rows, ..ReadRequest::default() };
            let Some((flows, stats)) = read(Box::new(Cursor::new(data.to_vec())), &request, &options) else {
                continue;
            };
            let pieces = Box::new(Pieces { data: data.to_vec(), at: 0, size: 11 });
            let (other, other_stats) = read(pieces, &request, &options).expect("pieces hold the same");
            assert_eq!(flows, other);
            assert_eq!(format!("{stats:?}"), format!("{other_stats:?}"));
            counted(&flows, &stats, status_rows);
            bounded(data, &flows, &stats);
            assert_eq!(through_flow_file(&flows), flows);
        }
    }
}

fn read(
    input: Box<dyn Read + Send>,
    request: &ReadRequest,
    options: &VpcOptions,
) -> Option<(Vec<Flow>, SourceStats)> {
    read_all(&mut VpcReader::open(input, "fuzz", request, options).ok()?).ok()
}

fn counted(flows: &[Flow], stats: &SourceStats, status_rows: bool) {
    assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
    assert_eq!(if status_rows { stats.records } else { stats.flows }, flows.len() as u64);
    assert!(stats.problems.total() >= stats.bad_records);
}

/// Input of so many bytes has no more records, and no more text than it would have if no byte of it were UTF-8.
fn bounded(data: &[u8], flows: &[Flow], stats: &SourceStats) {
    if data.starts_with(b"H4sI") {
        return;
    }
    assert!(stats.records + stats.bad_records + stats.header_lines <= data.len() as u64);
    let unknown = flows.iter().flat_map(|flow| &flow.unknown);
    assert!(unknown.map(|(_, text)| text.len()).sum::<usize>() <= 3 * data.len());
}
