//! JSON logs as a stream of values: what cloud exports have in common, whatever the records in them mean.
//!
//! In goes a decompressed stream, out come the JSON values that are records ([`Values`]), each whole and one at a
//! time, so that memory is bounded by the largest record and not by the file. A record is
//!
//! * a value that stands by itself: one a line, several without anything between them, or printed over many lines;
//! * an element of an array that is the whole document, as `gcloud logging read --format=json` prints;
//! * an element of an array that stands under one of the [`Envelope`] names in an object: Azure's `records`, and
//!   `events`, `results` and `logEvents` of AWS. Such objects can stand in an array, as `jq -s` makes of pages. The rest
//!   of such an object is passed over if all of its names are those of an envelope; else it is told at its end
//!   ([`Value::Beside`]), as it can be a record that happens to have a column called `events`.
//!
//! Values are found by their brackets alone; whether they are JSON shows where they are read. What is between values
//! and cannot be one is told as [`Value::Broken`]: a number, word or text in an array, behind which reading goes on,
//! and anything else, after which reading goes on with the next line.

mod reader;
mod scan;
#[cfg(test)]
pub(super) mod testing;
mod values;
mod walk;

pub(super) use reader::{Account, JsonReader, Records, shown};
pub(super) use values::{CUT, Value, Values};
pub(super) use walk::{Visit, walk};

/// Names under which objects hold arrays of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelope {
    /// `aws logs filter-log-events` and `get-log-events`.
    Events,
    /// `aws logs get-query-results`.
    Results,
    /// A CloudWatch Logs subscription.
    LogEvents,
    /// Azure.
    Records,
}

impl Envelope {
    /// The name that an object has.
    fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"events" => Some(Self::Events),
            b"results" => Some(Self::Results),
            b"logEvents" => Some(Self::LogEvents),
            b"records" => Some(Self::Records),
            _ => None,
        }
    }

    /// Whether a name is one that objects which hold records have, as the clouds write them.
    fn has(name: &[u8]) -> bool {
        Self::of(name).is_some() || NAMES_BESIDE.iter().any(|known| known.as_bytes() == name)
    }
}

/// What stands beside records: in pages of `filter-log-events`, `get-log-events` and `get-query-results`, as the command
/// line and Boto write them, and in subscriptions.
const NAMES_BESIDE: [&str; 15] = [
    "nextToken",
    "searchedLogStreams",
    "nextForwardToken",
    "nextBackwardToken",
    "statistics",
    "status",
    "encryptionKey",
    "queryLanguage",
    "queryId",
    "ResponseMetadata",
    "messageType",
    "owner",
    "logGroup",
    "logStream",
    "subscriptionFilters",
];

/// Whether the first bytes of an input can be JSON: an object or an array, behind a byte order mark and blanks.
pub(super) fn looks_like_json(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    matches!(head.first(), Some(b'{' | b'['))
}
