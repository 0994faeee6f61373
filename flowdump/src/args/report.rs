//! What is made of the matching records: a list, groups, statistics, counters by time, totals, or a verdict on a file.

use std::path::PathBuf;

use flowcore::aggregate::{Directions, Element, Interval, Order, Statistic};
use flowcore::{Error, FieldSet, Filter, Result};

use super::stitch::Stitch;
use super::{Flags, OutputFormat, every};
use crate::groups::Groups;
use crate::print::{Measure, Template};

/// What to make.
#[derive(Debug)]
pub enum Report {
    /// The records, one by one.
    List,
    /// The records joined into groups.
    Groups(Grouping),
    /// The top of some fields, and of groups.
    Statistics(Vec<Table>),
    /// Counters for each interval of time, and of what the bars on a terminal are.
    Series(Interval, Measure),
    /// Totals of whole inputs.
    Info,
    /// Totals of each file.
    PerFile,
    /// A verdict on this file.
    Verify(PathBuf),
}

/// A word of `-s`.
#[derive(Debug, Clone)]
pub enum Table {
    /// The top of a field.
    Field(Statistic),
    /// The top of groups of records.
    Records(Grouping),
}

/// How records are joined into groups.
#[derive(Debug, Clone)]
pub struct Grouping {
    key: Key,
    /// The orders to list the groups in, where `-s record` names them.
    pub tops: Vec<Order>,
}

/// What the records of a group share.
#[derive(Debug, Clone)]
enum Key {
    /// All that makes them one flow.
    Flow(Directions),
    /// What `-A` names.
    Elements(Vec<Element>),
    /// The rows of a connection.
    Connection(Stitch),
}

impl Report {
    /// What the options ask for.
    ///
    /// # Errors
    /// When they ask for two reports, or for something that the report does not have.
    pub(super) fn new(flags: &Flags, inputs: &[PathBuf], filter: &Filter) -> Result<Self> {
        if let Some(interval) = &flags.every {
            return every::report(interval, flags);
        }
        let key = Key::of(flags)?;
        let tables = tables(flags, key.as_ref())?;
        if let Some(file) = &flags.verify {
            check_verify(flags, inputs, filter)?;
            return Ok(Self::Verify(file.clone()));
        }
        if flags.info || flags.per_file {
            check_info(flags, filter)?;
            return Ok(if flags.info { Self::Info } else { Self::PerFile });
        }
        let report = match only_records(&tables) {
            Some(grouping) => Self::Groups(grouping),
            None if !tables.is_empty() => Self::Statistics(tables),
            None => key.map_or(Self::List, |key| Self::Groups(Grouping { key, tops: Vec::new() })),
        };
        check_groups(flags, &report)?;
        Ok(report)
    }

    /// The fields that are counted.
    pub(crate) fn fields(&self) -> FieldSet {
        match self {
            Self::Statistics(tables) => {
                tables.iter().fold(FieldSet::EMPTY, |fields, table| fields.union(table.fields()))
            }
            Self::Groups(grouping) => grouping.fields(),
            Self::List | Self::Series(..) | Self::Info | Self::PerFile | Self::Verify(_) => FieldSet::EMPTY,
        }
    }

    /// Rows that are shown where `-n` does not say, as in nfdump.
    pub(super) fn usual_rows(&self) -> Option<usize> {
        match self {
            Self::Statistics(_) => Some(10),
            Self::Groups(grouping) if !grouping.tops.is_empty() => Some(10),
            _ => None,
        }
    }

    /// How it is printed or written, where this is asked for.
    pub(super) fn output(&self, asked: Option<OutputFormat>) -> Result<OutputFormat> {
        match self {
            Self::Groups(grouping) => grouping.output(asked),
            _ => Ok(asked.unwrap_or(OutputFormat::Line)),
        }
    }
}

impl Table {
    fn fields(&self) -> FieldSet {
        match self {
            Self::Field(statistic) => statistic.fields().iter().copied().collect(),
            Self::Records(grouping) => grouping.fields(),
        }
    }
}

impl Grouping {
    /// No group yet.
    pub(crate) fn groups(&self) -> Groups {
        match &self.key {
            Key::Flow(directions) => Groups::flows(*directions),
            Key::Elements(elements) => Groups::by(elements),
            Key::Connection(stitch) => Groups::Connections(Box::new(stitch.connections())),
        }
    }

