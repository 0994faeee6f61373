//! NODATA and SKIPDATA rows of cloud logs: records that say something about the recording, not flows.
//!
//! The log reader tells them apart itself. A flow file can hold them too, if they were asked for when it was written;
//! here they are told apart again.

use crate::batch::{FlowBatch, Mask};
use crate::completeness::{LostRecords, SkipData};
use crate::record::{Field, FieldSet, Timestamp};

/// The fields that show a status row, and where records were lost.
pub(crate) fn fields() -> FieldSet {
    let when = [Field::First, Field::Last];
    FieldSet::from([Field::LogStatus, Field::SrcAddr, Field::DstAddr])
        .union(FieldSet::from(when))
        .union(FieldSet::from(WATCHED))
}

/// What was watched: an interface, or what stands for one, the first there is.
pub(crate) const WATCHED: [Field; 4] = [Field::Interface, Field::Resource, Field::TgwAttachment, Field::Tgw];

/// Rows that say something about the recording, by kind.
#[derive(Debug, Default, Clone)]
pub(crate) struct StatusRows {
    /// No traffic.
    pub(crate) nodata: u64,
    /// Records were lost.
    pub(crate) skipdata: u64,
    /// The first rows of the second kind.
    pub(crate) lost: LostRecords,
}

/// What kind of status row a row is: its label, if it has no addresses beside it.
pub(crate) fn label(batch: &FlowBatch, row: usize) -> Option<&str> {
    let label = batch.text(Field::LogStatus, row).filter(|label| matches!(*label, "NODATA" | "SKIPDATA"))?;
    let has_addrs = [Field::SrcAddr, Field::DstAddr].iter().all(|&field| batch.addr(field, row).is_known());
    (!has_addrs).then_some(label)
}

impl StatusRows {
    /// Takes status rows out of a batch of this input and counts them.
    pub(crate) fn take_from(&mut self, batch: &mut FlowBatch, input: &str) {
        if let Some(flows) = self.count(batch, input) {
            let mut rest = FlowBatch::new();
            rest.append(batch, &flows);
            *batch = rest;
        }
    }

    /// Counts the status rows of a batch of this input; the rows that are flows, if there may be others.
    pub(crate) fn count(&mut self, batch: &FlowBatch, input: &str) -> Option<Mask> {
        let labels = batch.texts(Field::LogStatus).map_or(&[][..], |column| column.dictionary());
        if !labels.iter().any(|label| matches!(&**label, "NODATA" | "SKIPDATA")) {
            return None;
        }
        Some(Mask::from_fn(batch.len(), |row| match label(batch, row) {
            Some("NODATA") => {
                self.nodata += 1;
                false
            }
            Some(_) => {
                self.skipdata += 1;
                self.lost.push(|| lost(batch, row, input));
                false
            }
            None => true,
        }))
    }
}

/// What a row about lost records says in the columns that were read.
fn lost(batch: &FlowBatch, row: usize, input: &str) -> SkipData {
    let time = |field| batch.times(field)?.get(row).map(Timestamp::from_nanos);
    SkipData {
        input: input.into(),
        interface: WATCHED.into_iter().find_map(|field| batch.text(field, row)).map(Into::into),
        first: time(Field::First),
        last: time(Field::Last),
    }
}
