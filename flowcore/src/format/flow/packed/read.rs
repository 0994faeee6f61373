//! A stream of packed integers to values.

use std::ops::Range;

use super::{Bits, COMMON, HEAD, STEPS, WHOLE, unit};
use crate::error::{Error, Result};

/// A stream inside a chunk, checked: whatever part of it is asked for is there.
#[derive(Debug, Clone)]
pub(in crate::format::flow) struct Packed {
    min: u64,
    unit: u64,
    /// Bytes of a distance.
    width: usize,
    /// The distance that rows without a stored one have.
    common: Option<(u64, Bits)>,
    /// Distances stored.
    stored: usize,
    /// Where they are.
    bytes: Range<usize>,
    /// Whether the bytes of a distance stand side by side; else the lowest ones of all stand together, then the next ones.
    is_whole: bool,
    /// The distance of every row from the first one, where steps are stored: a row cannot be had without those before.
    sums: Option<Vec<u64>>,
}

/// Distances unpacked at a time, in memory that stays in the core's cache.
const BLOCK: usize = 256;

impl Packed {
    /// The stream of `count` values that starts at `at`, and the place behind it.
    ///
    /// # Errors
    /// When the bytes are no such stream, or end before it does.
    pub(in crate::format::flow) fn parse(bytes: &[u8], at: usize, count: usize) -> Result<(Self, usize)> {
        let head = bytes.get(at..).and_then(<[u8]>::first_chunk::<HEAD>).ok_or_else(ends_early)?;
        let &[layout, exponent, ref min @ ..] = head;
        let unit = unit(exponent).ok_or_else(|| Error::damaged(format!("unknown unit {exponent}")))?;
        let width = usize::from(layout & !(COMMON | STEPS | WHOLE));
        if width > 8 {
            return Err(Error::damaged(format!("unknown layout {layout} of numbers")));
        }
        let (common, start) = match layout & COMMON {
            0 => (None, at + HEAD),
            _ => parse_common(bytes, at + HEAD, count)?,
        };
        let stored = common.as_ref().map_or(count, |(_, others)| others.set());
        let end = start + stored * width;
        if end > bytes.len() {
            return Err(ends_early());
        }
        let (min, is_whole) = (u64::from_le_bytes(*min), layout & WHOLE != 0);
        let mut packed = Self { min, unit, width, common, stored, bytes: start..end, is_whole, sums: None };
        if layout & STEPS != 0 {
            packed.sums = Some(packed.sum(bytes, count));
        }
        Ok((packed, end))
    }

    fn sum(&self, chunk: &[u8], count: usize) -> Vec<u64> {
        let (mut sums, mut sum) = (Vec::new(), 0_u64);
        self.unpack_distances(chunk, 0..count, &mut sums, |step| step);
        for step in &mut sums {
            // Out of zigzag order.
            sum = sum.wrapping_add(*step >> 1 ^ (*step & 1).wrapping_neg());
            *step = sum;
        }
        sums
    }

    /// Adds the values of these rows to `out`. The chunk is the one that was parsed.
    pub(in crate::format::flow) fn unpack<T>(
        &self,
        chunk: &[u8],
        rows: Range<usize>,
        out: &mut Vec<T>,
        convert: impl Fn(u64) -> T,
    ) {
        let (min, unit) = (self.min, self.unit);
        if unit == 1 {
            self.unpack_distances(chunk, rows, out, |distance| convert(min.wrapping_add(distance)));
        } else {
            let value = |units: u64| convert(min.wrapping_add(units.wrapping_mul(unit)));
            self.unpack_distances(chunk, rows, out, value);
        }
    }

