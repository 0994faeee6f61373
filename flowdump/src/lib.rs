//! Prints, filters and summarises flows: the library behind the `flowdump` program.
//!
//! The program is [`args`] (what was typed, and what it means), then [`run()`]: inputs of any format are opened by
//! [`flowcore::OpenOptions`], filtered batch by batch, and printed by a [`print::Printer`], counted for statistics, or written to a file.

pub mod args;
pub mod print;

mod aggregate;
mod check;
mod crew;
mod exit;
mod explain;
mod groups;
mod help;
mod info;
mod list;
mod matching;
mod order;
mod output;
mod per_file;
mod relay;
mod report;
mod run;
mod series;
mod stat;
mod two_readings;
mod verify;

pub use exit::Outcome;
pub use run::{complain, run};
