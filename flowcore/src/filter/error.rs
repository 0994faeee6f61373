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
        }))
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

    /// The whole expression.
    pub fn expression(&self) -> &str {
        &self.0.expression
    }

    /// The byte range of the expression that is wrong; empty at its end where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
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

    /// The line of the expression that holds the error, and the error's place in it, in characters.
    fn line(&self) -> (&str, usize, usize) {
        let text = self.expression();
        let start = text[..self.0.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let column = text[start..self.0.span.start].chars().count();
        let width = text
            [self.0.span.start..self.0.span.end.clamp(self.0.span.start, end.max(self.0.span.start))]
            .chars()
            .count();
        (&text[start..end], column, width.max(1))
    }
}

impl fmt::Display for FilterError {
    /// Message, expression, caret, what was expected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column, width) = self.line();
        writeln!(f, "filter: {}", self.0.message)?;
        writeln!(f, "    {}", printable(line))?;
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
