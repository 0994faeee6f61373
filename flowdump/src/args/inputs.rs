//! What is read: which words are inputs and which are the filter, and how inputs are recognised.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use flowcore::filter::FilterParser;
use flowcore::{Detection, Error, Filter, Format, Result};

use super::Flags;
use super::range::{self, Named};

/// Which words are inputs and which are the filter: with `-r` or `-R` all words are the filter, as in nfdump;
/// without, the leading words that exist are inputs. Words behind `--` are the filter in any case.
pub(super) fn inputs_and_filter(flags: &Flags) -> Result<(Named, Filter)> {
    let mut named = range::inputs(&flags.read, &flags.read_range, flags.read_folders.as_deref())?;
    let mut words = flags.words.as_slice();
    let by_options = !named.inputs.is_empty();
    if !by_options {
        let all = flags.filter.is_some() || flags.filter_file.is_some() || !flags.filter_words.is_empty();
        let leading = words.iter().take_while(|word| all || is_input(word)).count();
        named.inputs = words[..leading].iter().map(PathBuf::from).collect();
        words = &words[leading..];
    }
    let given = given_filter(flags, words)?;
    match given.parse() {
        Ok(filter) => Ok((named, filter)),
        Err(error) if !matches!(given, Given::Text(_)) => Err(error),
        Err(error) => Err(match words.first() {
            Some(word) if by_options && is_input(word) => {
                let advice = "with -r or -R all other words are the filter; give it -r too";
                Error::argument(advice).in_input(word.display().to_string())
            }
            Some(word) if word.to_str().is_none_or(looks_like_path) => {
                Error::from(std::io::Error::from_raw_os_error(ENOENT)).in_input(word.display().to_string())
            }
            _ => error,
        }),
    }
}

/// "No such file or directory", as the system says it for every other missing file.
const ENOENT: i32 = 2;

/// A filter as it was given.
enum Given {
    Text(String),
    File(PathBuf),
    Stdin,
}

impl Given {
    /// Names of files in it are looked up beside the file that names them, else in the working directory.
    fn parse(&self) -> Result<Filter> {
        let parser = FilterParser::new().files_in("");
        Ok(match self {
            Self::Text(text) => parser.parse(text)?,
            Self::File(path) => parser.parse_file(path)?,
            Self::Stdin => {
                let text = std::io::read_to_string(std::io::stdin());
                parser.parse_from("stdin", &text.map_err(|error| Error::from(error).in_input("stdin"))?)?
            }
        })
    }
}

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::File(path) => write!(f, "the one in {}", path.display()),
            Self::Stdin => f.write_str("the one on standard input"),
        }
    }
}

fn given_filter(flags: &Flags, words: &[OsString]) -> Result<Given> {
    let file = flags.filter_file.as_ref().map(|path| match path.as_path() {
        path if path == Path::new("-") => Given::Stdin,
        path => Given::File(path.to_owned()),
    });
    let joined = |words: &[OsString]| {
        let words = words.iter().map(|word| word.to_string_lossy());
        (words.len() > 0).then(|| Given::Text(words.collect::<Vec<_>>().join(" ")))
    };
    let text = flags.filter.clone().map(Given::Text);
    let mut given = [text, file, joined(words), joined(&flags.filter_words)].into_iter().flatten();
    let filter = given.next().unwrap_or_else(|| Given::Text(String::new()));
    match given.next() {
        None => Ok(filter),
        Some(second) => Err(Error::argument(format!("two filters: {filter} and {second}; give one"))),
    }
}

/// Whether a word names an input.
pub(super) fn is_input(word: &OsStr) -> bool {
    word == "-" || Path::new(word).exists()
}

/// Whether a word that is no filter was probably meant as a file.
fn looks_like_path(word: &str) -> bool {
    let last = word.rsplit('/').next().unwrap_or(word);
    let has_suffix = last.rsplit_once('.').is_some_and(|(stem, suffix)| {
        !stem.is_empty() && suffix.bytes().any(|b| b.is_ascii_alphabetic()) && !suffix.contains(' ')
    });
    !word.contains(' ') && (word.contains('/') && word.parse::<flowcore::Addr>().is_err() || has_suffix)
}

/// Text without header line is a log where its columns are named.
pub(super) fn detection(flags: &Flags) -> Result<Detection> {
    match &flags.format {
        Some(name) => name.parse().map(Detection::Fixed).map_err(|()| {
            let names = Format::ALL.map(Format::name).join(", ");
            Error::argument(format!("--format {name}: no such input format; choose one of {names}"))
        }),
        None if flags.vpc_fields.is_some() => Ok(Detection::BytesOr(Format::Vpc)),
        None => Ok(Detection::Bytes),
    }
}

/// What several files are called: by the first of them, so that the name fits into a table.
pub(crate) fn name_of(paths: &[PathBuf]) -> String {
    let name = paths.first().map_or_else(String::new, |path| path.display().to_string());
    match paths.len().saturating_sub(1) {
        0 => name,
        more => format!("{name} + {more}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_look_like_files() {
        for word in ["flwos.nf", "logs/2023", "./x", "a.log.gz"] {
            assert!(looks_like_path(word), "{word}");
        }
        for word in ["ip", "10.0.0.1", "port 80", "bytes>1.5", "dst prot 22"] {
            assert!(!looks_like_path(word), "{word}");
        }
    }
}
