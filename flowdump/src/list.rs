//! The list: every matching record as it comes, or sorted, printed or written to a file.

use flowcore::aggregate::Order;
use flowcore::{FieldSet, Result};

use crate::args::Plan;
use crate::exit::Outcome;
use crate::matching::{Matching, tell};
use crate::order::Sorter;
use crate::output::Output;

/// Lists the plan's records.
///
/// # Errors
/// When an input is missing, or the output cannot be written.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let mut output = Output::open(plan)?;
    let (fields, unknown_columns) = output.needs();
    let order = plan.order.map_or(FieldSet::EMPTY, Order::fields);
    let mut records = Matching::open(plan, fields.union(order), unknown_columns)?;
    output.begin()?;
    match plan.order {
        Some(order) => {
            let mut sorter = Sorter::new(order, plan.top);
            records.each(u64::MAX, |batch, chosen| {
                sorter.add(batch, &chosen);
                Ok(())
            })?;
            let (rows, order) = sorter.finish();
            output.write_ordered(&rows, &order)?;
        }
        None => {
            let most = plan.top.map_or(u64::MAX, |top| top as u64);
            records.each(most, |batch, chosen| output.write(batch, &chosen))?;
        }
    }
    let remarks = output.finish()?.filter(|_| !plan.quiet);
    remarks.iter().for_each(|said| tell(&format!("flowdump: {said}")));
    records.close()
}
