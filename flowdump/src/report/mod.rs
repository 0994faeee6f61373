//! Answers to a case: what hosts of interest did, source by source.
//!
//! ```text
//! case -> source (each input, read once) -+-> content, short -> document -> text, markdown, html
//!         together (two of them)         -+-> json, with the commands of reproduce
//!         evidence (files and hashes)    -+
//! ```

mod comparison;
mod comparison_json;
mod content;
mod document;
mod evidence;
mod found;
mod graph;
mod html;
mod input;
mod json;
mod markdown;
mod reading;
mod reproduce;
mod short;
mod source;
mod svg;
mod text;
mod together;
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
use input::Input;
use source::Source;
use together::Compared;

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
    /// Two sources each, side by side.
    compared: Vec<Compared>,
    /// The files of each source.
    evidence: Vec<Evidence>,
}

impl<'a> Report<'a> {
    /// Reads all inputs; files are hashed meanwhile.
    fn of(case: &'a Case) -> Result<Self> {
        let files = source::reader(case).options();
        let inputs = Input::group(&case.inputs, &files);
        let paths: Vec<_> = inputs.iter().map(|input| input.paths.clone()).collect();
        thread::scope(|scope| {
            let hashes = scope.spawn(|| paths.iter().map(|paths| Evidence::of(&files, paths)).collect());
            let read = inputs.into_iter().map(|input| Source::read(case, input));
            let sources = read.collect::<Result<Vec<_>>>()?;
            let evidence: Result<_> = hashes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok(Self { case, compared: Compared::all(&sources), sources, evidence: evidence? })
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
