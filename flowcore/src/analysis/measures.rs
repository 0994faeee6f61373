//! What several detectors measure and say in the same way.

use std::collections::BTreeMap;

use super::{Connection, Part};
use crate::record::NANOS_PER_SEC;

/// Connections that have the same key, each group by time. Connections without a key, and those with an unknown end,
/// are left out: no filter could select them.
pub(super) fn groups<K: Ord>(
    connections: &[Connection],
    key: impl Fn(&Connection) -> Option<K>,
) -> BTreeMap<K, Vec<&Connection>> {
    let known = connections.iter().filter(|one| one.src.is_known() && one.dst.is_known());
    // Sorted first: far sooner than looking for the place of each one among many groups.
    let mut keyed: Vec<(K, &Connection)> = known.filter_map(|one| Some((key(one)?, one))).collect();
    keyed.sort_unstable();
    gathered(keyed).into_iter().collect()
}

/// What stands one behind the other with the same key.
pub(super) fn gathered<K: PartialEq, T>(keyed: Vec<(K, T)>) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, one) in keyed {
        match groups.last_mut() {
            Some((last, group)) if *last == key => group.push(one),
            _ => groups.push((key, vec![one])),
        }
    }
    groups
}

/// The lower quartile, the median and the upper quartile; zeros of nothing.
pub(super) fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    [1, 2, 3].map(|quarter| {
        let (at, rest) = (last * quarter / 4, (last * quarter % 4) as f64 / 4.0);
        let low = sorted.get(at).copied().unwrap_or_default();
        let high = sorted.get(at + 1).copied().unwrap_or(low);
        low + (high - low) * rest
    })
}

pub(super) fn median(values: &[f64]) -> f64 {
    quartiles(values)[1]
}

/// The median absolute deviation as a part of the median: 0 where all are the same. It forgives a few that stand out,
/// which a standard deviation does not.
pub(super) fn dispersion(values: &[f64]) -> f64 {
    let middle = median(values);
    let deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    match median(&deviations) {
        0.0 => 0.0,
        deviation => deviation / middle.max(f64::MIN_POSITIVE),
    }
}

/// Seconds between the starts of connections that are in the order of time.
pub(super) fn intervals(sorted: &[&Connection]) -> Vec<f64> {
    sorted.windows(2).map(|pair| seconds(pair[1].first.since(pair[0].first))).collect()
}

pub(super) fn seconds(nanos: i64) -> f64 {
    nanos as f64 / NANOS_PER_SEC as f64
}

/// Parts by their names.
pub(super) fn parts<const N: usize>(named: [(&'static str, f64); N]) -> Vec<Part> {
    named.into_iter().map(|(name, value)| Part { name, value }).collect()
}

/// Seconds as a person says them: `40 seconds`, `12 minutes`, `3.5 hours`.
pub(super) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        ..90.0 => (seconds, "second"),
        ..5400.0 => (seconds / 60.0, "minute"),
        ..172_800.0 => (seconds / 3600.0, "hour"),
        _ => (seconds / 86_400.0, "day"),
    };
    let number = format!("{value:.1}");
    let number = number.strip_suffix(".0").unwrap_or(&number);
    format!("{number} {unit}{}", if number == "1" { "" } else { "s" })
}

/// Bytes as a person says them: `420 bytes`, `1.5 MB`.
pub(super) fn size(bytes: f64) -> String {
    match bytes {
        ..1e3 => format!("{bytes:.0} bytes"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_are_those_of_the_textbook() {
        assert_eq!(quartiles(&[]), [0.0; 3]);
        assert_eq!(quartiles(&[5.0, 1.0, 3.0, 4.0, 2.0]), [2.0, 3.0, 4.0]);
        assert_eq!(median(&[1.0, 2.0]), 1.5);
        assert_eq!(dispersion(&[10.0, 10.0, 10.0, 900.0]), 0.0);
        assert_eq!(dispersion(&[8.0, 10.0, 12.0]), 0.2);
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!(
            [1.0, 40.0, 720.0, 12_600.0, 259_200.0].map(duration),
            ["1 second", "40 seconds", "12 minutes", "3.5 hours", "3 days"]
        );
        assert_eq!([420.0, 1_500.0, 2e6].map(size), ["420 bytes", "1.5 kB", "2.0 MB"]);
    }
}
