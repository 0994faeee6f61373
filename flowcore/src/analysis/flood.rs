//! Floods: far more packets or connections to one service in a short time than it answers.
//!
//! What is looked at is the target, as sources of a flood may be made up: a host, protocol and port; of UDP and ICMP
//! also all ports of a host together. Only **vain** connections count: those that got no answer, were refused, or got
//! next to nothing for what they sent. A download, a film or a busy server has answers and is none, however large.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::crossing::{Times, seconds, service_words};
use super::finding::{Group, Said};
use super::{Connection, Criteria, Detector, Finding, Hosts, Part};
use crate::aggregate::ConnState;
use crate::record::{Addr, NANOS_PER_SEC, Protocol, TcpFlags, Timestamp};

/// When vain packets are a flood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloodOptions {
    /// Packets per second to a TCP service at the peak. 200: clients of a server that is down come to tens.
    pub tcp_rate: f64,
    /// To a UDP service, or to all UDP ports of a host. 2000: a camera that nobody answers sends 1000.
    pub udp_rate: f64,
    /// Of ICMP, answered or not. 500: monitoring sends some per second.
    pub icmp_rate: f64,
    /// To a broadcast address. 50: a network of hundreds of hosts that starts up again asks for 30 leases per second.
    pub broadcast_rate: f64,
    /// Packets to one service in all, broadcast apart. 5000: less is a burst of retries.
    pub min_packets: u64,
    /// Packets to a broadcast address in all. 1000: some times those of a start of the whole network.
    pub min_broadcast: u64,
    /// Packets to all ports of a host in all. 200000: a scan of every port three times over has fewer.
    pub min_all_ports: u64,
    /// Packets sent for each one that came back, over UDP. 20: receivers of streams acknowledge every second to tenth.
    pub min_ratio: f64,
    /// Servers that leases of addresses are asked for at the same time, within [`window`](Self::window). 20: a network has
    /// a few, and all of its hosts ask the same ones.
    pub lease_servers: usize,
    /// Seconds that the packets of a connection are spread over at least, to tell the rate. 10: logs round times to
    /// seconds, and a burst of one second is no flood.
    pub window: u32,
}

impl Default for FloodOptions {
    fn default() -> Self {
        Self {
            tcp_rate: 200.0,
            udp_rate: 2000.0,
            icmp_rate: 500.0,
            broadcast_rate: 50.0,
            min_packets: 5000,
            min_broadcast: 1000,
            min_all_ports: 200_000,
            min_ratio: 20.0,
            lease_servers: 20,
            window: 10,
        }
    }
}

/// Where streams over UDP are agreed on, besides their own port: RTSP, SIP with and without TLS.
const CONTROL: [u16; 3] = [554, 5060, 5061];
/// A vain TCP connection has no more packets, if it got beyond the first SYN and its repetitions.
const FEW: u64 = 10;
/// Bytes of a packet of TCP without content.
const EMPTY: u64 = 80;

/// Floods of a service, a host or a network, the one with the highest rate first. Connections from and to `allowed`
/// hosts are left out. The source is the one that sent most, if that is half of all at least, or else
/// [unknown](Addr::Unknown).
///
/// ```
/// use flowcore::analysis::{Connection, FloodOptions, Hosts, floods};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "0.0.0.0".parse()?);
/// batch.set_addr(Field::DstAddr, "255.255.255.255".parse()?);
/// for (field, number) in [(Field::Protocol, 17), (Field::DstPort, 67), (Field::InPackets, 90_000)] {
///     batch.set_number(field, number);
/// }
/// batch.end_row();
/// let found = floods(&[Connection::of(&batch, 0)], &FloodOptions::default(), &Hosts::new([]));
/// assert_eq!(found[0].criteria.to_string(), "src ip 0.0.0.0 and dst ip 255.255.255.255 and proto 17 and dst port 67");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn floods(connections: &[Connection], options: &FloodOptions, allowed: &Hosts) -> Vec<Finding> {
    let agreed = Agreed::of(connections);
    let mut targets: BTreeMap<Target, Group<'_>> = BTreeMap::new();
    for one in connections {
        let is_left_out =
            [one.src, one.dst].iter().any(|&end| allowed.contains(end)) || is_multicast(one.dst);
        let Some(target) = Target::of(one).filter(|_| !is_left_out) else { continue };
        if is_vain(one, options) && !agreed.covers(one) {
            targets.entry(target).or_default().connections.push(one);
        }
    }
    let mut found = Vec::new();
    let mut rest: BTreeMap<Target, Group<'_>> = BTreeMap::new();
    for (target, group) in targets {
        match flood(&target, &group, options) {
            Some(flood) => found.push(flood),
            None if target.protocol == Protocol::UDP => {
                rest.entry(target.all_ports()).or_default().connections.extend(group.connections);
            }
            None => {}
        }
    }
    found.extend(rest.iter().filter_map(|(target, group)| flood(target, group, options)));
    found.extend(super::lease_flood::lease_flood(connections, options, allowed));
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// What is flooded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    dst: Addr,
    protocol: Protocol,
    port: Option<u16>,
    /// Whether all ports are meant, `port` being none.
    is_all_ports: bool,
}

