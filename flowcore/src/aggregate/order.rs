//! By what groups are ordered, and the words for it on the command line.

use std::fmt;
use std::str::FromStr;

use super::counters::{CounterColumns, Counters, Way};
use crate::batch::FlowBatch;
use crate::error::{Error, Result};
use crate::filter::nearest;
use crate::record::{Field, FieldSet};

/// An order of groups, or of records: by one of their numbers, up or down.
///
/// Reads and prints as a word of `-s` or `-O`; both spellings are known.
///
/// ```
/// use flowcore::aggregate::{Order, Way};
/// assert_eq!("bytes".parse::<Order>()?, Order::BYTES);
/// assert_eq!("ipackets:a".parse::<Order>()?, Order::PACKETS.of(Way::In).ascending());
/// assert_eq!(Order::PACKETS.of(Way::In).to_string(), "ipkg");
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    measure: Measure,
    way: Way,
    sorting: Sorting,
}

/// The number that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Measure {
    Flows,
    Packets,
    Bytes,
    Pps,
    Bps,
    Bpp,
    First,
    Last,
    Duration,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Sorting {
    Descending,
    Ascending,
}

impl Order {
    /// Most flows first.
    pub const FLOWS: Self = Self::descending(Measure::Flows);
    /// Most packets first.
    pub const PACKETS: Self = Self::descending(Measure::Packets);
    /// Most bytes first.
    pub const BYTES: Self = Self::descending(Measure::Bytes);
    /// Most packets a second first.
    pub const PPS: Self = Self::descending(Measure::Pps);
    /// Most bits a second first.
    pub const BPS: Self = Self::descending(Measure::Bps);
    /// Most bytes a packet first.
    pub const BPP: Self = Self::descending(Measure::Bpp);
    /// Earliest start first.
    pub const FIRST: Self = Self::descending(Measure::First).ascending();
    /// Earliest end first.
    pub const LAST: Self = Self::descending(Measure::Last).ascending();
    /// Longest first.
    pub const DURATION: Self = Self::descending(Measure::Duration);

    /// By the packets and bytes of this way only.
    #[must_use]
    pub const fn of(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The smallest first.
    #[must_use]
    pub const fn ascending(self) -> Self {
        Self { sorting: Sorting::Ascending, ..self }
    }

    /// Whose packets and bytes count.
    pub const fn way(self) -> Way {
        self.way
    }

    /// The stored fields that the order looks at.
    pub fn fields(self) -> FieldSet {
        let field = match self.measure {
            Measure::Flows => Field::Flows,
            Measure::Packets => Field::Packets,
            Measure::Bytes => Field::Bytes,
            Measure::Pps => Field::Pps,
            Measure::Bps => Field::Bps,
            Measure::Bpp => Field::Bpp,
            Measure::First => Field::First,
            Measure::Last => Field::Last,
            Measure::Duration => Field::Duration,
        };
        FieldSet::from([field]).stored()
    }

    /// Where each row of a batch stands: the smallest is first; `None`, which is last, does not have the number.
    ///
    /// ```
    /// use flowcore::aggregate::Order;
    /// use flowcore::{Field, FlowBatch};
    /// let mut batch = FlowBatch::new();
    /// for bytes in [5, 9] {
    ///     batch.set_number(Field::InBytes, bytes);
    ///     batch.end_row();
    /// }
    /// let ranks = Order::BYTES.ranks(&batch);
    /// assert!(ranks[1] < ranks[0], "nine bytes come before five");
    /// ```
    pub fn ranks(self, batch: &FlowBatch) -> Vec<Option<u64>> {
        let columns = CounterColumns::of(batch);
        (0..batch.len()).map(|row| self.rank(&columns.row(row))).collect()
    }

    /// Every word that stands for an order, without `:a` and `:d`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ORDERS.iter().map(|(name, _)| *name)
    }

    /// Where a group stands: smaller is nearer to the top; `None`, which is last, if it does not have the number.
    pub(super) fn rank(self, counters: &Counters) -> Option<u64> {
        let time = |time: Option<crate::record::Timestamp>| Some(in_order(time?.as_nanos()));
        let number = match self.measure {
            Measure::Flows => Some(counters.flows()),
            Measure::Packets => counters.packets(self.way),
            Measure::Bytes => counters.bytes(self.way),
            Measure::Pps => counters.pps(self.way),
            Measure::Bps => counters.bps(self.way),
            Measure::Bpp => counters.bpp(self.way),
            Measure::First => time(counters.first()),
            Measure::Last => time(counters.last()),
            Measure::Duration => counters.duration(),
        };
        Some(if self.sorting == Sorting::Descending { !number? } else { number? })
    }

    /// Whether the group with the largest sum over its records comes first.
    pub(super) fn is_of_sums(self) -> bool {
        let is_sum = matches!(self.measure, Measure::Flows | Measure::Packets | Measure::Bytes);
        is_sum && self.sorting == Sorting::Descending
    }

