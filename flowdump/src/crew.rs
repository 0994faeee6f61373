//! Threads that count: each is given all matching records and counts the groups that are its own, so that nothing has to be
//! put together at the end and the result is that of one thread.

use std::collections::VecDeque;
use std::mem;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, Scope, ScopedJoinHandle};

use flowcore::aggregate::{Aggregation, Candidates};
use flowcore::{Error, FlowBatch, Mask, Result};

use crate::matching::Matching;

/// What records are counted in.
pub(crate) trait Count: Send + Sized {
    /// Counts the chosen rows.
    ///
    /// # Errors
    /// When that takes more memory than allowed.
    fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()>;

    /// At most so many parts, which hold together what this would hold if each is given all records.
    fn split(self, parts: usize) -> Vec<Self>;

    /// The groups, if they are those of values.
    fn aggregation(&self) -> Option<&Aggregation>;

    /// The same without groups that are not among these.
    #[must_use]
    fn only(self, candidates: &Candidates) -> Self;

    /// The same without groups, if records may be counted in any of both, in any order, and both be
    /// [merged](Self::merge) in the end.
    fn twin(&self) -> Option<Self>;

    /// Adds what a twin has counted.
    ///
    /// # Errors
    /// When that takes more memory than allowed.
    fn merge(&mut self, twin: Self) -> Result<()>;

    /// Both parts as one.
    #[must_use]
    fn join(self, part: Self) -> Self;
}

/// Counts all records in each of these tables.
///
/// # Errors
/// Those of reading and of counting.
pub(crate) fn count_all<T: Count>(records: &mut Matching<'_>, tables: Vec<T>) -> Result<Vec<T>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut hands = Hand::of(tables, threads);
    if let [hand] = hands.as_mut_slice() {
        records.each(u64::MAX, |batch, chosen| hand.add(batch, &chosen))?;
        return Ok(Hand::tables(hands));
    }
    thread::scope(|scope| {
        let mut crew = Crew::new(scope, hands);
        let read = records.each(u64::MAX, |batch, chosen| crew.add(batch, chosen));
        crew.finish(read).map(Hand::tables)
    })
}

/// What one thread counts in: parts of tables, with the tables' numbers.
struct Hand<T>(Vec<(usize, T)>);

impl<T: Count> Hand<T> {
    fn of(tables: Vec<T>, threads: usize) -> Vec<Self> {
        let mut hands: Vec<Self> = (0..threads.max(1)).map(|_| Self(Vec::new())).collect();
        for (number, table) in tables.into_iter().enumerate() {
            let parts = table.split(threads).into_iter().map(|part| (number, part));
            hands.iter_mut().zip(parts).for_each(|(hand, part)| hand.0.push(part));
        }
        hands.retain(|hand| !hand.0.is_empty());
        hands
    }

    fn tables(hands: Vec<Self>) -> Vec<T> {
        let mut tables: Vec<Option<T>> = Vec::new();
        for (number, part) in hands.into_iter().flat_map(|hand| hand.0) {
            if tables.len() <= number {
                tables.resize_with(number + 1, || None);
            }
            if let Some(table) = tables.get_mut(number) {
                *table = Some(match table.take() {
                    Some(table) => table.join(part),
                    None => part,
                });
            }
        }
        tables.into_iter().flatten().collect()
    }

    fn add(&mut self, batch: &FlowBatch, chosen: &Mask) -> Result<()> {
        self.0.iter_mut().try_for_each(|(_, part)| part.add(batch, chosen))
    }

    /// Counts until no more rows come.
    fn work(mut self, rows: &Receiver<Arc<Rows>>) -> Result<Self> {
        rows.iter().try_for_each(|rows| self.add(&rows.batch, &rows.chosen))?;
        Ok(self)
    }
}

/// A batch that all threads look at.
#[derive(Default)]
struct Rows {
    batch: FlowBatch,
    chosen: Mask,
}

