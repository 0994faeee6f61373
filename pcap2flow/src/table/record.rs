//! What becomes of a flow: one record, or one per direction; and of records, rows of a batch.
//!
//! Records are made flat first and then written column by column: to look up each row's columns one by one takes
//! several times as long.

use flowcore::{Addr, EndReason, Field, FlowBatch, Protocol};

use super::ended::Sources;
use super::entry::Entry;
use super::flow::Flow;
use super::half::Half;
use super::identity::Directions;
use super::key::{Key, Role, Side};
use super::pair::More;
use crate::packet::mac_number;

/// What a record says.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The number of the capture in which the flow began.
    source: Option<u32>,
    src: Addr,
    dst: Addr,
    protocol: Protocol,
    ports: Option<(u16, u16)>,
    icmp_id: Option<u16>,
    vlan: Option<u16>,
    macs: Option<(u64, u64)>,
    /// Times, TTL and ICMP message of the directions it covers.
    common: Half,
    own: Way,
    peer: Option<Way>,
    reason: EndReason,
    rest: Option<Rest<'a>>,
}

/// What a record is made of, whatever the form of the flow is.
#[derive(Debug)]
pub(super) struct Sketch {
    pub(super) key: Key,
    /// The side that becomes the source.
    pub(super) src: Side,
    pub(super) own: Half,
    /// What the other side sent, where the record is about both directions.
    pub(super) peer: Option<Half>,
    pub(super) source: Option<u32>,
    pub(super) vlan: Option<u16>,
    /// Of the source and the other side.
    pub(super) macs: Option<([u8; 6], [u8; 6])>,
}

/// What one side sent.
#[derive(Debug, Clone, Copy)]
struct Way {
    packets: u64,
    bytes: u64,
    flags: Option<u8>,
    tos: Option<u8>,
}

/// What few records say.
#[derive(Debug)]
struct Rest<'a> {
    entry: &'a Entry,
    role: Role,
    directions: Directions,
}

impl<'a> Record<'a> {
    /// Adds the records of a flow that ended for this reason.
    pub(super) fn add_of(
        flow: &'a Flow,
        mores: &[More],
        reason: EndReason,
        directions: Directions,
        records: &mut Vec<Self>,
    ) {
        match (flow, directions) {
            (Flow::Single(single), _) => records.push(Self::of(&single.sketch(directions), reason)),
            (Flow::Pair(head), _) => {
                let sketch = mores.get(head.more as usize).map(|more| head.sketch(more));
                records.extend(sketch.map(|sketch| Self::of(&sketch, reason)));
            }
            (Flow::Whole(entry), Directions::Both) => {
                records.push(Self::of_entry(entry, Role::Initiator, directions, reason));
            }
            (Flow::Whole(entry), Directions::One) => {
                let roles = [Role::Initiator, Role::Responder].into_iter();
                let roles = roles.filter(|role| entry.halves(*role).0.packets > 0);
                records.extend(roles.map(|role| Self::of_entry(entry, role, directions, reason)));
            }
        }
    }

    /// Adds records to a batch as rows.
    pub(super) fn export(records: &[Self], sources: &Sources, batch: &mut FlowBatch) {
        export_sources(records, sources, batch);
        export_key(records, batch);
        export_common(records, batch);
        let own = [Field::InPackets, Field::InBytes, Field::InFlags, Field::SrcTos];
        export_way(own, records.iter().map(|record| record.own), batch);
        let peer = [Field::OutPackets, Field::OutBytes, Field::OutFlags, Field::DstTos];
        // All records are about both directions, or all about one.
        if records.iter().all(|record| record.peer.is_some()) {
            export_way(peer, records.iter().map(|record| record.peer.unwrap_or(record.own)), batch);
        }
        for record in records {
            if let Some(rest) = &record.rest {
                rest.export(batch);
            }
            batch.end_row();
        }
    }

    /// The record whose source is the side in this `role`.
    fn of_entry(entry: &'a Entry, role: Role, directions: Directions, reason: EndReason) -> Self {
        let rest = entry.is_rare().then_some(Rest { entry, role, directions });
        Self { rest, ..Self::of(&entry.sketch(role, directions), reason) }
    }

