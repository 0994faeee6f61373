//! Records counted by the time they start: a row of counters for each interval, empty ones included.
//!
//! Intervals are whole multiples of their length since 1970 UTC, so those of a day begin at 00:00Z, and two series of
//! the same interval have the same rows.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::counters::{CounterColumns, Counters, Way};
use crate::batch::{FlowBatch, Mask};
use crate::error::{Error, Result};
use crate::record::{Field, FieldSet, NANOS_PER_SEC, Timestamp};

/// The length of the intervals of a [`TimeSeries`]: a whole number of milliseconds, at least one.
///
/// ```
/// use flowcore::aggregate::Interval;
/// let interval: Interval = "5m".parse()?;
/// assert_eq!((interval.nanos(), interval.to_string()), (300_000_000_000, "5m".to_owned()));
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(i64);

/// What was seen in one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Start of the interval; its length is that of the series.
    pub start: Timestamp,
    /// Sums over the records that start in it; those of no record where there is none.
    pub counters: Counters,
}

/// Counters for each interval from that of the earliest record to that of the latest one.
///
/// ```
/// use flowcore::aggregate::TimeSeries;
/// use flowcore::{Field, FlowBatch, Mask, Timestamp};
///
/// let mut batch = FlowBatch::new();
/// for second in [10, 50, 130] {
///     batch.set_time(Field::First, Timestamp::from_secs(second));
///     batch.end_row();
/// }
/// let mut series = TimeSeries::new("1m".parse()?);
/// series.add(&batch, &Mask::all(batch.len()));
/// let flows: Vec<u64> = series.buckets()?.map(|bucket| bucket.counters.flows()).collect();
/// assert_eq!(flows, [2, 0, 1]);
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug)]
pub struct TimeSeries {
    interval: Interval,
    /// By the number of the interval since 1970; no more than [`MAX_BUCKETS`].
    buckets: BTreeMap<i64, Counters>,
    /// Numbers of the earliest and the latest interval.
    ends: Option<(i64, i64)>,
    without_start: u64,
}

/// Intervals that a series may have.
const MAX_BUCKETS: u64 = 1_000_000;

impl TimeSeries {
    /// A series without any record.
    pub fn new(interval: Interval) -> Self {
        Self { interval, buckets: BTreeMap::new(), ends: None, without_start: 0 }
    }

    /// The stored fields that are counted.
    pub fn fields() -> FieldSet {
        Counters::fields()
    }

    /// Counts the chosen rows.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) {
        let columns = CounterColumns::of(batch);
        let starts = batch.times(Field::First);
        // Records come roughly in order: most are of the same interval as the one before.
        let mut current: Option<(i64, Counters)> = None;
        for row in chosen.rows() {
            let Some(start) = starts.and_then(|starts| starts.get(row)) else {
                self.without_start += 1;
                continue;
            };
            let number = start.div_euclid(self.interval.0);
            match &mut current {
                Some((same, counters)) if *same == number => counters.add(&columns.row(row)),
                _ => self.merge(current.replace((number, columns.row(row)))),
            }
        }
        self.merge(current);
    }

    /// Rows that were not counted, as they have no start.
    pub fn without_start(&self) -> u64 {
        self.without_start
    }

    /// The length of the intervals.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The intervals in order, each with what started in it; none where no record was counted.
    ///
    /// # Errors
    /// When there are more than a million intervals from the earliest record to the latest one.
    pub fn buckets(&self) -> Result<impl Iterator<Item = Bucket>> {
        let numbers = match self.ends {
            None => 0..0,
            Some(ends) if !self.is_bounded() => return Err(self.too_many(ends)),
            Some((first, last)) => first..last.saturating_add(1),
        };
        Ok(numbers.map(|number| Bucket {
            start: self.interval.start(number),
            counters: self.buckets.get(&number).copied().unwrap_or_default(),
        }))
    }

    fn merge(&mut self, part: Option<(i64, Counters)>) {
        let Some((number, counters)) = part else { return };
        let (first, last) = self.ends.unwrap_or((number, number));
        self.ends = Some((first.min(number), last.max(number)));
        // What cannot be shown is not kept; its ends still say which interval would do.
        if self.is_bounded() {
            self.buckets.entry(number).or_default().add(&counters);
        } else {
            self.buckets.clear();
        }
    }

    fn is_bounded(&self) -> bool {
        self.ends.is_none_or(|(first, last)| last.abs_diff(first) < MAX_BUCKETS)
    }

    fn too_many(&self, (first, last): (i64, i64)) -> Error {
        let (from, to) = (self.interval.start(first), self.interval.start(last));
        let span = to.as_nanos().abs_diff(from.as_nanos());
        let fits = |interval: &Interval| span / interval.0.unsigned_abs() + 2 <= MAX_BUCKETS;
        let mut shorter = SHORTER_THAN_A_DAY.iter().map(|secs| Interval(secs * NANOS_PER_SEC));
        // A day fits any span of time that can be held.
        let fitting = shorter.find(fits).unwrap_or(Interval(86_400 * NANOS_PER_SEC));
        Error::argument(format!(
            "{} intervals of {} from {from} to {to} are more than {MAX_BUCKETS}; take {fitting} or more, or a part of \
             the time",
            last.abs_diff(first).saturating_add(1),
            self.interval
        ))
    }
}

