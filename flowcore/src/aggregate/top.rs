//! The first N of many items in an order, without sorting all of them.

use std::cmp::Ordering;

/// The `limit` smallest items in ascending order.
///
/// Keeps at most twice as many as are wanted (or [`SPARE`]) at a time. An item behind all those that would do is passed
/// over by one comparison.
pub(super) fn smallest<T: Copy>(
    items: impl Iterator<Item = T>,
    limit: usize,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    if limit == 0 {
        return Vec::new();
    }
    let full = limit.saturating_mul(2).max(SPARE);
    let mut kept: Vec<T> = Vec::new();
    let mut worst: Option<T> = None;
    for item in items {
        if worst.as_ref().is_some_and(|worst| compare(&item, worst).is_ge()) {
            continue;
        }
        kept.push(item);
        if kept.len() >= full {
            worst = cut(&mut kept, limit, &compare);
        }
    }
    kept.sort_unstable_by(&compare);
    kept.truncate(limit);
    kept
}

/// Leaves the `limit` smallest in any order; the largest of them.
fn cut<T: Copy>(kept: &mut Vec<T>, limit: usize, compare: impl Fn(&T, &T) -> Ordering) -> Option<T> {
    let last = limit.checked_sub(1)?;
    let (_, &mut worst, _) = kept.select_nth_unstable_by(last, compare);
    kept.truncate(limit);
    Some(worst)
}

/// Items that may be kept however few are wanted.
const SPARE: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_are_those_that_sorting_finds() {
        let items: Vec<u64> = (0..10_000).map(|n| n * 7919 % 10_007 / 3).collect();
        let mut sorted = items.clone();
        sorted.sort_unstable();
        for limit in [0, 1, 2, 10, 127, 128, 129, 1000, 9_999, 10_000, usize::MAX] {
            let found = smallest(items.iter().copied(), limit, u64::cmp);
            assert_eq!(found, sorted[..limit.min(sorted.len())], "{limit}");
        }
    }
}
