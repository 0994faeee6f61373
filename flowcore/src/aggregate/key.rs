//! Keys of groups: the values of some fields of a row, packed as small as they go.
//!
//! Most keys are numbers and IPv4 addresses; those of one row side by side fit an integer of 64 or 128 bits, which is
//! the key itself ([`Packed`]). A row that lacks a value, or has an IPv6 address, gets a key of bytes instead, in which
//! each value has a tag before it. Which of the two a row gets follows from its values: equal values have equal keys.
//!
//! Texts are codes of a dictionary that all keys of an aggregation share.

use std::borrow::Cow;
use std::hash::Hash;

use super::order::in_order;
use crate::batch::{AddrColumn, Dictionary, FlowBatch, NumberColumn, TextColumn, TimeColumn};
use crate::record::{Addr, Field, Storage, Text, Timestamp, Value};

/// What keys look like: how many values, of what storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeyShape {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    storage: Storage,
    /// Bits that a value takes in a packed key.
    bits: u32,
}

/// A key that is an integer: the values, the first one highest, each in the bits of its part.
pub(super) trait Packed: Copy + Hash + Eq + Default {
    /// The key with one more value, which has no more than `bits` bits.
    #[must_use]
    fn push(self, value: u64, bits: u32) -> Self;

    /// The same number in 128 bits.
    fn widen(self) -> u128;
}

impl Packed for u64 {
    #[inline]
    fn push(self, value: u64, bits: u32) -> Self {
        self.checked_shl(bits).unwrap_or(0) | value
    }

    fn widen(self) -> u128 {
        self.into()
    }
}

impl Packed for u128 {
    #[inline]
    fn push(self, value: u64, bits: u32) -> Self {
        self.checked_shl(bits).unwrap_or(0) | Self::from(value)
    }

    fn widen(self) -> u128 {
        self
    }
}

impl KeyShape {
    /// Of keys made from these fields; `None` if the sets differ in number or storage of their fields.
    pub(super) fn of(sides: &[Vec<Field>]) -> Option<Self> {
        let storages = |side: &[Field]| side.iter().map(|field| field.kind().storage()).collect::<Vec<_>>();
        let first = sides.first()?;
        if sides.iter().any(|side| storages(side) != storages(first)) {
            return None;
        }
        let widest =
            |at: usize| sides.iter().filter_map(|side| side.get(at)).map(|&field| bits_of(field)).max();
        let part = |(at, storage)| Part { storage, bits: widest(at).unwrap_or(64) };
        Some(Self { parts: storages(first).into_iter().enumerate().map(part).collect() })
    }

    /// Bits of a packed key.
    pub(super) fn bits(&self) -> u32 {
        self.parts.iter().map(|part| part.bits).sum()
    }

    /// Whether codes of texts are in the keys, so that keys say nothing about the order of their values.
    pub(super) fn has_texts(&self) -> bool {
        self.parts.iter().any(|part| part.storage == Storage::Text)
    }

    /// The packed key of these values, if they can be packed.
    #[inline]
    pub(super) fn pack<K: Packed>(&self, cells: impl Iterator<Item = Cell>) -> Option<K> {
        let mut key = K::default();
        for (part, cell) in self.parts.iter().zip(cells) {
            match cell {
                Cell::Word(word) if part.bits >= 64 || word >> part.bits == 0 => {
                    key = key.push(word, part.bits)
                }
                _ => return None,
            }
        }
        Some(key)
    }

    /// The values of a packed key.
    pub(super) fn unpack(&self, key: u128) -> Vec<Cell> {
        let mut above = self.bits();
        let cell = |part: &Part| {
            above -= part.bits;
            let word = key.checked_shr(above).unwrap_or(0) & ((1 << part.bits) - 1);
            Cell::Word(u64::try_from(word).unwrap_or(u64::MAX))
        };
        self.parts.iter().map(cell).collect()
    }

    /// These values for people.
    pub(super) fn values(&self, cells: &[Cell], texts: &Dictionary) -> Vec<Value> {
        self.parts.iter().zip(cells).map(|(part, cell)| part.value(*cell, texts)).collect()
    }

