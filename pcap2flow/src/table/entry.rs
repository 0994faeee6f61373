//! One live flow: its counters, its TCP life, and what becomes of it as a record.

use flowcore::{EndReason, Field, FlowBatch, Protocol, TcpFlags, Timestamp};

use super::fragment::WAIT;
use super::key::{Key, Side, is_query_reply};
use crate::packet::{Packet, Tcp};

/// Time after the end of a TCP connection in which the last ACK and retransmissions still belong to it.
pub(super) const LINGER: i64 = 5 * flowcore::NANOS_PER_SEC;

/// How far behind the table's clock a packet may come and still be counted as if it had come in time.
pub(super) const REORDER: i64 = 10 * flowcore::NANOS_PER_SEC;

/// A flow that is still open.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// Order of creation, which breaks ties between flows that end at the same moment.
    pub(super) number: u64,
    /// The capture in which the flow began.
    pub(super) source: Option<u32>,
    pub(super) first: i64,
    pub(super) last: i64,
    /// When FIN had been seen both ways, or RST.
    pub(super) closed: Option<i64>,
    /// The expiry queue's ticket that is valid for this entry.
    pub(super) ticket: i64,
    initiator: Side,
    /// Whether a SYN without ACK has shown who the initiator is.
    opened: bool,
    forward: Half,
    reverse: Half,
    ttl: (u8, u8),
    identity: Identity,
}

/// What one side sent.
#[derive(Debug, Default, Clone, Copy)]
struct Half {
    packets: u64,
    bytes: u64,
    /// Sequence number of this side's SYN.
    syn: Option<u32>,
    /// Sequence number that this side acknowledged with its SYN.
    syn_ack: Option<u32>,
    flags: TcpFlags,
    tos: u8,
}

/// What the record says about the flow as a whole, beside what is in the key: from its first packet, type and code
/// from the initiator's first packet if there is one.
#[derive(Debug, Clone, Copy)]
struct Identity {
    /// Type and code.
    icmp: Option<(u8, u8)>,
    vlan: Option<u16>,
    /// Of the initiator and of the responder.
    macs: Option<([u8; 6], [u8; 6])>,
}

impl Entry {
    /// A flow that begins with this packet, which still has to be [added](Self::add); the table numbers it.
    pub(super) fn new(key: Key, side: Side, time: i64, packet: &Packet) -> Self {
        let initiator = if comes_from_responder(packet) { side.other() } else { side };
        Self {
            key,
            number: 0,
            source: None,
            first: time,
            last: time,
            closed: None,
            ticket: i64::MIN,
            initiator,
            opened: false,
            forward: Half::default(),
            reverse: Half::default(),
            ttl: (packet.ttl, packet.ttl),
            identity: Identity::of(packet, initiator != side),
        }
    }

    /// The record that goes on after the active timeout: same flow, same initiator, fresh counters.
    pub(super) fn continued(&self, time: i64, packet: &Packet) -> Self {
        Self {
            key: self.key,
            number: 0,
            source: None,
            first: time,
            last: time,
            closed: None,
            ticket: i64::MIN,
            initiator: self.initiator,
            opened: self.opened,
            forward: Half { syn: self.forward.syn, syn_ack: self.forward.syn_ack, ..Half::default() },
            reverse: Half { syn: self.reverse.syn, syn_ack: self.reverse.syn_ack, ..Half::default() },
            ttl: (packet.ttl, packet.ttl),
            identity: self.identity,
        }
    }

