//! What a file says about a block: its rows, its protocols, and for each column where and how it is stored and
//! between which values it lies. Written in front of the block's data and again in the index.

use std::collections::HashSet;

use super::layout::{MAX_BLOCK, MAX_CHUNK, MAX_COLUMNS, MAX_ROWS};
use crate::codec::{Decode, Encode};
use crate::error::{Error, Result};
use crate::record::{Field, Storage};

/// The header of a file: names and texts about the file as a whole. Keys that are not known are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct FileHeader {
    pub(super) attributes: Vec<(String, String)>,
}

impl FileHeader {
    /// The program that wrote the file.
    pub(super) const CREATOR: &str = "creator";
    /// The name given to the recording.
    pub(super) const IDENT: &str = "ident";

    /// The text of a key; empty if there is none.
    pub(super) fn attribute(&self, key: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == key).map_or("", |(_, text)| text)
    }
}

/// A block of rows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct BlockMetadata {
    pub(super) rows: u32,
    /// Bit `n % 64` of word `n / 64` is set if a row has protocol `n`.
    pub(super) protocols: [u64; 4],
    /// The columns that have a value in some row, in the order of their data.
    pub(super) columns: Vec<ColumnMetadata>,
}

/// A column of a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct ColumnMetadata {
    /// Name of the field, or the column's own name if it has no field.
    pub(super) name: String,
    /// Whether the name is that of a field.
    pub(super) is_field: bool,
    /// Type of the values, see [`storage`](Self::storage).
    pub(super) storage: u8,
    /// How the values are written: [`PLAIN`] or [`DIFFERENCE`].
    pub(super) encoding: u8,
    /// Place of the column that this one is a difference to, from 0; 0 where there is none.
    pub(super) base: u32,
    /// How the chunk is compressed, see [`chunk`](super::chunk).
    pub(super) compression: u8,
    /// Bytes of the chunk in the file.
    pub(super) stored_len: u32,
    /// Bytes of the chunk after decompression.
    pub(super) raw_len: u32,
    /// CRC-32 of the chunk as it is in the file.
    pub(super) checksum: u32,
    pub(super) zone: ZoneMap,
}

/// The values stand for themselves.
pub(super) const PLAIN: u8 = 0;
/// The values are to be added to those of another column.
pub(super) const DIFFERENCE: u8 = 1;

/// The range of a column's values.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) enum ZoneMap {
    /// Nothing is said.
    Open,
    Numbers {
        present: u32,
        min: u64,
        max: u64,
    },
    Times {
        present: u32,
        min: i64,
        max: i64,
    },
    Addrs {
        present: u32,
        v4: Option<(u32, u32)>,
        v6: Option<(u128, u128)>,
    },
    /// Every text that occurs.
    Texts {
        present: u32,
        texts: Vec<String>,
    },
}

impl BlockMetadata {
    /// The column of a field.
    pub(super) fn column(&self, field: Field) -> Option<&ColumnMetadata> {
        self.columns.iter().find(|column| column.is_field && column.name == field.name())
    }

    /// Bytes of all chunks in the file. Right after [`check`](Self::check), which bounds it.
    pub(super) fn data_len(&self) -> u64 {
        self.columns.iter().map(|column| u64::from(column.stored_len)).sum()
    }

    /// Bytes of all chunks after decompression.
    pub(super) fn raw_len(&self) -> u64 {
        self.columns.iter().map(|column| u64::from(column.raw_len)).sum()
    }

    /// Whether all lengths and references are within the limits of the format.
    ///
    /// # Errors
    /// When they are not; the text says which.
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MAX_ROWS).contains(&(self.rows as usize)) {
            return Err(Error::damaged(format!("block of {} rows, {MAX_ROWS} at most", self.rows)));
        }
        if self.columns.len() > MAX_COLUMNS {
            return Err(Error::damaged(format!("{} columns, {MAX_COLUMNS} at most", self.columns.len())));
        }
        if self.raw_len() > MAX_BLOCK as u64 {
            return Err(Error::damaged(format!("block of {} bytes, {MAX_BLOCK} at most", self.raw_len())));
        }
        let mut names = HashSet::new();
        for (place, column) in self.columns.iter().enumerate() {
            self.check_column(place, column)?;
            if !names.insert((&column.name, column.is_field)) {
                return Err(Error::damaged(format!("column {:?} is there twice", column.name)));
            }
        }
        Ok(())
    }

    fn check_column(&self, place: usize, column: &ColumnMetadata) -> Result<()> {
        let wrong = |what: &str| Err(Error::damaged(format!("column {:?} {what}", column.name)));
        if column.raw_len as usize > MAX_CHUNK || column.stored_len > column.raw_len {
            return wrong("has an impossible length");
        }
        if column.encoding == DIFFERENCE {
            let base = self.columns.get(..place).and_then(|before| before.get(column.base as usize));
            if !base.is_some_and(|base| base.encoding == PLAIN && base.storage == column.storage) {
                return wrong("is a difference to no column");
            }
        }
        Ok(())
    }
}

impl ColumnMetadata {
    /// The type of the values; `None` for one of a later version.
    pub(super) fn storage(&self) -> Option<Storage> {
        match self.storage {
            0 => Some(Storage::Number),
            1 => Some(Storage::Time),
            2 => Some(Storage::Addr),
            3 => Some(Storage::Text),
            _ => None,
        }
    }
}

/// The number that stands for a type of values.
pub(super) const fn storage_tag(storage: Storage) -> u8 {
    match storage {
        Storage::Number => 0,
        Storage::Time => 1,
        Storage::Addr => 2,
        Storage::Text => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str) -> ColumnMetadata {
        ColumnMetadata {
            name: name.into(),
            is_field: true,
            storage: storage_tag(Storage::Time),
            encoding: PLAIN,
            base: 0,
            compression: 0,
            stored_len: 10,
            raw_len: 10,
            checksum: 0,
            zone: ZoneMap::Open,
        }
    }

    fn block(columns: Vec<ColumnMetadata>) -> BlockMetadata {
        BlockMetadata { rows: 7, protocols: [0; 4], columns }
    }

    #[test]
    fn impossible_blocks_are_refused() {
        let difference = |base| ColumnMetadata { encoding: DIFFERENCE, base, ..column("last") };
        block(vec![column("first"), difference(0)]).check().unwrap();
        let refused = [
            BlockMetadata { rows: 0, ..block(vec![]) },
            BlockMetadata { rows: 65_537, ..block(vec![]) },
            block(vec![column("a"), column("a")]),
            block(vec![ColumnMetadata { stored_len: 11, ..column("a") }]),
            block(vec![ColumnMetadata { raw_len: u32::MAX, ..column("a") }]),
            block((0..5).map(|n| ColumnMetadata { raw_len: 60 << 20, ..column(&n.to_string()) }).collect()),
            block(vec![difference(0)]),
            block(vec![column("first"), difference(1)]),
            block(vec![column("first"), difference(u32::MAX)]),
            block(vec![ColumnMetadata { storage: 0, ..column("first") }, difference(0)]),
        ];
        for block in refused {
            assert!(block.check().is_err(), "{block:?}");
        }
    }

    #[test]
    fn types_have_a_number_each() {
        for storage in [Storage::Number, Storage::Time, Storage::Addr, Storage::Text] {
            let column = ColumnMetadata { storage: storage_tag(storage), ..column("a") };
            assert_eq!(column.storage(), Some(storage));
        }
    }
}
