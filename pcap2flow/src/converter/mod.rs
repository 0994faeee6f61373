//! Captures as a source of flows: reading, decoding and metering joined.
//!
//! ```text
//! files -> intake (frames -> sieve: decode, filter, duplicates) -> chunks -> meter (flow table) -> flows -> batches
//!          `--------------- a thread, -W 3 ------------------'            `-- a thread, -W 2 --'  `- one, -W 4 -'
//! ```

mod chunk;
mod intake;
mod meter;
mod sieve;
mod stopper;
mod threads;

use std::path::Path;
use std::sync::Arc;

use flowcore::{CaptureOpener, FlowBatch, FlowSource, Input, Progress, Result, SourceStats};

use crate::options::MeterOptions;
use crate::table::FlowTable;
pub use intake::InputAccount;
use intake::Intake;
use meter::{Direct, Exporter, Metering};
pub use stopper::Stopper;
use threads::{MeterThread, PacketThread, RecordThread};

/// Turns one or several captures into bidirectional flows.
///
/// The captures are read one after the other into the same flow table, so a capture that was split into several
/// files gives the same flows as the whole one. Everything happens in the calling thread; see
/// [`on_threads`](Self::on_threads) for more.
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
pub struct Converter(Direct);

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
        let paths = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
        Ok(Self::new(Intake::open_all(paths, options)?, options))
    }

    /// Meters an input that is open already.
    ///
    /// # Errors
    /// When it is no capture, or its header is damaged.
    pub fn from_input(input: Input, options: &MeterOptions) -> Result<Self> {
        Ok(Self::new(Intake::from_input(input, options)?, options))
    }

    /// How far reading has come.
    pub fn progress(&self) -> Progress {
        self.0.metering.packets.progress()
    }

    /// Calls `watcher` with the account of each capture when it has been read.
    pub fn watch_inputs(&mut self, watcher: impl FnMut(&InputAccount) + Send + 'static) {
        self.0.metering.packets.watch(watcher);
    }

    /// Reads no further once this stopper says so.
    pub fn stop_on(&mut self, stopper: Stopper) {
        self.0.metering.packets.stop_on(stopper);
    }

    /// Hands flows out so many at a time, at least one, instead of [`BATCH_ROWS`](flowcore::BATCH_ROWS). A block of a
    /// [`FlowWriter`](flowcore::FlowWriter) has 65,536 rows, and a batch as large need not be copied there.
    #[must_use]
    pub fn in_batches_of(self, rows: usize) -> Self {
        let Direct { metering, exporter } = self.0;
        Self(Direct { metering, exporter: exporter.with_rows(rows.max(1)) })
    }

    /// Spreads the work over threads: with two, metering goes on in one of its own while the caller makes records of the
    /// flows and does something with them; with three, reading and decoding has one too; with four or more, so has making
    /// records. Flows and statistics are the same for any number, and so is their order; before the end, statistics may be ahead of the flows that were handed out.
    ///
    /// Threads end when the source is dropped, at the latest after the input's next bytes.
    pub fn on_threads(self, threads: usize) -> Box<dyn FlowSource> {
        let Direct { metering, exporter } = self.0;
        match threads {
            0 | 1 => Box::new(Direct { metering, exporter }),
            2 => Box::new(MeterThread::start(metering, exporter)),
            3 => Box::new(MeterThread::start(metering.map_packets(PacketThread::start), exporter)),
            _ => {
                let flows = MeterThread::start(metering.map_packets(PacketThread::start), exporter);
                Box::new(RecordThread::start(flows))
            }
        }
    }

    fn new(intake: Intake, options: &MeterOptions) -> Self {
        let table = FlowTable::tagged(options, intake.tagger().clone());
        Self(Direct { metering: Metering::new(intake, table), exporter: Exporter::new(options) })
    }
}

impl FlowSource for Converter {
    fn read_batch(&mut self, batch: &mut FlowBatch) -> Result<bool> {
        self.0.read_batch(batch)
    }

    fn stats(&self) -> SourceStats {
        self.0.stats()
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

#[cfg(test)]
mod tests;
