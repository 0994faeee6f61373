//! Records in JSON: what CloudWatch Logs, Firehose and exports of tables write.
//!
//! A value of the stream is the event of a log, whose `message` is a record as text; a row, whose names are columns; or a
//! row of a query of Insights, which is a list of names and values. `CONTROL_MESSAGE` of a subscription, by which
//! AWS tries whether there is a receiver, is passed over.

use std::io::Read;

use super::json_value::{Cell, Entries, Raw};
use super::lines::{self, Line, MAX_LINE};
use super::names;
use super::parser::{Note, Parser};
use super::table::{Table, TooLarge};
use super::{columns, headerless, record};
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::format::json::{CUT, Envelope, Value, Values};

/// The records of a stream.
pub(super) struct JsonRecords {
    values: Values,
    rows: Rows,
    /// Line of the value taken last.
    line: u64,
}

impl JsonRecords {
    pub(super) fn new(input: Box<dyn Read + Send>, parser: &Parser) -> Self {
        Self {
            values: Values::new(input),
            rows: Rows { table: Table::new(parser.wanted(), parser.said_by_path()) },
            line: 1,
        }
    }

    /// Line of the value taken last, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Takes the next value; how long it was, `None` at the end.
    pub(super) fn take(&mut self, parser: &mut Parser, batch: &mut FlowBatch) -> Result<Option<usize>> {
        let value = match self.values.next() {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(None),
            Err(error) => {
                self.line = self.values.line();
                return Err(error.into());
            }
        };
        match value {
            Value::Text { text, line, .. } => {
                self.line = line;
                self.rows.value(text, line, parser, batch)?;
                Ok(Some(text.len()))
            }
            Value::Beside { text, line } => {
                self.line = line;
                self.rows.beside(text, line, parser, batch)?;
                Ok(Some(text.len()))
            }
            Value::Broken { why, line } => {
                self.line = line;
                parser.bad(line, why);
                Ok(Some(0))
            }
        }
    }
}

/// Whether a stream that begins so holds flow log records, or is an answer of AWS without any: a log that was quiet.
pub(super) fn is_log(head: &[u8]) -> bool {
    let mut values = Values::new(Box::new(std::io::Cursor::new(head.to_vec())));
    let (mut is_control, mut is_empty, mut looked_at) = (false, true, 0);
    while looked_at < VALUES_LOOKED_AT
        && let Ok(Some(value)) = values.next()
    {
        is_empty &= matches!(value, Value::Broken { why: CUT, .. });
        let (text, envelope) = match value {
            Value::Text { text, envelope, .. } => (text, envelope),
            Value::Beside { text, .. } => (text, None),
            Value::Broken { .. } => continue,
        };
        looked_at += 1;
        let Ok(text) = std::str::from_utf8(text) else { continue };
        let Ok(entries) = Entries::read(text) else { continue };
        match entries.message() {
            _ if envelope == Some(Envelope::Records) => return false,
            Some(message) if is_control_message(&message) => is_control = true,
            Some(message) => return is_record(&message),
            None => return names::are_of_log(entries.names()),
        }
    }
    is_control || is_empty && values.opened().is_some_and(|envelope| envelope != Envelope::Records)
}

/// Whether the text of an event can be a record, be it in an order that the user has to tell.
pub(super) fn is_record(message: &str) -> bool {
    let line = message.lines().next().unwrap_or_default();
    let words = || columns::words(line);
    let has_result = words().any(|word| record::is_status(word) || matches!(word, "ACCEPT" | "REJECT"));
    let addresses = words().filter(|word| word.parse::<std::net::IpAddr>().is_ok()).count();
    columns::is_clearly_header(line)
        || headerless::columns(line).is_some()
        || words().count() > 3 && (has_result || addresses > 1)
}

/// Values that are no records before the first record.
const VALUES_LOOKED_AT: usize = 16;

fn is_control_message(message: &str) -> bool {
    message.starts_with("CWL CONTROL MESSAGE")
}

/// Reads single values.
struct Rows {
    table: Table,
}

impl Rows {
    fn value(&mut self, text: &[u8], line: u64, parser: &mut Parser, batch: &mut FlowBatch) -> Result<()> {
        let utf8 = String::from_utf8_lossy(text);
        if matches!(utf8, std::borrow::Cow::Owned(_)) {
            parser.note(Note::NotUtf8, line, || "bytes that are not UTF-8 are replaced".into());
        }
        let entries = match Entries::read(&utf8) {
            Ok(entries) => entries,
            Err(why) => {
                parser.bad(line, why);
                return Ok(());
            }
        };
        match entries.message() {
            Some(message) if is_control_message(&message) => Ok(()),
            Some(message) => record_lines(&message, line, parser, batch),
            None => {
                self.row(&entries, line, parser, batch);
                Ok(())
            }
        }
    }

    /// Takes an object that held records: its names besides are seldom those of a row.
    fn beside(&mut self, text: &[u8], line: u64, parser: &mut Parser, batch: &mut FlowBatch) -> Result<()> {
        let is_record = |entries: &Entries<'_>| {
            entries.message().is_some_and(|message| is_record(&message)) || names::are_of_log(entries.names())
        };
        let utf8 = String::from_utf8_lossy(text);
        match Entries::read(&utf8) {
            Ok(entries) if !is_record(&entries) => {
                parser.other("objects around records, with names of their own");
            }
            _ => self.value(text, line, parser, batch)?,
        }
        Ok(())
    }

    fn row(&mut self, entries: &Entries<'_>, line: u64, parser: &mut Parser, batch: &mut FlowBatch) {
        if !entries.names().any(|name| self.table.knows(name)) {
            return parser.bad(line, "neither a message nor a column of a flow log");
        }
        self.table.begin();
        let filled = entries.iter().try_for_each(|(name, value)| match name {
            names::EVENT_TIME => Ok(()),
            _ => self.fill(name, value, line, parser),
        });
        match filled.and_then(|()| self.fill_event_time(entries, line, parser)) {
            Ok(()) => parser.table_row(self.table.row(), line, batch),
            Err(error) => parser.bad(line, error.to_string()),
        }
    }

    fn fill(&mut self, name: &str, value: Raw<'_>, line: u64, parser: &mut Parser) -> Result<(), TooLarge> {
        let at = self.table.place(name)?;
        let is_first = match value.cell() {
            Cell::Absent => true,
            Cell::Number(number) => self.table.set_number(at, number),
            Cell::Text(text) => self.table.set(at, &text),
        };
        if !is_first {
            let name = self.table.name(at);
            let text = || format!("column {name} comes twice in a row; the first one is read");
            parser.note(Note::RepeatedColumn, line, text);
        }
        Ok(())
    }

    /// The time of the event, where the row does not say when it began.
    fn fill_event_time(
        &mut self,
        entries: &Entries<'_>,
        line: u64,
        parser: &mut Parser,
    ) -> Result<(), TooLarge> {
        let Some(time) = entries.get(names::EVENT_TIME) else { return Ok(()) };
        let start = self.table.place("start")?;
        let name = if self.table.has(start) { names::EVENT_TIME } else { "start" };
        self.fill(name, time, line, parser)
    }
}

/// Takes the text of an event: a record, or several where a forwarder has put them together.
pub(super) fn record_lines(
    text: &str,
    number: u64,
    parser: &mut Parser,
    batch: &mut FlowBatch,
) -> Result<()> {
    if text.len() > MAX_LINE {
        return parser.line(Line::TooLong, number, batch);
    }
    for line in text.split('\n') {
        parser.line(Line::Text(lines::strip(line.as_bytes())), number, batch)?;
    }
    Ok(())
}
