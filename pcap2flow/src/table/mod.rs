//! Packets to flows, by the rules of `docs/metering.md`; the clock is the packets'.
//!
//! [`FlowTable::observe`] takes packets in capture order and puts the records of flows that ended into a batch;
//! [`FlowTable::drain`] ends the rest. What a record says depends on its own packets only: each packet is held against
//! the flow it may belong to by its own time. The clock only decides when a record comes out, `REORDER` after no
//! more packet can belong to it. It moves when two packets in a row agree, and far ahead when many do, so frames with a
//! wrong time move nothing.
//! Three exceptions: a packet that comes more than `REORDER` behind the clock may find its flow gone and begin another
//! one, fragments beyond the bounds of `fragment.rs` are counted without ports, and flows beyond `max_flows` end
//! others. Expired records come out by the second in which their flows were settled, in the order of deadline and
//! beginning; the same input gives the same output.

mod ending;
mod entry;
mod expiry;
mod extent;
mod flows;
mod fragment;
mod half;
mod identity;
mod key;
mod payload;
mod quality;
mod record;
mod sequence;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use flowcore::{BATCH_ROWS, EndReason, FlowBatch, Format};

use crate::options::MeterOptions;
use crate::packet::Packet;
use entry::{Entry, Seen};
use flows::{Flows, Spot};
use fragment::Fragments;
use identity::Directions;
use key::Key;
use record::Ending;

/// The live flows.
#[derive(Debug)]
pub struct FlowTable {
    rules: Rules,
    /// The time that two packets in a row have reached, set back when two packets in a row lie further behind it
    /// than the idle timeout and the tolerance.
    clock: i64,
    /// Time of the packet before.
    previous: Option<i64>,
    /// Packets in a row that came from far ahead of the clock.
    far_ahead: u32,
    next_number: u64,
    flows: Flows,
    /// Flows that were settled when they were looked at, by place and number, the next one to be put out first.
    overdue: VecDeque<(u32, u64)>,
    fragments: Fragments,
    /// Flows open at the end of the input, the first one to end last.
    rest: Option<Vec<u32>>,
    /// Captures packets came from, in order; flows name theirs by index.
    sources: Vec<(String, Format)>,
    evicted: u64,
    /// Bytes of payload that the open flows keep.
    payload_held: usize,
}

/// The options that the table keeps to.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// Nanoseconds.
    active: i64,
    /// Nanoseconds.
    idle: i64,
    directions: Directions,
    tcp_quality: bool,
    payload_bytes: usize,
    max_flows: usize,
    max_payload: usize,
}

impl FlowTable {
    /// An empty table.
    pub fn new(options: &MeterOptions) -> Self {
        Self {
            rules: Rules::of(options),
            clock: i64::MIN,
            previous: None,
            far_ahead: 0,
            next_number: 0,
            flows: Flows::new(options.key),
            overdue: VecDeque::new(),
            fragments: Fragments::new(options.tunnels),
            rest: None,
            sources: Vec::new(),
            evicted: 0,
            payload_held: 0,
        }
    }

    /// The packets that follow come from this capture; flows that begin with them name it as their source.
    pub fn begin_source(&mut self, name: &str, format: Format) {
        self.sources.push((name.to_owned(), format));
    }

    /// Counts a packet seen at `time` (nanoseconds since 1970 UTC), whose transport header is followed by `payload`
    /// as far as it was captured; some flows that are over by then go to `ended`, not more than a few dozen.
    pub fn observe(&mut self, time: i64, packet: &Packet, payload: &[u8], ended: &mut FlowBatch) {
        self.advance(time, ended);
        let payload = payload.get(..self.rules.payload_bytes).unwrap_or(payload);
        if !packet.is_in_pieces() {
            return self.count(time, packet, payload, ended);
        }
        let placed = self.fragments.place(time, packet, |tunnel| self.flows.datagram_scope(packet, tunnel));
        // Only the packet itself may have a payload, and then it does not wait.
        let Some((itself, released)) = placed.split_last() else { return };
        for (time, packet) in released {
            self.count(*time, packet, &[], ended);
        }
        self.count(itself.0, &itself.1, payload, ended);
    }

