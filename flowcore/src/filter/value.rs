//! The text of one value to what it means: numbers with units, durations, times, addresses, flag letters.
//!
//! A number or time is read as the range of stored values that it stands for: `5m` of a duration, compared in
//! whole milliseconds, is 300,000,000,000 to 300,000,999,999 nanoseconds. Every reader says in its error what is
//! wrong with the text.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addrs::Prefix;
use super::columns::Decimal;
use super::dialect;
use crate::record::{EndReason, FieldKind, Protocol, TcpFlags, Timestamp};

/// Why a text is no value of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) suggestion: Option<String>,
}

pub(super) type Read<T> = Result<T, Problem>;

/// TCP flags as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    /// A number is the whole byte.
    Byte(u8),
    /// Letters are a choice of bits.
    Letters(u8),
}

/// What a value of this kind looks like.
pub(super) fn expected(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Count | FieldKind::Rate => "a number such as 1500, 10k or 1.5M",
        FieldKind::Duration => "a duration such as 500ms, 90s, 5m or 2h",
        FieldKind::Latency => "microseconds, or a duration such as 500us, 20ms or 1.5s",
        FieldKind::Port => "a port from 0 to 65535",
        FieldKind::Protocol => "a protocol name or a number from 0 to 255",
        FieldKind::Flags => "letters of CEUAPRSF or a number from 0 to 255",
        FieldKind::Byte => "a number from 0 to 255",
        FieldKind::Mac => "an Ethernet address such as 02:00:5e:10:00:01",
        FieldKind::Mpls => "a label from 0 to 1048575",
        FieldKind::EndReason => "idle, active, end, forced or lack",
        FieldKind::Time => "a time such as 2023-09-28T17:22:35Z or -2h",
        FieldKind::Addr => "an address or a prefix such as 10.0.0.0/8",
        FieldKind::Text => "text",
    }
}

/// The first and last number that a value, or a range `a-b` of values, stands for.
pub(super) fn numbers(kind: FieldKind, text: &str) -> Read<(u64, u64)> {
    range(kind, text, |text| single(kind, text))
}

/// A value or range of the traffic class of an MPLS label stack entry, 0 to 7.
pub(super) fn traffic_classes(text: &str) -> Read<(u64, u64)> {
    range(FieldKind::Byte, text, |text| match number(text)? {
        class @ 0..=7 => Ok((class, class)),
        _ => Err(problem(format!("{text} is larger than 7"))),
    })
}

/// What one value stands for, or the range `a-b` of two.
fn range(kind: FieldKind, text: &str, single: impl Fn(&str) -> Read<(u64, u64)>) -> Read<(u64, u64)> {
    let whole = single(text);
    let parts = text.split_once('-').filter(|(low, high)| !low.is_empty() && !high.is_empty());
    let (Err(_), Some((low, high)), true) = (&whole, parts, kind != FieldKind::Mac) else { return whole };
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return whole;
    }
    let (low, high) = (single(low)?, single(high)?);
    if low.0 > high.1 {
        return Err(problem(format!("{text} holds nothing: its first number is the larger one")));
    }
    Ok((low.0, high.1))
}

fn single(kind: FieldKind, text: &str) -> Read<(u64, u64)> {
    let number = match kind {
        FieldKind::Duration => return duration(text),
        FieldKind::Latency => return latency(text),
        FieldKind::Mpls => return label(text),
        FieldKind::Protocol => protocol(text)?,
        FieldKind::Mac => mac(text)?,
        FieldKind::EndReason => end_reason(text)?,
        _ => limited(kind, text)?,
    };
    Ok((number, number))
}

/// A number no larger than the kind allows.
fn limited(kind: FieldKind, text: &str) -> Read<u64> {
    if kind == FieldKind::Port
        && let Some(port) = dialect::port_of(text)
    {
        let message = format!("\"{text}\" is not a number: names of services are not looked up");
        return Err(Problem { message, suggestion: Some(port.to_string()) });
    }
    let number = number(text)?;
    match kind.max_number() {
        max if number > max => Err(problem(format!("{text} is larger than {max}"))),
        _ => Ok(number),
    }
}

