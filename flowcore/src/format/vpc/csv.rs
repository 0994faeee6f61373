//! Records in CSV: `timestamp,message` as the console of CloudWatch Logs exports events, and tables whose header line
//! names columns. Values are quoted as RFC 4180 has it, and end in their line.

use std::io::Read;

use csv_core::{ReaderBuilder, Terminator};

use super::columns;
use super::lines::{Line, Lines, MAX_LINE};
use super::parser::{Note, Parser};
use super::table::Table;
use super::{json, lines, names};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};

/// The records of a stream.
pub(super) struct CsvRecords {
    lines: Lines,
    rows: Rows,
}

/// Reads single lines.
struct Rows {
    /// Number of the line being read, from 1.
    number: u64,
    cells: Cells,
    /// The names in the header line, and what it says.
    names: Vec<String>,
    shape: Option<Shape>,
}

/// What the header line says.
enum Shape {
    /// In this column of so many are records as text.
    Messages { at: usize, width: usize },
    /// Each column of the line is one of the table.
    Rows { table: Box<Table>, places: Vec<usize> },
}

impl CsvRecords {
    pub(super) fn new(input: Box<dyn Read + Send>) -> Self {
        Self {
            lines: Lines::new(input),
            rows: Rows { number: 0, cells: Cells::new(), names: Vec::new(), shape: None },
        }
    }

    /// Number of the line taken last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.rows.number
    }

    /// Takes the next line; how long it was, `None` at the end.
    pub(super) fn take(&mut self, parser: &mut Parser, batch: &mut FlowBatch) -> Result<Option<usize>> {
        self.rows.number += 1;
        let Some(line) = self.lines.next()? else { return Ok(None) };
        let len = line.len();
        self.rows.line(line, parser, batch)?;
        Ok(Some(len))
    }
}

impl Rows {
    fn line(&mut self, line: Line<'_>, parser: &mut Parser, batch: &mut FlowBatch) -> Result<()> {
        match line {
            Line::TooLong => parser.bad(self.number, format!("line is longer than {MAX_LINE} bytes")),
            Line::Text(line) if lines::is_blank(line) => {}
            Line::Text(line) if !self.cells.split(line) => {
                parser.bad(self.number, "a quoted value does not end in its line");
            }
            Line::Text(line) => {
                if std::str::from_utf8(line).is_err() {
                    parser
                        .note(Note::NotUtf8, self.number, || "bytes that are not UTF-8 are replaced".into());
                }
                return if self.is_header() { self.header(parser) } else { self.record(parser, batch) };
            }
        }
        Ok(())
    }

    /// Whether the line names columns: the first one does, and the first of a file behind which this one was put.
    fn is_header(&self) -> bool {
        let text = |cell| std::str::from_utf8(cell).unwrap_or_default();
        let mut cells = self.cells.iter().map(text);
        match self.shape {
            None => true,
            Some(Shape::Messages { at, .. }) => cells.nth(at).is_some_and(names::is_message),
            // Values seldom begin with a small letter.
            Some(Shape::Rows { .. }) => {
                let starts_small = cells
                    .clone()
                    .next()
                    .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
                starts_small
                    && cells.clone().count() > 1
                    && cells.take(2).all(|name| names::column(name).is_some())
            }
        }
    }

    fn header(&mut self, parser: &mut Parser) -> Result<()> {
        parser.table_header();
        let names: Vec<String> =
            self.cells.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        if names == self.names {
            return Ok(());
        }
        columns::check_count(names.len()).map_err(|error| Error::unsupported(error.to_string()))?;
        let message = message_at(&names);
        self.shape = Some(match message {
            Some(at) => Shape::Messages { at, width: names.len() },
            None => self.table(&names, parser)?,
        });
        self.names = names;
        Ok(())
    }

    fn table(&self, header: &[String], parser: &mut Parser) -> Result<Shape> {
        let lacks_start = !header.iter().any(|name| names::column(name) == Some("start"));
        let (mut table, mut places) = (Table::new(parser.wanted(), parser.said_by_path()), Vec::new());
        for name in header {
            let name = if lacks_start && name == names::EVENT_TIME { "start" } else { name };
            let at = table.place(name).map_err(|error| Error::unsupported(error.to_string()))?;
            if places.contains(&at) {
                let text = || format!("column {name} is named twice; the first one is read");
                parser.note(Note::RepeatedColumn, self.number, text);
            }
            places.push(at);
        }
        parser.bound(table.layout(), self.number);
        Ok(Shape::Rows { table: Box::new(table), places })
    }

