//! What the cases of detectors that look at volumes and times are built of.

use flowcore::aggregate::ConnState;
use flowcore::analysis::{Connection, Traffic, service_name};
use flowcore::{Addr, Protocol, TcpFlags, Timestamp};

use crate::rng::Rng;

/// The hosts that are known to get much, as a prefix: where backups and tunnels of the network go.
pub const ALLOWED: &str = "198.51.100.0/24";

/// Fills a scene with a case.
pub(super) type Draw = fn(&mut Scene);
/// Source, destination, port of the service.
pub(super) type Ends = (Addr, Addr, u16);
/// Start in seconds from that of the scene, and how many seconds it takes.
pub(super) type When = (u64, u64);
/// Packets and bytes of both ways.
pub(super) type Ways = [(u64, u64); 2];

/// 2026-03-02 08:00 UTC, a Monday.
const MORNING: i64 = 1_772_438_400;
const NANOS: i64 = 1_000_000_000;

/// Everyday traffic of a small network: names, time, pages.
pub fn background(rng: &mut Rng) -> Vec<Connection> {
    let mut scene = Scene { rng: Rng::new(rng.bits()), connections: Vec::new() };
    for _ in 0..scene.rng.range(5, 25) {
        let (host, start) = (scene.inside(), scene.rng.range(0, 30_000));
        let (resolver, clock, site) = (scene.outside(), scene.outside(), scene.outside());
        scene.udp((host, resolver, 53), (start, 0), [(1, 70), (1, 180)]);
        scene.udp((host, clock, 123), (start, 0), [(1, 76), (1, 76)]);
        let (asked, got, secs) = (scene.log(500, 40_000), scene.log(5_000, 4_000_000), scene.log(1, 120));
        scene.tcp((host, site, 443), (start, secs), bulk(asked, got));
    }
    scene.connections
}

/// A case that is being built.
pub(super) struct Scene {
    pub(super) rng: Rng,
    pub(super) connections: Vec<Connection>,
}

impl Scene {
    /// A scene with everyday traffic only.
    pub(super) fn new(rng: &mut Rng) -> Self {
        let connections = background(rng);
        Self { rng: Rng::new(rng.bits()), connections }
    }

    pub(super) fn range(&mut self, low: u64, high: u64) -> u64 {
        self.rng.range(low, high)
    }

    /// A number of any order of magnitude between the two.
    pub(super) fn log(&mut self, low: u64, high: u64) -> u64 {
        let base = low << self.rng.range(0, u64::from((high / low).ilog2()));
        self.rng.range(base, (base * 2).min(high).max(base))
    }

    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        *self.rng.pick(items)
    }

    /// A host of the own network.
    pub(super) fn inside(&mut self) -> Addr {
        let (net, low, high) = (self.pick(&[[10, 3], [172, 20], [192, 168]]), self.byte(), self.byte());
        Addr::V4([net[0], net[1], low, high].into())
    }

    /// A host elsewhere.
    pub(super) fn outside(&mut self) -> Addr {
        let net = self.pick(&[20, 34, 45, 52, 91, 104, 142, 185, 203]);
        Addr::V4([net, self.byte(), self.byte(), self.byte()].into())
    }

    /// A host of those that are [allowed](ALLOWED).
    pub(super) fn partner(&mut self) -> Addr {
        Addr::V4([198, 51, 100, self.byte()].into())
    }

    fn byte(&mut self) -> u8 {
        self.rng.range(1, 250).to_le_bytes()[0]
    }

    /// A port of an operating system's choice.
    pub(super) fn ephemeral(&mut self) -> u16 {
        self.port(32_768, 60_999)
    }

    pub(super) fn port(&mut self, low: u64, high: u64) -> u16 {
        u16::try_from(self.rng.range(low, high)).unwrap_or(u16::MAX)
    }

    /// A port that somebody takes who sets up something: one that is easy to remember, or any.
    pub(super) fn odd_port(&mut self, protocol: Protocol) -> u16 {
        const EASY: [u16; 10] = [4444, 8889, 1337, 31_337, 9001, 6666, 5555, 12_345, 7777, 4443];
        loop {
            let port = if self.rng.chance(50) { self.pick(&EASY) } else { self.port(1024, 65_535) };
            if service_name(Some(protocol), port).is_none() {
                return port;
            }
        }
    }

    pub(super) fn tcp(&mut self, ends: Ends, when: When, ways: Ways) -> &mut Connection {
        self.add(Protocol::TCP, ends, when, ways)
    }

    pub(super) fn udp(&mut self, ends: Ends, when: When, ways: Ways) -> &mut Connection {
        self.add(Protocol::UDP, ends, when, ways)
    }

    /// An answered connection, or one without an answer where nothing goes back.
    pub(super) fn add(&mut self, protocol: Protocol, ends: Ends, when: When, ways: Ways) -> &mut Connection {
        let is_tcp = protocol == Protocol::TCP;
        let first = MORNING * NANOS + when.0 as i64 * NANOS + self.rng.range(0, 999_999_999) as i64;
        let ports = protocol.has_ports().then(|| (self.ephemeral(), ends.2));
        let [forward, reverse] = ways.map(|(packets, bytes)| Traffic {
            packets,
            bytes,
            flags: TcpFlags(if is_tcp { flags(packets) } else { 0 }),
        });
        let is_answered = reverse.packets > 0;
        self.connections.push(Connection {
            first: Timestamp::from_nanos(first),
            last: Timestamp::from_nanos(first + when.1 as i64 * NANOS),
            src: ends.0,
            dst: ends.1,
            src_port: ports.map(|ports| ports.0),
            dst_port: ports.map(|ports| ports.1),
            protocol: Some(protocol),
            forward,
            reverse,
            state: Some(if is_answered { ConnState::Accepted } else { ConnState::Unanswered }),
            packet_src: Addr::Unknown,
            packet_dst: Addr::Unknown,
            rows: 1 + u64::from(is_answered),
        });
        let at = self.connections.len() - 1;
        &mut self.connections[at]
    }

    /// A session somebody works in, or that keeps itself alive: packets each way and what they carry.
    pub(super) fn typed(&mut self, packets: u64, low: u64, high: u64) -> Ways {
        let back = packets * self.rng.range(70, 130) / 100 + 1;
        [(packets, packets * self.rng.range(low, high)), (back, back * self.rng.range(low, high))]
    }
}

/// SYN alone, or all that a connection has from its start to its end.
const fn flags(packets: u64) -> u8 {
    if packets <= 1 { 0x02 } else { 0x1b }
}

/// A transfer over TCP of so many bytes each way: full packets, and an acknowledgement for two of them.
pub(super) const fn bulk(up: u64, down: u64) -> Ways {
    let (sent, got) = (up / 1400 + down / 2800 + 5, down / 1400 + up / 2800 + 4);
    [(sent, up + sent * 52), (got, down + got * 52)]
}