    /// The input is over: ends the flows that are still open, a batch at a time. `false` when none is left.
    pub fn drain(&mut self, ended: &mut FlowBatch) -> bool {
        if !self.release(i64::MAX, ended) {
            return true;
        }
        let mut rest = self.rest.take().unwrap_or_else(|| self.open_flows());
        let any = !rest.is_empty();
        for number in 0..BATCH_ROWS {
            if number > 0 && self.payload_held > 0 && ended.is_full() {
                break;
            }
            let Some(at) = rest.pop() else { break };
            let Some(entry) = self.flows.get(at) else { continue };
            let reason = entry.end_at(self.clock, self.rules.idle, EndReason::ForcedEnd);
            self.end(at, reason, ended);
        }
        self.rest = Some(rest);
        any
    }

    /// Flows that are open.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// Whether no flow is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Flows that were ended to make room, although more packets might have come.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The places of the open flows, the first one to end last.
    fn open_flows(&self) -> Vec<u32> {
        let open = self.flows.iter();
        let mut open: Vec<_> =
            open.map(|(at, entry)| (entry.deadline(self.rules.idle), entry.number, at)).collect();
        open.sort_unstable_by(|a, b| b.cmp(a));
        open.into_iter().map(|(_, _, at)| at).collect()
    }

    /// Counts a packet whose ports are known, as far as they ever will be.
    fn count(&mut self, time: i64, packet: &Packet, payload: &[u8], ended: &mut FlowBatch) {
        let (key, side) = Key::of(packet);
        let seen = Seen { time, side, packet, payload };
        let spot = self.flows.find(&key, packet);
        let Some((at, entry)) = spot.at.and_then(|at| Some((at, self.flows.get_mut(at)?))) else {
            let entry = self.rules.new_flow(key, &seen);
            return self.begin(spot, entry, &seen, ended);
        };
        let is_excluded = entry.excludes(time, self.rules.idle);
        if is_excluded || entry.is_followed_by(&seen) {
            let reason = if is_excluded { entry.natural_end() } else { EndReason::EndOfFlow };
            self.end(at, reason, ended);
            return self.begin(spot, self.rules.new_flow(key, &seen), &seen, ended);
        }
        // What follows the end of a connection belongs to it, and is over in seconds.
        if entry.span_with(time) >= self.rules.active && !entry.is_closed() {
            let next = entry.continued();
            self.end(at, EndReason::ActiveTimeout, ended);
            return self.begin(spot, next, &seen, ended);
        }
        let (was_closed, kept) = (entry.is_closed(), entry.payload_bytes());
        entry.add(&seen);
        self.payload_held += entry.payload_bytes() - kept;
        if !was_closed && entry.is_closed() {
            let settled = entry.settled(self.rules.idle);
            self.flows.expiry().put(at, settled);
        }
        self.make_room(self.rules.max_flows, ended);
    }

    /// Puts a new flow with its first packet into the table.
    fn begin(&mut self, spot: Spot, mut entry: Entry, seen: &Seen<'_>, ended: &mut FlowBatch) {
        self.make_room(self.rules.max_flows - 1, ended);
        entry.number = self.next_number;
        entry.source = self.sources.len().checked_sub(1).and_then(|at| u32::try_from(at).ok());
        self.next_number += 1;
        entry.add(seen);
        self.payload_held += entry.payload_bytes();
        let settled = entry.settled(self.rules.idle);
        self.flows.insert(spot, entry, settled);
    }

    /// Takes a flow out of the table and puts its record into the batch.
    fn end(&mut self, at: u32, reason: EndReason, ended: &mut FlowBatch) {
        let Some(entry) = self.flows.remove(at) else { return };
        self.payload_held -= entry.payload_bytes();
        let source = entry.source.and_then(|at| self.sources.get(at as usize));
        entry.export(&Ending { reason, source, directions: self.rules.directions }, ended);
    }
}

impl Rules {
    fn of(options: &MeterOptions) -> Self {
        Self {
            active: options.active_timeout_nanos(),
            idle: options.idle_timeout_nanos(),
            directions: if options.uniflow { Directions::One } else { Directions::Both },
            tcp_quality: options.tcp_quality,
            payload_bytes: options.payload_bytes as usize,
            max_flows: options.max_flows.clamp(1, MOST_FLOWS),
            max_payload: MOST_PAYLOAD,
        }
    }

    fn new_flow(&self, key: Key, seen: &Seen<'_>) -> Entry {
        let entry = Entry::new(key, seen);
        if self.tcp_quality { entry.measured() } else { entry }
    }
}

/// Bytes of payload that open flows keep in all; beyond that they make room as if there were too many of them.
const MOST_PAYLOAD: usize = 512 << 20;
/// Flows have places of 32 bits.
const MOST_FLOWS: usize = u32::MAX as usize - 1;
