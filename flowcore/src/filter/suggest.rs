//! The nearest known word to a mistyped one.

/// The candidate that is nearest to `word`, if one is near enough to be what was meant.
///
/// Near is one mistake in words of up to five letters, two in longer ones. Of candidates at the same distance
/// one that begins with the word wins, then the first.
///
/// ```
/// assert_eq!(flowcore::filter::nearest("prot", ["port", "bytes"]), Some("port"));
/// assert_eq!(flowcore::filter::nearest("elephant", ["port", "bytes"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_LEN + 1).flat_map(char::to_lowercase).collect();
    if word.len() > MAX_LEN {
        return None;
    }
    let limit = 1 + usize::from(word.len() > 5);
    let scored = candidates.into_iter().map(|candidate| {
        let letters: Vec<char> = candidate.chars().collect();
        (distance(&word, &letters), !letters.starts_with(&word), candidate)
    });
    let best = scored.min_by_key(|&(distance, misses_start, _)| (distance, misses_start))?;
    (best.0 <= limit && best.0 < word.len()).then_some(best.2)
}

/// Words longer than this are not keywords; comparing them would only cost time.
const MAX_LEN: usize = 24;

/// Letters to insert, delete, replace or swap with a neighbour to get from `a` to `b` (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_slips_are_understood() {
        let words = ["proto", "port", "packets", "bytes", "interface", "and"];
        for (typed, meant) in [
            ("prot", Some("proto")),
            ("pakcets", Some("packets")),
            ("byte", Some("bytes")),
            ("interfce", Some("interface")),
            ("PORTS", Some("port")),
            ("adn", Some("and")),
            ("x", None),
            ("elephant", None),
        ] {
            assert_eq!(nearest(typed, words), meant, "{typed}");
        }
        assert_eq!(nearest("prot", ["port", "ip"]), Some("port"));
        assert_eq!(nearest(&"p".repeat(100_000), words), None);
    }

    #[test]
    fn distance_counts_single_mistakes() {
        let count =
            |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("prot", "port"), 1);
        assert_eq!(count("kitten", "sitting"), 3);
        assert_eq!(count("ca", "abc"), 3);
    }
}
