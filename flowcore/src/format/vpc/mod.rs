//! AWS VPC and transit gateway flow logs: text, one record a line and values separated by spaces, and what CloudWatch
//! Logs, Firehose and exports of tables make of it in JSON and CSV.
//!
//! In goes a decompressed stream, out come batches ([`VpcReader`]). The rules, from the AWS documentation
//! ("Flow log records", <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>) and from logs
//! seen in the wild:
//!
//! * **Layout.** A header line names the columns, in any order and any choice. It can come again (objects
//!   concatenated by hand) and then replaces the layout. The `version` value says nothing about the layout:
//!   published records with version 8 columns carry 3, 5 or 7. A line is a header when all of its words look
//!   like column names and the first, or half of them, are columns we know.
//! * **No header.** The names given by the caller ([`VpcOptions::columns`], see [`parse_fields`]) are used, else
//!   the orders AWS writes are recognised: the default format, "all fields up to a version" in table order or
//!   sorted by name, and the transit gateway default. CloudWatch Logs exports put a time before each record,
//!   which is passed over. Any other first line is an error that says how to name the columns.
//! * **Columns.** A known column fills its [`Field`](crate::Field), hyphens and underscores being the same; others
//!   are kept under their own name. Of two columns with the same name the first counts. At most [`MAX_COLUMNS`]. In all of
//!   an input, values of that many columns without a field are kept; that there are more is noted once.
//! * **Paths.** Account, region and flow log in the path ([`LogPath`]) fill the fields that a layout has no column for.
//! * **Values.** `-` is "absent", never zero. `start` and `end` are seconds; larger than 2³¹−1 they are
//!   milliseconds, as some old rows have them. Text is kept as it is, leading zeros of account ids included.
//!   Text that is not UTF-8 is replaced in part, which is noted once. Records are one-way: reverse fields are
//!   absent.
//! * **NODATA and SKIPDATA.** Such rows are no flows. They are counted apart and handed out only if the request
//!   asks for status rows. Two cases need care: a row with that label that nevertheless has both addresses (vendors'
//!   made-up samples) is a flow with a label; and where the layout has no `log-status`, or the status is `-`, a row
//!   whose addresses and counters are all `-` counts as NODATA, because nothing tells it from SKIPDATA.
//! * **Bad lines.** A line with too few columns, with a value that does not fit a column that is read, or longer
//!   than [`MAX_LINE`] is counted, noted with its line number and passed over. A line that goes on after its last
//!   column is used; that it does is noted once. Blank lines mean nothing. CRLF, a byte order mark, runs of
//!   spaces and a missing newline at the end are understood.
//!
//! # JSON and CSV
//!
//! What records stand in is found from the first bytes.
//!
//! * **Events.** JSON objects with a `message` (or `@message`) that is a record as text: by themselves (Firehose; with or
//!   without anything between them), under `events` (`aws logs filter-log-events`), `results` (`get-query-results` of
//!   CloudWatch Logs Insights) or `logEvents` (subscriptions, also as base64 of gzip as Lambda and Kinesis get them;
//!   their `CONTROL_MESSAGE` is passed over), and CSV of a column `message`. The rules for text hold for each message; as it has no
//!   header line, an order of one's own has to be told.
//!   Pages can stand in an array, and have no events at all. An object around events that has other names than AWS gives it
//!   is a row if they are those of a flow log, else counted as a part that is not understood.
//! * **Rows.** JSON objects, `results` of named columns and CSV with a header line. Names are those of AWS with hyphens or
//!   underscores, or as Insights spells them (`srcAddr`, `startTime`). Other names are unknown columns; objects and arrays in
//!   them are kept as they are written. Rows may have columns that others lack.
//! * **Values of rows.** `null`, `-` and nothing are "absent". Numbers may be strings, and whole ones may have a point or an
//!   exponent (`412.0`); account ids that are numbers get their leading zeros back. Times may be dates. A row of Insights
//!   without `startTime` begins at its `@timestamp`, which is the `start` that the record had.
//! * **Bad records** are counted and noted with the line in which they begin: what is no JSON, has neither a message nor a
//!   known column, more than [`MAX_COLUMNS`] names, or a name of more than 256 bytes. A quoted CSV value ends in its line.
//!
//! # Parquet
//!
//! [`VpcParquetReader`] reads tables whose columns have names of AWS, with underscores or hyphens, of any type:
//!
//! * Null, `-`, `None`, a float that is no number and nothing are "absent". Otherwise the rules for values of rows hold.
//! * Only columns that are asked for are read; the others are looked at where a row has no `log-status` of `OK`.
//! * Columns in groups, lists and maps, and decimals, are not read; that a column which is asked for is such is noted once.
//! * A record with a value of more than [`MAX_LINE`] bytes is bad. Where a column is damaged, the other rows of its row group
//!   are counted as bad records, and reading goes on with the next one. Numbers of rows count from 1, in the whole file.
//!
//! So every line is a header, a record (a flow, NODATA or SKIPDATA), a bad record, or blank, and
//! `records = flows + nodata + skipdata` whatever the request.
//!
//! # Writing
//!
//! [`VpcWriter`] writes text, a header line and a record a line.
//!
//! * **Columns** are those that the caller names, or those that have a value ([`LogColumns`]). The second need rows before
//!   the header line can be written: up to 131,072 are held. A column that turns up later comes with another header line, as
//!   in logs that were joined, so no value is lost and memory stays bounded.
//! * **Absent** values are `-`. Columns without a field keep their name.
//! * **Times** are seconds, start and end both rounded down; after 2038, when seconds would be taken for milliseconds, they
//!   are milliseconds.
//! * **Two-way records** with anything on the way back make two lines: the second has the ends exchanged, the other
//!   direction, and neither traffic path nor counters of lost packets.
//! * **One spelling.** Numbers have no leading zeros, times are seconds, IPv6 addresses are as RFC 5952 has them. Spaces,
//!   control characters and byte order marks in texts are percent-encoded, as AWS does with tags, and so is a text that is a
//!   mere `-`. What is spelled so in a log already is written as it was read, byte for byte.
//! * **What has no column** is named at the end ([`LogRemarks`]).

