//! Connections between the own network and the outside that stay open for hours and are used both ways: sessions,
//! remote desktops, tunnels.
//!
//! Open for hours alone says little: phones hold a connection to their push service all day, routers one to each other
//! for months. Services whose connections wait by design must therefore carry more, of what is not only headers, than
//! their keep-alives do; a session over an administration, tunnel or unregistered port is one even where little was
//! typed. Where other pairs of hosts hold the same service open as long, that is what is ordinary there.

use std::cmp::Reverse;

use super::crossing::{Crossing, Others, seconds, service_words};
use super::finding::{Group, Said};
use super::{Connection, Detector, Finding, Hosts, Part, Traffic};
use crate::record::Protocol;

/// When a connection is open for too long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LongConnectionOptions {
    /// Seconds that it is open at least. 7200, two hours: longer than most visits, downloads and meetings.
    pub min_secs: u32,
    /// Packets each way and hour. 30: an SSH session without keep-alives in which somebody works now and then has more,
    /// two exchanges hours apart that were joined to one connection have less.
    pub min_packets_per_hour: f64,
    /// Bytes each way behind the headers, over services whose connections wait by design. 100000: keep-alives of a day
    /// come to less.
    pub min_waiting_bytes: u64,
    /// The same for each second. 5: a keep-alive of 60 bytes twice a minute has 2, keys and screens have more.
    pub min_waiting_rate: f64,
    /// Part of the bytes that the lesser way has, over these services. 0.05: of a download, a film or the radio the
    /// lesser way has next to nothing behind its headers.
    pub min_share: f64,
    /// Other pairs of hosts with the same service that tell what is ordinary. 5: fewer than that say nothing.
    pub min_pairs: usize,
    /// Times the longest connection of an ordinary pair, the middle one. 2.
    pub times_ordinary: f64,
}

impl Default for LongConnectionOptions {
    fn default() -> Self {
        Self {
            min_secs: 7200,
            min_packets_per_hour: 30.0,
            min_waiting_bytes: 100_000,
            min_waiting_rate: 5.0,
            min_share: 0.05,
            min_pairs: 5,
            times_ordinary: 2.0,
        }
    }
}

/// Services that are there for each other all the time: DNS, NTP, BGP, BFD.
const STANDING: [u16; 5] = [53, 123, 179, 3784, 4784];
/// Services whose clients wait for news: web with sockets and TLS in general, mail (IDLE), DNS over TLS, message queues,
/// push services of Apple and Google, XMPP, SIP, STUN.
const WAITING: [u16; 19] = [
    80, 443, 853, 993, 995, 1883, 3478, 5060, 5061, 5222, 5223, 5228, 5229, 5230, 5671, 8080, 8443, 8883, 143,
];
/// Bytes of IP and TCP headers in a packet; those of UDP are fewer.
const HEADERS: u64 = 52;

