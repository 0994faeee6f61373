//! Calls home, and much traffic that is as regular, or nearly.

use flowcore::{Addr, Protocol};

use super::volume::{Ends, Scene, bulk};
use super::{Case, draw};

/// 9 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "beacon",
        9,
        &[
            ("fixed", true, fixed),
            ("jitter-light", true, jitter_light),
            ("jitter-heavy", true, jitter_heavy),
            ("jitter-shortens", true, jitter_shortens),
            ("calls-missing", true, calls_missing),
            ("hours-of-work", true, hours_of_work),
            ("slow", true, slow),
            ("with-tasks", true, with_tasks),
            ("padded", true, padded),
            ("odd-port", true, odd_port),
            ("udp", true, udp),
            ("server-is-dead", true, server_is_dead),
            ("several-addresses", true, several_addresses),
            ("several-hosts", true, several_hosts),
            ("poses-as-scripts", true, poses_as_scripts),
            ("site-of-others", true, site_of_others),
            ("clock", false, clock),
            ("names", false, names),
            ("monitoring", false, monitoring),
            ("update-checks", false, update_checks),
            ("mail-box", false, mail_box),
            ("push", false, push),
            ("waiting-for-news", false, waiting_for_news),
            ("page-loads-itself", false, page_loads_itself),
            ("telemetry", false, telemetry),
            ("film", false, film),
            ("browsing", false, browsing),
            ("inside", false, inside),
            ("nightly", false, nightly),
            ("agents", false, agents),
            ("program-for-people", false, program_for_people),
            ("files", false, files),
        ],
    )
}

/// When calls come.
#[derive(Debug, Clone, Copy)]
struct Beat {
    /// Seconds between two.
    interval: u64,
    /// How much shorter and longer a wait may be, in percent.
    jitter: [u64; 2],
    /// Calls that do not come, in percent.
    missing: u64,
    /// Seconds from first to last.
    secs: u64,
}

impl Beat {
    /// Of any interval from seconds to minutes, for an hour to a day, without jitter.
    fn draw(scene: &mut Scene) -> Self {
        let interval = scene.log(5, 1_200);
        Self::every(interval, scene.log(3_600, 86_400))
    }

    /// For these seconds, if that is long enough for somebody to see a beat, and not for more than some thousand calls.
    fn every(interval: u64, secs: u64) -> Self {
        Self { interval, jitter: [1, 1], missing: 0, secs: secs.clamp(interval * 26, interval * 2_500) }
    }

    fn times(&self, scene: &mut Scene) -> Vec<u64> {
        let (mut at, end) = (scene.range(0, 3_000) * 1_000, self.secs * 1_000);
        let mut times = Vec::new();
        while at <= end {
            if !scene.rng.chance(self.missing) {
                times.push(at / 1_000);
            }
            let [shorter, longer] = self.jitter.map(|percent| self.interval * percent * 10);
            at += scene.range(self.interval * 1_000 - shorter, self.interval * 1_000 + longer).max(500);
        }
        times
    }
}

/// What a call says: bytes out and back without headers, by how much they differ in percent, and how many seconds it
/// takes at most.
type Words = (u64, u64, u64, u64);

/// A question and an answer over TLS, or in the clear.
fn small(scene: &mut Scene) -> Words {
    (scene.log(200, 2_500), scene.log(150, 9_000), scene.range(0, 12), scene.range(0, 3))
}

fn around(scene: &mut Scene, value: u64, percent: u64) -> u64 {
    value * scene.range(100 - percent, 100 + percent) / 100
}

fn call(scene: &mut Scene, protocol: Protocol, ends: Ends, at: u64, words: Words) {
    let (sent, got) = (around(scene, words.0, words.2), around(scene, words.1, words.2));
    let took = scene.range(0, words.3);
    scene.add(protocol, ends, (at, took), bulk(sent, got));
}

fn web(scene: &mut Scene) -> Ends {
    (scene.inside(), scene.outside(), scene.pick(&[443, 443, 443, 80, 8080, 8443]))
}

