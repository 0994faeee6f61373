//! Who talked to whom: the subject on the left, whom it talked to beside it, and where those went on to.

use std::collections::{BTreeMap, BTreeSet};

use flowcore::Addr;
use flowcore::analysis::{Role, Service};

use super::document::{Edge, Graph, Node, NodeKind};
use super::source::Source;
use super::words::name;
use crate::args::Case;

/// Hosts of a layer that there is room for.
const MOST: usize = 24;

/// The graph of a source.
pub(super) fn of(case: &Case, source: &Source) -> Graph {
    let mut drawing = Drawing::default();
    let subject = drawing.graph.nodes.len();
    drawing.graph.nodes.push(Node { name: case.subject.to_string(), layer: 0, kind: NodeKind::Subject });
    for service in &source.services {
        for peer in &service.peers {
            drawing.talk(subject, *peer, service);
        }
    }
    for hop in &source.hops {
        let from = drawing.node(hop.link.from, 1, NodeKind::Peer);
        let to = drawing.node(hop.link.to, hop.depth as usize + 1, NodeKind::Hop);
        let bytes = hop.link.forward.and(hop.link.reverse).bytes;
        drawing.edge(from, to, &name(hop.link.protocol, hop.link.port), bytes);
    }
    drawing.finish()
}

#[derive(Default)]
struct Drawing {
    graph: Graph,
    places: BTreeMap<Addr, usize>,
    layers: BTreeMap<usize, usize>,
    /// Services and bytes between two hosts.
    edges: BTreeMap<(usize, usize), (Vec<String>, u64)>,
    left_out: BTreeSet<Addr>,
}

impl Drawing {
    /// A service between the subject and a peer. Bytes are those of the service: it is drawn by them, not told.
    fn talk(&mut self, subject: usize, peer: Addr, service: &Service) {
        if service.role == Role::Both {
            return;
        }
        let peer = self.node(peer, 1, NodeKind::Peer);
        let bytes = service.forward.and(service.reverse).bytes / service.peers.len().max(1) as u64;
        let label = name(service.protocol, service.port);
        match service.role {
            Role::Responder => self.edge(peer, Some(subject), &label, bytes),
            Role::Initiator | Role::Both => self.edge(Some(subject), peer, &label, bytes),
        }
    }

    /// The place of a host; `None` where its layer is full.
    fn node(&mut self, addr: Addr, layer: usize, kind: NodeKind) -> Option<usize> {
        if let Some(place) = self.places.get(&addr) {
            return Some(*place);
        }
        let count = self.layers.entry(layer).or_default();
        if *count >= MOST {
            self.left_out.insert(addr);
            return None;
        }
        *count += 1;
        let place = self.graph.nodes.len();
        self.graph.nodes.push(Node { name: addr.to_string(), layer, kind });
        self.places.insert(addr, place);
        Some(place)
    }

    fn edge(&mut self, from: Option<usize>, to: Option<usize>, label: &str, bytes: u64) {
        let (Some(from), Some(to)) = (from, to) else { return };
        let (labels, sum) = self.edges.entry((from, to)).or_default();
        labels.push(label.to_owned());
        *sum = sum.saturating_add(bytes);
    }

    fn finish(mut self) -> Graph {
        self.graph.left_out = self.left_out.len();
        let edges = self.edges.into_iter().map(|((from, to), (labels, bytes))| {
            let shown = labels.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            let label = match labels.len().saturating_sub(3) {
                0 => shown,
                more => format!("{shown} and {more} more"),
            };
            Edge { from, to, label, bytes }
        });
        self.graph.edges = edges.collect();
        self.graph
    }
}
