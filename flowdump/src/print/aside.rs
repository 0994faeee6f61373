//! Rows printed by several threads: each makes the text of the rows of one batch after the other, and the texts are
//! written in order.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use flowcore::FlowBatch;

use super::Printer;

/// Threads that print, and what they have in hand.
#[derive(Debug)]
pub(crate) struct Threads {
    /// How many there may be; they are started for the first batch of many rows.
    most: usize,
    started: Vec<JoinHandle<()>>,
    jobs: Option<SyncSender<Job>>,
    /// What was handed to them, in order.
    waiting: VecDeque<Waiting>,
    /// Memory to be used again.
    used: Vec<Rows>,
}

/// Rows to be printed, and their text.
#[derive(Debug, Default)]
struct Rows {
    batch: FlowBatch,
    chosen: Vec<usize>,
    text: Vec<u8>,
}

/// What a thread is to do.
struct Job {
    printer: Box<dyn Printer + Send>,
    rows: Rows,
    /// Gets the rows with their text, and the printer's state behind them.
    done: SyncSender<(Rows, io::Result<usize>)>,
}

/// Rows that a thread has.
#[derive(Debug)]
struct Waiting {
    /// The printer's state that their text begins with.
    before: usize,
    done: Receiver<(Rows, io::Result<usize>)>,
}

/// Batches of fewer rows are printed before a thread has taken them.
const MANY_ROWS: usize = 1024;
/// Batches per thread that are printed or wait to be written.
const IN_HAND: usize = 2;

impl Threads {
    /// So many at most; with one, whoever asks for rows prints them.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, started: Vec::new(), jobs: None, waiting: VecDeque::new(), used: Vec::new() }
    }

    /// Writes these rows in this order, behind those of earlier calls: what `printer` alone would write, some of it later
    /// but not after [`finish`](Self::finish). The batch may become another one.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn print(
        &mut self,
        printer: &mut dyn Printer,
        batch: &mut FlowBatch,
        chosen: Vec<usize>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if chosen.len() >= MANY_ROWS
            && self.start()
            && let Some(fork) = printer.fork()
        {
            self.hand_over(fork, batch, chosen);
            return self.write_down_to(self.started.len() * IN_HAND, printer, out);
        }
        self.finish(printer, out)?;
        printer.rows(batch, &mut chosen.into_iter(), out)
    }

    /// Writes what is printed yet.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn finish(&mut self, printer: &mut dyn Printer, out: &mut dyn Write) -> io::Result<()> {
        self.write_down_to(0, printer, out)
    }

    /// Starts the threads if they are not; whether there are some.
    fn start(&mut self) -> bool {
        if self.jobs.is_none() && self.most > 1 {
            let (jobs, waiting) = mpsc::sync_channel(self.most * IN_HAND);
            let waiting = Arc::new(Mutex::new(waiting));
            let start = |_| {
                let waiting = Arc::clone(&waiting);
                thread::Builder::new().name("print".into()).spawn(move || work(&waiting)).ok()
            };
            self.started = (0..self.most).map_while(start).collect();
            self.jobs = Some(jobs);
        }
        !self.started.is_empty()
    }

    fn hand_over(&mut self, printer: Box<dyn Printer + Send>, batch: &mut FlowBatch, chosen: Vec<usize>) {
        let Rows { batch: used, text, .. } = self.used.pop().unwrap_or_default();
        let rows = Rows { batch: std::mem::replace(batch, used), chosen, text };
        let (done, receiver) = mpsc::sync_channel(1);
        self.waiting.push_back(Waiting { before: printer.state(), done: receiver });
        if let Some(jobs) = &self.jobs {
            // If the threads are gone, what is received says so.
            drop(jobs.send(Job { printer, rows, done }));
        }
    }

    /// Writes texts until no more than so many are to come.
    fn write_down_to(
        &mut self,
        left: usize,
        printer: &mut dyn Printer,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        while self.waiting.len() > left
            && let Some(Waiting { before, done }) = self.waiting.pop_front()
        {
            let Ok((rows, end)) = done.recv() else { self.panic() };
            if before == printer.state() {
                let after = end?;
                out.write_all(&rows.text)?;
                printer.set_state(after);
            } else {
                // Rows before these have changed what theirs look like.
                printer.rows(&rows.batch, &mut rows.chosen.iter().copied(), out)?;
            }
            self.used.push(rows);
        }
        Ok(())
    }

    /// A thread has panicked, and so does this one.
    fn panic(&mut self) -> ! {
        self.jobs = None;
        let ends = self.started.drain(..).map(JoinHandle::join);
        let panic = ends.filter_map(Result::err).next();
        std::panic::resume_unwind(panic.unwrap_or_else(|| Box::new("rows to be printed were lost")))
    }
}

/// Prints rows until no more come.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { mut printer, mut rows, done }) = next else { return };
        rows.text.clear();
        let printed = printer.rows(&rows.batch, &mut rows.chosen.iter().copied(), &mut rows.text);
        let end = printed.map(|()| printer.state());
        // Where an error has ended the list, nobody waits.
        drop(done.send((rows, end)));
    }
}

#[cfg(test)]
mod tests {
    use flowcore::Mask;

    use super::*;
    use crate::args::OutputFormat;
    use crate::print::{Style, printer};

    /// Many rows, among which there are some whose addresses are wider than all before.
    fn batch() -> FlowBatch {
        let sample = crate::print::sample::batch();
        let mut batch = FlowBatch::new();
        for row in 0..5 * MANY_ROWS + 7 {
            let is_wide = row % (2 * MANY_ROWS) > MANY_ROWS;
            let mut flow = sample.flow(if is_wide { row % sample.len() } else { 0 });
            flow.forward.bytes = Some(row as u64 * 1000);
            batch.push(&flow);
        }
        batch
    }

    #[test]
    fn any_number_of_threads_writes_the_same_text() {
        let batch = batch();
        let rows: Vec<usize> = (0..batch.len()).rev().collect();
        let formats = [
            OutputFormat::Line,
            OutputFormat::Extended,
            OutputFormat::Biline,
            OutputFormat::Csv,
            OutputFormat::CsvFast,
            OutputFormat::Json,
            OutputFormat::Ndjson,
        ];
        for format in formats {
            let text = |threads: usize| {
                let (mut out, mut printer) = (Vec::new(), printer(&format, Style::HEADED).unwrap());
                let mut threads = Threads::new(threads);
                let (begin, end) = rows.split_at(MANY_ROWS);
                for rows in [&rows[..], &rows[..10], &[], &rows[5..], end, begin, &rows] {
                    let mut given = FlowBatch::new();
                    given.append(&batch, &Mask::all(batch.len()));
                    threads.print(printer.as_mut(), &mut given, rows.to_vec(), &mut out).unwrap();
                }
                threads.finish(printer.as_mut(), &mut out).unwrap();
                printer.end(&mut out).unwrap();
                out
            };
            let expected = text(1);
            assert!(!expected.is_empty());
            for threads in [2, 3, 8] {
                assert!(text(threads) == expected, "{format:?} {threads}");
            }
        }
    }
}
