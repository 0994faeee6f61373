//! UTC time as text, from seconds or microseconds since 1970.

/// `2024-03-12T14:00:00Z` for seconds since 1970.
pub fn rfc3339(seconds: u64) -> String {
    let (year, month, day) = date(seconds / DAY);
    let (hour, minute, second) = (seconds % DAY / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `2024-03-12T14:00:00.000250Z` for microseconds since 1970.
pub fn rfc3339_micros(micros: u64) -> String {
    let whole = rfc3339(micros / 1_000_000);
    format!("{}.{:06}Z", whole.trim_end_matches('Z'), micros % 1_000_000)
}

/// `20240312T1400Z`, as names of log files have it.
pub fn file_stamp(seconds: u64) -> String {
    let (year, month, day) = date(seconds / DAY);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}Z", seconds % DAY / 3600, seconds % 3600 / 60)
}

/// Year, month and day of a day since 1970, in the proleptic Gregorian calendar: the years are counted from March
/// of year 0, so that the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_695_921_755), "2023-09-28T17:22:35Z");
        assert_eq!(rfc3339(1_709_164_799), "2024-02-28T23:59:59Z");
        assert_eq!(rfc3339(1_709_164_800), "2024-02-29T00:00:00Z");
        assert_eq!(rfc3339_micros(1_710_252_000_000_250), "2024-03-12T14:00:00.000250Z");
        assert_eq!(file_stamp(1_710_252_000), "20240312T1400Z");
    }
}
