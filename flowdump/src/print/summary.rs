//! The summary block: totals of what matched, and an account of what was read and what was not counted.

use flowcore::aggregate::{Counters, Way};
use flowcore::{Field, FieldSet, FlowBatch, Mask, SourceStats, Timestamp};
use std::cmp::Reverse;
use std::io::{self, Write};

use super::evidence;
use super::times::Times;
use super::units::{Moment, Scaled, Span};

/// Totals of the matching records.
#[derive(Debug, Default)]
pub struct Summary {
    records: u64,
    counters: Counters,
    last_start: Option<Timestamp>,
}

impl Summary {
    /// The stored fields the totals are made from.
    pub fn fields() -> FieldSet {
        FieldSet::from([
            Field::First,
            Field::Last,
            Field::Packets,
            Field::Bytes,
            Field::Flows,
            Field::LogStatus,
        ])
        .stored()
    }

    /// Adds the chosen rows.
    pub fn add(&mut self, batch: &FlowBatch, chosen: &Mask) {
        self.records += chosen.count() as u64;
        self.counters.add_rows(batch, chosen);
        let starts = batch.times(Field::First);
        let last_start = chosen.rows().filter_map(|row| starts?.get(row)).max();
        self.last_start = self.last_start.max(last_start.map(Timestamp::from_nanos));
    }

    /// Matching records.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// When the last record starts.
    pub(crate) fn last_start(&self) -> Option<Timestamp> {
        self.last_start
    }

    /// What the matching records add up to.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Prints the block in nfdump's layout, with our lines behind it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(
        &self,
        stats: &SourceStats,
        times: &Times,
        plain: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.print_totals(plain, out)?;
        self.print_window(out)?;
        writeln!(
            out,
            "Total records processed: {}, passed: {}, Blocks skipped: {}, Bytes read: {}",
            stats.records, self.records, stats.blocks_skipped, stats.bytes
        )?;
        print_account(stats, out)?;
        times.print(stats.records, out)
    }

    fn print_totals(&self, plain: bool, out: &mut dyn Write) -> io::Result<()> {
        let scaled = |value: Option<u64>| Scaled { value: value.unwrap_or(0), plain };
        let (all, way) = (&self.counters, Way::Both);
        writeln!(
            out,
            "Summary: total flows: {}, total bytes: {}, total packets: {}, avg bps: {}, avg pps: {}, avg bpp: {}",
            all.flows(),
            scaled(all.bytes(way)),
            scaled(all.packets(way)),
            scaled(all.bps(way)),
            scaled(all.pps(way)),
            scaled(all.bpp(way)),
        )
    }

    fn print_window(&self, out: &mut dyn Write) -> io::Result<()> {
        let (Some(first), Some(start)) = (self.counters.first(), self.last_start) else {
            return writeln!(out, "Time window: no matching flows");
        };
        let last = self.counters.last().unwrap_or(start);
        let duration = Span(Some(self.counters.duration().unwrap_or(0)));
        writeln!(
            out,
            "Time window: {} - {} UTC, Duration: {duration}",
            Moment(Some(first)),
            Moment(Some(last))
        )?;
        writeln!(out, "First start: {first}, last start: {start}, last end: {last}")
    }
}

