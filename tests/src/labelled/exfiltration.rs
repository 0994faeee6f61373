//! Data that left, and much traffic that is something else.

use super::volume::{Scene, bulk};
use super::{Case, draw};

/// 16 cases of each kind.
pub fn cases() -> Vec<Case> {
    draw(
        "exfiltration",
        16,
        &[
            ("upload-odd-port", true, upload_odd_port),
            ("upload-web", true, upload_web),
            ("upload-slow", true, upload_slow),
            ("upload-copy", true, upload_copy),
            ("upload-short", true, upload_short),
            ("upload-among-users", true, upload_among_users),
            ("pull-lone", true, pull_lone),
            ("pull-among-visitors", true, pull_among_visitors),
            ("pull-slow", true, pull_slow),
            ("pull-session", true, pull_session),
            ("web-visitors", false, web_visitors),
            ("installer-server", false, installer_server),
            ("lone-visitor", false, lone_visitor),
            ("backup", false, backup),
            ("download", false, download),
            ("video-call", false, video_call),
            ("mail-server", false, mail_server),
            ("mail-relay", false, mail_relay),
            ("push-of-sources", false, push_of_sources),
            ("forms", false, forms),
        ],
    )
}

/// An upload in so many portions, one after another within `secs`.
fn portions(scene: &mut Scene, port: u16, count: u64, total: u64, secs: u64) {
    let (host, drop) = (scene.inside(), scene.outside());
    let start = scene.range(0, 20_000);
    for at in 0..count {
        let part = total / count * scene.range(70, 130) / 100;
        let back = scene.log(300, 6_000);
        let length = (secs / count).max(1);
        let took = scene.range(1, length);
        scene.tcp((host, drop, port), (start + at * length, took), bulk(part, back));
    }
}

fn upload_odd_port(scene: &mut Scene) {
    let (port, count) = (scene.odd_port(flowcore::Protocol::TCP), scene.range(1, 12));
    let (total, secs) = (scene.log(6_000_000, 2_000_000_000), scene.log(20, 4_000));
    portions(scene, port, count, total, secs);
}

fn upload_web(scene: &mut Scene) {
    let (port, count) = (scene.pick(&[443, 443, 443, 80, 8080]), scene.range(1, 20));
    let (total, secs) = (scene.log(25_000_000, 4_000_000_000), scene.log(20, 20_000));
    portions(scene, port, count, total, secs);
}

fn upload_slow(scene: &mut Scene) {
    let (port, count) = (scene.pick(&[443, 443, 22, 80]), scene.range(40, 300));
    let (part, secs) = (scene.log(300_000, 4_000_000), scene.range(10_000, 70_000));
    portions(scene, port, count, count * part, secs);
}

fn upload_copy(scene: &mut Scene) {
    let (port, count) = (scene.pick(&[22, 21, 873, 445]), scene.range(1, 3));
    let (total, secs) = (scene.log(20_000_000, 8_000_000_000), scene.log(10, 9_000));
    portions(scene, port, count, total, secs);
}

fn upload_short(scene: &mut Scene) {
    let port = scene.pick(&[443, 8889, 9001, 80]);
    let (total, secs) = (scene.log(25_000_000, 400_000_000), scene.range(1, 15));
    portions(scene, port, 1, total, secs);
}

/// One upload among many users of the web.
fn upload_among_users(scene: &mut Scene) {
    for _ in 0..30 {
        download(scene);
        forms(scene);
    }
    upload_web(scene);
}

/// Connections of a host outside to a web server, which come to so many bytes within `secs`.
fn pull(scene: &mut Scene, server: flowcore::Addr, port: u16, count: u64, total: u64, secs: u64) {
    let (client, start) = (scene.outside(), scene.range(0, 20_000));
    for at in 0..count {
        let (asked, length) = (scene.log(300, 8_000), (secs / count).max(1));
        let (part, took) = (total / count * scene.range(60, 140) / 100, scene.range(1, length));
        scene.tcp((client, server, port), (start + at * length, took), bulk(asked, part));
    }
}

fn pull_lone(scene: &mut Scene) {
    let (server, port, count) = (scene.inside(), scene.pick(&[80, 443, 8080]), scene.range(1, 20));
    let (total, secs) = (scene.log(60_000_000, 2_000_000_000), scene.log(10, 4_000));
    pull(scene, server, port, count, total, secs);
}

fn pull_among_visitors(scene: &mut Scene) {
    let (server, port, count) = (scene.inside(), scene.pick(&[80, 443]), scene.range(1, 20));
    let (total, secs) = (scene.log(60_000_000, 2_000_000_000), scene.log(10, 4_000));
    pull(scene, server, port, count, total, secs);
    for _ in 0..scene.range(8, 150) {
        visit(scene, server, port, 30_000, 8_000_000);
    }
}

fn pull_slow(scene: &mut Scene) {
    let (server, port, count) = (scene.inside(), scene.pick(&[80, 443]), scene.range(50, 400));
    let (part, secs) = (scene.log(400_000, 4_000_000), scene.range(10_000, 70_000));
    pull(scene, server, port, count, count * part, secs);
}

