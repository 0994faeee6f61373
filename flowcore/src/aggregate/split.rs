//! An aggregation in parts, each of which holds the groups of some keys: what threads need to count at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Aggregation, Groups};

/// What the parts of an aggregation hold together.
#[derive(Debug)]
pub(super) struct Held {
    all: Arc<(AtomicUsize, AtomicUsize)>,
    /// What this part has told.
    own: (usize, usize),
}

impl Held {
    fn new() -> Self {
        Self { all: Arc::default(), own: (0, 0) }
    }

    fn of_another(&self) -> Self {
        Self { all: Arc::clone(&self.all), own: (0, 0) }
    }

    /// Tells groups and bytes of memory of this part; the sums of all parts.
    pub(super) fn tell(&mut self, groups: usize, memory: usize) -> (usize, usize) {
        let before = std::mem::replace(&mut self.own, (groups, memory));
        let tell = |all: &AtomicUsize, now: usize, before: usize| {
            // Neither ever gets smaller.
            let more = now.saturating_sub(before);
            all.fetch_add(more, Ordering::Relaxed) + more
        };
        (tell(&self.all.0, groups, before.0), tell(&self.all.1, memory, before.1))
    }
}

impl Aggregation {
    /// Parts of this aggregation, which has no group yet: given the same records in the same order, at the same time or not,
    /// they hold together what it would hold, each the groups of some keys. [`join`](Self::join) makes them one again.
    ///
    /// There is one part only where the number of [groups is bounded](Self::max_groups) or [few](Self::only) are counted; memory is bounded for all together.
    ///
    /// ```
    /// use flowcore::aggregate::Aggregation;
    /// use flowcore::{Field, FlowBatch, Mask};
    ///
    /// let mut batch = FlowBatch::new();
    /// for port in 0..100 {
    ///     batch.set_number(Field::DstPort, port);
    ///     batch.end_row();
    /// }
    /// let mut parts = Aggregation::by([Field::DstPort]).split(2);
    /// std::thread::scope(|scope| {
    ///     for part in &mut parts {
    ///         scope.spawn(|| part.add(&batch, &Mask::all(100)));
    ///     }
    /// });
    /// let ports = parts.into_iter().reduce(Aggregation::join);
    /// assert_eq!(ports.map(|ports| ports.len()), Some(100));
    /// ```
    #[must_use]
    pub fn split(self, parts: usize) -> Vec<Self> {
        let parts = u16::try_from(parts).unwrap_or(MOST_PARTS).min(MOST_PARTS);
        if parts < 2 || self.groups.is_bounded() || self.groups.is_restricted() || !self.is_empty() {
            return vec![self];
        }
        let held = Held::new();
        let part = |groups: Groups| Self {
            sides: self.sides.clone(),
            groups,
            held: Some(held.of_another()),
            ..self
        };
        self.groups.split(parts).map(part).collect()
    }

    /// This part and another one, or what others have become already, as one.
    #[must_use]
    pub fn join(mut self, part: Self) -> Self {
        self.groups.join(part.groups);
        Self { held: None, ..self }
    }
}

/// Each part looks at the keys of all records, so that many do not help.
const MOST_PARTS: u16 = 64;
