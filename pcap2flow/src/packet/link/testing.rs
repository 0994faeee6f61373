//! What the tests of the link layer have in common.

use super::{Network, network};
use crate::capture::LinkType;
use crate::packet::Skip;

/// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with its checksum.
pub(super) const IP: [u8; 20] = [0x45, 0, 0, 20, 0, 1, 0, 0, 64, 253, 0x65, 0xea, 10, 0, 0, 1, 10, 0, 0, 2];

/// An IPv6 packet without payload.
pub(super) const IP6: [u8; 40] = {
    let mut packet = [0; 40];
    [packet[0], packet[6], packet[7], packet[23], packet[39]] = [0x60, 59, 64, 1, 2];
    packet
};

/// Destination and source.
pub(super) const ADDRESSES: [u8; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];

/// [`ADDRESSES`] as they are found.
pub(super) const MACS: Option<([u8; 6], [u8; 6])> = Some(([8, 9, 10, 11, 12, 13], [2, 3, 4, 5, 6, 7]));

/// What is behind a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) vlan: Option<u16>,
    pub(super) macs: Option<([u8; 6], [u8; 6])>,
    pub(super) labels: Vec<u32>,
}

pub(super) const NOTHING: Found = Found { vlan: None, macs: None, labels: Vec::new() };

/// Walks a frame of this header, given in parts, and an IP packet: the packet has to be found where it is, in no frame
/// that is cut before it, and in all that are cut in it.
#[track_caller]
pub(super) fn found(link: LinkType, parts: &[&[u8]]) -> Found {
    let header = parts.concat();
    for cut in 0..header.len() {
        assert_eq!(network(link, &header[..cut]).unwrap_err(), Skip::ShortFrame, "cut after {cut} bytes");
    }
    let frame = [&header[..], &IP].concat();
    for cut in header.len() + 1..=frame.len() {
        let found = network(link, &frame[..cut]).unwrap();
        assert_eq!(found.ip, &frame[header.len()..cut], "cut after {cut} bytes");
    }
    about(&network(link, &frame).unwrap())
}

/// [`found`] where a frame that is cut before the packet may also be skipped for another reason.
#[track_caller]
pub(super) fn found_whole(link: LinkType, parts: &[&[u8]], packet: &[u8]) -> Found {
    let header = parts.concat();
    for cut in 0..header.len() {
        assert!(network(link, &header[..cut]).is_err(), "cut after {cut} bytes");
    }
    let frame = [&header[..], packet].concat();
    let found = network(link, &frame).unwrap();
    assert_eq!(found.ip, packet);
    about(&found)
}

/// Why a frame of these parts is skipped.
#[track_caller]
pub(super) fn skipped(link: LinkType, parts: &[&[u8]]) -> Skip {
    network(link, &parts.concat()).unwrap_err()
}

fn about(network: &Network<'_>) -> Found {
    Found { vlan: network.vlan, macs: network.macs(), labels: network.labels() }
}
