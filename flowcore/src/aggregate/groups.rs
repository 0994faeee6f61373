//! The groups of an aggregation: those whose keys are integers in one table, the others in another one, each with what is
//! kept of its first record.

use std::cmp::Ordering;

use super::counters::{CounterColumns, Counters};
use super::direction::{Starts, turned_part};
use super::first::{Firsts, Keep};
use super::group::{MAX_ROWS, Table};
use super::key::{Cell, Cells, Key, KeyShape, Packed, code_of, encode};
use crate::batch::{Dictionary, FlowBatch, Mask};
use crate::record::{FieldSet, Value};

/// Groups by key.
#[derive(Debug)]
pub(super) struct Groups {
    shape: KeyShape,
    pub(super) texts: Dictionary,
    packed: PackedTable,
    packed_firsts: Firsts,
    /// Groups whose keys are no integers.
    others: Table<Box<[u8]>>,
    /// What those keys take beside their rows.
    other_key_bytes: usize,
    other_firsts: Firsts,
    /// When the two ways of these groups began; only where groups have ways.
    other_starts: Vec<Starts>,
    keep: Keep,
    max_groups: usize,
}

/// Groups whose keys are integers, of the size that the fields need.
#[derive(Debug)]
enum PackedTable {
    Narrow(Table<u64>),
    Wide(Table<u128>),
    /// The fields do not fit.
    None,
}

/// Where a group is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    row: u32,
    is_packed: bool,
}

/// The records that are counted by one key.
pub(super) struct Records<'a> {
    pub(super) batch: &'a FlowBatch,
    pub(super) columns: &'a CounterColumns<'a>,
    pub(super) cells: &'a [Cells<'a>],
    pub(super) rows: &'a [u32],
    /// Rows whose key and counters are those of the other way.
    pub(super) turned: &'a Mask,
}

/// There would be more groups than may be held.
pub(super) struct Full;

impl Groups {
    pub(super) fn new(shape: KeyShape) -> Self {
        let packed = match shape.bits() {
            0..=64 => PackedTable::Narrow(Table::new()),
            65..=128 => PackedTable::Wide(Table::new()),
            _ => PackedTable::None,
        };
        Self {
            shape,
            texts: Dictionary::default(),
            packed,
            packed_firsts: Firsts::default(),
            others: Table::new(),
            other_key_bytes: 0,
            other_firsts: Firsts::default(),
            other_starts: Vec::new(),
            keep: Keep::default(),
            max_groups: MAX_ROWS,
        }
    }

    /// Says what to keep of first records, before there are any.
    pub(super) fn keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    pub(super) fn set_max(&mut self, groups: usize) {
        self.max_groups = groups.min(MAX_ROWS);
    }

    pub(super) fn max(&self) -> usize {
        self.max_groups
    }

    pub(super) fn len(&self) -> usize {
        self.packed.len() + self.others.rows().len()
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        let packed = match &self.packed {
            PackedTable::Narrow(table) => table.memory(),
            PackedTable::Wide(table) => table.memory(),
            PackedTable::None => 0,
        };
        let keys = self.other_key_bytes + self.others.memory();
        let texts = self.texts.bytes() + self.texts.texts().len() * BYTES_OF_A_TEXT;
        let starts = self.other_starts.capacity() * size_of::<Starts>();
        packed + keys + texts + starts + self.packed_firsts.memory() + self.other_firsts.memory()
    }

    /// Counts records.
    ///
    /// # Errors
    /// When there are more groups than may be held. What was counted so far is a part of the rows.
    pub(super) fn add(&mut self, records: &Records<'_>) -> Result<(), Full> {
        let room = self.max_groups.saturating_sub(self.others.rows().len());
        let mut fresh = Vec::new();
        let unpacked = match &mut self.packed {
            PackedTable::Narrow(table) => add_packed(table, &self.shape, records, room, &mut fresh),
            PackedTable::Wide(table) => add_packed(table, &self.shape, records, room, &mut fresh),
            PackedTable::None => Ok(records.rows.to_vec()),
        };
        self.packed_firsts.add(records.batch, &fresh, records.turned, self.keep);
        fresh.clear();
        let added = self.add_others(records, &unpacked?, &mut fresh);
        self.other_firsts.add(records.batch, &fresh, records.turned, self.keep);
        added
    }

