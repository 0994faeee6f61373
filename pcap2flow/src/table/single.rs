//! A flow of one packet is kept as that packet, in a cache line of its own: scans, lost connections and most queries
//! stay so, and in many captures most live flows are such.

use flowcore::TcpFlags;

use super::brief::{Brief, HIGH, ICMP, MACS, NO_VLAN, TCP};
use super::entry::{Entry, NEVER};
use super::half::Half;
use super::identity::{Directions, Scope, turn};
use super::key::{Key4, Side};
use super::outlook::Outlook;
use super::record::Sketch;
use super::seen::{Rare, Seen};
use crate::options::KeyParts;

/// The only packet of a flow, and what the table notes beside it. Packed, so that the flow's kind takes no more room.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(2))]
pub(super) struct Single {
    time: i64,
    /// Order of creation.
    number: u64,
    key: Key4,
    ip_bytes: u32,
    /// A TCP segment's sequence number, or an ICMP message's type and code.
    detail: u32,
    source: u32,
    macs: [[u8; 6]; 2],
    vlan: u16,
    flags: TcpFlags,
    tos: u8,
    ttl: u8,
    marks: u8,
}

/// The flow waits to be looked at; the other marks are those of a [`Brief`].
const WAITS: u8 = 1 << 4;
/// Stands for no capture: there are not so many.
const NO_SOURCE: u32 = u32::MAX;

impl Single {
    /// The flow that begins with this packet. `None` if more has to be kept of it: long addresses, or a handshake's
    /// answer, which has two numbers.
    #[inline]
    pub(super) fn of(seen: &Seen, number: u64, source: Option<u32>) -> Option<Self> {
        let key = seen.key.short()?;
        let (marks, detail) = match (seen.tcp, seen.icmp) {
            (Some(tcp), None) if !tcp.flags.contains(TcpFlags::SYN | TcpFlags::ACK) => (TCP, tcp.seq),
            (None, Some((kind, code))) => (ICMP, u32::from(kind) << 8 | u32::from(code)),
            (None, None) => (0, 0),
            _ => return None,
        };
        if seen.vlan == Some(NO_VLAN) || source == Some(NO_SOURCE) {
            return None;
        }
        let side = if seen.side == Side::High { HIGH } else { 0 };
        let has_macs = if seen.macs.is_some() { MACS } else { 0 };
        let (src_mac, dst_mac) = seen.macs.unwrap_or_default();
        Some(Self {
            time: seen.time,
            number,
            key,
            ip_bytes: seen.ip_bytes,
            detail,
            source: source.unwrap_or(NO_SOURCE),
            macs: [src_mac, dst_mac],
            vlan: seen.vlan.unwrap_or(NO_VLAN),
            flags: seen.tcp.map_or(TcpFlags(0), |tcp| tcp.flags),
            tos: seen.tos,
            ttl: seen.ttl,
            marks: marks | side | has_macs,
        })
    }

    /// The flow that begins with this packet; `None` as for [`of`](Self::of).
    #[inline]
    pub(super) fn begun_by(brief: &Brief, number: u64, source: Option<u32>) -> Option<Self> {
        if brief.has_flags(TcpFlags::SYN | TcpFlags::ACK) || source == Some(NO_SOURCE) {
            return None;
        }
        let &Brief { time, key, ip_bytes, detail, macs, vlan, flags, tos, ttl, marks, .. } = brief;
        let source = source.unwrap_or(NO_SOURCE);
        Some(Self { time, number, key, ip_bytes, detail, source, macs, vlan, flags, tos, ttl, marks })
    }

    /// The packet; what is not kept of it only counts in handshakes, and where a connection is measured.
    #[inline]
    pub(super) fn brief(&self) -> Brief {
        let &Self { time, number: _, key, ip_bytes, detail, source: _, macs, vlan, flags, tos, ttl, marks } =
            self;
        Brief {
            time,
            key,
            tag: 0,
            ip_bytes,
            detail,
            ack: 0,
            payload_len: 0,
            macs,
            vlan,
            flags,
            tos,
            ttl,
            marks: marks & !WAITS,
        }
    }

    /// The flow as one that can take further packets, waiting where it waits.
    pub(super) fn grown_waiting(&self, idle: i64) -> Entry {
        let waits = if self.waits() { self.outlook().settled(idle) } else { NEVER };
        Entry { waits, ticket: self.ticket(), ..self.grown() }
    }

    /// The flow as an entry that waits for nothing.
    pub(super) fn grown(&self) -> Entry {
        let seen = self.brief().seen();
        let mut entry = Entry::new(&seen, &Rare::default());
        entry.add(&seen, &[]);
        entry.number = self.number;
        entry.source = self.source();
        entry
    }

    /// What the flow's record is made of: the [grown](Self::grown) flow's would be the same.
    pub(super) fn sketch(&self, directions: Directions) -> Sketch {
        let (seen, mut sent) = (self.brief().seen(), Half::default());
        sent.add(&seen);
        let is_turned = seen.comes_from_responder() && directions == Directions::Both;
        let (own, other) = if is_turned { (Half::default(), sent) } else { (sent, Half::default()) };
        Sketch {
            key: seen.key,
            src: if is_turned { seen.side.other() } else { seen.side },
            own,
            peer: (directions == Directions::Both).then_some(other),
            source: self.source(),
            vlan: seen.vlan,
            macs: seen.macs.map(|macs| turn(macs, is_turned)),
        }
    }

    #[inline]
    pub(super) fn key(&self) -> Key4 {
        self.key
    }

    /// The number of the capture it is from.
    pub(super) fn source(&self) -> Option<u32> {
        Some(self.source).filter(|&source| source != NO_SOURCE)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Nothing that it waits for is ever taken back, so that its number is enough.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "tickets are told apart among those near one another"
    )]
    pub(super) fn ticket(&self) -> u32 {
        self.number as u32
    }

    /// Whether the flow waits to be looked at, at the moment when it is settled.
    pub(super) fn waits(&self) -> bool {
        self.has(WAITS)
    }

    pub(super) fn set_waits(&mut self, waits: bool) {
        self.marks = if waits { self.marks | WAITS } else { self.marks & !WAITS };
    }

    pub(super) fn scope(&self, parts: KeyParts) -> Option<Scope> {
        Scope::new(parts, self.vlan(), self.macs(), None)
    }

    pub(super) fn outlook(&self) -> Outlook {
        let is_reset = self.has(TCP) && self.flags.contains(TcpFlags::RST);
        Outlook {
            last: self.time,
            closed: is_reset.then_some(self.time),
            takes_orphans: self.key.takes_orphans(),
        }
    }

    fn vlan(&self) -> Option<u16> {
        Some(self.vlan).filter(|&vlan| vlan != NO_VLAN)
    }

    fn macs(&self) -> Option<([u8; 6], [u8; 6])> {
        let [src, dst] = self.macs;
        self.has(MACS).then_some((src, dst))
    }

    fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }
}
