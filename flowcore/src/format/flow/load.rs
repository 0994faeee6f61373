//! A block in memory: the columns a query needs, decompressed and checked, and cut into batches.

use std::ops::Range;

use super::chunk::{Decompressor, ZSTD};
use super::decode::{Chunk, ColumnBody};
use super::metadata::{BlockMetadata, ColumnMetadata, DIFFERENCE, ZoneMap};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::observer;
use crate::record::{Field, FieldSet, Storage, Text};
use crate::status_rows;

/// Which columns a query needs.
#[derive(Debug, Clone)]
pub(super) struct Projection {
    pub(super) fields: FieldSet,
    pub(super) unknown_columns: bool,
    /// Fields that are needed too where rows say who wrote them.
    pub(super) of_logs: FieldSet,
    /// Rows that are no flows have to be told apart.
    pub(super) tell_status: bool,
}

/// Where a column of a block goes.
#[derive(Clone)]
enum Target {
    Field(Field),
    Unknown(Text),
    /// Only other columns need it.
    Nowhere,
}

/// The columns of a block that are read, in the order of their data.
pub(super) struct Plan {
    columns: Vec<Planned>,
    /// Columns that would be read if they could be, by name, and why they cannot be.
    pub(super) unreadable: Vec<(String, Error)>,
}

/// A column of a block that is read.
struct Planned {
    place: usize,
    /// Where its chunk starts in the block's data.
    offset: u64,
    storage: Storage,
    target: Target,
    /// Place of the column this one is a difference to.
    base: Option<usize>,
}

impl Projection {
    pub(super) fn new(fields: FieldSet, unknown_columns: bool) -> Self {
        Self { fields: fields.stored(), unknown_columns, of_logs: FieldSet::EMPTY, tell_status: false }
    }

    /// The columns of a block to read.
    pub(super) fn plan(&self, block: &BlockMetadata) -> Plan {
        let mut plan = Plan { columns: Vec::new(), unreadable: Vec::new() };
        let fields = self.fields_of(block);
        let mut offset = 0;
        for (place, column) in block.columns.iter().enumerate() {
            let base = base_of(block, place);
            match self.target(column, fields) {
                Ok(Some((storage, target))) => {
                    plan.columns.push(Planned { place, offset, storage, target, base });
                }
                // Only times are differences; those that another column needs stay in the plan.
                Ok(None) if is_base(block, place) => {
                    let (storage, target) = (Storage::Time, Target::Nowhere);
                    plan.columns.push(Planned { place, offset, storage, target, base });
                }
                Ok(None) => {}
                Err(error) => plan.unreadable.push((column.name.clone(), error)),
            }
            offset += u64::from(column.stored_len);
        }
        plan.drop_needless_bases();
        plan
    }

