//! The last line of the summary: what a run took, in nfdump's layout.

use std::io::{self, Write};
use std::time::Duration;

/// Time that a run took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Of reading the records and doing what was to be done with each.
    reading: Duration,
    /// Of all, from opening the inputs on.
    total: Duration,
    processor: Option<Processor>,
}

/// Time that the processors worked for this program, all threads together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Processor {
    system: Duration,
    user: Duration,
}

impl Times {
    /// These times by the clock, and those of the processors up to now where the system tells them.
    pub fn new(reading: Duration, total: Duration) -> Self {
        let stat = std::fs::read_to_string("/proc/self/stat").ok();
        Self { reading, total, processor: stat.as_deref().and_then(Processor::parse) }
    }

    /// Prints the line for so many records.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn print(&self, records: u64, out: &mut dyn Write) -> io::Result<()> {
        if let Some(Processor { system, user }) = self.processor {
            write!(out, "Sys: {:.4}s User: {:.4}s ", system.as_secs_f64(), user.as_secs_f64())?;
        }
        let secs = self.reading.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = if secs > 0.0 { records as f64 / secs } else { 0.0 };
        writeln!(out, "Wall: {secs:.4}s flows/second: {rate:.1} Runtime: {:.4}s", self.total.as_secs_f64())
    }
}

impl Processor {
    /// Reads Linux's `/proc/self/stat` (proc_pid_stat(5)): the times are the values 14 and 15, in ticks.
    fn parse(stat: &str) -> Option<Self> {
        // The second value is the program's name in brackets, which may hold anything.
        let (_, from_third) = stat.rsplit_once(')')?;
        let mut values = from_third.split_whitespace().skip(14 - 3);
        let mut time = || Some(Duration::from_millis(values.next()?.parse::<u64>().ok()?.checked_mul(TICK)?));
        let user = time()?;
        Some(Self { user, system: time()? })
    }
}

/// Milliseconds of a tick: Linux tells programs of 100 a second, whatever the kernel itself counts (`USER_HZ`).
const TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 123 45 0 0 20 0 1";

    fn line(processor: Option<Processor>) -> String {
        let times =
            Times { reading: Duration::from_millis(500), total: Duration::from_millis(625), processor };
        let mut out = Vec::new();
        times.print(1000, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_line_is_nfdumps() {
        let shown = "Sys: 0.4500s User: 1.2300s Wall: 0.5000s flows/second: 2000.0 Runtime: 0.6250s\n";
        assert_eq!(line(Processor::parse(STAT)), shown);
        assert_eq!(line(None), "Wall: 0.5000s flows/second: 2000.0 Runtime: 0.6250s\n");
    }

    #[test]
    fn no_text_of_the_system_is_trusted() {
        for stat in [
            "",
            "42",
            "42 (a",
            "42 (a) R 1 2",
            "1 (a) R 1 2 3 4 5 6 7 8 9 10 x 45",
            &STAT.replace("123", "18446744073709551615"),
        ] {
            assert_eq!(Processor::parse(stat), None, "{stat}");
        }
    }
}
