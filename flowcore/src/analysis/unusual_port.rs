//! Traffic between the own network and the outside over a service that has no registered name.
//!
//! A shell, a tunnel or an upload that somebody set up in a hurry listens where it can. So do some protocols of every
//! day, and they are told by what is around them: the data connections of passive FTP have a session on port 21 between
//! the same hosts, media of a call have a STUN or SIP exchange of the same host before it.

use std::cmp::Reverse;

use super::crossing::{Crossing, Times, has_ports, seconds};
use super::finding::{Group, Said};
use super::{Connection, Detector, Finding, Hosts, Part, service_name};
use crate::record::{Addr, NANOS_PER_SEC, Protocol};

/// When traffic over a service without a name is worth a look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnusualPortOptions {
    /// Bytes of both ways, all connections together. 100000: more than banners, greetings and error pages come to.
    pub min_bytes: u64,
    /// Seconds that a connection is open for it to be a session, however little it carried. 60: probes and failed
    /// requests are over by then, a shell that somebody types into is not.
    pub session_secs: u32,
    /// Packets each way that a session has at least. 10: a connection that was opened, greeted and forgotten has 4 to 6.
    pub session_packets: u64,
    /// Bytes each way that a connection has at least to count. 400: opening and closing TCP take up to 300, the rest is
    /// an answer.
    pub min_way_bytes: u64,
    /// Seconds before a connection in which the session or exchange that explains it was open. 300: what calls and FTP
    /// clients keep between set-up and data.
    pub setup_secs: u32,
    /// Packets per second, of the busier way, that media have without a pause. 10: voice has 33 to 50, video more.
    pub media_rate: f64,
    /// Seconds that media last at most. 14400: longer calls are rare, tunnels are not.
    pub media_secs: u32,
}

impl Default for UnusualPortOptions {
    fn default() -> Self {
        Self {
            min_bytes: 100_000,
            session_secs: 60,
            session_packets: 10,
            min_way_bytes: 400,
            setup_secs: 300,
            media_rate: 10.0,
            media_secs: 14_400,
        }
    }
}

/// Lower end of the ports that systems take for the side that asks: 32768 of Linux, 49152 of all others.
const EPHEMERAL: u16 = 32_768;
/// Tunnels that listen among ephemeral ports by convention: Tailscale and WireGuard.
const TUNNEL_PORTS: [u16; 2] = [41_641, 51_820];
/// Where calls are set up: STUN and TURN, with TLS, of Google; SIP with and without TLS.
const CALL_PORTS: [u16; 6] = [3478, 5349, 19_302, 19_305, 5060, 5061];
const FTP: u16 = 21;

/// Substantial traffic or sessions over services without a [registered name](service_name), between `internal` hosts
/// and others, most bytes first. Connections from and to `allowed` hosts are left out.
///
/// ```
/// use flowcore::analysis::{Connection, Hosts, UnusualPortOptions, unusual_ports};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "10.0.0.5".parse()?);
/// batch.set_addr(Field::DstAddr, "20.1.2.3".parse()?);
/// batch.set_number(Field::Protocol, 6);
/// batch.set_number(Field::DstPort, 4444);
/// batch.set_number(Field::InBytes, 6_000);
/// batch.set_number(Field::OutBytes, 900_000);
/// batch.end_row();
/// let (internal, allowed) = (Hosts::internal(), Hosts::new([]));
/// let found =
///     unusual_ports(&[Connection::of(&batch, 0)], &UnusualPortOptions::default(), &internal, &allowed);
/// assert_eq!(found[0].port, Some(4444));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn unusual_ports(
    connections: &[Connection],
    options: &UnusualPortOptions,
    internal: &Hosts,
    allowed: &Hosts,
) -> Vec<Finding> {
    let around = Around::of(connections, internal);
    let groups =
        Crossing::groups(connections, [internal, allowed], |one| is_unnamed(one) && one.was_answered());
    // Judged by what is more than a greeting; told of is all that was answered.
    let counts = |one: &Connection| is_substance(one, options) && !around.explains(one, internal, options);
    let judged = |group: &Group<'_>| {
        let substance = group.connections.iter().copied().filter(|one| counts(one));
        is_worth_a_look(&Group { connections: substance.collect() }, options)
    };
    let mut found: Vec<Finding> = groups
        .iter()
        .filter(|(_, group)| judged(group))
        .filter_map(|(crossing, group)| group.finding(Detector::UnusualPort, said(crossing, group)))
        .collect();
    found.sort_by_key(|one| Reverse(one.forward.bytes.saturating_add(one.reverse.bytes)));
    found
}

