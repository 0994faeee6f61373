//! The end of a file: the name given to the recording, and sums over its flows.

use std::io::{Read, Seek, SeekFrom};

use super::blocks::{Blocks, Next};
use super::bytes::{u16_at, u64_at};
use super::codec::Decompressor;
use super::header::FileHeader;
use super::record::{RecordType, Records};
use crate::error::{Error, Result};

/// What an appendix holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Appendix {
    /// Name given to the recording; empty if there is none.
    pub(super) ident: String,
    /// Sums over the flows, if they are there in full.
    pub(super) statistics: Option<Statistics>,
    /// Blocks that it has by the header of the file, and those of them that are there and sound.
    stated: u16,
    found: u16,
}

impl Appendix {
    /// Reads the appendix of a file whose header is known; leaves the file at the first block.
    ///
    /// # Errors
    /// When there is none where the header says, or it is damaged; an error of the system on the way back to the first
    /// block, too.
    pub(super) fn read(file: &mut (impl Read + Seek), header: &FileHeader) -> Result<Result<Self>> {
        let appendix = Self::read_there(file, header);
        file.seek(SeekFrom::Start(FileHeader::LEN as u64))?;
        Ok(appendix)
    }

    fn read_there(file: &mut (impl Read + Seek), header: &FileHeader) -> Result<Self> {
        if header.appendix_offset < FileHeader::LEN as u64 {
            return Err(Error::damaged("the file has none"));
        }
        let (offset, len) = (header.appendix_offset, file.seek(SeekFrom::End(0))?);
        if offset >= len {
            return Err(Error::damaged(format!("stated at byte {offset}, the file has {len} bytes")));
        }
        file.seek(SeekFrom::Start(offset))?;
        let mut blocks = Blocks::of_appendix(file, header);
        let mut appendix = Self { stated: header.appendix_blocks.max(1), ..Self::default() };
        let mut decompressor = Decompressor::default();
        while appendix.found < appendix.stated {
            match appendix.add_next(&mut blocks, &mut decompressor, header.compression) {
                Ok(()) => appendix.found += 1,
                Err(error) if appendix.found == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(appendix)
    }

    fn add_next(
        &mut self,
        blocks: &mut Blocks<impl Read>,
        decompressor: &mut Decompressor,
        compression: u8,
    ) -> Result<()> {
        match blocks.next(Vec::new())? {
            Next::Block(block) => self.add(decompressor.decompress(compression, &block.data)?),
            Next::Broken { error, .. } => Err(error),
            Next::End => Err(Error::damaged("the file ends in front of it")),
        }
    }

    /// What is to be said if blocks of it are missing.
    pub(super) fn shortage(&self) -> Option<Error> {
        let Self { stated, found, .. } = self;
        let what = || {
            format!("of {stated} blocks with name and statistics at the end of the file {found} can be used")
        };
        (found < stated).then(|| Error::damaged(what()))
    }

    /// Adds the records of a block.
    fn add(&mut self, block: &[u8]) -> Result<()> {
        let mut records = Records::new(block);
        let mut any = false;
        while let Some(record) = records.next()? {
            let body = record.bytes.get(4..).unwrap_or_default();
            match record.kind {
                RecordType::IDENT => self.ident = ident(body),
                RecordType::STATISTICS => self.statistics = Statistics::parse(body),
                _ => continue,
            }
            any = true;
        }
        if any { Ok(()) } else { Err(Error::damaged("neither name nor statistics are in it")) }
    }
}

/// Whether the content of a block is an appendix: its first record tells.
pub(super) fn is_appendix(block: &[u8]) -> bool {
    matches!(u16_at(block, 0), Some(RecordType::IDENT | RecordType::STATISTICS))
}

fn ident(body: &[u8]) -> String {
    let text = body.split(|byte| *byte == 0).next().unwrap_or_default();
    match String::from_utf8_lossy(text) {
        text if text == "none" => String::new(),
        text => text.into_owned(),
    }
}

/// Sums that the writer of a file keeps. Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Statistics {
    pub(super) flows: Sums,
    pub(super) bytes: Sums,
    pub(super) packets: Sums,
    pub(super) first: u64,
    pub(super) last: u64,
    /// Packets of exporters that did not arrive.
    pub(super) sequence_failures: u64,
}

/// One sum, and its parts by protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sums {
    pub(super) all: u64,
    pub(super) tcp: u64,
    pub(super) udp: u64,
    pub(super) icmp: u64,
    pub(super) other: u64,
}

impl Statistics {
    /// Numbers of the record, in its order.
    const NUMBERS: usize = 18;

    fn parse(body: &[u8]) -> Option<Self> {
        if body.len() != Self::NUMBERS * 8 {
            return None;
        }
        let number = |at: usize| u64_at(body, at * 8);
        let sums = |all: usize, parts: usize| {
            Some(Sums {
                all: number(all)?,
                tcp: number(parts)?,
                udp: number(parts + 1)?,
                icmp: number(parts + 2)?,
                other: number(parts + 3)?,
            })
        };
        Some(Self {
            flows: sums(0, 3)?,
            bytes: sums(1, 7)?,
            packets: sums(2, 11)?,
            first: number(15)?,
            last: number(16)?,
            sequence_failures: number(17)?,
        })
    }

    /// Whether each sum is that of its parts. Some versions of nfdump write others for aggregated flows.
    pub(super) fn add_up(&self) -> bool {
        [self.flows, self.bytes, self.packets].iter().all(|sums| {
            let parts = [sums.tcp, sums.udp, sums.icmp, sums.other].into_iter();
            parts.map(u128::from).sum::<u128>() == u128::from(sums.all)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_eighteen_numbers_in_this_order() {
        let body: Vec<u8> = (100_u64..118).flat_map(u64::to_le_bytes).collect();
        let statistics = Statistics::parse(&body).unwrap();
        assert_eq!(statistics.flows, Sums { all: 100, tcp: 103, udp: 104, icmp: 105, other: 106 });
        assert_eq!(statistics.bytes, Sums { all: 101, tcp: 107, udp: 108, icmp: 109, other: 110 });
        assert_eq!(statistics.packets, Sums { all: 102, tcp: 111, udp: 112, icmp: 113, other: 114 });
        assert_eq!((statistics.first, statistics.last, statistics.sequence_failures), (115, 116, 117));
        assert!(!statistics.add_up() && Statistics::default().add_up());
        assert_eq!(Statistics::parse(&body[..143]), None);
        assert_eq!(Statistics::parse(&[0; 152]), None);
    }

    #[test]
    fn the_name_ends_at_its_zero() {
        assert_eq!(ident(b"uplink\0\0"), "uplink");
        assert_eq!(ident(b"none\0\0"), "");
        assert_eq!(ident(b"no end"), "no end");
        assert_eq!(ident(b""), "");
        assert_eq!(ident(b"a\xff\0"), "a\u{fffd}");
    }
}
