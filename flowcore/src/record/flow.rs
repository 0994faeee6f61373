//! The row form of a flow.

use super::{Addr, EndReason, Field, FieldKind, NANOS_PER_SEC, Protocol, TcpFlags, Text, Timestamp, Value};

/// One flow: a bidirectional flow in the sense of RFC 5103, source being the initiator.
///
/// Every member is optional because every column of some cloud log can be missing; what a source does not say is
/// never a zero. Sources that are one-way (AWS, GCP) leave [`reverse`](Self::reverse) empty; a two-way source
/// that saw nothing come back has zeros there.
///
/// ```
/// use flowcore::{Field, Flow, Timestamp, Value};
/// let mut flow = Flow::default();
/// flow.key.src = "10.0.0.1".parse().unwrap();
/// flow.first = Some(Timestamp::from_secs(100));
/// flow.last = Some(Timestamp::from_secs(101));
/// flow.forward.bytes = Some(1000);
/// assert_eq!(flow.get(Field::Bps), Value::Number(8000));
/// flow.set(Field::Action, "REJECT".into());
/// assert_eq!(flow.get(Field::Action).text(), Some("REJECT"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flow {
    /// Addresses, ports and protocol.
    pub key: FlowKey,
    /// Time of the first packet, or start of the cloud log's window.
    pub first: Option<Timestamp>,
    /// Time of the last packet, or end of the cloud log's window.
    pub last: Option<Timestamp>,
    /// Source to destination.
    pub forward: Direction,
    /// Destination to source.
    pub reverse: Direction,
    /// Why the flow ended.
    pub end_reason: Option<EndReason>,
    /// The other fields, sorted; reached by [`get`](Self::get) and [`set`](Self::set).
    attributes: Vec<(Field, Value)>,
    /// Columns of the source that have no field, by their own name; readers sort them by name.
    pub unknown: Vec<(Text, Text)>,
}

/// What makes packets belong to one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct FlowKey {
    /// Initiator, or sender where the source is one-way.
    pub src: Addr,
    /// Responder, or receiver where the source is one-way.
    pub dst: Addr,
    /// Port of `src`; `None` for protocols without ports.
    pub src_port: Option<u16>,
    /// Port of `dst`; `None` for protocols without ports.
    pub dst_port: Option<u16>,
    /// IP protocol.
    pub protocol: Option<Protocol>,
}

/// Counters of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Direction {
    /// Packets.
    pub packets: Option<u64>,
    /// Bytes, IP header included.
    pub bytes: Option<u64>,
    /// TCP flags of all packets.
    pub flags: Option<TcpFlags>,
    /// Type of service or traffic class of the first packet.
    pub tos: Option<u8>,
}

impl Flow {
    /// Packets of both directions; what is unknown counts as none.
    pub fn packets(&self) -> u64 {
        sum(self.forward.packets, self.reverse.packets).unwrap_or(0)
    }

    /// Bytes of both directions; what is unknown counts as none.
    pub fn bytes(&self) -> u64 {
        sum(self.forward.bytes, self.reverse.bytes).unwrap_or(0)
    }

    /// Nanoseconds from first to last, if both are known; 0 where last is before first.
    pub fn duration(&self) -> Option<u64> {
        duration(self.first, self.last)
    }

    /// The value of any field, computed ones included.
    pub fn get(&self, field: Field) -> Value {
        match field {
            Field::First => self.first.into(),
            Field::Last => self.last.into(),
            Field::SrcAddr => self.key.src.into(),
            Field::DstAddr => self.key.dst.into(),
            _ => match self.core_number(field) {
                Some(number) => number.into(),
                None => self.attribute(field),
            },
        }
    }

    /// Sets a stored field; a value of another type than the field's, a number that is too large for it and
    /// [`Value::Absent`] clear it. Computed fields cannot be set: the call changes nothing.
    pub fn set(&mut self, field: Field, value: Value) {
        let number = value.number().filter(|&number| number <= field.kind().max_number());
        match field {
            Field::First => self.first = value.time(),
            Field::Last => self.last = value.time(),
            Field::SrcAddr => self.key.src = value.addr(),
            Field::DstAddr => self.key.dst = value.addr(),
            Field::Protocol => self.key.protocol = number.and_then(narrow).map(Protocol),
            Field::SrcPort => self.key.src_port = number.and_then(narrow),
            Field::DstPort => self.key.dst_port = number.and_then(narrow),
            Field::InPackets => self.forward.packets = number,
            Field::InBytes => self.forward.bytes = number,
            Field::OutPackets => self.reverse.packets = number,
            Field::OutBytes => self.reverse.bytes = number,
            Field::InFlags => self.forward.flags = number.and_then(narrow).map(TcpFlags),
            Field::OutFlags => self.reverse.flags = number.and_then(narrow).map(TcpFlags),
            Field::SrcTos => self.forward.tos = number.and_then(narrow),
            Field::DstTos => self.reverse.tos = number.and_then(narrow),
            Field::EndReason => self.end_reason = number.and_then(EndReason::from_number),
            _ if field.is_derived() => {}
            _ => self.set_attribute(field, value),
        }
    }