/// Whether neither side has a port with a name. A connection from such a port to an ephemeral one is an answer of which
/// the question was not seen, and its service the port that it comes from.
fn is_unnamed(one: &Connection) -> bool {
    let is_named = |port: Option<u16>| port.is_some_and(|port| service_name(one.protocol, port).is_some());
    let is_answer = is_named(one.src_port) && one.dst_port.is_some_and(|port| port >= EPHEMERAL);
    one.protocol.is_some_and(has_ports) && one.dst_port.is_some() && !is_named(one.dst_port) && !is_answer
}

fn is_substance(one: &Connection, options: &UnusualPortOptions) -> bool {
    one.forward.bytes.min(one.reverse.bytes) >= options.min_way_bytes
}

fn is_session(one: &Connection, options: &UnusualPortOptions) -> bool {
    seconds(one) >= f64::from(options.session_secs)
        && one.forward.packets.min(one.reverse.packets) >= options.session_packets
}

fn is_worth_a_look(group: &Group<'_>, options: &UnusualPortOptions) -> bool {
    let bytes = group.connections.iter().fold(0, |sum: u64, one| sum.saturating_add(one.bytes()));
    bytes >= options.min_bytes || group.connections.iter().any(|one| is_session(one, options))
}

/// What explains connections to any port.
struct Around {
    /// FTP sessions by their ends, the smaller one first.
    ftp: Times<(Addr, Addr)>,
    /// Set-up of calls by internal host.
    calls: Times<Addr>,
}

impl Around {
    fn of(connections: &[Connection], internal: &Hosts) -> Self {
        let answered = || connections.iter().filter(|one| one.was_answered());
        let ftp = answered().filter(|one| one.protocol == Some(Protocol::TCP) && one.dst_port == Some(FTP));
        let is_call = |one: &&Connection| one.dst_port.is_some_and(|port| CALL_PORTS.contains(&port));
        let ends = |one: &Connection| [one.src, one.dst].map(|end| (end, one.first, one.last));
        let calls = answered().filter(is_call).flat_map(ends).filter(|end| internal.contains(end.0));
        Self { ftp: Times::of(ftp.map(|one| (pair(one), one.first, one.last))), calls: Times::of(calls) }
    }

    fn explains(&self, one: &Connection, internal: &Hosts, options: &UnusualPortOptions) -> bool {
        let from = one.first.saturating_add(-i64::from(options.setup_secs) * NANOS_PER_SEC);
        let inside = if internal.contains(one.src) { one.src } else { one.dst };
        match one.protocol {
            Some(Protocol::TCP) => is_high(one, 1024) && self.ftp.had(&pair(one), from, one.first),
            Some(Protocol::UDP) if is_media(one, options) => {
                is_high(one, EPHEMERAL) || self.calls.had(&inside, from, one.last)
            }
            _ => false,
        }
    }
}

fn pair(one: &Connection) -> (Addr, Addr) {
    (one.src.min(one.dst), one.src.max(one.dst))
}

/// Whether both ports are `least` or more.
fn is_high(one: &Connection, least: u16) -> bool {
    [one.src_port, one.dst_port].iter().all(|port| port.is_some_and(|port| port >= least))
}

/// Whether packets came as steadily as those of voice and video, over ports that nobody listens on for long.
fn is_media(one: &Connection, options: &UnusualPortOptions) -> bool {
    let duration = seconds(one);
    let packets = one.forward.packets.max(one.reverse.packets) as f64;
    is_high(one, 1024)
        && !one.dst_port.is_some_and(|port| TUNNEL_PORTS.contains(&port))
        && duration <= f64::from(options.media_secs)
        && packets >= duration * options.media_rate
}

