//! The records that a report is made of: inputs opened for what it needs, filtered, counted, and accounted for at the
//! end.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use flowcore::aggregate::{Order, Selection};
use flowcore::{
    Copies, CopyEstimate, Error, FieldSet, FlowBatch, FlowSource, Folded, Inputs, LikelyCopies, Mask,
    OpenOptions, ProgressLine, ReadRequest, Result, SourceStats,
};

use crate::args::{OutputFormat, Plan, StatsFormat, Stitched};
use crate::exit::Outcome;
use crate::print::{Summary, Times, print_json, print_table, terminal_lines};

/// The matching records of the plan's inputs.
pub(crate) struct Matching<'a> {
    plan: &'a Plan,
    inputs: Inputs,
    start: Instant,
    /// Time that reading and taking the records took.
    reading: Duration,
    summary: Summary,
    passed: u64,
    /// Rows that were left out as copies, and their bytes.
    folded: (u64, u64),
    /// What the report looks at.
    fields: FieldSet,
    /// How many rows may be copies, where they are not left out.
    estimate: Option<CopyEstimate>,
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
        Ok(Self {
            plan,
            inputs,
            start,
            reading: Duration::ZERO,
            summary: Summary::default(),
            passed: 0,
            folded: (0, 0),
            fields,
            estimate: wants_estimate(plan).then(CopyEstimate::new),
        })
    }

    /// Calls `take` with each batch, which it may exchange for another one, and its matching rows, up to the `-c` of the
    /// plan and this many rows in all. Of matching rows that are copies of each other one is taken, where the plan says so; those are known at the end only.
    ///
    /// # Errors
    /// When the inputs cannot be read on, there are more rows to look for copies among than can be held, or `take` fails.
    pub(crate) fn each(
        &mut self,
        most: u64,
        mut take: impl FnMut(&mut FlowBatch, Mask) -> Result<()>,
    ) -> Result<()> {
        let progress = self.plan.progress.then(|| ProgressLine::start(self.inputs.progress()));
        let most = self.plan.limit.unwrap_or(u64::MAX).min(most);
        let start = Instant::now();
        match &self.plan.stitched {
            Some(stitched) => self.connections(stitched, most, &mut take)?,
            None => self.rows(|records, batch, chosen| {
                records.pass(batch, chosen, most, &mut take)?;
                Ok(records.passed < most)
            })?,
        }
        self.reading += start.elapsed();
        drop(progress);
        Ok(())
    }

    /// Calls `take` with each batch of the inputs and its matching rows, copies left out where the plan says so, until it
    /// wants no more.
    fn rows(&mut self, mut take: impl FnMut(&mut Self, &mut FlowBatch, Mask) -> Result<bool>) -> Result<()> {
        if self.plan.dedup {
            let folded = self.fold()?;
            self.folded = (folded.copies(), folded.bytes());
            for (mut batch, chosen) in folded.into_batches() {
                take(self, &mut batch, chosen)?;
            }
            return Ok(());
        }
        let mut batch = FlowBatch::new();
        while self.inputs.read_batch(&mut batch)? {
            let chosen = self.plan.filter.select(&batch);
            if !take(self, &mut batch, chosen)? {
                break;
            }
        }
        Ok(())
    }

    /// Joins all rows and calls `take` with the connections that the plan wants.
    fn connections(
        &mut self,
        stitched: &Stitched,
        most: u64,
        take: &mut impl FnMut(&mut FlowBatch, Mask) -> Result<()>,
    ) -> Result<()> {
        let mut joined = stitched.connections(self.fields).max_memory(self.plan.memory);
        self.rows(|_, batch, chosen| {
            let named = |error: Error| Error::argument(format!("--stitch: {error}"));
            joined.add(batch, &chosen).map_err(named)?;
            Ok(true)
        })?;
        let wanted = Selection { order: Order::FIRST, limit: usize::MAX, filter: stitched.filter.as_ref() };
        joined.records(wanted).try_for_each(|mut batch| {
            let all = Mask::all(batch.len());
            self.pass(&mut batch, all, most, take)
        })
    }

    /// Reads all matching rows and finds the copies among them.
    fn fold(&mut self) -> Result<Folded> {
        let mut copies = Copies::new().max_memory(self.plan.memory);
        let mut batch = FlowBatch::new();
        while self.inputs.read_batch(&mut batch)? {
            let chosen = self.plan.filter.select(&batch);
            let named = |error: Error| Error::argument(format!("--dedup: {error}"));
            copies.add(&batch, &chosen).map_err(named)?;
        }
        Ok(copies.fold())
    }

    /// Counts the chosen rows, up to so many in all, and hands them on.
    fn pass(
        &mut self,
        batch: &mut FlowBatch,
        mut chosen: Mask,
        most: u64,
        take: &mut impl FnMut(&mut FlowBatch, Mask) -> Result<()>,
    ) -> Result<()> {
        if let Ok(left) = usize::try_from(most.saturating_sub(self.passed)) {
            chosen.limit(left);
        }
        self.passed += chosen.count() as u64;
        self.summary.add(batch, &chosen);
        self.estimate.iter_mut().for_each(|estimate| estimate.add(batch, &chosen));
        take(batch, chosen)
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
    pub(crate) fn close(mut self) -> Result<Outcome> {
        let mut stats = self.inputs.stats();
        (stats.copies, stats.copies_bytes) = self.folded;
        let likely = self.estimate.take().map(CopyEstimate::finish);
        match self.plan.stats {
            Some(format) => self.print_stats(format, &stats, likely)?,
            None if self.plan.quiet => {}
            None => {
                self.print_summary(&stats)?;
                likely.and_then(warning).iter().for_each(|line| tell(line));
            }
        }
        Ok(conclude(self.plan, stats))
    }

    /// The account goes to stdout where records do not go there.
    fn print_stats(
        &self,
        format: StatsFormat,
        stats: &SourceStats,
        likely: Option<LikelyCopies>,
    ) -> Result<()> {
        let print = |out: &mut dyn Write| match format {
            StatsFormat::Table => print_table(&self.summary, stats, likely, out),
            StatsFormat::Json => print_json(&self.summary, stats, likely, out),
        };
        let is_stdout = |path: &Path| path == Path::new("-") || path == Path::new("/dev/stdout");
        let stdout_is_free = match &self.plan.write {
            Some(path) => !is_stdout(path),
            None => self.plan.output == OutputFormat::Null,
        };
        if stdout_is_free {
            print(&mut io::stdout().lock())?;
        } else {
            // stderr may be closed; the records are out all the same.
            drop(print(&mut io::stderr()));
        }
        Ok(())
    }

    /// The summary goes with a listing on a terminal, and to stderr when the listing goes to a program or is for one.
    fn print_summary(&self, stats: &SourceStats) -> Result<()> {
        let times = Times::new(self.reading, self.start.elapsed());
        let print = |out: &mut dyn Write| self.summary.print(stats, &times, self.plan.plain_numbers, out);
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

/// For those who read the summary or the account.
fn wants_estimate(plan: &Plan) -> bool {
    (!plan.quiet || plan.stats.is_some()) && !plan.dedup && plan.stitched.is_none()
}

/// The warning that sums count traffic twice.
fn warning(likely: LikelyCopies) -> Option<String> {
    let LikelyCopies { records, bytes, one_in, .. } = likely;
    if records == 0 {
        return None;
    }
    let about = if one_in > 1 { "about " } else { "" };
    let sample = if one_in > 1 { format!(", judged by a sample of 1 in {one_in}") } else { String::new() };
    Some(format!(
        "{about}{records} records may be copies that another interface or flow log wrote of the same traffic ({about}{bytes} \
         bytes{sample}); --dedup counts them once"
    ))
}

/// What is read for these fields: also what the filter and the summary look at.
pub(crate) fn read_request(plan: &Plan, fields: FieldSet, unknown_columns: bool) -> ReadRequest {
    let copies = if plan.dedup { Copies::fields() } else { FieldSet::EMPTY };
    let joined = plan.stitched.as_ref().map_or(FieldSet::EMPTY, |first| first.connections(fields).fields());
    ReadRequest {
        fields: fields.union(plan.filter.fields()).union(Summary::fields()).union(copies).union(joined),
        unknown_columns: unknown_columns || plan.filter.unknown_columns(),
        filter: Some(plan.filter.clone()),
        status_rows: plan.all_rows || plan.filter.wants_status_rows(),
    }
}

/// How inputs are opened for this plan.
pub(crate) fn open_options(plan: &Plan, request: ReadRequest) -> OpenOptions {
    OpenOptions::new()
        .request(request)
        .fields_of_logs(if wants_estimate(plan) { CopyEstimate::fields() } else { FieldSet::EMPTY })
        .detection(plan.detection)
        .vpc(plan.vpc.clone())
        .window(plan.period.0, plan.period.1)
        .captures(pcap2flow::capture_opener(plan.meter.clone()))
}

/// Names what went wrong on stderr, and with `--strict` what is missing; the outcome that follows from it.
pub(crate) fn conclude(plan: &Plan, stats: SourceStats) -> Outcome {
    let missing = missing_evidence(&stats);
    let mut problems = plan.missing.clone();
    problems.merge(stats.problems);
    let outcome = report(&problems);
    match missing {
        Some(what) if plan.strict => {
            tell(&format!("flowdump: --strict: evidence is missing: {what}"));
            Outcome::Incomplete
        }
        _ => outcome,
    }
}

/// What cloud logs lack.
fn missing_evidence(stats: &SourceStats) -> Option<String> {
    let counts = [("SKIPDATA", stats.skipdata), ("slots without a file", stats.origins.missing_slots())];
    let nothing = stats.files == 0 && stats.files_outside_window > 0;
    let parts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}: {count}"))
        .chain(nothing.then(|| "no file is of the window".to_owned()))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
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
