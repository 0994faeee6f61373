//! `-o raw`: every field that a record has, one a line, under nfdump's names.
//!
//! The fields are those of the field table in its order; what nfdump says about its own file (elements, size) is left
//! out. Texts are escaped, and a payload is shown in hexadecimal with its length.

use std::io::{self, Write};

use flowcore::{Addr, Field, FieldKind, FieldSet, FlowBatch, Protocol, TcpFlags, Timestamp};

use super::csv::write_number;
use super::custom::millis;
use super::units::{Moment, Seconds};
use super::{Printer, escape};

/// Prints blocks of lines.
#[derive(Debug)]
pub(super) struct RawPrinter {
    /// The fields, each with its name.
    fields: Vec<(Field, String)>,
    rows: u64,
    buffer: Vec<u8>,
}

impl RawPrinter {
    pub(super) fn new() -> Self {
        let printed = |field: &Field| !field.is_derived() || *field == Field::TcpFlags;
        let named = |field: Field| (field, label(field));
        Self { fields: Field::all().filter(printed).map(named).collect(), rows: 0, buffer: Vec::new() }
    }
}

impl Printer for RawPrinter {
    fn begin(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(b"\nFlow Record: \n");
        write_line("RecordCount", &self.rows.to_string(), "", buffer)?;
        for (field, label) in &self.fields {
            write_field(*field, label, batch, row, buffer)?;
        }
        for (name, column) in batch.unknown() {
            if let Some(text) = column.get(row) {
                write_line(&escape::terminal(name), &escape::terminal(text), "", buffer)?;
            }
        }
        out.write_all(buffer)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        FieldSet::all()
    }

    fn unknown_columns(&self) -> bool {
        true
    }
}

/// The name of a field: nfdump's, or that of JSON with blanks.
fn label(field: Field) -> String {
    let own = || field.info().key.replace('_', " ");
    LABELS.iter().find(|(known, _)| *known == field).map_or_else(own, |(_, label)| (*label).to_owned())
}

/// `  name         =             value more`, the value right-aligned as in nfdump.
fn write_line(name: &str, value: &str, more: &str, out: &mut Vec<u8>) -> io::Result<()> {
    let space = if more.is_empty() { "" } else { " " };
    writeln!(out, "  {name:<12} ={value:>18}{space}{more}")
}

/// The line of a field, or nothing if the row does not have it.
fn write_field(field: Field, name: &str, batch: &FlowBatch, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
    match field.kind() {
        FieldKind::Time => match (batch.time(field, row), millis(batch, field, row)) {
            (Some(time), Some(millis)) => write_time(name, time, millis, out),
            _ => Ok(()),
        },
        FieldKind::Addr => match batch.addr(field, row) {
            Addr::Unknown => Ok(()),
            addr => write_line(name, &format!(" {addr}"), "", out),
        },
        FieldKind::Text => match batch.text(field, row) {
            None => Ok(()),
            Some(text) if matches!(field, Field::InPayload | Field::OutPayload) => {
                write_payload(name, text, out)
            }
            Some(text) => write_line(name, &format!(" {}", escape::terminal(text)), "", out),
        },
        _ => match batch.number(field, row) {
            None => Ok(()),
            Some(number) => write_number_line(field, name, number, batch, row, out),
        },
    }
}

fn write_time(name: &str, time: Timestamp, millis: i64, out: &mut Vec<u8>) -> io::Result<()> {
    write_line(name, &millis.to_string(), &format!("[{}]", Moment(Some(time))), out)
}

fn write_number_line(
    field: Field,
    name: &str,
    number: u64,
    batch: &FlowBatch,
    row: usize,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let byte = u8::try_from(number).unwrap_or(u8::MAX);
    match (field, field.kind()) {
        // nfdump has type and code on one line.
        (Field::IcmpCode, _) if batch.number(Field::IcmpType, row).is_some() => Ok(()),
        (Field::IcmpType, _) => match batch.number(Field::IcmpCode, row) {
            Some(code) => write_line("ICMP", &format!("{number}.{code}"), " type.code", out),
            None => write_line(name, &number.to_string(), "", out),
        },
        (_, FieldKind::Protocol) => {
            write_line(name, &number.to_string(), Protocol(byte).name().unwrap_or_default(), out)
        }
        (_, FieldKind::Flags) => {
            write_line(name, &format!("0x{number:02x}"), &TcpFlags(byte).to_string(), out)
        }
        (_, FieldKind::EndReason) => {
            let reason = flowcore::EndReason::from_number(number).map(|reason| reason.to_string());
            write_line(name, &format!("0x{number:02x}"), &reason.unwrap_or_default(), out)
        }
        (_, FieldKind::Latency) => {
            write_line(name, &format!("{}.{:03}", number / 1_000_000, number / 1000 % 1000), "ms", out)
        }
        (_, FieldKind::Duration) => write_line(name, &Seconds(Some(number)).to_string(), "s", out),
        (_, kind) => {
            let mut text = Vec::new();
            write_number(kind, number, &mut text)?;
            write_line(name, &format!(" {}", String::from_utf8_lossy(&text)), "", out)
        }
    }
}

