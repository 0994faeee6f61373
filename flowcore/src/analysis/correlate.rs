//! The same conversations, seen by two vantage points: a capture and a flow log, two captures, two logs.
//!
//! Connections are compared by their two ends, protocol and time. Clocks differ, so the **offset** is estimated first:
//! conversations that both sides have once only tell how much later the right side saw them begin, and the median of
//! that is what its clock is ahead. Then, of conversations between the same ends, those that overlap in time, within a
//! [tolerance](Options::tolerance), are the same one: sources cut connections at different places (windows of logs,
//! timeouts of meters), so that several connections of one side can be one of the other.
//!
//! Where a side knows the addresses in the packets beside those of the interface that saw them (`pkt-srcaddr` of a NAT or
//! transit gateway), either of the two may be what the other side has: those in the packets are tried first.
//!
//! Which end a side takes for the initiator makes no difference; sums of a pair are told from the left side's initiator.
//! What one side has alone may lie outside the time that the other one covers, and is counted apart for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Connection, Traffic};
use crate::record::{Addr, NANOS_PER_SEC, Protocol, Timestamp};

/// How connections are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Seconds that lie between two connections at most for them to be taken as one: the longest window of most flow
    /// logs, whose rows do not say when in it a packet came.
    pub tolerance: u32,
    /// Nanoseconds that the right clock is ahead; `None` to estimate it.
    pub offset: Option<i64>,
}

/// What two sides have in common, and what each has alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correlation {
    /// Nanoseconds that the right clock is ahead.
    pub offset: i64,
    /// Conversations that the offset was estimated by; 0 where it was given, or nothing could tell.
    pub told_by: usize,
    /// Conversations of both sides, the earliest first.
    pub matched: Vec<Pair>,
    /// Of the left side alone.
    pub only_left: Alone,
    /// Of the right side alone.
    pub only_right: Alone,
}

/// A conversation of both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// What the left side says, all its connections together.
    pub left: Connection,
    /// What the right side says, in the direction of the left one; its times are those of its own clock.
    pub right: Connection,
    /// Connections of each side that these are.
    pub connections: [u64; 2],
}

/// What one side has alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Alone {
    /// While the other side was watching too, the earliest first.
    pub inside: Vec<Connection>,
    /// Before or after all that the other side has.
    pub outside: Vec<Connection>,
}

impl Default for Options {
    fn default() -> Self {
        Self { tolerance: 60, offset: None }
    }
}

/// Two ends, the smaller one first, and the protocol.
type Ends = ((Addr, Option<u16>), (Addr, Option<u16>), Option<Protocol>);

/// A connection with its time by the left clock, and the side it is of.
#[derive(Debug, Clone, Copy)]
struct Seen {
    first: i64,
    last: i64,
    is_right: bool,
    connection: Connection,
}

/// Compares what two vantage points saw.
///
/// ```
/// use flowcore::analysis::{CorrelateOptions, correlate};
/// let nothing = correlate(&[], &[], CorrelateOptions::default());
/// assert!(nothing.matched.is_empty());
/// ```
pub fn correlate(left: &[Connection], right: &[Connection], options: Options) -> Correlation {
    let mut talks: BTreeMap<Ends, [Vec<Connection>; 2]> = BTreeMap::new();
    let known = [left, right].map(known_ends);
    for (side, connections) in [left, right].into_iter().enumerate() {
        let others = &known[1 - side];
        connections
            .iter()
            .for_each(|one| talks.entry(common_ends(one, others)).or_default()[side].push(*one));
    }
    let (offset, told_by) = match options.offset {
        Some(offset) => (offset, 0),
        None => estimate(&talks),
    };
    let mut found = Correlation {
        offset,
        told_by,
        matched: Vec::new(),
        only_left: Alone::default(),
        only_right: Alone::default(),
    };
    let spans = [span(right, -offset), span(left, offset)];
    let tolerance = i64::from(options.tolerance) * NANOS_PER_SEC;
    for sides in talks.into_values() {
        conversations(sides, offset, tolerance, |seen| found.add(seen, spans));
    }
    found.sort();
    found
}

impl Correlation {
    /// Adds a conversation; `spans` are the times of the other side, by the clocks of the left and the right one.
    fn add(&mut self, seen: &[Seen], spans: [Option<(i64, i64)>; 2]) {
        let side =
            |is_right| seen.iter().filter(move |one| one.is_right == is_right).map(|one| &one.connection);
        match (whole(side(false)), whole(side(true))) {
            (Some(left), Some(right)) => self.matched.push(Pair {
                right: if is_same_way(&left, &right) { right } else { turned(right) },
                left,
                connections: [side(false).count() as u64, side(true).count() as u64],
            }),
            _ => {
                side(false).for_each(|one| self.only_left.add(one, spans[0]));
                side(true).for_each(|one| self.only_right.add(one, spans[1]));
            }
        }
    }

    fn sort(&mut self) {
        self.matched.sort_by_key(|pair| (pair.left, pair.right));
        for alone in [&mut self.only_left, &mut self.only_right] {
            alone.inside.sort_unstable();
            alone.outside.sort_unstable();
        }
    }
}