/// Sessions and tunnels between `internal` hosts and others that were open for hours, the longest first. Connections
/// from and to `allowed` hosts are left out: gateways of a VPN, for one.
///
/// ```
/// use flowcore::analysis::{Connection, Hosts, LongConnectionOptions, long_connections};
/// use flowcore::{Field, FlowBatch, Timestamp};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "10.0.0.5".parse()?);
/// batch.set_addr(Field::DstAddr, "20.1.2.3".parse()?);
/// batch.set_time(Field::First, Timestamp::from_secs(0));
/// batch.set_time(Field::Last, Timestamp::from_secs(9 * 3600));
/// for (field, number) in [(Field::Protocol, 6), (Field::DstPort, 22), (Field::InPackets, 4000)] {
///     batch.set_number(field, number);
/// }
/// batch.set_number(Field::OutPackets, 3000);
/// batch.end_row();
/// let (internal, allowed) = (Hosts::internal(), Hosts::new([]));
/// let found =
///     long_connections(&[Connection::of(&batch, 0)], &LongConnectionOptions::default(), &internal, &allowed);
/// assert_eq!(found[0].port, Some(22));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub fn long_connections(
    connections: &[Connection],
    options: &LongConnectionOptions,
    internal: &Hosts,
    allowed: &Hosts,
) -> Vec<Finding> {
    let all = Crossing::groups(connections, [internal, allowed], Connection::was_answered);
    let others = Others::of(all.iter().map(|(crossing, group)| (service(crossing), longest(group))));
    let mut found: Vec<(Reverse<u64>, Finding)> = Vec::new();
    for (crossing, group) in all {
        let own = longest(&group);
        let usual = others.quartile(&service(&crossing), own, 2, options.min_pairs);
        let limit = usual.map_or(0.0, |usual| usual as f64 / 1e9 * options.times_ordinary);
        let is_long = |one: &&Connection| seconds(one) >= limit && is_session(one, options);
        let long = Group { connections: group.connections.into_iter().filter(is_long).collect() };
        let finding = long.finding(Detector::LongConnection, said(&crossing, &long, usual));
        found.extend(finding.map(|one| (Reverse(longest(&long)), one)));
    }
    found.sort_by_key(|(own, _)| *own);
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Whether a connection was open for hours and used both ways.
fn is_session(one: &Connection, options: &LongConnectionOptions) -> bool {
    let duration = seconds(one);
    let packets = one.forward.packets.min(one.reverse.packets) as f64;
    let is_used = packets * 3600.0 >= duration * options.min_packets_per_hour;
    if duration < f64::from(options.min_secs) || !is_used {
        return false;
    }
    match one.dst_port {
        _ if one.protocol.is_some_and(Protocol::is_icmp) => false,
        Some(port) if STANDING.contains(&port) => false,
        Some(port) if WAITING.contains(&port) => is_more_than_waiting(one, duration, options),
        _ => true,
    }
}

fn is_more_than_waiting(one: &Connection, duration: f64, options: &LongConnectionOptions) -> bool {
    let (forward, reverse) = (content(one.forward), content(one.reverse));
    let (less, more) = (forward.min(reverse), forward.max(reverse));
    less >= options.min_waiting_bytes
        && less as f64 >= duration * options.min_waiting_rate
        && less as f64 >= more as f64 * options.min_share
}

/// Bytes behind the headers.
const fn content(way: Traffic) -> u64 {
    way.bytes.saturating_sub(way.packets.saturating_mul(HEADERS))
}

/// Nanoseconds of the longest one.
fn longest(group: &Group<'_>) -> u64 {
    let nanos = group.connections.iter().map(|one| one.last.since(one.first)).max().unwrap_or_default();
    u64::try_from(nanos).unwrap_or(0)
}

/// What pairs of hosts are compared by: protocol, port, and who began.
const fn service(crossing: &Crossing) -> (Option<Protocol>, Option<u16>, bool) {
    (crossing.protocol, crossing.port, crossing.from_inside)
}

fn said(crossing: &Crossing, long: &Group<'_>, usual: Option<u64>) -> Said {
    let hours = longest(long) as f64 / 3.6e12;
    let (sent, got) = (long.forward().bytes, long.reverse().bytes);
    let began = crossing.began(long.connections.len());
    let usual = usual.map(|usual| usual as f64 / 3.6e12);
    let others = usual.map_or_else(String::new, |usual| {
        let service = service_words(crossing.protocol, crossing.port);
        format!(" Half of the other pairs of hosts hold {service} open for {usual:.1} hours or less.")
    });
    let mut parts = vec![
        Part { name: "longest-hours", value: hours },
        Part { name: "bytes-from-initiator", value: sent as f64 },
        Part { name: "bytes-to-initiator", value: got as f64 },
    ];
    parts.extend(usual.map(|value| Part { name: "ordinary-hours", value }));
    Said {
        parts,
        reason: format!(
            "{began}, the longest of them open for {hours:.1} hours; {sent} bytes were sent and {got} came back.{others}"
        ),
        criteria: crossing.criteria(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    /// A connection of so many hours with packets of so many bytes each way, for each hour.
    fn open(dst: &str, port: u16, hours: i64, packets: u64, size: u64) -> Connection {
        let mut one = connection("10.0.0.5", dst, port, 1000, 1000 + hours * 3600);
        for way in [&mut one.forward, &mut one.reverse] {
            way.packets = packets * hours.unsigned_abs();
            way.bytes = way.packets * size;
        }
        one
    }

    fn found(connections: &[Connection]) -> Vec<Finding> {
        let (internal, allowed) = (Hosts::internal(), Hosts::new(["20.9.9.9".parse().unwrap()]));
        long_connections(connections, &LongConnectionOptions::default(), &internal, &allowed)
    }

    #[test]
    fn sessions_and_tunnels_of_hours_are_found() {
        let connections = [
            open("20.1.2.3", 22, 5, 120, 100),
            open("20.1.2.4", 443, 9, 1200, 300),
            open("20.1.2.5", 51_820, 30, 90, 148),
            open("20.1.2.6", 3389, 3, 9000, 200),
        ];
        let found = found(&connections);
        let ports: Vec<_> = found.iter().map(|one| one.port.unwrap()).collect();
        assert_eq!(ports, [51_820, 443, 22, 3389], "the longest first");
        assert_eq!(
            found[2].reason,
            "10.0.0.5 began 1 connection to tcp/22 (ssh) of 20.1.2.3, the longest of them open for 5.0 hours; 60000 \
             bytes were sent and 60000 came back."
        );
    }

    #[test]
    fn waiting_standing_short_one_sided_and_allowed_connections_are_not() {
        let mut radio = open("20.1.2.7", 443, 9, 40_000, 1400);
        radio.forward.bytes = radio.forward.packets * 60;
        let quiet = [
            open("20.1.2.3", 5223, 24, 12, 90),
            open("20.1.2.4", 443, 24, 120, 100),
            open("20.1.2.5", 179, 24, 120, 100),
            open("20.1.2.6", 22, 1, 9000, 300),
            open("20.1.2.8", 22, 9, 4, 100),
            open("20.9.9.9", 1194, 24, 9000, 300),
            open("10.0.0.9", 22, 24, 9000, 300),
            radio,
        ];
        assert_eq!(found(&quiet), []);
    }

    #[test]
    fn what_others_do_as_long_is_ordinary() {
        let mut connections: Vec<_> =
            (1..8).map(|at| open(&format!("20.1.2.{at}"), 22, 6 + at, 120, 100)).collect();
        assert_eq!(found(&connections), []);
        connections.push(open("20.1.2.99", 22, 70, 120, 100));
        let found = found(&connections);
        assert_eq!(found.len(), 1);
        assert!(found[0].reason.ends_with("hold tcp/22 (ssh) open for 10.0 hours or less."));
    }

    #[test]
    fn the_ends_of_time_are_no_matter() {
        let mut one = open("20.1.2.3", 22, 5, 120, 100);
        (one.first, one.last) = (crate::Timestamp::MIN, crate::Timestamp::MAX);
        (one.forward.packets, one.reverse.packets) = (u64::MAX, u64::MAX);
        assert_eq!(found(&[one, one]).len(), 1);
        (one.first, one.last) = (one.last, one.first);
        assert_eq!(found(&[one]), []);
    }
}
