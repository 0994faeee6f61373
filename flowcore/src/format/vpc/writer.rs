//! Flow logs as AWS writes them: batches in, text out, a header line and a record a line.
//! The [module](super) gives the rules.

use std::fmt;
use std::io::Write;

use flate2::write::GzEncoder;

use super::columns::{self, MAX_COLUMNS};
use super::headerless::{default_columns, default_gateway_columns, every_column};
use super::line::{LineColumns, REVERSE, Way};
use super::remarks::LogRemarks;
use crate::batch::{BATCH_ROWS, FlowBatch, Mask, TextColumn};
use crate::error::{Error, Result};
use crate::record::{Field, FieldSet, Text};
use crate::sink::FlowSink;

/// Which columns a flow log gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogColumns {
    /// Those of the default format of VPC flow logs (of transit gateways, where the first rows are theirs), and behind them
    /// every other one that has a value, in the order of the AWS documentation, columns without a field last.
    Found,
    /// These, and behind them every other one that has a value; without account and region, which the path of a log can say
    /// ([`LogPath`](super::LogPath)) and its lines then need not.
    FoundAfter(Vec<String>),
    /// These, whether they have values or not. [`parse_fields`](super::parse_fields) reads names from text.
    Chosen(Vec<String>),
}

/// How flow log text is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogCompression {
    /// Not at all.
    #[default]
    None,
    /// As AWS delivers it, `.log.gz`.
    Gzip,
}

/// How flow log text is written.
#[derive(Debug, Clone)]
pub struct VpcWriterOptions {
    /// Which columns there are.
    pub columns: LogColumns,
    /// How the text is compressed.
    pub compression: LogCompression,
}

impl Default for VpcWriterOptions {
    fn default() -> Self {
        Self { columns: LogColumns::Found, compression: LogCompression::None }
    }
}

/// Writes a flow log as AWS does; the [module](super) gives the rules.
///
/// ```
/// use flowcore::format::vpc::{LogColumns, VpcWriter, VpcWriterOptions, parse_fields};
/// use flowcore::{Field, FlowBatch};
/// let mut batch = FlowBatch::new();
/// batch.set_number(Field::DstPort, 443);
/// batch.set_text(Field::Action, "ACCEPT");
/// batch.end_row();
/// let columns = LogColumns::Chosen(parse_fields("action,dstport,bytes")?);
/// let mut writer = VpcWriter::new(Vec::new(), &VpcWriterOptions { columns, ..VpcWriterOptions::default() })?;
/// writer.write_batch(&batch)?;
/// assert_eq!(writer.finish()?.0, b"action dstport bytes\nACCEPT 443 -\n");
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct VpcWriter<W: Write> {
    out: Encoder<W>,
    rule: LogColumns,
    /// The columns of the last header line; none is written yet without.
    columns: Option<LineColumns>,
    held: FlowBatch,
    text: Vec<u8>,
    remarks: LogRemarks,
}

/// Rows that are held until the columns are chosen.
const HELD_ROWS: usize = 16 * BATCH_ROWS;
/// Bytes of texts of these rows.
const HELD_TEXT_BYTES: usize = 32 << 20;

impl<W: Write> VpcWriter<W> {
    /// Starts a log. The header line is written with the first rows, or at the end.
    ///
    /// # Errors
    /// When chosen columns are none, more than [`MAX_COLUMNS`], or none that a reader would take for those of a flow log.
    pub fn new(out: W, options: &VpcWriterOptions) -> Result<Self> {
        let out = Encoder::new(out, options.compression);
        let rule = match &options.columns {
            LogColumns::FoundAfter(names) if !is_readable(&LineColumns::new(names)) => LogColumns::Found,
            rule => rule.clone(),
        };
        let mut columns = None;
        let mut remarks = LogRemarks::default();
        if let LogColumns::Chosen(names) = &rule {
            let chosen = LineColumns::new(names);
            check_chosen(&chosen)?;
            remarks.unmet = names.iter().filter(|name| Field::from_aws(name).is_none()).cloned().collect();
            columns = Some(chosen);
        }
        let mut writer = Self { out, rule, columns, held: FlowBatch::new(), text: Vec::new(), remarks };
        writer.put_header();
        Ok(writer)
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        if self.columns.is_some() {
            return self.write_rows(batch);
        }
        self.held.append(batch, &Mask::all(batch.len()));
        let is_enough = self.held.len() >= HELD_ROWS || self.held.text_bytes() >= HELD_TEXT_BYTES;
        if is_enough { self.write_held() } else { Ok(()) }
    }

