//! A live flow in one of its forms: its only packet, what is counted of several, or all that there is to know of it.

use super::entry::{Entry, NEVER};
use super::identity::Scope;
use super::key::{Key, Key4};
use super::outlook::Outlook;
use super::pair::Head;
use super::single::Single;
use crate::options::KeyParts;

/// A flow that is still open, or on its way to a record.
#[derive(Debug)]
#[repr(align(64))]
pub(super) enum Flow {
    /// It has one packet, and nothing rare about it.
    Single(Single),
    /// It has several IPv4 packets, and nothing rare about it; what it counts is elsewhere.
    Pair(Head),
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
            Self::Whole(entry) => entry.key == *key,
            _ => key.short().is_some_and(|key| self.is_of_short(key)),
        }
    }

    /// [`is_of`](Self::is_of) for an IPv4 packet.
    #[inline]
    pub(super) fn is_of_short(&self, key: Key4) -> bool {
        match self {
            Self::Single(single) => single.key() == key,
            Self::Pair(head) => head.key() == key,
            Self::Whole(entry) => entry.key.short() == Some(key),
        }
    }

    pub(super) fn key(&self) -> Key {
        match self {
            Self::Single(single) => single.key().whole(),
            Self::Pair(head) => head.key().whole(),
            Self::Whole(entry) => entry.key,
        }
    }

    /// What tells the flow apart from others with the same key.
    pub(super) fn scope(&self, parts: KeyParts) -> Option<Scope> {
        match self {
            Self::Single(single) => single.scope(parts),
            // There are none where anything does.
            Self::Pair(_) => None,
            Self::Whole(entry) => entry.identity.scope(parts),
        }
    }

    /// Order of creation.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Single(single) => single.number(),
            Self::Pair(head) => head.number,
            Self::Whole(entry) => entry.number,
        }
    }

    /// When the flow is over, as far as is known.
    #[inline]
    pub(super) fn outlook(&self) -> Outlook {
        match self {
            Self::Single(single) => single.outlook(),
            Self::Pair(head) => head.outlook(),
            Self::Whole(entry) => entry.outlook(),
        }
    }

    /// Bytes of payload that are kept.
    pub(super) fn payload_bytes(&self) -> usize {
        match self {
            Self::Single(_) | Self::Pair(_) => 0,
            Self::Whole(entry) => entry.payload_bytes(),
        }
    }

    /// The moment for which it waits to be looked at.
    pub(super) fn waits(&self, idle: i64) -> Option<i64> {
        let moment = match self {
            Self::Single(single) => return single.waits().then(|| single.outlook().settled(idle)),
            Self::Pair(head) => head.waits,
            Self::Whole(entry) => entry.waits,
        };
        Some(moment).filter(|&moment| moment != NEVER)
    }

    /// Notes that it waits until it is `settled`, or no longer; the ticket for it, which is `fresh` where it may have
    /// waited before.
    pub(super) fn set_waits(&mut self, settled: Option<i64>, fresh: u32) -> u32 {
        match self {
            Self::Single(single) => {
                single.set_waits(settled.is_some());
                return single.ticket();
            }
            Self::Pair(head) => (head.waits, head.ticket) = (settled.unwrap_or(NEVER), fresh),
            Self::Whole(entry) => (entry.waits, entry.ticket) = (settled.unwrap_or(NEVER), fresh),
        }
        fresh
    }

    /// Whether it waits with this ticket.
    pub(super) fn holds(&self, ticket: u32) -> bool {
        match self {
            Self::Single(single) => single.waits() && single.ticket() == ticket,
            Self::Pair(head) => head.waits != NEVER && head.ticket == ticket,
            Self::Whole(entry) => entry.waits != NEVER && entry.ticket == ticket,
        }
    }
}
