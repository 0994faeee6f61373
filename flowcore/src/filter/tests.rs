//! The language as a whole: every case goes through the row evaluation, the batch kernels and the block
//! summaries, and random filters are held against an evaluation written down here once more.

mod nfdump;

use std::fmt;

use proptest::prelude::*;

use super::Filter;
use super::zones::{AddrBounds, Bounds, ProtocolSet, TextChoice, Zone, Zones};
use crate::batch::FlowBatch;
use crate::record::{
    Addr, Direction, EndReason, Field, Flow, FlowKey, Protocol, Storage, TcpFlags, Timestamp, Value,
};

const WEB: usize = 0;
const DNS: usize = 1;
const PING: usize = 2;
const ICMP6: usize = 3;
const REJECTED: usize = 4;
const NODATA: usize = 5;
const SYN6: usize = 6;
const MAPPED: usize = 7;
const TUNNEL: usize = 8;
const ALL: &[usize] = &[0, 1, 2, 3, 4, 5, 6, 7, 8];

/// An expression and the sample flows it chooses.
type Case = (&'static str, &'static [usize]);

const CASES: &[Case] = &[
    ("", ALL),
    ("any # all of them", ALL),
    ("not any", &[]),
    ("ipv4", &[WEB, DNS, PING, REJECTED, TUNNEL]),
    ("ipv6", &[ICMP6, SYN6, MAPPED]),
    ("not ipv4 and not ipv6", &[NODATA]),
    // Protocols.
    ("tcp", &[WEB, REJECTED, SYN6]),
    ("PROTO TCP", &[WEB, REJECTED, SYN6]),
    ("proto 17", &[DNS]),
    ("protocol in [udp, 1 icmp6]", &[DNS, PING, ICMP6]),
    ("not proto 200", ALL),
    ("proto != tcp", &[DNS, PING, ICMP6, MAPPED, TUNNEL]),
    ("not tcp", &[DNS, PING, ICMP6, NODATA, MAPPED, TUNNEL]),
    ("icmp or icmp6 or sctp", &[PING, ICMP6, MAPPED]),
    // Addresses.
    ("ip 20.106.124.93", &[WEB, REJECTED]),
    ("src ip 20.106.124.93", &[REJECTED]),
    ("dst host 20.106.124.93", &[WEB]),
    ("ip 20.106.124.9", &[]),
    ("ip 10.1.2.3/8", &[WEB, DNS, PING, TUNNEL]),
    ("net 10.9.9.9 255.0.0.0", &[WEB, DNS, PING, TUNNEL]),
    ("net 10.0.0.0/255.255.255.254", &[WEB, DNS]),
    ("dst net 10.0.0.2 / 31", &[DNS, PING]),
    ("ip 0.0.0.0/0", &[WEB, DNS, PING, REJECTED, TUNNEL]),
    ("ip ::/0", &[ICMP6, SYN6, MAPPED]),
    ("ip 10.0.0.1", &[WEB, DNS]),
    ("ip ::ffff:10.0.0.1", &[MAPPED]),
    ("ip in [2001:db8::/32 172.31.0.0/16, fe80::1]", &[ICMP6, REJECTED, SYN6]),
    ("src ip not in [10.0.0.1 20.0.0.0/8]", &[PING, ICMP6, SYN6, MAPPED, TUNNEL]),
    ("ip != 10.0.0.1", &[PING, ICMP6, REJECTED, SYN6, MAPPED, TUNNEL]),
    ("not ip 10.0.0.1", &[PING, ICMP6, REJECTED, NODATA, SYN6, MAPPED, TUNNEL]),
    // Ports.
    ("port 443", &[WEB]),
    ("port=443", &[WEB]),
    ("src port 443", &[]),
    ("port < 1024", &[WEB, DNS, REJECTED, SYN6]),
    ("not port < 1024", &[PING, ICMP6, NODATA, MAPPED, TUNNEL]),
    ("port != 443", &[DNS, REJECTED, SYN6, MAPPED]),
    ("dst port ne 443", &[DNS, REJECTED, SYN6, MAPPED]),
    ("dst port in [22 80-443]", &[WEB, REJECTED, SYN6]),
    ("port not in [53 22 80]", &[WEB, MAPPED]),
    ("dst port 400-500", &[WEB]),
    ("dstport 0x35", &[DNS]),
    ("src port > 65535", &[]),
    ("src port >= 0", &[WEB, DNS, REJECTED, SYN6, MAPPED]),
    // TCP flags, of both directions together; they imply TCP.
    ("flags S", &[WEB, REJECTED, SYN6]),
    ("flags SA", &[WEB]),
    ("flags as and tcp", &[WEB]),
    ("flags 'AS'", &[WEB]),
    ("flags =S", &[REJECTED, SYN6]),
    ("flags 2", &[REJECTED, SYN6]),
    ("flags != S", &[WEB]),
    ("flags F and not flags R", &[WEB]),
    ("not flags S", &[DNS, PING, ICMP6, NODATA, MAPPED, TUNNEL]),
    ("field flags 0", &[MAPPED]),
    // Counters; those without a direction are of both.
    ("packets 18", &[WEB]),
    ("in packets 10", &[WEB]),
    ("out packets = 0", &[PING]),
    ("out packets < 5", &[DNS, PING]),
    ("not out packets < 5", &[WEB, ICMP6, REJECTED, NODATA, SYN6, MAPPED, TUNNEL]),
    ("bytes > 91k", &[WEB]),
    ("bytes >= 91.5K", &[WEB]),
    ("bytes > 0.09MB and bytes < 90KiB", &[WEB]),
    ("out bytes in [90k 120]", &[WEB, DNS]),
    ("bpp = 5083", &[WEB]),
    ("pps 8", &[WEB]),
    ("bps 365926", &[WEB]),
    ("flows 3", &[MAPPED]),
    ("flows 1", &[]),
    // Times.
    ("duration 2000", &[WEB]),
    ("duration >= 2s and duration < 1m", &[WEB]),
    ("duration = 1ms", &[DNS]),
    ("duration > 1", &[WEB, REJECTED, NODATA]),
    ("duration > 1500us", &[WEB, REJECTED, NODATA]),
    ("duration 60s", &[REJECTED, NODATA]),
    ("duration in [0-1 1m]", &[DNS, REJECTED, NODATA, SYN6]),
    ("first seen 2023-09-28T17:22:35Z", &[WEB]),
    ("first seen 2023-09-28T19:22:35+02:00", &[WEB]),
    ("first seen >= 2023/09/28.17:22:35 and first seen < 2023-09-28 17:23", &[WEB, DNS]),
    ("first > 2023", &[WEB, DNS, REJECTED, NODATA, SYN6]),
    ("last seen le 1695921755", &[SYN6]),
    ("last < 2023-09-28", &[SYN6]),
    ("first != 2023-09-28T17:22:35Z", &[DNS, REJECTED, NODATA, SYN6]),
    // Other numbers.
    ("vlan 7", &[WEB]),
    ("vlan 0", &[]),
    ("not vlan 5", ALL),
    ("vlan != 5", &[WEB]),
    ("icmp type 8", &[PING]),
    ("icmp-code 0", &[PING, ICMP6]),
    ("icmp-type in [135 136]", &[ICMP6]),
    ("field icmptype 9", &[MAPPED]),
    ("icmptype 9", &[]),
    ("tos 0", &[WEB]),
    ("dst tos 8", &[WEB]),
    ("ttl 64", &[WEB, SYN6]),
    ("min ttl < 64", &[WEB]),
    ("src mac 02:00:5e:10:00:01", &[WEB]),
    ("mac 2-0-5e-10-0-1", &[WEB]),
    ("end reason idle", &[DNS]),
    ("endreason != 'idle timeout'", &[WEB]),
    // MPLS: nfdump counts labels from 0, fields count from 1; a value is the label alone.
    ("mpls label0 100", &[TUNNEL]),
    ("mpls label1 = 100", &[]),
    ("mpls label1 > 199 and mpls label1 < 201", &[TUNNEL]),
    ("mpls label0 100-199", &[TUNNEL]),
    ("field mpls1 = 100", &[TUNNEL]),
    ("mpls2 != 100", &[TUNNEL]),
    ("mpls2 != 200", &[]),
    ("mpls any 200", &[TUNNEL]),
    ("mpls any in [1 2 3]", &[]),
    ("mpls any not in [1 2 3]", &[TUNNEL]),
    ("mpls eos 200", &[TUNNEL]),
    ("mpls eos 100", &[]),
    ("mpls eos != 100", &[TUNNEL]),
    ("not mpls eos 200", &[WEB, DNS, PING, ICMP6, REJECTED, NODATA, SYN6, MAPPED]),
    ("mpls eos >= 200", &[TUNNEL]),
    ("mpls exp0 5", &[TUNNEL]),
    ("mpls exp0 > 4", &[TUNNEL]),
    ("mpls exp0 != 5", &[]),
    ("mpls exp1 0", &[TUNNEL]),
    ("mpls exp2 < 7", &[]),
    // Tunnels.
    ("tun ip 192.0.2.1", &[TUNNEL]),
    ("src tun ip 192.0.2.1", &[TUNNEL]),
    ("dst tun ip 192.0.2.1", &[]),
    ("dst tun host in [192.0.2.2 2001:db8::1]", &[TUNNEL]),
    ("tun net 192.0.2.0 255.255.255.0", &[TUNNEL]),
    ("tun proto udp", &[TUNNEL]),
    ("tun proto != 17", &[]),
    ("tun id 4096", &[TUNNEL]),
    ("tun type VXLAN", &[TUNNEL]),
    ("tuntype in [gre vxlan] and tunid > 1k", &[TUNNEL]),
    ("spi 0x1000", &[TUNNEL]),
    // Quality of TCP: latencies in microseconds.
    ("client latency 1000", &[WEB]),
    ("client latency > 1000", &[]),
    ("client latency > 999", &[WEB]),
    ("client latency = 1ms", &[WEB]),
    ("clientlatency = 1000200ns", &[WEB]),
    ("server latency > 5ms", &[WEB]),
    ("server latency <= 5999", &[WEB]),
    ("app latency < 1s", &[]),
    ("not app latency < 1s", ALL),
    ("retransmits > 0", &[WEB]),
    ("in retransmits = 0", &[WEB]),
    ("out retransmits 2", &[WEB]),
    ("outoforder 3", &[WEB]),
    ("out outoforder >= 0", &[]),
    ("in outoforder 1-9", &[WEB]),
    // Payload: bytes, anywhere, case counts.
    ("payload content 'GET '", &[WEB]),
    ("payload content 'get '", &[]),
    ("payload content = 'HTTP/1.1\\r\\n'", &[WEB]),
    ("payload content \"\\xff\\x00\\\\\"", &[WEB]),
    ("payload content ü", &[WEB]),
    ("in payload content 200", &[]),
    ("out payload content 200", &[WEB]),
    ("out payload content != 404", &[WEB]),
    ("payload content in [teapot 'OK']", &[WEB]),
    ("payload content not in ['GET' x]", &[]),
    ("payload content ''", &[WEB]),
    ("inpayload 'get / *'", &[WEB]),
    // Cloud fields.
    ("action reject", &[REJECTED]),
    ("action != accept", &[REJECTED]),
    ("interface eni-0abc", &[REJECTED, NODATA]),
    ("interface eni-0", &[]),
    ("interface ENI-*", &[REJECTED, NODATA]),
    ("interface 'eni-0?bc'", &[REJECTED, NODATA]),
    ("account in [999 123456789012]", &[REJECTED]),
    ("path 8", &[REJECTED]),
    ("path > 1", &[REJECTED]),
    ("status nodata", &[NODATA]),
    ("not status nodata", &[WEB, DNS, PING, ICMP6, REJECTED, SYN6, MAPPED, TUNNEL]),
    ("service s3", &[REJECTED]),
    ("src service S3", &[]),
    ("type ipv4", &[REJECTED]),
    // Any field, any column.
    ("field dstport = 443", &[WEB]),
    ("field pkt-srcaddr = 20.106.124.0/24", &[REJECTED]),
    ("field src_xlt_ip 20.106.124.93", &[REJECTED]),
    ("pktdstip 10.0.0.0/8", &[]),
    ("field new-column = 'blue team'", &[SYN6]),
    ("field NEW_COLUMN blue*", &[SYN6]),
    ("field new-column != red", &[SYN6]),
    ("field new-column != 'Blue Team'", &[]),
    ("not field new-column x", ALL),
    ("field other-column *", &[]),
    // Logic.
    ("not tcp and not udp", &[PING, ICMP6, NODATA, MAPPED, TUNNEL]),
    ("not (tcp or udp)", &[PING, ICMP6, NODATA, MAPPED, TUNNEL]),
    ("tcp and port 22 or udp", &[DNS, REJECTED]),
    ("tcp and (port 22 or udp)", &[REJECTED]),
    ("ip 20.106.124.93 and not port in [80 22]", &[WEB]),
    ("!tcp&&!(udp||icmp)", &[ICMP6, NODATA, MAPPED, TUNNEL]),
    ("tcp\nand # over lines\nport 443", &[WEB]),
    ("any and not not tcp", &[WEB, REJECTED, SYN6]),
];

