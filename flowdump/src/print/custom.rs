//! `-o fmt:`: one line a record, in columns of the user's choice.
//!
//! Addresses are never cut: their columns widen with the first rows that need it.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use flowcore::filter::value_name;
use flowcore::{Addr, Field, FieldKind, FieldSet, FlowBatch, NANOS_PER_SEC, Protocol};

use super::csv::write_number;
use super::ends;
use super::escape;
use super::hello;
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
            Part::Tag(tag) => tag.heading.len().max(first_width(tag.cell, style)),
            Part::Text(_) => 0,
        };
        let widths = template.parts().iter().map(width).collect();
        Self { template, style, widths, line: String::new() }
    }
}

/// How wide a column of addresses is from the start.
fn first_width(cell: Cell, style: Style) -> usize {
    match cell {
        Cell::End(..) => style.addr_width() + ":65535".len(),
        Cell::Network(..) => style.addr_width() + "/24".len(),
        Cell::Field(field) if field.kind() == FieldKind::Addr => style.addr_width(),
        _ => 0,
    }
}

impl Printer for CustomPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.style.heading {
            return Ok(());
        }
        self.line.clear();
        for (part, &width) in self.template.parts().iter().zip(&self.widths) {
            match part {
                Part::Tag(Tag { cell: Cell::Newline, .. }) => self.line.push('\n'),
                Part::Tag(tag) if first_width(tag.cell, self.style) > 0 => {
                    self.line.push_str(&format!("{:>width$}", tag.heading));
                }
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
        Cell::End(..) | Cell::Network(..) => true,
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
        cell => {
            matches!(cell, Cell::Moment(_) | Cell::End(..) | Cell::Labels | Cell::Hello(_) | Cell::Tunnel)
        }
    };
    if left { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

/// The text of a cell; `-` where the row has no value.
fn cell(cell: Cell, batch: &FlowBatch, row: usize, style: Style) -> io::Result<String> {
    Ok(match cell {
        Cell::Field(field) => return field_text(field, batch, row, style),
        Cell::Moment(field) => Moment(batch.time(field, row)).to_string(),
        Cell::Epoch(field) => epoch(batch, field, row).unwrap_or_else(absent),
        Cell::Millis(field) => millis(batch, field, row).map_or_else(absent, |millis| millis.to_string()),
        Cell::Seconds(field) => Seconds(batch.number(field, row)).to_string(),
        Cell::End(addr, port) => end(batch, addr, port, row, style),
        Cell::Network(addr, mask) => network(batch, addr, mask, row).unwrap_or_else(absent),
        Cell::Engine => engine(batch, row).unwrap_or_else(absent),
        Cell::Labels => {
            let labels =
                Field::MPLS.map(|field| batch.number(field, row).map(|n| number_text(FieldKind::Mpls, n)));
            let labels = labels.into_iter().flatten().collect::<io::Result<Vec<_>>>()?;
            if labels.is_empty() { absent() } else { labels.join(" ") }
        }
        Cell::Ttl => match (batch.number(Field::MinTtl, row), batch.number(Field::MaxTtl, row)) {
            (Some(min), Some(max)) if min != max => format!("{min}-{max}"),
            (min, max) => min.or(max).map_or_else(absent, |ttl| ttl.to_string()),
        },
        Cell::Hello(what) => hello::shown(what, batch, row).unwrap_or_else(absent),
        Cell::Tunnel => tunnel(batch, row),
        Cell::Newline => "\n".into(),
    })
}

/// What stands where a row has no value.
fn absent() -> String {
    "-".to_owned()
}

/// A time in seconds since 1970 with three decimals.
pub(super) fn epoch(batch: &FlowBatch, field: Field, row: usize) -> Option<String> {
    let nanos = batch.time(field, row)?.as_nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    Some(format!("{sign}{}", Seconds(Some(nanos.unsigned_abs()))))
}

/// A time in milliseconds since 1970.
pub(super) fn millis(batch: &FlowBatch, field: Field, row: usize) -> Option<i64> {
    Some(batch.time(field, row)?.as_nanos().div_euclid(NANOS_PER_SEC / 1000))
}

/// `10.0.0.0/24`: an address without the bits behind its mask.
pub(super) fn network(batch: &FlowBatch, addr: Field, mask: Field, row: usize) -> Option<String> {
    let mask = batch.number(mask, row)?;
    let bits = |width: u64| u32::try_from(width.saturating_sub(mask)).unwrap_or(0);
    Some(match batch.addr(addr, row) {
        Addr::Unknown => return None,
        Addr::V4(addr) => {
            let kept = u32::MAX.checked_shl(bits(32)).unwrap_or(0);
            format!("{}/{mask}", Ipv4Addr::from(u32::from(addr) & kept))
        }
        Addr::V6(addr) => {
            let kept = u128::MAX.checked_shl(bits(128)).unwrap_or(0);
            format!("{}/{mask}", Ipv6Addr::from(u128::from(addr) & kept))
        }
    })
}

/// `type/number` of the exporter's engine.
pub(super) fn engine(batch: &FlowBatch, row: usize) -> Option<String> {
    let (kind, id) = (batch.number(Field::EngineType, row), batch.number(Field::EngineId, row));
    let text = |number: Option<u64>| number.map_or_else(absent, |number| number.to_string());
    (kind.is_some() || id.is_some()).then(|| format!("{}/{}", text(kind), text(id)))
}

/// `address:port`, aligned at the separator as in nfdump.
fn end(batch: &FlowBatch, addr: Field, port: Field, row: usize, style: Style) -> String {
    let (addr, port) = (batch.addr(addr, row), port_text(batch, port, row));
    let separator = char::from(ends::separator(addr));
    let addr = if addr.is_known() { addr.to_string() } else { absent() };
    format!("{addr:>width$}{separator}{port:<5}", width = style.addr_width())
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
        _ => match batch.number(field, row) {
            Some(number) => named_or_number(field, number, style)?,
            None if field == Field::Flows => "1".into(),
            None => absent(),
        },
    })
}

