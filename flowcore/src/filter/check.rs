//! Terms as written to predicates: are the values of the right kind, and which stored values do they stand for.

use super::FilterError;
use super::expr::Expr;
use super::lex::Cmp;
use super::parse::{Operand, Relation, Term, quote};
use super::predicate::{Condition, MplsPart, Predicate, Test};
use super::sets::{AddrSet, ByteSet, ContentSet, Ranges, TextSet};
use super::value::{self, Flags, Read};
use super::vocabulary::{Aspect, Subject};
use crate::record::{Field, FieldKind, Protocol};

/// Resolves the terms of a parsed expression.
pub(super) fn check(expression: &str, tree: &Expr<Term>) -> Result<Expr<Predicate>, FilterError> {
    tree.try_map(&mut |term| {
        let condition = Checker { expression, term }.condition()?;
        Ok(Predicate { text: canonical(term), condition })
    })
}

struct Checker<'a> {
    expression: &'a str,
    term: &'a Term,
}

impl Checker<'_> {
    fn condition(&self) -> Result<Condition, FilterError> {
        Ok(match &self.term.subject {
            Subject::Any => Condition::Any,
            Subject::Family(version) => Condition::Family(*version),
            Subject::Protocol(protocol) => is_protocol(*protocol),
            Subject::Fields { fields, protocols, aspect } => Condition::Fields {
                fields: fields.clone(),
                protocols,
                test: self.test(*aspect, fields.first().map_or(FieldKind::Text, |field| field.kind()))?,
                negated: self.negated(),
            },
            Subject::Column(name) => {
                Condition::Column { name: name.clone(), texts: self.texts()?, negated: self.negated() }
            }
        })
    }

    fn negated(&self) -> bool {
        matches!(self.term.relation, Relation::NotIn | Relation::Compare(Cmp::Ne))
    }

    fn test(&self, aspect: Aspect, kind: FieldKind) -> Result<Test, FilterError> {
        Ok(match aspect {
            Aspect::Whole => return self.value_test(kind),
            Aspect::MplsClass => Test::Mpls(MplsPart::Class, self.numbers(value::traffic_classes)?),
            Aspect::MplsBottom => {
                Test::Mpls(MplsPart::Bottom, self.numbers(|text| value::numbers(kind, text))?)
            }
            Aspect::Content => {
                self.refuse_order("payloads")?;
                Test::Content(ContentSet::new(self.each(value::content)?))
            }
        })
    }

    fn value_test(&self, kind: FieldKind) -> Result<Test, FilterError> {
        Ok(match kind {
            FieldKind::Text => Test::Texts(self.texts()?),
            FieldKind::Addr => Test::Addrs(self.addrs()?),
            FieldKind::Flags => Test::Bytes(self.flags()?),
            FieldKind::Time => {
                let times = self.each(value::time)?;
                Test::Times(Ranges::new(times.into_iter().map(|time| self.side(time, (i64::MIN, i64::MAX)))))
            }
            _ => Test::Numbers(self.numbers(|text| value::numbers(kind, text))?),
        })
    }

    fn numbers(&self, read: impl Fn(&str) -> Read<(u64, u64)>) -> Result<Ranges<u64>, FilterError> {
        let numbers = self.each(read)?;
        Ok(Ranges::new(numbers.into_iter().map(|number| self.side(number, (0, u64::MAX)))))
    }

    /// The values on the side of `(low, high)` that the comparator asks for; an empty range if there are none.
    fn side<T: Step>(&self, (low, high): (T, T), (min, max): (T, T)) -> (T, T) {
        match self.term.relation {
            Relation::Compare(Cmp::Gt) => high.after().map_or((max, min), |next| (next, max)),
            Relation::Compare(Cmp::Lt) => low.before().map_or((max, min), |previous| (min, previous)),
            Relation::Compare(Cmp::Ge) => (low, max),
            Relation::Compare(Cmp::Le) => (min, high),
            _ => (low, high),
        }
    }

    fn flags(&self) -> Result<ByteSet, FilterError> {
        let sets = self.each(value::flags)?.into_iter().map(|flags| match flags {
            Flags::Letters(bits) if !matches!(self.term.relation, Relation::Compare(_)) => {
                ByteSet::from_fn(|byte| byte & bits == bits)
            }
            Flags::Letters(byte) | Flags::Byte(byte) => {
                let (low, high) = self.side((byte, byte), (u8::MIN, u8::MAX));
                ByteSet::from_fn(|byte| low <= byte && byte <= high)
            }
        });
        Ok(sets.fold(ByteSet::default(), ByteSet::union))
    }

    fn addrs(&self) -> Result<AddrSet, FilterError> {
        self.refuse_order("addresses")?;
        Ok(AddrSet::new(&self.each(value::prefix)?))
    }

    fn texts(&self) -> Result<TextSet, FilterError> {
        self.refuse_order("texts")?;
        Ok(TextSet::new(self.term.values.iter().map(|operand| operand.text.as_str())))
    }

    fn refuse_order(&self, what: &str) -> Result<(), FilterError> {
        match self.term.relation {
            Relation::Compare(Cmp::Eq | Cmp::Ne) | Relation::Plain | Relation::In | Relation::NotIn => Ok(()),
            Relation::Compare(cmp) => {
                let message =
                    format!("{what} are not larger or smaller, so \"{}\" has no meaning", cmp.symbol());
                let span = self.term.relation_span.clone();
                Err(FilterError::new(self.expression, span, message).expected("=, !=, in [...] or nothing"))
            }
        }
    }

    /// Reads every value.
    fn each<T>(&self, read: impl Fn(&str) -> Read<T>) -> Result<Vec<T>, FilterError> {
        let one = |operand: &Operand| {
            read(&operand.text).map_err(|problem| {
                FilterError::new(self.expression, operand.span.clone(), problem.message)
                    .expected(self.term.subject.expected())
                    .suggest(problem.suggestion)
            })
        };
        self.term.values.iter().map(one).collect()
    }
}

