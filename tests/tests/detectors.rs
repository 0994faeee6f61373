//! How well the detectors tell attacks from look-alikes, with the options they have by default.

use std::collections::BTreeMap;

use flow_tests::labelled::{self, ALLOWED, Case};
use flowcore::analysis::{self, Connection, Finding, Hosts};

type Detect = fn(&[Connection]) -> Vec<Finding>;

/// Name, labelled cases, detector.
type Row = (&'static str, fn() -> Vec<Case>, Detect);

/// One line per detector.
#[rustfmt::skip]
const DETECTORS: [Row; 7] = [
    ("exfiltration", labelled::exfiltration::cases, |all| analysis::exfiltration(all, &Default::default(), &Hosts::internal(), &allowed())),
    ("brute-force", labelled::brute_force::cases, |all| analysis::brute_force(all, &Default::default(), &allowed())),
    ("unusual-port", labelled::unusual_port::cases, |all| analysis::unusual_ports(all, &Default::default(), &Hosts::internal(), &allowed())),
    ("long-connection", labelled::long_connection::cases, |all| analysis::long_connections(all, &Default::default(), &Hosts::internal(), &allowed())),
    ("port-scan", labelled::port_scan::cases, |all| analysis::port_scans(all, &Default::default(), &allowed())),
    ("host-scan", labelled::host_scan::cases, |all| analysis::host_scans(all, &Default::default(), &allowed())),
    ("flood", labelled::flood::cases, |all| analysis::floods(all, &Default::default(), &allowed())),
];

/// What precision and recall have to reach.
const GOAL: f64 = 0.95;

fn allowed() -> Hosts {
    Hosts::new([ALLOWED.parse().unwrap()])
}

/// Precision and recall, and the kinds of the cases that were judged wrong.
fn measure(cases: &[Case], detect: Detect) -> (f64, f64, BTreeMap<&'static str, usize>) {
    let (mut hits, mut false_alarms, mut missed) = (0_u32, 0_u32, 0_u32);
    let mut wrong: BTreeMap<&'static str, usize> = BTreeMap::new();
    for case in cases {
        match (case.is_attack, !detect(&case.connections).is_empty()) {
            (true, true) => {
                hits += 1;
                continue;
            }
            (false, false) => continue,
            (true, false) => missed += 1,
            (false, true) => false_alarms += 1,
        }
        *wrong.entry(case.kind).or_default() += 1;
    }
    let part = |of: u32| f64::from(hits) / f64::from((hits + of).max(1));
    (part(false_alarms), part(missed), wrong)
}

#[test]
fn attacks_are_found_and_look_alikes_are_not() {
    let mut report = String::new();
    let mut is_good = true;
    for (name, cases, detect) in DETECTORS {
        let cases = cases();
        let attacks = cases.iter().filter(|case| case.is_attack).count();
        let is_balanced = cases.len() >= 200 && (80..=120).contains(&(attacks * 200 / cases.len()));
        let (precision, recall, wrong) = measure(&cases, detect);
        is_good &= is_balanced && precision >= GOAL && recall >= GOAL;
        report += &format!(
            "{name}: {} cases, {attacks} attacks, precision {precision:.3}, recall {recall:.3}, wrong {wrong:?}\n",
            cases.len()
        );
    }
    assert!(is_good && std::env::var_os("DETECTORS_REPORT").is_none(), "\n{report}");
}

#[test]
fn the_order_of_connections_changes_no_finding() {
    for (name, cases, detect) in DETECTORS {
        for case in cases().iter_mut().step_by(3) {
            let found = detect(&case.connections);
            case.connections.reverse();
            assert_eq!(found, detect(&case.connections), "{name} {}", case.kind);
        }
    }
}
