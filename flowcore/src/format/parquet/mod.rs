//! Parquet files, read column by column: bytes of any origin in, the cells of the columns that are asked for out.
//!
//! Nothing here knows what a flow is; [`VpcParquetReader`](super::vpc::VpcParquetReader) makes records of the cells. The
//! layout and all numbers are those of the Parquet format 2.11 (<https://parquet.apache.org/docs/file-format/> and
//! `parquet.thrift` in <https://github.com/apache/parquet-format>):
//!
//! * The **footer** at the end says where everything is ([`footer`]), in Thrift's compact protocol ([`thrift`]); its
//!   list of columns is a tree written depth first ([`schema`]).
//! * A row group holds a stretch of **pages** for each column, compressed one by one ([`page`]).
//! * A page holds which rows have a value ([`hybrid`]) and the values, in one of several encodings ([`values`],
//!   [`delta`]), perhaps as places in a dictionary ([`column`]).
//!
//! Tables are flat: columns of the first level are read, once a row or absent. What is inside groups, lists and maps is
//! named, and not read.
//!
//! Files are not trusted. Every length is checked before it is believed; a page is never larger than [`MAX_PAGE`], what
//! the columns of a file hold at one time never more than [`MAX_HELD`], and values are decoded one at a time, so memory
//! depends neither on rows nor on row groups. Nothing here panics. (The `parquet` crate does not promise that: a schema
//! nested deep enough ends the process, a compressed page may grow without limit, and it takes 18 crates.)

mod column;
mod delta;
mod file;
mod footer;
mod hybrid;
mod page;
mod schema;
#[cfg(test)]
pub(super) mod testing;
mod thrift;
mod values;

pub(super) use column::{Cell, Column};
pub(super) use file::ParquetFile;
pub(super) use footer::{Footer, RowGroup};
pub(super) use schema::Leaf;

use crate::error::Error;

/// The bytes a Parquet file begins and ends with.
pub(super) const MAGIC: &[u8; 4] = b"PAR1";
/// Largest page, in bytes, compressed or not. Writers aim at one megabyte.
const MAX_PAGE: usize = 64 << 20;
/// Most bytes that pages of one file take at a time.
const MAX_HELD: usize = 512 << 20;
/// Largest footer, in bytes.
const MAX_FOOTER: usize = 32 << 20;

/// A part of the file that ends before it should.
fn cut(what: &str) -> Error {
    Error::damaged(format!("{what} is cut"))
}
