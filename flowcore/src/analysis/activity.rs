//! When something was active: spans of time with pauses between them, and how much began in each interval.

use super::Connection;
use crate::record::{NANOS_PER_SEC, Timestamp};

/// A span of activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Start of its first connection.
    pub first: Timestamp,
    /// End of the last one that ended.
    pub last: Timestamp,
    /// Connections that began in it.
    pub connections: u64,
}

/// The spans between pauses of more seconds than `max_gap`, in the order of time. A pause is counted from the end of
/// all earlier connections.
///
/// ```
/// use flowcore::analysis::periods;
/// assert!(periods(&[], 1800).is_empty());
/// ```
pub fn periods<'a>(connections: impl IntoIterator<Item = &'a Connection>, max_gap: u32) -> Vec<Period> {
    let mut spans: Vec<_> = connections.into_iter().map(|one| (one.first, one.last.max(one.first))).collect();
    spans.sort_unstable();
    let pause = i64::from(max_gap) * NANOS_PER_SEC;
    let mut periods: Vec<Period> = Vec::new();
    for (first, last) in spans {
        match periods.last_mut().filter(|period| first.since(period.last) <= pause) {
            Some(period) => {
                period.last = period.last.max(last);
                period.connections += 1;
            }
            None => periods.push(Period { first, last, connections: 1 }),
        }
    }
    periods
}

/// How much began when: connections by the interval that they start in, with all that they carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Length of an interval in seconds; intervals begin at whole multiples of it since 1970.
    pub interval: u32,
    /// The intervals from the first connection to the last one, empty ones included.
    pub buckets: Vec<ActivityBucket>,
}

/// One interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityBucket {
    /// Its start.
    pub start: Timestamp,
    /// Connections that began in it.
    pub connections: u64,
    /// Packets of these, both ways.
    pub packets: u64,
    /// Bytes of these, both ways.
    pub bytes: u64,
}

/// Lengths of intervals that people read well, in seconds.
const INTERVALS: [u32; 18] = [
    1,
    5,
    10,
    30,
    60,
    300,
    600,
    1800,
    3600,
    10_800,
    21_600,
    43_200,
    86_400,
    604_800,
    2_592_000,
    31_536_000,
    315_360_000,
    u32::MAX,
];

/// Activity over time, in intervals as short as `most` of them allow.
///
/// ```
/// use flowcore::analysis::activity;
/// assert!(activity(&[], 60).buckets.is_empty());
/// ```
pub fn activity<'a>(connections: impl IntoIterator<Item = &'a Connection>, most: usize) -> Activity {
    let connections: Vec<&Connection> = connections.into_iter().collect();
    let number =
        |one: &Connection, seconds: u32| one.first.as_nanos().div_euclid(i64::from(seconds) * NANOS_PER_SEC);
    let ends =
        (connections.iter().min_by_key(|one| one.first), connections.iter().max_by_key(|one| one.first));
    let (Some(first), Some(last)) = ends else {
        return Activity { interval: INTERVALS[0], buckets: Vec::new() };
    };
    let count = |seconds| number(last, seconds).abs_diff(number(first, seconds)).saturating_add(1);
    let fits = |seconds: &u32| count(*seconds) <= most.max(2) as u64;
    let interval = INTERVALS.into_iter().find(fits).unwrap_or(u32::MAX);
    let start = number(first, interval);
    let empty = |at: i64| ActivityBucket {
        start: Timestamp::from_nanos((start + at).saturating_mul(i64::from(interval) * NANOS_PER_SEC)),
        connections: 0,
        packets: 0,
        bytes: 0,
    };
    let mut buckets: Vec<_> = (0..).map(empty).take(usize::try_from(count(interval)).unwrap_or(0)).collect();
    for one in connections {
        let at = usize::try_from(number(one, interval) - start).unwrap_or(0);
        buckets.get_mut(at).into_iter().for_each(|bucket| bucket.add(one));
    }
    Activity { interval, buckets }
}

impl ActivityBucket {
    const fn add(&mut self, one: &Connection) {
        self.connections += 1;
        self.packets = self.packets.saturating_add(one.forward.packets).saturating_add(one.reverse.packets);
        self.bytes = self.bytes.saturating_add(one.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    #[test]
    fn a_long_connection_bridges_the_pauses_of_others() {
        let connections = [
            connection("10.0.0.1", "10.0.0.2", 22, 7000, 7010),
            connection("10.0.0.1", "10.0.0.2", 22, 0, 5000),
            connection("10.0.0.1", "10.0.0.2", 80, 10, 20),
        ];
        let seconds = |period: &Period| (period.first.as_secs(), period.last.as_secs(), period.connections);
        let found: Vec<_> = periods(&connections, 1800).iter().map(seconds).collect();
        assert_eq!(found, [(0, 5000, 2), (7000, 7010, 1)]);
        assert_eq!(periods(&connections, 2000).len(), 1);
    }

    #[test]
    fn intervals_are_as_short_as_the_room_allows_and_hold_everything() {
        let at = |first: i64| connection("10.0.0.1", "10.0.0.2", 22, first, first);
        let connections: Vec<_> = [7, 65, 66, 290, 3000].map(at).into();
        let found = activity(&connections, 60);
        assert_eq!((found.interval, found.buckets.len()), (60, 51));
        assert_eq!((found.buckets[0].start, found.buckets[1].connections), (Timestamp::from_secs(0), 2));
        assert_eq!(found.buckets.iter().map(|one| one.bytes).sum::<u64>(), 5 * 700);
        assert_eq!(activity(&connections, 12).interval, 300);
    }

    #[test]
    fn the_ends_of_time_are_intervals_too() {
        let ends = [i64::MIN, 0, i64::MAX].map(|nanos| Connection {
            first: Timestamp::from_nanos(nanos),
            ..connection("10.0.0.1", "10.0.0.2", 22, 0, 0)
        });
        let found = activity(&ends, 60);
        assert_eq!(found.buckets.iter().map(|one| one.connections).sum::<u64>(), 3);
    }
}
