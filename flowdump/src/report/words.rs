//! Values as reports write them: names of services, times, words for a shell, tables for a terminal.

use std::io::{self, Write};

use flowcore::analysis::Outcomes;
use flowcore::{Protocol, Timestamp};

/// `tcp/443`; a protocol alone has no ports.
pub(super) fn name(protocol: Option<Protocol>, port: Option<u16>) -> String {
    let protocol = protocol.map_or_else(|| "-".to_owned(), |protocol| protocol.to_string().to_lowercase());
    port.map_or_else(|| protocol.clone(), |port| format!("{protocol}/{port}"))
}

/// ISO 8601, with a fraction of the second only where there is one.
pub(super) fn time(time: Timestamp) -> String {
    let text = time.to_string();
    text.strip_suffix(".000Z").map_or_else(|| text.clone(), |seconds| format!("{seconds}Z"))
}

/// `8 accepted, 1 refused`; what there is none of is not told.
pub(super) fn told(outcomes: Outcomes) -> String {
    let counts = [
        (outcomes.accepted, "accepted"),
        (outcomes.refused, "refused"),
        (outcomes.unanswered, "unanswered"),
        (outcomes.unknown, "not told"),
    ];
    let parts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    parts.collect::<Vec<_>>().join(", ")
}

/// A word as a shell reads it back.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Prints rows with columns as wide as their widest value, two spaces between; a heading that begins with `>` stands,
/// as its column, to the right.
pub(super) fn table(
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_right = |column: usize| head.get(column).is_some_and(|name| name.starts_with('>'));
    let names: Vec<String> = head.iter().map(|name| name.trim_start_matches('>').to_owned()).collect();
    let lines: Vec<Vec<String>> =
        Some(names).filter(|names| !names.is_empty()).into_iter().chain(rows).collect();
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in &lines {
        let cells =
            line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match is_right(column) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(out, "  {}", text.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_values() {
        let mut out = Vec::new();
        let rows = [["tcp/22", "7"], ["udp/53", "12345"]].map(|row| row.map(str::to_owned).to_vec());
        table(&["service", ">n"], rows.into_iter(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  service      n\n  tcp/22       7\n  udp/53   12345\n");
    }

    #[test]
    fn names_that_a_shell_would_take_apart_are_quoted() {
        assert_eq!(shell_word("logs/a.gz"), "logs/a.gz");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_service_is_named_by_protocol_and_port() {
        assert_eq!(name(Some(Protocol::TCP), Some(22)), "tcp/22");
        assert_eq!(name(Some(Protocol(47)), None), "gre");
        assert_eq!(name(None, None), "-");
    }
}
