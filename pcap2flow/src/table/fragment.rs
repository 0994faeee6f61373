//! Fragments join the flow of the datagram they belong to.
//!
//! Only the first fragment has ports. It names the flow for the fragments after it; fragments that come before
//! it wait, as small summaries, until it arrives or the clock is past [`WAIT`] and the table's tolerance. What belongs
//! to a datagram is told by the fragments' own times. Each fragment counts as the packet it is; nothing is put
//! together and nothing vanishes. Memory is bounded: whoever sends more fragments than fit loses ports, not packets.

use std::collections::VecDeque;
use std::net::IpAddr;

use flowcore::{NANOS_PER_SEC, Protocol};
use hashbrown::HashMap;

use super::entry::REORDER;
use crate::packet::{Icmp, Packet};

/// How long a datagram's fragments are expected after one another (RFC 791 suggests 15 s, RFC 8200 60 s; Linux
/// uses 30 s).
pub(super) const WAIT: i64 = 30 * NANOS_PER_SEC;
/// Datagrams known at a time; beyond that the oldest is given up.
const MAX_DATAGRAMS: usize = 65_536;
/// Fragments that may wait for the first one of their datagram; the next one releases them all.
const MAX_WAITING: usize = 64;
/// Fragments that may wait in all; beyond that the oldest datagram is given up.
const MAX_WAITING_IN_ALL: usize = 65_536;

/// Datagrams of which fragments have been seen lately.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// In the order in which they were first seen, also those whose key has been used again since.
    queue: VecDeque<Datagram>,
    /// The number of the datagram at the front of the queue; those after it count on.
    front: u64,
    /// The number of the latest datagram of a key.
    known: HashMap<DatagramKey, u64, foldhash::fast::RandomState>,
    /// Fragments that wait, in all datagrams.
    waiting: usize,
}

/// What a fragment has in common with the others of its datagram (RFC 791, RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct DatagramKey {
    src: IpAddr,
    dst: IpAddr,
    protocol: Protocol,
    id: u32,
}

#[derive(Debug)]
struct Datagram {
    /// When its first fragment to be seen was captured.
    time: i64,
    key: DatagramKey,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first fragment has been seen: this is where the others belong.
    Named { ports: Option<(u16, u16)>, icmp: Option<Icmp>, protocol: Protocol },
    /// It has not; these wait.
    Waiting(Vec<(i64, Packet)>),
}

/// What is to be done with a fragment.
#[derive(Debug)]
pub(super) enum Placed {
    /// Count it now, as this packet.
    Now(Packet),
    /// Count these now: it, and those that waited for it.
    Released(Vec<(i64, Packet)>),
    /// It waits.
    Waiting,
}

impl Fragments {
    /// Finds the place of a fragment seen at `time`.
    pub(super) fn place(&mut self, time: i64, packet: &Packet) -> Placed {
        let Some(fragment) = packet.fragment.filter(|_| needs_first(packet)) else {
            return Placed::Now(packet.clone());
        };
        let key =
            DatagramKey { src: packet.src, dst: packet.dst, protocol: identity(packet), id: fragment.id };
        if fragment.offset == 0 { self.first(time, key, packet) } else { self.later(time, key, packet) }
    }

    /// What waited in the next datagram that is given up: by `now` its first fragment has not come in time, or
    /// there are too many. A datagram from far ahead of `now` is given up too, or it would hold up the others.
    pub(super) fn due(&mut self, now: i64) -> Option<Vec<(i64, Packet)>> {
        let patience = WAIT + REORDER;
        while let Some(oldest) = self.queue.front() {
            let crowded = self.queue.len() > MAX_DATAGRAMS || self.waiting > MAX_WAITING_IN_ALL;
            let over = now >= oldest.time.saturating_add(patience);
            let stray = now <= oldest.time.saturating_sub(patience);
            if !(crowded || over || stray) {
                break;
            }
            if let Some(State::Waiting(waiting)) = self.pop()
                && !waiting.is_empty()
            {
                self.waiting = self.waiting.saturating_sub(waiting.len());
                return Some(waiting);
            }
        }
        None
    }

    /// Datagrams that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.known.len() <= self.queue.len());
        self.queue.len()
    }

    fn first(&mut self, time: i64, key: DatagramKey, packet: &Packet) -> Placed {
        let mut released = match self.find(time, &key) {
            Some(State::Waiting(waiting)) => std::mem::take(waiting),
            _ => Vec::new(),
        };
        self.waiting = self.waiting.saturating_sub(released.len());
        let state = State::Named { ports: packet.ports, icmp: packet.icmp, protocol: packet.protocol };
        self.insert(time, key, state);
        if released.is_empty() {
            return Placed::Now(packet.clone());
        }
        for (_, other) in &mut released {
            name(other, packet.ports, packet.icmp, packet.protocol);
        }
        released.push((time, packet.clone()));
        Placed::Released(released)
    }

    fn later(&mut self, time: i64, key: DatagramKey, packet: &Packet) -> Placed {
        match self.find(time, &key) {
            Some(State::Named { ports, icmp, protocol }) => {
                let mut packet = packet.clone();
                name(&mut packet, *ports, *icmp, *protocol);
                return Placed::Now(packet);
            }
            Some(State::Waiting(waiting)) => {
                waiting.push((time, packet.clone()));
                if waiting.len() > MAX_WAITING {
                    let released = std::mem::take(waiting);
                    self.waiting = self.waiting.saturating_sub(released.len() - 1);
                    return Placed::Released(released);
                }
            }
            None => self.insert(time, key, State::Waiting(vec![(time, packet.clone())])),
        }
        self.waiting += 1;
        Placed::Waiting
    }

    /// The datagram that a fragment of `time` belongs to.
    fn find(&mut self, time: i64, key: &DatagramKey) -> Option<&mut State> {
        let at = self.known.get(key)?.checked_sub(self.front)?;
        let datagram = self.queue.get_mut(usize::try_from(at).ok()?)?;
        (time.abs_diff(datagram.time) < WAIT.unsigned_abs()).then_some(&mut datagram.state)
    }

    /// Adds a datagram, which takes over the key.
    fn insert(&mut self, time: i64, key: DatagramKey, state: State) {
        self.known.insert(key, self.front + self.queue.len() as u64);
        self.queue.push_back(Datagram { time, key, state });
    }

    /// Forgets the oldest datagram, and returns the state it had.
    fn pop(&mut self) -> Option<State> {
        let datagram = self.queue.pop_front()?;
        if self.known.get(&datagram.key) == Some(&self.front) {
            self.known.remove(&datagram.key);
        }
        self.front += 1;
        Some(datagram.state)
    }
}

/// Whether later fragments lack something of the flow's key that the first one has. In IPv6 a later fragment may
/// name another protocol.
fn needs_first(packet: &Packet) -> bool {
    packet.src.is_ipv6() || packet.protocol.has_ports() || packet.protocol.is_icmp()
}

/// Gives a later fragment what only the first one carries.
fn name(packet: &mut Packet, ports: Option<(u16, u16)>, icmp: Option<Icmp>, protocol: Protocol) {
    packet.ports = ports;
    packet.icmp = icmp;
    packet.protocol = protocol;
}

/// The protocol as far as all fragments of a datagram agree on it: IPv6 datagrams are told by addresses and
/// identification alone, since later fragments name the header that follows the fragment header.
fn identity(packet: &Packet) -> Protocol {
    if packet.src.is_ipv4() { packet.protocol } else { Protocol::ICMPV6 }
}
