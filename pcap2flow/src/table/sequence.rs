//! TCP segments that were sent again, and those that came after later ones, by their sequence numbers.
//!
//! One direction of a connection in, two counters out. Sequence numbers are compared modulo 2^32 (RFC 9293 §3.4). A
//! segment that brings nothing new was sent again, unless it fills a hole that opened so short a time ago that its
//! sender cannot know of it yet: then the network changed the order. What the receiver has acknowledged already was sent
//! again however that may be. Wireshark's analysis has the same rules
//! (<https://www.wireshark.org/docs/wsug_html_chunked/ChAdvTCPAnalysis.html>), but for segments that bring something
//! new after what they repeat, which count as neither here.

use flowcore::TcpFlags;

use crate::packet::Tcp;

/// The sequence numbers one side has used, as far as they were seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequence {
    /// Segments that repeat what was sent before.
    pub(super) retransmits: u64,
    /// Segments that came after segments sent later.
    pub(super) out_of_order: u64,
    seen: Option<Range>,
    /// The highest number that the receiver has acknowledged.
    acknowledged: Option<u32>,
    /// What is missing within; empty ones are free places.
    holes: [Hole; MAX_HOLES],
}

/// From the lowest sequence number seen to the one after the highest.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: u32,
    end: u32,
}

/// Sequence numbers that were jumped over.
#[derive(Debug, Clone, Copy, Default)]
struct Hole {
    start: u32,
    end: u32,
    /// When the segment behind it was seen.
    opened: i64,
}

/// Holes that are remembered; one more replaces the oldest. Losses come in bursts, and a burst is one hole.
const MAX_HOLES: usize = 4;

/// How far back sequence numbers are remembered: half of what can be compared.
const MEMORY: u32 = 1 << 30;

impl Sequence {
    /// The same direction in the record that goes on.
    pub(super) fn continued(&self) -> Self {
        Self { retransmits: 0, out_of_order: 0, ..self.clone() }
    }

    /// Judges a segment; one that fills a hole not older than `patience` nanoseconds is out of order.
    pub(super) fn note(&mut self, time: i64, tcp: Tcp, patience: i64) {
        if tcp.flags.contains(TcpFlags::RST) {
            return;
        }
        let marks =
            [TcpFlags::SYN, TcpFlags::FIN].into_iter().filter(|&flag| tcp.flags.contains(flag)).count();
        let len = tcp.payload_len.saturating_add(marks as u32);
        let segment = Range { start: tcp.seq, end: tcp.seq.wrapping_add(len) };
        let Some(seen) = self.seen else {
            self.seen = Some(segment);
            return;
        };
        if len > 0 && is_after(segment.end, seen.end) {
            return self.extend(time, seen, segment);
        }
        let is_keep_alive = len <= 1 && marks == 0 && segment.start == seen.end.wrapping_sub(1);
        if len > 0 && !is_keep_alive {
            self.go_back(time, seen, segment, patience);
        }
    }

    /// The receiver says that it has everything before this number.
    pub(super) fn acknowledge(&mut self, number: u32) {
        if self.acknowledged.is_none_or(|before| is_after(number, before)) {
            self.acknowledged = Some(number);
        }
    }

    /// A segment with something new at its end.
    fn extend(&mut self, time: i64, seen: Range, segment: Range) {
        if is_after(segment.start, seen.end) {
            self.keep(Hole { start: seen.end, end: segment.start, opened: time });
        } else {
            self.fill(segment);
        }
        let horizon = segment.end.wrapping_sub(MEMORY);
        let start = if is_after(horizon, seen.start) { horizon } else { seen.start };
        self.seen = Some(Range { start, end: segment.end });
        let is_far = |hole: &Hole| is_after(horizon, hole.start);
        self.holes.iter_mut().filter(|hole| is_far(hole)).for_each(|hole| *hole = Hole::default());
    }

