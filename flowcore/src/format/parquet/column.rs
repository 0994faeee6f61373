//! The cells of one column of a row group: pages are read when a row in them is asked for.

use super::cut;
use super::file::ParquetFile;
use super::footer::Chunk;
use super::hybrid::Hybrid;
use super::page::{PageHeader, PageKind};
use super::schema::{Leaf, Meaning, Physical};
use super::values::{Dictionary, Raw, Values};
use crate::error::{Error, Result};
use crate::record::Timestamp;

/// Reads one column of a row group.
pub(in crate::format) struct Column {
    physical: Physical,
    meaning: Meaning,
    optional: bool,
    chunk: Chunk,
    /// Rows of the row group.
    rows: u64,
    /// The row that comes next, from 0.
    row: u64,
    /// Where the next page begins.
    at: u64,
    window: Window,
    dictionary: Option<Dictionary>,
    page: Page,
    /// What dictionary and page take in memory.
    held: [usize; 2],
}

/// The value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::format) enum Cell<'a> {
    Absent,
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Time(Timestamp),
    Text(&'a [u8]),
}

/// Bytes of the file around the place that is read.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

/// A page and how far it has been read.
struct Page {
    bytes: Vec<u8>,
    rows_left: u64,
    /// Which rows have a value.
    levels: Option<Hybrid>,
    values: Values,
}

/// Bytes that are read at once, if a page is not longer.
const READ_AHEAD: u64 = 64 << 10;
/// The level encoding that all writers use.
const RUNS: i64 = 3;

impl Column {
    pub(super) fn new(leaf: &Leaf, chunk: Chunk, rows: u64) -> Self {
        Self {
            physical: leaf.physical,
            meaning: leaf.meaning.unwrap_or(Meaning::Text),
            optional: leaf.optional,
            rows,
            row: 0,
            at: chunk.start,
            chunk,
            window: Window::default(),
            dictionary: None,
            page: Page { bytes: Vec::new(), rows_left: 0, levels: None, values: Values::Plain(0) },
            held: [0; 2],
        }
    }

    /// The value of a row, counted from 0 in the row group. Rows have to be asked for in their order; those that are not
    /// asked for cost little.
    ///
    /// # Errors
    /// When the file cannot be read, or the column is damaged: no further row of it can be read then.
    pub(in crate::format) fn cell(&mut self, row: u64, file: &mut ParquetFile) -> Result<Cell<'_>> {
        while self.row < row || self.page.rows_left == 0 {
            if self.page.rows_left == 0 {
                self.begin_page(row, file)?;
            } else {
                self.row += 1;
                self.page.next(self.physical, self.dictionary.as_ref())?;
            }
        }
        self.row += 1;
        let raw = self.page.next(self.physical, self.dictionary.as_ref())?;
        Ok(raw.map_or(Cell::Absent, |raw| self.meaning.of(raw)))
    }

    /// Reads on to the page that holds this row.
    fn begin_page(&mut self, row: u64, file: &mut ParquetFile) -> Result<()> {
        if self.at >= self.chunk.end || self.row >= self.rows {
            return Err(Error::damaged("fewer values than the row group has rows"));
        }
        let header = self.window.header(self.at, self.chunk.end, file)?;
        let body = self.at + header.len as u64;
        self.at = body + header.compressed as u64;
        if self.at > self.chunk.end {
            return Err(cut("a page"));
        }
        let is_data = matches!(header.kind, PageKind::Data | PageKind::DataV2);
        if is_data && header.values > self.rows - self.row {
            return Err(Error::damaged("more values than the row group has rows"));
        }
        if is_data && self.row.saturating_add(header.values) <= row {
            self.row += header.values;
        } else if is_data {
            let bytes = self.load(&header, body, 1, header.size(), file)?;
            self.page = self.page(&header, bytes)?;
        } else if header.kind == PageKind::Dictionary {
            // A dictionary of texts has a number for each, which is no longer than the text with its length.
            let bytes = self.load(&header, body, 0, header.size().saturating_mul(2), file)?;
            self.dictionary = Some(Dictionary::new(self.physical, bytes, header.values)?);
        }
        Ok(())
    }

    /// The bytes of a page, after it has been noted that they take `size` bytes.
    fn load(
        &mut self,
        header: &PageHeader,
        body: u64,
        place: usize,
        size: usize,
        file: &mut ParquetFile,
    ) -> Result<Vec<u8>> {
        if let Some(held) = self.held.get_mut(place) {
            file.hold(*held, size)?;
            *held = size;
        }
        self.page.bytes = Vec::new();
        let body = self.window.bytes(body, header.compressed as u64, self.chunk.end, file)?;
        header.unpack(body, self.chunk.codec)
    }

    fn page(&self, header: &PageHeader, bytes: Vec<u8>) -> Result<Page> {
        let mut levels = None;
        let mut at = 0;
        if header.kind == PageKind::DataV2 {
            let [repetition, definition] = header.levels;
            at = repetition + definition;
            levels = self.optional.then(|| Hybrid::new(1, repetition, at));
        } else if self.optional {
            if header.level_encoding != RUNS {
                return Err(Error::unsupported(format!("encoding {} of levels", header.level_encoding)));
            }
            let runs = Hybrid::after_length(1, &bytes, 0)?;
            at = runs.end();
            levels = Some(runs);
        }
        let values = Values::new(header.encoding, self.physical, &bytes, at, header.values)?;
        Ok(Page { bytes, rows_left: header.values, levels, values })
    }
}

