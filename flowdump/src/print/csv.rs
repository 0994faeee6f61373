//! CSV by RFC 4180: a heading, then one line a record, always the same columns.

use std::io::{self, Write};

use flowcore::{Addr, Field, FieldKind, FieldSet, FlowBatch, TcpFlags};

use super::csv_rows::CsvRows;
use super::{FULL, Printer, Style};
use super::{escape, text};

/// The columns, in this order. New ones are only ever added at the end.
pub const CSV_FIELDS: &[Field] = &[
    Field::First,
    Field::Last,
    Field::Duration,
    Field::Protocol,
    Field::SrcAddr,
    Field::SrcPort,
    Field::DstAddr,
    Field::DstPort,
    Field::InPackets,
    Field::InBytes,
    Field::OutPackets,
    Field::OutBytes,
    Field::TcpFlags,
    Field::InFlags,
    Field::OutFlags,
    Field::SrcTos,
    Field::DstTos,
    Field::IcmpType,
    Field::IcmpCode,
    Field::Flows,
    Field::EndReason,
    Field::Vlan,
    Field::SrcMac,
    Field::DstMac,
    Field::MinTtl,
    Field::MaxTtl,
    Field::PktSrcAddr,
    Field::PktDstAddr,
    Field::Action,
    Field::LogStatus,
    Field::Account,
    Field::Interface,
    Field::Instance,
    Field::Vpc,
    Field::Subnet,
    Field::Region,
    Field::Zone,
    Field::Direction,
    Field::TrafficPath,
    Field::SrcService,
    Field::DstService,
    Field::Ident,
    Field::Source,
    Field::Format,
    Field::Mpls1,
    Field::Mpls2,
    Field::Mpls3,
    Field::Mpls4,
    Field::Mpls5,
    Field::Mpls6,
    Field::Mpls7,
    Field::Mpls8,
    Field::Mpls9,
    Field::Mpls10,
    Field::Spi,
    Field::TunSrcAddr,
    Field::TunDstAddr,
    Field::TunProto,
    Field::TunType,
    Field::TunId,
    Field::ClientLatency,
    Field::ServerLatency,
    Field::AppLatency,
    Field::InRetransmits,
    Field::OutRetransmits,
    Field::InOutOfOrder,
    Field::OutOutOfOrder,
    Field::InPayload,
    Field::OutPayload,
    Field::OutSrcMac,
    Field::InDstMac,
    Field::DstVlan,
    Field::CustomerVlan,
    Field::PostCustomerVlan,
    Field::PhysInIf,
    Field::PhysOutIf,
    Field::EtherType,
    Field::FragFlags,
    Field::InputIf,
    Field::OutputIf,
    Field::SrcMask,
    Field::DstMask,
    Field::SrcAs,
    Field::DstAs,
    Field::NextAs,
    Field::PrevAs,
    Field::NextHop,
    Field::BgpNextHop,
    Field::RouterAddr,
    Field::FwdStatus,
    Field::IngressVrf,
    Field::EgressVrf,
    Field::Received,
    Field::ExporterId,
    Field::EngineType,
    Field::EngineId,
    Field::NetflowVersion,
    Field::RecordFlags,
    Field::SamplerId,
    Field::BiflowDir,
    Field::FlowId,
    Field::ObservationPoint,
    Field::ObservationDomain,
    Field::AppId,
    Field::FlowLabel,
    Field::PktSrcPort,
    Field::PktDstPort,
    Field::EventTime,
    Field::NatEvent,
    Field::NatPool,
    Field::PortBlockStart,
    Field::PortBlockEnd,
    Field::PortBlockStep,
    Field::PortBlockSize,
    Field::NatInside,
    Field::NatOutside,
    Field::NatText,
    Field::ConnectionId,
    Field::FwEvent,
    Field::FwExtendedEvent,
    Field::IngressAcl,
    Field::EgressAcl,
    Field::UserName,
    Field::PfAction,
    Field::PfReason,
    Field::PfDir,
    Field::PfRewritten,
    Field::PfRule,
    Field::PfSubrule,
    Field::PfUid,
    Field::PfPid,
    Field::PfInterface,
    Field::LogVersion,
    Field::TrafficType,
    Field::SublocationType,
    Field::SublocationId,
    Field::EcsClusterArn,
    Field::EcsCluster,
    Field::EcsInstanceArn,
    Field::EcsInstance,
    Field::EcsContainer,
    Field::EcsContainer2,
    Field::EcsService,
    Field::EcsTaskDefinition,
    Field::EcsTaskArn,
    Field::EcsTask,
    Field::RejectReason,
    Field::Resource,
    Field::Encryption,
    Field::InstanceTag,
    Field::InstanceTag2,
    Field::InterfaceTag,
    Field::InterfaceTag2,
    Field::AsgTag,
    Field::AsgTag2,
    Field::InterfaceType,
    Field::NextHopInterface,
    Field::NextHopSubnet,
    Field::NextHopZone,
    Field::NextHopVpc,
    Field::NextHopType,
    Field::ResourceType,
    Field::Tgw,
    Field::TgwAttachment,
    Field::TgwSrcAccount,
    Field::TgwDstAccount,
    Field::TgwSrcVpc,
    Field::TgwDstVpc,
    Field::TgwSrcSubnet,
    Field::TgwDstSubnet,
    Field::TgwSrcInterface,
    Field::TgwDstInterface,
    Field::TgwSrcZone,
    Field::TgwDstZone,
    Field::TgwPair,
    Field::LostNoRoute,
    Field::LostBlackhole,
    Field::LostMtu,
    Field::LostTtl,
    Field::Rule,
    Field::FlowState,
    Field::Reporter,
    Field::RoundTrip,
    Field::FlowLog,
    Field::ConnState,
];

