//! How packets become flows: the options that change what is in a record.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use flowcore::{Error, Filter, Result};

/// Options of metering.
///
/// ```
/// use pcap2flow::MeterOptions;
/// let options = MeterOptions::default().timeouts("120,15")?;
/// assert_eq!(options.idle_timeout.as_secs(), 15);
/// # Ok::<(), flowcore::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MeterOptions {
    /// A flow that lasts this long ends and goes on in another record (IPFIX "active timeout").
    pub active_timeout: Duration,
    /// A flow without a packet for this long has ended (IPFIX "idle timeout").
    pub idle_timeout: Duration,
    /// Name of the recording, kept in the `ident` field of every flow.
    pub ident: Option<String>,
    /// Which packet is metered where packets carry packets.
    pub tunnels: TunnelMode,
    /// What packets of a flow have in common beside the 5-tuple.
    pub key: KeyParts,
    /// One record per direction, as `nfpcapd`, instead of one per flow.
    pub uniflow: bool,
    /// Measure latency, retransmissions and reordering of TCP, as `nfpcapd -o fat`.
    pub tcp_quality: bool,
    /// Keep this many bytes of the first payload of each direction, as `nfpcapd -o payload`; 0 keeps none.
    pub payload_bytes: u32,
    /// Flows that are open at a time; one more ends the one that has been idle longest, for the reason "lack of
    /// resources".
    pub max_flows: usize,
    /// Leave out packets that were captured twice.
    pub duplicates: Option<DuplicateWindow>,
    /// Look at no more than this many bytes of a frame, as if the capture had been made with `tcpdump -s`.
    pub snap_length: Option<u32>,
    /// Meter only packets that match, each held against the filter as a flow of its own. Opening a capture fails for a
    /// filter about what no packet has; see [`check_packet_filter`](crate::check_packet_filter).
    pub packet_filter: Option<Arc<Filter>>,
}

/// Which packet is metered where packets carry packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TunnelMode {
    /// The innermost one that can be read; the outermost tunnel is kept in the record.
    #[default]
    Inner,
    /// The outermost one.
    Outer,
}

/// What packets of a flow have in common beside addresses, ports and protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyParts {
    /// The innermost VLAN identifier.
    pub vlan: bool,
    /// Both MAC addresses.
    pub mac: bool,
    /// The outermost tunnel.
    pub tunnel: bool,
}

/// How far apart two equal packets are duplicates of one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateWindow {
    /// A packet is held against this many packets before it that were no duplicates.
    pub packets: usize,
    /// A packet is held against packets that are no more than this much older.
    pub time: Duration,
}

impl Default for MeterOptions {
    /// 300 seconds active, 60 seconds idle, as `nfpcapd`; innermost packets; two million open flows.
    fn default() -> Self {
        Self {
            active_timeout: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(60),
            ident: None,
            tunnels: TunnelMode::default(),
            key: KeyParts::default(),
            uniflow: false,
            tcp_quality: false,
            payload_bytes: 0,
            max_flows: DEFAULT_MAX_FLOWS,
            duplicates: None,
            snap_length: None,
            packet_filter: None,
        }
    }
}

impl Default for DuplicateWindow {
    /// The eight packets before, as `nfpcapd`, and 100 milliseconds: a mirror port's copies come within
    /// microseconds, TCP repeats after 200 milliseconds at the earliest (RFC 6298 leaves the lower bound to systems;
    /// Linux uses that).
    fn default() -> Self {
        Self { packets: 8, time: Duration::from_millis(100) }
    }
}

impl FromStr for TunnelMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "inner" => Ok(Self::Inner),
            "outer" => Ok(Self::Outer),
            _ => Err(Error::argument(format!("--tunnel {text}: expected inner or outer"))),
        }
    }
}

impl FromStr for KeyParts {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match part.trim() {
                "vlan" => parts.vlan = true,
                "mac" => parts.mac = true,
                "tunnel" => parts.tunnel = true,
                _ => {
                    let advice = "expected vlan, mac and tunnel, with commas between them";
                    return Err(Error::argument(format!("--key {part}: {advice}")));
                }
            }
        }
        Ok(parts)
    }
}

/// Flows that are open at a time unless the options say otherwise.
const DEFAULT_MAX_FLOWS: usize = 2_000_000;

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
