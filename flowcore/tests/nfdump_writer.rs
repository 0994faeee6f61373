//! Files of the nfdump writer before Debian's nfdump: it has to read every field as it was, and find nothing to say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flowcore::format::nfdump::{NfdumpOptions, NfdumpWriter};
use flowcore::{Addr, Field, Flow, FlowBatch, Timestamp, Value};

/// What nfdump prints of a flow, by JSON key.
type Printed = BTreeMap<String, String>;

#[test]
fn nfdump_prints_every_field_as_it_was() {
    let Some(nfdump) = Nfdump::find() else { return };
    let flows = samples();
    for (name, path) in nfdump.write_in_all_compressions("fields", &flows) {
        let printed = nfdump.flows(&path);
        assert_eq!(printed.len(), flows.len(), "{name}");
        for (flow, printed) in flows.iter().zip(printed) {
            assert_eq!(printed, expected(flow), "{name}: {flow:?}");
        }
    }
}

#[test]
fn nfdump_verifies_the_blocks_and_prints_the_statistics() {
    let Some(nfdump) = Nfdump::find() else { return };
    // Enough for several blocks.
    let samples = samples();
    let flows: Vec<Flow> = samples.iter().cycle().take(samples.len() * 700).cloned().collect();
    for (name, path) in nfdump.write_in_all_compressions("statistics", &flows) {
        let verified = nfdump.run(&path, &["-v"]);
        let blocks = number_behind(&verified, "Type 3 blocks :");
        assert!(blocks > 2, "{name}: {verified}");
        assert_eq!(number_behind(&verified, "Records       :"), flows.len() as u64 + 2, "{name}");

        let told = nfdump.run(&path, &["-I", "-r"]);
        // nfdump counts anew when it writes the flows to another file.
        let copy = path.with_extension("copy");
        nfdump.run(&path, &["-w", copy.to_str().unwrap(), "-r"]);
        let counted = nfdump.run(&copy, &["-I", "-r"]);
        assert_eq!(told, counted, "{name}");
    }
}

#[test]
fn nfdump_prints_what_has_no_json_key() {
    let Some(nfdump) = Nfdump::find() else { return };
    let flow = flow(&[
        (Field::EndReason, 3.into_value()),
        (Field::BiflowDir, 1.into_value()),
        (Field::AppId, "0d000102".into()),
        (Field::PfInterface, "vio0".into()),
        (Field::PfRule, 77.into_value()),
        (Field::InPayload, "GET / HTTP/1.1\r\n".into()),
        (Field::OutPayload, "HTTP/1.1 200 OK".into()),
    ]);
    for (name, path) in nfdump.write_in_all_compressions("raw", std::slice::from_ref(&flow)) {
        let raw = nfdump.run(&path, &["-o", "raw", "-r"]);
        for line in [
            "engine type  =                17",
            "end reason   =              0x03 end of Flow detected",
            "biFlow Dir   =              0x01 initiator",
            "app ID       =             13..258",
            "pflog ifname =              vio0",
            "pflog rulenr =                77",
            "in payload   =                16",
            "out payload  =                16",
            "GET / HTTP/1.1",
        ] {
            assert!(raw.contains(line), "{name}: {line}\n{raw}");
        }
    }
}

#[test]
fn nfdump_finds_no_flow_in_a_file_without_one_and_does_not_complain() {
    let Some(nfdump) = Nfdump::find() else { return };
    for (name, path) in nfdump.write_in_all_compressions("empty", &[]) {
        assert!(nfdump.run(&path, &["-r"]).contains("No matching flows"), "{name}");
        assert!(nfdump.run(&path, &["-I", "-r"]).contains("Flows: 0\n"), "{name}");
        nfdump.run(&path, &["-v"]);
    }
}

#[test]
fn nfdump_prints_the_longest_ident() {
    let Some(nfdump) = Nfdump::find() else { return };
    let ident = "i".repeat(121);
    let path = nfdump.folder.join("ident.nf");
    let options = NfdumpOptions { ident: ident.clone(), ..NfdumpOptions::default() };
    write(&path, &[], &options).unwrap();
    assert!(nfdump.run(&path, &["-I", "-r"]).contains(&format!("Ident: {ident}\n")));
    assert!(write(&path, &[], &NfdumpOptions { ident: ident + "i", ..options }).is_err());
}

