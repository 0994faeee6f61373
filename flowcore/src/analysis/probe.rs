//! What a connection tells somebody who looks for services: that there is one, that it is refused, or nothing.

use std::collections::{BTreeMap, HashSet};

use super::crossing::{Times, is_host};
use super::{Connection, service_name};
use crate::aggregate::ConnState;
use crate::record::{Addr, Protocol, TcpFlags, Timestamp};

/// What somebody who looks for services learned, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// Nothing.
    Unanswered,
    /// That nothing is there, or that it is not allowed.
    Refused,
    /// That something is there, and no more was asked: a handshake and perhaps a banner, or the echo of a ping.
    Touched,
    /// Something was asked and answered, or sent for long: use of a service, not a look for one.
    Answered,
}

/// Bytes of a packet of TCP without content, headers and options included.
const EMPTY: u64 = 80;
/// A look at a service takes no more packets than this, repetitions included.
const FEW: u64 = 10;
/// Bytes that a service sends by itself, headers included: banners of mail servers are the longest ones.
const BANNER: u64 = 1000;
/// Services that agree on further ports with their clients: FTP with and without TLS, the port mappers of Unix and of
/// Windows, RTSP, H.323, SIP with and without TLS.
const CONTROL: [u16; 8] = [21, 990, 111, 135, 554, 1720, 5060, 5061];
/// Ports that traceroute sends to over UDP, where it hopes that nobody answers.
const TRACEROUTE: std::ops::RangeInclusive<u16> = 33_434..=33_625;
/// Ports that a client may get for its end: those below this one are of services.
const CLIENT_PORTS: u16 = 1024;
/// Where the ports of clients begin on Linux: above it a registered name says little.
const NAMES_END: u16 = 32_768;
/// Echo requests of ICMP and ICMPv6, where type and code stand in the port; 0 is what logs without types write.
const ECHO: [u16; 3] = [0, 8 << 8, 128 << 8];

/// What hosts know of each other, which makes a look at a service something else.
pub(super) struct Acquaintance {
    /// Both ends of connections over TCP with content both ways, in both orders.
    talked: HashSet<(Addr, Addr)>,
    /// When both had a session in which ports are agreed on.
    control: Times<(Addr, Addr)>,
    /// The first packet of ICMP from one to the other.
    pings: BTreeMap<(Addr, Addr), Timestamp>,
    /// Whether answers over UDP are seen at all.
    pub(super) hears_udp: bool,
}

impl Acquaintance {
    pub(super) fn of(connections: &[Connection]) -> Self {
        let talks = || connections.iter().filter(|one| is_talk(one));
        let control = talks().filter(|one| one.dst_port.is_some_and(|port| CONTROL.contains(&port)));
        let mut pings: BTreeMap<(Addr, Addr), Timestamp> = BTreeMap::new();
        for one in connections.iter().filter(|one| one.protocol.is_some_and(Protocol::is_icmp)) {
            let first = pings.entry((one.src, one.dst)).or_insert(one.first);
            *first = one.first.min(*first);
        }
        Self {
            talked: talks().flat_map(|one| [(one.src, one.dst), (one.dst, one.src)]).collect(),
            control: Times::of(control.map(|one| ((one.src, one.dst), one.first, one.last))),
            pings,
            hears_udp: connections
                .iter()
                .any(|one| one.protocol == Some(Protocol::UDP) && !has_no_answer(one)),
        }
    }

    /// Whether the two used some service of one of them over TCP.
    pub(super) fn have_talked(&self, one: &Connection) -> bool {
        self.talked.contains(&(one.src, one.dst))
    }

    /// What the initiator learned; `None` where it did not look for a service: what it sent is an answer itself, goes to
    /// a port that was agreed on, or to no host.
    pub(super) fn outcome(&self, one: &Connection) -> Option<Outcome> {
        if !is_host(one.src) || !is_host(one.dst) || is_answer(one) || self.is_agreed(one) {
            return None;
        }
        match one.protocol {
            Some(protocol) if protocol.is_icmp() => self.of_ping(one),
            Some(Protocol::TCP) | None => Some(of_tcp(one)),
            Some(_) if one.dst_port.is_some_and(|port| TRACEROUTE.contains(&port)) => None,
            Some(_) => Some(of_datagrams(one)),
        }
    }

    fn is_agreed(&self, one: &Connection) -> bool {
        one.dst_port.is_some_and(|port| port >= CLIENT_PORTS)
            && self.control.had(&(one.src, one.dst), one.first, one.last)
    }

    /// Requests and replies are rows of their own in many logs: whoever began asked.
    fn of_ping(&self, one: &Connection) -> Option<Outcome> {
        let back = self.pings.get(&(one.dst, one.src));
        let first = self.pings.get(&(one.src, one.dst)).unwrap_or(&one.first);
        let is_echo = one.dst_port.is_none_or(|kind| ECHO.contains(&kind));
        if !is_echo || back.is_some_and(|back| back < first) {
            return None;
        }
        Some(match (back, one.state) {
            _ if one.forward.packets > FEW => Outcome::Answered,
            (_, Some(ConnState::Refused)) => Outcome::Refused,
            (None, _) if has_no_answer(one) => Outcome::Unanswered,
            _ => Outcome::Touched,
        })
    }
}

