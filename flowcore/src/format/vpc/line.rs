//! One record to the text of a line: the values of chosen columns, separated by spaces.
//!
//! A two-way record makes two lines, as AWS writes one for each direction. What a line cannot hold as it is, is spelled so
//! that it can; the [module](super) says how.

use std::io::Write;
use std::ops::Range;

use super::columns::{self, is_same};
use super::record::ABSENT;
use super::value::MAX_SECONDS;
use crate::batch::{FlowBatch, TextColumn};
use crate::record::{Addr, Field, FieldSet, Storage, Text, Timestamp};
use crate::visible::steers_text;

/// The columns of a line, in order.
#[derive(Debug, Default)]
pub(super) struct LineColumns {
    names: Vec<String>,
    sources: Vec<Source>,
}

/// Where the values of a column come from.
#[derive(Debug)]
enum Source {
    Field(Field, Storage),
    /// The column of this name that has no field.
    Unknown(Text),
}

/// A direction of a two-way record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From source to destination.
    There,
    /// From destination to source.
    Back,
}

impl LineColumns {
    /// Columns with these names.
    pub(super) fn new<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut columns = Self::default();
        names.into_iter().for_each(|name| columns.push(name.as_ref()));
        columns
    }

    /// Adds a column.
    pub(super) fn push(&mut self, name: &str) {
        self.names.push(name.to_owned());
        self.sources.push(match Field::from_aws(name) {
            Some(field) => Source::Field(field, field.kind().storage()),
            None => Source::Unknown(name.into()),
        });
    }

    /// The names, in order.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether one of the columns has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| is_same(known, name))
    }

    /// The fields that have a column.
    pub(super) fn fields(&self) -> FieldSet {
        let field = |source: &Source| match source {
            Source::Field(field, _) => Some(*field),
            Source::Unknown(_) => None,
        };
        self.sources.iter().filter_map(field).collect()
    }

    /// The line that names the columns, without its end.
    pub(super) fn header(&self) -> String {
        self.names.join(" ")
    }

    /// Adds the lines of these rows.
    pub(super) fn write(&self, batch: &FlowBatch, rows: Range<usize>, out: &mut Vec<u8>) -> Written {
        let lines = Lines { columns: self, batch, others: self.others(batch) };
        let mut written = Written::default();
        for row in rows {
            lines.write(row, Way::There, out, &mut written);
            if has_way_back(batch, row) {
                lines.write(row, Way::Back, out, &mut written);
                written.back += 1;
            }
        }
        written
    }

    /// For each column without a field those of the batch that have its name, which has two spellings.
    fn others<'a>(&self, batch: &'a FlowBatch) -> Vec<Vec<&'a TextColumn>> {
        let of_name = |name: &str| {
            let columns = batch.unknown().iter().filter(|(known, _)| is_same(known, name));
            columns.map(|(_, column)| column).collect()
        };
        let columns = self.sources.iter().map(|source| match source {
            Source::Field(..) => Vec::new(),
            Source::Unknown(name) => of_name(name),
        });
        columns.collect()
    }
}

/// An account of lines that were written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Lines for the way back.
    pub(super) back: u64,
    /// Times before 1970, which a line cannot hold.
    pub(super) early_times: u64,
}

/// What the lines of a batch are made of.
struct Lines<'a> {
    columns: &'a LineColumns,
    batch: &'a FlowBatch,
    others: Vec<Vec<&'a TextColumn>>,
}

