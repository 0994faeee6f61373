//! How well a TCP connection went: latency of its two ends, and segments that came again or out of order.
//!
//! Latency is taken once per flow, at its first change of direction, as `nfpcapd -o fat` does:
//!
//! ```text
//! initiator ─ first ───────────────── next ───────────────────────
//!               └ server ┐     ┌ client ┘ └ application ┐
//! responder ──────────── first ──────────────────────── next ─────
//! ```

use flowcore::{Field, FlowBatch, TcpFlags};

use super::half::Half;
use super::identity::Directions;
use super::key::Role;
use super::sequence::Sequence;
use crate::packet::Tcp;

/// What is measured of a TCP connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Quality {
    latency: Latency,
    forward: Sequence,
    reverse: Sequence,
}

/// Times in nanoseconds.
#[derive(Debug, Clone, Default)]
struct Latency {
    step: Step,
    server: Option<u64>,
    client: Option<u64>,
    application: Option<u64>,
    /// From SYN to the answer to its answer, or to its answer as long as no more was seen.
    handshake: Option<u64>,
}

/// What is to be measured next.
#[derive(Debug, Clone, Copy, Default)]
enum Step {
    #[default]
    Server,
    Client,
    Application,
    Nothing,
}

/// How long a hole may be open and still be filled by mere reordering, at least: no round trip over a network worth the
/// name is shorter (the bound Wireshark uses too).
const MIN_PATIENCE: u64 = 3_000_000;

impl Quality {
    /// The same connection in the record that goes on: latency is not measured again.
    pub(super) fn continued(&self) -> Self {
        let latency =
            Latency { step: Step::Nothing, handshake: self.latency.handshake, ..Latency::default() };
        Self { latency, forward: self.forward.continued(), reverse: self.reverse.continued() }
    }

    /// The initiator has turned out to be the other side: the measurement begins again.
    pub(super) fn turn_round(&mut self) {
        self.latency = Latency::default();
        std::mem::swap(&mut self.forward, &mut self.reverse);
    }

    /// Looks at a segment; `own` and `peer` are what its sender and the other side have sent before.
    pub(super) fn note(&mut self, role: Role, time: i64, tcp: Tcp, own: &Half, peer: &Half) {
        self.latency.note(role, time, tcp, own, peer);
        let patience = self.latency.handshake.unwrap_or(0).max(MIN_PATIENCE);
        let patience = i64::try_from(patience).unwrap_or(i64::MAX);
        self.of(role).note(time, tcp, patience);
        if tcp.flags.contains(TcpFlags::ACK) {
            self.of(role.other()).acknowledge(tcp.ack);
        }
    }

    /// Fills a row about both directions, or what the side in this `role` sent.
    pub(super) fn export(&self, role: Role, directions: Directions, batch: &mut FlowBatch) {
        let latency = &self.latency;
        let times = [
            (Field::ServerLatency, latency.server),
            (Field::ClientLatency, latency.client),
            (Field::AppLatency, latency.application),
        ];
        for (field, time) in times {
            if let Some(time) = time {
                batch.set_number(field, time);
            }
        }
        let (own, peer) = match role {
            Role::Initiator => (&self.forward, &self.reverse),
            Role::Responder => (&self.reverse, &self.forward),
        };
        batch.set_number(Field::InRetransmits, own.retransmits);
        batch.set_number(Field::InOutOfOrder, own.out_of_order);
        if directions == Directions::Both {
            batch.set_number(Field::OutRetransmits, peer.retransmits);
            batch.set_number(Field::OutOutOfOrder, peer.out_of_order);
        }
    }

    fn of(&mut self, role: Role) -> &mut Sequence {
        match role {
            Role::Initiator => &mut self.forward,
            Role::Responder => &mut self.reverse,
        }
    }
}

impl Latency {
    fn note(&mut self, role: Role, time: i64, tcp: Tcp, own: &Half, peer: &Half) {
        match (self.step, role) {
            (Step::Server, _) if own.packets > 0 || peer.packets == 0 => {}
            (Step::Server, Role::Responder) => {
                self.server = elapsed(peer.first, time);
                self.handshake = elapsed(peer.last, time).filter(|_| peer.syn.is_some() && has_syn(tcp));
                self.step = Step::Client;
            }
            (Step::Server, Role::Initiator) if has_syn(tcp) => {
                // The answer was captured before the SYN.
                self.server = elapsed(time, peer.first);
                self.step = Step::Client;
            }
            (Step::Server | Step::Client, Role::Initiator) => {
                self.client = elapsed(peer.last, time);
                self.handshake =
                    self.handshake.zip(self.client).map(|(there, back)| there.saturating_add(back));
                self.step = Step::Application;
            }
            (Step::Application, Role::Responder) => {
                self.application = elapsed(peer.last, time);
                self.step = Step::Nothing;
            }
            _ => {}
        }
    }
}

/// Nanoseconds between two moments; `None` where clocks went back.
fn elapsed(from: i64, to: i64) -> Option<u64> {
    u64::try_from(to.saturating_sub(from)).ok()
}

fn has_syn(tcp: Tcp) -> bool {
    tcp.flags.contains(TcpFlags::SYN)
}
