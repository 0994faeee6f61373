//! The options, each defined once: parsing and help come from here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

use super::StatsFormat;
use crate::help::Generated;

/// The command line as typed.
#[derive(Debug, Parser)]
#[command(
    name = "flowdump",
    version,
    about = "Print, filter and summarise flows: captures, flow files, nfdump files, flow logs of AWS, GCP and Azure",
    override_usage = "flowdump [OPTIONS] [INPUT]... [[--] FILTER]",
    after_help = SHORT_HELP,
    after_long_help = LONG_HELP,
    args_override_self = true,
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

    /// Skip detection: flow, nfdump, vpc, parquet, gcp, azure, pcap, pcapng or snoop
    #[arg(long, value_name = "FORMAT", help_heading = "Input", hide_short_help = true)]
    pub format: Option<String>,

    /// Columns of VPC logs without header line: names, or the flow log's '${...}' format
    #[arg(long, value_name = "NAMES", help_heading = "Input", hide_short_help = true)]
    pub vpc_fields: Option<String>,

    /// Active and idle timeout in seconds for captures
    #[arg(
        short = 'e',
        long = "timeout",
        value_name = "ACTIVE,IDLE",
        default_value = "300,60",
        help_heading = "Input",
        hide_short_help = true
    )]
    pub timeout: String,

    /// The filter, whatever the other words are
    #[arg(long, value_name = "EXPR", help_heading = "Selection")]
    pub filter: Option<String>,

    /// Read the filter from a file ('-' is stdin)
    #[arg(short = 'f', long, value_name = "FILE", help_heading = "Selection")]
    pub filter_file: Option<PathBuf>,

    /// Only records inside a window of time: from a time on, or from one to another, both included. Times are UTC unless
    /// they say otherwise; parts left off at the end are the lowest
    ///
    /// nfdump's YYYY/MM/DD.hh:mm:ss[-YYYY/MM/DD.hh:mm:ss]; ISO 8601 with a slash between the ends, the last of which may
    /// be a time of day or a length (2023-09-28T17:22/18:00, 2023-09-28T17:22/+10m); seconds since 1970; now-2h. +10m
    /// and -10m are the first and the last ten minutes of all flows, for which the inputs are read twice.
    #[arg(
        short = 't',
        long = "time",
        value_name = "WINDOW",
        allow_hyphen_values = true,
        help_heading = "Selection"
    )]
    pub time: Option<String>,

    /// Stop after N matching records
    #[arg(
        short = 'c',
        long = "limit",
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Selection"
    )]
    pub limit: Option<u64>,

    /// Join the records of each flow: same addresses, ports and protocol
    #[arg(short = 'a', long = "aggregate", help_heading = "Aggregation and statistics")]
    pub aggregate: bool,

    /// Join records with the same values of these fields: 'srcip,dstport', 'srcip4/24,srcip6/64,proto'
    #[arg(
        short = 'A',
        long = "aggregate-by",
        value_name = "FIELDS",
        help_heading = "Aggregation and statistics"
    )]
    pub aggregate_by: Option<String>,

    /// Join the records of both directions of each flow; the first one says which is the source
    #[arg(short = 'b', long = "biflow", help_heading = "Aggregation and statistics")]
    pub biflow: bool,

    /// As -b, with the side of the lower port as destination
    #[arg(short = 'B', long = "biflow-guess", help_heading = "Aggregation and statistics")]
    pub biflow_guess: bool,

    /// Join the rows of cloud logs to connections: both directions and all windows of each, initiator first, with what
    /// became of it; a pause of more than SECONDS (660 unless said otherwise) begins another one. Of captures, the parts
    /// of a flow that timeouts cut
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "660",
        help_heading = "Aggregation and statistics"
    )]
    pub stitch: Option<u32>,

    /// Count traffic once that two interfaces or two flow logs wrote down, and say how much was left out
    #[arg(long, help_heading = "Aggregation and statistics")]
    pub dedup: bool,

    /// Only groups of -a, -A, -b, --stitch or -s record that match: their packets, bytes and flows are sums. With --stitch
    /// beside -A, -s NAME or --every: only connections that match
    #[arg(
        short = 'P',
        long = "post-filter",
        value_name = "FILTER",
        help_heading = "Aggregation and statistics"
    )]
    pub post_filter: Option<String>,

    /// Memory for groups, rows to be joined and copies, as 500M or 8G [default: half of what there is]
    #[arg(long, value_name = "SIZE", help_heading = "Aggregation and statistics")]
    pub memory: Option<String>,

    /// Count by a field and show the top of it: NAME, NAME:p or NAME/ORDER, as 'srcip/bytes' or 'port:p/flows/packets'; may be
    /// repeated. ':p' splits by protocol; the order is flows unless said otherwise. 'record' is whole flows, or what -A says
    #[arg(short = 's', long = "stat", value_name = "SPEC", help_heading = "Aggregation and statistics")]
    pub stat: Vec<String>,

    /// Sort records or groups: tstart, tend, duration, flows, packets, bytes, pps, bps, bpp, or one direction as ibytes; ':a'
    /// or ':d' behind it sets the direction
    #[arg(short = 'O', long = "order", value_name = "ORDER", help_heading = "Aggregation and statistics")]
    pub order: Option<String>,

    /// Print the first N records or groups, after sorting, or the first N of each statistic; 0 means all [default: 10 for
    /// -s, otherwise 0]. Of an unsorted list it is as -c: nothing more is read
    #[arg(
        short = 'n',
        long = "top",
        value_name = "N",
        allow_negative_numbers = true,
        help_heading = "Aggregation and statistics"
    )]
    pub top: Option<usize>,

    /// The same as -O tstart, as in versions of nfdump before 1.7
    #[arg(short = 'm', long = "by-start", hide = true)]
    pub by_start: bool,

    /// Count by time: a row for each interval in which records start, such as 30s, 5m, 1h or 1d, empty ones included; on
    /// a terminal with bars of the bytes, or of what -O names (flows, packets, pps, bps)
    #[arg(long, value_name = "INTERVAL", help_heading = "Aggregation and statistics")]
    pub every: Option<String>,

    /// Print totals of the input only
    #[arg(short = 'I', long = "info", help_heading = "Aggregation and statistics")]
    pub info: bool,

    /// Print the totals of each file in a line: time,flows,packets,bytes
    #[arg(
        short = 'g',
        long = "per-file",
        help_heading = "Aggregation and statistics",
        hide_short_help = true
    )]
    pub per_file: bool,

    /// line, long, extended, biline, bilong, nsel, nat, raw, csv, csv-fast, json, ndjson, vpc, null, or columns of your
    /// choice: 'fmt:%ts %sap -> %dap %byt %{vlan}', 'csv:%ts,%sa,%byt'
    #[arg(short = 'o', long = "output", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<String>,

    /// Write matching records to a flow file instead of printing them ('-' is stdout); a name that ends in .csv,
    /// .json or .ndjson gets that format, one that ends in .log or .log.gz is an AWS flow log, and one that ends in .nf or
    /// begins with nfcapd. is an nfdump file
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
    #[arg(short = 'j', long = "smallest", help_heading = "Output", hide_short_help = true)]
    pub smallest: bool,

    /// The same as -z=lz4
    #[arg(short = 'y', long = "lz4", help_heading = "Output", hide_short_help = true)]
    pub lz4: bool,

    /// Replace an existing output
    #[arg(long, help_heading = "Output")]
    pub force: bool,

    /// Plain numbers instead of 1.2 M; protocols as numbers and durations in seconds
    #[arg(short = 'N', long = "plain-numbers", help_heading = "Output")]
    pub plain_numbers: bool,

    /// Columns of addresses as wide as IPv6 addresses from the start; addresses are never cut, with or without it
    #[arg(short = '6', long = "full-ipv6", help_heading = "Output")]
    pub full_ipv6: bool,

    /// Neither heading nor summary
    #[arg(short = 'q', long = "quiet", help_heading = "Output")]
    pub quiet: bool,

    /// Colour: auto, always or never
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    pub color: clap::ColorChoice,

    /// No progress line on stderr
    #[arg(long, help_heading = "Output", hide_short_help = true)]
    pub no_progress: bool,

    /// Check the filter and end; the exit code says whether it is right
    #[arg(short = 'Z', long = "check-filter", help_heading = "Checks")]
    pub check_filter: bool,

    /// Print the tree of the filter, a term a line, and end
    #[arg(short = 'X', long = "show-tree", help_heading = "Checks")]
    pub show_tree: bool,

    /// Say what would be read, in which formats, which columns and blocks, and what would be made of it; reads no record
    #[arg(long, help_heading = "Checks")]
    pub explain: bool,

    /// Read all of a flow file or an nfdump file and say whether it is sound
    #[arg(short = 'v', long = "verify", value_name = "FILE", help_heading = "Checks")]
    pub verify: Option<PathBuf>,

    /// Everything the filter language knows
    #[arg(long, help_heading = "Help")]
    pub help_filter: bool,

    /// Every field of a record
    #[arg(long, help_heading = "Help")]
    pub help_fields: bool,

    /// Output formats, columns for fmt:, statistics and orders
    #[arg(long, help_heading = "Help")]
    pub help_formats: bool,

    /// Print a manual page or a completion script: man, man-investigate, man-correlate, complete-bash, complete-zsh,
    /// complete-fish or complete-powershell
    #[arg(
        long,
        value_name = "WHAT",
        hide_possible_values = true,
        help_heading = "Help",
        hide_short_help = true
    )]
    pub generate: Option<Generated>,

    /// Account for everything that was read, instead of the list: files, records, what was lost or cannot be used,
    /// missing files of flow logs; beside a report or -w it replaces the summary. As a table, or as json
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        help_heading = "Checks"
    )]
    pub stats: Option<StatsFormat>,

    /// Exit with 2 as well where evidence is missing: SKIPDATA rows, or slots of flow logs without a file
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,

    /// Columns of an AWS flow log that is written (-w NAME.log, NAME.log.gz, -o vpc): names, or a flow log's '${...}' format
    /// [default: those of the inputs, if they agree, and those that have values]
    #[arg(long, value_name = "NAMES", help_heading = "Output", hide_short_help = true)]
    pub columns: Option<String>,

    /// Accepted for nfdump's command lines: the number of threads changes nothing in the output
    #[arg(short = 'W', long = "workers", value_name = "N", hide = true)]
    pub workers: Option<u64>,

    /// Accepted for nfdump's command lines where it is 'none': no configuration file is read
    #[arg(short = 'C', long = "config", value_name = "none", hide = true)]
    pub config: Option<String>,

    /// Accepted for nfdump's command lines where it is 'none': no geo database is read
    #[arg(short = 'G', long = "geo", value_name = "none", hide = true)]
    pub geo: Option<String>,
}

