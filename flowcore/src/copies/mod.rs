//! Copies of the same traffic: rows that two interfaces, or two flow logs of one interface, wrote of the same packets.
//!
//! A connection between two watched interfaces is in a flow log as egress of the one and as ingress of the other, so that
//! sums over all rows count it twice. [`Copies`] takes rows, finds those that are copies and gives the others;
//! [`CopyEstimate`] says how many there probably are, for the price of a sample.
//!
//! Two rows can only be copies of each other if they have the same addresses (those in the packet too), ports, protocol and
//! action, and both say when, and who wrote them: an interface, a regional NAT gateway, a transit gateway attachment, the
//! end of the flow that GCP's reporter is. Where a row has no start, its end stands for it.
//!
//! - Of **two interfaces**, rows are paired one to one: first those with the same start and end, then those with the same
//!   packets, bytes and flags (where both have flags) whose starts are no more than 60 s apart, then others whose starts
//!   are, both of at most a minute or both longer; always the closest first. The row that stays is that of the interface
//!   whose name is first; rows that find no partner stay.
//! - Where one interface sums up over **ten minutes**, what no row of its own length was a copy of is compared with the
//!   minutes of the other one: those that begin inside the window, or up to 60 s before, and have no more bytes are its
//!   copies; if the minutes are what stays, the window is a copy of them if they have all its bytes.
//! - Of **one interface**, rows are never copies unless they come from two flow logs, as [`Field::FlowLog`] says, and
//!   start, end, packets, bytes and flags are the same.
//!
//! What this cannot see: copies under other addresses (behind NAT gateways, load balancers, transit gateway attachments:
//! compare `pktsrcip` and `pktdstip` there), a row that one interface accepted and the other one rejected, and networks that
//! use the same addresses twice at the same time.
//!
//! Which rows stay does not depend on their order, except among rows that are equal in all of this.

mod estimate;
mod pair;

use std::cmp::Ordering;

use hashbrown::HashMap;

use crate::batch::{BATCH_ROWS, Dictionary, FlowBatch, Mask};
use crate::error::{Error, Result};
use crate::observer::{self, Observers};
use crate::record::{Addr, Field, FieldSet, Text};

pub use estimate::{CopyEstimate, LikelyCopies};

/// Rows among which there may be copies.
///
/// ```
/// use flowcore::{Copies, Field, FlowBatch, Mask, Timestamp};
///
/// let mut batch = FlowBatch::new();
/// for (interface, start) in [("eni-a", 100), ("eni-b", 102), ("eni-a", 160)] {
///     batch.set_addr(Field::SrcAddr, "10.0.0.1".parse()?);
///     batch.set_addr(Field::DstAddr, "10.0.0.2".parse()?);
///     batch.set_text(Field::Interface, interface);
///     batch.set_time(Field::First, Timestamp::from_secs(start));
///     batch.set_number(Field::InBytes, 1000);
///     batch.end_row();
/// }
/// let mut copies = Copies::new();
/// copies.add(&batch, &Mask::all(3))?;
/// let folded = copies.fold();
/// assert_eq!((folded.copies(), folded.bytes()), (1, 1000));
/// assert_eq!(folded.batches().map(|(_, rest)| rest.count()).sum::<usize>(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Copies {
    /// The rows, in their order.
    batches: Vec<FlowBatch>,
    rows: usize,
    seen: Vec<Seen>,
    tables: Tables,
    /// Bytes that full batches take.
    full: usize,
    max_memory: usize,
}

/// Rows with their copies marked.
#[derive(Debug)]
pub struct Folded {
    batches: Vec<FlowBatch>,
    is_copy: Vec<bool>,
    copies: u64,
    bytes: u64,
}

/// A row that may have copies.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Number of what copies share.
    key: u32,
    /// Place of the observer's name in the order of names.
    observer: u32,
    /// Start; the end where the source says no start, as `last` is the start where it says no end.
    first: i64,
    last: i64,
    packets: Option<u64>,
    bytes: Option<u64>,
    flags: Option<u64>,
    /// Place of the flow log in the order of names; 0 where nothing tells.
    log: u32,
    row: u32,
}

