//! `-o fmt:`: one line a record, in columns of the user's choice.
//!
//! Addresses are never cut: their columns widen with the first rows that need it.

use std::io::{self, Write};

use flowcore::{Field, FieldKind, FieldSet, FlowBatch, Protocol};

use super::csv::write_number;
use super::ends;
use super::escape;
use super::tags::{Cell, Tag};
use super::template::{Part, Template};
use super::units::{Moment, Scaled, Seconds, Span};
use super::{Printer, Style};

/// Prints the columns of a template.
#[derive(Debug)]
pub(super) struct CustomPrinter {
    template: Template,
    style: Style,
    /// Width of each part's column.
    widths: Vec<usize>,
    line: String,
}

impl CustomPrinter {
    pub(super) fn new(template: Template, style: Style) -> Self {
        let width = |part: &Part| match part {
            Part::Tag(tag) => tag.heading.len(),
            Part::Text(_) => 0,
        };
        let widths = template.parts().iter().map(width).collect();
        Self { template, style, widths, line: String::new() }
    }
}

impl Printer for CustomPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.style.heading {
            return Ok(());
        }
        self.line.clear();
        for part in self.template.parts() {
            match part {
                Part::Tag(Tag { cell: Cell::Newline, .. }) => self.line.push('\n'),
                Part::Tag(tag) => self.line.push_str(tag.heading),
                // Text between columns is left out of the heading, as in nfdump.
                Part::Text(text) => self.line.extend(text.chars().map(|_| ' ')),
            }
        }
        writeln!(out, "{}", self.line)
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.line.clear();
        for (part, width) in self.template.parts().iter().zip(&mut self.widths) {
            match part {
                Part::Text(text) => self.line.push_str(text),
                Part::Tag(tag) => {
                    let text = cell(tag.cell, batch, row, self.style)?;
                    if widens(tag.cell) {
                        *width = text.chars().count().max(*width);
                    }
                    self.line.push_str(&padded(tag.cell, &text, *width));
                }
            }
        }
        writeln!(out, "{}", self.line)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        self.template.fields()
    }
}

fn widens(cell: Cell) -> bool {
    match cell {
        Cell::Source | Cell::Destination => true,
        Cell::Field(field) => field.kind() == FieldKind::Addr,
        _ => false,
    }
}

