//! One input of a case, read once: what its rows say of the subject, and of hosts it may have gone on to.

use std::path::{Path, PathBuf};

use flowcore::analysis::{
    Activity, Connection, Hop, Link, Outcomes, Period, Role, Service, Traffic, activity, hops, periods,
    reached, services,
};
use flowcore::{Result, SourceStats};

use super::reading::{Read, Reader};
use crate::args::Case;
use crate::print::Summary;

/// A pause of more seconds than this ends a period of activity.
pub(super) const PAUSE: u32 = 1800;

/// Intervals of a chart at most.
const MOST_BARS: usize = 40;

/// What an input says.
pub(super) struct Source {
    pub(super) input: PathBuf,
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
}

impl Source {
    /// Reads all of an input.
    ///
    /// # Errors
    /// When it cannot be opened, or has more rows to be joined than can be held.
    pub(super) fn read(case: &Case, input: &Path) -> Result<Self> {
        let Read { connections: all, rows, stats } = reader(case).read(input)?;
        let own: Vec<Connection> =
            all.iter().filter(|one| Role::of(one, &case.subject).is_some()).copied().collect();
        let services = services(&own, &case.subject);
        Ok(Self {
            input: input.to_owned(),
            stats,
            rows,
            outcomes: services.iter().fold(Outcomes::default(), |sum, one| sum.and(one.outcomes)),
            traffic: services
                .iter()
                .fold(Traffic::default(), |sum, one| sum.and(one.forward).and(one.reverse)),
            periods: periods(&own, PAUSE),
            activity: activity(&own, MOST_BARS),
            reached: reached(&own, &case.subject),
            hops: hops(&all, &case.subject, &case.internal),
            services,
            connections: own,
        })
    }
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
