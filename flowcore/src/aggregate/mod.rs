//! Records counted by the values of some of their fields: top talkers, busiest ports, tables of any fields.
//!
//! An [`Aggregation`] takes batches with a [`Mask`] of their rows and holds one row of [`Counters`] for each
//! combination of values; [`Aggregation::top`] puts them in an [`Order`], and [`Aggregation::records`] hands them out as the
//! flow records that they are. [`Counters`] alone are totals. A [`Statistic`] is one of nfdump's `-s` words: which fields,
//! under what heading, in which orders; [`Element`]s are those of `-A`.
//!
//! Results are exact, and the same for any order of records and any split into partial aggregations that are
//! [merged](Aggregation::merge): equal groups are ordered by their values.
//!
//! ```
//! use flowcore::aggregate::{Aggregation, Order};
//! use flowcore::{Field, FlowBatch, Mask, Value};
//!
//! let mut batch = FlowBatch::new();
//! for (port, bytes) in [(443, 1500), (80, 900), (443, 500)] {
//!     batch.set_number(Field::DstPort, port);
//!     batch.set_number(Field::InBytes, bytes);
//!     batch.end_row();
//! }
//! let mut ports = Aggregation::by([Field::DstPort]);
//! ports.add(&batch, &Mask::all(batch.len()))?;
//! let top = ports.top(1, Order::BYTES).next().unwrap();
//! assert_eq!(top.values, [Value::Number(443)]);
//! assert_eq!(top.counters.flows(), 2);
//! # Ok::<(), flowcore::Error>(())
//! ```

mod coarse;
mod counters;
mod direction;
mod division;
mod element;
mod first;
mod group;
mod groups;
mod key;
mod order;
mod pieces;
mod rank;
mod records;
mod series;
mod share;
mod small;
mod split;
mod stat;
mod stitch;
#[cfg(test)]
mod tests;
mod top;

pub use coarse::{Candidates, CoarseCount, Proof};
pub use counters::{Counters, Way};
pub use direction::Directions;
pub use element::Element;
pub use order::Order;
pub use records::Selection;
pub use series::{Bucket, Interval, TimeSeries};
pub use stat::Statistic;
pub use stitch::{ConnState, Connections, DEFAULT_MAX_GAP};

use std::borrow::Cow;

use crate::batch::{FlowBatch, Mask};
use crate::error::{Error, Result};
use crate::record::{Field, FieldSet, Value};
use counters::CounterColumns;
use direction::{Evidence, FLOW_KEY};
use first::Keep;
use groups::{Full, Groups, Place, Records};
use key::{Cells, KeyShape};
use split::Held;

/// Counters for each combination of values of some fields.
///
/// A value that a record does not have is a value of its own, [`Value::Absent`], unless
/// [`skip_absent`](Self::skip_absent) leaves such records out.
#[derive(Debug)]
pub struct Aggregation {
    /// The parts of a key; more than one list where a record counts once for each.
    sides: Vec<Vec<Element>>,
    /// Values, from the first on, without which a record is not counted.
    required: usize,
    directions: Directions,
    keep: FieldSet,
    max_memory: usize,
    groups: Groups,
    without_key: u64,
    /// Records that were looked at.
    rows: u64,
    /// What all parts of an aggregation hold, if this is one of them.
    held: Option<Held>,
}

/// A group: the values that its records share, and what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// One for each field, in their order.
    pub values: Vec<Value>,
    /// Sums over the records.
    pub counters: Counters,
}

impl Aggregation {
    /// Counts by these fields or elements. Without any there is one group of all records.
    pub fn by<E: Into<Element>>(elements: impl IntoIterator<Item = E>) -> Self {
        let side: Vec<Element> = elements.into_iter().map(Into::into).collect();
        let shape = KeyShape::of(std::slice::from_ref(&side));
        Self::new(vec![side], shape.unwrap_or_default())
    }

