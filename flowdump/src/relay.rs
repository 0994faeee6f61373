//! Threads of which each takes the next batch: for work that can be done in any order, and put together at the end.

use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use flowcore::{Error, FlowBatch, Mask, Result};

/// What a thread does with its share of the batches.
pub(crate) trait Work: Send {
    /// Takes the chosen rows of a batch.
    ///
    /// # Errors
    /// Ends the work of all.
    fn take(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()>;
}

/// Workers that are worth having where each has tables of its own.
pub(crate) fn workers() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST_WORKERS)
}

/// Calls `feed` with what hands batches out to the workers; the workers when all is done.
///
/// # Errors
/// The first of the workers', else that of `feed`.
pub(crate) fn share_out<W: Work>(
    workers: Vec<W>,
    feed: impl FnOnce(&mut Relay<'_, W>) -> Result<()>,
) -> Result<Vec<W>> {
    thread::scope(|scope| {
        let mut relay = Relay::start(scope, workers);
        let fed = feed(&mut relay);
        let done = relay.finish()?;
        fed.map(|()| done)
    })
}

type Rows = (FlowBatch, Mask);

/// The way of batches to the workers and back.
pub(crate) struct Relay<'scope, W> {
    rows: SyncSender<Rows>,
    used: Receiver<FlowBatch>,
    threads: Vec<ScopedJoinHandle<'scope, Result<W>>>,
    /// Those for which no thread was to be had.
    idle: Vec<W>,
}

impl<'scope, W: Work + 'scope> Relay<'scope, W> {
    fn start(scope: &'scope Scope<'scope, '_>, workers: Vec<W>) -> Self {
        let (rows, waiting) = mpsc::sync_channel(AHEAD);
        // Belongs to the threads: when the last of them is gone, however it ended, nothing can be handed out.
        let waiting = Arc::new(Mutex::new(waiting));
        let (back, used) = mpsc::channel();
        let (mut threads, mut idle) = (Vec::new(), Vec::new());
        for worker in workers {
            // A worker that goes with a thread is lost if the thread does not start: it follows.
            let (handover, given) = mpsc::sync_channel::<W>(1);
            let (back, waiting) = (back.clone(), Arc::clone(&waiting));
            let run =
                move || given.recv().map_err(|_| stopped()).and_then(|worker| work(worker, &waiting, &back));
            match thread::Builder::new().name("count".into()).spawn_scoped(scope, run) {
                Ok(thread) => {
                    threads.push(thread);
                    idle.extend(handover.send(worker).err().map(|refused| refused.0));
                }
                Err(_) => idle.push(worker),
            }
        }
        Self { rows, used, threads, idle }
    }
}

impl<W: Work> Relay<'_, W> {
    /// Hands out a batch, which becomes another one.
    ///
    /// # Errors
    /// When a worker has stopped, which says why at the end.
    pub(crate) fn give(&mut self, batch: &mut FlowBatch, chosen: Mask) -> Result<()> {
        if self.threads.is_empty() {
            return self.idle.first_mut().map_or(Ok(()), |worker| worker.take(batch, &chosen));
        }
        let given = std::mem::replace(batch, self.used.try_recv().unwrap_or_default());
        self.rows.send((given, chosen)).map_err(|_| stopped())
    }

    fn finish(self) -> Result<Vec<W>> {
        drop(self.rows);
        let done = self
            .threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.chain(self.idle.into_iter().map(Ok)).collect()
    }
}

/// Takes batches until no more come.
fn work<W: Work>(mut worker: W, waiting: &Mutex<Receiver<Rows>>, back: &Sender<FlowBatch>) -> Result<W> {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((batch, chosen)) = next else { return Ok(worker) };
        worker.take(&batch, &chosen)?;
        // Nobody wants it back at the end.
        drop(back.send(batch));
    }
}

fn stopped() -> Error {
    Error::argument("counting has stopped")
}

/// Each has tables of its own: more would take memory for the same groups.
const MOST_WORKERS: usize = 4;
/// Batches that wait for a thread.
const AHEAD: usize = 4;