    fn record(&mut self, parser: &mut Parser, batch: &mut FlowBatch) -> Result<()> {
        let width = match &self.shape {
            Some(Shape::Messages { width, .. }) => *width,
            Some(Shape::Rows { places, .. }) => places.len(),
            None => return Ok(()),
        };
        let count = self.cells.iter().count();
        if count < width {
            parser.bad(self.number, format!("{count} columns, header names {width}"));
            return Ok(());
        }
        match &mut self.shape {
            Some(Shape::Messages { at, .. }) => {
                let message = self.cells.iter().nth(*at).unwrap_or_default();
                json::record_lines(&String::from_utf8_lossy(message), self.number, parser, batch)?;
            }
            Some(Shape::Rows { table, places }) => {
                table.begin();
                for (cell, at) in self.cells.iter().zip(places) {
                    table.set(*at, &String::from_utf8_lossy(cell));
                }
                parser.table_row(table.row(), self.number, batch);
            }
            None => {}
        }
        if count > width {
            let text = || format!("text after column {width}, the last one, is not read");
            parser.note(Note::TextAfterRecord, self.number, text);
        }
        Ok(())
    }
}

/// Whether a stream that begins so is a table of flow log records, or of events that are.
pub(super) fn is_log(head: &[u8]) -> bool {
    let mut lines = head.split(|&byte| byte == b'\n').map(lines::strip).filter(|line| !lines::is_blank(line));
    let Some(names) = lines.next().and_then(header) else { return false };
    let Some(at) = message_at(&names) else {
        return names::are_of_log(names.iter().map(String::as_str));
    };
    let mut cells = Cells::new();
    match lines.next() {
        Some(line) if cells.split(line) => {
            cells.iter().nth(at).is_some_and(|cell| json::is_record(&String::from_utf8_lossy(cell)))
        }
        _ => names.len() > 1,
    }
}

/// Whether a first line names several columns, one of which is known.
pub(super) fn is_header(line: &[u8]) -> bool {
    let is_known = |name: &String| names::is_message(name) || names::column(name).is_some();
    header(line).is_some_and(|names| names.iter().any(is_known))
}

/// The column of records as text, among these; `None` for a table of rows.
fn message_at(names: &[String]) -> Option<usize> {
    let is_row = names.iter().any(|name| names::is_end(name));
    names.iter().position(|name| names::is_message(name)).filter(|_| !is_row)
}

/// The names in a line of several.
fn header(line: &[u8]) -> Option<Vec<String>> {
    // A table of how values are quoted is made for the reader: lines of text, which most logs are, need none.
    memchr::memchr(b',', line)?;
    let mut cells = Cells::new();
    cells.split(line).then(|| cells.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect())
}

/// The values of a line.
struct Cells {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Values found.
    count: usize,
}

impl Cells {
    fn new() -> Self {
        let reader = ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build();
        Self { reader, text: Vec::new(), ends: Vec::new(), count: 0 }
    }

    /// Cuts a line into values; `false` if a quoted one does not end.
    fn split(&mut self, line: &[u8]) -> bool {
        self.count = 0;
        if !memchr::memchr_iter(b'"', line).count().is_multiple_of(2) {
            return false;
        }
        // There cannot be more values than bytes, and one.
        grow(&mut self.text, line.len() + 1);
        grow(&mut self.ends, line.len() + 1);
        self.reader.reset();
        let (_, _, written, count) = self.reader.read_record(line, &mut self.text, &mut self.ends);
        let (text, ends) = (self.text.get_mut(written..), self.ends.get_mut(count..));
        let (_, _, _, last) =
            self.reader.read_record(&[], text.unwrap_or_default(), ends.unwrap_or_default());
        self.count = count + last;
        true
    }

    /// The values, without spaces around them.
    fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let ends = self.ends.get(..self.count).unwrap_or_default();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let value =
            |(start, &end): (usize, &usize)| self.text.get(start..end).unwrap_or_default().trim_ascii();
        starts.zip(ends).map(value)
    }
}

/// Makes room for so many.
fn grow<T: Clone + Default>(room: &mut Vec<T>, len: usize) {
    if room.len() < len {
        room.resize(len, T::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(line: &str) -> Option<Vec<String>> {
        let mut cells = Cells::new();
        let text = |cell: &[u8]| String::from_utf8(cell.to_vec()).unwrap();
        cells.split(line.as_bytes()).then(|| cells.iter().map(text).collect())
    }

    #[test]
    fn values_are_cut_as_rfc_4180_has_it() {
        for (line, expected) in [
            ("a,b", vec!["a", "b"]),
            ("a,,", vec!["a", "", ""]),
            (",", vec!["", ""]),
            (r#""a ""b"", c", d ,"""#, vec![r#"a "b", c"#, "d", ""]),
            ("a\rb,c", vec!["a\rb", "c"]),
        ] {
            assert_eq!(split(line).unwrap(), expected, "{line}");
        }
        assert_eq!(split("a,\"b"), None);
    }

    proptest! {
        #[test]
        fn any_values_come_back(values in prop::collection::vec("[a-c\", ]{0,6}", 2..9)) {
            let quoted: Vec<String> = values.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
            let expected: Vec<String> = values.iter().map(|value| value.trim().to_owned()).collect();
            prop_assert_eq!(split(&quoted.join(",")), Some(expected));
        }

        #[test]
        fn any_line_has_room(line in "[a\",\r]{0,40}") {
            let cells = split(&line);
            prop_assert_eq!(cells.is_none(), line.matches('"').count() % 2 == 1);
            prop_assert!(cells.is_none_or(|cells| cells.len() <= line.len().max(1)  + 1));
        }
    }
}
