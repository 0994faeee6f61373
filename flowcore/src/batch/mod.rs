//! Many flows in columns, the unit in which readers, filter, aggregation and writers pass records on.

mod add;
mod column;
mod dictionary;
mod mask;
mod take;

pub use column::{AddrColumn, Column, NumberColumn, Presence, TextColumn, TimeColumn, Values};
pub(crate) use dictionary::Dictionary;
pub use mask::Mask;

use std::borrow::Cow;

use crate::record::flow_arithmetic as arithmetic;
use crate::record::{Addr, FIELD_COUNT, Field, FieldSet, Flow, Text, Timestamp, Value};

/// A reusable set of rows in columns.
///
/// A column exists for a field as soon as one row has a value for it. A reader fills a batch row by row with the
/// `set_*` calls and [`end_row`](Self::end_row); values that are not set are absent, and of two values set for
/// the same field and row the first one stays.
///
/// ```
/// use flowcore::{Field, FlowBatch, Value};
/// let mut batch = FlowBatch::new();
/// batch.set_number(Field::InBytes, 1500);
/// batch.end_row();
/// batch.end_row();
/// assert_eq!(batch.len(), 2);
/// assert_eq!(batch.value(Field::Bytes, 0), Value::Number(1500));
/// assert_eq!(batch.value(Field::Bytes, 1), Value::Absent);
/// ```
#[derive(Debug)]
pub struct FlowBatch {
    len: usize,
    columns: Vec<Option<Column>>,
    unknown: Vec<(Text, TextColumn)>,
    /// Where the next column without a field is looked for first: rows name them in the same order.
    next_unknown: usize,
}

/// Rows after which a reader hands a batch on: large enough to spread the cost of a call, small enough for the
/// columns of a query to stay in a core's cache.
pub const BATCH_ROWS: usize = 8192;

/// Bytes of texts after which a source hands a batch on, however few its rows are: payloads can be as long as 64 KiB
/// each, and several batches may be under way.
pub const BATCH_TEXT_BYTES: usize = 4 * 1024 * 1024;

