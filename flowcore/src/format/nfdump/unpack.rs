//! One stored block to batches: decompress, find the records, decode what the query needs of those it can need.
//!
//! Blocks do not depend on each other; any number of [`Unpacker`]s give the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::appendix::is_appendix;
use super::blocks::StoredBlock;
use super::codec::Decompressor;
use super::decode::{Decoder, Located, Rows};
use super::record::{Layouts, RawRecord, RecordType, Records, fault};
use super::unknown::UnknownPart;
use crate::batch::{BATCH_ROWS, BATCH_TEXT_BYTES, FlowBatch};
use crate::error::{Error, ErrorKind};
use crate::filter::Parts;
use crate::format::pool::{Gone, Outlet, Worker};
use crate::record::Field;
use crate::source::{Problems, ReadRequest};

/// What has to be made of the blocks of a file.
#[derive(Debug)]
pub(super) struct Task {
    /// Name of the input, for messages.
    name: String,
    /// Compression of the blocks, as the header has it.
    compression: u8,
    /// Name given to the recording; empty if there is none.
    ident: String,
    /// All that the query needs.
    decoder: Decoder,
    wants_ident: bool,
    /// The filter, and what each of its parts needs, if rows can be chosen by it here.
    choice: Option<(Parts, Vec<Decoder>)>,
}

impl Task {
    pub(super) fn new(name: &str, compression: u8, ident: &str, request: &ReadRequest) -> Self {
        let choice = request.filter_of_rows(ReadRequest::named_later()).map(|filter| {
            let parts = Parts::of(&filter);
            let decoders = parts.iter().map(|part| Decoder::new(part.fields)).collect();
            (parts, decoders)
        });
        Self {
            name: name.to_owned(),
            compression,
            ident: ident.to_owned(),
            decoder: Decoder::new(request.fields.stored()),
            wants_ident: request.fields.contains(Field::Ident),
            choice,
        }
    }

    fn fill_ident(&self, batch: &mut FlowBatch) {
        if !self.ident.is_empty() {
            batch.fill_text(Field::Ident, &self.ident);
        }
    }
}

/// What a block gave beside its batches.
#[derive(Debug, Default)]
pub(super) struct Unpacked {
    /// Whether it is part of the appendix and no block of flows.
    pub(super) is_appendix: bool,
    /// Flows of the block that have not been counted with a batch.
    pub(super) flows: u64,
    /// Records that cannot be used.
    pub(super) bad_records: u64,
    /// Parts that are not understood, by what they are.
    pub(super) unknown_parts: BTreeMap<UnknownPart, u64>,
    pub(super) problems: Problems,
    /// The buffer of the stored block, to be used again.
    pub(super) buffer: Vec<u8>,
}

/// Unpacks block after block.
#[derive(Debug)]
pub(super) struct Unpacker {
    task: Arc<Task>,
    decompressor: Decompressor,
    layouts: Layouts,
    located: Vec<Located>,
    /// The columns that the filter asks for.
    asked: FlowBatch,
}

impl Unpacker {
    pub(super) fn new(task: Arc<Task>) -> Self {
        Self {
            task,
            decompressor: Decompressor::default(),
            layouts: Layouts::default(),
            located: Vec::new(),
            asked: FlowBatch::new(),
        }
    }

    fn read_records(&mut self, raw: &[u8], unpacking: &mut Unpacking<'_>) {
        unpacking.unpacked.is_appendix |= is_appendix(raw);
        let mut records = Records::new(raw);
        while self.locate(&mut records, unpacking) {
            unpacking.unpacked.flows += self.located.len() as u64;
            let handed_on = self.decode(raw, unpacking);
            self.layouts.count_unused(&mut unpacking.unpacked.unknown_parts);
            self.layouts.limit();
            if handed_on.is_err() {
                return;
            }
        }
        unpacking.compare_count(&self.task.name);
    }

    /// Finds the flow records of the next batch; `false` if there are none left.
    fn locate(&mut self, records: &mut Records<'_>, unpacking: &mut Unpacking<'_>) -> bool {
        self.located.clear();
        let mut bytes = 0;
        while self.located.len() < BATCH_ROWS && bytes < MAX_BATCH_BYTES {
            match records.next() {
                Ok(Some(record)) if record.kind == RecordType::FLOW => {
                    unpacking.records += 1;
                    bytes += self.add(&record, unpacking);
                }
                Ok(Some(record)) => {
                    unpacking.records += 1;
                    unpacking.pass_over(record.kind);
                }
                Ok(None) => break,
                Err(error) => unpacking.lose_rest(&error, &self.task.name),
            }
        }
        !self.located.is_empty()
    }

    /// Adds a record to the batch; its bytes, if it can be used.
    #[inline]
    fn add(&mut self, record: &RawRecord<'_>, unpacking: &mut Unpacking<'_>) -> usize {
        let len = record.bytes.len();
        let Some(layout) = self.layouts.of(record.bytes) else {
            unpacking.lose_one(&fault(record.bytes), &self.task.name);
            return 0;
        };
        self.located.push(Located { at: record.at, len, layout });
        len
    }