/// The name of an event or of what a packet filter did, or a number. The status of forwarding is a number in nfdump.
fn named_or_number(field: Field, number: u64, style: Style) -> io::Result<String> {
    match value_name(field, number) {
        Some(name) if !style.plain_numbers && field != Field::FwdStatus => Ok(name.to_owned()),
        _ => styled_number(field, number, style),
    }
}

/// A number for people, or plain where that is wanted.
fn styled_number(field: Field, number: u64, style: Style) -> io::Result<String> {
    Ok(match field.kind() {
        FieldKind::Duration if style.plain_numbers => Seconds(Some(number)).to_string(),
        FieldKind::Duration => Span(Some(number)).to_string(),
        FieldKind::Latency => format!("{}.{:03}", number / 1_000_000, number / 1000 % 1000),
        FieldKind::Protocol if !style.plain_numbers => {
            u8::try_from(number).map_or_else(|_| number.to_string(), |number| Protocol(number).to_string())
        }
        FieldKind::Count | FieldKind::Rate if SCALED.contains(&field) => {
            Scaled { value: number, plain: style.plain_numbers }.to_string()
        }
        kind => number_text(kind, number)?,
    })
}

/// Numbers that are shortened to K, M and G; all others are identifiers, or small.
const SCALED: [Field; 9] = [
    Field::Packets,
    Field::Bytes,
    Field::InPackets,
    Field::InBytes,
    Field::OutPackets,
    Field::OutBytes,
    Field::Pps,
    Field::Bps,
    Field::Bpp,
];

