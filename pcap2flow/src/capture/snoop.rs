//! snoop, the format of Solaris: RFC 1761, with the datalink types of RFC 3827
//! (<https://www.iana.org/assignments/snoop-datalink-types>). Everything is big-endian.

use std::io::Read;

use flowcore::{Error, Format, Position, Result};

use super::pcap::USUAL_MAX_CAPTURED;
use super::records::{Layout, Record, Records};
use super::{LinkType, cut_header};

/// Reads the records of a file that starts with `head` and goes on in `input`.
///
/// # Errors
/// When the file header is cut or of another version than 2.
pub(super) fn open(head: &[u8], input: Box<dyn Read + Send>) -> Result<Records> {
    let Some((header, read)) = head.split_first_chunk::<FILE_HEADER_BYTES>() else {
        return Err(cut_header(head.len()));
    };
    let [.., v0, v1, v2, v3, d0, d1, d2, d3] = *header;
    let version = u32::from_be_bytes([v0, v1, v2, v3]);
    if version != 2 {
        let text = format!("a snoop capture of version {version}; version 2 is the one that is read");
        return Err(Error::unsupported(text).at(Position::Byte(0)));
    }
    let layout = Layout {
        format: Format::Snoop,
        link: link_type(u32::from_be_bytes([d0, d1, d2, d3])),
        big_endian: true,
        max_captured: USUAL_MAX_CAPTURED,
        record,
    };
    Ok(Records::new(layout, read, FILE_HEADER_BYTES as u64, input))
}

fn record([wire_len, captured, length, _drops, seconds, micros]: [u32; 6]) -> Record {
    Record { seconds, micros, wire_len, captured, length: u64::from(length) }
}

/// The link type of a datalink type, where the frames start alike.
fn link_type(datalink: u32) -> LinkType {
    match datalink {
        0 | 4 => LinkType::ETHERNET,  // IEEE 802.3, Ethernet
        2 => LinkType(6),             // IEEE 802.5 Token Ring
        8 => LinkType(10),            // FDDI
        9 | 14 => LinkType::NULL,     // "other" (UNICOS), software loopback
        16 => LinkType(122),          // IP over Fibre Channel
        18 => LinkType(123),          // ATM Classical IP, with SunATM's header
        0x8000_0005 => LinkType(226), // ipnet
        other => LinkType::from_snoop(other),
    }
}