    /// Replaces codes of texts: each is the place in `codes`, from 1, of the new one.
    pub(super) fn recode(&self, cells: &mut [Cell], codes: &[u32]) {
        for (part, cell) in self.parts.iter().zip(cells) {
            if let (Storage::Text, Cell::Word(code)) = (part.storage, cell) {
                *code = at_code(codes, *code).copied().unwrap_or(0).into();
            }
        }
    }
}

/// Writes values as a key of bytes.
pub(super) fn encode(cells: impl Iterator<Item = Cell>, key: &mut Vec<u8>) {
    key.clear();
    for cell in cells {
        match cell {
            Cell::Absent => key.push(ABSENT),
            Cell::Word(word) => {
                key.push(WORD);
                key.extend_from_slice(&word.to_be_bytes());
            }
            Cell::V6(addr) => {
                key.push(V6);
                key.extend_from_slice(&addr.to_be_bytes());
            }
        }
    }
}

/// The values of a key of bytes.
pub(super) fn decode(mut key: &[u8]) -> Vec<Cell> {
    let mut cells = Vec::new();
    while let Some((&tag, rest)) = key.split_first() {
        key = rest;
        cells.push(match tag {
            WORD => take(&mut key).map_or(Cell::Absent, |bytes| Cell::Word(u64::from_be_bytes(bytes))),
            V6 => take(&mut key).map_or(Cell::Absent, |bytes| Cell::V6(u128::from_be_bytes(bytes))),
            _ => Cell::Absent,
        });
    }
    cells
}

const ABSENT: u8 = 0;
const WORD: u8 = 1;
const V6: u8 = 2;

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*bytes)
}

/// Bits that hold any value of the field; those of IPv6 addresses are never packed.
fn bits_of(field: Field) -> u32 {
    match field.kind().storage() {
        Storage::Number => 64 - field.kind().max_number().leading_zeros(),
        Storage::Time => 64,
        Storage::Addr | Storage::Text => 32,
    }
}

impl Part {
    fn value(self, cell: Cell, texts: &Dictionary) -> Value {
        let word = match cell {
            Cell::Absent => return Value::Absent,
            Cell::V6(addr) => return Value::Addr(Addr::V6(addr.into())),
            Cell::Word(word) => word,
        };
        match self.storage {
            Storage::Number => Value::Number(word),
            Storage::Time => Value::Time(Timestamp::from_nanos(in_order(word.cast_signed()).cast_signed())),
            Storage::Addr => Value::Addr(Addr::V4(u32::try_from(word).unwrap_or(0).into())),
            Storage::Text => {
                at_code(texts.texts(), word).map_or(Value::Absent, |text| Value::Text(Text::clone(text)))
            }
        }
    }
}

/// Codes begin with 1.
fn at_code<T>(list: &[T], code: u64) -> Option<&T> {
    list.get(usize::try_from(code).ok()?.checked_sub(1)?)
}

/// What a key has of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Absent,
    /// A number, a time in the order of numbers, an IPv4 address, or the code of a text.
    Word(u64),
    V6(u128),
}

