//! Which flows may be over, without looking at all of them.
//!
//! Every live flow holds one valid ticket in a second's slot: that of the moment it was to be settled when the ticket
//! was made. When the clock passes the slot, the flow's present state decides: settled, or another ticket. A flow is so
//! touched once per timeout however many packets it has.

use std::collections::BTreeMap;

use flowcore::NANOS_PER_SEC;

/// Slots of tickets, by second.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    slots: BTreeMap<i64, Vec<u32>>,
}

impl Expiry {
    /// Makes a ticket for the flow at `index`, to be looked at after `settled`, and returns it; the flow keeps it to tell it from older ones.
    pub(super) fn ticket(&mut self, index: u32, settled: i64) -> i64 {
        let slot = settled.div_euclid(NANOS_PER_SEC);
        self.slots.entry(slot).or_default().push(index);
        slot
    }

    /// Takes the tickets of the earliest slot that lies wholly before `now`.
    pub(super) fn due(&mut self, now: i64) -> Option<(i64, Vec<u32>)> {
        let slot = self.slots.first_entry()?;
        if *slot.key() >= now.div_euclid(NANOS_PER_SEC) {
            return None;
        }
        Some(slot.remove_entry())
    }
}
