//! Reads `.flow` files: the columns a query needs, of the blocks that can hold a match.

use std::collections::HashSet;
use std::io::{Read, Seek, SeekFrom};

use super::ahead::{Ahead, Event, became_shorter};
use super::blocks::{Blocks, Next, Opening};
use super::index::Index;
use super::load::{Loaded, LoadedBlock, Projection};
use super::metadata::{BlockMetadata, FileHeader};
use super::seek::Indexed;
use super::unpack::{Account, ReadSeek, Task};
use super::walk::Walk;
use super::zone::BlockZones;
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::record::{Field, FieldSet};
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// A `.flow` file being read.
///
/// A block that is cut or damaged is left out and noted in the [`stats`](FlowSource::stats); every other row is
/// handed on. The name in the file's header becomes the `ident` of rows that have none.
pub struct FlowFileReader {
    name: String,
    header: FileHeader,
    source: Source,
    request: ReadRequest,
    projection: Projection,
    filled_later: FieldSet,
    /// Names of columns that were found to be unreadable, each of which is told once.
    told: HashSet<String>,
    loaded: LoadedBlock,
    /// Rows of the loaded block that were handed on.
    handed_on: usize,
    stats: SourceStats,
}

/// Where blocks come from.
enum Source {
    /// One after the other, unpacked here: streams, and files of a single block, which are not worth a thread.
    InOrder(Box<dyn Blocks>),
    /// A file with an index of which nothing has been asked for yet.
    Unread(Box<(Box<dyn ReadSeek>, Index)>),
    /// The same, unpacked by threads.
    Ahead(Box<Ahead>),
}

impl FlowFileReader {
    /// Reads from anything, block after block; `name` is for messages.
    ///
    /// # Errors
    /// When the input is no `.flow` file, is one of a later version, or cannot be read.
    pub fn open(mut input: Box<dyn Read + Send>, name: &str, request: &ReadRequest) -> Result<Self> {
        let opening = Opening::read(&mut input).map_err(|error| error.in_input(name))?;
        let walk = Walk::new(input, opening.len);
        Ok(Self::new(opening, Source::InOrder(Box::new(walk)), name, request))
    }

    /// The name given to the recording; empty if there is none.
    pub fn ident(&self) -> &str {
        self.header.attribute(FileHeader::IDENT)
    }

    /// The program that wrote the file; empty if the file does not say.
    pub fn creator(&self) -> &str {
        self.header.attribute(FileHeader::CREATOR)
    }

    pub(super) fn header(&self) -> &FileHeader {
        &self.header
    }

    /// Reads from a file, or anything else that can be read from any place: with the help of its index if it has
    /// one, block after block if not.
    ///
    /// # Errors
    /// When the file is no `.flow` file, is one of a later version, or cannot be read.
    pub fn open_file(
        mut file: impl Read + Seek + Send + 'static,
        name: &str,
        request: &ReadRequest,
    ) -> Result<Self> {
        let (opening, index) = open_indexed(&mut file).map_err(|error| error.in_input(name))?;
        let source = match index {
            Some(index) if index.blocks.len() > 1 => Source::Unread(Box::new((Box::new(file), index))),
            Some(index) => Source::InOrder(Box::new(Indexed::new(file, index))),
            None => Source::InOrder(Box::new(Walk::new(file, opening.len))),
        };
        Ok(Self::new(opening, source, name, request))
    }

    fn new(opening: Opening, source: Source, name: &str, request: &ReadRequest) -> Self {
        let Opening { header, problem, .. } = opening;
        let filled_later = filled_later(&header);
        let mut reader = Self {
            name: name.to_owned(),
            header,
            source,
            projection: Projection::new(request.fields, request.unknown_columns),
            request: request.clone(),
            filled_later,
            told: HashSet::new(),
            loaded: LoadedBlock::default(),
            handed_on: 0,
            stats: SourceStats::default(),
        };
        problem.into_iter().for_each(|error| reader.note(error));
        reader
    }

