//! A block in memory: the columns a query needs, decompressed and checked, and cut into batches.

use std::collections::HashSet;
use std::ops::Range;

use super::blocks::Blocks;
use super::chunk::{Decompressor, ZSTD};
use super::decode::{Chunk, ColumnBody};
use super::metadata::{BlockMetadata, ColumnMetadata, DIFFERENCE};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::observer;
use crate::record::{Field, FieldSet, Storage, Text};

/// Which columns a query needs.
pub(super) struct Projection {
    pub(super) fields: FieldSet,
    pub(super) unknown_columns: bool,
    /// Fields that are needed too where rows say who wrote them.
    pub(super) of_logs: FieldSet,
    /// Names of columns that were found to be unreadable, each of which is told once.
    told: HashSet<String>,
}

/// Where a column of a block goes.
enum Target {
    Field(Field),
    Unknown(Text),
    /// Only other columns need it.
    Nowhere,
}

/// A column of a block that is read.
struct Planned {
    place: usize,
    storage: Storage,
    target: Target,
}

impl Projection {
    pub(super) fn new(fields: FieldSet, unknown_columns: bool) -> Self {
        Self { fields: fields.stored(), unknown_columns, of_logs: FieldSet::EMPTY, told: HashSet::new() }
    }

    /// The columns of a block to read, in the order of their data; what cannot be read is noted in `problems`.
    fn plan(&mut self, block: &BlockMetadata, problems: &mut Vec<Error>) -> Vec<Planned> {
        let mut plan = Vec::new();
        let fields = self.fields_of(block);
        for (place, column) in block.columns.iter().enumerate() {
            match self.target(column, fields) {
                Ok(Some((storage, target))) => plan.push(Planned { place, storage, target }),
                Ok(None) => {}
                Err(error) => {
                    if self.told.insert(column.name.clone()) {
                        problems.push(error);
                    }
                }
            }
        }
        add_bases(block, &mut plan);
        plan
    }

    /// The fields that are needed of a block.
    fn fields_of(&self, block: &BlockMetadata) -> FieldSet {
        let names_observer = |field| observer::names().contains(field);
        let is_of_log = |column: &ColumnMetadata| field_of(column).is_some_and(names_observer);
        let is_log = !self.of_logs.is_empty() && block.columns.iter().any(is_of_log);
        if is_log { self.fields.union(self.of_logs) } else { self.fields }
    }

    /// Where a column goes; `None` if it is none of these fields and not needed either.
    fn target(&self, column: &ColumnMetadata, fields: FieldSet) -> Result<Option<(Storage, Target)>> {
        let field = field_of(column);
        let wanted = field.map_or(self.unknown_columns, |field| fields.contains(field));
        if !wanted {
            return Ok(None);
        }
        let later = |what: &str| {
            let name = &column.name;
            Error::unsupported(format!("column {name:?} {what} of a later version and is left out"))
        };
        let storage = column.storage().ok_or_else(|| later("has a type"))?;
        if column.encoding > DIFFERENCE {
            return Err(later("has an encoding"));
        }
        if column.compression > ZSTD {
            return Err(later("has a compression"));
        }
        match field {
            Some(field) if field.kind().storage() == storage => Ok(Some((storage, Target::Field(field)))),
            None if storage == Storage::Text => {
                Ok(Some((storage, Target::Unknown(column.name.as_str().into()))))
            }
            _ => Err(later("is a field")),
        }
    }
}

/// The stored field of this version that a column is.
fn field_of(column: &ColumnMetadata) -> Option<Field> {
    Field::from_name(&column.name).filter(|field| column.is_field && !field.is_derived())
}

/// Adds the columns that planned ones are differences to.
fn add_bases(block: &BlockMetadata, plan: &mut Vec<Planned>) {
    let bases: Vec<usize> = plan.iter().filter_map(|planned| base_of(block, planned.place)).collect();
    for place in bases {
        if let Err(at) = plan.binary_search_by_key(&place, |planned| planned.place) {
            plan.insert(at, Planned { place, storage: Storage::Time, target: Target::Nowhere });
        }
    }
}

