//! What lists are made of, put straight into a line of bytes: a list can have millions of rows, and formatting traits
//! cost more than reading the rows does.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use flowcore::{Addr, Protocol, Timestamp};

/// Adds a number in digits.
#[inline]
pub(super) fn number(number: u64, out: &mut Vec<u8>) {
    match usize::try_from(number) {
        Ok(digit @ ..10) => out.push(PAIRS[digit][1]),
        Ok(small @ ..10_000) => short_number(small, out),
        _ => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
    }
}

/// Adds a number of two to four digits: four are copied, which is a single move, and the blank ones cut off.
#[inline]
fn short_number(number: usize, out: &mut Vec<u8>) {
    let ([a, b], [c, d]) = (PAIRS[number / 100], PAIRS[number % 100]);
    let (text, len) = match number {
        ..=99 => ([c, d, 0, 0], 2),
        100..=999 => ([b, c, d, 0], 3),
        _ => ([a, b, c, d], 4),
    };
    start_of(text, len, out);
}

/// Adds the first `len` of these bytes. A copy of a fixed size needs no call, unlike one of a size to be found out.
#[inline]
pub(super) fn start_of<const N: usize>(text: [u8; N], len: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&text);
    out.truncate(start + len.min(N));
}

/// Adds a number in at least so many digits.
pub(super) fn zero_padded(value: u64, digits: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    out.resize(out.len() + digits.saturating_sub(text.len()), b'0');
    out.extend_from_slice(text.as_bytes());
}

/// Adds the last two digits of a number.
#[inline]
pub(super) fn two_digits(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&pair(value));
}

/// The last two digits of a number.
#[inline]
pub(super) fn pair(value: u64) -> [u8; 2] {
    PAIRS[(value % 100) as usize]
}

/// Adds the last three digits of a number.
#[inline]
pub(super) fn three_digits(value: u64, out: &mut Vec<u8>) {
    out.push(PAIRS[(value / 100 % 10) as usize][1]);
    two_digits(value, out);
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + n as u8 / 10, b'0' + n as u8 % 10];
        n += 1;
    }
    pairs
};

/// Adds an address, `-` where it is not known.
pub(super) fn addr(addr: Addr, out: &mut Vec<u8>) {
    match addr {
        Addr::V4(addr) => v4(addr, out),
        Addr::V6(addr) => v6(addr, out),
        Addr::Unknown => out.push(b'-'),
    }
}

fn v4(addr: Ipv4Addr, out: &mut Vec<u8>) {
    let (mut text, mut at) = ([0; 16], 0);
    for octet in addr.octets() {
        let (digits, len) = OCTETS[usize::from(octet)];
        // The last three bytes of the longest address, and the dot behind it, are the end of the array.
        if let Some(room) = text.get_mut(at..at + 4) {
            room.copy_from_slice(&digits);
        }
        at += usize::from(len);
    }
    start_of(text, at - 1, out);
}

/// The form of RFC 5952: lower case, no leading zeros, the longest row of zeros left out, the first of equal ones; a mapped
/// IPv4 address as one.
fn v6(addr: Ipv6Addr, out: &mut Vec<u8>) {
    if let Some(mapped) = addr.to_ipv4_mapped() {
        out.extend_from_slice(b"::ffff:");
        return v4(mapped, out);
    }
    let groups = addr.segments();
    let zeros = if groups.contains(&0) { longest_zeros(groups) } else { 0..0 };
    if zeros.is_empty() {
        return hex_groups(&groups, out);
    }
    hex_groups(groups.get(..zeros.start).unwrap_or_default(), out);
    out.extend_from_slice(b"::");
    hex_groups(groups.get(zeros.end..).unwrap_or_default(), out);
}

/// The first of the longest rows of zeros, which are two or more; else nothing.
fn longest_zeros(groups: [u16; 8]) -> Range<usize> {
    let (mut longest, mut start) = (0..0, 0);
    for (at, group) in groups.into_iter().enumerate() {
        if group != 0 {
            start = at + 1;
        } else if at + 1 - start > longest.len().max(1) {
            longest = start..at + 1;
        }
    }
    longest
}

