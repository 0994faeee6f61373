//! Runs of small numbers, repeated or packed bit by bit: levels, places in a dictionary, booleans.
//!
//! Nothing is unpacked ahead: each call gives the next number of the bytes it is shown, which are the same every time.

use super::cut;
use crate::error::Result;

/// Where a reader stands in runs of numbers of so many bits.
#[derive(Debug, Clone)]
pub(super) struct Hybrid {
    width: u32,
    /// First byte of the next run, and the one after the last run.
    at: usize,
    end: usize,
    run: Run,
    /// Numbers that the run has left.
    left: u64,
}

#[derive(Debug, Clone)]
enum Run {
    Repeated(u32),
    /// The first bit of the next number, counted from the first byte of the page.
    Packed(u64),
}

impl Hybrid {
    /// Numbers of at most 32 bits in these bytes of a page.
    pub(super) fn new(width: u32, at: usize, end: usize) -> Self {
        Self { width: width.min(u32::BITS), at, end, run: Run::Repeated(0), left: 0 }
    }

    /// The same, of runs that stand behind their length.
    pub(super) fn after_length(width: u32, page: &[u8], at: usize) -> Result<Self> {
        let len = page.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| cut(RUNS))?;
        let (start, len) = (at + size_of_val(len), u32::from_le_bytes(*len) as usize);
        match start.checked_add(len).filter(|&end| end <= page.len()) {
            Some(end) => Ok(Self::new(width, start, end)),
            None => Err(cut(RUNS)),
        }
    }

    /// The byte after the last run.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// The next number.
    pub(super) fn next(&mut self, page: &[u8]) -> Result<u32> {
        let page = page.get(..self.end).unwrap_or(page);
        while self.left == 0 {
            self.begin_run(page)?;
        }
        self.left -= 1;
        match &mut self.run {
            Run::Repeated(number) => Ok(*number),
            Run::Packed(bit) => {
                let number = bits(page, *bit, self.width).ok_or_else(|| cut(RUNS))?;
                *bit += u64::from(self.width);
                Ok(number as u32)
            }
        }
    }

    fn begin_run(&mut self, page: &[u8]) -> Result<()> {
        let head = varint(page, &mut self.at).ok_or_else(|| cut(RUNS))?;
        let (count, width) = (head >> 1, self.width as usize);
        if head & 1 == 1 {
            self.run = Run::Packed(self.at as u64 * 8);
            self.left = count.saturating_mul(8);
            // What is missing at the end is found where it is read.
            self.at = usize::try_from(count)
                .map_or(usize::MAX, |count| self.at.saturating_add(count.saturating_mul(width)));
            return Ok(());
        }
        let bytes = width.div_ceil(8);
        let number = bits(page, self.at as u64 * 8, 8 * bytes as u32).ok_or_else(|| cut(RUNS))?;
        (self.run, self.left, self.at) = (Run::Repeated(number as u32), count, self.at + bytes);
        Ok(())
    }
}

/// What is cut, in messages.
const RUNS: &str = "a run of numbers in a page";

/// A number of up to 64 bits that begins at this bit; the lowest bit of a byte is its first.
pub(super) fn bits(page: &[u8], bit: u64, width: u32) -> Option<u64> {
    let rest = page.get(usize::try_from(bit / 8).ok()?..)?;
    let shift = (bit % 8) as u32;
    let word = match rest.first_chunk() {
        Some(word) => u128::from_le_bytes(*word),
        None if rest.len() as u64 * 8 >= u64::from(shift + width) => {
            let mut word = [0; 16];
            word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            u128::from_le_bytes(word)
        }
        None => return None,
    };
    Some((word >> shift) as u64 & u64::MAX.checked_shr(64 - width).unwrap_or(0))
}

/// A number of seven bits a byte.
pub(super) fn varint(page: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *page.get(*at)?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(width: u32, page: &[u8], count: usize) -> Result<Vec<u32>> {
        let mut numbers = Hybrid::new(width, 0, page.len());
        (0..count).map(|_| numbers.next(page)).collect()
    }

    #[test]
    fn the_example_of_the_format_is_read() {
        let packed = [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        assert_eq!(read(3, &packed, 8).unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        let runs = [&[0x0a, 0x07][..], &packed, &[0x00, 0x01, 0x02, 0x05]].concat();
        assert_eq!(read(3, &runs, 14).unwrap(), [7, 7, 7, 7, 7, 0, 1, 2, 3, 4, 5, 6, 7, 5]);
        assert!(read(3, &runs, 15).is_err());
    }

    #[test]
    fn no_bits_are_zeros_and_lies_are_found() {
        assert_eq!(read(0, &[0x06, 0x03], 11).unwrap(), [0; 11]);
        for page in [&[][..], &[0x02], &[0x03, 0], &[0xff; 11], &[0x80]] {
            assert!(read(9, page, 8).is_err(), "{page:?}");
        }
        assert!(Hybrid::after_length(1, &[5, 0, 0, 0, 1, 1], 0).is_err());
        assert!(Hybrid::after_length(1, &[0xff; 4], 0).is_err());
        assert_eq!(Hybrid::after_length(1, &[9, 2, 0, 0, 0, 4, 1], 1).unwrap().end(), 7);
    }

    proptest! {
        #[test]
        fn packed_numbers_come_back(numbers in prop::collection::vec(any::<u64>(), 1..40), width in 0_u32..=64, lead in 0_usize..9) {
            let mask = u64::MAX.checked_shr(64 - width).unwrap_or(0);
            let mut page = vec![0_u8; lead + (numbers.len() * width as usize).div_ceil(8)];
            for (at, number) in numbers.iter().enumerate() {
                for bit in 0..width as usize {
                    page[lead + (at * width as usize + bit) / 8] |= u8::from(number >> bit & 1 == 1) << ((at * width as usize + bit) % 8);
                }
            }
            for (at, number) in numbers.iter().enumerate() {
                let first = (lead * 8 + at * width as usize) as u64;
                prop_assert_eq!(bits(&page, first, width), Some(number & mask));
            }
            prop_assert_eq!(bits(&page, page.len() as u64 * 8, 1), None);
        }

        #[test]
        fn any_bytes_come_to_an_end(page in prop::collection::vec(any::<u8>(), 0..50), width in 0_u32..40) {
            let _ = read(width, &page, 10_000);
        }
    }
}
