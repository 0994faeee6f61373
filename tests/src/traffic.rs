//! Mixed traffic of any size, the same every time: what speed is measured with. Seed, sizes and numbers say all about it;
//! no floating point is used, so that every machine makes the same bytes.
//!
//! ```
//! use flow_tests::traffic::{Mix, Sizes};
//! let capture = Mix { packets: 3, flows: 1, sizes: Sizes::Small }.pcap();
//! let frames = capture.len() - 24 - 3 * 16;
//! assert!((3 * 54..=3 * 100).contains(&frames), "{frames}");
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::capture::{Frame, Layout};
use crate::packet::{Link, Packet, Tcp, flags};
use crate::rng::Rng;
use crate::vpclog::{self, Action, Content, Direction, Interface, Row};

/// A capture of clients that talk to far fewer servers.
///
/// Flows begin evenly over the capture. Every other packet is of one that has begun, and a few of them have most: flow 0
/// has as many as flows 1 and 2 together, as flows 3 to 6, and so on (Zipf).
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    /// Packets of the capture.
    pub packets: u64,
    /// Flows they belong to; no more than there are packets.
    pub flows: u64,
    /// Lengths of the frames.
    pub sizes: Sizes,
}

/// Lengths of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Seven of 64 bytes to four of 570 and one of 1,500.
    Mixed,
    /// Up to 100 bytes, none much shorter than 64.
    Small,
}

impl Mix {
    /// The capture: pcap, microseconds.
    pub fn pcap(&self) -> Vec<u8> {
        Layout::default().pcap(&self.frames())
    }

    fn frames(&self) -> Vec<Frame> {
        let mut rng = Rng::new(SEED).fork("packets");
        let mut talks: Vec<Talk> = Vec::new();
        let step = CAPTURE_NANOS / self.packets.max(1);
        let frame = |number| {
            let begun = talks.len() as u64;
            let is_new = number * self.flows / self.packets >= begun;
            let chosen = if is_new { begun } else { popular(&mut rng, begun) } as usize;
            if is_new {
                talks.push(Talk::number(begun));
            }
            let bytes = talks[chosen].frame(self.sizes, is_new, &mut rng);
            Frame { time: START_SECOND * 1_000_000_000 + number * step, bytes }
        };
        (0..self.packets).map(frame).collect()
    }
}

/// Gzipped VPC flow logs with a header line each, all of flows between the same clients and servers: what a folder of one
/// day holds. The name of each comes with it.
pub fn logs(files: u64, rows: u64) -> Vec<(String, Vec<u8>)> {
    let mut rng = Rng::new(SEED).fork("logs");
    let log = |file| {
        let slot = START_SECOND + file * 300;
        let mut text = COLUMNS.join(" ") + "\n";
        for number in 0..rows {
            text += &row(slot + number * 60 / rows, &mut rng).line(COLUMNS);
            text.push('\n');
        }
        (vpclog::file_name(&INTERFACES[0], "fl-0c5a1d", slot, file as u32), vpclog::gzip(&text, 1))
    };
    (0..files).map(log).collect()
}

/// One row in 250 reports a state, one flow in fourteen was rejected.
fn row(start: u64, rng: &mut Rng) -> Row {
    let interface = rng.pick(INTERFACES).clone();
    if rng.range(0, 249) == 0 {
        return Row { interface, start, end: start + 59, content: Content::NoData };
    }
    let number = popular(rng, 1 << 12);
    let Talk { client, server, is_tcp, .. } = Talk::number(number);
    let out = rng.chance(50);
    let (src, dst) = if out { (client, server) } else { (server, client) };
    let packets = popular(rng, 2_000) + 1;
    let flow = vpclog::Flow {
        src: src.ip(),
        dst: dst.ip(),
        src_port: src.port(),
        dst_port: dst.port(),
        protocol: if is_tcp { 6 } else { 17 },
        packets,
        bytes: packets * rng.range(40, 1_440),
        flags: if is_tcp { *rng.pick(&[2, 3, 18, 19]) } else { 0 },
        action: if rng.chance(7) { Action::Reject } else { Action::Accept },
        direction: if out { Direction::Egress { path: 8 } } else { Direction::Ingress },
    };
    Row { interface, start, end: start + rng.range(0, 59), content: Content::Flow(flow) }
}

/// A conversation, and how far it has come.
struct Talk {
    client: SocketAddr,
    server: SocketAddr,
    is_tcp: bool,
    link: Link,
    /// Next sequence numbers of the client and of the server.
    next: [u32; 2],
}

