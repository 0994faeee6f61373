//! What becomes of a flow: one record, or one per direction.

use flowcore::{EndReason, Field, FlowBatch, Format, Protocol};

use super::entry::Entry;
use super::half::Half;
use super::identity::Directions;
use super::key::{Role, Side};

/// What a record says beside what the flow knows itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) reason: EndReason,
    /// The capture in which the flow began.
    pub(super) source: Option<&'a (String, Format)>,
    /// What one record is about.
    pub(super) directions: Directions,
}

impl Entry {
    /// Adds the flow's records to a batch.
    pub(super) fn export(&self, ending: &Ending<'_>, batch: &mut FlowBatch) {
        match ending.directions {
            Directions::Both => self.export_row(Role::Initiator, ending, batch),
            Directions::One => {
                for role in [Role::Initiator, Role::Responder] {
                    if self.halves(role).0.packets > 0 {
                        self.export_row(role, ending, batch);
                    }
                }
            }
        }
    }

    /// Adds a record whose source is the side in this `role`.
    fn export_row(&self, role: Role, ending: &Ending<'_>, batch: &mut FlowBatch) {
        let (own, peer) = self.halves(role);
        let peer = (ending.directions == Directions::Both).then_some(peer);
        if let Some((name, format)) = ending.source {
            batch.set_text(Field::Source, name);
            batch.set_text(Field::Format, format.name());
        }
        let src = self.export_key(role, batch);
        self.identity.export(src, ending.directions, batch);
        export_common(&own.with(peer), batch);
        self.export_way(own, [Field::InPackets, Field::InBytes, Field::InFlags, Field::SrcTos], batch);
        if let Some(peer) = peer {
            self.export_way(
                peer,
                [Field::OutPackets, Field::OutBytes, Field::OutFlags, Field::DstTos],
                batch,
            );
        }
        if let Some(quality) = &self.quality {
            quality.export(role, ending.directions, batch);
        }
        if let Some(payloads) = &self.payloads {
            payloads.export(role, ending.directions, batch);
        }
        batch.set_number(Field::EndReason, ending.reason as u64);
        batch.end_row();
    }

    /// Fills in both ends; returns the source's.
    fn export_key(&self, role: Role, batch: &mut FlowBatch) -> Side {
        let (src, dst) = match role {
            Role::Initiator => (self.initiator, self.initiator.other()),
            Role::Responder => (self.initiator.other(), self.initiator),
        };
        batch.set_addr(Field::SrcAddr, self.key.addr(src));
        batch.set_addr(Field::DstAddr, self.key.addr(dst));
        batch.set_number(Field::Protocol, u64::from(self.key.protocol().0));
        if let (Some(src_port), Some(dst_port)) = (self.key.port(src), self.key.port(dst)) {
            batch.set_number(Field::SrcPort, u64::from(src_port));
            batch.set_number(Field::DstPort, u64::from(dst_port));
        }
        if let Some(id) = self.key.icmp_id() {
            batch.set_number(Field::IcmpId, u64::from(id));
        }
        src
    }

    /// What one side sent, into the fields for packets, bytes, flags and type of service.
    fn export_way(&self, half: &Half, [packets, bytes, flags, tos]: [Field; 4], batch: &mut FlowBatch) {
        batch.set_number(packets, half.packets);
        batch.set_number(bytes, half.bytes);
        if self.key.protocol() == Protocol::TCP {
            batch.set_number(flags, u64::from(half.flags.0));
        }
        if half.packets > 0 {
            batch.set_number(tos, u64::from(half.tos));
        }
    }
}

/// What a record says once about the directions it covers.
fn export_common(half: &Half, batch: &mut FlowBatch) {
    let (first, last) = half.span();
    batch.set_time(Field::First, first);
    batch.set_time(Field::Last, last);
    if let Some((kind, code)) = half.icmp {
        batch.set_number(Field::IcmpType, u64::from(kind));
        batch.set_number(Field::IcmpCode, u64::from(code));
    }
    batch.set_number(Field::MinTtl, u64::from(half.ttl.0));
    batch.set_number(Field::MaxTtl, u64::from(half.ttl.1));
}