/// Digits with an optional fraction and unit, or `0x` and hexadecimal digits.
fn number(text: &str) -> Read<u64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).map_err(|_| problem(format!("\"{text}\" is not a number")));
    }
    scaled(
        text,
        |unit| find_unit(COUNT_UNITS, &unit.to_ascii_lowercase()),
        "k, M, G, T, KiB, MiB, GiB or TiB",
    )
}

/// Nanoseconds, first and last of the unit in which they are compared: the coarsest of millisecond, microsecond
/// and nanosecond in which the value is whole.
fn duration(text: &str) -> Read<(u64, u64)> {
    let find = |unit: &str| if unit.is_empty() { Some(MILLI) } else { find_unit(TIME_UNITS, unit) };
    let low = scaled(text, find, "ns, us, ms, s, m, h, d or w")?;
    Ok((low, low.saturating_add(grain(low) - 1)))
}

/// As [`duration`], but a number without unit is microseconds, and nothing is compared in a coarser unit.
fn latency(text: &str) -> Read<(u64, u64)> {
    let find = |unit: &str| if unit.is_empty() { Some(MICRO) } else { find_unit(TIME_UNITS, unit) };
    let low = scaled(text, find, "ns, us, ms, s, m, h, d or w")?;
    Ok((low, low.saturating_add(grain(low).min(MICRO) - 1)))
}

/// The MPLS label stack entries with a label: of any traffic class, at the bottom of the stack or not.
fn label(text: &str) -> Read<(u64, u64)> {
    match number(text)? {
        label @ 0..=MAX_LABEL => Ok((label << 4, label << 4 | 0xf)),
        _ => Err(problem(format!("{text} is larger than {MAX_LABEL}"))),
    }
}

/// Labels have 20 bits (RFC 3032 §2.1).
const MAX_LABEL: u64 = 0xf_ffff;

fn grain(nanos: u64) -> u64 {
    [MILLI, MICRO].into_iter().find(|&grain| nanos.is_multiple_of(grain)).unwrap_or(1)
}

/// Nanoseconds since 1970, first and last of the unit in which they are compared, as for durations.
pub(super) fn time(text: &str, now: Timestamp) -> Read<(i64, i64)> {
    let time = match relative_time(text, now) {
        Some(time) => time?,
        None => text.parse().map_err(|_| problem(format!("\"{text}\" is not a time")))?,
    };
    let low = time.as_nanos();
    let width = i64::try_from(grain(low.unsigned_abs()) - 1).unwrap_or(0);
    Ok((low, low.saturating_add(width)))
}

/// The time that `now`, `now-2h`, `-2h` or `+5m` means, in whole milliseconds; `None` if the text is nothing like it.
pub(super) fn relative_time(text: &str, now: Timestamp) -> Option<Read<Timestamp>> {
    let after_now = text.get(..3).filter(|start| start.eq_ignore_ascii_case("now")).and(text.get(3..));
    let offset = after_now.unwrap_or(text);
    let nanos = now.as_nanos().saturating_sub(now.as_nanos().rem_euclid(MILLI as i64));
    if after_now.is_some() && offset.is_empty() {
        return Some(Ok(Timestamp::from_nanos(nanos)));
    }
    let is_before = offset.starts_with('-');
    let amount = offset.strip_prefix(['-', '+']).filter(|amount| !amount.is_empty())?;
    let find = |unit: &str| find_unit(TIME_UNITS, unit);
    let span = scaled(amount, find, "ns, us, ms, s, m, h, d and w, as in -2h");
    Some(span.map(|span| {
        let span = i64::try_from(span).unwrap_or(i64::MAX);
        let time = if is_before { nanos.saturating_sub(span) } else { nanos.saturating_add(span) };
        Timestamp::from_nanos(time)
    }))
}

/// The first and last number that a value of an unknown column stands for; `None` if it is no number.
pub(super) fn decimals(text: &str) -> Option<(Decimal, Decimal)> {
    match (numbers(FieldKind::Count, text), Decimal::parse(text)) {
        (_, Some(number)) => Some((number.clone(), number)),
        (Ok((low, high)), None) => Some((low.into(), high.into())),
        (Err(_), None) => None,
    }
}

