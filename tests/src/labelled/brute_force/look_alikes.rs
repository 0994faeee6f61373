//! Logins and visits that are no guesses: work, checks, clients that come again and again.

use flowcore::Addr;

use super::super::probes::network;
use super::super::volume::Scene;
use super::{guess, near, ssh_guesses, turns};

/// Playbooks against many machines: modules and facts go over, which differ.
pub(super) fn automation(scene: &mut Scene) {
    let (control, machines, plays) = (scene.inside(), scene.range(3, 60), scene.range(1, 6));
    let hosts = network(scene, machines);
    for _ in 0..plays {
        let start = scene.range(0, 25_000);
        for &host in &hosts {
            let mut now = start + scene.range(0, 20);
            for _ in 0..scene.range(1, 25) {
                let ways = turns(scene.log(4_500, 400_000), scene.log(3_800, 90_000));
                let took = scene.range(1, 20);
                scene.tcp((control, host, 22), (now, took), ways);
                now += took + scene.range(0, 3);
            }
        }
    }
}

/// Scripts that run a command somewhere: of a timetable the same one, by hand one or another.
pub(super) fn commands(scene: &mut Scene) {
    let (control, host, every) = (scene.inside(), scene.inside(), scene.pick(&[60, 300, 600, 900]));
    let (sent, got) = (scene.range(3_200, 4_800), scene.range(3_400, 9_000));
    for at in 0..scene.range(12, 120) {
        let (start, ways) =
            (at * every + scene.range(0, 2), turns(near(scene, sent, 2), near(scene, got, 8)));
        scene.tcp((control, host, 22), (start, 1), ways);
    }
    let (person, other) = (scene.inside(), scene.inside());
    for _ in 0..scene.range(5, 60) {
        let (start, took) = (scene.range(0, 30_000), scene.log(1, 900));
        let ways = turns(scene.log(3_300, 60_000), scene.log(3_400, 400_000));
        scene.tcp((person, other, 22), (start, took), ways);
    }
}

/// Versions of sources that are got and sent, by people and by a machine that builds.
pub(super) fn sources(scene: &mut Scene) {
    let (forge, people) = (scene.inside(), scene.range(1, 20));
    for _ in 0..people {
        let person = scene.inside();
        for _ in 0..scene.range(2, 40) {
            let start = scene.range(0, 30_000);
            let ways = turns(scene.log(3_400, 60_000), scene.log(4_000, 9_000_000));
            scene.tcp((person, forge, 22), (start, 2), ways);
        }
    }
    let (builder, every, got) = (scene.inside(), scene.pick(&[60, 120, 300]), scene.range(4_500, 20_000));
    for at in 0..scene.range(20, 150) {
        let is_new = scene.rng.chance(10);
        let got = if is_new { scene.log(20_000, 4_000_000) } else { near(scene, got, 2) };
        let start = at * every + scene.range(0, 4);
        scene.tcp((builder, forge, 22), (start, 2), turns(3_900, got));
    }
}

/// Monitoring that reads what a service says first, of many hosts.
pub(super) fn banners(scene: &mut Scene) {
    let (monitor, count, every) = (scene.inside(), scene.range(1, 40), scene.pick(&[30, 60, 60, 300]));
    let (port, sent, got) =
        (scene.pick(&[22, 22, 21, 25, 143, 110]), scene.range(160, 420), scene.range(200, 700));
    for host in network(scene, count) {
        let late = scene.range(0, every);
        for at in 0..scene.range(20, 120) {
            let start = late + at * every + scene.range(0, 1);
            scene.tcp((monitor, host, port), (start, 0), turns(sent, got));
        }
    }
}

/// A round of a client that looks for letters: a connection for each of some folders.
fn poll(scene: &mut Scene, ends: (Addr, Addr, u16), start: u64, folders: u64, bytes: (u64, u64)) {
    for _ in 0..folders {
        let has_new = scene.rng.chance(15);
        let got = if has_new { scene.log(9_000, 4_000_000) } else { near(scene, bytes.1, 5) };
        let (sent, took) = (near(scene, bytes.0, 6) + got / 60, scene.range(0, 2));
        let start = start + scene.range(0, 2);
        scene.tcp(ends, (start, took), turns(sent, got));
    }
}

pub(super) fn mail_clients(scene: &mut Scene) {
    let (server, port) = (scene.outside(), scene.pick(&[993, 993, 995, 143]));
    for _ in 0..scene.range(1, 12) {
        let (client, every, folders) =
            (scene.inside(), scene.pick(&[60, 300, 300, 600, 900]), scene.range(1, 4));
        let (bytes, late) = ((scene.range(1_500, 3_000), scene.range(4_000, 8_000)), scene.range(0, every));
        for at in 0..scene.range(10, 90) {
            poll(scene, (client, server, port), late + at * every, folders, bytes);
        }
    }
}

/// The same of some people behind one address.
pub(super) fn mail_of_a_building(scene: &mut Scene) {
    let (gateway, server, port) = (scene.outside(), scene.inside(), scene.pick(&[993, 995]));
    for _ in 0..scene.range(3, 25) {
        let (every, folders) = (scene.pick(&[300, 300, 600, 900]), scene.range(1, 3));
        let (bytes, late) = ((scene.range(1_500, 3_000), scene.range(4_000, 8_000)), scene.range(0, every));
        for at in 0..scene.range(10, 60) {
            poll(scene, (gateway, server, port), late + at * every, folders, bytes);
        }
    }
}