/// The column behind all others: the columns of a log that have no field, as one JSON object; nothing without any.
pub const CSV_OTHERS: &str = "other_columns";

/// Prints CSV.
#[derive(Debug)]
pub(super) struct CsvPrinter {
    heading: bool,
    buffer: Vec<u8>,
}

impl CsvPrinter {
    pub(super) fn new(style: Style) -> Self {
        Self { heading: style.heading, buffer: Vec::new() }
    }
}

impl Printer for CsvPrinter {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.heading {
            let names = CSV_FIELDS.iter().map(|field| field.info().key).chain([CSV_OTHERS]);
            write!(out, "{}\r\n", names.collect::<Vec<_>>().join(","))?;
        }
        Ok(())
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
        let mut columns = CsvRows::of(batch, CSV_FIELDS)?;
        self.buffer.clear();
        for row in rows {
            columns.write(row, &mut self.buffer)?;
            if !batch.unknown().is_empty() {
                write_others(batch, row, &mut self.buffer);
            }
            self.buffer.extend_from_slice(b"\r\n");
            if self.buffer.len() >= FULL {
                out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        out.write_all(&self.buffer)
    }

    fn fork(&self) -> Option<Box<dyn Printer + Send>> {
        Some(Box::new(Self { heading: self.heading, buffer: Vec::new() }))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn fields(&self) -> FieldSet {
        CSV_FIELDS.iter().copied().collect::<FieldSet>().stored()
    }

    fn unknown_columns(&self) -> bool {
        true
    }
}

pub(super) fn is_payload(field: Field) -> bool {
    matches!(field, Field::InPayload | Field::OutPayload)
}

/// The columns without a field that a row has, as a JSON object in a CSV value. Its escapes are those of JSON alone, so
/// that a reader of CSV has JSON in hand.
fn write_others(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    let mut object = Vec::new();
    for (name, column) in batch.unknown() {
        if let Some(text) = column.get(row) {
            object.push(if object.is_empty() { b'{' } else { b',' });
            escape::json(name, &mut object);
            object.push(b':');
            escape::json(text, &mut object);
        }
    }
    if object.is_empty() {
        return;
    }
    object.push(b'}');
    out.push(b'"');
    for part in object.split_inclusive(|&byte| byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// A value as CSV and JSON show it, without quotes; nothing where it is absent.
pub(super) fn write_value(batch: &FlowBatch, field: Field, row: usize, out: &mut Vec<u8>) -> io::Result<()> {
    match field.kind() {
        FieldKind::Time => match batch.time(field, row) {
            Some(time) => {
                text::rfc3339(time, out);
                Ok(())
            }
            None => Ok(()),
        },
        FieldKind::Addr => match batch.addr(field, row) {
            Addr::Unknown => Ok(()),
            addr => {
                text::addr(addr, out);
                Ok(())
            }
        },
        FieldKind::Text => {
            let value = batch.text(field, row).unwrap_or_default();
            if is_payload(field) {
                escape::csv_payload(value, out)
            } else {
                escape::csv(value, out)
            }
            Ok(())
        }
        kind => match batch.number(field, row) {
            Some(number) => write_number(kind, number, out),
            None => Ok(()),
        },
    }
}

/// A number in the form its kind has in CSV and JSON.
pub(super) fn write_number(kind: FieldKind, number: u64, out: &mut Vec<u8>) -> io::Result<()> {
    match kind {
        FieldKind::Flags => {
            out.extend_from_slice(&TcpFlags(u8::try_from(number).unwrap_or(u8::MAX)).letters());
            Ok(())
        }
        FieldKind::Mac => {
            let b = number.to_be_bytes();
            write!(out, "{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[2], b[3], b[4], b[5], b[6], b[7])
        }
        // As of every flow of one packet.
        FieldKind::Duration if number == 0 => {
            out.extend_from_slice(b"0.000000000");
            Ok(())
        }
        FieldKind::Duration => {
            text::number(number / 1_000_000_000, out);
            out.push(b'.');
            [1_000_000, 1_000, 1].iter().for_each(|unit| text::three_digits(number / unit, out));
            Ok(())
        }
        FieldKind::Latency => write!(out, "{}.{:06}", number / 1_000_000, number % 1_000_000),
        FieldKind::Mpls => write!(out, "{}-{}-{}", number >> 4, number >> 1 & 7, number & 1),
        FieldKind::EndReason => match flowcore::EndReason::from_number(number) {
            Some(reason) => write!(out, "{reason}"),
            None => write!(out, "{number}"),
        },
        _ => {
            text::number(number, out);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::printed;
    use super::*;

    #[test]
    fn no_column_is_there_twice() {
        let different: std::collections::HashSet<_> = CSV_FIELDS.iter().collect();
        assert_eq!(different.len(), CSV_FIELDS.len());
    }

    #[test]
    fn the_groups_of_a_capture_are_behind_the_older_columns() {
        let text = printed(&mut CsvPrinter::new(Style::HEADED));
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert!(lines[0].contains(",format,mpls_1,") && lines[0].contains(",in_payload,out_payload,"));
        let end = "100-5-0,1048575-0-1,,,,,,,,,4096,192.0.2.1,2001:db8::2,17,vxlan,4096,1.000200,0.000999,61000.000000,\
                   0,2,3,0,\"GET / \"\"\\r\\n\\x00\\xff\",\"HTTP/1.1, 200\"";
        let behind = CSV_FIELDS.iter().rev().take_while(|field| **field != Field::OutPayload).count();
        assert!(lines[1].ends_with(&(end.to_owned() + &",".repeat(behind + 1))), "{}", lines[1]);
        let empty = ",".repeat(CSV_FIELDS.len());
        assert_eq!(lines[3], empty);
    }
}
