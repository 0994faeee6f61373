//! Random flows that use every field of nfdump's elements, and now and then another one.

use flowcore::format::nfdump::elements::{ELEMENTS, HEADER};
use flowcore::{Addr, Field, Flow, Storage, Timestamp, Value, payload_text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// A flow with some fields that nfdump files have and some that they do not have.
pub(crate) fn flow() -> impl Strategy<Value = Flow> {
    let known: Vec<Field> =
        ELEMENTS.iter().flat_map(|element| element.parts).chain(HEADER).map(|part| part.field).collect();
    // The number of a record is that of a run and in no file.
    let kept = |field: &Field| !field.is_derived() && *field != Field::RecordNumber;
    let any_field: Vec<Field> = Field::all().filter(kept).collect();
    let some = |fields, most| vec((select(fields), any::<u64>()), 0..=most);
    (some(known, 60), some(any_field, 4), select(vec![1_u64, 6, 6, 17, 47, 58])).prop_map(
        |(known, other, protocol)| {
            let mut flow = Flow::default();
            flow.set(Field::Protocol, Value::Number(protocol));
            for (field, seed) in other.into_iter().chain(known) {
                flow.set(field, value(field, seed));
            }
            flow
        },
    )
}

/// A value of the field: often an end of some range, else anything.
fn value(field: Field, seed: u64) -> Value {
    let (choice, rest) = (seed % 16, seed / 16);
    match field.kind().storage() {
        Storage::Number => Value::Number(
            match choice {
                0 => 0,
                1 => 1,
                2 => u64::from(u16::MAX),
                3 => u64::from(u32::MAX),
                4 => u64::from(u32::MAX) + 1,
                5 => u64::MAX,
                6..=9 => rest % 256,
                _ => rest >> (rest % 50),
            }
            .min(field.kind().max_number()),
        ),
        Storage::Time => Value::Time(Timestamp::from_nanos(match choice {
            0 => -1,
            1 => 999_999,
            2 => 1_000_000,
            _ => (rest / 2) as i64,
        })),
        Storage::Addr => match choice {
            0 => Value::Absent,
            1 => Value::Addr("::ffff:10.0.0.1".parse().unwrap()),
            2..=5 => Value::Addr(Addr::V6((u128::from(seed) << 64 | u128::from(rest)).into())),
            _ => Value::Addr(Addr::V4((rest as u32).into())),
        },
        Storage::Text => text(field, choice, rest).as_str().into(),
    }
}

/// Texts that fit their element, and some that do not.
fn text(field: Field, choice: u64, rest: u64) -> String {
    match (field, choice) {
        (_, 0) => String::new(),
        (_, 1) => "no\0 such thing".into(),
        (_, 2) => "é".repeat((rest % 10_000) as usize),
        (Field::Direction, _) => ["ingress", "egress"][rest as usize % 2].into(),
        (Field::IngressAcl | Field::EgressAcl, _) => {
            format!("0x{:x}/0x{:x}/0x{:x}", rest % 3, rest as u32, rest % 7)
        }
        (Field::AppId, _) => format!("{rest:016x}")[..(rest % 17) as usize].into(),
        (Field::InPayload | Field::OutPayload, _) => payload_text(
            &rest.to_be_bytes().repeat(choice as usize)[..(rest % 24) as usize % (choice as usize * 8)],
        ),
        (_, 3) => "x".repeat((rest % 80) as usize),
        _ => format!("name {}", rest % 1000),
    }
}