fn base_of(block: &BlockMetadata, place: usize) -> Option<usize> {
    let column = block.columns.get(place).filter(|column| column.encoding == DIFFERENCE)?;
    usize::try_from(column.base).ok()
}

/// How loading a block ended.
pub(super) enum Loaded {
    /// Its rows can be handed on.
    Whole,
    /// The file ends inside of it.
    Cut,
    /// A column that is needed is damaged.
    Damaged(Error),
}

/// The block that is being handed on.
#[derive(Default)]
pub(super) struct LoadedBlock {
    rows: usize,
    columns: Vec<LoadedColumn>,
    stored: Vec<u8>,
    spare: Vec<Vec<u8>>,
    decompressor: Decompressor,
}

struct LoadedColumn {
    place: usize,
    target: Target,
    chunk: Chunk,
    /// Place, in the block, of the column this one is a difference to.
    base: Option<usize>,
}

impl LoadedBlock {
    /// Rows of the block.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Replaces the block by the one that `blocks` stands at, and leaves that.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn load(
        &mut self,
        block: &BlockMetadata,
        blocks: &mut dyn Blocks,
        projection: &mut Projection,
        problems: &mut Vec<Error>,
    ) -> Result<Loaded> {
        self.rows = 0;
        self.spare.extend(self.columns.drain(..).map(|column| column.chunk.bytes));
        let offsets: Vec<u64> = offsets(block);
        let mut damage = None;
        for planned in projection.plan(block, problems) {
            let Some(column) = block.columns.get(planned.place) else { continue };
            let offset = offsets.get(planned.place).copied().unwrap_or(0);
            if !blocks.read(offset, column.stored_len as usize, &mut self.stored)? {
                return Ok(Loaded::Cut);
            }
            if let Err(error) = self.add_column(block, planned) {
                damage = Some(Error::damaged(format!(
                    "column {:?}: {error}; {} rows left out",
                    column.name, block.rows
                )));
                break;
            }
        }
        if !blocks.leave()? {
            return Ok(Loaded::Cut);
        }
        if let Some(error) = damage {
            return Ok(Loaded::Damaged(error));
        }
        self.rows = block.rows as usize;
        Ok(Loaded::Whole)
    }

    /// Adds the column whose stored bytes have been read.
    fn add_column(&mut self, block: &BlockMetadata, planned: Planned) -> Result<()> {
        let Planned { place, storage, target } = planned;
        let Some(column) = block.columns.get(place) else { return Ok(()) };
        if crc32fast::hash(&self.stored) != column.checksum {
            return Err(Error::damaged("checksum differs"));
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        let raw_len = column.raw_len as usize;
        self.decompressor.decompress(column.compression, &mut self.stored, raw_len, &mut bytes)?;
        let max_number = match target {
            Target::Field(field) => field.kind().max_number(),
            _ => u64::MAX,
        };
        let body = ColumnBody::parse(storage, &bytes, block.rows as usize, max_number)?;
        let base = base_of(block, place);
        self.columns.push(LoadedColumn { place, target, chunk: Chunk { bytes, body }, base });
        Ok(())
    }

    /// Replaces the rows of a batch by these of the block.
    pub(super) fn fill(&self, rows: Range<usize>, batch: &mut FlowBatch) {
        batch.reset(rows.len());
        for column in &self.columns {
            let Chunk { bytes, body } = &column.chunk;
            match &column.target {
                Target::Field(field) => {
                    let base = column.base.and_then(|base| self.chunk(base));
                    body.fill(bytes, rows.clone(), base, batch.column_mut(*field));
                }
                Target::Unknown(name) => body.fill_texts(bytes, rows.clone(), batch.unknown_mut(name)),
                Target::Nowhere => {}
            }
        }
    }

    fn chunk(&self, place: usize) -> Option<&Chunk> {
        self.columns.iter().find(|column| column.place == place).map(|column| &column.chunk)
    }
}

/// Where the chunk of each column starts in the block's data.
fn offsets(block: &BlockMetadata) -> Vec<u64> {
    let lengths = block.columns.iter().map(|column| u64::from(column.stored_len));
    lengths
        .scan(0, |end, len| {
            let start = *end;
            *end += len;
            Some(start)
        })
        .collect()
}
