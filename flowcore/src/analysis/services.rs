//! Every service that a host asked for or offered: nothing is left out, so that what is not there did not happen.

use std::collections::{BTreeMap, BTreeSet};

use super::{Connection, Hosts, Traffic};
use crate::aggregate::ConnState;
use crate::record::{Addr, Protocol, Timestamp};

/// All connections of a subject to one service, or of others to one service of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// IP protocol.
    pub protocol: Option<Protocol>,
    /// Port of the side that was asked; `None` for protocols without ports.
    pub port: Option<u16>,
    /// Which side the subject was on.
    pub role: Role,
    /// Addresses on the other side.
    pub peers: BTreeSet<Addr>,
    /// Connections.
    pub connections: u64,
    /// What became of them.
    pub outcomes: Outcomes,
    /// From the initiators.
    pub forward: Traffic,
    /// To the initiators.
    pub reverse: Traffic,
    /// Start of the first connection.
    pub first: Timestamp,
    /// End of the last one.
    pub last: Timestamp,
}

/// The side of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It began the connections.
    Initiator,
    /// It was asked.
    Responder,
    /// Both sides are subjects.
    Both,
}

/// Connections by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Something came back.
    pub accepted: u64,
    /// They were rejected, or reset at once.
    pub refused: u64,
    /// Nothing came back.
    pub unanswered: u64,
    /// The source does not tell.
    pub unknown: u64,
}

impl Role {
    /// Where the subject stands in a connection; `None` where it has no part in it.
    pub fn of(connection: &Connection, subject: &Hosts) -> Option<Self> {
        match (subject.contains(connection.src), subject.contains(connection.dst)) {
            (true, true) => Some(Self::Both),
            (true, false) => Some(Self::Initiator),
            (false, true) => Some(Self::Responder),
            (false, false) => None,
        }
    }

    /// The filter that selects the connections in which the subject stands so.
    pub fn filter(self, subject: &Hosts) -> String {
        let (src, dst) = (subject.src_filter(), subject.dst_filter());
        match self {
            Self::Both => format!("({src}) and ({dst})"),
            Self::Initiator => format!("({src}) and not ({dst})"),
            Self::Responder => format!("({dst}) and not ({src})"),
        }
    }

    /// `initiator`, `responder` or `both`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiator => "initiator",
            Self::Responder => "responder",
            Self::Both => "both",
        }
    }
}

impl Outcomes {
    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self {
            accepted: self.accepted + others.accepted,
            refused: self.refused + others.refused,
            unanswered: self.unanswered + others.unanswered,
            unknown: self.unknown + others.unknown,
        }
    }

    fn add(&mut self, state: Option<ConnState>) {
        let count = match state {
            Some(ConnState::Accepted) => &mut self.accepted,
            Some(ConnState::Refused) => &mut self.refused,
            Some(ConnState::Unanswered) => &mut self.unanswered,
            Some(ConnState::Unknown) | None => &mut self.unknown,
        };
        *count += 1;
    }
}

/// The services of a subject, most bytes first. Each connection that the subject has a part in is in one of them, so
/// that their sums are those of the connections.
///
/// ```
/// use flowcore::analysis::{Hosts, services};
/// let subject = Hosts::new(["203.0.113.66".parse()?]);
/// assert!(services(&[], &subject).is_empty());
/// # Ok::<(), flowcore::Error>(())
/// ```
pub fn services(connections: &[Connection], subject: &Hosts) -> Vec<Service> {
    let mut found: BTreeMap<_, Service> = BTreeMap::new();
    for connection in connections {
        let Some(role) = Role::of(connection, subject) else { continue };
        let key = (connection.protocol, connection.dst_port, role);
        found.entry(key).or_insert_with(|| Service::new(connection, role)).add(connection);
    }
    let mut services: Vec<Service> = found.into_values().collect();
    services.sort_by_key(|service| std::cmp::Reverse(service.bytes()));
    services
}

impl Service {
    /// Bytes of both ways.
    pub fn bytes(&self) -> u64 {
        self.forward.bytes.saturating_add(self.reverse.bytes)
    }

    fn new(connection: &Connection, role: Role) -> Self {
        Self {
            protocol: connection.protocol,
            port: connection.dst_port,
            role,
            peers: BTreeSet::new(),
            connections: 0,
            outcomes: Outcomes::default(),
            forward: Traffic::default(),
            reverse: Traffic::default(),
            first: connection.first,
            last: connection.last,
        }
    }

    fn add(&mut self, connection: &Connection) {
        let peer = if self.role == Role::Responder { connection.src } else { connection.dst };
        self.peers.insert(peer);
        self.connections += 1;
        self.outcomes.add(connection.state);
        self.forward = self.forward.and(connection.forward);
        self.reverse = self.reverse.and(connection.reverse);
        self.first = self.first.min(connection.first);
        self.last = self.last.max(connection.last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    #[test]
    fn a_port_asked_for_is_another_service_than_the_same_one_offered() {
        let (subject, other) = ("203.0.113.66", "10.0.0.1");
        let mut connections = [
            connection(subject, other, 22, 10, 20),
            connection(subject, "10.0.0.2", 22, 5, 8),
            connection(other, subject, 22, 30, 40),
            connection(other, "10.0.0.2", 22, 0, 90),
        ];
        connections[2].forward.bytes = 10_000;
        connections[1].state = Some(ConnState::Refused);
        let found = services(&connections, &Hosts::new([subject.parse().unwrap()]));
        let told = found.iter().map(|one| {
            (
                one.role,
                one.peers.len(),
                one.connections,
                one.outcomes.refused,
                one.first.as_secs(),
                one.last.as_secs(),
            )
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [(Role::Responder, 1, 1, 0, 30, 40), (Role::Initiator, 2, 2, 1, 5, 20)]
        );
        assert_eq!(found[0].bytes(), 10_000 + connections[2].reverse.bytes);
    }
}
