//! Data inside of name queries: names that are too long to be names, and answers that are too large to be addresses.
//!
//! What is judged together are the queries of a client at a server over one protocol. Flows do not show names, but how
//! long they are: a query has 28 bytes of headers of IPv4 and UDP, 12 of its own, the name, and up to 27 behind it, so
//! that an ordinary one has 60 to 100, and one with the longest name that there can be some 310. Data **in names** goes to
//! the server, data **in answers** to the client. Many queries alone say nothing: resolvers and mail servers have them.
//!
//! Whoever only waits for orders in a tunnel sends names of ordinary length, at regular times perhaps, and is not told
//! from other clients here.

use std::collections::{BTreeMap, BTreeSet};

use super::crossing::{self, Others, is_host, service_words};
use super::finding::{Group, Said};
use super::measures::{self, groups};
use super::{Connection, Detector, Finding, Hosts};
use crate::record::{Addr, NANOS_PER_SEC, Protocol};

/// When queries are a tunnel. Bytes of queries and answers are those of packets with their headers, as over UDP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DnsTunnelOptions {
    /// Bytes of a query with a long name. 160: the longest ordinary ones, of addresses of IPv6 written backwards and asked
    /// at a list, have 130 to 155.
    pub long_query: u64,
    /// Long queries within the [`window`](Self::window), at least. 30: updates of names by servers for addresses, and a
    /// few names of delivery networks, are as long.
    pub min_long: u64,
    /// Part of the queries that are long, at least. 0.03: of what a company asks one in a hundred or less is.
    pub min_long_share: f64,
    /// Bytes in long names within the window, at least. 5000: keys and passwords of a host, at a query per minute.
    pub min_long_bytes: u64,
    /// Bytes of a query with a wordy name. 105: 20 more than most have, cookies of DNS counted.
    pub wordy_query: u64,
    /// Part of the queries that are wordy at least, if they are not long. 0.6.
    pub min_wordy_share: f64,
    /// Bytes in wordy names within the window, at least. 60000: lookups of a virus scanner, by the hash of each file, come
    /// to some tens of thousands.
    pub min_wordy_bytes: u64,
    /// Bytes of a large answer. 400: addresses have 80 to 300, with signatures of DNSSEC up to 1700, which is why most of
    /// the answers have to be large.
    pub large_answer: u64,
    /// Part of the answers that are large, at least. 0.6: few names are signed.
    pub min_large_share: f64,
    /// Bytes of large answers within the window, at least. 150000: a small program.
    pub min_answer_bytes: u64,
    /// Times the bytes of an ordinary answer of the same server, which is at the third quartile of its other clients. 2: a
    /// server with signed names gives all clients large answers.
    pub times_ordinary: f64,
    /// Other clients that tell what is ordinary. 5: fewer than that say nothing.
    pub min_clients: usize,
    /// Servers that a client asks from which on it is a resolver, which looks for names itself. 20. Of it only long names
    /// count: servers of domains send it large signed answers, and the lookups of all virus scanners go through it. Its
    /// clients, where they are seen, are judged by all.
    pub resolver_servers: usize,
    /// Seconds within which the bytes are counted. 3600, an hour.
    pub window: u32,
}

impl Default for DnsTunnelOptions {
    fn default() -> Self {
        Self {
            long_query: 160,
            min_long: 30,
            min_long_share: 0.03,
            min_long_bytes: 5_000,
            wordy_query: 105,
            min_wordy_share: 0.6,
            min_wordy_bytes: 60_000,
            large_answer: 400,
            min_large_share: 0.6,
            min_answer_bytes: 150_000,
            times_ordinary: 2.0,
            min_clients: 5,
            resolver_servers: 20,
            window: 3600,
        }
    }
}

/// Bytes of a query that carries nothing, with a name of 25 letters.
const ORDINARY: f64 = 80.0;
/// Bytes of headers of IPv4 and UDP, of IPv6 and UDP, and of IP and TCP with times and the length of the query.
const HEADERS: [f64; 2] = [28.0, 48.0];
const TCP_HEADERS: f64 = 52.0;
/// Queries are padded to 128 bytes where somebody wants to hide how long they are (RFC 8467).
const PADDED: f64 = 128.0;

