//! Three decoders, one answer: the fast path, the full decoder and `etherparse` on frames that `etherparse` built.
//!
//! Spoilt frames (changed, cut, padded) go through the first two only: for them we want more than `etherparse`.

use super::{Flat, Icmp, Packet, Tcp, decode, decode_flat, decode_full, fast, link, tunnel};
use crate::TunnelMode;
use crate::capture::LinkType;
use etherparse::{
    IpFragOffset, IpHeaders, Ipv4Extensions, Ipv4Header, Ipv4Options, Ipv6Extensions, Ipv6FlowLabel,
    Ipv6Header, LaxNetSlice, LaxSlicedPacket, PacketBuilder, TransportSlice, VlanId,
};
use flowcore::{Protocol, TcpFlags};
use proptest::prelude::*;
use std::net::Ipv4Addr;

#[derive(Debug, Clone)]
enum Transport {
    Tcp { ports: (u16, u16), seq: u32, flags: u8, options: Vec<u8> },
    Udp { ports: (u16, u16) },
    Echo { id: u16, reply: bool },
    Other { protocol: u8 },
}

fn any_transport() -> impl Strategy<Value = Transport> {
    let options = (0..=10_usize).prop_map(|words| vec![1; words * 4]);
    prop_oneof![
        (any::<(u16, u16)>(), any::<u32>(), any::<u8>(), options)
            .prop_map(|(ports, seq, flags, options)| Transport::Tcp { ports, seq, flags, options }),
        any::<(u16, u16)>().prop_map(|ports| Transport::Udp { ports }),
        any_tunnel_ports().prop_map(|ports| Transport::Udp { ports }),
        any::<(u16, bool)>().prop_map(|(id, reply)| Transport::Echo { id, reply }),
        prop_oneof![Just(132), Just(47), Just(50), Just(89), Just(136), Just(4), Just(41), Just(115)]
            .prop_map(|protocol| Transport::Other { protocol }),
    ]
}

/// Ports that the fast path leaves to the full decoder where innermost packets are metered.
fn any_tunnel_ports() -> impl Strategy<Value = (u16, u16)> {
    let any_port = prop_oneof![proptest::sample::select(&tunnel::PORTS[..]), any::<u16>()];
    (any_port.clone(), any_port)
}

fn any_v4() -> impl Strategy<Value = IpHeaders> {
    let options = prop_oneof![4 => Just(0), 1 => 1..=10_usize];
    let fragment =
        prop_oneof![4 => Just((0, false)), 1 => (prop_oneof![Just(0), 0..0x2000_u16], any::<bool>())];
    (any::<([u8; 4], [u8; 4], u8, u16)>(), options, fragment, any::<bool>()).prop_map(
        |((source, destination, time_to_live, identification), words, (offset, more), dont_fragment)| {
            let header = Ipv4Header {
                source,
                destination,
                time_to_live,
                identification,
                options: Ipv4Options::try_from(&vec![1; words * 4][..]).unwrap(),
                fragment_offset: IpFragOffset::try_new(offset).unwrap(),
                more_fragments: more,
                dont_fragment,
                ..Default::default()
            };
            IpHeaders::Ipv4(header, Ipv4Extensions::default())
        },
    )
}

fn any_v6() -> impl Strategy<Value = IpHeaders> {
    any::<([u8; 16], [u8; 16], u8, u8)>().prop_map(|(source, destination, traffic_class, hop_limit)| {
        let header = Ipv6Header {
            source,
            destination,
            traffic_class,
            hop_limit,
            flow_label: Ipv6FlowLabel::try_new(0xabcde).unwrap(),
            ..Default::default()
        };
        IpHeaders::Ipv6(header, Ipv6Extensions::default())
    })
}

