//! A share of the groups of an aggregation: those whose keys are integers in one table, the others in another one, each with
//! what is kept of its first record.

use super::counters::Counters;
use super::direction::Starts;
use super::first::Firsts;
use super::group::{Keyed, Table};
use super::groups::{Full, Records};
use super::key::{Key, KeyShape, Packed};

/// Groups by key.
#[derive(Debug)]
pub(super) struct Share {
    /// Which one.
    number: u32,
    pub(super) packed: PackedTable,
    pub(super) packed_firsts: Firsts,
    /// Groups whose keys are no integers.
    others: Table<Box<[u8]>>,
    /// What those keys take beside their rows.
    other_key_bytes: usize,
    pub(super) other_firsts: Firsts,
    /// When the two ways of these groups began; only where groups have ways.
    other_starts: Vec<Starts>,
}

/// Groups whose keys are integers, of the size that the fields need.
#[derive(Debug)]
pub(super) enum PackedTable {
    Narrow(Table<u64>),
    Wide(Table<u128>),
    /// The fields do not fit.
    None,
}

/// A key that a table is for.
pub(super) trait Tabled: Packed {
    /// The table of such keys.
    fn table(tables: &mut PackedTable) -> Option<&mut Table<Self>>;
}

impl Tabled for u64 {
    fn table(tables: &mut PackedTable) -> Option<&mut Table<Self>> {
        if let PackedTable::Narrow(table) = tables { Some(table) } else { None }
    }
}

impl Tabled for u128 {
    fn table(tables: &mut PackedTable) -> Option<&mut Table<Self>> {
        if let PackedTable::Wide(table) = tables { Some(table) } else { None }
    }
}

impl Share {
    /// The share of this number, without groups.
    pub(super) fn new(number: u32, shape: &KeyShape) -> Self {
        let packed = match shape.bits() {
            0..=64 => PackedTable::Narrow(Table::new()),
            65..=128 => PackedTable::Wide(Table::new()),
            _ => PackedTable::None,
        };
        Self {
            number,
            packed,
            packed_firsts: Firsts::default(),
            others: Table::new(),
            other_key_bytes: 0,
            other_firsts: Firsts::default(),
            other_starts: Vec::new(),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Groups of either kind.
    pub(super) fn len(&self, is_packed: bool) -> usize {
        match (&self.packed, is_packed) {
            (_, false) => self.others.len(),
            (PackedTable::Narrow(table), true) => table.len(),
            (PackedTable::Wide(table), true) => table.len(),
            (PackedTable::None, true) => 0,
        }
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        let packed = match &self.packed {
            PackedTable::Narrow(table) => table.memory(),
            PackedTable::Wide(table) => table.memory(),
            PackedTable::None => 0,
        };
        let keys = self.other_key_bytes + self.others.memory();
        let starts = self.other_starts.capacity() * size_of::<Starts>();
        packed + keys + starts + self.packed_firsts.memory() + self.other_firsts.memory()
    }

    pub(super) fn counters(&self, row: u32, is_packed: bool) -> Counters {
        let counters = match (is_packed, &self.packed) {
            (true, PackedTable::Narrow(table)) => table.counters(row),
            (true, PackedTable::Wide(table)) => table.counters(row),
            _ => self.others.counters(row),
        };
        counters.unwrap_or_default()
    }

    pub(super) fn key(&self, row: u32, is_packed: bool) -> Key<'_> {
        match &self.packed {
            PackedTable::Narrow(table) if is_packed => {
                Key::Packed(table.key(row).map_or(0, |key| key.to_u128()))
            }
            PackedTable::Wide(table) if is_packed => Key::Packed(table.key(row).copied().unwrap_or(0)),
            _ => Key::Bytes(self.others.key(row).map_or(&[], |key| key)),
        }
    }

    pub(super) fn firsts(&self, is_packed: bool) -> &Firsts {
        if is_packed { &self.packed_firsts } else { &self.other_firsts }
    }

    pub(super) fn starts(&self, row: u32) -> Option<Starts> {
        self.other_starts.get(row as usize).copied()
    }

    pub(super) fn note_starts(&mut self, row: u32, starts: Starts) {
        let row = row as usize;
        if row >= self.other_starts.len() {
            self.other_starts.resize(row + 1, Starts::NONE);
        }
        self.other_starts.iter_mut().skip(row).take(1).for_each(|known| known.merge(starts));
    }

    /// Counts records by packed keys; `fresh` becomes the rows that are first of a group. There may be `limit` such groups.
    pub(super) fn add_packed<K: Tabled>(
        &mut self,
        records: &Records<'_>,
        keys: &[Keyed<K>],
        limit: usize,
        fresh: &mut Vec<u32>,
    ) -> Result<(), Full> {
        let Some(table) = K::table(&mut self.packed) else { return Ok(()) };
        let counted = table.add_rows(keys, limit, fresh, |block, sums| records.fill(block, sums));
        if counted == keys.len() { Ok(()) } else { Err(Full) }
    }

    /// Counts what a packed key's group has counted elsewhere.
    pub(super) fn add_sums<K: Tabled>(
        &mut self,
        key: K,
        hash: u32,
        limit: usize,
        counters: &Counters,
    ) -> Result<(), Full> {
        let Some(table) = K::table(&mut self.packed) else { return Ok(()) };
        table.add(&key, hash, limit, counters, || key).map(drop).ok_or(Full)
    }

    /// Counts a record or partial sum by a key of bytes; the row of its group.
    pub(super) fn add_other(
        &mut self,
        key: &[u8],
        hash: u32,
        limit: usize,
        counters: &Counters,
    ) -> Result<u32, Full> {
        let bytes = &mut self.other_key_bytes;
        let added = self.others.add(key, hash, limit, counters, || {
            *bytes += key.len() + BYTES_OF_AN_ALLOCATION;
            key.into()
        });
        added.ok_or(Full)
    }
}

/// What the allocator adds to a key of bytes.
const BYTES_OF_AN_ALLOCATION: usize = 16;
