//! The command line in two steps: [`Flags`] as typed, then a [`Plan`] in which everything is resolved.

mod flags;
mod plan;

pub use flags::Flags;
pub use plan::{OutputFormat, Plan};
