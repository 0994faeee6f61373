//! What the first byte of a frame belongs to.

use std::fmt;

/// A LINKTYPE number (<https://www.tcpdump.org/linktypes.html>).
///
/// Only the 16 bits of the number: the upper half of a pcap header's word (length of the frame check sequence and
/// reserved bits) is left off. Numbers above are snoop's datalink types that have no LINKTYPE number, plus 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// BSD loopback, protocol family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP under a number that some systems use in files instead of [`RAW`](Self::RAW).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IP under OpenBSD's number.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IP, IPv4 or IPv6.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback, protocol family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture (`-i any`), version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux "cooked" capture (`-i any`), version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// Stands for a snoop datalink type that has no LINKTYPE number, so that its frames are skipped by name.
    pub(super) const fn from_snoop(datalink: u32) -> Self {
        Self(datalink.saturating_add(FIRST_SNOOP))
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.checked_sub(FIRST_SNOOP) {
            Some(datalink) => write!(f, "snoop {datalink}"),
            None => self.0.fmt(f),
        }
    }
}

/// What stands for snoop's datalink type 0; pcap and pcapng have 16 bits for a link type.
const FIRST_SNOOP: u32 = 1 << 16;
