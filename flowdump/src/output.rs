//! Where chosen records go: text on stdout or in a file, a flow file, nfdump file or AWS flow log, or nowhere.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use flowcore::format::flow::{FlowFileWriter, WriterOptions};
use flowcore::format::nfdump::NfdumpOptions;
use flowcore::format::vpc::{LogColumns, VpcWriter, VpcWriterOptions};
use flowcore::{
    AtomicFile, Error, FieldSet, FileOptions, FlowBatch, FlowSink, FlowWriter, Mask, Overwrite, ReadRequest,
    Result,
};

use crate::args::{OutputFormat, Plan};
use crate::matching::open_options;
use crate::print::{Printer, Style, Threads, printer};

/// The destination of the chosen records; the file or stream is opened by [`begin`](Self::begin).
pub(crate) struct Output {
    content: Content,
    path: Option<PathBuf>,
    overwrite: Overwrite,
    sink: Sink,
    /// A list for people says so where it stays empty.
    empty_note: bool,
}

/// What is written.
enum Content {
    Nothing,
    Text(Box<dyn Printer>, Threads),
    Flow(WriterOptions),
    Nfdump(NfdumpOptions),
    Log(VpcWriterOptions),
}

/// What takes it.
enum Sink {
    /// Nothing, or nothing yet.
    Closed,
    Text(BufWriter<Target>),
    Flow(Box<FlowFileWriter<BufWriter<Target>>>),
    Nfdump(Box<FlowWriter>),
    Log(Box<VpcWriter<BufWriter<Target>>>),
}

/// The bytes' destination.
pub(crate) enum Target {
    Stdout(io::Stdout),
    File(AtomicFile),
}

const BUFFER: usize = 256 * 1024;

/// nfdump's words below the heading of an empty list.
const NO_FLOWS: &[u8] = b"No matching flows\n";

impl Output {
    /// Resolves the plan's output; nothing is written or created yet.
    ///
    /// # Errors
    /// When it is one of the inputs, or a terminal that would get binary data, or an input is not there.
    pub(crate) fn open(plan: &Plan) -> Result<Self> {
        let path = plan.write.clone().filter(|path| path != Path::new("-"));
        let content = content(plan)?;
        if let Some(path) = &path {
            flowcore::check_not_input(path, &plan.inputs)?;
            check_can_seek(&content, path)?;
        } else if matches!(content, Content::Flow(_)) && io::stdout().is_terminal() {
            return Err(Error::argument(
                "a flow file is binary and stdout is a terminal; name a file with -w FILE",
            ));
        }
        let overwrite = if plan.force { Overwrite::Yes } else { Overwrite::No };
        let empty_note = plan.output.is_for_people() && !plan.quiet;
        Ok(Self { content, path, overwrite, sink: Sink::Closed, empty_note })
    }

    /// The stored fields that are written, and whether columns without a field are.
    pub(crate) fn needs(&self) -> (FieldSet, bool) {
        match &self.content {
            Content::Nothing => (FieldSet::EMPTY, false),
            Content::Text(printer, _) => (printer.fields(), printer.unknown_columns()),
            Content::Flow(_) | Content::Nfdump(_) => (FieldSet::all(), true),
            Content::Log(options) => options.columns.needs(),
        }
    }

