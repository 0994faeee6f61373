//! Data inside of name queries: names that are too long to be names, and answers that are too large to be addresses.
//!
//! What is judged together are the queries of a client at a server over one protocol. Flows do not show names, but how
//! long they are: a query has 28 bytes of headers of IPv4 and UDP, 12 of its own, the name, and up to 27 behind it, so
//! that an ordinary one has 60 to 100, and one with the longest name that there can be some 310. Data **in names** goes to
//! the server, data **in answers** to the client. Many queries alone say nothing: resolvers and mail servers have them.
//!
//! Whoever only waits for orders in a tunnel sends names of ordinary length, at regular times perhaps, and is not told
//! from other clients here.

mod asked;

use std::collections::{BTreeMap, BTreeSet};

use self::asked::Asked;
use super::crossing::{Others, is_host};
use super::finding::Group;
use super::measures::groups;
use super::{Connection, Detector, Finding, Hosts};
use crate::record::Addr;

/// When queries are a tunnel. Bytes of queries and answers are those of packets with their headers, as over UDP.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DnsTunnelOptions {
    /// Bytes of a query with a long name. 155: the longest ordinary ones, of addresses of IPv6 written backwards and asked
    /// at a list, have 130 to 150.
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
    /// Bytes in wordy names within the window, at least. 50000: lookups of a virus scanner, by the hash of each file, come
    /// to some ten thousand.
    pub min_wordy_bytes: u64,
    /// Bytes of a large answer. 400: addresses have 80 to 300, with signatures of DNSSEC up to 1700, which is why most of
    /// the answers have to be large.
    pub large_answer: u64,
    /// Part of the answers that are large, at least. 0.6: few names are signed.
    pub min_large_share: f64,
    /// Bytes of large answers within the window, at least. 100000: a small program.
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
            long_query: 155,
            min_long: 30,
            min_long_share: 0.03,
            min_long_bytes: 5_000,
            wordy_query: 105,
            min_wordy_share: 0.6,
            min_wordy_bytes: 50_000,
            large_answer: 400,
            min_large_share: 0.6,
            min_answer_bytes: 100_000,
            times_ordinary: 2.0,
            min_clients: 5,
            resolver_servers: 20,
            window: 3600,
        }
    }
}

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
/// assert_eq!(found[0].criteria.to_string(), "src ip 10.0.0.5 and dst ip 10.0.0.53 and proto 17 and dst port 53");
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

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;
    use crate::record::Protocol;

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
             carry 15.0 kB within 60 minutes: they are of 155 bytes or more each, where ordinary ones have 60 to 100."
        );
        assert_eq!(
            found[0].criteria.to_string(),
            "src ip 10.0.0.5 and dst ip 10.0.0.53 and proto 17 and dst port 53"
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn wordy_names_need_to_be_many_and_large_answers_the_rule() {
        assert_eq!(found(&asking("10.0.0.5", 0..3000, 125, 180)).len(), 1);
        assert_eq!(found(&asking("10.0.0.5", 0..1000, 125, 180)), []);
        assert_eq!(found(&asking("10.0.0.5", 0..90_000, 90, 220)), []);
        let mut answers = asking("10.0.0.5", 0..500, 90, 600);
        assert_eq!(found(&answers), [], "the same name again and again");
        answers[499].reverse.bytes = 333;
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
        all.extend(asking("10.0.0.99", [501], 90, 900));
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
