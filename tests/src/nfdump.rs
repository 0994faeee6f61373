//! What Debian's nfdump (1.7.1) prints of a flow: the mapping by which its JSON is held against our records.

use std::collections::BTreeMap;
use std::path::Path;

use flowcore::{Addr, Field, FieldKind, Flow, TcpFlags, Timestamp, Value};
use serde_json::Value as Json;

use crate::harness::peer;

/// A record as nfdump prints it: keys and the text of their values.
pub type Listed = BTreeMap<String, String>;

/// Every record of a file as nfdump lists it.
pub fn list(file: &Path) -> Vec<Listed> {
    let text = peer("nfdump", ["-r".as_ref(), file.as_os_str(), "-o".as_ref(), "json".as_ref()]);
    // Not JSON, with or without a bracket before it.
    if text.contains("\nNo matching flows") || text.starts_with("No matching flows") {
        return Vec::new();
    }
    let records: Json = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("nfdump's JSON of {}: {error}: {text:.400}", file.display()));
    let records = records.as_array().unwrap_or_else(|| panic!("no array"));
    records.iter().map(as_texts).collect()
}

fn as_texts(record: &Json) -> Listed {
    let members = record.as_object().unwrap_or_else(|| panic!("no object: {record}"));
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// What differs between nfdump's listing of a record and ours; empty if nothing does.
///
/// Beside an event of an address translation, 1.7.1 prints that one for the firewall's event too.
pub fn differences(theirs: &Listed, ours: &Flow) -> Vec<String> {
    let mut found = Vec::new();
    let is_mixed = |key: &str| key == "event_id" && theirs.contains_key("nat_event_id");
    for (key, value) in theirs.iter().filter(|(key, _)| !COMPUTED.contains(&key.as_str()) && !is_mixed(key)) {
        match keys_of(key).map(|(field, form)| shown(ours, field, form)) {
            None => found.push(format!("{key}: nfdump prints {value}, and nothing here knows the key")),
            Some(shown) if same(value, &shown) => {}
            Some(shown) => found.push(format!("{key}: nfdump prints {value}, we have {shown}")),
        }
    }
    for &(key, field, form) in KEYS {
        let says_something = !is_nothing(&shown(ours, field, form));
        if says_something && is_for(ours, field, key) && !theirs.contains_key(key) {
            found.push(format!("{key}: nfdump prints nothing, we have {:?}", ours.get(field)));
        }
    }
    found
}

/// Keys that nfdump computes from others.
const COMPUTED: &[&str] = &["src_net", "dst_net", "nat_event", "event"];

/// How nfdump shows a value.
#[derive(Debug, Clone, Copy)]
enum Form {
    Number,
    Time,
    Address(u8),
    Flags,
    Mac,
    Label,
    Latency,
    Direction,
    /// 0 and 1 mean the same.
    Flows,
    Text,
    /// One of the marks of the record.
    Mark(u64, &'static str, &'static str),
}

fn keys_of(key: &str) -> Option<(Field, Form)> {
    KEYS.iter().find(|(known, ..)| *known == key).map(|&(_, field, form)| (field, form))
}

/// nfdump's keys, all that its JSON has.
const KEYS: &[(&str, Field, Form)] = {
    use Form::{Address, Direction, Flags, Flows, Label, Latency, Mac, Mark, Number, Text, Time};
    &[
        ("type", Field::RecordFlags, Mark(1, "FLOW", "EVENT")),
        ("sampled", Field::RecordFlags, Mark(2, "0", "1")),
        ("export_sysid", Field::ExporterId, Number),
        ("first", Field::First, Time),
        ("last", Field::Last, Time),
        ("received", Field::Received, Time),
        ("in_packets", Field::InPackets, Number),
        ("in_bytes", Field::InBytes, Number),
        ("proto", Field::Protocol, Number),
        ("tcp_flags", Field::InFlags, Flags),
        ("src_port", Field::SrcPort, Number),
        ("dst_port", Field::DstPort, Number),
        ("icmp_type", Field::IcmpType, Number),
        ("icmp_code", Field::IcmpCode, Number),
        ("src_tos", Field::SrcTos, Number),
        ("fwd_status", Field::FwdStatus, Number),
        ("src4_addr", Field::SrcAddr, Address(4)),
        ("dst4_addr", Field::DstAddr, Address(4)),
        ("src6_addr", Field::SrcAddr, Address(6)),
        ("dst6_addr", Field::DstAddr, Address(6)),
        ("input_snmp", Field::InputIf, Number),
        ("output_snmp", Field::OutputIf, Number),
        ("src_mask", Field::SrcMask, Number),
        ("dst_mask", Field::DstMask, Number),
        ("direction", Field::Direction, Direction),
        ("dst_tos", Field::DstTos, Number),
        ("out_packets", Field::OutPackets, Number),
        ("out_bytes", Field::OutBytes, Number),
        ("aggr_flows", Field::Flows, Flows),
        ("src_vlan", Field::Vlan, Number),
        ("dst_vlan", Field::DstVlan, Number),
        ("src_as", Field::SrcAs, Number),
        ("dst_as", Field::DstAs, Number),
        ("next_as", Field::NextAs, Number),
        ("prev_as", Field::PrevAs, Number),
        ("bgp4_next_hop", Field::BgpNextHop, Address(4)),
        ("bgp6_next_hop", Field::BgpNextHop, Address(6)),
        ("ip4_next_hop", Field::NextHop, Address(4)),
        ("ip6_next_hop", Field::NextHop, Address(6)),
        ("ip4_router", Field::RouterAddr, Address(4)),
        ("ip6_router", Field::RouterAddr, Address(6)),
        ("mpls_1", Field::Mpls1, Label),
        ("mpls_2", Field::Mpls2, Label),
        ("mpls_3", Field::Mpls3, Label),
        ("mpls_4", Field::Mpls4, Label),
        ("mpls_5", Field::Mpls5, Label),
        ("mpls_6", Field::Mpls6, Label),
        ("mpls_7", Field::Mpls7, Label),
        ("mpls_8", Field::Mpls8, Label),
        ("mpls_9", Field::Mpls9, Label),
        ("mpls_10", Field::Mpls10, Label),
        ("in_src_mac", Field::SrcMac, Mac),
        ("out_dst_mac", Field::DstMac, Mac),
        ("in_dst_mac", Field::InDstMac, Mac),
        ("out_src_mac", Field::OutSrcMac, Mac),
        ("cli_latency", Field::ClientLatency, Latency),
        ("srv_latency", Field::ServerLatency, Latency),
        ("app_latency", Field::AppLatency, Latency),
        ("tun proto", Field::TunProto, Number),
        ("src4_tun_ip", Field::TunSrcAddr, Address(4)),
        ("dst4_tun_ip", Field::TunDstAddr, Address(4)),
        ("src6_tun_ip", Field::TunSrcAddr, Address(6)),
        ("dst6_tun_ip", Field::TunDstAddr, Address(6)),
        ("src4_xlt_ip", Field::PktSrcAddr, Address(4)),
        ("dst4_xlt_ip", Field::PktDstAddr, Address(4)),
        ("src6_xlt_ip", Field::PktSrcAddr, Address(6)),
        ("dst6_xlt_ip", Field::PktDstAddr, Address(6)),
        ("src_xlt_port", Field::PktSrcPort, Number),
        ("dst_xlt_port", Field::PktDstPort, Number),
        ("t_event", Field::EventTime, Time),
        ("nat_event_id", Field::NatEvent, Number),
        ("connect_id", Field::ConnectionId, Number),
        // Spelled like this.
        ("observationDoaminID", Field::ObservationDomain, Number),
        ("observationPointID", Field::ObservationPoint, Number),
        ("event_id", Field::FwEvent, Number),
        ("xevent_id", Field::FwExtendedEvent, Number),
        ("user_name", Field::UserName, Text),
        ("ingress_vrf", Field::IngressVrf, Number),
        ("egress_vrf", Field::EgressVrf, Number),
        ("pblock_start", Field::PortBlockStart, Number),
        ("pblock_end", Field::PortBlockEnd, Number),
        ("pblock_step", Field::PortBlockStep, Number),
        ("pblock_size", Field::PortBlockSize, Number),
        ("label", Field::FlowLabel, Text),
    ]
};

/// What a field of ours is in nfdump's words; what is absent is shown as nfdump shows a stored 0.
fn shown(flow: &Flow, field: Field, form: Form) -> String {
    let value = flow.get(field);
    let number = value.number().unwrap_or(0);
    match form {
        Form::Number => number.to_string(),
        Form::Flows => number.max(1).to_string(),
        Form::Time => millis(value.time().unwrap_or_default()),
        Form::Address(version) => address(&value, version),
        Form::Flags => TcpFlags(u8::try_from(number).unwrap_or(u8::MAX)).to_string(),
        Form::Mac => mac(number),
        Form::Label => format!("{}-{}-{}", number >> 4, number >> 1 & 7, number & 1),
        // Whole microseconds, as a JSON number of milliseconds.
        Form::Latency => serde_json::json!((number / 1000) as f64 / 1000.0).to_string(),
        Form::Direction => match value.text() {
            None | Some("ingress") => "0".to_owned(),
            Some("egress") => "1".to_owned(),
            Some(other) => other.to_owned(),
        },
        Form::Text => value.text().unwrap_or("<none>").to_owned(),
        Form::Mark(bit, unset, set) => if number & bit == 0 { unset } else { set }.to_owned(),
    }
}

/// Times as nfdump prints them, cut to the millisecond.
fn millis(time: Timestamp) -> String {
    let text = time.to_string();
    let (seconds, fraction) = text.trim_end_matches('Z').split_once('.').unwrap_or((&text, ""));
    let seconds = seconds.trim_end_matches('Z').replace(' ', "T");
    format!("{seconds}.{:0<3.3}", fraction)
}

fn address(value: &Value, version: u8) -> String {
    match value.addr() {
        Addr::Unknown if version == 4 => "0.0.0.0".to_owned(),
        Addr::Unknown => "::".to_owned(),
        addr => addr.to_string(),
    }
}

fn mac(number: u64) -> String {
    let bytes = number.to_be_bytes();
    let pairs: Vec<String> = bytes[2..].iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

/// Equal as texts, or as addresses: those of IPv6 have several spellings. A time of 0 has two.
fn same(theirs: &str, ours: &str) -> bool {
    let parse = |text: &str| text.parse::<std::net::IpAddr>().ok();
    let is_no_time = theirs.starts_with("<unknown>") && ours == NO_TIME;
    theirs == ours || is_no_time || parse(theirs).is_some_and(|addr| parse(ours) == Some(addr))
}

const NO_TIME: &str = "1970-01-01T00:00:00.000";

fn is_nothing(shown: &str) -> bool {
    let zeros = ["0", NO_TIME, "0.0.0.0", "::", "........", "0-0-0", "0.0", "<none>", "FLOW"];
    zeros.contains(&shown) || shown == "00:00:00:00:00:00"
}

/// Whether this key would hold the value: addresses have one for each version, one flow is not worth a key.
fn is_for(flow: &Flow, field: Field, key: &str) -> bool {
    match field.kind() {
        FieldKind::Addr => key.contains(if flow.get(field).addr().version() == 6 { '6' } else { '4' }),
        // Printed with the interfaces, although it is stored elsewhere.
        _ if field == Field::FwdStatus => flow.get(Field::InputIf).number().is_some(),
        // ICMP has type and code instead, whatever is stored as its source port.
        _ if field == Field::SrcPort => !flow.key.protocol.is_some_and(flowcore::Protocol::is_icmp),
        // The element that has physical interfaces has VLANs too, and 1.7.1 does not know it.
        _ if matches!(field, Field::Vlan | Field::DstVlan) => flow.get(Field::PhysInIf).is_absent(),
        _ if field == Field::Flows => flow.get(field).number().unwrap_or(1) > 1,
        _ => true,
    }
}
