//! Passwords that were guessed: many short connections to a login service that are all alike.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::finding::{Group, Said};
use super::measures::{self, dispersion, groups, intervals, median, seconds};
use super::{Connection, Criteria, Detector, Finding, Hosts, service_name};
use crate::record::{Addr, Protocol};

/// When many logins are too many.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BruteForceOptions {
    /// Attempts that are alike, at least. A person who forgot a password gives up before; a tool that puts six guesses
    /// into a connection makes as many connections of 60 guesses.
    pub attempts: u64,
    /// Attempts that are enough where they begin within [`burst_secs`](Self::burst_secs). 5: a tool has several connections
    /// open at a time, a person one.
    pub burst_attempts: u64,
    /// Seconds of such a burst. 5.
    pub burst_secs: f64,
    /// [`attempts`](Self::attempts) at web servers, where a client makes many connections by itself.
    pub web_attempts: u64,
    /// Attempts per minute, at least: guesses that are slower than 3 an hour do not get through a list.
    pub rate_per_minute: f64,
    /// The same for databases and directories. 1: an application that holds no connection asks every few minutes, with
    /// queries that are alike; tools guess several times a minute.
    pub query_rate_per_minute: f64,
    /// The same for web servers: REST clients ask every few seconds.
    pub web_rate_per_minute: f64,
    /// Part of all connections that are alike, from 0 to 1. Work differs from one session to the next, guesses do not.
    pub alike: f64,
    /// How far from the median bytes of an attempt may be, as a part of it. Names and passwords differ in length.
    pub tolerance: f64,
    /// An attempt takes this many seconds at most: servers close what has not logged in after two minutes.
    pub seconds: f64,
    /// Hosts that the same source tried, at least, where it tried each a few times only (password spraying).
    pub hosts: u64,
    /// Intervals whose deviation is below this part of the median are a timetable, which monitoring has.
    pub timetable: f64,
    /// A connection with this many times the median bytes, after the first guesses, is a guess that worked.
    pub success_ratio: f64,
    /// Part of such connections, of those that are alike, from which on they are work, if they come among the first half
    /// already. 0.05: a list of passwords holds none or one that is right, clients of mail find letters now and then.
    pub work: f64,
    /// Seconds without any that end a run of attempts. 7200: whoever tries 3 times an hour leaves fewer, and what was
    /// there on another day does not make a run slower.
    pub gap: f64,
}

impl Default for BruteForceOptions {
    fn default() -> Self {
        Self {
            attempts: 10,
            burst_attempts: 5,
            burst_secs: 5.0,
            web_attempts: 30,
            rate_per_minute: 0.05,
            query_rate_per_minute: 1.0,
            web_rate_per_minute: 10.0,
            alike: 0.6,
            tolerance: 0.3,
            seconds: 120.0,
            hosts: 5,
            timetable: 0.08,
            success_ratio: 3.0,
            work: 0.05,
            gap: 7200.0,
        }
    }
}

/// A kind of login service: its ports, and the bytes that a client sends for a login that fails, headers included.
struct Login {
    ports: &'static [u16],
    bytes: [u64; 2],
}

/// Less than the lower number is a look at the banner; more than the higher one is work, or more guesses than servers
/// allow in a connection.
const LOGINS: [Login; 10] = [
    Login { ports: &[22, 2222], bytes: [800, 12_000] },
    Login { ports: &[21, 23, 2323], bytes: [150, 5_000] },
    Login { ports: &[25, 110, 143, 465, 587, 993, 995], bytes: [250, 6_000] },
    Login { ports: &[3389], bytes: [600, 12_000] },
    Login { ports: &[139, 445], bytes: [500, 8_000] },
    Login { ports: &DIRECTORIES, bytes: [200, 4_000] },
    Login { ports: &[5985, 5986], bytes: [600, 12_000] },
    Login { ports: &DATABASES, bytes: [200, 3_000] },
    Login { ports: &[5900], bytes: [200, 3_000] },
    Login { ports: &WEB, bytes: [350, 8_000] },
];
const DIRECTORIES: [u16; 2] = [389, 636];
const DATABASES: [u16; 6] = [1433, 1521, 3306, 5432, 6379, 27017];
const WEB: [u16; 4] = [80, 443, 8080, 8443];

