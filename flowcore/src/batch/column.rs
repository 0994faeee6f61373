//! Columns: one vector of values per field, with a note of which rows have one.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use super::dictionary::Dictionary;
use crate::record::{Addr, Field, Storage, Text, Timestamp, Value};

/// A bit per row, set where the row has a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    words: Vec<u64>,
    len: usize,
    set: usize,
}

impl Presence {
    /// Rows covered.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is covered.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Rows that have a value.
    pub fn count(&self) -> usize {
        self.set
    }

    /// Whether every row has a value.
    pub fn is_full(&self) -> bool {
        self.set == self.len
    }

    /// Whether this row has a value.
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// The bits, 64 rows a word, lowest bit first; bits past the last row are zero.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, present: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(present) << (self.len % 64);
        }
        self.len += 1;
        self.set += usize::from(present);
    }

    /// Makes this cover `len` rows that all have a value.
    pub fn fill(&mut self, len: usize) {
        self.clear();
        self.words.resize(len.div_ceil(64), u64::MAX);
        if !len.is_multiple_of(64)
            && let Some(word) = self.words.last_mut()
        {
            *word = (1 << (len % 64)) - 1;
        }
        self.len = len;
        self.set = len;
    }

    /// Makes this cover `len` rows, of which those behind the present ones have a value.
    fn add_all(&mut self, len: usize) {
        if self.is_full() {
            return self.fill(len);
        }
        (self.len..len).for_each(|_| self.push(true));
    }

    /// Makes this cover `len` rows with these bits, eight rows a byte, lowest bit first.
    fn assign_bits(&mut self, bits: &[u8], len: usize) {
        self.fill(len);
        for (at, word) in self.words.iter_mut().enumerate() {
            let bytes = bits.get(at * 8..).unwrap_or_default();
            let mut filled = [0; 8];
            filled.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            *word &= u64::from_le_bytes(filled);
        }
        self.set = self.words.iter().map(|word| word.count_ones() as usize).sum();
    }

    /// Adds the rows of another one behind these.
    fn append(&mut self, other: &Self) {
        let shift = self.len % 64;
        if shift == 0 {
            self.words.extend_from_slice(&other.words);
        } else {
            for &word in &other.words {
                if let Some(last) = self.words.last_mut() {
                    *last |= word << shift;
                }
                self.words.push(word >> (64 - shift));
            }
        }
        self.len += other.len;
        self.set += other.set;
        self.words.truncate(self.len.div_ceil(64));
    }

    fn clear(&mut self) {
        self.words.clear();
        self.len = 0;
        self.set = 0;
    }
}

/// Values of type `T` with their presence; rows without a value hold `T::default()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values<T> {
    values: Vec<T>,
    present: Presence,
}

/// Numbers in the unit of their field.
pub type NumberColumn = Values<u64>;
/// Nanoseconds since 1970 UTC.
pub type TimeColumn = Values<i64>;

