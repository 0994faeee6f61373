//! Moving chosen rows from one batch to another.

use std::ops::Range;

use super::{Column, FlowBatch, Mask, TextColumn};
use crate::record::FieldSet;

impl FlowBatch {
    /// Adds the chosen rows of another batch, all columns.
    pub fn append(&mut self, other: &Self, rows: &Mask) {
        self.append_fields(other, rows, FieldSet::all());
    }

    /// Adds the chosen rows of another batch with these stored fields; columns without a field come along.
    pub fn append_fields(&mut self, other: &Self, rows: &Mask, fields: FieldSet) {
        let start = self.len;
        for field in fields.iter() {
            if let Some(from) = other.column(field) {
                let to = self.columns[field as usize].get_or_insert_with(|| Column::new(field));
                to.pad(start);
                append_column(to, from, rows);
            }
        }
        for (name, from) in &other.unknown {
            let at = self.unknown_column(name);
            self.unknown[at].1.pad(start);
            append_text(&mut self.unknown[at].1, from, rows);
        }
        self.len = start + rows.count();
    }

    /// How many of these rows of another batch, from the first one on, can be added before the texts held pass `limit`
    /// bytes.
    pub(crate) fn rows_that_fit(&self, other: &Self, rows: Range<usize>, limit: usize) -> usize {
        let mut room = limit.saturating_sub(self.text_bytes());
        if other.text_bytes() <= room {
            return rows.len();
        }
        let mut added = vec![0; rows.len()];
        for field in other.fields().iter() {
            if let Some(from) = other.texts(field) {
                add_new_texts(self.texts(field), from, rows.start, &mut added);
            }
        }
        for (name, from) in &other.unknown {
            let own = self.unknown.iter().find(|(known, _)| known == name).map(|(_, column)| column);
            add_new_texts(own, from, rows.start, &mut added);
        }
        let mut fits = |bytes: &usize| room.checked_sub(*bytes).map(|left| room = left).is_some();
        added.iter().take_while(|bytes| fits(bytes)).count()
    }
}

/// Adds to `added`, which is about the rows from `start` on, the length of each text that a row brings in.
fn add_new_texts(own: Option<&TextColumn>, from: &TextColumn, start: usize, added: &mut [usize]) {
    let mut seen = vec![false; from.dictionary().len() + 1];
    for (&code, added) in from.codes().iter().skip(start).zip(added) {
        let is_new = seen.get_mut(code as usize).is_some_and(|seen| !std::mem::replace(seen, true));
        if let Some(text) = from.text(code).filter(|_| is_new)
            && !own.is_some_and(|own| own.knows(text))
        {
            *added += text.len();
        }
    }
}

fn append_column(to: &mut Column, from: &Column, rows: &Mask) {
    let all = rows.len() == from.len() && rows.count() == rows.len();
    if all && to.append_all(from) {
        return;
    }
    match (to, from) {
        (Column::Number(to), Column::Number(from)) => rows.rows().for_each(|row| to.push(from.get(row))),
        (Column::Time(to), Column::Time(from)) => rows.rows().for_each(|row| to.push(from.get(row))),
        (Column::Addr(to), Column::Addr(from)) => rows.rows().for_each(|row| to.push(from.get(row))),
        (Column::Text(to), Column::Text(from)) => append_text(to, from, rows),
        _ => {}
    }
}

/// Translates codes once per distinct text instead of once per row.
fn append_text(to: &mut TextColumn, from: &TextColumn, rows: &Mask) {
    let mut translated = vec![0_u32; from.dictionary().len() + 1];
    for row in rows.rows() {
        let code = from.codes().get(row).copied().unwrap_or(0);
        let slot = &mut translated[code as usize];
        if *slot == 0
            && let Some(text) = from.text(code)
        {
            *slot = to.shared_code(text);
        }
        to.push_code(*slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Field, Flow, Value};

    #[test]
    fn only_new_texts_take_room() {
        let texts = |texts: &[&str]| {
            let mut batch = FlowBatch::new();
            for text in texts {
                batch.set_text(Field::InPayload, text);
                batch.set_unknown("extra", text);
                batch.end_row();
            }
            batch
        };
        let held = texts(&["aaaa"]);
        let next = texts(&["aaaa", "bbbb", "aaaa", "bbbb", "cc", ""]);
        assert_eq!((held.text_bytes(), next.text_bytes()), (8, 20));
        for (rows, limit, expected) in [
            (0..6, 20, 6),
            (0..6, 19, 4),
            (0..6, 16, 4),
            (0..6, 15, 1),
            (1..6, 15, 0),
            (2..3, 0, 1),
            (5..6, 0, 1),
        ] {
            assert_eq!(held.rows_that_fit(&next, rows.clone(), limit), expected, "{rows:?} {limit}");
        }
    }

    #[test]
    fn chosen_rows_arrive_whole() {
        let mut from = FlowBatch::new();
        for n in 0..100_u64 {
            let mut flow = Flow::default();
            flow.forward.packets = (n % 4 != 0).then_some(n);
            flow.key.dst = if n % 5 == 0 { "::1".parse().unwrap() } else { "10.0.0.9".parse().unwrap() };
            flow.set(Field::Interface, Value::from(format!("eni-{}", n % 3).as_str()));
            flow.unknown.push(("extra".into(), n.to_string().as_str().into()));
            from.push(&flow);
        }
        let rows = Mask::from_fn(100, |row| row % 7 == 2);
        let mut to = FlowBatch::new();
        to.end_row();
        to.append(&from, &rows);
        assert_eq!(to.len(), 1 + rows.count());
        for (at, row) in rows.rows().enumerate() {
            assert_eq!(to.flow(at + 1), from.flow(row));
        }
        assert_eq!(to.flow(0), Flow::default());
    }
}
