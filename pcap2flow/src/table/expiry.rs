//! Which flows may be over, without looking at all of them.
//!
//! Every live flow waits in a second's slot: that of the moment it was to be settled when it was put there. When the
//! clock passes the slot, the flow's present state decides: settled, or another slot. A flow is so touched once per
//! timeout however many packets it has. The flows of a slot are a chain through one array, so that a flow leaves its
//! slot at once when it ends otherwise: the queue never holds more than the live flows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use flowcore::NANOS_PER_SEC;

/// Slots of flows, by second.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    slots: BTreeMap<i64, Chain>,
    /// Where each flow waits, by its place in the table.
    links: Vec<Link>,
}

/// The flows of a slot, in the order in which they were put there.
#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u32,
    last: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// When the flow was to be settled.
    moment: i64,
    before: u32,
    after: u32,
}

/// The place of no flow.
const NONE: u32 = u32::MAX;
/// The moment of flows that wait for none: no flow is settled at the beginning of time.
const NEVER: i64 = i64::MIN;
const UNLINKED: Link = Link { moment: NEVER, before: NONE, after: NONE };

impl Expiry {
    /// Lets the flow at `at` wait until `settled`, wherever it waited before.
    pub(super) fn put(&mut self, at: u32, settled: i64) {
        if self.holds(at, settled) {
            return;
        }
        self.remove(at);
        let chain = self.slots.entry(slot_of(settled)).or_insert(Chain { first: at, last: NONE });
        let before = std::mem::replace(&mut chain.last, at);
        self.set(at, Link { moment: settled, before, after: NONE });
        if let Some(link) = self.links.get_mut(before as usize) {
            link.after = at;
        }
    }

    /// Lets the flow at `at` wait no longer.
    pub(super) fn remove(&mut self, at: u32) {
        let Some(link) = self.links.get_mut(at as usize) else { return };
        let Link { moment, before, after } = std::mem::replace(link, UNLINKED);
        if moment == NEVER {
            return;
        }
        if let Some(link) = self.links.get_mut(before as usize) {
            link.after = after;
        }
        if let Some(link) = self.links.get_mut(after as usize) {
            link.before = before;
        }
        let Entry::Occupied(mut slot) = self.slots.entry(slot_of(moment)) else { return };
        let chain = slot.get_mut();
        match (before, after) {
            (NONE, NONE) => drop(slot.remove()),
            (NONE, _) => chain.first = after,
            (_, NONE) => chain.last = before,
            _ => {}
        }
    }

    /// Takes the flows of the earliest slot that lies wholly before `now`.
    pub(super) fn due(&mut self, now: i64) -> Option<Vec<u32>> {
        let slot = self.slots.first_entry()?;
        if *slot.key() >= slot_of(now) {
            return None;
        }
        let mut next = slot.remove().first;
        let mut flows = Vec::new();
        while let Some(link) = self.links.get_mut(next as usize) {
            flows.push(next);
            next = std::mem::replace(link, UNLINKED).after;
        }
        Some(flows)
    }

    /// The flow that waits for the earliest moment, the one that was put there first.
    pub(super) fn earliest(&self) -> Option<u32> {
        self.slots.first_key_value().map(|(_, chain)| chain.first)
    }

    /// Whether the flow at `at` waits for this very moment.
    pub(super) fn holds(&self, at: u32, settled: i64) -> bool {
        self.links.get(at as usize).is_some_and(|link| link.moment == settled)
    }

    /// Flows that wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.slots.len() <= self.links.len());
        self.links.iter().filter(|link| link.moment != NEVER).count()
    }

    fn set(&mut self, at: u32, link: Link) {
        let at = at as usize;
        if at >= self.links.len() {
            self.links.resize(at + 1, UNLINKED);
        }
        self.links[at] = link;
    }
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
        fn a_flow_waits_in_the_slot_it_was_put_last(
            steps in prop::collection::vec((0..20_u32, prop::option::of(-20..20_i64)), 0..200)
        ) {
            let second = |moment: i64| moment.div_euclid(4);
            let mut expiry = Expiry::default();
            let mut model: Vec<(i64, u32)> = Vec::new();
            for (at, moment) in steps {
                if !model.iter().any(|&(held, other)| (Some(held), other) == (moment, at)) {
                    model.retain(|&(_, other)| other != at);
                    model.extend(moment.map(|moment| (moment, at)));
                }
                match moment {
                    Some(moment) => expiry.put(at, moment * NANOS_PER_SEC / 4),
                    None => expiry.remove(at),
                }
                let earliest = model.iter().min_by_key(|entry| second(entry.0));
                prop_assert_eq!(expiry.earliest(), earliest.map(|entry| entry.1));
            }
            model.sort_by_key(|entry| second(entry.0));
            let mut found = Vec::new();
            while let Some(flows) = expiry.due(i64::MAX) {
                found.extend(flows);
            }
            prop_assert_eq!(found, model.iter().map(|entry| entry.1).collect::<Vec<_>>());
            prop_assert!(expiry.slots.is_empty());
        }
    }

    #[test]
    fn a_slot_is_due_when_its_second_is_over() {
        let mut expiry = Expiry::default();
        expiry.put(3, 5 * NANOS_PER_SEC);
        assert_eq!(expiry.due(6 * NANOS_PER_SEC - 1), None);
        assert_eq!(expiry.due(6 * NANOS_PER_SEC), Some(vec![3]));
        assert_eq!(expiry.due(i64::MAX), None);
    }
}