/// Words stand left, numbers and addresses right.
fn padded(cell: Cell, text: &str, width: usize) -> String {
    let left = match cell {
        Cell::Field(field) => {
            matches!(field.kind(), FieldKind::Text | FieldKind::Protocol | FieldKind::EndReason)
        }
        Cell::Newline => return text.to_owned(),
        cell => cell != Cell::Ttl,
    };
    if left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

/// The text of a cell; `-` where the row has no value.
fn cell(cell: Cell, batch: &FlowBatch, row: usize, style: Style) -> io::Result<String> {
    Ok(match cell {
        Cell::Field(field) => return field_text(field, batch, row, style),
        Cell::Source => end(batch, Field::SrcAddr, Field::SrcPort, row),
        Cell::Destination => end(batch, Field::DstAddr, Field::DstPort, row),
        Cell::Labels => {
            let labels =
                Field::MPLS.map(|field| batch.number(field, row).map(|n| number_text(FieldKind::Mpls, n)));
            let labels = labels.into_iter().flatten().collect::<io::Result<Vec<_>>>()?;
            if labels.is_empty() { "-".into() } else { labels.join(" ") }
        }
        Cell::Ttl => match (batch.number(Field::MinTtl, row), batch.number(Field::MaxTtl, row)) {
            (Some(min), Some(max)) if min != max => format!("{min}-{max}"),
            (min, max) => min.or(max).map_or_else(|| "-".into(), |ttl| ttl.to_string()),
        },
        Cell::Tunnel => tunnel(batch, row),
        Cell::Newline => "\n".into(),
    })
}

/// `address:port`, aligned at the separator as in nfdump.
fn end(batch: &FlowBatch, addr: Field, port: Field, row: usize) -> String {
    let (addr, port) = (batch.addr(addr, row), port_text(batch, port, row));
    let separator = char::from(ends::separator(addr));
    let addr = if addr.is_known() { addr.to_string() } else { "-".into() };
    format!("{addr:>16}{separator}{port:<5}")
}

fn port_text(batch: &FlowBatch, field: Field, row: usize) -> String {
    let mut text = Vec::new();
    ends::port(batch, field, row, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// `vxlan 4096 192.0.2.1 -> 192.0.2.2`.
fn tunnel(batch: &FlowBatch, row: usize) -> String {
    let (src, dst) = (batch.addr(Field::TunSrcAddr, row), batch.addr(Field::TunDstAddr, row));
    if !src.is_known() && !dst.is_known() {
        return "-".into();
    }
    let kind = escape::terminal(batch.text(Field::TunType, row).unwrap_or("-"));
    let id = batch.number(Field::TunId, row).map_or_else(String::new, |id| format!(" {id}"));
    format!("{kind}{id} {src} -> {dst}")
}

fn field_text(field: Field, batch: &FlowBatch, row: usize, style: Style) -> io::Result<String> {
    let absent = || "-".to_owned();
    Ok(match field.kind() {
        _ if matches!(field, Field::SrcPort | Field::DstPort) => port_text(batch, field, row),
        FieldKind::Time => Moment(batch.time(field, row)).to_string(),
        FieldKind::Addr => match batch.addr(field, row) {
            addr if addr.is_known() => addr.to_string(),
            _ => absent(),
        },
        FieldKind::Text if matches!(field, Field::InPayload | Field::OutPayload) => {
            batch.text(field, row).map_or_else(absent, escape::payload)
        }
        FieldKind::Text => {
            batch.text(field, row).map_or_else(absent, |text| escape::terminal(text).into_owned())
        }
        kind => match batch.number(field, row) {
            Some(number) => styled_number(kind, number, style)?,
            None if field == Field::Flows => "1".into(),
            None => absent(),
        },
    })
}

/// A number for people, or plain where that is wanted.
fn styled_number(kind: FieldKind, number: u64, style: Style) -> io::Result<String> {
    Ok(match kind {
        FieldKind::Duration if style.plain_numbers => Seconds(Some(number)).to_string(),
        FieldKind::Duration => Span(Some(number)).to_string(),
        FieldKind::Latency => format!("{}.{:03}", number / 1_000_000, number / 1000 % 1000),
        FieldKind::Protocol if !style.plain_numbers => {
            u8::try_from(number).map_or_else(|_| number.to_string(), |number| Protocol(number).to_string())
        }
        FieldKind::Count | FieldKind::Rate => {
            Scaled { value: number, plain: style.plain_numbers }.to_string()
        }
        kind => number_text(kind, number)?,
    })
}

fn number_text(kind: FieldKind, number: u64) -> io::Result<String> {
    let mut text = Vec::new();
    write_number(kind, number, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::sample::printed;
    use super::*;

    fn list(template: &str, plain_numbers: bool) -> String {
        let style = Style { heading: true, plain_numbers, color: false };
        printed(&mut CustomPrinter::new(Template::parse(template).unwrap(), style))
    }

    #[test]
    fn the_columns_are_those_of_nfdump() {
        let shown = "\
Date first seen                 Duration Proto      Src IP Addr:Port          Dst IP Addr:Port     Flags  Packets    Bytes Flows
2023-09-28 17:22:35.000     00:00:02.499 TCP           10.0.0.1:50000 ->    20.106.124.93:443   ...AP.SF       18   90.0 M     1
-                                      - ICMP6 fe80::1234:5678:9abc:def0.0     ->          ff02::1.135.0        -        1        -     1
-                                      - -                    -:-              ->                -:-            -        -        -     1
";
        assert_eq!(list("%ts %td %pr %sap -> %dap %flg %pkt %byt %fl", false), shown);
    }

    #[test]
    fn the_groups_of_a_capture_are_columns() {
        let shown = "\
C Latency S latency A latency  MPLS lbl 1  MPLS labels     TTL SVlan End               Tunnel
    1.000     0.000 61000.000      100-5-0 100-5-0 1048575-0-1   60-64     7 end of flow       vxlan 4096 192.0.2.1 -> 2001:db8::2
        -         -         -            - -                 -     - -                 -     \n        -         -         -            - -                 -     - -                 -     \n";
        assert_eq!(list("%cl %sl %al %mpls1 %mpls %ttl %svln %end %tun", false), shown);
    }

    #[test]
    fn any_field_has_a_column() {
        let list = list("%{tunid} %{tun_proto} %{outretransmits} %{spi} %td %ipl", true);
        let words = |line: usize| {
            let line = list.lines().nth(line).unwrap();
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(0), ["tunid", "tunproto", "outretransmits", "spi", "Duration", "In", "payload"]);
        assert_eq!(words(1).join(" "), "4096 17 2 4096 2.499 GET / \"\\r\\n\\x00\\xff");
    }

    #[test]
    fn lines_can_be_several_and_text_stands_as_it_is() {
        let style = Style { heading: false, plain_numbers: true, color: false };
        let template = Template::parse("{\"b\": %{bytes}, %pr}%n%%").unwrap();
        let text = printed(&mut CustomPrinter::new(template, style));
        assert_eq!(text.lines().take(2).collect::<Vec<_>>(), ["{\"b\": 90001500, 6    }", "%"]);
    }

    #[test]
    fn a_column_asks_for_what_it_shows() {
        let style = Style { heading: false, plain_numbers: true, color: false };
        let fields = |text: &str| CustomPrinter::new(Template::parse(text).unwrap(), style).fields();
        assert!(fields("%dap").contains(Field::IcmpType) && fields("%dp").contains(Field::Protocol));
        assert!(fields("%mpls").contains(Field::Mpls10) && fields("%tun").contains(Field::TunId));
        assert!(fields("%byt").contains(Field::OutBytes) && fields("x%n").is_empty());
    }
}
