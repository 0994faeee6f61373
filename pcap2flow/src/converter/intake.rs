//! Captures in, one after the other; packets to be metered out, with an account of every frame.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::mem;
use std::path::PathBuf;

use flowcore::{
    ByteCount, Detection, Error, Format, Input, Position, Problems, Progress, Result, SourceStats,
};

use super::chunk::Chunk;
use super::sieve::Sieve;
use super::stopper::Stopper;
use crate::capture::CaptureReader;
use crate::options::MeterOptions;
use crate::table::Tagger;

/// The captures of a run.
#[derive(Debug)]
pub(super) struct Intake {
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    sieve: Sieve,
    /// Of the captures that are read.
    stats: SourceStats,
    progress: Progress,
    watcher: Watcher,
    stopper: Stopper,
}

/// What was read of one capture.
#[derive(Debug, Clone)]
pub struct InputAccount {
    /// File name or `stdin`.
    pub name: String,
    /// Format of the capture.
    pub format: Format,
    /// Frames, bytes and the problem that ended reading early, if there was one. The flows are not in it: one flow
    /// can have packets from several captures.
    pub stats: SourceStats,
}

/// The capture being read.
#[derive(Debug)]
struct Current {
    name: String,
    format: Format,
    bytes: ByteCount,
    reader: CaptureReader,
    /// Whether the receiver of the packets knows of it.
    announced: bool,
}

impl Intake {
    /// As [`Converter::open_all`](super::Converter::open_all).
    pub(super) fn open_all(waiting: VecDeque<PathBuf>, options: &MeterOptions) -> Result<Self> {
        let mut intake = Self::new(options)?;
        intake.waiting = waiting;
        for path in &intake.waiting {
            intake.progress.expect(path.metadata().map_or(0, |metadata| metadata.len()));
        }
        intake.open_first()?;
        Ok(intake)
    }

    /// As [`Converter::from_input`](super::Converter::from_input).
    pub(super) fn from_input(input: Input, options: &MeterOptions) -> Result<Self> {
        let mut intake = Self::new(options)?;
        intake.begin(input)?;
        Ok(intake)
    }

    /// What makes the tags of packets.
    pub(super) fn tagger(&self) -> &Tagger {
        self.sieve.tagger()
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }

    pub(super) fn watch(&mut self, watcher: impl FnMut(&InputAccount) + Send + 'static) {
        self.watcher = Watcher(Some(Box::new(watcher)));
    }

    pub(super) fn stop_on(&mut self, stopper: Stopper) {
        self.stopper = stopper;
    }

    /// Adds packets to a chunk until that is full or the bytes at hand are used up; `false` at the end of all captures.
    pub(super) fn read(&mut self, chunk: &mut Chunk) -> bool {
        let Some(current) = &mut self.current else { return self.go_on() };
        if !mem::replace(&mut current.announced, true) {
            chunk.begin_source(&current.name, current.format);
        } else if self.stopper.why().is_some() {
            // Not before the first read: what opening the capture has waited for is taken.
            self.end_current(None);
            return true;
        }
        let sieve = &mut self.sieve;
        match current.reader.read_frames_until(|frame| sieve.take(&frame, chunk)) {
            Ok(true) => {}
            Ok(false) => self.end_current(None),
            Err(error) => {
                let frames = current.reader.frames();
                let error = error.in_input(&current.name).at(Position::Frame(frames + 1));
                self.end_current(Some(error));
            }
        }
        true
    }

    /// What has been read so far.
    pub(super) fn stats(&self) -> SourceStats {
        let mut stats = self.stats.clone();
        if let Some(current) = &self.current {
            let mut so_far = SourceStats {
                frames: current.reader.frames(),
                bytes: current.bytes.get(),
                ..SourceStats::default()
            };
            self.sieve.counts().add_to(&mut so_far);
            stats.merge(so_far);
        }
        stats
    }

    fn new(options: &MeterOptions) -> Result<Self> {
        Ok(Self {
            waiting: VecDeque::new(),
            current: None,
            sieve: Sieve::new(options)?,
            stats: SourceStats::default(),
            progress: Progress::default(),
            watcher: Watcher(None),
            stopper: Stopper::default(),
        })
    }

    /// Opens the first capture that can be opened.
    fn open_first(&mut self) -> Result<()> {
        let mut failure = None;
        while !self.waiting.is_empty() {
            match self.open_next() {
                Ok(_) => {
                    failure.into_iter().for_each(|error| self.stats.problems.push_input(error));
                    return Ok(());
                }
                Err(error) => {
                    if let Some(error) = failure.replace(error) {
                        self.stats.problems.push_input(error);
                    }
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Opens the next capture, or notes why it cannot be opened; `false` when none is left.
    fn go_on(&mut self) -> bool {
        self.open_next().unwrap_or_else(|error| {
            self.stats.problems.push_input(error);
            true
        })
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some(path) = self.waiting.pop_front() else { return Ok(false) };
        self.stats.files += 1;
        self.begin(Input::open(&path, Detection::Bytes)?)?;
        Ok(true)
    }

    fn begin(&mut self, input: Input) -> Result<()> {
        let (name, format, bytes) = (input.name().to_owned(), input.format(), input.byte_count());
        if !format.is_capture() {
            return Err(
                Error::unsupported(format!("no packet capture but a file of format {format}")).in_input(name)
            );
        }
        let reader = CaptureReader::open(input.into_reader()).map_err(|error| error.in_input(&name))?;
        self.progress.begin(bytes.clone());
        self.current = Some(Current { name, format, bytes, reader, announced: false });
        Ok(())
    }

    /// Leaves out the captures that wait, and notes why.
    fn stop(&mut self, why: &str, name: String) {
        self.waiting.clear();
        let frames = self.stats.frames;
        let what = format!("stopped {why} after {frames} frames; what was read is written");
        let error = Error::from(io::Error::new(io::ErrorKind::Interrupted, what));
        self.stats.problems.push_input(error.in_input(name));
    }

    /// Closes the capture being read, whose end this error is, if it is one.
    fn end_current(&mut self, error: Option<Error>) {
        let Some(Current { name, format, bytes, reader, .. }) = self.current.take() else { return };
        let mut problems = Problems::default();
        error.into_iter().for_each(|error| problems.push_input(error));
        let mut stats =
            SourceStats { frames: reader.frames(), bytes: bytes.get(), problems, ..SourceStats::default() };
        self.sieve.take_counts().add_to(&mut stats);
        self.progress.end(stats.bytes);
        self.stats.merge(stats.clone());
        let account = InputAccount { name, format, stats };
        if let Watcher(Some(watcher)) = &mut self.watcher {
            watcher(&account);
        }
        // Where the input is a pipe, its end comes from the same signal.
        if let Some(why) = self.stopper.why() {
            self.stop(why, account.name);
        }
    }
}

/// Who wants to know about captures that were read.
struct Watcher(Option<Box<Watch>>);

type Watch = dyn FnMut(&InputAccount) + Send;

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watcher").field(&self.0.is_some()).finish()
    }
}
