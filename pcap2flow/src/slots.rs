//! What the files of a folder are called: which interval a time belongs to, and the name of each interval's file.

use std::path::PathBuf;

use flowcore::{Error, Result, Timestamp};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Intervals of time and the names of their files.
///
/// An interval begins at a multiple of its length since 1970 UTC, whatever the zone of the names is.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    /// Seconds.
    interval: i64,
    folders: Folders,
    zone: TimeZone,
    names: Names,
}

/// What the files of a format are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Names {
    /// In front of the time.
    pub(crate) prefix: &'static str,
    /// Behind it, and behind the number of a further file.
    pub(crate) suffix: &'static str,
}

impl Names {
    /// `flows.YYYYMMDDhhmm.flow`.
    pub(crate) const FLOW: Self = Self { prefix: "flows.", suffix: ".flow" };
    /// `nfcapd.YYYYMMDDhhmm`, as all collectors of nfdump call theirs.
    pub(crate) const NFDUMP: Self = Self { prefix: "nfcapd.", suffix: "" };
}

/// Folders below the output folder, one per day or hour: `nfpcapd -S`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Folders(u8);

/// The clock that file names are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Zone {
    #[default]
    Utc,
    Local,
}

/// Seconds since 1970 at which an interval begins.
pub(crate) type Slot = i64;

impl Slots {
    /// Intervals of so many seconds.
    pub(crate) fn new(interval: u32, folders: Folders, zone: Zone, names: Names) -> Result<Self> {
        Ok(Self { interval: i64::from(interval.max(1)), folders, zone: zone.time_zone()?, names })
    }

    /// Seconds of an interval.
    pub(crate) fn interval(&self) -> i64 {
        self.interval
    }

    /// The interval of a time.
    pub(crate) fn of(&self, time: Timestamp) -> Slot {
        let seconds = time.as_secs();
        seconds - seconds.rem_euclid(self.interval)
    }

    /// What the files are called.
    pub(crate) fn names(&self) -> Names {
        self.names
    }

    /// The name of an interval, without number and suffix, below the output folder: `flows.YYYYMMDDhhmm`, with seconds
    /// where the interval is not of whole minutes. In local time, two intervals can have the same one.
    pub(crate) fn stem(&self, slot: Slot) -> PathBuf {
        // Every time in nanoseconds is within the years that a civil date has.
        let time = jiff::Timestamp::from_second(slot).unwrap_or_default();
        let time = self.zone.to_datetime(time);
        let (year, month, day, hour, minute) =
            (time.year(), time.month(), time.day(), time.hour(), time.minute());
        let second = if self.interval % 60 == 0 { String::new() } else { format!("{:02}", time.second()) };
        let prefix = self.names.prefix;
        let name = format!("{prefix}{year:04}{month:02}{day:02}{hour:02}{minute:02}{second}");
        PathBuf::from(self.folders.of(time)).join(name)
    }
}

impl Folders {
    /// The folder of a time, by the number of its pattern.
    fn of(self, time: DateTime) -> String {
        let (year, month, day, hour) = (time.year(), time.month(), time.day(), time.hour());
        let (day_of_year, weekday) = (time.day_of_year(), time.weekday().to_monday_one_offset());
        // strftime's %W: weeks begin with Monday, the days before the first one are week 0.
        let week = (day_of_year - 1 + 7 - i16::from(weekday - 1)) / 7;
        match self.0 {
            1 => format!("{year:04}/{month:02}/{day:02}"),
            2 => format!("{year:04}/{month:02}/{day:02}/{hour:02}"),
            3 => format!("{year:04}/{week:02}/{weekday}"),
            4 => format!("{year:04}/{week:02}/{weekday}/{hour:02}"),
            5 => format!("{year:04}/{day_of_year:03}"),
            6 => format!("{year:04}/{day_of_year:03}/{hour:02}"),
            7 => format!("{year:04}-{month:02}-{day:02}"),
            8 => format!("{year:04}-{month:02}-{day:02}/{hour:02}"),
            _ => String::new(),
        }
    }
}

