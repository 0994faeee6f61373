//! How the program ends.

use std::process::ExitCode;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was read.
    Complete,
    /// Something was damaged or unreadable; the rest was done.
    Incomplete,
    /// Wrong usage, or nothing could be done.
    Failed,
    /// The reader of our output closed the pipe, which is its right.
    PipeClosed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete | Outcome::PipeClosed => Self::SUCCESS,
            Outcome::Incomplete | Outcome::Failed => Self::from(2),
        }
    }
}
