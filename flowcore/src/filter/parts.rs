//! A filter in parts all of which have to hold, so that a reader can stop at the first one that no row satisfies,
//! before it has made the columns of the others.

use super::expr::Expr;
use super::kernel;
use super::predicate::{Condition, Predicate, Test};
use super::{Filter, fields_of};
use crate::batch::{FlowBatch, Mask};
use crate::record::FieldSet;

/// A filter taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    filter: Filter,
    /// The places of the parts in the tree, in the order in which to ask them, and the stored fields they look at.
    order: Vec<(usize, FieldSet)>,
}

/// One of the parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    tree: &'a Expr<Predicate>,
    /// The stored fields that it looks at.
    pub(crate) fields: FieldSet,
}

impl Parts {
    /// The parts of a filter; a row that satisfies all of them matches it.
    pub(crate) fn of(filter: &Filter) -> Self {
        let parts = parts(filter);
        let mut order: Vec<_> = parts.iter().map(fields_of).enumerate().collect();
        order.sort_by_key(|(place, _)| parts.get(*place).map(breadth));
        Self { filter: filter.clone(), order }
    }

    /// The parts, those that few rows satisfy first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Part<'_>> {
        let parts = parts(&self.filter);
        self.order.iter().filter_map(move |&(place, fields)| Some(Part { tree: parts.get(place)?, fields }))
    }
}

impl Part<'_> {
    /// The IPv4 address that some of the fields has to have, if that is what the part asks for.
    pub(crate) fn only_v4(&self) -> Option<u32> {
        let Expr::Term(Predicate { condition, .. }) = self.tree else { return None };
        let Condition::Fields { test: Test::Addrs(addrs), negated: false, .. } = condition else {
            return None;
        };
        match (addrs.v4.as_slice(), addrs.v6.as_slice()) {
            (&[(first, last)], []) if first == last => Some(first),
            _ => None,
        }
    }

    /// The rows of a batch that satisfy it.
    pub(crate) fn select(&self, batch: &FlowBatch) -> Mask {
        kernel::select(self.tree, batch)
    }
}

fn parts(filter: &Filter) -> &[Expr<Predicate>] {
    match &filter.0.tree {
        Expr::And(parts) => parts,
        other => std::slice::from_ref(other),
    }
}

/// A guess at how many rows satisfy a part: an address is one of billions, a port one of thousands.
fn breadth(expr: &Expr<Predicate>) -> usize {
    match expr {
        Expr::Term(Predicate { condition: Condition::Fields { test, negated: false, .. }, .. }) => match test
        {
            Test::Addrs(_) => 0,
            Test::Numbers(_) | Test::Times(_) => 1,
            _ => 2,
        },
        Expr::Term(_) | Expr::Not(_) => 3,
        Expr::And(parts) => parts.iter().map(breadth).min().unwrap_or(3),
        Expr::Or(parts) => parts.iter().map(breadth).max().unwrap_or(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    #[test]
    fn rows_that_satisfy_all_parts_match() {
        let filter = Filter::parse("port 53 and proto udp and (src ip 10.0.0.1 or dst ip 10.0.0.1)").unwrap();
        let parts = Parts::of(&filter);
        let addrs = FieldSet::from([Field::SrcAddr, Field::DstAddr]);
        assert_eq!(parts.iter().map(|part| part.fields).next(), Some(addrs), "addresses are asked first");
        let mut batch = FlowBatch::new();
        for row in 0..200_u8 {
            batch.set_addr(Field::SrcAddr, std::net::Ipv4Addr::new(10, 0, 0, row % 3).into());
            batch.set_number(Field::DstPort, [53, 80][usize::from(row % 2)]);
            batch.set_number(Field::Protocol, [6, 17, 17, 1][usize::from(row % 4)]);
            batch.end_row();
        }
        let mut rows = Mask::all(batch.len());
        parts.iter().for_each(|part| rows.and(&part.select(&batch)));
        assert_eq!(rows, filter.select(&batch));
        assert!(rows.count() > 0);
        let only = |text: &str| Parts::of(&Filter::parse(text).unwrap()).iter().next().unwrap().only_v4();
        assert_eq!(only("ip 10.0.0.1 and port 53"), Some(0x0a00_0001));
        for text in ["not ip 10.0.0.1", "net 10.0.0.0/31", "ip in [10.0.0.1 ::1]", "ip 10.0.0.1 or port 53"] {
            assert_eq!(only(text), None, "{text}");
        }
        assert_eq!(Parts::of(&Filter::any()).iter().count(), 1);
    }
}
