//! Sets of hosts: addresses and prefixes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::record::Addr;

/// Addresses whose first bits are the same; a single address where all are.
///
/// ```
/// use flowcore::analysis::Prefix;
/// let prefix: Prefix = "10.77.0.0/16".parse()?;
/// assert!(prefix.contains("10.77.4.20".parse().unwrap()));
/// assert!("10.77.4.20/16".parse::<Prefix>().is_err(), "bits behind the prefix are a slip of the hand");
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    addr: IpAddr,
    bits: u8,
}

/// Hosts that are looked at together.
///
/// ```
/// use flowcore::analysis::Hosts;
/// let hosts = Hosts::new(["203.0.113.66".parse()?, "10.0.0.0/8".parse()?]);
/// assert!(hosts.contains("10.1.2.3".parse().unwrap()));
/// assert_eq!(hosts.filter(), "ip 203.0.113.66 or ip 10.0.0.0/8");
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<Prefix>);

impl Prefix {
    const fn new(addr: IpAddr, bits: u8) -> Self {
        Self { addr, bits }
    }

    /// Whether the address begins with the prefix; those of the other family do not.
    pub fn contains(&self, addr: Addr) -> bool {
        match (self.addr, addr.ip()) {
            (IpAddr::V4(own), Some(IpAddr::V4(other))) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), Some(IpAddr::V6(other))) => {
                (own.to_bits() ^ other.to_bits()).checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    const fn most_bits(addr: IpAddr) -> u8 {
        if addr.is_ipv4() { 32 } else { 128 }
    }

    /// The prefix with all bits behind it set to 0.
    fn base(self) -> IpAddr {
        match self.addr {
            IpAddr::V4(addr) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & mask))
            }
            IpAddr::V6(addr) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & mask))
            }
        }
    }
}

impl FromStr for Prefix {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::argument(format!("{text:?} is no address and no prefix: {why}"));
        let (addr, bits) = text.split_once('/').map_or((text, None), |(addr, bits)| (addr, Some(bits)));
        let addr: IpAddr = addr.parse().map_err(|_| wrong("write 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32"))?;
        let most = Self::most_bits(addr);
        let bits = match bits {
            None => most,
            Some(bits) => {
                let number = bits.parse().ok().filter(|bits| *bits <= most);
                number.ok_or_else(|| wrong(&format!("behind the slash is a number up to {most}")))?
            }
        };
        let prefix = Self::new(addr, bits);
        let base = prefix.base();
        if base != addr {
            return Err(wrong(&format!("it has bits behind the prefix; {base}/{bits} is meant, or {addr}")));
        }
        Ok(prefix)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bits == Self::most_bits(self.addr) {
            true => write!(f, "{}", self.addr),
            false => write!(f, "{}/{}", self.addr, self.bits),
        }
    }
}

impl Hosts {
    /// The hosts of these prefixes.
    pub fn new(prefixes: impl IntoIterator<Item = Prefix>) -> Self {
        Self(prefixes.into_iter().collect())
    }

    /// Addresses that are used inside only: private ones of RFC 1918 and RFC 4193, shared ones of RFC 6598, link-local
    /// ones.
    pub fn internal() -> Self {
        const V4: [(Ipv4Addr, u8); 5] = [
            (Ipv4Addr::new(10, 0, 0, 0), 8),
            (Ipv4Addr::new(172, 16, 0, 0), 12),
            (Ipv4Addr::new(192, 168, 0, 0), 16),
            (Ipv4Addr::new(100, 64, 0, 0), 10),
            (Ipv4Addr::new(169, 254, 0, 0), 16),
        ];
        const V6: [(Ipv6Addr, u8); 2] = [
            (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
            (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
        ];
        let v4 = V4.iter().map(|&(addr, bits)| Prefix::new(addr.into(), bits));
        Self::new(v4.chain(V6.iter().map(|&(addr, bits)| Prefix::new(addr.into(), bits))))
    }

    /// These hosts and those.
    #[must_use]
    pub fn and(mut self, others: impl IntoIterator<Item = Prefix>) -> Self {
        self.0.extend(others);
        self
    }

    /// Whether the address is one of them.
    pub fn contains(&self, addr: Addr) -> bool {
        self.0.iter().any(|prefix| prefix.contains(addr))
    }

    /// The filter that selects the flows from and to them.
    pub fn filter(&self) -> String {
        self.terms("ip")
    }

    /// The filter that selects the flows from them.
    pub fn src_filter(&self) -> String {
        self.terms("src ip")
    }

    /// The filter that selects the flows to them.
    pub fn dst_filter(&self) -> String {
        self.terms("dst ip")
    }

    /// The prefixes.
    pub fn prefixes(&self) -> &[Prefix] {
        &self.0
    }

    fn terms(&self, side: &str) -> String {
        let terms: Vec<String> = self.0.iter().map(|prefix| format!("{side} {prefix}")).collect();
        terms.join(" or ")
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Prefix::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_hold_what_the_filter_language_says_they_hold() {
        for (prefix, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.71"),
            ("0.0.0.0/0", "255.1.1.1", "::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::/0", "::1", "10.0.0.1"),
        ] {
            let parsed: Prefix = prefix.parse().unwrap();
            assert_eq!(parsed.to_string(), prefix);
            assert!(parsed.contains(inside.parse().unwrap()), "{prefix} {inside}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{prefix} {outside}");
        }
        assert!(!Hosts::internal().contains(Addr::Unknown));
    }

    #[test]
    fn what_is_no_prefix_is_named() {
        for (text, why) in [
            ("10.0.0.1/33", "up to 32"),
            ("10.0.0.1/8", "10.0.0.0/8 is meant"),
            ("logs/", "is no address"),
            ("::1/-1", "up to 128"),
        ] {
            let error = text.parse::<Prefix>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
