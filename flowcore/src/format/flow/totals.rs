//! Totals as the index holds them.

use crate::codec::{Decode, Encode};
use crate::record::{Protocol, Timestamp};
use crate::totals::{ProtocolTotals, Totals};

/// [`Totals`] in the index: only protocols that occur, ascending, rows without one last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub(super) struct StoredTotals {
    pub(super) rows: u64,
    /// Earliest time of a first packet, latest time of a last packet.
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    pub(super) protocols: Vec<StoredProtocol>,
}

/// Sums over the flows of one protocol.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct StoredProtocol {
    pub(super) protocol: Option<u8>,
    pub(super) flows: u64,
    pub(super) in_packets: u64,
    pub(super) in_bytes: u64,
    pub(super) out_packets: u64,
    pub(super) out_bytes: u64,
}

impl StoredTotals {
    /// The sums themselves.
    pub(super) fn totals(&self) -> Totals {
        Totals::from_parts(self.rows, self.first, self.last, self.protocols.iter().map(ProtocolTotals::from))
    }
}

impl From<&Totals> for StoredTotals {
    fn from(totals: &Totals) -> Self {
        let protocols = totals.protocols().map(|totals| StoredProtocol {
            protocol: totals.protocol.map(|protocol| protocol.0),
            flows: totals.flows,
            in_packets: totals.in_packets,
            in_bytes: totals.in_bytes,
            out_packets: totals.out_packets,
            out_bytes: totals.out_bytes,
        });
        Self {
            rows: totals.rows(),
            first: totals.first().map(Timestamp::as_nanos),
            last: totals.last().map(Timestamp::as_nanos),
            protocols: protocols.collect(),
        }
    }
}

impl From<&StoredProtocol> for ProtocolTotals {
    fn from(stored: &StoredProtocol) -> Self {
        Self {
            protocol: stored.protocol.map(Protocol),
            flows: stored.flows,
            in_packets: stored.in_packets,
            in_bytes: stored.in_bytes,
            out_packets: stored.out_packets,
            out_bytes: stored.out_bytes,
        }
    }
}
