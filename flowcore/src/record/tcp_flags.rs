//! TCP control bits.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

/// The eight TCP control bits, FIN lowest (RFC 9293 §3.1, RFC 3168; low byte of IPFIX `tcpControlBits`).
///
/// Its text form is nfdump's: `CEUAPRSF`, a dot for a bit that is not set.
///
/// ```
/// use flowcore::TcpFlags;
/// assert_eq!((TcpFlags::SYN | TcpFlags::ACK).to_string(), "...A..S.");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// The sender has no more data.
    pub const FIN: Self = Self(0x01);
    /// Synchronise sequence numbers.
    pub const SYN: Self = Self(0x02);
    /// Reset the connection.
    pub const RST: Self = Self(0x04);
    /// Push function.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number is valid.
    pub const ACK: Self = Self(0x10);

    /// The letters of the bits, highest bit first.
    pub const LETTERS: [u8; 8] = *b"CEUAPRSF";

    /// Whether all bits of `other` are set here.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The text form as bytes.
    pub fn letters(self) -> [u8; 8] {
        let mut text = Self::LETTERS;
        for (bit, letter) in text.iter_mut().rev().enumerate() {
            if self.0 & (1 << bit) == 0 {
                *letter = b'.';
            }
        }
        text
    }

    /// Reads letters of [`LETTERS`](Self::LETTERS), dots allowed; `X` stands for `UAPRSF` as in nfdump.
    pub fn from_letters(text: &str) -> Option<Self> {
        let mut flags = Self::default();
        for letter in text.bytes() {
            flags |= match letter.to_ascii_uppercase() {
                b'.' => Self::default(),
                b'X' => Self(0x3f),
                other => Self(0x80 >> Self::LETTERS.iter().position(|&l| l == other)?),
            };
        }
        Some(flags)
    }
}

impl BitOr for TcpFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for TcpFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.letters()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_read_back() {
        for byte in 0..=255 {
            let flags = TcpFlags(byte);
            assert_eq!(TcpFlags::from_letters(&flags.to_string()), Some(flags));
        }
        assert_eq!(TcpFlags::from_letters("sa"), Some(TcpFlags::SYN | TcpFlags::ACK));
        assert_eq!(TcpFlags::from_letters("Q"), None);
    }
}
