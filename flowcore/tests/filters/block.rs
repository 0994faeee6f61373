//! A block summary made from the flows themselves, which keeps to itself what it is told to.

use flowcore::filter::zones::{AddrBounds, Bounds, ProtocolSet, TextChoice, Zone, Zones};
use flowcore::{Addr, Field, Flow, Storage, Timestamp};

pub(crate) struct Block<'a> {
    flows: &'a [Flow],
    texts: Vec<(Field, Vec<String>)>,
    /// Of a field whose bit is zero nothing is known.
    known: u64,
}

impl<'a> Block<'a> {
    pub(crate) fn of(flows: &'a [Flow], known: u64) -> Self {
        let texts = Field::all().filter(|field| field.kind().storage() == Storage::Text).map(|field| {
            let mut texts: Vec<String> =
                flows.iter().filter_map(|flow| flow.get(field).text().map(str::to_owned)).collect();
            texts.sort();
            texts.dedup();
            (field, texts)
        });
        Self { flows, texts: texts.collect(), known }
    }

    fn is_known(&self, field: Field) -> bool {
        !field.is_derived() && self.known >> (field as u32 % 64) & 1 == 1
    }

    fn bounds<T: Copy + Ord>(&self, field: Field, value: impl Fn(&Flow) -> Option<T>) -> Zone<Bounds<T>> {
        let values: Vec<T> = self.flows.iter().filter_map(value).collect();
        match (values.iter().min(), values.iter().max()) {
            _ if !self.is_known(field) => Zone::Unknown,
            (Some(&min), Some(&max)) => Zone::Known(Bounds { min, max, present: values.len() }),
            _ => Zone::Empty,
        }
    }
}

impl Zones for Block<'_> {
    fn rows(&self) -> usize {
        self.flows.len()
    }

    fn number(&self, field: Field) -> Zone<Bounds<u64>> {
        if field.kind().storage() != Storage::Number {
            return Zone::Unknown;
        }
        self.bounds(field, |flow| flow.get(field).number())
    }

    fn time(&self, field: Field) -> Zone<Bounds<i64>> {
        if field.kind().storage() != Storage::Time {
            return Zone::Unknown;
        }
        self.bounds(field, |flow| flow.get(field).time().map(Timestamp::as_nanos))
    }

    fn addr(&self, field: Field) -> Zone<AddrBounds> {
        if !self.is_known(field) || field.kind().storage() != Storage::Addr {
            return Zone::Unknown;
        }
        let addrs = || self.flows.iter().map(|flow| flow.get(field).addr());
        let v4 = || {
            addrs().filter_map(|addr| if let Addr::V4(addr) = addr { Some(u32::from(addr)) } else { None })
        };
        let v6 = || {
            addrs().filter_map(|addr| if let Addr::V6(addr) = addr { Some(u128::from(addr)) } else { None })
        };
        match v4().count() + v6().count() {
            0 => Zone::Empty,
            present => Zone::Known(AddrBounds {
                v4: v4().min().zip(v4().max()),
                v6: v6().min().zip(v6().max()),
                present,
            }),
        }
    }

    fn text(&self, field: Field) -> Zone<TextChoice<'_>> {
        let present = self.flows.iter().filter(|flow| flow.get(field).text().is_some()).count();
        match self.texts.iter().find(|entry| entry.0 == field) {
            _ if !self.is_known(field) => Zone::Unknown,
            Some((_, texts)) if present > 0 => Zone::Known(TextChoice { texts, present }),
            Some(_) => Zone::Empty,
            None => Zone::Unknown,
        }
    }

    fn protocols(&self) -> Zone<ProtocolSet> {
        let mut set = ProtocolSet::default();
        let protocols = self.flows.iter().filter_map(|flow| flow.key.protocol);
        protocols.for_each(|protocol| set.insert(protocol.0));
        match set.iter().next() {
            _ if !self.is_known(Field::Protocol) => Zone::Unknown,
            None => Zone::Empty,
            Some(_) => Zone::Known(set),
        }
    }
}