impl<T: Copy + Default> Values<T> {
    /// One value a row; those of rows without a value mean nothing.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Which rows have a value.
    pub fn present(&self) -> &Presence {
        &self.present
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Option<T> {
        self.present.get(row).then(|| self.values[row])
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        self.values.push(value.unwrap_or_default());
        self.present.push(value.is_some());
    }

    /// Replaces all rows by these, each of which has a value.
    pub fn assign(&mut self, values: impl Iterator<Item = T>) {
        self.values.clear();
        self.values.extend(values);
        self.present.fill(self.values.len());
    }

    /// Replaces all rows by these.
    pub(crate) fn assign_options(&mut self, values: impl Iterator<Item = Option<T>>) {
        self.clear();
        self.extend(values);
    }

    /// Adds rows that all have a value.
    pub(super) fn extend_all(&mut self, values: impl Iterator<Item = T>) {
        self.values.extend(values);
        self.present.add_all(self.values.len());
    }

    /// Adds rows.
    pub(super) fn extend(&mut self, values: impl Iterator<Item = Option<T>>) {
        let is_whole = self.values.len().is_multiple_of(64);
        let mut word = if is_whole { 0 } else { self.present.words.pop().unwrap_or(0) };
        let mut set = 0;
        self.values.reserve(values.size_hint().0);
        for value in values {
            let row = self.values.len() % 64;
            word |= u64::from(value.is_some()) << row;
            set += usize::from(value.is_some());
            self.values.push(value.unwrap_or_default());
            if row == 63 {
                self.present.words.push(std::mem::take(&mut word));
            }
        }
        if !self.values.len().is_multiple_of(64) {
            self.present.words.push(word);
        }
        self.present.len = self.values.len();
        self.present.set += set;
    }

    /// Replaces all rows by what `fill` writes; `bits` says which of them have a value, `None` that all have.
    pub(crate) fn refill(&mut self, bits: Option<&[u8]>, fill: impl FnOnce(&mut Vec<T>)) {
        self.values.clear();
        fill(&mut self.values);
        let Some(bits) = bits else { return self.present.fill(self.values.len()) };
        self.present.assign_bits(bits, self.values.len());
        for (values, &word) in self.values.chunks_mut(64).zip(&self.present.words) {
            for (bit, value) in values.iter_mut().enumerate().filter(|_| word != u64::MAX) {
                // Without a branch: which rows have a value follows no pattern.
                *value = if word >> bit & 1 != 0 { *value } else { T::default() };
            }
        }
    }

    /// Adds all rows of another column.
    fn append_all(&mut self, from: &Self) {
        self.values.extend_from_slice(&from.values);
        self.present.append(&from.present);
    }

    fn pad(&mut self, len: usize) {
        while self.values.len() < len {
            self.push(None);
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.present.clear();
    }
}

/// Addresses: IPv4 in place, IPv6 in a list of their own.
///
/// `kinds[row]` is 0 (unknown), 4 or 6; `words[row]` is the IPv4 address in host order, or the index of the
/// IPv6 address in `v6`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddrColumn {
    kinds: Vec<u8>,
    words: Vec<u32>,
    v6: Vec<u128>,
}

impl AddrColumn {
    /// 0, 4 or 6 for each row.
    pub fn kinds(&self) -> &[u8] {
        &self.kinds
    }

    /// IPv4 address in host order, or index into [`v6`](Self::v6), for each row.
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The IPv6 addresses in row order, in host order.
    pub fn v6(&self) -> &[u128] {
        &self.v6
    }

    /// The address of a row.
    pub fn get(&self, row: usize) -> Addr {
        match self.kinds.get(row) {
            Some(4) => Addr::V4(Ipv4Addr::from(self.words[row])),
            Some(6) => Addr::V6(Ipv6Addr::from(self.v6[self.words[row] as usize])),
            _ => Addr::Unknown,
        }
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, addr: Addr) {
        let word = match addr {
            Addr::Unknown => 0,
            Addr::V4(addr) => u32::from(addr),
            Addr::V6(addr) => {
                self.v6.push(u128::from(addr));
                u32::try_from(self.v6.len() - 1).unwrap_or(u32::MAX)
            }
        };
        self.kinds.push(addr.version());
        self.words.push(word);
    }

    /// Replaces all rows: `fill` writes the kinds of the rows, and the IPv4 addresses of those of kind 4, one behind the
    /// other; `v6` yields the IPv6 addresses, in row order too. A row whose address is not there has none.
    pub(crate) fn refill(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>, &mut Vec<u32>),
        v6: impl Iterator<Item = u128>,
    ) {
        self.clear();
        fill(&mut self.kinds, &mut self.words);
        if self.words.len() == self.kinds.len() && self.kinds.iter().all(|kind| *kind == 4) {
            return;
        }
        self.v6.extend(v6);
        let v4 = std::mem::take(&mut self.words);
        self.words.reserve(self.kinds.len());
        let (mut fours, mut sixes) = (0, 0);
        // Without a branch: which rows are of which version follows no pattern.
        for kind in &mut self.kinds {
            let (is_four, is_six) = (*kind == 4 && fours < v4.len(), *kind == 6 && sixes < self.v6.len());
            let four = v4.get(fours).copied().unwrap_or(0);
            let word = if is_six { u32::try_from(sixes).unwrap_or(u32::MAX) } else { 0 };
            self.words.push(if is_four { four } else { word });
            *kind = if is_four || is_six { *kind } else { 0 };
            fours += usize::from(is_four);
            sixes += usize::from(is_six);
        }
        self.v6.truncate(sixes);
    }

    /// Adds all rows of another column.
    fn append_all(&mut self, from: &Self) {
        // As many IPv6 addresses as their places in the list can tell apart are never in one batch.
        let before = u32::try_from(self.v6.len()).unwrap_or(u32::MAX);
        let words = from.kinds.iter().zip(&from.words);
        let words = words.map(|(&kind, &word)| if kind == 6 { word.saturating_add(before) } else { word });
        self.words.extend(words);
        self.kinds.extend_from_slice(&from.kinds);
        self.v6.extend_from_slice(&from.v6);
    }

