//! What is printed or written: `-o`, `-w` and the compression of `-z`, `-j` and `-y`, resolved.

use std::path::Path;

use flowcore::format::flow::WriterOptions;
use flowcore::format::nfdump::{self, NfdumpOptions};
use flowcore::format::vpc::{LogColumns, LogCompression, VpcWriterOptions, parse_fields};
use flowcore::{Error, FileOptions, Result};

use super::Flags;
use super::format::{self, OutputFormat};

/// `-o` where it names a format of text, else what the name of the output says.
pub(super) fn format(flags: &Flags) -> Result<OutputFormat> {
    let named = flags.output.as_deref().map(str::parse).transpose()?;
    match (named, &flags.write) {
        (Some(format), None) => Ok(format),
        (None, None) => Ok(OutputFormat::Line),
        (None | Some(OutputFormat::Null), Some(path)) => format_of_name(path),
        (Some(format), Some(_)) => Ok(format),
    }
}

/// Whether columns of addresses are as wide as IPv6 addresses from the start: `-6`, or nfdump's `-o line6`.
pub(super) fn full_ipv6(flags: &Flags) -> bool {
    flags.full_ipv6 || flags.output.as_deref().is_some_and(format::is_wide)
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
        "log" => Ok(OutputFormat::Vpc),
        "gz" if is_packed_log(path) => Ok(OutputFormat::Vpc),
        _ if is_nfcapd => Ok(OutputFormat::Nfdump),
        _ => Err(Error::argument(
            "no format is written under this suffix; use .flow, .nf, .csv, .json, .ndjson, .jsonl, .log, .log.gz \
             or none, or name a format of text with -o",
        )
        .in_input(path.display().to_string())),
    }
}

/// Whether a name ends in `.log.gz`.
fn is_packed_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.ends_with(".log.gz")
}

/// How a flow log is written.
///
/// # Errors
/// When columns are named that a flow log cannot have, or for something else, or a compression is asked for: the name says
/// it.
pub(super) fn log_options(flags: &Flags, output: &OutputFormat) -> Result<VpcWriterOptions> {
    let columns = flags.columns.as_deref().map(parse_fields).transpose();
    let columns = columns.map_err(|error| Error::argument(format!("--columns: {error}")))?;
    if *output != OutputFormat::Vpc {
        return match columns {
            Some(_) => Err(Error::argument(
                "--columns is about AWS flow logs (-w NAME.log, NAME.log.gz or -o vpc); -o csv:TAGS and -o fmt:TAGS choose \
                 columns of other formats",
            )),
            None => Ok(VpcWriterOptions::default()),
        };
    }
    if flags.compress.is_some() || flags.smallest || flags.lz4 {
        return Err(Error::argument(
            "-z, -j and -y are about flow files; a log is packed by its name, -w NAME.log.gz",
        ));
    }
    let is_packed = flags.write.as_deref().is_some_and(is_packed_log);
    Ok(VpcWriterOptions {
        columns: columns.map_or(LogColumns::Found, LogColumns::Chosen),
        compression: if is_packed { LogCompression::Gzip } else { LogCompression::None },
    })
}

/// A choice by circumstances is for terminals: a file that is written gets no colour.
pub(super) fn wants_color(choice: clap::ColorChoice, write: Option<&Path>, stdout_is_terminal: bool) -> bool {
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
pub(super) fn file_options(flags: &Flags, output: &OutputFormat) -> Result<FileOptions> {
    let compression = compression(flags, output)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::plan::Plan;
    use crate::args::plan::tests::flags as typed;

    #[test]
    fn the_name_of_the_output_says_its_format() {
        let format = |args: &[&str]| format(&typed(args));
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
            ("a.log", OutputFormat::Vpc),
            ("AWSLogs/a.log.GZ", OutputFormat::Vpc),
        ] {
            assert_eq!(format(&["-w", name]).unwrap(), expected, "{name}");
            assert_eq!(format(&["-o", "null", "-w", name]).unwrap(), expected, "{name}");
        }
        for name in ["a.parquet", "a.txt", "a.flow.gz", "a.csv.zst", "a.pcap", "a.gz", "a.log.zst"] {
            let error = format(&["-w", name]).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(".ndjson"), "{error}");
            assert!(format(&["-o", "null", "-w", name]).is_err(), "{name}");
            assert_eq!(format(&["-o", "long", "-w", name]).unwrap(), OutputFormat::Long);
        }
    }

    #[test]
    fn columns_are_wide_where_that_is_asked_for() {
        let wide = |args: &[&str]| full_ipv6(&typed(args));
        assert!(wide(&["-6"]) && wide(&["-o", "long6"]) && wide(&["--full-ipv6", "-o", "fmt:%sa"]));
        assert!(!wide(&[]) && !wide(&["-o", "long"]) && !wide(&["-o", "fmt:%sa6"]));
    }

    #[test]
    fn compression_is_that_of_the_format() {
        let options = |args: &[&str]| Plan::new(typed(args)).map(|plan| plan.file);
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
    fn columns_and_compression_are_those_of_the_log() {
        let options =
            |args: &[&str]| Plan::new(typed(args)).map(|plan| plan.log).map_err(|error| error.to_string());
        let log = options(&["-w", "a.log.gz", "--columns", "${srcaddr} ${bytes}"]).unwrap();
        assert_eq!(log.columns, LogColumns::Chosen(vec!["srcaddr".into(), "bytes".into()]));
        assert_eq!(log.compression, LogCompression::Gzip);
        for args in [&["-w", "a.log"][..], &["-o", "vpc"], &["-o", "vpc", "-w", "a.gz"]] {
            let log = options(args).unwrap();
            assert_eq!((log.columns, log.compression), (LogColumns::Found, LogCompression::None), "{args:?}");
        }
        for (args, advice) in [
            (&["-w", "a.log", "--columns", "Bytes"][..], "--columns: \"Bytes\" is no column"),
            (&["-w", "a.csv", "--columns", "bytes"], "-o csv:TAGS"),
            (&["--columns", "bytes"], "-w NAME.log"),
            (&["-w", "a.log", "-z=zstd"], "-w NAME.log.gz"),
        ] {
            let error = options(args).unwrap_err();
            assert!(error.contains(advice), "{args:?}: {error}");
        }
    }

    #[test]
    fn letters_of_nfdump_choose_the_compression() {
        let method = |args: &[&str]| {
            let flags = typed(args);
            compression(&flags, &format(&flags).unwrap()).map_err(|error| error.to_string())
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
