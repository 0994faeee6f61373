//! The blocks of a complete file made into batches by threads: of each block the columns that the filter asks for, and
//! the others only where a row matches.
//!
//! A column that is not needed is not read, so damage in it does not show; a damaged column that is needed takes the
//! rows of its block with it, as everywhere.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use super::blocks::read_some;
use super::load::{Loaded, LoadedBlock, Plan, Projection, may_have_status_rows};
use super::metadata::{BlockMetadata, ZoneMap};
use crate::batch::{BATCH_ROWS, FlowBatch, Mask};
use crate::completeness::TimeSpan;
use crate::error::{Error, Result};
use crate::filter::Parts;
use crate::format::pool::{Outlet, Worker};
use crate::record::{Field, FieldSet, Timestamp};
use crate::source::ReadRequest;

/// Anything that can be read from any place.
pub(super) trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// What has to be made of the blocks of a file.
pub(super) struct Task {
    file: Mutex<Box<dyn ReadSeek>>,
    projection: Projection,
    /// The filter, if rows can be chosen by it here.
    choice: Option<Parts>,
}

/// A block to be unpacked.
pub(super) struct Job {
    pub(super) block: BlockMetadata,
    /// Where its data starts in the file.
    pub(super) data: u64,
}

/// What a block gave beside its batches.
pub(super) struct Account {
    /// How it ended.
    pub(super) end: Result<Loaded>,
    /// Rows of the block; they are lost if it is damaged.
    pub(super) rows: u64,
    /// Rows that have not been counted with a batch.
    pub(super) flows: u64,
    /// Columns that cannot be read.
    pub(super) unreadable: Vec<(String, Error)>,
    /// The span of time of all rows, where some may have been left out.
    pub(super) left_out: TimeSpan,
}

/// Unpacks block after block.
pub(super) struct Unpacker {
    task: Arc<Task>,
    loaded: LoadedBlock,
    /// The columns that a part of the filter asks for.
    asked: FlowBatch,
}

impl Task {
    /// `filled_later` are fields that the blocks do not have: a filter that looks at them cannot be asked here.
    pub(super) fn new(
        file: Box<dyn ReadSeek>,
        projection: &Projection,
        request: &ReadRequest,
        filled_later: FieldSet,
    ) -> Self {
        let choice = request.filter_of_rows(filled_later).map(|filter| Parts::of(&filter));
        Self { file: Mutex::new(file), projection: projection.clone(), choice }
    }

    /// Replaces `into` by bytes of the file; `false` if it ends before them.
    fn read(&self, offset: u64, len: usize, into: &mut Vec<u8>) -> Result<bool> {
        let mut file = self.file.lock().map_err(|_| io::Error::other("another thread failed to read it"))?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(read_some(&mut *file, len, into)?)
    }

    /// The filter, if rows of this block may be left out: not those that have to be counted apart, and not without
    /// knowing what span of time they are of.
    fn choice_in(&self, block: &BlockMetadata) -> Option<&Parts> {
        let choice = self.choice.as_ref().filter(|_| !may_have_status_rows(block))?;
        let wanted =
            [Field::First, Field::Last].into_iter().filter(|field| self.projection.fields.contains(*field));
        let mut columns = wanted.filter_map(|field| block.column(field));
        columns.all(|column| matches!(column.zone, ZoneMap::Times { .. })).then_some(choice)
    }

    /// The span of time that a block's metadata states.
    fn span_of(&self, block: &BlockMetadata) -> TimeSpan {
        let end = |field: Field, of: fn(i64, i64) -> i64| {
            let column = block.column(field).filter(|_| self.projection.fields.contains(field))?;
            match column.zone {
                ZoneMap::Times { min, max, .. } => Some(Timestamp::from_nanos(of(min, max))),
                _ => None,
            }
        };
        let (first, last) = (end(Field::First, |min, _| min), end(Field::Last, |_, max| max));
        TimeSpan { first, last }
    }
}

impl Unpacker {
    pub(super) fn new(task: Arc<Task>) -> Self {
        Self { task, loaded: LoadedBlock::default(), asked: FlowBatch::new() }
    }

