//! The formats of `-o`: their names, and what is said about names that are none.
//!
//! The table below is the one list of names; parsing, errors and help come from it.

use std::str::FromStr;

use flowcore::filter::nearest;
use flowcore::{Error, FieldSet, Result};

use crate::print::Template;

/// Formats of records and tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputFormat {
    /// nfdump's `line`.
    Line,
    /// nfdump's `long`: flags and type of service as well.
    Long,
    /// nfdump's `extended`: rates as well.
    Extended,
    /// nfdump's `biline`: counters of each direction.
    Biline,
    /// nfdump's `bilong`: flags and type of service as well.
    Bilong,
    /// nfdump's `nsel`: events of firewalls.
    Nsel,
    /// nfdump's `nat`: events of address translations.
    Nat,
    /// nfdump's `raw`: every field of a record, one a line.
    Raw,
    /// Columns of the user's choice, for people.
    Custom(Template),
    /// RFC 4180, always the same columns.
    Csv,
    /// RFC 4180, the columns of nfdump's `csv-fast`.
    CsvFast,
    /// RFC 4180, columns of the user's choice.
    CsvColumns(Template),
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Nothing but the summary.
    Null,
    /// A `.flow` file.
    Flow,
    /// An nfdump file.
    Nfdump,
    /// A flow log as AWS writes it.
    Vpc,
}

impl OutputFormat {
    /// The names that `-o` takes, and what each is, in the order of help. `fmt:` and `csv:` stand with a list of tags
    /// behind them.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = [
            ("fmt:TAGS", "columns of your choice: 'fmt:%ts %sap -> %dap %byt %{vlan}'"),
            ("csv:TAGS", "the same as CSV with nfdump's headings: 'csv:%ts,%sa,%da,%byt'"),
        ];
        FORMATS.iter().map(|(name, _, about)| (*name, *about)).chain(own)
    }

    /// Whether the format is text for people.
    pub(crate) const fn is_for_people(&self) -> bool {
        !self.is_for_programs() && !matches!(self, Self::Null | Self::Flow | Self::Nfdump)
    }

    /// Whether the format is text for programs, to which nothing may be added.
    pub(crate) const fn is_for_programs(&self) -> bool {
        matches!(
            self,
            Self::Csv | Self::CsvFast | Self::CsvColumns(_) | Self::Json | Self::Ndjson | Self::Vpc
        )
    }

    /// The stored fields that columns of the user's choice are made of.
    pub(super) fn chosen_fields(&self) -> FieldSet {
        match self {
            Self::Custom(template) | Self::CsvColumns(template) => template.fields(),
            _ => FieldSet::EMPTY,
        }
    }
}

/// Whether the name ends in the 6 that asks for columns as wide as IPv6 addresses.
pub(super) fn is_wide(name: &str) -> bool {
    without_six(name).is_some()
}

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(template) = text.strip_prefix("fmt:") {
            return Template::parse(template).map(Self::Custom);
        }
        if let Some(template) = text.strip_prefix("csv:") {
            return Template::parse_csv(template).map(Self::CsvColumns);
        }
        named(without_six(text).unwrap_or(text)).ok_or_else(|| unknown(text))
    }
}

fn named(name: &str) -> Option<OutputFormat> {
    FORMATS.iter().find(|(known, ..)| *known == name).map(|(_, format, _)| format.clone())
}

/// The name of a list without its trailing 6.
fn without_six(name: &str) -> Option<&str> {
    name.strip_suffix('6').filter(|name| named(name).is_some_and(|format| format.has_wide_columns()))
}

impl OutputFormat {
    const fn has_wide_columns(&self) -> bool {
        self.is_for_people() && !matches!(self, Self::Raw)
    }
}

/// What is wrong with a name of no format.
fn unknown(text: &str) -> Error {
    let base = text.strip_suffix('6').unwrap_or(text);
    if let Some((_, why)) = REFUSED.iter().find(|(names, _)| names.contains(&base)) {
        return Error::argument(format!("-o {text}: {why}"));
    }
    let meant = nearest(text, FORMATS.iter().map(|(name, ..)| *name));
    let meant = meant.map_or_else(String::new, |meant| format!(" did you mean {meant}?"));
    let names: Vec<&str> = OutputFormat::names().map(|(name, _)| name).collect();
    Error::argument(format!("-o {text}: no such output format;{meant} choose one of {}", names.join(", ")))
}

