//! Both ends of a flow as text, as the lists show them.

use std::fmt::Display;

use flowcore::{Addr, Field, FieldSet, FlowBatch, Protocol};

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

/// `address:port` of both sides; IPv6 with a dot before the port and ICMP with `type.code` for it, as nfdump.
pub(super) fn ends(batch: &FlowBatch, row: usize) -> (String, String) {
    let source = end(batch.addr(Field::SrcAddr, row), port(batch, Field::SrcPort, row));
    (source, end(batch.addr(Field::DstAddr, row), port(batch, Field::DstPort, row)))
}

/// The port of one side: 0 for a protocol that has none, as in nfdump, and `-` where it is not known; type and code
/// of ICMP for the destination's.
pub(super) fn port(batch: &FlowBatch, field: Field, row: usize) -> String {
    let has_none = || {
        let protocol = batch.number(Field::Protocol, row).and_then(|number| u8::try_from(number).ok());
        protocol.is_some_and(|number| !Protocol(number).has_ports())
    };
    let icmp = (batch.number(Field::IcmpType, row), batch.number(Field::IcmpCode, row));
    match (batch.number(field, row), icmp) {
        (_, (Some(kind), Some(code))) if field == Field::DstPort => format!("{kind}.{code}"),
        (Some(port), _) => port.to_string(),
        (None, _) if has_none() => "0".into(),
        (None, _) => "-".into(),
    }
}

/// What stands between address and port: a colon would be one more in an IPv6 address.
pub(super) fn separator(addr: Addr) -> char {
    if matches!(addr, Addr::V6(_)) { '.' } else { ':' }
}

fn end(addr: Addr, port: impl Display) -> String {
    match addr {
        Addr::Unknown => format!("-:{port}"),
        known => format!("{known}{}{port}", separator(known)),
    }
}
