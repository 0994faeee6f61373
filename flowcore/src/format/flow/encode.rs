//! Columns to bytes: the chunk of one column of a block, before compression.
//!
//! The layouts are those of `docs/flow-file.md`; [`decode`](super::decode) is the other direction.

use super::kinds::Kinds;
use super::metadata::{DIFFERENCE, PLAIN, ZoneMap};
use super::packed::{Estimate, Packer, Packing, common_exponent, of_differences};
use super::zone::{bounds, min_max};
use crate::batch::{AddrColumn, Column, NumberColumn, Presence, TextColumn, TimeColumn};
use crate::record::Text;

/// Every row has a value.
pub(super) const ALL_PRESENT: u8 = 0;
/// A bit per row says which have one.
pub(super) const BITMAP: u8 = 1;

/// Texts are written in UTF-8.
pub(super) const UTF8: u8 = 0;
/// Texts have a byte a character, none of which is above U+00FF: payload.
pub(super) const LATIN: u8 = 1;

/// How a column was written.
pub(super) struct Encoded {
    pub(super) encoding: u8,
    pub(super) zone: ZoneMap,
}

/// Writes column after column, with memory kept between them.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    packer: Packer,
    differences: Vec<i64>,
}

impl Encoder {
    /// Adds the chunk of a column to `out`; `None`, and nothing added, if no row has a value.
    ///
    /// `base` is a column of times this one may be written as the difference to, if that is shorter.
    pub(super) fn encode(
        &mut self,
        column: &Column,
        base: Option<&TimeColumn>,
        out: &mut Vec<u8>,
    ) -> Option<Encoded> {
        match column {
            Column::Number(column) => self.encode_numbers(column, out),
            Column::Time(column) => self.encode_times(column, base, out),
            Column::Addr(column) => self.encode_addrs(column, out),
            Column::Text(column) => self.encode_texts(column, out),
        }
    }

    fn encode_numbers(&mut self, column: &NumberColumn, out: &mut Vec<u8>) -> Option<Encoded> {
        let (min, max) = bounds(column)?;
        self.write_values(column.present(), column.values().iter().copied(), Packing::new(min, max, 0), out);
        Some(Encoded { encoding: PLAIN, zone: ZoneMap::of_numbers(column, (min, max)) })
    }

    fn encode_times(
        &mut self,
        column: &TimeColumn,
        base: Option<&TimeColumn>,
        out: &mut Vec<u8>,
    ) -> Option<Encoded> {
        let range = bounds(column)?;
        let present = column.present();
        let zone = ZoneMap::of_times(column, range);
        let own = time_packing(present, column.values(), range);
        // Steps longer than 292 years would not fit.
        let may_step = present.is_full() && range.1.checked_sub(range.0).is_some();
        let estimate = may_step.then(|| Estimate::of(column.values()));
        if let Some(difference) = base.and_then(|base| self.difference(column, base, own, estimate)) {
            let differences = std::mem::take(&mut self.differences);
            self.write_values(present, bits(&differences), difference, out);
            self.differences = differences;
            return Some(Encoded { encoding: DIFFERENCE, zone });
        }
        if estimate.is_some_and(Estimate::prefers_steps) {
            out.push(ALL_PRESENT);
            self.packer.write_steps(own.exponent(), bits(column.values()), out);
        } else {
            self.write_values(present, bits(column.values()), own, out);
        }
        Some(Encoded { encoding: PLAIN, zone })
    }

    /// The packing of the distances of each value from the base's (0 where it has none), kept in `differences`; `None`
    /// if they take no fewer bytes than the values, in their own packing or by the estimate.
    fn difference(
        &mut self,
        column: &TimeColumn,
        base: &TimeColumn,
        own: Packing,
        estimate: Option<Estimate>,
    ) -> Option<Packing> {
        let pairs = column.values().iter().zip(base.values());
        self.differences.clear();
        self.differences.extend(pairs.map(|(value, base)| value.wrapping_sub(*base)));
        let present = column.present();
        let range = match present.is_full() {
            true => min_max(self.differences.iter().copied()),
            false => min_max(values_there(present, &self.differences)),
        }?;
        let packing = time_packing(present, &self.differences, range);
        let is_shorter = match estimate {
            Some(estimate) => of_differences(&self.differences, packing.width()) < estimate.bytes(),
            None => packing.width() < own.width(),
        };
        is_shorter.then_some(packing)
    }

