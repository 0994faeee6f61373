//! A conversion from beginning to end: captures in, files and reports out.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use flowcore::format::flow::FlowFileWriter;
use flowcore::format::nfdump::Dropped;
use flowcore::{Error, Field, FileOptions, FlowBatch, FlowSource, FlowWriter, ProgressLine, Result};
use pcap2flow::{Converter, InputAccount, Stopper};

use crate::args::{Output, Plan, StatsFormat};
use crate::report::{self, Summary};
use crate::rotate::{RotatingWriter, Written};
use crate::signals;

/// Converts as planned; whether everything could be read.
pub(crate) fn run(plan: &Plan) -> Result<bool> {
    let target = SharedTarget::default();
    let stopper = Stopper::default();
    // Before the captures are opened: with stdin, that waits for the first bytes.
    signals::handle(stopper.clone(), target.clone())?;
    let mut converter = Converter::open_all(&plan.inputs, &plan.meter)?;
    converter.stop_on(stopper);
    let inputs = watch_inputs(&mut converter, plan.verbosity);
    let progress = plan.progress.then(|| ProgressLine::start(converter.progress()));
    let mut source = converter.in_batches_of(BLOCK_ROWS).on_threads(plan.threads);
    let converted = convert(plan, &mut *source, &target);
    drop(progress);
    let stats = source.stats();
    // Problems come first: what is printed after them may find nobody to read it. stderr may be closed as well; the
    // exit code says it too.
    drop(stats.problems.report("pcap2flow", &mut io::stderr()));
    let all_read = stats.problems.is_empty();
    let Converted { written, dropped, packets, bytes } = match converted {
        // Whoever reads the flows has seen enough.
        Err(error) if error.is_broken_pipe() && flows_go_to_stdout(plan) => return Ok(all_read),
        converted => converted?,
    };
    let inputs = std::mem::take(&mut *inputs.lock().unwrap_or_else(PoisonError::into_inner));
    if !plan.quiet && !dropped.is_empty() {
        drop(writeln!(io::stderr(), "pcap2flow: {dropped}"));
    }
    report(plan, &Summary { stats, inputs, packets, bytes }, &written)?;
    Ok(all_read)
}

/// Rows of a block of the files that are written.
const BLOCK_ROWS: usize = 65_536;

/// Notes every capture that was read, and says so where that is asked for.
fn watch_inputs(converter: &mut Converter, verbosity: u8) -> Arc<Mutex<Vec<InputAccount>>> {
    let inputs = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&inputs);
    converter.watch_inputs(move |input| {
        if verbosity > 0 {
            drop(report::print_input(input, verbosity, &mut io::stderr()));
        }
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(input.clone());
    });
    inputs
}

/// What came of the flows.
struct Converted {
    written: Vec<Written>,
    /// What the files have no place for.
    dropped: Dropped,
    packets: u64,
    bytes: u64,
}

fn convert(plan: &Plan, source: &mut dyn FlowSource, target: &SharedTarget) -> Result<Converted> {
    target.open(plan)?;
    let (mut batch, mut packets, mut bytes) = (FlowBatch::new(), 0, 0);
    while source.read_batch(&mut batch)? {
        packets += total(&batch, Field::InPackets) + total(&batch, Field::OutPackets);
        bytes += total(&batch, Field::InBytes) + total(&batch, Field::OutBytes);
        target.take_batch(&mut batch)?;
    }
    let (written, dropped) = target.finish()?;
    Ok(Converted { written, dropped, packets, bytes })
}

fn total(batch: &FlowBatch, field: Field) -> u64 {
    // Rows without a value hold 0.
    batch.numbers(field).map_or(0, |column| column.values().iter().sum())
}

/// The target, which a second signal takes away. It is locked only while it is written to.
#[derive(Clone, Default)]
pub(crate) struct SharedTarget(Arc<Mutex<Option<Target>>>);

impl SharedTarget {
    /// Drops the target, whose files are removed by that. Gives up while something is being written for long: a pipe
    /// that nobody reads from would keep the program for ever.
    pub(crate) fn abandon(&self) {
        for _ in 0..ABANDON_TRIES {
            match self.0.try_lock() {
                Ok(mut target) => return drop(target.take()),
                Err(TryLockError::Poisoned(target)) => return drop(target.into_inner().take()),
                Err(TryLockError::WouldBlock) => std::thread::sleep(ABANDON_PAUSE),
            }
        }
    }

    fn open(&self, plan: &Plan) -> Result<()> {
        *self.lock() = Some(Target::open(plan)?);
        Ok(())
    }

