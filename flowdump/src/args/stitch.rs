//! `--stitch`: rows joined to connections, to be listed, or to be counted by what else is asked for.

use flowcore::aggregate::Connections;
use flowcore::{FieldSet, Filter};

use super::Flags;

/// How rows are joined.
#[derive(Debug, Clone)]
pub(super) struct Stitch {
    /// No pause within a connection is of more seconds than this.
    max_gap: u32,
    /// Copies are left out, so that rows of all interfaces are of one connection.
    across_interfaces: bool,
}

/// Connections that are counted: a connection is one flow of what is made of them.
#[derive(Debug)]
pub struct Stitched {
    stitch: Stitch,
    /// Which connections; all without.
    pub filter: Option<Filter>,
}

impl Stitch {
    /// What the options say.
    pub(super) fn asked(flags: &Flags) -> Option<Self> {
        Some(Self { max_gap: flags.stitch?, across_interfaces: flags.dedup })
    }

    /// Whether connections are joined first and counted then: by the fields of `-A` or `-s`, or by time. Alone, and for
    /// `-s record`, they are the groups that are listed.
    pub(super) fn is_first(flags: &Flags) -> bool {
        let is_record = |stat: &String| stat.split(['/', ':']).next().is_some_and(|name| name == "record");
        let counts =
            flags.aggregate_by.is_some() || flags.every.is_some() || !flags.stat.iter().all(is_record);
        flags.stitch.is_some() && counts
    }

    /// No connection yet.
    pub(crate) fn connections(&self) -> Connections {
        let connections = Connections::new().max_gap(self.max_gap);
        if self.across_interfaces { connections.across_interfaces() } else { connections }
    }
}

impl Stitched {
    /// What the options say, where connections are joined first.
    pub(super) fn asked(flags: &Flags, filter: Option<Filter>) -> Option<Self> {
        let stitch = Stitch::asked(flags).filter(|_| Stitch::is_first(flags))?;
        Some(Self { stitch, filter })
    }

    /// No connection yet; they have these fields of their first rows, and those that the filter looks at.
    pub(crate) fn connections(&self, looked_at: FieldSet) -> Connections {
        let filtered = self.filter.as_ref().map_or(FieldSet::EMPTY, Filter::fields);
        self.stitch.connections().as_flows().keep_first(looked_at.union(filtered))
    }
}
