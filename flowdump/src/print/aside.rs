//! Rows printed by several threads: each makes the text of some of them, which are written in order.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;

use flowcore::FlowBatch;

use super::Printer;

/// Threads that print, and the memory of their texts.
#[derive(Debug)]
pub(crate) struct Threads {
    texts: Vec<Vec<u8>>,
}

/// The part of a thread.
struct Part<'a> {
    printer: Box<dyn Printer + Send>,
    rows: &'a [usize],
    text: &'a mut Vec<u8>,
    /// How it went; nothing before it was done.
    end: &'a mut Option<io::Result<usize>>,
}

/// Rows of a part: fewer are printed before a thread has started.
const PART_ROWS: usize = 1024;

impl Threads {
    /// So many, with the one that asks for rows.
    pub(crate) fn new(threads: usize) -> Self {
        Self { texts: vec![Vec::new(); threads.saturating_sub(1)] }
    }

    /// Writes these rows in this order: what `printer` alone would write.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn print(
        &mut self,
        printer: &mut dyn Printer,
        batch: &FlowBatch,
        rows: &[usize],
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let parts = (self.texts.len() + 1).min(rows.len() / PART_ROWS).max(1);
        let (own, others) = rows.split_at(rows.len().div_ceil(parts));
        let forks: Vec<_> = (1..parts).filter_map(|_| printer.fork()).collect();
        if forks.is_empty() {
            return printer.rows(batch, &mut rows.iter().copied(), out);
        }
        let mut ends: Vec<Option<io::Result<usize>>> = forks.iter().map(|_| None).collect();
        let slices = others.chunks(rows.len().div_ceil(parts));
        let before: Vec<usize> = forks.iter().map(|fork| fork.state()).collect();
        thread::scope(|scope| {
            let work = forks.into_iter().zip(slices.clone()).zip(self.texts.iter_mut().zip(&mut ends));
            for ((printer, rows), (text, end)) in work {
                let (handover, part) = mpsc::sync_channel::<Part<'_>>(1);
                let started = thread::Builder::new()
                    .name("print".into())
                    .spawn_scoped(scope, move || part.iter().for_each(|part| part.print(batch)));
                // Without a thread the rows are printed below.
                drop(started.map(|_| handover.send(Part { printer, rows, text, end })));
            }
            printer.rows(batch, &mut own.iter().copied(), out)
        })?;
        for (((rows, before), end), text) in slices.zip(before).zip(ends).zip(&self.texts) {
            match end {
                Some(Ok(after)) if before == printer.state() => {
                    out.write_all(text)?;
                    printer.set_state(after);
                }
                Some(Err(error)) => return Err(error),
                _ => printer.rows(batch, &mut rows.iter().copied(), out)?,
            }
        }
        Ok(())
    }
}

impl Part<'_> {
    fn print(mut self, batch: &FlowBatch) {
        self.text.clear();
        let printed = self.printer.rows(batch, &mut self.rows.iter().copied(), self.text);
        *self.end = Some(printed.map(|()| self.printer.state()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::OutputFormat;
    use crate::print::{Style, printer};

    /// Many rows, among which there are some whose addresses are wider than all before.
    fn batch() -> FlowBatch {
        let sample = crate::print::sample::batch();
        let mut batch = FlowBatch::new();
        for row in 0..5 * PART_ROWS + 7 {
            let is_wide = row % (2 * PART_ROWS) > PART_ROWS;
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
                for rows in [&rows[..], &rows[..10], &[], &rows[5..]] {
                    threads.print(printer.as_mut(), &batch, rows, &mut out).unwrap();
                }
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
