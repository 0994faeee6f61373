//! Where the live flows are kept: found by key, ended by time.
//!
//! Flows have a place each. An [`Index`] finds the place by the key, and by what `--key` adds to it;
//! [`Expiry`] finds it by time.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::expiry::{Expiry, Turn};
use super::flow::Flow;
use super::identity::Scope;
use super::index::Index;
use super::key::Key;
use super::places::Places;
use super::seen::{Rare, Seen};
use crate::options::KeyParts;
use crate::packet::{Packet, Tunnel};

/// The live flows.
#[derive(Debug)]
pub(super) struct Flows {
    parts: KeyParts,
    /// Idle timeout in nanoseconds.
    idle: i64,
    hasher: RandomState,
    index: Index,
    flows: Places<Flow>,
    expiry: Expiry,
    next_ticket: u64,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// The place of its flow, if there is one.
    pub(super) at: Option<u32>,
    tag: u32,
}

impl Flows {
    /// No flows; they will be told apart by `parts` too, and wait for the idle timeout (nanoseconds).
    pub(super) fn new(parts: KeyParts, idle: i64) -> Self {
        Self {
            parts,
            idle,
            hasher: RandomState::default(),
            index: Index::default(),
            flows: Places::default(),
            expiry: Expiry::default(),
            next_ticket: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.flows.len()
    }

    /// The tag of a packet, by which its flow is looked for.
    #[inline]
    pub(super) fn tag(&self, seen: &Seen, rare: &Rare<'_>) -> u32 {
        self.hash(&seen.key, Scope::of(self.parts, seen, rare))
    }

    /// Brings what packets with these tags will need into the core's cache. It is far apart in memory, so that waiting
    /// for it takes most of a packet's time; what is asked for together comes together. So nothing is decided by what
    /// has not come yet: each step asks for all, the next one looks at it.
    pub(super) fn warm<const N: usize>(&self, tags: [u32; N]) {
        std::hint::black_box(tags.iter().fold(0, |sum, &tag| sum ^ self.index.touch(tag)));
        self.warm_places(tags.map(|tag| self.index.find(tag, |_| true).unwrap_or(u32::MAX)));
    }

    /// [`warm`](Self::warm) for flows whose places are known.
    pub(super) fn warm_places<const N: usize>(&self, places: [u32; N]) {
        let flows = places.map(|at| self.flows.slot(at).unwrap_or(&None));
        std::hint::black_box(flows.iter().fold(0, |sum, flow| sum + u32::from(flow.is_some())));
        let entries = flows.map(|flow| flow.as_ref().and_then(Flow::entry));
        std::hint::black_box(entries.iter().flatten().fold(0, |sum, entry| sum ^ entry.touch()));
    }

    /// Finds the flow of a packet that has this tag.
    #[inline]
    pub(super) fn find(&self, tag: u32, seen: &Seen, rare: &Rare<'_>) -> Spot {
        let scope = Scope::of(self.parts, seen, rare);
        let is_it = |at| {
            let flow = self.get(at).filter(|flow| flow.is_of(&seen.key));
            flow.is_some_and(|flow| scope.is_none() || flow.scope(self.parts) == scope)
        };
        Spot { at: self.index.find(tag, is_it), tag }
    }

    /// A hash of what tells the datagram of a fragment in `tunnel` apart from others with the same addresses and
    /// identification.
    pub(super) fn datagram_scope(&self, fragment: &Packet, tunnel: Option<&Tunnel>) -> u64 {
        Scope::of_datagram(self.parts, fragment, tunnel).map_or(0, |scope| self.hasher.hash_one(scope))
    }

    /// A number that is larger than any before; flows are numbered by it in the order of their creation.
    pub(super) fn next_number(&mut self) -> u64 {
        self.next_ticket += 1;
        self.next_ticket
    }

    pub(super) fn get(&self, at: u32) -> Option<&Flow> {
        self.flows.get(at)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Flow> {
        self.flows.get_mut(at)
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

    /// Takes a flow out.
    pub(super) fn remove(&mut self, at: u32) -> Option<Flow> {
        let tag = self.tag_of(self.get(at)?);
        self.index.remove(tag, at);
        self.take(at)
    }

    /// Takes a flow out that no packet will ask for any more.
    pub(super) fn take(&mut self, at: u32) -> Option<Flow> {
        self.flows.take(at)
    }

    /// No packet will ask for a flow any more: those that are left are to be [taken](Self::take) out.
    pub(super) fn close(&mut self) {
        self.index.clear();
        self.expiry = Expiry::default();
    }

    /// Lets a flow wait until it is settled, wherever it waited before.
    pub(super) fn wait(&mut self, at: u32) {
        let (fresh, idle) = (self.next_number(), self.idle);
        let Some(flow) = self.get_mut(at) else { return };
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

    /// Takes the flows that were to be settled in the earliest second that lies wholly before `now`: they wait no more.
    pub(super) fn due(&mut self, now: i64) -> Option<Vec<u32>> {
        let mut turns = self.expiry.due(now)?;
        turns.retain(|&turn| is_current(&self.flows, turn));
        let flows: Vec<_> = turns.into_iter().map(|turn| turn.at).collect();
        for &at in &flows {
            if let Some(flow) = self.get_mut(at) {
                flow.set_waits(None, 0);
            }
        }
        Some(flows)
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

    #[inline]
    fn hash(&self, key: &Key, scope: Option<Scope>) -> u32 {
        let hash = match scope {
            None => self.hasher.hash_one(key),
            Some(scope) => self.hasher.hash_one((key, scope)),
        };
        (hash >> 32) as u32
    }

    fn tag_of(&self, flow: &Flow) -> u32 {
        self.hash(&flow.key(), flow.scope(self.parts))
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

/// Old turns that are kept however few flows there are.
const SPARE_TURNS: usize = 4096;