    /// The fields that are needed of a block.
    fn fields_of(&self, block: &BlockMetadata) -> FieldSet {
        let names_observer = |field| observer::names().contains(field);
        let is_of_log = |column: &ColumnMetadata| field_of(column).is_some_and(names_observer);
        let is_log = !self.of_logs.is_empty() && block.columns.iter().any(is_of_log);
        let of_log = if is_log { self.of_logs } else { FieldSet::EMPTY };
        let of_status = if self.tell_status && may_have_status_rows(block) {
            status_rows::fields()
        } else {
            FieldSet::EMPTY
        };
        self.fields.union(of_log).union(of_status)
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

impl Plan {
    /// The columns that these fields are made of, or all.
    fn of(&self, fields: Option<FieldSet>) -> Vec<&Planned> {
        let Some(fields) = fields else { return self.columns.iter().collect() };
        let is_asked = |planned: &&Planned| planned.target.is_one_of(fields);
        let bases: Vec<usize> =
            self.columns.iter().filter(is_asked).filter_map(|planned| planned.base).collect();
        let is_needed = |planned: &&Planned| is_asked(planned) || bases.contains(&planned.place);
        self.columns.iter().filter(is_needed).collect()
    }

    fn drop_needless_bases(&mut self) {
        let needed: Vec<usize> = self.columns.iter().filter_map(|planned| planned.base).collect();
        let is_needless =
            |planned: &Planned| matches!(planned.target, Target::Nowhere) && !needed.contains(&planned.place);
        self.columns.retain(|planned| !is_needless(planned));
    }
}

impl Target {
    fn is_one_of(&self, fields: FieldSet) -> bool {
        matches!(self, Self::Field(field) if fields.contains(*field))
    }
}

/// Whether a block can have rows that are no flows, as its metadata says.
pub(super) fn may_have_status_rows(block: &BlockMetadata) -> bool {
    let label = block.columns.iter().find(|column| field_of(column) == Some(Field::LogStatus));
    label.is_some_and(|column| match &column.zone {
        ZoneMap::Texts { texts, .. } => texts.iter().any(|text| matches!(&**text, "NODATA" | "SKIPDATA")),
        _ => true,
    })
}

/// Whether another column of the block is the difference to this one.
fn is_base(block: &BlockMetadata, place: usize) -> bool {
    (0..block.columns.len()).any(|other| base_of(block, other) == Some(place))
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

/// Reads bytes of a block's data: from a place on, so many, in place of what the vector holds; `false` if the file ends
/// before them.
pub(super) type ReadData<'a> = dyn FnMut(u64, usize, &mut Vec<u8>) -> Result<bool> + 'a;

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

    /// Forgets the block, and makes room for another one.
    pub(super) fn clear(&mut self) {
        self.rows = 0;
        self.spare.extend(self.columns.drain(..).map(|column| column.chunk.bytes));
    }

    /// Loads the columns of a plan that these fields are made of, or all, as far as they have not been loaded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn load(
        &mut self,
        block: &BlockMetadata,
        plan: &Plan,
        fields: Option<FieldSet>,
        read: &mut ReadData<'_>,
    ) -> Result<Loaded> {
        for planned in plan.of(fields) {
            let Some(column) = block.columns.get(planned.place) else { continue };
            if self.chunk(planned.place).is_some() {
                continue;
            }
            if !read(planned.offset, column.stored_len as usize, &mut self.stored)? {
                return Ok(Loaded::Cut);
            }
            if let Err(error) = self.add_column(block, planned) {
                let what = format!("column {:?}: {error}; {} rows left out", column.name, block.rows);
                return Ok(Loaded::Damaged(Error::damaged(what)));
            }
        }
        self.rows = block.rows as usize;
        Ok(Loaded::Whole)
    }

    /// Adds the column whose stored bytes have been read.
    fn add_column(&mut self, block: &BlockMetadata, planned: &Planned) -> Result<()> {
        let Planned { place, storage, ref target, base, .. } = *planned;
        let Some(column) = block.columns.get(place) else { return Ok(()) };
        if crc32fast::hash(&self.stored) != column.checksum {
            return Err(Error::damaged("checksum differs"));
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        let raw_len = column.raw_len as usize;
        self.decompressor.decompress(column.compression, &mut self.stored, raw_len, &mut bytes)?;
        let max_number = match target {
            Target::Field(field) => field.kind().max_number(),
            Target::Unknown(_) | Target::Nowhere => u64::MAX,
        };
        let body = ColumnBody::parse(storage, &bytes, block.rows as usize, max_number)?;
        let target = target.clone();
        self.columns.push(LoadedColumn { place, target, chunk: Chunk { bytes, body }, base });
        Ok(())
    }

    /// Replaces the rows of a batch by these of the block, with all columns or those of some fields.
    pub(super) fn fill(&self, rows: Range<usize>, fields: Option<FieldSet>, batch: &mut FlowBatch) {
        batch.reset(rows.len());
        for column in self.columns.iter().filter(|column| fields.is_none_or(|f| column.target.is_one_of(f))) {
            let Chunk { bytes, body } = &column.chunk;
            match &column.target {
                Target::Field(field) => {
                    body.fill(bytes, rows.clone(), self.base(column), batch.column_mut(*field));
                }
                Target::Unknown(name) => body.fill_texts(bytes, rows.clone(), batch.unknown_mut(name)),
                Target::Nowhere => {}
            }
        }
    }

    /// Whether one of these columns may have this IPv4 address: `false` only if none has.
    pub(super) fn may_hold_v4(&self, fields: FieldSet, addr: u32) -> bool {
        let mut asked = self.columns.iter().filter(|column| column.target.is_one_of(fields));
        asked.any(|column| column.chunk.body.may_hold_v4(&column.chunk.bytes, addr))
    }

    /// Replaces the rows of a batch by single ones of the block, which ascend.
    pub(super) fn pick(&self, rows: &[usize], batch: &mut FlowBatch) {
        batch.reset(rows.len());
        for column in &self.columns {
            let Chunk { bytes, body } = &column.chunk;
            match &column.target {
                Target::Field(field) => {
                    body.pick(bytes, rows, self.base(column), batch.column_mut(*field));
                }
                Target::Unknown(name) => body.pick_texts(bytes, rows, batch.unknown_mut(name)),
                Target::Nowhere => {}
            }
        }
    }

    fn base(&self, column: &LoadedColumn) -> Option<&Chunk> {
        self.chunk(column.base?)
    }

    fn chunk(&self, place: usize) -> Option<&Chunk> {
        self.columns.iter().find(|column| column.place == place).map(|column| &column.chunk)
    }
}