    /// Reads these fields too from blocks whose rows say who wrote them, as those of cloud logs do.
    pub(crate) fn fields_of_logs(mut self, fields: FieldSet) -> Self {
        self.projection.of_logs = fields.stored();
        self
    }

    /// Tells rows that are no flows apart, with what they say.
    pub(crate) fn tell_status_rows(mut self) -> Self {
        self.projection.tell_status = true;
        self
    }

    /// Replaces the rows of a batch by the next ones; `false` if there are none.
    fn next_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        if let Source::Unread(unread) = &mut self.source {
            let nothing: Box<dyn ReadSeek> = Box::new(std::io::empty());
            let (file, index) = std::mem::replace(&mut **unread, (nothing, Index::default()));
            let task = Task::new(file, &self.projection, &self.request, self.filled_later);
            self.source = Source::Ahead(Box::new(Ahead::new(task, index)?));
        }
        match self.source {
            Source::Ahead(_) => self.take_unpacked(batch),
            _ => self.unpack_here(batch),
        }
    }

    /// Takes the next batch that a thread has made.
    fn take_unpacked(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        loop {
            let Source::Ahead(ahead) = &mut self.source else { return Ok(false) };
            let next = ahead.next(|block| may_match(block, self.filled_later, &self.request))?;
            match next {
                None => return Ok(false),
                Some(Event::Skipped(rows)) => {
                    self.stats.blocks_skipped += 1;
                    self.count_rows(rows);
                }
                Some(Event::Batch { batch: next, flows, is_first }) => {
                    ahead.give_back(std::mem::replace(batch, next));
                    self.stats.blocks += u64::from(is_first);
                    self.count_rows(flows);
                    return Ok(true);
                }
                Some(Event::End { number, account, is_first }) => {
                    self.close_block(number, *account, is_first)?
                }
            }
        }
    }

    /// Takes the account of a block that a thread has unpacked; it had no batch if `is_first`.
    fn close_block(&mut self, number: u32, account: Account, is_first: bool) -> Result<()> {
        self.note_unreadable(account.unreadable);
        self.stats.left_out.widen(account.left_out);
        match account.end? {
            Loaded::Whole => {
                self.stats.blocks += u64::from(is_first);
                self.count_rows(account.flows);
            }
            Loaded::Damaged(error) => self.note_damage(number, account.rows, error),
            Loaded::Cut => {
                self.note(became_shorter());
                if let Source::Ahead(ahead) = &mut self.source {
                    ahead.stop();
                }
            }
        }
        Ok(())
    }

    /// Takes the next rows of the block that is loaded, or of the next one.
    fn unpack_here(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        if self.handed_on == self.loaded.rows() && !self.next_block()? {
            return Ok(false);
        }
        let rows = self.handed_on..self.loaded.rows().min(self.handed_on + BATCH_ROWS);
        self.handed_on = rows.end;
        self.count_rows(rows.len() as u64);
        self.loaded.fill(rows, None, batch);
        Ok(true)
    }

    /// Loads the next block that can hold a match; `false` if there is none.
    fn next_block(&mut self) -> Result<bool> {
        loop {
            let Source::InOrder(blocks) = &mut self.source else { return Ok(false) };
            match blocks.next()? {
                Next::End => return Ok(false),
                Next::Problem { error, rows } => {
                    self.stats.bad_records += rows;
                    self.note(error);
                }
                Next::Block { number, block } => {
                    if may_match(&block, self.filled_later, &self.request) {
                        if self.load(number, &block)? {
                            return Ok(true);
                        }
                    } else if blocks.leave()? {
                        self.stats.blocks_skipped += 1;
                        self.count_rows(block.rows.into());
                    }
                }
            }
        }
    }

    /// Loads a block; `false` if it cannot be used.
    fn load(&mut self, number: u32, block: &BlockMetadata) -> Result<bool> {
        let Source::InOrder(blocks) = &mut self.source else { return Ok(false) };
        let plan = self.projection.plan(block);
        self.loaded.clear();
        self.handed_on = 0;
        let loaded = self.loaded.load(block, &plan, None, &mut |at, len, into| blocks.read(at, len, into))?;
        let loaded = if blocks.leave()? { loaded } else { Loaded::Cut };
        self.note_unreadable(plan.unreadable);
        match loaded {
            Loaded::Whole => {
                self.stats.blocks += 1;
                return Ok(true);
            }
            Loaded::Cut => {}
            Loaded::Damaged(error) => self.note_damage(number, block.rows.into(), error),
        }
        self.loaded.clear();
        Ok(false)
    }

    fn note_unreadable(&mut self, columns: Vec<(String, Error)>) {
        for (name, error) in columns {
            if self.told.insert(name) {
                self.note(error);
            }
        }
    }

    fn note_damage(&mut self, number: u32, rows: u64, error: Error) {
        self.stats.bad_records += rows;
        self.note(error.at(Position::Block(number.into())));
    }

    fn count_rows(&mut self, rows: u64) {
        self.stats.records += rows;
        self.stats.flows += rows;
    }

    fn note(&mut self, error: Error) {
        self.stats.problems.push(error.in_input(self.name.as_str()));
    }
}

