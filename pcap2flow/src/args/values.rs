//! Values of options, from text. Each error names its option and says what to write.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use flowcore::filter::FilterParser;
use flowcore::format::{flow, nfdump};
use flowcore::{Error, Filter, Result};
use pcap2flow::{DuplicateWindow, MeterOptions};

/// `-e`: active and idle timeout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    pub(super) active: Duration,
    pub(super) idle: Duration,
}

/// `-o`: what records hold beside the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordPart {
    Fat,
    /// With the bytes that are kept.
    Payload(u32),
}

/// `--format`: what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    Flow,
    Nfdump,
}

/// `--stats`: how the account of the frames is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatsFormat {
    Table,
    Json,
}

/// A wrong expression keeps its own error, which is shown with a caret.
pub(super) fn filter(text: &str) -> Result<Filter, Box<dyn std::error::Error + Send + Sync>> {
    let filter = FilterParser::new().files_in("").parse(text)?;
    pcap2flow::check_packet_filter(&filter)?;
    Ok(filter)
}

pub(super) fn timeouts(text: &str) -> Result<Timeouts> {
    let options = MeterOptions::default().timeouts(text)?;
    Ok(Timeouts { active: options.active_timeout, idle: options.idle_timeout })
}

pub(super) fn snap_length(text: &str) -> Result<u32> {
    number(text, 54..=u32::MAX)
        .ok_or_else(|| wrong('s', text, "at least 54 bytes, which hold the headers of a usual frame"))
}

pub(super) fn duplicates(text: &str) -> Result<DuplicateWindow> {
    let default = DuplicateWindow::default();
    let advice = "write PACKETS[,MS], 1 to 1024 packets and 0 to 60000 milliseconds, such as 8,100";
    let (packets, millis) = text.split_once(',').map_or((text, None), |(packets, ms)| (packets, Some(ms)));
    let packets = number(packets, 1..=1024).ok_or_else(|| wrong('d', text, advice))?;
    let time = match millis {
        None => default.time,
        Some(millis) => {
            Duration::from_millis(number(millis, 0..=60_000).ok_or_else(|| wrong('d', text, advice))?)
        }
    };
    Ok(DuplicateWindow { packets, time })
}

pub(super) fn record_part(text: &str) -> Result<RecordPart> {
    let advice = "expected fat, payload or payload=BYTES, 1 to 65535 of them";
    match text.split_once('=') {
        None if text == "fat" => Ok(RecordPart::Fat),
        None if text == "payload" => Ok(RecordPart::Payload(MAX_PAYLOAD)),
        Some(("payload", bytes)) => {
            number(bytes, 1..=MAX_PAYLOAD).map(RecordPart::Payload).ok_or_else(|| wrong('o', text, advice))
        }
        _ => Err(wrong('o', text, advice)),
    }
}

pub(super) fn cache(text: &str) -> Result<usize> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1000),
        None => text.strip_suffix(['m', 'M']).map_or((text, 1), |digits| (digits, 1_000_000)),
    };
    let flows = number(digits, 1..=MAX_CACHE).and_then(|flows: usize| flows.checked_mul(unit));
    flows.filter(|&flows| flows <= MAX_CACHE).ok_or_else(|| {
        wrong('B', text, "write a number of flows from 1 to 1000M, such as 500000, 500k or 2M")
    })
}

pub(super) fn interval(text: &str) -> Result<u32> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let unit = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (digits, seconds) = unit.unwrap_or((text, 1));
    let count = NonZeroU32::from_str(digits).ok().and_then(|count| count.get().checked_mul(seconds));
    count.ok_or_else(|| wrong('t', text, "write seconds, at least one, or a time such as 5m, 1h or 1d"))
}

pub(super) fn format(text: &str) -> Result<FileFormat> {
    match text {
        "flow" => Ok(FileFormat::Flow),
        "nfdump" => Ok(FileFormat::Nfdump),
        _ => Err(Error::argument(format!("--format {text}: expected flow or nfdump"))),
    }
}

/// A compression of some format; [`flow_compression`] and [`nfdump_compression`] say whether it is one of theirs.
pub(super) fn compression(text: &str) -> Result<String> {
    let method = text.split(':').next().unwrap_or_default();
    match (nfdump_compression(text), flow_compression(text)) {
        (Ok(_), _) | (_, Ok(_)) => Ok(text.to_owned()),
        (Err(_), Err(error)) if matches!(method, "none" | "lz4" | "lzo" | "bz2" | "bzip2") => Err(error),
        _ => Err(wrong(
            'z',
            text,
            "choose none, lz4, zstd or zstd:LEVEL (1 to 19); nfdump files also take lzo and bz2",
        )),
    }
}

pub(super) fn nfdump_compression(text: &str) -> Result<nfdump::BlockCompression> {
    text.parse()
}