    /// Whether a group is a flow, and has what the key does not say from its first record. Records that share some fields
    /// only have nothing else in common.
    pub fn is_by_flow(&self) -> bool {
        !matches!(self.key, Key::Elements(_))
    }

    /// How the groups are printed or written, where this is asked for. Without that it is a list that fits them; CSV of
    /// groups by elements has columns for these.
    ///
    /// # Errors
    /// Never for elements that were read from text.
    pub fn output(&self, asked: Option<OutputFormat>) -> Result<OutputFormat> {
        match (&self.key, asked) {
            (Key::Elements(elements), None) => {
                Template::parse(&columns(elements, " ")).map(OutputFormat::Custom)
            }
            (Key::Elements(elements), Some(OutputFormat::Csv)) => {
                Template::parse_csv(&columns(elements, ",")).map(OutputFormat::CsvColumns)
            }
            (Key::Flow(Directions::Merged | Directions::Guessed), None) => Ok(OutputFormat::Biline),
            (Key::Connection(_), None) => Template::parse(CONNECTION_COLUMNS).map(OutputFormat::Custom),
            (_, asked) => Ok(asked.unwrap_or(OutputFormat::Line)),
        }
    }

    fn fields(&self) -> FieldSet {
        match &self.key {
            Key::Flow(_) | Key::Connection(_) => FieldSet::EMPTY,
            Key::Elements(elements) => elements.iter().map(|element| element.field()).collect(),
        }
    }
}

/// `biline`, with an arrow that is meant, and what became of the connection.
const CONNECTION_COLUMNS: &str = "%ts %td %pr %sap -> %dap %opkt %ipkt %obyt %ibyt %fl %{connstate}";

/// nfdump's columns of groups by these elements.
fn columns(elements: &[Element], between: &str) -> String {
    let named = |name: &str| format!("%{name}");
    let first = ["ts", "td"].map(named);
    let last = ["pkt", "byt", "bps", "bpp", "fl"].map(named);
    let key = elements.iter().map(|element| column(*element));
    first.into_iter().chain(key).chain(last).collect::<Vec<_>>().join(between)
}

/// nfdump's column of an element, else that of its field.
fn column(element: Element) -> String {
    let info = element.field().info();
    if info.nfdump.is_empty() { format!("%{{{}}}", info.name) } else { format!("%{}", info.nfdump) }
}

impl Key {
    /// What `-a`, `-A`, `-b`, `-B` and `--stitch` say; `None` without any.
    fn of(flags: &Flags) -> Result<Option<Self>> {
        let directions = match (flags.biflow, flags.biflow_guess) {
            (_, true) => Directions::Guessed,
            (true, false) => Directions::Merged,
            (false, false) => Directions::Apart,
        };
        if flags.stitch.is_some() && (flags.aggregate || flags.biflow || flags.biflow_guess) {
            let what =
                "--stitch joins rows to connections, and -a, -b and -B to other flows; leave one of them out";
            return Err(Error::argument(what));
        }
        if let Some(stitch) = Stitch::asked(flags).filter(|_| !Stitch::is_first(flags)) {
            return Ok(Some(Self::Connection(stitch)));
        }
        match &flags.aggregate_by {
            Some(_) if directions != Directions::Apart => Err(Error::argument(
                "-A groups by the fields it names, and -b joins both directions of a flow; leave one of them out",
            )),
            Some(list) => {
                let elements = Element::parse_list(list);
                let named = |error| Error::argument(format!("-A {list}: {error}"));
                Ok(Some(Self::Elements(elements.map_err(named)?)))
            }
            None if flags.aggregate || directions != Directions::Apart => Ok(Some(Self::Flow(directions))),
            None => Ok(None),
        }
    }
}

/// The tables of `-s`; those of records are by the key.
fn tables(flags: &Flags, key: Option<&Key>) -> Result<Vec<Table>> {
    if let (Some(order), Some(first)) = (&flags.order, flags.stat.first()) {
        return Err(Error::argument(format!(
            "-O sorts lists; the order of a statistic stands behind it: -s {}/{order}",
            first.split('/').next().unwrap_or_default()
        )));
    }
    let reports = [("-I", flags.info), ("-g", flags.per_file), ("-s", !flags.stat.is_empty())];
    let asked: Vec<&str> = reports.iter().filter(|(_, asked)| *asked).map(|(option, _)| *option).collect();
    if let [first, second, ..] = asked[..] {
        return Err(Error::argument(format!("{first} and {second} are two reports; ask for one at a time")));
    }
    let tables = flags.stat.iter().map(|text| {
        let named = |error| Error::argument(format!("-s {text}: {error}"));
        table(text, key).map_err(named)
    });
    tables.collect()
}

