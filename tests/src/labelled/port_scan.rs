//! Scans of the ports of a host, and much traffic to many ports that is something else.

use flowcore::TcpFlags;
use flowcore::aggregate::ConnState;

use super::everyday;
use super::probes::{Reply, datagram, either, look, network, paced, scanner, tried_ports};
use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 10 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "port-scan",
        10,
        &[
            ("closed", true, closed),
            ("dropped", true, dropped),
            ("connect", true, connect),
            ("slow", true, slow),
            ("very-slow", true, very_slow),
            ("udp", true, udp),
            ("rejected", true, rejected),
            ("without-flags", true, without_flags),
            ("odd-flags", true, odd_flags),
            ("short-list", true, short_list),
            ("versions", true, versions),
            ("among-visits", true, among_visits),
            ("all-open", true, all_open),
            ("several-hosts", true, several_hosts),
            ("browsing", false, everyday::browsing),
            ("resolver", false, everyday::resolver),
            ("checks-of-ports", false, checks_of_ports),
            ("passive-ftp", false, passive_ftp),
            ("torrent", false, everyday::torrent),
            ("health-checks", false, everyday::health_checks),
            ("traceroute", false, traceroute),
            ("remote-calls", false, remote_calls),
            ("server-down", false, everyday::server_down),
            ("allowed-scanner", false, allowed_scanner),
            ("half-seen", false, everyday::half_seen),
            ("gateway", false, everyday::gateway),
            ("voice", false, voice),
            ("containers", false, containers),
        ],
    )
}

/// A scan of so many ports at one pace, where this part of 100 is open and the others do something else.
fn scan(scene: &mut Scene, count: u64, pace: u64, open: u64, others: Reply) {
    let (source, host) = (scanner(scene), scene.inside());
    let ports = tried_ports(scene, count);
    for (port, start) in ports.into_iter().zip(paced(scene, count, pace)) {
        let reply = either(scene, open, Reply::Open, others);
        look(scene, (source, host, port), start, reply);
    }
}

fn closed(scene: &mut Scene) {
    let (count, pace, open) = (scene.log(100, 3_000), scene.log(1, 500), scene.range(0, 6));
    scan(scene, count, pace, open, Reply::Reset);
}

fn dropped(scene: &mut Scene) {
    let (count, pace, open) = (scene.log(100, 2_000), scene.log(1, 2_000), scene.range(0, 4));
    let at = scene.connections.len();
    scan(scene, count, pace, open, Reply::Silent);
    // What got lost is tried again from another port.
    let looks = scene.connections.split_off(at);
    scene.connections.extend(&looks);
    for again in looks {
        if again.state == Some(ConnState::Unanswered) {
            for repeat in 1..=scene.range(1, 2) {
                let mut again = again;
                again.first = again.first.saturating_add(repeat as i64 * 1_000_000_000);
                again.last = again.first;
                again.src_port = Some(scene.ephemeral());
                scene.connections.push(again);
            }
        }
    }
}

fn connect(scene: &mut Scene) {
    let (count, pace, open) = (scene.log(50, 3_000), scene.log(2, 900), scene.range(1, 15));
    let others = scene.pick(&[Reply::Reset, Reply::Silent]);
    scan(scene, count, pace, open, others);
}

/// One look every 10 to 30 seconds, for hours.
fn slow(scene: &mut Scene) {
    let (count, pace, open) = (scene.range(80, 1_500), scene.range(10_000, 30_000), scene.range(0, 6));
    let others = scene.pick(&[Reply::Reset, Reply::Silent, Reply::Reject]);
    scan(scene, count, pace, open, others);
}

/// One look every minute to every 6 minutes, for a day.
fn very_slow(scene: &mut Scene) {
    let (count, pace, open) = (scene.range(40, 300), scene.range(60_000, 360_000), scene.range(0, 6));
    let others = scene.pick(&[Reply::Reset, Reply::Silent, Reply::Reject]);
    scan(scene, count, pace, open, others);
}

