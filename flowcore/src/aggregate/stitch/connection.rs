//! What a connection looks like as a flow record: which end is its source, what both ways add up to, what is kept of its rows.

use super::super::counters::Counters;
use super::super::direction::{self, Evidence};
use super::split::Run;
use super::state::{ConnState, Verdict};
use super::{Connections, Conversation};
use crate::batch::FlowBatch;
use crate::record::{Addr, Field, FieldSet, Protocol};

impl Connections {
    /// The counters of a connection from its initiator, and whether that is the larger end.
    pub(super) fn shown(&self, run: &Run) -> (Counters, bool) {
        let is_turned = self.is_turned(run);
        (if is_turned { run.counters.turned() } else { run.counters }, is_turned)
    }

    fn is_turned(&self, run: &Run) -> bool {
        let Some(of) = self.conversations.get(run.conversation as usize) else { return false };
        if of.smaller == of.larger {
            return run.begins_turned;
        }
        let ports = (of.smaller.port.map(u64::from), of.larger.port.map(u64::from));
        let (counters, starts) = (&run.counters, run.starts);
        let evidence = Evidence { counters, ports, starts, sparse_flags: of.action != 0 };
        if run.is_whole {
            let is_tcp = of.protocol == Some(Protocol::TCP.0);
            return if is_tcp { evidence.of_flow(run.begins_turned) } else { run.begins_turned };
        }
        if direction::has_ways(of.protocol.map(u64::from), ports) {
            let sender = match run.rows {
                [Some(_), None] => Some(false),
                [None, Some(_)] => Some(true),
                _ => None,
            };
            let told = run.stated.or_else(|| evidence.by_flags()).or(sender);
            return told.unwrap_or_else(|| evidence.by_ports());
        }
        self.asks_for_echo(run).or_else(|| starts.is_turned()).unwrap_or(false)
    }

    /// Whether the larger end sent the request of an echo, where the records say the type.
    fn asks_for_echo(&self, run: &Run) -> Option<bool> {
        let is_request = |row: Option<u32>| {
            let kind = self.kept.number(Field::IcmpType, row? as usize)?;
            Some(matches!(kind, 8 | 128))
        };
        match run.rows.map(is_request) {
            [Some(true), back] if back != Some(true) => Some(false),
            [to, Some(true)] if to != Some(true) => Some(true),
            _ => None,
        }
    }

    pub(super) fn batch<'a>(&self, runs: impl Iterator<Item = &'a Run>) -> FlowBatch {
        let mut batch = FlowBatch::new();
        let kept = self.kept.fields();
        for run in runs {
            let (counters, is_turned) = self.shown(run);
            if self.as_flows {
                // Of two values for a row the first one stays.
                batch.set_number(Field::Flows, 1);
            }
            counters.set(&mut batch);
            if let Some(of) = self.conversations.get(run.conversation as usize) {
                self.set_key(of, is_turned, &mut batch);
                let [to, back] = run.rows;
                let has_row_back = if is_turned { to.is_some() } else { back.is_some() };
                let verdict = Verdict::of(self.text(of.action));
                let state = ConnState::of(verdict, of.protocol.map(Protocol), &counters, has_row_back);
                batch.set_text(Field::ConnState, state.name());
            }
            self.set_kept(run, is_turned, kept, &mut batch);
            batch.end_row();
        }
        batch
    }

    fn set_key(&self, of: &Conversation, is_turned: bool, batch: &mut FlowBatch) {
        let ends = (&of.smaller, &of.larger);
        let (src, dst) = if is_turned { (ends.1, ends.0) } else { ends };
        let fields = [
            (Field::SrcAddr, Field::PktSrcAddr, Field::SrcPort, src),
            (Field::DstAddr, Field::PktDstAddr, Field::DstPort, dst),
        ];
        for (addr, packet, port, end) in fields {
            batch.set_addr(addr, end.addr);
            if end.packet != Addr::Unknown {
                batch.set_addr(packet, end.packet);
            }
            end.port.into_iter().for_each(|number| batch.set_number(port, number.into()));
        }
        of.protocol.into_iter().for_each(|number| batch.set_number(Field::Protocol, number.into()));
        self.text(of.action).into_iter().for_each(|action| batch.set_text(Field::Action, action));
    }

    /// Sets what the row being filled has from the first row of the initiator.
    fn set_kept(&self, run: &Run, is_turned: bool, kept: FieldSet, batch: &mut FlowBatch) {
        let [to, back] = run.rows;
        let (own, other) = if is_turned { (back, to) } else { (to, back) };
        let Some(row) = own.or(other) else { return };
        let is_against = own.is_none();
        let shown = |field: Field| if is_against { field.opposite() } else { field };
        for field in kept.iter() {
            let row = if field == Field::EndReason { run.last } else { row };
            batch.set_value(shown(field), &self.kept.value(field, row as usize));
        }
        for (name, column) in self.kept.unknown() {
            column.get(row as usize).into_iter().for_each(|text| batch.set_unknown(name, text));
        }
    }
}