    /// A segment with nothing new at its end.
    fn go_back(&mut self, time: i64, seen: Range, segment: Range, patience: i64) {
        let is_known = self.acknowledged.is_some_and(|number| !is_after(segment.end, number));
        let is_late = if is_after(seen.start, segment.start) {
            // From before the first one seen. Where it joins on, it is seen from now on.
            let start = if is_after(seen.start, segment.end) { seen.start } else { segment.start };
            self.seen = Some(Range { start, ..seen });
            true
        } else {
            self.fill(segment).is_some_and(|opened| time.saturating_sub(opened) <= patience)
        };
        *(if is_late && !is_known { &mut self.out_of_order } else { &mut self.retransmits }) += 1;
    }

    /// Takes a segment out of the holes; when the latest of those that it fills was opened.
    fn fill(&mut self, segment: Range) -> Option<i64> {
        let mut opened = None;
        for hole in std::mem::take(&mut self.holes) {
            if !is_after(segment.end, hole.start) || !is_after(hole.end, segment.start) {
                self.keep(hole);
                continue;
            }
            opened = opened.max(Some(hole.opened));
            self.keep(Hole { end: segment.start, ..hole });
            self.keep(Hole { start: segment.end, ..hole });
        }
        opened
    }

    /// Remembers a hole unless nothing is left of it.
    fn keep(&mut self, hole: Hole) {
        if !is_after(hole.end, hole.start) {
            return;
        }
        let age = |hole: &&mut Hole| (hole.start != hole.end).then_some(hole.opened);
        if let Some(place) = self.holes.iter_mut().min_by_key(age) {
            *place = hole;
        }
    }
}

