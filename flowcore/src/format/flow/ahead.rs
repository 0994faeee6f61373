//! The blocks of a complete file by its index, unpacked ahead of whoever takes their batches and in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::index::{Index, IndexEntry};
use super::metadata::BlockMetadata;
use super::unpack::{Account, Job, Task, Unpacker};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::format::pool::{self, Message, Pool, Ticket};

/// Blocks that threads unpack.
pub(super) struct Ahead {
    entries: std::vec::IntoIter<IndexEntry>,
    /// Number of the block that was begun last, from 1.
    number: u32,
    /// In front of the pool, whose threads end only when nobody waits for these.
    begun: VecDeque<Step>,
    pool: Pool<Unpacker>,
}

/// What comes next in the file.
enum Step {
    /// No row of it can match; its rows.
    Skipped(u32),
    Block {
        number: u32,
        ticket: Ticket<Account>,
        is_first: bool,
    },
}

/// What [`Ahead::next`] met.
pub(super) enum Event {
    /// A block that was skipped, and its rows.
    Skipped(u64),
    /// A batch; the rows that it stands for, and whether it is the first one of its block.
    Batch { batch: FlowBatch, flows: u64, is_first: bool },
    /// The end of a block, which had no batch if `is_first`.
    End { number: u32, account: Box<Account>, is_first: bool },
}

impl Ahead {
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn new(task: Task, index: Index) -> Result<Self> {
        let task = Arc::new(task);
        let blocks = u32::try_from(index.blocks.len()).unwrap_or(u32::MAX);
        let workers = (0..pool::threads(blocks)).map(|_| Unpacker::new(Arc::clone(&task)));
        let pool = Pool::new("flow", workers)?;
        Ok(Self { entries: index.blocks.into_iter(), number: 0, begun: VecDeque::new(), pool })
    }

    /// What comes next; `None` at the end. Blocks that cannot have a match are skipped.
    ///
    /// # Errors
    /// When a thread failed.
    pub(super) fn next(&mut self, may_match: impl Fn(&BlockMetadata) -> bool) -> Result<Option<Event>> {
        self.begin(may_match);
        let message = match self.begun.front_mut() {
            None => return Ok(None),
            Some(Step::Skipped(rows)) => {
                let rows = u64::from(*rows);
                self.begun.pop_front();
                return Ok(Some(Event::Skipped(rows)));
            }
            Some(Step::Block { number, ticket, is_first }) => {
                (ticket.wait()?, *number, std::mem::take(is_first))
            }
        };
        Ok(Some(match message {
            (Message::Batch { batch, flows }, _, is_first) => Event::Batch { batch, flows, is_first },
            (Message::End(account), number, is_first) => {
                self.begun.pop_front();
                Event::End { number, account, is_first }
            }
        }))
    }

    /// Reads no more.
    pub(super) fn stop(&mut self) {
        self.entries = Vec::new().into_iter();
        self.begun.clear();
    }

    /// Takes back a batch that has been used.
    pub(super) fn give_back(&self, batch: FlowBatch) {
        self.pool.give_back(batch);
    }

    /// Keeps the threads busy.
    fn begin(&mut self, may_match: impl Fn(&BlockMetadata) -> bool) {
        while self.begun.len() < self.pool.depth() {
            let Some(entry) = self.entries.next() else { return };
            self.number += 1;
            let data = entry.data_offset();
            let IndexEntry { block, .. } = entry;
            self.begun.push_back(if may_match(&block) {
                let ticket = self.pool.submit(Job { block, data });
                Step::Block { number: self.number, ticket, is_first: true }
            } else {
                Step::Skipped(block.rows)
            });
        }
    }
}

/// What is told where the index speaks of data that the file does not have.
pub(super) fn became_shorter() -> Error {
    Error::damaged("the file became shorter while it was read")
}
