//! How packets become flows: the options that change what is in a record.

use std::time::Duration;

use flowcore::{Error, Result};

/// Options of metering.
///
/// ```
/// use pcap2flow::MeterOptions;
/// let options = MeterOptions::default().timeouts("120,15")?;
/// assert_eq!(options.idle_timeout.as_secs(), 15);
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterOptions {
    /// A flow that lasts this long ends and goes on in another record (IPFIX "active timeout").
    pub active_timeout: Duration,
    /// A flow without a packet for this long has ended (IPFIX "idle timeout").
    pub idle_timeout: Duration,
    /// Name of the recording, kept in the `ident` field of every flow.
    pub ident: Option<String>,
}

impl Default for MeterOptions {
    /// 300 seconds active, 60 seconds idle, as `nfpcapd`.
    fn default() -> Self {
        Self { active_timeout: Duration::from_secs(300), idle_timeout: Duration::from_secs(60), ident: None }
    }
}

impl MeterOptions {
    /// The same options with timeouts as `nfpcapd -e` takes them: `ACTIVE,IDLE` in seconds, 1 to 3600 each.
    ///
    /// # Errors
    /// When the text is of another form or a number out of range.
    pub fn timeouts(mut self, text: &str) -> Result<Self> {
        let wrong = || {
            let advice = "write ACTIVE,IDLE in seconds, 1 to 3600 each, such as 300,60";
            Error::argument(format!("-e {text}: {advice}"))
        };
        let (active, idle) = text.split_once(',').ok_or_else(wrong)?;
        let seconds = |text: &str| {
            let seconds = text.trim().parse().ok().filter(|seconds| (1..=3600).contains(seconds));
            seconds.map(Duration::from_secs).ok_or_else(wrong)
        };
        self.active_timeout = seconds(active)?;
        self.idle_timeout = seconds(idle)?;
        Ok(self)
    }

    pub(crate) fn active_timeout_nanos(&self) -> i64 {
        nanos(self.active_timeout)
    }

    pub(crate) fn idle_timeout_nanos(&self) -> i64 {
        nanos(self.idle_timeout)
    }
}

/// At least one nanosecond, so that a flow has room for its first packet.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_checked() {
        for text in ["", "300", "300,", "0,60", "300,3601", "300;60", "300,60,1", "a,b"] {
            let error = MeterOptions::default().timeouts(text).unwrap_err();
            assert!(error.to_string().contains("ACTIVE,IDLE"), "{text}");
        }
    }
}
