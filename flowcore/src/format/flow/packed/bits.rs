//! A bit per row, found by row and counted up to any row without counting from the start.

use std::ops::Range;

use crate::error::{Error, Result};

/// Bits in a chunk, checked: there is one for each row. The lowest bit of the first byte is that of row 0.
#[derive(Debug, Clone)]
pub(in crate::format::flow) struct Bits {
    bytes: Range<usize>,
    /// Bits set before each group of rows, and in all.
    before: Vec<u32>,
}

/// Rows of a group.
const GROUP: usize = 512;

impl Bits {
    /// The bits of `rows` rows that start at `at`, and the place behind them.
    ///
    /// # Errors
    /// When they are not all there, or there are more of them.
    pub(in crate::format::flow) fn parse(chunk: &[u8], at: usize, rows: usize) -> Result<(Self, usize)> {
        let end = at + rows.div_ceil(8);
        let bytes = chunk.get(at..end).ok_or_else(|| Error::damaged("column ends early"))?;
        let unused = bytes.last().is_some_and(|last| !rows.is_multiple_of(8) && last >> (rows % 8) != 0);
        if unused {
            return Err(Error::damaged("a bit stands for no row"));
        }
        let mut before = Vec::with_capacity(rows / GROUP + 2);
        let mut set = 0;
        for group in bytes.chunks(GROUP / 8) {
            before.push(set);
            set += count(group);
        }
        before.push(set);
        Ok((Self { bytes: at..end, before }, end))
    }

    /// Rows whose bit is set.
    pub(in crate::format::flow) fn set(&self) -> usize {
        self.before.last().map_or(0, |&set| set as usize)
    }

    /// Whether the bit of a row is set.
    #[inline]
    pub(in crate::format::flow) fn get(&self, chunk: &[u8], row: usize) -> bool {
        self.slice(chunk).get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 != 0)
    }

    /// Bits set in front of a row.
    pub(in crate::format::flow) fn rank(&self, chunk: &[u8], row: usize) -> usize {
        let group = row / GROUP;
        let before = self.before.get(group).copied().unwrap_or(0);
        let bytes = self.slice(chunk);
        let whole = count(bytes.get(group * (GROUP / 8)..row / 8).unwrap_or_default());
        let part = bytes.get(row / 8).map_or(0, |byte| (byte & ((1 << (row % 8)) - 1)).count_ones());
        (before + whole + part) as usize
    }

    /// Calls with whether its bit is set, for each of these rows.
    #[inline]
    pub(in crate::format::flow) fn each(&self, chunk: &[u8], rows: Range<usize>, mut call: impl FnMut(bool)) {
        let bytes = self.slice(chunk).get(rows.start / 8..).unwrap_or_default();
        let (mut left, mut skipped) = (rows.len(), rows.start % 8);
        for &byte in bytes {
            let here = left.min(8 - skipped);
            (skipped..skipped + here).for_each(|bit| call(byte >> bit & 1 != 0));
            (left, skipped) = (left - here, 0);
            if left == 0 {
                break;
            }
        }
    }

    /// The bits from a row on that is a multiple of eight.
    pub(in crate::format::flow) fn bytes_from<'a>(&self, chunk: &'a [u8], row: usize) -> &'a [u8] {
        self.slice(chunk).get(row / 8..).unwrap_or_default()
    }

    fn slice<'a>(&self, chunk: &'a [u8]) -> &'a [u8] {
        chunk.get(self.bytes.clone()).unwrap_or_default()
    }
}

/// Adds a bit per row to `out`.
pub(in crate::format::flow) fn write_bits(rows: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    let (mut byte, mut bit) = (0, 0);
    for is_set in rows {
        byte |= u8::from(is_set) << bit;
        bit += 1;
        if bit == 8 {
            out.push(byte);
            (byte, bit) = (0, 0);
        }
    }
    if bit > 0 {
        out.push(byte);
    }
}

fn count(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: u32 = words.iter().map(|word| u64::from_le_bytes(*word).count_ones()).sum();
    words + rest.iter().map(|byte| byte.count_ones()).sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_found_and_counted_from_anywhere(
            rows in prop::collection::vec(any::<bool>(), 0..2000),
            from in 0..2000_usize,
        ) {
            let mut chunk = vec![0xff];
            write_bits(rows.iter().copied(), &mut chunk);
            let (bits, end) = Bits::parse(&chunk, 1, rows.len()).unwrap();
            prop_assert_eq!(end, chunk.len());
            prop_assert_eq!(bits.set(), rows.iter().filter(|&&is_set| is_set).count());
            let from = from.min(rows.len());
            prop_assert_eq!(bits.rank(&chunk, from), rows[..from].iter().filter(|&&is_set| is_set).count());
            let mut seen = Vec::new();
            bits.each(&chunk, from..rows.len(), |is_set| seen.push(is_set));
            prop_assert_eq!(&seen, &rows[from..]);
            prop_assert!(rows.iter().enumerate().all(|(row, &is_set)| bits.get(&chunk, row) == is_set));
        }
    }

    #[test]
    fn missing_and_superfluous_bits_are_damage() {
        assert!(Bits::parse(&[0xff], 0, 9).is_err());
        assert!(Bits::parse(&[0x10], 0, 4).is_err());
        assert!(Bits::parse(&[0x0f], 0, 4).is_ok());
    }
}
