//! Rows whose values stand under names, made into records: the rows of JSON and CSV.
//!
//! Values come one by one, each for a named column ([`Table::place`], [`Table::set`]); out comes a record and the layout it
//! has. Columns that later rows add are added to the layout, and a row without a value for a column has none.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use super::columns::{self, Layout, MAX_COLUMNS, Wanted};
use super::names;
use super::record::{ABSENT, Record, Span};
use crate::record::{Field, Storage, Text, Timestamp};

/// A table of which one row is held.
pub(super) struct Table {
    wanted: Wanted,
    /// What the path of the input says of fields that may have no column.
    said: Vec<(Field, Text)>,
    /// Column of each name seen.
    places: HashMap<String, usize>,
    columns: Vec<Column>,
    layout: Layout,
    /// Columns in the layout.
    laid_out: usize,
    /// Values of the row, behind the text that stands for "absent".
    text: Vec<u8>,
    spans: Vec<Span>,
}

/// A column of the table.
struct Column {
    name: Cow<'static, str>,
    is_known: bool,
    storage: Storage,
}

impl Table {
    /// An empty table; `said` is what the path of the input says.
    pub(super) fn new(wanted: Wanted, said: Vec<(Field, Text)>) -> Self {
        let layout = Layout::new(&[], 0, STATED_BY, wanted).0;
        let (text, spans) = (ABSENT.to_vec(), Vec::new());
        Self { wanted, said, places: HashMap::new(), columns: Vec::new(), layout, laid_out: 0, text, spans }
    }

    /// Begins a row without values.
    pub(super) fn begin(&mut self) {
        self.text.truncate(ABSENT.len());
        self.spans.fill(NO_VALUE);
    }

    /// The column of this name.
    ///
    /// # Errors
    /// When there are too many, or the name is too long.
    pub(super) fn place(&mut self, name: &str) -> Result<usize, TooLarge> {
        if let Some(&at) = self.places.get(name) {
            return Ok(at);
        }
        if self.places.len() == MAX_COLUMNS {
            return Err(TooLarge::Columns);
        }
        if name.len() > MAX_NAME {
            return Err(TooLarge::Name(name.len()));
        }
        let column = Column::new(name);
        // A name that is not known has one spelling, which has no place yet.
        let same = self.columns.iter().position(|other| column.is_known && other.name == column.name);
        let at = same.unwrap_or(self.columns.len());
        if same.is_none() {
            self.columns.push(column);
            self.spans.push(NO_VALUE);
        }
        self.places.insert(name.to_owned(), at);
        Ok(at)
    }

    /// Whether a name is that of a column of a flow log.
    pub(super) fn knows(&self, name: &str) -> bool {
        let column = self.places.get(name).and_then(|&at| self.columns.get(at));
        column.map_or_else(|| names::column(name).is_some(), |column| column.is_known)
    }

    /// Whether the row has a value in this column.
    pub(super) fn has(&self, at: usize) -> bool {
        self.spans.get(at).is_some_and(|span| *span != NO_VALUE)
    }

    /// The name of a column, as messages have it.
    pub(super) fn name(&self, at: usize) -> &str {
        self.columns.get(at).map_or("", |column| &column.name)
    }

    /// Gives the row a value, unless it has one in this column: `false` then. No text and `-` are no value.
    pub(super) fn set(&mut self, at: usize, value: &str) -> bool {
        if value.is_empty() || value.as_bytes() == ABSENT {
            return true;
        }
        let (Some(column), Some(span)) = (self.columns.get(at), self.spans.get_mut(at)) else { return true };
        if *span != NO_VALUE {
            return false;
        }
        let value = column.spelled(value);
        let start = self.text.len();
        self.text.extend_from_slice(value.as_bytes());
        if let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(self.text.len())) {
            *span = (start, end);
        }
        true
    }

    /// Gives the row a value that is written as a number, as which account ids lose their leading zeros.
    pub(super) fn set_number(&mut self, at: usize, number: &str) -> bool {
        if self.name(at).ends_with("account-id") {
            return self.set(at, &format!("{:0>ACCOUNT_DIGITS$}", whole(number)));
        }
        self.set(at, number)
    }

    /// The layout of all columns so far.
    pub(super) fn layout(&mut self) -> &mut Layout {
        if self.laid_out < self.columns.len() {
            let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
            self.layout = Layout::new(&names, 0, STATED_BY, self.wanted).0;
            self.layout.take_constants(&self.said);
            self.laid_out = names.len();
        }
        &mut self.layout
    }

    /// The row and its layout.
    pub(super) fn row(&mut self) -> (&Layout, Record<'_>) {
        self.layout();
        (&self.layout, Record::of(&self.text, &self.spans))
    }

    /// Whether a column is `log-status`, as far as the layout is known.
    pub(super) fn is_status(&self, at: usize) -> bool {
        self.layout.status == Some(at)
    }

    /// Bytes that the values of the row have.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }
}

/// More than a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooLarge {
    Columns,
    /// So many bytes.
    Name(usize),
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Columns => write!(f, "more than {MAX_COLUMNS} different columns"),
            Self::Name(len) => {
                write!(f, "a column has a name of {len} bytes; at most {MAX_NAME} can be read")
            }
        }
    }
}

impl Column {
    fn new(name: &str) -> Self {
        let field = names::column(name).and_then(columns::field);
        Self {
            name: field.map_or_else(|| Cow::Owned(name.to_owned()), |field| Cow::Borrowed(field.info().aws)),
            is_known: field.is_some(),
            storage: field.map_or(Storage::Text, |field| field.kind().storage()),
        }
    }

