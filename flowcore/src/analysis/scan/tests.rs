use super::super::connection::testing::connection;
use super::*;
use crate::aggregate::ConnState;
use crate::record::Timestamp;

/// A SYN to a port that nothing answered, at this second.
fn silent(src: &str, dst: &str, port: u16, second: i64) -> Connection {
    let mut one = connection(src, dst, port, second, second);
    one.state = Some(ConnState::Unanswered);
    (one.forward.packets, one.forward.bytes) = (1, 44);
    (one.reverse.packets, one.reverse.bytes) = (0, 0);
    one
}

fn refused(one: Connection) -> Connection {
    Connection { state: Some(ConnState::Refused), ..one }
}

/// The same with a handshake, and nothing said.
fn touched(mut one: Connection) -> Connection {
    one.state = Some(ConnState::Accepted);
    (one.forward.packets, one.forward.bytes) = (3, 160);
    (one.reverse.packets, one.reverse.bytes) = (2, 112);
    one
}

fn ports(connections: &[Connection]) -> Vec<Finding> {
    port_scans(connections, &ScanOptions::default(), &Hosts::new(["20.9.9.9".parse().unwrap()]))
}

fn hosts(connections: &[Connection]) -> Vec<Finding> {
    host_scans(connections, &ScanOptions::default(), &Hosts::new(["20.9.9.9".parse().unwrap()]))
}

/// So many hosts of a network, tried for SSH every `pace` seconds.
fn sweep(src: &str, count: u8, pace: i64) -> Vec<Connection> {
    let look = |at: u8| silent(src, &format!("10.0.0.{at}"), 22, i64::from(at) * pace);
    (1..=count).map(look).collect()
}

#[test]
fn a_scan_of_ports_is_told_with_those_that_answered() {
    let slow = |port: u16| silent("20.1.2.3", "10.0.0.5", port, i64::from(port) * 15);
    let mut connections: Vec<_> = (20..=1000).map(slow).collect();
    connections[0] = refused(connections[0]);
    connections[2] = touched(connections[2]);
    connections[60].state = Some(ConnState::Accepted);
    (connections[60].forward.bytes, connections[60].reverse.packets) = (700, 6);
    let found = ports(&connections);
    assert_eq!(
        found[0].reason,
        "20.1.2.3 tried 981 ports of 10.0.0.5 over TCP within 4.1 hours: 1 refused, 978 stayed silent, 2 answered: 22 \
         (ssh), 80 (http)."
    );
    assert_eq!(found[0].criteria.to_string(), "src ip 20.1.2.3 and dst ip 10.0.0.5 and proto 6");
    assert_eq!((found.len(), found[0].port, found[0].connections), (1, None, 981));
    assert_eq!(hosts(&connections), []);
}

#[test]
fn a_quick_look_at_a_few_neighbours_is_enough() {
    let mut quick = sweep("20.1.2.3", 6, 1);
    quick[3] = touched(quick[3]);
    assert_eq!(hosts(&quick).len(), 1);
    assert_eq!(hosts(&quick[1..]), [], "five");
    assert_eq!(hosts(&sweep("20.1.2.3", 6, 4)), [], "slower");
    quick[1..5].iter_mut().for_each(|one| *one = touched(*one));
    assert_eq!(hosts(&quick), [], "most are there");
}

#[test]
fn a_scan_of_hosts_is_told_with_those_that_answered() {
    let mut connections = sweep("20.1.2.3", 200, 2);
    connections[10..17].iter_mut().for_each(|one| *one = touched(*one));
    let found = hosts(&connections);
    assert_eq!(
        found[0].reason,
        "20.1.2.3 tried tcp/22 (ssh) of 200 hosts within 6.6 minutes: 0 refused, 193 stayed silent, 7 answered: \
         10.0.0.11, 10.0.0.12, 10.0.0.13, 10.0.0.14, 10.0.0.15 and 2 more."
    );
    assert_eq!(found[0].criteria.to_string(), "src ip 20.1.2.3 and proto 6 and dst port 22");
    assert_eq!((found.len(), found[0].dst, found[0].port), (1, None, Some(22)));
    assert_eq!(ports(&connections), []);
    connections.iter_mut().for_each(|one| (one.protocol, one.dst_port) = (Some(Protocol::ICMP), None));
    let found = hosts(&connections);
    assert_eq!(
        (found[0].criteria.to_string().as_str(), found[0].port),
        ("src ip 20.1.2.3 and proto 1", None)
    );
}

