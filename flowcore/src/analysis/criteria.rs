//! Which connections a finding is about, as a filter and as a question to a connection.

use std::fmt;

use super::Connection;
use super::crossing::has_ports;
use crate::record::{Addr, Protocol};

/// Connections with the same initiator, responder, protocol and port of the service, as far as these are told.
///
/// It is written as the filter of `flowdump --stitch -P FILTER` that selects them:
///
/// ```
/// use flowcore::analysis::Criteria;
/// use flowcore::Protocol;
/// let criteria =
///     Criteria { src: "192.0.2.1".parse().ok(), dst: None, protocol: Some(Protocol::TCP), port: Some(22) };
/// assert_eq!(criteria.to_string(), "src ip 192.0.2.1 and proto 6 and dst port 22");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Criteria {
    /// Initiator; any, without.
    pub src: Option<Addr>,
    /// Responder; any, without.
    pub dst: Option<Addr>,
    /// IP protocol; any, without.
    pub protocol: Option<Protocol>,
    /// Port of the responder; any, without. Protocols without ports have none.
    pub port: Option<u16>,
}

impl Criteria {
    /// These, without a port where the protocol has none: the type of an ICMP message is told in its place.
    pub(super) fn new(
        src: Option<Addr>,
        dst: Option<Addr>,
        protocol: Option<Protocol>,
        port: Option<u16>,
    ) -> Self {
        let port = port.filter(|_| protocol.is_some_and(has_ports));
        Self { src, dst, protocol, port }
    }

    /// Whether they hold for a connection.
    pub fn matches(&self, one: &Connection) -> bool {
        self.src.is_none_or(|src| src == one.src)
            && self.dst.is_none_or(|dst| dst == one.dst)
            && self.protocol.is_none_or(|protocol| Some(protocol) == one.protocol)
            && self.port.is_none_or(|port| Some(port) == one.dst_port)
    }
}

impl fmt::Display for Criteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [
            self.src.map(|src| format!("src ip {src}")),
            self.dst.map(|dst| format!("dst ip {dst}")),
            self.protocol.map(|protocol| format!("proto {}", protocol.0)),
            self.port.map(|port| format!("dst port {port}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        f.write_str(if parts.is_empty() { "any" } else { "" })?;
        f.write_str(&parts.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::testing::connection;
    use super::*;

    #[test]
    fn what_is_not_told_is_any() {
        let one = connection("192.0.2.1", "10.0.0.5", 22, 0, 1);
        let tcp = Some(Protocol::TCP);
        let (src, dst) = (Some(one.src), Some(one.dst));
        for (criteria, text) in [
            (Criteria::default(), "any"),
            (Criteria::new(src, None, tcp, Some(22)), "src ip 192.0.2.1 and proto 6 and dst port 22"),
            (Criteria::new(None, dst, None, Some(22)), "dst ip 10.0.0.5"),
        ] {
            assert_eq!((criteria.matches(&one), criteria.to_string().as_str()), (true, text));
        }
        for criteria in [
            Criteria::new(dst, None, None, None),
            Criteria::new(None, src, None, None),
            Criteria::new(None, None, Some(Protocol::UDP), None),
            Criteria::new(None, None, tcp, Some(23)),
        ] {
            assert!(!criteria.matches(&one), "{criteria}");
        }
        assert_eq!(Criteria::new(None, None, Some(Protocol::ICMP), Some(2048)).to_string(), "proto 1");
    }
}
