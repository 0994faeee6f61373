//! Which flows end when: those whose time is over, and those that make room for others.
//!
//! A packet ends a few flows at most, so that a batch does not grow without bound after a silent gap; the rest is
//! worked off with the packets that follow. A flow that is over but not out yet takes no packet that it would not
//! have taken before.

use flowcore::EndReason;

use super::FlowTable;
use super::outlook::REORDER;
use super::seen::{Rare, Seen};

/// Packets in a row that have to come from far ahead before the clock goes there.
const AGREEMENT: u32 = 64;
/// Flows that a packet puts out at most; it begins one at most, or one per fragment that waited.
const ENDS_PER_PACKET: usize = 32;
/// Flows before its turn at which one that is settled is asked for.
const AHEAD: usize = 8;
/// Datagrams without a first fragment whose wait a packet ends at most.
const RELEASES_PER_PACKET: usize = 4;

impl FlowTable {
    /// Moves the clock and ends flows that are settled.
    #[inline]
    pub(super) fn advance(&mut self, time: i64) {
        let Some(previous) = self.previous.replace(time) else { return };
        self.set_clock(previous.min(time), previous.max(time));
        if !self.overdue.is_empty() || self.flows.is_due(self.clock) || !self.fragments.is_empty() {
            self.end_some();
        }
    }

    #[inline(never)] // Few packets end something.
    fn end_some(&mut self) {
        // Fragments that have waited go first: flows are kept for them, but not for ever.
        if self.release(self.clock) {
            self.sweep();
        }
    }

    /// Moves the clock by the times of two packets in a row. Far ahead it goes only when many packets have agreed: after
    /// a silent gap flows come out a little later, while a few frames with a wrong time would end them all. Far back
    /// it goes at once, which ends none.
    #[inline]
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
    pub(super) fn release(&mut self, until: i64) -> bool {
        for _ in 0..RELEASES_PER_PACKET {
            let Some(packets) = self.fragments.due(until) else { return true };
            for (time, packet) in &packets {
                self.count(&Seen::of(*time, packet), &Rare::of(packet, &[]));
            }
        }
        false
    }

    /// Ends flows until there are `most` of them and what they keep is within bounds.
    #[inline]
    pub(super) fn make_room(&mut self, most: usize) {
        if self.flows.len() > most || self.payload_held > self.rules.max_payload {
            self.end_early(most);
        }
    }

    #[inline(never)] // Few packets find the table full.
    fn end_early(&mut self, most: usize) {
        while self.flows.len() > most || self.payload_held > self.rules.max_payload {
            if let Some((at, number)) = self.overdue.pop_front() {
                self.end_overdue(at, number);
            } else if !self.evict() {
                return;
            }
        }
    }

    /// Ends the flow that waits for the earliest moment, unless it has been active since: then it waits again
    /// ("second chance"). `false` if none waits.
    fn evict(&mut self) -> bool {
        let Some((at, is_due)) = self.flows.earliest() else { return false };
        let Some(flow) = self.flows.get(at) else { return false };
        let reason = flow.outlook().end_at(self.clock, self.rules.idle, EndReason::LackOfResources);
        if !is_due {
            self.flows.wait(at);
            return true;
        }
        self.evicted += u64::from(reason == EndReason::LackOfResources);
        self.end(at, reason);
        true
    }

    /// Ends a few of the flows that are settled, a second or less ago excepted.
    fn sweep(&mut self) {
        for _ in 0..ENDS_PER_PACKET {
            if self.overdue.is_empty() && !self.find_overdue() {
                return;
            }
            self.expect_overdue();
            if let Some((at, number)) = self.overdue.pop_front() {
                self.end_overdue(at, number);
            }
        }
    }

    /// Asks for what it takes to put out the flows that are settled, some time before.
    #[inline]
    fn expect_overdue(&self) {
        if let Some(&(at, _)) = self.overdue.get(2 * AHEAD) {
            self.flows.prefetch_place(at);
        }
        if let Some(&(at, _)) = self.overdue.get(AHEAD) {
            self.flows.prefetch_removal(at);
        }
    }

    /// Looks at flows that were to be settled by now until some are; the others wait again. `false` if none is.
    fn find_overdue(&mut self) -> bool {
        while let Some(mut flows) = self.flows.due(self.clock) {
            flows.retain(|&at| {
                let is_settled = self.is_settled(at);
                if !is_settled {
                    self.flows.wait(at);
                }
                is_settled
            });
            if !flows.is_empty() {
                let flows = self.flows.in_order(&flows);
                let known = flows.into_iter().filter_map(|at| Some((at, self.flows.get(at)?.number())));
                self.overdue.extend(known);
                return true;
            }
        }
        false
    }

    /// Ends a flow that was settled, unless it ended otherwise or has had a late packet since.
    fn end_overdue(&mut self, at: u32, number: u64) {
        let Some(flow) = self.flows.get(at).filter(|flow| flow.number() == number) else { return };
        let reason = flow.outlook().natural_end();
        if self.is_settled(at) {
            self.end(at, reason);
        } else {
            self.flows.wait(at);
        }
    }

    fn is_settled(&self, at: u32) -> bool {
        self.flows.get(at).is_some_and(|flow| flow.outlook().settled(self.rules.idle) <= self.clock)
    }
}
