//! Groups of records of any kind: those that share values, and connections.

use flowcore::aggregate::{Aggregation, Candidates, Connections, Directions, Element, Selection};
use flowcore::{FieldSet, FlowBatch, Mask, Result};

use crate::crew::Count;

/// Groups of records, which are listed or written as records.
#[derive(Debug)]
pub(crate) enum Groups {
    /// Of records with the same values.
    Values(Box<Aggregation>),
    /// Of rows that are one connection.
    Connections(Box<Connections>),
}

impl Groups {
    pub(crate) fn flows(directions: Directions) -> Self {
        Self::Values(Box::new(Aggregation::flows(directions)))
    }

    pub(crate) fn by(elements: &[Element]) -> Self {
        Self::Values(Box::new(Aggregation::by(elements.iter().copied())))
    }

    pub(crate) fn max_memory(self, bytes: usize) -> Self {
        match self {
            Self::Values(groups) => Self::Values(Box::new(groups.max_memory(bytes))),
            Self::Connections(groups) => Self::Connections(Box::new(groups.max_memory(bytes))),
        }
    }

    /// Gives the records of groups these fields of their first record.
    pub(crate) fn keep_first(self, fields: FieldSet) -> Self {
        match self {
            Self::Values(groups) => Self::Values(Box::new(groups.keep_first(fields))),
            Self::Connections(groups) => Self::Connections(Box::new(groups.keep_first(fields))),
        }
    }

    /// The stored fields that are looked at.
    pub(crate) fn fields(&self) -> FieldSet {
        match self {
            Self::Values(groups) => groups.fields(),
            Self::Connections(groups) => groups.fields(),
        }
    }

    /// Calls `take` with the chosen groups as records.
    ///
    /// # Errors
    /// Those of `take`.
    pub(crate) fn each<E>(
        &self,
        selection: Selection<'_>,
        take: impl FnMut(FlowBatch) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        match self {
            Self::Values(groups) => groups.records(selection).try_for_each(take),
            Self::Connections(groups) => groups.records(selection).try_for_each(take),
        }
    }
}

impl Count for Groups {
    fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        match self {
            Self::Values(groups) => groups.add(batch, chosen),
            Self::Connections(groups) => groups.add(batch, chosen),
        }
    }

    /// Connections are one part.
    fn split(self, parts: usize) -> Vec<Self> {
        match self {
            Self::Values(groups) => {
                groups.split(parts).into_iter().map(|part| Self::Values(Box::new(part))).collect()
            }
            Self::Connections(_) => vec![self],
        }
    }

    fn aggregation(&self) -> Option<&Aggregation> {
        match self {
            Self::Values(groups) => Some(groups),
            Self::Connections(_) => None,
        }
    }

    fn twin(&self) -> Option<Self> {
        match self {
            Self::Values(groups) => groups.twin().map(|twin| Self::Values(Box::new(twin))),
            Self::Connections(_) => None,
        }
    }

    fn merge(&mut self, twin: Self) -> Result<()> {
        match (self, twin) {
            (Self::Values(groups), Self::Values(twin)) => groups.merge(&twin),
            _ => Ok(()),
        }
    }

    fn only(self, candidates: &Candidates) -> Self {
        match self {
            Self::Values(groups) => Self::Values(Box::new(groups.only(candidates))),
            Self::Connections(_) => self,
        }
    }

    fn join(self, part: Self) -> Self {
        match (self, part) {
            (Self::Values(groups), Self::Values(part)) => Self::Values(Box::new(groups.join(*part))),
            (whole, _) => whole,
        }
    }
}