/// What copies share.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    addrs: [Addr; 4],
    /// Ports and protocol; the largest number where there is none.
    numbers: [u32; 3],
    action: u32,
}

impl Copies {
    /// No row yet.
    pub fn new() -> Self {
        Self {
            batches: Vec::new(),
            rows: 0,
            seen: Vec::new(),
            tables: Tables::default(),
            full: 0,
            max_memory: usize::MAX,
        }
    }

    /// Fails rather than taking more bytes of memory than this, about.
    #[must_use]
    pub fn max_memory(self, bytes: usize) -> Self {
        Self { max_memory: bytes, ..self }
    }

    /// The stored fields that are looked at.
    pub fn fields() -> FieldSet {
        compared()
    }

    /// Adds the chosen rows, whole.
    ///
    /// # Errors
    /// When they take more memory than allowed.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.add_fields(batch, chosen, FieldSet::all().union(FieldSet::from([Field::RecordNumber])))
    }

    /// Adds these fields of the chosen rows, those that are compared among them.
    fn add_fields(&mut self, batch: &FlowBatch, chosen: &Mask, fields: FieldSet) -> Result<()> {
        if self.batches.last().is_none_or(|last| last.len() >= BATCH_ROWS) {
            self.full += self.batches.last().map_or(0, memory);
            self.batches.push(FlowBatch::new());
        }
        if let Some(last) = self.batches.last_mut() {
            last.append_fields(batch, chosen, fields);
        }
        self.tables.add(batch, chosen, self.rows, &mut self.seen);
        self.rows += chosen.count();
        self.check_memory()
    }

    /// Finds the copies.
    pub fn fold(mut self) -> Folded {
        let mut is_copy = vec![false; self.rows];
        self.sort();
        for rows in self.seen.chunk_by(|one, other| one.key == other.key) {
            pair::fold(rows, &mut |row| {
                is_copy.get_mut(row as usize).into_iter().for_each(|is_copy| *is_copy = true);
            });
        }
        let mut folded = Folded { batches: self.batches, is_copy, copies: 0, bytes: 0 };
        folded.count();
        folded
    }

    /// Bytes of memory that the rows take until copies are found, about.
    pub fn memory(&self) -> usize {
        let last = self.batches.last().map_or(0, memory);
        let pairing = self.tables.most as usize * pair::BYTES_OF_A_ROW;
        let seen = self.seen.capacity() * size_of::<Seen>() + self.rows;
        self.full + last + seen + self.tables.memory() + pairing
    }

    fn check_memory(&self) -> Result<()> {
        if self.memory() <= self.max_memory && u32::try_from(self.rows).is_ok() {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{} rows among which copies are looked for take more than {} of memory; filter, or allow for more",
            self.rows,
            crate::readable_bytes(self.max_memory as u64)
        )))
    }

    /// Sorts by what copies share, then by the names of observers and flow logs.
    fn sort(&mut self) {
        let tables = std::mem::take(&mut self.tables);
        let (observers, logs) = (ranks(&tables.observers), ranks(&tables.logs));
        for row in &mut self.seen {
            row.observer = observers.get(row.observer as usize).copied().unwrap_or(0);
            row.log = logs.get(row.log as usize).copied().unwrap_or(0);
        }
        self.seen.sort_unstable_by(Seen::compare);
    }
}

impl Default for Copies {
    fn default() -> Self {
        Self::new()
    }
}

impl Folded {
    /// Rows that are copies.
    pub fn copies(&self) -> u64 {
        self.copies
    }

    /// Bytes of the copies.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All rows in their order, and which of them are no copies.
    pub fn batches(&self) -> impl Iterator<Item = (&FlowBatch, Mask)> {
        self.batches.iter().zip(masks(&self.batches, &self.is_copy))
    }

