//! IP protocol numbers and their names.

use std::fmt;
use std::str::FromStr;

/// An IP protocol number (IANA "Assigned Internet Protocol Numbers"; IPFIX `protocolIdentifier`).
///
/// ```
/// use flowcore::Protocol;
/// assert_eq!(Protocol::TCP.to_string(), "TCP");
/// assert_eq!("icmp6".parse(), Ok(Protocol::ICMPV6));
/// assert_eq!(Protocol(254).to_string(), "254");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    /// Internet Control Message Protocol, RFC 792.
    pub const ICMP: Self = Self(1);
    /// Transmission Control Protocol, RFC 9293.
    pub const TCP: Self = Self(6);
    /// IPv6 in IP.
    pub const IPV6: Self = Self(41);
    /// IPv4 in IP.
    pub const IPV4: Self = Self(4);
    /// Generic Routing Encapsulation.
    pub const GRE: Self = Self(47);
    /// Encapsulating Security Payload.
    pub const ESP: Self = Self(50);
    /// Authentication Header.
    pub const AH: Self = Self(51);
    /// User Datagram Protocol, RFC 768.
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6, RFC 4443.
    pub const ICMPV6: Self = Self(58);
    /// Stream Control Transmission Protocol, RFC 9260.
    pub const SCTP: Self = Self(132);

    /// The short upper-case name, if the number has one.
    pub fn name(self) -> Option<&'static str> {
        NAMES.binary_search_by_key(&self.0, |entry| entry.0).ok().map(|at| NAMES[at].1)
    }

    /// Every number with a name, in numeric order.
    pub fn named() -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.iter().map(|&(number, name)| (Self(number), name))
    }

    /// Whether flows of this protocol have ports: TCP, UDP, SCTP, DCCP (33) and UDP-Lite (136).
    pub const fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP | Self::SCTP | Self(33 | 136))
    }

    /// ICMP for IPv4 or IPv6.
    pub const fn is_icmp(self) -> bool {
        matches!(self, Self::ICMP | Self::ICMPV6)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad_integral(true, "", itoa_u8(self.0, &mut [0; 3])),
        }
    }
}

impl FromStr for Protocol {
    type Err = ();

    /// Reads a number from 0 to 255 or a name in any case.
    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(number) = text.parse::<u8>() {
            return Ok(Self(number));
        }
        let found = NAMES.iter().chain(OTHER_NAMES).find(|(_, name)| name.eq_ignore_ascii_case(text));
        found.map(|&(number, _)| Self(number)).ok_or(())
    }
}

