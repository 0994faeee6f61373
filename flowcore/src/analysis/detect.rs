//! All detectors at once, each with its own options.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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
    let detectors: [&(dyn Fn() -> Vec<Finding> + Sync); 9] = [
        &|| exfiltration(connections, &options.exfiltration, internal, allowed),
        &|| dns_tunnels(connections, &options.dns_tunnel, allowed),
        &|| brute_force(connections, &options.brute_force, allowed),
        &|| beacons(connections, &options.beacon, internal, allowed),
        &|| unusual_ports(connections, &options.unusual_port, internal, allowed),
        &|| long_connections(connections, &options.long_connection, internal, allowed),
        &|| port_scans(connections, &options.scan, allowed),
        &|| host_scans(connections, &options.scan, allowed),
        &|| floods(connections, &options.flood, allowed),
    ];
    let mut found = all_of(&detectors);
    // One detector's findings are in its own order.
    found.sort_by_key(|one| one.detector);
    found
}

/// What all of them find; where there are several cores, several work at a time.
fn all_of(detectors: &[&(dyn Fn() -> Vec<Finding> + Sync)]) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = std::iter::from_fn(|| detectors.get(next.fetch_add(1, Ordering::Relaxed)));
        taken.flat_map(|detector| detector()).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get).min(detectors.len());
        // Where no thread can be had, this one does it all.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..cores).filter_map(spawn).collect();
        let mut found = work();
        for other in others {
            match other.join() {
                Ok(more) => found.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        found
    })
}
