//! Many rows at once, a column at a time, for sources that have their rows together.
//!
//! The calls come between rows. They add values for the rows that come next, each of which has its
//! [`end_row`](FlowBatch::end_row) afterwards, and may get values of other fields before that. As for single values, a
//! column is made only for a field that has some.

use super::{Column, FlowBatch};
use crate::record::{Addr, Field};

impl FlowBatch {
    /// Adds numbers of the rows to come.
    ///
    /// ```
    /// use flowcore::{Field, FlowBatch};
    /// let mut batch = FlowBatch::new();
    /// batch.add_numbers(Field::InBytes, [Some(40), None, Some(1500)].into_iter());
    /// (0..3).for_each(|_| batch.end_row());
    /// assert_eq!(batch.number(Field::InBytes, 2), Some(1500));
    /// ```
    #[inline]
    pub fn add_numbers(&mut self, field: Field, values: impl Iterator<Item = Option<u64>> + Clone) {
        if let Some(Column::Number(column)) = self.open_for(field, || values.clone().any(|v| v.is_some())) {
            column.extend(values);
        }
    }

    /// [`add_numbers`](Self::add_numbers) where every row has one, which is faster.
    #[inline]
    pub fn add_all_numbers(&mut self, field: Field, values: impl ExactSizeIterator<Item = u64>) {
        if let Some(Column::Number(column)) = self.open_for(field, || values.len() > 0) {
            column.extend_all(values);
        }
    }

    /// Adds times of the rows to come, each of which has one, in nanoseconds since 1970 UTC.
    #[inline]
    pub fn add_all_times(&mut self, field: Field, values: impl ExactSizeIterator<Item = i64>) {
        if let Some(Column::Time(column)) = self.open_for(field, || values.len() > 0) {
            column.extend_all(values);
        }
    }

    /// Adds times of the rows to come, in nanoseconds since 1970 UTC.
    pub(crate) fn add_times(&mut self, field: Field, values: impl Iterator<Item = Option<i64>> + Clone) {
        if let Some(Column::Time(column)) = self.open_for(field, || values.clone().any(|v| v.is_some())) {
            column.extend(values);
        }
    }

    /// Adds addresses of the rows to come.
    #[inline]
    pub fn add_addrs(&mut self, field: Field, values: impl Iterator<Item = Addr> + Clone) {
        if let Some(Column::Addr(column)) = self.open_for(field, || values.clone().any(Addr::is_known)) {
            values.for_each(|addr| column.push(addr));
        }
    }

    /// Adds texts of the rows to come.
    pub fn add_texts<'a>(&mut self, field: Field, values: impl Iterator<Item = Option<&'a str>> + Clone) {
        if let Some(Column::Text(column)) = self.open_for(field, || values.clone().any(|v| v.is_some())) {
            column.extend(values);
        }
    }

    /// Adds texts of the rows to come that are ASCII; any other bytes are no value.
    pub(crate) fn add_ascii<'a>(
        &mut self,
        field: Field,
        values: impl Iterator<Item = Option<&'a [u8]>> + Clone,
    ) {
        if let Some(Column::Text(column)) = self.open_for(field, || values.clone().any(|v| v.is_some())) {
            column.extend_ascii(values);
        }
    }

    /// [`add_ascii`](Self::add_ascii) in the column of this name, which has no field.
    pub(crate) fn add_unknown<'a>(
        &mut self,
        name: &str,
        values: impl Iterator<Item = Option<&'a [u8]>> + Clone,
    ) {
        if !values.clone().any(|value| value.is_some()) {
            return;
        }
        let len = self.len;
        let at = self.unknown_column(name);
        if let Some((_, column)) = self.unknown.get_mut(at) {
            column.pad(len);
            column.extend_ascii(values);
        }
    }

    /// The column of a field, ready to take values of the rows to come, if they have any.
    fn open_for(&mut self, field: Field, have_any: impl FnOnce() -> bool) -> Option<&mut Column> {
        (self.column(field).is_some() || have_any()).then(|| self.open_column(field))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Timestamp;
    use proptest::prelude::*;

    /// Number, time, address, text.
    type Row = (Option<u64>, i64, Addr, Option<String>);

    fn any_row() -> impl Strategy<Value = Row> {
        let addr = prop_oneof![
            Just(Addr::Unknown),
            any::<u32>().prop_map(|addr| Addr::V4(addr.into())),
            any::<u128>().prop_map(|addr| Addr::V6(addr.into())),
        ];
        (prop::option::of(any::<u64>()), any::<i64>(), addr, prop::option::of("[ab]{0,2}"))
    }

    fn by_row(batch: &mut FlowBatch, (number, time, addr, text): &Row) {
        number.iter().for_each(|&number| batch.set_number(Field::InBytes, number));
        batch.set_time(Field::Last, Timestamp::from_nanos(*time));
        batch.set_number(Field::OutBytes, time.unsigned_abs());
        if addr.is_known() {
            batch.set_addr(Field::DstAddr, *addr);
        }
        text.iter().for_each(|text| batch.set_text(Field::Action, text));
        batch.end_row();
    }

    fn by_column(batch: &mut FlowBatch, rows: &[Row]) {
        batch.add_numbers(Field::InBytes, rows.iter().map(|row| row.0));
        batch.add_all_times(Field::Last, rows.iter().map(|row| row.1));
        batch.add_all_numbers(Field::OutBytes, rows.iter().map(|row| row.1.unsigned_abs()));
        batch.add_addrs(Field::DstAddr, rows.iter().map(|row| row.2));
        batch.add_texts(Field::Action, rows.iter().map(|row| row.3.as_deref()));
        rows.iter().for_each(|_| batch.end_row());
    }

    proptest! {
        #[test]
        fn columns_say_what_rows_say(
            parts in prop::collection::vec((any::<bool>(), prop::collection::vec(any_row(), 0..150)), 0..6),
        ) {
            let (mut expected, mut batch, mut joined) = (FlowBatch::new(), FlowBatch::new(), FlowBatch::new());
            for (is_by_column, rows) in &parts {
                rows.iter().for_each(|row| by_row(&mut expected, row));
                let mut part = FlowBatch::new();
                for batch in [&mut batch, &mut part] {
                    if *is_by_column {
                        by_column(batch, rows);
                    } else {
                        rows.iter().for_each(|row| by_row(batch, row));
                    }
                }
                joined.append(&part, &crate::Mask::all(part.len()));
            }
            prop_assert_eq!(batch.fields(), expected.fields());
            for row in 0..expected.len() {
                prop_assert_eq!(batch.flow(row), expected.flow(row));
                prop_assert_eq!(joined.flow(row), expected.flow(row));
            }
            for batch in [&mut batch, &mut joined, &mut expected] {
                batch.pad();
            }
            for field in [Field::InBytes, Field::DstAddr] {
                let column = |batch: &FlowBatch| format!("{:?}", batch.column(field));
                prop_assert_eq!(column(&batch), column(&expected));
                prop_assert_eq!(column(&joined), column(&expected));
            }
        }
    }
}