fn udp(scene: &mut Scene) {
    let (source, host, count) = (scanner(scene), scene.inside(), scene.log(20, 1_000));
    let (open, pace) = (scene.range(0, 8), scene.log(5, 1_200));
    let ports = tried_ports(scene, count);
    for (port, start) in ports.into_iter().zip(paced(scene, count, pace)) {
        let reply = either(scene, open, Reply::Open, Reply::Silent);
        datagram(scene, (source, host, port), start, reply);
    }
}

/// Rows of a firewall only, some without flags.
fn rejected(scene: &mut Scene) {
    let (count, pace, has_flags) = (scene.log(30, 2_000), scene.log(1, 20_000), scene.rng.chance(50));
    let at = scene.connections.len();
    scan(scene, count, pace, 0, Reply::Reject);
    for one in scene.connections[at..].iter_mut().filter(|_| !has_flags) {
        one.forward.flags = TcpFlags::default();
    }
}

/// A log of one way that does not write flags.
fn without_flags(scene: &mut Scene) {
    let (count, pace) = (scene.log(50, 2_000), scene.log(1, 20_000));
    let at = scene.connections.len();
    scan(scene, count, pace, 0, Reply::Silent);
    for one in &mut scene.connections[at..] {
        (one.state, one.forward.flags) = (Some(ConnState::Unknown), TcpFlags::default());
    }
}

/// FIN, all flags at once or none: what is closed sends a reset.
fn odd_flags(scene: &mut Scene) {
    let (count, pace, flags) = (scene.log(100, 2_000), scene.log(1, 900), scene.pick(&[0x01, 0x29, 0x00]));
    let at = scene.connections.len();
    scan(scene, count, pace, 0, Reply::Reset);
    for one in &mut scene.connections[at..] {
        (one.state, one.forward.flags) = (Some(ConnState::Accepted), TcpFlags(flags));
    }
}

fn short_list(scene: &mut Scene) {
    let (count, pace, open) = (scene.range(10, 100), scene.log(5, 60_000), scene.range(0, 15));
    let others = scene.pick(&[Reply::Reset, Reply::Silent, Reply::Reject]);
    scan(scene, count, pace, open, others);
}

/// Open ports are asked for what they are.
fn versions(scene: &mut Scene) {
    let (count, pace, open) = (scene.log(60, 1_500), scene.log(1, 900), scene.range(2, 20));
    let at = scene.connections.len();
    let others = scene.pick(&[Reply::Reset, Reply::Silent]);
    scan(scene, count, pace, open, others);
    let looks = scene.connections.split_off(at);
    scene.connections.extend(&looks);
    for found in looks {
        if let (Some(ConnState::Accepted), Some(port)) = (found.state, found.dst_port) {
            let start = scene.range(20_000, 22_000);
            for _ in 0..scene.range(1, 4) {
                look(scene, (found.src, found.dst, port), start, Reply::Used);
            }
        }
    }
}

/// The source is a gateway, behind which others visit the same host.
fn among_visits(scene: &mut Scene) {
    let at = scene.connections.len();
    closed(scene);
    let ends = scene.connections.get(at).map(|one| (one.src, one.dst));
    let Some((source, host)) = ends else { return };
    for _ in 0..scene.range(20, 400) {
        let (start, asked, got) = (scene.range(0, 30_000), scene.log(400, 9_000), scene.log(900, 900_000));
        scene.tcp((source, host, 443), (start, 3), bulk(asked, got));
    }
}

/// Something in between takes every connection.
fn all_open(scene: &mut Scene) {
    let (count, pace) = (scene.log(100, 3_000), scene.log(1, 900));
    scan(scene, count, pace, 100, Reply::Open);
}

/// The ports of one host after another, or all of them mixed.
fn several_hosts(scene: &mut Scene) {
    let (source, count, machines) = (scanner(scene), scene.range(20, 200), scene.range(3, 20));
    let (hosts, ports) = (network(scene, machines), tried_ports(scene, count));
    let (pace, open) = (scene.log(1, 300), scene.range(0, 10));
    let mut starts = paced(scene, count * machines, pace).into_iter();
    for port in ports {
        for &host in &hosts {
            let (reply, start) = (either(scene, open, Reply::Open, Reply::Reset), starts.next().unwrap_or(0));
            look(scene, (source, host, port), start, reply);
        }
    }
}

