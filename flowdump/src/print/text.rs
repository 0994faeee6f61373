//! What lists are made of, put straight into a line of bytes: a list can have millions of rows, and formatting traits
//! cost more than reading the rows does.

use std::io::Write;

use flowcore::{Addr, Protocol, Timestamp};

/// Adds a number in digits.
pub(super) fn number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Adds a number in at least so many digits.
pub(super) fn zero_padded(value: u64, digits: usize, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(value);
    out.resize(out.len() + digits.saturating_sub(text.len()), b'0');
    out.extend_from_slice(text.as_bytes());
}

/// Adds an address, `-` where it is not known.
pub(super) fn addr(addr: Addr, out: &mut Vec<u8>) {
    let Addr::V4(v4) = addr else {
        // A vector takes every byte.
        return drop(write!(out, "{addr}"));
    };
    let [a, b, c, d] = v4.octets();
    number(a.into(), out);
    for octet in [b, c, d] {
        out.push(b'.');
        number(octet.into(), out);
    }
}

/// Adds a protocol by name, or by number where it has none.
pub(super) fn protocol(protocol: Protocol, out: &mut Vec<u8>) {
    match protocol.name() {
        Some(name) => out.extend_from_slice(name.as_bytes()),
        None => number(protocol.0.into(), out),
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
        zero_padded(part.into(), 2, out);
    }
    t.nanosecond
}

/// Adds a time as RFC 3339 has it, with as many digits of the second as it needs: three, six or nine.
pub(super) fn rfc3339(time: Timestamp, out: &mut Vec<u8>) {
    let nanos = date_and_time(time, b'T', out);
    out.push(b'.');
    match u64::from(nanos) {
        n if n % 1_000_000 == 0 => zero_padded(n / 1_000_000, 3, out),
        n if n % 1_000 == 0 => zero_padded(n / 1_000, 6, out),
        n => zero_padded(n, 9, out),
    }
    out.push(b'Z');
}

/// Adds what `write` adds, in a column of at least `width` characters with blanks before it. Only for ASCII.
pub(super) fn right(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    let len = out.len() - start;
    if len < width {
        out.resize(start + width, b' ');
        out.copy_within(start..start + len, start + width - len);
        out[start..start + width - len].fill(b' ');
    }
}

/// Adds what `write` adds, in a column of at least `width` characters with blanks behind it. Only for ASCII.
pub(super) fn left(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    out.resize(out.len().max(start + width), b' ');
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
        for value in [0, 7, 10, 999, 1000, u64::MAX] {
            assert_eq!(text(|out| number(value, out)), format!("|{value}"));
            assert_eq!(text(|out| zero_padded(value, 3, out)), format!("|{value:03}"));
            assert_eq!(text(|out| right(6, out, |out| number(value, out))), format!("|{value:>6}"));
            assert_eq!(text(|out| left(6, out, |out| number(value, out))), format!("|{value:<6}"));
        }
        for known in ["0.0.0.0", "255.10.9.100", "::", "2001:db8::1", "::ffff:1.2.3.4"] {
            assert_eq!(text(|out| addr(known.parse().unwrap(), out)), format!("|{known}"));
        }
        assert_eq!(text(|out| addr(Addr::Unknown, out)), "|-");
        for n in 0..=255 {
            assert_eq!(text(|out| protocol(Protocol(n), out)), format!("|{}", Protocol(n)));
        }
        for nanos in [0, -1, 1_695_921_755_123_456_789, 1_000_001_000, 5_000_000, i64::MIN, i64::MAX] {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(text(|out| rfc3339(time, out)), format!("|{time}"));
        }
    }
}