impl Talk {
    /// The ends of a conversation depend on its number only.
    fn number(number: u64) -> Self {
        let mut rng = Rng::new(SEED ^ number).fork("talk");
        let port = if rng.chance(55) { 443 } else { *rng.pick(&[22, 25, 53, 53, 80, 80, 123, 3306, 8080]) };
        let is_v6 = rng.chance(8);
        let client = address(is_v6, 0x0a00_0000 | rng.range(1, 1 << 16) as u32);
        let server = address(is_v6, 0xc633_0000 | popular(&mut rng, 1 << 10) as u32);
        Self {
            client: SocketAddr::new(client, rng.range(1_024, 65_535) as u16),
            server: SocketAddr::new(server, port),
            is_tcp: !matches!(port, 53 | 123),
            link: if rng.chance(5) { Link::default().vlan(7) } else { Link::default() },
            next: [rng.bits() as u32, rng.bits() as u32],
        }
    }

    fn frame(&mut self, sizes: Sizes, is_first: bool, rng: &mut Rng) -> Vec<u8> {
        let from_server = !is_first && rng.chance(45);
        let (src, dst) = if from_server { (self.server, self.client) } else { (self.client, self.server) };
        let length = match sizes {
            Sizes::Mixed => *rng.pick(&[64, 64, 64, 64, 64, 64, 64, 570, 570, 570, 570, 1_500]),
            Sizes::Small => rng.range(64, 100) as usize,
        };
        if !self.is_tcp {
            return Packet::udp(src, dst, self.payload(length, UDP_HEADER)).frame(&self.link);
        }
        let payload = if is_first { Vec::new() } else { self.payload(length, TCP_HEADER) };
        let seq = self.next[usize::from(from_server)];
        self.next[usize::from(from_server)] = seq.wrapping_add(payload.len() as u32 + u32::from(is_first));
        let ack = if is_first { 0 } else { self.next[usize::from(!from_server)] };
        let flags = if is_first { flags::SYN } else { flags::ACK | flags::PSH };
        Packet::tcp(src, dst, Tcp { seq, ack, flags, payload, ..Tcp::default() }).frame(&self.link)
    }

    /// What fills a frame up to this length.
    fn payload(&self, length: usize, header: usize) -> Vec<u8> {
        let ip = if self.client.is_ipv4() { 20 } else { 40 };
        vec![0x5a; length.saturating_sub(14 + 4 * self.link.vlans.len() + ip + header)]
    }
}

/// A number below `count`, of which every power of two has the same share.
fn popular(rng: &mut Rng, count: u64) -> u64 {
    let low = (1 << rng.range(0, u64::from(count.max(1).ilog2()))) - 1;
    rng.range(low, (2 * low).min(count - 1))
}

fn address(is_v6: bool, number: u32) -> IpAddr {
    match is_v6 {
        true => Ipv6Addr::from(0x2001_0db8 << 96 | u128::from(number)).into(),
        false => Ipv4Addr::from(number).into(),
    }
}

const SEED: u64 = 7;
/// 2023-11-14 22:15:00 UTC, the beginning of a file of five minutes.
const START_SECOND: u64 = 1_700_000_100;
const CAPTURE_NANOS: u64 = 120_000_000_000;
const TCP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;

const COLUMNS: &[&str] = &[
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "vpc-id",
    "subnet-id",
    "instance-id",
    "tcp-flags",
    "flow-direction",
    "traffic-path",
];

const INTERFACES: &[Interface] = &[
    interface("eni-0b7c2f4e61d93a850", "i-0d41f6a7b2938c5e1"),
    interface("eni-0e52a90c4b87d16f3", "i-07b3c9e8214f5da60"),
    interface("eni-03fd816b5ac2e7094", "i-0a95e2d7c38b41f06"),
];

const fn interface(id: &'static str, instance: &'static str) -> Interface {
    Interface { id, instance, account: "123456789012", region: "eu-central-1" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_the_same_every_time_and_has_as_many_packets_as_said() {
        let mix = Mix { packets: 1_000, flows: 200, sizes: Sizes::Mixed };
        let frames = mix.frames();
        assert_eq!((frames.len(), mix.pcap()), (1_000, mix.pcap()));
        assert!(frames.iter().any(|frame| frame.bytes.len() == 1_500));
        assert!(frames.windows(2).all(|pair| pair[0].time < pair[1].time));
    }

    #[test]
    fn small_packets_are_small() {
        let frames = Mix { packets: 1_000, flows: 1_000, sizes: Sizes::Small }.frames();
        assert!(frames.iter().all(|frame| (54..=100).contains(&frame.bytes.len())));
    }

    #[test]
    fn popular_numbers_are_below_their_bound() {
        let mut rng = Rng::new(1);
        let drawn: Vec<u64> = (0..1_000).map(|_| popular(&mut rng, 100)).collect();
        assert!(drawn.iter().all(|&number| number < 100));
        assert!(drawn.iter().filter(|&&number| number == 0).count() > 80);
    }

    #[test]
    fn a_log_has_a_header_line_and_rows_of_all_kinds() {
        use std::io::Read;
        let [(_, packed)] = &logs(1, 2_000)[..] else { panic!("one file") };
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 2_001);
        assert!(text.lines().all(|line| line.split(' ').count() == COLUMNS.len()));
        assert!(["NODATA", "REJECT", "ACCEPT", "egress", "ingress"].iter().all(|word| text.contains(word)));
    }
}
