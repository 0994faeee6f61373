//! Lateral movement: where hosts that a subject reached went on to.
//!
//! A host is **reached** by the first connection of the subject to it that was answered. A **hop** is what a reached
//! host begins from then on, to another internal host over an [administration port](ADMIN_PORTS), where it had not
//! tried the same host and port before in all that was read. The host that is hopped to counts as reached from the first
//! answered connection of the hop, and so on, to any depth.
//!
//! What this cannot tell: a way on that was taken before too (an administrator's own), one over other ports, and, where
//! logs begin with the attack, what is new. Reading a day more than the attack took makes the answer sharper.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::{Connection, Hosts, Traffic};
use crate::record::{Addr, Protocol, Timestamp};

/// Ports over which hosts are administered, files shared and databases asked: FTP, SSH, Telnet, RPC and NetBIOS, SMB,
/// MS SQL, Oracle, NFS, MySQL, RDP, PostgreSQL, VNC, WinRM, Redis, Elasticsearch, MongoDB.
pub const ADMIN_PORTS: [u16; 19] = [
    21, 22, 23, 135, 139, 445, 1433, 1521, 2049, 3306, 3389, 5432, 5900, 5985, 5986, 6379, 9200, 27017, 27018,
];

/// Connections of one host to one service of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Initiator.
    pub from: Addr,
    /// Responder.
    pub to: Addr,
    /// IP protocol.
    pub protocol: Option<Protocol>,
    /// Port of the responder.
    pub port: Option<u16>,
    /// Connections that were answered.
    pub connections: u64,
    /// From the initiator, of these.
    pub forward: Traffic,
    /// To the initiator, of these.
    pub reverse: Traffic,
    /// Start of the first one.
    pub first: Timestamp,
    /// End of the last one.
    pub last: Timestamp,
    /// The one with the most bytes: where guesses came before, the session that followed.
    pub largest: Connection,
}

/// A step from a host that was reached to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Steps from the subject: 1 from a host that the subject reached itself.
    pub depth: u32,
    /// When the host it starts from was reached.
    pub contact: Timestamp,
    /// The connections.
    pub link: Link,
}

/// What a subject reached itself: each host and service that answered, the earliest first.
pub fn reached(connections: &[Connection], subject: &Hosts) -> Vec<Link> {
    let own = connections.iter().filter(|one| subject.contains(one.src) && !subject.contains(one.dst));
    links(own.filter(|one| one.was_answered()))
}

/// The hops from hosts that the subject reached, in the order of time. `internal` are the hosts that hops lead to;
/// `connections` holds at least those of the subject and those over [administration ports](ADMIN_PORTS) between
/// internal hosts.
pub fn hops(connections: &[Connection], subject: &Hosts, internal: &Hosts) -> Vec<Hop> {
    let inside = |one: &&Connection| {
        is_step(one, internal) && [one.src, one.dst].iter().all(|&end| !subject.contains(end))
    };
    let reached = reached(connections, subject);
    walk(connections.iter().filter(inside), reached.iter().map(|link| (link.first, link.to)), internal)
}

/// The hops from hosts that were attacked, each from its first answered connection from a host that is not `internal` on;
/// those of the victim itself are the first step.
pub fn hops_of_victims(connections: &[Connection], victims: &Hosts, internal: &Hosts) -> Vec<Hop> {
    let mut contacts: BTreeMap<Addr, Timestamp> = BTreeMap::new();
    let is_entry =
        |one: &&Connection| victims.contains(one.dst) && !internal.contains(one.src) && one.was_answered();
    for one in connections.iter().filter(is_entry) {
        let contact = contacts.entry(one.dst).or_insert(one.first);
        *contact = one.first.min(*contact);
    }
    let inside = connections.iter().filter(|one| is_step(one, internal));
    walk(inside, contacts.into_iter().map(|(host, contact)| (contact, host)), internal)
}

