//! Places, names and times of the laboratory. Public addresses are those set aside for documentation (RFC 5737,
//! RFC 3849) and benchmarks (RFC 2544).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::capture::Frame;
use crate::packet::Link;
use crate::vpclog::Interface;

/// The web server that is attacked; the capture was made there.
pub const VICTIM: IpAddr = v4(10, 77, 4, 20);
/// The attacker.
pub const ATTACKER: IpAddr = v4(203, 0, 113, 66);
/// A customer whose address is the beginning of the attacker's.
pub const LOOKALIKE: IpAddr = v4(203, 0, 113, 6);
/// Bytes kept of each frame in the committed capture.
pub const SNAP: u32 = 96;

/// The victim's other address.
pub(super) const VICTIM6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x77, 4, 0, 0, 0, 0x20));
/// Another server of the same network.
pub(super) const OFFICE: IpAddr = v4(10, 77, 4, 21);
/// The database behind both servers.
pub(super) const DATABASE: IpAddr = v4(10, 77, 5, 31);
/// The name server of the network: not the provider's, whose traffic is never logged.
pub(super) const RESOLVER: IpAddr = v4(10, 77, 0, 53);
/// A jump host that nobody uses in this time; only scanners find it.
pub(super) const BASTION: IpAddr = v4(10, 77, 1, 9);
/// A time server on the internet.
pub(super) const TIME_SERVER: IpAddr = v4(198, 18, 0, 123);

pub(super) const VICTIM_MAC: [u8; 6] = [0x0a, 0x5c, 0x31, 0x77, 0x04, 0x20];
pub(super) const ROUTER_MAC: [u8; 6] = [0x0a, 0x5c, 0x31, 0x77, 0x04, 0x01];
const ROUTER: [u8; 4] = [10, 77, 4, 1];

/// 2024-03-12 14:00 UTC, in seconds since 1970.
pub(super) const START: u64 = 1_710_252_000;
/// Half past four the same day: nothing happens from here on.
pub(super) const END: u64 = START + 150 * 60;
/// Seconds that a log file covers.
pub(super) const SLOT: u64 = 300;

pub(super) const FLOW_LOG: &str = "fl-0c5d1e9ab37f4420d";
pub(super) const COLUMNS: &[&str] = &[
    "version",
    "region",
    "account-id",
    "instance-id",
    "interface-id",
    "type",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "bytes",
    "packets",
    "tcp-flags",
    "start",
    "end",
    "action",
    "log-status",
    "flow-direction",
    "traffic-path",
];

pub(super) const VICTIM_INTERFACE: Interface = interface("eni-0a4be1f6c2d39788e", "i-0d97c04ab15e3f628");
const OFFICE_INTERFACE: Interface = interface("eni-0b15f70d83ac6e294", "i-07a3b9e41fc0d5862");
const DATABASE_INTERFACE: Interface = interface("eni-0c8820e5d4f71a3b6", "-");
const RESOLVER_INTERFACE: Interface = interface("eni-0d61c9b2a0e45f378", "i-02e8f41c7d90ab356");
const BASTION_INTERFACE: Interface = interface("eni-0e3f9a5178bd20c64", "i-0f5c6d2b8e13794a0");

/// Every watched interface.
pub(super) const INTERFACES: [Interface; 5] =
    [VICTIM_INTERFACE, OFFICE_INTERFACE, DATABASE_INTERFACE, RESOLVER_INTERFACE, BASTION_INTERFACE];

/// The watched interface with this address.
pub(super) fn interface_of(addr: IpAddr) -> Option<Interface> {
    match addr {
        _ if is_victim(addr) => Some(VICTIM_INTERFACE),
        OFFICE => Some(OFFICE_INTERFACE),
        DATABASE => Some(DATABASE_INTERFACE),
        RESOLVER => Some(RESOLVER_INTERFACE),
        BASTION => Some(BASTION_INTERFACE),
        _ => None,
    }
}

/// Whether this is one of the victim's addresses.
pub(super) fn is_victim(addr: IpAddr) -> bool {
    addr == VICTIM || addr == VICTIM6
}

/// The router asks for the victim, the victim answers: frames without IP.
pub(super) fn arp_exchange(at: u64) -> [Frame; 2] {
    let IpAddr::V4(victim) = VICTIM else { unreachable!("the victim's first address is IPv4") };
    let arp = |operation, src_mac: [u8; 6], src: [u8; 4], dst_mac: [u8; 6], dst: [u8; 4]| {
        [&[0, 1, 8, 0, 6, 4, 0, operation][..], &src_mac, &src, &dst_mac, &dst].concat()
    };
    let ask = arp(1, ROUTER_MAC, ROUTER, [0; 6], victim.octets());
    let answer = arp(2, VICTIM_MAC, victim.octets(), ROUTER_MAC, ROUTER);
    let to_all = Link { src: ROUTER_MAC, dst: [0xff; 6], vlans: Vec::new() };
    let back = Link { src: VICTIM_MAC, dst: ROUTER_MAC, vlans: Vec::new() };
    let time = at * 1_000_000_000;
    [
        Frame { time: time + 411_000, bytes: to_all.frame(0x0806, &ask) },
        Frame { time: time + 438_000, bytes: back.frame(0x0806, &answer) },
    ]
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn interface(id: &'static str, instance: &'static str) -> Interface {
    Interface { id, instance, account: "123456789012", region: "eu-central-1" }
}
