//! Fragments join the flow of the datagram they belong to.
//!
//! Only the first fragment has ports. It names the flow for the fragments after it; fragments that come before
//! it wait, as small summaries, until it arrives or the clock is past [`WAIT`] and the table's tolerance. What belongs
//! to a datagram is told by the fragments' own times. Each fragment counts as the packet it is; nothing is put
//! together and nothing vanishes. Memory is bounded: whoever sends more fragments than fit loses ports, not packets.
//!
//! A datagram owns its identification for [`WAIT`], or until all of its bytes have been seen: fragments after that are
//! copies of frames for another [`COPIES`], and then those of another datagram. A first fragment always begins one. As
//! long as something is missing, a fragment that comes twice belongs to the datagram each time.
//!
//! Where the datagram carries a tunnel, its first fragment is metered as the beginning of the packet inside. The others
//! then continue that packet: they belong to its flow, and count with what they carry of it. Where that packet is in
//! pieces itself, they are further pieces of its datagram: fragments go in layer by layer, the outermost first.

use std::collections::VecDeque;
use std::net::IpAddr;

use flowcore::{NANOS_PER_SEC, Protocol};
use hashbrown::HashMap;

use super::extent::Extent;
use super::outlook::REORDER;
use crate::options::TunnelMode;
use crate::packet::{Fragment, Packet, Tunnel};

/// How long a datagram's fragments are expected after one another (RFC 791 suggests 15 s, RFC 8200 60 s; Linux
/// uses 30 s).
pub(super) const WAIT: i64 = 30 * NANOS_PER_SEC;
/// How long the fragments of a complete datagram may come again, as from two ports of a switch or two interfaces of a
/// host. Later ones have had time to be another datagram's.
const COPIES: i64 = NANOS_PER_SEC;
/// Datagrams known at a time; beyond that the oldest is given up.
const MAX_DATAGRAMS: usize = 65_536;
/// Fragments that may wait for the first one of their datagram; the next one releases them all.
pub(super) const MAX_WAITING: usize = 64;
/// Fragments that may wait in all; beyond that the oldest datagram is given up.
const MAX_WAITING_IN_ALL: usize = 65_536;

/// Protocols without ports whose packets may carry packets that are metered instead: IPv4, IPv6, GRE, minimal
/// encapsulation, IPIP, EtherIP, ENCAP, L2TP, MPLS, Ethernet.
const CARRIERS: [u8; 10] = [4, 41, 47, 55, 94, 97, 98, 115, 137, 143];

/// Datagrams of which fragments have been seen lately.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    /// In the order in which they were first seen, also those whose key has been used again since.
    queue: VecDeque<Datagram>,
    /// The number of the datagram at the front of the queue; those after it count on.
    front: u64,
    /// The number of the latest datagram of a key.
    known: HashMap<DatagramKey, u64, foldhash::fast::RandomState>,
    /// Fragments that wait, in all datagrams.
    waiting: usize,
    tunnels: TunnelMode,
}

/// What a fragment has in common with the others of its datagram (RFC 791, RFC 8200 §4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct DatagramKey {
    src: IpAddr,
    dst: IpAddr,
    protocol: Protocol,
    id: u32,
    /// What else tells datagrams apart, as a hash; 0 where nothing does.
    scope: u64,
}

#[derive(Debug)]
struct Datagram {
    /// When its first fragment to be seen was captured.
    time: i64,
    key: DatagramKey,
    extent: Extent,
    /// When the last of its bytes were seen.
    completed: Option<i64>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The first fragment has been seen: this is where the others belong.
    Named(Box<First>),
    /// It has not; these wait.
    Waiting(Vec<Late>),
}

/// The first fragment of a datagram.
#[derive(Debug)]
struct First {
    layer: Layer,
    /// What it is metered as.
    packet: Packet,
    /// The layers inside it, the outermost last.
    inside: Vec<Layer>,
}

/// A packet in pieces that is metered, or that is around the one that is.
#[derive(Debug, Clone, Copy)]
struct Layer {
    key: DatagramKey,
    fragment: Fragment,
    /// Whether it is around the metered packet.
    is_carrier: bool,
}

/// A fragment on its way in.
#[derive(Debug)]
struct Piece {
    time: i64,
    /// What it is metered as if no more becomes known.
    packet: Packet,
    /// The layers it has yet to pass, the outermost last.
    layers: Vec<Layer>,
}

/// A later fragment that has come to the datagram it belongs to.
#[derive(Debug)]
struct Late {
    time: i64,
    packet: Packet,
    /// Its place in that datagram.
    fragment: Fragment,
}

/// Packets to be counted, with their times.
pub(super) type Placed = Vec<(i64, Packet)>;

