//! A log that is read, stored as a `.flow` file and written again is the log it was.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use proptest::prelude::*;

use super::columns::is_clearly_header;
use super::headerless::{default_columns, every_column};
use super::{LogColumns, LogCompression, LogRemarks, VpcOptions, VpcReader, VpcWriter, VpcWriterOptions};
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::format::flow::{FlowFileReader, FlowFileWriter, WriterOptions};
use crate::record::{Field, Flow, Storage};
use crate::source::{FlowSource, ReadRequest};

const STATUS_ROWS: fn() -> ReadRequest = || ReadRequest { status_rows: true, ..ReadRequest::default() };

/// The rows of a log.
fn read(log: &str) -> Vec<Flow> {
    let input = Box::new(Cursor::new(log.to_owned()));
    let mut reader = VpcReader::open(input, "log", &STATUS_ROWS(), &VpcOptions::default()).unwrap();
    let flows =
        batches(&mut reader).iter().flat_map(|batch| (0..batch.len()).map(|row| batch.flow(row))).collect();
    assert!(reader.stats().problems.is_empty(), "{:?}", reader.stats().problems);
    flows
}

fn batches(source: &mut dyn FlowSource) -> Vec<FlowBatch> {
    let mut all = Vec::new();
    loop {
        let mut batch = FlowBatch::new();
        if !source.read_batch(&mut batch).unwrap() {
            return all;
        }
        all.push(batch);
    }
}

/// The batches of a log after it was a `.flow` file.
fn by_flow_file(log: &str) -> Vec<FlowBatch> {
    let input = Box::new(Cursor::new(log.to_owned()));
    let mut reader = VpcReader::open(input, "log", &STATUS_ROWS(), &VpcOptions::default()).unwrap();
    let mut writer = FlowFileWriter::new(Vec::new(), &WriterOptions::default()).unwrap();
    batches(&mut reader).iter().for_each(|batch| writer.write_batch(batch).unwrap());
    let file = Cursor::new(writer.finish().unwrap());
    batches(&mut FlowFileReader::open(Box::new(file), "a.flow", &STATUS_ROWS()).unwrap())
}

fn write(batches: &[FlowBatch], columns: LogColumns) -> (String, LogRemarks) {
    let options = VpcWriterOptions { columns, ..VpcWriterOptions::default() };
    let mut writer = VpcWriter::new(Vec::new(), &options).unwrap();
    batches.iter().for_each(|batch| writer.write_batch(batch).unwrap());
    let (text, remarks) = writer.finish().unwrap();
    (String::from_utf8(text).unwrap(), remarks)
}