    /// Completes the log; the output, and what of the records is not in it.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn finish(mut self) -> Result<(W, LogRemarks)> {
        if self.columns.is_none() {
            self.write_held()?;
        }
        self.flush_text()?;
        Ok((self.out.finish()?, self.remarks))
    }

    /// Chooses the columns by the rows that are held, and writes these.
    fn write_held(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let fields = fields_with_values(&held);
        let mut columns = match &self.rule {
            LogColumns::FoundAfter(names) | LogColumns::Chosen(names) => LineColumns::new(names),
            LogColumns::Found if fields.contains(Field::Tgw) && !fields.contains(Field::Action) => {
                LineColumns::new(default_gateway_columns())
            }
            LogColumns::Found => LineColumns::new(default_columns()),
        };
        self.add_found(&held, &mut columns);
        self.columns = Some(columns);
        self.put_header();
        self.write_rows(&held)
    }

    fn write_rows(&mut self, batch: &FlowBatch) -> Result<()> {
        if matches!(self.rule, LogColumns::Chosen(_)) {
            self.remarks.unmet.retain(|name| !has_other(batch, name));
        } else if let Some(mut columns) = self.columns.take() {
            let is_wider = self.add_found(batch, &mut columns);
            self.columns = Some(columns);
            if is_wider {
                self.put_header();
            }
        }
        for start in (0..batch.len()).step_by(BATCH_ROWS) {
            if let Some(columns) = &self.columns {
                let rows = start..batch.len().min(start + BATCH_ROWS);
                let written = columns.write(batch, rows, &mut self.text);
                self.remarks.two_way += written.back;
                self.remarks.early_times += written.early_times;
            }
            self.flush_text()?;
        }
        Ok(())
    }

    /// Adds the columns that the batch has values for and that can be had; whether there are any.
    fn add_found(&mut self, batch: &FlowBatch, columns: &mut LineColumns) -> bool {
        let before = columns.names().len();
        let fields = fields_with_values(batch);
        let has_no_column = |field: &Field| field.info().aws.is_empty() && !NOT_TOLD.contains(field);
        self.remarks.fields = self.remarks.fields.union(fields.iter().filter(has_no_column).collect());
        let (shown, there) = (shown(fields), columns.fields());
        let is_new = |field: &Field| shown.contains(*field) && !there.contains(*field);
        for field in every_column().filter_map(Field::from_aws).filter(is_new) {
            if matches!(self.rule, LogColumns::FoundAfter(_)) && SAID_BY_PATH.contains(&field) {
                self.remarks.said_by_path.insert(field);
            } else {
                columns.push(field.info().aws);
            }
        }
        for (name, _) in batch.unknown().iter().filter(|(_, column)| has_value(column)) {
            if !columns.has(name) && !add_other(name, columns) {
                self.remarks.columns.insert(Text::clone(name));
            }
        }
        columns.names().len() > before
    }

    fn put_header(&mut self) {
        if let Some(columns) = &self.columns {
            self.text.extend_from_slice(columns.header().as_bytes());
            self.text.push(b'\n');
        }
    }

    fn flush_text(&mut self) -> Result<()> {
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }
}

