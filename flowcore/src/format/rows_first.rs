//! Rows before the error that came behind them.

use crate::batch::FlowBatch;
use crate::error::{Error, Result};

/// Where a reader stands that fills batches until its input ends or fails.
#[derive(Debug, Default)]
pub(super) struct RowsFirst {
    is_done: bool,
    /// Rows came before this error: they are handed out first.
    failed: Option<Error>,
}

impl RowsFirst {
    /// Whether there are rows: those that `fill` adds, which says whether more may follow. Nothing is read behind an error.
    pub(super) fn read(
        &mut self,
        batch: &mut FlowBatch,
        fill: impl FnOnce(&mut FlowBatch) -> Result<bool>,
    ) -> Result<bool> {
        batch.clear();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if !self.is_done {
            let filled = fill(batch);
            self.is_done = !matches!(filled, Ok(true));
            match filled {
                Err(error) if batch.is_empty() => return Err(error),
                filled => self.failed = filled.err(),
            }
        }
        Ok(!batch.is_empty())
    }
}
