//! Data inside of name queries, and many, long or large queries that are ordinary.

use flowcore::Addr;

use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 12 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "dns-tunnel",
        12,
        &[
            ("iodine-raw", true, iodine_raw),
            ("iodine-upload", true, iodine_upload),
            ("iodine-download", true, iodine_download),
            ("dnscat-session", true, dnscat_session),
            ("dnscat-upload", true, dnscat_upload),
            ("file-in-names", true, file_in_names),
            ("file-in-names-slow", true, file_in_names_slow),
            ("file-in-labels", true, file_in_labels),
            ("program-in-texts", true, program_in_texts),
            ("among-ordinary", true, among_ordinary),
            ("behind-resolver", true, behind_resolver),
            ("over-tcp", true, over_tcp),
            ("resolver", false, resolver),
            ("clients", false, clients),
            ("zone-transfer", false, zone_transfer),
            ("signed-names", false, signed_names),
            ("signed-zone", false, signed_zone),
            ("mail-server", false, mail_server),
            ("virus-scanner", false, virus_scanner),
            ("padding", false, padding),
            ("neighbours", false, neighbours),
            ("browsing", false, browsing),
            ("monitoring", false, monitoring),
            ("addresses-backwards", false, addresses_backwards),
            ("updates-of-names", false, updates_of_names),
        ],
    )
}

/// A client and the server that it asks.
type Pair = (Addr, Addr);
/// Bytes of a query and of its answer, with all headers.
type Bytes = (u64, u64);

/// The server of whoever tunnels, or the resolver that passes on.
fn server(scene: &mut Scene) -> Addr {
    if scene.rng.chance(50) { scene.inside() } else { scene.outside() }
}

/// A query from a port of its own.
fn ask(scene: &mut Scene, (client, server): Pair, at: u64, (query, answer): Bytes) {
    scene.udp((client, server, 53), (at, 0), [(1, query), (1, answer)]);
}

/// An ordinary query and answer: names of 12 to 45 letters, some with options behind them, addresses in the answer; one in
/// a hundred has the long name of a delivery network.
fn ordinary(scene: &mut Scene) -> Bytes {
    let options = scene.pick(&[0, 0, 11, 23]);
    let name = if scene.rng.chance(1) { scene.range(60, 130) } else { scene.range(12, 45) };
    let query = 46 + name + options;
    (query, query + scene.log(16, 220))
}

/// So many ordinary queries of a client within these seconds, some close together.
fn surf(scene: &mut Scene, pair: Pair, count: u64, secs: u64) {
    let mut left = count;
    while left > 0 {
        let (at, page) = (scene.range(0, secs), scene.range(1, 25).min(left));
        for _ in 0..page {
            let (later, bytes) = (scene.range(0, 3), ordinary(scene));
            ask(scene, pair, at + later, bytes);
        }
        left -= page;
    }
}

/// Queries over a single socket, in one connection or some, of so many bytes each way.
fn socket(scene: &mut Scene, pair: Pair, secs: u64, count: u64, (query, answer): Bytes) {
    let pieces = scene.range(1, 4);
    let (length, part, start) = (secs / pieces, count / pieces + 1, scene.range(0, 9_000));
    for piece in 0..pieces {
        let back = part * scene.range(85, 100) / 100;
        let when = (start + piece * length, length);
        scene.udp((pair.0, pair.1, 53), when, [(part, part * query), (back, back * answer)]);
    }
}

/// Packets of any size to the server itself, after a few queries to log in.
fn iodine_raw(scene: &mut Scene) {
    let pair = (scene.inside(), scene.outside());
    let (secs, rate) = (scene.log(60, 9_000), scene.log(2, 300));
    let (up, down) = (scene.range(90, 1_200), scene.range(90, 1_200));
    socket(scene, pair, 5, 25, (95, 220));
    socket(scene, pair, secs, secs * rate, (up.max(400 - down.min(300)), down));
}

/// Copying something out: most queries are full.
fn iodine_upload(scene: &mut Scene) {
    let pair = (scene.inside(), server(scene));
    let (secs, rate, query) = (scene.log(30, 7_200), scene.log(3, 120), scene.range(170, 300));
    let answer = query + scene.range(10, 90);
    socket(scene, pair, secs, secs * rate, (query, answer));
}

