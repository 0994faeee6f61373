//! Sets of IP addresses: from one prefix to millions of them.
//!
//! The ranges are sorted; a large set has an index in front of them that answers most questions with one look at a
//! small table, so a list of a million addresses costs little more than a single one.

use std::net::IpAddr;

use super::sets::Ranges;
use crate::record::Addr;

/// A prefix; bits of the address past its length do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) addr: IpAddr,
    pub(super) len: u8,
}

/// First and last address of a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddrRange {
    V4((u32, u32)),
    V6((u128, u128)),
}

impl Prefix {
    /// Its first and last address.
    pub(super) fn range(self) -> AddrRange {
        match self.addr {
            IpAddr::V4(addr) => {
                let host = u32::MAX.checked_shr(u32::from(self.len)).unwrap_or(0);
                AddrRange::V4((u32::from(addr) & !host, u32::from(addr) | host))
            }
            IpAddr::V6(addr) => {
                let host = u128::MAX.checked_shr(u32::from(self.len)).unwrap_or(0);
                AddrRange::V6((u128::from(addr) & !host, u128::from(addr) | host))
            }
        }
    }
}

impl AddrRange {
    /// Calls what is for its family.
    pub(super) fn either(self, v4: impl FnOnce((u32, u32)), v6: impl FnOnce((u128, u128))) {
        match self {
            Self::V4(range) => v4(range),
            Self::V6(range) => v6(range),
        }
    }
}

/// IP addresses, the two families apart: no IPv4 prefix ever holds an IPv6 address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct AddrSet {
    pub(super) v4: Ranges<u32>,
    pub(super) v6: Ranges<u128>,
    v4_index: Option<V4Index>,
    v6_index: Option<V6Index>,
}

impl AddrSet {
    /// The addresses of all these prefixes.
    pub(super) fn new(prefixes: &[Prefix]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            prefix.range().either(|range| v4.push(range), |range| v6.push(range));
        }
        let mut set = Self::default();
        set.add(v4, v6);
        set
    }

    /// Adds these ranges; several sorted runs one behind the other are cheap.
    pub(super) fn add(&mut self, mut v4: Vec<(u32, u32)>, mut v6: Vec<(u128, u128)>) {
        if !v4.is_empty() {
            v4.extend_from_slice(self.v4.as_slice());
            v4.sort_by_key(v4_key);
            self.v4 = Ranges::new(v4);
            self.v4_index = (self.v4.as_slice().len() > UNINDEXED).then(|| V4Index::new(&self.v4));
        }
        if !v6.is_empty() {
            v6.extend_from_slice(self.v6.as_slice());
            v6.sort();
            self.v6 = Ranges::new(v6);
            self.v6_index = (self.v6.as_slice().len() > UNINDEXED).then(|| V6Index::new(&self.v6));
        }
    }

    /// The index of the IPv4 addresses, if there are many.
    pub(super) fn v4_index(&self) -> Option<&V4Index> {
        self.v4_index.as_ref()
    }

    pub(super) fn contains(&self, addr: Addr) -> bool {
        match addr {
            Addr::Unknown => false,
            Addr::V4(addr) => self.contains_v4(addr.into()),
            Addr::V6(addr) => self.contains_v6(addr.into()),
        }
    }

    pub(super) fn contains_v4(&self, addr: u32) -> bool {
        match &self.v4_index {
            Some(index) => index.contains(&self.v4, addr),
            None => self.v4.contains(addr),
        }
    }

    pub(super) fn contains_v6(&self, addr: u128) -> bool {
        self.v6_index.as_ref().is_none_or(|index| index.may_contain(addr)) && self.v6.contains(addr)
    }
}

/// Orders ranges as they are, in one comparison.
pub(super) fn v4_key(&(low, high): &(u32, u32)) -> u64 {
    u64::from(low) << 32 | u64::from(high)
}

/// Sets of up to so many ranges are searched as they are.
const UNINDEXED: usize = 32;

/// Which networks of 256 addresses hold an address of the set, and where the ranges of a network of 65,536 are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct V4Index {
    /// A bit for each value of the first three bytes.
    networks: Vec<u64>,
    /// For each value of the first two bytes, and one more: the ranges that end before it.
    starts: Vec<u32>,
}

