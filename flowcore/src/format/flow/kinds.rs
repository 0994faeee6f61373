//! Which rows of a column of addresses have one, and of which version: a byte where all are alike, else a bit per row.

use std::ops::Range;

use super::packed::{Bits, write_bits};
use crate::error::{Error, Result};

/// Addresses of both versions, or rows without one: a bit per row says which have one, another which are IPv6.
const MIXED: u8 = 1;
/// Addresses of both versions: a bit per row says which are IPv6.
const WITH_V6: u8 = 2;

/// Which rows have an address of which version.
#[derive(Debug)]
pub(super) enum Kinds {
    /// Every row one of this version.
    All(u8),
    /// Rows with an address (`None` if all have one), and those of them whose address is IPv6.
    Each { present: Option<Bits>, six: Bits },
}

impl Kinds {
    /// Adds what [`parse`](Self::parse) reads, for rows of kind 0, 4 or 6.
    pub(super) fn write(kinds: &[u8], out: &mut Vec<u8>) {
        let are = |version: u8| kinds.iter().all(|&kind| kind == version);
        let is_six = kinds.iter().map(|&kind| kind == 6);
        match () {
            () if are(4) => out.push(4),
            () if are(6) => out.push(6),
            () if kinds.iter().all(|&kind| kind != 0) => {
                out.push(WITH_V6);
                write_bits(is_six, out);
            }
            () => {
                out.push(MIXED);
                write_bits(kinds.iter().map(|&kind| kind != 0), out);
                write_bits(is_six, out);
            }
        }
    }

    /// What the chunk of a column of so many rows says first, and the place behind it.
    ///
    /// # Errors
    /// When the bytes are no such thing.
    pub(super) fn parse(chunk: &[u8], rows: usize) -> Result<(Self, usize)> {
        match chunk.first() {
            Some(&kind @ (4 | 6)) => Ok((Self::All(kind), 1)),
            Some(&WITH_V6) => {
                let (six, end) = Bits::parse(chunk, 1, rows)?;
                Ok((Self::Each { present: None, six }, end))
            }
            Some(&MIXED) => {
                let (present, at) = Bits::parse(chunk, 1, rows)?;
                let (six, end) = Bits::parse(chunk, at, rows)?;
                let is_within = |(six, present): (&u8, &u8)| six & !present == 0;
                if !chunk.iter().take(end).skip(at).zip(chunk.iter().skip(1)).all(is_within) {
                    return Err(Error::damaged("an IPv6 address of a row without address"));
                }
                Ok((Self::Each { present: Some(present), six }, end))
            }
            _ => Err(Error::damaged("unknown kinds of addresses")),
        }
    }

    /// 0, 4 or 6, for each of these rows, the first of which is a multiple of eight.
    pub(super) fn fill(&self, chunk: &[u8], rows: Range<usize>, out: &mut Vec<u8>) {
        let start = out.len();
        match self {
            Self::All(kind) => out.resize(start + rows.len(), *kind),
            Self::Each { present, six } => {
                out.resize(start + rows.len(), 0);
                let (whole, rest) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<8>();
                let bytes = six.bytes_from(chunk, rows.start);
                whole.iter_mut().zip(bytes).for_each(|(kinds, byte)| *kinds = versions(*byte));
                let last = bytes.get(whole.len()).map_or([0; 8], |byte| versions(*byte));
                rest.iter_mut().zip(last).for_each(|(kind, version)| *kind = version);
                let Some(present) = present else { return };
                let mut kinds = out.iter_mut().skip(start);
                present.each(chunk, rows, |is_there| {
                    if let Some(kind) = kinds.next() {
                        *kind *= u8::from(is_there);
                    }
                });
            }
        }
    }

    /// 0, 4 or 6.
    pub(super) fn of(&self, chunk: &[u8], row: usize) -> u8 {
        match self {
            Self::All(kind) => *kind,
            Self::Each { present, six } => match present {
                Some(present) if !present.get(chunk, row) => 0,
                _ => 4 + 2 * u8::from(six.get(chunk, row)),
            },
        }
    }

    /// Where the IPv4 and the IPv6 addresses of these rows stand, among all of their version.
    pub(super) fn places(&self, chunk: &[u8], rows: &Range<usize>) -> (Range<usize>, Range<usize>) {
        match self {
            Self::All(6) => (0..0, rows.clone()),
            Self::All(_) => (rows.clone(), 0..0),
            Self::Each { present, six } => {
                let sixes = six.rank(chunk, rows.start)..six.rank(chunk, rows.end);
                let before = |row| present.as_ref().map_or(row, |present| present.rank(chunk, row));
                // Rows with an IPv6 address are among those with an address.
                (before(rows.start) - sixes.start..before(rows.end) - sixes.end, sixes)
            }
        }
    }
}

/// 6 for bits that are set, else 4.
fn versions(bits: u8) -> [u8; 8] {
    std::array::from_fn(|bit| 4 + (bits >> bit & 1) * 2)
}
