//! Records of Azure to rows, one for each tuple.

use std::num::NonZeroU32;

use super::CATEGORIES;
use super::earlier::{self, Earlier};
use super::scopes::{Attribute, MAX_ATTRIBUTES, ScopeId, Scopes};
use super::tuple::{self, Tuple};
use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::format::json::{Account, Records, Visit, shown, walk};
use crate::record::{Field, FieldSet};
use crate::source::ReadRequest;

/// What turns records into rows.
pub(super) struct TupleRecords {
    wanted: FieldSet,
    status_rows: bool,
    found: Found,
    /// The next row to be handed out.
    next: usize,
    earlier: Earlier,
}

/// What has been found in a value.
#[derive(Default)]
struct Found {
    line: u64,
    scopes: Scopes,
    rows: Vec<Row>,
    /// The texts of the tuples, one behind the other. They are taken apart when there is room in a batch: taken apart
    /// they need much more memory.
    texts: String,
    /// Tuples, with those that are too short to be any.
    tuples: u32,
    category: Option<String>,
    /// The number of the network card that the object which was asked last stands for.
    card: Option<(Option<ScopeId>, u64)>,
}

/// A tuple, and the object in which it stands. A value can have millions.
#[derive(Clone, Copy)]
struct Row {
    /// Where its text ends; it begins where the one before ends.
    end: u32,
    scope: Option<ScopeId>,
    /// Its number among the tuples of the value, from 1; `None` where a record says that there was no traffic.
    number: Option<NonZeroU32>,
}

impl TupleRecords {
    pub(super) fn new(request: &ReadRequest) -> Self {
        Self {
            wanted: request.fields.stored(),
            status_rows: request.status_rows,
            found: Found::default(),
            next: 0,
            earlier: Earlier::default(),
        }
    }

    /// Adds the row with this place among those of the value.
    fn store(&mut self, at: usize, row: Row, batch: &mut FlowBatch, account: &mut Account) {
        let Some(number) = row.number else { return self.no_data(row, batch, account) };
        match Tuple::parse(self.found.text(at)) {
            Ok(tuple) => self.flow(&tuple, row, batch, account),
            Err(why) => account.bad(self.found.line, || format!("tuple {number}: {why}")),
        }
    }

    fn flow(&mut self, tuple: &Tuple, row: Row, batch: &mut FlowBatch, account: &mut Account) {
        self.times(row, tuple, batch);
        self.ends(tuple, batch);
        self.verdict(tuple, batch, account);
        self.surroundings(row, batch, account);
        batch.end_row();
        account.flow();
    }

    fn no_data(&self, row: Row, batch: &mut FlowBatch, account: &mut Account) {
        account.no_data();
        if self.status_rows {
            self.text(batch, Field::LogStatus, "NODATA");
            self.surroundings(row, batch, account);
            batch.end_row();
        }
    }

    fn times(&mut self, row: Row, tuple: &Tuple, batch: &mut FlowBatch) {
        if self.wanted.contains(Field::First) {
            let first = self.earlier.first(self.found.card(row), tuple);
            batch.set_time(Field::First, first);
        }
        if self.wanted.contains(Field::Last) {
            batch.set_time(Field::Last, tuple.time);
        }
    }

    fn ends(&self, tuple: &Tuple, batch: &mut FlowBatch) {
        for (field, addr) in [(Field::SrcAddr, tuple.src), (Field::DstAddr, tuple.dst)] {
            if self.wanted.contains(field) {
                batch.set_addr(field, addr);
            }
        }
        let [sent, bytes_sent, received, bytes_received] = tuple.counters;
        let numbers = [
            (Field::Protocol, Some(tuple.protocol)),
            (Field::SrcPort, tuple.src_port),
            (Field::DstPort, tuple.dst_port),
            (Field::InPackets, sent),
            (Field::InBytes, bytes_sent),
            (Field::OutPackets, received),
            (Field::OutBytes, bytes_received),
        ];
        numbers.into_iter().for_each(|(field, number)| self.number(batch, field, number));
    }

    /// What was decided and how, and what the tuple says of its flow.
    fn verdict(&self, tuple: &Tuple, batch: &mut FlowBatch, account: &mut Account) {
        self.text(batch, Field::Direction, tuple.direction);
        self.text(batch, Field::Action, if tuple.is_denied { "REJECT" } else { "ACCEPT" });
        if let Some(state) = tuple.state {
            self.text(batch, Field::FlowState, state.name());
        }
        let Some(code) = &tuple.encryption else { return };
        account.set_unknown(batch, "flowEncryption", code, self.found.line);
        let is_encrypted = match &**code {
            "X" => Some(1),
            code if code.starts_with("NX") => Some(0),
            _ => None,
        };
        self.number(batch, Field::Encryption, is_encrypted);
        if tuple.is_denied && code.starts_with("NX_") {
            self.text(batch, Field::RejectReason, code);
        }
    }

    /// What the objects around a tuple say of it.
    fn surroundings(&self, row: Row, batch: &mut FlowBatch, account: &mut Account) {
        for (at, attribute) in self.found.scopes.attributes(row.scope).enumerate() {
            if at == MAX_ATTRIBUTES {
                return account.note(self.found.line, TOO_MUCH);
            }
            match attribute {
                Attribute::Text(field, text) => self.text(batch, *field, text),
                Attribute::Number(field, number) => self.number(batch, *field, Some(*number)),
                Attribute::Time(field, time) if self.wanted.contains(*field) => batch.set_time(*field, *time),
                Attribute::Time(..) => {}
                Attribute::Unknown(name, text) => account.set_unknown(batch, name, text, self.found.line),
            }
        }
    }