impl Target {
    /// The target of a connection; ICMP has no ports, whatever its type is told as.
    fn of(one: &Connection) -> Option<Self> {
        let protocol = one.protocol?;
        let port = one.dst_port.filter(|_| !protocol.is_icmp());
        one.dst.is_known().then_some(Self { dst: one.dst, protocol, port, is_all_ports: false })
    }

    const fn all_ports(self) -> Self {
        Self { port: None, is_all_ports: true, ..self }
    }

    fn is_broadcast(&self) -> bool {
        matches!(self.dst.ip(), Some(IpAddr::V4(addr)) if addr.is_broadcast())
    }

    /// The rate and the packets from which on it is flooded.
    fn limits(&self, options: &FloodOptions) -> (f64, u64) {
        let rate = match self.protocol {
            _ if self.is_broadcast() => return (options.broadcast_rate, options.min_broadcast),
            Protocol::TCP => options.tcp_rate,
            protocol if protocol.is_icmp() => options.icmp_rate,
            _ => options.udp_rate,
        };
        (rate, if self.is_all_ports { options.min_all_ports } else { options.min_packets })
    }
}

fn is_multicast(addr: Addr) -> bool {
    addr.ip().is_some_and(|addr| addr.is_multicast())
}

/// Whether what was sent got nothing worth it.
fn is_vain(one: &Connection, options: &FloodOptions) -> bool {
    let (sent, got) = (one.forward.packets, one.reverse.packets);
    match one.protocol {
        Some(protocol) if protocol.is_icmp() => true,
        Some(Protocol::TCP) => is_vain_tcp(one),
        _ => got == 0 || sent as f64 >= got as f64 * options.min_ratio,
    }
}

/// A TCP connection that did not get beyond opening. One with content but without answers is one of which the source
/// sees a single way; so is one of many packets that acknowledge something.
fn is_vain_tcp(one: &Connection) -> bool {
    let (forward, reverse) = (one.forward, one.reverse);
    let is_empty = forward.bytes <= forward.packets.saturating_mul(EMPTY);
    let is_opening = forward.packets <= FEW || !forward.flags.contains(TcpFlags::ACK);
    let has_nothing = reverse.packets == 0
        || one.state == Some(ConnState::Refused)
        || reverse.bytes <= reverse.packets.saturating_mul(EMPTY);
    is_opening && has_nothing && is_empty
}

/// TCP sessions by which streams over UDP between the same hosts are agreed on.
struct Agreed(Times<(Addr, Addr, u16)>);

impl Agreed {
    fn of(connections: &[Connection]) -> Self {
        let tcp = connections.iter().filter(|one| {
            one.protocol == Some(Protocol::TCP) && one.was_answered() && one.reverse.bytes > EMPTY
        });
        let both = tcp.flat_map(|one| [(one, one.src, one.dst), (one, one.dst, one.src)]);
        let spans = both.filter_map(|(one, src, dst)| Some(((src, dst, one.dst_port?), one.first, one.last)));
        Self(Times::of(spans))
    }

    fn covers(&self, one: &Connection) -> bool {
        let mut ports = CONTROL.into_iter().chain(one.dst_port);
        one.protocol == Some(Protocol::UDP)
            && ports.any(|port| self.0.had(&(one.src, one.dst, port), one.first, one.last))
    }
}

