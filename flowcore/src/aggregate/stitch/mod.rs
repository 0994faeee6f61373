//! Connections out of one-way rows: both directions and successive windows of a cloud log are one two-way flow.
//!
//! A flow log has a row per direction and minute (or ten) on each interface. [`Connections`] takes such rows and gives
//! records whose source is the initiator, with first and last time, packets, bytes and TCP flags of each way, the number of
//! rows in `flows`, and what became of the connection in [`Field::ConnState`].
//!
//! - Rows belong together if they have the same two ends (address, port, and address in the packet), protocol, action and
//!   interface. A regional NAT gateway, a transit gateway attachment or GCP's reporter stands for an interface.
//!   Protocols without ports, as ICMP, are one conversation between two addresses.
//! - Another connection begins after a [pause](DEFAULT_MAX_GAP), and with a SYN of an end that has sent before, once there
//!   was a FIN or RST.
//! - The initiator is the source of rows that say so, as those of Azure and of connections that were joined before; else the
//!   sender of a SYN without ACK, and in logs of AWS the other side of the one that sent SYN and ACK; else the sender, where
//!   there are rows of one way only; else the higher port where 1024, 32768 or 49152 lies between the ports; else who began earlier; else the higher
//!   port; else the smaller address.
//! - Two-way records of a source that says nothing about an action, as captures, are flows already, whose source is the
//!   initiator. Those that follow each other are joined where they are parts of one flow: the record before was ended by an
//!   active timeout, for want of memory, or with its file ([`EndReason`]), or this one is of TCP and has no SYN. What has a SYN
//!   nowhere began before its capture, so that its first packet says nothing: the initiator is the higher port, where a
//!   limit lies between the ports. Records without any address are passed on as they are.
//!
//! The result does not depend on the order of rows.

mod connection;
mod split;
mod state;

use std::cell::OnceCell;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::batch::{BATCH_ROWS, Dictionary, FlowBatch, Mask};
use crate::error::{Error, Result};
use crate::observer::{self, Observers};
use crate::record::{Addr, EndReason, Field, FieldSet, NANOS_PER_SEC, Protocol};

use super::counters::{CounterColumns, Counters};
use super::key::code_of;
use super::{Order, Selection, top};
use split::{Row, Run, runs};

pub use state::ConnState;

/// Connections joined from rows.
///
/// ```
/// use flowcore::aggregate::{Connections, Order, Selection};
/// use flowcore::{Field, FlowBatch, Mask};
///
/// let mut batch = FlowBatch::new();
/// let (client, server) = (("192.0.2.1", 50_000), ("10.0.0.1", 443));
/// for (src, dst, flags, bytes) in [(server, client, 18, 900), (client, server, 2, 70), (client, server, 1, 40)] {
///     batch.set_addr(Field::SrcAddr, src.0.parse()?);
///     batch.set_addr(Field::DstAddr, dst.0.parse()?);
///     batch.set_number(Field::Protocol, 6);
///     batch.set_number(Field::SrcPort, src.1);
///     batch.set_number(Field::DstPort, dst.1);
///     batch.set_number(Field::InFlags, flags);
///     batch.set_number(Field::InBytes, bytes);
///     batch.end_row();
/// }
/// let mut connections = Connections::new();
/// connections.add(&batch, &Mask::all(3))?;
/// let all = Selection { order: Order::FIRST, limit: usize::MAX, filter: None };
/// let flow = connections.records(all).next().unwrap().flow(0);
/// assert_eq!((flow.key.dst_port, flow.forward.bytes, flow.reverse.bytes), (Some(443), Some(110), Some(900)));
/// assert_eq!(flow.get(Field::ConnState).text(), Some("accepted"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Connections {
    max_gap: i64,
    per_interface: bool,
    as_flows: bool,
    keep: FieldSet,
    max_memory: usize,
    numbers: HashMap<Conversation, u32, foldhash::quality::RandomState>,
    conversations: Vec<Conversation>,
    /// Actions and observers.
    texts: Dictionary,
    rows: Vec<Row>,
    /// What is kept of each row.
    kept: FlowBatch,
    runs: OnceCell<Vec<Run>>,
}

