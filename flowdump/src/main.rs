//! `flowdump`: prints, filters and summarises flows.

use std::process::ExitCode;

use flowdump::args::Request;
use flowdump::{Outcome, complain, run};

fn main() -> ExitCode {
    let result = Request::parse(std::env::args_os()).and_then(run);
    let outcome = result.unwrap_or_else(|error| {
        if error.is_broken_pipe() {
            return Outcome::PipeClosed;
        }
        complain(&error);
        Outcome::Failed
    });
    outcome.into()
}
