//! VPC flow logs in Parquet.

use std::io::Cursor;

use flowcore::format::Format;
use flowcore::format::vpc::VpcParquetReader;
use flowcore::{Detection, Field, FieldSet, Input, ReadRequest};

use super::{read_all, through_flow_file};

/// Rows that are read; a small file can hold millions of rows that are alike.
const MAX_ROWS: u64 = 10_000;

/// VPC flow logs in Parquet: every row that the file claims is a record or a bad one, reading fewer columns loses no row that
/// reading all of them has, and the flows survive a flow file.
pub fn parquet(data: &[u8]) {
    let some = FieldSet::from([Field::SrcAddr, Field::InBytes]);
    let mut records = Vec::new();
    for (fields, status_rows) in [(FieldSet::all(), false), (FieldSet::all(), true), (some, true)] {
        let request =
            ReadRequest { fields, status_rows, unknown_columns: fields != some, ..ReadRequest::default() };
        let bytes = Box::new(Cursor::new(data.to_vec()));
        let Ok(input) = Input::from_reader("fuzz", bytes, Detection::Fixed(Format::Parquet)) else { return };
        let Ok(mut reader) = VpcParquetReader::open(input, &request) else { return };
        let rows = reader.rows();
        if rows > MAX_ROWS {
            return;
        }
        let (flows, stats) = read_all(&mut reader).expect("damage is noted, and reading goes on");
        assert_eq!(stats.records + stats.bad_records, rows, "a row is in no count, or in two");
        assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
        assert_eq!(if status_rows { stats.records } else { stats.flows }, flows.len() as u64);
        assert_eq!(stats.bad_records > 0, stats.problems.kept().iter().any(|problem| is_loss(problem)));
        assert_eq!(through_flow_file(&flows), flows);
        records.push(stats.records);
    }
    if let [_, all, some] = records[..] {
        assert!(some >= all, "{some} records of a few columns, {all} of all");
    }
}

/// Whether a problem is about rows that could not be used.
fn is_loss(problem: &flowcore::Error) -> bool {
    let text = problem.to_string();
    matches!(problem.kind(), flowcore::ErrorKind::BadRecord(_)) || text.contains("the rest of row group")
}
