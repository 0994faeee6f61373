//! Guessed passwords, and many logins and visits that are something else.
//!
//! Bytes are with headers. A failed login of OpenSSH sends 1.5 to 2.5 kB of keys and some hundred bytes for each guess, a
//! handshake of TLS 600 to 900 bytes and gets 3 to 6 kB of certificates; what has no encryption gets by with less.

use flowcore::Addr;

use super::probes::network;
use super::volume::{Scene, Ways};
use super::{Case, draw};

/// 10 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "brute-force",
        10,
        &[
            ("ssh", true, ssh),
            ("ssh-several-guesses", true, ssh_several_guesses),
            ("ssh-slow", true, ssh_slow),
            ("ssh-from-inside", true, ssh_from_inside),
            ("ssh-worked", true, ssh_worked),
            ("ftp", true, ftp),
            ("rdp", true, rdp),
            ("smb", true, smb),
            ("telnet", true, telnet),
            ("mail", true, mail),
            ("web-form", true, web_form),
            ("database", true, database),
            ("spraying", true, spraying),
            ("automation", false, automation),
            ("commands", false, commands),
            ("sources", false, sources),
            ("banners", false, banners),
            ("mail-clients", false, mail_clients),
            ("mail-of-a-building", false, mail_of_a_building),
            ("rest-client", false, rest_client),
            ("browsing", false, browsing),
            ("database-pool", false, database_pool),
            ("copies", false, copies),
            ("typing-errors", false, typing_errors),
            ("allowed-scanner", false, allowed_scanner),
            ("backup", false, backup),
            ("file-shares", false, file_shares),
        ],
    )
}

/// A number near this one: up to so many parts of 100 away from it.
fn near(scene: &mut Scene, middle: u64, percent: u64) -> u64 {
    middle * scene.range(100 - percent, 100 + percent) / 100
}

/// Packets of connections in which both sides take turns.
const fn turns(sent: u64, got: u64) -> Ways {
    [(sent / 160 + 3, sent), (got / 180 + 3, got)]
}

/// One of those who try from outside, mostly.
fn attacker(scene: &mut Scene) -> Addr {
    if scene.rng.chance(80) { scene.outside() } else { scene.inside() }
}

/// Guesses at a service: how many, thousandths of a second from one to the next, bytes sent and got by each, and how long
/// each takes.
struct Guesses {
    count: u64,
    pace: u64,
    bytes: (u64, u64),
    percent: u64,
    secs: (u64, u64),
}

/// The guesses of a tool: it waits for answers, so that no two steps are the same. Ends with the second of the last one.
fn guess(scene: &mut Scene, (src, dst, port): (Addr, Addr, u16), guesses: &Guesses) -> u64 {
    let mut now = scene.range(0, 20_000) * 1000;
    for _ in 0..guesses.count {
        let (sent, got) = guesses.bytes;
        let ways = turns(near(scene, sent, guesses.percent), near(scene, got, guesses.percent));
        let took = scene.range(guesses.secs.0, guesses.secs.1);
        scene.tcp((src, dst, port), (now / 1000, took), ways);
        now += scene.range(guesses.pace / 4, guesses.pace * 7 / 4);
    }
    now / 1000
}

fn ssh_guesses(scene: &mut Scene) -> Guesses {
    Guesses {
        count: scene.log(25, 1_500),
        pace: scene.log(150, 12_000),
        bytes: (scene.range(1_500, 2_900), scene.range(1_700, 3_800)),
        percent: scene.range(1, 9),
        secs: (1, scene.range(2, 9)),
    }
}

fn ssh(scene: &mut Scene) {
    let (src, dst, port) = (attacker(scene), scene.inside(), scene.pick(&[22, 22, 22, 2222]));
    let guesses = ssh_guesses(scene);
    guess(scene, (src, dst, port), &guesses);
}

/// Up to six guesses in each connection.
fn ssh_several_guesses(scene: &mut Scene) {
    let (src, dst, each) = (attacker(scene), scene.inside(), scene.range(2, 6));
    let mut guesses = ssh_guesses(scene);
    guesses.bytes.0 += each * scene.range(110, 160);
    guesses.bytes.1 += each * scene.range(80, 140);
    (guesses.count, guesses.secs) = (scene.log(12, 400), (each, each * 4));
    guess(scene, (src, dst, 22), &guesses);
}

fn ssh_slow(scene: &mut Scene) {
    let (src, dst) = (attacker(scene), scene.inside());
    let mut guesses = ssh_guesses(scene);
    (guesses.count, guesses.pace) = (scene.range(20, 300), scene.log(20_000, 400_000));
    guess(scene, (src, dst, 22), &guesses);
}

fn ssh_from_inside(scene: &mut Scene) {
    let (src, dst) = (scene.inside(), scene.inside());
    let guesses = ssh_guesses(scene);
    guess(scene, (src, dst, 22), &guesses);
}

fn ssh_worked(scene: &mut Scene) {
    let (src, dst) = (attacker(scene), scene.inside());
    let guesses = ssh_guesses(scene);
    let after = guess(scene, (src, dst, 22), &guesses);
    for _ in 0..scene.range(1, 3) {
        let (packets, secs) = (scene.log(80, 9_000), scene.log(20, 6_000));
        let ways = scene.typed(packets, 70, 200);
        scene.tcp((src, dst, 22), (after + 5, secs), ways);
    }
}

