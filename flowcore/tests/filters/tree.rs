//! Filters as trees: how they are written and when they hold.

use std::fmt;

use flowcore::Flow;
use proptest::collection::vec;
use proptest::prelude::*;

use super::term::Term;
pub(crate) use super::term::term;

#[derive(Clone)]
pub(crate) enum Tree {
    Term(Term),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    /// In parentheses that change nothing.
    Group(Box<Self>),
}

impl Tree {
    pub(crate) fn holds(&self, flow: &Flow) -> bool {
        match self {
            Self::Term(term) => term.holds(flow),
            Self::Not(inner) => !inner.holds(flow),
            Self::And(parts) => parts.iter().all(|part| part.holds(flow)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(flow)),
            Self::Group(inner) => inner.holds(flow),
        }
    }

    /// How tightly it binds.
    fn strength(&self) -> u8 {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) | Self::Term(_) | Self::Group(_) => 2,
        }
    }

    /// In parentheses if it binds less than it has to.
    fn within(&self, f: &mut fmt::Formatter<'_>, strength: u8) -> fmt::Result {
        if self.strength() < strength { write!(f, "({self})") } else { write!(f, "{self}") }
    }

    fn joined(parts: &[Self], f: &mut fmt::Formatter<'_>, words: [&str; 2], strength: u8) -> fmt::Result {
        for (at, part) in parts.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { words[(at + parts.len()) % 2] })?;
            part.within(f, strength)?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Not(inner) => {
                f.write_str(if inner.strength() == 2 { "not " } else { "!" })?;
                inner.within(f, 2)
            }
            Self::And(parts) => Self::joined(parts, f, [" and ", "&&"], 1),
            Self::Or(parts) => Self::joined(parts, f, [" OR ", "||"], 0),
            Self::Group(inner) => write!(f, "( {inner} )"),
        }
    }
}

/// A failing tree is read best as its text.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    term().prop_map(Tree::Term).prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            inner.clone().prop_map(|inner| Tree::Group(Box::new(inner))),
            vec(inner.clone(), 2..4).prop_map(Tree::And),
            vec(inner, 2..4).prop_map(Tree::Or),
        ]
    })
}