/// What was read, and what of it is in no flow.
pub(crate) fn print_account(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    let files = if stats.files == 1 { "file" } else { "files" };
    let ignored = match stats.files_ignored {
        0 => String::new(),
        count => format!(", {count} passed over (hidden, unfinished, or a README)"),
    };
    let outside = match stats.files_outside_window {
        0 => String::new(),
        count => format!(", {count} outside the window not opened"),
    };
    writeln!(
        out,
        "Inputs: {} {files}, {} read{outside}{ignored}",
        stats.files,
        flowcore::readable_bytes(stats.bytes)
    )?;
    if stats.header_lines + stats.nodata + stats.skipdata == 0 {
        if stats.bad_records > 0 {
            writeln!(out, "{} records that cannot be used", stats.bad_records)?;
        }
    } else {
        let missing = if stats.skipdata > 0 { " (evidence missing)" } else { "" };
        writeln!(
            out,
            "{} records = {} flows + {} NODATA + {} SKIPDATA{missing}; {} header lines, {} bad lines",
            stats.records, stats.flows, stats.nodata, stats.skipdata, stats.header_lines, stats.bad_records
        )?;
    }
    evidence::print(stats, out)?;
    for what in unknown_parts(stats) {
        writeln!(out, "Not understood and left out: {what}")?;
    }
    if stats.frames > 0 {
        writeln!(out, "Frames: {} = {} used + {} skipped", stats.frames, stats.frames_used, stats.skipped())?;
        for (reason, count) in &stats.frames_skipped {
            writeln!(out, "  skipped {count}: {reason}")?;
        }
        for (note, count) in &stats.frames_noted {
            writeln!(out, "  noted {count}: {note}")?;
        }
    }
    if stats.copies > 0 {
        writeln!(
            out,
            "Folded {} copies, {} bytes, that another interface or flow log wrote of the same traffic",
            stats.copies, stats.copies_bytes
        )?;
    }
    if stats.flows_evicted > 0 {
        writeln!(out, "Flows ended early because too many were open: {}", stats.flows_evicted)?;
    }
    Ok(())
}

/// The parts that were not understood, those of the largest counts first, a text each; how many kinds are not shown
/// last.
pub(crate) fn unknown_parts(stats: &SourceStats) -> Vec<String> {
    let mut parts: Vec<_> = stats.unknown_parts.iter().collect();
    parts.sort_by_key(|(_, count)| Reverse(**count));
    let shown = parts.iter().take(UNKNOWN_KINDS).map(|(what, count)| format!("{count} {what}"));
    let more = parts.len().saturating_sub(UNKNOWN_KINDS);
    shown.chain((more > 0).then(|| format!("and {more} more kinds"))).collect()
}

/// Kinds of parts that are shown.
const UNKNOWN_KINDS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_accounted_for_with_what_was_odd_about_them() {
        let mut stats =
            SourceStats { files: 1, frames: 20, frames_used: 17, flows_evicted: 2, ..SourceStats::default() };
        stats.frames_skipped.insert("arp".into(), 3);
        stats.unknown_parts.insert("element 60".into(), 5);
        stats.frames_noted.extend([("captured in part".into(), 3), ("fragment".into(), 12)]);
        let mut out = Vec::new();
        print_account(&stats, &mut out).unwrap();
        let shown = "\
Inputs: 1 file, 0 bytes read
Not understood and left out: 5 element 60
Frames: 20 = 17 used + 3 skipped
  skipped 3: arp
  noted 3: captured in part
  noted 12: fragment
Flows ended early because too many were open: 2
";
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }

    fn shown(stats: &SourceStats) -> String {
        let mut out = Vec::new();
        print_account(stats, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn of_many_parts_the_most_frequent_are_shown() {
        let mut stats = SourceStats::default();
        stats.unknown_parts.extend((0..=11).map(|n| (format!("element {n:02}"), n % 11)));
        let text = shown(&stats);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (11, "Not understood and left out: 10 element 10"));
        assert_eq!(
            lines[9..],
            ["Not understood and left out: 1 element 01", "Not understood and left out: and 2 more kinds"]
        );
    }

    #[test]
    fn lines_are_spoken_of_where_there_are_logs() {
        let stats = SourceStats { records: 5, flows: 5, bad_records: 3, ..SourceStats::default() };
        assert_eq!(shown(&stats), "3 records that cannot be used\n");
        let stats = SourceStats { header_lines: 1, ..stats };
        assert_eq!(
            shown(&stats),
            "5 records = 5 flows + 0 NODATA + 0 SKIPDATA; 1 header lines, 3 bad lines\n"
        );
    }
}