impl FlowBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self {
            len: 0,
            columns: (0..FIELD_COUNT).map(|_| None).collect(),
            unknown: Vec::new(),
            next_unknown: 0,
        }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of the texts held, each counted once in its column. Looks at every column, no row.
    ///
    /// ```
    /// use flowcore::{Field, FlowBatch};
    /// let mut batch = FlowBatch::new();
    /// for payload in ["GET /", "GET /", "POST /"] {
    ///     batch.set_text(Field::InPayload, payload);
    ///     batch.end_row();
    /// }
    /// assert_eq!(batch.text_bytes(), 11);
    /// ```
    pub fn text_bytes(&self) -> usize {
        let unknown = self.unknown.iter().map(|(_, column)| column.text_bytes());
        self.columns.iter().flatten().map(Column::text_bytes).chain(unknown).sum()
    }

    /// Whether columns of texts know no text but those of the rows, in the order of their first use.
    pub(crate) fn is_compact(&self) -> bool {
        let texts = self.columns.iter().flatten().filter_map(|column| match column {
            Column::Text(column) => Some(column),
            _ => None,
        });
        texts.chain(self.unknown.iter().map(|(_, column)| column)).all(TextColumn::is_compact)
    }

    /// Bytes of memory that the texts take, about, with what it takes to find them.
    pub(crate) fn text_memory(&self) -> usize {
        let unknown = self.unknown.iter().map(|(_, column)| column.text_memory());
        self.columns.iter().flatten().map(Column::text_memory).chain(unknown).sum()
    }

    /// Whether a source should hand the batch on: it has [`BATCH_ROWS`] rows or [`BATCH_TEXT_BYTES`] of texts.
    pub fn is_full(&self) -> bool {
        self.len >= BATCH_ROWS || self.text_bytes() >= BATCH_TEXT_BYTES
    }

    /// Forgets all rows; memory of the columns is kept for the next ones.
    pub fn clear(&mut self) {
        self.len = 0;
        self.columns.iter_mut().flatten().for_each(Column::clear);
        self.unknown.clear();
    }

    /// The column of a stored field, if any row has a value; it can be shorter than the batch, the rows past
    /// its end having none.
    pub fn column(&self, field: Field) -> Option<&Column> {
        self.columns[field as usize].as_ref().filter(|column| !column.is_empty())
    }

    /// The numbers of a field, computed ones included; `None` if no row has one.
    ///
    /// The column covers every row of the batch.
    pub fn numbers(&self, field: Field) -> Option<Cow<'_, NumberColumn>> {
        if field.is_derived() {
            let is_whole = |column: &&NumberColumn| column.len() == self.len;
            return match self.only_input(field).filter(is_whole) {
                Some(column) => Some(Cow::Borrowed(column)),
                None => self.derived(field).map(Cow::Owned),
            };
        }
        match self.column(field)? {
            Column::Number(column) if column.len() == self.len => Some(Cow::Borrowed(column)),
            Column::Number(_) => Some(Cow::Owned(self.padded_numbers(field))),
            _ => None,
        }
    }

    /// The numbers of a stored field; can be shorter than the batch.
    pub(crate) fn number_column(&self, field: Field) -> Option<&NumberColumn> {
        match self.column(field)? {
            Column::Number(column) => Some(column),
            _ => None,
        }
    }

    /// The times of a field; can be shorter than the batch.
    pub fn times(&self, field: Field) -> Option<&TimeColumn> {
        match self.column(field)? {
            Column::Time(column) => Some(column),
            _ => None,
        }
    }

    /// The addresses of a field; can be shorter than the batch.
    pub fn addrs(&self, field: Field) -> Option<&AddrColumn> {
        match self.column(field)? {
            Column::Addr(column) => Some(column),
            _ => None,
        }
    }

    /// The texts of a field; can be shorter than the batch.
    pub fn texts(&self, field: Field) -> Option<&TextColumn> {
        match self.column(field)? {
            Column::Text(column) => Some(column),
            _ => None,
        }
    }

    /// Columns of the source that have no field, by their own name.
    pub fn unknown(&self) -> &[(Text, TextColumn)] {
        &self.unknown
    }

    /// The stored fields that have a value in some row.
    pub fn fields(&self) -> FieldSet {
        Field::all().filter(|&field| self.column(field).is_some()).collect()
    }

    /// The number of a field in a row, computed ones included.
    pub fn number(&self, field: Field, row: usize) -> Option<u64> {
        match self.columns[field as usize].as_ref() {
            Some(Column::Number(column)) => column.get(row),
            _ if field.is_derived() => self.derived_number(field, row),
            _ => None,
        }
    }

    /// The time of a field in a row.
    pub fn time(&self, field: Field, row: usize) -> Option<Timestamp> {
        self.times(field)?.get(row).map(Timestamp::from_nanos)
    }

    /// The address of a field in a row.
    pub fn addr(&self, field: Field, row: usize) -> Addr {
        self.addrs(field).map_or(Addr::Unknown, |column| column.get(row))
    }

    /// The text of a field in a row.
    pub fn text(&self, field: Field, row: usize) -> Option<&str> {
        self.texts(field)?.get(row).map(|text| &**text)
    }

    /// Whether a row is a NODATA or SKIPDATA record of a cloud log, which is no flow.
    ///
    /// Needs [`Field::LogStatus`] and both addresses; vendors' made-up rows with that label and addresses are flows.
    pub fn is_status_row(&self, row: usize) -> bool {
        crate::status_rows::label(self, row).is_some()
    }

    /// The value of any field in a row.
    pub fn value(&self, field: Field, row: usize) -> Value {
        match self.columns[field as usize].as_ref() {
            Some(column) => column.value(row),
            None => self.derived_number(field, row).into(),
        }
    }

    /// A row as a [`Flow`].
    pub fn flow(&self, row: usize) -> Flow {
        let mut flow = Flow::default();
        for (field, column) in Field::all().zip(&self.columns) {
            if let Some(column) = column {
                flow.set(field, column.value(row));
            }
        }
        let unknown = self
            .unknown
            .iter()
            .filter_map(|(name, column)| Some((Text::clone(name), column.get(row)?.clone())));
        flow.unknown = unknown.collect();
        flow.unknown.sort();
        flow
    }

    /// Adds a row.
    pub fn push(&mut self, flow: &Flow) {
        for field in Field::all().filter(|field| !field.is_derived()) {
            self.set_value(field, &flow.get(field));
        }
        for (name, text) in &flow.unknown {
            self.set_unknown(name, text);
        }
        self.end_row();
    }

    /// Sets a number of the row being filled.
    #[inline]
    pub fn set_number(&mut self, field: Field, number: u64) {
        if let Some(Column::Number(column)) = self.open_column(field) {
            column.push(Some(number));
        }
    }

    /// Sets a time of the row being filled.
    #[inline]
    pub fn set_time(&mut self, field: Field, time: Timestamp) {
        if let Some(Column::Time(column)) = self.open_column(field) {
            column.push(Some(time.as_nanos()));
        }
    }

    /// Sets an address of the row being filled.
    #[inline]
    pub fn set_addr(&mut self, field: Field, addr: Addr) {
        if let Some(Column::Addr(column)) = self.open_column(field) {
            column.push(addr);
        }
    }

    /// Sets a text of the row being filled.
    #[inline]
    pub fn set_text(&mut self, field: Field, text: &str) {
        if let Some(Column::Text(column)) = self.open_column(field) {
            column.push(Some(text));
        }
    }

    /// Sets a text of the row being filled from bytes; `false` if they were not UTF-8 and had to be replaced in
    /// part.
    #[inline]
    pub fn set_text_bytes(&mut self, field: Field, text: &[u8]) -> bool {
        match self.open_column(field) {
            Some(Column::Text(column)) => column.push_bytes(text),
            _ => true,
        }
    }

    /// Sets any stored field of the row being filled; absent and computed ones are passed over.
    pub fn set_value(&mut self, field: Field, value: &Value) {
        if !value.is_absent()
            && !field.is_derived()
            && let Some(column) = self.open_column(field)
        {
            column.push(value);
        }
    }

    /// Sets a column of the row being filled that has no field.
    pub fn set_unknown(&mut self, name: &str, text: &str) {
        let len = self.len;
        let at = self.unknown_column(name);
        let column = &mut self.unknown[at].1;
        column.pad(len);
        if column.len() == len {
            column.push(Some(text));
        }
    }

    /// Gives every row that has no value for this text field the same one.
    pub fn fill_text(&mut self, field: Field, text: &str) {
        let len = self.len;
        if let Column::Text(column) = self.columns[field as usize].get_or_insert_with(|| Column::new(field)) {
            column.fill(len, text);
        }
    }

    /// Ends the row being filled.
    #[inline]
    pub fn end_row(&mut self) {
        self.len += 1;
    }

    /// Forgets all rows and makes room for `len` new ones, whose columns the caller fills by
    /// [`column_mut`](Self::column_mut) and [`unknown_mut`](Self::unknown_mut).
    pub(crate) fn reset(&mut self, len: usize) {
        self.clear();
        self.len = len;
    }

    /// The column of a stored field, to be filled as a whole.
    pub(crate) fn column_mut(&mut self, field: Field) -> &mut Column {
        self.columns[field as usize].get_or_insert_with(|| Column::new(field))
    }

    /// Empties the column of a field if no row has a value.
    pub(crate) fn forget_if_absent(&mut self, field: Field) {
        if let Some(column) = self.columns[field as usize].as_mut().filter(|column| column.is_absent()) {
            column.clear();
        }
    }

    /// The column with this name that has no field, to be filled as a whole.
    pub(crate) fn unknown_mut(&mut self, name: &str) -> &mut TextColumn {
        let at = self.unknown_column(name);
        &mut self.unknown[at].1
    }

    /// Makes every column that has a value as long as the batch.
    pub(crate) fn pad(&mut self) {
        let len = self.len;
        self.columns
            .iter_mut()
            .flatten()
            .filter(|column| !column.is_empty())
            .for_each(|column| column.pad(len));
        self.unknown.iter_mut().for_each(|(_, column)| column.pad(len));
    }

    /// The column of a field, ready to take the value of the row being filled; `None` if the row has one.
    #[inline]
    fn open_column(&mut self, field: Field) -> Option<&mut Column> {
        let column = self.columns[field as usize].get_or_insert_with(|| Column::new(field));
        let len = column.len();
        if len < self.len {
            column.pad(self.len);
        }
        (len <= self.len).then_some(column)
    }

    fn unknown_column(&mut self, name: &str) -> usize {
        let is_named = |(known, _): &(Text, TextColumn)| **known == *name;
        let at = match self.unknown.get(self.next_unknown) {
            Some(next) if is_named(next) => self.next_unknown,
            _ => self.unknown.iter().position(is_named).unwrap_or(self.unknown.len()),
        };
        if at == self.unknown.len() {
            self.unknown.push((name.into(), TextColumn::default()));
        }
        self.next_unknown = if at + 1 < self.unknown.len() { at + 1 } else { 0 };
        at
    }

    fn padded_numbers(&self, field: Field) -> NumberColumn {
        let mut column = NumberColumn::default();
        (0..self.len).for_each(|row| column.push(self.number(field, row)));
        column
    }

    fn derived(&self, field: Field) -> Option<NumberColumn> {
        let is_there = field.inputs()?.iter().any(|input| self.column(input).is_some());
        is_there.then(|| match field {
            Field::Duration => self.durations().unwrap_or_else(|| self.padded_numbers(field)),
            _ => self.padded_numbers(field),
        })
    }

    /// The one column that a field joins with another one that is not there: it is the same as that.
    fn only_input(&self, field: Field) -> Option<&NumberColumn> {
        let (to, back) = match field {
            Field::Packets => (Field::InPackets, Field::OutPackets),
            Field::Bytes => (Field::InBytes, Field::OutBytes),
            Field::TcpFlags => (Field::InFlags, Field::OutFlags),
            _ => return None,
        };
        match (self.number_column(to), self.number_column(back)) {
            (Some(only), None) | (None, Some(only)) => Some(only),
            _ => None,
        }
    }

    /// The durations, a column at a time where every row has both times.
    fn durations(&self) -> Option<NumberColumn> {
        let is_whole = |column: &&TimeColumn| column.len() == self.len && column.present().is_full();
        let first = self.times(Field::First).filter(is_whole)?.values();
        let last = self.times(Field::Last).filter(is_whole)?.values();
        let duration = |(&first, &last): (&i64, &i64)| {
            let [first, last] = [first, last].map(|nanos| Some(Timestamp::from_nanos(nanos)));
            arithmetic::duration(first, last).unwrap_or(0)
        };
        let mut durations = NumberColumn::default();
        durations.assign(first.iter().zip(last).map(duration));
        Some(durations)
    }

    fn derived_number(&self, field: Field, row: usize) -> Option<u64> {
        let packets =
            || arithmetic::sum(self.number(Field::InPackets, row), self.number(Field::OutPackets, row));
        let bytes = || arithmetic::sum(self.number(Field::InBytes, row), self.number(Field::OutBytes, row));
        let duration = || arithmetic::duration(self.time(Field::First, row), self.time(Field::Last, row));
        match field {
            Field::Packets => packets(),
            Field::Bytes => bytes(),
            Field::TcpFlags => arithmetic::either(
                self.number(Field::InFlags, row),
                self.number(Field::OutFlags, row),
                |a, b| a | b,
            ),
            Field::Duration => duration(),
            Field::Pps => arithmetic::rate(packets(), 1, duration()),
            Field::Bps => arithmetic::rate(bytes(), 8, duration()),
            Field::Bpp => arithmetic::ratio(bytes(), packets()),
            _ => None,
        }
    }
}

