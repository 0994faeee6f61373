//! What an nfdump file had no place for.

use std::collections::BTreeSet;
use std::fmt;

use crate::record::{FieldSet, Text};

/// The fields and columns of written flows that an nfdump file has no place for, and values that did not fit.
///
/// Provenance ([`Field::Source`](crate::Field::Source) and [`Field::Format`](crate::Field::Format)) and precision below
/// the millisecond are never kept and not counted here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Fields that were left out in some record.
    pub fields: FieldSet,
    /// Columns without a field.
    pub columns: BTreeSet<Text>,
    /// Rows that are no flows: the NODATA and SKIPDATA records of cloud logs.
    pub status_rows: u64,
}

impl Dropped {
    /// Whether everything was kept.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.columns.is_empty() && self.status_rows == 0
    }

    /// Adds what was dropped elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.fields = self.fields.union(other.fields);
        self.columns.extend(other.columns.iter().cloned());
        self.status_rows = self.status_rows.saturating_add(other.status_rows);
    }
}

/// The sentence for a person: `nfdump files have no place for minttl, maxttl; .flow files keep them`.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.iter().map(|field| field.to_string());
        let columns = self.columns.iter().map(|name| name.to_string());
        let rows = (self.status_rows > 0).then(|| format!("{} rows without flows", self.status_rows));
        let names: Vec<_> = fields.chain(columns).chain(rows).collect();
        write!(f, "nfdump files have no place for {}; .flow files keep them", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    #[test]
    fn what_was_dropped_is_named() {
        let mut dropped = Dropped::default();
        assert!(dropped.is_empty());
        dropped
            .merge(&Dropped { fields: FieldSet::from([Field::MaxTtl, Field::MinTtl]), ..Dropped::default() });
        assert!(!dropped.is_empty());
        let columns = BTreeSet::from([Text::from("new-column")]);
        dropped.merge(&Dropped { columns, status_rows: 2, ..Dropped::default() });
        assert_eq!(
            dropped.to_string(),
            "nfdump files have no place for minttl, maxttl, new-column, 2 rows without flows; .flow files keep them"
        );
    }
}