    /// The sum that is looked at, if it [is one](Self::is_of_sums) and the group has it.
    pub(super) fn weight(self, counters: &Counters) -> Option<u64> {
        match self.measure {
            Measure::Flows => Some(counters.flows()),
            Measure::Packets => counters.packets(self.way),
            Measure::Bytes => counters.bytes(self.way),
            _ => None,
        }
    }

    /// What each row of a batch adds to the sum, 0 if it does not say.
    pub(super) fn weights(self, columns: &CounterColumns<'_>, rows: usize) -> Vec<u64> {
        match self.measure {
            Measure::Packets => columns.packets(self.way, rows),
            Measure::Bytes => columns.bytes(self.way, rows),
            _ => (0..rows).map(|row| columns.flows(row)).collect(),
        }
    }

    const fn descending(measure: Measure) -> Self {
        Self { measure, way: Way::Both, sorting: Sorting::Descending }
    }
}

impl FromStr for Order {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, sorting) = text.split_once(':').map_or((text, None), |(name, end)| (name, Some(end)));
        let lower = name.to_ascii_lowercase();
        let &(_, order) = ORDERS.iter().find(|(known, _)| *known == lower).ok_or_else(|| unknown(name))?;
        match sorting {
            None => Ok(order),
            Some("a") => Ok(order.ascending()),
            Some("d") => Ok(Self { sorting: Sorting::Descending, ..order }),
            Some(other) => Err(Error::argument(format!(
                "\":{other}\" is no direction; ':a' behind {name} is smallest first, ':d' largest first"
            ))),
        }
    }
}

impl fmt::Display for Order {
    /// The first name of the order; `:a` or `:d` behind it where that is not what the name alone means.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = ORDERS.iter().find(|(_, order)| order.measure == self.measure && order.way == self.way);
        let Some((name, usual)) = known else { return f.pad("-") };
        match self.sorting {
            sorting if sorting == usual.sorting => f.pad(name),
            Sorting::Ascending => f.pad(&format!("{name}:a")),
            Sorting::Descending => f.pad(&format!("{name}:d")),
        }
    }
}

/// Times as numbers of the same order.
pub(super) const fn in_order(nanos: i64) -> u64 {
    nanos.cast_unsigned() ^ (1 << 63)
}

fn unknown(name: &str) -> Error {
    let meant =
        nearest(name, Order::names()).map_or(String::new(), |near| format!("; did you mean \"{near}\"?"));
    let names = Order::names().collect::<Vec<_>>().join(" ");
    Error::argument(format!("no order \"{name}\"{meant} (known: {names}; ':a' behind it is smallest first)"))
}

/// Names of `-s` first, then those of `-O` and of other spellings that are about.
const ORDERS: &[(&str, Order)] = &[
    ("flows", Order::FLOWS),
    ("packets", Order::PACKETS),
    ("ipkg", Order::PACKETS.of(Way::In)),
    ("opkg", Order::PACKETS.of(Way::Out)),
    ("bytes", Order::BYTES),
    ("ibyte", Order::BYTES.of(Way::In)),
    ("obyte", Order::BYTES.of(Way::Out)),
    ("pps", Order::PPS),
    ("ipps", Order::PPS.of(Way::In)),
    ("opps", Order::PPS.of(Way::Out)),
    ("bps", Order::BPS),
    ("ibps", Order::BPS.of(Way::In)),
    ("obps", Order::BPS.of(Way::Out)),
    ("bpp", Order::BPP),
    ("ibpp", Order::BPP.of(Way::In)),
    ("obpp", Order::BPP.of(Way::Out)),
    ("tstart", Order::FIRST),
    ("tend", Order::LAST),
    ("duration", Order::DURATION),
    ("ipackets", Order::PACKETS.of(Way::In)),
    ("opackets", Order::PACKETS.of(Way::Out)),
    ("ipkt", Order::PACKETS.of(Way::In)),
    ("opkt", Order::PACKETS.of(Way::Out)),
    ("ibytes", Order::BYTES.of(Way::In)),
    ("obytes", Order::BYTES.of(Way::Out)),
    ("ibyt", Order::BYTES.of(Way::In)),
    ("obyt", Order::BYTES.of(Way::Out)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_and_the_first_one_prints() {
        for (name, order) in ORDERS {
            assert_eq!(name.parse::<Order>().unwrap(), *order);
            assert_eq!(order.to_string().parse::<Order>().unwrap(), *order, "{name}");
            let turned = format!("{name}:a").parse::<Order>().unwrap();
            assert_eq!(turned.to_string().parse::<Order>().unwrap(), turned, "{name}");
        }
        assert_eq!("tstart:d".parse::<Order>().unwrap().to_string(), "tstart:d");
        assert_eq!("BYTES:a".parse::<Order>().unwrap().to_string(), "bytes:a");
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_and_all() {
        let error = "byts".parse::<Order>().unwrap_err().to_string();
        assert!(error.contains("\"bytes\"") && error.contains("obpp"), "{error}");
        assert!("bytes:x".parse::<Order>().unwrap_err().to_string().contains(":a"));
    }

    #[test]
    fn times_before_1970_are_earlier() {
        let sorted = [i64::MIN, -1, 0, 1, i64::MAX].map(in_order);
        assert!(sorted.is_sorted());
    }
}
