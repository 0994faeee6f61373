//! Addresses and prefixes in their usual spelling, read from bytes: the short way for lists of millions of them.
//!
//! In: the bytes at the start of a value. Out: first and last address and the length of the text, or nothing; then it is for
//! [`value::prefix`](super::value::prefix) to say what the text is, or what is wrong with it. Where both read a text, they
//! agree.

use super::list::ends_value;

/// The first and last address of an IPv4 address or prefix at the start of some bytes, and the length of its text; `None`
/// if it is anything but four numbers without leading zeros, perhaps with a length, and a separator behind.
pub(super) fn plain_v4(bytes: &[u8]) -> Option<((u32, u32), usize)> {
    let mut numbers = Numbers::default();
    let end = bytes.iter().position(|&byte| !numbers.take(byte));
    let (addr, bits) = numbers.prefix()?;
    let end = end.unwrap_or(bytes.len());
    if bytes.get(end).is_some_and(|&byte| !ends_value(byte)) {
        return None;
    }
    let host = u32::MAX.checked_shr(bits).unwrap_or(0);
    Some(((addr & !host, addr | host), end))
}

/// The numbers of an address and its length, read byte by byte.
#[derive(Default)]
struct Numbers {
    /// Those before the one that is being read.
    addr: u32,
    /// The one that is being read.
    number: u32,
    digits: u32,
    /// Points and the slash so far.
    marks: u32,
    wrong: bool,
}

impl Numbers {
    /// Whether the byte is a part of the text; one that is out of place makes it wrong.
    fn take(&mut self, byte: u8) -> bool {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            self.wrong |= self.digits > 0 && self.number == 0 || self.digits == 3;
            self.number = self.number.wrapping_mul(10).wrapping_add(digit.into());
            self.digits += 1;
            return !self.wrong;
        }
        let mark = if self.marks < 3 { b'.' } else { b'/' };
        if byte != mark || self.marks == 4 {
            return false;
        }
        self.wrong |= self.digits == 0 || self.number > 255;
        self.addr = self.addr << 8 | self.number & 0xff;
        (self.number, self.digits, self.marks) = (0, 0, self.marks + 1);
        !self.wrong
    }

    /// The address and the length of the prefix, if nothing was wrong.
    fn prefix(&self) -> Option<(u32, u32)> {
        if self.wrong || self.digits == 0 || self.number > 255 {
            return None;
        }
        match self.marks {
            3 => Some((self.addr << 8 | self.number, 32)),
            4 if self.number <= 32 => Some((self.addr, self.number)),
            _ => None,
        }
    }
}

/// As [`plain_v4`] for an IPv6 address of hexadecimal digits and colons, perhaps with a length.
pub(super) fn plain_v6(bytes: &[u8]) -> Option<((u128, u128), usize)> {
    let len = bytes.iter().take(LONGEST_V6 + 1).position(|&byte| ends_value(byte)).unwrap_or(bytes.len());
    let text = bytes.get(..len).filter(|text| text.len() <= LONGEST_V6)?;
    let (addr, bits) = match text.iter().position(|&byte| byte == b'/') {
        Some(at) => (text.get(..at)?, v6_len(text.get(at + 1..)?)?),
        None => (text, 128),
    };
    let addr = v6(addr)?;
    let host = u128::MAX.checked_shr(bits).unwrap_or(0);
    Some(((addr & !host, addr | host), len))
}

/// The length of a prefix, without leading zeros.
fn v6_len(text: &[u8]) -> Option<u32> {
    if !matches!(text, [b'0'] | [b'1'..=b'9'] | [b'1'..=b'9', _] | [b'1', _, _]) {
        return None;
    }
    let digit = |&byte: &u8| char::from(byte).to_digit(10);
    let number = text.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?));
    number.filter(|&number| number <= 128)
}

/// The address that groups of hexadecimal digits spell; `::` stands for one row of groups that are zero.
fn v6(text: &[u8]) -> Option<u128> {
    let (mut addr, mut groups) = (0_u128, 0);
    let mut before_gap = text.starts_with(b"::").then_some(0);
    let mut rest = text.get(if before_gap.is_some() { 2 } else { 0 }..)?;
    while !(rest.is_empty() && before_gap == Some(groups)) {
        let (group, after) = hex_group(rest)?;
        (addr, groups) = (addr << 16 | u128::from(group), groups + 1);
        rest = match after {
            [] => break,
            [b':', b':', after @ ..] if before_gap.is_none() => {
                before_gap = Some(groups);
                after
            }
            [b':', after @ ..] => after,
            _ => return None,
        };
    }
    match before_gap {
        None => (groups == 8).then_some(addr),
        Some(before) if groups < 8 => {
            let behind = u128::MAX.checked_shl(16 * (groups - before)).unwrap_or(0);
            let upper = (addr & behind).checked_shl(16 * (8 - groups)).unwrap_or(0);
            Some(upper | addr & !behind)
        }
        Some(_) => None,
    }
}

/// One to four hexadecimal digits, and what follows them.
fn hex_group(text: &[u8]) -> Option<(u16, &[u8])> {
    let (mut group, mut digits) = (0, 0);
    for &byte in text.iter().take(5) {
        let Some(digit) = char::from(byte).to_digit(16) else { break };
        (group, digits) = (group << 4 | digit, digits + 1);
    }
    let group = u16::try_from(group).ok().filter(|_| (1..=4).contains(&digits))?;
    Some((group, text.get(digits..)?))
}

/// Eight groups of four digits, seven colons, and a length of three digits.
const LONGEST_V6: usize = 8 * 4 + 7 + 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::value;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_does(text in "[0-9]{1,3}(\\.[0-9]{1,3}){2,4}(/[0-9]{0,3})?[ ,x#]?") {
            let word = text.trim_end_matches([' ', ',', '#']);
            let long = value::prefix(word).ok();
            if let Some((range, len)) = plain_v4(text.as_bytes()) {
                prop_assert_eq!(len, word.len());
                let mut found = None;
                long.unwrap().range().either(|v4| found = Some(v4), |_| ());
                prop_assert_eq!(found, Some(range));
            } else {
                prop_assert_eq!(long, None);
            }
        }

        #[test]
        fn the_short_way_reads_what_the_long_way_does_in_ipv6(
            text in "(:?:)?([0-9a-fA-F]{1,5}(::?)){0,8}[0-9a-f]{0,4}(/[0-9+]{0,12})?[ ,x#]?",
        ) {
            let word = text.trim_end_matches([' ', ',', '#']);
            let mut expected = None;
            if let Ok(prefix) = value::prefix(word) && prefix.addr.is_ipv6() {
                prefix.range().either(|_| (), |range| expected = Some((range, word.len())));
            }
            prop_assert_eq!(plain_v6(text.as_bytes()), expected, "{}", text);
        }

        #[test]
        fn every_address_and_length_is_read_the_short_way(addr in any::<u128>(), zeros in any::<u8>(), len in 0_u8..=128) {
            let cut = (0..8).filter(|group| zeros >> group & 1 != 0).fold(addr, |addr, group| addr & !(0xffff << (16 * group)));
            let addr = std::net::Ipv6Addr::from(cut);
            let text = format!("{addr}/{len}");
            let mut expected = None;
            value::prefix(&text).unwrap().range().either(|_| (), |range| expected = Some((range, text.len())));
            let has_v4 = text.contains('.');
            prop_assert_eq!(plain_v6(text.as_bytes()), expected.filter(|_| !has_v4), "{}", text);
        }
    }
}
