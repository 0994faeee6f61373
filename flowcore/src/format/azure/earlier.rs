//! When each flow was told of last, so that a tuple's counters get the span of time that they are of.

use std::collections::HashMap;

use super::tuple::{State, Tuple};
use crate::record::{Addr, Timestamp};

/// What tells flows of a log apart.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FlowId {
    /// The network card that wrote the tuple.
    card: u64,
    src: Addr,
    dst: Addr,
    ports: [Option<u64>; 2],
    protocol: u64,
}

/// The times of the flows that were told of last, at least [`KEPT`] of them.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    young: HashMap<FlowId, Timestamp>,
    /// What was young before; given up when the young ones are too many again, so that memory is bounded.
    old: HashMap<FlowId, Timestamp>,
}

/// Flows that are remembered in any case. A host rarely has more of them open.
const KEPT: usize = 1 << 18;

impl Earlier {
    /// The time from which on a tuple of this network card counts.
    pub(super) fn first(&mut self, card: u64, tuple: &Tuple) -> Timestamp {
        let Some(state) = tuple.state.filter(|_| !tuple.is_denied) else { return tuple.time };
        let id = FlowId {
            card,
            src: tuple.src,
            dst: tuple.dst,
            ports: [tuple.src_port, tuple.dst_port],
            protocol: tuple.protocol,
        };
        let before = self.young.remove(&id).or_else(|| self.old.remove(&id));
        if state != State::End {
            self.remember(id, tuple.time);
        }
        let is_begin = state == State::Begin;
        before.filter(|&before| before <= tuple.time && !is_begin).unwrap_or(tuple.time)
    }

    fn remember(&mut self, id: FlowId, time: Timestamp) {
        if self.young.len() == KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, time);
    }
}

/// The number of an Ethernet address, which tells network cards apart; what is not a hexadecimal digit is left out.
pub(super) fn mac(text: &str) -> u64 {
    let digits = text.chars().filter_map(|c| c.to_digit(16));
    digits.fold(0, |number, digit| number << 4 | u64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(port: usize, time: i64, state: char) -> Tuple {
        let text = format!("{time},10.0.0.1,10.0.0.2,{port},443,T,O,A,{state},,,,");
        Tuple::parse(&text).unwrap()
    }

    #[test]
    fn a_tuple_counts_from_the_one_before() {
        let mut earlier = Earlier::default();
        let mut first = |card, time, state| earlier.first(mac(card), &tuple(1, time, state)).as_secs();
        assert_eq!(first("000D3AF87856", 100, 'B'), 100);
        assert_eq!(first("000D3AF87856", 400, 'C'), 100);
        assert_eq!(first("000D3AF87857", 450, 'C'), 450, "another card's flow");
        assert_eq!(first("00-0d-3a-f8-78-56", 500, 'E'), 400);
        assert_eq!(first("000D3AF87856", 600, 'E'), 600, "the flow has ended");
        assert_eq!(first("000D3AF87856", 700, 'B'), 700);
        assert_eq!(first("000D3AF87856", 800, 'B'), 800, "a flow that begins has no tuple before");
        assert_eq!(first("000D3AF87856", 750, 'C'), 750, "the time goes back");
    }

    #[test]
    fn denied_flows_are_points_in_time_and_not_remembered() {
        let mut earlier = Earlier::default();
        for time in [100, 200] {
            let denied = Tuple { is_denied: true, ..tuple(1, time, 'B') };
            assert_eq!(earlier.first(0, &denied).as_secs(), time);
        }
        assert!(earlier.young.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_latest_flows_are_known() {
        let mut earlier = Earlier::default();
        let flow = |n: usize, time, state| {
            let mut flow = tuple(n & 0xffff, time, state);
            flow.protocol = (n >> 16) as u64;
            flow
        };
        for n in 0..3 * KEPT {
            earlier.first(0, &flow(n, 100, 'B'));
        }
        assert!(earlier.young.len() + earlier.old.len() <= 2 * KEPT);
        for n in 2 * KEPT..3 * KEPT {
            assert_eq!(earlier.first(0, &flow(n, 200, 'E')).as_secs(), 100);
        }
        assert_eq!(earlier.first(0, &flow(0, 200, 'E')).as_secs(), 200);
    }
}
