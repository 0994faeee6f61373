//! Options from a file: lines `name = value` with the long names of options.
//!
//! Each line is checked by itself, so that an error says its file and line; the lines then stand before the words of the
//! command line. An option that is on the command line is left out of them: the command line wins.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id};
use flowcore::{Error, Position, Result};

use super::complaint;

/// The words that a file of options stands for, without those that the command line has itself.
///
/// # Errors
/// When the file cannot be read, or a line is no option or has a wrong value.
pub(super) fn words(path: &Path, command: &Command, typed: &ArgMatches) -> Result<Vec<OsString>> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Error::from(error).in_input(&name))?;
    let mut words = Vec::new();
    let mut seen = HashMap::new();
    for (line, number) in text.lines().zip(1_u64..) {
        let option = option(line, command).and_then(|option| match option {
            Some(option) => option.check(command, number, &mut seen).map(|()| Some(option)),
            None => Ok(None),
        });
        let option = option.map_err(|error| error.in_input(&name).at(Position::Line(number)))?;
        words.extend(option.filter(|option| !option.is_typed(typed)).map(|option| option.word()));
    }
    Ok(words)
}

/// A line that is an option.
struct ConfigOption<'a> {
    name: &'a str,
    value: Option<&'a str>,
    arg: &'a Arg,
}

/// The option of a line, unless that is empty or a comment.
fn option<'a>(line: &'a str, command: &'a Command) -> Result<Option<ConfigOption<'a>>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (name, value) = match line.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (line, None),
    };
    let arg = command.get_arguments().find(|arg| is_called(arg, name) && !NOT_HERE.contains(&name));
    let Some(arg) = arg else {
        let advice = "is no option of a configuration file; write the long name of one, without dashes";
        return Err(Error::argument(format!("{name} {advice}")));
    };
    Ok(Some(ConfigOption { name, value, arg }))
}

/// Whether this is the long name of an option, or another one that it has.
fn is_called(arg: &Arg, name: &str) -> bool {
    arg.get_long() == Some(name) || arg.get_all_aliases().is_some_and(|names| names.contains(&name))
}

impl<'a> ConfigOption<'a> {
    /// Whether the option may stand here and has a good value.
    fn check(&self, command: &Command, line: u64, seen: &mut HashMap<&'a Id, u64>) -> Result<()> {
        if let Some(first) = seen.insert(self.arg.get_id(), line)
            && !matches!(self.arg.get_action(), ArgAction::Append)
        {
            return Err(Error::argument(format!("{} is set in line {first} already", self.name)));
        }
        if self.is_switch() && !matches!(self.value, None | Some("" | "true" | "false")) {
            return Err(Error::argument(format!("{} is a switch: write true or false", self.name)));
        }
        let parsed = command.clone().try_get_matches_from(["pcap2flow".into(), self.word()]);
        complaint::of_empty(&parsed.map_err(|error| complaint::of(&error))?, command)
    }

    /// Whether the command line has the option, or one that stands for the same.
    fn is_typed(&self, typed: &ArgMatches) -> bool {
        let id = self.arg.get_id().as_str();
        let same: &[&str] = match id {
            "compress" => &["smallest", "lz4"],
            "read" => &["captures"],
            "quiet" => &["verbose"],
            "verbose" if typed.get_flag("quiet") => &["quiet"],
            _ => &[],
        };
        let mut ids = same.iter().copied().chain([id]);
        ids.any(|id| typed.value_source(id) == Some(ValueSource::CommandLine))
    }

    /// The option as a word of a command line.
    fn word(&self) -> OsString {
        match self.value {
            Some(value) => format!("--{}={value}", self.name).into(),
            None => format!("--{}", self.name).into(),
        }
    }

    fn is_switch(&self) -> bool {
        self.arg.get_possible_values().iter().any(|value| value.matches("false", false))
    }
}

/// Options of the command line alone; `compress` stands for two of them.
const NOT_HERE: [&str; 6] = ["config", "generate", "help", "lz4", "smallest", "version"];
