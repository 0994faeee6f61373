//! How well the detectors tell attacks from look-alikes, with the options they have by default. `docs/detectors.md` holds
//! what is measured here: `UPDATE_DOCS=1` writes it.

use std::collections::BTreeMap;
use std::fs;

use flow_tests::harness::{assert_same_text, testdata};
use flow_tests::labelled::{self, ALLOWED, Case};
use flowcore::analysis::{self, Connection, Detector, Finding, Hosts};

type Detect = fn(&[Connection]) -> Vec<Finding>;

/// Detector, labelled cases, the function.
type Labelled = (Detector, fn() -> Vec<Case>, Detect);

#[rustfmt::skip]
const DETECTORS: [Labelled; 9] = [
    (Detector::Exfiltration, labelled::exfiltration::cases, |all| analysis::exfiltration(all, &Default::default(), &Hosts::internal(), &allowed())),
    (Detector::DnsTunnel, labelled::dns_tunnel::cases, |all| analysis::dns_tunnels(all, &Default::default(), &allowed())),
    (Detector::BruteForce, labelled::brute_force::cases, |all| analysis::brute_force(all, &Default::default(), &allowed())),
    (Detector::Beacon, labelled::beacon::cases, |all| analysis::beacons(all, &Default::default(), &Hosts::internal(), &allowed())),
    (Detector::UnusualPort, labelled::unusual_port::cases, |all| analysis::unusual_ports(all, &Default::default(), &Hosts::internal(), &allowed())),
    (Detector::LongConnection, labelled::long_connection::cases, |all| analysis::long_connections(all, &Default::default(), &Hosts::internal(), &allowed())),
    (Detector::PortScan, labelled::port_scan::cases, |all| analysis::port_scans(all, &Default::default(), &allowed())),
    (Detector::HostScan, labelled::host_scan::cases, |all| analysis::host_scans(all, &Default::default(), &allowed())),
    (Detector::Flood, labelled::flood::cases, |all| analysis::floods(all, &Default::default(), &allowed())),
];

/// What precision and recall have to reach.
const GOAL: f64 = 0.95;

fn allowed() -> Hosts {
    Hosts::new([ALLOWED.parse().unwrap()])
}

/// How a detector judged its labelled cases.
#[derive(Default)]
struct Score {
    cases: usize,
    attacks: usize,
    hits: usize,
    false_alarms: usize,
    /// Kinds of the cases that were judged wrong.
    wrong: BTreeMap<&'static str, usize>,
}

impl Score {
    fn of(cases: &[Case], detect: Detect) -> Self {
        let mut score = Self::default();
        for case in cases {
            let is_found = !detect(&case.connections).is_empty();
            score.cases += 1;
            score.attacks += usize::from(case.is_attack);
            score.hits += usize::from(case.is_attack && is_found);
            score.false_alarms += usize::from(!case.is_attack && is_found);
            if case.is_attack != is_found {
                *score.wrong.entry(case.kind).or_default() += 1;
            }
        }
        score
    }

    fn precision(&self) -> f64 {
        self.hits as f64 / (self.hits + self.false_alarms).max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.hits as f64 / self.attacks.max(1) as f64
    }

    /// A line of the table.
    fn row(&self, detector: Detector) -> String {
        let wrong: Vec<String> = self.wrong.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        format!(
            "| `{}` | {} | {} | {:.3} | {:.3} | {} |\n",
            detector.name(),
            self.cases,
            self.attacks,
            self.precision(),
            self.recall(),
            if wrong.is_empty() { "-".to_owned() } else { wrong.join(", ") }
        )
    }
}

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- end -->";

/// Precision and recall are as the page says, and good enough.
#[test]
fn attacks_are_found_and_look_alikes_are_not() {
    assert_eq!(DETECTORS.map(|(detector, ..)| detector), Detector::ALL);
    let mut table =
        "\n| detector | cases | attacks | precision | recall | judged wrong |\n| --- | --: | --: | --: | --: | --- |\n"
            .to_owned();
    let mut too_bad = Vec::new();
    for (detector, cases, detect) in DETECTORS {
        let score = Score::of(&cases(), detect);
        let is_balanced = (80..=120).contains(&(score.attacks * 200 / score.cases));
        assert!(score.cases >= 200 && is_balanced, "{}", score.row(detector));
        if score.precision() < GOAL || score.recall() < GOAL {
            too_bad.push(score.row(detector));
        }
        table += &score.row(detector);
    }
    let path = testdata("../docs/detectors.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let right = format!("{before}{BEGIN}{table}\n{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, right).unwrap();
    } else {
        assert_same_text("docs/detectors.md (UPDATE_DOCS=1 writes it)", &right, &page);
    }
    assert_eq!(too_bad, Vec::<String>::new());
}

#[test]
fn the_order_of_connections_changes_no_finding() {
    for (detector, cases, detect) in DETECTORS {
        for case in cases().iter_mut().step_by(3) {
            let found = detect(&case.connections);
            case.connections.reverse();
            assert_eq!(found, detect(&case.connections), "{} {}", detector.name(), case.kind);
        }
    }
}

/// What a finding says of itself is so: its criteria select the connections that show it.
#[test]
fn criteria_select_what_shows_the_finding() {
    for (detector, cases, detect) in DETECTORS {
        let cases = cases();
        let found =
            cases.iter().flat_map(|case| detect(&case.connections).into_iter().map(move |one| (case, one)));
        for (case, one) in found {
            assert_eq!(one.detector, detector);
            let selected = case.connections.iter().filter(|other| one.criteria.matches(other)).count() as u64;
            assert!(selected >= one.connections, "{} {}: {selected}", detector.name(), case.kind);
            assert!(one.evidence.iter().all(|other| one.criteria.matches(other)), "{}", one.reason);
        }
    }
}
