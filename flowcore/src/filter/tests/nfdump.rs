//! nfdump's terms, those of older versions too: each is held against one record that has the field, and one that has
//! nothing.

use super::{Filter, rows_of};
use crate::record::{Field, Flow, Timestamp, Value};

/// Fields and their numbers in a record.
type Numbers = &'static [(Field, u64)];

/// A field, its number, an expression that is true of that record, and one that is false.
const NUMBERS: &[(Numbers, &str, &str)] = &[
    (&[(Field::SrcAs, 64_500)], "as 64500", "dst as 64500"),
    (&[(Field::SrcAs, 64_500)], "src as > 64k", "as < 64500"),
    (&[(Field::DstAs, 65_551)], "as in [1 2 65536-65560]", "as in [1, 2]"),
    (&[(Field::PrevAs, 7)], "prev as 7", "next as 7"),
    (&[(Field::PrevAs, 7)], "previous as = 7", "as 7"),
    (&[(Field::NextAs, 7)], "next as in [7 8]", "prev as 7"),
    (&[(Field::InputIf, 3)], "in if 3", "out if 3"),
    (&[(Field::OutputIf, 3)], "if 3", "if 4"),
    (&[(Field::SrcMask, 24)], "src mask 24", "dst mask 24"),
    (&[(Field::DstMask, 0)], "mask 0", "mask 24"),
    (&[(Field::FwdStatus, 19)], "fwdstat noroute", "fwdstat forw"),
    (&[(Field::FwdStatus, 19)], "fwdstat >= 16", "fwdstat 16"),
    (&[(Field::FwdStatus, 19)], "fwdstatus in [Forw NoRoute]", "fwdstat not in [Drop 19]"),
    (&[(Field::EngineType, 1)], "engine type 1", "engine id 1"),
    (&[(Field::EngineId, 2)], "engine-id 2", "engine-type 2"),
    (&[(Field::ExporterId, 5)], "exporter id 5", "exporter id 6"),
    (&[(Field::ExporterId, 5)], "exporter sysid 5 and sysid 5", "sysid > 5"),
    (&[(Field::ObservationDomain, 9)], "observation domain id 9", "observation point id 9"),
    (&[(Field::ObservationPoint, 1 << 40)], "observation point id > 1T", "observation domain id > 0"),
    (&[(Field::RecordNumber, 12)], "count 12", "cnt < 12"),
    (&[(Field::Flows, 4)], "flows 4", "flow 5"),
    (&[(Field::EtherType, 0x86dd)], "etherType 0x86dd", "ethertype 0x0800"),
    (&[(Field::MinTtl, 64), (Field::MaxTtl, 64)], "ttl equal", "ttl 63"),
    (&[(Field::MinTtl, 63), (Field::MaxTtl, 64)], "not ttl equal", "ttl equal"),
    (&[(Field::MinTtl, 63)], "min ttl 63", "ttl equal"),
    (&[(Field::SrcMac, 0x0200_0000_0001)], "in src mac 2:0:0:0:0:1", "out mac 2:0:0:0:0:1"),
    (&[(Field::DstMac, 0x0200_0000_0001)], "out dst mac 2:0:0:0:0:1", "in mac 2:0:0:0:0:1"),
    (&[(Field::InDstMac, 0x0200_0000_0001)], "in mac 2:0:0:0:0:1", "src mac 2:0:0:0:0:1"),
    (&[(Field::InDstMac, 0x0200_0000_0001)], "in dst mac 2:0:0:0:0:1", "out src mac 2:0:0:0:0:1"),
    (&[(Field::OutSrcMac, 0x0200_0000_0001)], "src mac 2:0:0:0:0:1", "dst mac 2:0:0:0:0:1"),
    (&[(Field::OutSrcMac, 0x0200_0000_0001)], "mac 2:0:0:0:0:1", "in src mac 2:0:0:0:0:1"),
    (&[(Field::Vlan, 7)], "src vlan 7", "dst vlan 7"),
    (&[(Field::DstVlan, 7)], "vlan 7", "src vlan 7"),
    (&[(Field::IngressVrf, 3)], "ingress vrf 3", "egress vrf 3"),
    (&[(Field::NatEvent, 4)], "nat event ADD44", "nat event add"),
    (&[(Field::NatEvent, 1)], "nat event add and xlate event create", "nat event != 1"),
    (&[(Field::PktSrcPort, 80)], "src nat port 80", "dst nat port 80"),
    (&[(Field::PktDstPort, 80)], "nat port < 81 and xport 80", "src xport 80"),
    (&[(Field::PktDstPort, 80)], "dst nport in [80] and nport 80", "port 80"),
    (&[(Field::PortBlockStart, 1024)], "nat pblock start 1024", "nat pblock end 1024"),
    (&[(Field::PortBlockStep, 8)], "nat pblock step >= 8", "nat pblock size 8"),
    (
        &[(Field::PortBlockStart, 1024), (Field::PortBlockEnd, 2047), (Field::SrcPort, 2047)],
        "src port in nat pblock",
        "dst port in nat pblock",
    ),
    (
        &[(Field::PortBlockStart, 1024), (Field::PortBlockEnd, 2047), (Field::DstPort, 1024)],
        "port in nat pblock",
        "src port in nat pblock",
    ),
    (
        &[(Field::PortBlockStart, 1024), (Field::PortBlockEnd, 2047), (Field::DstPort, 1023)],
        "not port in nat pblock",
        "port in nat pblock",
    ),
    (&[(Field::FwEvent, 3)], "asa event denied", "asa event create"),
    (&[(Field::FwEvent, 3)], "asa event deny or asa event term", "asa event > 3"),
    (&[(Field::FwExtendedEvent, 1001)], "asa denied ingress", "asa xevent 1002"),
    (&[(Field::FwExtendedEvent, 1001)], "asa event denied ingress", "asa event denied egress"),
    (&[(Field::FwExtendedEvent, 1004)], "asa xevent nosyn", "asa event denied interface"),
    (&[(Field::PfAction, 1)], "pf action block", "pf action pass"),
    (&[(Field::PfReason, 10)], "pf reason state-mismatch", "pf reason match"),
    (&[(Field::PfDir, 1)], "pf dir in", "pf dir out"),
    (&[(Field::PfDir, 0)], "pf dir out", "pf dir 'in'"),
    (&[(Field::PfRule, 70_000)], "pf rule > 65536", "pf rule 1"),
];

