//! Zone maps: what a block's metadata tells a filter, so that it can leave the block unread.

use super::metadata::{BlockMetadata, ColumnMetadata, ZoneMap};
use crate::batch::{AddrColumn, NumberColumn, TextColumn, TimeColumn, Values};
use crate::filter::zones::{AddrBounds, Bounds, ProtocolSet, TextChoice, Zone, Zones};
use crate::record::{Field, FieldSet, Storage};

/// Most texts that are listed, and most bytes of them all.
const MAX_TEXTS: usize = 16;
const MAX_TEXT_BYTES: usize = 256;

impl ZoneMap {
    /// Of numbers whose smallest and largest are known.
    pub(super) fn of_numbers(column: &NumberColumn, (min, max): (u64, u64)) -> Self {
        Self::Numbers { present: narrow(column.present().count()), min, max }
    }

    /// Of times whose earliest and latest are known.
    pub(super) fn of_times(column: &TimeColumn, (min, max): (i64, i64)) -> Self {
        Self::Times { present: narrow(column.present().count()), min, max }
    }

    pub(super) fn of_addrs(column: &AddrColumn) -> Self {
        let known = column.kinds().iter().filter(|&&kind| kind != 0).count();
        let rows = column.kinds().iter().zip(column.words());
        let v4 = min_max(rows.filter(|(kind, _)| **kind == 4).map(|(_, word)| *word));
        Self::Addrs { present: narrow(known), v4, v6: min_max(column.v6().iter().copied()) }
    }

    pub(super) fn of_texts(column: &TextColumn) -> Self {
        let texts = column.dictionary();
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        if texts.len() > MAX_TEXTS || bytes > MAX_TEXT_BYTES {
            return Self::Open;
        }
        let present = column.codes().iter().filter(|&&code| code != 0).count();
        Self::Texts { present: narrow(present), texts: texts.iter().map(|text| text.to_string()).collect() }
    }
}

/// The smallest and largest value of the rows that have one.
pub(super) fn bounds<T: Copy + Ord + Default>(column: &Values<T>) -> Option<(T, T)> {
    let present = column.present();
    if present.is_full() {
        return min_max(column.values().iter().copied());
    }
    min_max(column.values().iter().enumerate().filter(|(row, _)| present.get(*row)).map(|(_, value)| *value))
}

pub(super) fn min_max<T: Copy + Ord>(mut values: impl Iterator<Item = T>) -> Option<(T, T)> {
    let first = values.next()?;
    Some(values.fold((first, first), |(min, max), value| (min.min(value), max.max(value))))
}

/// Rows of a block are far below the limit of the type.
fn narrow(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

/// The summary of a block as the filter sees it.
pub(super) struct BlockZones<'a> {
    pub(super) block: &'a BlockMetadata,
    /// Fields that rows get after they are read: what the block says about them does not hold.
    pub(super) filled_later: FieldSet,
}

impl BlockZones<'_> {
    fn zone<T>(&self, field: Field, storage: Storage, known: impl Fn(&ZoneMap) -> Option<T>) -> Zone<T> {
        let computed_or_other_type = field.is_derived() || field.kind().storage() != storage;
        if computed_or_other_type || self.filled_later.contains(field) {
            return Zone::Unknown;
        }
        match self.column(field) {
            None => Zone::Empty,
            Some(column) => known(&column.zone).map_or(Zone::Unknown, Zone::Known),
        }
    }

    fn column(&self, field: Field) -> Option<&ColumnMetadata> {
        self.block.column(field)
    }

    fn text_choice(&self, field: Field) -> Option<TextChoice<'_>> {
        match &self.column(field)?.zone {
            ZoneMap::Texts { present, texts } => Some(TextChoice { texts, present: *present as usize }),
            _ => None,
        }
    }
}

