//! Flows that were written to an nfdump file and read back: they differ by what `docs/nfdump-file.md` says, and by
//! nothing else.

mod random;

use std::io::Cursor;

use flowcore::format::nfdump::elements::{ELEMENTS, Element, Form, HEADER, Part, Written, Zero};
use flowcore::format::nfdump::{BlockCompression, Dropped, NfdumpOptions, NfdumpReader, NfdumpWriter};
use flowcore::{
    Addr, Field, Flow, FlowBatch, FlowSource, Protocol, ReadRequest, Timestamp, Value, payload_bytes,
    payload_text,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn a_flow_comes_back_as_it_is_kept(flow in random::flow()) {
        let (back, dropped) = round_trip(std::slice::from_ref(&flow), BlockCompression::None);
        prop_assert_eq!(&back[0], &as_kept(&flow, Readers::All));
        for field in Field::all().filter(|field| !field.is_derived()) {
            let lost = back[0].get(field).is_absent() && !says_nothing(field, &flow);
            prop_assert!(!lost || dropped.fields.contains(field), "{} is lost and not noted", field);
        }
    }

    #[test]
    fn flows_come_back_in_order_from_every_compression(
        flows in proptest::collection::vec(random::flow(), 0..50),
        method in proptest::sample::select(vec!["none", "lz4", "lzo", "bz2", "zstd"]),
    ) {
        let (mut back, _) = round_trip(&flows, method.parse().unwrap());
        let readers = if method == "zstd" { Readers::Newer } else { Readers::All };
        let mut kept: Vec<Flow> = flows.iter().map(|flow| as_kept(flow, readers)).collect();
        // Flows with different names lose them.
        back.iter_mut().chain(&mut kept).for_each(|flow| flow.set(Field::Ident, Value::Absent));
        prop_assert_eq!(back, kept);
    }

    #[test]
    fn what_was_kept_once_is_kept_again(flow in random::flow()) {
        let once = as_kept(&flow, Readers::All);
        let (again, dropped) = round_trip(std::slice::from_ref(&once), BlockCompression::None);
        prop_assert_eq!(&again[0], &once);
        prop_assert!(dropped.is_empty(), "{}", dropped);
    }
}

/// Writes flows to a file in memory and reads them; also what the file had no place for.
fn round_trip(flows: &[Flow], compression: BlockCompression) -> (Vec<Flow>, Dropped) {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let options = NfdumpOptions { compression, ..NfdumpOptions::default() };
    let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &options).unwrap();
    writer.write_batch(&batch).unwrap();
    let dropped = writer.dropped().clone();
    let file = Cursor::new(writer.finish().unwrap().into_inner());
    let mut reader = NfdumpReader::open_file(file, "test.nf", &ReadRequest::default()).unwrap();
    let mut back = Vec::new();
    while reader.read_batch(&mut batch).unwrap() {
        back.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    assert_eq!(reader.stats().problems.total(), 0);
    (back, dropped)
}

/// Whether a flow has no value for the field, or one that files can leave out: the format stores 0 for "not known".
fn says_nothing(field: Field, flow: &Flow) -> bool {
    match flow.get(field) {
        Value::Absent => true,
        // The name of the program's input is not the flow's.
        _ if matches!(field, Field::Source | Field::Format) => true,
        Value::Number(number) => match field {
            Field::Flows => number <= 1,
            Field::ClientLatency | Field::ServerLatency | Field::AppLatency => number < 1000,
            Field::RecordFlags => number & 0x7f == 0,
            // A header like nfpcapd's is one of a flow without exporter.
            Field::EngineType | Field::EngineId | Field::NetflowVersion => is_from_packets(flow),
            _ => number == 0,
        },
        Value::Time(time) => (0..1_000_000).contains(&time.as_nanos()),
        Value::Addr(addr) => addr.ip().is_none_or(|ip| ip.is_unspecified()),
        Value::Text(text) => match field {
            Field::Direction => *text == *"ingress",
            Field::InPayload | Field::OutPayload => text.bytes().all(|byte| byte == 0),
            _ => text.is_empty(),
        },
    }
}

/// Which nfdump the file is for.
#[derive(Clone, Copy, PartialEq)]
enum Readers {
    /// Debian's 1.7.1 and all later ones.
    All,
    /// Those that read zstd, and all elements.
    Newer,
}

