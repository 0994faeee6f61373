//! One input of a case, read once: what its rows say of the subject, and of hosts it may have gone on to.

use std::path::{Path, PathBuf};

use flowcore::aggregate::Connections;
use flowcore::analysis::{
    Activity, Connection, Hop, Link, Outcomes, Period, Role, Service, Traffic, activity, hops, periods,
    reached, services,
};
use flowcore::{
    Copies, Error, Field, FieldSet, FlowBatch, FlowSource, Mask, OpenOptions, ReadRequest, Result,
    SourceStats,
};

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
        let (all, rows, stats) = connections(case, input)?;
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

/// The connections of the subject and those that could be hops, with the sums of the subject's rows.
fn connections(case: &Case, input: &Path) -> Result<(Vec<Connection>, Summary, SourceStats)> {
    let mut inputs = options(case).open_all(&[input.to_owned()])?;
    let (mut batch, mut rows) = (FlowBatch::new(), Summary::default());
    let mut copies = Copies::new().max_memory(case.memory);
    while inputs.read_batch(&mut batch)? {
        rows.add(&batch, &case.filter.select(&batch));
        copies.add(&batch, &case.wider.select(&batch)).map_err(too_many)?;
    }
    let mut stats = inputs.stats();
    let mut joined = Connections::new().across_interfaces().max_memory(case.memory);
    for (batch, rest) in copies.fold().into_batches() {
        joined.add(&batch, &rest).map_err(too_many)?;
        let (count, bytes) = copies_of(case, &batch, rest);
        stats.copies += count;
        stats.copies_bytes = stats.copies_bytes.saturating_add(bytes);
    }
    Ok((Connection::all(&joined), rows, stats))
}

/// How many rows of the subject are copies, and their bytes; `rest` are the rows that are none.
fn copies_of(case: &Case, batch: &FlowBatch, rest: Mask) -> (u64, u64) {
    let mut folded = rest;
    folded.invert();
    folded.and(&case.filter.select(batch));
    let bytes = folded.rows().filter_map(|row| batch.number(Field::Bytes, row));
    (folded.count() as u64, bytes.fold(0, u64::saturating_add))
}

pub(super) fn options(case: &Case) -> OpenOptions {
    let sets = [Connection::fields(), Connections::new().fields(), Copies::fields(), Summary::fields()];
    let looked_at = sets.into_iter().chain([case.wider.fields(), case.filter.fields()]);
    let fields = looked_at.fold(FieldSet::EMPTY, FieldSet::union);
    let filter = Some(case.wider.clone());
    OpenOptions::new()
        .request(ReadRequest { fields: fields.stored(), filter, ..ReadRequest::default() })
        .window(case.period.0, case.period.1)
        .captures(pcap2flow::capture_opener(case.meter.clone()))
}

fn too_many(error: Error) -> Error {
    Error::argument(format!(
        "investigate: {error} by --memory, or look at a shorter time with --since and --until"
    ))
}