impl Alone {
    /// Connections, inside and outside.
    pub fn len(&self) -> usize {
        self.inside.len() + self.outside.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, one: &Connection, span: Option<(i64, i64)>) {
        let is_inside =
            span.is_some_and(|(first, last)| one.first.as_nanos() <= last && one.last.as_nanos() >= first);
        let place = if is_inside { &mut self.inside } else { &mut self.outside };
        place.push(*one);
    }
}

/// The two ends as the interface has them.
fn ends(one: &Connection) -> Ends {
    ordered(one, one.src, one.dst)
}

/// The two ends as the packets have them.
fn packet_ends(one: &Connection) -> Ends {
    let [src, dst] = packet_addrs(one);
    ordered(one, src, dst)
}

fn packet_addrs(one: &Connection) -> [Addr; 2] {
    let known = |packet, own| if packet == Addr::Unknown { own } else { packet };
    [known(one.packet_src, one.src), known(one.packet_dst, one.dst)]
}

fn ordered(one: &Connection, src: Addr, dst: Addr) -> Ends {
    let (src, dst) = ((src, one.src_port), (dst, one.dst_port));
    (src.min(dst), src.max(dst), one.protocol)
}

/// All ends that a side knows conversations by.
fn known_ends(connections: &[Connection]) -> BTreeSet<Ends> {
    connections.iter().flat_map(|one| [ends(one), packet_ends(one)]).collect()
}

/// The ends that the other side can have it by: those in the packets, or those of the interface where only these are known
/// there.
fn common_ends(one: &Connection, others: &BTreeSet<Ends>) -> Ends {
    let (packet, own) = (packet_ends(one), ends(one));
    if !others.contains(&packet) && others.contains(&own) { own } else { packet }
}

/// Whether both sides have the same end as initiator.
fn is_same_way(left: &Connection, right: &Connection) -> bool {
    let names = |one: &Connection| [one.src, packet_addrs(one)[0]].map(|addr| (addr, one.src_port));
    names(left).iter().any(|name| names(right).contains(name))
}

/// The median of how much later the right side saw those conversations begin that both have once only.
fn estimate(talks: &BTreeMap<Ends, [Vec<Connection>; 2]>) -> (i64, usize) {
    let once = talks.values().filter_map(|sides| match (&sides[0][..], &sides[1][..]) {
        ([left], [right]) => Some(right.first.since(left.first)),
        _ => None,
    });
    let mut later: Vec<i64> = once.collect();
    later.sort_unstable();
    (later.get(later.len() / 2).copied().unwrap_or(0), later.len())
}

/// The time from the first to the last of these, moved by so much.
fn span(connections: &[Connection], by: i64) -> Option<(i64, i64)> {
    let first = connections.iter().map(|one| one.first).min()?;
    let last = connections.iter().map(|one| one.last).max()?;
    Some((first.saturating_add(by).as_nanos(), last.saturating_add(by).as_nanos()))
}

/// Calls `take` with the connections of each conversation between two ends.
fn conversations(sides: [Vec<Connection>; 2], offset: i64, tolerance: i64, mut take: impl FnMut(&[Seen])) {
    let mut seen: Vec<Seen> = Vec::new();
    for (connections, is_right) in sides.into_iter().zip([false, true]) {
        let by = if is_right { offset.saturating_neg() } else { 0 };
        let at = |time: Timestamp| time.saturating_add(by).as_nanos();
        seen.extend(connections.into_iter().map(|connection| {
            let first = at(connection.first);
            Seen { first, last: at(connection.last).max(first), is_right, connection }
        }));
    }
    seen.sort_unstable_by_key(|one| (one.first, one.last, one.is_right, one.connection));
    let (mut from, mut end) = (0, i64::MIN);
    for (at, one) in seen.iter().enumerate() {
        if at > from && one.first > end.saturating_add(tolerance) {
            take(&seen[from..at]);
            (from, end) = (at, i64::MIN);
        }
        end = end.max(one.last);
    }
    if from < seen.len() {
        take(&seen[from..]);
    }
}

/// Connections of one side as one, from the initiator of the first.
fn whole<'a>(mut connections: impl Iterator<Item = &'a Connection>) -> Option<Connection> {
    let mut whole = *connections.next()?;
    for one in connections {
        let one = if is_same_way(&whole, one) { *one } else { turned(*one) };
        whole.first = whole.first.min(one.first);
        whole.last = whole.last.max(one.last);
        whole.forward = whole.forward.and(one.forward);
        whole.reverse = whole.reverse.and(one.reverse);
        whole.rows = whole.rows.saturating_add(one.rows);
        // Of several, the one that was accepted, which is the smallest, tells most.
        whole.state = whole.state.into_iter().chain(one.state).min();
    }
    Some(whole)
}

