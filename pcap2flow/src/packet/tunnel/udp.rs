//! Tunnels over UDP: which ports may be one, and whose header is read then.

use super::super::link::Layer;
use super::super::transport::Segment;
use super::{Inside, TunnelKind, gre, gtp, ip, l2tp, mirror, overlay, teredo};

/// Reads a tunnel header; `None` if it is none after all.
type Parser = for<'a> fn(Segment<'a>) -> Option<Inside<'a>>;

/// Whether UDP packets between these ports may be a tunnel. Every packet is asked, and next to none is one.
#[inline(always)]
pub(in super::super) fn is_udp_tunnel(src: u16, dst: u16) -> bool {
    (may_be_tunnel(src) | may_be_tunnel(dst)) && (parser_of(src).is_some() || parser_of(dst).is_some())
}

/// What a UDP packet between these ports may carry, the likeliest first.
///
/// Either end may have the tunnel's port: answers come from it, and some ends use it for both. The destination is
/// asked first, since many tunnels spread flows by their source port; that port may be another tunnel's by chance.
pub(super) fn open(src: u16, dst: u16, data: Segment<'_>) -> impl Iterator<Item = Inside<'_>> {
    let ports = [Some(dst), (src != dst).then_some(src)];
    ports.into_iter().flatten().filter_map(move |port| parser_of(port)?(data))
}

fn parser_of(port: u16) -> Option<Parser> {
    TUNNELS.iter().find(|(number, _)| *number == port).map(|&(_, parser)| parser)
}

/// Whether a port's bit is set in [`BITMAP`]: it is that of a tunnel, or one of the few that share their bit with it.
#[inline(always)]
fn may_be_tunnel(port: u16) -> bool {
    let (word, bit) = bit_of(port);
    BITMAP[word] & bit != 0
}

#[inline(always)]
const fn bit_of(port: u16) -> (usize, u64) {
    (port as usize / 64 % BITMAP_WORDS, 1 << (port % 64))
}

/// MPLS in UDP (RFC 7510).
fn mpls(data: Segment<'_>) -> Option<Inside<'_>> {
    Some(Inside { kind: TunnelKind::Mpls, id: None, layer: Layer::EtherType(0x8847), data })
}

/// Generic UDP Encapsulation: variant 1 is IP as it is, told by the version, variant 0 has a header of four bytes and
/// as many words as it says, and an IP protocol number (draft-ietf-intarea-gue-09 §3).
fn gue(data: Segment<'_>) -> Option<Inside<'_>> {
    const CONTROL: u8 = 0x20;
    let first = *data.bytes.first()?;
    if first >> 6 == 1 {
        return Some(Inside { kind: TunnelKind::Gue, id: None, layer: Layer::Ip, data });
    }
    let (&[_, protocol, ..], rest) = data.split::<4>()?;
    if first >> 6 != 0 || first & CONTROL != 0 {
        return None;
    }
    let inside = ip::open(flowcore::Protocol(protocol), rest.skip(usize::from(first & 0x1f) * 4)?)?;
    Some(Inside { kind: TunnelKind::Gue, id: None, ..inside })
}

/// All ports that are looked at.
const TUNNELS: [(u16, Parser); 14] = [
    (1701, l2tp::over_udp),
    (2152, gtp::version_1),
    (3386, gtp::version_0),
    (3544, teredo::open),
    (4341, overlay::lisp),
    (4754, gre::open),
    (4789, overlay::vxlan),
    (4790, overlay::vxlan_gpe),
    (5247, mirror::capwap),
    (6080, gue),
    (6081, overlay::geneve),
    (6635, mpls),
    (8472, overlay::vxlan),
    (37008, mirror::tzsp),
];

/// One bit for each port modulo 1024: two cache lines that leave one port in a hundred to be looked up.
static BITMAP: [u64; BITMAP_WORDS] = {
    let mut bitmap = [0; BITMAP_WORDS];
    let mut at = 0;
    while at < TUNNELS.len() {
        let (word, bit) = bit_of(TUNNELS[at].0);
        bitmap[word] |= bit;
        at += 1;
    }
    bitmap
};
const BITMAP_WORDS: usize = 16;

/// The ports alone.
#[cfg(test)]
pub(in super::super) const PORTS: [u16; 14] =
    [1701, 2152, 3386, 3544, 4341, 4754, 4789, 4790, 5247, 6080, 6081, 6635, 8472, 37008];

#[cfg(test)]
mod tests {
    use super::super::build::{self, INNER_BYTES};
    use super::*;

    #[test]
    fn gue_of_both_variants() {
        let (v4, v6) = (build::inner_v4(), build::inner_v6());
        let gue = |header: &[u8], payload: &[u8]| build::v4_udp(40_000, 6080, &[header, payload].concat());
        build::found(&gue(&[], &v4), TunnelKind::Gue, None);
        build::found(&gue(&[], &v6), TunnelKind::Gue, None);
        build::found(&gue(&[0, 4, 0, 0], &v4), TunnelKind::Gue, None);
        build::found(&gue(&[2, 41, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8], &v6), TunnelKind::Gue, None);
        build::found(&gue(&[0, 47, 0, 0, 0x20, 0, 8, 0, 0, 0, 0, 1], &v4), TunnelKind::Gue, None);
        // Control, TCP, another variant, a header longer than the packet.
        for header in [[0x20, 4, 0, 0], [0, 6, 0, 0], [0x80, 4, 0, 0], [0x1f, 4, 0, 0]] {
            build::left_alone(&gue(&header, &v4));
        }
    }

    #[test]
    fn gre_and_mpls_in_udp() {
        let v4 = build::inner_v4();
        let gre = [&[0x20, 0, 8, 0, 0, 0, 0, 5], &v4[..]].concat();
        build::found(&build::v4_udp(40_000, 4754, &gre), TunnelKind::Gre, Some(5));
        let labels = [&[0, 1, 1, 64], &v4[..]].concat();
        build::found(&build::v4_udp(40_000, 6635, &labels), TunnelKind::Mpls, None);
    }

    #[test]
    fn either_end_names_the_tunnel() {
        for port in PORTS {
            assert!(is_udp_tunnel(port, 40_000) && is_udp_tunnel(40_000, port), "{port}");
        }
        assert_eq!((0..=u16::MAX).filter(|&port| is_udp_tunnel(port, 40_000)).count(), PORTS.len());
        assert!((0..=u16::MAX).filter(|&port| may_be_tunnel(port)).count() <= PORTS.len() * 64);
        // The destination's header is the one to be read.
        let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0], &build::ethernet(0x0800, &build::inner_v4())[..]].concat();
        build::found(&build::v4_udp(2152, 4789, &vxlan), TunnelKind::Vxlan, Some(1));
        build::found(&build::v4_udp(4789, 40_000, &vxlan), TunnelKind::Vxlan, Some(1));
    }

    #[test]
    fn the_source_port_is_asked_where_the_destination_port_leads_nowhere() {
        let gtp = [&[0x30, 255, 0, INNER_BYTES as u8, 0, 0, 0, 77], &build::inner_v4()[..]].concat();
        // LISP, for one, would take these bytes for its own.
        for other in [3544, 4789, 6080, 6081, 37008] {
            build::found(&build::v4_udp(2152, other, &gtp), TunnelKind::GtpU, Some(77));
            build::found(&build::v4_udp(other, 2152, &gtp), TunnelKind::GtpU, Some(77));
        }
        build::left_alone(&build::v4_udp(4789, 4790, &gtp));
    }

    #[test]
    fn a_port_alone_makes_no_tunnel() {
        let v4 = build::inner_v4();
        let gtp =
            |inner: &[u8]| build::v4_udp(2152, 2152, &[&[0x30, 255, 0, 100, 0, 0, 0, 1], inner].concat());
        build::found(&gtp(&v4), TunnelKind::GtpU, Some(1));
        for (at, value) in [(0, 0x55), (0, 0x44), (2, 0xff), (3, 19)] {
            let mut inner = v4.clone();
            inner[at] = value;
            build::left_alone(&gtp(&inner));
        }
        // A length that is left to offload is no lie.
        let mut inner = v4.clone();
        inner[2..4].fill(0);
        build::found(&gtp(&inner), TunnelKind::GtpU, Some(1));
    }
}
