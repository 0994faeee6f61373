//! Packets that were captured twice, as a mirror port or a capture on several interfaces gives them.
//!
//! A packet is a duplicate of an earlier one if their IP packets are equal byte for byte as far as they were captured,
//! time to live (hop limit) and IPv4 header checksum excepted, which a router on the way changes. It is held against
//! the packets that were kept last; a duplicate is not kept, so that a chain of equal packets does not go on for ever.
//!
//! Memory: 64 KiB for each packet of the window at most. Of longer packets, which only jumbograms are, the first
//! 64 KiB are compared byte for byte and the rest by a 64-bit hash.

use std::hash::BuildHasher;
use std::mem;

use foldhash::fast::RandomState;

use crate::options::DuplicateWindow;

/// The packets that were seen last.
#[derive(Debug)]
pub(crate) struct Duplicates {
    window: DuplicateWindow,
    hasher: RandomState,
    /// No more than the window has; the oldest is at `next` once it is full.
    seen: Vec<Seen>,
    next: usize,
    /// The packet being looked at.
    current: Seen,
}

/// A packet without what routers change.
#[derive(Debug, Default)]
struct Seen {
    /// Nanoseconds since 1970 UTC.
    time: i64,
    hash: u64,
    /// Length of the IP packet, which can be more than was captured.
    ip_bytes: u32,
    bytes: Vec<u8>,
}

impl Duplicates {
    pub(crate) fn new(window: DuplicateWindow) -> Self {
        let (seen, current) = (Vec::new(), Seen::default());
        Self { window, hasher: RandomState::default(), seen, next: 0, current }
    }

    /// Whether a packet of `ip_bytes` bytes, of which these are captured, was seen before; otherwise it is kept.
    pub(crate) fn is_duplicate(&mut self, time: i64, ip_bytes: u32, captured: &[u8]) -> bool {
        self.current.set(time, ip_bytes, captured, &self.hasher);
        let nearby = u128::from(u64::MAX).min(self.window.time.as_nanos());
        let found = self.seen.iter().any(|seen| {
            seen.hash == self.current.hash
                && u128::from(seen.time.abs_diff(time)) <= nearby
                && (seen.ip_bytes, &seen.bytes) == (ip_bytes, &self.current.bytes)
        });
        if !found {
            self.keep();
        }
        found
    }

    /// Puts the current packet into the place of the oldest.
    fn keep(&mut self) {
        if self.seen.len() < self.window.packets {
            self.seen.push(mem::take(&mut self.current));
        } else if let Some(oldest) = self.seen.get_mut(self.next) {
            mem::swap(oldest, &mut self.current);
            self.next = (self.next + 1) % self.seen.len();
        }
    }
}

impl Seen {
    /// Becomes this packet, in the memory of the one before.
    fn set(&mut self, time: i64, ip_bytes: u32, captured: &[u8], hasher: &RandomState) {
        let (start, rest) = captured.split_at(captured.len().min(KEPT_BYTES));
        self.bytes.clear();
        self.bytes.extend_from_slice(start);
        let changing: &[usize] = match start.first().map(|byte| byte >> 4) {
            Some(4) => &[IPV4_TTL, IPV4_CHECKSUM, IPV4_CHECKSUM + 1],
            _ => &[IPV6_HOP_LIMIT],
        };
        for &at in changing {
            if let Some(byte) = self.bytes.get_mut(at) {
                *byte = 0;
            }
        }
        self.time = time;
        self.ip_bytes = ip_bytes;
        self.hash = hasher.hash_one((&self.bytes, rest));
    }
}

