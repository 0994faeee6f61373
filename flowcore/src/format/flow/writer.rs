//! Writes `.flow` files to anything that takes bytes, block after block, index and trailer at the end.

use std::io::Write;

use super::block::{BlockEncoder, EncodedBlock};
use super::chunk::{BlockCompression, Compressor};
use super::index::{Index, IndexEntry};
use super::layout::{BLOCK_TEXT_BYTES, MAX_HEADER, MAX_INDEX, MAX_ROWS, Start, VERSION};
use super::metadata::FileHeader;
use super::totals::StoredTotals;
use crate::batch::{FlowBatch, Mask};
use crate::codec;
use crate::error::{Error, Result};
use crate::totals::Totals;

/// How a `.flow` file is written.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// Compression of the columns.
    pub compression: BlockCompression,
    /// Name given to the recording, kept in the header; empty for none.
    pub ident: String,
    /// Program that writes, kept in the header.
    pub creator: String,
    /// Most rows of a block, 1 to 65,536. Smaller blocks can be skipped more exactly, larger ones are read faster.
    /// Texts of more than 16 MiB end a block before, so that memory does not depend on what a row holds.
    pub block_rows: usize,
}

impl Default for WriterOptions {
    /// LZ4, no name, blocks of 65,536 rows.
    fn default() -> Self {
        Self {
            compression: BlockCompression::default(),
            ident: String::new(),
            creator: concat!("flowcore ", env!("CARGO_PKG_VERSION")).to_owned(),
            block_rows: MAX_ROWS,
        }
    }
}

/// Writes a `.flow` file. The bytes depend on rows and options only, not on how the rows come in batches.
///
/// A file whose writer is dropped without [`finish`](Self::finish) has no index; its blocks can be read.
///
/// ```
/// use flowcore::format::flow::{FlowFileReader, FlowFileWriter, WriterOptions};
/// use flowcore::{Field, FlowBatch, FlowSource, ReadRequest};
/// let mut batch = FlowBatch::new();
/// batch.set_number(Field::DstPort, 443);
/// batch.end_row();
/// let mut writer = FlowFileWriter::new(Vec::new(), &WriterOptions::default())?;
/// writer.write_batch(&batch)?;
/// let file = writer.finish()?;
///
/// let input = Box::new(std::io::Cursor::new(file));
/// let mut reader = FlowFileReader::open(input, "example.flow", &ReadRequest::default())?;
/// assert!(reader.read_batch(&mut batch)?);
/// assert_eq!(batch.number(Field::DstPort, 0), Some(443));
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct FlowFileWriter<W: Write> {
    out: W,
    offset: u64,
    pending: FlowBatch,
    block_rows: usize,
    encoder: BlockEncoder,
    index: Index,
    index_len: usize,
    totals: Totals,
}

impl<W: Write> FlowFileWriter<W> {
    /// Starts a file: the header is written at once.
    ///
    /// # Errors
    /// When the output cannot be written, an option is out of its range, or a text of the header is too long.
    pub fn new(mut out: W, options: &WriterOptions) -> Result<Self> {
        if !(1..=MAX_ROWS).contains(&options.block_rows) {
            return Err(Error::argument(format!(
                "blocks of {} rows; use 1 to {MAX_ROWS}",
                options.block_rows
            )));
        }
        let compressor = Compressor::new(options.compression)?;
        let header = header_bytes(options)?;
        out.write_all(&header)?;
        Ok(Self {
            out,
            offset: header.len() as u64,
            pending: FlowBatch::new(),
            block_rows: options.block_rows,
            encoder: BlockEncoder::new(compressor),
            index: Index::default(),
            index_len: 0,
            totals: Totals::default(),
        })
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When the output cannot be written, or a row is too large for the format. The file is of no use then.
    pub fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        let mut from = 0;
        while from < batch.len() {
            let to = batch.len().min(from + self.block_rows - self.pending.len());
            // A row with longer texts than that has a block of its own.
            let at_least = usize::from(self.pending.is_empty());
            let rows = self.pending.rows_that_fit(batch, from..to, BLOCK_TEXT_BYTES).max(at_least);
            self.pending.append(batch, &range_mask(batch.len(), from..from + rows));
            from += rows;
            if self.pending.len() == self.block_rows || from < to {
                self.write_pending()?;
            }
        }
        Ok(())
    }