#[test]
fn the_same_again_and_again_is_no_scan() {
    let checks = |at: i64| {
        let port = 8000 + (at % 30) as u16;
        silent("10.0.0.9", "10.0.0.5", port, at * 10)
    };
    let mut connections: Vec<_> = (0..900).map(checks).collect();
    assert_eq!(ports(&connections), [], "a host that is down");
    for one in connections.iter_mut().take(840) {
        *one = touched(*one);
    }
    assert_eq!(ports(&connections), [], "one that went down at the end");
    let mut rounds: Vec<_> = (0..5).flat_map(|_| sweep("10.0.9.9", 60, 1)).collect();
    rounds.iter_mut().zip(0..).for_each(|(one, at)| one.first = Timestamp::from_secs(at));
    assert_eq!(hosts(&rounds), []);
}

#[test]
fn hosts_that_are_known_allowed_or_far_apart_are_not_scanned() {
    assert_eq!(hosts(&sweep("20.9.9.9", 200, 1)), []);
    let mut connections = sweep("10.0.9.9", 60, 1);
    connections.extend(sweep("10.0.9.9", 60, 1).into_iter().map(|one| {
        let mut talk = connection("10.0.0.1", "10.0.9.9", 443, 5, 6);
        (talk.src, talk.forward.bytes, talk.reverse.bytes) = (one.dst, 2_000, 9_000);
        talk
    }));
    assert_eq!(hosts(&connections), [], "names of visitors");
    let far: Vec<_> = (1..=80).map(|at| silent("10.0.0.9", &format!("20.{at}.0.1"), 443, at)).collect();
    assert_eq!(hosts(&far), []);
}

#[test]
fn peers_of_a_network_for_files_are_not_scanned() {
    let peer = |at: u16| {
        let port = if at.is_multiple_of(3) { 6881 } else { 20_000 + at };
        silent("10.0.0.9", &format!("20.{}.{}.1", at % 200, at / 200), port, i64::from(at))
    };
    assert_eq!(hosts(&(0..900).map(peer).collect::<Vec<_>>()), []);
}

#[test]
fn a_firewall_that_answers_for_all_hides_no_scan() {
    let look = |port: u16| touched(silent("20.1.2.3", "10.0.0.5", port, i64::from(port)));
    assert_eq!(ports(&(1..=50).map(look).collect::<Vec<_>>()), []);
    assert_eq!(ports(&(1..=150).map(look).collect::<Vec<_>>()).len(), 1);
}

#[test]
fn the_most_targets_come_first_and_the_order_is_no_matter() {
    let mut connections = sweep("20.1.2.3", 30, 1);
    connections.extend(sweep("20.1.2.4", 90, 1));
    let found = hosts(&connections);
    assert_eq!([found[0].parts[0].value, found[1].parts[0].value], [90.0, 30.0]);
    connections.reverse();
    assert_eq!(hosts(&connections), found);
}

#[test]
fn the_ends_of_time_and_of_counters_are_no_error() {
    let mut connections = sweep("20.1.2.3", 90, 1);
    connections[0].first = Timestamp::MIN;
    connections[89].last = Timestamp::MAX;
    connections[88].first = Timestamp::MAX;
    connections.iter_mut().for_each(|one| (one.forward.packets, one.forward.bytes) = (u64::MAX, u64::MAX));
    assert_eq!(hosts(&connections).len(), 1);
    ports(&connections);
}
