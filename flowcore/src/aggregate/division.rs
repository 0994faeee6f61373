//! Groups divided by the hashes of their keys, so that several threads can each count those that are their own.

use std::hash::{BuildHasher, Hash};

use foldhash::quality::RandomState;

/// Which share of the groups a key belongs to.
///
/// The hash has a seed that is drawn for every aggregation: traffic cannot be made to collide. No result depends on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Division {
    hasher: RandomState,
    /// How many there are beside the first one.
    others: u32,
}

/// What is to be known of a key: the hash for its table, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashed {
    pub(super) hash: u32,
    pub(super) share: u32,
}

impl Division {
    /// The same by so many shares.
    pub(super) fn among(&self, shares: u32) -> Self {
        Self { others: shares.saturating_sub(1), ..self.clone() }
    }

    /// The upper half of the hash is for the table, the lower one says whose the key is: bits that both look at would
    /// leave a table's places to some shares only.
    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> Hashed {
        let hash = self.hasher.hash_one(key);
        let share = (hash & u64::from(u32::MAX)) * (u64::from(self.others) + 1);
        Hashed { hash: upper(hash), share: upper(share) }
    }
}

#[inline]
const fn upper(number: u64) -> u32 {
    (number >> 32) as u32
}
