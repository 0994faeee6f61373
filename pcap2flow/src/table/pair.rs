//! An IPv4 flow of several packets, in two cache lines: what finds and ends it, and what it counts.
//!
//! It says what an [`Entry`] says, as long as nothing is asked for that few flows have: scopes, TCP quality, payloads,
//! records of one direction. Then it needs no times of a single side, and what a packet changes lies together. What does
//! not fit, such as a packet that may end it, is left to the [`Entry`] that becomes of it.

use flowcore::TcpFlags;

use super::brief::{Brief, MACS, NO_VLAN, TCP};
use super::entry::{Entry, NEVER};
use super::half::Half;
use super::identity::{Identity, turn};
use super::key::{Key4, Side};
use super::outlook::{LINGER, Outlook};
use super::record::Sketch;
use super::single::Single;

/// What finds a flow and ends it. Packed, so that the flow's kind takes no more room.
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(2))]
pub(super) struct Head {
    pub(super) number: u64,
    /// The moment for which the flow waits to be looked at, or [`NEVER`].
    pub(super) waits: i64,
    /// Time of the earliest packet, and of the latest.
    first: i64,
    last: i64,
    key: Key4,
    /// Tells the place where it waits from places where it did.
    pub(super) ticket: u32,
    /// The place of what it counts.
    pub(super) more: u32,
    /// Nanoseconds from the end of the TCP connection to the latest packet, or [`OPEN`].
    lingered: u32,
    /// The capture in which it began.
    source: u16,
}

/// What a flow counts.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct More {
    low: Way,
    high: Way,
    /// Source and destination of the first packet.
    macs: [[u8; 6]; 2],
    vlan: u16,
    /// Smallest and largest.
    ttl: (u8, u8),
}

/// What one side sent.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    bytes: u64,
    packets: u32,
    /// Sequence number of this side's SYN, or type and code of its first ICMP message.
    detail: u32,
    /// Sequence number that it acknowledged with its SYN.
    syn_ack: u32,
    flags: TcpFlags,
    /// Of the first packet.
    tos: u8,
    marks: u8,
    is_initiator: bool,
}

/// A flow as one.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub(super) head: &'a mut Head,
    pub(super) more: &'a mut More,
}

/// There was a SYN of this side.
const SYN: u8 = 1;
/// There was a SYN with ACK of this side.
const SYN_ACK: u8 = 1 << 1;
/// This side has said that it is done.
const FIN: u8 = 1 << 2;
/// A SYN without ACK has shown that this side is the initiator.
const OPENED: u8 = 1 << 3;
/// This side sent the first packet.
const FIRST: u8 = 1 << 4;
/// The MAC addresses of the first packet are known.
const HAS_MACS: u8 = 1 << 5;
/// Stands for no capture.
const NO_SOURCE: u16 = u16::MAX;
/// The connection has not ended.
const OPEN: u32 = u32::MAX;

/// A cache line.
const _: () = assert!(size_of::<Option<More>>() == 64);

impl Head {
    /// A flow without packets that takes the place of one with a single packet.
    fn after(single: &Single, idle: i64) -> Option<Self> {
        let fits = |source| u16::try_from(source).ok().filter(|&source| source != NO_SOURCE);
        Some(Self {
            number: single.number(),
            waits: if single.waits() { single.outlook().settled(idle) } else { NEVER },
            first: i64::MAX,
            last: i64::MIN,
            key: single.key(),
            ticket: single.ticket(),
            more: u32::MAX,
            lingered: OPEN,
            source: single.source().map_or(Some(NO_SOURCE), fits)?,
        })
    }

    #[inline]
    pub(super) fn key(&self) -> Key4 {
        self.key
    }

    /// When the flow is over, as far as is known.
    #[inline]
    pub(super) fn outlook(&self) -> Outlook {
        Outlook { last: self.last, closed: self.closed(), takes_orphans: self.key.takes_orphans() }
    }

    #[inline]
    fn closed(&self) -> Option<i64> {
        (self.lingered != OPEN).then(|| self.last - i64::from(self.lingered))
    }

