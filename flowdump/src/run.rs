//! The run: inputs to filter to list or file, with the summary behind it.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

use flowcore::{
    Error, FlowBatch, FlowSource, Inputs, Mask, OpenOptions, ProgressLine, ReadRequest, Result, SourceStats,
};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::info;
use crate::order::Sorter;
use crate::output::Output;
use crate::print::{Summary, terminal_lines};
use crate::stat;
use crate::verify;

/// Does what the plan says.
///
/// # Errors
/// When nothing can be done: an input that is missing, an output that cannot be written.
pub fn run(plan: &Plan) -> Result<Outcome> {
    if let Some(file) = &plan.verify {
        return verify::run(file, plan.detection);
    }
    if plan.info {
        return info::run(plan);
    }
    if !plan.statistics.is_empty() {
        return stat::run(plan);
    }
    list(plan)
}

/// How inputs are opened for this plan.
pub(crate) fn open_options(plan: &Plan, request: ReadRequest) -> OpenOptions {
    OpenOptions::new()
        .request(request)
        .detection(plan.detection)
        .vpc(plan.vpc.clone())
        .captures(pcap2flow::capture_opener(plan.meter.clone()))
}

fn list(plan: &Plan) -> Result<Outcome> {
    let start = Instant::now();
    let mut output = Output::open(plan)?;
    let mut inputs = open_options(plan, request(plan, &output)).open_all(&plan.inputs)?;
    output.begin()?;
    let progress = plan.progress.then(|| ProgressLine::start(inputs.progress()));
    let mut list = List { plan, output: &mut output, sorter: None, summary: Summary::default(), passed: 0 };
    list.sorter = plan.order.map(|order| Sorter::new(order, plan.top));
    let read = list.read(&mut inputs);
    drop(progress);
    read?;
    let List { sorter, summary, .. } = list;
    if let Some(sorter) = sorter {
        let (rows, order) = sorter.finish();
        output.write_ordered(&rows, &order)?;
    }
    let dropped = output.finish()?;
    let stats = inputs.stats();
    if !plan.quiet {
        if !dropped.is_empty() {
            // stderr may be closed; the file is complete all the same.
            drop(writeln!(io::stderr(), "flowdump: {}", terminal_lines(&dropped.to_string())));
        }
        print_summary(plan, &summary, &stats, start)?;
    }
    Ok(report_problems(plan, &stats))
}

/// What readers have to deliver for the filter, the output, the order and the summary.
fn request(plan: &Plan, output: &Output) -> ReadRequest {
    let (fields, unknown_columns) = output.needs();
    let order = plan.order.map_or(flowcore::FieldSet::EMPTY, crate::order::Order::fields);
    ReadRequest {
        fields: fields.union(plan.filter.fields()).union(order).union(Summary::fields()),
        unknown_columns: unknown_columns || plan.filter.unknown_columns(),
        filter: Some(plan.filter.clone()),
        status_rows: plan.filter.wants_status_rows(),
    }
}

/// The list while it is made.
struct List<'a> {
    plan: &'a Plan,
    output: &'a mut Output,
    sorter: Option<Sorter>,
    summary: Summary,
    passed: u64,
}

impl List<'_> {
    fn read(&mut self, inputs: &mut Inputs) -> Result<()> {
        let mut batch = FlowBatch::new();
        while !self.is_full() && inputs.read_batch(&mut batch)? {
            let mut chosen = self.plan.filter.select(&batch);
            self.cut(&mut chosen);
            self.passed += chosen.count() as u64;
            self.summary.add(&batch, &chosen);
            match &mut self.sorter {
                Some(sorter) => sorter.add(&batch, &chosen),
                None => self.output.write(&batch, &chosen)?,
            }
        }
        Ok(())
    }

    /// Records after which nothing more is wanted: `-c`, and `-n` where nothing is sorted.
    fn end(&self) -> u64 {
        let top = self.plan.top.filter(|_| self.sorter.is_none()).map_or(u64::MAX, |top| top as u64);
        self.plan.limit.unwrap_or(u64::MAX).min(top)
    }

    fn is_full(&self) -> bool {
        self.passed >= self.end()
    }

    fn cut(&self, chosen: &mut Mask) {
        let left = self.end() - self.passed;
        if let Ok(left) = usize::try_from(left) {
            chosen.limit(left);
        }
    }
}

/// The summary goes with a listing on a terminal, and to stderr when the listing goes to a program.
pub(crate) fn print_summary(
    plan: &Plan,
    summary: &Summary,
    stats: &SourceStats,
    start: Instant,
) -> Result<()> {
    let print = |out: &mut dyn Write| summary.print(stats, start.elapsed(), plan.plain_numbers, out);
    if io::stdout().is_terminal() && plan.write.is_none() {
        print(&mut io::stdout())?;
    } else {
        // stderr may be closed; the records are out all the same.
        drop(print(&mut io::stderr()));
    }
    Ok(())
}

/// Names what is not there and what went wrong on stderr; the outcome that follows from it.
pub(crate) fn report_problems(plan: &Plan, stats: &SourceStats) -> Outcome {
    let mut problems = plan.missing.clone();
    problems.merge(stats.problems.clone());
    if problems.is_empty() {
        return Outcome::Complete;
    }
    // stderr may be closed; the exit code says it too.
    drop(problems.report("flowdump", &mut io::stderr()));
    Outcome::Incomplete
}

/// One error for a person, on stderr.
pub fn complain(error: &Error) {
    drop(writeln!(io::stderr(), "flowdump: {}", terminal_lines(&error.to_string())));
}