/// The hops among `steps` from these hosts, and from those they lead to.
fn walk<'a>(
    steps: impl Iterator<Item = &'a Connection>,
    reached: impl Iterator<Item = (Timestamp, Addr)>,
    internal: &Hosts,
) -> Vec<Hop> {
    let mut by_source: BTreeMap<Addr, Vec<&Connection>> = BTreeMap::new();
    steps.for_each(|one| by_source.entry(one.src).or_default().push(one));
    let inside = reached.filter(|(_, host)| internal.contains(*host));
    let mut waiting: BinaryHeap<_> = inside.map(|(contact, host)| Reverse((contact, 0_u32, host))).collect();
    let (mut done, mut found) = (BTreeSet::new(), Vec::new());
    while let Some(Reverse((contact, depth, host))) = waiting.pop() {
        if !done.insert(host) {
            continue;
        }
        let own = by_source.get(&host).map_or(&[][..], Vec::as_slice);
        for link in new_links(own, contact) {
            waiting.push(Reverse((link.first, depth + 1, link.to)));
            found.push(Hop { depth: depth + 1, contact, link });
        }
    }
    found.sort_by_key(|hop| (hop.link.first, hop.depth, hop.link.from, hop.link.to, hop.link.port));
    found
}

/// Whether a connection could be a hop, or shows that a later one is nothing new.
fn is_step(connection: &Connection, internal: &Hosts) -> bool {
    connection.dst_port.is_some_and(|port| ADMIN_PORTS.contains(&port))
        && connection.src != connection.dst
        && [connection.src, connection.dst].iter().all(|&end| internal.contains(end))
}

/// The answered connections of a host from `contact` on, to services that it had not tried before.
fn new_links(own: &[&Connection], contact: Timestamp) -> Vec<Link> {
    let service = |one: &Connection| (one.dst, one.protocol, one.dst_port);
    let is_before = |one: &&&Connection| one.first < contact;
    let known: BTreeSet<_> = own.iter().filter(is_before).map(|one| service(one)).collect();
    let later = own.iter().filter(|one| one.first >= contact && one.was_answered());
    links(later.copied().filter(|one| !known.contains(&service(one))))
}

/// Connections by their ends and service, the earliest first.
fn links<'a>(connections: impl Iterator<Item = &'a Connection>) -> Vec<Link> {
    let mut found: BTreeMap<_, Link> = BTreeMap::new();
    for one in connections {
        let key = (one.src, one.dst, one.protocol, one.dst_port);
        found.entry(key).or_insert_with(|| Link::new(one)).add(one);
    }
    let mut links: Vec<Link> = found.into_values().collect();
    links.sort_by_key(|link| link.first);
    links
}

impl Link {
    fn new(one: &Connection) -> Self {
        Self {
            from: one.src,
            to: one.dst,
            protocol: one.protocol,
            port: one.dst_port,
            connections: 0,
            forward: Traffic::default(),
            reverse: Traffic::default(),
            first: one.first,
            last: one.last,
            largest: *one,
        }
    }