    /// Counts each record once by each of these lists of fields, as a host counts as source and as destination.
    ///
    /// A record with the same values in two lists is counted twice in their group.
    ///
    /// # Errors
    /// When the lists differ in length, or hold different types of values in the same place.
    pub fn by_each(sides: Vec<Vec<Field>>) -> Result<Self> {
        let sides: Vec<Vec<Element>> =
            sides.into_iter().map(|side| side.into_iter().map(Element::from).collect()).collect();
        let shape = KeyShape::of(&sides).ok_or_else(|| {
            Error::argument("fields that are counted together need values of the same type in the same order")
        })?;
        Ok(Self::new(sides, shape))
    }

    /// Joins records of the same flow: of the same addresses, ports and protocol, of ICMP type and code. What a cloud log
    /// says was refused is a flow of its own.
    ///
    /// ```
    /// use flowcore::aggregate::{Aggregation, Directions, Order, Selection, Way};
    /// use flowcore::{Field, FlowBatch, Mask};
    ///
    /// let mut batch = FlowBatch::new();
    /// for (src, dst, bytes) in [(50_000, 443, 70), (443, 50_000, 900)] {
    ///     batch.set_number(Field::SrcPort, src);
    ///     batch.set_number(Field::DstPort, dst);
    ///     batch.set_number(Field::InBytes, bytes);
    ///     batch.end_row();
    /// }
    /// let mut flows = Aggregation::flows(Directions::Merged);
    /// flows.add(&batch, &Mask::all(2))?;
    /// let all = Selection { order: Order::FIRST, limit: usize::MAX, filter: None };
    /// let merged = flows.records(all).next().unwrap().flow(0);
    /// assert_eq!((merged.forward.bytes, merged.reverse.bytes), (Some(70), Some(900)));
    /// # Ok::<(), flowcore::Error>(())
    /// ```
    pub fn flows(directions: Directions) -> Self {
        let side: Vec<Element> = FLOW_KEY.into_iter().map(Into::into).collect();
        let shape = KeyShape::of(std::slice::from_ref(&side)).unwrap_or_default();
        let shape = shape.without_room_for(direction::ACTION);
        let mut flows = Self { directions, ..Self::new(vec![side], shape) };
        flows.keep_in_groups();
        flows
    }

    /// Leaves out records that have no value for one of the first `fields` fields; [`without_key`](Self::without_key)
    /// counts them.
    #[must_use]
    pub fn skip_absent(self, fields: usize) -> Self {
        Self { required: fields, ..self }
    }

    /// Gives the [records](Self::records) of groups these fields of their first record, in the order in which records
    /// are added. What is in the key or counted is never replaced. To be said before anything is added.
    #[must_use]
    pub fn keep_first(mut self, fields: FieldSet) -> Self {
        let known = self.key_fields().union(Counters::fields());
        let counted = [Field::InFlags, Field::OutFlags];
        let is_kept = |field: &Field| !known.contains(*field) && !counted.contains(field);
        self.keep = fields.stored().iter().filter(is_kept).collect();
        self.keep_in_groups();
        self
    }

    /// Fails rather than holding more groups than this: a bound of the memory that an unknown input can take.
    #[must_use]
    pub fn max_groups(mut self, groups: usize) -> Self {
        self.groups.set_max(groups);
        self
    }

    /// Fails rather than taking more bytes of memory than this, about.
    #[must_use]
    pub fn max_memory(self, bytes: usize) -> Self {
        Self { max_memory: bytes, ..self }
    }

    /// The stored fields that are looked at; TCP flags are optional where directions stay apart.
    pub fn fields(&self) -> FieldSet {
        let flags = match self.directions {
            Directions::Apart => FieldSet::EMPTY,
            Directions::Merged | Directions::Guessed => FieldSet::from([Field::InFlags, Field::OutFlags]),
        };
        self.key_fields().union(Counters::fields()).union(flags).union(self.keep)
    }

