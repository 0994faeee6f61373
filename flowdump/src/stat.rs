//! Statistics: inputs to filter to groups, printed as tables of the top of them. Tables of whole records are lists.

use std::io::{self, Write};
use std::path::Path;

use flowcore::aggregate::{Aggregation, Candidates, Order, Statistic};
use flowcore::{Error, Field, FieldSet, Filter, FlowBatch, Mask, Overwrite, Result};

use crate::aggregate;
use crate::args::{Grouping, OutputFormat, Plan, Table};
use crate::crew::Count;
use crate::exit::Outcome;
use crate::groups::Groups;
use crate::matching::{Matching, tell};
use crate::output::{Target, named};
use crate::print::{Printer, StatFormat, StatPrinter, Style, Summary, printer};
use crate::two_readings;

/// Makes the plan's statistics.
///
/// # Errors
/// When an input is missing, the output cannot be written or is no text, or there are more groups than can be held.
pub(crate) fn run(plan: &Plan, tables: &[Table]) -> Result<Outcome> {
    let format = StatFormat::of(&plan.output)?;
    check_records(plan, tables)?;
    let path = plan.write.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(path) = path {
        flowcore::check_not_input(path, &plan.inputs)?;
    }
    let open = || {
        let counted = tables.iter().map(|table| Counted::new(plan, table));
        let counted: Vec<Counted<'_>> = counted.collect::<Result<_>>()?;
        let records = Matching::open(plan, needs(plan, &counted), unknown_columns(plan, &counted)?)?;
        Ok((records, counted))
    };
    let first = open()?;
    let overwrite = if plan.force { Overwrite::Yes } else { Overwrite::No };
    let out = format.map(|format| Ok((format, Target::open(path, overwrite)?))).transpose();
    let out = out.map_err(|error: Error| named(error, path))?;
    let orders: Vec<&[Order]> = tables.iter().map(orders).collect();
    let (records, tables) = two_readings::count(plan, &orders, open, first)?;
    if let Some((format, mut out)) = out {
        let printed = print(plan, &tables, records.summary(), format, &mut out).map_err(Error::from);
        printed.and_then(|()| Target::finish(out)).map_err(|error| named(error, path))?;
    }
    let uncounted = uncounted(&tables, records.passed());
    let outcome = records.close()?;
    if !plan.quiet {
        uncounted.iter().for_each(|line| tell(line));
    }
    Ok(outcome)
}

/// A table of CSV has rows of one kind.
fn check_records(plan: &Plan, tables: &[Table]) -> Result<()> {
    let has_records = tables.iter().any(|table| matches!(table, Table::Records(_)));
    if has_records && matches!(plan.output, OutputFormat::Csv | OutputFormat::CsvFast) {
        return Err(Error::argument(
            "-s record lists records, whose CSV has other columns than that of the other statistics: ask for one at a \
             time, or for -o json or ndjson",
        ));
    }
    Ok(())
}

/// The orders in which the groups of a table are shown.
fn orders(table: &Table) -> &[Order] {
    match table {
        Table::Field(statistic) => statistic.orders(),
        Table::Records(grouping) => &grouping.tops,
    }
}

/// A table with what is counted for it.
enum Counted<'a> {
    Field(&'a Statistic, Box<Aggregation>),
    Records(&'a Grouping, Groups),
}

impl<'a> Counted<'a> {
    fn new(plan: &Plan, table: &'a Table) -> Result<Self> {
        Ok(match table {
            Table::Field(statistic) => {
                Self::Field(statistic, Box::new(statistic.aggregation()?.max_memory(plan.memory)))
            }
            Table::Records(grouping) => {
                let shown = lister(plan, grouping)?.map_or(FieldSet::EMPTY, |list| list.fields());
                Self::Records(grouping, aggregate::aggregation(plan, grouping, shown))
            }
        })
    }

    /// The stored fields that are counted, and those of lists.
    fn fields(&self) -> FieldSet {
        match self {
            Self::Field(_, groups) => groups.fields(),
            Self::Records(_, groups) => {
                groups.fields().union(FieldSet::from([Field::InFlags, Field::OutFlags]))
            }
        }
    }
}

impl Count for Counted<'_> {
    fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        match self {
            Self::Field(_, groups) => groups.add(batch, chosen),
            Self::Records(_, groups) => groups.add(batch, chosen),
        }
    }

    fn split(self, parts: usize) -> Vec<Self> {
        match self {
            Self::Field(statistic, groups) => {
                let part = |groups| Self::Field(statistic, Box::new(groups));
                groups.split(parts).into_iter().map(part).collect()
            }
            Self::Records(grouping, groups) => {
                groups.split(parts).into_iter().map(|groups| Self::Records(grouping, groups)).collect()
            }
        }
    }

    fn aggregation(&self) -> Option<&Aggregation> {
        match self {
            Self::Field(_, groups) => Some(groups),
            Self::Records(_, groups) => groups.aggregation(),
        }
    }

    fn twin(&self) -> Option<Self> {
        match self {
            Self::Field(statistic, groups) => {
                groups.twin().map(|twin| Self::Field(statistic, Box::new(twin)))
            }
            Self::Records(grouping, groups) => groups.twin().map(|twin| Self::Records(grouping, twin)),
        }
    }

    fn merge(&mut self, twin: Self) -> Result<()> {
        match (self, twin) {
            (Self::Field(_, groups), Self::Field(_, twin)) => groups.merge(&twin),
            (Self::Records(_, groups), Self::Records(_, twin)) => groups.merge(twin),
            _ => Ok(()),
        }
    }

    fn only(self, candidates: &Candidates) -> Self {
        match self {
            Self::Field(statistic, groups) => Self::Field(statistic, Box::new(groups.only(candidates))),
            Self::Records(grouping, groups) => Self::Records(grouping, groups.only(candidates)),
        }
    }

    fn join(self, part: Self) -> Self {
        match (self, part) {
            (Self::Field(statistic, groups), Self::Field(_, part)) => {
                Self::Field(statistic, Box::new(groups.join(*part)))
            }
            (Self::Records(grouping, groups), Self::Records(_, part)) => {
                Self::Records(grouping, groups.join(part))
            }
            (whole, _) => whole,
        }
    }
}

