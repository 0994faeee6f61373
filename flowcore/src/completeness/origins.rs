//! Where flows come from, flow log by flow log, else folder by folder: how many files, which times, which slots.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;
use std::path::Path;

use super::slots::Slots;
use crate::batch::{FlowBatch, TimeColumn};
use crate::format::vpc::LogPath;
use crate::record::{Field, Text, Timestamp};

/// A recording that files are parts of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A flow log of AWS, by the names of its files.
    FlowLog {
        /// The account it belongs to.
        account: Text,
        /// The region it is in.
        region: Text,
        /// Its id, `fl-...`.
        id: Text,
    },
    /// Files of a folder that say no more; `stdin` for standard input, `.` where files are named without a folder.
    Folder(Text),
    /// All further ones: the first [`Origins::KEPT`] are kept apart.
    Other,
}

/// What was read of one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginAccount {
    /// Files opened.
    pub files: u64,
    /// Start of the earliest flow that was read, where times were read.
    pub first: Option<Timestamp>,
    /// End of the latest one.
    pub last: Option<Timestamp>,
    /// The slots of a flow log that its folder has files for.
    pub slots: Slots,
}

/// The origins of what was read, in the order of their names.
#[derive(Debug, Clone, Default)]
pub struct Origins(BTreeMap<Origin, OriginAccount>);

impl Origin {
    /// Where a file comes from.
    pub(crate) fn of(path: &Path) -> Self {
        let LogPath { account, region, flow_log, .. } = LogPath::of(path);
        if let (Some(account), Some(region), Some(id)) = (account, region, flow_log) {
            return Self::FlowLog { account: account.into(), region: region.into(), id: id.into() };
        }
        if path == Path::new("-") {
            return Self::Folder("stdin".into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::Folder(folder.display().to_string().into())
    }
}

impl OriginAccount {
    /// Widens the span of time by these flows.
    pub(crate) fn add_times(&mut self, batch: &FlowBatch) {
        let ends = |field| batch.times(field).and_then(ends);
        let (first, last) =
            (ends(Field::First).map(|(first, _)| first), ends(Field::Last).map(|(_, last)| last));
        self.widen(TimeSpan { first, last });
    }

    /// Widens the span of time by this one.
    pub(crate) fn widen(&mut self, span: TimeSpan) {
        let Self { first, last, .. } = *self;
        let mut own = TimeSpan { first, last };
        own.widen(span);
        (self.first, self.last) = (own.first, own.last);
    }

    fn merge(&mut self, other: &Self) {
        self.files = self.files.saturating_add(other.files);
        self.widen(TimeSpan { first: other.first, last: other.last });
        self.slots.merge(&other.slots);
    }
}

/// The time that some flows span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeSpan {
    /// Start of the earliest one, if it is known.
    pub first: Option<Timestamp>,
    /// End of the latest one.
    pub last: Option<Timestamp>,
}

impl TimeSpan {
    /// Widens it by another one.
    pub(crate) fn widen(&mut self, other: Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }
}

impl Origins {
    /// Origins that are kept apart.
    pub const KEPT: usize = 100;

    /// Every origin and what was read of it.
    pub fn iter(&self) -> Iter<'_, Origin, OriginAccount> {
        self.0.iter()
    }

    /// Slots of flow logs without a file, all together; those that are too scattered to be kept count as one.
    pub fn missing_slots(&self) -> u64 {
        self.0.values().map(|account| account.slots.missing().unwrap_or(1)).fold(0, u64::saturating_add)
    }

    /// Notes that a folder has a file of this name, if that is one of a flow log.
    pub(crate) fn see(&mut self, path: &Path) {
        if let Some(slot) = LogPath::of(path).slot {
            self.with(Origin::of(path), |account| account.slots.insert(slot));
        }
    }

    /// Leaves out the slots that are not read for a window.
    pub(crate) fn limit(&mut self, from: Option<Timestamp>, to: Option<Timestamp>) {
        self.0.values_mut().for_each(|account| account.slots.limit(from, to));
    }