fn hex_groups(groups: &[u16], out: &mut Vec<u8>) {
    for (at, &group) in groups.iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        let digits = [group >> 12, group >> 8, group >> 4, group].map(|digit| HEX[usize::from(digit & 15)]);
        let blank = (group.max(1).leading_zeros() / 4) as usize;
        let [a, b, c, d] = digits;
        let text = match blank {
            0 => [a, b, c, d],
            1 => [b, c, d, 0],
            2 => [c, d, 0, 0],
            _ => [d, 0, 0, 0],
        };
        start_of(text, 4 - blank, out);
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";

/// `0.` to `255.`, each with its length.
const OCTETS: [([u8; 4], u8); 256] = {
    let mut octets = [([b'.'; 4], 0); 256];
    let mut n = 0;
    while n < 256 {
        let digits = [b'0' + (n / 100) as u8, b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
        octets[n] = match n {
            0..10 => ([digits[2], b'.', b'.', b'.'], 2),
            10..100 => ([digits[1], digits[2], b'.', b'.'], 3),
            _ => ([digits[0], digits[1], digits[2], b'.'], 4),
        };
        n += 1;
    }
    octets
};

/// Adds a protocol by name, or by number where it has none.
pub(super) fn protocol(protocol: Protocol, out: &mut Vec<u8>) {
    match protocol {
        Protocol::TCP => out.extend_from_slice(b"TCP"),
        Protocol::UDP => out.extend_from_slice(b"UDP"),
        _ => match protocol.name() {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None => number(protocol.0.into(), out),
        },
    }
}

/// Adds date and time to the second, `between` them; returns the nanoseconds behind that.
pub(super) fn date_and_time(time: Timestamp, between: u8, out: &mut Vec<u8>) -> u32 {
    let t = time.civil();
    match u64::try_from(t.year) {
        Ok(year) => zero_padded(year, 4, out),
        Err(_) => drop(write!(out, "{:04}", t.year)),
    }
    for (separator, part) in
        [(b'-', t.month), (b'-', t.day), (between, t.hour), (b':', t.minute), (b':', t.second)]
    {
        out.push(separator);
        two_digits(part.into(), out);
    }
    t.nanosecond
}

/// Adds a time as RFC 3339 has it, with as many digits of the second as it needs: three, six or nine.
pub(super) fn rfc3339(time: Timestamp, out: &mut Vec<u8>) {
    let nanos = date_and_time(time, b'T', out);
    fraction(nanos, out);
}

/// Adds what RFC 3339 has behind the second.
pub(super) fn fraction(nanos: u32, out: &mut Vec<u8>) {
    let nanos = u64::from(nanos);
    out.push(b'.');
    three_digits(nanos / 1_000_000, out);
    if nanos % 1_000_000 != 0 {
        three_digits(nanos / 1_000, out);
        if nanos % 1_000 != 0 {
            three_digits(nanos, out);
        }
    }
    out.push(b'Z');
}

/// Adds blanks.
#[inline]
pub(super) fn blanks(count: usize, out: &mut Vec<u8>) {
    if count <= BLANKS.len() {
        start_of(BLANKS, count, out);
    } else {
        out.resize(out.len() + count, b' ');
    }
}

const BLANKS: [u8; 32] = [b' '; 32];

/// Adds what `write` adds, in a column of at least `width` characters with blanks before it. Only for ASCII.
#[inline]
pub(super) fn right(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    let len = out.len() - start;
    if len >= width {
        return;
    }
    if width > BLANKS.len() {
        out.resize(start + width, b' ');
        out[start..].rotate_right(width - len);
        return;
    }
    // So that a piece of a fixed size can be copied.
    out.extend_from_slice(&BLANKS);
    let mut text = BLANKS;
    if let Some(written) = out.get(start..).and_then(|from| from.first_chunk()) {
        text = *written;
    }
    out.truncate(start);
    blanks(width - len, out);
    start_of(text, len, out);
}

/// Adds what `write` adds, in a column of at least `width` characters with blanks behind it. Only for ASCII.
pub(super) fn left(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    blanks((start + width).saturating_sub(out.len()), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"|".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn everything_is_as_the_formatting_traits_have_it() {
        for value in [0, 7, 9, 10, 99, 100, 101, 999, 1000, 9_999, 10_000, 65_535, u64::MAX] {
            assert_eq!(text(|out| number(value, out)), format!("|{value}"));
            assert_eq!(text(|out| zero_padded(value, 3, out)), format!("|{value:03}"));
            assert_eq!(text(|out| two_digits(value, out)), format!("|{:02}", value % 100));
            assert_eq!(text(|out| three_digits(value, out)), format!("|{:03}", value % 1000));
            for width in [0, 1, 6, 31, 32, 33, 50] {
                assert_eq!(
                    text(|out| right(width, out, |out| number(value, out))),
                    format!("|{value:>width$}")
                );
            }
            assert_eq!(text(|out| left(6, out, |out| number(value, out))), format!("|{value:<6}"));
        }
        for n in 0..=255 {
            let known = Ipv4Addr::new(n, 255 - n, n / 2, n);
            assert_eq!(text(|out| addr(Addr::V4(known), out)), format!("|{known}"));
        }
        for known in ["0.0.0.0", "255.10.9.100", "255.255.255.255", "::", "2001:db8::1", "::ffff:1.2.3.4"] {
            assert_eq!(text(|out| addr(known.parse().unwrap(), out)), format!("|{known}"));
        }
        assert_eq!(text(|out| addr(Addr::Unknown, out)), "|-");
        // Each group 0, short or long: every row of zeros there can be.
        for n in 0..3_u32.pow(8) {
            let group = |at: u32| [0_u16, 0xa0b, 0xffff][(n / 3_u32.pow(at) % 3) as usize];
            let known = Ipv6Addr::from(std::array::from_fn::<u16, 8, _>(|at| group(at as u32)));
            assert_eq!(text(|out| addr(Addr::V6(known), out)), format!("|{known}"));
        }
        for n in 0..=255 {
            assert_eq!(text(|out| protocol(Protocol(n), out)), format!("|{}", Protocol(n)));
        }
        for nanos in [0, -1, 1_695_921_755_123_456_789, 1_000_001_000, 5_000_000, i64::MIN, i64::MAX] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(text(|out| rfc3339(time, out)), format!("|{time}"));
        }
    }
}
