//! Floods, and much traffic that is answered, agreed on or ordinary.

use flowcore::aggregate::ConnState;
use flowcore::{Addr, Protocol};

use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 13 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "flood",
        13,
        &[
            ("syn-made-up-sources", true, syn_made_up_sources),
            ("syn-one-source", true, syn_one_source),
            ("syn-one-port", true, syn_one_port),
            ("syn-some-sources", true, syn_some_sources),
            ("syn-refused", true, syn_refused),
            ("udp-one-port", true, udp_one_port),
            ("udp-many-ports", true, udp_many_ports),
            ("dhcp-few-tuples", true, dhcp_few_tuples),
            ("dhcp-many-tuples", true, dhcp_many_tuples),
            ("icmp", true, icmp),
            ("download", false, download),
            ("stream", false, stream),
            ("camera", false, camera),
            ("iperf", false, iperf),
            ("busy-server", false, busy_server),
            ("resolver", false, resolver),
            ("neighbours", false, neighbours),
            ("dhcp-ordinary", false, dhcp_ordinary),
            ("server-down", false, server_down),
            ("monitoring", false, monitoring),
            ("scan-of-ports", false, scan_of_ports),
            ("one-way-view", false, one_way_view),
        ],
    )
}

/// The most connections of a case, for sets of a size that is built in seconds.
const MOST: u64 = 12_000;

/// SYNs of so many sources to one service: in all `rate` packets a second for `secs` seconds.
fn syns(scene: &mut Scene, sources: &[Addr], rate: u64, secs: u64, state: ConnState) {
    let (server, port) = (scene.inside(), scene.pick(&[80, 443, 22, 25, 8080, 53]));
    let count = (rate * secs).min(MOST);
    for at in 0..count {
        let src = if sources.is_empty() { scene.outside() } else { scene.pick(sources) };
        let packets = (rate * secs / count).max(1);
        let back = match state {
            ConnState::Unanswered => (0, 0),
            ConnState::Refused => (packets, packets * 40),
            _ => (packets * scene.range(1, 5), packets * 44),
        };
        let back = (back.0, back.1.max(back.0 * 44));
        let one = scene.tcp((src, server, port), (at * secs / count, 0), [(packets, packets * 44), back]);
        (one.state, one.forward.flags) = (Some(state), flowcore::TcpFlags::SYN);
    }
}

fn answers(scene: &mut Scene) -> ConnState {
    scene.pick(&[ConnState::Unanswered, ConnState::Accepted])
}

fn syn_made_up_sources(scene: &mut Scene) {
    let (rate, secs, state) = (scene.log(300, 5_000), scene.range(20, 300), answers(scene));
    syns(scene, &[], rate, secs, state);
}

fn syn_one_source(scene: &mut Scene) {
    let (source, rate, secs, state) =
        (scene.outside(), scene.log(300, 5_000), scene.range(20, 300), answers(scene));
    syns(scene, &[source], rate, secs, state);
}

/// All from the same port: one connection of very many packets.
fn syn_one_port(scene: &mut Scene) {
    let (source, server, port) = (scene.outside(), scene.inside(), scene.pick(&[80, 443, 22]));
    let (rate, secs) = (scene.log(300, 90_000), scene.range(15, 300));
    let packets = rate * secs;
    scene.tcp((source, server, port), (50, secs), [(packets, packets * 44), (0, 0)]).forward.flags =
        flowcore::TcpFlags::SYN;
}

fn syn_some_sources(scene: &mut Scene) {
    let sources: Vec<Addr> = (0..scene.range(3, 90)).map(|_| scene.outside()).collect();
    let (rate, secs, state) = (scene.log(300, 5_000), scene.range(20, 300), answers(scene));
    syns(scene, &sources, rate, secs, state);
    busy_server(scene);
}

fn syn_refused(scene: &mut Scene) {
    let (source, rate, secs) = (scene.outside(), scene.log(300, 5_000), scene.range(20, 300));
    syns(scene, &[source], rate, secs, ConnState::Refused);
}

fn udp_one_port(scene: &mut Scene) {
    let (server, port) = (scene.inside(), scene.pick(&[53, 80, 123, 443, 7777, 27_015]));
    let (rate, secs, size) = (scene.log(2_500, 200_000), scene.range(10, 300), scene.range(28, 1_400));
    let sources = scene.range(1, 40);
    for _ in 0..sources {
        let (source, packets) = (scene.outside(), rate * secs / sources);
        let back = packets / scene.range(50, 5_000);
        scene.udp((source, server, port), (90, secs), [(packets, packets * size), (back, back * 60)]);
    }
}

