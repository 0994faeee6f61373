//! What the records of an input stand in: lines of text, JSON or CSV, found from the first bytes.

use std::io::Read;

use super::base64::{self, Base64};
use super::csv::{self, CsvRecords};
use super::json::{self, JsonRecords};
use super::lines::{self, Lines};
use super::parser::Parser;
use super::{columns, headerless};
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::format::json::looks_like_json;
use crate::format::{Compression, SNIFF_BYTES, decompress};
use crate::input::peek;

/// The records of one input.
pub(super) enum Shape {
    /// A record a line; the number is that of the line taken last, from 1.
    Text(Lines, u64),
    Json(Box<JsonRecords>),
    Csv(Box<CsvRecords>),
}

impl Shape {
    /// Finds out what the records of a stream stand in.
    pub(super) fn of(input: Box<dyn Read + Send>, parser: &Parser) -> Result<Self> {
        let (head, input) = peek(input, SNIFF_BYTES, is_enough)?;
        if head.starts_with(base64::OF_GZIP) {
            let input = decompress(Box::new(Base64::new(input)), Compression::Gzip)?;
            return Ok(Self::Json(Box::new(JsonRecords::new(input, parser))));
        }
        Ok(match first_line(&head) {
            _ if looks_like_json(&head) => Self::Json(Box::new(JsonRecords::new(input, parser))),
            Some(line) if csv::is_header(line) => Self::Csv(Box::new(CsvRecords::new(input))),
            _ => Self::Text(Lines::new(input), 0),
        })
    }

    /// Line of what was taken last, from 1.
    pub(super) fn line(&self) -> u64 {
        match self {
            Self::Text(_, number) => *number,
            Self::Json(records) => records.line(),
            Self::Csv(records) => records.line(),
        }
    }

    /// Takes what comes next; how many bytes it had, `None` at the end.
    pub(super) fn take(&mut self, parser: &mut Parser, batch: &mut FlowBatch) -> Result<Option<usize>> {
        match self {
            Self::Text(lines, number) => {
                if let Some((text, whole)) = lines.whole().inspect_err(|_| *number += 1)? {
                    let taken = parser.lines(text, whole, number, batch)?;
                    lines.take(taken);
                    return Ok(Some(taken));
                }
                *number += 1;
                let Some(line) = lines.next()? else { return Ok(None) };
                let len = line.len();
                parser.line(line, *number, batch)?;
                Ok(Some(len))
            }
            Self::Json(records) => records.take(parser, batch),
            Self::Csv(records) => records.take(parser, batch),
        }
    }
}

/// Whether the first bytes of an input are a flow log in one of these shapes.
pub(super) fn is_log(head: &[u8]) -> bool {
    if head.starts_with(base64::OF_GZIP) {
        return is_packed_log(head);
    }
    if looks_like_json(head) {
        return json::is_log(head);
    }
    let is_text = |line| columns::is_clearly_header(line) || headerless::columns(line).is_some();
    first_line(head).and_then(|line| std::str::from_utf8(line).ok()).is_some_and(is_text) || csv::is_log(head)
}

/// The columns of a log in text, by its first line: those of a header line, or of an order that AWS writes.
pub(super) fn columns_of_text(head: &[u8]) -> Option<Vec<String>> {
    let line = first_line(head).filter(|_| !looks_like_json(head));
    let line = line.and_then(|line| std::str::from_utf8(line).ok())?;
    if columns::is_clearly_header(line) {
        return Some(columns::words(line).map(String::from).collect());
    }
    headerless::columns(line).map(|names| names.iter().map(|name| (*name).to_owned()).collect())
}

/// Whether base64 of gzip, which may be cut, is the body of a subscription.
fn is_packed_log(head: &[u8]) -> bool {
    let packed = Box::new(std::io::Cursor::new(head.to_vec()));
    let Ok(input) = decompress(Box::new(Base64::new(packed)), Compression::Gzip) else { return false };
    peek(input, SNIFF_BYTES, |_| false).is_ok_and(|(head, _)| looks_like_json(&head) && json::is_log(&head))
}

