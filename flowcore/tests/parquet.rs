//! Flow logs in Parquet as other programs write them: pyarrow and DuckDB in `testdata/parquet`, where `records.log` holds
//! the same records as text, and AWS in the samples.
//!
//! The sample is not part of this repository; the environment variable `FLOW_CORPUS` names the folder that holds it
//! (`samples/vpc/`). Without it that test says that it is skipped. `UPDATE_GOLDEN=1` writes its listing anew.

use std::path::{Path, PathBuf};

use flowcore::format::Format;
use flowcore::{
    Detection, Field, FieldSet, Flow, FlowBatch, FlowSource, Input, OpenOptions, ReadRequest, SourceStats,
};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parquet_sample.txt");

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/parquet")
}

fn tables() -> Vec<PathBuf> {
    let entries = testdata().read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut tables: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|name| name == "parquet")).collect();
    tables.sort();
    assert!(tables.len() >= 8);
    tables
}

fn read(path: &Path, request: &ReadRequest) -> (Vec<Flow>, SourceStats) {
    let mut inputs = OpenOptions::new().request(request.clone()).open(path).unwrap();
    let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
    while inputs.read_batch(&mut batch).unwrap() {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    (flows, inputs.stats())
}

fn request(fields: FieldSet) -> ReadRequest {
    ReadRequest { fields, status_rows: true, ..ReadRequest::default() }
}

/// Everything but where it comes from.
fn contents() -> FieldSet {
    Field::all().filter(|field| !matches!(field, Field::Source | Field::Format)).collect()
}

#[test]
fn every_way_of_writing_holds_the_same_records() {
    let (expected, of_text) = read(&testdata().join("records.log"), &request(contents()));
    assert_eq!((of_text.flows, of_text.nodata, of_text.skipdata), (54, 3, 3));
    for path in tables() {
        let (flows, stats) = read(&path, &request(contents()));
        assert_eq!(flows.len(), expected.len(), "{}: {:?}", path.display(), stats.problems.kept());
        for (row, (flow, expected)) in flows.iter().zip(&expected).enumerate() {
            assert_eq!(flow, expected, "{} row {row}", path.display());
        }
        assert_eq!((stats.flows, stats.nodata, stats.skipdata), (54, 3, 3), "{}", path.display());
        let problems: Vec<_> = stats.problems.kept().iter().map(ToString::to_string).collect();
        if path.ends_with("other-types.parquet") {
            let unread = "columns that are nested or of a type that is not read: labels.list.element, cost";
            assert!(problems.len() == 1 && problems[0].ends_with(unread), "{problems:?}");
        } else {
            assert!(problems.is_empty(), "{problems:?}");
        }
    }
}

#[test]
fn any_projection_gives_the_same_values() {
    let choices = [
        FieldSet::from([Field::DstPort]),
        FieldSet::from([Field::InFlags, Field::Action, Field::LogStatus]),
        FieldSet::from([Field::SrcAddr, Field::First]),
        FieldSet::default(),
    ];
    for path in tables() {
        let (whole, _) = read(&path, &request(contents()));
        for fields in &choices {
            let wanted = ReadRequest { unknown_columns: false, ..request(*fields) };
            let (flows, stats) = read(&path, &wanted);
            assert_eq!(
                (flows.len(), stats.skipdata, stats.problems.total()),
                (60, 3, 0),
                "{}",
                path.display()
            );
            for (flow, whole) in flows.iter().zip(&whole) {
                for field in fields.iter() {
                    assert_eq!(flow.get(field), whole.get(field), "{} {field}", path.display());
                }
            }
        }
    }
}

#[test]
fn a_stream_is_read_as_the_file_is() {
    for path in tables() {
        let bytes = std::fs::read(&path).unwrap();
        let input =
            Input::from_reader("stdin", Box::new(std::io::Cursor::new(bytes)), Detection::Bytes).unwrap();
        assert_eq!(input.format(), Format::Parquet);
        let request = request(contents());
        let mut reader = flowcore::format::vpc::VpcParquetReader::open(input, &request).unwrap();
        assert_eq!(reader.rows(), 60);
        let (mut batch, mut rows) = (FlowBatch::new(), 0);
        while reader.read_batch(&mut batch).unwrap() {
            rows += batch.len();
        }
        assert_eq!(rows, 60, "{}", path.display());
    }
}

#[test]
fn the_sample_of_aws_is_as_listed() {
    let Some(corpus) = std::env::var_os("FLOW_CORPUS") else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
        {
            eprintln!("skipped: FLOW_CORPUS does not name a folder of samples");
        }
        return;
    };
    let name = "111111111111_vpcflowlogs_eu-west-3_fl-032a163fae170ae52_20220831T1255Z_2ad4bef5.parquet";
    let (flows, stats) = read(&Path::new(&corpus).join("samples/vpc").join(name), &request(contents()));
    assert!(stats.problems.is_empty() && stats.records == flows.len() as u64);
    let mut actual = String::new();
    for (row, flow) in flows.iter().enumerate() {
        actual += &format!("row {row}:");
        for field in Field::all().filter(|field| !field.is_derived() && !flow.get(*field).is_absent()) {
            actual += &format!(" {}={}", field.info().name, flow.get(field));
        }
        actual += "\n";
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &actual).unwrap();
    }
    assert_eq!(std::fs::read_to_string(GOLDEN).unwrap(), actual);
}
