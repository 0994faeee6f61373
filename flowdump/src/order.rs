//! Sorting the list: every chosen record is kept until the input ends, or the best `-n` of them.

use std::str::FromStr;

use flowcore::{Error, Field, FieldSet, FlowBatch, Mask, Result};

/// By what to sort, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    field: Field,
    descending: bool,
}

/// Names of the orders, their fields, and whether the largest comes first without `:a` or `:d`.
const ORDERS: [(&str, Field, bool); 5] = [
    ("tstart", Field::First, false),
    ("tend", Field::Last, false),
    ("bytes", Field::Bytes, true),
    ("packets", Field::Packets, true),
    ("duration", Field::Duration, true),
];

impl FromStr for Order {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, direction) = text.split_once(':').map_or((text, None), |(name, way)| (name, Some(way)));
        let wrong = || {
            let names = ORDERS.map(|(name, ..)| name).join(", ");
            Error::argument(format!(
                "-O {text}: no such order; choose one of {names}, with :a or :d behind it if wanted"
            ))
        };
        let &(_, field, descending) = ORDERS.iter().find(|(known, ..)| *known == name).ok_or_else(wrong)?;
        let descending = match direction {
            None => descending,
            Some("a") => false,
            Some("d") => true,
            Some(_) => return Err(wrong()),
        };
        Ok(Self { field, descending })
    }
}

impl Order {
    /// The stored fields the order looks at.
    pub fn fields(self) -> FieldSet {
        FieldSet::from([self.field]).stored()
    }

    /// The rows in order; rows without a value come last, equal ones in the order of the input.
    fn sorted(self, batch: &FlowBatch) -> Vec<usize> {
        let mut rows: Vec<(Option<i128>, usize)> =
            (0..batch.len()).map(|row| (self.key(batch, row), row)).collect();
        rows.sort_by_key(|&(key, _)| (key.is_none(), key));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    fn key(self, batch: &FlowBatch, row: usize) -> Option<i128> {
        let value = match batch.time(self.field, row) {
            Some(time) => i128::from(time.as_nanos()),
            None => i128::from(batch.number(self.field, row)?),
        };
        Some(if self.descending { -value } else { value })
    }
}

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
        let mut order = self.order.sorted(&self.rows);
        order.truncate(self.top.unwrap_or(usize::MAX));
        (self.rows, order)
    }

    /// The best `top` rows, still in the order of the input.
    fn cut(&self, top: usize) -> FlowBatch {
        let mut keep = vec![false; self.rows.len()];
        self.order.sorted(&self.rows).into_iter().take(top).for_each(|row| keep[row] = true);
        let mut kept = FlowBatch::new();
        kept.append(&self.rows, &Mask::from_values(&keep, |keep| keep));
        kept
    }
}

/// Rows that may pile up before the best ones are picked.
const SPARE_ROWS: usize = 65_536;

#[cfg(test)]
mod tests {
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
        let order: Order = "bytes".parse().unwrap();
        assert_eq!(order.sorted(&rows), [2, 0, 3, 4, 1]);
        let order: Order = "bytes:a".parse().unwrap();
        assert_eq!(order.sorted(&rows), [4, 0, 3, 2, 1]);
        assert!("size".parse::<Order>().unwrap_err().to_string().contains("tstart"));
    }

    #[test]
    fn the_best_of_many_batches_are_the_best_of_all() {
        let mut sorter = Sorter::new("bytes".parse().unwrap(), Some(10));
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
