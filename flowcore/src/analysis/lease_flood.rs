//! Floods of requests for addresses (DHCP, RFC 2131 and RFC 8415) that go to servers all over a network.
//!
//! A flood of a broadcast address or of one server is a [flood](super::floods) like any other. One whose sources and
//! targets are both made up shows in no target: it is told by how many servers are asked at the same time.

use std::collections::{BTreeMap, BTreeSet};

use super::crossing::is_host;
use super::finding::{Group, Said};
use super::measures::{parts, seconds};
use super::{Connection, Criteria, Detector, Finding, FloodOptions, Hosts};
use crate::record::{Addr, Protocol};

/// Ports of servers of DHCP and DHCPv6.
const SERVERS: [u16; 2] = [67, 547];

/// The rate and the finding, for each protocol of which too many servers are asked.
pub(super) fn lease_flood(
    connections: &[Connection],
    options: &FloodOptions,
    allowed: &Hosts,
) -> Vec<(f64, Finding)> {
    let mut asked: BTreeMap<u16, Vec<&Connection>> = BTreeMap::new();
    for one in connections.iter().filter(|one| one.protocol == Some(Protocol::UDP) && is_host(one.dst)) {
        let is_allowed = [one.src, one.dst].iter().any(|&end| allowed.contains(end));
        let Some(port) = one.dst_port.filter(|port| SERVERS.contains(port) && !is_allowed) else { continue };
        asked.entry(port).or_default().push(one);
    }
    asked.into_iter().filter_map(|(port, all)| of_port(port, all, options)).collect()
}

fn of_port(port: u16, mut all: Vec<&Connection>, options: &FloodOptions) -> Option<(f64, Finding)> {
    all.sort_unstable();
    let (most, rate) = busiest(&all, f64::from(options.window.max(1)));
    if most < options.lease_servers {
        return None;
    }
    let (clients, servers) = (different(&all, |one| one.src), different(&all, |one| one.dst));
    let said = Said {
        parts: parts([
            ("connections", all.len() as f64),
            ("connections-per-second", rate),
            ("sources", clients as f64),
            ("servers", servers as f64),
            ("most-servers-in-window", most as f64),
        ]),
        reason: format!(
            "{clients} sources asked {servers} hosts for a lease over udp/{port} in {} connections, {most} different ones \
             within {} seconds, {rate:.0} requests per second then; a network has a few servers of leases.",
            all.len(),
            options.window
        ),
        criteria: Criteria::new(None, None, Some(Protocol::UDP), Some(port)),
    };
    let finding = Group { connections: all }.finding(Detector::Flood, said)?;
    let src = if clients == 1 { finding.src } else { Addr::Unknown };
    Some((rate, Finding { src, ..finding }))
}

fn different(all: &[&Connection], of: fn(&Connection) -> Addr) -> usize {
    all.iter().map(|one| of(one)).collect::<BTreeSet<_>>().len()
}

/// The most servers that are asked within so many seconds, and requests per second then; connections are in the order of
/// time.
fn busiest(all: &[&Connection], window: f64) -> (usize, f64) {
    let mut inside: BTreeMap<Addr, usize> = BTreeMap::new();
    let (mut start, mut most, mut rate) = (0, 0, 0.0);
    for (at, one) in all.iter().enumerate() {
        *inside.entry(one.dst).or_default() += 1;
        while seconds(one.first.since(all[start].first)) > window {
            if let Some(count) = inside.get_mut(&all[start].dst).filter(|count| **count > 1) {
                *count -= 1;
            } else {
                inside.remove(&all[start].dst);
            }
            start += 1;
        }
        if inside.len() > most {
            let span = seconds(one.first.since(all[start].first)).max(1.0);
            (most, rate) = (inside.len(), (at + 1 - start) as f64 / span);
        }
    }
    (most, rate)
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::super::floods;
    use super::*;

    /// A request to a server each second, from hosts of their own.
    fn requests(count: i64, servers: i64) -> Vec<Connection> {
        let ask = |at: i64| {
            let (src, dst) = (format!("10.0.1.{at}"), format!("10.0.2.{}", at % servers));
            let mut one = connection(&src, &dst, 67, at / 10, at / 10);
            one.protocol = Some(Protocol::UDP);
            one
        };
        (0..count).map(ask).collect()
    }

    fn found(connections: &[Connection]) -> Vec<Finding> {
        floods(connections, &FloodOptions::default(), &Hosts::new([]))
    }

    #[test]
    fn many_servers_at_once_are_a_flood() {
        let found = found(&requests(200, 200));
        assert_eq!((found.len(), found[0].src, found[0].dst), (1, Addr::Unknown, None));
        assert_eq!(
            found[0].reason,
            "200 sources asked 200 hosts for a lease over udp/67 in 200 connections, 110 different ones within 10 seconds, \
             11 requests per second then; a network has a few servers of leases."
        );
        assert_eq!(found[0].criteria.to_string(), "proto 17 and dst port 67");
    }

    #[test]
    fn a_few_servers_and_broadcasts_are_none() {
        assert_eq!(found(&requests(200, 4)), []);
        let mut broadcasts = requests(200, 200);
        broadcasts.iter_mut().for_each(|one| one.dst = "255.255.255.255".parse().unwrap());
        assert_eq!(found(&broadcasts), []);
    }
}
