//! A stream of integers, narrowed: each value is stored as its distance from the smallest one, in the largest
//! power of a thousand that divides all distances, in as few bytes as the longest distance needs.
//!
//! The lowest bytes of all distances stand together, then the next ones: high bytes hardly differ, and compress well
//! once they are not parted by low ones, which are as good as random. Values that come again and again, as addresses in
//! logs do, compress better with their bytes side by side. Where one value is that of more than half of the
//! rows, a bit per row says which rows have another one, and only those are stored. Values that ascend can be written as
//! steps from row to row.
//!
//! Signed values use the same stream: a distance is a difference modulo 2^64. Every column is made of such
//! streams; `docs/flow-file.md` calls them packed integers. [`Packer`] writes them, [`Packed`] reads them.

mod bits;
mod estimate;
mod read;
mod write;

pub(super) use bits::{Bits, write_bits};
pub(super) use estimate::{Estimate, of_differences};
pub(super) use read::Packed;
pub(super) use write::{Packer, Packing, common_exponent};

/// Bytes in front of the values of a stream: layout, exponent, smallest value.
const HEAD: usize = 10;
/// Set in the layout, beside the width, if one value is that of most rows.
const COMMON: u8 = 0x10;
/// Set in the layout if the bytes of a distance stand side by side.
const WHOLE: u8 = 0x40;
/// Set in the layout if the distances are those from the row before, in zigzag order.
const STEPS: u8 = 0x20;

fn unit(exponent: u8) -> Option<u64> {
    matches!(exponent, 0 | 3 | 6 | 9).then(|| 10_u64.pow(exponent.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(values: &[u64]) -> (Packing, Vec<u8>) {
        let min = values.iter().copied().min().unwrap();
        let max = values.iter().copied().max().unwrap();
        let packing = Packing::new(min, max, common_exponent(min, values.iter().copied()));
        let mut bytes = vec![0xaa];
        Packer::default().write(packing, values.iter().copied(), &mut bytes);
        (packing, bytes)
    }

    fn check(values: &[u64]) -> Result<(), TestCaseError> {
        let (_, bytes) = pack(values);
        check_bytes(values, &bytes)?;
        let values: Vec<u64> = values.iter().map(|value| value >> 1).collect();
        let min = values.iter().copied().min().unwrap();
        let exponent = common_exponent(min, values.iter().copied());
        let mut bytes = vec![0xaa];
        Packer::default().write_steps(exponent, values.iter().copied(), &mut bytes);
        check_bytes(&values, &bytes)
    }

    fn check_bytes(values: &[u64], bytes: &[u8]) -> Result<(), TestCaseError> {
        let (packed, end) = Packed::parse(bytes, 1, values.len()).unwrap();
        prop_assert_eq!(end, bytes.len());
        let start = values.len() / 3;
        let mut back = Vec::new();
        packed.unpack(bytes, start..values.len(), &mut back, |value| value);
        prop_assert_eq!(&back, &values[start..]);
        for row in [0, start, values.len() - 1] {
            prop_assert_eq!(packed.get(bytes, row), values[row]);
        }
        let max = *values.iter().max().unwrap();
        prop_assert!(packed.is_at_most(bytes, max));
        prop_assert!(max == 0 || !packed.is_at_most(bytes, max - 1));
        prop_assert!(values.iter().all(|&value| packed.may_hold(bytes, value)));
        Ok(())
    }

    #[test]
    fn a_value_that_is_not_there_is_known_not_to_be() {
        for bits in [8, 16, 24, 32, 64] {
            let value = |n: u64| 7 + (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits) & !1);
            let values: Vec<u64> = (0..1000).map(value).collect();
            let (_, bytes) = pack(&values);
            let (packed, _) = Packed::parse(&bytes, 1, values.len()).unwrap();
            assert!(values.iter().all(|&value| packed.may_hold(&bytes, value)));
            assert!((0..1000).all(|n| !packed.may_hold(&bytes, value(n) + 1)), "{bits}");
            assert!(!packed.may_hold(&bytes, 0));
        }
    }

    proptest! {
        #[test]
        fn values_read_back_from_any_place(
            base in any::<u64>(),
            bits in 0_u32..64,
            scale in prop::sample::select(vec![1, 1_000, 1_000_000_000_u64]),
            raw in prop::collection::vec(any::<u64>(), 1..700),
        ) {
            let values: Vec<u64> =
                raw.iter().map(|value| base.saturating_add((value >> bits).saturating_mul(scale))).collect();
            check(&values)?;
        }

        #[test]
        fn a_value_that_most_rows_have_reads_back_too(
            common in any::<u64>(),
            bits in 0_u32..64,
            raw in prop::collection::vec((any::<u64>(), 0..10_u8), 1..700),
        ) {
            let value = |&(other, dice): &(u64, u8)| if dice < 3 { other >> bits } else { common };
            check(&raw.iter().map(value).collect::<Vec<_>>())?;
        }
    }

    #[test]
    fn streams_are_as_narrow_as_they_can_be() {
        let seconds: Vec<u64> = (0..60).map(|n| 1_695_921_755_000_000_000 + n * 1_000_000_000).collect();
        let cases = [
            (vec![7; 100], 0, 9),
            (vec![1000, 1255], 1, 0),
            (vec![0, 256], 2, 0),
            (vec![0, 65_536], 3, 0),
            (vec![0, 1 << 32], 5, 0),
            (vec![0, u64::MAX], 8, 0),
            (seconds, 1, 9),
            (vec![5, 5_005, 4_000_005], 2, 3),
        ];
        for (values, width, exponent) in cases {
            let (packing, bytes) = pack(&values);
            assert_eq!((packing.width(), bytes[2]), (width, exponent), "{values:?}");
            assert_eq!(bytes.len(), 1 + HEAD + values.len() * usize::from(width), "{values:?}");
        }
    }

    #[test]
    fn a_common_value_takes_a_bit_a_row() {
        let values: Vec<u64> = (0..1000).map(|n| if n % 10 == 0 { n << 20 } else { 77 }).collect();
        let (_, bytes) = pack(&values);
        assert_eq!(bytes.len(), 1 + HEAD + 8 + 125 + 100 * 4);
    }

    #[test]
    fn values_that_come_again_are_kept_whole() {
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let again: Vec<u64> = (0..20_000).map(|n| hash(hash(n) % 50)).collect();
        let random: Vec<u64> = (0..20_000).map(hash).collect();
        assert_eq!((pack(&again).1[1], pack(&random).1[1]), (WHOLE | 3, 3));
        check(&again).unwrap();
    }

    #[test]
    fn hostile_streams_are_refused() {
        let common = [[9; 80].as_slice(), &[1, 2, 3]].concat();
        for values in [vec![1, 2, 3], common] {
            let (_, bytes) = pack(&values);
            for cut in 0..bytes.len() {
                assert!(Packed::parse(&bytes[..cut], 1, values.len()).is_err(), "{cut}");
            }
            assert!(Packed::parse(&bytes, 1, values.len() + 8).is_err());
            assert!(Packed::parse(&bytes, 999, 0).is_err());
            for (at, value) in [(1, 9), (1, 0x29), (1, 0x80), (1, 0x19), (1, 255), (2, 1), (2, 12)] {
                let mut changed = bytes.clone();
                changed[at] = value;
                assert!(Packed::parse(&changed, 1, values.len()).is_err(), "{at} {value}");
            }
        }
    }
}