/// Out of a session that was begun from outside.
fn pull_session(scene: &mut Scene) {
    let (server, port) = (scene.inside(), scene.pick(&[22, 3389, 3306, 5432]));
    let (total, secs) = (scene.log(30_000_000, 2_000_000_000), scene.log(20, 9_000));
    pull(scene, server, port, 1, total, secs);
}

fn visit(scene: &mut Scene, server: flowcore::Addr, port: u16, low: u64, high: u64) {
    let (count, total, secs) = (scene.range(1, 12), scene.log(low, high), scene.log(5, 900));
    pull(scene, server, port, count, total, secs);
}

fn web_visitors(scene: &mut Scene) {
    let (server, port) = (scene.inside(), scene.pick(&[80, 443, 8080]));
    for _ in 0..scene.range(15, 250) {
        visit(scene, server, port, 20_000, 25_000_000);
    }
}

/// Everybody gets the same large files.
fn installer_server(scene: &mut Scene) {
    let (server, port, size) = (scene.inside(), scene.pick(&[80, 443]), scene.log(20_000_000, 300_000_000));
    for _ in 0..scene.range(8, 60) {
        let times = scene.range(1, 3);
        visit(scene, server, port, size * times, size * times * 11 / 10);
    }
}

fn lone_visitor(scene: &mut Scene) {
    let (server, port) = (scene.inside(), scene.pick(&[80, 443]));
    visit(scene, server, port, 100_000, 30_000_000);
}

fn backup(scene: &mut Scene) {
    let (host, store) = (scene.inside(), scene.partner());
    for night in 0..scene.range(1, 5) {
        let (total, secs, port) = (
            scene.log(200_000_000, 50_000_000_000),
            scene.range(600, 9_000),
            scene.pick(&[22, 443, 873, 10_051]),
        );
        scene.tcp((host, store, port), (50_000 + night * 86_400, secs), bulk(total, total / 400));
    }
}

/// Updates, films, files of a delivery network.
fn download(scene: &mut Scene) {
    let (host, site) = (scene.inside(), scene.outside());
    for _ in 0..scene.range(1, 6) {
        let (start, total, secs) =
            (scene.range(0, 20_000), scene.log(5_000_000, 4_000_000_000), scene.log(10, 4_000));
        let (port, asked) = (scene.pick(&[443, 443, 80]), scene.log(500, 200_000));
        scene.tcp((host, site, port), (start, secs), bulk(asked, total));
    }
}

/// Pictures and voices both ways; who shows slides sends more.
fn video_call(scene: &mut Scene) {
    let (host, server) = (scene.inside(), scene.outside());
    let (secs, rate, port) =
        (scene.range(300, 9_000), scene.log(20_000, 350_000), scene.pick(&[443, 3478, 8801, 3479, 50_012]));
    let (sent, got) = (secs * rate, secs * rate * 100 / scene.range(30, 400));
    let start = scene.range(0, 20_000);
    scene.udp((host, server, 3478), (start, 1), [(2, 200), (2, 240)]);
    scene.udp((host, server, port), (start + 1, secs), [(sent / 900 + 1, sent), (got / 900 + 1, got)]);
}

/// Letters, some with attachments, to servers of others.
fn mail_server(scene: &mut Scene) {
    let (server, count) = (scene.inside(), scene.range(10, 150));
    for _ in 0..count {
        let (to, start, size) = (scene.outside(), scene.range(0, 30_000), scene.log(4_000, 25_000_000));
        scene.tcp((server, to, 25), (start, 4), bulk(size, 900));
    }
}

/// All letters to one relay.
fn mail_relay(scene: &mut Scene) {
    let (host, to, port) = (scene.inside(), scene.outside(), scene.pick(&[25, 465, 587]));
    for _ in 0..scene.range(5, 80) {
        let (start, size) = (scene.range(0, 30_000), scene.log(4_000, 25_000_000));
        scene.tcp((host, to, port), (start, 6), bulk(size, 1_500));
    }
}

fn push_of_sources(scene: &mut Scene) {
    let (host, forge, port) = (scene.inside(), scene.outside(), scene.pick(&[22, 443]));
    for _ in 0..scene.range(1, 8) {
        let (start, up, down) =
            (scene.range(0, 30_000), scene.log(4_000, 3_000_000), scene.log(3_000, 20_000_000));
        scene.tcp((host, forge, port), (start, 5), bulk(up, down));
    }
}

/// Pages that are read, and now and then pictures or a document that are sent.
fn forms(scene: &mut Scene) {
    let (host, site) = (scene.inside(), scene.outside());
    for _ in 0..scene.range(1, 5) {
        let (start, up, down) =
            (scene.range(0, 30_000), scene.log(10_000, 5_000_000), scene.log(20_000, 3_000_000));
        scene.tcp((host, site, 443), (start, 20), bulk(up, down));
    }
}
