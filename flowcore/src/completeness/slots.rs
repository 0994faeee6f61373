//! The five-minute slots that files of a flow log are named after, and which of them are missing.

use std::collections::BTreeMap;

use crate::format::vpc::path::{REACH, SLOT};
use crate::record::Timestamp;

/// The slots that there are files for, as ranges: a complete log is one, whatever its length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// First and last number of each range; numbers are slots since 1970.
    ranges: BTreeMap<i64, i64>,
    /// First and last slot between which one is missed.
    watched: Option<(i64, i64)>,
    /// There are more ranges than are kept.
    scattered: bool,
}

/// Slots without a file, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The first slot without a file, by the time its name would have.
    pub first: Timestamp,
    /// The last one.
    pub last: Timestamp,
    /// How many they are.
    pub slots: u64,
}

/// Ranges that are kept. Logs with more gaps are no logs of AWS.
const MAX_RANGES: usize = 10_000;

impl Slots {
    /// There is a file of the slot that this time is in.
    pub(crate) fn insert(&mut self, time: Timestamp) {
        let slot = time.as_nanos().div_euclid(SLOT);
        self.watch(slot, slot);
        self.add(slot, slot);
    }

    /// Adds the slots of a further source.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.scattered |= other.scattered;
        if let Some((first, last)) = other.watched {
            self.watch(first, last);
        }
        other.ranges.iter().for_each(|(&first, &last)| self.add(first, last));
    }

    /// Leaves out the slots whose files are not read for a window.
    pub(crate) fn limit(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) {
        // A file is read if the time in its name is within reach of the window.
        let earliest = from.map_or(i64::MIN, |from| {
            from.saturating_add(-REACH).as_nanos().saturating_add(SLOT - 1).div_euclid(SLOT)
        });
        let latest = to.map_or(i64::MAX, |to| to.saturating_add(REACH).as_nanos().div_euclid(SLOT));
        let within = |(first, last): (i64, i64)| (first.max(earliest), last.min(latest));
        self.watched = self.watched.map(within).filter(|(first, last)| first <= last);
        let ranges = std::mem::take(&mut self.ranges).into_iter().map(within);
        self.ranges = ranges.filter(|(first, last)| first <= last).collect();
    }

    /// The first and the last slot, by the time in the names of their files; `None` if there is none.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.watched.map(|(first, last)| (time(first), time(last)))
    }

    /// Slots from the first one to the last one.
    pub fn expected(&self) -> u64 {
        self.watched.map_or(0, |(first, last)| count(first, last))
    }

    /// Slots between the first one and the last one without a file; `None` if they are too scattered to be kept.
    pub fn missing(&self) -> Option<u64> {
        let present: u64 = self.ranges.iter().map(|(&first, &last)| count(first, last)).sum();
        (!self.scattered).then(|| self.expected().saturating_sub(present))
    }

    /// The slots without a file, in their order.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        let (first, last) = self.watched.unwrap_or((0, -1));
        let ends = std::iter::once(first).chain(self.ranges.values().map(|last| last.saturating_add(1)));
        let starts = self.ranges.keys().map(|first| first.saturating_sub(1)).chain([last]);
        let gaps = ends.zip(starts).filter(|(first, last)| !self.scattered && first <= last);
        gaps.map(|(first, last)| Gap { first: time(first), last: time(last), slots: count(first, last) })
    }

    fn watch(&mut self, first: i64, last: i64) {
        let (earliest, latest) = self.watched.unwrap_or((first, last));
        self.watched = Some((earliest.min(first), latest.max(last)));
    }

    /// Adds a range and joins it with those that it meets.
    fn add(&mut self, mut first: i64, mut last: i64) {
        let near = last.saturating_add(1);
        while let Some((&start, &end)) = self.ranges.range(..=near).next_back() {
            if end < first.saturating_sub(1) {
                break;
            }
            (first, last) = (first.min(start), last.max(end));
            self.ranges.remove(&start);
        }
        if self.ranges.len() < MAX_RANGES {
            self.ranges.insert(first, last);
        } else {
            self.scattered = true;
        }
    }
}

fn time(slot: i64) -> Timestamp {
    Timestamp::from_nanos(slot.saturating_mul(SLOT))
}

