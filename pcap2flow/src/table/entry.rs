//! One live flow: what it has counted, who began it, and when it is over.
//!
//! What belongs to it is decided here; what becomes of it as a record, in `record.rs`.

use flowcore::{Protocol, TcpFlags};

use super::half::Half;
use super::identity::{Directions, Identity};
use super::key::{Key, Role, Side};
use super::outlook::Outlook;
use super::payload::Payloads;
use super::prefetch::prefetch;
use super::quality::Quality;
use super::record::Sketch;
use super::seen::{Rare, Seen};
use crate::packet::Tcp;

/// The moment of flows that wait for none: no flow is settled at the beginning of time.
pub(super) const NEVER: i64 = i64::MIN;

/// A flow that is still open. What only few flows have is boxed: a table of millions of flows is mostly these.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// Order of creation, which breaks ties between flows that end at the same moment.
    pub(super) number: u64,
    /// The moment for which the flow waits to be looked at, or [`NEVER`].
    pub(super) waits: i64,
    /// Tells the place where it waits from places where it did.
    pub(super) ticket: u32,
    /// The capture in which the flow began, by its number.
    pub(super) source: Option<u32>,
    pub(super) initiator: Side,
    pub(super) forward: Half,
    pub(super) reverse: Half,
    pub(super) identity: Identity,
    pub(super) quality: Option<Box<Quality>>,
    pub(super) payloads: Option<Box<Payloads>>,
    /// Whether a SYN without ACK has shown who the initiator is.
    pub(super) opened: bool,
    /// When FIN had been seen both ways, or RST.
    pub(super) closed: Option<i64>,
}

impl Entry {
    /// A flow that begins with this packet, which still has to be [added](Self::add); the table numbers it.
    pub(super) fn new(seen: &Seen, rare: &Rare<'_>) -> Self {
        let side = seen.side;
        Self {
            key: seen.key,
            number: 0,
            waits: NEVER,
            ticket: 0,
            source: None,
            initiator: if seen.comes_from_responder() { side.other() } else { side },
            forward: Half::default(),
            reverse: Half::default(),
            identity: Identity::of(seen, rare),
            quality: None,
            payloads: None,
            opened: false,
            closed: None,
        }
    }

    /// The same flow, its TCP connection measured.
    pub(super) fn measured(mut self) -> Self {
        if self.key.protocol() == Protocol::TCP {
            self.quality = Some(Box::default());
        }
        self
    }

    /// The record that goes on after the active timeout: same flow, same initiator, fresh counters.
    pub(super) fn continued(&self) -> Self {
        Self {
            key: self.key,
            number: 0,
            waits: NEVER,
            ticket: 0,
            source: None,
            initiator: self.initiator,
            forward: self.forward.continued(),
            reverse: self.reverse.continued(),
            identity: self.identity.clone(),
            quality: self.quality.as_ref().map(|quality| Box::new(quality.continued())),
            payloads: None,
            opened: self.opened,
            closed: None,
        }
    }

    /// Counts a packet that belongs to the flow.
    pub(super) fn add(&mut self, seen: &Seen, payload: &[u8]) {
        if let Some(tcp) = seen.tcp {
            self.find_initiator(seen.side, tcp);
            self.measure(seen, tcp);
        }
        let role = self.role(seen.side);
        if !payload.is_empty() {
            self.payloads.get_or_insert_default().note(role, payload);
        }
        match role {
            Role::Initiator => self.forward.add(seen),
            Role::Responder => self.reverse.add(seen),
        }
        if let Some(tcp) = seen.tcp {
            self.note_end(seen.time, tcp);
        }
    }

    /// Reads from every cache line that a further packet needs.
    #[inline]
    pub(super) fn prefetch(&self) {
        prefetch(Some(&self.key));
        prefetch(Some(&self.waits));
        prefetch(Some(&self.forward));
        prefetch(Some(&self.reverse));
        prefetch(Some(&self.identity));
        prefetch(Some(&self.closed));
    }

    /// Bytes of payload that are kept.
    pub(super) fn payload_bytes(&self) -> usize {
        self.payloads.as_ref().map_or(0, |payloads| payloads.len())
    }

    /// Time of the earliest packet.
    pub(super) fn first(&self) -> i64 {
        self.forward.first.min(self.reverse.first)
    }

    /// Time of the latest packet.
    pub(super) fn last(&self) -> i64 {
        self.forward.last.max(self.reverse.last)
    }

    /// The flow's duration, a packet of `time` included.
    pub(super) fn span_with(&self, time: i64) -> i64 {
        self.last().max(time).saturating_sub(self.first().min(time))
    }

