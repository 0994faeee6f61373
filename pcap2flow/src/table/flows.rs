//! Where the live flows are kept: found by key, ended by time.
//!
//! Flows have a place each. An [`Index`] finds the place by the key, and by what `--key` adds to it;
//! [`Expiry`] finds it by time.

use super::brief::Brief;
use super::entry::Entry;
use super::expiry::{Expiry, Turn};
use super::flow::Flow;
use super::identity::{Scope, Tagger};
use super::index::Index;
use super::pair::{More, Pair, grown};
use super::places::Places;
use super::seen::{Rare, Seen};
use crate::packet::{Packet, Tunnel};

/// The live flows.
#[derive(Debug)]
pub(super) struct Flows {
    tagger: Tagger,
    /// Idle timeout in nanoseconds.
    idle: i64,
    index: Index,
    flows: Places<Flow>,
    /// What flows of several packets count.
    mores: Places<More>,
    expiry: Expiry,
    next_ticket: u64,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// The place of its flow, if there is one.
    pub(super) at: Option<u32>,
    pub(super) tag: u32,
}

impl Flows {
    /// No flows; they will be found by tags of this `tagger`, and wait for the idle timeout (nanoseconds).
    pub(super) fn new(tagger: Tagger, idle: i64) -> Self {
        Self {
            tagger,
            idle,
            index: Index::default(),
            flows: Places::default(),
            mores: Places::default(),
            expiry: Expiry::default(),
            next_ticket: 0,
        }
    }

    pub(super) fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    /// The tag of a packet, by which its flow is looked for.
    #[inline]
    pub(super) fn tag(&self, seen: &Seen, rare: &Rare<'_>) -> u32 {
        self.tagger.tag(&seen.key, Scope::of(self.tagger.parts(), seen, rare))
    }

    /// What a packet will need lies far apart in memory. It is asked for in three steps, each some time after the one
    /// before, whose answer it looks at. This is the first: where the index may have a tag.
    #[inline]
    pub(super) fn prefetch_slot(&self, tag: u32) {
        self.index.prefetch(tag);
    }

    /// The second step: where a flow with this tag very likely is, or no place.
    #[inline]
    pub(super) fn prefetch_flow(&self, tag: u32) -> u32 {
        let at = self.index.near(tag);
        self.prefetch_place(at);
        at
    }

    /// The same for a flow whose place is known.
    #[inline]
    pub(super) fn prefetch_place(&self, at: u32) {
        self.flows.prefetch(at);
    }

    /// The third step: what the flow at a place counts elsewhere.
    #[inline]
    pub(super) fn prefetch_counts(&self, at: u32) {
        match self.get(at) {
            Some(Flow::Pair(head)) => self.mores.prefetch(head.more),
            Some(Flow::Whole(entry)) => entry.prefetch(),
            _ => {}
        }
    }

    /// What it takes to [remove](Self::remove) the flow at a place, which is at hand.
    #[inline]
    pub(super) fn prefetch_removal(&self, at: u32) {
        if let Some(flow) = self.get(at) {
            self.prefetch_slot(self.tag_of(flow));
            self.prefetch_counts(at);
        }
    }

    /// Finds the flow of a packet that has this tag.
    #[inline]
    pub(super) fn find(&self, tag: u32, seen: &Seen, rare: &Rare<'_>) -> Spot {
        let parts = self.tagger.parts();
        let scope = Scope::of(parts, seen, rare);
        let is_it = |at| {
            let flow = self.get(at).filter(|flow| flow.is_of(&seen.key));
            flow.is_some_and(|flow| scope.is_none() || flow.scope(parts) == scope)
        };
        Spot { at: self.index.find(tag, is_it), tag }
    }

    /// Finds the flow of a packet where nothing but keys tells flows apart; it may be at `hint`.
    #[inline]
    pub(super) fn find_brief(&self, brief: &Brief, hint: u32) -> Option<u32> {
        let key = brief.key;
        let is_it = |at| self.get(at).is_some_and(|flow| flow.is_of_short(key));
        if is_it(hint) { Some(hint) } else { self.index.find(brief.tag(), is_it) }
    }

