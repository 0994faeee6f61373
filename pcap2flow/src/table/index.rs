//! From a hash to the place of a flow: open addressing, eight bytes a slot, so that a packet costs one cache line here.
//!
//! A slot holds 32 bits of the hash beside the place, so that a flow is looked at only if it very likely is the one,
//! and moves to its place in a larger table without being looked at. The upper bits of the hash say where a slot is
//! to be looked for first, those behind it are next: a table twice as large has them in the same order.

use super::prefetch::prefetch;

/// Places of flows by their hashes.
#[derive(Debug)]
pub(super) struct Index {
    /// A power of two; at most three in four are taken.
    slots: Vec<Slot>,
    /// By how much the upper bits of a tag are shifted down to be a slot's number.
    shift: u32,
    len: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    place: u32,
}

/// The place that stands for none.
const NONE: u32 = u32::MAX;
const EMPTY: Slot = Slot { tag: 0, place: NONE };
const FIRST_BITS: u32 = 10;
/// Slots that [`Index::near`] looks at: half a cache line.
const NEAR: usize = 4;

impl Default for Index {
    fn default() -> Self {
        Self { slots: vec![EMPTY; 1 << FIRST_BITS], shift: 32 - FIRST_BITS, len: 0 }
    }
}

impl Index {
    /// Asks for the memory where a tag is looked for first.
    #[inline]
    pub(super) fn prefetch(&self, tag: u32) {
        prefetch(self.slots.get(self.home(tag)));
    }

    /// A place with this tag, if there is one near where it is looked for first.
    #[inline]
    pub(super) fn near(&self, tag: u32) -> u32 {
        let home = self.home(tag);
        let Some(slots) = self.slots.get(home..).and_then(|slots| slots.first_chunk::<NEAR>()) else {
            return NONE;
        };
        // All are looked at: when to stop could not be foretold, which costs more than a few comparisons.
        slots.iter().rev().fold(NONE, |place, slot| if slot.tag == tag { slot.place } else { place })
    }

    /// The place with this tag that `is_it`.
    #[inline]
    pub(super) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut at = self.home(tag);
        loop {
            let slot = self.slot(at);
            if slot.place == NONE {
                return None;
            }
            if slot.tag == tag && is_it(slot.place) {
                return Some(slot.place);
            }
            at = self.next(at);
        }
    }

    /// Adds a place that is not there.
    pub(super) fn insert(&mut self, tag: u32, place: u32) {
        if self.len >= self.slots.len() / 4 * 3 {
            self.grow();
        }
        self.put(Slot { tag, place });
        self.len += 1;
    }

    /// Takes a place out. Slots behind it that could be nearer to where they are looked for first move up.
    pub(super) fn remove(&mut self, tag: u32, place: u32) {
        let mut hole = self.home(tag);
        while (self.slot(hole).tag, self.slot(hole).place) != (tag, place) {
            if self.slot(hole).place == NONE {
                return;
            }
            hole = self.next(hole);
        }
        self.len -= 1;
        let mut at = self.next(hole);
        while self.slot(at).place != NONE {
            if self.distance(self.home(self.slot(at).tag), at) >= self.distance(hole, at) {
                self.set(hole, self.slot(at));
                hole = at;
            }
            at = self.next(at);
        }
        self.set(hole, EMPTY);
    }

    /// Forgets all places.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Doubles the table where it is, so that there is never an old one beside it. From the last slot to the first, each moves
    /// on to where only such are that have moved; the few that would have to move back wait until all have.
    fn grow(&mut self) {
        let len = self.slots.len();
        self.slots.resize(len * 2, EMPTY);
        self.shift -= 1;
        let mut waiting = Vec::new();
        for at in (0..len).rev() {
            let slot = self.slot(at);
            self.set(at, EMPTY);
            match self.home(slot.tag) {
                _ if slot.place == NONE => {}
                home if home >= at => self.put(slot),
                _ => waiting.push(slot),
            }
        }
        waiting.into_iter().for_each(|slot| self.put(slot));
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.home(slot.tag);
        while self.slot(at).place != NONE {
            at = self.next(at);
        }
        self.set(at, slot);
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        (tag >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// Slots from one to another, round the end.
    fn distance(&self, from: usize, to: usize) -> usize {
        to.wrapping_sub(from) & (self.slots.len() - 1)
    }

    #[inline]
    fn slot(&self, at: usize) -> Slot {
        self.slots.get(at).copied().unwrap_or(EMPTY)
    }

    fn set(&mut self, at: usize, slot: Slot) {
        if let Some(place) = self.slots.get_mut(at) {
            *place = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_found_until_they_are_taken_out(
            // Few tags, near the end of the table too, so that slots meet and go round.
            steps in prop::collection::vec((any::<bool>(), 0..8_u32, 0..60_u32, any::<bool>()), 0..2000),
        ) {
            let mut index = Index::default();
            let mut model = Vec::new();
            for (is_high, tag, place, add) in steps {
                let tag = if is_high { u32::MAX - tag } else { tag << 20 };
                let known = model.iter().position(|&held| held == (tag, place));
                match (add, known) {
                    (true, None) => {
                        index.insert(tag, place);
                        model.push((tag, place));
                    }
                    (false, Some(at)) => {
                        index.remove(tag, place);
                        model.swap_remove(at);
                    }
                    _ => {}
                }
                prop_assert_eq!(index.find(tag, |other| other == place).is_some(), add);
            }
            prop_assert_eq!(index.len, model.len());
            for (tag, place) in model {
                prop_assert_eq!(index.find(tag, |other| other == place), Some(place));
            }
        }
    }

    #[test]
    fn a_table_that_grows_keeps_all_places() {
        let tag = |n: u32| n.wrapping_mul(0x9e37_79b1);
        let mut index = Index::default();
        (0..100_000).for_each(|n| index.insert(tag(n), n));
        assert!((0..100_000).all(|n| index.find(tag(n), |place| place == n) == Some(n)));
        (0..100_000).filter(|n| n % 3 > 0).for_each(|n| index.remove(tag(n), n));
        let is_left = |n| index.find(tag(n), |place| place == n).is_some();
        assert!((0..100_000).all(|n| is_left(n) == (n % 3 == 0)));
        index.clear();
        assert_eq!(index.find(0, |_| true), None);
    }
}
