//! The text of one value to a number, a time or an address.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::record::{Addr, Timestamp};

/// Largest `start` or `end` that is in seconds; larger ones are milliseconds.
pub(super) const MAX_SECONDS: u64 = i32::MAX as u64;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// Why a text is no value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format) enum ValueError {
    NotANumber,
    TooLarge(u64),
    NotATime,
    NotAnAddress,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANumber => f.write_str("is not a number"),
            Self::TooLarge(max) => write!(f, "is larger than {max}"),
            Self::NotATime => f.write_str("is not a time in Unix seconds"),
            Self::NotAnAddress => f.write_str("is not an IP address"),
        }
    }
}

/// A number up to `max`: digits only, no sign.
pub(in crate::format) fn number(text: &[u8], max: u64) -> Result<u64, ValueError> {
    let mut number = 0_u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(ValueError::NotANumber);
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    let number = match text.len() {
        0 => return Err(ValueError::NotANumber),
        // So many digits cannot have wrapped.
        1..=19 => Some(number),
        _ => parse(text),
    };
    number.filter(|&number| number <= max).ok_or(ValueError::TooLarge(max))
}

/// A time in seconds, or in milliseconds where it is too large for 32-bit seconds.
pub(in crate::format) fn time(text: &[u8]) -> Result<Timestamp, ValueError> {
    number(text, u64::MAX).ok().and_then(time_of).ok_or(ValueError::NotATime)
}

/// The time that a number is.
#[inline]
pub(super) fn time_of(number: u64) -> Option<Timestamp> {
    let signed = i64::try_from(number).ok()?;
    if number <= MAX_SECONDS {
        return Some(Timestamp::from_secs(signed));
    }
    signed.checked_mul(NANOS_PER_MILLI).map(Timestamp::from_nanos)
}

/// An IPv4 or IPv6 address.
pub(in crate::format) fn addr(text: &[u8]) -> Result<Addr, ValueError> {
    ipv4(text).map(Addr::V4).or_else(|| parse(text).map(Addr::V6)).ok_or(ValueError::NotAnAddress)
}

/// What the standard library makes of a text.
fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The same texts as the standard library takes (four decimal parts, no leading zeros), in less time.
fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut addr, mut part, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            if digits == 3 || (digits > 0 && part == 0) {
                return None;
            }
            part = part * 10 + u32::from(digit);
            digits += 1;
        } else {
            if byte != b'.' || digits == 0 || part > 255 {
                return None;
            }
            addr = addr << 8 | part;
            dots += 1;
            (part, digits) = (0, 0);
        }
    }
    (dots == 3 && digits > 0 && part <= 255).then(|| Ipv4Addr::from(addr << 8 | part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_digits_in_range() {
        assert_eq!(number("0".as_bytes(), 9), Ok(0));
        assert_eq!(number("0065535".as_bytes(), 65_535), Ok(65_535));
        assert_eq!(number("65536".as_bytes(), 65_535), Err(ValueError::TooLarge(65_535)));
        assert_eq!(number("18446744073709551615".as_bytes(), u64::MAX), Ok(u64::MAX));
        assert_eq!(number("18446744073709551616".as_bytes(), u64::MAX), Err(ValueError::TooLarge(u64::MAX)));
        for text in ["", "+1", "-1", "1.0", "0x1", "12x", "99999999999999999999x", "\u{661}"] {
            assert_eq!(number(text.as_bytes(), u64::MAX), Err(ValueError::NotANumber), "{text}");
        }
    }

    #[test]
    fn times_are_seconds_or_milliseconds() {
        assert_eq!(time("1695921755".as_bytes()), Ok(Timestamp::from_secs(1_695_921_755)));
        assert_eq!(time("2147483647".as_bytes()), Ok(Timestamp::from_secs(2_147_483_647)));
        assert_eq!(time("1695921755123".as_bytes()), Ok(Timestamp::from_nanos(1_695_921_755_123_000_000)));
        assert_eq!(time("2147483648".as_bytes()), Ok(Timestamp::from_nanos(2_147_483_648_000_000)));
        for text in ["", "now", "9223372036855", "18446744073709551616"] {
            assert_eq!(time(text.as_bytes()), Err(ValueError::NotATime), "{text}");
        }
    }

    #[test]
    fn addresses_are_exact() {
        for text in ["0.0.0.0", "255.255.255.255", "20.106.124.93", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert_eq!(addr(text.as_bytes()).ok(), text.parse().ok(), "{text}");
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1.2.3.4 ",
            ".1.2.3",
            "1..2.3",
            "fe80::1%eth0",
        ] {
            assert_eq!(addr(text.as_bytes()), Err(ValueError::NotAnAddress), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ipv4_agrees_with_the_standard_library(text in "[0-9]{0,3}\\.[0-9]{0,4}\\.[0-9]{1,3}\\.[0-9]{1,3}|[0-9.]{0,16}") {
            prop_assert_eq!(ipv4(text.as_bytes()), text.parse().ok());
        }

        #[test]
        fn every_ipv4_address_is_read(bits: u32) {
            let expected = Ipv4Addr::from(bits);
            prop_assert_eq!(ipv4(expected.to_string().as_bytes()), Some(expected));
        }

        #[test]
        fn numbers_agree_with_the_standard_library(text in "[0-9]{1,21}") {
            prop_assert_eq!(number(text.as_bytes(), u64::MAX).ok(), text.parse().ok());
        }
    }
}
