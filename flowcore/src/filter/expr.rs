//! The tree of a filter: `and`, `or`, `not` over terms of any kind.
//!
//! The grammar builds it over terms as they were written, the check turns those into predicates; the tree's shape
//! stays. Nested `and` in `and` is one list, so the depth of a tree is bounded by the parentheses written.

use std::fmt;

/// A Boolean expression over terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr<T> {
    Term(T),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

impl<T> Expr<T> {
    /// All of these together; a single one is itself.
    pub(super) fn and(parts: Vec<Self>) -> Self {
        let flat = flatten(parts, |part| match part {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        });
        flat.unwrap_or_else(Self::And)
    }

    /// Any of these; a single one is itself.
    pub(super) fn or(parts: Vec<Self>) -> Self {
        let flat = flatten(parts, |part| match part {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        });
        flat.unwrap_or_else(Self::Or)
    }

    /// The opposite.
    pub(super) fn negate(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The same tree over other terms; stops at the first error.
    pub(super) fn try_map<U, E>(&self, change: &mut impl FnMut(&T) -> Result<U, E>) -> Result<Expr<U>, E> {
        let mut all =
            |parts: &[Self]| parts.iter().map(|part| part.try_map(change)).collect::<Result<_, E>>();
        Ok(match self {
            Self::And(parts) => Expr::And(all(parts)?),
            Self::Or(parts) => Expr::Or(all(parts)?),
            Self::Not(inner) => Expr::Not(Box::new(inner.try_map(change)?)),
            Self::Term(term) => Expr::Term(change(term)?),
        })
    }

    /// Calls `visit` for every term, left to right.
    pub(super) fn each_term(&self, visit: &mut impl FnMut(&T)) {
        match self {
            Self::Term(term) => visit(term),
            Self::Not(inner) => inner.each_term(visit),
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.each_term(visit)),
        }
    }
}

/// `Ok` with the only part, or `Err` with all parts, those that `open` can open replaced by what is in them.
fn flatten<E>(mut parts: Vec<E>, open: impl Fn(E) -> Result<Vec<E>, E>) -> Result<E, Vec<E>> {
    match parts.pop() {
        Some(only) if parts.is_empty() => Ok(only),
        last => Err(parts
            .into_iter()
            .chain(last)
            .flat_map(|part| open(part).unwrap_or_else(|one| vec![one]))
            .collect()),
    }
}

impl<T: fmt::Display> fmt::Display for Expr<T> {
    /// The tree as an expression, with no more parentheses than it needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.grouped(f, matches!(**inner, Self::And(_) | Self::Or(_)))
            }
            Self::And(parts) => join(f, parts, " and ", |part| matches!(part, Self::Or(_))),
            Self::Or(parts) => join(f, parts, " or ", |_| false),
        }
    }
}

impl<T: fmt::Display> Expr<T> {
    fn grouped(&self, f: &mut fmt::Formatter<'_>, parentheses: bool) -> fmt::Result {
        if parentheses { write!(f, "({self})") } else { fmt::Display::fmt(self, f) }
    }
}

fn join<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr<T>],
    word: &str,
    parentheses: impl Fn(&Expr<T>) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        part.grouped(f, parentheses(part))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(name: &str) -> Expr<String> {
        Expr::Term(name.to_owned())
    }

    #[test]
    fn parentheses_appear_where_they_matter() {
        let either = Expr::or(vec![term("a"), term("b")]);
        let all = Expr::and(vec![either.clone(), term("c").negate(), Expr::and(vec![term("d"), term("e")])]);
        assert_eq!(all.to_string(), "(a or b) and not c and d and e");
        assert_eq!(all.clone().negate().to_string(), "not ((a or b) and not c and d and e)");
        assert_eq!(Expr::or(vec![all, either]).to_string(), "(a or b) and not c and d and e or a or b");
        assert_eq!(term("a").negate().negate(), term("a"));
        assert_eq!(Expr::and(vec![term("a")]), term("a"));
    }

    #[test]
    fn mapping_keeps_the_shape_and_stops_at_an_error() {
        let tree = Expr::and(vec![term("1"), Expr::or(vec![term("2"), term("3")]).negate()]);
        let numbers = tree.try_map(&mut |text| text.parse::<u8>()).unwrap();
        assert_eq!(numbers.to_string(), tree.to_string());
        assert!(Expr::and(vec![term("1"), term("x")]).try_map(&mut |text| text.parse::<u8>()).is_err());
        let mut seen = Vec::new();
        numbers.each_term(&mut |number| seen.push(*number));
        assert_eq!(seen, [1, 2, 3]);
    }
}
