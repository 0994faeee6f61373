//! `flowdump investigate HOST... INPUT...`: its options, and the case that they make.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use flowcore::analysis::{ADMIN_PORTS, Hosts, Prefix};
use flowcore::{Error, Filter, Result};
use pcap2flow::MeterOptions;

use super::case_time::{period, within};
use super::plan::Period;
use super::{complaint, memory};

/// The words behind `investigate`.
#[derive(Debug, Parser)]
#[command(
    name = "flowdump investigate",
    about = "Say what hosts did: when, how much, every service they touched, and where those they reached went on to",
    override_usage = "flowdump investigate [OPTIONS] HOST... INPUT...",
    after_help = HELP,
    help_expected = true
)]
struct Words {
    /// Addresses or prefixes to look at, and inputs: captures, flow files, nfdump files, flow logs, folders of them
    #[arg(value_name = "HOST|INPUT", required_unless_present = "verify")]
    words: Vec<OsString>,

    /// Only records that start at this time or later (UTC unless it says otherwise)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only records that end at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Addresses of one's own network beside the private ones: hops lead to them; may be repeated
    #[arg(long, value_name = "PREFIX")]
    internal: Vec<Prefix>,

    /// Hosts that were attacked: looked at as HOST is, part of one's own network, and hops begin there; may be repeated
    #[arg(long, value_name = "HOST")]
    victim: Vec<Prefix>,

    /// Hosts whose traffic is as it should be, as monitoring, backups or scanners of one's own; may be repeated
    #[arg(long, value_name = "PREFIX")]
    allow: Vec<Prefix>,

    /// Active and idle timeout in seconds for captures
    #[arg(short = 'e', long = "timeout", value_name = "ACTIVE,IDLE", default_value = USUAL_TIMEOUT)]
    timeout: String,

    /// Form of the report: text, markdown for a ticket, json with a documented schema, html as one file for a browser
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_enum, default_value_t = ReportFormat::Text)]
    output: ReportFormat,

    /// Read a report in JSON, and say whether its inputs are the same ones still and say the same
    #[arg(long, value_name = "REPORT", value_hint = clap::ValueHint::FilePath, conflicts_with_all = ["words", "since", "until", "internal", "victim", "allow"])]
    verify: Option<PathBuf>,

    /// Memory for the rows that are looked at, as 500M or 8G [default: half of what there is]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
}

pub(super) const USUAL_TIMEOUT: &str = "300,60";

const HELP: &str = "\
A word that is an address or a prefix is a host; write ./10.0.0.1 for a file of that name. Each input is told of apart;
files of a log in one folder are one input.

Examples:
  flowdump investigate 203.0.113.66 logs/ attack.pcap
  flowdump investigate 10.77.4.0/24 logs/ --since 2024-03-12T15:00
  flowdump investigate --victim 10.77.4.20 logs/ -o html > report.html

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";

/// The options, for manual pages and completion.
pub(super) fn command() -> clap::Command {
    Words::command().name("investigate")
}

/// What is asked for.
#[derive(Debug)]
pub enum Investigation {
    /// A report on a case.
    Report(Box<Case>),
    /// Whether the report in this file still holds.
    Verify(PathBuf),
}

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// For a terminal.
    Text,
    /// For a ticket.
    Markdown,
    /// For programs.
    Json,
    /// For a browser.
    Html,
}

/// What to look at, and where.
#[derive(Debug)]
pub struct Case {
    /// The words of the command line behind `investigate`.
    pub words: Vec<String>,
    /// Hosts of interest.
    pub subject: Hosts,
    /// Hosts of one's own network.
    pub internal: Hosts,
    /// Those of interest that were attacked.
    pub victims: Hosts,
    /// Hosts that detectors say nothing of.
    pub allowed: Hosts,
    /// Files and folders.
    pub inputs: Vec<PathBuf>,
    /// Records of the subject.
    pub filter: Filter,
    /// These, and those that could be a way on from a host it reached.
    pub wider: Arc<Filter>,
    /// What `--since` and `--until` say.
    pub period: Period,
    /// The filter of that time, where it says anything.
    pub time_filter: Option<String>,
    /// What `-e` says.
    pub timeout: Option<String>,
    /// What the report is written as.
    pub output: ReportFormat,
    /// How captures are metered.
    pub meter: MeterOptions,
    /// Bytes that rows may take.
    pub memory: usize,
}

