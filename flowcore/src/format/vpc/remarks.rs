//! What is to be said about a flow log that was written: what of the records is not in it, and what makes its lines differ.

use std::collections::BTreeSet;
use std::fmt;

use crate::record::{FieldSet, Text};

/// What a flow log that was written does not say of the records, or not in the usual way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRemarks {
    /// Fields with a value that AWS has no column for. Where a record is from (`source`, `format`, `flowlog`,
    /// `count`) is never kept and not counted here.
    pub fields: FieldSet,
    /// Account or region, which the columns of [`LogColumns::FoundAfter`](super::LogColumns::FoundAfter) do not include.
    pub said_by_path: FieldSet,
    /// Columns without a field whose names a header line cannot have.
    pub columns: BTreeSet<Text>,
    /// Chosen columns that are no field and that no record has.
    pub unmet: Vec<String>,
    /// Times before 1970, written as absent.
    pub early_times: u64,
    /// Two-way records, which have two lines.
    pub two_way: u64,
}

impl LogRemarks {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Sentences for a person, separated by semicolons.
impl fmt::Display for LogRemarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |fields: FieldSet| fields.iter().map(|field| field.to_string());
        let lost: Vec<_> =
            names(self.fields).chain(self.columns.iter().map(|name| name.to_string())).collect();
        let said: Vec<_> = names(self.said_by_path).collect();
        let parts = [
            (!lost.is_empty()).then(|| {
                format!("AWS flow logs have no column for {}, .flow files keep them", lost.join(", "))
            }),
            (!said.is_empty()).then(|| {
                format!(
                    "not written, as only the names of files say it: {} (--columns adds it)",
                    said.join(", ")
                )
            }),
            (!self.unmet.is_empty()).then(|| format!("no record has a column {}", self.unmet.join(", "))),
            (self.early_times > 0).then(|| format!("{} times before 1970 are left out", self.early_times)),
            (self.two_way > 0).then(|| format!("{} two-way records have two lines each", self.two_way)),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    #[test]
    fn every_remark_is_a_sentence() {
        let mut remarks = LogRemarks::default();
        assert!(remarks.is_empty() && remarks.to_string().is_empty());
        remarks.fields = FieldSet::from([Field::MinTtl]);
        remarks.columns.insert("my tag".into());
        remarks.said_by_path = FieldSet::from([Field::Region, Field::Account]);
        remarks.unmet = vec!["srcadr".into()];
        (remarks.early_times, remarks.two_way) = (3, 12);
        let expected = "AWS flow logs have no column for minttl, my tag, .flow files keep them; not written, as only the \
                        names of files say it: account, region (--columns adds it); no record has a column srcadr; 3 \
                        times before 1970 are left out; 12 two-way records have two lines each";
        assert_eq!(remarks.to_string(), expected);
    }
}