/// Bytes that two attempts may differ by, however few they are.
const SLACK: f64 = 80.0;
/// Seconds between two checks of monitoring, at least: of web servers, and of others, which take longer to answer.
const TIMETABLE_SECONDS: [f64; 2] = [1.0, 20.0];
/// Seconds between connections of one round of a timetable, at most: mail clients open one for each folder.
const ROUND_SECONDS: [f64; 2] = [0.5, 5.0];

/// Guessed passwords: of one source at one service of a host, or (without `dst`) at the same service of several hosts
/// that it tried a few times each. Those that worked come first, then those with the most attempts. Sources that are
/// `allowed` to are left out.
///
/// ```
/// use flowcore::analysis::{BruteForceOptions, Hosts, brute_force};
/// assert!(brute_force(&[], &BruteForceOptions::default(), &Hosts::new([])).is_empty());
/// ```
pub fn brute_force(connections: &[Connection], options: &BruteForceOptions, allowed: &Hosts) -> Vec<Finding> {
    let key = |one: &Connection| is_login(one, allowed).then_some((one.src, one.dst_port, one.protocol));
    let mut found = Vec::new();
    for ((_, port, _), group) in groups(connections, key) {
        let is_web = port.is_some_and(|port| WEB.contains(&port));
        let mut spread = Vec::new();
        for own in by_host(&group) {
            let (guesses, few) = judge_runs(&own, options, is_web);
            match guesses {
                Some(guesses) => found.extend(guesses.finding(&own, options)),
                None => spread.extend(few),
            }
        }
        if !is_web {
            found.extend(spraying(spread, options));
        }
    }
    let part = |one: &Finding, at: usize| one.parts.get(at).map_or(0, |part| part.value as u64);
    found.sort_by_key(|one| Reverse((part(one, SUCCESS), part(one, ATTEMPTS))));
    found
}

/// Where these parts are among those of a finding.
const ATTEMPTS: usize = 0;
const SUCCESS: usize = 4;

fn is_login(one: &Connection, allowed: &Hosts) -> bool {
    matches!(one.protocol, Some(Protocol::TCP) | None)
        && one.was_answered()
        && one.dst_port.is_some_and(|port| login(port).is_some())
        && !allowed.contains(one.src)
}

fn login(port: u16) -> Option<&'static Login> {
    LOGINS.iter().find(|login| login.ports.contains(&port))
}

/// Connections of a source to a service by hosts; each group keeps the order of time.
fn by_host<'a>(group: &[&'a Connection]) -> Vec<Vec<&'a Connection>> {
    let mut sorted = group.to_vec();
    sorted.sort_by_key(|one| one.dst);
    sorted.chunk_by(|one, other| one.dst == other.dst).map(<[_]>::to_vec).collect()
}

/// What the connections of a source to a service are.
enum Verdict<'a> {
    /// Guesses, and enough of them.
    Guesses(Guesses<'a>),
    /// Too few to tell, by themselves.
    Few,
    /// Something else.
    Work,
}

/// Connections that are alike and of the size of a login that fails.
struct Guesses<'a> {
    alike: Vec<&'a Connection>,
    share: f64,
    bytes: f64,
    rate: f64,
}

/// The guesses of all runs of a source at a service of a host; and what is too little to tell.
fn judge_runs<'a>(
    own: &[&'a Connection],
    options: &BruteForceOptions,
    is_web: bool,
) -> (Option<Guesses<'a>>, Vec<&'a Connection>) {
    let (mut all, mut few): (Option<Guesses<'a>>, _) = (None, Vec::new());
    for run in own.chunk_by(|one, next| seconds(next.first.since(one.first)) <= options.gap) {
        match judge(run, options, is_web) {
            Verdict::Guesses(guesses) => {
                all = Some(match all {
                    Some(before) => before.and(guesses),
                    None => guesses,
                });
            }
            Verdict::Few => few.extend_from_slice(run),
            Verdict::Work => {}
        }
    }
    (all, few)
}

fn judge<'a>(own: &[&'a Connection], options: &BruteForceOptions, is_web: bool) -> Verdict<'a> {
    let (attempts, rate) = least(own.first().and_then(|one| one.dst_port), options);
    match Guesses::of(own, options) {
        guesses if guesses.share < options.alike => Verdict::Work,
        // Rounds over many hosts come back to each after the same time, so that a few say nothing of a timetable.
        guesses if (guesses.alike.len() as u64) < attempts && (is_web || !guesses.is_burst(options)) => {
            Verdict::Few
        }
        guesses if has_timetable(own, options, is_web) && !guesses.end_with_success(own, options) => {
            Verdict::Work
        }
        guesses if guesses.rate < rate || guesses.is_work(own, options) => Verdict::Work,
        guesses => Verdict::Guesses(guesses),
    }
}

