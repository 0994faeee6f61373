//! One host seen twice: out of the rows of a flow log, the log of its interface and the capture made on it, as they would be
//! if a clock is off, either side missed some connections, or the log was written at a gateway that translates addresses.
//!
//! Each row becomes as many packets as it says, whose lengths add up to its bytes, inside of its window; the capture keeps
//! their headers only.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::packet::flags;

/// Two ends and the protocol, the smaller end first.
pub type Talk = ((Ipv4Addr, u16), (Ipv4Addr, u16), u8);

/// A row of the host's interface.
#[derive(Debug, Clone)]
struct Row {
    src: (Ipv4Addr, u16),
    dst: (Ipv4Addr, u16),
    protocol: u8,
    bytes: u64,
    packets: u64,
    flags: u8,
    start: u64,
    end: u64,
    action: String,
}

/// What both sides have, and what one has alone.
#[derive(Debug)]
pub struct Vantages {
    /// The log, as text.
    pub log: String,
    /// The capture, as a pcap file.
    pub capture: Vec<u8>,
    /// Conversations of both.
    pub both: BTreeSet<Talk>,
    /// Conversations that the log lacks.
    pub capture_only: BTreeSet<Talk>,
    /// Conversations that the capture lacks.
    pub log_only: BTreeSet<Talk>,
}

/// How the two differ.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Seconds that the clock of the capture is ahead.
    pub ahead: i64,
    /// The log has this address for every one that is not of its network, and the true one as that in the packet.
    pub gateway: Option<Ipv4Addr>,
}

impl Vantages {
    /// Out of the lines of logs under a heading of names, for the interface of this host.
    pub fn of<'a>(lines: impl Iterator<Item = &'a str>, host: Ipv4Addr, options: Options) -> Self {
        let rows = rows_of(lines, host);
        let mut talks: BTreeMap<Talk, Vec<Row>> = BTreeMap::new();
        rows.into_iter().for_each(|row| talks.entry(row.talk()).or_default().push(row));
        let (mut log, mut packets) = (Vec::new(), Vec::new());
        let mut sides = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        // One in fifty is missing on either side.
        for (number, (talk, rows)) in talks.into_iter().enumerate() {
            let side = [1, 2].into_iter().find(|side| number % 50 == *side).unwrap_or(0);
            sides[side].insert(talk);
            if side != 1 {
                log.extend(rows.iter().map(|row| row.line(host, options.gateway)));
            }
            if side != 2 {
                rows.iter().for_each(|row| row.packets(options.ahead, &mut packets));
            }
        }
        let [both, capture_only, log_only] = sides;
        Self { log: text(log), capture: pcap(packets), both, capture_only, log_only }
    }
}

/// The rows of the interface of the host: those that it sends by, and others of the same interface.
fn rows_of<'a>(lines: impl Iterator<Item = &'a str>, host: Ipv4Addr) -> Vec<Row> {
    let mut names: Vec<&str> = Vec::new();
    let mut found: Vec<(String, Row)> = Vec::new();
    let mut own = String::new();
    for line in lines {
        let values: Vec<&str> = line.split(' ').collect();
        if line.starts_with("version") {
            names = values;
            continue;
        }
        let value = |name: &str| values[names.iter().position(|other| *other == name).unwrap()];
        if value("log-status") != "OK" || ![value("srcaddr"), value("dstaddr")].contains(&&*host.to_string())
        {
            continue;
        }
        if value("flow-direction") == "egress" && value("srcaddr") == host.to_string() {
            value("interface-id").clone_into(&mut own);
        }
        let number = |name: &str| value(name).parse::<u64>().unwrap();
        let end = |addr, port| (value(addr).parse().unwrap(), number(port) as u16);
        let row = Row {
            src: end("srcaddr", "srcport"),
            dst: end("dstaddr", "dstport"),
            protocol: number("protocol") as u8,
            bytes: number("bytes"),
            packets: number("packets"),
            flags: number("tcp-flags") as u8,
            start: number("start"),
            end: number("end"),
            action: value("action").to_owned(),
        };
        found.push((value("interface-id").to_owned(), row));
    }
    found.into_iter().filter(|(interface, _)| *interface == own).map(|(_, row)| row).collect()
}