/// Debian's nfdump, and a folder for its files.
struct Nfdump {
    folder: PathBuf,
}

impl Nfdump {
    #[expect(clippy::print_stderr, reason = "a test that is skipped has to be seen")]
    fn find() -> Option<Self> {
        if Command::new("nfdump").arg("-V").output().is_err() {
            eprintln!("skipped: nfdump is not installed");
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        let folder = folder.join(format!("nfdump-{name}"));
        fs::create_dir_all(&folder).unwrap();
        Some(Self { folder })
    }

    /// The same flows in every compression that Debian's nfdump reads.
    fn write_in_all_compressions(&self, name: &str, flows: &[Flow]) -> Vec<(&'static str, PathBuf)> {
        let write = |method: &'static str| {
            let path = self.folder.join(format!("{name}-{method}.nf"));
            let options = NfdumpOptions { compression: method.parse().unwrap(), ..NfdumpOptions::default() };
            write(&path, flows, &options).unwrap();
            (method, path)
        };
        ["none", "lz4", "lzo", "bz2"].map(write).into()
    }

    /// What nfdump prints with these arguments in front of the file; it must not complain.
    fn run(&self, file: &Path, arguments: &[&str]) -> String {
        let output = Command::new("nfdump").env("TZ", "UTC").args(arguments).arg(file).output().unwrap();
        let Output { status, stdout, stderr } = output;
        let (text, complaint) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success() && complaint.is_empty(), "{arguments:?}: {complaint}{text}");
        text.into_owned()
    }

    fn flows(&self, file: &Path) -> Vec<Printed> {
        let text = self.run(file, &["-o", "json", "-r"]);
        let mut flows = Vec::new();
        for line in text.lines().map(str::trim) {
            match line.split_once(" : ") {
                None if line == "{" => flows.push(Printed::new()),
                None => {}
                Some((key, value)) => {
                    let plain = |text: &str| text.trim_end_matches(',').trim_matches('"').to_owned();
                    flows.last_mut().unwrap().insert(plain(key), plain(value));
                }
            }
        }
        flows
    }
}

fn write(path: &Path, flows: &[Flow], options: &NfdumpOptions) -> flowcore::Result<()> {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let mut writer = NfdumpWriter::new(File::create(path)?, options)?;
    writer.write_batch(&batch)?;
    assert!(writer.dropped().is_empty(), "{}", writer.dropped());
    writer.finish().map(drop)
}