/// Whether first bytes are enough to tell the shape: the first line is there, or the beginning of JSON.
fn is_enough(head: &[u8]) -> bool {
    looks_like_json(head)
        || first_line(head).is_some_and(|line| head.ends_with(b"\n") || !head.ends_with(line))
}

/// The first line that is not blank.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    head.split(|&byte| byte == b'\n').map(lines::strip).find(|line| !lines::is_blank(line))
}

#[cfg(test)]
mod tests {
    use super::super::reader::tests::{messages, read, read_as};
    use super::super::{VpcOptions, base64, looks_like_log};
    use crate::record::{Field, Flow};
    use crate::source::{ReadRequest, SourceStats};
    use proptest::prelude::*;
    use serde_json::json;
    use std::io::Write;

    const NAMES: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    const RECORD: &str =
        "2 012345678901 eni-1 10.0.0.1 10.0.0.2 41000 443 6 20 4249 1418530010 1418530070 ACCEPT OK";
    const NO_DATA: &str = "2 012345678901 eni-1 - - - - - - - 1431280876 1431280934 - NODATA";
    /// What Insights calls the columns.
    const INSIGHTS: &str = "version accountId interfaceId srcAddr dstAddr srcPort dstPort protocol packets bytes startTime endTime action logStatus";

    fn gzip(text: &str) -> Vec<u8> {
        let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        file.write_all(text.as_bytes()).unwrap();
        file.finish().unwrap()
    }

    fn subscription(records: &[&str]) -> String {
        let event = |record: &&str| json!({"id":"e","timestamp":1_418_530_010_000_i64,"message":record,"extractedFields":{"srcaddr":"1.2.3.4"}});
        let events: Vec<_> = records.iter().map(event).collect();
        json!({"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"eni-1-all","subscriptionFilters":["f"],"logEvents":events}).to_string()
    }

    const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1510109208016,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;

    /// The same records in every shape in which a record is text.
    fn messages_of(records: &[&str]) -> Vec<String> {
        let firehose: Vec<String> =
            records.iter().map(|record| json!({"message":record}).to_string()).collect();
        let events: Vec<_> = records
            .iter()
            .map(|record| json!({"logStreamName":"eni-1-all","timestamp":1_i64,"message":record,"ingestionTime":2,"eventId":"3"}))
            .collect();
        let page =
            |events: &[serde_json::Value]| json!({"events":events,"searchedLogStreams":[],"nextToken":"x"});
        let field = |name: &str, value: &str| json!({"field":name,"value":value});
        let results: Vec<_> = records
            .iter()
            .map(|record| {
                json!([
                    field("@timestamp", "2023-09-28 23:59:05.000"),
                    field("@message", record),
                    field("@ptr", "p")
                ])
            })
            .collect();
        let csv: String = records.iter().map(|record| format!("1695945545000,{record}\n")).collect();
        let quoted: String = records.iter().map(|record| format!("\"{record}\",1695945545000\r\n")).collect();
        let (one, other) = records.split_at(records.len() / 2);
        let (first, second) = events.split_at(records.len() / 2);
        let packed = base64::tests::encode(&gzip(&(CONTROL.to_owned() + &subscription(one))));
        vec![
            firehose.concat(),
            firehose.join("\n") + "\n",
            format!("[{}]", firehose.join(",")),
            json!({"nextToken":null,"events":events}).to_string(),
            format!("\u{feff}{:#}\r\n{}", page(first), page(second)),
            json!({"results":results,"statistics":{"recordsMatched":1.0},"status":"Complete"}).to_string(),
            format!("{:#}", json!(results)),
            subscription(records),
            format!("{CONTROL}{}{}", subscription(one), subscription(other)),
            format!("{packed}\n{}\n", base64::tests::encode(&gzip(&subscription(other)))),
            format!("timestamp,message\n{csv}"),
            format!("\"@message\",\"@timestamp\"\r\n{quoted}"),
            format!("timestamp,message\n\n{csv}timestamp,message\n"),
        ]
    }

    /// A value of a row: a number as one, if it is to be.
    fn row_value(value: &str, as_number: bool) -> serde_json::Value {
        match value {
            "-" => json!(null),
            _ if as_number && !value.starts_with('0') => {
                value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number))
            }
            _ => json!(value),
        }
    }

