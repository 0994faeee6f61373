//! What is counted for a group: the sums over its records, one small row each.
//!
//! A record becomes such a row too, so that adding a record and merging two partial results are one and the same.

use crate::batch::{FlowBatch, Mask, Presence, Values};
use crate::record::flow_arithmetic as arithmetic;
use crate::record::{Field, FieldSet, TcpFlags, Timestamp};

/// Which packets of a flow are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Those of both directions.
    Both,
    /// From source to destination.
    In,
    /// From destination to source.
    Out,
}

/// Sums over the records of a group. Sums that do not fit stay at the largest number.
///
/// What no record of the group had is `None`, not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters {
    pub(super) flows: u64,
    pub(super) in_packets: u64,
    pub(super) in_bytes: u64,
    pub(super) out_packets: u64,
    pub(super) out_bytes: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) in_flags: u8,
    pub(super) out_flags: u8,
    /// Which of the values above some record had.
    pub(super) seen: u8,
}

const IN_PACKETS: u8 = 1;
const IN_BYTES: u8 = 1 << 1;
const OUT_PACKETS: u8 = 1 << 2;
const OUT_BYTES: u8 = 1 << 3;
const FIRST: u8 = 1 << 4;
const LAST: u8 = 1 << 5;
const IN_FLAGS: u8 = 1 << 6;
const OUT_FLAGS: u8 = 1 << 7;

impl Counters {
    /// The counters of no record.
    pub const NONE: Self = Self {
        flows: 0,
        in_packets: 0,
        in_bytes: 0,
        out_packets: 0,
        out_bytes: 0,
        first: i64::MAX,
        last: i64::MIN,
        in_flags: 0,
        out_flags: 0,
        seen: 0,
    };

    /// The stored fields that are counted, TCP flags excepted; those are counted where a batch has them.
    pub fn fields() -> FieldSet {
        FieldSet::from([
            Field::Flows,
            Field::InPackets,
            Field::InBytes,
            Field::OutPackets,
            Field::OutBytes,
            Field::First,
            Field::Last,
        ])
    }

    /// Flows: what the records say, one for each that does not say. NODATA and SKIPDATA rows of cloud logs are none.
    pub const fn flows(&self) -> u64 {
        self.flows
    }

    /// Packets of this way.
    pub fn packets(&self, way: Way) -> Option<u64> {
        let (to, back) = (self.seen(IN_PACKETS, self.in_packets), self.seen(OUT_PACKETS, self.out_packets));
        of_way(way, to, back)
    }

    /// Bytes of this way.
    pub fn bytes(&self, way: Way) -> Option<u64> {
        let (to, back) = (self.seen(IN_BYTES, self.in_bytes), self.seen(OUT_BYTES, self.out_bytes));
        of_way(way, to, back)
    }

    /// The earliest start.
    pub fn first(&self) -> Option<Timestamp> {
        self.seen(FIRST, self.first).map(Timestamp::from_nanos)
    }

    /// The latest end.
    pub fn last(&self) -> Option<Timestamp> {
        self.seen(LAST, self.last).map(Timestamp::from_nanos)
    }

    /// Nanoseconds from the earliest start to the latest end.
    pub fn duration(&self) -> Option<u64> {
        arithmetic::duration(self.first(), self.last())
    }

    /// Packets of this way a second, rounded down; 0 without duration.
    pub fn pps(&self, way: Way) -> Option<u64> {
        arithmetic::rate(self.packets(way), 1, self.duration())
    }

    /// Bits of this way a second, rounded down; 0 without duration.
    pub fn bps(&self, way: Way) -> Option<u64> {
        arithmetic::rate(self.bytes(way), 8, self.duration())
    }

    /// Bytes a packet of this way, rounded down; 0 without packets.
    pub fn bpp(&self, way: Way) -> Option<u64> {
        arithmetic::ratio(self.bytes(way), self.packets(way))
    }

    /// All TCP flags of this way.
    pub fn tcp_flags(&self, way: Way) -> Option<TcpFlags> {
        let (to, back) = (self.seen(IN_FLAGS, self.in_flags), self.seen(OUT_FLAGS, self.out_flags));
        let flags = match way {
            Way::Both => arithmetic::either(to, back, |to, back| to | back),
            Way::In => to,
            Way::Out => back,
        };
        flags.map(TcpFlags)
    }

