//! The records of a decompressed block, and where the elements of a flow record are.
//!
//! Most flow records of a file have the same elements of the same lengths: a [`Layout`]. Only the first record of a
//! layout is taken apart; of the others it is enough to see that they have it too.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::bytes::{u16_at, u32_at};
use super::elements::{ELEMENTS, HOLE, Size};
use super::unknown::UnknownPart;
use crate::error::{Error, Result};

/// Kinds of records, by their number in the file.
pub(super) struct RecordType;

impl RecordType {
    pub(super) const FLOW: u16 = 11;
    pub(super) const IDENT: u16 = 0x8001;
    pub(super) const STATISTICS: u16 = 0x8002;

    /// Whether records of this kind are understood and hold no flows: exporters and their statistics, samplers, lists
    /// of names, filler, and those of an appendix.
    pub(super) fn is_known_beside_flows(kind: u16) -> bool {
        matches!(kind, 7..=9 | 12..=15 | 256 | Self::IDENT | Self::STATISTICS)
    }
}

/// A record of any kind.
pub(super) struct RawRecord<'a> {
    pub(super) kind: u16,
    /// Where it starts in the block.
    pub(super) at: usize,
    /// All of it, type and length included.
    pub(super) bytes: &'a [u8],
}

/// The records of a block one after the other.
pub(super) struct Records<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// The next record; `None` at the end of the block.
    ///
    /// # Errors
    /// When its length cannot be: nothing behind it can be found, and nothing more comes.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<RawRecord<'a>>> {
        let (at, rest) = (self.at, self.data.get(self.at..).unwrap_or_default());
        if rest.is_empty() {
            return Ok(None);
        }
        let size = u16_at(rest, 2).map_or(0, usize::from);
        match (u16_at(rest, 0), rest.get(..size)) {
            (Some(kind), Some(bytes)) if size >= 4 => {
                self.at += size;
                Ok(Some(RawRecord { kind, at, bytes }))
            }
            _ => {
                self.at = self.data.len();
                Err(Error::damaged(format!("states a length of {size} bytes, {} are left", rest.len())))
            }
        }
    }
}

/// Where the elements of a flow record are.
#[derive(Debug)]
pub(super) struct Layout {
    /// Number and length of each element as they stand at these places: what makes a record one of this layout.
    marks: Vec<(usize, u32)>,
    /// Length of the record and number of elements, as they stand in its header.
    head: [u16; 2],
    /// Where the data of each row of [`ELEMENTS`] is in the record; 0 for none.
    places: Places,
    /// Elements that are not used, or not in full.
    unused: Vec<UnknownPart>,
    /// Records since they were last counted.
    records: u64,
}

/// For each row of [`ELEMENTS`] where its data is in a record, 0 for none.
pub(super) type Places = [u16; ELEMENT_COUNT];

/// Rows of [`ELEMENTS`].
pub(super) const ELEMENT_COUNT: usize = ELEMENTS.len();

/// Bytes of a flow record in front of its first element.
pub(super) const FLOW_HEADER: usize = 12;
/// Bytes of number and length in front of the data of an element.
const ELEMENT_HEADER: usize = 4;

/// More elements than a flow record can have. No version of nfdump knows more than 43, and 1.7 refuses records with more
/// than it knows.
const MAX_ELEMENTS: u16 = 128;

/// Why a flow record has no layout.
pub(super) fn fault(record: &[u8]) -> String {
    match u16_at(record, 4) {
        Some(count) if count > MAX_ELEMENTS => {
            format!("it states {count} elements, more than the {MAX_ELEMENTS} that are read")
        }
        _ => "the lengths of its elements do not add up".to_owned(),
    }
}

impl Layout {
    /// The layout with these marks.
    fn new(head: [u16; 2], marks: &[(usize, u32)]) -> Self {
        let mut layout =
            Self { marks: marks.to_vec(), head, places: [0; ELEMENT_COUNT], unused: Vec::new(), records: 0 };
        marks.iter().for_each(|&(at, mark)| layout.add(at + ELEMENT_HEADER, mark));
        layout
    }

    fn add(&mut self, data: usize, mark: u32) {
        let (id, len) = (id_of(mark), len_of(mark).saturating_sub(ELEMENT_HEADER));
        if id == HOLE {
            return;
        }
        let known = ELEMENTS.iter().enumerate().filter(|(_, element)| element.id == id);
        // Of two rows with a number, the longer one that fits.
        let fitting = known.clone().filter(|(_, element)| element.size.least() <= len);
        let Some((row, element)) = fitting.max_by_key(|(_, element)| element.size.least()) else {
            let is_known = known.count() > 0;
            return self.unused.push(if is_known {
                UnknownPart::TooShort(id)
            } else {
                UnknownPart::Element(id)
            });
        };
        match (self.places.get_mut(row), u16::try_from(data)) {
            (Some(place @ 0), Ok(data)) => *place = data,
            _ => return self.unused.push(UnknownPart::Twice(id)),
        }
        if matches!(element.size, Size::Fixed(size) if size < len) {
            self.unused.push(UnknownPart::EndOf(id));
        }
    }

