//! The hash table of groups: open addressing over a dense list of rows.
//!
//! A slot is eight bytes: half of a hash, and the number of a row. Rows are key and counters, in the order in which
//! the keys were first seen. So a lookup that misses reads one slot, one that hits a slot and a row; growing the table
//! moves slots only, in order, without a look at the rows. Keys come in blocks, so that the reads of a block, each of
//! which misses the cache when there are millions of groups, wait for memory together instead of one after the other.
//!
//! Half of the hash of a key is for the table, which [`Division`](super::division::Division) makes.

use std::borrow::Borrow;

use super::counters::Counters;
use super::pieces::Pieces;
use crate::large_pages;

/// One group.
#[derive(Debug)]
pub(super) struct Row<K> {
    pub(super) key: K,
    pub(super) counters: Counters,
}

/// Groups by key.
#[derive(Debug)]
pub(super) struct Table<K> {
    /// A power of two; the hash in the upper half and the row's number in the lower one, or [`FREE`].
    slots: Vec<u64>,
    /// The upper `32 - shift` bits of a hash say where its search begins.
    shift: u32,
    rows: Pieces<Row<K>>,
}

/// A record on its way into the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed<K> {
    pub(super) key: K,
    /// The row of the batch.
    pub(super) row: u32,
    pub(super) hash: u32,
}

/// Where a record of a block probably belongs.
#[derive(Debug, Clone, Copy, Default)]
struct Guess {
    row: u32,
    is_right: bool,
}

/// Keys whose memory is waited for together.
const BLOCK: usize = 32;

const FIRST_BITS: u32 = 10;

/// A slot without a row. Not 0: memory that is all zeros is not there before it is written, and that a page is read before it is
/// written makes the system stop all other threads for a moment.
const FREE: u64 = u64::MAX;

impl<K: Eq> Table<K> {
    pub(super) fn new() -> Self {
        Self { slots: vec![FREE; 1 << FIRST_BITS], shift: 32 - FIRST_BITS, rows: Pieces::default() }
    }

    /// Groups there are; they are numbered in the order of their first record.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of memory, without what keys point to.
    pub(super) fn memory(&self) -> usize {
        self.rows.memory() + self.slots.len() * size_of::<u64>()
    }

    /// The group with this number.
    pub(super) fn row(&self, row: u32) -> Option<&Row<K>> {
        self.rows.get(row)
    }

    /// Counts records; of each its key, and what `counters` says about its row. Rows that are the first of a group are
    /// added to `fresh`.
    ///
    /// Returns how many were counted: fewer than all only if the next one would be one group more than `limit`.
    pub(super) fn add_rows(
        &mut self,
        records: &[Keyed<K>],
        limit: usize,
        fresh: &mut Vec<u32>,
        counters: impl Fn(u32) -> Counters,
    ) -> usize
    where
        K: Copy,
    {
        let mut done = 0;
        for block in records.chunks(BLOCK) {
            let counted = self.add_block(block, limit, fresh, &counters);
            done += counted;
            if counted < block.len() {
                break;
            }
        }
        done
    }

    fn add_block(
        &mut self,
        block: &[Keyed<K>],
        limit: usize,
        fresh: &mut Vec<u32>,
        counters: impl Fn(u32) -> Counters,
    ) -> usize
    where
        K: Copy,
    {
        self.reserve(block.len());
        let mut found = [Guess::default(); BLOCK];
        for (guess, keyed) in found.iter_mut().zip(block) {
            let slot = self.slots.get((keyed.hash >> self.shift) as usize).copied().unwrap_or(FREE);
            guess.row = row_if(slot, keyed.hash);
        }
        for (guess, keyed) in found.iter_mut().zip(block) {
            if let Some(row) = self.rows.get(guess.row) {
                guess.is_right = row.key == keyed.key;
                // A row lies in two cache lines: this waits for the second one too.
                std::hint::black_box(row.counters.tail());
            }
        }
        for (at, (guess, &Keyed { key, row: record, hash })) in found.iter().zip(block).enumerate() {
            let known = if guess.is_right { self.rows.get_mut(guess.row) } else { None };
            let group = match known {
                Some(row) => Some(&mut row.counters),
                None => self.group(
                    hash,
                    limit,
                    |other| *other == key,
                    || {
                        fresh.push(record);
                        key
                    },
                ),
            };
            match group {
                Some(group) => group.add(&counters(record)),
                None => return at,
            }
        }
        block.len()
    }