/// Calls over TCP.
fn calls(scene: &mut Scene, ends: Ends, beat: Beat, words: Words) {
    for at in beat.times(scene) {
        call(scene, Protocol::TCP, ends, at, words);
    }
}

/// A beacon of a web service with a beat, among pages that the same host reads.
fn beacon(scene: &mut Scene, beat: Beat) {
    let (ends, words) = (web(scene), small(scene));
    calls(scene, ends, beat, words);
    read(scene, ends.0);
}

fn fixed(scene: &mut Scene) {
    let beat = Beat::draw(scene);
    beacon(scene, beat);
}

fn jitter_light(scene: &mut Scene) {
    let (beat, jitter) = (Beat::draw(scene), scene.range(3, 30));
    beacon(scene, Beat { jitter: [jitter; 2], ..beat });
}

fn jitter_heavy(scene: &mut Scene) {
    let (beat, jitter) = (Beat::draw(scene), scene.range(25, 50));
    beacon(scene, Beat { jitter: [jitter; 2], ..beat });
}

/// As tools do whose jitter makes the wait shorter only.
fn jitter_shortens(scene: &mut Scene) {
    let (beat, jitter) = (Beat::draw(scene), scene.range(10, 60));
    beacon(scene, Beat { jitter: [jitter, 0], ..beat });
}

fn calls_missing(scene: &mut Scene) {
    let (beat, jitter, missing) = (Beat::draw(scene), scene.range(0, 20), scene.range(10, 40));
    beacon(scene, Beat { jitter: [jitter; 2], missing, ..beat });
}

/// For days, but only while the host is switched on.
fn hours_of_work(scene: &mut Scene) {
    let (ends, words) = (web(scene), small(scene));
    let (interval, jitter, hours) = (scene.log(60, 900), scene.range(0, 25), scene.range(6, 10));
    for day in 0..scene.range(2, 5) {
        let beat = Beat { jitter: [jitter; 2], ..Beat::every(interval, hours * 3_600) };
        for at in beat.times(scene) {
            call(scene, Protocol::TCP, ends, day * 86_400 + at, words);
        }
    }
}

fn slow(scene: &mut Scene) {
    let (interval, days, jitter) = (scene.log(2_400, 15_000), scene.range(3, 14), scene.range(0, 25));
    beacon(scene, Beat { jitter: [jitter; 2], ..Beat::every(interval, days * 86_400) });
}

/// Now and then something is fetched, and what came of it is sent.
fn with_tasks(scene: &mut Scene) {
    let (ends, words, often) = (web(scene), small(scene), scene.range(2, 15));
    let (beat, jitter) = (Beat::draw(scene), scene.range(0, 25));
    for at in (Beat { jitter: [jitter; 2], ..beat }).times(scene) {
        call(scene, Protocol::TCP, ends, at, words);
        if scene.rng.chance(often) {
            let (sent, got) = (scene.log(900, 400_000), scene.log(900, 900_000));
            let later = scene.range(0, 9);
            scene.tcp(ends, (at + later, 2), bulk(sent, got));
        }
    }
}

/// Calls are filled with anything, to be of no size.
fn padded(scene: &mut Scene) {
    let (ends, beat, jitter, spread) =
        (web(scene), Beat::draw(scene), scene.range(0, 25), scene.range(15, 60));
    let words = small(scene);
    calls(scene, ends, Beat { jitter: [jitter; 2], ..beat }, (words.0, words.1, spread, 3));
}

fn odd_port(scene: &mut Scene) {
    let (beat, jitter, port) = (Beat::draw(scene), scene.range(0, 35), scene.odd_port(Protocol::TCP));
    let (ends, words) =
        ((scene.inside(), scene.outside(), port), (scene.log(20, 900), scene.log(20, 900), 5, 1));
    calls(scene, ends, Beat { jitter: [jitter; 2], ..beat }, words);
}

