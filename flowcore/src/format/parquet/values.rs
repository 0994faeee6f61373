//! The values of a page, one after the other, in any of the encodings.

use super::cut;
use super::delta::Deltas;
use super::hybrid::{Hybrid, bits};
use super::schema::Physical;
use crate::error::{Error, Result};

/// A value as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Raw<'a> {
    /// A boolean, or a whole number with its sign.
    Whole(i64),
    Float(f64),
    Bytes(&'a [u8]),
}

/// Where a reader stands in the values of a page.
#[derive(Debug)]
pub(super) enum Values {
    /// One after the other, from this byte.
    Plain(usize),
    /// Booleans, from this bit.
    Bits(u64),
    Runs(Hybrid),
    /// Places in the dictionary. Where no row has a value, not even their width is there.
    Places(Option<Hybrid>),
    Deltas(Deltas),
    /// All lengths, then all bytes.
    Lengths {
        lengths: Deltas,
        at: usize,
    },
    /// How many bytes each value shares with the one before, the lengths of the rest, and the rest.
    Prefixes {
        shared: Deltas,
        lengths: Deltas,
        at: usize,
        value: Vec<u8>,
    },
    /// The first bytes of all values, then the second ones, and so on.
    Split {
        start: usize,
        at: usize,
        count: usize,
    },
}

/// The values that a column chunk states once.
#[derive(Debug)]
pub(super) struct Dictionary {
    bytes: Vec<u8>,
    /// Where each value begins, if they differ in length.
    starts: Vec<u32>,
    physical: Physical,
}

impl Values {
    /// The values in an encoding that begin at this byte of a page of so many rows.
    pub(super) fn new(encoding: i64, physical: Physical, page: &[u8], at: usize, rows: u64) -> Result<Self> {
        Ok(match (encoding, physical) {
            (0, Physical::Boolean) => Self::Bits(at as u64 * 8),
            (0, _) => Self::Plain(at),
            (2 | 8, _) => {
                Self::Places(page.get(at).map(|&width| Hybrid::new(width.into(), at + 1, page.len())))
            }
            (3, Physical::Boolean) if at == page.len() => Self::Places(None),
            (3, Physical::Boolean) => Self::Runs(Hybrid::after_length(1, page, at)?),
            (5, Physical::Int32 | Physical::Int64) => Self::Deltas(Deltas::new(page, at, rows)?),
            (6, Physical::Bytes) => {
                let lengths = Deltas::new(page, at, rows)?;
                Self::Lengths { at: lengths.end(page)?, lengths }
            }
            (7, Physical::Bytes | Physical::Fixed(_)) => {
                let shared = Deltas::new(page, at, rows)?;
                let lengths = Deltas::new(page, shared.end(page)?, rows)?;
                Self::Prefixes { at: lengths.end(page)?, shared, lengths, value: Vec::new() }
            }
            (9, Physical::Int32 | Physical::Float) => {
                Self::Split { start: at, at: 0, count: (page.len() - at) / 4 }
            }
            (9, Physical::Int64 | Physical::Double) => {
                Self::Split { start: at, at: 0, count: (page.len() - at) / 8 }
            }
            _ => {
                return Err(Error::unsupported(format!(
                    "encoding {encoding} of values of type {physical:?}"
                )));
            }
        })
    }

    /// The next value.
    pub(super) fn next<'a>(
        &'a mut self,
        physical: Physical,
        page: &'a [u8],
        dictionary: Option<&'a Dictionary>,
    ) -> Result<Raw<'a>> {
        match self {
            Self::Plain(at) => physical.plain(page, at),
            Self::Bits(bit) => {
                *bit += 1;
                bits(page, *bit - 1, 1).map(|bit| Raw::Whole(bit as i64)).ok_or_else(|| cut(VALUES))
            }
            Self::Runs(runs) => Ok(Raw::Whole(runs.next(page)?.into())),
            Self::Places(places) => {
                let place = places.as_mut().ok_or_else(|| cut(VALUES))?.next(page)?;
                let dictionary = dictionary.ok_or_else(|| Error::damaged("no dictionary before its use"))?;
                dictionary
                    .value(place)
                    .ok_or_else(|| Error::damaged(format!("no value {place} in the dictionary")))
            }
            Self::Deltas(deltas) => Ok(Raw::Whole(deltas.next(page)?)),
            Self::Lengths { lengths, at } => Ok(Raw::Bytes(take(page, at, lengths.next(page)?)?)),
            Self::Prefixes { shared, lengths, at, value } => {
                let shared = usize::try_from(shared.next(page)?).ok().filter(|shared| *shared <= value.len());
                value.truncate(shared.ok_or_else(|| cut(VALUES))?);
                value.extend_from_slice(take(page, at, lengths.next(page)?)?);
                Ok(Raw::Bytes(value))
            }
            Self::Split { start, at, count } => {
                let index = Some(*at).filter(|at| at < count).ok_or_else(|| cut(VALUES))?;
                *at += 1;
                let bytes = split(page, *start, index, *count);
                let [a, b, c, d, ..] = bytes;
                Ok(match physical {
                    Physical::Int64 => Raw::Whole(i64::from_le_bytes(bytes)),
                    Physical::Double => Raw::Float(f64::from_le_bytes(bytes)),
                    Physical::Float => Raw::Float(f32::from_le_bytes([a, b, c, d]).into()),
                    _ => Raw::Whole(i32::from_le_bytes([a, b, c, d]).into()),
                })
            }
        }
    }
}

