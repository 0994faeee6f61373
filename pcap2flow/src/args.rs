//! The command line: flags as typed, then a plan with everything resolved.

use std::path::{Path, PathBuf};

use clap::Parser;
use flowcore::format::flow::BlockCompression;
use flowcore::{Error, Overwrite, Result};
use pcap2flow::MeterOptions;

/// The command line as typed.
#[derive(Debug, Parser)]
#[command(
    name = "pcap2flow",
    version,
    about = "Turn packet captures into bidirectional flow records",
    override_usage = "pcap2flow [OPTIONS] [CAPTURE]... -w <OUT>",
    after_help = EXAMPLES,
    help_expected = true
)]
pub(crate) struct Flags {
    /// Captures, read one after the other into the same flows: pcap, pcapng or snoop, plain, gzip or zstd; '-' is stdin
    #[arg(value_name = "CAPTURE")]
    captures: Vec<PathBuf>,

    /// Read this capture ('-' is stdin); may be repeated
    #[arg(short = 'r', long = "read", value_name = "FILE", help_heading = "Input")]
    read: Vec<PathBuf>,

    /// Active and idle timeout in seconds of packet time, 1 to 3600 each
    #[arg(
        short = 'e',
        long = "timeout",
        value_name = "ACTIVE,IDLE",
        default_value = "300,60",
        help_heading = "Flows"
    )]
    timeout: String,

    /// Write to a flow file, into a folder (one file per interval), or to stdout ('-')
    #[arg(short = 'w', long = "write", value_name = "DIR|FILE|-", help_heading = "Output")]
    write: Option<PathBuf>,

    /// Seconds per file in a folder; files begin at multiples of it since 1970 UTC
    #[arg(short = 't', long = "rotate", value_name = "SECONDS", help_heading = "Output")]
    rotate: Option<u32>,

    /// Compression: lz4, zstd or none
    #[arg(
        short = 'z',
        long = "compress",
        value_name = "METHOD",
        default_value = "lz4",
        help_heading = "Output"
    )]
    compress: String,

    /// Name of the recording, kept with the flows
    #[arg(short = 'I', long = "ident", value_name = "NAME", help_heading = "Output")]
    ident: Option<String>,

    /// Replace existing files
    #[arg(long, help_heading = "Output")]
    force: bool,

    /// Print how many frames were used, and how many were skipped for which reason
    #[arg(long, help_heading = "Report")]
    stats: bool,

    /// Print nothing but errors
    #[arg(short = 'q', long = "quiet", help_heading = "Report")]
    quiet: bool,

    /// No progress line on stderr
    #[arg(long, help_heading = "Report")]
    no_progress: bool,
}

const EXAMPLES: &str = "\
Examples:
  pcap2flow -r investigate.pcap -w investigate.flow
  pcap2flow monday-*.pcap.gz -w flows/ -t 3600       one file an hour
  tcpdump -w - | pcap2flow - -w - | flowdump - 'port 443'

Exit codes: 0 done; 2 wrong usage, or a capture that could not be read in full (the rest is converted all the same).";

/// Seconds per file unless `-t` says otherwise, as nfpcapd.
const DEFAULT_ROTATION: u32 = 300;

/// What to do.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) meter: MeterOptions,
    pub(crate) output: Output,
    pub(crate) compression: BlockCompression,
    pub(crate) overwrite: Overwrite,
    pub(crate) stats: bool,
    pub(crate) quiet: bool,
    pub(crate) progress: bool,
}

/// Where the flows go.
#[derive(Debug)]
pub(crate) enum Output {
    Stdout,
    File(PathBuf),
    Folder { path: PathBuf, interval: u32 },
}

impl Plan {
    /// Resolves the command line.
    pub(crate) fn new(flags: Flags) -> Result<Self> {
        let inputs: Vec<PathBuf> = flags.read.iter().chain(&flags.captures).cloned().collect();
        if inputs.is_empty() {
            return Err(Error::argument("nothing to read: name a capture, or '-' for stdin"));
        }
        let Some(write) = &flags.write else {
            return Err(Error::argument("nowhere to write: name a file, a folder or '-' with -w"));
        };
        let output = output(write, flags.rotate)?;
        if let Output::File(path) = &output {
            flowcore::check_not_input(path, &inputs)?;
        }
        use std::io::IsTerminal;
        Ok(Self {
            inputs,
            output,
            compression: flags.compress.parse()?,
            overwrite: if flags.force { Overwrite::Yes } else { Overwrite::No },
            stats: flags.stats,
            quiet: flags.quiet,
            progress: !flags.no_progress && !flags.quiet && std::io::stderr().is_terminal(),
            meter: MeterOptions { ident: flags.ident, ..MeterOptions::default().timeouts(&flags.timeout)? },
        })
    }
}

fn output(write: &Path, rotate: Option<u32>) -> Result<Output> {
    let is_folder = write.is_dir() || write.as_os_str().as_encoded_bytes().ends_with(b"/");
    match (is_folder, rotate) {
        (true, Some(0)) => Err(Error::argument("-t 0: the interval is at least one second")),
        (true, rotate) => {
            Ok(Output::Folder { path: write.to_owned(), interval: rotate.unwrap_or(DEFAULT_ROTATION) })
        }
        (false, Some(_)) => {
            let path = write.display();
            Err(Error::argument(format!("-t needs a folder to write to; for a new one write -w {path}/")))
        }
        (false, None) if write == Path::new("-") => Ok(Output::Stdout),
        (false, None) => Ok(Output::File(write.to_owned())),
    }
}