fn udp(scene: &mut Scene) {
    let (beat, jitter) = (Beat::draw(scene), scene.range(0, 35));
    let (odd, sent, got) = (scene.odd_port(Protocol::UDP), scene.log(30, 900), scene.log(30, 900));
    let ends = (scene.inside(), scene.outside(), scene.pick(&[443, odd, odd]));
    for at in (Beat { jitter: [jitter; 2], ..beat }).times(scene) {
        let (one, other) = (around(scene, sent, 5) + 28, around(scene, got, 5) + 28);
        scene.udp(ends, (at, 0), [(1, one), (1, other)]);
    }
}

fn server_is_dead(scene: &mut Scene) {
    let (ends, beat, jitter) = (web(scene), Beat::draw(scene), scene.range(0, 30));
    for at in (Beat { jitter: [jitter; 2], ..beat }).times(scene) {
        let packets = scene.range(2, 4);
        scene.tcp(ends, (at, packets), [(packets, packets * 60), (0, 0)]);
    }
}

/// One of several addresses each time, as of a delivery network that stands in front.
fn several_addresses(scene: &mut Scene) {
    let (ends, words) = (web(scene), small(scene));
    let servers: Vec<Addr> = (0..scene.range(2, 3)).map(|_| scene.outside()).collect();
    let (beat, jitter) = (Beat::draw(scene), scene.range(0, 20));
    let secs = beat.secs.max(beat.interval * 120);
    for at in (Beat { jitter: [jitter; 2], secs, ..beat }).times(scene) {
        let server = scene.pick(&servers);
        call(scene, Protocol::TCP, (ends.0, server, ends.2), at, words);
    }
}

fn several_hosts(scene: &mut Scene) {
    let (ends, words, beat, jitter) = (web(scene), small(scene), Beat::draw(scene), scene.range(0, 30));
    for _ in 0..scene.range(2, 4) {
        let host = scene.inside();
        calls(scene, (host, ends.1, ends.2), Beat { jitter: [jitter; 2], ..beat }, words);
    }
}

/// Answers as large as a library of scripts.
fn poses_as_scripts(scene: &mut Scene) {
    let (ends, beat, jitter) = (web(scene), Beat::draw(scene), scene.range(0, 30));
    let words = (scene.log(300, 2_500), scene.range(5_000, 90_000), scene.range(0, 8), 2);
    calls(scene, ends, Beat { jitter: [jitter; 2], ..beat }, words);
}

/// On a server that somebody broke into, and that people go on reading.
fn site_of_others(scene: &mut Scene) {
    let (ends, words, beat, jitter) = (web(scene), small(scene), Beat::draw(scene), scene.range(0, 25));
    let beat = Beat { jitter: [jitter; 2], ..beat };
    calls(scene, ends, beat, words);
    let visitors = [ends.0, scene.inside(), scene.inside()];
    let visits = beat.secs / beat.interval / scene.range(8, 60);
    for _ in 0..visits {
        let (host, at) = (scene.pick(&visitors), scene.range(0, beat.secs));
        page(scene, (host, ends.1, ends.2), at);
    }
}

fn clock(scene: &mut Scene) {
    let (host, secs) = (scene.inside(), scene.log(7_200, 200_000));
    for _ in 0..scene.range(1, 4) {
        let (server, interval) = (scene.outside(), scene.pick(&[16, 64, 64, 128, 256, 1_024]));
        for at in Beat::every(interval, secs).times(scene) {
            scene.udp((host, server, 123), (at, 0), [(1, 76), (1, 76)]);
        }
    }
}

/// A name that a program asks for again whenever it is no longer valid.
fn names(scene: &mut Scene) {
    let (host, server, interval) = (scene.inside(), scene.outside(), scene.pick(&[5, 30, 60, 300]));
    let (query, answer) = (scene.range(60, 100), scene.range(80, 300));
    for at in Beat::every(interval, 40_000).times(scene) {
        scene.udp((host, server, 53), (at, 0), [(1, query), (1, answer)]);
    }
}

