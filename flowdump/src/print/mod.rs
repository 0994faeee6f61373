//! Records to text: one module per format, all fed with rows of a batch.

mod csv;
mod custom;
mod ends;
mod escape;
mod json;
mod line;
#[cfg(test)]
mod sample;
mod stat;
mod summary;
mod tags;
mod template;
mod text;
mod units;

use std::io::{self, Write};

use flowcore::{FieldSet, FlowBatch};

pub use self::csv::CSV_FIELDS;
pub use summary::Summary;
pub use template::Template;

pub(crate) use stat::{StatFormat, StatPrinter};
pub(crate) use summary::{print_account, unknown_parts};

use crate::args::OutputFormat;

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
    /// Use colour.
    pub color: bool,
}

/// The printer of a text format; `None` for formats without text.
pub fn printer(format: &OutputFormat, style: Style) -> Option<Box<dyn Printer>> {
    use line::Layout;
    Some(match format {
        OutputFormat::Line => Box::new(line::LinePrinter::new(Layout::Line, style)),
        OutputFormat::Long => Box::new(line::LinePrinter::new(Layout::Long, style)),
        OutputFormat::Extended => Box::new(line::LinePrinter::new(Layout::Extended, style)),
        OutputFormat::Custom(template) => Box::new(custom::CustomPrinter::new(template.clone(), style)),
        OutputFormat::Csv => Box::new(csv::CsvPrinter::new(style)),
        OutputFormat::Json => Box::new(json::JsonPrinter::array()),
        OutputFormat::Ndjson => Box::new(json::JsonPrinter::lines()),
        OutputFormat::Null | OutputFormat::Flow | OutputFormat::Nfdump => return None,
    })
}
