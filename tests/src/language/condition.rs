//! Conditions about columns of nfdump's output, for what its filter has no word for: `sas = 1 or das = 1`.
//!
//! Columns have the names of tags. A column is compared with a number by `=`, `>`, `<`, `>=`, `<=`, with one of a list by
//! `in [1 2]`, and `has` asks for a letter; the number of an MPLS label ends at the hyphen. `and` or `or` joins all terms,
//! and `not` in front is about all of them.

/// Terms joined by one word.
#[derive(Debug)]
pub struct Condition<'a> {
    negated: bool,
    /// Whether one term is enough.
    any: bool,
    terms: Vec<Term<'a>>,
}

#[derive(Debug)]
struct Term<'a> {
    column: &'a str,
    comparator: &'a str,
    values: Vec<&'a str>,
}

impl<'a> Condition<'a> {
    /// Reads a condition.
    pub fn parse(text: &'a str) -> Self {
        let (negated, rest) = text.strip_prefix("not ").map_or((false, text), |rest| (true, rest));
        let any = rest.contains(" or ");
        let terms = rest.split(if any { " or " } else { " and " }).map(|term| {
            let mut words = term.split(' ');
            let [column, comparator] =
                [(); 2].map(|()| words.next().unwrap_or_else(|| panic!("{text}: {term}")));
            let values = words.map(|word| word.trim_matches(['[', ']', ','])).collect();
            Term { column, comparator, values }
        });
        Self { negated, any, terms: terms.collect() }
    }

    /// The column of each term.
    pub fn columns(&self) -> impl Iterator<Item = &'a str> {
        self.terms.iter().map(|term| term.column)
    }

    /// Whether it holds for a record whose [`columns`](Self::columns) are such.
    pub fn holds<'b>(&self, columns: impl Iterator<Item = &'b str>) -> bool {
        let mut holds = self.terms.iter().zip(columns).map(|(term, value)| term.holds(value));
        self.negated != if self.any { holds.any(|holds| holds) } else { holds.all(|holds| holds) }
    }
}

impl Term<'_> {
    fn holds(&self, found: &str) -> bool {
        let number = |text: &str| {
            let digits = text.split('-').next().unwrap_or(text);
            digits.parse::<u64>().unwrap_or_else(|_| panic!("{self:?}: {text} is no number"))
        };
        self.values.iter().any(|value| match self.comparator {
            "=" | "in" => found == *value,
            "has" => found.contains(value),
            ">" => number(found) > number(value),
            ">=" => number(found) >= number(value),
            "<" => number(found) < number(value),
            "<=" => number(found) <= number(value),
            other => panic!("{other}: no such comparator"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_met_by_columns() {
        let holds =
            |condition: &str, columns: &[&str]| Condition::parse(condition).holds(columns.iter().copied());
        assert!(holds("sas = 1 or das = 1", &["0", "1"]));
        assert!(!holds("sas = 1 and das = 1", &["0", "1"]));
        assert!(holds("not sas in [1, 2]", &["3"]) && !holds("not sas in [1, 2]", &["2"]));
        assert!(holds("sas >= 10", &["10"]) && !holds("sas > 10", &["10"]) && holds("sas < 10", &["9"]));
        assert!(holds("mpls1 > 100", &["101-5-0"]) && !holds("mpls1 > 100", &["100-7-1"]));
        assert!(holds("flg has C", &["C...A..."]) && !holds("flg has C", &["....A..."]));
    }
}
