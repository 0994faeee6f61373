//! What readers have in common: batches out, and an account of everything that was read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use crate::batch::FlowBatch;
use crate::completeness::{LostRecords, Origins, SkipData, TimeSpan};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::record::{Field, FieldSet, Flow};
use crate::record_numbers::RecordNumbers;

/// Anything that yields flows: a file of any format, a folder, a capture being metered.
///
/// A record that cannot be used is noted in [`stats`](Self::stats) and reading goes on. An error means that this
/// source yields no more; whatever it yielded before stands.
pub trait FlowSource: Send {
    /// Replaces the rows of `batch` by the next ones; `false` when there are none left.
    ///
    /// # Errors
    /// When the input cannot be read on: the operating system failed, or the format is damaged beyond a record.
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool>;

    /// What has been read so far, and what of it could not be used.
    fn stats(&self) -> SourceStats;
}

impl<S: FlowSource + ?Sized> FlowSource for Box<S> {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        (**self).read_batch(batch)
    }

    fn stats(&self) -> SourceStats {
        (**self).stats()
    }
}

/// What a query needs from a reader, so that it reads no more.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The stored fields that will be looked at; others may be left absent.
    pub fields: FieldSet,
    /// Columns without a field are wanted too.
    pub unknown_columns: bool,
    /// A filter that will be applied to the rows: a reader may leave out blocks and rows that do not match, never
    /// rows that could.
    pub filter: Option<Arc<Filter>>,
    /// NODATA and SKIPDATA rows of cloud logs are wanted as rows.
    pub status_rows: bool,
}

impl Default for ReadRequest {
    /// Everything, NODATA and SKIPDATA rows excepted.
    fn default() -> Self {
        Self { fields: FieldSet::all(), unknown_columns: true, filter: None, status_rows: false }
    }
}

impl ReadRequest {
    /// The filter, if a reader can ask it about rows that lack these fields, which they get later, and if that is worth it:
    /// all that it looks at has to be read.
    pub(crate) fn filter_of_rows(&self, later: FieldSet) -> Option<Arc<Filter>> {
        let read = self.fields.stored();
        let can_be_asked = |filter: &&Arc<Filter>| {
            let fields = filter.fields();
            let is_there = |field| read.contains(field) && !later.contains(field);
            !fields.is_empty() && fields.iter().all(is_there) && !filter.unknown_columns()
        };
        self.filter.as_ref().filter(can_be_asked).map(Arc::clone)
    }

    /// What rows get when inputs become one source.
    pub(crate) fn named_later() -> FieldSet {
        FieldSet::from([Field::Source, Field::Format])
    }
}

/// An account of what was read: every record, line and frame is in exactly one of these numbers.
#[derive(Debug, Clone, Default)]
pub struct SourceStats {
    /// Inputs opened.
    pub files: u64,
    /// Files of a folder that were passed over: hidden ones, those that nfdump's collectors are still writing, and texts
    /// named README, LICENSE or `*.md`.
    pub files_ignored: u64,
    /// Bytes read, before decompression.
    pub bytes: u64,
    /// Records: flows, NODATA and SKIPDATA rows.
    pub records: u64,
    /// Flows handed on, before any filter. Blocks skipped by their summary count with all their flows.
    pub flows: u64,
    /// Lines that name columns.
    pub header_lines: u64,
    /// Rows that say that an interface had no traffic.
    pub nodata: u64,
    /// Rows that say that records were lost.
    pub skipdata: u64,
    /// Lines or records that could not be used.
    pub bad_records: u64,
    /// Parts of nfdump files that are not understood and were left out, by what they are, the rest of their records
    /// being used; and entries of other logs among flow logs in JSON. Those of the first 100 kinds; all further ones are added up as `other`.
    pub unknown_parts: BTreeMap<String, u64>,
    /// Blocks of flow files that were read.
    pub blocks: u64,
    /// Blocks of flow files that were skipped because no row can match.
    pub blocks_skipped: u64,
    /// Frames of captures.
    pub frames: u64,
    /// Frames whose packet is in a flow.
    pub frames_used: u64,
    /// Frames that are in no flow, by reason.
    pub frames_skipped: BTreeMap<String, u64>,
    /// Frames that were used although something about them is odd, by what it is; one frame can be in several.
    pub frames_noted: BTreeMap<String, u64>,
    /// Flows that were ended early because too many were open.
    pub flows_evicted: u64,
    /// Records that were left out as copies of others: what [`Copies`](crate::Copies) found.
    pub copies: u64,
    /// Bytes of those.
    pub copies_bytes: u64,
    /// Packets of exporters that did not reach their collector, as nfdump files state where they are summed up
    /// ([`OpenOptions::totals`](crate::OpenOptions::totals)).
    pub sequence_failures: u64,
    /// Name of the recording, of the first file that has one; empty if none has. Known where flow files and nfdump
    /// files are summed up.
    pub ident: String,
    /// What went wrong, in the order of reading.
    pub problems: Problems,
    /// Files of folders that were not opened: their names say that nothing in them is inside the window
    /// ([`OpenOptions::window`](crate::OpenOptions::window)).
    pub files_outside_window: u64,
    /// The first of the rows that [`skipdata`](Self::skipdata) counts.
    pub lost: LostRecords,
    /// The flow logs and folders that were read: files, spans of time, slots without a file.
    pub origins: Origins,
    /// The time of flows of which a reader has left some out because the filter does not want them
    /// ([`ReadRequest::filter`]), where times are read.
    pub left_out: TimeSpan,
}

