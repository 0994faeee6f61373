//! Blocks of a complete file by its index: what is not needed is not read.

use std::io::{Read, Seek, SeekFrom};

use super::ahead::became_shorter;
use super::blocks::{Blocks, Next, read_some};
use super::index::{Index, IndexEntry};
use crate::error::Result;

/// The blocks of a file with an index.
pub(super) struct Indexed<F> {
    file: F,
    entries: std::vec::IntoIter<IndexEntry>,
    number: u32,
    /// Start of the current block's data in the file.
    data: u64,
    /// The file ended where the index has data, which was not told yet.
    short: bool,
}

impl<F: Read + Seek + Send> Indexed<F> {
    pub(super) fn new(file: F, index: Index) -> Self {
        Self { file, entries: index.blocks.into_iter(), number: 0, data: 0, short: false }
    }
}

impl<F: Read + Seek + Send> Blocks for Indexed<F> {
    fn next(&mut self) -> Result<Next> {
        if std::mem::take(&mut self.short) {
            self.entries = Vec::new().into_iter();
            return Ok(Next::Problem { error: became_shorter(), rows: 0 });
        }
        let Some(entry) = self.entries.next() else { return Ok(Next::End) };
        self.number += 1;
        self.data = entry.data_offset();
        Ok(Next::Block { number: self.number, block: entry.block })
    }

    fn read(&mut self, at: u64, len: usize, into: &mut Vec<u8>) -> Result<bool> {
        self.file.seek(SeekFrom::Start(self.data.saturating_add(at)))?;
        let whole = read_some(&mut self.file, len, into)?;
        self.short |= !whole;
        Ok(whole)
    }

    fn leave(&mut self) -> Result<bool> {
        Ok(!self.short)
    }
}
