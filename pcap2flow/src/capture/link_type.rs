//! What the first byte of a frame belongs to.

use std::fmt;

/// A LINKTYPE number (<https://www.tcpdump.org/linktypes.html>).
///
/// Only the 16 bits of the number: the upper half of a pcap header's word (length of the frame check sequence and
/// reserved bits) is left off. Numbers above are snoop's datalink types that have no LINKTYPE number, plus 65536.
///
/// ```
/// use pcap2flow::capture::LinkType;
/// assert_eq!(LinkType::USB_LINUX.to_string(), "189 (USB_LINUX)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// Stands for a snoop datalink type that has no LINKTYPE number, so that its frames are skipped by name.
    pub(super) const fn from_snoop(datalink: u32) -> Self {
        Self(datalink.saturating_add(FIRST_SNOOP))
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.checked_sub(FIRST_SNOOP), self.name()) {
            (Some(datalink), _) => write!(f, "snoop {datalink}"),
            (None, Some(name)) => write!(f, "{} ({name})", self.0),
            (None, None) => self.0.fmt(f),
        }
    }
}

/// Makes a constant of each entry, and the name of each constant known at run time.
macro_rules! link_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        impl LinkType {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name of the number, without "LINKTYPE_", if it is a common one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

link_types! {
    /// BSD loopback, protocol family in the byte order of the capturing host.
    NULL = 0,
    /// Ethernet.
    ETHERNET = 1,
    /// AX.25 packet radio; not read.
    AX25 = 3,
    /// Token Ring.
    IEEE802_5 = 6,
    /// ARCNET with RFC 1201 headers, as BSD captures it.
    ARCNET_BSD = 7,
    /// SLIP, with a header of 16 bytes.
    SLIP = 8,
    /// PPP, with or without HDLC framing; some writers use it for Cisco HDLC too.
    PPP = 9,
    /// FDDI.
    FDDI = 10,
    /// LLC/SNAP on ATM, under the number that some systems use in files.
    ATM_RFC1483_BSD = 11,
    /// Raw IP under a number that some systems use in files instead of [`RAW`](Self::RAW).
    RAW_BSD = 12,
    /// Raw IP under OpenBSD's number.
    RAW_OPENBSD = 14,
    /// Classical IP over ATM, under the number that some systems use in files.
    ATM_CLIP_BSD = 19,
    /// PPP in HDLC framing, or Cisco HDLC.
    PPP_HDLC = 50,
    /// PPPoE, session packets only, without the Ethernet header.
    PPP_ETHER = 51,
    /// Symantec Enterprise Firewall; not read.
    SYMANTEC_FIREWALL = 99,
    /// LLC/SNAP on ATM.
    ATM_RFC1483 = 100,
    /// Raw IP, IPv4 or IPv6.
    RAW = 101,
    /// Cisco HDLC.
    C_HDLC = 104,
    /// IEEE 802.11.
    IEEE802_11 = 105,
    /// Classical IP over ATM, as Linux captures it.
    ATM_CLIP = 106,
    /// Frame relay.
    FRELAY = 107,
    /// OpenBSD loopback, protocol family in network byte order.
    LOOP = 108,
    /// OpenBSD's IPsec interface.
    ENC = 109,
    /// Linux "cooked" capture (`-i any`), version 1.
    LINUX_SLL = 113,
    /// Apple LocalTalk; not read.
    LTALK = 114,
    /// OpenBSD's packet filter log.
    PFLOG = 117,
    /// IEEE 802.11 behind a Prism header.
    IEEE802_11_PRISM = 119,
    /// IP over Fibre Channel (RFC 2625).
    IP_OVER_FC = 122,
    /// ATM with SunATM's header.
    SUNATM = 123,
    /// IEEE 802.11 behind a radiotap header.
    IEEE802_11_RADIOTAP = 127,
    /// ARCNET as Linux captures it.
    ARCNET_LINUX = 129,
    /// Juniper, multilink PPP.
    JUNIPER_MLPPP = 130,
    /// Juniper, multilink frame relay; not read.
    JUNIPER_MLFR = 131,
    /// Juniper, encryption services; not read.
    JUNIPER_ES = 132,
    /// Juniper, GGSN services.
    JUNIPER_GGSN = 133,
    /// Juniper, multilink frame relay (FRF.16); not read.
    JUNIPER_MFR = 134,
    /// Juniper, ATM on the second kind of card.
    JUNIPER_ATM2 = 135,
    /// Juniper, services.
    JUNIPER_SERVICES = 136,
    /// Juniper, ATM on the first kind of card.
    JUNIPER_ATM1 = 137,
    /// Apple's IP over IEEE 1394 (FireWire).
    APPLE_IP_OVER_IEEE1394 = 138,
    /// SS7 MTP2 with a pseudo-header; not read.
    MTP2_WITH_PHDR = 139,
    /// SS7 MTP2; not read.
    MTP2 = 140,
    /// SS7 MTP3; not read.
    MTP3 = 141,
    /// SS7 SCCP; not read.
    SCCP = 142,
    /// DOCSIS MAC frames.
    DOCSIS = 143,
    /// IrDA; not read.
    LINUX_IRDA = 144,
    /// For private use; not read.
    USER0 = 147,
    /// For private use; not read.
    USER1 = 148,
    /// For private use; not read.
    USER2 = 149,
    /// For private use; not read.
    USER3 = 150,
    /// IEEE 802.11 behind an AVS header.
    IEEE802_11_AVS = 163,
    /// Juniper, passive monitoring.
    JUNIPER_MONITOR = 164,
    /// BACnet MS/TP; not read.
    BACNET_MS_TP = 165,
    /// PPP as Linux' pppd logs it: a direction, then the frame.
    PPP_PPPD = 166,
    /// Juniper, PPPoE.
    JUNIPER_PPPOE = 167,
    /// Juniper, PPPoE on ATM.
    JUNIPER_PPPOE_ATM = 168,
    /// Juniper, Ethernet.
    JUNIPER_ETHER = 178,
    /// Juniper, PPP.
    JUNIPER_PPP = 179,
    /// Juniper, frame relay.
    JUNIPER_FRELAY = 180,
    /// Juniper, Cisco HDLC.
    JUNIPER_CHDLC = 181,
    /// Multilink frame relay (FRF.16.1).
    MFR = 182,
    /// Juniper, voice; not read.
    JUNIPER_VP = 183,
    /// USB as FreeBSD captures it; not read.
    USB_FREEBSD = 186,
    /// Bluetooth HCI; not read.
    BLUETOOTH_HCI_H4 = 187,
    /// USB as Linux captures it; not read.
    USB_LINUX = 189,
    /// Per-packet information, then a frame of the link type that it names.
    PPI = 192,
    /// IEEE 802.15.4; not read.
    IEEE802_15_4_WITHFCS = 195,
    /// Bluetooth HCI with a direction; not read.
    BLUETOOTH_HCI_H4_WITH_PHDR = 201,
    /// A direction, then PPP.
    PPP_WITH_DIR = 204,
    /// A direction, then Cisco HDLC.
    C_HDLC_WITH_DIR = 205,
    /// A direction, then frame relay.
    FRELAY_WITH_DIR = 206,
    /// IEEE 802.15.4 with its physical layer; not read.
    IEEE802_15_4_NONASK_PHY = 215,
    /// USB as Linux captures it, with a longer header; not read.
    USB_LINUX_MMAPPED = 220,
    /// Solaris' IP observability.
    IPNET = 226,
    /// CAN bus; not read.
    CAN_SOCKETCAN = 227,
    /// Raw IPv4.
    IPV4 = 228,
    /// Raw IPv6.
    IPV6 = 229,
    /// IEEE 802.15.4 without a frame check sequence; not read.
    IEEE802_15_4_NOFCS = 230,
    /// D-Bus messages; not read.
    DBUS = 231,
    /// Linux netfilter log.
    NFLOG = 239,
    /// Hilscher netANALYZER, Ethernet.
    NETANALYZER = 240,
    /// Hilscher netANALYZER, Ethernet with its preamble.
    NETANALYZER_TRANSPARENT = 241,
    /// IP over InfiniBand.
    IPOIB = 242,
    /// MPEG-2 transport stream; not read.
    MPEG_2_TS = 243,
    /// InfiniBand; not read.
    INFINIBAND = 247,
    /// SCTP without IP; not read.
    SCTP = 248,
    /// USB as Windows captures it; not read.
    USBPCAP = 249,
    /// Bluetooth low energy; not read.
    BLUETOOTH_LE_LL = 251,
    /// Payloads exported by Wireshark; not read.
    WIRESHARK_UPPER_PDU = 252,
    /// Linux netlink; not read.
    NETLINK = 253,
    /// Bluetooth as Linux captures it; not read.
    BLUETOOTH_LINUX_MONITOR = 254,
    /// Bluetooth low energy with a pseudo-header; not read.
    BLUETOOTH_LE_LL_WITH_PHDR = 256,
    /// Apple's packet tap: a header, then a frame of the link type that it names.
    PKTAP = 258,
    /// Ethernet passive optical network, with its preamble.
    EPON = 259,
    /// USB as macOS captures it; not read.
    USB_DARWIN = 266,
    /// Linux vsock; not read.
    VSOCK = 271,
    /// Bluetooth low energy of Nordic's sniffer; not read.
    NORDIC_BLE = 272,
    /// Ethernet frames that may be interrupted (IEEE 802.3br), with their preamble.
    ETHERNET_MPACKET = 274,
    /// Linux "cooked" capture (`-i any`), version 2.
    LINUX_SLL2 = 276,
    /// Ethernet with the tag of Broadcom's switches behind the addresses.
    DSA_TAG_BRCM = 281,
    /// Ethernet with the tag of Broadcom's switches in front.
    DSA_TAG_BRCM_PREPEND = 282,
    /// IEEE 802.15.4 with a header of properties; not read.
    IEEE802_15_4_TAP = 283,
    /// Ethernet with the tag of Marvell's switches.
    DSA_TAG_DSA = 284,
    /// Ethernet with the tag of Marvell's switches and an EtherType for it.
    DSA_TAG_EDSA = 285,
    /// USB 2.0 packets; not read.
    USB_2_0 = 288,
    /// Windows event tracing; not read.
    ETW = 290,
}

/// What stands for snoop's datalink type 0; pcap and pcapng have 16 bits for a link type.
const FIRST_SNOOP: u32 = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_their_names() {
        assert_eq!(LinkType(0).to_string(), "0 (NULL)");
        assert_eq!(LinkType::CAN_SOCKETCAN.to_string(), "227 (CAN_SOCKETCAN)");
        assert_eq!(LinkType(65535).to_string(), "65535");
        assert_eq!(LinkType::from_snoop(1).to_string(), "snoop 1");
        assert_eq!(LinkType::from_snoop(u32::MAX).to_string(), "snoop 4294901759");
    }
}
