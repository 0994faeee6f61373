//! How the batches of a block get from the thread that makes them to the one that reads, and back to be filled again.
//!
//! Each block has a channel of its own with room for very few batches: a thread that is ahead of the reader waits, so
//! that the size of a block does not matter to memory.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};

use crate::batch::FlowBatch;
use crate::error::{Error, Result};

/// What comes of a block: its batches, then the account of it.
#[derive(Debug)]
pub(in crate::format) enum Message<A> {
    /// Rows, and the flows of the block up to their last one that no earlier message counts.
    Batch {
        batch: FlowBatch,
        flows: u64,
    },
    End(Box<A>),
}

/// Messages of a block that wait to be taken.
const WAITING: usize = 4;

/// The two ends of a new channel.
pub(super) fn channel<A>(spare: &Arc<Spare>) -> (Outlet<A>, Ticket<A>) {
    let (sender, receiver) = mpsc::sync_channel(WAITING);
    (Outlet { sender, spare: Arc::clone(spare) }, Ticket(receiver))
}

/// Where a thread puts what it makes of a block.
#[derive(Debug)]
pub(in crate::format) struct Outlet<A> {
    sender: SyncSender<Message<A>>,
    spare: Arc<Spare>,
}

/// Nobody waits for the block any more.
#[derive(Debug)]
pub(in crate::format) struct Gone;

impl<A> Outlet<A> {
    /// A batch to be filled, whose rows are of no use.
    pub(in crate::format) fn batch(&self) -> FlowBatch {
        self.spare.take()
    }

    /// Hands on a batch as soon as there is room.
    pub(in crate::format) fn hand_on(&self, batch: FlowBatch, flows: u64) -> std::result::Result<(), Gone> {
        self.sender.send(Message::Batch { batch, flows }).map_err(|_| Gone)
    }

    /// Closes the block's account.
    pub(in crate::format) fn end(self, account: A) {
        // The reader may be gone.
        drop(self.sender.send(Message::End(Box::new(account))));
    }
}

/// A block that was handed in.
#[derive(Debug)]
pub(in crate::format) struct Ticket<A>(Receiver<Message<A>>);

impl<A> Ticket<A> {
    /// What comes next of the block, once it is there. Nothing comes behind the end.
    ///
    /// # Errors
    /// When the thread that had the block ended before it.
    pub(in crate::format) fn wait(&self) -> Result<Message<A>> {
        self.0.recv().map_err(|_| Error::damaged("a thread that reads blocks ended early"))
    }
}

/// Batches that have been used and can be filled again.
#[derive(Debug)]
pub(super) struct Spare {
    batches: Mutex<Vec<FlowBatch>>,
    most: usize,
}

impl Spare {
    /// Keeps at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { batches: Mutex::default(), most }
    }

    /// Takes a batch back.
    pub(super) fn give(&self, batch: FlowBatch) {
        if let Ok(mut batches) = self.batches.lock()
            && batches.len() < self.most
        {
            batches.push(batch);
        }
    }

    fn take(&self) -> FlowBatch {
        self.batches.lock().ok().and_then(|mut batches| batches.pop()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn len(spare: &Spare) -> usize {
        spare.batches.lock().unwrap().len()
    }

    #[test]
    fn a_few_batches_are_kept_and_used_again() {
        let spare = Arc::new(Spare::new(2));
        for _ in 0..5 {
            spare.give(FlowBatch::new());
        }
        assert_eq!(len(&spare), 2);
        let (outlet, _ticket) = channel::<()>(&spare);
        for _ in 0..3 {
            outlet.batch();
        }
        assert_eq!(len(&spare), 0);
    }

    #[test]
    fn who_waits_for_nothing_is_gone() {
        let (outlet, ticket) = channel::<()>(&Arc::new(Spare::new(0)));
        outlet.hand_on(FlowBatch::new(), 0).unwrap();
        assert!(matches!(ticket.wait(), Ok(Message::Batch { .. })));
        drop(ticket);
        assert!(outlet.hand_on(FlowBatch::new(), 0).is_err());
        outlet.end(());
    }

    #[test]
    fn a_block_without_an_end_is_an_error() {
        let (outlet, ticket) = channel::<()>(&Arc::new(Spare::new(0)));
        drop(outlet);
        assert!(ticket.wait().is_err());
    }
}
