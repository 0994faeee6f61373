//! Writes capture files into memory: pcap and pcapng, both byte orders, microseconds and nanoseconds, with a snap
//! length that cuts frames as a capturing program does.
//!
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.

/// A frame and when it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Nanoseconds since 1970 UTC.
    pub time: u64,
    /// The whole frame, as on the wire.
    pub bytes: Vec<u8>,
}

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Unit of time stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Millionths of a second.
    Micros,
    /// Billionths of a second.
    Nanos,
}

/// How a capture is written; the default is what `tcpdump` writes on most machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Order of the bytes of all numbers of the file.
    pub order: ByteOrder,
    /// Unit of time stamps.
    pub precision: Precision,
    /// Bytes kept of each frame.
    pub snap: u32,
    /// Link type, 1 for Ethernet.
    pub link: u16,
}

impl Default for Layout {
    fn default() -> Self {
        Self { order: ByteOrder::Little, precision: Precision::Micros, snap: 262_144, link: 1 }
    }
}

impl Layout {
    /// The frames as a pcap file.
    pub fn pcap(&self, frames: &[Frame]) -> Vec<u8> {
        let mut file = File::new(self.order);
        file.u32(if self.precision == Precision::Nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
        file.u16s(&[2, 4]);
        file.u32s(&[0, 0, self.snap, self.link.into()]);
        let unit = self.units_per_second();
        for frame in frames {
            let (kept, wire) = self.cut(frame);
            let ticks = self.ticks(frame);
            file.u32s(&[narrow(ticks / unit), narrow(ticks % unit), narrow(kept.len() as u64), wire]);
            file.bytes.extend(kept);
        }
        file.bytes
    }

    /// The frames as a pcapng file with one section and one interface.
    pub fn pcapng(&self, frames: &[Frame]) -> Vec<u8> {
        let mut file = File::new(self.order);
        file.block(0x0a0d_0d0a, |body| {
            body.u32(0x1a2b_3c4d);
            body.u16s(&[1, 0]);
            body.u32s(&[u32::MAX, u32::MAX]); // section length unknown
        });
        file.block(1, |body| {
            body.u16s(&[self.link, 0]);
            body.u32(self.snap);
            if self.precision == Precision::Nanos {
                body.u16s(&[9, 1]); // if_tsresol, one byte
                body.bytes.extend([9, 0, 0, 0]);
                body.u16s(&[0, 0]);
            }
        });
        for frame in frames {
            let (kept, wire) = self.cut(frame);
            let ticks = self.ticks(frame);
            file.block(6, |body| {
                body.u32s(&[0, (ticks >> 32) as u32, ticks as u32, narrow(kept.len() as u64), wire]);
                body.bytes.extend(kept);
            });
        }
        file.bytes
    }

    fn units_per_second(&self) -> u64 {
        if self.precision == Precision::Nanos { 1_000_000_000 } else { 1_000_000 }
    }

    fn ticks(&self, frame: &Frame) -> u64 {
        frame.time / (1_000_000_000 / self.units_per_second())
    }

    /// What is kept of a frame, and its length on the wire.
    fn cut<'a>(&self, frame: &'a Frame) -> (&'a [u8], u32) {
        let kept = frame.bytes.len().min(self.snap as usize);
        (&frame.bytes[..kept], narrow(frame.bytes.len() as u64))
    }
}

/// A growing file whose numbers have one byte order.
struct File {
    order: ByteOrder,
    bytes: Vec<u8>,
}

impl File {
    fn new(order: ByteOrder) -> Self {
        Self { order, bytes: Vec::new() }
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(match self.order {
            ByteOrder::Little => value.to_le_bytes(),
            ByteOrder::Big => value.to_be_bytes(),
        });
    }

    fn u32s(&mut self, values: &[u32]) {
        values.iter().for_each(|&value| self.u32(value));
    }

    fn u16s(&mut self, values: &[u16]) {
        for value in values {
            self.bytes.extend(match self.order {
                ByteOrder::Little => value.to_le_bytes(),
                ByteOrder::Big => value.to_be_bytes(),
            });
        }
    }

    /// A pcapng block: type, length, body filled up to four bytes, length again.
    fn block(&mut self, kind: u32, fill: impl FnOnce(&mut Self)) {
        let mut body = Self::new(self.order);
        fill(&mut body);
        body.bytes.resize(body.bytes.len().next_multiple_of(4), 0);
        let length = narrow(body.bytes.len() as u64 + 12);
        self.u32s(&[kind, length]);
        self.bytes.append(&mut body.bytes);
        self.u32(length);
    }
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or_else(|_| panic!("{value} does not fit a capture's 32 bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { time: 1_710_252_000_123_456_789, bytes: vec![0xab; 70] }
    }

    #[test]
    fn pcap_in_four_kinds() {
        let micros = Layout { snap: 64, ..Layout::default() };
        let file = micros.pcap(&[frame()]);
        assert_eq!(file[..4], [0xd4, 0xc3, 0xb2, 0xa1]);
        assert_eq!(file[28..32], 123_456_u32.to_le_bytes());
        assert_eq!(file[32..40], [64, 0, 0, 0, 70, 0, 0, 0]);
        assert_eq!(file.len(), 24 + 16 + 64);
        let nanos = Layout { order: ByteOrder::Big, precision: Precision::Nanos, ..micros };
        let file = nanos.pcap(&[frame()]);
        assert_eq!(file[..4], [0xa1, 0xb2, 0x3c, 0x4d]);
        assert_eq!(file[28..32], 123_456_789_u32.to_be_bytes());
    }

    #[test]
    fn pcapng_blocks_are_whole_words_with_their_length_at_both_ends() {
        for precision in [Precision::Micros, Precision::Nanos] {
            let layout = Layout { order: ByteOrder::Big, precision, ..Layout::default() };
            let file = layout.pcapng(&[frame(), frame()]);
            let (mut at, mut kinds) = (0, Vec::new());
            while at < file.len() {
                let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
                let length = word(at + 4) as usize;
                assert_eq!((length % 4, word(at + length - 4) as usize), (0, length));
                kinds.push(word(at));
                at += length;
            }
            assert_eq!(kinds, [0x0a0d_0d0a, 1, 6, 6]);
        }
    }
}