/// A direction by nfdump's number or by name.
pub(super) fn flow_direction(text: &str) -> Read<String> {
    match text.to_ascii_lowercase().as_str() {
        "0" | "ingress" | "in" => Ok("ingress".to_owned()),
        "1" | "egress" | "out" => Ok("egress".to_owned()),
        number if number.parse::<u8>().is_ok() => Ok(number.to_owned()),
        _ => Err(problem(format!("\"{text}\" is not a direction"))),
    }
}

/// An amount in a unit that `find` turns into a factor; the result is whole.
fn scaled(text: &str, find: impl Fn(&str) -> Option<u64>, units: &str) -> Read<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (amount, unit) = text.split_at(end);
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if whole.is_empty() || fraction.contains('.') || amount.ends_with('.') {
        let negative = text.starts_with('-') && text.len() > 1;
        let why = if negative { "is negative" } else { "is not a number" };
        return Err(problem(format!("\"{text}\" {why}")));
    }
    let Some(factor) = find(unit) else {
        let what =
            if unit.is_empty() { format!("{text} has no unit") } else { format!("\"{unit}\" is not a unit") };
        return Err(problem(format!("{what}; there are {units}")));
    };
    let too_large = || problem(format!("{text} is larger than {}", u64::MAX));
    let whole = whole.parse::<u64>().map_err(|_| too_large())?;
    let part =
        fraction_of(fraction, factor).ok_or_else(|| problem(format!("{text} is not a whole number")))?;
    whole.checked_mul(factor).and_then(|whole| whole.checked_add(part)).ok_or_else(too_large)
}

/// `0.fraction * factor`, if that is whole.
fn fraction_of(fraction: &str, factor: u64) -> Option<u64> {
    let digits = fraction.trim_end_matches('0');
    let divisor = 10_u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    let product =
        u128::from(factor).checked_mul(if digits.is_empty() { 0 } else { digits.parse().ok()? })?;
    (product.is_multiple_of(divisor)).then(|| u64::try_from(product / divisor).ok())?
}

fn find_unit(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|entry| entry.0 == unit).map(|entry| entry.1)
}

const MILLI: u64 = 1_000_000;
const MICRO: u64 = 1_000;

/// Lower case; `kb` is said for `k` as often as not.
const COUNT_UNITS: &[(&str, u64)] = &[
    ("", 1),
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Nanoseconds.
const TIME_UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", MICRO),
    ("ms", MILLI),
    ("s", 1_000 * MILLI),
    ("m", 60_000 * MILLI),
    ("min", 60_000 * MILLI),
    ("h", 3_600_000 * MILLI),
    ("d", 86_400_000 * MILLI),
    ("w", 604_800_000 * MILLI),
];

fn protocol(text: &str) -> Read<u64> {
    if let Ok(protocol) = text.parse::<Protocol>() {
        return Ok(protocol.0.into());
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return limited(FieldKind::Protocol, text);
    }
    let names: Vec<String> = Protocol::named().map(|(_, name)| name.to_lowercase()).collect();
    let meant = super::suggest::nearest(text, names.iter().map(String::as_str)).map(str::to_owned);
    Err(Problem { message: format!("unknown protocol \"{text}\""), suggestion: meant })
}

fn mac(text: &str) -> Read<u64> {
    let wrong = || problem(format!("\"{text}\" is not an Ethernet address"));
    let parts: Vec<&str> = text.split([':', '-']).collect();
    let hex = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() != 6 || !parts.iter().all(|part| hex(part)) {
        return Err(wrong());
    }
    let byte = |part: &&str| u64::from_str_radix(part, 16).map_err(|_| wrong());
    parts.iter().try_fold(0, |mac, part| Ok(mac << 8 | byte(part)?))
}

