//! What a report says, and in which order: a section for each source, one for all together, and what it rests on.

use flowcore::analysis::{Hop, Link, Period, Service};

use super::document::{Bar, Block, Chart, Document, Table};
use super::evidence::Evidence;
use super::source::{PAUSE, Source};
use super::words::{counted, name, registered, sentence, shell_words, time, told};
use super::{Report, found, graph, short, together};
use crate::args::Case;
use crate::print::print_account;

/// The report as a document.
pub(super) fn document(report: &Report<'_>) -> Document {
    let case = report.case;
    let mut blocks = short::section(report);
    for source in &report.sources {
        blocks.extend(section(case, source));
    }
    blocks.extend(report.compared.iter().flat_map(|one| together::section(one, &report.sources)));
    blocks.extend(evidence(report));
    Document { title: format!("Investigation of {} (times are UTC)", case.subject), blocks }
}

fn section(case: &Case, source: &Source) -> Vec<Block> {
    let mut blocks = vec![Block::Section(source.input.name.clone())];
    blocks.push(Block::Facts(vec![("Window", window(source)), ("Counts", counts(source))]));
    if source.rows.records() > 0 {
        blocks.extend(periods(source));
        blocks.extend(services(case, source));
        blocks.extend(found::blocks(&source.found));
        blocks.extend(contacts(&source.reached));
        blocks.extend(chain(&source.hops));
        let graph = graph::of(case, source);
        blocks.extend(Some(graph).filter(|graph| !graph.edges.is_empty()).map(Block::Graph));
    }
    blocks.push(Block::Heading("What was read".to_owned()));
    blocks.push(Block::Lines(account(source)));
    blocks.push(Block::Heading("To look closer".to_owned()));
    blocks.push(Block::Lines(commands(case, source)));
    blocks
}

fn window(source: &Source) -> String {
    let (counters, start) = (source.rows.counters(), source.rows.last_start());
    let (Some(first), Some(start)) = (counters.first(), start) else { return "no record of it".to_owned() };
    let last = counters.last().unwrap_or(start);
    let (first, start, last) = (time(first), time(start), time(last));
    format!("{first} to {start}, the start of the last record; the last end is {last}")
}

fn counts(source: &Source) -> String {
    format!(
        "{}, {} ({}); {}, {}, both ways, each counted once",
        counted(source.rows.records(), "record"),
        counted(source.connections.len() as u64, "connection"),
        told(source.outcomes),
        counted(source.traffic.packets, "packet"),
        counted(source.traffic.bytes, "byte")
    )
}

/// The periods of activity, and the chart of it.
fn periods(source: &Source) -> [Block; 4] {
    let row = |one: &Period| vec![time(one.first), time(one.last), one.connections.to_string()];
    let table = Table::new(["from", "to", ">connections"], source.periods.iter().map(row).collect());
    let bars = source
        .activity
        .buckets
        .iter()
        .map(|bucket| Bar { time: time(bucket.start), values: [bucket.connections, bucket.bytes] });
    [
        Block::Heading(format!("Active, with pauses of more than {} minutes between", PAUSE / 60)),
        Block::Table(table),
        Block::Heading(format!(
            "Connections by the time they began, every {}",
            span(source.activity.interval)
        )),
        Block::Chart(Chart { names: ["connections", "bytes"], bars: bars.collect() }),
    ]
}

/// `30 minutes`.
fn span(seconds: u32) -> String {
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) =
        units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length)).unwrap_or((1, "second"));
    match seconds / length {
        1 => unit.to_owned(),
        count => format!("{count} {unit}s"),
    }
}

/// Services told in words.
const SENTENCES: usize = 12;

fn services(case: &Case, source: &Source) -> [Block; 3] {
    let columns = [
        "service",
        "name",
        "subject is",
        "peers",
        ">connections",
        "outcome",
        ">bytes to it",
        ">bytes from it",
        "first",
        "last",
    ];
    let title = "Services: all connections are in one of these, there is no other service";
    let has_answer = |service: &&Service| service.outcomes.accepted + service.outcomes.unknown > 0;
    let answered = source.services.iter().filter(has_answer).take(SENTENCES);
    [
        Block::Heading(title.to_owned()),
        Block::Table(Table::new(columns, source.services.iter().map(service).collect())),
        Block::List(answered.map(|service| sentence(service, &case.subject)).collect()),
    ]
}

fn service(one: &Service) -> Vec<String> {
    let peers = match one.peers.first() {
        Some(peer) if one.peers.len() == 1 => peer.to_string(),
        _ => format!("{} hosts", one.peers.len()),
    };
    vec![
        name(one.protocol, one.port),
        registered(one.protocol, one.port).to_owned(),
        one.role.name().to_owned(),
        peers,
        one.connections.to_string(),
        told(one.outcomes),
        one.forward.bytes.to_string(),
        one.reverse.bytes.to_string(),
        time(one.first),
        time(one.last),
    ]
}

