//! An nfdump file in which every field of nfdump's records occurs that 1.7.1 knows. Values come from small sets, so that
//! records agree with each other and with the filters of the tables; 0, the largest value and none at all are among them.

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use flowcore::format::nfdump::{NfdumpOptions, NfdumpWriter};
use flowcore::{Addr, Field, FlowBatch, Timestamp};

use crate::rng::Rng;

/// Writes the file: so many records, always the same ones.
pub fn write(path: &Path, records: usize) {
    let mut maker = Maker { rng: Rng::new(SEED), batch: FlowBatch::new() };
    (0..records).for_each(|_| maker.record());
    let options = NfdumpOptions { ident: "artificial".to_owned(), ..NfdumpOptions::default() };
    let written = File::create(path).map_err(flowcore::Error::from).and_then(|file| {
        let mut writer = NfdumpWriter::new(file, &options)?;
        writer.write_batch(&maker.batch)?;
        assert!(writer.dropped().is_empty(), "{}", writer.dropped());
        writer.finish()
    });
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

struct Maker {
    rng: Rng,
    batch: FlowBatch,
}

impl Maker {
    /// Fields that nfdump keeps in one element are there or not together: it has no way to say that one of them is not.
    fn record(&mut self) {
        let is_v6 = self.rng.chance(30);
        self.header();
        self.times();
        self.protocol(is_v6);
        self.counters();
        self.addresses(is_v6);
        self.routing(is_v6);
        self.link();
        self.tunnel(is_v6);
        self.events();
        self.texts();
        self.batch.end_row();
    }

    fn header(&mut self) {
        self.pick(Field::EngineType, &[0, 1, 255]);
        self.pick(Field::EngineId, &[0, 7, 255]);
        self.pick(Field::ExporterId, &[0, 1, 2, 65_535]);
        self.pick(Field::NetflowVersion, &[5, 9, 10]);
    }

    /// In whole milliseconds, as the file has them. One in twenty has no duration.
    fn times(&mut self) {
        let first = FIRST_SECOND * 1000 + self.rng.range(0, 7_200_000);
        let longest = *self.rng.pick(&[0, 1, 999, 1000, 60_000, 3_600_000]);
        let last = first + self.rng.range(0, longest);
        let received = last + self.rng.range(0, 5000);
        for (field, millis) in [(Field::First, first), (Field::Last, last), (Field::Received, received)] {
            self.batch.set_time(field, Timestamp::from_nanos(millis.cast_signed() * 1_000_000));
        }
    }

    fn protocol(&mut self, is_v6: bool) {
        let icmp = if is_v6 { 58 } else { 1 };
        let protocol =
            *self.rng.pick(&[6, 6, 6, 17, 17, 17, icmp, icmp, 132, 47, 50, 51, 89, 4, 41, 2, 0, 255]);
        self.batch.set_number(Field::Protocol, protocol);
        match protocol {
            1 | 58 => {
                self.pick(Field::IcmpType, &[0, 3, 8, 11, 128, 129, 255]);
                self.pick(Field::IcmpCode, &[0, 1, 3, 255]);
            }
            6 | 17 | 132 => {
                self.pick(Field::SrcPort, PORTS);
                self.pick(Field::DstPort, PORTS);
            }
            _ => {}
        }
        if protocol == 6 {
            self.pick(Field::InFlags, &[0, 1, 2, 4, 16, 17, 18, 20, 24, 27, 31, 63, 64, 128, 194, 219, 255]);
        }
        self.pick(Field::SrcTos, &[0, 1, 4, 40, 184, 255]);
        self.pick(Field::FwdStatus, &[0, 1, 2, 16, 17, 18, 25, 64, 128, 130, 131, 255]);
    }

    fn counters(&mut self) {
        self.counter(Field::InPackets, Field::InBytes);
        if self.rng.chance(60) {
            self.counter(Field::OutPackets, Field::OutBytes);
            self.pick(Field::Flows, &[2, 3, 10, 1_000_000]);
        }
    }

    /// Packets of 40 to 1500 bytes; now and then none, and now and then more than 32 bits.
    fn counter(&mut self, packets: Field, bytes: Field) {
        let most = *self.rng.pick(&[0, 1, 3, 10, 1000, 100_000, 5_000_000_000]);
        let count = self.rng.range(0, most);
        let size = self.rng.range(40, 1500);
        self.batch.set_number(packets, count);
        self.batch.set_number(bytes, count * size);
    }

    fn addresses(&mut self, is_v6: bool) {
        self.addr(Field::SrcAddr, is_v6);
        self.addr(Field::DstAddr, is_v6);
        if self.rng.chance(40) {
            self.addr(Field::PktSrcAddr, is_v6);
            self.addr(Field::PktDstAddr, is_v6);
        }
        if self.rng.chance(40) {
            self.pick(Field::PktSrcPort, PORTS);
            self.pick(Field::PktDstPort, PORTS);
        }
    }

    fn routing(&mut self, is_v6: bool) {
        if self.rng.chance(70) {
            self.pick(Field::InputIf, &[0, 1, 2, 10, u32::MAX.into()]);
            self.pick(Field::OutputIf, &[0, 1, 3, 10, u32::MAX.into()]);
            self.pick(Field::SrcMask, &[0, 8, 16, 24, 32]);
            self.pick(Field::DstMask, &[0, 8, 17, 24, 32]);
            self.pick(Field::DstTos, &[0, 1, 4, 40, 184, 255]);
            let direction = *self.rng.pick(&["ingress", "egress"]);
            self.batch.set_text(Field::Direction, direction);
        }
        self.group(60, &[(Field::SrcAs, AS_NUMBERS), (Field::DstAs, AS_NUMBERS)]);
        self.group(40, &[(Field::NextAs, AS_NUMBERS), (Field::PrevAs, AS_NUMBERS)]);
        for field in [Field::NextHop, Field::BgpNextHop, Field::RouterAddr] {
            if self.rng.chance(50) {
                self.addr(field, is_v6);
            }
        }
        self.group(30, &[(Field::IngressVrf, &[0, 1, 77]), (Field::EgressVrf, &[0, 2, 77])]);
        self.group(
            40,
            &[
                (Field::ObservationPoint, &[0, 1, 99, 5_000_000_000]),
                (Field::ObservationDomain, &[0, 1, 42, u32::MAX as u64]),
            ],
        );
    }

    fn link(&mut self) {
        self.group(50, &[(Field::Vlan, &[1, 7, 100, 4094]), (Field::DstVlan, &[1, 7, 200, 4095])]);
        self.group(
            50,
            &[
                (Field::SrcMac, MACS),
                (Field::DstMac, MACS),
                (Field::InDstMac, MACS),
                (Field::OutSrcMac, MACS),
            ],
        );
        if self.rng.chance(50) {
            self.labels();
        }
        self.group(
            50,
            &[
                (Field::ClientLatency, LATENCIES),
                (Field::ServerLatency, LATENCIES),
                (Field::AppLatency, LATENCIES),
            ],
        );
    }

    /// A stack of one to ten labels, the bottom marked: label, traffic class, bottom of stack, as on the wire.
    fn labels(&mut self) {
        let depth = self.rng.range(1, 10);
        for (at, field) in (1..=depth).zip(LABELS) {
            let label = *self.rng.pick(&[3, 16, 100, 1000, 1_048_575]);
            let class = self.rng.range(0, 7);
            self.batch.set_number(field, label << 4 | class << 1 | u64::from(at == depth));
        }
    }

    fn tunnel(&mut self, is_v6: bool) {
        if self.rng.chance(25) {
            self.addr(Field::TunSrcAddr, is_v6);
            self.addr(Field::TunDstAddr, is_v6);
            self.pick(Field::TunProto, &[4, 17, 41, 47]);
        }
    }

    /// An event of a firewall or of an address translation: nfdump 1.7.1 keeps one time for both.
    fn events(&mut self) {
        let time = Timestamp::from_secs(FIRST_SECOND.cast_signed() + 60);
        if self.rng.chance(30) {
            self.batch.set_time(Field::EventTime, time);
            self.pick(Field::ConnectionId, &[0, 1, u32::MAX.into()]);
            self.pick(Field::FwEvent, &[0, 1, 2, 3, 5]);
            self.pick(Field::FwExtendedEvent, &[1, 1001, 1002, 1003, 1004, 2000]);
        } else if self.rng.chance(40) {
            self.batch.set_time(Field::EventTime, time);
            self.pick(Field::NatEvent, &[0, 1, 2]);
        }
        self.group(
            30,
            &[
                (Field::PortBlockStart, &[0, 80, 1024]),
                (Field::PortBlockEnd, &[443, 2048, 65_535]),
                (Field::PortBlockStep, &[0, 1, 8]),
                (Field::PortBlockSize, &[0, 64, 512]),
            ],
        );
    }

    fn texts(&mut self) {
        for (field, texts) in [
            (Field::UserName, ["alice", "bob", "a long name, with more than one word"]),
            (Field::FlowLabel, ["Label1", "Label2", "label_3"]),
            (
                Field::InPayload,
                ["GET / HTTP/1.0\r\nHost: example.org\r\n\r\n", "HHHTTP", "\u{16}\u{3}\u{1}\u{0}abc"],
            ),
            (
                Field::OutPayload,
                ["HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.0 404 Not Found\r\n\r\n", "SSH-2.0-x\r\n"],
            ),
        ] {
            if self.rng.chance(30) {
                let text = *self.rng.pick(&texts);
                self.batch.set_text(field, text);
            }
        }
    }

    fn pick(&mut self, field: Field, values: &[u64]) {
        let value = *self.rng.pick(values);
        self.batch.set_number(field, value);
    }

    fn group(&mut self, percent: u64, fields: &[(Field, &[u64])]) {
        if self.rng.chance(percent) {
            fields.iter().for_each(|(field, values)| self.pick(*field, values));
        }
    }

    fn addr(&mut self, field: Field, is_v6: bool) {
        let addr = if is_v6 { Addr::from(*self.rng.pick(V6)) } else { Addr::from(*self.rng.pick(V4)) };
        self.batch.set_addr(field, addr);
    }
}

const SEED: u64 = 1_710_252_000;
/// 2024-03-12T14:00:00Z.
const FIRST_SECOND: u64 = 1_710_252_000;
const PORTS: &[u64] = &[0, 22, 53, 80, 443, 1023, 1024, 8080, 32_768, 49_152, 65_535];
const AS_NUMBERS: &[u64] = &[0, 1, 3356, 64_512, 65_536, u32::MAX as u64];
const MACS: &[u64] = &[0x02_00_5e_10_00_01, 0x02_00_5e_10_00_02, 0xff_ff_ff_ff_ff_ff, 1];
const LATENCIES: &[u64] = &[1_000, 250_000, 1_000_000, 20_000_000, 3_000_000_000];
const LABELS: [Field; 10] = [
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
];
const V4: &[Ipv4Addr] = &[
    Ipv4Addr::new(10, 0, 0, 1),
    Ipv4Addr::new(10, 0, 0, 2),
    Ipv4Addr::new(10, 1, 2, 3),
    Ipv4Addr::new(172, 16, 31, 4),
    Ipv4Addr::new(192, 168, 1, 1),
    Ipv4Addr::new(192, 168, 1, 255),
    Ipv4Addr::new(203, 0, 113, 9),
    Ipv4Addr::new(255, 255, 255, 255),
];
/// The last ones have the low bits of IPv4 addresses above.
const V6: &[Ipv6Addr] = &[
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0x8000, 0, 0, 2),
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0x200, 0x5eff, 0xfe10, 1),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0x0a00, 1),
    Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0xc0a8, 0x0101),
];
