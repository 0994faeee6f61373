//! One capture through the `pcap2flow` library, and the sums of what comes out.

use std::io;
use std::path::Path;

use flowcore::{Field, Flow, FlowBatch, FlowSource, SourceStats};
use pcap2flow::{Converter, MeterOptions, TunnelMode};

use super::model;

/// What we count in a capture, each packet by its outermost IP header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metered {
    /// Frames.
    pub frames: u64,
    /// Frames whose packet is in a flow.
    pub used: u64,
    /// Frames that are skipped for a reason.
    pub skipped: u64,
    /// Packets in flows.
    pub packets: u64,
    /// Bytes in flows.
    pub bytes: u64,
    /// Flow records.
    pub flows: u64,
    /// What `nfdump -b` would make of nfpcapd's records, had it counted every packet.
    pub biflows: u64,
}

impl Metered {
    /// Meters a capture.
    ///
    /// # Errors
    /// When it cannot be read or is no capture.
    pub fn of(path: &Path) -> io::Result<Self> {
        let (outer, stats) = flows(path, TunnelMode::Outer)?;
        let (inner, _) = flows(path, TunnelMode::Inner)?;
        let sum = |field: Field| outer.iter().filter_map(|flow| flow.get(field).number()).sum();
        Ok(Self {
            frames: stats.frames,
            used: stats.frames_used,
            skipped: stats.skipped(),
            packets: sum(Field::Packets),
            bytes: sum(Field::Bytes),
            flows: outer.len() as u64,
            biflows: model::biflows(&outer, &inner),
        })
    }
}

fn flows(path: &Path, tunnels: TunnelMode) -> io::Result<(Vec<Flow>, SourceStats)> {
    let options = MeterOptions { tunnels, ..MeterOptions::default() };
    let mut converter = Converter::open(path, &options).map_err(io::Error::other)?;
    let (mut flows, mut batch) = (Vec::new(), FlowBatch::new());
    while converter.read_batch(&mut batch).map_err(io::Error::other)? {
        flows.extend((0..batch.len()).map(|row| batch.flow(row)));
    }
    Ok((flows, converter.stats()))
}