    /// What the flow's record is made of: the [entry](Self::entry)'s would be the same.
    pub(super) fn sketch(&self, more: &More) -> Sketch {
        let src = more.initiator();
        Sketch {
            key: self.key.whole(),
            src,
            own: self.half(more, src),
            peer: Some(self.half(more, src.other())),
            source: self.source(),
            vlan: more.vlan(),
            macs: more.macs().map(|macs| turn(macs, src != more.first_side())),
        }
    }

    /// The same flow as an entry.
    pub(super) fn entry(&self, more: &More) -> Entry {
        let initiator = more.initiator();
        let half = |side| self.half(more, side);
        Entry {
            key: self.key.whole(),
            number: self.number,
            waits: self.waits,
            ticket: self.ticket,
            source: self.source(),
            initiator,
            forward: half(initiator),
            reverse: half(initiator.other()),
            identity: Identity::plain(more.first_side(), more.vlan(), more.macs()),
            quality: None,
            payloads: None,
            opened: (more.low.marks | more.high.marks) & OPENED != 0,
            closed: self.closed(),
        }
    }

    /// The number of the capture in which it began.
    fn source(&self) -> Option<u32> {
        Some(self.source).filter(|&source| source != NO_SOURCE).map(u32::from)
    }

    /// What a side sent. Which times and TTL are whose makes no difference to a record of both directions.
    fn half(&self, more: &More, side: Side) -> Half {
        let way = more.way(side);
        if way.packets == 0 {
            return Half::default();
        }
        let [.., kind, code] = way.detail.to_be_bytes();
        Half {
            packets: way.packets.into(),
            bytes: way.bytes,
            first: self.first,
            last: self.last,
            syn: way.has(SYN).then_some(way.detail),
            syn_ack: way.has(SYN_ACK).then_some(way.syn_ack),
            flags: way.flags,
            fin: way.has(FIN),
            tos: way.tos,
            ttl: more.ttl,
            icmp: self.key.is_icmp().then_some((kind, code)),
        }
    }
}

impl More {
    /// What a flow counts that begins with this packet, which still has to be added.
    fn of(brief: &Brief) -> Self {
        let is_turned = brief.comes_from_responder();
        let marks = FIRST | if brief.has(MACS) { HAS_MACS } else { 0 };
        let own = Way { marks, is_initiator: !is_turned, ..Way::default() };
        let other = Way { is_initiator: is_turned, ..Way::default() };
        let (low, high) = if brief.side() == Side::Low { (own, other) } else { (other, own) };
        Self { low, high, macs: brief.macs, vlan: brief.vlan, ttl: (u8::MAX, u8::MIN) }
    }

    fn initiator(&self) -> Side {
        if self.high.is_initiator { Side::High } else { Side::Low }
    }

    /// The side that sent the first packet.
    fn first_side(&self) -> Side {
        if self.high.has(FIRST) { Side::High } else { Side::Low }
    }

    fn vlan(&self) -> Option<u16> {
        Some(self.vlan).filter(|&vlan| vlan != NO_VLAN)
    }

    /// Source and destination of the first packet.
    fn macs(&self) -> Option<([u8; 6], [u8; 6])> {
        let [src, dst] = self.macs;
        ((self.low.marks | self.high.marks) & HAS_MACS != 0).then_some((src, dst))
    }

    #[inline]
    fn way(&self, side: Side) -> &Way {
        if side == Side::Low { &self.low } else { &self.high }
    }

    /// What a side sent, and what the other one did.
    #[inline]
    fn ways(&mut self, side: Side) -> (&mut Way, &mut Way) {
        match side {
            Side::Low => (&mut self.low, &mut self.high),
            Side::High => (&mut self.high, &mut self.low),
        }
    }
}

/// A flow of a single packet as one that can take more; `None` where it does not fit.
pub(super) fn grown(single: &Single, idle: i64) -> Option<(Head, More)> {
    let mut head = Head::after(single, idle)?;
    let brief = single.brief();
    let mut more = More::of(&brief);
    Pair { head: &mut head, more: &mut more }.add(&brief);
    Some((head, more))
}

