//! An input read once: its rows counted, copies of them left out, and the rest joined to connections.

use std::path::PathBuf;
use std::sync::Arc;

use flowcore::aggregate::Connections;
use flowcore::analysis::Connection;
use flowcore::{
    Copies, Error, Field, FieldSet, Filter, FlowBatch, FlowSource, Mask, OpenOptions, ReadRequest, Result,
    SourceStats,
};
use pcap2flow::MeterOptions;

use crate::args::Period;
use crate::print::Summary;

/// How inputs are read.
pub(super) struct Reader<'a> {
    /// The command that reads, for what it complains about.
    pub(super) command: &'static str,
    /// Rows that are counted.
    pub(super) counted: &'a Filter,
    /// Rows that are joined: those, and more.
    pub(super) wanted: &'a Arc<Filter>,
    pub(super) period: Period,
    pub(super) meter: &'a MeterOptions,
    /// Bytes that rows may take.
    pub(super) memory: usize,
}

/// What was read.
pub(super) struct Read {
    /// The earliest first.
    pub(super) connections: Vec<Connection>,
    /// Rows that were counted, copies among them.
    pub(super) rows: Summary,
    pub(super) stats: SourceStats,
}

impl Reader<'_> {
    /// Reads all of an input, which these files and folders are.
    ///
    /// # Errors
    /// When it cannot be opened, or has more rows to be joined than can be held.
    pub(super) fn read(&self, input: &[PathBuf]) -> Result<Read> {
        let mut inputs = self.options().open_all(input)?;
        let (mut batch, mut rows) = (FlowBatch::new(), Summary::default());
        let mut copies = Copies::new().max_memory(self.memory);
        while inputs.read_batch(&mut batch)? {
            rows.add(&batch, &self.counted.select(&batch));
            copies.add(&batch, &self.wanted.select(&batch)).map_err(|error| self.too_many(&error))?;
        }
        let mut stats = inputs.stats();
        let mut joined = Connections::new().across_interfaces().max_memory(self.memory);
        for (batch, rest) in copies.fold().into_batches() {
            joined.add(&batch, &rest).map_err(|error| self.too_many(&error))?;
            let (count, bytes) = self.copies_of(&batch, rest);
            stats.copies += count;
            stats.copies_bytes = stats.copies_bytes.saturating_add(bytes);
        }
        Ok(Read { connections: Connection::all(&joined), rows, stats })
    }

    /// How the inputs are opened.
    pub(super) fn options(&self) -> OpenOptions {
        let sets = [Connection::fields(), Connections::new().fields(), Copies::fields(), Summary::fields()];
        let looked_at = sets.into_iter().chain([self.wanted.fields(), self.counted.fields()]);
        let fields = looked_at.fold(FieldSet::EMPTY, FieldSet::union);
        let filter = Some(self.wanted.clone());
        OpenOptions::new()
            .request(ReadRequest { fields: fields.stored(), filter, ..ReadRequest::default() })
            .window(self.period.0, self.period.1)
            .captures(pcap2flow::capture_opener(self.meter.clone()))
    }

    /// How many counted rows are copies, and their bytes; `rest` are the rows that are none.
    fn copies_of(&self, batch: &FlowBatch, rest: Mask) -> (u64, u64) {
        let mut folded = rest;
        folded.invert();
        folded.and(&self.counted.select(batch));
        let bytes = folded.rows().filter_map(|row| batch.number(Field::Bytes, row));
        (folded.count() as u64, bytes.fold(0, u64::saturating_add))
    }

    fn too_many(&self, error: &Error) -> Error {
        let command = self.command;
        Error::argument(format!(
            "{command}: {error} by --memory, or look at a shorter time with --since and --until"
        ))
    }
}
