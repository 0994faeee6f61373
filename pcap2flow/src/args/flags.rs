//! The command line as typed: one definition of each option, from which parsing and help come.

use std::path::PathBuf;

use clap::{ArgAction, Parser};
use flowcore::Filter;
use pcap2flow::{DuplicateWindow, KeyParts, TunnelMode};

use super::generate::Generated;
use super::values::{self, FileFormat, RecordPart, StatsFormat, Timeouts};
use crate::slots::{Folders, Zone};

/// The options. Names and letters are `nfpcapd`'s where it has them.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "pcap2flow",
    version,
    about = "Turn packet captures into bidirectional flow records",
    override_usage = "pcap2flow [OPTIONS] [CAPTURE]... -w <OUT>",
    after_help = EXAMPLES,
    help_expected = true,
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(crate) struct Flags {
    /// Captures, read one after the other into the same flows: pcap, pcapng or snoop, plain, gzip, zstd or bzip2; '-'
    /// is stdin
    #[arg(value_name = "CAPTURE")]
    pub(super) captures: Vec<PathBuf>,

    /// Read this capture ('-' is stdin); may be repeated
    #[arg(short = 'r', long = "read", value_name = "FILE", help_heading = "Input")]
    pub(super) read: Vec<PathBuf>,

    /// Meter only packets that match, in flowdump's filter language (not that of tcpdump); source is the sender of the
    /// packet, and later fragments have no ports
    #[arg(
        short = 'F',
        long = "filter",
        alias = "packet-filter",
        value_name = "FILTER",
        value_parser = values::filter,
        help_heading = "Input"
    )]
    pub(super) filter: Option<Filter>,

    /// Look at no more than this many bytes of a frame, at least 54; lengths stay those on the wire. What lies behind is
    /// not seen: ports, inner packets of tunnels, and below 58 bytes IPv6 behind a VLAN tag
    #[arg(
        short = 's',
        long = "snaplen",
        value_name = "BYTES",
        value_parser = values::snap_length,
        help_heading = "Input"
    )]
    pub(super) snaplen: Option<u32>,

    /// Leave out packets that were captured twice: equal to one of the last PACKETS (8), no more than MS milliseconds
    /// apart (100), TTL and header checksum aside
    #[arg(
        short = 'd',
        long = "dedup",
        value_name = "PACKETS[,MS]",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "8,100",
        value_parser = values::duplicates,
        help_heading = "Input"
    )]
    pub(super) dedup: Option<DuplicateWindow>,

    /// Active and idle timeout in seconds of packet time, 1 to 3600 each
    #[arg(
        short = 'e',
        long = "timeout",
        value_name = "ACTIVE,IDLE",
        default_value = "300,60",
        value_parser = values::timeouts,
        help_heading = "Flows"
    )]
    pub(super) timeout: Timeouts,

    /// One record per direction, as nfpcapd writes them
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "true|false",
        action = ArgAction::Set,
        help_heading = "Flows"
    )]
    pub(super) uniflow: bool,

    /// Which packet of a tunnel is metered: inner or outer
    #[arg(long, value_name = "WHICH", default_value = "inner", help_heading = "Flows")]
    pub(super) tunnel: TunnelMode,

    /// What else packets of a flow have in common: vlan, mac, tunnel, with commas between them
    #[arg(long, value_name = "PARTS", help_heading = "Flows")]
    pub(super) key: Option<KeyParts>,

    /// More in the records: fat measures latency and retransmissions of TCP, payload keeps the first payload of each
    /// direction (its first BYTES, 65535 at most)
    #[arg(
        short = 'o',
        long = "options",
        value_name = "fat,payload[=BYTES]",
        value_delimiter = ',',
        value_parser = values::record_part,
        help_heading = "Flows"
    )]
    pub(super) options: Vec<RecordPart>,

    /// Flows that may be open at a time, 2M unless said; one more ends the one that has been idle longest
    #[arg(
        short = 'B',
        long = "cache",
        value_name = "FLOWS",
        value_parser = values::cache,
        help_heading = "Flows"
    )]
    pub(super) cache: Option<usize>,

    /// Write to a flow file, into a folder (one file per interval), or to stdout ('-'); a file called *.nf or nfcapd.* is
    /// an nfdump file
    #[arg(
        short = 'w',
        long = "write",
        short_alias = 'l',
        value_name = "DIR|FILE|-",
        help_heading = "Output"
    )]
    pub(super) write: Option<PathBuf>,

    /// Format of what is written: flow, or nfdump (files called nfcapd.YYYYMMDDhhmm in a folder)
    #[arg(long, value_name = "FORMAT", value_parser = values::format, help_heading = "Output")]
    pub(super) format: Option<FileFormat>,

    /// Length of the interval of a file in a folder, in seconds or as 5m, 1h, 1d; 300 unless said
    #[arg(
        short = 't',
        long = "rotate",
        value_name = "INTERVAL",
        value_parser = values::interval,
        help_heading = "Output"
    )]
    pub(super) rotate: Option<u32>,

    /// Folders below the output folder: 0 none, 1 YYYY/MM/DD, 2 YYYY/MM/DD/hh, 3 YYYY/week/weekday, 4 the same with
    /// /hh, 5 YYYY/day, 6 YYYY/day/hh, 7 YYYY-MM-DD, 8 YYYY-MM-DD/hh
    #[arg(short = 'S', long = "subdir", value_name = "N", help_heading = "Output")]
    pub(super) subdir: Option<Folders>,

    /// Clock of the names of files in a folder: utc or local
    #[arg(long, value_name = "ZONE", default_value = "utc", help_heading = "Output")]
    pub(super) tz: Zone,

    /// Compression: lz4 (also without METHOD, and without -z), zstd[:LEVEL] or none; nfdump files also lzo or bz2, and
    /// nfdump 1.7.1 reads no zstd
    #[arg(
        short = 'z',
        long = "compress",
        value_name = "METHOD",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "lz4",
        value_parser = values::compression,
        overrides_with_all = ["smallest", "lz4"],
        help_heading = "Output"
    )]
    pub(super) compress: Option<String>,

    /// The smallest files: zstd:19, for nfdump files bz2
    #[arg(short = 'j', long = "smallest", overrides_with_all = ["compress", "lz4"], help_heading = "Output")]
    pub(super) smallest: bool,

    /// The same as -z=lz4
    #[arg(short = 'y', long = "lz4", overrides_with_all = ["compress", "smallest"], help_heading = "Output")]
    pub(super) lz4: bool,

    /// Name of the recording, kept with the flows
    #[arg(short = 'I', long = "ident", value_name = "NAME", help_heading = "Output")]
    pub(super) ident: Option<String>,

    /// Replace existing files
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "true|false",
        action = ArgAction::Set,
        help_heading = "Output"
    )]
    pub(super) force: bool,

    /// Print how many frames were used, and how many were skipped for which reason, as table or json
    #[arg(
        long,
        value_name = "FORMAT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        value_parser = values::stats_format,
        help_heading = "Report"
    )]
    pub(super) stats: Option<StatsFormat>,

    /// Say more on stderr: 1 each capture that was read, 2 each file that was written, 3 why frames of a capture were
    /// skipped, 4 what was odd about those used
    #[arg(
        short = 'v',
        long = "verbose",
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        value_parser = values::verbosity,
        help_heading = "Report"
    )]
    pub(super) verbose: Option<u8>,

    /// Print nothing but errors
    #[arg(
        short = 'q',
        long = "quiet",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "true|false",
        action = ArgAction::Set,
        help_heading = "Report"
    )]
    pub(super) quiet: bool,

    /// No progress line on stderr
    #[arg(
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        default_value = "false",
        hide_default_value = true,
        hide_possible_values = true,
        value_name = "true|false",
        action = ArgAction::Set,
        help_heading = "Report"
    )]
    pub(super) no_progress: bool,

    /// Threads: 1 does everything in one, 2 meters and writes at the same time, 3 reads apart as well, 4 makes records
    /// apart too; 4 unless said, and 1 where there is one core. The output is the same for any number
    #[arg(
        short = 'W',
        long = "workers",
        alias = "threads",
        value_name = "N",
        value_parser = values::workers,
        help_heading = "Other"
    )]
    pub(super) workers: Option<usize>,

    /// Read options from a file: lines 'name = value' with long names, '#' begins a comment line; the command line
    /// wins. None is read unless it is named here
    #[arg(short = 'C', long = "config", value_name = "FILE", help_heading = "Other")]
    pub(super) config: Option<PathBuf>,

    /// Print a manual page or a completion script: man, complete-bash, complete-zsh, complete-fish or
    /// complete-powershell
    #[arg(long, value_name = "WHAT", help_heading = "Other")]
    pub(super) generate: Option<Generated>,

    /// Print this help
    #[arg(short = 'h', long = "help", action = ArgAction::Help, help_heading = "Other")]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long = "version", action = ArgAction::Version, help_heading = "Other")]
    version: Option<bool>,
}

const EXAMPLES: &str = "\
Examples:
  pcap2flow -r investigate.pcap -w investigate.flow
  pcap2flow -r investigate.pcap --format nfdump -w exported-netflow/    for nfdump -R exported-netflow
  pcap2flow monday-*.pcap.gz -w flows/ -t 1h -S 1    one file an hour, one folder a day
  pcap2flow -d -o fat -F 'not port 22' investigate.pcap -w web.flow --stats
  tcpdump -w - | pcap2flow - -w - | flowdump - 'port 443'

Exit codes: 0 done; 2 wrong usage, or a capture that could not be read in full (the rest is converted all the same).
A signal (^C) ends reading, and what was read is written; a second one drops it.";