    #[inline]
    fn fits(&self, head: [u16; 2], record: &[u8]) -> bool {
        self.head == head && self.marks.iter().all(|&(at, mark)| u32_at(record, at) == Some(mark))
    }

    /// Where the data of each element is.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }
}

/// The layouts met so far.
#[derive(Debug)]
pub(super) struct Layouts {
    layouts: Vec<Layout>,
    by_marks: HashMap<Vec<(usize, u32)>, u32, foldhash::fast::FixedState>,
    /// The last layout met with this length and number of elements, by their hash.
    recent: [u32; RECENT],
    /// Marks of the record that is taken apart.
    marks: Vec<(usize, u32)>,
}

const RECENT: usize = 64;

/// Layouts that are kept; files have a few, or one for each length of payloads.
const MAX_LAYOUTS: usize = 1024;

impl Default for Layouts {
    fn default() -> Self {
        Self { layouts: Vec::new(), by_marks: HashMap::default(), recent: [0; RECENT], marks: Vec::new() }
    }
}

impl Layouts {
    /// The layout of a flow record, as a number for [`get`](Self::get); `None` if it is a bad record,
    /// for which there is a [`fault`].
    #[inline]
    pub(super) fn of(&mut self, record: &[u8]) -> Option<u32> {
        let head = [u16_at(record, 2)?, u16_at(record, 4)?];
        let slot = (usize::from(head[0] / 4) + 11 * usize::from(head[1])) % RECENT;
        let mut number = self.recent.get(slot).copied().unwrap_or(0);
        if !self.get(number).is_some_and(|layout| layout.fits(head, record)) {
            number = self.take_apart(head, record)?;
            if let Some(recent) = self.recent.get_mut(slot) {
                *recent = number;
            }
        }
        if let Some(layout) = self.layouts.get_mut(number as usize) {
            layout.records += 1;
        }
        Some(number)
    }

    /// The layout with this number.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Layout> {
        self.layouts.get(number as usize)
    }

    /// Which rows of [`ELEMENTS`] some record has data for, of those met since [`count_unused`](Self::count_unused).
    pub(super) fn rows_in_use(&self) -> [bool; ELEMENT_COUNT] {
        let mut rows = [false; ELEMENT_COUNT];
        for layout in self.layouts.iter().filter(|layout| layout.records > 0) {
            rows.iter_mut().zip(&layout.places).for_each(|(in_use, place)| *in_use |= *place != 0);
        }
        rows
    }

    /// Adds how often each element was not used, by what it is, since this was last asked.
    pub(super) fn count_unused(&mut self, into: &mut BTreeMap<UnknownPart, u64>) {
        for layout in &mut self.layouts {
            let records = std::mem::take(&mut layout.records);
            for part in layout.unused.iter().filter(|_| records > 0) {
                *into.entry(*part).or_default() += records;
            }
        }
    }

    /// Forgets layouts if there are very many; their numbers mean nothing afterwards. What was not used must have been
    /// counted.
    pub(super) fn limit(&mut self) {
        if self.layouts.len() > MAX_LAYOUTS {
            *self = Self::default();
        }
    }

    fn take_apart(&mut self, head: [u16; 2], record: &[u8]) -> Option<u32> {
        if head[1] > MAX_ELEMENTS {
            return None;
        }
        self.marks.clear();
        let mut at = FLOW_HEADER;
        for _ in 0..head[1] {
            let mark = u32_at(record, at)?;
            self.marks.push((at, mark));
            at += Some(len_of(mark)).filter(|len| *len >= ELEMENT_HEADER)?;
        }
        if at != record.len() {
            return None;
        }
        if let Some(number) = self.by_marks.get(&self.marks) {
            return Some(*number);
        }
        let number = u32::try_from(self.layouts.len()).ok()?;
        self.layouts.push(Layout::new(head, &self.marks));
        self.by_marks.insert(self.marks.clone(), number);
        Some(number)
    }
}

fn id_of(mark: u32) -> u16 {
    let [low, high, ..] = mark.to_le_bytes();
    u16::from_le_bytes([low, high])
}