/// Tables of records alone are lists of the same groups, each in its orders.
fn only_records(tables: &[Table]) -> Option<Grouping> {
    let groupings = tables.iter().map(|table| match table {
        Table::Records(grouping) => Some(grouping.clone()),
        Table::Field(_) => None,
    });
    groupings.collect::<Option<Vec<Grouping>>>()?.into_iter().reduce(|mut all, next| {
        all.tops.extend(next.tops);
        all
    })
}

fn table(text: &str, key: Option<&Key>) -> Result<Table> {
    let (subject, orders) = text.split_once('/').map_or((text, None), |(name, orders)| (name, Some(orders)));
    let (name, split) = subject.split_once(':').map_or((subject, None), |(name, split)| (name, Some(split)));
    if !name.eq_ignore_ascii_case("record") {
        return text.parse().map(Table::Field);
    }
    if let Some(split) = split {
        return Err(Error::argument(format!(
            "\":{split}\" behind record: whole flows have their protocol, and -A may name proto"
        )));
    }
    let orders = orders.map_or(Ok(vec![Order::FLOWS]), |orders| orders.split('/').map(str::parse).collect());
    let key = key.cloned().unwrap_or(Key::Flow(Directions::Apart));
    Ok(Table::Records(Grouping { key, tops: orders? }))
}

/// What says something about groups is refused where there are none.
fn check_groups(flags: &Flags, report: &Report) -> Result<()> {
    let has_groups = match report {
        Report::Groups(_) => true,
        Report::Statistics(tables) => tables.iter().any(|table| matches!(table, Table::Records(_))),
        _ => false,
    };
    if flags.post_filter.is_some() && !has_groups && !Stitch::is_first(flags) {
        return Err(Error::argument(
            "-P filters groups: add -a, -A, -b, --stitch or -s record, or give the filter without -P",
        ));
    }
    if flags.aggregate_by.is_some() && !has_groups {
        return Err(Error::argument(
            "-A groups records, and -s counts by the field it names; leave out -A, or add -s record",
        ));
    }
    Ok(())
}

/// Totals are those of whole inputs: what would choose or print records is refused rather than ignored.
fn check_info(flags: &Flags, filter: &Filter) -> Result<()> {
    if flags.write.is_some() || flags.output.is_some() || !filter.expression().trim().is_empty() {
        return Err(Error::argument(
            "-I and -g sum up whole inputs; for a filter or a window use -o null or --every, and leave out -o and -w",
        ));
    }
    if flags.dedup {
        return Err(Error::argument("-I and -g sum up whole inputs; for --dedup use -o null or -s"));
    }
    if flags.stats.is_some() {
        return Err(Error::argument(
            "-I and -g sum up whole inputs, and --stats is another report; ask for one at a time",
        ));
    }
    if has_grouping(flags) {
        return Err(Error::argument("-I and -a, -A, -b or --stitch are two reports; ask for one at a time"));
    }
    Ok(())
}

/// One file is verified, and nothing else is done.
fn check_verify(flags: &Flags, inputs: &[PathBuf], filter: &Filter) -> Result<()> {
    let other = flags.info
        || flags.dedup
        || flags.stats.is_some()
        || flags.write.is_some()
        || flags.output.is_some()
        || !inputs.is_empty();
    if other || has_grouping(flags) || !filter.expression().trim().is_empty() {
        return Err(Error::argument(
            "-v reads the file it names; leave out other inputs, filter, -I, --stats, -o, -w and aggregation",
        ));
    }
    Ok(())
}

/// Whether records are to be joined.
fn has_grouping(flags: &Flags) -> bool {
    groups_records(flags) || flags.stitch.is_some()
}

/// Whether records are to be joined to groups that are listed.
pub(super) fn groups_records(flags: &Flags) -> bool {
    flags.aggregate || flags.biflow || flags.biflow_guess || flags.aggregate_by.is_some()
}