/// The length, then 16 bytes a line with what of them is printable ASCII.
fn write_payload(name: &str, text: &str, out: &mut Vec<u8>) -> io::Result<()> {
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    write_line(name, &bytes.len().to_string(), "", out)?;
    for line in bytes.chunks(16) {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X} ")).collect::<String>();
        let (left, right) = line.split_at(line.len().min(8));
        let shown: String =
            line.iter().map(|&b| if matches!(b, b' '..=b'~') { char::from(b) } else { '.' }).collect();
        writeln!(out, "{:<24} {:<24} |  {shown}", hex(left), hex(right))?;
    }
    Ok(())
}

/// nfdump's names where they are not those of JSON.
const LABELS: &[(Field, &str)] = &[
    (Field::Received, "received at"),
    (Field::OutFlags, "revtcp flags"),
    (Field::EngineId, "engine ID"),
    (Field::FlowLabel, "Label"),
    (Field::TunSrcAddr, "tun src addr"),
    (Field::TunDstAddr, "tun dst addr"),
    (Field::InputIf, "input"),
    (Field::OutputIf, "output"),
    (Field::BiflowDir, "biFlow Dir"),
    (Field::RouterAddr, "ip exporter"),
    (Field::NextAs, "bgp next as"),
    (Field::PrevAs, "bgp prev as"),
    (Field::Mpls1, "MPLS Lbl  1"),
    (Field::Mpls2, "MPLS Lbl  2"),
    (Field::Mpls3, "MPLS Lbl  3"),
    (Field::Mpls4, "MPLS Lbl  4"),
    (Field::Mpls5, "MPLS Lbl  5"),
    (Field::Mpls6, "MPLS Lbl  6"),
    (Field::Mpls7, "MPLS Lbl  7"),
    (Field::Mpls8, "MPLS Lbl  8"),
    (Field::Mpls9, "MPLS Lbl  9"),
    (Field::Mpls10, "MPLS Lbl 10"),
    (Field::SamplerId, "samplingID"),
    (Field::ObservationDomain, "obs domainID"),
    (Field::ObservationPoint, "obs pointID"),
    (Field::IngressVrf, "ingress VRF"),
    (Field::EgressVrf, "egress VRF"),
    (Field::ConnectionId, "connect ID"),
    (Field::FwEvent, "fw event"),
    (Field::FwExtendedEvent, "fw ext event"),
    (Field::EventTime, "Event time"),
    (Field::NatEvent, "nat event"),
    (Field::IngressAcl, "Ingress ACL"),
    (Field::EgressAcl, "Egress ACL"),
    (Field::UserName, "username"),
    (Field::AppId, "app ID"),
    (Field::PfInterface, "pflog ifname"),
    (Field::PfAction, "pflog action"),
    (Field::PfReason, "pflog reason"),
    (Field::PfDir, "pflog direct"),
    (Field::PfRule, "pflog rulenr"),
    (Field::Direction, "direction"),
];

#[cfg(test)]
mod tests {
    use super::super::sample::{printed, printed_of};
    use super::*;

    #[test]
    fn a_record_is_a_block_of_lines() {
        let text = printed(&mut RawPrinter::new());
        let blocks: Vec<&str> = text.split("\nFlow Record: \n").collect();
        assert_eq!(blocks.len(), 4);
        for line in [
            "  RecordCount  =                 1",
            "  first        =     1695921755000 [2023-09-28 17:22:35.000]",
            "  proto        =                 6 TCP",
            "  tcp flags    =              0x1b ...AP.SF",
            "  src addr     =          10.0.0.1",
            "  in src mac   = 02:00:5e:10:00:01",
            "  MPLS Lbl  1  =           100-5-0",
            "  cli latency  =             1.000 ms",
            "  end reason   =              0x03 end of flow",
            "  tun dst addr =       2001:db8::2",
            "  in payload   =                11",
            "47 45 54 20 2F 20 22 0D  0A 00 FF                 |  GET / \"....",
        ] {
            assert!(blocks[1].lines().any(|shown| shown == line), "{line}\n{}", blocks[1]);
        }
        assert!(blocks[2].contains("\n  ICMP         =             135.0  type.code\n"), "{}", blocks[2]);
        assert!(!blocks[2].contains("icmp"), "{}", blocks[2]);
        assert_eq!(blocks[3], "  RecordCount  =                 3\n");
    }

    #[test]
    fn every_field_has_a_line_of_its_own_name() {
        let labels: std::collections::HashSet<String> = Field::all().map(label).collect();
        assert_eq!(labels.len(), Field::all().count());
    }

    #[test]
    fn hostile_text_and_names_of_columns_stay_on_their_line() {
        let mut batch = FlowBatch::new();
        batch.set_text(Field::Action, "x\n\u{1b}[2J\u{202e}");
        batch.set_unknown("a\nb", "c\rd");
        batch.end_row();
        let text = printed_of(&mut RawPrinter::new(), &batch);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.contains(" x\\u{a}\\u{1b}[2J\\u{202e}\n") && text.contains("  a\\u{a}b "), "{text}");
    }
}
