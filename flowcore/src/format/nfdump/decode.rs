//! Records to columns, a field at a time, as the table [`ELEMENTS`] says.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::bytes::{u8_at, u16_at, u32_at, u64_at};
use super::elements::{ELEMENTS, FROM_PACKETS, Form, HEADER, IP_VERSION, Part, Zero};
use super::record::{ELEMENT_COUNT, Layouts, Places};
use crate::batch::{Column, FlowBatch, NumberColumn};
use crate::record::{Addr, Field, FieldSet, Protocol, payload_text};

/// A flow record of a block that is to become a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located {
    /// Where it starts in the block.
    pub(super) at: usize,
    /// Its length.
    pub(super) len: usize,
    /// Its layout.
    pub(super) layout: u32,
}

/// The flow records that become the rows of a batch.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) block: &'a [u8],
    pub(super) layouts: &'a Layouts,
    pub(super) located: &'a [Located],
}

/// The columns that are made, and where each comes from.
#[derive(Debug)]
pub(super) struct Decoder {
    columns: Vec<ColumnPlan>,
}

impl Decoder {
    /// For these fields; those that no nfdump file has are passed over.
    pub(super) fn new(fields: FieldSet) -> Self {
        let columns = fields.iter().map(ColumnPlan::new).filter(|column| !column.sources.is_empty());
        Self { columns: columns.collect() }
    }

    /// Replaces the rows of a batch by these.
    pub(super) fn fill(&self, rows: Rows<'_>, batch: &mut FlowBatch) {
        batch.reset(rows.located.len());
        let in_use = rows.layouts.rows_in_use();
        for plan in &self.columns {
            let there =
                |source: &&Source| source.row.is_none_or(|row| in_use.get(row).copied().unwrap_or_default());
            let sources: Vec<Source> = plan.sources.iter().filter(there).copied().collect();
            if !sources.is_empty() {
                plan.fill(&sources, rows, batch);
            }
        }
    }
}

/// A field, and the places that can hold it, in the order in which they are asked.
#[derive(Debug)]
struct ColumnPlan {
    field: Field,
    sources: Vec<Source>,
}

impl ColumnPlan {
    fn new(field: Field) -> Self {
        let header = Source::of(field, HEADER, None);
        let elements = ELEMENTS
            .iter()
            .enumerate()
            .flat_map(|(row, element)| Source::of(field, element.parts, Some(row)));
        Self { field, sources: header.chain(elements).collect() }
    }

    /// Fills the column; `sources` are those that some record has.
    fn fill(&self, sources: &[Source], rows: Rows<'_>, batch: &mut FlowBatch) {
        match batch.column_mut(self.field) {
            Column::Number(column) => match sources {
                [one] => one.fill(rows, column),
                _ => column.assign_options(rows.records().map(|record| first(sources, |s| record.number(s)))),
            },
            Column::Time(column) => {
                column.assign_options(rows.records().map(|record| first(sources, |s| record.nanos(s))));
            }
            Column::Addr(column) => {
                rows.records().for_each(|record| column.push(self.addr(sources, &record)));
            }
            Column::Text(column) => {
                rows.records().for_each(|record| column.push(first(sources, |s| record.text(s)).as_deref()));
            }
        }
        batch.forget_if_absent(self.field);
    }

    /// Of a flow's own addresses both versions can be there; then the record says which are meant.
    #[inline]
    fn addr(&self, sources: &[Source], record: &Record<'_>) -> Addr {
        let sources = match (sources, self.field) {
            ([v4, v6], Field::SrcAddr | Field::DstAddr) if record.means_v6(v4, v6) => {
                std::slice::from_ref(v6)
            }
            _ => sources,
        };
        first(sources, |source| record.addr(source)).unwrap_or_default()
    }
}

/// The first value that a source has.
#[inline]
fn first<T>(sources: &[Source], value: impl Fn(&Source) -> Option<T>) -> Option<T> {
    sources.iter().find_map(value)
}

/// A place that can hold a field.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// Row of [`ELEMENTS`]; `None` for the header of the record.
    row: Option<usize>,
    part: Part,
    max_number: u64,
    /// Where the same element has the protocol and the other one of the two ports.
    protocol: usize,
    other_port: usize,
}

