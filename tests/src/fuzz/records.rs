//! Records made of any bytes, and a few sensible ones.

use flowcore::{Field, Flow, FlowBatch, Protocol, Storage, TcpFlags, Timestamp, Value, payload_text};

/// What stands before the last byte that is in no UTF-8 text, and what stands behind it.
pub(super) fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().rposition(|&byte| byte == 0xff) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[]),
    }
}

/// Sensible records, and some made of these bytes.
pub(super) fn batch(seed: &[u8]) -> FlowBatch {
    let mut batch = FlowBatch::new();
    (0..12).for_each(|n| batch.push(&sample(n)));
    seed.chunks(60).take(8).for_each(|seed| batch.push(&record(seed)));
    batch
}

/// Each four bytes are a field and its value; texts go on behind their four.
fn record(seed: &[u8]) -> Flow {
    let fields: Vec<Field> = Field::all().filter(|field| !field.is_derived()).collect();
    let mut flow = Flow::default();
    for (at, part) in seed.chunks_exact(4).enumerate() {
        let number = u64::from(u32::from_le_bytes([part[1], part[2], part[3], part[1] & 0x3f]));
        let field = fields[usize::from(part[0]) % fields.len()];
        let rest = &seed[at * 4 + 4..];
        flow.set(field, value(field, number, rest));
    }
    if let &[first, ..] = seed {
        flow.unknown.push(("extra".into(), payload_text(&[first]).as_str().into()));
    }
    flow
}

fn value(field: Field, number: u64, rest: &[u8]) -> Value {
    let number = if number.is_multiple_of(5) { u64::MAX - number } else { number };
    match field.kind().storage() {
        Storage::Number => Value::Number(number.min(field.kind().max_number())),
        Storage::Time => Value::Time(Timestamp::from_nanos(number.cast_signed().wrapping_mul(1_000_003))),
        Storage::Addr => Value::Addr(flowcore::Addr::from(match u32::try_from(number) {
            Ok(v4) => std::net::IpAddr::from(v4.to_be_bytes()),
            Err(_) => std::net::IpAddr::from((u128::from(number) << 7).to_be_bytes()),
        })),
        Storage::Text => payload_text(rest).as_str().into(),
    }
}

/// Flows of different kinds.
fn sample(n: u64) -> Flow {
    let mut flow = Flow::default();
    flow.key.src = if n.is_multiple_of(3) { "2001:db8::7" } else { "10.0.0.7" }.parse().expect("an address");
    flow.key.dst = if n.is_multiple_of(4) { "192.0.2.1" } else { "10.0.0.8" }.parse().expect("an address");
    flow.key.src_port = (!n.is_multiple_of(5)).then_some(443);
    flow.key.dst_port = u16::try_from(n * 40).ok();
    flow.key.protocol = Some(Protocol([6, 17, 1][n as usize % 3]));
    flow.first = Some(Timestamp::from_secs(1_700_000_000 + n.cast_signed()));
    flow.last = (!n.is_multiple_of(6)).then(|| Timestamp::from_secs(1_700_000_060));
    flow.forward.packets = Some(n);
    flow.forward.bytes = Some(n * 1000);
    flow.reverse.bytes = (n.is_multiple_of(2)).then_some(n << 20);
    flow.forward.flags = (n.is_multiple_of(3)).then_some(TcpFlags(0x12));
    flow.set(Field::Action, if n.is_multiple_of(2) { "ACCEPT" } else { "REJECT" }.into());
    flow
}