    /// Whether the end of a TCP connection has been seen.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether a TCP packet opens another connection between the same ports.
    pub(super) fn is_followed_by(&self, seen: &Seen) -> bool {
        let Some(tcp) = seen.tcp.filter(|tcp| tcp.flags.contains(TcpFlags::SYN)) else { return false };
        let (own, peer) = self.halves(self.role(seen.side));
        if tcp.flags.contains(TcpFlags::ACK) {
            return is_other_answer(tcp, own, peer);
        }
        match (own.syn, peer.syn_ack, peer.syn) {
            (Some(seq), _, _) => seq != tcp.seq,
            (None, Some(acknowledged), _) => acknowledged != tcp.seq.wrapping_add(1),
            // Both sides open at once (RFC 9293 §3.5), as long as nothing was acknowledged.
            (None, None, Some(_)) => self.is_closed() || peer.flags.contains(TcpFlags::ACK),
            // The beginning was not seen: an older SYN that arrives late belongs, a newer one does not.
            (None, None, None) => seen.time > self.first(),
        }
    }

    /// When the flow is over, as far as is known.
    pub(super) fn outlook(&self) -> Outlook {
        Outlook { last: self.last(), closed: self.closed, takes_orphans: self.key.takes_orphans() }
    }

    /// Whether a packet of `time` is too late or too early to belong to the flow.
    #[inline]
    pub(super) fn excludes(&self, time: i64, idle: i64) -> bool {
        time >= self.outlook().deadline(idle) || time <= self.first().saturating_sub(idle)
    }

    /// What a side sent, and what the other one did.
    pub(super) fn halves(&self, role: Role) -> (&Half, &Half) {
        match role {
            Role::Initiator => (&self.forward, &self.reverse),
            Role::Responder => (&self.reverse, &self.forward),
        }
    }

    /// The side in a role.
    pub(super) fn side(&self, role: Role) -> Side {
        match role {
            Role::Initiator => self.initiator,
            Role::Responder => self.initiator.other(),
        }
    }

    /// What a record is made of whose source is the side in this `role`.
    pub(super) fn sketch(&self, role: Role, directions: Directions) -> Sketch {
        let (own, peer) = self.halves(role);
        let src = self.side(role);
        Sketch {
            key: self.key,
            src,
            own: *own,
            peer: (directions == Directions::Both).then_some(*peer),
            source: self.source,
            vlan: self.identity.vlan(),
            macs: self.identity.macs(src),
        }
    }

    /// Whether a record says something that few do.
    pub(super) fn is_rare(&self) -> bool {
        self.identity.is_wrapped() || self.quality.is_some() || self.payloads.is_some()
    }

    fn role(&self, side: Side) -> Role {
        if side == self.initiator { Role::Initiator } else { Role::Responder }
    }

    /// Turns the flow round when a handshake shows that it began at the other side: a SYN without ACK always, the
    /// answer to one as long as no SYN was seen.
    fn find_initiator(&mut self, side: Side, tcp: Tcp) {
        if self.opened || !tcp.flags.contains(TcpFlags::SYN) {
            return;
        }
        let is_answer = tcp.flags.contains(TcpFlags::ACK);
        if is_answer && (self.forward.syn.is_some() || self.reverse.syn.is_some()) {
            return;
        }
        self.opened = !is_answer;
        let initiator = if is_answer { side.other() } else { side };
        if initiator != self.initiator {
            self.initiator = initiator;
            self.turn_round();
        }
    }

    fn turn_round(&mut self) {
        std::mem::swap(&mut self.forward, &mut self.reverse);
        if let Some(quality) = &mut self.quality {
            quality.turn_round();
        }
        if let Some(payloads) = &mut self.payloads {
            payloads.turn_round();
        }
    }

    fn measure(&mut self, seen: &Seen, tcp: Tcp) {
        let role = self.role(seen.side);
        let Some(mut quality) = self.quality.take() else { return };
        let (own, peer) = self.halves(role);
        quality.note(role, seen.time, tcp, own, peer);
        self.quality = Some(quality);
    }

    fn note_end(&mut self, time: i64, tcp: Tcp) {
        let fin_both = self.forward.fin && self.reverse.fin;
        if self.closed.is_none() && (fin_both || tcp.flags.contains(TcpFlags::RST)) {
            self.closed = Some(time.max(self.last()));
        }
    }
}

/// Whether SYN+ACK answers another SYN than the one of this flow. Where SYNs of the other side are to be seen, they say
/// what is a new connection; where none is, the answer's own number does.
fn is_other_answer(answer: Tcp, own: &Half, peer: &Half) -> bool {
    peer.syn.is_none() && own.syn.is_some_and(|seq| seq != answer.seq)
}
