//! The options, each defined once: parsing and help come from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use flowcore::aggregate::{Order, Statistic};

use super::words;

/// The command line as typed.
#[derive(Debug, Parser)]
#[command(
    name = "flowdump",
    version,
    about = "Print, filter and summarise flows: captures, flow files, nfdump files and AWS VPC flow logs",
    override_usage = "flowdump [OPTIONS] [INPUT]... [[--] FILTER]",
    after_help = EXAMPLES,
    after_long_help = long_help(),
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

    /// Read every file below this folder, in the order of names; or FILE and all later ones of its folder; or
    /// FIRST:LAST, both included (dir/nfcapd.202301010000:nfcapd.202301012355); may be repeated
    #[arg(short = 'R', long = "read-range", value_name = "DIR|RANGE", help_heading = "Input")]
    pub read_range: Vec<PathBuf>,

    /// Read what -r or -R names below each of these folders: /flows/a:b is /flows/a and /flows/b
    #[arg(short = 'M', long = "read-folders", value_name = "DIR:DIR", help_heading = "Input")]
    pub read_folders: Option<PathBuf>,

    /// Skip detection: flow, nfdump, vpc, pcap, pcapng or snoop
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

    /// Count by a field and show the top of it: NAME, NAME:p or NAME/ORDER, as 'srcip/bytes' or 'port:p/flows/packets'; may be
    /// repeated. ':p' splits by protocol; the order is flows unless said otherwise
    #[arg(short = 's', long = "stat", value_name = "SPEC", help_heading = "Statistics")]
    pub stat: Vec<String>,

    /// Sort by tstart, tend, bytes, packets or duration; ':a' or ':d' behind it sets the direction
    #[arg(short = 'O', long = "order", value_name = "FIELD", help_heading = "Selection")]
    pub order: Option<String>,

    /// Print the first N records, after sorting, or the first N of each statistic; 0 means all [default: 10 for -s,
    /// otherwise 0]
    #[arg(short = 'n', long = "top", value_name = "N", help_heading = "Selection")]
    pub top: Option<usize>,

    /// Print totals of the input only
    #[arg(short = 'I', long = "info", help_heading = "Output")]
    pub info: bool,

    /// Read all of a flow file or an nfdump file and say whether it is sound
    #[arg(short = 'v', long = "verify", value_name = "FILE", help_heading = "Output")]
    pub verify: Option<PathBuf>,

    /// line, long, extended, csv, json, ndjson, null, or columns of your choice: 'fmt:%ts %sap -> %dap %byt %{vlan}'
    #[arg(short = 'o', long = "output", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<String>,

    /// Write matching records to a flow file instead of printing them ('-' is stdout); a name that ends in .csv,
    /// .json or .ndjson gets that format, and one that ends in .nf or begins with nfcapd. is an nfdump file
    #[arg(short = 'w', long = "write", value_name = "FILE", help_heading = "Output")]
    pub write: Option<PathBuf>,

    /// Compression of what -w writes: lz4 (also without METHOD, and without -z), zstd, zstd:LEVEL or none; nfdump files
    /// also lzo or bz2, and nfdump 1.7.1 reads no zstd
    #[arg(
        short = 'z',
        long = "compress",
        value_name = "METHOD",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "lz4",
        help_heading = "Output"
    )]
    pub compress: Option<String>,

    /// The smallest files: zstd:19, for nfdump files bz2
    #[arg(short = 'j', help_heading = "Output")]
    pub smallest: bool,

    /// The same as -z=lz4
    #[arg(short = 'y', help_heading = "Output")]
    pub lz4: bool,

    /// Replace an existing output
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Plain numbers instead of 1.2 M; protocols as numbers and durations in seconds
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

impl Flags {
    /// Reads the words of a command line, the program's name first. Ends the program where they ask for help or are
    /// wrong.
    pub fn from_words(words: impl IntoIterator<Item = OsString>) -> Self {
        Self::parse_from(words::join(words))
    }
}

/// The examples, with the words that `-s` takes.
fn long_help() -> String {
    let names: Vec<&str> = Statistic::names().map(|(name, _)| name).collect();
    let orders: Vec<&str> = Order::names().collect();
    format!(
        "{EXAMPLES}\n\nStatistics (-s): {}, and any field by its name\nOrders: {}; ':a' behind it is smallest first, \
         ':d' largest first",
        names.join(" "),
        orders.join(" ")
    )
}

const EXAMPLES: &str = "\
Examples:
  flowdump logs/ 'ip 203.0.113.9'                  every flow of one address, any format, gz or plain
  flowdump investigate.pcap 'port 8889'            a capture works like any other input
  flowdump logs/ -O bytes -n 10 'dst port 443'     the ten largest
  flowdump logs/ -s dstport/bytes -s ip/flows      top ten ports and hosts
  flowdump -r web.flow -o json 'action reject'     for programs
  flowdump -R flows/nfcapd.202309280000 -w day.nf  nfdump's files, in and out

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";
