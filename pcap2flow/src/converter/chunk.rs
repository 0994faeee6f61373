//! Packets on their way from the decoder to the meter, some thousand at a time.

use std::ops::ControlFlow;

use flowcore::Format;

use crate::packet::{Flat, Packet};
use crate::table::{Brief, Seen, Tagger};

/// Packets in the order of the capture.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    items: Vec<Item>,
    /// What items name by number.
    seen: Vec<Seen>,
    wholes: Vec<Whole>,
    sources: Vec<(String, Format)>,
    /// Payloads of the packets, one after the other.
    payloads: Vec<u8>,
}

/// What the meter gets: a cache line that nothing hangs on, as it goes from core to core.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) enum Item {
    /// A plain IPv4 packet.
    Brief(Brief),
    /// Another packet of the common kind, by number, and its tag.
    Seen(u32, u32),
    /// Any other packet, by number.
    Whole(u32),
    /// The packets that follow come from the capture of this number.
    Source(u32),
}

const _: () = assert!(size_of::<Item>() == 64);

/// A packet about which there is more to know.
#[derive(Debug)]
pub(super) struct Whole {
    /// Nanoseconds since 1970 UTC.
    pub(super) time: i64,
    pub(super) packet: Packet,
    /// Where its payload begins in the chunk, and how long it is.
    payload: (usize, usize),
}

/// A packet of the common kind.
pub(super) enum Plain {
    Brief(Brief),
    /// With its tag.
    Seen(u32, Seen),
}

impl Chunk {
    /// The packets.
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The packet of the common kind with this number.
    pub(super) fn seen(&self, number: u32) -> Option<&Seen> {
        self.seen.get(number as usize)
    }

    /// The packet of another kind with this number.
    pub(super) fn whole(&self, number: u32) -> Option<&Whole> {
        self.wholes.get(number as usize)
    }

    /// The name and format of the capture with this number.
    pub(super) fn source(&self, number: u32) -> Option<&(String, Format)> {
        self.sources.get(number as usize)
    }

    /// The payload of a packet, as far as it is wanted.
    pub(super) fn payload(&self, whole: &Whole) -> &[u8] {
        let (start, len) = whole.payload;
        self.payloads.get(start..).and_then(|payload| payload.get(..len)).unwrap_or_default()
    }

    /// Forgets all packets; their memory is kept.
    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.seen.clear();
        self.wholes.clear();
        self.sources.clear();
        self.payloads.clear();
    }

    /// Whether it should be handed on.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= CHUNK_ITEMS || self.payloads.len() >= CHUNK_PAYLOADS
    }

    /// The packets that follow come from this capture.
    pub(super) fn begin_source(&mut self, name: &str, format: Format) {
        self.items.push(Item::Source(number_of_next(&self.sources)));
        self.sources.push((name.to_owned(), format));
    }

    /// Adds a packet seen at `time` (nanoseconds since 1970 UTC), and as much of its payload as is wanted. Breaks when
    /// no more should follow for now.
    pub(super) fn add(
        &mut self,
        time: i64,
        packet: Packet,
        payload: &[u8],
        tagger: &Tagger,
    ) -> ControlFlow<()> {
        if payload.is_empty() && Seen::is_all_of(&packet) {
            return self.add_plain(Plain::of(time, &packet, tagger));
        }
        let place = (self.payloads.len(), payload.len());
        self.payloads.extend_from_slice(payload);
        self.items.push(Item::Whole(number_of_next(&self.wholes)));
        self.wholes.push(Whole { time, packet, payload: place });
        self.go_on()
    }

    /// Adds a packet in numbers. Breaks as [`add`](Self::add) does.
    #[inline(always)]
    pub(super) fn add_flat(&mut self, time: i64, flat: &Flat, tagger: &Tagger) -> ControlFlow<()> {
        self.items.push(Item::Brief(Brief::of_flat(time, flat, tagger)));
        self.go_on()
    }

    /// Adds a packet of which no more is to be known. Breaks as [`add`](Self::add) does.
    #[inline(always)]
    pub(super) fn add_plain(&mut self, plain: Plain) -> ControlFlow<()> {
        match plain {
            Plain::Brief(brief) => self.items.push(Item::Brief(brief)),
            Plain::Seen(tag, seen) => {
                self.items.push(Item::Seen(number_of_next(&self.seen), tag));
                self.seen.push(seen);
            }
        }
        self.go_on()
    }

    #[inline]
    fn go_on(&self) -> ControlFlow<()> {
        if self.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Plain {
    /// What the table has to know of a packet of which there is no more to know.
    #[inline(always)]
    pub(super) fn of(time: i64, packet: &Packet, tagger: &Tagger) -> Self {
        match Brief::of(time, packet, tagger) {
            Some(brief) => Self::Brief(brief),
            None => {
                let seen = Seen::of(time, packet);
                Self::Seen(tagger.tag_seen(&seen), seen)
            }
        }
    }
}

/// A chunk has a few thousand items.
fn number_of_next<T>(things: &[T]) -> u32 {
    u32::try_from(things.len()).unwrap_or(u32::MAX)
}

/// Packets that are handed on at a time: enough that handing on costs nothing, few enough to stay in a core's cache.
const CHUNK_ITEMS: usize = 4096;
/// Payload bytes after which a chunk is handed on.
const CHUNK_PAYLOADS: usize = 1024 * 1024;
