//! Scans of many hosts for a service, and much traffic to many hosts that is something else.

use flowcore::aggregate::ConnState;
use flowcore::{Addr, Protocol, TcpFlags};

use super::probes::{Reply, datagram, either, far_network, look, network, paced, ping, ping_rows, scanner};
use super::volume::{Scene, bulk};
use super::{Case, draw, everyday};

/// 10 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "host-scan",
        10,
        &[
            ("network", true, one_network),
            ("networks", true, networks),
            ("world", true, world),
            ("worm", true, worm),
            ("ping", true, pings),
            ("ping-rows", true, pings_in_rows),
            ("udp", true, udp),
            ("slow", true, slow),
            ("very-slow", true, very_slow),
            ("rejected", true, rejected),
            ("without-flags", true, without_flags),
            ("several-ports", true, several_ports),
            ("dense", true, dense),
            ("small-network", true, small_network),
            ("among-browsing", true, among_browsing),
            ("browsing", false, everyday::browsing),
            ("resolver", false, everyday::resolver),
            ("monitoring", false, monitoring),
            ("torrent", false, everyday::torrent),
            ("coins", false, coins),
            ("health-checks", false, everyday::health_checks),
            ("mail-server", false, mail_server),
            ("no-way-out", false, no_way_out),
            ("quic-blocked", false, quic_blocked),
            ("names-of-visitors", false, names_of_visitors),
            ("allowed-scanner", false, allowed_scanner),
            ("half-seen", false, everyday::half_seen),
            ("pinged-gateway", false, pinged_gateway),
            ("gateway", false, everyday::gateway),
            ("server-down", false, everyday::server_down),
            ("router-errors", false, router_errors),
        ],
    )
}

/// What is looked for.
const SOUGHT: [u16; 12] = [22, 23, 80, 443, 445, 1433, 2323, 3306, 3389, 5900, 6379, 8080];

/// Looks at these hosts at one pace; of 100 so many are open.
fn scan(scene: &mut Scene, hosts: &[Addr], pace: u64, open: u64, others: Reply) {
    let (source, port) = (scanner(scene), scene.pick(&SOUGHT));
    for (host, start) in hosts.iter().zip(paced(scene, hosts.len() as u64, pace)) {
        let reply = either(scene, open, Reply::Open, others);
        look(scene, (source, *host, port), start, reply);
    }
}

fn one_network(scene: &mut Scene) {
    let (pace, open, others) = (scene.log(1, 3_000), scene.range(0, 25), failing(scene));
    let hosts = network(scene, 254);
    scan(scene, &hosts, pace, open, others);
}

/// What hosts do where nothing is to be found.
fn failing(scene: &mut Scene) -> Reply {
    scene.pick(&[Reply::Silent, Reply::Silent, Reply::Reset, Reply::Reject])
}

/// Some addresses of several networks each.
fn networks(scene: &mut Scene) {
    let (pace, open, others) = (scene.log(1, 9_000), scene.range(0, 20), failing(scene));
    let mut hosts = Vec::new();
    for _ in 0..scene.range(2, 9) {
        let count = scene.range(10, 120);
        hosts.extend(network(scene, count));
    }
    scan(scene, &hosts, pace, open, others);
}

/// Addresses by chance, from a machine that was taken over.
fn world(scene: &mut Scene) {
    let (source, count, open) = (scene.inside(), scene.log(150, 3_000), scene.range(0, 6));
    let (port, pace) = (scene.pick(&[22, 23, 2323, 445, 80, 8080, 5555, 3389]), scene.log(2, 2_000));
    for start in paced(scene, count, pace) {
        let (host, reply) = (scene.outside(), either(scene, open, Reply::Used, Reply::Silent));
        look(scene, (source, host, port), start, reply);
    }
}

/// The own network and its neighbours; who is found is talked to.
fn worm(scene: &mut Scene) {
    let (source, port, pace) = (scene.inside(), scene.pick(&[445, 139, 3389, 22]), scene.log(5, 5_000));
    for _ in 0..scene.range(1, 4) {
        let (hosts, open) = (network(scene, 254), scene.range(2, 30));
        let others = scene.pick(&[Reply::Silent, Reply::Reset]);
        for (host, start) in hosts.iter().zip(paced(scene, 254, pace)) {
            let reply = either(scene, open, Reply::Used, others);
            look(scene, (source, *host, port), start, reply);
        }
    }
}

fn pings(scene: &mut Scene) {
    let (source, up, pace) = (scanner(scene), scene.range(2, 60), scene.log(2, 5_000));
    let (count, packets) = (scene.range(60, 254), scene.range(1, 3));
    let hosts = network(scene, count);
    for (host, start) in hosts.iter().zip(paced(scene, count, pace)) {
        let is_up = scene.rng.chance(up);
        ping(scene, source, *host, start, packets, is_up);
    }
}