    /// The same records in every shape in which columns have names.
    fn rows_of(records: &[&str]) -> Vec<String> {
        let row = |names: &str, as_number: bool, record: &str| {
            let pairs = names.split(' ').zip(record.split(' '));
            serde_json::Value::from_iter(
                pairs.map(|(name, value)| (name.to_owned(), row_value(value, as_number))),
            )
        };
        let rows = |names: &str, as_number| {
            records.iter().map(move |record| row(names, as_number, record).to_string()).collect::<Vec<_>>()
        };
        let result = |record: &&str| {
            let pairs = INSIGHTS.split(' ').zip(record.split(' '));
            json!(pairs.map(|(name, value)| json!({"field":name,"value":value})).collect::<Vec<_>>())
        };
        let results: Vec<_> = records.iter().map(result).collect();
        let underscores = NAMES.replace('-', "_");
        let csv: Vec<String> = records.iter().map(|record| record.replace(' ', ",")).collect();
        let empty: Vec<String> = csv.iter().map(|line| line.replace(",-", ",")).collect();
        vec![
            rows(&underscores, true).join("\n"),
            rows(NAMES, false).concat(),
            rows(&underscores, true).join("\n").replace("\"packets\":20,", "\"packets\":20.0,"),
            format!("[{}]", rows(INSIGHTS, true).join(", ")),
            json!({"results":results,"status":"Complete"}).to_string(),
            format!("{}\n{}\n", underscores.replace(' ', ","), csv.join("\n")),
            format!("{}\r\n{}", NAMES.replace(' ', ","), empty.join("\r\n")),
            format!(
                "\"{}\"\n\"{}\"\n",
                INSIGHTS.replace(' ', "\",\""),
                csv.join("\"\n\"").replace(',', "\",\"")
            ),
        ]
    }

    fn counts(stats: &SourceStats) -> [u64; 6] {
        [stats.records, stats.flows, stats.nodata, stats.skipdata, stats.bad_records, stats.problems.total()]
    }

    #[test]
    fn the_same_records_are_the_same_flows_in_every_shape() {
        let skipped = NO_DATA.replace("NODATA", "SKIPDATA");
        let refused = RECORD.replace("ACCEPT", "REJECT").replace("10.0.0.1", "2001:db8::1");
        let records = [RECORD, NO_DATA, &refused, &skipped, RECORD];
        let (flows, stats) = read(&format!("{NAMES}\n{}\n", records.join("\n")));
        assert_eq!(counts(&stats), [5, 3, 1, 1, 0, 0]);
        for text in messages_of(&records).into_iter().chain(rows_of(&records)) {
            assert!(looks_like_log(text.as_bytes()), "{text}");
            let (found, found_stats) = read(&text);
            assert_eq!(counts(&found_stats), counts(&stats), "{text}: {:?}", messages(&found_stats));
            assert_eq!(found, flows, "{text}");
        }
    }

    #[test]
    fn records_of_another_order_need_their_names() {
        let options = VpcOptions {
            columns: Some(vec!["srcaddr".into(), "dstaddr".into(), "action".into(), "x".into()]),
        };
        for text in messages_of(&["10.0.0.1 10.0.0.2 ACCEPT 7"]) {
            assert!(looks_like_log(text.as_bytes()), "{text}");
            let error =
                read_as(text.as_bytes(), &ReadRequest::default(), &VpcOptions::default()).unwrap_err();
            assert!(
                error.to_string().contains("no header line and 4 columns; name them with --vpc-fields"),
                "{error}"
            );
            let (flows, stats) = read_as(text.as_bytes(), &ReadRequest::default(), &options).unwrap();
            assert_eq!((flows.len(), stats.problems.total()), (1, 0), "{text}: {:?}", messages(&stats));
            assert_eq!(flows[0].unknown, [("x".into(), "7".into())]);
        }
    }

