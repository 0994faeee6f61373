//! What a flow is known by beside its key: VLAN, MAC addresses, and what was around its first packet.
//!
//! With `--key` some of that tells flows apart too. The key itself does not grow for it: a [`Scope`] is mixed into the
//! hash and held against the flow's identity.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use flowcore::{Field, FlowBatch, Protocol};
use foldhash::fast::RandomState;

use super::key::{Key, Key4, Side};
use super::seen::{Rare, Seen};
use crate::options::KeyParts;
use crate::packet::{Packet, Tunnel, TunnelKind};

/// What a record says about the flow as a whole, from its first packet.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// The side that sent the packet.
    side: Side,
    vlan: Option<u16>,
    /// Source and destination of the packet.
    macs: Option<([u8; 6], [u8; 6])>,
    /// Most packets have nothing around them.
    wrapping: Option<Box<Wrapping>>,
}

/// What was around the packet, and what hides its inside.
#[derive(Debug, Clone)]
struct Wrapping {
    tunnel: Option<Tunnel>,
    mpls: Box<[u32]>,
    spi: Option<u32>,
}

/// Which directions a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Directions {
    /// Both.
    #[default]
    Both,
    /// One only.
    One,
}

impl Identity {
    /// What a packet says.
    pub(super) fn of(seen: &Seen, rare: &Rare<'_>) -> Self {
        let wrapping = rare.wrapped.and_then(Wrapping::of);
        Self { side: seen.side, vlan: seen.vlan, macs: seen.macs, wrapping }
    }

    /// What a packet of `side` says that has nothing around it.
    pub(super) fn plain(side: Side, vlan: Option<u16>, macs: Option<([u8; 6], [u8; 6])>) -> Self {
        Self { side, vlan, macs, wrapping: None }
    }

    /// What tells the flow apart from others with the same key.
    pub(super) fn scope(&self, parts: KeyParts) -> Option<Scope> {
        let tunnel = self.wrapping.as_ref().and_then(|wrapping| wrapping.tunnel.as_ref());
        Scope::new(parts, self.vlan, self.macs, tunnel)
    }

    /// The identifier of the VLAN.
    pub(super) fn vlan(&self) -> Option<u16> {
        self.vlan
    }

    /// The MAC addresses of `src` and of the other side.
    pub(super) fn macs(&self, src: Side) -> Option<([u8; 6], [u8; 6])> {
        self.macs.map(|macs| turn(macs, src != self.side))
    }

    /// Whether something was around the packet, or hides its inside.
    pub(super) fn is_wrapped(&self) -> bool {
        self.wrapping.is_some()
    }

    /// Fills a row with what was around the packet. It is about what `src` sent, or about both directions, `src` being
    /// the source.
    pub(super) fn export_wrapping(&self, src: Side, directions: Directions, batch: &mut FlowBatch) {
        if let Some(wrapping) = &self.wrapping {
            wrapping.export(src != self.side, directions, batch);
        }
    }
}

impl Wrapping {
    fn of(packet: &Packet) -> Option<Box<Self>> {
        let tunnel = packet.outer.as_ref().and_then(|outer| outer.tunnel);
        let mpls = packet.outer.as_ref().map_or(&[][..], |outer| &outer.mpls);
        if tunnel.is_none() && mpls.is_empty() && packet.spi.is_none() {
            return None;
        }
        Some(Box::new(Self { tunnel, mpls: mpls.into(), spi: packet.spi }))
    }

    /// Labels, security parameters and some tunnels' identifiers are those of one direction; a record of the other
    /// direction alone does not have them.
    fn export(&self, is_turned: bool, directions: Directions, batch: &mut FlowBatch) {
        let is_other_way = is_turned && directions == Directions::One;
        if let Some(tunnel) = self.tunnel {
            let (src, dst) = turn((tunnel.src, tunnel.dst), is_turned);
            batch.set_addr(Field::TunSrcAddr, src.into());
            batch.set_addr(Field::TunDstAddr, dst.into());
            batch.set_number(Field::TunProto, u64::from(tunnel.protocol.0));
            batch.set_text(Field::TunType, &tunnel.kind.to_string());
            if let Some(id) = tunnel.id.filter(|_| !is_other_way || tunnel.kind.id_is_shared()) {
                batch.set_number(Field::TunId, u64::from(id));
            }
        }
        if is_other_way {
            return;
        }
        for (&label, field) in self.mpls.iter().zip(Field::MPLS) {
            batch.set_number(field, u64::from(label));
        }
        if let Some(spi) = self.spi {
            batch.set_number(Field::Spi, u64::from(spi));
        }
    }
}

