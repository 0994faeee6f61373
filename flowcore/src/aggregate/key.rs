//! Keys of groups: the values of some fields of a row, packed as small as they go.
//!
//! Most keys are numbers and IPv4 addresses; those of one row side by side fit an integer of 64 or 128 bits, which is
//! the key itself ([`Packed`]). Bits that are left over say which values there are. A row that lacks a value that no bit
//! was left for, or has an IPv6 address, gets a key of bytes instead, in which each value has a tag before it. Which of
//! the two a row gets follows from its values: equal values have equal keys.
//!
//! Texts are codes of a dictionary that all keys of an aggregation share.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::Hash;

use super::element::{Element, Network};
use super::order::in_order;
use crate::batch::{AddrColumn, Dictionary, FlowBatch, NumberColumn, TextColumn, TimeColumn};
use crate::record::{Addr, Field, Storage, Text, Timestamp, Value};

/// What keys look like: how many values, of what storage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct KeyShape {
    parts: Vec<Part>,
    /// Each value of a packed key has a bit before it that says whether it is there.
    has_presence: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    storage: Storage,
    /// Bits that a value takes in a packed key.
    bits: u32,
}

/// A key of either kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'a> {
    Packed(u128),
    Bytes(&'a [u8]),
}

/// A key that is an integer: the values, the first one highest, each in the bits of its part.
pub(super) trait Packed: Copy + Hash + Eq + Default {
    /// The key with one more value, which has no more than `bits` bits.
    #[must_use]
    fn push(self, value: u64, bits: u32) -> Self;

    /// The same number in 128 bits.
    fn to_u128(self) -> u128;
}

impl Packed for u64 {
    #[inline]
    fn push(self, value: u64, bits: u32) -> Self {
        self.checked_shl(bits).unwrap_or(0) | value
    }

    fn to_u128(self) -> u128 {
        self.into()
    }
}

impl Packed for u128 {
    #[inline]
    fn push(self, value: u64, bits: u32) -> Self {
        self.checked_shl(bits).unwrap_or(0) | Self::from(value)
    }

    fn to_u128(self) -> u128 {
        self
    }
}

impl KeyShape {
    /// Of keys made from these fields; `None` if the sets differ in number or storage of their fields.
    pub(super) fn of(sides: &[Vec<Element>]) -> Option<Self> {
        let storages =
            |side: &[Element]| side.iter().map(|part| part.field().kind().storage()).collect::<Vec<_>>();
        let first = sides.first()?;
        if sides.iter().any(|side| storages(side) != storages(first)) {
            return None;
        }
        let widest =
            |at: usize| sides.iter().filter_map(|side| side.get(at)).map(|part| bits_of(part.field())).max();
        let part = |(at, storage)| Part { storage, bits: widest(at).unwrap_or(64) };
        Some(Self::from_parts(storages(first).into_iter().enumerate().map(part).collect()))
    }

    /// The same without room for this part in packed keys: rows that have a value there get keys of bytes. Fit for what
    /// only some inputs have, so that the others' keys stay small.
    pub(super) fn without_room_for(mut self, part: usize) -> Self {
        self.parts.iter_mut().skip(part).take(1).for_each(|part| part.bits = 0);
        Self::from_parts(self.parts)
    }

    fn from_parts(parts: Vec<Part>) -> Self {
        let values: u32 = parts.iter().map(|part| part.bits).sum();
        let presence = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let has_presence = values.saturating_add(presence) <= if values <= 64 { 64 } else { 128 };
        Self { parts, has_presence }
    }

    /// Bits of a packed key.
    pub(super) fn bits(&self) -> u32 {
        self.parts.iter().map(|part| part.bits + u32::from(self.has_presence)).sum()
    }

    /// The packed key of these values, if they can be packed.
    #[inline]
    pub(super) fn pack<K: Packed>(&self, cells: impl Iterator<Item = Cell>) -> Option<K> {
        self.parts
            .iter()
            .zip(cells)
            .try_fold(K::default(), |key, (part, cell)| self.pack_one(key, *part, cell))
    }

