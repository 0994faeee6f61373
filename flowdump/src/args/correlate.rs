//! `flowdump correlate LEFT RIGHT [FILTER]`: its options, and the comparison that they ask for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use flowcore::analysis::CorrelateOptions;
use flowcore::{Error, Filter, Result};
use pcap2flow::MeterOptions;

use super::case_time::{period, within};
use super::inputs::{is_input, name_of};
use super::investigate::USUAL_TIMEOUT;
use super::plan::Period;
use super::{complaint, memory};

/// The words behind `correlate`.
#[derive(Debug, Parser)]
#[command(
    name = "flowdump correlate",
    about = "Compare what two vantage points saw of the same conversations: a capture and a flow log, two captures, two logs",
    override_usage = "flowdump correlate [OPTIONS] LEFT RIGHT... [FILTER]",
    after_help = HELP,
    help_expected = true
)]
struct Words {
    /// A capture, flow file, nfdump file, flow log, or a folder of them
    left: PathBuf,

    /// What it is compared with; further words that exist as files belong to it
    right: PathBuf,

    /// Only records that match, on both sides
    #[arg(value_name = "FILTER")]
    words: Vec<OsString>,

    /// The filter as one option; all words are inputs then
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// Only records that start at this time or later (UTC unless it says otherwise); of both sides, by their own clocks
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only records that end at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Seconds between two connections at most for them to be taken as one
    #[arg(long, value_name = "SECONDS", default_value_t = CorrelateOptions::default().tolerance)]
    tolerance: u32,

    /// Seconds that the clock of RIGHT is ahead, as 37 or -0.25 [default: estimated]
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    offset: Option<String>,

    /// What is printed: text, markdown and html are the summary; csv, json and ndjson have every conversation
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t = ComparisonFormat::Text)]
    output: ComparisonFormat,

    /// Active and idle timeout in seconds for captures
    #[arg(short = 'e', long = "timeout", value_name = "ACTIVE,IDLE", default_value = USUAL_TIMEOUT)]
    timeout: String,

    /// Memory for the rows of each side, as 500M or 8G [default: half of what there is]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
}

const HELP: &str = "\
Examples:
  flowdump correlate attack.pcap logs/
  flowdump correlate attack.pcap logs/ -o csv 'ip 203.0.113.66 and port 8889'

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";

/// The options, for manual pages and completion.
pub(super) fn command() -> clap::Command {
    Words::command().name("correlate")
}

/// What a comparison is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ComparisonFormat {
    /// The summary for a terminal.
    Text,
    /// The summary for a ticket.
    Markdown,
    /// The summary for a browser.
    Html,
    /// A conversation a line.
    Csv,
    /// Summary and conversations.
    Json,
    /// A conversation a line.
    Ndjson,
}

/// What to compare.
#[derive(Debug)]
pub struct Comparison {
    /// One vantage point.
    pub left: PathBuf,
    /// Files and folders of the other one.
    pub right: Vec<PathBuf>,
    /// Which records.
    pub filter: Arc<Filter>,
    /// What `--since` and `--until` say.
    pub period: Period,
    /// How conversations are matched.
    pub options: CorrelateOptions,
    /// How captures are metered.
    pub meter: MeterOptions,
    /// Bytes that the rows of a side may take.
    pub memory: usize,
    /// What is printed.
    pub output: ComparisonFormat,
}

impl Comparison {
    /// Reads the words behind `correlate`; the text to print where they ask for help.
    ///
    /// # Errors
    /// When they are wrong.
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<std::result::Result<Self, String>> {
        let program = OsString::from("flowdump correlate");
        match complaint::parse::<Words>(std::iter::once(program).chain(words))? {
            Ok(words) => Self::new(words).map(Ok),
            Err(text) => Ok(Err(text)),
        }
    }

    /// What the right side is called.
    pub fn right_name(&self) -> String {
        name_of(&self.right)
    }

    fn new(words: Words) -> Result<Self> {
        let is_all = words.filter.is_some();
        let inputs = words.words.iter().take_while(|word| is_all || is_input(word)).count();
        let (inputs, filter) = words.words.split_at(inputs);
        let filter = filter.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let text = words.filter.unwrap_or(filter);
        let filter =
            if text.trim().is_empty() { Filter::any() } else { Filter::parse(&text).map_err(Error::from)? };
        let period = period(words.since.as_deref(), words.until.as_deref())?;
        Ok(Self {
            left: words.left,
            right: std::iter::once(words.right).chain(inputs.iter().map(PathBuf::from)).collect(),
            filter: Arc::new(within(period, filter)?),
            period,
            options: CorrelateOptions {
                tolerance: words.tolerance,
                offset: words.offset.as_deref().map(offset).transpose()?,
            },
            meter: MeterOptions::default().timeouts(&words.timeout)?,
            memory: memory::for_groups(words.memory.as_deref())?,
            output: words.output,
        })
    }
}

/// Nanoseconds of a number of seconds with a sign and a fraction.
fn offset(text: &str) -> Result<i64> {
    let seconds: Option<f64> = text.parse().ok().filter(|seconds: &f64| seconds.abs() < 1e9);
    let seconds = seconds.ok_or_else(|| {
        Error::argument(format!("--offset {text}: no number of seconds; write 37 or -0.25"))
    })?;
    // Less than 2^63 by far.
    Ok((seconds * 1e9).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(words: &[&str]) -> Result<Comparison> {
        Comparison::parse(words.iter().map(OsString::from)).map(|asked| asked.unwrap())
    }

    #[test]
    fn two_inputs_and_a_filter() {
        let asked = comparison(&["a.pcap", "logs/", "ip", "10.0.0.1", "and", "port 22", "--offset", "-0.25"])
            .unwrap();
        assert_eq!((asked.left.to_str(), asked.right_name().as_str()), (Some("a.pcap"), "logs/"));
        assert_eq!(asked.filter.to_string(), "ip 10.0.0.1 and port 22");
        assert_eq!(asked.options.offset, Some(-250_000_000));
        let asked = comparison(&["a.pcap", "b.log", "Cargo.toml", "src", "port 22"]).unwrap();
        assert_eq!(
            (asked.right_name().as_str(), asked.filter.to_string().as_str()),
            ("b.log + 2", "port 22")
        );
        let asked = comparison(&["a.pcap", "b.log", "c.log", "--filter", "port 22"]).unwrap();
        assert_eq!((asked.right.len(), asked.filter.to_string().as_str()), (2, "port 22"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (words, why) in [
            (&["a.pcap"][..], "RIGHT"),
            (&["a.pcap", "logs/", "porrt 22"], "porrt"),
            (&["a.pcap", "logs/", "--offset", "soon"], "--offset soon: no number"),
            (&["a.pcap", "logs/", "--since", "noon"], "--since noon: no time"),
        ] {
            let error = comparison(words).unwrap_err().to_string();
            assert!(error.contains(why), "{words:?}: {error}");
        }
    }
}
