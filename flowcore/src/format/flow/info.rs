//! What a `.flow` file holds, without its rows.

use std::io::{Read, Seek};

use super::chunk;
use super::index::Index;
use super::layout::VERSION;
use super::metadata::FileHeader;
use super::reader::{FlowFileReader, filled_later, may_match, open_indexed};
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::source::{FlowSource, Problems, ReadRequest};
use crate::totals::Totals;

/// A summary of a `.flow` file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FileInfo {
    /// Version of the format.
    pub version: u16,
    /// Program that wrote the file; empty if the file does not say.
    pub creator: String,
    /// Name given to the recording; empty if there is none.
    pub ident: String,
    /// Whether the file has a sound index. If not, the numbers are those of the blocks that could be read.
    pub complete: bool,
    /// What is wrong with the file.
    pub problems: Problems,
    /// Blocks.
    pub blocks: u64,
    /// Rows, time span, and sums by protocol.
    pub totals: Totals,
    /// Ways in which columns are compressed, by name; empty where there is no index.
    pub compression: Vec<&'static str>,
    /// Bytes of all columns before compression; 0 where there is no index.
    pub raw_bytes: u64,
    /// Bytes of all columns in the file; 0 where there is no index.
    pub stored_bytes: u64,
}

/// Summarises a file: from its index if it has one, else from its blocks.
///
/// # Errors
/// When the file is no `.flow` file, is one of a later version, or cannot be read.
pub fn read_info(mut file: impl Read + Seek + Send + 'static, name: &str) -> Result<FileInfo> {
    let (opening, index) = open_indexed(&mut file).map_err(|error| error.in_input(name))?;
    let Some(index) = index else { return info_from_blocks(file, name) };
    let mut info = FileInfo::new(&opening.header, index.totals.totals());
    info.complete = true;
    info.blocks = index.blocks.len() as u64;
    opening.problem.into_iter().for_each(|error| info.problems.push(error.in_input(name)));
    info.add_sizes(&index);
    Ok(info)
}

/// How much of a file a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BlockCount {
    /// Blocks.
    pub blocks: u64,
    /// Blocks that are skipped, as no row of them can match.
    pub skipped: u64,
    /// Rows of all blocks.
    pub rows: u64,
    /// Rows of the blocks that are skipped.
    pub rows_skipped: u64,
}

/// Counts the blocks that a request leaves unread, by the index alone; `None` for a file that has none.
///
/// # Errors
/// As [`read_info`].
pub fn count_blocks(
    mut file: impl Read + Seek,
    name: &str,
    request: &ReadRequest,
) -> Result<Option<BlockCount>> {
    let (opening, index) = open_indexed(&mut file).map_err(|error| error.in_input(name))?;
    let Some(index) = index else { return Ok(None) };
    let (mut count, filled_later) = (BlockCount::default(), filled_later(&opening.header));
    for entry in &index.blocks {
        let rows = u64::from(entry.block.rows);
        count.blocks += 1;
        count.rows += rows;
        if !may_match(&entry.block, filled_later, request) {
            count.skipped += 1;
            count.rows_skipped += rows;
        }
    }
    Ok(Some(count))
}

fn info_from_blocks(file: impl Read + Seek + Send + 'static, name: &str) -> Result<FileInfo> {
    let request = ReadRequest { fields: Totals::fields(), unknown_columns: false, ..ReadRequest::default() };
    let mut reader = FlowFileReader::open_file(file, name, &request)?;
    let (mut totals, mut batch) = (Totals::default(), FlowBatch::new());
    while reader.read_batch(&mut batch)? {
        totals.add(&batch);
    }
    let stats = reader.stats();
    let mut info = FileInfo::new(reader.header(), totals);
    info.blocks = stats.blocks;
    info.problems = stats.problems;
    Ok(info)
}

impl FileInfo {
    fn new(header: &FileHeader, totals: Totals) -> Self {
        Self {
            version: VERSION,
            creator: header.attribute(FileHeader::CREATOR).to_owned(),
            ident: header.attribute(FileHeader::IDENT).to_owned(),
            complete: false,
            problems: Problems::default(),
            blocks: 0,
            totals,
            compression: Vec::new(),
            raw_bytes: 0,
            stored_bytes: 0,
        }
    }

    fn add_sizes(&mut self, index: &Index) {
        let columns = index.blocks.iter().flat_map(|entry| &entry.block.columns);
        let mut used: Vec<u8> = columns.map(|column| column.compression).collect();
        used.sort_unstable();
        used.dedup();
        self.compression = used.into_iter().map(chunk::name).collect();
        self.raw_bytes = index.blocks.iter().map(|entry| entry.block.raw_len()).sum();
        self.stored_bytes = index.blocks.iter().map(|entry| entry.block.data_len()).sum();
    }
}