impl Dictionary {
    /// A dictionary of so many values.
    pub(super) fn new(physical: Physical, bytes: Vec<u8>, count: u64) -> Result<Self> {
        let mut starts = Vec::new();
        if physical == Physical::Bytes {
            let mut at = 0;
            for _ in 0..count {
                starts.push(u32::try_from(at).map_err(|_| cut(DICTIONARY))?);
                physical.plain(&bytes, &mut at).map_err(|_| cut(DICTIONARY))?;
            }
        }
        Ok(Self { bytes, starts, physical })
    }

    fn value(&self, place: u32) -> Option<Raw<'_>> {
        let mut at = match self.physical {
            Physical::Bytes => *self.starts.get(place as usize)? as usize,
            physical => (place as usize).checked_mul(physical.width())?,
        };
        self.physical.plain(&self.bytes, &mut at).ok()
    }
}

impl Physical {
    /// Bytes of a value, of a type whose values are of one length.
    fn width(self) -> usize {
        match self {
            Self::Int32 | Self::Float => 4,
            Self::Int64 | Self::Double => 8,
            Self::Fixed(width) => width,
            // Booleans have no dictionaries.
            Self::Boolean | Self::Bytes => 1,
        }
    }

    /// The value at this byte.
    fn plain<'a>(self, page: &'a [u8], at: &mut usize) -> Result<Raw<'a>> {
        Ok(match self {
            Self::Int32 => Raw::Whole(i32::from_le_bytes(array(page, at)?).into()),
            Self::Int64 => Raw::Whole(i64::from_le_bytes(array(page, at)?)),
            Self::Float => Raw::Float(f32::from_le_bytes(array(page, at)?).into()),
            Self::Double => Raw::Float(f64::from_le_bytes(array(page, at)?)),
            Self::Fixed(width) => Raw::Bytes(take(page, at, width as i64)?),
            Self::Boolean => Raw::Whole(array::<1>(page, at)?[0].into()),
            Self::Bytes => {
                let len = u32::from_le_bytes(array(page, at)?);
                Raw::Bytes(take(page, at, len.into())?)
            }
        })
    }
}

const VALUES: &str = "a value in a page";
const DICTIONARY: &str = "a dictionary";

fn array<const N: usize>(page: &[u8], at: &mut usize) -> Result<[u8; N]> {
    let array = page.get(*at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| cut(VALUES))?;
    *at += N;
    Ok(*array)
}

fn take<'a>(page: &'a [u8], at: &mut usize, len: i64) -> Result<&'a [u8]> {
    let len = usize::try_from(len).ok();
    let end = len.and_then(|len| at.checked_add(len));
    let taken = end.and_then(|end| page.get(*at..end)).ok_or_else(|| cut(VALUES))?;
    *at += taken.len();
    Ok(taken)
}

/// The bytes of a value that stand in as many streams; those that its type does not have are zero.
fn split(page: &[u8], start: usize, index: usize, count: usize) -> [u8; 8] {
    let mut bytes = [0; 8];
    for (stream, byte) in bytes.iter_mut().enumerate() {
        let at = count.checked_mul(stream).and_then(|at| at.checked_add(start)?.checked_add(index));
        *byte = at.and_then(|at| page.get(at)).copied().unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INT32: Physical = Physical::Int32;

    #[test]
    fn streams_of_bytes_are_put_together() {
        let numbers = [1_i32, -2, 0x0102_0304];
        let page: Vec<u8> =
            (0..4).flat_map(|byte| numbers.map(|number| number.to_le_bytes()[byte])).collect();
        let mut values = Values::new(9, INT32, &page, 0, 3).unwrap();
        for number in numbers {
            assert_eq!(values.next(INT32, &page, None).unwrap(), Raw::Whole(number.into()));
        }
        assert!(values.next(INT32, &page, None).is_err());
    }

    #[test]
    fn a_place_has_to_be_in_the_dictionary() {
        let dictionary = Dictionary::new(Physical::Bytes, b"\x01\0\0\0a\x02\0\0\0bc".to_vec(), 2).unwrap();
        // Places 1, 0, 2 of two bits.
        let page = [2, 0b11, 0b0010_0001, 0];
        let mut values = Values::new(8, Physical::Bytes, &page, 0, 8).unwrap();
        let mut next =
            || values.next(Physical::Bytes, &page, Some(&dictionary)).ok().map(|raw| format!("{raw:?}"));
        let text = |text: &[u8]| Some(format!("{:?}", Raw::Bytes(text)));
        assert_eq!([next(), next(), next()], [text(b"bc"), text(b"a"), None]);
        assert!(Dictionary::new(Physical::Bytes, b"\x09\0\0\0a".to_vec(), 1).is_err());
        assert!(Dictionary::new(Physical::Bytes, Vec::new(), u64::MAX).is_err());
        assert!(Values::new(8, INT32, &page, 0, 8).unwrap().next(INT32, &page, None).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(page in prop::collection::vec(any::<u8>(), 0..100), encoding in 0_i64..10, kind in 0_usize..7) {
            let kinds = [
                Physical::Boolean, INT32, Physical::Int64, Physical::Float, Physical::Double, Physical::Bytes, Physical::Fixed(3),
            ];
            let physical = kinds[kind];
            let dictionary = Dictionary::new(physical, page.clone(), 3).ok();
            if let Ok(mut values) = Values::new(encoding, physical, &page, 0, 1000) {
                let _ = (0..2000).try_for_each(|_| values.next(physical, &page, dictionary.as_ref()).map(drop));
            }
        }
    }
}
