//! The text of a filter together with the files it includes: one text in which every place is a number, and the order
//! in which its parts are read.
//!
//! `@include` puts the words of a file where it stands, as in nfdump. In: an expression and where its files lie. Out:
//! tokens, whose places [`Script::locate`] turns back into a place of the expression or of a file.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::FilterError;
use super::lex::{self, Kind, Token};

/// An expression with all that it includes.
#[derive(Debug, Default)]
pub(super) struct Script {
    /// The expression, then the text of each included file.
    text: String,
    parts: Vec<Part>,
    /// Pieces of the text in the order in which they are read.
    order: Vec<Range<usize>>,
    /// Where names of files are looked up; without a folder no file is read.
    folder: Option<PathBuf>,
}

/// A text that was given or read as a whole.
#[derive(Debug)]
struct Part {
    place: Range<usize>,
    /// The file it was read from.
    file: Option<PathBuf>,
}

impl Script {
    /// Reads what an expression includes. `file` is where the expression itself is from; `folder` is where files are
    /// looked up that do not lie beside the file that names them.
    pub(super) fn new(text: &str, file: Option<&Path>, folder: Option<&Path>) -> Result<Self, FilterError> {
        let mut script = Self { folder: folder.map(Path::to_owned), ..Self::default() };
        let mut open = Vec::new();
        if let Some(file) = file {
            open.push(Open::new(file).unwrap_or_else(|_| Open::unnamed(file)));
        }
        script.add(text, file, &mut open)?;
        Ok(script)
    }

    /// The whole text, in which tokens have their places.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the expression ends, blanks left out.
    pub(super) fn end(&self) -> usize {
        let expression = self.parts.first().and_then(|part| self.text.get(part.place.clone()));
        expression.map_or(0, |text| text.trim_end().len())
    }

