//! A stream of JSON values to batches: what the readers of such logs have in common.
//!
//! In goes a decompressed stream and what takes one value apart ([`Records`]), out come batches and an account in
//! which every value is: as records, as a bad record, or as part of another log.

use std::collections::HashSet;
use std::io::Read;

use super::{Value, Values};
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::format::rows_first::RowsFirst;
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// Takes values of a log apart.
pub(in super::super) trait Records: Send {
    /// Adds the rows of a value that begins in this line. Those for which the batch has no room are kept.
    fn take(&mut self, value: &[u8], line: u64, batch: &mut FlowBatch, account: &mut Account);

    /// Adds rows that have been kept, as many as there is room for.
    fn rest(&mut self, batch: &mut FlowBatch, account: &mut Account);
}

/// Reads a log.
pub(in super::super) struct JsonReader<R> {
    values: Values,
    records: R,
    account: Account,
    rows: RowsFirst,
}

/// Text after which a batch is handed on even if it has few rows.
const BATCH_BYTES: usize = 8 << 20;

impl<R: Records> JsonReader<R> {
    /// Reads `input`, which is called `name` in messages.
    pub(in super::super) fn new(
        input: Box<dyn Read + Send>,
        name: &str,
        request: &ReadRequest,
        records: R,
    ) -> Self {
        let account = Account::new(name, request);
        Self { values: Values::new(input), records, account, rows: RowsFirst::default() }
    }

    /// Adds rows until the batch is full or the input ends; whether more may follow. No rows are kept back unless the batch
    /// is full.
    fn fill(
        values: &mut Values,
        records: &mut R,
        account: &mut Account,
        batch: &mut FlowBatch,
    ) -> Result<bool> {
        records.rest(batch, account);
        let mut bytes = 0;
        while batch.is_empty() || (batch.len() < BATCH_ROWS && bytes < BATCH_BYTES) {
            match values.next()? {
                Some(Value::Text { text, line, .. } | Value::Beside { text, line }) => {
                    bytes += text.len();
                    records.take(text, line, batch, account);
                }
                Some(Value::Broken { why, line }) => account.bad(line, || why.to_owned()),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl<R: Records> FlowSource for JsonReader<R> {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        let Self { values, records, account, rows } = self;
        rows.read(batch, |batch| {
            let filled = Self::fill(values, records, account, batch);
            filled.map_err(|error| account.place(error, values.line()))
        })
    }

    fn stats(&self) -> SourceStats {
        self.account.stats.clone()
    }
}

/// Counts records and keeps problems.
pub(in super::super) struct Account {
    input: String,
    stats: SourceStats,
    noted: Vec<&'static str>,
    keeps_unknown: bool,
    unknown: HashSet<String>,
}

/// Columns without a field that an input can have; those of further names are not kept.
const MAX_UNKNOWN: usize = 500;

impl Account {
    fn new(name: &str, request: &ReadRequest) -> Self {
        Self {
            input: name.to_owned(),
            stats: SourceStats::default(),
            noted: Vec::new(),
            keeps_unknown: request.unknown_columns,
            unknown: HashSet::new(),
        }
    }

    /// Counts a row.
    pub(in super::super) fn flow(&mut self) {
        self.stats.records += 1;
        self.stats.flows += 1;
    }

    /// Counts a record that says that there was no traffic.
    pub(in super::super) fn no_data(&mut self) {
        self.stats.records += 1;
        self.stats.nodata += 1;
    }

    /// Counts a record that cannot be used.
    pub(in super::super) fn bad(&mut self, line: u64, why: impl FnOnce() -> String) {
        self.stats.bad_records += 1;
        let error = || Error::new(ErrorKind::BadRecord(why())).in_input(self.input.as_str());
        self.stats.problems.push_with(|| error().at(Position::Line(line)));
    }

    /// Counts what belongs to another log, by what it is.
    pub(in super::super) fn other(&mut self, what: String) {
        self.stats.add_unknown_part(what, 1);
    }

    /// Notes a problem that is told once in an input, however often it is met.
    pub(in super::super) fn note(&mut self, line: u64, what: &'static str) {
        if !self.noted.contains(&what) {
            self.noted.push(what);
            let error = self.place(Error::damaged(what), line);
            self.stats.problems.push(error);
        }
    }

    /// Sets a column of the row being filled that has no field, if such are wanted.
    pub(in super::super) fn set_unknown(&mut self, batch: &mut FlowBatch, name: &str, text: &str, line: u64) {
        if !self.keeps_unknown {
            return;
        }
        if !self.unknown.contains(name) {
            if self.unknown.len() == MAX_UNKNOWN {
                return self
                    .note(line, "more than 500 columns that are not known; further ones are not kept");
            }
            self.unknown.insert(name.to_owned());
        }
        batch.set_unknown(name, text);
    }

    fn place(&self, error: Error, line: u64) -> Error {
        error.in_input(self.input.as_str()).at(Position::Line(line))
    }
}

/// The beginning of a text, for messages.
pub(in super::super) fn shown(text: &str) -> &str {
    const SHOWN: usize = 60;
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}
