//! What values will take once they are packed and compressed, judged by some of them.
//!
//! Of neighbours, bytes count that differ: those that stay the same are compressed to next to nothing.

use super::unit;
use super::write::{common_exponent, width_of, zigzag};

/// Rows looked at: runs of neighbours, spread over all rows.
const RUN: usize = 64;
const RUNS: usize = 24;

/// Bytes that the values of the sampled rows take, as distances from the smallest one and as steps from row to row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::flow) struct Estimate {
    plain: u64,
    steps: u64,
}

impl Estimate {
    /// Judges values of which each row has one.
    pub(in crate::format::flow) fn of(values: &[i64]) -> Self {
        let bits =
            || sample(values.len()).filter_map(|row| values.get(row)).map(|value| value.cast_unsigned());
        let Some(start) = bits().next() else { return Self { plain: 0, steps: 0 } };
        let unit = unit(common_exponent(start, bits())).unwrap_or(1);
        let (mut estimate, mut before) = (Self { plain: 0, steps: 0 }, 0);
        for value in bits() {
            let distance = value.wrapping_sub(start).cast_signed() / unit.cast_signed();
            estimate.plain += u64::from(width_of(zigzag(distance) ^ zigzag(before)));
            estimate.steps += u64::from(width_of(zigzag(distance.wrapping_sub(before))));
            before = distance;
        }
        estimate
    }

    /// Whether steps are clearly shorter.
    pub(in crate::format::flow) fn prefers_steps(self) -> bool {
        self.steps * 10 < self.plain * 8
    }

    /// Bytes of the shorter way.
    pub(in crate::format::flow) fn bytes(self) -> u64 {
        self.plain.min(self.steps)
    }
}

/// Bytes that distances from a base take for the sampled rows, `width` each but for those that are 0.
pub(in crate::format::flow) fn of_differences(differences: &[i64], width: u8) -> u64 {
    let rows = sample(differences.len()).filter_map(|row| differences.get(row));
    let (mut others, mut all) = (0, 0);
    rows.for_each(|&difference| (others, all) = (others + u64::from(difference != 0), all + 1));
    all / 8 + others * u64::from(width)
}

fn sample(rows: usize) -> impl Iterator<Item = usize> + Clone {
    let apart = (rows / RUNS).max(RUN);
    (0..rows).step_by(apart).flat_map(move |start| start..rows.min(start + RUN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorted_times_are_shorter_as_steps() {
        let sorted: Vec<i64> = (0..60_000).map(|n| 1_700_000_000_000_000_000 + n * 93_000).collect();
        let mixed: Vec<i64> = (0..60_000_i64).map(|n| n.wrapping_mul(7_919_777_331) % (1 << 40)).collect();
        assert!(Estimate::of(&sorted).prefers_steps());
        assert!(!Estimate::of(&mixed).prefers_steps());
        assert!(Estimate::of(&sorted).bytes() < Estimate::of(&mixed).bytes());
        assert!(!Estimate::of(&[]).prefers_steps());
        assert!(!Estimate::of(&[i64::MIN, i64::MAX, 0]).prefers_steps());
    }

    #[test]
    fn equal_times_cost_a_bit() {
        let mostly_equal: Vec<i64> = (0..64_000).map(|n| i64::from(n % 4 == 0) * (n + 1)).collect();
        let sampled = sample(64_000).count() as u64;
        assert_eq!(of_differences(&mostly_equal, 4), sampled / 8 + sampled);
    }
}
