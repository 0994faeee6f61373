//! `--every`: which time series is asked for, and what does not go with one.

use flowcore::{Error, Result};

use super::Flags;
use super::report::{Report, groups_records};

/// The series of these options; `-O` chooses its bars.
///
/// # Errors
/// When the interval or the order is none, or another report is asked for as well.
pub(super) fn report(interval: &str, flags: &Flags) -> Result<Report> {
    refuse_others(flags)?;
    let interval = interval.parse().map_err(|error| Error::argument(format!("--every: {error}")))?;
    let measure = flags.order.as_deref().map(str::parse).transpose()?.unwrap_or_default();
    Ok(Report::Series(interval, measure))
}

/// A row stands for an interval of time: what would count by something else, or leave out rows, is refused.
fn refuse_others(flags: &Flags) -> Result<()> {
    let others = [
        ("-s", !flags.stat.is_empty()),
        ("-a, -A or -b", groups_records(flags)),
        ("-P", flags.post_filter.is_some() && flags.stitch.is_none()),
        ("-I", flags.info),
        ("-g", flags.per_file),
        ("-v", flags.verify.is_some()),
    ];
    if let Some((option, _)) = others.iter().find(|(_, is_set)| *is_set) {
        return Err(Error::argument(format!("--every and {option} are two reports; ask for one at a time")));
    }
    if flags.top.is_some_and(|top| top > 0) {
        let advice = "leave out -n, or choose a window with -t";
        return Err(Error::argument(format!("--every has a row for each interval; {advice}")));
    }
    Ok(())
}
