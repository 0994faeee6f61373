//! `flowdump investigate HOST... INPUT...`: its options, and the case that they make.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser};
use flowcore::analysis::{ADMIN_PORTS, Hosts, Prefix};
use flowcore::{Error, Filter, Result, Timestamp};
use pcap2flow::MeterOptions;

use super::plan::Period;
use super::window::{Window, now};
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
    #[arg(value_name = "HOST|INPUT", required = true)]
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

    /// Active and idle timeout in seconds for captures
    #[arg(short = 'e', long = "timeout", value_name = "ACTIVE,IDLE", default_value = "300,60")]
    timeout: String,

    /// Memory for the rows that are looked at, as 500M or 8G [default: half of what there is]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
}

const HELP: &str = "\
A word that is an address or a prefix is a host; write ./10.0.0.1 for a file of that name. Each input is told of apart.

Examples:
  flowdump investigate 203.0.113.66 logs/ attack.pcap
  flowdump investigate 10.77.4.0/24 logs/ --since 2024-03-12T15:00

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";

/// What to look at, and where.
#[derive(Debug)]
pub struct Case {
    /// Hosts of interest.
    pub subject: Hosts,
    /// Hosts of one's own network.
    pub internal: Hosts,
    /// Files and folders, each a source of its own.
    pub inputs: Vec<PathBuf>,
    /// Records of the subject.
    pub filter: Filter,
    /// These, and those that could be a way on from a host it reached.
    pub wider: Arc<Filter>,
    /// What `--since` and `--until` say.
    pub period: Period,
    /// How captures are metered.
    pub meter: MeterOptions,
    /// Bytes that rows may take.
    pub memory: usize,
}

impl Case {
    /// Reads the words behind `investigate`; the text to print where they ask for help.
    ///
    /// # Errors
    /// When they are wrong, or name no host or no input.
    pub(super) fn parse(
        words: impl IntoIterator<Item = OsString>,
    ) -> Result<std::result::Result<Self, String>> {
        let program = OsString::from("flowdump investigate");
        let matches = match Words::command().try_get_matches_from(std::iter::once(program).chain(words)) {
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
                return Ok(Err(error.to_string()));
            }
            parsed => parsed.map_err(|error| complaint::of(&error))?,
        };
        let words = Words::from_arg_matches(&matches).map_err(|error| complaint::of(&error))?;
        Self::new(words).map(Ok)
    }

    fn new(words: Words) -> Result<Self> {
        let (hosts, inputs) = hosts_and_inputs(words.words);
        if hosts.is_empty() || inputs.is_empty() {
            let what = if hosts.is_empty() {
                "host: name an address or a prefix"
            } else {
                "input: name a capture, log or folder"
            };
            return Err(Error::argument(format!(
                "investigate: no {what}, as in 'flowdump investigate 203.0.113.66 logs/'"
            )));
        }
        let time =
            |option, text: &Option<String>| text.as_deref().map(|text| moment(option, text)).transpose();
        let period = (time("--since", &words.since)?, time("--until", &words.until)?);
        let subject = Hosts::new(hosts);
        let filter = within(period, &subject.filter())?;
        let ports = ADMIN_PORTS.map(|port| port.to_string()).join(" ");
        let wider = within(period, &format!("{} or port in [{ports}]", subject.filter()))?;
        Ok(Self {
            internal: Hosts::internal().and(words.internal),
            subject,
            inputs,
            filter,
            wider: Arc::new(wider),
            period,
            meter: MeterOptions::default().timeouts(&words.timeout)?,
            memory: memory::for_groups(words.memory.as_deref())?,
        })
    }
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

fn moment(option: &str, text: &str) -> Result<Timestamp> {
    match Window::parse(text, now()).map(Window::ends) {
        Ok((Some(time), None)) => Ok(time),
        _ => Err(Error::argument(format!("{option} {text}: no time; write 2024-03-12T15:00 or 2024-03-12"))),
    }
}

fn within((since, until): Period, filter: &str) -> Result<Filter> {
    let filter = Filter::parse(filter).map_err(Error::from)?;
    if since.is_none() && until.is_none() {
        return Ok(filter);
    }
    if since > until && until.is_some() {
        return Err(Error::argument("investigate: --until is before --since: nothing is between them"));
    }
    Window::Between(since, until).and(&filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(words: &[&str]) -> Result<Case> {
        Case::parse(words.iter().map(OsString::from)).map(|case| case.unwrap())
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
