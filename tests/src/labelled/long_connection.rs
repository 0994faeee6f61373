//! Sessions and tunnels of hours, and what else stays open for hours.

use flowcore::{Addr, Protocol};

use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 14 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "long-connection",
        14,
        &[
            ("ssh-session", true, ssh_session),
            ("ssh-from-outside", true, ssh_from_outside),
            ("ssh-tunnel-quiet", true, ssh_tunnel_quiet),
            ("desktop", true, desktop),
            ("vpn", true, vpn),
            ("vpn-quiet", true, vpn_quiet),
            ("tls-tunnel", true, tls_tunnel),
            ("odd-port", true, odd_port),
            ("among-short-sessions", true, among_short_sessions),
            ("push-service", false, push_service),
            ("sockets-of-pages", false, sockets_of_pages),
            ("news-ticker", false, news_ticker),
            ("bgp", false, bgp),
            ("ntp", false, ntp),
            ("vpn-allowed", false, vpn_allowed),
            ("session-short", false, session_short),
            ("download-long", false, download_long),
            ("radio", false, radio),
            ("inside", false, inside),
            ("office-day", false, office_day),
            ("joined-with-pauses", false, joined_with_pauses),
        ],
    )
}

/// A connection of so many seconds that sends a packet of some bytes every so many seconds, on average. Half of them come
/// from a cloud log: a row each way for every minute or ten.
fn open(scene: &mut Scene, protocol: Protocol, ends: (Addr, Addr, u16), secs: u64, every_ms: u64, size: u64) {
    let packets = secs * 1000 / every_ms.max(1);
    let ways = scene.typed(packets, size * 8 / 10 + 1, size * 12 / 10 + 1);
    let (start, window) = (scene.range(0, 9_000), scene.pick(&[60, 600]));
    let is_log = scene.rng.chance(50);
    let one = scene.add(protocol, ends, (start, secs), ways);
    if is_log {
        one.rows = 2 * (secs / window).min(packets).max(1);
    }
}

fn tcp(scene: &mut Scene, port: u16, secs: u64, every_ms: u64, size: u64) {
    let (host, peer) = (scene.inside(), scene.outside());
    open(scene, Protocol::TCP, (host, peer, port), secs, every_ms, size);
}

/// From a good two hours to nearly two days.
fn hours(scene: &mut Scene) -> u64 {
    scene.log(8_000, 160_000)
}

fn ssh_session(scene: &mut Scene) {
    let (secs, every, size) = (hours(scene), scene.log(200, 40_000), scene.range(80, 300));
    tcp(scene, 22, secs, every, size);
}

fn ssh_from_outside(scene: &mut Scene) {
    let (host, peer, port) = (scene.inside(), scene.outside(), scene.pick(&[22, 22, 2222, 23]));
    let (secs, every, size) = (hours(scene), scene.log(200, 40_000), scene.range(70, 300));
    open(scene, Protocol::TCP, (peer, host, port), secs, every, size);
}

/// Keep-alives of 15 to 60 seconds and nothing else.
fn ssh_tunnel_quiet(scene: &mut Scene) {
    let (secs, every, size) = (hours(scene), scene.range(10_000, 60_000), scene.range(80, 140));
    tcp(scene, 22, secs, every, size);
}

fn desktop(scene: &mut Scene) {
    let port = scene.pick(&[3389, 5900, 5938]);
    let (secs, every, size) = (hours(scene), scene.log(20, 4_000), scene.range(90, 700));
    tcp(scene, port, secs, every, size);
}

fn vpn(scene: &mut Scene) {
    let (host, peer) = (scene.inside(), scene.outside());
    let port = scene.pick(&[1194, 4500, 51_820, 500]);
    let (secs, every, size) = (hours(scene), scene.log(5, 9_000), scene.range(100, 900));
    open(scene, Protocol::UDP, (host, peer, port), secs, every, size);
}

/// WireGuard keeps itself alive every 25 seconds, OpenVPN every 10.
fn vpn_quiet(scene: &mut Scene) {
    let (host, peer) = (scene.inside(), scene.outside());
    let (port, every) = scene.pick(&[(51_820, 25_000), (1194, 10_000), (1194, 60_000)]);
    let (secs, size) = (hours(scene), scene.range(60, 120));
    open(scene, Protocol::UDP, (host, peer, port), secs, every, size);
}

/// A tunnel that looks like a page: somebody works through it.
fn tls_tunnel(scene: &mut Scene) {
    let (secs, every, size) = (hours(scene), scene.log(50, 9_000), scene.range(130, 700));
    tcp(scene, 443, secs, every, size);
}

fn odd_port(scene: &mut Scene) {
    let port = scene.odd_port(Protocol::TCP);
    let (secs, every, size) = (hours(scene), scene.log(100, 60_000), scene.range(70, 400));
    tcp(scene, port, secs, every, size);
}

