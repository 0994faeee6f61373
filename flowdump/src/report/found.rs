//! What detectors found of a source, and what the criteria of each finding select of all connections.

use std::collections::{BTreeSet, HashMap};

use flowcore::analysis::{Connection, Criteria, Finding, Traffic};
use flowcore::{Addr, Timestamp};

use super::document::{Block, Table};
use super::words::{name, time};

/// A finding, with the numbers that a list by its criteria gives.
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) connections: u64,
    pub(super) forward: Traffic,
    pub(super) reverse: Traffic,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Found {
    /// These findings, with what they select of the connections, all in one pass.
    pub(super) fn all(findings: Vec<Finding>, connections: &[Connection]) -> Vec<Self> {
        let mut found: Vec<Self> = findings.into_iter().map(Self::new).collect();
        let mut places: HashMap<Criteria, Vec<usize>> = HashMap::new();
        for (place, one) in found.iter().enumerate() {
            places.entry(one.finding.criteria).or_default().push(place);
        }
        let shapes: BTreeSet<[bool; 4]> = places.keys().map(shape).collect();
        for one in connections {
            let criteria = shapes.iter().filter_map(|shape| of_shape(*shape, one));
            for place in criteria.filter_map(|criteria| places.get(&criteria)).flatten() {
                found[*place].add(one);
            }
        }
        found
    }

    fn new(finding: Finding) -> Self {
        Self {
            connections: 0,
            forward: Traffic::default(),
            reverse: Traffic::default(),
            first: finding.first,
            last: finding.last,
            finding,
        }
    }

    fn add(&mut self, one: &Connection) {
        self.connections += 1;
        self.forward = self.forward.and(one.forward);
        self.reverse = self.reverse.and(one.reverse);
        self.first = self.first.min(one.first);
        self.last = self.last.max(one.last);
    }

    /// `exfiltration: 10.0.0.5 began …`.
    pub(super) fn sentence(&self) -> String {
        format!("{}: {}", self.finding.detector.name(), self.finding.reason)
    }
}

/// Which criteria are given.
fn shape(criteria: &Criteria) -> [bool; 4] {
    [criteria.src.is_some(), criteria.dst.is_some(), criteria.protocol.is_some(), criteria.port.is_some()]
}

/// Criteria of a shape that a connection meets, if it has all that they ask for.
fn of_shape(asked: [bool; 4], one: &Connection) -> Option<Criteria> {
    let [src, dst, protocol, port] = asked;
    let criteria = Criteria {
        src: Some(one.src).filter(|_| src),
        dst: Some(one.dst).filter(|_| dst),
        protocol: one.protocol.filter(|_| protocol),
        port: one.dst_port.filter(|_| port),
    };
    (shape(&criteria) == asked).then_some(criteria)
}

/// Findings told in words.
const SENTENCES: usize = 12;

/// The findings of a source.
pub(super) fn blocks(found: &[Found]) -> Vec<Block> {
    let heading = Block::Heading("Findings of the detectors, the gravest first".to_owned());
    if found.is_empty() {
        return vec![heading, Block::Text("none".to_owned())];
    }
    let columns = [
        "finding",
        "initiator",
        "responder",
        "service",
        ">connections",
        ">bytes to it",
        ">bytes from it",
        "first",
        "last",
    ];
    let mut sentences: Vec<String> = found.iter().take(SENTENCES).map(Found::sentence).collect();
    let more = found.len() - sentences.len();
    sentences.extend((more > 0).then(|| format!("and {more} more, in the table")));
    let table = Table::new(columns, found.iter().map(row).collect());
    vec![heading, Block::Table(table), Block::List(sentences)]
}

fn row(one: &Found) -> Vec<String> {
    let Criteria { src, dst, protocol, port } = one.finding.criteria;
    let end = |addr: Option<Addr>| addr.map_or_else(|| "several".to_owned(), |addr| addr.to_string());
    vec![
        one.finding.detector.name().to_owned(),
        end(src),
        end(dst),
        name(protocol, port),
        one.connections.to_string(),
        one.forward.bytes.to_string(),
        one.reverse.bytes.to_string(),
        time(one.first),
        time(one.last),
    ]
}
