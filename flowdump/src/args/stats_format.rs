//! `--stats`: how the account of what was read is printed.

use std::str::FromStr;

use flowcore::Error;

/// A form of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsFormat {
    /// A table for people.
    Table,
    /// One JSON object on one line.
    Json,
}

impl FromStr for StatsFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "table" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            _ => Err(Error::argument("expected table or json")),
        }
    }
}
