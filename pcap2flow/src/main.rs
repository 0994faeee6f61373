//! `pcap2flow`: turns packet captures into flow files.

mod args;
mod report;
mod rotate;
mod run;
mod signals;
mod slots;

use std::io::{self, Write};
use std::process::ExitCode;

use flowcore::{Error, Result};

use args::Request;

fn main() -> ExitCode {
    match Request::parse(std::env::args_os()).and_then(answer) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Whether everything that was asked for could be done.
fn answer(request: Request) -> Result<bool> {
    match request {
        Request::Convert(plan) => run::run(&plan),
        Request::Print(text) => {
            report::to_stdout(|out| out.write_all(text.as_bytes()))?;
            Ok(true)
        }
        Request::Usage(text) => {
            drop(io::stderr().write_all(text.as_bytes()));
            Ok(false)
        }
    }
}

fn complain(error: &Error) {
    drop(writeln!(io::stderr(), "pcap2flow: {error}"));
}