impl Fragments {
    /// No fragments yet; `tunnels` says which packet of a datagram's first fragment is metered.
    pub(super) fn new(tunnels: TunnelMode) -> Self {
        Self { tunnels, ..Self::default() }
    }

    /// Finds the place of a fragment seen at `time`: what is to be counted now, which is what waited for it, and then
    /// itself, unless it waits. `scope` tells datagrams in a tunnel apart, as [`DatagramKey`] has it.
    pub(super) fn place(
        &mut self,
        time: i64,
        packet: &Packet,
        scope: impl Fn(Option<&Tunnel>) -> u64,
    ) -> Placed {
        let mut placed = Vec::new();
        let layers = layers(packet, scope);
        self.go_in(Piece { time, packet: packet.clone(), layers }, &mut placed);
        placed
    }

    /// What waited in the next datagram that is given up: by `now` its first fragment has not come in time, or
    /// there are too many. A datagram from far ahead of `now` is given up too, or it would hold up the others.
    pub(super) fn due(&mut self, now: i64) -> Option<Placed> {
        let patience = WAIT + REORDER;
        while let Some(oldest) = self.queue.front() {
            let crowded = self.queue.len() > MAX_DATAGRAMS || self.waiting > MAX_WAITING_IN_ALL;
            let over = now >= oldest.time.saturating_add(patience);
            let stray = now <= oldest.time.saturating_sub(patience);
            if !(crowded || over || stray) {
                break;
            }
            if let Some(State::Waiting(waiting)) = self.pop()
                && !waiting.is_empty()
            {
                self.waiting = self.waiting.saturating_sub(waiting.len());
                return Some(waiting.into_iter().map(Late::orphaned).collect());
            }
        }
        None
    }

    /// Whether no datagram is remembered.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Datagrams that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert!(self.known.len() <= self.queue.len());
        self.queue.len()
    }

    /// Takes a fragment from layer to layer as far as it comes.
    fn go_in(&mut self, mut piece: Piece, placed: &mut Placed) {
        let mut released = Vec::new();
        let mut rest_follows = false;
        let arrived = loop {
            let Some(layer) = piece.layers.pop() else { break Some((piece.time, piece.packet)) };
            if !self.needs_first(&layer.key) {
                continue;
            }
            // The last fragment does not end its datagram here if its carrier goes on.
            let seen = Fragment { more: layer.fragment.more || rest_follows, ..layer.fragment };
            if seen.offset == 0 {
                released.extend(self.name(&piece, layer, seen));
                rest_follows = true;
            } else {
                match self.join(piece, layer, seen, placed) {
                    Some(further) => piece = further,
                    None => break None,
                }
            }
        };
        for piece in released {
            self.go_in(piece, placed);
        }
        placed.extend(arrived);
    }

    /// Whether the first fragment says something about the others that they do not: ports, an ICMP message, a packet
    /// inside, a protocol behind another header. Others are counted when they come.
    fn needs_first(&self, key: &DatagramKey) -> bool {
        let may_be_tunnel = self.tunnels == TunnelMode::Inner && CARRIERS.contains(&key.protocol.0);
        let hides_protocol = key.src.is_ipv6() || key.protocol == Protocol::AH;
        hides_protocol || key.protocol.has_ports() || key.protocol.is_icmp() || may_be_tunnel
    }

    /// A first fragment begins its datagram. Returns those that waited for it, which go on inside it.
    fn name(&mut self, piece: &Piece, layer: Layer, seen: Fragment) -> Vec<Piece> {
        let (waiting, extent) = match self.find(piece.time, &layer.key) {
            Some(Datagram { state: State::Waiting(waiting), extent, .. }) => {
                (std::mem::take(waiting), std::mem::take(extent))
            }
            _ => Default::default(),
        };
        self.waiting = self.waiting.saturating_sub(waiting.len());
        let first = First { layer, packet: piece.packet.clone(), inside: piece.layers.clone() };
        let released = waiting.into_iter().map(|late| first.continued(late)).collect();
        let state = State::Named(Box::new(first));
        self.insert(Datagram { time: piece.time, key: layer.key, extent, completed: None, state }, seen);
        released
    }

    /// A later fragment goes on inside its datagram, or waits for the first one. It may be one too many to wait.
    fn join(&mut self, piece: Piece, layer: Layer, seen: Fragment, placed: &mut Placed) -> Option<Piece> {
        let Piece { time, packet, .. } = piece;
        let late = Late { time, packet, fragment: layer.fragment };
        let Some(datagram) = self.find(time, &layer.key) else {
            self.waiting += 1;
            let state = State::Waiting(vec![late]);
            let extent = Extent::default();
            self.insert(Datagram { time, key: layer.key, extent, completed: None, state }, seen);
            return None;
        };
        datagram.see(time, seen);
        let waiting = match &mut datagram.state {
            State::Named(first) => return Some(first.continued(late)),
            State::Waiting(waiting) => waiting,
        };
        waiting.push(late);
        let released = if waiting.len() > MAX_WAITING { std::mem::take(waiting) } else { Vec::new() };
        self.waiting = (self.waiting + 1).saturating_sub(released.len());
        placed.extend(released.into_iter().map(Late::orphaned));
        None
    }

    /// The datagram that a fragment of `time` belongs to.
    fn find(&mut self, time: i64, key: &DatagramKey) -> Option<&mut Datagram> {
        let at = self.known.get(key)?.checked_sub(self.front)?;
        let datagram = self.queue.get_mut(usize::try_from(at).ok()?)?;
        datagram.takes(time).then_some(datagram)
    }

    /// Adds a datagram of which a fragment has been `seen`; it takes over the key.
    fn insert(&mut self, mut datagram: Datagram, seen: Fragment) {
        datagram.see(datagram.time, seen);
        self.known.insert(datagram.key, self.front + self.queue.len() as u64);
        self.queue.push_back(datagram);
    }

    /// Forgets the oldest datagram, and returns the state it had.
    fn pop(&mut self) -> Option<State> {
        let datagram = self.queue.pop_front()?;
        if self.known.get(&datagram.key) == Some(&self.front) {
            self.known.remove(&datagram.key);
        }
        self.front += 1;
        Some(datagram.state)
    }
}