/// Reading pages through the tunnel: queries that acknowledge, answers as large as they may be.
fn iodine_download(scene: &mut Scene) {
    let pair = (scene.inside(), server(scene));
    let (secs, rate, query) = (scene.log(60, 7_200), scene.log(5, 150), scene.range(75, 140));
    let answer = scene.range(450, 1_200);
    socket(scene, pair, secs, secs * rate, (query, answer));
}

/// A shell in which somebody works now and then, and a question for orders each second in between.
fn dnscat_session(scene: &mut Scene) {
    let (pair, secs) = ((scene.inside(), server(scene)), scene.range(900, 5_000));
    let (idle, worked) = (scene.range(88, 112), scene.range(4, 40));
    for at in 0..secs {
        if scene.rng.chance(worked) {
            let (query, answer) = (scene.range(130, 290), scene.range(130, 330));
            ask(scene, pair, at, (query, answer));
        } else {
            ask(scene, pair, at, (idle, idle + 50));
        }
    }
}

fn dnscat_upload(scene: &mut Scene) {
    let (pair, secs, rate) = ((scene.inside(), server(scene)), scene.range(20, 900), scene.range(1, 5));
    let full = scene.range(220, 295);
    for at in 0..secs * rate {
        let query = if scene.rng.chance(90) { full } else { scene.range(88, full) };
        ask(scene, pair, at / rate, (query, query + 60));
    }
}

/// A file in names as long as the tool makes them, as quickly as it asks.
fn file_in_names(scene: &mut Scene) {
    let (pair, query) = ((scene.inside(), server(scene)), scene.range(150, 300));
    let (count, rate) = (scene.log(60, 4_000), scene.log(1, 60));
    for at in 0..count {
        let size = query - scene.range(0, 4);
        let answer = size + scene.range(0, 90);
        ask(scene, pair, at / rate, (size, answer));
    }
}

/// A query every few seconds to minutes.
fn file_in_names_slow(scene: &mut Scene) {
    let (pair, query) = ((scene.inside(), server(scene)), scene.range(150, 295));
    let (wait, count) = (scene.log(4, 80), scene.range(90, 900));
    let mut at = 0;
    for _ in 0..count {
        let size = query - scene.range(0, 9);
        ask(scene, pair, at, (size, size + 16));
        at += scene.range(wait / 2, wait * 3 / 2);
    }
    surf(scene, pair, count / 2, at);
}

/// One label of up to 63 letters in each name.
fn file_in_labels(scene: &mut Scene) {
    let (pair, query) = ((scene.inside(), server(scene)), scene.range(112, 150));
    let (count, rate) = (scene.log(1_500, 6_000), scene.log(1, 60));
    for at in 0..count {
        ask(scene, pair, at / rate, (query, query + 16));
    }
}

/// A program that is fetched in pieces, each a text.
fn program_in_texts(scene: &mut Scene) {
    let (pair, query, answer) =
        ((scene.inside(), server(scene)), scene.range(66, 110), scene.range(330, 1_400));
    let (count, rate) = (scene.log(200, 4_000), scene.log(1, 60));
    for at in 0..count {
        let answer = answer - scene.range(0, 20);
        ask(scene, pair, at / rate, (query, answer));
    }
}

/// To the resolver that the client asks for everything else too, and all others ask.
fn among_ordinary(scene: &mut Scene) {
    let (resolver, secs) = (scene.inside(), scene.range(3_600, 20_000));
    for _ in 0..scene.range(3, 15) {
        let (host, count) = (scene.inside(), scene.log(50, 400));
        surf(scene, (host, resolver), count, secs);
    }
    let (host, count, query) = (scene.inside(), scene.log(100, 1_500), scene.range(160, 295));
    let usual = scene.range(100, 1_000);
    surf(scene, (host, resolver), usual, secs);
    let start = scene.range(0, secs);
    for at in 0..count {
        let later = at * scene.range(1, 4);
        ask(scene, (host, resolver), start + later, (query, query + 40));
    }
}

