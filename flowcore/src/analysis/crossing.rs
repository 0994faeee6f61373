//! Connections between the own network and the outside, seen from the inside.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::finding::Group;
use super::measures::gathered;
use super::{Connection, Criteria, Hosts, Traffic, service_name};
use crate::record::{Addr, Protocol, Timestamp};

/// An internal host, a host outside, the service between them, and who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crossing {
    pub(super) inside: Addr,
    pub(super) outside: Addr,
    pub(super) protocol: Option<Protocol>,
    pub(super) port: Option<u16>,
    /// Whether the internal host began.
    pub(super) from_inside: bool,
}

impl Crossing {
    /// What a connection is part of; `None` where both ends are on one side, one of them is `allowed`, or the outer one
    /// is no host: a multicast or broadcast address, or not known.
    pub(super) fn of(one: &Connection, internal: &Hosts, allowed: &Hosts) -> Option<Self> {
        let from_inside = internal.contains(one.src);
        if from_inside == internal.contains(one.dst)
            || [one.src, one.dst].iter().any(|&end| allowed.contains(end))
        {
            return None;
        }
        let (inside, outside) = if from_inside { (one.src, one.dst) } else { (one.dst, one.src) };
        let (protocol, port) = (one.protocol, one.dst_port);
        is_host(outside).then_some(Self { inside, outside, protocol, port, from_inside })
    }

    /// The connections that pass, by what they are part of.
    pub(super) fn groups<'a>(
        connections: &'a [Connection],
        [internal, allowed]: [&Hosts; 2],
        passes: impl Fn(&Connection) -> bool,
    ) -> BTreeMap<Self, Group<'a>> {
        let crossing =
            |one: &'a Connection| Some((Self::of(one, internal, allowed)?, one)).filter(|_| passes(one));
        let mut crossings: Vec<(Self, &Connection)> = connections.iter().filter_map(crossing).collect();
        // Those of one group stay in the order that they are given in.
        crossings.sort_by_key(|(crossing, _)| *crossing);
        gathered(crossings)
            .into_iter()
            .map(|(crossing, connections)| (crossing, Group { connections }))
            .collect()
    }

    /// What left the own network, and what came in.
    pub(super) const fn out_and_in(&self, one: &Connection) -> (Traffic, Traffic) {
        if self.from_inside { (one.forward, one.reverse) } else { (one.reverse, one.forward) }
    }

    pub(super) const fn initiator(&self) -> Addr {
        if self.from_inside { self.inside } else { self.outside }
    }

    pub(super) const fn responder(&self) -> Addr {
        if self.from_inside { self.outside } else { self.inside }
    }

    /// `10.0.0.5 began 8 connections to tcp/8889 (unregistered) of 20.1.2.3`.
    pub(super) fn began(&self, count: usize) -> String {
        let connections = if count == 1 { "connection" } else { "connections" };
        let service = service_words(self.protocol, self.port);
        format!("{} began {count} {connections} to {service} of {}", self.initiator(), self.responder())
    }

    /// What selects the connections.
    pub(super) fn criteria(&self) -> Criteria {
        Criteria::new(Some(self.initiator()), Some(self.responder()), self.protocol, self.port)
    }
}

/// Whether an address can be that of a host: no multicast, no broadcast, none that is not known.
pub(super) fn is_host(addr: Addr) -> bool {
    match addr.ip() {
        Some(IpAddr::V4(addr)) => !addr.is_multicast() && !addr.is_broadcast() && !addr.is_unspecified(),
        Some(IpAddr::V6(addr)) => !addr.is_multicast() && !addr.is_unspecified(),
        None => false,
    }
}

/// `tcp/22 (ssh)`, `udp/8889 (unregistered)`, `icmp`.
pub(super) fn service_words(protocol: Option<Protocol>, port: Option<u16>) -> String {
    let name =
        protocol.map_or_else(|| "an unknown protocol".to_owned(), |one| one.to_string().to_lowercase());
    let Some(port) = port.filter(|_| protocol.is_some_and(has_ports)) else { return name };
    format!("{name}/{port} ({})", service_name(protocol, port).unwrap_or("unregistered"))
}

/// TCP and UDP, of which the ports have names.
pub(super) fn has_ports(protocol: Protocol) -> bool {
    protocol == Protocol::TCP || protocol == Protocol::UDP
}

/// Seconds between start and end, 0 where the end comes first.
pub(super) fn seconds(one: &Connection) -> f64 {
    one.last.since(one.first).max(0) as f64 / 1e9
}

/// Times at which a key had connections, to be asked whether one was open at some time.
#[derive(Debug, Default)]
pub(super) struct Times<K>(BTreeMap<K, Vec<(Timestamp, Timestamp)>>);

