//! Writes nfdump files: header, blocks of flow records, and at the end the name of the recording and its statistics.
//!
//! Layout version 2 as nfdump 1.7.1 and 1.7.8 read it: blocks of at most 1 MiB, every one of them compressed.

use std::io::{Seek, SeekFrom, Write};

use super::codec::Compressor;
use super::encode::{MAX_RECORD, RecordEncoder};
use super::ident::FileIdent;
use super::options::{BlockCompression, Creator, NfdumpOptions};
use super::{Dropped, statistics};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::record::{Field, FieldSet};
use crate::status_rows;
use crate::totals::Totals;

/// Writes an nfdump file. Its header is completed at the end, so the output must be able to seek.
///
/// The bytes depend on rows and options only: the time of creation in the header is that of the last flow. What the
/// format has no place for is left out and noted in [`dropped`](Self::dropped).
///
/// ```
/// use std::io::Cursor;
/// use flowcore::format::nfdump::{NfdumpOptions, NfdumpWriter};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_number(Field::Protocol, 6);
/// batch.set_number(Field::DstPort, 443);
/// batch.set_text(Field::Action, "REJECT");
/// batch.end_row();
/// let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &NfdumpOptions::default())?;
/// writer.write_batch(&batch)?;
/// assert_eq!(writer.dropped().to_string(), "nfdump files have no place for action; .flow files keep them");
/// let file = writer.finish()?.into_inner();
/// assert!(flowcore::format::nfdump::has_magic(&file));
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct NfdumpWriter<W: Write + Seek> {
    blocks: BlockWriter<W>,
    /// Whether elements are written that nfdump 1.7.1 does not read.
    newer: bool,
    creator: Creator,
    ident: FileIdent,
    totals: Totals,
    dropped: Dropped,
}

impl<W: Write + Seek> NfdumpWriter<W> {
    /// Starts a file at the output's beginning.
    ///
    /// # Errors
    /// When the output cannot be written or cannot seek, or an option is out of its range.
    pub fn new(out: W, options: &NfdumpOptions) -> Result<Self> {
        Ok(Self {
            ident: FileIdent::new(&options.ident)?,
            blocks: BlockWriter::new(out, Compressor::new(options.compression)?)?,
            newer: matches!(options.compression, BlockCompression::Zstd(_)),
            creator: options.creator,
            totals: Totals::default(),
            dropped: Dropped::default(),
        })
    }

    /// Adds the rows of a batch. NODATA and SKIPDATA rows of cloud logs are no flows and are left out.
    ///
    /// # Errors
    /// When the output cannot be written. The file is of no use then.
    pub fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        let encoder = RecordEncoder::new(batch, self.newer);
        self.note_columns(batch, encoder.fields());
        self.totals.add(batch);
        let has_status = batch.column(Field::LogStatus).is_some();
        for row in 0..batch.len() {
            if has_status && status_rows::label(batch, row).is_some() {
                self.dropped.status_rows += 1;
                continue;
            }
            encoder.encode(row, self.blocks.start_record()?, &mut self.dropped.fields);
        }
        Ok(())
    }

    /// What the file has no place for, so far.
    pub fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    /// Completes the file and returns the output, flushed.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> Result<W> {
        self.blocks.end_block()?;
        let counters = statistics::counters(&self.totals);
        let header = FileHeader {
            created: self.totals.last().map_or(0, |last| last.as_secs()),
            method: self.blocks.compressor.method(),
            creator: self.creator,
            appendix: self.blocks.offset,
            blocks: self.blocks.count,
        };
        self.blocks.write_appendix(self.ident.name(), &counters)?;
        self.blocks.finish(&header)
    }

    /// Notes the columns that have no place in any record.
    fn note_columns(&mut self, batch: &FlowBatch, placed: FieldSet) {
        let kept =
            placed.union(FieldSet::from([Field::Source, Field::Format, Field::Ident, Field::RecordNumber]));
        let lost = batch.fields().iter().filter(|&field| !kept.contains(field));
        self.dropped.fields = self.dropped.fields.union(lost.collect());
        if !self.ident.add(batch) {
            self.dropped.fields.insert(Field::Ident);
        }
        for (name, _) in batch.unknown() {
            if !self.dropped.columns.contains(name) {
                self.dropped.columns.insert(name.clone());
            }
        }
    }
}

