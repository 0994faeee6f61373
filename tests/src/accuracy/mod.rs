//! How right the counts are: every capture of the corpus is metered and held against what tshark, nfpcapd 1.7.8 and
//! nfpcapd 1.7.1 make of it.
//!
//! ```text
//! reference.tsv ──────────────┐
//! captures ─> meter ─> flows ─┼─> Row per capture ─> report (docs/accuracy.md), judge (the test)
//!                └─> model ───┘
//! exceptions.tsv, flow-differences.tsv: where we differ, and why
//! ```
//!
//! Errors are those of reading the corpus; a capture that is damaged is metered up to there.

mod exceptions;
mod judge;
mod meter;
mod model;
mod reference;
mod report;

use std::io;
use std::path::Path;

pub use exceptions::{Exception, FlowDifference, exceptions, flow_differences};
pub use judge::{judge, reason_for_flows};
pub use meter::Metered;
pub use reference::{Peer, Reference};
pub use report::report;

/// One capture: what the reference says of it and what we count in it.
#[derive(Debug)]
pub struct Row {
    /// What other programs count.
    pub reference: Reference,
    /// What we count.
    pub ours: Metered,
}

/// Meters every capture that `reference.tsv` of this folder names, in its order.
///
/// # Errors
/// When the reference or a capture cannot be read, or a capture is in no format we know.
pub fn measure(captures: &Path) -> io::Result<Vec<Row>> {
    let reference = Reference::read(&captures.join("reference.tsv"))?;
    let row = |reference: Reference| {
        let ours = Metered::of(&captures.join(&reference.file))?;
        Ok(Row { reference, ours })
    };
    reference.into_iter().map(row).collect()
}
