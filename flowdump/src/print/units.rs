//! Numbers, times and spans as people read them, in nfdump's shapes.

use std::fmt;

use flowcore::{NANOS_PER_SEC, Timestamp};

use super::text;

/// A count: plain below a million, then `1.2 M`, `G`, `T` in powers of 1000; always plain if asked for.
pub(crate) struct Scaled {
    pub(crate) value: u64,
    pub(crate) plain: bool,
}

impl Scaled {
    /// Adds the number to a line.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.plain || self.value < 1_000_000 {
            return text::number(self.value, out);
        }
        let steps = [("T", 1e12), ("G", 1e9), ("M", 1e6)];
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let value = self.value as f64;
        let (unit, size) = steps.into_iter().find(|&(_, size)| value >= size).unwrap_or(("M", 1e6));
        out.extend_from_slice(format!("{:.1} {unit}", value / size).as_bytes());
    }
}

impl fmt::Display for Scaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad_written(f, |out| self.write(out))
    }
}

/// A point in time to the millisecond, UTC: `2023-09-28 17:22:35.000`.
pub(crate) struct Moment(pub(crate) Option<Timestamp>);

impl Moment {
    /// Adds the time to a line.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Some(time) = self.0 else { return out.extend_from_slice(b"-                      ") };
        let nanos = text::date_and_time(time, b' ', out);
        out.push(b'.');
        text::three_digits(u64::from(nanos / 1_000_000), out);
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad_written(f, |out| self.write(out))
    }
}

/// A point in time that is a whole second, UTC: `2023-09-28 17:22:35`.
pub(crate) struct Second(pub(crate) Timestamp);

impl fmt::Display for Second {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad_written(f, |out| {
            text::date_and_time(self.0, b' ', out);
        })
    }
}

/// A span of nanoseconds as `[Nd ]hh:mm:ss.mmm`.
pub(crate) struct Span(pub(crate) Option<u64>);

impl Span {
    /// Adds the span to a line.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Some(nanos) = self.0 else { return out.push(b'-') };
        let secs = nanos / NANOS_PER_SEC as u64;
        if secs >= 86_400 {
            text::number(secs / 86_400, out);
            out.extend_from_slice(b"d ");
        }
        for (value, behind) in [(secs / 3600 % 24, b':'), (secs / 60 % 60, b':'), (secs % 60, b'.')] {
            text::two_digits(value, out);
            out.push(behind);
        }
        text::three_digits(nanos / 1_000_000, out);
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad_written(f, |out| self.write(out))
    }
}

/// A span of nanoseconds in seconds with three decimals: `61.500`.
pub(crate) struct Seconds(pub(crate) Option<u64>);

impl Seconds {
    /// Adds the span to a line.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Some(nanos) = self.0 else { return out.push(b'-') };
        text::number(nanos / NANOS_PER_SEC as u64, out);
        out.push(b'.');
        text::three_digits(nanos / 1_000_000, out);
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pad_written(f, |out| self.write(out))
    }
}

/// What `write` adds to a line, as a formatter wants it.
fn pad_written(f: &mut fmt::Formatter<'_>, write: impl FnOnce(&mut Vec<u8>)) -> fmt::Result {
    let mut text = Vec::new();
    write(&mut text);
    f.pad(&String::from_utf8_lossy(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_scale_as_in_nfdump() {
        let scaled = |value| Scaled { value, plain: false }.to_string();
        assert_eq!(scaled(999_999), "999999");
        assert_eq!(scaled(1_234_567), "1.2 M");
        assert_eq!(scaled(265_183_813_000), "265.2 G");
        assert_eq!(scaled(u64::MAX), "18446744.1 T");
        assert_eq!(format!("{:>8}|", Scaled { value: 1_234_567, plain: true }), " 1234567|");
    }

    #[test]
    fn seconds_are_plain_numbers() {
        assert_eq!(format!("{:>16}|", Seconds(Some(90_061_002_999_999))), "       90061.002|");
        assert_eq!((Seconds(Some(0)).to_string(), Seconds(None).to_string()), ("0.000".into(), "-".into()));
    }

    #[test]
    fn spans_show_days_when_there_are_any() {
        assert_eq!(Span(Some(90_061_002_000_000)).to_string(), "1d 01:01:01.002");
        assert_eq!(format!("{:>16}|", Span(Some(61_500_000_000))), "    00:01:01.500|");
    }
}
