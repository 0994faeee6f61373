//! The same conversion in several threads: one reads and decodes, one meters, one makes records of the flows, and the
//! caller, who does something with them, has its own.
//!
//! Each hands on what it made over a bounded channel and gets the memory back over another one. All work stays in the
//! order of the capture, so that the result does not depend on the number of threads.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flowcore::{FlowBatch, FlowSource, Result, SourceStats};

use super::chunk::Chunk;
use super::intake::Intake;
use super::meter::{Exporter, Metering, Packets};
use crate::table::Ended;

/// Flows that are metered in a thread of their own.
pub(super) struct MeterThread {
    worker: Worker<Ended>,
    exporter: Exporter,
}

impl MeterThread {
    pub(super) fn start(mut metering: Metering<impl Packets + 'static>, exporter: Exporter) -> Self {
        let worker = Worker::start(WAITING, metering.stats(), move |line| {
            line.run(|ended| (metering.next(ended), metering.stats()));
        });
        Self { worker, exporter }
    }

    fn fill(&mut self, batch: &mut FlowBatch) -> bool {
        self.exporter.fill(batch, |ended| self.worker.next(ended))
    }
}

impl FlowSource for MeterThread {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        Ok(self.fill(batch))
    }

    fn stats(&self) -> SourceStats {
        self.worker.stats()
    }
}

/// Records that are made in a thread of their own.
pub(super) struct RecordThread {
    worker: Worker<FlowBatch>,
}

impl RecordThread {
    pub(super) fn start(mut flows: MeterThread) -> Self {
        let worker = Worker::start(BATCHES_WAITING, flows.stats(), move |line| {
            line.run(|batch| (flows.fill(batch), flows.stats()));
        });
        Self { worker }
    }
}

impl FlowSource for RecordThread {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        let any = self.worker.next(batch);
        if !any {
            batch.clear();
        }
        Ok(any)
    }

    fn stats(&self) -> SourceStats {
        self.worker.stats()
    }
}

/// Packets that are read and decoded in a thread of their own.
pub(super) struct PacketThread {
    worker: Worker<Chunk>,
}

impl PacketThread {
    pub(super) fn start(mut intake: Intake) -> Self {
        let worker = Worker::start(WAITING, intake.stats(), move |line| {
            line.run(|chunk| (Packets::next(&mut intake, chunk), intake.stats()));
        });
        Self { worker }
    }
}

impl Packets for PacketThread {
    fn next(&mut self, chunk: &mut Chunk) -> bool {
        self.worker.next(chunk)
    }

    fn stats(&self) -> SourceStats {
        self.worker.stats()
    }
}

/// Messages that wait for their receiver.
const WAITING: usize = 4;
/// Batches that do, beside the one that is made and the one that is used: they can be large.
const BATCHES_WAITING: usize = 0;

/// A thread that makes things one after the other.
struct Worker<T> {
    made: Receiver<T>,
    used: Sender<T>,
    stats: Arc<Mutex<SourceStats>>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's end of it.
struct Line<T> {
    made: SyncSender<T>,
    used: Receiver<T>,
    stats: Arc<Mutex<SourceStats>>,
}

impl<T: Default + Send + 'static> Worker<T> {
    fn start(waiting: usize, stats: SourceStats, run: impl FnOnce(Line<T>) + Send + 'static) -> Self {
        let (made, receiver) = sync_channel(waiting);
        let (sender, used) = channel();
        // What waits, and one more that is made. Another one the caller has.
        (0..=waiting).for_each(|_| drop(sender.send(T::default())));
        let stats = Arc::new(Mutex::new(stats));
        let line = Line { made, used, stats: Arc::clone(&stats) };
        Self { made: receiver, used: sender, stats, thread: Some(thread::spawn(move || run(line))) }
    }

    /// Exchanges `used` for what the thread made next; `false` when it is done. A thread that panicked panics here.
    fn next(&mut self, used: &mut T) -> bool {
        if let Ok(made) = self.made.recv() {
            // A thread that is done needs no memory.
            drop(self.used.send(std::mem::replace(used, made)));
            return true;
        }
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        false
    }

    fn stats(&self) -> SourceStats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<T> Line<T> {
    /// Makes one thing after the other, in used memory, until `make` says that there is none or nobody wants more. What
    /// it says of the input is known before what it made.
    fn run(&self, mut make: impl FnMut(&mut T) -> (bool, SourceStats)) {
        while let Ok(mut next) = self.used.recv() {
            let (is_made, stats) = make(&mut next);
            *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
            if !is_made || self.made.send(next).is_err() {
                return;
            }
        }
    }
}
