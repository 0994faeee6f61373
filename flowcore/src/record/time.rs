//! Points in time: signed nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).

use std::fmt;

use jiff::tz::Offset;

/// Nanoseconds since 1970-01-01T00:00:00Z; negative before it. Covers the years 1677 to 2262.
///
/// ```
/// use flowcore::Timestamp;
/// let seen = Timestamp::from_secs(1_695_921_755);
/// assert_eq!(seen.to_string(), "2023-09-28T17:22:35.000Z");
/// assert_eq!("2023-09-28T17:22:35Z".parse(), Ok(seen));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Nanoseconds in a second.
pub const NANOS_PER_SEC: i64 = 1_000_000_000;

impl Timestamp {
    /// The earliest time that can be held.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest time that can be held.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since 1970 UTC.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds since 1970 UTC; times outside the range become its nearest end.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(NANOS_PER_SEC))
    }

    /// Nanoseconds since 1970 UTC.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970 UTC, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC)
    }

    /// The time `nanos` later, or the last one that can be held.
    #[must_use]
    pub const fn saturating_add(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to this time; negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The parts of the UTC date and time, for printing.
    pub fn civil(self) -> CivilTime {
        let secs = self.as_secs();
        let days = secs.div_euclid(86_400);
        let second_of_day = u32::try_from(secs.rem_euclid(86_400)).unwrap_or(0);
        let (year, month, day) = civil_from_days(days);
        CivilTime {
            year,
            month,
            day,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            nanosecond: u32::try_from(self.0.rem_euclid(NANOS_PER_SEC)).unwrap_or(0),
        }
    }

    /// RFC 3339 in UTC with as many fraction digits as the time needs: three, six or nine.
    ///
    /// ```
    /// use flowcore::Timestamp;
    /// assert_eq!(Timestamp::from_nanos(1_500).rfc3339().to_string(), "1970-01-01T00:00:00.000001500Z");
    /// ```
    pub fn rfc3339(self) -> impl fmt::Display {
        Rfc3339(self)
    }
}

/// A UTC date and time in parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CivilTime {
    /// Year of the Gregorian calendar.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999,999,999.
    pub nanosecond: u32,
}

struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0.civil();
        write!(f, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.year, t.month, t.day, t.hour, t.minute, t.second)?;
        match t.nanosecond {
            n if n % 1_000_000 == 0 => write!(f, ".{:03}Z", n / 1_000_000),
            n if n % 1_000 == 0 => write!(f, ".{:06}Z", n / 1_000),
            n => write!(f, ".{n:09}Z"),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rfc3339(*self).fmt(f)
    }
}

/// The text is no time in a form that [`Timestamp`] reads; holds what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeParseError(String);

impl fmt::Display for TimeParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"{}\" is not a time; write 2023-09-28T17:22:35Z, 2023-09-28, 2023/09/28.17:22:35 or seconds since 1970",
            self.0
        )
    }
}

impl std::error::Error for TimeParseError {}

impl std::str::FromStr for Timestamp {
    type Err = TimeParseError;

    /// Reads RFC 3339, `YYYY-MM-DD[ HH:MM[:SS[.fff]]]`, nfdump's `YYYY/MM/DD[.hh[:mm[:ss]]]`, all with or without a
    /// zone (`Z`, `+02:00`; UTC is meant without), and seconds since 1970. Parts left off at the end are the lowest.
    fn from_str(text: &str) -> Result<Self, TimeParseError> {
        parse_time(text.trim()).ok_or_else(|| TimeParseError(text.to_owned()))
    }
}

fn parse_time(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.len() > 4 {
        return text.parse::<i64>().ok()?.checked_mul(NANOS_PER_SEC).map(Timestamp);
    }
    if let Some((_, time)) = text.split_once(['T', 't', ' ']) {
        split_zone(time.split('[').next()?)?;
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(time.as_nanosecond()).ok().map(Timestamp);
    }
    let (completed, zone) = complete_civil(text)?;
    let civil: jiff::civil::DateTime = completed.parse().ok()?;
    let zoned = civil.to_zoned(zone.to_time_zone()).ok()?;
    i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Timestamp)
}

