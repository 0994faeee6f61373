//! Times of a pcapng interface: ticks of its resolution (`if_tsresol`) plus its offset (`if_tsoffset`).

use flowcore::{NANOS_PER_SEC, Timestamp};

/// Turns an interface's ticks into points in time. Exact to the nanosecond, finer parts are cut off; times outside
/// the range become its nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    tick: Tick,
    offset_nanos: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tick {
    /// This many nanoseconds.
    Nanos(u64),
    /// This fraction of a nanosecond.
    PerNano(u64),
    /// 2 to the minus this power of a second.
    BinarySecond(u8),
}

impl Clock {
    /// Microseconds since 1970: what holds without options.
    pub(super) const MICROS: Self = Self { tick: Tick::Nanos(1000), offset_nanos: 0 };

    /// From the options' values: `resolution` is a negative power of ten, or of two with the highest bit set, of a
    /// second; `offset` is in seconds.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let tick = match resolution {
            power @ 0..=9 => Tick::Nanos(power_of_ten(9 - power)),
            power @ 10..=127 => Tick::PerNano(power_of_ten(power - 9)),
            binary => Tick::BinarySecond(binary & 0x7f),
        };
        Self { tick, offset_nanos: offset.saturating_mul(NANOS_PER_SEC) }
    }

    /// The time of this many ticks.
    pub(super) fn time(self, ticks: u64) -> Timestamp {
        let nanos = match self.tick {
            Tick::Nanos(nanos) => ticks.saturating_mul(nanos),
            Tick::PerNano(parts) => ticks / parts,
            Tick::BinarySecond(power) => {
                let nanos = (u128::from(ticks) * NANOS_PER_SEC as u128) >> power;
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        };
        let nanos = i128::from(nanos) + i128::from(self.offset_nanos);
        let nearest_end = if nanos < 0 { i64::MIN } else { i64::MAX };
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(nearest_end))
    }
}

/// 10 to this power, or the largest number: ticks divided by it are 0, as they would be divided by the power.
fn power_of_ten(power: u8) -> u64 {
    10_u64.checked_pow(power.into()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_of_base_ten_and_two() {
        for (resolution, ticks, nanos) in [
            (0, 3, 3_000_000_000),
            (3, 3, 3_000_000),
            (6, 1_284_820_000_123_456, 1_284_820_000_123_456_000),
            (9, 1_284_820_000_123_456_789, 1_284_820_000_123_456_789),
            (12, 1_999, 1),
            (127, u64::MAX - 1, 0),
            (0x80, 3, 3_000_000_000),
            (0x80 | 1, 3, 1_500_000_000),
            (0x80 | 32, 0x1_8000_0000, 1_500_000_000),
            (0x80 | 20, 1 << 40, 1_048_576_000_000_000),
            (0xff, u64::MAX, 0),
        ] {
            assert_eq!(Clock::new(resolution, 0).time(ticks).as_nanos(), nanos, "{resolution} {ticks}");
        }
        assert_eq!(Clock::new(6, 0), Clock::MICROS);
    }

    #[test]
    fn offsets_and_the_ends_of_the_range() {
        assert_eq!(Clock::new(6, -10).time(1_000_000), Timestamp::from_secs(-9));
        assert_eq!(Clock::new(9, 5).time(u64::MAX), Timestamp::MAX);
        assert_eq!(Clock::new(0, i64::MAX).time(u64::MAX), Timestamp::MAX);
        assert_eq!(Clock::new(0x80, 0).time(u64::MAX), Timestamp::MAX);
        assert_eq!(Clock::new(0, i64::MIN).time(0), Timestamp::MIN);
        // Beyond the range only before the offset is added.
        assert_eq!(Clock::new(9, -1).time(i64::MAX as u64 + 1).as_nanos(), i64::MAX - 999_999_999);
    }
}
