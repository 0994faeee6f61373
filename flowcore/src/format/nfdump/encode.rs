//! A row of a batch becomes a flow record, element by element as [`ELEMENTS`] says.
//!
//! What the table does not say is here: which version of IP an address element is for, which of two elements that hold
//! the same field is written, and that a record ends at 65,535 bytes.

use super::elements::{ELEMENTS, Element, FROM_PACKETS, Form, HEADER, Part, Written};
use super::place::{Place, place, place_tail, store};
use crate::batch::{Column, FlowBatch, NumberColumn};
use crate::record::{Field, FieldSet, Protocol};

/// Most bytes of a record: its length is a number of two bytes.
pub(super) const MAX_RECORD: usize = u16::MAX as usize;

/// Turns the rows of a batch into records. Made once for a batch, so that a row looks nothing up.
pub(super) struct RecordEncoder<'a> {
    protocol: Option<&'a NumberColumn>,
    header: Vec<Slot<'a>>,
    elements: Vec<PlannedElement<'a>>,
}

/// An element for which some row of the batch has a value.
struct PlannedElement<'a> {
    id: u16,
    /// Bytes of the data before the part that has all that is left.
    fixed: usize,
    /// The version of IP of the addresses that it holds.
    version: Option<u8>,
    /// Bytes that the elements behind it need.
    behind: usize,
    slots: Vec<Slot<'a>>,
}

/// A part of an element, and where its values are.
struct Slot<'a> {
    part: &'static Part,
    column: Option<&'a Column>,
    claim: Claim,
    /// Whether another element has a place for the field.
    shared: bool,
}

/// Whether a value brings about its element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Unless an element before has it.
    First,
    /// It only goes along.
    Never,
}

/// The row at hand.
struct Row<'a> {
    number: usize,
    protocol: Option<Protocol>,
    /// Where its record starts in the output.
    start: usize,
    /// Shared fields that are written.
    shared: FieldSet,
    /// Fields whose value did not fit.
    lost: &'a mut FieldSet,
}

impl<'a> RecordEncoder<'a> {
    /// An encoder for the rows of this batch; `newer` allows what nfdump 1.7.1 does not read.
    pub(super) fn new(batch: &'a FlowBatch, newer: bool) -> Self {
        let written = |element: &&Element| match element.written {
            Written::Always => true,
            Written::Newer => newer,
            Written::Never => false,
        };
        let mut elements: Vec<_> = ELEMENTS
            .iter()
            .filter(written)
            .filter_map(|element| PlannedElement::new(element, batch))
            .collect();
        find_shared(&mut elements);
        let mut behind = 0;
        for element in elements.iter_mut().rev() {
            element.behind = behind;
            behind += ELEMENT_HEADER + element.fixed + SHORTEST_TAIL;
        }
        let header = HEADER.iter().map(|part| Slot::new(part, batch)).filter(Slot::has_values).collect();
        Self { protocol: batch.number_column(Field::Protocol), header, elements }
    }

    /// The fields of the batch that have a place in its records.
    pub(super) fn fields(&self) -> FieldSet {
        let slots = self.elements.iter().flat_map(|element| &element.slots).chain(&self.header);
        slots.filter(|slot| slot.has_values()).map(|slot| slot.part.field).collect()
    }

    /// Adds the record of a row to `out`, and the fields whose values did not fit to `lost`.
    pub(super) fn encode(&self, row: usize, out: &mut Vec<u8>, lost: &mut FieldSet) {
        let start = out.len();
        out.resize(start + RECORD_HEADER, 0);
        let protocol = self.protocol.and_then(|column| u8::try_from(column.get(row)?).ok()).map(Protocol);
        let mut row = Row { number: row, protocol, start, shared: FieldSet::EMPTY, lost };
        let mut count = 0_u16;
        for element in &self.elements {
            count += u16::from(element.encode(&mut row, out));
        }
        let size = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        let header = out.get_mut(start..).unwrap_or_default();
        self.fill_header(&mut row, header);
        store(header, 0, FLOW_RECORD.to_le_bytes());
        store(header, 2, size.to_le_bytes());
        store(header, 4, count.to_le_bytes());
    }

    /// Who made the record: the exporter where the row says so, else the packets.
    fn fill_header(&self, row: &mut Row<'_>, header: &mut [u8]) {
        let mut stated = false;
        for slot in &self.header {
            stated |= slot.fill(row, header).is_taken();
        }
        if !stated {
            store(header, RECORD_HEADER - FROM_PACKETS.len(), FROM_PACKETS);
        }
        if let Some(flags) = header.get_mut(RECORD_FLAGS) {
            *flags &= !IN_MEMORY_ONLY;
        }
    }
}

