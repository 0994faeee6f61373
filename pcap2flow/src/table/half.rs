//! What one side of a flow sent: counters, times, and what is or-ed together or taken from its first packet.

use flowcore::TcpFlags;

use super::seen::Seen;
use crate::packet::Tcp;

/// What one side sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Time of the earliest packet; of none, the end of time.
    pub(super) first: i64,
    /// Time of the latest packet; of none, the beginning of time.
    pub(super) last: i64,
    /// Sequence number of this side's SYN.
    pub(super) syn: Option<u32>,
    /// Sequence number that this side acknowledged with its SYN.
    pub(super) syn_ack: Option<u32>,
    pub(super) flags: TcpFlags,
    /// Whether this side has said that it is done, in this record or before.
    pub(super) fin: bool,
    /// Of the first packet.
    pub(super) tos: u8,
    /// Smallest and largest.
    pub(super) ttl: (u8, u8),
    /// Type and code of the first packet.
    pub(super) icmp: Option<(u8, u8)>,
}

impl Default for Half {
    fn default() -> Self {
        Self {
            packets: 0,
            bytes: 0,
            first: i64::MAX,
            last: i64::MIN,
            syn: None,
            syn_ack: None,
            flags: TcpFlags::default(),
            fin: false,
            tos: 0,
            ttl: (u8::MAX, u8::MIN),
            icmp: None,
        }
    }
}

impl Half {
    /// The same side in the record that goes on: what SYN and FIN said still holds.
    pub(super) fn continued(&self) -> Self {
        Self { syn: self.syn, syn_ack: self.syn_ack, fin: self.fin, ..Self::default() }
    }

    /// Counts a packet of this side.
    pub(super) fn add(&mut self, seen: &Seen) {
        if self.packets == 0 {
            self.tos = seen.tos;
            self.icmp = seen.icmp;
        }
        self.packets += 1;
        self.bytes = self.bytes.saturating_add(u64::from(seen.ip_bytes));
        self.first = self.first.min(seen.time);
        self.last = self.last.max(seen.time);
        self.ttl = (self.ttl.0.min(seen.ttl), self.ttl.1.max(seen.ttl));
        if let Some(tcp) = seen.tcp {
            self.note(tcp);
        }
    }

    /// Both sides as one, as far as a record does not tell them apart: times, TTL, and the ICMP message of `self` before
    /// that of `other`.
    pub(super) fn with(&self, other: Option<&Self>) -> Self {
        let Some(other) = other else { return *self };
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            ttl: (self.ttl.0.min(other.ttl.0), self.ttl.1.max(other.ttl.1)),
            icmp: self.icmp.or(other.icmp),
            ..*self
        }
    }

    fn note(&mut self, tcp: Tcp) {
        self.flags |= tcp.flags;
        self.fin |= tcp.flags.contains(TcpFlags::FIN);
        if tcp.flags.contains(TcpFlags::SYN) {
            self.syn.get_or_insert(tcp.seq);
            if tcp.flags.contains(TcpFlags::ACK) {
                self.syn_ack.get_or_insert(tcp.ack);
            }
        }
    }
}