/// Names and answers with data inside, most bytes first. Connections from and to `allowed` hosts are left out: mail
/// servers that ask lists with keys in their names, for one. A resolver that all ask does not belong there, as its clients
/// would be left out with it.
///
/// ```
/// use flowcore::analysis::{Connection, DnsTunnelOptions, Hosts, dns_tunnels};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "10.0.0.5".parse()?);
/// batch.set_addr(Field::DstAddr, "10.0.0.53".parse()?);
/// for (field, number) in [(Field::Protocol, 17), (Field::DstPort, 53), (Field::InPackets, 900)] {
///     batch.set_number(field, number);
/// }
/// batch.set_number(Field::InBytes, 250_000);
/// batch.end_row();
/// let found = dns_tunnels(&[Connection::of(&batch, 0)], &DnsTunnelOptions::default(), &Hosts::new([]));
/// assert_eq!(found[0].filter, "src ip 10.0.0.5 and dst ip 10.0.0.53 and proto 17 and dst port 53");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn dns_tunnels(connections: &[Connection], options: &DnsTunnelOptions, allowed: &Hosts) -> Vec<Finding> {
    let key = |one: &Connection| {
        let is_left_out = [one.src, one.dst].iter().any(|&end| allowed.contains(end)) || !is_host(one.dst);
        (one.dst_port == Some(53) && !is_left_out).then_some((one.src, one.dst, one.protocol?))
    };
    let groups = groups(connections, key);
    let resolvers = resolvers(groups.keys().map(|(src, dst, _)| (*src, *dst)), options);
    let asked: BTreeMap<_, Asked> =
        groups.iter().map(|(key, group)| (*key, Asked::of(group, options))).collect();
    let usual =
        Others::of(asked.iter().map(|((_, dst, protocol), asked)| ((*dst, *protocol), asked.answer())));
    let mut found: Vec<(f64, Finding)> = Vec::new();
    for ((src, dst, protocol), group) in groups {
        let asked = &asked[&(src, dst, protocol)];
        let usual = usual.quartile(&(dst, protocol), asked.answer(), 3, options.min_clients);
        let Some(tunnel) = asked.tunnel(resolvers.contains(&src), usual, options) else { continue };
        let group = Group { connections: group };
        let said = asked.said(&group, tunnel, options);
        let finding = said.and_then(|said| group.finding(Detector::DnsTunnel, said));
        found.extend(finding.map(|one| (asked.carried(), one)));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Clients that ask many servers.
fn resolvers(pairs: impl Iterator<Item = (Addr, Addr)>, options: &DnsTunnelOptions) -> BTreeSet<Addr> {
    let mut servers: BTreeMap<Addr, BTreeSet<Addr>> = BTreeMap::new();
    for (src, dst) in pairs {
        servers.entry(src).or_default().insert(dst);
    }
    servers.retain(|_, servers| servers.len() >= options.resolver_servers.max(1));
    servers.into_keys().collect()
}

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
            // Three packets to begin and to end; then one with the query, and one that acknowledges the answer. Answers
            // over TCP are large by design: those that did not fit, and zones.
            let count = ((packets - 3.0) / 2.0).max(1.0);
            let content = (bytes - packets * TCP_HEADERS).max(0.0);
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
struct Asked {
    queries: f64,
    bytes: f64,
    answers: f64,
    answer_bytes: f64,
    long: Kind,
    wordy: Kind,
    large: Kind,
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
enum Tunnel {
    Long,
    Wordy,
    Answers,
}

impl Asked {
    /// Of connections that are in the order of time.
    fn of(sorted: &[&Connection], options: &DnsTunnelOptions) -> Self {
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
        }
    }

    /// Bytes of an answer, on average.
    fn answer(&self) -> u64 {
        (self.answer_bytes / self.answers.max(1.0)) as u64
    }

    /// Bytes that were carried in the window that has the most.
    fn carried(&self) -> f64 {
        self.wordy.bytes.max(self.long.bytes) + self.large.bytes
    }

    fn tunnel(&self, is_resolver: bool, usual: Option<u64>, options: &DnsTunnelOptions) -> Option<Tunnel> {
        let is_long = self.long.most >= options.min_long as f64
            && self.long.bytes >= options.min_long_bytes as f64
            && self.long.count >= self.queries * options.min_long_share;
        let is_wordy = self.wordy.bytes >= options.min_wordy_bytes as f64
            && self.wordy.count >= self.queries * options.min_wordy_share;
        let is_ordinary =
            usual.is_some_and(|usual| (self.answer() as f64) < usual as f64 * options.times_ordinary);
        let is_large = self.large.bytes >= options.min_answer_bytes as f64
            && self.large.count >= self.answers * options.min_large_share
            && !is_ordinary;
        match (is_long, is_wordy && !is_resolver, is_large && !is_resolver) {
            (true, ..) => Some(Tunnel::Long),
            (_, true, _) => Some(Tunnel::Wordy),
            (.., true) => Some(Tunnel::Answers),
            _ => None,
        }
    }

    fn said(&self, group: &Group<'_>, tunnel: Tunnel, options: &DnsTunnelOptions) -> Option<Said> {
        let sample = group.connections.first()?;
        let minutes = measures::seconds(group.last().since(group.first())).max(60.0) / 60.0;
        let parts = measures::parts([
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
        ]);
        let reason = format!(
            "{} asked {} of {} {:.0} times within {}. {}",
            sample.src,
            service_words(sample.protocol, sample.dst_port),
            sample.dst,
            self.queries,
            measures::duration(minutes * 60.0),
            self.why(tunnel, options)
        );
        let filter = measures::filter(sample.src, Some(sample.dst), sample.protocol, sample.dst_port);
        Some(Said { parts, reason, filter })
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

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    /// A query of so many bytes and its answer at each of these seconds.
    fn asking(src: &str, times: impl IntoIterator<Item = i64>, query: u64, answer: u64) -> Vec<Connection> {
        let ask = |at| {
            let mut one = connection(src, "10.0.0.53", 53, at, at);
            one.protocol = Some(Protocol::UDP);
            (one.forward.packets, one.forward.bytes) = (1, query);
            (one.reverse.packets, one.reverse.bytes) = (1, answer);
            one
        };
        times.into_iter().map(ask).collect()
    }

    fn found(connections: &[Connection]) -> Vec<Finding> {
        let allowed = Hosts::new(["192.0.2.0/24".parse().unwrap()]);
        dns_tunnels(connections, &DnsTunnelOptions::default(), &allowed)
    }

    #[test]
    fn long_names_among_ordinary_ones_are_told_in_words() {
        let mut all = asking("10.0.0.5", 0..1000, 75, 180);
        all.extend(asking("10.0.0.5", 0..100, 230, 150));
        let found = found(&all);
        assert_eq!(
            found[0].reason,
            "10.0.0.5 asked udp/53 (domain) of 10.0.0.53 1100 times within 16.6 minutes. 100 queries have names that can \
             carry 15.0 kB within 60 minutes: they are of 160 bytes or more each, where ordinary ones have 60 to 100."
        );
        assert_eq!(found[0].filter, "src ip 10.0.0.5 and dst ip 10.0.0.53 and proto 17 and dst port 53");
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn wordy_names_need_to_be_many_and_large_answers_the_rule() {
        assert_eq!(found(&asking("10.0.0.5", 0..3000, 125, 180)).len(), 1);
        assert_eq!(found(&asking("10.0.0.5", 0..1000, 125, 180)), []);
        assert_eq!(found(&asking("10.0.0.5", 0..90_000, 90, 220)), []);
        let mut answers = asking("10.0.0.5", 0..500, 90, 600);
        assert_eq!(found(&answers).len(), 1);
        answers.extend(asking("10.0.0.5", 0..500, 80, 200));
        assert_eq!(found(&answers), [], "signed names among others");
    }

    #[test]
    fn other_clients_tell_what_is_ordinary() {
        let mut all = Vec::new();
        for client in 1..9 {
            all.extend(asking(&format!("10.0.0.{client}"), 0..500, 90, 600));
        }
        assert_eq!(found(&all), []);
        all.extend(asking("10.0.0.99", 0..500, 90, 1400));
        assert_eq!(found(&all).len(), 1);
    }

    #[test]
    fn padding_allowed_hosts_groups_and_zones_are_none() {
        assert_eq!(found(&asking("10.0.0.5", 0..900, 156, 496)[..200]), []);
        assert_eq!(found(&asking("192.0.2.7", 0..900, 250, 200)), []);
        let mut multicast = asking("10.0.0.5", 0..900, 250, 0);
        multicast.iter_mut().for_each(|one| one.dst = "224.0.0.251".parse().unwrap());
        assert_eq!(found(&multicast), []);
        let mut zone = connection("10.0.0.5", "10.0.0.53", 53, 0, 9);
        (zone.forward.packets, zone.forward.bytes) = (900, 900 * 52 + 60);
        (zone.reverse.packets, zone.reverse.bytes) = (1800, 2_500_000);
        assert_eq!(found(&[zone]), []);
        zone.forward.bytes = 900 * 600;
        assert_eq!(found(&[zone]).len(), 1, "an upload over TCP");
    }

    #[test]
    fn of_resolvers_long_names_count_only() {
        let mut all = asking("10.0.0.5", 0..4000, 125, 900);
        for (at, one) in all.iter_mut().enumerate() {
            one.dst = format!("20.1.2.{}", at % 20).parse().unwrap();
        }
        assert_eq!(found(&all), []);
        all.iter_mut().for_each(|one| one.forward.bytes = 240);
        assert_eq!(found(&all).len(), 20);
    }

    #[test]
    fn the_ends_of_all_ranges_are_no_matter() {
        let mut all = asking("10.0.0.5", 0..60, 230, 150);
        (all[0].first, all[0].last) = (crate::Timestamp::MIN, crate::Timestamp::MAX);
        (all[1].first, all[1].last) = (crate::Timestamp::MAX, crate::Timestamp::MIN);
        all[2].forward.bytes = u64::MAX;
        all[3].reverse.packets = u64::MAX;
        all[4].forward.packets = 0;
        found(&all);
        assert_eq!(found(&[]), []);
    }
}