impl<W: Write + Seek> std::fmt::Debug for NfdumpWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NfdumpWriter").field("offset", &self.blocks.offset).finish_non_exhaustive()
    }
}

/// Collects records into blocks and puts them into the output.
struct BlockWriter<W> {
    out: W,
    /// Bytes written.
    offset: u64,
    /// Blocks of flow records written.
    count: u32,
    compressor: Compressor,
    records: u32,
    block: Vec<u8>,
    compressed: Vec<u8>,
}

impl<W: Write + Seek> BlockWriter<W> {
    fn new(mut out: W, compressor: Compressor) -> Result<Self> {
        out.seek(SeekFrom::Start(0)).map_err(|_| {
            Error::argument("an nfdump file cannot go to a pipe, as its header is written last; name a file")
        })?;
        out.write_all(&[0; FILE_HEADER])?;
        Ok(Self {
            out,
            offset: FILE_HEADER as u64,
            count: 0,
            compressor,
            records: 0,
            block: Vec::with_capacity(BLOCK),
            compressed: Vec::new(),
        })
    }

    /// The block that takes the next record.
    fn start_record(&mut self) -> Result<&mut Vec<u8>> {
        if self.block.len() + MAX_RECORD > BLOCK {
            self.end_block()?;
        }
        self.records += 1;
        Ok(&mut self.block)
    }

    fn end_block(&mut self) -> Result<()> {
        if self.records > 0 {
            self.write_block()?;
            self.count = self.count.checked_add(1).ok_or_else(|| {
                Error::unsupported("the file holds as many blocks as the format can; start another one")
            })?;
        }
        Ok(())
    }

    fn write_block(&mut self) -> Result<()> {
        self.compressed.clear();
        self.compressor.compress(&self.block, &mut self.compressed)?;
        let size = u32::try_from(self.compressed.len())
            .map_err(|_| Error::unsupported("a block is too large for an nfdump file"))?;
        let mut header = Vec::with_capacity(BLOCK_HEADER);
        header.extend_from_slice(&self.records.to_le_bytes());
        header.extend_from_slice(&size.to_le_bytes());
        header.extend_from_slice(&BLOCK_OF_RECORDS.to_le_bytes());
        header.extend_from_slice(&[0; 2]);
        self.out.write_all(&header)?;
        self.out.write_all(&self.compressed)?;
        self.offset += (BLOCK_HEADER + self.compressed.len()) as u64;
        self.block.clear();
        self.records = 0;
        Ok(())
    }

    /// Writes the block behind the flows, which is not counted.
    fn write_appendix(&mut self, ident: &str, counters: &[u64]) -> Result<()> {
        let mut name = ident.as_bytes().to_vec();
        name.push(0);
        name.resize(name.len().next_multiple_of(2), 0);
        let counters: Vec<u8> = counters.iter().flat_map(|counter| counter.to_le_bytes()).collect();
        for (kind, data) in [(IDENT_RECORD, &name), (STATISTICS_RECORD, &counters)] {
            let size = u16::try_from(4 + data.len()).unwrap_or(u16::MAX);
            let block = self.start_record()?;
            block.extend_from_slice(&kind.to_le_bytes());
            block.extend_from_slice(&size.to_le_bytes());
            block.extend_from_slice(data);
        }
        self.write_block()
    }