fn number_text(kind: FieldKind, number: u64) -> io::Result<String> {
    let mut text = Vec::new();
    write_number(kind, number, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, printed, printed_of};
    use super::*;

    fn list(template: &str, plain_numbers: bool) -> String {
        let style = Style { plain_numbers, ..Style::HEADED };
        printed(&mut CustomPrinter::new(Template::parse(template).unwrap(), style))
    }

    #[test]
    fn the_columns_are_those_of_nfdump() {
        let shown = "\
Date first seen (UTC)           Duration Proto      Src IP Addr:Port          Dst IP Addr:Port     Flags  Packets    Bytes Flows
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
    fn times_networks_and_engines_have_nfdumps_forms() {
        let template = Template::parse("%tsr|%ter|%tds|%sn|%dn|%eng|%sas|%nsap|%xdap|%msec").unwrap();
        let list = printed_of(&mut CustomPrinter::new(template, Style::HEADED), &sample::routed());
        let row = |line: usize| list.lines().nth(line).unwrap().split('|').map(str::trim).collect::<Vec<_>>();
        let shown = [
            "1695921755.000",
            "1695921757.500",
            "2.499",
            "10.0.0.0/8",
            "20.106.124.93/32",
            "17/2",
            "4200000000",
        ];
        assert_eq!(row(1)[..7], shown);
        assert_eq!(row(1)[7..], ["192.0.2.9:4000", "-:-", "1695921755000"]);
        assert_eq!(row(2), ["-", "-", "-", "-", "-", "-", "-", "-:-", "-:-", "-"]);
    }

    #[test]
    fn events_have_names_unless_numbers_are_wanted() {
        let mut batch = FlowBatch::new();
        for (field, number) in [
            (Field::NatEvent, 2),
            (Field::FwEvent, 3),
            (Field::PfDir, 0),
            (Field::FwdStatus, 16),
            (Field::PfAction, 99),
        ] {
            batch.set_number(field, number);
        }
        batch.end_row();
        let words = |plain_numbers| {
            let template = Template::parse("%nevt %evt %pfdir %fwd %pfact").unwrap();
            let style = Style { heading: false, plain_numbers, ..Style::HEADED };
            let list = printed_of(&mut CustomPrinter::new(template, style), &batch);
            list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words(false), ["delete", "denied", "out", "16", "99"]);
        assert_eq!(words(true), ["2", "3", "0", "16", "99"]);
    }

    #[test]
    fn addresses_have_room_from_the_start_where_it_is_asked_for() {
        let style = Style { full_ipv6: true, ..Style::HEADED };
        let list = printed(&mut CustomPrinter::new(Template::parse("%sap %da|").unwrap(), style));
        let lines: Vec<&str> = list.lines().collect();
        assert_eq!(lines[0].find("Dst IP Addr"), Some(39 + 6 + 1 + 39 - 11));
        assert!(
            lines[1..].iter().all(|line| line.ends_with('|') && line.len() == 39 + 6 + 1 + 39 + 1),
            "{list}"
        );
    }

    #[test]
    fn lines_can_be_several_and_text_stands_as_it_is() {
        let style = Style { heading: false, plain_numbers: true, ..Style::HEADED };
        let template = Template::parse("{\"b\": %{bytes}, %pr}%n%%").unwrap();
        let text = printed(&mut CustomPrinter::new(template, style));
        assert_eq!(text.lines().take(2).collect::<Vec<_>>(), ["{\"b\": 90001500, 6    }", "%"]);
    }

    #[test]
    fn a_column_asks_for_what_it_shows() {
        let style = Style { heading: false, plain_numbers: true, ..Style::HEADED };
        let fields = |text: &str| CustomPrinter::new(Template::parse(text).unwrap(), style).fields();
        assert!(fields("%dap").contains(Field::IcmpType) && fields("%dp").contains(Field::Protocol));
        assert!(fields("%mpls").contains(Field::Mpls10) && fields("%tun").contains(Field::TunId));
        assert!(fields("%byt").contains(Field::OutBytes));
        assert_eq!(fields("x%n%%%dp"), fields("%dp"));
    }
}