    #[test]
    fn other_json_and_csv_is_no_log() {
        for text in [
            "{}",
            "[]",
            "{",
            r#"{"message":"type the password here"}"#,
            r#"{"events":[{"message":"GET /index.html 200","timestamp":1}]}"#,
            r#"{"records":[{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","message":"2 1 x"}]}"#,
            r#"{"jsonPayload":{"connection":{"src_ip":"10.0.0.1"}},"logName":"projects/p/logs/compute.googleapis.com%2Fvpc_flows"}"#,
            r#"{"time":"2025-04-30T09:07:40Z","flowLogVersion":4,"flow.0":"1663146003599,1.2.3.4,192.0.2.180,23956,443,6,O,B,NX,0,0,0,0"}"#,
            r#"{"first":"2024-03-12T14:00:43.000Z","proto":6,"src4_addr":"198.51.100.32","in_bytes":132,"action":"REJECT","account_id":"1"}"#,
            "timestamp,message\n1,server started\n",
            "first,last,bytes,action,region\n",
            "a,b\n1,2\n",
            "H4sI",
            "H4sI!!",
            "H4sIAAAAAAAA",
        ] {
            assert!(!looks_like_log(text.as_bytes()), "{text}");
        }
        assert!(looks_like_log(CONTROL.as_bytes()));
    }

    fn flow(text: &str) -> Flow {
        let (mut flows, stats) = read(text);
        assert!(stats.problems.is_empty(), "{text}: {:?}", messages(&stats));
        assert_eq!(flows.len(), 1, "{text}");
        flows.remove(0)
    }

