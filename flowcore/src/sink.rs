//! Where flows go: anything that takes batches, and a flow file under its name.

use std::path::Path;

use crate::batch::FlowBatch;
use crate::error::Result;
use crate::format::flow::{FlowFileWriter, WriterOptions};
use crate::format::nfdump::{Dropped, NfdumpOptions, NfdumpWriter};
use crate::output::{AtomicFile, CompleteFile, Overwrite};

/// Anything that takes flows.
pub trait FlowSink {
    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn write_batch(&mut self, batch: &FlowBatch) -> Result<()>;

    /// Completes the output; without this call it is not there.
    ///
    /// # Errors
    /// When the rest cannot be written, or the output cannot be put in its place.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// The format of a file of flows, and how it is written.
#[derive(Debug, Clone)]
pub enum FileOptions {
    /// A `.flow` file, which keeps everything.
    Flow(WriterOptions),
    /// An nfdump file.
    Nfdump(NfdumpOptions),
}

impl From<WriterOptions> for FileOptions {
    fn from(options: WriterOptions) -> Self {
        Self::Flow(options)
    }
}

impl From<NfdumpOptions> for FileOptions {
    fn from(options: NfdumpOptions) -> Self {
        Self::Nfdump(options)
    }
}

/// Writes a file of flows that appears under its name when it is complete.
///
/// ```no_run
/// use flowcore::format::flow::WriterOptions;
/// use flowcore::{FlowBatch, FlowWriter, Overwrite};
/// let mut writer = FlowWriter::create("a.flow", &WriterOptions::default().into(), Overwrite::No)?;
/// writer.write_batch(&FlowBatch::new())?;
/// writer.finish()?;
/// # Ok::<(), flowcore::Error>(())
/// ```
pub struct FlowWriter {
    writer: Writer,
    name: String,
}

/// The writer of each format.
enum Writer {
    Flow(Box<FlowFileWriter<AtomicFile>>),
    Nfdump(Box<NfdumpWriter<AtomicFile>>),
}

impl FlowWriter {
    /// Starts a file that will be called `path`; folders on the way to it are made.
    ///
    /// # Errors
    /// When the file exists and may not be replaced, or cannot be written.
    pub fn create(path: impl AsRef<Path>, options: &FileOptions, overwrite: Overwrite) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let file = AtomicFile::create(path.as_ref(), overwrite)?;
        let writer = Writer::new(file, options).map_err(|error| error.in_input(&name))?;
        Ok(Self { writer, name })
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        let written = match &mut self.writer {
            Writer::Flow(writer) => writer.write_batch(batch),
            Writer::Nfdump(writer) => writer.write_batch(batch),
        };
        written.map_err(|error| error.in_input(&self.name))
    }

    /// Adds the rows of a batch and leaves none in it, which saves copying those of a batch of 65,536 rows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take_batch(&mut self, batch: &mut FlowBatch) -> Result<()> {
        let written = match &mut self.writer {
            Writer::Flow(writer) => writer.take_batch(batch),
            Writer::Nfdump(writer) => writer.write_batch(batch).inspect(|()| batch.clear()),
        };
        written.map_err(|error| error.in_input(&self.name))
    }

    /// What the format had no place for so far; `None` for formats that keep everything.
    pub fn dropped(&self) -> Option<&Dropped> {
        match &self.writer {
            Writer::Flow(_) => None,
            Writer::Nfdump(writer) => Some(writer.dropped()),
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// When the rest cannot be written, or a file of that name has appeared in the meantime.
    pub fn finish(self) -> Result<()> {
        self.complete()?.publish()
    }

    /// Completes the bytes and closes the file, and leaves it to the caller when it takes its name.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn complete(self) -> Result<CompleteFile> {
        let Self { writer, name } = self;
        writer.finish().and_then(AtomicFile::complete).map_err(|error| error.in_input(name))
    }
}

impl Writer {
    fn new(file: AtomicFile, options: &FileOptions) -> Result<Self> {
        Ok(match options {
            FileOptions::Flow(options) => Self::Flow(Box::new(FlowFileWriter::new(file, options)?)),
            FileOptions::Nfdump(options) => Self::Nfdump(Box::new(NfdumpWriter::new(file, options)?)),
        })
    }

    fn finish(self) -> Result<AtomicFile> {
        match self {
            Self::Flow(writer) => (*writer).finish(),
            Self::Nfdump(writer) => (*writer).finish(),
        }
    }
}

impl FlowSink for FlowWriter {
    fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        Self::write_batch(self, batch)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Self::finish(*self)
    }
}

impl<W: std::io::Write> FlowSink for FlowFileWriter<W> {
    fn write_batch(&mut self, batch: &FlowBatch) -> Result<()> {
        Self::write_batch(self, batch)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Self::finish(*self).map(drop)
    }
}

impl std::fmt::Debug for FlowWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowWriter").field("name", &self.name).finish_non_exhaustive()
    }
}
