//! Our own columnar flow file: blocks of compressed columns, each with a summary that lets a query leave it
//! unread, then an index. `docs/flow-file.md` describes every byte.
//!
//! ```text
//! start, header | block | block | ... | index, trailer
//!                  prefix, metadata, one chunk a column
//! ```
//!
//! From bytes to rows: `layout` and `metadata` say where things are, `walk` or `seek` goes from block to block,
//! or `ahead` lets threads `unpack` several of them; `load` reads, decompresses and checks the columns that are needed,
//! `decode` puts them into batches. From rows
//! to bytes: `writer` collects rows, `block` and `encode` turn them into chunks, `index` ends the file. Both use `packed`,
//! streams of integers that every column is made of, and `kinds`, the versions of addresses.

mod ahead;
mod block;
mod blocks;
mod chunk;
mod decode;
mod encode;
mod index;
mod info;
mod kinds;
mod layout;
mod load;
mod metadata;
mod packed;
mod reader;
mod seek;
mod totals;
mod unpack;
mod walk;
mod writer;
mod zone;

#[cfg(test)]
mod tests;

pub use chunk::BlockCompression;
pub use info::{BlockCount, FileInfo, count_blocks, read_info};
pub use layout::MAGIC;
pub use reader::FlowFileReader;
pub use writer::{FlowFileWriter, WriterOptions};
