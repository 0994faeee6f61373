//! Parquet: tables of flow log records, as AWS writes them to S3 and as other programs export them.

use std::borrow::Cow;

use super::lines::MAX_LINE;
use super::names;
use super::parser::{Note, Parser};
use super::reader::BATCH_BYTES;
use super::table::Table;
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::error::{Error, Result};
use crate::format::parquet::{Cell, Column, Footer, Leaf, ParquetFile, RowGroup};
use crate::input::Input;
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// Reads flow logs from Parquet files; the [module](super#parquet) documents the rules.
pub struct VpcParquetReader {
    file: ParquetFile,
    footer: Footer,
    parser: Parser,
    table: Table,
    columns: Vec<Wanted>,
    /// The row group that is read, from 0, and its columns.
    group: usize,
    open: Vec<Column>,
    /// The row that comes next: in the row group, and of the file, from 0.
    row: u64,
    number: u64,
}

/// A column of the file that is read.
#[derive(Debug)]
struct Wanted {
    leaf: usize,
    /// Its place in the table.
    at: usize,
    /// It is only looked at to tell what kind of row it is, where the status does not say.
    is_evidence: bool,
}

impl VpcParquetReader {
    /// Reads an input, which is read into memory if it is compressed as a whole or a stream.
    ///
    /// # Errors
    /// When it cannot be read, is no Parquet file, or its columns are not those of a flow log.
    pub fn open(input: Input, request: &ReadRequest) -> Result<Self> {
        let name = input.name().to_owned();
        let open = || {
            let mut file = match input.into_file() {
                Ok(file) => ParquetFile::new(file)?,
                Err(input) => ParquetFile::from_stream(input.into_reader())?,
            };
            let footer = Footer::read(&mut file)?;
            let parser = Parser::new(&name, request, None).in_rows();
            Self::new(file, footer, parser)
        };
        open().map_err(|error: Error| error.in_input(&name))
    }

    fn new(file: ParquetFile, footer: Footer, mut parser: Parser) -> Result<Self> {
        check_names(&footer.leaves)?;
        let mut table = Table::new(parser.wanted(), parser.said_by_path());
        let mut columns = Vec::new();
        for (leaf, column) in footer.leaves.iter().enumerate() {
            let at = table.place(&column.name).map_err(|error| Error::unsupported(error.to_string()))?;
            if columns.iter().any(|other: &Wanted| other.at == at) {
                let text = || format!("column {} is there twice; the first one is read", column.name);
                parser.note(Note::RepeatedColumn, 1, text);
            } else {
                columns.push(Wanted { leaf, at, is_evidence: false });
            }
        }
        let layout = table.layout();
        columns.retain(|column| layout.reads(column.at) || layout.is_evidence(column.at));
        // The status comes first: it says whether there is need of evidence.
        let status = layout.status;
        columns.sort_by_key(|column| Some(column.at) != status);
        for column in &mut columns {
            column.is_evidence = status.is_some_and(|status| status != column.at) && !layout.reads(column.at);
        }
        let is_read = |column: &Wanted| footer.leaves.get(column.leaf).is_some_and(Leaf::is_read);
        let unread: Vec<&str> =
            columns.iter().filter(|column| !is_read(column)).map(|column| table.name(column.at)).collect();
        if !unread.is_empty() {
            let text =
                || format!("columns that are nested or of a type that is not read: {}", shown(&unread));
            parser.note(Note::UnreadColumn, 1, text);
        }
        columns.retain(is_read);
        Ok(Self { file, footer, parser, table, columns, group: 0, open: Vec::new(), row: 0, number: 0 })
    }

    /// Rows that the file says it has.
    pub fn rows(&self) -> u64 {
        self.footer.rows()
    }

    /// Reads rows until the batch is full, or there are none.
    fn fill(&mut self, batch: &mut FlowBatch) {
        let mut bytes = 0;
        while let Some(group) = self.footer.groups.get(self.group) {
            if self.row == group.rows {
                self.end_group();
                continue;
            }
            if batch.len() >= BATCH_ROWS || bytes >= BATCH_BYTES {
                return;
            }
            match self.record(batch) {
                Ok(len) => bytes += len,
                Err(error) => self.lose(&error),
            }
        }
    }

    fn end_group(&mut self) {
        self.open.clear();
        self.file.release();
        self.group += 1;
        self.row = 0;
    }

