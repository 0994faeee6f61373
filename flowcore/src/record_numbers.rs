//! The running number of records, from 1 across all inputs: no reader knows it, so it is filled in where the inputs
//! become one source.

use crate::batch::{Column, FlowBatch};
use crate::record::Field;
use crate::source::ReadRequest;

/// Counts the records that are read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RecordNumbers {
    /// Records so far.
    read: u64,
}

impl RecordNumbers {
    /// If a query asks for the numbers, or its filter does.
    pub(crate) fn wanted(request: &ReadRequest) -> Option<Self> {
        let in_filter = request.filter.as_ref().is_some_and(|f| f.fields().contains(Field::RecordNumber));
        (in_filter || request.fields.contains(Field::RecordNumber)).then(Self::default)
    }

    /// Numbers the rows of the next batch.
    pub(crate) fn fill(&mut self, batch: &mut FlowBatch) {
        let first = self.read.saturating_add(1);
        self.read = self.read.saturating_add(batch.len() as u64);
        let last = self.read;
        if let Column::Number(numbers) = batch.column_mut(Field::RecordNumber) {
            numbers.assign(first..=last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::filter::Filter;
    use crate::record::FieldSet;

    #[test]
    fn numbers_run_on_from_batch_to_batch() {
        let mut numbers = RecordNumbers::default();
        let mut batch = FlowBatch::new();
        for expected in [1..=3, 4..=6] {
            batch.clear();
            for port in 1..=3 {
                batch.set_number(Field::DstPort, port);
                batch.end_row();
            }
            numbers.fill(&mut batch);
            let found: Vec<u64> = (0..3).filter_map(|row| batch.number(Field::RecordNumber, row)).collect();
            assert_eq!(found, expected.collect::<Vec<u64>>());
        }
        batch.clear();
        numbers.fill(&mut batch);
        assert!(batch.is_empty());
    }

    #[test]
    fn they_are_filled_in_only_where_asked_for() {
        assert!(RecordNumbers::wanted(&ReadRequest::default()).is_none());
        let fields = FieldSet::from([Field::RecordNumber]);
        assert!(RecordNumbers::wanted(&ReadRequest { fields, ..ReadRequest::default() }).is_some());
        let filter = Some(Arc::new(Filter::parse("count < 5").unwrap()));
        assert!(RecordNumbers::wanted(&ReadRequest { filter, ..ReadRequest::default() }).is_some());
    }
}
