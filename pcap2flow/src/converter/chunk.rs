//! Packets on their way from the decoder to the meter, some thousand at a time.

use std::ops::ControlFlow;

use flowcore::Format;

use crate::packet::Packet;
use crate::table::Seen;

/// Packets in the order of the capture.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    items: Vec<Item>,
    /// Payloads of the packets, one after the other.
    payloads: Vec<u8>,
}

/// What the meter gets.
#[derive(Debug)]
pub(super) enum Item {
    /// A packet of the common kind.
    Plain(Seen),
    /// Any other packet.
    Whole(Box<Whole>),
    /// The packets that follow come from this capture.
    Source(Box<(String, Format)>),
}

/// A packet about which there is more to know.
#[derive(Debug)]
pub(super) struct Whole {
    /// Nanoseconds since 1970 UTC.
    pub(super) time: i64,
    pub(super) packet: Packet,
    /// Where its payload begins in the chunk, and how long it is.
    payload: (usize, usize),
}

impl Chunk {
    /// The packets.
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The packets of the common kind among the next ones from `start` on.
    pub(super) fn group<const N: usize>(&self, start: usize) -> [Option<&Seen>; N] {
        std::array::from_fn(|at| match self.items.get(start + at) {
            Some(Item::Plain(seen)) => Some(seen),
            _ => None,
        })
    }

    /// The payload of a packet, as far as it is wanted.
    pub(super) fn payload(&self, whole: &Whole) -> &[u8] {
        let (start, len) = whole.payload;
        self.payloads.get(start..).and_then(|payload| payload.get(..len)).unwrap_or_default()
    }

    /// Forgets all packets; their memory is kept.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.payloads.clear();
    }

    /// Whether it should be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= CHUNK_ITEMS || self.payloads.len() >= CHUNK_PAYLOADS
    }

    /// The packets that follow come from this capture.
    pub(super) fn begin_source(&mut self, name: &str, format: Format) {
        self.items.push(Item::Source(Box::new((name.to_owned(), format))));
    }

    /// Adds a packet seen at `time` (nanoseconds since 1970 UTC), and as much of its payload as is wanted. Breaks when
    /// no more should follow for now.
    pub(super) fn add(&mut self, time: i64, packet: Packet, payload: &[u8]) -> ControlFlow<()> {
        if payload.is_empty() && Seen::is_all_of(&packet) {
            return self.add_plain(Seen::of(time, &packet));
        }
        let place = (self.payloads.len(), payload.len());
        self.payloads.extend_from_slice(payload);
        self.items.push(Item::Whole(Box::new(Whole { time, packet, payload: place })));
        self.go_on()
    }

    /// Adds a packet of which no more is to be known. Breaks as [`add`](Self::add) does.
    #[inline]
    pub(super) fn add_plain(&mut self, seen: Seen) -> ControlFlow<()> {
        self.items.push(Item::Plain(seen));
        self.go_on()
    }

    #[inline]
    fn go_on(&self) -> ControlFlow<()> {
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Packets that are handed on at a time: enough that handing on costs nothing, few enough to stay in a core's cache.
const CHUNK_ITEMS: usize = 2048;
/// Payload bytes after which a chunk is handed on.
const CHUNK_PAYLOADS: usize = 1024 * 1024;