impl Investigation {
    /// Reads the words behind `investigate`; the text to print where they ask for help.
    ///
    /// # Errors
    /// When they are wrong, or name no host or no input.
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<std::result::Result<Self, String>> {
        let words: Vec<OsString> = words.into_iter().collect();
        let program = OsString::from("flowdump investigate");
        let all = std::iter::once(&program).chain(&words);
        let parsed = match complaint::parse::<Words>(all.cloned())? {
            Ok(parsed) => parsed,
            Err(text) => return Ok(Err(text)),
        };
        if let Some(report) = parsed.verify {
            return Ok(Ok(Self::Verify(report)));
        }
        let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Case::new(parsed, words).map(|case| Ok(Self::Report(Box::new(case))))
    }
}

impl Case {
    /// The case of these words, as a report has them.
    ///
    /// # Errors
    /// When they are wrong, or are none of a report.
    pub(crate) fn of(words: &[String]) -> Result<Self> {
        match Investigation::parse(words.iter().map(OsString::from))? {
            Ok(Investigation::Report(case)) => Ok(*case),
            _ => Err(Error::argument("investigate: the command in the report does not make one")),
        }
    }

    fn new(asked: Words, words: Vec<String>) -> Result<Self> {
        let (mut hosts, inputs) = hosts_and_inputs(asked.words);
        hosts.extend(&asked.victim);
        check_words(&hosts, &inputs)?;
        let period = period(asked.since.as_deref(), asked.until.as_deref())?;
        let subject = Hosts::new(hosts);
        let ports = ADMIN_PORTS.map(|port| port.to_string()).join(" ");
        let any = within(period, Filter::any())?;
        Ok(Self {
            words,
            internal: Hosts::internal().and(asked.internal).and(asked.victim.iter().copied()),
            victims: Hosts::new(asked.victim),
            allowed: Hosts::new(asked.allow),
            inputs,
            filter: within(period, filter(&subject.filter())?)?,
            wider: Arc::new(within(period, filter(&format!("{} or port in [{ports}]", subject.filter()))?)?),
            subject,
            period,
            time_filter: (period != (None, None)).then(|| any.to_string()),
            meter: MeterOptions::default().timeouts(&asked.timeout)?,
            timeout: (asked.timeout != USUAL_TIMEOUT).then_some(asked.timeout),
            output: asked.output,
            memory: memory::for_groups(asked.memory.as_deref())?,
        })
    }
}

fn filter(text: &str) -> Result<Filter> {
    Filter::parse(text).map_err(Error::from)
}

fn check_words(hosts: &[Prefix], inputs: &[PathBuf]) -> Result<()> {
    let what = match (hosts.is_empty(), inputs.is_empty()) {
        (true, _) => "host: name an address or a prefix",
        (_, true) => "input: name a capture, log or folder",
        _ => return Ok(()),
    };
    Err(Error::argument(format!("investigate: no {what}, as in 'flowdump investigate 203.0.113.66 logs/'")))
}

/// Words that are addresses or prefixes, and the others.
fn hosts_and_inputs(words: Vec<OsString>) -> (Vec<Prefix>, Vec<PathBuf>) {
    let (mut hosts, mut inputs) = (Vec::new(), Vec::new());
    for word in words {
        match word.to_str().and_then(|word| word.parse().ok()) {
            Some(host) => hosts.push(host),
            None => inputs.push(PathBuf::from(word)),
        }
    }
    (hosts, inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(words: &[&str]) -> Result<Case> {
        Case::of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn addresses_are_hosts_and_other_words_inputs() {
        let case = case(&["logs/", "203.0.113.66", "10.77.0.0/16", "./10.0.0.1"]).unwrap();
        assert_eq!(case.subject.to_string(), "203.0.113.66, 10.77.0.0/16");
        assert_eq!(case.inputs, ["logs/", "./10.0.0.1"].map(PathBuf::from));
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (words, why) in [
            (&["logs/"][..], "no host"),
            (&["10.0.0.1"], "no input"),
            (&["10.0.0.1", "logs/", "--since", "noon"], "--since noon: no time"),
            (&["10.0.0.1", "logs/", "--since", "2024-03-12", "--until", "2024-03-11"], "nothing is between"),
            (&["10.0.0.1", "logs/", "--internal", "home"], "is no address"),
        ] {
            let error = case(words).unwrap_err().to_string();
            assert!(error.contains(why), "{words:?}: {error}");
        }
    }
}
