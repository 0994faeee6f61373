//! Cloud logs read by threads, ahead of whoever takes their flows and in the order of the inputs.
//!
//! A folder of logs is many small compressed texts: unpacking and parsing them is nearly all of the work, and no file needs
//! another one. In go the paths of inputs, out come [`Opened`] inputs whose source hands on what a thread has read. Small
//! files that follow one another are one job, whose results are handed over together, so that threads rarely wait for each
//! other. A job has a channel with room for few messages, and few jobs are begun at a time, so that memory depends neither
//! on the number of inputs nor on their size. Inputs of other formats are handed over unread.

use std::collections::VecDeque;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::format::Format;
use crate::input::{ByteCount, Input};
use crate::open::OpenOptions;
use crate::source::{FlowSource, SourceStats};

/// An input that has been opened.
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// Bytes read of it.
    pub(crate) bytes: ByteCount,
    pub(crate) source: Box<dyn FlowSource>,
}

/// Threads that read logs. They end when this is dropped, which waits for them: sources that they read for have to be
/// dropped first.
pub(crate) struct Ahead {
    /// The threads end when it closes.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// The inputs that have been begun, job by job.
    begun: VecDeque<Begun>,
}

/// Inputs that follow one another.
struct Begun {
    /// How many are still to be handed over.
    inputs: usize,
    /// What becomes of them; `None` for one that is not read ahead.
    outcomes: Option<Arc<Mutex<Outcomes>>>,
}

/// Inputs on their way to a thread.
struct Job {
    paths: Vec<PathBuf>,
    outlet: SyncSender<Vec<Outcome>>,
}

/// What comes of an input: one of the first three, and of a log its batches and an end.
enum Outcome {
    Failed(Error),
    NoLog(Box<Input>),
    Log { name: String, format: Format },
    Read { batch: FlowBatch, account: Box<Account> },
    End { end: Result<()>, account: Box<Account> },
}

/// How far a thread had come when it handed something on.
#[derive(Default)]
struct Account {
    stats: SourceStats,
    bytes: u64,
}

/// More threads than this are not started: whoever takes the flows could not keep up with them.
const MAX_THREADS: usize = 8;

/// Messages of a job that wait to be taken.
const WAITING: usize = 2;

/// Most files of a job, and most bytes of them. Few enough that many jobs come of a folder.
const JOB_FILES: usize = 16;
const JOB_BYTES: u64 = 256 * 1024;

/// Rows, and bytes of their texts, after which a message is handed on.
const MESSAGE_ROWS: usize = 4096;
const MESSAGE_TEXTS: usize = 1024 * 1024;

impl Ahead {
    /// So many threads for inputs that are opened in this way; `None` for less than two, or if the system refuses them.
    pub(crate) fn new(options: &OpenOptions, threads: usize) -> Option<Self> {
        if threads < 2 {
            return None;
        }
        let (jobs, queue) = mpsc::channel();
        let (options, queue) = (Arc::new(options.clone()), Arc::new(Mutex::new(queue)));
        let start = |number| {
            let (options, queue) = (Arc::clone(&options), Arc::clone(&queue));
            thread::Builder::new().name(format!("log-{number}")).spawn(move || work(&options, &queue))
        };
        let threads = (0..threads).map(start).collect::<std::io::Result<_>>().ok()?;
        Some(Self { jobs: Some(jobs), threads, begun: VecDeque::new() })
    }

    /// The first of the inputs that wait, if it is read ahead; those behind it are begun too. To be called once for each.
    pub(crate) fn next(&mut self, waiting: &VecDeque<PathBuf>) -> Option<Result<Next>> {
        self.begin(waiting);
        let first = self.begun.front_mut()?;
        first.inputs -= 1;
        let (is_last, outcomes) = (first.inputs == 0, first.outcomes.clone());
        if is_last {
            self.begun.pop_front();
        }
        let outcomes = outcomes?;
        let outcome = lock(&outcomes).next_input();
        Some(match outcome {
            Some(Outcome::Failed(error)) => Err(error),
            Some(Outcome::NoLog(input)) => Ok(Next::NoLog(input)),
            Some(Outcome::Log { name, format }) => Ok(Next::Log(opened(name, format, outcomes))),
            Some(Outcome::Read { .. } | Outcome::End { .. }) | None => Err(ended_early()),
        })
    }