/// Intervals that are proposed, in seconds.
const SHORTER_THAN_A_DAY: [i64; 8] = [1, 10, 30, 60, 300, 600, 1800, 3600];

impl Bucket {
    /// Packets of both directions a second, over the whole interval; rounded down.
    pub fn pps(&self, interval: Interval) -> Option<u64> {
        interval.rate(self.counters.packets(Way::Both), 1)
    }

    /// Bits of both directions a second, over the whole interval; rounded down.
    pub fn bps(&self, interval: Interval) -> Option<u64> {
        interval.rate(self.counters.bytes(Way::Both), 8)
    }
}

impl Interval {
    /// Its length in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Start of the interval of this number; the earliest time that can be held, where it begins before that.
    fn start(self, number: i64) -> Timestamp {
        Timestamp::from_nanos(number.saturating_mul(self.0))
    }

    fn rate(self, count: Option<u64>, factor: u128) -> Option<u64> {
        let nanos = u128::from(NANOS_PER_SEC.unsigned_abs());
        let rate = u128::from(count?) * factor * nanos / u128::from(self.0.unsigned_abs().max(1));
        Some(u64::try_from(rate).unwrap_or(u64::MAX))
    }
}

/// Units and their nanoseconds, the largest first.
const UNITS: [(&str, i64); 6] = [
    ("w", 604_800 * NANOS_PER_SEC),
    ("d", 86_400 * NANOS_PER_SEC),
    ("h", 3600 * NANOS_PER_SEC),
    ("m", 60 * NANOS_PER_SEC),
    ("ms", 1_000_000),
    ("s", NANOS_PER_SEC),
];

impl FromStr for Interval {
    type Err = Error;