impl<'a> PlannedElement<'a> {
    /// The element with the columns of the batch, unless it would never be written.
    fn new(element: &'static Element, batch: &'a FlowBatch) -> Option<Self> {
        let tail = element.parts.iter().find(|part| part.form.width().is_none());
        let version = element.parts.iter().find_map(|part| version(part.form));
        let mut slots: Vec<_> = element.parts.iter().map(|part| Slot::new(part, batch)).collect();
        // A number of flows is written wherever there is a place: a record without one is one flow.
        slots.retain(|slot| {
            slot.has_values() || matches!(slot.part.form, Form::FlowCount | Form::Name(usize::MAX))
        });
        for slot in &mut slots {
            let along = version.is_some() && self::version(slot.part.form).is_none();
            if along || NO_CLAIM.contains(&(element.id, slot.part.field)) {
                slot.claim = Claim::Never;
            }
        }
        let wanted = element.id == GENERIC_FLOW || slots.iter().any(Slot::has_values);
        wanted.then(|| Self {
            id: element.id,
            fixed: tail.map_or(element.size.least(), |part| part.at),
            version,
            behind: 0,
            slots,
        })
    }

    /// Adds the element to `out` if the row has a value for it; whether it had.
    fn encode(&self, row: &mut Row<'_>, out: &mut Vec<u8>) -> bool {
        if self.version.is_some_and(|version| version != self.version_of(row)) {
            self.lose_companions(row);
            return false;
        }
        let start = out.len();
        let data = start + ELEMENT_HEADER;
        out.resize(data + self.fixed, 0);
        let (mut wanted, mut shared) = (self.id == GENERIC_FLOW, FieldSet::EMPTY);
        for slot in &self.slots {
            let place = match slot.part.form.width() {
                Some(_) => slot.fill(row, out.get_mut(data..).unwrap_or_default()),
                None => {
                    let room = MAX_RECORD.saturating_sub(out.len() - row.start + self.behind);
                    slot.append(row, room, out)
                }
            };
            if place.is_taken() {
                wanted |= slot.claims(row);
                if slot.shared {
                    shared.insert(slot.part.field);
                }
            }
        }
        if !wanted {
            out.truncate(start);
            return false;
        }
        row.shared = row.shared.union(shared);
        let size = u16::try_from(out.len() - start).unwrap_or(u16::MAX);
        store(out, start, self.id.to_le_bytes());
        store(out, start + 2, size.to_le_bytes());
        true
    }

    /// The version of IP that holds the element's addresses in this row; 0 if none is known.
    fn version_of(&self, row: &Row<'_>) -> u8 {
        let kinds = self.slots.iter().filter_map(|slot| match slot.column {
            Some(Column::Addr(column)) => column.kinds().get(row.number).copied(),
            _ => None,
        });
        kinds.max().unwrap_or(0)
    }

    /// Notes the values that have no place without addresses.
    fn lose_companions(&self, row: &mut Row<'_>) {
        if self.version_of(row) == 0 {
            let companions = self.slots.iter().filter(|slot| slot.claim == Claim::Never);
            let lost: FieldSet =
                companions.filter(|slot| slot.number(row).is_some()).map(|slot| slot.part.field).collect();
            *row.lost = row.lost.union(lost);
        }
    }
}

impl<'a> Slot<'a> {
    fn new(part: &'static Part, batch: &'a FlowBatch) -> Self {
        Self { part, column: batch.column(part.field), claim: Claim::First, shared: false }
    }

    fn has_values(&self) -> bool {
        self.column.is_some()
    }

    /// Whether the row's value brings about the element.
    fn claims(&self, row: &Row<'_>) -> bool {
        self.claim == Claim::First && !(self.shared && row.shared.contains(self.part.field))
    }

    fn number(&self, row: &Row<'_>) -> Option<u64> {
        match self.column {
            Some(Column::Number(column)) => column.get(row.number),
            _ => None,
        }
    }

    /// Puts the row's value into the element's data.
    fn fill(&self, row: &mut Row<'_>, data: &mut [u8]) -> Place {
        let place = place(self.part, self.column, row.number, row.protocol, data);
        self.note(place, row)
    }

    /// Adds the row's value to the end of the output, in at most `room` bytes.
    fn append(&self, row: &mut Row<'_>, room: usize, out: &mut Vec<u8>) -> Place {
        let text = match self.column {
            Some(Column::Text(column)) => column.get(row.number).map(|text| &**text),
            _ => None,
        };
        let place = place_tail(text, self.part.form, room, out);
        self.note(place, row)
    }

    fn note(&self, place: Place, row: &mut Row<'_>) -> Place {
        let elsewhere = self.shared && row.shared.contains(self.part.field);
        if place.is_loss() && !elsewhere {
            row.lost.insert(self.part.field);
        }
        place
    }
}

