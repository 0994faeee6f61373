//! Whether a block of rows can be left unread: from the summary of the block, could any row match?
//!
//! A `not` turns the question round, so for every part of the expression two things are worked out: may some row
//! satisfy it, and may some row fail it. Both may err towards yes, never towards no.

use super::addrs::AddrSet;
use super::expr::Expr;
use super::predicate::{Condition, Predicate, Test, acl_holds};
use super::sets::{ByteSet, Ranges};
use super::zones::{AddrBounds, Bounds, TextChoice, Zone, Zones};
use crate::record::{Field, Protocol};

/// Whether some row of the block could satisfy the expression.
pub(super) fn may_match(expr: &Expr<Predicate>, zones: &dyn Zones) -> bool {
    chance(expr, zones).yes
}

/// What the rows of a block may say to a part of the expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chance {
    yes: bool,
    no: bool,
}

/// What the rows of a block may say to a test of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcome {
    hit: bool,
    miss: bool,
    absent: bool,
}

fn chance(expr: &Expr<Predicate>, zones: &dyn Zones) -> Chance {
    let each = |parts: &[Expr<Predicate>]| parts.iter().map(|part| chance(part, zones)).collect::<Vec<_>>();
    match expr {
        Expr::Term(predicate) => predicate.condition.chance(zones),
        Expr::Not(inner) => {
            let inner = chance(inner, zones);
            Chance { yes: inner.no, no: inner.yes }
        }
        Expr::And(parts) => {
            let parts = each(parts);
            Chance { yes: parts.iter().all(|part| part.yes), no: parts.iter().any(|part| part.no) }
        }
        Expr::Or(parts) => {
            let parts = each(parts);
            Chance { yes: parts.iter().any(|part| part.yes), no: parts.iter().all(|part| part.no) }
        }
    }
}

impl Condition {
    fn chance(&self, zones: &dyn Zones) -> Chance {
        match self {
            Self::Any => Chance { yes: true, no: false },
            Self::Column { .. } => Chance { yes: true, no: true },
            Self::Between { fields, limits } => {
                let is_there = |field: &Field| !matches!(numbers(*field, zones), Zone::Empty);
                Chance { yes: fields.iter().any(is_there) && limits.iter().all(is_there), no: true }
            }
            Self::Family(version) => family(*version, zones),
            // A summary of a block does not say what is in payloads, only whether there are any.
            Self::Payload(condition) => {
                let there =
                    condition.payloads().iter().any(|&field| !matches!(zones.text(field), Zone::Empty));
                Chance { yes: there && condition.guard.chance(zones).yes, no: true }
            }
            Self::Fields { fields, protocols, test, negated } => {
                let outcomes: Vec<Outcome> = fields.iter().map(|&field| test.outcome(field, zones)).collect();
                let own = of_fields(&outcomes, *negated);
                let guard = of_protocols(protocols, zones);
                Chance { yes: own.yes && guard.yes, no: own.no || guard.no }
            }
        }
    }
}

fn of_fields(outcomes: &[Outcome], negated: bool) -> Chance {
    let hit = outcomes.iter().any(|outcome| outcome.hit);
    let no_hit = outcomes.iter().all(|outcome| outcome.miss || outcome.absent);
    if negated {
        let miss = outcomes.iter().any(|outcome| outcome.miss);
        let absent = outcomes.iter().all(|outcome| outcome.absent);
        Chance { yes: no_hit && miss, no: hit || absent }
    } else {
        Chance { yes: hit, no: no_hit }
    }
}

fn of_protocols(protocols: &[Protocol], zones: &dyn Zones) -> Chance {
    if protocols.is_empty() {
        return Chance { yes: true, no: false };
    }
    let wanted = protocols.iter().map(|protocol| (u64::from(protocol.0), u64::from(protocol.0)));
    of_fields(&[Test::Numbers(Ranges::new(wanted)).outcome(Field::Protocol, zones)], false)
}

fn family(version: u8, zones: &dyn Zones) -> Chance {
    let has = |bounds: AddrBounds, wanted: u8| match wanted {
        4 => bounds.v4.is_some(),
        _ => bounds.v6.is_some(),
    };
    let of = |field| {
        outcome(zones.addr(field), zones.rows(), |bounds: AddrBounds| {
            let other = 10 - version;
            (has(bounds, version), has(bounds, other), bounds.present)
        })
    };
    let (src, dst) = (of(Field::SrcAddr), of(Field::DstAddr));
    Chance { yes: src.hit || (src.absent && dst.hit), no: src.miss || src.absent }
}

impl Test {
    fn outcome(&self, field: Field, zones: &dyn Zones) -> Outcome {
        let rows = zones.rows();
        match self {
            Self::Numbers(set) => match protocols_outcome(field, set, zones) {
                Some(outcome) => outcome,
                None => outcome(numbers(field, zones), rows, |bounds| in_ranges(set, bounds)),
            },
            Self::Bytes(set) => outcome(numbers(field, zones), rows, |bounds| in_bytes(set, bounds)),
            Self::Times(set) => outcome(zones.time(field), rows, |bounds| in_ranges(set, bounds)),
            Self::Addrs(set) => outcome(zones.addr(field), rows, |bounds| in_addrs(set, bounds)),
            Self::Texts(set) => {
                outcome(zones.text(field), rows, |choice| in_texts(choice, |text| set.contains(text)))
            }
            Self::Content(set) => {
                outcome(zones.text(field), rows, |choice| in_texts(choice, |text| set.occurs_in(text)))
            }
            Self::Acl(set) => {
                outcome(zones.text(field), rows, |choice| in_texts(choice, |text| acl_holds(text, set)))
            }
            // The bounds of whole entries say nothing about a part of them.
            Self::Mpls(..) => outcome(zones.number(field), rows, |_| (true, true, 0)),
        }
    }
}

