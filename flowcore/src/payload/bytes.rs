//! Bytes that are read from the front, big-endian; whatever is not there is `None`.

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    pub(super) fn u24(&mut self) -> Option<usize> {
        Some(usize::from(self.u8()?) << 16 | usize::from(self.u16()?))
    }

    /// The bytes behind their number in one byte.
    pub(super) fn sized8(&mut self) -> Option<Self> {
        let len = self.u8()?;
        self.take(len.into()).map(Self)
    }

    /// The bytes behind their number in two bytes.
    pub(super) fn sized16(&mut self) -> Option<Self> {
        let len = self.u16()?;
        self.take(len.into()).map(Self)
    }

    /// All that is left, as numbers of two bytes; an odd byte at the end is none.
    pub(super) fn numbers(self) -> Vec<u16> {
        self.0.as_chunks().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut bytes = Bytes::new(&[2, 7, 8, 0, 9, 1]);
        assert_eq!(bytes.sized8().map(|inner| inner.rest().to_vec()), Some(vec![7, 8]));
        assert!(bytes.clone().sized16().is_none() && bytes.clone().take(4).is_none());
        assert_eq!(bytes.u24(), Some(0x000901));
        assert!(bytes.is_empty() && bytes.u8().is_none());
        assert_eq!(Bytes::new(&[1, 2, 3]).numbers(), [0x0102]);
    }
}