/// The rate and the finding, if these connections flood their target.
fn flood(target: &Target, group: &Group<'_>, options: &FloodOptions) -> Option<(f64, Finding)> {
    let packets = group.forward().packets;
    let (min_rate, min_packets) = target.limits(options);
    if packets < min_packets {
        return None;
    }
    let rate = peak(group, options.window);
    let (source, count) = main_source(group);
    let said = said(target, group, rate, (source, count));
    let mut finding = group.finding(Detector::Flood, said).filter(|_| rate >= min_rate)?;
    finding.src = source;
    Some((rate, finding))
}

/// Packets per second of all connections together, at the time when it was highest.
fn peak(group: &Group<'_>, window: u32) -> f64 {
    let window = f64::from(window.max(1));
    let mut changes: Vec<(Timestamp, bool, f64)> = Vec::new();
    for one in &group.connections {
        let last = one.last.max(one.first.saturating_add((window * NANOS_PER_SEC as f64) as i64));
        let rate = one.forward.packets.max(1) as f64 / seconds(one).max(window);
        changes.extend([(one.first, true, rate), (last, false, -rate)]);
    }
    // What ends goes first: of connections one behind the other only one is open. Rates in a fixed order, for the same
    // sum of them to the last bit.
    changes.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)).then(one.2.total_cmp(&other.2)));
    let (mut rate, mut most) = (0.0, 0.0_f64);
    for (_, _, change) in changes {
        rate += change;
        most = most.max(rate);
    }
    most
}

/// The source of half of the packets at least, if there is one, and how many sources there are.
fn main_source(group: &Group<'_>) -> (Addr, usize) {
    let mut sources: BTreeMap<Addr, u64> = BTreeMap::new();
    for one in &group.connections {
        let packets = sources.entry(one.src).or_default();
        *packets = packets.saturating_add(one.forward.packets);
    }
    let all = sources.values().fold(0_u128, |sum, &packets| sum + u128::from(packets));
    let main = sources.iter().find(|(_, packets)| u128::from(**packets) * 2 >= all);
    (main.map_or(Addr::Unknown, |(source, _)| *source), sources.len())
}

