//! When a flow is over, and why it is then.

use flowcore::{EndReason, NANOS_PER_SEC};

use super::fragment::WAIT;

/// Time after the end of a TCP connection in which the last ACK and retransmissions still belong to it.
pub(super) const LINGER: i64 = 5 * NANOS_PER_SEC;

/// How far behind the table's clock a packet may come and still be counted as if it had come in time.
pub(super) const REORDER: i64 = 10 * NANOS_PER_SEC;

/// What decides when a flow is over. Times are in nanoseconds since 1970 UTC.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlook {
    /// Of the latest packet.
    pub(super) last: i64,
    /// When FIN had been seen both ways, or RST.
    pub(super) closed: Option<i64>,
    /// Whether fragments whose first one never came belong to the flow.
    pub(super) takes_orphans: bool,
}

impl Outlook {
    /// The moment at which the flow is over if no further packet comes.
    pub(super) fn deadline(&self, idle: i64) -> i64 {
        match self.closed {
            Some(closed) => closed.saturating_add(LINGER.min(idle)),
            None => self.last.saturating_add(idle),
        }
    }

    /// The moment of the table's clock from which no packet that comes within the tolerance can belong to the flow,
    /// nor one that waited as a fragment: behind one datagram that came early, it waits the tolerance twice.
    pub(super) fn settled(&self, idle: i64) -> i64 {
        let delay = if self.takes_orphans { WAIT + 2 * REORDER } else { REORDER };
        self.deadline(idle).saturating_add(delay)
    }

    /// Why the flow ended when it was not the active timeout.
    pub(super) fn natural_end(&self) -> EndReason {
        if self.closed.is_some() { EndReason::EndOfFlow } else { EndReason::IdleTimeout }
    }

    /// Why the flow ended when it was ended at `now` for another `reason`, unless it was over by itself.
    pub(super) fn end_at(&self, now: i64, idle: i64, reason: EndReason) -> EndReason {
        let is_over = self.closed.is_some() || self.deadline(idle) <= now;
        if is_over { self.natural_end() } else { reason }
    }
}
