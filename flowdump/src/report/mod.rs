//! Answers to a case: what hosts of interest did, source by source.

mod source;
mod text;
mod words;

use std::io;

use flowcore::{Problems, Result};

use crate::args::Case;
use crate::exit::Outcome;
use crate::matching::report;

/// Investigates the case and prints what was found.
///
/// # Errors
/// When an input is missing, there are more rows than can be held, or standard output cannot be written.
pub(crate) fn investigate(case: &Case) -> Result<Outcome> {
    let mut problems = Problems::default();
    let mut out = io::BufWriter::new(io::stdout().lock());
    text::head(case, &mut out)?;
    for input in &case.inputs {
        let mut source = source::Source::read(case, input)?;
        text::source(case, &source, &mut out)?;
        problems.merge(std::mem::take(&mut source.stats.problems));
    }
    io::Write::flush(&mut out)?;
    Ok(report(&problems))
}