fn said(crossing: &Crossing, group: &Group<'_>) -> Said {
    let sent = |one: &&Connection| crossing.out_and_in(one).0.bytes;
    let got = |one: &&Connection| crossing.out_and_in(one).1.bytes;
    let (mut out, mut into) = (0_u64, 0_u64);
    for one in &group.connections {
        out = out.saturating_add(sent(one));
        into = into.saturating_add(got(one));
    }
    let longest = group.connections.iter().map(|one| seconds(one)).fold(0.0, f64::max);
    Said {
        parts: vec![
            Part { name: "bytes-out", value: out as f64 },
            Part { name: "bytes-in", value: into as f64 },
            Part { name: "longest-seconds", value: longest },
        ],
        reason: format!(
            "{}, a service without a registered name; {out} bytes left the protected side and {into} came in, and the \
             longest connection was open for {longest:.0} seconds.",
            crossing.began(group.connections.len())
        ),
        criteria: crossing.criteria(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;
    use crate::aggregate::ConnState;

    fn found(connections: &[Connection]) -> Vec<String> {
        let (internal, allowed) = (Hosts::internal(), Hosts::new(["20.9.9.9".parse().unwrap()]));
        let found = unusual_ports(connections, &UnusualPortOptions::default(), &internal, &allowed);
        found.into_iter().map(|one| one.criteria.to_string()).collect()
    }

    /// A connection with these packets of 100 bytes each way.
    fn exchange(src: &str, dst: &str, port: u16, secs: i64, packets: u64) -> Connection {
        let mut one = connection(src, dst, port, 1000, 1000 + secs);
        for way in [&mut one.forward, &mut one.reverse] {
            (way.packets, way.bytes) = (packets, packets * 100);
        }
        one
    }

    #[test]
    fn bytes_or_a_session_are_worth_a_look() {
        let shell = exchange("10.0.0.5", "20.1.2.3", 4444, 300, 40);
        let many = exchange("20.1.2.3", "10.0.0.5", 8889, 2, 900);
        assert_eq!(
            found(&[shell, many]),
            [
                "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 6 and dst port 8889",
                "src ip 10.0.0.5 and dst ip 20.1.2.3 and proto 6 and dst port 4444"
            ]
        );
    }

    #[test]
    fn what_is_named_small_refused_inside_or_allowed_is_not() {
        let mut refused = exchange("10.0.0.5", "20.1.2.3", 4444, 300, 4000);
        refused.state = Some(ConnState::Refused);
        let mut answer = exchange("10.0.0.5", "20.1.2.3", 50_123, 300, 4000);
        answer.src_port = Some(443);
        let mut icmp = exchange("10.0.0.5", "20.1.2.3", 2048, 300, 4000);
        icmp.protocol = Some(Protocol::ICMP);
        let quiet = [
            exchange("10.0.0.5", "20.1.2.3", 443, 300, 4000),
            exchange("10.0.0.5", "20.1.2.3", 4444, 10, 40),
            exchange("10.0.0.5", "20.1.2.3", 4445, 4000, 3),
            exchange("10.0.0.5", "10.0.0.6", 49_155, 300, 4000),
            exchange("10.0.0.5", "20.9.9.9", 4444, 300, 4000),
            refused,
            answer,
            icmp,
        ];
        assert!(found(&quiet).is_empty());
    }

    #[test]
    fn data_of_passive_ftp_needs_its_session() {
        let data = exchange("10.0.0.5", "20.1.2.3", 50_001, 20, 900);
        let mut control = exchange("10.0.0.5", "20.1.2.3", FTP, 30, 20);
        control.first = crate::Timestamp::from_secs(950);
        assert!(found(&[data, control]).is_empty());
        control.first = crate::Timestamp::from_secs(10);
        control.last = crate::Timestamp::from_secs(20);
        assert_eq!(found(&[data, control]).len(), 1);
    }

    #[test]
    fn media_are_steady_and_set_up() {
        let udp = |port, secs, packets| Connection {
            protocol: Some(Protocol::UDP),
            ..exchange("10.0.0.5", "20.1.2.3", port, secs, packets)
        };
        let stun = Connection { dst: "20.7.7.7".parse().unwrap(), ..udp(3478, 2, 4) };
        assert!(found(&[udp(8801, 600, 30_000), stun]).is_empty());
        assert_eq!(found(&[udp(8801, 600, 30_000)]).len(), 1, "nobody set it up");
        assert!(found(&[udp(50_444, 600, 30_000)]).is_empty(), "between ephemeral ports");
        assert_eq!(found(&[udp(50_444, 600, 900)]).len(), 1, "a shell has pauses");
        assert_eq!(found(&[udp(51_820, 600, 30_000), stun]).len(), 1, "WireGuard");
        assert_eq!(found(&[udp(50_444, 40_000, 900_000)]).len(), 1, "no call lasts that long");
    }
}