impl DatagramKey {
    fn of(src: IpAddr, dst: IpAddr, fragment: Fragment, scope: u64) -> Self {
        // IPv6 datagrams are told by addresses and identification alone: fragments need not agree on the header that
        // follows the fragment header.
        let protocol = if src.is_ipv4() { fragment.protocol } else { Protocol::IPV6 };
        Self { src, dst, protocol, id: fragment.id, scope }
    }
}

impl Datagram {
    /// Whether a fragment of `time` belongs to it.
    fn takes(&self, time: i64) -> bool {
        let is_over = self.completed.is_some_and(|completed| time >= completed.saturating_add(COPIES));
        !is_over && time.abs_diff(self.time) < WAIT.unsigned_abs()
    }

    fn see(&mut self, time: i64, fragment: Fragment) {
        if self.completed.is_none() {
            self.extent.add(fragment);
            self.completed = self.extent.is_complete().then_some(time);
        }
    }
}

impl First {
    /// A later fragment as a packet of the flow that the first one belongs to. It is taken for what the first one is,
    /// also where it came another way: fragments stay together whatever the flow's key is made of.
    fn continued(&self, late: Late) -> Piece {
        let packet = Packet { tcp: None, payload_at: 0, ..self.packet.clone() };
        let packet = if self.layer.is_carrier {
            Packet { ip_bytes: late.fragment.len, ..packet }
        } else {
            let Packet { ip_bytes, tos, ttl, fragment, .. } = late.packet;
            Packet { ip_bytes, tos, ttl, fragment, ..packet }
        };
        let inside = self.inside.iter();
        let layers = inside.map(|layer| layer.beyond(self.layer.fragment, late.fragment)).collect();
        Piece { time: late.time, packet, layers }
    }
}

impl Late {
    /// What it is without its first.
    fn orphaned(self) -> (i64, Packet) {
        (self.time, self.packet)
    }
}

impl Layer {
    /// Of a layer that begins in a carrier's `first` fragment, what is in a `later` one.
    fn beyond(self, first: Fragment, later: Fragment) -> Self {
        let own = self.fragment;
        let gap = later.offset.saturating_sub(first.len);
        let fragment = Fragment {
            // Never that of a first fragment, also where the carrier's was cut before any payload.
            offset: own.offset.saturating_add(own.len).saturating_add(gap).max(1),
            len: later.len,
            more: own.more || later.more,
            ..own
        };
        Self { fragment, ..self }
    }
}

/// The layers of a packet that are in pieces, the outermost last.
fn layers(packet: &Packet, scope: impl Fn(Option<&Tunnel>) -> u64) -> Vec<Layer> {
    let outer = packet.outer.as_deref();
    let own = packet.fragment.map(|fragment| {
        let scope = scope(outer.and_then(|outer| outer.tunnel.as_ref()));
        let key = DatagramKey::of(packet.src, packet.dst, fragment, scope);
        Layer { key, fragment, is_carrier: false }
    });
    let carriers = outer.map_or(&[][..], |outer| &outer.carriers).iter().rev();
    let carriers = carriers.map(|carrier| {
        let scope = scope(carrier.tunnel.as_ref());
        let key = DatagramKey::of(carrier.src, carrier.dst, carrier.fragment, scope);
        Layer { key, fragment: carrier.fragment, is_carrier: true }
    });
    own.into_iter().chain(carriers).collect()
}