const SHORT_HELP: &str = "\
Examples:
  flowdump logs/ 'ip 203.0.113.9'                  every flow of one address
  flowdump investigate.pcap 'port 8889'            a capture works like any other input
  flowdump logs/ -s dstport/bytes -s ip/flows      top ten ports and hosts
  flowdump investigate 203.0.113.9 logs/           what a host did, and where it went on from there

--help lists all options; --help-filter, --help-fields and --help-formats are reference pages.";

const LONG_HELP: &str = "\
Examples:
  flowdump logs/ 'ip 203.0.113.9'                  every flow of one address, any format, gz or plain
  flowdump investigate.pcap 'port 8889'            a capture works like any other input
  flowdump logs/ -O bytes -n 10 'dst port 443'     the ten largest
  flowdump logs/ -s dstport/bytes -s ip/flows      top ten ports and hosts
  flowdump logs/ --every 1h 'action reject'        how much, when
  flowdump logs/ -t 2023-09-28T17:00/18:00         one hour of it
  flowdump -r web.flow -o json 'action reject'     for programs
  flowdump -R flows/nfcapd.202309280000 -w day.nf  nfdump's files, in and out
  flowdump investigate 203.0.113.9 logs/ a.pcap    what a host did (flowdump investigate -h)
  flowdump correlate a.pcap logs/                  what two vantage points saw (flowdump correlate -h)

Exit codes: 0 done; 2 wrong usage, or an input that could not be read in full (the rest is done all the same).";