    /// Counts the chosen rows.
    ///
    /// # Errors
    /// When there are more groups than can be held. What was counted so far is a part of the rows.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.rows += chosen.count() as u64;
        self.each_side(batch, chosen, Groups::add)?;
        self.check_memory()
    }

    /// The same without groups, if what it counts can be [merged](Self::merge) whatever records each of both is given: that
    /// is so where groups have nothing from their first record.
    pub fn twin(&self) -> Option<Self> {
        let is_ordered = self.directions != Directions::Apart || !self.keep.is_empty();
        (!is_ordered).then(|| self.without_groups())
    }

    /// Adds the groups of another aggregation of the same kind, as if its records were added behind those of this one.
    ///
    /// # Errors
    /// When it is by other fields, or there are more groups than can be held.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let kind = |of: &Self| (of.required, of.directions, of.keep);
        if self.sides != other.sides || kind(self) != kind(other) {
            return Err(Error::argument("only aggregations by the same fields can be merged"));
        }
        self.without_key += other.without_key;
        self.rows += other.rows;
        self.groups.merge(&other.groups).map_err(|Full| self.full())?;
        self.check_memory()
    }

    /// Groups there are.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that are in no group, since they do not have the values.
    pub fn without_key(&self) -> u64 {
        self.without_key
    }

    /// Bytes of memory that the groups take, about.
    pub fn memory(&self) -> usize {
        self.groups.memory()
    }

    /// The first `limit` groups in this order; equal ones by their values, ascending. `usize::MAX` is all of them.
    ///
    /// Groups that do not have the number, as bytes of records that do not say, are last.
    pub fn top(&self, limit: usize, order: Order) -> impl ExactSizeIterator<Item = Group> + '_ {
        let top = self.ranked(limit, order);
        top.into_iter().map(|place| Group { values: self.values(place), counters: self.counters(place) })
    }
}

impl Aggregation {
    fn new(sides: Vec<Vec<Element>>, shape: KeyShape) -> Self {
        Self {
            sides,
            required: 0,
            directions: Directions::Apart,
            keep: FieldSet::EMPTY,
            max_memory: usize::MAX,
            groups: Groups::new(shape),
            without_key: 0,
            rows: 0,
            held: None,
        }
    }

    /// Calls `take` with the chosen rows that have a key, once for each list of fields.
    fn each_side(
        &mut self,
        batch: &FlowBatch,
        chosen: &Mask,
        mut take: impl FnMut(&mut Groups, &Records<'_>) -> std::result::Result<(), Full>,
    ) -> Result<()> {
        let rows: Vec<u32> = chosen.rows().filter_map(|row| u32::try_from(row).ok()).collect();
        let columns = CounterColumns::of(batch);
        let texts = &mut self.groups.texts;
        let mut cells =
            |side: &Vec<Element>| side.iter().map(|&part| Cells::of(batch, part, &rows, texts)).collect();
        let sides: Vec<Vec<Cells<'_>>> = self.sides.iter().map(&mut cells).collect();
        let required = self.required;
        let is_counted =
            |cells: &[Cells<'_>], row: u32| cells.iter().take(required).all(|cells| cells.has(row as usize));
        let are_counted =
            |cells: &[Cells<'_>]| cells.iter().take(required).all(|cells| cells.has_all(batch.len()));
        if !sides.iter().any(|cells| are_counted(cells)) {
            let unkeyed =
                rows.iter().filter(|&&row| !sides.iter().any(|cells| is_counted(cells, row))).count();
            self.without_key += unkeyed as u64;
        }
        for cells in &sides {
            let rows: Cow<'_, [u32]> = match are_counted(cells) {
                true => Cow::Borrowed(&rows),
                false => rows.iter().copied().filter(|&row| is_counted(cells, row)).collect(),
            };
            let turned = match self.directions {
                Directions::Apart => Mask::none(batch.len()),
                Directions::Merged | Directions::Guessed => direction::turned_rows(batch, cells),
            };
            let any_turned = turned.count() > 0;
            for rows in rows.chunks(CHUNK) {
                let records = Records { batch, columns: &columns, cells, rows, turned: &turned, any_turned };
                take(&mut self.groups, &records).map_err(|Full| self.full())?;
            }
        }
        Ok(())
    }

    /// The same, nothing counted.
    fn without_groups(&self) -> Self {
        let groups = self.groups.without_groups();
        Self { sides: self.sides.clone(), groups, held: None, rows: 0, without_key: 0, ..*self }
    }

    fn key_fields(&self) -> FieldSet {
        let parts = self.sides.iter().flatten();
        parts.fold(FieldSet::EMPTY, |fields, part| fields.union(part.fields())).stored()
    }

    fn keep_in_groups(&mut self) {
        self.groups.keep(Keep { fields: self.keep, turns: self.directions != Directions::Apart });
    }

    fn full(&self) -> Error {
        let groups = self.groups.max();
        Error::argument(format!("more than {groups} groups; count by fewer fields, or filter"))
    }

    fn check_memory(&mut self) -> Result<()> {
        let (groups, memory) = (self.len(), self.memory());
        let (groups, memory) = self.held.as_mut().map_or((groups, memory), |held| held.tell(groups, memory));
        if memory <= self.max_memory {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{groups} groups take more than {} of memory; count by fewer fields, filter, or allow for more",
            crate::readable_bytes(self.max_memory as u64)
        )))
    }

