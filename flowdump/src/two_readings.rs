//! The first groups of many, found by two readings of the inputs: what the first one counts coarsely says which groups the
//! second one has to count. Worth it where reading twice takes less time than a table of all groups.

use std::path::Path;

use flowcore::aggregate::{Candidates, CoarseCount, Order, Proof};
use flowcore::{FieldSet, Filter, FlowBatch, FlowSource, Format, Mask, OpenOptions, ReadRequest, Result};

use crate::args::Plan;
use crate::crew::{self, Count};
use crate::matching::{Matching, open_options, read_request};
use crate::relay::{self, Work};

/// Counts all records in each of these tables, which may leave out groups that do not come among those that the plan shows
/// in the `orders` of the table.
///
/// `again` opens the inputs once more and gives tables without groups.
///
/// # Errors
/// Those of reading and of counting.
pub(crate) fn count<'a, T: Count>(
    plan: &'a Plan,
    orders: &[&[Order]],
    again: impl Fn() -> Result<(Matching<'a>, Vec<T>)>,
    (mut records, mut tables): (Matching<'a>, Vec<T>),
) -> Result<(Matching<'a>, Vec<T>)> {
    let mut candidates = find(plan, orders, &tables)?;
    while let Some(known) = candidates {
        tables = tables.into_iter().zip(&known).map(|(table, known)| table.only(known)).collect();
        tables = count_few(&mut records, tables)?;
        match wider(&tables, &known) {
            Wider::Complete => return Ok((records, tables)),
            Wider::Of(more) => candidates = more,
        }
        (records, tables) = again()?;
    }
    let tables = crew::count_all(&mut records, tables)?;
    Ok((records, tables))
}

/// Counts all records in tables of few groups: each thread in tables of its own, if their order does not matter.
fn count_few<T: Count>(records: &mut Matching<'_>, tables: Vec<T>) -> Result<Vec<T>> {
    let twins = || tables.iter().map(Count::twin).collect::<Option<Vec<T>>>().map(Tables);
    let Some(twins) = (1..relay::workers()).map(|_| twins()).collect::<Option<Vec<_>>>() else {
        return crew::count_all(records, tables);
    };
    let workers = std::iter::once(Tables(tables)).chain(twins).collect();
    let done =
        relay::share_out(workers, |relay| records.each(u64::MAX, |batch, chosen| relay.give(batch, chosen)))?;
    let mut done = done.into_iter().map(|tables| tables.0);
    let first = done.next().unwrap_or_default();
    done.try_fold(first, |mut tables, twins| {
        tables.iter_mut().zip(twins).try_for_each(|(table, twin)| table.merge(twin))?;
        Ok(tables)
    })
}

/// What a thread counts in.
struct Tables<T>(Vec<T>);

impl<T: Count> Work for Tables<T> {
    fn take(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.0.iter_mut().try_for_each(|table| table.add(batch, chosen))
    }
}

/// What has to be counted yet.
enum Wider {
    Complete,
    /// All, if there are no candidates.
    Of(Option<Vec<Candidates>>),
}

fn wider<T: Count>(tables: &[T], known: &[Candidates]) -> Wider {
    let proof =
        |(table, known): (&T, _)| table.aggregation().map_or(Proof::Open, |groups| groups.proof(known));
    let proofs: Vec<Proof> = tables.iter().zip(known).map(proof).collect();
    if proofs.iter().all(|proof| matches!(proof, Proof::Complete)) {
        return Wider::Complete;
    }
    let next = proofs.into_iter().zip(known).map(|(proof, known)| match proof {
        Proof::Complete => Some(known.clone()),
        Proof::Wider(more) => Some(more),
        Proof::Open => None,
    });
    Wider::Of(next.collect())
}

/// What the first reading finds for each table; nothing if all records had better be counted.
fn find<T: Count>(plan: &Plan, orders: &[&[Order]], tables: &[T]) -> Result<Option<Vec<Candidates>>> {
    let Some(limit) = plan.top.filter(|_| is_fit(plan)) else { return Ok(None) };
    let coarse = |(table, orders): (&T, &&[Order])| CoarseCount::of(table.aggregation()?, limit, orders);
    let Some(coarse) = tables.iter().zip(orders).map(coarse).collect() else { return Ok(None) };
    if are_fit(plan)? { read(plan, coarse) } else { Ok(None) }
}

/// The first reading. What is wrong with the inputs is told by the second one.
fn read(plan: &Plan, coarse: Vec<CoarseCount>) -> Result<Option<Vec<Candidates>>> {
    let fields = coarse.iter().fold(plan.filter.fields(), |fields, coarse| fields.union(coarse.fields()));
    let request = ReadRequest { fields, ..read_request(plan, fields, false) };
    let mut inputs = open_options(plan, request).fields_of_logs(FieldSet::EMPTY).open_all(&plan.inputs)?;
    let mut batch = FlowBatch::new();
    let mut first = Coarse { filter: &plan.filter, counts: coarse };
    while first.rows() < SAMPLE && inputs.read_batch(&mut batch)? {
        first.take(&batch, &Mask::all(batch.len()))?;
    }
    if first.rows() < SAMPLE || !first.counts.iter().any(CoarseCount::is_of_many_groups) {
        return Ok(None);
    }
    let twins: Vec<_> = (1..relay::workers()).map(|_| first.twin()).collect();
    let workers = std::iter::once(first).chain(twins).collect();
    let done = relay::share_out(workers, |relay| {
        while inputs.read_batch(&mut batch)? {
            let all = Mask::all(batch.len());
            relay.give(&mut batch, all)?;
        }
        Ok(())
    })?;
    let merged = done.into_iter().reduce(Coarse::merge);
    Ok(merged.and_then(|merged| merged.counts.into_iter().map(CoarseCount::candidates).collect()))
}

/// What a thread counts in the first reading.
struct Coarse<'a> {
    filter: &'a Filter,
    counts: Vec<CoarseCount>,
}

