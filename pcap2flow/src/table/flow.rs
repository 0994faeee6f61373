//! A live flow in either of its forms: its only packet, or all that is counted of many.

use super::entry::{Entry, NEVER};
use super::identity::Scope;
use super::key::Key;
use super::outlook::Outlook;
use super::single::Single;
use crate::options::KeyParts;

/// A flow that is still open, or on its way to a record.
#[derive(Debug)]
pub(super) enum Flow {
    /// It has one packet, and nothing rare about it.
    Single(Single),
    /// Any other.
    Whole(Box<Entry>),
}

/// A cache line: a table of millions of flows is mostly these.
const _: () = assert!(size_of::<Option<Flow>>() == 64);

impl Flow {
    /// Whether a packet with this key may belong to it.
    #[inline]
    pub(super) fn is_of(&self, key: &Key) -> bool {
        match self {
            Self::Single(single) => single.is_of(key),
            Self::Whole(entry) => entry.key == *key,
        }
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Self::Single(single) => single.key(),
            Self::Whole(entry) => entry.key,
        }
    }

    /// What tells the flow apart from others with the same key.
    pub(super) fn scope(&self, parts: KeyParts) -> Option<Scope> {
        match self {
            Self::Single(single) => single.scope(parts),
            Self::Whole(entry) => entry.identity.scope(parts),
        }
    }

    /// Order of creation.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Single(single) => single.number(),
            Self::Whole(entry) => entry.number,
        }
    }

    /// When the flow is over, as far as is known.
    pub(super) fn outlook(&self) -> Outlook {
        match self {
            Self::Single(single) => single.outlook(),
            Self::Whole(entry) => entry.outlook(),
        }
    }

    /// What is counted, if the flow has more than its only packet.
    #[inline]
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Single(_) => None,
            Self::Whole(entry) => Some(entry),
        }
    }

    /// Bytes of payload that are kept.
    pub(super) fn payload_bytes(&self) -> usize {
        match self {
            Self::Single(_) => 0,
            Self::Whole(entry) => entry.payload_bytes(),
        }
    }

    /// The flow as one that can take further packets.
    pub(super) fn grow(&mut self, idle: i64) -> &mut Entry {
        if let Self::Single(single) = self {
            let mut entry = Box::new(single.grown());
            entry.waits = if single.waits() { single.outlook().settled(idle) } else { NEVER };
            entry.ticket = single.ticket();
            *self = Self::Whole(entry);
        }
        match self {
            Self::Whole(entry) => entry,
            Self::Single(_) => unreachable!("it has just grown"),
        }
    }

    /// The moment for which it waits to be looked at.
    pub(super) fn waits(&self, idle: i64) -> Option<i64> {
        match self {
            Self::Single(single) => single.waits().then(|| single.outlook().settled(idle)),
            Self::Whole(entry) => Some(entry.waits).filter(|&moment| moment != NEVER),
        }
    }

    /// Notes that it waits until it is `settled`, or no longer; the ticket for it, which is `fresh` where it may have
    /// waited before.
    pub(super) fn set_waits(&mut self, settled: Option<i64>, fresh: u32) -> u32 {
        match self {
            Self::Single(single) => {
                single.set_waits(settled.is_some());
                single.ticket()
            }
            Self::Whole(entry) => {
                (entry.waits, entry.ticket) = (settled.unwrap_or(NEVER), fresh);
                fresh
            }
        }
    }

    /// Whether it waits with this ticket.
    pub(super) fn holds(&self, ticket: u32) -> bool {
        match self {
            Self::Single(single) => single.waits() && single.ticket() == ticket,
            Self::Whole(entry) => entry.waits != NEVER && entry.ticket == ticket,
        }
    }
}
