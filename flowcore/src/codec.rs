//! Small structures as bytes and back: the header, block summaries and index of `.flow` files.
//!
//! The only module that knows bincode, which is no longer maintained: replacing it means changing this file and
//! nothing else, as long as the bytes stay those that `docs/flow-file.md` describes. Decoding is bounded: a
//! length in the bytes is believed only as far as the caller's limit, and bytes left over are an error.

pub(crate) use bincode::{Decode, Encode};

use bincode::config;

use crate::error::{Error, Result};

/// The bytes of a value.
///
/// # Errors
/// Practically never: only for a value that has no encoding.
pub(crate) fn encode<T: Encode>(value: &T) -> Result<Vec<u8>> {
    bincode::encode_to_vec(value, config::standard())
        .map_err(|error| Error::unsupported(format!("a structure cannot be encoded: {error}")))
}

/// The value that all of these bytes are.
///
/// `LIMIT` bounds the bytes read plus the memory reserved for list elements that are not read yet; elements can
/// be several times larger in memory than in bytes.
///
/// # Errors
/// When the bytes are not such a value, announce more than the limit, or go on behind the value.
pub(crate) fn decode<const LIMIT: usize, T: Decode<()>>(bytes: &[u8]) -> Result<T> {
    match bincode::decode_from_slice(bytes, config::standard().with_limit::<LIMIT>()) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        Ok((_, used)) => Err(Error::damaged(format!("{} bytes too many", bytes.len() - used))),
        Err(error) => Err(Error::damaged(format!("no valid structure: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    enum Shape {
        Nothing,
        Pair(u64, i64),
        List(Vec<String>),
    }

    #[test]
    fn the_bytes_are_those_of_the_document() {
        let cases: [(Shape, &[u8]); 3] = [
            (Shape::Nothing, &[0]),
            (Shape::Pair(251, -2), &[1, 251, 251, 0, 3]),
            (Shape::List(vec!["ab".into()]), &[2, 1, 2, b'a', b'b']),
        ];
        for (value, bytes) in cases {
            assert_eq!(encode(&value).unwrap(), bytes);
            assert_eq!(decode::<1000, Shape>(bytes).unwrap(), value);
        }
    }

    #[test]
    fn every_integer_width_has_its_mark() {
        for (value, length) in
            [(250_u64, 1), (251, 3), (65_535, 3), (65_536, 5), (u32::MAX.into(), 5), (1 << 32, 9)]
        {
            assert_eq!(encode(&value).unwrap().len(), length, "{value}");
        }
        assert_eq!(encode(&u128::MAX).unwrap(), [&[254][..], &[255; 16]].concat());
    }

    #[test]
    fn lies_about_lengths_are_refused() {
        let trailing = decode::<1000, u64>(&[7, 8]).unwrap_err();
        assert_eq!(trailing.to_string(), "1 bytes too many");
        let huge = [2, 253, 0, 0, 0, 0, 0, 1, 0, 0];
        assert!(decode::<1000, Shape>(&huge).is_err());
        assert!(decode::<1000, Shape>(&[9]).is_err());
        assert!(decode::<1000, Shape>(&[]).is_err());
    }
}
