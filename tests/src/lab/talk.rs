//! Turns conversations into packets: a TCP connection from SYN to its end, a question and answer over UDP, a ping,
//! a scanner's SYN that the security group drops.

use std::net::{IpAddr, SocketAddr};

use super::{Fate, Sent, world};
use crate::packet::{Content, Packet, Tcp, flags};
use crate::rng::Rng;

/// A TCP connection to be told.
pub(super) struct Connection {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    /// Time of the first SYN, in microseconds since 1970 UTC.
    pub(super) at: u64,
    /// Time between a packet that leaves the network and its answer, in microseconds.
    pub(super) trip: u64,
    /// Data bytes of a full packet.
    pub(super) segment: usize,
    pub(super) steps: Vec<Step>,
    pub(super) end: End,
}

/// One thing that happens in a connection.
pub(super) enum Step {
    /// The client sends.
    Client(Vec<u8>),
    /// The server sends.
    Server(Vec<u8>),
    /// Nothing, for so many microseconds.
    Pause(u64),
}

/// How a connection ends.
pub(super) enum End {
    /// FIN of the client, then of the server.
    ClientCloses,
    /// FIN of the server, then of the client.
    ServerCloses,
    /// RST of the client.
    ClientResets,
    /// The server answers the SYN with RST: nobody listens there.
    Refused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// Largest data of a packet without offloading, at the usual 1500 bytes of Ethernet.
pub(super) const SEGMENT: usize = 1460;

impl Connection {
    /// The packets, in order.
    pub(super) fn packets(&self, rng: &mut Rng) -> Vec<Sent> {
        let mut wire = Wire::new(self, rng);
        wire.send(Side::Client, flags::SYN, &[]);
        if matches!(self.end, End::Refused) {
            wire.send(Side::Server, flags::RST | flags::ACK, &[]);
            return wire.sent;
        }
        wire.send(Side::Server, flags::SYN | flags::ACK, &[]);
        wire.send(Side::Client, flags::ACK, &[]);
        for step in &self.steps {
            match step {
                Step::Client(data) => wire.data(Side::Client, data),
                Step::Server(data) => wire.data(Side::Server, data),
                Step::Pause(micros) => wire.now += micros,
            }
        }
        match self.end {
            End::ClientCloses => wire.close(Side::Client),
            End::ServerCloses => wire.close(Side::Server),
            _ => wire.send(Side::Client, flags::RST | flags::ACK, &[]),
        }
        wire.sent
    }
}

/// A connection under way.
struct Wire<'a> {
    connection: &'a Connection,
    rng: &'a mut Rng,
    now: u64,
    last: Side,
    /// Next sequence numbers of client and server.
    next: [u32; 2],
    ident: u16,
    sent: Vec<Sent>,
}

impl<'a> Wire<'a> {
    fn new(connection: &'a Connection, rng: &'a mut Rng) -> Self {
        let next = [rng.bits() as u32, rng.bits() as u32];
        let ident = rng.bits() as u16;
        Self { connection, now: connection.at, last: Side::Client, next, ident, sent: Vec::new(), rng }
    }

    /// Sends in full segments; the other side acknowledges every second one and the last.
    fn data(&mut self, side: Side, data: &[u8]) {
        let count = data.chunks(self.connection.segment).count();
        for (number, part) in data.chunks(self.connection.segment).enumerate() {
            let last = number + 1 == count;
            self.send(side, flags::ACK | if last { flags::PSH } else { 0 }, part);
            if last || number % 2 == 1 {
                self.send(side.other(), flags::ACK, &[]);
            }
        }
    }

    fn close(&mut self, first: Side) {
        self.send(first, flags::FIN | flags::ACK, &[]);
        self.send(first.other(), flags::FIN | flags::ACK, &[]);
        self.send(first, flags::ACK, &[]);
    }

