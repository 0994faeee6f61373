//! Whether the payloads of a record are ones that are asked for.

use crate::batch::{FlowBatch, Mask, TextColumn};
use crate::filter::addrs::AddrSet;
use crate::filter::eval::decide;
use crate::filter::predicate::Condition;
use crate::filter::sets::{Ranges, TextSet};
use crate::payload::dns::Message;
use crate::payload::tls::Hello;
use crate::record::{Field, Flow, payload_bytes};

/// A condition on the payloads of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::filter) struct PayloadCondition {
    pub(super) fields: &'static [Field],
    /// Holds for the records whose payloads are looked at.
    pub(in crate::filter) guard: Box<Condition>,
    pub(super) test: PayloadTest,
    pub(super) negated: bool,
}

/// A question to one payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PayloadTest {
    Regex(Vec<Regex>),
    /// `None`: whether there is a message.
    Dns(Option<DnsTest>),
    /// `None`: whether there is a hello.
    Tls(Option<TlsTest>),
}

/// A question to a DNS message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DnsTest {
    /// Parts of names, in lower case.
    Names(Vec<String>),
    /// Addresses, and parts of addresses as they are written.
    Addrs(AddrSet, Vec<String>),
}

/// A question to a TLS hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsTest {
    Versions(Ranges<u64>),
    /// Parts of names, in lower case.
    Servers(Vec<String>),
    /// `None`: whether there is a fingerprint.
    Ja3(Option<TextSet>),
    Ja4(Option<TextSet>),
}

/// A regular expression over bytes; two are equal if they are written the same.
#[derive(Debug, Clone)]
pub(super) struct Regex(pub(super) regex::bytes::Regex);

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Regex {}

impl PayloadCondition {
    /// The payloads looked at.
    pub(in crate::filter) const fn payloads(&self) -> &'static [Field] {
        self.fields
    }

    /// All fields looked at.
    pub(in crate::filter) fn fields(&self) -> Vec<Field> {
        self.fields.iter().copied().chain(self.guard.fields()).collect()
    }

    /// A rough measure of the work per row, beside that of other conditions.
    pub(in crate::filter) const fn cost(&self) -> usize {
        2_000 * self.fields.len()
    }

    /// Whether one flow satisfies it.
    pub(in crate::filter) fn holds(&self, flow: &Flow) -> bool {
        let answer = |&field: &Field| self.test.answer(flow.get(field).text()?);
        self.guard.holds(flow) && decide(self.fields.iter().map(answer), self.negated)
    }

    /// The rows of a batch that satisfy it; each distinct payload in question is looked at once.
    pub(in crate::filter) fn rows(&self, batch: &FlowBatch) -> Mask {
        let guarded = self.guard.rows(batch);
        let columns = self.fields.iter().filter_map(|&field| batch.texts(field));
        let mut columns: Vec<Answers<'_>> = columns.map(Answers::new).collect();
        Mask::from_fn(batch.len(), |row| {
            let answers = columns.iter_mut().map(|column| column.of(row, &self.test));
            guarded.get(row) && decide(answers, self.negated)
        })
    }
}

/// What a test says of the texts of a column, each asked for when it is met first.
struct Answers<'a> {
    column: &'a TextColumn,
    /// By code.
    known: Vec<Option<Option<bool>>>,
}

impl<'a> Answers<'a> {
    fn new(column: &'a TextColumn) -> Self {
        Self { column, known: vec![None; column.dictionary().len() + 1] }
    }

    fn of(&mut self, row: usize, test: &PayloadTest) -> Option<bool> {
        let &code = self.column.codes().get(row)?;
        let known = self.known.get_mut(code as usize)?;
        *known.get_or_insert_with(|| test.answer(self.column.text(code)?))
    }
}

impl PayloadTest {
    /// Whether the payload is one that is asked for; `None` if it does not have what the question is about.
    fn answer(&self, payload: &str) -> Option<bool> {
        let bytes = payload_bytes(payload);
        match self {
            Self::Regex(patterns) => Some(patterns.iter().any(|pattern| pattern.0.is_match(&bytes))),
            Self::Dns(test) => {
                let message = Message::find(&bytes)?;
                test.as_ref().map_or(Some(true), |test| test.answer(&message))
            }
            Self::Tls(test) => {
                let hello = Hello::find(&bytes)?;
                test.as_ref().map_or(Some(true), |test| test.answer(&hello))
            }
        }
    }
}

impl DnsTest {
    fn answer(&self, message: &Message) -> Option<bool> {
        match self {
            Self::Names(parts) => any(message.names(), |name| holds_part(name, parts)),
            Self::Addrs(set, parts) => any(message.addrs(), |addr| {
                set.contains(addr.into()) || (!parts.is_empty() && holds_part(&addr.to_string(), parts))
            }),
        }
    }
}

impl TlsTest {
    fn answer(&self, hello: &Hello) -> Option<bool> {
        let is_one_of = |fingerprint: Option<String>, set: &Option<TextSet>| {
            fingerprint.map(|text| set.as_ref().is_none_or(|set| set.contains(&text)))
        };
        match (self, hello) {
            (Self::Versions(set), _) => Some(set.contains(hello.version().0.into())),
            (Self::Servers(parts), Hello::Client(hello)) => Some(holds_part(hello.sni()?, parts)),
            (Self::Servers(_), Hello::Server(_)) => None,
            (Self::Ja3(set), _) => is_one_of(hello.ja3(), set),
            (Self::Ja4(set), _) => is_one_of(hello.ja4(), set),
        }
    }
}

/// Whether one of these will do; `None` if there are none.
fn any<T>(values: impl Iterator<Item = T>, will_do: impl FnMut(T) -> bool) -> Option<bool> {
    let mut values = values.peekable();
    values.peek()?;
    Some(values.any(will_do))
}

/// Whether a name holds one of the parts, which are in lower case.
fn holds_part(name: &str, parts: &[String]) -> bool {
    let name = name.to_ascii_lowercase();
    parts.iter().any(|part| name.contains(part.as_str()))
}
