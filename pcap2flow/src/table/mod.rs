//! Packets to flows, by the rules of DESIGN D7; the clock is the packets'.
//!
//! [`FlowTable::observe`] takes packets in capture order and puts the records of flows that ended into a batch;
//! [`FlowTable::drain`] ends the rest. What a record says depends on its own packets only: each packet is held against
//! the flow it may belong to by its own time. The clock only decides when a record comes out, `REORDER` after no
//! more packet can belong to it. It moves when two packets in a row agree, so a frame with a wrong time moves nothing.
//! Two exceptions: a packet that comes more than `REORDER` behind the clock may find its flow gone and begin another
//! one, and fragments beyond the bounds of `fragment.rs` are counted without ports. Expired records come out by the
//! second in which their flows were settled, in the order of deadline and beginning; the same input gives the same
//! output.

mod entry;
mod expiry;
mod fragment;
mod key;

#[cfg(test)]
mod tests;

use std::hash::BuildHasher;

use flowcore::{BATCH_ROWS, EndReason, Field, FlowBatch, Format};
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::options::MeterOptions;
use crate::packet::Packet;
use entry::{Entry, REORDER};
use expiry::Expiry;
use fragment::{Fragments, Placed};
use key::{Key, Side};

/// The live flows.
#[derive(Debug)]
pub struct FlowTable {
    active: i64,
    idle: i64,
    /// The time that two packets in a row have reached, set back when two packets in a row lie further behind it
    /// than the idle timeout and the tolerance.
    clock: i64,
    /// Time of the packet before.
    previous: Option<i64>,
    next_number: u64,
    hasher: RandomState,
    index: HashTable<u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    expiry: Expiry,
    fragments: Fragments,
    /// Flows open at the end of the input, the first one to end last.
    rest: Option<Vec<u32>>,
    /// Captures packets came from, in order; flows name theirs by index.
    sources: Vec<(String, Format)>,
}

impl FlowTable {
    /// An empty table.
    pub fn new(options: &MeterOptions) -> Self {
        Self {
            active: options.active_timeout_nanos(),
            idle: options.idle_timeout_nanos(),
            clock: i64::MIN,
            previous: None,
            next_number: 0,
            hasher: RandomState::default(),
            index: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            expiry: Expiry::default(),
            fragments: Fragments::default(),
            rest: None,
            sources: Vec::new(),
        }
    }

    /// The packets that follow come from this capture; flows that begin with them name it as their source.
    pub fn begin_source(&mut self, name: &str, format: Format) {
        self.sources.push((name.to_owned(), format));
    }

    /// Counts a packet seen at `time` (nanoseconds since 1970 UTC); flows that are over by then go to `ended`.
    pub fn observe(&mut self, time: i64, packet: &Packet, ended: &mut FlowBatch) {
        self.advance(time, ended);
        if packet.fragment.is_none() {
            return self.count(time, packet, ended);
        }
        self.release(self.clock, ended);
        match self.fragments.place(time, packet) {
            Placed::Now(packet) => self.count(time, &packet, ended),
            Placed::Released(packets) => {
                packets.iter().for_each(|(time, packet)| self.count(*time, packet, ended));
            }
            Placed::Waiting => {}
        }
    }

    /// The input is over: ends the flows that are still open, a batch at a time. `false` when none is left.
    pub fn drain(&mut self, ended: &mut FlowBatch) -> bool {
        self.release(i64::MAX, ended);
        let mut rest = self.rest.take().unwrap_or_else(|| self.open_flows());
        let batch = rest.split_off(rest.len().saturating_sub(BATCH_ROWS));
        self.rest = Some(rest);
        for &at in batch.iter().rev() {
            let Some(entry) = self.entries.get(at as usize).and_then(Option::as_ref) else { continue };
            let over = entry.closed.is_some() || entry.deadline(self.idle) <= self.clock;
            self.end(at, (!over).then_some(EndReason::ForcedEnd), ended);
        }
        !batch.is_empty()
    }

    /// Flows that are open.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether no flow is open.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The places of the open flows, the first one to end last.
    fn open_flows(&self) -> Vec<u32> {
        let open = self.entries.iter().zip(0..).filter_map(|(entry, at)| Some((entry.as_ref()?, at)));
        let mut open: Vec<_> =
            open.map(|(entry, at)| (entry.deadline(self.idle), entry.number, at)).collect();
        open.sort_unstable_by(|a, b| b.cmp(a));
        open.into_iter().map(|(_, _, at)| at).collect()
    }

