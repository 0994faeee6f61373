//! Filter errors that point at the text.

use std::fmt;
use std::ops::Range;

/// A filter expression that cannot be used: where, why, what was expected, and the nearest word that exists.
///
/// ```
/// let error = flowcore::Filter::parse("dst prot 22").unwrap_err();
/// assert_eq!(&error.expression()[error.span()], "prot");
/// assert_eq!(error.suggestion(), Some("port"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    expression: String,
    span: Range<usize>,
    message: String,
    expected: String,
    suggestion: Option<String>,
    place: Option<Place>,
}

/// The file that the text of an error is from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    file: String,
    /// Number in the file of the first line of the text, from 1.
    first_line: usize,
}

impl FilterError {
    /// An error at a byte range of the expression.
    ///
    /// The range is cut to the expression and widened to whole characters, so that it can always be shown.
    pub(crate) fn new(expression: &str, span: Range<usize>, message: impl Into<String>) -> Self {
        let start = expression.floor_char_boundary_compat(span.start);
        let end = expression.floor_char_boundary_compat(span.end.max(start));
        Self(Box::new(Inner {
            expression: expression.to_owned(),
            span: start..end,
            message: printable(&message.into()),
            expected: String::new(),
            suggestion: None,
            place: None,
        }))
    }

    /// The same error about a text that is part of a file and begins in its line of this number.
    #[must_use]
    pub(crate) fn in_file(mut self, file: impl Into<String>, first_line: usize) -> Self {
        self.0.place = Some(Place { file: printable(&file.into()), first_line });
        self
    }

    /// The same error about a part of the text it was about, which begins `start` bytes into that; for an error that
    /// is not about a file yet.
    #[must_use]
    pub(crate) fn in_part(self, part: &str, start: usize, file: Option<&str>) -> Self {
        if self.0.place.is_some() {
            return self;
        }
        let Inner { span, message, expected, suggestion, .. } = *self.0;
        let span = span.start.saturating_sub(start)..span.end.saturating_sub(start);
        let mut moved = Self::new(part, span, message).expected(expected);
        moved.0.suggestion = suggestion;
        match file {
            Some(file) => moved.in_file(file, 1),
            None => moved,
        }
    }

    /// The same error with what could have stood there.
    #[must_use]
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = expected.into();
        self
    }

    /// The same error with a word that was perhaps meant.
    #[must_use]
    pub(crate) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> Self {
        self.0.suggestion = suggestion.map(Into::into);
        self
    }

    /// The whole expression; where the error is in a file, the file's text, or one line of it.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The byte range of the expression that is wrong; empty at its end where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// The file that holds the error, by the name it was given; `None` for an expression that was given as text.
    pub fn file(&self) -> Option<&str> {
        self.0.place.as_ref().map(|place| place.file.as_str())
    }

    /// The line of that file that holds the error, from 1.
    pub fn line_number(&self) -> Option<usize> {
        let before = self.expression().get(..self.0.span.start).unwrap_or_default();
        let newlines = before.bytes().filter(|&byte| byte == b'\n').count();
        self.0.place.as_ref().map(|place| place.first_line.saturating_add(newlines))
    }

    /// What is wrong, in one line without the expression.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What could have stood there; empty if that cannot be said.
    pub fn expected_here(&self) -> &str {
        &self.0.expected
    }

    /// The nearest word that exists.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The line of the expression that holds the error, and the error's place in it, in characters. Of a long line
    /// only what is around the error.
    fn line(&self) -> Line {
        let text = self.expression();
        let start = text[..self.0.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let span = self.0.span.start..self.0.span.end.clamp(self.0.span.start, end.max(self.0.span.start));
        let column = text[start..span.start].chars().count();
        let width = text[span].chars().count().clamp(1, SHOWN_WIDTH / 2);
        let from = if column + width > SHOWN_WIDTH { column.saturating_sub(SHOWN_WIDTH / 4) } else { 0 };
        let mut shown: String = text[start..end].chars().skip(from).take(SHOWN_WIDTH).collect();
        let lead = if from > 0 { "..." } else { "" };
        if text[start..end].chars().nth(from + SHOWN_WIDTH).is_some() {
            shown.push_str("...");
        }
        Line { text: printable(&format!("{lead}{shown}")), column: column - from + lead.len(), width }
    }
}

/// A line as it is shown, and the place of the error in it.
struct Line {
    text: String,
    column: usize,
    width: usize,
}

/// Characters of a line that are shown at most.
const SHOWN_WIDTH: usize = 160;

impl fmt::Display for FilterError {
    /// File and line, message, expression, caret, what was expected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { text, column, width } = self.line();
        f.write_str("filter: ")?;
        if let (Some(file), Some(line)) = (self.file(), self.line_number()) {
            write!(f, "{file}: line {line}: ")?;
        }
        writeln!(f, "{}", self.0.message)?;
        writeln!(f, "    {text}")?;
        write!(f, "    {:column$}{}", "", "^".repeat(width))?;
        if !self.0.expected.is_empty() {
            write!(f, " expected {}", self.0.expected)?;
        }
        if let Some(suggestion) = &self.0.suggestion {
            let lead = if self.0.expected.is_empty() { "" } else { " —" };
            write!(f, "{lead} did you mean \"{suggestion}\"?")?;
        }
        Ok(())
    }
}

impl std::error::Error for FilterError {}

/// The text with a blank for each control character, which a terminal would obey.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// `str::floor_char_boundary` for compilers that do not have it yet.
trait FloorCharBoundary {
    fn floor_char_boundary_compat(&self, at: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_compat(&self, at: usize) -> usize {
        (0..=at.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_word() {
        let error = FilterError::new("any or\ndst prot 22", 11..15, "unknown field \"prot\"")
            .expected("port, ip, net")
            .suggest(Some("port"));
        assert_eq!(
            error.to_string(),
            "filter: unknown field \"prot\"\n    dst prot 22\n        ^^^^ expected port, ip, net — did you mean \"port\"?"
        );
    }

    #[test]
    fn an_error_in_a_file_names_file_and_line() {
        let text = "any\nport x";
        let error = FilterError::new(&format!("tcp {text}"), 13..14, "\"x\" is not a number");
        let error = error.in_part(text, 4, Some("a.nf"));
        assert_eq!((error.file(), error.line_number(), error.span()), (Some("a.nf"), Some(2), 9..10));
        assert_eq!(error.to_string(), "filter: a.nf: line 2: \"x\" is not a number\n    port x\n         ^");
        assert_eq!(error.clone().in_part("other", 0, None), error);
        let error = FilterError::new("10.0.0.x", 0..8, "no").in_file("b.txt", 7);
        assert_eq!(error.line_number(), Some(7));
    }

    #[test]
    fn of_a_long_line_the_part_around_the_error_is_shown() {
        let long = format!("{} bad {}", "tcp or ".repeat(100), " or udp".repeat(100));
        let shown = FilterError::new(&long, 701..704, "no").to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[2].find('^').unwrap();
        assert_eq!(&lines[1][caret..caret + 3], "bad");
        assert!(lines.iter().all(|line| line.len() < 180), "{shown}");
    }

    #[test]
    fn control_characters_reach_no_terminal() {
        let error = FilterError::new("ip \"\x1b[2J\"", 3..9, "\"\x1b[2J\" is wrong");
        assert!(error.to_string().chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn a_span_past_the_end_or_inside_a_character_is_moved() {
        let error = FilterError::new("ip ü", 4..99, "x");
        assert_eq!(error.span(), 3..5);
        assert!(error.to_string().ends_with("       ^"));
    }
}