#[test]
fn every_case_chooses_its_flows() {
    let flows = samples();
    for &(expression, expected) in CASES {
        let filter = Filter::parse(expression).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows_of(&filter, &flows), expected, "{expression}");
        let negated =
            Filter::parse(&format!("not (\n{expression}\n)")).map(|filter| rows_of(&filter, &flows));
        if let Ok(negated) = negated {
            let rest: Vec<usize> = ALL.iter().copied().filter(|row| !expected.contains(row)).collect();
            assert_eq!(negated, rest, "not ({expression})");
        }
    }
}

#[test]
fn the_canonical_text_is_the_same_filter() {
    for &(expression, _) in CASES {
        let filter = Filter::parse(expression).unwrap();
        let again = Filter::parse(&filter.to_string()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(again.0.tree, filter.0.tree, "{expression}");
        assert_eq!(again.to_string(), filter.to_string());
    }
    for (expression, canonical) in [
        ("HOST 10.0.0.0 / 8", "host 10.0.0.0/8"),
        ("if host 10.0.0.0/8", "ip 10.0.0.0/8"),
        ("port==80&&!tcp", "port = 80 and not tcp"),
        ("first >= 2023-09-28 17:22", "first seen >= 2023-09-28T17:22"),
        ("flags =SA", "flags = SA"),
        ("ident 'and'", "ident \"and\""),
        ("not (a_field_name)", ""),
        ("field 'New Column' gt", ""),
        ("field 'New Column' \"x'y\"", "field \"new column\" \"x'y\""),
        ("port not in [1,2]", "port not in [1 2]"),
        ("TUN NET 10.0.0.0 255.0.0.0", "tun ip 10.0.0.0/255.0.0.0"),
        ("dir 1 and asa denied nosyn", "flowdir 1 and asa xevent nosyn"),
        ("inet6 or sysid 5 or XIP 10.0.0.1", "ipv6 or exporter id 5 or nat ip 10.0.0.1"),
        ("payload content '\\x0d'", "payload content \"\\x0d\""),
        ("application latency < 5 ms", ""),
        ("src vlan 7 or mpls EOS == 3", "src vlan 7 or mpls eos = 3"),
    ] {
        let text = Filter::parse(expression).map(|filter| filter.to_string()).unwrap_or_default();
        assert_eq!(text, canonical, "{expression}");
    }
}

#[test]
fn a_filter_says_what_it_needs() {
    let needs = |text: &str| Filter::parse(text).unwrap();
    let fields: Vec<Field> = needs("flags S or bytes > 5").fields().iter().collect();
    assert_eq!(fields, [Field::Protocol, Field::InBytes, Field::OutBytes, Field::InFlags, Field::OutFlags]);
    assert!(needs("any").fields().is_empty() && Filter::any().fields().is_empty());
    assert!(needs("ipv6").fields().contains(Field::DstAddr));
    assert!(needs("not (tcp or status ok)").wants_status_rows() && !needs("tcp").wants_status_rows());
    assert!(needs("tcp or field odd = 1").unknown_columns() && !needs("field action x").unknown_columns());
    assert_eq!(needs(" tcp ").expression(), " tcp ");
    fn shared<T: Clone + Send + Sync + fmt::Debug>(_: &T) {}
    shared(&Filter::default());
}

#[test]
fn a_long_list_is_searched() {
    let list: Vec<String> = (0..50_000_u32).map(|n| format!("10.{}.{}.7", n >> 8, n & 255)).collect();
    let filter = Filter::parse(&format!("src ip in [{}]", list.join(" "))).unwrap();
    assert_eq!(rows_of(&filter, &samples()), [] as [usize; 0]);
    let filter = Filter::parse(&format!("ip in [{} 20.106.124.93]", list.join(","))).unwrap();
    assert_eq!(rows_of(&filter, &samples()), [WEB, REJECTED]);
}

#[test]
fn summaries_rule_out_blocks() {
    let flows = samples();
    let block = |rows: &[usize]| Block::of(&rows.iter().map(|&row| flows[row].clone()).collect::<Vec<_>>());
    for (expression, rows, expected) in [
        ("port 22", &[WEB, DNS][..], false),
        ("not port 22", &[WEB, DNS], true),
        ("not port in [0-65535]", &[WEB, DNS], false),
        ("not port in [0-65535]", &[WEB, PING], true),
        ("udp", &[WEB, PING], false),
        ("not tcp", &[WEB, REJECTED], false),
        ("ip 11.0.0.0/8", &[WEB, DNS], true),
        ("dst ip 30.0.0.0/8", &[WEB, DNS], false),
        ("ipv6", &[WEB, DNS], false),
        ("not ipv4", &[WEB, DNS], false),
        ("bytes > 1M", &[WEB, DNS], false),
        ("duration > 3s", &[WEB], false),
        ("first < 2020", &[WEB, DNS], false),
        ("action reject", &[WEB, DNS], false),
        ("action accept", &[REJECTED], false),
        ("not action reject", &[REJECTED], false),
        ("flags R", &[SYN6, REJECTED], false),
        ("field odd = 1", &[WEB], true),
        ("tcp and port 22", &[DNS, REJECTED], true),
        ("port 22 or vlan 5", &[WEB, DNS], false),
    ] {
        assert_eq!(Filter::parse(expression).unwrap().may_match(&block(rows)), expected, "{expression}");
    }
}

/// The rows chosen, by row and by batch, after checking that both agree, and that no summary of a part of the
/// flows rules out a part with a match.
fn rows_of(filter: &Filter, flows: &[Flow]) -> Vec<usize> {
    let by_row: Vec<usize> = (0..flows.len()).filter(|&row| filter.matches(&flows[row])).collect();
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let mask = filter.select(&batch);
    assert_eq!(mask.len(), flows.len(), "{filter}");
    assert_eq!(mask.rows().collect::<Vec<_>>(), by_row, "{filter}");
    for size in [1, 3, flows.len().max(1)] {
        for (at, part) in flows.chunks(size).enumerate() {
            let found = by_row.iter().any(|row| row / size == at);
            assert!(!found || filter.may_match(&Block::of(part)), "{filter} skips a block with a match");
        }
    }
    by_row
}

fn samples() -> Vec<Flow> {
    let mut flows = vec![Flow::default(); ALL.len()];
    let start = Timestamp::from_secs(1_695_921_755);
    let count =
        |packets, bytes| Direction { packets: Some(packets), bytes: Some(bytes), ..Direction::default() };

    flows[WEB].key = key(6, "10.0.0.1", "20.106.124.93", Some((50_000, 443)));
    flows[WEB].forward = Direction { flags: Some(TcpFlags(0x1b)), tos: Some(0), ..count(10, 1_500) };
    flows[WEB].reverse = Direction { flags: Some(TcpFlags(0x13)), tos: Some(8), ..count(8, 90_000) };
    times(&mut flows[WEB], start, 2_000_400_000);
    flows[WEB].end_reason = Some(EndReason::EndOfFlow);
    for (field, number) in
        [(Field::Vlan, 7), (Field::MinTtl, 60), (Field::MaxTtl, 64), (Field::SrcMac, 0x0200_5e10_0001)]
    {
        flows[WEB].set(field, Value::Number(number));
    }

    for (field, number) in [
        (Field::ClientLatency, 1_000_200),
        (Field::ServerLatency, 5_001_000),
        (Field::InRetransmits, 0),
        (Field::OutRetransmits, 2),
        (Field::InOutOfOrder, 3),
    ] {
        flows[WEB].set(field, Value::Number(number));
    }
    flows[WEB].set(Field::InPayload, "GET / HTTP/1.1\r\n\u{ff}\0\\ \u{c3}\u{bc}".into());
    flows[WEB].set(Field::OutPayload, "HTTP/1.1 200 OK".into());

    flows[DNS].key = key(17, "10.0.0.1", "10.0.0.2", Some((5_353, 53)));
    flows[DNS].forward = count(1, 60);
    flows[DNS].reverse = count(1, 120);
    times(&mut flows[DNS], start.saturating_add(10_000_000_000), 1_400_000);
    flows[DNS].end_reason = Some(EndReason::IdleTimeout);

    flows[PING].key = key(1, "10.0.0.3", "10.0.0.2", None);
    flows[PING].forward = count(1, 84);
    flows[PING].reverse = count(0, 0);
    flows[PING].set(Field::IcmpType, Value::Number(8));
    flows[PING].set(Field::IcmpCode, Value::Number(0));

    flows[ICMP6].key = key(58, "fe80::1", "ff02::1", None);
    flows[ICMP6].set(Field::IcmpType, Value::Number(135));
    flows[ICMP6].set(Field::IcmpCode, Value::Number(0));

    flows[REJECTED].key = key(6, "20.106.124.93", "172.31.16.139", Some((40_000, 22)));
    flows[REJECTED].forward = Direction { flags: Some(TcpFlags::SYN), ..count(2, 80) };
    flows[NODATA].set(Field::LogStatus, "NODATA".into());
    for row in [REJECTED, NODATA] {
        times(&mut flows[row], start.saturating_add(60_000_000_000), 60_000_000_000);
        flows[row].set(Field::Interface, "eni-0abc".into());
    }
    for (field, text) in [
        (Field::Action, "REJECT"),
        (Field::LogStatus, "OK"),
        (Field::Account, "123456789012"),
        (Field::DstService, "S3"),
        (Field::TrafficType, "IPv4"),
    ] {
        flows[REJECTED].set(field, text.into());
    }
    flows[REJECTED].set(Field::TrafficPath, Value::Number(8));
    flows[REJECTED].set(Field::PktSrcAddr, Value::Addr("20.106.124.93".parse().unwrap()));

    flows[SYN6].key = key(6, "2001:db8::1", "2001:db8:1::2", Some((1_234, 80)));
    flows[SYN6].forward = Direction { flags: Some(TcpFlags::SYN), ..count(1, 60) };
    times(&mut flows[SYN6], Timestamp::from_secs(1_690_000_000), 0);
    flows[SYN6].set(Field::MaxTtl, Value::Number(64));
    flows[SYN6].unknown.push(("new-column".into(), "Blue Team".into()));

    flows[MAPPED].key = key(132, "::ffff:10.0.0.1", "::1", Some((36_412, 36_412)));
    flows[MAPPED].forward.flags = Some(TcpFlags(0));
    flows[MAPPED].set(Field::IcmpType, Value::Number(9));
    flows[MAPPED].set(Field::Flows, Value::Number(3));

    flows[TUNNEL].key = key(50, "10.8.0.1", "10.8.0.2", None);
    for (field, number) in [
        (Field::Spi, 0x1000),
        (Field::Mpls1, 100 << 4 | 5 << 1),
        (Field::Mpls2, 200 << 4 | 1),
        (Field::TunProto, 17),
        (Field::TunId, 4096),
    ] {
        flows[TUNNEL].set(field, Value::Number(number));
    }
    flows[TUNNEL].set(Field::TunType, "vxlan".into());
    flows[TUNNEL].set(Field::TunSrcAddr, Value::Addr("192.0.2.1".parse().unwrap()));
    flows[TUNNEL].set(Field::TunDstAddr, Value::Addr("192.0.2.2".parse().unwrap()));
    flows
}

fn key(protocol: u8, src: &str, dst: &str, ports: Option<(u16, u16)>) -> FlowKey {
    FlowKey {
        src: src.parse().unwrap(),
        dst: dst.parse().unwrap(),
        src_port: ports.map(|ports| ports.0),
        dst_port: ports.map(|ports| ports.1),
        protocol: Some(Protocol(protocol)),
    }
}

fn times(flow: &mut Flow, first: Timestamp, nanos: i64) {
    flow.first = Some(first);
    flow.last = Some(first.saturating_add(nanos));
}

/// A block summary made from the flows themselves.
struct Block {
    flows: Vec<Flow>,
    texts: Vec<(Field, Vec<String>)>,
}

impl Block {
    fn of(flows: &[Flow]) -> Self {
        let texts = Field::all().filter(|field| field.kind().storage() == Storage::Text).map(|field| {
            let mut texts: Vec<String> =
                flows.iter().filter_map(|flow| flow.get(field).text().map(str::to_owned)).collect();
            texts.sort();
            texts.dedup();
            (field, texts)
        });
        Self { flows: flows.to_vec(), texts: texts.collect() }
    }

    fn bounds<T: Copy + Ord>(&self, value: impl Fn(&Flow) -> Option<T>) -> Zone<Bounds<T>> {
        let values: Vec<T> = self.flows.iter().filter_map(value).collect();
        match (values.iter().min(), values.iter().max()) {
            (Some(&min), Some(&max)) => Zone::Known(Bounds { min, max, present: values.len() }),
            _ => Zone::Empty,
        }
    }
}

impl Zones for Block {
    fn rows(&self) -> usize {
        self.flows.len()
    }

    fn number(&self, field: Field) -> Zone<Bounds<u64>> {
        if field.is_derived() || field.kind().storage() != Storage::Number {
            return Zone::Unknown;
        }
        self.bounds(|flow| flow.get(field).number())
    }

    fn time(&self, field: Field) -> Zone<Bounds<i64>> {
        self.bounds(|flow| flow.get(field).time().map(Timestamp::as_nanos))
    }

    fn addr(&self, field: Field) -> Zone<AddrBounds> {
        let v4 = self.bounds(|flow| match flow.get(field).addr() {
            Addr::V4(addr) => Some(u32::from(addr)),
            _ => None,
        });
        let v6 = self.bounds(|flow| match flow.get(field).addr() {
            Addr::V6(addr) => Some(u128::from(addr)),
            _ => None,
        });
        match (known(v4), known(v6)) {
            (None, None) => Zone::Empty,
            (v4, v6) => Zone::Known(AddrBounds {
                present: v4.map_or(0, |v4| v4.present) + v6.map_or(0, |v6| v6.present),
                v4: v4.map(|v4| (v4.min, v4.max)),
                v6: v6.map(|v6| (v6.min, v6.max)),
            }),
        }
    }

    fn text(&self, field: Field) -> Zone<TextChoice<'_>> {
        let present = self.flows.iter().filter(|flow| flow.get(field).text().is_some()).count();
        match self.texts.iter().find(|entry| entry.0 == field) {
            Some((_, texts)) if present > 0 => Zone::Known(TextChoice { texts, present }),
            _ => Zone::Empty,
        }
    }

    fn protocols(&self) -> Zone<ProtocolSet> {
        let mut set = ProtocolSet::default();
        let protocols = self.flows.iter().filter_map(|flow| flow.key.protocol);
        protocols.for_each(|protocol| set.insert(protocol.0));
        if set == ProtocolSet::default() { Zone::Empty } else { Zone::Known(set) }
    }
}