    /// Begins jobs of the inputs that wait until there are enough.
    fn begin(&mut self, waiting: &VecDeque<PathBuf>) {
        let mut inputs: usize = self.begun.iter().map(|begun| begun.inputs).sum();
        while self.begun.len() < self.threads.len() + 2 && inputs < waiting.len() {
            let left = waiting.len() - inputs;
            let most = (left / (4 * self.threads.len())).clamp(1, JOB_FILES);
            let begun = self.begin_job(waiting.range(inputs..).take(most));
            inputs += begun.inputs;
            self.begun.push_back(begun);
        }
    }

    /// Begins a job of the first one of these inputs and those that are small enough to be read with it. Files alone are
    /// begun: a pipe may have to be waited for, and standard input is there once.
    fn begin_job<'a>(&self, paths: impl Iterator<Item = &'a PathBuf>) -> Begun {
        let mut bytes = 0_u64;
        let fits = |path: &&PathBuf| {
            let Some(len) = file_len(path) else { return false };
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(len.max(1));
            is_first || bytes <= JOB_BYTES
        };
        let paths: Vec<PathBuf> = paths.take_while(fits).cloned().collect();
        if paths.is_empty() {
            return Begun { inputs: 1, outcomes: None };
        }
        let inputs = paths.len();
        let (outlet, messages) = mpsc::sync_channel(WAITING);
        // If no thread takes it, nothing will come, which the other end tells.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(Job { paths, outlet }));
        let outcomes = Outcomes { messages, taken: VecDeque::new(), is_inside: false };
        Begun { inputs, outcomes: Some(Arc::new(Mutex::new(outcomes))) }
    }
}

fn file_len(path: &Path) -> Option<u64> {
    path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

/// Threads where nothing is said: one a core.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS)
}

/// What an input is that was begun.
pub(crate) enum Next {
    Log(Opened),
    NoLog(Box<Input>),
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.begun.clear();
        drop(self.jobs.take());
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Takes jobs until there are no more.
fn work(options: &OpenOptions, queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(Job { paths, outlet }) = job else { return };
        let mut message = Message { outlet, outcomes: Vec::new(), rows: 0, texts: 0 };
        // That nobody wants what comes of it any more is no reason to stop: the next job may be wanted.
        drop(
            paths.iter().try_for_each(|path| read(options, path, &mut message)).and_then(|()| message.send()),
        );
    }
}

/// Nobody waits for the input any more.
struct Gone;

/// What is handed over next.
struct Message {
    outlet: SyncSender<Vec<Outcome>>,
    outcomes: Vec<Outcome>,
    rows: usize,
    texts: usize,
}

