//! Sums over flows, by protocol. A `.flow` file's index keeps those of its flows, so that a summary reads no block.

use crate::batch::{FlowBatch, NumberColumn};
use crate::record::{Field, FieldSet, Protocol, Timestamp};

/// Sums over the flows of one protocol. Sums that do not fit stay at the largest number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProtocolTotals {
    /// The protocol; `None` for flows that have none.
    pub protocol: Option<Protocol>,
    /// Flows; a record that stands for several counts as so many.
    pub flows: u64,
    /// Packets from source to destination.
    pub in_packets: u64,
    /// Bytes from source to destination.
    pub in_bytes: u64,
    /// Packets from destination to source.
    pub out_packets: u64,
    /// Bytes from destination to source.
    pub out_bytes: u64,
}

/// Sums over the rows of all batches that were added; sums that do not fit stay at the largest number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    rows: u64,
    first: Option<i64>,
    last: Option<i64>,
    /// By protocol number; the last one for rows without protocol.
    protocols: Vec<ProtocolTotals>,
}

/// Place of the rows that have no protocol.
const NO_PROTOCOL: usize = 256;

impl Totals {
    /// The fields that are summed.
    pub fn fields() -> FieldSet {
        FieldSet::from([
            Field::First,
            Field::Last,
            Field::Protocol,
            Field::InPackets,
            Field::InBytes,
            Field::OutPackets,
            Field::OutBytes,
            Field::Flows,
            Field::LogStatus,
            Field::SrcAddr,
            Field::DstAddr,
        ])
    }

    /// Adds the rows of a batch.
    pub fn add(&mut self, batch: &FlowBatch) {
        self.rows = self.rows.saturating_add(batch.len() as u64);
        let known = |field| {
            batch.times(field).into_iter().flat_map(|times| (0..times.len()).filter_map(|row| times.get(row)))
        };
        self.first = self.first.into_iter().chain(known(Field::First)).min();
        self.last = self.last.into_iter().chain(known(Field::Last)).max();
        let columns = Columns::of(batch);
        for row in 0..batch.len() {
            let place =
                columns.protocol.and_then(|column| column.get(row)).map_or(NO_PROTOCOL, |n| n as usize);
            if let Some(totals) = self.protocols.get_mut(place).filter(|_| !batch.is_status_row(row)) {
                columns.add_row(row, totals);
            }
        }
    }

    /// Adds other totals.
    pub fn merge(&mut self, other: &Self) {
        self.rows = self.rows.saturating_add(other.rows);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
        for (totals, other) in self.protocols.iter_mut().zip(&other.protocols) {
            totals.merge(other);
        }
    }

    /// Rows added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Earliest time of a first packet.
    pub fn first(&self) -> Option<Timestamp> {
        self.first.map(Timestamp::from_nanos)
    }

    /// Latest time of a last packet.
    pub fn last(&self) -> Option<Timestamp> {
        self.last.map(Timestamp::from_nanos)
    }

    /// The protocols that occur, ascending; flows without one last.
    pub fn protocols(&self) -> impl Iterator<Item = &ProtocolTotals> {
        self.protocols.iter().filter(|totals| {
            **totals != ProtocolTotals { protocol: totals.protocol, ..ProtocolTotals::default() }
        })
    }

    /// Totals made from their parts, as a file's index holds them.
    pub(crate) fn from_parts(
        rows: u64,
        first: Option<i64>,
        last: Option<i64>,
        protocols: impl Iterator<Item = ProtocolTotals>,
    ) -> Self {
        let mut totals = Self { rows, first, last, ..Self::default() };
        for part in protocols {
            let place = part.protocol.map_or(NO_PROTOCOL, |protocol| usize::from(protocol.0));
            if let Some(sums) = totals.protocols.get_mut(place) {
                sums.merge(&part);
            }
        }
        totals
    }
}

