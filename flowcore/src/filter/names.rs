//! Values that have names: `fwdstat noroute` is `fwdstat 19`.
//!
//! The names are nfdump's, those of its older versions included; numbers are those of the standards named at each table.

use super::suggest::nearest;
use super::value::{Problem, Read};
use crate::record::Field;

/// Names and numbers of a field's values; the first name of a number is the usual one.
pub(super) type Names = &'static [(&'static str, u64)];

/// The names of a field's values; empty for a field of plain numbers.
pub(super) fn of(field: Field) -> Names {
    match field {
        Field::FwdStatus => FORWARDING,
        Field::NatEvent => NAT_EVENTS,
        Field::FwEvent => FIREWALL_EVENTS,
        Field::FwExtendedEvent => EXTENDED_EVENTS,
        Field::PfAction => PF_ACTIONS,
        Field::PfReason => PF_REASONS,
        Field::PfDir => PF_DIRECTIONS,
        _ => &[],
    }
}

/// The usual name of a field's value, as filters take it: `add` for the NAT event 1.
///
/// ```
/// use flowcore::{Field, filter::value_name};
/// assert_eq!(value_name(Field::NatEvent, 1), Some("add"));
/// assert_eq!(value_name(Field::NatEvent, 200), None);
/// assert_eq!(value_name(Field::SrcPort, 1), None);
/// ```
pub fn value_name(field: Field, number: u64) -> Option<&'static str> {
    of(field).iter().find(|(_, known)| *known == number).map(|(name, _)| *name)
}

/// What a value of such a field looks like.
pub(super) fn expected(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::FwdStatus => "a number from 0 to 255, or a name such as forw, drop, noroute or term",
        Field::NatEvent => "a number from 0 to 255, or a name such as add, delete, add44 or addpblk",
        Field::FwEvent => "a number, or ignore, create, delete, denied, alert or update",
        Field::FwExtendedEvent => "a number, or ingress, egress, interface or nosyn",
        Field::PfAction => "a number, or a name such as pass, block, nat, rdr or match",
        Field::PfReason => "a number, or a name such as match, short, fragment or state-mismatch",
        Field::PfDir => "in or out",
        _ => return None,
    })
}

/// The number of a name; what is no word is left to `number`.
pub(super) fn read(names: Names, text: &str, number: impl Fn(&str) -> Read<(u64, u64)>) -> Read<(u64, u64)> {
    if let Some(&(_, number)) = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok((number, number));
    }
    if names.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        return number(text);
    }
    let suggestion = nearest(text, names.iter().map(|entry| entry.0)).map(str::to_owned);
    Err(Problem { message: format!("unknown name \"{text}\""), suggestion })
}

/// Forwarding status (RFC 7270 §4.12).
const FORWARDING: Names = &[
    ("ukwn", 0),
    ("forw", 1),
    ("frag", 2),
    ("drop", 16),
    ("dacld", 17),
    ("daclp", 18),
    ("noroute", 19),
    ("dadj", 20),
    ("dfrag", 21),
    ("dbadh", 22),
    ("dbadtlen", 23),
    ("dbadhlen", 24),
    ("dbadttl", 25),
    ("dpolicy", 26),
    ("dwred", 27),
    ("drpf", 28),
    ("dforus", 29),
    ("dbadof", 30),
    ("dhw", 31),
    ("term", 128),
    ("tadj", 129),
    ("tincadj", 130),
    ("tforus", 131),
];

/// NAT events (RFC 8158 §4.3).
const NAT_EVENTS: Names = &[
    ("invalid", 0),
    ("add", 1),
    ("delete", 2),
    ("exhaust", 3),
    ("add44", 4),
    ("del44", 5),
    ("add64", 6),
    ("del64", 7),
    ("add44bib", 8),
    ("del44bib", 9),
    ("add64bib", 10),
    ("del64bib", 11),
    ("pexhaust", 12),
    ("quotaexh", 13),
    ("addaddr", 14),
    ("deladdr", 15),
    ("addpblk", 16),
    ("delpblk", 17),
    ("threshld", 18),
    ("create", 1),
];

/// Events of Cisco ASA firewalls (NF_F_FW_EVENT of "Cisco ASA NetFlow Implementation Guide").
const FIREWALL_EVENTS: Names = &[
    ("ignore", 0),
    ("create", 1),
    ("delete", 2),
    ("denied", 3),
    ("alert", 4),
    ("update", 5),
    ("add", 1),
    ("term", 2),
    ("deny", 3),
];

/// Why such a firewall denied a flow (NF_F_FW_EXT_EVENT).
const EXTENDED_EVENTS: Names = &[
    ("ignore", 0),
    ("ingress", 1001),
    ("egress", 1002),
    ("interface", 1003),
    ("nosyn", 1004),
    ("i-acl", 1001),
    ("e-acl", 1002),
    ("deny", 1003),
    ("access", 1003),
];

/// What the packet filter of OpenBSD did (`PF_PASS` and following of `net/pfvar.h`).
const PF_ACTIONS: Names = &[
    ("pass", 0),
    ("block", 1),
    ("scrub", 2),
    ("noscrub", 3),
    ("nat", 4),
    ("nonat", 5),
    ("binat", 6),
    ("nobinat", 7),
    ("rdr", 8),
    ("nordr", 9),
    ("synblock", 10),
    ("defer", 11),
    ("match", 12),
    ("divert", 13),
    ("rt", 14),
    ("afrt", 15),
];

/// Why it did (`PFRES_NAMES` of `net/pfvar.h`).
const PF_REASONS: Names = &[
    ("match", 0),
    ("bad-offset", 1),
    ("fragment", 2),
    ("short", 3),
    ("normalize", 4),
    ("memory", 5),
    ("bad-timestamp", 6),
    ("congestion", 7),
    ("ip-option", 8),
    ("proto-cksum", 9),
    ("state-mismatch", 10),
    ("state-insert", 11),
    ("state-limit", 12),
    ("src-limit", 13),
    ("synproxy", 14),
    ("translate", 15),
    ("no-route", 16),
];

/// As nfdump stores it.
const PF_DIRECTIONS: Names = &[("out", 0), ("in", 1)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::FIELDS;

    #[test]
    fn names_stand_once_and_their_numbers_fit() {
        for info in FIELDS {
            let names = of(info.field);
            assert_eq!(names.is_empty(), expected(info.field).is_none(), "{}", info.name);
            for (at, (name, number)) in names.iter().enumerate() {
                assert!(*number <= info.kind.max_number(), "{name}");
                assert!(names.iter().skip(at + 1).all(|(other, _)| other != name), "{name}");
            }
        }
    }

    #[test]
    fn a_word_is_a_name_and_all_else_a_number() {
        let number = |text: &str| Ok((text.len() as u64, 0));
        assert_eq!(read(FORWARDING, "NoRoute", number), Ok((19, 19)));
        assert_eq!(read(FORWARDING, "1234", number), Ok((4, 0)));
        assert_eq!(read(&[], "word", number), Ok((4, 0)));
        assert_eq!(read(FORWARDING, "norute", number).unwrap_err().suggestion.as_deref(), Some("noroute"));
    }
}
