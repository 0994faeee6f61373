//! The text behind `-o fmt:` to columns and the text between them.
//!
//! `%tag` is a column, `%{name}` any field by its name, `%%` a percent sign; the rest stands as it is.

use flowcore::filter::nearest;
use flowcore::{Error, FIELDS, FieldSet, Result};

use super::tags::{self, Tag};

/// A list's columns and what stands between them.
///
/// ```
/// use flowdump::print::Template;
/// assert!(Template::parse("%ts %sap -> %dap %{tunid}").is_ok());
/// let error = Template::parse("%ts %sapp").unwrap_err();
/// assert_eq!(error.to_string(), "-o fmt: %sapp at character 5 is no tag; did you mean %sap? %{name} prints any field");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Tag(Tag),
}

impl Template {
    /// Reads the text behind `fmt:`.
    ///
    /// # Errors
    /// When it holds a tag that does not exist; the error says where, and which one was perhaps meant.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            push_text(&mut parts, before);
            rest = after;
            let at = text.len() - rest.len() - 1;
            rest = parse_tag(rest, &mut parts).map_err(|problem| {
                let place = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
                Error::argument(format!("-o fmt: %{} at character {place} {}", problem.word, problem.why))
            })?;
        }
        push_text(&mut parts, rest);
        Ok(Self(parts))
    }

    /// The stored fields that the columns are made of.
    pub fn fields(&self) -> FieldSet {
        let cells = self.0.iter().filter_map(|part| match part {
            Part::Tag(tag) => Some(tag.cell),
            Part::Text(_) => None,
        });
        cells.fold(FieldSet::EMPTY, |fields, cell| fields.union(cell.fields())).stored()
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }
}

/// What is wrong with the word behind a percent sign.
struct Problem {
    word: String,
    why: String,
}

/// Adds what stands behind a percent sign; the text after it.
fn parse_tag<'a>(text: &'a str, parts: &mut Vec<Part>) -> std::result::Result<&'a str, Problem> {
    if let Some(rest) = text.strip_prefix('%') {
        push_text(parts, "%");
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix('{') {
        let (name, rest) = rest
            .split_once('}')
            .ok_or_else(|| Problem { word: text.to_owned(), why: "has no closing brace".to_owned() })?;
        parts.push(Part::Tag(tags::of_field(name).ok_or_else(|| no_field(name))?));
        return Ok(rest);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match (tags::find(name), tags::layout(name)) {
        (Some(tag), _) => parts.push(Part::Tag(tag)),
        // Lists are made of tags that exist, as a test makes sure.
        (None, Some(layout)) => Template::parse(layout).into_iter().for_each(|list| parts.extend(list.0)),
        (None, None) => return Err(no_tag(name)),
    }
    Ok(rest)
}

fn no_tag(name: &str) -> Problem {
    let meant = nearest(name, tags::names()).map(|meant| format!("; did you mean %{meant}?"));
    let why = format!("is no tag{} %{{name}} prints any field", meant.unwrap_or_else(|| ";".into()));
    Problem { word: name.to_owned(), why }
}

fn no_field(name: &str) -> Problem {
    let meant = nearest(name, FIELDS.iter().map(|info| info.name));
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean %{{{meant}}}?"));
    Problem { word: format!("{{{name}}}"), why: format!("is no field{meant}") }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(last)) => last.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_tags_alternate() {
        let parts = Template::parse("%%a %ts,%{tunid}%n b%%").unwrap().0;
        let shape = parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Tag(tag) => format!("<{}>", tag.heading.trim()),
        });
        assert_eq!(shape.collect::<String>(), "%a <Date first seen>,<tunid><> b%");
        assert_eq!(Template::parse("x %line").unwrap().0.len(), 16);
        assert_eq!(Template::parse("%{in_bytes}").unwrap(), Template::parse("%ibyt").unwrap());
        assert_eq!(Template::parse("").unwrap().0, []);
    }

    #[test]
    fn a_wrong_tag_is_shown_with_its_place() {
        for (text, expected) in [
            ("%", "-o fmt: % at character 1 is no tag; %{name} prints any field"),
            ("ü %SA", "-o fmt: %SA at character 3 is no tag; did you mean %sa? %{name} prints any field"),
            ("%ts %{tunnid}", "-o fmt: %{tunnid} at character 5 is no field; did you mean %{tunid}?"),
            ("%{elephants}", "-o fmt: %{elephants} at character 1 is no field"),
            ("%{tunid", "-o fmt: %{tunid at character 1 has no closing brace"),
            (
                "%mpls11",
                "-o fmt: %mpls11 at character 1 is no tag; did you mean %mpls1? %{name} prints any field",
            ),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }
}