/// What the resolver asks the server of the tunnel, among what it asks others.
fn behind_resolver(scene: &mut Scene) {
    let (own, other) = (scene.inside(), scene.outside());
    look_up(scene, own, 1_500);
    let (count, query) = (scene.log(100, 2_000), scene.range(170, 295));
    let (start, rate) = (scene.range(0, 9_000), scene.range(1, 20));
    for at in 0..count {
        ask(scene, (own, other), start + at / rate, (query, query + 40));
    }
}

/// Something else than names on the port of names, or a connection for each long query.
fn over_tcp(scene: &mut Scene) {
    let (client, other) = (scene.inside(), scene.outside());
    if scene.rng.chance(50) {
        let (up, down, secs) =
            (scene.log(40_000, 90_000_000), scene.log(4_000, 9_000_000), scene.log(9, 9_000));
        scene.tcp((client, other, 53), (50, secs), bulk(up, down));
        return;
    }
    let (count, wait, name) = (scene.log(80, 1_500), scene.range(1, 20), scene.range(150, 250));
    for at in 0..count {
        let ways = [(6, 6 * 52 + 28 + name), (5, 5 * 52 + name + 80)];
        scene.tcp((client, other, 53), (at * wait, 0), ways);
    }
}

/// What a resolver asks the servers of the domains: many servers, signed answers from those of the large domains.
fn look_up(scene: &mut Scene, own: Addr, count: u64) {
    let large: Vec<Addr> = (0..6).map(|_| scene.outside()).collect();
    let small: Vec<Addr> = (0..scene.range(40, 300)).map(|_| scene.outside()).collect();
    for _ in 0..count {
        let (at, is_large) = (scene.range(0, 20_000), scene.rng.chance(40));
        let other = if is_large { scene.pick(&large) } else { scene.pick(&small) };
        let (query, answer) = ordinary(scene);
        let answer = if is_large { scene.range(400, 1_300) } else { answer };
        ask(scene, (own, other), at, (query + 11, answer));
    }
}

fn resolver(scene: &mut Scene) {
    let (own, count) = (scene.inside(), scene.log(1_000, 12_000));
    look_up(scene, own, count);
}

/// A resolver of a company and those who ask it.
fn clients(scene: &mut Scene) {
    let (resolver, secs) = (server(scene), scene.range(3_600, 30_000));
    for _ in 0..scene.range(5, 40) {
        let (host, count) = (scene.inside(), scene.log(30, 900));
        surf(scene, (host, resolver), count, secs);
    }
}

fn zone_transfer(scene: &mut Scene) {
    let (second, first) = (scene.inside(), server(scene));
    for _ in 0..scene.range(1, 40) {
        let (at, zone) = (scene.range(0, 80_000), scene.log(3_000, 60_000_000));
        scene.tcp((second, first, 53), (at, 3), bulk(60, zone));
        ask(scene, (second, first), at, (75, 130));
    }
}

/// A resolver that passes everything on to that of the provider, and checks signatures itself.
fn signed_names(scene: &mut Scene) {
    let (pair, secs, signed) =
        ((scene.inside(), scene.outside()), scene.range(3_600, 30_000), scene.range(5, 45));
    for _ in 0..scene.log(500, 8_000) {
        let (at, (query, answer)) = (scene.range(0, secs), ordinary(scene));
        let answer = if scene.rng.chance(signed) { scene.range(300, 1_700) } else { answer };
        ask(scene, pair, at, (query + 11, answer));
    }
}

/// A server of a domain with signatures, which the resolvers of others ask.
fn signed_zone(scene: &mut Scene) {
    let (own, usual) = (scene.inside(), scene.range(300, 900));
    for _ in 0..scene.range(8, 60) {
        let (client, count) = (scene.outside(), scene.log(5, 600));
        for _ in 0..count {
            let (at, query, answer) = (scene.range(0, 20_000), scene.range(65, 105), around(scene, usual));
            ask(scene, (client, own), at, (query, answer));
        }
    }
}

fn around(scene: &mut Scene, value: u64) -> u64 {
    value * scene.range(60, 140) / 100
}

/// Lookups of senders at lists: many, names of an address written backwards and a list.
fn mail_server(scene: &mut Scene) {
    let (pair, zone) = ((scene.inside(), server(scene)), scene.range(12, 30));
    let secs = scene.range(1_800, 20_000);
    for _ in 0..scene.log(500, 8_000) {
        let address = if scene.rng.chance(10) { 63 } else { scene.range(8, 15) };
        let at = scene.range(0, secs);
        let query = 46 + 11 + address + 1 + zone + scene.range(0, 6);
        let answer = query + scene.pick(&[16, 16, 70, 110]);
        ask(scene, pair, at, (query, answer));
    }
    surf(scene, pair, 200, secs);
}

