//! Reads `.flow` files: the columns a query needs, of the blocks that can hold a match.

use std::io::{Read, Seek, SeekFrom};

use super::blocks::{Blocks, Next, Opening};
use super::index::Index;
use super::load::{Loaded, LoadedBlock, Projection};
use super::metadata::{BlockMetadata, FileHeader};
use super::seek::Indexed;
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
    blocks: Box<dyn Blocks>,
    request: ReadRequest,
    projection: Projection,
    filled_later: FieldSet,
    loaded: LoadedBlock,
    /// Rows of the loaded block that were handed on.
    handed_on: usize,
    stats: SourceStats,
}

impl FlowFileReader {
    /// Reads from anything, block after block; `name` is for messages.
    ///
    /// # Errors
    /// When the input is no `.flow` file, is one of a later version, or cannot be read.
    pub fn open(mut input: Box<dyn Read + Send>, name: &str, request: &ReadRequest) -> Result<Self> {
        let opening = Opening::read(&mut input).map_err(|error| error.in_input(name))?;
        let walk = Walk::new(input, opening.len);
        Ok(Self::new(opening, Box::new(walk), name, request))
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
        let blocks: Box<dyn Blocks> = match index {
            Some(index) => Box::new(Indexed::new(file, index)),
            None => Box::new(Walk::new(file, opening.len)),
        };
        Ok(Self::new(opening, blocks, name, request))
    }

    fn new(opening: Opening, blocks: Box<dyn Blocks>, name: &str, request: &ReadRequest) -> Self {
        let Opening { header, problem, .. } = opening;
        let filled_later = filled_later(&header);
        let mut reader = Self {
            name: name.to_owned(),
            header,
            blocks,
            projection: Projection::new(request.fields, request.unknown_columns),
            request: request.clone(),
            filled_later,
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

    /// Loads the next block that can hold a match; `false` if there is none.
    fn next_block(&mut self) -> Result<bool> {
        loop {
            match self.blocks.next()? {
                Next::End => return Ok(false),
                Next::Problem { error, rows } => {
                    self.stats.bad_records += rows;
                    self.note(error);
                }
                Next::Block { block, .. } if !self.may_match(&block) => self.skip(&block)?,
                Next::Block { number, block } => {
                    if self.load(number, &block)? {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn may_match(&self, block: &BlockMetadata) -> bool {
        may_match(block, self.filled_later, &self.request)
    }

    fn skip(&mut self, block: &BlockMetadata) -> Result<()> {
        if self.blocks.leave()? {
            self.stats.blocks_skipped += 1;
            self.count_rows(block.rows.into());
        }
        Ok(())
    }

    /// Loads a block; `false` if it cannot be used.
    fn load(&mut self, number: u32, block: &BlockMetadata) -> Result<bool> {
        let mut problems = Vec::new();
        let loaded = self.loaded.load(block, &mut *self.blocks, &mut self.projection, &mut problems)?;
        problems.into_iter().for_each(|error| self.note(error));
        self.handed_on = 0;
        match loaded {
            Loaded::Whole => {
                self.stats.blocks += 1;
                return Ok(true);
            }
            Loaded::Cut => {}
            Loaded::Damaged(error) => {
                self.stats.bad_records += u64::from(block.rows);
                self.note(error.at(Position::Block(number.into())));
            }
        }
        Ok(false)
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
        if self.handed_on == self.loaded.rows()
            && !self.next_block().map_err(|e| e.in_input(self.name.as_str()))?
        {
            batch.clear();
            return Ok(false);
        }
        let rows = self.handed_on..self.loaded.rows().min(self.handed_on + BATCH_ROWS);
        self.handed_on = rows.end;
        self.count_rows(rows.len() as u64);
        self.loaded.fill(rows, batch);
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
    use crate::format::flow::{FlowFileWriter, WriterOptions};
    use std::io::Cursor;

    #[test]
    fn a_skipped_block_counts_with_all_its_rows() {
        let mut batch = FlowBatch::new();
        for n in 0..30 {
            batch.set_number(Field::InBytes, n);
            batch.end_row();
        }
        let options = WriterOptions { block_rows: 10, ..WriterOptions::default() };
        let mut writer = FlowFileWriter::new(Vec::new(), &options).unwrap();
        writer.write_batch(&batch).unwrap();
        let file = writer.finish().unwrap();
        let request = ReadRequest::default();
        let stream = FlowFileReader::open(Box::new(Cursor::new(file.clone())), "a", &request).unwrap();
        let seek = FlowFileReader::open_file(Cursor::new(file), "a", &request).unwrap();
        for mut reader in [stream, seek] {
            let Next::Block { block, .. } = reader.blocks.next().unwrap() else { panic!("no block") };
            reader.skip(&block).unwrap();
            assert!(reader.read_batch(&mut batch).unwrap());
            assert_eq!(batch.number(Field::InBytes, 0), Some(10));
            assert!(reader.read_batch(&mut batch).unwrap() && !reader.read_batch(&mut batch).unwrap());
            let stats = reader.stats();
            assert_eq!((stats.blocks, stats.blocks_skipped, stats.flows, stats.records), (2, 1, 30, 30));
            assert!(stats.problems.is_empty());
        }
    }
}