impl SourceStats {
    /// Adds the account of a further source.
    pub fn merge(&mut self, other: Self) {
        let sums = [
            (&mut self.files, other.files),
            (&mut self.files_ignored, other.files_ignored),
            (&mut self.bytes, other.bytes),
            (&mut self.records, other.records),
            (&mut self.flows, other.flows),
            (&mut self.header_lines, other.header_lines),
            (&mut self.nodata, other.nodata),
            (&mut self.skipdata, other.skipdata),
            (&mut self.bad_records, other.bad_records),
            (&mut self.blocks, other.blocks),
            (&mut self.blocks_skipped, other.blocks_skipped),
            (&mut self.frames, other.frames),
            (&mut self.frames_used, other.frames_used),
            (&mut self.flows_evicted, other.flows_evicted),
            (&mut self.sequence_failures, other.sequence_failures),
            (&mut self.copies, other.copies),
            (&mut self.copies_bytes, other.copies_bytes),
            (&mut self.files_outside_window, other.files_outside_window),
        ];
        sums.into_iter().for_each(|(sum, more)| *sum = sum.saturating_add(more));
        for (what, count) in other.unknown_parts {
            self.add_unknown_part(what, count);
        }
        if self.ident.is_empty() {
            self.ident = other.ident;
        }
        add_counts(&mut self.frames_skipped, other.frames_skipped);
        add_counts(&mut self.frames_noted, other.frames_noted);
        self.problems.merge(other.problems);
        self.lost.merge(other.lost);
        self.origins.merge(other.origins);
        self.left_out.widen(other.left_out);
    }

    /// Counts a row that says that records were lost, and keeps it if there is room.
    pub(crate) fn add_skipdata(&mut self, row: impl FnOnce() -> SkipData) {
        self.skipdata = self.skipdata.saturating_add(1);
        self.lost.push(row);
    }

    /// Counts parts of an nfdump file that are not understood.
    pub(crate) fn add_unknown_part(&mut self, what: String, count: u64) {
        let parts = &mut self.unknown_parts;
        let has_room = parts.len() < UNKNOWN_KINDS || parts.contains_key(&what);
        let sum = parts.entry(if has_room { what } else { OTHER_KINDS.to_owned() }).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Frames that are in no flow.
    pub fn skipped(&self) -> u64 {
        self.frames_skipped.values().sum()
    }
}

/// Kinds of parts that are counted by name; a file that means harm has thousands.
const UNKNOWN_KINDS: usize = 100;
/// Name of all others.
const OTHER_KINDS: &str = "other";

fn add_counts(counts: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (what, count) in more {
        *counts.entry(what).or_default() += count;
    }
}

/// Problems met while reading, all of them counted. Those about single records are kept in full for the first few of
/// each input, so that a file full of bad lines does not hide that another one is cut.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    kept: Vec<Arc<Error>>,
    /// Problems about records among those kept.
    records: usize,
    total: u64,
}

/// Problems about records that are kept in full, per input.
const KEPT_RECORDS: usize = 10;
/// Problems that are kept in full at all.
const KEPT: usize = 1000;

impl Problems {
    /// Notes a problem about a record of one input.
    pub fn push(&mut self, error: Error) {
        self.push_with(|| error);
    }

