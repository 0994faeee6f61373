//! The filter language over single packets.
//!
//! Each packet is held against the filter as a flow of its own would be: source is the sender, first and last are its
//! time, it has one packet and no way back. A later fragment has no ports, as for a BPF filter: a term about ports
//! leaves it out. A filter about what no packet has is refused, as it would leave out everything in silence.

use std::net::IpAddr;

use flowcore::{Addr, Direction, Error, Field, FieldSet, Filter, Flow, FlowKey, Result, Timestamp, Value};

use crate::packet::{Packet, Tunnel, mac_number};

/// A filter and what it looks at.
#[derive(Debug)]
pub(crate) struct PacketFilter {
    filter: Filter,
    fields: FieldSet,
}

impl PacketFilter {
    /// As [`check_packet_filter`].
    pub(crate) fn new(filter: Filter) -> Result<Self> {
        check_packet_filter(&filter)?;
        Ok(Self { fields: filter.fields(), filter })
    }

    /// Whether a packet of `time` (nanoseconds since 1970 UTC) with this payload matches.
    #[inline]
    pub(crate) fn matches(&self, time: i64, packet: &Packet, payload: &[u8]) -> bool {
        self.filter.matches(&self.flow(time, packet, payload))
    }

    /// The packet as a flow, with as many of the rarer fields as the filter looks at.
    fn flow(&self, time: i64, packet: &Packet, payload: &[u8]) -> Flow {
        let time = Some(Timestamp::from_nanos(time));
        let mut flow = Flow::default();
        flow.key = key(packet);
        (flow.first, flow.last) = (time, time);
        flow.forward = Direction {
            packets: Some(1),
            bytes: Some(packet.ip_bytes.into()),
            flags: packet.tcp.map(|tcp| tcp.flags),
            tos: Some(packet.tos),
        };
        for field in self.fields.iter() {
            let value = match field {
                Field::InPayload => text(payload),
                field => attribute(field, packet),
            };
            if !value.is_absent() {
                flow.set(field, value);
            }
        }
        flow
    }
}

/// Checks that a filter asks for nothing but what a packet has: [`MeterOptions::packet_filter`] takes no other.
///
/// ```
/// use flowcore::Filter;
/// assert!(pcap2flow::check_packet_filter(&Filter::parse("dst port 53")?).is_ok());
/// assert!(pcap2flow::check_packet_filter(&Filter::parse("action accept")?).is_err());
/// # Ok::<(), flowcore::FilterError>(())
/// ```
///
/// # Errors
/// When a term is about something that flows or logs have and packets do not, such as latency; the error names it.
///
/// [`MeterOptions::packet_filter`]: crate::MeterOptions::packet_filter
pub fn check_packet_filter(filter: &Filter) -> Result<()> {
    let asked = filter.fields();
    // A term about both directions or sides, such as `bytes > 100` or `vlan 7`, is about the one that a packet has.
    let is_there =
        |field| FIELDS.contains(&field) || forward(field).is_some_and(|field| asked.contains(field));
    let missing = match asked.iter().find(|&field| !is_there(field)) {
        Some(field) => field.name(),
        None if filter.unknown_columns() => "column of a log",
        None => return Ok(()),
    };
    Err(Error::argument(format!(
        "packet filter: a packet has no {missing}, so that all would be left out; filter the flows by it, with flowdump"
    )))
}

/// The field of the way there to one of the way back, and that of where a packet was seen to one of where it went on.
fn forward(field: Field) -> Option<Field> {
    match field {
        Field::OutPackets => Some(Field::InPackets),
        Field::OutBytes => Some(Field::InBytes),
        Field::OutFlags => Some(Field::InFlags),
        Field::DstTos => Some(Field::SrcTos),
        Field::OutPayload => Some(Field::InPayload),
        Field::DstVlan => Some(Field::Vlan),
        Field::OutSrcMac => Some(Field::SrcMac),
        Field::InDstMac => Some(Field::DstMac),
        _ => None,
    }
}

fn key(packet: &Packet) -> FlowKey {
    FlowKey {
        src: addr(packet.src),
        dst: addr(packet.dst),
        src_port: packet.ports.map(|(src, _)| src),
        dst_port: packet.ports.map(|(_, dst)| dst),
        protocol: Some(packet.protocol),
    }
}

