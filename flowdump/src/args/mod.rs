//! The command line in two steps: [`Flags`] as typed, then a [`Plan`] in which everything is resolved.

mod flags;
mod plan;
mod range;
mod words;

pub use flags::Flags;
pub use plan::{OutputFormat, Plan};
