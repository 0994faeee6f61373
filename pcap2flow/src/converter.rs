//! Captures as a source of flows: reading, decoding and metering joined.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowcore::{
    BATCH_ROWS, ByteCount, CaptureOpener, Detection, Error, Field, FlowBatch, FlowSource, Input, Position,
    Progress, Result, SourceStats,
};

use crate::capture::{CaptureReader, Frame};
use crate::options::MeterOptions;
use crate::packet::{Skip, decode};
use crate::table::FlowTable;

/// Turns one or several captures into bidirectional flows.
///
/// The captures are read one after the other into the same flow table, so a capture that was split into several
/// files gives the same flows as the whole one.
///
/// ```no_run
/// use flowcore::{FlowBatch, FlowSource};
/// let mut converter = pcap2flow::Converter::open("investigate.pcap", &pcap2flow::MeterOptions::default())?;
/// let mut batch = FlowBatch::new();
/// while converter.read_batch(&mut batch)? {
///     println!("{} flows", batch.len());
/// }
/// println!("{} frames used", converter.stats().frames_used);
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug)]
pub struct Converter {
    waiting: VecDeque<PathBuf>,
    current: Option<Current>,
    meter: Meter,
    stats: SourceStats,
    ident: Option<String>,
    drained: bool,
    progress: Progress,
}

/// The capture being read.
#[derive(Debug)]
struct Current {
    name: String,
    bytes: ByteCount,
    reader: CaptureReader,
}

/// What a frame goes through once it has been read.
#[derive(Debug)]
struct Meter {
    table: FlowTable,
    ended: FlowBatch,
    used: u64,
    skipped: HashMap<Skip, u64>,
}

impl Converter {
    /// Opens one capture, or standard input for `-`.
    ///
    /// # Errors
    /// When it cannot be read or is no capture.
    pub fn open(path: impl AsRef<Path>, options: &MeterOptions) -> Result<Self> {
        Self::open_all([path], options)
    }

    /// Opens several captures, which are read in this order.
    ///
    /// # Errors
    /// When none of them can be read or is a capture, the error of the last; where only some cannot, that is noted in
    /// the statistics.
    pub fn open_all<P: AsRef<Path>>(
        paths: impl IntoIterator<Item = P>,
        options: &MeterOptions,
    ) -> Result<Self> {
        let mut converter = Self::new(options);
        converter.waiting = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        for path in &converter.waiting {
            converter.progress.expect(path.metadata().map_or(0, |metadata| metadata.len()));
        }
        converter.open_first()?;
        Ok(converter)
    }

    /// Meters an input that is open already.
    ///
    /// # Errors
    /// When it is no capture, or its header is damaged.
    pub fn from_input(input: Input, options: &MeterOptions) -> Result<Self> {
        let mut converter = Self::new(options);
        converter.begin(input)?;
        Ok(converter)
    }

    fn new(options: &MeterOptions) -> Self {
        Self {
            waiting: VecDeque::new(),
            current: None,
            meter: Meter {
                table: FlowTable::new(options),
                ended: FlowBatch::new(),
                used: 0,
                skipped: HashMap::new(),
            },
            stats: SourceStats::default(),
            ident: options.ident.clone(),
            drained: false,
            progress: Progress::default(),
        }
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Opens the first capture that can be opened.
    fn open_first(&mut self) -> Result<()> {
        let mut failure = None;
        while !self.waiting.is_empty() {
            match self.open_next() {
                Ok(_) => {
                    failure.into_iter().for_each(|error| self.stats.problems.push_input(error));
                    return Ok(());
                }
                Err(error) => {
                    if let Some(error) = failure.replace(error) {
                        self.stats.problems.push_input(error);
                    }
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn open_next(&mut self) -> Result<bool> {
        let Some(path) = self.waiting.pop_front() else { return Ok(false) };
        self.stats.files += 1;
        self.begin(Input::open(&path, Detection::Bytes)?)?;
        Ok(true)
    }

    fn begin(&mut self, input: Input) -> Result<()> {
        let (name, format, bytes) = (input.name().to_owned(), input.format(), input.byte_count());
        if !format.is_capture() {
            return Err(Error::unsupported(format!("a {format} file, not a packet capture")).in_input(name));
        }
        let reader = CaptureReader::open(input.into_reader()).map_err(|error| error.in_input(&name))?;
        self.progress.begin(bytes.clone());
        self.meter.table.begin_source(&name, format);
        self.current = Some(Current { name, bytes, reader });
        Ok(())
    }

    /// Reads until a batch of flows has ended or the input is over.
    fn fill(&mut self) {
        while self.meter.ended.len() < BATCH_ROWS && !self.drained {
            let Some(current) = &mut self.current else {
                match self.open_next() {
                    Ok(true) => continue,
                    Ok(false) => self.drain(),
                    Err(error) => self.stats.problems.push_input(error),
                }
                continue;
            };
            match current.reader.read_frames(|frame| self.meter.take(&frame)) {
                Ok(true) => {}
                Ok(false) => self.end_current(),
                Err(error) => {
                    let frames = current.reader.frames();
                    let error = error.in_input(&current.name).at(Position::Frame(frames + 1));
                    self.end_current();
                    self.stats.problems.push_input(error);
                }
            }
        }
    }

    fn end_current(&mut self) {
        if let Some(current) = self.current.take() {
            self.stats.frames += current.reader.frames();
            self.stats.bytes += current.bytes.get();
            self.progress.end(current.bytes.get());
        }
    }

    fn drain(&mut self) {
        self.drained = !self.meter.table.drain(&mut self.meter.ended);
    }
}

impl Meter {
    fn take(&mut self, frame: &Frame<'_>) {
        match decode(frame.link, frame.wire_len, frame.data) {
            Ok(packet) => {
                self.used += 1;
                self.table.observe(frame.time.as_nanos(), &packet, &mut self.ended);
            }
            Err(reason) => *self.skipped.entry(reason).or_default() += 1,
        }
    }
}

impl FlowSource for Converter {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.fill();
        std::mem::swap(batch, &mut self.meter.ended);
        self.meter.ended.clear();
        if let Some(ident) = &self.ident {
            batch.fill_text(Field::Ident, ident);
        }
        self.stats.records += batch.len() as u64;
        self.stats.flows = self.stats.records;
        Ok(!batch.is_empty())
    }

    fn stats(&self) -> SourceStats {
        let mut stats = self.stats.clone();
        if let Some(current) = &self.current {
            stats.frames += current.reader.frames();
            stats.bytes += current.bytes.get();
        }
        stats.frames_used = self.meter.used;
        stats.frames_skipped =
            self.meter.skipped.iter().map(|(skip, count)| (skip.to_string(), *count)).collect();
        stats
    }
}

/// Lets [`flowcore::OpenOptions`] read captures like any other format, each metered on its own.
pub fn capture_opener(options: MeterOptions) -> CaptureOpener {
    Arc::new(move |input| Ok(Box::new(SingleCapture(Converter::from_input(input, &options)?))))
}

/// A converter below an opener that counts bytes itself.
struct SingleCapture(Converter);

impl FlowSource for SingleCapture {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.0.read_batch(batch)
    }

    fn stats(&self) -> SourceStats {
        SourceStats { bytes: 0, ..self.0.stats() }
    }
}
