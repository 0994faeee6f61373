//! The command line: words as typed, then flags, then a plan with everything resolved.
//!
//! ```text
//! words -> words (values joined) -> flags (clap, with the words of a configuration file) -> plan
//!          complaint: what is wrong, in one line
//! ```

mod complaint;
mod config;
mod flags;
mod generate;
mod plan;
mod values;
mod words;

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches};
use flowcore::Result;

use flags::Flags;
pub(crate) use plan::{Output, Plan};
pub(crate) use values::StatsFormat;

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Convert(Box<Plan>),
    /// Print this to stdout: help or version.
    Print(String),
    /// There was no word at all.
    Usage(&'static str),
}

impl Request {
    /// Reads the words of a command line, the name of the program first.
    pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let words = words::join(words);
        if words.len() < 2 {
            return Ok(Self::Usage(USAGE));
        }
        match parse(words)? {
            Parsed::Flags(flags) => Ok(Self::Convert(Box::new(Plan::new(*flags)?))),
            Parsed::Print(text) => Ok(Self::Print(text)),
        }
    }
}

enum Parsed {
    Flags(Box<Flags>),
    Print(String),
}

fn parse(mut words: Vec<OsString>) -> Result<Parsed> {
    let command = Flags::command();
    let typed = match command.clone().try_get_matches_from(&words) {
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Parsed::Print(error.to_string()));
        }
        parsed => parsed.map_err(|error| complaint::of(&error))?,
    };
    complaint::of_empty(&typed, &command)?;
    let flags = |matches| Flags::from_arg_matches(matches).map_err(|error| complaint::of(&error));
    let first = flags(&typed)?;
    if let Some(what) = first.generate {
        return Ok(Parsed::Print(what.text()));
    }
    let Some(path) = first.config.as_deref().filter(|path| *path != Path::new("none")) else {
        return Ok(Parsed::Flags(Box::new(first)));
    };
    let configured = config::words(path, &command, &typed)?;
    drop(words.splice(1..1, configured));
    let all = command.try_get_matches_from(words).map_err(|error| {
        // Every word is good by itself; together they may not be.
        complaint::of(&error).in_input(path.display().to_string())
    })?;
    Ok(Parsed::Flags(Box::new(flags(&all)?)))
}

/// What is printed where nothing is asked for.
const USAGE: &str = "\
Usage: pcap2flow [OPTIONS] [CAPTURE]... -w <OUT>

  pcap2flow -r investigate.pcap -w investigate.flow     one flow file
  pcap2flow monday-*.pcap.gz -w flows/ -t 1h            one file an hour

pcap2flow --help lists all options
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn no_two_options_share_a_name() {
        let command = Flags::command();
        let mut names: Vec<String> = Vec::new();
        for arg in command.get_arguments() {
            names.extend(arg.get_short().map(|short| format!("-{short}")));
            names.extend(arg.get_long().map(|long| format!("--{long}")));
            names.extend(arg.get_all_aliases().unwrap_or_default().iter().map(|long| format!("--{long}")));
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
