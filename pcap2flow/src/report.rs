//! What the program says about a conversion.

use std::io::{self, Write};

use flowcore::SourceStats;

/// One line: frames, flows.
pub(crate) fn print_line(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    let (frames, used, skipped) = (stats.frames, stats.frames_used, stats.skipped());
    writeln!(out, "pcap2flow: {frames} frames = {used} used + {skipped} skipped, {} flows", stats.flows)
}

/// A table: every frame used, or skipped for a named reason; the most frequent reasons first.
pub(crate) fn print_table(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:>12}  frames", stats.frames)?;
    writeln!(out, "{:>12}  used", stats.frames_used)?;
    writeln!(out, "{:>12}  skipped", stats.skipped())?;
    let mut reasons: Vec<_> = stats.frames_skipped.iter().collect();
    reasons.sort_by_key(|&(reason, count)| (std::cmp::Reverse(*count), reason));
    for (reason, count) in reasons {
        writeln!(out, "{count:>12}    {reason}")?;
    }
    writeln!(out, "{:>12}  flows", stats.flows)
}