/// Brings the accepted spellings to `YYYY-MM-DDTHH:MM:SS[.fff]`, with the parts left off filled in, and its zone.
fn complete_civil(text: &str) -> Option<(String, Offset)> {
    let text = text.replace('/', "-");
    let (date, time) = match text.split_once(['T', ' ']) {
        Some(parts) => parts,
        None => match text.split_once('.') {
            Some(parts) => parts,
            None => (text.as_str(), ""),
        },
    };
    let date = match date.matches('-').count() {
        0 if date.len() == 4 => format!("{date}-01-01"),
        1 => format!("{date}-01"),
        2 => date.to_owned(),
        _ => return None,
    };
    let (time, zone) = split_zone(time)?;
    // Anything else behind the time, such as the name of a zone, would be passed over.
    if !time.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)) {
        return None;
    }
    let time = match (time.is_empty(), time.matches(':').count()) {
        (true, _) => "00:00:00".to_owned(),
        (_, 0) => format!("{time}:00:00"),
        (_, 1) => format!("{time}:00"),
        _ => time.to_owned(),
    };
    Some((format!("{date}T{time}"), zone))
}

/// Takes `Z`, `+hh`, `+hhmm` or `+hh:mm` off a time of day; without, it is UTC.
fn split_zone(time: &str) -> Option<(&str, Offset)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Offset::UTC));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, Offset::UTC)) };
    let (time, zone) = time.split_at(at);
    let digits = zone[1..].replacen(':', "", 1);
    let number = digits.parse::<i32>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let minutes = match digits.len() {
        2 if number < 24 => number * 60,
        4 if number / 100 < 24 && number % 100 < 60 => number / 100 * 60 + number % 100,
        _ => return None,
    };
    let seconds = if zone.starts_with('-') { -60 * minutes } else { 60 * minutes };
    Some((time, Offset::from_seconds(seconds).ok()?))
}

/// Days since 1970-01-01 to year, month, day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, u32::try_from(month).unwrap_or(1), u32::try_from(day).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_the_same_moment() {
        let expected = Timestamp::from_secs(1_695_921_755);
        for text in [
            "2023-09-28T17:22:35Z",
            "2023-09-28T19:22:35+02:00",
            "2023/09/28.19:22:35+02:00",
            "2023/09/28.13:52:35-0330",
            "2023-09-28 19:22:35+02",
            "2023/09/28.17:22:35Z",
            "2023-09-28 17:22:35",
            "2023-09-28T17:22:35",
            "2023/09/28.17:22:35",
            "2023-09-28 17:22:35.000",
            "1695921755",
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        assert_eq!("2023-09-28".parse(), Ok(Timestamp::from_secs(1_695_859_200)));
        assert_eq!("2023-09-28T17".parse(), Ok(Timestamp::from_secs(1_695_920_400)));
        assert_eq!("2023".parse(), Ok(Timestamp::from_secs(1_672_531_200)));
        assert_eq!("2023/09/28.19:22+02:00".parse(), "2023-09-28T17:22Z".parse::<Timestamp>());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "x",
            "2023-13-01",
            "25:00",
            "2023-09-28 17:99",
            "99999999999999999999",
            "2023/09/28.17:22:35+2",
            "2023/09/28.17:22:35+02:60",
            "2023/09/28.17:22:35+25:00",
            "2023-09-28T17:22:35+25:00",
            "2023-09-28 17:22:35-24",
            "2023/09/28.17:22:35-18:00-02",
            "2023/09/28.17:22:35[America/New_York]",
            "2023/09/28.17:22:35 CET",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn printing_agrees_with_the_calendar_library() {
        for secs in (-4_000_000_000_i64..8_000_000_000).step_by(40_000_001) {
            let ours = Timestamp::from_secs(secs).to_string();
            let theirs =
                jiff::Timestamp::from_second(secs).unwrap().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string();
            assert_eq!(ours, theirs);
        }
        assert_eq!(Timestamp::MIN.to_string(), "1677-09-21T00:12:43.145224192Z");
    }
}