    /// Reads the next record; how many bytes its values have.
    fn record(&mut self, batch: &mut FlowBatch) -> Result<usize> {
        if let Some(group) = self.footer.groups.get(self.group).filter(|_| self.row == 0) {
            self.open = open_columns(group, &self.columns, &self.footer.leaves)?;
        }
        self.table.begin();
        let (mut needs_evidence, mut fault) = (true, None);
        for (column, wanted) in self.open.iter_mut().zip(&self.columns) {
            if wanted.is_evidence && !needs_evidence {
                continue;
            }
            let name = self.table.name(wanted.at);
            let cell = column.cell(self.row, &mut self.file);
            let cell = cell.map_err(|error| Error::damaged(format!("column {name}: {error}")))?;
            if self.table.is_status(wanted.at) {
                needs_evidence = !matches!(cell, Cell::Text(b"OK"));
            }
            match set(&mut self.table, wanted.at, cell) {
                Ok(true) => {}
                Ok(false) => self.parser.note(Note::NotUtf8, self.number + 1, || NOT_UTF8.into()),
                Err(what) => fault = Some(what),
            }
        }
        self.row += 1;
        self.number += 1;
        match fault {
            Some(fault) => self.parser.bad(self.number, fault),
            None => self.parser.table_row(self.table.row(), self.number, batch),
        }
        Ok(self.table.len())
    }

    /// Passes over the rest of a row group that cannot be read on.
    fn lose(&mut self, error: &Error) {
        let rows = self.footer.groups.get(self.group).map_or(0, |group| group.rows);
        let lost = rows.saturating_sub(self.row);
        let text = format!("{error}; {lost} rows, the rest of row group {}, are lost", self.group + 1);
        self.parser.lost(lost, self.number + 1, text);
        self.number += lost;
        self.row = rows;
    }
}

impl FlowSource for VpcParquetReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        batch.clear();
        self.fill(batch);
        Ok(!batch.is_empty())
    }

    fn stats(&self) -> SourceStats {
        self.parser.stats().clone()
    }
}

/// An error unless the columns are those of a flow log.
fn check_names(leaves: &[Leaf]) -> Result<()> {
    if names::are_of_log(leaves.iter().map(|leaf| leaf.name.as_str())) {
        return Ok(());
    }
    let names: Vec<&str> = leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    let what = "a Parquet table whose columns are not those of an AWS flow log";
    Err(Error::unsupported(format!("{what}: {}", shown(&names))))
}

/// Some names, for a message.
fn shown(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let more = if names.len() > SHOWN { ", ..." } else { "" };
    format!("{}{more}", names.get(..SHOWN).unwrap_or(names).join(", "))
}

fn open_columns(group: &RowGroup, wanted: &[Wanted], leaves: &[Leaf]) -> Result<Vec<Column>> {
    let open = |column: &Wanted| leaves.get(column.leaf).map(|leaf| group.column(column.leaf, leaf));
    wanted.iter().filter_map(open).collect()
}

/// Gives the row of a table a value; whether it was UTF-8, or why it cannot be used.
fn set(table: &mut Table, at: usize, cell: Cell<'_>) -> std::result::Result<bool, String> {
    match cell {
        Cell::Absent | Cell::Text(b"None") => {}
        Cell::Float(number) if number.is_nan() => {}
        Cell::Float(number) => drop(table.set_number(at, &number.to_string())),
        Cell::Signed(number) => drop(table.set_number(at, itoa::Buffer::new().format(number))),
        Cell::Unsigned(number) => drop(table.set_number(at, itoa::Buffer::new().format(number))),
        Cell::Boolean(value) => drop(table.set(at, if value { "true" } else { "false" })),
        Cell::Time(time) => drop(table.set(at, &time.rfc3339().to_string())),
        Cell::Text(text) if text.len() > MAX_LINE => {
            return Err(format!(
                "{}: a value of {} bytes; at most {MAX_LINE} can be read",
                table.name(at),
                text.len()
            ));
        }
        Cell::Text(text) => {
            let text = String::from_utf8_lossy(text);
            table.set(at, &text);
            return Ok(matches!(text, Cow::Borrowed(_)));
        }
    }
    Ok(true)
}

const NOT_UTF8: &str = "bytes that are not UTF-8 are replaced";

#[cfg(test)]
mod tests {
    use super::super::reader::tests::messages;
    use super::*;
    use crate::format::parquet::testing::{TestColumn, TestValues, file};
    use crate::input::Detection;
    use crate::record::{Field, FieldSet, Flow};
    use TestValues::{Double, Int32, Int64, Text};
    use proptest::prelude::*;
    use std::io::Cursor;

    fn column(name: &'static str, values: TestValues) -> TestColumn {
        TestColumn { name, values }
    }

