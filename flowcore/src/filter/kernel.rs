//! Which rows of a batch match: one pass over one column per term.
//!
//! What kind of term it is, is decided once per batch; the loops over rows compare plain values. `and` evaluates
//! its cheap terms first and stops when no row is left.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::addrs::AddrSet;
use super::eval::is_between;
use super::expr::Expr;
use super::predicate::{Condition, MplsPart, Predicate, Test, acl_holds, same_column};
use super::sets::Ranges;
use crate::batch::{AddrColumn, Column, FlowBatch, Mask, NumberColumn, TextColumn, Values};
use crate::record::{Field, Protocol};

/// The rows that satisfy the expression.
pub(super) fn select(expr: &Expr<Predicate>, batch: &FlowBatch) -> Mask {
    match expr {
        Expr::Term(predicate) => predicate.condition.rows(batch),
        Expr::Not(inner) => inverted(select(inner, batch)),
        Expr::And(parts) => all(parts, batch),
        Expr::Or(parts) => parts.iter().fold(Mask::none(batch.len()), |mut mask, part| {
            mask.or(&select(part, batch));
            mask
        }),
    }
}

fn all(parts: &[Expr<Predicate>], batch: &FlowBatch) -> Mask {
    let mut parts: Vec<&Expr<Predicate>> = parts.iter().collect();
    parts.sort_by_key(|part| cost(part));
    let narrowed = parts.into_iter().try_fold(Mask::all(batch.len()), |mut mask, part| {
        mask.and(&select(part, batch));
        if mask.count() == 0 { ControlFlow::Break(mask) } else { ControlFlow::Continue(mask) }
    });
    match narrowed {
        ControlFlow::Break(mask) | ControlFlow::Continue(mask) => mask,
    }
}

/// A rough order of what a part costs per row.
fn cost(expr: &Expr<Predicate>) -> usize {
    match expr {
        Expr::Term(predicate) => predicate.condition.cost(),
        Expr::Not(inner) => cost(inner),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().map(cost).sum(),
    }
}

impl Condition {
    fn cost(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Family(_) | Self::Column { .. } => 2,
            Self::Payload(condition) => condition.cost(),
            Self::Between { .. } => 20,
            Self::Fields { fields, test, .. } => {
                let derived = fields.iter().filter(|field| field.is_derived()).count() * 20;
                derived + fields.len() * test.cost()
            }
        }
    }

    pub(super) fn rows(&self, batch: &FlowBatch) -> Mask {
        match self {
            Self::Any => Mask::all(batch.len()),
            Self::Family(version) => family(batch, *version),
            Self::Fields { fields, protocols, test, negated } => {
                let mut rows = Answer::none(batch, *negated);
                fields.iter().for_each(|&field| test.answer(field, batch, &mut rows));
                let mut mask = rows.decide();
                if !protocols.is_empty() {
                    mask.and(&of_protocols(batch, protocols));
                }
                mask
            }
            Self::Payload(condition) => condition.rows(batch),
            Self::Column { name, values, negated } => {
                let mut rows = Answer::none(batch, *negated);
                for (_, column) in batch.unknown().iter().filter(|(known, _)| same_column(name, known)) {
                    rows.add_texts(column, |text| values.contains(text));
                }
                rows.decide()
            }
            Self::Between { fields, limits } => between(batch, fields, *limits),
        }
    }
}

impl Test {
    fn cost(&self) -> usize {
        let ranges = |len: usize| if len > 1 { 3 + len.ilog2() as usize } else { 1 };
        match self {
            Self::Numbers(set) => ranges(set.as_slice().len()),
            Self::Times(set) => ranges(set.as_slice().len()),
            Self::Bytes(_) | Self::Texts(_) | Self::Acl(_) => 2,
            Self::Mpls(..) => 3,
            Self::Content(_) => 1_000,
            Self::Addrs(set) => 1 + ranges(set.v4.as_slice().len()) + ranges(set.v6.as_slice().len()),
        }
    }

    /// Adds what the values of one field say.
    fn answer(&self, field: Field, batch: &FlowBatch, rows: &mut Answer) {
        match self {
            Self::Numbers(set) => {
                if let Some(column) = numbers(field, batch) {
                    rows.add_values(&column, in_ranges(column.values(), set));
                }
            }
            Self::Bytes(set) => {
                if let Some(column) = numbers(field, batch) {
                    rows.add_values(&column, Mask::from_values(column.values(), |value| set.contains(value)));
                }
            }
            Self::Times(set) => {
                if let Some(column) = batch.times(field) {
                    rows.add_values(column, in_ranges(column.values(), set));
                }
            }
            Self::Addrs(set) => {
                if let Some(column) = batch.addrs(field) {
                    rows.add_addrs(column, set);
                }
            }
            Self::Texts(set) => {
                if let Some(column) = batch.texts(field) {
                    rows.add_texts(column, |text| set.contains(text));
                }
            }
            Self::Mpls(part, set) => {
                if let Some(column) = numbers(field, batch) {
                    rows.add_mpls(&column, *part, set);
                }
            }
            Self::Content(set) => {
                if let Some(column) = batch.texts(field) {
                    rows.add_texts(column, |text| set.occurs_in(text));
                }
            }
            Self::Acl(set) => {
                if let Some(column) = batch.texts(field) {
                    rows.add_texts(column, |text| acl_holds(text, set));
                }
            }
        }
    }
}