    /// [`batches`](Self::batches) to be kept.
    pub fn into_batches(self) -> impl Iterator<Item = (FlowBatch, Mask)> {
        let masks: Vec<Mask> = masks(&self.batches, &self.is_copy).collect();
        self.batches.into_iter().zip(masks)
    }

    fn count(&mut self) {
        let (mut copies, mut bytes) = (0, 0_u64);
        for (batch, rest) in self.batches() {
            copies += (batch.len() - rest.count()) as u64;
            let mut folded = rest;
            folded.invert();
            let of_row = |row| batch.number(Field::Bytes, row).unwrap_or(0);
            bytes = folded.rows().map(of_row).fold(bytes, u64::saturating_add);
        }
        (self.copies, self.bytes) = (copies, bytes);
    }
}

/// The rows of each batch that are no copies.
fn masks<'a>(batches: &'a [FlowBatch], mut is_copy: &'a [bool]) -> impl Iterator<Item = Mask> + 'a {
    batches.iter().map(move |batch| {
        let (own, behind) = is_copy.split_at(batch.len().min(is_copy.len()));
        is_copy = behind;
        Mask::from_values(own, |is_copy| !is_copy)
    })
}

impl Seen {
    /// Whether nothing tells which flow log wrote the row.
    fn is_of_any_log(&self) -> bool {
        self.log == 0
    }

    fn compare(&self, other: &Self) -> Ordering {
        let key = |row: &Self| {
            let counted = (row.packets, row.bytes, row.flags);
            (row.key, row.observer, row.first, row.last, counted, row.log, row.row)
        };
        key(self).cmp(&key(other))
    }
}

/// Numbers for keys, observers, actions and flow logs.
#[derive(Debug, Default)]
struct Tables {
    keys: HashMap<Key, u32, foldhash::quality::RandomState>,
    /// Rows of each key.
    rows: Vec<u32>,
    /// Rows of the key that has most.
    most: u32,
    observers: Dictionary,
    actions: Dictionary,
    logs: Dictionary,
}

impl Tables {
    /// Adds the chosen rows of a batch, the first of which has the number `start`; those without time are no copies of
    /// anything.
    fn add(&mut self, batch: &FlowBatch, chosen: &Mask, start: usize, seen: &mut Vec<Seen>) {
        let observers = Observers::of(batch);
        if observers.is_empty() {
            return;
        }
        let (logs, actions) = (batch.texts(Field::FlowLog), batch.texts(Field::Action));
        let mut recent = [Recent::default(); 3];
        let [observed, logged, acted] = &mut recent;
        for (row, place) in chosen.rows().zip(start..) {
            let Some(observer) = observers.get(row) else { continue };
            let (Some(addrs), Some((first, last))) = (addrs(batch, row), times(batch, row)) else { continue };
            let action = actions.and_then(|actions| actions.get(row));
            let action = action.map_or(0, |action| acted.code(action, &mut self.actions));
            seen.push(Seen {
                key: self.key(batch, row, addrs, action),
                observer: observed.code(observer, &mut self.observers),
                first,
                last,
                packets: batch.number(Field::InPackets, row),
                bytes: batch.number(Field::InBytes, row),
                flags: batch.number(Field::InFlags, row),
                log: logs.and_then(|logs| logs.get(row)).map_or(0, |log| logged.code(log, &mut self.logs)),
                row: u32::try_from(place).unwrap_or(u32::MAX),
            });
        }
    }

    /// The number of what a row shares with its copies.
    fn key(&mut self, batch: &FlowBatch, row: usize, addrs: [Addr; 4], action: u32) -> u32 {
        let number =
            |field| batch.number(field, row).and_then(|number| number.try_into().ok()).unwrap_or(u32::MAX);
        let numbers = [Field::SrcPort, Field::DstPort, Field::Protocol].map(number);
        let key = Key { addrs, numbers, action };
        let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        let key = *self.keys.entry(key).or_insert(next);
        if key == next {
            self.rows.push(0);
        }
        if let Some(rows) = self.rows.get_mut(key as usize) {
            *rows = rows.saturating_add(1);
            self.most = self.most.max(*rows);
        }
        key
    }