fn udp_many_ports(scene: &mut Scene) {
    let (source, server) = (scene.outside(), scene.inside());
    let (rate, secs, size) = (scene.log(6_000, 200_000), scene.range(60, 300), scene.range(28, 1_400));
    for _ in 0..MOST {
        let (port, packets) = (scene.port(1, 65_535), (rate * secs / MOST).max(1));
        scene.udp((source, server, port), (90, secs), [(packets, packets * size), (0, 0)]);
    }
}

fn discover(scene: &mut Scene, port: u16, when: (u64, u64), packets: u64) {
    let ends = (Addr::V4([0; 4].into()), Addr::V4([255; 4].into()), 67);
    scene.udp(ends, when, [(packets, packets * 328), (0, 0)]).src_port = Some(port);
}

fn dhcp_few_tuples(scene: &mut Scene) {
    let (rate, secs, pieces) = (scene.log(70, 20_000), scene.range(20, 300), scene.range(1, 4));
    for at in 0..pieces {
        let length = secs / pieces;
        discover(scene, 68, (50 + at * length, length), rate * length);
    }
}

fn dhcp_many_tuples(scene: &mut Scene) {
    let (rate, secs) = (scene.log(70, 400), scene.range(20, 30));
    for at in 0..rate * secs {
        let port = scene.port(1024, 65_000);
        discover(scene, port, (50 + at / rate, 0), 1);
    }
}

fn icmp(scene: &mut Scene) {
    let (server, rate, secs) = (scene.inside(), scene.log(700, 90_000), scene.range(15, 300));
    let sources = scene.range(1, 20);
    for _ in 0..sources {
        let (source, packets) = (scene.outside(), rate * secs / sources);
        let back = packets * scene.pick(&[0, 20, 100]) / 100;
        let ways = [(packets, packets * 84), (back, back * 84)];
        scene.add(Protocol::ICMP, (source, server, 0), (70, secs), ways);
    }
}

fn download(scene: &mut Scene) {
    for _ in 0..scene.range(1, 5) {
        let (host, site, size) = (scene.inside(), scene.outside(), scene.log(90_000_000, 9_000_000_000));
        scene.tcp((host, site, 443), (20, 200), bulk(900, size));
        scene.tcp((site, host, 443), (20, 200), bulk(size / 2, 900));
    }
}

/// Films over QUIC and TCP, answered now and then.
fn stream(scene: &mut Scene) {
    let (host, site, secs) = (scene.inside(), scene.outside(), scene.range(100, 5_000));
    let got = secs * scene.range(100, 9_000);
    scene.udp((host, site, 443), (20, secs), [(got / 8, got / 8 * 60), (got, got * 1_200)]);
    scene.udp((site, host, 443), (20, secs), [(got, got * 1_200), (got / 12 + 1, got / 12 * 60)]);
}

/// Cameras and voice that nobody answers, at the rate that they have.
fn camera(scene: &mut Scene) {
    for _ in 0..scene.range(1, 8) {
        let (source, recorder, port) = (scene.inside(), scene.inside(), scene.port(10_000, 60_000));
        let (secs, rate) = (scene.range(100, 9_000), scene.log(40, 1_200));
        scene.udp((source, recorder, port), (9, secs), [(secs * rate, secs * rate * 1_100), (0, 0)]);
    }
}

/// A measurement over UDP has a session over TCP at the same port, and a report at the end.
fn iperf(scene: &mut Scene) {
    let (from, to, secs) = (scene.inside(), scene.outside(), scene.range(10, 120));
    let packets = secs * scene.log(1_000, 80_000);
    scene.tcp((from, to, 5201), (100, secs + 2), bulk(1_500, 1_200));
    scene.udp((from, to, 5201), (101, secs), [(packets, packets * 1_400), (scene_back(packets), 3_000)]);
    scene.tcp((from, to, 5201), (300, secs), bulk(packets * 1_400, 0));
}

fn scene_back(packets: u64) -> u64 {
    packets / 100_000 + 1
}

