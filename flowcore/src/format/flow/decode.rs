//! Bytes to columns: the chunk of one column of a block, after decompression, cut into batches.
//!
//! A chunk is checked once ([`ColumnBody::parse`]); after that, any rows of it can be put into a batch without an
//! error. The layouts are those of `docs/flow-file.md`; [`encode`](super::encode) is the other direction.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::encode::{ALL_PRESENT, BITMAP, LATIN, UTF8};
use super::kinds::Kinds;
use super::packed::Packed;
use crate::batch::{AddrColumn, Column, Dictionary, NumberColumn, TextColumn, TimeColumn};
use crate::error::{Error, Result};
use crate::record::{Storage, Text};

/// The checked structure of a chunk; places are those in the chunk's bytes.
#[derive(Debug)]
pub(super) enum ColumnBody {
    /// Numbers or times.
    Values { bitmap: Option<Range<usize>>, values: Packed },
    /// Addresses.
    Addrs { kinds: Kinds, words: Packed, v6: Range<usize> },
    /// Text.
    Texts { dictionary: Arc<Dictionary>, codes: Packed },
}

impl ColumnBody {
    /// Checks the chunk of a column of `rows` rows. Numbers above `max_number` do not belong to the field.
    ///
    /// # Errors
    /// When the bytes are not exactly such a chunk.
    pub(super) fn parse(storage: Storage, chunk: &[u8], rows: usize, max_number: u64) -> Result<Self> {
        let (body, end) = match storage {
            Storage::Number => parse_numbers(chunk, rows, max_number)?,
            Storage::Time => parse_values(chunk, rows)?,
            Storage::Addr => parse_addrs(chunk, rows)?,
            Storage::Text => parse_texts(chunk, rows)?,
        };
        match end == chunk.len() {
            true => Ok(body),
            false => Err(Error::damaged("column goes on behind its last row")),
        }
    }

    /// Puts some rows into a column of a batch; `base` is the column this one is a difference to.
    pub(super) fn fill(&self, chunk: &[u8], rows: Range<usize>, base: Option<&Chunk>, column: &mut Column) {
        match column {
            Column::Number(column) => self.fill_numbers(chunk, rows, column),
            Column::Time(column) => self.fill_times(chunk, rows, base, column),
            Column::Addr(column) => self.fill_addrs(chunk, rows, column),
            Column::Text(column) => self.fill_texts(chunk, rows, column),
        }
    }

    fn fill_numbers(&self, chunk: &[u8], rows: Range<usize>, column: &mut NumberColumn) {
        let Self::Values { bitmap, values } = self else { return };
        let bits = bits_of(chunk, bitmap.as_ref(), rows.start);
        column.refill(bits, |out| values.unpack(chunk, rows, out, |value| value));
    }

    fn fill_times(&self, chunk: &[u8], rows: Range<usize>, base: Option<&Chunk>, column: &mut TimeColumn) {
        let Self::Values { bitmap, values } = self else { return };
        let bits = bits_of(chunk, bitmap.as_ref(), rows.start);
        let mut base_column = TimeColumn::default();
        if let Some(base) = base {
            base.body.fill_times(&base.bytes, rows.clone(), None, &mut base_column);
        }
        column.refill(bits, |out| {
            values.unpack(chunk, rows, out, u64::cast_signed);
            // Rows of the base without a value hold 0.
            out.iter_mut()
                .zip(base_column.values())
                .for_each(|(value, base)| *value = value.wrapping_add(*base));
        });
    }

    fn fill_addrs(&self, chunk: &[u8], rows: Range<usize>, column: &mut AddrColumn) {
        let Self::Addrs { kinds, words, v6 } = self else { return };
        let (of_four, of_six) = kinds.places(chunk, &rows);
        let addrs: &[[u8; 16]] = slice(chunk, v6.clone()).as_chunks().0;
        let addrs = addrs.get(of_six).unwrap_or_default().iter().map(|addr| u128::from_be_bytes(*addr));
        let fill = |to_kinds: &mut Vec<u8>, to_words: &mut Vec<u32>| {
            kinds.fill(chunk, rows, to_kinds);
            words.unpack(chunk, of_four, to_words, |word| u32::try_from(word).unwrap_or(0));
        };
        column.refill(fill, addrs);
    }

