//! Packets in, flows that are over out, and batches of their records.

use flowcore::{BATCH_ROWS, BATCH_TEXT_BYTES, Field, FlowBatch, FlowSource, Result, SourceStats};

use super::chunk::{Chunk, Item};
use super::intake::Intake;
use crate::options::MeterOptions;
use crate::table::{Ended, FlowTable};

/// Where packets to be metered come from.
pub(super) trait Packets: Send {
    /// Replaces the packets of a chunk by the next ones, which may be none; `false` when there will be no more.
    fn next(&mut self, chunk: &mut Chunk) -> bool;

    /// The account of the frames.
    fn stats(&self) -> SourceStats;
}

impl Packets for Intake {
    fn next(&mut self, chunk: &mut Chunk) -> bool {
        chunk.clear();
        let mut more = true;
        while more && !chunk.is_full() {
            more = self.read(chunk);
        }
        more || !chunk.items().is_empty()
    }

    fn stats(&self) -> SourceStats {
        self.stats()
    }
}

/// A source of packets and the flow table they go through.
#[derive(Debug)]
pub(super) struct Metering<P> {
    pub(super) packets: P,
    table: FlowTable,
    /// The packets at hand, and how many of them were metered.
    chunk: Chunk,
    metered: usize,
    /// Where the flows of the group of packets may be that the next one is in.
    places: Group,
    ahead: Ahead,
    /// Flows handed out so far.
    flows: u64,
}

impl<P> Metering<P> {
    pub(super) fn new(packets: P, table: FlowTable) -> Self {
        Self {
            packets,
            table,
            chunk: Chunk::default(),
            metered: 0,
            places: NOWHERE,
            ahead: Ahead::default(),
            flows: 0,
        }
    }

    /// The same with its packets coming another way.
    pub(super) fn map_packets<Q>(self, map: impl FnOnce(P) -> Q) -> Metering<Q> {
        let Self { packets, table, chunk, metered, places, ahead, flows } = self;
        Metering { packets: map(packets), table, chunk, metered, places, ahead, flows }
    }

    /// Counts the packets at hand until a batch of flows is over; `false` if none is left.
    fn meter(&mut self) -> bool {
        loop {
            let at = self.metered % GROUP;
            if at == 0 {
                self.expect();
            }
            let Some(item) = self.chunk.items().get(self.metered) else { return false };
            self.metered += 1;
            match item {
                Item::Brief(brief) => {
                    self.table.meter_brief(brief, self.places.get(at).copied().unwrap_or(u32::MAX));
                }
                &Item::Seen(number, tag) => {
                    self.chunk.seen(number).into_iter().for_each(|seen| self.table.meter_seen(tag, seen));
                }
                &Item::Whole(number) => {
                    if let Some(whole) = self.chunk.whole(number) {
                        self.table.meter(whole.time, &whole.packet, self.chunk.payload(whole));
                    }
                }
                &Item::Source(number) => {
                    if let Some((name, format)) = self.chunk.source(number) {
                        self.table.begin_source(name, *format);
                    }
                }
            }
            if self.table.ended().is_full() {
                return true;
            }
        }
    }

    /// Asks for what groups of packets will need: those of the next one have come, those of the one after it nearly.
    fn expect(&mut self) {
        if self.metered == 0 {
            (0..3).for_each(|group| self.step(group));
        }
        self.step(3);
    }

    /// Takes a step for each group of packets on its way, with one more group that begins its way.
    fn step(&mut self, group: usize) {
        let tags = self.tags(group);
        self.table.expect_tags(&tags);
        let found = self.table.expect_flows(&self.ahead.asked);
        self.table.expect_counts(&self.ahead.found);
        self.places = self.ahead.ready;
        self.ahead = Ahead { asked: tags, found, ready: self.ahead.found };
    }

    /// The tags of the packets that come so many groups later.
    fn tags(&self, groups: usize) -> Group {
        let items = self.chunk.items().get(self.metered + groups * GROUP..).unwrap_or_default();
        std::array::from_fn(|at| match items.get(at) {
            Some(Item::Brief(brief)) => brief.tag(),
            Some(&Item::Seen(_, tag)) => tag,
            _ => 0,
        })
    }
}

impl<P: Packets> Metering<P> {
    /// Replaces `ended` by the next flows that are over; `false` when none is left. Flows that are open at the end of the
    /// input follow in batches of their own.
    pub(super) fn next(&mut self, ended: &mut Ended) -> bool {
        while !self.table.ended().is_full() && !self.meter() {
            self.metered = 0;
            if !self.packets.next(&mut self.chunk) {
                self.chunk.clear();
                // What waited as fragments ends no flow at first.
                while self.table.ended().rows() == 0 && self.table.end_rest() {}
                break;
            }
        }
        self.table.take_ended(ended);
        self.flows += ended.rows() as u64;
        ended.rows() > 0
    }

    pub(super) fn stats(&self) -> SourceStats {
        let mut stats = self.packets.stats();
        stats.records = self.flows;
        stats.flows = self.flows;
        stats.flows_evicted = self.table.evicted();
        stats
    }
}

/// Groups of packets on their way to be metered, the last one first: its tags were asked for, the flows of the next were
/// found and asked for, and all that those of the first one need.
#[derive(Debug)]
struct Ahead {
    asked: Group,
    found: Group,
    ready: Group,
}

impl Default for Ahead {
    fn default() -> Self {
        Self { asked: [0; GROUP], found: NOWHERE, ready: NOWHERE }
    }
}

/// A tag, or a place, of each packet of a group.
type Group = [u32; GROUP];

/// Packets for which memory is asked for together.
const GROUP: usize = 16;
const NOWHERE: Group = [u32::MAX; GROUP];

/// Makes batches of records of the flows that are over.
#[derive(Debug)]
pub(super) struct Exporter {
    ident: Option<String>,
    /// Rows of a batch.
    rows: usize,
    ended: Ended,
}

impl Exporter {
    pub(super) fn new(options: &MeterOptions) -> Self {
        Self { ident: options.ident.clone(), rows: BATCH_ROWS, ended: Ended::default() }
    }

    /// The same, with batches of so many rows.
    pub(super) fn with_rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// Replaces the rows of `batch` by the records of flows that `next` replaces older ones by.
    pub(super) fn fill(&mut self, batch: &mut FlowBatch, mut next: impl FnMut(&mut Ended) -> bool) -> bool {
        batch.clear();
        let has_room =
            |batch: &FlowBatch| batch.len() < self.rows && batch.text_bytes() < BATCH_TEXT_BYTES / 2;
        while has_room(batch) && (self.ended.rows() > 0 || next(&mut self.ended)) {
            self.ended.export(batch, self.rows);
        }
        if let Some(ident) = &self.ident {
            batch.fill_text(Field::Ident, ident);
        }
        !batch.is_empty()
    }
}

/// Metering in the thread that wants the records.
#[derive(Debug)]
pub(super) struct Direct {
    pub(super) metering: Metering<Intake>,
    pub(super) exporter: Exporter,
}

impl FlowSource for Direct {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        Ok(self.exporter.fill(batch, |ended| self.metering.next(ended)))
    }

    fn stats(&self) -> SourceStats {
        self.metering.stats()
    }
}