fn ftp(scene: &mut Scene) {
    let (src, dst, each) = (attacker(scene), scene.inside(), scene.range(1, 6));
    let guesses = Guesses {
        count: scene.log(20, 1_500),
        pace: scene.log(200, 20_000),
        bytes: (280 + each * scene.range(120, 190), 380 + each * scene.range(130, 220)),
        percent: scene.range(2, 15),
        secs: (1, each * 4),
    };
    guess(scene, (src, dst, 21), &guesses);
}

fn rdp(scene: &mut Scene) {
    let (src, dst) = (attacker(scene), scene.inside());
    let guesses = Guesses {
        count: scene.log(20, 1_500),
        pace: scene.log(300, 60_000),
        bytes: (scene.range(1_100, 3_800), scene.range(1_300, 4_500)),
        percent: scene.range(1, 12),
        secs: (0, scene.range(1, 6)),
    };
    guess(scene, (src, dst, 3389), &guesses);
}

fn smb(scene: &mut Scene) {
    let (src, dst, port) = (attacker(scene), scene.inside(), scene.pick(&[445, 445, 445, 139]));
    let guesses = Guesses {
        count: scene.log(20, 2_000),
        pace: scene.log(50, 9_000),
        bytes: (scene.range(900, 2_600), scene.range(900, 2_400)),
        percent: scene.range(1, 8),
        secs: (0, 1),
    };
    guess(scene, (src, dst, port), &guesses);
}

fn telnet(scene: &mut Scene) {
    let (src, dst, port) = (attacker(scene), scene.inside(), scene.pick(&[23, 23, 2323]));
    let guesses = Guesses {
        count: scene.log(15, 400),
        pace: scene.log(800, 30_000),
        bytes: (scene.range(450, 1_800), scene.range(450, 2_000)),
        percent: scene.range(2, 18),
        secs: (2, scene.range(4, 30)),
    };
    guess(scene, (src, dst, port), &guesses);
}

fn mail(scene: &mut Scene) {
    let (src, dst) = (attacker(scene), scene.inside());
    let (port, is_plain) =
        scene.pick(&[(993, false), (143, true), (995, false), (110, true), (587, false), (25, true)]);
    let bytes = if is_plain {
        (scene.range(400, 1_100), scene.range(500, 1_300))
    } else {
        (scene.range(1_300, 2_400), scene.range(3_500, 6_500))
    };
    let guesses = Guesses {
        count: scene.log(25, 1_500),
        pace: scene.log(300, 40_000),
        bytes,
        percent: scene.range(1, 10),
        secs: (1, scene.range(3, 15)),
    };
    guess(scene, (src, dst, port), &guesses);
}

/// The same page over and over, that says the password is wrong.
fn web_form(scene: &mut Scene) {
    let (src, dst, port) = (attacker(scene), scene.inside(), scene.pick(&[80, 443, 443, 8080, 8443]));
    let guesses = Guesses {
        count: scene.log(60, 2_500),
        pace: scene.log(40, 3_500),
        bytes: (scene.range(700, 3_000), scene.range(900, 18_000)),
        percent: scene.range(1, 6),
        secs: (0, 2),
    };
    guess(scene, (src, dst, port), &guesses);
}

fn database(scene: &mut Scene) {
    let (src, dst, port) =
        (attacker(scene), scene.inside(), scene.pick(&[3306, 3306, 5432, 1433, 1433, 5900, 6379]));
    let guesses = Guesses {
        count: scene.log(25, 2_000),
        pace: scene.log(60, 15_000),
        bytes: (scene.range(380, 1_200), scene.range(350, 1_300)),
        percent: scene.range(1, 12),
        secs: (0, 2),
    };
    guess(scene, (src, dst, port), &guesses);
}

/// One or two guesses at each of many hosts, for hours.
fn spraying(scene: &mut Scene) {
    let (src, port) = (attacker(scene), scene.pick(&[22, 22, 3389, 445, 5985]));
    let (sent, got, percent) = (scene.range(1_300, 3_000), scene.range(1_300, 3_800), scene.range(2, 10));
    let (count, each, pace) = (scene.range(8, 120), scene.range(1, 5), scene.log(300, 60_000));
    let (mut now, hosts) = (scene.range(0, 9_000) * 1000, network(scene, count));
    for _ in 0..each {
        for &host in &hosts {
            let ways = turns(near(scene, sent, percent), near(scene, got, percent));
            scene.tcp((src, host, port), (now / 1000, 2), ways);
            now += scene.range(pace / 4, pace * 7 / 4);
        }
    }
}

/// Playbooks against many machines: modules and facts go over, which differ.
fn automation(scene: &mut Scene) {
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
fn commands(scene: &mut Scene) {
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
fn sources(scene: &mut Scene) {
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
fn banners(scene: &mut Scene) {
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

fn mail_clients(scene: &mut Scene) {
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
fn mail_of_a_building(scene: &mut Scene) {
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
fn rest_client(scene: &mut Scene) {
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

fn browsing(scene: &mut Scene) {
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
fn database_pool(scene: &mut Scene) {
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

/// Files that are fetched and sent by jobs.
fn copies(scene: &mut Scene) {
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
fn typing_errors(scene: &mut Scene) {
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

fn allowed_scanner(scene: &mut Scene) {
    let source = scene.partner();
    for _ in 0..scene.range(1, 6) {
        let (dst, port, guesses) = (scene.inside(), scene.pick(&[22, 3389, 445]), ssh_guesses(scene));
        guess(scene, (source, dst, port), &guesses);
    }
}

/// Folders that are compared and copied over SSH.
fn backup(scene: &mut Scene) {
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
fn file_shares(scene: &mut Scene) {
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
