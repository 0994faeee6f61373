//! `flowdump`: prints, filters and summarises flows.

use std::process::ExitCode;

use flowdump::args::{Flags, Plan};
use flowdump::{Outcome, complain, run};

fn main() -> ExitCode {
    let result = Plan::new(Flags::from_words(std::env::args_os())).and_then(|plan| run(&plan));
    let outcome = result.unwrap_or_else(|error| {
        if error.is_broken_pipe() {
            return Outcome::PipeClosed;
        }
        complain(&error);
        Outcome::Failed
    });
    outcome.into()
}
