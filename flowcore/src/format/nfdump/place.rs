//! A value takes its place in a record, in the form that the table of elements gives.

use super::elements::{Form, Part};
use crate::batch::Column;
use crate::record::{Addr, Field, Protocol, payload_bytes};

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// There is none, or none that needs its element.
    Empty,
    /// It is written.
    Taken,
    /// Its beginning is written, as there was no room for more.
    Cut,
    /// It does not fit the form.
    Lost,
}

impl Place {
    /// Whether something was written.
    pub(super) const fn is_taken(self) -> bool {
        matches!(self, Self::Taken | Self::Cut)
    }

    /// Whether something was not written.
    pub(super) const fn is_loss(self) -> bool {
        matches!(self, Self::Cut | Self::Lost)
    }
}

/// Writes the value of a row to its place in `data`, which is zero there.
#[inline]
pub(super) fn place(
    part: &Part,
    column: Option<&Column>,
    row: usize,
    protocol: Option<Protocol>,
    data: &mut [u8],
) -> Place {
    let placed = match (column, part.form) {
        (Some(Column::Number(column)), Form::FlowCount) => {
            Some(place_flow_count(column.get(row), part, data))
        }
        (None, Form::FlowCount) => Some(place_flow_count(None, part, data)),
        (Some(Column::Number(column)), _) => {
            column.get(row).map(|number| place_number(number, part, protocol, data))
        }
        (Some(Column::Time(column)), _) => column.get(row).map(|nanos| place_time(nanos, part, data)),
        (Some(Column::Addr(column)), _) => Some(place_addr(column.get(row), part, data)),
        (Some(Column::Text(column)), _) => column.get(row).map(|text| place_text(text, part, data)),
        (None, _) => None,
    };
    placed.unwrap_or(Place::Empty)
}

/// Adds a text that has all that is left of its element to `out`, in at most `room` bytes.
pub(super) fn place_tail(text: Option<&str>, form: Form, room: usize, out: &mut Vec<u8>) -> Place {
    let start = out.len();
    let room = room / PADDING * PADDING;
    let place = match (form, text) {
        (Form::Name(_), text) => {
            let text = text.unwrap_or_default();
            let name = cut_name(text, room.saturating_sub(1));
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            whole_or_cut(name.len(), text.len())
        }
        (Form::Payload, Some(text)) => {
            let bytes = payload_bytes(text);
            let kept = bytes.get(..room).unwrap_or(&bytes);
            out.extend_from_slice(kept);
            whole_or_cut(kept.len(), bytes.len())
        }
        (Form::Hex, Some(text)) => match hex_bytes(text) {
            Some(bytes) if bytes.len() <= room => {
                out.extend_from_slice(&bytes);
                // These bytes are a number: it is not filled up.
                return Place::Taken;
            }
            _ => Place::Lost,
        },
        _ => Place::Empty,
    };
    let padded = (out.len() - start).next_multiple_of(PADDING);
    out.resize(start + padded, 0);
    place
}

/// Writes bytes to their place, if it is there.
#[inline]
pub(super) fn store<const N: usize>(data: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(place) = data.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = bytes;
    }
}

#[inline]
fn place_number(number: u64, part: &Part, protocol: Option<Protocol>, data: &mut [u8]) -> Place {
    let is_icmp = || protocol.is_some_and(Protocol::is_icmp);
    match part.form {
        Form::U8 | Form::Tcp => place_le::<1>(number, part.at, data),
        Form::U16 => place_le::<2>(number, part.at, data),
        Form::U32 => place_le::<4>(number, part.at, data),
        Form::U64 => place_le::<8>(number, part.at, data),
        Form::Micros => place_le::<8>(number / NANOS_PER_MICRO, part.at, data),
        Form::Mac if number <= MAX_MAC => place_le::<8>(number, part.at, data),
        Form::Icmp if is_icmp() => place_le::<1>(number, part.at, data),
        // Type and code of ICMP stand there; log files give such flows ports of 0.
        Form::Port if part.field == Field::DstPort && is_icmp() => match number {
            0 => Place::Empty,
            _ => Place::Lost,
        },
        Form::Port => place_le::<2>(number, part.at, data),
        _ => Place::Lost,
    }
}

/// Writes a number of `N` bytes, if it is one.
#[inline]
fn place_le<const N: usize>(number: u64, at: usize, data: &mut [u8]) -> Place {
    let bytes = number.to_le_bytes();
    let Some((low, high)) = bytes.split_first_chunk::<N>() else { return Place::Lost };
    if high.iter().any(|&byte| byte != 0) {
        return Place::Lost;
    }
    store(data, at, *low);
    Place::Taken
}

/// A record is one flow unless it says something else, and needs no element to say so.
fn place_flow_count(flows: Option<u64>, part: &Part, data: &mut [u8]) -> Place {
    let flows = flows.unwrap_or(1).max(1);
    store(data, part.at, flows.to_le_bytes());
    if flows > 1 { Place::Taken } else { Place::Empty }
}

/// Milliseconds, rounded down. There are none before 1970.
fn place_time(nanos: i64, part: &Part, data: &mut [u8]) -> Place {
    match u64::try_from(nanos.div_euclid(NANOS_PER_MILLI)) {
        Ok(millis) if part.form == Form::Millis => {
            store(data, part.at, millis.to_le_bytes());
            Place::Taken
        }
        _ => Place::Lost,
    }
}