mod base64;
mod block;
mod columns;
mod csv;
mod headerless;
mod json;
mod json_value;
mod line;
mod lines;
mod names;
mod parquet;
mod parser;
pub(crate) mod path;
mod quick;
mod reader;
mod record;
mod remarks;
#[cfg(test)]
mod round_trip;
mod scan;
mod shape;
mod table;
mod usual;
pub(super) mod value;
mod writer;

pub use columns::{MAX_COLUMNS, parse_fields};
pub use lines::MAX_LINE;
pub use parquet::VpcParquetReader;
pub use path::LogPath;
pub use reader::{VpcOptions, VpcReader};
pub use remarks::LogRemarks;
pub use writer::{LogColumns, LogCompression, VpcWriter, VpcWriterOptions};

/// Whether the first bytes of an input are a flow log: a header line, or a record in an order that AWS writes.
///
/// ```
/// use flowcore::format::vpc::looks_like_log;
/// assert!(looks_like_log(b"version srcaddr dstaddr byt"));
/// assert!(!looks_like_log(b"# a note\nversion srcaddr dstaddr\n"));
/// ```
pub fn looks_like_log(head: &[u8]) -> bool {
    shape::is_log(head)
}

/// The columns of a log in text, if its first line says them.
pub(crate) fn columns_of_text(head: &[u8]) -> Option<Vec<String>> {
    shape::columns_of_text(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1418530010 1418530070 ACCEPT OK";

    #[test]
    fn logs_are_told_from_other_text() {
        for log in [
            "version account-id interface-id",
            "\u{feff}version account_id\r\n2 1\r\n",
            "\n\nsrcaddr dstaddr brand-new-column\n",
            RECORD,
            &format!("2023-09-28T00:00:00.000Z {RECORD}\n"),
        ] {
            assert!(looks_like_log(log.as_bytes()), "{log}");
        }
        for other in [
            "",
            "\n",
            "Phony unsupported log format.",
            "type the password here\n",
            "{\"message\":\"x\"}",
            "1 2 3 4 5 6 7 8 9 10 11 12 13 14",
            "\u{0}\u{1}\u{2}",
        ] {
            assert!(!looks_like_log(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn a_head_may_be_cut_anywhere_in_the_header() {
        let header = "version account-id interface-id srcaddr dstaddr srcport dstport protocol\n";
        for cut in "version".len()..header.len() {
            assert!(looks_like_log(&header.as_bytes()[..cut]), "{}", &header[..cut]);
        }
    }
}