impl Coarse<'_> {
    fn rows(&self) -> u64 {
        self.counts.first().map_or(0, CoarseCount::rows)
    }

    fn twin(&self) -> Self {
        Self { counts: self.counts.iter().map(CoarseCount::twin).collect(), ..*self }
    }

    fn merge(mut self, twin: Self) -> Self {
        self.counts.iter_mut().zip(&twin.counts).for_each(|(count, twin)| count.merge(twin));
        self
    }
}

impl Work for Coarse<'_> {
    /// Counts the matching ones of the rows, all of which are chosen.
    fn take(&mut self, batch: &FlowBatch, _: &Mask) -> Result<()> {
        let chosen = self.filter.select(batch);
        self.counts.iter_mut().try_for_each(|count| count.add(batch, &chosen))
    }
}

/// Whether what is asked for is the first groups of all records.
fn is_fit(plan: &Plan) -> bool {
    plan.post_filter.is_none() && plan.limit.is_none() && !plan.dedup && plan.stitched.is_none()
}

/// Whether the inputs can be read twice and quickly: files of flows, of which columns are read alone, and enough of them.
fn are_fit(plan: &Plan) -> Result<bool> {
    // Standard input and pipes can be read once.
    let is_lasting = |path: &Path| path.metadata().is_ok_and(|found| found.is_file() || found.is_dir());
    if !plan.inputs.iter().all(|path| is_lasting(path)) {
        return Ok(false);
    }
    let options = OpenOptions::new().detection(plan.detection);
    let mut bytes = 0;
    for path in options.files(&plan.inputs)?.0 {
        let file = options.preview(&path);
        if file.compressed || !matches!(file.format, Some(Format::Flow | Format::Nfdump)) {
            return Ok(false);
        }
        bytes += file.bytes.unwrap_or(0);
    }
    Ok(bytes >= WORTH_IT)
}

/// Matching records after which the number of groups is judged.
const SAMPLE: u64 = 50_000;
/// Bytes of input below which one reading is quicker.
const WORTH_IT: u64 = 4 << 20;
