//! Records to text: one module per format, all fed with rows of a batch.

mod account;
mod account_json;
mod aside;
mod clock;
mod csv;
mod csv_columns;
mod csv_fast;
mod csv_rows;
mod custom;
mod ends;
mod escape;
mod evidence;
mod hello;
mod json;
mod line;
mod raw;
#[cfg(test)]
mod sample;
mod series;
mod stat;
mod summary;
mod tag_table;
mod tags;
mod template;
mod text;
mod times;
mod units;

use std::io::{self, Write};

use flowcore::{FieldSet, FlowBatch};

pub use self::csv::{CSV_FIELDS, CSV_OTHERS};
pub use series::Measure;
pub use summary::Summary;
pub use tags::{TagInfo, refused_tags, tag_infos, tag_lists};
pub use template::Template;
pub use times::Times;

pub(crate) use account::print_table;
pub(crate) use account_json::print_json;
pub(crate) use aside::Threads;
pub(crate) use escape::csv_field;
pub(crate) use series::{Bars, SeriesPrinter};
pub(crate) use stat::{StatFormat, StatPrinter};
pub(crate) use summary::{print_account, unknown_parts};

use crate::args::{OutputFormat, Plan};

/// Writes rows in one format.
pub trait Printer {
    /// Writes what stands before the first row.
    ///
    /// # Errors
    /// When the output cannot be written; so for the other calls.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// Writes one row.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn row(&mut self, batch: &FlowBatch, row: usize, out: &mut dyn Write) -> io::Result<()>;

    /// Writes these rows in this order.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    fn rows(
        &mut self,
        batch: &FlowBatch,
        rows: &mut dyn Iterator<Item = usize>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for row in rows {
            self.row(batch, row, out)?;
        }
        Ok(())
    }

    /// A printer that goes on, on another thread, behind rows that this one has yet to write, of which there is at least
    /// one. `None` if it has to know more of them than this one's [`state`](Self::state).
    fn fork(&self) -> Option<Box<dyn Printer + Send>> {
        None
    }

    /// What rows have changed in how the next ones are written.
    fn state(&self) -> usize {
        0
    }

    /// Goes on as a printer in this state would.
    fn set_state(&mut self, _: usize) {}

    /// Writes what stands behind the last row.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// The stored fields that rows are printed from.
    fn fields(&self) -> FieldSet;

    /// Whether columns without a field are printed.
    fn unknown_columns(&self) -> bool {
        false
    }
}

/// Bytes after which printers of many rows write.
const FULL: usize = 64 * 1024;

/// Text of several lines made safe for a terminal, its line ends kept.
pub(crate) fn terminal_lines(text: &str) -> String {
    text.split('\n').map(escape::terminal).collect::<Vec<_>>().join("\n")
}

/// How a printer is to write.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Print the heading.
    pub heading: bool,
    /// No K, M, G.
    pub plain_numbers: bool,
    /// Columns of addresses are as wide as IPv6 addresses from the start.
    pub full_ipv6: bool,
    /// Use colour.
    pub color: bool,
}

impl Style {
    /// A heading, and nothing else out of the ordinary.
    pub const HEADED: Self = Self { heading: true, plain_numbers: false, full_ipv6: false, color: false };

    /// What the plan asks for.
    pub(crate) const fn of(plan: &Plan) -> Self {
        Self {
            heading: !plan.quiet,
            plain_numbers: plan.plain_numbers,
            full_ipv6: plan.full_ipv6,
            color: plan.color,
        }
    }

    /// Characters that a column of addresses has from the start; it widens with addresses that need more.
    const fn addr_width(self) -> usize {
        if self.full_ipv6 { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".len() } else { 16 }
    }
}

/// The printer of a text format; `None` for formats without text.
pub fn printer(format: &OutputFormat, style: Style) -> Option<Box<dyn Printer>> {
    use line::Layout;
    let nfdumps = |name| custom::CustomPrinter::new(Template::of_layout(name), style);
    Some(match format {
        OutputFormat::Line => Box::new(line::LinePrinter::new(Layout::Line, style)),
        OutputFormat::Long => Box::new(line::LinePrinter::new(Layout::Long, style)),
        OutputFormat::Extended => Box::new(line::LinePrinter::new(Layout::Extended, style)),
        OutputFormat::Biline => Box::new(nfdumps("biline")),
        OutputFormat::Bilong => Box::new(nfdumps("bilong")),
        OutputFormat::Nsel => Box::new(nfdumps("nsel")),
        OutputFormat::Nat => Box::new(nfdumps("nat")),
        OutputFormat::Raw => Box::new(raw::RawPrinter::new()),
        OutputFormat::Custom(template) => Box::new(custom::CustomPrinter::new(template.clone(), style)),
        OutputFormat::Csv => Box::new(csv::CsvPrinter::new(style)),
        OutputFormat::CsvFast => Box::new(csv_fast::FastPrinter::new(style)),
        OutputFormat::CsvColumns(template) => {
            Box::new(csv_columns::ColumnsPrinter::new(template.clone(), style))
        }
        OutputFormat::Json => Box::new(json::JsonPrinter::array()),
        OutputFormat::Ndjson => Box::new(json::JsonPrinter::lines()),
        OutputFormat::Null | OutputFormat::Flow | OutputFormat::Nfdump | OutputFormat::Vpc => return None,
    })
}