impl<K: Ord> Times<K> {
    pub(super) fn of(spans: impl IntoIterator<Item = (K, Timestamp, Timestamp)>) -> Self {
        let mut times: BTreeMap<K, Vec<_>> = BTreeMap::new();
        for (key, first, last) in spans {
            times.entry(key).or_default().push((first, last.max(first)));
        }
        for spans in times.values_mut() {
            spans.sort_unstable();
            // From here on the second is the latest end so far, which makes a single look enough.
            let mut latest = Timestamp::MIN;
            spans.iter_mut().for_each(|span| {
                latest = latest.max(span.1);
                span.1 = latest;
            });
        }
        Self(times)
    }

    /// Whether the key had a connection that was open between these times.
    pub(super) fn had(&self, key: &K, from: Timestamp, until: Timestamp) -> bool {
        let spans = self.0.get(key).map_or(&[][..], Vec::as_slice);
        let begun = spans.partition_point(|span| span.0 <= until);
        begun.checked_sub(1).and_then(|at| spans.get(at)).is_some_and(|span| span.1 >= from)
    }
}

/// A value of each peer of a service, to compare one of them with the others.
#[derive(Debug)]
pub(super) struct Others<K>(BTreeMap<K, Vec<u64>>);

impl<K: Ord> Others<K> {
    pub(super) fn of(values: impl IntoIterator<Item = (K, u64)>) -> Self {
        let mut services: BTreeMap<K, Vec<u64>> = BTreeMap::new();
        for (key, value) in values {
            services.entry(key).or_default().push(value);
        }
        services.values_mut().for_each(|all| all.sort_unstable());
        Self(services)
    }

    /// The value that this many quarters of the others have at most, where there are `least` others.
    pub(super) fn quartile(&self, key: &K, own: u64, quarters: usize, least: usize) -> Option<u64> {
        let all = self.0.get(key)?;
        let others = all.len().checked_sub(1).filter(|&others| others >= least.max(1))?;
        let at = (others - 1) * quarters / 4;
        // The own one is left out: whatever stands behind it moves up by one place.
        all.get(at + usize::from(all.partition_point(|&one| one < own) <= at)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    fn hosts(text: &str) -> Hosts {
        Hosts::new(text.split_whitespace().map(|one| one.parse().unwrap()))
    }

    #[test]
    fn only_what_crosses_the_border_between_hosts_counts() {
        let crosses = |src, dst, allowed| {
            let one = connection(src, dst, 8889, 0, 1);
            Crossing::of(&one, &Hosts::internal(), &hosts(allowed)).map(|one| one.from_inside)
        };
        assert_eq!(crosses("10.0.0.1", "20.1.2.3", ""), Some(true));
        assert_eq!(crosses("20.1.2.3", "10.0.0.1", ""), Some(false));
        for allowed in ["10.0.0.1", "20.1.0.0/16"] {
            assert_eq!(crosses("10.0.0.1", "20.1.2.3", allowed), None);
        }
        for outside in ["10.0.0.2", "255.255.255.255", "224.0.0.251", "0.0.0.0", "ff02::1"] {
            assert_eq!(crosses("10.0.0.1", outside, ""), None, "{outside}");
        }
        assert_eq!(crosses("20.1.2.3", "20.1.2.4", ""), None);
    }

    #[test]
    fn words_and_criteria_name_what_is_known() {
        let one = connection("10.0.0.5", "20.1.2.3", 8889, 0, 1);
        let crossing = Crossing::of(&one, &Hosts::internal(), &hosts("")).unwrap();
        assert_eq!(crossing.began(8), "10.0.0.5 began 8 connections to tcp/8889 (unregistered) of 20.1.2.3");
        assert_eq!(
            crossing.criteria().to_string(),
            "src ip 10.0.0.5 and dst ip 20.1.2.3 and proto 6 and dst port 8889"
        );
        assert_eq!(service_words(Some(Protocol::ICMP), Some(2048)), "icmp");
        assert_eq!(service_words(None, Some(22)), "an unknown protocol");
    }

    #[test]
    fn a_span_is_found_by_any_time_in_it() {
        let at = Timestamp::from_secs;
        let times = Times::of([(1, at(0), at(100)), (1, at(10), at(20)), (2, at(500), at(400))]);
        assert!(times.had(&1, at(90), at(95)), "the first one lasts on behind the second");
        assert!(!times.had(&1, at(101), at(900)));
        assert!(times.had(&2, at(500), at(500)) && !times.had(&2, at(0), at(499)));
        assert!(!times.had(&3, Timestamp::MIN, Timestamp::MAX));
    }

    #[test]
    fn quartiles_leave_the_own_value_out() {
        let all = [10, 20, 30, 40, 50, 60, 70, 80];
        let others = Others::of(all.map(|value| ("ssh", value)));
        for own in all {
            let rest: Vec<u64> = all.into_iter().filter(|&one| one != own).collect();
            assert_eq!(others.quartile(&"ssh", own, 3, 5), Some(rest[4]), "{own}");
            assert_eq!(others.quartile(&"ssh", own, 2, 5), Some(rest[3]), "{own}");
        }
        assert_eq!(others.quartile(&"ssh", 10, 2, 8), None, "7 others");
        assert_eq!(others.quartile(&"ftp", 10, 2, 0), None);
    }
}
