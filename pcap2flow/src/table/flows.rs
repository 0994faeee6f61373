//! Where the live flows are kept: found by key, ended by time.
//!
//! Flows have a place each in one array. A hash table finds the place by the key, and by what `--key` adds to it;
//! [`Expiry`] finds it by time.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::entry::Entry;
use super::expiry::Expiry;
use super::identity::Scope;
use super::key::Key;
use crate::options::KeyParts;
use crate::packet::{Packet, Tunnel};

/// The live flows.
#[derive(Debug, Default)]
pub(super) struct Flows {
    parts: KeyParts,
    hasher: RandomState,
    index: HashTable<u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    expiry: Expiry,
}

/// Where a packet belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// The place of its flow, if there is one.
    pub(super) at: Option<u32>,
    hash: u64,
}

impl Flows {
    /// No flows; they will be told apart by `parts` too.
    pub(super) fn new(parts: KeyParts) -> Self {
        Self { parts, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Finds the flow of a packet with this key.
    #[inline]
    pub(super) fn find(&self, key: &Key, packet: &Packet) -> Spot {
        let scope = Scope::of(self.parts, packet);
        let hash = hash(&self.hasher, key, scope);
        let is_it = |&at: &u32| {
            let entry = self.get(at).filter(|entry| entry.key == *key);
            entry.is_some_and(|entry| scope.is_none() || entry.identity.scope(self.parts) == scope)
        };
        Spot { at: self.index.find(hash, is_it).copied(), hash }
    }

    /// A hash of what tells the datagram of a fragment in `tunnel` apart from others with the same addresses and
    /// identification.
    pub(super) fn datagram_scope(&self, fragment: &Packet, tunnel: Option<&Tunnel>) -> u64 {
        Scope::of_datagram(self.parts, fragment, tunnel).map_or(0, |scope| self.hasher.hash_one(scope))
    }

    pub(super) fn get(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Entry> {
        self.entries.get_mut(at as usize)?.as_mut()
    }

    /// The flows and their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.entries).filter_map(|(at, entry)| Some((at, entry.as_ref()?)))
    }

    /// Puts a flow where a packet belongs that found none, to be looked at when it may be `settled`.
    pub(super) fn insert(&mut self, spot: Spot, entry: Entry, settled: i64) {
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entries.push(None);
                // The table holds fewer flows than that.
                u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
            }
        };
        let (entries, hasher, parts) = (&self.entries, &self.hasher, self.parts);
        let rehash = |&at: &u32| {
            let entry = entries.get(at as usize).and_then(Option::as_ref);
            entry.map_or(0, |entry| hash_entry(hasher, parts, entry))
        };
        self.index.insert_unique(spot.hash, at, rehash);
        if let Some(place) = self.entries.get_mut(at as usize) {
            *place = Some(entry);
        }
        self.expiry.put(at, settled);
    }

    /// Takes a flow out.
    pub(super) fn remove(&mut self, at: u32) -> Option<Entry> {
        let entry = self.entries.get_mut(at as usize)?.take()?;
        let hash = hash_entry(&self.hasher, self.parts, &entry);
        if let Ok(slot) = self.index.find_entry(hash, |&other| other == at) {
            slot.remove();
        }
        self.expiry.remove(at);
        self.free.push(at);
        Some(entry)
    }

    /// When to look at which flow.
    pub(super) fn expiry(&mut self) -> &mut Expiry {
        &mut self.expiry
    }

    /// Places that were needed at the same time, and places free now.
    #[cfg(test)]
    pub(super) fn places(&self) -> (usize, usize) {
        assert_eq!(self.entries.len(), self.index.len() + self.free.len());
        (self.entries.len(), self.free.len())
    }
}

#[inline]
fn hash(hasher: &RandomState, key: &Key, scope: Option<Scope>) -> u64 {
    match scope {
        None => hasher.hash_one(key),
        Some(scope) => hasher.hash_one((key, scope)),
    }
}

fn hash_entry(hasher: &RandomState, parts: KeyParts, entry: &Entry) -> u64 {
    hash(hasher, &entry.key, entry.identity.scope(parts))
}
