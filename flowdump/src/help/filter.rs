//! `--help-filter`: every phrase of the filter language, by what its values look like, with an example each.

use flowcore::filter::{Phrase, phrases};
use flowcore::{FieldKind, Filter, Protocol};

use super::{table, wrap};

/// The page.
pub(super) fn page() -> String {
    let mut page = HEAD.to_owned();
    for (value, group) in groups() {
        page.push('\n');
        let title = if value.is_empty() { "Stand alone:".into() } else { format!("Followed by {value}:") };
        wrap(title.split(' '), 0, &mut page);
        let names: Vec<String> = group.iter().map(|phrase| phrase.spellings.join(", ")).collect();
        table(&names, 2, &mut page);
        if let Some(example) = group.iter().find_map(example) {
            page.push_str(&format!("  for example: {example}\n"));
        }
    }
    page.push_str("\nProtocols, alone or behind proto:\n");
    let names: Vec<String> = Protocol::named().map(|(_, name)| name.to_lowercase()).collect();
    wrap(names.iter().map(String::as_str), 2, &mut page);
    page.push_str("\nAny field by its name, as --help-fields lists them: field end_reason = idle\n");
    page
}

/// The general part; what follows comes from the tables.
const HEAD: &str = "\
A filter is made of terms with and, or, not (&&, ||, !) and parentheses; not
binds tightest, then and, then or. A term is a phrase, a comparator and a value:

  dst port 443 and bytes > 1M                 = is meant where none stands
  not (ip 10.0.0.0/8 or port in [22 80 443])  lists in brackets
  port=80 && proto != tcp                     blanks are free

Comparators: = == eq   != ne   > gt   < lt   >= ge   <= le   in [...]   not in [...]
Units: 10k 1.5M 2G 1T, KiB MiB GiB TiB; 500us 20ms 90s 5m 2h 1d 1w
A term about something that a record does not have is false; its not is true.
# begins a comment. docs/filter.md has all of it with more examples.
";

/// Phrases with the same kind of value together, in the order of the table.
fn groups() -> Vec<(&'static str, Vec<Phrase>)> {
    let mut groups: Vec<(&'static str, Vec<Phrase>)> = Vec::new();
    for phrase in phrases() {
        match groups.iter_mut().find(|(value, _)| *value == phrase.value) {
            Some((_, group)) => group.push(phrase),
            None => groups.push((phrase.value, vec![phrase])),
        }
    }
    groups
}

/// A term that begins with a phrase, if there is a value that fits it.
fn example(phrase: &Phrase) -> Option<String> {
    let name = phrase.spellings.first()?;
    let values: &[&str] = match phrase.kind {
        None => &["", "proto tcp"],
        Some(FieldKind::Count | FieldKind::Rate) => &["> 10k"],
        Some(FieldKind::Duration) => &["> 5m"],
        Some(FieldKind::Latency) => &["> 20ms"],
        Some(FieldKind::Port) => &["in [80 443 8000-8100]"],
        Some(FieldKind::Protocol) => &["tcp"],
        Some(FieldKind::Flags) => &["SA"],
        Some(FieldKind::Byte) => &["= 5", "5"],
        Some(FieldKind::Mac) => &["02:00:5e:10:00:01"],
        Some(FieldKind::Mpls) => &["16", "= 5"],
        Some(FieldKind::EndReason) => &["idle"],
        Some(FieldKind::Time) => &[">= 2023-09-28T17:22:35Z"],
        Some(FieldKind::Addr) => &["10.0.0.0/8"],
        Some(FieldKind::Text) => {
            if phrase.value == "text" {
                &["web-1"]
            } else {
                &["'GET /'", "sso"]
            }
        }
    };
    let values = values.iter().copied().chain(shown(phrase.value)).chain(["10.0.0.1"]);
    let mut terms = values.map(|value| format!("{name} {value}").trim_end().to_owned());
    terms.find(|term| Filter::parse(term).is_ok())
}

/// What the description of values shows of them: its example, and its first word.
fn shown(value: &str) -> impl Iterator<Item = &str> {
    let example = value.split_once("such as ").map(|(_, example)| example);
    let first = value.split([',', ' ']).next();
    example.into_iter().chain(first.filter(|_| example.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_on_the_page() {
        let page = page();
        let words: Vec<&str> =
            page.split([',', '\n']).flat_map(|part| part.split("  ")).map(str::trim).collect();
        for phrase in phrases() {
            for spelling in phrase.spellings {
                assert!(words.contains(spelling), "{spelling}");
            }
        }
    }

    #[test]
    fn examples_are_filters() {
        let page = page();
        let examples: Vec<&str> =
            page.lines().filter_map(|line| line.trim().strip_prefix("for example: ")).collect();
        let with_values = groups().len();
        assert!(examples.len() * 10 >= with_values * 8, "{} of {with_values}", examples.len());
        for example in examples {
            Filter::parse(example).unwrap();
        }
        for line in HEAD.lines().filter(|line| line.starts_with("  ")) {
            let term = line.trim().split("   ").next().unwrap();
            Filter::parse(term.split("  ").next().unwrap()).unwrap();
        }
    }
}