impl Source {
    fn of(field: Field, parts: &'static [Part], row: Option<usize>) -> impl Iterator<Item = Self> {
        let place_of = move |wanted: &dyn Fn(&Part) -> bool| {
            parts.iter().find(|part| wanted(part)).map_or(0, |part| part.at)
        };
        let protocol = place_of(&|part| part.field == Field::Protocol);
        let other_port = place_of(&|part| part.form == Form::Port && part.field != field);
        let max_number = field.kind().max_number();
        let own = parts.iter().filter(move |part| part.field == field);
        own.map(move |part| Self { row, part: *part, max_number, protocol, other_port })
    }
}

impl Source {
    /// Fills a column of numbers that has no other source. What form the value has is decided once for all rows, not
    /// for each: this is where the time goes.
    fn fill(&self, rows: Rows<'_>, column: &mut NumberColumn) {
        macro_rules! fill_as {
            ($($form:ident),*) => {
                match self.part.form {
                    $(Form::$form => {
                        let source = Self { part: Part { form: Form::$form, ..self.part }, ..*self };
                        column.assign_options(rows.records().map(|record| record.number(&source)));
                    })*
                    _ => column.assign_options(rows.records().map(|record| record.number(self))),
                }
            };
        }
        fill_as!(U8, U16, U32, U64, Port, Icmp, Tcp, Mac);
    }
}

impl<'a> Rows<'a> {
    #[inline]
    fn records(self) -> impl Iterator<Item = Record<'a>> {
        self.located.iter().map(move |located| Record {
            bytes: self.block.get(located.at..located.at + located.len).unwrap_or_default(),
            places: self.layouts.get(located.layout).map_or(&[0; ELEMENT_COUNT], |layout| layout.places()),
        })
    }
}

/// A flow record.
struct Record<'a> {
    bytes: &'a [u8],
    places: &'a Places,
}

