//! `--stats=json`: the account as one JSON object on one line; `docs/output.md` describes it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flowcore::aggregate::Way;
use flowcore::{
    Error, ErrorKind, Gap, LikelyCopies, Origin, OriginAccount, Position, SkipData, SourceStats, Timestamp,
};

use super::account::SHOWN_GAPS;
use super::escape;
use super::summary::Summary;

/// Prints the object. Keys are never taken away, new ones can be added.
pub(crate) fn print_json(
    summary: &Summary,
    stats: &SourceStats,
    likely: Option<LikelyCopies>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let members = [
        counts_of_inputs(stats),
        skipdata(stats),
        bad_lines(stats),
        missing_slots(stats),
        format!("\"origins\":[{}]", list(&stats.origins, |(name, account)| origin(name, account))),
        frames(stats),
        matched(summary),
        format!("\"copies_likely\":{}", likely.map_or_else(null, copies_likely)),
        format!(
            "\"problem_count\":{},\"problems\":[{}]",
            stats.problems.total(),
            list(stats.problems.kept(), |problem| string(&problem.to_string()))
        ),
    ];
    writeln!(out, "{{{}}}", members.join(","))
}

fn counts_of_inputs(stats: &SourceStats) -> String {
    let counts = [
        ("files", stats.files),
        ("files_outside_window", stats.files_outside_window),
        ("files_ignored", stats.files_ignored),
        ("file_bytes", stats.bytes),
        ("records", stats.records),
        ("flows", stats.flows),
        ("header_lines", stats.header_lines),
        ("nodata", stats.nodata),
        ("copies_folded", stats.copies),
        ("copies_folded_bytes", stats.copies_bytes),
        ("blocks", stats.blocks),
        ("blocks_skipped", stats.blocks_skipped),
        ("evicted", stats.flows_evicted),
    ];
    let counts = list(&counts, |(key, count)| format!("\"{key}\":{count}"));
    format!("{counts},\"unknown_parts\":{}", object(&stats.unknown_parts))
}

fn skipdata(stats: &SourceStats) -> String {
    let row = |row: &SkipData| {
        let interface = row.interface.as_deref().map_or_else(null, string);
        let (input, first, last) = (string(&row.input), time(row.first), time(row.last));
        format!("{{\"input\":{input},\"interface\":{interface},\"first\":{first},\"last\":{last}}}")
    };
    let rows = list(stats.lost.kept(), row);
    format!("\"skipdata\":{{\"total\":{},\"rows\":[{rows}]}}", stats.skipdata)
}

fn bad_lines(stats: &SourceStats) -> String {
    let kept = stats.problems.kept().iter();
    let lines: Vec<String> = kept.filter_map(|problem| bad_line(problem)).collect();
    format!("\"bad_lines\":{{\"total\":{},\"lines\":[{}]}}", stats.bad_records, lines.join(","))
}

/// A record that cannot be used; its place is a line in a log, else it is only said in words.
fn bad_line(problem: &Error) -> Option<String> {
    let ErrorKind::BadRecord(why) = problem.kind() else { return None };
    let line = match problem.position() {
        Some(Position::Line(number)) => number.to_string(),
        _ => null(),
    };
    let input = problem.input().map_or_else(null, string);
    Some(format!("{{\"input\":{input},\"line\":{line},\"why\":{}}}", string(why)))
}

fn missing_slots(stats: &SourceStats) -> String {
    let gaps = stats.origins.iter().flat_map(|(name, account)| {
        account
            .slots
            .gaps()
            .take(SHOWN_GAPS)
            .map(move |found| format!("{{{},{}}}", origin_name(name), gap(&found)))
    });
    let gaps: Vec<String> = gaps.collect();
    format!("\"missing_slots\":{{\"total\":{},\"gaps\":[{}]}}", stats.origins.missing_slots(), gaps.join(","))
}

fn gap(gap: &Gap) -> String {
    let (first, last) = (time(Some(gap.first)), time(Some(gap.last)));
    format!("\"first\":{first},\"last\":{last},\"slots\":{}", gap.slots)
}

