//! What a command line asks for: records to be read, or a text to be printed, for which nothing has to be there.

use std::ffi::OsString;

use flowcore::{Filter, Result};

use super::inputs::inputs_and_filter;
use super::{Comparison, Flags, Investigation, Plan, complaint, words};
use crate::help;

/// What to do.
#[derive(Debug)]
pub enum Request {
    /// Print this to stdout: help, a reference page, a manual page, a completion script.
    Print(Vec<u8>),
    /// Say that the filter is right.
    Check,
    /// Print the tree of the filter.
    ShowTree(Filter),
    /// Say how the plan would be carried out.
    Explain(Box<Plan>),
    /// Carry out the plan.
    Run(Box<Plan>),
    /// Say what hosts did.
    Investigate(Investigation),
    /// Compare two vantage points.
    Correlate(Box<Comparison>),
}

impl Request {
    /// Reads the words of a command line, the program's name first.
    ///
    /// # Errors
    /// When they are wrong, each by itself or together.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self> {
        let mut words = words.into_iter();
        let first: Vec<OsString> = words.by_ref().take(2).collect();
        if first.get(1).is_some_and(|word| word == "investigate") {
            return Ok(match Investigation::parse(words)? {
                Ok(asked) => Self::Investigate(asked),
                Err(text) => Self::Print(text.into_bytes()),
            });
        }
        if first.get(1).is_some_and(|word| word == "correlate") {
            return Ok(match Comparison::parse(words)? {
                Ok(asked) => Self::Correlate(Box::new(asked)),
                Err(text) => Self::Print(text.into_bytes()),
            });
        }
        let flags = match Flags::parse(first.into_iter().chain(words))? {
            Ok(flags) => flags,
            Err(text) => return Ok(Self::Print(text.into_bytes())),
        };
        if let Some(text) = help::asked(&flags) {
            return Ok(Self::Print(text));
        }
        if flags.show_tree || flags.check_filter {
            let (_, filter) = inputs_and_filter(&flags)?;
            return Ok(if flags.show_tree { Self::ShowTree(filter) } else { Self::Check });
        }
        let explain = flags.explain;
        let plan = Box::new(Plan::new(flags)?);
        Ok(if explain { Self::Explain(plan) } else { Self::Run(plan) })
    }
}

impl Flags {
    /// Reads the words of a command line, the program's name first; the text to print where they ask for help or
    /// version.
    ///
    /// # Errors
    /// When a word is no option, or the value of one is wrong.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<std::result::Result<Self, String>> {
        let mut flags = match complaint::parse::<Self>(words::join(words))? {
            Ok(flags) => flags,
            Err(text) => return Ok(Err(text)),
        };
        if flags.by_start && flags.order.is_none() {
            flags.order = Some("tstart".to_owned());
        }
        complaint::of_ignored(&flags)?;
        Ok(Ok(flags))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn every_option_has_a_long_name_and_no_two_share_one() {
        let command = Flags::command();
        let mut names: Vec<String> = Vec::new();
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            assert!(arg.get_long().is_some(), "{arg} has no long name");
            names.extend(arg.get_short().map(|short| format!("-{short}")));
            names.extend(arg.get_long().map(|long| format!("--{long}")));
            names.extend(arg.get_all_aliases().unwrap_or_default().iter().map(|long| format!("--{long}")));
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    fn request(words: &[&str]) -> Result<Request> {
        Request::parse(std::iter::once("flowdump").chain(words.iter().copied()).map(OsString::from))
    }

    #[test]
    fn a_filter_is_checked_without_an_input() {
        assert!(matches!(request(&["-Z", "tcp"]), Ok(Request::Check)));
        assert!(matches!(request(&["-Z"]), Ok(Request::Check)));
        assert!(matches!(request(&["-X", "tcp", "or", "udp"]), Ok(Request::ShowTree(_))));
        assert!(matches!(request(&["-ZX", "-r", "no-such-file", "tcp"]), Ok(Request::ShowTree(_))));
        assert!(request(&["-Z", "prot tcp"]).unwrap_err().to_string().contains("proto"));
    }

    #[test]
    fn the_old_letter_for_the_order_of_time_is_taken() {
        let order = |words: &[&str]| {
            let words = ["flowdump", "-r", "-"].iter().chain(words).map(OsString::from);
            Flags::parse(words).unwrap().unwrap().order
        };
        assert_eq!(order(&["-m"]).as_deref(), Some("tstart"));
        assert_eq!(order(&["-m", "-O", "bytes"]).as_deref(), Some("bytes"));
        assert_eq!(order(&[]), None);
    }
}
