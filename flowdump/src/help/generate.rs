//! `--generate`: the manual page and completion scripts, from the definitions of the options.
//!
//! Completion offers the values of an option too, which come from the tables that those are read by ([`values`]).

use std::str::FromStr;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell;
use flowcore::Error;

use super::values;
use crate::args::{Flags, subcommands};

/// What can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generated(What);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Of the program, or of one of its subcommands.
    ManPage(Option<&'static str>),
    Completion(Shell),
}

const NAMES: [(&str, What); 7] = [
    ("man", What::ManPage(None)),
    ("man-investigate", What::ManPage(Some("flowdump-investigate"))),
    ("man-correlate", What::ManPage(Some("flowdump-correlate"))),
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
            Error::argument(format!("choose one of {names}"))
        })
    }
}

/// Names of what can be generated.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

impl Generated {
    /// The page or script.
    pub(super) fn text(self) -> Vec<u8> {
        let mut text = Vec::new();
        match self.0 {
            // Writing to a vector does not fail.
            What::ManPage(name) => drop(clap_mangen::Man::new(for_manual(named(name))).render(&mut text)),
            What::Completion(shell) => {
                let mut command = for_completion(&Flags::command());
                clap_complete::generate(shell, &mut command, "flowdump", &mut text);
            }
        }
        text
    }
}

/// The program, or its subcommand that has a page of this name.
fn named(name: Option<&'static str>) -> Command {
    let subcommand = |name: &'static str| {
        let own = subcommands().into_iter().find(|command| name.ends_with(command.get_name()));
        own.map(|command| command.name(name))
    };
    name.and_then(subcommand).unwrap_or_else(Flags::command)
}

/// The command with the descriptions of all options: the renderer leaves out those that the short help does not have.
fn for_manual(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_short_help(false))
}

/// The command with the values of its options, and without options that are only there for old command lines.
fn for_completion(command: &Command) -> Command {
    let args = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().map(with_values);
    Command::new("flowdump").version(env!("CARGO_PKG_VERSION")).args(args).subcommands(subcommands())
}

fn with_values(arg: Arg) -> Arg {
    let (values, hint) = (values::of(arg.get_id().as_str()), values::hint(arg.get_id().as_str()));
    let arg = hint.into_iter().fold(arg, Arg::value_hint);
    if values.is_empty() { arg } else { arg.value_parser(PossibleValuesParser::new(values)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(name: &str) -> String {
        String::from_utf8(name.parse::<Generated>().unwrap().text()).unwrap()
    }

    #[test]
    fn every_option_of_the_manual_pages_is_described() {
        for (name, least) in [("man", 30), ("man-investigate", 8), ("man-correlate", 8)] {
            let page = text_of(name);
            let entries: Vec<&str> = page.split("\n.TP\n").skip(1).collect();
            assert!(entries.len() > least, "{name}: {}", entries.len());
            for entry in entries {
                let mut lines = entry.lines();
                let (option, about) = (lines.next().unwrap(), lines.next().unwrap_or_default());
                assert!(!about.is_empty() && !about.starts_with('.'), "{name} {option}: {about}");
            }
        }
    }

    #[test]
    fn completion_offers_values_that_are_read() {
        let script = text_of("complete-fish");
        for value in ["srcip", "ndjson", "zstd", "ibyte", "srcvlan", "pcapng", "complete-zsh", "never"] {
            assert!(script.contains(value), "{value}");
        }
        let command = Flags::command();
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            for value in values::of(arg.get_id().as_str()) {
                let option = format!("--{}={value}", arg.get_long().unwrap());
                assert!(command.clone().try_get_matches_from(["flowdump", &option]).is_ok(), "{option}");
            }
        }
    }

    #[test]
    fn every_option_is_in_every_text() {
        for name in NAMES.map(|(name, _)| name).into_iter().filter(|name| !name.starts_with("man-")) {
            let text = text_of(name).replace('\\', "");
            let own = subcommands().into_iter().flat_map(|command| {
                command
                    .get_arguments()
                    .filter_map(|arg| arg.get_long().map(str::to_owned))
                    .collect::<Vec<_>>()
            });
            for long in own.filter(|_| name != "man") {
                assert!(text.contains(&long), "{name}: --{long}");
            }
            for arg in Flags::command().get_arguments().filter(|arg| !arg.is_positional()) {
                let long = arg.get_long().unwrap();
                assert!(arg.is_hide_set() || text.contains(long), "{name}: --{long}");
            }
        }
        assert!(!text_of("complete-bash").contains("--by-start"));
        assert!("html".parse::<Generated>().unwrap_err().to_string().contains("complete-fish"));
    }
}