const TEXTS: &[(Field, &str, &str, &str)] = &[
    (Field::Direction, "ingress", "flowdir 0", "flowdir 1"),
    (Field::Direction, "egress", "flowdir egress and dir 1", "flowdir ingress"),
    (Field::Direction, "egress", "flowdir != ingress", "flowdir in [0 ingress]"),
    (Field::Direction, "7", "flowdir 7", "flowdir 0"),
    (Field::IngressAcl, "0x8e1a5fc2/0x0/0x1", "ingress acl 0x8e1a5fc2", "egress acl 1"),
    (Field::IngressAcl, "0x8e1a5fc2/0x0/0x1", "ingress acl 1", "ingress acl 2"),
    (Field::IngressAcl, "0x8e1a5fc2/0x0/0x1", "ingress acl > 2G", "ingress acl != 1"),
    (Field::EgressAcl, "no list", "not egress acl 0", "egress acl >= 0"),
    (Field::UserName, "Alice", "asa user alice", "asa user bob"),
    (Field::PfInterface, "em0", "pf interface em0", "pf interface em1"),
];

const ADDRS: &[(Field, &str, &str)] = &[
    (Field::PktSrcAddr, "src nat ip 192.0.2.1", "dst nat ip 192.0.2.1"),
    (Field::PktSrcAddr, "nat net 192.0.2.0 255.255.255.0", "ip 192.0.2.1"),
    (Field::PktDstAddr, "xip 192.0.2.1 and dst xip 192.0.2.1", "src xip 192.0.2.1"),
    (Field::PktDstAddr, "nip in [192.0.2.0/24] and xnet 192.0.2.0/31", "src nip 192.0.2.1"),
    (Field::PktDstAddr, "dst xlate host 192.0.2.1", "src xlate ip 192.0.2.1"),
    (Field::NextHop, "next ip 192.0.2.1", "bgp next ip 192.0.2.1"),
    (Field::BgpNextHop, "bgp next ip 192.0.2.1", "next ip 192.0.2.1"),
    (Field::BgpNextHop, "bgpnext ip 192.0.2.1", "next net 192.0.2.0/24"),
    (Field::RouterAddr, "router ip 192.0.2.1", "ip 192.0.2.1"),
    (Field::RouterAddr, "exporter ip in [192.0.2.0/24]", "router host 192.0.2.2"),
];

