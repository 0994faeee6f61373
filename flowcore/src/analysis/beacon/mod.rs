//! Beacons: a host that calls the same service of the same host outside at regular times, as software does that asks
//! whether somebody wants something of it.
//!
//! Judged are the times between calls, how alike the calls are in bytes and seconds, and how much of the time that was
//! looked at they go on. Times are judged by the median and the deviation from it, which forgive calls that are missing,
//! nights without any, and an answer that was fetched in between. Where so many calls are missing that most gaps are
//! multiples of the interval, as with a service of several addresses, it is looked at how near to multiples they are.
//! What is said at regular times inside of a single connection cannot be seen in it.
//!
//! Much that is good is as regular: what is told apart by more than time is in [`BeaconOptions`].

mod calls;

use std::collections::BTreeSet;

use self::calls::Calls;
use super::crossing::is_host;
use super::finding::Group;
use super::measures::{groups, seconds};
use super::{Connection, Detector, Finding, Hosts};
use crate::record::{Addr, Protocol, Timestamp};

/// When calls are too regular.
///
/// Left out are, whatever the options say: ICMP; services that have a timetable (DNS, NTP, mail boxes that are polled) or
/// send signs of life (message queues, push services, telephones, tunnels). Who hides there is to be found by other
/// detectors, if by size ([`dns_tunnels`](super::dns_tunnels)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BeaconOptions {
    /// Calls, at least. 12: an hour of one every five minutes.
    pub min_calls: usize,
    /// Calls from which on [`min_score`](Self::min_score) is enough. 20: fewer may be fairly regular by chance, in a network
    /// where thousands of pairs of hosts have as many connections.
    pub sure_calls: usize,
    /// Score that fewer calls need. 0.75: of calls that are alike and fill a third of the time
    /// that was looked at, it allows for a jitter of 30 %.
    pub few_score: f64,
    /// Seconds between calls from which on they are slow. 1800, half an hour: checks for updates come every hour or less
    /// often.
    pub slow_secs: u32,
    /// Slow calls, at least. 25: more than an hourly check makes in a day.
    pub slow_calls: usize,
    /// Seconds from the first to the last call, at least. 1200, twenty minutes: a page or a film that is open asks as
    /// regularly, but is closed again.
    pub min_secs: u32,
    /// Score from which on calls are a beacon, from 0 to 1. 0.55: half of the score is that of the times; calls with a
    /// jitter of 50 % reach it if they are alike, calls at any time never do.
    pub min_score: f64,
    /// Score of the times alone, at least. 0.35: times with a jitter of 65 % are no longer told from those of people.
    pub min_timing: f64,
    /// Bytes of both ways of an ordinary call, the middle one, at most. 120000: one that poses as a library of scripts has
    /// as much; most pages that load themselves again and pieces of films have more.
    pub max_bytes: u64,
    /// Bytes from which on a call is large. 30000: a question and an answer over TLS have 3000 to 10000.
    pub large_bytes: u64,
    /// Score of the sizes that large calls need. 0.7: a pose is the same each time, a page that changes is not.
    pub large_size: f64,
    /// Part of the interval that an ordinary call is open for, at most. 0.7: connections that are open nearly all the
    /// time and begun again when they end wait for news, as those of chats do.
    pub max_open: f64,
    /// Hosts that connect to the same host outside from which on it is a service that many use, whatever they use it for.
    /// 5: agents, updates, telemetry; what got into one host has rarely got into five at the same time.
    pub popular_hosts: usize,
    /// The same as a part of all hosts that began something. 0.05: of a network of a thousand hosts five may have caught
    /// the same.
    pub popular_share: f64,
}

impl Default for BeaconOptions {
    fn default() -> Self {
        Self {
            min_calls: 12,
            sure_calls: 20,
            few_score: 0.75,
            slow_secs: 1800,
            slow_calls: 25,
            min_secs: 1200,
            min_score: 0.55,
            min_timing: 0.35,
            max_bytes: 120_000,
            large_bytes: 30_000,
            large_size: 0.7,
            max_open: 0.7,
            popular_hosts: 5,
            popular_share: 0.05,
        }
    }
}

/// Services with a timetable or with signs of life: time (NTP, NTS, PTP, the old time protocol), names (DNS, DNS over TLS,
/// mDNS), leases, mail boxes (POP3, IMAP), SNMP and logs, routing (BGP, BFD), tunnels (IKE, L2TP, OpenVPN, PPTP, Teredo,
/// WireGuard), STUN, telephones (SIP), message queues (MQTT, AMQP), chats (XMPP), push services of Apple and Google.
const TIMETABLE: [u16; 44] = [
    37, 53, 67, 68, 110, 123, 143, 161, 162, 179, 319, 320, 500, 514, 546, 547, 853, 993, 995, 1194, 1701,
    1723, 1883, 2195, 2196, 3478, 3479, 3544, 3784, 4460, 4500, 5060, 5061, 5222, 5223, 5228, 5229, 5230,
    5269, 5353, 5671, 6514, 8883, 51_820,
];