/// Asks an interface for news every few seconds, or does some work with it.
pub(super) fn rest_client(scene: &mut Scene) {
    let (client, server, port) = (scene.inside(), scene.outside(), scene.pick(&[443, 443, 8080, 80]));
    let (every, sent, got) =
        (scene.pick(&[5, 10, 15, 30, 60]), scene.range(700, 2_500), scene.range(1_000, 9_000));
    for at in 0..scene.range(50, 700) {
        let start = at * every + scene.range(0, 1);
        let ways = turns(near(scene, sent, 3), near(scene, got, 20));
        scene.tcp((client, server, port), (start, 1), ways);
    }
    let (worker, calls, pace) = (scene.inside(), scene.range(30, 500), scene.log(200, 5_000));
    for at in 0..calls {
        let ways = turns(scene.log(600, 9_000), scene.log(500, 200_000));
        scene.tcp((worker, server, port), (at * pace / 1000, 1), ways);
    }
}

pub(super) fn browsing(scene: &mut Scene) {
    for _ in 0..scene.range(1, 20) {
        let (client, server, start) = (scene.inside(), scene.outside(), scene.range(0, 20_000));
        for _ in 0..scene.range(4, 90) {
            let (later, took) = (scene.log(1, 900), scene.log(1, 60));
            let ways = turns(scene.log(700, 20_000), scene.log(3_000, 3_000_000));
            scene.tcp((client, server, 443), (start + later, took), ways);
        }
    }
}

/// Connections that stay, and some that are renewed after a time.
pub(super) fn database_pool(scene: &mut Scene) {
    let (client, server, port) = (scene.inside(), scene.inside(), scene.pick(&[3306, 5432, 1433]));
    for _ in 0..scene.range(5, 40) {
        let mut now = scene.range(0, 600);
        for _ in 0..scene.range(1, 40) {
            let took = scene.log(1, 1_800);
            let ways = turns(scene.log(600, 900_000), scene.log(600, 4_000_000));
            scene.tcp((client, server, port), (now, took), ways);
            now += took;
        }
    }
}

/// An application that connects for each query: the same ones, every few minutes.
pub(super) fn small_queries(scene: &mut Scene) {
    let (client, server, port) = (scene.inside(), scene.inside(), scene.pick(&[3306, 5432, 1433, 6379, 389]));
    let (sent, got) = (scene.range(350, 900), scene.range(350, 2_000));
    let (percent, pace) = (scene.range(2, 30), scene.log(90, 1_200));
    let mut now = scene.range(0, 600);
    for _ in 0..scene.range(12, 80) {
        let ways = turns(near(scene, sent, percent), near(scene, got, percent));
        scene.tcp((client, server, port), (now, 0), ways);
        now += scene.range(1, pace * 2);
    }
}

/// Files that are fetched and sent by jobs.
pub(super) fn copies(scene: &mut Scene) {
    let (job, server, every) = (scene.outside(), scene.inside(), scene.pick(&[60, 300, 900, 3_600]));
    let is_empty = scene.range(0, 80);
    for at in 0..scene.range(8, 80) {
        let is_nothing = scene.rng.chance(is_empty);
        let sent = if is_nothing { scene.range(3_600, 4_400) } else { scene.log(6_000, 40_000_000) };
        let (start, got) = (at * every + scene.range(0, 3), scene.range(4_200, 5_500) + sent / 60);
        scene.tcp((job, server, 22), (start, 2), turns(sent, got));
    }
}

/// Somebody gets it wrong some times, gives up or gets in.
pub(super) fn typing_errors(scene: &mut Scene) {
    let (person, server, port) = (scene.inside(), scene.inside(), scene.pick(&[22, 22, 3389, 445]));
    let mut now = scene.range(0, 20_000);
    for _ in 0..scene.range(1, 7) {
        let (ways, took) = (turns(scene.range(1_800, 3_200), scene.range(2_000, 3_900)), scene.range(4, 40));
        scene.tcp((person, server, port), (now, took), ways);
        now += took + scene.range(2, 90);
    }
    if scene.rng.chance(60) {
        let (packets, secs) = (scene.log(90, 9_000), scene.log(30, 9_000));
        let ways = scene.typed(packets, 70, 200);
        scene.tcp((person, server, port), (now, secs), ways);
    }
}

pub(super) fn allowed_scanner(scene: &mut Scene) {
    let source = scene.partner();
    for _ in 0..scene.range(1, 6) {
        let (dst, port, guesses) = (scene.inside(), scene.pick(&[22, 3389, 445]), ssh_guesses(scene));
        guess(scene, (source, dst, port), &guesses);
    }
}

/// Folders that are compared and copied over SSH.
pub(super) fn backup(scene: &mut Scene) {
    let (host, store) = (scene.inside(), scene.inside());
    let (folders, nights) = (scene.range(3, 40), scene.range(1, 4));
    for night in 0..nights {
        let mut now = night * 86_400;
        for _ in 0..folders {
            let (sent, took) = (scene.log(6_000, 900_000_000), scene.log(1, 900));
            let got = scene.range(5_000, 9_000) + sent / 50;
            scene.tcp((host, store, 22), (now, took), turns(sent, got));
            now += took + 1;
        }
    }
}

/// Shares of Windows that are opened when somebody needs them.
pub(super) fn file_shares(scene: &mut Scene) {
    let server = scene.inside();
    for _ in 0..scene.range(2, 40) {
        let client = scene.inside();
        for _ in 0..scene.range(1, 25) {
            let (start, took) = (scene.range(0, 30_000), scene.log(10, 4_000));
            let ways = turns(scene.log(2_500, 4_000_000), scene.log(2_500, 90_000_000));
            scene.tcp((client, server, 445), (start, took), ways);
        }
    }
}
