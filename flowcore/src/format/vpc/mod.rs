//! AWS VPC and transit gateway flow logs as text: one record a line, values separated by spaces.
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
//!   are kept under their own name. Of two columns with the same name the first counts. At most [`MAX_COLUMNS`].
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
//! So every line is a header, a record (a flow, NODATA or SKIPDATA), a bad record, or blank, and
//! `records = flows + nodata + skipdata` whatever the request.

mod columns;
mod headerless;
mod lines;
mod parser;
mod reader;
mod record;
mod value;

pub use columns::{MAX_COLUMNS, parse_fields};
pub use lines::MAX_LINE;
pub use reader::{VpcOptions, VpcReader};

/// Whether the first bytes of an input are a flow log: a header line, or a record in an order that AWS writes.
///
/// ```
/// use flowcore::format::vpc::looks_like_log;
/// assert!(looks_like_log(b"version srcaddr dstaddr byt"));
/// assert!(!looks_like_log(b"# a note\nversion srcaddr dstaddr\n"));
/// ```
pub fn looks_like_log(head: &[u8]) -> bool {
    let Some(line) = head.split(|&byte| byte == b'\n').map(lines::strip).find(|line| !lines::is_blank(line))
    else {
        return false;
    };
    std::str::from_utf8(line)
        .is_ok_and(|line| columns::is_clearly_header(line) || headerless::columns(line).is_some())
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
            "version,account-id,interface-id\n2,1,eni-1\n",
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
