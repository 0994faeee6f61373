//! `-Z` and `-X`: the filter is looked at, and nothing is read.

use std::io::{self, IsTerminal, Write};

use flowcore::{Filter, Result};

use crate::exit::Outcome;
use crate::matching::tell;
use crate::print::terminal_lines;

/// Says that the filter is right: to a person, as scripts look at the exit code, and nfdump prints nothing.
pub(crate) fn filter_is_right() -> Outcome {
    if io::stderr().is_terminal() {
        tell("the filter is valid");
    }
    Outcome::Complete
}

/// Prints the tree of the filter.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn show_tree(filter: &Filter) -> Result<Outcome> {
    io::stdout().write_all(terminal_lines(&filter.tree()).as_bytes())?;
    Ok(Outcome::Complete)
}
