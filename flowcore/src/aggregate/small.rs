//! Counters as most groups have them, small: fewer bytes a group are fewer pages that a table of millions has to be given.

use super::counters::Counters;

/// [`Counters`] whose sums fit 32 bits, or where the [wide](Self::wide) ones are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small {
    first: i64,
    last: i64,
    /// The number of the wide counters, if there are some.
    flows: u32,
    in_packets: u32,
    in_bytes: u32,
    out_packets: u32,
    out_bytes: u32,
    in_flags: u8,
    out_flags: u8,
    seen: u8,
    is_wide: bool,
}

/// A sum would not fit, or is elsewhere already.
pub(super) struct Wide;

impl Small {
    /// The counters of no record.
    pub(super) const NONE: Self = Self {
        first: i64::MAX,
        last: i64::MIN,
        flows: 0,
        in_packets: 0,
        in_bytes: 0,
        out_packets: 0,
        out_bytes: 0,
        in_flags: 0,
        out_flags: 0,
        seen: 0,
        is_wide: false,
    };

    /// Adds the records counted by another. If that cannot be done, nothing is changed.
    #[inline]
    pub(super) fn add(&mut self, other: &Counters) -> Result<(), Wide> {
        let [flows, in_packets, in_bytes, out_packets, out_bytes] = [
            u64::from(self.flows).saturating_add(other.flows),
            u64::from(self.in_packets).saturating_add(other.in_packets),
            u64::from(self.in_bytes).saturating_add(other.in_bytes),
            u64::from(self.out_packets).saturating_add(other.out_packets),
            u64::from(self.out_bytes).saturating_add(other.out_bytes),
        ];
        if self.is_wide || (flows | in_packets | in_bytes | out_packets | out_bytes) >> 32 != 0 {
            return Err(Wide);
        }
        #[expect(clippy::cast_possible_truncation, reason = "no sum has a bit above")]
        let low = |sum: u64| sum as u32;
        *self = Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
            flows: low(flows),
            in_packets: low(in_packets),
            in_bytes: low(in_bytes),
            out_packets: low(out_packets),
            out_bytes: low(out_bytes),
            in_flags: self.in_flags | other.in_flags,
            out_flags: self.out_flags | other.out_flags,
            seen: self.seen | other.seen,
            is_wide: false,
        };
        Ok(())
    }

    /// The same with wide sums; of no use if they are elsewhere.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            flows: self.flows.into(),
            in_packets: self.in_packets.into(),
            in_bytes: self.in_bytes.into(),
            out_packets: self.out_packets.into(),
            out_bytes: self.out_bytes.into(),
            first: self.first,
            last: self.last,
            in_flags: self.in_flags,
            out_flags: self.out_flags,
            seen: self.seen,
        }
    }

    /// Where the sums are, if not here.
    pub(super) fn wide(&self) -> Option<usize> {
        self.is_wide.then_some(self.flows as usize)
    }

    /// The sums are elsewhere from now on. There are no more such than groups.
    pub(super) fn set_wide(&mut self, at: usize) {
        self.flows = u32::try_from(at).unwrap_or(u32::MAX);
        self.is_wide = true;
    }

    /// What stands at the end in memory.
    pub(super) const fn tail(&self) -> u8 {
        self.seen
    }
}
