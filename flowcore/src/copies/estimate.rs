//! How many rows are probably copies, from a sample of conversations, hour by hour.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::Copies;
use crate::batch::{FlowBatch, Mask};
use crate::observer::Observers;
use crate::record::{FieldSet, NANOS_PER_SEC};

/// A sample of rows, from which the number of copies is estimated. Exact up to a quarter of a million rows.
///
/// The sample has all rows of some conversations in some hours: half as many each time that it has grown too large. Copies
/// whose starts are in two hours are missed in a sample.
#[derive(Debug)]
pub struct CopyEstimate {
    sample: Copies,
    /// Hashes of the conversations and hours of the rows.
    hashes: Vec<u64>,
    /// One of 2^level hours of conversations is in the sample.
    level: u32,
    most: usize,
}

/// How many rows are probably copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LikelyCopies {
    /// Rows that are.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of so many conversations, hour by hour, one was looked at: 1 if the numbers are exact.
    pub one_in: u64,
}

/// Rows that a sample may have.
const MOST_ROWS: usize = 1 << 18;

impl CopyEstimate {
    /// No row yet.
    pub fn new() -> Self {
        Self::of_rows(MOST_ROWS)
    }

    /// With a sample of so many rows at most.
    pub(super) fn of_rows(most: usize) -> Self {
        Self { sample: Copies::new(), hashes: Vec::new(), level: 0, most }
    }

    /// The stored fields that are looked at.
    pub fn fields() -> FieldSet {
        super::compared()
    }

    /// Adds the chosen rows; those of sources that do not say who wrote them cost next to nothing.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) {
        if Observers::of(batch).is_empty() {
            return;
        }
        let (mut hashes, level) = (Vec::new(), self.level);
        let mut rows = chosen.clone();
        rows.and(&Mask::from_fn(batch.len(), |row| {
            let hash = if chosen.get(row) { hash(batch, row) } else { None };
            let hash = hash.filter(|hash| hash.trailing_zeros() >= level);
            hashes.extend(hash);
            hash.is_some()
        }));
        self.take(batch, &rows);
        self.hashes.append(&mut hashes);
        while self.hashes.len() > self.most && self.level < u64::BITS {
            self.halve();
        }
    }

    /// What the sample says of all rows.
    pub fn finish(self) -> LikelyCopies {
        let (folded, one_in) = (self.sample.fold(), 1_u64.checked_shl(self.level).unwrap_or(u64::MAX));
        let [records, bytes] = [folded.copies(), folded.bytes()].map(|count| count.saturating_mul(one_in));
        LikelyCopies { records, bytes, one_in }
    }

    fn take(&mut self, batch: &FlowBatch, rows: &Mask) {
        // There is no limit of memory that it could pass: the sample has its own.
        drop(self.sample.add_fields(batch, rows, Self::fields()));
    }

    fn halve(&mut self) {
        self.level += 1;
        let level = self.level;
        let is_in = |hash: &u64| hash.trailing_zeros() >= level;
        let sample = std::mem::take(&mut self.sample);
        let all = std::mem::take(&mut self.hashes);
        let mut hashes = all.iter();
        for batch in &sample.batches {
            let rows = Mask::from_fn(batch.len(), |_| hashes.next().is_some_and(is_in));
            self.take(batch, &rows);
        }
        self.hashes = all.into_iter().filter(is_in).collect();
    }
}

impl Default for CopyEstimate {
    fn default() -> Self {
        Self::new()
    }
}

/// Of what copies share, and of the hour; `None` for rows that cannot be copies.
fn hash(batch: &FlowBatch, row: usize) -> Option<u64> {
    use crate::record::Field::{DstPort, Protocol, SrcPort};
    let (addrs, (first, _)) = (super::addrs(batch, row)?, super::times(batch, row)?);
    let numbers = [SrcPort, DstPort, Protocol].map(|field| batch.number(field, row));
    Some(FixedState::default().hash_one((addrs, numbers, first.div_euclid(HOUR))))
}

/// A conversation of a day is in the sample by hours, so that a few large ones do not decide.
const HOUR: i64 = 3600 * NANOS_PER_SEC;
