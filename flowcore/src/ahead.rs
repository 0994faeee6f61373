//! Cloud logs read by threads, ahead of whoever takes their flows and in the order of the inputs.
//!
//! A folder of logs is many small compressed texts: unpacking and parsing them is nearly all of the work, and no file needs
//! another one. In go the paths of inputs, out come [`Opened`] inputs whose source hands on what a thread has read. Each
//! input has a channel with room for few batches, and few inputs are begun at a time, so that memory depends neither on
//! their number nor on their size. Inputs of other formats are handed over unread.

use std::collections::VecDeque;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};
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
    /// The inputs that have been begun, in their order; `None` for one that is not read ahead.
    begun: VecDeque<Option<Receiver<Message>>>,
}

/// An input on its way to a thread.
struct Job {
    path: PathBuf,
    outlet: SyncSender<Message>,
}

/// What comes of an input: one of the first three, and of a log its batches.
enum Message {
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

/// Batches of an input that wait to be taken.
const WAITING: usize = 2;

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
        let depth = self.threads.len() + 2;
        for path in waiting.iter().take(depth).skip(self.begun.len()) {
            let begun = self.begin(path);
            self.begun.push_back(begun);
        }
        let messages = self.begun.pop_front()??;
        Some(match messages.recv() {
            Ok(Message::Failed(error)) => Err(error),
            Ok(Message::NoLog(input)) => Ok(Next::NoLog(input)),
            Ok(Message::Log { name, format }) => Ok(Next::Log(opened(name, format, messages))),
            Ok(Message::Read { .. } | Message::End { .. }) | Err(_) => Err(ended_early()),
        })
    }

    /// Files alone are begun: a pipe may have to be waited for, and standard input is there once.
    fn begin(&self, path: &Path) -> Option<Receiver<Message>> {
        if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return None;
        }
        let (outlet, messages) = mpsc::sync_channel(WAITING);
        // If no thread takes it, nothing will come, which the other end tells.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(Job { path: path.to_owned(), outlet }));
        Some(messages)
    }
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
        let Ok(job) = job else { return };
        // That nobody wants what comes of it any more is no reason to stop: the next input may be wanted.
        drop(read(options, &job));
    }
}

/// Nobody waits for the input any more.
struct Gone;

/// Opens an input and, if it is a log, reads it to its end.
fn read(options: &OpenOptions, job: &Job) -> std::result::Result<(), Gone> {
    let send = |message| job.outlet.send(message).map_err(|_| Gone);
    let input = match Input::open(&job.path, options.how_to_detect()) {
        Ok(input) if input.format().is_cloud_log() => input,
        Ok(input) => return send(Message::NoLog(Box::new(input))),
        Err(error) => return send(Message::Failed(error)),
    };
    let Opened { name, format, bytes, mut source } = match options.opened(input) {
        Ok(opened) => opened,
        Err(error) => return send(Message::Failed(error)),
    };
    send(Message::Log { name, format })?;
    loop {
        let mut batch = FlowBatch::new();
        let read = source.read_batch(&mut batch);
        let account = Box::new(Account { stats: source.stats(), bytes: bytes.get() });
        match read {
            Ok(true) => send(Message::Read { batch, account })?,
            Ok(false) => return send(Message::End { end: Ok(()), account }),
            Err(error) => return send(Message::End { end: Err(error), account }),
        }
    }
}

fn opened(name: String, format: Format, messages: Receiver<Message>) -> Opened {
    let bytes = ByteCount::default();
    let source = Handed { messages: Some(messages), stats: SourceStats::default(), bytes: bytes.clone() };
    Opened { name, format, bytes, source: Box::new(source) }
}

/// A log that a thread reads.
struct Handed {
    /// Nothing after the end.
    messages: Option<Receiver<Message>>,
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
        let Some(messages) = &self.messages else { return Ok(false) };
        match messages.recv() {
            Ok(Message::Read { batch: read, account }) => {
                *batch = read;
                self.account(*account);
                Ok(true)
            }
            Ok(Message::End { end, account }) => {
                self.messages = None;
                self.account(*account);
                end.map(|()| false)
            }
            _ => {
                self.messages = None;
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
