//! Whole numbers as differences, in blocks of packed bits (`DELTA_BINARY_PACKED`).

use super::cut;
use super::hybrid::{bits, varint};
use crate::error::{Error, Result};

/// Where a reader stands in differences.
#[derive(Debug, Clone)]
pub(super) struct Deltas {
    /// Numbers that are left.
    left: u64,
    /// The next number, where the differences that follow do not have to be known.
    value: i64,
    /// Whether `value` has been given.
    given: bool,
    /// Parts of a block, and numbers in each.
    parts: usize,
    part_len: u64,
    /// Smallest difference of the block.
    least: i64,
    /// Where the widths of the block's parts stand, and the part that is read.
    widths: usize,
    part: usize,
    width: u32,
    /// Next bit of the part, and numbers it has left.
    bit: u64,
    part_left: u64,
    /// First byte after the part.
    at: usize,
}

impl Deltas {
    /// Numbers that begin at this byte of a page: no more than `most`.
    pub(super) fn new(page: &[u8], mut at: usize, most: u64) -> Result<Self> {
        let mut next = || varint(page, &mut at).ok_or_else(|| cut(NUMBERS));
        let (block, parts, left, first) = (next()?, next()?, next()?, next()?);
        let part_len = block.checked_div(parts).filter(|len| len % 8 == 0 && *len > 0 && *len <= MAX_PART);
        let (Some(part_len), Ok(parts)) = (part_len, usize::try_from(parts)) else {
            return Err(Error::damaged(format!("blocks of {block} numbers in {parts} parts")));
        };
        if left > most {
            return Err(Error::damaged(format!("{left} numbers in a page of {most} values")));
        }
        Ok(Self {
            left,
            value: unzigzag(first),
            given: false,
            parts,
            part_len,
            least: 0,
            widths: at,
            part: parts,
            width: 0,
            bit: 0,
            part_left: 0,
            at,
        })
    }

    /// The next number.
    pub(super) fn next(&mut self, page: &[u8]) -> Result<i64> {
        self.left = self.left.checked_sub(1).ok_or_else(|| cut(NUMBERS))?;
        if !self.given {
            self.given = true;
            return Ok(self.value);
        }
        if self.part_left == 0 {
            self.begin_part(page).ok_or_else(|| cut(NUMBERS))?;
        }
        let difference = bits(page, self.bit, self.width).ok_or_else(|| cut(NUMBERS))?;
        self.bit += u64::from(self.width);
        self.part_left -= 1;
        self.value = self.value.wrapping_add(self.least).wrapping_add(difference as i64);
        Ok(self.value)
    }

    /// The first byte after the numbers.
    pub(super) fn end(&self, page: &[u8]) -> Result<usize> {
        let mut rest = self.clone();
        while rest.left > 0 {
            rest.next(page)?;
        }
        Ok(rest.at)
    }

    fn begin_part(&mut self, page: &[u8]) -> Option<()> {
        if self.part == self.parts {
            self.least = unzigzag(varint(page, &mut self.at)?);
            (self.widths, self.part) = (self.at, 0);
            self.at = self.at.checked_add(self.parts)?;
        }
        self.width = u32::from(*page.get(self.widths.checked_add(self.part)?)?);
        let bytes = usize::try_from(self.part_len / 8 * u64::from(self.width)).ok()?;
        (self.bit, self.part_left) = (u64::try_from(self.at).ok()?.checked_mul(8)?, self.part_len);
        self.at = self.at.checked_add(bytes)?;
        self.part += 1;
        (self.width <= u64::BITS && self.at <= page.len()).then_some(())
    }
}

/// What is cut, in messages.
const NUMBERS: &str = "a block of numbers in a page";
/// Most numbers in a part of a block; writers use 32.
const MAX_PART: u64 = 1 << 16;

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(page: &[u8], most: u64) -> Result<(Vec<i64>, usize)> {
        let mut numbers = Deltas::new(page, 0, most)?;
        let end = numbers.end(page)?;
        let mut found = Vec::new();
        while numbers.left > 0 {
            found.push(numbers.next(page)?);
        }
        assert!(numbers.next(page).is_err());
        Ok((found, end))
    }

    #[test]
    fn the_examples_of_the_format_are_read() {
        // 1, 2, 3, 4, 5: differences of 1, packed in no bits.
        let page = [0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0, 0, 0, 0];
        assert_eq!(read(&page, 5).unwrap(), (vec![1, 2, 3, 4, 5], 10));
        // 7, 5, 3, 1, 2, 3, 4, 5: differences of -2 and 1, which are 0 and 3 above the least.
        let mut page = vec![0x80, 0x01, 0x04, 0x08, 0x0e, 0x03, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111];
        page.resize(10 + 8, 0);
        page.push(0xee);
        assert_eq!(read(&page, 8).unwrap(), (vec![7, 5, 3, 1, 2, 3, 4, 5], 18));
        assert!(read(&page, 7).is_err() && read(&page[..17], 8).is_err());
    }

    #[test]
    fn lies_are_found() {
        for page in [
            &[][..],
            &[0x80, 0x01, 0x00, 0x05, 0x02],
            &[0x80, 0x01, 0x04],
            &[0x07, 0x01, 0x02, 0x02],
            &[0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 65, 0, 0, 0],
            &[0x80, 0x01, 0x04, 0x05, 0x02, 0x02],
        ] {
            assert!(read(page, 100).is_err(), "{page:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(page in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&page, 10_000);
            let _ = read(&[&[0x80, 0x01, 0x04, 0x50][..], &page].concat(), 10_000);
        }
    }
}