/// The longest pause within a connection, in seconds: the longest window that flow logs have, ten minutes, and the minute
/// that their times may be off.
pub const DEFAULT_MAX_GAP: u32 = 660;

/// What the rows of all connections between two ends share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Conversation {
    smaller: End,
    larger: End,
    protocol: Option<u8>,
    /// Codes of texts; 0 without.
    action: u32,
    observer: u32,
}

/// One end of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct End {
    addr: Addr,
    port: Option<u16>,
    /// The address in the packet, where the interface's own one stands for another.
    packet: Addr,
}

impl Connections {
    /// No connection yet; pauses of [`DEFAULT_MAX_GAP`] are allowed, and each interface has connections of its own.
    pub fn new() -> Self {
        Self {
            max_gap: i64::from(DEFAULT_MAX_GAP) * NANOS_PER_SEC,
            per_interface: true,
            as_flows: false,
            keep: always_kept(),
            max_memory: usize::MAX,
            numbers: HashMap::default(),
            conversations: Vec::new(),
            texts: Dictionary::default(),
            rows: Vec::new(),
            kept: FlowBatch::new(),
            runs: OnceCell::new(),
        }
    }

    /// Allows pauses of so many seconds between the end of a row and the start of the next one.
    #[must_use]
    pub fn max_gap(self, seconds: u32) -> Self {
        Self { max_gap: i64::from(seconds) * NANOS_PER_SEC, ..self }
    }

    /// Joins rows of different interfaces too: right where each packet is in one row only, as after
    /// [folding copies](crate::Copies).
    #[must_use]
    pub fn across_interfaces(self) -> Self {
        Self { per_interface: false, ..self }
    }

    /// Counts each connection as one flow, so that what is made of them counts connections. Otherwise its flows are the rows
    /// that it was joined of.
    #[must_use]
    pub fn as_flows(self) -> Self {
        Self { as_flows: true, ..self }
    }

    /// Gives connections these fields of the first row of their initiator, of the first row of all if it has none. What is
    /// in the key or counted is never replaced. To be said before anything is added.
    #[must_use]
    pub fn keep_first(self, fields: FieldSet) -> Self {
        let known = key_fields().union(Counters::fields());
        let other = [Field::InFlags, Field::OutFlags, Field::ConnState];
        let is_kept = |field: &Field| !known.contains(*field) && !other.contains(field);
        Self {
            keep: fields.stored().iter().filter(is_kept).collect::<FieldSet>().union(always_kept()),
            ..self
        }
    }

    /// Fails rather than taking more bytes of memory than this, about.
    #[must_use]
    pub fn max_memory(self, bytes: usize) -> Self {
        Self { max_memory: bytes, ..self }
    }

    /// The stored fields that are looked at.
    pub fn fields(&self) -> FieldSet {
        let flags = FieldSet::from([Field::InFlags, Field::OutFlags]);
        let packet = FieldSet::from([Field::PktSrcAddr, Field::PktDstAddr]);
        let key = key_fields().union(packet).union(observer::fields());
        let stated = FieldSet::from([Field::FlowState, Field::EndReason]);
        key.union(Counters::fields()).union(flags).union(stated).union(self.keep)
    }

