//! What the program says about a conversion.

mod json;

use std::collections::BTreeMap;
use std::io::{self, Write};

use flowcore::{Error, Result, SourceStats, readable_bytes, visible};
use pcap2flow::InputAccount;

use crate::rotate::Written;
pub(crate) use json::print_json;

/// Everything there is to say about a run that is over.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) stats: SourceStats,
    /// Captures that were read, in this order.
    pub(crate) inputs: Vec<InputAccount>,
    /// Packets and bytes of all flows.
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

/// Prints to stdout. That somebody who reads it has seen enough is no error.
pub(crate) fn to_stdout(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match print(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| Error::from(error).in_input("stdout")),
    }
}

/// One line: frames, flows.
pub(crate) fn print_line(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    let evicted = match stats.flows_evicted {
        0 => String::new(),
        count => format!(" ({count} ended early for want of room; -B makes more)"),
    };
    writeln!(out, "pcap2flow: {}, {} flows{evicted}", frames(stats), stats.flows)
}

/// A table: every frame used, or skipped for a named reason; the most frequent reasons first. Then what was odd about
/// frames that were used, and the flows.
pub(crate) fn print_table(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let stats = &summary.stats;
    let mut line = |count: u64, what: &str| writeln!(out, "{count:>12}  {what}");
    line(stats.frames, "frames")?;
    line(stats.frames_used, "used")?;
    for (note, count) in by_count(&stats.frames_noted) {
        line(count, &format!("  {note}"))?;
    }
    line(stats.skipped(), "skipped")?;
    for (reason, count) in by_count(&stats.frames_skipped) {
        line(count, &format!("  {reason}"))?;
    }
    line(stats.flows, "flows")?;
    if stats.flows_evicted > 0 {
        line(stats.flows_evicted, "  ended early for want of room")?;
    }
    line(summary.packets, "packets in flows")?;
    line(summary.bytes, "bytes in flows")
}

/// A capture that was read: a line, from level 3 on one for each reason why frames were skipped, and at level 4 one for
/// each oddity.
pub(crate) fn print_input(input: &InputAccount, level: u8, out: &mut dyn Write) -> io::Result<()> {
    let InputAccount { name, format, stats } = input;
    let name = visible(name);
    let read = readable_bytes(stats.bytes);
    writeln!(out, "pcap2flow: {name}: {format}, {read}, {}", frames(stats))?;
    for (reason, count) in by_count(&stats.frames_skipped).into_iter().filter(|_| level >= 3) {
        writeln!(out, "pcap2flow: {name}: {count} skipped: {reason}")?;
    }
    for (note, count) in by_count(&stats.frames_noted).into_iter().filter(|_| level >= 4) {
        writeln!(out, "pcap2flow: {name}: {count} used: {note}")?;
    }
    Ok(())
}

/// A file that was written, if it has another name than was to be expected, or at level 2.
pub(crate) fn print_written(file: &Written, level: u8, out: &mut dyn Write) -> io::Result<()> {
    let path = visible(&file.path.display().to_string()).to_string();
    match &file.instead_of {
        Some(taken) => {
            writeln!(out, "pcap2flow: {} exists; wrote {path}", visible(&taken.display().to_string()))
        }
        None if level >= 2 => writeln!(out, "pcap2flow: wrote {path}"),
        None => Ok(()),
    }
}

fn frames(stats: &SourceStats) -> String {
    format!("{} frames = {} used + {} skipped", stats.frames, stats.frames_used, stats.skipped())
}

/// The most frequent first, equal ones by name.
fn by_count(counts: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut counts: Vec<(&str, u64)> = counts.iter().map(|(what, &count)| (&**what, count)).collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    counts
}