/// What a packet says of a field that is no member of [`Flow`].
fn attribute(field: Field, packet: &Packet) -> Value {
    let tunnel = packet.outer.as_ref().and_then(|outer| outer.tunnel.as_ref());
    match field {
        Field::MinTtl | Field::MaxTtl => Value::Number(packet.ttl.into()),
        Field::IcmpType => number(packet.icmp.map(|icmp| icmp.kind)),
        Field::IcmpCode => number(packet.icmp.map(|icmp| icmp.code)),
        Field::IcmpId => number(packet.icmp.and_then(|icmp| icmp.id)),
        Field::Vlan => number(packet.vlan),
        Field::SrcMac => number(packet.macs.map(|(src, _)| mac_number(src))),
        Field::DstMac => number(packet.macs.map(|(_, dst)| mac_number(dst))),
        Field::Spi => number(packet.spi),
        _ => match Field::MPLS.iter().position(|&label| label == field) {
            Some(at) => number(packet.outer.as_ref().and_then(|outer| outer.mpls.get(at).copied())),
            None => tunnel.map_or(Value::Absent, |tunnel| tunnel_attribute(field, tunnel)),
        },
    }
}

fn tunnel_attribute(field: Field, tunnel: &Tunnel) -> Value {
    match field {
        Field::TunSrcAddr => Value::Addr(addr(tunnel.src)),
        Field::TunDstAddr => Value::Addr(addr(tunnel.dst)),
        Field::TunProto => Value::Number(tunnel.protocol.0.into()),
        Field::TunType => tunnel.kind.to_string().as_str().into(),
        Field::TunId => number(tunnel.id),
        _ => Value::Absent,
    }
}

fn number(number: Option<impl Into<u64>>) -> Value {
    number.map_or(Value::Absent, |number| Value::Number(number.into()))
}

/// Bytes as text, each a character, as flows hold their payload.
fn text(payload: &[u8]) -> Value {
    if payload.is_empty() {
        return Value::Absent;
    }
    flowcore::payload_text(payload).as_str().into()
}

fn addr(addr: IpAddr) -> Addr {
    addr.into()
}

/// What a packet can have; [`PacketFilter::flow`] fills these and no other.
const FIELDS: [Field; 36] = [
    Field::First,
    Field::Last,
    Field::Protocol,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::IcmpType,
    Field::IcmpCode,
    Field::IcmpId,
    Field::InPackets,
    Field::InBytes,
    Field::InFlags,
    Field::SrcTos,
    Field::SrcMac,
    Field::DstMac,
    Field::Vlan,
    Field::MinTtl,
    Field::MaxTtl,
    Field::Mpls1,
    Field::Mpls2,
    Field::Mpls3,
    Field::Mpls4,
    Field::Mpls5,
    Field::Mpls6,
    Field::Mpls7,
    Field::Mpls8,
    Field::Mpls9,
    Field::Mpls10,
    Field::Spi,
    Field::TunSrcAddr,
    Field::TunDstAddr,
    Field::TunProto,
    Field::TunType,
    Field::TunId,
    Field::InPayload,
];

