//! Commands that give the numbers of a report again, each from the inputs by a filter of its own.
//!
//! A command prints rows in JSON, one behind the other. A number is the count of its rows, or the sum, minimum or maximum of a member of
//! them; of those rows only that have a value where one is named.

use flowcore::aggregate::ConnState;
use flowcore::analysis::{Link, Role, Service};
use flowcore::{Protocol, Timestamp};

use super::found::Found;
use super::source::Source;
use super::together::Compared;
use crate::args::Case;

/// A command, and the numbers that come out of it.
pub(super) struct Reproduce {
    /// Words of the command line, the program's name first.
    pub(super) command: Vec<String>,
    pub(super) numbers: Vec<Number>,
}

/// A number of the report.
pub(super) struct Number {
    /// Where it stands in the report, as a JSON pointer (RFC 6901).
    pub(super) report: String,
    pub(super) take: Take,
    /// Member of a row, as a JSON pointer.
    pub(super) of: &'static str,
    /// Only rows in which this member has this value.
    pub(super) only: Option<(&'static str, String)>,
}

/// What is made of the rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Take {
    Count,
    Sum,
    Min,
    Max,
}

impl Take {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// The commands behind the section of a source, which stands at this pointer.
pub(super) fn commands(case: &Case, source: &Source, at: &str) -> Vec<Reproduce> {
    let from = From { case, source };
    let mut all = from.whole(at);
    if source.rows.records() == 0 {
        return all;
    }
    all.extend(from.window(at));
    all.push(from.activity(at));
    all.extend(
        source
            .periods
            .iter()
            .enumerate()
            .map(|(n, period)| from.period(&format!("{at}/periods/{n}"), period.first, period.last)),
    );
    let services = source.services.iter().enumerate();
    all.extend(services.flat_map(|(n, service)| from.service(&format!("{at}/services/{n}"), service)));
    let found = source.found.iter().enumerate();
    all.extend(found.map(|(n, found)| from.finding(&format!("{at}/findings/{n}"), found)));
    let reached = source.reached.iter().enumerate();
    all.extend(reached.flat_map(|(n, link)| from.link(&format!("{at}/reached/{n}"), link)));
    let hops = source.hops.iter().enumerate();
    all.extend(hops.flat_map(|(n, hop)| from.link(&format!("{at}/hops/{n}"), &hop.link)));
    all
}

/// The commands behind what sources say side by side, which stands at this pointer. `correlate` takes several files on the
/// right only.
pub(super) fn comparisons(
    case: &Case,
    sources: &[Source],
    compared: &[Compared],
    at: &str,
) -> Vec<Reproduce> {
    let sides =
        |one: &Compared| Some((sources.get(one.left)?.input.shown(), sources.get(one.right)?.input.shown()));
    let command = |(n, one): (usize, &Compared)| {
        let (left, right) = sides(one).filter(|(left, _)| left.len() == 1)?;
        let words = ["flowdump", "correlate"].map(str::to_owned).into_iter().chain(left).chain(right);
        let timeout = case.timeout.iter().flat_map(|timeout| ["-e".to_owned(), timeout.clone()]);
        let rest = ["-o", "json", "--filter", &case.filter.to_string()].map(str::to_owned);
        let at = format!("{at}/comparisons/{n}/");
        let numbers = SUMMARY.map(|of| number(&at, of.trim_start_matches("/summary/"), Take::Sum, of));
        Some(Reproduce { command: words.chain(timeout).chain(rest).collect(), numbers: numbers.into() })
    };
    compared.iter().enumerate().filter_map(command).collect()
}

/// Numbers of a comparison, by the names that `correlate` has for them too.
const SUMMARY: [&str; 7] = [
    "/summary/offset_seconds",
    "/summary/told_by",
    "/summary/matched",
    "/summary/only_left",
    "/summary/only_left_outside",
    "/summary/only_right",
    "/summary/only_right_outside",
];

/// What commands are made from.
#[derive(Clone, Copy)]
struct From<'a> {
    case: &'a Case,
    source: &'a Source,
}

