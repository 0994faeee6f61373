//! `flowdump correlate`: the conversations of two vantage points side by side.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use flowcore::aggregate::ConnState;
use flowcore::analysis::{Alone, Connection, Correlation, Pair, Traffic, correlate as correlated};
use flowcore::{Problems, Result};

use super::document::{Block, Document, Table};
use super::reading::{Read, Reader};
use super::words::{counted, name, time};
use super::{comparison_json, html, markdown, text};
use crate::args::{Comparison, ComparisonFormat};
use crate::exit::Outcome;
use crate::matching::report;

/// Compares two vantage points and prints what both saw, and what one saw alone.
///
/// # Errors
/// When an input is missing, there are more rows than can be held, or standard output cannot be written.
pub(crate) fn correlate(asked: &Comparison) -> Result<Outcome> {
    let reader = Reader {
        command: "correlate",
        counted: &asked.filter,
        wanted: &asked.filter,
        period: asked.period,
        meter: &asked.meter,
        memory: asked.memory,
    };
    let mut sides = [reader.read(std::slice::from_ref(&asked.left))?, reader.read(&asked.right)?];
    let found = correlated(&sides[0].connections, &sides[1].connections, asked.options);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match asked.output {
        ComparisonFormat::Text => text::write(&document(asked, &sides, &found), &mut out)?,
        ComparisonFormat::Markdown => markdown::write(&document(asked, &sides, &found), &mut out)?,
        ComparisonFormat::Html => html::write(&document(asked, &sides, &found), &mut out)?,
        ComparisonFormat::Json => writeln!(out, "{:#}", comparison_json::whole(asked, &found))?,
        ComparisonFormat::Ndjson => comparison_json::lines(&found, &mut out)?,
        ComparisonFormat::Csv => comparison_json::csv(&found, &mut out)?,
    }
    out.flush()?;
    let mut problems = Problems::default();
    sides.iter_mut().for_each(|side| problems.merge(std::mem::take(&mut side.stats.problems)));
    Ok(report(&problems))
}

fn document(asked: &Comparison, sides: &[Read; 2], found: &Correlation) -> Document {
    let (left, right) = (asked.left.display().to_string(), asked.right_name());
    let mut blocks = vec![Block::Section("Sides".to_owned()), Block::Table(inputs([&left, &right], sides))];
    blocks.extend(summary(found, ["left", "right"]));
    let held: usize = sides.iter().map(|side| side.connections.len()).sum();
    blocks.push(Block::Heading("Memory".to_owned()));
    blocks.push(Block::Text(format!(
        "all {held} connections of both sides were held; --memory bounds each side"
    )));
    Document { title: format!("Correlation of {left} (left) and {right} (right); times are UTC"), blocks }
}

fn inputs(names: [&str; 2], sides: &[Read; 2]) -> Table {
    let row = |((side, name), read): ((&str, &str), &Read)| {
        let counters = read.rows.counters();
        let at = |moment: Option<_>| moment.map_or("-".to_owned(), time);
        vec![
            side.to_owned(),
            name.to_owned(),
            read.rows.records().to_string(),
            read.stats.copies.to_string(),
            read.connections.len().to_string(),
            at(counters.first()),
            at(counters.last()),
        ]
    };
    let rows = ["left", "right"].into_iter().zip(names).zip(sides).map(row);
    Table::new(["side", "input", ">records", ">copies", ">connections", "first", "last"], rows.collect())
}

/// What is to be said of two sides with these names, for a report on either of them.
pub(super) fn summary(found: &Correlation, names: [&str; 2]) -> Vec<Block> {
    let mut blocks = vec![
        Block::Heading("Clocks and matches".to_owned()),
        Block::Facts(vec![("Clocks", clocks(found, names)), ("Matched", matched(found))]),
    ];
    blocks.push(Block::Heading("What both saw, and one alone".to_owned()));
    blocks.push(Block::Table(sums(found, names)));
    blocks.push(Block::Heading("What became of the matched, by either side".to_owned()));
    blocks.push(Block::Table(states(found)));
    let differences = differences(found);
    if !differences.rows.is_empty() {
        blocks.push(Block::Heading("Matched conversations whose bytes differ most".to_owned()));
        blocks.push(Block::Table(differences));
    }
    blocks
}

/// How far the clocks are apart, in words.
fn clocks(found: &Correlation, [left, right]: [&str; 2]) -> String {
    let seconds = found.offset.unsigned_abs() as f64 / 1e9;
    let apart = match found.offset {
        0 => format!("{left} and {right} go the same"),
        1.. => format!("the clock of {right} is {seconds:.1} s ahead of that of {left}"),
        _ => format!("the clock of {right} is {seconds:.1} s behind that of {left}"),
    };
    match found.told_by {
        0 => format!("{apart} (as given, or with nothing to tell by)"),
        count => {
            format!("{apart}, by the median of {} that both have once", counted(count as u64, "conversation"))
        }
    }
}