    fn unpack_distances<T>(
        &self,
        chunk: &[u8],
        rows: Range<usize>,
        out: &mut Vec<T>,
        value: impl Fn(u64) -> T,
    ) {
        out.reserve(rows.len());
        if let Some(sums) = &self.sums {
            return out.extend(sums.get(rows).unwrap_or_default().iter().map(|&sum| value(sum)));
        }
        let Some((common, others)) = &self.common else {
            return self.each_block(chunk, rows, |distances| out.extend(distances.iter().map(|&d| value(d))));
        };
        let stored = others.rank(chunk, rows.start)..others.rank(chunk, rows.end);
        let mut distances = Vec::with_capacity(stored.len());
        self.each_block(chunk, stored, |block| distances.extend_from_slice(block));
        // Without a branch: which rows have another value follows no pattern.
        let mut at = 0;
        others.each(chunk, rows, |is_other| {
            let other = distances.get(at).copied().unwrap_or(0);
            at += usize::from(is_other);
            out.push(value(if is_other { other } else { *common }));
        });
    }

    /// Calls with stored distances, some at a time.
    fn each_block(&self, chunk: &[u8], stored: Range<usize>, mut call: impl FnMut(&[u64])) {
        let mut start = stored.start;
        while start < stored.end {
            let len = BLOCK.min(stored.end - start);
            let mut block = [0_u64; BLOCK];
            let distances = block.get_mut(..len).unwrap_or_default();
            self.read_some(chunk, start, distances);
            call(distances);
            start += len;
        }
    }

    /// Reads stored distances from one on into zeros.
    fn read_some(&self, chunk: &[u8], start: usize, distances: &mut [u64]) {
        let part = |from: usize, len| chunk.get(from..from + len).unwrap_or_default();
        if self.is_whole {
            let bytes = part(self.bytes.start + start * self.width, distances.len() * self.width);
            return match self.width {
                2 => read_whole::<2>(bytes, distances),
                3 => read_whole::<3>(bytes, distances),
                4 => read_whole::<4>(bytes, distances),
                width => distances.iter_mut().zip(bytes.chunks(width.max(1))).for_each(|(to, bytes)| {
                    *to = bytes.iter().rev().fold(0, |distance, byte| distance << 8 | u64::from(*byte));
                }),
            };
        }
        let len = distances.len();
        let plane = |plane| part(self.bytes.start + plane * self.stored + start, len);
        // Planes that are read at once become SIMD.
        let rows = distances.iter_mut();
        match self.width {
            0 => {}
            1 => rows.zip(plane(0)).for_each(|(to, a)| *to = u64::from(*a)),
            2 => rows.zip(plane(0)).zip(plane(1)).for_each(|((to, a), b)| *to = low([*a, *b, 0, 0])),
            3 => rows
                .zip(plane(0).iter().zip(plane(1)).zip(plane(2)))
                .for_each(|(to, ((a, b), c))| *to = low([*a, *b, *c, 0])),
            _ => rows
                .zip(plane(0).iter().zip(plane(1)).zip(plane(2).iter().zip(plane(3))))
                .for_each(|(to, ((a, b), (c, d)))| *to = low([*a, *b, *c, *d])),
        }
        for at in 4..self.width {
            let shift = 8 * at;
            distances.iter_mut().zip(plane(at)).for_each(|(to, byte)| *to |= u64::from(*byte) << shift);
        }
    }

    /// The value of a row. The chunk is the one that was parsed.
    pub(in crate::format::flow) fn get(&self, chunk: &[u8], row: usize) -> u64 {
        if let Some(sums) = &self.sums {
            let sum = sums.get(row).copied().unwrap_or(0);
            return self.min.wrapping_add(sum.wrapping_mul(self.unit));
        }
        let distance = match &self.common {
            Some((common, others)) if !others.get(chunk, row) => *common,
            Some((_, others)) => self.stored_at(chunk, others.rank(chunk, row)),
            None => self.stored_at(chunk, row),
        };
        self.min.wrapping_add(distance.wrapping_mul(self.unit))
    }

    fn stored_at(&self, chunk: &[u8], at: usize) -> u64 {
        let place = |plane| if self.is_whole { at * self.width + plane } else { plane * self.stored + at };
        let byte = |plane| chunk.get(self.bytes.start + place(plane)).copied().unwrap_or(0);
        (0..self.width).rev().fold(0, |distance, plane| distance << 8 | u64::from(byte(plane)))
    }

