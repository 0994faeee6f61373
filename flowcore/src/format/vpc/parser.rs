//! Lines to rows, and an account of every line.

use super::block::Block;
use super::columns::{self, Layout, MAX_COLUMNS, Wanted};
use super::headerless;
use super::lines::{self, Line, MAX_LINE};
use super::path::LogPath;
use super::record::{Kind, Parsed, Record, Span};
use super::value;
use crate::batch::FlowBatch;
use crate::completeness::{SkipData, TimeSpan};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::record::{Field, Text, Timestamp};
use crate::source::{ReadRequest, SourceStats};
use std::collections::HashSet;
use std::path::Path;

/// What turns the lines of one input into rows.
pub(super) struct Parser {
    /// Column names from the caller, until they are used.
    given: Option<Vec<String>>,
    wanted: Wanted,
    pub(super) layout: Option<Layout>,
    /// The header line that says the layout; empty without one.
    header_line: Vec<u8>,
    /// Columns without a field that have been met in the input.
    unknown: HashSet<Text>,
    spans: Vec<Span>,
    pub(super) intake: Intake,
    /// Reads lines together.
    pub(super) block: Block,
}

impl Parser {
    pub(super) fn new(input: &str, request: &ReadRequest, given: Option<Vec<String>>) -> Self {
        Self {
            given,
            wanted: Wanted { fields: request.fields.stored(), unknown: request.unknown_columns },
            layout: None,
            header_line: Vec::new(),
            unknown: HashSet::new(),
            spans: Vec::new(),
            intake: Intake {
                status_rows: request.status_rows,
                parsed: Vec::new(),
                account: Account {
                    input: input.to_owned(),
                    stats: SourceStats::default(),
                    noted: Vec::new(),
                    place: Position::Line,
                },
            },
            block: Block::new(request.filter_of_rows(ReadRequest::named_later())),
        }
    }

    /// Counts rows of a table instead of lines.
    #[must_use]
    pub(super) fn in_rows(mut self) -> Self {
        self.intake.account.place = Position::Row;
        self
    }

    /// What has been counted so far.
    pub(super) fn stats(&self) -> &SourceStats {
        &self.intake.account.stats
    }

    /// What of the records is read.
    pub(super) fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Values of the fields that are read, as the path of the input says them.
    pub(super) fn said_by_path(&self) -> Vec<(Field, Text)> {
        let path = LogPath::of(Path::new(&self.intake.account.input));
        path.values(self.wanted.fields, |_| false)
    }

    /// An error of this input at this line.
    pub(super) fn place(&self, error: Error, number: u64) -> Error {
        self.intake.account.place(error, number)
    }

    /// Counts something that should be a record and cannot be used.
    pub(super) fn bad(&mut self, number: u64, text: impl Into<String>) {
        self.intake.account.bad(number, || text.into());
    }

    /// Counts something that is no record, by what it is.
    pub(super) fn other(&mut self, what: &str) {
        self.intake.account.stats.add_unknown_part(what.to_owned(), 1);
    }

    /// Counts records that cannot be read, from this one on.
    pub(super) fn lost(&mut self, count: u64, number: u64, text: String) {
        let account = &mut self.intake.account;
        account.stats.bad_records = account.stats.bad_records.saturating_add(count);
        let error = account.place(Error::damaged(text), number);
        account.stats.problems.push(error);
    }

    /// Notes a problem, the first time it is met.
    pub(super) fn note(&mut self, note: Note, number: u64, text: impl FnOnce() -> String) {
        self.intake.account.note(note, number, text);
    }

    /// Takes a line that names the columns of a table.
    pub(super) fn table_header(&mut self) {
        self.intake.account.stats.header_lines += 1;
    }