    /// Notes a problem about a record of one input, which is made only if it is kept.
    pub(crate) fn push_with(&mut self, error: impl FnOnce() -> Error) {
        if self.records < KEPT_RECORDS {
            self.kept.push(Arc::new(error()));
            self.records += 1;
        }
        self.total += 1;
    }

    /// Notes a problem about a whole input: it cannot be opened, or not be read to its end.
    pub fn push_input(&mut self, error: Error) {
        if self.kept.len() < KEPT {
            self.kept.push(Arc::new(error));
        }
        self.total += 1;
    }

    /// The problems kept in full.
    pub fn kept(&self) -> &[Arc<Error>] {
        &self.kept
    }

    /// Problems met, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether nothing went wrong.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Adds the problems of a further part of the same input.
    pub(crate) fn merge_part(&mut self, part: Self) {
        let (room, before) = (KEPT_RECORDS.saturating_sub(self.records), self.kept.len());
        self.kept.extend(part.kept.into_iter().take(room));
        self.records += self.kept.len() - before;
        self.total += part.total;
    }

    /// Adds the problems of a further input.
    pub fn merge(&mut self, other: Self) {
        let room = KEPT.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
        self.total += other.total;
    }

    /// Prints the problems kept, a line each that begins with the program's name, and how many more there were.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn report(&self, program: &str, out: &mut dyn Write) -> io::Result<()> {
        for error in &self.kept {
            writeln!(out, "{program}: {error}")?;
        }
        match self.total - self.kept.len() as u64 {
            0 => Ok(()),
            more => writeln!(out, "{program}: {more} more problems, of {} in all", self.total),
        }
    }
}

/// The flows of a source one by one: the comfortable way. The fast one is [`FlowSource::read_batch`].
///
/// ```no_run
/// let filter = flowcore::Filter::parse("dst port 443 and bytes > 1M")?;
/// for flow in flowcore::open("logs/2023-09-28.log.gz")?.filtered(&filter) {
///     let flow = flow?;
///     println!("{} {} bytes", flow.key.dst, flow.bytes());
/// }
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug)]
pub struct Flows<S> {
    source: S,
    filter: Option<Filter>,
    batch: FlowBatch,
    rows: std::vec::IntoIter<usize>,
    /// Numbers the records, where the filter asks for that.
    numbers: Option<RecordNumbers>,
    done: bool,
}

impl<S: FlowSource> Flows<S> {
    /// Iterates over the flows of `source`.
    pub fn new(source: S) -> Self {
        let (batch, rows) = (FlowBatch::new(), Vec::new().into_iter());
        Self { source, filter: None, batch, rows, numbers: None, done: false }
    }

    /// Only the flows that match.
    #[must_use]
    pub fn filtered(mut self, filter: &Filter) -> Self {
        self.numbers = filter.fields().contains(Field::RecordNumber).then(RecordNumbers::default);
        self.filter = Some(filter.clone());
        self
    }

    /// What has been read so far.
    pub fn stats(&self) -> SourceStats {
        self.source.stats()
    }

    fn refill(&mut self) -> Result<bool> {
        if self.done || !self.source.read_batch(&mut self.batch)? {
            self.done = true;
            return Ok(false);
        }
        if let Some(numbers) = &mut self.numbers {
            numbers.fill(&mut self.batch);
        }
        let rows: Vec<usize> = match &self.filter {
            Some(filter) => filter.select(&self.batch).rows().collect(),
            None => (0..self.batch.len()).collect(),
        };
        self.rows = rows.into_iter();
        Ok(true)
    }
}

impl<S: FlowSource> Iterator for Flows<S> {
    type Item = Result<Flow>;

    fn next(&mut self) -> Option<Result<Flow>> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(self.batch.flow(row)));
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_that_are_not_understood_are_named_up_to_a_hundred() {
        let mut stats = SourceStats::default();
        (0..500).for_each(|n| stats.add_unknown_part(format!("element {n:03}"), 2));
        stats.add_unknown_part("element 007".into(), u64::MAX);
        let mut all = SourceStats::default();
        all.merge(stats.clone());
        all.merge(SourceStats {
            unknown_parts: [("element 900".into(), 5)].into(),
            ..SourceStats::default()
        });
        for (stats, other) in [(stats, 800), (all, 805)] {
            let parts = &stats.unknown_parts;
            assert_eq!((parts.len(), parts["other"], parts["element 007"]), (101, other, u64::MAX));
            assert!(parts.contains_key("element 099") && !parts.contains_key("element 100"));
        }
    }
}
