//! Scans: somebody who looks for services, at the ports of one host or at one port of many hosts.
//!
//! A scan shows by what it does not find: ports and hosts that refuse or do not answer. Services that it does find get a
//! handshake and no more. Each target is tried once or a few times; monitoring and clients that wait for a server to
//! come back try the same few again and again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::crossing::service_words;
use super::finding::{Group, Said};
use super::measures::{self, groups, median, seconds};
use super::probe::{Acquaintance, Outcome};
use super::{Connection, Criteria, Detector, Finding, Hosts, service_name};
use crate::record::{Addr, NANOS_PER_SEC, Protocol};

/// When a look for services is a scan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScanOptions {
    /// Ports of a host without use, at least. 12: a client of Windows asks a server at 8, and a look at 12 that are not
    /// there is no slip.
    pub ports: usize,
    /// Hosts of a network without use, at least. 20: machines that were switched off and addresses that were left behind
    /// in settings are fewer.
    pub hosts: usize,
    /// The same where most hosts are alone in their network. 100: a browser or a clock whose way out is blocked comes to
    /// dozens, one that looks through addresses to hundreds.
    pub scattered_hosts: usize,
    /// The same where they are tried within [`quick_secs`](Self::quick_secs), half of them are not there, and none is used. 6:
    /// nobody opens as many windows at once, and of the servers that a computer asks when it starts some are used.
    pub quick_hosts: usize,
    /// Seconds of such a look. 10.
    pub quick_secs: f64,
    /// Part of the targets that were not used, from 0 to 1. 0.6: a resolver and a mail server do not reach one in three,
    /// peers of a network for files about half of them.
    pub vain: f64,
    /// Part of those that refused or did not answer, the others having got a handshake. 0.2: checks of servers that are
    /// up fail less often.
    pub failed: f64,
    /// Targets from which on a handshake each, and nothing failed, is a scan too. 100: a firewall that answers for hosts
    /// and ports that are not there.
    pub all_open: usize,
    /// Times that a target is tried, in the middle. 3: scanners repeat once or twice what got lost.
    pub tries: f64,
    /// Seconds between two looks of one scan, at most. 3600: the slowest setting of nmap waits for 300.
    pub gap: u32,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            ports: 12,
            hosts: 20,
            scattered_hosts: 100,
            quick_hosts: 6,
            quick_secs: 10.0,
            vain: 0.6,
            failed: 0.2,
            all_open: 100,
            tries: 3.0,
            gap: 3600,
        }
    }
}

/// Hosts that ask for a port and for no other, as peers of networks for files do.
const PEERS_OF_PORT: usize = 3;
/// Peers at such ports from which on a source is part of such a network.
const PEERS: usize = 20;
/// Ports and hosts that a sentence names.
const NAMED: usize = 5;

/// Scans of the ports of a host by one source, the most ports first. Sources that are `allowed` to are left out.
///
/// ```
/// use flowcore::analysis::{Connection, Hosts, ScanOptions, port_scans};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// for port in 1..=100 {
///     batch.set_addr(Field::SrcAddr, "20.1.2.3".parse()?);
///     batch.set_addr(Field::DstAddr, "10.0.0.5".parse()?);
///     batch.set_number(Field::Protocol, 6);
///     batch.set_number(Field::DstPort, port);
///     batch.set_text(Field::ConnState, "refused");
///     batch.end_row();
/// }
/// let connections: Vec<_> = (0..100).map(|row| Connection::of(&batch, row)).collect();
/// let found = port_scans(&connections, &ScanOptions::default(), &Hosts::new([]));
/// assert_eq!(found[0].criteria.to_string(), "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 6");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn port_scans(connections: &[Connection], options: &ScanOptions, allowed: &Hosts) -> Vec<Finding> {
    let known = Acquaintance::of(connections);
    let key = |one: &Connection| {
        let has_ports = one.protocol.is_none_or(Protocol::has_ports) && one.dst_port.is_some();
        (has_ports && !allowed.contains(one.src)).then_some((one.src, one.dst, one.protocol))
    };
    let mut found = Vec::new();
    for ((src, dst, protocol), group) in groups(connections, key) {
        let look = |one| Some(Look { one, target: one.dst_port?, outcome: known.outcome(one)? });
        let looks = looks(&group, options.ports, look);
        let Some(scan) = Scan::of(looks, options, |_| options.ports) else { continue };
        let name = |port: &u16| match service_name(protocol.or(Some(Protocol::TCP)), *port) {
            Some(name) => format!("{port} ({name})"),
            None => port.to_string(),
        };
        let over = protocol.map_or_else(String::new, |one| format!(" over {one}"));
        let whom = format!("{} ports of {dst}{over}", scan.targets.len());
        let said = scan.said("ports", &format!("{src} tried {whom}"), name);
        let said = Said { criteria: Criteria::new(Some(src), Some(dst), protocol, None), ..said };
        found.extend(scan.finding(Detector::PortScan, said));
    }
    sorted(found)
}

