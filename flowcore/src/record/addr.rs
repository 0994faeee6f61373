//! An IP address that may be unknown.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address of a flow, or none where the source does not say (a `-` in a cloud log, a column left out).
///
/// An IPv4 address and the IPv6 address that maps it (`::ffff:a.b.c.d`) are different addresses.
///
/// ```
/// use flowcore::Addr;
/// let addr: Addr = "20.106.124.93".parse().unwrap();
/// assert_eq!(addr.to_string(), "20.106.124.93");
/// assert_eq!(Addr::Unknown.to_string(), "-");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Addr {
    /// The source does not say.
    #[default]
    Unknown,
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl Addr {
    /// The address, if it is known.
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Unknown => None,
            Self::V4(addr) => Some(IpAddr::V4(addr)),
            Self::V6(addr) => Some(IpAddr::V6(addr)),
        }
    }

    /// Whether the address is known.
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unknown)
    }

    /// 4 or 6; 0 where unknown.
    pub const fn version(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::V4(_) => 4,
            Self::V6(_) => 6,
        }
    }
}

impl From<IpAddr> for Addr {
    fn from(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => Self::V4(addr),
            IpAddr::V6(addr) => Self::V6(addr),
        }
    }
}

impl From<Ipv4Addr> for Addr {
    fn from(addr: Ipv4Addr) -> Self {
        Self::V4(addr)
    }
}

impl From<Ipv6Addr> for Addr {
    fn from(addr: Ipv6Addr) -> Self {
        Self::V6(addr)
    }
}

impl std::str::FromStr for Addr {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<IpAddr>().map(Self::from)
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.pad("-"),
            Self::V4(addr) => addr.fmt(f),
            Self::V6(addr) => addr.fmt(f),
        }
    }
}