/// Whether a sequence number comes after another one.
const fn is_after(number: u32, other: u32) -> bool {
    number.wrapping_sub(other).wrapping_sub(1) < u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: i64 = 1_000_000;

    #[test]
    fn what_was_acknowledged_was_sent_again() {
        for (acknowledged, expected) in [(300, (1, 0)), (299, (0, 1))] {
            let mut sequence = Sequence::default();
            let segment = |seq| Tcp { flags: TcpFlags::ACK, seq, ack: 0, payload_len: 100 };
            sequence.note(0, segment(100), 3 * MILLI);
            sequence.note(0, segment(300), 3 * MILLI);
            sequence.acknowledge(acknowledged);
            sequence.acknowledge(5);
            sequence.note(0, segment(200), 3 * MILLI);
            assert_eq!((sequence.retransmits, sequence.out_of_order), expected, "{acknowledged}");
        }
    }

    /// Notes segments of (milliseconds, flags, sequence number, length); retransmissions and reorderings.
    fn judge(segments: &[(i64, &str, u32, u32)]) -> (u64, u64) {
        // Wherever the numbers wrap, the answer is the same.
        let mut answers = [0, 0_u32.wrapping_sub(150), u32::MAX / 2, u32::MAX - 1].map(|base| {
            let mut sequence = Sequence::default();
            for &(milli, letters, seq, payload_len) in segments {
                let flags = TcpFlags::from_letters(letters).unwrap();
                let tcp = Tcp { flags, seq: seq.wrapping_add(base), ack: 0, payload_len };
                sequence.note(milli * MILLI, tcp, 3 * MILLI);
            }
            (sequence.retransmits, sequence.out_of_order)
        });
        answers.sort_unstable();
        assert_eq!(answers[0], answers[3]);
        answers[0]
    }

    #[test]
    fn what_was_seen_before_is_a_retransmission() {
        assert_eq!(
            judge(&[(0, "S", 99, 0), (1, "A", 100, 50), (2, "A", 150, 50), (3, "AF", 200, 0)]),
            (0, 0)
        );
        assert_eq!(judge(&[(0, "S", 99, 0), (1, "S", 99, 0), (2, "S", 99, 0)]), (2, 0));
        assert_eq!(judge(&[(0, "A", 100, 50), (1, "A", 100, 50), (2, "A", 120, 30)]), (2, 0));
        assert_eq!(
            judge(&[(0, "A", 100, 50), (1, "AF", 150, 0), (2, "AF", 150, 0), (3, "AF", 150, 0)]),
            (2, 0)
        );
        // The data of a Fast Open SYN, sent again because it was not taken.
        assert_eq!(judge(&[(0, "S", 99, 50), (1, "A", 100, 50)]), (1, 0));
    }

    #[test]
    fn acknowledgements_keep_alives_and_resets_are_neither() {
        let data = (0, "A", 100, 50);
        assert_eq!(judge(&[data, (1, "A", 150, 0), (2, "A", 150, 0), (3, "A", 100, 0)]), (0, 0));
        assert_eq!(judge(&[data, (1, "A", 149, 0), (2, "A", 149, 1), (3, "A", 149, 1)]), (0, 0));
        assert_eq!(judge(&[data, (1, "R", 100, 0), (2, "RA", 100, 10)]), (0, 0));
        // Part of it is new.
        assert_eq!(judge(&[data, (1, "A", 120, 50)]), (0, 0));
        assert_eq!(judge(&[data, (1, "AF", 149, 0)]), (1, 0));
    }

    #[test]
    fn a_young_hole_is_filled_by_reordering_an_old_one_by_retransmission() {
        let jump = [(0, "A", 100, 50), (1, "A", 200, 50)];
        let with = |segment| judge(&[jump[0], jump[1], segment]);
        assert_eq!(with((3, "A", 150, 50)), (0, 1));
        assert_eq!(with((4, "A", 150, 50)), (0, 1));
        assert_eq!(with((5, "A", 150, 50)), (1, 0));
        // Out of order once; after that it is not missing any more.
        assert_eq!(judge(&[jump[0], jump[1], (2, "A", 150, 50), (3, "A", 150, 50)]), (1, 1));
        // In pieces, the middle first.
        let pieces = [(2, "A", 160, 10), (2, "A", 150, 10), (2, "A", 170, 30), (2, "A", 160, 10)];
        assert_eq!(judge(&[&jump[..], &pieces].concat()), (1, 3));
    }

    #[test]
    fn segments_from_before_the_first_are_out_of_order() {
        assert_eq!(judge(&[(0, "A", 100, 50), (1, "S", 99, 0), (2, "S", 99, 0)]), (1, 1));
        assert_eq!(judge(&[(0, "A", 100, 50), (9, "A", 50, 20)]), (0, 1));
        assert_eq!(judge(&[(0, "A", 100, 0), (1, "A", 100, 50)]), (0, 0));
    }

    #[test]
    fn five_holes_are_one_too_many() {
        let mut segments: Vec<_> = (0..6).map(|n| (i64::from(n), "A", 100 + n * 20, 10)).collect();
        segments.extend([(6, "A", 190, 10), (6, "A", 110, 10)]);
        assert_eq!(judge(&segments), (1, 1), "the oldest hole is forgotten");
    }

    #[test]
    fn a_long_stream_in_order_has_neither() {
        let mut sequence = Sequence::default();
        for n in 0..3_000_u32 {
            let seq = n.wrapping_mul(10_000_000);
            sequence.note(0, Tcp { flags: TcpFlags::ACK, seq, ack: 0, payload_len: 10_000_000 }, 0);
        }
        assert_eq!((sequence.retransmits, sequence.out_of_order), (0, 0));
    }

    proptest! {
        #[test]
        fn no_segment_is_both(segments in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u8>(), any::<i64>()), 0..60)) {
            let mut sequence = Sequence::default();
            for (n, &(seq, payload_len, flags, time)) in segments.iter().enumerate() {
                sequence.note(time, Tcp { flags: TcpFlags(flags), seq, ack: 0, payload_len }, 3);
                prop_assert!(sequence.retransmits + sequence.out_of_order <= n as u64);
            }
        }
    }
}