impl Window {
    /// The header of the page that begins here.
    fn header(&mut self, at: u64, end: u64, file: &mut ParquetFile) -> Result<PageHeader> {
        if let Some(header) = self.from(at).and_then(|bytes| PageHeader::read(bytes).ok()) {
            return Ok(header);
        }
        PageHeader::read(self.bytes(at, READ_AHEAD.min(end - at), end, file)?)
    }

    /// So many bytes from here.
    fn bytes(&mut self, at: u64, len: u64, end: u64, file: &mut ParquetFile) -> Result<&[u8]> {
        let wanted = usize::try_from(len).map_err(|_| cut("a page"))?;
        if wanted == 0 {
            return Ok(&[]);
        }
        if self.from(at).is_none_or(|bytes| bytes.len() < wanted) {
            let ahead = usize::try_from(len.max(READ_AHEAD).min(end.saturating_sub(at))).unwrap_or(wanted);
            *self = Self::default();
            *self = Self { start: at, bytes: file.read(at, ahead.max(wanted))? };
        }
        self.from(at).and_then(|bytes| bytes.get(..wanted)).ok_or_else(|| cut("a page"))
    }

    /// What is there from this place on.
    fn from(&self, at: u64) -> Option<&[u8]> {
        let skipped = usize::try_from(at.checked_sub(self.start)?).ok()?;
        self.bytes.get(skipped..).filter(|rest| !rest.is_empty())
    }
}

impl Page {
    /// The value of the next row.
    fn next<'a>(
        &'a mut self,
        physical: Physical,
        dictionary: Option<&'a Dictionary>,
    ) -> Result<Option<Raw<'a>>> {
        self.rows_left -= 1;
        if let Some(levels) = &mut self.levels
            && levels.next(&self.bytes)? == 0
        {
            return Ok(None);
        }
        self.values.next(physical, &self.bytes, dictionary).map(Some)
    }
}

impl Meaning {
    fn of(self, raw: Raw<'_>) -> Cell<'_> {
        const SECONDS_OF_DAY: i64 = 86_400;
        match (self, raw) {
            (_, Raw::Float(number)) => Cell::Float(number),
            (Self::JulianTime, Raw::Bytes(bytes)) => julian_time(bytes).map_or(Cell::Text(bytes), Cell::Time),
            (_, Raw::Bytes(bytes)) => Cell::Text(bytes),
            (Self::Boolean, Raw::Whole(number)) => Cell::Boolean(number != 0),
            (Self::Unsigned(bits), Raw::Whole(number)) => {
                Cell::Unsigned(number as u64 & u64::MAX.checked_shr(64 - bits.min(64)).unwrap_or(0))
            }
            (Self::Date, Raw::Whole(days)) => time(days.checked_mul(SECONDS_OF_DAY), days, 1_000_000_000),
            (Self::Time(unit), Raw::Whole(count)) => time(Some(count), count, unit),
            (_, Raw::Whole(number)) => Cell::Signed(number),
        }
    }
}

/// So many units of this many nanoseconds, or the number as it is where that is no time.
fn time(count: Option<i64>, number: i64, unit: i64) -> Cell<'static> {
    let nanos = count.and_then(|count| count.checked_mul(unit));
    nanos.map_or(Cell::Signed(number), |nanos| Cell::Time(Timestamp::from_nanos(nanos)))
}

