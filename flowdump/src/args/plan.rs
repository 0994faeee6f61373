//! The command line resolved: paths that exist, a filter that parses, formats that are known.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use flowcore::aggregate::Statistic;
use flowcore::format::flow::WriterOptions;
use flowcore::format::nfdump::{self, NfdumpOptions};
use flowcore::format::vpc::{VpcOptions, parse_fields};
use flowcore::{Detection, Error, Field, FieldSet, FileOptions, Filter, Format, Problems, Result};
use pcap2flow::MeterOptions;

use super::Flags;
use super::range::{self, Named};
use crate::order::Order;
use crate::print::Template;

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// Files and folders; `-` is stdin.
    pub inputs: Vec<PathBuf>,
    /// Files that folders of `-M` do not have; the others are read.
    pub missing: Problems,
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
    /// Records printed after sorting, or rows of each statistic; `None` for all.
    pub top: Option<usize>,
    /// Statistics to make instead of a list.
    pub statistics: Vec<Statistic>,
    /// Totals only.
    pub info: bool,
    /// A file to verify, instead of all else.
    pub verify: Option<PathBuf>,
    /// Text format of the list.
    pub output: OutputFormat,
    /// Where records go instead of stdout.
    pub write: Option<PathBuf>,
    /// How a file of flows is written.
    pub file: FileOptions,
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
    /// An nfdump file.
    Nfdump,
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
        let (Named { inputs, missing }, filter) = inputs_and_filter(&flags)?;
        check_verify(&flags, &inputs, &filter)?;
        if inputs.is_empty() && flags.verify.is_none() {
            return Err(Error::argument(
                "nothing to read: name a capture, flow file, nfdump file, log or folder, or '-' for stdin",
            ));
        }
        check_info(&flags, &filter)?;
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let statistics = statistics(&flags)?;
        let output = output_format(&flags)?;
        let file = file_options(&compression(&flags, &output)?, &output)?;
        Ok(Self {
            inputs,
            missing,
            meter: meter(&flags, &filter, &output, &statistics)?,
            filter: Arc::new(filter),
            detection: detection(&flags)?,
            vpc: VpcOptions { columns: flags.vpc_fields.as_deref().map(parse_fields).transpose()? },
            limit: flags.limit.filter(|&limit| limit > 0),
            order: flags.order.as_deref().map(str::parse).transpose()?,
            top: flags.top.or((!statistics.is_empty()).then_some(TOP)).filter(|&top| top > 0),
            statistics,
            info: flags.info,
            verify: flags.verify,
            file,
            output,
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
fn meter(
    flags: &Flags,
    filter: &Filter,
    output: &OutputFormat,
    statistics: &[Statistic],
) -> Result<MeterOptions> {
    let columns = match output {
        OutputFormat::Custom(template) => template.fields(),
        _ => FieldSet::EMPTY,
    };
    let counted: FieldSet = statistics.iter().flat_map(Statistic::fields).copied().collect();
    let asked = filter.fields().union(columns).union(counted);
    let with_payload = asked.contains(Field::InPayload) || asked.contains(Field::OutPayload);
    Ok(MeterOptions {
        tcp_quality: true,
        payload_bytes: if with_payload { MAX_PAYLOAD } else { 0 },
        ..MeterOptions::default().timeouts(&flags.timeout)?
    })
}

/// The longest payload that a packet can have, as `pcap2flow -o payload` keeps it.
const MAX_PAYLOAD: u32 = 65_535;

/// The method that `-z`, `-j` and `-y` name; lz4 unless one does.
fn compression(flags: &Flags, output: &OutputFormat) -> Result<String> {
    let smallest = if *output == OutputFormat::Nfdump { "bz2" } else { "zstd:19" };
    let method = flags.compress.as_deref();
    let named = [
        ("-j", flags.smallest.then_some(smallest)),
        ("-y", flags.lz4.then_some("lz4")),
        (&*method.map_or_else(String::new, |method| format!("-z={method}")), method),
    ];
    let named: Vec<(&str, &str)> =
        named.iter().filter_map(|(option, method)| method.map(|method| (*option, method))).collect();
    let (_, method) = named.first().copied().unwrap_or(("", "lz4"));
    if named.iter().any(|(_, other)| *other != method) {
        let options: Vec<&str> = named.iter().map(|(option, _)| *option).collect();
        let options = options.join(" and ");
        return Err(Error::argument(format!("{options} contradict one another; leave out all but one")));
    }
    Ok(method.to_owned())
}

/// How a file of flows is written, with the compression that its format has.
fn file_options(compression: &str, output: &OutputFormat) -> Result<FileOptions> {
    if *output == OutputFormat::Nfdump {
        return Ok(NfdumpOptions { compression: compression.parse()?, ..NfdumpOptions::default() }.into());
    }
    let parsed = compression.parse().map_err(|error| {
        match compression.parse::<nfdump::BlockCompression>() {
            Ok(_) => Error::argument(format!(
                "-z {compression}: only nfdump files (-w NAME.nf) have it; .flow files take none, lz4, zstd or \
                 zstd:LEVEL (1 to 19)"
            )),
            Err(_) => error,
        }
    })?;
    let creator = concat!("flowdump ", env!("CARGO_PKG_VERSION")).into();
    Ok(WriterOptions { compression: parsed, creator, ..WriterOptions::default() }.into())
}

/// Rows of a statistic where `-n` does not say, as in nfdump.
const TOP: usize = 10;

fn statistics(flags: &Flags) -> Result<Vec<Statistic>> {
    if let (Some(order), Some(first)) = (&flags.order, flags.stat.first()) {
        return Err(Error::argument(format!(
            "-O sorts lists; the order of a statistic stands behind it: -s {}/{order}",
            first.split('/').next().unwrap_or_default()
        )));
    }
    if flags.info && !flags.stat.is_empty() {
        return Err(Error::argument("-I and -s are two reports; ask for one at a time"));
    }
    let parse = |text: &String| text.parse().map_err(|error| Error::argument(format!("-s {text}: {error}")));
    flags.stat.iter().map(parse).collect()
}

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

/// One file is verified, and nothing else is done.
fn check_verify(flags: &Flags, inputs: &[PathBuf], filter: &Filter) -> Result<()> {
    let other = flags.info || flags.write.is_some() || flags.output.is_some() || !inputs.is_empty();
    if flags.verify.is_some() && (other || !filter.expression().trim().is_empty()) {
        return Err(Error::argument(
            "-v reads the file it names; leave out other inputs, filter, -I, -o and -w",
        ));
    }
    Ok(())
}

/// Which words are inputs and which are the filter: with `-r` or `-R` all words are the filter, as in nfdump;
/// without, the leading words that exist are inputs. Words behind `--` are the filter in any case.
fn inputs_and_filter(flags: &Flags) -> Result<(Named, Filter)> {
    let mut named = range::inputs(&flags.read, &flags.read_range, flags.read_folders.as_deref())?;
    let mut words = flags.words.as_slice();
    let by_options = !named.inputs.is_empty();
    if !by_options {
        let all = flags.filter.is_some() || flags.filter_file.is_some() || !flags.filter_words.is_empty();
        let leading = words.iter().take_while(|word| all || is_input(word)).count();
        named.inputs = words[..leading].iter().map(PathBuf::from).collect();
        words = &words[leading..];
    }
    let filter = filter_text(flags, words)?;
    match Filter::parse(&filter) {
        Ok(filter) => Ok((named, filter)),
        Err(error) => Err(match words.first() {
            Some(word) if by_options && is_input(word) => {
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
    let is_nfcapd = path.file_stem().is_some_and(|stem| stem == "nfcapd");
    match suffix.to_string_lossy().to_ascii_lowercase().as_str() {
        "flow" => Ok(OutputFormat::Flow),
        "csv" => Ok(OutputFormat::Csv),
        "json" => Ok(OutputFormat::Json),
        "ndjson" | "jsonl" => Ok(OutputFormat::Ndjson),
        "nf" => Ok(OutputFormat::Nfdump),
        _ if is_nfcapd => Ok(OutputFormat::Nfdump),
        _ => Err(Error::argument(
            "no format is written under this suffix; use .flow, .nf, .csv, .json, .ndjson, .jsonl or none, or name \
             a format of text with -o",
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

    fn typed(first: &[&str], more: &[&str]) -> Flags {
        Flags::from_words(["flowdump"].iter().chain(first).chain(more).map(OsString::from))
    }

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
            let flags = typed(&["-r", "-"], args);
            Plan::new(flags).unwrap().meter.payload_bytes
        };
        for args in [
            &["payload content GET"][..],
            &["tcp and not (out payload content x)"],
            &["-o", "fmt:%opl"],
            &["-s", "inpayload"],
            &["-o", "fmt:%{inpayload}", "-w", "a.txt"],
        ] {
            assert_eq!(kept(args), 65_535, "{args:?}");
        }
        for args in [&["tcp"][..], &["-o", "json"], &["-w", "a.flow"], &["-o", "fmt:%line"]] {
            assert_eq!(kept(args), 0, "{args:?}");
        }
    }

    #[test]
    fn a_statistic_shows_ten_rows_unless_told_otherwise() {
        let plan = |args: &[&str]| Plan::new(typed(&["-r", "-"], args));
        let top = |args: &[&str]| plan(args).unwrap().top;
        assert_eq!(top(&["-s", "srcip"]), Some(10));
        assert_eq!(top(&["-s", "srcip", "-n", "0"]), None);
        assert_eq!(top(&["-s", "srcip", "-n", "3"]), Some(3));
        assert_eq!((top(&[]), top(&["-n", "3"])), (None, Some(3)));
        for (args, advice) in [
            (&["-s", "srcip/byts"][..], "-s srcip/byts: no order \"byts\"; did you mean \"bytes\"?"),
            (&["-s", "srcip/flows", "-O", "bytes"], "-s srcip/bytes"),
            (&["-s", "srcip", "-I"], "one at a time"),
        ] {
            let error = plan(args).unwrap_err().to_string();
            assert!(error.contains(advice), "{args:?}: {error}");
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
            let flags = typed(&["a.pcap"], args);
            output_format(&flags)
        };
        for (name, expected) in [
            ("a.flow", OutputFormat::Flow),
            ("a", OutputFormat::Flow),
            ("-", OutputFormat::Flow),
            ("a.CSV", OutputFormat::Csv),
            ("a.json", OutputFormat::Json),
            ("a.jsonl", OutputFormat::Ndjson),
            ("a.nf", OutputFormat::Nfdump),
            ("flows/nfcapd.202301010000", OutputFormat::Nfdump),
            ("nfcapd.csv", OutputFormat::Csv),
        ] {
            assert_eq!(format(&["-w", name]).unwrap(), expected, "{name}");
            assert_eq!(format(&["-o", "null", "-w", name]).unwrap(), expected, "{name}");
        }
        for name in ["a.parquet", "a.txt", "a.flow.gz", "a.csv.zst", "a.pcap", "a.log"] {
            let error = format(&["-w", name]).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(".ndjson"), "{error}");
            assert!(format(&["-o", "null", "-w", name]).is_err(), "{name}");
            assert_eq!(format(&["-o", "long", "-w", name]).unwrap(), OutputFormat::Long);
        }
    }

    #[test]
    fn compression_is_that_of_the_format() {
        let options = |args: &[&str]| {
            let flags = typed(&["-r", "-"], args);
            Plan::new(flags).map(|plan| plan.file)
        };
        for method in ["none", "lzo", "lz4", "bz2", "zstd", "zstd:19"] {
            let file = options(&["-w", "a.nf", "-z", method]).unwrap();
            assert!(matches!(file, FileOptions::Nfdump(_)), "{method}");
        }
        assert!(matches!(options(&["-w", "a.flow", "-z", "zstd:3"]).unwrap(), FileOptions::Flow(_)));
        let error = options(&["-w", "a.flow", "-z", "lzo"]).unwrap_err().to_string();
        assert!(error.contains("nfdump files (-w NAME.nf)") && error.contains("none, lz4"), "{error}");
        let error = options(&["-w", "a.nf", "-z=gzip"]).unwrap_err().to_string();
        assert!(error.contains("lzo"), "{error}");
        assert!(options(&["-w", "a.flow", "-z=gzip"]).is_err());
    }

    #[test]
    fn letters_of_nfdump_choose_the_compression() {
        let method = |args: &[&str]| {
            let flags = typed(&["-r", "-"], args);
            compression(&flags, &output_format(&flags).unwrap()).map_err(|error| error.to_string())
        };
        for (args, expected) in [
            (&["-w", "a.nf"][..], "lz4"),
            (&["-w", "a.nf", "-z"], "lz4"),
            (&["-z", "-w", "a.nf", "tcp"], "lz4"),
            (&["-w", "a.nf", "-z", "lzo"], "lzo"),
            (&["-w", "a.nf", "-zlzo"], "lzo"),
            (&["-w", "a.nf", "-y", "-z=lz4"], "lz4"),
            (&["-w", "a.nf", "-j"], "bz2"),
            (&["-j", "-w", "a.flow"], "zstd:19"),
        ] {
            assert_eq!(method(args).as_deref(), Ok(expected), "{args:?}");
        }
        for (args, options) in
            [(&["-j", "-y"][..], "-j and -y"), (&["-j", "-y", "-z=zstd"], "-j and -y and -z=zstd")]
        {
            let expected = format!("{options} contradict one another; leave out all but one");
            assert_eq!(method(args), Err(expected), "{args:?}");
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
