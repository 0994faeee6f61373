//! The tables of expressions and command lines in `tests/data`.
//!
//! A line is an entry. Lines under it that begin with blanks say more about it, and under a line that begins with `#`
//! about all entries up to the next such line:
//!
//! ```text
//! # A group of entries
//! port 80
//! bytes > 1k
//!     flowdump: in bytes > 1k
//!     why: bytes are those of both directions here
//! ```
//!
//! A reason ("why") stands with everything that is not simply the same for both programs.

use std::collections::BTreeMap;
use std::path::Path;

/// Something to ask both programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its line in the file, from 1.
    pub line: usize,
    /// What is asked.
    pub text: String,
    notes: BTreeMap<String, String>,
}

impl Entry {
    /// What stands under the entry, or under the heading of its group, after this name.
    pub fn note(&self, name: &str) -> Option<&str> {
        self.notes.get(name).map(String::as_str)
    }
}

/// Reads a table of `tests/data` whose notes have these names, `why` aside.
pub fn read(file: &str, names: &[&str]) -> Vec<Entry> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    parse(file, &text, names)
}

fn parse(file: &str, text: &str, names: &[&str]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut group = BTreeMap::new();
    let mut in_heading = true;
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        if text.starts_with('#') {
            (group, in_heading) = (BTreeMap::new(), true);
        } else if text.starts_with(' ') {
            let (name, value) = note(text).unwrap_or_else(|| panic!("{file}:{line}: a note is 'name: text'"));
            assert!(name == "why" || names.contains(&name), "{file}:{line}: no note is called {name}");
            let notes =
                entries.last_mut().filter(|_| !in_heading).map_or(&mut group, |entry| &mut entry.notes);
            notes.insert(name.to_owned(), value.to_owned());
        } else {
            in_heading = false;
            entries.push(Entry { line, text: text.to_owned(), notes: group.clone() });
        }
    }
    let without_reason = entries.iter().find(|entry| !entry.notes.is_empty() && entry.note("why").is_none());
    assert!(without_reason.is_none(), "{file}: not the same, and no reason: {without_reason:?}");
    entries
}

fn note(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.trim().split_once(':')?;
    Some((name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_belong_to_the_entry_or_to_the_group_above() {
        let text = "# one\n    where: x\n    why: y\na\nb\n    where: z\n\n# two\nc: d\n";
        let entries = parse("t", text, &["where"]);
        let seen: Vec<_> =
            entries.iter().map(|entry| (entry.line, entry.text.as_str(), entry.note("where"))).collect();
        assert_eq!(seen, [(4, "a", Some("x")), (5, "b", Some("z")), (9, "c: d", None)]);
        assert_eq!(entries[1].note("why"), Some("y"));
    }

    #[test]
    #[should_panic(expected = "no note is called wher")]
    fn a_misspelt_note_is_noticed() {
        parse("t", "a\n    wher: x\n", &["where"]);
    }

    #[test]
    #[should_panic(expected = "no reason")]
    fn a_difference_needs_a_reason() {
        parse("t", "a\n    where: x\n", &["where"]);
    }
}