impl Record<'_> {
    /// Where the source's element, or the record itself, begins; `None` if it is not there or says nothing.
    #[inline]
    fn base(&self, source: &Source) -> Option<usize> {
        match source.row {
            Some(row) => self.places.get(row).filter(|place| **place != 0).map(|place| usize::from(*place)),
            None => (!self.is_from_packets()).then_some(0),
        }
    }

    #[inline(always)]
    fn number(&self, source: &Source) -> Option<u64> {
        let base = self.base(source)?;
        let at = base + source.part.at;
        let number = match source.part.form {
            Form::U8 => u64::from(u8_at(self.bytes, at)?),
            Form::U16 => u64::from(u16_at(self.bytes, at)?),
            Form::U32 => u64::from(u32_at(self.bytes, at)?),
            Form::U64 | Form::Mac => u64_at(self.bytes, at)?,
            Form::Micros => u64_at(self.bytes, at)?.checked_mul(1_000)?,
            Form::FlowCount => u64_at(self.bytes, at).filter(|flows| *flows > 1)?,
            Form::Port => self.port(source, base)?,
            Form::Icmp => {
                self.protocol(source, base)?.is_icmp().then_some(u64::from(u8_at(self.bytes, at)?))?
            }
            Form::Tcp => self.tcp_flags(source, base)?,
            _ => return None,
        };
        let stated = number != 0 || self.states_zero(source);
        (stated && number <= source.max_number).then_some(number)
    }

    /// Protocols with ports have both, whatever they are. ICMP has type and code where others have the destination
    /// port. Of other protocols two zeros are no ports.
    #[inline]
    fn port(&self, source: &Source, base: usize) -> Option<u64> {
        let port = u16_at(self.bytes, base + source.part.at)?;
        let protocol = self.protocol(source, base)?;
        let is_port = if protocol.is_icmp() {
            port != 0 && source.part.field == Field::SrcPort
        } else {
            port != 0 || protocol.has_ports() || u16_at(self.bytes, base + source.other_port)? != 0
        };
        is_port.then_some(u64::from(port))
    }

    #[inline]
    fn tcp_flags(&self, source: &Source, base: usize) -> Option<u64> {
        let flags = u8_at(self.bytes, base + source.part.at)?;
        (flags != 0 || self.protocol(source, base)? == Protocol::TCP).then_some(u64::from(flags))
    }

    #[inline]
    fn protocol(&self, source: &Source, base: usize) -> Option<Protocol> {
        u8_at(self.bytes, base + source.protocol).map(Protocol)
    }

    /// Nanoseconds since 1970 UTC, if they can be held.
    #[inline]
    fn nanos(&self, source: &Source) -> Option<i64> {
        let millis = u64_at(self.bytes, self.base(source)? + source.part.at)?;
        if millis == 0 && !self.states_zero(source) {
            return None;
        }
        i64::try_from(millis).ok()?.checked_mul(1_000_000)
    }

    #[inline]
    fn addr(&self, source: &Source) -> Option<Addr> {
        let at = self.base(source)? + source.part.at;
        let (addr, is_zero) = match source.part.form {
            Form::V4 => {
                let number = u32_at(self.bytes, at)?;
                (Addr::V4(Ipv4Addr::from(number)), number == 0)
            }
            _ => {
                let number =
                    u128::from(u64_at(self.bytes, at)?) << 64 | u128::from(u64_at(self.bytes, at + 8)?);
                (Addr::V6(Ipv6Addr::from(number)), number == 0)
            }
        };
        (!is_zero || self.states_zero(source)).then_some(addr)
    }

    /// Whether a record with addresses of both versions means those of version 6.
    #[inline]
    fn means_v6(&self, v4: &Source, v6: &Source) -> bool {
        let (Some(v4), Some(_)) = (self.base(v4), self.base(v6)) else { return false };
        let (id, at) = IP_VERSION;
        let row = ELEMENTS.iter().position(|element| element.id == id);
        let layer_2 = row.and_then(|row| self.places.get(row)).filter(|place| **place != 0);
        match layer_2.and_then(|place| u8_at(self.bytes, usize::from(*place) + at)) {
            Some(4) => false,
            Some(6) => true,
            _ => u64_at(self.bytes, v4) == Some(0),
        }
    }

    fn text(&self, source: &Source) -> Option<Cow<'_, str>> {
        let base = self.base(source)?;
        let bytes = self.part_bytes(source, base)?;
        match source.part.form {
            Form::FlowDirection => self.direction(source, bytes),
            Form::Acl => acl(bytes).map(Cow::Owned),
            Form::Name(_) => {
                let name = bytes.split(|byte| *byte == 0).next().filter(|name| !name.is_empty());
                name.map(String::from_utf8_lossy)
            }
            Form::Hex => (!bytes.is_empty()).then(|| Cow::Owned(hex(bytes))),
            Form::Payload => {
                let zeros = bytes.iter().rev().take(3).take_while(|byte| **byte == 0).count();
                let payload = bytes.get(..bytes.len() - zeros)?;
                (!payload.is_empty()).then(|| Cow::Owned(payload_text(payload)))
            }
            _ => None,
        }
    }

    /// The bytes of a part; of one that takes all that is left, as many as the element has.
    fn part_bytes(&self, source: &Source, base: usize) -> Option<&[u8]> {
        let len = match source.part.form.width() {
            Some(width) => width,
            None => {
                let element = usize::from(u16_at(self.bytes, base.checked_sub(2)?)?);
                element.checked_sub(4)?.checked_sub(source.part.at)?
            }
        };
        self.bytes.get(base + source.part.at..)?.get(..len)
    }

    fn direction(&self, source: &Source, bytes: &[u8]) -> Option<Cow<'static, str>> {
        match bytes {
            [0] if self.states_zero(source) => Some(Cow::Borrowed("ingress")),
            [1] => Some(Cow::Borrowed("egress")),
            [0] => None,
            _ => bytes.first().map(|number| Cow::Owned(number.to_string())),
        }
    }

    /// Whether a 0 is a value.
    #[inline]
    fn states_zero(&self, source: &Source) -> bool {
        match source.part.zero {
            Zero::Value => true,
            Zero::Absent => false,
            Zero::Unstated => !self.is_from_packets(),
        }
    }

    /// Whether the header of the record is one of those that say that it was made from packets.
    #[inline]
    fn is_from_packets(&self) -> bool {
        self.bytes.get(6..12).is_some_and(|bytes| bytes == FROM_PACKETS)
    }
}

fn acl(bytes: &[u8]) -> Option<String> {
    let [list, entry, extended] = [u32_at(bytes, 0)?, u32_at(bytes, 4)?, u32_at(bytes, 8)?];
    ((list, entry, extended) != (0, 0, 0)).then(|| format!("{list:#x}/{entry:#x}/{extended:#x}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
