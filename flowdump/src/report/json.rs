//! A report as JSON: `docs/investigation.schema.json` is its schema.

use flowcore::analysis::{Connection, Hop, Link, Outcomes, Service, Traffic};
use flowcore::{Protocol, Timestamp};
use serde_json::{Map, Value, json};

use super::Report;
use super::comparison_json::summary;
use super::evidence::Evidence;
use super::found::Found;
use super::reproduce::{self, Number, Reproduce};
use super::source::Source;
use super::together::Compared;
use super::words::sentence;
use crate::args::Case;
use crate::print::print_json;

/// Name and version of the schema; members can be added without another version.
pub(super) const SCHEMA: &str = "flowdump-investigation/1";

/// Peers of a service that are named.
const PEERS: usize = 1000;

/// The whole report.
pub(super) fn report(report: &Report<'_>) -> Value {
    let case = report.case;
    let sources =
        report.sources.iter().enumerate().map(|(n, one)| source(case, one, &format!("/sources/{n}")));
    json!({
        "schema": SCHEMA,
        "subject": texts(case.subject.prefixes()),
        "internal": texts(case.internal.prefixes()),
        "since": case.period.0.map(time),
        "until": case.period.1.map(time),
        "sources": sources.collect::<Vec<_>>(),
        "together": together(report),
        "evidence": evidence(report),
    })
}

fn texts(values: &[impl ToString]) -> Value {
    values.iter().map(ToString::to_string).collect()
}

pub(super) fn time(time: Timestamp) -> Value {
    time.to_string().into()
}

fn list<T>(values: &[T], value: impl Fn(&T) -> Value) -> Value {
    values.iter().map(value).collect()
}

fn source(case: &Case, source: &Source, at: &str) -> Value {
    let activity = &source.activity;
    json!({
        "input": source.input.name,
        "window": window(source),
        "counts": counts(source),
        "periods": list(&source.periods, |one| {
            json!({ "first": time(one.first), "last": time(one.last), "connections": one.connections })
        }),
        "activity": {
            "interval_seconds": activity.interval,
            "buckets": list(&activity.buckets, |one| json!({
                "start": time(one.start),
                "connections": one.connections,
                "packets": one.packets,
                "bytes": one.bytes,
            })),
        },
        "services": list(&source.services, |one| service(case, one)),
        "findings": list(&source.found, finding),
        "reached": list(&source.reached, link),
        "hops": list(&source.hops, hop),
        "account": account(source),
        "reproduce": list(&reproduce::commands(case, source, at), reproduction),
    })
}

fn window(source: &Source) -> Value {
    let counters = source.rows.counters();
    let (Some(first), Some(start)) = (counters.first(), source.rows.last_start()) else { return Value::Null };
    json!({
        "first": time(first),
        "last_start": time(start),
        "last_end": time(counters.last().unwrap_or(start)),
    })
}

fn counts(source: &Source) -> Value {
    json!({
        "records": source.rows.records(),
        "copies": source.stats.copies,
        "copies_bytes": source.stats.copies_bytes,
        "connections": source.connections.len(),
        "packets": source.traffic.packets,
        "bytes": source.traffic.bytes,
        "outcomes": outcomes(source.outcomes),
    })
}

fn outcomes(outcomes: Outcomes) -> Value {
    json!({
        "accepted": outcomes.accepted,
        "refused": outcomes.refused,
        "unanswered": outcomes.unanswered,
        "unknown": outcomes.unknown,
    })
}

pub(super) fn traffic(traffic: Traffic) -> Value {
    json!({ "packets": traffic.packets, "bytes": traffic.bytes, "tcp_flags": traffic.flags.to_string() })
}

/// `tcp`, or the number of a protocol without a name.
pub(super) fn protocol(protocol: Option<Protocol>) -> Value {
    protocol.map(|protocol| protocol.to_string().to_lowercase()).into()
}

fn service(case: &Case, one: &Service) -> Value {
    let registered = one.port.and_then(|port| flowcore::analysis::service_name(one.protocol, port));
    json!({
        "protocol": protocol(one.protocol),
        "port": one.port,
        "registered_name": registered,
        "subject_is": one.role.name(),
        "peers": one.peers.iter().take(PEERS).map(ToString::to_string).collect::<Vec<_>>(),
        "peer_count": one.peers.len(),
        "connections": one.connections,
        "outcomes": outcomes(one.outcomes),
        "forward": traffic(one.forward),
        "reverse": traffic(one.reverse),
        "first": time(one.first),
        "last": time(one.last),
        "in_words": sentence(one, &case.subject),
    })
}