fn pings_in_rows(scene: &mut Scene) {
    let (source, up, pace) = (scanner(scene), scene.range(2, 60), scene.log(2, 5_000));
    let (count, packets) = (scene.range(60, 254), scene.range(1, 3));
    let hosts = network(scene, count);
    for (host, start) in hosts.iter().zip(paced(scene, count, pace)) {
        let is_up = scene.rng.chance(up);
        ping_rows(scene, [source, *host], start, packets, is_up);
    }
}

fn udp(scene: &mut Scene) {
    let (source, port) = (scanner(scene), scene.pick(&[53, 123, 161, 137, 1900, 5060, 11_211]));
    let (count, open, pace) = (scene.range(40, 254), scene.range(0, 20), scene.log(1, 5_000));
    let (hosts, others) = (network(scene, count), scene.pick(&[Reply::Silent, Reply::Silent, Reply::Reject]));
    for (host, start) in hosts.iter().zip(paced(scene, count, pace)) {
        let reply = either(scene, open, Reply::Open, others);
        datagram(scene, (source, *host, port), start, reply);
    }
}

fn slow(scene: &mut Scene) {
    let (count, pace, open, others) =
        (scene.range(60, 254), scene.range(10_000, 30_000), scene.range(0, 15), failing(scene));
    let hosts = network(scene, count);
    scan(scene, &hosts, pace, open, others);
}

fn very_slow(scene: &mut Scene) {
    let (count, pace, open, others) =
        (scene.range(30, 254), scene.range(60_000, 360_000), scene.range(0, 15), failing(scene));
    let hosts = network(scene, count);
    scan(scene, &hosts, pace, open, others);
}

/// Rows of a firewall only, some without flags.
fn rejected(scene: &mut Scene) {
    let (count, pace, has_flags) = (scene.range(25, 254), scene.log(1, 20_000), scene.rng.chance(50));
    let (at, hosts) = (scene.connections.len(), network(scene, count));
    scan(scene, &hosts, pace, 0, Reply::Reject);
    for one in scene.connections[at..].iter_mut().filter(|_| !has_flags) {
        one.forward.flags = TcpFlags::default();
    }
}

fn without_flags(scene: &mut Scene) {
    let (count, pace) = (scene.range(25, 254), scene.log(1, 20_000));
    let (at, hosts) = (scene.connections.len(), network(scene, count));
    scan(scene, &hosts, pace, 0, Reply::Silent);
    for one in &mut scene.connections[at..] {
        (one.state, one.forward.flags) = (Some(ConnState::Unknown), TcpFlags::default());
    }
}

fn several_ports(scene: &mut Scene) {
    let (source, count, pace) = (scanner(scene), scene.range(40, 254), scene.log(1, 900));
    let (hosts, services) = (network(scene, count), scene.range(2, 6));
    let (others, open) = (failing(scene), scene.range(0, 25));
    let mut starts = paced(scene, count * services, pace).into_iter();
    for host in hosts {
        for at in 0..services {
            let (start, port) = (starts.next().unwrap_or(0), SOUGHT[usize::try_from(at * 2).unwrap_or(0)]);
            let reply = either(scene, open, Reply::Open, others);
            look(scene, (source, host, port), start, reply);
        }
    }
}

/// A network of servers, many of which have the service; they are asked for a page, or left alone.
fn dense(scene: &mut Scene) {
    let (source, count, open) = (scanner(scene), scene.range(60, 254), scene.range(20, 60));
    let (port, pace) = (scene.pick(&[22, 80, 443, 3389]), scene.log(1, 3_000));
    let used = scene.range(0, 60);
    let (hosts, others) = (network(scene, count), failing(scene));
    for (host, start) in hosts.iter().zip(paced(scene, count, pace)) {
        let found = either(scene, used, Reply::Used, Reply::Open);
        let reply = either(scene, open, found, others);
        look(scene, (source, *host, port), start, reply);
    }
}

fn small_network(scene: &mut Scene) {
    let (count, pace, open, others) =
        (scene.pick(&[14, 28, 30, 62, 62, 126]), scene.log(1, 9_000), scene.range(0, 20), failing(scene));
    let hosts = network(scene, count);
    scan(scene, &hosts, pace, open, others);
}

/// By somebody who works on the same machine meanwhile.
fn among_browsing(scene: &mut Scene) {
    let at = scene.connections.len();
    one_network(scene);
    let Some(source) = scene.connections.get(at).map(|one| one.src) else { return };
    for _ in 0..scene.range(20, 200) {
        let (site, start, got) = (scene.outside(), scene.range(0, 30_000), scene.log(2_000, 900_000));
        scene.tcp((source, site, 443), (start, 9), bulk(1_500, got));
    }
}

