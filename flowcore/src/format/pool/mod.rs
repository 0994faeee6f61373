//! Blocks of a file made into batches by threads; the batches come in the order of the blocks.
//!
//! The reading thread hands out blocks and takes their batches; each block has a [channel](handover) of its own, so that
//! the order in which threads finish does not show. What is done with a block is up to the [`Worker`]s.

mod handover;

pub(super) use handover::{Gone, Message, Outlet, Ticket};

use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::batch::FlowBatch;
use crate::error::Result;
use handover::{Spare, channel};

/// Makes batches of blocks, one block after the other, on a thread of its own.
pub(super) trait Worker: Send + 'static {
    /// A block, as it is handed in.
    type Job: Send;
    /// What is told of a block beside its batches.
    type Account: Send;

    /// Hands on the batches of a block, then its account.
    fn work(&mut self, job: Self::Job, outlet: Outlet<Self::Account>);
}

/// Threads that work on blocks. They end when this is dropped, which waits for them: whoever holds a [`Ticket`] has to
/// drop it first.
#[derive(Debug)]
pub(super) struct Pool<W: Worker> {
    /// The threads end when it closes.
    jobs: Option<Sender<Job<W>>>,
    threads: Vec<JoinHandle<()>>,
    spare: Arc<Spare>,
}

/// A block on its way to a thread.
type Job<W> = (<W as Worker>::Job, Outlet<<W as Worker>::Account>);

impl<W: Worker> Pool<W> {
    /// A thread for each worker; `name` and a number are its name.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn new(name: &str, workers: impl Iterator<Item = W>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let start = |(number, worker)| {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || work(&queue, worker))
        };
        let threads: Vec<_> = workers.enumerate().map(start).collect::<std::io::Result<_>>()?;
        let spare = Arc::new(Spare::new(threads.len() * SPARE_PER_THREAD));
        Ok(Self { jobs: Some(jobs), threads, spare })
    }

    /// Blocks that keep all threads busy while one is used.
    pub(super) fn depth(&self) -> usize {
        self.threads.len() + 2
    }

    /// Hands in a block.
    pub(super) fn submit(&self, job: W::Job) -> Ticket<W::Account> {
        let (outlet, ticket) = channel(&self.spare);
        // If no thread takes it, nothing will come, which the ticket tells.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send((job, outlet)));
        ticket
    }

    /// Takes back a batch that has been used.
    pub(super) fn give_back(&self, batch: FlowBatch) {
        self.spare.give(batch);
    }
}

/// Batches that are kept for each thread: one it fills, and those that wait.
const SPARE_PER_THREAD: usize = 5;

impl<W: Worker> Drop for Pool<W> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Threads for a file of so many blocks, 0 if that is not known: as many as there are cores, and no more than blocks.
pub(super) fn threads(blocks: u32) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    match blocks {
        0 => cores,
        blocks => cores.min(usize::try_from(blocks).unwrap_or(cores)),
    }
}

/// More threads than this wait for the one that reads.
const MAX_THREADS: usize = 8;

/// Takes jobs until there are no more.
fn work<W: Worker>(queue: &Mutex<Receiver<Job<W>>>, mut worker: W) {
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok((job, outlet)) = job else { return };
        worker.work(job, outlet);
    }
}
