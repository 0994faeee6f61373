//! The footer: columns, row groups, and where the pages of each column are.

use super::file::ParquetFile;
use super::page::Codec;
use super::schema::{self, Leaf};
use super::thrift::{Kind, Thrift};
use super::{Column, cut};
use crate::error::{Error, Result};

/// What the footer of a file says.
#[derive(Debug)]
pub(in crate::format) struct Footer {
    /// The columns, in their order.
    pub(in crate::format) leaves: Vec<Leaf>,
    pub(in crate::format) groups: Vec<RowGroup>,
}

/// Some rows, and where their columns are.
#[derive(Debug)]
pub(in crate::format) struct RowGroup {
    pub(in crate::format) rows: u64,
    chunks: Vec<Chunk>,
}

/// The pages of one column in a row group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// First byte of the first page, and the one after the last page.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) codec: Codec,
}

/// A file may say that it has so many rows, and so many more per byte. Rows that are alike take next to nothing, so a small
/// file could keep a reader busy for days.
const ROWS_OF_ANY_FILE: u64 = 1 << 20;
const ROWS_PER_BYTE: u64 = 256;

impl Footer {
    /// Reads the footer of a file.
    ///
    /// # Errors
    /// When there is none, it is damaged, or says what cannot be.
    pub(in crate::format) fn read(file: &mut ParquetFile) -> Result<Self> {
        let (end, bytes) = file.footer()?;
        let mut footer = Self { leaves: Vec::new(), groups: Vec::new() };
        let mut is_encrypted = false;
        Thrift::new(&bytes).fields(|thrift, number, kind| {
            match (number, kind) {
                (2, Kind::List) => footer.leaves = schema::read(thrift)?,
                (4, Kind::List) => thrift.structs(|thrift| {
                    footer.groups.push(RowGroup::read(thrift, end)?);
                    Ok(())
                })?,
                (8, Kind::Struct) => {
                    is_encrypted = true;
                    return Ok(false);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        if is_encrypted {
            return Err(Error::unsupported("a Parquet file with encrypted columns"));
        }
        footer.check(file.len())?;
        Ok(footer)
    }

    /// Rows of the file, which are no more than fit into a number.
    pub(in crate::format) fn rows(&self) -> u64 {
        self.groups.iter().fold(0, |sum: u64, group| sum.saturating_add(group.rows))
    }

    fn check(&self, len: u64) -> Result<()> {
        if let Some(group) = self.groups.iter().find(|group| group.chunks.len() != self.leaves.len()) {
            let (chunks, leaves) = (group.chunks.len(), self.leaves.len());
            return Err(Error::damaged(format!("a row group of {chunks} columns in a table of {leaves}")));
        }
        let rows = self.rows();
        if rows > len.saturating_mul(ROWS_PER_BYTE).saturating_add(ROWS_OF_ANY_FILE) {
            return Err(Error::damaged(format!("the footer claims {rows} rows in {len} bytes")));
        }
        Ok(())
    }
}

impl RowGroup {
    fn read(thrift: &mut Thrift<'_>, end: u64) -> Result<Self> {
        let (mut rows, mut chunks) = (None, Vec::new());
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::List) => thrift.structs(|thrift| {
                    chunks.push(Chunk::read(thrift, end)?);
                    Ok(())
                })?,
                (3, Kind::Int) => rows = u64::try_from(thrift.int()?).ok(),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        let rows = rows.ok_or_else(|| Error::damaged("a row group does not say how many rows it has"))?;
        Ok(Self { rows, chunks })
    }

    /// A reader of one column; `at` is its place in the schema.
    pub(in crate::format) fn column(&self, at: usize, leaf: &Leaf) -> Result<Column> {
        let chunk = self.chunks.get(at).ok_or_else(|| cut("the row group"))?;
        Ok(Column::new(leaf, chunk.clone(), self.rows))
    }
}

impl Chunk {
    fn read(thrift: &mut Thrift<'_>, end: u64) -> Result<Self> {
        let mut chunk = None;
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (1, Kind::Binary) => return Err(Error::unsupported("columns in other files")),
                (3, Kind::Struct) => chunk = Some(Self::read_place(thrift, end)?),
                (8, _) => return Err(Error::unsupported("a Parquet file with encrypted columns")),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        chunk.ok_or_else(|| Error::damaged("a column does not say where it is"))
    }

    fn read_place(thrift: &mut Thrift<'_>, end: u64) -> Result<Self> {
        let (mut codec, mut len, mut data, mut dictionary) = (0, 0, 0, 0);
        thrift.fields(|thrift, number, kind| {
            match (number, kind) {
                (4, Kind::Int) => codec = thrift.int()?,
                (7, Kind::Int) => len = thrift.int()?,
                (9, Kind::Int) => data = thrift.int()?,
                (11, Kind::Int) => dictionary = thrift.int()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        // Some writers say 0 for "no dictionary".
        let start = if (1..data).contains(&dictionary) { dictionary } else { data };
        let bounds =
            u64::try_from(start).ok().zip(start.checked_add(len).and_then(|end| u64::try_from(end).ok()));
        match bounds.filter(|(start, stop)| start <= stop && *stop <= end) {
            Some((start, end)) => Ok(Self { start, end, codec: Codec::of(codec) }),
            None => Err(Error::damaged(format!("a column is said to be at byte {start}, {len} bytes long"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::parquet::testing::{TestColumn, TestValues, ThriftWriter, file};
    use std::io::Cursor;

    /// A file of one column, whose only row group says this.
    fn read(rows: i64, start: i64, len: i64) -> Result<Footer> {
        let mut footer = ThriftWriter::default();
        footer.list_field(2, 2);
        footer.int(5, 1);
        footer.end();
        footer.int(1, 2);
        footer.binary(4, b"bytes");
        footer.end();
        footer.list_field(4, 1);
        footer.list_field(1, 1);
        footer.begin(3);
        footer.int(7, len);
        footer.int(9, start);
        footer.end();
        footer.end();
        footer.int(3, rows);
        footer.end();
        footer.end();
        let size = u32::try_from(footer.bytes.len()).unwrap();
        let bytes = [&b"PAR1pages"[..], &footer.bytes, &size.to_le_bytes(), b"PAR1"].concat();
        Footer::read(&mut ParquetFile::new(Cursor::new(bytes))?)
    }

    #[test]
    fn a_footer_is_believed_within_the_file() {
        let footer = read(7, 4, 5).unwrap();
        assert_eq!((footer.rows(), footer.leaves.len(), footer.groups[0].chunks.len()), (7, 1, 1));
        for (rows, start, len) in [
            (i64::MAX, 4, 5),
            (1 << 30, 4, 5),
            (-1, 4, 5),
            (7, 4, 6),
            (7, -1, 5),
            (7, 5, -1),
            (7, i64::MAX, 1),
            (7, 4, i64::MAX),
        ] {
            assert!(read(rows, start, len).is_err(), "{rows} {start} {len}");
        }
    }

    #[test]
    fn row_groups_have_the_columns_of_the_table() {
        let column = TestColumn { name: "bytes", values: TestValues::Int64(vec![Some(1), None]) };
        let bytes = file(&[column], 3);
        let mut file = ParquetFile::new(Cursor::new(bytes)).unwrap();
        let mut footer = Footer::read(&mut file).unwrap();
        assert_eq!((footer.groups.len(), footer.rows()), (3, 6));
        footer.groups[1].chunks.clear();
        assert!(footer.check(file.len()).is_err());
    }
}
