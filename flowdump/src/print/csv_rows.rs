//! Rows of CSV, a batch at a time: what all rows of a batch have in common is written out once.

use std::borrow::Cow;
use std::io;

use flowcore::{
    AddrColumn, Field, FieldKind, FlowBatch, NumberColumn, Storage, TextColumn, TimeColumn, Timestamp, Values,
};

use super::clock::Clock;
use super::csv::{is_payload, write_number};
use super::{escape, text};

/// The columns of a batch that differ from row to row, which are few of all.
pub(super) struct CsvRows<'a> {
    columns: Vec<(Literal, Column<'a>)>,
    /// What stands behind the last of them.
    end: Literal,
}

impl<'a> CsvRows<'a> {
    /// The values of these fields, each with a comma behind it.
    ///
    /// # Errors
    /// None that writing into memory does not have.
    pub(super) fn of(batch: &'a FlowBatch, fields: &[Field]) -> io::Result<Self> {
        let (mut columns, mut between) = (Vec::new(), Vec::new());
        for &field in fields {
            match Column::of(batch, field) {
                Some(mut column) if column.is_same(batch.len()) => column.write(0, &mut between)?,
                Some(column) => columns.push((Literal::new(std::mem::take(&mut between)), column)),
                None => {}
            }
            between.push(b',');
        }
        Ok(Self { columns, end: Literal::new(between) })
    }

    /// Adds the values of a row.
    #[inline]
    pub(super) fn write(&mut self, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
        for (before, column) in &mut self.columns {
            before.write(out);
            column.write(row, out)?;
        }
        self.end.write(out);
        Ok(())
    }
}

/// What stands in every row.
enum Literal {
    /// Mostly a comma.
    Short([u8; SHORT], usize),
    Long(Vec<u8>),
}

const SHORT: usize = 16;

impl Literal {
    fn new(bytes: Vec<u8>) -> Self {
        let mut short = [0; SHORT];
        match short.get_mut(..bytes.len()) {
            Some(start) => start.copy_from_slice(&bytes),
            None => return Self::Long(bytes),
        }
        Self::Short(short, bytes.len())
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Short(bytes, len) => text::start_of(*bytes, *len, out),
            Self::Long(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// A column of a batch, looked up once for all rows.
enum Column<'a> {
    Numbers(Cow<'a, NumberColumn>, FieldKind),
    Times(&'a TimeColumn, Clock),
    Addrs(&'a AddrColumn),
    Texts(&'a TextColumn, LastText),
    Payloads(&'a TextColumn),
}

/// The text of the row before as it was written: most rows have the same one.
#[derive(Default)]
struct LastText {
    code: u32,
    written: Vec<u8>,
}

impl<'a> Column<'a> {
    fn of(batch: &'a FlowBatch, field: Field) -> Option<Self> {
        Some(match field.kind().storage() {
            Storage::Number => Self::Numbers(batch.numbers(field)?, field.kind()),
            Storage::Time => Self::Times(batch.times(field)?, Clock::new(b'T')),
            Storage::Addr => Self::Addrs(batch.addrs(field)?),
            Storage::Text if is_payload(field) => Self::Payloads(batch.texts(field)?),
            Storage::Text => Self::Texts(batch.texts(field)?, LastText::default()),
        })
    }

    /// Whether all of so many rows have the same value. A column ends with the last row that has one.
    fn is_same(&self, rows: usize) -> bool {
        match self {
            Self::Numbers(column, _) => is_same(column, rows),
            Self::Times(column, _) => is_same(column, rows),
            Self::Addrs(column) => {
                let (kinds, words) = (column.kinds(), column.words());
                kinds.first() == Some(&4) && all_equal(kinds, rows) && all_equal(words, rows)
            }
            Self::Texts(column, _) => all_equal(column.codes(), rows),
            Self::Payloads(_) => false,
        }
    }

    /// As [`write_value`](super::csv::write_value). Inlined whatever else there is: a call for each value is what a row
    /// costs most.
    #[inline(always)]
    fn write(&mut self, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Numbers(column, kind) => {
                return column.get(row).map_or(Ok(()), |number| write_number(*kind, number, out));
            }
            Self::Times(column, clock) => {
                let time = column.get(row).map(Timestamp::from_nanos);
                time.into_iter().for_each(|time| clock.rfc3339(time, out));
            }
            Self::Addrs(column) => {
                let addr = Some(column.get(row)).filter(|addr| addr.is_known());
                addr.into_iter().for_each(|addr| text::addr(addr, out));
            }
            Self::Texts(column, last) => last.write(column, row, out),
            Self::Payloads(column) => {
                let text = column.get(row);
                text.into_iter().for_each(|text| escape::csv_payload(text, out));
            }
        }
        Ok(())
    }
}

fn is_same<T: Copy + Default + PartialEq>(column: &Values<T>, rows: usize) -> bool {
    column.present().is_full() && all_equal(column.values(), rows)
}

fn all_equal<T: PartialEq>(values: &[T], rows: usize) -> bool {
    values.len() == rows && values.first().is_some_and(|first| values.iter().all(|value| value == first))
}

impl LastText {
    fn write(&mut self, column: &TextColumn, row: usize, out: &mut Vec<u8>) {
        let code = column.codes().get(row).copied().unwrap_or(0);
        if code != self.code {
            self.code = code;
            self.written.clear();
            let text = column.get(row);
            text.into_iter().for_each(|text| escape::csv(text, &mut self.written));
        }
        out.extend_from_slice(&self.written);
    }
}

#[cfg(test)]
mod tests {
    use super::super::csv::CSV_FIELDS;
    use super::*;

    fn lines(batch: &FlowBatch) -> Vec<String> {
        let mut rows = CsvRows::of(batch, CSV_FIELDS).unwrap();
        let mut line = |row| {
            let mut line = Vec::new();
            rows.write(row, &mut line).unwrap();
            String::from_utf8(line).unwrap()
        };
        (0..batch.len()).map(&mut line).collect()
    }

    #[test]
    fn a_row_is_the_same_whatever_stands_beside_it() {
        let sample = crate::print::sample::batch();
        let apart: Vec<String> = (0..sample.len())
            .map(|row| {
                let mut batch = FlowBatch::new();
                batch.push(&sample.flow(row));
                lines(&batch).remove(0)
            })
            .collect();
        assert_eq!(lines(&sample), apart);
        for row in 0..sample.len() {
            let mut batch = FlowBatch::new();
            let flows = [row, row, 0, row].map(|row| sample.flow(row));
            flows[..2].iter().for_each(|flow| batch.push(flow));
            assert_eq!(lines(&batch), [&*apart[row], &apart[row]], "all columns are the same");
            flows[2..].iter().for_each(|flow| batch.push(flow));
            assert_eq!(lines(&batch), [&*apart[row], &apart[row], &apart[0], &apart[row]]);
        }
        assert_eq!(lines(&FlowBatch::new()), [""; 0]);
    }
}
