//! Whether the evidence is complete: what cloud logs say is missing, and what the names of their files do not have.
//!
//! In go names of files, rows about lost records and the times of flows; out comes a part of
//! [`SourceStats`](crate::SourceStats) that takes bounded room whatever is read, and can be merged.

mod lost;
mod origins;
mod slots;

pub use lost::{LostRecords, SkipData};
pub use origins::{Origin, OriginAccount, Origins, TimeSpan};
pub use slots::{Gap, Slots};