impl Pair<'_> {
    /// Whether a packet belongs to the flow and ends nothing, as far as can be told here.
    #[inline]
    pub(super) fn takes(&self, brief: &Brief, idle: i64, active: i64) -> bool {
        let (time, first, last) = (brief.time, self.head.first, self.head.last);
        let is_closed = self.is_closed();
        let own = self.more.way(brief.side()).packets;
        let deadline = match self.head.closed() {
            Some(closed) => closed.saturating_add(LINGER.min(idle)),
            None => last.saturating_add(idle),
        };
        let is_in_time = time < deadline && time > first.saturating_sub(idle);
        let span = last.max(time).saturating_sub(first.min(time));
        let fits = !is_closed || time <= last || self.lingers_with(time).is_some();
        is_in_time
            && own < u32::MAX
            && (is_closed && fits || !is_closed && span < active)
            && !(brief.has_flags(TcpFlags::SYN) && self.may_be_followed_by(brief))
    }

    /// Whether the end of a TCP connection has been seen.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.head.lingered != OPEN
    }

    /// Counts a packet that belongs to the flow.
    #[inline]
    pub(super) fn add(&mut self, brief: &Brief) {
        if brief.has_flags(TcpFlags::SYN) {
            self.find_initiator(brief);
        }
        let (own, _) = self.more.ways(brief.side());
        if own.packets == 0 {
            own.tos = brief.tos;
            // With TCP, the number of a SYN has its place here.
            own.detail = if brief.has(TCP) { own.detail } else { brief.detail };
        }
        own.packets += 1;
        own.bytes = own.bytes.saturating_add(u64::from(brief.ip_bytes));
        let ttl = &mut self.more.ttl;
        *ttl = (ttl.0.min(brief.ttl), ttl.1.max(brief.ttl));
        self.note_time(brief.time);
        if brief.has(TCP) {
            self.note(brief);
        }
    }

    #[inline]
    fn note_time(&mut self, time: i64) {
        if let Some(lingered) = self.lingers_with(time) {
            self.head.lingered = lingered;
        }
        self.head.first = time.min(self.head.first);
        self.head.last = time.max(self.head.last);
    }

    /// How long the flow has gone on behind the end of its connection, if that has been seen and a packet of this time
    /// is the latest.
    #[inline]
    fn lingers_with(&self, time: i64) -> Option<u32> {
        let closed = self.head.closed().filter(|_| time > self.head.last)?;
        u32::try_from(time.saturating_sub(closed)).ok().filter(|&lingered| lingered != OPEN)
    }

    /// What a TCP segment says.
    fn note(&mut self, brief: &Brief) {
        let (own, peer) = self.more.ways(brief.side());
        own.flags |= brief.flags;
        if brief.flags.contains(TcpFlags::FIN) {
            own.marks |= FIN;
        }
        if brief.flags.contains(TcpFlags::SYN) {
            own.note_syn(brief);
        }
        let is_over = own.has(FIN) && peer.has(FIN) || brief.flags.contains(TcpFlags::RST);
        if is_over && !self.is_closed() {
            self.head.lingered = 0;
        }
    }

    /// As [`Entry::add`] does.
    fn find_initiator(&mut self, brief: &Brief) {
        let (own, peer) = self.more.ways(brief.side());
        let is_answer = brief.flags.contains(TcpFlags::ACK);
        let noted = own.marks | peer.marks;
        if noted & OPENED != 0 || is_answer && noted & SYN != 0 {
            return;
        }
        own.marks |= if is_answer { 0 } else { OPENED };
        (own.is_initiator, peer.is_initiator) = (!is_answer, is_answer);
    }

    /// Whether a SYN may open another connection between the same ports: those of the flow have other numbers, or its
    /// beginning was not seen.
    fn may_be_followed_by(&self, brief: &Brief) -> bool {
        let (own, peer) = (self.more.way(brief.side()), self.more.way(brief.side().other()));
        if brief.flags.contains(TcpFlags::ACK) {
            return !peer.has(SYN) && own.has(SYN) && own.detail != brief.detail;
        }
        if own.has(SYN) {
            return own.detail != brief.detail;
        }
        !peer.has(SYN_ACK) || peer.syn_ack != brief.detail.wrapping_add(1)
    }
}

impl Way {
    fn has(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    fn note_syn(&mut self, brief: &Brief) {
        if !self.has(SYN) {
            (self.detail, self.marks) = (brief.detail, self.marks | SYN);
        }
        if brief.flags.contains(TcpFlags::ACK) && !self.has(SYN_ACK) {
            (self.syn_ack, self.marks) = (brief.ack, self.marks | SYN_ACK);
        }
    }
}
