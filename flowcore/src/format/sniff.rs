//! What an input is, from its first (decompressed) bytes; never from its name.

use super::{Format, azure, flow, gcp, nfdump, parquet, vpc};

/// Bytes that are enough to tell every format.
pub const SNIFF_BYTES: usize = 64 * 1024;

/// The format whose signature these first bytes carry.
pub fn sniff(head: &[u8]) -> Option<Format> {
    match head {
        [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0x3c, 0x4d, ..]
        | [0x4d, 0x3c, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xcd, 0x34, ..]
        | [0x34, 0xcd, 0xb2, 0xa1, ..] => Some(Format::Pcap),
        [0x0a, 0x0d, 0x0d, 0x0a, ..] => Some(Format::PcapNg),
        [b's', b'n', b'o', b'o', b'p', 0, 0, 0, ..] => Some(Format::Snoop),
        _ if head.starts_with(parquet::MAGIC) => Some(Format::Parquet),
        _ if nfdump::has_magic(head) => Some(Format::Nfdump),
        _ if head.starts_with(flow::MAGIC) => Some(Format::Flow),
        _ if vpc::looks_like_log(head) => Some(Format::Vpc),
        _ if gcp::looks_like_log(head) => Some(Format::Gcp),
        _ if azure::looks_like_log(head) => Some(Format::Azure),
        _ => None,
    }
}

/// What bytes of no readable format look like, for an error message.
pub fn describe(head: &[u8]) -> &'static str {
    match head {
        [] => "the file is empty",
        [b'P', b'A', b'R', b'E', ..] => "an encrypted Parquet file",
        [b'{' | b'[', ..] | [0xef, 0xbb, 0xbf, b'{' | b'[', ..] => {
            "JSON whose beginning is no flow log we read; --format vpc, gcp or azure reads it all the same"
        }
        _ if head.iter().all(|&b| b == b'\t' || b == b'\r' || b == b'\n' || (b >= b' ' && b != 0x7f)) => {
            "text whose first line is neither a VPC flow log header nor a record of a usual layout; --vpc-fields names the \
             columns of other logs"
        }
        _ => {
            "neither a capture (pcap, pcapng, snoop), a flow file, an nfdump file nor a VPC flow log, plain or compressed"
        }
    }
}