    /// Whether no value is above `limit`, for unsigned values.
    pub(in crate::format::flow) fn is_at_most(&self, chunk: &[u8], limit: u64) -> bool {
        if let Some(sums) = &self.sums {
            let value = |sum: &u64| self.min.wrapping_add(sum.wrapping_mul(self.unit));
            return limit == u64::MAX || sums.iter().all(|sum| value(sum) <= limit);
        }
        let fits = |units: u64| {
            let distance = units.checked_mul(self.unit);
            distance.and_then(|distance| self.min.checked_add(distance)).is_some_and(|top| top <= limit)
        };
        let common_fits = self.common.as_ref().is_none_or(|(common, _)| fits(*common));
        let longest = 1_u64.checked_shl(8 * u32::try_from(self.width).unwrap_or(8));
        // Most streams need no look at their values.
        if limit == u64::MAX || common_fits && fits(longest.map_or(u64::MAX, |above| above - 1)) {
            return true;
        }
        if common_fits && self.highest(chunk).is_some_and(&fits) {
            return true;
        }
        let mut largest = 0;
        // A fold becomes SIMD, which `Iterator::max`, bound to the last of equal items, does not.
        let mut widen = |block: &[u64]| largest = block.iter().fold(largest, |most: u64, &d| most.max(d));
        self.each_block(chunk, 0..self.stored, &mut widen);
        common_fits && fits(largest)
    }
}

impl Packed {
    /// A distance that none is above, by a look at the highest bytes; `None` where they do not stand together.
    fn highest(&self, chunk: &[u8]) -> Option<u64> {
        let last = self.width.checked_sub(1).filter(|_| !self.is_whole)?;
        let top = self.plane(chunk, last).iter().fold(0, |most: u8, &byte| most.max(byte));
        let below = 1_u64.checked_shl(8 * u32::try_from(last).ok()?)? - 1;
        Some(u64::from(top) << (8 * last) | below)
    }

    /// Whether a row may have this value: `false` only if none has. Bytes are compared as they are stored.
    pub(in crate::format::flow) fn may_hold(&self, chunk: &[u8], value: u64) -> bool {
        let distance = value.wrapping_sub(self.min);
        if self.unit != 1 || self.sums.is_some() || self.common.is_some() || self.width == 0 {
            return true;
        }
        let bytes = distance.to_le_bytes();
        let (wanted, above) = bytes.split_at(self.width);
        if above.iter().any(|byte| *byte != 0) {
            return false;
        }
        if self.is_whole {
            let all = chunk.get(self.bytes.clone()).unwrap_or_default();
            return all.chunks_exact(self.width).any(|bytes| bytes == wanted);
        }
        let (first, others) = wanted.split_at(1);
        let is_it = |at: usize| {
            let has = |(plane, byte): (usize, &u8)| self.plane(chunk, plane + 1).get(at) == Some(byte);
            others.iter().enumerate().all(has)
        };
        memchr::memchr_iter(first.first().copied().unwrap_or(0), self.plane(chunk, 0)).any(is_it)
    }

    /// The bytes of this place of all stored distances, if such bytes stand together.
    fn plane<'a>(&self, chunk: &'a [u8], plane: usize) -> &'a [u8] {
        let start = self.bytes.start + plane * self.stored;
        chunk.get(start..start + self.stored).unwrap_or_default()
    }
}

#[inline]
fn low(bytes: [u8; 4]) -> u64 {
    u32::from_le_bytes(bytes).into()
}

fn read_whole<const WIDTH: usize>(bytes: &[u8], distances: &mut [u64]) {
    for (to, bytes) in distances.iter_mut().zip(bytes.as_chunks::<WIDTH>().0) {
        *to = bytes.iter().rev().fold(0, |distance, byte| distance << 8 | u64::from(*byte));
    }
}

/// The common distance, and the rows that have another one.
fn parse_common(bytes: &[u8], at: usize, count: usize) -> Result<(Option<(u64, Bits)>, usize)> {
    let common = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(ends_early)?;
    let (others, end) = Bits::parse(bytes, at + size_of::<u64>(), count)?;
    Ok((Some((u64::from_le_bytes(*common), others)), end))
}

fn ends_early() -> Error {
    Error::damaged("column ends early")
}