    fn pad(&mut self, len: usize) {
        while self.kinds.len() < len {
            self.push(Addr::Unknown);
        }
    }

    fn clear(&mut self) {
        self.kinds.clear();
        self.words.clear();
        self.v6.clear();
    }
}

/// Text as codes into a dictionary of the column; code 0 is "no value".
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    codes: Vec<u32>,
    dictionary: Arc<Dictionary>,
}

impl TextColumn {
    /// The code of each row: 0 for none, else one more than the index into [`dictionary`](Self::dictionary).
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The distinct texts, in the order of their first use.
    pub fn dictionary(&self) -> &[Text] {
        self.dictionary.texts()
    }

    /// The text of a code.
    pub fn text(&self, code: u32) -> Option<&Text> {
        self.dictionary().get((code as usize).checked_sub(1)?)
    }

    /// The text of a row.
    pub fn get(&self, row: usize) -> Option<&Text> {
        self.text(*self.codes.get(row)?)
    }

    /// Rows held.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Bytes of the distinct texts.
    pub fn text_bytes(&self) -> usize {
        self.dictionary.bytes()
    }

    /// Bytes of memory that the distinct texts take, about.
    pub(crate) fn text_memory(&self) -> usize {
        self.dictionary.memory()
    }

    /// The code of a text, which is added to the dictionary if it is new.
    pub fn code(&mut self, text: &str) -> u32 {
        match self.dictionary.code(text) {
            Some(code) => code,
            None => Arc::make_mut(&mut self.dictionary).add(Text::from(text)),
        }
    }

    /// The code of a text of another column, with which it is shared if it is new here.
    pub(super) fn shared_code(&mut self, text: &Text) -> u32 {
        match self.dictionary.code(text) {
            Some(code) => code,
            None => Arc::make_mut(&mut self.dictionary).add(Text::clone(text)),
        }
    }

    /// Whether the dictionary has the texts of the rows, in the order of their first use, and no others: a column that
    /// shares its dictionary may use a part of it.
    pub(super) fn is_compact(&self) -> bool {
        let used = self.codes.iter().try_fold(0, |used, &code| match code {
            code if code <= used => Some(used),
            code => (code == used + 1).then_some(code),
        });
        used.is_some_and(|used| used as usize == self.dictionary().len())
    }

    /// Whether the dictionary has a text.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.dictionary.code(text).is_some()
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: Option<&str>) {
        let code = text.map_or(0, |text| self.code(text));
        self.codes.push(code);
    }

    /// Adds rows. Text that is the same as in the row before costs a comparison at most, and no look-up.
    pub(super) fn extend<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) {
        let (mut before, mut code) = (None::<&str>, 0);
        for text in texts {
            let place = |text: Option<&str>| text.map(|text| text.as_bytes().as_ptr_range());
            if place(text) != place(before) && text != before {
                (before, code) = (text, text.map_or(0, |text| self.code(text)));
            }
            self.codes.push(code);
        }
    }

    /// Adds rows whose texts are ASCII; any other bytes are no value. One of the last two texts costs no look-up: many columns
    /// have not more.
    pub(super) fn extend_ascii<'a>(&mut self, texts: impl Iterator<Item = Option<&'a [u8]>>) {
        let (mut last, mut before) = ((&[][..], 0), (&[][..], 0));
        for text in texts {
            let code = match text {
                None => 0,
                Some(text) if text == last.0 => last.1,
                Some(text) if text == before.0 => before.1,
                Some(text) => {
                    let code = text.is_ascii().then(|| std::str::from_utf8(text).ok()).flatten();
                    (before, last) = (last, (text, code.map_or(0, |text| self.code(text))));
                    last.1
                }
            };
            self.codes.push(code);
        }
    }

    /// Adds a row whose text is given as bytes; `false` if they were not UTF-8 and had to be replaced in part.
    ///
    /// Text that is the same as in the row before costs a comparison and no look-up.
    pub fn push_bytes(&mut self, text: &[u8]) -> bool {
        if let Some(&code) = self.codes.last()
            && self.text(code).is_some_and(|known| known.as_bytes() == text)
        {
            self.codes.push(code);
            return true;
        }
        let valid = std::str::from_utf8(text);
        match valid {
            Ok(text) => self.push(Some(text)),
            Err(_) => self.push(Some(&String::from_utf8_lossy(text))),
        }
        valid.is_ok()
    }

    /// Adds a row with a code that [`code`](Self::code) returned; an unknown code is no value.
    pub fn push_code(&mut self, code: u32) {
        self.codes.push(if code as usize <= self.dictionary().len() { code } else { 0 });
    }

    /// Replaces all rows by codes of this dictionary that `fill` writes.
    pub(crate) fn refill(&mut self, dictionary: &Arc<Dictionary>, fill: impl FnOnce(&mut Vec<u32>)) {
        self.codes.clear();
        self.dictionary = Arc::clone(dictionary);
        fill(&mut self.codes);
    }

    pub(super) fn fill(&mut self, len: usize, text: &str) {
        self.pad(len);
        let code = self.code(text);
        self.codes.iter_mut().filter(|code| **code == 0).for_each(|slot| *slot = code);
    }

    pub(super) fn pad(&mut self, len: usize) {
        while self.codes.len() < len {
            self.codes.push(0);
        }
    }

    fn clear(&mut self) {
        self.codes.clear();
        match Arc::get_mut(&mut self.dictionary) {
            Some(dictionary) => dictionary.clear(),
            None => self.dictionary = Arc::default(),
        }
    }
}