    /// Counts the chosen rows.
    pub fn add_rows(&mut self, batch: &FlowBatch, chosen: &Mask) {
        let columns = CounterColumns::of(batch);
        let all = if chosen.count() == batch.len() { columns.all() } else { None };
        match all {
            Some(all) => self.add(&all),
            None => chosen.rows().for_each(|row| self.add(&columns.row(row))),
        }
    }

    /// Adds the records counted by another.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        self.flows = self.flows.saturating_add(other.flows);
        self.in_packets = self.in_packets.saturating_add(other.in_packets);
        self.in_bytes = self.in_bytes.saturating_add(other.in_bytes);
        self.out_packets = self.out_packets.saturating_add(other.out_packets);
        self.out_bytes = self.out_bytes.saturating_add(other.out_bytes);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.in_flags |= other.in_flags;
        self.out_flags |= other.out_flags;
        self.seen |= other.seen;
    }

    /// The same seen from the other side: in is out.
    #[must_use]
    pub(super) const fn turned(&self) -> Self {
        // Bits of the two ways lie side by side, those of times do not change.
        const TO: u8 = IN_PACKETS | IN_BYTES;
        let times = self.seen & (FIRST | LAST);
        let numbers = (self.seen & TO) << 2 | (self.seen >> 2) & TO;
        let flags = (self.seen & IN_FLAGS) << 1 | (self.seen & OUT_FLAGS) >> 1;
        Self {
            in_packets: self.out_packets,
            in_bytes: self.out_bytes,
            out_packets: self.in_packets,
            out_bytes: self.in_bytes,
            in_flags: self.out_flags,
            out_flags: self.in_flags,
            seen: times | numbers | flags,
            ..*self
        }
    }

    /// Sets the counted fields of the row of a batch that is being filled.
    pub(super) fn set(&self, batch: &mut FlowBatch) {
        let numbers = [
            (Field::Flows, Some(self.flows)),
            (Field::InPackets, self.packets(Way::In)),
            (Field::InBytes, self.bytes(Way::In)),
            (Field::OutPackets, self.packets(Way::Out)),
            (Field::OutBytes, self.bytes(Way::Out)),
            (Field::InFlags, self.tcp_flags(Way::In).map(|flags| flags.0.into())),
            (Field::OutFlags, self.tcp_flags(Way::Out).map(|flags| flags.0.into())),
        ];
        for (field, number) in numbers {
            number.into_iter().for_each(|number| batch.set_number(field, number));
        }
        for (field, time) in [(Field::First, self.first()), (Field::Last, self.last())] {
            time.into_iter().for_each(|time| batch.set_time(field, time));
        }
    }

    fn seen<T>(&self, bit: u8, value: T) -> Option<T> {
        (self.seen & bit != 0).then_some(value)
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::NONE
    }
}

fn of_way(way: Way, to: Option<u64>, back: Option<u64>) -> Option<u64> {
    match way {
        Way::Both => arithmetic::sum(to, back),
        Way::In => to,
        Way::Out => back,
    }
}

/// The columns of a batch that are counted.
pub(super) struct CounterColumns<'a> {
    batch: &'a FlowBatch,
    flows: Numbers<'a, u64>,
    in_packets: Numbers<'a, u64>,
    in_bytes: Numbers<'a, u64>,
    out_packets: Numbers<'a, u64>,
    out_bytes: Numbers<'a, u64>,
    in_flags: Numbers<'a, u64>,
    out_flags: Numbers<'a, u64>,
    first: Numbers<'a, i64>,
    last: Numbers<'a, i64>,
    /// Rows of the batch may say something about a log instead of being flows.
    status_rows: bool,
}

/// Values of a column; where all rows have one, presence is not looked at.
struct Numbers<'a, T> {
    values: &'a [T],
    present: Option<&'a Presence>,
}

impl<'a, T: Copy + Default> Numbers<'a, T> {
    fn of(column: Option<&'a Values<T>>) -> Self {
        match column {
            None => Self { values: &[], present: None },
            Some(column) => Self {
                values: column.values(),
                present: Some(column.present()).filter(|rows| !rows.is_full()),
            },
        }
    }