    /// Opens the file or stream and writes what stands before the first record.
    ///
    /// # Errors
    /// When the file exists and may not be replaced, or cannot be written; all errors from here on name it.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.begin_titled("")
    }

    /// As [`begin`](Self::begin), with a title before all else of a text.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) fn begin_titled(&mut self, title: &str) -> Result<()> {
        let (path, overwrite) = (self.path.as_deref(), self.overwrite);
        let begun = match &mut self.content {
            Content::Nothing => Ok(Sink::Closed),
            Content::Text(printer, _) => begin_text(printer.as_mut(), title, path, overwrite),
            Content::Flow(options) => begin_flow(options, path, overwrite),
            Content::Nfdump(options) => begin_nfdump(options, path, overwrite),
            Content::Log(options) => begin_log(options, path, overwrite),
        };
        self.sink = begun.map_err(|error| named(error, self.path.as_deref()))?;
        Ok(())
    }

    /// Writes a title, and again what stands before the first record: another list follows in the same text.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn next_list(&mut self, title: &str) -> Result<()> {
        let (Content::Text(printer, threads), Sink::Text(out)) = (&mut self.content, &mut self.sink) else {
            return Ok(());
        };
        let written = threads
            .finish(printer.as_mut(), out)
            .and_then(|()| out.write_all(title.as_bytes()))
            .and_then(|()| printer.begin(out));
        written.map_err(|error| named(error.into(), self.path.as_deref()))
    }

    /// Writes the chosen rows, perhaps not before [`finish`](Self::finish). The batch may become another one.
    ///
    /// # Errors
    /// When rows cannot be written.
    pub(crate) fn write(&mut self, batch: &mut FlowBatch, chosen: &Mask) -> Result<()> {
        self.empty_note &= chosen.count() == 0;
        let written = match (&mut self.content, &mut self.sink) {
            (Content::Text(printer, threads), Sink::Text(out)) => {
                threads.print(printer.as_mut(), batch, chosen.rows().collect(), out).map_err(Error::from)
            }
            (_, sink) => match sink.flows() {
                Some(writer) if chosen.count() == batch.len() => writer.write_batch(batch),
                Some(writer) => {
                    let mut part = FlowBatch::new();
                    part.append(batch, chosen);
                    writer.write_batch(&part)
                }
                None => Ok(()),
            },
        };
        written.map_err(|error| named(error, self.path.as_deref()))
    }

    /// Writes these rows in this order.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn write_ordered(&mut self, batch: &FlowBatch, rows: &[usize]) -> Result<()> {
        self.empty_note &= rows.is_empty();
        let written = match (&mut self.content, &mut self.sink) {
            (Content::Text(printer, threads), Sink::Text(out)) => {
                let before = threads.finish(printer.as_mut(), out);
                let written = before.and_then(|()| printer.rows(batch, &mut rows.iter().copied(), out));
                written.map_err(Error::from)
            }
            (_, sink) => sink.flows().map_or(Ok(()), |writer| {
                rows.chunks(flowcore::BATCH_ROWS).try_for_each(|rows| {
                    let mut part = FlowBatch::new();
                    rows.iter().for_each(|&row| part.push(&batch.flow(row)));
                    writer.write_batch(&part)
                })
            }),
        };
        written.map_err(|error| named(error, self.path.as_deref()))
    }

    /// Completes the output; a file gets its name now. What its format had no place for is returned in words.
    ///
    /// # Errors
    /// When the rest cannot be written or the file cannot get its name.
    pub(crate) fn finish(self) -> Result<Option<String>> {
        let Self { content, path, sink, empty_note, .. } = self;
        let mut remarks = String::new();
        let finished = match (content, sink) {
            (Content::Text(mut printer, mut threads), Sink::Text(mut out)) => {
                let rows = threads.finish(printer.as_mut(), &mut out);
                let note = rows.and_then(|()| if empty_note { out.write_all(NO_FLOWS) } else { Ok(()) });
                let ended = note.and_then(|()| printer.end(&mut out)).map_err(Error::from);
                ended.and_then(|()| Target::finish(out))
            }
            (_, Sink::Flow(writer)) => (*writer).finish().and_then(Target::finish),
            (_, Sink::Nfdump(writer)) => {
                let dropped = writer.dropped().filter(|dropped| !dropped.is_empty());
                remarks = dropped.map_or_else(String::new, ToString::to_string);
                (*writer).finish()
            }
            (_, Sink::Log(writer)) => (*writer).finish().and_then(|(out, said)| {
                remarks = said.to_string();
                Target::finish(out)
            }),
            _ => Ok(()),
        };
        finished
            .map(|()| Some(remarks).filter(|said| !said.is_empty()))
            .map_err(|error| named(error, path.as_deref()))
    }
}