fn finding(found: &Found) -> Value {
    let one = &found.finding;
    let criteria = one.criteria;
    let registered = criteria.port.and_then(|port| flowcore::analysis::service_name(criteria.protocol, port));
    let measures: Map<String, Value> =
        one.parts.iter().map(|part| (part.name.to_owned(), part.value.into())).collect();
    json!({
        "detector": one.detector.name(),
        "src": criteria.src.map(|src| src.to_string()),
        "dst": criteria.dst.map(|dst| dst.to_string()),
        "protocol": protocol(criteria.protocol),
        "port": criteria.port,
        "registered_name": registered,
        "connections": found.connections,
        "forward": traffic(found.forward),
        "reverse": traffic(found.reverse),
        "first": time(found.first),
        "last": time(found.last),
        "measures": measures,
        "in_words": one.reason,
        "filter": criteria.to_string(),
        "evidence": list(&one.evidence, connection),
    })
}

/// What sources say side by side.
fn together(report: &Report<'_>) -> Value {
    let name = |place: usize| report.sources.get(place).map(|source| source.input.name.as_str());
    let comparison = |one: &Compared| {
        let mut value = json!({ "left": name(one.left), "right": name(one.right) });
        if let (Value::Object(members), Value::Object(summary)) = (&mut value, summary(&one.found)) {
            members.extend(summary);
        }
        value
    };
    let commands = reproduce::comparisons(report.case, &report.sources, &report.compared, "/together");
    json!({
        "comparisons": list(&report.compared, comparison),
        "reproduce": list(&commands, reproduction),
    })
}

fn link(link: &Link) -> Value {
    json!({
        "from": link.from.to_string(),
        "to": link.to.to_string(),
        "protocol": protocol(link.protocol),
        "port": link.port,
        "connections": link.connections,
        "forward": traffic(link.forward),
        "reverse": traffic(link.reverse),
        "first": time(link.first),
        "last": time(link.last),
        "largest": connection(&link.largest),
    })
}

fn hop(hop: &Hop) -> Value {
    let mut value = link(&hop.link);
    if let Value::Object(members) = &mut value {
        members.insert("step".to_owned(), hop.depth.into());
        members.insert("reached".to_owned(), time(hop.contact));
    }
    value
}

fn connection(one: &Connection) -> Value {
    json!({
        "first": time(one.first),
        "last": time(one.last),
        "src": one.src.to_string(),
        "src_port": one.src_port,
        "dst": one.dst.to_string(),
        "dst_port": one.dst_port,
        "protocol": protocol(one.protocol),
        "forward": traffic(one.forward),
        "reverse": traffic(one.reverse),
        "state": one.state.map(|state| state.name()),
        "rows": one.rows,
    })
}

/// What `--stats=json` says of the whole input.
fn account(source: &Source) -> Value {
    let mut account = Vec::new();
    // A Vec takes all that is written.
    drop(print_json(&source.rows, &source.stats, None, &mut account));
    serde_json::from_slice(&account).unwrap_or_default()
}

fn reproduction(one: &Reproduce) -> Value {
    json!({ "command": one.command, "numbers": list(&one.numbers, number) })
}

fn number(one: &Number) -> Value {
    let mut members = Map::new();
    members.insert("report".to_owned(), one.report.as_str().into());
    members.insert("take".to_owned(), one.take.name().into());
    if !one.of.is_empty() {
        members.insert("of".to_owned(), one.of.into());
    }
    if let Some((member, value)) = &one.only {
        members.insert("only".to_owned(), json!({ "member": member, "is": value }));
    }
    members.into()
}

fn evidence(report: &Report<'_>) -> Value {
    let inputs =
        report.sources.iter().zip(&report.evidence).map(|(source, evidence)| input(source, evidence));
    json!({
        "tool": { "name": "flowdump", "version": env!("CARGO_PKG_VERSION") },
        "command": report.case.words,
        "inputs": inputs.collect::<Vec<_>>(),
    })
}

fn input(source: &Source, evidence: &Evidence) -> Value {
    json!({
        "input": source.input.name,
        "bytes": evidence.bytes(),
        "sha256_of_list": evidence.sha256(),
        "files": list(&evidence.files, |file| json!({
            "path": file.path.display().to_string(),
            "bytes": file.content.as_ref().map(|content| content.bytes),
            "sha256": file.content.as_ref().map(|content| content.sha256.as_str()),
        })),
    })
}