impl Row {
    fn talk(&self) -> Talk {
        (self.src.min(self.dst), self.src.max(self.dst), self.protocol)
    }

    /// As AWS writes it, with the addresses in the packet beside those of the interfaces.
    fn line(&self, host: Ipv4Addr, gateway: Option<Ipv4Addr>) -> (u64, String) {
        let near = |addr: Ipv4Addr| addr.octets()[..2] == host.octets()[..2];
        let shown = |addr: Ipv4Addr| gateway.filter(|_| !near(addr)).unwrap_or(addr);
        let Self { src, dst, protocol, bytes, packets, flags, start, end, action } = self;
        let ends = format!("{} {} {} {}", shown(src.0), shown(dst.0), src.0, dst.0);
        let line = format!(
            "5 eni-0123456789abcdef0 {ends} {} {} {protocol} {packets} {bytes} {flags} {start} {end} {action} OK",
            src.1, dst.1
        );
        (*start, line)
    }

    /// Its packets: time in microseconds, frame as far as it is kept, length on the wire.
    fn packets(&self, ahead: i64, packets: &mut Vec<(u64, Vec<u8>, u32)>) {
        let (count, span) = (self.packets.max(1), (self.end - self.start) * 1_000_000);
        let start = self.start.checked_add_signed(ahead).unwrap() * 1_000_000;
        for number in 0..count {
            // What is left over is in the last one.
            let length = self.bytes / count + if number + 1 == count { self.bytes % count } else { 0 };
            // Of packets of the same moment those of the server come after those of the client.
            let answer = if self.src.1 < self.dst.1 { 10 } else { 0 };
            let time = start + span * number / count + number % 7 + answer;
            packets.push((time, self.frame(length, self.flags_of(number, count)), length as u32 + 14));
        }
    }

    /// SYN and SYN ACK come first, FIN and RST last.
    fn flags_of(&self, number: u64, count: u64) -> u8 {
        let opening = self.flags & (flags::SYN | if self.flags & flags::SYN > 0 { flags::ACK } else { 0 });
        let closing = self.flags & (flags::FIN | flags::RST);
        match (number == 0 && opening > 0, number + 1 == count) {
            (true, true) => opening | closing,
            (true, false) => opening,
            (false, true) => flags::ACK | closing,
            (false, false) => flags::ACK,
        }
    }

    /// Ethernet, IPv4 and the header of TCP or UDP; the rest of the packet was not kept.
    fn frame(&self, length: u64, flags: u8) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0];
        frame.extend((length as u16).to_be_bytes());
        frame.extend([0, 1, 0x40, 0, 64, self.protocol, 0, 0]);
        frame.extend(self.src.0.octets());
        frame.extend(self.dst.0.octets());
        match self.protocol {
            1 => frame.extend([8, 0, 0, 0, 0, 1, 0, 1]),
            _ => frame.extend([self.src.1.to_be_bytes(), self.dst.1.to_be_bytes()].concat()),
        }
        match self.protocol {
            6 => frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]),
            17 => frame.extend([(length as u16 - 20).to_be_bytes(), [0, 0]].concat()),
            _ => {}
        }
        frame.truncate(length as usize + 14);
        frame
    }
}

fn text(mut lines: Vec<(u64, String)>) -> String {
    lines.sort();
    let heading = "version interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr srcport dstport protocol packets bytes \
                   tcp-flags start end action log-status";
    let lines = lines.into_iter().map(|(_, line)| line);
    std::iter::once(heading.to_owned()).chain(lines).map(|line| line + "\n").collect()
}

/// A pcap file of microseconds, in the order of time (draft-ietf-opsawg-pcap).
fn pcap(mut packets: Vec<(u64, Vec<u8>, u32)>) -> Vec<u8> {
    packets.sort();
    let numbers =
        |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let mut file = numbers(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 64, 1]);
    for (time, frame, wire) in packets {
        let (seconds, micros) = (time / 1_000_000, time % 1_000_000);
        file.extend(numbers(&[seconds as u32, micros as u32, frame.len() as u32, wire]));
        file.extend(frame);
    }
    file
}
