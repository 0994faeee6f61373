//! `pcap2flow`: turns packet captures into flow files.

mod args;
mod report;
mod rotate;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use flowcore::format::flow::{FlowFileWriter, WriterOptions};
use flowcore::{Error, FlowBatch, FlowSink, FlowSource, FlowWriter, Result, SourceStats};
use pcap2flow::Converter;

use args::{Flags, Output, Plan};
use rotate::RotatingWriter;

fn main() -> ExitCode {
    match Plan::new(Flags::parse()).and_then(|plan| run(&plan)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Converts as planned; whether everything could be read.
fn run(plan: &Plan) -> Result<bool> {
    let mut converter = Converter::open_all(&plan.inputs, &plan.meter)?;
    let progress = plan.progress.then(|| flowcore::ProgressLine::start(converter.progress()));
    let written = write_all(plan, &mut converter);
    drop(progress);
    written?;
    let stats = converter.stats();
    report(plan, &stats)?;
    // stderr may be closed; the exit code says it too.
    drop(stats.problems.report("pcap2flow", &mut io::stderr()));
    Ok(stats.problems.is_empty())
}

fn write_all(plan: &Plan, converter: &mut Converter) -> Result<()> {
    let options = WriterOptions {
        compression: plan.compression,
        creator: concat!("pcap2flow ", env!("CARGO_PKG_VERSION")).into(),
        ident: plan.meter.ident.clone().unwrap_or_default(),
        ..WriterOptions::default()
    };
    let mut sink: Box<dyn FlowSink> = match &plan.output {
        Output::Stdout if io::stdout().is_terminal() => {
            let advice = "a flow file is binary and stdout is a terminal; name a file with -w FILE";
            return Err(Error::argument(advice));
        }
        Output::Stdout => Box::new(FlowFileWriter::new(BufWriter::new(io::stdout()), &options)?),
        Output::File(path) => Box::new(FlowWriter::create(path, &options, plan.overwrite)?),
        Output::Folder { path, interval } => Box::new(RotatingWriter::create(
            path,
            *interval,
            plan.meter.idle_timeout,
            options,
            plan.overwrite,
        )?),
    };
    let mut batch = FlowBatch::new();
    while converter.read_batch(&mut batch)? {
        sink.write_batch(&batch)?;
    }
    sink.finish()
}

fn report(plan: &Plan, stats: &SourceStats) -> Result<()> {
    match plan.output {
        _ if !plan.stats && plan.quiet => {}
        Output::File(_) | Output::Folder { .. } if plan.stats => {
            report::print_table(stats, &mut io::stdout())?
        }
        _ if plan.stats => report::print_table(stats, &mut io::stderr())?,
        _ => drop(report::print_line(stats, &mut io::stderr())),
    }
    Ok(())
}

fn complain(error: &Error) {
    drop(writeln!(io::stderr(), "pcap2flow: {error}"));
}
