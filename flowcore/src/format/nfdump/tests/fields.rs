//! What becomes of each element and of each rule about zeros, protocols and versions.

use super::builder::{FileBuilder, element, flow, flow_from, generic, tcp, v4, v6};
use super::*;
use crate::format::nfdump::elements::{ELEMENTS, Form, HEADER};
use crate::record::{Field, FieldSet, Protocol, Timestamp, Value};

/// A header as a collector of NetFlow 9 writes it.
const EXPORTED: [u8; 6] = [1, 2, 3, 0, 2, 9];

/// A record with every element that is understood; no byte of its data is 0.
pub(super) fn every_element() -> Vec<u8> {
    let mut seen = Vec::new();
    let elements = ELEMENTS.iter().filter(|element| {
        let is_new = !seen.contains(&element.id);
        seen.push(element.id);
        is_new
    });
    let filled = elements.map(|row| {
        let mut data: Vec<u8> =
            (0..row.size.least() + 3).map(|n| u8::try_from(n % 50 + 65).unwrap()).collect();
        for part in
            row.parts.iter().filter(|part| matches!(part.form, Form::Millis | Form::Micros | Form::Mac))
        {
            data[part.at + 5..part.at + 8].fill(0);
        }
        match row.id {
            1 => data[44] = 6,
            4 => [data[10], data[13]] = [1, 2],
            14 => (3..40).step_by(4).for_each(|at| data[at] = 0),
            31 | 32 => data[row.size.least() - 8..].fill(0),
            _ => {}
        }
        element(row.id, &data)
    });
    flow_from(EXPORTED, &filled.collect::<Vec<_>>())
}

fn one(record: Vec<u8>) -> Flow {
    let file = FileBuilder { ident: "none", ..FileBuilder::new() }.block(&[record]).build();
    let (flows, stats) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    assert_eq!(stats.bad_records, 0);
    flows.into_iter().next().unwrap()
}

fn number(flow: &Flow, field: Field) -> Option<u64> {
    flow.get(field).number()
}

#[test]
fn every_field_of_the_table_comes_out() {
    let flow = one(every_element());
    let parts = HEADER.iter().chain(ELEMENTS.iter().flat_map(|element| element.parts));
    for part in parts.filter(|part| !matches!(part.form, Form::Icmp)) {
        // Only the layouts that do not stand in the record, and addresses of the other version.
        assert!(!flow.get(part.field).is_absent(), "{}", part.field);
    }
    assert_eq!(flow.get(Field::EngineType), Value::Number(1));
    assert_eq!(flow.get(Field::ExporterId), Value::Number(3));
    assert_eq!(flow.get(Field::InPackets), Value::Number(u64::from_le_bytes(*b"YZ[\\]^_`")));
    assert_eq!(flow.get(Field::AppId), Value::from("41424344"));
    assert_eq!(flow.get(Field::UserName).text().map(str::len), Some(66));
    assert_eq!(flow.get(Field::IngressAcl), Value::from("0x44434241/0x48474645/0x4c4b4a49"));
    assert_eq!(flow.get(Field::PfInterface), Value::from("UVW"));
    assert_eq!(flow.get(Field::Direction), Value::from("egress"));
    assert_eq!(flow.get(Field::InPayload), Value::from("ABCD"));
}

#[test]
fn only_what_is_asked_for_is_decoded_and_it_is_the_same() {
    let file = FileBuilder::new().block(&[every_element(), tcp(5), flow(&[])]).build();
    let (all, _) = read(&file, Mode::File, &ReadRequest::default()).unwrap();
    for field in FieldSet::all().iter() {
        let request = ReadRequest { fields: FieldSet::from([field]), ..ReadRequest::default() };
        let (one, _) = read(&file, Mode::File, &request).unwrap();
        for (one, all) in one.iter().zip(&all) {
            let mut expected = Flow::default();
            expected.set(field, all.get(field));
            assert_eq!(*one, expected, "{field}");
        }
    }
}

#[test]
fn a_plain_flow_reads_as_it_was_written() {
    let flow = one(tcp(7));
    assert_eq!(flow.first, Some(Timestamp::from_nanos(1_700_000_000_123_000_000)));
    assert_eq!(flow.last, Some(Timestamp::from_nanos(1_700_000_001_456_000_000)));
    assert_eq!(flow.key.src, "10.0.0.7".parse().unwrap());
    assert_eq!(flow.key.dst, "192.0.2.1".parse().unwrap());
    assert_eq!((flow.key.src_port, flow.key.dst_port), (Some(7), Some(443)));
    assert_eq!(flow.key.protocol, Some(Protocol::TCP));
    assert_eq!((flow.forward.bytes, flow.forward.packets), (Some(70), Some(3)));
    assert_eq!(number(&flow, Field::InFlags), Some(0x12));
    assert_eq!(number(&flow, Field::SrcTos), Some(4));
    for field in
        [Field::EngineType, Field::NetflowVersion, Field::FwdStatus, Field::OutBytes, Field::IcmpType]
    {
        assert!(flow.get(field).is_absent(), "{field}");
    }
}