fn end_reason(text: &str) -> Read<u64> {
    let lower = text.to_lowercase().replace(['-', '_'], " ");
    let reasons = (1..=5).filter_map(EndReason::from_number);
    let by_name =
        || reasons.into_iter().find(|reason| !lower.is_empty() && reason.name().starts_with(&lower));
    match lower.parse().ok().and_then(EndReason::from_number).or_else(by_name) {
        Some(reason) => Ok(reason as u64),
        None => Err(problem(format!("unknown end reason \"{text}\""))),
    }
}

/// TCP flags: letters in any case and order, or the number of the whole byte.
pub(super) fn flags(text: &str) -> Read<Flags> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let byte = u8::try_from(limited(FieldKind::Flags, text)?).unwrap_or(u8::MAX);
        return Ok(Flags::Byte(byte));
    }
    match TcpFlags::from_letters(text) {
        Some(flags) if !text.is_empty() => Ok(Flags::Letters(flags.0)),
        _ => Err(Problem {
            message: format!("\"{text}\" holds a letter that is no TCP flag"),
            suggestion: flag_letters(text),
        }),
    }
}

/// The letters of flags that are called by their names: `SYN`, `syn-ack`.
fn flag_letters(text: &str) -> Option<String> {
    const NAMES: [(&str, char); 8] = [
        ("cwr", 'C'),
        ("ece", 'E'),
        ("urg", 'U'),
        ("ack", 'A'),
        ("psh", 'P'),
        ("rst", 'R'),
        ("syn", 'S'),
        ("fin", 'F'),
    ];
    let letter =
        |name: &str| NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|name| name.1);
    text.split(|c: char| !c.is_ascii_alphanumeric()).map(letter).collect()
}

/// An address, or a prefix with its length or, for IPv4, its mask.
pub(super) fn prefix(text: &str) -> Read<Prefix> {
    let (addr, len) = match text.split_once('/') {
        Some((addr, len)) => (addr, Some(len)),
        None => (text, None),
    };
    let addr = address(addr)?;
    let bits = if addr.is_ipv4() { 32 } else { 128 };
    let Some(len) = len else { return Ok(Prefix { addr, len: bits }) };
    if addr.is_ipv4() && len.contains('.') && is_dotted(len) {
        return Ok(Prefix { addr, len: mask_len(len)? });
    }
    let is_number = len == "0" || len.starts_with(|c: char| matches!(c, '1'..='9'));
    match len.parse::<u16>() {
        Ok(len) if is_number && len <= bits.into() => {
            Ok(Prefix { addr, len: u8::try_from(len).unwrap_or(bits) })
        }
        Ok(_) if is_number => Err(problem(format!("/{len} is longer than the {bits} bits of the address"))),
        _ => Err(problem(format!("\"/{len}\" is not a prefix length"))),
    }
}

fn mask_len(text: &str) -> Read<u8> {
    let mask = u32::from(v4(text)?);
    if mask.leading_ones() != mask.count_ones() {
        return Err(problem(format!("{text} is not a network mask: a one follows a zero")));
    }
    Ok(u8::try_from(mask.count_ones()).unwrap_or(32))
}

fn address(text: &str) -> Read<IpAddr> {
    if !text.is_empty() && is_dotted(text) {
        return v4(text).map(IpAddr::V4);
    }
    if let Ok(addr) = text.parse::<Ipv6Addr>() {
        return Ok(IpAddr::V6(addr));
    }
    if let Some((addr, port)) = text.split_once(':')
        && addr.parse::<Ipv4Addr>().is_ok()
    {
        let message = format!("{text} is an address and a port");
        return Err(Problem { message, suggestion: Some(format!("ip {addr} and port {port}")) });
    }
    if text.eq_ignore_ascii_case("tor") {
        let message =
            "\"tor\" is not supported: no list of Tor's nodes is read; give one as in [...] or in @FILE";
        return Err(problem(message));
    }
    let is_range = text.split_once('-').is_some_and(|(low, _)| low.parse::<IpAddr>().is_ok());
    let why = match text {
        _ if is_range => ": ranges of addresses are written as prefixes",
        _ if text.contains(':') => "",
        _ => ": names are not looked up",
    };
    Err(problem(format!("\"{text}\" is not an IP address{why}")))
}

