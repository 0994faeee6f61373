//! Sorting the list: every chosen record is kept until the input ends, or the best `-n` of them.

use flowcore::aggregate::Order;
use flowcore::{FlowBatch, Mask};

/// Records waiting to be sorted.
#[derive(Debug)]
pub(crate) struct Sorter {
    order: Order,
    top: Option<usize>,
    rows: FlowBatch,
}

impl Sorter {
    /// Sorts by `order`, keeping the first `top` only.
    pub(crate) fn new(order: Order, top: Option<usize>) -> Self {
        Self { order, top, rows: FlowBatch::new() }
    }

    /// Adds the chosen rows.
    pub(crate) fn add(&mut self, batch: &FlowBatch, chosen: &Mask) {
        self.rows.append(batch, chosen);
        if let Some(top) = self.top
            && self.rows.len() > top.saturating_mul(2).max(SPARE_ROWS)
        {
            self.rows = self.cut(top);
        }
    }

    /// The rows kept, and the order to print them in.
    pub(crate) fn finish(self) -> (FlowBatch, Vec<usize>) {
        let mut order = sorted(self.order, &self.rows);
        order.truncate(self.top.unwrap_or(usize::MAX));
        (self.rows, order)
    }

    /// The best `top` rows, still in the order of the input.
    fn cut(&self, top: usize) -> FlowBatch {
        let mut keep = vec![false; self.rows.len()];
        sorted(self.order, &self.rows).into_iter().take(top).for_each(|row| keep[row] = true);
        let mut kept = FlowBatch::new();
        kept.append(&self.rows, &Mask::from_values(&keep, |keep| keep));
        kept
    }
}

/// The rows in order; rows without a value come last, equal ones in the order of the input.
fn sorted(order: Order, batch: &FlowBatch) -> Vec<usize> {
    let ranks = order.ranks(batch);
    let mut rows: Vec<(bool, Option<u64>, usize)> =
        ranks.into_iter().enumerate().map(|(row, rank)| (rank.is_none(), rank, row)).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(.., row)| row).collect()
}

/// Rows that may pile up before the best ones are picked.
const SPARE_ROWS: usize = 65_536;

#[cfg(test)]
mod tests {
    use flowcore::Field;

    use super::*;

    fn batch(bytes: &[Option<u64>]) -> FlowBatch {
        let mut batch = FlowBatch::new();
        for bytes in bytes {
            if let Some(bytes) = bytes {
                batch.set_number(Field::InBytes, *bytes);
            }
            batch.end_row();
        }
        batch
    }

    #[test]
    fn equal_rows_keep_their_order_and_unknown_ones_come_last() {
        let rows = batch(&[Some(5), None, Some(9), Some(5), Some(0)]);
        assert_eq!(sorted(Order::BYTES, &rows), [2, 0, 3, 4, 1]);
        assert_eq!(sorted(Order::BYTES.ascending(), &rows), [4, 0, 3, 2, 1]);
        assert_eq!(sorted(Order::FLOWS, &rows), [0, 1, 2, 3, 4], "a record is one flow");
    }

    #[test]
    fn the_best_of_many_batches_are_the_best_of_all() {
        let mut sorter = Sorter::new(Order::BYTES, Some(10));
        for part in 0..30_u64 {
            let values: Vec<_> = (0..8192).map(|n| Some((n * 7919 + part * 104_729) % 1_000_003)).collect();
            sorter.add(&batch(&values), &Mask::all(8192));
        }
        let (rows, order) = sorter.finish();
        let mut all: Vec<u64> = (0..30_u64)
            .flat_map(|part| (0..8192).map(move |n| (n * 7919 + part * 104_729) % 1_000_003))
            .collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let best: Vec<_> = order.iter().filter_map(|&row| rows.number(Field::Bytes, row)).collect();
        assert_eq!(best, all[..10]);
    }
}
