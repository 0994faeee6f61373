//! The command line resolved: paths that exist, a filter that parses, formats that are known.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use flowcore::format::flow::BlockCompression;
use flowcore::format::vpc::{VpcOptions, parse_fields};
use flowcore::{Detection, Error, Field, FieldSet, Filter, Format, Result};
use pcap2flow::MeterOptions;

use super::Flags;
use crate::order::Order;
use crate::print::Template;

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// Files and folders; `-` is stdin.
    pub inputs: Vec<PathBuf>,
    /// Which records.
    pub filter: Arc<Filter>,
    /// How the inputs' formats are found.
    pub detection: Detection,
    /// How VPC logs are read.
    pub vpc: VpcOptions,
    /// How captures are metered.
    pub meter: MeterOptions,
    /// Matching records after which reading stops.
    pub limit: Option<u64>,
    /// Sorting of the list.
    pub order: Option<Order>,
    /// Records printed after sorting; `None` for all.
    pub top: Option<usize>,
    /// Totals only.
    pub info: bool,
    /// Text format of the list.
    pub output: OutputFormat,
    /// Where records go instead of stdout.
    pub write: Option<PathBuf>,
    /// Compression of a flow file that is written.
    pub compression: BlockCompression,
    /// An existing output may be replaced.
    pub force: bool,
    /// No K, M, G.
    pub plain_numbers: bool,
    /// Neither heading nor summary.
    pub quiet: bool,
    /// Colour the list.
    pub color: bool,
    /// Show progress.
    pub progress: bool,
}

/// Formats of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputFormat {
    /// nfdump's `line`.
    Line,
    /// nfdump's `long`: flags and type of service as well.
    Long,
    /// nfdump's `extended`: rates as well.
    Extended,
    /// Columns of the user's choice.
    Custom(Template),
    /// RFC 4180, one line a record.
    Csv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// Nothing but the summary.
    Null,
    /// A `.flow` file.
    Flow,
}

/// Names of the formats that `-o` takes.
const OUTPUT_FORMATS: [(&str, OutputFormat); 7] = [
    ("line", OutputFormat::Line),
    ("long", OutputFormat::Long),
    ("extended", OutputFormat::Extended),
    ("csv", OutputFormat::Csv),
    ("json", OutputFormat::Json),
    ("ndjson", OutputFormat::Ndjson),
    ("null", OutputFormat::Null),
];

impl FromStr for OutputFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some(template) = text.strip_prefix("fmt:") {
            return Template::parse(template).map(Self::Custom);
        }
        let known = OUTPUT_FORMATS.iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| format.clone()).ok_or_else(|| {
            let names = OUTPUT_FORMATS.map(|(name, _)| name).join(", ");
            Error::argument(format!("-o {text}: no such output format; choose one of {names}, fmt:TAGS"))
        })
    }
}

impl Plan {
    /// Resolves the command line.
    ///
    /// # Errors
    /// When an option's value is wrong, the filter does not parse, or there is nothing to read.
    pub fn new(flags: Flags) -> Result<Self> {
        let (inputs, filter) = inputs_and_filter(&flags)?;
        if inputs.is_empty() {
            return Err(Error::argument(
                "nothing to read: name a capture, flow file, log or folder, or '-' for stdin",
            ));
        }
        check_info(&flags, &filter)?;
        if let Some(file) = flags.read_range.iter().find(|path| path.is_file()) {
            let advice = "-R reads a folder; for one file use -r";
            return Err(Error::argument(advice).in_input(file.display().to_string()));
        }
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let output = output_format(&flags)?;
        Ok(Self {
            inputs,
            meter: meter(&flags, &filter, &output)?,
            filter: Arc::new(filter),
            detection: detection(&flags)?,
            vpc: VpcOptions { columns: flags.vpc_fields.as_deref().map(parse_fields).transpose()? },
            limit: flags.limit.filter(|&limit| limit > 0),
            order: flags.order.as_deref().map(str::parse).transpose()?,
            top: Some(flags.top).filter(|&top| top > 0),
            info: flags.info,
            output,
            compression: flags.compress.parse()?,
            force: flags.force,
            plain_numbers: flags.plain_numbers,
            quiet: flags.quiet,
            color: wants_color(flags.color, flags.write.as_deref(), stdout_is_terminal),
            write: flags.write,
            progress: !flags.no_progress && !flags.quiet && std::io::stderr().is_terminal(),
        })
    }
}