impl Message {
    /// Adds an outcome, and hands all of them on if they are enough.
    fn push(&mut self, outcome: Outcome) -> std::result::Result<(), Gone> {
        if let Outcome::Read { batch, .. } = &outcome {
            self.rows += batch.len();
            self.texts += batch.text_bytes();
        }
        self.outcomes.push(outcome);
        if self.rows >= MESSAGE_ROWS || self.texts >= MESSAGE_TEXTS { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> std::result::Result<(), Gone> {
        (self.rows, self.texts) = (0, 0);
        self.outlet.send(std::mem::take(&mut self.outcomes)).map_err(|_| Gone)
    }
}

/// Opens an input and, if it is a log, reads it to its end.
fn read(options: &OpenOptions, path: &Path, message: &mut Message) -> std::result::Result<(), Gone> {
    let input = match Input::open(path, options.how_to_detect()) {
        Ok(input) if input.format().is_cloud_log() => input,
        Ok(input) => return message.push(Outcome::NoLog(Box::new(input))),
        Err(error) => return message.push(Outcome::Failed(error)),
    };
    let Opened { name, format, bytes, mut source } = match options.opened(input) {
        Ok(opened) => opened,
        Err(error) => return message.push(Outcome::Failed(error)),
    };
    message.push(Outcome::Log { name, format })?;
    loop {
        let mut batch = FlowBatch::new();
        let read = source.read_batch(&mut batch);
        let account = Box::new(Account { stats: source.stats(), bytes: bytes.get() });
        match read {
            Ok(true) => message.push(Outcome::Read { batch, account })?,
            Ok(false) => return message.push(Outcome::End { end: Ok(()), account }),
            Err(error) => return message.push(Outcome::End { end: Err(error), account }),
        }
    }
}

/// What comes of the inputs of a job, in their order.
struct Outcomes {
    messages: Receiver<Vec<Outcome>>,
    /// A message whose outcomes are being taken.
    taken: VecDeque<Outcome>,
    /// Whether the end of a log is still to come.
    is_inside: bool,
}

impl Outcomes {
    /// The next outcome; `None` if the thread is gone.
    fn next(&mut self) -> Option<Outcome> {
        while self.taken.is_empty() {
            self.taken = self.messages.recv().ok()?.into();
        }
        let next = self.taken.pop_front()?;
        self.is_inside = matches!(next, Outcome::Log { .. } | Outcome::Read { .. });
        Some(next)
    }

    /// What the next input is. What nobody took of the one before is passed over.
    fn next_input(&mut self) -> Option<Outcome> {
        while self.is_inside {
            self.next()?;
        }
        self.next()
    }
}

fn lock(outcomes: &Mutex<Outcomes>) -> std::sync::MutexGuard<'_, Outcomes> {
    outcomes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn opened(name: String, format: Format, outcomes: Arc<Mutex<Outcomes>>) -> Opened {
    let bytes = ByteCount::default();
    let source = Handed { outcomes: Some(outcomes), stats: SourceStats::default(), bytes: bytes.clone() };
    Opened { name, format, bytes, source: Box::new(source) }
}

/// A log that a thread reads.
struct Handed {
    /// Nothing after the end.
    outcomes: Option<Arc<Mutex<Outcomes>>>,
    stats: SourceStats,
    bytes: ByteCount,
}

impl Handed {
    fn account(&mut self, account: Account) {
        self.stats = account.stats;
        self.bytes.set(account.bytes);
    }
}

impl FlowSource for Handed {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        batch.clear();
        let Some(outcomes) = &self.outcomes else { return Ok(false) };
        let outcome = lock(outcomes).next();
        match outcome {
            Some(Outcome::Read { batch: read, account }) => {
                *batch = read;
                self.account(*account);
                Ok(true)
            }
            Some(Outcome::End { end, account }) => {
                self.outcomes = None;
                self.account(*account);
                end.map(|()| false)
            }
            _ => {
                self.outcomes = None;
                Err(ended_early())
            }
        }
    }

    fn stats(&self) -> SourceStats {
        self.stats.clone()
    }
}

fn ended_early() -> Error {
    Error::damaged("the thread that reads it ended early")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Flow;
    use std::io::Write;

    /// A folder of logs, some of them damaged, and of other files.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("flowcore-ahead-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for number in 0..40 {
            let rows: String = (0..number * 7).map(|row| format!("10.0.{number}.1 {row} OK\n")).collect();
            let log = format!("srcaddr bytes log-status\n{rows}10.0.0.1 x OK\n- - SKIPDATA\n");
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(log.as_bytes()).unwrap();
            let mut packed = gzip.finish().unwrap();
            packed.truncate(if number % 10 == 9 { packed.len() / 2 } else { packed.len() });
            std::fs::write(folder.join(format!("{number:02}.log.gz")), packed).unwrap();
        }
        std::fs::write(folder.join("20-other.txt"), "neither one nor the other").unwrap();
        folder
    }

    fn read(folder: &Path, threads: usize) -> (Vec<Flow>, SourceStats) {
        let mut inputs = OpenOptions::new().threads(threads).open(folder).unwrap();
        let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
        while inputs.read_batch(&mut batch).unwrap() {
            flows.extend((0..batch.len()).map(|row| batch.flow(row)));
        }
        (flows, inputs.stats())
    }

    #[test]
    fn any_number_of_threads_gives_the_same_flows_and_the_same_account() {
        let folder = folder("same");
        let (flows, stats) = read(&folder, 1);
        assert!(flows.len() > 4000 && stats.bad_records > 30 && stats.skipdata > 30 && stats.files == 41);
        assert_eq!(stats.problems.total(), stats.bad_records + 4 + 1);
        for threads in [2, 3, 8] {
            let (other, account) = read(&folder, threads);
            assert!(flows == other, "{threads} threads");
            assert_eq!(format!("{account:?}"), format!("{stats:?}"));
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn who_has_enough_may_leave() {
        let folder = folder("left");
        for batches in 0..6 {
            let mut inputs = OpenOptions::new().threads(4).open(&folder).unwrap();
            let mut batch = FlowBatch::new();
            for _ in 0..batches {
                assert!(inputs.read_batch(&mut batch).unwrap());
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
