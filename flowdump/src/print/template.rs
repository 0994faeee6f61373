//! The text behind `-o fmt:` and `-o csv:` to columns, and for lists the text between them.
//!
//! `%tag` is a column and `%{name}` any field by its name. In a list `%%` is a percent sign and the rest stands as it is;
//! in CSV there is nothing but tags, commas and blanks.

use flowcore::filter::nearest;
use flowcore::{Error, FIELDS, FieldSet, Result};

use super::tags::{self, Cell, Tag};

/// A list's columns and what stands between them.
///
/// ```
/// use flowdump::print::Template;
/// assert!(Template::parse("%ts %sap -> %dap %{tunid}").is_ok());
/// let error = Template::parse("%ts %sapp").unwrap_err();
/// assert_eq!(error.to_string(), "-o fmt: %sapp at character 5 is no tag; did you mean %sap? %{name} prints any field");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// When there is no tag, or one that does not exist; the error says where, and which one was perhaps meant.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_for(Target::List, text)
    }

    /// Reads the text behind `csv:`: tags of one value each, between commas or blanks.
    ///
    /// ```
    /// use flowdump::print::Template;
    /// assert!(Template::parse_csv("%ts,%sa,%sp,%{vlan}").is_ok());
    /// let error = Template::parse_csv("%ts,%sap").unwrap_err();
    /// assert_eq!(error.to_string(), "-o csv: %sap at character 5 is more than one value; take %sa,%sp");
    /// ```
    ///
    /// # Errors
    /// When there is no tag, one that does not exist or is made of several values, or text between them.
    pub fn parse_csv(text: &str) -> Result<Self> {
        Self::parse_for(Target::Csv, text)
    }

    fn parse_for(target: Target, text: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let next = parse_next(rest).and_then(|(new, left)| Ok((target.take(new, rest, left)?, left)));
            let (new, left) = next.map_err(|Problem { word, why }| {
                let place = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
                Error::argument(format!("-o {}: {word} at character {place} {why}", target.name()))
            })?;
            new.into_iter().for_each(|part| push(&mut parts, part));
            rest = left;
        }
        let is_column = |part: &Part| matches!(part, Part::Tag(tag) if tag.cell != Cell::Newline);
        if !parts.iter().any(is_column) {
            let (name, example) = (target.name(), target.example());
            return Err(Error::argument(format!("-o {name}: names no column; take '{example}' or others")));
        }
        Ok(Self(parts))
    }

    /// One of nfdump's lists; nothing if there is none of this name.
    pub(super) fn of_layout(name: &str) -> Self {
        tags::layout(name).and_then(|layout| Self::parse(layout).ok()).unwrap_or_default()
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

/// What the columns are for.
#[derive(Debug, Clone, Copy)]
enum Target {
    List,
    Csv,
}

impl Target {
    const fn name(self) -> &'static str {
        match self {
            Self::List => "fmt",
            Self::Csv => "csv",
        }
    }

    const fn example(self) -> &'static str {
        match self {
            Self::List => "fmt:%ts %sap -> %dap %byt",
            Self::Csv => "csv:%ts,%sa,%da,%byt",
        }
    }

    /// What becomes of the parts that stand at the start of `rest`, before `left`.
    fn take(self, parts: Vec<Part>, rest: &str, left: &str) -> Parsed<Vec<Part>> {
        if matches!(self, Self::List) {
            return Ok(parts);
        }
        let word = rest.strip_suffix(left).unwrap_or(rest);
        let problem = |why: String| Err(Problem { word: word.to_owned(), why });
        match parts.as_slice() {
            [Part::Text(text)] if text.chars().all(|c| c == ',' || c.is_whitespace()) => Ok(Vec::new()),
            [Part::Text(_)] => problem("is text; only tags and commas can be there".to_owned()),
            [Part::Tag(Tag { cell: Cell::Newline, .. })] => {
                problem("ends a line, which CSV does behind the last column; leave it out".to_owned())
            }
            [Part::Tag(tag)] => match tag.cell.parts() {
                None => Ok(parts),
                Some(instead) => problem(format!("is more than one value; take {instead}")),
            },
            _ => problem("is a list; name the columns one by one".to_owned()),
        }
    }
}

/// What is wrong with a word of the text.
struct Problem {
    word: String,
    why: String,
}

type Parsed<T> = std::result::Result<T, Problem>;

