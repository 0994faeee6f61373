//! One value of one field, outside a column.

use std::fmt;
use std::sync::Arc;

use super::{Addr, Timestamp};

/// Text shared between records.
pub type Text = Arc<str>;

/// A field's value in one flow, as its [`Storage`](super::Storage) holds it.
///
/// In the order of values, one that is absent is the smallest, IPv4 addresses come before IPv6, and text goes by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// The record does not have the field.
    Absent,
    /// A number, in the unit of the field.
    Number(u64),
    /// A point in time.
    Time(Timestamp),
    /// An address.
    Addr(Addr),
    /// Text.
    Text(Text),
}

impl Value {
    /// The number, if this is one.
    pub const fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The time, if this is one.
    pub const fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// The address, or [`Addr::Unknown`] if this is none.
    pub const fn addr(&self) -> Addr {
        match self {
            Self::Addr(addr) => *addr,
            _ => Addr::Unknown,
        }
    }

    /// The text, if this is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the record does not have the field.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl From<Option<u64>> for Value {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Absent, Self::Number)
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(time: Option<Timestamp>) -> Self {
        time.map_or(Self::Absent, Self::Time)
    }
}

impl From<Addr> for Value {
    fn from(addr: Addr) -> Self {
        if addr.is_known() { Self::Addr(addr) } else { Self::Absent }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl fmt::Display for Value {
    /// The plain form: digits, RFC 3339, address, text; `-` where absent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.pad("-"),
            Self::Number(number) => number.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::Addr(addr) => addr.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}