    fn finish(mut self, header: &FileHeader) -> Result<W> {
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(&header.bytes())?;
        self.out.seek(SeekFrom::Start(self.offset))?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// What the header says that is not the same in every file.
struct FileHeader {
    /// Seconds since 1970.
    created: i64,
    method: u8,
    creator: Creator,
    /// Offset of the appendix.
    appendix: u64,
    blocks: u32,
}

impl FileHeader {
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FILE_HEADER);
        out.extend_from_slice(&MAGIC.to_le_bytes());
        out.extend_from_slice(&LAYOUT.to_le_bytes());
        out.extend_from_slice(&WRITER_VERSION.to_le_bytes());
        out.extend_from_slice(&self.created.to_le_bytes());
        let encryption = 0;
        out.extend_from_slice(&[self.method, encryption]);
        let appendix_blocks = 1_u16;
        out.extend_from_slice(&appendix_blocks.to_le_bytes());
        out.extend_from_slice(&(self.creator as u32).to_le_bytes());
        out.extend_from_slice(&self.appendix.to_le_bytes());
        let block_size = 0_u32;
        out.extend_from_slice(&block_size.to_le_bytes());
        out.extend_from_slice(&self.blocks.to_le_bytes());
        out
    }
}

const MAGIC: u16 = 0xa50c;
const LAYOUT: u16 = 2;
/// nfdump 1.7.1: readers that look at it know how to read what is written here.
const WRITER_VERSION: u32 = 0x0107_0100;
const FILE_HEADER: usize = 40;
const BLOCK_HEADER: usize = 12;
/// Type of a block of records that each have a header.
const BLOCK_OF_RECORDS: u16 = 3;
const IDENT_RECORD: u16 = 0x8001;
const STATISTICS_RECORD: u16 = 0x8002;
/// Most bytes of a block before compression: nfdump 1.7.1's own.
const BLOCK: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;
    use crate::record::Timestamp;

    fn batch(rows: std::ops::Range<u64>) -> FlowBatch {
        let mut batch = FlowBatch::new();
        for n in rows {
            batch.set_number(Field::InBytes, n);
            batch.set_time(Field::Last, Timestamp::from_secs(1_700_000_000));
            batch.set_text(Field::Ident, "router");
            batch.end_row();
        }
        batch
    }

    fn write(batches: &[FlowBatch]) -> Vec<u8> {
        let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &NfdumpOptions::default()).unwrap();
        batches.iter().for_each(|batch| writer.write_batch(batch).unwrap());
        assert!(writer.dropped().is_empty());
        let out = writer.finish().unwrap();
        assert_eq!(out.position(), out.get_ref().len() as u64, "the output stands at its end");
        out.into_inner()
    }

    #[test]
    fn the_bytes_do_not_depend_on_how_rows_come_in_batches() {
        let whole = write(&[batch(0..50_000)]);
        assert_eq!(write(&[batch(0..1), batch(1..1), batch(1..40_000), batch(40_000..50_000)]), whole);
        assert_eq!(whole[8..16], 1_700_000_000_u64.to_le_bytes());
        assert!(whole[36] > 2, "blocks");
    }

    #[test]
    fn rows_that_are_no_flows_are_left_out_and_counted() {
        let mut batch = batch(0..1);
        batch.set_text(Field::LogStatus, "NODATA");
        batch.end_row();
        let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &NfdumpOptions::default()).unwrap();
        writer.write_batch(&batch).unwrap();
        assert_eq!(writer.dropped().status_rows, 1);
        assert_eq!(writer.blocks.records, 1);
        assert_eq!(writer.totals.protocols().map(|sums| sums.flows).sum::<u64>(), 1);
    }

    #[test]
    fn an_output_that_cannot_seek_is_refused_before_anything_is_written() {
        struct Pipe(Vec<u8>);
        impl Write for Pipe {
            fn write(&mut self, data: &[u8]) -> io::Result<usize> {
                self.0.write(data)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Seek for Pipe {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Err(io::ErrorKind::NotSeekable.into())
            }
        }
        let error = NfdumpWriter::new(Pipe(Vec::new()), &NfdumpOptions::default()).unwrap_err();
        assert!(error.to_string().contains("pipe"), "{error}");
    }
}
