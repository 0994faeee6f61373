//! Names for the parts of a file that are not understood, by which they are counted.

use std::fmt;

/// A part that is left out; the rest of its record is used. The number is that of the element or the record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum UnknownPart {
    /// An element that no row of the table has.
    Element(u16),
    /// An element with less data than any row of the table wants.
    TooShort(u16),
    /// An element of a record that has it already.
    Twice(u16),
    /// What an element has behind the data that is known.
    EndOf(u16),
    /// A record.
    RecordType(u16),
}

impl fmt::Display for UnknownPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(id) => write!(f, "element {id}"),
            Self::TooShort(id) => write!(f, "element {id} that is too short"),
            Self::Twice(id) => write!(f, "element {id} that is there twice"),
            Self::EndOf(id) => write!(f, "end of element {id}"),
            Self::RecordType(kind) => write!(f, "record type {kind}"),
        }
    }
}
