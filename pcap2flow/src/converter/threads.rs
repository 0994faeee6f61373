//! The same conversion in several threads: one reads and decodes, one meters, and the caller has its own.
//!
//! Each hands on what it made over a bounded channel and gets the memory back over another one. All work stays in the
//! order of the capture, so that the result does not depend on the number of threads.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flowcore::{FlowBatch, FlowSource, Format, Result, SourceStats};

use super::intake::Intake;
use super::meter::{Meter, PacketSink, Packets};
use crate::packet::Packet;

/// Flows that are metered in a thread of their own.
pub(super) struct BatchThread {
    worker: Worker<Result<FlowBatch>, FlowBatch>,
}

impl BatchThread {
    pub(super) fn start(source: impl FlowSource + 'static) -> Self {
        Self { worker: Worker::start(source.stats(), |line| run_source(source, &line)) }
    }
}

fn run_source(mut source: impl FlowSource, line: &Line<Result<FlowBatch>, FlowBatch>) {
    loop {
        let mut batch = line.used.try_recv().unwrap_or_default();
        let read = source.read_batch(&mut batch);
        line.publish(source.stats());
        let message = match read {
            Ok(true) => Ok(batch),
            Ok(false) => return,
            Err(error) => Err(error),
        };
        let failed = message.is_err();
        if line.made.send(message).is_err() || failed {
            return;
        }
    }
}

impl FlowSource for BatchThread {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        batch.clear();
        let Some(next) = self.worker.next() else { return Ok(false) };
        self.worker.give_back(std::mem::replace(batch, next?));
        Ok(true)
    }

    fn stats(&self) -> SourceStats {
        self.worker.stats()
    }
}

/// Packets that are read and decoded in a thread of their own.
pub(super) struct PacketThread {
    worker: Worker<Chunk, Chunk>,
    chunk: Chunk,
    /// Items and payload bytes of the chunk that the meter has.
    items: usize,
    payloads: usize,
}

impl PacketThread {
    pub(super) fn start(intake: Intake) -> Self {
        let worker = Worker::start(intake.stats(), |line| run_intake(intake, &line));
        Self { worker, chunk: Chunk::default(), items: 0, payloads: 0 }
    }
}

fn run_intake(mut intake: Intake, line: &Line<Chunk, Chunk>) {
    let mut more = true;
    while more {
        let mut chunk = line.used.try_recv().unwrap_or_default();
        chunk.clear();
        while more && !chunk.is_full() {
            more = intake.read(&mut chunk);
        }
        line.publish(intake.stats());
        if line.made.send(chunk).is_err() {
            return;
        }
    }
}

impl Packets for PacketThread {
    fn feed(&mut self, meter: &mut Meter) -> bool {
        while let Some(item) = self.chunk.items.get(self.items) {
            self.items += 1;
            match item {
                Item::Source { name, format } => meter.begin_source(name, *format),
                Item::Packet { time, packet, payload } => {
                    let start = self.payloads;
                    self.payloads += payload;
                    let payload = self.chunk.payloads.get(start..self.payloads).unwrap_or_default();
                    if meter.observe(*time, packet, payload).is_break() {
                        return true;
                    }
                }
            }
        }
        let Some(next) = self.worker.next() else { return false };
        self.worker.give_back(std::mem::replace(&mut self.chunk, next));
        (self.items, self.payloads) = (0, 0);
        true
    }

    fn stats(&self) -> SourceStats {
        self.worker.stats()
    }
}

/// Packets on their way from one thread to the other.
#[derive(Default)]
struct Chunk {
    items: Vec<Item>,
    /// Payloads of the packets, one after the other.
    payloads: Vec<u8>,
}

enum Item {
    Source { name: String, format: Format },
    Packet { time: i64, packet: Packet, payload: usize },
}

impl Chunk {
    fn clear(&mut self) {
        self.items.clear();
        self.payloads.clear();
    }

    fn is_full(&self) -> bool {
        self.items.len() >= CHUNK_ITEMS || self.payloads.len() >= CHUNK_PAYLOADS
    }
}

impl PacketSink for Chunk {
    fn begin_source(&mut self, name: &str, format: Format) {
        self.items.push(Item::Source { name: name.to_owned(), format });
    }

    fn packet(&mut self, time: i64, packet: Packet, payload: &[u8]) -> ControlFlow<()> {
        self.payloads.extend_from_slice(payload);
        self.items.push(Item::Packet { time, packet, payload: payload.len() });
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Packets that are handed on at a time: enough that handing on costs nothing, few enough to stay in a core's cache.
const CHUNK_ITEMS: usize = 2048;
/// Payload bytes after which a chunk is handed on.
const CHUNK_PAYLOADS: usize = 1024 * 1024;
/// Messages that wait for their receiver.
const WAITING: usize = 4;

/// A thread that makes things one after the other.
struct Worker<Made, Used> {
    made: Receiver<Made>,
    used: Sender<Used>,
    stats: Arc<Mutex<SourceStats>>,
    thread: Option<JoinHandle<()>>,
}

/// The thread's end of it.
struct Line<Made, Used> {
    made: SyncSender<Made>,
    used: Receiver<Used>,
    stats: Arc<Mutex<SourceStats>>,
}

impl<Made: Send + 'static, Used: Send + 'static> Worker<Made, Used> {
    fn start(stats: SourceStats, run: impl FnOnce(Line<Made, Used>) + Send + 'static) -> Self {
        let (made, receiver) = sync_channel(WAITING);
        let (sender, used) = channel();
        let stats = Arc::new(Mutex::new(stats));
        let line = Line { made, used, stats: Arc::clone(&stats) };
        Self { made: receiver, used: sender, stats, thread: Some(thread::spawn(move || run(line))) }
    }

    /// What the thread made next; `None` when it is done. A thread that panicked panics here.
    fn next(&mut self) -> Option<Made> {
        if let Ok(made) = self.made.recv() {
            return Some(made);
        }
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
        None
    }

    /// Returns memory to be used again.
    fn give_back(&self, used: Used) {
        // A thread that is done needs none.
        drop(self.used.send(used));
    }

    fn stats(&self) -> SourceStats {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<Made, Used> Line<Made, Used> {
    fn publish(&self, stats: SourceStats) {
        *self.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }
}
