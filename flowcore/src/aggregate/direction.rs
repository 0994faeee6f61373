//! Which way a flow goes: the records of both ways are one group, which has a source and a destination all the same.
//!
//! Both ways of a flow have one key, that of the way whose source is the smaller end. Counters are those of that way, too,
//! so that partial aggregates merge whatever way their records went. A group is shown as its first record went, or as the
//! ports of both ends say; one of a cloud log, whose rows come in no order, as its rows tell ([`Evidence`]).

use crate::batch::{FlowBatch, Mask};
use crate::record::{Field, Protocol, TcpFlags, Timestamp};

use super::counters::{Counters, Way};
use super::key::{Cell, Cells};

/// What becomes of the two ways of a flow that are records of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directions {
    /// Each stays a group of its own.
    Apart,
    /// Both are one group, which goes the way of the first record of the input. So for all protocols with ports.
    ///
    /// Records that say what was decided ([`Field::Action`]) are of cloud logs, whose rows come in no order: these go from
    /// the sender of the SYN to the one that answered it; where no flag tells, from the one whose rows begin earlier; else
    /// to the lower port.
    Merged,
    /// As [`Merged`](Self::Merged), and then from the higher port to the lower one where one of the limits 1024, 32768 and
    /// 49152 lies between them, as in nfdump. TCP flags of cloud logs outweigh that.
    Guessed,
}

/// The key of a flow: what is before the fifth is of one end or the other. What was refused is no part of what was accepted.
pub(super) const FLOW_KEY: [Field; 8] = [
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::IcmpType,
    Field::IcmpCode,
    Field::Action,
];

/// Where the action is in the key; only cloud logs have one.
pub(super) const ACTION: usize = 7;

/// Parts of a flow's key that belong to an end.
const ENDS: usize = 4;

/// The part of a flow's key that stands where this one does, seen from the other side.
pub(super) const fn turned_part(part: usize) -> usize {
    if part < ENDS { part ^ 1 } else { part }
}

/// The rows of a batch that go from the larger end to the smaller one. Only protocols with ports have two ways: cloud logs
/// write ports of 0 for all others.
pub(super) fn turned_rows(batch: &FlowBatch, cells: &[Cells<'_>]) -> Mask {
    let [src, dst, src_port, dst_port, protocol, ..] = cells else { return Mask::none(batch.len()) };
    Mask::from_fn(batch.len(), |row| {
        let ends = (src_port.cell(row), dst_port.cell(row));
        match (protocol.cell(row), ends) {
            (_, (Cell::Absent, _) | (_, Cell::Absent)) => false,
            (Cell::Word(protocol), _) if !has_ports(protocol) => false,
            (_, (to, back)) => (src.cell(row), to) > (dst.cell(row), back),
        }
    })
}

/// What tells the initiator of a flow, whose counters are those of the way from its smaller end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    pub(super) counters: &'a Counters,
    /// Ports of the smaller and of the larger end.
    pub(super) ports: (Option<u64>, Option<u64>),
    pub(super) starts: Starts,
    /// ACK shows beside SYN only, as in VPC flow logs: both together are the answer to a SYN.
    pub(super) sparse_flags: bool,
}

/// When the two ways of a flow began, that from the smaller end first; the largest number where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Starts([i64; 2]);

impl Starts {
    pub(super) const NONE: Self = Self([i64::MAX; 2]);

    /// Of one record.
    pub(super) fn of(first: Option<Timestamp>, is_turned: bool) -> Self {
        let first = first.map_or(i64::MAX, Timestamp::as_nanos);
        Self(if is_turned { [i64::MAX, first] } else { [first, i64::MAX] })
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(start, other)| *start = (*start).min(other));
    }

    /// Whether the way from the larger end began earlier.
    pub(super) fn is_turned(self) -> Option<bool> {
        let [to, back] = self.0;
        (to != back).then_some(back < to)
    }
}

impl Evidence<'_> {
    /// Whether the larger end is the initiator: flags, times, ports tell, in this order.
    pub(super) fn by_time(&self) -> bool {
        let told = self.by_flags().or_else(|| self.starts.is_turned());
        told.or_else(|| self.by_port_limits()).unwrap_or_else(|| self.by_lower_port())
    }

    /// Whether the larger end is the initiator: flags, ports, times tell, in this order.
    pub(super) fn by_ports(&self) -> bool {
        let told = self.by_flags().or_else(|| self.by_port_limits());
        told.or_else(|| self.starts.is_turned()).unwrap_or_else(|| self.by_lower_port())
    }

    /// The same for a flow of TCP with both directions, whose source is the sender of its first packet. Without a SYN that
    /// was not the first one of the connection: ports tell.
    pub(super) fn of_flow(&self, is_turned: bool) -> bool {
        let flags = self.counters.tcp_flags(Way::Both).unwrap_or_default();
        let is_tail = flags.contains(TcpFlags::ACK) && !flags.contains(TcpFlags::SYN);
        is_tail.then(|| self.by_port_limits()).flatten().unwrap_or(is_turned)
    }

    /// The sender of a SYN without ACK is the client. Where ACK is recorded beside SYN only, the sender of both is the
    /// server.
    pub(super) fn by_flags(&self) -> Option<bool> {
        let flags = |way| self.counters.tcp_flags(way).unwrap_or_default();
        let (to, back) = (flags(Way::In), flags(Way::Out));
        let asks = |flags: TcpFlags| flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK);
        let answers = |flags: TcpFlags| self.sparse_flags && flags.contains(TcpFlags::SYN | TcpFlags::ACK);
        match (asks(to) || answers(back), asks(back) || answers(to)) {
            (true, false) => Some(false),
            (false, true) => Some(true),
            _ => None,
        }
    }

    fn by_port_limits(&self) -> Option<bool> {
        let (smaller, larger) = self.ports;
        match (is_backwards(smaller, larger), is_backwards(larger, smaller)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    fn by_lower_port(&self) -> bool {
        self.ports.0 < self.ports.1
    }
}

/// Whether a flow has two ways that ports tell apart.
pub(super) fn has_ways(protocol: Option<u64>, ports: (Option<u64>, Option<u64>)) -> bool {
    ports.0.is_some() && ports.1.is_some() && protocol.is_none_or(has_ports)
}

/// Whether a protocol, by its number, has ports.
fn has_ports(protocol: u64) -> bool {
    u8::try_from(protocol).is_ok_and(|protocol| Protocol(protocol).has_ports())
}

/// Whether the ports say that the source of a flow is its destination.
pub(super) fn is_backwards(src_port: Option<u64>, dst_port: Option<u64>) -> bool {
    src_port
        .zip(dst_port)
        .is_some_and(|(src, dst)| PORT_LIMITS.iter().any(|limit| src < *limit && *limit <= dst))
}

/// Where well-known ports end, where the ephemeral ports of Linux begin, and those of IANA.
const PORT_LIMITS: [u64; 3] = [1024, 32_768, 49_152];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_turn_a_flow_where_a_limit_lies_between_them() {
        for (src, dst, expected) in [
            (80, 1024, true),
            (80, 1023, false),
            (1024, 80, false),
            (8080, 32_768, true),
            (40_000, 50_000, true),
            (50_000, 40_000, false),
            (53, 53, false),
        ] {
            assert_eq!(is_backwards(Some(src), Some(dst)), expected, "{src} {dst}");
        }
        assert!(!is_backwards(None, Some(50_000)) && !is_backwards(Some(80), None));
    }
}
