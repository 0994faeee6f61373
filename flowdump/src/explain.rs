//! `--explain`: what a run would read and make, without reading a record.
//!
//! In: the plan. Out: the filter's tree, the columns, and each input with its format and size; of a flow file also how
//! many blocks its index lets be skipped.

use std::io::{self, Write};

use flowcore::{FIELDS, FieldSet, Preview, ReadRequest, Result, Totals, readable_bytes};

use crate::aggregate;
use crate::args::{Plan, Report, Table};
use crate::exit::Outcome;
use crate::matching::{open_options, read_request, report};
use crate::output::Output;
use crate::print::terminal_lines;
use crate::series;

/// Explains a plan.
///
/// # Errors
/// When an input is missing, the output could not be made, or stdout cannot be written.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let request = request(plan)?;
    let (fields, unknown_columns) = (request.fields, request.unknown_columns);
    let options = open_options(plan, request);
    let (files, walked) = options.files(&plan.inputs)?;
    let mut problems = plan.missing.clone();
    problems.merge(walked.problems);
    let mut out = io::stdout().lock();
    writeln!(out, "Filter:")?;
    plan.filter.tree().lines().try_for_each(|line| writeln!(out, "  {}", terminal_lines(line)))?;
    writeln!(out, "Report: {}", describe(plan))?;
    writeln!(out, "Columns read: {}", columns(fields, unknown_columns))?;
    let ignored = match walked.files_ignored {
        0 => String::new(),
        count => format!(", {count} passed over (hidden or unfinished)"),
    };
    let outside = match walked.files_outside_window {
        0 => String::new(),
        count => format!(", {count} outside the window not opened"),
    };
    writeln!(out, "Inputs: {}{outside}{ignored}", files.len())?;
    for file in files {
        let preview = options.preview(&file);
        writeln!(out, "  {}", input(&preview))?;
        preview.problem.into_iter().for_each(|problem| problems.push_input(problem));
    }
    out.flush()?;
    Ok(report(&problems))
}

/// What the report reads.
fn request(plan: &Plan) -> Result<ReadRequest> {
    let (fields, unknown_columns) = match &plan.report {
        Report::List => {
            let (fields, unknown_columns) = Output::open(plan)?.needs();
            (fields.union(plan.order.map_or(FieldSet::EMPTY, |order| order.fields())), unknown_columns)
        }
        Report::Groups(grouping) => {
            let shown = Output::open(plan)?.needs();
            let groups = aggregate::aggregation(plan, grouping, shown.0);
            (groups.fields().union(plan.report.fields().stored()), shown.1 && grouping.is_by_flow())
        }
        Report::Statistics(_) => (plan.report.fields().stored(), false),
        Report::Series(..) => (series::fields(plan), false),
        Report::Info | Report::PerFile | Report::Verify(_) => (Totals::fields(), false),
    };
    Ok(read_request(plan, fields, unknown_columns))
}

fn describe(plan: &Plan) -> String {
    let what = match &plan.report {
        Report::List => "the records".into(),
        Report::Groups(_) => "records joined into groups".into(),
        Report::Statistics(tables) => {
            let name = |table: &Table| match table {
                Table::Field(statistic) => statistic.name(),
                Table::Records(_) => "record",
            };
            format!("statistics of {}", tables.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        Report::Series(interval, _) => format!("a time series, a row every {interval}"),
        Report::Info => "totals".into(),
        Report::PerFile => "totals of each file".into(),
        Report::Verify(file) => format!("whether {} is sound", file.display()),
    };
    let place = plan.write.as_ref().map_or_else(|| "stdout".into(), |path| path.display().to_string());
    let window = if plan.window.is_some() { "; -t is relative, and read for first" } else { "" };
    terminal_lines(&format!("{what}, to {place}{window}"))
}

fn columns(fields: FieldSet, unknown_columns: bool) -> String {
    let stored = FieldSet::all().stored();
    let names: Vec<&str> =
        fields.iter().filter(|field| stored.contains(*field)).map(|field| field.name()).collect();
    let all = FIELDS.iter().filter(|info| stored.contains(info.field)).count();
    let known = if names.len() == all { format!("all {all}") } else { names.join(" ") };
    if unknown_columns { format!("{known}, and those without a field") } else { known }
}

fn input(preview: &Preview) -> String {
    let name = terminal_lines(&preview.path.display().to_string()).replace('\n', " ");
    let format = preview.format.map_or("format is found when it is read", |format| format.name());
    let mut text = format!("{name}: {format}");
    if preview.compressed {
        text.push_str(", compressed");
    }
    if let Some(bytes) = preview.bytes {
        text.push_str(&format!(", {}", readable_bytes(bytes)));
    }
    if let Some(blocks) = preview.blocks {
        text.push_str(&format!(
            "; {} of {} blocks skipped, {} of {} records",
            blocks.skipped, blocks.blocks, blocks.rows_skipped, blocks.rows
        ));
    }
    if preview.problem.is_some() {
        text.push_str("; cannot be read");
    }
    text
}