    /// Hands on the rows that the filter wants.
    fn unpack(&mut self, job: &Job, outlet: &Outlet<Account>, account: &mut Account) -> Result<Loaded> {
        let task = Arc::clone(&self.task);
        let plan = task.projection.plan(&job.block);
        self.loaded.clear();
        let mut chosen = vec![Choice::All; (job.block.rows as usize).div_ceil(BATCH_ROWS)];
        if let Some(parts) = task.choice_in(&job.block) {
            account.left_out = task.span_of(&job.block);
            for part in parts.iter() {
                match self.load(job, &plan, Some(part.fields))? {
                    Loaded::Whole => {}
                    end => return Ok(end),
                }
                if part.only_v4().is_none_or(|addr| self.loaded.may_hold_v4(part.fields, addr)) {
                    self.choose(&mut chosen, part.fields, |asked| part.select(asked));
                } else {
                    chosen.fill(Choice::None);
                }
                if chosen.iter().all(Choice::is_none) {
                    account.unreadable = plan.unreadable;
                    return Ok(Loaded::Whole);
                }
            }
        }
        let end = self.load(job, &plan, None)?;
        account.unreadable = plan.unreadable;
        if matches!(end, Loaded::Whole) {
            self.hand_on(&chosen, outlet, account);
        }
        Ok(end)
    }

    fn load(&mut self, job: &Job, plan: &Plan, fields: Option<FieldSet>) -> Result<Loaded> {
        let task = Arc::clone(&self.task);
        let mut read = |at: u64, len, into: &mut Vec<u8>| task.read(job.data.saturating_add(at), len, into);
        self.loaded.load(&job.block, plan, fields, &mut read)
    }

    /// Narrows the choice by a part of the filter.
    fn choose(&mut self, chosen: &mut [Choice], fields: FieldSet, select: impl Fn(&FlowBatch) -> Mask) {
        for (at, chosen) in chosen.iter_mut().enumerate().filter(|(_, chosen)| !chosen.is_none()) {
            let start = at * BATCH_ROWS;
            let rows = start..self.loaded.rows().min(start + BATCH_ROWS);
            self.loaded.fill(rows, Some(fields), &mut self.asked);
            chosen.narrow(select(&self.asked));
        }
    }

    fn hand_on(&self, chosen: &[Choice], outlet: &Outlet<Account>, account: &mut Account) {
        let mut counted = 0;
        for (at, chosen) in chosen.iter().enumerate().filter(|(_, chosen)| !chosen.is_none()) {
            let start = at * BATCH_ROWS;
            let rows = start..self.loaded.rows().min(start + BATCH_ROWS);
            let end = rows.end;
            let mut batch = outlet.batch();
            match chosen.few(rows.len()) {
                Some(mask) => {
                    let rows: Vec<usize> = mask.rows().map(|row| start + row).collect();
                    self.loaded.pick(&rows, &mut batch);
                }
                None => self.loaded.fill(rows, None, &mut batch),
            }
            let flows = (end - counted) as u64;
            if outlet.hand_on(batch, flows).is_err() {
                return;
            }
            counted = end;
            account.flows -= flows;
        }
    }
}

impl Worker for Unpacker {
    type Job = Job;
    type Account = Account;

    fn work(&mut self, job: Job, outlet: Outlet<Account>) {
        let rows = u64::from(job.block.rows);
        let left_out = TimeSpan::default();
        let mut account =
            Account { end: Ok(Loaded::Whole), rows, flows: rows, unreadable: Vec::new(), left_out };
        account.end = self.unpack(&job, &outlet, &mut account);
        outlet.end(account);
    }
}

/// Which rows of a batch to be made match, as far as is known.
#[derive(Debug, Clone)]
enum Choice {
    All,
    Of(Mask),
    None,
}

impl Choice {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    fn narrow(&mut self, mut by: Mask) {
        if let Self::Of(mask) = self {
            by.and(mask);
        }
        *self = if by.count() == 0 { Self::None } else { Self::Of(by) };
    }

    /// The rows, if they are so few of all that they are better picked one by one.
    fn few(&self, rows: usize) -> Option<&Mask> {
        match self {
            Self::Of(mask) if mask.count() * PICKED < rows => Some(mask),
            _ => None,
        }
    }
}

/// A row that is picked costs about as much as so many in a row.
const PICKED: usize = 8;
