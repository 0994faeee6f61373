//! Turns packets into rows of flow logs, as the service does: one row per interface, minute and direction of a
//! conversation; idle minutes give NODATA rows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::world::{self, INTERFACES};
use super::{Fate, Sent};
use crate::vpclog::{Action, Content, Direction, Flow, Interface, Row, logged_flags};

/// The rows of all interfaces, in order of interface, minute and conversation.
pub(super) fn rows(sent: &[Sent]) -> Vec<Row> {
    let mut seen: BTreeMap<Key, Row> = BTreeMap::new();
    for sent in sent {
        for (number, interface) in INTERFACES.iter().enumerate() {
            if let Some((direction, action)) = sight(sent, interface) {
                note(&mut seen, sent, (number, interface), direction, action);
            }
        }
    }
    let busy: BTreeSet<(usize, u64)> = seen.keys().map(|key| (key.interface, key.minute)).collect();
    seen.into_values().chain(idle_minutes(&busy)).collect()
}

/// What makes packets belong to one row.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    interface: usize,
    minute: u64,
    src: (IpAddr, u16),
    dst: (IpAddr, u16),
    protocol: u8,
    action: Action,
}

/// How an interface sees a packet; `None` when it passes elsewhere.
fn sight(sent: &Sent, interface: &Interface) -> Option<(Direction, Action)> {
    let refused = |refusal| if sent.fate == refusal { Action::Reject } else { Action::Accept };
    let (src, dst) = (world::interface_of(sent.packet.src), world::interface_of(sent.packet.dst));
    if src.as_ref() == Some(interface) {
        let path = if dst.is_some() { 1 } else { 8 };
        return Some((Direction::Egress { path }, refused(Fate::RefusedOutward)));
    }
    (dst.as_ref() == Some(interface)).then(|| (Direction::Ingress, refused(Fate::RefusedInward)))
}

/// Adds a packet to its row.
fn note(
    seen: &mut BTreeMap<Key, Row>,
    sent: &Sent,
    (number, interface): (usize, &Interface),
    direction: Direction,
    action: Action,
) {
    let (packet, second) = (&sent.packet, sent.time / 1_000_000);
    let ((src_port, dst_port), protocol) = (packet.ports(), packet.protocol());
    let (src, dst) = (packet.src, packet.dst);
    let key = Key {
        interface: number,
        minute: second / 60,
        src: (src, src_port),
        dst: (dst, dst_port),
        protocol,
        action,
    };
    let row = seen.entry(key).or_insert_with(|| {
        let flow = Flow {
            src,
            dst,
            src_port,
            dst_port,
            protocol,
            packets: 0,
            bytes: 0,
            flags: 0,
            action,
            direction,
        };
        Row { interface: interface.clone(), start: second, end: second, content: Content::Flow(flow) }
    });
    row.end = second;
    if let Content::Flow(flow) = &mut row.content {
        flow.packets += 1;
        flow.bytes += packet.ip_bytes();
        flow.flags |= logged_flags(packet.flags());
    }
}

/// A row for each minute in which an interface had no traffic; once the service says that it lost records instead.
fn idle_minutes(busy: &BTreeSet<(usize, u64)>) -> Vec<Row> {
    let mut rows = Vec::new();
    for number in WITH_IDLE_ROWS {
        let minutes =
            (world::START / 60..world::END / 60).filter(|&minute| !busy.contains(&(number, minute)));
        rows.extend(minutes.map(|minute| Row {
            interface: INTERFACES[number].clone(),
            start: minute * 60,
            end: minute * 60 + 59,
            content: Content::NoData,
        }));
    }
    if let Some(last) = rows.last_mut() {
        last.content = Content::SkipData;
    }
    rows
}

/// Interfaces whose idle minutes are written: victim, other server and jump host.
const WITH_IDLE_ROWS: [usize; 3] = [0, 1, 4];