    /// The values of a group's key, as it is shown.
    fn values(&self, place: Place) -> Vec<Value> {
        let values = self.groups.values(place);
        if !self.is_turned(place) {
            return values;
        }
        let turned = (0..values.len()).map(direction::turned_part);
        turned.map(|part| values.get(part).cloned().unwrap_or(Value::Absent)).collect()
    }

    /// The counters of a group, as it is shown.
    fn counters(&self, place: Place) -> Counters {
        let counters = self.groups.counters(place);
        if self.is_turned(place) { counters.turned() } else { counters }
    }

    /// Whether a group is shown from its larger end to its smaller one.
    fn is_turned(&self, place: Place) -> bool {
        if self.directions == Directions::Apart {
            return false;
        }
        let of_first = self.groups.is_turned(place);
        self.told_way(place).unwrap_or_else(|| of_first != self.is_backwards(place, of_first))
    }

    /// Whether the rows of a cloud log tell that a group goes from its larger end to its smaller one, whatever their order.
    fn told_way(&self, place: Place) -> Option<bool> {
        let starts = self.groups.starts(place)?;
        let values = self.groups.values(place);
        let number = |part| values.get(part).and_then(Value::number);
        let ports = (number(2), number(3));
        let is_of_cloud = values.get(direction::ACTION).is_some_and(|action| !action.is_absent());
        let is_one_end = values.first() == values.get(1) && ports.0 == ports.1;
        if !is_of_cloud || is_one_end || !direction::has_ways(number(4), ports) {
            return None;
        }
        let counters = &self.groups.counters(place);
        let evidence = Evidence { counters, ports, starts, sparse_flags: true };
        Some(if self.directions == Directions::Guessed { evidence.by_ports() } else { evidence.by_time() })
    }

    /// Whether a group is shown against the way of its first record.
    fn is_backwards(&self, place: Place, first_is_turned: bool) -> bool {
        if self.directions != Directions::Guessed {
            return false;
        }
        let values = self.groups.values(place);
        let number = |part| values.get(part).and_then(Value::number);
        let (one, other) = (number(2), number(3));
        if !direction::has_ways(number(4), (one, other)) {
            return false;
        }
        if first_is_turned {
            direction::is_backwards(other, one)
        } else {
            direction::is_backwards(one, other)
        }
    }
}

/// Rows whose keys are made together: what is made of them stays in the cache.
const CHUNK: usize = 2048;
