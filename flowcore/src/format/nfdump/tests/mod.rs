//! Files built by hand, read whole, cut and damaged.

mod builder;
mod damage;
mod fields;
mod files;

use std::io::Cursor;

use super::NfdumpReader;
use crate::batch::FlowBatch;
use crate::error::Result;
use crate::record::Flow;
use crate::source::{FlowSource, ReadRequest, SourceStats};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Stream,
    File,
}

const MODES: [Mode; 2] = [Mode::Stream, Mode::File];

fn open(file: &[u8], mode: Mode, request: &ReadRequest) -> Result<NfdumpReader> {
    let file = Cursor::new(file.to_vec());
    match mode {
        Mode::Stream => NfdumpReader::open(Box::new(file), "a.nf", request),
        Mode::File => NfdumpReader::open_file(file, "a.nf", request),
    }
}

/// All flows of a file and the account of them.
fn read(file: &[u8], mode: Mode, request: &ReadRequest) -> Result<(Vec<Flow>, SourceStats)> {
    let mut reader = open(file, mode, request)?;
    let (mut flows, mut batch) = (Vec::new(), FlowBatch::new());
    while reader.read_batch(&mut batch)? {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    Ok((flows, reader.stats()))
}