fn known<T>(zone: Zone<T>) -> Option<T> {
    match zone {
        Zone::Known(values) => Some(values),
        _ => None,
    }
}

/// A filter as the test understands it, with its own evaluation.
#[derive(Debug, Clone)]
enum Tree {
    Number(Vec<Field>, &'static str, &'static str, u64),
    Prefix(Vec<Field>, &'static str, Addr, u8),
    Text(Field, bool, String),
    Column(String),
    Letters(u8),
    /// A bottom label of the first two.
    Bottom(&'static str, u64),
    Content(String),
    Time(Field, &'static str, i64),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(_, phrase, op, number) => write!(f, "{phrase} {op} {number}"),
            Self::Prefix(_, phrase, addr, len) => write!(f, "{phrase} {addr}/{len}"),
            Self::Text(field, equal, text) => write!(f, "{field} {} {text}", if *equal { "=" } else { "!=" }),
            Self::Column(text) => write!(f, "field extra {text}"),
            Self::Letters(bits) => write!(f, "flags {}", TcpFlags(*bits).to_string().replace('.', "")),
            Self::Bottom(op, label) => write!(f, "mpls eos {op} {label}"),
            Self::Content(text) => write!(f, "in payload content {text}"),
            Self::Time(field, op, secs) => write!(f, "{field} {op} {}", Timestamp::from_secs(*secs)),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::And(a, b) => write!(f, "({a}) and ({b})"),
            Self::Or(a, b) => write!(f, "({a}) or ({b})"),
        }
    }
}

impl Tree {
    fn holds(&self, flow: &Flow) -> bool {
        match self {
            Self::Number(fields, _, op, wanted) => {
                let values: Vec<u64> = fields.iter().filter_map(|&field| flow.get(field).number()).collect();
                match *op {
                    "!=" => !values.is_empty() && values.iter().all(|value| value != wanted),
                    op => values.iter().any(|value| compare(op, value, wanted)),
                }
            }
            Self::Prefix(fields, _, addr, len) => {
                fields.iter().any(|&field| same_bits(flow.get(field).addr(), *addr, *len))
            }
            Self::Text(field, equal, wanted) => {
                flow.get(*field).text().is_some_and(|text| text.eq_ignore_ascii_case(wanted) == *equal)
            }
            Self::Column(wanted) => {
                flow.unknown.iter().any(|(name, text)| &**name == "extra" && **text == **wanted)
            }
            Self::Letters(bits) => {
                let flags = flow.get(Field::TcpFlags).number();
                flow.key.protocol == Some(Protocol::TCP)
                    && flags.is_some_and(|flags| flags & u64::from(*bits) == u64::from(*bits))
            }
            Self::Bottom(op, wanted) => {
                let entries = [Field::Mpls1, Field::Mpls2].map(|field| flow.get(field).number().unwrap_or(0));
                let labels: Vec<u64> = entries.into_iter().filter(|n| n % 2 == 1).map(|n| n / 16).collect();
                match *op {
                    "!=" => !labels.is_empty() && labels.iter().all(|label| label != wanted),
                    op => labels.iter().any(|label| compare(op, label, wanted)),
                }
            }
            Self::Content(part) => {
                flow.get(Field::InPayload).text().is_some_and(|text| text.contains(part.as_str()))
            }
            Self::Time(field, op, secs) => {
                let millis = |nanos: i64| nanos.div_euclid(1_000_000);
                let time = flow.get(*field).time();
                time.is_some_and(|time| compare(op, &millis(time.as_nanos()), &(secs * 1000)))
            }
            Self::Not(inner) => !inner.holds(flow),
            Self::And(a, b) => a.holds(flow) && b.holds(flow),
            Self::Or(a, b) => a.holds(flow) || b.holds(flow),
        }
    }
}

fn compare<T: Ord>(op: &str, value: &T, wanted: &T) -> bool {
    match op {
        "=" => value == wanted,
        "!=" => value != wanted,
        ">" => value > wanted,
        "<" => value < wanted,
        ">=" => value >= wanted,
        _ => value <= wanted,
    }
}

/// Whether the first `len` bits of two addresses of one family are the same.
fn same_bits(a: Addr, b: Addr, len: u8) -> bool {
    let bits = |addr: Addr| match addr {
        Addr::V4(addr) => format!("{:032b}", u32::from(addr)),
        Addr::V6(addr) => format!("{:0128b}", u128::from(addr)),
        Addr::Unknown => String::new(),
    };
    let (left, right) = (bits(a), bits(b));
    a.is_known() && left.len() == right.len() && left[..usize::from(len)] == right[..usize::from(len)]
}

fn any_op() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["=", "!=", ">", "<", ">=", "<="])
}