    /// The packed keys of these rows, and the rows whose values cannot be packed: what [`pack`](Self::pack) says of each
    /// row, a column at a time.
    pub(super) fn pack_rows<K: Packed>(
        &self,
        cells: &[Cells<'_>],
        rows: &[u32],
    ) -> (Vec<(K, u32)>, Vec<u32>) {
        let mut keys: Vec<(K, u32)> = rows.iter().map(|&row| (K::default(), row)).collect();
        let mut unfit = vec![false; rows.len()];
        for (part, cells) in self.parts.iter().zip(cells) {
            let mut slots = keys.iter_mut().zip(&mut unfit);
            cells.each(rows, |cell| {
                let Some(((key, _), unfit)) = slots.next() else { return };
                match self.pack_one(*key, *part, cell) {
                    Some(longer) => *key = longer,
                    None => *unfit = true,
                }
            });
        }
        let mut others = Vec::new();
        if unfit.contains(&true) {
            others.extend(rows.iter().zip(&unfit).filter(|(_, unfit)| **unfit).map(|(row, _)| *row));
            let mut unfit = unfit.into_iter();
            keys.retain(|_| !unfit.next().unwrap_or(true));
        }
        (keys, others)
    }

    /// A packed key with one more value, if that can be packed.
    #[inline]
    fn pack_one<K: Packed>(&self, key: K, part: Part, cell: Cell) -> Option<K> {
        let (is_there, word) = match cell {
            Cell::Word(word) if part.bits >= 64 || word >> part.bits == 0 => (1, word),
            Cell::Absent if self.has_presence => (0, 0),
            _ => return None,
        };
        let key = if self.has_presence { key.push(is_there, 1) } else { key };
        Some(key.push(word, part.bits))
    }

    /// What a key is made of, one value after the other.
    pub(super) fn cells(&self, mut key: Key<'_>) -> impl Iterator<Item = Cell> {
        let mut above = self.bits();
        let mut take = move |key: u128, bits: u32| {
            above = above.saturating_sub(bits);
            let word = key.checked_shr(above).unwrap_or(0) & ((1 << bits) - 1);
            u64::try_from(word).unwrap_or(u64::MAX)
        };
        self.parts.iter().map(move |part| match &mut key {
            Key::Packed(key) => {
                let is_there = !self.has_presence || take(*key, 1) == 1;
                let word = take(*key, part.bits);
                if is_there { Cell::Word(word) } else { Cell::Absent }
            }
            Key::Bytes(rest) => next_cell(rest),
        })
    }

    /// The values of a key for people.
    pub(super) fn values(&self, key: Key<'_>, texts: &Dictionary) -> Vec<Value> {
        self.parts.iter().zip(self.cells(key)).map(|(part, cell)| part.value(cell, texts)).collect()
    }

    /// Keys in the order of their values. Keys of one kind without codes of texts are in that order themselves.
    pub(super) fn compare(&self, a: Key<'_>, b: Key<'_>, texts: &Dictionary) -> Ordering {
        match (a, b) {
            (Key::Packed(a), Key::Packed(b)) if !self.has_texts() => a.cmp(&b),
            (Key::Bytes(a), Key::Bytes(b)) if !self.has_texts() => a.cmp(b),
            _ => {
                let cells = self.parts.iter().zip(self.cells(a).zip(self.cells(b)));
                let mut orders = cells.map(|(part, (a, b))| part.compare(a, b, texts));
                orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }
        }
    }

    /// Replaces codes of texts: each is the place in `codes`, from 1, of the new one.
    pub(super) fn recode(&self, cells: &mut [Cell], codes: &[u32]) {
        for (part, cell) in self.parts.iter().zip(cells) {
            if let (Storage::Text, Cell::Word(code)) = (part.storage, cell) {
                *code = at_code(codes, *code).copied().unwrap_or(0).into();
            }
        }
    }

    fn has_texts(&self) -> bool {
        self.parts.iter().any(|part| part.storage == Storage::Text)
    }
}

/// Writes values as a key of bytes: tags are in the order of [`Cell`], numbers have their highest byte first.
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

/// The first value of the rest of a key of bytes.
fn next_cell(rest: &mut &[u8]) -> Cell {
    let Some((&tag, behind)) = rest.split_first() else { return Cell::Absent };
    *rest = behind;
    match tag {
        WORD => take(rest).map_or(Cell::Absent, |bytes| Cell::Word(u64::from_be_bytes(bytes))),
        V6 => take(rest).map_or(Cell::Absent, |bytes| Cell::V6(u128::from_be_bytes(bytes))),
        _ => Cell::Absent,
    }
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

    fn compare(self, a: Cell, b: Cell, texts: &Dictionary) -> Ordering {
        match (self.storage, a, b) {
            (Storage::Text, Cell::Word(a), Cell::Word(b)) if a != b => {
                at_code(texts.texts(), a).cmp(&at_code(texts.texts(), b))
            }
            _ => a.cmp(&b),
        }
    }
}

/// Codes begin with 1.
fn at_code<T>(list: &[T], code: u64) -> Option<&T> {
    list.get(usize::try_from(code).ok()?.checked_sub(1)?)
}

/// What a key has of one value.
///
/// In the order of values, texts excepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Absent,
    /// A number, a time in the order of numbers, an IPv4 address, or the code of a text.
    Word(u64),
    V6(u128),
}

