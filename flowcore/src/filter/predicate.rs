//! What a checked term asks of a record.

use std::fmt;

use super::addrs::AddrSet;
use super::columns::ColumnSet;
use super::payload::PayloadCondition;
use super::sets::{ByteSet, ContentSet, Ranges, TextSet};
use crate::record::{Field, Protocol};

/// A term whose words have been resolved to fields and sets of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Predicate {
    /// The term in canonical spelling, which reads back as the same predicate.
    pub(super) text: String,
    pub(super) condition: Condition,
}

/// A condition on one record. Whatever it looks at and the record does not have makes it false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    Any,
    /// IP version of the source address, or of the destination where the source is unknown.
    Family(u8),
    /// The record is of one of these protocols (if any is named), and some of these fields has a value in the
    /// set; negated: some field has a value, and none has one in the set.
    Fields {
        fields: Vec<Field>,
        protocols: &'static [Protocol],
        test: Test,
        negated: bool,
    },
    /// Something that payloads say.
    Payload(PayloadCondition),
    /// The same as for fields for a column that has none.
    Column {
        name: String,
        values: ColumnSet,
        negated: bool,
    },
    /// Some of these fields has a value from that of the first limit to that of the second one.
    Between {
        fields: &'static [Field],
        limits: [Field; 2],
    },
}

/// A set of values, by how a field stores them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Numbers(Ranges<u64>),
    Bytes(ByteSet),
    /// Nanoseconds since 1970.
    Times(Ranges<i64>),
    Addrs(AddrSet),
    Texts(TextSet),
    /// A part of MPLS label stack entries.
    Mpls(MplsPart, Ranges<u64>),
    /// Bytes somewhere in a payload.
    Content(ContentSet),
    /// Any of the three numbers of an access list.
    Acl(Ranges<u64>),
}

/// What of an MPLS label stack entry is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MplsPart {
    /// The traffic class.
    Class,
    /// The whole entry, if it is at the bottom of the stack.
    Bottom,
}

impl MplsPart {
    /// The part of an entry (label * 16 + traffic class * 2 + bottom of stack), if it has it.
    pub(super) fn of(self, entry: u64) -> Option<u64> {
        match self {
            Self::Class => Some(entry >> 1 & 7),
            Self::Bottom => (entry & 1 != 0).then_some(entry),
        }
    }
}

impl Condition {
    /// The fields that are looked at, computed ones as such.
    pub(super) fn fields(&self) -> Vec<Field> {
        match self {
            Self::Any | Self::Column { .. } => Vec::new(),
            Self::Family(_) => vec![Field::SrcAddr, Field::DstAddr],
            Self::Payload(condition) => condition.fields(),
            Self::Fields { fields, protocols, .. } => {
                let guard = (!protocols.is_empty()).then_some(Field::Protocol);
                fields.iter().copied().chain(guard).collect()
            }
            Self::Between { fields, limits } => fields.iter().chain(limits).copied().collect(),
        }
    }
}

/// Whether any number of an access list, `0x8e1a5fc2/0x0/0x1`, is in the set.
pub(super) fn acl_holds(text: &str, set: &Ranges<u64>) -> bool {
    let number = |part: &str| u64::from_str_radix(part.strip_prefix("0x")?, 16).ok();
    text.split('/').filter_map(number).any(|number| set.contains(number))
}

/// Whether a column of the source is the one a filter names: case and the kind of dash do not matter.
pub(super) fn same_column(wanted: &str, name: &str) -> bool {
    let plain = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    wanted.len() == name.len() && wanted.bytes().zip(name.bytes()).all(|(a, b)| plain(a) == plain(b))
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
