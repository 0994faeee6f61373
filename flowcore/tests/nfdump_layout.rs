//! What the writer of nfdump files puts where: random flows are written, the bytes are taken apart by a reader made for
//! this test, and each record is compared with one made here from the description of the format, not from our table.

mod random;

use std::collections::BTreeMap;
use std::io::Cursor;

use flowcore::format::nfdump::{BlockCompression, Dropped, NfdumpOptions, NfdumpWriter};
use flowcore::{Addr, Field, FieldSet, Flow, FlowBatch, payload_bytes};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn records_are_what_the_format_says(flow in random::flow()) {
        let (file, dropped) = write(std::slice::from_ref(&flow));
        let records = records(&file);
        prop_assert_eq!(records.len(), 1);
        let expected = Expected::of(&flow);
        prop_assert_eq!(&records[0].header, &expected.header);
        prop_assert_eq!(&records[0].elements, &expected.elements);
        prop_assert_eq!(dropped.fields, expected.lost);
    }

    #[test]
    fn a_record_does_not_depend_on_those_around_it(flows in proptest::collection::vec(random::flow(), 0..20)) {
        let (file, dropped) = write(&flows);
        let mut lost = FieldSet::EMPTY;
        let records = records(&file);
        prop_assert_eq!(records.len(), flows.len());
        for (flow, record) in flows.iter().zip(records) {
            let expected = Expected::of(flow);
            prop_assert_eq!((record.header, record.elements), (expected.header, expected.elements));
            lost = lost.union(expected.lost);
        }
        let ident = FieldSet::from([Field::Ident]);
        prop_assert_eq!(dropped.fields.union(ident), lost.union(ident));
    }
}

#[test]
fn blocks_hold_at_most_a_mebibyte_and_the_header_counts_them() {
    let mut flow = Flow::default();
    flow.set(Field::InPayload, "p".repeat(3000).as_str().into());
    let flows = vec![flow; 2000];
    let (file, _) = write(&flows);
    assert_eq!(records(&file).len(), 2000);
    let blocks = blocks(&file);
    assert!(blocks.len() > 6, "{} blocks", blocks.len());
    let full = &blocks[..blocks.len() - 1];
    assert!(full.iter().all(|block| (900_000..=1 << 20).contains(&block.1.len())));
}

#[test]
fn a_record_that_would_be_too_long_has_its_payload_cut() {
    let mut flow = Flow::default();
    for field in [Field::InPayload, Field::OutPayload, Field::PfInterface, Field::FlowLabel] {
        flow.set(field, "x".repeat(70_000).as_str().into());
    }
    let (file, dropped) = write(std::slice::from_ref(&flow));
    let expected = [Field::InPayload, Field::OutPayload, Field::PfInterface, Field::FlowLabel];
    assert_eq!(dropped.fields, expected.into());
    let record = &records(&file)[0];
    assert_eq!(record.elements.keys().copied().collect::<Vec<_>>(), [1, 28, 29, 30, 37]);
    let size: usize = record.elements.values().map(|data| data.len() + 4).sum();
    assert!((65_500..=65_523).contains(&size), "{size}");
}

/// A file of these flows, and what it has no place for.
fn write(flows: &[Flow]) -> (Vec<u8>, Dropped) {
    let mut batch = FlowBatch::new();
    flows.iter().for_each(|flow| batch.push(flow));
    let options = NfdumpOptions { compression: BlockCompression::None, ..NfdumpOptions::default() };
    let mut writer = NfdumpWriter::new(Cursor::new(Vec::new()), &options).unwrap();
    writer.write_batch(&batch).unwrap();
    let dropped = writer.dropped().clone();
    (writer.finish().unwrap().into_inner(), dropped)
}

/// A record taken apart.
struct Record {
    /// Bytes 6 to 11.
    header: [u8; 6],
    elements: BTreeMap<u16, Vec<u8>>,
}

/// The number of records and the data of each block, the appendix left out; the file's frame is checked on the way.
fn blocks(file: &[u8]) -> Vec<(u64, &[u8])> {
    assert_eq!(file[..8], [0x0c, 0xa5, 2, 0, 0, 1, 7, 1]);
    assert_eq!((le(file, 16, 2), le(file, 18, 2), le(file, 20, 4), le(file, 32, 4)), (0, 1, 4, 0));
    let (mut at, mut blocks) = (40, Vec::new());
    while at < file.len() {
        let size = usize::try_from(le(file, at + 4, 4)).unwrap();
        assert_eq!((le(file, at + 8, 2), le(file, at + 10, 2)), (3, 0));
        blocks.push((le(file, at, 4), &file[at + 12..at + 12 + size]));
        if at + 12 + size == file.len() {
            assert_eq!(le(file, 24, 8), at as u64, "place of the appendix");
        }
        at += 12 + size;
    }
    let appendix = blocks.pop().unwrap();
    assert_eq!((appendix.0, le(appendix.1, 0, 2)), (2, 0x8001));
    assert_eq!(le(file, 36, 4), blocks.len() as u64);
    blocks
}