fn matched(found: &Correlation) -> String {
    let of = |side: usize| found.matched.iter().map(|pair| pair.connections[side]).sum::<u64>();
    let (pairs, left, right) = (found.matched.len(), of(0), of(1));
    let (all_left, all_right) = (left + found.only_left.len() as u64, right + found.only_right.len() as u64);
    let pairs = counted(pairs as u64, "conversation");
    format!("{pairs}: {left} of {all_left} connections on the left, {right} of {all_right} on the right")
}

/// A line for what both saw, and for what one side has alone.
fn sums(found: &Correlation, [left, right]: [&str; 2]) -> Table {
    let both = |side: fn(&Pair) -> &Connection| {
        found.matched.iter().map(side).map(both_ways).fold(Traffic::default(), Traffic::and)
    };
    let (ours, theirs) = (both(|pair| &pair.left), both(|pair| &pair.right));
    let mut rows = vec![vec![
        "both".to_owned(),
        found.matched.len().to_string(),
        ours.packets.to_string(),
        theirs.packets.to_string(),
        ratio(theirs.packets, ours.packets),
        ours.bytes.to_string(),
        theirs.bytes.to_string(),
        ratio(theirs.bytes, ours.bytes),
    ]];
    for (name, alone, is_left) in [(left, &found.only_left, true), (right, &found.only_right, false)] {
        rows.extend(alone_rows(name, alone, is_left));
    }
    Table::new(
        ["seen by", ">conversations", ">packets left", ">right", ">ratio", ">bytes left", ">right", ">ratio"],
        rows,
    )
}

fn alone_rows(name: &str, alone: &Alone, is_left: bool) -> [Vec<String>; 2] {
    let row = |what: &str, connections: &[Connection]| {
        let sum = connections.iter().map(both_ways).fold(Traffic::default(), Traffic::and);
        let (count, packets, bytes) = (connections.len(), sum.packets.to_string(), sum.bytes.to_string());
        let none = || "-".to_owned();
        let place = |value: String| if is_left { [value, none()] } else { [none(), value] };
        let [packets, bytes] = [place(packets), place(bytes)];
        let mut cells = vec![format!("{name} only, {what}"), count.to_string()];
        cells.extend(packets.into_iter().chain([none()]).chain(bytes).chain([none()]));
        cells
    };
    [row("while both watched", &alone.inside), row("before or after", &alone.outside)]
}

pub(super) fn both_ways(one: &Connection) -> Traffic {
    one.forward.and(one.reverse)
}

/// How many times the left one the right one is.
fn ratio(right: u64, left: u64) -> String {
    if left == 0 { "-".to_owned() } else { format!("{:.3}", right as f64 / left as f64) }
}

/// How often which state met which: a SYN without an answer in a capture is a rejected row in a log.
fn states(found: &Correlation) -> Table {
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for pair in &found.matched {
        *counts.entry((pair.left.state, pair.right.state)).or_default() += 1;
    }
    let told = |state: Option<ConnState>| state.map_or("-", ConnState::name).to_owned();
    let row = |((left, right), count): ((_, _), u64)| vec![told(left), told(right), count.to_string()];
    Table::new(["left", "right", ">conversations"], counts.into_iter().map(row).collect())
}

/// Rows of the differences that are shown.
const MOST: usize = 10;

fn differences(found: &Correlation) -> Table {
    let apart = |pair: &Pair| pair.left.bytes().abs_diff(pair.right.bytes());
    let mut pairs: Vec<&Pair> = found.matched.iter().filter(|pair| apart(pair) > 0).collect();
    pairs.sort_by_key(|pair| (Reverse(apart(pair)), pair.left));
    let row = |pair: &&Pair| {
        let (left, right) = (&pair.left, &pair.right);
        vec![
            end(left.src.to_string(), left.src_port),
            left.dst.to_string(),
            name(left.protocol, left.dst_port),
            time(left.first),
            left.bytes().to_string(),
            right.bytes().to_string(),
            ratio(right.bytes(), left.bytes()),
        ]
    };
    let columns = ["initiator", "responder", "service", "first (left)", ">bytes left", ">right", ">ratio"];
    Table::new(columns, pairs.iter().take(MOST).map(row).collect())
}

fn end(addr: String, port: Option<u16>) -> String {
    match port {
        Some(port) if addr.contains(':') => format!("[{addr}]:{port}"),
        Some(port) => format!("{addr}:{port}"),
        None => addr,
    }
}