pub(super) fn flow_compression(text: &str) -> Result<flow::BlockCompression> {
    let (method, level) = text.split_once(':').map_or((text, None), |(method, level)| (method, Some(level)));
    let advice = match method {
        "bz2" | "bzip2" => {
            "a method of nfdump files (--format nfdump); .flow files take lz4, which is fast, or zstd, which is small; \
             -j makes the smallest (zstd:19)"
        }
        "lzo" => {
            "a method of nfdump files (--format nfdump); .flow files take lz4, which is fast, or zstd, which is small"
        }
        "lz4" | "none" if level.is_some() => "has no levels; zstd:LEVEL makes smaller files",
        _ => return text.parse(),
    };
    Err(wrong('z', text, advice))
}

pub(super) fn stats_format(text: &str) -> Result<StatsFormat> {
    match text {
        "table" => Ok(StatsFormat::Table),
        "json" => Ok(StatsFormat::Json),
        _ => Err(Error::argument(format!("--stats={text}: expected table or json"))),
    }
}

pub(super) fn verbosity(text: &str) -> Result<u8> {
    number(text, 0..=4).ok_or_else(|| wrong('v', text, "write a level from 0 to 4"))
}

pub(super) fn workers(text: &str) -> Result<usize> {
    number(text, 1..=MAX_WORKERS).ok_or_else(|| wrong('W', text, "write a number of threads from 1 to 1024"))
}

/// A number in the range, written in digits.
fn number<N: FromStr + PartialOrd>(text: &str, range: RangeInclusive<N>) -> Option<N> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_plain && range.contains(number))
}

fn wrong(letter: char, text: &str, advice: &str) -> Error {
    Error::argument(format!("-{letter} {text}: {advice}"))
}

/// Bytes of the largest payload that an IP packet has.
const MAX_PAYLOAD: u32 = 65_535;
/// Flows that places in the table can be numbered for, with room to spare.
const MAX_CACHE: usize = 1_000_000_000;
/// More is a slip; no more than four threads have work.
const MAX_WORKERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_values_are_read() {
        assert_eq!(snap_length("54").unwrap(), 54);
        assert_eq!(duplicates("8,100").unwrap(), DuplicateWindow::default());
        let window = duplicates("16,2500").unwrap();
        assert_eq!((window.packets, window.time.as_millis()), (16, 2500));
        assert_eq!(duplicates("3").unwrap().time, DuplicateWindow::default().time);
        assert_eq!(record_part("payload").unwrap(), RecordPart::Payload(65_535));
        assert_eq!(record_part("payload=64").unwrap(), RecordPart::Payload(64));
        let flows = ["7", "500k", "2M", "1000M"].map(|text| cache(text).unwrap());
        assert_eq!(flows, [7, 500_000, 2_000_000, 1_000_000_000]);
        let seconds = ["1", "90", "90s", "5m", "1h", "2d"].map(|text| interval(text).unwrap());
        assert_eq!(seconds, [1, 90, 90, 300, 3600, 172_800]);
        assert_eq!(flow_compression("zstd:9").unwrap(), flow::BlockCompression::Zstd(9));
        assert_eq!(nfdump_compression("bz2").unwrap(), nfdump::BlockCompression::Bzip2);
        assert_eq!(compression("lzo").unwrap(), "lzo");
    }

    #[test]
    fn wrong_values_are_refused_with_the_name_of_their_option() {
        fn check<T: std::fmt::Debug>(parse: fn(&str) -> Result<T>, option: &str, texts: &[&str]) {
            for text in texts {
                let error = parse(text).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{option}{text}: ")), "{error}");
            }
        }
        check(snap_length, "-s ", &["", "53", "+99", "-1", "1k", "4294967296"]);
        check(duplicates, "-d ", &["", "0", "1025", "8,", ",8", "8,60001", "8,1,1", "x"]);
        check(record_part, "-o ", &["", "fat=1", "slim", "payload=", "payload=0", "payload=65536"]);
        check(cache, "-B ", &["", "0", "k", "1001M", "1.5M", "99999999999999999999M"]);
        check(interval, "-t ", &["", "0", "0h", "5w", "h", "50000d", "-5"]);
        let wrong = ["bz2:9", "zstd:0", "zstd:20", "gzip", "lz4:", "none:1"];
        check(compression, "-z ", &wrong);
        check(flow_compression, "-z ", &[&wrong[..], &["lzo", "bz2", "lz4:9"]].concat());
        check(nfdump_compression, "-z ", &wrong);
        check(format, "--format ", &["", "nf", "csv"]);
        check(stats_format, "--stats=", &["", "xml"]);
        check(verbosity, "-v ", &["5", "x"]);
        check(workers, "-W ", &["0", "1025", "two"]);
    }
}