    /// Counts a packet that belongs to the flow.
    pub(super) fn add(&mut self, side: Side, time: i64, packet: &Packet) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.ttl = (self.ttl.0.min(packet.ttl), self.ttl.1.max(packet.ttl));
        if let Some(tcp) = packet.tcp {
            self.find_initiator(side, tcp);
        }
        if side == self.initiator && self.forward.packets == 0 {
            // An echo request that comes after its reply says what the flow is.
            self.identity.icmp = packet.icmp.map(|icmp| (icmp.kind, icmp.code)).or(self.identity.icmp);
        }
        let half = if side == self.initiator { &mut self.forward } else { &mut self.reverse };
        if half.packets == 0 {
            half.tos = packet.tos;
        }
        half.packets += 1;
        half.bytes = half.bytes.saturating_add(u64::from(packet.ip_bytes));
        if let Some(tcp) = packet.tcp {
            half.note(tcp);
            self.note_end(time, tcp);
        }
    }

    /// Whether a TCP packet opens another connection between the same ports.
    pub(super) fn is_followed_by(&self, side: Side, time: i64, packet: &Packet) -> bool {
        let Some(tcp) = packet.tcp else { return false };
        if !tcp.flags.contains(TcpFlags::SYN) || tcp.flags.contains(TcpFlags::ACK) {
            return false;
        }
        let (own, peer) = if side == self.initiator {
            (&self.forward, &self.reverse)
        } else {
            (&self.reverse, &self.forward)
        };
        match (own.syn, peer.syn_ack, peer.syn) {
            (Some(seq), _, _) => seq != tcp.seq,
            (None, Some(acknowledged), _) => acknowledged != tcp.seq.wrapping_add(1),
            // Both sides open at once (RFC 9293 §3.5), as long as nothing was acknowledged.
            (None, None, Some(_)) => self.closed.is_some() || peer.flags.contains(TcpFlags::ACK),
            // The beginning was not seen: an older SYN that arrives late belongs, a newer one does not.
            (None, None, None) => time > self.first,
        }
    }

    /// The moment at which the flow is over if no further packet comes.
    pub(super) fn deadline(&self, idle: i64) -> i64 {
        match self.closed {
            Some(closed) => closed.saturating_add(LINGER.min(idle)),
            None => self.last.saturating_add(idle),
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
        time >= self.deadline(idle) || time <= self.first.saturating_sub(idle)
    }

    /// Why the flow ended when it was not the active timeout.
    pub(super) fn natural_end(&self) -> EndReason {
        if self.closed.is_some() { EndReason::EndOfFlow } else { EndReason::IdleTimeout }
    }

    /// Adds the record to a batch.
    pub(super) fn export(&self, reason: EndReason, batch: &mut FlowBatch) {
        batch.set_time(Field::First, Timestamp::from_nanos(self.first));
        batch.set_time(Field::Last, Timestamp::from_nanos(self.last));
        self.export_key(batch);
        self.identity.export(batch);
        let is_tcp = self.key.protocol() == Protocol::TCP;
        let (forward, reverse) = (&self.forward, &self.reverse);
        batch.set_number(Field::InPackets, forward.packets);
        batch.set_number(Field::InBytes, forward.bytes);
        batch.set_number(Field::OutPackets, reverse.packets);
        batch.set_number(Field::OutBytes, reverse.bytes);
        if is_tcp {
            batch.set_number(Field::InFlags, u64::from(forward.flags.0));
            batch.set_number(Field::OutFlags, u64::from(reverse.flags.0));
        }
        if forward.packets > 0 {
            batch.set_number(Field::SrcTos, u64::from(forward.tos));
        }
        if reverse.packets > 0 {
            batch.set_number(Field::DstTos, u64::from(reverse.tos));
        }
        batch.set_number(Field::MinTtl, u64::from(self.ttl.0));
        batch.set_number(Field::MaxTtl, u64::from(self.ttl.1));
        batch.set_number(Field::EndReason, reason as u64);
        batch.end_row();
    }

    fn export_key(&self, batch: &mut FlowBatch) {
        let (src, dst) = (self.initiator, self.initiator.other());
        batch.set_addr(Field::SrcAddr, self.key.addr(src));
        batch.set_addr(Field::DstAddr, self.key.addr(dst));
        batch.set_number(Field::Protocol, u64::from(self.key.protocol().0));
        if let (Some(src), Some(dst)) = (self.key.port(src), self.key.port(dst)) {
            batch.set_number(Field::SrcPort, u64::from(src));
            batch.set_number(Field::DstPort, u64::from(dst));
        }
        if let Some(id) = self.key.icmp_id() {
            batch.set_number(Field::IcmpId, u64::from(id));
        }
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
            std::mem::swap(&mut self.forward, &mut self.reverse);
            self.identity.macs = self.identity.macs.map(|(src, dst)| (dst, src));
        }
    }

    fn note_end(&mut self, time: i64, tcp: Tcp) {
        let fin_both =
            self.forward.flags.contains(TcpFlags::FIN) && self.reverse.flags.contains(TcpFlags::FIN);
        if self.closed.is_none() && (fin_both || tcp.flags.contains(TcpFlags::RST)) {
            self.closed = Some(time.max(self.last));
        }
    }
}

impl Half {
    fn note(&mut self, tcp: Tcp) {
        self.flags |= tcp.flags;
        if tcp.flags.contains(TcpFlags::SYN) {
            self.syn.get_or_insert(tcp.seq);
            if tcp.flags.contains(TcpFlags::ACK) {
                self.syn_ack.get_or_insert(tcp.ack);
            }
        }
    }
}

impl Identity {
    fn of(packet: &Packet, swapped: bool) -> Self {
        let macs = packet.macs.map(|(src, dst)| if swapped { (dst, src) } else { (src, dst) });
        Self { icmp: packet.icmp.map(|icmp| (icmp.kind, icmp.code)), vlan: packet.vlan, macs }
    }

    fn export(&self, batch: &mut FlowBatch) {
        if let Some((kind, code)) = self.icmp {
            batch.set_number(Field::IcmpType, u64::from(kind));
            batch.set_number(Field::IcmpCode, u64::from(code));
        }
        if let Some(vlan) = self.vlan {
            batch.set_number(Field::Vlan, u64::from(vlan));
        }
        if let Some((src, dst)) = self.macs {
            batch.set_number(Field::SrcMac, mac_number(src));
            batch.set_number(Field::DstMac, mac_number(dst));
        }
    }
}

/// Whether a flow's first packet shows that its receiver opened the conversation.
fn comes_from_responder(packet: &Packet) -> bool {
    let syn_ack = packet.tcp.is_some_and(|tcp| tcp.flags.contains(TcpFlags::SYN | TcpFlags::ACK));
    syn_ack || packet.icmp.is_some_and(|icmp| is_query_reply(packet.protocol, icmp))
}

fn mac_number(mac: [u8; 6]) -> u64 {
    mac.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