/// An IPv4 address beside an IPv6 address takes the form that maps it (RFC 4291, section 2.5.5.2).
fn place_addr(addr: Addr, part: &Part, data: &mut [u8]) -> Place {
    let v6 = match (part.form, addr) {
        (_, Addr::Unknown) => return Place::Empty,
        (Form::V4, Addr::V4(addr)) => {
            store(data, part.at, addr.to_bits().to_le_bytes());
            return Place::Taken;
        }
        (Form::V6, Addr::V4(addr)) => addr.to_ipv6_mapped().to_bits(),
        (Form::V6, Addr::V6(addr)) => addr.to_bits(),
        _ => return Place::Lost,
    };
    // The high half first, each in host order.
    store(data, part.at, v6.rotate_left(64).to_le_bytes());
    Place::Taken
}

fn place_text(text: &str, part: &Part, data: &mut [u8]) -> Place {
    match part.form {
        Form::FlowDirection => match direction_number(text) {
            Some(number) => place_le::<1>(number.into(), part.at, data),
            None => Place::Lost,
        },
        Form::Acl => match acl_numbers(text) {
            Some(numbers) => {
                for (at, number) in (part.at..).step_by(4).zip(numbers) {
                    store(data, at, number.to_le_bytes());
                }
                Place::Taken
            }
            None => Place::Lost,
        },
        Form::Name(width) => {
            let name = cut_name(text, width - 1);
            let place = data.get_mut(part.at..).unwrap_or_default();
            place.iter_mut().zip(name.bytes()).for_each(|(to, byte)| *to = byte);
            whole_or_cut(name.len(), text.len())
        }
        _ => Place::Lost,
    }
}

/// The number of a direction by name, or of one that has none.
fn direction_number(text: &str) -> Option<u8> {
    match text {
        "ingress" => Some(0),
        "egress" => Some(1),
        // As they are read: in digits, and none that has a name.
        other => other.parse().ok().filter(|number: &u8| *number > 1 && number.to_string() == other),
    }
}

/// What became of a text of which so many bytes are kept.
fn whole_or_cut(kept: usize, len: usize) -> Place {
    match len {
        0 => Place::Empty,
        _ if kept == len => Place::Taken,
        _ if kept == 0 => Place::Lost,
        _ => Place::Cut,
    }
}

/// The text up to a byte of zero, which ends it in the file, and in at most `most` bytes.
fn cut_name(text: &str, most: usize) -> &str {
    let text = text.split('\0').next().unwrap_or_default();
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// The bytes of a text in hexadecimal, if it is one.
fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// The three numbers of an access list's text, `0x1/0x2/0x3`.
fn acl_numbers(text: &str) -> Option<[u32; 3]> {
    let mut numbers = text.split('/').map(|number| {
        let digits = number.strip_prefix("0x").unwrap_or(number);
        u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    });
    let found = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(found)
}

/// An Ethernet address has 48 bits.
const MAX_MAC: u64 = 0xffff_ffff_ffff;
const NANOS_PER_MILLI: i64 = 1_000_000;
const NANOS_PER_MICRO: u64 = 1_000;

/// Texts are filled up to a multiple of this many bytes.
const PADDING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(text: &str, form: Form, room: usize) -> (Place, Vec<u8>) {
        let mut out = b"before".to_vec();
        let place = place_tail(Some(text), form, room, &mut out);
        (place, out.split_off(6))
    }

    #[test]
    fn texts_are_filled_up_and_cut_to_their_room() {
        let name = Form::Name(usize::MAX);
        assert_eq!(tail("abc", name, 100), (Place::Taken, b"abc\0".to_vec()));
        assert_eq!(tail("abcd", name, 100), (Place::Taken, b"abcd\0\0\0\0".to_vec()));
        assert_eq!(tail("abcd", name, 7), (Place::Cut, b"abc\0".to_vec()));
        assert_eq!(tail("ab\0d", name, 100), (Place::Cut, b"ab\0\0".to_vec()));
        assert_eq!(tail("abé", name, 4), (Place::Cut, b"ab\0\0".to_vec()), "no half character");
        assert_eq!(tail("\0d", name, 100).0, Place::Lost);
        assert_eq!(tail("", name, 100), (Place::Empty, vec![0; 4]));
        assert_eq!(tail("\u{e9}\u{0}\u{1}", Form::Payload, 100), (Place::Taken, vec![0xe9, 0, 1, 0]));
        assert_eq!(tail("12345", Form::Payload, 7), (Place::Cut, b"1234".to_vec()));
        assert_eq!(tail("", Form::Payload, 7), (Place::Empty, vec![]));
    }

    #[test]
    fn hexadecimal_texts_become_bytes() {
        assert_eq!(tail("0d00Ff", Form::Hex, 100), (Place::Taken, vec![0x0d, 0, 0xff]));
        for wrong in ["", "0", "0g", "0x", "+1", "12é"] {
            assert_eq!(tail(wrong, Form::Hex, 100), (Place::Lost, vec![]), "{wrong}");
        }
        assert_eq!(tail("001122334455", Form::Hex, 4).0, Place::Lost);
    }

    #[test]
    fn access_lists_are_three_numbers() {
        assert_eq!(acl_numbers("0x1/0xffffffff/a"), Some([1, u32::MAX, 10]));
        for wrong in ["", "1/2", "1/2/3/4", "1/2/", "0x1/0x100000000/0x3", "+1/2/3", "0x/1/2", "-1/2/3"] {
            assert_eq!(acl_numbers(wrong), None, "{wrong}");
        }
    }
}