/// Attempts and their rate, at least: higher for services that programs use by themselves.
fn least(port: Option<u16>, options: &BruteForceOptions) -> (u64, f64) {
    let is_one_of = |ports: &[u16]| port.is_some_and(|port| ports.contains(&port));
    match (is_one_of(&WEB), is_one_of(&DIRECTORIES) || is_one_of(&DATABASES)) {
        (true, _) => (options.web_attempts, options.web_rate_per_minute),
        (_, true) => (options.attempts, options.query_rate_per_minute),
        _ => (options.attempts, options.rate_per_minute),
    }
}

/// Whether connections come in rounds with the same time between one and the next.
fn has_timetable(own: &[&Connection], options: &BruteForceOptions, is_web: bool) -> bool {
    let at = usize::from(!is_web);
    let rounds: Vec<f64> = intervals(own).into_iter().filter(|&gap| gap > ROUND_SECONDS[at]).collect();
    rounds.len() >= 3 && median(&rounds) >= TIMETABLE_SECONDS[at] && dispersion(&rounds) < options.timetable
}

/// The same service of several hosts.
fn spraying(mut spread: Vec<&Connection>, options: &BruteForceOptions) -> Option<Finding> {
    spread.sort_unstable();
    let guesses = Guesses::of(&spread, options);
    let hosts: BTreeSet<Addr> = guesses.alike.iter().map(|one| one.dst).collect();
    let is_enough = hosts.len() as u64 >= options.hosts
        && guesses.alike.len() as u64 >= options.attempts
        && guesses.share >= options.alike
        && guesses.rate >= least(spread.first()?.dst_port, options).1;
    is_enough.then(|| guesses.finding(&spread, options)).flatten()
}