    /// Makes a batch of the located records that the filter wants, and hands it on.
    fn decode(&mut self, raw: &[u8], unpacking: &mut Unpacking<'_>) -> Result<(), Gone> {
        self.choose(raw);
        let Self { task, layouts, located, .. } = self;
        if located.is_empty() {
            return Ok(());
        }
        let mut batch = unpacking.outlet.batch();
        task.decoder.fill(Rows { block: raw, layouts, located }, &mut batch);
        if task.wants_ident {
            task.fill_ident(&mut batch);
        }
        unpacking.outlet.hand_on(batch, std::mem::take(&mut unpacking.unpacked.flows))
    }

    /// Leaves out the located records that the filter does not want; what a part of it looks at is made for those that are
    /// left by the parts before.
    fn choose(&mut self, raw: &[u8]) {
        let Self { task, layouts, located, asked, .. } = self;
        let Some((parts, decoders)) = &task.choice else { return };
        for (part, decoder) in parts.iter().zip(decoders) {
            decoder.fill(Rows { block: raw, layouts, located }, asked);
            if part.fields.contains(Field::Ident) {
                task.fill_ident(asked);
            }
            let chosen = part.select(asked);
            if chosen.count() == 0 {
                return located.clear();
            }
            if chosen.count() < located.len() {
                let mut row = 0..;
                located.retain(|_| row.next().is_some_and(|row| chosen.get(row)));
            }
        }
    }
}

impl Worker for Unpacker {
    type Job = StoredBlock;
    type Account = Unpacked;

    /// Unpacks a block; its rows, without those that the filter does not want, are handed on as they are made.
    fn work(&mut self, block: StoredBlock, outlet: Outlet<Unpacked>) {
        let unpacked = Unpacked { is_appendix: block.is_appendix, ..Unpacked::default() };
        let mut unpacking = Unpacking { unpacked, outlet: &outlet, records: 0, block: &block };
        let kind = block.kind;
        if kind == StoredBlock::RECORDS {
            let mut decompressor = std::mem::take(&mut self.decompressor);
            match decompressor.decompress(self.task.compression, &block.data) {
                Ok(raw) => self.read_records(raw, &mut unpacking),
                Err(error) => unpacking.lose_all(&error.to_string(), &self.task.name),
            }
            self.decompressor = decompressor;
        } else if kind != StoredBlock::ARRAY {
            unpacking.lose_all(
                &format!("blocks of kind {kind} are not read, only those of nfdump 1.7"),
                &self.task.name,
            );
        }
        let unpacked = unpacking.unpacked;
        outlet.end(Unpacked { buffer: block.data, ..unpacked });
    }
}

/// Bytes of records that become one batch at most: a byte of a record becomes up to three of a text, where it is no
/// UTF-8.
const MAX_BATCH_BYTES: usize = BATCH_TEXT_BYTES / 3 - u16::MAX as usize;

/// A block while it is unpacked.
struct Unpacking<'a> {
    block: &'a StoredBlock,
    unpacked: Unpacked,
    outlet: &'a Outlet<Unpacked>,
    /// Records met.
    records: u64,
}

impl Unpacking<'_> {
    /// Counts a record that is no flow of layout 2, if it is not one that is understood.
    fn pass_over(&mut self, kind: u16) {
        if !RecordType::is_known_beside_flows(kind) {
            *self.unpacked.unknown_parts.entry(UnknownPart::RecordType(kind)).or_default() += 1;
        }
    }

    fn lose_one(&mut self, what: &str, name: &str) {
        self.unpacked.bad_records += 1;
        self.note_record(what, name);
    }

    /// Behind a record whose length cannot be, none is found.
    fn lose_rest(&mut self, error: &Error, name: &str) {
        self.records += 1;
        self.note_record(&format!("{error}; the rest of the block is not read"), name);
        let lost = self.block.declared().saturating_sub(self.records);
        self.unpacked.bad_records += 1 + lost;
        self.records += lost;
    }

    /// Nothing in the block can be used; an appendix has no flows to lose.
    fn lose_all(&mut self, what: &str, name: &str) {
        let lost = if self.block.is_appendix { 0 } else { self.block.declared() };
        self.unpacked.bad_records += lost;
        self.note(self.block.error(&format!("{what}; {lost} records left out")), name);
    }

    fn compare_count(&mut self, name: &str) {
        let declared = u64::from(self.block.records);
        if declared != self.records {
            let what = format!("{} records are in it, {declared} were stated", self.records);
            self.note(self.block.error(&what), name);
        }
    }

    fn note_record(&mut self, what: &str, name: &str) {
        let text = format!("record {}: {what}", self.records);
        let place = self.block.error("").position();
        let error = Error::new(ErrorKind::BadRecord(text));
        self.note(place.into_iter().fold(error, Error::at), name);
    }

    fn note(&mut self, error: Error, name: &str) {
        self.unpacked.problems.push(error.in_input(name));
    }
}