const FORMATS: &[(&str, OutputFormat, &str)] = &[
    (
        "line",
        OutputFormat::Line,
        "a line a record: start, duration, protocol, both ends, packets, bytes, flows",
    ),
    ("long", OutputFormat::Long, "flags and type of service as well"),
    ("extended", OutputFormat::Extended, "packets and bits a second, bytes a packet as well"),
    ("biline", OutputFormat::Biline, "packets and bytes of each direction"),
    ("bilong", OutputFormat::Bilong, "flags and type of service as well"),
    ("nsel", OutputFormat::Nsel, "events of firewalls (Cisco ASA), with translated addresses"),
    ("nat", OutputFormat::Nat, "events of address translations"),
    ("raw", OutputFormat::Raw, "every field that a record has, one a line"),
    ("csv", OutputFormat::Csv, "RFC 4180 with a heading, always the same columns"),
    ("csv-fast", OutputFormat::CsvFast, "RFC 4180, the few columns of nfdump's csv-fast"),
    ("json", OutputFormat::Json, "one array of objects, always closed"),
    ("ndjson", OutputFormat::Ndjson, "one object a line"),
    (
        "vpc",
        OutputFormat::Vpc,
        "an AWS flow log: a line of names, then values between spaces; --columns names them",
    ),
    ("null", OutputFormat::Null, "nothing but the summary"),
];

/// Names of nfdump that are no formats here, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["gline", "glong", "gbiline", "gbilong", "gextended"],
        "names of countries need a geo database, which is not supported; leave out the g",
    ),
    (
        &["pipe"],
        "nfdump has given up this format with 1.7; use csv-fast, or 'csv:%ts,%te,%pr,%sa,%da' with the columns you need",
    ),
    (&["fmt", "csv6"], "the tags are missing: 'fmt:%ts %sap -> %dap %byt'"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn error(name: &str) -> String {
        name.parse::<OutputFormat>().unwrap_err().to_string()
    }

    #[test]
    fn every_name_is_a_format() {
        for (name, about) in OutputFormat::names().filter(|(name, _)| !name.contains(':')) {
            assert!(name.parse::<OutputFormat>().is_ok() && !is_wide(name), "{name}");
            assert!(!about.is_empty() && !about.ends_with('.'), "{name}");
        }
        assert!(matches!("fmt:%ts".parse(), Ok(OutputFormat::Custom(_))));
        assert!(matches!("csv:%ts".parse(), Ok(OutputFormat::CsvColumns(_))));
    }

    #[test]
    fn a_six_makes_lists_wide() {
        for name in ["line", "long", "extended", "biline", "bilong", "nsel", "nat"] {
            let wide = format!("{name}6");
            assert_eq!(wide.parse::<OutputFormat>().unwrap(), name.parse().unwrap());
            assert!(is_wide(&wide));
        }
        for name in ["raw6", "csv6", "json6", "null6", "line66", "6"] {
            assert!(!is_wide(name) && name.parse::<OutputFormat>().is_err(), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest_and_all() {
        let said = error("jsn");
        assert!(
            said.starts_with("-o jsn: no such output format; did you mean json? choose one of line, "),
            "{said}"
        );
        assert!(said.ends_with("null, fmt:TAGS, csv:TAGS"), "{said}");
        assert!(
            error("elephant").starts_with("-o elephant: no such output format; choose one"),
            "{}",
            error("elephant")
        );
    }

    #[test]
    fn formats_that_cannot_be_had_say_what_can() {
        assert!(error("gline6").contains("geo database"), "{}", error("gline6"));
        assert!(error("pipe").contains("csv-fast"), "{}", error("pipe"));
        assert!(error("fmt").contains("fmt:%ts"), "{}", error("fmt"));
    }
}