/// The hash of each file that is new in a name of the maker.
fn virus_scanner(scene: &mut Scene) {
    let (resolver, secs) = (server(scene), scene.range(3_600, 30_000));
    for _ in 0..scene.range(1, 12) {
        let (host, query) = (scene.inside(), scene.range(98, 148));
        for _ in 0..scene.log(20, 600) {
            let (at, size) = (scene.range(0, secs), query + scene.range(0, 8));
            ask(scene, (host, resolver), at, (size, size + 30));
        }
        let count = scene.log(50, 500);
        surf(scene, (host, resolver), count, secs);
    }
}

/// Queries that are all filled to 128 bytes, and answers to 468.
fn padding(scene: &mut Scene) {
    let (resolver, secs) = (server(scene), scene.range(3_600, 20_000));
    for _ in 0..scene.range(1, 6) {
        let host = scene.inside();
        for _ in 0..scene.log(50, 900) {
            let at = scene.range(0, secs);
            let query = if scene.rng.chance(1) { 284 } else { 156 };
            ask(scene, (host, resolver), at, (query, 496));
        }
    }
}

/// Hosts that ask all others of their network for names, over the port of names too.
fn neighbours(scene: &mut Scene) {
    for _ in 0..scene.range(3, 30) {
        let (host, all) = (scene.inside(), Addr::V4([224, 0, 0, 251].into()));
        let (packets, at, port) =
            (scene.log(50, 3_000), scene.range(0, 9_000), scene.pick(&[5_353, 5_353, 53]));
        let size = scene.range(80, 420);
        scene.udp((host, all, port), (at, 9_000), [(packets, packets * size), (0, 0)]);
    }
}

fn browsing(scene: &mut Scene) {
    let (pair, secs) = ((scene.inside(), server(scene)), scene.range(600, 20_000));
    let count = scene.log(300, 6_000);
    surf(scene, pair, count, secs);
}

/// The same name again and again, to see that servers answer; some over TCP.
fn monitoring(scene: &mut Scene) {
    let (monitor, interval) = (scene.inside(), scene.pick(&[1, 5, 10, 60]));
    for _ in 0..scene.range(1, 5) {
        let (other, query, answer) = (server(scene), scene.range(60, 100), scene.log(80, 600));
        let over_tcp = scene.rng.chance(30);
        for at in 0..(9_000 / interval).min(2_500) {
            match over_tcp {
                true => {
                    let ways = [(6, 6 * 52 + query - 18), (5, 5 * 52 + answer)];
                    scene.tcp((monitor, other, 53), (at * interval, 0), ways);
                }
                false => ask(scene, (monitor, other), at * interval, (query, answer)),
            }
        }
    }
}

/// Who writes logs with names looks up each address, those of IPv6 as well.
fn addresses_backwards(scene: &mut Scene) {
    let (pair, six, secs) = ((scene.inside(), server(scene)), scene.range(0, 60), scene.range(3_600, 30_000));
    for _ in 0..scene.log(200, 5_000) {
        let name = if scene.rng.chance(six) { 72 } else { scene.range(20, 28) };
        let (at, query) = (scene.range(0, secs), 46 + name + 11);
        let answer = query + scene.range(30, 110);
        ask(scene, pair, at, (query, answer));
    }
}

/// Hosts that tell a server inside their name and address when they start.
fn updates_of_names(scene: &mut Scene) {
    let own = scene.inside();
    for _ in 0..scene.range(5, 40) {
        let host = scene.inside();
        for _ in 0..scene.range(2, 8) {
            let (at, size) = (scene.range(0, 30_000), scene.range(110, 480));
            ask(scene, (host, own), at, (size, size));
            scene.tcp((host, own, 53), (at, 1), bulk(ticket(size), 1_200));
        }
        surf(scene, (host, own), 40, 30_000);
    }
}

/// Bytes of a ticket by which a host shows who it is.
const fn ticket(size: u64) -> u64 {
    1_400 + size * 4
}