/// Nanoseconds of the day, and the Julian day.
fn julian_time(bytes: &[u8]) -> Option<Timestamp> {
    const JULIAN_DAY_OF_1970: i64 = 2_440_588;
    const NANOS_OF_DAY: i64 = 86_400_000_000_000;
    let (nanos, day) = bytes.split_first_chunk()?;
    let day = i64::from(i32::from_le_bytes(*day.first_chunk()?)) - JULIAN_DAY_OF_1970;
    let nanos = day.checked_mul(NANOS_OF_DAY)?.checked_add(i64::from_le_bytes(*nanos))?;
    Some(Timestamp::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::parquet::Footer;
    use crate::format::parquet::testing::{TestColumn, TestValues, file};
    use std::io::Cursor;

    /// The cells of these rows of a table of one column.
    fn cells(values: TestValues, rows: &[u64]) -> Result<Vec<String>> {
        let bytes = file(&[TestColumn { name: "x", values }], 1);
        let mut file = ParquetFile::new(Cursor::new(bytes))?;
        let footer = Footer::read(&mut file)?;
        let mut column = footer.groups[0].column(0, &footer.leaves[0])?;
        rows.iter().map(|&row| column.cell(row, &mut file).map(|cell| format!("{cell:?}"))).collect()
    }

    #[test]
    fn rows_may_be_passed_over() {
        let values = TestValues::Text(vec![Some("a"), None, Some("c"), None, None, Some("f")]);
        let found = cells(values.clone(), &[0, 1, 2, 3, 4, 5]).unwrap();
        let text = |text: &str| format!("{:?}", Cell::Text(text.as_bytes()));
        assert_eq!(
            found,
            [text("a"), "Absent".into(), text("c"), "Absent".into(), "Absent".into(), text("f")]
        );
        assert_eq!(cells(values.clone(), &[2, 5]).unwrap(), [text("c"), text("f")]);
        assert_eq!(cells(values.clone(), &[3]).unwrap(), ["Absent"]);
        assert!(cells(values, &[6]).unwrap_err().to_string().contains("fewer values"));
    }

    #[test]
    fn values_mean_what_the_schema_says() {
        let time = |text: &str| Cell::Time(text.parse().unwrap());
        let julian = [&43_200_000_000_000_i64.to_le_bytes()[..], &2_460_382_i32.to_le_bytes()].concat();
        for (meaning, raw, expected) in [
            (Meaning::Signed, Raw::Whole(-1), Cell::Signed(-1)),
            (Meaning::Unsigned(16), Raw::Whole(-1), Cell::Unsigned(65_535)),
            (Meaning::Unsigned(64), Raw::Whole(-1), Cell::Unsigned(u64::MAX)),
            (Meaning::Boolean, Raw::Whole(1), Cell::Boolean(true)),
            (Meaning::Float, Raw::Float(1.5), Cell::Float(1.5)),
            (Meaning::Date, Raw::Whole(19_794), time("2024-03-12T00:00:00Z")),
            (Meaning::Time(1_000_000), Raw::Whole(1_710_201_600_000), time("2024-03-12T00:00:00Z")),
            (Meaning::Time(1_000_000), Raw::Whole(i64::MAX), Cell::Signed(i64::MAX)),
            (Meaning::Date, Raw::Whole(i64::MIN), Cell::Signed(i64::MIN)),
            (Meaning::JulianTime, Raw::Bytes(&julian), time("2024-03-12T12:00:00Z")),
            (Meaning::JulianTime, Raw::Bytes(b"short"), Cell::Text(b"short")),
            (Meaning::Text, Raw::Bytes(b"x"), Cell::Text(b"x")),
        ] {
            assert_eq!(meaning.of(raw), expected, "{meaning:?} {raw:?}");
        }
    }
}