/// Hosts and services that answered, with the largest connection to each.
fn contacts(reached: &[Link]) -> [Block; 2] {
    let title = "Reached: services that answered it, and the largest connection to each";
    let columns =
        ["host", "service", ">connections", "first", "largest begins", "ends", ">bytes to host", ">back"];
    let row = |link: &Link| {
        let largest = &link.largest;
        vec![
            link.to.to_string(),
            name(link.protocol, link.port),
            link.connections.to_string(),
            time(link.first),
            time(largest.first),
            time(largest.last),
            largest.forward.bytes.to_string(),
            largest.reverse.bytes.to_string(),
        ]
    };
    [Block::Heading(title.to_owned()), or_none(Table::new(columns, reached.iter().map(row).collect()))]
}

/// The chain of hops.
fn chain(hops: &[Hop]) -> [Block; 2] {
    let title = "Second hops: what hosts it reached began afterwards, and had not done before, over administration ports";
    let columns = [
        ">step",
        "first",
        "last",
        "from",
        "to",
        "service",
        ">connections",
        ">bytes to it",
        ">bytes back",
        "reached",
    ];
    let row = |hop: &Hop| {
        let link = &hop.link;
        vec![
            hop.depth.to_string(),
            time(link.first),
            time(link.last),
            link.from.to_string(),
            link.to.to_string(),
            name(link.protocol, link.port),
            link.connections.to_string(),
            link.forward.bytes.to_string(),
            link.reverse.bytes.to_string(),
            time(hop.contact),
        ]
    };
    [Block::Heading(title.to_owned()), or_none(Table::new(columns, hops.iter().map(row).collect()))]
}

fn or_none(table: Table) -> Block {
    if table.rows.is_empty() { Block::Text("none".to_owned()) } else { Block::Table(table) }
}

fn account(source: &Source) -> Vec<String> {
    let mut account = Vec::new();
    // A Vec takes all that is written.
    drop(print_account(&source.stats, &mut account));
    String::from_utf8_lossy(&account).lines().map(str::to_owned).collect()
}

/// Commands that list what the numbers are made of.
fn commands(case: &Case, source: &Source) -> Vec<String> {
    let inputs = source.input.shown();
    let list = ["--stitch", "--dedup", "-O", "tstart"];
    let filter = case.filter.to_string();
    let line = |options: &[&str], filter: &str| {
        let words = std::iter::once("flowdump")
            .chain(inputs.iter().map(String::as_str))
            .chain(options.iter().copied())
            .chain([filter]);
        shell_words(words)
    };
    let all = [
        line(&[], &filter),
        line(&list, &filter),
        line(&["--stitch", "--dedup", "-A", "proto,dstport"], &filter),
    ];
    let hops = source.hops.iter().take(3).filter_map(|hop| {
        let filter = format!("ip {} and ip {} and port {}", hop.link.from, hop.link.to, hop.link.port?);
        Some(line(&list, &filter))
    });
    all.into_iter().chain(hops).collect()
}

/// Files that are listed one by one.
const FILES: usize = 12;

/// What the report rests on.
fn evidence(report: &Report<'_>) -> Vec<Block> {
    let version = format!("flowdump {}", env!("CARGO_PKG_VERSION"));
    let words = ["flowdump", "investigate"].into_iter().chain(report.case.words.iter().map(String::as_str));
    let mut blocks = vec![
        Block::Section("Evidence".to_owned()),
        Block::Facts(vec![("Made by", version), ("Command", shell_words(words))]),
    ];
    let rows =
        report.sources.iter().zip(&report.evidence).flat_map(|(source, evidence)| files(source, evidence));
    blocks.push(Block::Table(Table::new(["file", ">bytes", "SHA-256"], rows.collect())));
    let text = "-o json has all files, and for each number the command that gives it again; 'flowdump investigate' with the \
                option 'verify' takes such a report and tells whether inputs and numbers are the same still";
    blocks.push(Block::Text(text.to_owned()));
    blocks
}

fn files(source: &Source, evidence: &Evidence) -> Vec<Vec<String>> {
    if evidence.files.len() > FILES {
        let name = format!(
            "{} ({} files; the hash is that of the list of their hashes)",
            source.input.name,
            evidence.files.len()
        );
        return vec![vec![name, evidence.bytes().to_string(), evidence.sha256()]];
    }
    let row = |file: &super::evidence::Hashed| {
        let (bytes, sha256) = match &file.content {
            Some(content) => (content.bytes.to_string(), content.sha256.clone()),
            None => ("-".to_owned(), "no file that could be read twice".to_owned()),
        };
        vec![file.path.display().to_string(), bytes, sha256]
    };
    evidence.files.iter().map(row).collect()
}