    /// Takes a record that stands in a table of this layout.
    pub(super) fn table_row(
        &mut self,
        (layout, record): (&Layout, Record<'_>),
        number: u64,
        batch: &mut FlowBatch,
    ) {
        self.intake.take(layout, record, number, batch);
    }

    /// Takes a line. An error means that the lines after it cannot be understood.
    pub(super) fn line(&mut self, line: Line<'_>, number: u64, batch: &mut FlowBatch) -> Result<()> {
        let Line::Text(line) = line else {
            self.bad(number, format!("line is longer than {MAX_LINE} bytes"));
            return Ok(());
        };
        if lines::is_blank(line) {
            return Ok(());
        }
        if self.header_line == line && !line.is_empty() {
            self.table_header();
            return Ok(());
        }
        if columns::can_be_header(line)
            && let Ok(line) = std::str::from_utf8(line)
            && columns::is_header(line)
        {
            return self.header(line, number);
        }
        if self.layout.is_none() {
            self.headerless(&String::from_utf8_lossy(line), number)?;
        }
        self.record(line, number, batch);
        Ok(())
    }

    fn header(&mut self, line: &str, number: u64) -> Result<()> {
        self.intake.account.stats.header_lines += 1;
        let names: Vec<&str> = columns::words(line).collect();
        columns::check_count(names.len()).map_err(|error| Error::unsupported(error.to_string()))?;
        self.header_line.clear();
        self.header_line.extend_from_slice(line.as_bytes());
        self.adopt(&names, 0, "header names", number);
        Ok(())
    }

    /// Finds the layout of a log from its first record.
    fn headerless(&mut self, record: &str, number: u64) -> Result<()> {
        let skipped = headerless::export_time(record);
        if let Some(given) = self.given.take() {
            let names: Vec<&str> = given.iter().map(String::as_str).collect();
            self.adopt(&names, skipped, "the names given are", number);
        } else if let Some(names) = headerless::columns(record) {
            self.adopt(names, skipped, "first line has", number);
        } else {
            let count = columns::words(record).count() - skipped;
            let way_out = "name them with --vpc-fields \"version region account-id ...\"";
            return Err(Error::unsupported(format!("no header line and {count} columns; {way_out}")));
        }
        Ok(())
    }

    fn adopt(&mut self, names: &[&str], skipped: usize, stated_by: &'static str, number: u64) {
        let (mut layout, repeated) = Layout::new(names, skipped, stated_by, self.wanted);
        layout.take_constants(&self.said_by_path());
        self.bound(&mut layout, number);
        // One more than there are columns, to see that a line goes on.
        self.spans = vec![(0, 0); layout.width + 1];
        self.layout = Some(layout);
        if let Some(name) = repeated {
            let text = || format!("column {name} is named twice; the first one is read");
            self.note(Note::RepeatedColumn, number, text);
        }
    }

    /// Takes columns without a field out of a layout if the input has had too many of them already.
    pub(super) fn bound(&mut self, layout: &mut Layout, number: u64) {
        let unknown = &mut self.unknown;
        let is_whole = layout.retain_unknown(|name| {
            unknown.contains(name) || unknown.len() < MAX_COLUMNS && unknown.insert(name.clone())
        });
        if !is_whole {
            let text =
                || format!("more than {MAX_COLUMNS} columns that are not known; further ones are not kept");
            self.note(Note::UnknownColumns, number, text);
        }
    }

    fn record(&mut self, line: &[u8], number: u64, batch: &mut FlowBatch) {
        if let Some(layout) = &self.layout {
            self.intake.take(layout, Record::split(line, &mut self.spans), number, batch);
        }
    }
}

/// Adds records to batches.
pub(super) struct Intake {
    pub(super) status_rows: bool,
    parsed: Vec<Parsed>,
    pub(super) account: Account,
}

impl Intake {
    pub(super) fn take(&mut self, layout: &Layout, record: Record<'_>, number: u64, batch: &mut FlowBatch) {
        let account = &mut self.account;
        if record.len() < layout.width {
            let text = || format!("{} columns, {} {}", record.len(), layout.stated_by, layout.width);
            return account.bad(number, text);
        }
        let kind = record.kind(layout);
        if kind == Kind::Flow || self.status_rows {
            match layout.read(record, &mut self.parsed, batch) {
                Ok(true) => {}
                Ok(false) => {
                    account.note(Note::NotUtf8, number, || "bytes that are not UTF-8 are replaced".into())
                }
                Err(bad) => return account.bad(number, || bad.to_string()),
            }
        }
        account.count(kind, layout, record);
        if record.len() > layout.width {
            let text = || format!("text after column {}, the last one, is not read", layout.width);
            account.note(Note::TextAfterRecord, number, text);
        }
    }
}

impl Layout {
    /// What a row about lost records says, as far as it can be read.
    fn lost(&self, record: Record<'_>, input: &str) -> SkipData {
        let value = |at: Option<usize>| record.value(at?);
        let interface = value(self.interface).map(|text| String::from_utf8_lossy(text).into());
        let [first, last] = self.window.map(|at| value::time(value(at)?).ok());
        SkipData { input: input.into(), interface, first, last }
    }
}

/// A problem that is noted once in an input, however often it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    NotUtf8,
    RepeatedColumn,
    TextAfterRecord,
    UnreadColumn,
    UnknownColumns,
}

