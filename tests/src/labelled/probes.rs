//! What the cases of scans are built of: looks at ports, with what comes back of them.

use flowcore::aggregate::ConnState;
use flowcore::analysis::Connection;
use flowcore::{Addr, Protocol, TcpFlags};

use super::volume::{Ends, Scene, bulk};

/// What a target does when it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Silent,
    Reset,
    /// The log has the packets as refused by a firewall.
    Reject,
    /// There is a service, and it is asked for nothing.
    Open,
    /// There is a service, and it is used.
    Used,
}

/// The reset of a port where nobody listens.
const RESET: TcpFlags = TcpFlags(0x14);

/// A look at a port over TCP.
pub(super) fn look(scene: &mut Scene, ends: Ends, start: u64, reply: Reply) -> &mut Connection {
    let size = scene.pick(&[40, 44, 60]);
    let (sent, is_half) = (scene.pick(&[1, 1, 2, 3]), scene.rng.chance(50));
    let banner = scene.pick(&[0, 0, 40, 90, 220]);
    let (asked, got) = (scene.range(60, 600), scene.log(200, 20_000));
    let ways = match reply {
        Reply::Silent => [(sent, sent * size), (0, 0)],
        Reply::Reset => [(1, size), (1, 40)],
        Reply::Reject => [(sent, sent * size), (0, 0)],
        Reply::Open if is_half => [(2, size + 40), (1, 44)],
        Reply::Open => [(4, size + 160), (3, 60 + 104 + banner)],
        Reply::Used => bulk(asked, got),
    };
    let one = scene.tcp(ends, (start, u64::from(sent > 1)), ways);
    match reply {
        Reply::Silent => one.forward.flags = TcpFlags::SYN,
        Reply::Reset => {
            (one.state, one.forward.flags) = (Some(ConnState::Refused), TcpFlags::SYN);
            one.reverse.flags = RESET;
        }
        Reply::Reject => (one.state, one.forward.flags) = (Some(ConnState::Refused), TcpFlags::SYN),
        Reply::Open if is_half => {
            (one.forward.flags, one.reverse.flags) = (TcpFlags(0x06), TcpFlags(0x12));
        }
        Reply::Open | Reply::Used => {}
    }
    one
}

/// A look at a port over UDP; a service that is there answers.
pub(super) fn datagram(scene: &mut Scene, ends: Ends, start: u64, reply: Reply) -> &mut Connection {
    let (sent, size) = (scene.range(1, 3), scene.range(28, 120));
    let back = if matches!(reply, Reply::Open | Reply::Used) { (1, scene.range(60, 900)) } else { (0, 0) };
    let one = scene.udp(ends, (start, u64::from(sent > 1)), [(sent, sent * size), back]);
    if reply == Reply::Reject {
        one.state = Some(ConnState::Refused);
    }
    one
}

/// A ping of so many packets, as logs have it that join both ways.
pub(super) fn ping(scene: &mut Scene, src: Addr, dst: Addr, start: u64, count: u64, is_up: bool) {
    let back = if is_up { (count, count * 84) } else { (0, 0) };
    scene.add(Protocol::ICMP, (src, dst, 0), (start, count - 1), [(count, count * 84), back]);
}

/// The same as two rows, one of each way; `kind` stands where logs put type and code.
pub(super) fn ping_rows(scene: &mut Scene, [src, dst]: [Addr; 2], start: u64, count: u64, is_up: bool) {
    let ways = [(count, count * 84), (0, 0)];
    let at = scene.connections.len();
    scene.add(Protocol::ICMP, (src, dst, 0), (start, count - 1), ways);
    if is_up {
        let first = scene.connections[at].first;
        let reply = scene.add(Protocol::ICMP, (dst, src, 0), (start, count - 1), ways);
        reply.first = first.saturating_add(900_000);
        reply.last = reply.last.max(reply.first);
    }
}

/// Which target comes at which second, for so many looks at one pace: thousandths of a second from one to the next.
pub(super) fn paced(scene: &mut Scene, count: u64, pace: u64) -> Vec<u64> {
    let start = scene.range(0, 20_000);
    (0..count).map(|at| start + (at * pace + scene.range(0, pace)) / 1000).collect()
}

/// So many hosts of a network of 256 addresses inside.
pub(super) fn network(scene: &mut Scene, count: u64) -> Vec<Addr> {
    let host = scene.inside();
    neighbours(host, count)
}

/// So many hosts of a network of 256 addresses elsewhere.
pub(super) fn far_network(scene: &mut Scene, count: u64) -> Vec<Addr> {
    let host = scene.outside();
    neighbours(host, count)
}

fn neighbours(host: Addr, count: u64) -> Vec<Addr> {
    let Addr::V4(first) = host else { return vec![host] };
    let [a, b, c, _] = first.octets();
    (1..=count.min(254)).filter_map(|at| Some(Addr::V4([a, b, c, u8::try_from(at).ok()?].into()))).collect()
}

/// What ports that somebody tries are: first those that many look for, then any.
pub(super) fn tried_ports(scene: &mut Scene, count: u64) -> Vec<u16> {
    const SOUGHT: [u16; 24] = [
        21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 993, 995, 1433, 1723, 3306, 3389, 5432,
        5900, 6379, 8080, 8443,
    ];
    let mut ports: Vec<u16> = SOUGHT.into_iter().take(usize::try_from(count).unwrap_or(0)).collect();
    while (ports.len() as u64) < count {
        let port = if scene.rng.chance(70) { scene.port(1, 10_000) } else { scene.port(10_000, 65_535) };
        ports.push(port);
    }
    // From any place on, so that the sought ones are not always the first.
    let at = usize::try_from(scene.range(0, count - 1)).unwrap_or(0);
    ports.rotate_left(at);
    ports
}

/// One that scans: mostly from outside.
pub(super) fn scanner(scene: &mut Scene) -> Addr {
    if scene.rng.chance(70) { scene.outside() } else { scene.inside() }
}

/// One reply or the other, the first one so many times in 100.
pub(super) fn either(scene: &mut Scene, percent: u64, one: Reply, other: Reply) -> Reply {
    if scene.rng.chance(percent) { one } else { other }
}
