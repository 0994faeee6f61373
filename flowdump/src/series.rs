//! `--every`: matching records counted by the time they start.

use std::io::{self, IsTerminal};
use std::path::Path;

use flowcore::aggregate::{Interval, TimeSeries};
use flowcore::{Error, Field, FieldSet, Overwrite, Result};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::matching::{Matching, tell};
use crate::output::{Target, named};
use crate::print::{Bars, Measure, SeriesPrinter, StatFormat, Style};

/// Makes the plan's time series.
///
/// # Errors
/// When an input is missing, the output cannot be written or is no text, or there are too many intervals.
pub(crate) fn run(plan: &Plan, interval: Interval, measure: Measure) -> Result<Outcome> {
    let format = StatFormat::of(&plan.output)?;
    let path = plan.write.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        flowcore::check_not_input(path, &plan.inputs)?;
    }
    let mut series = TimeSeries::new(interval);
    let mut records = Matching::open(plan, fields(plan), false)?;
    let overwrite = if plan.force { Overwrite::Yes } else { Overwrite::No };
    let out = format.map(|format| Ok((format, Target::open(path, overwrite)?))).transpose();
    let out = out.map_err(|error: Error| named(error, path))?;
    records.each(u64::MAX, |batch, chosen| {
        series.add(batch, &chosen);
        Ok(())
    })?;
    let buckets =
        series.buckets().map_err(|error| Error::argument(format!("--every {interval}: {error}")))?;
    if let Some((format, mut out)) = out {
        let style = Style::of(plan);
        let bars = bars(plan, measure);
        let printed = SeriesPrinter { format, style, interval, bars }.print(buckets, &mut out);
        let finished = printed.map_err(Error::from).and_then(|()| Target::finish(out));
        finished.map_err(|error| named(error, path))?;
    }
    let (without_start, passed) = (series.without_start(), records.passed());
    let outcome = records.close()?;
    if without_start > 0 && !plan.quiet {
        tell(&format!(
            "Not counted by --every: {without_start} of {passed} matching records, which have no start"
        ));
    }
    Ok(outcome)
}

/// The stored fields that are counted. Rows about a log's gaps are told by their addresses.
pub(crate) fn fields(plan: &Plan) -> FieldSet {
    let addrs = FieldSet::from([Field::SrcAddr, Field::DstAddr]);
    let more = if plan.filter.wants_status_rows() { addrs } else { FieldSet::EMPTY };
    TimeSeries::fields().union(more)
}

/// Bars are for people: on a terminal, as wide as its window.
fn bars(plan: &Plan, measure: Measure) -> Option<Bars> {
    let stdout = io::stdout();
    if !stdout.is_terminal() || plan.write.is_some() {
        return None;
    }
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(&stdout)?;
    Some(Bars { measure, window: columns.into(), unicode: speaks_unicode() })
}

/// Whether the locale is one of UTF-8; the first of these that is set says it.
fn speaks_unicode() -> bool {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    cfg!(windows) || locale.to_ascii_lowercase().replace('-', "").contains("utf8")
}