fn any_addr() -> impl Strategy<Value = Addr> {
    let texts =
        ["10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.3.4", "::1", "2001:db8::1", "2001:db8:1::", "0.0.0.1"];
    prop::sample::select(texts.map(|text| text.parse().unwrap()).to_vec())
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let number_phrases = prop::sample::select(vec![
        ("port", vec![Field::SrcPort, Field::DstPort]),
        ("src port", vec![Field::SrcPort]),
        ("bytes", vec![Field::Bytes]),
        ("out packets", vec![Field::OutPackets]),
        ("proto", vec![Field::Protocol]),
        ("vlan", vec![Field::Vlan]),
        ("pps", vec![Field::Pps]),
        ("ttl", vec![Field::MinTtl, Field::MaxTtl]),
        ("retransmits", vec![Field::InRetransmits, Field::OutRetransmits]),
        ("tun id", vec![Field::TunId]),
    ]);
    let number = (number_phrases, any_op(), 0_u64..20)
        .prop_map(|((phrase, fields), op, number)| Tree::Number(fields, phrase, op, number));
    let addr_phrases = prop::sample::select(vec![
        ("ip", vec![Field::SrcAddr, Field::DstAddr]),
        ("dst net", vec![Field::DstAddr]),
        ("pktsrcip", vec![Field::PktSrcAddr]),
    ]);
    let prefix = (addr_phrases, any_addr(), 0_u8..=128).prop_map(|((phrase, fields), addr, len)| {
        let bits = if addr.version() == 4 { 32 } else { 128 };
        Tree::Prefix(fields, phrase, addr, len.min(bits))
    });
    let text = (prop::sample::select(vec![Field::Action, Field::Interface]), any::<bool>(), "[abAB]{1,2}")
        .prop_map(|(field, equal, text)| Tree::Text(field, equal, text));
    let time = (prop::sample::select(vec![Field::First, Field::Last]), any_op(), 0_i64..8)
        .prop_map(|(field, op, secs)| Tree::Time(field, op, secs));
    let leaf = prop_oneof![
        4 => number,
        2 => prefix,
        2 => text,
        1 => "[xy]".prop_map(Tree::Column),
        1 => (1_u8..=255).prop_map(Tree::Letters),
        1 => (any_op(), 0_u64..3).prop_map(|(op, label)| Tree::Bottom(op, label)),
        1 => "[abAB]{1,2}".prop_map(Tree::Content),
        1 => time,
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| Tree::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let numbers = prop::collection::vec(
        (
            prop::sample::select(vec![
                Field::SrcPort,
                Field::DstPort,
                Field::InBytes,
                Field::OutBytes,
                Field::InPackets,
                Field::OutPackets,
                Field::Protocol,
                Field::Vlan,
                Field::MinTtl,
                Field::MaxTtl,
                Field::InFlags,
                Field::OutFlags,
                Field::InRetransmits,
                Field::OutRetransmits,
                Field::TunId,
                Field::Mpls1,
                Field::Mpls2,
            ]),
            0_u64..20,
        ),
        0..16,
    );
    let addrs = prop::collection::vec(
        (prop::sample::select(vec![Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr]), any_addr()),
        0..4,
    );
    let texts = prop::collection::vec(
        (prop::sample::select(vec![Field::Action, Field::Interface, Field::InPayload]), "[abAB]{1,3}"),
        0..4,
    );
    let times = (prop::option::of(0_i64..8_000_000_000), prop::option::of(0_i64..8_000_000_000));
    (numbers, addrs, texts, times, prop::option::of("[xy]")).prop_map(
        |(numbers, addrs, texts, times, extra)| {
            let mut flow = Flow::default();
            numbers.into_iter().for_each(|(field, number)| flow.set(field, Value::Number(number)));
            addrs.into_iter().for_each(|(field, addr)| flow.set(field, Value::Addr(addr)));
            texts.into_iter().for_each(|(field, text)| flow.set(field, text.as_str().into()));
            (flow.first, flow.last) =
                (times.0.map(Timestamp::from_nanos), times.1.map(Timestamp::from_nanos));
            flow.unknown.extend(extra.map(|text| ("extra".into(), text.as_str().into())));
            flow
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn rows_batches_and_the_naive_evaluation_agree(
        tree in any_tree(), flows in prop::collection::vec(any_flow(), 0..80),
    ) {
        let filter = Filter::parse(&tree.to_string()).unwrap();
        let expected: Vec<usize> = (0..flows.len()).filter(|&row| tree.holds(&flows[row])).collect();
        prop_assert_eq!(rows_of(&filter, &flows), expected, "{}", tree);
        let again = Filter::parse(&filter.to_string()).unwrap();
        prop_assert_eq!(&again.0.tree, &filter.0.tree, "{}", filter);
    }

    #[test]
    fn no_text_stops_the_parser(text in r##"(\PC{0,3}|port|src|ip|in|not|flags|field|[\[\]()<>=!,'"#&|/ ]|[0-9.:k]{1,6}| ){0,16}"##) {
        match Filter::parse(&text) {
            Ok(filter) => {
                let again = Filter::parse(&filter.to_string());
                prop_assert_eq!(again.map(|again| again.0.tree.clone()), Ok(filter.0.tree.clone()));
            }
            Err(error) => {
                prop_assert!(text.get(error.span()).is_some());
                prop_assert!(!error.message().is_empty());
            }
        }
    }
}

#[test]
fn a_filter_can_have_very_many_terms() {
    let expression = format!("{}port 80", "ip 10.0.0.1 or ".repeat(80_000));
    let filter = Filter::parse(&expression).unwrap();
    assert_eq!(filter.tree().lines().filter(|line| line.ends_with("ip 10.0.0.1")).count(), 80_000);
}
