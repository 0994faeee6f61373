//! Packets in, batches of flows out.

use std::mem;
use std::ops::ControlFlow;

use flowcore::{BATCH_ROWS, Field, FlowBatch, FlowSource, Format, Result, SourceStats};

use super::intake::Intake;
use crate::options::MeterOptions;
use crate::packet::Packet;
use crate::table::FlowTable;

/// Takes packets in the order of the capture.
pub(super) trait PacketSink {
    /// The packets that follow come from this capture.
    fn begin_source(&mut self, name: &str, format: Format);

    /// A packet seen at `time` (nanoseconds since 1970 UTC), and as much of its payload as is wanted. Breaks when no
    /// more should follow for now.
    fn packet(&mut self, time: i64, packet: Packet, payload: &[u8]) -> ControlFlow<()>;
}

/// Where packets to be metered come from.
pub(super) trait Packets: Send {
    /// Gives the meter packets until it has a batch or those at hand are used up; `false` when there will be no more.
    fn feed(&mut self, meter: &mut Meter) -> bool;

    /// The account of the frames.
    fn stats(&self) -> SourceStats;
}

/// The flow table and the flows that are over.
#[derive(Debug)]
pub(super) struct Meter {
    table: FlowTable,
    ended: FlowBatch,
    keeps_payload: bool,
}

impl Meter {
    pub(super) fn new(options: &MeterOptions) -> Self {
        let keeps_payload = options.payload_bytes > 0;
        Self { table: FlowTable::new(options), ended: FlowBatch::new(), keeps_payload }
    }

    /// Counts a packet; breaks when a batch of flows is over.
    #[inline]
    pub(super) fn observe(&mut self, time: i64, packet: &Packet, payload: &[u8]) -> ControlFlow<()> {
        self.table.observe(time, packet, payload, &mut self.ended);
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn is_full(&self) -> bool {
        // Texts are long only where payload is kept, and looking at them takes time.
        self.ended.len() >= BATCH_ROWS || (self.keeps_payload && self.ended.is_full())
    }
}

impl PacketSink for Meter {
    fn begin_source(&mut self, name: &str, format: Format) {
        self.table.begin_source(name, format);
    }

    #[inline]
    fn packet(&mut self, time: i64, packet: Packet, payload: &[u8]) -> ControlFlow<()> {
        self.observe(time, &packet, payload)
    }
}

impl Packets for Intake {
    fn feed(&mut self, meter: &mut Meter) -> bool {
        self.read(meter)
    }

    fn stats(&self) -> SourceStats {
        self.stats()
    }
}

/// A source of packets and the meter they go through.
#[derive(Debug)]
pub(super) struct Metering<P> {
    pub(super) packets: P,
    meter: Meter,
    ident: Option<String>,
    /// Handed out so far.
    flows: u64,
}

impl<P> Metering<P> {
    pub(super) fn new(packets: P, meter: Meter, ident: Option<String>) -> Self {
        Self { packets, meter, ident, flows: 0 }
    }

    /// The same with its packets coming another way.
    pub(super) fn map_packets<Q>(self, map: impl FnOnce(P) -> Q) -> Metering<Q> {
        let Self { packets, meter, ident, flows } = self;
        Metering { packets: map(packets), meter, ident, flows }
    }
}

impl<P: Packets> Metering<P> {
    /// Reads until a batch of flows is over or the input is. Flows that are open at its end follow in batches of their
    /// own.
    fn fill(&mut self) {
        while !self.meter.is_full() {
            if !self.packets.feed(&mut self.meter) {
                // What waited as fragments ends no flow at first.
                while self.meter.ended.is_empty() && self.meter.table.drain(&mut self.meter.ended) {}
                return;
            }
        }
    }
}

impl<P: Packets> FlowSource for Metering<P> {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.fill();
        mem::swap(batch, &mut self.meter.ended);
        self.meter.ended.clear();
        if let Some(ident) = &self.ident {
            batch.fill_text(Field::Ident, ident);
        }
        self.flows += batch.len() as u64;
        Ok(!batch.is_empty())
    }

    fn stats(&self) -> SourceStats {
        let mut stats = self.packets.stats();
        stats.records = self.flows;
        stats.flows = self.flows;
        stats.flows_evicted = self.meter.table.evicted();
        stats
    }
}
