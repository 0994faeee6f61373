//! What a detector found: who did what to whom, by which measures, and the connections that show it.

use super::{Connection, Criteria, Traffic};
use crate::record::{Addr, Protocol, Timestamp};

/// Something that a detector found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Which one.
    pub detector: Detector,
    /// Who did it.
    pub src: Addr,
    /// To whom; `None` for several hosts.
    pub dst: Option<Addr>,
    /// IP protocol.
    pub protocol: Option<Protocol>,
    /// Port of the service; `None` for several, and for protocols without ports.
    pub port: Option<u16>,
    /// Start of the first connection.
    pub first: Timestamp,
    /// End of the last one.
    pub last: Timestamp,
    /// Connections that it is made of.
    pub connections: u64,
    /// From the initiators, of these.
    pub forward: Traffic,
    /// To the initiators, of these.
    pub reverse: Traffic,
    /// What it was judged by.
    pub parts: Vec<Part>,
    /// What was found, in a sentence or two.
    pub reason: String,
    /// What selects its connections out of those that were looked at. It may select a few more, which the sentence did
    /// not count.
    pub criteria: Criteria,
    /// Connections that show it: the first ones, and those that stand out. Not all of them.
    pub evidence: Vec<Connection>,
}

/// A measure of a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// What was measured, as `attempts` or `score`; in words with hyphens, unit at the end: `rate-per-minute`.
    pub name: &'static str,
    /// How much it was.
    pub value: f64,
}

/// The detectors, the gravest findings first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// Data that left the own network.
    Exfiltration,
    /// Data inside of name queries.
    DnsTunnel,
    /// Passwords that were guessed.
    BruteForce,
    /// Calls home at regular times.
    Beacon,
    /// Traffic to or from outside over a service without a registered name.
    UnusualPort,
    /// Connections that stayed open for hours.
    LongConnection,
    /// Many ports of a host that were tried.
    PortScan,
    /// Many hosts that were tried for one service.
    HostScan,
    /// More than a service can answer.
    Flood,
}

impl Detector {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Exfiltration,
        Self::DnsTunnel,
        Self::BruteForce,
        Self::Beacon,
        Self::UnusualPort,
        Self::LongConnection,
        Self::PortScan,
        Self::HostScan,
        Self::Flood,
    ];

    /// A name that stays: `exfiltration`, `dns-tunnel` and so on.
    ///
    /// ```
    /// use flowcore::analysis::Detector;
    /// assert_eq!(Detector::BruteForce.name(), "brute-force");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exfiltration => "exfiltration",
            Self::DnsTunnel => "dns-tunnel",
            Self::BruteForce => "brute-force",
            Self::Beacon => "beacon",
            Self::UnusualPort => "unusual-port",
            Self::LongConnection => "long-connection",
            Self::PortScan => "port-scan",
            Self::HostScan => "host-scan",
            Self::Flood => "flood",
        }
    }
}

/// Connections that are looked at together, and their sums.
#[derive(Debug, Clone, Default)]
pub(super) struct Group<'a> {
    pub(super) connections: Vec<&'a Connection>,
}

impl<'a> Group<'a> {
    pub(super) fn first(&self) -> Timestamp {
        self.connections.iter().map(|one| one.first).min().unwrap_or_default()
    }

    pub(super) fn last(&self) -> Timestamp {
        self.connections.iter().map(|one| one.last).max().unwrap_or_default()
    }

    /// What the initiators sent.
    pub(super) fn forward(&self) -> Traffic {
        self.connections.iter().fold(Traffic::default(), |sum, one| sum.and(one.forward))
    }

    /// What they got.
    pub(super) fn reverse(&self) -> Traffic {
        self.connections.iter().fold(Traffic::default(), |sum, one| sum.and(one.reverse))
    }

    /// The first few by time, and the one with the most bytes.
    pub(super) fn evidence(&self) -> Vec<Connection> {
        const FEW: usize = 5;
        let mut sorted: Vec<&'a Connection> = self.connections.clone();
        sorted.sort_unstable();
        let largest = sorted.iter().max_by_key(|one| one.bytes()).copied();
        let mut shown: Vec<Connection> = sorted.into_iter().take(FEW).copied().collect();
        shown.extend(largest.filter(|one| !shown.contains(one)).copied());
        shown
    }

    /// A finding of these connections, which are of one source at least.
    pub(super) fn finding(&self, detector: Detector, said: Said) -> Option<Finding> {
        let sample = self.connections.iter().min()?;
        let same = |value: fn(&Connection) -> Option<u16>| {
            let common = value(sample);
            common.filter(|_| self.connections.iter().all(|one| value(one) == common))
        };
        Some(Finding {
            detector,
            src: sample.src,
            dst: self.connections.iter().all(|one| one.dst == sample.dst).then_some(sample.dst),
            protocol: sample
                .protocol
                .filter(|_| self.connections.iter().all(|one| one.protocol == sample.protocol)),
            port: same(|one| one.dst_port),
            first: self.first(),
            last: self.last(),
            connections: self.connections.len() as u64,
            forward: self.forward(),
            reverse: self.reverse(),
            parts: said.parts,
            reason: said.reason,
            criteria: said.criteria,
            evidence: self.evidence(),
        })
    }
}

/// What a detector says of the connections that it found.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) parts: Vec<Part>,
    pub(super) reason: String,
    pub(super) criteria: Criteria,
}
