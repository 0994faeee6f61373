//! Which bytes of a datagram have been seen, to know when all of them have.

use crate::packet::Fragment;

/// The bytes of a datagram's payload that its fragments have shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Extent {
    /// Beginning and end of the parts, which neither overlap nor touch, in no order.
    parts: Vec<(u32, u32)>,
    /// The length of it all, which the last fragment tells.
    total: Option<u32>,
}

impl Extent {
    /// Adds a fragment. One that would be a part too many is left out, and the datagram is then never complete.
    pub(super) fn add(&mut self, fragment: Fragment) {
        let (mut start, mut end) = (fragment.offset, fragment.offset.saturating_add(fragment.len));
        if !fragment.more {
            self.total = Some(end);
        }
        self.parts.retain(|&(from, to)| {
            let is_apart = to < start || end < from;
            if !is_apart {
                (start, end) = (start.min(from), end.max(to));
            }
            is_apart
        });
        if self.parts.len() < MAX_PARTS {
            self.parts.push((start, end));
        }
    }

    /// Whether all of the datagram has been seen.
    pub(super) fn is_complete(&self) -> bool {
        match (self.parts.as_slice(), self.total) {
            (&[(start, end)], Some(total)) => start == 0 && end >= total,
            _ => false,
        }
    }
}

/// Fragments come in order, or in reverse; few leave so many holes.
const MAX_PARTS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use flowcore::Protocol;
    use proptest::prelude::*;

    fn fragment(offset: u32, len: u32, more: bool) -> Fragment {
        Fragment { id: 1, protocol: Protocol::UDP, offset, len, more }
    }

    #[test]
    fn parts_are_bounded() {
        let mut extent = Extent::default();
        for n in (0..8192).step_by(2) {
            extent.add(fragment(n * 8, 8, true));
        }
        assert_eq!(extent.parts.len(), MAX_PARTS);
        extent.add(fragment(u32::MAX, u32::MAX, false));
        assert!(!extent.is_complete());
    }

    proptest! {
        #[test]
        fn complete_is_when_every_byte_was_seen(
            order in Just((0..8_u32).collect::<Vec<_>>()).prop_shuffle(),
            copies in prop::collection::vec((0..8_u32, 1..4_u32), 0..8),
        ) {
            let mut extent = Extent::default();
            let mut seen = [false; 8];
            let one = order.into_iter().map(|n| (n, 1));
            for (from, count) in copies.into_iter().chain(one) {
                let to = (from + count).min(8);
                extent.add(fragment(from * 8, (to - from) * 8, to < 8));
                (from..to).for_each(|n| seen[n as usize] = true);
                prop_assert_eq!(extent.is_complete(), seen == [true; 8]);
            }
        }
    }
}
