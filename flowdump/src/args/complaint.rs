//! Errors of the command line, in one line each that names the option and the way out.

use std::error::Error as _;
use std::ffi::OsString;
use std::num::ParseIntError;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use flowcore::{Error, Result};

use super::Flags;

/// The options that the words of a command line say, the program's name first; the text to print where they ask for help
/// or version.
///
/// # Errors
/// When a word is no option, or the value of one is wrong.
pub(super) fn parse<T: Parser>(
    words: impl IntoIterator<Item = OsString>,
) -> Result<std::result::Result<T, String>> {
    let command = T::command();
    let name = command.get_name().to_owned();
    let complain = |error: clap::Error| of(&name, &error);
    let matches = match command.try_get_matches_from(words) {
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Err(error.to_string()));
        }
        parsed => parsed.map_err(complain)?,
    };
    T::from_arg_matches(&matches).map(Ok).map_err(complain)
}

/// What clap found wrong with words for this command, as one of our errors.
fn of(command: &str, error: &clap::Error) -> Error {
    if let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
    {
        return Error::argument(unknown(command, option, error.get(ContextKind::SuggestedArg)));
    }
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        let names: Vec<&str> = missing.iter().map(|name| name.trim_matches(['<', '>', '.'])).collect();
        return Error::argument(format!("not given: {}", names.join(", ")));
    }
    if let Some(cause) = error.source()
        && let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
        && let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
    {
        let option = option.split(' ').next().unwrap_or(option);
        let why = match cause.is::<ParseIntError>() {
            true => "write a whole number, 0 or more".to_owned(),
            false => cause.to_string(),
        };
        return Error::argument(format!("{option} {value}: {why}"));
    }
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default();
    Error::argument(text.strip_prefix("error: ").unwrap_or(text))
}

/// Refuses what is accepted for nfdump's command lines only where it says nothing.
///
/// # Errors
/// When a file is named that would have to be read.
pub(super) fn of_ignored(flags: &Flags) -> Result<()> {
    let named = |file: &Option<String>| file.as_deref().is_some_and(|file| file != "none");
    if named(&flags.config) {
        return Err(Error::argument("-C: no configuration file is read; leave it out, or write -C none"));
    }
    if named(&flags.geo) {
        return Err(Error::argument("-G: no geo database is read; leave it out, or write -G none"));
    }
    Ok(())
}

fn unknown(command: &str, option: &str, suggestion: Option<&ContextValue>) -> String {
    let mut of_nfdump = OF_NFDUMP.iter().filter(|_| command == "flowdump");
    if let Some((_, advice)) = of_nfdump.find(|(other, _)| *other == option) {
        return format!("{option} of nfdump is not supported: {advice}");
    }
    let nearest = match suggestion {
        Some(ContextValue::String(nearest)) => format!("did you mean {nearest}? "),
        _ => String::new(),
    };
    format!("{option}: no such option; {nearest}{command} --help lists all")
}

/// Options of `nfdump` that we do not have, and what to use instead.
const OF_NFDUMP: [(&str, &str); 10] = [
    ("-D", "names are never looked up; write addresses, or a list of them as 'ip in @FILE'"),
    ("-E", "-s exporterid counts the records of each exporter, -v FILE shows its sequence failures"),
    ("-J", "write the file anew: -r OLD -w NEW.nf -z=METHOD, with lzo, lz4, bz2, zstd or none"),
    ("-K", "addresses are not made anonymous"),
    ("-L", "use a filter: 'bytes > N'"),
    ("-S", "-s record is what it was"),
    ("-T", "records have no tags; --help-fields lists what they have"),
    ("-i", "files are not changed in place; pcap2flow -I NAME names a recording when it is made"),
    ("-l", "use a filter: 'packets > N'"),
    ("-x", "-v FILE says what is in a file, and what of it is not understood"),
];

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn message(words: &[&str]) -> String {
        let words = std::iter::once("flowdump").chain(words.iter().copied()).map(OsString::from);
        Flags::parse(words).unwrap_err().to_string()
    }

    #[test]
    fn options_of_nfdump_that_are_not_here_say_what_is() {
        for (option, advice) in OF_NFDUMP {
            let said = message(&["-r", "a", option, "3"]);
            assert_eq!(said, format!("{option} of nfdump is not supported: {advice}"));
        }
        assert!(message(&["-C", "nfdump.conf"]).contains("-C none"));
        assert!(message(&["-G", "geo.db"]).contains("-G none"));
    }

    #[test]
    fn a_wrong_option_gets_the_nearest() {
        assert_eq!(
            message(&["--quite"]),
            "--quite: no such option; did you mean --quiet? flowdump --help lists all"
        );
        assert_eq!(message(&["-@"]), "-@: no such option; flowdump --help lists all");
        let said = message(&["-c", "many"]);
        assert!(said.starts_with("--limit many: ") || said.starts_with("-c many: "), "{said}");
    }
}