    /// Reads a number and its unit: `ms`, `s`, `m`, `h`, `d` or `w`; without one it is seconds.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::argument(format!(
                "\"{text}\" is no interval; write a number above 0 and ms, s, m, h, d or w, such as 30s, 5m, 1h, 1d"
            ))
        };
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        let unit = if unit.is_empty() { "s" } else { unit };
        let nanos =
            UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanos)| *nanos).ok_or_else(wrong)?;
        let number: i64 = number.parse().ok().filter(|&number| number > 0).ok_or_else(wrong)?;
        number.checked_mul(nanos).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Interval {
    /// In the largest unit of which it is a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = UNITS.iter().filter(|(unit, _)| *unit != "w" && *unit != "ms");
        let whole = shown.copied().find(|(_, nanos)| self.0 % nanos == 0);
        let (unit, nanos) = whole.unwrap_or(("ms", 1_000_000));
        write!(f, "{}{unit}", self.0 / nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(interval: &str, starts: &[Option<i64>]) -> TimeSeries {
        let mut batch = FlowBatch::new();
        for start in starts {
            start.iter().for_each(|&start| batch.set_time(Field::First, Timestamp::from_nanos(start)));
            batch.set_number(Field::InBytes, 100);
            batch.set_number(Field::InPackets, 2);
            batch.end_row();
        }
        let mut series = TimeSeries::new(interval.parse().unwrap());
        series.add(&batch, &Mask::all(batch.len()));
        series
    }

    fn flows(series: &TimeSeries) -> Vec<(i64, u64)> {
        series.buckets().unwrap().map(|bucket| (bucket.start.as_secs(), bucket.counters.flows())).collect()
    }

    #[test]
    fn intervals_are_aligned_and_empty_ones_are_there() {
        let secs = |secs: i64| Some(secs * NANOS_PER_SEC);
        let counted = series("1m", &[secs(61), secs(200), None, secs(119), secs(-1)]);
        assert_eq!(flows(&counted), [(-60, 1), (0, 0), (60, 2), (120, 0), (180, 1)]);
        assert_eq!(counted.without_start(), 1);
        let day = series("1d", &[secs(1_695_921_755)]);
        assert_eq!(day.buckets().unwrap().next().unwrap().start.to_string(), "2023-09-28T00:00:00.000Z");
        assert_eq!(flows(&series("1h", &[])), []);
    }

    #[test]
    fn rates_are_over_the_whole_interval() {
        let counted = series("10s", &[Some(0), Some(1)]);
        let bucket = counted.buckets().unwrap().next().unwrap();
        assert_eq!((bucket.pps(counted.interval()), bucket.bps(counted.interval())), (Some(0), Some(160)));
        assert_eq!(Interval(1).rate(Some(u64::MAX), 8), Some(u64::MAX));
    }

    #[test]
    fn too_many_intervals_name_one_that_fits() {
        let at = |secs: i64| Some(secs * NANOS_PER_SEC);
        assert_eq!(series("1s", &[at(0), at(999_999)]).buckets().unwrap().count(), 1_000_000);
        let error = |series: TimeSeries| series.buckets().err().unwrap().to_string();
        let message = error(series("1s", &[at(0), at(1_000_000), at(5)]));
        assert_eq!(
            message,
            "1000001 intervals of 1s from 1970-01-01T00:00:00.000Z to 1970-01-12T13:46:40.000Z are more than 1000000; \
             take 10s or more, or a part of the time"
        );
        let widest = || series("1ms", &[Some(i64::MIN), Some(i64::MAX)]);
        assert!(error(widest()).contains("take 1d or more"), "{}", error(widest()));
        assert!(series("1d", &[Some(i64::MIN), Some(i64::MAX)]).buckets().unwrap().count() < 300_000);
    }

    #[test]
    fn intervals_have_units() {
        for (text, shown) in [
            ("1s", "1s"),
            ("60", "1m"),
            ("90s", "90s"),
            ("300s", "5m"),
            ("24h", "1d"),
            ("2w", "14d"),
            ("1500ms", "1500ms"),
            ("1000ms", "1s"),
        ] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), shown, "{text}");
        }
        for text in
            ["", "0", "0s", "-5m", "1y", "5 m", "m", "1.5h", "99999999999w", "99999999999999999999s", "٣s"]
        {
            let error = text.parse::<Interval>().unwrap_err().to_string();
            assert!(error.contains("such as 30s, 5m"), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_and_any_split_gives_the_same(
            starts in proptest::collection::vec(proptest::option::of(-50_000_000_000_i64..50_000_000_000), 0..200),
            cut in 0_usize..200,
        ) {
            let whole = series("1s", &starts);
            let (head, tail) = starts.split_at(cut.min(starts.len()));
            let mut parts = series("1s", tail);
            let other = series("1s", head);
            other.buckets.iter().for_each(|(number, counters)| parts.merge(Some((*number, *counters))));
            proptest::prop_assert_eq!(flows(&whole), flows(&parts));
            let counted: u64 = flows(&whole).iter().map(|(_, flows)| flows).sum();
            proptest::prop_assert_eq!(counted + whole.without_start(), starts.len() as u64);
            for (start, flows) in flows(&whole) {
                let inside = starts.iter().flatten().filter(|nanos| nanos.div_euclid(NANOS_PER_SEC) == start);
                proptest::prop_assert_eq!(flows, inside.count() as u64);
            }
        }
    }
}