/// Pings, checks of a port and questions for counters, of hosts of which some are switched off.
fn monitoring(scene: &mut Scene) {
    let (monitor, count, off) = (scene.inside(), scene.range(15, 150), scene.range(0, 25));
    let (every, rounds) = (scene.pick(&[60, 300, 300]), scene.range(8, 40));
    for host in network(scene, count) {
        let is_up = !scene.rng.chance(off);
        for round in 0..rounds {
            let start = round * every + scene.range(0, 5);
            ping_rows(scene, [monitor, host], start, 2, is_up);
            let reply = if is_up { Reply::Open } else { Reply::Silent };
            look(scene, (monitor, host, 22), start, reply);
            datagram(scene, (monitor, host, 161), start, reply);
        }
    }
}

/// Peers of a network that has one port; half of those it knows of are gone.
fn coins(scene: &mut Scene) {
    let (host, gone) = (scene.inside(), scene.range(15, 55));
    for _ in 0..scene.log(40, 600) {
        let (peer, start) = (scene.outside(), scene.range(0, 30_000));
        let reply = either(scene, gone, Reply::Silent, Reply::Used);
        look(scene, (host, peer, 8333), start, reply);
    }
}

/// Letters to servers of which some are gone; they are tried again later.
fn mail_server(scene: &mut Scene) {
    let (host, gone) = (scene.inside(), scene.range(3, 30));
    for _ in 0..scene.log(50, 500) {
        let (to, start) = (scene.outside(), scene.range(0, 20_000));
        if scene.rng.chance(gone) {
            for again in 0..scene.range(1, 6) {
                look(scene, (host, to, 25), start + again * 900, Reply::Silent);
            }
        } else {
            let size = scene.log(3_000, 900_000);
            scene.tcp((host, to, 25), (start, 4), bulk(size, 900));
        }
    }
}

/// A machine that may not go out tries clocks, updates and pages.
fn no_way_out(scene: &mut Scene) {
    let (host, reply) = (scene.inside(), scene.pick(&[Reply::Silent, Reply::Reject]));
    for _ in 0..scene.range(5, 60) {
        let (site, start) = (scene.outside(), scene.range(0, 30_000));
        for at in 0..scene.range(1, 8) {
            look(scene, (host, site, 443), start + at * 3, reply);
        }
    }
    for _ in 0..scene.range(4, 60) {
        let (clock, start) = (scene.outside(), scene.range(0, 30_000));
        for at in 0..scene.range(1, 8) {
            datagram(scene, (host, clock, 123), start + at * 64, reply);
        }
    }
}

/// Pages are asked for over QUIC first, which does not get through, then over TCP.
fn quic_blocked(scene: &mut Scene) {
    let (host, reply) = (scene.inside(), scene.pick(&[Reply::Silent, Reply::Reject]));
    for _ in 0..scene.log(50, 600) {
        let (site, start, got) = (scene.outside(), scene.range(0, 30_000), scene.log(3_000, 900_000));
        datagram(scene, (host, site, 443), start, reply);
        scene.tcp((host, site, 443), (start + 1, 9), bulk(1_200, got));
    }
}

/// A server of Windows asks who visits it, which gets no answer from outside.
fn names_of_visitors(scene: &mut Scene) {
    let server = scene.inside();
    for _ in 0..scene.log(30, 500) {
        let (visitor, start, got) = (scene.outside(), scene.range(0, 30_000), scene.log(2_000, 900_000));
        scene.tcp((visitor, server, 80), (start, 9), bulk(900, got));
        datagram(scene, (server, visitor, 137), start + 1, Reply::Silent);
    }
}

fn allowed_scanner(scene: &mut Scene) {
    let at = scene.connections.len();
    several_ports(scene);
    let source = scene.partner();
    scene.connections[at..].iter_mut().for_each(|one| one.src = source);
}

/// Everybody asks the gateway whether it is there; requests and replies are rows of their own.
fn pinged_gateway(scene: &mut Scene) {
    let (gateway, count) = (scene.inside(), scene.range(20, 200));
    for host in network(scene, count) {
        for _ in 0..scene.range(1, 6) {
            let (start, packets) = (scene.range(0, 30_000), scene.range(1, 4));
            ping_rows(scene, [host, gateway], start, packets, true);
        }
    }
}

/// A router tells many hosts that something is out of reach or took too many hops.
fn router_errors(scene: &mut Scene) {
    let router = scene.outside();
    for _ in 0..scene.range(2, 5) {
        let (count, kind) = (scene.range(5, 60), scene.pick(&[0x0301, 0x0303, 0x030d, 0x0b00]));
        for host in far_network(scene, count) {
            let (start, packets) = (scene.range(0, 30_000), scene.range(1, 9));
            let ways = [(packets, packets * 70), (0, 0)];
            let one = scene.add(Protocol::ICMP, (router, host, 0), (start, packets), ways);
            one.dst_port = Some(kind);
        }
    }
}