/// Scans of many hosts for one service by one source, pings included, the most hosts first. Sources that are `allowed` to
/// are left out. Hosts that the source has other business with count as used.
///
/// ```
/// use flowcore::analysis::{Connection, Hosts, ScanOptions, host_scans};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// for host in 1..=100 {
///     batch.set_addr(Field::SrcAddr, "20.1.2.3".parse()?);
///     batch.set_addr(Field::DstAddr, format!("10.0.0.{host}").parse()?);
///     batch.set_number(Field::Protocol, 6);
///     batch.set_number(Field::DstPort, 22);
///     batch.set_text(Field::ConnState, "unanswered");
///     batch.end_row();
/// }
/// let connections: Vec<_> = (0..100).map(|row| Connection::of(&batch, row)).collect();
/// let found = host_scans(&connections, &ScanOptions::default(), &Hosts::new([]));
/// assert_eq!(found[0].criteria.to_string(), "src ip 20.1.2.3 and proto 6 and dst port 22");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn host_scans(connections: &[Connection], options: &ScanOptions, allowed: &Hosts) -> Vec<Finding> {
    let known = Acquaintance::of(connections);
    let key = |one: &Connection| {
        let port = one.dst_port.filter(|_| !one.protocol.is_some_and(Protocol::is_icmp));
        let is_looked_at = !allowed.contains(one.src) && known.outcome(one).is_some();
        is_looked_at.then_some((one.src, one.protocol, port))
    };
    let groups = groups(connections, key);
    let peers = peers(&groups);
    let mut found = Vec::new();
    for ((src, protocol, port), group) in groups {
        let looks = looks(&group, options.hosts.min(options.quick_hosts), |one| host_look(one, &known));
        let is_quick = is_quick(&looks, options);
        let least = |hosts: &BTreeSet<Addr>| least_hosts(hosts, is_quick, options);
        let Some(scan) = Scan::of(looks, options, least) else { continue };
        let is_peer = peers.get(&src).is_some_and(|&peers| peers >= PEERS.max(scan.targets.len() / 2));
        if is_peer && port.is_some_and(|port| port >= 1024) {
            continue;
        }
        let whom = format!("{} of {} hosts", service_words(protocol, port), scan.targets.len());
        let said = scan.said("hosts", &format!("{src} tried {whom}"), Addr::to_string);
        let said = Said { criteria: Criteria::new(Some(src), None, protocol, port), ..said };
        found.extend(scan.finding(Detector::HostScan, said).map(|one| Finding { port, ..one }));
    }
    sorted(found)
}

fn sorted(mut found: Vec<Finding>) -> Vec<Finding> {
    let targets = |one: &Finding| one.parts.first().map_or(0, |part| part.value as u64);
    found.sort_by_key(|one| Reverse(targets(one)));
    found
}

/// A look at a target, and what it told.
#[derive(Debug, Clone, Copy)]
struct Look<'a, T> {
    one: &'a Connection,
    target: T,
    outcome: Outcome,
}

/// The looks of a group, none where the group is too small anyway.
fn looks<'a, T>(
    group: &[&'a Connection],
    least: usize,
    look: impl Fn(&'a Connection) -> Option<Look<'a, T>>,
) -> Vec<Look<'a, T>> {
    if group.len() < least { Vec::new() } else { group.iter().copied().filter_map(look).collect() }
}

