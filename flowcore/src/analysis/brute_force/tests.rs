use super::super::connection::testing::connection;
use super::*;

/// A guess every `pace` seconds, each a little later than that.
fn guesses(count: i64, pace: i64) -> Vec<Connection> {
    let guess = |at: i64| {
        let start = at * pace + at * at % 7 * pace / 10;
        let mut one = connection("192.0.2.1", "10.0.0.1", 22, start, start + 2);
        (one.forward.bytes, one.reverse.bytes) = (1_900, 2_400);
        one
    };
    (0..count).map(guess).collect()
}

fn found(connections: &[Connection]) -> Vec<Finding> {
    brute_force(connections, &BruteForceOptions::default(), &Hosts::new([]))
}

#[test]
fn a_session_after_many_guesses_is_a_guess_that_worked() {
    let mut connections = guesses(30, 2);
    let found_first = found(&connections);
    assert_eq!(found_first[0].parts[4].value, 0.0);
    assert_eq!(
        found_first[0].criteria.to_string(),
        "src ip 192.0.2.1 and dst ip 10.0.0.1 and proto 6 and dst port 22"
    );
    let mut session = connection("192.0.2.1", "10.0.0.1", 22, 100, 900);
    session.reverse.bytes = 90_000;
    connections.push(session);
    let found = found(&connections);
    assert_eq!((found.len(), found[0].parts[0].value, found[0].parts[4].value), (1, 30.0, 1.0));
    assert!(found[0].evidence.contains(&session));
    assert!(found[0].reason.contains("13.3 minutes followed"), "{}", found[0].reason);
}

#[test]
fn regular_guesses_that_end_with_a_session_are_no_timetable() {
    let mut connections = guesses(10, 40);
    connections.iter_mut().zip(0..).for_each(|(one, at)| one.first = crate::Timestamp::from_secs(at * 40));
    assert_eq!(found(&connections), []);
    let mut session = connection("192.0.2.1", "10.0.0.1", 22, 600, 800);
    session.reverse.bytes = 18_000;
    connections.push(session);
    let found = found(&connections);
    assert_eq!((found.len(), found[0].parts[0].value, found[0].parts[4].value), (1, 10.0, 1.0));
}

#[test]
fn a_few_at_once_are_enough() {
    assert_eq!(found(&guesses(5, 1)).len(), 1);
    assert_eq!(found(&guesses(4, 1)), []);
    assert_eq!(found(&guesses(9, 10)), []);
}

#[test]
fn a_few_guesses_at_each_of_many_hosts_are_one_finding() {
    let mut connections = guesses(18, 30);
    for (at, one) in connections.iter_mut().enumerate() {
        one.dst = format!("10.0.0.{}", at % 9).parse().unwrap();
    }
    let found = found(&connections);
    assert_eq!((found.len(), found[0].dst, found[0].connections), (1, None, 18));
    assert_eq!(found[0].criteria.to_string(), "src ip 192.0.2.1 and proto 6 and dst port 22");
}

#[test]
fn a_timetable_looks_at_banners_work_and_permission_are_quiet() {
    let mut timetable = guesses(60, 60);
    timetable.iter_mut().zip(0..).for_each(|(one, at)| one.first = crate::Timestamp::from_secs(at * 60));
    assert_eq!(found(&timetable), []);
    let mut session = connection("192.0.2.1", "10.0.0.1", 22, 1_810, 2_000);
    session.reverse.bytes = 90_000;
    timetable.insert(31, session);
    assert_eq!(found(&timetable), []);
    let mut banners = guesses(60, 5);
    banners.iter_mut().for_each(|one| one.forward.bytes = 320);
    assert_eq!(found(&banners), []);
    let mut work = guesses(60, 5);
    work.iter_mut().zip(1..).for_each(|(one, at)| one.reverse.bytes = at * 1_000);
    assert_eq!(found(&work), []);
    let allowed = Hosts::new(["192.0.2.1".parse().unwrap()]);
    assert_eq!(brute_force(&guesses(60, 5), &BruteForceOptions::default(), &allowed), []);
}

#[test]
fn what_was_there_on_another_day_makes_a_run_no_slower() {
    let mut connections = guesses(30, 2);
    let mut before = connections[0];
    before.first = crate::Timestamp::from_secs(-900_000);
    connections.push(before);
    let found_one = found(&connections);
    assert_eq!((found_one.len(), found_one[0].parts[0].value), (1, 30.0));
    connections.extend(guesses(20, 2).into_iter().map(|one| Connection {
        first: one.first.saturating_add(90_000_000_000_000),
        last: one.last.saturating_add(90_000_000_000_000),
        ..one
    }));
    let found_both = found(&connections);
    assert_eq!((found_both.len(), found_both[0].parts[0].value), (1, 50.0));
    assert_eq!(found_both[0].parts[3].value, 1.0);
}

#[test]
fn clients_that_look_for_letters_are_quiet() {
    let mut rounds = guesses(90, 60);
    for (one, at) in rounds.iter_mut().zip(0..) {
        one.dst_port = Some(993);
        one.first = crate::Timestamp::from_secs(at / 3 * 300 + at % 3);
    }
    assert_eq!(found(&rounds), [], "three folders each");
    let mut building = guesses(90, 60);
    building.iter_mut().step_by(9).for_each(|one| one.reverse.bytes = 90_000);
    assert_eq!(found(&building), [], "with letters among them");
}

#[test]
fn rounds_over_many_hosts_are_no_timetable() {
    let mut connections = guesses(45, 30);
    for (one, at) in connections.iter_mut().zip(0..) {
        one.first = crate::Timestamp::from_secs(at * 40);
        one.dst = format!("10.0.0.{}", at % 9).parse().unwrap();
    }
    assert_eq!(found(&connections).len(), 1);
}

#[test]
fn those_that_worked_come_first() {
    let mut connections = guesses(30, 2);
    connections
        .extend(guesses(90, 2).into_iter().map(|one| Connection { dst: "10.0.0.2".parse().unwrap(), ..one }));
    assert_eq!(found(&connections)[0].parts[0].value, 90.0);
    let mut session = connection("192.0.2.1", "10.0.0.1", 22, 100, 900);
    session.reverse.bytes = 90_000;
    connections.push(session);
    assert_eq!(found(&connections)[0].parts[0].value, 30.0);
}

#[test]
fn the_ends_of_time_and_of_counters_are_no_error() {
    let mut connections = guesses(40, 3);
    connections[0].first = crate::Timestamp::from_nanos(i64::MIN);
    connections[39].last = crate::Timestamp::from_nanos(i64::MAX);
    connections.iter_mut().for_each(|one| one.reverse.bytes = u64::MAX);
    found(&connections);
}