/// The labels of a stack, outermost first.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Fragment, Icmp, Outer, Tcp, TunnelKind};
    use flowcore::{Protocol, TcpFlags};

    fn tcp() -> Packet {
        let mut packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol::TCP, 60);
        packet.ports = Some((40_000, 443));
        packet.tcp = Some(Tcp { flags: TcpFlags::SYN, seq: 1, ack: 0, payload_len: 0 });
        (packet.tos, packet.ttl, packet.vlan) = (8, 57, Some(7));
        packet.macs = Some(([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]));
        packet.outer = Some(Box::new(Outer {
            tunnel: Some(Tunnel {
                src: [192, 0, 2, 1].into(),
                dst: [192, 0, 2, 2].into(),
                protocol: Protocol(4),
                kind: TunnelKind::IpInIp,
                id: Some(99),
            }),
            mpls: vec![16 * 1000, 16 * 2000 + 1],
            carriers: Vec::new(),
        }));
        packet
    }

    fn matches(filter: &str, packet: &Packet) -> bool {
        let filter = PacketFilter::new(Filter::parse(filter).unwrap()).unwrap();
        filter.matches(1_695_921_755_000_000_000, packet, b"GET /\xff")
    }

    fn echo() -> Packet {
        let mut echo = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol::ICMP, 60);
        echo.icmp = Some(Icmp { kind: 8, code: 0, id: Some(77) });
        echo
    }

    fn esp() -> Packet {
        let mut esp = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol(50), 60);
        esp.spi = Some(5);
        esp
    }

    #[test]
    fn the_list_of_fields_is_what_packets_fill() {
        let mut packet = tcp();
        packet.outer.as_mut().unwrap().mpls = (1..=10).map(|label| label * 16).collect();
        // The filter of every field, whether or not a packet has it.
        let all = PacketFilter { filter: Filter::any(), fields: FieldSet::all() };
        let flows = [packet, echo(), esp()].map(|packet| all.flow(7, &packet, b"GET"));
        for field in FieldSet::all().iter() {
            let is_filled = flows.iter().any(|flow| !flow.get(field).is_absent());
            assert_eq!(is_filled, FIELDS.contains(&field), "{field}");
        }
    }

    #[test]
    fn what_no_packet_has_is_refused_by_name() {
        for (filter, name) in [
            ("retransmits > 0", "inretransmits"),
            ("server latency > 5", "serverlatency"),
            ("proto tcp or action accept", "action"),
            ("end reason idle", "endreason"),
            ("out packets = 0", "outpackets"),
            ("out payload content 'x'", "outpayload"),
            ("ident web", "ident"),
            ("flows > 1", "flows"),
        ] {
            let error = check_packet_filter(&Filter::parse(filter).unwrap()).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("packet filter: a packet has no {name}, ")),
                "{filter}: {error}"
            );
        }
    }

    #[test]
    fn every_field_of_a_packet_can_be_asked_for() {
        for filter in [
            "any",
            "src ip 10.0.0.1 and dst ip 10.0.0.2",
            "ip 10.0.0.0/24 and proto tcp and src port 40000 and dst port 443",
            "packets = 1 and bytes = 60",
            "flags S and not flags A",
            "tos 8",
            "field minttl = 57 and field maxttl = 57",
            "vlan 7 and src mac 02:00:00:00:00:01 and mac 02:00:00:00:00:02 and ttl equal",
            "field srcmac = 02:00:00:00:00:01 and field dstmac = 02:00:00:00:00:02",
            "field tunsrcip = 192.0.2.1 and field tundstip = 192.0.2.2 and field tunproto = 4",
            "field tuntype = ipip and field tunid = 99",
            "field mpls1 = 1000 and field mpls2 = 2000 and mpls eos 2000",
            "payload content 'GET' and in payload content '\\xff'",
            "field first = 2023-09-28T17:22:35Z and duration = 0",
        ] {
            assert!(matches(filter, &tcp()), "{filter}");
            assert!(!matches(&format!("not ({filter})"), &tcp()), "{filter}");
        }
    }

    #[test]
    fn source_is_the_sender() {
        assert!(!matches("src ip 10.0.0.2", &tcp()));
        assert!(!matches("src port 443", &tcp()));
    }

    #[test]
    fn what_a_packet_does_not_have_matches_nothing() {
        let packet = Packet::new([10, 0, 0, 1].into(), [10, 0, 0, 2].into(), Protocol(50), 60);
        for filter in ["vlan 0", "field mpls1 = 0", "field spi = 0", "src port 0", "field tunid = 0"] {
            assert!(!matches(filter, &packet), "{filter}");
        }
        assert!(matches("field spi = 5", &esp()));
        assert!(matches("icmp-type 8 and icmp-code 0 and field icmpid = 77", &echo()));
    }

    #[test]
    fn a_later_fragment_has_no_ports() {
        let mut packet = tcp();
        (packet.ports, packet.tcp) = (None, None);
        let protocol = packet.protocol;
        packet.fragment = Some(Fragment { id: 1, protocol, offset: 1480, len: 100, more: false });
        assert!(matches("proto tcp", &packet));
        assert!(!matches("port 443", &packet));
    }
}