/// Checks of services by a partner and of a partner, from and to hosts that are known.
fn monitoring(scene: &mut Scene) {
    let (partner, words) = (scene.partner(), small(scene));
    for _ in 0..scene.range(1, 6) {
        let (host, port, interval) =
            (scene.inside(), scene.pick(&[443, 80, 22]), scene.pick(&[10, 30, 60, 300]));
        let ends = if scene.rng.chance(50) { (host, partner, port) } else { (partner, host, port) };
        calls(scene, ends, Beat::every(interval, 30_000), words);
    }
    let (outside, host) = (scene.outside(), scene.inside());
    calls(scene, (outside, host, 443), Beat::every(60, 30_000), words);
}

/// Every hour to every day, for a day or some, now and then with something to get.
fn update_checks(scene: &mut Scene) {
    let hours = scene.log(8, 90);
    for _ in 0..scene.range(1, 4) {
        let (ends, words, interval) = (web(scene), small(scene), scene.log(3_600, 86_400));
        let beat = Beat { interval, jitter: [scene.range(0, 20); 2], missing: 5, secs: hours * 3_600 };
        for at in beat.times(scene) {
            let got = if scene.rng.chance(20) { scene.log(100_000, 90_000_000) } else { words.1 };
            scene.tcp((ends.0, ends.1, 443), (at, 3), bulk(words.0, got));
        }
    }
}

fn mail_box(scene: &mut Scene) {
    for _ in 0..scene.range(1, 4) {
        let ends = (scene.inside(), scene.outside(), scene.pick(&[993, 993, 143, 995, 110]));
        let (interval, secs) = (scene.pick(&[60, 120, 300, 300, 600, 900]), scene.log(9_000, 80_000));
        for at in Beat::every(interval, secs).times(scene) {
            let got = if scene.rng.chance(10) { scene.log(5_000, 3_000_000) } else { 4_300 };
            scene.tcp(ends, (at, 2), bulk(1_400, got));
        }
    }
}

/// Services that hold a line to each host, and those that telephones and things register at.
fn push(scene: &mut Scene) {
    for _ in 0..scene.range(1, 5) {
        let port = scene.pick(&[5_223, 5_228, 1_883, 8_883, 5_222, 5_061]);
        let (ends, interval) =
            ((scene.inside(), scene.outside(), port), scene.pick(&[60, 240, 540, 900, 1_680]));
        for at in Beat::every(interval, 50_000).times(scene) {
            let open = scene.range(1, interval);
            scene.tcp(ends, (at, open), bulk(700, 3_800));
        }
    }
}

/// A question that stays open until there is news, and is asked again then.
fn waiting_for_news(scene: &mut Scene) {
    let (ends, most, words) = (web(scene), scene.pick(&[25, 30, 55, 60, 90, 120, 300]), small(scene));
    let (mut at, end) = (scene.range(0, 900), scene.log(2_000, 40_000));
    while at < end {
        let open = if scene.rng.chance(15) { scene.range(1, most) } else { most };
        scene.tcp(ends, (at, open), bulk(words.0, words.1));
        at += open + scene.range(0, 2);
    }
}

/// Scores, prices, a camera, a wall of numbers: with all that belongs to the page.
fn page_loads_itself(scene: &mut Scene) {
    let (ends, interval) = (web(scene), scene.pick(&[10, 30, 60, 60, 120, 300, 600]));
    let (secs, sent, got) = (scene.log(600, 20_000), scene.log(1_500, 20_000), scene.log(25_000, 4_000_000));
    let beat = Beat { interval, jitter: [2; 2], missing: 0, secs };
    for at in beat.times(scene) {
        for _ in 0..scene.range(1, 4) {
            call(scene, Protocol::TCP, ends, at, (sent, got, 25, 3));
        }
    }
}

/// What browsers and programs tell their makers: when there is something to tell.
fn telemetry(scene: &mut Scene) {
    for _ in 0..scene.range(1, 5) {
        let (ends, mean, count) = (web(scene), scene.log(30, 1_500), scene.range(30, 200));
        let mut at = 0;
        for _ in 0..count {
            at += if scene.rng.chance(60) { around(scene, mean, 60) } else { scene.log(2, mean * 4) };
            let (sent, got) = (scene.log(900, 120_000), scene.log(300, 6_000));
            scene.tcp((ends.0, ends.1, 443), (at, 4), bulk(sent, got));
        }
    }
}