/// The same connection, told from its other end.
const fn turned(one: Connection) -> Connection {
    let (forward, reverse): (Traffic, Traffic) = (one.reverse, one.forward);
    Connection {
        src: one.dst,
        dst: one.src,
        packet_src: one.packet_dst,
        packet_dst: one.packet_src,
        src_port: one.dst_port,
        dst_port: one.src_port,
        forward,
        reverse,
        ..one
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    const CLIENT: &str = "203.0.113.66";

    fn at(port: u16, first: i64, last: i64) -> Connection {
        connection(CLIENT, "10.0.0.1", port, first, last)
    }

    fn later(connections: &[Connection], seconds: i64) -> Vec<Connection> {
        let by = seconds * NANOS_PER_SEC;
        let moved = |one: &Connection| Connection {
            first: one.first.saturating_add(by),
            last: one.last.saturating_add(by),
            ..*one
        };
        connections.iter().map(moved).collect()
    }

    #[test]
    fn clocks_apart_are_found_out_and_made_up_for() {
        let left: Vec<_> =
            (1..20).map(|port| at(port, i64::from(port) * 100, i64::from(port) * 100 + 30)).collect();
        for seconds in [0, 37, -4000] {
            let found = correlate(&left, &later(&left, seconds), Options::default());
            assert_eq!((found.offset, found.told_by), (seconds * NANOS_PER_SEC, 19));
            assert_eq!((found.matched.len(), found.only_left.len(), found.only_right.len()), (19, 0, 0));
        }
    }

    #[test]
    fn a_port_used_again_is_another_conversation() {
        let left = [at(22, 0, 10), at(22, 5000, 5010), at(80, 0, 10)];
        let right = [at(22, 5001, 5009), at(80, 0, 10)];
        let found = correlate(&left, &right, Options::default());
        assert_eq!(found.only_left.inside, [left[0]]);
        assert_eq!(found.matched.len(), 2);
        assert!(found.matched.iter().any(|pair| pair.left == left[1] && pair.right == right[0]));
    }

    #[test]
    fn connections_that_are_cut_elsewhere_are_one() {
        let left = [at(22, 0, 300), at(22, 310, 600), at(22, 610, 900)];
        let whole = Connection { rows: 9, ..at(22, 1, 899) };
        let options = Options { offset: Some(0), ..Options::default() };
        let found = correlate(&left, &[turned(whole)], options);
        let [pair] = &found.matched[..] else { panic!("{found:?}") };
        assert_eq!((pair.connections, pair.left.forward.bytes, pair.left.rows), ([3, 1], 1200, 6));
        assert_eq!(pair.right, whole, "told from the initiator of the left side");
    }

    #[test]
    fn what_the_other_side_could_not_see_is_told_apart() {
        let left = [at(1, 0, 10), at(2, 1000, 1010), at(3, 2000, 2010)];
        let right = [at(2, 1000, 1010), at(4, 900, 1005), at(5, 1100, 1200)];
        let found = correlate(&left, &right, Options::default());
        assert_eq!((found.only_left.inside.len(), found.only_left.outside.len()), (0, 2));
        assert_eq!((found.only_right.inside.len(), found.only_right.outside.len()), (2, 0));
    }

    #[test]
    fn the_order_of_connections_changes_nothing_and_none_is_lost() {
        let left: Vec<_> = (0..50).map(|n| at(n % 7, i64::from(n) * 40, i64::from(n) * 40 + 15)).collect();
        let right: Vec<_> = later(&left[10..40], 3);
        let found = correlate(&left, &right, Options::default());
        let turned = |all: &[Connection]| all.iter().rev().copied().collect::<Vec<_>>();
        assert_eq!(found, correlate(&turned(&left), &turned(&right), Options::default()));
        let count = |side: usize| found.matched.iter().map(|pair| pair.connections[side]).sum::<u64>();
        assert_eq!(count(0) + found.only_left.len() as u64, 50);
        assert_eq!(count(1) + found.only_right.len() as u64, 30);
    }

    #[test]
    fn a_gateway_is_looked_through() {
        let plain: Vec<_> =
            (1..9).map(|port| at(port, i64::from(port) * 50, i64::from(port) * 50 + 20)).collect();
        let gateway =
            |one: &Connection| Connection { src: "10.9.9.9".parse().unwrap(), packet_src: one.src, ..*one };
        let seen: Vec<_> = plain.iter().map(gateway).collect();
        for (left, right) in [(&plain, &seen), (&seen, &plain), (&seen, &seen)] {
            let found = correlate(left, right, Options::default());
            assert_eq!((found.matched.len(), found.only_left.len(), found.only_right.len()), (8, 0, 0));
            assert!(found.matched.iter().all(|pair| pair.left.src_port == pair.right.src_port));
        }
        // The same address of the gateway, and no packet that is known to come through it.
        let other: Vec<_> = seen.iter().map(|one| Connection { packet_src: Addr::Unknown, ..*one }).collect();
        assert_eq!(correlate(&plain, &other, Options::default()).matched.len(), 0);
        assert_eq!(correlate(&seen, &other, Options::default()).matched.len(), 8);
    }
}