/// Captures are metered with all that filters and columns can ask for, except that payload, which takes far more room
/// than all the rest, is kept only where one does.
fn meter(flags: &Flags, filter: &Filter, output: &OutputFormat) -> Result<MeterOptions> {
    let columns = match output {
        OutputFormat::Custom(template) => template.fields(),
        _ => FieldSet::EMPTY,
    };
    let asked = filter.fields().union(columns);
    let with_payload = asked.contains(Field::InPayload) || asked.contains(Field::OutPayload);
    Ok(MeterOptions {
        tcp_quality: true,
        payload_bytes: if with_payload { MAX_PAYLOAD } else { 0 },
        ..MeterOptions::default().timeouts(&flags.timeout)?
    })
}

/// The longest payload that a packet can have, as `pcap2flow -o payload` keeps it.
const MAX_PAYLOAD: u32 = 65_535;

/// Totals are those of whole inputs: what would choose or print records is refused rather than ignored.
fn check_info(flags: &Flags, filter: &Filter) -> Result<()> {
    let other = flags.write.is_some() || flags.output.is_some() || !filter.expression().trim().is_empty();
    if flags.info && other {
        return Err(Error::argument(
            "-I sums up whole inputs; for a filter use -o null, and leave out -o and -w",
        ));
    }
    Ok(())
}

/// Which words are inputs and which are the filter: with `-r` or `-R` all words are the filter, as in nfdump;
/// without, the leading words that exist are inputs. Words behind `--` are the filter in any case.
fn inputs_and_filter(flags: &Flags) -> Result<(Vec<PathBuf>, Filter)> {
    let named: Vec<PathBuf> = flags.read.iter().chain(&flags.read_range).cloned().collect();
    let mut words = flags.words.as_slice();
    let mut inputs = Vec::new();
    if named.is_empty() {
        let all = flags.filter.is_some() || flags.filter_file.is_some() || !flags.filter_words.is_empty();
        let leading = words.iter().take_while(|word| all || is_input(word)).count();
        inputs = words[..leading].iter().map(PathBuf::from).collect();
        words = &words[leading..];
    }
    let filter = filter_text(flags, words)?;
    match Filter::parse(&filter) {
        Ok(filter) => Ok((if named.is_empty() { inputs } else { named }, filter)),
        Err(error) => Err(match words.first() {
            Some(word) if !named.is_empty() && is_input(word) => {
                let advice = "with -r or -R all other words are the filter; give it -r too";
                Error::argument(advice).in_input(word.display().to_string())
            }
            Some(word) if word.to_str().is_none_or(looks_like_path) => {
                Error::from(std::io::Error::from_raw_os_error(ENOENT)).in_input(word.display().to_string())
            }
            _ => error.into(),
        }),
    }
}

/// "No such file or directory", as the system says it for every other missing file.
const ENOENT: i32 = 2;

fn filter_text(flags: &Flags, words: &[OsString]) -> Result<String> {
    let file = flags.filter_file.as_deref().map(read_filter_file).transpose()?;
    let joined = |words: &[OsString]| {
        let words = words.iter().map(|word| word.to_string_lossy());
        (words.len() > 0).then(|| words.collect::<Vec<_>>().join(" "))
    };
    let given = [flags.filter.clone(), file, joined(words), joined(&flags.filter_words)];
    let mut given = given.into_iter().flatten();
    let filter = given.next().unwrap_or_default();
    match given.next() {
        None => Ok(filter),
        Some(second) => Err(Error::argument(format!("two filters: \"{filter}\" and \"{second}\"; give one"))),
    }
}

fn read_filter_file(path: &Path) -> Result<String> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    text.map_err(|error| Error::from(error).in_input(path.display().to_string()))
}

