//! Which flows end when: those whose time is over, and those that make room for others.
//!
//! A packet ends a few flows at most, so that a batch does not grow without bound after a silent gap; the rest is
//! worked off with the packets that follow. A flow that is over but not out yet takes no packet that it would not
//! have taken before.

use flowcore::{EndReason, FlowBatch};

use super::FlowTable;
use super::entry::REORDER;

/// Packets in a row that have to come from far ahead before the clock goes there.
const AGREEMENT: u32 = 64;
/// Flows that a packet puts out at most; it begins one at most, or one per fragment that waited.
const ENDS_PER_PACKET: usize = 32;
/// Datagrams without a first fragment whose wait a packet ends at most.
const RELEASES_PER_PACKET: usize = 4;

impl FlowTable {
    /// Moves the clock and ends flows that are settled.
    pub(super) fn advance(&mut self, time: i64, ended: &mut FlowBatch) {
        let Some(previous) = self.previous.replace(time) else { return };
        self.set_clock(previous.min(time), previous.max(time));
        // Fragments that have waited go first: flows are kept for them, but not for ever.
        if self.release(self.clock, ended) {
            self.sweep(ended);
        }
    }

    /// Moves the clock by the times of two packets in a row. Far ahead it goes only when many packets have agreed: after
    /// a silent gap flows come out a little later, while a few frames with a wrong time would end them all. Far back
    /// it goes at once, which ends none.
    fn set_clock(&mut self, earlier: i64, later: i64) {
        let far = self.rules.idle.saturating_add(REORDER);
        let is_far_ahead = self.clock != i64::MIN && earlier > self.clock.saturating_add(far);
        self.far_ahead = if is_far_ahead { self.far_ahead + 1 } else { 0 };
        if is_far_ahead && self.far_ahead < AGREEMENT {
            return;
        }
        if earlier > self.clock {
            (self.clock, self.far_ahead) = (earlier, 0);
        } else if later < self.clock.saturating_sub(far) {
            self.clock = later;
        }
    }

    /// Counts fragments whose wait for the first one of their datagram is over by `until`; `false` if some are left.
    pub(super) fn release(&mut self, until: i64, ended: &mut FlowBatch) -> bool {
        for _ in 0..RELEASES_PER_PACKET {
            let Some(packets) = self.fragments.due(until) else { return true };
            for (time, packet) in &packets {
                self.count(*time, packet, &[], ended);
            }
        }
        false
    }

    /// Ends flows until there are `most` of them and what they keep is within bounds.
    #[inline]
    pub(super) fn make_room(&mut self, most: usize, ended: &mut FlowBatch) {
        while self.flows.len() > most || self.payload_held > self.rules.max_payload {
            if let Some((at, number)) = self.overdue.pop_front() {
                self.end_overdue(at, number, ended);
            } else if !self.evict(ended) {
                return;
            }
        }
    }

    /// Ends the flow that waits for the earliest moment, unless it has been active since: then it waits again
    /// ("second chance"). `false` if none waits.
    fn evict(&mut self, ended: &mut FlowBatch) -> bool {
        let Some(at) = self.flows.expiry().earliest() else { return false };
        let Some(entry) = self.flows.get(at) else { return false };
        let settled = entry.settled(self.rules.idle);
        let reason = entry.end_at(self.clock, self.rules.idle, EndReason::LackOfResources);
        if !self.flows.expiry().holds(at, settled) {
            self.flows.expiry().put(at, settled);
            return true;
        }
        self.evicted += u64::from(reason == EndReason::LackOfResources);
        self.end(at, reason, ended);
        true
    }

    /// Ends a few of the flows that are settled, a second or less ago excepted.
    fn sweep(&mut self, ended: &mut FlowBatch) {
        for _ in 0..ENDS_PER_PACKET {
            if self.overdue.is_empty() && !self.find_overdue() {
                return;
            }
            if let Some((at, number)) = self.overdue.pop_front() {
                self.end_overdue(at, number, ended);
            }
        }
    }

    /// Looks at flows that were to be settled by now until some are; the others wait again. `false` if none is.
    fn find_overdue(&mut self) -> bool {
        while let Some(flows) = self.flows.expiry().due(self.clock) {
            let mut over = Vec::new();
            for at in flows {
                let Some(entry) = self.flows.get(at) else { continue };
                let settled = entry.settled(self.rules.idle);
                if settled <= self.clock {
                    over.push((entry.deadline(self.rules.idle), entry.number, at));
                } else {
                    self.flows.expiry().put(at, settled);
                }
            }
            if !over.is_empty() {
                over.sort_unstable();
                self.overdue.extend(over.into_iter().map(|(_, number, at)| (at, number)));
                return true;
            }
        }
        false
    }

    /// Ends a flow that was settled, unless it ended otherwise or has had a late packet since.
    fn end_overdue(&mut self, at: u32, number: u64, ended: &mut FlowBatch) {
        let Some(entry) = self.flows.get(at).filter(|entry| entry.number == number) else { return };
        let settled = entry.settled(self.rules.idle);
        if settled <= self.clock {
            let reason = entry.natural_end();
            self.end(at, reason, ended);
        } else {
            self.flows.expiry().put(at, settled);
        }
    }
}