fn host_look<'a>(one: &'a Connection, known: &Acquaintance) -> Option<Look<'a, Addr>> {
    let is_deaf = one.protocol == Some(Protocol::UDP) && !known.hears_udp;
    let outcome = match known.outcome(one)? {
        // Silence tells nothing where no answer to anybody is seen.
        Outcome::Unanswered if is_deaf => Outcome::Answered,
        _ if known.have_talked(one) => Outcome::Answered,
        outcome => outcome,
    };
    Some(Look { one, target: one.dst, outcome })
}

/// How many hosts are a scan: neighbours are looked through, hosts all over the world are asked for many reasons.
fn least_hosts(hosts: &BTreeSet<Addr>, is_quick: bool, options: &ScanOptions) -> usize {
    let networks: BTreeSet<u128> = hosts.iter().map(|&host| network(host)).collect();
    match (networks.len() * 2 <= hosts.len(), is_quick) {
        (false, _) => options.scattered_hosts,
        (true, false) => options.hosts,
        (true, true) => options.quick_hosts,
    }
}

/// Whether all looks of a source at a service are within a few seconds, and no use was made of what they found.
fn is_quick(looks: &[Look<'_, Addr>], options: &ScanOptions) -> bool {
    let ends = looks.first().zip(looks.last());
    let is_short = ends
        .is_some_and(|(first, last)| seconds(last.one.first.since(first.one.first)) <= options.quick_secs);
    let failed = looks.iter().filter(|look| look.outcome < Outcome::Touched).count();
    is_short && failed * 2 >= looks.len() && looks.iter().all(|look| look.outcome < Outcome::Answered)
}

/// The first 24 bits of an address, or 64 of IPv6.
fn network(host: Addr) -> u128 {
    match host.ip() {
        Some(IpAddr::V4(addr)) => u128::from(addr.to_bits() >> 8),
        Some(IpAddr::V6(addr)) => addr.to_bits() >> 64,
        None => 0,
    }
}

/// Groups of a source, protocol and port.
type Services<'a> = BTreeMap<(Addr, Option<Protocol>, Option<u16>), Vec<&'a Connection>>;

/// How many hosts each source asks at high ports that it asks next to nobody else at.
fn peers(groups: &Services<'_>) -> BTreeMap<Addr, usize> {
    let mut peers: BTreeMap<Addr, BTreeSet<Addr>> = BTreeMap::new();
    for ((src, _, port), group) in groups {
        let hosts: BTreeSet<Addr> = group.iter().map(|one| one.dst).take(100).collect();
        if port.is_some_and(|port| port >= 1024) && hosts.len() <= PEERS_OF_PORT {
            peers.entry(*src).or_default().extend(hosts);
        }
    }
    peers.into_iter().map(|(src, hosts)| (src, hosts.len())).collect()
}

/// Looks that are a scan, and the best that each of their targets ever gave.
struct Scan<'a, T> {
    looks: Vec<Look<'a, T>>,
    targets: BTreeMap<T, Outcome>,
}

