//! A stream of integers, narrowed: each value is stored as its distance from the smallest one, in the largest
//! power of a thousand that divides all distances, in as few bytes as the longest distance needs.
//!
//! Signed values use the same stream: a distance is a difference modulo 2^64. Every column is made of such
//! streams; `docs/flow-file.md` calls them packed integers.

use std::ops::Range;

use crate::error::{Error, Result};

/// How the values of a stream are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing {
    /// The smallest value.
    min: u64,
    /// Distances are in units of ten to this power.
    exponent: u8,
    /// Bytes of a distance: 0, 1, 2, 4 or 8.
    width: u8,
}

impl Packing {
    /// The narrowest packing of values from `min` to `max`, all of which are whole units of `10^exponent` apart.
    pub(super) fn new(min: u64, max: u64, exponent: u8) -> Self {
        let longest = max.wrapping_sub(min) / unit(exponent).unwrap_or(1);
        let width = match longest {
            0 => 0,
            1..=0xff => 1,
            0x100..=0xffff => 2,
            0x1_0000..=0xffff_ffff => 4,
            _ => 8,
        };
        Self { min, exponent, width }
    }

    /// The smallest value, which stands for rows without one.
    pub(super) fn min(self) -> u64 {
        self.min
    }

    /// Bytes of a value.
    pub(super) fn width(self) -> u8 {
        self.width
    }

    /// Adds the stream of these values.
    pub(super) fn write(self, values: impl ExactSizeIterator<Item = u64>, out: &mut Vec<u8>) {
        out.push(self.width);
        out.push(self.exponent);
        out.extend_from_slice(&self.min.to_le_bytes());
        let distances = values.map(|value| value.wrapping_sub(self.min));
        // A division by a constant is several times cheaper than one by a variable.
        match self.exponent {
            3 => self.write_units(distances.map(|distance| distance / 1_000), out),
            6 => self.write_units(distances.map(|distance| distance / 1_000_000), out),
            9 => self.write_units(distances.map(|distance| distance / 1_000_000_000), out),
            _ => self.write_units(distances, out),
        }
    }

    fn write_units(self, units: impl ExactSizeIterator<Item = u64>, out: &mut Vec<u8>) {
        match self.width {
            0 => {}
            1 => write_bytes::<1>(units, out),
            2 => write_bytes::<2>(units, out),
            4 => write_bytes::<4>(units, out),
            _ => write_bytes::<8>(units, out),
        }
    }
}

/// Room is made once and filled in place, which is several times faster than adding a few bytes at a time.
fn write_bytes<const WIDTH: usize>(units: impl ExactSizeIterator<Item = u64>, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + units.len() * WIDTH, 0);
    let (slots, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<WIDTH>();
    slots.iter_mut().zip(units).for_each(|(slot, unit)| *slot = low_bytes(unit));
}

/// The largest exponent for which all of these values are whole units from `min`.
pub(super) fn common_exponent(min: u64, values: impl Iterator<Item = u64> + Clone) -> u8 {
    let divides = |unit: u64| values.clone().all(|value| value.wrapping_sub(min).is_multiple_of(unit));
    match () {
        () if !divides(1_000) => 0,
        () if !divides(1_000_000) => 3,
        () if !divides(1_000_000_000) => 6,
        () => 9,
    }
}

/// A stream inside a chunk, checked: whatever part of it is asked for is there.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    packing: Packing,
    unit: u64,
    payload: Range<usize>,
}

/// Bytes in front of the values of a stream.
const HEAD: usize = 10;

impl Packed {
    /// The stream of `count` values that starts at `at`, and the place behind it.
    ///
    /// # Errors
    /// When the bytes are no such stream, or end before it does.
    pub(super) fn parse(bytes: &[u8], at: usize, count: usize) -> Result<(Self, usize)> {
        let head = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEAD>);
        let &[width, exponent, ref min @ ..] = head.ok_or_else(ends_early)?;
        let min = u64::from_le_bytes(*min);
        let unit = unit(exponent).ok_or_else(|| Error::damaged(format!("unknown unit {exponent}")))?;
        if !matches!(width, 0 | 1 | 2 | 4 | 8) {
            return Err(Error::damaged(format!("unknown width {width}")));
        }
        let start = at + HEAD;
        let end = start + count * usize::from(width);
        if end > bytes.len() {
            return Err(ends_early());
        }
        Ok((Self { packing: Packing { min, exponent, width }, unit, payload: start..end }, end))
    }

    /// Adds the values of these rows to `out`. The chunk is the one that was parsed.
    pub(super) fn unpack<T>(
        &self,
        chunk: &[u8],
        rows: Range<usize>,
        out: &mut Vec<T>,
        convert: impl Fn(u64) -> T,
    ) {
        let width = usize::from(self.packing.width);
        let count = rows.len();
        let from = self.payload.start + rows.start * width;
        let bytes = chunk.get(from..from + count * width).unwrap_or_default();
        let Packing { min, .. } = self.packing;
        let unit = self.unit;
        if unit == 1 {
            unpack_units(bytes, width, count, out, |distance| convert(min.wrapping_add(distance)));
        } else {
            let value = |units: u64| convert(min.wrapping_add(units.wrapping_mul(unit)));
            unpack_units(bytes, width, count, out, value);
        }
    }

    /// The value of a row. The chunk is the one that was parsed.
    pub(super) fn get(&self, chunk: &[u8], row: usize) -> u64 {
        let width = usize::from(self.packing.width);
        let from = self.payload.start + row * width;
        let mut units = [0; 8];
        let bytes = chunk.get(from..from + width).unwrap_or_default();
        units.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.packing.min.wrapping_add(u64::from_le_bytes(units).wrapping_mul(self.unit))
    }

    /// Whether no value is above `limit`, for unsigned values.
    pub(super) fn is_at_most(&self, chunk: &[u8], limit: u64) -> bool {
        let longest = match self.packing.width {
            0 => 0,
            8 => u64::MAX,
            width => (1 << (8 * u32::from(width))) - 1,
        };
        let fits = |units: u64| {
            let distance = units.checked_mul(self.unit);
            distance
                .and_then(|distance| self.packing.min.checked_add(distance))
                .is_some_and(|top| top <= limit)
        };
        // Most streams need no look at their values.
        if limit == u64::MAX || fits(longest) {
            return true;
        }
        fits(largest_unit(chunk.get(self.payload.clone()).unwrap_or_default(), self.packing.width))
    }
}