/// The parts that the text begins with, and the text behind them.
fn parse_next(text: &str) -> Parsed<(Vec<Part>, &str)> {
    let Some(tag) = text.strip_prefix('%') else {
        let (text, rest) = text.split_at(text.find('%').unwrap_or(text.len()));
        return Ok((vec![Part::Text(text.to_owned())], rest));
    };
    if let Some(rest) = tag.strip_prefix('%') {
        return Ok((vec![Part::Text("%".to_owned())], rest));
    }
    if let Some(field) = tag.strip_prefix('{') {
        let unclosed = || Problem { word: text.to_owned(), why: "has no closing brace".to_owned() };
        let (name, rest) = field.split_once('}').ok_or_else(unclosed)?;
        return Ok((vec![Part::Tag(tags::of_field(name).ok_or_else(|| no_field(name))?)], rest));
    }
    let (name, rest) = tag.split_at(tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len()));
    match (tags::find(name), tags::layout(name)) {
        (Some(tag), _) => Ok((vec![Part::Tag(tag)], rest)),
        (None, Some(_)) => Ok((Template::of_layout(name).0, rest)),
        (None, None) => Err(no_tag(name)),
    }
}

fn no_tag(name: &str) -> Problem {
    let word = format!("%{name}");
    if let Some(why) = tags::refusal(name) {
        return Problem { word, why: why.to_owned() };
    }
    let meant = nearest(name, tags::names()).map(|meant| format!("; did you mean %{meant}?"));
    let why = format!("is no tag{} %{{name}} prints any field", meant.unwrap_or_else(|| ";".into()));
    Problem { word, why }
}

fn no_field(name: &str) -> Problem {
    let meant = nearest(name, FIELDS.iter().map(|info| info.name));
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean %{{{meant}}}?"));
    Problem { word: format!("%{{{name}}}"), why: format!("is no field{meant}") }
}

/// Adds a part; text goes to the text before it.
fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
        (_, part) => parts.push(part),
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
        assert_eq!(shape.collect::<String>(), "%a <Date first seen (UTC)>,<tunid><> b%");
        assert_eq!(Template::parse("x %line").unwrap().0.len(), 16);
        assert_eq!(Template::parse("%{in_bytes}").unwrap(), Template::parse("%{inbytes}").unwrap());
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

    #[test]
    fn a_list_without_a_column_is_none() {
        for text in ["", " ", "text", "%%", "%n", "a %n b"] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert_eq!(
                error, "-o fmt: names no column; take 'fmt:%ts %sap -> %dap %byt' or others",
                "{text}"
            );
        }
    }

    #[test]
    fn what_csv_cannot_have_is_shown_with_its_place() {
        for (text, expected) in [
            ("", "-o csv: names no column; take 'csv:%ts,%sa,%da,%byt' or others"),
            (" , ", "-o csv: names no column; take 'csv:%ts,%sa,%da,%byt' or others"),
            ("%ts;%te", "-o csv: ; at character 4 is text; only tags and commas can be there"),
            ("%ts,%%", "-o csv: %% at character 5 is text; only tags and commas can be there"),
            ("%ts,%line", "-o csv: %line at character 5 is a list; name the columns one by one"),
            (
                "%ts,%n",
                "-o csv: %n at character 5 ends a line, which CSV does behind the last column; leave it out",
            ),
            ("%ts %ttl", "-o csv: %ttl at character 5 is more than one value; take %minttl,%maxttl"),
            ("%tss", "-o csv: %tss at character 1 is no tag; did you mean %ts? %{name} prints any field"),
            ("%ts,%gsa", "-o csv: %gsa at character 5 needs a geo database, which is not supported"),
        ] {
            assert_eq!(Template::parse_csv(text).unwrap_err().to_string(), expected, "{text}");
        }
        let columns = Template::parse_csv("%ts,%te").unwrap();
        assert_eq!(Template::parse_csv(" %ts , %te\n").unwrap(), columns);
        assert_eq!(Template::parse_csv("%ts%te").unwrap(), columns);
    }

    #[test]
    fn every_list_of_nfdump_is_a_template() {
        for name in ["line", "long", "extended", "biline", "bilong", "nsel", "nat"] {
            assert!(Template::of_layout(name).0.len() > 10, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_ends_in_a_panic(text in "[%{}a-z, \u{e9}\u{202e}]{0,40}|\\PC{0,40}") {
            for parsed in [Template::parse(&text), Template::parse_csv(&text)] {
                if let Err(error) = parsed {
                    proptest::prop_assert!(error.to_string().starts_with("-o "));
                }
            }
        }
    }
}
