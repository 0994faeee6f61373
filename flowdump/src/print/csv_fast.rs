//! `-o csv-fast`: nfdump's short CSV, by RFC 4180.
//!
//! Times are milliseconds since 1970, `af` is 2 for IPv4 and 10 for IPv6, and the port of ICMP is type * 256 + code, all
//! as in nfdump. Where nfdump writes 0 for what a record does not have, the value is empty.

use std::io::{self, Write};

use flowcore::{Addr, Field, FieldSet, FlowBatch, TcpFlags};

use super::custom::millis;
use super::{Printer, Style, text};

/// Prints the columns.
#[derive(Debug)]
pub(super) struct FastPrinter {
    heading: bool,
    rows: u64,
    buffer: Vec<u8>,
}

impl FastPrinter {
    pub(super) fn new(style: Style) -> Self {
        Self { heading: style.heading, rows: 0, buffer: Vec::new() }
    }
}

impl Printer for FastPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.heading { out.write_all(HEADING.as_bytes()) } else { Ok(()) }
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        let buffer = &mut self.buffer;
        buffer.clear();
        text::number(self.rows, buffer);
        buffer.push(b',');
        write_family(batch.addr(Field::SrcAddr, row), buffer);
        write_time(batch, Field::First, row, buffer)?;
        write_time(batch, Field::Last, row, buffer)?;
        write_number(batch.number(Field::Protocol, row), buffer);
        write_addr(batch.addr(Field::SrcAddr, row), buffer);
        write_number(batch.number(Field::SrcPort, row), buffer);
        write_addr(batch.addr(Field::DstAddr, row), buffer);
        write_number(destination_port(batch, row), buffer);
        for field in [Field::SrcAs, Field::DstAs, Field::InputIf, Field::OutputIf] {
            write_number(batch.number(field, row), buffer);
        }
        buffer.push(b',');
        if let Some(flags) = batch.number(Field::TcpFlags, row) {
            buffer.extend_from_slice(&TcpFlags(u8::try_from(flags).unwrap_or(u8::MAX)).letters());
        }
        for field in [Field::SrcTos, Field::Packets, Field::Bytes] {
            write_number(batch.number(field, row), buffer);
        }
        buffer.extend_from_slice(b"\r\n");
        out.write_all(buffer)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        FieldSet::from(FIELDS).stored()
    }
}

/// The port; of ICMP type and code, as nfdump has them there.
fn destination_port(batch: &FlowBatch, row: usize) -> Option<u64> {
    let icmp = || Some(batch.number(Field::IcmpType, row)? * 256 + batch.number(Field::IcmpCode, row)?);
    batch.number(Field::DstPort, row).or_else(icmp)
}

/// The number of the address family as Linux has it.
fn write_family(addr: Addr, out: &mut Vec<u8>) {
    match addr {
        Addr::Unknown => {}
        Addr::V4(_) => out.push(b'2'),
        Addr::V6(_) => out.extend_from_slice(b"10"),
    }
}

fn write_time(batch: &FlowBatch, field: Field, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
    out.push(b',');
    millis(batch, field, row).map_or(Ok(()), |millis| write!(out, "{millis}"))
}

fn write_addr(addr: Addr, out: &mut Vec<u8>) {
    out.push(b',');
    if addr.is_known() {
        text::addr(addr, out);
    }
}

fn write_number(number: Option<u64>, out: &mut Vec<u8>) {
    out.push(b',');
    if let Some(number) = number {
        text::number(number, out);
    }
}

const HEADING: &str = "cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,\
     srcTos,packets,bytes\r\n";

const FIELDS: [Field; 17] = [
    Field::First,
    Field::Last,
    Field::Protocol,
    Field::SrcAddr,
    Field::SrcPort,
    Field::DstAddr,
    Field::DstPort,
    Field::IcmpType,
    Field::IcmpCode,
    Field::SrcAs,
    Field::DstAs,
    Field::InputIf,
    Field::OutputIf,
    Field::TcpFlags,
    Field::SrcTos,
    Field::Packets,
    Field::Bytes,
];

#[cfg(test)]
mod tests {
    use super::super::sample::printed;
    use super::*;

    #[test]
    fn the_columns_are_those_of_nfdump() {
        let shown = "\
cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,bytes\r
1,2,1695921755000,1695921757500,6,10.0.0.1,50000,20.106.124.93,443,,,,,...AP.SF,,18,90001500\r
2,10,,,58,fe80::1234:5678:9abc:def0,,ff02::1,34560,,,,,,,1,\r
3,,,,,,,,,,,,,,,,\r
";
        assert_eq!(printed(&mut FastPrinter::new(Style::HEADED)), shown);
    }

    #[test]
    fn every_field_that_is_printed_is_asked_for() {
        let printer = FastPrinter::new(Style::HEADED);
        assert!(printer.fields().contains(Field::InFlags) && printer.fields().contains(Field::IcmpCode));
        assert!(!printer.fields().contains(Field::TcpFlags));
    }
}
