//! Both ends of a flow as text, as the lists show them.

use flowcore::{Addr, Field, FieldSet, FlowBatch, Protocol};

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

/// Adds `address:port` of the source to a line; IPv6 with a dot before the port, as nfdump.
pub(super) fn source(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    end(batch, [Field::SrcAddr, Field::SrcPort], row, out);
}

/// Adds `address:port` of the destination to a line, for ICMP with `type.code` for the port, as nfdump.
pub(super) fn destination(batch: &FlowBatch, row: usize, out: &mut Vec<u8>) {
    end(batch, [Field::DstAddr, Field::DstPort], row, out);
}

fn end(batch: &FlowBatch, [addr, port_field]: [Field; 2], row: usize, out: &mut Vec<u8>) {
    let addr = batch.addr(addr, row);
    text::addr(addr, out);
    out.push(separator(addr));
    port(batch, port_field, row, out);
}

/// Adds the port of one side: 0 for a protocol that has none, as in nfdump, and `-` where it is not known; type and
/// code of ICMP for the destination's.
pub(super) fn port(batch: &FlowBatch, field: Field, row: usize, out: &mut Vec<u8>) {
    if field == Field::DstPort
        && let Some(kind) = batch.number(Field::IcmpType, row)
        && let Some(code) = batch.number(Field::IcmpCode, row)
    {
        text::number(kind, out);
        out.push(b'.');
        return text::number(code, out);
    }
    let protocol = || batch.number(Field::Protocol, row).and_then(|number| u8::try_from(number).ok());
    match batch.number(field, row) {
        Some(port) => text::number(port, out),
        None if protocol().is_some_and(|number| !Protocol(number).has_ports()) => out.push(b'0'),
        None => out.push(b'-'),
    }
}

/// What stands between address and port: a colon would be one more in an IPv6 address.
pub(super) fn separator(addr: Addr) -> u8 {
    if matches!(addr, Addr::V6(_)) { b'.' } else { b':' }
}