    /// Counts one record or partial sum by a key of this hash, and returns the row of its group; `None` if it would be one group more than
    /// `limit`.
    pub(super) fn add<Q>(
        &mut self,
        key: &Q,
        hash: u32,
        limit: usize,
        counters: &Counters,
        make: impl FnOnce() -> K,
    ) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.reserve(1);
        let row = self.find(hash, limit, |other| other.borrow() == key, make)?;
        self.rows.get_mut(row)?.counters.add(counters);
        Some(row)
    }

    /// The counters of the group whose key `is` accepts, made if there is none.
    fn group(
        &mut self,
        hash: u32,
        limit: usize,
        is: impl Fn(&K) -> bool,
        make: impl FnOnce() -> K,
    ) -> Option<&mut Counters> {
        let row = self.find(hash, limit, is, make)?;
        self.rows.get_mut(row).map(|row| &mut row.counters)
    }

    /// The row of the group whose key `is` accepts, made if there is none.
    fn find(
        &mut self,
        hash: u32,
        limit: usize,
        is: impl Fn(&K) -> bool,
        make: impl FnOnce() -> K,
    ) -> Option<u32> {
        let last = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        // A slot is always free: no more than three of four are ever in use.
        loop {
            let slot = self.slots.get_mut(at)?;
            if *slot == FREE {
                if self.rows.len() >= limit.min(MAX_ROWS) {
                    return None;
                }
                let row = u32::try_from(self.rows.len()).ok()?;
                *slot = u64::from(hash) << 32 | u64::from(row);
                self.rows.push(Row { key: make(), counters: Counters::NONE });
                return Some(row);
            }
            let row = row_if(*slot, hash);
            if self.rows.get(row).is_some_and(|row| is(&row.key)) {
                return Some(row);
            }
            at = (at + 1) & last;
        }
    }

    /// Makes room for so many more groups.
    fn reserve(&mut self, more: usize) {
        while (self.rows.len() + more) / 3 >= self.slots.len() / 4 && self.shift > 0 {
            self.shift -= 1;
            let mut slots = Vec::with_capacity(self.slots.len() * 2);
            large_pages::ask_for(slots.spare_capacity_mut());
            slots.resize(self.slots.len() * 2, FREE);
            let last = slots.len() - 1;
            for &slot in self.slots.iter().filter(|&&slot| slot != FREE) {
                let mut at = (slot >> 32 >> self.shift) as usize;
                while slots[at & last] != FREE {
                    at += 1;
                }
                slots[at & last] = slot;
            }
            self.slots = slots;
        }
    }
}

/// The number of the row a slot points to if it is one of this hash, else one that no row has, as that of a free slot.
const fn row_if(slot: u64, hash: u32) -> u32 {
    let is_candidate = slot >> 32 == hash as u64;
    if is_candidate { slot as u32 } else { u32::MAX }
}

/// Rows that the largest table, of 2^32 slots, has room for.
pub(super) const MAX_ROWS: usize = 3 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Counters {
        let mut counters = Counters::NONE;
        let mut batch = crate::batch::FlowBatch::new();
        batch.end_row();
        counters.add(&super::super::counters::CounterColumns::of(&batch).row(0));
        counters
    }

    fn rows(table: &Table<u64>) -> Vec<&Row<u64>> {
        (0..table.len()).filter_map(|row| table.row(row as u32)).collect()
    }

    fn keyed(keys: impl IntoIterator<Item = (u64, u32)>) -> Vec<Keyed<u64>> {
        let hash = |key: u64| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32;
        keys.into_iter().map(|(key, row)| Keyed { key, row, hash: hash(key) }).collect()
    }

    #[test]
    fn every_key_has_one_group_however_the_table_grows() {
        let one = one();
        let mut table = Table::new();
        let keys = keyed((0..200_000_u64).map(|n| (n * n % 70_001, 0)));
        assert_eq!(table.add_rows(&keys, usize::MAX, &mut Vec::new(), |_| one), keys.len());
        let mut expected = std::collections::BTreeMap::new();
        keys.iter().for_each(|keyed| *expected.entry(keyed.key).or_insert(0) += 1);
        assert_eq!(table.len(), expected.len());
        for row in rows(&table) {
            assert_eq!(expected.get(&row.key), Some(&row.counters.flows()), "{}", row.key);
        }
        let first: Vec<u64> = rows(&table).iter().take(3).map(|row| row.key).collect();
        assert_eq!(first, [0, 1, 4], "groups stand in the order of their first record");
        let four = keyed([(4, 0)])[0].hash;
        assert_eq!(table.add(&4, four, usize::MAX, &one, || unreachable!("the key is known")), Some(2));
    }

    #[test]
    fn a_group_of_ipv4_keys_costs_no_more_than_a_hundred_bytes() {
        assert!(size_of::<Row<u64>>() <= 72);
        let mut table = Table::new();
        for part in 0..100_u64 {
            let keys = keyed((0..10_000).map(|n| (part * 10_000 + n, 0)));
            table.add_rows(&keys, usize::MAX, &mut Vec::new(), |_| Counters::NONE);
            let (bytes, groups) = (table.memory(), table.len());
            assert!(bytes / groups <= 104 || groups <= 10_000, "{bytes} bytes for {groups} groups");
        }
    }

    #[test]
    fn the_limit_stops_new_groups_only() {
        let mut table = Table::new();
        let keys = keyed([(1, 7), (2, 8), (1, 9), (2, 10), (3, 11), (1, 12)]);
        let mut fresh = Vec::new();
        assert_eq!(table.add_rows(&keys, 2, &mut fresh, |_| one()), 4);
        assert_eq!(fresh, [7, 8], "the first row of each group");
        assert_eq!(rows(&table).iter().map(|row| row.counters.flows()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(table.add(&9, 0, 2, &one(), || 9), None);
    }
}
