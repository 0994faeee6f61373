//! Parsing with files and with a clock of one's own.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::script::{self, Script};
use super::{Filter, FilterError, check, parse};
use crate::error::{Error, Result};
use crate::record::Timestamp;

/// How expressions become filters: whether they may name files, and what time it is.
///
/// ```
/// use flowcore::Timestamp;
/// use flowcore::filter::FilterParser;
/// let noon = "2023-09-28T12:00:00Z".parse::<Timestamp>().unwrap();
/// let filter = FilterParser::new().now(noon).parse("first > -2h")?;
/// assert_eq!(filter.to_string(), "first seen > 2023-09-28T10:00:00.000Z");
/// # Ok::<(), flowcore::FilterError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FilterParser {
    folder: Option<PathBuf>,
    now: Option<Timestamp>,
}

impl FilterParser {
    /// No file is read, and the time is that of the machine's clock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Files may be named, and are looked up in this folder; the empty path is the working directory. A name in a file
    /// is first looked up beside that file.
    #[must_use]
    pub fn files_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// The time that `now`, `-2h` and the like are relative to.
    #[must_use]
    pub fn now(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Parses an expression.
    ///
    /// # Errors
    /// As [`Filter::parse_with_files`].
    pub fn parse(&self, expression: &str) -> Result<Filter, FilterError> {
        self.parse_text(expression, None)
    }

    /// Parses an expression that was read from a file of this name, which errors will show.
    ///
    /// # Errors
    /// As [`Filter::parse_with_files`].
    pub fn parse_from(&self, file: impl AsRef<Path>, expression: &str) -> Result<Filter, FilterError> {
        self.parse_text(expression, Some(file.as_ref()))
    }

    /// Parses the expression in a file.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`Filter::parse_with_files`].
    pub fn parse_file(&self, file: impl AsRef<Path>) -> Result<Filter> {
        let file = file.as_ref();
        let text = script::read_text(file);
        let text = text.map_err(|error| Error::from(error).in_input(file.display().to_string()))?;
        Ok(self.parse_from(file, &text)?)
    }

    fn parse_text(&self, expression: &str, file: Option<&Path>) -> Result<Filter, FilterError> {
        let script = Script::new(expression, file, self.folder.as_deref())?;
        let tree = parse::parse(&script).and_then(|tree| check::check(&script, self.time(), &tree));
        Ok(Filter::new(expression, tree.map_err(|error| script.locate(error))?))
    }

    fn time(&self) -> Timestamp {
        self.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
        })
    }
}