/// A frame as `etherparse` builds it, with the headers it was built from.
fn build(headers: IpHeaders, vlan: Option<u16>, transport: &Transport, payload: &[u8]) -> Vec<u8> {
    let is_v4 = matches!(headers, IpHeaders::Ipv4(..));
    let ethernet = PacketBuilder::ethernet2([1; 6], [2; 6]);
    let step = match vlan {
        Some(id) => ethernet.single_vlan(VlanId::try_new(id).unwrap()).ip(headers),
        None => ethernet.ip(headers),
    };
    let mut frame = Vec::new();
    match transport {
        Transport::Tcp { ports, seq, flags, options } => {
            let bit = |bit: u8| flags & bit != 0;
            let mut tcp = etherparse::TcpHeader::new(ports.0, ports.1, *seq, 1000);
            (tcp.fin, tcp.syn, tcp.rst, tcp.psh) = (bit(1), bit(2), bit(4), bit(8));
            (tcp.ack, tcp.urg, tcp.ece, tcp.cwr) = (bit(16), bit(32), bit(64), bit(128));
            tcp.set_options_raw(options).unwrap();
            step.tcp_header(tcp).write(&mut frame, payload).unwrap();
        }
        Transport::Udp { ports } => step.udp(ports.0, ports.1).write(&mut frame, payload).unwrap(),
        Transport::Echo { id, reply: false } if is_v4 => {
            step.icmpv4_echo_request(*id, 7).write(&mut frame, payload).unwrap();
        }
        Transport::Echo { id, reply: true } if is_v4 => {
            step.icmpv4_echo_reply(*id, 7).write(&mut frame, payload).unwrap();
        }
        Transport::Echo { id, reply: false } => {
            step.icmpv6_echo_request(*id, 7).write(&mut frame, payload).unwrap();
        }
        Transport::Echo { id, reply: true } => {
            step.icmpv6_echo_reply(*id, 7).write(&mut frame, payload).unwrap();
        }
        Transport::Other { protocol } => {
            step.write(&mut frame, (*protocol).into(), payload).unwrap();
        }
    }
    frame
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let vlan = proptest::option::of(1..4096_u16);
    let headers = prop_oneof![any_v4(), any_v6()];
    let garbage = proptest::collection::vec(any::<u8>(), 0..80);
    let payload = prop_oneof![3 => garbage, 1 => any_inner_packet()];
    (headers, vlan, any_transport(), payload)
        .prop_map(|(headers, vlan, transport, payload)| build(headers, vlan, &transport, &payload))
}

/// A packet, or a frame with one, behind something that may pass for the header of a tunnel.
fn any_inner_packet() -> impl Strategy<Value = Vec<u8>> {
    let inner = (prop_oneof![any_v4(), any_v6()], any_transport())
        .prop_map(|(headers, transport)| build(headers, None, &transport, b"data"));
    let header =
        proptest::sample::select(vec![&[][..], &[8, 0, 0, 0, 0, 0, 1, 0], &[0x30, 255, 0, 60, 0, 0, 0, 1]]);
    (header, inner, any::<bool>()).prop_map(|(header, frame, whole)| {
        let inner = if whole { &frame[..] } else { &frame[14..] };
        [header, inner].concat()
    })
}

/// Frames that lie: bytes of their headers changed, cut or padded.
fn any_spoilt_frame() -> impl Strategy<Value = Vec<u8>> {
    let edits = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4);
    (any_frame(), edits, 0..160_usize).prop_map(|(mut frame, edits, length)| {
        for (at, value) in edits {
            let at = 14 + at.index(frame.len().min(70) - 14);
            frame[at] = value;
        }
        frame.resize(length.max(14), 0);
        frame
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_fast_path_gives_the_full_decoders_answer(frame in any_spoilt_frame(), more in 0..2000_usize) {
        for mode in [TunnelMode::Inner, TunnelMode::Outer] {
            let wire_len = (frame.len() + more) as u32;
            let link = Some(LinkType::ETHERNET);
            let full = decode_full(mode, link, wire_len, &frame);
            if let Some(flat) = decode_flat(mode, link, wire_len, &frame) {
                let full = full.as_ref().unwrap();
                prop_assert_eq!(&at_length(&flat, full), full);
            }
            prop_assert_eq!(decode(mode, link, wire_len, &frame), full);
        }
    }

    #[test]
    fn the_full_decoder_agrees_with_etherparse(frame in any_frame()) {
        let packet = decode_full(TunnelMode::Outer, Some(LinkType::ETHERNET), frame.len() as u32, &frame).unwrap();
        let sliced = LaxSlicedPacket::from_ethernet(&frame).unwrap();
        assert_eq!(packet.macs, Some(([1; 6], [2; 6])));
        assert_eq!(packet.vlan, sliced.vlan_ids().last().map(|id| id.value()));
        same_network(&packet, sliced.net.as_ref().unwrap());
        same_transport(&packet, sliced.transport);
    }
}

/// A packet in numbers as one of any; what numbers do not say is that of `other`.
fn at_length(flat: &Flat, other: &Packet) -> Packet {
    let addr = |end: u64| Ipv4Addr::from((end >> 16) as u32).into();
    let &Flat { ends: [src, dst], protocol, ip_bytes, tos, ttl, seq, ack, payload_len, flags, macs, notes } =
        flat;
    let tcp = Tcp { flags: TcpFlags(flags), seq, ack, payload_len: payload_len.into() };
    Packet {
        ports: Some((src as u16, dst as u16)),
        tos,
        ttl,
        tcp: (protocol == Protocol::TCP).then_some(tcp),
        macs: Some((macs[0], macs[1])),
        notes,
        ip_at: other.ip_at,
        payload_at: other.payload_at,
        ..Packet::new(addr(src), addr(dst), protocol, ip_bytes.into())
    }
}

fn fast_path(ip: &[u8]) -> Option<Packet> {
    fast::decode(TunnelMode::Inner, &link::network(LinkType::RAW, ip).unwrap(), ip.len())
}

fn same_network(packet: &Packet, net: &LaxNetSlice<'_>) {
    let fragmented = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            assert_eq!(
                (packet.src, packet.dst),
                (header.source_addr().into(), header.destination_addr().into())
            );
            assert_eq!((packet.ip_bytes, packet.ttl), (header.total_len().into(), header.ttl()));
            assert_eq!(packet.tos, header.dcp().value() << 2 | header.ecn().value());
            assert_eq!(packet.protocol.0, ip.payload_ip_number().0);
            ip.is_payload_fragmented()
        }
        LaxNetSlice::Ipv6(ip) => {
            let header = ip.header();
            assert_eq!(
                (packet.src, packet.dst),
                (header.source_addr().into(), header.destination_addr().into())
            );
            assert_eq!(packet.ip_bytes, u32::from(header.payload_length()) + 40);
            assert_eq!((packet.tos, packet.ttl), (header.traffic_class(), header.hop_limit()));
            assert_eq!(packet.protocol.0, ip.payload().ip_number.0);
            ip.is_payload_fragmented()
        }
        LaxNetSlice::Arp(_) => panic!("no ARP was built"),
    };
    assert_eq!(packet.fragment.is_some(), fragmented);
}