/// What packets of a flow have in common beside its key, without direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    vlan: Option<u16>,
    macs: Option<([u8; 6], [u8; 6])>,
    tunnel: Option<TunnelScope>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TunnelScope {
    ends: (IpAddr, IpAddr),
    protocol: Protocol,
    kind: TunnelKind,
    /// Where both directions have the same.
    id: Option<u32>,
}

impl Scope {
    /// The scope of a packet; `None` if nothing but the key tells flows apart.
    #[inline]
    pub(super) fn of(parts: KeyParts, seen: &Seen, rare: &Rare<'_>) -> Option<Self> {
        Self::new(parts, seen.vlan, seen.macs, rare.tunnel())
    }

    /// What all fragments of a datagram agree on: their MAC addresses may differ, and what the datagram carries only
    /// the first one shows, so that `tunnel` is the one around them.
    pub(super) fn of_datagram(parts: KeyParts, fragment: &Packet, tunnel: Option<&Tunnel>) -> Option<Self> {
        Self::new(KeyParts { mac: false, ..parts }, fragment.vlan, None, tunnel)
    }

    /// Of what a flow or a packet is known by beside its key.
    #[inline]
    pub(super) fn new(
        parts: KeyParts,
        vlan: Option<u16>,
        macs: Option<([u8; 6], [u8; 6])>,
        tunnel: Option<&Tunnel>,
    ) -> Option<Self> {
        (parts != KeyParts::default()).then(|| Self {
            vlan: vlan.filter(|_| parts.vlan),
            macs: macs.filter(|_| parts.mac).map(ordered),
            tunnel: tunnel.filter(|_| parts.tunnel).map(TunnelScope::of),
        })
    }
}

/// Makes tags of packets and flows, by which flows are looked for: the same ones for the same keys and scopes, wherever a
/// clone of it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tagger {
    parts: KeyParts,
    hasher: RandomState,
}

impl Tagger {
    /// For flows that are told apart by `parts` too.
    pub(crate) fn new(parts: KeyParts) -> Self {
        Self { parts, hasher: RandomState::default() }
    }

    /// What tells flows apart beside their keys.
    #[inline]
    pub(super) fn parts(&self) -> KeyParts {
        self.parts
    }

    /// The tag of a key and a scope.
    #[inline]
    pub(super) fn tag(&self, key: &Key, scope: Option<Scope>) -> u32 {
        match key.short() {
            Some(key) => self.tag_short(key, || scope),
            None => self.tag_of(key, scope),
        }
    }

    /// The tag of a packet of which there is nothing more to know.
    pub(crate) fn tag_seen(&self, seen: &Seen) -> u32 {
        self.tag(&seen.key, Scope::of(self.parts, seen, &Rare::default()))
    }

    /// [`tag`](Self::tag) for a key of IPv4 packets; the scope is made if there can be one.
    #[inline]
    pub(super) fn tag_short(&self, key: Key4, scope: impl FnOnce() -> Option<Scope>) -> u32 {
        if self.parts == KeyParts::default() { self.tag_of(key, None) } else { self.tag_of(key, scope()) }
    }

    /// A hash of a scope.
    pub(super) fn scope_hash(&self, scope: Option<Scope>) -> u64 {
        scope.map_or(0, |scope| self.hasher.hash_one(scope))
    }

    #[inline]
    fn tag_of(&self, key: impl Hash, scope: Option<Scope>) -> u32 {
        let hash = match scope {
            None => self.hasher.hash_one(key),
            Some(scope) => self.hasher.hash_one((key, scope)),
        };
        (hash >> 32) as u32
    }
}

impl TunnelScope {
    fn of(tunnel: &Tunnel) -> Self {
        Self {
            ends: ordered((tunnel.src, tunnel.dst)),
            protocol: tunnel.protocol,
            kind: tunnel.kind,
            id: tunnel.id.filter(|_| tunnel.kind.id_is_shared()),
        }
    }
}

fn ordered<T: Ord>(ends: (T, T)) -> (T, T) {
    let is_turned = ends.1 < ends.0;
    turn(ends, is_turned)
}

/// Both ends, the other one first if the flow is turned.
pub(super) fn turn<T>((src, dst): (T, T), is_turned: bool) -> (T, T) {
    if is_turned { (dst, src) } else { (src, dst) }
}
