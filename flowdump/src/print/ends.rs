//! Both ends of a flow as text, as the lists show them.

use std::borrow::Cow;

use flowcore::{Addr, AddrColumn, Field, FieldSet, FlowBatch, NumberColumn, Protocol};

use super::text;

/// The fields that ends are made of.
pub(super) const FIELDS: [Field; 7] = [
    Field::Protocol,
    Field::SrcAddr,
    Field::SrcPort,
    Field::DstAddr,
    Field::DstPort,
    Field::IcmpType,
    Field::IcmpCode,
];

/// The fields as a set.
pub(super) fn fields() -> FieldSet {
    FieldSet::from(FIELDS)
}

/// The columns of a batch that ends are made of, looked up once for all rows.
pub(super) struct Ends<'a> {
    protocol: Option<Cow<'a, NumberColumn>>,
    addrs: [Option<&'a AddrColumn>; 2],
    ports: [Option<Cow<'a, NumberColumn>>; 2],
    /// ICMP type and code.
    icmp: [Option<Cow<'a, NumberColumn>>; 2],
}

impl<'a> Ends<'a> {
    pub(super) fn of(batch: &'a FlowBatch) -> Self {
        Self {
            protocol: batch.numbers(Field::Protocol),
            addrs: [Field::SrcAddr, Field::DstAddr].map(|field| batch.addrs(field)),
            ports: [Field::SrcPort, Field::DstPort].map(|field| batch.numbers(field)),
            icmp: [Field::IcmpType, Field::IcmpCode].map(|field| batch.numbers(field)),
        }
    }

    /// The protocol's number.
    #[inline]
    pub(super) fn protocol(&self, row: usize) -> Option<u64> {
        number(&self.protocol, row)
    }

    /// Adds `address:port` of the source to a line; IPv6 with a dot before the port, as nfdump.
    #[inline]
    pub(super) fn source(&self, row: usize, out: &mut Vec<u8>) {
        write_addr(self.addrs[0], row, out);
        self.write_port(number(&self.ports[0], row), row, out);
    }

    /// Adds `address:port` of the destination to a line, for ICMP with `type.code` for the port, as nfdump.
    #[inline]
    pub(super) fn destination(&self, row: usize, out: &mut Vec<u8>) {
        write_addr(self.addrs[1], row, out);
        match (number(&self.icmp[0], row), number(&self.icmp[1], row)) {
            (Some(kind), Some(code)) => write_icmp(kind, code, out),
            _ => self.write_port(number(&self.ports[1], row), row, out),
        }
    }

    fn write_port(&self, port: Option<u64>, row: usize, out: &mut Vec<u8>) {
        write_port(port, || self.protocol(row), out);
    }
}

/// The number of a row of a column that perhaps is not there.
#[inline]
pub(super) fn number(column: &Option<Cow<'_, NumberColumn>>, row: usize) -> Option<u64> {
    column.as_ref()?.get(row)
}

#[inline]
fn write_addr(column: Option<&AddrColumn>, row: usize, out: &mut Vec<u8>) {
    let addr = column.map_or(Addr::Unknown, |column| column.get(row));
    text::addr(addr, out);
    out.push(separator(addr));
}

fn write_icmp(kind: u64, code: u64, out: &mut Vec<u8>) {
    text::number(kind, out);
    out.push(b'.');
    text::number(code, out);
}

/// 0 for a protocol that has no ports, as in nfdump, and `-` where the port is not known.
#[inline]
fn write_port(port: Option<u64>, protocol: impl FnOnce() -> Option<u64>, out: &mut Vec<u8>) {
    let has_none = |number| u8::try_from(number).is_ok_and(|number| !Protocol(number).has_ports());
    match port {
        Some(port) => text::number(port, out),
        None if protocol().is_some_and(has_none) => out.push(b'0'),
        None => out.push(b'-'),
    }
}

/// Adds the port of one side: 0 for a protocol that has none, as in nfdump, and `-` where it is not known; type and
/// code of ICMP for the destination's.
pub(super) fn port(batch: &FlowBatch, field: Field, row: usize, out: &mut Vec<u8>) {
    if field == Field::DstPort
        && let Some(kind) = batch.number(Field::IcmpType, row)
        && let Some(code) = batch.number(Field::IcmpCode, row)
    {
        return write_icmp(kind, code, out);
    }
    write_port(batch.number(field, row), || batch.number(Field::Protocol, row), out);
}

/// What stands between address and port: a colon would be one more in an IPv6 address.
pub(super) fn separator(addr: Addr) -> u8 {
    if matches!(addr, Addr::V6(_)) { b'.' } else { b':' }
}
