//! Rows of one way of one conversation, sorted by observer and time, paired with their copies.
//!
//! Observers take their turn in the order of names. Rows that stay are on two lines, one sorted by time and one by what
//! was counted, to which those of the observer whose turn it is are added. On either line two rows that belong together
//! lie next to each other, so that a pass looks at neighbours only, the closest first, and a row costs the logarithm of
//! the number of rows, however many observers there are.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::{Bound, Range};

use super::Seen;
use crate::record::NANOS_PER_SEC;

/// What the times of the same packets may be apart on two interfaces.
const TOLERANCE: i64 = 60 * NANOS_PER_SEC;

/// Rows that are looked at to find a window that a row lies inside of, or the rows inside of a window.
const LOOK_BACK: usize = 32;

/// Bytes that a row of the longest conversation takes while it is paired, about: a place on both lines, and candidates.
pub(super) const BYTES_OF_A_ROW: usize = 2 * (size_of::<Place>() * 3 / 2) + 2 * size_of::<Candidate>();

/// Marks the copies among rows that are sorted by observer, then by start, end and counters.
pub(super) fn fold(rows: &[Seen], mark: &mut dyn FnMut(u32)) {
    let has_one_observer = rows.first().map(|row| row.observer) == rows.last().map(|row| row.observer);
    let (mut pairing, mut start) = (Pairing::new(rows), 0);
    for of_observer in rows.chunk_by(|one, other| one.observer == other.observer) {
        let own = start..start + of_observer.len();
        start = own.end;
        let open = fold_logs(rows, own, mark);
        if !has_one_observer {
            pairing.fold(&open, mark);
        }
    }
}

/// Rows of one observer without those that another flow log has as well: of equal rows, as many stay as one log has at most.
/// A row whose flow log nothing tells can be of any, and stays.
fn fold_logs(rows: &[Seen], own: Range<usize>, mark: &mut dyn FnMut(u32)) -> Vec<u32> {
    let counted = |row: &Seen| (row.first, row.last, row.packets, row.bytes, row.flags);
    let mut numbers = own.clone().filter_map(|number| u32::try_from(number).ok());
    let own = rows.get(own).unwrap_or_default();
    let mut kept = Vec::with_capacity(own.len());
    for equal in own.chunk_by(|one, other| counted(one) == counted(other)) {
        let by_log = equal
            .chunk_by(|one, other| one.log == other.log)
            .filter(|log| !log.iter().any(Seen::is_of_any_log));
        // The first of those that have the most: `max_by_key` would take the last.
        let most = by_log.clone().map(<[Seen]>::len).max().unwrap_or(0);
        let stays = by_log.clone().find(|log| log.len() == most).and_then(|log| log.first());
        for (row, number) in equal.iter().zip(&mut numbers) {
            if row.is_of_any_log() || stays.is_some_and(|stays| stays.log == row.log) {
                kept.push(number);
            } else {
                mark(row.row);
            }
        }
    }
    kept
}

/// A row on a line: what the line is sorted by, and its number among the rows.
type Place = (u64, u64, i64, i64, u32);

/// Two rows next to each other: how far apart, when, and their numbers.
type Candidate = Reverse<(u64, i64, u32, u32)>;

/// How far two rows are apart; `None` if they are no copies of each other.
type Distance = fn(&Seen, &Seen) -> Option<u64>;

/// What a line of rows is sorted by.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// Windows of at most a minute before longer ones, then by time.
    Time,
    /// Packets and bytes, then by time.
    Count,
}

/// How copies are told, what is surest first.
const PASSES: [(Line, Distance); 4] = [
    (Line::Count, |one, other| (is_same_time(one, other) && is_counted_alike(one, other)).then_some(0)),
    (Line::Time, |one, other| is_same_time(one, other).then_some(0)),
    (Line::Count, |one, other| near(one, other).filter(|_| is_counted_alike(one, other))),
    (Line::Time, |one, other| near(one, other).filter(|_| one.is_long() == other.is_long())),
];

/// Rows that stay, and those whose turn it is.
struct Pairing<'a> {
    rows: &'a [Seen],
    by_time: BTreeSet<Place>,
    by_count: BTreeSet<Place>,
    /// The first row of the observer whose turn it is; those before are of others.
    own: u32,
    /// Rows off the lines that stay and have found their copy.
    taken: Vec<u32>,
    candidates: BinaryHeap<Candidate>,
}

impl<'a> Pairing<'a> {
    fn new(rows: &'a [Seen]) -> Self {
        Self {
            rows,
            by_time: BTreeSet::new(),
            by_count: BTreeSet::new(),
            own: 0,
            taken: Vec::new(),
            candidates: BinaryHeap::new(),
        }
    }

    /// Marks those of the next observer's rows that are copies; the others stay.
    fn fold(&mut self, own: &[u32], mark: &mut dyn FnMut(u32)) {
        let is_first = self.by_time.is_empty();
        self.own = own.first().copied().unwrap_or(self.own);
        own.iter().for_each(|&row| self.insert(row));
        if is_first {
            return;
        }
        for (line, distance) in PASSES {
            self.pair(line, distance, own, mark);
        }
        for &row in own {
            if self.is_open(row) && (self.is_part(row) || self.is_sum(row)) {
                self.remove(row);
                mark(self.row(row).row);
            }
        }
        for row in std::mem::take(&mut self.taken) {
            self.insert(row);
        }
    }

