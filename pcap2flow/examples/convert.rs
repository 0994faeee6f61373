//! A capture to a flow file, with an account of every frame.
//!
//! `cargo run --example convert -- testdata/lab/attack.pcap attack.flow`

use std::io::Write;

use flowcore::format::flow::WriterOptions;
use flowcore::{FlowBatch, FlowSource, FlowWriter, Overwrite, Result};
use pcap2flow::{Converter, MeterOptions};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let capture = args.next().unwrap_or_else(|| "testdata/lab/attack.pcap".into());
    let output = args.next().unwrap_or_else(|| "attack.flow".into());

    let mut converter = Converter::open(&capture, &MeterOptions::default())?;
    let mut writer = FlowWriter::create(&output, &WriterOptions::default().into(), Overwrite::No)?;
    let mut batch = FlowBatch::new();
    while converter.read_batch(&mut batch)? {
        writer.write_batch(&batch)?;
    }
    writer.finish()?;

    let stats = converter.stats();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} frames = {} used + {} skipped", stats.frames, stats.frames_used, stats.skipped())?;
    for (reason, count) in &stats.frames_skipped {
        writeln!(out, "  {count} {reason}")?;
    }
    writeln!(out, "{} flows", stats.flows)?;
    Ok(())
}
