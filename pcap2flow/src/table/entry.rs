//! One live flow: what it has counted, who began it, and when it is over.
//!
//! What belongs to it is decided here; what becomes of it as a record, in `record.rs`.

use flowcore::{EndReason, NANOS_PER_SEC, Protocol, TcpFlags};

use super::fragment::WAIT;
use super::half::Half;
use super::identity::Identity;
use super::key::{Key, Role, Side, is_query_reply};
use super::payload::Payloads;
use super::quality::Quality;
use crate::packet::{Packet, Tcp};

/// Time after the end of a TCP connection in which the last ACK and retransmissions still belong to it.
pub(super) const LINGER: i64 = 5 * NANOS_PER_SEC;

/// How far behind the table's clock a packet may come and still be counted as if it had come in time.
pub(super) const REORDER: i64 = 10 * NANOS_PER_SEC;

/// A packet on its way into a flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// Nanoseconds since 1970 UTC.
    pub(super) time: i64,
    /// The end of the key that sent it.
    pub(super) side: Side,
    pub(super) packet: &'a Packet,
    /// What is to be kept of its payload, if it is the first.
    pub(super) payload: &'a [u8],
}

/// A flow that is still open. What only few flows have is boxed: a table of millions of flows is mostly these.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// Order of creation, which breaks ties between flows that end at the same moment.
    pub(super) number: u64,
    /// The capture in which the flow began.
    pub(super) source: Option<u32>,
    pub(super) initiator: Side,
    pub(super) forward: Half,
    pub(super) reverse: Half,
    pub(super) identity: Identity,
    pub(super) quality: Option<Box<Quality>>,
    pub(super) payloads: Option<Box<Payloads>>,
    /// Whether a SYN without ACK has shown who the initiator is.
    opened: bool,
    /// When FIN had been seen both ways, or RST.
    closed: Option<i64>,
}

impl Entry {
    /// A flow that begins with this packet, which still has to be [added](Self::add); the table numbers it.
    pub(super) fn new(key: Key, seen: &Seen<'_>) -> Self {
        let Seen { side, packet, .. } = *seen;
        Self {
            key,
            number: 0,
            source: None,
            initiator: if comes_from_responder(packet) { side.other() } else { side },
            forward: Half::default(),
            reverse: Half::default(),
            identity: Identity::of(packet, side),
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
    pub(super) fn add(&mut self, seen: &Seen<'_>) {
        if let Some(tcp) = seen.packet.tcp {
            self.find_initiator(seen.side, tcp);
            self.measure(seen, tcp);
        }
        let role = self.role(seen.side);
        if !seen.payload.is_empty() {
            self.payloads.get_or_insert_default().note(role, seen.payload);
        }
        match role {
            Role::Initiator => self.forward.add(seen),
            Role::Responder => self.reverse.add(seen),
        }
        if let Some(tcp) = seen.packet.tcp {
            self.note_end(seen.time, tcp);
        }
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
    pub(super) fn is_followed_by(&self, seen: &Seen<'_>) -> bool {
        let Some(tcp) = seen.packet.tcp.filter(|tcp| tcp.flags.contains(TcpFlags::SYN)) else { return false };
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

    /// The moment at which the flow is over if no further packet comes.
    pub(super) fn deadline(&self, idle: i64) -> i64 {
        match self.closed {
            Some(closed) => closed.saturating_add(LINGER.min(idle)),
            None => self.last().saturating_add(idle),
        }
    }

    /// The moment of the table's clock from which no packet that comes within the tolerance can belong to the flow,
    /// nor one that waited as a fragment: behind one datagram that came early, it waits the tolerance twice.
    pub(super) fn settled(&self, idle: i64) -> i64 {
        let delay = if self.key.takes_orphans() { WAIT + 2 * REORDER } else { REORDER };
        self.deadline(idle).saturating_add(delay)
    }

    /// Whether a packet of `time` is too late or too early to belong to the flow.
    pub(super) fn excludes(&self, time: i64, idle: i64) -> bool {
        time >= self.deadline(idle) || time <= self.first().saturating_sub(idle)
    }

    /// Why the flow ended when it was not the active timeout.
    pub(super) fn natural_end(&self) -> EndReason {
        if self.is_closed() { EndReason::EndOfFlow } else { EndReason::IdleTimeout }
    }

    /// Why the flow ended when it was ended at `now` for another `reason`, unless it was over by itself.
    pub(super) fn end_at(&self, now: i64, idle: i64, reason: EndReason) -> EndReason {
        let is_over = self.is_closed() || self.deadline(idle) <= now;
        if is_over { self.natural_end() } else { reason }
    }

    /// What a side sent, and what the other one did.
    pub(super) fn halves(&self, role: Role) -> (&Half, &Half) {
        match role {
            Role::Initiator => (&self.forward, &self.reverse),
            Role::Responder => (&self.reverse, &self.forward),
        }
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

    fn measure(&mut self, seen: &Seen<'_>, tcp: Tcp) {
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

/// Whether a flow's first packet shows that its receiver opened the conversation.
fn comes_from_responder(packet: &Packet) -> bool {
    let syn_ack = packet.tcp.is_some_and(|tcp| tcp.flags.contains(TcpFlags::SYN | TcpFlags::ACK));
    syn_ack || packet.icmp.is_some_and(|icmp| is_query_reply(packet.protocol, icmp))
}