    fn open(bytes: &[u8], request: &ReadRequest) -> Result<VpcParquetReader> {
        let bytes = Box::new(Cursor::new(bytes.to_vec()));
        VpcParquetReader::open(Input::from_reader("log", bytes, Detection::Bytes)?, request)
    }

    fn read_as(bytes: &[u8], request: &ReadRequest) -> Result<(Vec<Flow>, SourceStats)> {
        let mut reader = open(bytes, request)?;
        let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
        while reader.read_batch(&mut batch)? {
            flows.extend((0..batch.len()).map(|row| batch.flow(row)));
        }
        Ok((flows, reader.stats()))
    }

    fn read(columns: &[TestColumn], groups: usize) -> (Vec<Flow>, SourceStats) {
        read_as(&file(columns, groups), &ReadRequest::default()).unwrap()
    }

    /// A flow, a NODATA and a SKIPDATA row, a row without status.
    fn records() -> Vec<TestColumn> {
        vec![
            column("interface_id", Text(vec![Some("eni-1"), Some("eni-2"), Some("eni-3"), Some("eni-4")])),
            column("srcaddr", Text(vec![Some("10.0.0.1"), Some("-"), None, Some("None")])),
            column("dstaddr", Text(vec![Some("10.0.0.2"), None, Some("None"), Some("-")])),
            column("bytes", Int64(vec![Some(40), None, None, None])),
            column("start", Int64(vec![Some(1_431_280_800), Some(1_431_280_800), Some(1_431_280_876), None])),
            column("log_status", Text(vec![Some("OK"), Some("NODATA"), Some("SKIPDATA"), Some("None")])),
        ]
    }

    #[test]
    fn rows_that_are_no_flows_are_told_whatever_is_read() {
        for fields in [FieldSet::all(), FieldSet::from([Field::InBytes]), FieldSet::default()] {
            for status_rows in [false, true] {
                let request = ReadRequest { fields, status_rows, ..ReadRequest::default() };
                let (flows, stats) = read_as(&file(&records(), 2), &request).unwrap();
                assert_eq!((stats.records, stats.flows, stats.nodata, stats.skipdata), (8, 2, 4, 2));
                assert_eq!(flows.len(), if status_rows { 8 } else { 2 });
                assert_eq!(stats.lost.kept()[0].interface.as_deref(), Some("eni-3"));
                assert_eq!(stats.lost.kept()[1].first.map(|time| time.as_secs()), Some(1_431_280_876));
                assert!(stats.problems.is_empty(), "{:?}", messages(&stats));
            }
        }
        let (flows, _) = read(&records()[..5], 1);
        assert_eq!(flows.len(), 1, "without a status, addresses and counters tell");
    }

    #[test]
    fn numbers_may_be_of_any_type() {
        for protocol in [
            Int32(vec![Some(17), None]),
            Int64(vec![Some(17), None]),
            Double(vec![Some(17.0), Some(f64::NAN)]),
            Text(vec![Some("17"), Some("-")]),
            Text(vec![Some("17.0"), Some("None")]),
            Text(vec![Some("17"), Some("")]),
        ] {
            let columns = [
                column("protocol", protocol),
                column("account_id", Int64(vec![Some(12_345_678), None])),
                column("brand_new", Text(vec![Some("a b"), Some("-")])),
                column("dstaddr", Text(vec![Some("2001:db8::1"), Some("10.0.0.1")])),
            ];
            let (flows, stats) = read(&columns, 1);
            assert!(stats.problems.is_empty(), "{:?}", messages(&stats));
            assert_eq!(flows[0].get(Field::Protocol).to_string(), "17");
            assert_eq!(flows[0].get(Field::Account).text(), Some("000012345678"));
            assert_eq!(flows[0].unknown, [("brand_new".into(), "a b".into())]);
            assert!(flows[1].get(Field::Protocol).is_absent() && flows[1].unknown.is_empty());
        }
    }

