//! Which flows may be over, without looking at all of them.
//!
//! Every live flow waits in a second's slot: that of the moment it was to be settled when it was put there. When the
//! clock passes the slot, the flow's present state decides: settled, or another slot. A flow is so touched once per
//! timeout however many packets it has. A flow that ends otherwise, or waits elsewhere by now, leaves its old
//! [`Turn`] behind, which its ticket tells from its present one; [`super::flows`] drops such turns before there are more of
//! them than flows, so that memory follows the live flows.

use std::collections::btree_map::OccupiedEntry;
use std::collections::{BTreeMap, VecDeque};

use flowcore::NANOS_PER_SEC;

/// Slots of flows, by second.
#[derive(Debug)]
pub(super) struct Expiry {
    slots: BTreeMap<i64, VecDeque<Turn>>,
    len: usize,
    /// No slot lies wholly before this moment.
    due: i64,
}

/// A flow that waits, or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its place in the table.
    pub(super) at: u32,
    /// What the flow holds as long as it waits here.
    pub(super) ticket: u32,
}

impl Default for Expiry {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), len: 0, due: i64::MAX }
    }
}

impl Expiry {
    /// Turns, old ones included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a flow behind the others of the second in which it may be `settled`.
    pub(super) fn put(&mut self, settled: i64, turn: Turn) {
        let slot = slot_of(settled);
        match self.slots.last_entry() {
            // As most do: a flow that begins waits longest.
            Some(mut last) if *last.key() == slot => last.get_mut().push_back(turn),
            _ => self.slots.entry(slot).or_default().push_back(turn),
        }
        self.len += 1;
        self.due = self.due.min(end_of(slot));
    }

    /// Whether the earliest slot lies wholly before `now`.
    #[inline]
    pub(super) fn is_due(&self, now: i64) -> bool {
        self.due <= now
    }

    /// Takes the earliest slot out, if it lies wholly before `now`.
    pub(super) fn due(&mut self, now: i64) -> Option<VecDeque<Turn>> {
        let slot = self.slots.first_entry().filter(|slot| *slot.key() < slot_of(now));
        let turns = slot.map(OccupiedEntry::remove);
        self.len -= turns.as_ref().map_or(0, VecDeque::len);
        self.due = self.slots.first_key_value().map_or(i64::MAX, |(slot, _)| end_of(*slot));
        turns
    }

    /// The earliest turn, the one that was put there first.
    pub(super) fn first(&self) -> Option<Turn> {
        self.slots.first_key_value()?.1.front().copied()
    }

    /// Takes the earliest turn out.
    pub(super) fn pop_first(&mut self) {
        let Some(mut slot) = self.slots.first_entry() else { return };
        if slot.get_mut().pop_front().is_some() {
            self.len -= 1;
        }
        if slot.get().is_empty() {
            slot.remove();
        }
    }

    /// Drops turns that are over.
    pub(super) fn retain(&mut self, mut is_current: impl FnMut(Turn) -> bool) {
        self.slots.retain(|_, turns| {
            turns.retain(|&turn| is_current(turn));
            turns.shrink_to_fit();
            !turns.is_empty()
        });
        self.len = self.slots.values().map(VecDeque::len).sum();
    }
}

/// The first moment after a slot.
fn end_of(slot: i64) -> i64 {
    slot.saturating_add(1).saturating_mul(NANOS_PER_SEC)
}

fn slot_of(moment: i64) -> i64 {
    moment.div_euclid(NANOS_PER_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn turns_come_by_second_in_the_order_they_were_put(
            steps in prop::collection::vec((0..20_u32, prop::option::of(-20..20_i64)), 0..200)
        ) {
            let second = |quarter: i64| quarter.div_euclid(4);
            let mut expiry = Expiry::default();
            let mut model: Vec<(i64, Turn)> = Vec::new();
            for (ticket, (at, quarter)) in (0..).zip(steps) {
                let turn = Turn { at, ticket };
                let earliest = model.iter().min_by_key(|entry| second(entry.0)).copied();
                prop_assert_eq!(expiry.first(), earliest.map(|entry| entry.1));
                if let Some(quarter) = quarter {
                    expiry.put(quarter * NANOS_PER_SEC / 4, turn);
                    model.push((quarter, turn));
                } else if at % 2 == 0 {
                    expiry.pop_first();
                    model.retain(|entry| Some(*entry) != earliest);
                } else {
                    expiry.retain(|turn| turn.at != at);
                    model.retain(|entry| entry.1.at != at);
                }
                prop_assert_eq!(expiry.len(), model.len());
            }
            model.sort_by_key(|entry| second(entry.0));
            let mut found = Vec::new();
            while let Some(turns) = expiry.due(i64::MAX) {
                found.extend(turns);
            }
            prop_assert_eq!(found, model.iter().map(|entry| entry.1).collect::<Vec<_>>());
            prop_assert!(expiry.slots.is_empty() && expiry.len() == 0);
        }
    }

    #[test]
    fn a_slot_is_due_when_its_second_is_over() {
        let mut expiry = Expiry::default();
        expiry.put(5 * NANOS_PER_SEC, Turn { at: 3, ticket: 1 });
        assert_eq!(expiry.due(6 * NANOS_PER_SEC - 1), None);
        assert_eq!(expiry.due(6 * NANOS_PER_SEC).unwrap(), [Turn { at: 3, ticket: 1 }]);
        assert_eq!(expiry.due(i64::MAX), None);
    }
}