impl Zones for BlockZones<'_> {
    fn rows(&self) -> usize {
        self.block.rows as usize
    }

    fn number(&self, field: Field) -> Zone<Bounds<u64>> {
        self.zone(field, Storage::Number, |zone| match *zone {
            ZoneMap::Numbers { present, min, max } => Some(Bounds { min, max, present: present as usize }),
            _ => None,
        })
    }

    fn time(&self, field: Field) -> Zone<Bounds<i64>> {
        self.zone(field, Storage::Time, |zone| match *zone {
            ZoneMap::Times { present, min, max } => Some(Bounds { min, max, present: present as usize }),
            _ => None,
        })
    }

    fn addr(&self, field: Field) -> Zone<AddrBounds> {
        self.zone(field, Storage::Addr, |zone| match *zone {
            ZoneMap::Addrs { present, v4, v6 } => Some(AddrBounds { v4, v6, present: present as usize }),
            _ => None,
        })
    }

    fn text(&self, field: Field) -> Zone<TextChoice<'_>> {
        match self.zone(field, Storage::Text, |_| Some(())) {
            Zone::Empty => Zone::Empty,
            Zone::Unknown => Zone::Unknown,
            Zone::Known(()) => self.text_choice(field).map_or(Zone::Unknown, Zone::Known),
        }
    }

    fn protocols(&self) -> Zone<ProtocolSet> {
        match self.number(Field::Protocol) {
            Zone::Empty => Zone::Empty,
            Zone::Known(_) => Zone::Known(ProtocolSet::from_words(self.block.protocols)),
            Zone::Unknown => Zone::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::FlowBatch;
    use crate::format::flow::block::BlockEncoder;
    use crate::format::flow::chunk::{BlockCompression, Compressor};
    use crate::record::Timestamp;
    use std::net::Ipv4Addr;

    fn block(batch: &mut FlowBatch) -> BlockMetadata {
        batch.pad();
        let compressor = Compressor::new(BlockCompression::None).unwrap();
        BlockEncoder::new(compressor).encode(1, batch).unwrap().unwrap().metadata
    }

    #[test]
    fn zones_say_what_is_in_the_block() {
        let mut batch = FlowBatch::new();
        for n in 0..10_u8 {
            batch.set_number(Field::Protocol, if n < 3 { 6 } else { 132 });
            if n > 7 {
                batch.set_number(Field::SrcPort, 1000 + u64::from(n));
            }
            batch.set_time(Field::First, Timestamp::from_nanos(i64::from(n) - 5));
            match n {
                0 => batch.set_addr(Field::SrcAddr, "2001:db8::1".parse().unwrap()),
                1 => {}
                _ => batch.set_addr(Field::SrcAddr, Ipv4Addr::new(10, 0, 0, n).into()),
            }
            batch.set_text(Field::Action, ["ACCEPT", "REJECT"][usize::from(n % 2)]);
            batch.set_text(Field::Interface, &format!("eni-{n:0100}"));
            batch.end_row();
        }
        let block = block(&mut batch);
        let zones = BlockZones { block: &block, filled_later: FieldSet::from([Field::Ident]) };
        assert_eq!(zones.rows(), 10);
        assert_eq!(zones.number(Field::SrcPort), Zone::Known(Bounds { min: 1008, max: 1009, present: 2 }));
        assert_eq!(zones.time(Field::First), Zone::Known(Bounds { min: -5, max: 4, present: 10 }));
        let v6 = 0x2001_0db8_u128 << 96 | 1;
        let expected = AddrBounds { v4: Some((0x0a00_0002, 0x0a00_0009)), v6: Some((v6, v6)), present: 9 };
        assert_eq!(zones.addr(Field::SrcAddr), Zone::Known(expected));
        let texts = ["ACCEPT".to_owned(), "REJECT".to_owned()];
        assert_eq!(zones.text(Field::Action), Zone::Known(TextChoice { texts: &texts, present: 10 }));
        let Zone::Known(protocols) = zones.protocols() else { panic!("no protocols") };
        assert_eq!(protocols.iter().collect::<Vec<_>>(), [6, 132]);
    }

    #[test]
    fn what_is_not_there_differs_from_what_is_not_known() {
        let mut batch = FlowBatch::new();
        (0..20).for_each(|n| {
            batch.set_text(Field::Interface, &format!("eni-{n}"));
            batch.end_row();
        });
        let block = block(&mut batch);
        let zones = BlockZones { block: &block, filled_later: FieldSet::from([Field::Ident]) };
        assert_eq!(zones.number(Field::SrcPort), Zone::Empty);
        assert_eq!(zones.addr(Field::SrcAddr), Zone::Empty);
        assert_eq!(zones.text(Field::Action), Zone::Empty);
        assert_eq!(zones.protocols(), Zone::Empty);
        assert_eq!(zones.text(Field::Interface), Zone::Unknown, "too many to list");
        assert_eq!(zones.text(Field::Ident), Zone::Unknown, "filled later");
        assert_eq!(zones.number(Field::Bytes), Zone::Unknown, "computed");
        assert_eq!(zones.number(Field::First), Zone::Unknown, "of another type");
    }
}
