//! Values to a stream of packed integers.

use super::{COMMON, STEPS, WHOLE, unit, write_bits};

/// How the values of a stream are narrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::flow) struct Packing {
    /// A value that none is below.
    min: u64,
    /// Distances are in units of ten to this power.
    exponent: u8,
    /// Bytes of a distance: 0 to 8.
    width: u8,
}

/// Writes stream after stream, with memory kept between them.
#[derive(Debug, Default)]
pub(in crate::format::flow) struct Packer {
    distances: Vec<u64>,
    /// The distances of rows that do not have the common value.
    others: Vec<u64>,
    /// Some of the distances, and what they are compressed to.
    trial: (Vec<u8>, Vec<u8>),
}

impl Packing {
    /// The narrowest packing of values from `min` to `max`, all of which are whole units of `10^exponent` apart.
    pub(in crate::format::flow) fn new(min: u64, max: u64, exponent: u8) -> Self {
        let width = width_of(max.wrapping_sub(min) / unit(exponent).unwrap_or(1));
        // Distances from 0 need no look at them to know that none leads too far.
        let min = if exponent == 0 && min <= max && width_of(max) == width { 0 } else { min };
        Self { min, exponent, width }
    }

    /// A value that may stand for rows without one.
    pub(in crate::format::flow) fn min(self) -> u64 {
        self.min
    }

    /// The power of ten that distances are in units of.
    pub(in crate::format::flow) fn exponent(self) -> u8 {
        self.exponent
    }

    /// Bytes of a value.
    pub(in crate::format::flow) fn width(self) -> u8 {
        self.width
    }
}

/// Bytes that a distance needs.
pub(super) fn width_of(distance: u64) -> u8 {
    u8::try_from((u64::BITS - distance.leading_zeros()).div_ceil(8)).unwrap_or(8)
}

impl Packer {
    /// Adds the stream of these values.
    pub(in crate::format::flow) fn write(
        &mut self,
        packing: Packing,
        values: impl ExactSizeIterator<Item = u64>,
        out: &mut Vec<u8>,
    ) {
        self.measure(packing, values);
        self.write_distances(packing, 0, out);
    }

    /// Adds the stream of these values, all of which are whole units of `10^exponent` and less than 2^63 apart, as steps
    /// from row to row.
    pub(in crate::format::flow) fn write_steps(
        &mut self,
        exponent: u8,
        mut values: impl ExactSizeIterator<Item = u64> + Clone,
        out: &mut Vec<u8>,
    ) {
        let min = values.clone().next().unwrap_or(0);
        let unit = unit(exponent).unwrap_or(1).cast_signed();
        let mut before = min;
        self.distances.clear();
        self.distances.extend(values.by_ref().map(|value| {
            let step = value.wrapping_sub(std::mem::replace(&mut before, value)).cast_signed();
            zigzag(if unit == 1 { step } else { step / unit })
        }));
        let longest = self.distances.iter().fold(0, |longest: u64, &step| longest.max(step));
        let packing = Packing { min, ..Packing::new(0, longest, 0) };
        self.write_distances(Packing { exponent, ..packing }, STEPS, out);
    }

    fn write_distances(&mut self, packing: Packing, steps: u8, out: &mut Vec<u8>) {
        let common = if packing.width > 0 { common_of(&self.distances) } else { None };
        if let Some(common) = common {
            self.others.clear();
            self.others.extend(self.distances.iter().filter(|&&distance| distance != common));
        }
        let stored = if common.is_some() { &self.others } else { &self.distances };
        let whole = if is_better_whole(stored, packing.width, &mut self.trial) { WHOLE } else { 0 };
        out.push(packing.width | steps | whole | if common.is_some() { COMMON } else { 0 });
        out.push(packing.exponent);
        out.extend_from_slice(&packing.min.to_le_bytes());
        if let Some(common) = common {
            out.extend_from_slice(&common.to_le_bytes());
            write_bits(self.distances.iter().map(|&distance| distance != common), out);
        }
        write_stored(stored, packing.width, whole, out);
    }

