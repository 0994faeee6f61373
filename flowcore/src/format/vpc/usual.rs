//! Usual lines as a table: where each value is, and what the values of a column are or whether they fit it.

use super::columns::{Layout, ValueColumn, ValueKind};
use super::lines::MAX_LINE;
use super::quick;
use super::record::{ABSENT, Kind, Parsed, Record, Span};
use super::scan::{LineOf, Scan};
use super::value;
use crate::record::{Addr, Timestamp};

/// A record that may become a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) line: LineOf,
    pub(super) number: u64,
    pub(super) kind: Kind,
}

/// The values of a column, one a row.
#[derive(Debug)]
pub(super) enum Values {
    Numbers(Vec<Option<u64>>),
    Times(Vec<Option<i64>>),
    Addrs(Vec<Addr>),
}

/// Lines of a text, of which it is known where values begin.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) text: &'a [u8],
    pub(super) scan: &'a Scan,
}

impl<'a> Table<'a> {
    /// Whether a line is certainly a record with a value for each column, and nothing odd about it.
    pub(super) fn is_usual(self, line: LineOf, layout: &Layout, is_ascii: bool) -> bool {
        if !line.is_plain || line.values != layout.width {
            return false;
        }
        let (start, end) = self.scan.span(line);
        let Some(bytes) = self.text.get(start..end).filter(|bytes| bytes.len() <= MAX_LINE) else {
            return false;
        };
        let starts = self.scan.starts(line.first, line.values - 1);
        let begins_as_name = |&at: &u32| self.text.get(at as usize).is_some_and(u8::is_ascii_lowercase);
        (is_ascii || bytes.is_ascii()) && !bytes.ends_with(b"\r") && !starts.iter().all(begins_as_name)
    }

    /// What kind of row a usual line is; [`Record::kind`] is asked where that is not seen at once.
    pub(super) fn kind(self, line: LineOf, layout: &Layout, spans: &mut Vec<Span>) -> Kind {
        match layout.status.map(|at| self.value(line, at)) {
            Some(Some(status)) if status != b"NODATA" && status != b"SKIPDATA" => Kind::Flow,
            _ => self.record(line, spans).kind(layout),
        }
    }

    /// A usual line as a record.
    pub(super) fn record<'b>(self, line: LineOf, spans: &'b mut Vec<Span>) -> Record<'b>
    where
        'a: 'b,
    {
        spans.clear();
        spans.extend(self.scan.starts(line.first, line.values).windows(2).map(|pair| (pair[0], pair[1] - 1)));
        Record::of(self.text, spans)
    }

    /// First byte of a value, and the one behind its last.
    #[inline]
    fn place(self, line: LineOf, at: usize) -> (usize, usize) {
        match *self.scan.starts(line.first + at, 1) {
            [start, next] => (start as usize, (next as usize).saturating_sub(1)),
            _ => (0, 0),
        }
    }

    /// A value; `None` where it is absent.
    #[inline]
    pub(super) fn value(self, line: LineOf, at: usize) -> Option<&'a [u8]> {
        let (start, end) = self.place(line, at);
        self.text.get(start..end).filter(|value| *value != ABSENT)
    }

    /// The values of a column; the rows whose values do not fit it are added to `bad`.
    pub(super) fn read(self, column: &ValueColumn, rows: &[Row], bad: &mut Vec<usize>) -> Values {
        let text = self.text;
        match column.kind {
            ValueKind::Number(max) => {
                let quick = |start, end| quick::number(text, start, end).filter(|number| *number <= max);
                Values::Numbers(self.parse(column, rows, bad, |a, b| quick(a, b).map(Some), Parsed::number))
            }
            ValueKind::Time => {
                let nanos = |time: Timestamp| Some(time.as_nanos());
                let quick = |start, end| value::time_of(quick::number(text, start, end)?).map(nanos);
                let plain = |parsed: Parsed| parsed.time().and_then(nanos);
                Values::Times(self.parse(column, rows, bad, quick, plain))
            }
            ValueKind::Addr => {
                let quick = |start, end| quick::ipv4(text, start, end).map(Addr::V4);
                Values::Addrs(self.parse(column, rows, bad, quick, Parsed::addr))
            }
        }
    }

    /// Adds the rows whose values do not fit a column to `bad`.
    pub(super) fn check(self, column: &ValueColumn, rows: &[Row], bad: &mut Vec<usize>) {
        let text = self.text;
        match column.kind {
            // Sixteen digits fit.
            ValueKind::Number(u64::MAX) => {
                self.check_by(column, rows, bad, |start, end| quick::is_number(text, start, end));
            }
            ValueKind::Number(max) => {
                let quick = |start, end| quick::number(text, start, end).is_some_and(|number| number <= max);
                self.check_by(column, rows, bad, quick);
            }
            ValueKind::Time => {
                let quick = |start, end| quick::number(text, start, end).and_then(value::time_of).is_some();
                self.check_by(column, rows, bad, quick);
            }
            ValueKind::Addr => {
                self.check_by(column, rows, bad, |start, end| quick::is_ipv4(text, start, end));
            }
        }
    }

    /// The values of a column in these rows, as `quick` reads what stands from one byte to another, if it can.
    #[inline]
    fn parse<T>(
        self,
        column: &ValueColumn,
        rows: &[Row],
        bad: &mut Vec<usize>,
        quick: impl Fn(usize, usize) -> Option<T>,
        plain: impl Fn(Parsed) -> T,
    ) -> Vec<T> {
        let value = |(at, row): (usize, &Row)| {
            let (start, end) = self.place(row.line, column.at);
            quick(start, end).unwrap_or_else(|| plain(self.plainly(column, row.line, at, bad)))
        };
        rows.iter().enumerate().map(value).collect()
    }

    /// Adds the rows to `bad` whose values do not fit a column; `quick` answers for those that certainly do.
    #[inline]
    fn check_by(
        self,
        column: &ValueColumn,
        rows: &[Row],
        bad: &mut Vec<usize>,
        quick: impl Fn(usize, usize) -> bool,
    ) {
        for (at, row) in rows.iter().enumerate() {
            let (start, end) = self.place(row.line, column.at);
            if !quick(start, end) {
                self.plainly(column, row.line, at, bad);
            }
        }
    }

    /// The value of a column in a line, however it is spelled; if it does not fit, the row's number is added to `bad`.
    #[inline(never)]
    fn plainly(self, column: &ValueColumn, line: LineOf, row: usize, bad: &mut Vec<usize>) -> Parsed {
        let Some(value) = self.value(line, column.at) else { return Parsed::Absent };
        column.parse(value).unwrap_or_else(|_| {
            bad.push(row);
            Parsed::Absent
        })
    }
}
