//! The sets of values that terms test for: ranges of numbers and times, byte values, texts.
//!
//! Every comparison becomes membership in such a set (`port > 1023` is the range 1024 to the largest port), so
//! evaluation knows one question only, and a list of a million addresses is one binary search.

/// Values in sorted ranges that do not overlap, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ranges<T>(Vec<(T, T)>);

impl<T> Default for Ranges<T> {
    /// No value.
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Ord> Ranges<T> {
    /// The values of all these ranges; one whose first value is the larger holds nothing.
    pub(super) fn new(ranges: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut ranges: Vec<(T, T)> = ranges.into_iter().filter(|(low, high)| low <= high).collect();
        ranges.sort_unstable();
        ranges.dedup_by(|next, kept| {
            let overlap = next.0 <= kept.1;
            if overlap {
                kept.1 = kept.1.max(next.1);
            }
            overlap
        });
        Self(ranges)
    }

    pub(super) fn as_slice(&self) -> &[(T, T)] {
        &self.0
    }

    pub(super) fn contains(&self, value: T) -> bool {
        let after = self.0.partition_point(|range| range.0 <= value);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|range| value <= range.1)
    }

    /// Whether any value from `min` to `max` is in the set.
    pub(super) fn overlaps(&self, min: T, max: T) -> bool {
        let at = self.0.partition_point(|range| range.1 < min);
        self.0.get(at).is_some_and(|range| range.0 <= max)
    }

    /// Whether all values from `min` to `max` are in one range of the set.
    pub(super) fn covers(&self, min: T, max: T) -> bool {
        let at = self.0.partition_point(|range| range.1 < min);
        self.0.get(at).is_some_and(|range| range.0 <= min && max <= range.1)
    }
}

/// A choice of the 256 values of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The bytes for which `choose` is true.
    pub(super) fn from_fn(choose: impl Fn(u8) -> bool) -> Self {
        let mut set = Self::default();
        for byte in (0..=u8::MAX).filter(|&byte| choose(byte)) {
            set.0[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
        set
    }

    pub(super) fn contains(&self, value: u64) -> bool {
        self.0.get((value / 64) as usize).is_some_and(|word| word >> (value % 64) & 1 != 0)
    }

    #[must_use]
    pub(super) fn union(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }
}

/// Texts, whole and without regard to case; `*` stands for any characters, `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextSet {
    /// Lower case, sorted.
    exact: Vec<String>,
    /// Lower case, with a `*` or `?`.
    patterns: Vec<Vec<char>>,
}

impl TextSet {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let lower = texts.into_iter().map(str::to_lowercase);
        let (patterns, mut exact): (Vec<_>, Vec<_>) = lower.partition(|text| text.contains(['*', '?']));
        exact.sort_unstable();
        exact.dedup();
        Self { exact, patterns: patterns.iter().map(|text| text.chars().collect()).collect() }
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        let lower = text.to_lowercase();
        if self.exact.binary_search(&lower).is_ok() {
            return true;
        }
        if self.patterns.is_empty() {
            return false;
        }
        let letters: Vec<char> = lower.chars().collect();
        self.patterns.iter().any(|pattern| fits(pattern, &letters))
    }
}

/// Texts to be found anywhere in another one, letter for letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentSet(Vec<String>);

impl ContentSet {
    pub(super) fn new(parts: Vec<String>) -> Self {
        Self(parts)
    }

    /// Whether any of the texts is in this one.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        self.0.iter().any(|part| text.contains(part.as_str()))
    }
}

/// Whether a pattern fits the whole text. Only the last `*` is ever tried again, so the cost is at most the
/// product of the lengths.
fn fits(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((after, from)) => {
                    (p, t) = (after, from + 1);
                    star = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranges_hold_what_they_were_made_of(
            given in prop::collection::vec((0_u8..40, 0_u8..40), 0..8), value in 0_u8..40, width in 0_u8..5,
        ) {
            let set = Ranges::new(given.clone());
            let holds = |value: u8| given.iter().any(|&(low, high)| low <= value && value <= high);
            prop_assert_eq!(set.contains(value), holds(value));
            prop_assert_eq!(set.overlaps(value, value + width), (value..=value + width).any(holds));
            prop_assert!(!set.covers(value, value + width) || (value..=value + width).all(holds));
            prop_assert!(set.as_slice().windows(2).all(|pair| pair[0].1 < pair[1].0));
        }

        #[test]
        fn a_pattern_fits_like_its_definition(pattern in "[ab*?]{0,6}", text in "[ab]{0,6}") {
            fn naive(pattern: &[char], text: &[char]) -> bool {
                match pattern.split_first() {
                    None => text.is_empty(),
                    Some(('*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
                    Some((c, rest)) => {
                        text.split_first().is_some_and(|(t, after)| (*c == '?' || c == t) && naive(rest, after))
                    }
                }
            }
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(fits(&p, &t), naive(&p, &t));
        }
    }

    #[test]
    fn text_ignores_case() {
        let set = TextSet::new(["Reject", "eni-*", "ÄB?"]);
        for (text, expected) in
            [("REJECT", true), ("reject ", false), ("ENI-", true), ("äbC", true), ("äb", false), ("", false)]
        {
            assert_eq!(set.contains(text), expected, "{text}");
        }
    }

    #[test]
    fn a_byte_set_holds_no_larger_number() {
        let set = ByteSet::from_fn(|byte| byte & 0x12 == 0x12);
        assert!(set.contains(0x12) && set.contains(0xff) && !set.contains(0x10) && !set.contains(0x112));
        assert!(!set.contains(u64::MAX));
    }
}