    /// Moves the clock and ends the flows that are settled.
    fn advance(&mut self, time: i64, ended: &mut FlowBatch) {
        let Some(previous) = self.previous.replace(time) else { return };
        let (earlier, later) = (previous.min(time), previous.max(time));
        if earlier > self.clock {
            self.clock = earlier;
            self.release(self.clock, ended);
            self.sweep(ended);
        } else if later < self.clock.saturating_sub(self.idle.max(REORDER)) {
            self.clock = later;
        }
    }

    /// Counts the fragments whose wait for the first one of their datagram is over by `until`.
    fn release(&mut self, until: i64, ended: &mut FlowBatch) {
        while let Some(packets) = self.fragments.due(until) {
            packets.iter().for_each(|(time, packet)| self.count(*time, packet, ended));
        }
    }

    /// Ends the flows that are settled, a second or less ago excepted.
    fn sweep(&mut self, ended: &mut FlowBatch) {
        while let Some((slot, tickets)) = self.expiry.due(self.clock) {
            self.check(slot, tickets, ended);
        }
    }

    /// Looks at the flows whose tickets are due: settled, or another ticket.
    fn check(&mut self, slot: i64, tickets: Vec<u32>, ended: &mut FlowBatch) {
        let mut over = Vec::new();
        for at in tickets {
            let Some(entry) = self.entries.get_mut(at as usize).and_then(Option::as_mut) else { continue };
            if entry.ticket != slot {
                continue;
            }
            let settled = entry.settled(self.idle);
            if settled <= self.clock {
                over.push((entry.deadline(self.idle), entry.number, at));
            } else {
                entry.ticket = self.expiry.ticket(at, settled);
            }
        }
        over.sort_unstable();
        over.dedup();
        for (_, _, at) in over {
            self.end(at, None, ended);
        }
    }

    /// Counts a packet whose ports are known, as far as they ever will be.
    fn count(&mut self, time: i64, packet: &Packet, ended: &mut FlowBatch) {
        let (key, side) = Key::of(packet);
        let hash = self.hasher.hash_one(key);
        let found = self.index.find(hash, |&at| matches(&self.entries, at, &key)).copied();
        let Some(at) = found else {
            return self.begin(hash, Entry::new(key, side, time, packet), side, time, packet);
        };
        let Some(entry) = self.entries.get_mut(at as usize).and_then(Option::as_mut) else { return };
        if entry.excludes(time, self.idle) || entry.is_followed_by(side, time, packet) {
            self.end(at, None, ended);
            return self.begin(hash, Entry::new(key, side, time, packet), side, time, packet);
        }
        let span = entry.last.max(time).saturating_sub(entry.first.min(time));
        if span >= self.active {
            let next = entry.continued(time, packet);
            self.end(at, Some(EndReason::ActiveTimeout), ended);
            return self.begin(hash, next, side, time, packet);
        }
        let was_closed = entry.closed.is_some();
        entry.add(side, time, packet);
        if !was_closed && entry.closed.is_some() {
            entry.ticket = self.expiry.ticket(at, entry.settled(self.idle));
        }
    }

    /// Puts a new flow with its first packet into the table.
    fn begin(&mut self, hash: u64, mut entry: Entry, side: Side, time: i64, packet: &Packet) {
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entries.push(None);
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        entry.number = self.next_number;
        entry.source = self.sources.len().checked_sub(1).and_then(|at| u32::try_from(at).ok());
        self.next_number += 1;
        entry.add(side, time, packet);
        entry.ticket = self.expiry.ticket(at, entry.settled(self.idle));
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |&at: &u32| entries[at as usize].as_ref().map_or(0, |entry| hasher.hash_one(entry.key));
        self.index.insert_unique(hash, at, rehash);
        self.entries[at as usize] = Some(entry);
    }

    /// Takes a flow out of the table and puts its record into the batch.
    fn end(&mut self, at: u32, reason: Option<EndReason>, ended: &mut FlowBatch) {
        let Some(entry) = self.entries.get_mut(at as usize).and_then(Option::take) else { return };
        let hash = self.hasher.hash_one(entry.key);
        if let Ok(slot) = self.index.find_entry(hash, |&other| other == at) {
            slot.remove();
        }
        self.free.push(at);
        export(&self.sources, &entry, reason.unwrap_or_else(|| entry.natural_end()), ended);
    }
}

/// Puts the record of a flow into the batch.
fn export(sources: &[(String, Format)], entry: &Entry, reason: EndReason, ended: &mut FlowBatch) {
    if let Some((name, format)) = entry.source.and_then(|at| sources.get(at as usize)) {
        ended.set_text(Field::Source, name);
        ended.set_text(Field::Format, format.name());
    }
    entry.export(reason, ended);
}

fn matches(entries: &[Option<Entry>], at: u32, key: &Key) -> bool {
    entries.get(at as usize).and_then(Option::as_ref).is_some_and(|entry| entry.key == *key)
}
