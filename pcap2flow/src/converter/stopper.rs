//! Ends a conversion early, from elsewhere.

use std::sync::{Arc, OnceLock};

/// Asks a [`Converter`](super::Converter) to read no further: what was read is metered to its end as if the capture
/// ended there. Clones ask the same converters.
///
/// The converter looks whenever it has used up the bytes it has read, so a read that waits for its input has to come
/// back first. The statistics then hold a problem, which says why reading ended and after how many frames.
///
/// ```no_run
/// use pcap2flow::{Converter, MeterOptions, Stopper};
/// let stopper = Stopper::default();
/// let mut converter = Converter::open("-", &MeterOptions::default())?;
/// converter.stop_on(stopper.clone());
/// std::thread::spawn(move || {
///     std::thread::sleep(std::time::Duration::from_secs(60));
///     stopper.stop("by a timer");
/// });
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<OnceLock<&'static str>>);

impl Stopper {
    /// Asks to stop. `why` stands in the message `stopped {why} after 1071 frames`, such as `by a signal`. Whether
    /// this was the first time; another one changes nothing.
    pub fn stop(&self, why: &'static str) -> bool {
        self.0.set(why).is_ok()
    }

    /// Why reading is to end, if it is.
    pub(super) fn why(&self) -> Option<&'static str> {
        self.0.get().copied()
    }
}
