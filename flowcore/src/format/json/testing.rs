//! Reading logs in tests.

use std::io::{self, Read};

use crate::batch::{BATCH_ROWS, FlowBatch};
use crate::record::Flow;
use crate::source::{FlowSource, SourceStats};

/// A stream that comes in pieces of so many bytes.
struct Pieces(io::Cursor<Vec<u8>>, usize);

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(buffer.len());
        self.0.read(&mut buffer[..len])
    }
}

/// Everything of a log, which is the same whatever pieces it comes in.
pub(in super::super) fn read<S: FlowSource>(
    open: impl Fn(Box<dyn Read + Send>) -> S,
    log: &[u8],
) -> (Vec<Flow>, SourceStats) {
    let [whole, pieces] = [usize::MAX, 7].map(|size| {
        let mut reader = open(Box::new(Pieces(io::Cursor::new(log.to_vec()), size)));
        let (mut batch, mut flows) = (FlowBatch::new(), Vec::new());
        while reader.read_batch(&mut batch).unwrap() {
            assert!(batch.len() <= BATCH_ROWS);
            flows.extend((0..batch.len()).map(|row| batch.flow(row)));
        }
        (flows, reader.stats())
    });
    assert_eq!(whole.0, pieces.0);
    assert_eq!(format!("{:?}", whole.1), format!("{:?}", pieces.1));
    whole
}
