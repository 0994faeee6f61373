//! What an nfdump file holds, without its flows.

use std::io::{Read, Seek};

use super::appendix::{Appendix, Statistics};
use super::codec::MAX_BLOCK;
use super::header::FileHeader;
use super::reader::{NfdumpReader, read_ends};
use super::record::FLOW_HEADER;
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::record::{Protocol, Timestamp};
use crate::source::{FlowSource, Problems, ReadRequest};
use crate::totals::{ProtocolTotals, Totals};

/// A summary of an nfdump file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileInfo {
    /// Version of the layout.
    pub version: u16,
    /// Program that wrote the file, such as `nfpcapd`.
    pub creator: &'static str,
    /// Version of that program.
    pub creator_version: String,
    /// When the file was begun, if it says so.
    pub created: Option<Timestamp>,
    /// Name given to the recording; empty if there is none.
    pub ident: String,
    /// Compression of the blocks: `none`, `lzo`, `bzip2`, `lz4` or `zstd`.
    pub compression: &'static str,
    /// Blocks with flows.
    pub blocks: u64,
    /// Whether the statistics at the end are there and sound. If not, the totals are those of the flows that could be
    /// read.
    pub has_statistics: bool,
    /// Rows, time span, and sums by protocol. Statistics have one sum for both directions, which stands for packets and
    /// bytes from source to destination, count flows where rows are meant, and know the protocols TCP, UDP and ICMP
    /// only.
    pub totals: Totals,
    /// Packets of exporters that did not reach the collector, as far as it noticed.
    pub sequence_failures: u64,
    /// What is wrong with the file.
    pub problems: Problems,
}

/// Summarises a file: from the statistics at its end if they are sound, else from its flows.
///
/// Statistics are sound if they are there in full, each sum is that of its parts, and they know of flows if the file has
/// blocks, but of no more than these can hold.
///
/// # Errors
/// When the file is no nfdump file of a layout that is read, or cannot be read.
pub fn read_info(mut file: impl Read + Seek + Send + 'static, name: &str) -> Result<FileInfo> {
    let (header, appendix) = read_ends(&mut file).map_err(|error| error.in_input(name))?;
    match appendix {
        Ok(appendix) => match appendix.statistics.filter(|statistics| is_sound(statistics, &header)) {
            Some(statistics) => {
                let mut info = FileInfo::new(&header, totals(&statistics));
                info.add_appendix(&appendix, &statistics, name);
                Ok(info)
            }
            None => info_from_flows(file, name),
        },
        Err(_) => info_from_flows(file, name),
    }
}

fn is_sound(statistics: &Statistics, header: &FileHeader) -> bool {
    let flows = statistics.flows.all;
    let is_possible = match header.blocks {
        0 => flows == 0 && header.appendix_offset == FileHeader::LEN as u64,
        blocks => flows > 0 && flows <= u64::from(blocks) * MAX_FLOWS,
    };
    statistics.add_up() && header.is_closed() && is_possible
}

/// Flows that a block can have: none is shorter than the header of its record.
const MAX_FLOWS: u64 = (MAX_BLOCK / FLOW_HEADER) as u64;

fn info_from_flows(file: impl Read + Seek + Send + 'static, name: &str) -> Result<FileInfo> {
    let request = ReadRequest { fields: Totals::fields(), unknown_columns: false, ..ReadRequest::default() };
    let mut reader = NfdumpReader::open_file(file, name, &request)?;
    let totals = sum_up(&mut reader)?;
    Ok(FileInfo::read(&reader, totals))
}

/// Sums over all flows of a reader.
fn sum_up(reader: &mut NfdumpReader) -> Result<Totals> {
    let (mut totals, mut batch) = (Totals::default(), FlowBatch::new());
    while reader.read_batch(&mut batch)? {
        totals.add(&batch);
    }
    Ok(totals)
}

impl FileInfo {
    fn new(header: &FileHeader, totals: Totals) -> Self {
        Self {
            version: FileHeader::LAYOUT,
            creator: header.creator_name(),
            creator_version: header.writer_version(),
            created: Some(header.created).filter(|seconds| *seconds != 0).map(Timestamp::from_secs),
            ident: String::new(),
            compression: header.compression_name().unwrap_or_default(),
            blocks: u64::from(header.blocks),
            has_statistics: false,
            totals,
            sequence_failures: 0,
            problems: Problems::default(),
        }
    }

    /// Of a file that has been read to its end.
    pub(super) fn read(reader: &NfdumpReader, totals: Totals) -> Self {
        let stats = reader.stats();
        let mut info = Self::new(reader.header(), totals);
        info.ident = reader.ident().to_owned();
        info.blocks = stats.blocks;
        let statistics = reader.appendix().and_then(|appendix| appendix.statistics);
        info.sequence_failures = statistics.map_or(0, |statistics| statistics.sequence_failures);
        info.problems = stats.problems;
        info
    }

    fn add_appendix(&mut self, appendix: &Appendix, statistics: &Statistics, name: &str) {
        self.ident.clone_from(&appendix.ident);
        appendix.shortage().into_iter().for_each(|error| self.problems.push_input(error.in_input(name)));
        self.has_statistics = true;
        self.sequence_failures = statistics.sequence_failures;
    }
}

fn totals(statistics: &Statistics) -> Totals {
    let Statistics { flows, packets, bytes, .. } = statistics;
    let part = |protocol, flows, in_packets, in_bytes| ProtocolTotals {
        protocol,
        flows,
        in_packets,
        in_bytes,
        ..ProtocolTotals::default()
    };
    let parts = [
        part(Some(Protocol::ICMP), flows.icmp, packets.icmp, bytes.icmp),
        part(Some(Protocol::TCP), flows.tcp, packets.tcp, bytes.tcp),
        part(Some(Protocol::UDP), flows.udp, packets.udp, bytes.udp),
        part(None, flows.other, packets.other, bytes.other),
    ];
    let nanos = |millis: u64| {
        let millis = i64::try_from(millis).ok().filter(|millis| *millis != 0 && flows.all > 0)?;
        millis.checked_mul(1_000_000)
    };
    Totals::from_parts(flows.all, nanos(statistics.first), nanos(statistics.last), parts.into_iter())
}