    /// The values of all `len` rows, `Some(None)` if no row has one; `None` if some have.
    #[expect(clippy::option_option, reason = "all, none, and some are three cases")]
    fn whole(&self, len: usize) -> Option<Option<&'a [T]>> {
        match (self.values, self.present) {
            ([], _) => Some(None),
            (values, None) if values.len() == len => Some(Some(values)),
            _ => None,
        }
    }

    /// Sets what the rows have.
    #[inline]
    fn fill(
        &self,
        rows: impl Iterator<Item = u32>,
        sums: &mut [Counters],
        bit: u8,
        set: impl Fn(&mut Counters, T),
    ) {
        if self.values.is_empty() {
            return;
        }
        for (sum, row) in sums.iter_mut().zip(rows) {
            if let Some(value) = self.get(row as usize) {
                set(sum, value);
                sum.seen |= bit;
            }
        }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        let value = self.values.get(row).copied();
        match self.present {
            Some(present) => value.filter(|_| present.get(row)),
            None => value,
        }
    }
}

impl<'a> CounterColumns<'a> {
    pub(super) fn of(batch: &'a FlowBatch) -> Self {
        let numbers = |field| Numbers::of(batch.number_column(field));
        let labels = batch.texts(Field::LogStatus).map_or(&[][..], |column| column.dictionary());
        Self {
            batch,
            flows: numbers(Field::Flows),
            in_packets: numbers(Field::InPackets),
            in_bytes: numbers(Field::InBytes),
            out_packets: numbers(Field::OutPackets),
            out_bytes: numbers(Field::OutBytes),
            in_flags: numbers(Field::InFlags),
            out_flags: numbers(Field::OutFlags),
            first: Numbers::of(batch.times(Field::First)),
            last: Numbers::of(batch.times(Field::Last)),
            status_rows: labels.iter().any(|label| matches!(&**label, "NODATA" | "SKIPDATA")),
        }
    }

    /// The counters of one record.
    #[inline]
    pub(super) fn row(&self, row: usize) -> Counters {
        let mut seen = 0;
        let mut counters = Counters {
            flows: self.flows(row),
            in_packets: note(&mut seen, IN_PACKETS, self.in_packets.get(row)).unwrap_or(0),
            in_bytes: note(&mut seen, IN_BYTES, self.in_bytes.get(row)).unwrap_or(0),
            out_packets: note(&mut seen, OUT_PACKETS, self.out_packets.get(row)).unwrap_or(0),
            out_bytes: note(&mut seen, OUT_BYTES, self.out_bytes.get(row)).unwrap_or(0),
            first: note(&mut seen, FIRST, self.first.get(row)).unwrap_or(i64::MAX),
            last: note(&mut seen, LAST, self.last.get(row)).unwrap_or(i64::MIN),
            in_flags: low_byte(note(&mut seen, IN_FLAGS, self.in_flags.get(row))),
            out_flags: low_byte(note(&mut seen, OUT_FLAGS, self.out_flags.get(row))),
            seen: 0,
        };
        counters.seen = seen;
        counters
    }

    /// The counters of these rows, a column at a time.
    #[inline]
    pub(super) fn fill(&self, rows: impl Iterator<Item = u32> + Clone, sums: &mut [Counters]) {
        sums.fill(Counters { flows: 1, ..Counters::NONE });
        if self.status_rows || !self.flows.values.is_empty() {
            sums.iter_mut().zip(rows.clone()).for_each(|(sum, row)| sum.flows = self.flows(row as usize));
        }
        self.in_packets.fill(rows.clone(), sums, IN_PACKETS, |sum, number| sum.in_packets = number);
        self.in_bytes.fill(rows.clone(), sums, IN_BYTES, |sum, number| sum.in_bytes = number);
        self.out_packets.fill(rows.clone(), sums, OUT_PACKETS, |sum, number| sum.out_packets = number);
        self.out_bytes.fill(rows.clone(), sums, OUT_BYTES, |sum, number| sum.out_bytes = number);
        self.in_flags.fill(rows.clone(), sums, IN_FLAGS, |sum, flags| sum.in_flags = low_byte(Some(flags)));
        self.out_flags
            .fill(rows.clone(), sums, OUT_FLAGS, |sum, flags| sum.out_flags = low_byte(Some(flags)));
        self.first.fill(rows.clone(), sums, FIRST, |sum, time| sum.first = time);
        self.last.fill(rows, sums, LAST, |sum, time| sum.last = time);
    }

