//! The first groups of many, found by two readings of the inputs: what the first one counts coarsely says which groups the
//! second one has to count. Worth it where reading twice takes less time than a table of all groups.

use std::path::Path;

use flowcore::aggregate::{Candidates, CoarseCount, Order, Proof};
use flowcore::{FieldSet, FlowBatch, FlowSource, Format, OpenOptions, Result};

use crate::args::Plan;
use crate::crew::{self, Count};
use crate::matching::{Matching, open_options, read_request};

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
    loop {
        let Some(known) = candidates else {
            let tables = crew::count_all(&mut records, tables)?;
            return Ok((records, tables));
        };
        tables = tables.into_iter().zip(&known).map(|(table, known)| table.only(known)).collect();
        tables = crew::count_all(&mut records, tables)?;
        match wider(&tables, &known) {
            Wider::Complete => return Ok((records, tables)),
            Wider::Of(more) => candidates = more,
        }
        (records, tables) = again()?;
    }
}

/// What has to be counted yet.
enum Wider {
    Complete,
    /// All, if there are no candidates.
    Of(Option<Vec<Candidates>>),
}

fn wider<T: Count>(tables: &[T], known: &[Candidates]) -> Wider {
    let mut is_complete = true;
    let next = tables.iter().zip(known).map(|(table, known)| {
        match table.aggregation().map_or(Proof::Open, |groups| groups.proof(known)) {
            Proof::Complete => Some(known.clone()),
            Proof::Wider(more) => {
                is_complete = false;
                Some(more)
            }
            Proof::Open => {
                is_complete = false;
                None
            }
        }
    });
    let next = next.collect();
    if is_complete { Wider::Complete } else { Wider::Of(next) }
}

/// What the first reading finds for each table; nothing if all records had better be counted.
fn find<T: Count>(plan: &Plan, orders: &[&[Order]], tables: &[T]) -> Result<Option<Vec<Candidates>>> {
    let Some(limit) = plan.top.filter(|_| is_fit(plan)) else { return Ok(None) };
    let coarse = tables
        .iter()
        .zip(orders)
        .map(|(table, orders)| CoarseCount::of(table.aggregation()?, limit, orders))
        .collect();
    let Some(coarse) = coarse else { return Ok(None) };
    if !are_fit(plan)? {
        return Ok(None);
    }
    read(plan, coarse)
}

fn read(plan: &Plan, mut coarse: Vec<CoarseCount>) -> Result<Option<Vec<Candidates>>> {
    let fields = coarse.iter().fold(plan.filter.fields(), |fields, coarse| fields.union(coarse.fields()));
    let request = flowcore::ReadRequest {
        fields,
        unknown_columns: plan.filter.unknown_columns(),
        ..read_request(plan, fields, false)
    };
    let mut inputs = open_options(plan, request).fields_of_logs(FieldSet::EMPTY).open_all(&plan.inputs)?;
    let (mut batch, mut is_sure) = (FlowBatch::new(), false);
    while inputs.read_batch(&mut batch)? {
        let chosen = plan.filter.select(&batch);
        coarse.iter_mut().try_for_each(|coarse| coarse.add(&batch, &chosen))?;
        if !is_sure && coarse.iter().any(|coarse| coarse.rows() > SAMPLE) {
            if !coarse.iter().any(CoarseCount::is_of_many_groups) {
                return Ok(None);
            }
            is_sure = true;
        }
    }
    Ok(if is_sure { coarse.into_iter().map(CoarseCount::candidates).collect() } else { None })
}

/// Whether what is asked for is the first groups of all records.
fn is_fit(plan: &Plan) -> bool {
    plan.post_filter.is_none() && plan.limit.is_none() && !plan.dedup && plan.stitched.is_none()
}

/// Whether the inputs can be read twice and quickly: files of flows, of which columns are read alone, and enough of them.
fn are_fit(plan: &Plan) -> Result<bool> {
    let is_file = |path: &Path| {
        path != Path::new("-")
            && path.metadata().is_ok_and(|metadata| metadata.is_file() || metadata.is_dir())
    };
    if !plan.inputs.iter().all(|path| is_file(path)) {
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
