//! The summary block: totals of what matched, and an account of what was read and what was not counted.

use std::io::{self, Write};
use std::time::Duration;

use flowcore::{Field, FieldSet, FlowBatch, Mask, SourceStats, Timestamp};

use super::units::{Moment, Scaled, Span};

/// Totals of the matching records.
#[derive(Debug, Default)]
pub struct Summary {
    records: u64,
    flows: u64,
    packets: u64,
    bytes: u64,
    first: Option<Timestamp>,
    last_start: Option<Timestamp>,
    last: Option<Timestamp>,
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
        for row in chosen.rows() {
            self.records += 1;
            let flows =
                if batch.is_status_row(row) { 0 } else { batch.number(Field::Flows, row).unwrap_or(1) };
            self.flows = self.flows.saturating_add(flows);
            self.packets = self.packets.saturating_add(batch.number(Field::Packets, row).unwrap_or(0));
            self.bytes = self.bytes.saturating_add(batch.number(Field::Bytes, row).unwrap_or(0));
            if let Some(first) = batch.time(Field::First, row) {
                self.first = Some(self.first.map_or(first, |known| known.min(first)));
                self.last_start = self.last_start.max(Some(first));
            }
            self.last = self.last.max(batch.time(Field::Last, row));
        }
    }

    /// Prints the block in nfdump's layout, with our lines behind it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn print(
        &self,
        stats: &SourceStats,
        wall: Duration,
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
        let secs = wall.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = if secs > 0.0 { stats.records as f64 / secs } else { 0.0 };
        writeln!(out, "Wall: {secs:.3}s, records/second: {rate:.0}")
    }

    fn print_totals(&self, plain: bool, out: &mut dyn Write) -> io::Result<()> {
        let scaled = |value| Scaled { value, plain };
        let nanos = u128::from(self.duration());
        let rate = |count: u64, factor: u128| {
            let per_second = (u128::from(count) * factor * 1_000_000_000).checked_div(nanos).unwrap_or(0);
            u64::try_from(per_second).unwrap_or(u64::MAX)
        };
        writeln!(
            out,
            "Summary: total flows: {}, total bytes: {}, total packets: {}, avg bps: {}, avg pps: {}, avg bpp: {}",
            self.flows,
            scaled(self.bytes),
            scaled(self.packets),
            scaled(rate(self.bytes, 8)),
            scaled(rate(self.packets, 1)),
            scaled(self.bytes.checked_div(self.packets).unwrap_or(0)),
        )
    }

    fn print_window(&self, out: &mut dyn Write) -> io::Result<()> {
        let (Some(first), Some(start)) = (self.first, self.last_start) else {
            return writeln!(out, "Time window: no matching flows");
        };
        let last = self.last.unwrap_or(start);
        let duration = Span(Some(self.duration()));
        writeln!(
            out,
            "Time window: {} - {} UTC, Duration: {duration}",
            Moment(Some(first)),
            Moment(Some(last))
        )?;
        writeln!(out, "First start: {first}, last start: {start}, last end: {last}")
    }

    /// Nanoseconds from the first start to the last end.
    fn duration(&self) -> u64 {
        let span = self.last.zip(self.first).map_or(0, |(last, first)| last.since(first));
        u64::try_from(span).unwrap_or(0)
    }
}

/// What was read, and what of it is in no flow.
pub(crate) fn print_account(stats: &SourceStats, out: &mut dyn Write) -> io::Result<()> {
    let files = if stats.files == 1 { "file" } else { "files" };
    let ignored = match stats.files_ignored {
        0 => String::new(),
        count => format!(", {count} passed over (hidden, or a README)"),
    };
    writeln!(
        out,
        "Inputs: {} {files}, {} read{ignored}",
        stats.files,
        flowcore::readable_bytes(stats.bytes)
    )?;
    if stats.header_lines + stats.nodata + stats.skipdata + stats.bad_records > 0 {
        let missing = if stats.skipdata > 0 { " (evidence missing)" } else { "" };
        writeln!(
            out,
            "{} records = {} flows + {} NODATA + {} SKIPDATA{missing}; {} header lines, {} bad lines",
            stats.records, stats.flows, stats.nodata, stats.skipdata, stats.header_lines, stats.bad_records
        )?;
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
    if stats.flows_evicted > 0 {
        writeln!(out, "Flows ended early because too many were open: {}", stats.flows_evicted)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_accounted_for_with_what_was_odd_about_them() {
        let mut stats =
            SourceStats { files: 1, frames: 20, frames_used: 17, flows_evicted: 2, ..SourceStats::default() };
        stats.frames_skipped.insert("arp".into(), 3);
        stats.frames_noted.extend([("captured in part".into(), 3), ("fragment".into(), 12)]);
        let mut out = Vec::new();
        print_account(&stats, &mut out).unwrap();
        let shown = "\
Inputs: 1 file, 0 bytes read
Frames: 20 = 17 used + 3 skipped
  skipped 3: arp
  noted 3: captured in part
  noted 12: fragment
Flows ended early because too many were open: 2
";
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }
}
