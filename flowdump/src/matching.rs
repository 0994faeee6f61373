//! The records that a report is made of: inputs opened for what it needs, filtered, counted, and accounted for at the
//! end.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use flowcore::{
    FieldSet, FlowBatch, FlowSource, Inputs, Mask, OpenOptions, ProgressLine, ReadRequest, Result,
};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::print::{Summary, Times, terminal_lines};

/// The matching records of the plan's inputs.
pub(crate) struct Matching<'a> {
    plan: &'a Plan,
    inputs: Inputs,
    start: Instant,
    /// Time that reading and taking the records took.
    reading: Duration,
    summary: Summary,
    passed: u64,
}

impl<'a> Matching<'a> {
    /// Opens the inputs for these stored fields, and for the columns that have no field if they are wanted too. What the
    /// filter and the summary look at is read in any case.
    ///
    /// # Errors
    /// When an input is missing.
    pub(crate) fn open(plan: &'a Plan, fields: FieldSet, unknown_columns: bool) -> Result<Self> {
        let start = Instant::now();
        let request = read_request(plan, fields, unknown_columns);
        let inputs = open_options(plan, request).open_all(&plan.inputs)?;
        Ok(Self { plan, inputs, start, reading: Duration::ZERO, summary: Summary::default(), passed: 0 })
    }

    /// Calls `take` with each batch and its matching rows, up to the `-c` of the plan and this many rows in all.
    ///
    /// # Errors
    /// When the inputs cannot be read on, or `take` fails.
    pub(crate) fn each(
        &mut self,
        most: u64,
        mut take: impl FnMut(&FlowBatch, &Mask) -> Result<()>,
    ) -> Result<()> {
        let progress = self.plan.progress.then(|| ProgressLine::start(self.inputs.progress()));
        let most = self.plan.limit.unwrap_or(u64::MAX).min(most);
        let start = Instant::now();
        let mut batch = FlowBatch::new();
        while self.passed < most && self.inputs.read_batch(&mut batch)? {
            let mut chosen = self.plan.filter.select(&batch);
            if let Ok(left) = usize::try_from(most - self.passed) {
                chosen.limit(left);
            }
            self.passed += chosen.count() as u64;
            self.summary.add(&batch, &chosen);
            take(&batch, &chosen)?;
        }
        self.reading += start.elapsed();
        drop(progress);
        Ok(())
    }

    /// Totals of the rows so far.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Rows so far.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// Prints the summary, and names what is not there and what went wrong on stderr; the outcome that follows from it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn close(self) -> Result<Outcome> {
        if !self.plan.quiet {
            self.print_summary()?;
        }
        let mut problems = self.plan.missing.clone();
        problems.merge(self.inputs.stats().problems);
        Ok(report(&problems))
    }

    /// The summary goes with a listing on a terminal, and to stderr when the listing goes to a program or is for one.
    fn print_summary(&self) -> Result<()> {
        let (stats, times) = (self.inputs.stats(), Times::new(self.reading, self.start.elapsed()));
        let print = |out: &mut dyn Write| self.summary.print(&stats, &times, self.plan.plain_numbers, out);
        let is_for_program = self.plan.write.is_some() || self.plan.output.is_for_programs();
        if io::stdout().is_terminal() && !is_for_program {
            print(&mut io::stdout())?;
        } else {
            // stderr may be closed; the records are out all the same.
            drop(print(&mut io::stderr()));
        }
        Ok(())
    }
}

/// What is read for these fields: also what the filter and the summary look at.
pub(crate) fn read_request(plan: &Plan, fields: FieldSet, unknown_columns: bool) -> ReadRequest {
    ReadRequest {
        fields: fields.union(plan.filter.fields()).union(Summary::fields()),
        unknown_columns: unknown_columns || plan.filter.unknown_columns(),
        filter: Some(plan.filter.clone()),
        status_rows: plan.filter.wants_status_rows(),
    }
}

/// How inputs are opened for this plan.
pub(crate) fn open_options(plan: &Plan, request: ReadRequest) -> OpenOptions {
    OpenOptions::new()
        .request(request)
        .detection(plan.detection)
        .vpc(plan.vpc.clone())
        .captures(pcap2flow::capture_opener(plan.meter.clone()))
}

/// Names problems on stderr; the outcome that follows from them.
pub(crate) fn report(problems: &flowcore::Problems) -> Outcome {
    if problems.is_empty() {
        return Outcome::Complete;
    }
    // stderr may be closed; the exit code says it too.
    drop(problems.report("flowdump", &mut io::stderr()));
    Outcome::Incomplete
}

/// A line for a person on stderr, which may be closed.
pub(crate) fn tell(text: &str) {
    drop(writeln!(io::stderr(), "{}", terminal_lines(text)));
}