fn said(target: &Target, group: &Group<'_>, rate: f64, (source, sources): (Addr, usize)) -> Said {
    let (sent, got) = (group.forward(), group.reverse());
    let service = match target.is_all_ports {
        true => format!("many ports of {}", target.protocol.to_string().to_lowercase()),
        false => service_words(Some(target.protocol), target.port),
    };
    let who = match (sources, source.is_known()) {
        (1, _) => source.to_string(),
        (_, true) => format!("{sources} sources, {source} above all,"),
        (_, false) => format!("{sources} sources, none of them above all,"),
    };
    let src = Some(source).filter(|source| sources == 1 && source.is_known());
    Said {
        parts: vec![
            Part { name: "packets", value: sent.packets as f64 },
            Part { name: "packets-back", value: got.packets as f64 },
            Part { name: "packets-per-second", value: rate },
            Part { name: "sources", value: sources as f64 },
        ],
        reason: format!(
            "{who} sent {} packets in {} connections to {service} of {}, {rate:.0} per second at the peak; {} packets \
             came back.",
            sent.packets,
            group.connections.len(),
            target.dst,
            got.packets
        ),
        criteria: Criteria::new(src, Some(target.dst), Some(target.protocol), target.port),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;
    use crate::record::Protocol;

    /// A connection over a protocol of so many packets of 44 bytes without an answer, within these seconds.
    fn vain(protocol: Protocol, src: &str, dst: &str, secs: i64, packets: u64) -> Connection {
        let mut one = connection(src, dst, 80, 1000, 1000 + secs);
        (one.protocol, one.state) = (Some(protocol), Some(ConnState::Unanswered));
        (one.forward.packets, one.forward.bytes) = (packets, packets * 44);
        (one.reverse.packets, one.reverse.bytes) = (0, 0);
        one
    }

    fn answered(mut one: Connection, packets: u64, size: u64) -> Connection {
        one.state = Some(ConnState::Accepted);
        (one.reverse.packets, one.reverse.bytes) = (packets, packets * size);
        one
    }

    fn found(connections: &[Connection]) -> Vec<Finding> {
        floods(connections, &FloodOptions::default(), &Hosts::new(["20.9.9.9".parse().unwrap()]))
    }

    #[test]
    fn made_up_sources_are_one_flood() {
        let from = |at: u32| format!("20.1.{}.{}", at / 250, at % 250);
        let half_open = |at| answered(vain(Protocol::TCP, &from(at), "10.0.0.5", 2, 1), 2, 44);
        let connections: Vec<_> = (0..9000).map(half_open).collect();
        let found = found(&connections);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].src, found[0].connections), (Addr::Unknown, 9000));
        assert_eq!(
            found[0].reason,
            "9000 sources, none of them above all, sent 9000 packets in 9000 connections to tcp/80 (http) of 10.0.0.5, \
             900 per second at the peak; 18000 packets came back."
        );
        assert_eq!(found[0].criteria.to_string(), "dst ip 10.0.0.5 and proto 6 and dst port 80");
    }

    #[test]
    fn one_source_with_few_connections_is_one_too() {
        let mut dhcp = vain(Protocol::UDP, "0.0.0.0", "255.255.255.255", 30, 3000);
        dhcp.dst_port = Some(67);
        let connections = [
            dhcp,
            vain(Protocol::UDP, "20.1.2.3", "10.0.0.5", 60, 900_000),
            answered(vain(Protocol::ICMP, "20.1.2.3", "10.0.0.5", 60, 90_000), 90_000, 84),
            vain(Protocol::TCP, "20.1.2.3", "10.0.0.6", 60, 90_001),
        ];
        let found = found(&connections);
        let filters: Vec<String> = found.iter().map(|one| one.criteria.to_string()).collect();
        assert_eq!(
            filters,
            [
                "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 17 and dst port 80",
                "src ip 20.1.2.3 and dst ip 10.0.0.6 and proto 6 and dst port 80",
                "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 1",
                "src ip 0.0.0.0 and dst ip 255.255.255.255 and proto 17 and dst port 67",
            ],
            "the highest rate first"
        );
    }

    #[test]
    fn all_ports_of_a_host_are_a_target_too() {
        let mut connections: Vec<_> =
            (0..60_000).map(|_| vain(Protocol::UDP, "20.1.2.3", "10.0.0.5", 20, 4)).collect();
        connections.iter_mut().zip(0..).for_each(|(one, port)| one.dst_port = Some(port));
        let flood = found(&connections);
        assert_eq!((flood.len(), flood[0].port, flood[0].dst.is_some()), (1, None, true));
        assert!(flood[0].reason.contains("to many ports of udp of 10.0.0.5"));
        connections.iter_mut().for_each(|one| one.forward.packets = 2);
        assert!(found(&connections).is_empty(), "a scan of all ports");
    }

    #[test]
    fn large_is_no_flood_where_it_is_answered_agreed_on_or_allowed() {
        let mut upload = vain(Protocol::TCP, "20.1.2.3", "10.0.0.5", 60, 900_000);
        upload.forward.bytes = 1_200_000_000;
        let mut stream = vain(Protocol::UDP, "10.0.0.7", "20.1.2.3", 60, 300_000);
        stream.dst_port = Some(5201);
        let quiet = [
            answered(upload, 400_000, 52),
            upload,
            answered(vain(Protocol::UDP, "20.1.2.3", "10.0.0.6", 60, 900_000), 90_000, 60),
            vain(Protocol::UDP, "10.0.0.5", "224.0.0.251", 60, 900_000),
            vain(Protocol::UDP, "20.9.9.9", "10.0.0.5", 60, 900_000),
            vain(Protocol::TCP, "20.1.2.3", "10.0.0.9", 900, 9000),
            stream,
            connection("10.0.0.7", "20.1.2.3", 5201, 999, 1100),
        ];
        assert_eq!(found(&quiet), []);
    }

    #[test]
    fn the_ends_of_all_ranges_are_no_matter() {
        let mut ends = vec![vain(Protocol::UDP, "20.1.2.3", "10.0.0.5", 60, 1); 3];
        ends.iter_mut().for_each(|one| one.forward.packets = u64::MAX);
        (ends[0].first, ends[0].last) = (Timestamp::MIN, Timestamp::MAX);
        (ends[1].first, ends[1].last) = (Timestamp::MAX, Timestamp::MIN);
        assert_eq!(found(&ends).len(), 1);
    }
}