    /// Adds what was read of an origin.
    pub(crate) fn add(&mut self, origin: Origin, more: &OriginAccount) {
        self.with(origin, |account| account.merge(more));
    }

    /// Adds the origins of a further source.
    pub(crate) fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(origin, account)| self.add(origin, &account));
    }

    fn with(&mut self, origin: Origin, change: impl FnOnce(&mut OriginAccount)) {
        let has_room = self.0.len() < Self::KEPT || self.0.contains_key(&origin);
        let origin = if has_room { origin } else { Origin::Other };
        let is_other = origin == Origin::Other;
        let account = self.0.entry(origin).or_default();
        change(account);
        if is_other {
            // Slots of several logs say nothing together.
            account.slots = Slots::default();
        }
    }
}

impl<'a> IntoIterator for &'a Origins {
    type Item = (&'a Origin, &'a OriginAccount);
    type IntoIter = Iter<'a, Origin, OriginAccount>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The earliest and the latest time of a column.
fn ends(column: &TimeColumn) -> Option<(Timestamp, Timestamp)> {
    let widen = |(first, last): (i64, i64), time: i64| (first.min(time), last.max(time));
    let none = (i64::MAX, i64::MIN);
    let (first, last) = if column.present().is_full() {
        // Every batch of every input comes this way.
        column.values().iter().copied().fold(none, widen)
    } else {
        (0..column.len()).filter_map(|row| column.get(row)).fold(none, widen)
    };
    (first <= last).then(|| (Timestamp::from_nanos(first), Timestamp::from_nanos(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Flow;

    fn log(id: u32, minute: u32) -> String {
        format!("a/123456789012_vpcflowlogs_us-east-1_fl-{id:x}_20240312T14{minute:02}Z_0.log.gz")
    }

    #[test]
    fn files_are_of_a_flow_log_or_of_a_folder() {
        let folder = |name: &str| Origin::Folder(name.into());
        let id =
            Origin::FlowLog { account: "123456789012".into(), region: "us-east-1".into(), id: "fl-1".into() };
        for (path, origin) in [
            (&*log(1, 5), id),
            ("flows/nfcapd.202309280000", folder("flows")),
            ("a.flow", folder(".")),
            ("-", folder("stdin")),
            ("/", folder(".")),
        ] {
            assert_eq!(Origin::of(Path::new(path)), origin, "{path}");
        }
    }

    #[test]
    fn spans_widen_with_what_is_read() {
        let (mut account, mut batch) = (OriginAccount::default(), FlowBatch::new());
        account.add_times(&batch);
        assert_eq!(account, OriginAccount::default());
        for (first, last) in [(70, 90), (60, 65), (80, 85)] {
            let at = |secs| Some(Timestamp::from_secs(secs));
            let mut flow = Flow::default();
            (flow.first, flow.last) = (at(first), at(last));
            batch.push(&flow);
        }
        batch.push(&Flow::default());
        account.add_times(&batch);
        let (first, last) = (account.first.unwrap(), account.last.unwrap());
        assert_eq!((first.as_secs(), last.as_secs()), (60, 90));
    }

    #[test]
    fn a_hundred_are_kept_apart_and_the_rest_together() {
        let mut origins = Origins::default();
        let read = OriginAccount { files: 1, ..OriginAccount::default() };
        for id in 0..500 {
            for minute in [0, 5, 20] {
                let path = log(id, minute);
                origins.see(Path::new(&path));
                origins.add(Origin::of(Path::new(&path)), &read);
            }
        }
        let mut all = Origins::default();
        all.merge(origins.clone());
        all.merge(origins.clone());
        for (origins, files, others) in [(origins, 3, 1200), (all, 6, 2400)] {
            assert_eq!(origins.iter().count(), Origins::KEPT + 1);
            assert_eq!(origins.missing_slots(), 200);
            for (origin, account) in &origins {
                let expected = if *origin == Origin::Other { others } else { files };
                assert_eq!(account.files, expected, "{origin:?}");
            }
        }
    }
}
