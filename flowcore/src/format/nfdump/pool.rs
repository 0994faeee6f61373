//! Blocks unpacked by threads, their batches in the order of the blocks.
//!
//! The reading thread hands out blocks and takes their batches; each block has a [channel](super::handover) of its own,
//! so that the order in which threads finish does not show.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::blocks::StoredBlock;
use super::handover::{Outlet, Spare, Ticket, channel};
use super::unpack::{Task, Unpacker};
use crate::batch::FlowBatch;
use crate::error::Result;

/// Threads that unpack blocks. They end when this is dropped, which waits for them: whoever holds a [`Ticket`] has to
/// drop it first.
#[derive(Debug)]
pub(super) struct Pool {
    /// The threads end when it closes.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    spare: Arc<Spare>,
}

/// A block on its way to a thread.
#[derive(Debug)]
struct Job {
    block: StoredBlock,
    outlet: Outlet,
}

impl Pool {
    /// With so many threads.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn new(task: &Arc<Task>, threads: usize) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let start = |number| {
            let (queue, unpacker) = (Arc::clone(&queue), Unpacker::new(Arc::clone(task)));
            thread::Builder::new().name(format!("nfdump-{number}")).spawn(move || work(&queue, unpacker))
        };
        let spare = Arc::new(Spare::new(threads * SPARE_PER_THREAD));
        let threads = (0..threads).map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { jobs: Some(jobs), threads, spare })
    }

    /// Blocks that keep all threads busy while one is used.
    pub(super) fn depth(&self) -> usize {
        self.threads.len() + 2
    }

    /// Hands in a block.
    pub(super) fn submit(&self, block: StoredBlock) -> Ticket {
        let (outlet, ticket) = channel(&self.spare);
        // If no thread takes it, nothing will come, which the ticket tells.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(Job { block, outlet }));
        ticket
    }

    /// Takes back a batch that has been used.
    pub(super) fn give_back(&self, batch: FlowBatch) {
        self.spare.give(batch);
    }
}

/// Batches that are kept for each thread: one it fills, and those that wait.
const SPARE_PER_THREAD: usize = 3;

impl Drop for Pool {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Takes jobs until there are no more.
fn work(queue: &Mutex<Receiver<Job>>, mut unpacker: Unpacker) {
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(Job { block, outlet }) = job else { return };
        unpacker.unpack(block, outlet);
    }
}
