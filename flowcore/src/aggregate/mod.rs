//! Records counted by the values of some of their fields: top talkers, busiest ports, tables of any fields.
//!
//! An [`Aggregation`] takes batches with a [`Mask`] of their rows and holds one row of [`Counters`] for each
//! combination of values; [`Aggregation::top`] puts them in an [`Order`]. [`Counters`] alone are totals. A
//! [`Statistic`] is one of nfdump's `-s` words: which fields, under what heading, in which orders.
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

mod counters;
mod group;
mod key;
mod order;
mod stat;
#[cfg(test)]
mod tests;
mod top;

use std::cmp::Ordering;

pub use counters::{Counters, Way};
pub use order::Order;
pub use stat::Statistic;

use crate::batch::{Dictionary, FlowBatch, Mask};
use crate::error::{Error, Result};
use crate::record::{Field, FieldSet, Value};
use counters::CounterColumns;
use group::{MAX_ROWS, Table};
use key::{Cell, Cells, KeyShape, Packed, code_of, decode, encode};

/// Counters for each combination of values of some fields.
///
/// A value that a record does not have is a value of its own, [`Value::Absent`], unless
/// [`skip_absent`](Self::skip_absent) leaves such records out.
#[derive(Debug)]
pub struct Aggregation {
    /// The fields of a key; more than one list where a record counts once for each.
    sides: Vec<Vec<Field>>,
    /// Values, from the first on, without which a record is not counted.
    required: usize,
    max_groups: usize,
    shape: KeyShape,
    texts: Dictionary,
    packed: PackedTable,
    /// Groups whose keys are no integers.
    others: Table<Box<[u8]>>,
    without_key: u64,
}

/// Groups whose keys are integers, of the size that the fields need.
#[derive(Debug)]
enum PackedTable {
    Narrow(Table<u64>),
    Wide(Table<u128>),
    /// The fields do not fit.
    None,
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
    /// Counts by these fields. Without a field there is one group of all records.
    pub fn by(fields: impl IntoIterator<Item = Field>) -> Self {
        let fields: Vec<Field> = fields.into_iter().collect();
        let shape = KeyShape::of(std::slice::from_ref(&fields));
        Self::new(vec![fields], shape.unwrap_or_default())
    }

    /// Counts each record once by each of these lists of fields, as a host counts as source and as destination.
    ///
    /// A record with the same values in two lists is counted twice in their group.
    ///
    /// # Errors
    /// When the lists differ in length, or hold different types of values in the same place.
    pub fn by_each(sides: Vec<Vec<Field>>) -> Result<Self> {
        let shape = KeyShape::of(&sides).ok_or_else(|| {
            Error::argument("fields that are counted together need values of the same type in the same order")
        })?;
        Ok(Self::new(sides, shape))
    }

    /// Leaves out records that have no value for one of the first `fields` fields; [`without_key`](Self::without_key)
    /// counts them.
    #[must_use]
    pub fn skip_absent(self, fields: usize) -> Self {
        Self { required: fields, ..self }
    }

    /// Fails rather than holding more groups than this: a bound of the memory that an unknown input can take.
    #[must_use]
    pub fn max_groups(self, groups: usize) -> Self {
        Self { max_groups: groups, ..self }
    }

    /// The stored fields that are looked at; TCP flags are optional.
    pub fn fields(&self) -> FieldSet {
        let keys: FieldSet = self.sides.iter().flatten().copied().collect();
        keys.stored().union(Counters::fields())
    }

