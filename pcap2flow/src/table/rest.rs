//! The flows that are open at the end of the input, in the order in which they end.
//!
//! In many captures these are most of the flows, and they lie all over the memory. So each is looked at once for the
//! moment of its turn, in the order of places, and then not before it is taken. Of each no more is kept than its place and
//! the nanosecond of its turn, by second: those of one are few enough to be sorted in a core's cache.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use flowcore::NANOS_PER_SEC;

/// Open flows that no packet will find any more.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// By the second of their deadline: its nanosecond in the upper half, the place in the lower one.
    seconds: BTreeMap<i64, Vec<u64>>,
    /// Places of those of the earliest second, in order.
    next: IntoIter<u32>,
}

impl Rest {
    /// Adds the flow at a place, before any is taken.
    pub(super) fn add(&mut self, at: u32, deadline: i64) {
        let nanos = deadline.rem_euclid(NANOS_PER_SEC).cast_unsigned();
        let second = self.seconds.entry(deadline.div_euclid(NANOS_PER_SEC)).or_default();
        second.push(nanos << u32::BITS | u64::from(at));
    }

    /// Takes the place of the flow that ends next. Of flows that end at the same moment that is the one with the lowest
    /// `number`.
    pub(super) fn next<N: Ord>(&mut self, number: impl Fn(u32) -> N) -> Option<u32> {
        if self.next.len() == 0 {
            let (_, mut second) = self.seconds.pop_first()?;
            second.sort_unstable();
            for moment in second.chunk_by_mut(|one, other| one >> u32::BITS == other >> u32::BITS) {
                if moment.len() > 1 {
                    moment.sort_by_cached_key(|&flow| number(place(flow)));
                }
            }
            self.next = second.into_iter().map(place).collect::<Vec<_>>().into_iter();
        }
        self.next.next()
    }

    /// The places of flows that follow, as far as they are known.
    pub(super) fn ahead<const N: usize>(&self, groups: usize) -> impl Iterator<Item = u32> {
        self.next.as_slice().iter().skip(N * groups).take(N).copied()
    }
}

/// The lower half.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is something else")]
fn place(flow: u64) -> u32 {
    flow as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_come_in_the_order_of_deadline_and_number() {
        let mut rest = Rest::default();
        let flows = [(-1, 9), (i64::MAX, 1), (5, 4), (5, 3), (i64::MIN, 8), (NANOS_PER_SEC, 2), (0, 7)];
        for (at, (deadline, _)) in (0..).zip(flows) {
            rest.add(at, deadline);
        }
        let number = |at: u32| flows[at as usize].1;
        let mut expected: Vec<_> =
            (0..).zip(flows).map(|(at, (deadline, number))| (deadline, number, at)).collect();
        expected.sort_unstable();
        let expected: Vec<u32> = expected.into_iter().map(|(.., at)| at).collect();
        let mut taken = Vec::new();
        while let Some(at) = rest.next(number) {
            let [ahead, further] = [0, 1].map(|groups| rest.ahead::<1>(groups).next().unwrap_or(u32::MAX));
            taken.push(at);
            assert!([u32::MAX, expected.get(taken.len()).copied().unwrap_or(u32::MAX)].contains(&ahead));
            assert!(ahead != u32::MAX || further == u32::MAX);
        }
        assert_eq!(taken, expected);
    }
}