/// Many visitors a second, of whom some give up.
fn busy_server(scene: &mut Scene) {
    let (server, rate, secs) = (scene.inside(), scene.log(20, 600), scene.range(20, 60));
    let lost = scene.range(0, 8);
    for at in 0..(rate * secs).min(MOST) {
        let (client, got) = (scene.outside(), scene.log(900, 90_000));
        match scene.rng.chance(lost) {
            true => scene.tcp((client, server, 443), (at / rate, 3), [(3, 180), (0, 0)]),
            false => scene.tcp((client, server, 443), (at / rate, 2), bulk(900, got)),
        };
    }
}

/// Names for everybody: answered, but for a few.
fn resolver(scene: &mut Scene) {
    let (server, rate) = (scene.inside(), scene.log(50, 4_000));
    for at in 0..MOST {
        let client = scene.inside();
        let back = if scene.rng.chance(4) { (0, 0) } else { (1, 180) };
        scene.udp((client, server, 53), (at / rate, 0), [(1, 70), back]);
    }
}

/// mDNS, SSDP and names of Windows, all around.
fn neighbours(scene: &mut Scene) {
    let groups = [([224, 0, 0, 251], 5353), ([239, 255, 255, 250], 1900), ([192, 168, 1, 255], 137)];
    for _ in 0..scene.range(20, 300) {
        let (host, (group, port)) = (scene.inside(), scene.pick(&groups));
        let (secs, packets) = (scene.range(1, 9_000), scene.log(1, 4_000));
        scene.udp((host, Addr::V4(group.into()), port), (5, secs), [(packets, packets * 200), (0, 0)]);
    }
}

/// Leases now and then, or of a whole network that has power again.
fn dhcp_ordinary(scene: &mut Scene) {
    let secs = scene.pick(&[60, 600, 30_000]);
    for _ in 0..scene.range(5, 400) {
        let (start, packets) = (scene.range(0, secs), scene.range(1, 4));
        discover(scene, 68, (start, packets * 2), packets);
    }
}

/// Clients of a service that is down try again and again.
fn server_down(scene: &mut Scene) {
    let (server, clients, secs) = (scene.inside(), scene.range(10, 150), scene.range(60, 600));
    let is_refused = scene.rng.chance(50);
    for _ in 0..clients {
        let client = scene.inside();
        for at in 0..(MOST / clients).min(secs / 3) {
            let back = if is_refused { (1, 40) } else { (0, 0) };
            let one = scene.tcp((client, server, 5432), (at * 3, 1), [(1, 60), back]);
            one.state = Some(if is_refused { ConnState::Refused } else { ConnState::Unanswered });
        }
    }
}

/// Pings all day, checks of ports, logs that are sent one way.
fn monitoring(scene: &mut Scene) {
    let monitor = scene.inside();
    for _ in 0..scene.range(5, 60) {
        let (host, secs, rate) = (scene.inside(), scene.range(900, 30_000), scene.range(1, 10));
        let count = secs * rate;
        scene.add(Protocol::ICMP, (monitor, host, 0), (5, secs), [(count, count * 84), (count, count * 84)]);
        scene.tcp((monitor, host, 443), (9, 0), [(4, 208), (3, 156)]);
        scene.udp((host, monitor, 514), (5, secs), [(count * 5, count * 900), (0, 0)]);
    }
}

/// Each port once or twice, as quickly as it goes.
fn scan_of_ports(scene: &mut Scene) {
    let (scanner, host, rate) = (scene.outside(), scene.inside(), scene.log(50, 5_000));
    let protocol = scene.pick(&[Protocol::TCP, Protocol::UDP]);
    for at in 0..MOST {
        let (port, packets) = (scene.port(1, 65_535), scene.range(1, 2));
        scene.add(protocol, (scanner, host, port), (at / rate, 0), [(packets, packets * 44), (0, 0)]);
    }
}

/// A capture that sees one way of large transfers.
fn one_way_view(scene: &mut Scene) {
    for _ in 0..scene.range(1, 20) {
        let (host, site, size) = (scene.inside(), scene.outside(), scene.log(900_000, 2_000_000_000));
        let (sends, packets) = (scene.rng.chance(50), size / 1400);
        let one = scene.tcp((host, site, 443), (20, 90), [(packets / 2 + 5, packets * 26 + 900), (0, 0)]);
        one.state = Some(ConnState::Unknown);
        if sends {
            (one.forward.packets, one.forward.bytes) = (packets, size);
        }
    }
}
