//! Services without a name that somebody set up, and what else goes over ports without a name.

use flowcore::Protocol;
use flowcore::aggregate::ConnState;

use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 14 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "unusual-port",
        14,
        &[
            ("shell", true, shell),
            ("shell-short", true, shell_short),
            ("shell-bound", true, shell_bound),
            ("upload", true, upload),
            ("tools", true, tools),
            ("tasks", true, tasks),
            ("tunnel-udp", true, tunnel_udp),
            ("tunnel-tcp", true, tunnel_tcp),
            ("upload-to-inside", true, upload_to_inside),
            ("passive-ftp", false, passive_ftp),
            ("active-ftp", false, active_ftp),
            ("call", false, call),
            ("call-ephemeral", false, call_ephemeral),
            ("quic", false, quic),
            ("traceroute", false, traceroute),
            ("rpc-inside", false, rpc_inside),
            ("probes-refused", false, probes_refused),
            ("probes-answered", false, probes_answered),
            ("cut-answers", false, cut_answers),
            ("named-services", false, named_services),
            ("allowed-agent", false, allowed_agent),
        ],
    )
}

/// A session of so many seconds with a packet now and then.
fn session(scene: &mut Scene, from_inside: bool, secs: u64) {
    let (host, peer, port) = (scene.inside(), scene.outside(), scene.odd_port(Protocol::TCP));
    let (packets, start) = (scene.range(secs / 20 + 12, secs + 200), scene.range(0, 20_000));
    let ways = scene.typed(packets, 60, 220);
    let ends = if from_inside { (host, peer, port) } else { (peer, host, port) };
    scene.tcp(ends, (start, secs), ways);
}

fn shell(scene: &mut Scene) {
    let secs = scene.log(120, 20_000);
    session(scene, true, secs);
}

fn shell_short(scene: &mut Scene) {
    let secs = scene.range(45, 400);
    session(scene, true, secs);
}

fn shell_bound(scene: &mut Scene) {
    let secs = scene.log(60, 9_000);
    session(scene, false, secs);
}

fn transfer(scene: &mut Scene, from_inside: bool, up: u64, down: u64) {
    let (host, peer, port) = (scene.inside(), scene.outside(), scene.odd_port(Protocol::TCP));
    let (start, secs) = (scene.range(0, 20_000), scene.log(1, 900));
    let ends = if from_inside { (host, peer, port) } else { (peer, host, port) };
    scene.tcp(ends, (start, secs), bulk(up, down));
}

fn upload(scene: &mut Scene) {
    let (up, down) = (scene.log(200_000, 500_000_000), scene.log(400, 9_000));
    transfer(scene, true, up, down);
}

fn upload_to_inside(scene: &mut Scene) {
    let (up, down) = (scene.log(200_000, 50_000_000), scene.log(400, 9_000));
    transfer(scene, false, up, down);
}

fn tools(scene: &mut Scene) {
    let (up, down) = (scene.log(300, 9_000), scene.log(90_000, 40_000_000));
    transfer(scene, true, up, down);
}

/// Short connections that fetch something to do and bring results.
fn tasks(scene: &mut Scene) {
    let (host, peer, port) = (scene.inside(), scene.outside(), scene.odd_port(Protocol::TCP));
    for at in 0..scene.range(15, 200) {
        let (up, down, start) = (scene.log(400, 60_000), scene.log(400, 60_000), scene.range(0, 250));
        scene.tcp((host, peer, port), (at * 300 + start, 3), bulk(up, down));
    }
}

/// WireGuard, or a tunnel that somebody wrote.
fn tunnel_udp(scene: &mut Scene) {
    let port = if scene.rng.chance(40) { 51_820 } else { scene.odd_port(Protocol::UDP) };
    let (host, peer, start) = (scene.inside(), scene.outside(), scene.range(0, 20_000));
    let (secs, packets) = (scene.log(600, 60_000), scene.log(200, 200_000));
    let ways = scene.typed(packets, 90, 900);
    scene.udp((host, peer, port), (start, secs), ways);
}

fn tunnel_tcp(scene: &mut Scene) {
    let (host, peer, port) = (scene.inside(), scene.outside(), scene.odd_port(Protocol::TCP));
    let (secs, packets, start) = (scene.log(600, 60_000), scene.log(200, 200_000), scene.range(0, 20_000));
    let ways = scene.typed(packets, 90, 900);
    scene.tcp((host, peer, port), (start, secs), ways);
}

/// Data connections follow each other within a session; the last may outlive it.
fn passive_ftp(scene: &mut Scene) {
    let inside_asks = scene.rng.chance(70);
    let (host, peer) = (scene.inside(), scene.outside());
    let (client, server) = if inside_asks { (host, peer) } else { (peer, host) };
    let (start, count) = (scene.range(0, 20_000), scene.range(1, 15));
    let secs = count * 40 + scene.range(0, 200);
    scene.tcp(
        (client, server, 21),
        (start, secs),
        [(count * 6 + 8, count * 400), (count * 6 + 8, count * 700)],
    );
    for at in 0..count {
        let (port, size, took) = (scene.ephemeral(), scene.log(300, 90_000_000), scene.range(1, 60));
        let ways = if scene.rng.chance(60) { bulk(0, size) } else { bulk(size, 0) };
        scene.tcp((client, server, port), (start + 2 + at * 40, took), ways);
    }
}

