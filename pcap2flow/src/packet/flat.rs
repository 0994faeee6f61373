//! The fastest path: TCP and UDP over IPv4 in a plain Ethernet frame, as numbers.
//!
//! Most frames of most captures are such. What `fast.rs` reads of them goes into a [`Packet`](super::Packet), whose many
//! choices (version, ports, tunnels, fragments) take longer to make and to ask for again than the reading: three
//! quarters of the instructions. Here none is left. The tests hold both to the same answer.

use flowcore::Protocol;

use super::fast::FRAGMENT_BITS;
use super::ip::frame_notes;
use super::{Notes, tunnel};
use crate::capture::LinkType;
use crate::options::TunnelMode;

/// A whole TCP or UDP header and what is before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flat {
    /// Source and destination: address, then port, in 48 bits.
    pub(crate) ends: [u64; 2],
    pub(crate) protocol: Protocol,
    pub(crate) ip_bytes: u16,
    pub(crate) tos: u8,
    pub(crate) ttl: u8,
    /// Of a TCP segment: sequence number, acknowledgement, bytes behind its header, control bits. Else 0.
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) payload_len: u16,
    pub(crate) flags: u8,
    /// Source and destination.
    pub(crate) macs: [[u8; 6]; 2],
    pub(crate) notes: Notes,
}

/// The packet of a frame, if it is one of these; any other is [`decode_plain`](super::decode_plain)'s. The frame had
/// `wire_len` bytes, not fewer than `data`.
#[inline(always)]
pub(crate) fn decode_flat(
    mode: TunnelMode,
    link: Option<LinkType>,
    wire_len: u32,
    data: &[u8],
) -> Option<Flat> {
    let (ethernet, ip) = data.split_first_chunk::<ETHERNET_BYTES>()?;
    let (header, _) = ip.split_first_chunk::<24>()?;
    let &[0x45, tos, l0, l1, _, _, f0, f1, ttl, protocol, _, _, ref ends @ ..] = header else { return None };
    if link != Some(LinkType::ETHERNET) || !matches!(ethernet, [.., 0x08, 0x00]) {
        return None;
    }
    let total = u16::from_be_bytes([l0, l1]);
    let segment = ip.get(20..ip.len().min(total.into()))?;
    if u16::from_be_bytes([f0, f1]) & FRAGMENT_BITS != 0 {
        return None;
    }
    let (dst_mac, rest) = ethernet.split_first_chunk()?;
    let notes = frame_notes(ip.len(), wire_len.checked_sub(ETHERNET_BYTES as u32)?, total.into());
    let (protocol, macs) = (Protocol(protocol), [*rest.first_chunk()?, *dst_mac]);
    let (seq, ack, payload_len, flags) = (0, 0, 0, 0);
    let ends = self::ends(ends);
    let flat = Flat { ends, protocol, ip_bytes: total, tos, ttl, seq, ack, payload_len, flags, macs, notes };
    match protocol {
        Protocol::TCP => flat.tcp(segment),
        Protocol::UDP => flat.udp(mode, segment),
        _ => None,
    }
}

impl Flat {
    #[inline(always)]
    fn tcp(self, segment: &[u8]) -> Option<Self> {
        let &[_, _, _, _, n0, n1, n2, n3, a0, a1, a2, a3, offset, flags, ..] = segment.first_chunk::<20>()?;
        let header_len = u16::from(offset >> 4) * 4;
        let payload_len = (self.ip_bytes - 20).checked_sub(header_len)?;
        let (seq, ack) = (u32::from_be_bytes([n0, n1, n2, n3]), u32::from_be_bytes([a0, a1, a2, a3]));
        (header_len >= 20).then_some(Self { seq, ack, payload_len, flags, ..self })
    }

    #[inline(always)]
    fn udp(self, mode: TunnelMode, datagram: &[u8]) -> Option<Self> {
        let &[s0, s1, d0, d1, l0, l1, ..] = datagram.first_chunk::<8>()?;
        let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
        let is_tunnel = mode == TunnelMode::Inner && tunnel::is_udp_tunnel(ports.0, ports.1);
        let fits = (8..=self.ip_bytes - 20).contains(&u16::from_be_bytes([l0, l1]));
        (fits && !is_tunnel).then_some(self)
    }
}

/// Both addresses, and the ports behind them.
#[inline(always)]
fn ends(&[s0, s1, s2, s3, d0, d1, d2, d3, p0, p1, q0, q1]: &[u8; 12]) -> [u64; 2] {
    let src = u64::from_be_bytes([0, 0, s0, s1, s2, s3, p0, p1]);
    let dst = u64::from_be_bytes([0, 0, d0, d1, d2, d3, q0, q1]);
    [src, dst]
}

const ETHERNET_BYTES: usize = 14;
