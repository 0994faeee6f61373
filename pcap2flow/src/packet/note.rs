//! What is odd about a frame that was metered all the same.

use std::fmt;

/// One oddity of a frame whose packet is in a flow. Its text form is stable and meant as a key of statistics.
///
/// ```
/// use pcap2flow::packet::Note;
/// assert_eq!(Note::Cut.to_string(), "captured in part");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Note {
    /// The capture holds less of the packet than its IP header says it has, but not less than was on the wire.
    Cut,
    /// The packet says it is longer than what was on the wire: its length counts as it stands.
    LongerThanFrame,
    /// Total or payload length 0, as segmentation offload leaves it: the length on the wire counts.
    NoLength,
    /// An IPv6 jumbogram.
    Jumbogram,
    /// Bytes follow the packet in the frame: padding, a frame check sequence or a trailer. They do not count.
    Trailer,
    /// A transport header that says it is shorter than it can be, or longer than the packet.
    BadTransportLength,
    /// A packet that says it is shorter than its own header: its length counts as it stands.
    ShorterThanHeader,
    /// An IPv6 extension or authentication header that runs out of the packet: nothing behind it is read.
    BadExtension,
    /// A fragment.
    Fragment,
    /// The metered packet came in a tunnel.
    Tunnelled,
    /// Tunnels are nested deeper than is looked into.
    TunnelTooDeep,
    /// More IPv6 extension headers than are followed.
    TooManyExtensions,
    /// Several frames in one (802.11's A-MSDU): the packet of the first is metered, the others are not.
    Aggregate,
}

/// A set of [`Note`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notes(u16);

impl Notes {
    /// No note.
    pub const NONE: Self = Self(0);

    /// Every kind of note there is.
    pub const ALL: [Note; 13] = [
        Note::Cut,
        Note::LongerThanFrame,
        Note::NoLength,
        Note::Jumbogram,
        Note::Trailer,
        Note::BadTransportLength,
        Note::ShorterThanHeader,
        Note::BadExtension,
        Note::Fragment,
        Note::Tunnelled,
        Note::TunnelTooDeep,
        Note::TooManyExtensions,
        Note::Aggregate,
    ];

    /// Adds a note.
    #[inline]
    pub fn insert(&mut self, note: Note) {
        self.0 |= 1 << note as u8;
    }

    /// Adds a note where `condition` holds.
    #[inline]
    #[must_use]
    pub fn with(self, note: Note, condition: bool) -> Self {
        Self(self.0 | u16::from(condition) << note as u8)
    }

    /// The set without a note.
    #[must_use]
    pub fn without(self, note: Note) -> Self {
        Self(self.0 & !(1 << note as u8))
    }

    /// The notes of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the note is in the set.
    pub fn contains(self, note: Note) -> bool {
        self.0 & 1 << note as u8 != 0
    }

    /// Whether there is no note.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The notes in the set.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Self::ALL.into_iter().filter(move |&note| self.contains(note))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "captured in part",
            Self::LongerThanFrame => "IP length beyond the frame",
            Self::NoLength => "no IP length (segmentation offload)",
            Self::Jumbogram => "IPv6 jumbogram",
            Self::Trailer => "padding or trailer",
            Self::BadTransportLength => "bad transport length",
            Self::ShorterThanHeader => "IP length below the header's",
            Self::BadExtension => "bad extension header length",
            Self::Fragment => "fragment",
            Self::Tunnelled => "in a tunnel",
            Self::TunnelTooDeep => "nested too deep",
            Self::TooManyExtensions => "too many extension headers",
            Self::Aggregate => "aggregate, first packet metered",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_note_is_listed_once() {
        let mut all = Notes::NONE;
        for (at, note) in Notes::ALL.into_iter().enumerate() {
            assert_eq!((note as usize, all.contains(note)), (at, false));
            all.insert(note);
            assert_eq!(Notes::NONE.with(note, true).iter().collect::<Vec<_>>(), [note]);
            assert!(Notes::NONE.with(note, false).is_empty());
            assert_eq!(all.without(note).union(Notes::NONE.with(note, true)), all);
            assert!(!all.without(note).contains(note));
        }
        assert_eq!(all.iter().count(), Notes::ALL.len());
    }
}
