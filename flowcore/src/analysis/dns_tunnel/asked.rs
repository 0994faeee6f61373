//! How long the names and how large the answers of a client are.

use super::super::crossing::{self, service_words};
use super::super::finding::{Group, Said};
use super::super::measures;
use super::super::{Connection, Criteria, Part};
use super::DnsTunnelOptions;
use crate::record::{NANOS_PER_SEC, Protocol};

/// Bytes of a query that carries nothing, with a name of 25 letters.
const ORDINARY: f64 = 80.0;
/// Bytes of headers of IPv4 and UDP, of IPv6 and UDP, and of IP and TCP with times.
const HEADERS: [f64; 2] = [28.0, 48.0];
const TCP_HEADERS: f64 = 52.0;
/// Bytes of options in the first packet of TCP, and of the length before a query.
const TCP_EXTRA: f64 = 10.0;
/// Queries are padded to 128 bytes where somebody wants to hide how long they are (RFC 8467).
const PADDED: f64 = 128.0;

/// Queries and answers of a connection, of the same size each as far as is known.
#[derive(Debug, Clone, Copy)]
struct Queries {
    count: f64,
    /// Bytes of one, as over UDP.
    size: f64,
    answers: f64,
    answer: f64,
}

impl Queries {
    fn of(one: &Connection) -> Self {
        let (sent, got) = (one.forward, one.reverse);
        let (packets, bytes) = (sent.packets as f64, sent.bytes as f64);
        if one.protocol == Some(Protocol::TCP) {
            // Four packets to begin and to end; then one with the query, and one that acknowledges the answer. Answers
            // over TCP are large by design: those that did not fit, and zones.
            let count = ((packets - 4.0) / 2.0).max(1.0);
            let content = (bytes - packets * TCP_HEADERS - TCP_EXTRA).max(0.0);
            return Self { count, size: content / count + HEADERS[0], answers: 0.0, answer: 0.0 };
        }
        let answer = got.bytes as f64 / got.packets.max(1) as f64;
        Self { count: packets, size: bytes / packets.max(1.0), answers: got.packets as f64, answer }
    }

    /// Whether the size is that of padding, which hides that of the name; the answer is filled up then too.
    fn is_padded(&self) -> bool {
        HEADERS.iter().any(|headers| (self.size - headers - PADDED).abs() < 0.01)
    }

    /// Bytes that the names can carry.
    fn content(&self) -> f64 {
        (self.size - ORDINARY).max(0.0) * self.count
    }
}

/// What a client asked a server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    queries: f64,
    bytes: f64,
    answers: f64,
    answer_bytes: f64,
    long: Kind,
    wordy: Kind,
    large: Kind,
    /// Whether all queries and all answers are of the same sizes.
    is_same: bool,
}

/// Queries or answers that stand out: how many there are, and how many there are and what they carry in the window that
/// has the most.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    count: f64,
    most: f64,
    bytes: f64,
}

/// What makes queries a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tunnel {
    Long,
    Wordy,
    Answers,
}

impl Asked {
    /// Of connections that are in the order of time.
    pub(super) fn of(sorted: &[&Connection], options: &DnsTunnelOptions) -> Self {
        let all: Vec<(&Connection, Queries)> = sorted.iter().map(|one| (*one, Queries::of(one))).collect();
        let sum = |value: fn(&Queries) -> f64| all.iter().map(|(_, one)| value(one)).sum::<f64>();
        let kind = |value: &dyn Fn(&Queries) -> (f64, f64)| Kind::of(&all, value, options.window);
        let named = |least: u64| {
            move |one: &Queries| {
                let counts = one.size >= least as f64 && !one.is_padded();
                if counts { (one.count, one.content()) } else { (0.0, 0.0) }
            }
        };
        let large = |one: &Queries| {
            let counts = one.answer >= options.large_answer as f64 && !one.is_padded();
            if counts { (one.answers, one.answers * one.answer) } else { (0.0, 0.0) }
        };
        Self {
            queries: sum(|one| one.count),
            bytes: sum(|one| one.count * one.size),
            answers: sum(|one| one.answers),
            answer_bytes: sum(|one| one.answers * one.answer),
            long: kind(&named(options.long_query)),
            wordy: kind(&named(options.wordy_query)),
            large: kind(&large),
            is_same: is_same(&all),
        }
    }

    /// Bytes of an answer, on average.
    pub(super) fn answer(&self) -> u64 {
        (self.answer_bytes / self.answers.max(1.0)) as u64
    }

    /// Bytes that were carried in the window that has the most.
    pub(super) fn carried(&self) -> f64 {
        self.wordy.bytes.max(self.long.bytes) + self.large.bytes
    }