    /// The numbers that have a member or are computed; outer `None` for every other field.
    fn core_number(&self, field: Field) -> Option<Option<u64>> {
        let (f, r) = (&self.forward, &self.reverse);
        Some(match field {
            Field::Protocol => self.key.protocol.map(|p| u64::from(p.0)),
            Field::SrcPort => self.key.src_port.map(u64::from),
            Field::DstPort => self.key.dst_port.map(u64::from),
            Field::InPackets => f.packets,
            Field::InBytes => f.bytes,
            Field::OutPackets => r.packets,
            Field::OutBytes => r.bytes,
            Field::InFlags => f.flags.map(|flags| u64::from(flags.0)),
            Field::OutFlags => r.flags.map(|flags| u64::from(flags.0)),
            Field::SrcTos => f.tos.map(u64::from),
            Field::DstTos => r.tos.map(u64::from),
            Field::EndReason => self.end_reason.map(|reason| reason as u64),
            Field::Packets => sum(f.packets, r.packets),
            Field::Bytes => sum(f.bytes, r.bytes),
            Field::TcpFlags => either(f.flags, r.flags, |a, b| a | b).map(|flags| u64::from(flags.0)),
            Field::Duration => self.duration(),
            Field::Pps => rate(sum(f.packets, r.packets), 1, self.duration()),
            Field::Bps => rate(sum(f.bytes, r.bytes), 8, self.duration()),
            Field::Bpp => ratio(sum(f.bytes, r.bytes), sum(f.packets, r.packets)),
            _ => return None,
        })
    }

    fn attribute(&self, field: Field) -> Value {
        match self.attributes.binary_search_by_key(&field, |entry| entry.0) {
            Ok(at) => self.attributes[at].1.clone(),
            Err(_) => Value::Absent,
        }
    }

    fn set_attribute(&mut self, field: Field, value: Value) {
        let place = self.attributes.binary_search_by_key(&field, |entry| entry.0);
        let fits = value_fits(field.kind(), &value);
        match place {
            Ok(at) if fits => self.attributes[at].1 = value,
            Ok(at) => drop(self.attributes.remove(at)),
            Err(at) if fits => self.attributes.insert(at, (field, value)),
            Err(_) => {}
        }
    }
}

fn value_fits(kind: FieldKind, value: &Value) -> bool {
    use super::Storage;
    match (kind.storage(), value) {
        (Storage::Number, Value::Number(number)) => *number <= kind.max_number(),
        (Storage::Time, Value::Time(_)) | (Storage::Text, Value::Text(_)) => true,
        (Storage::Addr, Value::Addr(addr)) => addr.is_known(),
        _ => false,
    }
}

fn narrow<T: TryFrom<u64>>(number: u64) -> Option<T> {
    T::try_from(number).ok()
}

/// Both values joined, or the one that there is.
pub(crate) fn either<T>(a: Option<T>, b: Option<T>, join: impl Fn(T, T) -> T) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(join(a, b)),
        (one, other) => one.or(other),
    }
}

/// The sum of two counters, one of which may be unknown; the largest number where the sum is larger.
pub(crate) fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    either(a, b, u64::saturating_add)
}

/// Nanoseconds from `first` to `last`; 0 where they are the wrong way round.
pub(crate) fn duration(first: Option<Timestamp>, last: Option<Timestamp>) -> Option<u64> {
    Some(u64::try_from(last?.since(first?)).unwrap_or(0))
}

/// `count * factor` a second, rounded down; 0 without duration, as nfdump has it.
pub(crate) fn rate(count: Option<u64>, factor: u64, duration: Option<u64>) -> Option<u64> {
    let (count, duration) = (count?, duration?);
    if duration == 0 {
        return Some(0);
    }
    let per_second = u128::from(count) * u128::from(factor) * NANOS_PER_SEC as u128 / u128::from(duration);
    Some(u64::try_from(per_second).unwrap_or(u64::MAX))
}

/// Bytes a packet, rounded down; 0 without packets, as nfdump has it.
pub(crate) fn ratio(bytes: Option<u64>, packets: Option<u64>) -> Option<u64> {
    Some(bytes?.checked_div(packets?).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FIELDS, Storage};

    fn sample(kind: FieldKind) -> Value {
        match kind.storage() {
            Storage::Number => Value::Number(3),
            Storage::Time => Value::Time(Timestamp::from_secs(3)),
            Storage::Addr => Value::Addr("10.0.0.3".parse().unwrap()),
            Storage::Text => "three".into(),
        }
    }

    #[test]
    fn every_stored_field_reads_back_and_clears() {
        for info in FIELDS.iter().filter(|info| !info.field.is_derived()) {
            let mut flow = Flow::default();
            flow.set(info.field, sample(info.kind));
            assert_eq!(flow.get(info.field), sample(info.kind), "{}", info.name);
            flow.set(info.field, Value::Absent);
            assert_eq!(flow, Flow::default(), "{}", info.name);
        }
    }

    #[test]
    fn a_wrong_value_is_not_kept() {
        let mut flow = Flow::default();
        flow.set(Field::SrcPort, Value::Number(65_536));
        flow.set(Field::Vlan, "seven".into());
        flow.set(Field::Bytes, Value::Number(7));
        assert_eq!(flow, Flow::default());
    }

    #[test]
    fn rates_are_of_both_directions() {
        let mut flow = Flow {
            first: Some(Timestamp::from_secs(10)),
            last: Some(Timestamp::from_secs(12)),
            ..Flow::default()
        };
        assert_eq!(flow.get(Field::Bps), Value::Absent);
        flow.forward = Direction { packets: Some(3), bytes: Some(300), ..Direction::default() };
        flow.reverse = Direction { packets: Some(5), bytes: Some(1700), ..Direction::default() };
        let numbers =
            [Field::Packets, Field::Bytes, Field::Pps, Field::Bps, Field::Bpp].map(|f| flow.get(f).number());
        assert_eq!(numbers, [Some(8), Some(2000), Some(4), Some(8000), Some(250)]);
    }
}