impl V4Index {
    fn new(ranges: &Ranges<u32>) -> Self {
        let mut networks = vec![0_u64; 1 << 18];
        let mut starts = Vec::with_capacity((1 << 16) + 1);
        for (at, &(low, high)) in (0_u32..).zip(ranges.as_slice()) {
            for network in low >> 8..=high >> 8 {
                if let Some(word) = networks.get_mut(network as usize / 64) {
                    *word |= 1 << (network % 64);
                }
            }
            // The first range that ends in a later block, or behind it, is the one to begin with there.
            while starts.len() <= (high >> 16) as usize {
                starts.push(at);
            }
        }
        starts.resize((1 << 16) + 1, u32::try_from(ranges.as_slice().len()).unwrap_or(u32::MAX));
        Self { networks, starts }
    }

    /// Whether an address is in the ranges that this is the index of.
    pub(super) fn contains(&self, ranges: &Ranges<u32>, addr: u32) -> bool {
        let network = addr >> 8;
        let word = self.networks.get(network as usize / 64).copied().unwrap_or(0);
        word >> (network % 64) & 1 != 0 && self.search(ranges, addr)
    }

    /// The range that could hold the address begins in its block, or is the first that ends behind it.
    fn search(&self, ranges: &Ranges<u32>, addr: u32) -> bool {
        let block = (addr >> 16) as usize;
        let start = |block: usize| self.starts.get(block).map_or(0, |&start| start as usize);
        let ranges = ranges.as_slice();
        let near = ranges.get(start(block)..ranges.len().min(start(block + 1) + 1)).unwrap_or_default();
        let at = near.partition_point(|range| range.1 < addr);
        near.get(at).is_some_and(|range| range.0 <= addr)
    }
}

/// Networks that hold an address of the set, as bits at the places of their hashes. Prefixes are looked up at the
/// smallest size of network that holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct V6Index {
    bits: Vec<u64>,
    /// Which of [`V6_SIZES`] there are.
    sizes: [bool; V6_SIZES.len()],
    /// Ranges that no such network holds.
    wide: Ranges<u128>,
}

/// Lengths of the prefixes of networks, smallest network first.
const V6_SIZES: [u8; 4] = [64, 48, 32, 16];

impl V6Index {
    fn new(ranges: &Ranges<u128>) -> Self {
        let words = (ranges.as_slice().len() / 4).next_power_of_two().clamp(1 << 10, 1 << 20);
        let mut index =
            Self { bits: vec![0; words], sizes: [false; V6_SIZES.len()], wide: Ranges::default() };
        let mut wide = Vec::new();
        for &(low, high) in ranges.as_slice() {
            let holds = |size: &u8| network(low, *size) == network(high, *size);
            match V6_SIZES.iter().position(holds) {
                Some(size) => index.insert(size, low),
                None => wide.push((low, high)),
            }
        }
        index.wide = Ranges::new(wide);
        index
    }

    fn insert(&mut self, size: usize, addr: u128) {
        let (word, bit) = self.place(V6_SIZES.get(size).copied().unwrap_or(0), addr);
        if let (Some(word), Some(size)) = (self.bits.get_mut(word), self.sizes.get_mut(size)) {
            *word |= 1 << bit;
            *size = true;
        }
    }

    /// `false` is certain.
    fn may_contain(&self, addr: u128) -> bool {
        let sizes = V6_SIZES.iter().zip(self.sizes).filter(|(_, used)| *used);
        let mut words = sizes.map(|(&size, _)| self.place(size, addr));
        words.any(|(word, bit)| self.bits.get(word).is_some_and(|word| word >> bit & 1 != 0))
            || self.wide.contains(addr)
    }