    #[test]
    fn values_of_rows_may_hold_anything() {
        let row = r#"{"srcaddr":"10.0.0.1","bytes":412.0,"account_id":12345678,"vpc_id":"my vpc","traffic_path":null,"instance_id":"-","tag":"a\tb","more":{"x":[1, 2]},"flag":true,"start":"2023-09-28T23:59:05Z"}"#;
        let row = flow(row);
        assert_eq!(
            (row.forward.bytes, row.first.map(|time| time.as_secs())),
            (Some(412), Some(1_695_945_545))
        );
        assert_eq!(row.get(Field::Account).text(), Some("000012345678"));
        assert_eq!(row.get(Field::Vpc).text(), Some("my vpc"));
        assert!(row.get(Field::TrafficPath).is_absent() && row.get(Field::Instance).is_absent());
        let unknown = [("flag", "true"), ("more", r#"{"x":[1, 2]}"#), ("tag", "a\tb")];
        assert_eq!(row.unknown, unknown.map(|(name, text)| (name.into(), text.into())));
    }

    #[test]
    fn the_time_of_an_event_is_the_start_of_a_row_that_has_none() {
        let event = "2023-09-28 23:59:05.000";
        let row = |more: &str| {
            format!(
                r#"[[{{"field":"@timestamp","value":"{event}"}},{{"field":"srcAddr","value":"10.0.0.1"}}{more}]]"#
            )
        };
        let table = format!("@timestamp,srcAddr\n{event},10.0.0.1\n");
        for text in [row(""), table] {
            assert_eq!(flow(&text).first.map(|time| time.as_secs()), Some(1_695_945_545));
        }
        let own = flow(&row(r#",{"field":"startTime","value":"7"}"#));
        assert_eq!(own.first.map(|time| time.as_secs()), Some(7));
        assert_eq!(own.unknown, [("@timestamp".into(), event.into())]);
    }

    #[test]
    fn a_message_beside_addresses_is_a_remark() {
        for text in [
            r#"{"message":"allowed by rule 7","srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":"9"}"#,
            "message,srcaddr,dstaddr,bytes\nallowed by rule 7,10.0.0.1,10.0.0.2,9\n",
        ] {
            assert!(looks_like_log(text.as_bytes()));
            let flow = flow(text);
            assert_eq!(flow.forward.bytes, Some(9));
            assert_eq!(flow.unknown, [("message".into(), "allowed by rule 7".into())]);
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        for text in [&b"{\"account_id\":\"x\xff\",\"bytes\":1}"[..], b"account_id,bytes\nx\xff,1\n"] {
            let (flows, stats) = read_as(text, &ReadRequest::default(), &VpcOptions::default()).unwrap();
            assert_eq!(flows[0].get(Field::Account).text(), Some("x\u{fffd}"));
            assert!(messages(&stats)[0].ends_with("bytes that are not UTF-8 are replaced"));
        }
    }

    #[test]
    fn what_is_bad_is_told_by_its_line() {
        let log = [
            r#"{"srcaddr":"10.0.0.1","bytes":1}"#,
            r#"{"srcaddr":"10.0.0.1","bytes":"12x"}"#,
            r#"{"srcaddr":"10.0.1","bytes":1}"#,
            r#"{"srcaddr":["10.0.0.1"],"bytes":1.5}"#,
            r#"{"srcaddr":"10.0.0.1","bytes":1,}"#,
            r#"{"other":1}"#,
            "[1]",
            "text",
            r#"{"srcaddr":"10.0.0.1","bytes":1,"bytes":2}"#,
            r#"{"srcaddr":"10.0.0.1","bytes"#,
        ];
        let (flows, stats) = read(&log.join("\n"));
        assert_eq!(flows.iter().map(|flow| flow.forward.bytes).collect::<Vec<_>>(), [Some(1), Some(1)]);
        let expected = [
            r#"log: line 2: bytes: "12x" is not a number"#,
            r#"log: line 3: srcaddr: "10.0.1" is not an IP address"#,
            r#"log: line 4: srcaddr: "[\"10.0.0.1\"]" is not an IP address"#,
            "log: line 5: no usable JSON: trailing comma",
            "log: line 6: neither a message nor a column of a flow log",
            "log: line 7: this is no JSON object",
            "log: line 8: this is no JSON object",
            "log: line 9: column bytes comes twice in a row; the first one is read",
            "log: line 10: the file ends inside a value; it is cut",
        ];
        assert_eq!(messages(&stats), expected);
        let csv = "srcaddr,bytes\n10.0.0.1,1\n10.0.0.1\n10.0.0.1,12x\n\"10.0.0.1,1\n10.0.0.1,2,3\n";
        let (flows, stats) = read(csv);
        assert_eq!(flows.len(), 2);
        let expected = [
            "log: line 3: 1 columns, header names 2",
            r#"log: line 4: bytes: "12x" is not a number"#,
            "log: line 5: a quoted value does not end in its line",
            "log: line 6: text after column 2, the last one, is not read",
        ];
        assert_eq!(messages(&stats), expected);
        let events = format!("{{\"events\":[\n{{\"message\":\"{RECORD}\"}},\n{{\"message\":\"2 x\"}}]}}");
        assert_eq!(messages(&read(&events).1), ["log: line 3: 2 columns, first line has 14"]);
    }

    #[test]
    fn input_that_is_too_large_is_one_bad_record() {
        let names: String = (0..10_000).map(|at| format!("\"x{at}\":1,")).collect();
        let wide = format!("{{\"srcaddr\":\"10.0.0.1\"}}\n{{{names}\"srcaddr\":\"10.0.0.1\"}}");
        let (flows, stats) = read(&wide);
        assert_eq!((flows.len(), stats.bad_records), (1, 1));
        assert_eq!(messages(&stats), ["log: line 2: no usable JSON: more than 512 names in an object"]);

        let changing: String =
            (0..600).map(|at| format!("{{\"srcaddr\":\"10.0.0.1\",\"x{at}\":1}}\n")).collect();
        let (flows, stats) = read(&changing);
        assert_eq!((flows.len(), stats.bad_records), (511, 89));
        assert!(messages(&stats)[0].ends_with("line 512: more than 512 different columns"));

        let name = "x".repeat(257);
        let (flows, stats) = read(&format!("{{\"srcaddr\":\"10.0.0.1\",\"{name}\":1}}"));
        assert_eq!((flows.len(), stats.bad_records), (0, 1));
        assert_eq!(
            messages(&stats),
            ["log: line 1: a column has a name of 257 bytes; at most 256 can be read"]
        );

        let header = format!("srcaddr,{}", "x,".repeat(9_999));
        let error = read_as(header.as_bytes(), &ReadRequest::default(), &VpcOptions::default()).unwrap_err();
        assert_eq!(error.to_string(), "log: line 1: 10001 columns are named; at most 512 can be read");

        let long = json!({"message":"7".repeat(100_000)}).to_string();
        let (flows, stats) = read(&format!("{}{long}", json!({"message":RECORD})));
        assert_eq!(
            (flows.len(), messages(&stats)),
            (1, vec!["log: line 1: line is longer than 65536 bytes".into()])
        );
    }

    /// Pages of events, as a list of them and one behind the other, some of them empty.
    #[test]
    fn pages_may_be_empty_and_stand_in_a_list() {
        let page = |records: &[&str]| {
            let events: Vec<_> =
                records.iter().map(|record| json!({"timestamp":1,"message":record})).collect();
            json!({"events":events,"searchedLogStreams":[],"nextToken":"x","ResponseMetadata":{"HTTPStatusCode":200}})
        };
        let pages = [page(&[]), page(&[RECORD, NO_DATA]), page(&[]), page(&[RECORD])];
        let joined: Vec<_> = pages.iter().map(ToString::to_string).collect();
        for text in
            [joined.concat(), joined.join("\n"), json!(pages).to_string(), format!("{:#}", json!(pages))]
        {
            assert!(looks_like_log(text.as_bytes()), "{text}");
            let (_, stats) = read(&text);
            assert_eq!(counts(&stats), [3, 2, 1, 0, 0, 0], "{text}");
            assert!(stats.unknown_parts.is_empty());
        }
    }

    #[test]
    fn an_answer_without_records_is_a_log_without_records() {
        let empty = r#"{"events":[],"searchedLogStreams":[],"nextToken":"x"}"#;
        let results = r#"{"results":[],"statistics":{"recordsMatched":0.0},"status":"Complete"}"#;
        for text in [
            empty,
            results,
            &format!("[{empty},{empty}]"),
            &format!("{empty}\n").repeat(2),
            r#"{"logEvents":[ ]}"#,
        ] {
            assert!(looks_like_log(text.as_bytes()), "{text}");
            let (flows, stats) = read(text);
            assert_eq!((flows.len(), counts(&stats)), (0, [0; 6]), "{text}");
        }
        let head = &empty.repeat(2000).into_bytes()[..crate::format::SNIFF_BYTES];
        assert!(looks_like_log(head), "what follows the first bytes can be cut there");
        for other in
            [r#"{"records":[]}"#, r#"{"count":0,"results":[]}"#, r#"{"events":[1]}"#, r#"{"events":{}}"#]
        {
            assert!(!looks_like_log(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_row_with_a_list_named_as_that_of_a_page_is_a_row() {
        let row = r#"{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":7"#;
        for name in ["events", "results", "records", "logEvents"] {
            for text in [
                format!(r#"{row}}}{row},"{name}":[]}}"#),
                format!(r#"{{"{name}":[],{}}}{row}}}"#, &row[1..]),
                format!(r#"[{row}}},{row},"{name}":[]}}]"#),
            ] {
                assert!(looks_like_log(text.as_bytes()), "{text}");
                assert_eq!(counts(&read(&text).1), [2, 2, 0, 0, 0, 0], "{text}");
            }
        }
        let (_, stats) = read(&format!(r#"{row},"events":["x"]}}"#));
        assert_eq!(counts(&stats), [1, 1, 0, 0, 1, 1], "what is in the list is told");
        let (flows, stats) =
            read(&format!(r#"{{"region":"us-east-1","events":[{{"message":"{RECORD}"}}]}}"#));
        let others: Vec<_> = stats.unknown_parts.into_iter().collect();
        assert_eq!(
            (flows.len(), others),
            (1, vec![("objects around records, with names of their own".into(), 1)])
        );
    }

    #[test]
    fn rows_around_something_else_in_a_list_are_read() {
        let row = r#"{"srcaddr":"10.0.0.1","bytes":7}"#;
        for (text, bad) in [
            (format!("[{row},5,{row},{row}]"), 1),
            (format!("[null,{row},\"a]\",{row},true,false,{row}]"), 4),
            (format!("[\nnull,\n{row},\n{row},\n-1,\n{row}\n]"), 2),
        ] {
            assert!(looks_like_log(text.as_bytes()), "{text}");
            let (flows, stats) = read(&text);
            assert_eq!((flows.len(), stats.bad_records), (3, bad), "{text}");
        }
    }

    #[test]
    fn broken_base64_is_told() {
        let text = base64::tests::encode(&gzip(&subscription(&[RECORD])));
        let cut = &text[..text.len() / 2];
        let error = read_as(format!("{cut}!").as_bytes(), &ReadRequest::default(), &VpcOptions::default());
        assert!(error.unwrap_err().to_string().contains("a character that is not base64"));
    }

    proptest! {
        #[test]
        fn every_shape_says_the_same(
            rows in prop::collection::vec((any::<u32>(), any::<u16>(), 0_u64..1 << 60, 0_u32..1 << 31, 0..5), 1..8),
        ) {
            let record = |&(addr, port, bytes, time, kind): &(u32, u16, u64, u32, i32)| {
                let addr = std::net::Ipv4Addr::from(addr);
                match kind {
                    0 => format!("2 000000000001 eni-{port} - - - - - - - {time} {time} - NODATA"),
                    1 => format!("2 unknown - {addr} 2001:db8::{port:x} 0 0 1 - - {time} {time} - OK"),
                    _ => format!("5 123456789012 eni-1 {addr} 10.0.0.1 {port} 0 17 {} {bytes} {time} {} REJECT OK", bytes / 40, u64::from(time) + 60),
                }
            };
            let records: Vec<String> = rows.iter().map(record).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            let request = ReadRequest { status_rows: true, ..ReadRequest::default() };
            let read = |text: &str| read_as(text.as_bytes(), &request, &VpcOptions::default()).unwrap();
            let (flows, stats) = read(&format!("{NAMES}\n{}", records.join("\n")));
            for text in messages_of(&records).into_iter().chain(rows_of(&records)) {
                let (found, found_stats) = read(&text);
                prop_assert_eq!(&found, &flows, "{}", text);
                prop_assert_eq!(counts(&found_stats), counts(&stats));
            }
        }

        #[test]
        fn any_json_is_read_or_refused(text in "[\\[\\]{}\",:a0\\\\\n ]{0,60}|(\\{\"(message|srcaddr|bytes|@timestamp)\":(1|null|\"-\"|\"[ a-f0-9.]{0,9}\"|\\[\\])\\}\n?){0,6}") {
            let _ = looks_like_log(text.as_bytes());
            let Ok((flows, stats)) = read_as(text.as_bytes(), &ReadRequest::default(), &VpcOptions::default()) else { return Ok(()) };
            prop_assert_eq!(stats.records, stats.flows + stats.nodata + stats.skipdata);
            prop_assert_eq!(stats.flows, flows.len() as u64);
        }
    }
}