fn records(file: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    for (count, mut data) in blocks(file) {
        for _ in 0..count {
            let (record, rest) = data.split_at(usize::try_from(le(data, 2, 2)).unwrap());
            records.push(record_of(record));
            data = rest;
        }
        assert!(data.is_empty() && count > 0);
    }
    records
}

fn record_of(record: &[u8]) -> Record {
    assert_eq!(le(record, 0, 2), 11);
    let (mut elements, mut rest) = (BTreeMap::new(), &record[12..]);
    while !rest.is_empty() {
        let (element, behind) = rest.split_at(usize::try_from(le(rest, 2, 2)).unwrap());
        let id = u16::try_from(le(element, 0, 2)).unwrap();
        assert!(elements.insert(id, element[4..].to_vec()).is_none(), "element {id} twice");
        rest = behind;
    }
    assert_eq!(le(record, 4, 2), elements.len() as u64);
    Record { header: record[6..12].try_into().unwrap(), elements }
}

fn le(data: &[u8], at: usize, width: usize) -> u64 {
    data[at..at + width].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// The record that a flow should become in a file that nfdump 1.7.1 can read.
struct Expected<'a> {
    flow: &'a Flow,
    header: [u8; 6],
    elements: BTreeMap<u16, Vec<u8>>,
    lost: FieldSet,
    kept: FieldSet,
}

impl<'a> Expected<'a> {
    fn of(flow: &'a Flow) -> Self {
        let (header, lost) = ([17, 1, 0, 0, 0, 0x41], FieldSet::EMPTY);
        let mut it = Self { flow, header, elements: BTreeMap::new(), lost, kept: FieldSet::EMPTY };
        it.generic_flow();
        it.addresses();
        it.numbers();
        it.events();
        it.texts();
        it.record_header();
        it.unplaced();
        it
    }

    fn number(&self, field: Field) -> Option<u64> {
        self.flow.get(field).number()
    }

    fn text(&self, field: Field) -> Option<String> {
        self.flow.get(field).text().map(str::to_owned)
    }

