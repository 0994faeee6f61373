//! Captures of any size for tests of memory: frames made one by one and written as they are made.
//!
//! Time goes on by a fixed step, so that a kind, a number of packets and a step say all about a capture.

use std::fmt;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::rng::Rng;

/// What the packets of a flood are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connections to one server; as many as [`Flood::flows`] take turns, each is followed by another after twenty
    /// packets.
    Steady,
    /// A SYN from another client each time.
    Syn,
    /// A SYN from another client each time, its length drawn by its time; only its headers are in the capture.
    Lengths,
    /// First fragments of datagrams that never go on.
    FirstFragments,
    /// Later fragments of datagrams that never began.
    LaterFragments,
    /// A SYN with another sequence number on one pair of ports each time.
    Reuse,
    /// A TCP segment from another client each time, with 1,400 bytes that no other has.
    Payload,
}

/// A capture to be made.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// What the packets are.
    pub kind: Kind,
    /// How many there are.
    pub packets: u64,
    /// Nanoseconds between two packets.
    pub step: u64,
    /// Connections that take turns.
    pub flows: u64,
}

/// Length of a frame without payload: Ethernet, IPv4, and TCP or as many bytes of a fragment.
const FRAME_BYTES: usize = 14 + 20 + 20;
/// Packets of a connection of [`Kind::Steady`].
const PACKETS_PER_CONNECTION: u64 = 20;
/// Bytes of each segment of [`Kind::Payload`].
const PAYLOAD_BYTES: usize = 1_400;
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

impl Flood {
    /// Writes the capture: pcap, nanoseconds.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let words = [0xa1b2_3c4d_u32, 4 << 16 | 2, 0, 0, 65_535, 1];
        out.write_all(&words.map(u32::to_le_bytes).concat())?;
        let payload = if self.kind == Kind::Payload { PAYLOAD_BYTES } else { 0 };
        let mut record = vec![0; 16 + FRAME_BYTES + payload];
        record[16..16 + FRAME_BYTES].copy_from_slice(&template());
        record[32..34].copy_from_slice(&((40 + payload) as u16).to_be_bytes());
        let length = ((FRAME_BYTES + payload) as u32).to_le_bytes();
        record[8..12].copy_from_slice(&length);
        record[12..16].copy_from_slice(&length);
        for number in 0..self.packets {
            let time = number * self.step;
            record[..4].copy_from_slice(&((time / 1_000_000_000) as u32).to_le_bytes());
            record[4..8].copy_from_slice(&((time % 1_000_000_000) as u32).to_le_bytes());
            self.fill(number, &mut record[16..]);
            out.write_all(&record)?;
        }
        Ok(())
    }

    /// The capture in memory.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("memory can be written to");
        bytes
    }

    /// What differs from packet to packet.
    fn fill(&self, number: u64, frame: &mut [u8]) {
        match self.kind {
            Kind::Steady => {
                let (slot, turn) = (number % self.flows, number / self.flows);
                let connection = turn / PACKETS_PER_CONNECTION * self.flows + slot;
                client(frame, connection);
                let flags = if turn % PACKETS_PER_CONNECTION == 0 { 0x02 } else { 0x10 };
                segment(frame, (turn % PACKETS_PER_CONNECTION) as u32, flags);
            }
            Kind::Syn => {
                client(frame, number);
                segment(frame, number as u32, 0x02);
            }
            Kind::Lengths => {
                client(frame, number);
                segment(frame, number as u32, 0x02);
                frame[16..18].copy_from_slice(&Rng::new(number * self.step).bytes(2));
                frame[16] |= 1;
            }
            Kind::Reuse => {
                client(frame, 0);
                segment(frame, number as u32, 0x02);
            }
            Kind::Payload => {
                client(frame, number);
                segment(frame, number as u32, 0x18);
                frame[FRAME_BYTES..].copy_from_slice(&Rng::new(number).bytes(PAYLOAD_BYTES));
            }
            Kind::FirstFragments => fragment(frame, number, 0x2000),
            Kind::LaterFragments => fragment(frame, number, 0x2000 | 185),
        }
    }
}

/// Another address or port for every number.
fn client(frame: &mut [u8], number: u64) {
    let address = 0x0a00_0000 | (number / 60_000) as u32;
    frame[26..30].copy_from_slice(&address.to_be_bytes());
    frame[34..36].copy_from_slice(&(1_024 + (number % 60_000) as u16).to_be_bytes());
}

fn segment(frame: &mut [u8], sequence: u32, flags: u8) {
    frame[38..42].copy_from_slice(&sequence.to_be_bytes());
    frame[47] = flags;
}

/// A fragment of UDP from another address after every 65,536 identifications.
fn fragment(frame: &mut [u8], number: u64, place: u16) {
    frame[18..20].copy_from_slice(&(number as u16).to_be_bytes());
    frame[20..22].copy_from_slice(&place.to_be_bytes());
    frame[23] = 17;
    frame[26..30].copy_from_slice(&(0x0a00_0000 | (number >> 16) as u32).to_be_bytes());
}

fn template() -> [u8; FRAME_BYTES] {
    let mut frame = [0; FRAME_BYTES];
    frame[..12].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14..24].copy_from_slice(&[0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6]);
    frame[30..34].copy_from_slice(&SERVER.octets());
    frame[36..38].copy_from_slice(&443_u16.to_be_bytes());
    frame[46] = 0x50;
    frame
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "steady" => Ok(Self::Steady),
            "syn" => Ok(Self::Syn),
            "lengths" => Ok(Self::Lengths),
            "reuse" => Ok(Self::Reuse),
            "payload" => Ok(Self::Payload),
            "first-fragments" => Ok(Self::FirstFragments),
            "later-fragments" => Ok(Self::LaterFragments),
            _ => Err(format!(
                "{text}: expected steady, syn, lengths, reuse, payload, first-fragments or later-fragments"
            )),
        }
    }
}

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} packets of {:?}, {} ns apart", self.packets, self.kind, self.step)
    }
}