/// Whether a text could be an IPv4 address or mask.
fn is_dotted(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// An IPv4 address; the text is digits and points.
fn v4(text: &str) -> Read<Ipv4Addr> {
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let parts: Vec<&str> = text.split('.').collect();
    let is_large = |part: &&&str| !part.is_empty() && part.parse::<u8>().is_err();
    let (large, mut suggestion) = (parts.iter().find(is_large), None);
    let zero = parts.iter().find(|part| part.len() > 1 && part.starts_with('0'));
    let why = match (large, zero) {
        (Some(part), _) => format!("{part} is larger than 255"),
        (None, Some(part)) => format!("{part} starts with a zero"),
        (None, None) if parts.contains(&"") => "a part of it is empty".to_owned(),
        (None, None) => {
            suggestion = (2..4).contains(&parts.len()).then(|| filled(&parts));
            format!("it has {} of 4 parts", parts.len())
        }
    };
    Err(Problem { message: format!("{text} is not an IP address: {why}"), suggestion })
}

/// The prefix that the first parts of an address stand for.
fn filled(parts: &[&str]) -> String {
    let octets = parts.iter().copied().chain(std::iter::repeat("0")).take(4);
    format!("{}/{}", octets.collect::<Vec<_>>().join("."), parts.len() * 8)
}

/// Bytes of a payload, each as the character of that number: a text as it stands, in UTF-8, with `\r`, `\n`, `\t`,
/// `\\` and `\xNN` for what cannot be typed.
pub(super) fn content(text: &str) -> Read<String> {
    let mut content = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        content.extend(before.bytes().map(char::from));
        let (byte, after) = unescape(escape).ok_or_else(|| {
            let shown: String = escape.chars().take(3).collect();
            problem(format!("\"\\{shown}\" is no escape; a backslash itself is written \\\\"))
        })?;
        content.push(char::from(byte));
        rest = after;
    }
    content.extend(rest.bytes().map(char::from));
    Ok(content)
}

/// The byte that the text behind a backslash stands for, and what follows.
fn unescape(text: &str) -> Option<(u8, &str)> {
    if let Some(hex) = text.strip_prefix('x') {
        let digits = hex.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        return Some((u8::from_str_radix(digits, 16).ok()?, hex.get(2..)?));
    }
    const ESCAPES: [(char, u8); 4] = [('r', b'\r'), ('n', b'\n'), ('t', b'\t'), ('\\', b'\\')];
    ESCAPES.iter().find_map(|&(letter, byte)| Some((byte, text.strip_prefix(letter)?)))
}

