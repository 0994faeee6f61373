//! What is asked for is made by the module of its report.

use std::io::{self, Write};
use std::sync::Arc;

use flowcore::{Error, Filter, ReadRequest, Result, Totals};

use crate::args::{Plan, Report, Request};
use crate::exit::Outcome;
use crate::matching::{open_options, tell};
use crate::{aggregate, check, explain, info, list, per_file, report, series, stat, verify};

/// Does what was asked for.
///
/// # Errors
/// When nothing can be done: an input that is missing, an output that cannot be written.
pub fn run(request: Request) -> Result<Outcome> {
    match request {
        Request::Print(text) => {
            io::stdout().write_all(&text)?;
            Ok(Outcome::Complete)
        }
        Request::Check => Ok(check::filter_is_right()),
        Request::ShowTree(filter) => check::show_tree(&filter),
        Request::Explain(plan) => explain::run(&plan),
        Request::Run(plan) => carry_out(*plan),
        Request::Investigate(asked) => report::investigate(&asked),
        Request::Correlate(asked) => report::correlate(&asked),
    }
}

fn carry_out(mut plan: Plan) -> Result<Outcome> {
    find_window(&mut plan)?;
    match &plan.report {
        Report::List => list::run(&plan),
        Report::Groups(grouping) => aggregate::run(&plan, grouping),
        Report::Statistics(tables) => stat::run(&plan, tables),
        Report::Series(interval, measure) => series::run(&plan, *interval, *measure),
        Report::Info => info::run(&plan),
        Report::PerFile => per_file::run(&plan),
        Report::Verify(file) => verify::run(file, plan.detection),
    }
}

/// A window that is relative to the flows becomes a part of the filter once their totals are known. What is wrong with
/// the inputs is told when they are read for the report.
fn find_window(plan: &mut Plan) -> Result<()> {
    let Some(window) = plan.window.take() else { return Ok(()) };
    let request = ReadRequest { fields: Totals::fields(), unknown_columns: false, ..ReadRequest::default() };
    let (totals, _) = open_options(plan, request).totals(&plan.inputs)?;
    let window = window.in_time_of(&totals);
    let filter = match totals.first().is_some() && totals.last().is_some() {
        true => window.and(&plan.filter)?,
        // No record has a time, so none is inside.
        false => Filter::parse("not any")?,
    };
    plan.filter = Arc::new(filter);
    plan.period = window.ends();
    Ok(())
}

/// One error for a person, on stderr.
pub fn complain(error: &Error) {
    tell(&format!("flowdump: {error}"));
}