/// What an nfdump file for these readers keeps of a flow.
fn as_kept(flow: &Flow, readers: Readers) -> Flow {
    let mut kept = Flow::default();
    if !is_from_packets(flow) {
        HEADER.iter().for_each(|part| keep(part, flow, &mut kept));
        // The highest flag is nfdump's own while it works.
        let flags =
            kept.get(Field::RecordFlags).number().map(|flags| flags & 0x7f).filter(|flags| *flags > 0);
        kept.set(Field::RecordFlags, flags.into());
    }
    for element in ELEMENTS.iter().filter(|element| is_written(element, flow, readers)) {
        element.parts.iter().for_each(|part| keep(part, flow, &mut kept));
    }
    keep_ports(flow, &mut kept);
    // A name of the recording is one of all flows, at most 121 bytes, and "none" if there is none.
    let ident = flow.get(Field::Ident);
    if ident
        .text()
        .is_some_and(|name| (1..=121).contains(&name.len()) && name != "none" && !name.contains('\0'))
    {
        kept.set(Field::Ident, ident);
    }
    kept
}

/// Whether the record has nfpcapd's header: engine 17, 1, and version 65. A flow without exporter gets it.
fn is_from_packets(flow: &Flow) -> bool {
    let numbers: Vec<_> = HEADER.iter().map(|part| flow.get(part.field).number()).collect();
    let of_nfpcapd = [17, 1, 0, 0, 0x41].map(Some);
    numbers.iter().all(Option::is_none)
        || numbers.iter().zip(of_nfpcapd).all(|(number, own)| number.or(Some(0)) == own)
}

/// Whether the record of a flow has this element: one of its fields has a value that fits.
fn is_written(element: &Element, flow: &Flow, readers: Readers) -> bool {
    let has =
        |field: Field| element.parts.iter().any(|part| part.field == field && fitting(part, flow).is_some());
    let addrs = element.parts.iter().filter(|part| matches!(part.form, Form::V4 | Form::V6));
    let version = addrs.clone().map(|part| flow.get(part.field).addr().version()).max();
    match (element.written, element.id) {
        (Written::Never, _) => false,
        (Written::Newer, _) if readers == Readers::All => false,
        (_, 1) => true,
        // Addresses of both versions go together as IPv6.
        _ if version.is_some() => {
            version == addrs.map(|part| if part.form == Form::V4 { 4 } else { 6 }).max()
        }
        // The time of an event alone is no event of a firewall, and needs no second place beside one.
        (_, 19) => has(Field::ConnectionId) || has(Field::FwEvent) || has(Field::FwExtendedEvent),
        (_, 25) => {
            let of_firewall = ELEMENTS.iter().any(|other| other.id == 19 && is_written(other, flow, readers));
            has(Field::NatEvent) || has(Field::NatPool) || (has(Field::EventTime) && !of_firewall)
        }
        // VLAN ids are in element 6 already.
        (_, 38) => {
            let also_there = [Field::Vlan, Field::DstVlan];
            element.parts.iter().any(|part| has(part.field) && !also_there.contains(&part.field))
        }
        // One flow is what every record is.
        (_, 5) => has(Field::OutPackets) || has(Field::OutBytes) || flow.get(Field::Flows).number() > Some(1),
        _ => element.parts.iter().any(|part| has(part.field)),
    }
}

/// Keeps the field of a part unless an element before had a value.
fn keep(part: &Part, flow: &Flow, kept: &mut Flow) {
    let zero_is_value = match part.zero {
        Zero::Value => true,
        Zero::Absent => false,
        // A capture knows nothing of interfaces and routes.
        Zero::Unstated => !is_from_packets(flow),
    };
    let value = fitting(part, flow).unwrap_or_else(|| zero(part.form));
    if kept.get(part.field).is_absent() && (zero_is_value || value != zero(part.form)) {
        kept.set(part.field, value);
    }
}

/// What is read where nothing was written.
fn zero(form: Form) -> Value {
    match form {
        Form::Millis => Value::Time(Timestamp::default()),
        Form::V4 => Value::Addr("0.0.0.0".parse().unwrap()),
        Form::V6 => Value::Addr("::".parse().unwrap()),
        Form::FlowDirection => "ingress".into(),
        // Ports and flags depend on the protocol: see below.
        Form::Port | Form::Icmp | Form::Tcp | Form::FlowCount => Value::Absent,
        Form::Name(_) | Form::Hex | Form::Payload | Form::Acl => Value::Absent,
        Form::U8 | Form::U16 | Form::U32 | Form::U64 | Form::Micros | Form::Mac => Value::Number(0),
    }
}

