//! Flows that are over, on their way to records: the table only moves them here, and whoever wants records makes
//! them, in a thread of its own if there is one.

use std::sync::Arc;

use flowcore::{BATCH_ROWS, BATCH_TEXT_BYTES, EndReason, FlowBatch, Format};

use super::flow::Flow;
use super::identity::Directions;
use super::pair::More;
use super::record::Record;

/// Flows that are over, the first one to end first.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    flows: Vec<Flow>,
    /// How many of them have become records.
    exported: usize,
    reasons: Vec<EndReason>,
    /// What flows of several packets count.
    mores: Vec<More>,
    /// Records that become of them.
    rows: usize,
    payload_bytes: usize,
    directions: Directions,
    sources: Sources,
}

/// Captures packets came from, in order; flows name theirs by index.
pub(super) type Sources = Arc<Vec<(String, Format)>>;

impl Ended {
    /// No flows; their records will be about these directions.
    pub(super) fn new(directions: Directions) -> Self {
        Self { directions, ..Self::default() }
    }

    /// Records that become of the flows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether they are as many as a batch of records should have.
    pub(crate) fn is_full(&self) -> bool {
        // A byte of payload becomes a character of one or two bytes.
        self.rows >= BATCH_ROWS || self.payload_bytes >= BATCH_TEXT_BYTES / 2
    }

    /// Adds a flow, with what it counts elsewhere.
    pub(super) fn push(&mut self, (mut flow, more): (Flow, Option<More>), reason: EndReason) {
        self.rows += match (&flow, self.directions) {
            (Flow::Whole(entry), Directions::One) => {
                usize::from(entry.forward.packets > 0) + usize::from(entry.reverse.packets > 0)
            }
            _ => 1,
        };
        self.payload_bytes += flow.payload_bytes();
        if let (Flow::Pair(head), Some(more)) = (&mut flow, more) {
            head.more = u32::try_from(self.mores.len()).unwrap_or(u32::MAX);
            self.mores.push(more);
        }
        self.flows.push(flow);
        self.reasons.push(reason);
    }

    /// Exchanges the flows for none, in the memory of those that `used` had.
    pub(super) fn swap(&mut self, used: &mut Self, sources: &Sources) {
        used.clear();
        let next = std::mem::replace(used, Self::new(self.directions));
        *used = std::mem::replace(self, Self { directions: self.directions, ..next });
        used.sources = Arc::clone(sources);
    }

    /// Adds records of flows to a batch until that has `most` rows, or one more where a flow has two. When none is left,
    /// memory is left for others.
    pub(crate) fn export(&mut self, batch: &mut FlowBatch, most: usize) {
        let mut records = Vec::with_capacity(2 * FLOWS);
        while batch.len() < most && self.exported < self.flows.len() {
            let count = FLOWS.min(most - batch.len());
            for (flow, reason) in self.flows.iter().zip(&self.reasons).skip(self.exported).take(count) {
                Record::add_of(flow, &self.mores, *reason, self.directions, &mut records);
                self.exported += 1;
                if records.len() >= count {
                    break;
                }
            }
            Record::export(&records, &self.sources, batch);
            records.clear();
        }
        if self.exported == self.flows.len() {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.exported = 0;
        self.flows.clear();
        self.reasons.clear();
        self.mores.clear();
        (self.rows, self.payload_bytes) = (0, 0);
    }
}

/// Flows that are taken at a time, so that their records stay in a core's cache while they are turned into columns.
const FLOWS: usize = 512;
