//! What is as regular as a beacon, or nearly, and is none.

use flowcore::Protocol;

use super::super::volume::{Scene, bulk};
use super::{Beat, around, call, calls, read, small, web};

pub(super) fn clock(scene: &mut Scene) {
    let (host, secs) = (scene.inside(), scene.log(7_200, 200_000));
    for _ in 0..scene.range(1, 4) {
        let (server, interval) = (scene.outside(), scene.pick(&[16, 64, 64, 128, 256, 1_024]));
        for at in Beat::every(interval, secs).times(scene) {
            scene.udp((host, server, 123), (at, 0), [(1, 76), (1, 76)]);
        }
    }
}

/// A name that a program asks for again whenever it is no longer valid.
pub(super) fn names(scene: &mut Scene) {
    let (host, server, interval) = (scene.inside(), scene.outside(), scene.pick(&[5, 30, 60, 300]));
    let (query, answer) = (scene.range(60, 100), scene.range(80, 300));
    for at in Beat::every(interval, 40_000).times(scene) {
        scene.udp((host, server, 53), (at, 0), [(1, query), (1, answer)]);
    }
}

/// Checks of services by a partner and of a partner, from and to hosts that are known.
pub(super) fn monitoring(scene: &mut Scene) {
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
pub(super) fn update_checks(scene: &mut Scene) {
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

pub(super) fn mail_box(scene: &mut Scene) {
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
pub(super) fn push(scene: &mut Scene) {
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
pub(super) fn waiting_for_news(scene: &mut Scene) {
    let (ends, most, words) = (web(scene), scene.pick(&[25, 30, 55, 60, 90, 120, 300]), small(scene));
    let (mut at, end) = (scene.range(0, 900), scene.log(2_000, 40_000));
    while at < end {
        let open = if scene.rng.chance(15) { scene.range(1, most) } else { most };
        scene.tcp(ends, (at, open), bulk(words.0, words.1));
        at += open + scene.range(0, 2);
    }
}

/// Scores, prices, a camera, a wall of numbers: with all that belongs to the page.
pub(super) fn page_loads_itself(scene: &mut Scene) {
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
pub(super) fn telemetry(scene: &mut Scene) {
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
pub(super) fn film(scene: &mut Scene) {
    let (ends, interval, secs) = (web(scene), scene.pick(&[2, 4, 4, 6, 10]), scene.log(200, 8_000));
    let piece = interval * scene.log(40_000, 900_000);
    for at in (Beat { interval, jitter: [5; 2], missing: 0, secs }).times(scene) {
        call(scene, Protocol::TCP, ends, at, (900, piece, 35, interval / 2));
    }
}

pub(super) fn browsing(scene: &mut Scene) {
    for _ in 0..scene.range(1, 6) {
        let host = scene.inside();
        read(scene, host);
    }
}

/// Between hosts of the own network: as regular as can be.
pub(super) fn inside(scene: &mut Scene) {
    let (monitor, words) = (scene.inside(), small(scene));
    for _ in 0..scene.range(2, 15) {
        let (host, port) = (scene.inside(), scene.pick(&[443, 22, 8080, 9_100, 445]));
        let interval = scene.pick(&[15, 60, 300]);
        calls(scene, (monitor, host, port), Beat::every(interval, 20_000), words);
    }
}

/// A backup each night, and jobs that talk to partners every few minutes.
pub(super) fn nightly(scene: &mut Scene) {
    let (host, store, partner, words) = (scene.inside(), scene.outside(), scene.partner(), small(scene));
    for night in 0..scene.range(2, 14) {
        let (total, secs) = (scene.log(2_000_000, 9_000_000_000), scene.log(60, 9_000));
        scene.tcp((host, store, 443), (60_000 + night * 86_400, secs), bulk(total, total / 300));
    }
    let interval = scene.pick(&[60, 300, 900]);
    calls(scene, (host, partner, 443), Beat::every(interval, 80_000), words);
}

/// The same program on many hosts tells the same service how they are.
pub(super) fn agents(scene: &mut Scene) {
    let (ends, words) = (web(scene), small(scene));
    let interval = scene.pick(&[10, 15, 30, 60, 300]);
    for _ in 0..scene.range(4, 25) {
        let (host, secs) = (scene.inside(), scene.range(4_000, 30_000));
        let secs = secs.min(interval * 400);
        calls(scene, (host, ends.1, 443), Beat::every(interval, secs), words);
    }
}

/// Short questions and answers that are all alike, whenever somebody does something.
pub(super) fn program_for_people(scene: &mut Scene) {
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

/// Programs of many people that each ask a service of their own some times.
pub(super) fn few_questions(scene: &mut Scene) {
    for _ in 0..scene.range(5, 40) {
        let (ends, words, mean) = (web(scene), small(scene), scene.log(60, 900));
        let mut at = 0;
        for _ in 0..scene.range(8, 30) {
            at += scene.log(mean / 8, mean * 4);
            call(scene, Protocol::TCP, ends, at, words);
        }
    }
}

pub(super) fn files(scene: &mut Scene) {
    let (host, site) = (scene.inside(), scene.outside());
    let mut at = 0;
    for _ in 0..scene.range(20, 150) {
        let (got, secs) = (scene.log(200_000, 300_000_000), scene.log(1, 60));
        scene.tcp((host, site, 443), (at, secs), bulk(900, got));
        at += secs + scene.log(1, 600);
    }
}