/// The threads. They are started when there is enough to do.
struct Crew<'scope, 'env, T: Send + 'scope> {
    scope: &'scope Scope<'scope, 'env>,
    /// Those without a thread, as all are in the beginning.
    own: Vec<Hand<T>>,
    threads: Vec<Worker<'scope, T>>,
    rows: usize,
    /// Batches that were handed out, the first of them first.
    lent: VecDeque<Arc<Rows>>,
}

/// A thread, and its way to get rows.
struct Worker<'scope, T> {
    rows: SyncSender<Arc<Rows>>,
    thread: ScopedJoinHandle<'scope, Result<Hand<T>>>,
}

impl<'scope, 'env, T: Count + 'scope> Crew<'scope, 'env, T> {
    fn new(scope: &'scope Scope<'scope, 'env>, hands: Vec<Hand<T>>) -> Self {
        Self { scope, own: hands, threads: Vec::new(), rows: 0, lent: VecDeque::new() }
    }

    /// Counts the chosen rows, now or soon; `batch` may become another one.
    fn add(&mut self, batch: &mut FlowBatch, chosen: Mask) -> Result<()> {
        let was_small = self.rows <= SMALL_INPUT;
        self.rows += batch.len();
        if was_small && self.rows > SMALL_INPUT {
            self.own = mem::take(&mut self.own).into_iter().filter_map(|hand| self.start(hand)).collect();
        }
        self.own.iter_mut().try_for_each(|hand| hand.add(batch, &chosen))?;
        if self.threads.is_empty() {
            return Ok(());
        }
        let rows = self.lend(batch, chosen);
        self.threads.iter().try_for_each(|worker| {
            // A thread that is gone says why at the end.
            worker.rows.send(Arc::clone(&rows)).map_err(|_| Error::argument("counting has stopped"))
        })
    }

    /// What the threads look at, in memory that was used before if there is some.
    fn lend(&mut self, batch: &mut FlowBatch, chosen: Mask) -> Arc<Rows> {
        let is_free = self.lent.front_mut().is_some_and(|rows| Arc::get_mut(rows).is_some());
        let free = if is_free { self.lent.pop_front() } else { None };
        let mut rows = free.and_then(Arc::into_inner).unwrap_or_default();
        mem::swap(&mut rows.batch, batch);
        rows.chosen = chosen;
        let rows = Arc::new(rows);
        self.lent.push_back(Arc::clone(&rows));
        rows
    }

    /// Starts a thread for a hand; gives it back if there is none to be had.
    fn start(&mut self, hand: Hand<T>) -> Option<Hand<T>> {
        let (rows, incoming) = mpsc::sync_channel(AHEAD);
        // The hand follows, since one that goes with a thread is lost if the thread does not start.
        let (handover, given) = mpsc::sync_channel::<Hand<T>>(1);
        let work = move || match given.recv() {
            Ok(hand) => hand.work(&incoming),
            Err(_) => Ok(Hand(Vec::new())),
        };
        let Ok(thread) = thread::Builder::new().name("count".into()).spawn_scoped(self.scope, work) else {
            return Some(hand);
        };
        self.threads.push(Worker { rows, thread });
        handover.send(hand).err().map(|refused| refused.0)
    }

    /// All hands when they are done; `read` says how reading ended.
    fn finish(self, read: Result<()>) -> Result<Vec<Hand<T>>> {
        let threads: Vec<_> = self.threads.into_iter().map(|worker| worker.thread).collect();
        let done: Vec<Result<Hand<T>>> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        let done: Vec<Hand<T>> = done.into_iter().collect::<Result<_>>()?;
        read?;
        Ok(self.own.into_iter().chain(done).collect())
    }
}

/// Rows that are counted without further threads.
const SMALL_INPUT: usize = 20_000;
/// Batches that wait for a thread.
const AHEAD: usize = 4;