/// Counts lines and keeps problems.
pub(super) struct Account {
    input: String,
    stats: SourceStats,
    noted: Vec<Note>,
    /// What the numbers of records count.
    place: fn(u64) -> Position,
}

impl Account {
    /// Counts a record.
    pub(super) fn count(&mut self, kind: Kind, layout: &Layout, record: Record<'_>) {
        self.stats.records += 1;
        match kind {
            Kind::Flow => self.stats.flows += 1,
            Kind::NoData => self.stats.nodata += 1,
            Kind::SkipData => {
                let input = self.input.as_str();
                self.stats.add_skipdata(|| layout.lost(record, input));
            }
        }
    }

    /// Counts records that are flows.
    pub(super) fn count_flows(&mut self, count: usize) {
        self.stats.records += count as u64;
        self.stats.flows += count as u64;
    }

    /// Rows from the earlier time to the later one are not handed on, as the filter does not want them.
    pub(super) fn leave_out(&mut self, (first, last): (Option<i64>, Option<i64>)) {
        let [first, last] = [first, last].map(|time| time.map(Timestamp::from_nanos));
        self.stats.left_out.widen(TimeSpan { first, last });
    }

    fn bad(&mut self, number: u64, text: impl FnOnce() -> String) {
        self.stats.bad_records += 1;
        let error = || Error::new(ErrorKind::BadRecord(text())).in_input(self.input.as_str());
        self.stats.problems.push_with(|| error().at((self.place)(number)));
    }

    fn note(&mut self, note: Note, number: u64, text: impl FnOnce() -> String) {
        if !self.noted.contains(&note) {
            self.noted.push(note);
            let error = self.place(Error::damaged(text()), number);
            self.stats.problems.push(error);
        }
    }