    /// Adds the groups of another aggregation by keys of the same shape.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn merge(&mut self, other: &Self) -> Result<(), Full> {
        let codes: Vec<u32> = other.texts.texts().iter().map(|text| code_of(text, &mut self.texts)).collect();
        let mut key = Vec::new();
        for is_packed in [true, false] {
            let mut fresh = Vec::new();
            let mut places = other.places().filter(|place| place.is_packed == is_packed);
            let added = places.try_for_each(|place| {
                let (mut cells, before): (Vec<Cell>, _) =
                    (other.shape.cells(other.key(place)).collect(), self.len());
                self.shape.recode(&mut cells, &codes);
                let added = self.add_group(&cells, other.counters(place), &mut key);
                if let (Ok(Some(row)), Some(starts)) = (&added, other.starts(place)) {
                    self.note_starts(*row, starts);
                }
                fresh.extend((self.len() > before).then_some(place.row));
                added.map(|_| ())
            });
            let (own, others) = match is_packed {
                true => (&mut self.packed_firsts, &other.packed_firsts),
                false => (&mut self.other_firsts, &other.other_firsts),
            };
            own.merge(others, &fresh, self.keep);
            added?;
        }
        Ok(())
    }

    /// Every group, those with packed keys first.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        let rows = |count: usize| 0..u32::try_from(count).unwrap_or(u32::MAX);
        let packed = rows(self.packed.len()).map(|row| Place { row, is_packed: true });
        packed.chain(rows(self.others.rows().len()).map(|row| Place { row, is_packed: false }))
    }

    pub(super) fn counters(&self, place: Place) -> &Counters {
        let counters = match (place.is_packed, &self.packed) {
            (true, PackedTable::Narrow(table)) => table.row(place.row).map(|row| &row.counters),
            (true, PackedTable::Wide(table)) => table.row(place.row).map(|row| &row.counters),
            _ => self.others.row(place.row).map(|row| &row.counters),
        };
        counters.unwrap_or(&Counters::NONE)
    }

    pub(super) fn values(&self, place: Place) -> Vec<Value> {
        self.shape.values(self.key(place), &self.texts)
    }

    /// Whether the first record of a group went from the larger end to the smaller one.
    pub(super) fn is_turned(&self, place: Place) -> bool {
        self.firsts(place).is_turned(place.row)
    }

    /// When the two ways of a group began, that from the smaller end first. Known of groups with long keys, as those of
    /// cloud logs are.
    pub(super) fn starts(&self, place: Place) -> Option<Starts> {
        let starts = self.other_starts.get(place.row as usize).copied();
        starts.filter(|_| !place.is_packed)
    }

    /// The batch and the row that have what is kept of the first record of a group.
    pub(super) fn first(&self, place: Place) -> (&FlowBatch, usize) {
        (self.firsts(place).rows(), place.row as usize)
    }

    /// The fields that some first record has.
    pub(super) fn first_fields(&self) -> FieldSet {
        self.packed_firsts.rows().fields().union(self.other_firsts.rows().fields())
    }

    /// Groups in the order of their values.
    pub(super) fn compare(&self, a: Place, b: Place) -> Ordering {
        self.shape.compare(self.key(a), self.key(b), &self.texts)
    }

    fn firsts(&self, place: Place) -> &Firsts {
        if place.is_packed { &self.packed_firsts } else { &self.other_firsts }
    }

    fn add_others(&mut self, records: &Records<'_>, rows: &[u32], fresh: &mut Vec<u32>) -> Result<(), Full> {
        let mut key = Vec::new();
        for &row in rows {
            encode(records.key(row), &mut key);
            let (before, counters) = (self.others.rows().len(), records.counters(row));
            let group = self.add_other(&key, &counters)?;
            if self.keep.turns {
                let is_turned = records.turned.get(row as usize);
                self.note_starts(group, Starts::of(counters.first(), is_turned));
            }
            fresh.extend((self.others.rows().len() > before).then_some(row));
        }
        Ok(())
    }

    fn note_starts(&mut self, group: u32, starts: Starts) {
        let group = group as usize;
        if group >= self.other_starts.len() {
            self.other_starts.resize(group + 1, Starts::NONE);
        }
        self.other_starts.iter_mut().skip(group).take(1).for_each(|known| known.merge(starts));
    }

    /// Adds the counters of a group of another aggregation; its row if its key is long.
    fn add_group(
        &mut self,
        cells: &[Cell],
        counters: &Counters,
        key: &mut Vec<u8>,
    ) -> Result<Option<u32>, Full> {
        let room = self.max_groups.saturating_sub(self.others.rows().len());
        let cells = || cells.iter().copied();
        let packed = match &mut self.packed {
            PackedTable::Narrow(table) => {
                self.shape.pack(cells()).map(|key: u64| table.add(&key, room, counters, || key))
            }
            PackedTable::Wide(table) => {
                self.shape.pack(cells()).map(|key: u128| table.add(&key, room, counters, || key))
            }
            PackedTable::None => None,
        };
        match packed {
            Some(Some(_)) => Ok(None),
            Some(None) => Err(Full),
            None => {
                encode(cells(), key);
                self.add_other(key, counters).map(Some)
            }
        }
    }

    fn add_other(&mut self, key: &[u8], counters: &Counters) -> Result<u32, Full> {
        let room = self.max_groups.saturating_sub(self.packed.len());
        let bytes = &mut self.other_key_bytes;
        let added = self.others.add(key, room, counters, || {
            *bytes += key.len() + BYTES_OF_AN_ALLOCATION;
            key.into()
        });
        added.ok_or(Full)
    }

    fn key(&self, place: Place) -> Key<'_> {
        match &self.packed {
            PackedTable::Narrow(table) if place.is_packed => {
                Key::Packed(table.row(place.row).map_or(0, |row| row.key.to_u128()))
            }
            PackedTable::Wide(table) if place.is_packed => {
                Key::Packed(table.row(place.row).map_or(0, |row| row.key))
            }
            _ => Key::Bytes(self.others.row(place.row).map_or(&[], |row| &row.key)),
        }
    }
}

