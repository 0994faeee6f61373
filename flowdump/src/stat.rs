//! Statistics: inputs to filter to groups, printed as tables of the top of them.

use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use flowcore::aggregate::{Aggregation, Statistic};
use flowcore::{Error, Field, FieldSet, FlowBatch, FlowSource, Overwrite, ProgressLine, ReadRequest, Result};

use crate::args::{OutputFormat, Plan};
use crate::exit::Outcome;
use crate::output::{Target, named};
use crate::print::{StatFormat, StatPrinter, Style, Summary};
use crate::run::{open_options, print_summary, report_problems};

/// Makes the plan's statistics.
///
/// # Errors
/// When an input is missing, the output cannot be written or is no text, or there are more groups than can be held.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let start = Instant::now();
    let format = format(plan)?;
    let path = plan.write.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        flowcore::check_not_input(path, &plan.inputs)?;
    }
    let mut counts = Counts::new(plan)?;
    let mut inputs = open_options(plan, counts.request()).open_all(&plan.inputs)?;
    let overwrite = if plan.force { Overwrite::Yes } else { Overwrite::No };
    let out = format.map(|format| Ok((format, Target::open(path, overwrite)?))).transpose();
    let out = out.map_err(|error: Error| named(error, path))?;
    let progress = plan.progress.then(|| ProgressLine::start(inputs.progress()));
    let read = counts.read(&mut inputs);
    drop(progress);
    read?;
    if let Some((format, mut out)) = out {
        let printed = counts.print(format, &mut out).map_err(Error::from);
        printed.and_then(|()| Target::finish(out)).map_err(|error| named(error, path))?;
    }
    let stats = inputs.stats();
    if !plan.quiet {
        print_summary(plan, &counts.summary, &stats, start)?;
        // stderr may be closed; the tables are out all the same.
        drop(counts.report_uncounted(&mut io::stderr()));
    }
    Ok(report_problems(plan, &stats))
}

/// How tables are printed; `None` for not at all.
fn format(plan: &Plan) -> Result<Option<StatFormat>> {
    match plan.output {
        OutputFormat::Line | OutputFormat::Long | OutputFormat::Extended => Ok(Some(StatFormat::Text)),
        OutputFormat::Csv => Ok(Some(StatFormat::Csv)),
        OutputFormat::Json => Ok(Some(StatFormat::Json)),
        OutputFormat::Ndjson => Ok(Some(StatFormat::Ndjson)),
        OutputFormat::Null => Ok(None),
        _ => Err(Error::argument(
            "a statistic is printed as a table, csv, json or ndjson: choose it with -o, or by the suffix of -w FILE",
        )),
    }
}

/// The statistics while they are made.
struct Counts<'a> {
    plan: &'a Plan,
    tables: Vec<(&'a Statistic, Aggregation)>,
    summary: Summary,
    passed: u64,
}

impl<'a> Counts<'a> {
    fn new(plan: &'a Plan) -> Result<Self> {
        let table = |statistic: &'a Statistic| Ok((statistic, statistic.aggregation()?));
        let tables = plan.statistics.iter().map(table).collect::<Result<_>>()?;
        Ok(Self { plan, tables, summary: Summary::default(), passed: 0 })
    }

    /// What readers have to deliver.
    fn request(&self) -> ReadRequest {
        let filter = &self.plan.filter;
        let status_rows = filter.wants_status_rows();
        let addrs =
            if status_rows { FieldSet::from([Field::SrcAddr, Field::DstAddr]) } else { FieldSet::EMPTY };
        let counted = self.tables.iter().fold(addrs, |fields, (_, table)| fields.union(table.fields()));
        ReadRequest {
            fields: counted.union(filter.fields()).union(Summary::fields()),
            unknown_columns: filter.unknown_columns(),
            filter: Some(filter.clone()),
            status_rows,
        }
    }

    fn read(&mut self, inputs: &mut impl FlowSource) -> Result<()> {
        let limit = self.plan.limit.unwrap_or(u64::MAX);
        let mut batch = FlowBatch::new();
        while self.passed < limit && inputs.read_batch(&mut batch)? {
            let mut chosen = self.plan.filter.select(&batch);
            if let Ok(left) = usize::try_from(limit - self.passed) {
                chosen.limit(left);
            }
            self.passed += chosen.count() as u64;
            self.summary.add(&batch, &chosen);
            for (_, table) in &mut self.tables {
                table.add(&batch, &chosen)?;
            }
        }
        Ok(())
    }

    fn print(&self, format: StatFormat, out: &mut dyn Write) -> io::Result<()> {
        let Plan { quiet, plain_numbers, color, top, .. } = self.plan;
        let style = Style { heading: !quiet, plain_numbers: *plain_numbers, color: *color };
        let mut printer = StatPrinter::new(format, style, *top);
        printer.begin(out)?;
        for (statistic, table) in &self.tables {
            for &order in statistic.orders() {
                printer.table(statistic, order, table, self.summary.counters(), out)?;
            }
        }
        printer.end(out)
    }

    /// Says which records are in no group.
    fn report_uncounted(&self, out: &mut dyn Write) -> io::Result<()> {
        for (statistic, table) in self.tables.iter().filter(|(_, table)| table.without_key() > 0) {
            let (without, name) = (table.without_key(), statistic.name());
            writeln!(
                out,
                "Not counted by {name}: {without} of {} matching records, which have none",
                self.passed
            )?;
        }
        Ok(())
    }
}