fn len_of(mark: u32) -> usize {
    let [.., low, high] = mark.to_le_bytes();
    usize::from(u16::from_le_bytes([low, high]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A flow record with elements of these numbers and lengths of data.
    fn flow(elements: &[(u16, usize)]) -> Vec<u8> {
        let mut body = Vec::new();
        for &(id, len) in elements {
            body.extend(id.to_le_bytes());
            body.extend(u16::try_from(len + 4).unwrap().to_le_bytes());
            body.extend(std::iter::repeat_n(0xee, len));
        }
        let mut record = Vec::new();
        let count = u16::try_from(elements.len()).unwrap();
        for number in [RecordType::FLOW, u16::try_from(12 + body.len()).unwrap(), count, 0, 0, 0] {
            record.extend(number.to_le_bytes());
        }
        record.extend(body);
        record
    }

    fn row(id: u16, least: usize) -> usize {
        ELEMENTS.iter().position(|e| e.id == id && e.size.least() == least).unwrap()
    }

    #[test]
    fn elements_are_found_by_number_and_length() {
        let mut layouts = Layouts::default();
        let record = flow(&[(2, 8), (0, 6), (1, 48), (18, 12), (25, 24)]);
        let number = layouts.of(&record).unwrap();
        let places = *layouts.get(number).unwrap().places();
        assert_eq!(places[row(2, 8)], 16);
        assert_eq!(places[row(1, 48)], 38);
        assert_eq!(places[row(18, 12)], 90);
        assert_eq!(places[row(18, 16)], 0);
        assert_eq!((places[row(25, 24)], places[row(25, 16)]), (106, 0));
        let in_use = layouts.rows_in_use();
        assert!(in_use[row(2, 8)] && !in_use[row(3, 32)]);
        assert_eq!(layouts.of(&record), Some(number));
    }

    #[test]
    fn what_is_not_used_is_counted_by_record() {
        let mut layouts = Layouts::default();
        let odd = flow(&[(60, 4), (2, 4), (5, 24), (5, 24), (6, 12)]);
        for record in [&odd, &flow(&[(2, 8)]), &odd] {
            layouts.of(record).unwrap();
        }
        let mut counts = BTreeMap::new();
        layouts.count_unused(&mut counts);
        let expected = [
            ("element 60", 2),
            ("element 2 that is too short", 2),
            ("element 5 that is there twice", 2),
            ("end of element 6", 2),
        ];
        assert_eq!(
            counts.iter().map(|(part, n)| (part.to_string(), *n)).collect::<Vec<_>>(),
            expected.map(|(what, n)| (what.to_owned(), n))
        );
        layouts.count_unused(&mut counts);
        assert_eq!(counts[&UnknownPart::Element(60)], 2);
    }

    #[test]
    fn a_row_is_in_use_as_long_as_records_have_it() {
        let mut layouts = Layouts::default();
        for (record, wide) in
            [(flow(&[(2, 8)]), false), (flow(&[(2, 8), (3, 32)]), true), (flow(&[(2, 8)]), false)]
        {
            layouts.of(&record).unwrap();
            assert_eq!((layouts.rows_in_use()[row(2, 8)], layouts.rows_in_use()[row(3, 32)]), (true, wide));
            layouts.count_unused(&mut BTreeMap::new());
        }
    }

    #[test]
    fn a_record_of_very_many_elements_is_bad() {
        let mut layouts = Layouts::default();
        let elements = vec![(60, 0); 129];
        assert!(layouts.of(&flow(&elements[..128])).is_some());
        assert_eq!(layouts.of(&flow(&elements)), None);
        assert_eq!(fault(&flow(&elements)), "it states 129 elements, more than the 128 that are read");
        assert_eq!(layouts.layouts.len(), 1);
    }

    #[test]
    fn few_layouts_are_kept() {
        let mut layouts = Layouts::default();
        for len in 0..=MAX_LAYOUTS {
            layouts.of(&flow(&[(29, len)])).unwrap();
            layouts.limit();
        }
        assert!(layouts.layouts.is_empty() && layouts.by_marks.is_empty());
    }

    #[test]
    fn lengths_must_add_up() {
        let mut layouts = Layouts::default();
        let good = flow(&[(1, 48), (2, 8)]);
        assert!(layouts.of(&good).is_some());
        for (at, value) in [(4, 1), (4, 3), (14, 3), (14, 53), (66, 0), (66, 13)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(layouts.of(&bad), None, "byte {at} is {value}");
        }
        assert_eq!(layouts.of(&[11, 0, 4, 0]), None);
    }

    #[test]
    fn two_layouts_of_one_length_are_told_apart() {
        let mut layouts = Layouts::default();
        let (one, other) = (flow(&[(6, 8), (7, 8)]), flow(&[(7, 8), (6, 8)]));
        let numbers: Vec<_> = [&one, &other, &one, &other].map(|record| layouts.of(record)).to_vec();
        assert_eq!(numbers, [Some(0), Some(1), Some(0), Some(1)]);
    }

    #[test]
    fn records_end_where_a_length_cannot_be() {
        let good = [&[7, 0, 8, 0, 1, 2, 3, 4][..], &[0, 1, 4, 0]].concat();
        let walk = |data: &[u8]| {
            let mut records = Records::new(data);
            let mut kinds = Vec::new();
            loop {
                match records.next() {
                    Ok(Some(record)) => kinds.push((record.kind, record.at, record.bytes.len())),
                    Ok(None) => return (kinds, true),
                    Err(_) => {
                        assert!(matches!(records.next(), Ok(None)));
                        return (kinds, false);
                    }
                }
            }
        };
        assert_eq!(walk(&good), (vec![(7, 0, 8), (256, 8, 4)], true));
        for end in [&[9][..], &[9, 0, 3, 0], &[9, 0, 5, 0], &[9, 0, 0, 0, 0]] {
            assert_eq!(walk(&[&good, end].concat()), (vec![(7, 0, 8), (256, 8, 4)], false));
        }
    }
}
