//! Numbers and IPv4 addresses of the usual form, read a word at a time.
//!
//! Values differ in length from line to line, so that a loop over their bytes ends where the processor does not expect it.
//! Here all of a value is looked at together. What is answered is what [`value`](super::value) answers; what is not
//! (`None`) may be a value all the same, or stands too close to the end of the text.

use std::net::Ipv4Addr;

use wide::{CmpEq, CmpGt, i8x16};

/// The number of up to 16 digits that stands here in the text.
#[inline]
pub(super) fn number(text: &[u8], start: usize, end: usize) -> Option<u64> {
    match end.wrapping_sub(start) {
        len @ 1..=8 => digits(word(text, start)?, len),
        len @ 9..=16 => {
            let upper = digits(word(text, start)?, len - 8)?;
            Some(upper * 100_000_000 + digits(word(text, end - 8)?, 8)?)
        }
        _ => None,
    }
}

/// Whether a number of up to 16 digits stands here in the text.
#[inline]
pub(super) fn is_number(text: &[u8], start: usize, end: usize) -> bool {
    let digits = |start, len| word(text, start).is_some_and(|word| are_digits(last_of(word, len)));
    match end.wrapping_sub(start) {
        len @ 1..=8 => digits(start, len),
        len @ 9..=16 => digits(start, len - 8) && digits(end - 8, 8),
        _ => false,
    }
}

/// Whether an address of four decimal parts stands here in the text.
#[inline]
pub(super) fn is_ipv4(text: &[u8], start: usize, end: usize) -> bool {
    let len = end.wrapping_sub(start);
    let Some(bytes) = text.get(start..).and_then(<[u8]>::first_chunk::<16>) else { return false };
    if !(7..=15).contains(&len) {
        return false;
    }
    let bytes = i8x16::new(bytes.map(u8::cast_signed));
    // A bit for each byte, the first one lowest.
    let bits = |mask: i8x16| mask.move_mask().cast_unsigned();
    let above = |byte: u8| bits(bytes.cmp_gt(i8x16::splat(byte.cast_signed())));
    let all = (1 << len) - 1;
    let dots = bits(bytes.cmp_eq(i8x16::splat(b'.'.cast_signed()))) & all;
    let digits = above(b'/') & !above(b'9') & all;
    let (one, two) = (dots & dots.wrapping_sub(1), |bits: u32| bits & bits.wrapping_sub(1));
    let are_three = two(one) != 0 && two(two(one)) == 0;
    // Parts by how many digits they begin with.
    let starts = dots << 1 | 1;
    let of_two = starts & digits >> 1;
    let of_three = of_two & digits >> 2;
    let odd = (digits | dots) ^ all | starts & !digits | of_three & digits >> 3;
    let with_zero = of_two & !above(b'0');
    let too_large = above(b'2') | above(b'1') & (above(b'5') >> 1 | above(b'4') >> 1 & above(b'5') >> 2);
    are_three && odd | with_zero | of_three & too_large == 0
}

/// The address of four decimal parts that stands here in the text.
#[inline]
pub(super) fn ipv4(text: &[u8], start: usize, end: usize) -> Option<Ipv4Addr> {
    let len = end.wrapping_sub(start);
    let bytes = text.get(start..)?.first_chunk::<16>()?;
    if !(7..=15).contains(&len) {
        return None;
    }
    let mut dots = dots(bytes) & ((1 << len) - 1);
    if dots.count_ones() != 3 {
        return None;
    }
    let (bytes, mut addr, mut at) = (u128::from_le_bytes(*bytes), 0, 0);
    for _ in 0..3 {
        let dot = dots.trailing_zeros();
        addr = addr << 8 | part(bytes, at, dot)?;
        (at, dots) = (dot + 1, dots & (dots - 1));
    }
    Some(Ipv4Addr::from(addr << 8 | part(bytes, at, u32::try_from(len).ok()?)?))
}

/// A part of an address: up to 255, without leading zeros.
#[inline]
fn part(bytes: u128, start: u32, end: u32) -> Option<u32> {
    let len = end - start;
    let least = match len {
        1 => 0,
        2 => 10,
        3 => 100,
        _ => return None,
    };
    // As if it stood at the end of four bytes.
    #[expect(clippy::cast_possible_truncation, reason = "the other bytes are not asked for")]
    let four = (bytes >> (8 * start)) as u32;
    let four = (four ^ 0x3030_3030) << (32 - 8 * len);
    let [_, hundreds, tens, ones] = four.to_le_bytes();
    let part = u32::from(hundreds) * 100 + u32::from(tens) * 10 + u32::from(ones);
    let are_digits = (four.wrapping_add(0x7676_7676) | four) & 0x8080_8080 == 0;
    (are_digits && least <= part && part <= 255).then_some(part)
}