fn has_no_answer(one: &Connection) -> bool {
    one.reverse.packets == 0 && one.reverse.bytes == 0
}

/// Whether both ends said something over TCP.
fn is_talk(one: &Connection) -> bool {
    let has_content =
        [one.forward, one.reverse].iter().all(|way| way.bytes > way.packets.saturating_mul(EMPTY));
    one.protocol == Some(Protocol::TCP) && one.was_answered() && has_content
}

/// Whether a connection is the half of another one that its source answered: it acknowledges something, or goes from the
/// port of a service to one of a client, without anything back. A lone SYN never is.
fn is_answer(one: &Connection) -> bool {
    let flags = one.forward.flags;
    let protocol = one.protocol.or(Some(Protocol::TCP));
    let is_service =
        |port| port < CLIENT_PORTS || (port < NAMES_END && service_name(protocol, port).is_some());
    let is_from_service = match (one.src_port, one.dst_port) {
        (Some(src), Some(dst)) => is_service(src) && !is_service(dst),
        _ => false,
    };
    let asks = flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK);
    has_no_answer(one) && !asks && (flags.contains(TcpFlags::ACK) || is_from_service)
}

fn of_tcp(one: &Connection) -> Outcome {
    let (forward, reverse) = (one.forward, one.reverse);
    let is_look = forward.packets <= FEW && forward.bytes <= forward.packets.saturating_mul(EMPTY);
    let is_reset = reverse.flags.contains(TcpFlags::RST) && !reverse.flags.contains(TcpFlags::SYN);
    match one.state {
        Some(ConnState::Refused) => Outcome::Refused,
        Some(ConnState::Unanswered) => Outcome::Unanswered,
        // Scans with a lone FIN, with all flags or with none are answered by a reset where nobody listens.
        _ if is_look && is_reset && reverse.packets <= forward.packets => Outcome::Refused,
        _ if is_look && has_no_answer(one) => Outcome::Unanswered,
        _ if is_look && forward.packets > 0 && reverse.bytes <= BANNER => Outcome::Touched,
        _ => Outcome::Answered,
    }
}

fn of_datagrams(one: &Connection) -> Outcome {
    match one.state {
        Some(ConnState::Refused) => Outcome::Refused,
        _ if has_no_answer(one) && one.forward.packets <= FEW => Outcome::Unanswered,
        _ => Outcome::Answered,
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    /// A connection of so many packets and bytes each way.
    fn counted(forward: (u64, u64), reverse: (u64, u64)) -> Connection {
        let mut one = connection("20.1.2.3", "10.0.0.5", 40_000, 100, 101);
        (one.forward.packets, one.forward.bytes) = forward;
        (one.reverse.packets, one.reverse.bytes) = reverse;
        one.state = Some(ConnState::Unknown);
        one
    }

    fn outcome(one: Connection) -> Option<Outcome> {
        Acquaintance::of(&[one]).outcome(&one)
    }

    #[test]
    fn counters_and_flags_tell_what_was_learned() {
        assert_eq!(outcome(counted((1, 44), (0, 0))), Some(Outcome::Unanswered));
        assert_eq!(outcome(counted((3, 164), (2, 300))), Some(Outcome::Touched));
        assert_eq!(outcome(counted((4, 500), (3, 600))), Some(Outcome::Answered));
        assert_eq!(outcome(counted((3, 900), (0, 0))), Some(Outcome::Answered), "one way of a transfer");
        let mut fin = counted((1, 40), (1, 40));
        (fin.forward.flags, fin.reverse.flags) = (TcpFlags::FIN, TcpFlags(0x14));
        assert_eq!(outcome(fin), Some(Outcome::Refused));
    }

    #[test]
    fn answers_and_traceroutes_look_for_nothing() {
        let mut answer = counted((1, 44), (0, 0));
        answer.src_port = Some(443);
        assert_eq!(outcome(answer), None);
        answer.forward.flags = TcpFlags::SYN;
        assert_eq!(outcome(answer), Some(Outcome::Unanswered), "scanners choose such ports too");
        let mut acknowledged = counted((1, 44), (0, 0));
        acknowledged.forward.flags = TcpFlags(0x12);
        assert_eq!(outcome(acknowledged), None);
        let mut traceroute = counted((3, 180), (0, 0));
        (traceroute.protocol, traceroute.dst_port) = (Some(Protocol::UDP), Some(33_450));
        assert_eq!(outcome(traceroute), None);
    }

    #[test]
    fn replies_to_pings_are_known_by_their_time() {
        let mut asked = counted((2, 168), (0, 0));
        (asked.protocol, asked.src_port, asked.dst_port) = (Some(Protocol::ICMP), None, None);
        let mut replied = Connection { src: asked.dst, dst: asked.src, ..asked };
        replied.first = Timestamp::from_secs(101);
        let both = Acquaintance::of(&[asked, replied]);
        assert_eq!((both.outcome(&asked), both.outcome(&replied)), (Some(Outcome::Touched), None));
        assert_eq!(outcome(asked), Some(Outcome::Unanswered));
        let later = Connection { first: Timestamp::from_secs(900), ..asked };
        assert_eq!(both.outcome(&later), Some(Outcome::Touched), "asked again");
        asked.dst_port = Some(3 << 8);
        assert_eq!(outcome(asked), None, "unreachable");
    }
}