impl From<'_> {
    /// A command that reads the input with this filter.
    fn read(self, options: &[&str], filter: &str) -> Vec<String> {
        let inputs = self.source.input.shown();
        let timeout = self.case.timeout.as_deref().map(|timeout| ["-e", timeout]);
        let words = std::iter::once("flowdump").chain(inputs.iter().map(String::as_str));
        let words = words.chain(timeout.into_iter().flatten());
        let rest = ["-q", "--filter", filter];
        words.chain(options.iter().copied()).chain(rest).map(str::to_owned).collect()
    }

    /// A command over the connections that match.
    fn connections(self, which: &str, options: &[&str], filter: &str) -> Vec<String> {
        let stitch = ["--dedup", "--stitch", "-P", which];
        let all: Vec<&str> = stitch.into_iter().chain(options.iter().copied()).collect();
        self.read(&all, filter)
    }

    fn filter(self) -> String {
        self.case.filter.to_string()
    }

    fn whole(self, at: &str) -> Vec<Reproduce> {
        let records = Reproduce {
            command: self.read(&["--stats=json", "-o", "null"], &self.filter()),
            numbers: vec![number(at, "/counts/records", Take::Sum, "/matched/records")],
        };
        let copies = Reproduce {
            command: self.read(&["--dedup", "--stats=json", "-o", "null"], &self.filter()),
            numbers: vec![
                number(at, "/counts/copies", Take::Sum, "/copies_folded"),
                number(at, "/counts/copies_bytes", Take::Sum, "/copies_folded_bytes"),
            ],
        };
        let sums = Reproduce {
            command: self.connections("any", &["-A", "proto", "--stats=json", "-o", "null"], &self.filter()),
            numbers: vec![
                number(at, "/counts/connections", Take::Sum, "/matched/records"),
                number(at, "/counts/packets", Take::Sum, "/matched/packets"),
                number(at, "/counts/bytes", Take::Sum, "/matched/bytes"),
            ],
        };
        let states = Reproduce {
            command: self.connections("any", &["-A", "connstate", "-o", "ndjson"], &self.filter()),
            numbers: outcomes(&format!("{at}/counts/outcomes")),
        };
        vec![records, copies, sums, states]
    }

    fn window(self, at: &str) -> [Reproduce; 2] {
        let ends = Reproduce {
            command: self.read(&["-A", "proto", "-o", "ndjson"], &self.filter()),
            numbers: vec![
                number(at, "/window/first", Take::Min, "/first"),
                number(at, "/window/last_end", Take::Max, "/last"),
            ],
        };
        let start = Reproduce {
            command: self.read(&["-O", "tstart:d", "-n", "1", "-o", "ndjson"], &self.filter()),
            numbers: vec![number(at, "/window/last_start", Take::Max, "/first")],
        };
        [ends, start]
    }

    fn activity(self, at: &str) -> Reproduce {
        let every = format!("{}s", self.source.activity.interval);
        let buckets = self.source.activity.buckets.iter().enumerate();
        let numbers = buckets.flat_map(|(n, bucket)| {
            let at = format!("{at}/activity/buckets/{n}");
            [("/connections", "/flows"), ("/packets", "/packets"), ("/bytes", "/bytes")].map(|(name, of)| {
                Number {
                    only: Some(("/start", bucket.start.to_string())),
                    ..number(&at, name, Take::Sum, of)
                }
            })
        });
        Reproduce {
            numbers: numbers.collect(),
            command: self.connections("any", &["--every", &every, "-o", "ndjson"], &self.filter()),
        }
    }

    fn period(self, at: &str, first: Timestamp, last: Timestamp) -> Reproduce {
        let window = format!("{first}/{last}");
        Reproduce {
            command: self.connections("any", &["-t", &window, "-A", "proto", "-o", "ndjson"], &self.filter()),
            numbers: vec![
                number(at, "/first", Take::Min, "/first"),
                number(at, "/last", Take::Max, "/last"),
                number(at, "/connections", Take::Sum, "/aggr_flows"),
            ],
        }
    }

    fn service(self, at: &str, service: &Service) -> [Reproduce; 2] {
        let role = service.role.filter(&self.case.subject);
        let which = format!("{role} and {}", asked_for(service.protocol, service.port));
        let peer = if service.role == Role::Responder { "srcip" } else { "dstip" };
        let mut numbers = sums(at);
        numbers.extend(outcomes(&format!("{at}/outcomes")));
        let sums = self.connections(&which, &["-A", "connstate", "-o", "ndjson"], &self.filter());
        let peers = Reproduce {
            command: self.connections(&which, &["-A", peer, "-o", "ndjson"], &self.filter()),
            numbers: vec![number(at, "/peer_count", Take::Count, "")],
        };
        [Reproduce { command: sums, numbers }, peers]
    }

    /// Connections of a finding are those that its criteria select.
    fn finding(self, at: &str, found: &Found) -> Reproduce {
        let which = found.finding.criteria.to_string();
        Reproduce {
            command: self.connections(&which, &["-A", "proto", "-o", "ndjson"], &self.filter()),
            numbers: sums(at),
        }
    }

    /// Connections of a link are those that were answered.
    fn link(self, at: &str, link: &Link) -> [Reproduce; 2] {
        let (from, to) = (link.from, link.to);
        let answered = "not connstate refused and not connstate unanswered";
        let which = format!(
            "src ip {from} and dst ip {to} and {} and {answered}",
            asked_for(link.protocol, link.port)
        );
        let port = link.port.map_or_else(String::new, |port| format!(" and port {port}"));
        let both = format!("ip {from} and ip {to}{port}");
        let filter = match self.case.time_filter.as_deref() {
            Some(time) => format!("({both}) and ({time})"),
            None => both,
        };
        let largest = Reproduce {
            command: self.connections(&which, &["-O", "bytes", "-n", "1", "-o", "ndjson"], &filter),
            numbers: sums(&format!("{at}/largest")).into_iter().skip(1).collect(),
        };
        let all = Reproduce {
            command: self.connections(&which, &["-A", "proto", "-o", "ndjson"], &filter),
            numbers: sums(at),
        };
        [all, largest]
    }
}