    fn take_batch(&self, batch: &mut FlowBatch) -> Result<()> {
        self.lock().as_mut().map_or_else(|| Err(abandoned()), |target| target.take_batch(batch))
    }

    fn finish(&self) -> Result<(Vec<Written>, Dropped)> {
        let mut target = self.lock();
        target.take().map_or_else(|| Err(abandoned()), Target::finish)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the program would say if it did not end at once.
fn abandoned() -> Error {
    Error::argument("ended by a second signal; nothing is written")
}

/// Five seconds in all.
const ABANDON_TRIES: u32 = 500;
const ABANDON_PAUSE: Duration = Duration::from_millis(10);

/// Where the flows go.
enum Target {
    Stdout(Box<FlowFileWriter<BufWriter<io::Stdout>>>),
    File(Box<FlowWriter>, PathBuf),
    Folder(Box<RotatingWriter>),
}

impl Target {
    fn open(plan: &Plan) -> Result<Self> {
        Ok(match (&plan.output, &plan.format) {
            (Output::Stdout, _) if io::stdout().is_terminal() => {
                let advice = "a flow file is binary and stdout is a terminal; name a file with -w FILE";
                return Err(Error::argument(advice));
            }
            (Output::Stdout, FileOptions::Flow(options)) => {
                let stdout = BufWriter::new(io::stdout());
                Self::Stdout(Box::new(FlowFileWriter::new(stdout, options).map_err(in_stdout)?))
            }
            (Output::Stdout, FileOptions::Nfdump(_)) => {
                let advice = "an nfdump file cannot be written to a pipe, as its beginning is written last";
                return Err(Error::argument(format!("{advice}; name a file or a folder with -w")));
            }
            (Output::File(path), options) => {
                Self::File(Box::new(FlowWriter::create(path, options, plan.overwrite)?), path.clone())
            }
            (Output::Folder { path, slots }, options) => {
                let (slots, options) = (slots.clone(), options.clone());
                let idle = plan.meter.idle_timeout;
                Self::Folder(Box::new(RotatingWriter::create(path, slots, idle, options, plan.overwrite)?))
            }
        })
    }

    fn take_batch(&mut self, batch: &mut FlowBatch) -> Result<()> {
        match self {
            Self::Stdout(writer) => writer.take_batch(batch).map_err(in_stdout),
            Self::File(writer, _) => writer.take_batch(batch),
            Self::Folder(writer) => writer.write_batch(batch),
        }
    }

    /// Completes the output, and says which files it is and what they have no place for.
    fn finish(self) -> Result<(Vec<Written>, Dropped)> {
        match self {
            Self::Stdout(writer) => {
                (*writer).finish().map_err(in_stdout)?;
                Ok((Vec::new(), Dropped::default()))
            }
            Self::File(writer, path) => {
                let dropped = writer.dropped().cloned().unwrap_or_default();
                (*writer).finish()?;
                Ok((vec![Written { path, instead_of: None }], dropped))
            }
            Self::Folder(writer) => writer.finish(),
        }
    }
}

fn in_stdout(error: Error) -> Error {
    error.in_input("stdout")
}

/// The account goes to stdout where that is asked for and the flows do not go there.
fn report(plan: &Plan, summary: &Summary, written: &[Written]) -> Result<()> {
    if !plan.quiet {
        for file in written {
            drop(report::print_written(file, plan.verbosity, &mut io::stderr()));
        }
        if let (Output::Folder { path, .. }, []) = (&plan.output, written) {
            drop(writeln!(io::stderr(), "pcap2flow: no flows, so no file is in {}", path.display()));
        }
    }
    match plan.stats {
        None if plan.quiet => Ok(()),
        None => {
            drop(report::print_line(&summary.stats, &mut io::stderr()));
            Ok(())
        }
        Some(format) if flows_go_to_stdout(plan) => {
            drop(print(format, summary, &mut io::stderr()));
            Ok(())
        }
        Some(format) => report::to_stdout(|out| print(format, summary, out)),
    }
}

fn print(format: StatsFormat, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    match format {
        StatsFormat::Table => report::print_table(summary, out),
        StatsFormat::Json => report::print_json(summary, out),
    }
}

fn flows_go_to_stdout(plan: &Plan) -> bool {
    match &plan.output {
        Output::Stdout => true,
        Output::File(path) => path == std::path::Path::new("/dev/stdout"),
        Output::Folder { .. } => false,
    }
}