    /// Puts single rows, which ascend, into a column of a batch; `base` is the column this one is a difference to.
    pub(super) fn pick(&self, chunk: &[u8], rows: &[usize], base: Option<&Chunk>, column: &mut Column) {
        match column {
            Column::Number(column) => column.assign_options(rows.iter().map(|&row| self.value(chunk, row))),
            Column::Time(column) => {
                let base = |row| base.and_then(|base| base.body.value(&base.bytes, row)).unwrap_or(0);
                let time = |row| Some(self.value(chunk, row)?.wrapping_add(base(row)).cast_signed());
                column.assign_options(rows.iter().map(|&row| time(row)));
            }
            Column::Addr(column) => self.pick_addrs(chunk, rows, column),
            Column::Text(column) => self.pick_texts(chunk, rows, column),
        }
    }

    /// The number, or the bits of the time, of a row.
    fn value(&self, chunk: &[u8], row: usize) -> Option<u64> {
        let Self::Values { bitmap, values } = self else { return None };
        let bits = |bitmap| slice(chunk, bitmap).get(row / 8).copied().unwrap_or(0);
        let is_there = bitmap.clone().is_none_or(|bitmap| bits(bitmap) >> (row % 8) & 1 != 0);
        is_there.then(|| values.get(chunk, row))
    }

    fn pick_addrs(&self, chunk: &[u8], rows: &[usize], column: &mut AddrColumn) {
        let Self::Addrs { kinds, words, v6 } = self else { return };
        let addrs: &[[u8; 16]] = slice(chunk, v6.clone()).as_chunks().0;
        let (mut to_kinds, mut to_words, mut to_six) = (Vec::new(), Vec::new(), Vec::new());
        for &row in rows {
            let kind = kinds.of(chunk, row);
            let (of_four, of_six) = kinds.places(chunk, &(row..row + 1));
            to_kinds.push(kind);
            to_words.extend(of_four.map(|at| u32::try_from(words.get(chunk, at)).unwrap_or(0)));
            to_six.extend(addrs.get(of_six).unwrap_or_default());
        }
        let fill = |kinds: &mut Vec<u8>, words: &mut Vec<u32>| (*kinds, *words) = (to_kinds, to_words);
        column.refill(fill, to_six.into_iter().map(u128::from_be_bytes));
    }

    /// Whether a row may have this IPv4 address: `false` only if none has.
    pub(super) fn may_hold_v4(&self, chunk: &[u8], addr: u32) -> bool {
        let Self::Addrs { words, .. } = self else { return true };
        words.may_hold(chunk, addr.into())
    }

    /// Puts single rows into a column of text.
    pub(super) fn pick_texts(&self, chunk: &[u8], rows: &[usize], column: &mut TextColumn) {
        let Self::Texts { dictionary, codes } = self else { return };
        let code = |&row: &usize| u32::try_from(codes.get(chunk, row)).unwrap_or(0);
        column.refill(dictionary, |out| out.extend(rows.iter().map(code)));
    }

    /// Puts some rows into a column of text.
    pub(super) fn fill_texts(&self, chunk: &[u8], rows: Range<usize>, column: &mut TextColumn) {
        let Self::Texts { dictionary, codes } = self else { return };
        let code = |code| u32::try_from(code).unwrap_or(0);
        column.refill(dictionary, |out| codes.unpack(chunk, rows, out, code));
    }
}

/// A chunk with its structure.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    pub(super) body: ColumnBody,
}

fn parse_numbers(chunk: &[u8], rows: usize, max_number: u64) -> Result<(ColumnBody, usize)> {
    let (body, end) = parse_values(chunk, rows)?;
    match &body {
        ColumnBody::Values { values, .. } if !values.is_at_most(chunk, max_number) => {
            Err(Error::damaged(format!("a number is above {max_number}")))
        }
        _ => Ok((body, end)),
    }
}

fn parse_values(chunk: &[u8], rows: usize) -> Result<(ColumnBody, usize)> {
    let (bitmap, start) = match chunk.first() {
        Some(&ALL_PRESENT) => (None, 1),
        Some(&BITMAP) => {
            let end = 1 + rows.div_ceil(8);
            if end > chunk.len() {
                return Err(Error::damaged("column ends early"));
            }
            (Some(1..end), end)
        }
        _ => return Err(Error::damaged("unknown presence of values")),
    };
    let (values, end) = Packed::parse(chunk, start, rows)?;
    Ok((ColumnBody::Values { bitmap, values }, end))
}