    /// Adds the chosen rows.
    ///
    /// # Errors
    /// When they take more memory than allowed.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.runs.take();
        let (counters, observers) = (CounterColumns::of(batch), Observers::of(batch));
        let (states, reasons) = (batch.texts(Field::FlowState), batch.numbers(Field::EndReason));
        for at in chosen.rows() {
            let counters = counters.row(at);
            let mut conversation = self.conversation(batch, &observers, at);
            let is_turned = conversation.smaller > conversation.larger;
            if is_turned {
                std::mem::swap(&mut conversation.smaller, &mut conversation.larger);
            }
            let row = Row {
                counters: if is_turned { counters.turned() } else { counters },
                is_whole: conversation.is_whole(&counters),
                is_stated: is_two_way(&counters) || states.is_some_and(|column| column.get(at).is_some()),
                is_tcp: conversation.protocol == Some(Protocol::TCP.0),
                was_cut: reasons.as_ref().and_then(|column| column.get(at)).is_some_and(was_cut),
                conversation: self.number(conversation),
                is_turned,
            };
            self.rows.push(row);
        }
        self.kept.append_fields(batch, chosen, self.keep);
        self.check_memory()
    }

    /// Connections there are.
    pub fn len(&self) -> usize {
        self.runs().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes of memory that the rows take until they are joined, about.
    pub fn memory(&self) -> usize {
        let columns = self.kept.fields().iter().count() * BYTES_OF_A_VALUE;
        let joined = size_of::<Run>() + size_of::<u32>() + columns;
        let rows = self.rows.capacity() * size_of::<Row>() + self.rows.len() * joined;
        let number = size_of::<(Conversation, u32)>() + 1;
        let conversations = self.conversations.capacity() * size_of::<Conversation>()
            + self.numbers.capacity() * number * 8 / 7;
        rows + conversations + self.texts.memory() + self.kept.text_memory()
    }

    /// The connections as flow records.
    pub fn records<'a>(&'a self, selection: Selection<'_>) -> impl Iterator<Item = FlowBatch> + 'a {
        let runs = self.runs();
        let chosen: Vec<&Run> = match selection.filter {
            None => runs.iter().collect(),
            Some(filter) => runs
                .chunks(BATCH_ROWS)
                .flat_map(|chunk| {
                    let mask = filter.select(&self.batch(chunk.iter()));
                    mask.rows().filter_map(|row| chunk.get(row)).collect::<Vec<_>>()
                })
                .collect(),
        };
        let ranked = self.ranked(chosen, selection.limit, selection.order);
        let chunks = ranked.len().div_ceil(BATCH_ROWS);
        (0..chunks).map(move |chunk| {
            let (_, rest) = ranked.split_at(chunk * BATCH_ROWS);
            self.batch(rest.iter().take(BATCH_ROWS).copied())
        })
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self::new()
    }
}

impl Conversation {
    /// Whether a record of it is a connection by itself.
    fn is_whole(&self, counters: &Counters) -> bool {
        let is_nowhere = self.smaller.addr == Addr::Unknown && self.larger.addr == Addr::Unknown;
        (is_two_way(counters) && self.action == 0) || is_nowhere
    }
}

/// Whether a flow went on after its record, by the number of the reason why that ended.
fn was_cut(reason: u64) -> bool {
    use EndReason::{ActiveTimeout, ForcedEnd, LackOfResources};
    matches!(EndReason::from_number(reason), Some(ActiveTimeout | ForcedEnd | LackOfResources))
}

/// Whether a record counts both directions, so that it has a source for a reason.
fn is_two_way(counters: &Counters) -> bool {
    counters.packets(super::Way::Out).or(counters.bytes(super::Way::Out)).is_some()
}

impl Connections {
    /// What a row belongs to, its source being the smaller end.
    fn conversation(&mut self, batch: &FlowBatch, observers: &Observers<'_>, row: usize) -> Conversation {
        let port = |field| batch.number(field, row).and_then(|port| u16::try_from(port).ok());
        let end = |addr, port, packet| {
            let (addr, packet) = (batch.addr(addr, row), batch.addr(packet, row));
            End { addr, port, packet: if packet == addr { Addr::Unknown } else { packet } }
        };
        let observer = observers.get(row).filter(|_| self.per_interface);
        let action = batch.texts(Field::Action).and_then(|column| column.get(row));
        Conversation {
            smaller: end(Field::SrcAddr, port(Field::SrcPort), Field::PktSrcAddr),
            larger: end(Field::DstAddr, port(Field::DstPort), Field::PktDstAddr),
            protocol: batch.number(Field::Protocol, row).and_then(|number| u8::try_from(number).ok()),
            action: action.map_or(0, |text| code_of(text, &mut self.texts)),
            observer: observer.map_or(0, |text| code_of(text, &mut self.texts)),
        }
    }