    fn add(&mut self, one: &Connection) {
        self.connections += 1;
        self.forward = self.forward.and(one.forward);
        self.reverse = self.reverse.and(one.reverse);
        self.first = self.first.min(one.first);
        self.last = self.last.max(one.last);
        // Of equal ones the first in a list by bytes, which goes on by ends and then by time.
        let rank = |one: &Connection| (one.bytes(), Reverse((one.src_port, one.first, *one)));
        if rank(one) > rank(&self.largest) {
            self.largest = *one;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;
    use crate::aggregate::ConnState;

    const SUBJECT: &str = "203.0.113.66";

    fn found(connections: &[Connection]) -> Vec<(u32, String, String, Option<u16>)> {
        let subject = Hosts::new([SUBJECT.parse().unwrap()]);
        told(&hops(connections, &subject, &Hosts::internal()))
    }

    fn told(hops: &[Hop]) -> Vec<(u32, String, String, Option<u16>)> {
        hops.iter()
            .map(|hop| (hop.depth, hop.link.from.to_string(), hop.link.to.to_string(), hop.link.port))
            .collect()
    }

    fn hop(depth: u32, from: &str, to: &str, port: u16) -> (u32, String, String, Option<u16>) {
        (depth, from.to_owned(), to.to_owned(), Some(port))
    }

    #[test]
    fn a_chain_is_followed_to_any_depth() {
        let connections = [
            connection(SUBJECT, "10.0.0.1", 443, 100, 110),
            connection("10.0.0.1", "10.0.0.2", 22, 200, 210),
            connection("10.0.0.2", "10.0.0.3", 445, 300, 310),
            connection("10.0.0.3", "10.0.0.4", 5432, 400, 410),
        ];
        let chain = [
            hop(1, "10.0.0.1", "10.0.0.2", 22),
            hop(2, "10.0.0.2", "10.0.0.3", 445),
            hop(3, "10.0.0.3", "10.0.0.4", 5432),
        ];
        assert_eq!(found(&connections), chain);
        let mut turned = connections;
        turned.reverse();
        assert_eq!(found(&turned), chain);
    }

    #[test]
    fn what_is_earlier_known_refused_outside_or_of_another_kind_is_no_hop() {
        let mut connections = [
            connection(SUBJECT, "10.0.0.1", 22, 100, 110),
            connection("10.0.0.1", "10.0.0.2", 22, 50, 60),
            connection("10.0.0.1", "10.0.0.2", 22, 200, 210),
            connection("10.0.0.1", "10.0.0.3", 445, 201, 202),
            connection("10.0.0.1", "198.51.100.1", 22, 203, 204),
            connection("10.0.0.1", "10.0.0.4", 8080, 205, 206),
            connection("10.0.0.2", "10.0.0.5", 22, 207, 208),
            connection("10.0.0.1", SUBJECT, 22, 209, 210),
        ];
        connections[3].state = Some(ConnState::Refused);
        assert_eq!(found(&connections), []);
    }

    #[test]
    fn a_host_is_reached_from_the_first_answer_on() {
        let mut guess = connection(SUBJECT, "10.0.0.1", 3389, 10, 12);
        guess.state = Some(ConnState::Unanswered);
        let connections = [
            guess,
            connection("10.0.0.1", "10.0.0.2", 3389, 50, 60),
            connection(SUBJECT, "10.0.0.1", 3389, 100, 900),
            connection("10.0.0.1", "10.0.0.3", 3389, 150, 160),
        ];
        assert_eq!(found(&connections), [hop(1, "10.0.0.1", "10.0.0.3", 3389)]);
    }

    #[test]
    fn the_first_step_of_a_victim_is_its_own() {
        let connections = [
            connection("10.0.0.1", "10.0.0.2", 22, 50, 60),
            connection(SUBJECT, "10.0.0.1", 443, 100, 110),
            connection("10.0.0.9", "10.0.0.1", 22, 70, 80),
            connection("10.0.0.1", "10.0.0.2", 22, 200, 210),
            connection("10.0.0.1", "10.0.0.3", 445, 210, 220),
            connection("10.0.0.3", "10.0.0.1", 445, 230, 240),
            connection("10.0.0.3", "10.0.0.4", 5432, 400, 410),
        ];
        let victims = Hosts::new(["10.0.0.1".parse().unwrap()]);
        let hops = hops_of_victims(&connections, &victims, &Hosts::internal());
        assert_eq!(
            told(&hops),
            [
                hop(1, "10.0.0.1", "10.0.0.3", 445),
                hop(2, "10.0.0.3", "10.0.0.1", 445),
                hop(2, "10.0.0.3", "10.0.0.4", 5432)
            ]
        );
    }

    #[test]
    fn the_session_stands_out_among_guesses() {
        let mut connections: Vec<_> =
            (0..9_i64).map(|at| connection(SUBJECT, "10.0.0.1", 22, at, at + 1)).collect();
        connections[7].reverse.bytes = 1 << 20;
        let links = reached(&connections, &Hosts::new([SUBJECT.parse().unwrap()]));
        assert_eq!((links.len(), links[0].connections), (1, 9));
        assert_eq!(links[0].largest, connections[7]);
    }
}