    /// The flow at a place as one of several packets; `None` if it is none, nor becomes one.
    #[inline]
    pub(super) fn pair(&mut self, at: u32) -> Option<Pair<'_>> {
        let flow = self.flows.get_mut(at)?;
        if let Flow::Single(single) = flow {
            let (mut head, more) = grown(single, self.idle)?;
            head.more = self.mores.put(more);
            *flow = Flow::Pair(head);
        }
        let Flow::Pair(head) = flow else { return None };
        let more = self.mores.get_mut(head.more)?;
        Some(Pair { head, more })
    }

    /// The flow at a place as one that can take any packet.
    pub(super) fn grow(&mut self, at: u32) -> Option<&mut Entry> {
        let flow = self.flows.get_mut(at)?;
        let entry = match flow {
            Flow::Single(single) => single.grown_waiting(self.idle),
            Flow::Pair(head) => head.entry(&self.mores.take(head.more)?),
            Flow::Whole(entry) => return Some(entry),
        };
        *flow = Flow::Whole(Box::new(entry));
        let Flow::Whole(entry) = flow else { return None };
        Some(entry)
    }

    /// A hash of what tells the datagram of a fragment in `tunnel` apart from others with the same addresses and
    /// identification.
    pub(super) fn datagram_scope(&self, fragment: &Packet, tunnel: Option<&Tunnel>) -> u64 {
        self.tagger.scope_hash(Scope::of_datagram(self.tagger.parts(), fragment, tunnel))
    }

    /// A number that is larger than any before; flows are numbered by it in the order of their creation.
    pub(super) fn next_number(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    pub(super) fn get(&self, at: u32) -> Option<&Flow> {
        self.flows.get(at)
    }

    /// The flows and their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Flow)> {
        self.flows.iter()
    }

    /// Puts a flow where a packet belongs that found none. It waits to be looked at.
    pub(super) fn insert(&mut self, spot: Spot, flow: Flow) {
        let at = self.flows.put(flow);
        self.index.insert(spot.tag, at);
        self.wait(at);
    }

    /// Takes a flow out, with what it counts elsewhere.
    pub(super) fn remove(&mut self, at: u32) -> Option<(Flow, Option<More>)> {
        let tag = self.tag_of(self.get(at)?);
        self.index.remove(tag, at);
        self.take(at)
    }

    /// Takes a flow out that no packet will ask for any more.
    pub(super) fn take(&mut self, at: u32) -> Option<(Flow, Option<More>)> {
        let flow = self.flows.take(at)?;
        let more = if let Flow::Pair(head) = &flow { self.mores.take(head.more) } else { None };
        Some((flow, more))
    }

    /// No packet will ask for a flow any more: those that are left are to be [taken](Self::take) out.
    pub(super) fn close(&mut self) {
        self.index.clear();
        self.expiry = Expiry::default();
    }

    /// Lets a flow wait until it is settled, wherever it waited before.
    pub(super) fn wait(&mut self, at: u32) {
        let (fresh, idle) = (self.next_number(), self.idle);
        let Some(flow) = self.flows.get_mut(at) else { return };
        let settled = flow.outlook().settled(idle);
        if flow.waits(idle) == Some(settled) {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "turns are told apart among those near one another"
        )]
        let ticket = flow.set_waits(Some(settled), fresh as u32);
        self.expiry.put(settled, Turn { at, ticket });
        if self.expiry.len() > 2 * self.len() + SPARE_TURNS {
            let flows = &self.flows;
            self.expiry.retain(|turn| is_current(flows, turn));
        }
    }

    /// Whether some flows were to be settled in a second that lies wholly before `now`.
    #[inline]
    pub(super) fn is_due(&self, now: i64) -> bool {
        self.expiry.is_due(now)
    }

    /// Takes the flows that were to be settled in the earliest second that lies wholly before `now`: they wait no more.
    pub(super) fn due(&mut self, now: i64) -> Option<Vec<u32>> {
        let turns = self.expiry.due(now)?;
        let mut ahead = turns.iter().skip(AHEAD);
        let mut flows = Vec::with_capacity(turns.len());
        for &turn in &turns {
            ahead.next().into_iter().for_each(|turn| self.flows.prefetch(turn.at));
            if let Some(flow) = self.flows.get_mut(turn.at).filter(|flow| flow.holds(turn.ticket)) {
                flow.set_waits(None, 0);
                flows.push(turn.at);
            }
        }
        Some(flows)
    }

    /// Places of flows in the order of deadline and beginning.
    pub(super) fn in_order(&self, places: &[u32]) -> Vec<u32> {
        let mut ahead = places.iter().skip(AHEAD);
        let when = |&at: &u32| {
            ahead.next().into_iter().for_each(|&at| self.flows.prefetch(at));
            let flow = self.get(at)?;
            Some((flow.outlook().deadline(self.idle), flow.number(), at))
        };
        let mut flows: Vec<_> = places.iter().filter_map(when).collect();
        flows.sort_unstable();
        flows.into_iter().map(|(.., at)| at).collect()
    }

    /// The flow that waits for the earliest moment, the one that was put there first; and whether it is to be settled
    /// at that moment still.
    pub(super) fn earliest(&mut self) -> Option<(u32, bool)> {
        loop {
            let turn = self.expiry.first()?;
            if let Some(flow) = self.get(turn.at).filter(|flow| flow.holds(turn.ticket)) {
                let settled = flow.outlook().settled(self.idle);
                return Some((turn.at, flow.waits(self.idle) == Some(settled)));
            }
            self.expiry.pop_first();
        }
    }

    fn tag_of(&self, flow: &Flow) -> u32 {
        self.tagger.tag(&flow.key(), flow.scope(self.tagger.parts()))
    }

    /// Places that were needed at the same time, and places free now.
    #[cfg(test)]
    pub(super) fn places(&self) -> (usize, usize) {
        self.flows.counts()
    }

    /// Flows that wait; old turns are not many more.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        let waiting = self.iter().filter(|(_, flow)| flow.waits(self.idle).is_some()).count();
        assert!((waiting..=2 * self.len() + SPARE_TURNS).contains(&self.expiry.len()));
        waiting
    }
}

fn is_current(flows: &Places<Flow>, turn: Turn) -> bool {
    flows.get(turn.at).is_some_and(|flow| flow.holds(turn.ticket))
}

/// Flows that are asked for before one is looked at.
const AHEAD: usize = 16;
/// Old turns that are kept however few flows there are.
const SPARE_TURNS: usize = 4096;