#[test]
fn ports_depend_on_the_protocol() {
    let ports = |protocol, ports| {
        let flow = one(flow(&[generic(protocol, ports, 1)]));
        let icmp = number(&flow, Field::IcmpType).zip(number(&flow, Field::IcmpCode));
        (number(&flow, Field::SrcPort), number(&flow, Field::DstPort), icmp)
    };
    for protocol in [6, 17, 132, 33, 136] {
        assert_eq!(ports(protocol, [0, 0]), (Some(0), Some(0), None), "{protocol}");
    }
    for protocol in [1, 58] {
        assert_eq!(ports(protocol, [0, 0x0803]), (None, None, Some((8, 3))), "{protocol}");
        assert_eq!(ports(protocol, [9, 0]), (Some(9), None, Some((0, 0))), "{protocol}");
    }
    assert_eq!(ports(47, [0, 0]), (None, None, None));
    assert_eq!(ports(47, [0, 5]), (Some(0), Some(5), None));
}

#[test]
fn flags_of_other_protocols_are_there_only_if_set() {
    let flags = |protocol, flags: u8| {
        let mut generic = generic(protocol, [1, 2], 1);
        generic[4 + 45] = flags;
        number(&one(flow(&[generic])), Field::InFlags)
    };
    assert_eq!((flags(6, 0), flags(17, 0), flags(17, 2)), (Some(0), None, Some(2)));
}

#[test]
fn a_zero_that_a_capture_cannot_know_is_none() {
    let misc = element(4, &[0; 16]);
    let (capture, exporter) = (one(flow(std::slice::from_ref(&misc))), one(flow_from(EXPORTED, &[misc])));
    for field in [Field::InputIf, Field::SrcMask, Field::DstTos] {
        assert_eq!((number(&capture, field), number(&exporter, field)), (None, Some(0)), "{field}");
    }
    assert!(capture.get(Field::Direction).is_absent());
    assert_eq!(exporter.get(Field::Direction), Value::from("ingress"));
    assert_eq!(number(&exporter, Field::EndReason), None);
    let odd = one(flow_from(EXPORTED, &[element(4, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0])]));
    assert_eq!(odd.get(Field::Direction), Value::from("2"), "a number without a name is kept");
}

#[test]
fn of_addresses_of_both_versions_the_record_says_which_are_meant() {
    let src = |elements: &[Vec<u8>]| one(flow(elements)).key.src.to_string();
    let (four, six, none) = (v4([1, 2, 3, 4], [5; 4]), v6(1, 2), v4([0; 4], [0; 4]));
    let layer_2 = |version| {
        let mut data = [0; 32];
        data[26] = version;
        element(38, &data)
    };
    assert_eq!(src(&[four.clone(), six.clone()]), "1.2.3.4");
    assert_eq!(src(&[six.clone(), none.clone()]), "::1");
    assert_eq!(src(&[none.clone(), layer_2(6)]), "0.0.0.0");
    assert_eq!(src(&[four.clone(), six.clone(), layer_2(6)]), "::1");
    assert_eq!(src(&[none, six, layer_2(4)]), "0.0.0.0");
    assert_eq!(src(&[]), "-");
}

#[test]
fn the_first_element_that_says_something_wins() {
    let vlan = |first: &[u8], second: u16| {
        let mut layer_2 = [0; 32];
        layer_2[..2].copy_from_slice(&second.to_le_bytes());
        let elements = [element(38, &layer_2), element(6, first)];
        number(&one(flow(&elements)), Field::Vlan)
    };
    assert_eq!(vlan(&[5, 0, 0, 0, 0, 0, 0, 0], 9), Some(5));
    assert_eq!(vlan(&[0, 0, 0, 0, 0, 0, 0, 0], 9), Some(0), "0 is a value there");
    assert_eq!(vlan(&[0; 4], 9), Some(9), "too short");
    assert_eq!(
        number(&one(flow(&[element(18, &[7, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1])])), Field::SamplerId),
        Some(7)
    );
}

#[test]
fn numbers_that_do_not_fit_are_none() {
    let mut late = generic(6, [1, 2], 1);
    late[4..12].fill(0xff);
    assert_eq!(one(flow(&[late])).first, None);
    let latency = one(flow(&[element(17, &[[0xff; 8], [2, 0, 0, 0, 0, 0, 0, 0], [0; 8]].concat())]));
    assert_eq!(number(&latency, Field::ClientLatency), None);
    assert_eq!(number(&latency, Field::ServerLatency), Some(2_000));
    assert_eq!(number(&latency, Field::AppLatency), None);
    assert_eq!(number(&one(flow(&[element(15, &[0xff; 32])])), Field::SrcMac), None);
    assert_eq!(number(&one(flow(&[element(31, &[1; 12])])), Field::TunProto), None);
}

#[test]
fn texts_end_where_they_end() {
    let text = |id, data: &[u8], field| one(flow(&[element(id, data)])).get(field);
    assert_eq!(text(29, b"GET\0", Field::InPayload), Value::from("GET"));
    assert_eq!(text(29, b"\0\0\0\0", Field::InPayload), Value::from("\0"));
    assert_eq!(text(29, b"a\0\0\0\0\0\0\0", Field::InPayload), Value::from("a\0\0\0\0"));
    assert_eq!(text(30, b"\xff\x80ab", Field::OutPayload), Value::from("\u{ff}\u{80}ab"));
    assert_eq!(text(29, b"", Field::InPayload), Value::Absent);
    assert_eq!(text(28, b"spam\0\0\0\0", Field::FlowLabel), Value::from("spam"));
    assert_eq!(text(28, b"\0\0\0\0", Field::FlowLabel), Value::Absent);
    assert_eq!(text(28, b"a\xffb", Field::FlowLabel), Value::from("a\u{fffd}b"));
    assert_eq!(text(23, &[0; 24], Field::IngressAcl), Value::Absent);
}
