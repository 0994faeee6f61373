//! Random records whose fields have few values, so that terms hit them, or none.

use flowcore::{Addr, FIELDS, Field, FieldKind, Flow, Storage, Timestamp, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::payloads::PAYLOADS;

/// A flow with some of all fields, most often of those that filters ask for.
pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    let any_field: Vec<Field> =
        FIELDS.iter().map(|info| info.field).filter(|field| !field.is_derived()).collect();
    let values = |fields, most| vec((select(fields), any::<u32>()), 0..most);
    let columns = vec((select(vec!["extra", "Extra_2"]), "[xy]|1?[0-9]|07"), 0..2);
    (values(any_field, 40), values(FREQUENT.to_vec(), 25), columns).prop_map(|(rare, frequent, columns)| {
        let mut flow = Flow::default();
        for (field, seed) in rare.into_iter().chain(frequent) {
            flow.set(field, value(field, seed));
        }
        flow.unknown.extend(columns.into_iter().map(|(name, text)| (name.into(), text.as_str().into())));
        flow
    })
}

const FREQUENT: &[Field] = &[
    Field::Protocol,
    Field::Protocol,
    Field::SrcPort,
    Field::DstPort,
    Field::SrcAddr,
    Field::DstAddr,
    Field::First,
    Field::Last,
    Field::InBytes,
    Field::OutBytes,
    Field::InPackets,
    Field::OutPackets,
    Field::InFlags,
    Field::OutFlags,
    Field::IcmpType,
    Field::MinTtl,
    Field::MaxTtl,
    Field::PortBlockStart,
    Field::PortBlockEnd,
    Field::FwExtendedEvent,
    Field::Mpls1,
    Field::Mpls2,
    Field::InPayload,
    Field::InPayload,
    Field::OutPayload,
    Field::Action,
];

fn value(field: Field, seed: u32) -> Value {
    let pick = seed as usize / 8;
    match field.kind().storage() {
        Storage::Number => Value::Number(number(field.kind(), seed)),
        Storage::Time => {
            Value::Time(Timestamp::from_nanos(i64::from(seed % 9_000) * 1_000_000 - i64::from(seed % 3)))
        }
        Storage::Addr => Value::Addr(addrs()[pick % addrs().len()]),
        Storage::Text if matches!(field, Field::InPayload | Field::OutPayload) && seed % 4 < 3 => {
            PAYLOADS[pick % PAYLOADS.len()].text().as_str().into()
        }
        Storage::Text => TEXTS[pick % TEXTS.len()].into(),
    }
}

fn number(kind: FieldKind, seed: u32) -> u64 {
    let small = u64::from(seed) / 8 % 7;
    match kind {
        FieldKind::Protocol => [1, 6, 6, 17, 50, 58][small as usize % 6],
        FieldKind::Port => [53, 53, 0, 1, 1004, 443, 65_535][small as usize],
        FieldKind::Flags => u64::from(seed) >> 8 & 0xff,
        FieldKind::EndReason => small.clamp(1, 5),
        FieldKind::Mpls => small << 4 | u64::from(seed) >> 16 & 0xf,
        FieldKind::Duration => small * 1_000_000 + u64::from(seed) % 1_000_000,
        FieldKind::Latency => small * 1_000 + u64::from(seed) % 1_000,
        kind if seed.is_multiple_of(8) => kind.max_number(),
        _ => small,
    }
}

pub(crate) fn addrs() -> Vec<Addr> {
    let texts = [
        "10.0.0.1",
        "10.0.0.2",
        "10.1.0.1",
        "192.168.3.4",
        "0.0.0.1",
        "255.255.255.255",
        "::1",
        "::ffff:10.0.0.1",
        "2001:db8::1",
        "2001:db8:1::",
    ];
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) const TEXTS: [&str; 9] = ["", "a", "A", "ab", "Ba", "abA", "b b", "GET", "and"];
