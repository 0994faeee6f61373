//! Errors of the command line, in one line each that names the option and the way out.

use std::error::Error as _;
use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};
use flowcore::{Error, FilterError, Result};

/// Refuses options without anything in them, on the command line and in files alike: mostly a variable that is not set.
pub(super) fn of_empty(matches: &ArgMatches, command: &Command) -> Result<()> {
    let is_empty = |arg: &&Arg| {
        matches.get_raw(arg.get_id().as_str()).is_some_and(|mut values| values.any(OsStr::is_empty))
    };
    match command.get_arguments().find(is_empty) {
        Some(arg) => {
            let name = arg.get_long().unwrap_or_default();
            Err(Error::argument(format!("--{name} is empty: write a value, or leave the option out")))
        }
        None => Ok(()),
    }
}

/// What clap found wrong, as one of our errors.
pub(super) fn of(error: &clap::Error) -> Error {
    if let Some(cause) = error.source() {
        return match cause.downcast_ref::<FilterError>() {
            Some(error) => error.clone().into(),
            None => Error::argument(cause.to_string()),
        };
    }
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
    {
        return Error::argument(unknown(option, error.get(ContextKind::SuggestedArg)));
    }
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    Error::argument(text.strip_prefix("error: ").unwrap_or(text))
}

fn unknown(option: &str, suggestion: Option<&ContextValue>) -> String {
    if let Some((_, advice)) = OF_NFPCAPD.iter().find(|(other, _)| *other == option) {
        return format!("{option}: {advice}");
    }
    let nearest = match suggestion {
        Some(ContextValue::String(nearest)) => format!("did you mean {nearest}? "),
        _ => String::new(),
    };
    format!("{option}: no such option; {nearest}pcap2flow --help lists all")
}

/// Options of `nfpcapd` that we do not have, and what to use instead.
const OF_NFPCAPD: [(&str, &str); 10] = [
    ("-i", "live capture is not built in; tcpdump -i IF -w - | pcap2flow - -w OUT does it"),
    ("-p", "captures are not written; tcpdump -w FILE -G SECONDS keeps the packets"),
    ("-b", "there is no socket to have a buffer, as live capture is not built in; leave it out"),
    ("-E", "flows are not printed while they are metered; flowdump prints what was written"),
    ("-H", "flows are not sent to a host; write them to stdout with -w - and pipe that there"),
    ("-m", "there is no metric socket; --stats=json prints the counters"),
    ("-P", "there is no daemon and no pid file; leave it out"),
    ("-D", "there is no daemon; leave it out, or run it as a service of the system"),
    ("-u", "the user is not changed; run the program as that user"),
    ("-g", "the group is not changed; run the program as that group"),
];
