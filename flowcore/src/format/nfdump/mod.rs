//! nfdump's own flow files, layout version 2: what nfdump, nfcapd, nfpcapd and sfcapd 1.7 write.
//!
//! `docs/nfdump-file.md` says what is read and written. The table [`ELEMENTS`](elements::ELEMENTS) says which part of a
//! record holds which [`Field`](crate::Field); reader and writer follow it.
//!
//! ```text
//! header | block | block | ... | appendix
//!          compressed records    name, statistics
//! ```
//!
//! From bytes to rows: `header` says what the file is, `blocks` goes from block to block, `unpack` makes batches of
//! each on a thread of a `pool`: `codec` decompresses, `record` finds the elements, `decode` puts them into
//! columns; the `reader` takes the batches in order.

pub mod elements;
pub mod lzo;

mod appendix;
mod blocks;
mod bytes;
mod codec;
mod decode;
mod dropped;
mod encode;
mod header;
mod ident;
mod info;
mod options;
mod place;
mod reader;
mod record;
mod statistics;
mod unknown;
mod unpack;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use dropped::Dropped;
pub use info::{FileInfo, read_info};
pub use options::{BlockCompression, Creator, NfdumpOptions};
pub use reader::NfdumpReader;
pub use verify::{Verification, verify};
pub use writer::NfdumpWriter;

/// Whether a file begins as nfdump's do, in either byte order and whatever the version.
pub fn has_magic(head: &[u8]) -> bool {
    matches!(head, [0x0c, 0xa5, 1..=3, 0, ..] | [0xa5, 0x0c, 0, 1..=3, ..])
}
