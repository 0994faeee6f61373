//! A connection as the analysis sees it: who asked whom for what, when, how much went each way, what became of it.

use crate::aggregate::{ConnState, Connections, Order, Selection};
use crate::batch::FlowBatch;
use crate::record::{Addr, Field, FieldSet, Protocol, TcpFlags, Timestamp};

/// A connection, its source being the initiator.
///
/// ```
/// use flowcore::analysis::Connection;
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_addr(Field::SrcAddr, "192.0.2.1".parse()?);
/// batch.set_number(Field::DstPort, 22);
/// batch.set_number(Field::OutBytes, 900);
/// batch.end_row();
/// let connection = Connection::of(&batch, 0);
/// assert_eq!((connection.dst_port, connection.reverse.bytes), (Some(22), 900));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Start of the first row, or time of the first packet.
    pub first: Timestamp,
    /// End of the last row, or time of the last packet.
    pub last: Timestamp,
    /// Initiator.
    pub src: Addr,
    /// Responder.
    pub dst: Addr,
    /// Port of the initiator; `None` for protocols without ports.
    pub src_port: Option<u16>,
    /// Port of the responder, the service; `None` for protocols without ports.
    pub dst_port: Option<u16>,
    /// Address of the initiator in the packets, where that of an interface on their way stands for it (`pkt-srcaddr` and
    /// `pkt-dstaddr` of AWS); else [`Addr::Unknown`].
    pub packet_src: Addr,
    /// The same of the responder.
    pub packet_dst: Addr,
    /// IP protocol, where the source says it.
    pub protocol: Option<Protocol>,
    /// Initiator to responder.
    pub forward: Traffic,
    /// Responder to initiator.
    pub reverse: Traffic,
    /// What became of it; `None` where nobody asked.
    pub state: Option<ConnState>,
    /// Rows that it was joined of.
    pub rows: u64,
}

/// What went one way; what the source does not say is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Traffic {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
    /// TCP flags of all packets.
    pub flags: TcpFlags,
}

impl Connection {
    /// The stored fields that are looked at.
    pub fn fields() -> FieldSet {
        FieldSet::from([
            Field::First,
            Field::Last,
            Field::SrcAddr,
            Field::DstAddr,
            Field::PktSrcAddr,
            Field::PktDstAddr,
            Field::SrcPort,
            Field::DstPort,
            Field::Protocol,
            Field::InPackets,
            Field::InBytes,
            Field::InFlags,
            Field::OutPackets,
            Field::OutBytes,
            Field::OutFlags,
            Field::ConnState,
            Field::Flows,
        ])
    }

    /// The connection in a row of a batch. A row without a start begins at its end, and the other way round.
    pub fn of(batch: &FlowBatch, row: usize) -> Self {
        let (first, last) = (batch.time(Field::First, row), batch.time(Field::Last, row));
        let port = |field| batch.number(field, row).and_then(|port| u16::try_from(port).ok());
        let protocol = batch.number(Field::Protocol, row).and_then(|number| u8::try_from(number).ok());
        Self {
            first: first.or(last).unwrap_or_default(),
            last: last.or(first).unwrap_or_default(),
            src: batch.addr(Field::SrcAddr, row),
            dst: batch.addr(Field::DstAddr, row),
            src_port: port(Field::SrcPort),
            dst_port: port(Field::DstPort),
            packet_src: batch.addr(Field::PktSrcAddr, row),
            packet_dst: batch.addr(Field::PktDstAddr, row),
            protocol: protocol.map(Protocol),
            forward: traffic(batch, row, [Field::InPackets, Field::InBytes, Field::InFlags]),
            reverse: traffic(batch, row, [Field::OutPackets, Field::OutBytes, Field::OutFlags]),
            state: batch.text(Field::ConnState, row).and_then(ConnState::from_name),
            rows: batch.number(Field::Flows, row).unwrap_or(1),
        }
    }

    /// All connections that were joined, the earliest first.
    pub fn all(joined: &Connections) -> Vec<Self> {
        let all = Selection { order: Order::FIRST, limit: usize::MAX, filter: None };
        let of_batch =
            |batch: FlowBatch| (0..batch.len()).map(|row| Self::of(&batch, row)).collect::<Vec<_>>();
        let mut connections: Vec<Self> = joined.records(all).flat_map(of_batch).collect();
        connections.sort_unstable();
        connections
    }

    /// Bytes of both ways.
    pub const fn bytes(&self) -> u64 {
        self.forward.bytes.saturating_add(self.reverse.bytes)
    }

    /// Whether something of substance came back: it was not refused, and did not stay without an answer.
    pub fn was_answered(&self) -> bool {
        !matches!(self.state, Some(ConnState::Refused | ConnState::Unanswered))
    }
}

impl Traffic {
    /// This and that, flags joined.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets.saturating_add(other.packets),
            bytes: self.bytes.saturating_add(other.bytes),
            flags: TcpFlags(self.flags.0 | other.flags.0),
        }
    }
}

fn traffic(batch: &FlowBatch, row: usize, [packets, bytes, flags]: [Field; 3]) -> Traffic {
    let number = |field| batch.number(field, row).unwrap_or(0);
    let flags = TcpFlags(u8::try_from(number(flags)).unwrap_or(u8::MAX));
    Traffic { packets: number(packets), bytes: number(bytes), flags }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A connection over TCP that was accepted, between these seconds.
    pub(in crate::analysis) fn connection(
        src: &str,
        dst: &str,
        port: u16,
        first: i64,
        last: i64,
    ) -> Connection {
        Connection {
            first: Timestamp::from_secs(first),
            last: Timestamp::from_secs(last),
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
            src_port: Some(50_000),
            dst_port: Some(port),
            packet_src: Addr::Unknown,
            packet_dst: Addr::Unknown,
            protocol: Some(Protocol::TCP),
            forward: Traffic { packets: 4, bytes: 400, flags: TcpFlags::default() },
            reverse: Traffic { packets: 3, bytes: 300, flags: TcpFlags::default() },
            state: Some(ConnState::Accepted),
            rows: 2,
        }
    }
}