/// Others have sessions over the same service, of minutes.
fn among_short_sessions(scene: &mut Scene) {
    for _ in 0..scene.range(5, 30) {
        let (secs, every) = (scene.log(10, 2_500), scene.log(200, 9_000));
        tcp(scene, 22, secs, every, 150);
    }
    let (secs, every) = (scene.range(14_000, 90_000), scene.log(200, 20_000));
    tcp(scene, 22, secs, every, 150);
}

/// Telephones and things that wait for news: a packet every one to 28 minutes.
fn push_service(scene: &mut Scene) {
    for _ in 0..scene.range(1, 12) {
        let port = scene.pick(&[5223, 5228, 8883, 443, 1883, 5222]);
        let (secs, every, size) = (hours(scene), scene.log(60_000, 1_700_000), scene.range(55, 160));
        tcp(scene, port, secs, every, size);
    }
}

/// Pages that ask every 25 to 60 seconds whether they are still there, and get a notice now and then.
fn sockets_of_pages(scene: &mut Scene) {
    for _ in 0..scene.range(1, 6) {
        let (secs, every, size) = (hours(scene), scene.range(25_000, 60_000), scene.range(60, 130));
        tcp(scene, 443, secs, every, size);
    }
}

/// Prices that come in all day; only acknowledgements go out.
fn news_ticker(scene: &mut Scene) {
    let (host, site, secs) = (scene.inside(), scene.outside(), hours(scene));
    let (got, size) = (secs * 1000 / scene.log(100, 3_000), scene.range(200, 600));
    let sent = got * scene.range(50, 100) / 100;
    scene.tcp((host, site, 443), (100, secs), [(sent, sent * 52 + 4_000), (got, got * size)]);
}

fn bgp(scene: &mut Scene) {
    let (secs, every, size) = (hours(scene), scene.range(5_000, 60_000), scene.range(60, 130));
    tcp(scene, 179, secs, every, size);
}

fn ntp(scene: &mut Scene) {
    let (host, peer) = (scene.inside(), scene.outside());
    let (secs, every) = (hours(scene), scene.range(16_000, 1_024_000));
    open(scene, Protocol::UDP, (host, peer, 123), secs, every, 76);
}

fn vpn_allowed(scene: &mut Scene) {
    let (host, gateway, port) = (scene.inside(), scene.partner(), scene.pick(&[1194, 4500, 51_820]));
    let (secs, every, size) = (hours(scene), scene.log(5, 9_000), scene.range(100, 900));
    open(scene, Protocol::UDP, (host, gateway, port), secs, every, size);
    open(scene, Protocol::ESP, (host, gateway, 0), secs, every, size);
}

/// Minutes to an hour and a half.
fn session_short(scene: &mut Scene) {
    for _ in 0..scene.range(1, 8) {
        let (port, secs) = (scene.pick(&[22, 3389, 443, 9001]), scene.log(60, 5_600));
        let every = scene.log(50, 9_000);
        tcp(scene, port, secs, every, 200);
    }
}

/// A film or an image of a disk over a thin line.
fn download_long(scene: &mut Scene) {
    let (host, site, secs) = (scene.inside(), scene.outside(), scene.range(4_000, 30_000));
    let size = secs * scene.log(20_000, 900_000);
    scene.tcp((host, site, 443), (100, secs), bulk(4_000, size));
}

fn radio(scene: &mut Scene) {
    let (host, site, secs) = (scene.inside(), scene.outside(), hours(scene));
    let (rate, port) = (scene.range(4_000, 40_000), scene.pick(&[443, 80, 8443]));
    scene.tcp((host, site, port), (100, secs), bulk(1_200, secs * rate));
}

/// Database pools and file shares between own hosts.
fn inside(scene: &mut Scene) {
    for _ in 0..scene.range(1, 20) {
        let (from, to, port) =
            (scene.inside(), scene.inside(), scene.pick(&[5432, 3306, 445, 22, 6379, 9999]));
        let (secs, every) = (hours(scene), scene.log(50, 20_000));
        open(scene, Protocol::TCP, (from, to, port), secs, every, 300);
    }
}

/// Everybody's session at the provider is open from morning to evening.
fn office_day(scene: &mut Scene) {
    let (server, port) = (scene.outside(), scene.pick(&[22, 3389, 1494]));
    for _ in 0..scene.range(8, 30) {
        let (host, secs, every) = (scene.inside(), scene.range(18_000, 36_000), scene.log(100, 9_000));
        open(scene, Protocol::TCP, (host, server, port), secs, every, 200);
    }
}

/// Two short uses of the same ports, hours apart.
fn joined_with_pauses(scene: &mut Scene) {
    let (host, peer, secs) = (scene.inside(), scene.outside(), scene.range(9_000, 60_000));
    let (port, packets) = (scene.pick(&[22, 443, 3389, 8889]), scene.range(8, 60));
    let ways = scene.typed(packets, 60, 400);
    scene.tcp((host, peer, port), (50, secs), ways).rows = 4;
}
