//! The account of a run as one JSON object on one line; `docs/pcap2flow.md` describes it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use flowcore::{SourceStats, steers_text};
use pcap2flow::InputAccount;

use super::Summary;

/// Prints the object. Keys are never taken away, new ones can be added.
pub(crate) fn print_json(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let stats = &summary.stats;
    let inputs: Vec<String> = summary.inputs.iter().map(input).collect();
    let problems: Vec<String> =
        stats.problems.kept().iter().map(|problem| string(&problem.to_string())).collect();
    writeln!(
        out,
        "{{{},\"flows\":{},\"evicted\":{},\"packets\":{},\"bytes\":{},\"inputs\":[{}],\"problem_count\":{},\
         \"problems\":[{}]}}",
        frames(stats),
        stats.flows,
        stats.flows_evicted,
        summary.packets,
        summary.bytes,
        inputs.join(","),
        stats.problems.total(),
        problems.join(",")
    )
}

fn input(input: &InputAccount) -> String {
    let InputAccount { name, format, stats } = input;
    let (name, format) = (string(name), string(format.name()));
    format!("{{\"name\":{name},\"format\":{format},\"file_bytes\":{},{}}}", stats.bytes, frames(stats))
}

/// Frames, and what became of them.
fn frames(stats: &SourceStats) -> String {
    format!(
        "\"frames\":{},\"used\":{},\"skipped\":{{\"total\":{},\"reasons\":{}}},\"notes\":{}",
        stats.frames,
        stats.frames_used,
        stats.skipped(),
        counts(&stats.frames_skipped),
        counts(&stats.frames_noted)
    )
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let members: Vec<String> =
        counts.iter().map(|(what, count)| format!("{}:{count}", string(what))).collect();
    format!("{{{}}}", members.join(","))
}

/// A JSON string of one line that steers no terminal (RFC 8259).
fn string(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if steers_text(c) => {
                // None of these is beyond the 16 bits of one escape; writing to a string does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        assert_eq!(string("a \"b\"\\\n\u{1b}ü\u{202e}"), r#""a \"b\"\\\u000a\u001bü\u202e""#);
    }

    #[test]
    fn an_empty_run_is_an_object_with_all_keys() {
        let summary = Summary { stats: SourceStats::default(), inputs: Vec::new(), packets: 0, bytes: 0 };
        let mut out = Vec::new();
        print_json(&summary, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"frames\":0,\"used\":0,\"skipped\":{\"total\":0,\"reasons\":{}},\"notes\":{},\"flows\":0,\
             \"evicted\":0,\"packets\":0,\"bytes\":0,\"inputs\":[],\"problem_count\":0,\"problems\":[]}\n"
        );
    }
}
