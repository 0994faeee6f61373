//! Columns to bytes: the chunk of one column of a block, before compression.
//!
//! The layouts are those of `docs/flow-file.md`; [`decode`](super::decode) is the other direction.

use super::metadata::{DIFFERENCE, PLAIN, ZoneMap};
use super::packed::{Packing, common_exponent};
use super::zone::bounds;
use crate::batch::{AddrColumn, Column, NumberColumn, Presence, TextColumn, TimeColumn, Values};

/// Every row has a value.
pub(super) const ALL_PRESENT: u8 = 0;
/// A bit per row says which have one.
pub(super) const BITMAP: u8 = 1;

/// Addresses of both versions, or rows without one: a byte per row says which.
pub(super) const MIXED_KINDS: u8 = 1;

/// How a column was written.
pub(super) struct Encoded {
    pub(super) encoding: u8,
    pub(super) zone: ZoneMap,
}

/// Adds the chunk of a column to `out`; `None`, and nothing added, if no row has a value.
///
/// `base` is a column of times this one may be written as the difference to, if that is shorter.
pub(super) fn encode(column: &Column, base: Option<&TimeColumn>, out: &mut Vec<u8>) -> Option<Encoded> {
    match column {
        Column::Number(column) => encode_numbers(column, out),
        Column::Time(column) => encode_times(column, base, out),
        Column::Addr(column) => encode_addrs(column, out),
        Column::Text(column) => encode_texts(column, out),
    }
}

fn encode_numbers(column: &NumberColumn, out: &mut Vec<u8>) -> Option<Encoded> {
    let (min, max) = bounds(column)?;
    write_values(column.present(), column.values().iter().copied(), Packing::new(min, max, 0), out);
    Some(Encoded { encoding: PLAIN, zone: ZoneMap::of_numbers(column, (min, max)) })
}

fn encode_times(column: &TimeColumn, base: Option<&TimeColumn>, out: &mut Vec<u8>) -> Option<Encoded> {
    let range = bounds(column)?;
    let plain = time_packing(column, range);
    let zone = ZoneMap::of_times(column, range);
    if let Some(base) = base {
        let differences = differences(column, base);
        let packing = time_packing(&differences, bounds(&differences)?);
        if packing.width() < plain.width() {
            write_values(column.present(), bits(&differences), packing, out);
            return Some(Encoded { encoding: DIFFERENCE, zone });
        }
    }
    write_values(column.present(), bits(column), plain, out);
    Some(Encoded { encoding: PLAIN, zone })
}

fn time_packing(column: &TimeColumn, (min, max): (i64, i64)) -> Packing {
    let (min, max) = (min.cast_unsigned(), max.cast_unsigned());
    let present = column.present();
    let exponent = match present.is_full() {
        true => common_exponent(min, bits(column)),
        false => {
            let rows = bits(column).enumerate().filter(|(row, _)| present.get(*row));
            common_exponent(min, rows.map(|(_, value)| value))
        }
    };
    Packing::new(min, max, exponent)
}

/// The distance of each value from the base's, which counts as 0 where it has none.
fn differences(column: &TimeColumn, base: &TimeColumn) -> TimeColumn {
    let mut differences = TimeColumn::default();
    for row in 0..column.len() {
        let base = base.get(row).unwrap_or(0);
        differences.push(column.get(row).map(|value| value.wrapping_sub(base)));
    }
    differences
}

fn bits(column: &Values<i64>) -> impl ExactSizeIterator<Item = u64> + Clone {
    column.values().iter().map(|value| value.cast_unsigned())
}

/// Presence, then one value a row.
fn write_values(
    present: &Presence,
    values: impl ExactSizeIterator<Item = u64>,
    packing: Packing,
    out: &mut Vec<u8>,
) {
    if present.is_full() {
        out.push(ALL_PRESENT);
        return packing.write(values, out);
    }
    out.push(BITMAP);
    let end = out.len() + present.len().div_ceil(8);
    present.words().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    out.truncate(end);
    let min = packing.min();
    packing.write(values.enumerate().map(|(row, value)| if present.get(row) { value } else { min }), out);
}

fn encode_addrs(column: &AddrColumn, out: &mut Vec<u8>) -> Option<Encoded> {
    let zone = ZoneMap::of_addrs(column);
    let ZoneMap::Addrs { present: 1.., v4, .. } = zone else { return None };
    match column.kinds() {
        kinds if kinds.iter().all(|&kind| kind == 4) => out.push(4),
        kinds if kinds.iter().all(|&kind| kind == 6) => out.push(6),
        kinds => {
            out.push(MIXED_KINDS);
            out.extend_from_slice(kinds);
        }
    }
    let (min, max) = v4.unwrap_or_default();
    let packing = Packing::new(min.into(), max.into(), 0);
    let rows = column.kinds().iter().zip(column.words());
    packing.write(rows.map(|(&kind, &word)| u64::from(if kind == 4 { word } else { min })), out);
    column.v6().iter().for_each(|addr| out.extend_from_slice(&addr.to_be_bytes()));
    Some(Encoded { encoding: PLAIN, zone })
}

/// Codes, then the length of each text, then the texts.
fn encode_texts(column: &TextColumn, out: &mut Vec<u8>) -> Option<Encoded> {
    let codes = column.codes();
    let (min, max) = (*codes.iter().min()?, *codes.iter().max()?);
    if max == 0 {
        return None;
    }
    let texts = column.dictionary();
    let lengths = texts.iter().map(|text| text.len() as u64);
    let (shortest, longest) = (lengths.clone().min()?, lengths.clone().max()?);
    out.extend_from_slice(&u32::try_from(texts.len()).unwrap_or(u32::MAX).to_le_bytes());
    Packing::new(min.into(), max.into(), 0).write(codes.iter().map(|&code| code.into()), out);
    Packing::new(shortest, longest, 0).write(lengths, out);
    out.reserve(column.text_bytes());
    texts.iter().for_each(|text| out.extend_from_slice(text.as_bytes()));
    Some(Encoded { encoding: PLAIN, zone: ZoneMap::of_texts(column) })
}