fn parse_addrs(chunk: &[u8], rows: usize) -> Result<(ColumnBody, usize)> {
    let (kinds, start) = Kinds::parse(chunk, rows)?;
    let (of_four, of_six) = kinds.places(chunk, &(0..rows));
    let (words, start) = Packed::parse(chunk, start, of_four.len())?;
    let end = start + of_six.len() * 16;
    if end > chunk.len() {
        return Err(Error::damaged("column ends early"));
    }
    if !words.is_at_most(chunk, u32::MAX.into()) {
        return Err(Error::damaged("an IPv4 address is longer than 32 bits"));
    }
    Ok((ColumnBody::Addrs { kinds, words, v6: start..end }, end))
}

fn parse_texts(chunk: &[u8], rows: usize) -> Result<(ColumnBody, usize)> {
    let Some(&[ref count @ .., form]) = chunk.first_chunk::<TEXT_HEAD>() else {
        return Err(Error::damaged("column ends early"));
    };
    let count = u32::from_le_bytes(*count) as usize;
    if !(1..=rows).contains(&count) {
        return Err(Error::damaged("impossible number of texts"));
    }
    let (codes, at) = Packed::parse(chunk, TEXT_HEAD, rows)?;
    if !codes.is_at_most(chunk, count as u64) {
        return Err(Error::damaged("a code stands for no text"));
    }
    let (packed_lengths, start) = Packed::parse(chunk, at, count)?;
    let mut lengths = Vec::new();
    packed_lengths.unpack(chunk, 0..count, &mut lengths, |length| length);
    let (dictionary, end) = read_texts(chunk, start, form, &lengths)?;
    Ok((ColumnBody::Texts { dictionary: Arc::new(dictionary), codes }, end))
}

/// Number of texts, and how they are written.
const TEXT_HEAD: usize = 5;

fn read_texts(chunk: &[u8], mut at: usize, form: u8, lengths: &[u64]) -> Result<(Dictionary, usize)> {
    let mut dictionary = Dictionary::default();
    for &length in lengths {
        let end = usize::try_from(length).ok().and_then(|length| at.checked_add(length));
        let bytes = end.and_then(|end| chunk.get(at..end));
        let bytes = bytes.ok_or_else(|| Error::damaged("column ends early"))?;
        let text = read_text(form, bytes)?;
        if dictionary.code(&text).is_some() {
            return Err(Error::damaged("a text is there twice"));
        }
        dictionary.add(Text::from(&*text));
        at += bytes.len();
    }
    Ok((dictionary, at))
}

fn read_text(form: u8, bytes: &[u8]) -> Result<Cow<'_, str>> {
    match form {
        UTF8 => str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| Error::damaged("a text is not UTF-8")),
        LATIN => Ok(bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into()),
        _ => Err(Error::damaged(format!("unknown form {form} of texts"))),
    }
}

/// The bits from a row on that is a multiple of eight.
fn bits_of<'a>(chunk: &'a [u8], bitmap: Option<&Range<usize>>, first_row: usize) -> Option<&'a [u8]> {
    bitmap.map(|range| slice(chunk, range.start + first_row / 8..range.end))
}