    /// Adds the rows of a batch and leaves none in it. What fills a block is not copied, which is faster.
    ///
    /// # Errors
    /// As [`write_batch`](Self::write_batch).
    pub fn take_batch(&mut self, batch: &mut FlowBatch) -> Result<()> {
        let has_room = self.pending.is_empty() && batch.text_bytes() <= BLOCK_TEXT_BYTES;
        let written = match has_room && batch.len() == self.block_rows && batch.is_compact() {
            true => self.write_rows(batch),
            false => self.write_batch(batch),
        };
        batch.clear();
        written
    }

    /// Completes the file and returns the output, flushed.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> Result<W> {
        self.write_pending()?;
        self.index.totals = StoredTotals::from(&self.totals);
        let end = self.index.write(self.offset)?;
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write_pending(&mut self) -> Result<()> {
        let mut rows = std::mem::take(&mut self.pending);
        let written = self.write_rows(&mut rows);
        rows.clear();
        self.pending = rows;
        written
    }

    /// Writes rows as a block, or as several where their columns are too long for one.
    fn write_rows(&mut self, rows: &mut FlowBatch) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        rows.pad();
        let number = u32::try_from(self.index.blocks.len()).unwrap_or(u32::MAX).saturating_add(1);
        if let Some(block) = self.encoder.encode(number, rows)? {
            self.totals.add(rows);
            return self.write_block(block);
        }
        if rows.len() == 1 {
            return Err(Error::unsupported("a record is too large for a flow file"));
        }
        let middle = rows.len() / 2;
        for half in [0..middle, middle..rows.len()] {
            let mut part = FlowBatch::new();
            part.append(rows, &range_mask(rows.len(), half));
            self.write_rows(&mut part)?;
        }
        Ok(())
    }

    fn write_block(&mut self, block: EncodedBlock) -> Result<()> {
        // An entry of the index is as long as the metadata and two integers of at most nine bytes.
        self.index_len += block.head.len() + 18;
        if self.index_len > MAX_INDEX - MAX_HEADER {
            return Err(Error::unsupported(
                "the file holds as many blocks as the format can; start another one",
            ));
        }
        let data = self.encoder.data();
        self.out.write_all(&block.head)?;
        self.out.write_all(data)?;
        let EncodedBlock { head, metadata, metadata_len } = block;
        self.index.blocks.push(IndexEntry { offset: self.offset, metadata_len, block: metadata });
        self.offset += (head.len() + data.len()) as u64;
        Ok(())
    }
}

fn header_bytes(options: &WriterOptions) -> Result<Vec<u8>> {
    let known = [(FileHeader::CREATOR, &options.creator), (FileHeader::IDENT, &options.ident)];
    let attributes = known.into_iter().filter(|(_, text)| !text.is_empty());
    let header =
        FileHeader { attributes: attributes.map(|(key, text)| (key.to_owned(), text.clone())).collect() };
    let body = codec::encode(&header)?;
    let header_len = u32::try_from(body.len()).ok().filter(|&len| len as usize <= MAX_HEADER);
    let header_len = header_len
        .ok_or_else(|| Error::argument(format!("ident and creator are longer than {MAX_HEADER} bytes")))?;
    let mut out = Vec::with_capacity(Start::SIZE + body.len());
    Start { version: VERSION, header_len, header_crc: crc32fast::hash(&body) }.write(&mut out);
    out.extend_from_slice(&body);
    Ok(out)
}

fn range_mask(len: usize, range: std::ops::Range<usize>) -> Mask {
    match range.len() == len {
        true => Mask::all(len),
        false => Mask::from_fn(len, |row| range.contains(&row)),
    }
}
