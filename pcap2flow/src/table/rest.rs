//! The flows that are open at the end of the input, in the order in which they end.
//!
//! In many captures these are most of the flows, and they lie all over the memory. So each is looked at once for the
//! second of its turn, in the order of places, and then not before that second is put in order: its flows are few
//! enough to stay in a core's cache until they are taken. Of each no more is kept than its place.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use flowcore::NANOS_PER_SEC;

/// Open flows that no packet will find any more.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// By the second of their deadline.
    seconds: BTreeMap<i64, Vec<u32>>,
    /// Those of the earliest second, in order.
    next: IntoIter<u32>,
}

impl Rest {
    /// Adds the flow at a place, before any is taken.
    pub(super) fn add(&mut self, at: u32, deadline: i64) {
        self.seconds.entry(deadline.div_euclid(NANOS_PER_SEC)).or_default().push(at);
    }

    /// Takes the place of the flow that ends next; `order` knows which is the first of some.
    pub(super) fn next(&mut self, order: impl FnOnce(&[u32]) -> Vec<u32>) -> Option<u32> {
        if self.next.len() == 0 {
            let (_, second) = self.seconds.pop_first()?;
            self.next = order(&second).into_iter();
        }
        self.next.next()
    }

    /// The places of flows that follow, as far as they are known.
    pub(super) fn ahead<const N: usize>(&self, groups: usize) -> impl Iterator<Item = u32> {
        self.next.as_slice().iter().skip(N * groups).take(N).copied()
    }
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
        let order = |places: &[u32]| {
            let mut places = places.to_vec();
            places.sort_by_key(|&at| flows[at as usize]);
            places
        };
        let mut expected: Vec<_> =
            (0..).zip(flows).map(|(at, (deadline, number))| (deadline, number, at)).collect();
        expected.sort_unstable();
        let expected: Vec<u32> = expected.into_iter().map(|(.., at)| at).collect();
        let mut taken = Vec::new();
        while let Some(at) = rest.next(order) {
            let [ahead, further] = [0, 1].map(|groups| rest.ahead::<1>(groups).next().unwrap_or(u32::MAX));
            taken.push(at);
            assert!([u32::MAX, expected.get(taken.len()).copied().unwrap_or(u32::MAX)].contains(&ahead));
            assert!(ahead != u32::MAX || further == u32::MAX);
        }
        assert_eq!(taken, expected);
    }
}
