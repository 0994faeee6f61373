//! Tunnels with an IP protocol number of their own: IP, Ethernet and MPLS in IP; and where GRE and L2TP begin.

use flowcore::Protocol;

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind, gre, l2tp};

/// What an IP packet of this protocol carries, if it is a tunnel.
pub(super) fn open(protocol: Protocol, data: Segment<'_>) -> Option<Inside<'_>> {
    let inside = |kind, layer, data| Some(Inside { kind, id: None, layer, data });
    match protocol.0 {
        IPV4 | IPIP if has_version(4, data) => inside(TunnelKind::IpInIp, Layer::Ip, data),
        IPV6 if has_version(6, data) => inside(TunnelKind::IpInIp, Layer::Ip, data),
        GRE => gre::open(data),
        ETHER_IP => inside(TunnelKind::EtherIp, Layer::Ethernet, ether_ip(data)?),
        L2TP => l2tp::over_ip(data),
        MPLS => inside(TunnelKind::Mpls, Layer::EtherType(0x8847), data),
        ETHERNET => inside(TunnelKind::Ethernet, Layer::Ethernet, data),
        _ => None,
    }
}

fn has_version(version: u8, data: Segment<'_>) -> bool {
    data.bytes.first().is_some_and(|byte| byte >> 4 == version)
}

/// Version 3 and twelve bits that are 0 (RFC 3378).
fn ether_ip(data: Segment<'_>) -> Option<Segment<'_>> {
    let (header, frame) = data.split::<2>()?;
    (*header == [0x30, 0]).then_some(frame)
}

const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
/// The number that IP-in-IP had before RFC 2003, still used by amateur packet radio.
const IPIP: u8 = 94;
const ETHER_IP: u8 = 97;
const L2TP: u8 = 115;
const MPLS: u8 = 137;
const ETHERNET: u8 = 143;

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    #[test]
    fn ip_in_ip_in_any_pairing() {
        let (v4, v6) = (build::inner_v4(), build::inner_v6());
        for (protocol, inner, other) in [(IPV4, &v4, &v6), (IPIP, &v4, &v6), (IPV6, &v6, &v4)] {
            for outer in [build::v4(protocol, inner), build::v6(protocol, inner)] {
                let packet = build::found(&outer, TunnelKind::IpInIp, None);
                assert_eq!(packet.src.is_ipv6(), protocol == IPV6);
                assert_eq!(packet.ip_bytes as usize, inner.len());
            }
            build::left_alone(&build::v4(protocol, other));
        }
    }

    #[test]
    fn ethernet_and_mpls_in_ip() {
        let frame = build::ethernet(0x0800, &build::inner_v4());
        build::found(&build::v4(ETHER_IP, &[&[0x30, 0], &frame[..]].concat()), TunnelKind::EtherIp, None);
        build::left_alone(&build::v4(ETHER_IP, &[&[0x40, 0], &frame[..]].concat()));
        build::left_alone(&build::v4(ETHER_IP, &[0x30]));
        build::found(&build::v6(ETHERNET, &frame), TunnelKind::Ethernet, None);
        let labels = [&[0, 1, 0, 64, 0, 2, 1, 64][..], &build::inner_v4()].concat();
        build::found(&build::v4(MPLS, &labels), TunnelKind::Mpls, None);
    }

    #[test]
    fn a_packet_that_lies_about_its_length_is_still_what_its_carrier_says() {
        let mut inner = build::inner_v4();
        inner[2..4].copy_from_slice(&1500_u16.to_be_bytes());
        assert_eq!(build::found(&build::v4(IPV4, &inner), TunnelKind::IpInIp, None).ip_bytes, 1500);
    }

    #[test]
    fn what_is_no_tunnel() {
        let inner = build::inner_v4();
        build::left_alone(&build::v4(IPV4, &inner[..19]));
        build::left_alone(&build::v4(IPV4, &[0x55; 40]));
        build::left_alone(&build::v4(IPV6, &[]));
        // Minimal Encapsulation, ESP, IPComp.
        for protocol in [55, 50, 108] {
            build::left_alone(&build::v4(protocol, &inner));
        }
        // The packet that an ICMP error is about.
        build::left_alone(&build::v4(1, &[&[3, 1, 0, 0, 0, 0, 0, 0], &inner[..]].concat()));
        build::left_alone(&build::v6(58, &[&[1, 0, 0, 0, 0, 0, 0, 0], &build::inner_v6()[..]].concat()));
    }
}
