//! NODATA and SKIPDATA rows of cloud logs: records that say something about the recording, not flows.
//!
//! The log reader tells them apart itself. A flow file can hold them too, if they were asked for when it was written;
//! here they are told apart again.

use crate::batch::{FlowBatch, Mask};
use crate::record::{Field, FieldSet};

/// The fields that show a status row.
pub(crate) fn fields() -> FieldSet {
    FieldSet::from([Field::LogStatus, Field::SrcAddr, Field::DstAddr])
}

/// Rows that say something about the recording, by kind.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct StatusRows {
    /// No traffic.
    pub(crate) nodata: u64,
    /// Records were lost.
    pub(crate) skipdata: u64,
}

/// What kind of status row a row is: its label, if it has no addresses beside it.
pub(crate) fn label(batch: &FlowBatch, row: usize) -> Option<&str> {
    let label = batch.text(Field::LogStatus, row).filter(|label| matches!(*label, "NODATA" | "SKIPDATA"))?;
    let has_addrs = [Field::SrcAddr, Field::DstAddr].iter().all(|&field| batch.addr(field, row).is_known());
    (!has_addrs).then_some(label)
}

impl StatusRows {
    /// Takes status rows out of a batch and counts them.
    pub(crate) fn take_from(&mut self, batch: &mut FlowBatch) {
        let labels = batch.texts(Field::LogStatus).map_or(&[][..], |column| column.dictionary());
        if !labels.iter().any(|label| matches!(&**label, "NODATA" | "SKIPDATA")) {
            return;
        }
        let flows = Mask::from_fn(batch.len(), |row| match label(batch, row) {
            Some("NODATA") => {
                self.nodata += 1;
                false
            }
            Some(_) => {
                self.skipdata += 1;
                false
            }
            None => true,
        });
        let mut rest = FlowBatch::new();
        rest.append(batch, &flows);
        *batch = rest;
    }
}
