//! Prints `docs/accuracy.md`: `accuracy CAPTURES` meters every capture of the folder, which has to hold their table
//! `reference.tsv`. What is not as it should be is said on standard error, and ends in exit code 1.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use flow_tests::accuracy::{judge, measure, report};

fn main() -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(folder) => print(Path::new(&folder)),
        None => Err(io::Error::other("name the folder of captures that holds reference.tsv")),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn print(folder: &Path) -> io::Result<ExitCode> {
    let rows = measure(folder)?;
    io::stdout().write_all(report(&rows).as_bytes())?;
    let wrong = judge(&rows);
    wrong.iter().for_each(|line| complain(line));
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[allow(clippy::print_stderr, reason = "a program says why it fails")]
fn complain(what: &str) {
    eprintln!("accuracy: {what}");
}