/// Monitoring that opens each service of some hosts every few minutes; now and then a host is down for a while.
fn checks_of_ports(scene: &mut Scene) {
    let (monitor, machines, every) = (scene.inside(), scene.range(1, 6), scene.pick(&[30, 60, 60, 300]));
    let (services, rounds) = (scene.range(5, 40), scene.range(30, 120));
    for host in network(scene, machines) {
        let ports = tried_ports(scene, services);
        let (down, until) = (scene.range(0, rounds * 2), scene.range(1, 20));
        for round in 0..rounds {
            let is_down = (down..down + until).contains(&round);
            let reply = if is_down { Reply::Silent } else { Reply::Open };
            ports.iter().for_each(|&port| {
                look(scene, (monitor, host, port), round * every, reply);
            });
        }
    }
}

/// Each file and list comes over a port of its own; some of them do not get through.
fn passive_ftp(scene: &mut Scene) {
    let (client, server, count) = (scene.outside(), scene.inside(), scene.range(5, 300));
    let (lost, secs) = (scene.pick(&[0, 0, 5, 40]), scene.range(count * 2, count * 20));
    scene.tcp((client, server, 21), (100, secs + 40), bulk(count * 40, count * 90));
    for at in 0..count {
        let (port, start) = (scene.port(20_000, 60_000), 110 + at * secs / count);
        let reply = either(scene, lost, Reply::Silent, Reply::Used);
        look(scene, (client, server, port), start, reply);
    }
}

fn traceroute(scene: &mut Scene) {
    let (host, count) = (scene.inside(), scene.range(1, 12));
    for _ in 0..count {
        let (target, start) = (scene.outside(), scene.range(0, 30_000));
        for probe in 0..scene.range(20, 90) {
            let port = 33_434 + u16::try_from(probe).unwrap_or(0);
            scene.udp((host, target, port), (start + probe / 9, 0), [(1, 60), (0, 0)]);
        }
    }
}

/// A look at the port mapper, then calls at the ports that it named.
fn remote_calls(scene: &mut Scene) {
    let (server, mapper) = (scene.inside(), scene.pick(&[135, 111]));
    for _ in 0..scene.range(5, 40) {
        let client = scene.inside();
        for _ in 0..scene.range(1, 25) {
            let (start, port) = (scene.range(0, 30_000), scene.port(49_152, 65_535));
            scene.tcp((client, server, mapper), (start, 1), bulk(300, 400));
            let (asked, got) = (scene.log(300, 40_000), scene.log(300, 90_000));
            scene.tcp((client, server, port), (start + 1, 2), bulk(asked, got));
        }
    }
}

fn allowed_scanner(scene: &mut Scene) {
    let at = scene.connections.len();
    closed(scene);
    let source = scene.partner();
    scene.connections[at..].iter_mut().for_each(|one| one.src = source);
}

/// Calls of an exchange: one port after the other, some without an answer.
fn voice(scene: &mut Scene) {
    let (phones, exchange) = (scene.outside(), scene.inside());
    let calls = scene.range(5, 150);
    scene.udp(
        (phones, exchange, 5060),
        (5, 30_000),
        [(calls * 9, calls * 5_000), (calls * 8, calls * 4_000)],
    );
    for _ in 0..calls {
        let (start, secs) = (scene.range(0, 28_000), scene.log(2, 1_200));
        let (port, packets) = (scene.port(10_000, 20_000) & !1, secs * 50);
        let back = if scene.rng.chance(85) { packets * scene.range(60, 100) / 100 } else { 0 };
        let ways = [(packets, packets * 200), (back, back * 200)];
        scene.udp((phones, exchange, port), (start, secs), ways);
    }
}

/// A machine with many small services, all in use; some were restarted meanwhile.
fn containers(scene: &mut Scene) {
    let (client, host, services) = (scene.inside(), scene.inside(), scene.range(8, 60));
    for at in 0..services {
        let port = 30_000 + u16::try_from(at * 7).unwrap_or(0);
        let lost = scene.pick(&[0, 0, 2, 20]);
        for _ in 0..scene.range(2, 60) {
            let (start, reply) = (scene.range(0, 30_000), either(scene, lost, Reply::Reset, Reply::Used));
            look(scene, (client, host, port), start, reply);
        }
    }
}
