//! `--since` and `--until`: the time that a case is about.

use flowcore::{Error, Filter, Result, Timestamp};

use super::plan::Period;
use super::window::{Window, now};

/// What the two options say.
///
/// # Errors
/// When one is no time, or nothing is between them.
pub(super) fn period(since: Option<&str>, until: Option<&str>) -> Result<Period> {
    let time = |option, text: Option<&str>| text.map(|text| moment(option, text)).transpose();
    let (since, until) = (time("--since", since)?, time("--until", until)?);
    if since > until && until.is_some() {
        return Err(Error::argument("--until is before --since: nothing is between them"));
    }
    Ok((since, until))
}

/// The filter, for flows of this time only.
///
/// # Errors
/// When it grows too large.
pub(super) fn within((since, until): Period, filter: Filter) -> Result<Filter> {
    if since.is_none() && until.is_none() {
        return Ok(filter);
    }
    Window::Between(since, until).and(&filter)
}

fn moment(option: &str, text: &str) -> Result<Timestamp> {
    match Window::parse(text, now()).map(Window::ends) {
        Ok((Some(time), None)) => Ok(time),
        _ => Err(Error::argument(format!("{option} {text}: no time; write 2024-03-12T15:00 or 2024-03-12"))),
    }
}