/// What prints the records of a table.
fn lister(plan: &Plan, grouping: &Grouping) -> Result<Option<Box<dyn Printer>>> {
    let asked = Some(plan.output.clone()).filter(|output| *output != OutputFormat::Line);
    Ok(printer(&grouping.output(asked)?, Style::of(plan)))
}

/// The stored fields that are counted, and those of lists. Rows about a log's gaps are told by their addresses.
fn needs(plan: &Plan, tables: &[Counted<'_>]) -> FieldSet {
    let addrs = FieldSet::from([Field::SrcAddr, Field::DstAddr]);
    let first = if plan.filter.wants_status_rows() { addrs } else { FieldSet::EMPTY };
    tables.iter().fold(first, |fields, table| fields.union(table.fields()))
}

/// Whether columns without a field are read: lists of whole flows print them, and filters of groups look at them.
fn unknown_columns(plan: &Plan, tables: &[Counted<'_>]) -> Result<bool> {
    let is_filtered = plan.post_filter.as_ref().is_some_and(Filter::unknown_columns);
    for table in tables {
        if let Counted::Records(grouping, _) = table
            && grouping.is_by_flow()
            && (is_filtered || lister(plan, grouping)?.is_some_and(|list| list.unknown_columns()))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn print(
    plan: &Plan,
    tables: &[Counted<'_>],
    summary: &Summary,
    format: StatFormat,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut printer = StatPrinter::new(format, Style::of(plan), plan.top);
    printer.begin(out)?;
    for table in tables {
        match table {
            Counted::Field(statistic, groups) => statistic
                .orders()
                .iter()
                .try_for_each(|&order| printer.table(statistic, order, groups, summary.counters(), out))?,
            Counted::Records(grouping, groups) if format.is_of_objects() => {
                objects(plan, grouping, groups, &mut printer, out)?;
            }
            Counted::Records(grouping, groups) => list(plan, grouping, groups, out)?,
        }
    }
    printer.end(out)
}

/// Prints the top records of each order between the rows of the other tables.
fn objects(
    plan: &Plan,
    grouping: &Grouping,
    groups: &Groups,
    printer: &mut StatPrinter,
    out: &mut dyn Write,
) -> io::Result<()> {
    grouping.tops.iter().try_for_each(|&order| {
        groups.each(aggregate::selection(plan, order), |batch| {
            (0..batch.len()).try_for_each(|row| printer.record(order, &batch, row, out))
        })
    })
}

/// Prints the top records of each order.
fn list(plan: &Plan, grouping: &Grouping, groups: &Groups, out: &mut dyn Write) -> io::Result<()> {
    for &order in &grouping.tops {
        let Some(mut list) = lister(plan, grouping).map_err(io::Error::other)? else { return Ok(()) };
        let title = aggregate::title(plan, grouping, order);
        out.write_all(title.as_bytes())?;
        list.begin(out)?;
        groups
            .each(aggregate::selection(plan, order), |batch| list.rows(&batch, &mut (0..batch.len()), out))?;
        list.end(out)?;
        if !title.is_empty() {
            writeln!(out)?;
        }
    }
    Ok(())
}

/// Which records are in no group, a line for each statistic.
fn uncounted(tables: &[Counted<'_>], passed: u64) -> Vec<String> {
    let without = tables.iter().filter_map(|table| match table {
        Counted::Field(statistic, groups) => Some((statistic.name(), groups.without_key())),
        Counted::Records(..) => None,
    });
    let line = |(name, without)| {
        format!("Not counted by {name}: {without} of {passed} matching records, which have none")
    };
    without.filter(|(_, without)| *without > 0).map(line).collect()
}