    fn of(sketch: &Sketch, reason: EndReason) -> Self {
        let Sketch { key, src, own, peer, source, vlan, macs } = sketch;
        let dst = src.other();
        let way = |half| Way::of(half, key.protocol());
        Self {
            source: *source,
            src: key.addr(*src),
            dst: key.addr(dst),
            protocol: key.protocol(),
            ports: key.port(*src).zip(key.port(dst)),
            icmp_id: key.icmp_id(),
            vlan: *vlan,
            macs: macs.map(|(src, dst)| (mac_number(src), mac_number(dst))),
            common: own.with(peer.as_ref()),
            own: way(own),
            peer: peer.as_ref().map(way),
            reason,
            rest: None,
        }
    }
}

impl Way {
    fn of(half: &Half, protocol: Protocol) -> Self {
        Self {
            packets: half.packets,
            bytes: half.bytes,
            flags: (protocol == Protocol::TCP).then_some(half.flags.0),
            tos: (half.packets > 0).then_some(half.tos),
        }
    }
}

impl Rest<'_> {
    fn export(&self, batch: &mut FlowBatch) {
        let &Self { entry, role, directions } = self;
        entry.identity.export_wrapping(entry.side(role), directions, batch);
        if let Some(quality) = &entry.quality {
            quality.export(role, directions, batch);
        }
        if let Some(payloads) = &entry.payloads {
            payloads.export(role, directions, batch);
        }
    }
}

fn export_sources(records: &[Record<'_>], sources: &Sources, batch: &mut FlowBatch) {
    let of = |record: &Record<'_>| record.source.and_then(|source| sources.get(source as usize));
    batch.add_texts(Field::Source, records.iter().map(|record| of(record).map(|(name, _)| name.as_str())));
    batch.add_texts(Field::Format, records.iter().map(|record| of(record).map(|(_, format)| format.name())));
}

fn export_key(records: &[Record<'_>], batch: &mut FlowBatch) {
    batch.add_addrs(Field::SrcAddr, records.iter().map(|record| record.src));
    batch.add_addrs(Field::DstAddr, records.iter().map(|record| record.dst));
    batch.add_all_numbers(Field::Protocol, records.iter().map(|record| u64::from(record.protocol.0)));
    batch.add_numbers(Field::SrcPort, records.iter().map(|record| record.ports.map(|ports| ports.0.into())));
    batch.add_numbers(Field::DstPort, records.iter().map(|record| record.ports.map(|ports| ports.1.into())));
    batch.add_numbers(Field::IcmpId, records.iter().map(|record| record.icmp_id.map(u64::from)));
    batch.add_numbers(Field::Vlan, records.iter().map(|record| record.vlan.map(u64::from)));
    batch.add_numbers(Field::SrcMac, records.iter().map(|record| record.macs.map(|macs| macs.0)));
    batch.add_numbers(Field::DstMac, records.iter().map(|record| record.macs.map(|macs| macs.1)));
}

/// What a record says once about the directions it covers.
fn export_common(records: &[Record<'_>], batch: &mut FlowBatch) {
    batch.add_all_times(Field::First, records.iter().map(|record| record.common.first));
    batch.add_all_times(Field::Last, records.iter().map(|record| record.common.last));
    batch.add_numbers(
        Field::IcmpType,
        records.iter().map(|record| record.common.icmp.map(|icmp| icmp.0.into())),
    );
    batch.add_numbers(
        Field::IcmpCode,
        records.iter().map(|record| record.common.icmp.map(|icmp| icmp.1.into())),
    );
    batch.add_all_numbers(Field::MinTtl, records.iter().map(|record| u64::from(record.common.ttl.0)));
    batch.add_all_numbers(Field::MaxTtl, records.iter().map(|record| u64::from(record.common.ttl.1)));
    batch.add_all_numbers(Field::EndReason, records.iter().map(|record| record.reason as u64));
}

/// What one side sent, into the fields for packets, bytes, flags and type of service.
fn export_way(
    [packets, bytes, flags, tos]: [Field; 4],
    ways: impl ExactSizeIterator<Item = Way> + Clone,
    batch: &mut FlowBatch,
) {
    batch.add_all_numbers(packets, ways.clone().map(|way| way.packets));
    batch.add_all_numbers(bytes, ways.clone().map(|way| way.bytes));
    batch.add_numbers(flags, ways.clone().map(|way| way.flags.map(u64::from)));
    batch.add_numbers(tos, ways.map(|way| way.tos.map(u64::from)));
}
