//! The formats flows are read from and written to. Adding one is adding a folder and a line in each `match`.

pub mod azure;
mod buffered;
pub mod flow;
pub mod gcp;
pub mod nfdump;
pub mod vpc;

mod compress;
mod json;
mod parquet;
mod pool;
mod read;
mod rows_first;
mod sniff;

pub use compress::{Compression, decompress};
pub use sniff::{SNIFF_BYTES, describe, sniff};

use std::fmt;
use std::str::FromStr;

/// Ways in which formats compress their blocks; zstd can have a level, as `zstd:9`.
pub const COMPRESSIONS: [&str; 5] = ["none", "lz4", "zstd", "lzo", "bz2"];

/// Whether a word names a way in which some format compresses its blocks, with or without a level: what can follow `-z`.
///
/// ```
/// use flowcore::format::is_compression;
/// assert!(is_compression("zstd:9") && is_compression("lzo") && !is_compression("tcp"));
/// ```
pub fn is_compression(word: &str) -> bool {
    let method = word.split(':').next().unwrap_or_default();
    COMPRESSIONS.contains(&method) || method == "bzip2"
}

/// A format of flows or packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Our own columnar flow file, `docs/flow-file.md`.
    Flow,
    /// A file of nfdump 1.7, `docs/nfdump-file.md`.
    Nfdump,
    /// AWS VPC flow logs: text, and their records in JSON and CSV.
    Vpc,
    /// A packet capture, pcap or modified pcap.
    Pcap,
    /// A packet capture, pcapng.
    PcapNg,
    /// A packet capture, snoop (RFC 1761).
    Snoop,
    /// GCP VPC flow logs: entries of Cloud Logging as JSON.
    Gcp,
    /// Azure flow logs of security groups and virtual networks, JSON.
    Azure,
    /// AWS VPC flow logs in Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Flow,
        Self::Nfdump,
        Self::Vpc,
        Self::Pcap,
        Self::PcapNg,
        Self::Snoop,
        Self::Gcp,
        Self::Azure,
        Self::Parquet,
    ];

    /// The name used in `--format` and in the `format` field.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Nfdump => "nfdump",
            Self::Vpc => "vpc",
            Self::Pcap => "pcap",
            Self::PcapNg => "pcapng",
            Self::Snoop => "snoop",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Parquet => "parquet",
        }
    }

    /// Whether the format is a flow log of a cloud.
    pub const fn is_cloud_log(self) -> bool {
        matches!(self, Self::Vpc | Self::Parquet | Self::Gcp | Self::Azure)
    }

    /// Whether the format holds packets, which have to be metered into flows.
    pub const fn is_capture(self) -> bool {
        matches!(self, Self::Pcap | Self::PcapNg | Self::Snoop)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or(())
    }
}
