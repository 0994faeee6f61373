//! The command line in steps: [`Flags`] as typed, then a [`Request`], and for one that reads records a [`Plan`] in which
//! everything is resolved.
//!
//! ```text
//! words -> words (values joined) -> flags (clap) -> request -> plan
//!          complaint: what is wrong, in one line
//! ```

mod case_time;
mod complaint;
mod correlate;
mod every;
mod flags;
mod format;
mod inputs;
mod investigate;
mod memory;
mod output;
mod plan;
mod range;
mod report;
mod request;
mod stats_format;
mod stitch;
mod window;
mod words;

pub use correlate::{Comparison, ComparisonFormat};
pub use flags::Flags;
pub use format::OutputFormat;
pub(crate) use inputs::name_of;
pub use investigate::{Case, Investigation, ReportFormat};
pub use plan::{Period, Plan};
pub use report::{Grouping, Report, Table};
pub use request::Request;
pub use stats_format::StatsFormat;
pub use stitch::Stitched;
pub use window::Window;

/// The options of `flowdump NAME` for each name that is a command of its own.
pub fn subcommands() -> [clap::Command; 2] {
    [investigate::command(), correlate::command()]
}