impl FlowSource for FlowFileReader {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        if !self.next_batch(batch).map_err(|e| e.in_input(self.name.as_str()))? {
            batch.clear();
            return Ok(false);
        }
        let ident = self.header.attribute(FileHeader::IDENT);
        if !ident.is_empty() && self.projection.fields.contains(Field::Ident) {
            batch.fill_text(Field::Ident, ident);
        }
        Ok(true)
    }

    fn stats(&self) -> SourceStats {
        self.stats.clone()
    }
}

/// The fields that are not in the blocks but filled in when they are read.
pub(super) fn filled_later(header: &FileHeader) -> FieldSet {
    let mut fields = FieldSet::from([Field::Source, Field::Format]);
    if !header.attribute(FileHeader::IDENT).is_empty() {
        fields.insert(Field::Ident);
    }
    fields
}

/// Whether a block can hold a row that the request asks for.
pub(super) fn may_match(block: &BlockMetadata, filled_later: FieldSet, request: &ReadRequest) -> bool {
    let zones = BlockZones { block, filled_later };
    request.filter.as_ref().is_none_or(|filter| filter.may_match(&zones))
}

/// Batches start at whole words of presence bits.
const _: () = assert!(BATCH_ROWS.is_multiple_of(64));

/// The start of a file, and its index if it has one that is sound; if not, the file stands at the first block.
pub(super) fn open_indexed(file: &mut (impl Read + Seek)) -> Result<(Opening, Option<Index>)> {
    file.seek(SeekFrom::Start(0))?;
    let opening = Opening::read(file)?;
    match Index::read(file) {
        Ok(index) => return Ok((opening, Some(index))),
        Err(error) => match error.kind() {
            ErrorKind::Io(io) if io.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error),
            _ => {}
        },
    }
    file.seek(SeekFrom::Start(opening.len))?;
    Ok((opening, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::Filter;
    use crate::format::flow::{FlowFileWriter, WriterOptions};
    use crate::record::{Addr, Timestamp};
    use std::io::Cursor;
    use std::sync::Arc;

    #[test]
    fn a_skipped_block_counts_with_all_its_rows() {
        let mut batch = FlowBatch::new();
        for n in 0..30 {
            batch.set_number(Field::SrcPort, n);
            batch.end_row();
        }
        let options = WriterOptions { block_rows: 10, ..WriterOptions::default() };
        let mut writer = FlowFileWriter::new(Vec::new(), &options).unwrap();
        writer.write_batch(&batch).unwrap();
        let file = writer.finish().unwrap();
        let filter = Some(Arc::new(Filter::parse("src port > 9").unwrap()));
        let request = ReadRequest { filter, ..ReadRequest::default() };
        let stream = FlowFileReader::open(Box::new(Cursor::new(file.clone())), "a", &request).unwrap();
        let seek = FlowFileReader::open_file(Cursor::new(file), "a", &request).unwrap();
        for mut reader in [stream, seek] {
            assert!(reader.read_batch(&mut batch).unwrap());
            assert_eq!(batch.number(Field::SrcPort, 0), Some(10));
            assert!(reader.read_batch(&mut batch).unwrap() && !reader.read_batch(&mut batch).unwrap());
            let stats = reader.stats();
            assert_eq!((stats.blocks, stats.blocks_skipped, stats.flows, stats.records), (2, 1, 30, 30));
            assert!(stats.problems.is_empty());
        }
    }

    /// Rows of every kind that filters ask for, in blocks of 20,000.
    fn file() -> Vec<u8> {
        let mut batch = FlowBatch::new();
        for n in 0..70_000_u32 {
            let v6 = n % 7 == 0;
            let addr =
                if v6 { Addr::V6(u128::from(n % 50).into()) } else { Addr::V4((n * 7919 % 1000).into()) };
            batch.set_addr(Field::SrcAddr, if n % 11 == 0 { Addr::Unknown } else { addr });
            batch.set_addr(Field::DstAddr, Addr::V4((n / 10_000).into()));
            if n % 3 != 0 {
                batch.set_number(Field::DstPort, u64::from(n * 31 % 5000));
            }
            batch.set_number(Field::InBytes, u64::from(n) * 1000);
            batch.set_time(Field::First, Timestamp::from_nanos(i64::from(n / 9) * 1_000_000));
            batch.set_time(
                Field::Last,
                Timestamp::from_nanos(i64::from(n / 9) * 1_000_000 + i64::from(n % 5)),
            );
            batch.set_text(Field::Action, ["ACCEPT", "REJECT", ""][n as usize % 3]);
            batch.end_row();
        }
        let options = WriterOptions { block_rows: 20_000, ..WriterOptions::default() };
        let mut writer = FlowFileWriter::new(Vec::new(), &options).unwrap();
        writer.write_batch(&batch).unwrap();
        writer.finish().unwrap()
    }

    /// The rows that match, each as text, and the account.
    fn matching(mut reader: FlowFileReader, filter: &Filter) -> (Vec<String>, SourceStats) {
        let (mut batch, mut rows) = (FlowBatch::new(), Vec::new());
        while reader.read_batch(&mut batch).unwrap() {
            let chosen = filter.select(&batch);
            rows.extend(chosen.rows().map(|row| format!("{:?}", batch.flow(row))));
        }
        (rows, reader.stats())
    }

    #[test]
    fn rows_chosen_ahead_are_those_that_match() {
        let file = file();
        let mut left_out = 0;
        for text in [
            "src ip 0.0.0.77 and dst port 331",
            "src ip ::3",
            "not src ip ::3 and dst port < 100",
            "dst ip 0.0.0.3 and bytes > 30k",
            "action reject or dst port 17",
            "action accept and duration > 0",
            "src ip 9.9.9.9",
            "any",
        ] {
            let filter = Filter::parse(text).unwrap();
            let request = ReadRequest { filter: Some(Arc::new(filter.clone())), ..ReadRequest::default() };
            let stream = FlowFileReader::open(Box::new(Cursor::new(file.clone())), "a", &request).unwrap();
            let seek = FlowFileReader::open_file(Cursor::new(file.clone()), "a", &request).unwrap();
            let (expected, account) = matching(stream, &filter);
            let (rows, stats) = matching(seek, &filter);
            assert!(rows == expected, "{text}: {} rows instead of {}", rows.len(), expected.len());
            let counts =
                |stats: &SourceStats| (stats.blocks, stats.blocks_skipped, stats.records, stats.flows);
            assert_eq!(counts(&stats), counts(&account), "{text}");
            left_out += usize::from(stats.left_out != account.left_out);
        }
        assert!(left_out > 5, "rows were left out");
    }
}
