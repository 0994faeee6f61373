//! A batch as a block of a file: prefix, metadata and compressed column chunks.

use super::chunk::Compressor;
use super::encode::Encoder;
use super::layout::{MAX_BLOCK, MAX_CHUNK, MAX_COLUMNS, MAX_METADATA, Prefix, Section};
use super::metadata::{BlockMetadata, ColumnMetadata, storage_tag};
use super::packed::Estimate;
use crate::batch::{Column, FlowBatch, TextColumn, TimeColumn};
use crate::codec;
use crate::error::{Error, Result};
use crate::filter::zones::ProtocolSet;
use crate::record::{Field, Storage};

/// Turns batches into blocks, with memory kept between them.
pub(super) struct BlockEncoder {
    encoder: Encoder,
    compressor: Compressor,
    raw: Vec<u8>,
    data: Vec<u8>,
}

/// A block, ready to be written: `head` is prefix and metadata, [`BlockEncoder::data`] the rest.
pub(super) struct EncodedBlock {
    pub(super) head: Vec<u8>,
    pub(super) metadata: BlockMetadata,
    pub(super) metadata_len: u32,
}

impl BlockEncoder {
    pub(super) fn new(compressor: Compressor) -> Self {
        Self { encoder: Encoder::default(), compressor, raw: Vec::new(), data: Vec::new() }
    }

    /// The column chunks of the block encoded last.
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Encodes a padded batch of at least one row as the block with this number; `None` if its columns are too
    /// long for one block.
    ///
    /// # Errors
    /// When there are too many columns, or their names are too long.
    pub(super) fn encode(&mut self, number: u32, batch: &FlowBatch) -> Result<Option<EncodedBlock>> {
        let Some(metadata) = self.encode_columns(batch)? else { return Ok(None) };
        let bytes = codec::encode(&metadata)?;
        let columns = metadata.columns.len();
        if columns > MAX_COLUMNS || bytes.len() > MAX_METADATA {
            return Err(Error::unsupported(format!(
                "{columns} columns with names and zones of {} bytes; a flow file holds {MAX_COLUMNS} and {MAX_METADATA}",
                bytes.len()
            )));
        }
        let metadata_len = narrow(bytes.len());
        let prefix = Prefix {
            section: Section::Block,
            number,
            rows: metadata.rows,
            metadata_len,
            metadata_crc: crc32fast::hash(&bytes),
            data_len: narrow(self.data.len()),
        };
        let mut head = Vec::with_capacity(Prefix::SIZE + bytes.len());
        prefix.write(&mut head);
        head.extend_from_slice(&bytes);
        Ok(Some(EncodedBlock { head, metadata, metadata_len }))
    }

    fn encode_columns(&mut self, batch: &FlowBatch) -> Result<Option<BlockMetadata>> {
        self.data.clear();
        let protocols = protocols(batch).words();
        let mut block = BlockMetadata { rows: narrow(batch.len()), protocols, columns: Vec::new() };
        let base = base_of_times(batch);
        let others = batch
            .fields()
            .iter()
            .filter(|field| !matches!(field, Field::RecordNumber) && Some(*field) != base);
        for field in base.into_iter().chain(others) {
            let Some(column) = batch.column(field) else { continue };
            let base = base.filter(|base| is_other_time(field, *base)).and_then(|base| batch.times(base));
            self.add(&mut block, field.name(), true, column, base)?;
        }
        // Their order in the batch tells how the rows came, which must not show in the file.
        let mut unknown: Vec<_> = batch.unknown().iter().collect();
        unknown.sort_by(|(name, _), (other, _)| name.cmp(other));
        for (name, column) in unknown {
            // A clone shares the dictionary.
            self.add(&mut block, name, false, &Column::Text(TextColumn::clone(column)), None)?;
        }
        let fits = block.raw_len() <= MAX_BLOCK as u64
            && block.columns.iter().all(|column| column.raw_len as usize <= MAX_CHUNK);
        Ok(fits.then_some(block))
    }

    fn add(
        &mut self,
        block: &mut BlockMetadata,
        name: &str,
        is_field: bool,
        column: &Column,
        base: Option<&TimeColumn>,
    ) -> Result<()> {
        self.raw.clear();
        let Some(encoded) = self.encoder.encode(column, base, &mut self.raw) else {
            return Ok(());
        };
        let start = self.data.len();
        let compression = self.compressor.compress(&self.raw, &mut self.data)?;
        let stored = self.data.get(start..).unwrap_or_default();
        block.columns.push(ColumnMetadata {
            name: name.to_owned(),
            is_field,
            storage: storage_tag(storage_of(column)),
            encoding: encoded.encoding,
            // The base is the first column.
            base: 0,
            compression,
            stored_len: narrow(stored.len()),
            raw_len: narrow(self.raw.len()),
            checksum: crc32fast::hash(stored),
            zone: encoded.zone,
        });
        Ok(())
    }
}

/// The one of the times that a flow begins and ends at that takes fewer bytes for itself: the other one is close to it,
/// and may be written as the difference. It is the first column of the block.
fn base_of_times(batch: &FlowBatch) -> Option<Field> {
    let bytes = |field| batch.times(field).map(|times| Estimate::of(times.values()).bytes());
    match (bytes(Field::First)?, bytes(Field::Last)) {
        (first, Some(last)) if last < first => Some(Field::Last),
        _ => Some(Field::First),
    }
}

fn is_other_time(field: Field, base: Field) -> bool {
    matches!(field, Field::First | Field::Last) && field != base
}

const fn storage_of(column: &Column) -> Storage {
    match column {
        Column::Number(_) => Storage::Number,
        Column::Time(_) => Storage::Time,
        Column::Addr(_) => Storage::Addr,
        Column::Text(_) => Storage::Text,
    }
}

fn protocols(batch: &FlowBatch) -> ProtocolSet {
    let mut set = ProtocolSet::default();
    if let Some(column) = batch.number_column(Field::Protocol) {
        (0..column.len())
            .filter_map(|row| column.get(row))
            .for_each(|n| set.insert(u8::try_from(n).unwrap_or(u8::MAX)));
    }
    set
}

/// Lengths here are in memory and below 4 GiB wherever they pass the limits; a longer one fails them.
fn narrow(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
