//! Answers out of connections: which services a host touched, and where it went on from there.
//!
//! Everything here looks at [`Connection`]s, which [`Connection::all`] takes out of
//! [joined rows](crate::aggregate::Connections): initiator first, both ways counted apart. Results depend on the
//! connections only, never on the order they came in.

mod activity;
mod beacon;
mod brute_force;
mod connection;
mod correlate;
mod criteria;
mod crossing;
mod detect;
mod dns_tunnel;
mod exfiltration;
mod finding;
mod flood;
mod hops;
mod hosts;
mod lease_flood;
mod long_connection;
mod measures;
mod names;
mod probe;
mod scan;
mod services;
mod unusual_port;

pub use activity::{Activity, ActivityBucket, Period, activity, periods};
pub use beacon::{BeaconOptions, beacons};
pub use brute_force::{BruteForceOptions, brute_force};
pub use connection::{Connection, Traffic};
pub use correlate::{Alone, Correlation, Options as CorrelateOptions, Pair, correlate};
pub use criteria::Criteria;
pub use detect::{DetectorOptions, findings};
pub use dns_tunnel::{DnsTunnelOptions, dns_tunnels};
pub use exfiltration::{ExfiltrationOptions, exfiltration};
pub use finding::{Detector, Finding, Part};
pub use flood::{FloodOptions, floods};
pub use hops::{ADMIN_PORTS, Hop, Link, hops, hops_of_victims, reached};
pub use hosts::{Hosts, Prefix};
pub use long_connection::{LongConnectionOptions, long_connections};
pub use names::service_name;
pub use scan::{ScanOptions, host_scans, port_scans};
pub use services::{Outcomes, Role, Service, services};
pub use unusual_port::{UnusualPortOptions, unusual_ports};