    /// Where the bit of the network of this size that holds an address is.
    fn place(&self, size: u8, addr: u128) -> (usize, u32) {
        let hash = (network(addr, size) as u64 ^ u64::from(size)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((hash >> 38) as usize & (self.bits.len() - 1), (hash >> 32) as u32 % 64)
    }
}

/// The first `len` bits of an address.
fn network(addr: u128, len: u8) -> u128 {
    addr >> (128 - u32::from(len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Addresses near each other, so that hits and near misses are common, and prefixes of all lengths.
    fn prefixes() -> impl Strategy<Value = Vec<Prefix>> {
        let v4 = (any::<u16>(), any::<u16>(), 0_u8..=32).prop_map(|(high, low, len)| {
            let addr = IpAddr::from([10, (high & 3) as u8, (low >> 12) as u8, low as u8]);
            Prefix { addr, len: if len < 8 { 32 } else { len } }
        });
        let v6 = (any::<u8>(), any::<u16>(), 0_u8..=128).prop_map(|(net, low, len)| Prefix {
            addr: v6_addr(net, low),
            len: if len < 17 { 128 } else { len },
        });
        prop::collection::vec(prop_oneof![v4, v6], 0..120)
    }

    fn v6_addr(net: u8, low: u16) -> IpAddr {
        let net = u128::from(net & 7);
        IpAddr::from((0x2001_0db8_u128 << 96 | net << 80 | net << 60 | u128::from(low & 0xff)).to_be_bytes())
    }

    fn holds(prefix: &Prefix, addr: IpAddr) -> bool {
        match (prefix.addr, addr) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                prefix.len == 0 || (u32::from(a) ^ u32::from(b)) >> (32 - prefix.len) == 0
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                prefix.len == 0 || (u128::from(a) ^ u128::from(b)) >> (128 - prefix.len) == 0
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_set_holds_what_a_naive_search_finds(
            given in prefixes(), more in prefixes(), probes in prop::collection::vec((any::<u16>(), any::<u16>()), 64),
        ) {
            let mut set = AddrSet::new(&given);
            let (mut v4, mut v6) = (Vec::new(), Vec::new());
            more.iter().for_each(|prefix| prefix.range().either(|r| v4.push(r), |r| v6.push(r)));
            set.add(v4, v6);
            let probes = probes.iter().flat_map(|&(a, b)| {
                [IpAddr::from([10, (a & 3) as u8, (b >> 12) as u8, b as u8]), v6_addr(a as u8, b)]
            });
            let edges = given.iter().flat_map(|prefix| {
                let (mut v4, mut v6) = (Vec::new(), Vec::new());
                prefix.range().either(|range| v4.push(range), |range| v6.push(range));
                let v4 = v4.into_iter().flat_map(|(low, high)| {
                    [low.wrapping_sub(1), low, high, high.wrapping_add(1)].map(|addr| IpAddr::from(addr.to_be_bytes()))
                });
                let v6 = v6.into_iter().flat_map(|(low, high)| {
                    [low.wrapping_sub(1), low, high, high.wrapping_add(1)].map(|addr| IpAddr::from(addr.to_be_bytes()))
                });
                v4.chain(v6).collect::<Vec<_>>()
            });
            for probe in probes.chain(edges) {
                let naive = given.iter().chain(&more).any(|prefix| holds(prefix, probe));
                prop_assert_eq!(set.contains(probe.into()), naive, "{}", probe);
            }
        }
    }

    #[test]
    fn the_index_covers_the_ends_of_the_address_space() {
        let mut texts: Vec<String> = (0..100).map(|n| format!("{}.0.0.1", n * 2 + 1)).collect();
        texts.extend(["0.0.0.0/8".into(), "255.255.255.255".into(), "200.0.0.0/5".into()]);
        let prefixes: Vec<Prefix> =
            texts.iter().map(|text| super::super::value::prefix(text).unwrap()).collect();
        let set = AddrSet::new(&prefixes);
        assert!(set.v4_index.is_some());
        for (addr, expected) in [
            ("0.0.0.0", true),
            ("0.255.255.255", true),
            ("1.0.0.0", false),
            ("1.0.0.1", true),
            ("2.0.0.1", false),
            ("207.255.255.255", true),
            ("208.0.0.0", false),
            ("255.255.255.254", false),
            ("255.255.255.255", true),
        ] {
            assert_eq!(set.contains(addr.parse().unwrap()), expected, "{addr}");
        }
    }

    #[test]
    fn a_zero_length_prefix_is_its_whole_family() {
        let set = AddrSet::new(&[Prefix { addr: "10.1.2.3".parse().unwrap(), len: 0 }]);
        assert!(set.contains("255.255.255.255".parse().unwrap()) && set.contains("0.0.0.0".parse().unwrap()));
        assert!(!set.contains("::".parse().unwrap()) && !set.contains("::ffff:10.1.2.3".parse().unwrap()));
        let set = AddrSet::new(&[Prefix { addr: "2001:db8::7".parse().unwrap(), len: 128 }]);
        assert!(set.contains("2001:db8::7".parse().unwrap()));
        assert!(!set.contains("2001:db8::8".parse().unwrap()));
    }
}
