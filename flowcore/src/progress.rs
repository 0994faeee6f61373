//! How far a long run has come, and a line on stderr that says so.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::input::ByteCount;

/// How far reading has come, for another thread to look at.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    finished: Arc<AtomicU64>,
    current: Arc<Mutex<ByteCount>>,
    total: Arc<AtomicU64>,
}

impl Progress {
    /// Bytes read, before decompression.
    pub fn done(&self) -> u64 {
        let current = self.current.lock().map_or(0, |count| count.get());
        self.finished.load(Ordering::Relaxed) + current
    }

    /// Bytes of all inputs whose size is known.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Announces bytes that will be read.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// An input begins whose bytes are counted there.
    pub fn begin(&self, count: ByteCount) {
        if let Ok(mut current) = self.current.lock() {
            *current = count;
        }
    }

    /// The input that began last has ended after so many bytes.
    pub fn end(&self, bytes: u64) {
        self.begin(ByteCount::default());
        self.finished.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Shows progress on stderr until it is dropped; runs shorter than a second show nothing.
#[derive(Debug)]
pub struct ProgressLine {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

const QUIET_FOR: Duration = Duration::from_secs(1);
const INTERVAL: Duration = Duration::from_millis(200);

impl ProgressLine {
    /// Starts showing, after a second.
    pub fn start(progress: Progress) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let watched = Arc::clone(&done);
        let thread = std::thread::spawn(move || show(&progress, &watched));
        Self { done, thread: Some(thread) }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

fn show(progress: &Progress, done: &AtomicBool) {
    let start = Instant::now();
    let mut shown = false;
    while !done.load(Ordering::Relaxed) {
        std::thread::park_timeout(INTERVAL);
        if start.elapsed() >= QUIET_FOR && !done.load(Ordering::Relaxed) {
            let line = describe(progress.done(), progress.total(), start.elapsed());
            drop(write!(std::io::stderr(), "\r\x1b[K{line}"));
            shown = true;
        }
    }
    if shown {
        drop(write!(std::io::stderr(), "\r\x1b[K"));
    }
}

fn describe(done: u64, total: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let rate = done.saturating_mul(1000) / millis;
    let left = total.saturating_sub(done).checked_div(rate).filter(|_| total > done);
    let left = left.map_or(String::new(), |secs| format!(", {secs} s left"));
    let of =
        if total >= done && total > 0 { format!(" of {}", readable_bytes(total)) } else { String::new() };
    format!("read {}{of}, {}/s{left}", readable_bytes(done), readable_bytes(rate))
}

/// A number of bytes for people, in powers of 1000.
///
/// ```
/// assert_eq!(flowcore::readable_bytes(4_120_000), "4.1 MB");
/// ```
pub fn readable_bytes(count: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let value = count as f64;
    match count {
        0..1_000 => format!("{count} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_follows_from_the_rate() {
        let text = describe(2_000_000, 10_000_000, Duration::from_secs(2));
        assert_eq!(text, "read 2.0 MB of 10.0 MB, 1.0 MB/s, 8 s left");
        assert_eq!(describe(5, 0, Duration::from_secs(1)), "read 5 bytes, 5 bytes/s");
    }
}
