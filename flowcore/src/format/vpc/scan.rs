//! Where the values of many lines begin, found in one pass over their text.
//!
//! In goes text that ends with a line end, out come the places behind its separators (spaces and line ends), and its lines
//! by what that tells: how many values they have, and whether two separators follow one another, so that the values
//! cannot be counted so.

use wide::u8x16;

/// Places of values, and the lines they are in.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where each value begins, behind the last one where the next line would begin. Room for a block more than needed, so
    /// that places can be written without a look at how many there are.
    starts: Vec<u32>,
    /// How many of them are known.
    count: usize,
    lines: Vec<LineOf>,
}

/// A line of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineOf {
    /// Number of its first value.
    pub(super) first: usize,
    /// Its values, if it [`is_plain`](Self::is_plain).
    pub(super) values: usize,
    /// Whether there is something between any two of its separators, its ends included.
    pub(super) is_plain: bool,
}

/// Bytes that are looked at together.
const BLOCK: usize = 64;

impl Scan {
    /// Looks at whole lines: `text`, up to its last line end. Lengths beyond 4 GiB cannot be.
    pub(super) fn read(&mut self, text: &[u8]) {
        self.lines.clear();
        self.starts.resize(BLOCK + 1, 0);
        self.starts[0] = 0;
        self.count = 1;
        let mut pass = Pass { first: 0, is_plain: true, is_behind_separator: 1 };
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let mut base = 0_u32;
        for block in blocks {
            self.block(block, base, &mut pass);
            base = base.wrapping_add(u64::BITS);
        }
        // What stands behind the rest is no separator.
        let mut last = [b'x'; BLOCK];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.block(&last, base, &mut pass);
    }

    /// The lines that were read.
    pub(super) fn lines(&self) -> &[LineOf] {
        &self.lines
    }

    /// Where the values with these numbers begin, and where the one behind them would.
    #[inline]
    pub(super) fn starts(&self, first: usize, values: usize) -> &[u32] {
        self.starts.get(first..=first + values).unwrap_or_default()
    }

    /// First byte of the line, and the one behind its last: its line end.
    pub(super) fn span(&self, line: LineOf) -> (usize, usize) {
        let next = self.starts.get(line.first + line.values).map_or(0, |&at| at as usize);
        (self.starts.get(line.first).map_or(0, |&at| at as usize), next.saturating_sub(1))
    }

    // What one block leaves for the next one stays in registers.
    #[inline(always)]
    fn block(&mut self, block: &[u8; BLOCK], base: u32, pass: &mut Pass) {
        let (separators, mut ends) = separators(block);
        let doubled = separators & (separators << 1 | pass.is_behind_separator);
        pass.is_behind_separator = separators >> (BLOCK - 1);
        let mut done = 0;
        while ends != 0 {
            // The bits up to the line end.
            let line = ends ^ (ends - 1);
            let behind = self.count + (separators & line).count_ones() as usize;
            let is_plain = pass.is_plain && doubled & line & !done == 0;
            self.lines.push(LineOf { first: pass.first, values: behind - 1 - pass.first, is_plain });
            (pass.first, pass.is_plain, done) = (behind - 1, true, line);
            ends &= ends - 1;
        }
        pass.is_plain &= doubled & !done == 0;
        self.push(separators, base);
    }

    /// Adds the places behind these separators.
    #[inline]
    fn push(&mut self, mut separators: u64, base: u32) {
        let found = separators.count_ones() as usize;
        let Some(room) = self.starts.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut::<BLOCK>) else {
            return;
        };
        // In groups, so that the usual number of separators is no branch that is hard to foresee.
        for group in room.chunks_exact_mut(8).take(found.div_ceil(8)) {
            for place in group {
                *place = base.wrapping_add(separators.trailing_zeros() + 1);
                separators &= separators.wrapping_sub(1);
            }
        }
        self.count += found;
        self.starts.resize((self.count + BLOCK).max(self.starts.len()), 0);
    }
}

/// A bit for each byte that is a space or a line end, and for each that is a line end, the first one lowest.
#[inline]
fn separators(block: &[u8; BLOCK]) -> (u64, u64) {
    let (sixteens, _) = block.as_chunks::<16>();
    let mut masks = (0, 0);
    for &sixteen in sixteens.iter().rev() {
        let bytes = u8x16::new(sixteen);
        let ends = bytes.cmp_eq(u8x16::splat(b'\n'));
        let both = bytes.cmp_eq(u8x16::splat(b' ')) | ends;
        masks = (masks.0 << 16 | bits(both), masks.1 << 16 | bits(ends));
    }
    masks
}

/// The top bits of the bytes, the first one lowest.
#[inline]
fn bits(bytes: u8x16) -> u64 {
    u64::from(bytes.move_mask().cast_unsigned() & 0xffff)
}

/// What one block leaves for the next one.
struct Pass {
    /// Number of the first value of the line.
    first: usize,
    is_plain: bool,
    /// 1 if the byte before is a separator.
    is_behind_separator: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_and_values_are_those_of_the_standard_library(
            lines in prop::collection::vec("[ a-c\u{7f}!-]{0,12}|([a-z0-9]{1,9} ){0,40}[a-z]{1,70}", 0..12)
        ) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let mut scan = Scan::default();
            // What was read before leaves nothing.
            scan.read(b"a b  c\nd\n");
            scan.read(text.as_bytes());
            prop_assert_eq!(scan.lines().len(), lines.len());
            for (found, line) in scan.lines().iter().zip(&lines) {
                let (start, end) = scan.span(*found);
                prop_assert_eq!(&text[start..end], line);
                let values: Vec<&str> = line.split(' ').collect();
                prop_assert_eq!(found.is_plain, values.iter().all(|value| !value.is_empty()));
                prop_assert_eq!(found.values, values.len());
                let starts = scan.starts(found.first, found.values);
                for (pair, value) in starts.windows(2).zip(values) {
                    prop_assert_eq!(&text[pair[0] as usize..pair[1] as usize - 1], value);
                }
            }
        }
    }
}
