//! `--verify REPORT`: whether the inputs of a report are the same ones still, and say the same.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flowcore::{Error, Result};
use serde_json::Value;

use super::evidence::Content;
use super::words::counted;
use super::{Report, json};
use crate::args::Case;
use crate::exit::Outcome;
use crate::print::terminal_lines;

/// Checks a report and says what differs.
///
/// # Errors
/// When it cannot be read or is no report, an input is missing, or standard output cannot be written.
pub(super) fn run(path: &Path) -> Result<Outcome> {
    let of_file = |why: String| Error::argument(format!("{}: {why}", path.display()));
    let text = fs::read(path).map_err(|error| of_file(error.to_string()))?;
    let told: Value = serde_json::from_slice(&text).map_err(|error| of_file(format!("no JSON: {error}")))?;
    if told.get("schema").and_then(Value::as_str) != Some(json::SCHEMA) {
        return Err(of_file(format!("no report of the schema {}", json::SCHEMA)));
    }
    let (files, mut differences) = check_files(&told);
    let words = told.pointer("/evidence/command").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<String> = words.filter_map(Value::as_str).map(str::to_owned).collect();
    let case = Case::of(&words).map_err(|error| of_file(error.to_string()))?;
    let found = json::report(&Report::of(&case)?);
    for part in ["subject", "internal", "since", "until", "sources", "together"] {
        compare(&format!("/{part}"), told.get(part), found.get(part), &mut differences);
    }
    say(files, &differences)
}

/// Files that are the same, and what differs of the others.
fn check_files(told: &Value) -> (u64, Vec<String>) {
    let inputs = told.pointer("/evidence/inputs").and_then(Value::as_array).into_iter().flatten();
    let files = inputs.filter_map(|input| input.get("files")?.as_array()).flatten();
    let (mut same, mut differences) = (0, Vec::new());
    for file in files {
        let text = |name: &str| file.get(name).and_then(Value::as_str);
        let (Some(path), Some(sha256)) = (text("path"), text("sha256")) else { continue };
        match Content::of(Path::new(path)) {
            Ok(content) if content.sha256 == sha256 => same += 1,
            Ok(content) => differences.push(format!("{path}: SHA-256 was {sha256}, is {}", content.sha256)),
            Err(error) => differences.push(format!("{path}: {error}")),
        }
    }
    (same, differences)
}

/// Adds where two values differ.
fn compare(at: &str, told: Option<&Value>, found: Option<&Value>, differences: &mut Vec<String>) {
    match (told, found) {
        (Some(Value::Object(told)), Some(Value::Object(found))) => {
            let names = told.keys().chain(found.keys().filter(|name| !told.contains_key(*name)));
            names.for_each(|name| {
                compare(&format!("{at}/{name}"), told.get(name), found.get(name), differences)
            });
        }
        (Some(Value::Array(told)), Some(Value::Array(found))) => {
            let most = told.len().max(found.len());
            (0..most).for_each(|n| compare(&format!("{at}/{n}"), told.get(n), found.get(n), differences));
        }
        (told, found) if told == found => {}
        (told, found) => {
            let text = |value: Option<&Value>| value.map_or("nothing".to_owned(), ToString::to_string);
            differences.push(format!("{at}: was {}, is {}", text(told), text(found)));
        }
    }
}

/// Differences that are told one by one.
const MOST: usize = 20;

fn say(files: u64, differences: &[String]) -> Result<Outcome> {
    let mut out = io::stdout().lock();
    if differences.is_empty() {
        writeln!(out, "The same: {} by SHA-256, and every number of the report", counted(files, "file"))?;
        return Ok(Outcome::Complete);
    }
    writeln!(
        out,
        "{}; {} the same by SHA-256",
        counted(differences.len() as u64, "difference"),
        counted(files, "file")
    )?;
    for difference in differences.iter().take(MOST) {
        writeln!(out, "  {}", terminal_lines(difference))?;
    }
    if differences.len() > MOST {
        writeln!(out, "  and {} more", differences.len() - MOST)?;
    }
    Ok(Outcome::Incomplete)
}
