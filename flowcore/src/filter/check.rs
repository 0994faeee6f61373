//! Terms as written to predicates: are the values of the right kind, and which stored values do they stand for.

use std::ops::Bound;

use super::FilterError;
use super::addrs::AddrSet;
use super::columns::ColumnSet;
use super::expr::Expr;
use super::lex::Cmp;
use super::list::List;
use super::names::{self, Names};
use super::parse::{Operand, Relation, Term, quote, quote_file};
use super::predicate::{Condition, MplsPart, Predicate, Test};
use super::script::{self, Script};
use super::sets::{ByteSet, ContentSet, Ranges, TextSet};
use super::value::{self, Flags, Read};
use super::vocabulary::{Aspect, Subject};
use crate::record::{Field, FieldKind, Timestamp};

/// Resolves the terms of a parsed expression; times like `-2h` are before `now`.
pub(super) fn check(
    script: &Script,
    now: Timestamp,
    tree: &Expr<Term>,
) -> Result<Expr<Predicate>, FilterError> {
    tree.try_map(&mut |term| {
        let checker = Checker { script, now, term };
        Ok(Predicate { condition: checker.condition()?, text: checker.canonical() })
    })
}

pub(super) struct Checker<'a> {
    pub(super) script: &'a Script,
    now: Timestamp,
    pub(super) term: &'a Term,
}

