//! A small random number generator with a fixed sequence, so that made-up data is the same everywhere and always.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose sequence depends on the seed only.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for one purpose: what it yields does not change when others are used more or less.
    #[must_use]
    pub fn fork(&self, purpose: &str) -> Self {
        Self(
            purpose.bytes().fold(self.0 ^ FNV_START, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV)),
        )
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.bits() % (high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.range(0, 99) < percent
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.range(0, items.len() as u64 - 1) as usize]
    }

    /// This many random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.bits().to_le_bytes()[3]).collect()
    }
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_never_changes() {
        let mut rng = Rng::new(1_234_567);
        assert_eq!(
            [rng.bits(), rng.bits(), rng.bits()],
            [0x599e_d017_fb08_fc85, 0x2c73_f084_5854_0fa5, 0x883e_bce5_a3f2_7c77],
            "reference values of the authors' splitmix64.c"
        );
    }

    #[test]
    fn a_fork_depends_on_its_purpose_only() {
        let mut rng = Rng::new(7);
        let first = rng.fork("dns").bits();
        assert_eq!(first, Rng::new(7).fork("dns").bits());
        assert_ne!(first, rng.fork("ntp").bits());
        assert!((10..=12).contains(&rng.range(10, 12)));
    }
}
