//! What groups have from their first record: fields that are neither key nor counted, and the way it went.

use crate::batch::{FlowBatch, Mask};
use crate::record::FieldSet;

/// A row for each group of a table, in the table's order.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    rows: FlowBatch,
    /// Whether the record went from the larger end to the smaller one.
    turned: Vec<bool>,
}

/// What is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) fields: FieldSet,
    pub(super) turns: bool,
}

impl Firsts {
    /// Adds the rows of a batch that are first of a group, in ascending order.
    pub(super) fn add(&mut self, batch: &FlowBatch, fresh: &[u32], turned: &Mask, keep: Keep) {
        self.append(batch, fresh, keep.fields);
        if keep.turns {
            self.turned.extend(fresh.iter().map(|&row| turned.get(row as usize)));
        }
    }

    /// Adds those of groups of another table that are new in this one, in ascending order.
    pub(super) fn merge(&mut self, other: &Self, fresh: &[u32], keep: Keep) {
        self.append(&other.rows, fresh, keep.fields);
        if keep.turns {
            self.turned.extend(fresh.iter().map(|&row| other.is_turned(row)));
        }
    }

    pub(super) fn is_turned(&self, row: u32) -> bool {
        self.turned.get(row as usize).copied().unwrap_or(false)
    }

    pub(super) fn rows(&self) -> &FlowBatch {
        &self.rows
    }

    /// Bytes of memory, about.
    pub(super) fn memory(&self) -> usize {
        let columns = self.rows.fields().iter().count();
        self.rows.len() * columns * BYTES_OF_A_VALUE + self.rows.text_bytes() + self.turned.capacity()
    }

    fn append(&mut self, batch: &FlowBatch, fresh: &[u32], fields: FieldSet) {
        if fresh.is_empty() || fields.is_empty() {
            return;
        }
        let mut next = fresh.iter().peekable();
        let chosen =
            Mask::from_fn(batch.len(), |row| next.next_if(|&&fresh| fresh as usize == row).is_some());
        self.rows.append_fields(batch, &chosen, fields);
    }
}

/// A number, and the slack of a vector that grows.
const BYTES_OF_A_VALUE: usize = 12;
