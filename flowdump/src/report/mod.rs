//! Answers to a case: what hosts of interest did, source by source.
//!
//! ```text
//! case -> source (each input, read once) -+-> content -> document -> text, markdown, html
//!         evidence (files and hashes)    -+-> json, with the commands of reproduce
//! ```

mod comparison;
mod comparison_json;
mod content;
mod document;
mod evidence;
mod graph;
mod html;
mod json;
mod markdown;
mod reading;
mod reproduce;
mod source;
mod svg;
mod text;
mod verify;
mod words;

use std::io::{self, Write};
use std::thread;

use flowcore::{Problems, Result};

use crate::args::{Case, Investigation, ReportFormat};
use crate::exit::Outcome;
use crate::matching::report;
pub(crate) use comparison::correlate;
use evidence::Evidence;
use source::Source;

/// Investigates a case and prints what was found, or says whether a report still holds.
///
/// # Errors
/// When an input is missing, there are more rows than can be held, or standard output cannot be written.
pub(crate) fn investigate(asked: &Investigation) -> Result<Outcome> {
    match asked {
        Investigation::Report(case) => print(case),
        Investigation::Verify(path) => verify::run(path),
    }
}

/// What was found.
struct Report<'a> {
    case: &'a Case,
    sources: Vec<Source>,
    /// The files of each source.
    evidence: Vec<Evidence>,
}

impl<'a> Report<'a> {
    /// Reads all inputs; files are hashed meanwhile.
    fn of(case: &'a Case) -> Result<Self> {
        let files = source::reader(case).options();
        thread::scope(|scope| {
            let hashes =
                scope.spawn(|| case.inputs.iter().map(|input| Evidence::of(&files, input)).collect());
            let sources = case.inputs.iter().map(|input| Source::read(case, input)).collect::<Result<_>>()?;
            let evidence: Result<_> = hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok(Self { case, sources, evidence: evidence? })
        })
    }

    /// What went wrong with the inputs.
    fn take_problems(&mut self) -> Problems {
        let mut problems = Problems::default();
        self.sources.iter_mut().for_each(|source| problems.merge(std::mem::take(&mut source.stats.problems)));
        problems
    }
}

fn print(case: &Case) -> Result<Outcome> {
    let mut found = Report::of(case)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match case.output {
        ReportFormat::Text => text::write(&content::document(&found), &mut out)?,
        ReportFormat::Markdown => markdown::write(&content::document(&found), &mut out)?,
        ReportFormat::Html => html::write(&content::document(&found), &mut out)?,
        ReportFormat::Json => writeln!(out, "{:#}", json::report(&found))?,
    }
    out.flush()?;
    Ok(report(&found.take_problems()))
}