fn itoa_u8(value: u8, buffer: &mut [u8; 3]) -> &str {
    let mut at = buffer.len();
    let mut rest = value;
    loop {
        at -= 1;
        buffer[at] = b'0' + rest % 10;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

/// Numbers and keywords of the IANA registry that occur in practice, with nfdump's spelling where it has one.
const NAMES: &[(u8, &str)] = &[
    (0, "HOPOPT"),
    (1, "ICMP"),
    (2, "IGMP"),
    (3, "GGP"),
    (4, "IPIP"),
    (5, "ST"),
    (6, "TCP"),
    (7, "CBT"),
    (8, "EGP"),
    (9, "IGP"),
    (12, "PUP"),
    (16, "CHAOS"),
    (17, "UDP"),
    (20, "HMP"),
    (22, "IDP"),
    (27, "RDP"),
    (28, "IRTP"),
    (29, "TP4"),
    (33, "DCCP"),
    (36, "XTP"),
    (37, "DDP"),
    (41, "IPv6"),
    (43, "RTHDR6"),
    (44, "FRAG6"),
    (46, "RSVP"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (54, "NARP"),
    (55, "MOBILE"),
    (57, "SKIP"),
    (58, "ICMP6"),
    (59, "NOHE6"),
    (60, "OPTS6"),
    (73, "CPHB"),
    (75, "PVP"),
    (80, "ISO-IP"),
    (88, "EIGRP"),
    (89, "OSPF"),
    (94, "IPNIP"),
    (97, "ETHIP"),
    (98, "ENCAP"),
    (103, "PIM"),
    (108, "IPCOMP"),
    (112, "VRRP"),
    (113, "PGM"),
    (115, "L2TP"),
    (124, "ISIS"),
    (132, "SCTP"),
    (133, "FC"),
    (135, "MH6"),
    (136, "UDPLITE"),
    (137, "MPLS"),
    (138, "MANET"),
    (139, "HIP"),
    (140, "SHIM6"),
    (143, "ETHERNET"),
];

/// Further spellings that are understood on input.
const OTHER_NAMES: &[(u8, &str)] = &[
    (4, "IP-IN-IP"),
    (58, "ICMPv6"),
    (58, "IPv6-ICMP"),
    (43, "IPv6-Route"),
    (44, "IPv6-Frag"),
    (59, "IPv6-NoNxt"),
    (60, "IPv6-Opts"),
    (136, "UDP-Lite"),
    (89, "OSPFIGP"),
    // What nfdump calls protocols that have no name above, or another one.
    (10, "BBN"),
    (11, "NVPII"),
    (13, "ARGUS"),
    (14, "ENCOM"),
    (15, "XNET"),
    (18, "MUX"),
    (19, "DCN"),
    (21, "PRM"),
    (22, "XNS"),
    (23, "Trnk1"),
    (24, "Trnk2"),
    (25, "Leaf1"),
    (26, "Leaf2"),
    (29, "ISO-4"),
    (30, "NETBK"),
    (31, "MFESP"),
    (32, "MEINP"),
    (34, "3PC"),
    (35, "IDPR"),
    (39, "TP++"),
    (40, "IL"),
    (42, "SDRP"),
    (43, "Rte6"),
    (45, "IDRP"),
    (48, "MHRP"),
    (49, "BNA"),
    (52, "INLSP"),
    (53, "SWIPE"),
    (55, "MOBIL"),
    (56, "TLSP"),
    (61, "HOST"),
    (62, "CFTP"),
    (63, "NET"),
    (64, "SATNT"),
    (65, "KLAN"),
    (66, "RVD"),
    (67, "IPPC"),
    (68, "FS"),
    (69, "SATM"),
    (70, "VISA"),
    (71, "IPCV"),
    (72, "CPNX"),
    (74, "WSN"),
    (76, "BSATM"),
    (77, "SUNND"),
    (78, "WBMON"),
    (79, "WBEXP"),
    (80, "ISOIP"),
    (81, "VMTP"),
    (82, "SVMTP"),
    (83, "VINES"),
    (84, "TTP"),
    (85, "NSIGP"),
    (86, "DGP"),
    (87, "TCF"),
    (90, "S-RPC"),
    (91, "LARP"),
    (92, "MTP"),
    (93, "AX.25"),
    (94, "OS"),
    (95, "MICP"),
    (96, "SCCSP"),
    (100, "GMTP"),
    (101, "IFMP"),
    (102, "PNNI"),
    (104, "ARIS"),
    (105, "SCPS"),
    (106, "QNX"),
    (107, "A/N"),
    (108, "IPcmp"),
    (109, "SNP"),
    (110, "CpqPP"),
    (111, "IPXIP"),
    (114, "0hop"),
    (116, "DDX"),
    (117, "IATP"),
    (118, "STP"),
    (119, "SRP"),
    (120, "UTI"),
    (121, "SMP"),
    (122, "SM"),
    (123, "PTP"),
    (124, "ISIS4"),
    (125, "FIRE"),
    (126, "CRTP"),
    (127, "CRUDP"),
    (129, "IPLT"),
    (130, "SPS"),
    (131, "PIPE"),
    (135, "MHEAD"),
    (136, "UDP-L"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_read_back() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (protocol, name) in Protocol::named() {
            assert_eq!(name.to_lowercase().parse(), Ok(protocol));
            assert_eq!(protocol.0.to_string().parse(), Ok(protocol));
        }
        assert_eq!(format!("{:<6}|{:>5}|", Protocol::TCP, Protocol(253)), "TCP   |  253|");
        assert!("256".parse::<Protocol>().is_err());
        assert_eq!((Ok(Protocol(107)), Ok(Protocol(29))), ("a/n".parse(), "TP4".parse()));
    }
}
