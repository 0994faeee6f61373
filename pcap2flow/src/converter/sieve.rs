//! From a frame to the packet in it, unless the frame is left out: no IP in it, not in the packet filter, or seen
//! before. Every frame is counted, as used or for a reason.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::ops::ControlFlow;

use flowcore::{Result, SourceStats};

use super::chunk::{Chunk, Plain};
use crate::capture::{Frame, LinkType};
use crate::duplicates::Duplicates;
use crate::options::{MeterOptions, TunnelMode};
use crate::packet::{Notes, Packet, Skip, decode, decode_flat, decode_plain};
use crate::packet_filter::PacketFilter;
use crate::table::Tagger;

/// What a frame goes through once it has been read.
#[derive(Debug)]
pub(super) struct Sieve {
    tunnels: TunnelMode,
    tagger: Tagger,
    /// Bytes of a frame that are looked at.
    snap_length: usize,
    /// Bytes of a payload that are handed on.
    payload_bytes: usize,
    /// Whether nothing is looked at but what the meter needs of a packet of the common kind.
    is_plain: bool,
    filter: Option<PacketFilter>,
    duplicates: Option<Duplicates>,
    counts: Counts,
}

/// What became of the frames of a capture.
#[derive(Debug, Default)]
pub(super) struct Counts {
    used: u64,
    skipped: HashMap<Skip, u64>,
    /// For reasons beyond [`MAX_REASONS`].
    skipped_otherwise: u64,
    filtered: u64,
    duplicates: u64,
    /// By the number of the note.
    noted: [u64; Notes::ALL.len()],
}

impl Sieve {
    /// Fails for a packet filter about what no packet has.
    pub(super) fn new(options: &MeterOptions) -> Result<Self> {
        Ok(Self {
            tunnels: options.tunnels,
            tagger: Tagger::new(options.key),
            snap_length: options.snap_length.map_or(usize::MAX, |length| length as usize),
            payload_bytes: options.payload_bytes as usize,
            is_plain: options.payload_bytes == 0
                && options.packet_filter.is_none()
                && options.duplicates.is_none(),
            filter: options.packet_filter.as_deref().cloned().map(PacketFilter::new).transpose()?,
            duplicates: options.duplicates.map(Duplicates::new),
            counts: Counts::default(),
        })
    }

    /// Counts a frame, and adds its packet to a chunk if it is to be metered.
    #[inline]
    pub(super) fn take(&mut self, frame: &Frame<'_>, chunk: &mut Chunk) -> ControlFlow<()> {
        let data = frame.data.get(..self.snap_length).unwrap_or(frame.data);
        // What was captured was on the wire, also where we look at less of it.
        let wire_len = frame.wire_len.max(u32::try_from(frame.data.len()).unwrap_or(u32::MAX));
        let time = frame.time.as_nanos();
        if self.is_plain
            && let Some(flat) = decode_flat(self.tunnels, frame.link, wire_len, data)
        {
            self.counts.used += 1;
            self.counts.note(flat.notes);
            return chunk.add_flat(time, &flat, &self.tagger);
        }
        self.take_plain(time, frame.link, wire_len, data, chunk)
    }

    /// The way of the other frames of the common kind.
    #[inline(never)] // As below.
    fn take_plain(
        &mut self,
        time: i64,
        link: Option<LinkType>,
        wire_len: u32,
        data: &[u8],
        chunk: &mut Chunk,
    ) -> ControlFlow<()> {
        let tagger = &self.tagger;
        let plain = |packet: &Packet| (Plain::of(time, packet, tagger), packet.notes);
        if self.is_plain
            && let Some((plain, notes)) = decode_plain(self.tunnels, link, wire_len, data, plain)
        {
            self.counts.used += 1;
            self.counts.note(notes);
            return chunk.add_plain(plain);
        }
        self.take_any(time, link, wire_len, data, chunk)
    }

    /// The way of all frames that are not of the common kind, or are looked at more closely.
    #[inline(never)] // Keeps the rare frames' code out of the common ones'.
    fn take_any(
        &mut self,
        time: i64,
        link: Option<LinkType>,
        wire_len: u32,
        data: &[u8],
        chunk: &mut Chunk,
    ) -> ControlFlow<()> {
        let packet = match decode(self.tunnels, link, wire_len, data) {
            Ok(packet) => packet,
            Err(reason) => {
                self.counts.skip(reason);
                return ControlFlow::Continue(());
            }
        };
        if !self.admits(time, &packet, data) {
            return ControlFlow::Continue(());
        }
        self.counts.used += 1;
        self.counts.note(packet.notes);
        let payload = packet.payload(data);
        let payload = payload.get(..self.payload_bytes).unwrap_or(payload);
        chunk.add(time, packet, payload, &self.tagger)
    }

    /// What makes the tags of packets.
    pub(super) fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    /// What became of the frames since the counts were taken last.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The counts, which begin again at zero.
    pub(super) fn take_counts(&mut self) -> Counts {
        mem::take(&mut self.counts)
    }

    /// Whether a packet is to be metered; counts one that is not. The filter comes first, so that the window of
    /// duplicates is one of packets that match.
    #[inline]
    fn admits(&mut self, time: i64, packet: &Packet, data: &[u8]) -> bool {
        if let Some(filter) = &self.filter
            && !filter.matches(time, packet, packet.payload(data))
        {
            self.counts.filtered += 1;
            return false;
        }
        if let Some(duplicates) = &mut self.duplicates
            && duplicates.is_duplicate(time, packet.ip_bytes, packet.ip_packet(data))
        {
            self.counts.duplicates += 1;
            return false;
        }
        true
    }
}

impl Counts {
    /// Adds the counts to the account of a source.
    pub(super) fn add_to(&self, stats: &mut SourceStats) {
        stats.frames_used += self.used;
        for (reason, &count) in &self.skipped {
            add(&mut stats.frames_skipped, reason.to_string(), count);
        }
        add(&mut stats.frames_skipped, OTHER_REASONS.to_owned(), self.skipped_otherwise);
        add(&mut stats.frames_skipped, NOT_IN_FILTER.to_owned(), self.filtered);
        add(&mut stats.frames_skipped, DUPLICATE.to_owned(), self.duplicates);
        for (note, &count) in Notes::ALL.iter().zip(&self.noted) {
            add(&mut stats.frames_noted, note.to_string(), count);
        }
    }

    fn skip(&mut self, reason: Skip) {
        if let Some(count) = self.skipped.get_mut(&reason) {
            *count += 1;
        } else if self.skipped.len() < MAX_REASONS {
            self.skipped.insert(reason, 1);
        } else {
            self.skipped_otherwise += 1;
        }
    }

    #[inline]
    fn note(&mut self, notes: Notes) {
        if notes.is_empty() {
            return;
        }
        for (note, count) in Notes::ALL.into_iter().zip(&mut self.noted) {
            *count += u64::from(notes.contains(note));
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, what: String, count: u64) {
    if count > 0 {
        *counts.entry(what).or_default() += count;
    }
}

/// Reasons that are told apart per capture. A frame names its EtherType, and in some formats its link type, so a
/// capture could make up any number of them.
const MAX_REASONS: usize = 256;
/// Key of the statistics for frames skipped for further reasons.
const OTHER_REASONS: &str = "other reasons";
/// Key of the statistics for packets that the packet filter leaves out.
const NOT_IN_FILTER: &str = "not in the packet filter";
/// Key of the statistics for packets that were captured before.
const DUPLICATE: &str = "duplicate";