    #[test]
    fn bad_rows_are_named_and_passed_over() {
        let columns = [
            column("bytes", Int64(vec![Some(1), Some(-2), Some(3), Some(4)])),
            column("dstport", Int32(vec![Some(80), Some(80), Some(70_000), Some(443)])),
        ];
        let (flows, stats) = read(&columns, 2);
        assert_eq!((flows.len(), stats.flows, stats.bad_records), (4, 4, 4));
        let expected = [
            "log: row 2: bytes: \"-2\" is not a number",
            "log: row 3: dstport: \"70000\" is larger than 65535",
            "log: row 6: bytes: \"-2\" is not a number",
            "log: row 7: dstport: \"70000\" is larger than 65535",
        ];
        assert_eq!(messages(&stats), expected);
        let long: &'static str = Box::leak("x".repeat(MAX_LINE + 1).into_boxed_str());
        let columns = [
            column("bytes", Int64(vec![Some(1), Some(2)])),
            column("vpc_id", Text(vec![Some(long), Some("vpc-1")])),
        ];
        let (flows, stats) = read(&columns, 1);
        assert_eq!((flows.len(), stats.bad_records), (1, 1));
        assert_eq!(
            messages(&stats),
            ["log: row 1: vpc-id: a value of 65537 bytes; at most 65536 can be read"]
        );
    }

    #[test]
    fn the_first_of_two_equal_columns_is_read() {
        let columns =
            [column("log-status", Text(vec![Some("OK")])), column("log_status", Text(vec![Some("x")]))];
        let (flows, stats) = read(&columns, 1);
        assert_eq!(flows[0].get(Field::LogStatus).text(), Some("OK"));
        assert_eq!(messages(&stats), ["log: row 1: column log_status is there twice; the first one is read"]);
    }

    #[test]
    fn a_damaged_page_costs_its_row_group() {
        let whole = file(&records(), 3);
        // The first byte of the address in the second row group.
        let at = whole.windows(8).enumerate().filter(|(_, bytes)| bytes == b"10.0.0.1").nth(1).unwrap().0;
        let mut damaged = whole.clone();
        damaged[at - 1] = 0xff;
        let (flows, stats) = read_as(&damaged, &ReadRequest::default()).unwrap();
        assert_eq!((flows.len(), stats.records, stats.bad_records), (2, 8, 4));
        let expected =
            "log: row 5: column srcaddr: a value in a page is cut; 4 rows, the rest of row group 2, are lost";
        assert_eq!(messages(&stats), [expected]);
        let request =
            ReadRequest { fields: FieldSet::default(), unknown_columns: false, ..ReadRequest::default() };
        let (_, stats) = read_as(&damaged, &request).unwrap();
        assert_eq!(stats.bad_records, 3, "an address is only looked at where the status is not OK");
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let refuse = |bytes: &[u8]| open(bytes, &ReadRequest::default()).err().unwrap().to_string();
        let whole = file(&records(), 1);
        for len in [4, 11, whole.len() / 2, whole.len() - 1] {
            let error = refuse(&whole[..len]);
            assert_eq!(error, "log: no Parquet footer at the end; the file is cut, or still being written");
        }
        let people = [column("name", Text(vec![Some("x")])), column("age", Int32(vec![Some(1)]))];
        let expected = "log: a Parquet table whose columns are not those of an AWS flow log: name, age";
        assert_eq!(refuse(&file(&people, 1)), expected);
        let mut encrypted = whole.clone();
        *encrypted.last_mut().unwrap() = b'E';
        assert_eq!(refuse(&encrypted), "log: an encrypted Parquet file");
        let mut long = whole.clone();
        let len = long.len();
        long[len - 8..len - 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(refuse(&long).contains("a footer of 4294967295 bytes"));
    }

    #[test]
    fn rows_come_in_batches_of_the_usual_size() {
        let columns = [
            column("bytes", Int32((0..5000).map(Some).collect())),
            column("dstport", Int32(vec![Some(1); 5000])),
        ];
        let mut reader = open(&file(&columns, 3), &ReadRequest::default()).unwrap();
        assert_eq!(reader.rows(), 15_000);
        let (mut batch, mut rows) = (FlowBatch::new(), 0);
        while reader.read_batch(&mut batch).unwrap() {
            assert!(batch.len() == BATCH_ROWS || rows + batch.len() == 15_000);
            assert_eq!(batch.number(Field::InBytes, 0), Some(rows as u64 % 5000));
            rows += batch.len();
        }
        assert_eq!((rows, reader.stats().flows), (15_000, 15_000));
    }

    proptest! {
        #[test]
        fn every_row_of_a_damaged_file_is_counted(
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = file(&records(), 3);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _ = read_as(&bytes[..cut.index(bytes.len())], &ReadRequest::default());
            let Ok(reader) = open(&bytes, &ReadRequest::default()) else { return Ok(()) };
            if reader.rows() > 10_000 {
                return Ok(());
            }
            let (flows, stats) = read_as(&bytes, &ReadRequest::default()).unwrap();
            prop_assert_eq!(stats.records + stats.bad_records, reader.rows());
            prop_assert_eq!(stats.flows, flows.len() as u64);
        }
    }
}