/// `etherparse` looks into no fragment, we into the first one.
fn same_transport(packet: &Packet, transport: Option<TransportSlice<'_>>) {
    match transport {
        Some(TransportSlice::Tcp(tcp)) => {
            assert_eq!(packet.ports, Some((tcp.source_port(), tcp.destination_port())));
            let flags = TcpFlags(tcp.slice()[13]);
            let payload_len = tcp.payload().len() as u32;
            assert_eq!(
                packet.tcp,
                Some(Tcp {
                    flags,
                    seq: tcp.sequence_number(),
                    ack: tcp.acknowledgment_number(),
                    payload_len
                })
            );
        }
        Some(TransportSlice::Udp(udp)) => {
            assert_eq!(packet.ports, Some((udp.source_port(), udp.destination_port())));
        }
        Some(TransportSlice::Icmpv4(icmp)) => {
            assert_eq!(packet.icmp, Some(echo(icmp.type_u8(), icmp.code_u8(), icmp.bytes5to8())));
        }
        Some(TransportSlice::Icmpv6(icmp)) => {
            assert_eq!(packet.icmp, Some(echo(icmp.type_u8(), icmp.code_u8(), icmp.bytes5to8())));
        }
        _ if packet.fragment.is_none() => assert_eq!((packet.tcp, packet.icmp), (None, None)),
        _ => {}
    }
}

fn echo(kind: u8, code: u8, [i0, i1, ..]: [u8; 4]) -> Icmp {
    Icmp { kind, code, id: Some(u16::from_be_bytes([i0, i1])) }
}

#[test]
fn ordinary_packets_take_the_fast_path() {
    let ports = (1000, 80);
    let v4 = || IpHeaders::Ipv4(Ipv4Header::default(), Ipv4Extensions::default());
    let v6 = || IpHeaders::Ipv6(Ipv6Header::default(), Ipv6Extensions::default());
    for transport in [
        Transport::Tcp { ports, seq: 1, flags: 2, options: vec![1; 12] },
        Transport::Udp { ports },
        Transport::Echo { id: 7, reply: false },
        Transport::Other { protocol: 132 },
    ] {
        for headers in [v4(), v6()] {
            let is_flat = matches!(headers, IpHeaders::Ipv4(..))
                && matches!(transport, Transport::Tcp { .. } | Transport::Udp { .. });
            let mut frame = build(headers, None, &transport, &[0; 40]);
            let flat = |frame: &[u8]| decode_flat(TunnelMode::Inner, Some(LinkType::ETHERNET), 2000, frame);
            assert_eq!(flat(&frame).is_some(), is_flat, "{transport:?}");
            assert!(fast_path(&frame[14..]).is_some(), "{transport:?}");
            frame.extend([0; 10]);
            assert!(fast_path(&frame[14..]).is_some(), "{transport:?} with padding");
            frame.truncate(frame.len() - 30);
            assert!(fast_path(&frame[14..]).is_some(), "{transport:?} cut");
            assert_eq!(flat(&frame).is_some(), is_flat, "{transport:?} cut");
        }
    }
}