fn largest_unit(bytes: &[u8], width: u8) -> u64 {
    match width {
        1 => largest(bytes.iter().copied()).into(),
        2 => largest(bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit))).into(),
        4 => largest(bytes.as_chunks().0.iter().map(|unit| u32::from_le_bytes(*unit))).into(),
        _ => largest(bytes.as_chunks().0.iter().map(|unit| u64::from_le_bytes(*unit))),
    }
}

/// A fold becomes SIMD, which `Iterator::max`, bound to the last of equal items, does not.
fn largest<T: Ord + Default>(units: impl Iterator<Item = T>) -> T {
    units.fold(T::default(), T::max)
}

fn unpack_units<T>(bytes: &[u8], width: usize, count: usize, out: &mut Vec<T>, value: impl Fn(u64) -> T) {
    match width {
        0 => out.extend((0..count).map(|_| value(0))),
        1 => out.extend(bytes.iter().map(|&byte| value(byte.into()))),
        2 => out.extend(bytes.as_chunks().0.iter().map(|unit| value(u16::from_le_bytes(*unit).into()))),
        4 => out.extend(bytes.as_chunks().0.iter().map(|unit| value(u32::from_le_bytes(*unit).into()))),
        _ => out.extend(bytes.as_chunks().0.iter().map(|unit| value(u64::from_le_bytes(*unit)))),
    }
}

fn low_bytes<const N: usize>(value: u64) -> [u8; N] {
    let mut low = [0; N];
    low.iter_mut().zip(value.to_le_bytes()).for_each(|(to, from)| *to = from);
    low
}

fn unit(exponent: u8) -> Option<u64> {
    matches!(exponent, 0 | 3 | 6 | 9).then(|| 10_u64.pow(exponent.into()))
}

fn ends_early() -> Error {
    Error::damaged("column ends early")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(values: &[u64]) -> (Packing, Vec<u8>) {
        let min = values.iter().copied().min().unwrap();
        let max = values.iter().copied().max().unwrap();
        let packing = Packing::new(min, max, common_exponent(min, values.iter().copied()));
        let mut bytes = vec![0xaa];
        packing.write(values.iter().copied(), &mut bytes);
        (packing, bytes)
    }

    proptest! {
        #[test]
        fn values_read_back_from_any_place(
            base in any::<u64>(),
            bits in 0_u32..64,
            scale in prop::sample::select(vec![1, 1_000, 1_000_000_000_u64]),
            raw in prop::collection::vec(any::<u64>(), 1..200),
        ) {
            let values: Vec<u64> =
                raw.iter().map(|value| base.saturating_add((value >> bits).saturating_mul(scale))).collect();
            let (packing, bytes) = pack(&values);
            let (packed, end) = Packed::parse(&bytes, 1, values.len()).unwrap();
            prop_assert_eq!(end, bytes.len());
            prop_assert_eq!(packed.packing, packing);
            let start = values.len() / 3;
            let mut back = Vec::new();
            packed.unpack(&bytes, start..values.len(), &mut back, |value| value);
            prop_assert_eq!(&back, &values[start..]);
            prop_assert_eq!(packed.get(&bytes, start), values[start]);
            let max = *values.iter().max().unwrap();
            prop_assert!(packed.is_at_most(&bytes, max));
            prop_assert!(max == 0 || !packed.is_at_most(&bytes, max - 1));
        }
    }

    #[test]
    fn streams_are_as_narrow_as_they_can_be() {
        let seconds: Vec<u64> = (0..60).map(|n| 1_695_921_755_000_000_000 + n * 1_000_000_000).collect();
        let cases = [
            (vec![7; 100], 0, 9),
            (vec![1000, 1255], 1, 0),
            (vec![0, 256], 2, 0),
            (vec![0, 65_536], 4, 0),
            (vec![0, 1 << 32], 8, 0),
            (seconds, 1, 9),
            (vec![5, 5_005, 4_000_005], 2, 3),
        ];
        for (values, width, exponent) in cases {
            let (packing, _) = pack(&values);
            assert_eq!((packing.width, packing.exponent), (width, exponent), "{values:?}");
        }
    }

    #[test]
    fn hostile_streams_are_refused() {
        let (_, bytes) = pack(&[1, 2, 3]);
        for cut in 0..bytes.len() {
            assert!(Packed::parse(&bytes[..cut], 1, 3).is_err(), "{cut}");
        }
        assert!(Packed::parse(&bytes, 1, 4).is_err());
        assert!(Packed::parse(&bytes, 99, 0).is_err());
        for (at, value) in [(1, 3), (1, 255), (2, 1), (2, 12)] {
            let mut changed = bytes.clone();
            changed[at] = value;
            assert!(Packed::parse(&changed, 1, 3).is_err());
        }
    }
}