fn number_behind(text: &str, label: &str) -> u64 {
    let (_, rest) = text.split_once(label).unwrap_or_else(|| panic!("{label} not in {text}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Short forms for values.
trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for u64 {
    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

fn addr(text: &str) -> Value {
    Value::Addr(text.parse().unwrap())
}

fn millis(millis: i64) -> Value {
    Value::Time(Timestamp::from_nanos(millis * 1_000_000))
}

/// A TCP flow with these values besides or instead.
fn flow(values: &[(Field, Value)]) -> Flow {
    let mut flow = Flow::default();
    for (field, value) in [
        (Field::First, millis(1_700_000_000_123)),
        (Field::Last, millis(1_700_000_007_456)),
        (Field::SrcAddr, addr("192.0.2.77")),
        (Field::DstAddr, addr("198.51.100.200")),
        (Field::SrcPort, 50_123.into_value()),
        (Field::DstPort, 443.into_value()),
        (Field::Protocol, 6.into_value()),
        (Field::InPackets, 5.into_value()),
        (Field::InBytes, 5_000_000_000.into_value()),
        (Field::InFlags, 0x1b.into_value()),
        (Field::SrcTos, 0xb8.into_value()),
    ] {
        flow.set(field, value);
    }
    values.iter().for_each(|(field, value)| flow.set(*field, value.clone()));
    flow
}

/// A flow of a protocol without ports and flags.
fn portless(protocol: u64, values: &[(Field, Value)]) -> Flow {
    let mut flow = flow(values);
    flow.set(Field::Protocol, protocol.into_value());
    for field in [Field::SrcPort, Field::DstPort, Field::InFlags] {
        flow.set(field, Value::Absent);
    }
    flow
}

/// Flows that use every element that nfdump prints as JSON.
#[rustfmt::skip]
fn samples() -> Vec<Flow> {
    use Field::*;
    let n = IntoValue::into_value;
    let v6 = [(SrcAddr, addr("2001:db8::1")), (DstAddr, addr("2001:db8:0:1::ffff"))];
    let mut samples = vec![
        flow(&[]),
        flow(&v6),
        // Two-way, as metered.
        flow(&[(OutPackets, n(4)), (OutBytes, n(4_294_967_296)), (OutFlags, n(0x12)), (DstTos, n(8)),
            (EndReason, n(3)), (SrcMac, n(0x0011_2233_4455)), (DstMac, n(0xffee_ddcc_bbaa)), (Vlan, n(4094)),
            (ClientLatency, n(1_234_999)), (ServerLatency, n(20_000_000)), (AppLatency, n(999)),
            (InPayload, "GET".into()), (OutPayload, "HTTP".into())]),
        // Two-way, and nothing came back.
        flow(&[(OutPackets, n(0)), (OutBytes, n(0)), (Protocol, n(17)), (InFlags, Value::Absent)]),
        portless(1, &[(IcmpType, n(8)), (IcmpCode, n(0)), (OutPackets, n(1)), (OutBytes, n(84))]),
        portless(1, &[(IcmpType, n(3)), (IcmpCode, n(13))]),
        portless(58, &[v6[0].clone(), v6[1].clone(), (IcmpType, n(135)), (IcmpCode, n(2))]),
        portless(47, &[]),
        // Aggregated.
        flow(&[(Flows, n(4711))]),
        flow(&[(Flows, n(3)), (OutPackets, n(9)), (OutBytes, n(900))]),
        // An IPv4 address beside an IPv6 address.
        flow(&[v6[1].clone()]),
        flow(&[(SrcAddr, Value::Absent), (DstAddr, Value::Absent)]),
        // Network address translation.
        flow(&[(PktSrcAddr, addr("203.0.113.5")), (PktDstAddr, addr("203.0.113.6")), (PktSrcPort, n(1024)),
            (PktDstPort, n(65535)), (EventTime, millis(1_700_000_003_250)), (NatEvent, n(1)), (NatPool, n(7))]),
        flow(&[(PktSrcAddr, addr("2001:db8::5")), (PktDstAddr, addr("2001:db8::6"))]),
        flow(&[(PortBlockStart, n(1024)), (PortBlockEnd, n(2047)), (PortBlockStep, n(1)), (PortBlockSize, n(512))]),
        // Tunnels.
        flow(&[(TunSrcAddr, addr("10.1.1.1")), (TunDstAddr, addr("10.2.2.2")), (TunProto, n(47))]),
        flow(&[(TunSrcAddr, addr("2001:db8::a")), (TunDstAddr, addr("2001:db8::b")), (TunProto, n(41))]),
        // What exporters know.
        flow(&[(EngineType, n(3)), (EngineId, n(4)), (ExporterId, n(513)), (NetflowVersion, n(9)),
            (Received, millis(1_700_000_010_001)), (FwdStatus, n(64)), (InputIf, n(70_000)), (OutputIf, n(2)),
            (SrcMask, n(24)), (DstMask, n(9)), (Direction, "egress".into()), (DstTos, n(3)), (SrcAs, n(4_200_000_000)),
            (DstAs, n(64_512)), (NextAs, n(1)), (PrevAs, n(2)), (NextHop, addr("10.0.0.1")),
            (BgpNextHop, addr("10.0.0.2")), (RouterAddr, addr("10.0.0.3")), (EgressVrf, n(5)), (IngressVrf, n(6)),
            (ObservationPoint, n(77)), (ObservationDomain, n(78)), (DstVlan, n(12)), (Vlan, n(11)),
            (InDstMac, n(3)), (OutSrcMac, n(0x0102_0304_0506))]),
        flow(&[(NextHop, addr("2001:db8::c")), (BgpNextHop, addr("2001:db8::d")), (RouterAddr, addr("2001:db8::e"))]),
        // Firewalls.
        flow(&[(EventTime, millis(1_700_000_004_750)), (ConnectionId, n(3_000_000_000)), (FwEvent, n(2)),
            (FwExtendedEvent, n(1003)), (UserName, "u".repeat(65).as_str().into())]),
        flow(&[(FlowLabel, "seen before".into())]),
    ];
    let mut labels = flow(&[]);
    for (at, field) in MPLS_NUMBERS.into_iter().zip(Field::MPLS) {
        labels.set(field, n(at));
    }
    samples.push(labels);
    samples
}

/// Labels 16 and up with traffic class and, at last, the bottom of the stack.
const MPLS_NUMBERS: [u64; 10] = [0x100, 0x112, 0x124, 0x136, 0x148, 0x15a, 0x16c, 0x17e, 0x180, 0xff_ffff];

/// What nfdump 1.7.1 prints of a flow with `-o json`.
fn expected(flow: &Flow) -> Printed {
    let mut it = Expected { flow, printed: Printed::new() };
    it.always();
    it.transport();
    it.routing();
    it.counters_and_link();
    it.addresses();
    it.events();
    it.printed
}

struct Expected<'a> {
    flow: &'a Flow,
    printed: Printed,
}

impl Expected<'_> {
    fn has(&self, field: Field) -> bool {
        !self.flow.get(field).is_absent()
    }

    fn number(&self, field: Field) -> u64 {
        self.flow.get(field).number().unwrap_or(0)
    }

    fn say(&mut self, key: &str, value: impl ToString) {
        self.printed.insert(key.to_owned(), value.to_string());
    }

    /// These numbers under these keys, if the flow has one of them: nfdump prints an element whole.
    fn numbers(&mut self, keys: &[(&str, Field)]) {
        if keys.iter().any(|&(_, field)| self.has(field)) {
            keys.iter().for_each(|&(key, field)| self.say(key, self.number(field)));
        }
    }

    fn time(&self, field: Field) -> String {
        let time = self.flow.get(field).time().unwrap_or_default();
        time.to_string().trim_end_matches('Z').to_owned()
    }

    fn always(&mut self) {
        self.say("type", "FLOW");
        self.say("sampled", 0);
        self.say("export_sysid", self.number(Field::ExporterId));
        for (key, field) in [("first", Field::First), ("last", Field::Last), ("received", Field::Received)] {
            self.say(key, self.time(field));
        }
        self.say("in_packets", self.number(Field::InPackets));
        self.say("in_bytes", self.number(Field::InBytes));
        self.say("proto", self.number(Field::Protocol));
        self.say("src_tos", self.number(Field::SrcTos));
        let label = self.flow.get(Field::FlowLabel);
        self.say("label", label.text().unwrap_or("<none>"));
    }

    fn transport(&mut self) {
        if matches!(self.number(Field::Protocol), 1 | 58) {
            return self.numbers(&[("icmp_type", Field::IcmpType), ("icmp_code", Field::IcmpCode)]);
        }
        let flags = self.number(Field::InFlags);
        let letters = "CEUAPRSF".chars().enumerate();
        let flags: String =
            letters.map(|(at, letter)| if flags & (0x80 >> at) != 0 { letter } else { '.' }).collect();
        self.say("tcp_flags", flags);
        self.say("src_port", self.number(Field::SrcPort));
        self.say("dst_port", self.number(Field::DstPort));
    }

    fn routing(&mut self) {
        use Field::*;
        if [InputIf, DstTos, EndReason].iter().any(|&field| self.has(field)) {
            for (key, field) in [
                ("input_snmp", InputIf),
                ("output_snmp", OutputIf),
                ("src_mask", SrcMask),
                ("dst_mask", DstMask),
                ("fwd_status", FwdStatus),
                ("dst_tos", DstTos),
            ] {
                self.say(key, self.number(field));
            }
            self.say("direction", u64::from(self.flow.get(Direction).text() == Some("egress")));
            self.say("src_net", net(self.flow.key.src, self.number(SrcMask)));
            self.say("dst_net", net(self.flow.key.dst, self.number(DstMask)));
        }
        self.numbers(&[("src_as", SrcAs), ("dst_as", DstAs)]);
        self.numbers(&[("next_as", NextAs), ("prev_as", PrevAs)]);
        self.numbers(&[("observationDoaminID", ObservationDomain), ("observationPointID", ObservationPoint)]);
        self.numbers(&[("ingress_vrf", IngressVrf), ("egress_vrf", EgressVrf)]);
    }

    fn counters_and_link(&mut self) {
        use Field::*;
        if self.has(OutPackets) || self.has(Flows) {
            self.say("out_packets", self.number(OutPackets));
            self.say("out_bytes", self.number(OutBytes));
            self.say("aggr_flows", self.number(Flows).max(1));
        }
        self.numbers(&[("src_vlan", Vlan), ("dst_vlan", DstVlan)]);
        if self.has(SrcMac) || self.has(InDstMac) {
            for (key, field) in [
                ("in_src_mac", SrcMac),
                ("out_dst_mac", DstMac),
                ("in_dst_mac", InDstMac),
                ("out_src_mac", OutSrcMac),
            ] {
                let bytes = self.number(field).to_be_bytes();
                self.say(
                    key,
                    bytes[2..].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":"),
                );
            }
        }
        if self.has(Mpls1) {
            for (at, field) in Field::MPLS.into_iter().enumerate() {
                let number = self.number(field);
                self.say(
                    &format!("mpls_{}", at + 1),
                    format!("{}-{}-{}", number >> 4, number >> 1 & 7, number & 1),
                );
            }
        }
        if self.has(ClientLatency) {
            for (key, field) in
                [("cli_latency", ClientLatency), ("srv_latency", ServerLatency), ("app_latency", AppLatency)]
            {
                self.say(key, format!("{:.6}", (self.number(field) / 1000) as f64 / 1000.0));
            }
        }
    }

    fn addresses(&mut self) {
        use Field::*;
        for (keys, fields) in [
            ([("src4_addr", "src6_addr"), ("dst4_addr", "dst6_addr")], [SrcAddr, DstAddr]),
            ([("src4_xlt_ip", "src6_xlt_ip"), ("dst4_xlt_ip", "dst6_xlt_ip")], [PktSrcAddr, PktDstAddr]),
            ([("src4_tun_ip", "src6_tun_ip"), ("dst4_tun_ip", "dst6_tun_ip")], [TunSrcAddr, TunDstAddr]),
        ] {
            let addrs = fields.map(|field| self.flow.get(field).addr());
            let is_v6 = addrs.iter().any(|addr| addr.version() == 6);
            for ((key4, key6), addr) in keys.into_iter().zip(addrs) {
                match addr {
                    Addr::Unknown => {}
                    Addr::V4(addr) if is_v6 => self.say(key6, addr.to_ipv6_mapped()),
                    addr => self.say(if is_v6 { key6 } else { key4 }, addr),
                }
            }
        }
        self.numbers(&[("tun proto", TunProto)]);
        for (key, field) in [("next_hop", NextHop), ("router", RouterAddr)] {
            let addr = self.flow.get(field).addr();
            if addr.is_known() {
                self.say(&format!("ip{}_{key}", addr.version()), addr);
            }
        }
        let addr = self.flow.get(BgpNextHop).addr();
        if addr.is_known() {
            self.say(&format!("bgp{}_next_hop", addr.version()), addr);
        }
    }

    fn events(&mut self) {
        use Field::*;
        self.numbers(&[("src_xlt_port", PktSrcPort), ("dst_xlt_port", PktDstPort)]);
        self.numbers(&[
            ("pblock_start", PortBlockStart),
            ("pblock_end", PortBlockEnd),
            ("pblock_step", PortBlockStep),
            ("pblock_size", PortBlockSize),
        ]);
        self.numbers(&[("connect_id", ConnectionId), ("event_id", FwEvent), ("xevent_id", FwExtendedEvent)]);
        if self.has(FwEvent) {
            self.say("event", "DELETE");
        }
        if self.has(NatEvent) {
            self.say("nat_event_id", self.number(NatEvent));
            self.say("nat_event", "NAT translation create");
            // Old files had VRFs in this element.
            self.say("ingress_vrf", 0);
            self.say("egress_vrf", 0);
        }
        if self.has(EventTime) {
            self.say("t_event", self.time(EventTime));
        }
        if let Some(name) = self.flow.get(UserName).text() {
            self.say("user_name", name);
        }
    }
}

/// The network of an IPv4 address, which nfdump prints where it has a mask.
fn net(addr: Addr, mask: u64) -> String {
    let Addr::V4(addr) = addr else { panic!("no flow has that") };
    if mask == 0 {
        return String::new();
    }
    let mask = u32::MAX.checked_shl(32 - mask as u32).unwrap_or(0);
    std::net::Ipv4Addr::from(u32::from(addr) & mask).to_string()
}