/// The values of one field.
#[derive(Debug, Clone)]
pub enum Column {
    /// Numbers.
    Number(NumberColumn),
    /// Times.
    Time(TimeColumn),
    /// Addresses.
    Addr(AddrColumn),
    /// Text.
    Text(TextColumn),
}

impl Column {
    /// An empty column for this field.
    pub fn new(field: Field) -> Self {
        match field.kind().storage() {
            Storage::Number => Self::Number(NumberColumn::default()),
            Storage::Time => Self::Time(TimeColumn::default()),
            Storage::Addr => Self::Addr(AddrColumn::default()),
            Storage::Text => Self::Text(TextColumn::default()),
        }
    }

    /// Rows held.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Number(column) => column.len(),
            Self::Time(column) => column.len(),
            Self::Addr(column) => column.len(),
            Self::Text(column) => column.len(),
        }
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the distinct texts; 0 for columns that hold something else.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Text(column) => column.text_bytes(),
            Self::Number(_) | Self::Time(_) | Self::Addr(_) => 0,
        }
    }

    /// Bytes of memory that distinct texts take, about.
    pub(crate) fn text_memory(&self) -> usize {
        match self {
            Self::Text(column) => column.text_memory(),
            Self::Number(_) | Self::Time(_) | Self::Addr(_) => 0,
        }
    }

    /// Whether no row has a value.
    pub(crate) fn is_absent(&self) -> bool {
        match self {
            Self::Number(column) => column.present.count() == 0,
            Self::Time(column) => column.present.count() == 0,
            Self::Addr(column) => column.kinds.iter().all(|kind| *kind == 0),
            Self::Text(column) => column.codes.iter().all(|code| *code == 0),
        }
    }

    /// The value of a row.
    pub fn value(&self, row: usize) -> Value {
        match self {
            Self::Number(column) => column.get(row).into(),
            Self::Time(column) => column.get(row).map(Timestamp::from_nanos).into(),
            Self::Addr(column) => column.get(row).into(),
            Self::Text(column) => {
                column.get(row).map_or(Value::Absent, |text| Value::Text(Text::clone(text)))
            }
        }
    }

    /// Adds a row; a value of another type than the column's counts as absent.
    pub fn push(&mut self, value: &Value) {
        match self {
            Self::Number(column) => column.push(value.number()),
            Self::Time(column) => column.push(value.time().map(Timestamp::as_nanos)),
            Self::Addr(column) => column.push(value.addr()),
            Self::Text(column) => column.push(value.text()),
        }
    }

    /// Adds all rows of another column as a whole; `false`, and nothing added, where it has to be done by row.
    pub(super) fn append_all(&mut self, from: &Self) -> bool {
        match (self, from) {
            (Self::Number(to), Self::Number(from)) => to.append_all(from),
            (Self::Time(to), Self::Time(from)) => to.append_all(from),
            (Self::Addr(to), Self::Addr(from)) => to.append_all(from),
            _ => return false,
        }
        true
    }

    pub(super) fn pad(&mut self, len: usize) {
        match self {
            Self::Number(column) => column.pad(len),
            Self::Time(column) => column.pad(len),
            Self::Addr(column) => column.pad(len),
            Self::Text(column) => column.pad(len),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Number(column) => column.clear(),
            Self::Time(column) => column.clear(),
            Self::Addr(column) => column.clear(),
            Self::Text(column) => column.clear(),
        }
    }
}
