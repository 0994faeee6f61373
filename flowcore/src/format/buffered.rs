//! Bytes of a stream, read ahead into a buffer that is as large as the stream makes use of.
//!
//! Archives of cloud logs are many small files: room for large reads would have to be made, and filled with zeros, for
//! every one of them, which takes as long as decompressing them.

use std::io::{self, BufRead, Read};

/// Bytes asked for at first.
const SMALLEST: usize = 16 * 1024;
/// Bytes asked for at a time in the end: large reads, still inside a core's cache.
const LARGEST: usize = 256 * 1024;

/// A stream and what was read of it ahead.
pub(super) struct Buffered<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Buffered<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: vec![0; SMALLEST], start: 0, end: 0 }
    }
}

impl<R: Read> BufRead for Buffered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            // A read that filled the buffer is followed by larger ones.
            if self.end == self.buffer.len() && self.end < LARGEST {
                self.buffer.resize(self.end * 4, 0);
            }
            (self.start, self.end) = (0, 0);
            self.end = self.input.read(&mut self.buffer)?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.end.min(self.start + amount);
    }
}

impl<R: Read> Read for Buffered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_comes_out_as_it_went_in_and_the_buffer_grows_with_it() {
        for (len, room) in [(0, SMALLEST), (9, SMALLEST), (SMALLEST, 4 * SMALLEST), (5 << 20, LARGEST)] {
            let data: Vec<u8> = (0..len).map(|at| ((at * at) >> 7) as u8).collect();
            let mut buffered = Buffered::new(&data[..]);
            let mut out = Vec::new();
            buffered.read_to_end(&mut out).unwrap();
            assert!(out == data, "{len}");
            assert_eq!(buffered.buffer.len(), room, "{len}");
        }
    }
}
