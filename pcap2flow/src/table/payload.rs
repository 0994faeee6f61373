//! The beginning of what each side of a flow said.

use flowcore::{Field, FlowBatch};

use super::identity::Directions;
use super::key::Role;

/// The first payload of each direction that is not empty.
#[derive(Debug, Default)]
pub(super) struct Payloads {
    forward: Box<[u8]>,
    reverse: Box<[u8]>,
}

impl Payloads {
    /// Keeps a payload unless its sender has said something before.
    pub(super) fn note(&mut self, role: Role, payload: &[u8]) {
        let kept = match role {
            Role::Initiator => &mut self.forward,
            Role::Responder => &mut self.reverse,
        };
        if kept.is_empty() {
            *kept = payload.into();
        }
    }

    /// Bytes kept.
    pub(super) fn len(&self) -> usize {
        self.forward.len() + self.reverse.len()
    }

    /// The initiator has turned out to be the other side.
    pub(super) fn turn_round(&mut self) {
        std::mem::swap(&mut self.forward, &mut self.reverse);
    }

    /// Fills a row about both directions, or what the side in this `role` sent.
    pub(super) fn export(&self, role: Role, directions: Directions, batch: &mut FlowBatch) {
        let (own, peer) = match role {
            Role::Initiator => (&self.forward, &self.reverse),
            Role::Responder => (&self.reverse, &self.forward),
        };
        set(Field::InPayload, own, batch);
        if directions == Directions::Both {
            set(Field::OutPayload, peer, batch);
        }
    }
}

fn set(field: Field, payload: &[u8], batch: &mut FlowBatch) {
    if !payload.is_empty() {
        batch.set_text(field, &flowcore::payload_text(payload));
    }
}
