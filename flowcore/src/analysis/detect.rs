//! All detectors at once, each with its own options.

use super::{
    BeaconOptions, BruteForceOptions, Connection, DnsTunnelOptions, ExfiltrationOptions, Finding,
    FloodOptions, Hosts, LongConnectionOptions, ScanOptions, UnusualPortOptions, beacons, brute_force,
    dns_tunnels, exfiltration, floods, host_scans, long_connections, port_scans, unusual_ports,
};

/// The thresholds of all detectors.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DetectorOptions {
    /// Data that left.
    pub exfiltration: ExfiltrationOptions,
    /// Data inside of name queries.
    pub dns_tunnel: DnsTunnelOptions,
    /// Guessed passwords.
    pub brute_force: BruteForceOptions,
    /// Calls at regular times.
    pub beacon: BeaconOptions,
    /// Services without a registered name.
    pub unusual_port: UnusualPortOptions,
    /// Connections of hours.
    pub long_connection: LongConnectionOptions,
    /// Ports and hosts that were tried.
    pub scan: ScanOptions,
    /// More than a service can answer.
    pub flood: FloodOptions,
}

/// What all detectors find, in the order of [`Detector::ALL`](super::Detector::ALL), and of each what is gravest first.
/// `internal` are the hosts of one's own network; what those that are `allowed` do is as it should be.
///
/// ```
/// use flowcore::analysis::{DetectorOptions, Hosts, findings};
/// let (internal, allowed) = (Hosts::internal(), Hosts::new([]));
/// assert!(findings(&[], &DetectorOptions::default(), &internal, &allowed).is_empty());
/// ```
pub fn findings(
    connections: &[Connection],
    options: &DetectorOptions,
    internal: &Hosts,
    allowed: &Hosts,
) -> Vec<Finding> {
    let mut found = exfiltration(connections, &options.exfiltration, internal, allowed);
    found.extend(dns_tunnels(connections, &options.dns_tunnel, allowed));
    found.extend(brute_force(connections, &options.brute_force, allowed));
    found.extend(beacons(connections, &options.beacon, internal, allowed));
    found.extend(unusual_ports(connections, &options.unusual_port, internal, allowed));
    found.extend(long_connections(connections, &options.long_connection, internal, allowed));
    found.extend(port_scans(connections, &options.scan, allowed));
    found.extend(host_scans(connections, &options.scan, allowed));
    found.extend(floods(connections, &options.flood, allowed));
    found.sort_by_key(|one| one.detector);
    found
}
