//! The measures of calls: how regular, how alike, for how long.

use super::super::crossing::service_words;
use super::super::finding::{Group, Said};
use super::super::measures::{self, dispersion, median, quartiles, seconds};
use super::super::{Connection, Criteria, Part};
use super::BeaconOptions;
use crate::record::Timestamp;

/// Connections that begin within these seconds after the first of a call are part of it: question and result, pages with
/// their pictures.
const SAME_CALL: f64 = 2.0;
/// Jitter of calls most of which are missing, at most: gaps that are far from multiples of anything have 0.5.
const MISSING_JITTER: f64 = 0.2;
/// Calls from which on it is looked at whether most are missing: of fewer, half are near multiples by chance.
const MISSING_CALLS: usize = 40;

/// A call: connections that begin together.
#[derive(Debug, Clone, Copy)]
struct Call {
    first: Timestamp,
    last: Timestamp,
    sent: u64,
    got: u64,
}

/// Calls of a group, of which the times and sizes are those of a beacon.
#[derive(Debug)]
pub(super) struct Calls {
    count: usize,
    /// Seconds between two calls.
    interval: f64,
    /// How far calls are from it, as a part of it: 0.5 for calls that come at any time between half and three halves.
    jitter: f64,
    /// Median bytes of a call.
    bytes: [f64; 2],
    /// Scores from 0 to 1.
    timing: f64,
    size: f64,
    duration: f64,
    persistence: f64,
}

impl Calls {
    /// The calls of connections that are in the order of time, if they are a beacon; `span` is what was looked at.
    pub(super) fn of(sorted: &[&Connection], span: f64, options: &BeaconOptions) -> Option<Self> {
        let calls = calls(sorted);
        let whole = seconds(calls.last()?.first.since(calls.first()?.first));
        if calls.len() < options.min_calls.max(2) || whole < f64::from(options.min_secs) {
            return None;
        }
        let (found, open) = Self::measure(&calls, span.max(whole / 2.0));
        let is_short = open <= found.interval * options.max_open;
        (is_short && found.is_small(options) && found.is_beacon(options)).then_some(found)
    }

    fn is_small(&self, options: &BeaconOptions) -> bool {
        let bytes = self.bytes[0] + self.bytes[1];
        let is_large = bytes > options.large_bytes as f64;
        bytes <= options.max_bytes as f64 && (!is_large || self.size >= options.large_size)
    }

    fn is_beacon(&self, options: &BeaconOptions) -> bool {
        let is_slow = self.interval >= f64::from(options.slow_secs);
        let score = if self.count < options.sure_calls { options.few_score } else { options.min_score };
        let is_enough = !is_slow || self.count >= options.slow_calls;
        is_enough && self.timing >= options.min_timing && self.score() >= score
    }

    /// The measures of two calls or more, and how many seconds one is open.
    fn measure(calls: &[Call], span: f64) -> (Self, f64) {
        let of = |value: fn(&Call) -> f64| calls.iter().map(value).collect::<Vec<f64>>();
        let (sent, got) = (of(|call| call.sent as f64), of(|call| call.got as f64));
        // A second more, as times are rounded to it, and answers take tenths more or less.
        let open = of(|call| seconds(call.last.since(call.first)).max(0.0) + 1.0);
        let gap = |pair: &[Call]| seconds(pair[1].first.since(pair[0].first));
        let (interval, jitter) = times(&calls.windows(2).map(gap).collect::<Vec<f64>>());
        let found = Self {
            count: calls.len(),
            interval,
            jitter,
            bytes: [median(&sent), median(&got)],
            timing: (1.0 - jitter).max(0.0),
            size: (1.0 - dispersion(&sent) - dispersion(&got)).max(0.0),
            duration: (1.0 - dispersion(&open)).max(0.0),
            persistence: (calls.len() as f64 * interval / span).min(1.0),
        };
        (found, median(&open) - 1.0)
    }

    /// The times count most: they are what makes a beacon. Sizes are next, as what a program says when there is nothing to
    /// say is alike; how long it takes and goes on depends on much else.
    pub(super) fn score(&self) -> f64 {
        0.5 * self.timing + 0.25 * self.size + 0.1 * self.duration + 0.15 * self.persistence
    }

    pub(super) fn said(&self, group: &Group<'_>) -> Option<Said> {
        let sample = group.connections.first()?;
        let (src, dst) = (sample.src, sample.dst);
        let service = service_words(sample.protocol, sample.dst_port);
        let [sent, got] = self.bytes.map(measures::size);
        let reason = format!(
            "{src} called {service} of {dst} {} times, every {} with a jitter of {:.0} %, {sent} out and {got} back at a \
             time; the calls fill {:.0} % of the time that was looked at.",
            self.count,
            measures::duration(self.interval),
            self.jitter * 100.0,
            self.persistence * 100.0,
        );
        let criteria = Criteria::new(Some(src), Some(dst), sample.protocol, sample.dst_port);
        Some(Said { parts: self.parts(), reason, criteria })
    }

    fn parts(&self) -> Vec<Part> {
        measures::parts([
            ("score", self.score()),
            ("timing", self.timing),
            ("size", self.size),
            ("duration", self.duration),
            ("persistence", self.persistence),
            ("interval-seconds", self.interval),
            ("jitter", self.jitter),
            ("calls", self.count as f64),
        ])
    }
}

/// Connections that begin together are one call; they are in the order of time.
fn calls(sorted: &[&Connection]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for one in sorted {
        let (sent, got) = (one.forward.bytes, one.reverse.bytes);
        match calls.last_mut().filter(|call| seconds(one.first.since(call.first)) < SAME_CALL) {
            Some(call) => {
                call.last = call.last.max(one.last);
                call.sent = call.sent.saturating_add(sent);
                call.got = call.got.saturating_add(got);
            }
            None => calls.push(Call { first: one.first, last: one.last, sent, got }),
        }
    }
    calls
}

/// Interval and jitter of calls with these seconds between them. Of times that are spread evenly around the median, half
/// are within half of the widest distance: hence twice the median deviation.
fn times(gaps: &[f64]) -> (f64, f64) {
    let (interval, jitter) = (median(gaps), 2.0 * dispersion(gaps));
    // Where most calls are missing, the shortest gaps are still those of two calls in a row.
    let base = quartiles(gaps)[0].max(f64::MIN_POSITIVE);
    let distances: Vec<f64> = gaps.iter().map(|gap| (gap / base - (gap / base).round()).abs()).collect();
    let missing = 2.0 * median(&distances);
    let is_missing = gaps.len() >= MISSING_CALLS && missing <= MISSING_JITTER && missing < jitter;
    if is_missing { (base, missing) } else { (interval, jitter) }
}