    pub(super) fn tunnel(
        &self,
        is_resolver: bool,
        usual: Option<u64>,
        options: &DnsTunnelOptions,
    ) -> Option<Tunnel> {
        let is_long = self.long.most >= options.min_long as f64
            && self.long.bytes >= options.min_long_bytes as f64
            && self.long.count >= self.queries * options.min_long_share;
        let is_wordy = self.wordy.bytes >= options.min_wordy_bytes as f64
            && self.wordy.count >= self.queries * options.min_wordy_share;
        let is_ordinary =
            usual.is_some_and(|usual| (self.answer() as f64) < usual as f64 * options.times_ordinary);
        let is_large = self.large.bytes >= options.min_answer_bytes as f64
            && self.large.count >= self.answers * options.min_large_share
            && !self.is_same
            && !is_ordinary;
        match (is_long, is_wordy && !is_resolver, is_large && !is_resolver) {
            (true, ..) => Some(Tunnel::Long),
            (_, true, _) => Some(Tunnel::Wordy),
            (.., true) => Some(Tunnel::Answers),
            _ => None,
        }
    }

    pub(super) fn said(&self, group: &Group<'_>, tunnel: Tunnel, options: &DnsTunnelOptions) -> Option<Said> {
        let sample = group.connections.first()?;
        let minutes = measures::seconds(group.last().since(group.first())).max(60.0) / 60.0;
        let reason = format!(
            "{} asked {} of {} {:.0} times within {}. {}",
            sample.src,
            service_words(sample.protocol, sample.dst_port),
            sample.dst,
            self.queries,
            measures::duration(minutes * 60.0),
            self.why(tunnel, options)
        );
        let criteria = Criteria::new(Some(sample.src), Some(sample.dst), sample.protocol, sample.dst_port);
        Some(Said { parts: self.parts(minutes), reason, criteria })
    }

    fn parts(&self, minutes: f64) -> Vec<Part> {
        measures::parts([
            ("queries", self.queries),
            ("queries-per-minute", self.queries / minutes),
            ("query-bytes", self.bytes / self.queries.max(1.0)),
            ("long-queries", self.long.count),
            ("wordy-queries", self.wordy.count),
            ("most-name-bytes-in-window", self.wordy.bytes.max(self.long.bytes)),
            ("answer-bytes", self.answer() as f64),
            ("large-answers", self.large.count),
            ("most-answer-bytes-in-window", self.large.bytes),
            ("sent-for-each-byte-got", self.bytes / self.answer_bytes.max(1.0)),
        ])
    }

    fn why(&self, tunnel: Tunnel, options: &DnsTunnelOptions) -> String {
        let window = measures::duration(f64::from(options.window));
        let (kind, what, least) = match tunnel {
            Tunnel::Long => (self.long, "queries have names that can carry", options.long_query),
            Tunnel::Wordy => (self.wordy, "queries have names that can carry", options.wordy_query),
            Tunnel::Answers => (self.large, "answers have", options.large_answer),
        };
        format!(
            "{:.0} {what} {} within {window}: they are of {least} bytes or more each, where ordinary ones have {}.",
            kind.count,
            measures::size(kind.bytes),
            if tunnel == Tunnel::Answers { "80 to 300" } else { "60 to 100" }
        )
    }
}

/// Whether one question is asked again and again, as monitoring does, and gets the same answer. Of connections with several
/// queries only the average is known.
fn is_same(all: &[(&Connection, Queries)]) -> bool {
    let same = |(_, one): &(&Connection, Queries)| {
        let is_first = |first: &Queries| one.size == first.size && one.answer == first.answer;
        one.count == 1.0 && all.first().is_some_and(|(_, first)| is_first(first))
    };
    all.len() > 1 && all.iter().all(same)
}

impl Kind {
    /// Of connections in the order of time, by how many of the kind each has, and what they carry.
    fn of(all: &[(&Connection, Queries)], value: &dyn Fn(&Queries) -> (f64, f64), window: u32) -> Self {
        let nanos = i64::from(window) * NANOS_PER_SEC;
        let counted = |(one, queries): &(&Connection, Queries)| {
            // Of a connection that is open for longer only a part falls into the window.
            let part = (f64::from(window.max(1)) / crossing::seconds(one)).min(1.0);
            let (count, bytes) = value(queries);
            (one.first, count, count * part, bytes * part)
        };
        let counted: Vec<_> = all.iter().map(counted).filter(|one| one.1 > 0.0).collect();
        let mut most = Self { count: counted.iter().map(|one| one.1).sum(), ..Self::default() };
        let (mut now, mut start) = (Self::default(), 0);
        for (first, _, count, bytes) in &counted {
            (now.most, now.bytes) = (now.most + count, now.bytes + bytes);
            while let Some(early) = counted.get(start).filter(|early| first.since(early.0) > nanos) {
                (now.most, now.bytes) = (now.most - early.2, now.bytes - early.3);
                start += 1;
            }
            (most.most, most.bytes) = (most.most.max(now.most), most.bytes.max(now.bytes));
        }
        most
    }
}
