//! Thrift's compact protocol, as much of it as footers and page headers are written in.
//!
//! In go bytes, out come the fields of structs one by one: the caller takes those it knows, the others are passed over.
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>)

use super::cut;
use crate::error::{Error, Result};

/// Reads values from the front of some bytes.
#[derive(Debug)]
pub(super) struct Thrift<'a> {
    rest: &'a [u8],
}

/// The type of a field. Booleans have their value in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    True,
    False,
    Byte,
    /// 16, 32 or 64 bits, which are written alike.
    Int,
    Double,
    Binary,
    List,
    Map,
    Struct,
    Uuid,
}

/// Structs in structs that are passed over; Parquet has four.
const MAX_DEPTH: u32 = 16;

impl<'a> Thrift<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes that have not been read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Reads a struct. `each` gets the number and the type of a field, and either reads its value or says `false`.
    pub(super) fn fields(
        &mut self,
        mut each: impl FnMut(&mut Self, i64, Kind) -> Result<bool>,
    ) -> Result<()> {
        let mut number = 0;
        loop {
            let head = self.byte()?;
            if head & 0x0f == 0 {
                return Ok(());
            }
            number = match head >> 4 {
                0 => self.int()?,
                step => number.saturating_add(i64::from(step)),
            };
            let kind = Kind::of(head & 0x0f)?;
            if !each(self, number, kind)? {
                self.skip(kind, MAX_DEPTH)?;
            }
        }
    }

    /// Reads a list of structs, each by `each`.
    pub(super) fn structs(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        match self.list()? {
            (_, 0) => Ok(()),
            (Kind::Struct, count) => (0..count).try_for_each(|_| each(self)),
            _ => Err(Error::damaged("a list of other things than structs")),
        }
    }

    /// A whole number.
    pub(super) fn int(&mut self) -> Result<i64> {
        let bits = self.varint()?;
        Ok((bits >> 1) as i64 ^ -((bits & 1) as i64))
    }

    /// A number of eight bits.
    pub(super) fn small(&mut self) -> Result<u8> {
        self.byte()
    }

    /// Text or bytes.
    pub(super) fn binary(&mut self) -> Result<&'a [u8]> {
        let len = self.varint()?;
        self.take(usize::try_from(len).map_err(|_| cut(HERE))?)
    }

    /// Type and number of the elements of a list. None of them takes less than a byte.
    fn list(&mut self) -> Result<(Kind, usize)> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        if count == 0 {
            return Ok((Kind::Byte, 0));
        }
        match usize::try_from(count).ok().filter(|&count| count <= self.rest.len()) {
            Some(count) => Ok((Kind::of(head & 0x0f)?, count)),
            None => Err(cut(HERE)),
        }
    }

    fn skip(&mut self, kind: Kind, depth: u32) -> Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Error::damaged("structs nested too deeply"));
        };
        match kind {
            Kind::True | Kind::False => Ok(()),
            Kind::Byte => self.take(1).map(drop),
            Kind::Int => self.varint().map(drop),
            Kind::Double => self.take(8).map(drop),
            Kind::Uuid => self.take(16).map(drop),
            Kind::Binary => self.binary().map(drop),
            Kind::List => {
                let (kind, count) = self.list()?;
                (0..count).try_for_each(|_| self.skip(kind.of_element(), depth))
            }
            Kind::Map => self.skip_map(depth),
            Kind::Struct => self.skip_struct(depth),
        }
    }

    fn skip_map(&mut self, depth: u32) -> Result<()> {
        let count = self.varint()?;
        if count == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        let kinds = [Kind::of(kinds >> 4)?, Kind::of(kinds & 0x0f)?];
        // Each pair takes a byte at least, so the end of the bytes ends this too.
        (0..count).try_for_each(|_| kinds.iter().try_for_each(|kind| self.skip(kind.of_element(), depth)))
    }

    fn skip_struct(&mut self, depth: u32) -> Result<()> {
        loop {
            let head = self.byte()?;
            if head & 0x0f == 0 {
                return Ok(());
            }
            if head >> 4 == 0 {
                self.varint()?;
            }
            self.skip(Kind::of(head & 0x0f)?, depth)?;
        }
    }

    fn varint(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Error::damaged("a number of more than ten bytes"))
    }

    fn byte(&mut self) -> Result<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or_else(|| cut(HERE))?;
        self.rest = rest;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(|| cut(HERE))?;
        self.rest = rest;
        Ok(taken)
    }
}

impl Kind {
    fn of(number: u8) -> Result<Self> {
        Ok(match number {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Int,
            7 => Self::Double,
            8 => Self::Binary,
            // A set is written as a list.
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return Err(Error::damaged(format!("a value of the unknown type {number}"))),
        })
    }

    /// The same type outside of a struct, where a boolean takes a byte.
    fn of_element(self) -> Self {
        match self {
            Self::True | Self::False => Self::Byte,
            other => other,
        }
    }
}

/// What is cut, in messages.
const HERE: &str = "Thrift data";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Fields of integers and texts, as they are read.
    fn read(bytes: &[u8]) -> Result<Vec<(i64, String)>> {
        let mut found = Vec::new();
        let mut thrift = Thrift::new(bytes);
        thrift.fields(|thrift, number, kind| {
            found.push(match kind {
                Kind::Int => (number, thrift.int()?.to_string()),
                Kind::Binary => (number, String::from_utf8_lossy(thrift.binary()?).into_owned()),
                Kind::True => (number, "true".into()),
                _ => return Ok(false),
            });
            Ok(true)
        })?;
        Ok(found)
    }

    #[test]
    fn known_fields_are_read_and_others_passed_over() {
        let bytes = [
            &[0x15, 0x03][..],                                 // 1: -2
            &[0x18, 2, b'h', b'i'],                            // 2: "hi"
            &[0x19, 0x25, 1, 2],                               // 3: [-1, 1]
            &[0x1b, 1, 0x85, b'x' - b'w', b'k', 0x02],         // 4: {"k": 1}
            &[0x1c, 0x15, 9, 0x17, 0, 0, 0, 0, 0, 0, 0, 0, 0], // 5: struct
            &[0x05, 0xc8, 0x01, 0xfe, 0xff, 0xff, 0xff, 0x0f], // 100, in full: 2147483647
            &[0x11, 0],                                        // 101: true, end
        ];
        let expected = [(1, "-2"), (2, "hi"), (100, "2147483647"), (101, "true")];
        assert_eq!(read(&bytes.concat()).unwrap(), expected.map(|(at, text)| (at, text.to_owned())));
    }

    #[test]
    fn lies_about_lengths_are_found() {
        for bytes in [
            &[][..],
            &[0x15],
            &[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f],
            &[0x1b, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x55],
            &[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0],
            &[0x1e, 0],
        ] {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(&[0x1c; 100_000]).unwrap_err().to_string().contains("nested"));
        assert!(read(&[0x19; 100_000]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
