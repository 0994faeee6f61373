//! The statistics that an nfdump file has at its end: what `nfdump -I` prints.
//!
//! Bytes and packets are of both directions, ICMPv6 counts as ICMP, and a record that stands for several flows as so
//! many, as nfdump's own writer has it.

use crate::record::{Protocol, Timestamp};
use crate::totals::{ProtocolTotals, Totals};

/// Counters of the record.
pub(super) const COUNTERS: usize = 18;

/// The counters in the order of the file, made from the sums over the rows.
pub(super) fn counters(totals: &Totals) -> [u64; COUNTERS] {
    let mut counters = [0_u64; COUNTERS];
    for sums in totals.protocols() {
        let class = class_of(sums.protocol);
        for (kind, amount) in amounts(sums).into_iter().enumerate() {
            for place in [kind, TOTALS + kind * CLASSES + class] {
                if let Some(counter) = counters.get_mut(place) {
                    *counter = counter.saturating_add(amount);
                }
            }
        }
    }
    [counters[FIRST], counters[LAST]] = [totals.first(), totals.last()].map(millis);
    counters
}

/// Flows, bytes and packets.
fn amounts(sums: &ProtocolTotals) -> [u64; TOTALS] {
    [
        sums.flows,
        sums.in_bytes.saturating_add(sums.out_bytes),
        sums.in_packets.saturating_add(sums.out_packets),
    ]
}

/// TCP, UDP, ICMP, or another protocol.
fn class_of(protocol: Option<Protocol>) -> usize {
    match protocol {
        Some(Protocol::TCP) => 0,
        Some(Protocol::UDP) => 1,
        Some(protocol) if protocol.is_icmp() => 2,
        _ => 3,
    }
}

/// Milliseconds since 1970; 0 for no time and for times before.
fn millis(time: Option<Timestamp>) -> u64 {
    time.and_then(|time| u64::try_from(time.as_nanos() / 1_000_000).ok()).unwrap_or(0)
}

/// Counters that are sums over all protocols; those by class follow.
const TOTALS: usize = 3;
const CLASSES: usize = 4;
/// Earliest and latest time; the failures of a sequence, which only collectors know, are the last counter.
const FIRST: usize = TOTALS + TOTALS * CLASSES;
const LAST: usize = FIRST + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::FlowBatch;
    use crate::record::Field;

    #[test]
    fn both_directions_count_and_icmpv6_is_icmp() {
        let mut batch = FlowBatch::new();
        for (protocol, flows) in
            [(Some(6), None), (Some(17), Some(5)), (Some(1), None), (Some(58), None), (None, None)]
        {
            protocol.into_iter().for_each(|n| batch.set_number(Field::Protocol, n));
            flows.into_iter().for_each(|n| batch.set_number(Field::Flows, n));
            batch.set_time(Field::First, Timestamp::from_nanos(5_999_999));
            batch.set_time(Field::Last, Timestamp::from_nanos(7_000_001));
            batch.set_number(Field::InPackets, 1);
            batch.set_number(Field::InBytes, 100);
            batch.set_number(Field::OutPackets, 2);
            batch.set_number(Field::OutBytes, 200);
            batch.end_row();
        }
        let mut totals = Totals::default();
        totals.add(&batch);
        let expected = [9, 1500, 15, 1, 5, 2, 1, 300, 300, 600, 300, 3, 3, 6, 3, 5, 7, 0];
        assert_eq!(counters(&totals), expected);
        assert_eq!(counters(&Totals::default()), [0; COUNTERS]);
    }
}