/// How much of each address of a column counts.
pub(super) enum Bits<'a> {
    /// These bits of IPv4 and of IPv6 addresses; the others count as absent.
    Of { v4: Option<u32>, v6: Option<u128> },
    /// So many as the row says; all where it says nothing or more than there are.
    Recorded(Option<Cow<'a, NumberColumn>>),
}

impl<'a> Bits<'a> {
    fn of(batch: &'a FlowBatch, network: Network) -> Self {
        match network {
            Network::Whole => Self::Of { v4: Some(u32::MAX), v6: Some(u128::MAX) },
            Network::Bits { v4, v6 } => Self::Of {
                v4: v4.map(|bits| upper_bits(bits.into(), 32).try_into().unwrap_or(u32::MAX)),
                v6: v6.map(|bits| upper_bits(bits.into(), 128)),
            },
            Network::Recorded(mask) => Self::Recorded(batch.numbers(mask)),
        }
    }

    #[inline]
    fn v4(&self, row: usize) -> Option<u32> {
        match self {
            Self::Of { v4, .. } => *v4,
            Self::Recorded(masks) => u32::try_from(upper_bits(recorded(masks, row), 32)).ok(),
        }
    }

    #[inline]
    fn v6(&self, row: usize) -> Option<u128> {
        match self {
            Self::Of { v6, .. } => *v6,
            Self::Recorded(masks) => Some(upper_bits(recorded(masks, row), 128)),
        }
    }
}

/// What a row says; without it, or with 0 as exporters write that do not know, the whole address.
fn recorded(masks: &Option<Cow<'_, NumberColumn>>, row: usize) -> u64 {
    let mask = masks.as_ref().and_then(|masks| masks.get(row));
    mask.filter(|&mask| mask != 0).unwrap_or(u64::MAX)
}

/// The first `bits` of a number of `width` bits.
fn upper_bits(bits: u64, width: u32) -> u128 {
    let all = u128::MAX >> (128 - width);
    let below = u64::from(width).saturating_sub(bits);
    all & u128::MAX.checked_shl(u32::try_from(below).unwrap_or(128)).unwrap_or(0)
}