fn flow_with(field: Field, value: Value) -> Flow {
    let mut flow = Flow::default();
    flow.set(field, value);
    flow
}

#[track_caller]
fn holds(flow: &Flow, yes: &str, no: &str) {
    let flows = [Flow::default(), flow.clone()];
    let rows = |text: &str| rows_of(&Filter::parse(text).unwrap_or_else(|error| panic!("{error}")), &flows);
    assert!(rows(yes).contains(&1), "{yes}");
    assert!(yes.starts_with("not ") || rows(yes) == [1], "{yes} is true of a record that has nothing");
    assert_eq!(rows(no), [0; 0], "{no}");
    for text in [yes, no] {
        let filter = Filter::parse(text).unwrap();
        let again = Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.0.tree, filter.0.tree, "{text}");
    }
}

#[test]
fn terms_about_numbers() {
    for (numbers, yes, no) in NUMBERS {
        let mut flow = Flow::default();
        numbers.iter().for_each(|&(field, number)| flow.set(field, Value::Number(number)));
        holds(&flow, yes, no);
    }
}

#[test]
fn terms_about_texts() {
    for (field, text, yes, no) in TEXTS {
        holds(&flow_with(*field, (*text).into()), yes, no);
    }
}

#[test]
fn terms_about_addresses() {
    for (field, yes, no) in ADDRS {
        holds(&flow_with(*field, Value::Addr("192.0.2.1".parse().unwrap())), yes, no);
    }
}

#[test]
fn columns_without_a_field_hold_numbers() {
    let with = |text: &str| {
        let mut flow = Flow::default();
        flow.unknown.push(("mtu".into(), text.into()));
        flow
    };
    for (text, yes, no) in [
        ("1500", "field mtu > 1400", "field mtu > 1500"),
        ("1500", "field \"mtu\" 1.5k", "field mtu < 1500"),
        ("1500.0", "field mtu = 1500 and field mtu = 1500.0", "field mtu != 1500"),
        ("1500", "field mtu in [1400-1600]", "field mtu not in [1400-1600]"),
        ("-3.5", "field mtu < -3", "field mtu >= -3"),
        ("9007199254740993", "field mtu > 9007199254740992", "field mtu = 9007199254740992"),
        ("large", "field mtu LARGE", "field mtu > 0"),
        ("large", "not field mtu <= 0", "field mtu in [1 2]"),
    ] {
        holds(&with(text), yes, no);
    }
}

#[test]
fn relative_times_are_those_of_the_clock_given() {
    let now = Timestamp::from_secs(1_695_921_755);
    let filter = super::super::FilterParser::new().now(now).parse("first > -2h and last <= now").unwrap();
    let flow = |age: i64| {
        let mut flow = flow_with(Field::First, Value::Time(now.saturating_add(-age * 1_000_000_000)));
        flow.last = flow.first;
        flow
    };
    assert_eq!(rows_of(&filter, &[flow(7201), flow(7199), flow(0), flow(-1)]), [1, 2]);
    assert_eq!(
        filter.to_string(),
        "first seen > 2023-09-28T15:22:35.000Z and last seen <= 2023-09-28T17:22:35.000Z"
    );
}