    /// Pairs neighbours on a line, the closest first.
    fn pair(&mut self, line: Line, distance: Distance, own: &[u32], mark: &mut dyn FnMut(u32)) {
        for &row in own {
            if self.is_open(row) {
                let [before, after] = self.neighbours(line, row);
                before.into_iter().for_each(|before| self.consider(before, row, distance));
                after.into_iter().for_each(|after| self.consider(row, after, distance));
            }
        }
        while let Some(Reverse((_, _, one, other))) = self.candidates.pop() {
            if !self.is_open(one) || !self.is_open(other) {
                continue;
            }
            let ([before, _], [_, after]) = (self.neighbours(line, one), self.neighbours(line, other));
            self.remove(one);
            self.remove(other);
            // Rows are in the order of observers: the later one's is the copy.
            self.taken.push(one.min(other));
            mark(self.row(one.max(other)).row);
            if let (Some(before), Some(after)) = (before, after) {
                self.consider(before, after, distance);
            }
        }
    }

    fn consider(&mut self, before: u32, after: u32, distance: Distance) {
        let (one, other) = (self.row(before), self.row(after));
        if let Some(distance) = distance(one, other).filter(|_| self.is_own(before) != self.is_own(after)) {
            self.candidates.push(Reverse((distance, one.first, before, after)));
        }
    }

    /// Whether a row of at most a minute is part of another observer's longer one that has no copy of its own length.
    fn is_part(&self, row: u32) -> bool {
        let part = self.row(row);
        let begun = (1, 0, part.first.saturating_add(TOLERANCE), i64::MAX, u32::MAX);
        let is_whole =
            |whole: &Seen| whole.is_long() && whole.last >= part.first && whole.bytes >= part.bytes;
        let mut windows = self.by_time.range(..=begun).rev().take(LOOK_BACK);
        !part.is_long() && windows.any(|&(.., whole)| !self.is_own(whole) && is_whole(self.row(whole)))
    }

    /// Whether a row of more than a minute sums up other observers' rows: they begin inside of it, and have all its bytes.
    fn is_sum(&self, row: u32) -> bool {
        let whole = self.row(row);
        let begin = (0, 0, whole.first.saturating_sub(TOLERANCE), i64::MIN, 0);
        let end = (0, 0, whole.last, i64::MAX, u32::MAX);
        if !whole.is_long() {
            return false;
        }
        let inside =
            self.by_time.range(begin..=end).take(LOOK_BACK).filter(|&&(.., part)| !self.is_own(part));
        let bytes = inside.map(|&(.., part)| self.row(part).bytes.unwrap_or(0)).reduce(u64::saturating_add);
        bytes.is_some_and(|bytes| bytes >= whole.bytes.unwrap_or(0))
    }

    fn is_own(&self, row: u32) -> bool {
        row >= self.own
    }

    /// Whether a row is on the lines.
    fn is_open(&self, row: u32) -> bool {
        self.by_time.contains(&self.place(Line::Time, row))
    }

    fn insert(&mut self, row: u32) {
        self.by_time.insert(self.place(Line::Time, row));
        self.by_count.insert(self.place(Line::Count, row));
    }

    fn remove(&mut self, row: u32) {
        self.by_time.remove(&self.place(Line::Time, row));
        self.by_count.remove(&self.place(Line::Count, row));
    }

    /// The rows before and after a row on a line.
    fn neighbours(&self, line: Line, row: u32) -> [Option<u32>; 2] {
        let places = match line {
            Line::Time => &self.by_time,
            Line::Count => &self.by_count,
        };
        let place = self.place(line, row);
        let before = places.range(..place).next_back();
        let after = places.range((Bound::Excluded(place), Bound::Unbounded)).next();
        [before, after].map(|place| place.map(|&(.., row)| row))
    }

    fn place(&self, line: Line, number: u32) -> Place {
        let row = self.row(number);
        let (class, part) = match line {
            Line::Time => (row.is_long().into(), 0),
            Line::Count => (row.packets.unwrap_or(u64::MAX), row.bytes.unwrap_or(u64::MAX)),
        };
        (class, part, row.first, row.last, number)
    }

    /// A row by a number that came from [`fold_logs`], which there always is.
    fn row(&self, number: u32) -> &'a Seen {
        &self.rows[number as usize]
    }
}

impl Seen {
    /// Whether it is of a window of more than a minute.
    fn is_long(&self) -> bool {
        self.last.saturating_sub(self.first) > TOLERANCE
    }
}

fn is_same_time(one: &Seen, other: &Seen) -> bool {
    (one.first, one.last) == (other.first, other.last)
}

/// How far starts are apart that can be of the same packets.
fn near(one: &Seen, other: &Seen) -> Option<u64> {
    Some(one.first.abs_diff(other.first)).filter(|apart| *apart <= TOLERANCE.unsigned_abs())
}

/// Whether packets and bytes are equal, and flags where both have them.
fn is_counted_alike(one: &Seen, other: &Seen) -> bool {
    let are_flags_alike = one.flags.is_none() || other.flags.is_none() || one.flags == other.flags;
    (one.packets, one.bytes) == (other.packets, other.bytes) && are_flags_alike
}