/// Hosts that call the same service of the same host outside at regular times, the highest score first: `internal` ones,
/// or any where neither end is internal. Connections from and to `allowed` hosts are left out: monitoring, partners.
///
/// ```
/// use flowcore::analysis::{BeaconOptions, Connection, Hosts, beacons};
/// use flowcore::{Field, FlowBatch, Timestamp};
/// let mut batch = FlowBatch::new();
/// for call in 0..180 {
///     batch.set_addr(Field::SrcAddr, "10.0.0.5".parse()?);
///     batch.set_addr(Field::DstAddr, "20.1.2.3".parse()?);
///     batch.set_time(Field::First, Timestamp::from_secs(call * 60));
///     for (field, number) in [(Field::Protocol, 6), (Field::DstPort, 443), (Field::InBytes, 1800)] {
///         batch.set_number(field, number);
///     }
///     batch.end_row();
/// }
/// let connections: Vec<_> = (0..batch.len()).map(|row| Connection::of(&batch, row)).collect();
/// let (internal, allowed) = (Hosts::internal(), Hosts::new([]));
/// let found = beacons(&connections, &BeaconOptions::default(), &internal, &allowed);
/// assert_eq!(found[0].criteria.to_string(), "src ip 10.0.0.5 and dst ip 20.1.2.3 and proto 6 and dst port 443");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn beacons(
    connections: &[Connection],
    options: &BeaconOptions,
    internal: &Hosts,
    allowed: &Hosts,
) -> Vec<Finding> {
    let (popular, span) = (popular(connections, options), observed(connections));
    let is_left_out = |one: &Connection| {
        let is_allowed = [one.src, one.dst].iter().any(|&end| allowed.contains(end));
        is_allowed || internal.contains(one.dst) || popular.contains(&one.dst) || !may_call(one)
    };
    let key =
        |one: &Connection| (!is_left_out(one)).then_some((one.src, one.dst, one.protocol, one.dst_port));
    let mut found: Vec<(f64, Finding)> = Vec::new();
    for connections in groups(connections, key).into_values() {
        let Some(calls) = Calls::of(&connections, span, options) else { continue };
        let group = Group { connections };
        let finding = calls.said(&group).and_then(|said| group.finding(Detector::Beacon, said));
        found.extend(finding.map(|one| (calls.score(), one)));
    }
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Whether the service is one where regular calls say something.
fn may_call(one: &Connection) -> bool {
    matches!(one.protocol, Some(Protocol::TCP | Protocol::UDP) | None)
        && is_host(one.dst)
        && one.dst_port.is_some_and(|port| !TIMETABLE.contains(&port))
}

/// Hosts that so many others connect to that they are a service for all.
fn popular(connections: &[Connection], options: &BeaconOptions) -> BTreeSet<Addr> {
    let mut pairs: Vec<(Addr, Addr)> = connections.iter().map(|one| (one.dst, one.src)).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut callers: Vec<Addr> = pairs.iter().map(|(_, src)| *src).collect();
    callers.sort_unstable();
    callers.dedup();
    let least = (callers.len() as f64 * options.popular_share).max(options.popular_hosts as f64);
    let called = pairs.chunk_by(|one, next| one.0 == next.0);
    called.filter(|callers| callers.len() as f64 >= least).filter_map(|all| Some(all.first()?.0)).collect()
}

/// Seconds that were looked at. A hundredth at both ends is left out: clocks that are wrong by years.
fn observed(connections: &[Connection]) -> f64 {
    let mut starts: Vec<Timestamp> = connections.iter().map(|one| one.first).collect();
    starts.sort_unstable();
    let late = starts.len().saturating_sub(1 + starts.len() / 100);
    let ends = starts.get(starts.len() / 100).zip(starts.get(late));
    ends.map_or(0.0, |(first, last)| seconds(last.since(*first)))
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    /// A call at each of these seconds.
    fn calling(port: u16, times: impl IntoIterator<Item = i64>) -> Vec<Connection> {
        times.into_iter().map(|at| connection("10.0.0.5", "20.1.2.3", port, at, at + 1)).collect()
    }

    /// Whole numbers below 1000 without any order.
    fn noise(at: i64) -> i64 {
        at.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64).wrapping_shr(40).rem_euclid(1000)
    }

    fn found(connections: &[Connection], allowed: &str) -> Vec<Finding> {
        let allowed = Hosts::new(allowed.split_whitespace().map(|one| one.parse().unwrap()));
        beacons(connections, &BeaconOptions::default(), &Hosts::internal(), &allowed)
    }

    fn part(finding: &Finding, name: &str) -> f64 {
        finding.parts.iter().find(|part| part.name == name).unwrap().value
    }

    #[test]
    fn regular_calls_are_told_in_words() {
        let found = found(&calling(443, (0..180).map(|at| at * 60)), "");
        assert_eq!(
            found[0].reason,
            "10.0.0.5 called tcp/443 (https) of 20.1.2.3 180 times, every 60 seconds with a jitter of 0 %, 400 bytes out \
             and 300 bytes back at a time; the calls fill 100 % of the time that was looked at."
        );
        assert_eq!(
            found[0].criteria.to_string(),
            "src ip 10.0.0.5 and dst ip 20.1.2.3 and proto 6 and dst port 443"
        );
        assert_eq!((found.len(), part(&found[0], "score"), part(&found[0], "calls")), (1, 1.0, 180.0));
    }

    #[test]
    fn jitter_missed_calls_and_nights_are_forgiven() {
        let jitter = (0..180).map(|at| at * 60 + noise(at) * 24 / 1000);
        assert!(part(&found(&calling(443, jitter), "")[0], "jitter") < 0.5);
        let missed = (0..400).filter(|&at| noise(at) < 350).map(|at| at * 60 + noise(at) % 3);
        let many = found(&calling(443, missed), "");
        assert!((part(&many[0], "interval-seconds") - 60.0).abs() < 3.0, "two of three are missing");
        let night = (0..700).filter(|at| at % 288 < 100).map(|at| at * 300);
        assert_eq!(part(&found(&calling(8889, night), "")[0], "interval-seconds"), 300.0);
    }

    #[test]
    fn calls_at_any_time_are_none() {
        let mut at = 0;
        let times: Vec<i64> = (0..400)
            .map(|call| {
                at += noise(call) * noise(call + 7) / 4000;
                at
            })
            .collect();
        assert_eq!(found(&calling(443, times), ""), []);
    }

    #[test]
    fn timetables_allowed_and_popular_hosts_large_and_standing_ones_are_none() {
        let regular = || (0..180).map(|at| at * 60);
        assert_eq!(found(&calling(123, regular()), ""), []);
        assert_eq!(found(&calling(443, regular()), "20.1.2.0/24"), []);
        assert_eq!(found(&calling(443, regular().take(19)), ""), [], "less than twenty minutes");
        assert_eq!(found(&calling(443, (0..12).map(|at| at * 300)), "").len(), 1, "an hour of a slower one");
        assert_eq!(found(&calling(443, (0..24).map(|at| at * 3600)), ""), [], "a check for updates");
        let mut popular = calling(443, regular());
        popular.extend((1..5).map(|host| connection(&format!("10.0.1.{host}"), "20.1.2.3", 443, 9, 9)));
        assert_eq!(found(&popular, ""), []);
        let mut large = calling(443, regular());
        large.iter_mut().for_each(|one| one.reverse.bytes = 190_000);
        assert_eq!(found(&large, ""), []);
        let mut standing = calling(443, regular());
        standing.iter_mut().for_each(|one| one.last = one.first.saturating_add(59_000_000_000));
        assert_eq!(found(&standing, ""), []);
        let mut inside = calling(443, regular());
        inside.iter_mut().for_each(|one| one.dst = "10.0.0.9".parse().unwrap());
        assert_eq!(found(&inside, ""), []);
    }

    #[test]
    fn the_most_regular_comes_first_and_hosts_of_no_side_count() {
        let mut all = calling(443, (0..180).map(|at| at * 60 + noise(at) * 30 / 1000));
        let mut other = calling(80, (0..180).map(|at| at * 60));
        other.iter_mut().for_each(|one| one.src = "20.9.9.9".parse().unwrap());
        all.extend(other);
        let ports: Vec<_> = found(&all, "").iter().map(|one| one.port).collect();
        assert_eq!(ports, [Some(80), Some(443)]);
    }

    #[test]
    fn the_ends_of_all_ranges_are_no_matter() {
        let mut all = calling(443, (0..90).map(|at| at * 60));
        (all[0].first, all[0].last) = (Timestamp::MIN, Timestamp::MAX);
        (all[1].first, all[1].last) = (Timestamp::MAX, Timestamp::MIN);
        all.iter_mut().for_each(|one| one.reverse.bytes = u64::MAX);
        assert_eq!(found(&all, ""), []);
        all.iter_mut().for_each(|one| one.reverse.bytes = 500);
        assert_eq!(found(&all, "").len(), 1);
        assert_eq!(found(&[], ""), []);
    }
}