/// The server connects back, from port 20.
fn active_ftp(scene: &mut Scene) {
    let (host, server, start) = (scene.inside(), scene.outside(), scene.range(0, 20_000));
    scene.tcp((host, server, 21), (start, 300), [(40, 2_000), (40, 3_000)]);
    for at in 0..scene.range(1, 6) {
        let (port, size) = (scene.ephemeral(), scene.log(1_000, 90_000_000));
        scene.tcp((server, host, port), (start + 5 + at * 40, 30), bulk(size, 0)).src_port = Some(20);
    }
}

fn media(scene: &mut Scene, port: u16, is_set_up: bool) {
    let (host, peer, server) = (scene.inside(), scene.outside(), scene.outside());
    let (start, secs) = (scene.range(400, 20_000), scene.range(20, 7_000));
    let (rate, size) = (scene.range(25, 500), scene.range(120, 1_100));
    if is_set_up {
        let before = scene.range(0, 20);
        scene.udp((host, server, 3478), (start - before, 2), [(3, 300), (3, 330)]);
    }
    let (sent, got) = (secs * rate, secs * rate * 100 / scene.range(40, 250));
    scene.udp((host, peer, port), (start, secs), [(sent, sent * size), (got, got * size)]);
}

fn call(scene: &mut Scene) {
    let port = scene.pick(&[8801, 9000, 10_400, 16_500, 19_410, 3479, 50_010]);
    media(scene, port, true);
}

fn call_ephemeral(scene: &mut Scene) {
    let port = scene.port(33_000, 65_000);
    let is_set_up = scene.rng.chance(70);
    media(scene, port, is_set_up);
}

fn quic(scene: &mut Scene) {
    let (host, site) = (scene.inside(), scene.outside());
    let (got, secs) = (scene.log(20_000, 900_000_000), scene.log(5, 3_000));
    scene.udp((host, site, 443), (100, secs), [(got / 5_000 + 9, got / 70 + 900), (got / 1_200 + 9, got)]);
}

fn traceroute(scene: &mut Scene) {
    let (host, goal, start) = (scene.inside(), scene.outside(), scene.range(0, 20_000));
    for hop in 0..scene.range(20, 90) {
        let port = u16::try_from(33_434 + hop).unwrap_or(u16::MAX);
        scene.udp((host, goal, port), (start + hop / 3, 0), [(1, 60), (0, 0)]);
    }
    scene.add(Protocol::ICMP, (host, goal, 0), (start, 900), [(900, 75_600), (900, 75_600)]);
}

fn rpc_inside(scene: &mut Scene) {
    for _ in 0..scene.range(3, 40) {
        let (from, to, port) = (scene.inside(), scene.inside(), scene.port(49_152, 65_535));
        let (up, down, secs) = (scene.log(900, 9_000_000), scene.log(900, 90_000_000), scene.log(1, 9_000));
        scene.tcp((from, to, port), (scene.connections.len() as u64, secs), bulk(up, down));
    }
}

/// Scanners from outside, most of all of whose packets are lost.
fn probes_refused(scene: &mut Scene) {
    let (scanner, host) = (scene.outside(), scene.inside());
    for at in 0..scene.range(20, 900) {
        let port = scene.odd_port(Protocol::TCP);
        let is_refused = scene.rng.chance(60);
        let back = if is_refused { (1, 40) } else { (0, 0) };
        let one = scene.tcp((scanner, host, port), (at, 0), [(1, 44), back]);
        one.state = Some(if is_refused { ConnState::Refused } else { ConnState::Unanswered });
    }
}

/// Scanners that get a banner or an error and go on.
fn probes_answered(scene: &mut Scene) {
    let host = scene.inside();
    for at in 0..scene.range(3, 40) {
        let (scanner, port, answer) = (scene.outside(), scene.odd_port(Protocol::TCP), scene.log(1, 900));
        let secs = scene.range(0, 30);
        scene.tcp((scanner, host, port), (at * 60, secs), [(4, 260), (4, 220 + answer)]);
    }
}

/// Rows of which the source saw the answers only, or first.
fn cut_answers(scene: &mut Scene) {
    for _ in 0..scene.range(3, 20) {
        let (host, site, port) = (scene.inside(), scene.outside(), scene.ephemeral());
        let (named, size, start) =
            (scene.pick(&[443, 80, 53, 993]), scene.log(5_000, 9_000_000), scene.range(0, 9_000));
        scene.tcp((site, host, port), (start, 100), bulk(size, 2_000)).src_port = Some(named);
    }
}

fn named_services(scene: &mut Scene) {
    for port in [22, 25, 80, 110, 143, 443, 993, 1194, 3389, 5222, 8080] {
        let (host, peer, secs) = (scene.inside(), scene.outside(), scene.log(10, 9_000));
        let (up, down) = (scene.log(900, 9_000_000), scene.log(900, 90_000_000));
        scene.tcp((host, peer, port), (u64::from(port), secs), bulk(up, down));
    }
}

fn allowed_agent(scene: &mut Scene) {
    let (host, partner, port) = (scene.inside(), scene.partner(), scene.odd_port(Protocol::TCP));
    let (up, down) = (scene.log(90_000, 900_000_000), scene.log(900, 900_000));
    scene.tcp((host, partner, port), (10, 7_000), bulk(up, down));
}