    /// Bytes of memory that they take, about.
    fn memory(&self) -> usize {
        // A table of keys has one place in eight free, and a byte beside each.
        let keys = self.keys.capacity() / 7 * 8 * (size_of::<(Key, u32)>() + 1);
        let texts = [&self.observers, &self.actions, &self.logs]
            .map(|texts| texts.bytes() + texts.texts().len() * BYTES_OF_A_TEXT);
        keys + self.rows.capacity() * size_of::<u32>() + texts.into_iter().sum::<usize>()
    }
}

/// The place of each text in the order of texts, from 1, by its code: codes tell the order in which texts became known.
fn ranks(texts: &Dictionary) -> Vec<u32> {
    let texts = texts.texts();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by_key(|&at| texts.get(at));
    let mut ranks = vec![0; texts.len() + 1];
    for (rank, at) in (1..).zip(order) {
        ranks.iter_mut().skip(at + 1).take(1).for_each(|place| *place = rank);
    }
    ranks
}

/// Addresses of the interfaces, and of the packet where these differ; `None` for rows that are no flows.
fn addrs(batch: &FlowBatch, row: usize) -> Option<[Addr; 4]> {
    let (src, dst) = (batch.addr(Field::SrcAddr, row), batch.addr(Field::DstAddr, row));
    let packet = |field, own| Some(batch.addr(field, row)).filter(|addr| *addr != own).unwrap_or_default();
    let is_flow = src != Addr::Unknown && dst != Addr::Unknown;
    is_flow.then(|| [src, dst, packet(Field::PktSrcAddr, src), packet(Field::PktDstAddr, dst)])
}

/// Start and end; one stands for the other where the source says one only, and `None` where it says none.
fn times(batch: &FlowBatch, row: usize) -> Option<(i64, i64)> {
    let time = |field| batch.times(field).and_then(|times| times.get(row));
    let (first, last) = (time(Field::First), time(Field::Last));
    Some((first.or(last)?, last.or(first)?))
}

/// The text of a batch that was looked up last, and its code: many rows have that of the row before.
#[derive(Debug, Clone, Copy, Default)]
struct Recent<'a>(Option<(&'a Text, u32)>);

impl<'a> Recent<'a> {
    fn code(&mut self, text: &'a Text, texts: &mut Dictionary) -> u32 {
        match self.0 {
            Some((known, code)) if std::ptr::eq(known, text) => code,
            _ => {
                let code = texts.code(text).unwrap_or_else(|| texts.add(Text::clone(text)));
                self.0 = Some((text, code));
                code
            }
        }
    }
}

/// Bytes that a batch takes, about.
fn memory(batch: &FlowBatch) -> usize {
    batch.len() * batch.fields().iter().count() * BYTES_OF_A_VALUE + batch.text_bytes()
}

/// A number, and the slack of a vector that grows.
const BYTES_OF_A_VALUE: usize = 12;

/// What a text takes beside its letters: two references to it, its counters, its code, its rank.
const BYTES_OF_A_TEXT: usize = 96;

/// The fields that are compared.
fn compared() -> FieldSet {
    let flow = FieldSet::from([
        Field::SrcAddr,
        Field::DstAddr,
        Field::SrcPort,
        Field::DstPort,
        Field::Protocol,
        Field::First,
        Field::Last,
        Field::InPackets,
        Field::InBytes,
        Field::InFlags,
        // Not compared, but counted among the bytes of copies.
        Field::OutBytes,
        Field::FlowLog,
        Field::Action,
        Field::PktSrcAddr,
        Field::PktDstAddr,
    ]);
    flow.union(observer::fields())
}

#[cfg(test)]
mod tests;