    /// Counts the chosen rows.
    ///
    /// # Errors
    /// When there are more groups than can be held. What was counted so far is a part of the rows.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        let rows: Vec<u32> = chosen.rows().filter_map(|row| u32::try_from(row).ok()).collect();
        let columns = CounterColumns::of(batch);
        let sides: Vec<Vec<Cells<'_>>> = self
            .sides
            .iter()
            .map(|fields| {
                fields.iter().map(|&field| Cells::of(batch, field, &rows, &mut self.texts)).collect()
            })
            .collect();
        let required = self.required;
        let is_counted =
            |cells: &[Cells<'_>], row: u32| cells.iter().take(required).all(|cells| cells.has(row as usize));
        let unkeyed = rows.iter().filter(|&&row| !sides.iter().any(|cells| is_counted(cells, row))).count();
        self.without_key += unkeyed as u64;
        for cells in &sides {
            let counted: Vec<u32> = rows.iter().copied().filter(|&row| is_counted(cells, row)).collect();
            self.add_side(cells, &counted, &columns)?;
        }
        Ok(())
    }

    /// Adds the groups of another aggregation by the same fields.
    ///
    /// # Errors
    /// When it is by other fields, or there are more groups than can be held.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.sides != other.sides || self.required != other.required {
            return Err(Error::argument("only aggregations by the same fields can be merged"));
        }
        self.without_key += other.without_key;
        let codes: Vec<u32> = other.texts.texts().iter().map(|text| code_of(text, &mut self.texts)).collect();
        let mut key = Vec::new();
        for place in other.places() {
            let mut cells = other.cells(place);
            self.shape.recode(&mut cells, &codes);
            self.add_group(&cells, other.counters(place), &mut key)?;
        }
        Ok(())
    }

    /// Groups there are.
    pub fn len(&self) -> usize {
        self.packed.len() + self.others.rows().len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows that are in no group, since they do not have the values.
    pub fn without_key(&self) -> u64 {
        self.without_key
    }

    /// The first `limit` groups in this order; equal ones by their values, ascending. `usize::MAX` is all of them.
    ///
    /// Groups that do not have the number, as bytes of records that do not say, are last.
    pub fn top(&self, limit: usize, order: Order) -> impl ExactSizeIterator<Item = Group> + '_ {
        let ranked = self.places().map(|place| {
            let rank = order.rank(self.counters(place));
            (rank.is_none(), rank.unwrap_or(0), place)
        });
        let top = top::smallest(ranked, limit, |a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| self.compare(a.2, b.2))
        });
        top.into_iter()
            .map(|(.., place)| Group { values: self.values(place), counters: *self.counters(place) })
    }
}

/// How groups are added and found again.
impl Aggregation {
    fn new(sides: Vec<Vec<Field>>, shape: KeyShape) -> Self {
        let packed = match shape.bits() {
            0..=64 => PackedTable::Narrow(Table::new()),
            65..=128 => PackedTable::Wide(Table::new()),
            _ => PackedTable::None,
        };
        Self {
            sides,
            required: 0,
            max_groups: usize::MAX,
            shape,
            texts: Dictionary::default(),
            packed,
            others: Table::new(),
            without_key: 0,
        }
    }

