//! Entries of Cloud Logging to rows.

use std::ops::Range;

use super::keys::Side;
use crate::batch::FlowBatch;
use crate::format::json::{Account, Records, Visit, shown, walk};
use crate::format::vpc::value::{self, ValueError};
use crate::record::{Addr, Field, FieldSet, Storage, Timestamp};
use crate::source::ReadRequest;

/// What turns entries into rows.
pub(super) struct Entries {
    wanted: FieldSet,
    leaves: Leaves,
    cells: Vec<Cell>,
}

/// A value of the row that is being made.
enum Cell {
    Number(Field, u64),
    Time(Field, Timestamp),
    Addr(Field, Addr),
    /// The text of this leaf.
    Text(Field, usize),
    Unknown(usize),
}

/// Keys of the resource that stand in where the reporter's own are left out of the log.
const OF_RESOURCE: [(&str, Field); 2] =
    [("resource.labels.project_id", Field::Account), ("resource.labels.subnetwork_name", Field::Subnet)];

impl Entries {
    pub(super) fn new(request: &ReadRequest) -> Self {
        Self { wanted: request.fields.stored(), leaves: Leaves::default(), cells: Vec::new() }
    }

    /// Looks at every value of an entry that is a flow.
    fn parse(&mut self, side: Side) -> Result<(), String> {
        self.cells.clear();
        for (at, (key, text)) in self.leaves.iter().enumerate() {
            match side.field(key) {
                None => self.cells.push(Cell::Unknown(at)),
                Some(field) if self.wanted.contains(field) => {
                    let cell = Cell::parse(field, text, at);
                    self.cells.push(cell.map_err(|error| format!("{key}: {:?} {error}", shown(text)))?);
                }
                Some(_) => {}
            }
        }
        for (key, field) in OF_RESOURCE {
            let place = self.leaves.iter().position(|(known, _)| known == key);
            self.cells.extend(place.filter(|_| self.wanted.contains(field)).map(|at| Cell::Text(field, at)));
        }
        Ok(())
    }

    fn store(&self, line: u64, batch: &mut FlowBatch, account: &mut Account) {
        for cell in &self.cells {
            match *cell {
                Cell::Number(field, number) => batch.set_number(field, number),
                Cell::Time(field, time) => batch.set_time(field, time),
                Cell::Addr(field, addr) => batch.set_addr(field, addr),
                Cell::Text(field, at) => batch.set_text(field, self.leaves.at(at).1),
                Cell::Unknown(at) => {
                    let (key, text) = self.leaves.at(at);
                    account.set_unknown(batch, key, text, line);
                }
            }
        }
        if self.wanted.contains(Field::Direction)
            && let Some(direction) = direction(self.leaves.get("reporter"))
        {
            batch.set_text(Field::Direction, direction);
        }
        batch.end_row();
        account.flow();
    }
}

impl Records for Entries {
    fn take(&mut self, value: &[u8], line: u64, batch: &mut FlowBatch, account: &mut Account) {
        self.leaves.clear();
        if let Err(error) = walk(value, &mut self.leaves) {
            return account.bad(line.saturating_add(error.lines_before), || error.what);
        }
        match self.leaves.kind() {
            Kind::Flow => {}
            Kind::Bad(why) => return account.bad(line, || why.to_owned()),
            Kind::Other(what) => return account.other(what),
        }
        let side = Side::of(self.leaves.get("reporter").unwrap_or_default());
        match self.parse(side) {
            Ok(()) => self.store(line, batch, account),
            Err(why) => account.bad(line, || why),
        }
    }

    fn rest(&mut self, _: &mut FlowBatch, _: &mut Account) {}
}

impl Cell {
    fn parse(field: Field, text: &str, at: usize) -> Result<Self, CellError> {
        Ok(match field.kind().storage() {
            Storage::Number if field == Field::RoundTrip => {
                Self::Number(field, millis(text).ok_or(CellError::NotMillis)?)
            }
            Storage::Number => {
                let number = value::number(text.as_bytes(), field.kind().max_number());
                Self::Number(field, number.map_err(CellError::Value)?)
            }
            Storage::Time => Self::Time(field, text.parse().map_err(|_| CellError::NotATime)?),
            Storage::Addr => Self::Addr(field, value::addr(text.as_bytes()).map_err(CellError::Value)?),
            Storage::Text => Self::Text(field, at),
        })
    }
}

/// Why a text is no value of its field.
enum CellError {
    Value(ValueError),
    NotATime,
    NotMillis,
}

impl std::fmt::Display for CellError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(error) => error.fmt(f),
            Self::NotATime => f.write_str("is not a time such as 2023-09-28T17:22:35.123456789Z"),
            Self::NotMillis => f.write_str("is not a number of milliseconds"),
        }
    }
}

/// Nanoseconds of a text in milliseconds, whose fraction is cut after six digits.
fn millis(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| value::number(text.as_bytes(), u64::MAX).ok();
    let nanos = fraction.get(..fraction.len().min(6)).and_then(digits)?;
    let unit = 10_u64.checked_pow(6_u32.saturating_sub(u32::try_from(fraction.len()).unwrap_or(6)))?;
    digits(whole)?.checked_mul(1_000_000)?.checked_add(nanos.checked_mul(unit)?)
}

/// Which way a flow goes, seen from the machine that reported it.
fn direction(reporter: Option<&str>) -> Option<&'static str> {
    match reporter {
        Some("SRC") => Some("egress"),
        Some("DEST") => Some("ingress"),
        _ => None,
    }
}

/// What an entry is.
enum Kind {
    Flow,
    Bad(&'static str),
    Other(String),
}

/// The keys and texts of an entry; `jsonPayload` is left off.
#[derive(Default)]
struct Leaves {
    text: String,
    spans: Vec<(Range<usize>, Range<usize>)>,
    are_too_many: bool,
}

/// Most values of an entry. Those with all metadata have about a hundred.
const MAX_LEAVES: usize = 1000;

impl Leaves {
    fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.are_too_many = false;
    }

    fn at(&self, at: usize) -> (&str, &str) {
        let part = |range: &Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        self.spans.get(at).map_or(("", ""), |(key, text)| (part(key), part(text)))
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.spans.len()).map(|at| self.at(at))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, text)| text)
    }

    fn kind(&self) -> Kind {
        if self.are_too_many {
            return Kind::Bad("more than 1000 values in one entry");
        }
        let has_connection = self.iter().any(|(key, _)| key.starts_with("connection."));
        match self.get("logName") {
            Some(log) if !log.ends_with("vpc_flows") => {
                let log = log.rsplit_once("/logs/").map_or(log, |(_, log)| log);
                Kind::Other(format!("entries of the log {}", shown(log)))
            }
            _ if has_connection => Kind::Flow,
            Some(_) => Kind::Bad("no jsonPayload.connection in the entry"),
            None => Kind::Other("JSON values that are no entries of a flow log".into()),
        }
    }

    fn push(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }
}

impl Visit for Leaves {
    fn begin(&mut self, _: &str) {}

    fn leaf(&mut self, path: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.spans.len() == MAX_LEAVES {
            self.are_too_many = true;
            return;
        }
        let key = self.push(path.strip_prefix("jsonPayload.").unwrap_or(path));
        let text = self.push(text);
        self.spans.push((key, text));
    }

    fn end(&mut self) {}
}