    /// The distances of values from the smallest one, in units.
    fn measure(&mut self, packing: Packing, values: impl ExactSizeIterator<Item = u64>) {
        self.distances.clear();
        if packing.width == 0 {
            return;
        }
        let distances = values.map(|value| value.wrapping_sub(packing.min));
        // A division by a constant is several times cheaper than one by a variable.
        match packing.exponent {
            3 => self.distances.extend(distances.map(|distance| distance / 1_000)),
            6 => self.distances.extend(distances.map(|distance| distance / 1_000_000)),
            9 => self.distances.extend(distances.map(|distance| distance / 1_000_000_000)),
            _ => self.distances.extend(distances),
        }
    }
}

/// Small numbers for small steps in either direction: 0, -1, 1, -2, ...
pub(super) fn zigzag(step: i64) -> u64 {
    (step << 1 ^ step >> 63).cast_unsigned()
}

/// The largest exponent for which all of these values are whole units from `min`.
pub(in crate::format::flow) fn common_exponent(min: u64, values: impl Iterator<Item = u64> + Clone) -> u8 {
    let divides = |unit: u64| values.clone().all(|value| value.wrapping_sub(min).is_multiple_of(unit));
    match () {
        () if !divides(1_000) => 0,
        () if !divides(1_000_000) => 3,
        () if !divides(1_000_000_000) => 6,
        () => 9,
    }
}

/// The distance that more than half of the rows have, if it is worth a bit a row to leave it out.
fn common_of(distances: &[u64]) -> Option<u64> {
    // Most streams have none, and a look at some rows shows it.
    let sample = || distances.iter().step_by((distances.len() / SAMPLED_ROWS).max(1));
    let candidate = majority(sample())?;
    let of_sample = sample().filter(|&&distance| distance == candidate).count();
    if of_sample * 5 < sample().len() * 2 || distances.len() < MIN_ROWS {
        return None;
    }
    let count = distances.iter().filter(|&&distance| distance == candidate).count();
    (count > distances.len() / 2).then_some(candidate)
}

const SAMPLED_ROWS: usize = 128;
/// A value that is left out takes 8 bytes itself.
const MIN_ROWS: usize = 64;

/// The one item that may be that of more than half (Boyer and Moore's vote).
fn majority<'a>(items: impl Iterator<Item = &'a u64>) -> Option<u64> {
    let (mut candidate, mut votes) = (None, 0_usize);
    for item in items {
        match candidate {
            Some(held) if held == *item => votes += 1,
            _ if votes > 0 => votes -= 1,
            _ => (candidate, votes) = (Some(*item), 1),
        }
    }
    candidate
}

/// Whether the distances compress better with their bytes side by side, as LZ4 finds for the first of them.
fn is_better_whole(distances: &[u64], width: u8, (bytes, room): &mut (Vec<u8>, Vec<u8>)) -> bool {
    let tried = distances.get(..TRIED).unwrap_or(distances);
    let mut compressed = |whole| {
        bytes.clear();
        write_stored(tried, width, whole, bytes);
        room.resize(lz4_flex::block::get_maximum_output_size(bytes.len()), 0);
        lz4_flex::block::compress_into(bytes, room).unwrap_or(usize::MAX)
    };
    width > 1 && compressed(WHOLE) < compressed(0)
}

/// Of 4 bytes, as many as LZ4 sees at a time.
const TRIED: usize = 16_384;

/// The bytes of each distance side by side, or the lowest bytes of all distances, then the next ones.
fn write_stored(distances: &[u64], width: u8, whole: u8, out: &mut Vec<u8>) {
    let width = usize::from(width);
    if whole == 0 || width < 2 {
        for plane in 0..width {
            out.extend(distances.iter().map(|distance| distance.to_le_bytes()[plane]));
        }
        return;
    }
    let start = out.len();
    out.resize(start + distances.len() * width, 0);
    let slots = out.get_mut(start..).unwrap_or_default().chunks_exact_mut(width);
    for (slot, distance) in slots.zip(distances) {
        slot.iter_mut().zip(distance.to_le_bytes()).for_each(|(to, from)| *to = from);
    }
}
