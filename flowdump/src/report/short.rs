//! The answer in a few sentences, before all that it is made of.

use std::collections::BTreeMap;
use std::hash::Hash;

use flowcore::analysis::{Hop, Service};

use super::Report;
use super::document::{Block, Table};
use super::source::Source;
use super::words::{name, registered, time};

/// Sentences of a kind, and services of an input.
const MOST: usize = 12;

/// Services without an answer that are named; of a scan there are thousands.
const FEW: usize = 4;

/// What stands first in a report.
pub(super) fn section(report: &Report<'_>) -> Vec<Block> {
    let sources = &report.sources;
    let mut blocks = vec![Block::Section("In short".to_owned()), Block::Table(overview(sources))];
    let mut sentences: Vec<String> = sources.iter().filter_map(services).collect();
    let found = merged(sources, |source| {
        let sentence = |one: &super::found::Found| {
            let key = (one.finding.detector, one.finding.criteria);
            (key, one.sentence())
        };
        source.found.iter().map(sentence).collect()
    });
    let hops = merged(sources, |source| source.hops.iter().map(|one| (place(one), hop(one))).collect());
    let is_quiet = found.is_empty() && hops.is_empty();
    sentences.extend(few(found, "findings"));
    sentences.extend(few(hops, "second hops"));
    sentences.extend(is_quiet.then(|| "no detector found anything, and there is no second hop".to_owned()));
    blocks.push(Block::List(sentences));
    let differences = differences(sources);
    if !differences.rows.is_empty() {
        blocks.push(Block::Heading("Services that not all inputs show".to_owned()));
        blocks.push(Block::Table(differences));
    }
    blocks
}

fn overview(sources: &[Source]) -> Table {
    let row = |source: &Source| {
        let counters = source.rows.counters();
        let at = |moment: Option<_>| moment.map_or("-".to_owned(), time);
        vec![
            source.input.name.clone(),
            source.rows.records().to_string(),
            source.connections.len().to_string(),
            source.traffic.packets.to_string(),
            source.traffic.bytes.to_string(),
            at(counters.first()),
            at(counters.last()),
        ]
    };
    let columns = ["input", ">records", ">connections", ">packets", ">bytes", "first", "last"];
    Table::new(columns, sources.iter().map(row).collect())
}

/// The services of a source by name.
fn services(source: &Source) -> Option<String> {
    let has_answer = |one: &&Service| one.outcomes.accepted + one.outcomes.unknown > 0;
    let (answered, others): (Vec<&Service>, Vec<&Service>) = source.services.iter().partition(has_answer);
    let answered = titles(&answered, &[]);
    let others = titles(&others, &answered);
    let told = if answered.is_empty() { "none".to_owned() } else { listed(&answered) };
    let rest = match others.len() {
        0 => "no other was tried".to_owned(),
        1..=FEW => format!("tried without an answer: {}", listed(&others)),
        count => format!("{count} others were tried without an answer"),
    };
    (!source.services.is_empty())
        .then(|| format!("{}: services that answered: {told}; {rest}", source.input.name))
}

/// What services are called, each once whatever the subject was in it, without those told already.
fn titles(services: &[&Service], told: &[String]) -> Vec<String> {
    let mut titles: Vec<String> = Vec::new();
    for one in services {
        let name = name(one.protocol, one.port);
        let title = match registered(one.protocol, one.port) {
            "-" => name,
            registered => format!("{name} ({registered})"),
        };
        if !titles.contains(&title) && !told.contains(&title) {
            titles.push(title);
        }
    }
    titles
}

/// The first of them, and how many more there are.
fn listed(titles: &[String]) -> String {
    let mut names: Vec<&str> = titles.iter().take(MOST).map(String::as_str).collect();
    let more = titles.len() - names.len();
    let more = (more > 0).then(|| format!("{more} more"));
    names.extend(more.as_deref());
    names.join(", ")
}

/// What the sources say, each thing once, with the sources that say it.
fn merged<K: Ord + Hash + Clone>(
    sources: &[Source],
    of: impl Fn(&Source) -> Vec<(K, String)>,
) -> Vec<String> {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    let mut told: Vec<Told<'_>> = Vec::new();
    for source in sources {
        for (key, sentence) in of(source) {
            let place = *places.entry(key).or_insert(told.len());
            let name = source.input.name.as_str();
            match told.get_mut(place) {
                Some(told) if told.sentence == sentence => told.same.push(name),
                Some(told) => told.other.push(name),
                None => told.push(Told { sentence, same: vec![name], other: Vec::new() }),
            }
        }
    }
    let is_one = sources.len() == 1;
    told.into_iter().map(|told| if is_one { told.sentence } else { told.with_names() }).collect()
}

/// A sentence, and the sources that say it.
struct Told<'a> {
    sentence: String,
    same: Vec<&'a str>,
    /// Those that say it with other numbers.
    other: Vec<&'a str>,
}

impl Told<'_> {
    fn with_names(self) -> String {
        let same = self.same.join(", ");
        match self.other.as_slice() {
            [] => format!("{} [{same}]", self.sentence),
            other => format!("{} [{same}; with other numbers: {}]", self.sentence, other.join(", ")),
        }
    }
}

fn few(mut sentences: Vec<String>, what: &str) -> Vec<String> {
    let more = sentences.len().saturating_sub(MOST);
    sentences.truncate(MOST);
    sentences.extend((more > 0).then(|| format!("and {more} more {what}, below")));
    sentences
}

fn place(hop: &Hop) -> impl Ord + Hash + Clone + use<> {
    (hop.link.from, hop.link.to, hop.link.protocol, hop.link.port)
}

fn hop(hop: &Hop) -> String {
    let link = &hop.link;
    format!(
        "second hop, step {}: {} to {} over {} ({}), first at {}",
        hop.depth,
        link.from,
        link.to,
        name(link.protocol, link.port),
        registered(link.protocol, link.port),
        time(link.first)
    )
}

/// Services that some sources show and others do not.
fn differences(sources: &[Source]) -> Table {
    let mut shown: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, source) in sources.iter().enumerate() {
        for one in &source.services {
            let key = (one.protocol, one.port, one.role.name());
            shown.entry(key).or_default().push(place);
        }
    }
    let names = |has: &dyn Fn(usize) -> bool| {
        let places = sources.iter().enumerate().filter(|(place, _)| has(*place));
        places.map(|(_, source)| source.input.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let rows = shown.iter().filter(|(_, places)| places.len() < sources.len()).map(|(key, places)| {
        let (protocol, port, role) = *key;
        vec![
            name(protocol, port),
            registered(protocol, port).to_owned(),
            role.to_owned(),
            names(&|place| places.contains(&place)),
            names(&|place| !places.contains(&place)),
        ]
    });
    Table::new(["service", "name", "subject is", "shown by", "not by"], rows.collect())
}
