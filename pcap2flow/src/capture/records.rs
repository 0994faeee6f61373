//! The frames of formats that are a file header and then records of 24 bytes of header, captured bytes and padding:
//! snoop and modified pcap, which `pcap-parser` does not read. The formats describe themselves by a [`Layout`].

use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use flowcore::{Error, Format, NANOS_PER_SEC, Position, Result, Timestamp};

use super::blocks::{
    ANOTHER_CAPTURE, BUFFER_BYTES, MAX_BUFFER_BYTES, cut_frame, is_file_header, oversized_frame,
};
use super::{Frame, LinkType};

/// Reads the records of a file one after the other.
pub(super) struct Records {
    layout: Layout,
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// Where in `buffer` the bytes are that are not handed out yet.
    unread: Range<usize>,
    /// Byte position of the next record in the input.
    position: u64,
    exhausted: bool,
    frames: u64,
}

/// What tells one format, or one file, from the other.
pub(super) struct Layout {
    pub(super) format: Format,
    pub(super) link: LinkType,
    pub(super) big_endian: bool,
    /// Most captured bytes that a record may claim; at most [`MAX_FRAME_BYTES`](super::blocks::MAX_FRAME_BYTES).
    pub(super) max_captured: u32,
    /// What the words of a record's header mean.
    pub(super) record: fn([u32; 6]) -> Record,
}

/// The header of a record.
pub(super) struct Record {
    pub(super) seconds: u32,
    pub(super) micros: u32,
    pub(super) wire_len: u32,
    pub(super) captured: u32,
    /// Bytes of the whole record: header, captured bytes, padding.
    pub(super) length: u64,
}

/// Bytes of a record's header.
pub(super) const RECORD_HEADER_BYTES: usize = 24;

impl Records {
    /// `read` are the bytes behind the file header that are already read from `input`; they start at `position`.
    pub(super) fn new(layout: Layout, read: &[u8], position: u64, input: Box<dyn Read + Send>) -> Self {
        let mut buffer = read.to_vec();
        buffer.resize(BUFFER_BYTES.max(read.len()), 0);
        Self { layout, input, buffer, unread: 0..read.len(), position, exhausted: false, frames: 0 }
    }

    pub(super) fn format(&self) -> Format {
        self.layout.format
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// See [`CaptureReader::read_frames_until`](super::CaptureReader::read_frames_until).
    pub(super) fn read_frames(
        &mut self,
        each: &mut impl FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> Result<bool> {
        loop {
            let before = self.frames;
            while let Some((size, go_on)) = self.hand_out(each) {
                self.unread.start += size;
                self.position = self.position.saturating_add(size as u64);
                self.frames += 1;
                if go_on.is_break() {
                    return Ok(true);
                }
            }
            if self.frames > before {
                return Ok(true);
            }
            let needed = self.check()?;
            match (self.exhausted, self.unread.is_empty()) {
                (false, _) => self.fill()?,
                (true, true) => return Ok(false),
                (true, false) => {
                    return Err(self.damaged(cut_frame(self.frames + 1, self.unread.len(), needed)));
                }
            }
        }
    }

    /// Hands out the next frame if its record is whole and believable, and gives the bytes of the record and whether to
    /// go on.
    fn hand_out(
        &self,
        each: &mut impl FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> Option<(usize, ControlFlow<()>)> {
        let record = self.record().filter(|record| self.complaint(record).is_none())?;
        let size = usize::try_from(record.length).ok()?;
        let bytes = self.unread().get(..size)?;
        let data = bytes.get(RECORD_HEADER_BYTES..)?.get(..record.captured as usize)?;
        let link = Some(self.layout.link);
        let go_on = each(Frame { time: record.time(), link, wire_len: record.wire_len, data });
        Some((size, go_on))
    }

    /// The bytes that the next record says it has, unless it cannot be a record.
    fn check(&self) -> Result<Option<u64>> {
        let Some(record) = self.record() else { return Ok(None) };
        match self.complaint(&record) {
            Some(complaint) => Err(self.damaged(complaint)),
            None => Ok(Some(record.length)),
        }
    }

    /// The header of the next record, if it is there.
    fn record(&self) -> Option<Record> {
        self.words().map(self.layout.record)
    }

    fn words(&self) -> Option<[u32; 6]> {
        let (header, _) = self.unread().split_first_chunk::<RECORD_HEADER_BYTES>()?;
        let read = if self.layout.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let (words, _) = header.as_chunks();
        Some(std::array::from_fn(|at| words.get(at).map_or(0, |&word| read(word))))
    }

    /// Why a header cannot be one.
    fn complaint(&self, record: &Record) -> Option<String> {
        if self.words().is_some_and(|[first, second, third, ..]| is_file_header([first, second, third])) {
            return Some(ANOTHER_CAPTURE.to_owned());
        }
        let (frame, captured, length) = (self.frames + 1, record.captured, record.length);
        if captured > self.layout.max_captured {
            return Some(oversized_frame(frame, captured, self.layout.max_captured));
        }
        let least = u64::from(captured) + RECORD_HEADER_BYTES as u64;
        if (least..=least + MAX_PADDING_BYTES).contains(&length) {
            return None;
        }
        Some(format!(
            "frame {frame} claims {captured} captured bytes in a record of {length} bytes; the capture is damaged from \
             here on"
        ))
    }

    /// Reads more bytes behind those in the buffer, enlarging it if they fill it.
    fn fill(&mut self) -> Result<()> {
        let there = self.unread.len();
        self.buffer.copy_within(self.unread.clone(), 0);
        self.unread = 0..there;
        if there == self.buffer.len() {
            // A believable record is smaller than the largest buffer, so that this makes room.
            self.buffer.resize(there.saturating_mul(2).min(MAX_BUFFER_BYTES), 0);
        }
        let space = self.buffer.get_mut(there..).unwrap_or_default();
        let read = loop {
            match self.input.read(space) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let position = self.position.saturating_add(there as u64);
        let read = read.map_err(|error| Error::from(error).at(Position::Byte(position)))?;
        self.exhausted = read == 0;
        self.unread.end = there.saturating_add(read).min(self.buffer.len());
        Ok(())
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(self.unread.clone()).unwrap_or_default()
    }

    /// An error about the next record.
    fn damaged(&self, what: String) -> Error {
        Error::damaged(what).at(Position::Byte(self.position))
    }
}

impl Record {
    fn time(&self) -> Timestamp {
        // 2^32 seconds and 2^32 microseconds are within the range of i64: this cannot overflow.
        Timestamp::from_nanos(i64::from(self.seconds) * NANOS_PER_SEC + i64::from(self.micros) * 1000)
    }
}

/// Most padding of a record. Writers align to four bytes, some add a trailer, and some leave an Ethernet frame's
/// padding here.
const MAX_PADDING_BYTES: u64 = 64 * 1024;