impl<'a> Guesses<'a> {
    fn of(own: &[&'a Connection], options: &BruteForceOptions) -> Self {
        let sized: Vec<&'a Connection> =
            own.iter().copied().filter(|one| is_guess_sized(one, options)).collect();
        let middle = |bytes: fn(&Connection) -> u64| {
            median(&sized.iter().map(|one| bytes(one) as f64).collect::<Vec<_>>())
        };
        let (sent, got) = (middle(|one| one.forward.bytes), middle(|one| one.reverse.bytes));
        let near = |bytes: u64, middle: f64| {
            (bytes as f64 - middle).abs() <= (middle * options.tolerance).max(SLACK)
        };
        let alike: Vec<&'a Connection> = sized
            .into_iter()
            .filter(|one| near(one.forward.bytes, sent) && near(one.reverse.bytes, got))
            .collect();
        let ends = alike.first().zip(alike.last());
        let minutes = ends.map_or(0.0, |(first, last)| seconds(last.first.since(first.first)) / 60.0);
        Self {
            share: alike.len() as f64 / own.len().max(1) as f64,
            rate: alike.len() as f64 / minutes.max(1.0),
            bytes: sent + got,
            alike,
        }
    }

    /// Whether so many begin at once that no person makes them.
    fn is_burst(&self, options: &BruteForceOptions) -> bool {
        let most = usize::try_from(options.burst_attempts.max(2)).unwrap_or(usize::MAX);
        let span = |burst: &[&Connection]| match burst {
            [first, .., last] => seconds(last.first.since(first.first)),
            _ => f64::MAX,
        };
        self.alike.windows(most).any(|burst| span(burst) <= options.burst_secs)
    }

    /// These, and those of a later run.
    fn and(mut self, later: Self) -> Self {
        let counts = [&self, &later].map(|one| one.alike.len() as f64);
        let all = counts[0] / self.share + counts[1] / later.share;
        let bytes = if counts[0] >= counts[1] { self.bytes } else { later.bytes };
        self.alike.extend(later.alike);
        Self { share: (counts[0] + counts[1]) / all, rate: self.rate.max(later.rate), bytes, ..self }
    }

    /// Whether a connection is much larger, or stayed open longer than any guess may.
    fn is_success(&self, one: &Connection, options: &BruteForceOptions) -> bool {
        let is_large = one.bytes() as f64 > self.bytes * options.success_ratio;
        is_large || seconds(one.last.since(one.first)) > options.seconds
    }

    /// The first such connection after a guess.
    fn success(&self, own: &[&'a Connection], options: &BruteForceOptions) -> Option<&'a Connection> {
        let first = self.alike.first()?.first;
        own.iter().copied().find(|one| one.first > first && self.is_success(one, options))
    }

    /// Whether there are no more guesses from the first such connection on: what keeps to a timetable goes on with it, what
    /// guesses has got in.
    fn end_with_success(&self, own: &[&'a Connection], options: &BruteForceOptions) -> bool {
        let last = self.alike.last();
        self.success(own, options).zip(last).is_some_and(|(success, last)| last.first < success.first)
    }

    /// Whether such connections come from the beginning on, and more than a few.
    fn is_work(&self, own: &[&'a Connection], options: &BruteForceOptions) -> bool {
        let mut large = own.iter().filter(|one| self.is_success(one, options)).peekable();
        let middle = self.alike.get(self.alike.len() / 2);
        let is_early = large.peek().zip(middle).is_some_and(|(first, middle)| first.first < middle.first);
        let count = large.count();
        is_early && count >= 3 && count as f64 >= self.alike.len() as f64 * options.work
    }

    fn finding(&self, own: &[&'a Connection], options: &BruteForceOptions) -> Option<Finding> {
        let sample = self.alike.first()?;
        let success = self.success(own, options);
        let group = Group { connections: self.alike.iter().copied().chain(success).collect() };
        let dst = group.connections.iter().all(|one| one.dst == sample.dst).then_some(sample.dst);
        let said = Said {
            parts: measures::parts([
                ("attempts", self.alike.len() as f64),
                ("rate-per-minute", self.rate),
                ("typical-bytes", self.bytes),
                ("share-alike", self.share),
                ("success-followed", if success.is_some() { 1.0 } else { 0.0 }),
            ]),
            reason: self.reason(sample, dst, success),
            criteria: Criteria::new(Some(sample.src), dst, sample.protocol, sample.dst_port),
        };
        group.finding(Detector::BruteForce, said)
    }

    fn reason(&self, sample: &Connection, dst: Option<Addr>, success: Option<&Connection>) -> String {
        let port = sample.dst_port.unwrap_or_default();
        let service =
            service_name(sample.protocol.or(Some(Protocol::TCP)), port).unwrap_or("a login service");
        let hosts: BTreeSet<Addr> = self.alike.iter().map(|one| one.dst).collect();
        let whom = dst.map_or_else(|| format!("{} hosts", hosts.len()), |dst| dst.to_string());
        let last = self.alike.last().map_or(sample.first, |one| one.first);
        let time = measures::duration(seconds(last.since(sample.first)));
        let size = measures::size(self.bytes);
        let (count, src) = (self.alike.len(), sample.src);
        let after = success.map_or_else(
            || "No larger connection followed.".to_owned(),
            |one| {
                let (size, long) = (measures::size(one.bytes() as f64), seconds(one.last.since(one.first)));
                let long = measures::duration(long);
                format!(
                    "A connection to {} with {size} in {long} followed: a guess may have worked.",
                    one.dst
                )
            },
        );
        format!(
            "{src} made {count} short connections to {service} (port {port}) of {whom} within {time}, about {size} each. {after}"
        )
    }
}

fn is_guess_sized(one: &Connection, options: &BruteForceOptions) -> bool {
    let [least, most] = one.dst_port.and_then(login).map_or([0, 0], |login| login.bytes);
    (least..=most).contains(&one.forward.bytes) && seconds(one.last.since(one.first)) <= options.seconds
}

#[cfg(test)]
mod tests;