fn names(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Columns of a log in any order: those of AWS and others.
fn any_columns() -> impl Strategy<Value = Vec<String>> {
    let others = ["new-column", "other_column", "x2"];
    let all: Vec<String> = every_column().chain(others).map(str::to_owned).collect();
    let count = all.len();
    let columns = (Just(all).prop_shuffle(), prop_oneof![1..=count, Just(count)]);
    let columns = columns.prop_map(|(mut names, count)| {
        names.truncate(count);
        names
    });
    columns.prop_filter("readers take it for a header line", |names| is_clearly_header(&names.join(" ")))
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Flow,
    Status(&'static str),
}

fn any_row() -> impl Strategy<Value = (Row, Vec<u64>)> {
    let kind = prop_oneof![
        6 => Just(Row::Flow),
        1 => Just(Row::Status("NODATA")),
        1 => Just(Row::Status("SKIPDATA")),
    ];
    (kind, prop::collection::vec(any::<u64>(), 80))
}

/// A value in the one spelling that is written, made from random bits.
fn value(name: &str, row: Row, bits: u64) -> String {
    let number = bits >> 8;
    let field = Field::from_aws(name);
    let identity = ["version", "account-id", "interface-id", "vpc-id", "subnet-id", "region", "start", "end"];
    match (field.map(|field| (field, field.kind().storage())), row) {
        (Some((Field::LogStatus, _)), Row::Status(label)) => label.to_owned(),
        (Some((Field::LogStatus, _)), Row::Flow) => "OK".to_owned(),
        (_, Row::Status(_)) if !identity.contains(&name) => "-".to_owned(),
        _ if bits.is_multiple_of(5) => "-".to_owned(),
        (Some((_, Storage::Time)), _) => (number % (1 << 31)).to_string(),
        (Some((_, Storage::Addr)), _) if bits.is_multiple_of(3) => {
            std::net::Ipv6Addr::from(u128::from(number) << 64 | u128::from(bits % 1000)).to_string()
        }
        (Some((_, Storage::Addr)), _) => std::net::Ipv4Addr::from(number as u32).to_string(),
        (Some((field, Storage::Number)), _) => match field.kind().max_number().checked_add(1) {
            Some(count) => (number % count).to_string(),
            None => bits.to_string(),
        },
        (Some((_, Storage::Text)) | None, _) => {
            let texts = [
                "arn:aws:ecs:eu-west-1:1:task/x",
                "a%20b",
                "\u{fc}\u{2028}",
                "012345678901",
                "--",
                "#1",
                "eni-0",
            ];
            format!("{}{}", texts[(number % 7) as usize], number % 50)
        }
    }
}

fn log(columns: &[String], rows: &[(Row, Vec<u64>)]) -> String {
    let mut text = columns.join(" ") + "\n";
    for (row, bits) in rows {
        let values: Vec<_> = columns.iter().zip(bits).map(|(name, &bits)| value(name, *row, bits)).collect();
        text += &(values.join(" ") + "\n");
    }
    text
}

fn sorted(mut flows: Vec<Flow>) -> Vec<Flow> {
    flows.iter_mut().for_each(|flow| flow.unknown.sort());
    flows
}

proptest! {
    #[test]
    fn a_log_is_the_same_after_it_was_a_flow_file(
        columns in any_columns(),
        rows in prop::collection::vec(any_row(), 0..30),
    ) {
        let log = log(&columns, &rows);
        let batches = by_flow_file(&log);
        let (chosen, remarks) = write(&batches, LogColumns::Chosen(columns.clone()));
        prop_assert_eq!(&chosen, &log);
        prop_assert_eq!(remarks.fields.is_empty(), true);
        let (after, remarks) = write(&batches, LogColumns::FoundAfter(columns));
        prop_assert_eq!(&after, &log);
        prop_assert!(remarks.is_empty(), "{}", remarks);
        let (found, remarks) = write(&batches, LogColumns::Found);
        prop_assert_eq!(sorted(read(&found)), sorted(read(&log)));
        prop_assert!(remarks.is_empty(), "{}", remarks);
        let (again, _) = write(&by_flow_file(&found), LogColumns::Found);
        prop_assert_eq!(again, found);
    }

    #[test]
    fn any_flows_are_lines_that_are_read_back(
        texts in prop::collection::vec(("\\PC{0,8}|[ \r\n\u{feff}-]{0,3}|bytes|[a-z]{1,5}", "[a-z-]{1,4}|\\PC{0,3}", any::<i64>(), 0_u64..3), 1..20),
    ) {
        let mut batch = FlowBatch::new();
        for (text, name, time, back) in &texts {
            batch.set_text(Field::Account, text);
            batch.set_unknown(name, text);
            batch.set_time(Field::First, crate::record::Timestamp::from_nanos(*time));
            batch.set_number(Field::InPackets, 7);
            batch.set_number(Field::OutPackets, *back);
            batch.end_row();
        }
        let two_way = texts.iter().filter(|(.., back)| *back > 0).count();
        for columns in [LogColumns::Found, LogColumns::Chosen(names("account-id start packets"))] {
            let (log, remarks) = write(std::slice::from_ref(&batch), columns);
            let flows = read(&log);
            prop_assert_eq!(flows.len(), texts.len() + two_way);
            prop_assert_eq!(remarks.two_way, two_way as u64);
            let there = flows.iter().filter(|flow| flow.forward.packets == Some(7));
            prop_assert_eq!(there.count(), texts.len());
        }
    }
}

#[test]
fn status_rows_and_columns_of_every_version_stay() {
    let header = every_column().chain(["brand-new", "other_new"]).collect::<Vec<_>>().join(" ");
    let width = header.split(' ').count();
    let no_data = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA";
    let status = format!("{no_data}{}", " -".repeat(width - 14));
    let log = format!("{header}\n{status}\n{}\n", status.replace("NO", "SKIP").replace(" - -\n", " a b\n"));
    let (text, _) = write(&by_flow_file(&log), LogColumns::Chosen(names(&header)));
    assert_eq!(text, log);
}

#[test]
fn gzip_holds_the_same_text() {
    let log = "version bytes\n2 40\n";
    let options = VpcWriterOptions { columns: LogColumns::Found, compression: LogCompression::Gzip };
    let mut writer = VpcWriter::new(Vec::new(), &options).unwrap();
    by_flow_file(log).iter().for_each(|batch| writer.write_batch(batch).unwrap());
    let (packed, _) = writer.finish().unwrap();
    let mut text = String::new();
    MultiGzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, write(&by_flow_file(log), LogColumns::Found).0);
}

#[test]
fn no_row_is_a_header_line() {
    let header = format!("{}\n", default_columns().join(" "));
    assert_eq!(write(&[], LogColumns::Found).0, header);
    assert_eq!(write(&[], LogColumns::FoundAfter(names("bytes new"))).0, "bytes new\n");
    assert_eq!(write(&[], LogColumns::FoundAfter(names("a b c"))).0, header, "no reader would know it");
    assert_eq!(write(&[], LogColumns::Chosen(names("bytes"))).0, "bytes\n");
}

#[test]
fn transit_gateways_have_columns_of_their_own() {
    let log = "version tgw-id srcaddr bytes\n6 tgw-1 10.0.0.1 40\n";
    let (text, _) = write(&by_flow_file(log), LogColumns::Found);
    assert!(text.starts_with("version resource-type account-id tgw-id "), "{text}");
    assert_eq!(text.lines().next().unwrap().split(' ').count(), 36);
    let (text, _) = write(&by_flow_file("tgw-id action\ntgw-1 ACCEPT\n"), LogColumns::Found);
    assert!(
        text.starts_with("version account-id interface-id ") && text.contains(" log-status tgw-id\n"),
        "{text}"
    );
}

#[test]
fn a_column_that_turns_up_late_brings_another_header_line() {
    let mut log = format!("bytes\n{}", "1\n".repeat(20 * BATCH_ROWS));
    log += "new-column bytes region\nx 2 eu\n";
    let (text, _) = write(&by_flow_file(&log), LogColumns::FoundAfter(names("bytes")));
    let headers: Vec<&str> = text.lines().filter(|line| line.contains("bytes")).collect();
    assert_eq!(headers, ["bytes", "bytes new-column"]);
    let (text, remarks) = write(&by_flow_file(&log), LogColumns::Found);
    assert_eq!(text.lines().filter(|line| line.contains("bytes")).count(), 2);
    assert_eq!(sorted(read(&text)), sorted(read(&log)));
    assert!(remarks.is_empty());
}

#[test]
fn what_is_not_written_is_told() {
    let mut batch = FlowBatch::new();
    for name in ["my tag", "src_location.country", "fine", "region-2"] {
        batch.set_unknown(name, "x");
    }
    batch.set_text(Field::Region, "eu-west-3");
    batch.set_text(Field::Source, "a.log");
    batch.set_number(Field::MinTtl, 64);
    batch.end_row();
    let (text, remarks) = write(std::slice::from_ref(&batch), LogColumns::FoundAfter(names("bytes")));
    assert_eq!(text, "bytes fine\n- x\n", "half of a header line has to be known");
    let told = remarks.to_string();
    assert!(
        told.starts_with("AWS flow logs have no column for minttl, my tag, region-2, src_location.country,"),
        "{told}"
    );
    assert!(told.contains("only the names of files say it: region"), "{told}");
    let columns = LogColumns::Chosen(names("bytes fine region srcadr"));
    let (text, remarks) = write(&[batch], columns);
    assert_eq!(text, "bytes fine region srcadr\n- x eu-west-3 -\n");
    assert_eq!(remarks.to_string(), "no record has a column srcadr");
}

#[test]
fn columns_that_no_reader_would_know_are_refused() {
    let error = |columns: &str| {
        let options =
            VpcWriterOptions { columns: LogColumns::Chosen(names(columns)), ..VpcWriterOptions::default() };
        VpcWriter::new(Vec::new(), &options).unwrap_err().to_string()
    };
    assert!(
        error("new other bytes").contains("less than half of them are columns of AWS"),
        "{}",
        error("new other bytes")
    );
    let many = format!("bytes{}", " x".repeat(600));
    assert!(error(&many).contains("601 columns"), "{}", error(&many));
}