impl std::str::FromStr for Folders {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = text.parse().ok().filter(|number| (0..=8).contains(number));
        number.map(Self).ok_or_else(|| {
            let advice = "choose 0 none, 1 YYYY/MM/DD, 2 YYYY/MM/DD/hh, 3 YYYY/week/weekday, 4 the same with /hh, \
                          5 YYYY/day, 6 YYYY/day/hh, 7 YYYY-MM-DD or 8 YYYY-MM-DD/hh";
            Error::argument(format!("-S {text}: {advice}"))
        })
    }
}

impl Zone {
    fn time_zone(self) -> Result<TimeZone> {
        match self {
            Self::Utc => Ok(TimeZone::UTC),
            Self::Local => TimeZone::try_system().map_err(|error| {
                Error::argument(format!("--tz local: the zone of this system is not known; set TZ ({error})"))
            }),
        }
    }
}

impl std::str::FromStr for Zone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "utc" | "UTC" => Ok(Self::Utc),
            "local" => Ok(Self::Local),
            _ => Err(Error::argument(format!("--tz {text}: expected utc or local"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stem(slots: &Slots, slot: Slot) -> String {
        slots.stem(slot).to_string_lossy().replace('\\', "/")
    }

    fn utc(interval: u32, folders: &str) -> Slots {
        Slots::new(interval, folders.parse().unwrap(), Zone::Utc, Names::FLOW).unwrap()
    }

    #[test]
    fn names_are_utc_and_sort_by_time() {
        assert_eq!(stem(&utc(300, "0"), 1_695_921_600), "flows.202309281720");
        assert_eq!(stem(&utc(30, "0"), 1_695_921_630), "flows.20230928172030");
    }

    #[test]
    fn intervals_begin_at_multiples_of_their_length() {
        let slots = utc(300, "0");
        for (time, slot) in [(0, 0), (299, 0), (300, 300), (-1, -300), (1_695_921_755, 1_695_921_600)] {
            assert_eq!(slots.of(Timestamp::from_secs(time)), slot);
        }
        stem(&slots, slots.of(Timestamp::MIN));
        stem(&slots, slots.of(Timestamp::MAX));
    }

    /// Compared with `date -u -d @SECONDS +FORMAT`.
    #[test]
    fn folders_are_those_of_strftime() {
        // A Thursday, a Sunday that is the first of January, a Sunday of a leap year, a Saturday in week 0.
        for (slot, week_and_day, day_of_year, date, hour) in [
            (1_695_921_600, "39/4", "271", "2023-09-28", "17"),
            (1_672_531_200, "00/7", "001", "2023-01-01", "00"),
            (1_735_513_200, "52/7", "364", "2024-12-29", "23"),
            (1_609_545_600, "00/6", "002", "2021-01-02", "00"),
        ] {
            let (year, slashes) = (&date[..4], date.replace('-', "/"));
            let folders = [
                String::new(),
                slashes.clone(),
                format!("{slashes}/{hour}"),
                format!("{year}/{week_and_day}"),
                format!("{year}/{week_and_day}/{hour}"),
                format!("{year}/{day_of_year}"),
                format!("{year}/{day_of_year}/{hour}"),
                date.to_owned(),
                format!("{date}/{hour}"),
            ];
            for (number, expected) in folders.iter().enumerate() {
                let stem = utc(3600, &number.to_string()).stem(slot);
                assert_eq!(stem.parent().unwrap(), std::path::Path::new(expected), "{slot} {number}");
            }
        }
    }

    #[test]
    fn local_names_repeat_when_daylight_saving_ends() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let slots = Slots { interval: 3600, folders: Folders::default(), zone, names: Names::FLOW };
        // 2023-10-29 00:00 and 01:00 UTC.
        assert_eq!(stem(&slots, 1_698_537_600), "flows.202310290200");
        assert_eq!(stem(&slots, 1_698_541_200), "flows.202310290200");
        assert_eq!(stem(&slots, 1_698_544_800), "flows.202310290300");
    }

    #[test]
    fn wrong_values_are_refused() {
        for text in ["", "9", "-1", "a"] {
            assert!(text.parse::<Folders>().unwrap_err().to_string().starts_with(&format!("-S {text}: ")));
        }
        assert!("Berlin".parse::<Zone>().unwrap_err().to_string().contains("utc or local"));
    }
}
