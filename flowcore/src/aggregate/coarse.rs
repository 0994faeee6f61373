//! The first groups of an order without holding all groups: two readings of the same records.
//!
//! The first reading adds each record to one of [`BUCKETS`] sums, chosen by the hash of its key. A group counts no more than
//! its bucket, so that only those of the largest buckets need a table, which the second reading makes. What it finds
//! proves itself: a bucket that counted less than the last of the groups wanted holds none of them; one that counted
//! more and was left out is counted by a third reading. Where few groups make up most of the traffic, millions of others
//! take no memory; where all are alike, all are counted after all. The result is exact in any case.
//!
//! M. Fang, N. Shivakumar, H. Garcia-Molina, R. Motwani, J. D. Ullman: "Computing Iceberg Queries Efficiently", VLDB
//! 1998, calls it coarse counting.

use std::sync::Arc;

use super::counters::CounterColumns;
use super::division::Division;
use super::{Aggregation, Directions, Order, Way};
use crate::batch::{FlowBatch, Mask};
use crate::error::Result;
use crate::record::{Field, FieldSet};

/// Sums of a first reading.
///
/// ```
/// use flowcore::aggregate::{Aggregation, CoarseCount, Order, Proof};
/// use flowcore::{Field, FlowBatch, Mask};
///
/// let mut batch = FlowBatch::new();
/// for row in 0..10_000 {
///     batch.set_number(Field::SrcPort, row);
///     batch.set_number(Field::InBytes, if row % 5_000 == 0 { 1500 } else { 60 });
///     batch.end_row();
/// }
/// let all = Mask::all(batch.len());
/// let ports = || Aggregation::by([Field::SrcPort]);
/// let mut coarse = CoarseCount::of(&ports(), 2, &[Order::BYTES]).unwrap();
/// coarse.add(&batch, &all)?;
/// let candidates = coarse.candidates().unwrap();
/// let mut first = ports().only(&candidates);
/// first.add(&batch, &all)?;
/// assert!(matches!(first.proof(&candidates), Proof::Complete) && first.len() < 2_000);
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug)]
pub struct CoarseCount {
    /// Without groups: what makes the keys of records.
    keys: Aggregation,
    limit: usize,
    piles: Vec<Pile>,
    rows: u64,
    has_texts: bool,
}

/// Groups that may be among the first ones, as buckets of their hashes.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// Makes the hashes that the buckets are of.
    division: Division,
    chosen: Arc<Chosen>,
    piles: Arc<[Pile]>,
    limit: usize,
    /// Records there must be.
    rows: u64,
}

/// A bit for each bucket.
pub(super) type Chosen = [u64; BUCKETS / 64];

/// Whether the groups of an aggregation are the first ones.
#[derive(Debug)]
pub enum Proof {
    /// They are.
    Complete,
    /// Those of these candidates are.
    Wider(Candidates),
    /// All records have to be counted: most groups may be among the first, or the records have changed.
    Open,
}

/// What the buckets have counted of what an order is by.
#[derive(Debug, Clone)]
struct Pile {
    order: Order,
    sums: Box<[u64]>,
    /// What a bucket must have counted to be looked at.
    least: u64,
}

impl CoarseCount {
    /// For the first `limit` groups in each of these orders; `None` where sums of records do not tell which those are, as
    /// of rates and of the smallest, and where more groups are wanted than would be few.
    pub fn of(groups: &Aggregation, limit: usize, orders: &[Order]) -> Option<Self> {
        let is_either_way = groups.directions == Directions::Apart;
        let is_summed = |order: &Order| order.is_of_sums() && (is_either_way || order.way() == Way::Both);
        if groups.groups.is_bounded()
            || !(1..=MOST_WANTED).contains(&limit)
            || orders.is_empty()
            || !orders.iter().all(is_summed)
        {
            return None;
        }
        let pile = |&order: &Order| Pile { order, sums: vec![0; BUCKETS].into(), least: 0 };
        let keys = groups.without_groups();
        Some(Self { keys, limit, piles: orders.iter().map(pile).collect(), rows: 0, has_texts: false })
    }

    /// The stored fields that are looked at.
    pub fn fields(&self) -> FieldSet {
        let flags = match self.keys.directions {
            Directions::Apart => FieldSet::EMPTY,
            Directions::Merged | Directions::Guessed => FieldSet::from([Field::InFlags, Field::OutFlags]),
        };
        let first = self.keys.key_fields().union(flags);
        self.piles.iter().fold(first, |fields, pile| fields.union(pile.order.fields()))
    }