    /// The tokens in the order in which they are read.
    pub(super) fn tokens(&self) -> Result<Vec<Token<'_>>, FilterError> {
        let mut tokens = Vec::new();
        for piece in &self.order {
            lex::tokens(&self.text, piece.clone(), &mut tokens)?;
        }
        Ok(tokens)
    }

    /// The error with the part of the text that it is about.
    pub(super) fn locate(&self, error: FilterError) -> FilterError {
        let Some(part) = self.part_at(error.span().start) else { return error };
        let text = self.text.get(part.place.clone()).unwrap_or_default();
        let file = part.file.as_deref().map(|file| file.display().to_string());
        error.in_part(text, part.place.start, file.as_deref())
    }

    /// The file that is meant by a name that stands at this place: beside the file that names it, else in the folder of
    /// the script; `None` if no file may be read.
    pub(super) fn find(&self, at: usize, name: &str) -> Option<PathBuf> {
        let folder = self.folder.as_deref()?;
        let beside = self.part_at(at).and_then(|part| part.file.as_deref()?.parent());
        let near = beside.map(|beside| beside.join(name)).filter(|near| near.exists());
        Some(near.unwrap_or_else(|| folder.join(name)))
    }

    fn part_at(&self, at: usize) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.place.start <= at);
        after.checked_sub(1).and_then(|part| self.parts.get(part))
    }

    /// Adds a text and what it includes. The mark of UTF-8 that some editors put before a file is no part of it.
    fn add(&mut self, text: &str, file: Option<&Path>, open: &mut Vec<Open>) -> Result<(), FilterError> {
        let text = file.and_then(|_| text.strip_prefix('\u{feff}')).unwrap_or(text);
        let name = file.map(|file| file.display().to_string());
        let here = |error: FilterError| error.in_part(text, 0, name.as_deref());
        let start = self.push(text, file).map_err(here)?;
        let mut tokens = Vec::new();
        lex::tokens(text, 0..text.len(), &mut tokens).map_err(here)?;
        let mut read = 0;
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Include) {
            let Some(Token { kind: Kind::Word(name) | Kind::Quoted(name), span }) = tokens.get(at + 1) else {
                let error =
                    FilterError::new(text, token.span.clone(), "\"@include\" needs the name of a file");
                return Err(here(error.expected("@include FILE, or @include \"FILE\"")));
            };
            self.order.push(start + read..start + token.span.start);
            self.include(name, start, open).map_err(|problem| match problem {
                Refusal::Here(message, expected) => {
                    here(FilterError::new(text, span.clone(), message).expected(expected))
                }
                Refusal::Inside(error) => error,
            })?;
            read = span.end;
        }
        self.order.push(start + read..start + text.len());
        Ok(())
    }

    /// Adds a text as a part; where it begins in the whole.
    fn push(&mut self, text: &str, file: Option<&Path>) -> Result<usize, FilterError> {
        let start = self.text.len();
        if start.saturating_add(text.len()) > MAX_TEXT {
            let message = format!("the expression is longer than {} MiB", MAX_TEXT >> 20);
            return Err(FilterError::new(text, 0..0, message));
        }
        self.text.push_str(text);
        self.text.push('\n');
        self.parts.push(Part { place: start..start + text.len(), file: file.map(Path::to_owned) });
        Ok(start)
    }

    /// Adds the file that is named in the part that begins at `start`.
    fn include(&mut self, name: &str, start: usize, open: &mut Vec<Open>) -> Result<(), Refusal> {
        let Some(path) = self.find(start, name) else {
            return Err(Refusal::Here(NO_FILES.to_owned(), NO_FILES_EXPECTED));
        };
        let failed = |error: io::Error| Refusal::Here(unreadable(&path, &error), "");
        let opened = Open::new(&path).map_err(failed)?;
        self.refuse(&opened, open)?;
        let text = read_text(&path).map_err(failed)?;
        open.push(opened);
        self.add(&text, Some(&path), open).map_err(Refusal::Inside)?;
        open.pop();
        Ok(())
    }

    /// Why a file is not included in those that are open.
    fn refuse(&self, opened: &Open, open: &[Open]) -> Result<(), Refusal> {
        let refuse = |message: String| Err(Refusal::Here(message, ""));
        if let Some(first) = open.iter().position(|earlier| earlier.real == opened.real) {
            let chain = open.iter().skip(first).chain([opened]).map(|open| open.shown.as_str());
            let chain: Vec<&str> = chain.collect();
            return refuse(format!("{} includes itself: {}", opened.shown, chain.join(" -> ")));
        }
        let from_file = self.parts.first().is_some_and(|part| part.file.is_some());
        if open.len() >= MAX_DEPTH + usize::from(from_file) {
            return refuse(format!("files include each other more than {MAX_DEPTH} deep"));
        }
        if self.parts.len() > MAX_FILES {
            return refuse(format!("more than {MAX_FILES} files are included"));
        }
        Ok(())
    }
}

/// A file whose text is being added.
struct Open {
    /// The name as it was given.
    shown: String,
    /// The one path that this file has.
    real: PathBuf,
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { shown: path.display().to_string(), real: path.canonicalize()? })
    }

    /// A file that cannot be included again, such as standard input.
    fn unnamed(path: &Path) -> Self {
        Self { shown: path.display().to_string(), real: PathBuf::new() }
    }
}

/// Why a file is not included.
enum Refusal {
    /// What is wrong with the name, and what was expected.
    Here(String, &'static str),
    /// The error is in the file.
    Inside(FilterError),
}

/// What is wrong with a file that cannot be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> String {
    let text = error.to_string();
    let mut why = text.split(" (os error").next().unwrap_or_default().to_owned();
    if let Some(first) = why.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    format!("cannot read {}: {why}", path.display())
}

/// The text of a filter file.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_TEXT as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// Of a name of a file in an expression that may not read any.
pub(super) const NO_FILES: &str = "this filter may not read files";
/// The way out.
pub(super) const NO_FILES_EXPECTED: &str = "no \"@\" in this place";