    fn place(&self, error: Error, number: u64) -> Error {
        error.in_input(self.input.as_str()).at((self.place)(number))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::{messages, read, read_as, read_from};
    use super::super::{VpcOptions, VpcReader, parse_fields};
    use super::*;
    use crate::record::{FieldSet, Timestamp, Value};
    use crate::source::FlowSource;
    use std::io::Read;

    const RECORD: &str =
        "2 012345678901 eni-1 10.0.0.1 10.0.0.2 41000 443 6 20 4249 1418530010 1418530070 ACCEPT OK";
    const NO_DATA: &str = "2 012345678901 eni-1 - - - - - - - 1431280876 1431280934 - NODATA";
    const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

    fn given(columns: &str) -> VpcOptions {
        VpcOptions { columns: Some(parse_fields(columns).unwrap()) }
    }

    #[test]
    fn a_default_record_fills_its_fields() {
        let (flows, stats) = read(&format!("{HEADER}\n{RECORD}\n"));
        let flow = &flows[0];
        for (field, expected) in [
            (Field::LogVersion, Value::Number(2)),
            (Field::Account, "012345678901".into()),
            (Field::Interface, "eni-1".into()),
            (Field::SrcAddr, Value::Addr("10.0.0.1".parse().unwrap())),
            (Field::DstAddr, Value::Addr("10.0.0.2".parse().unwrap())),
            (Field::SrcPort, Value::Number(41_000)),
            (Field::DstPort, Value::Number(443)),
            (Field::Protocol, Value::Number(6)),
            (Field::InPackets, Value::Number(20)),
            (Field::InBytes, Value::Number(4249)),
            (Field::First, Value::Time(Timestamp::from_secs(1_418_530_010))),
            (Field::Last, Value::Time(Timestamp::from_secs(1_418_530_070))),
            (Field::Action, "ACCEPT".into()),
            (Field::LogStatus, "OK".into()),
            (Field::OutPackets, Value::Absent),
            (Field::InFlags, Value::Absent),
        ] {
            assert_eq!(flow.get(field), expected, "{field}");
        }
        assert_eq!((stats.records, stats.flows, stats.header_lines), (1, 1, 1));
        assert!(stats.problems.is_empty());
    }

    #[test]
    fn a_second_header_replaces_the_layout() {
        let log = "dstport bytes\n443 1\n\n\u{feff}bytes dstport\r\n2 80\r\n";
        let (flows, stats) = read(log);
        let found: Vec<_> = flows.iter().map(|flow| (flow.key.dst_port, flow.forward.bytes)).collect();
        assert_eq!(found, [(Some(443), Some(1)), (Some(80), Some(2))]);
        assert_eq!((stats.records, stats.header_lines, stats.bad_records), (2, 2, 0));
    }

    #[test]
    fn status_rows_are_counted_and_given_only_on_request() {
        let log = format!("{HEADER}\n{RECORD}\n{NO_DATA}\n{}\n", NO_DATA.replace("NO", "SKIP"));
        for status_rows in [false, true] {
            let request = ReadRequest { status_rows, ..ReadRequest::default() };
            let (flows, stats) = read_as(log.as_bytes(), &request, &VpcOptions::default()).unwrap();
            assert_eq!((stats.records, stats.flows, stats.nodata, stats.skipdata), (3, 1, 1, 1));
            assert_eq!(flows.len(), if status_rows { 3 } else { 1 });
            if let Some(flow) = flows.get(1) {
                assert_eq!(flow.get(Field::LogStatus).text(), Some("NODATA"));
                assert_eq!(flow.get(Field::Interface).text(), Some("eni-1"));
                assert_eq!(flow.first, Some(Timestamp::from_secs(1_431_280_876)));
                assert_eq!((flow.forward.bytes, flow.key.src.is_known()), (None, false));
            }
        }
    }

    #[test]
    fn lost_records_are_told_whatever_is_read() {
        let request = ReadRequest { fields: FieldSet::from([Field::DstPort]), ..ReadRequest::default() };
        let lost = NO_DATA.replace("NO", "SKIP");
        let log = format!(
            "{HEADER}\n{lost}\nresource-id log-status\nnat-1 SKIPDATA\n{}",
            "- SKIPDATA\n".repeat(50)
        );
        let (_, stats) = read_as(log.as_bytes(), &request, &VpcOptions::default()).unwrap();
        assert_eq!((stats.skipdata, stats.lost.kept().len()), (52, 20));
        let first = SkipData {
            input: "log".into(),
            interface: Some("eni-1".into()),
            first: Some(Timestamp::from_secs(1_431_280_876)),
            last: Some(Timestamp::from_secs(1_431_280_934)),
        };
        assert_eq!(stats.lost.kept()[0], first);
        assert_eq!(stats.lost.kept()[1].interface.as_deref(), Some("nat-1"));
        assert_eq!((&stats.lost.kept()[2].interface, stats.lost.kept()[2].first), (&None, None));
    }

    #[test]
    fn the_path_fills_what_has_no_column() {
        let name = "123456789012_vpcflowlogs_eu-west-3_fl-0c5d_20230928T1620Z_1e4feae1.log.gz";
        let read = |log: &'static str, request: &ReadRequest| {
            let mut reader =
                VpcReader::open(Box::new(log.as_bytes()), name, request, &VpcOptions::default()).unwrap();
            let mut batch = FlowBatch::new();
            assert!(reader.read_batch(&mut batch).unwrap());
            (0..batch.len())
                .map(|row| {
                    [Field::Account, Field::Region, Field::FlowLog]
                        .map(|field| batch.text(field, row).map(str::to_owned))
                })
                .collect::<Vec<_>>()
        };
        let said = |texts: [&str; 3]| texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
        let log = "bytes\n1\naccount-id region bytes\n- us-east-1 2\nunknown - 3\n";
        let rows = read(log, &ReadRequest::default());
        assert_eq!(rows[0], said(["123456789012", "eu-west-3", "fl-0c5d"]));
        assert_eq!(rows[1], said(["", "us-east-1", "fl-0c5d"]), "a column is never overridden");
        assert_eq!(rows[2], said(["unknown", "", "fl-0c5d"]));
        let request = ReadRequest { fields: FieldSet::from([Field::InBytes]), ..ReadRequest::default() };
        assert_eq!(read(log, &request), vec![said(["", "", ""]); 3]);
    }

