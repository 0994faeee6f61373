//! A comparison for programs: every conversation with what either side says of it.

use std::io::{self, Write};

use flowcore::analysis::{Connection, Correlation};
use serde_json::{Value, json};

use super::json::{protocol, time, traffic};
use crate::args::Comparison;
use crate::print::csv_field;

/// Name and version of the schema; members can be added without another version.
const SCHEMA: &str = "flowdump-correlation/1";

/// A conversation: its status, and each side that has it, with the number of connections there.
struct Conversation<'a> {
    status: &'static str,
    left: Option<(&'a Connection, u64)>,
    right: Option<(&'a Connection, u64)>,
}

/// All conversations: the matched ones, then those of the left side alone, then those of the right one.
fn conversations(found: &Correlation) -> impl Iterator<Item = Conversation<'_>> {
    let matched = found.matched.iter().map(|pair| Conversation {
        status: "matched",
        left: Some((&pair.left, pair.connections[0])),
        right: Some((&pair.right, pair.connections[1])),
    });
    let alone = [
        ("only-left", &found.only_left.inside, true),
        ("only-left-outside", &found.only_left.outside, true),
        ("only-right", &found.only_right.inside, false),
        ("only-right-outside", &found.only_right.outside, false),
    ];
    matched.chain(alone.into_iter().flat_map(|(status, connections, is_left)| {
        connections.iter().map(move |one| {
            let side = Some((one, 1));
            let (left, right) = if is_left { (side, None) } else { (None, side) };
            Conversation { status, left, right }
        })
    }))
}

/// The summary and all conversations.
pub(super) fn whole(asked: &Comparison, found: &Correlation) -> Value {
    json!({
        "schema": SCHEMA,
        "left": asked.left.display().to_string(),
        "right": asked.right_name(),
        "filter": asked.filter.to_string(),
        "tolerance_seconds": asked.options.tolerance,
        "summary": summary(found),
        "conversations": conversations(found).map(|one| value(&one)).collect::<Vec<_>>(),
    })
}

/// Clocks, and how many conversations there are of each status.
pub(super) fn summary(found: &Correlation) -> Value {
    json!({
        "offset_seconds": found.offset as f64 / 1e9,
        "told_by": found.told_by,
        "matched": found.matched.len(),
        "only_left": found.only_left.inside.len(),
        "only_left_outside": found.only_left.outside.len(),
        "only_right": found.only_right.inside.len(),
        "only_right_outside": found.only_right.outside.len(),
    })
}

/// A conversation a line.
pub(super) fn lines(found: &Correlation, out: &mut dyn Write) -> io::Result<()> {
    conversations(found).try_for_each(|one| writeln!(out, "{}", value(&one)))
}

fn value(one: &Conversation<'_>) -> Value {
    let side = |side: Option<(&Connection, u64)>| {
        side.map(|(connection, count)| {
            json!({
                "connections": count,
                "src": connection.src.to_string(),
                "dst": connection.dst.to_string(),
                "first": time(connection.first),
                "last": time(connection.last),
                "forward": traffic(connection.forward),
                "reverse": traffic(connection.reverse),
                "state": connection.state.map(|state| state.name()),
            })
        })
    };
    let told = one.left.or(one.right).map(|(connection, _)| connection);
    json!({
        "status": one.status,
        "protocol": told.map_or(Value::Null, |told| protocol(told.protocol)),
        "src_port": told.and_then(|told| told.src_port),
        "dst_port": told.and_then(|told| told.dst_port),
        "left": side(one.left),
        "right": side(one.right),
        "bytes_ratio": ratio(one),
    })
}

/// Bytes of the right side for each one of the left side.
fn ratio(one: &Conversation<'_>) -> Option<f64> {
    let (left, right) = (one.left?.0.bytes(), one.right?.0.bytes());
    (left > 0).then(|| right as f64 / left as f64)
}

/// Members of a side, as columns of CSV name them behind `left_` and `right_`.
const COLUMNS: [&str; 10] = [
    "src",
    "dst",
    "first",
    "last",
    "connections",
    "forward_packets",
    "forward_bytes",
    "reverse_packets",
    "reverse_bytes",
    "state",
];

/// A conversation a line, under a heading (RFC 4180).
pub(super) fn csv(found: &Correlation, out: &mut dyn Write) -> io::Result<()> {
    let sides =
        ["left", "right"].into_iter().flat_map(|side| COLUMNS.map(|column| format!("{side}_{column}")));
    let heading: Vec<String> =
        ["status", "protocol", "src_port", "dst_port"].map(str::to_owned).into_iter().chain(sides).collect();
    write!(out, "{}\r\n", heading.join(","))?;
    for one in conversations(found) {
        let value = value(&one);
        let plain = |pointer: &str| csv_field(&text(value.pointer(pointer)));
        let mut cells: Vec<String> = ["/status", "/protocol", "/src_port", "/dst_port"].map(plain).into();
        for side in ["left", "right"] {
            let pointers = COLUMNS.map(|column| match column.split_once('_') {
                Some((way, what)) => format!("/{side}/{way}/{what}"),
                None => format!("/{side}/{column}"),
            });
            cells.extend(pointers.iter().map(|pointer| plain(pointer)));
        }
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

/// What is not there is an empty field.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