/// The values of one field in a batch.
pub(super) enum Cells<'a> {
    None,
    Numbers(Cow<'a, NumberColumn>),
    Times(&'a TimeColumn),
    Addrs(&'a AddrColumn),
    /// With the codes that the column's own ones stand for in keys; 0 for texts of rows that are not looked at.
    Texts(&'a TextColumn, Vec<u32>),
}

impl<'a> Cells<'a> {
    /// The values of these rows; their texts become known to `texts`.
    pub(super) fn of(batch: &'a FlowBatch, field: Field, rows: &[u32], texts: &mut Dictionary) -> Self {
        let found = match field.kind().storage() {
            Storage::Number => batch.numbers(field).map(Self::Numbers),
            Storage::Time => batch.times(field).map(Self::Times),
            Storage::Addr => batch.addrs(field).map(Self::Addrs),
            Storage::Text => batch.texts(field).map(|column| Self::Texts(column, codes(column, rows, texts))),
        };
        found.unwrap_or(Self::None)
    }

    /// Whether a row has a value.
    pub(super) fn has(&self, row: usize) -> bool {
        !matches!(self.cell(row), Cell::Absent)
    }

    /// The value of a row.
    #[inline]
    pub(super) fn cell(&self, row: usize) -> Cell {
        let word = match self {
            Self::None => None,
            Self::Numbers(column) => column.get(row),
            Self::Times(column) => column.get(row).map(in_order),
            Self::Addrs(column) => match (column.kinds().get(row), column.words().get(row)) {
                (Some(4), Some(&word)) => Some(word.into()),
                (Some(6), Some(&at)) => {
                    return column.v6().get(at as usize).map_or(Cell::Absent, |&a| Cell::V6(a));
                }
                _ => None,
            },
            Self::Texts(column, codes) => {
                let code = column.codes().get(row).and_then(|&code| codes.get(code as usize));
                code.filter(|&&code| code != 0).map(|&code| code.into())
            }
        };
        word.map_or(Cell::Absent, Cell::Word)
    }
}

/// Looks a text up once for all of its rows.
fn codes(column: &TextColumn, rows: &[u32], texts: &mut Dictionary) -> Vec<u32> {
    let mut codes = vec![0; column.dictionary().len() + 1];
    for code in rows.iter().filter_map(|&row| column.codes().get(row as usize)) {
        if let Some(known @ 0) = codes.get_mut(*code as usize)
            && let Some(text) = column.text(*code)
        {
            *known = code_of(text, texts);
        }
    }
    codes
}

/// The code of a text, which becomes known if it is not.
pub(super) fn code_of(text: &Text, texts: &mut Dictionary) -> u32 {
    match texts.code(text) {
        Some(code) => code,
        None => texts.add(Text::clone(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(fields: &[Field]) -> KeyShape {
        KeyShape::of(&[fields.to_vec()]).unwrap()
    }

    #[test]
    fn common_keys_fit_an_integer() {
        assert_eq!(shape(&[Field::SrcAddr]).bits(), 32);
        assert_eq!(shape(&[Field::SrcAddr, Field::DstAddr]).bits(), 64);
        let tuple = [Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort, Field::Protocol];
        assert_eq!(shape(&tuple).bits(), 104);
        assert_eq!(KeyShape::of(&[vec![Field::SrcAddr], vec![Field::SrcPort]]), None);
        assert_eq!(KeyShape::of(&[vec![Field::SrcAddr], vec![]]), None);
    }

    #[test]
    fn both_kinds_of_keys_give_the_values_back() {
        let fields = [Field::First, Field::Action, Field::DstPort];
        let mut batch = FlowBatch::new();
        batch.set_time(Field::First, Timestamp::from_nanos(-5));
        batch.set_text(Field::Action, "REJECT");
        batch.set_number(Field::DstPort, 65_535);
        batch.end_row();
        let mut texts = Dictionary::default();
        texts.add("ACCEPT".into());
        let cells: Vec<_> = fields.iter().map(|&field| Cells::of(&batch, field, &[0], &mut texts)).collect();
        let shape = shape(&fields);
        let row = || cells.iter().map(|cells| cells.cell(0));
        let key: u128 = shape.pack(row()).unwrap();
        let expected = [Value::Time(Timestamp::from_nanos(-5)), Value::from("REJECT"), Value::Number(65_535)];
        assert_eq!(shape.values(&shape.unpack(key), &texts), expected);
        let mut bytes = Vec::new();
        encode(row(), &mut bytes);
        assert_eq!(shape.values(&decode(&bytes), &texts), expected);
        let mut recoded = decode(&bytes);
        shape.recode(&mut recoded, &[7, 1]);
        assert_eq!(shape.values(&recoded, &texts)[1], Value::from("ACCEPT"));
    }

    #[test]
    fn sixty_four_bits_are_one_number() {
        let key = 0_u64.push(u64::MAX, 64);
        assert_eq!(shape(&[Field::InBytes]).unpack(key.widen()), [Cell::Word(u64::MAX)]);
        assert_eq!(1_u64.push(7, 64), 7);
    }
}