    fn add_side(&mut self, cells: &[Cells<'_>], rows: &[u32], columns: &CounterColumns<'_>) -> Result<()> {
        let room = self.room();
        let unpacked = match &mut self.packed {
            PackedTable::Narrow(table) => add_packed(table, &self.shape, cells, rows, columns, room),
            PackedTable::Wide(table) => add_packed(table, &self.shape, cells, rows, columns, room),
            PackedTable::None => Some(rows.to_vec()),
        };
        let mut key = Vec::new();
        for row in unpacked.ok_or_else(|| self.full())? {
            let row = row as usize;
            encode(cells.iter().map(|cells| cells.cell(row)), &mut key);
            self.add_other(&key, &columns.row(row))?;
        }
        Ok(())
    }

    /// Adds the counters of a group of another aggregation.
    fn add_group(&mut self, cells: &[Cell], counters: &Counters, key: &mut Vec<u8>) -> Result<()> {
        let room = self.room();
        let packed = match &mut self.packed {
            PackedTable::Narrow(table) => {
                self.shape.pack(cells.iter().copied()).map(|key: u64| table.add(&key, room, counters, || key))
            }
            PackedTable::Wide(table) => self
                .shape
                .pack(cells.iter().copied())
                .map(|key: u128| table.add(&key, room, counters, || key)),
            PackedTable::None => None,
        };
        match packed {
            Some(true) => Ok(()),
            Some(false) => Err(self.full()),
            None => {
                encode(cells.iter().copied(), key);
                self.add_other(key, counters)
            }
        }
    }

    fn add_other(&mut self, key: &[u8], counters: &Counters) -> Result<()> {
        let room = self.max_groups.saturating_sub(self.packed.len());
        let added = self.others.add(key, room, counters, || key.into());
        if added { Ok(()) } else { Err(self.full()) }
    }

    /// Groups with packed keys that may be held.
    fn room(&self) -> usize {
        self.max_groups.saturating_sub(self.others.rows().len())
    }

    fn full(&self) -> Error {
        let groups = self.max_groups.min(MAX_ROWS);
        Error::argument(format!("more than {groups} groups; count by fewer fields, or filter"))
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let rows = |count: usize| 0..u32::try_from(count).unwrap_or(u32::MAX);
        let packed = rows(self.packed.len()).map(|row| Place { row, is_packed: true });
        packed.chain(rows(self.others.rows().len()).map(|row| Place { row, is_packed: false }))
    }

    fn counters(&self, place: Place) -> &Counters {
        let counters = match (place.is_packed, &self.packed) {
            (true, PackedTable::Narrow(table)) => table.row(place.row).map(|row| &row.counters),
            (true, PackedTable::Wide(table)) => table.row(place.row).map(|row| &row.counters),
            _ => self.others.row(place.row).map(|row| &row.counters),
        };
        counters.unwrap_or(&Counters::NONE)
    }

    fn packed_key(&self, place: Place) -> Option<u128> {
        match &self.packed {
            PackedTable::Narrow(table) if place.is_packed => Some(table.row(place.row)?.key.widen()),
            PackedTable::Wide(table) if place.is_packed => Some(table.row(place.row)?.key),
            _ => None,
        }
    }

    fn cells(&self, place: Place) -> Vec<Cell> {
        match self.packed_key(place) {
            Some(key) => self.shape.unpack(key),
            None => self.others.row(place.row).map_or(Vec::new(), |row| decode(&row.key)),
        }
    }

    fn values(&self, place: Place) -> Vec<Value> {
        self.shape.values(&self.cells(place), &self.texts)
    }

    /// Groups in the order of their values. Packed keys without texts are in that order themselves.
    fn compare(&self, a: Place, b: Place) -> Ordering {
        match (self.packed_key(a), self.packed_key(b)) {
            (Some(a), Some(b)) if !self.shape.has_texts() => a.cmp(&b),
            _ => self.values(a).cmp(&self.values(b)),
        }
    }
}

/// Where a group is.
#[derive(Debug, Clone, Copy)]
struct Place {
    row: u32,
    is_packed: bool,
}

impl PackedTable {
    fn len(&self) -> usize {
        match self {
            Self::Narrow(table) => table.rows().len(),
            Self::Wide(table) => table.rows().len(),
            Self::None => 0,
        }
    }
}

/// Counts the rows whose keys can be packed and returns the others; `None` if there are more groups than `room`.
fn add_packed<K: Packed>(
    table: &mut Table<K>,
    shape: &KeyShape,
    cells: &[Cells<'_>],
    rows: &[u32],
    columns: &CounterColumns<'_>,
    room: usize,
) -> Option<Vec<u32>> {
    let (mut records, mut others) = (Vec::with_capacity(rows.len()), Vec::new());
    for &row in rows {
        match shape.pack::<K>(cells.iter().map(|cells| cells.cell(row as usize))) {
            Some(key) => records.push((key, row)),
            None => others.push(row),
        }
    }
    let counted = table.add_rows(&records, room, |row| columns.row(row as usize));
    (counted == records.len()).then_some(others)
}