    /// Presence, then one value a row.
    fn write_values(
        &mut self,
        present: &Presence,
        values: impl ExactSizeIterator<Item = u64>,
        packing: Packing,
        out: &mut Vec<u8>,
    ) {
        if present.is_full() {
            out.push(ALL_PRESENT);
            return self.packer.write(packing, values, out);
        }
        out.push(BITMAP);
        let end = out.len() + present.len().div_ceil(8);
        present.words().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        out.truncate(end);
        let min = packing.min();
        let value = |(row, value)| if present.get(row) { value } else { min };
        self.packer.write(packing, values.enumerate().map(value), out);
    }

    /// Which rows are of which version, then the IPv4 addresses, then the IPv6 addresses.
    fn encode_addrs(&mut self, column: &AddrColumn, out: &mut Vec<u8>) -> Option<Encoded> {
        let zone = ZoneMap::of_addrs(column);
        let ZoneMap::Addrs { present: 1.., v4, .. } = zone else { return None };
        Kinds::write(column.kinds(), out);
        let (min, max) = v4.unwrap_or_default();
        let packing = Packing::new(min.into(), max.into(), 0);
        let rows = column.kinds().iter().zip(column.words());
        let words: Vec<u32> = rows.filter(|(kind, _)| **kind == 4).map(|(_, word)| *word).collect();
        self.packer.write(packing, words.iter().map(|&word| word.into()), out);
        column.v6().iter().for_each(|addr| out.extend_from_slice(&addr.to_be_bytes()));
        Some(Encoded { encoding: PLAIN, zone })
    }

    /// Codes, then the length of each text, then the texts.
    fn encode_texts(&mut self, column: &TextColumn, out: &mut Vec<u8>) -> Option<Encoded> {
        let codes = column.codes();
        let (min, max) = (*codes.iter().min()?, *codes.iter().max()?);
        if max == 0 {
            return None;
        }
        let texts = column.dictionary();
        let form = form_of(texts);
        let length = |text: &Text| if form == LATIN { text.chars().count() } else { text.len() } as u64;
        let lengths: Vec<u64> = texts.iter().map(length).collect();
        let (shortest, longest) = min_max(lengths.iter().copied())?;
        out.extend_from_slice(&u32::try_from(texts.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.push(form);
        self.packer.write(
            Packing::new(min.into(), max.into(), 0),
            codes.iter().map(|&code| code.into()),
            out,
        );
        self.packer.write(Packing::new(shortest, longest, 0), lengths.into_iter(), out);
        texts.iter().for_each(|text| write_text(form, text, out));
        Some(Encoded { encoding: PLAIN, zone: ZoneMap::of_texts(column) })
    }
}

fn time_packing(present: &Presence, values: &[i64], (min, max): (i64, i64)) -> Packing {
    let (min, max) = (min.cast_unsigned(), max.cast_unsigned());
    let exponent = match present.is_full() {
        true => common_exponent(min, bits(values)),
        false => common_exponent(min, values_there(present, values).map(i64::cast_unsigned)),
    };
    Packing::new(min, max, exponent)
}

fn values_there<'a>(present: &'a Presence, values: &'a [i64]) -> impl Iterator<Item = i64> + Clone + 'a {
    values.iter().enumerate().filter(|(row, _)| present.get(*row)).map(|(_, value)| *value)
}

fn bits(values: &[i64]) -> impl ExactSizeIterator<Item = u64> + Clone {
    values.iter().map(|value| value.cast_unsigned())
}

/// The form that takes fewer bytes. In UTF-8, a character above U+007F begins with a byte above 0xBF, one above U+00FF with
/// one above 0xC3.
fn form_of(texts: &[Text]) -> u8 {
    let highest = texts.iter().flat_map(|text| text.bytes()).max().unwrap_or(0);
    if (0xc2..=0xc3).contains(&highest) { LATIN } else { UTF8 }
}

fn write_text(form: u8, text: &str, out: &mut Vec<u8>) {
    match form {
        LATIN => out.extend(text.chars().map(|character| u8::try_from(character).unwrap_or(b'?'))),
        _ => out.extend_from_slice(text.as_bytes()),
    }
}
