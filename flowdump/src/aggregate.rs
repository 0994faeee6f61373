//! Aggregation: matching records to groups, which are listed or written as records.

use flowcore::aggregate::{Order, Selection};
use flowcore::{Error, Field, FieldSet, Mask, Result};

use crate::args::{Grouping, Plan};
use crate::exit::Outcome;
use crate::groups::Groups;
use crate::matching::{Matching, tell};
use crate::output::Output;
use crate::two_readings;

/// Lists the groups of the plan's records.
///
/// # Errors
/// When an input is missing, the output cannot be written, or there are more groups than can be held.
pub(crate) fn run(plan: &Plan, grouping: &Grouping) -> Result<Outcome> {
    let mut output = Output::open(plan)?;
    let shown = output.needs();
    let open = || {
        let groups = aggregation(plan, grouping, shown.0);
        Ok((open(plan, grouping, &groups, shown)?, vec![groups]))
    };
    let first = open()?;
    let orders = orders(plan, grouping);
    let titles: Vec<String> = orders.iter().map(|order| title(plan, grouping, *order)).collect();
    output.begin_titled(titles.first().map_or("", String::as_str))?;
    let (records, groups) = two_readings::count(plan, &[&orders], open, first)?;
    let groups = groups.into_iter().next().ok_or_else(|| Error::argument("no table to count in"))?;
    for (at, (&order, title)) in orders.iter().zip(&titles).enumerate() {
        if at > 0 && !title.is_empty() {
            output.next_list(&format!("\n{title}"))?;
        }
        groups.each(selection(plan, order), |mut batch| {
            let all = Mask::all(batch.len());
            output.write(&mut batch, &all)
        })?;
    }
    let remarks = output.finish()?.filter(|_| !plan.quiet);
    remarks.iter().for_each(|said| tell(&format!("flowdump: {said}")));
    records.close()
}

/// The groups to count, with what is shown of first records.
pub(crate) fn aggregation(plan: &Plan, grouping: &Grouping, shown: FieldSet) -> Groups {
    let filtered = plan.post_filter.as_ref().map_or(FieldSet::EMPTY, |filter| filter.fields());
    let groups = grouping.groups().max_memory(plan.memory);
    if grouping.is_by_flow() { groups.keep_first(shown.union(filtered)) } else { groups }
}

/// The records of groups. TCP flags are read where they are shown; rows about a log's gaps are told by their addresses.
fn open<'a>(
    plan: &'a Plan,
    grouping: &Grouping,
    groups: &Groups,
    (shown, unknown_columns): (FieldSet, bool),
) -> Result<Matching<'a>> {
    let filtered = plan.post_filter.as_ref().map_or(FieldSet::EMPTY, |filter| filter.fields());
    let looked_at = shown.union(filtered).stored();
    let flags = [Field::InFlags, Field::OutFlags].into_iter().filter(|flags| looked_at.contains(*flags));
    let mut fields = groups.fields().union(flags.collect());
    if plan.filter.wants_status_rows() {
        fields = fields.union(FieldSet::from([Field::SrcAddr, Field::DstAddr]));
    }
    let unknown = unknown_columns || plan.post_filter.as_ref().is_some_and(|filter| filter.unknown_columns());
    Matching::open(plan, fields, unknown && grouping.is_by_flow())
}

/// Without an order groups come as they began.
fn orders(plan: &Plan, grouping: &Grouping) -> Vec<Order> {
    if grouping.tops.is_empty() { vec![plan.order.unwrap_or(Order::FIRST)] } else { grouping.tops.clone() }
}

/// The line above the list of a table of `-s record`; formats for programs have none.
pub(crate) fn title(plan: &Plan, grouping: &Grouping, order: Order) -> String {
    if plan.quiet || grouping.tops.is_empty() || !plan.output.is_for_people() {
        return String::new();
    }
    let top = plan.top.map_or(String::new(), |top| format!("Top {top} "));
    let all = if top.is_empty() { "Flows" } else { "flows" };
    format!("{top}{all} ordered by {order}:\n")
}

/// The groups that are shown.
pub(crate) fn selection(plan: &Plan, order: Order) -> Selection<'_> {
    Selection { order, limit: plan.top.unwrap_or(usize::MAX), filter: plan.post_filter.as_ref() }
}