impl<W: Write> FlowSink for VpcWriter<W> {
    fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        Self::write_batch(self, batch)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Self::finish(*self).map(drop)
    }
}

impl<W: Write> fmt::Debug for VpcWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VpcWriter").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl LogColumns {
    /// The stored fields that lines are made of, and whether columns without a field are.
    pub fn needs(&self) -> (FieldSet, bool) {
        let Self::Chosen(names) = self else { return (FieldSet::all(), true) };
        let columns = LineColumns::new(names);
        let there = columns.fields();
        let back = there.iter().filter_map(|field| Way::Back.field(field)).chain(REVERSE);
        (there.union(back.collect()), names.iter().any(|name| Field::from_aws(name).is_none()))
    }
}

/// What the path of a log can say.
const SAID_BY_PATH: [Field; 2] = [Field::Account, Field::Region];

/// What has no column and is not missed: the counters of the way back have a line, and the others say where a record is from.
const NOT_TOLD: [Field; 7] =
    [REVERSE[0], REVERSE[1], REVERSE[2], Field::Source, Field::Format, Field::FlowLog, Field::RecordNumber];

/// The fields that some row has.
fn fields_with_values(batch: &FlowBatch) -> FieldSet {
    let has_value = |field: &Field| batch.column(*field).is_some_and(|column| !column.is_absent());
    Field::all().filter(has_value).collect()
}

/// The fields with an AWS column that lines of records with these fields show, those of the way back too.
fn shown(fields: FieldSet) -> FieldSet {
    let goes_back = REVERSE.iter().any(|field| fields.contains(*field));
    let is_shown = |field: &Field| {
        let back = Way::Back.field(*field).filter(|_| goes_back);
        let is_there = fields.contains(*field) || back.is_some_and(|field| fields.contains(field));
        is_there && !field.info().aws.is_empty()
    };
    Field::all().filter(is_shown).collect()
}

/// Adds a column without a field, unless no reader would take the header line for one then.
fn add_other(name: &str, columns: &mut LineColumns) -> bool {
    let wider = LineColumns::new(columns.names().iter().map(String::as_str).chain([name]));
    let is_one_name = !name.contains(' ') && !name.is_empty();
    if is_one_name && is_readable(&wider) {
        columns.push(name);
        return true;
    }
    false
}

/// Whether a row has a value in a column of this name, which is no field.
fn has_other(batch: &FlowBatch, name: &str) -> bool {
    batch.unknown().iter().any(|(known, column)| columns::is_same(known, name) && has_value(column))
}

fn has_value(column: &TextColumn) -> bool {
    column.codes().iter().any(|code| *code != 0)
}

/// Whether readers take the header line of these columns for one.
fn is_readable(columns: &LineColumns) -> bool {
    columns.names().len() <= MAX_COLUMNS && columns::is_clearly_header(&columns.header())
}

fn check_chosen(columns: &LineColumns) -> Result<()> {
    columns::check_count(columns.names().len())?;
    if is_readable(columns) {
        return Ok(());
    }
    let known = every_column().take(3).collect::<Vec<_>>().join(", ");
    let what = "are not taken for those of a flow log, as less than half of them are columns of AWS";
    Err(Error::argument(format!("the columns {:?} {what}, such as {known}", columns.header())))
}

/// Where text goes.
enum Encoder<W: Write> {
    Plain(W),
    Gzip(Box<GzEncoder<W>>),
}

impl<W: Write> Encoder<W> {
    fn new(out: W, compression: LogCompression) -> Self {
        match compression {
            LogCompression::None => Self::Plain(out),
            LogCompression::Gzip => Self::Gzip(Box::new(GzEncoder::new(out, flate2::Compression::default()))),
        }
    }

    fn write_all(&mut self, text: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(text),
            Self::Gzip(out) => out.write_all(text),
        }
    }

    fn finish(self) -> std::io::Result<W> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(out) => out.finish(),
        }
    }
}