/// Marks the fields that more than one of the elements has a place for. The two versions of an address are no such
/// case: a record has one of them.
fn find_shared(elements: &mut [PlannedElement<'_>]) {
    let (mut once, mut twice) = (FieldSet::EMPTY, FieldSet::EMPTY);
    for slot in elements.iter().filter(|element| element.version.is_none()).flat_map(|element| &element.slots)
    {
        let seen = if once.contains(slot.part.field) { &mut twice } else { &mut once };
        seen.insert(slot.part.field);
    }
    for slot in elements.iter_mut().flat_map(|element| &mut element.slots) {
        slot.shared = twice.contains(slot.part.field);
    }
}

const fn version(form: Form) -> Option<u8> {
    match form {
        Form::V4 => Some(4),
        Form::V6 => Some(6),
        _ => None,
    }
}

/// Type of a flow record.
const FLOW_RECORD: u16 = 11;
const RECORD_HEADER: usize = 12;
const ELEMENT_HEADER: usize = 4;

/// Place of the flags in the record's header, and the flag that nfdump sets while it works on a record.
const RECORD_FLAGS: usize = 10;
const IN_MEMORY_ONLY: u8 = 0x80;

/// The element that every record has.
const GENERIC_FLOW: u16 = 1;

/// Bytes that a value of any length can be cut to.
const SHORTEST_TAIL: usize = 4;

/// Values that only go along with others of the element: the time of an event says nothing of a firewall.
const NO_CLAIM: &[(u16, Field)] = &[(19, Field::EventTime)];

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;
    use crate::record::{Timestamp, Value};

    /// The elements of the record of a row with these values, with their data, and what was lost.
    fn encode(values: &[(Field, Value)], newer: bool) -> (Vec<(u16, Vec<u8>)>, FieldSet) {
        let mut batch = FlowBatch::new();
        values.iter().for_each(|(field, value)| batch.set_value(*field, value));
        batch.end_row();
        let (mut out, mut lost) = (Vec::new(), FieldSet::EMPTY);
        RecordEncoder::new(&batch, newer).encode(0, &mut out, &mut lost);
        let (mut elements, mut rest) = (Vec::new(), &out[RECORD_HEADER..]);
        while let [id, more, low, high, ..] = *rest {
            let (element, behind) = rest.split_at(usize::from(u16::from_le_bytes([low, high])));
            elements.push((u16::from_le_bytes([id, more]), element[ELEMENT_HEADER..].to_vec()));
            rest = behind;
        }
        assert_eq!(usize::from(u16::from_le_bytes([out[2], out[3]])), out.len());
        assert_eq!(usize::from(u16::from_le_bytes([out[4], out[5]])), elements.len());
        (elements, lost)
    }

    fn ids(values: &[(Field, Value)], newer: bool) -> Vec<u16> {
        encode(values, newer).0.into_iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn elements_that_1_7_1_does_not_read_are_for_newer_files() {
        let ttl = [(Field::MinTtl, Value::Number(63)), (Field::MaxTtl, Value::Number(64))];
        assert_eq!(ids(&ttl, false), [1]);
        assert_eq!(encode(&ttl, true).0[1], (42, vec![0, 0, 63, 64]));
    }

    #[test]
    fn the_time_of_an_event_stands_beside_what_happened() {
        let time = (Field::EventTime, Value::Time(Timestamp::from_nanos(5_000_000)));
        let nat = (Field::NatEvent, Value::Number(1));
        let firewall = (Field::FwEvent, Value::Number(1));
        assert_eq!(ids(from_ref(&time), false), [1, 25]);
        assert_eq!(ids(&[time.clone(), nat.clone()], false), [1, 25]);
        assert_eq!(ids(&[time.clone(), firewall.clone()], false), [1, 19]);
        let (elements, _) = encode(&[time, nat, firewall], false);
        assert_eq!(
            elements.iter().map(|(id, data)| (*id, data[0])).collect::<Vec<_>>(),
            [(1, 0), (19, 5), (25, 5)]
        );
    }

    #[test]
    fn a_vlan_needs_one_element_and_a_large_one_is_no_loss() {
        let vlan = (Field::Vlan, Value::Number(70_000));
        let customer = (Field::CustomerVlan, Value::Number(7));
        assert_eq!(ids(from_ref(&vlan), true), [1, 6]);
        let (elements, lost) = encode(&[vlan, customer], true);
        assert_eq!(elements.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 6, 38]);
        assert_eq!(elements[2].1[..4], [0, 0, 7, 0]);
        assert!(lost.is_empty());
    }

    #[test]
    fn a_tunnel_without_addresses_has_no_place() {
        let (elements, lost) = encode(&[(Field::TunProto, Value::Number(47))], true);
        assert_eq!((elements.len(), lost), (1, FieldSet::from([Field::TunProto])));
    }

    #[test]
    fn an_ipv4_address_beside_an_ipv6_address_is_mapped() {
        let addr = |text: &str| Value::Addr(text.parse().unwrap());
        let v4 = (Field::SrcAddr, addr("10.1.2.3"));
        assert_eq!(encode(from_ref(&v4), false).0[1], (2, vec![3, 2, 1, 10, 0, 0, 0, 0]));
        let (elements, _) = encode(&[v4, (Field::DstAddr, addr("2001:db8::1"))], false);
        let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 3, 2, 1, 10, 0xff, 0xff, 0, 0];
        let other = [0, 0, 0, 0, 0xb8, 0x0d, 0x01, 0x20, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(elements[1], (3, [mapped, other].concat()));
    }
}