    /// A value as a text log spells it: whole numbers without a point, times in digits.
    fn spelled<'a>(&self, value: &'a str) -> Cow<'a, str> {
        match self.storage {
            Storage::Number => whole(value),
            Storage::Time => milliseconds(value).unwrap_or_else(|| whole(value)),
            Storage::Addr | Storage::Text => Cow::Borrowed(value),
        }
    }
}

/// A whole number without point and exponent (`412.0`, `1.7E9`); anything else as it is.
fn whole(text: &str) -> Cow<'_, str> {
    /// Whole numbers up to here are exact in a 64-bit float.
    const MAX_EXACT: f64 = (1_u64 << 53) as f64;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let is_float = !is_plain && text.starts_with(|c: char| c.is_ascii_digit()) && text.len() < 40;
    match Some(text).filter(|_| is_float).and_then(|text| text.parse::<f64>().ok()) {
        Some(number) if number.fract() == 0.0 && number <= MAX_EXACT => Cow::Owned(format!("{number:.0}")),
        _ => Cow::Borrowed(text),
    }
}

/// A time of day and date as milliseconds; `None` for anything else, and for times that would pass for seconds.
fn milliseconds(text: &str) -> Option<Cow<'_, str>> {
    let is_date = text.len() < 40 && matches!(text.as_bytes().get(10), Some(b'T' | b' '));
    let time: Timestamp = text.parse().ok().filter(|_| is_date)?;
    let milliseconds = time.as_nanos() / 1_000_000;
    (milliseconds > i64::from(i32::MAX)).then(|| Cow::Owned(milliseconds.to_string()))
}

/// What a row has in a column without value: the text before its values.
const NO_VALUE: Span = (0, 1);
/// A row always has the columns of its table.
const STATED_BY: &str = "rows have";
/// Longest name of a column, in bytes.
const MAX_NAME: usize = 256;
/// Digits of an account id.
const ACCOUNT_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::FlowBatch;
    use crate::record::FieldSet;

    fn table() -> Table {
        Table::new(Wanted { fields: FieldSet::all(), unknown: true }, Vec::new())
    }

    fn set(table: &mut Table, name: &str, value: &str) -> bool {
        let at = table.place(name).unwrap();
        table.set(at, value)
    }

    fn read(table: &mut Table, batch: &mut FlowBatch) {
        let (layout, record) = table.row();
        layout.read(record, &mut Vec::new(), batch).unwrap();
    }

    #[test]
    fn rows_may_have_other_columns_each() {
        let (mut table, mut batch) = (table(), FlowBatch::new());
        assert!(set(&mut table, "dstPort", "443.0"));
        assert!(set(&mut table, "my tag", "a b"));
        read(&mut table, &mut batch);
        table.begin();
        assert!(set(&mut table, "bytes", "12"));
        assert!(set(&mut table, "dstport", "-"));
        read(&mut table, &mut batch);
        assert_eq!((batch.number(Field::DstPort, 0), batch.number(Field::InBytes, 0)), (Some(443), None));
        assert_eq!((batch.number(Field::DstPort, 1), batch.number(Field::InBytes, 1)), (None, Some(12)));
        assert_eq!(batch.flow(0).unknown, [("my tag".into(), "a b".into())]);
        assert!(batch.flow(1).unknown.is_empty());
    }

    #[test]
    fn the_first_value_of_a_column_counts() {
        let mut table = table();
        assert!(set(&mut table, "bytes", "") && set(&mut table, "bytes", "1"));
        assert!(!set(&mut table, "bytes", "2"));
        let mut batch = FlowBatch::new();
        read(&mut table, &mut batch);
        assert_eq!(batch.number(Field::InBytes, 0), Some(1));
    }

    #[test]
    fn columns_are_bounded() {
        let mut table = table();
        assert_eq!(table.place(&"x".repeat(MAX_NAME + 1)), Err(TooLarge::Name(MAX_NAME + 1)));
        assert!((0..MAX_COLUMNS).all(|at| table.place(&format!("x{at}")) == Ok(at)));
        assert_eq!((table.place("one more"), table.place("x7")), (Err(TooLarge::Columns), Ok(7)));
    }

    #[test]
    fn numbers_and_times_are_spelled_as_in_a_text_log() {
        for (text, expected) in [
            ("412.0", "412"),
            ("1.695921755E9", "1695921755"),
            ("412.5", "412.5"),
            ("1e400", "1e400"),
            ("9007199254740994.0", "9007199254740994.0"),
            ("18446744073709551615", "18446744073709551615"),
            ("-1.0", "-1.0"),
            ("0.0", "0"),
            ("NaN", "NaN"),
        ] {
            assert_eq!(whole(text), expected);
        }
        assert_eq!(milliseconds("2023-09-28 23:59:05.250").as_deref(), Some("1695945545250"));
        assert_eq!(milliseconds("2023-09-28T23:59:05Z").as_deref(), Some("1695945545000"));
        for text in ["1695945545", "1970-01-01 00:00:00", "2023-09-28", "soon"] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
    }

    #[test]
    fn account_ids_that_are_numbers_get_their_zeros_back() {
        let (mut table, mut batch) = (table(), FlowBatch::new());
        for name in ["account_id", "tgw_src_vpc_account_id", "bytes"] {
            let at = table.place(name).unwrap();
            assert!(table.set_number(at, "1234567890"));
        }
        read(&mut table, &mut batch);
        assert_eq!(batch.text(Field::Account, 0), Some("001234567890"));
        assert_eq!(batch.number(Field::InBytes, 0), Some(1_234_567_890));
    }
}
