//! Why a flow ended.

use std::fmt;

/// IPFIX `flowEndReason` (RFC 5102 §5.11.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EndReason {
    /// No packet for the idle timeout.
    IdleTimeout = 1,
    /// The flow went on for the active timeout and continues in another record.
    ActiveTimeout = 2,
    /// The end was seen: FIN both ways or RST.
    EndOfFlow = 3,
    /// The input ended while the flow was alive.
    ForcedEnd = 4,
    /// The flow was put out to make room.
    LackOfResources = 5,
}

impl EndReason {
    /// The reason with this number.
    pub const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::IdleTimeout,
            2 => Self::ActiveTimeout,
            3 => Self::EndOfFlow,
            4 => Self::ForcedEnd,
            5 => Self::LackOfResources,
            _ => return None,
        })
    }

    /// The reason in two or three words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IdleTimeout => "idle timeout",
            Self::ActiveTimeout => "active timeout",
            Self::EndOfFlow => "end of flow",
            Self::ForcedEnd => "forced end",
            Self::LackOfResources => "lack of resources",
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
