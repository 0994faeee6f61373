//! Numbers, times and spans as people read them, in nfdump's shapes.

use std::fmt;

use flowcore::{NANOS_PER_SEC, Timestamp};

/// A count: plain below a million, then `1.2 M`, `G`, `T` in powers of 1000; always plain if asked for.
pub(crate) struct Scaled {
    pub(crate) value: u64,
    pub(crate) plain: bool,
}

impl fmt::Display for Scaled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.plain || self.value < 1_000_000 {
            return self.value.fmt(f);
        }
        let steps = [("T", 1e12), ("G", 1e9), ("M", 1e6)];
        #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
        let value = self.value as f64;
        let (unit, size) = steps.into_iter().find(|&(_, size)| value >= size).unwrap_or(("M", 1e6));
        f.pad(&format!("{:.1} {unit}", value / size))
    }
}

/// A point in time to the millisecond, UTC: `2023-09-28 17:22:35.000`.
pub(crate) struct Moment(pub(crate) Option<Timestamp>);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(time) = self.0 else { return f.pad("-                      ") };
        let t = time.civil();
        let millis = t.nanosecond / 1_000_000;
        write!(
            f,
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{millis:03}",
            t.year, t.month, t.day, t.hour, t.minute, t.second
        )
    }
}

/// A span of nanoseconds as `[Nd ]hh:mm:ss.mmm`.
pub(crate) struct Span(pub(crate) Option<u64>);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nanos) = self.0 else { return f.pad("-") };
        let secs = nanos / NANOS_PER_SEC as u64;
        let millis = nanos / 1_000_000 % 1000;
        let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
        let days = if days > 0 { format!("{days}d ") } else { String::new() };
        f.pad(&format!("{days}{hours:02}:{minutes:02}:{:02}.{millis:03}", secs % 60))
    }
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
    fn spans_show_days_when_there_are_any() {
        assert_eq!(Span(Some(90_061_002_000_000)).to_string(), "1d 01:01:01.002");
        assert_eq!(format!("{:>16}|", Span(Some(61_500_000_000))), "    00:01:01.500|");
    }
}