fn number(at: &str, name: &str, take: Take, of: &'static str) -> Number {
    Number { report: format!("{at}{name}"), take, of, only: None }
}

/// The numbers that rows of groups add up to; the first one counts their connections.
fn sums(at: &str) -> Vec<Number> {
    vec![
        number(at, "/connections", Take::Sum, "/aggr_flows"),
        number(at, "/forward/packets", Take::Sum, "/in_packets"),
        number(at, "/forward/bytes", Take::Sum, "/in_bytes"),
        number(at, "/reverse/packets", Take::Sum, "/out_packets"),
        number(at, "/reverse/bytes", Take::Sum, "/out_bytes"),
        number(at, "/first", Take::Min, "/first"),
        number(at, "/last", Take::Max, "/last"),
    ]
}

fn outcomes(at: &str) -> Vec<Number> {
    let states = [ConnState::Accepted, ConnState::Refused, ConnState::Unanswered, ConnState::Unknown];
    states
        .map(|state| Number {
            only: Some(("/conn_state", state.name().to_owned())),
            ..number(at, &format!("/{}", state.name()), Take::Sum, "/aggr_flows")
        })
        .into()
}

/// The connections to a service.
pub(super) fn asked_for(protocol: Option<Protocol>, port: Option<u16>) -> String {
    let protocol = protocol.map_or("not (proto >= 0)".to_owned(), |protocol| format!("proto {}", protocol.0));
    let port = port.map_or("not (dst port >= 0)".to_owned(), |port| format!("dst port {port}"));
    format!("{protocol} and {port}")
}