fn is_protocol(protocol: Protocol) -> Condition {
    let number = u64::from(protocol.0);
    let test = Test::Numbers(Ranges::new([(number, number)]));
    Condition::Fields { fields: vec![Field::Protocol], protocols: &[], test, negated: false }
}

/// The term in one spelling, whatever it was written like.
fn canonical(term: &Term) -> String {
    let mut text = term.name.clone();
    let values: Vec<String> = term.values.iter().map(|operand| quote(&operand.text)).collect();
    let values = values.join(" ");
    match term.relation {
        Relation::Plain if term.values.is_empty() => {}
        Relation::Plain => text.extend([" ", &values]),
        Relation::Compare(cmp) => text.extend([" ", cmp.symbol(), " ", &values]),
        Relation::In => text.extend([" in [", &values, "]"]),
        Relation::NotIn => text.extend([" not in [", &values, "]"]),
    }
    text
}

/// Neighbours of a value.
trait Step: Copy + Ord {
    fn after(self) -> Option<Self>;
    fn before(self) -> Option<Self>;
}

macro_rules! step {
    ($($number:ty)*) => {$(
        impl Step for $number {
            fn after(self) -> Option<Self> {
                self.checked_add(1)
            }

            fn before(self) -> Option<Self> {
                self.checked_sub(1)
            }
        }
    )*};
}

step!(u8 u64 i64);

#[cfg(test)]
mod tests {
    use super::*;

    fn test_of(expression: &str) -> (Test, bool) {
        match check(expression, &super::super::parse::parse(expression).unwrap()).unwrap() {
            Expr::Term(Predicate { condition: Condition::Fields { test, negated, .. }, .. }) => {
                (test, negated)
            }
            other => panic!("{other:?}"),
        }
    }

    fn numbers(ranges: &[(u64, u64)]) -> (Test, bool) {
        (Test::Numbers(Ranges::new(ranges.iter().copied())), false)
    }

    #[test]
    fn comparators_become_ranges() {
        assert_eq!(test_of("bytes > 5"), numbers(&[(6, u64::MAX)]));
        assert_eq!(test_of("bytes >= 5"), numbers(&[(5, u64::MAX)]));
        assert_eq!(test_of("bytes lt 5"), numbers(&[(0, 4)]));
        assert_eq!(test_of("bytes <= 5"), numbers(&[(0, 5)]));
        assert_eq!(test_of("bytes < 0"), numbers(&[]));
        assert_eq!(test_of("bytes > 18446744073709551615"), numbers(&[]));
        assert_eq!(test_of("port in [80 443 8000-8100]"), numbers(&[(80, 80), (443, 443), (8000, 8100)]));
        assert_eq!(test_of("duration > 5"), numbers(&[(6_000_000, u64::MAX)]));
        assert!(test_of("port != 80").1 && test_of("action not in [accept]").1);
    }

    #[test]
    fn flag_letters_are_a_choice_of_bits_and_exact_after_a_comparator() {
        let bytes = |expression: &str| match test_of(expression).0 {
            Test::Bytes(set) => (0..=255_u64).filter(|&byte| set.contains(byte)).count(),
            other => panic!("{other:?}"),
        };
        for (expression, count) in [
            ("flags S", 128),
            ("flags SA", 64),
            ("flags 'AS'", 64),
            ("flags X", 4),
            ("flags =SA", 1),
            ("flags = SA", 1),
            ("flags 2", 1),
            ("flags > 0x12", 237),
            ("flags in [S 16]", 129),
        ] {
            assert_eq!(bytes(expression), count, "{expression}");
        }
    }
}