    /// Counts the chosen rows.
    ///
    /// # Errors
    /// Never: memory does not depend on what is counted.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.rows += chosen.count() as u64;
        let columns = CounterColumns::of(batch);
        let weights: Vec<Vec<u64>> =
            self.piles.iter().map(|pile| pile.order.weights(&columns, batch.len())).collect();
        let (piles, mut places) = (&mut self.piles, Vec::new());
        self.keys.each_side(batch, chosen, |groups, records| {
            places.clear();
            groups.each_hash(records, |hash, row| places.push((bucket(hash), row)));
            piles.iter_mut().zip(&weights).for_each(|(pile, weights)| pile.add(&places, weights));
            Ok(())
        })?;
        self.has_texts |= !self.keys.groups.texts.texts().is_empty();
        Ok(())
    }

    /// One more of the same, nothing counted, to be [merged](Self::merge) in the end.
    #[must_use]
    pub fn twin(&self) -> Self {
        let pile = |pile: &Pile| Pile { sums: vec![0; BUCKETS].into(), ..*pile };
        Self {
            keys: self.keys.without_groups(),
            limit: self.limit,
            piles: self.piles.iter().map(pile).collect(),
            rows: 0,
            has_texts: false,
        }
    }

    /// Adds what a twin has counted of other records.
    pub fn merge(&mut self, twin: &Self) {
        self.rows += twin.rows;
        self.has_texts |= twin.has_texts;
        for (pile, twin) in self.piles.iter_mut().zip(&twin.piles) {
            let sums = pile.sums.iter_mut().zip(&twin.sums);
            sums.for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        }
    }

    /// Records so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether so many groups were met in so few records that a table of all of them would be large.
    pub fn is_of_many_groups(&self) -> bool {
        let met = |pile: &Pile| pile.sums.iter().filter(|sum| **sum > 0).count() as u64;
        self.piles.iter().any(|pile| met(pile).saturating_mul(8) > self.rows)
    }

    /// The groups to count in a second reading; `None` if those would be most of them, or have texts, whose codes another
    /// reading need not share.
    pub fn candidates(mut self) -> Option<Candidates> {
        if self.has_texts {
            return None;
        }
        let wanted = self.limit.saturating_mul(BUCKETS_OF_ONE).max(FEWEST_BUCKETS);
        for pile in &mut self.piles {
            let mut sums = pile.sums.to_vec();
            let (_, least, _) = sums.select_nth_unstable_by(wanted.min(BUCKETS - 1), |a, b| b.cmp(a));
            pile.least = (*least).saturating_add(1);
        }
        Candidates::of(self.keys.groups.division().clone(), self.piles.into(), self.limit, self.rows)
    }
}

impl Pile {
    /// Adds the weights of rows to their buckets.
    fn add(&mut self, places: &[(usize, u32)], weights: &[u64]) {
        for block in places.chunks(BLOCK) {
            // Sums that are not in the cache are waited for together.
            let near = block.iter().filter_map(|(at, _)| self.sums.get(*at));
            std::hint::black_box(near.fold(0, |all, sum| all ^ sum));
            for &(at, row) in block {
                let weight = weights.get(row as usize).copied().unwrap_or(0);
                self.sums.get_mut(at).into_iter().for_each(|sum| *sum = sum.saturating_add(weight));
            }
        }
    }
}

impl Candidates {
    fn of(division: Division, piles: Arc<[Pile]>, limit: usize, rows: u64) -> Option<Self> {
        let mut chosen: Chosen = [0; BUCKETS / 64];
        for pile in piles.iter() {
            let large = pile.sums.iter().enumerate().filter(|(_, sum)| **sum >= pile.least);
            large.for_each(|(at, _)| {
                chosen.iter_mut().skip(at / 64).take(1).for_each(|word| *word |= 1 << (at % 64))
            });
        }
        let count: u32 = chosen.iter().map(|word| word.count_ones()).sum();
        let is_few = (count as usize) < BUCKETS / 4;
        is_few.then(|| Self { division, chosen: Arc::new(chosen), piles, limit, rows })
    }

    /// Whether the groups of a hash are among them.
    #[inline]
    pub(super) fn has(&self, hash: u32) -> bool {
        let at = bucket(hash);
        self.chosen.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    pub(super) fn division(&self) -> &Division {
        &self.division
    }
}

impl Aggregation {
    /// Counts only groups that may be among the first ones, and some others. To be said before anything is added.
    #[must_use]
    pub fn only(mut self, candidates: &Candidates) -> Self {
        self.groups.restrict(candidates);
        self
    }

    /// Whether all groups that are among the first ones are here, after all records have been added again.
    pub fn proof(&self, candidates: &Candidates) -> Proof {
        if self.rows != candidates.rows {
            return Proof::Open;
        }
        let mut piles = candidates.piles.to_vec();
        let mut is_complete = true;
        for pile in &mut piles {
            let last = self.ranked(candidates.limit, pile.order);
            let last = last.get(candidates.limit - 1).map(|place| self.counters(*place));
            let Some(least) = last.and_then(|last| pile.order.weight(&last)).filter(|least| *least > 0)
            else {
                return Proof::Open;
            };
            // Groups with the same number are ordered by their keys: a bucket with the number may hold one that comes first.
            is_complete &= pile.least <= least;
            pile.least = pile.least.min(least);
        }
        if is_complete {
            return Proof::Complete;
        }
        let (division, limit) = (candidates.division.clone(), candidates.limit);
        Candidates::of(division, piles.into(), limit, candidates.rows).map_or(Proof::Open, Proof::Wider)
    }
}

/// The lower bits of a hash, since the table of the groups goes by the upper ones.
#[inline]
const fn bucket(hash: u32) -> usize {
    hash as usize % BUCKETS
}

/// Sums, of 8 bytes each: 2 MiB.
const BUCKETS: usize = 1 << 18;
/// Rows whose sums are waited for together.
const BLOCK: usize = 64;
/// Buckets that are looked at for each group wanted: the more, the rarer a third reading.
const BUCKETS_OF_ONE: usize = 32;
const FEWEST_BUCKETS: usize = 1024;
/// Groups from which on most buckets would be looked at.
const MOST_WANTED: usize = 1000;
