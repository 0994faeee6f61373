//! The crate's error: what went wrong, in which input, at which position.
//!
//! Every fallible function of the workspace returns [`Error`]. It is one pointer wide; the details are in
//! [`ErrorKind`], the place in [`Error::input`] and [`Position`], and an operating system error is kept as
//! [`source`](std::error::Error::source).

use std::fmt;
use std::io;

use crate::filter::FilterError;
use crate::visible::visible;

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with the input and the position it belongs to.
///
/// The text form is one line for a person: input, position, what is wrong and, where there is one, the way out.
///
/// ```
/// use flowcore::{Error, ErrorKind, Position};
/// let error = Error::new(ErrorKind::Damaged("block checksum differs".into()))
///     .in_input("a.flow")
///     .at(Position::Byte(4096));
/// assert_eq!(error.to_string(), "a.flow: byte 4096: block checksum differs");
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    input: Option<String>,
    position: Option<Position>,
}

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused or failed an operation.
    Io(io::Error),
    /// The bytes are of no format that can be read; the text says what they look like.
    UnknownFormat(String),
    /// The format is known, but this variant of it cannot be read or written; the text names the variant.
    Unsupported(String),
    /// The input contradicts its own format: cut, altered or written wrongly.
    Damaged(String),
    /// One record of the input cannot be used; the records around it can.
    BadRecord(String),
    /// A filter expression is wrong.
    Filter(FilterError),
    /// The output exists and may not be replaced.
    Exists,
    /// A folder, list or stream holds nothing that can be read.
    NothingToRead,
    /// An argument is wrong; the text says which and what it should be.
    Argument(String),
}

/// A place in an input, counted from where the format's own tools count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// Byte offset from the start of the (decompressed) input, from 0.
    Byte(u64),
    /// Line number, from 1.
    Line(u64),
    /// Frame number of a capture, from 1.
    Frame(u64),
    /// Block number of a flow file, from 1.
    Block(u64),
    /// Row number of a table, from 1.
    Row(u64),
}

impl Error {
    /// An error of this kind, without a place yet.
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, input: None, position: None }))
    }

    /// Short form for [`ErrorKind::Damaged`].
    pub fn damaged(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Damaged(what.into()))
    }

    /// Short form for [`ErrorKind::Unsupported`].
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported(what.into()))
    }

    /// Short form for [`ErrorKind::Argument`].
    pub fn argument(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Argument(what.into()))
    }

    /// The same error, naming the input it is about; an input that is already named stays.
    #[must_use]
    pub fn in_input(mut self, input: impl Into<String>) -> Self {
        self.0.input.get_or_insert_with(|| input.into());
        self
    }

    /// The same error at this position; a position that is already there stays.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// The file or stream the error is about.
    pub fn input(&self) -> Option<&str> {
        self.0.input.as_deref()
    }

    /// The place in that input.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// Whether a reader on the other side closed the pipe, which ends a program quietly.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(&self.0.kind, ErrorKind::Io(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(input) = &self.0.input {
            write!(f, "{}: ", visible(input))?;
        }
        if let Some(position) = self.0.position {
            write!(f, "{position}: ")?;
        }
        self.0.kind.fmt(f)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => f.write_str(&plain_io_message(error)),
            Self::UnknownFormat(found) => write!(f, "unknown format: {}", visible(found)),
            Self::Unsupported(what) | Self::Damaged(what) | Self::BadRecord(what) | Self::Argument(what) => {
                visible(what).fmt(f)
            }
            Self::Filter(error) => error.fmt(f),
            Self::Exists => f.write_str("exists already; --force replaces it"),
            Self::NothingToRead => f.write_str("holds no capture, flow file or flow log"),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(n) => write!(f, "byte {n}"),
            Self::Line(n) => write!(f, "line {n}"),
            Self::Frame(n) => write!(f, "frame {n}"),
            Self::Block(n) => write!(f, "block {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io(error) => Some(error),
            ErrorKind::Filter(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(ErrorKind::Io(error))
    }
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::new(ErrorKind::Filter(error))
    }
}

/// The system's message in the style of the other messages: lower case, without "(os error 2)".
fn plain_io_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::from("input or output error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_errors_read_like_the_others() {
        let error = Error::from(io::Error::from_raw_os_error(2)).in_input("missing.pcap");
        assert_eq!(error.to_string(), "missing.pcap: no such file or directory");
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn the_innermost_place_is_kept() {
        let error =
            Error::damaged("cut").at(Position::Line(3)).at(Position::Byte(9)).in_input("a").in_input("b");
        assert_eq!(error.to_string(), "a: line 3: cut");
    }
    #[test]
    fn a_hostile_name_stays_on_its_line() {
        let name = "a\npcap2flow: done\u{1b}[2J\u{9b}\u{202e}.pcap";
        let error = Error::new(ErrorKind::NothingToRead).in_input(name);
        let shown = "a\\u{a}pcap2flow: done\\u{1b}[2J\\u{9b}\\u{202e}.pcap: ";
        assert!(error.to_string().starts_with(shown), "{error}");
        assert_eq!(Error::damaged("found \u{7}").to_string(), "found \\u{7}");
    }

    #[test]
    fn a_filter_error_keeps_its_lines() {
        let error = Error::from(crate::Filter::parse("dst prot 22").unwrap_err());
        assert!(error.to_string().contains('\n'), "{error}");
    }
}
