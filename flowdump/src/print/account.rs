//! `--stats`: the whole account of what was read, and of what is missing, as a table for people.

use std::io::{self, Write};

use flowcore::aggregate::Way;
use flowcore::{ErrorKind, LikelyCopies, OriginAccount, SourceStats};

use super::escape::terminal;
use super::evidence;
use super::summary::{Summary, unknown_parts};

/// Prints the table: a count a line, what belongs to it indented below, and the flow logs and folders last.
pub(crate) fn print_table(
    summary: &Summary,
    stats: &SourceStats,
    likely: Option<LikelyCopies>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let table = &mut Table(out);
    inputs(table, stats)?;
    table.count(stats.records, "records")?;
    table.count(stats.flows, "flows")?;
    logs(table, stats)?;
    missing_slots(table, stats)?;
    copies(table, stats, likely)?;
    captures(table, stats)?;
    table.count_if_any(stats.blocks, "blocks read")?;
    table.count_if_any(stats.blocks_skipped, "blocks skipped")?;
    unknown_parts(stats).iter().try_for_each(|what| table.detail(&format!("not understood: {what}")))?;
    let (all, way) = (summary.counters(), Way::Both);
    table.count(summary.records(), "records matched")?;
    table.count(all.packets(way).unwrap_or(0), "packets in them")?;
    table.count(all.bytes(way).unwrap_or(0), "bytes in them")?;
    table.count(stats.problems.total(), "problems")?;
    stats.origins.iter().filter(|(_, account)| account.files > 0).try_for_each(|(origin, account)| {
        writeln!(table.0, "{}: {}", evidence::name(origin), what_was_read(account))
    })
}

/// Lines of counts, right-aligned, and of details below them.
struct Table<'a>(&'a mut dyn Write);

impl Table<'_> {
    fn count(&mut self, count: u64, what: &str) -> io::Result<()> {
        writeln!(self.0, "{count:>12}  {what}")
    }

    fn count_if_any(&mut self, count: u64, what: &str) -> io::Result<()> {
        if count > 0 { self.count(count, what) } else { Ok(()) }
    }

    fn detail(&mut self, what: &str) -> io::Result<()> {
        writeln!(self.0, "{:>14}{what}", "")
    }

    /// That there are more than are listed.
    fn more(&mut self, total: u64, listed: usize) -> io::Result<()> {
        match total.saturating_sub(listed as u64) {
            0 => Ok(()),
            more => self.detail(&format!("and {more} more")),
        }
    }
}

fn inputs(table: &mut Table<'_>, stats: &SourceStats) -> io::Result<()> {
    table.count(stats.files, "files")?;
    table.count_if_any(stats.files_outside_window, "files outside the window, not opened")?;
    table.count_if_any(stats.files_ignored, "files passed over (hidden, unfinished, or a README)")?;
    table.count(stats.bytes, "bytes of files")
}

fn logs(table: &mut Table<'_>, stats: &SourceStats) -> io::Result<()> {
    table.count_if_any(stats.nodata, "NODATA")?;
    if stats.skipdata > 0 {
        table.count(stats.skipdata, "SKIPDATA (evidence missing)")?;
        let rows = stats.lost.kept();
        rows.iter().try_for_each(|row| {
            table.detail(&format!("{}, {}", evidence::lost(row), terminal(&row.input)))
        })?;
        table.more(stats.skipdata, rows.len())?;
    }
    table.count_if_any(stats.header_lines, "header lines")?;
    let what = if stats.header_lines > 0 { "bad lines" } else { "records that cannot be used" };
    table.count(stats.bad_records, what)?;
    let bad =
        stats.problems.kept().iter().filter(|problem| matches!(problem.kind(), ErrorKind::BadRecord(_)));
    let bad: Vec<_> = bad.collect();
    bad.iter().try_for_each(|problem| table.detail(&problem.to_string()))?;
    table.more(stats.bad_records, bad.len())
}

fn missing_slots(table: &mut Table<'_>, stats: &SourceStats) -> io::Result<()> {
    if stats.origins.missing_slots() == 0 {
        return Ok(());
    }
    table.count(stats.origins.missing_slots(), "missing slots of five minutes")?;
    for (origin, account) in &stats.origins {
        let slots = &account.slots;
        if slots.missing().is_none() {
            table.detail(&format!("{}: too scattered to be listed", evidence::name(origin)))?;
        }
        for gap in slots.gaps().take(SHOWN_GAPS) {
            table.detail(&format!("{}: {}", evidence::name(origin), evidence::gap(&gap)))?;
        }
        table.more(slots.gaps().count() as u64, SHOWN_GAPS)?;
    }
    Ok(())
}

/// Gaps of each flow log that are listed.
pub(super) const SHOWN_GAPS: usize = 100;

fn copies(table: &mut Table<'_>, stats: &SourceStats, likely: Option<LikelyCopies>) -> io::Result<()> {
    table.count_if_any(stats.copies, "copies of flows folded")?;
    table.count_if_any(stats.copies_bytes, "bytes in them")?;
    let Some(likely) = likely else { return Ok(()) };
    let about = if likely.one_in > 1 { "about as many " } else { "" };
    table.count_if_any(likely.records, &format!("{about}records matched that may be copies (--dedup)"))?;
    table.count_if_any(likely.bytes, &format!("{about}bytes in them"))
}

fn captures(table: &mut Table<'_>, stats: &SourceStats) -> io::Result<()> {
    if stats.frames == 0 {
        return Ok(());
    }
    table.count(stats.frames, "frames")?;
    table.count(stats.frames_used, "frames used")?;
    stats.frames_noted.iter().try_for_each(|(note, count)| table.count(*count, &format!("  {note}")))?;
    table.count(stats.skipped(), "frames skipped")?;
    stats.frames_skipped.iter().try_for_each(|(why, count)| table.count(*count, &format!("  {why}")))?;
    table.count_if_any(stats.flows_evicted, "flows ended early for want of room")
}

fn what_was_read(account: &OriginAccount) -> String {
    let files = if account.files == 1 { "file" } else { "files" };
    let slots = match (account.slots.expected(), account.slots.missing()) {
        (0, _) => String::new(),
        (expected, missing) => {
            let present =
                missing.map_or_else(|| "?".into(), |missing| expected.saturating_sub(missing).to_string());
            format!("; {present} of {expected} slots")
        }
    };
    let span = evidence::span(account.first, account.last);
    format!("{} {files}, {span}{slots}", account.files)
}