/// The values of one element in a batch.
pub(super) enum Cells<'a> {
    None,
    Numbers(Cow<'a, NumberColumn>),
    Times(&'a TimeColumn),
    Addrs(&'a AddrColumn, Bits<'a>),
    /// With the codes that the column's own ones stand for in keys; 0 for texts of rows that are not looked at.
    Texts(&'a TextColumn, Vec<u32>),
}

impl<'a> Cells<'a> {
    /// The values of these rows; their texts become known to `texts`.
    pub(super) fn of(batch: &'a FlowBatch, element: Element, rows: &[u32], texts: &mut Dictionary) -> Self {
        let field = element.field();
        let found = match field.kind().storage() {
            Storage::Number => batch.numbers(field).map(Self::Numbers),
            Storage::Time => batch.times(field).map(Self::Times),
            Storage::Addr => {
                batch.addrs(field).map(|column| Self::Addrs(column, Bits::of(batch, element.network())))
            }
            Storage::Text => batch.texts(field).map(|column| Self::Texts(column, codes(column, rows, texts))),
        };
        found.unwrap_or(Self::None)
    }

    /// Whether a row has a value.
    pub(super) fn has(&self, row: usize) -> bool {
        !matches!(self.cell(row), Cell::Absent)
    }

    /// Whether each of the rows of a batch of this length has a value; `false` where that takes longer to say.
    pub(super) fn has_all(&self, len: usize) -> bool {
        match self {
            Self::Numbers(column) => column.len() >= len && column.present().is_full(),
            Self::Times(column) => column.len() >= len && column.present().is_full(),
            Self::Addrs(_, Bits::Of { v4: None, .. } | Bits::Of { v6: None, .. }) => false,
            Self::Addrs(column, _) => column.len() >= len && column.kinds().iter().all(|kind| *kind != 0),
            Self::None | Self::Texts(..) => false,
        }
    }

    /// Calls `take` with the value of each of these rows. What kind of column it is, is decided once, not for each row.
    #[inline]
    pub(super) fn each(&self, rows: &[u32], mut take: impl FnMut(Cell)) {
        let rows = rows.iter().map(|&row| row as usize);
        match self {
            Self::Numbers(column) if column.present().is_full() => {
                let values = column.values();
                rows.for_each(|row| take(values.get(row).map_or(Cell::Absent, |&word| Cell::Word(word))));
            }
            Self::Addrs(column, Bits::Of { v4: Some(bits), .. }) if column.v6().is_empty() => {
                let (kinds, words) = (column.kinds(), column.words());
                rows.for_each(|row| match (kinds.get(row), words.get(row)) {
                    (Some(4), Some(word)) => take(Cell::Word((word & bits).into())),
                    _ => take(Cell::Absent),
                });
            }
            Self::Addrs(column, Bits::Of { v4: Some(v4), v6: Some(v6) }) => {
                let (kinds, words) = (column.kinds(), column.words());
                rows.for_each(|row| match (kinds.get(row), words.get(row)) {
                    (Some(4), Some(word)) => take(Cell::Word((word & v4).into())),
                    (Some(6), Some(&at)) => {
                        let addr = column.v6().get(at as usize);
                        take(addr.map_or(Cell::Absent, |addr| Cell::V6(addr & v6)));
                    }
                    _ => take(Cell::Absent),
                });
            }
            _ => rows.for_each(|row| take(self.cell(row))),
        }
    }

    /// The value of a row.
    #[inline]
    pub(super) fn cell(&self, row: usize) -> Cell {
        let word = match self {
            Self::None => None,
            Self::Numbers(column) => column.get(row),
            Self::Times(column) => column.get(row).map(in_order),
            Self::Addrs(column, bits) => match (column.kinds().get(row), column.words().get(row)) {
                (Some(4), Some(&word)) => bits.v4(row).map(|bits| (word & bits).into()),
                (Some(6), Some(&at)) => {
                    let addr = column.v6().get(at as usize).zip(bits.v6(row));
                    return addr.map_or(Cell::Absent, |(addr, bits)| Cell::V6(addr & bits));
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
    use proptest::prelude::*;

    fn side(fields: &[Field]) -> Vec<Element> {
        fields.iter().map(|&field| field.into()).collect()
    }

    fn shape(fields: &[Field]) -> KeyShape {
        KeyShape::of(&[side(fields)]).unwrap()
    }

    #[test]
    fn common_keys_fit_an_integer() {
        assert_eq!(shape(&[Field::SrcAddr]).bits(), 33);
        assert_eq!(shape(&[Field::SrcAddr, Field::DstAddr]).bits(), 64, "no bit is left in 64");
        let tuple = [Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort, Field::Protocol];
        assert_eq!(shape(&tuple).bits(), 109);
        assert_eq!(KeyShape::of(&[side(&[Field::SrcAddr]), side(&[Field::SrcPort])]), None);
        assert_eq!(KeyShape::of(&[side(&[Field::SrcAddr]), vec![]]), None);
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
        let cells: Vec<_> =
            fields.iter().map(|&field| Cells::of(&batch, field.into(), &[0], &mut texts)).collect();
        let shape = shape(&fields);
        let row = || cells.iter().map(|cells| cells.cell(0));
        let key: u128 = shape.pack(row()).unwrap();
        let expected = [Value::Time(Timestamp::from_nanos(-5)), Value::from("REJECT"), Value::Number(65_535)];
        assert_eq!(shape.values(Key::Packed(key), &texts), expected);
        let mut bytes = Vec::new();
        encode(row(), &mut bytes);
        assert_eq!(shape.values(Key::Bytes(&bytes), &texts), expected);
        let mut recoded: Vec<Cell> = shape.cells(Key::Bytes(&bytes)).collect();
        shape.recode(&mut recoded, &[7, 1]);
        encode(recoded.into_iter(), &mut bytes);
        assert_eq!(shape.values(Key::Bytes(&bytes), &texts)[1], Value::from("ACCEPT"));
    }

    /// Values as keys have them: an address, a text of three or two numbers.
    fn cells() -> impl Strategy<Value = Vec<Cell>> {
        let word = |words: std::ops::Range<u64>| {
            prop_oneof![Just(Cell::Absent), words.prop_map(|word| Cell::Word(word << 8 | word))]
        };
        let v6 = (0_u128..3).prop_map(|addr| Cell::V6(addr << 100 | addr));
        let text = prop_oneof![Just(Cell::Absent), (1_u64..4).prop_map(Cell::Word)];
        (prop_oneof![word(0..3), v6], text, word(0..3), word(253..258))
            .prop_map(|(addr, text, port, bytes)| vec![addr, text, port, bytes])
    }

    proptest! {
        #[test]
        fn keys_are_in_the_order_of_their_values(a in cells(), b in cells(), has_text in any::<bool>()) {
            let mut texts = Dictionary::default();
            ["b", "", "a"].into_iter().for_each(|text| _ = texts.add(text.into()));
            let (second, mut rows) = (if has_text { Field::Action } else { Field::DstPort }, [a, b]);
            if !has_text {
                rows.iter_mut().for_each(|row| row[1] = row[2]);
            }
            let shape = shape(&[Field::SrcAddr, second, Field::SrcPort, Field::Protocol]);
            let bytes = rows.each_ref().map(|row| {
                let mut bytes = Vec::new();
                encode(row.iter().copied(), &mut bytes);
                bytes
            });
            let keys = [0, 1].map(|row: usize| {
                let packed = shape.pack::<u128>(rows[row].iter().copied()).map(Key::Packed);
                [packed.unwrap_or(Key::Bytes(&bytes[row])), Key::Bytes(&bytes[row])]
            });
            for (a, b) in keys[0].into_iter().flat_map(|a| keys[1].map(|b| (a, b))) {
                let by_values = shape.values(a, &texts).cmp(&shape.values(b, &texts));
                prop_assert_eq!(shape.compare(a, b, &texts), by_values, "{:?} {:?}", a, b);
            }
        }
    }

    #[test]
    fn keys_by_column_are_keys_by_row() {
        let mut batch = FlowBatch::new();
        for n in 0..300_u32 {
            match n % 5 {
                0 => {}
                1 => batch.set_addr(Field::SrcAddr, Addr::V6(u128::from(n).into())),
                _ => batch.set_addr(Field::SrcAddr, Addr::V4(n.into())),
            }
            batch.set_addr(Field::DstAddr, Addr::V4((n * 77).into()));
            if n % 3 != 0 {
                batch.set_number(Field::SrcPort, n.into());
            }
            batch.set_number(Field::DstPort, n.into());
            batch.set_time(Field::First, Timestamp::from_nanos(n.into()));
            batch.set_text(Field::Action, ["ACCEPT", "REJECT"][n as usize % 2]);
            batch.end_row();
        }
        let rows: Vec<u32> = (0..300).filter(|row| row % 4 != 1).collect();
        for fields in [
            &[Field::SrcAddr][..],
            &[Field::DstAddr, Field::DstPort],
            &[Field::SrcAddr, Field::DstAddr],
            &[Field::SrcPort, Field::DstPort, Field::Action],
            &[Field::First, Field::Protocol],
            &[Field::DstAddr, Field::SrcPort, Field::Protocol],
        ] {
            let (shape, mut texts) = (shape(fields), Dictionary::default());
            let cells: Vec<Cells<'_>> =
                side(fields).iter().map(|&part| Cells::of(&batch, part, &rows, &mut texts)).collect();
            let (keys, others) = shape.pack_rows::<u128>(&cells, &rows);
            let by_row = |row: u32| shape.pack::<u128>(cells.iter().map(|cells| cells.cell(row as usize)));
            let expected: Vec<(u128, u32)> =
                rows.iter().filter_map(|&row| Some((by_row(row)?, row))).collect();
            assert_eq!(keys, expected, "{fields:?}");
            assert_eq!(others, rows.iter().copied().filter(|&row| by_row(row).is_none()).collect::<Vec<_>>());
            for cells in cells.iter().filter(|cells| cells.has_all(batch.len())) {
                assert!((0..batch.len()).all(|row| cells.has(row)));
            }
        }
    }

    #[test]
    fn absent_values_are_packed_where_bits_are_left() {
        let ports = shape(&[Field::SrcPort, Field::DstPort]);
        let cells = [Cell::Absent, Cell::Word(443)];
        let key: u64 = ports.pack(cells.into_iter()).unwrap();
        assert_eq!(ports.cells(Key::Packed(key.to_u128())).collect::<Vec<_>>(), cells);
        let zero: u64 = ports.pack([Cell::Word(0), Cell::Word(443)].into_iter()).unwrap();
        assert!(key < zero, "what is absent comes first");
        let pair = shape(&[Field::SrcAddr, Field::DstAddr]);
        assert_eq!(pair.pack::<u64>([Cell::Absent, Cell::Word(1)].into_iter()), None);
    }

    #[test]
    fn networks_are_the_upper_bits() {
        assert_eq!(upper_bits(24, 32), 0xffff_ff00);
        assert_eq!((upper_bits(0, 32), upper_bits(99, 32)), (0, 0xffff_ffff));
        assert_eq!(upper_bits(64, 128), u128::from(u64::MAX) << 64);
        assert_eq!((upper_bits(128, 128), upper_bits(0, 128)), (u128::MAX, 0));
    }

    #[test]
    fn sixty_four_bits_are_one_number() {
        let key = 0_u64.push(u64::MAX, 64);
        let cells: Vec<Cell> = shape(&[Field::InBytes]).cells(Key::Packed(key.to_u128())).collect();
        assert_eq!(cells, [Cell::Word(u64::MAX)]);
        assert_eq!(1_u64.push(7, 64), 7);
    }
}
