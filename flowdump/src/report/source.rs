//! One input of a case, read once: what its rows say of the subject, and of hosts it may have gone on to.

use std::collections::BTreeSet;

use flowcore::analysis::{
    Activity, Connection, DetectorOptions, Hop, Link, Outcomes, Period, Role, Service, Traffic, activity,
    findings, hops, hops_of_victims, periods, reached, services,
};
use flowcore::{Result, SourceStats};

use super::found::Found;
use super::input::Input;
use super::reading::{Read, Reader};
use crate::args::Case;
use crate::print::Summary;

/// A pause of more seconds than this ends a period of activity.
pub(super) const PAUSE: u32 = 1800;

/// Intervals of a chart at most.
const MOST_BARS: usize = 40;

/// What an input says.
pub(super) struct Source {
    pub(super) input: Input,
    pub(super) stats: SourceStats,
    /// Rows of the subject, copies among them.
    pub(super) rows: Summary,
    /// Connections of the subject, copies counted once.
    pub(super) connections: Vec<Connection>,
    pub(super) outcomes: Outcomes,
    /// Of both ways.
    pub(super) traffic: Traffic,
    pub(super) periods: Vec<Period>,
    pub(super) activity: Activity,
    pub(super) services: Vec<Service>,
    pub(super) reached: Vec<Link>,
    pub(super) hops: Vec<Hop>,
    pub(super) found: Vec<Found>,
}

impl Source {
    /// Reads all of an input.
    ///
    /// # Errors
    /// When it cannot be opened, or has more rows to be joined than can be held.
    pub(super) fn read(case: &Case, input: Input) -> Result<Self> {
        let Read { connections: all, rows, stats } = reader(case).read(&input.paths)?;
        let own: Vec<Connection> =
            all.iter().filter(|one| Role::of(one, &case.subject).is_some()).copied().collect();
        let services = services(&own, &case.subject);
        let found = findings(&own, &DetectorOptions::default(), &case.internal, &case.allowed);
        Ok(Self {
            input,
            stats,
            rows,
            outcomes: services.iter().fold(Outcomes::default(), |sum, one| sum.and(one.outcomes)),
            traffic: services
                .iter()
                .fold(Traffic::default(), |sum, one| sum.and(one.forward).and(one.reverse)),
            periods: periods(&own, PAUSE),
            activity: activity(&own, MOST_BARS),
            reached: reached(&own, &case.subject),
            hops: all_hops(case, &all),
            found: Found::all(found, &own),
            services,
            connections: own,
        })
    }
}

/// Hops from what the hosts of interest reached, and from the victims.
fn all_hops(case: &Case, connections: &[Connection]) -> Vec<Hop> {
    let mut found = hops(connections, &case.subject, &case.internal);
    let of_victims = hops_of_victims(connections, &case.victims, &case.internal);
    let service = |hop: &Hop| (hop.link.from, hop.link.to, hop.link.protocol, hop.link.port);
    let known: BTreeSet<_> = found.iter().map(service).collect();
    found.extend(of_victims.into_iter().filter(|hop| !known.contains(&service(hop))));
    found.sort_by_key(|hop| (hop.link.first, hop.depth, service(hop)));
    found
}

/// Reads rows of the subject, and those that could be hops.
pub(super) fn reader(case: &Case) -> Reader<'_> {
    Reader {
        command: "investigate",
        counted: &case.filter,
        wanted: &case.wider,
        period: case.period,
        meter: &case.meter,
        memory: case.memory,
    }
}