/// Pieces of a film, each over a connection of its own.
fn film(scene: &mut Scene) {
    let (ends, interval, secs) = (web(scene), scene.pick(&[2, 4, 4, 6, 10]), scene.log(200, 8_000));
    let piece = interval * scene.log(40_000, 900_000);
    for at in (Beat { interval, jitter: [5; 2], missing: 0, secs }).times(scene) {
        call(scene, Protocol::TCP, ends, at, (900, piece, 35, interval / 2));
    }
}

fn page(scene: &mut Scene, ends: Ends, at: u64) {
    for _ in 0..scene.range(1, 6) {
        let (later, secs) = (scene.range(0, 4), scene.log(1, 90));
        let (sent, got) = (scene.log(500, 30_000), scene.log(2_000, 3_000_000));
        scene.tcp(ends, (at + later, secs), bulk(sent, got));
    }
}

/// Pages of a few sites, each visited again and again.
fn read(scene: &mut Scene, host: Addr) {
    let sites: Vec<Addr> = (0..scene.range(2, 6)).map(|_| scene.outside()).collect();
    let (mut at, end) = (scene.range(0, 3_000), scene.range(6_000, 30_000));
    while at < end {
        let site = scene.pick(&sites);
        page(scene, (host, site, 443), at);
        at += if scene.rng.chance(80) { scene.log(3, 200) } else { scene.log(200, 3_000) };
    }
}

fn browsing(scene: &mut Scene) {
    for _ in 0..scene.range(1, 6) {
        let host = scene.inside();
        read(scene, host);
    }
}

/// Between hosts of the own network: as regular as can be.
fn inside(scene: &mut Scene) {
    let (monitor, words) = (scene.inside(), small(scene));
    for _ in 0..scene.range(2, 15) {
        let (host, port) = (scene.inside(), scene.pick(&[443, 22, 8080, 9_100, 445]));
        let interval = scene.pick(&[15, 60, 300]);
        calls(scene, (monitor, host, port), Beat::every(interval, 20_000), words);
    }
}

/// A backup each night, and jobs that talk to partners every few minutes.
fn nightly(scene: &mut Scene) {
    let (host, store, partner, words) = (scene.inside(), scene.outside(), scene.partner(), small(scene));
    for night in 0..scene.range(2, 14) {
        let (total, secs) = (scene.log(2_000_000, 9_000_000_000), scene.log(60, 9_000));
        scene.tcp((host, store, 443), (60_000 + night * 86_400, secs), bulk(total, total / 300));
    }
    let interval = scene.pick(&[60, 300, 900]);
    calls(scene, (host, partner, 443), Beat::every(interval, 80_000), words);
}

/// The same program on many hosts tells the same service how they are.
fn agents(scene: &mut Scene) {
    let (ends, words) = (web(scene), small(scene));
    let interval = scene.pick(&[10, 15, 30, 60, 300]);
    for _ in 0..scene.range(4, 25) {
        let (host, secs) = (scene.inside(), scene.range(4_000, 30_000));
        let secs = secs.min(interval * 400);
        calls(scene, (host, ends.1, 443), Beat::every(interval, secs), words);
    }
}

/// Short questions and answers that are all alike, whenever somebody does something.
fn program_for_people(scene: &mut Scene) {
    let (ends, words, mean) = (web(scene), small(scene), scene.log(10, 600));
    let mut at = 0;
    for _ in 0..scene.range(40, 400) {
        // How many steps pass until one of a hundred comes up: waits without memory.
        let mut wait = 1;
        while wait < 500 && !scene.rng.chance(3) {
            wait += 1;
        }
        at += wait * mean / 33;
        call(scene, Protocol::TCP, ends, at, words);
    }
}

fn files(scene: &mut Scene) {
    let (host, site) = (scene.inside(), scene.outside());
    let mut at = 0;
    for _ in 0..scene.range(20, 150) {
        let (got, secs) = (scene.log(200_000, 300_000_000), scene.log(1, 60));
        scene.tcp((host, site, 443), (at, secs), bulk(900, got));
        at += secs + scene.log(1, 600);
    }
}