pub(super) fn problem(message: impl Into<String>) -> Problem {
    Problem { message: message.into(), suggestion: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(read: Read<T>) -> String {
        read.unwrap_err().message
    }

    #[test]
    fn units_are_exact() {
        let read = |text| numbers(FieldKind::Count, text).map(|range| range.0).ok();
        for (text, number) in [
            ("0", Some(0)),
            ("0x1F", Some(31)),
            ("10k", Some(10_000)),
            ("1.5M", Some(1_500_000)),
            ("1.5mib", Some(1_572_864)),
            ("0.001k", Some(1)),
            ("18446744073709551615", Some(u64::MAX)),
            ("2.0", Some(2)),
            ("18446744073709551616", None),
            ("18446745T", None),
            ("0.0001k", None),
            ("1.5", None),
            ("1.2.3", None),
            (".5k", None),
            ("5.k", None),
            ("", None),
            ("-5", None),
            ("10x", None),
            ("0xzz", None),
            ("1.99999999999999999999999999999999999999999999k", None),
        ] {
            assert_eq!(read(text), number, "{text}");
        }
        assert_eq!(numbers(FieldKind::Port, "8000-8100"), Ok((8000, 8100)));
        assert_eq!(
            message(numbers(FieldKind::Port, "9-8")),
            "9-8 holds nothing: its first number is the larger one"
        );
        assert_eq!(message(numbers(FieldKind::Port, "80-70000")), "70000 is larger than 65535");
    }

    #[test]
    fn a_duration_has_the_grain_it_is_written_in() {
        let read = |text| numbers(FieldKind::Duration, text);
        assert_eq!(read("5"), Ok((5_000_000, 5_999_999)));
        assert_eq!(read("5m"), Ok((300_000_000_000, 300_000_999_999)));
        assert_eq!(read("0.5s"), Ok((500_000_000, 500_999_999)));
        assert_eq!(read("1.5ms"), Ok((1_500_000, 1_500_999)));
        assert_eq!(read("7ns"), Ok((7, 7)));
        assert_eq!(read("1s-2s"), Ok((1_000_000_000, 2_000_999_999)));
        assert!(read("5M").is_err() && read("1y").is_err());
        let (low, high) = time("2023-09-28T17:22:35.5Z", Timestamp::MIN).unwrap();
        assert_eq!((low, high - low), (1_695_921_755_500_000_000, 999_999));
    }

    #[test]
    fn times_can_be_relative() {
        let now = Timestamp::from_nanos(1_695_921_755_123_456_789);
        let read = |text| time(text, now).map(|range| (range.0 - 1_695_921_755_123_000_000) / 1_000_000_000);
        for (text, seconds) in
            [("now", 0), ("NOW-2h", -7200), ("-2h", -7200), ("now+1.5m", 90), ("+1w", 604_800), ("-90s", -90)]
        {
            assert_eq!(read(text), Ok(seconds), "{text}");
        }
        assert_eq!(time("now", now).map(|(low, high)| high - low), Ok(999_999));
        assert_eq!(
            message(time("-5", now)),
            "5 has no unit; there are ns, us, ms, s, m, h, d and w, as in -2h"
        );
        for wrong in ["now2h", "-", "now-", "--2h", "-2y", "nowhere", "noü"] {
            assert!(time(wrong, now).is_err(), "{wrong}");
        }
        assert!(time("-20000w", Timestamp::MIN).is_ok());
    }

    #[test]
    fn a_column_has_numbers_of_any_length() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert_eq!(decimals("0x10"), Some((number("16"), number("16"))));
        assert_eq!(decimals("1k-2k"), Some((number("1000"), number("2000"))));
        assert_eq!(decimals("-1.50"), Some((number("-1.5"), number("-1.5"))));
        assert_eq!(decimals("blue"), None);
    }

    #[test]
    fn latencies_are_in_microseconds() {
        let read = |text| numbers(FieldKind::Latency, text);
        assert_eq!(read("1000"), Ok((1_000_000, 1_000_999)));
        assert_eq!(read("5ms"), Ok((5_000_000, 5_000_999)));
        assert_eq!(read("1.5"), Ok((1_500, 1_500)));
        assert_eq!(read("10-20"), Ok((10_000, 20_999)));
    }

    #[test]
    fn a_label_is_all_entries_with_it() {
        let read = |text| numbers(FieldKind::Mpls, text);
        assert_eq!(read("100"), Ok((1600, 1615)));
        assert_eq!(read("0-0xfffff"), Ok((0, 0xff_ffff)));
        assert_eq!(message(read("1048576")), "1048576 is larger than 1048575");
        assert_eq!(traffic_classes("5-7"), Ok((5, 7)));
        assert_eq!(message(traffic_classes("8")), "8 is larger than 7");
    }

    #[test]
    fn content_is_bytes() {
        let bytes = |text: &str| content(text).map(|text| text.chars().map(|c| c as u32).collect::<Vec<_>>());
        assert_eq!(bytes("a\\r\\n\\t\\\\\\xFf"), Ok(vec![97, 13, 10, 9, 92, 255]));
        assert_eq!(bytes("ü"), Ok(vec![0xc3, 0xbc]));
        for wrong in ["\\", "\\q", "\\x", "\\x1", "\\xü1", "\\x1ü", "\\x+1"] {
            assert!(content(wrong).is_err(), "{wrong}");
        }
        assert_eq!(message(content("a\\qüx")), "\"\\qüx\" is no escape; a backslash itself is written \\\\");
    }

    #[test]
    fn names_are_numbers() {
        assert_eq!(numbers(FieldKind::Protocol, "IPv6-ICMP"), Ok((58, 58)));
        assert_eq!(numbers(FieldKind::Protocol, "6-17"), Ok((6, 17)));
        assert_eq!(message(numbers(FieldKind::Protocol, "256")), "256 is larger than 255");
        assert_eq!(numbers(FieldKind::Protocol, "tpc").unwrap_err().suggestion.as_deref(), Some("tcp"));
        assert_eq!(numbers(FieldKind::Mac, "02-00-5E-10-0-1"), Ok((0x0200_5e10_0001, 0x0200_5e10_0001)));
        assert!(numbers(FieldKind::Mac, "02:00:5e:10:00").is_err());
        for (text, number) in [("idle", 1), ("Active-Timeout", 2), ("end", 3), ("4", 4), ("lack", 5)] {
            assert_eq!(numbers(FieldKind::EndReason, text), Ok((number, number)), "{text}");
        }
        assert!(numbers(FieldKind::EndReason, "").is_err() && numbers(FieldKind::EndReason, "6").is_err());
        assert_eq!(flags("sa"), Ok(Flags::Letters(0x12)));
        assert_eq!(flags("0x12"), Ok(Flags::Byte(0x12)));
        assert_eq!(flags("syn-ACK").unwrap_err().suggestion.as_deref(), Some("SA"));
        assert!(flags("Q").is_err() && flags("256").is_err() && flags("").is_err());
    }

    #[test]
    fn wrong_addresses_are_explained() {
        for (text, expected) in [
            ("10.0.0.300", "10.0.0.300 is not an IP address: 300 is larger than 255"),
            ("10.0.0", "10.0.0 is not an IP address: it has 3 of 4 parts"),
            ("010.0.0.1", "010.0.0.1 is not an IP address: 010 starts with a zero"),
            ("1.2.3.4.5", "1.2.3.4.5 is not an IP address: it has 5 of 4 parts"),
            ("example.com", "\"example.com\" is not an IP address: names are not looked up"),
            ("fe80::g", "\"fe80::g\" is not an IP address"),
            ("10.0.0.0/33", "/33 is longer than the 32 bits of the address"),
            ("::/129", "/129 is longer than the 128 bits of the address"),
            ("10.0.0.0/", "\"/\" is not a prefix length"),
            ("10.0.0.0/+8", "\"/+8\" is not a prefix length"),
            ("10.0.0.0/08", "\"/08\" is not a prefix length"),
            ("::/00", "\"/00\" is not a prefix length"),
            ("10.0.0.0/8;10.1.1.1", "\"/8;10.1.1.1\" is not a prefix length"),
            ("10.0.0.0/255..0.0", "255..0.0 is not an IP address: a part of it is empty"),
            ("10.0.0.1.", "10.0.0.1. is not an IP address: a part of it is empty"),
            ("10..0.1", "10..0.1 is not an IP address: a part of it is empty"),
            (".", ". is not an IP address: a part of it is empty"),
            ("10.0.300.", "10.0.300. is not an IP address: 300 is larger than 255"),
            ("10.0.0.0/255.0.255.0", "255.0.255.0 is not a network mask: a one follows a zero"),
            ("10.0.0.1:80", "10.0.0.1:80 is an address and a port"),
        ] {
            assert_eq!(message(prefix(text)), expected, "{text}");
        }
        assert_eq!(prefix("10.1").unwrap_err().suggestion.as_deref(), Some("10.1.0.0/16"));
        for text in ["10..0.1", "10.0.0.1.", ".10.1", "10", "10.300", "1.2.3.4.5", "10.0.0.0/08"] {
            assert_eq!(prefix(text).unwrap_err().suggestion, None, "{text}");
        }
        assert_eq!((prefix("::/0").unwrap().len, prefix("::/128").unwrap().len), (0, 128));
        assert_eq!(prefix("10.0.0.0/255.255.0.0").unwrap().len, 16);
        assert_eq!(prefix("10.0.0.0/0.0.0.0").unwrap().len, 0);
    }
}
