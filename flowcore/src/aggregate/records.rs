//! Groups as flow records: what is counted of a group, its key, and what is kept of its first record are a row of a batch,
//! which is filtered, ordered, printed and written as any other.

use super::groups::Place;
use super::{Aggregation, Order};
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::filter::Filter;
use crate::record::{Field, FieldSet};

/// Which groups, and in what order.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// What comes first; equal groups are in the order of their keys.
    pub order: Order,
    /// Groups at most; `usize::MAX` is all.
    pub limit: usize,
    /// Only groups whose record matches.
    pub filter: Option<&'a Filter>,
}

impl Aggregation {
    /// The groups as flow records: key, sums and the fields [kept](Self::keep_first) of the first record; no other field
    /// has a value, since the records of a group need not share one.
    ///
    /// A key by networks has the first address of each, one by TCP flags has them as the sum of the records' flags.
    pub fn records<'a>(&'a self, selection: Selection<'_>) -> impl Iterator<Item = FlowBatch> + 'a {
        let places = match selection.filter {
            None => self.ranked(selection.limit, selection.order),
            Some(filter) => self.ranked_of(self.matching(filter), selection.limit, selection.order),
        };
        let chunks = places.len().div_ceil(BATCH_ROWS);
        (0..chunks).map(move |chunk| {
            let (_, rest) = places.split_at(chunk * BATCH_ROWS);
            self.batch(rest.get(..BATCH_ROWS).unwrap_or(rest))
        })
    }

    fn matching(&self, filter: &Filter) -> Vec<Place> {
        let places: Vec<Place> = self.groups.places().collect();
        let matches = |places: &&[Place]| filter.select(&self.batch(places));
        let chunks = places.chunks(BATCH_ROWS).map(|chunk| (chunk, matches(&chunk)));
        chunks
            .flat_map(|(chunk, chosen)| {
                let rows: Vec<Place> = chosen.rows().filter_map(|row| chunk.get(row).copied()).collect();
                rows
            })
            .collect()
    }

    fn batch(&self, places: &[Place]) -> FlowBatch {
        let mut batch = FlowBatch::new();
        let kept = self.groups.first_fields();
        for &place in places {
            self.counters(place).set(&mut batch);
            let key = self.sides.first().into_iter().flatten();
            for (part, value) in key.zip(self.values(place)) {
                batch.set_value(part.field(), &value);
            }
            self.set_first(place, kept, &mut batch);
            batch.end_row();
        }
        batch
    }

    /// Sets what the row being filled has from the first record of its group.
    fn set_first(&self, place: Place, kept: FieldSet, batch: &mut FlowBatch) {
        let Some((firsts, row)) = self.groups.first(place) else { return };
        let is_turned = self.is_turned(place) != self.groups.is_turned(place);
        let shown = |field: Field| if is_turned { field.opposite() } else { field };
        for field in kept.iter() {
            batch.set_value(shown(field), &firsts.value(field, row));
        }
        for (name, column) in firsts.unknown() {
            column.get(row).into_iter().for_each(|text| batch.set_unknown(name, text));
        }
    }
}