/// A part that parsing has found to be there.
fn slice(chunk: &[u8], range: Range<usize>) -> &[u8] {
    chunk.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::FlowBatch;
    use crate::format::flow::encode::Encoder;
    use crate::format::flow::metadata::DIFFERENCE;
    use crate::record::{Addr, Field, Timestamp};
    use std::net::Ipv6Addr;

    fn chunk_of(batch: &FlowBatch, field: Field) -> Vec<u8> {
        let mut bytes = Vec::new();
        Encoder::default().encode(batch.column(field).unwrap(), None, &mut bytes).unwrap();
        bytes
    }

    fn sample() -> FlowBatch {
        let mut batch = FlowBatch::new();
        for n in 0..100_u64 {
            batch.set_number(Field::InBytes, n * n);
            if n % 3 == 0 {
                batch.set_number(Field::SrcPort, 1000 + n);
            }
            batch.set_time(Field::First, Timestamp::from_nanos(i64::try_from(n).unwrap() - 50));
            match n % 4 {
                0 => batch.set_addr(Field::SrcAddr, Addr::V6(Ipv6Addr::from(u128::from(n)))),
                1 => {}
                _ => batch.set_addr(Field::SrcAddr, Addr::V4(u32::try_from(n).unwrap().into())),
            }
            batch.set_text(Field::Interface, ["eni-1", "", "ü"][usize::try_from(n % 3).unwrap()]);
            batch.end_row();
        }
        batch.pad();
        batch
    }

    #[test]
    fn any_rows_can_be_cut_out() {
        let batch = sample();
        for field in batch.fields().iter() {
            let bytes = chunk_of(&batch, field);
            let storage = field.kind().storage();
            let body = ColumnBody::parse(storage, &bytes, batch.len(), field.kind().max_number()).unwrap();
            for rows in [0..100, 0..64, 64..100, 8..24, 96..96] {
                let mut column = Column::new(field);
                body.fill(&bytes, rows.clone(), None, &mut column);
                assert_eq!(column.len(), rows.len());
                for row in rows.clone() {
                    assert_eq!(column.value(row - rows.start), batch.value(field, row), "{field} {row}");
                }
            }
            for rows in [vec![], vec![0, 1, 5, 6, 7, 64, 99], (0..100).step_by(4).collect()] {
                let mut column = Column::new(field);
                body.pick(&bytes, &rows, None, &mut column);
                assert_eq!(column.len(), rows.len());
                for (at, &row) in rows.iter().enumerate() {
                    assert_eq!(column.value(at), batch.value(field, row), "{field} {row}");
                }
            }
        }
    }

    #[test]
    fn a_close_time_is_written_as_difference() {
        let mut batch = FlowBatch::new();
        for n in 0..50_i64 {
            batch.set_time(Field::First, Timestamp::from_nanos(n << 40));
            if n % 5 != 0 {
                batch.set_time(Field::Last, Timestamp::from_nanos((n << 40) + n));
            }
            batch.end_row();
        }
        batch.pad();
        let (mut first, mut last) = (Vec::new(), Vec::new());
        Encoder::default().encode(batch.column(Field::First).unwrap(), None, &mut first).unwrap();
        let encoded = Encoder::default()
            .encode(batch.column(Field::Last).unwrap(), batch.times(Field::First), &mut last)
            .unwrap();
        assert_eq!(encoded.encoding, DIFFERENCE);
        assert!(last.len() < 80, "{}", last.len());
        let body = ColumnBody::parse(Storage::Time, &first, 50, 0).unwrap();
        let base = Chunk { bytes: first, body };
        let body = ColumnBody::parse(Storage::Time, &last, 50, 0).unwrap();
        let mut column = Column::new(Field::Last);
        body.fill(&last, 8..50, Some(&base), &mut column);
        for row in 8..50 {
            assert_eq!(column.value(row - 8), batch.value(Field::Last, row), "{row}");
        }
        body.pick(&last, &[3, 5, 49], Some(&base), &mut column);
        for (at, row) in [3, 5, 49].into_iter().enumerate() {
            assert_eq!(column.value(at), batch.value(Field::Last, row), "{row}");
        }
    }

    #[test]
    fn a_chunk_cut_or_changed_anywhere_gives_an_error_or_other_values_but_no_panic() {
        let batch = sample();
        for field in batch.fields().iter() {
            let bytes = chunk_of(&batch, field);
            let storage = field.kind().storage();
            for cut in 0..bytes.len() {
                assert!(ColumnBody::parse(storage, &bytes[..cut], 100, u64::MAX).is_err(), "{field} {cut}");
            }
            for at in 0..bytes.len() {
                for mask in [1, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= mask;
                    if let Ok(body) = ColumnBody::parse(storage, &changed, 100, u64::MAX) {
                        let mut column = Column::new(field);
                        body.fill(&changed, 0..100, None, &mut column);
                        assert_eq!(column.len(), 100);
                        (0..100).for_each(|row| drop(column.value(row)));
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_too_large_for_the_field_are_damage() {
        let mut batch = FlowBatch::new();
        for number in [22, 70_000] {
            batch.set_number(Field::InBytes, number);
            batch.end_row();
        }
        let bytes = chunk_of(&batch, Field::InBytes);
        assert!(ColumnBody::parse(Storage::Number, &bytes, 2, 70_000).is_ok());
        assert!(ColumnBody::parse(Storage::Number, &bytes, 2, 65_535).is_err());
    }

    #[test]
    fn a_text_must_be_there_once() {
        let mut column = TextColumn::default();
        column.push(Some("a"));
        column.push(Some("b"));
        let mut bytes = Vec::new();
        Encoder::default().encode(&Column::Text(column), None, &mut bytes).unwrap();
        assert!(ColumnBody::parse(Storage::Text, &bytes, 2, 0).is_ok());
        let last = bytes.len() - 1;
        bytes[last] = b'a';
        assert!(ColumnBody::parse(Storage::Text, &bytes, 2, 0).is_err());
    }
}