/// What the fields of a term said so far.
struct Answer {
    /// Rows in which some field has a value in the set.
    hit: Mask,
    /// Rows in which some field has a value; only a negated term asks.
    present: Option<Mask>,
}

impl Answer {
    fn none(batch: &FlowBatch, negated: bool) -> Self {
        Self { hit: Mask::none(batch.len()), present: negated.then(|| Mask::none(batch.len())) }
    }

    fn decide(self) -> Mask {
        let Some(present) = self.present else { return self.hit };
        let mut mask = inverted(self.hit);
        mask.and(&present);
        mask
    }

    /// `hit` speaks of all rows of the column, those without a value included.
    fn add_values<T: Copy + Default>(&mut self, column: &Values<T>, mut hit: Mask) {
        if !column.present().is_full() {
            hit.and_words(column.present().words());
        }
        self.add(&hit, || {
            let mut present = Mask::all(column.len());
            present.and_words(column.present().words());
            present
        });
    }

    fn add_addrs(&mut self, column: &AddrColumn, set: &AddrSet) {
        let mut hit = match set.v4_index() {
            Some(index) => Mask::from_values(column.words(), |addr| index.contains(&set.v4, addr)),
            None => in_ranges(column.words(), &set.v4),
        };
        hit.and(&Mask::from_values(column.kinds(), |kind| kind == 4));
        if !set.v6.as_slice().is_empty() && !column.v6().is_empty() {
            hit.or(&v6_in(column, set));
        }
        self.add(&hit, || Mask::from_values(column.kinds(), |kind| kind != 0));
    }

    /// An entry without the part counts as absent.
    fn add_mpls(&mut self, column: &NumberColumn, part: MplsPart, set: &Ranges<u64>) {
        let rows = |choose: &dyn Fn(u64) -> bool| {
            let choose = |entry| part.of(entry).is_some_and(choose);
            let mut mask = Mask::from_values(column.values(), choose);
            mask.and_words(column.present().words());
            mask
        };
        self.add(&rows(&|value| set.contains(value)), || rows(&|_| true));
    }

    /// Looks at each distinct text once.
    fn add_texts(&mut self, column: &TextColumn, is_hit: impl Fn(&str) -> bool) {
        let known = column.dictionary().iter().map(|text| is_hit(text));
        let hits: Vec<bool> = std::iter::once(false).chain(known).collect();
        let hit = Mask::from_values(column.codes(), |code| hits.get(code as usize).is_some_and(|&hit| hit));
        self.add(&hit, || Mask::from_values(column.codes(), |code| code != 0));
    }

    /// The masks can be shorter than the batch: rows past the end of a column have no value.
    fn add(&mut self, hit: &Mask, present: impl FnOnce() -> Mask) {
        self.hit.or(hit);
        if let Some(all) = &mut self.present {
            all.or(&present());
        }
    }
}

/// The column of a field as it is, or the computed one.
fn numbers(field: Field, batch: &FlowBatch) -> Option<Cow<'_, NumberColumn>> {
    match batch.column(field) {
        Some(Column::Number(column)) => Some(Cow::Borrowed(column)),
        _ => batch.numbers(field),
    }
}

fn v6_in(column: &AddrColumn, set: &AddrSet) -> Mask {
    let hits: Vec<bool> = column.v6().iter().map(|&addr| set.contains_v6(addr)).collect();
    let (kinds, words) = (column.kinds(), column.words());
    Mask::from_fn(column.len(), |row| {
        kinds[row] == 6 && hits.get(words[row] as usize).is_some_and(|&hit| hit)
    })
}

/// The values in the set; one range, by far the most common set, is two comparisons without a branch.
fn in_ranges<T: Copy + Ord>(values: &[T], set: &Ranges<T>) -> Mask {
    match set.as_slice() {
        [] => Mask::none(values.len()),
        &[(low, high)] => Mask::from_values(values, |value| (low <= value) & (value <= high)),
        _ => Mask::from_values(values, |value| set.contains(value)),
    }
}

fn between(batch: &FlowBatch, fields: &[Field], limits: [Field; 2]) -> Mask {
    let [Some(low), Some(high)] = limits.map(|field| numbers(field, batch)) else {
        return Mask::none(batch.len());
    };
    let mut mask = Mask::none(batch.len());
    for column in fields.iter().filter_map(|&field| numbers(field, batch)) {
        let holds = |row| is_between(column.get(row), low.get(row), high.get(row));
        mask.or(&Mask::from_fn(batch.len(), holds));
    }
    mask
}

fn of_protocols(batch: &FlowBatch, protocols: &[Protocol]) -> Mask {
    let wanted = protocols.iter().map(|protocol| (u64::from(protocol.0), u64::from(protocol.0)));
    let mut rows = Answer::none(batch, false);
    Test::Numbers(Ranges::new(wanted)).answer(Field::Protocol, batch, &mut rows);
    rows.hit
}

fn family(batch: &FlowBatch, version: u8) -> Mask {
    let rows = |field: Field, choose: &dyn Fn(u8) -> bool| {
        let mut mask = Mask::none(batch.len());
        if let Some(column) = batch.addrs(field) {
            mask.or(&Mask::from_values(column.kinds(), choose));
        }
        mask
    };
    let mut mask = inverted(rows(Field::SrcAddr, &|kind| kind != 0));
    mask.and(&rows(Field::DstAddr, &|kind| kind == version));
    mask.or(&rows(Field::SrcAddr, &|kind| kind == version));
    mask
}

fn inverted(mut mask: Mask) -> Mask {
    mask.invert();
    mask
}
