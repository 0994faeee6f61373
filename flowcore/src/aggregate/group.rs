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
use super::small::Small;

/// One group.
#[derive(Debug)]
struct Row<K> {
    key: K,
    sums: Small,
}

/// Groups by key.
#[derive(Debug)]
pub(super) struct Table<K> {
    /// A power of two; the hash in the upper half and the row's number in the lower one, or [`FREE`].
    slots: Vec<u64>,
    /// The upper `32 - shift` bits of a hash say where its search begins.
    shift: u32,
    rows: Pieces<Row<K>>,
    /// Sums that a row has no room for.
    wide: Vec<Counters>,
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

/// From so many bits on a table grows fourfold, which costs a third of the moves.
const LARGE_BITS: u32 = 16;

/// A slot without a row. Not 0: memory that is all zeros is not there before it is written, and that a page is read before it is
/// written makes the system stop all other threads for a moment.
const FREE: u64 = u64::MAX;

impl<K: Eq> Table<K> {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![FREE; 1 << FIRST_BITS],
            shift: 32 - FIRST_BITS,
            rows: Pieces::default(),
            wide: Vec::new(),
        }
    }

    /// Groups there are; they are numbered in the order of their first record.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of memory, without what keys point to.
    pub(super) fn memory(&self) -> usize {
        self.rows.memory()
            + self.wide.capacity() * size_of::<Counters>()
            + self.slots.len() * size_of::<u64>()
    }

    /// The key of the group with this number.
    pub(super) fn key(&self, row: u32) -> Option<&K> {
        self.rows.get(row).map(|row| &row.key)
    }

    /// What was counted for the group with this number.
    pub(super) fn counters(&self, row: u32) -> Option<Counters> {
        let sums = &self.rows.get(row)?.sums;
        match sums.wide() {
            Some(at) => self.wide.get(at).copied(),
            None => Some(sums.counters()),
        }
    }

    /// Counts records, some at a time: `fill` says what is to be added for each. Rows that are the first of a group are
    /// added to `fresh`.
    ///
    /// Returns how many were counted: fewer than all only if the next one would be one group more than `limit`.
    pub(super) fn add_rows(
        &mut self,
        records: &[Keyed<K>],
        limit: usize,
        fresh: &mut Vec<u32>,
        fill: impl Fn(&[Keyed<K>], &mut [Counters]),
    ) -> usize
    where
        K: Copy,
    {
        let (mut done, mut counters) = (0, [Counters::NONE; BLOCK]);
        for block in records.chunks(BLOCK) {
            fill(block, &mut counters);
            let counted = self.add_block(block, &counters, limit, fresh);
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
        counters: &[Counters; BLOCK],
        limit: usize,
        fresh: &mut Vec<u32>,
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
                // A row may lie in two cache lines: this waits for the second one too.
                std::hint::black_box(row.sums.tail());
            }
        }
        for (at, ((guess, keyed), counters)) in found.iter().zip(block).zip(counters).enumerate() {
            let known = Some(guess.row).filter(|_| guess.is_right);
            let row = known.or_else(|| {
                self.find(
                    keyed.hash,
                    limit,
                    |other| *other == keyed.key,
                    || {
                        fresh.push(keyed.row);
                        keyed.key
                    },
                )
            });
            match row {
                Some(row) => self.add_to(row, counters),
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
        self.add_to(row, counters);
        Some(row)
    }

    #[inline]
    fn add_to(&mut self, row: u32, counters: &Counters) {
        let Some(Row { sums, .. }) = self.rows.get_mut(row) else { return };
        if sums.add(counters).is_err() {
            add_wide(sums, &mut self.wide, counters);
        }
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
                self.rows.push(Row { key: make(), sums: Small::NONE });
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
            let more = if self.shift > 32 - LARGE_BITS { 1 } else { self.shift.min(2) };
            self.shift -= more;
            let mut slots = vec![FREE; self.slots.len() << more];
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

/// Counts for a group whose sums are not small, or are no longer.
#[cold]
fn add_wide(sums: &mut Small, wide: &mut Vec<Counters>, counters: &Counters) {
    let at = sums.wide().unwrap_or_else(|| {
        wide.push(sums.counters());
        sums.set_wide(wide.len() - 1);
        wide.len() - 1
    });
    wide.get_mut(at).into_iter().for_each(|sum| sum.add(counters));
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

    fn rows(table: &Table<u64>) -> Vec<(u64, Counters)> {
        let row = |row: u32| Some((*table.key(row)?, table.counters(row)?));
        (0..table.len() as u32).filter_map(row).collect()
    }

    fn all(counters: Counters) -> impl Fn(&[Keyed<u64>], &mut [Counters]) {
        move |_, block| block.fill(counters)
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
        assert_eq!(table.add_rows(&keys, usize::MAX, &mut Vec::new(), all(one)), keys.len());
        let mut expected = std::collections::BTreeMap::new();
        keys.iter().for_each(|keyed| *expected.entry(keyed.key).or_insert(0) += 1);
        assert_eq!(table.len(), expected.len());
        for (key, counters) in rows(&table) {
            assert_eq!(expected.get(&key), Some(&counters.flows()), "{key}");
        }
        let first: Vec<u64> = rows(&table).iter().take(3).map(|row| row.0).collect();
        assert_eq!(first, [0, 1, 4], "groups stand in the order of their first record");
        let four = keyed([(4, 0)])[0].hash;
        assert_eq!(table.add(&4, four, usize::MAX, &one, || unreachable!("the key is known")), Some(2));
    }

    #[test]
    fn a_group_of_ipv4_keys_costs_no_more_than_a_hundred_bytes() {
        assert!(size_of::<Row<u64>>() <= 48);
        let mut table = Table::new();
        for part in 0..100_u64 {
            let keys = keyed((0..10_000).map(|n| (part * 10_000 + n, 0)));
            table.add_rows(&keys, usize::MAX, &mut Vec::new(), all(Counters::NONE));
            let (bytes, groups) = (table.memory(), table.len());
            assert!(bytes / groups <= 104 || groups <= 10_000, "{bytes} bytes for {groups} groups");
        }
    }

    #[test]
    fn sums_that_are_not_small_are_kept_elsewhere() {
        let mut batch = crate::batch::FlowBatch::new();
        batch.set_number(crate::record::Field::InBytes, u64::from(u32::MAX) - 1);
        batch.end_row();
        let large = super::super::counters::CounterColumns::of(&batch).row(0);
        let (mut table, mut expected) = (Table::new(), Counters::NONE);
        let key = keyed([(7, 0)]);
        for times in 1..5 {
            table.add_rows(&key, 1, &mut Vec::new(), all(large));
            table.add_rows(&key, 1, &mut Vec::new(), all(one()));
            [large, one()].iter().for_each(|more| expected.add(more));
            assert_eq!(table.counters(0), Some(expected), "{times}");
            assert_eq!(table.wide.len(), usize::from(times > 1));
        }
    }

    #[test]
    fn the_limit_stops_new_groups_only() {
        let mut table = Table::new();
        let keys = keyed([(1, 7), (2, 8), (1, 9), (2, 10), (3, 11), (1, 12)]);
        let mut fresh = Vec::new();
        assert_eq!(table.add_rows(&keys, 2, &mut fresh, all(one())), 4);
        assert_eq!(fresh, [7, 8], "the first row of each group");
        assert_eq!(rows(&table).iter().map(|row| row.1.flows()).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(table.add(&9, 0, 2, &one(), || 9), None);
    }
}