fn origin(name: &Origin, account: &OriginAccount) -> String {
    let slots = account.slots.span().map_or_else(null, |(first, last)| {
        let missing = account.slots.missing().map_or_else(null, |missing| missing.to_string());
        let (first, last, expected) = (time(Some(first)), time(Some(last)), account.slots.expected());
        format!("{{\"first\":{first},\"last\":{last},\"expected\":{expected},\"missing\":{missing}}}")
    });
    let (first, last) = (time(account.first), time(account.last));
    let name = origin_name(name);
    format!("{{{name},\"files\":{},\"first\":{first},\"last\":{last},\"slots\":{slots}}}", account.files)
}

fn origin_name(origin: &Origin) -> String {
    let [account, region, id, folder] = match origin {
        Origin::FlowLog { account, region, id } => [Some(account), Some(region), Some(id), None],
        Origin::Folder(folder) => [None, None, None, Some(folder)],
        Origin::Other => [None; 4],
    };
    let keys = [("account", account), ("region", region), ("flow_log", id), ("folder", folder)];
    list(&keys, |(key, value)| format!("\"{key}\":{}", value.map_or_else(null, |value| string(value))))
}

/// Frames of captures, under the keys of `pcap2flow --stats=json`.
fn frames(stats: &SourceStats) -> String {
    format!(
        "\"frames\":{},\"used\":{},\"skipped\":{{\"total\":{},\"reasons\":{}}},\"notes\":{}",
        stats.frames,
        stats.frames_used,
        stats.skipped(),
        object(&stats.frames_skipped),
        object(&stats.frames_noted)
    )
}

fn matched(summary: &Summary) -> String {
    let (all, way) = (summary.counters(), Way::Both);
    format!(
        "\"matched\":{{\"records\":{},\"flows\":{},\"packets\":{},\"bytes\":{}}}",
        summary.records(),
        all.flows(),
        all.packets(way).unwrap_or(0),
        all.bytes(way).unwrap_or(0)
    )
}

fn copies_likely(likely: LikelyCopies) -> String {
    let LikelyCopies { records, bytes, one_in, .. } = likely;
    format!("{{\"records\":{records},\"bytes\":{bytes},\"one_in\":{one_in}}}")
}

fn object(counts: &BTreeMap<String, u64>) -> String {
    format!("{{{}}}", list(counts, |(what, count)| format!("{}:{count}", string(what))))
}

fn list<T>(items: impl IntoIterator<Item = T>, show: impl Fn(T) -> String) -> String {
    items.into_iter().map(show).collect::<Vec<_>>().join(",")
}

fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(null, |time| format!("\"{time}\""))
}

fn string(text: &str) -> String {
    let mut out = Vec::new();
    escape::json(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn null() -> String {
    "null".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_run_has_all_keys() {
        let mut out = Vec::new();
        print_json(&Summary::default(), &SourceStats::default(), None, &mut out).unwrap();
        let expected = "{\"files\":0,\"files_outside_window\":0,\"files_ignored\":0,\"file_bytes\":0,\"records\":0,\
            \"flows\":0,\"header_lines\":0,\"nodata\":0,\"copies_folded\":0,\"copies_folded_bytes\":0,\"blocks\":0,\"blocks_skipped\":0,\
            \"evicted\":0,\"unknown_parts\":{},\"skipdata\":{\"total\":0,\"rows\":[]},\
            \"bad_lines\":{\"total\":0,\"lines\":[]},\"missing_slots\":{\"total\":0,\"gaps\":[]},\"origins\":[],\
            \"frames\":0,\"used\":0,\"skipped\":{\"total\":0,\"reasons\":{}},\"notes\":{},\
            \"matched\":{\"records\":0,\"flows\":0,\"packets\":0,\"bytes\":0},\
            \"copies_likely\":null,\"problem_count\":0,\"problems\":[]}\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