    /// Puts bytes into an element of this length.
    fn put(&mut self, (id, len): (u16, usize), at: usize, bytes: &[u8]) {
        let data = self.elements.entry(id).or_insert_with(|| vec![0; len]);
        data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_number(&mut self, element: (u16, usize), at: usize, width: usize, field: Field) {
        let Some(number) = self.number(field) else { return };
        if width < 8 && number >> (8 * width) != 0 {
            self.lost.insert(field);
            return;
        }
        self.kept.insert(field);
        self.put(element, at, &number.to_le_bytes()[..width]);
    }

    fn put_time(&mut self, element: (u16, usize), at: usize, field: Field) {
        let Some(time) = self.flow.get(field).time() else { return };
        match u64::try_from(time.as_nanos().div_euclid(1_000_000)) {
            Ok(millis) => {
                self.kept.insert(field);
                self.put(element, at, &millis.to_le_bytes());
            }
            Err(_) => self.lost.insert(field),
        }
    }

    fn generic_flow(&mut self) {
        let one = (1, 48);
        self.put(one, 0, &[]);
        self.put_time(one, 0, Field::First);
        self.put_time(one, 8, Field::Last);
        self.put_time(one, 16, Field::Received);
        self.put_number(one, 24, 8, Field::InPackets);
        self.put_number(one, 32, 8, Field::InBytes);
        self.put_number(one, 40, 2, Field::SrcPort);
        if matches!(self.number(Field::Protocol), Some(1 | 58)) {
            self.put_number(one, 43, 1, Field::IcmpType);
            self.put_number(one, 42, 1, Field::IcmpCode);
            // A port of 0 says nothing.
            if self.number(Field::DstPort) == Some(0) {
                self.kept.insert(Field::DstPort);
            }
        } else {
            self.put_number(one, 42, 2, Field::DstPort);
        }
        self.put_number(one, 44, 1, Field::Protocol);
        self.put_number(one, 45, 1, Field::InFlags);
        self.put_number(one, 46, 1, Field::FwdStatus);
        self.put_number(one, 47, 1, Field::SrcTos);
    }

    /// Addresses alone or in pairs: one of two elements.
    fn addresses(&mut self) {
        for (v4, v6, fields) in [
            ((2, 8), (3, 32), &[Field::SrcAddr, Field::DstAddr][..]),
            ((8, 4), (9, 16), &[Field::BgpNextHop]),
            ((10, 4), (11, 16), &[Field::NextHop]),
            ((12, 4), (13, 16), &[Field::RouterAddr]),
            ((20, 8), (21, 32), &[Field::PktSrcAddr, Field::PktDstAddr]),
            ((31, 12), (32, 40), &[Field::TunSrcAddr, Field::TunDstAddr]),
        ] {
            let addrs: Vec<Addr> = fields.iter().map(|&field| self.flow.get(field).addr()).collect();
            let version = addrs.iter().map(|addr| addr.version()).max().unwrap();
            for (place, (&addr, &field)) in addrs.iter().zip(fields).enumerate() {
                match (version, addr) {
                    (_, Addr::Unknown) => continue,
                    (4, Addr::V4(addr)) => self.put(v4, place * 4, &u32::from(addr).to_le_bytes()),
                    (_, Addr::V4(addr)) => self.put_v6(v6, place, u128::from(addr.to_ipv6_mapped())),
                    (_, Addr::V6(addr)) => self.put_v6(v6, place, u128::from(addr)),
                }
                self.kept.insert(field);
            }
            match (v4.0, version) {
                (31, 4) => self.put_number(v4, 8, 4, Field::TunProto),
                (31, 6) => self.put_number(v6, 32, 4, Field::TunProto),
                _ => {}
            }
        }
    }

    fn put_v6(&mut self, element: (u16, usize), place: usize, addr: u128) {
        self.put(element, place * 16, &u64::try_from(addr >> 64).unwrap().to_le_bytes());
        self.put(element, place * 16 + 8, &(addr as u64).to_le_bytes());
    }

    fn numbers(&mut self) {
        use Field::*;
        for (element, places) in [
            (
                (4, 16),
                &[
                    (InputIf, 0, 4),
                    (OutputIf, 4, 4),
                    (SrcMask, 8, 1),
                    (DstMask, 9, 1),
                    (DstTos, 11, 1),
                    (BiflowDir, 12, 1),
                    (EndReason, 13, 1),
                    (OutFlags, 14, 1),
                ][..],
            ),
            ((6, 8), &[(Vlan, 0, 4), (DstVlan, 4, 4)]),
            ((7, 8), &[(SrcAs, 0, 4), (DstAs, 4, 4)]),
            ((15, 32), &[(SrcMac, 0, 6), (DstMac, 8, 6), (InDstMac, 16, 6), (OutSrcMac, 24, 6)]),
            ((16, 8), &[(NextAs, 0, 4), (PrevAs, 4, 4)]),
            ((22, 4), &[(PktSrcPort, 0, 2), (PktDstPort, 2, 2)]),
            (
                (26, 8),
                &[(PortBlockStart, 0, 2), (PortBlockEnd, 2, 2), (PortBlockStep, 4, 2), (PortBlockSize, 6, 2)],
            ),
            ((33, 16), &[(ObservationPoint, 0, 8), (ObservationDomain, 8, 4)]),
            ((36, 8), &[(EgressVrf, 0, 4), (IngressVrf, 4, 4)]),
        ] {
            places.iter().for_each(|&(field, at, width)| self.put_number(element, at, width, field));
        }
        for (place, field) in Field::MPLS.into_iter().enumerate() {
            self.put_number((14, 40), place * 4, 4, field);
        }
        for (place, field) in [ClientLatency, ServerLatency, AppLatency].into_iter().enumerate() {
            if let Some(nanos) = self.number(field) {
                self.put((17, 24), place * 8, &(nanos / 1000).to_le_bytes());
                self.kept.insert(field);
            }
        }
        self.flow_counters();
    }

    /// Element 5: the other direction, or more flows than one.
    fn flow_counters(&mut self) {
        self.put_number((5, 24), 8, 8, Field::OutPackets);
        self.put_number((5, 24), 16, 8, Field::OutBytes);
        let flows = self.number(Field::Flows).unwrap_or(1).max(1);
        self.kept.insert(Field::Flows);
        if flows > 1 || self.elements.contains_key(&5) {
            self.put((5, 24), 0, &flows.to_le_bytes());
        }
    }

    /// The time of an event stands beside what happened, or else in the element for NAT.
    fn events(&mut self) {
        self.put_number((19, 16), 8, 4, Field::ConnectionId);
        self.put_number((19, 16), 12, 2, Field::FwExtendedEvent);
        self.put_number((19, 16), 14, 1, Field::FwEvent);
        self.put_number((25, 16), 8, 4, Field::NatPool);
        self.put_number((25, 16), 12, 1, Field::NatEvent);
        for id in [19, 25] {
            if self.elements.contains_key(&id) || (id == 25 && !self.elements.contains_key(&19)) {
                self.put_time((id, 16), 0, Field::EventTime);
            }
        }
    }

    fn texts(&mut self) {
        match self.text(Field::Direction).as_deref() {
            Some("ingress") => self.keep_number((4, 16), 10, 0, Field::Direction),
            Some("egress") => self.keep_number((4, 16), 10, 1, Field::Direction),
            Some(other) => {
                if let Some(number) = (2..=255).find(|number: &u8| number.to_string() == other) {
                    self.keep_number((4, 16), 10, number, Field::Direction);
                }
            }
            None => {}
        }
        if let Some(name) = self.name(Field::UserName, 65) {
            self.put((24, 68), 0, &name);
        }
        if let Some(app) = self.text(Field::AppId)
            && !app.is_empty()
            && app.len() % 2 == 0
            && let Ok(bytes) = (0..app.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(app.get(at..at + 2).unwrap_or("no"), 16))
                .collect::<Result<Vec<_>, _>>()
        {
            self.elements.insert(27, bytes);
            self.kept.insert(Field::AppId);
        }
        for (id, field) in [(28, Field::FlowLabel), (29, Field::InPayload), (30, Field::OutPayload)] {
            self.long_text(id, field);
        }
        self.pf_log();
    }

    fn keep_number(&mut self, element: (u16, usize), at: usize, number: u8, field: Field) {
        self.put(element, at, &[number]);
        self.kept.insert(field);
    }

    /// The bytes of a name up to a zero, at most so many; `None` if there is none.
    fn name(&mut self, field: Field, most: usize) -> Option<Vec<u8>> {
        let text = self.text(field)?;
        let mut name = text.split('\0').next().unwrap().to_owned();
        while name.len() > most {
            name.pop();
        }
        if name == text {
            self.kept.insert(field);
        }
        (!name.is_empty()).then(|| name.into_bytes())
    }

    fn long_text(&mut self, id: u16, field: Field) {
        let mut data = match field {
            Field::FlowLabel => self.name(field, usize::MAX).map(|mut name| {
                name.push(0);
                name
            }),
            _ => {
                self.kept.insert(field);
                self.text(field).filter(|text| !text.is_empty()).map(|text| payload_bytes(&text))
            }
        };
        if let Some(data) = &mut data {
            data.resize(data.len().next_multiple_of(4), 0);
            self.elements.insert(id, data.clone());
        }
    }

    fn pf_log(&mut self) {
        use Field::*;
        let element = (37, 20);
        let places = [(PfAction, 0), (PfReason, 1), (PfDir, 2), (PfRewritten, 3)];
        places.iter().for_each(|&(field, at)| self.put_number(element, at, 1, field));
        let places = [(PfRule, 4), (PfSubrule, 8), (PfUid, 12), (PfPid, 16)];
        places.iter().for_each(|&(field, at)| self.put_number(element, at, 4, field));
        let name = self.name(PfInterface, usize::MAX);
        if name.is_some() || self.elements.contains_key(&37) {
            self.put(element, 0, &[]);
            let mut name = name.unwrap_or_default();
            name.push(0);
            name.resize(name.len().next_multiple_of(4), 0);
            self.elements.get_mut(&37).unwrap().extend(name);
        }
    }

    /// Bytes 6 to 11: the exporter, if the flow says anything of it. The highest flag is nfdump's own at work.
    fn record_header(&mut self) {
        use Field::*;
        let numbers = [EngineType, EngineId, ExporterId, RecordFlags, NetflowVersion].map(|field| {
            self.kept.insert(field);
            self.number(field)
        });
        if numbers.iter().all(Option::is_none) {
            return;
        }
        let [engine, id, exporter, flags, version] = numbers.map(|number| number.unwrap_or(0));
        self.header = [
            engine as u8,
            id as u8,
            exporter as u8,
            (exporter >> 8) as u8,
            flags as u8 & 0x7f,
            version as u8,
        ];
    }

    /// What was put nowhere, except where the flow is from.
    fn unplaced(&mut self) {
        let silent = FieldSet::from([Field::Source, Field::Format]);
        for field in Field::all().filter(|field| !field.is_derived() && !self.flow.get(*field).is_absent()) {
            let ident = self.text(Field::Ident).filter(|_| field == Field::Ident);
            let has_place = ident.is_some_and(|name| (1..=121).contains(&name.len()) && !name.contains('\0'));
            let found = self.kept.contains(field) || silent.contains(field) || has_place;
            if !found {
                self.lost.insert(field);
            }
        }
    }
}
