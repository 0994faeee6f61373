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

mod brief;
mod ended;
mod ending;
mod entry;
mod expiry;
mod extent;
mod flow;
mod flows;
mod fragment;
mod half;
mod identity;
mod index;
mod key;
mod outlook;
mod pair;
mod payload;
mod places;
mod prefetch;
mod quality;
mod record;
mod rest;
mod seen;
mod sequence;
mod single;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use flowcore::{BATCH_ROWS, EndReason, FlowBatch, Format};

use crate::options::{KeyParts, MeterOptions};
use crate::packet::Packet;
pub(crate) use brief::Brief;
pub(crate) use ended::Ended;
use ended::Sources;
use entry::Entry;
use flow::Flow;
use flows::{Flows, Spot};
use fragment::Fragments;
use identity::Directions;
pub(crate) use identity::Tagger;
use pair::More;
use rest::Rest;
use seen::Rare;
pub(crate) use seen::Seen;
use single::Single;

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
    flows: Flows,
    /// Flows that were settled when they were looked at, by place and number, the next one to be put out first.
    overdue: VecDeque<(u32, u64)>,
    fragments: Fragments,
    /// Flows open at the end of the input.
    rest: Option<Rest>,
    /// Captures packets came from, in order; flows name theirs by index.
    sources: Sources,
    evicted: u64,
    /// Bytes of payload that the open flows keep.
    payload_held: usize,
    ended: Ended,
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
    /// Whether flows say nothing that only an [`Entry`] knows.
    is_plain: bool,
}

impl FlowTable {
    /// An empty table.
    pub fn new(options: &MeterOptions) -> Self {
        Self::tagged(options, Tagger::new(options.key))
    }

    /// An empty table for packets whose tags this `tagger` makes.
    pub(crate) fn tagged(options: &MeterOptions, tagger: Tagger) -> Self {
        let rules = Rules::of(options);
        Self {
            rules,
            clock: i64::MIN,
            previous: None,
            far_ahead: 0,
            flows: Flows::new(tagger, rules.idle),
            overdue: VecDeque::new(),
            fragments: Fragments::new(options.tunnels),
            rest: None,
            sources: Arc::default(),
            evicted: 0,
            payload_held: 0,
            ended: Ended::new(rules.directions),
        }
    }

    /// The packets that follow come from this capture; flows that begin with them name it as their source.
    pub fn begin_source(&mut self, name: &str, format: Format) {
        Arc::make_mut(&mut self.sources).push((name.to_owned(), format));
    }

    /// Counts a packet seen at `time` (nanoseconds since 1970 UTC), whose transport header is followed by `payload`
    /// as far as it was captured; some flows that are over by then go to `ended`, not more than a few dozen.
    pub fn observe(&mut self, time: i64, packet: &Packet, payload: &[u8], ended: &mut FlowBatch) {
        self.meter(time, packet, payload);
        self.export(ended);
    }