    /// The counters of all records together, a column at a time; `None` where rows have to be told apart.
    fn all(&self) -> Option<Counters> {
        let len = self.batch.len();
        if self.status_rows || len == 0 {
            return None;
        }
        let mut seen = 0;
        let mut sum = |bit, numbers: &Numbers<'_, u64>| {
            Some(note(&mut seen, bit, numbers.whole(len)?.map(total)).unwrap_or(0))
        };
        let [in_packets, in_bytes] = [sum(IN_PACKETS, &self.in_packets)?, sum(IN_BYTES, &self.in_bytes)?];
        let [out_packets, out_bytes] =
            [sum(OUT_PACKETS, &self.out_packets)?, sum(OUT_BYTES, &self.out_bytes)?];
        let either = |values: &[u64]| values.iter().fold(0, |all, flags| all | flags);
        let earliest = |values: &[i64]| values.iter().copied().fold(i64::MAX, i64::min);
        let latest = |values: &[i64]| values.iter().copied().fold(i64::MIN, i64::max);
        Some(Counters {
            flows: self.flows.whole(len)?.map_or(len as u64, total),
            in_packets,
            in_bytes,
            out_packets,
            out_bytes,
            first: note(&mut seen, FIRST, self.first.whole(len)?.map(earliest)).unwrap_or(i64::MAX),
            last: note(&mut seen, LAST, self.last.whole(len)?.map(latest)).unwrap_or(i64::MIN),
            in_flags: low_byte(note(&mut seen, IN_FLAGS, self.in_flags.whole(len)?.map(either))),
            out_flags: low_byte(note(&mut seen, OUT_FLAGS, self.out_flags.whole(len)?.map(either))),
            seen,
        })
    }

    /// The packets of this way of each row, 0 if it does not say.
    pub(super) fn packets(&self, way: Way, rows: usize) -> Vec<u64> {
        sums(way, &self.in_packets, &self.out_packets, rows)
    }

    /// The bytes of this way of each row, 0 if it does not say.
    pub(super) fn bytes(&self, way: Way, rows: usize) -> Vec<u64> {
        sums(way, &self.in_bytes, &self.out_bytes, rows)
    }

    /// The flows of a row.
    #[inline]
    pub(super) fn flows(&self, row: usize) -> u64 {
        if self.status_rows && self.batch.is_status_row(row) {
            return 0;
        }
        self.flows.get(row).unwrap_or(1)
    }
}

/// What rows have of this way, 0 if nothing.
fn sums(way: Way, to: &Numbers<'_, u64>, back: &Numbers<'_, u64>, rows: usize) -> Vec<u64> {
    let mut sums = vec![0_u64; rows];
    let ways = [(way != Way::Out).then_some(to), (way != Way::In).then_some(back)];
    for numbers in ways.into_iter().flatten().filter(|numbers| !numbers.values.is_empty()) {
        for (row, sum) in sums.iter_mut().enumerate() {
            *sum = sum.saturating_add(numbers.get(row).unwrap_or(0));
        }
    }
    sums
}

#[inline]
fn note<T>(seen: &mut u8, bit: u8, value: Option<T>) -> Option<T> {
    *seen |= if value.is_some() { bit } else { 0 };
    value
}

/// A sum that stays at the largest number, without a test for each value: four billion of them do not pass 96 bits.
fn total(values: &[u64]) -> u64 {
    let sum = values.iter().map(|&value| u128::from(value)).sum::<u128>();
    u64::try_from(sum).unwrap_or(u64::MAX)
}