impl Checker<'_> {
    fn condition(&self) -> Result<Condition, FilterError> {
        Ok(match &self.term.subject {
            Subject::Any => Condition::Any,
            Subject::Family(version) => Condition::Family(*version),
            Subject::Protocol(protocol) => has_number(Field::Protocol, protocol.0.into()),
            Subject::Fixed(field, number) => has_number(*field, *number),
            Subject::Between(fields, limits) => Condition::Between { fields, limits: *limits },
            Subject::Fields { fields, protocols, aspect } => Condition::Fields {
                fields: fields.clone(),
                protocols,
                test: self.test(*aspect, fields.first().copied())?,
                negated: self.negated(),
            },
            &Subject::Payload { part, fields } => self.payload(part, fields)?,
            Subject::Column(name) => {
                Condition::Column { name: name.clone(), values: self.column()?, negated: self.negated() }
            }
        })
    }

    pub(super) fn negated(&self) -> bool {
        matches!(self.term.relation, Relation::NotIn | Relation::Compare(Cmp::Ne))
    }

    fn test(&self, aspect: Aspect, field: Option<Field>) -> Result<Test, FilterError> {
        let kind = field.map_or(FieldKind::Text, Field::kind);
        Ok(match aspect {
            Aspect::Whole => return self.value_test(kind, field.map_or(&[], names::of)),
            Aspect::MplsClass => Test::Mpls(MplsPart::Class, self.numbers(value::traffic_classes)?),
            Aspect::MplsBottom => {
                Test::Mpls(MplsPart::Bottom, self.numbers(|text| value::numbers(kind, text))?)
            }
            Aspect::Content => {
                self.refuse_order("payloads")?;
                Test::Content(ContentSet::new(self.each(value::content)?))
            }
            Aspect::FlowDirection => {
                self.refuse_order("directions")?;
                Test::Texts(text_set(&self.each(value::flow_direction)?))
            }
            Aspect::Acl => Test::Acl(self.numbers(|text| value::numbers(FieldKind::Count, text))?),
        })
    }

    fn value_test(&self, kind: FieldKind, names: Names) -> Result<Test, FilterError> {
        Ok(match kind {
            FieldKind::Text => {
                self.refuse_order("texts")?;
                Test::Texts(text_set(&self.each(|text| Ok(text.to_owned()))?))
            }
            FieldKind::Addr => Test::Addrs(self.addrs()?),
            FieldKind::Flags => Test::Bytes(self.flags()?),
            FieldKind::Time => {
                let times = self.each(|text| value::time(text, self.now))?;
                Test::Times(Ranges::new(times.into_iter().map(|time| self.side(time, (i64::MIN, i64::MAX)))))
            }
            _ => {
                let read = |text: &str| names::read(names, text, |text| value::numbers(kind, text));
                Test::Numbers(self.numbers(read)?)
            }
        })
    }

    pub(super) fn numbers(
        &self,
        read: impl Fn(&str) -> Read<(u64, u64)>,
    ) -> Result<Ranges<u64>, FilterError> {
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
        let (files, typed): (Vec<_>, Vec<_>) = self.term.values.iter().partition(|operand| operand.is_file);
        let prefixes = typed.into_iter().map(|operand| self.read(operand, value::prefix));
        let mut set = AddrSet::new(&prefixes.collect::<Result<Vec<_>, _>>()?);
        for file in files {
            self.list(file)?.addresses(self.term.subject.expected(), &mut set)?;
        }
        Ok(set)
    }

    /// Values of a column without a field: each is a text, and a number too if it looks like one.
    fn column(&self) -> Result<ColumnSet, FilterError> {
        let is_order = matches!(self.term.relation, Relation::Compare(Cmp::Gt | Cmp::Lt | Cmp::Ge | Cmp::Le));
        let values = self.each(|text| match value::decimals(text) {
            None if is_order => Err(value::Problem {
                message: format!("\"{text}\" is not a number, and texts are not larger or smaller"),
                suggestion: None,
            }),
            numbers => Ok((text.to_owned(), numbers)),
        })?;
        let texts: Vec<String> = values.iter().filter(|_| !is_order).map(|value| value.0.clone()).collect();
        let numbers =
            values.into_iter().filter_map(|value| value.1).map(|(low, high)| match self.term.relation {
                Relation::Compare(Cmp::Gt) => (Bound::Excluded(high), Bound::Unbounded),
                Relation::Compare(Cmp::Lt) => (Bound::Unbounded, Bound::Excluded(low)),
                Relation::Compare(Cmp::Ge) => (Bound::Included(low), Bound::Unbounded),
                Relation::Compare(Cmp::Le) => (Bound::Unbounded, Bound::Included(high)),
                _ => (Bound::Included(low), Bound::Included(high)),
            });
        Ok(ColumnSet { texts: text_set(&texts), numbers: numbers.collect() })
    }

    pub(super) fn refuse_order(&self, what: &str) -> Result<(), FilterError> {
        match self.term.relation {
            Relation::Compare(Cmp::Eq | Cmp::Ne) | Relation::Plain | Relation::In | Relation::NotIn => Ok(()),
            Relation::Compare(cmp) => {
                let message =
                    format!("{what} are not larger or smaller, so \"{}\" has no meaning", cmp.symbol());
                let span = self.term.relation_span.clone();
                Err(FilterError::new(self.script.text(), span, message)
                    .expected("=, !=, in [...] or nothing"))
            }
        }
    }

    /// Reads every value, those in files too.
    pub(super) fn each<T>(&self, read: impl Fn(&str) -> Read<T>) -> Result<Vec<T>, FilterError> {
        let mut all = Vec::with_capacity(self.term.values.len());
        for operand in &self.term.values {
            if operand.is_file {
                let list = self.list(operand)?;
                list.each(self.term.subject.expected(), |text| read(text).map(|value| all.push(value)))?;
            } else {
                all.push(self.read(operand, &read)?);
            }
        }
        Ok(all)
    }

    fn read<T>(&self, operand: &Operand, read: impl Fn(&str) -> Read<T>) -> Result<T, FilterError> {
        read(&operand.text).map_err(|problem| {
            self.error(operand, problem.message)
                .expected(self.term.subject.expected())
                .suggest(problem.suggestion)
        })
    }

    /// The file of values that is meant.
    pub(super) fn list(&self, operand: &Operand) -> Result<List, FilterError> {
        let Some(path) = self.script.find(operand.span.start, &operand.text) else {
            return Err(self.error(operand, script::NO_FILES).expected(script::NO_FILES_EXPECTED));
        };
        List::open(&path).map_err(|error| self.error(operand, script::unreadable(&path, &error)))
    }

    pub(super) fn error(&self, operand: &Operand, message: impl Into<String>) -> FilterError {
        FilterError::new(self.script.text(), operand.span.clone(), message)
    }

    /// The term in one spelling, whatever it was written like.
    fn canonical(&self) -> String {
        let term = self.term;
        let mut text = term.name.clone();
        let values: Vec<String> = term.values.iter().map(|operand| self.canonical_value(operand)).collect();
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

    /// A file by the path it was found at, a time as such.
    fn canonical_value(&self, operand: &Operand) -> String {
        if operand.is_file {
            let path = self.script.find(operand.span.start, &operand.text).unwrap_or_default();
            return quote_file(&path.display().to_string());
        }
        match (self.term.subject.kind(), value::relative_time(&operand.text, self.now)) {
            (Some(FieldKind::Time), Some(Ok(time))) => time.to_string(),
            _ => quote(&operand.text),
        }
    }
}

fn has_number(field: Field, number: u64) -> Condition {
    let test = Test::Numbers(Ranges::new([(number, number)]));
    Condition::Fields { fields: vec![field], protocols: &[], test, negated: false }
}

fn text_set(texts: &[String]) -> TextSet {
    TextSet::new(texts.iter().map(String::as_str))
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
        let script = Script::new(expression, None, None).unwrap();
        let tree = super::super::parse::parse(&script).unwrap();
        match check(&script, Timestamp::from_secs(0), &tree).unwrap() {
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