    fn text(&self, batch: &mut FlowBatch, field: Field, text: &str) {
        if self.wanted.contains(field) {
            batch.set_text(field, text);
        }
    }

    fn number(&self, batch: &mut FlowBatch, field: Field, number: Option<u64>) {
        if let Some(number) = number.filter(|_| self.wanted.contains(field)) {
            batch.set_number(field, number);
        }
    }
}

impl Records for TupleRecords {
    fn take(&mut self, value: &[u8], line: u64, batch: &mut FlowBatch, account: &mut Account) {
        self.next = 0;
        self.found.clear(line);
        let read = walk(value, &mut Reading { found: &mut self.found, account });
        match read {
            Err(error) => account.bad(line.saturating_add(error.lines_before), || error.what),
            Ok(()) if self.found.rows.is_empty() && self.found.tuples == 0 => {
                account.other(self.found.other())
            }
            Ok(()) => {}
        }
        self.rest(batch, account);
    }

    fn rest(&mut self, batch: &mut FlowBatch, account: &mut Account) {
        while batch.len() < BATCH_ROWS
            && let Some(&row) = self.found.rows.get(self.next)
        {
            self.store(self.next, row, batch, account);
            self.next += 1;
        }
    }
}

impl Found {
    fn clear(&mut self, line: u64) {
        self.line = line;
        self.scopes.clear();
        self.rows.clear();
        self.texts.clear();
        self.tuples = 0;
        self.category = None;
        self.card = None;
    }

    fn push(&mut self, tuple: &str, account: &mut Account) {
        self.tuples = self.tuples.saturating_add(1);
        if tuple.len() < tuple::SHORTEST {
            let why = || format!("tuple {}: {:?} is too short for a tuple", self.tuples, tuple);
            return account.bad(self.line, why);
        }
        self.texts.push_str(tuple);
        self.push_row(NonZeroU32::new(self.tuples));
    }

    fn push_row(&mut self, number: Option<NonZeroU32>) {
        // The longest value has far less than 4 GiB.
        let end = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.rows.push(Row { end, scope: self.scopes.current(), number });
    }

    /// The text of the row with this place.
    fn text(&self, at: usize) -> &str {
        let end = |at: usize| self.rows.get(at).map_or(0, |row| row.end as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.texts.get(start..end(at)).unwrap_or_default()
    }

    /// The number of the network card that a tuple is from.
    fn card(&mut self, row: Row) -> u64 {
        match self.card {
            Some((scope, number)) if scope == row.scope => number,
            _ => {
                let number = self.interface(row).map_or(0, earlier::mac);
                self.card = Some((row.scope, number));
                number
            }
        }
    }

    fn interface(&self, row: Row) -> Option<&str> {
        self.scopes.attributes(row.scope).take(MAX_ATTRIBUTES).find_map(|attribute| match attribute {
            Attribute::Text(Field::Interface, interface) => Some(interface.as_str()),
            _ => None,
        })
    }

    fn is_flow_log(&self) -> bool {
        self.category.as_ref().is_some_and(|category| CATEGORIES.contains(&category.as_str()))
    }

    /// What a value without tuples is.
    fn other(&self) -> String {
        match &self.category {
            Some(category) => format!("records of the category {}", shown(category)),
            None => "JSON values that have no flow tuples".into(),
        }
    }
}

/// A value that is being read.
struct Reading<'a> {
    found: &'a mut Found,
    account: &'a mut Account,
}

impl Visit for Reading<'_> {
    fn begin(&mut self, path: &str) {
        self.found.scopes.begin(path);
    }

    fn leaf(&mut self, path: &str, text: &str) {
        match list_of(path) {
            Some("flowTuples" | "flow") => self.found.push(text, self.account),
            _ => self.attribute(path, text),
        }
    }

    fn end(&mut self) {
        let scope = self.found.scopes.current();
        let is_whole = self.found.scopes.is_outermost();
        if is_whole && self.found.tuples == 0 && self.found.is_flow_log() {
            self.found.push_row(None);
        }
        let is_used = self.found.rows.last().is_some_and(|row| row.scope >= scope);
        self.found.scopes.end(is_used);
    }
}

impl Reading<'_> {
    fn attribute(&mut self, path: &str, text: &str) {
        if path.rsplit('.').next() == Some("category") && self.found.category.is_none() {
            self.found.category = Some(text.to_owned());
        }
        if !text.is_empty() && !self.found.scopes.add(path, text) {
            self.account.note(self.found.line, TOO_MUCH);
        }
    }
}

/// What is noted where the objects around a tuple are not all heard.
const TOO_MUCH: &str = "more than 64 things, a text of more than 1024 bytes or two values of one name are said of the \
                        tuples of an object, or more than 262144 in all of a record; what comes first counts";

/// The name of the list in which the last part of a path stands.
fn list_of(path: &str) -> Option<&str> {
    let (list, place) = path.rsplit_once('.')?;
    let is_place = !place.is_empty() && place.bytes().all(|byte| byte.is_ascii_digit());
    is_place.then(|| list.rsplit('.').next().unwrap_or(list))
}
