//! Records with every group of fields, for the tests of the printers.

use flowcore::{Field, Flow, FlowBatch, Value};

/// A TCP flow with all that a capture can say, an ICMP flow over IPv6, and a record of nothing.
pub(super) fn batch() -> FlowBatch {
    let mut batch = FlowBatch::new();
    [full(), icmp6(), Flow::default()].iter().for_each(|flow| batch.push(flow));
    batch
}

fn full() -> Flow {
    let mut flow = Flow::default();
    let numbers = [
        (Field::Protocol, 6),
        (Field::SrcPort, 50_000),
        (Field::DstPort, 443),
        (Field::InPackets, 10),
        (Field::InBytes, 1_500),
        (Field::OutPackets, 8),
        (Field::OutBytes, 90_000_000),
        (Field::InFlags, 0x1b),
        (Field::OutFlags, 0x12),
        (Field::Vlan, 7),
        (Field::SrcMac, 0x0200_5e10_0001),
        (Field::MinTtl, 60),
        (Field::MaxTtl, 64),
        (Field::EndReason, 3),
        (Field::Mpls1, 100 << 4 | 5 << 1),
        (Field::Mpls2, 1_048_575 << 4 | 1),
        (Field::Spi, 0x1000),
        (Field::TunProto, 17),
        (Field::TunId, 4096),
        (Field::ClientLatency, 1_000_200),
        (Field::ServerLatency, 999),
        (Field::AppLatency, 61_000_000_000),
        (Field::InRetransmits, 0),
        (Field::OutRetransmits, 2),
        (Field::InOutOfOrder, 3),
        (Field::OutOutOfOrder, 0),
    ];
    numbers.into_iter().for_each(|(field, number)| flow.set(field, Value::Number(number)));
    let addrs = [
        (Field::SrcAddr, "10.0.0.1"),
        (Field::DstAddr, "20.106.124.93"),
        (Field::TunSrcAddr, "192.0.2.1"),
        (Field::TunDstAddr, "2001:db8::2"),
    ];
    addrs.into_iter().for_each(|(field, addr)| flow.set(field, Value::Addr(addr.parse().unwrap())));
    flow.set(Field::TunType, "vxlan".into());
    flow.set(Field::InPayload, "GET / \"\r\n\0\u{ff}".into());
    flow.set(Field::OutPayload, "HTTP/1.1, 200".into());
    flow.first = Some("2023-09-28T17:22:35.000123456Z".parse().unwrap());
    flow.last = Some("2023-09-28T17:22:37.5Z".parse().unwrap());
    flow
}

fn icmp6() -> Flow {
    let mut flow = Flow::default();
    let numbers =
        [(Field::Protocol, 58), (Field::IcmpType, 135), (Field::IcmpCode, 0), (Field::InPackets, 1)];
    numbers.into_iter().for_each(|(field, number)| flow.set(field, Value::Number(number)));
    flow.set(Field::SrcAddr, Value::Addr("fe80::1234:5678:9abc:def0".parse().unwrap()));
    flow.set(Field::DstAddr, Value::Addr("ff02::1".parse().unwrap()));
    flow
}

/// The TCP flow with what routers and address translations add, and a record of nothing.
pub(super) fn routed() -> FlowBatch {
    let mut flow = full();
    let numbers = [
        (Field::SrcMask, 8),
        (Field::DstMask, 32),
        (Field::SrcAs, 4_200_000_000),
        (Field::EngineType, 17),
        (Field::EngineId, 2),
        (Field::PktSrcPort, 4000),
    ];
    numbers.into_iter().for_each(|(field, number)| flow.set(field, Value::Number(number)));
    flow.set(Field::PktSrcAddr, Value::Addr("192.0.2.9".parse().unwrap()));
    flow.set(Field::EventTime, flow.first.into());
    let mut batch = FlowBatch::new();
    [flow, Flow::default()].iter().for_each(|flow| batch.push(flow));
    batch
}

/// What a printer makes of the sample.
pub(super) fn printed(printer: &mut dyn super::Printer) -> String {
    printed_of(printer, &batch())
}

/// What a printer makes of these records.
pub(super) fn printed_of(printer: &mut dyn super::Printer, batch: &FlowBatch) -> String {
    let mut out = Vec::new();
    printer.begin(&mut out).unwrap();
    (0..batch.len()).for_each(|row| printer.row(batch, row, &mut out).unwrap());
    printer.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}
