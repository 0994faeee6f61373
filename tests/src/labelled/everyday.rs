//! Traffic to many hosts and ports that is no scan.

use flowcore::aggregate::ConnState;
use flowcore::{Addr, Protocol, TcpFlags};

use super::probes::{Reply, datagram, either, look, network};
use super::volume::Scene;

/// Pages of many sites by some people; a few connections fail, or are opened and not needed.
pub(super) fn browsing(scene: &mut Scene) {
    for _ in 0..scene.range(1, 4) {
        let (host, sites, lost) = (scene.inside(), scene.log(30, 800), scene.range(0, 10));
        for _ in 0..sites {
            let (site, start) = (scene.outside(), scene.range(0, 30_000));
            for _ in 0..scene.range(1, 4) {
                let used = either(scene, 8, Reply::Open, Reply::Used);
                let reply = either(scene, lost, Reply::Silent, used);
                let port = scene.pick(&[443, 443, 443, 443, 80]);
                look(scene, (host, site, port), start, reply);
            }
        }
    }
}

/// Questions to servers of names all over the world, of which some are lame.
pub(super) fn resolver(scene: &mut Scene) {
    let (host, lame) = (scene.inside(), scene.range(1, 25));
    for _ in 0..scene.log(100, 900) {
        let server = scene.outside();
        let is_lame = scene.rng.chance(lame);
        for _ in 0..scene.range(1, 5) {
            let (start, reply) = (scene.range(0, 30_000), if is_lame { Reply::Silent } else { Reply::Used });
            datagram(scene, (host, server, 53), start, reply);
        }
    }
}

/// Peers at the port of the program and at any other, many of them long gone.
pub(super) fn torrent(scene: &mut Scene) {
    let (host, gone, own) = (scene.inside(), scene.range(25, 65), scene.pick(&[6881, 51_413, 16_881]));
    for _ in 0..scene.log(150, 1_500) {
        let (peer, start) = (scene.outside(), scene.range(0, 30_000));
        let port = if scene.rng.chance(20) { own } else { scene.port(1_025, 65_535) };
        let reply = either(scene, gone, Reply::Silent, Reply::Used);
        if scene.rng.chance(60) {
            datagram(scene, (host, peer, port), start, reply);
        } else {
            look(scene, (host, peer, port), start, reply);
        }
    }
}

/// A balancer opens the port of each of its servers every few seconds.
pub(super) fn health_checks(scene: &mut Scene) {
    let (balancer, servers, port) =
        (scene.inside(), scene.range(3, 80), scene.pick(&[80, 443, 8080, 30_080]));
    let (every, rounds, down) = (scene.pick(&[5, 10, 30]), scene.range(10, 40), scene.range(0, 20));
    let kind = scene.pick(&[Reply::Open, Reply::Used]);
    for server in network(scene, servers) {
        let reply = either(scene, down, Reply::Reset, kind);
        for round in 0..rounds {
            look(scene, (balancer, server, port), round * every, reply);
        }
    }
}

/// Clients try the services of servers that are down again and again.
pub(super) fn server_down(scene: &mut Scene) {
    let (servers, services) = (scene.range(1, 40), scene.range(1, 6));
    let (client, reply) = (scene.inside(), scene.pick(&[Reply::Silent, Reply::Reset]));
    let (every, tries) = (scene.log(1, 120), scene.range(10, 60));
    for server in network(scene, servers) {
        for service in 0..services {
            let port = [5432, 9092, 6379, 22, 443, 8080][usize::try_from(service).unwrap_or(0)];
            for at in 0..tries {
                look(scene, (client, server, port), at * every, reply);
            }
        }
    }
}

/// Of the connections of many clients only what the server sent.
pub(super) fn half_seen(scene: &mut Scene) {
    let (server, port) = (scene.inside(), scene.pick(&[443, 80, 53, 22, 3306, 8080]));
    let protocol = if port == 53 { Protocol::UDP } else { Protocol::TCP };
    let (clients, flags) = (scene.range(1, 60), scene.pick(&[0x00, 0x12, 0x1a, 0x1b, 0x14, 0x11]));
    let is_rejected = scene.rng.chance(25);
    for _ in 0..clients {
        let client = scene.outside();
        for _ in 0..scene.range(5, 60) {
            let (to, start, packets) = (scene.port(20_000, 65_535), scene.range(0, 30_000), scene.log(1, 30));
            let size = if scene.rng.chance(50) { 40 } else { scene.range(60, 900) };
            let one =
                scene.add(protocol, (server, client, to), (start, 1), [(packets, packets * size), (0, 0)]);
            one.src_port = Some(port);
            one.forward.flags = TcpFlags(if port == 53 { 0 } else { flags });
            one.state = Some(match (is_rejected, protocol) {
                (true, _) => ConnState::Refused,
                (_, Protocol::UDP) => ConnState::Unanswered,
                _ => ConnState::Unknown,
            });
        }
    }
}

/// Everybody of a building behind one address.
pub(super) fn gateway(scene: &mut Scene) {
    let (host, lost) = (scene.outside(), scene.range(1, 12));
    let far: Vec<Addr> = (0..scene.log(200, 900)).map(|_| scene.outside()).collect();
    for _ in 0..scene.log(500, 3_000) {
        let (site, start) = (scene.pick(&far), scene.range(0, 30_000));
        let port = scene.pick(&[443, 443, 443, 80, 993, 22, 5222, 8443, 3478]);
        let reply = either(scene, lost, Reply::Silent, Reply::Used);
        look(scene, (host, site, port), start, reply);
    }
}