/// Slots of a range. Numbers of slots are far from the ends of their type.
fn count(first: i64, last: i64) -> u64 {
    u64::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn slots(numbers: impl IntoIterator<Item = i64>) -> Slots {
        let mut slots = Slots::default();
        numbers.into_iter().for_each(|slot| slots.insert(time(slot)));
        slots
    }

    fn gaps(slots: &Slots) -> Vec<(i64, i64, u64)> {
        let number = |time: Timestamp| time.as_nanos() / SLOT;
        slots.gaps().map(|gap| (number(gap.first), number(gap.last), gap.slots)).collect()
    }

    #[test]
    fn a_complete_log_is_one_range() {
        let slots = slots((0..288).rev().chain(100..200));
        assert_eq!((slots.expected(), slots.missing(), slots.ranges.len()), (288, Some(0), 1));
        assert!(gaps(&slots).is_empty());
        assert_eq!(slots.span(), Some((time(0), time(287))));
        let none = Slots::default();
        assert_eq!((none.expected(), none.missing(), none.span()), (0, Some(0), None));
        assert!(gaps(&none).is_empty());
    }

    #[test]
    fn a_time_in_a_slot_is_of_that_slot() {
        let mut slots = slots([0]);
        slots.insert(Timestamp::from_secs(299));
        slots.insert(Timestamp::from_secs(-1));
        assert_eq!((slots.expected(), slots.missing()), (2, Some(0)));
    }

    #[test]
    fn only_slots_that_would_be_read_are_missed() {
        // 20 minutes, four slots, on each side of the window are read.
        let mut slots = slots((0..10).chain(20..30).chain(32..50).chain(60..70));
        slots.limit(Some(time(26)), Some(time(52)));
        assert_eq!(slots.span(), Some((time(22), time(56))));
        assert_eq!(gaps(&slots), [(30, 31, 2), (50, 56, 7)]);
        assert_eq!((slots.expected(), slots.missing()), (35, Some(9)));
        slots.limit(Some(Timestamp::MAX), None);
        assert_eq!((slots.span(), slots.missing()), (None, Some(0)));
    }

    #[test]
    fn many_gaps_take_bounded_room() {
        let mut slots = slots((0..20_000).map(|n| n * 2));
        assert_eq!((slots.ranges.len(), slots.missing(), gaps(&slots).len()), (MAX_RANGES, None, 0));
        slots.merge(&self::slots([1]));
        assert_eq!(slots.missing(), None);
    }

    proptest! {
        #[test]
        fn gaps_are_what_is_not_there(
            one in prop::collection::vec(0_i64..60, 0..40),
            other in prop::collection::vec(0_i64..60, 0..40),
        ) {
            let mut merged = slots(one.clone());
            merged.merge(&slots(other.clone()));
            let all: BTreeSet<i64> = one.into_iter().chain(other).collect();
            prop_assert_eq!(&merged, &slots(all.iter().copied()));
            let missing: Vec<i64> = gaps(&merged).into_iter().flat_map(|(first, last, _)| first..=last).collect();
            let span = all.first().copied().unwrap_or(0)..=all.last().copied().unwrap_or(-1);
            let expected: Vec<i64> = span.filter(|slot| !all.contains(slot)).collect();
            prop_assert_eq!(merged.missing(), Some(expected.len() as u64));
            prop_assert_eq!(missing, expected);
        }

        #[test]
        fn a_window_misses_exactly_what_it_would_read(
            names in prop::collection::vec(0_i64..60, 1..40),
            from in prop::option::of(0_i64..70),
            length in prop::option::of(0_i64..30),
            seconds in 0_i64..300,
        ) {
            let from = from.map(|slot| time(slot).saturating_add(seconds * 1_000_000_000));
            let to = length.map(|slots| from.unwrap_or(time(20)).saturating_add(slots * SLOT));
            let all: BTreeSet<i64> = names.into_iter().collect();
            let mut slots = slots(all.iter().copied());
            slots.limit(from, to);
            let is_read = |slot: &i64| {
                let path = crate::format::vpc::LogPath { slot: Some(time(*slot)), ..Default::default() };
                !path.is_outside(from, to)
            };
            let span = *all.first().unwrap()..=*all.last().unwrap();
            let missing = span.filter(|slot| !all.contains(slot)).filter(is_read).count() as u64;
            prop_assert_eq!(slots.missing(), Some(missing));
        }
    }
}
