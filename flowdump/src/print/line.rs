//! `line`, `long` and `extended`: one line a record, in nfdump's columns.
//!
//! Records of cloud logs say ACCEPT or REJECT behind nfdump's columns. Times are UTC. Addresses are never cut; the
//! columns widen with the first rows that need it.

use std::borrow::Cow;
use std::io::{self, Write};

use flowcore::{
    Field, FieldSet, FlowBatch, NANOS_PER_SEC, NumberColumn, Protocol, TcpFlags, TextColumn, TimeColumn,
    Timestamp,
};

use super::clock::Clock;
use super::ends::{self, Ends};
use super::escape::terminal;
use super::text;
use super::units::{Moment, Scaled, Seconds, Span};
use super::{FULL, Printer, Style};

/// Which columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// nfdump's `line`.
    Line,
    /// With flags and type of service.
    Long,
    /// With rates too.
    Extended,
}

/// Prints aligned lines.
#[derive(Debug)]
pub(super) struct LinePrinter {
    layout: Layout,
    style: Style,
    /// Width of `address:port`.
    end_width: usize,
    /// Source and destination of the row.
    ends: [Vec<u8>; 2],
    clock: Clock,
    buffer: Vec<u8>,
}

/// `255.255.255.255:65535`.
const V4_END_WIDTH: usize = 21;

/// `ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff.65535`.
const V6_END_WIDTH: usize = 45;

impl LinePrinter {
    pub(super) fn new(layout: Layout, style: Style) -> Self {
        let end_width = if style.full_ipv6 { V6_END_WIDTH } else { V4_END_WIDTH };
        let ends = [Vec::new(), Vec::new()];
        Self { layout, style, end_width, ends, clock: Clock::new(b' '), buffer: Vec::new() }
    }

    fn write_row(&mut self, columns: &Columns<'_>, row: usize) {
        let [source, destination] = &mut self.ends;
        source.clear();
        columns.ends.source(row, source);
        destination.clear();
        columns.ends.destination(row, destination);
        self.end_width = self.end_width.max(source.len()).max(destination.len());
        let (out, plain) = (&mut self.buffer, self.style.plain_numbers);
        match columns.first.and_then(|column| column.get(row)) {
            Some(nanos) => self.clock.millis(Timestamp::from_nanos(nanos), out),
            None => Moment(None).write(out),
        }
        out.push(b' ');
        write_duration(ends::number(&columns.duration, row), plain, out);
        out.push(b' ');
        text::left(6, out, |out| write_protocol(columns.ends.protocol(row), plain, out));
        out.push(b' ');
        text::blanks(self.end_width.saturating_sub(source.len()), out);
        out.extend_from_slice(source);
        out.extend_from_slice(b" -> ");
        out.extend_from_slice(destination);
        text::blanks(self.end_width.saturating_sub(destination.len()), out);
        if self.layout != Layout::Line {
            self.write_flags(columns, row);
        }
        self.write_counters(columns, row);
        if let Some(action) = columns.action.and_then(|column| column.get(row)) {
            self.write_action(action);
        }
        self.buffer.push(b'\n');
    }

    fn write_flags(&mut self, columns: &Columns<'_>, row: usize) {
        let flags = ends::number(&columns.flags, row).unwrap_or(0);
        let flags = TcpFlags(u8::try_from(flags).unwrap_or(u8::MAX));
        self.buffer.push(b' ');
        self.buffer.extend_from_slice(&flags.letters());
        self.buffer.push(b' ');
        let tos = ends::number(&columns.tos, row).unwrap_or(0);
        text::right(3, &mut self.buffer, |out| text::number(tos, out));
    }

    fn write_counters(&mut self, columns: &Columns<'_>, row: usize) {
        for (column, width) in &columns.counters {
            self.buffer.push(b' ');
            text::right(*width, &mut self.buffer, |out| match ends::number(column, row) {
                Some(value) => Scaled { value, plain: self.style.plain_numbers }.write(out),
                None => out.push(b'-'),
            });
        }
        self.buffer.push(b' ');
        let flows = ends::number(&columns.flows, row).unwrap_or(1);
        text::right(5, &mut self.buffer, |out| text::number(flows, out));
    }

    /// The word says it, colour only helps to find it.
    fn write_action(&mut self, action: &str) {
        let refused = action.eq_ignore_ascii_case("reject");
        self.buffer.push(b' ');
        if refused && self.style.color {
            self.buffer.extend_from_slice(b"\x1b[31m");
        }
        self.buffer.extend_from_slice(terminal(action).as_bytes());
        if refused && self.style.color {
            self.buffer.extend_from_slice(b"\x1b[0m");
        }
    }
}