    fn send(&mut self, side: Side, flags: u8, payload: &[u8]) {
        self.now += self.delay(side);
        self.last = side;
        self.ident = self.ident.wrapping_add(1);
        let (src, dst) = self.ends(side);
        let seq = self.next[side as usize];
        let ack = if flags & flags::ACK == 0 { 0 } else { self.next[side.other() as usize] };
        let options = if flags & flags::SYN == 0 { vec![] } else { vec![2, 4, 0x05, 0xb4] };
        let tcp = Tcp { seq, ack, flags, options, payload: payload.to_vec(), ..Tcp::default() };
        let opens_or_closes = u32::from(flags & (flags::SYN | flags::FIN) != 0);
        self.next[side as usize] = seq.wrapping_add(payload.len() as u32).wrapping_add(opens_or_closes);
        let mut packet = Packet::tcp(src, dst, tcp);
        packet.ttl = hop_limit(src.ip());
        packet.ident = self.ident;
        self.sent.push(Sent { time: self.now, packet, fate: Fate::Delivered });
    }

    /// A host of the network answers at once, one outside after a round trip; bursts are quick.
    fn delay(&mut self, side: Side) -> u64 {
        let local = world::interface_of(self.ends(side).0.ip()).is_some();
        match (self.sent.is_empty(), side == self.last, local) {
            (true, ..) => 0,
            (_, true, _) => self.rng.range(8, 90),
            (_, _, true) => self.rng.range(60, 900),
            (_, _, false) => self.connection.trip + self.rng.range(0, self.connection.trip / 8),
        }
    }

    fn ends(&self, side: Side) -> (SocketAddr, SocketAddr) {
        let Connection { client, server, .. } = *self.connection;
        if side == Side::Client { (client, server) } else { (server, client) }
    }
}

impl Side {
    fn other(self) -> Self {
        if self == Self::Client { Self::Server } else { Self::Client }
    }
}

/// A question and its answer, `trip` microseconds later.
pub(super) fn question(
    client: SocketAddr,
    server: SocketAddr,
    at: u64,
    trip: u64,
    payloads: [Vec<u8>; 2],
) -> [Sent; 2] {
    let [ask, answer] = payloads;
    let there = Packet::udp(client, server, ask);
    let back = Packet::udp(server, client, answer);
    [(at, there), (at + trip, back)].map(|(time, mut packet)| {
        packet.ttl = hop_limit(packet.src);
        packet.ident = (time % 65_521) as u16;
        Sent { time, packet, fate: Fate::Delivered }
    })
}

/// Echo requests once a second; the network ACL refuses the replies after the host has sent them.
pub(super) fn ping(src: IpAddr, dst: IpAddr, at: u64, ident: u16, count: u16) -> Vec<Sent> {
    let message = |kind, sequence: u16| {
        let [high, low] = ident.to_be_bytes();
        let rest = [high, low, sequence.to_be_bytes()[0], sequence.to_be_bytes()[1]];
        Content::Icmp { kind, code: 0, rest, payload: (0..56).collect() }
    };
    let mut sent = Vec::new();
    for sequence in 1..=count {
        let time = at + 1_000_000 * u64::from(sequence - 1);
        let mut ask = Packet::new(src, dst, message(8, sequence));
        let mut answer = Packet::new(dst, src, message(0, sequence));
        ask.ttl = hop_limit(src);
        answer.ttl = hop_limit(dst);
        sent.push(Sent { time, packet: ask, fate: Fate::Delivered });
        sent.push(Sent { time: time + 48, packet: answer, fate: Fate::RefusedOutward });
    }
    sent
}

/// A packet that the security group drops, sent again `again` times, one, two, four... seconds later.
pub(super) fn knock(packet: &Packet, at: u64, again: u32) -> Vec<Sent> {
    let times = (0..=again).map(|number| at + 1_000_000 * (u64::from(2_u32.pow(number)) - 1));
    times.map(|time| Sent { time, packet: packet.clone(), fate: Fate::RefusedInward }).collect()
}

/// Hosts of the network send with 64; from elsewhere a dozen routers lie between.
fn hop_limit(src: IpAddr) -> u8 {
    if world::interface_of(src).is_some() { 64 } else { 51 }
}
