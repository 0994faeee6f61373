//! `line`, `long` and `extended`: one line a record, in nfdump's columns.
//!
//! Records of cloud logs say ACCEPT or REJECT behind nfdump's columns. Times are UTC. Addresses are never cut; the
//! columns widen with the first rows that need it.

use std::io::{self, Write};

use flowcore::{Field, FieldSet, FlowBatch, Protocol, TcpFlags};

use super::ends::{self, ends};
use super::escape::terminal;
use super::units::{Moment, Scaled, Span};
use super::{Printer, Style};

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
    buffer: Vec<u8>,
}

/// `255.255.255.255:65535`.
const V4_END_WIDTH: usize = 21;

impl LinePrinter {
    pub(super) fn new(layout: Layout, style: Style) -> Self {
        Self { layout, style, end_width: V4_END_WIDTH, buffer: Vec::new() }
    }

    fn write_row(&mut self, batch: &FlowBatch, row: usize) -> io::Result<()> {
        let (source, destination) = ends(batch, row);
        self.end_width = self.end_width.max(source.len()).max(destination.len());
        let width = self.end_width;
        let protocol = match batch.number(Field::Protocol, row) {
            Some(number) => Protocol(u8::try_from(number).unwrap_or(u8::MAX)).to_string(),
            None => "-".into(),
        };
        let (first, duration) =
            (Moment(batch.time(Field::First, row)), Span(batch.number(Field::Duration, row)));
        let out = &mut self.buffer;
        out.clear();
        write!(out, "{first} {duration:>16} {protocol:<6} {source:>width$} -> {destination:<width$}")?;
        if self.layout != Layout::Line {
            let flags = batch.number(Field::TcpFlags, row).map_or_else(|| "........".into(), flags_text);
            write!(out, " {flags} {:>3}", batch.number(Field::SrcTos, row).unwrap_or(0))?;
        }
        let mut count = |field, width: usize| {
            let value = batch.number(field, row);
            match value {
                Some(value) => write!(out, " {:>width$}", Scaled { value, plain: self.style.plain_numbers }),
                None => write!(out, " {:>width$}", "-"),
            }
        };
        count(Field::Packets, 8)?;
        count(Field::Bytes, 8)?;
        if self.layout == Layout::Extended {
            count(Field::Pps, 8)?;
            count(Field::Bps, 8)?;
            count(Field::Bpp, 6)?;
        }
        write!(out, " {:>5}", batch.number(Field::Flows, row).unwrap_or(1))?;
        if let Some(action) = batch.text(Field::Action, row) {
            self.write_action(action);
        }
        self.buffer.push(b'\n');
        Ok(())
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
        self.write_row(batch, row)?;
        out.write_all(&self.buffer)
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

fn flags_text(number: u64) -> String {
    TcpFlags(u8::try_from(number).unwrap_or(u8::MAX)).to_string()
}
