//! What is known about a block of rows without looking at the rows, so that a filter can say "none of them".
//!
//! A file reader implements [`Zones`] for the summary a file keeps of each block; the filter asks it for the
//! fields it looks at. The answers are about stored fields only: a computed field (`bytes`, `duration`) is
//! [`Zone::Unknown`], and the filter derives its range from the [`inputs`](Field::inputs).

use crate::record::Field;

/// What is known about one field in a block of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone<T> {
    /// No row of the block has a value: a term on this field is false for all of them.
    Empty,
    /// The rows that have a value have one inside these bounds; how many have one is part of `T`.
    Known(T),
    /// Nothing: every value, and the lack of one, has to be expected.
    Unknown,
}

/// The smallest and the largest value, both of which occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds<T> {
    /// Smallest value.
    pub min: T,
    /// Largest value.
    pub max: T,
    /// Rows that have a value, at least one; the others have none.
    pub present: usize,
}

/// The addresses of a block, both versions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddrBounds {
    /// Smallest and largest IPv4 address in host order; `None` if there is none.
    pub v4: Option<(u32, u32)>,
    /// Smallest and largest IPv6 address in host order; `None` if there is none.
    pub v6: Option<(u128, u128)>,
    /// Rows that have an address, at least one.
    pub present: usize,
}

/// The texts of a block, where they are few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextChoice<'a> {
    /// Every text that occurs, once.
    pub texts: &'a [String],
    /// Rows that have a text, at least one.
    pub present: usize,
}

/// A summary of a block of rows.
///
/// An answer may say less than is true (wider bounds, [`Zone::Unknown`]), never more: a block is left unread on
/// the strength of it.
pub trait Zones {
    /// Rows of the block.
    fn rows(&self) -> usize;

    /// The numbers of a field; [`Zone::Unknown`] for a field that holds no numbers.
    fn number(&self, field: Field) -> Zone<Bounds<u64>>;

    /// The times of a field, in nanoseconds since 1970 UTC; [`Zone::Unknown`] for a field that holds no times.
    fn time(&self, field: Field) -> Zone<Bounds<i64>>;

    /// The addresses of a field; [`Zone::Unknown`] for a field that holds no addresses.
    fn addr(&self, field: Field) -> Zone<AddrBounds>;

    /// The texts of a field; [`Zone::Unknown`] for a field that holds no text, or too many to list.
    fn text(&self, field: Field) -> Zone<TextChoice<'_>>;

    /// The IP protocols that occur, exactly; rows without one add nothing.
    fn protocols(&self) -> Zone<ProtocolSet>;
}

/// A set of IP protocol numbers.
///
/// ```
/// use flowcore::filter::zones::ProtocolSet;
/// let mut set = ProtocolSet::default();
/// set.insert(6);
/// set.insert(200);
/// assert!(set.contains(200) && !set.contains(17));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [6, 200]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProtocolSet([u64; 4]);

impl ProtocolSet {
    /// The set whose bits these are: protocol `n` is bit `n % 64` of word `n / 64`.
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// The bits of the set.
    pub const fn words(self) -> [u64; 4] {
        self.0
    }

    /// Adds a protocol.
    pub const fn insert(&mut self, protocol: u8) {
        self.0[protocol as usize / 64] |= 1 << (protocol % 64);
    }

    /// Whether the protocol is in the set.
    pub const fn contains(self, protocol: u8) -> bool {
        self.0[protocol as usize / 64] & (1 << (protocol % 64)) != 0
    }

    /// The protocols, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |&protocol| self.contains(protocol))
    }
}
