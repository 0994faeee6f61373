//! `--generate`: the manual page and completion scripts, from the definitions of the options.

use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::Shell;
use flowcore::Error;
use flowcore::format::COMPRESSIONS;

use super::flags::Flags;

/// What can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generated(What);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    ManPage,
    Completion(Shell),
}

const NAMES: [(&str, What); 5] = [
    ("man", What::ManPage),
    ("complete-bash", What::Completion(Shell::Bash)),
    ("complete-zsh", What::Completion(Shell::Zsh)),
    ("complete-fish", What::Completion(Shell::Fish)),
    ("complete-powershell", What::Completion(Shell::PowerShell)),
];

impl FromStr for Generated {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = NAMES.iter().find(|(name, _)| *name == text);
        known.map(|(_, what)| Self(*what)).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name).join(", ");
            Error::argument(format!("--generate {text}: choose one of {names}"))
        })
    }
}

impl Generated {
    /// The page or script.
    pub(super) fn text(self) -> String {
        let mut text = Vec::new();
        match self.0 {
            // Writing to a vector does not fail.
            What::ManPage => drop(clap_mangen::Man::new(for_manual(Flags::command())).render(&mut text)),
            What::Completion(shell) => {
                let mut command = for_completion(&Flags::command());
                clap_complete::generate(shell, &mut command, "pcap2flow", &mut text);
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// The command with the descriptions of all options: the renderer leaves out those that the short help does not have.
fn for_manual(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_short_help(false))
}

/// The command with the values of its options, and without options that no help shows.
fn for_completion(command: &Command) -> Command {
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().map(with_values);
    let command = Command::new("pcap2flow").version(env!("CARGO_PKG_VERSION"));
    command.disable_help_flag(true).disable_version_flag(true).args(args)
}

fn with_values(arg: Arg) -> Arg {
    let (values, hint) = (values_of(arg.get_id().as_str()), hint_of(arg.get_id().as_str()));
    let arg = hint.into_iter().fold(arg, Arg::value_hint);
    if values.is_empty() { arg } else { arg.value_parser(PossibleValuesParser::new(values)) }
}

/// The words that an option takes, or the first part of them; none for options that take no names.
fn values_of(option: &str) -> Vec<&'static str> {
    match option {
        "tunnel" => vec!["inner", "outer"],
        "key" => vec!["vlan", "mac", "tunnel"],
        "options" => vec!["fat", "payload"],
        "format" => vec!["flow", "nfdump"],
        "subdir" => vec!["0", "1", "2", "3", "4", "5", "6", "7", "8"],
        "tz" => vec!["utc", "local"],
        "compress" => COMPRESSIONS.to_vec(),
        "stats" => vec!["table", "json"],
        "verbose" => vec!["0", "1", "2", "3", "4"],
        "generate" => NAMES.map(|(name, _)| name).to_vec(),
        _ => Vec::new(),
    }
}

/// What is named by an option that takes a path, where it is more than any path, or no path at all.
fn hint_of(option: &str) -> Option<ValueHint> {
    match option {
        "captures" | "read" | "config" => Some(ValueHint::FilePath),
        "write" => Some(ValueHint::AnyPath),
        "filter" | "snaplen" | "dedup" | "timeout" | "cache" | "rotate" | "ident" | "workers" => {
            Some(ValueHint::Other)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_the_manual_page_is_described() {
        let page = "man".parse::<Generated>().unwrap().text();
        let entries: Vec<&str> = page.split("\n.TP\n").skip(1).collect();
        assert!(entries.len() > 20);
        for entry in entries {
            let mut lines = entry.lines();
            let (option, about) = (lines.next().unwrap(), lines.next().unwrap_or_default());
            assert!(!about.is_empty() && !about.starts_with('.'), "{option}: {about}");
        }
    }

    #[test]
    fn completion_offers_values_that_are_read() {
        let command = Flags::command();
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let id = arg.get_id().as_str();
            let has_own = !arg.get_possible_values().is_empty();
            assert!(has_own || !values_of(id).is_empty() || hint_of(id).is_some(), "{id}");
            for value in values_of(id) {
                let option = format!("--{}={value}", arg.get_long().unwrap());
                assert!(command.clone().try_get_matches_from(["pcap2flow", &option]).is_ok(), "{option}");
            }
        }
        let script = "complete-fish".parse::<Generated>().unwrap().text();
        assert!(["tunnel", "payload", "zstd", "local"].iter().all(|value| script.contains(value)));
    }

    #[test]
    fn every_option_is_in_every_text() {
        for (name, _) in NAMES {
            let text = name.parse::<Generated>().unwrap().text().replace('\\', "");
            for arg in Flags::command().get_arguments().filter(|arg| !arg.is_positional()) {
                let long = arg.get_long().unwrap();
                assert!(arg.is_hide_set() || text.contains(long), "{name}: --{long}");
            }
        }
        let error = "html".parse::<Generated>().unwrap_err().to_string();
        assert!(error.starts_with("--generate html: ") && error.contains("complete-fish"), "{error}");
    }
}