fn is_input(word: &OsStr) -> bool {
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
fn detection(flags: &Flags) -> Result<Detection> {
    match &flags.format {
        Some(name) => name.parse().map(Detection::Fixed).map_err(|()| {
            let names = Format::ALL.map(Format::name).join(", ");
            Error::argument(format!("--format {name}: no such input format; choose one of {names}"))
        }),
        None if flags.vpc_fields.is_some() => Ok(Detection::BytesOr(Format::Vpc)),
        None => Ok(Detection::Bytes),
    }
}

/// `-o` where it names a format of text, else what the name of the output says.
fn output_format(flags: &Flags) -> Result<OutputFormat> {
    let named = flags.output.as_deref().map(str::parse).transpose()?;
    match (named, &flags.write) {
        (Some(format), None) => Ok(format),
        (None, None) => Ok(OutputFormat::Line),
        (None | Some(OutputFormat::Null), Some(path)) => format_of_name(path),
        (Some(format), Some(_)) => Ok(format),
    }
}

/// A name that promises another format gets no flow file.
fn format_of_name(path: &Path) -> Result<OutputFormat> {
    let Some(suffix) = path.extension() else {
        return Ok(OutputFormat::Flow);
    };
    match suffix.to_string_lossy().to_ascii_lowercase().as_str() {
        "flow" => Ok(OutputFormat::Flow),
        "csv" => Ok(OutputFormat::Csv),
        "json" => Ok(OutputFormat::Json),
        "ndjson" | "jsonl" => Ok(OutputFormat::Ndjson),
        _ => Err(Error::argument(
            "no format is written under this suffix; use .flow, .csv, .json, .ndjson, .jsonl or none, or name a \
             format of text with -o",
        )
        .in_input(path.display().to_string())),
    }
}

/// A choice by circumstances is for terminals: a file that is written gets no colour.
fn wants_color(choice: clap::ColorChoice, write: Option<&Path>, stdout_is_terminal: bool) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let terminal = stdout_is_terminal && write.is_none_or(|path| path == Path::new("-"));
    match choice {
        clap::ColorChoice::Always => true,
        clap::ColorChoice::Never => false,
        clap::ColorChoice::Auto => {
            terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
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

    #[test]
    fn payload_is_kept_where_it_is_asked_for() {
        let kept = |args: &[&str]| {
            let flags = clap::Parser::parse_from(["flowdump", "-r", "-"].iter().chain(args));
            Plan::new(flags).unwrap().meter.payload_bytes
        };
        for args in [
            &["payload content GET"][..],
            &["tcp and not (out payload content x)"],
            &["-o", "fmt:%opl"],
            &["-o", "fmt:%{inpayload}", "-w", "a.txt"],
        ] {
            assert_eq!(kept(args), 65_535, "{args:?}");
        }
        for args in [&["tcp"][..], &["-o", "json"], &["-w", "a.flow"], &["-o", "fmt:%line"]] {
            assert_eq!(kept(args), 0, "{args:?}");
        }
    }

    #[test]
    fn an_unknown_output_format_names_the_others() {
        let error = "xml".parse::<OutputFormat>().unwrap_err().to_string();
        assert!(error.contains("ndjson"), "{error}");
    }

    #[test]
    fn the_name_of_the_output_says_its_format() {
        let format = |args: &[&str]| {
            let flags = clap::Parser::parse_from(["flowdump", "a.pcap"].iter().chain(args));
            output_format(&flags)
        };
        for (name, expected) in [
            ("a.flow", OutputFormat::Flow),
            ("a", OutputFormat::Flow),
            ("-", OutputFormat::Flow),
            ("a.CSV", OutputFormat::Csv),
            ("a.json", OutputFormat::Json),
            ("a.jsonl", OutputFormat::Ndjson),
        ] {
            assert_eq!(format(&["-w", name]).unwrap(), expected, "{name}");
            assert_eq!(format(&["-o", "null", "-w", name]).unwrap(), expected, "{name}");
        }
        for name in ["a.nf", "a.parquet", "a.txt", "a.flow.gz", "a.csv.zst", "a.pcap", "a.log"] {
            let error = format(&["-w", name]).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(".ndjson"), "{error}");
            assert!(format(&["-o", "null", "-w", name]).is_err(), "{name}");
            assert_eq!(format(&["-o", "long", "-w", name]).unwrap(), OutputFormat::Long);
        }
    }

    #[test]
    fn a_file_gets_no_colour_unless_it_is_asked_for() {
        let file = Some(Path::new("a.txt"));
        assert!(!wants_color(clap::ColorChoice::Auto, file, true));
        assert!(!wants_color(clap::ColorChoice::Auto, None, false));
        assert!(wants_color(clap::ColorChoice::Always, file, false));
        let here = wants_color(clap::ColorChoice::Auto, None, true);
        assert_eq!(wants_color(clap::ColorChoice::Auto, Some(Path::new("-")), true), here);
    }
}
