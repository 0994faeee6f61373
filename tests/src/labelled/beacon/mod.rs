//! Calls home, and much traffic that is as regular, or nearly.

mod look_alikes;

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
            ("short-look", true, short_look),
            ("with-tasks", true, with_tasks),
            ("padded", true, padded),
            ("odd-port", true, odd_port),
            ("udp", true, udp),
            ("server-is-dead", true, server_is_dead),
            ("several-addresses", true, several_addresses),
            ("several-hosts", true, several_hosts),
            ("poses-as-scripts", true, poses_as_scripts),
            ("site-of-others", true, site_of_others),
            ("clock", false, look_alikes::clock),
            ("names", false, look_alikes::names),
            ("monitoring", false, look_alikes::monitoring),
            ("update-checks", false, look_alikes::update_checks),
            ("mail-box", false, look_alikes::mail_box),
            ("push", false, look_alikes::push),
            ("waiting-for-news", false, look_alikes::waiting_for_news),
            ("page-loads-itself", false, look_alikes::page_loads_itself),
            ("telemetry", false, look_alikes::telemetry),
            ("film", false, look_alikes::film),
            ("browsing", false, look_alikes::browsing),
            ("inside", false, look_alikes::inside),
            ("nightly", false, look_alikes::nightly),
            ("agents", false, look_alikes::agents),
            ("program-for-people", false, look_alikes::program_for_people),
            ("few-questions", false, look_alikes::few_questions),
            ("files", false, look_alikes::files),
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
        let mut at = scene.range(0, 3_000) * 1_000;
        let end = at + self.secs * 1_000;
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

/// A beacon that was looked at for an hour or two only.
fn short_look(scene: &mut Scene) {
    let (secs, calls, jitter) = (scene.range(3_600, 7_200), scene.range(12, 40), scene.range(0, 20));
    beacon(scene, Beat { interval: secs / calls, jitter: [jitter; 2], missing: 0, secs });
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