/// Files within files that are followed, as in nfdump.
const MAX_DEPTH: usize = 10;
/// Files that are included in all.
const MAX_FILES: usize = 1_000;
/// Bytes of the expression and all that it includes.
const MAX_TEXT: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, FilterParser};
    use std::fs;

    /// A folder that is gone at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("flowcore-script-{name}-{}", std::process::id()));
            for (name, text) in files {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        fn parse(&self, text: &str) -> Result<Filter, FilterError> {
            Filter::parse_with_files(text, &self.0)
        }

        /// The message with the folder's name left out.
        fn message(&self, text: &str) -> String {
            let folder = format!("{}/", self.0.display());
            self.parse(text).unwrap_err().to_string().replace(&folder, "")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn files_are_put_where_they_are_named() {
        let folder = Folder::new(
            "put",
            &[
                ("web.nf", "port in [80 443] # ends here"),
                ("sub/a.nf", "tcp and\n@include b.nf"),
                ("sub/b.nf", "ip in @list.txt or @include web.nf"),
                ("sub/list.txt", "192.0.2.1, 2001:db8::/32"),
                ("numbers.nf", "22 23"),
                ("empty.nf", " # nothing"),
            ],
        );
        let text = folder.parse("udp or @include sub/a.nf and any").unwrap().to_string();
        let list = folder.0.join("sub/list.txt");
        assert_eq!(text, format!("udp or tcp and ip in [@{}] or port in [80 443] and any", list.display()));
        assert_eq!(
            folder.parse("port in [@include numbers.nf 24]").unwrap().to_string(),
            "port in [22 23 24]"
        );
        assert_eq!(folder.parse("@include 'empty.nf' tcp @include empty.nf").unwrap().to_string(), "tcp");
        let file = folder.0.join("sub/a.nf");
        let filter = FilterParser::new().files_in(&folder.0).parse_file(&file).unwrap();
        assert!(filter.to_string().starts_with("tcp and ip in [@"));
        assert_eq!(filter.expression(), "tcp and\n@include b.nf");
    }

    #[test]
    fn errors_are_shown_in_their_file() {
        let folder = Folder::new(
            "errors",
            &[
                ("a.nf", "tcp and\n  dst prot 22"),
                ("b.nf", "udp\nor @include a.nf"),
                ("open.nf", "port in [80"),
                ("half.nf", "\nport"),
                ("quote.nf", "\n\nident 'x"),
                ("values.nf", "ip in @bad.txt"),
                ("bad.txt", "10.0.0.1\n10.0.0.300 # large\n"),
            ],
        );
        assert!(folder.message("any or @include b.nf").starts_with(
            "filter: a.nf: line 2: unknown field \"prot\"\n      dst prot 22\n          ^^^^ expected"
        ));
        assert!(
            folder.message("@include open.nf").starts_with("filter: open.nf: line 1: this \"[\" is never")
        );
        assert!(folder.message("@include quote.nf").starts_with("filter: quote.nf: line 3: the quote"));
        assert!(folder.message("@include values.nf").starts_with(
            "filter: bad.txt: line 2: 10.0.0.300 is not an IP address: 300 is larger than 255\n    10.0.0.300 # large\n"
        ));
        // What is missing is missing where the words end, which is after the file.
        assert!(folder.message("@include half.nf").contains("needs a value"));
        assert_eq!(
            folder.message("tcp and\nport in @none.txt"),
            "filter: cannot read none.txt: no such file or directory\n    port in @none.txt\n            ^^^^^^^^^"
        );
        assert!(folder.message("@include none.nf").contains("cannot read none.nf: no such file"));
        assert!(folder.message("tcp @include").contains("needs the name of a file"));
        assert!(folder.message("ip in @.").contains("cannot read"));
    }

    #[test]
    fn the_mark_of_utf_8_before_a_file_is_no_part_of_it() {
        let folder = Folder::new(
            "mark",
            &[
                ("a.nf", "\u{feff}tcp and @include b.nf"),
                ("b.nf", "\u{feff}port 80"),
                ("c.nf", "\u{feff}port 80x"),
            ],
        );
        assert_eq!(folder.parse("@include a.nf or udp").unwrap().to_string(), "tcp and port 80 or udp");
        let parser = FilterParser::new().files_in(&folder.0);
        assert_eq!(parser.parse_file(folder.0.join("a.nf")).unwrap().to_string(), "tcp and port 80");
        assert!(folder.message("@include c.nf").contains("c.nf: line 1: \"x\" is not a unit"));
        assert!(
            folder
                .message("@include c.nf")
                .ends_with("    port 80x\n         ^^^ expected a port from 0 to 65535")
        );
        assert!(parser.parse("\u{feff}tcp").is_err(), "an expression is no file");
    }

    #[test]
    fn regular_expressions_are_read_from_files() {
        let folder = Folder::new(
            "regex",
            &[("rx.txt", "'^GET /[a-z]{1,3}' # quoted\n(?i)post\n"), ("bad.txt", "fine\n'(x'\n")],
        );
        let filter = folder.parse("payload regex in @rx.txt").unwrap();
        let flow = |payload: &str| {
            let mut flow = crate::record::Flow::default();
            flow.set(crate::record::Field::InPayload, payload.into());
            flow
        };
        let matches = ["GET /abc", "GET /1", "a post"].map(|payload| filter.matches(&flow(payload)));
        assert_eq!(matches, [true, false, true]);
        assert_eq!(
            folder.message("payload regex not in ['a' @bad.txt]").split(" expected").next(),
            Some(
                "filter: bad.txt: line 2: the regular expression is wrong: unclosed group\n    '(x'\n     ^^"
            )
        );
    }

    #[test]
    fn names_and_units_in_a_message_keep_their_letters() {
        let large = io::Error::new(io::ErrorKind::FileTooLarge, "The file is larger than 2 GiB");
        assert_eq!(
            unreadable(Path::new("A.txt"), &large),
            "cannot read A.txt: the file is larger than 2 GiB"
        );
        assert_eq!(unreadable(Path::new("x"), &io::Error::other("")), "cannot read x: ");
    }

    #[test]
    fn files_that_include_themselves_are_refused() {
        let folder = Folder::new(
            "cycle",
            &[
                ("a.nf", "@include b.nf"),
                ("b.nf", "tcp or @include sub/c.nf"),
                ("sub/c.nf", "any and @include ../a.nf"),
            ],
        );
        let message = folder.message("@include a.nf");
        assert!(
            message.contains("sub/c.nf: line 1: sub/../a.nf includes itself: a.nf -> b.nf -> sub/c.nf -> ")
        );
        let error = FilterParser::new().files_in(&folder.0).parse_file(folder.0.join("a.nf")).unwrap_err();
        assert!(error.to_string().contains("includes itself"), "{error}");
    }

    #[test]
    fn depth_and_number_of_files_are_bounded() {
        let deep: Vec<(String, String)> =
            (0..12).map(|n| (format!("{n}.nf"), format!("@include {}.nf", n + 1))).collect();
        let mut files: Vec<(&str, &str)> = deep.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        files.push(("12.nf", "any"));
        let double = ["@include x0.nf or @include x0.nf", "any"];
        let wide: Vec<(String, String)> = (0..10)
            .map(|n| (format!("w{n}.nf"), format!("@include w{}.nf or ", n + 1).repeat(4) + "any"))
            .collect();
        files.extend(wide.iter().map(|(a, b)| (a.as_str(), b.as_str())));
        files.extend([("w10.nf", "any"), ("x.nf", double[0]), ("x0.nf", double[1])]);
        let folder = Folder::new("depth", &files);
        assert!(folder.parse("@include 3.nf").is_ok());
        assert!(folder.message("@include 2.nf").contains("more than 10 deep"));
        assert!(folder.parse("@include x.nf").is_ok());
        assert!(folder.message("@include w1.nf").contains("more than 1000 files"));
    }

    #[test]
    fn without_a_folder_no_file_is_read() {
        for text in ["@include a.nf", "ip in @/etc/hosts", "port in [80 @'x']"] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.message(), NO_FILES, "{text}");
            assert!(error.expected_here().contains("in this place"));
        }
        assert!(Filter::parse("ident '@x' and ident in ['@y']").is_ok());
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        let error = Filter::parse(&" ".repeat(MAX_TEXT + 1)).unwrap_err();
        assert!(error.message().contains("longer than 64 MiB"));
    }
}