    #[test]
    fn bad_lines_are_named_and_passed_over() {
        let log = "srcaddr dstport bytes\n10.0.0.1 80\n10.0.0.1 80 12x\n10.0.0.1 70000 1\n10.0.1 80 1\n10.0.0.1 80 1\n";
        let (flows, stats) = read(log);
        assert_eq!((flows.len(), stats.records, stats.bad_records), (1, 1, 4));
        let expected = [
            "log: line 2: 2 columns, header names 3",
            "log: line 3: bytes: \"12x\" is not a number",
            "log: line 4: dstport: \"70000\" is larger than 65535",
            "log: line 5: srcaddr: \"10.0.1\" is not an IP address",
        ];
        assert_eq!(messages(&stats), expected);
        let request = ReadRequest { fields: FieldSet::from([Field::DstPort]), ..ReadRequest::default() };
        let (flows, stats) = read_as(log.as_bytes(), &request, &VpcOptions::default()).unwrap();
        assert_eq!((flows.len(), stats.bad_records), (3, 2), "only what is read is checked");
    }

    #[test]
    fn long_and_strange_values_are_shown_short_and_escaped() {
        let (_, stats) = read(&format!("bytes\n\u{1b}[2J{}\n", "\u{e9}".repeat(500)));
        let message = &messages(&stats)[0];
        assert!(message.contains(r#"bytes: "\u{1b}[2Jé"#) && message.chars().count() < 100, "{message}");
    }

    #[test]
    fn text_after_the_last_column_is_noted_once() {
        let (flows, stats) = read("dstport bytes\n80 1 # one\n443 2 # two\n443  3\n");
        assert_eq!((flows.len(), stats.flows, stats.bad_records), (3, 3, 0));
        assert_eq!(messages(&stats), ["log: line 2: text after column 2, the last one, is not read"]);
        assert!(matches!(stats.problems.kept()[0].kind(), ErrorKind::Damaged(_)));
    }

    #[test]
    fn the_first_of_two_equal_columns_is_read() {
        let (flows, stats) = read("bytes x bytes x\n1 a 2 b\n\nbytes bytes\n5 6\n");
        assert_eq!(flows.iter().map(|flow| flow.forward.bytes).collect::<Vec<_>>(), [Some(1), Some(5)]);
        assert_eq!(flows[0].unknown, [("x".into(), "a".into())]);
        assert_eq!(messages(&stats), ["log: line 1: column bytes is named twice; the first one is read"]);
    }

    /// The rows are read, whatever becomes of their columns.
    #[test]
    fn columns_without_end_are_bounded_and_told() {
        let names = |n: usize, separator: &str| -> String {
            (0..200).map(|k| format!("{separator}x{n}-{k}")).collect()
        };
        for separator in [" ", ","] {
            let values = format!("7{separator}9{}\n", format!("{separator}v").repeat(200));
            let log: String =
                (0..4).map(|n| format!("bytes{separator}packets{}\n{values}", names(n, separator))).collect();
            let (flows, stats) = read(&log);
            let counts: Vec<_> = flows.iter().map(|flow| (flow.forward.bytes, flow.unknown.len())).collect();
            assert_eq!(
                counts,
                [(Some(7), 200), (Some(7), 200), (Some(7), 112), (Some(7), 0)],
                "{separator:?}"
            );
            let expected = "log: line 5: more than 512 columns that are not known; further ones are not kept";
            assert_eq!(messages(&stats), [expected]);
        }
    }

    #[test]
    fn a_header_line_that_comes_again_means_the_same() {
        let header = "bytes x_y bytes x-y\n";
        let (flows, stats) =
            read(&format!("{header}1 a 2 b\n{header}{header}1 a 2 b\n\u{feff}{header}1 a 2 b\n"));
        assert_eq!((stats.header_lines, stats.records, stats.problems.total()), (4, 3, 1));
        assert!(
            flows.iter().all(|flow| *flow == flows[0]) && flows[0].unknown == [("x_y".into(), "a".into())]
        );
        let (flows, stats) = read("bytes,srcaddr\n1,10.0.0.1\nbytes,srcaddr\nbytes,dstaddr\n1,10.0.0.1\n");
        assert_eq!((stats.header_lines, flows.len()), (3, 2));
        assert_eq!(flows[1].get(Field::DstAddr), Value::Addr("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn unknown_columns_keep_their_name() {
        let log = "version new-column other_new\n2 x -\n2 y z\n";
        let (flows, _) = read(log);
        assert_eq!(flows[0].unknown, [("new-column".into(), "x".into())]);
        assert_eq!(flows[1].unknown.len(), 2);
        let request = ReadRequest { unknown_columns: false, ..ReadRequest::default() };
        let (flows, _) = read_as(log.as_bytes(), &request, &VpcOptions::default()).unwrap();
        assert!(flows[1].unknown.is_empty());
    }

    #[test]
    fn only_requested_fields_are_read() {
        let fields = FieldSet::from([Field::Bytes, Field::DstPort]);
        let request = ReadRequest { fields, ..ReadRequest::default() };
        let (flows, stats) =
            read_as(format!("{HEADER}\n{RECORD}\n{NO_DATA}").as_bytes(), &request, &VpcOptions::default())
                .unwrap();
        assert_eq!((flows[0].forward.bytes, flows[0].key.dst_port), (Some(4249), Some(443)));
        assert_eq!((flows[0].forward.packets, flows[0].first, stats.nodata), (None, None, 1));
    }

    #[test]
    fn logs_without_header_are_read_if_the_order_is_known() {
        let exported = format!("2018-09-22T20:28:14.000Z {RECORD}");
        let sorted = "0 ACCEPT use2-az2 48 10.0.0.2 443 16 ingress i-0 eni-0 OK 15 - 10.0.0.2 S3 10.0.0.1 6 us-east-2 \
                      10.0.0.1 50318 14 - - subnet-0 19 - IPv4 5 vpc-0";
        for (record, bytes) in [(RECORD, 4249), (&exported, 4249), (sorted, 48)] {
            let (flows, stats) = read(&format!("{record}\n{record}\n"));
            assert_eq!((flows.len(), stats.flows, stats.header_lines), (2, 2, 0), "{record}");
            assert_eq!((flows[1].forward.bytes, flows[1].key.dst_port), (Some(bytes), Some(443)));
        }
        let (_, stats) = read(&format!("{exported}\n{RECORD}\n"));
        assert_eq!(messages(&stats), ["log: line 2: 14 columns, first line has 15"]);
    }

    #[test]
    fn given_names_are_used_unless_there_is_a_header() {
        let options = given("dstport,bytes");
        let request = ReadRequest::default();
        for log in ["443 1500", "2018-09-22T20:28:14.000Z 443 1500", "bytes dstport\n1500 443\n"] {
            let (flows, _) = read_as(log.as_bytes(), &request, &options).unwrap();
            assert_eq!((flows[0].forward.bytes, flows[0].key.dst_port), (Some(1500), Some(443)), "{log}");
        }
        let (_, stats) = read_as(b"443\n", &request, &options).unwrap();
        assert_eq!(messages(&stats), ["log: line 1: 1 columns, the names given are 2"]);
    }

    #[test]
    fn other_text_is_refused_with_a_way_out() {
        let refuse =
            |log: &str| read_as(log.as_bytes(), &ReadRequest::default(), &VpcOptions::default()).unwrap_err();
        assert_eq!(
            refuse("\n3 10.0.0.1 10.0.0.2 OK\n").to_string(),
            "log: line 2: no header line and 4 columns; name them with --vpc-fields \"version region account-id ...\""
        );
        let wide = format!("version {}\n1 2\n", "x ".repeat(9_999));
        assert_eq!(
            refuse(&wide).to_string(),
            format!("log: line 1: 10000 columns are named; at most {MAX_COLUMNS} can be read")
        );
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        let log = b"account-id bytes\n\xff\xfe 1\nx\x80 2\ncaf\xc3\xa9 3\n";
        let (flows, stats) = read_as(log, &ReadRequest::default(), &VpcOptions::default()).unwrap();
        let accounts: Vec<_> = flows.iter().map(|flow| flow.get(Field::Account).to_string()).collect();
        assert_eq!(accounts, ["\u{fffd}\u{fffd}", "x\u{fffd}", "caf\u{e9}"]);
        assert_eq!(messages(&stats), ["log: line 2: bytes that are not UTF-8 are replaced"]);
    }

    #[test]
    fn a_line_of_a_hundred_megabytes_is_one_bad_line() {
        let long = std::io::repeat(b'7').take(100_000_000);
        let log = (&b"bytes\n1\n"[..]).chain(long).chain(&b"\n2\n"[..]);
        let (flows, stats) =
            read_from(Box::new(log), &ReadRequest::default(), &VpcOptions::default()).unwrap();
        assert_eq!((flows.len(), stats.bad_records), (2, 1));
        assert_eq!(messages(&stats), ["log: line 3: line is longer than 65536 bytes"]);
    }
}