impl Sink {
    /// What takes batches.
    fn flows(&mut self) -> Option<&mut dyn FlowSink> {
        match self {
            Self::Flow(writer) => Some(writer.as_mut()),
            Self::Nfdump(writer) => Some(writer.as_mut()),
            Self::Log(writer) => Some(writer.as_mut()),
            Self::Closed | Self::Text(_) => None,
        }
    }
}

/// Threads that print: one a core, as long as the one that writes can keep up with them.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS)
}

const MAX_THREADS: usize = 8;

fn content(plan: &Plan) -> Result<Content> {
    Ok(match printer(&plan.output, Style::of(plan)) {
        Some(printer) => Content::Text(printer, Threads::new(threads())),
        None if plan.output == OutputFormat::Null => Content::Nothing,
        None if plan.output == OutputFormat::Vpc => Content::Log(log_options(plan)?),
        None => match plan.file.clone() {
            FileOptions::Flow(options) => Content::Flow(options),
            FileOptions::Nfdump(options) => Content::Nfdump(options),
        },
    })
}

/// Columns that nobody has chosen are those of the inputs, where they agree.
fn log_options(plan: &Plan) -> Result<VpcWriterOptions> {
    let mut options = plan.log.clone();
    if options.columns == LogColumns::Found
        && let Some(columns) = open_options(plan, ReadRequest::default()).log_columns(&plan.inputs)?
    {
        options.columns = LogColumns::FoundAfter(columns);
    }
    Ok(options)
}

/// The head of an nfdump file is completed at the end, which needs a file.
fn check_can_seek(content: &Content, path: &Path) -> Result<()> {
    let is_other = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
    if is_other && matches!(content, Content::Nfdump(_)) {
        let what = "an nfdump file cannot be written to a pipe or device; name a file";
        return Err(Error::argument(what).in_input(path.display().to_string()));
    }
    Ok(())
}

fn begin_text(
    printer: &mut dyn Printer,
    title: &str,
    path: Option<&Path>,
    overwrite: Overwrite,
) -> Result<Sink> {
    let mut out = Target::open(path, overwrite)?;
    out.write_all(title.as_bytes())?;
    printer.begin(&mut out)?;
    Ok(Sink::Text(out))
}

fn begin_flow(options: &WriterOptions, path: Option<&Path>, overwrite: Overwrite) -> Result<Sink> {
    let out = Target::open(path, overwrite)?;
    Ok(Sink::Flow(Box::new(FlowFileWriter::new(out, options)?)))
}

fn begin_nfdump(options: &NfdumpOptions, path: Option<&Path>, overwrite: Overwrite) -> Result<Sink> {
    // The name has chosen the format, so there is one.
    let path = path.unwrap_or(Path::new("-"));
    let writer = FlowWriter::create(path, &options.clone().into(), overwrite)?;
    Ok(Sink::Nfdump(Box::new(writer)))
}

fn begin_log(options: &VpcWriterOptions, path: Option<&Path>, overwrite: Overwrite) -> Result<Sink> {
    let out = Target::open(path, overwrite)?;
    Ok(Sink::Log(Box::new(VpcWriter::new(out, options)?)))
}

/// The error with the name of the output it is about.
pub(crate) fn named(error: Error, path: Option<&Path>) -> Error {
    error.in_input(path.map_or("stdout".into(), |path| path.display().to_string()))
}

impl Target {
    /// Opens the file, or stdout without one.
    ///
    /// # Errors
    /// When the file exists and may not be replaced, or cannot be created.
    pub(crate) fn open(path: Option<&Path>, overwrite: Overwrite) -> Result<BufWriter<Self>> {
        let target = match path {
            None => Self::Stdout(io::stdout()),
            Some(path) => Self::File(AtomicFile::create(path, overwrite)?),
        };
        Ok(BufWriter::with_capacity(BUFFER, target))
    }

    /// Writes the rest; a file gets its name now.
    ///
    /// # Errors
    /// When the rest cannot be written or the file cannot get its name.
    pub(crate) fn finish(out: BufWriter<Self>) -> Result<()> {
        match out.into_inner().map_err(io::IntoInnerError::into_error)? {
            Self::Stdout(mut stdout) => Ok(stdout.flush()?),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(data),
            Self::File(file) => file.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}