/// TCP flags are a byte in every field of that kind.
fn low_byte(flags: Option<u64>) -> u8 {
    flags.unwrap_or(0).to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_cache_line() {
        assert_eq!(size_of::<Counters>(), 64);
    }

    #[test]
    fn rows_together_are_rows_one_by_one() {
        let mut batch = FlowBatch::new();
        for n in 0..40_u64 {
            batch.set_number(Field::InBytes, n);
            batch.set_time(Field::First, Timestamp::from_nanos(n.cast_signed()));
            if n % 3 == 0 {
                batch.set_number(Field::OutPackets, n + 7);
                batch.set_number(Field::InFlags, n);
            }
            if n % 7 == 0 {
                batch.set_number(Field::Flows, n);
                batch.set_text(Field::LogStatus, "NODATA");
            }
            batch.end_row();
        }
        let (columns, rows) = (CounterColumns::of(&batch), [3_u32, 0, 39, 7, 21]);
        let mut sums = [Counters::NONE; 5];
        columns.fill(rows.into_iter(), &mut sums);
        assert_eq!(sums, rows.map(|row| columns.row(row as usize)));
    }

    #[test]
    fn what_no_record_had_is_not_zero() {
        let mut batch = FlowBatch::new();
        batch.set_number(Field::InBytes, 0);
        batch.set_time(Field::First, Timestamp::MAX);
        batch.end_row();
        batch.end_row();
        let columns = CounterColumns::of(&batch);
        let mut sum = columns.row(0);
        assert_eq!((sum.bytes(Way::Both), sum.bytes(Way::Out), sum.packets(Way::In)), (Some(0), None, None));
        assert_eq!((sum.first(), sum.last(), sum.duration()), (Some(Timestamp::MAX), None, None));
        assert_eq!(columns.row(1), Counters { flows: 1, ..Counters::NONE });
        sum.add(&columns.row(1));
        assert_eq!((sum.flows(), sum.bytes(Way::In)), (2, Some(0)));
    }

    #[test]
    fn turning_swaps_the_ways_and_what_is_known_of_them() {
        let mut batch = FlowBatch::new();
        for (field, number) in
            [(Field::InPackets, 1), (Field::InBytes, 2), (Field::OutBytes, 3), (Field::OutFlags, 4)]
        {
            batch.set_number(field, number);
        }
        batch.set_time(Field::Last, Timestamp::MAX);
        batch.end_row();
        let counters = CounterColumns::of(&batch).row(0);
        let turned = counters.turned();
        assert_eq!((turned.packets(Way::In), turned.packets(Way::Out)), (None, Some(1)));
        assert_eq!((turned.bytes(Way::In), turned.bytes(Way::Out)), (Some(3), Some(2)));
        assert_eq!((turned.tcp_flags(Way::In), turned.tcp_flags(Way::Out)), (Some(TcpFlags(4)), None));
        assert_eq!((turned.first(), turned.last()), (None, Some(Timestamp::MAX)));
        assert_eq!(turned.turned(), counters);
        // And a batch has what the counters say.
        let mut copy = FlowBatch::new();
        counters.set(&mut copy);
        copy.end_row();
        assert_eq!(CounterColumns::of(&copy).row(0), counters);
    }

    #[test]
    fn a_column_at_a_time_is_as_row_by_row() {
        for (fields, len) in [(0..9_usize, 100_u64), (0..5, 64), (5..9, 1), (0..0, 3), (2..3, 70)] {
            for partial in [None, Some(fields.start)] {
                let mut batch = FlowBatch::new();
                let all = Counters::fields().union(FieldSet::from([Field::InFlags, Field::OutFlags]));
                for row in 0..len {
                    for (at, field) in all.iter().enumerate().filter(|(at, _)| fields.contains(at)) {
                        let number = (row + 7) * (at as u64 + 3) * 1_000_003 % (u64::MAX / 3);
                        match field {
                            _ if partial == Some(at) && row % 3 == 0 => {}
                            Field::First | Field::Last => {
                                batch.set_time(field, Timestamp::from_nanos(5_000 - number.cast_signed()));
                            }
                            Field::InFlags | Field::OutFlags => batch.set_number(field, 1 << (row % 8)),
                            _ if row == 5 => batch.set_number(field, u64::MAX),
                            _ => batch.set_number(field, number),
                        }
                    }
                    batch.end_row();
                }
                let columns = CounterColumns::of(&batch);
                let mut expected = Counters::NONE;
                (0..batch.len()).for_each(|row| expected.add(&columns.row(row)));
                let mut sums = Counters::NONE;
                sums.add_rows(&batch, &Mask::all(batch.len()));
                assert_eq!(sums, expected, "{fields:?} {len} {partial:?}");
            }
        }
    }

    #[test]
    fn sums_stay_at_the_largest_number() {
        let mut batch = FlowBatch::new();
        for _ in 0..2 {
            for field in [Field::Flows, Field::InPackets, Field::OutBytes] {
                batch.set_number(field, u64::MAX - 1);
            }
            batch.end_row();
        }
        let columns = CounterColumns::of(&batch);
        let mut sum = columns.row(0);
        sum.add(&columns.row(1));
        assert_eq!(sum.flows(), u64::MAX);
        assert_eq!((sum.packets(Way::In), sum.bytes(Way::Both)), (Some(u64::MAX), Some(u64::MAX)));
    }
}
