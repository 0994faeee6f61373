//! Whether one flow matches.

use super::expr::Expr;
use super::predicate::{Condition, Predicate, Test, acl_holds, same_column};
use crate::record::{Addr, Field, Flow, Protocol, Value};

/// Whether a flow satisfies the expression.
pub(super) fn matches(expr: &Expr<Predicate>, flow: &Flow) -> bool {
    match expr {
        Expr::Term(predicate) => predicate.condition.holds(flow),
        Expr::Not(inner) => !matches(inner, flow),
        Expr::And(parts) => parts.iter().all(|part| matches(part, flow)),
        Expr::Or(parts) => parts.iter().any(|part| matches(part, flow)),
    }
}

impl Condition {
    pub(super) fn holds(&self, flow: &Flow) -> bool {
        match self {
            Self::Any => true,
            Self::Family(version) => {
                let addr = if flow.key.src.is_known() { flow.key.src } else { flow.key.dst };
                addr.version() == *version
            }
            Self::Fields { fields, protocols, test, negated } => {
                let values = fields.iter().map(|&field| flow.get(field));
                is_one_of(flow, protocols) && decide(values.map(|value| test.holds(&value)), *negated)
            }
            Self::Payload(condition) => condition.holds(flow),
            Self::Column { name, values, negated } => {
                let columns = flow.unknown.iter().filter(|(known, _)| same_column(name, known));
                decide(columns.map(|(_, text)| Some(values.contains(text))), *negated)
            }
            Self::Between { fields, limits } => {
                let [low, high] = limits.map(|field| flow.get(field).number());
                fields.iter().any(|&field| is_between(flow.get(field).number(), low, high))
            }
        }
    }
}

impl Test {
    /// Whether the value is in the set; `None` for an absent value.
    fn holds(&self, value: &Value) -> Option<bool> {
        Some(match self {
            Self::Numbers(set) => set.contains(value.number()?),
            Self::Bytes(set) => set.contains(value.number()?),
            Self::Times(set) => set.contains(value.time()?.as_nanos()),
            Self::Addrs(set) => match value.addr() {
                Addr::Unknown => return None,
                addr => set.contains(addr),
            },
            Self::Texts(set) => set.contains(value.text()?),
            Self::Mpls(part, set) => set.contains(part.of(value.number()?)?),
            Self::Content(set) => set.occurs_in(value.text()?),
            Self::Acl(set) => acl_holds(value.text()?, set),
        })
    }
}

/// Some value is in the set; negated: there is a value and none is in the set.
pub(super) fn decide(answers: impl Iterator<Item = Option<bool>>, negated: bool) -> bool {
    let mut present = answers.flatten().peekable();
    if negated { present.peek().is_some() && !present.any(|hit| hit) } else { present.any(|hit| hit) }
}

/// Whether all three are there and in order.
pub(super) fn is_between(value: Option<u64>, low: Option<u64>, high: Option<u64>) -> bool {
    matches!((value, low, high), (Some(value), Some(low), Some(high)) if low <= value && value <= high)
}

fn is_one_of(flow: &Flow, protocols: &[Protocol]) -> bool {
    let number = flow.get(Field::Protocol).number();
    protocols.is_empty() || protocols.iter().any(|protocol| number == Some(protocol.0.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negated_term_needs_a_value_and_no_hit() {
        let cases: [(&[Option<bool>], bool, bool); 6] = [
            (&[None, None], false, false),
            (&[Some(true), Some(false)], true, false),
            (&[Some(false), None], false, true),
            (&[None, Some(true)], true, false),
            (&[Some(false), Some(false)], false, true),
            (&[], false, false),
        ];
        for (answers, plain, negated) in cases {
            assert_eq!(decide(answers.iter().copied(), false), plain, "{answers:?}");
            assert_eq!(decide(answers.iter().copied(), true), negated, "{answers:?}");
        }
    }
}
