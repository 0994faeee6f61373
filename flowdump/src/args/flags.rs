//! The options, each defined once: parsing and help come from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// The command line as typed.
#[derive(Debug, Parser)]
#[command(
    name = "flowdump",
    version,
    about = "Print, filter and summarise flows: captures, flow files and AWS VPC flow logs",
    override_usage = "flowdump [OPTIONS] [INPUT]... [[--] FILTER]",
    after_help = EXAMPLES,
    help_expected = true
)]
pub struct Flags {
    /// Inputs (files, folders, '-' for stdin), then the filter; with -r or -R all of it is the filter
    #[arg(value_name = "INPUT|FILTER")]
    pub words: Vec<OsString>,

    /// The filter, whatever files are called as its words are
    #[arg(last = true, value_name = "FILTER")]
    pub filter_words: Vec<OsString>,

    /// Read this file ('-' is stdin); may be repeated
    #[arg(short = 'r', long = "read", value_name = "FILE", help_heading = "Input")]
    pub read: Vec<PathBuf>,

    /// Read every file below this folder, in the order of names; may be repeated
    #[arg(short = 'R', long = "read-range", value_name = "DIR", help_heading = "Input")]
    pub read_range: Vec<PathBuf>,

    /// Skip detection: flow, vpc, pcap, pcapng or snoop
    #[arg(long, value_name = "FORMAT", help_heading = "Input")]
    pub format: Option<String>,

    /// Columns of VPC logs without header line: names, or the flow log's '${...}' format
    #[arg(long, value_name = "NAMES", help_heading = "Input")]
    pub vpc_fields: Option<String>,

    /// Active and idle timeout in seconds for captures
    #[arg(
        short = 'e',
        long = "timeout",
        value_name = "ACTIVE,IDLE",
        default_value = "300,60",
        help_heading = "Input"
    )]
    pub timeout: String,

    /// The filter, whatever the other words are
    #[arg(long, value_name = "EXPR", help_heading = "Selection")]
    pub filter: Option<String>,

    /// Read the filter from a file ('-' is stdin)
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "Selection")]
    pub filter_file: Option<PathBuf>,

    /// Stop after N matching records
    #[arg(short = 'c', long = "limit", value_name = "N", help_heading = "Selection")]
    pub limit: Option<u64>,

    /// Sort by tstart, tend, bytes, packets or duration; ':a' or ':d' behind it sets the direction
    #[arg(short = 'O', long = "order", value_name = "FIELD", help_heading = "Selection")]
    pub order: Option<String>,

    /// Print the first N records, after sorting; 0 means all
    #[arg(
        short = 'n',
        long = "top",
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        help_heading = "Selection"
    )]
    pub top: usize,

    /// Print totals of the input only
    #[arg(short = 'I', long = "info", help_heading = "Output")]
    pub info: bool,

    /// line, long, extended, csv, json, ndjson, null, or columns of your choice: 'fmt:%ts %sap -> %dap %byt %{vlan}'
    #[arg(short = 'o', long = "output", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<String>,

    /// Write matching records to a flow file instead of printing them ('-' is stdout); a name that ends in .csv,
    /// .json or .ndjson gets that format
    #[arg(short = 'w', long = "write", value_name = "FILE", help_heading = "Output")]
    pub write: Option<PathBuf>,

    /// Compression of flow files: lz4, zstd or none
    #[arg(
        short = 'z',
        long = "compress",
        value_name = "METHOD",
        default_value = "lz4",
        help_heading = "Output"
    )]
    pub compress: String,

    /// Replace an existing output
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Plain numbers instead of 1.2 M
    #[arg(short = 'N', long = "plain-numbers", help_heading = "Output")]
    pub plain_numbers: bool,

    /// Neither heading nor summary
    #[arg(short = 'q', long = "quiet", help_heading = "Output")]
    pub quiet: bool,

    /// Colour: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: clap::ColorChoice,

    /// No progress line on stderr
    #[arg(long, help_heading = "Output")]
    pub no_progress: bool,
}

const EXAMPLES: &str = "\
Examples:
  flowdump logs/ 'ip 203.0.113.9'                  every flow of one address, any format, gz or plain
  flowdump investigate.pcap 'port 8889'            a capture works like any other input
  flowdump logs/ -O bytes -n 10 'dst port 443'     the ten largest
  flowdump -r web.flow -o json 'action reject'     for programs

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";
