//! SKIPDATA rows: on which interface, and when, records were lost.

use crate::record::{Text, Timestamp};

/// A row that says that records of an interface were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkipData {
    /// The input the row stands in.
    pub input: Text,
    /// The interface, or what else the log watches: a NAT gateway, an attachment of a transit gateway.
    pub interface: Option<Text>,
    /// Where the window of the row begins.
    pub first: Option<Timestamp>,
    /// Where it ends.
    pub last: Option<Timestamp>,
}

/// The first [`LostRecords::KEPT`] of such rows; [`SourceStats::skipdata`](crate::SourceStats::skipdata) counts all.
#[derive(Debug, Clone, Default)]
pub struct LostRecords(Vec<SkipData>);

impl LostRecords {
    /// Rows that are kept.
    pub const KEPT: usize = 20;

    /// The rows kept, in the order of reading.
    pub fn kept(&self) -> &[SkipData] {
        &self.0
    }

    /// Keeps a row, which is only made if there is room.
    pub(crate) fn push(&mut self, row: impl FnOnce() -> SkipData) {
        if self.0.len() < Self::KEPT {
            self.0.push(row());
        }
    }

    /// Adds the rows of a further source.
    pub(crate) fn merge(&mut self, other: Self) {
        let room = Self::KEPT.saturating_sub(self.0.len());
        self.0.extend(other.0.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_kept() {
        let rows = |from: usize, count: usize| {
            let mut rows = LostRecords::default();
            for n in from..from + count {
                let input = n.to_string().into();
                rows.push(|| SkipData { input, interface: None, first: None, last: None });
            }
            rows
        };
        let mut all = rows(0, 15);
        all.merge(rows(15, 500));
        let names: Vec<_> = all.kept().iter().map(|row| row.input.to_string()).collect();
        assert_eq!(names, (0..20).map(|n| n.to_string()).collect::<Vec<_>>());
    }
}
