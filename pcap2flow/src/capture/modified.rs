//! Modified pcap: Alexey Kuznetsov's, whose records say the interface too
//! (<https://wiki.wireshark.org/Development/LibpcapFileFormat#modified-pcap>).
//!
//! The file header is pcap's. A record's header has eight bytes more: interface, protocol, packet type, padding. Like
//! libpcap, this takes every file with the magic for one of these; the patch of September 1999, which wrote four bytes
//! more under the same magic, is not told apart.

use std::io::Read;

use flowcore::Format;

use super::blocks::MAX_FRAME_BYTES;
use super::pcap::{USUAL_MAX_CAPTURED, link_type};
use super::records::{Layout, RECORD_HEADER_BYTES, Record, Records};

/// Whether a file header starts like one of this format.
pub(super) fn is_modified(header: &[u8]) -> bool {
    matches!(header, [0xa1, 0xb2, 0xcd, 0x34, ..] | [0x34, 0xcd, 0xb2, 0xa1, ..])
}

/// Reads the records that follow the file header in `input`.
pub(super) fn open(header: &[u8; FILE_HEADER_BYTES], input: Box<dyn Read + Send>) -> Records {
    let [m0, .., s0, s1, s2, s3, n0, n1, n2, n3] = *header;
    let big_endian = m0 == 0xa1;
    let word = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    let layout = Layout {
        format: Format::Pcap,
        link: link_type(word([n0, n1, n2, n3])),
        big_endian,
        max_captured: word([s0, s1, s2, s3]).clamp(USUAL_MAX_CAPTURED, MAX_FRAME_BYTES),
        record,
    };
    Records::new(layout, &[], FILE_HEADER_BYTES as u64, input)
}

fn record([seconds, micros, captured, wire_len, _interface, _protocol_and_type]: [u32; 6]) -> Record {
    let length = u64::from(captured) + RECORD_HEADER_BYTES as u64;
    Record { seconds, micros, wire_len, captured, length }
}

/// Bytes of pcap's file header.
pub(super) const FILE_HEADER_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::super::blocks::BUFFER_BYTES;
    use super::super::testing::*;
    use flowcore::Position;

    fn words(big_endian: bool, words: &[u32]) -> Vec<u8> {
        let bytes = |word: &u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        words.iter().flat_map(bytes).collect()
    }

    fn header(big_endian: bool, snaplen: u32, network: u32) -> Vec<u8> {
        let version = if big_endian { 0x0002_0004 } else { 0x0004_0002 };
        words(big_endian, &[0xa1b2_cd34, version, 0, 0, snaplen, network])
    }

    fn record(big_endian: bool, seconds: u32, micros: u32, wire: u32, data: &[u8]) -> Vec<u8> {
        let mut record = words(big_endian, &[seconds, micros, data.len() as u32, wire, 3, 0x0800_0400]);
        record.extend(data);
        record
    }

    #[test]
    fn both_byte_orders() {
        for big_endian in [false, true] {
            let mut file = header(big_endian, 65535, 0x3000_0065);
            file.extend(record(big_endian, 3, 7, 60, b"abc"));
            file.extend(record(big_endian, u32::MAX, u32::MAX, 0, b""));
            let (frames, end) = read_all(&file);
            end.unwrap();
            let last = 4_294_967_295_000_000_000 + 4_294_967_295_000;
            assert_eq!(
                frames,
                [(3_000_007_000, Some(101), 60, b"abc".to_vec()), (last, Some(101), 0, vec![])]
            );
        }
    }

    #[test]
    fn a_cut_file_gives_its_whole_frames_and_says_where_it_is_cut() {
        let whole =
            [header(false, 0, 1), record(false, 1, 0, 3, b"abc"), record(false, 2, 0, 3, b"def")].concat();
        read_all(&whole[..51]).1.unwrap();
        for length in 52..whole.len() {
            let (frames, end) = read_all(&whole[..length]);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(51)));
            let there = length - 51;
            let of = if there < 24 { "" } else { " of 27" };
            let text = format!("cut inside frame 2 (bytes there: {there}{of})");
            assert!(error.to_string().contains(&text), "{error}");
        }
    }

    #[test]
    fn absurd_lengths_are_refused_before_anything_is_allocated() {
        for captured in [262_145, u32::MAX] {
            let mut file = [header(true, 96, 1), record(true, 1, 0, 3, b"abc")].concat();
            file.extend(words(true, &[2, 0, captured, 60, 0, 0]));
            file.extend([0; 400_000]);
            let (frames, end) = read_all(&file);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(51)));
            assert!(
                error.to_string().contains(&format!("frame 2 claims {captured} captured bytes where 262144"))
            );
        }
    }

    #[test]
    fn a_frame_larger_than_the_buffer_is_read_if_the_snap_length_allows_it() {
        let large = vec![7; 3 * BUFFER_BYTES + 5];
        let file = [
            header(false, u32::MAX, 1),
            record(false, 1, 0, 3, b"abc"),
            record(false, 2, 0, 9, &large),
            record(false, 3, 0, 3, b"def"),
        ];
        let (frames, end) = read_all(&file.concat());
        end.unwrap();
        assert_eq!(frames.iter().map(|frame| frame.3.len()).collect::<Vec<_>>(), [3, large.len(), 3]);
        assert_eq!(frames[1].3, large);
    }
}
