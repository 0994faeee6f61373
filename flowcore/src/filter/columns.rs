//! Values of columns that have no field: texts, and numbers where both the filter and the record have one.

use std::cmp::Ordering;
use std::ops::{Bound, RangeBounds};

use super::sets::TextSet;

/// What a term about such a column looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnSet {
    pub(super) texts: TextSet,
    pub(super) numbers: Vec<(Bound<Decimal>, Bound<Decimal>)>,
}

impl ColumnSet {
    pub(super) fn contains(&self, text: &str) -> bool {
        self.texts.contains(text) || {
            let number = if self.numbers.is_empty() { None } else { Decimal::parse(text) };
            number.is_some_and(|number| self.numbers.iter().any(|range| range.contains(&number)))
        }
    }
}

/// A decimal number of any length, exactly: identifiers have more digits than a floating point number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Digits before the point, without zeros at the start.
    whole: String,
    /// Digits behind the point, without zeros at the end.
    fraction: String,
}

impl Decimal {
    /// Digits with an optional sign and fraction.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        Some(Self { negative: sign && !(whole.is_empty() && fraction.is_empty()), whole, fraction })
    }

    /// The order of the numbers without their signs.
    fn size(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(&other.whole));
        whole.then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        let whole = if number == 0 { String::new() } else { number.to_string() };
        Self { negative: false, whole, fraction: String::new() }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_ordered_as_they_are(a in -3000_i64..3000, b in -3000_i64..3000) {
            let text = |n: i64| format!("{}{:02}.{:02}0", if n < 0 { "-" } else { "" }, n.abs() / 100, n.abs() % 100);
            let (x, y) = (Decimal::parse(&text(a)).unwrap(), Decimal::parse(&text(b)).unwrap());
            prop_assert_eq!(x.cmp(&y), a.cmp(&b), "{} {}", text(a), text(b));
        }
    }

    #[test]
    fn only_plain_numbers_are_numbers() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "0x10", "1 ", "--1", "1.2.3", "١"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse("-0.0"), Some(Decimal::from(0)));
        assert_eq!(Decimal::parse("+0018446744073709551615"), Some(Decimal::from(u64::MAX)));
        assert!(Decimal::parse("123456789012345678901") > Decimal::parse("123456789012345678900.9"));
    }
}