impl Lines<'_> {
    fn write(&self, row: usize, way: Way, out: &mut Vec<u8>, written: &mut Written) {
        let start = out.len();
        for (source, others) in self.columns.sources.iter().zip(&self.others) {
            match source {
                Source::Field(field, storage) => match way.field(*field) {
                    Some(field) => self.write_field(field, *storage, row, way, out, written),
                    None => out.extend_from_slice(ABSENT),
                },
                Source::Unknown(_) => {
                    push_text(others.iter().find_map(|column| column.get(row)).map_or("", |text| text), out);
                }
            }
            out.push(b' ');
        }
        out.pop();
        disguise_header(start, out);
        out.push(b'\n');
    }

    fn write_field(
        &self,
        field: Field,
        storage: Storage,
        row: usize,
        way: Way,
        out: &mut Vec<u8>,
        written: &mut Written,
    ) {
        match storage {
            Storage::Number => push_number(self.batch.number(field, row), out),
            Storage::Addr => push_addr(self.batch.addr(field, row), out),
            Storage::Time => {
                let time = self.batch.time(field, row);
                let number = time.and_then(number_of_time);
                written.early_times += u64::from(time.is_some() && number.is_none());
                push_number(number, out);
            }
            Storage::Text => {
                let text = self.batch.text(field, row).unwrap_or_default();
                let turned = way == Way::Back && field == Field::Direction;
                push_text(if turned { other_direction(text) } else { text }, out);
            }
        }
    }
}

impl Way {
    /// The field of a two-way record that is this field of the record of one of its ways; `None` where nothing is known.
    pub(super) fn field(self, field: Field) -> Option<Field> {
        if self == Self::There {
            return Some(field);
        }
        if NOT_BACK.contains(&field) {
            return None;
        }
        Some(field.opposite())
    }
}

/// What a two-way record says of the way there only.
const NOT_BACK: [Field; 5] =
    [Field::TrafficPath, Field::LostNoRoute, Field::LostBlackhole, Field::LostMtu, Field::LostTtl];

/// Whether anything came back. AWS writes no record of nothing.
fn has_way_back(batch: &FlowBatch, row: usize) -> bool {
    REVERSE.iter().any(|&field| batch.number(field, row).is_some_and(|number| number > 0))
}

/// The fields of the way back, which have no column.
pub(super) const REVERSE: [Field; 3] = [Field::OutPackets, Field::OutBytes, Field::OutFlags];

fn other_direction(direction: &str) -> &str {
    match direction {
        "ingress" => "egress",
        "egress" => "ingress",
        other => other,
    }
}

/// Seconds since 1970, rounded down; as large ones would be taken for milliseconds, these are given then. `None` before
/// 1970.
fn number_of_time(time: Timestamp) -> Option<u64> {
    let seconds = u64::try_from(time.as_secs()).ok()?;
    if seconds <= MAX_SECONDS { Some(seconds) } else { u64::try_from(time.as_nanos() / 1_000_000).ok() }
}

fn push_number(number: Option<u64>, out: &mut Vec<u8>) {
    match number {
        Some(number) => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        None => out.extend_from_slice(ABSENT),
    }
}

fn push_addr(addr: Addr, out: &mut Vec<u8>) {
    match addr {
        Addr::V4(addr) => {
            for octet in addr.octets() {
                out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
                out.push(b'.');
            }
            out.pop();
        }
        // A vector takes every byte.
        Addr::V6(addr) => drop(write!(out, "{addr}")),
        Addr::Unknown => out.extend_from_slice(ABSENT),
    }
}

/// A text as a value: what would end it, and a text that would mean "absent", in the percent encoding of AWS's tags.
fn push_text(text: &str, out: &mut Vec<u8>) {
    if text.is_empty() {
        return out.extend_from_slice(ABSENT);
    }
    if text.as_bytes() == ABSENT {
        return push_percent(b'-', out);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return out.extend_from_slice(text.as_bytes());
    }
    for c in text.chars() {
        let mut bytes = [0; 4];
        let bytes = c.encode_utf8(&mut bytes).bytes();
        match c {
            ' ' | '\u{feff}' => bytes.for_each(|byte| push_percent(byte, out)),
            _ if steers_text(c) => bytes.for_each(|byte| push_percent(byte, out)),
            _ => out.extend(bytes),
        }
    }
}

