//! What signals do: the first of SIGINT, SIGTERM and SIGHUP ends reading and lets what was read be written, a second
//! one removes unfinished files and ends the program. Elsewhere than on Unix the system's own habit stays.

use flowcore::Result;
use pcap2flow::Stopper;

use crate::run::SharedTarget;

/// Handles signals from now on, in a thread of its own. One that is ignored already, as `nohup` does, stays so.
#[cfg(unix)]
pub(crate) fn handle(stopper: Stopper, target: SharedTarget) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let ignored = ignored();
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = signal_hook::iterator::Signals::new(wanted)?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            if !stopper.stop("by a signal") {
                target.abandon();
                std::process::exit(2);
            }
        }
    });
    Ok(())
}

/// Signals that the process ignores, the lowest bit for number 1; none where the system does not tell.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(not(unix))]
pub(crate) fn handle(_: Stopper, _: SharedTarget) -> Result<()> {
    Ok(())
}