/// Bytes of a packet that are kept.
const KEPT_BYTES: usize = 65_536;
/// Where a router writes, from the start of the IP header.
const IPV4_TTL: usize = 8;
const IPV4_CHECKSUM: usize = 10;
const IPV6_HOP_LIMIT: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MILLI: i64 = 1_000_000;

    /// An IPv4 packet with this identification and time to live.
    fn packet(id: u8, ttl: u8) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 28, 0, id, 0, 0, ttl, 17, ttl, ttl, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([1, 2, 3, 4, 5, 6, 7, 8]);
        packet
    }

    fn duplicates(packets: usize) -> Duplicates {
        Duplicates::new(DuplicateWindow { packets, time: Duration::from_millis(100) })
    }

    fn check(duplicates: &mut Duplicates, millis: i64, packet: &[u8]) -> bool {
        duplicates.is_duplicate(millis * MILLI, 28, packet)
    }

    #[test]
    fn a_copy_that_passed_a_router_is_a_duplicate() {
        let mut duplicates = duplicates(8);
        assert!(!check(&mut duplicates, 0, &packet(1, 64)));
        assert!(check(&mut duplicates, 0, &packet(1, 63)));
        let mut later = packet(1, 62);
        later[27] ^= 1;
        assert!(!check(&mut duplicates, 0, &later), "another payload");
        let six = |hops| [&[0x60, 0, 0, 0, 0, 0, 59, hops][..], &[7; 32]].concat();
        assert!(!duplicates.is_duplicate(0, 40, &six(9)));
        assert!(duplicates.is_duplicate(0, 40, &six(8)));
    }

    #[test]
    fn a_retransmission_is_none() {
        let mut duplicates = duplicates(8);
        assert!(!check(&mut duplicates, 0, &packet(1, 64)));
        assert!(!check(&mut duplicates, 50, &packet(2, 64)), "another identification");
        assert!(!check(&mut duplicates, 1000, &packet(1, 64)), "the same identification, a second later");
    }

    #[test]
    fn the_window_of_time_reaches_both_ways() {
        for (millis, expected) in [(100, true), (101, false), (-100, true), (-101, false)] {
            let mut duplicates = duplicates(8);
            assert!(!check(&mut duplicates, 0, &packet(1, 64)));
            assert_eq!(check(&mut duplicates, millis, &packet(1, 64)), expected, "{millis}");
        }
        let mut duplicates = duplicates(1);
        assert!(!duplicates.is_duplicate(i64::MIN, 28, &packet(1, 64)));
        assert!(!duplicates.is_duplicate(i64::MAX, 28, &packet(1, 64)));
    }

    #[test]
    fn equal_packets_all_the_time_are_not_all_duplicates() {
        let mut duplicates = duplicates(8);
        let found: Vec<bool> =
            (0..6).map(|number| check(&mut duplicates, 80 * number, &packet(1, 64))).collect();
        assert_eq!(found, [false, true, false, true, false, true]);
    }

    #[test]
    fn a_packet_is_held_against_so_many_before_it() {
        for packets in 1..5 {
            let mut duplicates = duplicates(packets.into());
            for id in 0..20 {
                assert!(!check(&mut duplicates, 0, &packet(id, 64)));
                assert!(duplicates.seen.len() <= packets.into());
            }
            assert!(check(&mut duplicates, 0, &packet(20 - packets, 64)), "{packets}");
            assert!(!check(&mut duplicates, 0, &packet(19 - packets, 64)), "{packets}");
        }
        assert!(!duplicates(0).is_duplicate(0, 28, &packet(1, 64)));
    }

    #[test]
    fn what_was_not_captured_still_has_its_length() {
        let mut duplicates = duplicates(8);
        assert!(!duplicates.is_duplicate(0, 1500, &packet(1, 64)));
        assert!(!duplicates.is_duplicate(0, 1400, &packet(1, 64)));
        assert!(duplicates.is_duplicate(0, 1500, &packet(1, 64)));
    }

    #[test]
    fn long_packets_differ_behind_what_is_kept() {
        let mut duplicates = duplicates(8);
        let mut long = [packet(1, 64), vec![0; 100_000]].concat();
        let check = |duplicates: &mut Duplicates, packet: &[u8]| duplicates.is_duplicate(0, 100_028, packet);
        assert!(!check(&mut duplicates, &long));
        assert!(check(&mut duplicates, &long));
        long[100_000] = 1;
        assert!(!check(&mut duplicates, &long));
        assert!(duplicates.seen.iter().all(|seen| seen.bytes.len() <= KEPT_BYTES));
        for cut in 0..20 {
            duplicates.is_duplicate(0, 28, &packet(1, 64)[..cut]);
        }
    }
}
