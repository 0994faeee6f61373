//! Made-up traffic of which is known whether it is an attack: what detectors are measured by.
//!
//! Each detector has its own set: attacks of its kind in many shapes, and look-alikes that are none. Sizes, rates and
//! times are drawn from what such traffic has in practice, wide and overlapping, and not from limits of the detectors.

pub mod beacon;
pub mod brute_force;
pub mod dns_tunnel;
mod everyday;
pub mod exfiltration;
pub mod flood;
pub mod host_scan;
pub mod long_connection;
pub mod port_scan;
mod probes;
pub mod unusual_port;
mod volume;

use crate::rng::Rng;
use flowcore::analysis::Connection;

pub use volume::{ALLOWED, background};

/// Traffic of a while, and whether there is an attack in it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is a case of, as `upload-slow` or `video-call`.
    pub kind: &'static str,
    /// Whether a detector should tell of it.
    pub is_attack: bool,
    /// All connections, in no order.
    pub connections: Vec<Connection>,
}

/// So many cases of each kind, each with everyday traffic around it.
fn draw(seed: &str, count: usize, kinds: &[(&'static str, bool, volume::Draw)]) -> Vec<Case> {
    let mut cases = Vec::new();
    for &(kind, is_attack, fill) in kinds {
        let mut rng = Rng::new(2_026).fork(seed).fork(kind);
        for _ in 0..count {
            let mut scene = volume::Scene::new(&mut rng);
            fill(&mut scene);
            cases.push(Case { kind, is_attack, connections: scene.connections });
        }
    }
    cases
}