const FILE_HEADER_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::packet::decode;
    use crate::{capture::LinkType, packet::Skip};
    use flowcore::{ErrorKind, Position};
    use std::io::Cursor;

    fn header(version: u32, datalink: u32) -> Vec<u8> {
        let mut header = b"snoop\0\0\0".to_vec();
        header.extend([version, datalink].map(u32::to_be_bytes).concat());
        header
    }

    fn record(seconds: u32, micros: u32, wire: u32, data: &[u8], padding: usize) -> Vec<u8> {
        let length = (24 + data.len() + padding) as u32;
        let mut record = [wire, data.len() as u32, length, 9, seconds, micros].map(u32::to_be_bytes).concat();
        record.extend(data);
        record.resize(length as usize, 0xee);
        record
    }

    #[test]
    fn padding_is_in_no_frame() {
        let mut file = header(2, 4);
        for padding in [0, 1, 3, 24, 5000] {
            file.extend(record(911_274_719, 885_516, 60, b"abc", padding));
        }
        let (frames, end) = read_all(&file);
        end.unwrap();
        assert_eq!(frames, vec![(911_274_719_885_516_000, Some(1), 60, b"abc".to_vec()); 5]);
    }

    #[test]
    fn a_file_without_records_has_no_frames() {
        let (frames, end) = read_all(&header(2, 4));
        end.unwrap();
        assert!(frames.is_empty());
    }

    #[test]
    fn a_cut_file_gives_its_whole_frames_and_says_where_it_is_cut() {
        let whole = [header(2, 4), record(1, 0, 3, b"abc", 1), record(2, 0, 3, b"def", 1)].concat();
        read_all(&whole[..44]).1.unwrap();
        for length in 45..whole.len() {
            let (frames, end) = read_all(&whole[..length]);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(44)));
            let there = length - 44;
            let of = if there < 24 { "" } else { " of 28" };
            let text = format!("cut inside frame 2 (bytes there: {there}{of})");
            assert!(error.to_string().contains(&text), "{error}");
        }
    }

    #[test]
    fn a_cut_file_header_is_damage() {
        for length in 8..16 {
            let error = read_all(&header(2, 4)[..length]).1.unwrap_err();
            assert!(error.to_string().contains(&format!("file header, after {length} bytes")), "{error}");
        }
    }

    #[test]
    fn lengths_that_lie_are_damage() {
        for (captured, length, text) in [
            (262_145, 262_172, "frame 2 claims 262145 captured bytes where 262144 are the most"),
            (u32::MAX, 28, "frame 2 claims 4294967295 captured bytes"),
            (4, 0, "frame 2 claims 4 captured bytes in a record of 0 bytes"),
            (4, 27, "in a record of 27 bytes"),
            (0, 23, "in a record of 23 bytes"),
            (4, u32::MAX, "in a record of 4294967295 bytes"),
        ] {
            let mut file = [header(2, 4), record(1, 0, 3, b"abc", 1)].concat();
            file.extend([60, captured, length, 0, 0, 0].map(u32::to_be_bytes).concat());
            file.extend([0; 400_000]);
            let (frames, end) = read_all(&file);
            assert_eq!(frames.len(), 1);
            let error = end.unwrap_err();
            assert_eq!(error.position(), Some(Position::Byte(44)));
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn other_versions_are_named() {
        for version in [0, 1, 3, u32::MAX] {
            let error = read_all(&header(version, 4)).1.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Unsupported(_)));
            assert!(error.to_string().contains(&format!("version {version}")), "{error}");
        }
    }

    #[test]
    fn datalink_types_become_link_types_or_are_named() {
        for (datalink, link) in [(0, 1), (4, 1), (2, 6), (8, 10), (14, 0), (18, 123), (0x8000_0005, 226)] {
            let file = [header(2, datalink), record(1, 0, 3, b"abc", 1)].concat();
            assert_eq!(read_all(&file).0[0].1, Some(link));
        }
        for (datalink, text) in [
            (5, "link type snoop 5 not read"),
            (0x8000_0004, "link type snoop 2147483652 not read"),
            (1, "link type snoop 1 not read"),
        ] {
            let file = [header(2, datalink), record(1, 0, 3, b"abc", 1)].concat();
            let link = LinkType(read_all(&file).0[0].1.unwrap());
            assert_eq!(decode(crate::TunnelMode::Inner, Some(link), 3, b"abc"), Err(Skip::LinkType(link)));
            assert_eq!(Skip::LinkType(link).to_string(), text);
        }
    }

    #[test]
    fn small_reads_and_many_buffers_give_the_same_frames() {
        let mut file = header(2, 4);
        for number in 0..3000 {
            let size = number as usize % 700;
            file.extend(record(number, number, 1500, &vec![number as u8; size], size % 4));
        }
        let (expected, end) = read_all(&file);
        end.unwrap();
        assert_eq!(expected.len(), 3000);
        for step in [1, 7, 4096] {
            let trickle = Trickle { data: Cursor::new(file.clone()), step, failure: None };
            let (frames, end) = read_from(Box::new(trickle));
            end.unwrap();
            assert!(frames == expected, "{step}");
        }
    }

    #[test]
    fn the_cause_of_a_read_error_is_kept() {
        let data = Cursor::new([header(2, 4), record(1, 0, 3, b"abc", 1), vec![0; 5]].concat());
        let failure = Some(std::io::ErrorKind::PermissionDenied);
        let (frames, end) = read_from(Box::new(Trickle { data, step: 10, failure }));
        assert_eq!(frames.len(), 1);
        assert_eq!(end.unwrap_err().to_string(), "byte 49: permission denied");
    }
}