    fn number(&mut self, conversation: Conversation) -> u32 {
        let next = u32::try_from(self.conversations.len()).unwrap_or(u32::MAX);
        match self.numbers.entry(conversation) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                self.conversations.push(conversation);
                *place.insert(next)
            }
        }
    }

    fn check_memory(&self) -> Result<()> {
        let fits = self.memory() <= self.max_memory && u32::try_from(self.rows.len()).is_ok();
        if fits {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{} rows to be joined to connections take more than {} of memory; filter, or allow for more",
            self.rows.len(),
            crate::readable_bytes(self.max_memory as u64)
        )))
    }

    fn runs(&self) -> &[Run] {
        self.runs.get_or_init(|| {
            let mut order: Vec<u32> = (0..u32::try_from(self.rows.len()).unwrap_or(u32::MAX)).collect();
            order.sort_unstable_by(|&a, &b| match (self.row(a), self.row(b)) {
                (Some(one), Some(other)) => one.compare(other).then_with(|| self.compare_kept(a, b)),
                _ => a.cmp(&b),
            });
            runs(order.iter().filter_map(|&number| Some((number, self.row(number)?))), self.max_gap)
        })
    }

    fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(number as usize)
    }

    /// Rows that count the same are in the order of what else they say, so that no result depends on that of the input.
    fn compare_kept(&self, a: u32, b: u32) -> std::cmp::Ordering {
        let values = |row: u32| self.keep.iter().map(move |field| self.kept.value(field, row as usize));
        values(a).cmp(values(b)).then(a.cmp(&b))
    }

    /// The first of these in this order; equal ones by their ends and their start.
    fn ranked<'a>(&self, runs: Vec<&'a Run>, limit: usize, order: Order) -> Vec<&'a Run> {
        let ranked = runs.into_iter().map(|run| {
            let rank = order.rank(&self.shown(run).0);
            (rank.is_none(), rank.unwrap_or(0), run)
        });
        let top = top::smallest(ranked, limit, |a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| self.compare(a.2, b.2))
        });
        top.into_iter().map(|(.., run)| run).collect()
    }

    /// By the ends, whatever the order in which conversations and texts became known; then by time.
    fn compare(&self, a: &Run, b: &Run) -> std::cmp::Ordering {
        let text = |code: u32| self.text(code);
        let key = |run: &Run| {
            let of = self.conversations.get(run.conversation as usize)?;
            Some((of.smaller, of.larger, of.protocol, text(of.action), text(of.observer)))
        };
        let row = |run: &Run| self.row(run.rows.into_iter().flatten().next()?);
        let rows = || match (row(a), row(b)) {
            (Some(one), Some(other)) => one.compare_counted(other),
            _ => std::cmp::Ordering::Equal,
        };
        let times = (a.counters.first(), a.counters.last()).cmp(&(b.counters.first(), b.counters.last()));
        key(a).cmp(&key(b)).then(times).then_with(rows)
    }

    fn text(&self, code: u32) -> Option<&str> {
        let at = usize::try_from(code).ok()?.checked_sub(1)?;
        self.texts.texts().get(at).map(|text| &**text)
    }
}

/// The fields that tell conversations apart, and are shown of them.
fn key_fields() -> FieldSet {
    FieldSet::from([
        Field::SrcAddr,
        Field::DstAddr,
        Field::SrcPort,
        Field::DstPort,
        Field::Protocol,
        Field::Action,
    ])
}

/// The type of the first ICMP packet tells who asked.
fn always_kept() -> FieldSet {
    FieldSet::from([Field::IcmpType])
}

/// A number, and the slack of a vector that grows.
const BYTES_OF_A_VALUE: usize = 12;

#[cfg(test)]
mod tests;
