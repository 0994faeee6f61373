//! When something was active: spans of time with pauses between them.

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
}