impl Records<'_> {
    /// What the key of a row is made of.
    #[inline]
    fn key(&self, row: u32) -> impl Iterator<Item = Cell> {
        let row = row as usize;
        let is_turned = self.turned.get(row);
        (0..self.cells.len()).map(move |part| {
            let part = if is_turned { turned_part(part) } else { part };
            self.cells.get(part).map_or(Cell::Absent, |cells| cells.cell(row))
        })
    }

    /// The packed keys of rows, and the rows whose values cannot be packed.
    fn pack<K: Packed>(&self, shape: &KeyShape) -> (Vec<(K, u32)>, Vec<u32>) {
        let (mut keys, mut others) = (Vec::with_capacity(self.rows.len()), Vec::new());
        for &row in self.rows {
            match shape.pack::<K>(self.key(row)) {
                Some(key) => keys.push((key, row)),
                None => others.push(row),
            }
        }
        (keys, others)
    }

    #[inline]
    fn counters(&self, row: u32) -> Counters {
        let counters = self.columns.row(row as usize);
        if self.turned.get(row as usize) { counters.turned() } else { counters }
    }
}

impl PackedTable {
    fn len(&self) -> usize {
        match self {
            Self::Narrow(table) => table.rows().len(),
            Self::Wide(table) => table.rows().len(),
            Self::None => 0,
        }
    }
}

/// Counts the rows whose keys can be packed and returns the others.
fn add_packed<K: Packed>(
    table: &mut Table<K>,
    shape: &KeyShape,
    records: &Records<'_>,
    room: usize,
    fresh: &mut Vec<u32>,
) -> Result<Vec<u32>, Full> {
    let (keys, others) = match records.turned.count() {
        0 => shape.pack_rows::<K>(records.cells, records.rows),
        _ => records.pack::<K>(shape),
    };
    let counted = table.add_rows(&keys, room, fresh, |row| records.counters(row));
    if counted == keys.len() { Ok(others) } else { Err(Full) }
}

/// What the allocator adds to a key of bytes.
const BYTES_OF_AN_ALLOCATION: usize = 16;

/// What a text takes beside its bytes: counts of its users, its places in both parts of the dictionary, and the slack of these.
const BYTES_OF_A_TEXT: usize = 96;