/// The outcome for a zone whose values, if known, give hit, miss and the number of rows that have a value.
fn outcome<T>(zone: Zone<T>, rows: usize, look: impl Fn(T) -> (bool, bool, usize)) -> Outcome {
    match zone {
        Zone::Empty => Outcome { hit: false, miss: false, absent: true },
        Zone::Unknown => Outcome { hit: true, miss: true, absent: true },
        Zone::Known(values) => {
            let (hit, miss, present) = look(values);
            Outcome { hit, miss, absent: present < rows }
        }
    }
}

fn in_ranges<T: Copy + Ord>(set: &Ranges<T>, bounds: Bounds<T>) -> (bool, bool, usize) {
    (set.overlaps(bounds.min, bounds.max), !set.covers(bounds.min, bounds.max), bounds.present)
}

fn in_bytes(set: &ByteSet, bounds: Bounds<u64>) -> (bool, bool, usize) {
    let mut values = bounds.min..=bounds.max.min(256);
    let hit = values.clone().any(|value| set.contains(value));
    (hit, values.any(|value| !set.contains(value)), bounds.present)
}

fn in_texts(choice: TextChoice<'_>, is_hit: impl Fn(&str) -> bool) -> (bool, bool, usize) {
    let hits = choice.texts.iter().filter(|text| is_hit(text)).count();
    (hits > 0, hits < choice.texts.len(), choice.present)
}

fn in_addrs(set: &AddrSet, bounds: AddrBounds) -> (bool, bool, usize) {
    let hit = bounds.v4.is_some_and(|(min, max)| set.v4.overlaps(min, max))
        || bounds.v6.is_some_and(|(min, max)| set.v6.overlaps(min, max));
    let miss = bounds.v4.is_some_and(|(min, max)| !set.v4.covers(min, max))
        || bounds.v6.is_some_and(|(min, max)| !set.v6.covers(min, max));
    (hit, miss, bounds.present)
}

/// A list of the protocols says more than their bounds.
fn protocols_outcome(field: Field, set: &Ranges<u64>, zones: &dyn Zones) -> Option<Outcome> {
    let Zone::Known(protocols) = (if field == Field::Protocol { zones.protocols() } else { Zone::Unknown })
    else {
        return None;
    };
    let absent = match zones.number(field) {
        Zone::Known(bounds) => bounds.present < zones.rows(),
        _ => true,
    };
    let hit = protocols.iter().any(|protocol| set.contains(protocol.into()));
    let miss = protocols.iter().any(|protocol| !set.contains(protocol.into()));
    Some(Outcome { hit, miss, absent })
}

/// The bounds of a field; those of a computed one follow from what it is computed from.
fn numbers(field: Field, zones: &dyn Zones) -> Zone<Bounds<u64>> {
    match field {
        Field::Packets => both(Field::InPackets, Field::OutPackets, zones, u64::saturating_add),
        Field::Bytes => both(Field::InBytes, Field::OutBytes, zones, u64::saturating_add),
        Field::TcpFlags => both(Field::InFlags, Field::OutFlags, zones, |a, b| {
            a.max(b).checked_add(1).and_then(u64::checked_next_power_of_two).map_or(u64::MAX, |next| next - 1)
        }),
        Field::Duration => duration(zones),
        _ if field.is_derived() => Zone::Unknown,
        _ => zones.number(field),
    }
}

/// Bounds of a value joined from two counters, one of which may be absent in a row. The joined value is never
/// smaller than either; `upper` is the largest it can be.
fn both(a: Field, b: Field, zones: &dyn Zones, upper: impl Fn(u64, u64) -> u64) -> Zone<Bounds<u64>> {
    match (zones.number(a), zones.number(b)) {
        (Zone::Unknown, _) | (_, Zone::Unknown) => Zone::Unknown,
        (Zone::Empty, other) | (other, Zone::Empty) => other,
        (Zone::Known(a), Zone::Known(b)) => Zone::Known(Bounds {
            min: a.min.min(b.min),
            max: upper(a.max, b.max),
            present: a.present.max(b.present),
        }),
    }
}

fn duration(zones: &dyn Zones) -> Zone<Bounds<u64>> {
    match (zones.time(Field::First), zones.time(Field::Last)) {
        (Zone::Empty, _) | (_, Zone::Empty) => Zone::Empty,
        (Zone::Known(first), Zone::Known(last)) => {
            let span = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
            Zone::Known(Bounds {
                min: span(first.max, last.min),
                max: span(first.min, last.max),
                present: (first.present + last.present).saturating_sub(zones.rows()),
            })
        }
        _ => Zone::Unknown,
    }
}