impl Default for FlowBatch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_as_they_were_pushed() {
        let mut batch = FlowBatch::new();
        let mut flows = Vec::new();
        for n in 0..200_u64 {
            let mut flow = Flow::default();
            flow.key.src =
                if n % 3 == 0 { "2001:db8::1".parse().unwrap() } else { "10.0.0.1".parse().unwrap() };
            flow.first = (n % 2 == 0).then(|| Timestamp::from_secs(i64::try_from(n).unwrap()));
            flow.forward.bytes = (n > 5).then_some(n * 10);
            if n % 7 == 0 {
                flow.set(Field::Action, "REJECT".into());
                flow.unknown.push(("new-column".into(), "x".into()));
            }
            batch.push(&flow);
            flows.push(flow);
        }
        for (row, flow) in flows.iter().enumerate() {
            assert_eq!(&batch.flow(row), flow, "row {row}");
            for field in Field::all() {
                assert_eq!(batch.value(field, row), flow.get(field), "row {row} {field}");
            }
        }
        batch.clear();
        assert!(batch.is_empty() && batch.fields().is_empty());
    }

    #[test]
    fn columns_of_computed_fields_are_what_their_rows_say() {
        let computed = [Field::Packets, Field::Bytes, Field::TcpFlags, Field::Duration, Field::Bps];
        let times = [(Field::First, 9), (Field::Last, 4)];
        let numbers = [Field::InPackets, Field::OutPackets, Field::InBytes, Field::InFlags, Field::OutFlags];
        for absent in 0..1_usize << (times.len() + numbers.len()) {
            for rows in [3, 5] {
                let mut batch = FlowBatch::new();
                for row in 0..5_u64 {
                    let is_there = |at: usize| absent >> at & 1 == 0 && row < rows;
                    for (at, (field, nanos)) in times.into_iter().enumerate().filter(|(at, _)| is_there(*at))
                    {
                        let nanos = nanos * (row as i64 - at as i64);
                        batch.set_time(field, Timestamp::from_nanos(nanos));
                    }
                    for (at, field) in numbers.into_iter().enumerate().filter(|(at, _)| is_there(at + 2)) {
                        batch.set_number(field, row + at as u64);
                    }
                    batch.end_row();
                }
                for field in computed {
                    let column = batch.numbers(field);
                    for row in 0..batch.len() {
                        let of_column = column.as_ref().and_then(|column| column.get(row));
                        assert_eq!(of_column, batch.number(field, row), "{field} {row} {absent:b}");
                    }
                }
            }
        }
    }
}