/// The value of a part as far as its form can hold it; `None` if it cannot, or there is none.
fn fitting(part: &Part, flow: &Flow) -> Option<Value> {
    let below = |bits: u32| flow.get(part.field).number().filter(|number| bits == 64 || number >> bits == 0);
    let text = || flow.get(part.field).text().map(str::to_owned);
    let name = |most: usize| {
        // A zero ends a name, and one is added.
        let mut name = text()?.split('\0').next()?.to_owned();
        while name.len() > most {
            name.pop();
        }
        (!name.is_empty()).then(|| Value::from(name.as_str()))
    };
    match part.form {
        Form::U8 => below(8).map(Value::Number),
        Form::U16 => below(16).map(Value::Number),
        Form::U32 => below(32).map(Value::Number),
        Form::U64 | Form::Mac => below(64).map(Value::Number),
        Form::FlowCount => below(64).filter(|flows| *flows > 1).map(Value::Number),
        // Microseconds.
        Form::Micros => below(64).map(|nanos| Value::Number(nanos / 1000 * 1000)),
        // Milliseconds, from 1970 on.
        Form::Millis => {
            let nanos = flow.get(part.field).time()?.as_nanos();
            (nanos >= 0).then(|| Value::Time(Timestamp::from_nanos(nanos / 1_000_000 * 1_000_000)))
        }
        Form::V4 => Some(flow.get(part.field).addr()).filter(|addr| addr.version() == 4).map(Value::Addr),
        Form::V6 => match flow.get(part.field).addr() {
            Addr::Unknown => None,
            Addr::V4(addr) => Some(Value::Addr(Addr::V6(addr.to_ipv6_mapped()))),
            addr => Some(Value::Addr(addr)),
        },
        Form::FlowDirection => {
            // A number without a name is kept as such.
            let is_kept =
                |text: &str| matches!(text, "ingress" | "egress") || (2..=255).any(|n| text == n.to_string());
            text().filter(|text| is_kept(text)).map(|text| Value::from(&*text))
        }
        Form::Name(width) if width < usize::MAX => name(width - 1),
        Form::Name(_) => name(usize::MAX),
        Form::Hex => text()
            .filter(|hex| {
                !hex.is_empty() && hex.len() % 2 == 0 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
            .map(|hex| Value::from(&*hex)),
        Form::Payload => payload(&text()?),
        Form::Acl => {
            let hex = |number: &str| u32::from_str_radix(number.strip_prefix("0x")?, 16).ok();
            let numbers: Vec<_> = text()?.split('/').map(hex).collect::<Option<_>>()?;
            let some = numbers.len() == 3 && numbers.iter().any(|number| *number > 0);
            some.then(|| Value::from(&*text().unwrap_or_default()))
        }
        Form::Port | Form::Icmp | Form::Tcp => None,
    }
}

/// A payload is filled up with zeros to a multiple of four, and up to three zeros at its end are taken for those.
fn payload(text: &str) -> Option<Value> {
    let mut bytes = payload_bytes(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    for _ in 0..3 {
        if bytes.last() == Some(&0) {
            bytes.pop();
        }
    }
    (!bytes.is_empty()).then(|| Value::from(payload_text(&bytes).as_str()))
}

/// Ports, type and code of ICMP and TCP flags: there is a place for them in every record, and the protocol says what a 0
/// means.
fn keep_ports(flow: &Flow, kept: &mut Flow) {
    let number = |field| flow.get(field).number();
    let protocol = flow.key.protocol.unwrap_or(Protocol(0));
    let fields = [Field::SrcPort, Field::DstPort];
    if protocol.is_icmp() {
        for field in [Field::IcmpType, Field::IcmpCode] {
            kept.set(field, Value::Number(number(field).unwrap_or(0)));
        }
        kept.set(Field::SrcPort, number(Field::SrcPort).filter(|port| *port > 0).into());
    } else if protocol.has_ports() || fields.iter().any(|&field| number(field) > Some(0)) {
        fields.into_iter().for_each(|field| kept.set(field, Value::Number(number(field).unwrap_or(0))));
    }
    let flags = number(Field::InFlags).unwrap_or(0);
    if protocol == Protocol::TCP || flags > 0 {
        kept.set(Field::InFlags, Value::Number(flags));
    }
}
