//! Dates and times of lists, in which most rows have the second of the row before: its text is kept.

use flowcore::{NANOS_PER_SEC, Timestamp};

use super::text;

/// Writes times; one for each column of times.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// What stands between date and time.
    between: u8,
    /// The second of the text, since 1970.
    second: i64,
    text: [u8; LEN],
}

/// `2023-09-28T17:22:35`.
const LEN: usize = 19;

impl Clock {
    pub(super) fn new(between: u8) -> Self {
        let mut clock = Self { between, second: 0, text: [0; LEN] };
        clock.set(Timestamp::from_nanos(0));
        clock
    }

    /// Adds a time as RFC 3339 has it.
    #[inline]
    pub(super) fn rfc3339(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let nanos = self.second(time, out);
        text::fraction(nanos, out);
    }

    /// Adds a time to the millisecond.
    #[inline]
    pub(super) fn millis(&mut self, time: Timestamp, out: &mut Vec<u8>) {
        let nanos = self.second(time, out);
        out.push(b'.');
        text::three_digits(u64::from(nanos / 1_000_000), out);
    }

    /// Adds date and time to the second; returns the nanoseconds behind that.
    #[inline]
    fn second(&mut self, time: Timestamp, out: &mut Vec<u8>) -> u32 {
        if time.as_secs() != self.second {
            self.set(time);
        }
        out.extend_from_slice(&self.text);
        u32::try_from(time.as_nanos().rem_euclid(NANOS_PER_SEC)).unwrap_or(0)
    }

    fn set(&mut self, time: Timestamp) {
        let is_same_day = time.as_secs().div_euclid(DAY) == self.second.div_euclid(DAY);
        self.second = time.as_secs();
        if is_same_day && self.text[0] != 0 {
            let second = self.second.rem_euclid(DAY).unsigned_abs();
            let [.., h1, h2, _, m1, m2, _, s1, s2] = &mut self.text;
            [*h1, *h2] = text::pair(second / 3600);
            [*m1, *m2] = text::pair(second / 60 % 60);
            [*s1, *s2] = text::pair(second % 60);
            return;
        }
        let mut line = Vec::with_capacity(LEN);
        text::date_and_time(time, self.between, &mut line);
        // Every time that fits 64 bits is in a year of four digits.
        self.text.iter_mut().zip(line).for_each(|(to, from)| *to = from);
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::units::Moment;

    #[test]
    fn times_are_those_of_the_formatting_traits_in_any_order() {
        let (mut zulu, mut blank) = (Clock::new(b'T'), Clock::new(b' '));
        let second = 1_695_921_755_000_000_000;
        for nanos in [
            0,
            1,
            second,
            second + 7_384_123_000_000,
            second + 20_000_123_000_000,
            second + 123_000_000,
            second + 999_999_999,
            second - 1,
            -1,
            i64::MIN,
            i64::MAX,
        ] {
            let (time, mut one, mut other) = (Timestamp::from_nanos(nanos), Vec::new(), Vec::new());
            zulu.rfc3339(time, &mut one);
            assert_eq!(String::from_utf8(one).unwrap(), time.to_string());
            blank.millis(time, &mut other);
            assert_eq!(String::from_utf8(other).unwrap(), Moment(Some(time)).to_string());
        }
    }
}