/// A bit for each byte that is a dot, the first one lowest.
#[inline]
fn dots(bytes: &[u8; 16]) -> u32 {
    let (halves, _) = bytes.as_chunks::<8>();
    halves.iter().rev().fold(0, |dots, &half| dots << 8 | dots_of(u64::from_le_bytes(half)))
}

/// As [`dots`], of eight bytes.
#[inline]
fn dots_of(word: u64) -> u32 {
    const LOW: u64 = u64::from_ne_bytes([0x7f; 8]);
    let others = word ^ u64::from_ne_bytes([b'.'; 8]);
    // Adding carries into the top bit of a byte unless its low bits are zero, and never beyond it.
    let found = !(((others & LOW) + LOW) | others | LOW) >> 7;
    // The product moves all of them into its top byte.
    (found.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

/// Eight bytes from here on, the first one lowest.
#[inline]
fn word(text: &[u8], start: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*text.get(start..)?.first_chunk()?))
}

/// The number that the first `len` of eight bytes are, 1 to 8, if they are digits.
#[inline]
fn digits(word: u64, len: usize) -> Option<u64> {
    let word = last_of(word, len);
    if !are_digits(word) {
        return None;
    }
    // Pairs of digits, then of pairs, then both halves.
    let pairs = (word.wrapping_mul(10) + (word >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
}

const EIGHT: u64 = 0x0101_0101_0101_0101;

/// What the first `len` of eight bytes are more than the digit 0, as if they stood at the end of eight, behind zeros.
#[inline]
fn last_of(word: u64, len: usize) -> u64 {
    (word ^ (EIGHT * 0x30)) << (64 - 8 * len)
}

/// Whether these are values of digits.
#[inline]
fn are_digits(word: u64) -> bool {
    // Beyond 9, the sum or the byte itself has its top bit set.
    (word.wrapping_add(EIGHT * 0x76) | word) & (EIGHT * 0x80) == 0
}

#[cfg(test)]
mod tests {
    use super::super::value;
    use super::*;
    use crate::record::Addr;
    use proptest::prelude::*;

    /// Values with a text before and behind them, as they stand in a line.
    fn inside(value: &str) -> (String, usize, usize) {
        (format!("12 {value} 34567890.1234567890"), 3, 3 + value.len())
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_the_plain_way(value in "[0-9]{0,18}|[0-9]{0,8}[ -~\u{80}-\u{ff}][0-9]{0,8}") {
            let (text, start, end) = inside(&value);
            let plain = value::number(value.as_bytes(), u64::MAX).ok();
            let quick = number(text.as_bytes(), start, end);
            prop_assert!(quick.is_none() || quick == plain, "{value}: {quick:?}");
            prop_assert_eq!(quick.is_some(), plain.is_some() && value.len() <= 16);
            prop_assert_eq!(is_number(text.as_bytes(), start, end), quick.is_some());
        }

        #[test]
        fn addresses_are_those_of_the_plain_way(
            value in "[0-9]{0,3}\\.[0-9]{0,4}\\.[0-9]{1,3}\\.[0-9]{1,3}|[0-9./:;]{0,17}|[12]?[0-9]{1,2}(\\.[12]?[0-9]{1,2}){3}"
        ) {
            let (text, start, end) = inside(&value);
            let plain = match value::addr(value.as_bytes()) {
                Ok(Addr::V4(addr)) => Some(addr),
                _ => None,
            };
            prop_assert_eq!(ipv4(text.as_bytes(), start, end), plain);
            prop_assert_eq!(is_ipv4(text.as_bytes(), start, end), plain.is_some());
        }
    }

    #[test]
    fn at_the_end_of_the_text_nothing_is_answered() {
        assert_eq!((number(b"12", 0, 2), ipv4(b"1.2.3.4", 0, 7)), (None, None));
        assert_eq!((number(b"12345678", 9, 10), number(b"1", 1, 0), ipv4(b"", 3, 12)), (None, None, None));
    }

    #[test]
    fn every_part_of_an_address_is_told() {
        for part in 0..300_u32 {
            for spelled in [format!("{part}"), format!("{part:02}"), format!("{part:03}")] {
                for value in
                    [format!("{spelled}.1.2.3"), format!("1.2.{spelled}.3"), format!("1.2.3.{spelled}")]
                {
                    let (text, start, end) = inside(&value);
                    assert_eq!(ipv4(text.as_bytes(), start, end), value.parse().ok(), "{value}");
                    let is_one = value.parse::<Ipv4Addr>().is_ok();
                    assert_eq!(is_ipv4(text.as_bytes(), start, end), is_one, "{value}");
                }
            }
        }
    }
}