    /// The input is over: ends the flows that are still open, a batch at a time. `false` when none is left.
    pub fn drain(&mut self, ended: &mut FlowBatch) -> bool {
        let any = self.end_rest();
        self.export(ended);
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

    /// [`observe`](Self::observe), with the flows that are over kept for [`take_ended`](Self::take_ended).
    pub(crate) fn meter(&mut self, time: i64, packet: &Packet, payload: &[u8]) {
        self.advance(time);
        let payload = payload.get(..self.rules.payload_bytes).unwrap_or(payload);
        if self.rules.is_plain
            && payload.is_empty()
            && Seen::is_all_of(packet)
            && let Some(brief) = Brief::of(time, packet, self.flows.tagger())
        {
            return self.count_brief(&brief, u32::MAX);
        }
        if !packet.is_in_pieces() {
            return self.count(&Seen::of(time, packet), &Rare::of(packet, payload));
        }
        let placed = self.fragments.place(time, packet, |tunnel| self.flows.datagram_scope(packet, tunnel));
        // Only the packet itself may have a payload, and then it does not wait.
        let Some((itself, released)) = placed.split_last() else { return };
        for (time, packet) in released {
            self.count(&Seen::of(*time, packet), &Rare::of(packet, &[]));
        }
        let (time, packet) = itself;
        self.count(&Seen::of(*time, packet), &Rare::of(packet, payload));
    }

    /// [`meter`](Self::meter) for a plain IPv4 packet whose flow may be at this place.
    #[inline]
    pub(crate) fn meter_brief(&mut self, brief: &Brief, hint: u32) {
        self.advance(brief.time);
        if self.rules.is_plain {
            self.count_brief(brief, hint);
        } else {
            self.count_tagged(brief.tag(), &brief.seen(), &Rare::default());
        }
    }

    /// [`meter`](Self::meter) for any packet of which there is nothing more to know, with its tag.
    pub(crate) fn meter_seen(&mut self, tag: u32, seen: &Seen) {
        self.advance(seen.time);
        self.count_tagged(tag, seen, &Rare::default());
    }

    /// Asks for what packets with these tags will need, which come soon.
    #[inline]
    pub(crate) fn expect_tags<const N: usize>(&self, tags: &[u32; N]) {
        tags.iter().for_each(|&tag| self.flows.prefetch_slot(tag));
    }

    /// The same, one step further; where their flows may be.
    #[inline]
    pub(crate) fn expect_flows<const N: usize>(&self, tags: &[u32; N]) -> [u32; N] {
        let mut places = [0; N];
        places.iter_mut().zip(tags).for_each(|(at, &tag)| *at = self.flows.prefetch_flow(tag));
        places
    }

    /// The same, one step further, for flows that may be at these places.
    #[inline]
    pub(crate) fn expect_counts<const N: usize>(&self, places: &[u32; N]) {
        places.iter().for_each(|&at| self.flows.prefetch_counts(at));
    }

    /// [`drain`](Self::drain), with the flows kept for [`take_ended`](Self::take_ended).
    pub(crate) fn end_rest(&mut self) -> bool {
        if !self.release(i64::MAX) {
            return true;
        }
        let mut rest = self.rest.take().unwrap_or_else(|| self.open_flows());
        let mut any = false;
        for number in 0..BATCH_ROWS {
            if number > 0 && self.payload_held > 0 && self.ended.is_full() {
                break;
            }
            if number % AHEAD == 0 {
                rest.ahead::<AHEAD>(2).for_each(|at| self.flows.prefetch_place(at));
                rest.ahead::<AHEAD>(1).for_each(|at| self.flows.prefetch_counts(at));
            }
            let Some(at) = rest.next(|at| self.flows.get(at).map(Flow::number)) else { break };
            any = true;
            let Some(flow) = self.flows.take(at) else { continue };
            let reason = flow.0.outlook().end_at(self.clock, self.rules.idle, EndReason::ForcedEnd);
            self.put_out(flow, reason);
        }
        self.rest = Some(rest);
        any
    }

    /// Flows that are over and were not taken yet.
    pub(crate) fn ended(&self) -> &Ended {
        &self.ended
    }

    /// Exchanges the flows that are over for none, in memory that was used before.
    pub(crate) fn take_ended(&mut self, used: &mut Ended) {
        self.ended.swap(used, &self.sources);
    }

    fn export(&mut self, batch: &mut FlowBatch) {
        if self.ended.rows() > 0 {
            let mut ended = Ended::default();
            self.take_ended(&mut ended);
            ended.export(batch, usize::MAX);
        }
    }

    /// The open flows. No packet finds them any more.
    fn open_flows(&mut self) -> Rest {
        // The memory of the index is free before another order takes some.
        self.flows.close();
        let mut rest = Rest::default();
        for (at, flow) in self.flows.iter() {
            rest.add(at, flow.outlook().deadline(self.rules.idle));
        }
        rest
    }

    /// Counts a packet whose ports are known, as far as they ever will be.
    fn count(&mut self, seen: &Seen, rare: &Rare<'_>) {
        self.count_tagged(self.flows.tag(seen, rare), seen, rare);
    }

    /// [`count`](Self::count) for a plain IPv4 packet where nothing is asked for that only an [`Entry`] knows. All that
    /// is unusual is left to [`count_tagged`](Self::count_tagged).
    #[inline]
    fn count_brief(&mut self, brief: &Brief, hint: u32) {
        let Some(at) = self.flows.find_brief(brief, hint) else { return self.begin_brief(brief) };
        let (idle, active) = (self.rules.idle, self.rules.active);
        let pair = self.flows.pair(at);
        let Some(mut pair) = pair.filter(|pair| pair.takes(brief, idle, active)) else {
            return self.count_tagged(brief.tag(), &brief.seen(), &Rare::default());
        };
        let was_closed = pair.is_closed();
        pair.add(brief);
        if !was_closed && pair.is_closed() {
            self.flows.wait(at);
        }
        self.make_room(self.rules.max_flows);
    }

    /// Begins a flow with its first packet, for which there is none.
    fn begin_brief(&mut self, brief: &Brief) {
        let source = self.source();
        self.make_room(self.rules.max_flows - 1);
        let number = self.flows.next_number();
        let spot = Spot { at: None, tag: brief.tag() };
        match Single::begun_by(brief, number, source) {
            Some(single) => self.flows.insert(spot, Flow::Single(single)),
            None => self.begin(spot, &brief.seen(), &Rare::default()),
        }
    }

    /// [`count`](Self::count) for a packet whose tag is known.
    #[inline(never)] // Keeps the rare packets' code out of the common ones'.
    fn count_tagged(&mut self, tag: u32, seen: &Seen, rare: &Rare<'_>) {
        let spot = self.flows.find(tag, seen, rare);
        let Some((at, entry)) = spot.at.and_then(|at| Some((at, self.flows.grow(at)?))) else {
            return self.begin(spot, seen, rare);
        };
        let is_excluded = entry.excludes(seen.time, self.rules.idle);
        if is_excluded || entry.is_followed_by(seen) {
            let reason = if is_excluded { entry.outlook().natural_end() } else { EndReason::EndOfFlow };
            self.end(at, reason);
            return self.begin(spot, seen, rare);
        }
        // What follows the end of a connection belongs to it, and is over in seconds.
        if entry.span_with(seen.time) >= self.rules.active && !entry.is_closed() {
            let next = entry.continued();
            self.end(at, EndReason::ActiveTimeout);
            return self.begin_whole(spot, next, seen, rare);
        }
        let (was_closed, kept) = (entry.is_closed(), entry.payload_bytes());
        entry.add(seen, rare.payload);
        self.payload_held += entry.payload_bytes() - kept;
        if !was_closed && entry.is_closed() {
            self.flows.wait(at);
        }
        self.make_room(self.rules.max_flows);
    }

    /// Begins a flow with its first packet.
    fn begin(&mut self, spot: Spot, seen: &Seen, rare: &Rare<'_>) {
        if self.rules.tcp_quality || !rare.is_none() {
            return self.begin_whole(spot, self.rules.new_flow(seen, rare), seen, rare);
        }
        self.make_room(self.rules.max_flows - 1);
        let number = self.flows.next_number();
        match Single::of(seen, number, self.source()) {
            Some(single) => self.flows.insert(spot, Flow::Single(single)),
            None => self.begin_whole(spot, self.rules.new_flow(seen, rare), seen, rare),
        }
    }

    /// Puts a new flow with its first packet into the table.
    fn begin_whole(&mut self, spot: Spot, mut entry: Entry, seen: &Seen, rare: &Rare<'_>) {
        self.make_room(self.rules.max_flows - 1);
        entry.number = self.flows.next_number();
        entry.source = self.source();
        entry.add(seen, rare.payload);
        self.payload_held += entry.payload_bytes();
        self.flows.insert(spot, Flow::Whole(Box::new(entry)));
    }

    /// The number of the capture that is read.
    fn source(&self) -> Option<u32> {
        self.sources.len().checked_sub(1).and_then(|at| u32::try_from(at).ok())
    }

    /// Takes a flow out of the table.
    fn end(&mut self, at: u32, reason: EndReason) {
        if let Some(flow) = self.flows.remove(at) {
            self.put_out(flow, reason);
        }
    }

    fn put_out(&mut self, flow: (Flow, Option<More>), reason: EndReason) {
        self.payload_held -= flow.0.payload_bytes();
        self.ended.push(flow, reason);
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
            is_plain: !options.uniflow && !options.tcp_quality && options.key == KeyParts::default(),
        }
    }

    fn new_flow(&self, seen: &Seen, rare: &Rare<'_>) -> Entry {
        let entry = Entry::new(seen, rare);
        if self.tcp_quality { entry.measured() } else { entry }
    }
}

/// Open flows that are asked for together at the end of the input.
const AHEAD: usize = 32;
/// Bytes of payload that open flows keep in all; beyond that they make room as if there were too many of them.
const MOST_PAYLOAD: usize = 512 << 20;
/// Flows have places of 32 bits, and an index of as many slots is to have some free.
const MOST_FLOWS: usize = 1 << 31;
