//! The flows that are open at the end of the input, in the order in which they end.
//!
//! In many captures these are most of the flows, and they lie all over the memory. So each is looked at once to be put
//! in order, in the order of places, and then not before it is taken. They are sorted a second at a time, which is
//! quick, and the first ones can be put out at once.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flowcore::NANOS_PER_SEC;

/// Open flows that no packet will find any more.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// By the second of their deadline.
    seconds: BTreeMap<i64, Vec<Open>>,
    /// Those of the earliest second, the first one to end last.
    next: Vec<Open>,
}

/// A flow by what decides when its turn is, within a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    /// Nanoseconds of the deadline after the second.
    nanos: u32,
    /// Order of creation.
    number: u64,
    at: u32,
}

impl Rest {
    /// Adds the flow at a place, before any is taken.
    pub(super) fn add(&mut self, at: u32, deadline: i64, number: u64) {
        let (second, nanos) = (deadline.div_euclid(NANOS_PER_SEC), deadline.rem_euclid(NANOS_PER_SEC));
        let nanos = u32::try_from(nanos).unwrap_or(u32::MAX);
        self.seconds.entry(second).or_default().push(Open { nanos, number, at });
    }

    /// Takes the place of the flow that ends next, by deadline and beginning.
    pub(super) fn next(&mut self) -> Option<u32> {
        if self.next.is_empty() {
            self.next = self.seconds.pop_first()?.1;
            self.next.sort_unstable_by_key(|&open| Reverse(open));
        }
        self.next.pop().map(|open| open.at)
    }

    /// The places of flows that follow, as far as they are known.
    pub(super) fn ahead<const N: usize>(&self, groups: usize) -> impl Iterator<Item = u32> {
        self.next.iter().rev().skip(N * groups).take(N).map(|open| open.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_come_in_the_order_of_deadline_and_number() {
        let mut rest = Rest::default();
        let flows = [(-1, 9), (i64::MAX, 1), (5, 4), (5, 3), (i64::MIN, 8), (NANOS_PER_SEC, 2), (0, 7)];
        for (at, (deadline, number)) in (0..).zip(flows) {
            rest.add(at, deadline, number);
        }
        let mut expected: Vec<_> =
            (0..).zip(flows).map(|(at, (deadline, number))| (deadline, number, at)).collect();
        expected.sort_unstable();
        let expected: Vec<u32> = expected.into_iter().map(|(.., at)| at).collect();
        let mut taken = Vec::new();
        while let Some(at) = rest.next() {
            let [ahead, further] = [0, 1].map(|groups| rest.ahead::<1>(groups).next().unwrap_or(u32::MAX));
            taken.push(at);
            assert!([u32::MAX, expected.get(taken.len()).copied().unwrap_or(u32::MAX)].contains(&ahead));
            assert!(ahead != u32::MAX || further == u32::MAX);
        }
        assert_eq!(taken, expected);
    }
}
