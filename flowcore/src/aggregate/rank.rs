//! Which groups come first. Where there are many, each share is ranked by a thread of its own.

use std::thread;

use super::groups::Place;
use super::{Aggregation, Order, top};

/// A group with its rank: the smallest comes first, those without the number last.
type Ranked = (bool, u64, Place);

impl Aggregation {
    /// The first groups in this order; equal ones by their keys.
    pub(super) fn ranked(&self, limit: usize, order: Order) -> Vec<Place> {
        let of_share = |share| self.first_of(self.groups.places_in(share), limit, order);
        let mut shares = self.groups.shares();
        if shares.len() == 1 || self.len() < WORTH_THREADS {
            return self.ranked_of(self.groups.places(), limit, order);
        }
        let own = shares.next();
        let found: Vec<Vec<Ranked>> = thread::scope(|scope| {
            let others: Vec<_> = shares
                .map(|share| {
                    let builder = thread::Builder::new().name("rank".into());
                    (share, builder.spawn_scoped(scope, move || of_share(share)).ok())
                })
                .collect();
            let own = own.map(of_share);
            // What no thread was to be had for is done here.
            let others = others.into_iter().map(|(share, thread)| {
                thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| of_share(share))
            });
            own.into_iter().chain(others).collect()
        });
        places(self.first(found.into_iter().flatten(), limit))
    }

    /// The first of these groups in this order; equal ones by their keys.
    pub(super) fn ranked_of(
        &self,
        of: impl IntoIterator<Item = Place>,
        limit: usize,
        order: Order,
    ) -> Vec<Place> {
        places(self.first_of(of, limit, order))
    }

    fn first_of(&self, of: impl IntoIterator<Item = Place>, limit: usize, order: Order) -> Vec<Ranked> {
        let ranked = of.into_iter().map(|place| {
            let rank = order.rank(&self.counters(place));
            (rank.is_none(), rank.unwrap_or(0), place)
        });
        self.first(ranked, limit)
    }

    fn first(&self, of: impl Iterator<Item = Ranked>, limit: usize) -> Vec<Ranked> {
        top::smallest(of, limit, |a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| self.groups.compare(a.2, b.2))
        })
    }
}

fn places(ranked: Vec<Ranked>) -> Vec<Place> {
    ranked.into_iter().map(|(.., place)| place).collect()
}

/// Groups from which on starting threads is worth it.
const WORTH_THREADS: usize = 1 << 16;
