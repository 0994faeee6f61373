//! A choice of rows, as a bit per row.

/// Which rows of a batch are chosen.
///
/// ```
/// use flowcore::Mask;
/// let mask = Mask::from_fn(100, |row| row % 2 == 0);
/// assert_eq!(mask.count(), 50);
/// assert_eq!(mask.rows().nth(3), Some(6));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    /// All of `len` rows.
    pub fn all(len: usize) -> Self {
        let mut mask = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        mask.trim();
        mask
    }

    /// None of `len` rows.
    pub fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// The rows for which `choose` is true.
    pub fn from_fn(len: usize, mut choose: impl FnMut(usize) -> bool) -> Self {
        let word = |at: usize| {
            let rows = (len - at * 64).min(64);
            (0..rows).fold(0, |word, bit| word | u64::from(choose(at * 64 + bit)) << bit)
        };
        Self { words: (0..len.div_ceil(64)).map(word).collect(), len }
    }

    /// The rows of these values for which `choose` is true.
    pub fn from_values<T: Copy>(values: &[T], choose: impl Fn(T) -> bool) -> Self {
        // A byte per value first: the compiler turns that into SIMD, which it does not with a bit per value.
        let word = |chunk: &[T]| {
            let mut chosen = [0_u8; 64];
            chosen.iter_mut().zip(chunk).for_each(|(byte, &value)| *byte = u8::from(choose(value)));
            let (octets, _) = chosen.as_chunks::<8>();
            octets.iter().rev().fold(0, |word, &octet| word << 8 | pack(octet))
        };
        Self { words: values.chunks(64).map(word).collect(), len: values.len() }
    }

    /// Rows the mask speaks of.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the mask speaks of no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Rows chosen.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether this row is chosen.
    pub fn get(&self, row: usize) -> bool {
        self.words.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// The chosen rows, ascending.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| Bits(word).map(move |bit| at * 64 + bit))
    }

    /// Keeps the rows that are also in these bits, 64 rows a word; missing words are zero.
    pub fn and_words(&mut self, words: &[u64]) {
        for (at, word) in self.words.iter_mut().enumerate() {
            *word &= words.get(at).copied().unwrap_or(0);
        }
    }

    /// Keeps the rows chosen in both.
    pub fn and(&mut self, other: &Self) {
        self.and_words(&other.words);
    }

    /// Adds the rows chosen in the other.
    pub fn or(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Turns the choice round.
    pub fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.trim();
    }

    /// Keeps the first `limit` chosen rows.
    pub fn limit(&mut self, limit: usize) {
        let Some(end) = self.rows().nth(limit) else { return };
        for (at, word) in self.words.iter_mut().enumerate().skip(end / 64) {
            *word = if at == end / 64 { *word & ((1 << (end % 64)) - 1) } else { 0 };
        }
    }

    fn trim(&mut self) {
        if !self.len.is_multiple_of(64)
            && let Some(word) = self.words.last_mut()
        {
            *word &= (1 << (self.len % 64)) - 1;
        }
    }
}

/// Eight bytes of 0 or 1 as eight bits, the first one lowest: byte `i` is multiplied up to bit `56 + i`.
const fn pack(octet: [u8; 8]) -> u64 {
    u64::from_le_bytes(octet).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

struct Bits(u64);

impl Iterator for Bits {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logic_stays_inside_the_length() {
        let odd = Mask::from_fn(130, |row| row % 2 == 1);
        let mut even = odd.clone();
        even.invert();
        assert_eq!(even.count(), 65);
        even.or(&odd);
        assert_eq!(even, Mask::all(130));
        even.and(&Mask::none(130));
        assert_eq!(even.rows().next(), None);
    }

    #[test]
    fn limit_cuts_after_so_many_rows() {
        for limit in [0, 1, 63, 64, 65, 99, 100, 200] {
            let mut mask = Mask::from_fn(300, |row| row % 3 == 0);
            let expected: Vec<_> = mask.rows().take(limit).collect();
            mask.limit(limit);
            assert_eq!(mask.rows().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn values_and_rows_choose_alike() {
        let values: Vec<u64> = (0..200).map(|n| n * 7 % 31).collect();
        assert_eq!(Mask::from_values(&values, |v| v > 15), Mask::from_fn(200, |row| values[row] > 15));
    }
}
