//! `-o csv:`: CSV by RFC 4180 with columns of the user's choice, under nfdump's headings.
//!
//! `%tag` has nfdump's heading and its form of times, `%{name}` the heading and the value of `-o csv`.

use std::io::{self, Write};

use flowcore::{Field, FieldSet, FlowBatch};

use super::csv::write_value;
use super::custom::{engine, epoch, millis, network};
use super::tags::{Cell, Tag};
use super::template::{Part, Template};
use super::units::{Moment, Seconds};
use super::{Printer, Style, escape, hello, text};

/// Prints the columns of a template.
#[derive(Debug)]
pub(super) struct ColumnsPrinter {
    columns: Vec<Tag>,
    fields: FieldSet,
    heading: bool,
    buffer: Vec<u8>,
}

impl ColumnsPrinter {
    pub(super) fn new(template: Template, style: Style) -> Self {
        let columns = template.parts().iter().filter_map(|part| match part {
            Part::Tag(tag) => Some(*tag),
            Part::Text(_) => None,
        });
        Self {
            columns: columns.collect(),
            fields: template.fields(),
            heading: style.heading,
            buffer: Vec::new(),
        }
    }
}

impl Printer for ColumnsPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.heading {
            return Ok(());
        }
        let names: Vec<&str> = self.columns.iter().map(|tag| tag.csv).collect();
        write!(out, "{}\r\n", names.join(","))
    }

    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()> {
        self.buffer.clear();
        for (at, tag) in self.columns.iter().enumerate() {
            if at > 0 {
                self.buffer.push(b',');
            }
            write_cell(tag.cell, batch, row, &mut self.buffer)?;
        }
        self.buffer.extend_from_slice(b"\r\n");
        out.write_all(&self.buffer)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        self.fields
    }
}

/// The value of a column; nothing where it is absent.
fn write_cell(cell: Cell, batch: &FlowBatch, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let value = match cell {
        // A record that does not count flows is one.
        Cell::Field(Field::Flows) => {
            text::number(batch.number(Field::Flows, row).unwrap_or(1), out);
            return Ok(());
        }
        Cell::Field(field) => return write_value(batch, field, row, out),
        Cell::Moment(field) => {
            batch.time(field, row).into_iter().for_each(|time| Moment(Some(time)).write(out));
            return Ok(());
        }
        Cell::Hello(what) => {
            hello::said(what, batch, row).into_iter().for_each(|text| escape::csv(&text, out));
            return Ok(());
        }
        Cell::Epoch(field) => epoch(batch, field, row),
        Cell::Millis(field) => millis(batch, field, row).map(|millis| millis.to_string()),
        Cell::Seconds(field) => batch.number(field, row).map(|nanos| Seconds(Some(nanos)).to_string()),
        Cell::Network(addr, mask) => network(batch, addr, mask, row),
        Cell::Engine => engine(batch, row),
        // A template for CSV has none of these.
        Cell::End(..) | Cell::Labels | Cell::Ttl | Cell::Tunnel | Cell::Newline => None,
    };
    out.extend_from_slice(value.unwrap_or_default().as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, printed, printed_of};
    use super::*;

    fn columns(template: &str) -> ColumnsPrinter {
        ColumnsPrinter::new(Template::parse_csv(template).unwrap(), Style::HEADED)
    }

    #[test]
    fn headings_are_nfdumps_and_numbers_plain() {
        let shown = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,packets,bytes,flags,flows\r\n\
             2023-09-28 17:22:35.000,2.499876544,6,10.0.0.1,50000,20.106.124.93,18,90001500,...AP.SF,1\r\n\
             ,,58,fe80::1234:5678:9abc:def0,,ff02::1,1,,,1\r\n\
             ,,,,,,,,,1\r\n";
        assert_eq!(printed(&mut columns("%ts,%td,%pr,%sa,%sp,%da,%pkt,%byt,%flg,%fl")), shown);
    }

    #[test]
    fn a_field_by_name_is_the_column_of_csv() {
        let text = printed(&mut columns("%{first},%{inbytes} %{in_payload}"));
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "first,in_bytes,in_payload");
        assert_eq!(lines[1], "2023-09-28T17:22:35.000123456Z,1500,\"GET / \"\"\\r\\n\\x00\\xff\"");
    }

    #[test]
    fn derived_values_are_one_value_each() {
        let text = printed_of(&mut columns("%tsr,%tsg,%tds,%sn,%eng,%msec,%sas"), &sample::routed());
        let shown = "firstSeen,firstSeen,duration,srcNet,engine,eventTime,srcAS\r\n\
             1695921755.000,2023-09-28 17:22:35.000,2.499,10.0.0.0/8,17/2,1695921755000,4200000000\r\n\
             ,,,,,,\r\n";
        assert_eq!(text, shown);
    }
}