impl ProtocolTotals {
    fn merge(&mut self, other: &Self) {
        let sums = [
            (&mut self.flows, other.flows),
            (&mut self.in_packets, other.in_packets),
            (&mut self.in_bytes, other.in_bytes),
            (&mut self.out_packets, other.out_packets),
            (&mut self.out_bytes, other.out_bytes),
        ];
        sums.into_iter().for_each(|(sum, more)| *sum = sum.saturating_add(more));
    }
}

impl Default for Totals {
    fn default() -> Self {
        let protocol = |n: usize| u8::try_from(n).ok().map(Protocol);
        let protocols =
            (0..=NO_PROTOCOL).map(|n| ProtocolTotals { protocol: protocol(n), ..ProtocolTotals::default() });
        Self { rows: 0, first: None, last: None, protocols: protocols.collect() }
    }
}

/// The columns that are summed; rows without a value hold 0.
struct Columns<'a> {
    protocol: Option<&'a NumberColumn>,
    flows: Option<&'a NumberColumn>,
    in_packets: &'a [u64],
    in_bytes: &'a [u64],
    out_packets: &'a [u64],
    out_bytes: &'a [u64],
}

impl<'a> Columns<'a> {
    fn of(batch: &'a FlowBatch) -> Self {
        let values = |field| batch.number_column(field).map_or(&[][..], |column| column.values());
        Self {
            protocol: batch.number_column(Field::Protocol),
            flows: batch.number_column(Field::Flows),
            in_packets: values(Field::InPackets),
            in_bytes: values(Field::InBytes),
            out_packets: values(Field::OutPackets),
            out_bytes: values(Field::OutBytes),
        }
    }

    fn add_row(&self, row: usize, totals: &mut ProtocolTotals) {
        let add = |sum: &mut u64, values: &[u64]| {
            *sum = sum.saturating_add(values.get(row).copied().unwrap_or(0));
        };
        let flows = self.flows.and_then(|column| column.get(row)).unwrap_or(1);
        totals.flows = totals.flows.saturating_add(flows);
        add(&mut totals.in_packets, self.in_packets);
        add(&mut totals.in_bytes, self.in_bytes);
        add(&mut totals.out_packets, self.out_packets);
        add(&mut totals.out_bytes, self.out_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_by_protocol() {
        let mut batch = FlowBatch::new();
        for (protocol, bytes, flows) in
            [(Some(6), 10, None), (Some(17), 5, Some(3)), (Some(6), u64::MAX, None), (None, 1, None)]
        {
            protocol.into_iter().for_each(|n| batch.set_number(Field::Protocol, n));
            batch.set_number(Field::InBytes, bytes);
            flows.into_iter().for_each(|n| batch.set_number(Field::Flows, n));
            batch.set_time(Field::First, Timestamp::from_nanos(-5));
            batch.end_row();
        }
        let mut totals = Totals::default();
        totals.add(&batch);
        totals.add(&FlowBatch::new());
        let sums = |totals: &Totals| -> Vec<_> {
            totals.protocols().map(|p| (p.protocol.map(|p| p.0), p.flows, p.in_bytes, p.out_bytes)).collect()
        };
        assert_eq!(sums(&totals), [(Some(6), 2, u64::MAX, 0), (Some(17), 3, 5, 0), (None, 1, 1, 0)]);
        assert_eq!(
            (totals.rows(), totals.first(), totals.last()),
            (4, Some(Timestamp::from_nanos(-5)), None)
        );

        totals.merge(&totals.clone());
        assert_eq!(sums(&totals), [(Some(6), 4, u64::MAX, 0), (Some(17), 6, 10, 0), (None, 2, 2, 0)]);
        assert_eq!(totals.rows(), 8);
    }

    #[test]
    fn rows_that_do_not_fit_stay_at_the_largest_number() {
        let many = Totals { rows: u64::MAX - 1, ..Totals::default() };
        let mut totals = many.clone();
        totals.merge(&many);
        assert_eq!(totals.rows(), u64::MAX);
    }
}