impl Printer for LinePrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.style.heading {
            return Ok(());
        }
        let width = self.end_width;
        write!(
            out,
            "{:<23} {:>16} {:<6} {:>width$}    {:<width$}",
            "Date first seen (UTC)", "Duration", "Proto", "Src IP Addr:Port", "Dst IP Addr:Port"
        )?;
        if self.layout != Layout::Line {
            write!(out, " {:<8} {:>3}", "Flags", "Tos")?;
        }
        write!(out, " {:>8} {:>8}", "Packets", "Bytes")?;
        if self.layout == Layout::Extended {
            write!(out, " {:>8} {:>8} {:>6}", "pps", "bps", "Bpp")?;
        }
        writeln!(out, " {:>5}", "Flows")
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.rows(batch, &mut std::iter::once(row), out)
    }

    fn rows(
        &mut self,
        batch: &FlowBatch,
        rows: &mut dyn Iterator<Item = usize>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let columns = Columns::of(batch, self.layout);
        self.buffer.clear();
        for row in rows {
            self.write_row(&columns, row);
            if self.buffer.len() >= FULL {
                out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        out.write_all(&self.buffer)
    }

    fn fork(&self) -> Option<Box<dyn Printer + Send>> {
        Some(Box::new(Self { end_width: self.end_width, ..Self::new(self.layout, self.style) }))
    }

    fn state(&self) -> usize {
        self.end_width
    }

    fn set_state(&mut self, state: usize) {
        self.end_width = state;
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        let counters =
            [Field::First, Field::Duration, Field::Packets, Field::Bytes, Field::Flows, Field::Action];
        let mut fields = ends::fields().union(FieldSet::from(counters));
        if self.layout != Layout::Line {
            fields.insert(Field::TcpFlags);
            fields.insert(Field::SrcTos);
        }
        fields.stored()
    }
}

/// The columns of a batch that are printed, looked up once for all rows.
struct Columns<'a> {
    first: Option<&'a TimeColumn>,
    duration: Option<Cow<'a, NumberColumn>>,
    ends: Ends<'a>,
    flags: Option<Cow<'a, NumberColumn>>,
    tos: Option<Cow<'a, NumberColumn>>,
    /// Each with its width.
    counters: Vec<(Option<Cow<'a, NumberColumn>>, usize)>,
    flows: Option<Cow<'a, NumberColumn>>,
    action: Option<&'a TextColumn>,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a FlowBatch, layout: Layout) -> Self {
        let counters =
            [(Field::Packets, 8), (Field::Bytes, 8), (Field::Pps, 8), (Field::Bps, 8), (Field::Bpp, 6)];
        let shown = if layout == Layout::Extended { 5 } else { 2 };
        let has_flags = layout != Layout::Line;
        let flags = |field| if has_flags { batch.numbers(field) } else { None };
        Self {
            first: batch.times(Field::First),
            duration: batch.numbers(Field::Duration),
            ends: Ends::of(batch),
            flags: flags(Field::TcpFlags),
            tos: flags(Field::SrcTos),
            counters: counters
                .into_iter()
                .take(shown)
                .map(|(field, width)| (batch.numbers(field), width))
                .collect(),
            flows: batch.numbers(Field::Flows),
            action: batch.texts(Field::Action),
        }
    }
}

/// Adds a duration in 16 characters; those below a day have twelve.
fn write_duration(duration: Option<u64>, plain: bool, out: &mut Vec<u8>) {
    match duration {
        Some(nanos) if !plain && nanos < DAY => {
            text::blanks(16 - 12, out);
            Span(duration).write(out);
        }
        _ if plain => text::right(16, out, |out| Seconds(duration).write(out)),
        _ => text::right(16, out, |out| Span(duration).write(out)),
    }
}

/// Nanoseconds of a day.
const DAY: u64 = 86_400 * NANOS_PER_SEC.unsigned_abs();

fn write_protocol(number: Option<u64>, plain: bool, out: &mut Vec<u8>) {
    match number {
        Some(number) if plain => text::number(number, out),
        Some(number) => text::protocol(Protocol(u8::try_from(number).unwrap_or(u8::MAX)), out),
        None => out.push(b'-'),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::printed;
    use super::*;

    #[test]
    fn plain_numbers_are_numbers_in_every_column() {
        for layout in [Layout::Line, Layout::Long, Layout::Extended] {
            let words = |plain_numbers| {
                let style = Style { heading: false, plain_numbers, ..Style::HEADED };
                let list = printed(&mut LinePrinter::new(layout, style));
                let first = list.lines().next().unwrap();
                first.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(words(true)[2..4], ["2.499", "6"], "{layout:?}");
            assert_eq!(words(false)[2..4], ["00:00:02.499", "TCP"], "{layout:?}");
        }
    }

    #[test]
    fn lines_stand_below_one_another_from_the_start_where_it_is_asked_for() {
        let style = Style { full_ipv6: true, ..Style::HEADED };
        let list = printed(&mut LinePrinter::new(Layout::Extended, style));
        let widths: Vec<usize> = list.lines().map(str::len).collect();
        assert_eq!(widths, [widths[0]; 4], "{list}");
        assert!(
            list.contains(&format!(" {:>45} -> {:<45} ", "10.0.0.1:50000", "20.106.124.93:443")),
            "{list}"
        );
    }
}