/// Spells the first byte of a line in another way if the line would be taken for one that names columns.
fn disguise_header(start: usize, out: &mut Vec<u8>) {
    let line = out.get(start..).unwrap_or_default();
    if columns::can_be_header(line) && std::str::from_utf8(line).is_ok_and(columns::is_header) {
        let line = out.split_off(start);
        if let Some((first, rest)) = line.split_first() {
            push_percent(*first, out);
            out.extend_from_slice(rest);
        }
    }
}

fn push_percent(byte: u8, out: &mut Vec<u8>) {
    // A vector takes every byte.
    drop(write!(out, "%{byte:02X}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = Vec::new();
        push_text(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn lines(names: &[&str], batch: &FlowBatch) -> (String, Written) {
        let mut out = Vec::new();
        let written = LineColumns::new(names).write(batch, 0..batch.len(), &mut out);
        (String::from_utf8(out).unwrap(), written)
    }

    #[test]
    fn a_text_is_one_value_that_is_not_absent() {
        for (given, expected) in [
            ("eni-1", "eni-1"),
            ("a%20b", "a%20b"),
            ("a b\tc\r\n", "a%20b%09c%0D%0A"),
            ("\u{feff}ü\u{85}", "%EF%BB%BFü%C2%85"),
            ("a\u{202e}b", "a%E2%80%AEb"),
            ("-", "%2D"),
            ("--", "--"),
            ("", "-"),
        ] {
            assert_eq!(text(given), expected);
        }
    }

    #[test]
    fn times_are_what_a_reader_takes_for_them() {
        let number = |nanos| number_of_time(Timestamp::from_nanos(nanos));
        assert_eq!(number(1_695_921_755_999_999_999), Some(1_695_921_755));
        assert_eq!(number(2_147_483_647_999_999_999), Some(2_147_483_647));
        assert_eq!(number(2_147_483_648_000_000_000), Some(2_147_483_648_000));
        assert_eq!((number(0), number(-1)), (Some(0), None));
    }

    #[test]
    fn the_way_back_is_a_line_of_its_own() {
        let mut batch = FlowBatch::new();
        for out_packets in [3, 0] {
            batch.set_addr(Field::SrcAddr, "10.0.0.1".parse().unwrap());
            batch.set_addr(Field::DstAddr, "2001:db8::1".parse().unwrap());
            batch.set_number(Field::SrcPort, 50_000);
            batch.set_number(Field::InPackets, 5);
            batch.set_number(Field::OutPackets, out_packets);
            batch.set_number(Field::TrafficPath, 8);
            batch.set_text(Field::Direction, "egress");
            batch.set_time(Field::First, Timestamp::from_nanos(-1));
            batch.end_row();
        }
        let names = [
            "srcaddr",
            "dstaddr",
            "srcport",
            "dstport",
            "packets",
            "traffic-path",
            "flow-direction",
            "start",
        ];
        let (text, written) = lines(&names, &batch);
        let expected = "10.0.0.1 2001:db8::1 50000 - 5 8 egress -\n\
                        2001:db8::1 10.0.0.1 - 50000 3 - ingress -\n\
                        10.0.0.1 2001:db8::1 50000 - 5 8 egress -\n";
        assert_eq!(text, expected);
        assert_eq!(written, Written { back: 1, early_times: 3 });
    }

    #[test]
    fn the_way_back_of_the_way_back_is_the_way_there() {
        for field in Field::all().filter(|field| !NOT_BACK.contains(field)) {
            assert_eq!(Way::Back.field(field).and_then(|back| Way::Back.field(back)), Some(field));
        }
    }

    #[test]
    fn no_line_of_values_names_columns() {
        let mut batch = FlowBatch::new();
        batch.set_text(Field::Account, "bytes");
        batch.set_unknown("new_column", "packets");
        batch.end_row();
        assert_eq!(lines(&["account_id", "new-column"], &batch).0, "%62ytes packets\n");
        assert_eq!(lines(&["account-id", "bytes"], &batch).0, "bytes -\n");
    }
}
