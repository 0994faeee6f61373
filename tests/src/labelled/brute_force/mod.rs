//! Guessed passwords, and many logins and visits that are something else.
//!
//! Bytes are with headers. A failed login of OpenSSH sends 1.5 to 2.5 kB of keys and some hundred bytes for each guess, a
//! handshake of TLS 600 to 900 bytes and gets 3 to 6 kB of certificates; what has no encryption gets by with less.

mod look_alikes;

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
            ("automation", false, look_alikes::automation),
            ("commands", false, look_alikes::commands),
            ("sources", false, look_alikes::sources),
            ("banners", false, look_alikes::banners),
            ("mail-clients", false, look_alikes::mail_clients),
            ("mail-of-a-building", false, look_alikes::mail_of_a_building),
            ("rest-client", false, look_alikes::rest_client),
            ("browsing", false, look_alikes::browsing),
            ("database-pool", false, look_alikes::database_pool),
            ("small-queries", false, look_alikes::small_queries),
            ("copies", false, look_alikes::copies),
            ("typing-errors", false, look_alikes::typing_errors),
            ("allowed-scanner", false, look_alikes::allowed_scanner),
            ("backup", false, look_alikes::backup),
            ("file-shares", false, look_alikes::file_shares),
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