impl<'a, T: Ord + Copy> Scan<'a, T> {
    /// The scan in the looks, which are in the order of time. `least` says how many targets it takes.
    fn of(
        looks: Vec<Look<'a, T>>,
        options: &ScanOptions,
        least: impl Fn(&BTreeSet<T>) -> usize,
    ) -> Option<Self> {
        let mut best: BTreeMap<T, (Outcome, u64)> = BTreeMap::new();
        for look in &looks {
            let (outcome, tries) = best.entry(look.target).or_insert((look.outcome, 0));
            (*outcome, *tries) = (look.outcome.max(*outcome), *tries + 1);
        }
        let is_scan = |run: &&[Look<'a, T>]| is_scan(run, &best, options, &least);
        let looks: Vec<_> =
            runs(&looks, options.gap).into_iter().filter(is_scan).flatten().copied().collect();
        let targets: BTreeMap<T, Outcome> =
            looks.iter().map(|look| (look.target, best[&look.target].0)).collect();
        (!looks.is_empty()).then_some(Self { looks, targets })
    }

    fn count(&self, is: impl Fn(Outcome) -> bool) -> usize {
        self.targets.values().filter(|&&outcome| is(outcome)).count()
    }

    fn said(&self, targets: &'static str, who: &str, name: impl Fn(&T) -> String) -> Said {
        let [refused, unanswered] =
            [Outcome::Refused, Outcome::Unanswered].map(|what| self.count(|one| one == what));
        let answered: Vec<&T> =
            self.targets.iter().filter(|one| *one.1 >= Outcome::Touched).map(|one| one.0).collect();
        let seconds = self.seconds();
        let names: Vec<String> = answered.iter().take(NAMED).map(|target| name(target)).collect();
        let which = match answered.len() {
            0 => "none answered".to_owned(),
            all if all > NAMED => format!("{all} answered: {} and {} more", names.join(", "), all - NAMED),
            all => format!("{all} answered: {}", names.join(", ")),
        };
        let time = measures::duration(seconds);
        Said {
            parts: measures::parts([
                (targets, self.targets.len() as f64),
                ("refused", refused as f64),
                ("unanswered", unanswered as f64),
                ("answered", answered.len() as f64),
                ("rate-per-minute", self.targets.len() as f64 * 60.0 / seconds),
            ]),
            reason: format!("{who} within {time}: {refused} refused, {unanswered} stayed silent, {which}."),
            criteria: Criteria::default(),
        }
    }

    /// From the first look to the last, a second at least.
    fn seconds(&self) -> f64 {
        let ends = self.looks.first().zip(self.looks.last());
        ends.map_or(1.0, |(first, last)| seconds(last.one.first.since(first.one.first)).max(1.0))
    }

    fn finding(&self, detector: Detector, said: Said) -> Option<Finding> {
        Group { connections: self.looks.iter().map(|look| look.one).collect() }.finding(detector, said)
    }
}

/// Looks in the order of time, cut where nothing was tried in vain for longer than the gap. Each begins and ends with a
/// look in vain.
fn runs<'r, 'a, T>(looks: &'r [Look<'a, T>], gap: u32) -> Vec<&'r [Look<'a, T>]> {
    let gap = i64::from(gap) * NANOS_PER_SEC;
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for (at, look) in looks.iter().enumerate().filter(|(_, look)| look.outcome < Outcome::Answered) {
        match ends.last_mut() {
            Some((_, last)) if look.one.first.since(looks[*last].one.first) <= gap => *last = at,
            _ => ends.push((at, at)),
        }
    }
    ends.into_iter().map(|(first, last)| &looks[first..=last]).collect()
}

/// Whether a run is a scan, given the best that each target ever gave and how often it was tried.
fn is_scan<T: Ord + Copy>(
    run: &[Look<'_, T>],
    best: &BTreeMap<T, (Outcome, u64)>,
    options: &ScanOptions,
    least: impl Fn(&BTreeSet<T>) -> usize,
) -> bool {
    let mut tries: BTreeMap<T, u64> = BTreeMap::new();
    run.iter().for_each(|look| *tries.entry(look.target).or_default() += 1);
    let vain: BTreeSet<T> =
        tries.keys().copied().filter(|target| best[target].0 < Outcome::Answered).collect();
    let failed = vain.iter().filter(|target| best[target].0 < Outcome::Touched).count();
    let usual = |tries: &dyn Fn(&T) -> u64| {
        median(&vain.iter().map(|target| tries(target) as f64).collect::<Vec<_>>())
    };
    let is_failing = failed as f64 >= vain.len() as f64 * options.failed;
    // Checks of what is up come again and again, if not in this run, then in a later one.
    let is_open = || vain.len() >= options.all_open && usual(&|target| best[target].1) <= 1.0;
    vain.len() >= least(&vain)
        && vain.len() as f64 >= tries.len() as f64 * options.vain
        && usual(&|target| tries[target]) <= options.tries
        && (is_failing || is_open())
}

#[cfg(test)]
mod tests;
